"""``land.drought-exposure``: land and people under drought, year by year and in four years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_ground import Ground, Layer, strips
from ecotone.assess.indicators.land_scratch import Scratch, scratch
from ecotone.assess.indicators.land_tables import ClassAreas, write_map
from ecotone.assess.indicators.mosaic import Mosaic, open_mosaic
from ecotone.formats.raster import Stack, open_layer
from ecotone.formats.raster_classes import MapClass
from ecotone.model.errors import InputRefused, NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.drought import (
    BLOCK_YEARS,
    DROUGHT_CLASSES,
    drought_classes,
    exposed,
    worst_year,
    year_blocks,
)
from ecotone.science.land.lookup import NODATA, Codes

Floats = NDArray[np.float64]

_NAMES: Final = ("none", "mild", "moderate", "severe", "extreme")
#: Classes 0 .. 4 as 1 .. 5 in a map of bytes.
_LEGEND: Final = {
    1: MapClass("No drought", "#FFFFFF"),
    2: MapClass("Mild", "#FFFFBE"),
    3: MapClass("Moderate", "#FFD37F"),
    4: MapClass("Severe", "#E69800"),
    5: MapClass("Extreme", "#730000"),
}
_GROUPS: Final = ("population", "female", "male")


@dataclass(frozen=True)
class People:
    """A map of people and, for its columns and rows, the nearest of the drought's grid."""

    name: str
    layer: Layer
    ground: Ground


def compute(job: Job) -> Outcome:
    """Classes of every year, the worst of each block of four, people in each class."""
    mosaic = open_mosaic(job.inputs["drought"])
    tile = mosaic.tiles[0]
    try:
        years = [int(year) for year in tile.years()]
        if len(set(years)) != len(years) or len(mosaic.tiles) > 1:
            raise InputRefused(
                say("assess.land.not-yearly", name=tile.name), say("assess.land.not-yearly.do")
            )
        ground = Ground.of(mosaic, job.region)
        blocks = year_blocks(years, int(job.number("first")))
        if not blocks:
            raise NotComputable(
                say("assess.land.no-block", first=job.parameters["first"], last=max(years)),
                say("assess.land.no-block.do"),
            )
        groups, findings = _groups(job, mosaic)
        findings += [_short(block) for block in blocks if len(block) < BLOCK_YEARS]
        with scratch(job, "land.drought-exposure", ground.window()) as arrays:
            classes = arrays.array("years", np.int16, layers=len(years))
            worst = arrays.array("worst", np.int16, layers=len(blocks))
            areas, by_block = _classify(tile.stack, ground, arrays, years, blocks, classes, worst)
            exposure, yearly = _people(mosaic, arrays, groups, years, blocks, classes, worst)
            rasters = {
                f"worst_{block[0]}_{block[-1]}": write_map(
                    job.out, f"worst_{block[0]}_{block[-1]}", ground, arrays.within,
                    _Shown(arrays, worst[number]), _LEGEND,
                    {"indicator": "land.drought-exposure", "period": f"{block[0]}/{block[-1]}"},
                )
                for number, block in enumerate(blocks)
            }  # fmt: skip
    finally:
        mosaic.close()
    tables = {"areas": areas, "worst": by_block}
    if groups:
        tables |= {"exposure": exposure, "exposure_yearly": yearly}
    return Outcome(
        values=_values(by_block, exposure if groups else None, blocks),
        tables=tables,
        rasters=rasters,
        findings=findings,
    )


@dataclass(frozen=True)
class _Shown:
    """A layer of classes as a map of bytes."""

    scratch: Scratch
    codes: Codes

    def __call__(self, window: Window) -> Codes:
        """The codes of a window, one up."""
        codes = np.asarray(self.codes[self.scratch.place(window)])
        shown: Codes = np.where(codes == NODATA, NODATA, codes + 1)
        return shown


def _short(block: list[int]) -> Finding:
    return Finding(
        "land-block-short",
        Severity.WARNING,
        params={"years": ", ".join(map(str, block)), "count": str(len(block))},
    )


