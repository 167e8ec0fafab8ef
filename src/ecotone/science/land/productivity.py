"""Land productivity dynamics: trend, state and performance of yearly means, and their classes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.land.lookup import DEGRADED, IMPROVED, NODATA, STABLE, Codes, rows_of
from ecotone.science.land.lookup import three_classes as _places
from ecotone.science.land.trend import TrendTest, mann_kendall
from ecotone.science.stats.kendall import EXACT_LIMIT, kendall_tail

Floats = NDArray[np.float64]
Rule = Literal["unccd2026", "trends_earth", "gpg_v2", "fao_wocat"]

#: The named rule sets, the default first.
RULES: Final[tuple[Rule, ...]] = ("unccd2026", "trends_earth", "gpg_v2", "fao_wocat")
#: Years at the end of a period that make its state.
RECENT: Final = 3
#: The share of pixels of a unit that lie below its best productivity.
BEST: Final = 0.9
#: Slopes up to this much NDVI a year, and differences of state up to the other, are no change.
FLAT_SLOPE: Final = 1e-3
SAME_STATE: Final = 1e-2
_Z95: Final = 1.96


@dataclass(frozen=True)
class Components:
    """The three metrics of a period as classes -1, 0, 1 or ``NODATA``; performance has no 1."""

    trend: Codes
    state: Codes
    performance: Codes


def lpd_components(
    means: ArrayLike, best: ArrayLike, rule: Rule, *, alpha: float = 0.05, complete: float = 0.75
) -> Components:
    """Trend, state and performance of every pixel by a rule set.

    * ``unccd2026``: Mann-Kendall p <= alpha (exact where there are no ties); state by deciles;
      performance below half of the unit's best. The manual of the 2026 reports (PRAIS 4).
    * ``trends_earth``: as Trends.Earth 2.3.2 computes it: its table of critical values, which
      is one-sided and a step too low, no trend where the slope is at most 0.001 a year,
      performance at most half. For comparison with maps made by it.
    * ``gpg_v2``: z scores of trend and state beyond 1.96. Good Practice Guidance for SDG
      indicator 15.3.1, version 2 (Sims et al. 2021).

    Args:
        means: (years, ...) yearly means of NDVI as a fraction (0.31, not 3100), NaN = missing.
        best: the 90th percentile of mean productivity in each pixel's unit, same unit.
        rule: any of ``RULES`` but ``fao_wocat`` (see ``wocat.wocat_classes``).
        alpha: level of the trend test in ``unccd2026``.
        complete: share of the years that must have values, 0 .. 1; so must one of the last
            three, and 4 of those before.

    Returns:
        The classes, ``NODATA`` where a pixel is not complete or has no unit.

    Raises:
        ValueError: fewer than 7 years (4 for a baseline of state, 3 recent), an unknown rule.
    """
    values = np.asarray(means, dtype=np.float64)
    lacking = ~complete_pixels(values, complete)
    trend = trend_classes(values, rule, alpha)
    state = state_classes(values, rule)
    performance = performance_classes(mean_productivity(values), np.asarray(best, float), rule)
    for codes in (trend, state, performance):
        codes[lacking] = NODATA
    return Components(trend, state, performance)


def _three_metrics(rule: str, years: int) -> None:
    if years < 4 + RECENT:
        raise ValueError(f"productivity needs at least {4 + RECENT} years")
    if rule not in RULES or rule == "fao_wocat":
        raise ValueError(f"no trend, state and performance are defined for {rule!r}")


def complete_pixels(means: Floats, complete: float = 0.75) -> NDArray[np.bool_]:
    """Pixels with enough years: a share of all, 4 at least before the last three, one in them.

    Args:
        means: (years, ...), NaN = missing.
        complete: share of the years, 0 .. 1.

    Returns:
        Truth values without the axis of years.
    """
    valid = np.isfinite(means)
    enough = valid.sum(axis=0) >= complete * means.shape[0]
    before = valid[:-RECENT].sum(axis=0) >= 4
    there: NDArray[np.bool_] = enough & before & valid[-RECENT:].any(axis=0)
    return there


def mean_productivity(means: Floats) -> Floats:
    """The mean over the years that have values; NaN where none has.

    Args:
        means: (years, ...).

    Returns:
        Same unit, without the axis of years.
    """
    valid = np.isfinite(means)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(valid, means, 0.0).sum(axis=0) / valid.sum(axis=0)
    return mean


def line_slope(means: ArrayLike) -> Floats:
    """Slope of the least-squares line through the values there are, per step of the first axis.

    Args:
        means: (years, ...), NaN = missing.

    Returns:
        Unit of the values per year; NaN with fewer than two values.

    >>> line_slope([[0.1], [0.3], [0.2]]).round(3).tolist()
    [0.05]
    """
    values = np.asarray(means, dtype=np.float64)
    valid = np.isfinite(values)
    count = valid.sum(axis=0)
    time = np.arange(values.shape[0], dtype=np.float64).reshape(-1, *[1] * (values.ndim - 1))
    filled = np.where(valid, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = np.where(valid, time - np.where(valid, time, 0.0).sum(axis=0) / count, 0.0)
        slope: Floats = (centred * filled).sum(axis=0) / (centred**2).sum(axis=0)
    return slope


def trend_classes(
    means: Floats, rule: Rule, alpha: float = 0.05, test: TrendTest | None = None
) -> Codes:
    """The trend as -1, 0, 1; ``NODATA`` where it could not be tested.

    Args:
        means: (years, ...), NaN = missing.
        rule: which test, see ``lpd_components``.
        alpha: level of the test in ``unccd2026``.
        test: of ``mann_kendall`` on the same means, where it is known already.

    Returns:
        Codes without the axis of years.

    Raises:
        ValueError: fewer than 7 years, or a rule without these metrics.
    """
    _three_metrics(rule, means.shape[0])
    trend = mann_kendall(means) if test is None else test
    if rule == "trends_earth":
        return te_trend_classes(te_significance(trend.s, trend.valid, line_slope(means)))
    if rule == "gpg_v2":
        return _sign_beyond(gpg_trend_score(trend), _Z95)
    codes = np.where(trend.p <= alpha, np.sign(trend.s), 0)
    out: Codes = np.where(np.isnan(trend.s), NODATA, codes).astype(np.int16)
    return out


def state_classes(means: Floats, rule: Rule) -> Codes:
    """The state as -1, 0, 1: by deciles, or by z score in ``gpg_v2``.

    Args:
        means: (years, ...), NaN = missing.
        rule: see ``lpd_components``.

    Returns:
        Codes without the axis of years, ``NODATA`` where either mean is missing.

    Raises:
        ValueError: fewer than 7 years, or a rule without these metrics.
    """
    _three_metrics(rule, means.shape[0])
    if rule == "gpg_v2":
        return _sign_beyond(state_score(means), _Z95)
    change = state_change(means)
    return te_state_classes(np.where(np.isnan(change), NODATA, change))


def performance_classes(mean: Floats, best: Floats, rule: Rule) -> Codes:
    """Performance as -1 or 0: the mean against half of the best in its unit.

    Args:
        mean: productivity over the period.
        best: the unit's 90th percentile of it, same unit.
        rule: ``trends_earth`` counts exactly half as low, the others do not.

    Returns:
        Codes, ``NODATA`` where either is missing or no plant grows at all.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(best > 0, mean / best, np.nan)
    low = ratio <= 0.5 if rule == "trends_earth" else ratio < 0.5
    codes = np.where(low, DEGRADED, STABLE)
    out: Codes = np.where(np.isnan(ratio), NODATA, codes).astype(np.int16)
    return out


