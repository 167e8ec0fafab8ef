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
    names = ["entity", "id", "seq", "gone", "body"]
    connection.execute(_HISTORY.insert().from_select(names, rows))


def _exact(column: sa.Column[Any], postgres: bool) -> Any:
    """A number with all its digits: SQLite's JSON keeps fifteen, so it goes as text."""
    if postgres or not isinstance(column.type, sa.Double):
        return column
    told = sa.func.printf("%!.17g", column)
    return sa.case((column.is_(None), sa.null()), else_=told)


def take(connection: sa.Connection, name: str, wanted: int = 1) -> int:
    """The first of so many numbers never given before. Sure only in a writing transaction."""
    counter = STA.counter
    held = connection.execute(sa.select(counter.c.value).where(counter.c.name == name)).scalar()
    if held is None:
        connection.execute(counter.insert().values(name=name, value=wanted))
        return 1
    connection.execute(counter.update().where(counter.c.name == name).values(value=held + wanted))
    return int(held) + 1


def value(connection: sa.Connection, name: str) -> int:
    """Where a counter stands."""
    counter = STA.counter
    held = connection.execute(sa.select(counter.c.value).where(counter.c.name == name)).scalar()
    return int(held or 0)
