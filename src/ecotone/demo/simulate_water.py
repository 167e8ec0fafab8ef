"""A year of the river in the laboratory: what is in the water, and what the instruments say."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter

from ecotone.demo.names import data_text, pollution
from ecotone.demo.stations import Stations, strength

YEAR: Final = 2024
_MEMORY: Final = 0.6  # correlation of one visit's departure with the next
_LOST: Final = 0.006  # share of results that came to nothing: broken bottles, frozen intakes


@dataclass(frozen=True)
class Water:
    """A laboratory's results, in standard units; one row per station, day and property.

    ``results`` has station (rank), day, property, unit, basis, true, value, limit, censored and
    lost. ``true`` is what was in the water; ``value`` what the laboratory measured.
    """

    stations: Stations
    results: pd.DataFrame


@functools.cache
def natural() -> pd.DataFrame:
    """Natural level and variation of each property, by name.

    ``spread`` is between stations, ``season`` a yearly wave with its top in January, ``weather``
    from visit to visit and ``noise`` of the laboratory; all relative (log scale).
    """
    text = io.StringIO(data_text("properties.csv"))
    return pd.read_csv(text, keep_default_na=False, dtype={"unit": str}).set_index("property")


def days_between(first: str, step: int) -> pd.DatetimeIndex:
    """Visits through the year, every ``step`` days."""
    return pd.date_range(first, f"{YEAR}-12-31", freq=f"{step}D")


def make_water(
    rng: np.random.Generator,
    stations: Stations,
    days: pd.DatetimeIndex,
    limits: dict[str, float],
    ranks: Sequence[int] | None = None,
) -> Water:
    """Sample a party's stations on these days for the properties of ``limits``.

    ``limits`` are the laboratory's detection limits in standard units, 0 where it has none;
    ``ranks`` chooses among the stations.
    """
    chosen = np.arange(len(stations)) if ranks is None else np.asarray(ranks)
    blocks = []
    for name, limit in limits.items():
        true = _in_the_water(rng, stations, days, name)[:, chosen]
        noise = natural().loc[name, "noise"]
        value = true * np.exp(noise * rng.standard_normal(true.shape))
        day, rank = np.indices(true.shape)
        blocks.append(
            pd.DataFrame(
                {
                    "station": chosen[rank.ravel()],
                    "day": days[day.ravel()],
                    "property": name,
                    "unit": natural().loc[name, "unit"],
                    "basis": natural().loc[name, "basis"],
                    "true": true.ravel(),
                    "value": value.ravel(),
                    "limit": limit,
                }
            )
        )
    results = pd.concat(blocks, ignore_index=True)
    results["censored"] = results["value"] < results["limit"]
    results["lost"] = rng.random(len(results)) < _LOST
    order = results.sort_values(["day", "station"], kind="stable")
    return Water(stations, order.reset_index(drop=True))


def _in_the_water(
    rng: np.random.Generator, stations: Stations, days: pd.DatetimeIndex, name: str
) -> NDArray[np.float64]:
    """The true level, days x stations: natural variation times what is let in."""
    told = natural().loc[name]
    shape = (len(days), len(stations))
    shocks = rng.standard_normal(shape) * np.sqrt(1 - _MEMORY**2)
    weather = lfilter([1.0], [1.0, -_MEMORY], shocks, axis=0)
    wave = np.cos(2 * np.pi * (days.day_of_year.to_numpy() - 15) / 366)[:, None]
    between = rng.standard_normal(len(stations))
    level = told["level"] * np.exp(
        told["spread"] * between + told["season"] * wave + told["weather"] * weather
    )
    for source in pollution(stations.party_id):
        if source.property == name:
            flows = np.isin(days.month, source.months)[:, None]
            level *= source.factor ** (flows * strength(stations, source))
    return np.asarray(level)
