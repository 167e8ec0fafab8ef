"""Every name ever attached to a record: a new name never opens what an older one closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import sqlalchemy as sa

from ecotone.store.schema import RECORDS

if TYPE_CHECKING:
    from ecotone.store.database import Database

#: The attribute of a noun that holds the name of what was seen.
NAME_OF: Final = {
    "Observation": "taxon",
    "Occurrence": "taxon",
    "Individual": "taxon",
    "Taxon": "name",
}


def names_ever(database: Database, noun: str, datasets: Sequence[str]) -> pd.DataFrame:
    """``id, name`` of all versions, superseded ones too, of records that have more than one.

    A record of one version has no other name than the one it is read with. A version without a
    name counts as well: its name is None.
    """
    if noun not in NAME_OF:
        return pd.DataFrame({"id": [], "name": []}, dtype="str")
    table = RECORDS[noun]
    name: sa.Column[Any] = table.c[NAME_OF[noun]]
    several = table.alias("several")
    statement = (
        sa.select(table.c.id, name.label("name"))
        .where(
            table.c.id.in_(sa.select(several.c.id).where(several.c.version > 1)),
            table.c.dataset_id.in_(list(datasets)),
        )
        .distinct()
        .order_by(table.c.id, name)
    )
    with database.reading() as connection:
        rows = connection.execute(statement).all()
    return pd.DataFrame(
        {"id": [row[0] for row in rows], "name": [row[1] for row in rows]}, dtype="str"
    )
