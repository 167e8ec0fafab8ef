"""``water.exchange``: results as others' tools want them: WQX 3, EGRET, WaterML-like CSV."""

from __future__ import annotations

import csv
import functools
from importlib import resources
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.dates import read_days
from ecotone.assess.indicators.extent import results_of
from ecotone.assess.indicators.laboratory_reading import instants
from ecotone.assess.indicators.properties import property_key
from ecotone.assess.indicators.reading import Notes
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.units import convert

#: Headers of WQX 3, physical and chemical results.
_WQX: Final = (
    "Project ID", "Monitoring Location ID", "Activity ID", "Activity Type", "Activity Media Name",
    "Activity Start Date", "Activity Start Time", "Activity Start Time Zone",
    "Characteristic Name", "Method Speciation", "Result Sample Fraction",
    "Result Detection Condition", "Result Value", "Result Unit",
    "Result Detection/Quantitation Limit Type", "Result Detection/Quantitation Limit Measure",
    "Result Detection/Quantitation Limit Unit", "Result Status ID", "Result Value Type",
    "Analysis Start Date", "Result Comment",
)  # fmt: skip
_WATERML: Final = ("site", "datetime_utc", "variable", "speciation", "fraction", "value", "unit",
                   "censor_code", "sample", "method", "latitude", "longitude")  # fmt: skip
#: Units as WQX spells them; those not here are brought to the first of their kind.
_UNITS: Final = {
    "mg/L": "mg/L", "ug/L": "ug/L", "ng/L": "ng/L", "uS/cm": "uS/cm", "mS/cm": "mS/cm",
    "mS/m": "mS/m", "S/m": "S/m", "NTU": "NTU", "FNU": "FNU", "degC": "deg C", "%": "%",
    "PSU": "PSU", "m": "m", "meq/L": "meq/L", "mmol/L": "mmol/L", "umol/L": "umol/L",
    "CFU/(100 mL)": "cfu/100mL", "MPN/(100 mL)": "MPN/100mL", "": "None", "1": "None",
}  # fmt: skip
_BELOW: Final = "Not Detected at Detection Limit"
_UNKNOWN: Final = "Below Detection Limit"
_ABOVE: Final = "Present Above Quantification Limit"
_FRACTIONS: Final = {"dissolved": "Dissolved", "filtered": "Dissolved", "total": "Total",
                     "suspended": "Suspended", "溶解态": "Dissolved", "总量": "Total",
                     "растворенная": "Dissolved", "растворённая": "Dissolved",
                     "валовая": "Total"}  # fmt: skip


def compute(job: Job) -> Outcome:
    """Results in each of the three forms; what a form has no name for is told, not renamed."""
    notes = Notes()
    results = results_of(job, notes)
    results = _dated(results)
    wqx = _wqx(results, str(job.parameters["project"]), notes)
    return Outcome(
        values={
            "results": Value(value=len(results), unit="results"),
            "wqx": Value(value=len(wqx), unit="results"),
            "censored": Value(value=int((results["kind"] != 0).sum()), unit="results"),
        },
        tables={"wqx": wqx, "egret": _egret(results, job, notes), "waterml": _waterml(results)},
        findings=notes.all(),
    )


def _dated(results: pd.DataFrame) -> pd.DataFrame:
    """``date`` as delivered (of its own zone), and ``at`` in UTC where a time of day is known."""
    out = results.copy()
    said = out["time_text"].where(out["time_text"] != "", out["day"])
    said = said.where(said != "", out["time"])
    months = out["calendar_year"] + "-" + out["month"].str.zfill(2)
    said = said.where(~((out["month"] != "") & (out["calendar_year"] != "")), months)
    out["date"] = pd.Series(read_days(said, str(out["file"].iloc[0]))).astype("datetime64[s]")
    clock = out["time"].str.contains("T", regex=False)
    out["at"] = instants(out["time"].where(clock, ""))
    return out


