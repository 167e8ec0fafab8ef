"""``wildlife.individuals``: animals of both sides of a border, each counted once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from ecotone.assess import individuals
from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_identities import read_decisions
from ecotone.assess.indicators.wildlife_reading import Problems, is_missing, read_columns
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value

_KINDS: Final = ("coat", "genotype", "mark", "other")
_NODE: Final = {"individual_id": "id", "recognised_by": "kind", "dataset_id": "party"}


def compute(job: Job) -> Outcome:
    """Merge the identities and tell what is one animal, what is disputed, what crosses."""
    notes, problems = Notes(), Problems()
    frames = [_identities(path, problems, notes) for path in job.inputs["identities"]]
    table = pd.concat(frames, ignore_index=True)
    again = table[table.duplicated("id")]
    problems.rows("wildlife-id-twice", job.inputs["identities"][0], again, "id")
    paths = job.inputs.get("decisions", ())
    decisions = (
        read_decisions(paths, problems, notes)
        if paths
        else pd.DataFrame(columns=["first", "second", "decision", "observer"])
    )
    problems.stop()
    found = individuals.registry(table, decisions)
    _tell(found, notes)
    review = individuals.candidates(table, decisions)
    return Outcome(
        values=_values(table, found, review),
        tables={"individuals": found.individuals, "pairs": found.pairs, "review": review},
        findings=notes.all(),
    )


def _identities(path: Path, problems: Problems, notes: Notes) -> pd.DataFrame:
    frame = read_columns(path, (), (), (), notes)
    if "individual_id" in frame:
        # Rows of a node: the owner's own identifier, and the dataset for the party.
        frame = frame.drop(columns=[c for c in ("id", "kind", "party") if c in frame])
        frame = frame.rename(columns=_NODE)
    if "id" not in frame:
        problems.add("wildlife-identity-column", path, field="id")
        problems.stop()
    problems.rows("wildlife-id-missing", path, frame[is_missing(frame["id"])], "id")
    frame["id"] = frame["id"].astype(str).str.strip()
    if "kind" in frame:
        known = is_missing(frame["kind"]) | frame["kind"].isin(_KINDS)
        problems.rows("wildlife-identity-kind", path, frame[~known], "kind")
    if "confidence" in frame:
        number = pd.to_numeric(frame["confidence"], errors="coerce")
        wrong = ~is_missing(frame["confidence"]) & ~number.between(0.0, 1.0)
        problems.rows("wildlife-identity-confidence", path, frame[wrong], "confidence")
    return frame.where(frame.notna(), None)


def _tell(found: individuals.Registry, notes: Notes) -> None:
    for first, second in found.contradictions:
        params = {"first": first, "second": second}
        notes.add(Finding("wildlife-identity-contradiction", Severity.WARNING, params=params))
    for _, row in found.individuals.iterrows():
        if ";" in row["sex"]:
            params = {"individual": row["individual"], "sexes": row["sex"]}
            notes.add(Finding("wildlife-identity-sexes", Severity.WARNING, params=params))


def _values(
    table: pd.DataFrame, found: individuals.Registry, review: pd.DataFrame
) -> dict[str, Value]:
    one = found.individuals
    several = one["parties"].str.contains(";", regex=False)
    both = one["kinds"].str.contains("coat", regex=False) & one["kinds"].str.contains(
        "genotype", regex=False
    )
    disputed = found.pairs["verdict"].isin(("disputed", "unsure"))
    return {
        "identities": Value(value=len(table), unit="identities"),
        "individuals": Value(value=len(one), unit="animals"),
        "individuals_together": Value(value=found.together, unit="animals"),
        "across": Value(value=int(several.sum()), unit="animals"),
        "both_methods": Value(value=int(both.sum()), unit="animals"),
        "disputed": Value(value=int(disputed.sum()), unit="pairs"),
        "review": Value(value=len(review), unit="pairs"),
    }


WILDLIFE_INDIVIDUALS: Final = Indicator(
    id="wildlife.individuals",
    version="1",
    inputs=(
        Input("identities", "table", noun="Individual", coarse="refuse"),
        Input("decisions", "table", noun="Record", required=False),
    ),
    parameters=(),
    values={
        "identities": "identities",
        "individuals": "animals",
        "individuals_together": "animals",
        "across": "animals",
        "both_methods": "animals",
        "disputed": "pairs",
        "review": "pairs",
    },
    tables={
        "individuals": individuals.INDIVIDUALS,
        "pairs": individuals.PAIRS,
        "review": individuals.CANDIDATES,
    },
    rasters={},
    citations=(
        Citation(
            "Johansson and others (2020) Scientific Reports 10, 6393",
            "10.1038/s41598-020-63367-z",
        ),
    ),
    compute=compute,
)
