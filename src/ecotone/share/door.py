"""The only way out of a node: every release goes through here and leaves a line in the ledger.

A reader, a purpose, an action and a day make one decision table; rows join to it. Whatever a
caller filters, counts or sorts by, it does on what came out of here, never on what lies behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.agreement import Agreement
from ecotone.model.dictionary import attributes
from ecotone.model.errors import InputRefused, Withheld
from ecotone.model.words import Language, say
from ecotone.share import aggregate, anchors, generalise, known, tracks
from ecotone.share.agreements import parse
from ecotone.share.anchors import Anchors
from ecotone.share.arrived import Arrived
from ecotone.share.decide import Decision, Request, decide
from ecotone.share.digest import content_hash
from ecotone.share.embargo import older
from ecotone.share.lifecycle import in_force_documents
from ecotone.share.outgoing import Outgoing
from ecotone.share.parts import Part, together
from ecotone.share.pseudonyms import Pseudonyms, node_key
from ecotone.share.table import Places, Table

if TYPE_CHECKING:
    from ecotone.store import Store

__all__ = ["DatasetCard", "Door", "Line", "Released", "content_hash"]

Codes = NDArray[np.int64]


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


@dataclass(frozen=True)
class Block:
    """Rows of one block of the store, with what the door decided of each."""

    frame: pd.DataFrame
    governing: Codes
    places: Places
    anchor: Codes


class Door:
    """The door of one node for one request."""

    def __init__(
        self, store: Store, request: Request, lang: Language = "en", *, preview: bool = False
    ) -> None:
        """``preview``: the owner looks on; the ledger says so of each release."""
        self._store = store
        self._more = {"preview": True} if preview else {}
        self._lang: Language = lang
        self.request = request
        self._owners = {d.dataset_id: d.party_id for d in store.datasets()}
        self._clearances = {
            d.dataset_id: d.export_clearance is not None or d.party_id == request.reader
            for d in store.datasets()
        }
        self.agreements, closed = readable(in_force_documents(store, request.today))
        table = decide(request, self._owners, self.agreements)
        own = {name for name, owner in self._owners.items() if owner == request.reader}
        self.decisions = [
            d for d in table if d.dataset_id in own or not (closed & {d.dataset_id, _ALL})
        ]
        self._arrived = Arrived(store, request, self.decisions)
        self.decisions = self._arrived.open(self.decisions)
        self._tables: dict[str, Table] = {}
        self._anchors: Anchors | None = None

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

    def release(
        self,
        noun: str,
        *,
        as_of: int | datetime | None = None,
        datasets: Collection[str] | None = None,
    ) -> Released:
        """Everything of a noun that this request may have, of all datasets or of some.

        With ``as_of`` (a line of the ledger or a moment) the reader's own rows as they were known
        then; what others share is decided on what stands now, so of its past nothing is given.

        Rows in full come in the order of their identifiers, coarser ones in that of identifiers
        made for this reader (see ``pseudonyms``): the order of a file would tell where rows lay.

        Raises Withheld where no decision speaks for any dataset: the same answer whether
        such data exist or not.
        """
        self._refuse_strangers()
        out = Outgoing(noun, Pseudonyms(node_key(self._store.folder), self.request.reader))
        table = self.table(noun)
        if as_of is not None:
            mine = {n for n, owner in self._owners.items() if owner == self.request.reader}
            mine -= self._arrived.datasets
            datasets = mine if datasets is None else mine & set(datasets)
        for block in self.blocks(noun, as_of, datasets):
            for index, keep in self.leaving(block, noun):
                out.add(index, table.decisions[index], block, keep)
        parts: list[Part] = []
        groups: list[pd.DataFrame] = []
        lines: list[Line] = []
        arrived = (
            (decision, part)
            for decision, part in self._arrived.released(noun, None)
            if datasets is None or decision.dataset_id in datasets
        )
        for decision, part in (*out.finished(self._lang), *arrived):
            if decision.level == "aggregated":
                groups.append(part.rows.assign(**part.said))
                lines.append(self._record(noun, decision, Part(groups[-1], {})))
            else:
                parts.append(part.labelled(decision))
                lines.append(self._record(noun, decision, parts[-1]))
        return Released(
            noun=noun,
            rows=together(parts, noun),
            groups=pd.concat(groups, ignore_index=True) if groups else pd.DataFrame(),
            lines=tuple(lines),
        )

    def file(self, sha256: str) -> Path:
        """A kept file that a released coverage names.

        Raises Withheld for a file that no full-level coverage of this request names, or of which
        any attribute is withheld by name: a raster tells its extent, times and name itself.
        """
        table, known = self.table("Coverage"), attributes("Coverage").keys()
        for block in self.blocks("Coverage", None):
            for index, keep in self.leaving(block, "Coverage"):
                decision = table.decisions[index]
                withheld = generalise.withheld_by_name("Coverage", decision.rule)
                if decision.level != "full" or not known.isdisjoint(withheld):
                    continue
                if bool((block.frame.loc[keep, "sha256"] == sha256).any()):
                    return self._store.file_path(sha256)
        if self._arrived.has_file(sha256):
            return self._store.file_path(sha256)
        raise Withheld(say("share.file-withheld", self._lang))

    def table(self, noun: str) -> Table:
        """The decisions as they are joined to rows of a noun."""
        if noun not in self._tables:
            named = sorted({d.dataset_id for d in self.decisions if d.rule.taxa})
            beside = known.names_beside(self._store, noun, named) if named else None
            self._tables[noun] = Table(self.decisions, beside)
        return self._tables[noun]

    def blocks(
        self, noun: str, as_of: int | datetime | None, wanted: Collection[str] | None = None
    ) -> Iterator[Block]:
        """The rows of a noun, block by block, each with what governs it. Not for readers."""
        deciding = {d.dataset_id for d in self.decisions if self._may_leave(d)}
        deciding -= self._arrived.datasets
        datasets = sorted(deciding if wanted is None else deciding & set(wanted))
        if not datasets:
            return
        table, at = self.table(noun), self._places_in_common()
        columns = self._columns(noun, datasets)
        for frame in self._store.select(noun, datasets=datasets, as_of=as_of, columns=columns):
            if len(datasets) == 1:
                frame["dataset_id"] = generalise.constant(datasets[0], frame.index)
            codes = at.of(frame, noun)
            places = at.places(frame, codes)
            governing = table.assign(frame, noun, places)
            anchor = np.full(len(frame), -1, dtype=np.int64) if codes is None else codes
            governing = self._as_coarse_as_its_place(table, at, governing, anchor)
            yield Block(frame, governing, _released_places(at, frame, places, anchor), anchor)

    def leaving(self, block: Block, noun: str) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """The decisions that let rows of a block out, each with its rows."""
        table = self.table(noun)
        for index in np.unique(block.governing).tolist():
            if index < 0:
                continue
            decision = table.decisions[index]
            if decision.level in ("metadata", "withheld") or not self._may_leave(decision):
                continue
            keep = block.governing == index
            if decision.rule.embargo_months:
                keep &= older(block.frame, self.request.today, decision)
            if keep.any():
                yield index, keep

    def _columns(self, noun: str, datasets: list[str]) -> list[str]:
        """The columns there is anything to release from, or to decide by.

        The others are empty in every row, or leave at no level that any class here has.
        """
        filled = self._store.filled(noun, datasets)
        speaking = [d for d in self.decisions if not d.rule.nouns or noun in d.rule.nouns]
        in_full = any(d.level == "full" and d.dataset_id in datasets for d in speaking)
        asked = {*generalise.needed(noun), *known.ASKED_BESIDE, *aggregate.COLUMNS}
        asked |= {own for own in (anchors.OWN.get(noun), tracks.ANIMAL.get(noun)) if own}
        names = [name for name in attributes(noun) if name in filled and (in_full or name in asked)]
        # Of one dataset it is known without reading.
        header = ["id", *(["version"] if in_full else [])]
        header += ["dataset_id"] if len(datasets) > 1 else []
        return [*header, *names, *(["extra"] if in_full else [])]

    def _places_in_common(self) -> Anchors:
        if self._anchors is None:
            generalised = {d.dataset_id for d in self.decisions if d.level == "generalised"}
            self._anchors = (
                known.anchors_beside(
                    self._store, sorted(generalised), self.table, self.request.today
                )
                if (generalised := generalised - self._arrived.datasets)
                else Anchors()
            )
        return self._anchors

    def _as_coarse_as_its_place(
        self, table: Table, at: Anchors, governing: Codes, anchor: Codes
    ) -> Codes:
        """Rows at a camera or site as coarse as the coarsest that is released there."""
        if not (anchor >= 0).any():
            return governing
        there = np.where(anchor >= 0, np.asarray([*at.cell, 0.0])[anchor], 0.0)
        coarser = table.leaves(governing) & (there > table.cells(governing))
        out = governing.copy()
        for index in np.unique(governing[coarser]).tolist():
            for cell in np.unique(there[coarser & (governing == index)]).tolist():
                rows = coarser & (governing == index) & (there == cell)
                out[rows] = table.coarser(index, cell)
        return out

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

    def _may_leave(self, decision: Decision) -> bool:
        """Rows leave a dataset only with its export clearance; aggregates are made at home."""
        if decision.level in ("metadata", "withheld"):
            # The class must still be joined: it may be the strictest that holds for a row.
            return True
        return decision.level == "aggregated" or self._clearances[decision.dataset_id]

    def _record(self, noun: str, decision: Decision, part: Part) -> Line:
        digest = content_hash(part.rows, part.said)
        release_id = self._store.record_release(
            reader=self.request.reader,
            purpose=self.request.purpose,
            action=self.request.action,
            dataset_id=decision.dataset_id,
            noun=noun,
            level=decision.level,
            agreement_id=decision.agreement_id,
            agreement_version=decision.agreement_version,
            rows=len(part.rows),
            sha256=digest,
            **self._more,
        )
        owner = self._owners[decision.dataset_id]
        return Line(release_id, decision, owner, noun, len(part.rows), digest)


#: Every dataset that is not the reader's own.
_ALL = "*"


def readable(documents: list[dict[str, Any]]) -> tuple[list[Agreement], set[str]]:
    """The agreements that can be read, and the datasets closed by those that cannot.

    A level or a field this version does not know may be a restriction: what an unreadable
    agreement names stays closed, all of it where not even that can be read.
    """
    found: list[Agreement] = []
    closed: set[str] = set()
    for document in documents:
        try:
            found.append(parse(document, "store"))
        except InputRefused:
            named = document.get("datasets")
            listed = isinstance(named, list) and all(isinstance(name, str) for name in named)
            closed.update(named if listed and named else [_ALL])
    return found, closed


def _released_places(at: Anchors, frame: pd.DataFrame, places: Places, anchor: Codes) -> Places:
    """The places rows may be told by: those of their own, or of an anchor that is released."""
    hidden = at.silent(anchor) & np.isnan(anchors.numbers(frame, "latitude"))
    if not hidden.any():
        return places
    return replace(
        places,
        latitude=np.where(hidden, np.nan, places.latitude),
        longitude=np.where(hidden, np.nan, places.longitude),
    )
