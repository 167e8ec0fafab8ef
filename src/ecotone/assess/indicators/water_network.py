"""``water.network``: the register of devices: who gave them, where they are, what they need."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.network_reading import (
    DEVICES,
    EVENTS,
    read_events,
    read_table_of,
)
from ecotone.assess.indicators.reading import Notes
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say

_REGISTER: Final = {
    "device": "", "kind": "", "model": "", "serial": "", "owner": "", "donor": "",
    "donation_agreement": "", "custodian": "", "state": "", "site": "", "spare_parts": "",
    "last_calibration": "", "last_service": "", "next_service": "", "certificate_until": "",
    "faults": "", "needs": "",
}  # fmt: skip


def compute(job: Job) -> Outcome:
    """A row for each device, as things stand on the day asked for."""
    notes = Notes()
    devices = read_table_of(job.inputs["devices"], DEVICES, ("device_id",), notes)
    given = job.inputs.get("events", ())
    events = read_events(given, notes) if given else pd.DataFrame(columns=[*EVENTS, "time", "key"])
    on = _day(job, events)
    past = events[events["time"] < on + pd.Timedelta(days=1)]
    strangers = sorted(set(past["device"]) - set(devices["device_id"]))
    if strangers:
        notes.add(Finding("water-device-unknown", Severity.WARNING, value=", ".join(strangers)))
    table = _register(devices, past, on, float(job.number("calibration_days")))
    return Outcome(values=_values(table), tables={"register": table}, findings=notes.all())


def _day(job: Job, events: pd.DataFrame) -> pd.Timestamp:
    """The day asked for, else that of the last event."""
    asked = job.parameters["on"]
    if asked is None:
        last = pd.to_datetime(events["time"], utc=True).max()
        return (last if last == last else pd.Timestamp("1970-01-01", tz="UTC")).normalize()
    found = pd.to_datetime(pd.Series([str(asked)]), errors="coerce", utc=True, format="ISO8601")[0]
    if found != found:
        raise UsageError(say("assess.water.settings", why=str(asked)))
    return found.normalize()


def _register(
    devices: pd.DataFrame, events: pd.DataFrame, on: pd.Timestamp, interval: float
) -> pd.DataFrame:
    table = devices.drop_duplicates("device_id", keep="last").rename(
        columns={"device_id": "device"}
    )
    table = table.reset_index(drop=True)

    def last(kind: str) -> pd.Series:
        own = events[events["kind"] == kind].groupby("device")["time"].max()
        return pd.to_datetime(own.reindex(table["device"]).reset_index(drop=True), utc=True)

    moves = events[events["kind"].isin(("deployment", "retrieval"))]
    place = moves.drop_duplicates("device", keep="last").set_index("device")
    here = place["site"].where(place["kind"] == "deployment", "")
    table["site"] = table["device"].map(here).fillna("").astype(object)
    table["site"] = table["site"].where(table["site"] != "", table["location"])
    calibrated, served = last("calibration"), last("service")
    broken = last("fault")
    repaired = served.where(calibrated.isna() | (served >= calibrated), calibrated)
    table["faults"] = (
        table["device"]
        .map(events[events["kind"] == "fault"].groupby("device").size())
        .fillna(0)
        .astype(np.int64)
    )
    until = events[events["certificate_until"] != ""].groupby("device")["certificate_until"].max()
    table["certificate_until"] = table["device"].map(until).fillna("")
    expired = pd.to_datetime(table["certificate_until"], errors="coerce", utc=True) < on
    due = pd.to_datetime(table["next_service"], errors="coerce", utc=True)
    running = table["state"].isin(("in use", ""))
    needs = {
        "repair": broken.notna() & ~(repaired > broken),
        "service": due.notna() & (due < on) & ~(served >= due),
        "calibration": running & ((on - calibrated) > pd.Timedelta(days=interval)),
        "certificate": expired,
    }  # fmt: skip
    table["needs"] = [
        "; ".join(name for name, who in needs.items() if bool(who.iloc[i]))
        for i in range(len(table))
    ]
    for name, when in (("last_calibration", calibrated), ("last_service", served)):
        table[name] = when.dt.strftime("%Y-%m-%d").fillna("")
    return table[list(_REGISTER)].sort_values("device").reset_index(drop=True)


def _values(table: pd.DataFrame) -> dict[str, Value]:
    donated = table["donor"] != ""
    counts = {
        "devices": len(table), "donated": int(donated.sum()),
        "in_use": int((table["state"] == "in use").sum()),
        "donated_in_use": int((donated & (table["state"] == "in use")).sum()),
        "without_spare_parts": int((table["spare_parts"] == "").sum()),
        "in_need": int((table["needs"] != "").sum()),
    }  # fmt: skip
    return {name: Value(value=value, unit="1") for name, value in counts.items()}


WATER_NETWORK: Final = Indicator(
    id="water.network",
    version="1",
    inputs=(
        Input("devices", "table", noun="Device"),
        Input("events", "table", noun="DeviceEvent", required=False),
    ),
    parameters=(
        Parameter("on", "text"),
        Parameter("calibration_days", "number", default=60.0, minimum=1, unit="d"),
    ),
    values=dict.fromkeys(
        ("devices", "donated", "in_use", "donated_in_use", "without_spare_parts", "in_need"), "1"
    ),
    tables={"register": _REGISTER},
    rasters={},
    citations=(
        Citation("WMO-No. 1160 (2021) Manual on the WMO Integrated Global Observing System"),
    ),
    compute=compute,
)  # fmt: skip
