"""WRTDS-K: daily estimates that keep to the samples beside them.

A sample that lies above the regression says that the days around it do too. The standardised
residuals are an autoregression of order one, known on sampled days; between them their
distribution is known in closed form, so that nothing is simulated. Zhang and Hirsch (2019),
doi:10.1029/2019WR025338.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from ecotone.science.water import wrtds_kernels as kernels
from ecotone.science.water.wrtds import Discharge, Samples, Surface

Floats = NDArray[np.float64]


def generalised(fitted: Surface, known: Samples, flow: Discharge, rho: float = 0.9) -> Floats:
    """Concentration of each day given the samples.

    With y and s the regression's ln concentration and scale on a day, z = (ln c - y)/s of the
    sampled days and rho the correlation of z from day to day, between two sampled days n
    apart and k days after the first::

        mean = [rho^k (1 - rho^(2(n-k))) z_1 + rho^(n-k) (1 - rho^(2k)) z_2]/(1 - rho^(2n))
        var  = (1 - rho^(2k)) (1 - rho^(2(n-k)))/(1 - rho^(2n))

    and the concentration is exp(y + s mean + s^2 var/2). Beyond the first and last sample the
    mean fades as rho^k. A non-detect counts with the mean of z below its limit; several samples
    of a day with their mean.

    Args:
        fitted: the surface.
        known: the samples; at least one.
        flow: daily discharge.
        rho: correlation from day to day, above 0 and below 1.

    Returns:
        mg/L for each day of ``flow``.

    Raises:
        ValueError: ``rho`` out of range, or no samples.
    """
    if not 0 < rho < 1:
        raise ValueError(f"the correlation lies between 0 and 1, not {rho}")
    if not known.times.size:
        raise ValueError("no samples to keep to")
    grid = fitted.grid()
    y, s = np.empty(flow.times.size), np.empty(flow.times.size)
    kernels.on_days(np.ascontiguousarray(fitted.estimates.y_hat), flow.flow, flow.times, grid, y)
    kernels.on_days(np.ascontiguousarray(fitted.estimates.se), flow.flow, flow.times, grid, s)
    row = np.searchsorted(flow.days, known.days)
    place, member = np.unique(row, return_inverse=True)
    z = _scores(known, y[row], s[row])
    z = np.bincount(member, z) / np.bincount(member)
    mean, variance = _between(flow.days.astype(np.int64), place, z, rho)
    return np.asarray(np.exp(y + s * mean + s**2 * variance / 2))


def _scores(known: Samples, y: Floats, s: Floats) -> Floats:
    """Standardised residual of each sample; of a censored one its mean within its bounds."""
    low, high = (known.low - y) / s, (known.high - y) / s
    at_low, at_high = (np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi)) for z in (low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        below = -np.exp(np.log(at_high) - log_ndtr(high))
        above = np.exp(np.log(at_low) - log_ndtr(-low))
        share = np.exp(log_ndtr(high)) - np.exp(log_ndtr(low))
        within = np.where(share > 1e-12, (at_low - at_high) / share, (low + high) / 2)
    return np.select(
        [known.kind == kernels.EXACT, known.kind == kernels.LEFT, known.kind == kernels.RIGHT],
        [low, below, above],
        within,
    )


def _between(
    day: NDArray[np.int64], place: NDArray[np.int64], z: Floats, rho: float
) -> tuple[Floats, Floats]:
    """Mean and variance of the residual of each day, given those at ``place``."""
    rows = np.arange(day.size)
    after = np.searchsorted(place, rows, side="left")
    before = np.searchsorted(place, rows, side="right") - 1
    first, last = np.maximum(before, 0), np.minimum(after, place.size - 1)
    since = (day - day[place[first]]).astype(np.float64)
    until = (day[place[last]] - day).astype(np.float64)
    ahead, behind = before < 0, after >= place.size
    fade, coming = rho ** np.abs(since), rho ** np.abs(until)
    whole = 1 - (fade * coming) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (fade * (1 - coming**2) * z[first] + coming * (1 - fade**2) * z[last]) / whole
        variance = (1 - fade**2) * (1 - coming**2) / whole
    sampled = place[first] == rows
    mean = np.select([sampled, ahead, behind], [z[first], coming * z[last], fade * z[first]], mean)
    variance = np.select(
        [sampled, ahead, behind], [np.zeros(rows.size), 1 - coming**2, 1 - fade**2], variance
    )
    return mean, variance
