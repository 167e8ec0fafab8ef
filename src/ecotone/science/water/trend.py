"""Trends of seasonal series: Kendall's test by blocks, with and without a covariate.

A block is a month (seasonal Kendall) or a site (regional Kendall): values are compared within
their block only. One value per block and year; where there are more they are averaged first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtri
from scipy.stats import chi2, rankdata

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Fewest values of a block that is tested.
FEWEST: Final = 4
#: Most values of a block: all pairs are held at once.
LONGEST: Final = 5000
#: Fewest years for which the correlation of blocks can be judged (Hirsch and Slack).
CORRELATED_YEARS: Final = 10


@dataclass(frozen=True)
class BlockTrend:
    """Kendall's test over blocks; NaN marks what could not be found.

    Attributes:
        n: values used, after averaging and without blocks that were left out.
        blocks: blocks used.
        left_out: labels of blocks with fewer than ``FEWEST`` values.
        s: sum over the blocks of rising minus falling pairs.
        variance: variance of ``s`` without trend, blocks independent.
        p: two-sided p of ``s``, continuity corrected.
        tau: ``s`` over the number of pairs.
        slope: median of all slopes within blocks, unit of the values per unit of time.
        low: lower end of the slope's interval.
        high: upper end of the slope's interval.
        level: confidence level of the interval.
        variance_corrected: variance of ``s`` with the covariance of blocks.
        p_corrected: p with that variance; NaN below ``CORRELATED_YEARS`` years, with one block,
            or where ``s`` is 0.
        s_partial: ``s`` given the covariate.
        p_partial: p of ``s_partial``.
        p_partial_corrected: p of ``s_partial`` with the covariance of blocks.
    """

    n: int
    blocks: int
    left_out: tuple[float, ...]
    s: float
    variance: float
    p: float
    tau: float
    slope: float
    low: float
    high: float
    level: float
    variance_corrected: float = np.nan
    p_corrected: float = np.nan
    s_partial: float = np.nan
    p_partial: float = np.nan
    p_partial_corrected: float = np.nan


class Homogeneity(NamedTuple):
    """Do the blocks trend alike?"""

    trend: float  #: chi-squared of the common trend
    difference: float  #: chi-squared of the blocks' differences
    p: float  #: p of the differences, blocks - 1 degrees of freedom


class Change(NamedTuple):
    """Pettitt's change point."""

    k: float  #: largest abs(U)
    p: float  #: approximate p
    at: int  #: number of values before the change