def te_critical(n: int) -> tuple[int, int, int | None]:
    """The abs(S) at which Trends.Earth 2.3.2 says 90, 95 and 99 %, for 4 to 60 values.

    Its table can be had from the exact distribution: the smallest S of one-sided p at most
    0.1, 0.05 and 0.01, less one step; the last row is moved by one length from 7 on. The true
    two-sided p at its "95 %" for 16 years is 0.116.

    Args:
        n: number of values.

    Returns:
        Three critical values; None at 60 for 99 %, where the table ends.

    Raises:
        ValueError: a length that the table does not have.

    >>> te_critical(16)
    (28, 36, 56)
    """
    if not 4 <= n <= EXACT_LIMIT:
        raise ValueError(f"Trends.Earth's table has 4 to {EXACT_LIMIT} years, not {n}")
    if n == 4:
        return 4, 4, 6
    last = None if n == EXACT_LIMIT else _below(n if n < 7 else n + 1, 0.01)
    return _below(n, 0.1), _below(n, 0.05), last


def _below(n: int, level: float) -> int:
    """A step below the smallest S whose one-sided p is at most ``level``."""
    tail = kendall_tail(n)
    possible = np.arange((tail.size - 1) % 2, tail.size, 2)
    return int(possible[tail[possible] / 2 <= level][0]) - 2


