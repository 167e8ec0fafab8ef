"""ISO 8601 times of fixed form, read by whole columns: the fast path of ``parse_times``.

Takes ``YYYY-MM-DD`` and ``YYYY-MM-DD[T ]hh:mm[:ss[.f]]`` with nothing, ``Z`` or an offset behind;
everything else, and anything out of range, is left to :mod:`ecotone.model.time_text`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]

NO_OFFSET: Final = -(2**31)
_WIDTH: Final = 35
_BLOCK: Final = 1 << 17
_TAILS: Final = (0, 1, 6, 5, 3)  # lengths of "", "Z", "+05:00", "+0500", "+05"
_DAY, _MINUTE, _SECOND = 2, 4, 5  # places in time_text.PRECISIONS


@dataclass(slots=True)
class IsoColumn:
    """Civil times of a column; rows not ``read`` hold nothing."""

    start: NDArray[np.datetime64]
    span_us: NDArray[np.int64]
    precision: NDArray[np.int8]
    offset_s: NDArray[np.int32]  #: NO_OFFSET where none is written
    zulu: NDArray[np.bool_]
    read: NDArray[np.bool_]


def read_iso(texts: NDArray[np.object_], lengths: NDArray[np.int64]) -> IsoColumn:
    """Read what has the fixed form; ``texts`` are stripped strings, ``lengths`` theirs."""
    n = len(texts)
    column = IsoColumn(
        start=np.full(n, np.datetime64("NaT", "us")),
        span_us=np.zeros(n, dtype=np.int64),
        precision=np.zeros(n, dtype=np.int8),
        offset_s=np.full(n, NO_OFFSET, dtype=np.int32),
        zulu=np.zeros(n, dtype=np.bool_),
        read=np.zeros(n, dtype=np.bool_),
    )
    for begin in range(0, n, _BLOCK):
        here = lengths[begin : begin + _BLOCK]
        for length in np.unique(here):
            if length == 10 or 16 <= length <= _WIDTH:
                rows = begin + np.flatnonzero(here == length)
                block = texts[rows].astype(f"U{length}")
                chars = block.view(np.uint32).reshape(len(rows), int(length))
                _read_block(column, rows, chars)
    return column


def _read_block(column: IsoColumn, rows: Rows, chars: NDArray[np.uint32]) -> None:
    """Rows of one length: try each tail that leaves a base of a known form."""
    length = chars.shape[1]
    if length == 10:
        day, good = _dates(chars)
        _put(column, rows, good, day.astype("datetime64[us]"), _DAY, 86_400_000_000)
        return
    for tail in _TAILS:
        base = length - tail
        if base not in (16, 19) and not 21 <= base <= 29:
            continue
        fits = _tail_fits(chars, base) & ~column.read[rows]
        if not fits.any():
            continue
        some = np.flatnonzero(fits)
        _read_timed(column, rows[some], chars[some] if len(some) < len(rows) else chars, base)


def _read_timed(column: IsoColumn, rows: Rows, chars: NDArray[np.uint32], base: int) -> None:
    day, good = _dates(chars)
    good &= np.isin(chars[:, 10], [ord("T"), ord("t"), ord(" ")])
    hour, minute = _number(chars, 11, 2, good), _number(chars, 14, 2, good)
    good &= (chars[:, 13] == ord(":")) & (hour < 24) & (minute < 60)
    micro = (hour * 3600 + minute * 60).astype(np.int64) * 1_000_000
    if base >= 19:
        second = _number(chars, 17, 2, good)
        good &= (chars[:, 16] == ord(":")) & (second < 60)
        micro += second.astype(np.int64) * 1_000_000
    digits = max(base - 20, 0)
    if digits:
        good &= (chars[:, 19] == ord(".")) | (chars[:, 19] == ord(","))
        fraction = _number(chars, 20, digits, good)
        micro += (fraction * 10**6) // 10**digits
    offset, sound = _offsets(chars, base)
    good &= sound
    span = 60_000_000 if base == 16 else 10 ** (6 - min(digits, 6))
    start = day.astype("datetime64[us]") + micro.astype("timedelta64[us]")
    _put(column, rows, good, start, _MINUTE if base == 16 else _SECOND, span)
    column.offset_s[rows[good]] = offset[good]
    column.zulu[rows[good]] = chars.shape[1] - base == 1


def _put(
    column: IsoColumn,
    rows: Rows,
    good: NDArray[np.bool_],
    start: NDArray[np.datetime64],
    precision: int,
    span_us: int,
) -> None:
    kept = rows[good]
    column.start[kept] = start[good]
    column.precision[kept] = precision
    column.span_us[kept] = span_us
    column.read[kept] = True


def _number(
    chars: NDArray[np.uint32], at: int, width: int, good: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The number written in ``width`` digits; clears ``good`` where one is no digit."""
    value = np.zeros(len(chars), dtype=np.int64)
    for place in range(at, at + width):
        digit = chars[:, place].astype(np.int64) - ord("0")
        good &= (digit >= 0) & (digit <= 9)
        value = value * 10 + digit
    return value


def _dates(chars: NDArray[np.uint32]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    good = (chars[:, 4] == ord("-")) & (chars[:, 7] == ord("-"))
    year = _number(chars, 0, 4, good)
    month = _number(chars, 5, 2, good)
    day = _number(chars, 8, 2, good)
    good &= (year >= 1000) & (year <= 9998) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    date = months.astype("datetime64[D]") + np.where(good, day - 1, 0).astype("timedelta64[D]")
    good &= date.astype("datetime64[M]") == months
    return date, good


def _tail_fits(chars: NDArray[np.uint32], base: int) -> NDArray[np.bool_]:
    tail = chars.shape[1] - base
    if tail == 0:
        return np.asarray((chars[:, -1] >= ord("0")) & (chars[:, -1] <= ord("9")))
    if tail == 1:
        return np.asarray((chars[:, -1] == ord("Z")) | (chars[:, -1] == ord("z")))
    fits = (chars[:, base] == ord("+")) | (chars[:, base] == ord("-"))
    return np.asarray(fits & (chars[:, base + 3] == ord(":")) if tail == 6 else fits)


def _offsets(
    chars: NDArray[np.uint32], base: int
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    n, tail = len(chars), chars.shape[1] - base
    good = np.ones(n, dtype=np.bool_)
    if tail <= 1:
        return np.full(n, NO_OFFSET if tail == 0 else 0, dtype=np.int32), good
    hours = _number(chars, base + 1, 2, good)
    minutes = np.zeros(n, dtype=np.int64)
    if tail > 3:
        minutes = _number(chars, base + tail - 2, 2, good)
    good &= (hours <= 14) & (minutes <= 59)
    seconds = (hours * 60 + minutes) * 60
    return np.where(chars[:, base] == ord("-"), -seconds, seconds).astype(np.int32), good
