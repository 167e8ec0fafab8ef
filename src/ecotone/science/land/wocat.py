"""Land productivity dynamics after FAO and WOCAT: steadiness, initial biomass, change of state."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.land.lookup import NODATA, Codes
from ecotone.science.land.productivity import (
    RECENT,
    complete_pixels,
    decile_steps,
    line_slope,
    mean_productivity,
)
from ecotone.science.land.trend import TrendTest, mann_kendall

Floats = NDArray[np.float64]

#: The last of the 36 combinations that belongs to each of the classes 1 to 5.
_LAST: Final = (8, 14, 21, 30, 36)
_STABLE: Final = 4


def wocat_classes(
    means: ArrayLike,
    *,
    alpha: float = 0.05,
    biomass: tuple[float, float] = (0.4, 0.7),
    desert: float = 0.25,
    complete: float = 0.75,
    test: TrendTest | None = None,
) -> Codes:
    """Five classes of productivity by the FAO-WOCAT rules, as Trends.Earth arranges them.

    * steadiness 1 .. 4: falling, no or rising trend (Mann-Kendall p <= alpha, sign of the
      line), crossed with the sum over the years of the last three years' mean less each year
      (MTID), at most zero or above;
    * initial biomass 1 .. 3: mean of the first three years up to 0.4, up to 0.7, above;
    * state 1 .. 3: the last three years against the first three by the deciles of the whole
      period, two classes down, less than two, two classes up.

    Combination 9 (steadiness - 1) + 3 (state - 1) + biomass: up to 8 declining, 14 moderate
    decline, 21 stressed, 30 stable, 36 increasing; stable where even the greenest year is
    desert. Trends.Earth's test is its one-sided table, and its greenest is a composite, not a
    year. Garcia et al. (2024), doi:10.5281/zenodo.10849368.

    Args:
        means: (years, ...) yearly means of NDVI as a fraction, NaN = missing.
        alpha: level of the trend test.
        biomass: the two limits of initial NDVI.
        desert: NDVI that desert does not exceed.
        complete: share of the years that must have values.
        test: of ``mann_kendall`` on the same means, where it is known already.

    Returns:
        1 .. 5 or ``NODATA``.

    Raises:
        ValueError: fewer than 7 years.
    """
    values = np.asarray(means, dtype=np.float64)
    if values.shape[0] < 4 + RECENT:
        raise ValueError(f"productivity needs at least {4 + RECENT} years")
    trend = mann_kendall(values) if test is None else test
    line = line_slope(values)
    rising = np.where(trend.p <= alpha, np.sign(np.nan_to_num(line)), 0.0)
    first, last = mean_productivity(values[:RECENT]), mean_productivity(values[-RECENT:])
    valid = np.isfinite(values)
    towards = np.where(valid, last - np.where(valid, values, 0.0), 0.0).sum(axis=0)
    steadiness = 2 + rising.astype(np.int64) + (towards > 0)
    green = 1 + (first > biomass[0]).astype(np.int64) + (first > biomass[1])
    later, earlier = decile_steps(values, last, first)
    change = later - earlier
    state = np.where(change <= -2, 1, np.where(change >= 2, 3, 2))
    combination = 9 * (steadiness - 1) + 3 * (state - 1) + green
    classes = 1 + np.searchsorted(_LAST, combination)
    classes = np.where(np.fmax.reduce(values, axis=0) <= desert, _STABLE, classes)
    lacking = ~complete_pixels(values, complete) | np.isnan(first) | np.isnan(trend.s)
    out: Codes = np.where(lacking, NODATA, classes).astype(np.int16)
    return out
