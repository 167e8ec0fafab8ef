"""A map judged by places somebody has seen: its accuracy, and areas corrected by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.crs import CRS

from ecotone.assess.indicators.land_ground import Ground
from ecotone.assess.indicators.land_table import read_numbers
from ecotone.assess.indicators.land_tables import ClassAreas
from ecotone.model.errors import InputRefused
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.accuracy import AdjustedAreas, adjusted_areas
from ecotone.science.land.lookup import NODATA

STATES: Final = {"degraded": -1, "stable": 0, "improved": 1}
_WORDS: Final = {
    **STATES,
    "-1": -1, "0": 0, "1": 1,
    "退化": -1, "稳定": 0, "改善": 1,
    "деградирована": -1, "деградация": -1, "стабильна": 0, "стабильно": 0, "улучшена": 1,
    "улучшение": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """Places in longitude and latitude, and the state found there (-1, 0, 1)."""

    name: str
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    state: NDArray[np.int16]


def read_sample(path: Path) -> Sample:
    """A table ``latitude, longitude, state``; InputRefused where a state is none we know."""
    names = ("latitude", "longitude")
    frame = read_numbers(path, names, (*names, "state"), texts=("state",)).frame
    told = frame["state"].str.casefold()
    unknown = sorted(set(told) - set(_WORDS))
    if unknown:
        raise InputRefused(
            say("assess.land.state", name=path.name, given=", ".join(unknown[:5])),
            say("assess.land.state.do", known=", ".join(STATES)),
        )
    places = frame[["longitude", "latitude"]].to_numpy(dtype=np.float64)
    if not np.isfinite(places).all():
        raise InputRefused(say("assess.land.place-missing", name=path.name))
    state: NDArray[np.int16] = np.array([_WORDS[text] for text in told], dtype=np.int16)
    return Sample(path.name, places[:, 0], places[:, 1], state)


@dataclass(frozen=True)
class Judged:
    """What a sample says of a map."""

    table: pd.DataFrame | None
    values: dict[str, Value]
    findings: list[Finding]
    accuracy: float | None


def judge(
    sample: Sample,
    ground: Ground,
    code_at: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.int16]],
    areas: ClassAreas,
) -> Judged:
    """Areas of degraded, stable and improved land by the sample, with intervals.

    Args:
        sample: a random sample of the region's land.
        ground: the map's grid and region.
        code_at: the map's state at rows and columns.
        areas: of the map.
    """
    row, column = _cells(sample, ground)
    inside = (row >= 0) & (row < ground.height) & (column >= 0) & (column < ground.width)
    code = np.full(row.size, NODATA, dtype=np.int16)
    code[inside] = code_at(row[inside], column[inside])
    known = code != NODATA
    findings = [
        Finding(
            "land-sample",
            Severity.INFO,
            params={"used": str(int(known.sum())), "left": str(int((~known).sum()))},
        )
    ]
    confusion = np.zeros((3, 3))
    np.add.at(confusion, (code[known] + 1, sample.state[known] + 1), 1)
    mapped = np.array([areas.of(state) for state in STATES.values()])
    try:
        found = adjusted_areas(mapped, confusion)
    except ValueError as error:
        findings.append(Finding("land-sample-small", Severity.WARNING, params={"why": str(error)}))
        return Judged(None, {}, findings, None)
    return Judged(_table(mapped, confusion, found), _values(found), findings, found.overall)


def _cells(sample: Sample, ground: Ground) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    from rasterio.warp import transform

    x, y = transform(CRS.from_epsg(4326), ground.crs, sample.longitude, sample.latitude)
    easting = np.asarray(x)
    turn = ground.crs.is_geographic and ground.transform.c + ground.width * ground.transform.a > 180
    if turn:
        easting = np.where(easting < ground.transform.c, easting + 360, easting)
    column, row = ~ground.transform * (easting, np.asarray(y))
    return np.floor(row).astype(np.intp), np.floor(column).astype(np.intp)


def _table(
    mapped: NDArray[np.float64], confusion: NDArray[np.float64], found: AdjustedAreas
) -> pd.DataFrame:
    names = list(STATES)
    counts = {f"found_{name}": confusion[:, at].astype(int) for at, name in enumerate(names)}
    return pd.DataFrame(
        {
            "state": names,
            "mapped_km2": mapped,
            "area_km2": found.area,
            "area_km2_low": found.low,
            "area_km2_high": found.high,
            "se_km2": found.se,
            "users_accuracy": found.users,
            "producers_accuracy": found.producers,
            **counts,
        }
    )


def _values(found: AdjustedAreas) -> dict[str, Value]:
    values = {
        f"{name}_adjusted_km2": Value(
            value=float(found.area[at]),
            unit="km2",
            se=float(found.se[at]),
            low=float(found.low[at]),
            high=float(found.high[at]),
            level=found.level,
        )
        for at, name in enumerate(STATES)
        if name != "stable"
    }
    return {**values, "accuracy_percent": Value(value=100 * found.overall, unit="%")}
