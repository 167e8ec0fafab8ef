"""``water.compliance``: which stations keep to a standard, and what cannot be said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter, Scalar
from ecotone.assess.indicators.doubtful import usable
from ecotone.assess.indicators.extent import results_of
from ecotone.assess.indicators.laboratory_quality import Limits
from ecotone.assess.indicators.laboratory_reading import read_flags, read_register
from ecotone.assess.indicators.matching import beside, tell_unit_doubts
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.standards import (
    GRADES,
    Limit,
    read_standards,
    standard_files,
)
from ecotone.assess.indicators.water_judged import tell_spread
from ecotone.assess.indicators.water_laboratory import judge as quality_of
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.water import Verdict, excess, judge, share_with_unknown
from ecotone.science.water.conformity import State, conformity, share_conformity
from ecotone.science.water.stream_qc import FAIL

#: Confidence level of every share's interval.
_LEVEL: Final = 0.95
_STATES: Final = {
    "compliant": State.COMPLIANT,
    "probably": State.PROBABLY,
    "probably_not": State.PROBABLY_NOT,
    "non_compliant": State.NON_COMPLIANT,
}
_NAMES: Final = {code.value: name for name, code in _STATES.items()}
_TABLE: Final = {
    "station": "",
    "property": "",
    "standard": "",
    "version": "",
    "kind": "",
    "limit": "",
    "unit": "",
    "n": "results",
    "passes": "results",
    "exceedances": "results",
    "undetermined": "results",
    "share": "1",
    "low": "1",
    "high": "1",
    "worst": "",
    "compliant": "results",
    "probably": "results",
    "probably_not": "results",
    "non_compliant": "results",
    "allowed": "1",
    "state": "",
}


#: What leads from a number back to its bottle and its measurement.
_LINKS: Final = ("sample", "time_text", "time", "analysis", "procedure", "analysed_at", "record")
_BEYOND: Final = {
    "station": "", "sample": "", "taken": "", "property": "", "value": "", "low": "", "high": "",
    "limit": "", "state": "", "analysis": "", "procedure": "", "analysed_at": "", "analyst": "",
    "instrument": "", "laboratory": "", "unit": "", "standard": "", "version": "", "record": "",
}  # fmt: skip


def compute(job: Job) -> Outcome:
    """Judge every result against every limit of its property, then count by station."""
    notes = Notes()
    parameters = job.parameters
    files, named = standard_files(job.inputs.get("standards", ()), _text(parameters["standard"]))
    limits = [
        limit
        for path in files
        for limit in read_standards(
            path,
            notes,
            standard=named,
            version=_text(parameters["version"]),
            grade=_text(parameters["class"]),
            water=str(parameters["water"]),
        )
    ]
    results, aside = _vouched(usable(results_of(job, notes), notes, ""), job, notes)
    _tell_unlimited(results, limits, notes)
    tell_unit_doubts(results[results["key"].isin({limit.key for limit in limits})], notes)
    tell_spread(results[results["key"].isin({limit.key for limit in limits})], notes, "states")
    judged = [part for limit in limits for part in _judged(results, limit, notes)]
    table = _table(judged)
    if table.empty:
        raise NotComputable(say("assess.water.nothing"), _why(notes))
    values = _values(table, notes)
    values["set_aside"] = Value(value=aside, unit="results")
    beyond = _beyond(judged, job, notes)
    return Outcome(
        values=values, tables={"compliance": table, "exceedances": beyond}, findings=notes.all()
    )


def _why(notes: Notes) -> str:
    """Which properties have no limit here, and which stand in a unit that leads nowhere."""
    found: dict[str, set[str]] = {"water-no-limit": set(), "water-unit-differs": set()}
    for finding in notes.findings:
        if finding.code == "water-no-limit":
            found[finding.code].add(str(finding.value))
        elif finding.code == "water-unit-differs":
            wanted = finding.params["wanted"]
            found[finding.code].add(f"{finding.params['property']} ({finding.value} -> {wanted})")
    if not any(found.values()):
        return say("assess.water.nothing.do")
    unknown, units = (", ".join(sorted(names)) or "-" for names in found.values())
    return say("assess.water.nothing.why", unknown=unknown, units=units)


def _beyond(judged: list[pd.DataFrame], job: Job, notes: Notes) -> pd.DataFrame:
    """Every result beyond its limit, with the bottle, batch, method and hands it came by."""
    rows = pd.concat(judged, ignore_index=True)
    rows = rows[rows["exceedances"]]
    taken = rows["time_text"].where(rows["time_text"] != "", rows["time"])
    state = np.select([rows[n] for n in _STATES], list(_STATES), "")
    register = read_register(job.inputs.get("batches", ()), notes)
    told = register.reindex(rows["analysis"]).fillna("").reset_index(drop=True)
    rows = rows.reset_index(drop=True).assign(taken=taken.to_numpy(), state=state)
    half = rows["uncertainty"].where(rows["uncertainty"] > 0)
    rows["low"], rows["high"] = rows["value"] - half, rows["value"] + half
    for name in ("analyst", "instrument", "laboratory"):
        rows[name] = told[name]
    rows["procedure"] = rows["procedure"].where(rows["procedure"] != "", told["procedure"])
    order = ["station", "property", "taken", "sample"]
    return rows.sort_values(order, kind="stable")[list(_BEYOND)]


def _vouched(results: pd.DataFrame, job: Job, notes: Notes) -> tuple[pd.DataFrame, int]:
    """Results that quality assurance lets stand, with the laboratory's uncertainty; how many not.

    Flags delivered as a layer and the laboratory's own controls and custody both count; what
    fails is left out of the judgement and told, what is suspect stays.
    """
    results = results.assign(place=np.arange(len(results)))
    failed = np.zeros(len(results), dtype=np.bool_)
    if job.inputs.get("controls") or job.inputs.get("custody"):
        judged = quality_of(results, job.inputs, Limits(), notes)
        failed |= judged.worst.to_numpy() == FAIL
        share = results["key"].map(judged.uncertainty.set_index("key")["expanded"])
        results["uncertainty"] = results["uncertainty"].fillna(share * results["value"])
    if job.inputs.get("flags"):
        failed |= _flagged(results, read_flags(job.inputs["flags"], notes))
    count = int(failed.sum())
    if count:
        names = ", ".join(sorted(results.loc[failed, "property"].unique()))
        notes.add(Finding("water-set-aside", Severity.WARNING,
                          params={"count": str(count), "properties": names}))  # fmt: skip
    return results[~failed], count


def _flagged(results: pd.DataFrame, flags: pd.DataFrame) -> NDArray[np.bool_]:
    """Results that a flag names: by their own number, else by bottle or batch and property."""
    own = flags[flags["aside"]]
    hit = ((results["record"] != "") & results["record"].isin(own["record"])).to_numpy(copy=True)
    loose = own[own["record"] == ""]
    for link in ("sample", "analysis"):
        linked = loose[loose[link] != ""]
        every = (results[link] != "") & results[link].isin(linked[link][linked["key"] == ""])
        pairs = pd.MultiIndex.from_frame(linked[[link, "key"]])
        hit |= every.to_numpy() | pd.MultiIndex.from_frame(results[[link, "key"]]).isin(pairs)
    return hit


def _text(given: Scalar) -> str | None:
    return None if given is None else str(given)


def _tell_unlimited(results: pd.DataFrame, limits: list[Limit], notes: Notes) -> None:
    without = results[~results["key"].isin({limit.key for limit in limits})]
    for name, count in without.groupby("property", sort=True).size().items():
        notes.add(
            Finding(
                "water-no-limit",
                Severity.INFO,
                field="property",
                value=str(name),
                params={"count": str(count)},
            )
        )


def _judged(results: pd.DataFrame, limit: Limit, notes: Notes) -> Iterator[pd.DataFrame]:
    """Results of one property beside one limit, in the limit's unit, with their verdicts."""
    for group, values in beside(results, limit, notes):
        kind = group["kind"].to_numpy()
        verdict = judge(values, kind, limit.maximum, limit.minimum)
        beyond = excess(values, kind, limit.maximum, limit.minimum)
        # An expanded uncertainty stands in the unit of its result and is scaled with it.
        own_value = group["value"].to_numpy(dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            half = np.abs(group["uncertainty"].to_numpy(dtype=np.float64) * values / own_value)
        half = np.where(np.isfinite(half), half, 0.0)
        state = conformity(values, kind, half, limit.maximum, limit.minimum)
        yield pd.DataFrame(
            {
                "station": group["station"].to_numpy(),
                "property": limit.name,
                "standard": limit.standard,
                "version": limit.version,
                "kind": limit.kind,
                "limit": limit.text(),
                "unit": limit.unit,
                "allowed": limit.allowed,
                "passes": verdict == Verdict.PASSES,
                "exceedances": verdict == Verdict.EXCEEDS,
                "undetermined": verdict == Verdict.UNDETERMINED,
                "beyond": np.where(np.isfinite(beyond), beyond, -np.inf),
                "value": values,
                "uncertainty": half,
                **{n: group[n].to_numpy() for n in _LINKS},
                **{name: state == code for name, code in _STATES.items()},
            }
        )


def _table(judged: list[pd.DataFrame]) -> pd.DataFrame:
    """One row per station, property and standard."""
    if not judged:
        return pd.DataFrame(columns=list(_TABLE))
    rows = pd.concat(judged, ignore_index=True)
    keys = ["station", "property", "standard", "version", "kind", "limit", "unit", "allowed"]
    groups = rows.groupby(keys, sort=True, dropna=False)
    table = groups[["passes", "exceedances", "undetermined"]].sum().astype(np.int64)
    table.insert(0, "n", table.sum(axis=1))
    share, low, high = share_with_unknown(
        table["exceedances"], table["passes"], table["undetermined"], _LEVEL
    )
    table["share"], table["low"], table["high"] = share, low, high
    for name in _STATES:
        table[name] = groups[name].sum().astype(np.int64)
    worst = rows.loc[groups["beyond"].idxmax()]
    table["worst"] = np.where(np.isfinite(worst["beyond"]), worst["value"], np.nan)
    table = table.reset_index()
    table["state"] = [_state(row) for row in table.to_dict("records")]
    return table[list(_TABLE)]


def _state(row: dict[str, object]) -> str:
    """What a percentile rule says of a station; nothing where every result must comply.

    Results that cannot be judged are taken as breaking the rule and as keeping it: only where
    both say the same is the state told.
    """
    allowed = float(str(row["allowed"]))
    if allowed == 0:
        return ""
    known, unknown, n = (int(str(row[k])) for k in ("exceedances", "undetermined", "n"))
    ends = {int(share_conformity(x, n, allowed, _LEVEL)) for x in (known, known + unknown)}
    return _NAMES[ends.pop()] if len(ends) == 1 else "undetermined"


def _values(table: pd.DataFrame, notes: Notes) -> dict[str, Value]:
    """Counts over the rules that every single result must keep; of all where there is none."""
    single = table[table["allowed"] == 0]
    table = table if single.empty else single
    counts = {
        name: int(table[name].sum()) for name in ("n", "passes", "exceedances", "undetermined")
    }
    share, low, high = share_with_unknown(
        counts["passes"], counts["exceedances"], counts["undetermined"], _LEVEL
    )
    if np.isnan(share):
        notes.add(Finding("water-all-undetermined", Severity.WARNING))
    return {
        "stations": Value(value=table["station"].nunique(), unit="stations"),
        "results": Value(value=counts["n"], unit="results"),
        "exceedances": Value(value=counts["exceedances"], unit="results"),
        "undetermined": Value(value=counts["undetermined"], unit="results"),
        "share_compliant": Value(
            value=None if np.isnan(share) else float(share),
            unit="1",
            low=float(low),
            high=float(high),
            level=_LEVEL,
        ),
    }


WATER_COMPLIANCE: Final = Indicator(
    id="water.compliance",
    version="4",
    inputs=(
        Input("results", "table", noun="Observation", coarse="say"),
        Input("standards", "table", required=False),
        Input("controls", "table", noun="QualityControl", required=False),
        Input("custody", "table", noun="CustodyEvent", required=False),
        Input("batches", "table", noun="AnalysisBatch", required=False),
        Input("flags", "table", noun="QualityFlag", required=False),
    ),
    parameters=(
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("standard", "text"),
        Parameter("version", "text"),
        Parameter("class", "text", choices=GRADES),
        Parameter("water", "text", default="river", choices=("river", "lake")),
    ),
    values={
        "stations": "stations",
        "results": "results",
        "exceedances": "results",
        "undetermined": "results",
        "share_compliant": "1",
        "set_aside": "results",
    },
    tables={"compliance": _TABLE, "exceedances": _BEYOND},
    rasters={},
    citations=(
        Citation("JCGM 106 (2012) The role of measurement uncertainty in conformity assessment"),
        Citation(
            "Helsel (2012) Statistics for Censored Environmental Data", "10.1002/9781118162729"
        ),
        Citation("Clopper and Pearson (1934) Biometrika 26, 404-413", "10.1093/biomet/26.4.404"),
    ),
    compute=compute,
)
