"""The time columns of a block: text to UTC with precision and zone, doubts as findings.

Each vocabulary names its times differently (a Darwin Core event date with a time of day beside it,
the start and end of a deployment, a laboratory's date and clock); here they become one start, one
end and the text as delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.ingest.values import marks
from ecotone.model.finding import Severity
from ecotone.model.time import SEVERITY, Times, infer_day_first, parse_times

if TYPE_CHECKING:
    from ecotone.ingest.convert import Work

Mask = NDArray[np.bool_]

#: Headers that hold the start and the end of a record's time, by vocabulary; the first one counts.
_STARTS: Final = {
    "dwc": ("eventDate",),
    "camtrapdp": ("deploymentStart", "eventStart", "timestamp"),
    "ecotone": ("time_start", "time", "date", "time_text"),
}
_ENDS: Final = {"camtrapdp": ("deploymentEnd", "eventEnd"), "ecotone": ("time_end",)}
_CLOCKS: Final = {"dwc": ("eventTime",), "ecotone": ("time_of_day",)}
#: In Darwin Core the date is one part of a record that holds without it: told, kept as text.
_MILD_IN_DWC: Final = frozenset(
    {"time-unreadable", "date-invalid", "date-ambiguous", "date-short-year",
     "time-serial-undeclared", "time-interval-reversed"}
)  # fmt: skip
_NOT_A_TIME: Final = frozenset({"time-unreadable", "time-serial-undeclared", "date-short-year"})
_OWN_ZONE: Final = r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"
_CLOCK_TEXT: Final = r"\d{1,2}(?::\d{2}.*|\s*[时時点].*)?"


@dataclass(frozen=True)
class _Source:
    """Which columns of a block tell its time."""

    start: str | None
    end: str | None
    clock: str | None
    zone: str | None


def columns(work: Work, raw: dict[str, str]) -> dict[str, pd.Series]:
    """The typed time attributes of a block, empty where it tells no time.

    ``raw`` names the header of each attribute of the noun that the block has.
    """
    source = _source(work)
    if source.start is None and source.end is not None:
        return _end_alone(work, source.end, raw.get("time_zone") or source.zone)
    texts = None if source.start is None else _texts(work, source.start, source.clock)
    header = source.start
    if work.table.vocabulary == "dwc":
        texts, header = _with_parts(work, texts, header)
    if texts is None or header is None:
        return {}
    zone = raw.get("time_zone") or source.zone
    start = parse(work, header, zone=zone, texts=texts)
    out = start.frame(work.frame.index)
    told = work.frame[source.start] if source.clock is None and source.start else texts
    if source.end is not None:
        end = parse(work, source.end, zone=zone)
        out["time_end"] = _until(work, source.end, start, end)
        told = _joined(told, work.frame[source.end])
    own_text = raw.get("time_text")
    if own_text is not None and own_text != source.start:
        work.used.add(own_text)
        told = work.frame[own_text].where(work.frame[own_text].notna(), told)
    out["time_text"] = told.astype("str")
    if zone is not None:
        work.used.add(zone)
        _keep_unspoken(work, zone, out["time_zone"])
    work.used.update(raw[name] for name in ("time_start", "time_end") if name in raw)
    return {str(name): out[name] for name in out}


def _keep_unspoken(work: Work, zone: str, read_by: pd.Series) -> None:
    """A zone column that some rows did not need (their text has its own) is kept beside them."""
    given = work.frame[zone].astype("str").str.strip()
    if (_filled(work, work.frame[zone]) & (given != read_by).to_numpy(dtype=bool)).any():
        work.kept.add(zone)


def _end_alone(work: Work, header: str, zone: str | None) -> dict[str, pd.Series]:
    """An end whose start nobody wrote."""
    out = parse(work, header, zone=zone).frame(work.frame.index)
    out["time_start"] = pd.Series(pd.NaT, index=out.index, dtype="datetime64[us, UTC]")
    out["time_text"] = "/" + work.frame[header].astype("str")
    return {str(name): out[name] for name in out}


def parse(
    work: Work, header: str, zone: str | None = None, texts: pd.Series | None = None
) -> Times:
    """Read a column of times (``texts`` where they were put together), flagging its rows."""
    times, inferred = _read(work, work.frame[header] if texts is None else texts, zone)
    _tell(work, times, header, inferred)
    return times


def check(work: Work, found: dict[str, str]) -> None:
    """Judge the times of a table nobody has described, where half its cells do read as times.

    ``found`` names the header that looks like each attribute.
    """
    time, date, clock = found.get("time"), found.get("date"), found.get("time_of_day")
    if time is not None and date is not None and _is_clock(work.frame[time]):
        time, clock = None, time
    header = time or date
    if header is None:
        return
    texts = _texts(work, header, clock if header == date else None)
    times, inferred = _read(work, texts, found.get("zone"), found.get("site"))
    filled = _filled(work, texts)
    unread = np.isin(times.code.astype(str), sorted(_NOT_A_TIME))
    if filled.any() and (filled & ~unread).sum() * 2 >= filled.sum():
        _tell(work, times, header, inferred)


def _source(work: Work) -> _Source:
    vocabulary, frame = work.table.vocabulary, work.frame
    start = work.column(*_STARTS.get(vocabulary, ()))
    clock = work.column(*_CLOCKS.get(vocabulary, ()))
    if vocabulary == "ecotone" and start == "time" and "date" in frame and _is_clock(frame[start]):
        start, clock = work.column("date"), "time"
    return _Source(
        start=start,
        end=work.column(*_ENDS.get(vocabulary, ())),
        clock=clock,
        zone=work.column("zone") if vocabulary == "ecotone" else None,
    )


def _texts(work: Work, header: str, clock: str | None) -> pd.Series:
    """The column's texts, with the clock time that stands beside a bare date."""
    texts = work.frame[header]
    if clock is None:
        return texts
    hours, dates = work.frame[clock].astype("str").str.strip(), texts.astype("str").str.strip()
    given = _filled(work, hours)
    interval = dates.str.contains("/", regex=False) & dates.str.contains("-", regex=False)
    bare = dates.notna() & ~dates.str.contains(":", regex=False) & ~interval
    alone = given & bare.to_numpy(dtype=bool)
    timed = alone & hours.str.fullmatch(_CLOCK_TEXT).fillna(False).to_numpy(dtype=bool)
    work.flag("time-of-day-unread", alone & ~timed, clock, severity=Severity.WARNING)
    if work.table.vocabulary == "dwc" and work.declared.zone is None and not work.declared.zones:
        # The date holds without the clock; a clock that no zone was declared for is left out.
        naive = timed & ~hours.str.contains(_OWN_ZONE).fillna(False).to_numpy(dtype=bool)
        work.flag("time-of-day-naive", naive, clock, severity=Severity.WARNING)
        timed &= ~naive
    if (given & ~timed).any():
        work.kept.add(clock)
    hour_only = hours.str.fullmatch(r"\d{1,2}").fillna(False)
    hours = ("T" + hours.str.zfill(2)).where(hour_only, " " + hours)
    return texts.where(~timed, dates + hours)