def seasonal_kendall(
    times: ArrayLike,
    values: ArrayLike,
    blocks: ArrayLike,
    covariate: ArrayLike | None = None,
    *,
    decimals: int | None = 9,
    level: float = 0.95,
) -> BlockTrend:
    """Kendall's trend test over blocks, with the corrections that its use calls for.

    Within each block of at least ``FEWEST`` values, over all pairs i < j::

        S     = sum of sign(y_j - y_i)
        var S = [n(n-1)(2n+5) - sum over groups of t equal values of t(t-1)(2t+5)] / 18

    and both are summed over blocks; p from z = (S - sign S)/sqrt(var S). Hirsch, Slack and
    Smith (1982), doi:10.1029/WR018i001p00107. The slope is the median of all pairs' slopes,
    its interval by ranks (N -+ z_level sqrt(var S))/2. Values are first averaged within block
    and time and rounded to ``decimals``, so that ties on paper are ties here.

    *Correlated blocks*: with K_gh = sum over pairs of years of sign((y_jg - y_ig)(y_jh - y_ih))
    and ranks R (a missing year has the block's mean rank), the covariance of two blocks is
    (K_gh + 4 sum R_g R_h - Y (n_g + 1)(n_h + 1))/3 over Y years; their sum over all pairs of
    blocks, short ones included, is the corrected variance. Hirsch and Slack (1984),
    doi:10.1029/WR020i006p00727; estimator of Dietz and Killeen (1981),
    doi:10.1080/01621459.1981.10477624. Years are the whole parts of ``times``.

    *Partial*: with S_c and var S_c of the covariate and c the covariance of both,
    S' = S - c S_c/var S_c and var S' = var S - c^2/var S_c. Libiseller and Grimvall (2002),
    doi:10.1002/env.507.

    Args:
        times: years, whole or decimal; NaN = no value.
        values: any unit; NaN = no value.
        blocks: number of each value's block, such as the month; NaN = no value.
        covariate: a variable whose influence is taken out; rows without it are left out.
        decimals: decimals of the values that count, 0 .. 15; None takes them as they are.
        level: confidence level of the slope's interval.

    Returns:
        The test.

    Raises:
        ValueError: lengths that differ, an option out of range, no block with enough values, or
            one with more than ``LONGEST``.

    >>> test = seasonal_kendall([2001, 2002, 2003, 2004], [1.0, 2.0, 2.5, 4.0], [1, 1, 1, 1])
    >>> test.s, round(test.p, 4), round(test.slope, 4)
    (6.0, 0.0894, 1.0)
    """
    if not 0 < level < 1:
        raise ValueError(f"the confidence level must lie between 0 and 1, not {level}")
    if decimals is not None and not 0 <= decimals <= 15:
        raise ValueError(f"decimals must lie between 0 and 15, not {decimals}")
    t, block, exact, extra = _rows(times, values, blocks, covariate)
    y = exact if decimals is None else np.round(exact, decimals)
    labels, member = np.unique(block, return_inverse=True)
    size = np.bincount(member)
    if size.size == 0 or size.max() < FEWEST:
        raise ValueError(f"no block has at least {FEWEST} values")
    if size.max() > LONGEST:
        raise ValueError(f"a block has more than {LONGEST} values; average them first")
    every = [np.flatnonzero(member == b) for b in range(size.size)]
    used = [b for b in every if b.size >= FEWEST]
    s = float(sum(_score(t[b], y[b]) for b in used))
    variance = float(sum(_variance(y[b]) for b in used))
    slopes = np.sort(np.concatenate([_slopes(t[b], exact[b]) for b in used]))
    low, high = _slope_interval(slopes, variance, level)
    corrected, partial = _Corrected(), _Partial()
    grid = _grid(t, y, member) if labels.size > 1 else None
    if grid is not None and s != 0:
        corrected = _Corrected(*_corrected(s, grid, grid))
    if extra is not None:
        extra = extra if decimals is None else np.round(extra, decimals)
        partial = _partial(t, y, extra, every, s, variance)
        if grid is not None and s != 0:
            other = _grid(t, extra, member)
            partial = partial._replace(p_corrected=_partial_corrected(partial.s, grid, other))
    return BlockTrend(
        n=int(size[size >= FEWEST].sum()),
        blocks=len(used),
        left_out=tuple(float(x) for x in labels[size < FEWEST]),
        s=s,
        variance=variance,
        p=p_of_score(s, variance),
        tau=s / slopes.size,
        slope=float(np.median(slopes)),
        low=low,
        high=high,
        level=level,
        variance_corrected=corrected.variance,
        p_corrected=corrected.p,
        s_partial=partial.s,
        p_partial=partial.p,
        p_partial_corrected=partial.p_corrected,
    )


def p_of_score(s: float, variance: float) -> float:
    """Two-sided normal p of Kendall's S with continuity correction; 1 where S is 0.

    Args:
        s: Kendall's S.
        variance: its variance.

    Returns:
        p, 0 .. 1; NaN where the variance is not above 0.

    >>> round(p_of_score(-1387, 112728.3333), 12)
    3.6582629e-05
    """
    if s == 0:
        return 1.0
    if not variance > 0:
        return float("nan")
    # The logarithm keeps digits where p is so small that 1 - (1 - p) would lose them.
    return float(np.exp(np.log(2) + log_ndtr(-abs(abs(s) - 1) / np.sqrt(variance))))


