"""The only way out of a node: every release goes through here and leaves a line in the ledger.

A reader, a purpose, an action and a day make one decision table; rows join to it. Whatever a
caller filters, counts or sorts by, it does on what came out of here, never on what lies behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ecotone.model.agreement import Agreement
from ecotone.model.errors import Withheld
from ecotone.model.words import Language, say
from ecotone.share import generalise
from ecotone.share.agreements import parse
from ecotone.share.decide import Decision, Request, assign, decide

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ecotone.store import Store


@dataclass(frozen=True)
class Line:
    """What one decision let out: told in reports, kept in the ledger."""

    release_id: str
    decision: Decision
    owner: str
    noun: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Released:
    """What came out for one noun: rows (full or generalised), groups (aggregated), and why."""

    noun: str
    rows: pd.DataFrame
    groups: pd.DataFrame
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class DatasetCard:
    """What a reader may know of a dataset at level metadata: no counts, no extent."""

    dataset_id: str
    title: str
    owner: str
    licence: str
    levels: tuple[str, ...] = field(default=())


class Door:
    """The door of one node for one request."""

    def __init__(self, store: Store, request: Request, lang: Language = "en") -> None:
        self._store = store
        self._lang: Language = lang
        self.request = request
        self._owners = {d.dataset_id: d.party_id for d in store.datasets()}
        self._clearances = {
            d.dataset_id: d.export_clearance is not None or d.party_id == request.reader
            for d in store.datasets()
        }
        self.agreements: list[Agreement] = [
            parse(document, "store") for document in store.agreements()
        ]
        self.decisions = decide(request, self._owners, self.agreements)

    def datasets(self) -> list[DatasetCard]:
        """The datasets this request may know of at all."""
        named = {d.dataset_id for d in self.decisions if d.level != "withheld"}
        return [
            DatasetCard(
                dataset_id=d.dataset_id,
                title=d.title,
                owner=d.party_id,
                licence=d.licence,
                levels=tuple(
                    sorted({x.level for x in self.decisions if x.dataset_id == d.dataset_id})
                ),
            )
            for d in self._store.datasets()
            if d.dataset_id in named
        ]

    def parties(self) -> dict[str, dict[str, str]]:
        """Names of the institutions that share here, by id: said in reports."""
        return {party.party_id: party.name for party in self._store.parties()}

    def release(self, noun: str, *, as_of: int | None = None) -> Released:
        """Everything of a noun that this request may have.

        Raises Withheld where no decision speaks for any dataset: the same answer whether
        such data exist or not.
        """
        self._refuse_strangers()
        rows: list[pd.DataFrame] = []
        raw_groups: dict[int, list[pd.DataFrame]] = {}
        for chunk in self._chunks(noun, as_of):
            for index, part in self._parts(chunk, noun):
                decision = self.decisions[index]
                match decision.level:
                    case "full":
                        done = generalise.full(part, noun, decision.rule)
                    case "generalised":
                        done = generalise.generalised(part, noun, decision.rule, self._lang)
                    case "aggregated":
                        raw_groups.setdefault(index, []).append(part)
                        continue
                    case _:
                        continue
                done["agreement"] = f"{decision.agreement_id} v{decision.agreement_version}"
                done["class"] = decision.name
                done["level"] = decision.level
                rows.append(done)
        groups = {
            index: generalise.aggregated(pd.concat(parts), noun, self.decisions[index].rule)
            for index, parts in raw_groups.items()
        }
        frame = _ordered(pd.concat(rows, ignore_index=True)) if rows else pd.DataFrame()
        lines = tuple(self._record(noun, frame, groups))
        return Released(
            noun=noun,
            rows=frame,
            groups=pd.concat(groups.values(), ignore_index=True) if groups else pd.DataFrame(),
            lines=lines,
        )

    def file(self, sha256: str) -> Path:
        """A kept file that a released coverage names.

        Raises Withheld for a file that no full-level coverage of this request names.
        """
        for chunk in self._chunks("Coverage", None):
            for index, part in self._parts(chunk, "Coverage"):
                decision = self.decisions[index]
                withheld = set(decision.rule.withheld_fields) & {"path", "sha256"}
                if decision.level != "full" or withheld:
                    continue
                if bool((part["sha256"] == sha256).any()):
                    return self._store.file_path(sha256)
        raise Withheld(say("share.file-withheld", self._lang))

    def _refuse_strangers(self) -> None:
        if not self.decisions:
            raise Withheld(
                say(
                    "share.nothing",
                    self._lang,
                    reader=self.request.reader,
                    action=say(f"share.action.{self.request.action}", self._lang),
                    purpose=self.request.purpose,
                    day=self.request.today.isoformat(),
                )
            )

    def _chunks(self, noun: str, as_of: int | None) -> Iterator[pd.DataFrame]:
        datasets = sorted({d.dataset_id for d in self.decisions if self._may_leave(d)})
        if datasets:
            yield from self._store.select(noun, datasets=datasets, as_of=as_of)

    def _may_leave(self, decision: Decision) -> bool:
        """Rows leave a dataset only with its export clearance; aggregates are made at home."""
        if decision.level in ("metadata", "withheld"):
            # The class must still be joined: it may be the strictest that holds for a row.
            return True
        return decision.level == "aggregated" or self._clearances[decision.dataset_id]

    def _parts(self, chunk: pd.DataFrame, noun: str) -> Iterator[tuple[int, pd.DataFrame]]:
        governing = assign(chunk, noun, self.decisions)
        for index in sorted({int(i) for i in governing if i >= 0}):
            decision = self.decisions[index]
            if not self._may_leave(decision):
                continue
            keep = governing == index
            if decision.rule.embargo_months:
                keep &= _older(chunk, self.request.today, decision.rule.embargo_months)
            if keep.any():
                yield index, chunk.loc[keep]

    def _record(
        self, noun: str, frame: pd.DataFrame, groups: dict[int, pd.DataFrame]
    ) -> Iterator[Line]:
        for index, decision in enumerate(self.decisions):
            if index in groups:
                out = groups[index]
            elif frame.empty:
                continue
            else:
                mine = (
                    (frame["dataset_id"] == decision.dataset_id)
                    & (frame["class"] == decision.name)
                    & (
                        frame["agreement"]
                        == f"{decision.agreement_id} v{decision.agreement_version}"
                    )
                )
                out = frame.loc[mine]
            if out.empty:
                continue
            digest = content_hash(out)
            release_id = self._store.record_release(
                reader=self.request.reader,
                purpose=self.request.purpose,
                action=self.request.action,
                dataset_id=decision.dataset_id,
                noun=noun,
                level=decision.level,
                agreement_id=decision.agreement_id,
                agreement_version=decision.agreement_version,
                rows=len(out),
                sha256=digest,
            )
            yield Line(
                release_id, decision, self._owners[decision.dataset_id], noun, len(out), digest
            )


def content_hash(frame: pd.DataFrame) -> str:
    """sha256 of a frame as CSV text."""
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _older(chunk: pd.DataFrame, today: date, months: int) -> NDArray[np.bool_]:
    """Rows whose time lies before the embargo; a row without a time stays in."""
    cutoff = pd.Timestamp(today, tz="UTC") - pd.DateOffset(months=months)
    if "time_start" not in chunk:
        import numpy

        return numpy.zeros(len(chunk), dtype=bool)
    latest = pd.to_datetime(chunk["time_start"], utc=True)
    if "time_end" in chunk:
        latest = pd.to_datetime(chunk["time_end"], utc=True).fillna(latest)
    older: NDArray[np.bool_] = (latest < cutoff).to_numpy(dtype=bool)
    return older


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Order by released identifiers, not by where rows lay: the order of a file would tell."""
    return frame.sort_values(["dataset_id", "id", "version"], kind="stable", ignore_index=True)