def _with_parts(
    work: Work, texts: pd.Series | None, header: str | None
) -> tuple[pd.Series | None, str | None]:
    """Darwin Core's year, month and day, where a record has no event date."""
    if "year" not in work.frame:
        return texts, header
    number = {
        name: pd.to_numeric(work.frame[name], errors="coerce").to_numpy(dtype=np.float64)
        for name in ("year", "month", "day")
        if name in work.frame
    }
    year = number["year"]
    nothing = np.full(len(year), np.nan)
    month, day = number.get("month", nothing), number.get("day", nothing)
    built = pd.Series(np.where((year >= 1000) & (year <= 9998), year, np.nan)).astype("Int64")
    text = built.astype("str")
    with_month = (month >= 1) & (month <= 12)
    text = text.where(~with_month, text + "-" + _two_digits(month))
    text = text.where(~(with_month & (day >= 1) & (day <= 31)), text + "-" + _two_digits(day))
    text.index = work.frame.index
    if texts is None:
        return text, "year"
    empty = ~_filled(work, texts)
    return texts.where(~empty, text), header


def _two_digits(number: NDArray[np.float64]) -> pd.Series:
    whole = np.where((number >= 0) & (number < 100), number, 0).astype(np.int64)
    return pd.Series(whole).astype("str").str.zfill(2)


