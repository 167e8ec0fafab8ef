"""What the SensorThings service holds, as plain tables: its entities, their links, every result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pandas as pd
import sqlalchemy as sa

from ecotone.store.database import Database
from ecotone.store.schema import STA
from ecotone.store.sensorthings_tables import BOOLEAN, INTEGER, JSON, NUMBER, TEXT

_CHUNK: Final = 50_000
#: Microseconds since 1970 in the database, ISO 8601 in the files.
_INSTANTS: Final = ("time", "until", "result_time", "valid_from", "valid_until")
_RESULTS: Final = {
    NUMBER: "number", INTEGER: "integer", TEXT: "text", BOOLEAN: "boolean", JSON: "json",
}  # fmt: skip


def write_sensors(database: Database, folder: Path) -> dict[str, int]:
    """``{table: rows}`` of what was written to ``folder``, which is made where there is anything.

    Whatever can be made again from the rest (counters, what each reader may see) is left out.
    """
    counts: dict[str, int] = {}
    for table in (*STA.entities.values(), *STA.pairs.values(), STA.observation, STA.history):
        name = table.name.removeprefix("sta_")
        for frame in _frames(database, table):
            folder.mkdir(exist_ok=True)
            first = name not in counts
            frame.to_csv(
                folder / f"{name}.csv", mode="w" if first else "a", header=first, index=False,
                lineterminator="\n", encoding="utf-8",
            )  # fmt: skip
            counts[name] = counts.get(name, 0) + len(frame)
    return counts


def _frames(database: Database, table: sa.Table) -> Iterator[pd.DataFrame]:
    names = list(table.c.keys())
    statement = sa.select(table).order_by(*table.primary_key.columns)
    with database.reading() as connection:
        streamed = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK)
        result = streamed.execute(statement)
        while rows := result.fetchmany(_CHUNK):
            frame = pd.DataFrame([tuple(row) for row in rows], columns=names, dtype=object)
            for name in set(_INSTANTS) & set(names):
                frame[name] = _told(frame[name])
            if table is STA.observation:
                frame["kind"] = frame["kind"].map(_RESULTS)
            yield frame


def _told(column: pd.Series) -> pd.Series:
    moments = pd.to_datetime(column.astype("Int64"), unit="us", utc=True)
    return moments.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
