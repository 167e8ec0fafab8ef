"""Mean, spread and median of results of which some are only known to lie below a limit.

Three estimators that never put a number in the place of a non-detect: Kaplan-Meier (no
distribution assumed), regression on order statistics (the detected ones set a lognormal line)
and maximum likelihood (lognormal throughout). Helsel (2012), doi:10.1002/9781118162729.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtri

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Above this share of non-detects only the proportion and the maximum can be defended.
TENUOUS: Final = 0.8
_ITERATIONS: Final = 200
_HALVINGS: Final = 60
_STILL: Final = 1e-13


@dataclass(frozen=True)
class CensoredSummary:
    """What is known of a population sampled with non-detects.

    Attributes:
        n: number of results used.
        censored: how many of them are non-detects.
        mean: mean, unit of the values.
        sd: standard deviation, same unit.
        median: median, same unit; NaN where it lies below all that was detected.
        se: standard error of the mean, same unit.
        dropped: non-detects left out because their limit lies above every detected value, where
            they say nothing (regression on order statistics only).
    """

    n: int
    censored: int
    mean: float
    sd: float
    median: float
    se: float
    dropped: int = 0


def kaplan_meier(values: ArrayLike, censored: ArrayLike) -> CensoredSummary:
    """Summary by the Kaplan-Meier distribution of left-censored results.

    Below the k-th largest detected value x lies the share F(x-) = product over detected
    values y >= x of (1 - d_y/r_y), with d_y results equal to y and r_y results at or below
    it (a non-detect ``< y`` counts as at y). The mean places the share that is left below
    the lowest detected value *at* that value; its standard error is Greenwood's, widened by
    m/(m - 1) for m detected results; sd = se sqrt(n). These are the conventions of NADA.
    Kaplan and Meier (1958), doi:10.2307/2281868.

    Args:
        values: results of any unit, or the limit of those that are non-detects; NaN = no result.
        censored: whether each is a non-detect; same length.

    Returns:
        The summary. The median is NaN where at least half lies below the lowest detected
        value; sd and se are NaN with fewer than two detected results.

    Raises:
        ValueError: lengths that differ, an infinite value, or nothing detected.

    >>> summary = kaplan_meier([1, 1, 2, 3, 4], [True, False, False, False, False])
    >>> round(summary.mean, 4), summary.median
    (2.2, 2.0)
    """
    x, hidden = results(values, censored)
    level, below, risk, count = distribution(x, hidden)
    before = np.concatenate(([1.0], below[:-1]))
    mean = float(np.sum(level * (before - below)) + level[-1] * below[-1])
    steps = np.append(np.diff(level) * below[:-1], 0.0)
    left = np.cumsum(steps[::-1])[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.where(risk > count, count / (risk * (risk - count)), 0.0)
    detected = int(count.sum())
    variance = float(np.sum(left[:-1] ** 2 * greenwood[:-1]))
    se = float(np.sqrt(variance * detected / (detected - 1))) if detected > 1 else np.nan
    return CensoredSummary(
        n=x.size,
        censored=int(hidden.sum()),
        mean=mean,
        sd=se * float(np.sqrt(x.size)),
        median=quantile(values, censored, 0.5),
        se=se,
    )


def quantile(values: ArrayLike, censored: ArrayLike, probability: float) -> float:
    """The smallest detected value with at least ``probability`` of the results at or below it.

    Args:
        values: as in ``kaplan_meier``.
        censored: as in ``kaplan_meier``.
        probability: above 0 and below 1.

    Returns:
        The quantile in the unit of the values; NaN where it lies below every detected value.

    Raises:
        ValueError: as ``kaplan_meier``, or a probability out of range.

    >>> quantile([1, 1, 2, 3, 4], [True, False, False, False, False], 0.75)
    3.0
    """
    if not 0 < probability < 1:
        raise ValueError(f"a probability lies between 0 and 1, not {probability}")
    level, below, _, _ = distribution(*results(values, censored))
    # Products of shares such as 0.5 come out a few last bits off.
    under = np.flatnonzero(below < probability * (1 - 1e-12))
    return float(level[under[0]]) if under.size else float("nan")


def distribution(x: Floats, hidden: Bools) -> tuple[Floats, Floats, Floats, Floats]:
    """The Kaplan-Meier distribution at each different detected value, largest first.

    Args:
        x: results or limits, without NaN.
        hidden: which are non-detects; at least one is not.

    Returns:
        The detected values, the share below each, results at or below each, and detected
        results equal to each.
    """
    ascending, counts = np.unique(x[~hidden], return_counts=True)
    level = ascending[::-1]
    count: Floats = counts[::-1].astype(np.float64)
    risk: Floats = np.searchsorted(np.sort(x), level, side="right").astype(np.float64)
    below: Floats = np.cumprod(1.0 - count / risk, dtype=np.float64)
    return level, below, risk, count


def ros(values: ArrayLike, censored: ArrayLike) -> CensoredSummary:
    """Summary by robust regression on order statistics, lognormal below the limits.

    Each result gets a plotting position (``plotting_positions``); a straight line through
    the logarithms of the detected ones against the normal scores of their positions gives
    the non-detects their likely values, and all together are summarised. The standard error
    is sd/sqrt(n). Helsel and Cohn (1988), doi:10.1029/WR024i012p01997.

    Args:
        values: results above 0 of any unit, or the limit of non-detects; NaN = no result.
        censored: whether each is a non-detect; same length.

    Returns:
        The summary; non-detects with a limit above every detected value are left out and
        counted in ``dropped``.

    Raises:
        ValueError: as ``kaplan_meier``; a value that is not above 0; or fewer than two
            different detected values.

    >>> summary = ros([1, 2, 1, 3, 4, 6], [True, True, False, False, False, False])
    >>> round(summary.mean, 6), summary.median
    (2.525297, 2.0)
    """
    x, hidden = results(values, censored, positive=True)
    kept = ~hidden | (x <= x[~hidden].max())
    dropped = int(np.sum(~kept))
    order = np.argsort(x[kept], kind="stable")
    x, hidden = x[kept][order], hidden[kept][order]
    if np.unique(x[~hidden]).size < 2:
        raise ValueError("a line needs at least two different detected values")
    score = ndtri(plotting_positions(x, hidden))
    slope, intercept = _line(score[~hidden], np.log(x[~hidden]))
    filled = np.where(hidden, np.exp(intercept + slope * score), x)
    sd = float(np.std(filled, ddof=1))
    return CensoredSummary(
        n=x.size,
        censored=int(hidden.sum()),
        mean=float(filled.mean()),
        sd=sd,
        median=float(np.median(filled)),
        se=sd / float(np.sqrt(x.size)),
        dropped=dropped,
    )


def plotting_positions(x: Floats, hidden: Bools) -> Floats:
    """Plotting positions of results with several detection limits.

    With limits L_1 < L_2 < ..., A_j detected results in [L_j, L_(j+1)) and B_j results known
    to lie below L_j, the share above L_j is p_j = p_(j+1) + A_j/(A_j + B_j) (1 - p_(j+1)).
    The i-th of the A_j detected has 1 - p_j + (p_j - p_(j+1)) i/(A_j + 1), the i-th of the
    C_j non-detects ``< L_j`` has (1 - p_j) i/(C_j + 1). Without non-detects: (i - a)/(n + 1 -
    2a), a = 3/8 up to ten results, else 1/2. Helsel and Cohn (1988).

    Args:
        x: results or limits, ascending.
        hidden: which are non-detects.

    Returns:
        One position per result, above 0 and below 1.
    """
    if not hidden.any():
        a = 0.375 if x.size <= 10 else 0.5
        even: Floats = (np.arange(1, x.size + 1, dtype=np.float64) - a) / (x.size + 1 - 2 * a)
        return even
    detected = x[~hidden]
    limits = np.unique(x[hidden])
    if detected[0] < limits[0]:
        limits = np.concatenate(([-np.inf], limits))
    starts = np.searchsorted(detected, limits, side="left")
    ends = np.append(starts[1:], detected.size)
    lower = np.searchsorted(x[hidden], limits, side="right") + starts
    above = np.zeros(limits.size + 1)
    for j in range(limits.size - 1, -1, -1):
        among = ends[j] - starts[j]
        share = among / (among + lower[j]) if among + lower[j] else 0.0
        above[j] = above[j + 1] + share * (1.0 - above[j + 1])
    position = np.empty(x.size)
    at = np.searchsorted(limits, detected, side="right") - 1
    rank = np.arange(detected.size) - starts[at] + 1
    width = (above[at] - above[at + 1]) / (ends - starts + 1)[at]
    position[~hidden] = 1 - above[at] + width * rank
    at = np.searchsorted(limits, x[hidden], side="right") - 1
    first = np.searchsorted(x[hidden], limits, side="left")
    last = np.searchsorted(x[hidden], limits, side="right")
    rank = np.arange(int(hidden.sum())) - first[at] + 1
    position[hidden] = (1 - above[at]) * rank / (last - first + 1)[at]
    return position


def mle_lognormal(values: ArrayLike, censored: ArrayLike) -> CensoredSummary:
    """Summary by maximum likelihood, the results lognormal throughout.

    The likelihood has the normal density of ln x for a detected result and the normal
    probability below ln L for ``< L``. With m and s its largest point: median exp(m), mean
    exp(m + s^2/2), sd sqrt(exp(2m + s^2)(exp(s^2) - 1)); the standard error of the mean by
    the delta method from the curvature. Cohen (1959), doi:10.1080/00401706.1959.10489859.

    Args:
        values: as in ``ros``.
        censored: as in ``ros``.

    Returns:
        The summary.

    Raises:
        ValueError: as ``kaplan_meier``; a value that is not above 0; no spread (then the
            likelihood has no largest point); or no convergence.

    >>> summary = mle_lognormal([1, 1, 2, 4, 8], [True, False, False, False, False])
    >>> round(summary.median, 4), round(summary.mean, 4)
    (2.0539, 3.2751)
    """
    x, hidden = results(values, censored, positive=True)
    log = np.log(x)
    if np.unique(log[~hidden]).size < 2:
        raise ValueError("the detected results have no spread to fit a distribution to")
    m, s, cov = _fit_normal(log, hidden)
    mean = float(np.exp(m + s * s / 2))
    gradient = mean * np.array([1.0, s * s])
    return CensoredSummary(
        n=x.size,
        censored=int(hidden.sum()),
        mean=mean,
        sd=float(np.sqrt(np.exp(2 * m + s * s) * np.expm1(s * s))),
        median=float(np.exp(m)),
        se=float(np.sqrt(gradient @ cov @ gradient)),
    )


def results(
    values: ArrayLike, censored: ArrayLike, *, positive: bool = False
) -> tuple[Floats, Bools]:
    """Results without the missing ones, or a ValueError that says what is wrong with them.

    Args:
        values: results or limits; NaN = no result.
        censored: whether each is a non-detect.
        positive: whether every value must lie above 0.

    Returns:
        Values and flags, NaN left out.
    """
    x, hidden = np.asarray(values, np.float64), np.asarray(censored, np.bool_)
    if x.ndim != 1 or x.shape != hidden.shape:
        raise ValueError("one flag is needed for each value, in one row")
    known = ~np.isnan(x)
    x, hidden = x[known], hidden[known]
    if np.isinf(x).any():
        raise ValueError("a value is infinite")
    if not x.size:
        raise ValueError("there are no results")
    if not np.any(~hidden):
        raise ValueError("nothing was detected: only the limits are known")
    if positive and np.any(x <= 0):
        raise ValueError("logarithms need values above 0")
    return x, hidden


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and intercept of the least-squares line."""
    dx = x - x.mean()
    slope = float(dx @ (y - y.mean()) / (dx @ dx))
    return slope, float(y.mean() - slope * x.mean())


