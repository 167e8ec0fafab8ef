"""Rows that came from their owner in a package: with their own identifiers, in one transaction.

A dataset has one writer, its owner. What its packages bring is kept as versions like any other
row, one batch for each combination of noun, dataset, agreement, class and level; the document
``received BATCH`` says which, the document ``sender PARTY`` how far its packages were taken. Nobody
else writes into such a dataset.

``source_line`` of a received row is the owner's version of the record: an agreement that changes
may bring the same version in another form, which is a version of its own here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from ecotone.model.errors import StoreError, UsageError
from ecotone.model.identifiers import mint
from ecotone.model.records import Batch, Dataset
from ecotone.model.words import say
from ecotone.store import documents, files, ledger
from ecotone.store.batches import close, lines_digest, remember_file, write_span
from ecotone.store.schema import BATCH, DOCUMENT, RECORDS

if TYPE_CHECKING:
    from ecotone.store.store import Store

RECEIVED: Final = "received"
SENDER: Final = "sender"
FORMAT: Final = "ecotone-package"
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
#: A span is read whole by the audit, so it is written of no more rows than this.
_SPAN: Final = 50_000

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """The rows of one noun: typed columns with ``id``, a hash each, and which mark they bear."""

    noun: str
    rows: pa.Table
    hashes: Ints
    marks: Ints
    file: str = ""


@dataclass(frozen=True)
class Delivery:
    """One package, checked, ready to be taken in."""

    sender: str
    sequence: int
    file_name: str
    sha256: str
    size: int
    whole: bool
    parts: Sequence[Part]
    #: Of each mark: dataset_id, and what else is kept of it.
    marks: Sequence[Mapping[str, Any]]
    removed: Mapping[str, Sequence[str]]
    datasets: Sequence[Dataset]
    #: Rasters to keep, by name.
    rasters: Mapping[str, Path]
    #: What ``sender PARTY`` will say, and what it must say now (None: nothing yet).
    progress: Mapping[str, Any]
    before: Mapping[str, Any] | None
    manifest: str = ""


@dataclass
class Taken:
    """What became of a package, by noun."""

    new: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    batches: list[str] = field(default_factory=list)


def progress(store: Store, sender: str) -> dict[str, Any] | None:
    """How far the packages of a party were taken; None where none ever was."""
    found = [noted.content for noted in store.noted(SENDER) if noted.key == sender]
    return found[-1] if found else None


def marks(store: Store) -> dict[str, dict[str, Any]]:
    """By batch: what the rows of received batches came under."""
    return {noted.key: noted.content for noted in store.noted(RECEIVED)}


def hashes(store: Store, datasets: Sequence[str]) -> dict[str, Ints]:
    """By noun: the hashes of the received rows that hold in some datasets."""
    with store.database.reading() as connection:
        return _hashes(connection, datasets)


def take(
    store: Store,
    delivery: Delivery,
    state: Callable[[dict[str, Ints]], str],
    also: Callable[[sa.Connection], object],
    *,
    person: str,
) -> Taken:
    """Take a package in: all of it or nothing.

    ``also`` writes what belongs to it in the same transaction. ``state`` makes one text of
    ``hashes``; StoreError, and nothing is changed, where it is not in the end what the sender
    says (``progress["state"]``).
    """
    with store.database.plainly():
        kept = [(name, *files.keep(store.folder, path)) for name, path in delivery.rasters.items()]
    with store.writing() as connection:
        taken = _Taking(store, connection, delivery, person).run(kept)
        also(connection)
        names = _datasets(connection, delivery.sender)
        if state(_hashes(connection, names)) != delivery.progress["state"]:
            raise StoreError(say("packages.state-differs", party=delivery.sender))
    if any(part.noun == "Coverage" for part in delivery.parts) or "Coverage" in delivery.removed:
        store.refresh_catalogue()
    return taken


def refuse_other_writers(connection: sa.Connection, dataset_id: str) -> None:
    """Raises UsageError where a dataset is written by its owner's packages."""
    found = connection.execute(
        sa.select(BATCH.c.batch_id)
        .join(DOCUMENT, (DOCUMENT.c.key == BATCH.c.batch_id) & (DOCUMENT.c.kind == RECEIVED))
        .where(BATCH.c.dataset_id == dataset_id)
        .limit(1)
    ).first()
    if found is not None:
        raise UsageError(say("packages.one-writer", dataset=dataset_id))


def refuse_correction(connection: sa.Connection, noun: str, identifier: str) -> None:
    """Raises UsageError where a record is its owner's to correct."""
    table = RECORDS[noun]
    found = connection.execute(
        sa.select(table.c.dataset_id).where(table.c.id == identifier).limit(1)
    ).first()
    if found is not None:
        refuse_other_writers(connection, found.dataset_id)