def _groups(job: Job, mosaic: Mosaic) -> tuple[list[People], list[Finding]]:
    """The maps of people; InputRefused where one lies in another reference system."""
    found = []
    for name in _GROUPS:
        given = job.inputs.get(name)
        if not given:
            continue
        stack = open_layer(given[0])
        if stack.crs != mosaic.crs:
            raise InputRefused(
                say("assess.land.grids-differ", first=mosaic.tiles[0].name, other=given[0].name),
                say("assess.land.grids-differ.do"),
            )
        own = Mosaic((), stack.transform, stack.width, stack.height)
        ground = Ground(own.transform, stack.crs, own.width, own.height)
        ground = ground if job.region is None else ground.clipped(job.region)
        found.append(People(name, Layer(given[0].name, stack), ground))
    told = [] if found else [Finding("land-no-people", Severity.WARNING, field="population")]
    return found, told


def _classify(
    stack: Stack,
    ground: Ground,
    arrays: Scratch,
    years: list[int],
    blocks: list[list[int]],
    classes: Codes,
    worst: Codes,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Classes of each year and of the worst year of each block, and their areas."""
    by_year = [ClassAreas(DROUGHT_CLASSES) for _ in years]
    by_block = [ClassAreas(DROUGHT_CLASSES) for _ in blocks]
    step = max(1, (1 << 23) // max(1, len(years)))
    for window in strips(arrays.within, step):
        index = stack.read(window)
        _check_index(float(np.fmin.reduce(index, axis=None)),
                     float(np.fmax.reduce(index, axis=None)))  # fmt: skip
        km2 = ground.km2(window)
        place = arrays.place(window)
        codes = drought_classes(index)
        classes[(slice(None), *place)] = codes
        for areas, layer in zip(by_year, codes, strict=True):
            areas.add(layer, km2)
        for number, block in enumerate(blocks):
            lowest, _ = worst_year(index[[years.index(year) for year in block]])
            worst[(number, *place)] = drought_classes(lowest)
            by_block[number].add(worst[(number, *place)], km2)
    return (
        pd.concat(
            [_named(a, {"year": y}) for y, a in zip(years, by_year, strict=True)],
            ignore_index=True,
        ),
        pd.concat(
            [_named(a, {"years": _span(b)}) for b, a in zip(blocks, by_block, strict=True)],
            ignore_index=True,
        ),
    )


def _check_index(lowest: float, highest: float) -> None:
    if lowest < -10 or highest > 10:
        raise InputRefused(
            say("assess.land.index-scale", lowest=lowest, highest=highest),
            say("assess.land.scale-missing.do"),
        )


def _named(areas: ClassAreas, first: dict[str, object]) -> pd.DataFrame:
    table = areas.table(first)
    table["class"] = [*_NAMES, "nodata"]
    return table


def _span(block: list[int]) -> str:
    return f"{block[0]}-{block[-1]}"


def _people(
    mosaic: Mosaic,
    arrays: Scratch,
    groups: list[People],
    years: list[int],
    blocks: list[list[int]],
    classes: Codes,
    worst: Codes,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People by class, each where the nearest cell of the drought's grid is."""
    by_block = {g.name: np.zeros((len(blocks), 6)) for g in groups}
    by_year = {g.name: np.zeros((len(years), 6)) for g in groups}
    for group in groups:
        bounds = group.ground.bounds()
        for window in strips(bounds) if bounds else ():
            people = group.layer.read(window) * group.ground.shares(window)
            if np.fmin.reduce(people, axis=None) < 0:
                raise InputRefused(
                    say("assess.land.people-negative", name=group.layer.name),
                    say("assess.land.missing-code.do"),
                )
            rows, columns, there = _nearest(mosaic, arrays, group, window)
            for sums, layers in ((by_block[group.name], worst), (by_year[group.name], classes)):
                for number in range(len(sums)):
                    codes = np.asarray(layers[number])[rows[:, None], columns[None, :]]
                    sums[number] += exposed(np.where(there, codes, NODATA), people)
    return (
        _exposure_table(by_block, [("years", _span(b)) for b in blocks]),
        _exposure_table(by_year, [("year", y) for y in years]),
    )


def _nearest(
    mosaic: Mosaic, arrays: Scratch, group: People, window: Window
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Rows and columns of the drought's cells in which the centres of others lie."""
    a, b = group.ground.transform, mosaic.transform
    x = a.c + a.a * (window.col_off + np.arange(window.width) + 0.5)
    y = a.f + a.e * (window.row_off + np.arange(window.height) + 0.5)
    column = np.floor((x - b.c) / b.a).astype(np.int64) - int(arrays.within.col_off)
    row = np.floor((y - b.f) / b.e).astype(np.int64) - int(arrays.within.row_off)
    height, width = int(arrays.within.height), int(arrays.within.width)
    inside_rows = (row >= 0) & (row < height)
    inside_columns = (column >= 0) & (column < width)
    return (
        np.clip(row, 0, height - 1).astype(np.intp),
        np.clip(column, 0, width - 1).astype(np.intp),
        inside_rows[:, None] & inside_columns[None, :],
    )


def _exposure_table(sums: dict[str, Floats], firsts: list[tuple[str, object]]) -> pd.DataFrame:
    rows = []
    for number, (key, value) in enumerate(firsts):
        for at, name in enumerate((*_NAMES, "nodata")):
            row: dict[str, object] = {key: value, "class": name}
            for group, people in sums.items():
                total = float(people[number].sum())
                row[group] = float(people[number, at])
                row[f"{group}_percent"] = 100 * people[number, at] / total if total else None
            rows.append(row)
    return pd.DataFrame(rows)


def _values(
    by_block: pd.DataFrame, exposure: pd.DataFrame | None, blocks: list[list[int]]
) -> dict[str, Value]:
    """Land and people under severe or extreme drought in the last block."""
    last = by_block[by_block["years"] == _span(blocks[-1])]
    hard = last["class"].isin(["severe", "extreme"])
    values = {
        "total_km2": Value(value=float(last["area_km2"].sum()), unit="km2"),
        "severe_km2": Value(value=float(last.loc[hard, "area_km2"].sum()), unit="km2"),
    }
    if exposure is not None and "population" in exposure:
        people = exposure[exposure["years"] == _span(blocks[-1])]
        hard = people["class"].isin(["severe", "extreme"])
        values["people"] = Value(value=float(people["population"].sum()), unit="people")
        values["severe_people"] = Value(
            value=float(people.loc[hard, "population"].sum()), unit="people"
        )
    return values


def _maps() -> Iterator[str]:
    """Names of the maps of the reports' blocks."""
    for start in range(2000, 2024, BLOCK_YEARS):
        yield f"worst_{start}_{start + BLOCK_YEARS - 1}"


LAND_EXPOSURE: Final = Indicator(
    id="land.drought-exposure",
    version="1",
    inputs=(
        Input("drought", "raster stack", noun="Coverage"),
        Input("population", "raster", required=False),
        Input("female", "raster", required=False),
        Input("male", "raster", required=False),
    ),
    parameters=(Parameter("first", "integer", 2000, minimum=1900, maximum=2100, unit="year"),),
    values={
        "total_km2": "km2",
        "severe_km2": "km2",
        "people": "people",
        "severe_people": "people",
    },
    tables={
        "areas": {"year": "year", "class": "1", "area_km2": "km2", "percent": "%"},
        "worst": {"years": "year", "class": "1", "area_km2": "km2", "percent": "%"},
        "exposure": {"years": "year", "class": "1", "population": "people"},
        "exposure_yearly": {"year": "year", "class": "1", "population": "people"},
    },
    rasters=dict.fromkeys(_maps(), "1"),
    citations=(
        Citation("UNCCD (2025) PRAIS 4 reporting manual for the 2026 reporting process"),
        Citation("Barker et al. (2021) Good Practice Guidance, strategic objective 3, UNCCD"),
    ),
    compute=compute,
)
