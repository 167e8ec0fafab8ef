"""Samples and daily discharge of a river, read for loads and weighted regressions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.dates import read_days
from ecotone.assess.indicators.laboratory import parse_numbers
from ecotone.assess.indicators.reading import Notes, attributes, headers_of, read_whole
from ecotone.assess.indicators.series import read_series
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.units import convert, known
from ecotone.model.words import say
from ecotone.science.water import wrtds

_BRACKETS: Final = re.compile(r"[(\[（]([^()\[\]（）]+)[)\]）]\s*$")


def _named(headers: list[str]) -> str:
    """The header that names a discharge with a unit behind it."""
    bare = {h: _BRACKETS.sub("", h).strip() for h in headers}
    told = attributes(list(bare.values()), ("discharge",))
    return next((h for h, name in bare.items() if name == told.get("discharge")), "")


def read_discharge(path: Path, notes: Notes, calendar: wrtds.Calendar = "even") -> wrtds.Discharge:
    """Daily discharge in m3/s; rows that are none are findings."""
    headers = headers_of(path)
    told = attributes(headers, ("discharge",))
    series = read_series(path, told.get("discharge"), notes)
    dated = series[series["day"].notna()]
    if len(dated) < len(series):
        count = str(len(series) - len(dated))
        notes.add(
            Finding("water-undated", Severity.WARNING, file=path.name, params={"count": count})
        )
    q = dated["value"].to_numpy(dtype=np.float64)
    unit = str(dated["unit"].iloc[0]) if len(dated) else ""
    named = _BRACKETS.search(told.get("discharge") or _named(headers))
    if not unit and named and not known(named[1]):
        # A unit that stands there and is not understood is not m3/s.
        raise InputRefused(say("units.unknown", unit=named[1]), say("units.unknown.do"))
    if unit and unit != "1":
        q = convert(q, unit, "m3/s")
    elif not unit:
        notes.add(Finding("water-discharge-unit", Severity.INFO, file=path.name))
    negative = q < 0
    if negative.any():
        count = str(int(negative.sum()))
        notes.add(
            Finding("water-discharge-negative", Severity.WARNING, file=path.name,
                    params={"count": count})
        )  # fmt: skip
    try:
        flow = wrtds.discharge(
            dated["day"].to_numpy()[~negative].astype("datetime64[D]"), q[~negative], calendar
        )
    except ValueError as error:
        raise InputRefused(
            say("assess.water.discharge-broken", name=path.name, why=str(error))
        ) from error
    _tell_gaps(flow, path, notes)
    if flow.shift:
        notes.add(
            Finding("water-discharge-zero", Severity.WARNING, file=path.name,
                    params={"shift": f"{flow.shift:.3g}"})
        )  # fmt: skip
    return flow


def read_samples(
    path: Path, column: str | None, flow: wrtds.Discharge, notes: Notes
) -> wrtds.Samples:
    """Concentrations in mg/L with the discharge of their day; non-detects as bounds."""
    headers = headers_of(path)
    told = attributes(headers, ("low", "high", "uncensored", "day"))
    if {"low", "high", "day"} <= set(told):
        day, low, high = _bounds(path, told, notes)
    else:
        day, low, high = _values(path, column, notes)
    undated = np.isnat(day)
    backwards = (low > high) | (high <= 0) | (low < 0)
    for bad, code in ((undated, "water-undated"), (backwards & ~undated, "water-bounds-wrong")):
        if bad.any():
            notes.add(
                Finding(code, Severity.WARNING, file=path.name,
                        params={"count": str(int(bad.sum()))})
            )  # fmt: skip
    kept = ~undated & ~backwards
    found = wrtds.samples(day[kept], low[kept], high[kept], flow)
    lost = int(kept.sum()) - found.times.size
    if lost:
        notes.add(
            Finding("water-sample-no-flow", Severity.WARNING, file=path.name,
                    params={"count": str(lost)})
        )  # fmt: skip
    if not found.times.size:
        raise NotComputable(say("assess.water.no-samples", name=path.name))
    return found


def _bounds(
    path: Path, told: dict[str, str], notes: Notes
) -> tuple[NDArray[np.datetime64], NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper bound of each row, in the manner of EGRET; 0 and NaN are open ends."""
    whole = read_whole(path, notes)
    bounds = []
    wrong = np.zeros(len(whole.frame), np.bool_)
    for name in ("low", "high"):
        text = whole.frame[told[name]].astype(object).fillna("")
        number, _, read = parse_numbers(text, comma=whole.decimal_comma)
        bounds.append(number)
        wrong |= ~read
    low, high = bounds
    if "uncensored" in told:
        flag = whole.frame[told["uncensored"]].astype(object).fillna("").astype(str)
        hidden = flag.str.strip().str.casefold().isin(["0", "false", "f", "no"]).to_numpy()
        low = np.where(hidden & (low == high), np.nan, low)
    empty = np.isnan(low) & np.isnan(high)
    if wrong.any() or empty.any():
        count = str(int((wrong | empty).sum()))
        notes.add(
            Finding("water-sample-empty", Severity.WARNING, file=path.name,
                    params={"count": count})
        )  # fmt: skip
    day = read_days(whole.frame[told["day"]], path.name)
    kept = ~empty & ~wrong
    high = np.where(np.isnan(high), np.inf, high)
    return day[kept], np.nan_to_num(low[kept], nan=0.0), high[kept]


def _values(
    path: Path, column: str | None, notes: Notes
) -> tuple[NDArray[np.datetime64], NDArray[np.float64], NDArray[np.float64]]:
    series = read_series(path, column, notes)
    value = series["value"].to_numpy(dtype=np.float64)
    units = sorted(set(series["unit"]) - {"", "1"})
    if len(units) > 1:
        raise NotComputable(say("assess.water.units-mixed", units=", ".join(units)))
    if units:
        if not known(units[0]):
            raise UsageError(say("units.unknown", unit=units[0]))
        bare = units[0].split(" as ")[0]
        value = convert(value, bare, "mg/L")
    else:
        notes.add(Finding("water-conc-unit", Severity.INFO, file=path.name))
    kind = series["kind"].to_numpy()
    low = np.where(kind < 0, 0.0, value)
    high = np.where(kind > 0, np.inf, value)
    return series["day"].to_numpy().astype("datetime64[D]"), low, high


def _tell_gaps(flow: wrtds.Discharge, path: Path, notes: Notes) -> None:
    missing = int((flow.days[-1] - flow.days[0]).astype(np.int64)) + 1 - flow.days.size
    if missing:
        notes.add(
            Finding("water-discharge-gaps", Severity.WARNING, file=path.name,
                    params={"count": str(missing)})
        )  # fmt: skip


def day_text(days: NDArray[np.datetime64]) -> pd.Series:
    """Dates as they are written in tables."""
    return pd.Series(np.datetime_as_string(days.astype("datetime64[D]")), dtype=object)