def _wqx(results: pd.DataFrame, project: str, notes: Notes) -> pd.DataFrame:
    told = results[np.isfinite(results["value"]) | (results["kind"] != 0)]
    names = told["key"].map(_names())
    for name, count in told["property"][names.isna()].value_counts().sort_index().items():
        notes.add(Finding("water-wqx-unnamed", Severity.WARNING, value=str(name),
                          params={"count": str(count)}))  # fmt: skip
    told, names = told[names.notna()], names[names.notna()]
    undated = told["date"].isna()
    if undated.any():
        count = str(int(undated.sum()))
        notes.add(Finding("water-undated", Severity.WARNING, params={"count": count}))
        told, names = told[~undated], names[~undated]
    heads = ["property", "characteristic", "speciation", "fraction"]
    own = pd.DataFrame(list(names), index=told.index, columns=heads)
    units = told["unit"].astype(object).fillna("")
    spelled = {u: _spelled(str(u)) for u in units.unique()}
    factor = units.map({u: s[1] for u, s in spelled.items()}).to_numpy(np.float64)
    unit = units.map({u: s[0] for u, s in spelled.items()})
    value = told["value"].to_numpy(np.float64) * factor
    kind = told["kind"].to_numpy()
    known = np.isfinite(value)
    condition = np.select([kind == 0, kind > 0, known], ["", _ABOVE, _BELOW], _UNKNOWN)
    day = told["date"].dt.strftime("%Y-%m-%d")
    clock = told["at"].notna()
    basis = told["basis"].map(lambda b: f"as {b.removeprefix('as ')}" if b else "")
    fraction = told["fraction"].str.casefold().map(_FRACTIONS)
    blank = pd.Series("", index=told.index)
    sample = told["station"] + ":" + day.str.replace("-", "", regex=False)
    out = pd.DataFrame(
        {
            "Project ID": project, "Monitoring Location ID": told["station"].replace("", "unknown"),
            "Activity ID": told["sample"].where(told["sample"] != "", sample),
            "Activity Type": "Sample-Routine", "Activity Media Name": "Water",
            "Activity Start Date": told["at"].dt.strftime("%Y-%m-%d").where(clock, day),
            "Activity Start Time": told["at"].dt.strftime("%H:%M:%SZ").where(clock, ""),
            "Activity Start Time Zone": blank.where(~clock, "UTC"),
            "Characteristic Name": own["characteristic"],
            "Method Speciation": basis.where(basis != "", own["speciation"]).where(
                own["speciation"] != "", basis),
            "Result Sample Fraction": fraction.fillna(own["fraction"]),
            "Result Detection Condition": condition,
            "Result Value": np.where(kind == 0, value, np.nan),
            "Result Unit": unit.where(kind == 0, ""),
            "Result Detection/Quantitation Limit Type": np.select(
                [(kind < 0) & known, (kind > 0) & known],
                ["Method Detection Level", "Upper Quantitation Limit"], ""),
            "Result Detection/Quantitation Limit Measure": np.where((kind != 0) & known, value,
                                                                    np.nan),
            "Result Detection/Quantitation Limit Unit": unit.where((kind != 0) & known, ""),
            "Result Status ID": "Preliminary", "Result Value Type": "Actual",
            "Analysis Start Date": told["analysed_at"].str.extract(r"^(\d{4}-\d\d-\d\d)",
                                                                   expand=False).fillna(""),
            "Result Comment": told["property"],
        }
    )  # fmt: skip
    return out[list(_WQX)].reset_index(drop=True)


def _spelled(unit: str) -> tuple[str, float]:
    """A unit as WQX has it, and what a value is to be multiplied with."""
    for ours, theirs in _UNITS.items():
        if unit == ours:
            return theirs, 1.0
    for ours in ("mg/L", "uS/cm", "degC", "m", "CFU/(100 mL)", "MPN/(100 mL)"):
        try:
            return _UNITS[ours], float(convert([1.0], unit, ours)[0])
        except (NotComputable, UsageError):
            continue
    return unit, 1.0


def _egret(results: pd.DataFrame, job: Job, notes: Notes) -> pd.DataFrame:
    """Date, remark, value of one station and property: what EGRET's readUserSample takes."""
    column, station = job.parameters["column"], job.parameters["station"]
    own = results[results["date"].notna()]
    if column is not None:
        own = own[own["key"] == property_key(str(column))]
    if station is not None:
        own = own[own["station"] == str(station)]
    single = own["key"].nunique() == 1 and own["station"].nunique() == 1
    if not single or (own["unit"].nunique(dropna=False) > 1):
        notes.add(Finding("water-egret-one", Severity.INFO))
        return pd.DataFrame(columns=["Date", "remark", "value"])
    own = own[np.isfinite(own["value"]) & (own["kind"] <= 0)]
    return pd.DataFrame(
        {
            "Date": own["date"].dt.strftime("%Y-%m-%d"),
            "remark": np.where(own["kind"] < 0, "<", ""),
            "value": own["value"],
        }
    ).sort_values("Date", kind="stable")


def _waterml(results: pd.DataFrame) -> pd.DataFrame:
    """A row for each value with the codes of WaterML 1.1: nc not censored, lt, gt."""
    stamp = results["at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    day = results["date"].dt.strftime("%Y-%m-%d")
    code = np.select([results["kind"] < 0, results["kind"] > 0], ["lt", "gt"], "nc")
    return pd.DataFrame(
        {
            "site": results["station"],
            "datetime_utc": stamp.where(results["at"].notna(), day),
            "variable": results["property"], "speciation": results["basis"],
            "fraction": results["fraction"],
            "value": results["value"].where(np.isfinite(results["value"])),
            "unit": results["unit"].astype(object).fillna(""),
            "censor_code": code,
            "sample": results["sample"], "method": "", "latitude": results["latitude"],
            "longitude": results["longitude"],
        }
    )[list(_WATERML)]  # fmt: skip


@functools.cache
def _names() -> dict[str, tuple[str, str, str, str]]:
    """Our key -> property, characteristic, usual speciation, usual fraction."""
    text = resources.files("ecotone.assess.indicators").joinpath("wqx_names.csv").read_text("utf-8")
    return {
        property_key(line["property"]): (
            line["property"], line["characteristic"], line["speciation"] or "",
            line["fraction"] or "",
        )
        for line in csv.DictReader(text.splitlines())
    }  # fmt: skip


WATER_EXCHANGE: Final = Indicator(
    id="water.exchange",
    version="1",
    inputs=(Input("results", "table", noun="Observation", coarse="say"),),
    parameters=(
        Parameter("project", "text", default="ECOTONE"),
        Parameter("column", "text"),
        Parameter("station", "text"),
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
    ),
    values=dict.fromkeys(("results", "wqx", "censored"), "results"),
    tables={"wqx": dict.fromkeys(_WQX, ""), "egret": {"Date": "", "remark": "", "value": ""},
            "waterml": dict.fromkeys(_WATERML, "")},
    rasters={},
    citations=(
        Citation("US EPA, Water Quality Exchange (WQX) schema, version 3"),
        Citation("Hirsch and De Cicco (2015) User guide to EGRET, USGS TM 4-A10", "10.3133/tm4A10"),
        Citation("OGC 07-041r1 CUAHSI WaterML"),
    ),
    compute=compute,
)  # fmt: skip
