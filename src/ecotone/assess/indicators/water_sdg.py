"""``water.sdg-6-3-2``: the share of water bodies with good ambient water quality."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.extent import within
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.standards import GRADES
from ecotone.assess.indicators.water_judged import read_all, tell_spread, with_limits
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.water.compliance import Verdict, judge
from ecotone.science.water.index_intervals import complying_share, share_of_uncertain
from ecotone.science.water.indices import good_status

_LEVEL: Final = 0.95
#: Core parameter groups of level 1 and the properties that stand for each.
_GROUPS: Final = {
    "oxygen": ("dissolvedoxygen", "dissolvedoxygensaturation", "bod5", "codcr",
               "permanganateindex"),
    "salinity": ("conductivity", "salinity", "totaldissolvedsolids"),
    "nitrogen": ("totalnitrogen", "nitratenitritenitrogen", "nitratenitrogen", "nitrate",
                 "nitritenitrogen", "nitrite", "ammonianitrogen"),
    "phosphorus": ("totalphosphorus", "orthophosphate"),
    "acidification": ("ph",),
}  # fmt: skip
_GROUND_GROUPS: Final = ("salinity", "nitrogen", "acidification")
_GROUNDWATER: Final = frozenset(
    {"groundwater", "aquifer", "well", "подземные воды", "водоносный горизонт", "地下水"}
)
_BODIES: Final = {
    "body": "", "type": "", "basin": "", "results": "results", "complying": "results",
    "undetermined": "results", "share": "1", "low": "1", "high": "1", "chance": "1",
    "status": "", "missing": "",
}  # fmt: skip
_BASINS: Final = {
    "basin": "", "type": "", "bodies": "", "classified": "", "good": "", "share": "%",
    "low": "%", "high": "%",
}  # fmt: skip
_STATUS: Final = {1: "good", 0: "not good", -1: "unassessed"}


def compute(job: Job) -> Outcome:
    """Judge results of the core parameters, then water bodies, then basins."""
    notes = Notes()
    given = job.parameters
    results = within(read_all(job.inputs["results"], notes, None), job, notes)
    bodies = results["body"].where(results["body"] != "", results["station"])
    if (results["body"] == "").all():
        notes.add(Finding("water-stations-as-bodies", Severity.INFO))
    results = results.assign(body=bodies)
    core = results["key"].isin([key for keys in _GROUPS.values() for key in keys])
    for name in sorted(set(results.loc[~core, "property"])):
        count = str(int((results["property"] == name).sum()))
        notes.add(
            Finding("water-not-core", Severity.INFO, field="property", value=str(name),
                    params={"count": count})
        )  # fmt: skip
    if not core.any():
        raise NotComputable(say("assess.water.no-core"), say("assess.water.no-core.do"))
    judged = with_limits(
        results[core],
        job.inputs.get("standards", ()),
        notes,
        standard=None if given["standard"] is None else str(given["standard"]),
        version=None if given["version"] is None else str(given["version"]),
        grade=None if given["class"] is None else str(given["class"]),
        water=str(given["water"]),
    )
    tell_spread(judged, notes)
    table = _bodies(results, judged, job, notes)
    return Outcome(
        values=_values(table, notes),
        tables={"bodies": table, "basins": _basins(table)},
        findings=notes.all(),
    )


def _bodies(results: pd.DataFrame, judged: pd.DataFrame, job: Job, notes: Notes) -> pd.DataFrame:
    """One row per water body; one that the unknown results could turn either way is open."""
    share = job.number("share")
    verdict = judge(judged["level"], judged["sign"], judged["top"], judged["bottom"])
    groups = {key: name for name, keys in _GROUPS.items() for key in keys}
    counted = pd.DataFrame(
        {
            "body": judged["body"],
            "complying": verdict == Verdict.PASSES,
            "undetermined": verdict == Verdict.UNDETERMINED,
            "results": verdict != Verdict.NONE,
            "group": judged["key"].map(groups),
        }
    )
    first = results.groupby("body")[["body_type", "basin"]].first()
    counts = counted.groupby("body")[["results", "complying", "undetermined"]].sum()
    counts = counts.reindex(first.index, fill_value=0).astype(np.int64)
    at_worst = good_status(counts["complying"], counts["results"], share)
    at_best = good_status(counts["complying"] + counts["undetermined"], counts["results"], share)
    status = np.where(at_worst == at_best, at_worst, -1)
    seen = counted.groupby("body")["group"].agg(set).reindex(first.index)
    missing = [
        ", ".join(sorted(_wanted(str(kind)) - (have if isinstance(have, set) else set())))
        for kind, have in zip(first["body_type"], seen, strict=True)
    ]
    table = pd.DataFrame(
        {
            "body": first.index, "type": first["body_type"].to_numpy(),
            "basin": first["basin"].to_numpy(), **{c: counts[c].to_numpy() for c in counts},
            "share": (counts["complying"] / counts["results"].replace(0, np.nan)).to_numpy(),
            "status": [_STATUS[int(s)] for s in status], "missing": missing,
        }
    )  # fmt: skip
    table = table.merge(_chances(judged, job), on="body", how="left")
    # Where nothing can be drawn again the status stands as it is.
    told = table["status"].map({"good": 1.0, "not good": 0.0})
    table["chance"] = table["chance"].fillna(told).where(told.notna())
    lacking = int((table["missing"] != "").sum())
    if lacking:
        notes.add(Finding("water-core-missing", Severity.WARNING, params={"count": str(lacking)}))
    return table[list(_BODIES)]


def _chances(judged: pd.DataFrame, job: Job) -> pd.DataFrame:
    """Interval of each body's share of complying results, and how likely it is good."""
    rows = []
    for body, group in judged.groupby("body", sort=True):
        low, high, chance = complying_share(
            group["bottle"].to_numpy().astype(str),
            *(group[c].to_numpy() for c in ("level", "sign", "top", "bottom")),
            enough=job.number("share"),
            standard=group["spread"].to_numpy(),
            replicates=int(job.number("replicates")),
            seed=int(job.number("seed")),
            level=_LEVEL,
        )
        rows.append({"body": body, "low": low, "high": high, "chance": chance})
    return pd.DataFrame(rows)


