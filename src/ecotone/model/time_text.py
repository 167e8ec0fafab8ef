"""One time as people write it, read one way or refused: the careful path of ``parse_times``.

Pure text work: what date, what clock, what zone the words name. Whether the clock showed that time
in that zone is decided by :mod:`ecotone.model.time`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Final, Literal

Precision = Literal["year", "month", "day", "hour", "minute", "second"]
PRECISIONS: Final[tuple[Precision, ...]] = ("year", "month", "day", "hour", "minute", "second")
Excel = Literal[1900, 1904]


@dataclass(frozen=True, slots=True)
class Moment:
    """A civil date or time as written: ``start`` is naive, ``end`` is exclusive."""

    start: datetime
    end: datetime
    precision: Precision
    offset_s: int | None = None  #: seconds east of UTC, where the text gives it
    zone: str = ""  #: IANA zone the text names
    zone_text: str = ""  #: zone or offset as written
    code: str = ""  #: finding that does not stop the reading


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: a moment, two for an interval, or only the code of a refusal."""

    first: Moment | None
    last: Moment | None
    code: str = ""


class _Refused(Exception):
    """Carries the finding code out of the reading of one text."""


#: Abbreviations with one meaning in the networks' region, as IANA zones: their offsets changed over
#: the years (Moscow time was UTC+4 from 2011 to 2014).
ZONE_WORDS: Final[dict[str, str]] = {
    "UTC": "UTC", "GMT": "UTC", "Z": "UTC", "ВСВ": "UTC",
    "MSK": "Europe/Moscow", "МСК": "Europe/Moscow", "SAMT": "Europe/Samara",
    "YEKT": "Asia/Yekaterinburg", "OMST": "Asia/Omsk", "NOVT": "Asia/Novosibirsk",
    "KRAT": "Asia/Krasnoyarsk", "IRKT": "Asia/Irkutsk", "YAKT": "Asia/Yakutsk",
    "VLAT": "Asia/Vladivostok", "UZT": "Asia/Tashkent", "TJT": "Asia/Dushanbe",
    "KGT": "Asia/Bishkek", "TMT": "Asia/Ashgabat", "ALMT": "Asia/Almaty",
    "ULAT": "Asia/Ulaanbaatar", "ICT": "Asia/Bangkok", "JST": "Asia/Tokyo", "KST": "Asia/Seoul",
    "HKT": "Asia/Hong_Kong", "XJT": "Asia/Urumqi", "乌鲁木齐时间": "Asia/Urumqi",
    "新疆时间": "Asia/Urumqi", "BJT": "Asia/Shanghai", "北京时间": "Asia/Shanghai",
}  # fmt: skip
#: Abbreviations that name several zones; refused by name.
AMBIGUOUS_ZONES: Final = frozenset(
    {"ACT", "AMT", "AST", "BST", "CDT", "CST", "ECT", "EDT", "EST", "GST", "IST", "LST", "MDT",
     "MST", "PDT", "PST", "SST", "WST"}
)  # fmt: skip
_MONTHS: Final[dict[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "january jan января январь янв i", "february feb февраля февраль фев февр ii",
            "march mar марта март мар iii", "april apr апреля апрель апр iv",
            "may мая май v", "june jun июня июнь июн vi", "july jul июля июль июл vii",
            "august aug августа август авг viii", "september sep sept сентября сентябрь сен сент ix",
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
_OFFSET: Final = re.compile(r"(?:(?:UTC|GMT)\s*)?([+\-−])(\d{1,2})(?::?(\d{2}))?(?!\d)")
_SERIAL: Final = re.compile(r"\d{1,7}(?:[.,]\d+)?")
_LOOKS_SERIAL: Final = re.compile(r"\d{5}(?:[.,]\d+)?")
_ISO_START: Final = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?(?:[T ][\d:.,]+.*)?|\d{8}(?:T.*)?")


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
        if len(parts) == 2 and _ISO_START.fullmatch(parts[0].strip()):
            return _interval(parts[0].strip(), parts[1].strip(), day_first)
        moment = _moment(text, day_first)
        return Reading(moment, moment)
    except _Refused as refused:
        return Reading(None, None, str(refused))


def _interval(start: str, end: str, day_first: bool | None) -> Reading:
    first = _moment(start, day_first)
    whole_end = end
    if re.fullmatch(r"\d{1,2}:\d{2}.*", end):
        if first.precision in ("year", "month"):
            raise _Refused("time-unreadable")
        whole_end = f"{first.start.date().isoformat()}T{end}"
    elif re.fullmatch(r"\d{2}(?:-\d{2})?", end):
        if len(start) not in (7, 10) or len(end) > len(start) - 5:
            raise _Refused("time-unreadable")
        whole_end = start[: -len(end)] + end
    last = _moment(whole_end, day_first)
    if last.offset_s is None and not last.zone and first.zone_text:
        last = replace(
            last, offset_s=first.offset_s, zone=first.zone, zone_text=first.zone_text
        )
    if (first.offset_s is None) == (last.offset_s is None):
        shift = (last.offset_s or 0) - (first.offset_s or 0)
        if last.end - timedelta(seconds=shift) <= first.start:
            raise _Refused("time-interval-reversed")
    return Reading(first, last)


def _moment(text: str, day_first: bool | None) -> Moment:
    start, precision, code, rest = _date(text, day_first)
    rest = rest.strip()
    if not rest:
        return Moment(start, _next(start, precision), precision, code=code)
    if precision == "day":
        clock = rest.lstrip("Tt, \t") if rest[:1] in "Tt," else rest
        timed = _clock(start, clock, basic=rest[:1] in "Tt")
        if timed is not None:
            start, end, precision, clock_code, rest = timed
            offset, zone, zone_text = _zone(rest.strip())
            return Moment(start, end, precision, offset, zone, zone_text, clock_code or code)
    offset, zone, zone_text = _zone(rest)
    return Moment(start, _next(start, precision), precision, offset, zone, zone_text, code)


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


def _day_and_month(
    one: str, two: str, mark: str, day_first: bool | None
) -> tuple[str, str, str]:
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


def _clock(
    day: datetime, text: str, *, basic: bool
) -> tuple[datetime, datetime, Precision, str, str] | None:
    """Start, end, precision, mild code and rest of a clock time, or None where there is none."""
    m = _CLOCK.match(text) or _CLOCK_HAN.match(text) or (_CLOCK_BASIC.match(text) if basic else None)
    if m is None:
        return None
    groups = (*m.groups(), None, None)
    hour, minute, second = int(groups[0]), int(groups[1] or 0), int(groups[2] or 0)
    if groups[4]:
        if not 1 <= hour <= 12:
            raise _Refused("time-unreadable")
        hour = hour % 12 + (12 if groups[4] in "Pp" else 0)
    code, leap = "", second == 60 and minute == 59
    if hour == 24 and minute == second == 0:
        code = "time-end-of-day"
    elif leap:
        code = "time-leap-second"
    if (hour > 23 and not code) or minute > 59 or (second > 59 and not leap):
        raise _Refused("time-unreadable")
    fraction = groups[3] or ""
    precision: Precision = "second" if groups[2] else "minute" if groups[1] else "hour"
    span = {
        "second": timedelta(microseconds=10 ** (6 - min(len(fraction), 6))),
        "minute": timedelta(minutes=1),
        "hour": timedelta(hours=1),
    }[precision]
    start = day + timedelta(
        hours=hour, minutes=minute, seconds=second, microseconds=int(f"{fraction:0<6}"[:6])
    )
    return start, start + span, precision, code, text[m.end() :]


def _zone(text: str) -> tuple[int | None, str, str]:
    """Offset in seconds, IANA zone, and the words, of what follows a time."""
    words = text.strip().strip("()").removesuffix("]").lstrip("[")
    if not words:
        return None, "", ""
    if words in ("Z", "z"):
        return 0, "", "Z"
    if m := _OFFSET.fullmatch(words):
        hours, minutes = int(m[2]), int(m[3] or 0)
        if hours > 14 or minutes > 59:
            raise _Refused("time-zone-unknown")
        seconds = (hours * 60 + minutes) * 60 * (1 if m[1] == "+" else -1)
        return seconds, "", offset_text(seconds)
    if words.upper() in ZONE_WORDS:
        return None, ZONE_WORDS[words.upper()], words
    if words.upper() in AMBIGUOUS_ZONES:
        raise _Refused("time-zone-ambiguous")
    if re.fullmatch(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+", words):
        return None, words, words
    raise _Refused("time-zone-unknown" if re.fullmatch(r"[^\W\d]{2,5}", words) else "time-unreadable")


def offset_text(seconds: int) -> str:
    """An offset as ``+05:30``."""
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) // 60 % 60:02d}"


def _serial(text: str, excel: Excel) -> Moment:
    """A spreadsheet's day number; its 1900 calendar holds a 29 February that never was."""
    days = float(text.replace(",", "."))
    whole = int(days)
    if excel == 1900 and whole == 60:
        raise _Refused("date-invalid")
    if not 1 <= whole <= 2_958_465:
        raise _Refused("time-unreadable")
    zero = {1900: (1899, 12, 30 if whole > 60 else 31), 1904: (1904, 1, 1)}[excel]
    # Civil on purpose: a spreadsheet's clock has no zone.
    day = datetime(*zero, tzinfo=timezone.utc).replace(tzinfo=None) + timedelta(days=whole)
    seconds = round((days - whole) * 86_400)
    if seconds == 0 and not re.search(r"[.,]", text):
        return Moment(day, day + timedelta(days=1), "day")
    start = day + timedelta(seconds=seconds)
    return Moment(start, start + timedelta(seconds=1), "second")