def homogeneity(
    times: ArrayLike, values: ArrayLike, blocks: ArrayLike, *, decimals: int | None = 9
) -> Homogeneity:
    """Van Belle and Hughes' test whether all blocks share one trend.

    With Z_b = S_b/sqrt(var S_b), no continuity correction: the differences have chi-squared
    sum Z^2 - m mean(Z)^2 with m - 1 degrees of freedom, the common trend m mean(Z)^2 with 1.
    Van Belle and Hughes (1984), doi:10.1029/WR020i001p00127.

    Args:
        times: as in ``seasonal_kendall``.
        values: as in ``seasonal_kendall``.
        blocks: as in ``seasonal_kendall``; which blocks to take is the caller's choice.
        decimals: as in ``seasonal_kendall``.

    Returns:
        Both statistics and the p of the differences.

    Raises:
        ValueError: as ``seasonal_kendall``, or fewer than two blocks that vary.

    >>> test = homogeneity([1, 2, 3, 4] * 2, [1, 2, 3, 4, 4, 3, 2, 1], [1] * 4 + [2] * 4)
    >>> round(test.trend, 6), round(test.difference, 4)
    (0.0, 8.3077)
    """
    t, block, exact, _ = _rows(times, values, blocks, None)
    y = exact if decimals is None else np.round(exact, decimals)
    found = []
    for label in np.unique(block):
        own = block == label
        variance = _variance(y[own])
        if own.sum() >= FEWEST and variance > 0:
            found.append(_score(t[own], y[own]) / np.sqrt(variance))
    z = np.array(found)
    if z.size < 2:
        raise ValueError("homogeneity needs at least two blocks with enough values that vary")
    trend = z.size * float(z.mean()) ** 2
    difference = float(np.sum(z**2)) - trend
    return Homogeneity(trend, difference, float(chi2.sf(difference, z.size - 1)))


def pettitt(values: ArrayLike) -> Change:
    """Where a series changes its level, if it does.

    U_k = sum over i <= k < j of sign(x_i - x_j); K = max abs(U_k) and
    p = 2 exp(-6 K^2/(n^3 + n^2)), at most 1. Pettitt (1979), doi:10.2307/2346729.

    Args:
        values: in order of time, any unit; NaN = missing, left out.

    Returns:
        K, p and how many values lie before the change.

    Raises:
        ValueError: fewer than two values.

    >>> pettitt([1, 1, 1, 5, 5, 5]).at
    3
    """
    x = np.asarray(values, np.float64)
    x = x[~np.isnan(x)]
    n = x.size
    if n < 2:
        raise ValueError("a change needs at least two values")
    u = np.abs(2 * np.cumsum(rankdata(x)) - np.arange(1, n + 1) * (n + 1))[:-1]
    k = float(u.max())
    return Change(k, min(1.0, 2 * float(np.exp(-6 * k * k / (n**3 + n**2)))), int(u.argmax()) + 1)


class _Corrected(NamedTuple):
    variance: float = np.nan
    p: float = np.nan


class _Partial(NamedTuple):
    s: float = np.nan
    p: float = np.nan
    p_corrected: float = np.nan


