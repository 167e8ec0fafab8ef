"""Drought from monthly series: standardised precipitation (SPI) and water balance (SPEI)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gamma as gamma_function
from scipy.special import ndtri

from ecotone.science.land.gamma_scores import gamma_scores

Floats = NDArray[np.float64]
Zero = Literal["upper", "center", "stagge"]

#: What becomes of months without any rain, the default first.
ZEROS: Final[tuple[Zero, ...]] = ("upper", "center", "stagge")
#: Beyond this a probability differs from 0 or 1 by less than a double can tell.
LIMIT: Final = 8.21
#: Fewest years of a month in the calibration that carry a fit.
FEWEST: Final = 10


@dataclass(frozen=True)
class Standardised:
    """A standardised index and what it stands on.

    Attributes:
        index: (time, ...) no unit; NaN where there is none.
        parameters: of the fit, by name, each (12, ...), January first, NaN without a fit.
        dry: (time, ...) months whose sum is zero, where the convention decides.
    """

    index: Floats
    parameters: dict[str, Floats]
    dry: NDArray[np.bool_]


def month_sums(values: ArrayLike, scale: int) -> Floats:
    """Sums over each month and the ``scale`` - 1 before it.

    Each is summed anew, not by difference, so no small negative sums arise.

    Args:
        values: (time, ...) one value a month without leaps, NaN = missing.
        scale: months, 1 or more.

    Returns:
        Same shape; NaN where any month of a sum is missing or lies before the first.

    >>> month_sums([1.0, 2.0, np.nan, 4.0, 5.0], 2).tolist()
    [nan, 3.0, nan, nan, 9.0]
    """
    series = np.asarray(values, dtype=np.float64)
    if scale < 1:
        raise ValueError(f"the scale is 1 month or more, not {scale}")
    total = np.full(series.shape, np.nan)
    if series.shape[0] >= scale:
        whole = series.shape[0] - scale + 1
        sums = series[:whole].copy()
        for step in range(1, scale):
            sums += series[step : step + whole]
        total[scale - 1 :] = sums
    return total


def spi(
    precipitation: ArrayLike,
    months: ArrayLike,
    *,
    scale: int = 12,
    calibration: tuple[int, int] = (1981, 2010),
    zero: Zero = "upper",
) -> Standardised:
    """Standardised precipitation index: gamma by Thom's estimate, each calendar month apart.

    Sums of ``scale`` months that end in the same calendar month of the calibration years, n of
    them, n0 of which are zero, give::

        A     = ln(mean) - mean(ln)            of those above zero
        alpha = (1 + sqrt(1 + 4A/3)) / (4A),   beta = mean / alpha
        H     = q + (1 - q) G(x; alpha, beta)  with q = n0/n, for x above zero
        index = z of the standard normal with probability H

    A sum of zero has H = n0/n (``upper``), (n0+1)/(2n) (``center``) or (n0+1)/(2(n+1))
    (``stagge``); sums above zero are the same in all. Scores between -3.8 and 3.8 are within
    1e-6 of the exact function's (see ``gamma_scores``). McKee et al. (1993); Thom (1958),
    doi:10.1175/1520-0493(1958)086<0117:ANOTGD>2.0.CO;2; Stagge et al. (2015),
    doi:10.1002/joc.4267.

    Args:
        precipitation: (time, ...) mm a month, NaN = missing.
        months: (time,) ``datetime64``, month after month without leaps.
        scale: months summed.
        calibration: first and last year of those the fit stands on.
        zero: what becomes of sums of zero.

    Returns:
        The index. NaN where a month of the sum is missing; everywhere in a calendar month with
        fewer than 10 sums in the calibration, with all of them zero, or all the same.

    Raises:
        ValueError: negative precipitation, months with leaps, a parameter out of range.
    """
    if zero not in ZEROS:
        raise ValueError(f"zero must be one of {', '.join(ZEROS)}, not {zero!r}")
    values = np.asarray(precipitation, dtype=np.float64)
    if (values < 0).any():
        raise ValueError("precipitation below zero")
    sums = month_sums(values, scale)
    index = np.full(sums.shape, np.nan)
    shape = (12, *sums.shape[1:])
    fit = {name: np.full(shape, np.nan) for name in ("alpha", "beta", "zero_share")}
    for month, all_years, chosen in by_month(months, calibration):
        x = sums[all_years]
        alpha, beta, n, n0 = thom_fit(sums[chosen])
        q = n0 / np.maximum(n, 1)
        flat = x.reshape(x.shape[0], -1)
        score = gamma_scores(flat, alpha.ravel(), beta.ravel(), q.ravel(), LIMIT).reshape(x.shape)
        bottom = {"upper": q, "center": (n0 + 1) / (2 * np.maximum(n, 1)),
                  "stagge": (n0 + 1) / (2 * (n + 1.0))}[zero]  # fmt: skip
        dry = np.clip(ndtri(bottom), -LIMIT, LIMIT)
        index[all_years] = np.where((x == 0) & np.isfinite(alpha), dry, score)
        for name, value in (("alpha", alpha), ("beta", beta), ("zero_share", q)):
            fit[name][month] = np.where(np.isfinite(alpha), value, np.nan)
    return Standardised(index, fit, sums == 0)


def thom_fit(x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Shape and scale of the gamma, the number of sums and of those that are zero."""
    n = np.isfinite(x).sum(axis=0).astype(np.float64)
    wet = x > 0
    n_wet = wet.sum(axis=0)
    n0 = n - n_wet
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(wet, x, 0.0).sum(axis=0) / n_wet
        logs = np.log(np.where(wet, x, 1.0)).sum(axis=0) / n_wet
        a = np.log(mean) - logs
        alpha = (1 + np.sqrt(1 + 4 * a / 3)) / (4 * a)
        beta = mean / alpha
    # Equal sums leave A at zero but for the last bits; no distribution is fitted to a constant.
    none = (n < FEWEST) | (n_wet < 2) | ~(a > 1e-12)
    return np.where(none, np.nan, alpha), np.where(none, np.nan, beta), n, n0


