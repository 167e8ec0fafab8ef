"""Dates and intervals of ISO 8601-1:2019 as Darwin Core uses them, read strictly.

Taken: calendar (``1963``, ``1963-03``, ``1963-03-08``, ``19630308``), ordinal (``1963-067``) and
week dates (``1963-W10-5``), with a clock time and zone behind a whole date, and intervals of two
of them, the second of which may leave out what it has in common with the first
(``1880-05-08/10``). Not taken: the hour 24, durations, open intervals, and anything looser; what
is loose is a matter for amendments.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
    for index, text in enumerate(values):
        parts = text.split("/")
        first = _point(parts[0])
        if first is None or len(parts) > 2:
            continue
        last = first if len(parts) == 1 else _second(parts[0], parts[1])
        if last is not None:
            _put(dates, index, first, last, single=len(parts) == 1)
    return dates


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
    start = first.first * _DAY_S + first.clock_s
    if last.precision < TIME:
        end, last_day = last.after * _DAY_S, last.after - 1
    else:
        # A clock time that closes an interval is the instant itself; alone it lasts its own step.
        end = last.first * _DAY_S + last.clock_s + (last.step_s if single else 0.0)
        last_day = last.first
    shift = (last.offset_s or 0.0) - (first.offset_s or 0.0) if last.offset_s is not None else 0.0
    seconds = end - start - shift
    if seconds < 0:
        return
    dates.valid[index] = True
    dates.first_day[index], dates.last_day[index] = first.first, last_day
    dates.start_s[index], dates.end_s[index] = start, end
    dates.precision[index] = min(first.precision, last.precision)
    dates.seconds[index] = seconds


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
        later = datetime.date(year + number // 12, number % 12 + 1, 1).toordinal() - _ZERO
        return first, later, MONTH
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
