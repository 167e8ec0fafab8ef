"""Groups and trends of results of which some are non-detects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr
from scipy.stats import chi2

from ecotone.science.water.censored import Bools, Floats, results

_TOLERANCE: Final = 1e-7
_ITERATIONS: Final = 1000
_EM_ITERATIONS: Final = 20_000


@dataclass(frozen=True)
class GroupTest:
    """A test of several groups against each other.

    Attributes:
        statistic: chi-squared.
        df: degrees of freedom, groups - 1.
        p: probability of at least this statistic where the groups do not differ.
    """

    statistic: float
    df: int
    p: float


@dataclass(frozen=True)
class CensoredSlope:
    """A line through results with non-detects.

    Attributes:
        slope: Akritas-Theil-Sen slope, unit of y per unit of x.
        intercept: median of the residuals (Turnbull), unit of y.
        tau: Kendall's tau (a), -1 .. 1.
        s: Kendall's S, pairs of which the order is not known left out.
        p: two-sided p of no association, continuity corrected.
    """

    slope: float
    intercept: float
    tau: float
    s: float
    p: float


def peto_prentice(values: ArrayLike, censored: ArrayLike, groups: ArrayLike) -> GroupTest:
    """Do groups of left-censored results have the same distribution?

    At each detected value x, with d of the r results at or below it equal to x and r_g of
    group g, the difference d_g - d r_g/r is weighted by the Kaplan-Meier share at or below x
    of all groups together and summed; its hypergeometric variance is d (r - d)/(r - 1)
    (r_g/r)(1 - r_g/r), weighted by the square. Values near the top, which are known best, so
    weigh most. Prentice (1978), doi:10.1093/biomet/65.1.167; Harrington and Fleming (1982),
    doi:10.1093/biomet/69.3.553 (rho = 1).

    Args:
        values: results or limits of any unit; NaN = no result.
        censored: whether each is a non-detect.
        groups: label of each, numbers or text.

    Returns:
        Statistic, degrees of freedom and p.

    Raises:
        ValueError: lengths that differ, nothing detected, or fewer than two groups.

    >>> test = peto_prentice([1, 2, 3, 4, 5, 6], [True] + [False] * 5, list("aaabbb"))
    >>> round(test.statistic, 4), test.df
    (4.5, 1)
    """
    given, known = np.asarray(groups), ~np.isnan(np.asarray(values, np.float64))
    if given.shape != known.shape:
        raise ValueError("one group is needed for each value")
    x, hidden = results(values, censored)
    labels, member = np.unique(given[known], return_inverse=True)
    if labels.size < 2:
        raise ValueError("a comparison needs at least two groups")
    level = np.unique(x[~hidden])[::-1]
    inside = member[None, :] == np.arange(labels.size)[:, None]
    risk = np.stack([np.searchsorted(np.sort(x[g]), level, side="right") for g in inside])
    seen = np.stack([_equal(x[g & ~hidden], level) for g in inside])
    r, d = risk.sum(axis=0).astype(np.float64), seen.sum(axis=0).astype(np.float64)
    weight = np.concatenate(([1.0], np.cumprod(1.0 - d / r)[:-1]))
    share = risk / r
    gap = np.sum(weight * (seen - d * share), axis=1)
    spread = weight**2 * d * np.where(r > 1, (r - d) / np.maximum(r - 1, 1), 0.0)
    cov = np.diag(np.sum(spread * share, axis=1)) - np.einsum("k,ik,jk->ij", spread, share, share)
    statistic = float(gap @ np.linalg.pinv(cov, rcond=1e-12, hermitian=True) @ gap)
    df = labels.size - 1
    return GroupTest(statistic, df, float(chi2.sf(statistic, df)))


def akritas_theil_sen(x: ArrayLike, y: ArrayLike, censored: ArrayLike) -> CensoredSlope:
    """Slope of left-censored y on x that leaves no association in the residuals.

    The slope b makes Kendall's S between x and y - b x zero. In S a non-detect lies below
    each detected residual that is at or above its own limit; other pairs with a non-detect are of
    unknown order and count 0, so S falls as b grows and a zero is found by bisection. Where
    a whole interval gives S = 0 the slope lies between two zeros, found to either side of the
    first (the search of NADA, so that published slopes are met). The intercept is the Turnbull
    median of the residuals, a non-detect lying between 0 and its limit. p is that of S at
    slope 0, its variance corrected for ties and unknown orders. Akritas, Murphy and LaValley
    (1995), doi:10.1080/01621459.1995.10476499; Helsel (2012), doi:10.1002/9781118162729.

    Args:
        x: time or another variable without non-detects; NaN = missing.
        y: results or limits, at least 0; NaN = missing.
        censored: whether each y is a non-detect.

    Returns:
        Slope, intercept, tau, S and p; p is NaN where ties leave S no variance.

    Raises:
        ValueError: lengths that differ, fewer than three results, nothing detected, or all x
            equal.

    >>> line = akritas_theil_sen([1, 2, 3, 4, 5], [1, 1, 3, 4, 5], [True, True] + [False] * 3)
    >>> round(line.slope, 4), line.s
    (1.1719, 9.0)
    """
    at, limit = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if at.shape != limit.shape:
        raise ValueError("x and y must have the same length")
    known = ~np.isnan(at) & ~np.isnan(limit)
    level, hidden = results(limit[known], np.asarray(censored, np.bool_)[known])
    at = at[known]
    if at.size < 3 or np.ptp(at) == 0:
        raise ValueError("a slope needs at least three results at different x")
    # Set apart so that a non-detect never ties with a detected result equal to its limit.
    apart = level - level.min() / 1000 * hidden
    slope = _zero(lambda b: _score(at, apart - b * at, hidden), *_bracket(at, apart, hidden))
    lower = np.where(hidden, 0.0, level)
    intercept = turnbull_median(lower - slope * at, level - slope * at)
    n = at.size
    s = _score(at, apart, hidden)
    variance = _variance(at, apart, hidden)
    p = 2 * float(ndtr(-max(abs(s) - 1, 0.0) / np.sqrt(variance))) if variance > 0 else np.nan
    return CensoredSlope(slope, intercept, 2 * s / (n * (n - 1)), s, p)


def turnbull_median(low: ArrayLike, high: ArrayLike) -> float:
    """Median of values known only to lie in intervals.

    The distribution that makes the intervals likeliest puts its mass on the innermost
    intervals; their masses are found by self-consistency. Turnbull (1976),
    doi:10.1111/j.2517-6161.1976.tb01597.x.

    Args:
        low: lower ends, -inf where open.
        high: upper ends, at least ``low``; equal ends are an exact value.

    Returns:
        The middle of the innermost interval at which the distribution first reaches one half
        (its upper end where it is open below).

    Raises:
        ValueError: no intervals, or an upper end below its lower.

    >>> turnbull_median([1, 2, 0, 0], [1, 2, 1.5, 9])
    1.0
    """
    lower, upper = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if lower.size == 0 or lower.shape != upper.shape or np.any(upper < lower):
        raise ValueError("a median needs intervals with their ends in order")
    start, end = _innermost(lower, upper)
    covers = (lower[:, None] <= start) & (end <= upper[:, None])
    mass = np.full(start.size, 1.0 / start.size)
    for _ in range(_EM_ITERATIONS):
        part = covers * mass
        better = (part / part.sum(axis=1, keepdims=True)).mean(axis=0)
        moved = float(np.max(np.abs(better - mass)))
        mass = better
        if moved < 1e-12:
            break
    first = int(np.searchsorted(np.cumsum(mass), 0.5 - 1e-9))
    return float(end[first] if np.isinf(start[first]) else (start[first] + end[first]) / 2)


def _innermost(lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Intervals (or points) from a lower end to the next upper end with no end between."""
    ends = np.unique(upper)
    # Of all lower ends at or below an upper end the largest; no other upper end between.
    ordered = np.sort(lower)
    start = ordered[np.searchsorted(ordered, ends, side="right") - 1]
    inner = np.ones(ends.size, dtype=np.bool_)
    inner[1:] = start[1:] >= ends[:-1]
    return start[inner], ends[inner]