def _rows(
    times: ArrayLike,
    values: ArrayLike,
    blocks: ArrayLike,
    covariate: ArrayLike | None,
) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Time, block, value and covariate: whole rows, averaged to one for each block and time."""
    given = [times, values, blocks] + ([] if covariate is None else [covariate])
    columns = [np.asarray(c, np.float64) for c in given]
    if len({c.shape for c in columns}) != 1 or columns[0].ndim != 1:
        raise ValueError("times, values, blocks and covariate must have one length")
    table = np.stack(columns)
    table = table[:, np.isfinite(table).all(axis=0)]
    keys, group = np.unique(table[[2, 0]], axis=1, return_inverse=True)
    counts = np.bincount(group.ravel(), minlength=keys.shape[1])
    means = [np.bincount(group.ravel(), row, keys.shape[1]) / counts for row in table[[1, -1]]]
    return keys[1], keys[0], means[0], None if covariate is None else means[1]


def _score(t: Floats, y: Floats) -> float:
    """S of one block, its times ascending and different."""
    return float(np.triu(np.sign(y[None, :] - y[:, None]), 1).sum())


def _variance(y: Floats) -> float:
    n = y.size
    ties = np.unique(y, return_counts=True)[1].astype(np.float64)
    tied = float(np.sum(ties * (ties - 1) * (2 * ties + 5)))
    return float(n * (n - 1) * (2 * n + 5) - tied) / 18


def _slopes(t: Floats, y: Floats) -> Floats:
    early, late = np.triu_indices(y.size, 1)
    return np.asarray((y[late] - y[early]) / (t[late] - t[early]))


def _slope_interval(slopes: Floats, variance: float, level: float) -> tuple[float, float]:
    """Slopes of the ranks that bound the median (Gilbert 1987, section 16.4.2)."""
    reach = float(ndtri(0.5 + level / 2)) * np.sqrt(variance)
    place = np.array([(slopes.size - reach) / 2, (slopes.size + reach) / 2 + 1])
    ends = np.interp(place, np.arange(1, slopes.size + 1), slopes, left=np.nan, right=np.nan)
    return float(ends[0]), float(ends[1])


def _grid(t: Floats, y: Floats, member: Counts) -> Floats | None:
    """(years, blocks) with NaN gaps; None where there are too few years."""
    year = np.trunc(t).astype(np.int64)
    first = int(year.min())
    years = int(year.max()) - first + 1
    if years < CORRELATED_YEARS:
        return None
    cell = (year - first) * (int(member.max()) + 1) + member
    shape = (years, int(member.max()) + 1)
    counts = np.bincount(cell, minlength=shape[0] * shape[1])
    sums = np.bincount(cell, y, shape[0] * shape[1])
    with np.errstate(invalid="ignore"):
        return np.asarray((sums / counts).reshape(shape))


def _corrected(s: float, one: Floats, other: Floats) -> tuple[float, float]:
    variance = _covariance(one, other)
    return variance, p_of_score(s, variance)


def _covariance(one: Floats, other: Floats) -> float:
    """Sum over all pairs of blocks of the covariance of their scores."""
    years = one.shape[0]
    a, b = _signs(one), _signs(other)
    concordance = float(a.sum(axis=1) @ b.sum(axis=1))
    ranks_a, count_a = _ranks(one)
    ranks_b, count_b = _ranks(other)
    products = float(ranks_a.sum(axis=1) @ ranks_b.sum(axis=1))
    possible = years * float((count_a + 1).sum()) * float((count_b + 1).sum())
    total: float = (concordance + 4 * products - possible) / 3
    return total


def _signs(grid: Floats) -> Floats:
    """Signs of all pairs of years (rows) in each block (columns); 0 where one is missing."""
    early, late = np.triu_indices(grid.shape[0], 1)
    return np.nan_to_num(np.sign(grid[late] - grid[early]))


def _ranks(grid: Floats) -> tuple[Floats, Counts]:
    """Ranks within blocks, a missing year at the mean rank, and the values of each block."""
    count = np.sum(~np.isnan(grid), axis=0)
    ranks = rankdata(grid, axis=0, nan_policy="omit")
    return np.where(np.isnan(grid), (count + 1) / 2, ranks), count


def _partial(
    t: Floats, y: Floats, extra: Floats, blocks: list[Counts], s: float, variance: float
) -> _Partial:
    """The score given the covariate, its variance from the blocks' own covariances."""
    used = [b for b in blocks if b.size >= FEWEST]
    joint = sum(_covariance(y[b][:, None], extra[b][:, None]) for b in blocks)
    s_extra = sum(_score(t[b], extra[b]) for b in used)
    variance_extra = sum(_variance(extra[b]) for b in used)
    if variance_extra <= 0:
        return _Partial()
    left = s - joint / variance_extra * s_extra
    return _Partial(left, p_of_score(left, variance - joint**2 / variance_extra))


def _partial_corrected(s: float, grid: Floats, other: Floats | None) -> float:
    if other is None or np.isnan(s):
        return float("nan")
    own, extra = _covariance(grid, grid), _covariance(other, other)
    return p_of_score(s, own - _covariance(grid, other) ** 2 / extra) if extra > 0 else np.nan
