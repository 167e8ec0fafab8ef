"""Times as people write them, as UTC: whole columns, nothing guessed.

A clock time needs a zone: from its own text, else from what was declared, else it is refused
(``time-naive``). A time that carries its own offset is never moved by a declared one. A time the
clock skipped is refused; one it showed twice is taken with both bounds. A date, month or year
needs no zone: it is a label of the calendar, kept as the label's bounds written in UTC, so that a
sample of 1 July stays one of 1 July whatever zone it came from.

``start`` and ``end`` of a row: for a clock time the instant, twice; for a date, month or year its
beginning and the beginning of the next one; for an interval its two ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.errors import UsageError
from ecotone.model.finding import Severity
from ecotone.model.texts import distinct, lengths_of
from ecotone.model.time_fixed import NO_OFFSET, read_fixed
from ecotone.model.time_text import PRECISIONS, Excel, Moment, Precision, Reading, read_time
from ecotone.model.time_zone import (
    UnknownZone,
    Zone,
    offset_text,
    resolve_zone,
    to_utc,
)

__all__ = [
    "PRECISIONS",
    "SEVERITY",
    "Excel",
    "Precision",
    "Times",
    "format_time",
    "infer_day_first",
    "parse_times",
]

Instants = NDArray[np.datetime64]
Texts = NDArray[np.object_]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Column = pd.Series | Texts | Sequence[str | None]

SEVERITY: Final[Mapping[str, Severity]] = {
    "time-naive": Severity.ERROR,
    "time-nonexistent": Severity.ERROR,
    "time-unreadable": Severity.ERROR,
    "time-interval-reversed": Severity.ERROR,
    "time-serial-undeclared": Severity.ERROR,
    "time-zone-unknown": Severity.ERROR,
    "time-zone-ambiguous": Severity.ERROR,
    "date-invalid": Severity.ERROR,
    "date-ambiguous": Severity.ERROR,
    "date-short-year": Severity.ERROR,
    "time-ambiguous": Severity.WARNING,
    "time-future": Severity.WARNING,
    "time-leap-second": Severity.INFO,
    "time-end-of-day": Severity.INFO,
    "date-day-first": Severity.INFO,
}
_ERRORS: Final = frozenset(c for c, s in SEVERITY.items() if s is Severity.ERROR)
_WEIGHT: Final = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2, Severity.FATAL: 3}
_FIRST_CLOCK: Final = PRECISIONS.index("hour")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - wall-clock times have no zone
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY_US: Final = 86_400_000_000
_NAT: Final = np.iinfo(np.int64).min
_SAMPLE: Final = 2_000
_YEAR_LAST: Final = r"^\s*(\d{1,2})[/-](\d{1,2})[/-]\d{4}(?!\d)"


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """What a column says, one entry per row; a refused or empty row has no time (NaT)."""

    start: Instants  #: UTC, microseconds
    end: Instants
    code: Texts  #: finding code, "" for none; severities in :data:`SEVERITY`
    precision_place: NDArray[np.int8]  #: place in :data:`PRECISIONS`, -1 where there is no time
    zone_place: NDArray[np.int32]  #: place in ``zones``, -1 for none
    zones: tuple[str, ...]  #: zones and offsets by which rows were read, as written or declared

    @property
    def precision(self) -> Texts:
        """One of :data:`PRECISIONS` per row, None where there is no time."""
        return np.array([*PRECISIONS, None], dtype=object)[self.precision_place]

    @property
    def zone(self) -> Texts:
        """The zone or offset by which each row was read, None for none."""
        return np.array([*self.zones, None], dtype=object)[self.zone_place]

    @property
    def rejected(self) -> Bools:
        """Rows refused."""
        return _among(self.code, _ERRORS)

    def frame(self, index: pd.Index | None = None) -> pd.DataFrame:
        """``time_start``, ``time_end``, ``time_zone`` and ``time_precision``, UTC-aware."""
        return pd.DataFrame(
            {
                "time_start": pd.Series(self.start, index=index).dt.tz_localize("UTC"),
                "time_end": pd.Series(self.end, index=index).dt.tz_localize("UTC"),
                "time_zone": pd.Series(_taken(self.zones, self.zone_place), index=index),
                "time_precision": pd.Series(_taken(PRECISIONS, self.precision_place), index=index),
            }
        )


def parse_times(
    texts: Column,
    *,
    zone: str | Column | None = None,
    day_first: bool | None = None,
    excel: Excel | None = None,
    now: datetime | None = None,
) -> Times:
    """Read a column of times.

    Args:
        texts: ISO 8601 dates, times and intervals, and the usual spellings of China, Russia and
            Central Asia; missing and empty entries give NaT without a finding.
        zone: zone of the rows that name none: an IANA name (``Asia/Dushanbe``), an offset
            (``+05:00``) or a known abbreviation (``XJT``); one for all rows or one per row.
        day_first: whether 03/04/2021 is 3 April; without it such a date is refused.
        excel: the spreadsheet calendar (1900 or 1904) of bare numbers; without it they are refused.
        now: for ``time-future``; without it nothing is called future.

    >>> got = parse_times(["2023-07-01 06:00 XJT", "2023-07-01T05:00", "2023-07"])
    >>> got.start.astype("datetime64[m]").astype(str).tolist()
    ['2023-07-01T00:00', 'NaT', '2023-07-01T00:00']
    >>> got.code.tolist(), got.precision.tolist()
    (['', 'time-naive', ''], ['minute', None, 'month'])
    """
    column = texts if isinstance(texts, pd.Series) else pd.Series(list(texts), dtype="str")
    different, inverse = distinct(column)
    wall = _read(different, day_first, excel)
    if inverse is not None:
        wall = wall.take(inverse)
    return _placed(wall, _declared(zone, len(column)), now)


def format_time(start: datetime, precision: Precision) -> str:
    """A start as ISO 8601 text of its precision: a date stays a date, a clock time ends in Z.

    >>> format_time(datetime(2023, 7, 1, tzinfo=UTC), "month")
    '2023-07'
    >>> format_time(datetime(2023, 7, 1, 5, 30, tzinfo=UTC), "minute")
    '2023-07-01T05:30Z'
    """
    iso = start.astimezone(UTC).replace(tzinfo=None).isoformat()
    match precision:
        case "year" | "month" | "day":
            return iso[: {"year": 4, "month": 7, "day": 10}[precision]]
        case "hour" | "minute":
            return iso[: {"hour": 13, "minute": 16}[precision]] + "Z"
        case "second":
            return iso + "Z"


def infer_day_first(texts: pd.Series) -> bool | None:
    """The order of day and month in a column of dates such as 21/06/2006, where its rows tell it.

    None where no date decides, or where some decide otherwise.

    >>> infer_day_first(pd.Series(["10/04/2006", "21/06/2006"]))
    True
    """
    if not texts.iloc[:: max(len(texts) // _SAMPLE, 1)].str.match(_YEAR_LAST).any():
        return None
    parts = pd.Series(texts.unique(), dtype="str").str.extract(_YEAR_LAST).astype("Float64")
    day_first = bool(((parts[0] > 12) & (parts[0] <= 31) & (parts[1] <= 12)).any())
    month_first = bool(((parts[1] > 12) & (parts[1] <= 31) & (parts[0] <= 12)).any())
    return day_first if day_first != month_first else None


@dataclass(slots=True)
class _Wall:
    """A column on the wall's clock: per row two ends, each with the zone its text gives.

    Zones are places in ``zones``, where place 0 is "none given".
    """

    start: Ints
    end: Ints
    start_zone: NDArray[np.int32]
    end_zone: NDArray[np.int32]
    start_clock: Bools
    end_clock: Bools
    interval: Bools  #: two moments are written, the end is not the start's own
    precision: NDArray[np.int8]
    code: Texts
    zones: list[tuple[Zone | None, str]]

    def take(self, rows: NDArray[np.intp]) -> _Wall:
        """The rows named, in that order, repeated as they are named."""
        return _Wall(
            self.start[rows],
            self.end[rows],
            self.start_zone[rows],
            self.end_zone[rows],
            self.start_clock[rows],
            self.end_clock[rows],
            self.interval[rows],
            self.precision[rows],
            self.code[rows],
            self.zones,
        )


def _read(texts: Texts, day_first: bool | None, excel: Excel | None) -> _Wall:
    lengths = lengths_of(texts)
    fixed = read_fixed(texts, lengths, day_first)
    zones, zone = _written_offsets(fixed.offset_s, fixed.zulu)
    clock = fixed.precision >= _FIRST_CLOCK
    code = np.full(len(texts), "", dtype=object)
    code[fixed.day_first] = "date-day-first"
    wall = _Wall(
        start=fixed.wall,
        end=np.where(fixed.read & ~clock, fixed.wall + _DAY_US, fixed.wall),
        start_zone=zone,
        end_zone=zone.copy(),
        start_clock=clock,
        end_clock=clock.copy(),
        interval=np.zeros(len(texts), dtype=np.bool_),
        precision=fixed.precision,
        code=code,
        zones=zones,
    )
    places = {given: place for place, given in enumerate(zones)}
    for row in np.flatnonzero(~fixed.read & (lengths > 0)):
        _note(wall, int(row), read_time(texts[row], day_first=day_first, excel=excel), places)
    return wall


def _written_offsets(
    offset_s: NDArray[np.int32], zulu: Bools
) -> tuple[list[tuple[Zone | None, str]], NDArray[np.int32]]:
    """Offsets as zones, told apart by how they are written: Z is not +00:00."""
    key = np.where(zulu, NO_OFFSET + 1, offset_s)
    different, place = np.unique(key, return_inverse=True)
    zones: list[tuple[Zone | None, str]] = [(None, "")]
    number = np.zeros(len(different), dtype=np.int32)
    for index, seconds in enumerate(different.tolist()):
        if seconds == NO_OFFSET:
            continue
        number[index] = len(zones)
        written = (Zone(), "Z") if seconds == NO_OFFSET + 1 else (Zone(offset_s=seconds), None)
        zones.append((written[0], written[1] or offset_text(seconds)))
    return zones, number[place]


def _note(
    wall: _Wall, row: int, reading: Reading, places: dict[tuple[Zone | None, str], int]
) -> None:
    """Enter what the careful path read."""
    if reading.first is None or reading.last is None:
        wall.code[row] = reading.code
        return

    def place(moment: Moment) -> int:
        given = (moment.zone, moment.zone_text) if moment.zone is not None else (None, "")
        if given not in places:
            places[given] = len(wall.zones)
            wall.zones.append(given)
        return places[given]

    first, last = reading.first, reading.last
    wall.start[row] = (first.start - _EPOCH) // _MICROSECOND
    wall.end[row] = (last.end - _EPOCH) // _MICROSECOND
    wall.start_zone[row], wall.end_zone[row] = place(first), place(last)
    wall.start_clock[row], wall.end_clock[row] = first.clock, last.clock
    wall.interval[row] = first is not last
    wall.precision[row] = PRECISIONS.index(first.precision)
    wall.code[row] = first.code or last.code


@dataclass(frozen=True, slots=True, eq=False)
class _Declared:
    """Zones declared: place of each row in ``zones`` (0: none), and their texts."""

    row: NDArray[np.int32] | None  #: None where one zone (the last) holds for all rows
    zones: list[tuple[Zone | str | None, str]]  #: a str is the code of a zone nobody knows


def _declared(zone: str | Column | None, n: int) -> _Declared:
    none: tuple[Zone | str | None, str] = (None, "")
    if zone is None:
        return _Declared(None, [none])
    if isinstance(zone, str):
        return _Declared(None, [none, _resolved(zone)])
    column = zone if isinstance(zone, pd.Series) else pd.Series(list(zone), dtype="str")
    column = column.astype("str").str.strip()
    if len(column) != n:
        raise UsageError("Times and their zones are not of one length.")
    codes, uniques = pd.factorize(column.where(column != ""), use_na_sentinel=True)
    known = [none, *(_resolved(str(text)) for text in uniques)]
    return _Declared((codes + 1).astype(np.int32), known)


def _resolved(text: str) -> tuple[Zone | str | None, str]:
    try:
        return resolve_zone(text), text
    except UnknownZone as unknown:
        return unknown.code, text


def _placed(wall: _Wall, declared: _Declared, now: datetime | None) -> Times:
    """Wall-clock times as UTC, by the zone each text gives, else the declared one."""
    clock = _Clock(wall, declared)
    rows = np.flatnonzero(wall.start_clock)
    first, last = clock.utc(rows, wall.start, wall.start_zone)
    start, end = wall.start.copy(), wall.end.copy()
    start[rows], end[rows] = first, last
    spans = np.flatnonzero(wall.interval)
    end[spans] = wall.end[spans]
    timed = spans[wall.end_clock[spans]]
    _, end[timed] = clock.utc(timed, wall.end, wall.end_zone)
    code = clock.code
    given = wall.precision >= 0
    clock.mark(given & (end < start), "time-interval-reversed")
    if now is not None:
        moment = (now.astimezone(UTC).replace(tzinfo=None) - _EPOCH) // _MICROSECOND
        # A day's grace: a date east of Greenwich begins before it begins there.
        clock.mark(given & (start > moment + _DAY_US), "time-future")
    gone = ~given | _among(code, _ERRORS)
    start[gone], end[gone] = _NAT, _NAT
    return Times(
        start=start.astype("datetime64[us]"),
        end=end.astype("datetime64[us]"),
        code=code,
        precision_place=np.where(gone, np.int8(-1), wall.precision),
        zone_place=np.where(gone, np.int32(-1), clock.places()),
        zones=clock.names,
    )


class _Clock:
    """Zones of a column at work: those the texts give, then those declared."""

    def __init__(self, wall: _Wall, declared: _Declared) -> None:
        self.code = wall.code
        self._zones: list[tuple[Zone | str | None, str]] = [*wall.zones, *declared.zones]
        row = declared.row
        one = np.full(len(wall.code), len(declared.zones) - 1) if row is None else row
        self._declared = (one + len(wall.zones)).astype(np.int32)
        self._start_zone = self._effective(wall.start_zone, slice(None))

    def _effective(
        self, written: NDArray[np.int32], rows: NDArray[np.intp] | slice
    ) -> NDArray[np.int32]:
        return np.where(written[rows] > 0, written[rows], self._declared[rows])

    def utc(
        self, rows: NDArray[np.intp], wall: Ints, written: NDArray[np.int32]
    ) -> tuple[Ints, Ints]:
        """First and last UTC of the clock times in ``rows``; what cannot be is marked."""
        zone = self._effective(written, rows)
        first, last = wall[rows].copy(), wall[rows].copy()
        for place in np.flatnonzero(np.bincount(zone, minlength=1)).tolist():
            these = np.flatnonzero(zone == place)
            found = self._zones[place][0]
            if not isinstance(found, Zone):
                self._mark(rows[these], found or "time-naive")
                continue
            utc = to_utc(wall[rows[these]], found)
            first[these], last[these] = utc.first, utc.last
            self._mark(rows[these[utc.skipped]], "time-nonexistent")
            self._mark(rows[these[utc.last > utc.first]], "time-ambiguous")
        return first, last

    def mark(self, mask: Bools, code: str) -> None:
        """Give rows a code, where they carry none as heavy."""
        self._mark(np.flatnonzero(mask), code)

    def _mark(self, rows: NDArray[np.intp], code: str) -> None:
        if len(rows):
            lighter = [c for c, s in SEVERITY.items() if _WEIGHT[s] < _WEIGHT[SEVERITY[code]]]
            self.code[rows[_among(self.code[rows], {"", *lighter})]] = code

    @property
    def names(self) -> tuple[str, ...]:
        """The zones as written or declared."""
        return tuple(text for _, text in self._zones)

    def places(self) -> NDArray[np.int32]:
        """Place of each row's zone in ``names``, -1 where none is named."""
        named = np.array([bool(text) for text in self.names])
        return np.where(named[self._start_zone], self._start_zone, np.int32(-1))


def _taken(words: Sequence[str], places: NDArray[np.integer[Any]]) -> Any:
    """Words by place as a text column; -1 is missing."""
    return pd.array(words, dtype="str").take(places, allow_fill=True)


def _among(code: Texts, wanted: AbstractSet[str]) -> Bools:
    """Whether codes are among some, as fast as few different ones allow."""
    numbers, different = pd.factorize(code)
    return np.isin(np.asarray(different, dtype=str), sorted(wanted))[numbers]
