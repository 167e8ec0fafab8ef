"""Corrections, withdrawals and the history of a record. Nothing is changed; versions are added."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from pydantic import ValidationError

from ecotone.model.dictionary import RECORD_NOUNS, dictionary
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.records import RECORD_CLASSES
from ecotone.model.words import say
from ecotone.store import bulk, ledger, releases
from ecotone.store.batches import close, write_span
from ecotone.store.columns import frame_of, from_rows, typed
from ecotone.store.database import Database
from ecotone.store.rows import readable
from ecotone.store.schema import BATCH, LEDGER, RECORDS, types_of

#: A span is read whole by the audit, so it is written of no more rows than this.
_RESTORED_AT_ONCE: Final = 50_000


@dataclass(frozen=True)
class Correction:
    """One corrected record: the difference, and the runs that stood on the old version."""

    id: str
    old: int
    new: int
    diff: dict[str, tuple[Any, Any]]
    results: list[str]
    partners: list[str] = field(default_factory=list)  #: parties the old version was released to


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawn batch took with it."""

    counts: dict[str, int]  #: rows that no longer hold, by noun
    back: dict[str, int]  #: rows that hold again, by noun
    results: list[str]  #: runs that were given rows of the batch

    @property
    def withdrawn(self) -> int:
        """How many rows no longer hold."""
        return sum(self.counts.values())

    @property
    def revived(self) -> int:
        """How many earlier rows hold again."""
        return sum(self.back.values())


def correct(
    connection: sa.Connection,
    database: Database,
    noun: str,
    id: str,
    changes: Mapping[str, Any],
    person: str,
    reason: str,
    seen: int | None = None,
) -> Correction:
    """Add a corrected version of the living record.

    ``seen`` is the version the corrector had before the eyes; where another holds by now, the
    correction is refused, so that the second of two people is told.

    The natural key and the hash of the content *as delivered* stay with it: the same uncorrected
    row delivered again changes nothing, a row that its source changed supersedes the correction.
    """
    if not reason.strip():
        raise UsageError(say("store.reason-missing"))
    table = RECORDS[noun]
    names = ["n", *types_of(noun)]
    found = _rows(connection, database, noun, names, table.c.id == id, table.c.until.is_(None))
    if found.num_rows == 0:
        raise UsageError(say("store.record-unknown", noun=noun, id=id))
    old: dict[str, Any] = found.to_pylist()[0]
    if seen is not None and int(old["version"]) != seen:
        raise InputRefused(_overtaken(connection, id, old, seen))
    own = [a.name for a in dictionary(noun)]
    before = {name: old[name] for name in own}
    valid = _valid(noun, before, changes)
    # Columns that hold nothing would be typed one by one and then left out.
    filled = {name: value for name, value in valid.items() if value is not None} or valid
    frame = pd.DataFrame([filled], dtype=object)
    after_table = typed(noun, frame)
    after = (
        dict.fromkeys(own)
        | after_table.select([c for c in after_table.column_names if c in own]).to_pylist()[0]
    )
    diff = {name: (before[name], after[name]) for name in own if before[name] != after[name]}
    if not diff:
        raise UsageError(say("store.nothing-changed", id=id))

    seq = ledger.next_seq(connection)
    n, dataset_id = int(old["n"]), str(old["dataset_id"])
    row = found.drop_columns(["n", "until", "extra", *own])
    row = _replaced(row, version=old["version"] + 1, since=seq, reason=reason, person=person)
    for name in after_table.column_names:
        if name in own:
            row = row.append_column(name, after_table.column(name))
    if old["extra"] is not None:
        row = row.append_column("extra", found.column("extra"))
    closed = {noun: close(connection, noun, np.array([n], dtype=np.int64), seq)}
    span = write_span(connection, noun, row, None, seq)
    ledger.append(
        connection,
        "correct",
        person,
        {
            "noun": noun,
            "id": id,
            "version": old["version"] + 1,
            "changed": sorted(diff),
            "reason": reason,
            "spans": [span.line()],
            "closed": closed,
        },
    )
    return Correction(
        id=id,
        old=old["version"],
        new=old["version"] + 1,
        diff=diff,
        results=releases.runs_on(connection, dataset_id, [noun], old["since"], seq),
        partners=releases.readers_of(connection, dataset_id, [noun], old["since"], seq),
    )


def _overtaken(connection: sa.Connection, id: str, old: Mapping[str, Any], seen: int) -> str:
    """Who was first, when and why."""
    time = connection.execute(
        sa.select(LEDGER.c.time).where(LEDGER.c.seq == old["since"])
    ).scalar_one()
    return say(
        "correct.overtaken",
        id=id,
        seen=seen,
        version=old["version"],
        person=old["person"],
        time=time,
        reason=old["reason"] or "-",
    )


