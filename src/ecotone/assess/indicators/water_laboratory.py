"""``water.laboratory``: which results fail quality assurance, by what, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators import laboratory_quality as quality
from ecotone.assess.indicators.extent import results_of
from ecotone.assess.indicators.laboratory_ions import BALANCE, TAKEN, balances
from ecotone.assess.indicators.laboratory_reading import (
    read_batches,
    read_controls,
    read_custody,
    without_controls,
)
from ecotone.assess.indicators.matching import tell_unit_doubts
from ecotone.assess.indicators.properties import property_key
from ecotone.assess.indicators.reading import Notes
from ecotone.model import custody
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.science.water.stream_qc import FAIL, MISSING, NOT_EVALUATED, PASS, SUSPECT

VERSION: Final = "1"
_WORDS: Final = {
    PASS: "pass", NOT_EVALUATED: "not evaluated", SUSPECT: "suspect", FAIL: "fail",
    MISSING: "missing",
}  # fmt: skip
_REASONS: Final = {
    "row": "", "file": "", "record": "", "station": "", "sample": "", "analysis": "",
    "property": "", "value": "", "unit": "", "test": "", "flag": "", "told": "", "control": "",
}  # fmt: skip
_CONTROLS: Final = {
    "analysis": "", "control": "", "kind": "", "property": "", "sample": "", "measure": "",
    "lowest": "", "highest": "", "unit": "", "flag": "",
}  # fmt: skip
_BATCHES: Final = {
    "analysis": "", "property": "", "n": "results", "controls": "", "failed": "",
    "results_failed": "results", "results_suspect": "results", "flag": "",
}  # fmt: skip
_CUSTODY: Final = {"sample": "", "fault": "", "flag": "", "told": "", "row": "", "file": ""}
_CHART: Final = {
    "property": "", "kind": "", "analysis": "", "control": "", "time": "", "recovery": "%",
    "mean": "%", "sd": "%", "z": "1", "rules": "", "flag": "",
}  # fmt: skip
_BALANCE: Final = {name: "" for name in BALANCE if name != "together"}
_UNCERTAINTY: Final = {
    "property": "", "n": "", "left_out": "", "u_rw": "1", "u_bias": "1", "expanded": "1",
}  # fmt: skip
#: In the shape of the noun QualityFlag: to be delivered as a layer over the results.
_LAYER: Final = {
    "flag_id": "", "record": "", "sample": "", "analysis": "", "property": "", "flag": "",
    "rule": "", "rule_version": "", "why": "",
}  # fmt: skip
_ORDER: Final = (NOT_EVALUATED, SUSPECT, FAIL)


@dataclass(frozen=True)
class Judged:
    """Results with their reasons, and what the reasons rest on."""

    results: pd.DataFrame
    reasons: pd.DataFrame
    controls: pd.DataFrame
    charts: pd.DataFrame
    faults: pd.DataFrame
    balance: pd.DataFrame
    uncertainty: pd.DataFrame

    @property
    def worst(self) -> pd.Series:
        """The flag of each result by its place: the worst of its reasons, else pass."""
        rank = self.reasons["flag"].map(_ORDER.index)
        by_place = rank.groupby(self.reasons["place"]).max().map(lambda r: _ORDER[int(r)])
        return by_place.reindex(self.results["place"]).fillna(PASS).astype(np.uint8)


def judge(
    results: pd.DataFrame,
    inputs: Mapping[str, Sequence[Path]],
    limits: quality.Limits,
    notes: Notes,
) -> Judged:
    """Results (with ``place``) held against the laboratory's own controls and custody."""
    controls = read_controls(inputs.get("controls", ()), notes)
    batches = read_batches(inputs.get("batches", ()), notes)
    steps = read_custody(inputs.get("custody", ()), notes)
    linked = set(results["analysis"]) - {""}
    results, controls = quality.common_units(results, controls, notes)
    # A chart and an uncertainty rest on all the laboratory's standards, a batch on its own.
    history = quality.judge_controls(results, controls, limits)
    charts = quality.chart(history)
    own_batch = history["analysis"].isin(linked) if linked else history["analysis"].notna()
    controls = history[own_batch].reset_index(drop=True)
    own = steps[steps["sample"].isin(set(results["sample"]) - {""})].reset_index(drop=True)
    faults = custody.faults(own, limits.warmest)
    faults = faults.join(own[["row", "file"]], on="event")
    balance = balances(results)
    parts = [
        *(
            quality.of_batches(results, controls, charts, limits)
            if len(controls)
            else [quality.unvouched(results)]
        ),
        quality.of_time(results, batches), quality.of_fractions(results),
        quality.of_custody(results, faults), *quality.of_bottles(results),
        *_of_ions(results, balance),
    ]  # fmt: skip
    reasons = pd.concat(parts, ignore_index=True)
    doubts = quality.uncertainties(history)
    return Judged(results, reasons, controls, charts, faults, balance, doubts)


