"""``land.cover-change`` and ``land.soil-carbon``: what became of land cover, and of carbon."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_ground import Ground, open_on, strips
from ecotone.assess.indicators.land_maps import (
    LEGENDS,
    Carbon,
    Cover,
    climate_factor,
    open_cover,
    read_whole_numbers,
    two_maps,
    used_years,
)
from ecotone.assess.indicators.land_tables import (
    THREE,
    ClassAreas,
    degradation_values,
    shown_three,
    write_map,
)
from ecotone.formats.raster_classes import MapClass
from ecotone.model.errors import InputRefused, NotComputable
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.accuracy import adjusted_areas
from ecotone.science.land.carbon import carbon_change, carbon_classes
from ecotone.science.land.cover import CLIMATE_FACTORS, WATER
from ecotone.science.land.lookup import NODATA

_STATES: Final = ("degraded", "stable", "improved", "nodata")
#: Shown for classes of a legend that has no colours.
_GREY: Final = "#999999"


def cover_change(job: Job) -> Outcome:
    """Transitions between the first and the last map, and what they mean."""
    cover = open_cover(job)
    try:
        asked = _asked(job, cover)
        first, last = two_maps(cover, *asked)
        ground = Ground.of(cover.mosaic, job.region)
        within = ground.window()
        legend = cover.matrix.legend
        size = len(legend.codes) + 1
        transitions = np.zeros((size, size))
        states = ClassAreas((-1, 0, 1))
        for window in strips(within, 1 << 19):
            before, after = cover.maps(window, [first, last])
            km2 = ground.km2(window)
            transitions += cover.matrix.areas(before, after, km2)
            states.add(cover.matrix.of(before, after), km2)
        _not_empty(states)
        tags = {"indicator": "land.cover-change", "period": f"{first}/{last}"}
        rasters = {
            "change": write_map(
                job.out, "change", ground, within, partial(_shown_change, cover, (first, last)),
                THREE, tags,
            ),
            "cover": write_map(
                job.out, "cover", ground, within, partial(_last_map, cover, last),
                _legend(cover), tags,
            ),
        }  # fmt: skip
    finally:
        cover.mosaic.close()
    tables = {
        "transitions": _transition_table(cover, transitions),
        "extent": _extent_table(cover, transitions, (first, last)),
        "degradation": _state_table(states),
    }
    given = job.inputs.get("confusion")
    if given:
        tables["adjusted"] = _adjusted(cover, transitions.sum(axis=0), given[0])
    return Outcome(
        values=degradation_values(states),
        tables=tables,
        rasters=rasters,
        findings=used_years(asked, (first, last), "landcover"),
    )


def _adjusted(cover: Cover, mapped: NDArray[np.float64], path: Path) -> pd.DataFrame:
    """Areas of the last map by the sample of a confusion matrix, with their intervals."""
    legend = cover.matrix.legend
    counts = np.zeros((len(legend.codes), len(legend.codes)))
    for initial, final, count in read_whole_numbers(path, ("map", "reference", "count")):
        row, column = legend.positions([initial, final])
        if row < 0 or column < 0:
            raise InputRefused(
                say("assess.land.confusion", name=path.name, why=f"{initial:g}, {final:g}"),
                say("assess.land.confusion.do"),
            )
        counts[row, column] += count
    try:
        found = adjusted_areas(mapped[:-1], counts)
    except ValueError as error:
        raise InputRefused(
            say("assess.land.confusion", name=path.name, why=error),
            say("assess.land.confusion.do"),
        ) from error
    return pd.DataFrame(
        {
            "class": legend.codes,
            "name": legend.names,
            "mapped_km2": mapped[:-1],
            "area_km2": found.area,
            "se_km2": found.se,
            "low_km2": found.low,
            "high_km2": found.high,
            "users_accuracy": found.users,
            "producers_accuracy": found.producers,
        }
    )


def _asked(job: Job, cover: Cover) -> tuple[int, int]:
    start, end = job.parameters["start"], job.parameters["end"]
    return (
        start if isinstance(start, int) else cover.years[0],
        end if isinstance(end, int) else cover.years[-1],
    )


def _not_empty(states: ClassAreas) -> None:
    if states.none >= states.total:
        raise NotComputable(say("assess.land.nothing"), say("assess.land.nothing.do"))


def _shown_change(cover: Cover, years: tuple[int, int], window: Window) -> NDArray[np.int16]:
    return shown_three(cover.change(window, *years))


def _last_map(cover: Cover, year: int, window: Window) -> NDArray[np.int16]:
    """Places in the legend from 1, so that any codes fit a map of bytes."""
    codes = cover.maps(window, [year])[0]
    places = cover.matrix.legend.positions(codes)
    shown: NDArray[np.int16] = np.where(places < 0, NODATA, places + 1).astype(np.int16)
    return shown


def _legend(cover: Cover) -> dict[int, MapClass]:
    legend = cover.matrix.legend
    colors = legend.colors or (_GREY,) * len(legend.codes)
    return {
        number: MapClass(f"{code} {name}", color)
        for number, (code, name, color) in enumerate(
            zip(legend.codes, legend.names, colors, strict=True), start=1
        )
    }


def _transition_table(cover: Cover, areas: NDArray[np.float64]) -> pd.DataFrame:
    codes = [*cover.matrix.legend.codes, 0]
    total = areas.sum()
    rows = []
    for i, initial in enumerate(codes):
        for j, final in enumerate(codes):
            known = initial != 0 and final != 0
            rows.append(
                {
                    "initial": initial,
                    "final": final,
                    "effect": int(cover.matrix.effect[i, j]) if known else None,
                    "area_km2": float(areas[i, j]),
                    "percent": 100 * float(areas[i, j]) / total,
                }
            )
    table = pd.DataFrame(rows)
    return table.astype({"effect": "Int64"})


def _extent_table(cover: Cover, areas: NDArray[np.float64], years: tuple[int, int]) -> pd.DataFrame:
    legend = cover.matrix.legend
    return pd.DataFrame(
        {
            "class": [*legend.codes, 0],
            "name": [*legend.names, "No data"],
            "first_km2": areas.sum(axis=1),
            "last_km2": areas.sum(axis=0),
            "change_km2": areas.sum(axis=0) - areas.sum(axis=1),
            "first_year": years[0],
            "last_year": years[1],
        }
    )


def _state_table(states: ClassAreas) -> pd.DataFrame:
    table = states.table().rename(columns={"class": "state"})
    table["state"] = list(_STATES)
    return table


def soil_carbon(job: Job) -> Outcome:
    """Stocks of every year by class of the first cover, and the change between two years."""
    cover = open_cover(job)
    try:
        asked = _asked(job, cover)
        start, end = asked
        first = max(start, cover.years[0])
        two_maps(cover, first, end)
        stock = open_on(cover.mosaic, job.inputs["soc"])
        carbon = Carbon(stock, cover, climate_factor(job), first)
        ground = Ground.of(cover.mosaic, job.region)
        within = ground.window()
        limit, inclusive = job.number("limit"), bool(job.parameters["inclusive"])
        legend = cover.matrix.legend
        years = np.arange(first, end + 1)
        tonnes = np.zeros((years.size, len(legend.codes)))
        hectares = np.zeros(len(legend.codes))
        states = ClassAreas((-1, 0, 1))
        for window in strips(within, 1 << 17):
            km2 = ground.km2(window)
            series, maps = carbon.series(window, end)
            place = legend.positions(maps[0])
            known = np.isfinite(series[0]) & (place >= 0)
            area = np.broadcast_to(km2, known.shape)[known] * 100
            hectares += np.bincount(place[known], area, minlength=hectares.size)
            for number, layer in enumerate(series):
                tonnes[number] += np.bincount(
                    place[known], area * layer[known], minlength=hectares.size
                )
            codes = carbon_classes(carbon_change(series[0], series[-1]), limit, inclusive=inclusive)
            states.add(codes, km2)
        _not_empty(states)
        change = partial(_shown_carbon, carbon, (first, end), limit, inclusive)
        tags = {"indicator": "land.soil-carbon", "period": f"{first}/{end}"}
        rasters = {"change": write_map(job.out, "change", ground, within, change, THREE, tags)}
    finally:
        cover.mosaic.close()
    values = degradation_values(states)
    total = tonnes.sum(axis=1)
    values["stock_first"] = Value(value=float(total[0]), unit="t")
    values["stock_last"] = Value(value=float(total[-1]), unit="t")
    values["change_percent"] = Value(
        value=100 * float(total[-1] / total[0] - 1) if total[0] > 0 else None, unit="%"
    )
    return Outcome(
        values=values,
        tables={
            "stocks": _stock_table(cover, years, tonnes, hectares),
            "degradation": _state_table(states),
        },
        rasters=rasters,
        findings=used_years(asked, (first, end), "landcover"),
    )


def _shown_carbon(
    carbon: Carbon, years: tuple[int, int], limit: float, inclusive: bool, window: Window
) -> NDArray[np.int16]:
    return shown_three(carbon.change(window, years, limit, inclusive=inclusive))


def _stock_table(
    cover: Cover,
    years: NDArray[np.int64],
    tonnes: NDArray[np.float64],
    hectares: NDArray[np.float64],
) -> pd.DataFrame:
    legend = cover.matrix.legend
    return pd.DataFrame(
        [
            {
                "year": int(year),
                "class": code,
                "area_km2": float(hectares[at]) / 100,
                "stock_t": float(tonnes[number, at]),
                "mean_t_ha": float(tonnes[number, at] / hectares[at]) if hectares[at] else None,
            }
            for number, year in enumerate(years)
            for at, code in enumerate(legend.codes)
            if code != WATER
        ]
    )


_YEARS: Final = (
    Parameter("start", "integer", unit="year"),
    Parameter("end", "integer", unit="year"),
    Parameter("legend", "text", "unccd", choices=LEGENDS),
)
_AREAS: Final = {
    "total_km2": "km2",
    "degraded_km2": "km2",
    "stable_km2": "km2",
    "improved_km2": "km2",
    "nodata_km2": "km2",
    "degraded_percent": "%",
}

LAND_COVER_CHANGE: Final = Indicator(
    id="land.cover-change",
    version="1",
    inputs=(
        Input("landcover", "raster stack", noun="Coverage"),
        Input("nesting", "table", required=False),
        Input("transitions", "table", required=False),
        Input("confusion", "table", required=False),
    ),
    parameters=_YEARS,
    values=_AREAS,
    tables={
        "transitions": {
            "initial": "1", "final": "1", "effect": "1", "area_km2": "km2", "percent": "%",
        },
        "extent": {
            "class": "1", "name": "1", "first_km2": "km2", "last_km2": "km2",
            "change_km2": "km2", "first_year": "year", "last_year": "year",
        },
        "degradation": {"state": "1", "area_km2": "km2", "percent": "%"},
        "adjusted": {
            "class": "1", "name": "1", "mapped_km2": "km2", "area_km2": "km2", "se_km2": "km2",
            "low_km2": "km2", "high_km2": "km2", "users_accuracy": "1", "producers_accuracy": "1",
        },
    },
    rasters={"change": "1", "cover": "1"},
    citations=(
        Citation(
            "Sims et al. (2021) Good Practice Guidance, SDG Indicator 15.3.1, version 2, UNCCD"
        ),
        Citation("UNCCD (2025) PRAIS 4 reporting manual, tables 8 and 9"),
        Citation(
            "Olofsson et al. (2014) Remote Sensing of Environment 148, 42-57",
            "10.1016/j.rse.2014.02.015",
        ),
    ),
    compute=cover_change,
)  # fmt: skip
LAND_SOIL_CARBON: Final = Indicator(
    id="land.soil-carbon",
    version="1",
    inputs=(
        Input("soc", "raster"),
        Input("landcover", "raster stack", noun="Coverage"),
        Input("nesting", "table", required=False),
    ),
    parameters=(
        *_YEARS,
        Parameter("climate", "text", "temperate dry", choices=tuple(CLIMATE_FACTORS)),
        Parameter("limit", "number", 10.0, minimum=0.0, maximum=100.0, unit="%"),
        Parameter("inclusive", "boolean", False),
    ),
    values={**_AREAS, "stock_first": "t", "stock_last": "t", "change_percent": "%"},
    tables={
        "stocks": {
            "year": "year", "class": "1", "area_km2": "km2", "stock_t": "t", "mean_t_ha": "t/ha",
        },
        "degradation": {"state": "1", "area_km2": "km2", "percent": "%"},
    },
    rasters={"change": "1"},
    citations=(
        Citation("IPCC (2006) Guidelines for National Greenhouse Gas Inventories, volume 4"),
        Citation(
            "Sims et al. (2021) Good Practice Guidance, SDG Indicator 15.3.1, version 2, UNCCD"
        ),
    ),
    compute=soil_carbon,
)  # fmt: skip
