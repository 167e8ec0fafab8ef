"""``water.alarms``: what rules raise on streams, how long it lasts, and who answered in time."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome
from ecotone.assess.indicators.matching import with_basis
from ecotone.assess.indicators.network_reading import (
    RULES,
    read_events,
    read_streams,
    read_table_of,
    scaled,
)
from ecotone.assess.indicators.properties import property_key
from ecotone.assess.indicators.reading import Notes
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.science.water import alarms

_TABLE: Final = {
    "rule": "", "station": "", "property": "", "kind": "", "onset": "", "raised": "",
    "cleared": "", "peak": "", "unit": "", "acknowledged": "", "by": "", "state": "",
}  # fmt: skip
_KINDS: Final = ("above", "below", "rate", "missing", "battery")
_YES: Final = frozenset({"true", "1", "yes", "да", "是"})


def compute(job: Job) -> Outcome:
    """Every rule on every stream it watches."""
    notes = Notes()
    stream = read_streams(job, None, notes)
    needed = ("rule_id", "property", "kind", "raise_at")
    rules = read_table_of(job.inputs["rules"], RULES, needed, notes)
    events = read_events(job.inputs.get("events", ()), notes) if job.inputs.get("events") else None
    now = stream["seconds"].max()
    parts = [pd.DataFrame(columns=list(_TABLE))]
    for rule in rules.to_dict("records"):
        watched = stream[stream["key"] == property_key(str(rule["property"]))]
        if rule["site"]:
            watched = watched[watched["station"] == rule["site"]]
        if rule["kind"] not in _KINDS or not np.isfinite(float(rule["raise_at"])) or watched.empty:
            notes.add(Finding("water-rule-idle", Severity.WARNING, value=str(rule["rule_id"]),
                              row=int(rule["row"]), file=str(rule["file"])))  # fmt: skip
            continue
        for station, group in watched.groupby("station", sort=True):
            parts.append(_raised(rule, str(station), group, float(now), notes))
    found = pd.concat([p for p in parts if len(p)] or parts, ignore_index=True)
    table = _answered(found, rules, events)
    return Outcome(values=_values(table), tables={"alarms": table}, findings=notes.all())


def _raised(
    rule: dict[str, object], station: str, group: pd.DataFrame, now: float, notes: Notes
) -> pd.DataFrame:
    """Alarms of one rule at one station."""
    unit = str(group["unit"].iloc[0] or "")
    wanted = with_basis(unit, str(group["basis"].iloc[0])) if unit else ""
    given = with_basis(str(rule["unit"]), str(rule["basis"])) if rule["unit"] else ""
    name = str(rule["property"])
    top = scaled(float(str(rule["raise_at"])), given, wanted, name)
    clear = float(str(rule["clear_at"]))
    bottom = scaled(clear, given, wanted, name) if np.isfinite(clear) else top
    seconds = group["seconds"].to_numpy()
    persistence = float(str(rule["persistence_min"])) * 60
    hold = persistence if np.isfinite(persistence) else 0.0
    kind = str(rule["kind"])
    try:
        if kind == "missing":
            found = alarms.silence_alarms(seconds, top * 60, now)
            unit = "s"
        else:
            below = kind in ("below", "battery")
            x = _usable(group, rule, bottom, below=below)
            if kind == "rate":
                x = alarms.rates(x, seconds)
            found = alarms.level_alarms(x, seconds, top, bottom, hold, below=below)
    except ValueError as error:
        notes.add(Finding("water-rule-broken", Severity.WARNING, value=str(rule["rule_id"]),
                          row=int(str(rule["row"])), file=str(rule["file"]),
                          params={"why": str(error)}))  # fmt: skip
        return pd.DataFrame(columns=list(_TABLE))
    return pd.DataFrame(
        {"rule": str(rule["rule_id"]), "station": station, "property": name, "kind": kind,
         "onset": _times(found.onset), "raised": _times(found.raised),
         "cleared": _times(found.cleared), "peak": found.peak, "unit": unit}
    )  # fmt: skip


def _usable(
    group: pd.DataFrame, rule: dict[str, object], bottom: float, *, below: bool
) -> NDArray[np.float64]:
    """Values a rule may act on: a limit of detection is none, unless the rule says so.

    A non-detect below the level at which an alarm ends says that it is quiet.
    """
    x = group["value"].to_numpy(np.float64).copy()
    if str(rule["on_censored"]).casefold() in _YES:
        return np.where(np.isfinite(x), x, np.nan)
    kind = group["kind"].to_numpy()
    quiet = (kind < 0) & (x <= bottom) & (not below)
    x[(kind != 0) & ~quiet] = np.nan
    return x


def _times(seconds: NDArray[np.float64]) -> pd.Series:
    return pd.to_datetime(pd.Series(seconds), unit="s", utc=True)


def _answered(
    found: pd.DataFrame, rules: pd.DataFrame, events: pd.DataFrame | None
) -> pd.DataFrame:
    """The first acknowledgement of each alarm, and what has become of it."""
    table = found.reset_index(drop=True)
    table["acknowledged"], table["by"] = pd.NaT, ""
    for name in ("raised", "cleared", "acknowledged"):
        table[name] = pd.to_datetime(table[name], utc=True)
    limits = rules.drop_duplicates("rule_id").set_index("rule_id")["acknowledge_min"]
    if events is not None:
        acks = events[events["kind"] == "acknowledgement"]
        for place, row in enumerate(table.to_dict("records")):
            own = acks[(acks["rule"] == row["rule"]) & acks["site"].isin(("", row["station"]))]
            later = own[own["time"] >= row["raised"]]
            after = table["raised"][(table["rule"] == row["rule"])
                                    & (table["station"] == row["station"])
                                    & (table["raised"] > row["raised"])]  # fmt: skip
            if len(after):
                later = later[later["time"] < after.min()]
            if len(later):
                table.loc[place, "acknowledged"] = later["time"].iloc[0]
                table.loc[place, "by"] = later["performed_by"].iloc[0]
    waited = (table["acknowledged"] - table["raised"]).dt.total_seconds() / 60
    allowed = table["rule"].map(limits).astype(np.float64)
    late = waited > allowed
    table["state"] = np.select(
        [table["acknowledged"].notna() & late, table["acknowledged"].notna(),
         table["cleared"].isna()],
        ["acknowledged late", "acknowledged", "open"], "not acknowledged",
    )  # fmt: skip
    for name in ("onset", "raised", "cleared", "acknowledged"):
        table[name] = pd.to_datetime(table[name], utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return table[list(_TABLE)].sort_values(["raised", "rule", "station"]).reset_index(drop=True)


def _values(table: pd.DataFrame) -> dict[str, Value]:
    counts = {
        "alarms": len(table), "open": int(table["cleared"].isna().sum()),
        "acknowledged": int(table["state"].str.startswith("acknowledged").sum()),
        "late": int((table["state"] == "acknowledged late").sum()),
        "unanswered": int(table["state"].isin(["open", "not acknowledged"]).sum()),
    }  # fmt: skip
    return {name: Value(value=value, unit="1") for name, value in counts.items()}


WATER_ALARMS: Final = Indicator(
    id="water.alarms",
    version="1",
    inputs=(
        Input("series", "table", noun="Observation", coarse="refuse"),
        Input("rules", "table", noun="AlarmRule"),
        Input("events", "table", noun="DeviceEvent", required=False),
    ),
    parameters=(),
    values=dict.fromkeys(("alarms", "open", "acknowledged", "late", "unanswered"), "1"),
    tables={"alarms": _TABLE},
    rasters={},
    citations=(
        Citation("IEC 62682:2022 Management of alarm systems for the process industries"),
    ),
    compute=compute,
)  # fmt: skip
