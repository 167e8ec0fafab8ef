"""The audit: is everything as the ledger says it was written?

Found: a changed byte in any line, document, batch, finding, stored row or kept file; a row,
document or file taken away or put in; a validity ended or revived by hand; lines cut off the end
of the ledger, as long as ``keys/ledger.head`` (or an anchor noted elsewhere) still knows them.

Not found, and no program on the same disk could: a whole ledger rewritten from some line on
together with every row, digest and ``keys/ledger.head``. Against that, note the head in another
place (`ecotone share audit` prints it: write it into a letter to a partner) and give it as the
anchor. A process killed between its commit and the writing of ``ledger.head`` leaves the head one
line behind until the next line is written; a cut of exactly that line is then not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from ecotone.model.dictionary import RECORD_NOUNS
from ecotone.model.words import say
from ecotone.store import files, ledger, sensorthings_seal
from ecotone.store.batches import Span, closed_line, lines_digest
from ecotone.store.columns import digest
from ecotone.store.database import Database
from ecotone.store.rows import span_rows
from ecotone.store.schema import (
    BATCH,
    DOCUMENT,
    FILE,
    FINDING,
    QUARANTINE,
    RECORDS,
    RELEASE,
    RUN,
    RUN_RELEASE,
    SPAN,
)


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that is not as it was written."""

    code: str
    seq: int | None
    what: str
    params: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message()

    def message(self, lang: str = "en") -> str:
        """The sentence."""
        return say(
            f"store.broken.{self.code}", lang, what=self.what, seq=self.seq or "?", **self.params
        )


def verify(
    database: Database,
    folder: Path,
    anchor: tuple[int, str] | str | None = None,
    *,
    deep: bool = True,
) -> list[Broken]:
    """Everything that is not as the ledger says; without ``deep``, the chain of lines alone."""
    with database.reading() as connection:
        lines = list(ledger.entries(connection))
        found = [*_chain(lines), *_heads(lines, folder, anchor)]
        if not deep:
            return found
        said = [(line, line.said) for line in lines if line.hash == line.expected_hash()]
        found += _documents(connection, said)
        found += _batches(connection, said)
        found += _spans(connection, database, said)
        found += _closings(connection, said)
        found += _releases(connection, said)
        found += _runs(connection, said)
        found += _files(connection, folder, said)
        found += _observations(connection, database, said)
        return found


def knows_file(connection: sa.Connection, sha256: str) -> bool:
    """Whether this file is already noted."""
    found = connection.execute(sa.select(FILE.c.sha256).where(FILE.c.sha256 == sha256)).first()
    return found is not None


Said = list[tuple[ledger.Entry, dict[str, Any]]]


def _chain(lines: list[ledger.Entry]) -> Iterator[Broken]:
    prev, seq = ledger.GENESIS, 0
    for line in lines:
        if line.seq != seq + 1:
            yield Broken("gap", line.seq, f"{seq + 1}-{line.seq - 1}")
        if line.hash != line.expected_hash():
            yield Broken("line", line.seq, line.kind)
        elif line.prev != prev and line.seq == seq + 1:
            yield Broken("link", line.seq, line.kind)
        prev, seq = line.hash, line.seq


def _heads(
    lines: list[ledger.Entry], folder: Path, anchor: tuple[int, str] | str | None
) -> Iterator[Broken]:
    by_hash = {line.hash: line.seq for line in lines}
    kept = ledger.read_head(folder / "keys")
    if kept is None:
        yield Broken("head-missing", None, "keys/ledger.head")
    elif by_hash.get(kept[1]) != kept[0]:
        yield Broken("head", kept[0], "keys/ledger.head")
    if anchor is not None:
        wanted = anchor if isinstance(anchor, str) else anchor[1]
        seq = None if isinstance(anchor, str) else anchor[0]
        if wanted not in by_hash or (seq is not None and by_hash[wanted] != seq):
            yield Broken("anchor", seq, wanted[:16])


