"""One time as people write it, read one way or refused: the careful path of ``parse_times``.

Pure text work: what date, what clock, what zone the words name. Whether the clock showed that time
in that zone is decided by :mod:`ecotone.model.time`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from ecotone.model.time_zone import UnknownZone, Zone, offset_text, resolve_zone

Precision = Literal["year", "month", "day", "hour", "minute", "second"]
PRECISIONS: Final[tuple[Precision, ...]] = ("year", "month", "day", "hour", "minute", "second")
#: Precisions that come from a time of day.
CLOCK: Final = frozenset({"hour", "minute", "second"})
Excel = Literal[1900, 1904]


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time as written, on the wall's clock.

    A clock time is an instant (``end`` is ``start``); a date, month or year lasts until ``end``,
    where the next one begins.
    """

    start: datetime
    end: datetime
    precision: Precision
    zone: Zone | None = None  #: the zone or offset the text itself gives
    zone_text: str = ""  #: the same, as written
    code: str = ""  #: finding that does not stop the reading

    @property
    def clock(self) -> bool:
        """Whether a time of day was given."""
        return self.precision in CLOCK


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: a moment, two for an interval, or only the code of a refusal."""

    first: Moment | None
    last: Moment | None
    code: str = ""


class _Refused(Exception):
    """Carries the finding code out of the reading of one text."""


_MONTHS: Final[dict[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "january jan января январь янв i", "february feb февраля февраль фев февр ii",
            "march mar марта март мар iii", "april apr апреля апрель апр iv",
            "may мая май v", "june jun июня июнь июн vi", "july jul июля июль июл vii",
            "august aug августа август авг viii",
            "september sep sept сентября сентябрь сен сент ix",
            "october oct октября октябрь окт x", "november nov ноября ноябрь ноя нояб xi",
            "december dec декабря декабрь дек xii",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip

_ORDINAL: Final = re.compile(r"(\d{4})-?(\d{3})(?!\d)")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_BASIC: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})(?![\d-])")
_YEAR: Final = re.compile(r"(\d{4})(?![\d./-])(?:\s*(?:г\.|год|г)(?!\w))?")
_HAN: Final = re.compile(r"(\d{4})\s*年(?:\s*(\d{1,2})\s*月(?:\s*(\d{1,2})\s*[日号])?)?")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)(?:\s*(?:г\.|г)(?!\w))?")
_SHORT_YEAR: Final = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{2}(?!\d)")
_NAMED: Final = re.compile(
    r"(?:(\d{1,2})[\s.-]+)?([A-Za-zА-Яа-я]+)[\s.,-]+(\d{4})(?!\d)(?:\s*(?:г\.|года|г)(?!\w))?"
)
_CLOCK: Final = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?!\d)(?:\s*([AaPp])\.?[Mm]\.?(?!\w))?"
)
_CLOCK_BASIC: Final = re.compile(r"(\d{2})(?:(\d{2})(?:(\d{2})(?:[.,](\d{1,9}))?)?)?(?!\d)")
_CLOCK_HAN: Final = re.compile(r"(\d{1,2})\s*[时時点](?:\s*(\d{1,2})\s*分(?:\s*(\d{1,2})\s*秒)?)?")
_DURATION: Final = re.compile(
    r"P(?=[\dT])(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)
_SERIAL: Final = re.compile(r"\d{1,7}(?:[.,]\d+)?")
_LOOKS_SERIAL: Final = re.compile(r"\d{5}(?:[.,]\d+)?")
_ENDS: Final = re.compile(r"\s*[\dP]")
_ISO_START: Final = re.compile(
    r"P[\dTYMWDHS]+|\d{4}(?:-\d{2}(?:-\d{2})?)?(?:[T ][\d:.,]+.*)?|\d{8}(?:T.*)?"
)


def read_time(text: str, *, day_first: bool | None, excel: Excel | None) -> Reading:
    """What one text says.

    >>> read_time("13.07.2023", day_first=None, excel=None).first.start.date().isoformat()
    '2023-07-13'
    >>> read_time("07/01/2023", day_first=None, excel=None).code
    'date-ambiguous'
    """
    try:
        if excel is not None and _SERIAL.fullmatch(text) and not re.fullmatch(r"\d{8}", text):
            moment = _serial(text, excel)
            return Reading(moment, moment)
        if excel is None and _LOOKS_SERIAL.fullmatch(text):
            raise _Refused("time-serial-undeclared")
        parts = text.split("/")
        if len(parts) == 2 and _ISO_START.fullmatch(parts[0].strip()) and _ENDS.match(parts[1]):
            return _interval(parts[0].strip(), parts[1].strip(), day_first)
        moment = _moment(text, day_first)
        return Reading(moment, moment)
    except _Refused as refused:
        return Reading(None, None, str(refused))


def _interval(start: str, end: str, day_first: bool | None) -> Reading:
    if start.startswith("P"):
        last = _moment(end, day_first)
        first = replace(last, start=_shifted(last.start, start, -1), code="")
        return Reading(first, last)
    first = _moment(start, day_first)
    if end.startswith("P"):
        over = _shifted(first.start, end, 1)
        return Reading(first, replace(first, start=over, end=over, code=""))
    last = _moment(_whole_end(start, end, first), day_first)
    if last.zone is None and first.zone is not None:
        last = replace(last, zone=first.zone, zone_text=first.zone_text)
    if _reversed(first, last):
        raise _Refused("time-interval-reversed")
    return Reading(first, last)


def _whole_end(start: str, end: str, first: Moment) -> str:
    """The end of an interval with what ISO 8601 lets it borrow from the start."""
    if re.fullmatch(r"\d{1,2}:\d{2}.*", end):
        if first.precision in ("year", "month"):
            raise _Refused("time-unreadable")
        return f"{first.start.date().isoformat()}T{end}"
    if re.fullmatch(r"\d{2}(?:-\d{2})?", end):
        if len(start) not in (7, 10) or len(end) > len(start) - 5:
            raise _Refused("time-unreadable")
        return start[: -len(end)] + end
    return end


def _reversed(first: Moment, last: Moment) -> bool:
    """Whether the end surely lies before the start; zones by name are not compared."""
    if first.clock and last.clock and first.zone != last.zone:
        if first.zone is None or last.zone is None or first.zone.key or last.zone.key:
            return False
        shift = timedelta(seconds=last.zone.offset_s - first.zone.offset_s)
        return last.end - shift < first.start
    return last.end < first.start


def _shifted(moment: datetime, text: str, sign: int) -> datetime:
    """A moment moved by an ISO 8601 duration; a day the month lacks becomes its last."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise _Refused("time-unreadable")
    years, months, weeks, days, hours, minutes, seconds = (
        int(part or 0) for part in found.groups()
    )
    month = moment.year * 12 + moment.month - 1 + sign * (years * 12 + months)
    if not 1000 <= month // 12 <= 9998 or max(weeks, days, hours, minutes, seconds) > 10**7:
        raise _Refused("date-invalid")
    first = moment.replace(year=month // 12, month=month % 12 + 1, day=1)
    last_day = (_next(first, "month") - timedelta(days=1)).day
    span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    try:
        return first.replace(day=min(moment.day, last_day)) + sign * span
    except OverflowError:
        raise _Refused("date-invalid") from None


def _moment(text: str, day_first: bool | None) -> Moment:
    start, precision, code, rest = _date(text, day_first)
    rest = rest.strip()
    if rest and precision == "day":
        clock = rest.lstrip("Tt, \t") if rest[:1] in "Tt," else rest
        timed = _clock(start, clock, basic=rest[:1] in "Tt")
        if timed is not None:
            start, precision, clock_code, rest = timed
            zone, zone_text = _zone(rest.strip())
            return Moment(start, start, precision, zone, zone_text, clock_code or code)
    zone, zone_text = _zone(rest)
    return Moment(start, _next(start, precision), precision, zone, zone_text, code)


def _date(text: str, day_first: bool | None) -> tuple[datetime, Precision, str, str]:
    """Midnight of the date, its precision, a mild code, and the text after it."""
    if m := _HAN.match(text):
        return _civil(m[1], m[2], m[3], text[m.end() :])
    if m := _YEAR_FIRST.match(text):
        return _civil(m[1], m[3], m[4], text[m.end() :])
    if m := _BASIC.match(text):
        return _civil(m[1], m[2], m[3], text[m.end() :])
    if m := _MONTH.match(text):
        return _civil(m[1], m[2], None, text[m.end() :])
    if m := _ORDINAL.match(text):
        return _day_of_year(m[1], int(m[2]), text[m.end() :])
    if m := _YEAR.match(text):
        return _civil(m[1], None, None, text[m.end() :])
    if m := _YEAR_LAST.match(text):
        day, month, code = _day_and_month(m[1], m[3], m[2], day_first)
        start, precision, _, rest = _civil(m[4], month, day, text[m.end() :])
        return start, precision, code, rest
    if (m := _NAMED.match(text)) and m[2].lower() in _MONTHS:
        return _civil(m[3], str(_MONTHS[m[2].lower()]), m[1], text[m.end() :])
    raise _Refused("date-short-year" if _SHORT_YEAR.match(text) else "time-unreadable")


def _day_and_month(one: str, two: str, mark: str, day_first: bool | None) -> tuple[str, str, str]:
    """Which of two numbers is the day."""
    if day_first is not None:
        return (one, two, "") if day_first else (two, one, "")
    if int(one) > 12 or int(one) == int(two):
        return one, two, ""
    if mark == ".":
        return one, two, "date-day-first"
    if int(two) > 12:
        return two, one, ""
    raise _Refused("date-ambiguous")


def _civil(
    year: str, month: str | None, day: str | None, rest: str
) -> tuple[datetime, Precision, str, str]:
    precision: Precision = "year" if month is None else "month" if day is None else "day"
    if not 1000 <= int(year) <= 9998:
        raise _Refused("date-invalid")
    try:
        # Civil on purpose: the zone is found later or stays unknown.
        start = datetime(int(year), int(month or 1), int(day or 1))  # noqa: DTZ001 - see above
    except ValueError:
        raise _Refused("date-invalid") from None
    return start, precision, "", rest


def _day_of_year(year: str, day: int, rest: str) -> tuple[datetime, Precision, str, str]:
    start = _civil(year, None, None, "")[0] + timedelta(days=day - 1)
    if day < 1 or start.year != int(year):
        raise _Refused("date-invalid")
    return start, "day", "", rest


def _next(start: datetime, precision: Precision) -> datetime:
    if precision == "year":
        return start.replace(year=start.year + 1)
    if precision == "month":
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=1)


