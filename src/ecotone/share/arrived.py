"""Rows that came in packages: read at home as they came, and never passed on.

Their owner's door has decided already; deciding again would make a generalised place coarser with
every reading. So the party that received them reads them as they are, under the agreement they
came by, for as long as that is in force for what it asks. Nobody else reads them here: whoever
wants them asks their owner.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecotone.model.agreement import Class
from ecotone.model.dictionary import attributes
from ecotone.share import generalise
from ecotone.share.decide import Decision, Request
from ecotone.share.parts import Part
from ecotone.store import received

if TYPE_CHECKING:
    from ecotone.store import Store

#: How the ``record_type`` of counts that arrived as records begins.
AGGREGATED = "aggregated "


class Arrived:
    """The received datasets of a node, for one request."""

    def __init__(self, store: Store, request: Request, decisions: Sequence[Decision]) -> None:
        self._store = store
        self._marks = received.marks(store)
        self.datasets = {str(mark["dataset_id"]) for mark in self._marks.values()}
        self._at_home = bool(self.datasets) and request.reader == store.party_id
        self._decisions = [d for d in decisions if d.dataset_id in self.datasets]

    def open(self, decisions: Sequence[Decision]) -> list[Decision]:
        """The decisions without those about what is not ours to pass on."""
        if self._at_home:
            return list(decisions)
        return [d for d in decisions if d.dataset_id not in self.datasets]

    def released(self, noun: str, as_of: int | None) -> Iterator[tuple[Decision, Part]]:
        """The rows of a noun (its counts as groups), by what they came under."""
        if not self._at_home or not self._decisions:
            return
        for mark, decision, rows in self._rows(noun, noun, as_of):
            said = {name: mark[name] for name in (generalise.GENERALISED, generalise.WITHHELD)}
            yield decision, Part(_described(rows, mark), said)
        for decision, rows in self._counts(noun, as_of):
            yield decision, Part(rows, {generalise.WITHHELD: "rows"})

    def has_file(self, sha256: str) -> bool:
        """Whether a coverage that arrived, and may be read, names this file."""
        return any(
            bool((part.rows["sha256"] == sha256).any())
            for decision, part in self.released("Coverage", None)
            if decision.level == "full" and "sha256" in part.rows
        )

    def _rows(
        self, noun: str, told: str, as_of: int | None
    ) -> Iterator[tuple[dict[str, Any], Decision, pd.DataFrame]]:
        known = {
            batch: (mark, decision)
            for batch, mark in self._marks.items()
            if mark["noun"] == noun and (decision := self._decision(mark)) is not None
        }
        counts = noun != told
        groups: dict[tuple[str, ...], list[pd.DataFrame]] = {}
        by_group: dict[tuple[str, ...], tuple[dict[str, Any], Decision]] = {}
        for frame in self._frames(noun, as_of) if known else ():
            for key, part in frame.groupby("batch_id", sort=True):
                batch = str(key)
                if batch not in known or (known[batch][1].level == "aggregated") != counts:
                    continue
                mark, decision = known[batch]
                group = tuple(str(mark[name]) for name in sorted(mark) if name != "manifest")
                by_group.setdefault(group, (mark, decision))
                groups.setdefault(group, []).append(part.drop(columns="batch_id"))
        for group in sorted(groups):
            mark, decision = by_group[group]
            rows = pd.concat(groups[group]).sort_values("id", ignore_index=True)
            yield mark, decision, rows

    def _counts(self, noun: str, as_of: int | None) -> Iterator[tuple[Decision, pd.DataFrame]]:
        for _, decision, rows in self._rows("Record", noun, as_of):
            mine = rows[rows["record_type"] == AGGREGATED + noun]
            if len(mine):
                documents = json.loads("[" + ",".join(mine["fields"].tolist()) + "]")
                yield decision, _groups(documents)

    def _frames(self, noun: str, as_of: int | None) -> Iterator[pd.DataFrame]:
        datasets = sorted({d.dataset_id for d in self._decisions})
        filled = self._store.filled(noun, datasets)
        columns = [
            *generalise.KEPT_HEADER,
            "batch_id",
            *(n for n in attributes(noun) if n in filled),
        ]
        yield from self._store.select(
            noun, datasets=datasets, as_of=as_of, columns=[*columns, "extra"]
        )

    def _decision(self, mark: dict[str, Any]) -> Decision | None:
        """What a mark stands for; None where no agreement in force lets it be read any more."""
        agreement, _, version = str(mark["agreement"]).rpartition(" v")
        mine = [
            d
            for d in self._decisions
            if d.dataset_id == mark["dataset_id"] and d.agreement_id == agreement
        ]
        if not mine:
            return None
        level, cell = mark["release_level"], mark["release_cell_degrees"]
        cell = None if cell is None else float(cell)
        same = (d.rule for d in mine if (d.name, d.level) == (mark["class"], level))
        # A class may have been told coarser than it says, or be gone from the agreement since.
        rule = next((r for r in same if level != "generalised" or r.cell_degrees == cell), None)
        if rule is None:
            rule = Class.model_construct(name=mark["class"], level=level, cell_degrees=cell)
        return Decision(mark["dataset_id"], mark["class"], level, rule, agreement, int(version))


def _described(rows: pd.DataFrame, mark: dict[str, Any]) -> pd.DataFrame:
    """The rows without columns nobody has described, where they did not come in full."""
    return rows if mark["release_level"] == "full" else rows.drop(columns="extra")


def _groups(documents: list[dict[str, Any]]) -> pd.DataFrame:
    """Counts as the door makes them: whole numbers stay whole where some are missing."""
    frame = pd.DataFrame(documents)
    for name in ("year", "count"):
        if name in frame:
            frame[name] = frame[name].astype("Int64")
    texts = [n for n in frame if n not in ("year", "count", "mean")]
    return frame.astype(dict.fromkeys(texts, "str"))