def _documents(connection: sa.Connection, said: Said) -> Iterator[Broken]:
    expected = {
        (body["document"], body["key"], body["version"]): (line.seq, body)
        for line, body in said
        if line.kind == "put" or "document" in body
    }
    for row in connection.execute(sa.select(DOCUMENT)):
        name = f"{row.kind} {row.key} v{row.version}"
        seq, body = expected.pop((row.kind, row.key, row.version), (None, None))
        if body is None or seq is None:
            yield Broken("foreign", None, name)
            continue
        original = None if row.original is None else ledger.sha256_text(row.original)
        same = (ledger.sha256_text(row.content), original, row.since) == (
            body["sha256"],
            body["original"],
            seq,
        )
        if not same:
            yield Broken("document", seq, name)
    for (kind, key, version), (seq, _) in expected.items():
        yield Broken("gone", seq, f"{kind} {key} v{version}")


def _batches(connection: sa.Connection, said: Said) -> Iterator[Broken]:
    expected = {
        body["batch"]["batch_id"]: (line.seq, body) for line, body in said if line.kind == "commit"
    }
    withdrawn = {body["batch_id"]: line.seq for line, body in said if line.kind == "withdraw"}
    for row in connection.execute(sa.select(BATCH)).all():
        seq, body = expected.pop(row.batch_id, (None, None))
        if body is None or seq is None:
            yield Broken("foreign", None, row.batch_id)
            continue
        batch = body["batch"]
        same = (
            row.content == ledger.canonical(batch)
            and (row.seq, row.verdict, row.mapping) == (seq, body["verdict"], body["mapping"])
            and (row.dataset_id, row.sha256) == (batch["dataset_id"], batch["sha256"])
            and row.withdrawn == withdrawn.get(row.batch_id)
        )
        if not same:
            yield Broken("batch", seq, row.batch_id)
        yield from _lines(connection, row.batch_id, seq, body)
    for name, (seq, _) in expected.items():
        yield Broken("gone", seq, name)


def _lines(
    connection: sa.Connection, batch_id: str, seq: int, body: dict[str, Any]
) -> Iterator[Broken]:
    f, q = FINDING.c, QUARANTINE.c
    findings = sa.select(f.content).where(f.batch_id == batch_id).order_by(f.number)
    rejected = (
        sa.select(q.file, q.row, q.line, q.raw, q.finding)
        .where(q.batch_id == batch_id)
        .order_by(q.number)
    )
    for name, statement in (("findings", findings), ("quarantine", rejected)):
        rows = (list(row) for row in connection.execute(statement))
        if lines_digest(rows) != body[name]:
            yield Broken("batch", seq, f"{batch_id} {name}")


def _spans(connection: sa.Connection, database: Database, said: Said) -> Iterator[Broken]:
    """Rows against the digest of what was written, block by block, and no row beside them."""
    numbers: dict[str, int] = {}
    table = SPAN.c
    fields = (table.noun, table.first, table.last, table.dataset_id, table.batch_id, table.filled,
              table.sha256)  # fmt: skip
    listed = {tuple(row) for row in connection.execute(sa.select(*fields, table.seq))}
    expected = {(*span, line.seq) for line, body in said for span in body.get("spans", ())}
    for other in sorted(listed ^ expected):
        where = f"{other[0]} {other[1]}-{other[2]}"
        yield Broken("foreign" if other in listed else "gone", other[-1], where)
    for *fields_of, seq in sorted(expected, key=lambda each: each[-1]):
        span = Span(*fields_of)
        numbers[span.noun] = numbers.get(span.noun, 0) + span.last - span.first + 1
        rows = span_rows(connection, database, span)
        if digest(rows) != span.sha256:
            told = {"noun": span.noun, "first": str(span.first), "last": str(span.last)}
            yield Broken("rows", seq, f"{span.noun} {span.first}-{span.last}", told)
    for noun in RECORD_NOUNS:
        held = connection.execute(sa.select(sa.func.count()).select_from(RECORDS[noun]))
        extra = int(held.scalar_one()) - numbers.get(noun, 0)
        if extra:
            yield Broken("row-count", None, noun, {"difference": f"{extra:+d}"})


