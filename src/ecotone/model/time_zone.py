"""Time zones by name, and what the clock of a zone showed: whole columns at once.

Only the IANA database knows which offset a place kept on a given day (several countries of the
networks changed theirs between 1980 and 2016), so a zone is its name there, or a fixed offset that
the text itself gives. A wall-clock time that the clock skipped has no UTC; one that it showed
twice has two, and both are given.
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

Micros = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time and UTC are told apart by name here

#: Abbreviations with one meaning in the networks' region, as IANA zones: their offsets changed over
#: the years (Moscow time was UTC+4 from 2011 to 2014).
ZONE_WORDS: Final[dict[str, str]] = {
    "UTC": "UTC", "GMT": "UTC", "Z": "UTC", "UT": "UTC", "ВСВ": "UTC", "世界时": "UTC",
    "协调世界时": "UTC", "MSK": "Europe/Moscow", "МСК": "Europe/Moscow",
    "МОСКОВСКОЕ ВРЕМЯ": "Europe/Moscow", "SAMT": "Europe/Samara",
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
_OFFSET: Final = re.compile(r"(?:(?:UTC|GMT)\s*)?([+\-−])(\d{1,2})(?::?(\d{2}))?")
_NAME: Final = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+")


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as declared or written: an IANA name, or a fixed offset in seconds east of UTC."""

    key: str = ""
    offset_s: int = 0


class UnknownZone(Exception):
    """``code`` is the finding: ``time-zone-unknown`` or ``time-zone-ambiguous``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@functools.lru_cache(maxsize=4096)
def resolve_zone(text: str) -> Zone:
    """The zone a text names; UnknownZone where it names none, or several.

    >>> resolve_zone("XJT"), resolve_zone("UTC+5")
    (Zone(key='Asia/Urumqi', offset_s=0), Zone(key='', offset_s=18000))
    """
    words = text.strip().strip("()[]").strip()
    if found := _OFFSET.fullmatch(words):
        hours, minutes = int(found[2]), int(found[3] or 0)
        if hours > 14 or minutes > 59:
            raise UnknownZone("time-zone-unknown")
        return Zone(offset_s=(hours * 60 + minutes) * 60 * (1 if found[1] == "+" else -1))
    if words.upper() in ZONE_WORDS:
        return Zone(ZONE_WORDS[words.upper()])
    if words.upper() in AMBIGUOUS_ZONES:
        raise UnknownZone("time-zone-ambiguous")
    if not _NAME.fullmatch(words):
        raise UnknownZone("time-zone-unknown")
    try:
        return Zone(zoneinfo.ZoneInfo(words).key)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone("time-zone-unknown") from None


def offset_text(seconds: int) -> str:
    """An offset as ``+05:30``.

    >>> offset_text(19800), offset_text(-3600)
    ('+05:30', '-01:00')
    """
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) // 60 % 60:02d}"


@dataclass(frozen=True, slots=True, eq=False)
class Utc:
    """What wall-clock times mean in UTC, microseconds since 1970."""

    first: Micros
    last: Micros  #: differs from ``first`` where the clock showed the time twice
    skipped: Bools  #: the clock never showed it; ``first`` and ``last`` mean nothing there


def to_utc(wall: Micros, zone: Zone) -> Utc:
    """UTC of wall-clock times (microseconds since 1970-01-01 00:00 on that clock).

    >>> wall = np.array([1469327400], dtype=np.int64) * 1_000_000  # 2016-07-24 02:30
    >>> bool(to_utc(wall, Zone("Asia/Novosibirsk")).skipped[0])
    True
    """
    if not zone.key:
        utc = wall - zone.offset_s * _SECOND
        return Utc(utc, utc, np.zeros(len(wall), dtype=np.bool_))
    first, last = np.zeros_like(wall), np.zeros_like(wall)
    skipped = np.zeros(len(wall), dtype=np.bool_)
    years = wall.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    found = np.unique(years)
    for run in np.split(found, np.flatnonzero(np.diff(found) > 1) + 1):
        if len(run):
            rows = np.flatnonzero((years >= run[0]) & (years <= run[-1]))
            here = _by_rules(wall[rows], _rules(zone.key, int(run[0]), int(run[-1])))
            first[rows], last[rows], skipped[rows] = here.first, here.last, here.skipped
    return Utc(first, last, skipped)


def _by_rules(wall: Micros, rules: tuple[Micros, Micros]) -> Utc:
    """``rules``: the moments (UTC) the offset changed, and the offsets before, between, after."""
    moments, offsets = rules
    ended = np.searchsorted(moments + offsets[:-1], wall, side="right")
    begun = np.searchsorted(moments + offsets[1:], wall, side="right")
    # Between two rules: ended but not yet begun is a skipped hour; begun but not yet ended, twice.
    first = wall - offsets[np.minimum(ended, begun)]
    last = wall - offsets[np.maximum(ended, begun)]
    return Utc(first, last, np.asarray(ended > begun))


def _rules(key: str, first_year: int, last_year: int) -> tuple[Micros, Micros]:
    years = range(max(first_year - 1, 2), min(last_year + 1, 9997) + 1)
    moments = [change for year in years for change in _changes(key, year)]
    start = _offset(key, datetime(years[0], 1, 1))  # noqa: DTZ001 - UTC, see _EPOCH
    return (
        np.array([moment for moment, _ in moments], dtype=np.int64),
        np.array([start, *(offset for _, offset in moments)], dtype=np.int64) * _SECOND,
    )


@functools.lru_cache(maxsize=1 << 16)
def _changes(key: str, year: int) -> tuple[tuple[int, int], ...]:
    """When (UTC, microseconds) in a year the offset changed, and to what (seconds).

    The zone is asked day by day, and the second between two days found by halving: two changes
    within one day that undo each other would be missed; the IANA database has none.
    """
    day = timedelta(days=1)
    moment, end = datetime(year, 1, 1), datetime(year + 1, 1, 1)  # noqa: DTZ001 - UTC, see _EPOCH
    before = _offset(key, moment)
    found: list[tuple[int, int]] = []
    while moment < end:
        after = _offset(key, min(moment + day, end))
        if after != before:
            low, high = moment, min(moment + day, end)
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                low, high = (middle, high) if _offset(key, middle) == before else (low, middle)
            found.append((round((high - _EPOCH) / timedelta(microseconds=1)), after))
            before = after
        moment += day
    return tuple(found)


def _offset(key: str, utc: datetime) -> int:
    zone = _zone_info(key)
    offset = zone.fromutc(utc.replace(tzinfo=zone)).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


@functools.cache
def _zone_info(key: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(key)