def te_significance(s: ArrayLike, n: ArrayLike, slope: ArrayLike) -> Codes:
    """Trends.Earth's significance: 0, or 1, 2, 3 for its "90, 95, 99 %" with the line's sign.

    Args:
        s: Kendall's S.
        n: number of values, 4 .. 60.
        slope: of the least-squares line, NDVI a year.

    Returns:
        -3 .. 3, ``NODATA`` where S is missing; 0 where the slope is at most 0.001 a year.
    """
    score, count, line = np.broadcast_arrays(
        np.asarray(s, float), np.asarray(n, int), np.asarray(slope, float)
    )
    size = np.abs(score)
    steps = np.zeros(score.shape, dtype=np.int16)
    for length in np.unique(count[np.isfinite(score)]):
        k90, k95, k99 = te_critical(int(length))
        here = count == length
        steps[here & (size > k90)] = 1
        steps[here & (size >= k95) & (size > k90)] = 2
        if k99 is not None:
            steps[here & (size >= k99)] = 3
    steps[~(np.abs(line) > FLAT_SLOPE)] = 0
    out: Codes = np.where(np.isnan(score), NODATA, steps * np.sign(np.nan_to_num(line)))
    return out.astype(np.int16)


def gpg_trend_score(test: TrendTest) -> Floats:
    """The z of the Good Practice Guidance: tau 3 sqrt(n(n-1)) / sqrt(2(2n+5)), no correction.

    Args:
        test: of ``mann_kendall``.

    Returns:
        z, NaN where the test is.
    """
    n = test.valid.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        tau = 2 * test.s / (n * (n - 1))
        score: Floats = tau * 3 * np.sqrt(n * (n - 1)) / np.sqrt(2 * (2 * n + 5))
    return score


def state_score(means: ArrayLike) -> Floats:
    """The z of the last three years' mean against the years before: (m3 - m) / (s / sqrt 3).

    Args:
        means: (years, ...), NaN = missing.

    Returns:
        z; s is the population's deviation (divisor n). 0 where nothing changes at all.
    """
    values = np.asarray(means, dtype=np.float64)
    before, recent = values[:-RECENT], values[-RECENT:]
    centre = mean_productivity(before)
    spread = np.sqrt(mean_productivity((before - centre) ** 2))
    change = mean_productivity(recent) - centre
    with np.errstate(invalid="ignore", divide="ignore"):
        score: Floats = np.where(change == 0, 0.0, change / (spread / np.sqrt(RECENT)))
    return score


def state_change(means: ArrayLike) -> Floats:
    """By how many decile classes the last three years' mean differs from the years before.

    The deciles are those of the earlier years and two values more, 5 % of their range below
    the least and above the greatest. 0 where the means differ by at most 0.01 NDVI.

    Args:
        means: (years, ...) NDVI as a fraction, NaN = missing.

    Returns:
        Classes, -9 .. 9; NaN where either mean is missing.

    >>> years = [[0.30], [0.32], [0.31], [0.33], [0.29], [0.34], [0.2], [0.2], [0.2]]
    >>> state_change(years).tolist()
    [-4.0]
    """
    values = np.asarray(means, dtype=np.float64)
    before, recent = values[:-RECENT], values[-RECENT:]
    low = np.fmin.reduce(before, axis=0)
    high = np.fmax.reduce(before, axis=0)
    margin = 0.05 * (high - low)
    wide = np.concatenate([before, (low - margin)[None], (high + margin)[None]])
    old, new = mean_productivity(before), mean_productivity(recent)
    later, earlier = decile_steps(wide, new, old)
    change = later - earlier
    # The difference counts in the steps of stored data, 1e-4, free of the noise of sums.
    same = np.round(np.abs(new - old), 12) <= SAME_STATE
    change[same] = 0
    change[np.isnan(old) | np.isnan(new)] = np.nan
    return change


def decile_steps(values: Floats, *compared: Floats) -> list[Floats]:
    """How many of the nine deciles of some values lie below each of other values.

    Args:
        values: (years, ...), NaN = missing.
        compared: values without the axis of years.

    Returns:
        0 .. 9 for each of the compared.
    """
    ascending = np.sort(values, axis=0)
    count = np.isfinite(ascending).sum(axis=0)
    same = count.size > 0 and bool((count == count.flat[0]).all())
    steps = [np.zeros(value.shape) for value in compared]
    for decile in range(1, 10):
        share = decile / 10
        if same and count.flat[0] > 0:
            edge = _at(ascending, (int(count.flat[0]) - 1) * share)
        else:
            edge = _between(ascending, (count - 1) * share)
        for step, value in zip(steps, compared, strict=True):
            step += value > edge
    return steps