def _fit_normal(log: Floats, hidden: Bools) -> tuple[float, float, Floats]:
    """Mean and sd of the largest likelihood, and the covariance of (mean, ln sd)."""
    point = np.array([log[~hidden].mean(), np.log(log.std() + 1e-8)])
    value, slope, curve = _normal_likelihood(point, log, hidden)
    for _ in range(_ITERATIONS):
        step = _uphill(slope, curve)
        for _ in range(_HALVINGS):
            trial = point + step
            there = _normal_likelihood(trial, log, hidden)
            if there[0] >= value - 1e-12 * abs(value):
                break
            step = step / 2
        point, (value, slope, curve) = trial, there
        if np.all(np.abs(step) < _STILL * (1 + np.abs(point))):
            break
    else:
        raise ValueError("the likelihood has no largest point to be found")
    cov: Floats = np.linalg.inv(-curve).astype(np.float64)
    return float(point[0]), float(np.exp(point[1])), cov


def _uphill(slope: Floats, curve: Floats) -> Floats:
    """Newton's step, turned uphill where the likelihood is not yet round."""
    size, axes = np.linalg.eigh(curve)
    return np.asarray(axes @ ((axes.T @ slope) / np.maximum(np.abs(size), 1e-10)))


def _normal_likelihood(point: Floats, log: Floats, hidden: Bools) -> tuple[float, Floats, Floats]:
    """Log-likelihood, its gradient and Hessian in (mean, ln sd)."""
    s = float(np.exp(point[1]))
    z = (log - point[0]) / s
    seen, under = z[~hidden], z[hidden]
    log_below = log_ndtr(under)
    # Mills' ratio phi/Phi; its derivative is -h (z + h).
    h = np.exp(-0.5 * under**2 - 0.5 * np.log(2 * np.pi) - log_below)
    value = float(np.sum(-0.5 * seen**2) - seen.size * point[1] + log_below.sum())
    slope = np.array(
        [(seen.sum() - h.sum()) / s, np.sum(seen**2 - 1) - np.sum(h * under)], dtype=np.float64
    )
    bend = -h * (under + h)
    mm = (-seen.size + bend.sum()) / s**2
    ms = (-2 * seen.sum() + np.sum(h + under * bend)) / s
    ss = -2 * np.sum(seen**2) + np.sum(under * h + under**2 * bend)
    return value, slope, np.array([[mm, ms], [ms, ss]])
