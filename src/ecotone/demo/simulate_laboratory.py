"""A year of Velmara's laboratory and of a sonde, with what went wrong; twenty years of one station.

Planted: a batch whose arsenic came from a dirty bottle of acid (its blank shows it), samples whose
way to the laboratory is broken, a sonde that drifts between its calibrations, and nitrate that
rises year by year.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter

from ecotone.demo.simulate_water import YEAR, Water
from ecotone.demo.stations import Stations

#: What is measured in the laboratory; the rest is read at the river.
PROPERTIES: Final = ("nitrate", "ammonium", "arsenic", "lead")
DIRTY: Final = 27  #: the batch with the dirty acid
ACID: Final = 0.06  #: arsenic it brought into every bottle, mg/L
LATE: Final = 40  #: the batch that waited for five days
#: Samples whose way is broken, and how: batch, rank of the station, what happened.
BROKEN: Final = (
    (8, 3, "seal"), (8, 4, "seal"), (15, 9, "hands"), (22, 1, "hands"), (31, 12, "lost"),
    (36, 6, "clock"), (44, 2, "warm"),
)  # fmt: skip
#: Of these a court would not pass over, by ``model.custody``: all but the warm and the lost one.
BREAKING: Final = 5
SONDE: Final = 6  #: rank of the station with the sonde
DRIFT: Final = 0.12  #: share by which it reads too much before each visit
VISITS: Final = ("2024-01-02", "2024-04-24", "2024-08-20", "2024-12-28")
STEP_H: Final = 3
TREND: Final = 0.045  #: nitrate of the long record, mg/L as N a year
HISTORY: Final = (2005, YEAR)
LONG: Final = 9  #: rank of the station with the long record


@dataclass(frozen=True)
class Laboratory:
    """What the laboratory and its network really saw.

    ``water`` is the year as measured, with ``batch``; ``controls`` has batch, kind, property,
    expected, value, of (row of the doubled result, -1); ``bottles`` has batch, station, day and
    what happened; ``sonde`` time, true, value; ``history`` day, value.
    """

    water: Water
    controls: pd.DataFrame
    bottles: pd.DataFrame
    sonde: pd.DataFrame
    history: pd.DataFrame


def make_laboratory(rng: np.random.Generator, water: Water) -> Laboratory:
    """The laboratory's side of a year of results, made after the river itself."""
    rows = water.results.copy()
    days = np.sort(rows["day"].unique())
    inside = rows["property"].isin(PROPERTIES)
    rows["batch"] = np.where(inside, np.searchsorted(days, rows["day"]) + 1, 0)
    spoilt = (rows["batch"] == DIRTY) & (rows["property"] == "arsenic")
    rows.loc[spoilt, "value"] += ACID
    rows["censored"] = rows["value"] < rows["limit"]
    measured = replace(water, results=rows)
    return Laboratory(
        measured, _controls(rng, rows), _bottles(rows), _sonde(rng, water.stations), _history(rng)
    )


def _controls(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """For each batch and property a blank, a control sample and a duplicate of one bottle."""
    own = rows[(rows["batch"] > 0) & ~rows["lost"]]
    pairs = own.groupby(["batch", "property"], sort=True)["limit"].first().reset_index()
    noise = {"nitrate": 0.03, "ammonium": 0.04, "arsenic": 0.04, "lead": 0.05}
    spread = pairs["property"].map(noise).to_numpy()
    blank = pairs["limit"] * 0.4 * rng.random(len(pairs))
    dirty = (pairs["batch"] == DIRTY) & (pairs["property"] == "arsenic")
    blank = blank.where(~dirty, ACID * (1 + 0.05 * rng.standard_normal(len(pairs))))
    expected = 20 * pairs["limit"]
    found = expected * (1 + spread * rng.standard_normal(len(pairs)))
    found = found.where(~dirty, found + ACID)
    strong = own[own["value"] > 5 * own["limit"]]
    doubled = strong.groupby(["batch", "property"], sort=True).head(1)
    again = doubled["value"] * (1 + 0.05 * rng.standard_normal(len(doubled)))
    return pd.concat(
        [
            pairs.assign(kind="method blank", expected=np.nan, value=blank, of=-1),
            pairs.assign(kind="control sample", expected=expected, value=found, of=-1),
            doubled[["batch", "property", "limit"]].assign(
                kind="laboratory duplicate", expected=np.nan, value=again, of=doubled.index
            ),
        ],
        ignore_index=True,
    )


def _bottles(rows: pd.DataFrame) -> pd.DataFrame:
    own = rows[rows["batch"] > 0].drop_duplicates(["batch", "station"])
    bottles = own[["batch", "station", "day"]].reset_index(drop=True)
    happened = {(batch, station): what for batch, station, what in BROKEN}
    keys = zip(bottles["batch"], bottles["station"], strict=True)
    return bottles.assign(happened=[happened.get((int(b), int(s)), "") for b, s in keys])


def _sonde(rng: np.random.Generator, stations: Stations) -> pd.DataFrame:
    """Conductivity every three hours; the error grows faster and faster until the next visit."""
    time = pd.date_range(f"{YEAR}-01-03", f"{YEAR}-12-27", freq=f"{STEP_H}h")
    day = time.day_of_year.to_numpy()
    slow = np.cumsum(rng.standard_normal(len(time))) * 0.004
    slow -= np.linspace(slow[0], slow[-1], len(time))
    true = 430 * np.exp(-0.12 * np.cos(2 * np.pi * (day - 15) / 366) + slow)
    value = true * (1 + DRIFT * drifted(time) ** 1.3)
    return pd.DataFrame({"time": time, "true": true, "value": value})


def drifted(time: pd.DatetimeIndex) -> NDArray[np.float64]:
    """How far between two visits, 0 to 1."""
    visits = pd.DatetimeIndex(VISITS).astype("datetime64[ns]").astype("int64").to_numpy()
    at = time.astype("datetime64[ns]").astype("int64").to_numpy()
    before = np.searchsorted(visits, at, side="right") - 1
    share: NDArray[np.float64] = (at - visits[before]) / (visits[before + 1] - visits[before])
    return share


def _history(rng: np.random.Generator) -> pd.DataFrame:
    """Nitrate of one station each month for twenty years; months follow one another a little."""
    months = pd.date_range(f"{HISTORY[0]}-01-15", f"{HISTORY[1]}-12-15", freq="MS") + pd.Timedelta(
        days=14
    )
    shocks = rng.standard_normal(len(months))
    noise = lfilter([1.0], [1.0, -0.3], shocks)
    years = (months.year - HISTORY[0] + (months.month - 0.5) / 12).to_numpy()
    season = 0.3 * np.cos(2 * np.pi * (months.month.to_numpy() - 2) / 12)
    return pd.DataFrame({"day": months, "value": 1.4 + TREND * years + season + 0.18 * noise})
