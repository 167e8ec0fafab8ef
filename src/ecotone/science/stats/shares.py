"""The interval of a share: how many of n trials, and what that says about the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv
from scipy.stats import norm

Floats = NDArray[np.float64]


def wilson(hits: ArrayLike, trials: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson's score interval of a share, close to its level on average.

    With f = hits/trials and z the normal quantile:
    (f + z^2/2n +- z sqrt(f(1-f)/n + z^2/4n^2)) / (1 + z^2/n).
    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Args:
        hits: number of trials that count, 0 .. trials; any shape.
        trials: number of trials, broadcast against ``hits``.
        level: confidence level, above 0 and below 1.

    Returns:
        Lower and upper end as shares, 0 .. 1; NaN where there are no trials or a count is NaN.

    Raises:
        ValueError: hits below 0 or above trials, or ``level`` out of range.

    >>> low, high = wilson(2, 10)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0567, 0.5098)
    """
    k, n = _counts(hits, trials, level)
    z = float(norm.ppf(0.5 + level / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = k / n
        middle = share + z * z / (2 * n)
        half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    # Rounding would leave the certain ends some 1e-17 off.
    return np.where(k == 0, 0.0 * low, low), np.where(k == n, 0.0 * high + 1.0, high)


def clopper_pearson(
    hits: ArrayLike, trials: ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats]:
    """The exact interval of a share, never below its level.

    low is the quantile (1-level)/2 of Beta(k, n-k+1), 0 for k = 0; high the quantile
    1-(1-level)/2 of Beta(k+1, n-k), 1 for k = n. Clopper and Pearson (1934),
    doi:10.1093/biomet/26.4.404.

    Args:
        hits: number of trials that count, 0 .. trials; any shape.
        trials: number of trials, broadcast against ``hits``.
        level: confidence level, above 0 and below 1.

    Returns:
        Lower and upper end as shares, 0 .. 1; NaN where there are no trials or a count is NaN.

    Raises:
        ValueError: hits below 0 or above trials, or ``level`` out of range.

    >>> low, high = clopper_pearson(2, 10)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0252, 0.5561)
    """
    k, n = _counts(hits, trials, level)
    tail = (1 - level) / 2
    unknown = np.isnan(k) | np.isnan(n) | (n == 0)
    with np.errstate(invalid="ignore"):
        low = np.where(k == 0, 0.0, betaincinv(np.maximum(k, 1), n - k + 1, tail))
        high = np.where(k == n, 1.0, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail))
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def _counts(hits: ArrayLike, trials: ArrayLike, level: float) -> tuple[Floats, Floats]:
    if not 0 < level < 1:
        raise ValueError(f"the confidence level must lie between 0 and 1, not {level}")
    k, n = np.broadcast_arrays(np.asarray(hits, np.float64), np.asarray(trials, np.float64))
    if np.any((k < 0) | (k > n)):
        raise ValueError("hits lie between 0 and the number of trials")
    return k, n
