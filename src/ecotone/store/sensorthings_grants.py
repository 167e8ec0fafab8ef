"""What the door has to know of sensors to decide on them, and where it keeps what it decided."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa

from ecotone.store.schema import DOCUMENT, STA
from ecotone.store.sensorthings_archive import value
from ecotone.store.sensorthings_shapes import read

#: Before every instant: nothing of a datastream is given.
NOTHING: Final = -(2**62)
_BOUNDS: Final = ("west", "south", "east", "north")


def documents_seq(connection: sa.Connection) -> int:
    """The newest line of the ledger that said something of parties, datasets or agreements."""
    return int(connection.execute(sa.select(sa.func.max(DOCUMENT.c.since))).scalar() or 0)


def revision(connection: sa.Connection) -> int:
    """Grows with every change of an entity."""
    return value(connection, "revision")


def frame(connection: sa.Connection, name: str, *columns: str) -> pd.DataFrame:
    """Columns of an entity's or a pair's table."""
    table = STA.entities.get(name)
    table = STA.pairs[name] if table is None else table
    rows = connection.execute(sa.select(*(table.c[c] for c in columns))).all()
    return pd.DataFrame(rows, columns=list(columns))


def placed(connection: sa.Connection, name: str, column: str) -> pd.DataFrame:
    """``id`` and bounds of everything in a table that bears a place; NaN where none is known."""
    found = frame(connection, name, "id", "dataset_id", column)
    shapes = read(found[column].tolist()) if len(found) else np.array([], dtype=object)
    bounds = shapely.bounds(shapes) if len(found) else np.empty((0, 4))
    return found[["id", "dataset_id"]].assign(
        **{side: bounds[:, number] for number, side in enumerate(_BOUNDS)}
    )


def keep(connection: sa.Connection, reader: str, grants: pd.DataFrame) -> None:
    """All that a reader may see of others, in place of what it might before."""
    table = STA.grant
    connection.execute(table.delete().where(table.c.reader == reader))
    if not len(grants):
        return
    rows: list[dict[str, Any]] = [
        {
            "reader": reader,
            "entity": entity,
            "id": int(number),
            "coarse": bool(coarse),
            "place": place if isinstance(place, str) else None,
            "before": None if pd.isna(before) else int(before),
        }
        for entity, number, coarse, place, before in grants[
            ["entity", "id", "coarse", "place", "before"]
        ].itertuples(index=False)
    ]
    connection.execute(table.insert(), rows)
