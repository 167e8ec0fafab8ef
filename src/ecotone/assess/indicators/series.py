"""One column of a table as a series: station, time, value, and whether it is a limit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicators import flag_columns
from ecotone.assess.indicators.dates import month_numbers, read_days
from ecotone.assess.indicators.doubtful import usable
from ecotone.assess.indicators.laboratory import parse_numbers, read_results
from ecotone.assess.indicators.matching import tell_slips, with_basis
from ecotone.assess.indicators.properties import from_header, property_key
from ecotone.assess.indicators.reading import Notes, attributes, headers_of, plain, read_whole
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.units import convert
from ecotone.model.words import say

_TIMES: Final = ("site", "day", "calendar_year", "month", "latitude", "longitude")
_LONG: Final = ("property", "value")


def read_series(
    path: Path,
    column: str | None,
    notes: Notes,
    *,
    censored: str | None = None,
    group: str | None = None,
) -> pd.DataFrame:
    """Rows with a value: row, station, day, year, month, latitude, longitude, value, kind, unit.

    ``column`` is a column of a wide table, or a property of a table with one result a row (may
    be left out where there is one). ``censored`` names a column that is true where the value is
    a limit of detection, ``group`` one that parts the rows (column ``group``). ``day`` is NaT
    and ``year``, ``month`` NaN where the table does not say.
    """
    headers = headers_of(path)
    if set(attributes(headers, _LONG)) == set(_LONG):
        return _grouped(_long(path, column, notes), path, group, headers)
    header = _header(headers, column, path, exclude=censored)
    whole = read_whole(path, notes)
    text = whole.frame[header].astype(object).fillna("")
    value, kind, read = parse_numbers(text, comma=whole.decimal_comma)
    told = attributes([h for h in headers if h != header], _TIMES)
    flagged = _header(headers, censored, path) if censored else None
    if flagged is None:
        taken = {header, *told.values()}
        free = [h for h in headers if h not in taken]
        flagged = flag_columns.beside(whole.frame[headers], header, free)
    if flagged is not None:
        below = flag_columns.below(whole.frame[flagged], flagged, notes, path.name)
        if censored is None:
            notes.add(
                Finding("water-flags-used", Severity.INFO, value=flagged, file=path.name,
                        params={"count": str(int(below.sum())), "column": header})
            )  # fmt: skip
        kind = np.where(below, -1, kind)
    out = pd.DataFrame({"row": whole.frame["row"], "value": value, "kind": kind})
    parts = from_header(header)
    out["unit"] = _units(whole.frame, parts[1] if parts else "", headers, header)
    out["station"] = whole.frame[told["site"]].fillna("").str.strip() if "site" in told else ""
    for name in ("latitude", "longitude"):
        place = whole.frame[told[name]] if name in told else None
        out[name] = np.nan if place is None else pd.to_numeric(place, errors="coerce")
    _add_times(out, whole.frame, told, path)
    _tell_unread(out, text, read, path, header, notes)
    out = out[~np.isnan(out["value"])].reset_index(drop=True)
    out = usable(out.assign(property=header), notes, path.name).drop(columns="property")
    _tell_undated(out, told, notes, path)
    return _grouped(_one_unit(out, header, notes, path), path, group, headers)


def _grouped(out: pd.DataFrame, path: Path, group: str | None, headers: list[str]) -> pd.DataFrame:
    """With ``group``, what a column of the file says of each row; empty where none is asked."""
    if group is None:
        return out.assign(group="")
    whole = read_whole(path, Notes()).frame.set_index("row")
    told = whole[_header(headers, group, path)].astype(object).fillna("").str.strip()
    return out.assign(group=told.reindex(out["row"]).fillna("").to_numpy())


def value_columns(path: Path) -> list[str]:
    """Columns of a wide table that hold values rather than places and times.

    A column without any number or mark of a non-detect holds none.
    """
    headers = headers_of(path)
    told = set(attributes(headers, (*_TIMES, "time_text", "time", "unit", "basis")).values())
    left = [h for h in headers if h not in told and plain(h) not in ("month", "year")]
    whole = read_whole(path, Notes())
    return [h for h in left if _has_numbers(whole.frame[h], comma=whole.decimal_comma)]


def _has_numbers(column: pd.Series, *, comma: bool) -> bool:
    value, kind, _ = parse_numbers(column.astype(object).fillna(""), comma=comma)
    return bool((~np.isnan(value) | (kind != 0)).any())


def _units(frame: pd.DataFrame, of_header: str, headers: list[str], own: str) -> pd.Series:
    """The unit of the column's own name, else that which a column of units tells of each row."""
    told = attributes([h for h in headers if h != own], ("unit", "basis"))
    if of_header not in ("", "1") or "unit" not in told:
        return pd.Series(of_header, index=frame.index, dtype=object)
    units = frame[told["unit"]].astype(object).fillna("").str.strip()
    if "basis" not in told:
        return units
    bases = frame[told["basis"]].astype(object).fillna("").str.strip()
    joined = [with_basis(u, b) if u else u for u, b in zip(units, bases, strict=True)]
    return pd.Series(joined, index=frame.index, dtype=object)


