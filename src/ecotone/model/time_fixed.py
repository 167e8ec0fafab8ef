"""Times of fixed form, read by whole columns: the fast path of ``parse_times``.

Takes a date as ``YYYY-MM-DD``, ``YYYY/MM/DD``, ``YYYY.MM.DD`` or ``DD.MM.YYYY`` (and its kin with
``/`` or ``-`` where the order is sure), alone or followed by ``T`` or a blank, ``hh:mm[:ss[.f]]``
and nothing, ``Z`` or an offset. Everything else, and anything out of range, is left to
:mod:`ecotone.model.time_text`, which agrees with this module on what it does take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
Chars = NDArray[np.uint32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_OFFSET: Final = -(2**31)
_BLOCK: Final = 1 << 16
_TAILS: Final = (0, 1, 6, 5, 3)  # lengths of "", "Z", "+05:00", "+0500", "+05"
_BASES: Final = frozenset({16, 19, *range(21, 30)})  # to the minute, the second, a fraction
_DAY, _MINUTE, _SECOND = 2, 4, 5  # places in time_text.PRECISIONS
_DAY_US: Final = 86_400_000_000


@dataclass(slots=True)
class FixedColumn:
    """Wall-clock times of a column; rows not ``read`` hold nothing."""

    wall: Ints  #: microseconds since 1970-01-01 00:00 on that clock
    precision: NDArray[np.int8]
    offset_s: NDArray[np.int32]  #: NO_OFFSET where none is written
    zulu: Bools  #: the offset is written as Z
    day_first: Bools  #: the order of day and month was taken from the dots
    read: Bools


def read_fixed(
    texts: NDArray[np.object_], lengths: NDArray[np.int64], day_first: bool | None
) -> FixedColumn:
    """Read what has a fixed form; ``texts`` are stripped strings, ``lengths`` theirs."""
    n = len(texts)
    column = FixedColumn(
        wall=np.zeros(n, dtype=np.int64),
        precision=np.full(n, -1, dtype=np.int8),
        offset_s=np.full(n, NO_OFFSET, dtype=np.int32),
        zulu=np.zeros(n, dtype=np.bool_),
        day_first=np.zeros(n, dtype=np.bool_),
        read=np.zeros(n, dtype=np.bool_),
    )
    for begin in range(0, n, _BLOCK):
        here = lengths[begin : begin + _BLOCK]
        for length in np.unique(here):
            if length == 10 or 16 <= length <= 35:
                rows = begin + np.flatnonzero(here == length)
                block = texts[rows].astype(f"U{length}")
                chars = block.view(np.uint32).reshape(len(rows), int(length))
                # Columns of the text as rows of the array: each is read through in one go.
                _read_block(column, rows, np.ascontiguousarray(chars.T), day_first)
    return column


def _read_block(column: FixedColumn, rows: Rows, chars: Chars, day_first: bool | None) -> None:
    """Rows of one length: the date once, then each tail that leaves a clock of a known form."""
    date, good, guessed = _dates(chars, day_first)
    if len(chars) == 10:
        _put(column, rows[good], date[good], guessed[good], _DAY)
        return
    good &= (chars[10] == ord("T")) | (chars[10] == ord(" ")) | (chars[10] == ord("t"))
    for tail in _TAILS:
        base = len(chars) - tail
        if base not in _BASES:
            continue
        wall, fits = _clocks(chars, base)
        offset, sound = _offsets(chars, base)
        fits &= good & sound
        if fits.any():
            wall += date
            kept = rows[fits]
            _put(column, kept, wall[fits], guessed[fits], _MINUTE if base == 16 else _SECOND)
            column.offset_s[kept] = offset[fits]
            column.zulu[kept] = tail == 1
            good &= ~fits
        if not good.any():
            return


def _put(column: FixedColumn, rows: Rows, wall: Ints, guessed: Bools, precision: int) -> None:
    column.wall[rows] = wall
    column.precision[rows] = precision
    column.day_first[rows] = guessed
    column.read[rows] = True


def _number(chars: Chars, at: int, width: int, good: Bools) -> Ints:
    """The number written in ``width`` digits; clears ``good`` where one is no digit."""
    value = np.zeros(chars.shape[1], dtype=np.int64)
    for place in range(at, at + width):
        digit = chars[place] - np.uint32(ord("0"))  # wraps round below "0"
        good &= digit <= 9
        value *= 10
        value += digit
    return value


def _dates(chars: Chars, day_first: bool | None) -> tuple[Ints, Bools, Bools]:
    """Midnight, whether it is a date, and whether dots told the order of day and month."""
    n = chars.shape[1]
    good = (chars[4] == chars[7]) & _is_mark(chars[4])
    guessed = np.zeros(n, dtype=np.bool_)
    if good.any():
        year = _number(chars, 0, 4, good)
        month = _number(chars, 5, 2, good)
        day = _number(chars, 8, 2, good)
    else:
        year = month = day = np.zeros(n, dtype=np.int64)
    last = (chars[2] == chars[5]) & _is_mark(chars[2])
    if last.any():
        fits = last.copy()
        year_last, one, two = (_number(chars, at, w, fits) for at, w in ((6, 4), (0, 2), (3, 2)))
        dotted = chars[2] == ord(".")
        swapped, unsure, told = _order(one, two, dotted, day_first)
        fits &= ~unsure
        year = np.where(fits, year_last, year)
        month = np.where(fits, np.where(swapped, one, two), month)
        day = np.where(fits, np.where(swapped, two, one), day)
        guessed = fits & told
        good |= fits
    return _midnight(year, month, day, good), good, guessed


def _is_mark(char: NDArray[np.uint32]) -> Bools:
    return np.asarray((char == ord("-")) | (char == ord("/")) | (char == ord(".")))


def _order(
    one: Ints, two: Ints, dotted: Bools, day_first: bool | None
) -> tuple[Bools, Bools, Bools]:
    """Of dates that end in the year: month first, order unknown, order told by dots alone."""
    no = np.zeros(len(one), dtype=np.bool_)
    if day_first is not None:
        return (no if day_first else ~no), no, no
    sure = (one > 12) | (one == two)
    month_first = ~sure & ~dotted & (two > 12)
    return month_first, ~sure & ~dotted & ~month_first, ~sure & dotted


def _midnight(year: Ints, month: Ints, day: Ints, good: Bools) -> Ints:
    """Microseconds since 1970; clears ``good`` where there is no such date."""
    good &= (year >= 1000) & (year <= 9998) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[D]").astype(np.int64)
    good &= day <= after - first
    return np.asarray((first + day - 1) * _DAY_US)


def _clocks(chars: Chars, base: int) -> tuple[Ints, Bools]:
    """Microseconds since midnight, and whether the clock has the form and the range."""
    good = chars[13] == ord(":")
    hour, minute = _number(chars, 11, 2, good), _number(chars, 14, 2, good)
    good &= (hour < 24) & (minute < 60)
    micro = (hour * 3600 + minute * 60) * 1_000_000
    if base >= 19:
        second = _number(chars, 17, 2, good)
        good &= (chars[16] == ord(":")) & (second < 60)
        micro += second * 1_000_000
    digits = max(base - 20, 0)
    if digits:
        good &= (chars[19] == ord(".")) | (chars[19] == ord(","))
        fraction = _number(chars, 20, digits, good)
        micro += (fraction * 10**6) // 10**digits
    return micro, good


def _offsets(chars: Chars, base: int) -> tuple[NDArray[np.int32], Bools]:
    """Seconds east of UTC in the characters from ``base`` on."""
    n, tail = chars.shape[1], len(chars) - base
    if tail == 0:
        return np.full(n, NO_OFFSET, dtype=np.int32), np.ones(n, dtype=np.bool_)
    if tail == 1:
        return np.zeros(n, dtype=np.int32), (chars[base] == ord("Z")) | (chars[base] == ord("z"))
    minus = chars[base] == ord("-")
    good = minus | (chars[base] == ord("+"))
    if tail == 6:
        good &= chars[base + 3] == ord(":")
    hours = _number(chars, base + 1, 2, good)
    minutes = _number(chars, len(chars) - 2, 2, good) if tail > 3 else np.zeros(n, dtype=np.int64)
    good &= (hours <= 14) & (minutes <= 59)
    seconds = (hours * 60 + minutes) * 60
    return np.where(minus, -seconds, seconds).astype(np.int32), good