def _closings(connection: sa.Connection, said: Said) -> Iterator[Broken]:
    """Which rows ended at which line: filled in later than the row, so checked apart."""
    expected: dict[str, dict[int, dict[str, Any]]] = {}
    for line, body in said:
        for noun, closed in body.get("closed", {}).items():
            expected.setdefault(noun, {})[line.seq] = closed
    for noun in RECORD_NOUNS:
        table = RECORDS[noun]
        rows = connection.execute(
            sa.select(table.c.until, table.c.n)
            .where(table.c.until.is_not(None))
            .order_by(table.c.until, table.c.n)
        ).all()
        held = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
        wanted = dict(expected.get(noun, {}))
        seqs, starts = np.unique(held[:, 0], return_index=True)
        for seq, ns in zip(seqs.tolist(), np.split(held[:, 1], starts[1:]), strict=False):
            if closed_line(ns) != wanted.pop(seq, None):
                yield Broken("ended", seq, noun)
        for seq in wanted:
            yield Broken("ended", seq, noun)


def _releases(connection: sa.Connection, said: Said) -> Iterator[Broken]:
    expected = {
        body["release_id"]: (line.seq, body) for line, body in said if line.kind == "release"
    }
    for row in connection.execute(sa.select(RELEASE)):
        seq, body = expected.pop(row.release_id, (None, None))
        if body is None or seq is None:
            yield Broken("foreign", None, row.release_id)
            continue
        told = {name: value for name, value in body.items() if name != "release_id"}
        same = (row.content, row.seq, row.dataset_id, row.noun) == (
            ledger.canonical(told),
            seq,
            told["dataset_id"],
            told["noun"],
        )
        if not same:
            yield Broken("release", seq, row.release_id)
    for name, (seq, _) in expected.items():
        yield Broken("gone", seq, name)


def _runs(connection: sa.Connection, said: Said) -> Iterator[Broken]:
    expected = {body["run_id"]: (line.seq, body) for line, body in said if line.kind == "run"}
    given: dict[str, list[str]] = {}
    for row in connection.execute(sa.select(RUN_RELEASE)):
        given.setdefault(row.run_id, []).append(row.release_id)
    for row in connection.execute(sa.select(RUN)):
        seq, body = expected.pop(row.run_id, (None, None))
        if body is None or seq is None:
            yield Broken("foreign", None, row.run_id)
            continue
        now = (row.path, row.sha256, sorted(given.get(row.run_id, [])), row.inputs, row.seq)
        wanted = (body["path"], body["sha256"], body["releases"], ledger.canonical(body["inputs"]))
        if now != (*wanted, seq):
            yield Broken("run", seq, row.run_id)
    for name, (seq, _) in expected.items():
        yield Broken("gone", seq, name)


def _files(connection: sa.Connection, folder: Path, said: Said) -> Iterator[Broken]:
    expected: dict[str, int] = {}
    for line, body in said:
        if line.kind == "file":
            expected.setdefault(body["sha256"], line.seq)
        for _, sha256, _size in body.get("files", ()):
            expected.setdefault(sha256, line.seq)
    held = {row.sha256 for row in connection.execute(sa.select(FILE.c.sha256))}
    for sha256 in sorted(held ^ expected.keys()):
        yield Broken("foreign" if sha256 in held else "gone", expected.get(sha256), sha256)
    for sha256, seq in expected.items():
        path = files.home(folder, sha256)
        if not path.is_file():
            yield Broken("file-gone", seq, sha256)
        elif files.sha256_of(path)[0] != sha256:
            yield Broken("file", seq, sha256)


def _observations(connection: sa.Connection, database: Database, said: Said) -> Iterator[Broken]:
    """What sensors sent, against the digest of each run of it."""
    lines = [
        (line.seq, body)
        for line, body in said
        if line.kind == sensorthings_seal.KIND and body.get("do") == "observations"
    ]
    for code, seq, what, params in sensorthings_seal.broken(
        connection, lines, database.is_postgres
    ):
        yield Broken(code, seq, what, params)
