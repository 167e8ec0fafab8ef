"""What stood at an earlier line of the ledger: the rows of an entity, as a query.

Numbers are given in order and never twice, and each line says how far they had come: so a row was
there when its number had been given. What was changed since stands whole in the history under the
line that replaced it; the first such line after the moment has the row as it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from ecotone.store import ledger
from ecotone.store.schema import LEDGER, STA

#: The kind of line that sensors write.
KIND: Final = "sensorthings"


@dataclass(frozen=True)
class Moment:
    """A line of the ledger, and the last number of each entity that was given by then."""

    seq: int
    upto: Mapping[str, int]


def moment(connection: sa.Connection, when: datetime) -> Moment:
    """What the ledger had said by then."""
    seq = ledger.seq_at(connection, when)
    mine = (LEDGER.c.kind == KIND) & (LEDGER.c.seq <= seq)
    newest = sa.select(LEDGER.c.body).where(mine).order_by(LEDGER.c.seq.desc()).limit(1)
    body = connection.execute(newest).scalar()
    upto = {} if body is None else json.loads(body).get("upto", {})
    return Moment(seq, upto)


def given(connection: sa.Connection) -> dict[str, int]:
    """The last number of each entity, for a line of the ledger."""
    counter = STA.counter
    rows = connection.execute(sa.select(counter.c.name, counter.c.value).order_by(counter.c.name))
    return {row.name: int(row.value) for row in rows if row.name[:1].isupper()}


def rows_at(entity: str, table: sa.Table, at: Moment, postgres: bool) -> sa.Subquery:
    """All rows of an entity as they were at a moment, with the columns of its table."""
    upto = at.upto.get(entity, 0)
    changed = _later(STA.history.alias(), entity, at)
    still = sa.select(*table.c).where(table.c.id <= upto, table.c.id.not_in(changed))
    before, other = STA.history.alias(), STA.history.alias()
    first = (
        sa.select(sa.func.min(other.c.seq))
        .where(other.c.entity == entity, other.c.id == before.c.id, other.c.seq > at.seq)
        .correlate(before)
        .scalar_subquery()
    )
    was = sa.select(
        *(_past(column, before.c.body, postgres).label(column.name) for column in table.c)
    ).where(before.c.entity == entity, before.c.id <= upto, before.c.seq == first)
    return sa.union_all(still, was).subquery()


def places_at(at: Moment, postgres: bool) -> sa.Subquery:
    """Where each thing was: the locations of the newest entry in its history."""
    entry, other = (
        rows_at(
            "HistoricalLocation", STA.entities["sta_historical_location"], at, postgres
        )
        for _ in range(2)
    )  # fmt: skip
    newest = (
        sa.select(other.c.id)
        .where(other.c.thing_id == entry.c.thing_id)
        .order_by(other.c.time.desc(), other.c.id.desc())
        .limit(1)
        .correlate(entry)
        .scalar_subquery()
    )
    place = STA.pairs["sta_historical_place"]
    return (
        sa.select(entry.c.thing_id, place.c.location_id)
        .join(place, place.c.historical_location_id == entry.c.id)
        .where(entry.c.id == newest)
        .subquery()
    )


def _later(history: Any, entity: str, at: Moment) -> Any:
    return sa.select(history.c.id).where(history.c.entity == entity, history.c.seq > at.seq)


def _past(column: sa.Column[Any], body: Any, postgres: bool) -> Any:
    """A column as it stands in the JSON of the history (see ``sensorthings_archive.keep``)."""
    if postgres:
        key = sa.literal(column.name, sa.Text)
        text = sa.cast(body, sa.JSON).op("->>", return_type=sa.Text())(key)
        return sa.cast(text, column.type)
    found = sa.func.json_extract(body, f"$.{column.name}")
    if isinstance(column.type, sa.Double):
        return sa.case((found.is_(None), sa.null()), else_=sa.cast(found, sa.Double))
    return sa.type_coerce(found, column.type)