def _clock(day: datetime, text: str, *, basic: bool) -> tuple[datetime, Precision, str, str] | None:
    """Moment, precision, mild code and rest of a clock time, or None where there is none."""
    m = (
        _CLOCK.match(text)
        or _CLOCK_HAN.match(text)
        or (_CLOCK_BASIC.match(text) if basic else None)
    )
    if m is None:
        return None
    groups = (*m.groups(), None, None)
    hour, minute, second = int(m[1]), int(groups[1] or 0), int(groups[2] or 0)
    if groups[4]:
        if not 1 <= hour <= 12:
            raise _Refused("time-unreadable")
        hour = hour % 12 + (12 if groups[4] in "Pp" else 0)
    fraction = groups[3] or ""
    code = ""
    if hour == 24 and minute == second == 0 and not fraction.strip("0"):
        code = "time-end-of-day"
    elif second == 60 and minute == 59:
        code = "time-leap-second"
    if (hour > 23 and not code) or minute > 59 or (second > 59 and not code):
        raise _Refused("time-unreadable")
    precision: Precision = "second" if groups[2] else "minute" if groups[1] else "hour"
    start = day + timedelta(
        hours=hour, minutes=minute, seconds=second, microseconds=int(f"{fraction:0<6}"[:6])
    )
    return start, precision, code, text[m.end() :]


