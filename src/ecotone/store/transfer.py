"""A node's tables from one database into another: out of PostgreSQL into a file, and back.

So a backup is the same file whichever database the node is on, and is restored on either. Rows
stream through in blocks, in the form in which they are hashed (see ``columns``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import sqlalchemy as sa

from ecotone.store import bulk, migrate
from ecotone.store.columns import arrow_column
from ecotone.store.database import Database, sqlite_url
from ecotone.store.rows import readable
from ecotone.store.schema import DAY, INSTANT, metadata

_ROWS_AT_ONCE: Final = 10_000


def to_file(database: Database, path: Path) -> None:
    """Everything ``database`` holds at one moment into a new SQLite file."""
    made = Database(sqlite_url(path))
    try:
        migrate.create(made)
        with database.reading() as source, made.writing() as target:
            _carry(source, database, target)
    finally:
        made.close()


def from_file(path: Path, database: Database) -> None:
    """Everything of an SQLite file into an empty database, in one transaction.

    The file is of this version's schema. Raises UsageError where the database holds a node.
    """
    held = Database(sqlite_url(path))
    try:
        with held.reading() as source, database.writing() as target:
            migrate.create_in(target, database.place)
            _carry(source, held, target)
    finally:
        held.close()


def _carry(source: sa.Connection, database: Database, target: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        for block in _blocks(source, database, table):
            bulk.insert(target, table, block)


def _blocks(source: sa.Connection, database: Database, table: sa.Table) -> Iterator[pa.Table]:
    """The rows of a table in the order of its key; of its columns those that hold anything."""
    counts = source.execute(sa.select(*(sa.func.count(column) for column in table.c))).one()
    filled = [column for column, number in zip(table.c, counts, strict=True) if number]
    if not filled:
        return
    statement = sa.select(*(readable(column, database) for column in filled))
    streamed = source.execution_options(stream_results=True, max_row_buffer=_ROWS_AT_ONCE)
    result = streamed.execute(statement.order_by(*table.primary_key.columns))
    try:
        while rows := result.fetchmany(_ROWS_AT_ONCE):
            yield pa.table(
                {
                    column.name: arrow_column(values, _kind(column))
                    for column, values in zip(filled, zip(*rows, strict=True), strict=True)
                }
            )
    finally:
        result.close()


def _kind(column: sa.Column[object]) -> str:
    """The dictionary's word for a column's type."""
    kind = column.type
    if kind is INSTANT:
        return "time"
    if kind is DAY:
        return "date"
    if isinstance(kind, sa.Boolean):
        return "boolean"
    if isinstance(kind, sa.Double):
        return "number"
    return "integer" if isinstance(kind, sa.Integer) else "text"
