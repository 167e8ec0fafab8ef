"""Tests of a sensor's stream: flags beside the values, never in their place.

The tests and flags of QARTOD (US IOOS, Manual for Real-Time Quality Control): 1 pass, 2 not
evaluated, 3 suspect, 4 fail, 9 missing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.uint8]

PASS: Final = 1
NOT_EVALUATED: Final = 2
SUSPECT: Final = 3
FAIL: Final = 4
MISSING: Final = 9
Span = tuple[float, float]


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
        full = t - t[:1] >= reach - 1e-6
        flags[full & (_range(x, start) < tolerance)] = flag
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
