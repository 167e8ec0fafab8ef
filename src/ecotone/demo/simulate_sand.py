"""A sand barrier of straw squares: the wind before and behind it, the soil and cover along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: What the barrier leaves of the wind behind it.
CALMED: Final = 0.78
#: Mean cover of the soil, percent, in the open and within the squares.
OPEN_COVER: Final = 6.0
BARRIER_COVER: Final = 31.0
_POINTS: Final = 24  # of each kind
_HOURS: Final = 3  # between two readings
_SHAPE: Final = 2.0  # of the Weibull distribution of speeds
_SCALE: Final = 6.2  # m/s at 10 m
_MEMORY: Final = 0.8  # correlation of the scores of two readings in a row
_SPREAD: Final = 0.035  # relative error of one reading
_DENSITY: Final = 348 * 1.013 / 288.15  # of air at the sea and 15 C, kg/m3
_FIELD: Final = 50.0  # m along the wind


@dataclass(frozen=True)
class Sand:
    """Two wind records and a transect.

    Attributes:
        wind: readings in the open: time, speed_ms, direction_deg.
        sheltered: readings behind the barrier, at the same times.
        points: of the transect: group, texture, cover.
        drift_reduction: what the barrier truly takes from the drift potential, percent.
        loss_reduction: what its cover truly takes from the soil's loss, percent.
    """

    wind: pd.DataFrame
    sheltered: pd.DataFrame
    points: pd.DataFrame
    drift_reduction: float
    loss_reduction: float


def make_sand(rng: np.random.Generator, year: int) -> Sand:
    """A year of wind and one transect across the barrier."""
    times = np.arange(f"{year}-01-01", f"{year + 1}-01-01", np.timedelta64(_HOURS, "h"),
                      dtype="datetime64[h]")  # fmt: skip
    speed = _weibull(_remembered(rng, times.size))
    direction = (300 + 35 * _remembered(rng, times.size)) % 360
    wind = _read(rng, times, speed, direction)
    sheltered = _read(rng, times, CALMED * speed, direction)
    long = _weibull(rng.standard_normal(400_000))
    drift = 100 * (1 - _potential(CALMED * long) / _potential(long))
    many = _transect(rng, 40_000)
    loss = _loss(many, speed).groupby(many["group"]).mean()
    reduction = 100 * (1 - loss["barrier"] / loss["control"])
    return Sand(wind, sheltered, _transect(rng, _POINTS), drift, float(reduction))


def _remembered(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Standard normal scores, each like the one before."""
    fresh = rng.standard_normal(size)
    scores = np.empty(size)
    last = 0.0
    for at, new in enumerate(fresh):
        last = scores[at] = _MEMORY * last + np.sqrt(1 - _MEMORY**2) * new
    return scores


def _weibull(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import log_ndtr

    return _SCALE * (-log_ndtr(-scores)) ** (1 / _SHAPE)


def _potential(speed: NDArray[np.float64]) -> float:
    """Mean of u^2 (u - 12) in knots: drift potential but for its factor."""
    knots = speed / 0.514444
    return float(np.where(knots > 12, knots**2 * (knots - 12), 0.0).mean())


def _read(
    rng: np.random.Generator,
    times: NDArray[np.datetime64],
    speed: NDArray[np.float64],
    direction: NDArray[np.float64],
) -> pd.DataFrame:
    error = 1 + _SPREAD * rng.standard_normal(times.size)
    return pd.DataFrame(
        {
            "time": np.datetime_as_string(times, unit="m"),
            "speed_ms": np.round(speed * error, 1),
            "direction_deg": np.round(direction / 10) * 10 % 360,
        }
    )


def _loss(points: pd.DataFrame, speed: NDArray[np.float64]) -> pd.Series:
    """Mean yearly loss of a field of 50 m by RWEQ, kg/m2, written out once more for the truth."""
    low = speed * 0.2 ** (1 / 7)
    weather = np.where(low > 5, low * (low - 5) ** 2, 0).mean() * 365 * _DENSITY / 9.8
    p = points
    erodible = (
        29.09 + 0.31 * p.sand_pct + 0.17 * p.silt_pct + 0.33 * p.sand_pct / p.clay_pct
        - 2.59 * p.om_pct - 0.95 * p.caco3_pct
    ) / 100  # fmt: skip
    crust = 1 / (1 + 0.0066 * p.clay_pct**2 + 0.021 * p.om_pct**2)
    product = weather * erodible * crust * np.exp(-0.0438 * p.flat_cover_pct)
    scale = 150.71 * product**-0.3711
    loss: pd.Series = 109.8 * product * (1 - np.exp(-((_FIELD / scale) ** 2))) / _FIELD
    return loss


def _transect(rng: np.random.Generator, each: int) -> pd.DataFrame:
    """Sites in the open and within the barrier, on the same sandy soil."""
    size = 2 * each
    group = np.repeat(["control", "barrier"], each)
    mean = np.where(group == "barrier", BARRIER_COVER, OPEN_COVER)
    clay = np.round(7 + 0.6 * rng.standard_normal(size), 1).clip(5.2)
    silt = np.round(13 + 1.2 * rng.standard_normal(size), 1)
    return pd.DataFrame(
        {
            "point": [f"{g[0].upper()}{n % each + 1:02d}" for n, g in enumerate(group)],
            "group": group,
            "sand_pct": np.round(100 - clay - silt, 1),
            "silt_pct": silt,
            "clay_pct": clay,
            "om_pct": np.round(0.55 + 0.06 * rng.standard_normal(size), 2).clip(0.2),
            "caco3_pct": np.round(4 + 0.5 * rng.standard_normal(size), 1),
            "flat_cover_pct": np.round(mean * np.exp(0.18 * rng.standard_normal(size)), 1),
        }
    )
