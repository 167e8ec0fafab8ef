"""Yearly means of a stack, the first step of every productivity trend."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.land.kernels import add_layers


def annual_mean(
    values: ArrayLike,
    times: ArrayLike,
    start: int | None = None,
    end: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The mean of every pixel in each calendar year from ``start`` to ``end``, both included.

    A year's mean is the sum of its valid values over their number; every composite weighs the
    same. Averaging by calendar year first keeps seasons out of the trend (Trends.Earth and
    the Good Practice Guidance for SDG indicator 15.3.1 do the same).

    Args:
        values: (time, ...) stack of any unit, float32 or float64; NaN or infinite = missing.
        times: (time,) dates as ``numpy.datetime64``, in any order.
        start: first calendar year; that of the earliest layer where left out.
        end: last calendar year; that of the latest layer where left out.

    Returns:
        The years, shape (years,), and the means, shape (years, ...) in the unit of the
        values; NaN where a pixel has no valid value in a year, or a year has no layer.

    Raises:
        ValueError: no layers, ``times`` of another length or not dates, or ``end`` before
            ``start``.

    >>> days = np.array(["2001-03-01", "2001-09-01", "2002-06-01"], "datetime64[D]")
    >>> years, means = annual_mean([[0.2], [0.4], [0.5]], days)
    >>> years.tolist(), means.round(3).tolist()
    ([2001, 2002], [[0.3], [0.5]])
    """
    stack = np.asarray(values)
    if stack.dtype != np.float32:
        stack = stack.astype(np.float64, copy=False)
    year = calendar_years(times)
    if stack.ndim == 0 or year.shape != stack.shape[:1] or not year.size:
        raise ValueError("the stack needs at least one layer and one date for each")
    first = int(year.min()) if start is None else start
    last = int(year.max()) if end is None else end
    if last < first:
        raise ValueError(f"the last year, {last}, lies before the first, {first}")
    years = np.arange(first, last + 1)
    pixels = np.ascontiguousarray(stack).reshape(stack.shape[0], -1)
    total = np.zeros((years.size, pixels.shape[1]))
    count = np.zeros(total.shape, dtype=np.int64)
    place = np.where((year >= first) & (year <= last), year - first, -1)
    add_layers(pixels, place, total, count)
    with np.errstate(invalid="ignore"):
        means = total / count
    return years, means.reshape(years.size, *stack.shape[1:])


def calendar_years(times: ArrayLike) -> NDArray[np.int64]:
    """The calendar year of each date.

    Args:
        times: dates as ``numpy.datetime64``, any shape.

    Returns:
        Years, same shape.

    Raises:
        ValueError: not dates, or one of them missing (NaT).

    >>> calendar_years(np.array(["1998-12-31"], "datetime64[D]")).tolist()
    [1998]
    """
    dates = np.asarray(times)
    if not np.issubdtype(dates.dtype, np.datetime64) or np.isnat(dates).any():
        raise ValueError("every layer needs a date")
    return dates.astype("datetime64[Y]").astype(np.int64) + 1970
