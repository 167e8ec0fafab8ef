"""Stage -> commit: a delivery becomes visible as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from ecotone.model.errors import StoreError, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.identifiers import mint
from ecotone.model.keys import natural_keys
from ecotone.model.records import Batch
from ecotone.model.words import say
from ecotone.store import bulk, classify, files, ledger
from ecotone.store.columns import content_of, digest, plain_frame, safe_text, typed
from ecotone.store.schema import BATCH, FILE, FINDING, HEADER, QUARANTINE, RECORDS, SPAN
from ecotone.store.staging import Staged

if TYPE_CHECKING:
    from ecotone.store.store import Store

#: Why a version ended that the same source delivered again with other content.
DELIVERED_AGAIN: Final = "delivered-again"
#: Header columns that are the same in all rows of a span.
_SAME: Final = ("dataset_id", "batch_id", "since", "person")


@dataclass(frozen=True)
class Origin:
    """What is known of a delivery before it is read."""

    batch_id: str
    file_name: str
    sha256: str
    size: int
    format: str
    dataset_id: str
    project_id: str | None
    person: str
    mapping: str | None
    raw: Path | None


class BatchWriter:
    """Takes a delivery block by block (a Sink); nothing is visible before ``commit``."""

    def __init__(self, store: Store, origin: Origin) -> None:
        self.origin = origin
        #: The format the delivery turned out to have; may be set until ``commit``.
        self.format = origin.format
        self._store = store
        with store.database.plainly():
            self._staged: Staged | None = Staged(store.folder / "staging", origin.batch_id)
        self._keys: dict[str, list[NDArray[np.int64]]] = {}
        self._has_key: dict[str, list[NDArray[np.bool_]]] = {}
        self._content: dict[str, list[NDArray[np.int64]]] = {}
        self.counts: dict[str, int] = {}

    @property
    def batch_id(self) -> str:
        """The identifier the batch will have."""
        return self.origin.batch_id

    def add(
        self,
        noun: str,
        frame: pd.DataFrame,
        rows: NDArray[np.int64],
        lines: NDArray[np.int64],
        file: str,
    ) -> None:
        """Keep records that stood every check."""
        if not len(frame):
            return
        table = typed(noun, frame)
        plain = plain_frame(table)
        key, has_key = _scoped_keys(noun, plain, self.origin.dataset_id)
        content = content_of(noun, plain).view(np.int64)
        table = _with(
            table,
            source_file=_constant(file, len(frame)),
            source_row=pa.array(rows, type=pa.int64()),
            source_line=pa.array(lines, type=pa.int64()),
            natural_key=pa.array(key, mask=~has_key, type=pa.int64()),
            content_hash=pa.array(content, type=pa.int64()),
        )
        with self._store.database.plainly():
            self._open.add(noun, table)
        self._keys.setdefault(noun, []).append(key)
        self._has_key.setdefault(noun, []).append(has_key)
        self._content.setdefault(noun, []).append(content)
        self._count(noun, len(frame))

    def reject(self, file: str, row: int, line: int, raw: str, finding: Finding | None) -> None:
        """Keep a rejected row as it was, to be exported, mended and delivered again."""
        why = None if finding is None else json.dumps(_as_data(finding), ensure_ascii=False)
        with self._store.database.plainly():
            self._open.write_line("quarantine", [file, row, line, safe_text(raw), why])
        self._count("rejected", 1)

    def find(self, finding: Finding) -> None:
        """Keep a finding."""
        content = json.dumps(_as_data(finding), ensure_ascii=False)
        with self._store.database.plainly():
            self._open.write_line("finding", [content])
        self._count("findings", 1)

    def commit(self, verdict: str) -> Batch:
        """Make all of it visible at once, and return what became of it.

        A refused delivery leaves its findings and nothing else.
        """
        staged, store = self._open, self._store
        if verdict == "refused":
            self._forget_rows(staged)
        kept = self._keep_raw()
        with store.writing() as connection:
            batch = _Commit(self, connection, staged).run(verdict, kept)
        self.counts = dict(batch.counts)
        self._close()
        if "Coverage" in batch.counts:
            store.refresh_catalogue()
        return batch

    def abandon(self) -> None:
        """Leave no trace."""
        self._close()

    def __enter__(self) -> BatchWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def arrays(self, noun: str) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
        """Keys, whether there is one, and content hashes of all rows of a noun."""
        return (
            np.concatenate(self._keys[noun]),
            np.concatenate(self._has_key[noun]),
            np.concatenate(self._content[noun]),
        )

    @property
    def _open(self) -> Staged:
        if self._staged is None:
            raise UsageError(say("store.batch-closed", batch=self.batch_id))
        return self._staged

    def _forget_rows(self, staged: Staged) -> None:
        staged.forget_rows()
        self._keys.clear()
        self.counts = {k: v for k, v in self.counts.items() if k in ("rejected", "findings")}

    def _keep_raw(self) -> list[tuple[str, str, int]]:
        """The delivered files, kept by hash: ``(name, sha256, size)``."""
        raw, folder = self.origin.raw, self._store.folder
        if raw is None:
            return []
        with self._store.database.plainly():
            if raw.is_dir():
                return files.keep_folder(folder, raw)
            sha256, size = files.keep(folder, raw)
        if sha256 != self.origin.sha256:
            raise StoreError(say("store.raw-changed", file=raw.name), say("store.raw-changed.do"))
        return [(raw.name, sha256, size)]

    def _count(self, what: str, rows: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + rows

    def _close(self) -> None:
        if self._staged is not None:
            self._staged.remove()
            self._staged = None


class _Commit:
    """The one transaction of a batch."""

    def __init__(self, writer: BatchWriter, connection: sa.Connection, staged: Staged) -> None:
        self.writer = writer
        self.origin = writer.origin
        self.connection = connection
        self.staged = staged
        self.seq = ledger.next_seq(connection)
        self.spans: list[Span] = []
        self.closed: dict[str, dict[str, object]] = {}
        self._born_ended: list[NDArray[np.int64]] = []
        self.counts: dict[str, int] = dict(writer.counts)

    def run(self, verdict: str, kept: list[tuple[str, str, int]]) -> Batch:
        for noun in self.staged.nouns():
            self._rows(noun)
        batch = self._batch()
        entry = ledger.append(
            self.connection,
            "commit",
            self.origin.person,
            {
                "batch": batch.model_dump(
                    mode="json", exclude={"delivered", "withdrawn", "verdict", "mapping"}
                ),
                "verdict": verdict,
                "mapping": self.origin.mapping,
                "files": kept,
                "spans": [span.line() for span in self.spans],
                "closed": self.closed,
                "findings": lines_digest(self.staged.lines("finding")),
                "quarantine": lines_digest(self.staged.lines("quarantine")),
            },
        )
        self._write_batch(batch, verdict, kept)
        delivered = datetime.fromisoformat(entry.time)
        return batch.model_copy(
            update={"delivered": delivered, "verdict": verdict, "mapping": self.origin.mapping}
        )

    def _rows(self, noun: str) -> None:
        known, decision = self._decide(noun)
        identifiers = classify.Identifiers(decision, known)
        start, new = 0, 0
        for block in self.staged.blocks(noun):
            stop = start + block.num_rows
            minting = decision.minting(start, stop)
            minted = mint(self._prefix(), count=int(minting.sum()))
            ids = identifiers.of(start, stop, minted)
            keep = decision.keep[start:stop]
            new += int((keep & (decision.version[start:stop] == 1)).sum())
            if keep.any():
                self._insert(noun, block, decision, ids, start)
            start = stop
        if len(decision.closes):
            close(self.connection, noun, decision.closes, self.seq)
        ended = np.concatenate([decision.closes, *self._born_ended])
        if len(ended):
            self.closed[noun] = closed_line(ended)
        self._born_ended.clear()
        self._count("new", new)
        self._count("changed", int(decision.keep.sum()) - new)
        self._count("unchanged", decision.unchanged)

    def _decide(self, noun: str) -> tuple[classify.Known, classify.Decision]:
        key, has_key, content = self.writer.arrays(noun)
        known = classify.known_rows(self.connection, noun, self.origin.dataset_id, key[has_key])
        return known, classify.decide(key, has_key, content, known)

    def _insert(
        self,
        noun: str,
        block: pa.Table,
        decision: classify.Decision,
        ids: NDArray[np.object_],
        start: int,
    ) -> None:
        part = slice(start, start + block.num_rows)
        length, origin = block.num_rows, self.origin
        version = decision.version[part]
        table = _with(
            block,
            id=pa.array(ids, type=pa.large_string()),
            version=pa.array(version),
            dataset_id=_constant(origin.dataset_id, length),
            batch_id=_constant(origin.batch_id, length),
            since=pa.array(np.full(length, self.seq, dtype=np.int64)),
            person=_constant(origin.person, length),
        )
        if origin.project_id is not None:
            table = _with(table, project_id=_constant(origin.project_id, length))
        if (version > 1).any():
            why = np.full(length, DELIVERED_AGAIN, dtype=object)
            table = _with(table, reason=pa.array(why, mask=version == 1, type=pa.large_string()))
        keep = decision.keep[part]
        if not keep.all():
            table = table.filter(pa.array(keep))
        superseded = decision.superseded[part][keep]
        until = pa.array(np.full(table.num_rows, self.seq, dtype=np.int64), mask=~superseded)
        span = write_span(self.connection, noun, table, until, self.seq)
        self._born_ended.append(span.first + np.flatnonzero(superseded))
        self.spans.append(span)

    def _batch(self) -> Batch:
        origin = self.origin
        return Batch(
            batch_id=origin.batch_id,
            dataset_id=origin.dataset_id,
            file_name=origin.file_name,
            sha256=origin.sha256,
            size=origin.size,
            reader=self.writer.format,
            person=origin.person,
            delivered=datetime.fromisoformat("1970-01-01T00:00:00+00:00"),
            counts=self.counts,
        )

    def _write_batch(self, batch: Batch, verdict: str, kept: list[tuple[str, str, int]]) -> None:
        self.connection.execute(
            BATCH.insert().values(
                batch_id=batch.batch_id,
                seq=self.seq,
                dataset_id=batch.dataset_id,
                sha256=batch.sha256,
                verdict=verdict,
                content=ledger.canonical(
                    batch.model_dump(
                        mode="json", exclude={"delivered", "withdrawn", "verdict", "mapping"}
                    )
                ),
                mapping=self.origin.mapping,
            )
        )
        for _, sha256, size in kept:
            remember_file(self.connection, sha256, size, self.seq)
        name = batch.batch_id
        bulk.insert_values(
            self.connection,
            FINDING,
            ("batch_id", "number", "content"),
            ((name, i, *line) for i, line in enumerate(self.staged.lines("finding"), start=1)),
        )
        bulk.insert_values(
            self.connection,
            QUARANTINE,
            ("batch_id", "number", "file", "row", "line", "raw", "finding"),
            ((name, i, *line) for i, line in enumerate(self.staged.lines("quarantine"), start=1)),
        )

    def _prefix(self) -> str:
        return self.writer._store.party_id

    def _count(self, what: str, rows: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + rows


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of one noun written together: consecutive numbers, one dataset, one batch."""

    noun: str
    first: int
    last: int
    dataset_id: str
    batch_id: str
    filled: str  #: attributes that hold something in any of the rows
    sha256: str

    def line(self) -> list[object]:
        """As it stands in the ledger."""
        return list(astuple(self))


