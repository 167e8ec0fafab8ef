"""Reading rows: as they are now, or as they were known at a line of the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from ecotone.model.dictionary import RECORD_NOUNS, dictionary
from ecotone.model.errors import UsageError
from ecotone.model.words import say
from ecotone.store.columns import content_of, frame_of, from_rows
from ecotone.store.database import Database
from ecotone.store.schema import HEADER, RECORDS, SPAN, types_of

if TYPE_CHECKING:
    from ecotone.store.batches import Span

#: Header columns a selection starts with; the attributes follow, then ``extra``.
SHOWN: Final = (
    "id",
    "version",
    "dataset_id",
    "project_id",
    "batch_id",
    "source_file",
    "source_row",
    "source_line",
)


def columns_of(noun: str, wanted: Sequence[str] | None) -> list[str]:
    """The columns of a selection; UsageError for one the noun does not have."""
    if noun not in RECORDS:
        raise UsageError(say("store.noun-unknown", noun=noun, known=", ".join(RECORD_NOUNS)))
    if wanted is None:
        return [*SHOWN, *(a.name for a in dictionary(noun)), "extra"]
    unknown = [name for name in wanted if name not in types_of(noun)]
    if unknown:
        raise UsageError(say("store.column-unknown", noun=noun, column=", ".join(unknown)))
    return list(wanted)


def select(
    database: Database,
    noun: str,
    *,
    datasets: Sequence[str] | None,
    as_of: int | None,
    names: Sequence[str],
    chunk: int,
) -> Iterator[pd.DataFrame]:
    """Rows in the order they were written, block by block, all from one state of the store."""
    table = RECORDS[noun]
    with database.reading() as connection:
        reach = _reach(connection, noun, datasets)
        if reach is None:
            return
        first, last, filled = reach
        read = [name for name in names if name in HEADER or name in filled]
        statement = (
            sa.select(table.c.n, *(readable(table.c[name], database) for name in read))
            .where(table.c.n.between(first, last), *conditions(table, datasets, as_of))
            .order_by(table.c.n)
        )
        for rows in _blocks(connection, statement, chunk):
            found = from_rows(noun, ["n", *read], rows)
            yield frame_of(noun, found, names)


def count(
    connection: sa.Connection, noun: str, datasets: Sequence[str] | None, as_of: int | None
) -> int:
    """How many rows hold."""
    table = RECORDS[noun]
    statement = sa.select(sa.func.count()).select_from(table)
    return int(
        connection.execute(statement.where(*conditions(table, datasets, as_of))).scalar_one()
    )


def totals(connection: sa.Connection) -> list[dict[str, Any]]:
    """``{dataset_id, noun, records}`` of the rows that hold now."""
    found: list[dict[str, Any]] = []
    written = {row.noun for row in connection.execute(sa.select(SPAN.c.noun).distinct())}
    for noun in (n for n in RECORD_NOUNS if n in written):
        table = RECORDS[noun]
        rows = connection.execute(
            sa.select(table.c.dataset_id, sa.func.count())
            .where(table.c.until.is_(None))
            .group_by(table.c.dataset_id)
            .order_by(table.c.dataset_id)
        )
        found += [
            {"dataset_id": dataset_id, "noun": noun, "records": int(number)}
            for dataset_id, number in rows
        ]
    return sorted(found, key=lambda row: row["dataset_id"])


def conditions(
    table: sa.Table, datasets: Sequence[str] | None, as_of: int | None
) -> list[sa.ColumnElement[bool]]:
    """Which rows held, now or at a line of the ledger."""
    found: list[sa.ColumnElement[bool]]
    if as_of is None:
        found = [table.c.until.is_(None)]
    else:
        found = [
            table.c.since <= as_of,
            sa.or_(table.c.until.is_(None), table.c.until > as_of),
        ]
    if datasets is not None:
        found.append(table.c.dataset_id.in_(list(datasets)))
    return found


def readable(column: sa.Column[Any], database: Database) -> sa.ColumnElement[Any]:
    """The column as it is read: instants as microseconds since 1970 on both databases."""
    kind = column.type.dialect_impl(database.engine.dialect)
    if isinstance(kind, sa.DateTime):
        # PostgreSQL gives seconds as an exact decimal number, not as a float.
        seconds = sa.cast(sa.extract("epoch", column), sa.Numeric)
        return sa.cast(seconds * 1_000_000, sa.BigInteger).label(column.name)
    return column


def state_hash(database: Database) -> str:
    """sha256 over the content of all rows that hold, whatever their order and identifiers."""
    total = hashlib.sha256()
    for noun in RECORD_NOUNS:
        names = ["dataset_id", *(a.name for a in dictionary(noun)), "extra"]
        by_dataset: dict[str, list[np.ndarray[Any, Any]]] = {}
        for frame in select(database, noun, datasets=None, as_of=None, names=names, chunk=50_000):
            hashes = content_of(noun, frame.drop(columns="dataset_id"))
            for dataset_id, where in frame.groupby("dataset_id").indices.items():
                by_dataset.setdefault(str(dataset_id), []).append(hashes[where])
        for dataset_id in sorted(by_dataset):
            ordered = np.sort(np.concatenate(by_dataset[dataset_id])).astype("<u8")
            total.update(f"{noun} {dataset_id} {len(ordered)}\n".encode() + ordered.tobytes())
    return total.hexdigest()


def span_rows(connection: sa.Connection, database: Database, span: Span) -> pa.Table:
    """The rows of one span as they were written (``until`` left out), to be hashed again.

    Of the attributes, those the span says were filled and any other that is not empty now.
    """
    noun, table = span.noun, RECORDS[span.noun]
    where = table.c.n.between(span.first, span.last)
    known = {*HEADER, *span.filled.split()} - {"until"}
    others = [name for name in types_of(noun) if name not in known and name != "until"]
    if others:
        counts = sa.select(*(sa.func.count(table.c[name]) for name in others)).where(where)
        now = connection.execute(counts).one()
        known |= {name for name, number in zip(others, now, strict=True) if number}
    names = [name for name in types_of(noun) if name in known]
    rows = connection.execute(
        sa.select(*(readable(table.c[name], database) for name in names))
        .where(where)
        .order_by(table.c.n)
    ).all()
    return from_rows(noun, names, rows)


def _reach(
    connection: sa.Connection, noun: str, datasets: Sequence[str] | None
) -> tuple[int, int, set[str]] | None:
    """Where the rows of these datasets lie, and which attributes any of them ever filled."""
    statement = sa.select(SPAN.c.filled, sa.func.min(SPAN.c.first), sa.func.max(SPAN.c.last)).where(
        SPAN.c.noun == noun
    )
    if datasets is not None:
        statement = statement.where(SPAN.c.dataset_id.in_(list(datasets)))
    found = connection.execute(statement.group_by(SPAN.c.filled)).all()
    if not found:
        return None
    filled = {name for row in found for name in row[0].split()}
    return min(row[1] for row in found), max(row[2] for row in found), filled


def _blocks(
    connection: sa.Connection, statement: sa.Select[Any], chunk: int
) -> Iterator[Sequence[Any]]:
    streamed = connection.execution_options(stream_results=True, max_row_buffer=chunk)
    result = streamed.execute(statement)
    try:
        while rows := result.fetchmany(chunk):
            yield rows
    finally:
        result.close()