def _zone(text: str) -> tuple[Zone | None, str]:
    """The zone of what follows a time, and its words."""
    words = text.strip().strip("()").removesuffix("]").lstrip("[").strip()
    if not words:
        return None, ""
    try:
        zone = resolve_zone(words)
    except UnknownZone as unknown:
        # A word or a number with a sign behind a time is a zone nobody knows, the rest no time.
        named = re.fullmatch(r"[^\W\d]{2,5}|[A-Za-z]+/\S+|[+-]\d{1,2}(?::?\d{2})?", words)
        known_words = named or unknown.code == "time-zone-ambiguous"
        raise _Refused(unknown.code if known_words else "time-unreadable") from None
    if zone.key or words in ("Z", "z"):
        return zone, words
    return zone, offset_text(zone.offset_s)


def _serial(text: str, excel: Excel) -> Moment:
    """A spreadsheet's day number; its 1900 calendar holds a 29 February that never was."""
    days = float(text.replace(",", "."))
    whole = int(days)
    if excel == 1900 and whole == 60:
        raise _Refused("date-invalid")
    if not 1 <= whole <= 2_950_000:
        raise _Refused("time-unreadable")
    zero = {1900: (1899, 12, 30 if whole > 60 else 31), 1904: (1904, 1, 1)}[excel]
    # Civil on purpose: a spreadsheet's clock has no zone.
    day = datetime(*zero) + timedelta(days=whole)  # noqa: DTZ001 - see above
    seconds = round((days - whole) * 86_400)
    if seconds == 0 and not re.search(r"[.,]", text):
        return Moment(day, day + timedelta(days=1), "day")
    start = day + timedelta(seconds=seconds)
    return Moment(start, start, "second")