def write_span(
    connection: sa.Connection,
    noun: str,
    rows: pa.Table,
    until: pa.Array | None,
    seq: int,
) -> Span:
    """Insert rows with consecutive ``n`` and keep the digest of what was written."""
    n = next_n(connection, noun)
    span = Span(
        noun,
        n,
        n + rows.num_rows - 1,
        dataset_id=rows.column("dataset_id")[0].as_py(),
        batch_id=rows.column("batch_id")[0].as_py(),
        filled=" ".join(name for name in rows.column_names if name not in HEADER),
        sha256=digest(rows),
    )
    full = _with(rows, n=pa.array(np.arange(n, span.last + 1, dtype=np.int64)))
    if until is not None and until.null_count < len(until):
        full = _with(full, until=until)
    bulk.insert(connection, RECORDS[noun], full, same=_SAME)
    connection.execute(SPAN.insert().values(seq=seq, **asdict(span)))
    return span


def close(
    connection: sa.Connection, noun: str, ns: NDArray[np.int64], seq: int
) -> dict[str, object]:
    """End the validity of stored rows; what is said of it in the ledger."""
    table = RECORDS[noun]
    with bulk.wanted(connection, ns) as wanted:
        done = connection.execute(
            table.update()
            .where(table.c.n.in_(sa.select(wanted.c.k)), table.c.until.is_(None))
            .values(until=seq)
        )
    if done.rowcount != len(ns):
        raise StoreError(say("store.closed-twice", noun=noun))
    return closed_line(ns)


