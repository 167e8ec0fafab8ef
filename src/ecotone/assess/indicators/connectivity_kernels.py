"""``connectivity.kernels``: movement from many places without pairs of cores."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators import connectivity_draws, connectivity_resistance
from ecotone.assess.indicators.connectivity_cost import foretold
from ecotone.assess.indicators.connectivity_draws import Draws, Spread, with_interval
from ecotone.assess.indicators.connectivity_inputs import Habitat, read_points
from ecotone.assess.indicators.connectivity_maps import write_maps
from ecotone.assess.indicators.connectivity_resistance import Surface, read_surface
from ecotone.formats.base import refused
from ecotone.formats.circuitscape import read_table
from ecotone.model.finding import Finding
from ecotone.model.result import Value
from ecotone.science.connectivity.ensemble import Moments
from ecotone.science.connectivity.kernels import Shape, spread_from
from ecotone.science.connectivity.landscape import Margin
from ecotone.science.connectivity.resistance import widened

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Sources that one task takes; its two maps are all it sends back.
_TOGETHER: Final = 8


def compute(job: Job) -> Outcome:
    """Kernels and least-cost paths of all sources, summed a few sources at a time."""
    surface = read_surface(job)
    resistance = surface.model.best()
    habitat = Habitat(surface.raster, np.nan_to_num(1.0 / resistance))
    _projected(surface)
    findings: list[Finding] = []
    cells, weight = _sources(job, habitat, findings)
    draws = Draws.of(job)
    findings.extend(draws.findings("kernels", told=surface.told))
    share = 1.0 / (1 + draws.count)
    _foretell(job, surface, cells, weight, draws)
    maps = _maps(job, surface.raster.cell, resistance, cells, weight, draws, 0)
    values = {
        "sources": Value(value=int(cells.size), unit="1"),
        "kernel_max": Value(value=float(maps["kernel"].max()), unit="1"),
        "paths_max": Value(value=float(maps["paths"].max()), unit="1"),
        "reached": Value(value=_reached(maps, surface), unit="ha"),
    }
    if draws.count:
        spread = Spread([], Moments.of(resistance.shape))
        for number in range(1, draws.count + 1):
            drawn = surface.model.drawn(np.random.default_rng([draws.seed, number]))
            one = _maps(job, surface.raster.cell, drawn, cells, weight, draws, number)
            spread.rows.append(
                np.array([one["kernel"].max(), one["paths"].max(), _reached(one, surface)])
            )
            spread.maps.add(one["kernel"])
            job.progress((number + 1) * share)
        ends = zip(("kernel_max", "paths_max", "reached"), np.array(spread.rows).T, strict=True)
        values |= {name: with_interval(values[name], drawn) for name, drawn in ends}
        maps |= {"kernel_mean": spread.maps.mean, "kernel_cv": spread.variation()}
    return Outcome(values=values, rasters=write_maps(job, surface.raster, maps), findings=findings)


def _foretell(job: Job, surface: Surface, cells: Ints, weight: Floats, draws: Draws) -> None:
    """Tell what the run will take, from the time of one source."""
    resistance = surface.model.best()
    plain = replace(draws, margin=0.0)
    for _ in range(2):
        # The first time functions may be compiled: it tells nothing.
        begun = time.perf_counter()
        _maps(job, surface.raster.cell, resistance, cells[:1], weight[:1], plain, 1)
    each = (time.perf_counter() - begun) * draws.cells(resistance.shape)
    size = 8.0 * resistance.size * draws.cells(resistance.shape)
    runs = cells.size * (1 + draws.count) / (os.cpu_count() or 1)
    foretold(job, size * (6 + 6 * (os.cpu_count() or 1)), each * runs)


def _reached(maps: dict[str, Floats], surface: Surface) -> float:
    """Land that any kernel reaches, ha."""
    return float((maps["kernel"] > 0).sum()) * surface.raster.cell**2 / 1e4


def _maps(
    job: Job, cell: float, resistance: Floats, cells: Ints, weight: Floats, draws: Draws,
    number: int,
) -> dict[str, Floats]:  # fmt: skip
    """Kernels and paths over one landscape, with a margin around it that is not shown."""
    wide, inside = resistance, (slice(None), slice(None))
    if draws.margin:
        rng = np.random.default_rng([draws.seed, number, 1])
        wide, inside = widened(resistance, draws.margin, rng)
        cells = Margin(wide, inside).places(cells, resistance.shape[1])
    spread = partial(
        _some,
        resistance=wide,
        targets=cells,
        threshold=job.number("threshold"),
        shape=cast(Shape, str(job.parameters["kernel"])),
        cell=cell,
        neighbours=int(str(job.parameters["neighbours"])),
    )
    starts = range(0, cells.size, _TOGETHER)
    tasks = ((cells[s : s + _TOGETHER], weight[s : s + _TOGETHER]) for s in starts)
    maps = {"kernel": np.zeros(wide.shape), "paths": np.zeros(wide.shape)}
    for done, (kernel, paths) in enumerate(job.executor.map(spread, tasks), 1):
        maps["kernel"] += kernel
        maps["paths"] += paths
        if number == 0:
            job.progress(done / len(starts) / (1 + draws.count))
    return {name: values[inside] for name, values in maps.items()}


def _some(
    task: tuple[Ints, Floats], resistance: Floats, targets: Ints, threshold: float, shape: Shape,
    cell: float, neighbours: int,
) -> tuple[Floats, Floats]:  # fmt: skip
    return spread_from(
        resistance, *task, targets, threshold=threshold, shape=shape, cell=cell,
        neighbours=neighbours,
    )  # fmt: skip


def _projected(surface: Surface) -> None:
    """Refuse a raster in degrees: costs against a threshold in metres would mean nothing."""
    crs = surface.raster.crs
    if crs is not None and crs.is_geographic:
        raise refused("connectivity-degrees", file=surface.path.name)


def _sources(job: Job, habitat: Habitat, findings: list[Finding]) -> tuple[Ints, Floats]:
    """Cells of the sources on habitat and their weights, 1 where none is told."""
    path = job.inputs["nodes"][0]
    points = read_points(path, habitat, findings)
    live = habitat.conductance.ravel()[points.cells] > 0
    cells, ids = points.cells[live], points.ids[live]
    if not cells.size:
        raise refused("circuit-no-point", file=path.name)
    if "weights" not in job.inputs:
        return cells, np.ones(cells.size)
    table = read_table(job.inputs["weights"][0], 2)
    told = dict(zip(table[:, 0].astype(np.int64).tolist(), table[:, 1].tolist(), strict=True))
    return cells, np.array([told.get(i, 1.0) for i in ids.tolist()])


CONNECTIVITY_KERNELS: Final = Indicator(
    id="connectivity.kernels",
    version="1",
    inputs=(
        *connectivity_resistance.INPUTS,
        Input("nodes", "table"),
        Input("weights", "table", required=False),
    ),
    parameters=(
        Parameter("threshold", "number", 10_000.0, minimum=1e-9, unit="m"),
        Parameter("kernel", "text", "linear", choices=("linear", "gaussian")),
        Parameter("neighbours", "text", "8", choices=("4", "8", "16")),
        *connectivity_resistance.PARAMETERS,
        *(one for one in connectivity_draws.PARAMETERS if one.name != "spread"),
    ),
    values={"sources": "1", "kernel_max": "1", "paths_max": "1", "reached": "ha"},
    tables={},
    rasters={"kernel": "1", "paths": "1", "kernel_mean": "1", "kernel_cv": "1"},
    citations=(
        Citation(
            "Compton et al. (2007) Conservation Biology 21, 788-799",
            "10.1111/j.1523-1739.2007.00674.x",
        ),
        Citation(
            "Cushman et al. (2009) Conservation Biology 23, 368-376",
            "10.1111/j.1523-1739.2008.01111.x",
        ),
    ),
    compute=compute,
)