def _wanted(kind: str) -> set[str]:
    ground = kind.strip().casefold() in _GROUNDWATER
    return set(_GROUND_GROUPS) if ground else set(_GROUPS)


def _basins(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (basin, kind), group in table.groupby(["basin", "type"], sort=True):
        good = int((group["status"] == "good").sum())
        classified = int((group["status"] != "unassessed").sum())
        low, high = share_of_uncertain(group["chance"].dropna(), _LEVEL)
        rows.append(
            {
                "basin": basin, "type": kind, "bodies": len(group), "classified": classified,
                "good": good, "share": 100 * good / classified if classified else np.nan,
                "low": 100 * low, "high": 100 * high,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)[list(_BASINS)]


def _values(table: pd.DataFrame, notes: Notes) -> dict[str, Value]:
    good = int((table["status"] == "good").sum())
    classified = int((table["status"] != "unassessed").sum())
    open_ones = len(table) - classified
    if open_ones:
        notes.add(
            Finding("water-bodies-unassessed", Severity.WARNING, params={"count": str(open_ones)})
        )
    if not classified:
        notes.add(Finding("water-undefined", Severity.WARNING, field="indicator"))
    low, high = share_of_uncertain(table["chance"].dropna(), _LEVEL)
    return {
        "indicator": Value(
            value=100 * good / classified if classified else None,
            unit="%",
            low=100 * low if classified else None,
            high=100 * high if classified else None,
            level=_LEVEL if classified else None,
        ),
        "bodies": Value(value=len(table), unit="1"),
        "classified": Value(value=classified, unit="1"),
        "good": Value(value=good, unit="1"),
    }


WATER_SDG: Final = Indicator(
    id="water.sdg-6-3-2",
    version="2",
    inputs=(
        Input("results", "table", noun="Observation"),
        Input("standards", "table", required=False),
    ),
    parameters=(
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("standard", "text"),
        Parameter("version", "text"),
        Parameter("class", "text", choices=GRADES),
        Parameter("water", "text", default="river", choices=("river", "lake")),
        Parameter("share", "number", default=0.8, minimum=0.01, maximum=1.0),
        Parameter("replicates", "integer", default=1000, minimum=100, maximum=100_000),
        Parameter("seed", "integer", default=1, minimum=0),
    ),
    values={"indicator": "%", "bodies": "1", "classified": "1", "good": "1"},
    tables={"bodies": _BODIES, "basins": _BASINS},
    rasters={},
    citations=(
        Citation("UN Environment (2018) Introduction to SDG indicator 6.3.2: proportion of "
                 "bodies of water with good ambient water quality"),
        Citation("JCGM 101 (2008) Propagation of distributions using a Monte Carlo method"),
        Citation("Clopper and Pearson (1934) Biometrika 26, 404-413", "10.1093/biomet/26.4.404"),
    ),
    compute=compute,
)  # fmt: skip
