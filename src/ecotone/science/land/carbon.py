"""Soil organic carbon after changes of land cover, tier 1 of the IPCC, year by year."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.land.cover import ARTIFICIAL, CROP, GRASS, OTHER, TREE, WETLAND
from ecotone.science.land.lookup import DEGRADED, IMPROVED, NODATA, STABLE, Codes

Floats = NDArray[np.float64]

#: Years in which the stock passes to that of the new cover.
YEARS_OF_CHANGE: Final = 20
#: Share of the carbon that drained or drained-again land keeps.
_WETLAND_TO_CROP: Final = 0.71
_SEALED: Final = 0.1
_UNSEALED: Final = 2.0


def change_factors(initial: ArrayLike, final: ArrayLike, climate: ArrayLike) -> Floats:
    """The share of carbon that a change of land cover leaves in the end.

    Forest or grass to crop: the climate's factor f, and 1/f back; wetland to crop 0.71, and
    1/0.71 back; vegetation to artificial or other land 0.1; those to vegetation 2; any other
    change 1. IPCC (2006) Guidelines, volume 4; Good Practice Guidance for SDG 15.3.1.

    Args:
        initial: class of the UNCCD legend before.
        final: after, same shape.
        climate: f for crops, 0.48 .. 0.80 (see ``CLIMATE_FACTORS``), broadcast.

    Returns:
        Factors, same shape.

    >>> change_factors([1, 3, 2], [3, 1, 5], 0.8).tolist()
    [0.8, 1.25, 0.1]
    """
    a, b = np.asarray(initial), np.asarray(final)
    crop = np.asarray(climate, dtype=np.float64)
    wild = (TREE, GRASS)
    green = (TREE, GRASS, CROP, WETLAND)
    bare = (ARTIFICIAL, OTHER)
    factor = np.ones(np.broadcast_shapes(a.shape, b.shape, crop.shape))
    for where, value in (
        (np.isin(a, wild) & (b == CROP), crop),
        ((a == CROP) & np.isin(b, wild), 1 / crop),
        ((a == WETLAND) & (b == CROP), _WETLAND_TO_CROP),
        ((a == CROP) & (b == WETLAND), 1 / _WETLAND_TO_CROP),
        (np.isin(a, green) & np.isin(b, bare), _SEALED),
        (np.isin(a, bare) & np.isin(b, green), _UNSEALED),
    ):
        factor = np.where(where, value, factor)
    return factor


def carbon_stocks(stock: ArrayLike, cover: ArrayLike, climate: ArrayLike) -> Floats:
    """Soil carbon of every year from that of the first and the cover of each.

    A change between two years sets a straight line of 20 years from the stock there is then to
    that stock times the factor; a further change starts anew, also within the 20 years. A year
    whose cover is missing keeps the cover of the year before.

    Args:
        stock: t/ha in the first year, 0 to 30 cm, NaN = unknown.
        cover: (years, ...) classes of the UNCCD legend, year by year, ``NODATA`` = missing.
        climate: the climate's factor for crops, broadcast.

    Returns:
        (years, ...) t/ha; NaN where the first stock or the first cover is missing.

    >>> carbon_stocks([50.0], [[1], [3], [3]], 0.8).ravel().tolist()
    [50.0, 49.5, 49.0]
    """
    maps = np.asarray(cover)
    out = np.empty(maps.shape)
    out[0] = np.where(maps[0] == NODATA, np.nan, np.asarray(stock, dtype=np.float64))
    before = maps[0]
    step = np.zeros(maps.shape[1:])
    left = np.zeros(maps.shape[1:], dtype=np.int64)
    for year in range(1, maps.shape[0]):
        now = np.where(maps[year] == NODATA, before, maps[year])
        changed = now != before
        factor = change_factors(before, now, climate)
        step = np.where(changed, out[year - 1] * (1 - factor) / YEARS_OF_CHANGE, step)
        left = np.where(changed, YEARS_OF_CHANGE, left)
        out[year] = out[year - 1] - np.where(left > 0, step, 0.0)
        left = np.maximum(left - 1, 0)
        before = now
    return out


def carbon_change(first: ArrayLike, last: ArrayLike) -> Floats:
    """Change of the stock in percent of the first; NaN where that is not positive.

    Args:
        first: t/ha.
        last: t/ha.

    Returns:
        Percent.

    >>> carbon_change([50.0], [45.0]).tolist()
    [-10.0]
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(last, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        change: Floats = np.where(a > 0, 100 * (b - a) / a, np.nan)
    return change


def carbon_classes(percent: ArrayLike, limit: float = 10.0, *, inclusive: bool = True) -> Codes:
    """Degraded below minus the limit, improved above it.

    Args:
        percent: change of the stock.
        limit: percent.
        inclusive: whether exactly the limit counts: it does in Trends.Earth; the manual of
            the 2026 reports says "more than 10 %".

    Returns:
        -1, 0, 1, or ``NODATA`` where the change is NaN.

    >>> carbon_classes([-10.0]).tolist(), carbon_classes([-10.0], inclusive=False).tolist()
    ([-1], [0])
    """
    # Ten decimals: -10 % after fifteen yearly steps is -10 %, whatever the last bit says.
    change = np.round(np.asarray(percent, dtype=np.float64), 10)
    low = change <= -limit if inclusive else change < -limit
    high = change >= limit if inclusive else change > limit
    codes = np.where(low, DEGRADED, np.where(high, IMPROVED, STABLE))
    out: Codes = np.where(np.isnan(change), NODATA, codes).astype(np.int16)
    return out