def spei(
    balance: ArrayLike,
    months: ArrayLike,
    *,
    scale: int = 12,
    calibration: tuple[int, int] | None = None,
) -> Standardised:
    """Standardised precipitation-evapotranspiration index: three-parameter log-logistic.

    Sums of ``scale`` months of precipitation less potential evapotranspiration are fitted, each
    calendar month apart, by unbiased probability-weighted moments b0, b1, b2, as L-moments
    l1 = b0, l2 = 2 b1 - b0, t3 = (6 b2 - 6 b1 + b0)/l2::

        k = -t3,  a = l2 sin(k pi)/(k pi),  c = l1 - a (1/k - pi/sin(k pi))
        F = 1 / (1 + (1 - k (x - c)/a)^(1/k)),   index = z of the standard normal at F

    Vicente-Serrano et al. (2010), doi:10.1175/2009JCLI2909.1; Begueria et al. (2014),
    doi:10.1002/joc.3887; Hosking (1990), doi:10.1111/j.2517-6161.1990.tb01775.x.

    Args:
        balance: (time, ...) P - PET, mm a month, NaN = missing.
        months: (time,) ``datetime64``, month after month without leaps.
        scale: months summed.
        calibration: first and last year the fit stands on; all there are where left out.

    Returns:
        The index, NaN as in ``spi``; +-8.21 beyond the end of the fitted distribution.

    Raises:
        ValueError: months with leaps, a parameter out of range.
    """
    sums = month_sums(balance, scale)
    index = np.full(sums.shape, np.nan)
    shape = (12, *sums.shape[1:])
    fit = {name: np.full(shape, np.nan) for name in ("location", "scale", "shape")}
    for month, all_years, chosen in by_month(months, calibration):
        c, a, k = log_logistic_fit(sums[chosen])
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            y = (sums[all_years] - c) / a
            rest = np.maximum(1 - k * y, 0.0)
            odds = np.where(k == 0, np.exp(-y), rest ** (1 / np.where(k == 0, 1.0, k)))
            index[all_years] = np.clip(ndtri(1 / (1 + odds)), -LIMIT, LIMIT)
        for name, value in (("location", c), ("scale", a), ("shape", k)):
            fit[name][month] = value
    return Standardised(index, fit, np.zeros(sums.shape, dtype=np.bool_))


def log_logistic_fit(x: Floats) -> tuple[Floats, Floats, Floats]:
    """Location, scale and shape from unbiased probability-weighted moments."""
    ascending = np.sort(x, axis=0)
    n = np.isfinite(ascending).sum(axis=0).astype(np.float64)
    filled = np.where(np.isfinite(ascending), ascending, 0.0)
    rank = np.arange(x.shape[0], dtype=np.float64).reshape(-1, *[1] * (x.ndim - 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        b0 = filled.sum(axis=0) / n
        b1 = (filled * rank).sum(axis=0) / (n * (n - 1))
        b2 = (filled * rank * (rank - 1)).sum(axis=0) / (n * (n - 1) * (n - 2))
        l2 = 2 * b1 - b0
        k = -(6 * b2 - 6 * b1 + b0) / l2
        # Gamma(1+k) Gamma(1-k) is k pi / sin(k pi), finite at k = 0.
        both = gamma_function(1 + k) * gamma_function(1 - k)
        a = l2 / both
        c = np.where(k == 0, b0, b0 - a * (1 - both) / np.where(k == 0, 1.0, k))
    spread = np.where(np.isfinite(x), np.abs(x), 0.0).max(axis=0, initial=0.0)
    none = (n < FEWEST) | ~(l2 > 1e-12 * spread) | ~(np.abs(k) < 1)
    return tuple(np.where(none, np.nan, v) for v in (c, a, k))  # type: ignore[return-value]


def by_month(
    months: ArrayLike, calibration: tuple[int, int] | None
) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """For each calendar month: its places in time, and those in the calibration."""
    dates = np.asarray(months).astype("datetime64[M]")
    if dates.size == 0 or (np.diff(dates).astype(int) != 1).any():
        raise ValueError("months must follow one another without leaps")
    years = dates.astype("datetime64[Y]").astype(int) + 1970
    first, last = calibration or (int(years[0]), int(years[-1]))
    if last < first:
        raise ValueError("the calibration ends before it begins")
    number = dates.astype(int) % 12
    for month in range(12):
        here = np.flatnonzero(number == month)
        yield month, here, here[(years[here] >= first) & (years[here] <= last)]
