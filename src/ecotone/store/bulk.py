"""Many rows at once: prepared statements in SQLite, COPY in PostgreSQL."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import sqlalchemy as sa
from numpy.typing import NDArray

from ecotone.store.columns import lists

_ROWS_AT_ONCE: Final = 10_000


def insert(
    connection: sa.Connection, table: sa.Table, rows: pa.Table, same: Sequence[str] = ()
) -> None:
    """Insert the rows of an Arrow table; its columns carry the names of the table's.

    Columns in ``same`` hold one value throughout: SQLite takes it from the statement, a quarter
    faster than from every row.
    """
    if rows.num_rows == 0:
        return
    into = _quoted(connection, table.name)
    names = ", ".join(_quoted(connection, name) for name in rows.column_names)
    if connection.dialect.name == "postgresql":
        _copy(
            connection,
            f"COPY {into} ({names}) FROM STDIN (FORMAT csv)",
            rows,
        )
        return
    marks = ", ".join(
        _literal(rows.column(name)[0].as_py()) if name in same else "?"
        for name in rows.column_names
    )
    bound = rows.drop_columns([name for name in same if name in rows.column_names])
    cursor = _cursor(connection)
    for start in range(0, bound.num_rows, _ROWS_AT_ONCE):
        part = lists(bound.slice(start, _ROWS_AT_ONCE))
        cursor.executemany(
            f"INSERT INTO {into} ({names}) VALUES ({marks})",
            zip(*part, strict=True),
        )


def _literal(value: str | int) -> str:
    """A value as SQLite writes it in a statement."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def insert_values(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert plain tuples, some thousands at a time."""
    listed = iter(rows)
    statement = table.insert()
    while block := list(islice(listed, _ROWS_AT_ONCE)):
        connection.execute(statement, [dict(zip(names, row, strict=True)) for row in block])


@contextmanager
def wanted(connection: sa.Connection, values: NDArray[np.int64]) -> Iterator[sa.TableClause]:
    """A temporary table ``wanted(k)`` of numbers to join with."""
    name = "wanted"
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} (k BIGINT PRIMARY KEY)")
    table = sa.Table(name, sa.MetaData(), sa.Column("k", sa.BigInteger, primary_key=True))
    try:
        insert(connection, table, pa.table({"k": np.sort(values)}))
        yield table
    finally:
        if connection.in_transaction() and not connection.invalidated:
            _drop(connection, name)


def _drop(connection: sa.Connection, name: str) -> None:
    """Drop it unless the transaction has already failed, which drops it by itself."""
    try:
        connection.exec_driver_sql(f"DROP TABLE {name}")
    except sa.exc.DBAPIError:
        if connection.dialect.name != "postgresql":
            raise


def _copy(connection: sa.Connection, statement: str, rows: pa.Table) -> None:
    text = io.BytesIO()
    pa_csv.write_csv(rows, text, pa_csv.WriteOptions(include_header=False))
    with _cursor(connection).copy(statement) as copy:
        copy.write(text.getbuffer())


def _cursor(connection: sa.Connection) -> Any:
    """The driver's own cursor: the layers above cost more than the insert itself."""
    return connection.connection.cursor()


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
