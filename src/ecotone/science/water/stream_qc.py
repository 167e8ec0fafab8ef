"""Tests of a sensor's stream: flags beside the values, never in their place.

The tests and flags of QARTOD (US IOOS, Manual for Real-Time Quality Control): 1 pass, 2 not
evaluated, 3 suspect, 4 fail, 9 missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.uint8]

PASS: Final = 1
NOT_EVALUATED: Final = 2
SUSPECT: Final = 3
FAIL: Final = 4
MISSING: Final = 9
Span = tuple[float, float]


Period = Literal["month", "dayofyear", "quarter", "week", "year", ""]


@dataclass(frozen=True)
class Season:
    """What is expected at one time of the year, or between two dates.

    Attributes:
        first: its first month, day of the year, quarter, week (ISO) or year; where ``period``
            is empty a moment.
        last: its last, included. A season does not reach over the turn of its period.
        suspect: smallest and largest value expected.
        fail: smallest and largest value possible; None = not told.
        period: what ``first`` and ``last`` count.
    """

    first: float | np.datetime64
    last: float | np.datetime64
    suspect: Span
    fail: Span | None = None
    period: Period = "month"


def gross_range(values: ArrayLike, fail: Span, suspect: Span | None = None) -> Flags:
    """Values a sensor (fail) or a place (suspect) cannot have; the ends of a span are allowed.

    Args:
        values: any unit; NaN = missing.
        fail: smallest and largest value possible.
        suspect: smallest and largest value expected, inside ``fail``.

    Returns:
        A flag per value.

    Raises:
        ValueError: a span upside down, or one that is not inside ``fail``.

    >>> gross_range([5, 25, 41, np.nan], (0, 40), (0, 20)).tolist()
    [1, 3, 4, 9]
    """
    inner = fail if suspect is None else suspect
    if not fail[0] <= inner[0] <= inner[1] <= fail[1]:
        raise ValueError("the span expected must lie inside the span possible")
    x = np.asarray(values, np.float64)
    flags = np.full(x.shape, PASS, np.uint8)
    flags[(x < inner[0]) | (x > inner[1])] = SUSPECT
    flags[(x < fail[0]) | (x > fail[1])] = FAIL
    flags[np.isnan(x)] = MISSING
    return flags


def spike(values: ArrayLike, suspect: float, fail: float) -> Flags:
    """A value far from the mean of its two neighbours.

    Args:
        values: in order of time; NaN = missing.
        suspect: distance above which a value is suspect, unit of the values.
        fail: distance above which it fails.

    Returns:
        A flag per value; the first and last, and those beside a gap, are not evaluated.

    Raises:
        ValueError: thresholds not above 0 or in the wrong order.

    >>> spike([1, 1, 9, 1, 1], 2, 5).tolist()
    [2, 3, 4, 3, 2]
    """
    if not 0 < suspect <= fail:
        raise ValueError("thresholds are above 0, suspect not above fail")
    x = np.asarray(values, np.float64)
    flags = np.full(x.shape, NOT_EVALUATED, np.uint8)
    if x.size > 2:
        away = np.abs(x[1:-1] - (x[:-2] + x[2:]) / 2)
        inner = np.where(np.isnan(away), NOT_EVALUATED, PASS).astype(np.uint8)
        inner[away > suspect] = SUSPECT
        inner[away > fail] = FAIL
        flags[1:-1] = inner
    flags[np.isnan(x)] = MISSING
    return flags


def rate_of_change(values: ArrayLike, seconds: ArrayLike, limit: float) -> Flags:
    """A value that changed faster since the one before than is possible.

    Args:
        values: in order of time; NaN = missing.
        seconds: time of each, seconds, ascending.
        limit: largest possible change per second.

    Returns:
        A flag per value; the first and those after a missing value pass, as in ioos_qc.

    Raises:
        ValueError: times that do not ascend, of another length, or a limit not above 0.

    >>> rate_of_change([1, 2, 60], [0, 60, 120], 0.1).tolist()
    [1, 1, 3]
    """
    if not limit > 0:
        raise ValueError("the limit of change is above 0")
    x, t = np.asarray(values, np.float64), _ascending(seconds, np.size(values))
    flags = np.full(x.shape, PASS, np.uint8)
    flags[1:][np.abs(np.diff(x)) / np.diff(t) > limit] = SUSPECT
    flags[np.isnan(x)] = MISSING
    return flags


def flat_line(
    values: ArrayLike, seconds: ArrayLike, tolerance: float, suspect: float, fail: float
) -> Flags:
    """A sensor that repeats itself: the range of the values of the last seconds is too small.

    Args:
        values: in order of time; NaN = missing.
        seconds: time of each, seconds, ascending.
        tolerance: range below which a stretch is flat, unit of the values.
        suspect: length of a flat stretch that is suspect, seconds.
        fail: length that fails.

    Returns:
        A flag per value. A stretch holds as many usual steps as fit into its length; values
        with fewer before them pass, as in ioos_qc.

    Raises:
        ValueError: times that do not ascend or a threshold that makes no sense.

    >>> flat_line([1, 1, 1, 1, 2], [0, 10, 20, 30, 40], 0.1, 20, 30).tolist()
    [1, 1, 3, 4, 1]
    """
    if not (tolerance > 0 and 0 < suspect <= fail):
        raise ValueError("tolerance and lengths are above 0, suspect not above fail")
    x, t = np.asarray(values, np.float64), _ascending(seconds, np.size(values))
    flags = np.full(x.shape, PASS, np.uint8)
    step = float(np.median(np.diff(t))) if t.size > 1 else fail
    for length, flag in ((suspect, SUSPECT), (fail, FAIL)):
        reach = np.floor(length / step + 1e-9) * step
        start = np.searchsorted(t, t - length - 1e-6, side="left")
        # One value alone is no stretch, nor are values that span less than it.
        full = (t - t[start] >= reach - 1e-6) & (start < np.arange(t.size))
        flags[full & (_range(x, start) < tolerance)] = flag
    flags[np.isnan(x)] = MISSING
    return flags


def climatology(values: ArrayLike, times: ArrayLike, seasons: Sequence[Season]) -> Flags:
    """Values that a place does not have at this time of the year.

    Seasons are applied in order; where several hold the last one's flag stands, as in ioos_qc.
    A missing value stays missing; ioos_qc 3.0.0 lets it pass where a season counts periods.

    Args:
        values: any unit; NaN = missing.
        times: numpy datetime64 of each, UTC.
        seasons: what is expected when.

    Returns:
        A flag per value; those outside all seasons are not evaluated.

    Raises:
        ValueError: another number of times, or a span upside down.

    >>> winter = Season(1, 3, (0, 5), (-1, 10))
    >>> days = np.array(["2024-01-05", "2024-02-05", "2024-03-05", "2024-07-05"], "M8[D]")
    >>> climatology([4, 7, 12, 12], days, [winter]).tolist()
    [1, 3, 4, 2]
    """
    x, t = np.asarray(values, np.float64), pd.DatetimeIndex(np.asarray(times))
    if x.shape != (t.size,):
        raise ValueError("one time is needed for each value")
    flags = np.full(x.shape, NOT_EVALUATED, np.uint8)
    for season in seasons:
        spans = (season.suspect, season.fail or season.suspect)
        if any(low > high for low, high in spans):
            raise ValueError("the smallest value of a season lies above the largest")
        inside = _inside(t, season) & ~np.isnan(x)
        flag = np.full(x.shape, PASS, np.uint8)
        flag[(x < season.suspect[0]) | (x > season.suspect[1])] = SUSPECT
        if season.fail is not None:
            flag[(x < season.fail[0]) | (x > season.fail[1])] = FAIL
        flags[inside] = flag[inside]
    flags[np.isnan(x)] = MISSING
    return flags


def attenuated(
    values: ArrayLike,
    seconds: ArrayLike,
    suspect: float,
    fail: float,
    *,
    window: float | None = None,
    least: int | None = None,
    check: Literal["std", "range"] = "std",
) -> Flags:
    """A sensor that hardly moves: the spread of its last values is too small.

    Args:
        values: in order of time; NaN = missing.
        seconds: time of each, seconds, ascending.
        suspect: spread below which a value is suspect, unit of the values.
        fail: spread below which it fails.
        window: seconds before each value, its own moment included, that are looked at; None =
            all values together.
        least: values a window must hold; None = 1.
        check: spread by population standard deviation, or by range.

    Returns:
        A flag per value. A window with too few values is not evaluated, nor is one with a
        missing value where the range is asked for; as in ioos_qc.

    Raises:
        ValueError: times that do not ascend, or thresholds that make no sense.

    >>> attenuated([1, 5, 1, 1, 1], [0, 10, 20, 30, 40], 1.0, 0.1, window=20, least=2).tolist()
    [2, 1, 1, 4, 4]
    """
    if not 0 <= fail <= suspect or (window is not None and not window > 0):
        raise ValueError("spreads are not negative, fail not above suspect, the window above 0")
    x, t = np.asarray(values, np.float64), _ascending(seconds, np.size(values))
    known = x[~np.isnan(x)]
    spread = np.full(x.size, np.nan)
    if window is None and known.size:
        one = np.std(known) if check == "std" else np.ptp(known)
        spread = np.repeat(np.float64(one), x.size)
    elif window is not None and check == "std":
        when = pd.to_datetime(np.rint(t * 1e6).astype(np.int64), unit="us")
        rolling = pd.Series(x, index=when).rolling(pd.Timedelta(seconds=window), min_periods=least)
        spread = rolling.std(ddof=0).to_numpy()
    elif window is not None:
        start = np.searchsorted(t, t - window, side="right")
        missing = np.concatenate([[0], np.cumsum(np.isnan(x))])
        place = np.arange(x.size)
        whole = (missing[place + 1] == missing[start]) & (place + 1 - start >= (least or 1))
        spread = np.where(whole, _range(x, start), np.nan)
    flags = np.full(x.shape, NOT_EVALUATED, np.uint8)
    flags[spread >= suspect] = PASS
    flags[spread < suspect] = SUSPECT
    flags[spread < fail] = FAIL
    flags[np.isnan(x)] = MISSING
    return flags


def gaps(seconds: ArrayLike, step: float, tolerance: float = 0.5) -> NDArray[np.bool_]:
    """Which values come later after the one before than the stream's step allows.

    Args:
        seconds: time of each, seconds, ascending.
        step: the stream's usual step, seconds.
        tolerance: share of a step that may be added.

    Returns:
        True at the first value after each gap.

    Raises:
        ValueError: times that do not ascend, or a step not above 0.

    >>> gaps([0, 10, 20, 60], 10).tolist()
    [False, False, False, True]
    """
    if not step > 0:
        raise ValueError("the step of a stream is above 0")
    t = _ascending(seconds, np.size(seconds))
    late = np.zeros(t.size, np.bool_)
    late[1:] = np.diff(t) > step * (1 + tolerance)
    return late


def worst(*flags: Flags) -> Flags:
    """The flag of several tests together: missing, else fail, suspect, pass, not evaluated.

    Args:
        flags: of each test, one length.

    Returns:
        The primary flag of each value.

    >>> worst(np.array([1, 2, 3], np.uint8), np.array([2, 2, 4], np.uint8)).tolist()
    [1, 2, 4]
    """
    rank = np.zeros(10, np.uint8)
    for place, flag in enumerate((NOT_EVALUATED, PASS, SUSPECT, FAIL, MISSING)):
        rank[flag] = place
    table = np.stack(flags)
    chosen = rank[table].argmax(axis=0)
    return np.asarray(np.take_along_axis(table, chosen[None], axis=0)[0])


def _inside(t: pd.DatetimeIndex, season: Season) -> NDArray[np.bool_]:
    if season.period == "":
        ends = (pd.Timestamp(season.first), pd.Timestamp(season.last))
        return np.asarray((t >= ends[0]) & (t <= ends[1]))
    if season.period == "week":
        number = t.isocalendar()["week"].to_numpy().astype(np.float64)
    else:
        name = "day_of_year" if season.period == "dayofyear" else season.period
        number = np.asarray(getattr(t, name), np.float64)
    return np.asarray((number >= float(str(season.first))) & (number <= float(str(season.last))))


def _ascending(seconds: ArrayLike, size: int) -> Floats:
    t = np.asarray(seconds, np.float64)
    if t.shape != (size,) or not np.all(np.diff(t) > 0):
        raise ValueError("one time is needed for each value, ascending")
    return t


def _range(x: Floats, start: NDArray[np.int64]) -> Floats:
    """Largest minus smallest value from ``start[i]`` to i, by a sparse table of extremes."""
    low, high = np.where(np.isnan(x), np.inf, x), np.where(np.isnan(x), -np.inf, x)
    length = np.arange(x.size) - start + 1
    power = np.floor(np.log2(length)).astype(np.int64)
    smallest, largest = np.empty(x.size), np.empty(x.size)
    for level in range(int(power.max(initial=0)) + 1):
        if level:
            half = 2 ** (level - 1)
            low = np.minimum(low[:-half], low[half:])
            high = np.maximum(high[:-half], high[half:])
        rows = np.flatnonzero(power == level)
        first, last = start[rows], rows - 2**level + 1
        smallest[rows] = np.minimum(low[first], low[last])
        largest[rows] = np.maximum(high[first], high[last])
    return largest - smallest
