"""How much of the oxygen that the water could hold each bottle has."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecotone.assess.indicators.matching import in_unit
from ecotone.assess.indicators.reading import Notes
from ecotone.science.water.oxygen import pressure_at, saturation

_KEYS = ["station", "bottle"]


def oxygen_saturation(results: pd.DataFrame, elevation: float, notes: Notes) -> pd.Series:
    """Percent of saturation by station and bottle: as measured, else of oxygen and temperature.

    ``elevation`` (m) gives the pressure of air that the computed ones stand under.
    """
    measured = _means(results, "dissolvedoxygensaturation", "%", notes)
    oxygen = _means(results, "dissolvedoxygen", "mg/L", notes)
    warmth = _means(results, "watertemperature", "degC", notes)
    both = pd.DataFrame({"oxygen": oxygen, "warmth": warmth}).dropna()
    holds = saturation(both["warmth"].to_numpy(np.float64), pressure=pressure_at(elevation))
    computed = 100 * both["oxygen"] / holds
    return measured.combine_first(computed)


def _means(results: pd.DataFrame, key: str, unit: str, notes: Notes) -> pd.Series:
    """Mean of what was measured of one property, by station and bottle."""
    own = results[(results["key"] == key) & (results["kind"] == 0)]
    parts = []
    for given, group in own.groupby("unit", dropna=False):
        told = "" if given is None or given != given else str(given)
        values = in_unit(group.assign(basis=""), told, "", key, unit, "", notes)
        if values is not None:
            parts.append(group[_KEYS].assign(number=values))
    if not parts:
        nothing = pd.MultiIndex.from_arrays([[], []], names=_KEYS)
        return pd.Series([], index=nothing, dtype=np.float64)
    return pd.concat(parts).groupby(_KEYS)["number"].mean()
