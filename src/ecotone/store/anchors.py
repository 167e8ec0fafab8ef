"""Small set-wise questions about rows, asked in SQL so that they cost no second reading.

``filled`` and ``combinations`` look at every version that was ever stored: what a record once was
still tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from ecotone.store.columns import frame_of, from_rows
from ecotone.store.schema import RECORDS, SPAN, types_of

if TYPE_CHECKING:
    from ecotone.store.database import Database


def filled(database: Database, noun: str, datasets: Sequence[str]) -> set[str]:
    """The attributes of a noun that any delivery of these datasets ever filled."""
    statement = (
        sa.select(SPAN.c.filled)
        .where(SPAN.c.noun == noun, SPAN.c.dataset_id.in_(list(datasets)))
        .distinct()
    )
    with database.reading() as connection:
        return {name for row in connection.execute(statement) for name in row.filled.split()}


def combinations(
    database: Database, noun: str, datasets: Sequence[str], columns: Sequence[str]
) -> pd.DataFrame:
    """``dataset_id``, ``id`` and the combinations of values that occur in some columns.

    ``id`` is empty but for records of several versions: those are asked one by one.
    """
    table = RECORDS[noun]
    identifier = sa.case((table.c.version > 1, table.c.id)).label("id")
    names = [name for name in columns if name in types_of(noun) and name != "dataset_id"]
    statement = (
        sa.select(table.c.dataset_id, identifier, *(table.c[name] for name in names))
        .where(table.c.dataset_id.in_(list(datasets)))
        .distinct()
    )
    with database.reading() as connection:
        rows = connection.execute(statement).all()
    shown = ["dataset_id", "id", *names]
    return frame_of(noun, from_rows(noun, shown, rows), shown)


def first_places(database: Database, noun: str, datasets: Sequence[str], link: str) -> pd.DataFrame:
    """The place of the first row that holds and names each value of a column.

    ``dataset_id, link, place``. A row taken back speaks no more.
    """
    table = RECORDS[noun]
    first = (
        sa.select(sa.func.min(table.c.n))
        .where(
            table.c.dataset_id.in_(list(datasets)),
            table.c.until.is_(None),
            table.c[link].is_not(None),
            table.c.latitude.is_not(None),
            table.c.longitude.is_not(None),
        )
        .group_by(table.c.dataset_id, table.c[link])
    )
    shown = ["dataset_id", link, "latitude", "longitude", "coordinate_uncertainty_m"]
    statement = (
        sa.select(*(table.c[name] for name in shown))
        .where(table.c.n.in_(first))
        .order_by(table.c.n)
    )
    with database.reading() as connection:
        rows = connection.execute(statement).all()
    return frame_of(noun, from_rows(noun, shown, rows), shown)
