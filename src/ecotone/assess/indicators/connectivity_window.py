"""``connectivity.moving-window``: current flow from everywhere to everywhere near."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators import connectivity_draws
from ecotone.assess.indicators.connectivity_cost import foretold
from ecotone.assess.indicators.connectivity_draws import (
    Draws,
    Spread,
    conductance_of,
    resistance_of,
    with_interval,
)
from ecotone.assess.indicators.connectivity_inputs import Habitat, on_grid
from ecotone.assess.indicators.connectivity_maps import write_map
from ecotone.assess.indicators.connectivity_resistance import plausible
from ecotone.assess.indicators.connectivity_tables import FILES, files_read
from ecotone.formats.asciigrid import Raster, read_raster, write_grid
from ecotone.formats.base import refused
from ecotone.formats.omniscape import (
    WindowConfig,
    read_reclass,
    read_window_config,
    reclassified,
)
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.science.connectivity.ensemble import Moments
from ecotone.science.connectivity.window import (
    Condition,
    Sweep,
    Swept,
    Targets,
    Tile,
    correction_of,
    find_targets,
    sweep,
    tiles,
)
from ecotone.science.connectivity.window import sweep as timed

Floats = NDArray[np.float64]

#: Targets of about this many cells on a side are solved and kept together.
_TILE: Final = 100
_RESIDUAL: Final = 1e-8
#: Windows whose time is taken before a run, for its forecast.
_SAMPLE: Final = 5


@dataclass(frozen=True)
class Land:
    """What a run works on: resistances (NaN: none), conductances, sources and conditions."""

    raster: Raster
    resistance: Floats
    conductance: Floats
    source: Floats
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Task:
    """One tile with its part of every grid; all that a worker needs."""

    tile: Tile
    conductance: Floats
    source: Floats
    conditions: tuple[Condition, ...]
    saved: Path


def compute(job: Job) -> Outcome:
    """Sweep the window over the landscape, tile by tile; finished tiles are kept on disk."""
    config, findings = read_window_config(job.inputs["config"][0])
    land = _land(config)
    if land.raster.crs is not None and land.raster.crs.is_geographic:
        findings.append(Finding("circuit-degrees", Severity.WARNING, file=config.resistance.name))
    plan = Sweep(
        config.radius,
        config.block,
        config.buffer,
        config.four,
        config.potential or config.normalised,
        config.correct,
        displaced=job.parameters["edges"] == "reference",
    )
    if not find_targets(land.source, plan.block).row.size:
        raise refused("window-no-target", file=config.path.name)
    draws = Draws.of(job)
    findings.extend(draws.findings())
    _foretell(job, land, plan, draws)
    kept = job.out / f".window-{_stamp(land, plan, draws)}"
    share = 1.0 / (1 + draws.count)
    done = _swept(job, land, plan, draws, kept, 0)
    spread = Spread([], Moments.of(land.source.shape)) if draws.count else None
    for number in range(1, draws.count + 1):
        job.progress(number * share)
        one = _draw(job, land, plan, draws, kept, number)
        assert spread is not None
        spread.rows.append(np.array([one.max(), one.sum()]))
        spread.maps.add(one)
    rasters = _write(job, config, land, done, spread)
    shutil.rmtree(kept)
    findings.extend(_about(done))
    return Outcome(
        values=_values(done, find_targets(land.source, plan.block), spread),
        tables={"files": files_read(config)},
        rasters=rasters,
        findings=findings,
    )


def _foretell(job: Job, land: Land, plan: Sweep, draws: Draws) -> None:
    """Tell what the run will take, from the time of a few windows."""
    targets = find_targets(land.source, plan.block)
    cells = land.source.size * draws.cells(land.source.shape)
    # Grids of the whole, and what workers hold of their tiles.
    bytes_ = 8.0 * cells * (6 + 2 * len(land.conditions)) + 2e8
    some = np.unique(np.linspace(0, targets.row.size - 1, _SAMPLE).astype(np.int64))
    for few in (some[:1], some):
        # The first time functions may be compiled: it tells nothing.
        begun = time.perf_counter()
        part = Targets(targets.row[few], targets.column[few], targets.strength[few])
        timed(land.conductance, land.source, part, plan, conditions=land.conditions)
    each = (time.perf_counter() - begun) / some.size
    windows = targets.row.size * draws.cells(land.source.shape) * (1 + draws.count)
    foretold(job, bytes_, each * windows / (os.cpu_count() or 1))


def _draw(job: Job, land: Land, plan: Sweep, draws: Draws, kept: Path, number: int) -> Floats:
    """The current of one draw; one that is kept from before is not solved again."""
    saved = kept / f"draw-{number}.npz"
    if saved.exists():
        with np.load(saved) as part:
            return cast("Floats", part["current"])
    rng = np.random.default_rng([draws.seed, number])
    resistance = plausible(resistance_of(land.conductance), draws.spread).drawn(rng)
    other = replace(land, conductance=conductance_of(resistance))
    # What is drawn is how animals move, not where they come from: sources stay as they are.
    plain = replace(plan, potential=False)
    one = _swept(job, other, plain, draws, kept, number).current
    part_path = saved.with_suffix(".part.npz")
    np.savez(part_path, current=one)
    part_path.replace(saved)
    return one


def _swept(job: Job, land: Land, plan: Sweep, draws: Draws, kept: Path, number: int) -> Swept:
    """One landscape swept, with a margin around it that is not shown; its tiles are kept."""
    rng = np.random.default_rng([draws.seed, number, 1])
    wide, inside = _widened(land, draws.margin, plan.block, rng)
    folder = kept / f"draw-{number}" if number else kept
    folder.mkdir(parents=True, exist_ok=True)
    first, last = number / (1 + draws.count), 1.0 / (1 + draws.count)
    done = _run(
        job, wide, plan, find_targets(wide.source, plan.block), folder,
        lambda share: job.progress(first + share * last),
    )  # fmt: skip
    if number:
        shutil.rmtree(folder)
    corner = (inside[0].start or 0, inside[1].start or 0)
    return Swept(
        done.current[inside],
        None if done.potential is None else done.potential[inside],
        done.residual,
        [(row - corner[0], column - corner[1]) for row, column in done.failed],
    )


def _widened(
    land: Land, share: float, block: int, rng: np.random.Generator
) -> tuple[Land, tuple[slice, slice]]:
    """A landscape with cells taken at random from it around it; blocks stay where they were."""
    if not share:
        return land, (slice(None), slice(None))
    rows, columns = land.source.shape
    down, right = (int(np.ceil(share * size / block)) * block for size in (rows, columns))
    inside = (slice(down, down + rows), slice(right, right + columns))
    live = np.flatnonzero(land.conductance)
    shape = (rows + 2 * down, columns + 2 * right)
    taken = rng.choice(live, shape)

    def around(grid: Floats) -> Floats:
        wide: Floats = grid.ravel()[taken]
        wide[inside] = grid
        return wide

    return replace(
        land,
        resistance=around(land.resistance),
        conductance=around(land.conductance),
        source=around(land.source),
        conditions=tuple(
            replace(c, present=around(c.present), future=around(c.future)) for c in land.conditions
        ),
    ), inside


def _land(config: WindowConfig) -> Land:
    """All grids of a run, on the grid of the resistances."""
    raster = read_raster(config.resistance)
    values = raster.values
    if config.reclass is not None:
        values = reclassified(values, read_reclass(config.reclass))
    with np.errstate(invalid="ignore"):
        low = values < 0 if config.is_conductance else values <= 0
    if low.any():
        row, column = (int(x) for x in np.argwhere(low)[0])
        raise refused(
            "circuit-resistance-not-positive",
            file=config.resistance.name,
            value=f"{values[row, column]:g}",
            count=str(int(low.sum())),
            at=f"{row + 1}, {column + 1}",
        )
    with np.errstate(divide="ignore"):
        conductance = np.nan_to_num(values if config.is_conductance else 1.0 / values)
    habitat = Habitat(raster, conductance)
    if config.source is None:
        source = np.where(conductance >= 1.0 / config.r_cutoff, conductance, 0.0)
    else:
        source = np.nan_to_num(on_grid(config.source, habitat))
        source = np.where(source < config.threshold, 0.0, source)
    conditions = tuple(
        Condition(
            on_grid(one.present, habitat),
            on_grid(one.future, habitat),
            one.comparison,
            one.low,
            one.high,
        )
        for one in config.conditions
    )
    return Land(raster, values, conductance, np.maximum(source, 0.0), conditions)


def _stamp(land: Land, plan: Sweep, draws: Draws) -> str:
    """A name for this very computation, so that only its own tiles are taken up again."""
    drawn = "" if draws == Draws() else repr(draws)
    total = hashlib.sha256(f"{plan!r}{drawn}".encode())
    grids = [land.conductance, land.source]
    for condition in land.conditions:
        total.update(f"{condition.comparison} {condition.low} {condition.high}".encode())
        grids += [condition.present, condition.future]
    for grid in grids:
        total.update(np.ascontiguousarray(grid).tobytes())
    return total.hexdigest()[:16]


def _run(
    job: Job, land: Land, plan: Sweep, targets: Targets, kept: Path,
    progress: Callable[[float], None],
) -> Swept:  # fmt: skip
    """Sum the tiles in one order, whoever solved them and when."""
    shape = (land.source.shape[0], land.source.shape[1])
    side = max(plan.block, int(job.number("tile")) // plan.block * plan.block)
    parts = list(tiles(targets, shape, plan, side))
    correction = correction_of(plan) if plan.correct and plan.block > 1 else None
    current = np.zeros(shape)
    potential = np.zeros(shape) if plan.potential else None
    worst, failed = 0.0, []
    solved = job.executor.map(partial(sweep_tile, plan, correction), _tasks(land, parts, kept))
    for number, (tile, path) in enumerate(zip(parts, solved, strict=True)):
        with np.load(path) as part:
            current[tile.rows, tile.columns] += part["current"]
            if potential is not None:
                potential[tile.rows, tile.columns] += part["potential"]
            worst = max(worst, float(part["residual"]))
            corner = np.array([tile.rows.start, tile.columns.start])
            failed += [(int(r), int(c)) for r, c in part["failed"].reshape(-1, 2) + corner]
        progress((number + 1) / len(parts))
    return Swept(current, potential, worst, failed)


def _tasks(land: Land, parts: list[Tile], kept: Path) -> Iterator[Task]:
    for number, tile in enumerate(parts):
        yield Task(
            tile,
            land.conductance[tile.rows, tile.columns],
            land.source[tile.rows, tile.columns],
            tuple(c.part(tile.rows, tile.columns) for c in land.conditions),
            kept / f"{number}.npz",
        )


def sweep_tile(plan: Sweep, correction: Floats | None, task: Task) -> Path:
    """Solve a tile and keep it; one that is kept from before is not solved again."""
    if task.saved.exists():
        return task.saved
    found = sweep(
        task.conductance,
        task.source,
        task.tile.targets,
        plan,
        conditions=task.conditions,
        correction=correction,
    )
    part = task.saved.with_suffix(".part.npz")
    np.savez(
        part,
        current=found.current,
        potential=np.empty(0) if found.potential is None else found.potential,
        residual=np.array(found.residual),
        failed=np.array(found.failed, dtype=np.int64),
    )
    part.replace(task.saved)
    return task.saved


def _write(
    job: Job, config: WindowConfig, land: Land, done: Swept, spread: Spread | None
) -> dict[str, str]:
    """The maps, by the names users' scripts look for; a GeoTIFF of each beside a grid."""
    maps = {"cum_currmap": done.current}
    if done.potential is not None:
        maps["flow_potential"] = done.potential
    if done.potential is not None and config.normalised:
        share = np.zeros(done.current.shape)
        np.divide(done.current, done.potential, out=share, where=done.potential > 0)
        maps["normalized_cum_currmap"] = share
    if config.reclass is not None and config.write_reclassified:
        maps["classified_resistance"] = land.resistance
    if spread is not None:
        maps |= {"current_mean": spread.maps.mean, "current_cv": spread.variation()}
    bare = np.isnan(land.resistance)
    written = {}
    for name, values in maps.items():
        shown = np.where(bare, np.nan, values) if config.mask else values
        if not config.as_tif:
            write_grid(job.out / f"{name}.asc", shown, land.raster.transform)
        write_map(job.out / f"{name}.tif", land.raster, shown, nodata=-9999.0)
        if name in WINDOW_RASTERS:
            written[name] = f"{name}.tif"
    return written