def _equal(x: Floats, level: Floats) -> NDArray[np.int64]:
    """How many of ``x`` equal each level."""
    ordered = np.sort(x)
    return np.asarray(
        np.searchsorted(ordered, level, side="right") - np.searchsorted(ordered, level, side="left")
    )


def _score(x: Floats, y: Floats, hidden: Bools) -> float:
    """Kendall's S; a pair counts 0 where its order is unknown."""
    sign = np.sign(y[:, None] - y) * np.sign(x[:, None] - x)
    both = ~hidden[:, None] & ~hidden
    below = hidden[:, None] & ~hidden & (y[:, None] <= y)
    return float(np.sum(sign * both) / 2 + np.sum(sign * below))


def _bracket(x: Floats, y: Floats, hidden: Bools) -> tuple[float, float]:
    """Smallest and largest slope between two results, non-detects taken as 0."""
    base = np.where(hidden, 0.0, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = (base[:, None] - base) / (x[:, None] - x)
    slopes = slopes[np.isfinite(slopes)]
    return float(slopes.min()), float(slopes.max())


def _zero(score: Callable[[float], float], low: float, high: float) -> float:
    """Midway between the zeros of the score found below and above its first zero."""
    left, middle, right = _bisect(score, low, high)
    _, above, _ = _bisect(score, middle, right)
    _, below, _ = _bisect(score, left, middle)
    return 0.5 * (above + below)


def _bisect(score: Callable[[float], float], low: float, high: float) -> tuple[float, float, float]:
    """The last bracket and its middle, where the score is 0 or the bracket closed."""
    start = score(low)
    for _ in range(_ITERATIONS):
        middle = (low + high) / 2
        here = score(middle)
        narrow = (middle - low if start * here <= 0 else high - middle) <= _TOLERANCE
        if here == 0 or narrow:
            break
        if start * here <= 0:
            high = middle
        else:
            low, start = middle, here
    return low, middle, high


def _variance(x: Floats, y: Floats, hidden: Bools) -> float:
    """Variance of S without association, for ties and for pairs of unknown order."""
    n = x.size
    detected = _tied(x, y[~hidden], n)
    alike = _groups(y[hidden])
    among = float(np.sum(alike * (alike - 1) * (2 * alike + 5))) / 18
    order = np.argsort(y, kind="stable")
    # Each non-detect is as if tied with every result at or below its limit.
    unknown = float(np.sum(np.flatnonzero(hidden[order])))
    pairs = unknown - float(np.sum(alike - 1))
    return n * (n - 1) * (2 * n + 5) / 18 - detected - among - pairs


def _tied(x: Floats, y: Floats, n: int) -> float:
    """What equal x and equal detected y take off the variance."""
    a, b = _groups(x), _groups(y)
    one = np.sum(a * (a - 1) * (2 * a + 5)) + np.sum(b * (b - 1) * (2 * b + 5))
    three = np.sum(a * (a - 1) * (a - 2)) * np.sum(b * (b - 1) * (b - 2))
    two = np.sum(a * (a - 1)) * np.sum(b * (b - 1))
    return float(one / 18 - three / (9 * n * (n - 1) * (n - 2)) - two / (2 * n * (n - 1)))


def _groups(x: Floats) -> Floats:
    """Sizes of groups of equal values."""
    return np.asarray(np.unique(x, return_counts=True)[1], dtype=np.float64)
