"""The decision table: made once per (reader, dataset, class), then joined to rows.

Unknown means withheld: a row that no class of a valid agreement names does not leave. Where
several classes hold for a row the strictest level counts, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.agreement import Action, Agreement, Class, Level

#: From open to closed; the position is the strictness.
STRICTNESS: Final[tuple[Level, ...]] = (
    "full",
    "generalised",
    "aggregated",
    "metadata",
    "withheld",
)


@dataclass(frozen=True)
class Decision:
    """What one reader gets of one class of one dataset, and by which agreement."""

    dataset_id: str
    name: str
    level: Level
    rule: Class
    agreement_id: str
    agreement_version: int


@dataclass(frozen=True)
class Request:
    """Who asks, for what, to do what, on which day."""

    reader: str
    purpose: str
    action: Action
    today: date


def in_force(agreement: Agreement, request: Request) -> bool:
    """Whether the agreement answers this request at all."""
    return (
        agreement.status == "active"
        and request.reader in agreement.recipients
        and request.purpose in agreement.purposes
        and request.action in agreement.actions
        and agreement.valid_from <= request.today <= agreement.valid_until
    )


def decide(
    request: Request, owners: Mapping[str, str], agreements: Iterable[Agreement]
) -> list[Decision]:
    """The decision table for one request.

    ``owners`` maps dataset to owning party. The reader's own datasets come out at level
    full through the same door. An agreement speaks only for datasets its owner owns.
    """
    own = Class(name="own", level="full")
    table = [
        Decision(dataset, "own", "full", own, "own", 0)
        for dataset, owner in sorted(owners.items())
        if owner == request.reader
    ]
    for agreement in sorted(agreements, key=lambda a: (a.agreement_id, a.version)):
        if not in_force(agreement, request):
            continue
        for dataset in agreement.datasets:
            if owners.get(dataset) != agreement.owner:
                continue
            table.extend(
                Decision(
                    dataset,
                    rule.name,
                    rule.level,
                    rule,
                    agreement.agreement_id,
                    agreement.version,
                )
                for rule in agreement.classes
            )
    return table


def assign(frame: pd.DataFrame, noun: str, decisions: list[Decision]) -> NDArray[np.int64]:
    """Index of the decision that governs each row, -1 where none does (withheld).

    ``frame`` needs ``dataset_id`` and may have ``taxon`` (or ``name``) and ``property``.
    """
    governing = np.full(len(frame), -1, dtype=np.int64)
    strictness = np.full(len(frame), -1.0)
    for index, decision in enumerate(decisions):
        holds = (frame["dataset_id"] == decision.dataset_id).to_numpy(dtype=bool, copy=True)
        if not holds.any():
            continue
        holds &= _in_class(frame, noun, decision.rule)
        rank = _rank(decision.rule)
        stricter = holds & (rank > strictness)
        governing[stricter] = index
        strictness[stricter] = rank
    return governing


def _rank(rule: Class) -> float:
    """Strictness of a class; a coarser cell is stricter than a finer one."""
    cell = (rule.cell_degrees or 0.0) / 10 if rule.level == "generalised" else 0.0
    return STRICTNESS.index(rule.level) + cell


def _in_class(frame: pd.DataFrame, noun: str, rule: Class) -> NDArray[np.bool_]:
    if rule.nouns and noun not in rule.nouns:
        return np.zeros(len(frame), dtype=np.bool_)
    holds = np.ones(len(frame), dtype=np.bool_)
    if rule.taxa:
        column = next((c for c in ("taxon", "name") if c in frame), None)
        if column is None:
            return np.zeros(len(frame), dtype=np.bool_)
        holds &= _taxon_matches(frame[column], rule.taxa)
    if rule.properties:
        if "property" not in frame:
            return np.zeros(len(frame), dtype=np.bool_)
        holds &= frame["property"].isin(rule.properties).to_numpy(dtype=bool)
    return holds


def _taxon_matches(names: pd.Series, taxa: tuple[str, ...]) -> NDArray[np.bool_]:
    """Names equal to, or ranks below, one of ``taxa``, whatever case, spaces or author.

    ``Panthera uncia`` covers ``panthera  uncia`` and ``Panthera uncia irbis (Ehrenberg)``;
    ``Panthera`` covers all its species.
    """
    unique = pd.Index(names.dropna().unique())
    plain = {name: " ".join(str(name).casefold().split()) for name in unique}
    wanted = tuple(" ".join(taxon.casefold().split()) for taxon in taxa)
    hits = {
        name
        for name, text in plain.items()
        if any(text == taxon or text.startswith(taxon + " ") for taxon in wanted)
    }
    return np.asarray(names.isin(list(hits)).to_numpy(dtype=bool), dtype=np.bool_)