def _at(ascending: Floats, rank: float) -> Floats:
    """As ``_between`` where all pixels have the same rank."""
    low = int(rank)
    share = rank - low
    high = min(low + 1, ascending.shape[0] - 1)
    value: Floats = ascending[low] + share * (ascending[high] - ascending[low])
    return value


def _between(ascending: Floats, rank: Floats) -> Floats:
    """The values at ranks counted from 0 along the first axis, linearly between two."""
    place = np.maximum(rank, 0.0)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, ascending.shape[0] - 1)
    at_low = np.take_along_axis(ascending, low[None], axis=0)[0]
    at_high = np.take_along_axis(ascending, high[None], axis=0)[0]
    share = place - low
    value: Floats = np.where(share > 0, at_low + share * (at_high - at_low), at_low)
    return value


def _sign_beyond(score: Floats, limit: float) -> Codes:
    codes = np.where(score > limit, IMPROVED, np.where(score < -limit, DEGRADED, STABLE))
    out: Codes = np.where(np.isnan(score), NODATA, codes).astype(np.int16)
    return out


@functools.cache
def _lpd_table(column: str) -> Codes:
    """The class of each combination in the order of ``three_classes``."""
    table = np.full((4, 4, 4), NODATA, dtype=np.int16)
    for row in rows_of("lpd"):
        place = tuple(int(row[name]) + 1 for name in ("trend", "state", "performance"))
        table[place] = int(row[column])
    table.setflags(write=False)
    return table


def lpd_classes(trend: ArrayLike, state: ArrayLike, performance: ArrayLike, rule: Rule) -> Codes:
    """The five classes of productivity from its three metrics.

    ``unccd2026`` and ``trends_earth`` follow table 13 of the PRAIS 4 manual. ``gpg_v2``
    differs in three combinations; as that guidance tells degraded land only as such, the
    combination it adds is given as 2.

    Args:
        trend: -1, 0, 1 or ``NODATA``.
        state: the same.
        performance: -1, 0 or ``NODATA``.
        rule: any of ``RULES`` but ``fao_wocat``.

    Returns:
        1 declining, 2 moderate decline, 3 stressed, 4 stable, 5 increasing; ``NODATA`` where
        any metric is missing.

    Raises:
        ValueError: a code outside these.

    >>> lpd_classes([0, -1], [0, 0], [-1, 0], "unccd2026").tolist()
    [3, 1]
    """
    table = _lpd_table("gpg_v2" if rule == "gpg_v2" else "prais")
    low = _places(performance)
    if (low == 2).any():
        raise ValueError("performance is either below the best or not; there is no 1")
    found: Codes = table[_places(trend), _places(state), low]
    return found


def lpd_three(lpd: ArrayLike) -> Codes:
    """Five classes as three: {1, 2} degraded -1, {3, 4} stable 0, {5} improved 1.

    Args:
        lpd: 1 .. 5 or ``NODATA``.

    Returns:
        -1, 0, 1 or ``NODATA``.

    Raises:
        ValueError: any other code: an import whose no-data values (0, 15, 9999) were not told.

    >>> lpd_three([1, 3, 5, -32768]).tolist()
    [-1, 0, 1, -32768]
    """
    codes = np.asarray(lpd)
    there = codes != NODATA
    if ((codes[there] < 1) | (codes[there] > 5)).any():
        raise ValueError("productivity classes are 1 to 5")
    table = np.array([NODATA, DEGRADED, DEGRADED, STABLE, STABLE, IMPROVED], dtype=np.int16)
    three: Codes = table[np.where(there, codes, 0)]
    return three


def te_trend_classes(significance: ArrayLike) -> Codes:
    """Trends.Earth's significance as a trend: at least its "95 %" counts.

    Args:
        significance: -3 .. 3 or ``NODATA``.

    Returns:
        -1, 0, 1 or ``NODATA``.
    """
    codes = np.asarray(significance)
    trend = np.sign(codes) * (np.abs(codes) >= 2)
    out: Codes = np.where(codes == NODATA, NODATA, trend).astype(np.int16)
    return out


def te_state_classes(change: ArrayLike) -> Codes:
    """Trends.Earth's change of state as a class: two classes or more count.

    Args:
        change: classes, or ``NODATA``; below -10 its code has no value, a quirk kept here.

    Returns:
        -1, 0, 1 or ``NODATA``.
    """
    codes = np.asarray(change)
    state = np.where(codes <= -2, DEGRADED, np.where(codes >= 2, IMPROVED, STABLE))
    out: Codes = np.where(codes < -10, NODATA, state).astype(np.int16)
    return out