class _Taking:
    """The one transaction of a package."""

    def __init__(
        self, store: Store, connection: sa.Connection, delivery: Delivery, person: str
    ) -> None:
        self.store, self.connection = store, connection
        self.delivery, self.person = delivery, person
        self.taken = Taken()

    def run(self, kept: list[tuple[str, str, int]]) -> Taken:
        delivery, connection = self.delivery, self.connection
        self._still_as_checked()
        for dataset in delivery.datasets:
            self._only_writer(dataset)
            documents.put(connection, dataset, self.person, FORMAT)
        names = _datasets(connection, delivery.sender)
        wanted = {part.noun: part for part in delivery.parts}
        known = {
            noun: _known(connection, noun, names)
            for noun in {*wanted, *delivery.removed, *(RECORDS if delivery.whole else ())}
        }
        plans = {noun: _Plan(known[noun], wanted.get(noun), delivery) for noun in sorted(known)}
        self._close(plans)
        self._write(plans, kept)
        documents.put_content(
            connection, SENDER, delivery.sender, ledger.canonical(dict(delivery.progress)),
            delivery.manifest, self.person, None,
        )  # fmt: skip
        return self.taken

    def _still_as_checked(self) -> None:
        found = [
            d.content
            for d in documents.noted(self.connection, SENDER)
            if d.key == self.delivery.sender
        ]
        if (found[-1] if found else None) != self.delivery.before:
            raise StoreError(say("packages.import-twice", party=self.delivery.sender))

    def _only_writer(self, dataset: Dataset) -> None:
        received = sa.select(DOCUMENT.c.key).where(DOCUMENT.c.kind == RECEIVED)
        other = self.connection.execute(
            sa.select(BATCH.c.batch_id)
            .where(
                BATCH.c.dataset_id == dataset.dataset_id,
                BATCH.c.withdrawn.is_(None),
                BATCH.c.verdict != "refused",
                BATCH.c.batch_id.not_in(received),
            )
            .limit(1)
        ).first()
        if other is not None:
            raise UsageError(say("packages.written-here", dataset=dataset.dataset_id))

    def _close(self, plans: Mapping[str, _Plan]) -> None:
        """End what was taken back or comes anew, in one line of the ledger."""
        if not any(len(plan.closes) for plan in plans.values()):
            return
        seq = ledger.next_seq(self.connection)
        closed = {
            noun: close(self.connection, noun, plan.closes, seq)
            for noun, plan in plans.items()
            if len(plan.closes)
        }
        for noun, plan in plans.items():
            if len(plan.removed):
                self.taken.removed[noun] = len(plan.removed)
        ledger.append(
            self.connection,
            "tombstones",
            self.person,
            {"sender": self.delivery.sender, "sequence": self.delivery.sequence, "closed": closed},
        )

    def _write(self, plans: Mapping[str, _Plan], kept: list[tuple[str, str, int]]) -> None:
        for mark, told in enumerate(self.delivery.marks):
            mine = {noun: plan.of_mark(mark) for noun, plan in plans.items()}
            if any(len(rows) for rows in mine.values()):
                self._batch(told, {n: r for n, r in mine.items() if len(r)}, plans, kept)
                kept = []
        for noun, plan in plans.items():
            for name, number in plan.counts().items():
                if number:
                    getattr(self.taken, name)[noun] = number

    def _batch(
        self,
        told: Mapping[str, Any],
        mine: Mapping[str, Ints],
        plans: Mapping[str, _Plan],
        kept: list[tuple[str, str, int]],
    ) -> None:
        seq = ledger.next_seq(self.connection)
        batch_id = str(mint(self.store.party_id)[0])
        spans = [
            span
            for noun, at in mine.items()
            for span in self._rows(noun, plans[noun], at, told["dataset_id"], batch_id, seq)
        ]
        delivery = self.delivery
        batch = Batch(
            batch_id=batch_id,
            dataset_id=told["dataset_id"],
            file_name=delivery.file_name,
            sha256=delivery.sha256,
            size=delivery.size,
            reader=FORMAT,
            person=self.person,
            delivered=_EPOCH,
            counts={noun: len(at) for noun, at in mine.items()},
        )
        content = batch.model_dump(
            mode="json", exclude={"delivered", "withdrawn", "verdict", "mapping"}
        )
        nothing = lines_digest(iter(()))
        ledger.append(
            self.connection,
            "commit",
            self.person,
            {
                "batch": content,
                "verdict": "accepted",
                "mapping": None,
                "files": kept,
                "spans": spans,
                "closed": {},
                "findings": nothing,
                "quarantine": nothing,
            },
        )
        self.connection.execute(
            BATCH.insert().values(
                batch_id=batch_id, seq=seq, dataset_id=batch.dataset_id, sha256=batch.sha256,
                verdict="accepted", content=ledger.canonical(content), mapping=None,
            )
        )  # fmt: skip
        for _, sha256, size in kept:
            remember_file(self.connection, sha256, size, seq)
        documents.put_content(
            self.connection, RECEIVED, batch_id, ledger.canonical(dict(told)), None, self.person,
            None,
        )  # fmt: skip
        self.taken.batches.append(batch_id)

    def _rows(
        self, noun: str, plan: _Plan, at: Ints, dataset_id: str, batch_id: str, seq: int
    ) -> Iterable[list[object]]:
        assert plan.part is not None
        for start in range(0, len(at), _SPAN):
            some = at[start : start + _SPAN]
            rows = plan.part.rows.take(pa.array(some))
            header = {
                "version": pa.array(plan.version[some]),
                "dataset_id": _same(dataset_id, len(some)),
                "batch_id": _same(batch_id, len(some)),
                "source_file": _same(plan.part.file, len(some)),
                "source_row": pa.array(some + 1),
                "content_hash": pa.array(plan.part.hashes[some]),
                "since": pa.array(np.full(len(some), seq, dtype=np.int64)),
                "person": _same(self.person, len(some)),
            }
            if "version" in rows.column_names:
                header["source_line"] = rows.column("version")
            rows = rows.drop_columns([c for c in header if c in rows.column_names])
            empty = [c for c in rows.column_names if rows.column(c).null_count == rows.num_rows]
            rows = rows.drop_columns(empty)
            for name, column in header.items():
                if column.null_count < len(column):
                    rows = rows.append_column(name, column)
            yield write_span(self.connection, noun, rows, None, seq).line()