def _about(done: Swept) -> Iterator[Finding]:
    if done.failed:
        row, column = done.failed[0]
        yield Finding(
            "window-failed",
            Severity.WARNING,
            params={"count": str(len(done.failed)), "at": f"{row + 1}, {column + 1}"},
        )
    if done.residual > _RESIDUAL:
        yield Finding(
            "circuit-residual", Severity.WARNING, params={"residual": f"{done.residual:.1e}"}
        )


def _values(done: Swept, targets: Targets, spread: Spread | None) -> dict[str, Value]:
    values = {
        "targets": Value(value=int(targets.row.size), unit="1"),
        "failed": Value(value=len(done.failed), unit="1"),
        "residual": Value(value=done.residual, unit="1"),
        "current_max": Value(value=float(done.current.max()), unit="A"),
        "current_sum": Value(value=float(done.current.sum()), unit="A"),
    }
    if spread is not None:
        for name, drawn in zip(
            ("current_max", "current_sum"), np.array(spread.rows).T, strict=True
        ):
            values[name] = with_interval(values[name], drawn)
    return values


WINDOW_RASTERS: Final = {
    "cum_currmap": "A",
    "flow_potential": "A",
    "normalized_cum_currmap": "1",
    "current_mean": "A",
    "current_cv": "1",
}

CONNECTIVITY_WINDOW: Final = Indicator(
    id="connectivity.moving-window",
    version="1",
    inputs=(Input("config", "settings"),),
    parameters=(
        Parameter("edges", "text", "reference", choices=("reference", "exact")),
        Parameter("tile", "integer", _TILE, minimum=1, unit="pixel"),
        *connectivity_draws.PARAMETERS,
    ),
    values={"targets": "1", "failed": "1", "residual": "1", "current_max": "A", "current_sum": "A"},
    tables={"files": FILES},
    rasters=WINDOW_RASTERS,
    citations=(
        Citation(
            "McRae et al. (2016) Conserving Nature's Stage: Mapping Omnidirectional Connectivity"
        ),
        Citation(
            "Landau et al. (2021) Journal of Open Source Software 6, 2829", "10.21105/joss.02829"
        ),
    ),
    compute=compute,
)
