"""Streams of a network, and what happened to its devices, read from tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Job
from ecotone.assess.indicators.extent import in_region
from ecotone.assess.indicators.laboratory import parse_numbers, read_results
from ecotone.assess.indicators.laboratory_reading import instants
from ecotone.assess.indicators.properties import property_key
from ecotone.assess.indicators.reading import Notes, attributes, headers_of, plain, read_whole
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.units import convert
from ecotone.model.words import say

EVENTS: Final = (
    "device", "kind", "time_start", "site", "property", "unit", "standard_value",
    "reading_before", "reading_after", "standard", "certificate", "certificate_until",
    "performed_by", "parts", "rule", "remarks",
)  # fmt: skip
DEVICES: Final = (
    "device_id", "kind", "model", "serial", "owner", "donor", "donation_agreement", "custodian",
    "state", "location", "spare_parts", "next_service", "certificate",
)  # fmt: skip
RULES: Final = (
    "rule_id", "site", "property", "kind", "raise_at", "clear_at", "unit", "basis",
    "persistence_min", "acknowledge_min", "on_censored", "notify",
)  # fmt: skip
_NUMBERS: Final = frozenset(
    {"standard_value", "reading_before", "reading_after", "raise_at", "clear_at",
     "persistence_min", "acknowledge_min"}
)  # fmt: skip


def read_streams(job: Job, column: str | None, notes: Notes) -> pd.DataFrame:
    """Timed values: row, file, station, property, key, time (UTC), value, kind, unit, basis.

    Those of the job's ``series`` within its region, in the order of station, property and time;
    rows without a time are told and left out.
    """
    parts = []
    for path in job.inputs["series"]:
        part = _stream(path, column, notes).assign(file=path.name)
        parts.append(part[part["key"] == property_key(column)] if column else part)
    stream = pd.concat(parts, ignore_index=True)
    if job.region is not None:
        stream = in_region(stream, job.region, notes)
    untimed = int(stream["time"].isna().sum())
    if untimed:
        notes.add(Finding("water-untimed", Severity.WARNING, params={"count": str(untimed)}))
    stream = stream[stream["time"].notna()]
    if stream.empty:
        raise NotComputable(say("assess.water.no-times"), say("assess.water.no-times.do"))
    ordered = stream.sort_values(["station", "key", "time"], kind="stable").reset_index(drop=True)
    ordered["seconds"] = ordered["time"].astype("datetime64[ns, UTC]").astype("int64") / 1e9
    return ordered


def _stream(path: Path, column: str | None, notes: Notes) -> pd.DataFrame:
    """A table of results; or one whose single column of values has no name we know."""
    headers = headers_of(path)
    header = next((h for h in headers if column and plain(h) == plain(column)), None)
    told = attributes(headers, ("property", "value", "time", "site"))
    if header is None or {"property", "value"} <= set(told):
        own = read_results(path, notes)
        own["time"] = instants(own["time"])
        return own[["row", "station", "property", "key", "time", "value", "kind", "unit", "basis",
                    "latitude", "longitude"]]  # fmt: skip
    whole = read_whole(path, notes)
    value, kind, _ = parse_numbers(
        whole.frame[header].astype(object).fillna(""), comma=whole.decimal_comma
    )
    blank = pd.Series([""] * len(whole.frame), dtype=object)
    time = whole.frame[told["time"]].astype(object).fillna("") if "time" in told else blank
    site = whole.frame[told["site"]].astype(object).fillna("") if "site" in told else blank
    return pd.DataFrame(
        {"row": whole.frame["row"], "station": site, "property": column,
         "key": property_key(str(column)), "time": instants(time.str.strip()), "value": value,
         "kind": kind, "unit": "", "basis": "", "latitude": np.nan, "longitude": np.nan}
    )  # fmt: skip


def read_table_of(
    paths: Sequence[Path], names: Sequence[str], needed: Sequence[str], notes: Notes
) -> pd.DataFrame:
    """A table of one of our nouns under its attributes' own names; numbers where they are ones."""
    parts = []
    for path in paths:
        whole = read_whole(path, notes)
        own = {plain(h): h for h in whole.frame.columns}
        missing = [n for n in needed if plain(n) not in own]
        if missing:
            raise InputRefused(
                say("assess.table.column-missing", name=path.name, wanted=", ".join(missing),
                    given=", ".join(map(str, whole.frame.columns))),
                say("assess.table.column-missing.do"),
            )  # fmt: skip
        out = pd.DataFrame({"row": whole.frame["row"], "file": path.name})
        for name in names:
            text = whole.frame[own[plain(name)]] if plain(name) in own else None
            cells = pd.Series([""] * len(out), dtype=object) if text is None else text
            cells = cells.astype(object).fillna("").astype(str).str.strip()
            out[name] = parse_numbers(cells, comma=True)[0] if name in _NUMBERS else cells
        parts.append(out)
    columns = ["row", "file", *names]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def read_events(paths: Sequence[Path], notes: Notes) -> pd.DataFrame:
    """Events of devices with ``time`` (UTC) and ``key`` of their property, in order of time.

    An event that names no site is taken to be where its device was deployed last.
    """
    events = read_table_of(paths, EVENTS, ("device", "kind", "time_start"), notes)
    events["time"] = instants(events["time_start"])
    events["key"] = events["property"].map({n: property_key(n) if n else "" for n in
                                            events["property"].unique()})  # fmt: skip
    undated = int(events["time"].isna().sum())
    if undated:
        notes.add(Finding("water-untimed", Severity.WARNING, params={"count": str(undated)}))
    events = events[events["time"].notna()].sort_values(["time", "row"], kind="stable")
    place = events["site"].where(events["kind"] == "deployment")
    place = place.groupby(events["device"]).ffill()
    events["site"] = events["site"].where(events["site"] != "", place.fillna(""))
    return events.reset_index(drop=True)


def scaled(value: float, unit: str, wanted: str, name: str) -> float:
    """A number in another unit; NaN where there is no way, itself where neither is told."""
    if not unit or not wanted or unit == wanted or not np.isfinite(value):
        return value
    try:
        return float(convert([value], unit, wanted, property=name)[0])
    except (NotComputable, UsageError):
        return float("nan")