def compute(job: Job) -> Outcome:
    """Judge every result, then count and name what does not stand."""
    notes = Notes()
    results = without_controls(results_of(job, notes), notes, "")
    results["place"] = np.arange(len(results))
    tell_unit_doubts(results, notes, unknown=True)
    judged = judge(results, job.inputs, limits_of(job), notes)
    if len(judged.controls) and not (results["analysis"] != "").any():
        notes.add(Finding("water-lab-unlinked", Severity.WARNING,
                          params={"count": str(len(results))}))  # fmt: skip
    reasons = _reasons(judged)
    return Outcome(
        values=_values(judged),
        tables={
            "batches": _batches(judged), "controls": _controls(judged), "reasons": reasons,
            "custody": _custody(judged), "charts": _worded(judged.charts)[list(_CHART)],
            "balance": _worded(judged.balance, "flag", "ratio_flag")[list(_BALANCE)],
            "uncertainty": judged.uncertainty[list(_UNCERTAINTY)],
            "layer": _layer(reasons),
        },
        findings=notes.all(),
    )  # fmt: skip


def limits_of(job: Job) -> quality.Limits:
    """The laboratory's limits, from the parameters."""
    return quality.Limits(
        duplicate=job.number("duplicate_limit"), lowest=job.number("recovery_low"),
        highest=job.number("recovery_high"), blank_share=job.number("blank_share"),
        warmest=job.number("warmest"),
    )  # fmt: skip


def _of_ions(results: pd.DataFrame, balance: pd.DataFrame) -> list[pd.DataFrame]:
    """Samples whose ions do not balance, or do not fit their conductivity."""
    keys = list(TAKEN)
    told = results[["place", "key", *keys]]
    major = {property_key(n) for n in ("calcium", "magnesium", "sodium", "potassium", "chloride",
                                       "sulfate", "bicarbonate", "alkalinity")}  # fmt: skip
    found = []
    for flag, number, test, which in (
        ("flag", "error", "charge-balance", major),
        ("ratio_flag", "ratio", "conductivity-ratio", {property_key("conductivity")}),
    ):
        bad = balance[balance[flag] == FAIL]
        hit = told[told["key"].isin(which)].merge(bad[[*keys, number]], on=keys)
        unit = " %" if number == "error" else ""
        found.append(
            pd.DataFrame({"place": hit["place"], "test": test, "flag": np.uint8(SUSPECT),
                          "told": [f"{x:.3g}{unit}" for x in hit[number]], "control": ""})
        )  # fmt: skip
    return found


def _reasons(judged: Judged) -> pd.DataFrame:
    """Each reason beside the result it speaks of; what has no controls is counted elsewhere."""
    told = judged.reasons[judged.reasons["flag"] != NOT_EVALUATED]
    columns = ["place", "row", "file", "record", "station", "sample", "analysis", "property",
               "value", "unit"]  # fmt: skip
    joined = told.merge(judged.results[columns], on="place", validate="many_to_one")
    joined = joined.sort_values(["place", "flag", "test"], ascending=[True, False, True])
    return _worded(joined)[list(_REASONS)].reset_index(drop=True)


def _controls(judged: Judged) -> pd.DataFrame:
    own = ["kind", "unit", "lowest", "highest"]
    table = judged.controls.drop(columns=own).rename(
        columns={"control_kind": "kind", "measure_unit": "unit", "low": "lowest",
                 "high": "highest"}
    )  # fmt: skip
    return _worded(table)[list(_CONTROLS)]


def _custody(judged: Judged) -> pd.DataFrame:
    broken = judged.faults["fault"].isin(custody.BREAKING)
    return judged.faults.assign(flag=np.where(broken, "fail", "suspect"))[list(_CUSTODY)]


def _batches(judged: Judged) -> pd.DataFrame:
    """A row for each batch and property: its controls, and what became of its results."""
    told = judged.results.assign(flag=judged.worst.to_numpy())
    told = told[told["analysis"] != ""]
    keys = ["analysis", "key"]
    table = told.groupby(keys, sort=True).agg(
        property=("property", "first"), n=("place", "size"),
        results_failed=("flag", lambda f: int((f == FAIL).sum())),
        results_suspect=("flag", lambda f: int((f == SUSPECT).sum())),
    )  # fmt: skip
    table["controls"] = judged.controls.groupby(keys).size().reindex(table.index).fillna(0)
    bad = judged.controls[judged.controls["flag"].isin((FAIL, SUSPECT))]
    kinds = bad.groupby(keys)["control_kind"].agg(lambda k: "; ".join(dict.fromkeys(k)))
    table["failed"] = kinds.reindex(table.index).fillna("")
    table["controls"] = table["controls"].astype(np.int64)
    table["flag"] = np.select(
        [table["failed"] != "", table["controls"] == 0], ["fail", "not evaluated"], "pass"
    )
    return table.reset_index()[list(_BATCHES)]


