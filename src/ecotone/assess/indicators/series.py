"""One column of a table as a series: station, time, value, and whether it is a limit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicators.dates import month_numbers, read_days
from ecotone.assess.indicators.laboratory import flagged_below, parse_numbers, read_results
from ecotone.assess.indicators.properties import from_header, property_key
from ecotone.assess.indicators.reading import Notes, attributes, headers_of, plain, read_whole
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say

_TIMES: Final = ("site", "day", "calendar_year", "month", "latitude", "longitude")
_LONG: Final = ("property", "value")


def read_series(
    path: Path, column: str | None, notes: Notes, *, censored: str | None = None
) -> pd.DataFrame:
    """Rows with a value: row, station, day, year, month, latitude, longitude, value, kind, unit.

    ``column`` is a column of a wide table, or a property of a table with one result a row (may
    be left out where there is one). ``censored`` names a column that is true where the value is
    a limit of detection. ``day`` is NaT and ``year``, ``month`` NaN where the table does not say.
    """
    headers = headers_of(path)
    if set(attributes(headers, _LONG)) == set(_LONG):
        return _long(path, column, notes)
    header = _header(headers, column, path, exclude=censored)
    whole = read_whole(path, notes)
    text = whole.frame[header].astype(object).fillna("")
    value, kind, read = parse_numbers(text, comma=whole.decimal_comma)
    told = attributes([h for h in headers if h != header], _TIMES)
    if censored is not None:
        flag = whole.frame[_header(headers, censored, path)]
        below = flagged_below(flag)
        kind = np.where(below, -1, kind)
    out = pd.DataFrame({"row": whole.frame["row"], "value": value, "kind": kind})
    parts = from_header(header)
    out["unit"] = parts[1] if parts else ""
    out["station"] = whole.frame[told["site"]].fillna("").str.strip() if "site" in told else ""
    for name in ("latitude", "longitude"):
        place = whole.frame[told[name]] if name in told else None
        out[name] = np.nan if place is None else pd.to_numeric(place, errors="coerce")
    _add_times(out, whole.frame, told, path)
    _tell_unread(out, text, read, path, header, notes)
    return out[~np.isnan(out["value"])].reset_index(drop=True)


def value_columns(path: Path) -> list[str]:
    """Columns of a wide table that hold values rather than places and times."""
    headers = headers_of(path)
    told = set(attributes(headers, (*_TIMES, "time_text", "time")).values())
    return [h for h in headers if h not in told and plain(h) not in ("month", "year")]


def choose_station(series: pd.DataFrame, station: str | None, path: Path) -> pd.DataFrame:
    """Rows of one station where it is named; UsageError where there is none of that name."""
    if station is None:
        return series
    here = series[series["station"].map(plain) == plain(station)]
    if here.empty:
        known = ", ".join(sorted(set(series["station"]))[:20]) or "-"
        raise UsageError(
            say("assess.water.no-station", name=path.name, station=station, known=known)
        )
    return here


def _long(path: Path, column: str | None, notes: Notes) -> pd.DataFrame:
    results = read_results(path, notes)
    keys = results["key"].unique()
    if column is None and len(keys) == 1:
        wanted = str(keys[0])
    elif column is None:
        raise _which(path, sorted(results["property"].unique()), "-")
    else:
        wanted = property_key(column)
    own = results[results["key"] == wanted]
    if own.empty:
        raise _which(path, sorted(results["property"].unique()), column or "-")
    out = own[["row", "station", "value", "kind", "latitude", "longitude"]].copy()
    out["unit"] = own["unit"].fillna("")
    time = own["day"].where(own["day"] != "", own["time_text"])
    day = read_days(time, path.name)
    out["day"] = day
    out["year"], out["month"] = _of_day(day)
    out["year"] = out["year"].where(out["year"].notna(), own["year"])
    return out[np.isfinite(out["value"])].reset_index(drop=True)


def _header(headers: list[str], column: str | None, path: Path, exclude: str | None = None) -> str:
    """The header a name means: as written, in any case, or by its property."""
    if column is None:
        values = [h for h in value_columns(path) if exclude is None or plain(h) != plain(exclude)]
        if len(values) == 1:
            return values[0]
        raise _which(path, values, "-")
    for same in (
        lambda h: h == column,
        lambda h: plain(h) == plain(column),
        lambda h: property_key(h) == property_key(column),
    ):
        found = [h for h in headers if same(h)]
        if found:
            return found[0]
    raise _which(path, headers, column)


def _which(path: Path, known: list[str], column: str) -> UsageError:
    return UsageError(
        say("assess.water.no-column", name=path.name, column=column, known=", ".join(known))
    )


def _add_times(out: pd.DataFrame, frame: pd.DataFrame, told: dict[str, str], path: Path) -> None:
    """Day, year and month by the columns there are; a date rules over a year and a month."""
    day = np.full(len(frame), np.datetime64("NaT", "D"))
    if "day" in told:
        day = read_days(frame[told["day"]], path.name)
    out["day"] = day
    year, month = _of_day(day)
    if "calendar_year" in told:
        given = pd.to_numeric(frame[told["calendar_year"]], errors="coerce")
        year = np.where(np.isnan(year), given.to_numpy(dtype=np.float64), year)
    if "month" in told:
        month = np.where(np.isnan(month), month_numbers(frame[told["month"]]), month)
    out["year"], out["month"] = year, month


def _of_day(day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    months = day.astype("datetime64[M]")
    number = months.astype(np.int64).astype(np.float64)
    known = ~np.isnat(day)
    return (
        np.where(known, np.floor(number / 12) + 1970, np.nan),
        np.where(known, number % 12 + 1, np.nan),
    )


def _tell_unread(
    out: pd.DataFrame, text: pd.Series, read: np.ndarray, path: Path, header: str, notes: Notes
) -> None:
    for place in np.flatnonzero(~read):
        notes.add(
            Finding(
                "water-value-unreadable",
                Severity.WARNING,
                row=int(out["row"].iloc[place]),
                field=header,
                value=str(text.iloc[place]),
                file=path.name,
            )
        )
    lost = int(np.sum(read & np.isnan(out["value"]) & (out["kind"] != 0)))
    if lost:
        notes.add(
            Finding("water-limit-unknown", Severity.WARNING, file=path.name,
                    params={"count": str(lost)})
        )  # fmt: skip
