"""Vegetation less what rain explains: residual trends and rain-use efficiency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RainResiduals:
    """What is left of yearly vegetation once its line on rain is taken off.

    Attributes:
        residual: (years, ...) in the unit of the vegetation.
        slope: of vegetation on rain.
        r: their correlation, -1 .. 1.
        p: two-sided p of the correlation, 0 .. 1.
        valid: where the residuals may be used: the line is significant and rises.
    """

    residual: Floats
    slope: Floats
    r: Floats
    p: Floats
    valid: NDArray[np.bool_]


def rain_residuals(vegetation: ArrayLike, rain: ArrayLike, alpha: float = 0.05) -> RainResiduals:
    """Residuals of the least-squares line of vegetation on rain (RESTREND).

    Their trend (``mann_kendall`` on ``residual``) tells of land, not of weather, only where
    vegetation follows rain at all: Wessels et al. (2012), doi:10.1016/j.rse.2012.06.022;
    Evans and Geerken (2004), doi:10.1016/S0140-1963(03)00121-6.

    Args:
        vegetation: (years, ...) such as mean NDVI, NaN = missing.
        rain: the same shape, mm.
        alpha: level at which the line counts as significant.

    Returns:
        The residuals, NaN where either is missing, or rain is the same in all years.

    Raises:
        ValueError: shapes that differ, or fewer than four years.
    """
    y, x = np.asarray(vegetation, dtype=np.float64), np.asarray(rain, dtype=np.float64)
    if y.shape != x.shape or y.shape[0] < 4:
        raise ValueError("vegetation and rain need the same shape and at least four years")
    both = np.isfinite(y) & np.isfinite(x)
    n = both.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        dx = np.where(both, x - np.where(both, x, 0.0).sum(axis=0) / n, 0.0)
        dy = np.where(both, y - np.where(both, y, 0.0).sum(axis=0) / n, 0.0)
        sxx, syy, sxy = (dx**2).sum(axis=0), (dy**2).sum(axis=0), (dx * dy).sum(axis=0)
        slope = np.where((sxx > 0) & (n >= 4), sxy / sxx, np.nan)
        r = np.clip(sxy / np.sqrt(sxx * syy), -1.0, 1.0)
        t = np.abs(r) * np.sqrt((n - 2) / np.maximum(1 - r**2, 1e-300))
        p = 2 * stdtr(np.maximum(n - 2, 1).astype(np.float64), -t)
    r, p = (np.where(np.isnan(slope), np.nan, v) for v in (r, p))
    residual = np.where(both, dy - slope * dx, np.nan)
    return RainResiduals(residual, slope, r, p, (p <= alpha) & (slope > 0))


def rain_use(vegetation: ArrayLike, rain: ArrayLike, least: float = 1.0) -> Floats:
    """Rain-use efficiency: vegetation over rain, year by year; with evaporation, water use.

    Le Houerou (1984), Journal of Arid Environments 7, 213-247.

    Args:
        vegetation: such as the yearly sum of NDVI.
        rain: mm, or actual evapotranspiration for water-use efficiency.
        least: mm below which the ratio says nothing.

    Returns:
        Per mm; NaN below ``least``.

    >>> rain_use([2.0, 3.0], [400.0, 0.5]).tolist()
    [0.005, nan]
    """
    x = np.asarray(rain, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.asarray(vegetation, dtype=np.float64) / x
    use: Floats = np.where(x >= least, ratio, np.nan)
    return use