def _layer(reasons: pd.DataFrame) -> pd.DataFrame:
    """One flag for each result and reason; its number comes of what it says, so stays the same."""
    said = reasons[["record", "sample", "analysis", "property", "flag", "test", "told", "control"]]
    ids = [
        "QF-" + hashlib.sha256("\0".join(map(str, row)).encode()).hexdigest()[:16]
        for row in said.itertuples(index=False)
    ]
    why = (said["told"].astype(str) + " " + said["control"].astype(str)).str.strip()
    table = said.assign(flag_id=ids, rule="water.laboratory/" + said["test"].astype(str),
                        rule_version=VERSION, why=why)  # fmt: skip
    return table.drop_duplicates("flag_id")[list(_LAYER)].reset_index(drop=True)


def _worded(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return table.assign(**{c: table[c].map(_WORDS) for c in columns or ("flag",)})


def _values(judged: Judged) -> dict[str, Value]:
    worst = judged.worst.to_numpy()
    batches = _batches(judged)
    broken = judged.faults[judged.faults["fault"].isin(custody.BREAKING)]
    counts = {
        "results": (len(worst), "results"), "passed": (int(np.sum(worst == PASS)), "results"),
        "suspect": (int(np.sum(worst == SUSPECT)), "results"),
        "failed": (int(np.sum(worst == FAIL)), "results"),
        "not_evaluated": (int(np.sum(worst == NOT_EVALUATED)), "results"),
        "batches": (batches["analysis"].nunique(), "batches"),
        "batches_failed": (batches[batches["flag"] == "fail"]["analysis"].nunique(), "batches"),
        "controls": (len(judged.controls), "1"),
        "controls_failed": (int(judged.controls["flag"].isin((FAIL, SUSPECT)).sum()), "1"),
        "custody_broken": (broken["sample"].nunique(), "samples"),
        "unbalanced": (int((judged.balance["flag"] == FAIL).sum()), "samples"),
    }  # fmt: skip
    return {name: Value(value=value, unit=unit) for name, (value, unit) in counts.items()}


WATER_LABORATORY: Final = Indicator(
    id="water.laboratory",
    version=VERSION,
    inputs=(
        Input("results", "table", noun="Observation", coarse="say"),
        Input("controls", "table", noun="QualityControl", required=False),
        Input("custody", "table", noun="CustodyEvent", required=False),
        Input("batches", "table", noun="AnalysisBatch", required=False),
    ),
    parameters=(
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("duplicate_limit", "number", default=20.0, minimum=0.1, unit="%"),
        Parameter("recovery_low", "number", default=75.0, minimum=0, unit="%"),
        Parameter("recovery_high", "number", default=125.0, minimum=0, unit="%"),
        Parameter("blank_share", "number", default=0.1, minimum=0.001, maximum=0.999, unit="1"),
        Parameter("warmest", "number", default=8.0, unit="degC"),
    ),
    values={
        **dict.fromkeys(("results", "passed", "suspect", "failed", "not_evaluated"), "results"),
        "batches": "batches", "batches_failed": "batches", "controls": "1",
        "controls_failed": "1", "custody_broken": "samples", "unbalanced": "samples",
    },
    tables={
        "batches": _BATCHES, "controls": _CONTROLS, "reasons": _REASONS, "custody": _CUSTODY,
        "charts": _CHART, "balance": _BALANCE, "uncertainty": _UNCERTAINTY,
        "layer": _LAYER,
    },
    rasters={},
    citations=(
        Citation("US EPA (2017) 40 CFR 136, Appendix B, revision 2, and table II"),
        Citation("Westgard et al. (1981) Clinical Chemistry 27, 493-501",
                 "10.1093/clinchem/27.3.493"),
        Citation("Magnusson et al. (2017) Nordtest TR 537, edition 4"),
        Citation("ISO 5667-3:2018 Water quality, sampling: preservation and handling"),
        Citation("Standard Methods for the Examination of Water and Wastewater, 1030 E, 2510 A"),
    ),
    compute=compute,
)  # fmt: skip