def withdraw(
    connection: sa.Connection, database: Database, batch_id: str, person: str, reason: str
) -> Withdrawal:
    """End every living row of a batch; the newest version before it holds again, as a copy."""
    if not reason.strip():
        raise UsageError(say("store.reason-missing"))
    batch = connection.execute(sa.select(BATCH).where(BATCH.c.batch_id == batch_id)).one()
    if batch.withdrawn is not None:
        raise UsageError(say("store.batch-withdrawn", batch=batch_id))
    seq = ledger.next_seq(connection)
    withdrawn: dict[str, int] = {}
    restored: dict[str, int] = {}
    closed: dict[str, dict[str, object]] = {}
    spans: list[list[object]] = []
    for noun in RECORD_NOUNS:
        table = RECORDS[noun]
        living = connection.execute(
            sa.select(table.c.n)
            .where(table.c.batch_id == batch_id, table.c.until.is_(None))
            .order_by(table.c.n)
        ).scalars()
        ns = np.fromiter(living, dtype=np.int64)
        if not len(ns):
            continue
        closed[noun] = close(connection, noun, ns, seq)
        withdrawn[noun] = len(ns)
        back = _restore(connection, database, noun, batch_id, seq, person, reason, spans)
        if back:
            restored[noun] = back
    connection.execute(BATCH.update().where(BATCH.c.batch_id == batch_id).values(withdrawn=seq))
    ledger.append(
        connection,
        "withdraw",
        person,
        {"batch_id": batch_id, "reason": reason, "spans": spans, "closed": closed},
    )
    results = releases.runs_on(connection, batch.dataset_id, list(withdrawn), batch.seq, seq)
    return Withdrawal(withdrawn, restored, results)


def history(connection: sa.Connection, database: Database, noun: str, id: str) -> pd.DataFrame:
    """Every version of a record, with the times of the ledger lines it held between."""
    table = RECORDS[noun]
    names = list(types_of(noun))
    found = _rows(connection, database, noun, names, table.c.id == id)
    if found.num_rows == 0:
        raise UsageError(say("store.record-unknown", noun=noun, id=id))
    frame = frame_of(noun, found, names).sort_values("version", ignore_index=True)
    seqs = pd.concat([frame["since"], frame["until"]]).dropna().astype(int).unique().tolist()
    times = {
        row.seq: datetime.fromisoformat(row.time)
        for row in connection.execute(
            sa.select(LEDGER.c.seq, LEDGER.c.time).where(LEDGER.c.seq.in_(seqs))
        )
    }
    frame.insert(0, "recorded", pd.to_datetime(frame["since"].map(times), utc=True))
    frame.insert(1, "ended", pd.to_datetime(frame["until"].map(times), utc=True))
    return frame


def _restore(
    connection: sa.Connection,
    database: Database,
    noun: str,
    batch_id: str,
    seq: int,
    person: str,
    reason: str,
    spans: list[list[object]],
) -> int:
    """Copy, for each record just ended, its newest version of a batch that still stands."""
    table = RECORDS[noun]
    names = [name for name in types_of(noun) if name != "until"]
    found = connection.execute(_to_restore(table, batch_id, seq)).all()
    for start in range(0, len(found), _RESTORED_AT_ONCE):
        part = found[start : start + _RESTORED_AT_ONCE]
        with bulk.wanted(connection, np.array([row.n for row in part], dtype=np.int64)) as wanted:
            rows = connection.execute(
                sa.select(*(readable(table.c[name], database) for name in names))
                .join(wanted, wanted.c.k == table.c.n)
                .order_by(table.c.n)
            ).all()
        copies = from_rows(noun, names, rows)
        version = pa.array([row.last + 1 for row in part], type=pa.int64())
        copies = copies.set_column(names.index("version"), "version", version)
        copies = _replaced(copies, since=seq, reason=reason, person=person)
        # Columns without a value were left out when the rows were first written, too.
        empty = [c for c in copies.column_names if copies.column(c).null_count == copies.num_rows]
        spans.append(write_span(connection, noun, copies.drop_columns(empty), None, seq).line())
    return len(found)


def _to_restore(table: sa.Table, batch_id: str, seq: int) -> sa.Select[tuple[int, int]]:
    """``n`` of the versions that hold again, and the ``last`` version of their records."""
    ended = sa.select(table.c.id).where(table.c.batch_id == batch_id, table.c.until == seq)
    stands = BATCH.c.withdrawn.is_(None) & (BATCH.c.batch_id != batch_id)
    versions = (
        sa.select(
            table.c.id,
            sa.func.max(table.c.version).label("last"),
            sa.func.max(sa.case((stands, table.c.version))).label("newest"),
        )
        .join(BATCH, BATCH.c.batch_id == table.c.batch_id)
        .where(table.c.id.in_(ended))
        .group_by(table.c.id)
        .subquery()
    )
    return (
        sa.select(table.c.n, versions.c.last)
        .join(versions, (versions.c.id == table.c.id) & (versions.c.newest == table.c.version))
        .order_by(table.c.n)
    )


def _rows(
    connection: sa.Connection,
    database: Database,
    noun: str,
    names: Sequence[str],
    *conditions: sa.ColumnElement[bool],
) -> pa.Table:
    table = RECORDS[noun]
    statement = sa.select(*(readable(table.c[name], database) for name in names))
    return from_rows(noun, names, connection.execute(statement.where(*conditions)).all())


def _valid(noun: str, before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changed record, checked by its class; UsageError naming every wrong field."""
    own = {a.name: a for a in dictionary(noun)}
    unknown = [name for name in changes if name not in own]
    if unknown:
        raise UsageError(say("store.column-unknown", noun=noun, column=", ".join(unknown)))
    merged = {**before, **changes}
    parsed = {
        name: json.loads(value) if own[name].type == "json" and isinstance(value, str) else value
        for name, value in merged.items()
    }
    try:
        checked = RECORD_CLASSES[noun].model_validate(parsed)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()
        )
        raise UsageError(say("store.correction-wrong", wrong=wrong)) from error
    return checked.model_dump()


def _replaced(table: pa.Table, **values: Any) -> pa.Table:
    """The table with whole columns replaced by one value each."""
    for name, value in values.items():
        kind = pa.int64() if isinstance(value, int) else pa.large_string()
        column = pa.repeat(pa.scalar(value, type=kind), table.num_rows)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, column)
        else:
            table = table.append_column(name, column)
    return table