def _one_unit(out: pd.DataFrame, name: str, notes: Notes, path: Path) -> pd.DataFrame:
    """All values in the unit that most of them have; what cannot be brought there refuses.

    Rows without a unit beside rows with one are told and left out: which they have is not known.
    """
    units = out["unit"].astype(str)
    usual = units[units != ""].mode()
    if usual.empty or (units == usual.iloc[0]).all():
        tell_slips(out.assign(property=name), notes)
        return out
    wanted, bare = str(usual.iloc[0]), units == ""
    if bare.any():
        notes.add(
            Finding("water-unit-missing", Severity.WARNING, field="unit", file=path.name,
                    params={"property": name, "count": str(int(bare.sum())), "wanted": wanted})
        )  # fmt: skip
        out, units = out[~bare].reset_index(drop=True), units[~bare].reset_index(drop=True)
    value = out["value"].to_numpy(dtype=np.float64, copy=True)
    for unit in sorted(set(units) - {wanted}):
        rows = (units == unit).to_numpy()
        try:
            value[rows] = convert(value[rows], unit, wanted, property=name)
        except (NotComputable, UsageError) as error:
            raise NotComputable(
                say("assess.water.units-mixed", units=", ".join(sorted(set(units))))
            ) from error
        notes.add(
            Finding("water-units-joined", Severity.INFO, value=unit, field="unit", file=path.name,
                    params={"property": name, "count": str(int(rows.sum())), "wanted": wanted})
        )  # fmt: skip
    tell_slips(out.assign(property=name, value=value), notes)
    return out.assign(value=value, unit=wanted)


def _tell_undated(out: pd.DataFrame, told: dict[str, str], notes: Notes, path: Path) -> None:
    """Dates that are there and cannot be read: without this only the values would seem to lack."""
    if "day" in told and len(out):
        count = int(np.isnat(out["day"].to_numpy(dtype="datetime64[D]")).sum())
        if count and out["year"].isna().any():
            notes.add(
                Finding("water-dates-unreadable", Severity.WARNING, field=told["day"],
                        file=path.name, params={"count": str(count)})
            )  # fmt: skip


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
    results = usable(read_results(path, notes), notes, path.name)
    keys = results["key"].unique()
    if column is None and len(keys) == 1:
        wanted = str(keys[0])
    elif column is None:
        raise _several(path, sorted(results["property"].unique()))
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
    bases = [with_basis(u, b) for u, b in zip(out["unit"], own["basis"], strict=True)]
    out["unit"] = np.array(bases, dtype=object)
    out = out[np.isfinite(out["value"])].reset_index(drop=True)
    return _one_unit(out, str(own["property"].iloc[0]), notes, path)


def _header(headers: list[str], column: str | None, path: Path, exclude: str | None = None) -> str:
    """The header a name means: as written, in any case, or by its property."""
    if column is None:
        values = [h for h in value_columns(path) if exclude is None or plain(h) != plain(exclude)]
        if len(values) == 1:
            return values[0]
        raise _several(path, values)
    for same in (
        lambda h: h == column,
        lambda h: plain(h) == plain(column),
        lambda h: property_key(h) == property_key(column),
    ):
        found = [h for h in headers if same(h)]
        if found:
            return found[0]
    raise _which(path, headers, column)


def _several(path: Path, known: list[str]) -> UsageError:
    if not known:
        headers = " | ".join(headers_of(path))
        return UsageError(say("assess.water.no-numbers", name=path.name, known=headers))
    return UsageError(
        say("assess.water.which-column", name=path.name, known=", ".join(known) or "-")
    )


def _which(path: Path, known: list[str], column: str) -> UsageError:
    return UsageError(
        say("assess.water.no-column", name=path.name, column=column, known=", ".join(known))
    )


def _add_times(out: pd.DataFrame, frame: pd.DataFrame, told: dict[str, str], path: Path) -> None:
    """Day, year and month by the columns there are; a date rules over a year and a month."""
    day = np.full(len(frame), np.datetime64("NaT", "D"))
    if "day" in told:
        day = np.asarray(read_days(frame[told["day"]], path.name))
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
