"""Dates and intervals of ISO 8601-1:2019 as Darwin Core uses them, read strictly.

Taken: calendar (``1963``, ``1963-03``, ``1963-03-08``, ``19630308``), ordinal (``1963-067``) and
week dates (``1963-W10-5``), with a clock time and zone behind a whole date, and intervals of two
of them, the second of which may leave out what it has in common with the first
(``1880-05-08/10``). Not taken: the hour 24, durations, open intervals, and anything looser; what
is loose is a matter for amendments.
"""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.time_fixed import read_fixed

Texts = NDArray[np.object_]

#: Places in the order of precision.
YEAR, MONTH, DAY, TIME = 0, 1, 2, 3
_DATE: Final = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|(?P<m>\d{2})(?P<d>\d{2})"
    r"|-?(?P<ordinal>\d{3})|-?W(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?)?",
    re.ASCII,
)
_CLOCK: Final = re.compile(
    r"([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d)(?:[.,](\d{1,9}))?)?)?"
    r"(Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?",
    re.ASCII,
)
_COMMON: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_ZERO: Final = datetime.date(1970, 1, 1).toordinal()
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class IsoDates:
    """Dates per row; days count from 1970-01-01, and mean nothing where not ``valid``."""

    valid: NDArray[np.bool_]
    first_day: NDArray[np.int64]  #: the first day it covers
    last_day: NDArray[np.int64]  #: the last day it covers
    start_s: NDArray[np.float64]  #: first instant, seconds from 1970-01-01T00:00 by its own clock
    end_s: NDArray[np.float64]  #: where it ends, exclusive for dates
    precision: NDArray[np.int8]  #: the coarser of its two ends: YEAR, MONTH, DAY or TIME
    seconds: NDArray[np.float64]  #: duration, zones taken into account

    def take(self, codes: NDArray[np.int64]) -> IsoDates:
        """Dates per distinct value -> dates per row; code -1 is not valid."""
        rows = np.where(codes < 0, 0, codes)
        if not len(self.valid):
            return _nothing(len(codes))
        taken = IsoDates(*(getattr(self, f.name)[rows] for f in fields(self)))
        taken.valid[codes < 0] = False
        return taken

    def calendar(self, days: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Year, month, day and day of year of days of these dates."""
        date = days.astype("datetime64[D]")
        months, years = date.astype("datetime64[M]"), date.astype("datetime64[Y]")
        return (
            years.astype(np.int64) + 1970,
            months.astype(np.int64) % 12 + 1,
            (date - months).astype(np.int64) + 1,
            (date - years).astype(np.int64) + 1,
        )


@dataclass(frozen=True, slots=True)
class _Point:
    first: int  #: day number
    after: int  #: first day number after it
    precision: int
    clock_s: float = 0.0
    step_s: float = 0.0
    offset_s: float | None = None


def read_iso_dates(values: Texts) -> IsoDates:
    """Read distinct texts."""
    dates = _nothing(len(values))
    common = pd.Series(values, dtype="str").str.fullmatch(_COMMON).fillna(False)
    _read_common(dates, values, np.flatnonzero(common.to_numpy(dtype=np.bool_)))
    for index in np.flatnonzero(~dates.valid).tolist():
        ends = _ends(values[index])
        if ends is not None:
            _put(dates, index, *ends, single="/" not in values[index])
    return dates


def is_iso_date(text: str) -> bool:
    """Whether one text is a date, a time or an interval of ISO 8601.

    >>> is_iso_date("1880-05-08/10"), is_iso_date("1963-03-08T24:00")
    (True, False)
    """
    ends = _ends(text)
    return ends is not None and _in_order(*ends, single="/" not in text)


def _ends(text: str) -> tuple[_Point, _Point] | None:
    parts = text.split("/")
    first = _point(parts[0]) if len(parts) <= 2 else None
    last = first if len(parts) == 1 or first is None else _second(parts[0], parts[1])
    return None if first is None or last is None else (first, last)


def _read_common(dates: IsoDates, values: Texts, rows: NDArray[np.intp]) -> None:
    """The forms most files use, by whole columns; what does not exist is left unread."""
    texts = values[rows]
    lengths = pd.Series(texts, dtype="str").str.len().to_numpy(dtype=np.int64)
    read = read_fixed(texts, np.asarray(lengths, dtype=np.int64), None)
    kept, wall = rows[read.read], read.wall[read.read] / 1e6
    kind = read.precision[read.read].astype(np.int64)
    step = np.array([np.nan, np.nan, _DAY_S, np.nan, 60.0, 1.0])[kind]
    day = (wall // _DAY_S).astype(np.int64)
    dates.valid[kept] = True
    dates.first_day[kept] = dates.last_day[kept] = day
    dates.start_s[kept], dates.end_s[kept] = wall, wall + step
    dates.precision[kept] = np.where(step == _DAY_S, DAY, TIME)
    dates.seconds[kept] = step


def _nothing(rows: int) -> IsoDates:
    return IsoDates(
        valid=np.zeros(rows, dtype=np.bool_),
        first_day=np.zeros(rows, dtype=np.int64),
        last_day=np.zeros(rows, dtype=np.int64),
        start_s=np.zeros(rows),
        end_s=np.zeros(rows),
        precision=np.zeros(rows, dtype=np.int8),
        seconds=np.zeros(rows),
    )


def _put(dates: IsoDates, index: int, first: _Point, last: _Point, *, single: bool) -> None:
    if not _in_order(first, last, single=single):
        return
    dates.valid[index] = True
    dates.first_day[index] = first.first
    dates.last_day[index] = last.after - 1
    dates.start_s[index] = first.first * _DAY_S + first.clock_s
    dates.end_s[index] = _end(last, single=single)
    dates.precision[index] = min(first.precision, last.precision)
    dates.seconds[index] = _length(first, last, single=single)


def _end(last: _Point, *, single: bool) -> float:
    """Where a date ends; a clock time that closes an interval is the instant itself."""
    if last.precision < TIME:
        return last.after * _DAY_S
    return last.first * _DAY_S + last.clock_s + (last.step_s if single else 0.0)


def _in_order(first: _Point, last: _Point, *, single: bool) -> bool:
    """Whether an interval does not end before it starts; one of dates is never empty."""
    seconds = _length(first, last, single=single)
    return seconds > 0 or (seconds == 0 and last.precision == TIME)


def _length(first: _Point, last: _Point, *, single: bool) -> float:
    """Seconds from the first instant to the end, by their own zones; below 0 if reversed."""
    known = first.offset_s is not None and last.offset_s is not None
    shift = (last.offset_s or 0.0) - (first.offset_s or 0.0) if known else 0.0
    return _end(last, single=single) - first.first * _DAY_S - first.clock_s - shift


def _second(first: str, text: str) -> _Point | None:
    """The end of an interval, completed from its start where it is cut short."""
    if not text:
        return None
    date, _, clock = first.partition("T")
    if clock and "T" not in text and re.fullmatch(_CLOCK, text) and (":" in text or "Z" in text):
        return _point(f"{date}T{text}")
    day, _, _ = text.partition("T")
    if "-" in date and len(day) < len(date) and re.fullmatch(r"\d{2}(-\d{2})?", day):
        return _point(date[: len(date) - len(day)] + text)
    return _point(text)


def _point(text: str) -> _Point | None:
    date, mark, clock = text.partition("T")
    found = _DATE.fullmatch(date)
    if found is None:
        return None
    try:
        first, after, precision = _days(found)
    except ValueError:
        return None
    if not mark:
        return _Point(first, after, precision)
    time = _CLOCK.fullmatch(clock)
    if time is None or precision != DAY:
        return None
    hour, minute, second, fraction, zone = time.groups()
    seconds = int(hour) * 3600 + int(minute or 0) * 60 + int(second or 0)
    step = 1.0 if second else 60.0 if minute else 3600.0
    if fraction:
        step = 10.0 ** -len(fraction)
        return _Point(first, after, TIME, seconds + float(f"0.{fraction}"), step, _offset(zone))
    return _Point(first, after, TIME, float(seconds), step, _offset(zone))


def _days(found: re.Match[str]) -> tuple[int, int, int]:
    """First day, day after, and precision of a date; ValueError where there is no such date."""
    year = int(found[1])
    month, day = found[2] or found["m"], found[3] or found["d"]
    if day:
        first = datetime.date(year, int(month), int(day)).toordinal() - _ZERO
        return first, first + 1, DAY
    if month:
        number = int(month)
        first = datetime.date(year, number, 1).toordinal() - _ZERO
        return first, first + calendar.monthrange(year, number)[1], MONTH
    start = datetime.date(year, 1, 1).toordinal() - _ZERO
    length = 366 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 365
    if found["ordinal"]:
        if not 1 <= int(found["ordinal"]) <= length:
            raise ValueError(found[0])
        first = start + int(found["ordinal"]) - 1
        return first, first + 1, DAY
    if found["week"]:
        day_of_week = int(found["weekday"] or 1)
        iso = datetime.date.fromisocalendar(year, int(found["week"]), day_of_week)
        first = iso.toordinal() - _ZERO
        return (first, first + 1, DAY) if found["weekday"] else (first, first + 7, MONTH)
    return start, start + length, YEAR


def _offset(zone: str | None) -> float | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0.0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return float(-seconds if zone[0] == "-" else seconds)
