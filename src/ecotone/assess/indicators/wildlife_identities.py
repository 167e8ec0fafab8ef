"""Tables of identities and of what observers decided about them, as indicators read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_reading import Problems, is_missing, read_columns
from ecotone.assess.individuals import decided_pairs
from ecotone.model.finding import Finding, Severity
from ecotone.science.wildlife.individuals import DECISIONS, Pair

#: What the rows of decisions in a node are called.
RECORD_TYPE: Final = "IdentityDecision"
_NEEDED: Final = ("first", "second", "decision", "observer")


def read_decisions(paths: Sequence[Path], problems: Problems, notes: Notes) -> pd.DataFrame:
    """Rows of first, second, decision, observer, and where told confidence, reason, decided."""
    frames = []
    for path in paths:
        frame = read_columns(path, (), (), (), notes)
        if "fields" in frame and "record_type" in frame:
            frame = _unfolded(frame)
        for name in _NEEDED:
            if name not in frame:
                problems.add("wildlife-decision-column", path, field=name)
        problems.stop()
        for name in _NEEDED:
            empty = frame[is_missing(frame[name])]
            problems.rows("wildlife-decision-empty", path, empty, name)
            frame[name] = frame[name].astype(str).str.strip()
        frame["decision"] = frame["decision"].str.casefold()
        wrong = frame[~frame["decision"].isin(DECISIONS) & ~is_missing(frame["decision"])]
        problems.rows("wildlife-decision-word", path, wrong, "decision")
        own = frame[(frame["first"] == frame["second"]) & ~is_missing(frame["first"])]
        problems.rows("wildlife-decision-itself", path, own, "second")
        frames.append(frame)
    problems.stop()
    table = pd.concat(frames, ignore_index=True)
    if "decided" in table:
        table = table.sort_values("decided", kind="stable", ignore_index=True)
    for name in ("confidence", "reason"):
        if name not in table:
            table[name] = None
    return table


def _unfolded(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that a node keeps whole, their fields as columns again."""
    own = frame[frame["record_type"] == RECORD_TYPE]
    told = pd.DataFrame([json.loads(text) for text in own["fields"]], dtype=object)
    return told.assign(row=own["row"].to_numpy())


def decided(rows: pd.DataFrame, ids: Sequence[str], notes: Notes) -> list[Pair]:
    """What was decided about these identities; decisions on others are told and left out."""
    own, found = decided_pairs(ids, rows)
    if len(own) < len(rows):
        params = {"count": str(len(rows) - len(own))}
        notes.add(Finding("wildlife-decisions-elsewhere", Severity.INFO, params=params))
    return found