class _Plan:
    """What of a noun is new, changed, the same, or taken back."""

    def __init__(self, known: pd.DataFrame, part: Part | None, delivery: Delivery) -> None:
        self.part = part
        living = known[known["living"]]
        ids = pd.Index(part.rows.column("id").to_numpy() if part is not None else [], dtype=object)
        count = len(ids)
        at = pd.Index(living["id"], dtype=object).get_indexer(ids)
        there = at >= 0
        same = np.zeros(count, dtype=np.bool_)
        if part is not None and there.any():
            same[there] = living["hash"].to_numpy()[at[there]] == part.hashes[there]
        self.fresh: NDArray[np.bool_] = ~same
        changed = there & ~same
        last = known.groupby("id", sort=False)["version"].max()
        before = pd.Index(last.index, dtype=object).get_indexer(ids)
        self.version: Ints = np.ones(count, dtype=np.int64)
        if part is not None and "version" in part.rows.column_names:
            own = part.rows.column("version").to_pandas().fillna(1).to_numpy(dtype=np.int64)
            self.version = np.maximum(own, 1)
        seen = before >= 0
        self.version[seen] = np.maximum(self.version[seen], last.to_numpy()[before[seen]] + 1)
        gone = set(delivery.removed.get(part.noun if part else known.attrs["noun"], ()))
        lost = living["id"].isin(gone)
        if delivery.whole:
            lost = ~living["id"].isin(ids)
        self.removed: Ints = living["n"].to_numpy()[lost.to_numpy(dtype=bool)]
        self.closes: Ints = np.sort(
            np.concatenate([self.removed, living["n"].to_numpy()[at[changed]]])
        ).astype(np.int64)
        self._changed = int(changed.sum())

    def of_mark(self, mark: int) -> Ints:
        """The rows to be written that bear a mark, by their place."""
        if self.part is None:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self.fresh & (self.part.marks == mark)).astype(np.int64)

    def counts(self) -> dict[str, int]:
        """How many rows are what."""
        fresh = int(self.fresh.sum())
        return {
            "new": fresh - self._changed,
            "changed": self._changed,
            "unchanged": len(self.fresh) - fresh,
        }


def _known(connection: sa.Connection, noun: str, datasets: Sequence[str]) -> pd.DataFrame:
    """Every version of the received rows of a noun."""
    c = RECORDS[noun].c
    rows = connection.execute(
        sa.select(c.n, c.id, c.version, c.until.is_(None), c.content_hash).where(
            c.dataset_id.in_(list(datasets))
        )
    ).all()
    n, ids, version, living, hashed = zip(*rows, strict=True) if rows else ((),) * 5
    found = pd.DataFrame(
        {
            "n": np.array(n, dtype=np.int64),
            "id": np.array(ids, dtype=object),
            "version": np.array(version, dtype=np.int64),
            "living": np.array(living, dtype=np.bool_),
            "hash": np.array([h or 0 for h in hashed], dtype=np.int64),
        }
    )
    found.attrs["noun"] = noun
    return found


def _datasets(connection: sa.Connection, owner: str) -> list[str]:
    known = documents.current(connection, "dataset")
    return [str(d["dataset_id"]) for d in known if d["party_id"] == owner]


def _hashes(connection: sa.Connection, datasets: Sequence[str]) -> dict[str, Ints]:
    found = {}
    for noun, table in RECORDS.items():
        rows = connection.execute(
            sa.select(table.c.content_hash).where(
                table.c.until.is_(None), table.c.dataset_id.in_(list(datasets))
            )
        ).all()
        held = np.array([row[0] or 0 for row in rows], dtype=np.int64)
        if len(held):
            found[noun] = held
    return found


def _same(text: str, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, type=pa.large_string()), length)