def closed_line(ns: NDArray[np.int64]) -> dict[str, object]:
    """How many rows ended and the digest of which."""
    ordered = np.sort(ns).astype("<i8")
    return {"rows": len(ordered), "sha256": hashlib.sha256(ordered.tobytes()).hexdigest()}


def next_n(connection: sa.Connection, noun: str) -> int:
    """The number of the next row of a noun; sure only inside a writing transaction."""
    return int(connection.execute(sa.select(sa.func.max(RECORDS[noun].c.n))).scalar() or 0) + 1


def remember_file(connection: sa.Connection, sha256: str, size: int, seq: int) -> None:
    """Note a kept file, once."""
    known = connection.execute(sa.select(FILE.c.sha256).where(FILE.c.sha256 == sha256)).first()
    if known is None:
        connection.execute(FILE.insert().values(sha256=sha256, size=size, seq=seq))


def finding_of(content: str) -> Finding:
    """A finding from its stored form."""
    data: dict[str, Any] = json.loads(content)
    return Finding(**{**data, "severity": Severity(data["severity"])})


def _as_data(finding: Finding) -> dict[str, Any]:
    data = {
        "code": finding.code,
        "severity": str(finding.severity),
        "row": finding.row,
        "field": finding.field,
        "value": finding.value,
        "file": finding.file,
        "line": finding.line,
        "params": dict(finding.params),
    }
    return {k: safe_text(v) if isinstance(v, str) else v for k, v in data.items()}


def lines_digest(lines: Iterator[list[Any]]) -> dict[str, object]:
    """How many lines and the digest of them."""
    seen, count = hashlib.sha256(), 0
    for line in lines:
        seen.update(ledger.canonical(line).encode() + b"\n")
        count += 1
    return {"count": count, "sha256": seen.hexdigest()}


def _scoped_keys(
    noun: str, frame: pd.DataFrame, dataset_id: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Natural keys that hold within their dataset only."""
    found = natural_keys(noun, frame)
    if found is None:
        return np.zeros(len(frame), dtype=np.int64), np.zeros(len(frame), dtype=np.bool_)
    key, has_key = found
    scope = hashlib.blake2b(dataset_id.encode(), digest_size=8).digest()
    mixed = np.asarray(key, dtype=np.uint64) ^ np.frombuffer(scope, dtype="<u8")[0]
    return mixed.view(np.int64), np.asarray(has_key, dtype=np.bool_)


def _constant(text: str, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, type=pa.large_string()), length)


def _with(table: pa.Table, **columns: Any) -> pa.Table:
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table