def _read(
    work: Work, texts: pd.Series, zone: str | None, site: str | None = None
) -> tuple[Times, bool | None]:
    """The times, and the order of day and month where it was taken from the column itself."""
    declared = work.declared
    day_first = declared.day_first
    inferred = None
    if day_first is None:
        day_first = inferred = infer_day_first(texts)
    times = parse_times(
        texts.where(_filled(work, texts), None),
        zone=_zones(work, zone, site),
        day_first=day_first,
        excel=declared.excel,
        now=datetime.now(UTC),
    )
    return times, inferred


def _zones(work: Work, header: str | None, site: str | None) -> str | pd.Series | None:
    """The zone of each row: its own column, else its station's, else the delivery's."""
    declared = work.declared
    site = site or next((c for c in ("site", "locationID") if c in work.frame), None)
    if header is None and not (declared.zones and site):
        return declared.zone
    zone = pd.Series(None, index=work.frame.index, dtype="str")
    if header is not None:
        zone = work.frame[header].astype("str").str.strip()
        zone = zone.where(zone != "")
    if declared.zones and site:
        zone = zone.fillna(work.frame[site].astype("str").str.strip().map(declared.zones))
    return zone if declared.zone is None else zone.fillna(declared.zone)


def _filled(work: Work, texts: pd.Series) -> Mask:
    """Cells that say something: not empty, not a mark for a missing value."""
    absent = {mark for mark, (kind, _) in marks().items() if kind == "missing"}
    absent |= {mark.strip().casefold() for mark in work.declared.missing}
    filled = texts.notna().to_numpy(dtype=bool, copy=True)
    # No mark is long: only short cells can be one.
    length = texts.astype("str").str.len().to_numpy(dtype=np.float64, na_value=0)
    short = np.flatnonzero(length <= max(map(len, absent)) + 2)
    if len(short):
        plain = texts.iloc[short].astype("str").str.strip().str.casefold()
        filled[short] &= ~plain.isin(absent).to_numpy(dtype=bool)
    return np.asarray(filled)


def _is_clock(texts: pd.Series) -> bool:
    plain = texts.dropna().astype("str").str.strip()
    return bool(len(plain)) and bool(plain.str.fullmatch(_CLOCK_TEXT).mean() > 0.5)


def _tell(work: Work, times: Times, header: str, inferred: bool | None) -> None:
    """Findings per row; what concerns the column as a whole is said once, at its first row."""
    if inferred is not None:
        order = "DD/MM/YYYY" if inferred else "MM/DD/YYYY"
        once = np.arange(len(times.code)) == 0
        work.flag("date-order-inferred", once, header, severity=Severity.WARNING, order=order)
    for code in sorted({str(code) for code in pd.unique(times.code)} - {""}):
        mask = np.asarray(times.code == code)
        severity = SEVERITY[code]
        if severity is Severity.INFO:
            mask = mask & (np.cumsum(mask) == 1)
        elif work.table.vocabulary == "dwc" and code in _MILD_IN_DWC:
            severity = Severity.WARNING
        work.flag(code, mask, header, severity=severity)


def _until(work: Work, header: str, start: Times, end: Times) -> pd.Series:
    """The end of a time told in two columns; it must not lie before the start."""
    missing = np.isnat(end.end)
    reversed_ = ~missing & ~np.isnat(start.start) & (end.end < start.start)
    work.flag("time-interval-reversed", reversed_, header, severity=Severity.ERROR)
    frame = end.frame(work.frame.index)
    return frame["time_end"].where(~missing, start.frame(work.frame.index)["time_end"])


def _joined(start: pd.Series, end: pd.Series) -> pd.Series:
    return start.where(end.isna(), start + "/" + end)
