"""Decisions about identities kept in a node: added, never changed.

Each decision is a delivery of one row, so that who decided what, when and why stands in the
ledger like any other delivery. A party's decisions lie in a dataset of its own and reach partners
only as an agreement lets them.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from ecotone.formats.csv import write_csv
from ecotone.formats.identity_decisions import COLUMNS, RECORD_TYPE, WORDS
from ecotone.ingest.commit import ingest
from ecotone.ingest.delivery import Orders
from ecotone.model.errors import UsageError
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.store import Store

Word = Literal["same", "different", "unsure"]


@dataclass(frozen=True)
class Decision:
    """One observer's word on two identities."""

    first: str
    second: str
    decision: Word
    observer: str
    reason: str
    decided: dt.datetime
    confidence: float | None = None


def decide(store: Store, dataset_id: str, decision: Decision, *, person: str) -> str:
    """Add a decision; the identifier of its batch.

    Raises UsageError for a word that is none, an identity compared with itself, a missing
    reason, a confidence outside 0 to 1, or a time without zone.
    """
    _check(decision)
    row = {
        "first": decision.first,
        "second": decision.second,
        "decision": decision.decision,
        "observer": decision.observer,
        "confidence": "" if decision.confidence is None else f"{decision.confidence:g}",
        "reason": decision.reason,
        "decided": decision.decided.astimezone(dt.UTC).isoformat(timespec="microseconds"),
    }
    with tempfile.TemporaryDirectory(prefix="ecotone-decision-") as folder:
        path = Path(folder) / "identity-decision.csv"
        write_csv(path, pd.DataFrame([row], columns=list(COLUMNS)), formulas=True)
        orders = Orders(format="identity-decisions")
        done = ingest(path, orders, store, dataset_id=dataset_id, person=person)
    if done.batch is None or done.delivery.rejected:
        raise UsageError(say("individuals.not-kept"))
    return done.batch.batch_id


def _check(decision: Decision) -> None:
    if decision.decision not in WORDS:
        raise UsageError(say("individuals.word", given=decision.decision))
    if not decision.first or not decision.second or decision.first == decision.second:
        raise UsageError(say("individuals.itself"))
    if not decision.observer.strip() or not decision.reason.strip():
        raise UsageError(say("individuals.reason"))
    if decision.confidence is not None and not 0.0 <= decision.confidence <= 1.0:
        raise UsageError(say("individuals.confidence", given=f"{decision.confidence:g}"))
    if decision.decided.tzinfo is None:
        raise UsageError(say("individuals.zone"))


def decisions(store: Store, datasets: list[str] | None = None) -> pd.DataFrame:
    """All decisions of these datasets (of all where None), in the order in which they were made."""
    chosen = [d.dataset_id for d in store.datasets()] if datasets is None else datasets
    rows = []
    for block in store.select("Record", datasets=chosen):
        own = block[block["record_type"] == RECORD_TYPE]
        for fields, dataset in zip(own["fields"], own["dataset_id"], strict=True):
            told = json.loads(fields) if isinstance(fields, str) else fields
            rows.append({**{name: told.get(name) for name in COLUMNS}, "dataset_id": dataset})
    table = pd.DataFrame(rows, columns=[*COLUMNS, "dataset_id"], dtype=object)
    return table.sort_values("decided", kind="stable", ignore_index=True)
