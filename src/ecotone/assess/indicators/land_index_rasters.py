"""``land.spi`` and ``land.spei`` of rasters, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.assess.indicator import Job, Outcome
from ecotone.assess.indicators.land_ground import Ground, check_grid
from ecotone.assess.indicators.land_index import Ask, in_mm, index_values, unit_of
from ecotone.assess.indicators.land_tables import ClassAreas
from ecotone.assess.indicators.mosaic import Mosaic, Tile, open_mosaic
from ecotone.formats.raster import open_stack
from ecotone.formats.raster_bands import write_bands
from ecotone.formats.raster_classes import write_ramp
from ecotone.model.errors import InputRefused, NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.land.drought import drought_classes
from ecotone.science.land.standardised import FEWEST

Floats = NDArray[np.float64]

#: Upper limits of the classes of drought and of their wet counterparts, as a GIS shows them.
_STYLE: Final = (
    (-2.0, "#730000", "Extreme drought"),
    (-1.5, "#e69800", "Severe drought"),
    (-1.0, "#ffd37f", "Moderate drought"),
    (0.0, "#ffffbe", "Mild drought"),
    (1.0, "#e0f3f8", "Mildly wet"),
    (2.0, "#74add1", "Wet"),
    (float("inf"), "#313695", "Extremely wet"),
)


@dataclass(frozen=True)
class Block:
    """One block: the index in the months kept, and its mean over the region by month."""

    window: Window
    index: Floats
    sums: Floats
    weights: Floats
    gaps: int


@dataclass(frozen=True)
class Stacks:
    """What the workers read: precipitation, and evaporation for the balance."""

    ask: Ask
    rain: Mosaic
    evaporation: Mosaic | None
    ground: Ground
    months: NDArray[np.datetime64]
    kept: NDArray[np.intp]
    unit: str


def of_rasters(job: Job, ask: Ask) -> Outcome:
    """The index of monthly stacks: one month's layers as a raster, means and areas as tables."""
    rain = _open(job, job.inputs["raster"])
    opened = [rain]
    try:
        given = job.inputs.get("evaporation")
        evaporation = open_mosaic(given) if given else None
        if evaporation is not None:
            opened.append(evaporation)
            check_grid(rain, evaporation.tiles[0].name, evaporation.tiles[0].stack)
        months = raster_months(rain)
        if evaporation is not None and (raster_months(evaporation) != months).any():
            raise InputRefused(
                say("assess.land.months-differ"), say("assess.land.months-differ.do")
            )
        month = int(job.number("month"))
        kept = np.flatnonzero(months.astype(int) % 12 == month - 1)
        ground = Ground.of(rain, job.region)
        stacks = Stacks(ask, rain, evaporation, ground, months, kept, unit_of(job))
        return _streamed(job, stacks)
    finally:
        for one in opened:
            one.close()


def _open(job: Job, paths: tuple[Path, ...]) -> Mosaic:
    """A stack as a mosaic of one tile; of several variables the one asked for."""
    variable = job.parameters["variable"]
    if variable is None:
        return open_mosaic(paths)
    stack = open_stack(list(paths), variable=str(variable))
    tile = Tile(paths[0].name, stack, 0, 0)
    return Mosaic((tile,), stack.transform, stack.width, stack.height)


def raster_months(mosaic: Mosaic) -> NDArray[np.datetime64]:
    """The months of a stack; InputRefused where it has leaps or more than one layer a month."""
    tile = mosaic.tiles[0]
    months = tile.stack.times.astype("datetime64[M]")
    if len(mosaic.tiles) > 1 or (np.diff(months).astype(int) != 1).any():
        raise InputRefused(
            say("assess.land.not-monthly", name=tile.name), say("assess.land.not-monthly.do")
        )
    return months


def _streamed(job: Job, stacks: Stacks) -> Outcome:
    """The index block by block; December's layers (or another month's) are kept as a raster."""
    within = stacks.ground.window()
    months = stacks.months
    sums, weights = np.zeros(months.size), np.zeros(months.size)
    areas = {int(at): ClassAreas((0, 1, 2, 3, 4)) for at in stacks.kept}
    gaps = 0
    cell = stacks.ground

    def blocks() -> Iterator[tuple[Window, Floats]]:
        nonlocal gaps
        done, whole = 0, within.width * within.height
        for block in job.executor.map(partial(index_block, stacks), stacks.rain.blocks(within)):
            sums[:] += block.sums
            weights[:] += block.weights
            gaps += block.gaps
            km2 = cell.km2(block.window)
            for layer, at in zip(block.index, stacks.kept, strict=True):
                areas[int(at)].add(drought_classes(layer), km2)
            done += block.window.width * block.window.height
            job.progress(done / whole)
            top, left = block.window.row_off - within.row_off, block.window.col_off - within.col_off
            inside = cell.shares(block.window) > 0
            yield (
                Window(left, top, block.window.width, block.window.height),
                np.where(inside, block.index, np.nan),
            )

    kind = stacks.ask.kind
    relative = f"rasters/{kind}.tif"
    write_bands(
        job.out / relative,
        shape=(int(within.height), int(within.width)),
        transform=cell.transform * Affine.translation(within.col_off, within.row_off),
        crs=cell.crs,
        names=[str(months[at]) for at in stacks.kept],
        blocks=blocks(),
        tags={"indicator": f"land.{kind}", "scale": str(stacks.ask.scale), "unit": "1"},
    )
    write_ramp((job.out / relative).with_suffix(".qml"), _STYLE)
    with np.errstate(invalid="ignore"):
        mean = sums / weights
    if np.isnan(mean).all():
        raise NotComputable(say("assess.land.no-fit", fewest=FEWEST), say("assess.land.no-fit.do"))
    years = months.astype("datetime64[Y]").astype(int) + 1970
    tables = {
        kind: pd.DataFrame({"month": [str(m) for m in months], kind: mean}),
        "drought": pd.concat(
            [_year_table(areas[int(at)], int(years[at])) for at in stacks.kept], ignore_index=True
        ),
    }
    findings = [Finding("land-index-no-interval", Severity.INFO)]
    if gaps:
        findings.append(Finding("land-gaps-stay", Severity.INFO, params={"count": str(gaps)}))
    return Outcome(
        values=index_values(mean, months),
        tables=tables,
        rasters={kind: relative},
        findings=findings,
    )


def _year_table(areas: ClassAreas, year: int) -> pd.DataFrame:
    """Area by class of drought; ``nodata`` is no class, none (0) is."""
    table = areas.table({"year": year})
    table["class"] = [*(str(code) for code in areas.classes), "nodata"]
    return table


def index_block(stacks: Stacks, window: Window) -> Block:
    """The index of one block; the same on a thread as on a worker of a cluster."""
    rain = stacks.rain.tiles[0]
    values = rain.stack.read(window)
    if stacks.ask.kind == "spi" or stacks.evaporation is not None:
        values = in_mm(stacks.unit, values, rain.name, stacks.months)
    if stacks.evaporation is not None:
        values = values - stacks.evaporation.tiles[0].stack.read(window)
    index = stacks.ask.index(values, stacks.months).index
    km2 = stacks.ground.km2(window)
    there = np.isfinite(index)
    sums = np.where(there, index * km2, 0.0).sum(axis=(1, 2))
    weights = (there * km2).sum(axis=(1, 2))
    return Block(window, index[stacks.kept], sums, weights, int(np.isnan(values).sum()))
