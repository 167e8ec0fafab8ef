"""What a change replaces is kept whole, with the line of the ledger that replaced it."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from ecotone.store.schema import STA

_HISTORY: Final = STA.history


def keep(
    connection: sa.Connection, entity: str, table: sa.Table, condition: Any, seq: int, *, gone: bool
) -> None:
    """Copy rows into the history; done by the database, however many they are."""
    postgres = connection.dialect.name == "postgresql"
    pairs: list[Any] = []
    for column in table.c:
        pairs += [sa.literal_column(f"'{column.name}'"), _exact(column, postgres)]
    if postgres:
        body: Any = sa.cast(sa.func.json_build_object(*pairs), sa.Text)
    else:
        body = sa.func.json_object(*pairs)
    rows = sa.select(
        sa.literal(entity), table.c.id, sa.literal(seq, sa.BigInteger), sa.literal(gone), body
    ).where(condition)
    # Under one line the first version counts: what came between was never told to anybody.
    before = sa.select(_HISTORY.c.id).where(_HISTORY.c.entity == entity, _HISTORY.c.seq == seq)
    names = ["entity", "id", "seq", "gone", "body"]
    connection.execute(_HISTORY.insert().from_select(names, rows.where(table.c.id.not_in(before))))


def _exact(column: sa.Column[Any], postgres: bool) -> Any:
    """A number with all its digits: SQLite's JSON keeps fifteen, so it goes as text."""
    if postgres or not isinstance(column.type, sa.Double):
        return column
    told = sa.func.printf("%!.17g", column)
    return sa.case((column.is_(None), sa.null()), else_=told)


def take(connection: sa.Connection, name: str, wanted: int = 1) -> int:
    """The first of so many numbers never given before. Sure only in a writing transaction."""
    cursor, sql = connection.connection.cursor(), _SQL[connection.dialect.name]
    cursor.execute(sql["take"], (wanted, name))
    row = cursor.fetchone()
    if row is None:
        cursor.execute(sql["begin"], (name, wanted))
        return 1
    return int(row[0]) - wanted + 1


def value(connection: sa.Connection, name: str) -> int:
    """Where a counter stands."""
    cursor, sql = connection.connection.cursor(), _SQL[connection.dialect.name]
    cursor.execute(sql["value"], (name,))
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])


def _counting(mark: str) -> dict[str, str]:
    """Statements for the driver's own cursor: every observation that is posted asks them."""
    return {
        "take": f"UPDATE sta_counter SET value = value + {mark} WHERE name = {mark}"
        " RETURNING value",
        "begin": f"INSERT INTO sta_counter (name, value) VALUES ({mark}, {mark})",
        "value": f"SELECT value FROM sta_counter WHERE name = {mark}",
    }


_SQL: Final = {"sqlite": _counting("?"), "postgresql": _counting("%s")}
