"""``land.drought-exposure``: land and people under drought, year by year and in four years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome
from ecotone.assess.indicators.land_drought_forms import write_drought_forms, write_drought_json
from ecotone.assess.indicators.land_drought_years import (
    PARAMETERS,
    Spread,
    Years,
    open_years,
    severe_spread,
)
from ecotone.assess.indicators.land_ground import Ground, strips
from ecotone.assess.indicators.land_index import LEVEL
from ecotone.assess.indicators.land_people import (
    GROUPS,
    INPUTS,
    People,
    by_class,
    in_cells,
    people_of,
    people_table,
    with_all,
)
from ecotone.assess.indicators.land_scratch import Scratch, scratch
from ecotone.assess.indicators.land_tables import ClassAreas, write_map
from ecotone.assess.indicators.land_vulnerability import read_vulnerability
from ecotone.assess.indicators.land_zones import area_of_interest
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


def compute(job: Job) -> Outcome:
    """Classes of every year, the worst of each block of four, people in each class."""
    source = open_years(job)
    mosaic = source.mosaic
    try:
        years = list(source.years)
        ground = Ground.of(mosaic, job.region)
        blocks = year_blocks(years, int(job.number("first")))
        if not blocks:
            raise NotComputable(
                say("assess.land.no-block", first=job.parameters["first"], last=max(years)),
                say("assess.land.no-block.do"),
            )
        groups = people_of(job, mosaic)
        findings = [] if groups else [
            Finding("land-no-people", Severity.WARNING, field="population")
        ]  # fmt: skip
        findings += [_short(block) for block in blocks if len(block) < BLOCK_YEARS]
        with scratch(job, "land.drought-exposure", ground.window()) as arrays:
            classes = arrays.array("years", np.int16, layers=len(years))
            worst = arrays.array("worst", np.int16, layers=len(blocks))
            areas, by_block = _classify(source, ground, arrays, blocks, classes, worst)
            tables = {"areas": areas, "worst": by_block}
            if groups:
                firsts: list[dict[str, object]] = [{"years": _span(b)} for b in blocks]
                tables["exposure"] = _people(source, arrays, groups, worst, firsts)
                yearly: list[dict[str, object]] = [{"year": year} for year in years]
                tables["exposure_yearly"] = _people(source, arrays, groups, classes, yearly)
            cells = {g.name: in_cells(g, mosaic, arrays) for g in groups}
            spread = severe_spread(
                source, ground, arrays.within, blocks[-1], int(job.number("draws")), with_all(cells)
            )
            if spread is None:
                findings.append(Finding("land-no-spread", Severity.INFO))
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
    given = job.inputs.get("vulnerability")
    if given:
        tables["vulnerability"] = read_vulnerability(given[0])
    names = (
        write_drought_forms(job.out, tables, years[-1]),
        write_drought_json(job.out, tables, area_of_interest(job, ground), years[-1]),
    )
    findings.append(Finding("land-exports", Severity.INFO, params={"files": ", ".join(names)}))
    return Outcome(
        values=_values(tables, blocks, spread), tables=tables, rasters=rasters, findings=findings
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


def _classify(
    source: Years,
    ground: Ground,
    arrays: Scratch,
    blocks: list[list[int]],
    classes: Codes,
    worst: Codes,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Classes of each year and of the worst year of each block, and their areas."""
    years = list(source.years)
    by_year = [ClassAreas(DROUGHT_CLASSES) for _ in years]
    by_block = [ClassAreas(DROUGHT_CLASSES) for _ in blocks]
    step = max(1, (1 << 23) // max(1, source.layers))
    for window in strips(arrays.within, step):
        index = source.index(window)
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
    spans: list[dict[str, object]] = [{"years": _span(block)} for block in blocks]
    return (
        _stacked(by_year, [{"year": year} for year in years]),
        _stacked(by_block, spans),
    )


def _stacked(areas: list[ClassAreas], firsts: list[dict[str, object]]) -> pd.DataFrame:
    named = [_named(one, first) for one, first in zip(areas, firsts, strict=True)]
    return pd.concat(named, ignore_index=True)


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
    source: Years,
    arrays: Scratch,
    groups: list[People],
    layers: Codes,
    firsts: list[dict[str, object]],
) -> pd.DataFrame:
    """People by class, each where the nearest cell of the drought's grid is."""

    def codes(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> list[Codes]:
        return [np.asarray(layer)[rows, columns] for layer in layers]

    sums = {
        group.name: by_class(group, source.mosaic, arrays, codes, exposed, NODATA)
        for group in groups
    }
    return people_table(with_all(sums), firsts, (*_NAMES, "nodata"), "class")


def _values(
    tables: dict[str, pd.DataFrame], blocks: list[list[int]], spread: Spread | None
) -> dict[str, Value]:
    """Land and people under severe or extreme drought in the last block."""
    by_block = tables["worst"]
    last = by_block[by_block["years"] == _span(blocks[-1])]
    hard = last["class"].isin(["severe", "extreme"])
    bounded = partial(_bounded, spread=spread)
    values = {
        "total_km2": Value(value=float(last["area_km2"].sum()), unit="km2"),
        "severe_km2": bounded(float(last.loc[hard, "area_km2"].sum()), "km2", ""),
    }
    exposure = tables.get("exposure")
    if exposure is not None:
        people = exposure[exposure["years"] == _span(blocks[-1])]
        hard = people["class"].isin(["severe", "extreme"])
        names = {"population": "people", "female": "female", "male": "male"}
        for group, name in names.items():
            if group in people:
                found = float(people.loc[hard, group].sum())
                values[f"severe_{name}"] = bounded(found, "people", group)
        if "population" in people:
            values["people"] = Value(value=float(people["population"].sum()), unit="people")
    if "vulnerability" in tables:
        dvi = tables["vulnerability"]
        whole = dvi[dvi["group"] == "total"] if (dvi["group"] == "total").any() else dvi
        latest = whole[whole["year"] == whole["year"].max()]["dvi"].mean()
        values["vulnerability"] = Value(value=None if np.isnan(latest) else float(latest), unit="1")
    return values


def _bounded(value: float, unit: str, group: str, spread: Spread | None) -> Value:
    """With the interval that drawing the calibration's years again gives."""
    ends = None if spread is None else spread.people.get(group) if group else spread.land
    if ends is None:
        return Value(value=value, unit=unit)
    return Value(value=value, unit=unit, low=ends[0], high=ends[1], level=LEVEL)


def _maps() -> Iterator[str]:
    """Names of the maps of the reports' blocks."""
    for start in range(2000, 2024, BLOCK_YEARS):
        yield f"worst_{start}_{start + BLOCK_YEARS - 1}"


_PEOPLE: Final = {
    **dict.fromkeys(GROUPS, "people"),
    **{f"{group}_percent": "%" for group in GROUPS},
}

LAND_EXPOSURE: Final = Indicator(
    id="land.drought-exposure",
    version="1",
    inputs=(
        Input("drought", "raster stack", noun="Coverage", required=False),
        Input("precipitation", "raster stack", noun="Coverage", required=False),
        *INPUTS,
        Input("vulnerability", "table", required=False),
    ),
    parameters=PARAMETERS,
    values={
        "total_km2": "km2",
        "severe_km2": "km2",
        "people": "people",
        "severe_people": "people",
        "severe_female": "people",
        "severe_male": "people",
        "vulnerability": "1",
    },
    tables={
        "areas": {"year": "year", "class": "1", "area_km2": "km2", "percent": "%"},
        "worst": {"years": "year", "class": "1", "area_km2": "km2", "percent": "%"},
        "exposure": {"years": "year", "class": "1", **_PEOPLE},
        "exposure_yearly": {"year": "year", "class": "1", **_PEOPLE},
        "vulnerability": {"year": "year", "group": "1", "dvi": "1"},
    },
    rasters=dict.fromkeys(_maps(), "1"),
    citations=(
        Citation("UNCCD (2025) PRAIS 4 reporting manual for the 2026 reporting process"),
        Citation("Barker et al. (2021) Good Practice Guidance, strategic objective 3, UNCCD"),
        Citation(
            "Carrao et al. (2016) Global Environmental Change 39, 108-124",
            "10.1016/j.gloenvcha.2016.04.012",
        ),
    ),
    compute=compute,
)
