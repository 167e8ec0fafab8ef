"""Removing entities with what cannot be without them (18-088 table 25); all of it is kept.

Nothing is lost: every row goes to the history under the line of the ledger that removed it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model.odata import Query
from ecotone.model.sensorthings import ENTITIES, Entity
from ecotone.store import sensorthings_observe as observe
from ecotone.store.schema import STA
from ecotone.store.sensorthings_archive import keep
from ecotone.store.sensorthings_filter import among
from ecotone.store.sensorthings_read import Parent
from ecotone.store.sensorthings_scope import table_of
from ecotone.store.sensorthings_write import Editor

#: Of what is removed by a filter, so much at a time.
_AT_ONCE: Final = 50_000


def remove(editor: Editor, entity: Entity, number: int) -> None:
    """One entity and what hangs on it."""
    editor.own(entity, number)
    _REMOVERS[entity.name](editor, number)
    editor.made.append((entity.name, number))


def remove_found(editor: Editor, entity: Entity, query: Query, parent: Parent | None) -> int:
    """All that a listing would give, however many; how many. Refused where some is another's."""
    removed = 0
    query = replace(query, select=("id",), top=_AT_ONCE, skip=0, count=False, order=(), expand=())
    while True:
        numbers = [int(i) for i in editor.reader.page(entity, query, parent).column("id")]
        if not numbers:
            return removed
        if entity.name == "Observation":
            _observations(editor, numbers)
        for number in numbers if entity.name != "Observation" else ():
            # One may have gone with another that was removed before it.
            if editor.reader.exists(entity, number) is not None:
                remove(editor, entity, number)
        removed += len(numbers)


def _observations(editor: Editor, numbers: list[int]) -> None:
    o = STA.observation.c
    mine = among(o.id, numbers, editor.reader.postgres)
    streams = _numbers(editor, sa.select(o.datastream_id).where(mine).distinct())
    for stream in streams:
        editor.own(ENTITIES["Datastream"], stream)
    remove_rows(editor, "Observation", mine)
    for stream in streams:
        observe.settle(editor.connection, stream)
    editor.made += [("Observation", number) for number in numbers]


def remove_rows(editor: Editor, name: str, condition: Any) -> None:
    """Rows of one table, into the history."""
    table = table_of(ENTITIES[name])
    keep(editor.connection, name, table, condition, editor.seq, gone=True)
    editor.connection.execute(table.delete().where(condition))


def _numbers(editor: Editor, statement: Any) -> list[int]:
    return [int(row[0]) for row in editor.connection.execute(statement)]


def _unpair(editor: Editor, pair: str, column: str, number: int) -> None:
    table = STA.pairs[pair]
    editor.connection.execute(table.delete().where(table.c[column] == number))


def _thing(editor: Editor, number: int) -> None:
    table = STA.entities["sta_datastream"]
    for stream in _numbers(editor, sa.select(table.c.id).where(table.c.thing_id == number)):
        _datastream(editor, stream)
    history = STA.entities["sta_historical_location"]
    for entry in _numbers(editor, sa.select(history.c.id).where(history.c.thing_id == number)):
        _historical_location(editor, entry)
    _unpair(editor, "sta_thing_location", "thing_id", number)
    remove_rows(editor, "Thing", STA.entities["sta_thing"].c.id == number)


def _location(editor: Editor, number: int) -> None:
    pair = STA.pairs["sta_historical_place"]
    held = _numbers(
        editor, sa.select(pair.c.historical_location_id).where(pair.c.location_id == number)
    )
    _unpair(editor, "sta_historical_place", "location_id", number)
    for entry in held:
        left = sa.select(pair.c.location_id).where(pair.c.historical_location_id == entry)
        if editor.connection.execute(left).first() is None:
            _historical_location(editor, entry)
    _unpair(editor, "sta_thing_location", "location_id", number)
    remove_rows(editor, "Location", STA.entities["sta_location"].c.id == number)


def _historical_location(editor: Editor, number: int) -> None:
    _unpair(editor, "sta_historical_place", "historical_location_id", number)
    table = STA.entities["sta_historical_location"]
    remove_rows(editor, "HistoricalLocation", table.c.id == number)


def _datastream(editor: Editor, number: int) -> None:
    remove_rows(editor, "Observation", STA.observation.c.datastream_id == number)
    _unpair(editor, "sta_stream_feature", "datastream_id", number)
    kept = STA.stream
    editor.connection.execute(kept.delete().where(kept.c.datastream_id == number))
    remove_rows(editor, "Datastream", STA.entities["sta_datastream"].c.id == number)


def _with_streams(name: str, column: str) -> Any:
    def removed(editor: Editor, number: int) -> None:
        table = STA.entities["sta_datastream"]
        for stream in _numbers(editor, sa.select(table.c.id).where(table.c[column] == number)):
            _datastream(editor, stream)
        remove_rows(editor, name, table_of(ENTITIES[name]).c.id == number)

    return removed


def _feature(editor: Editor, number: int) -> None:
    pair, o = STA.pairs["sta_stream_feature"], STA.observation.c
    streams = _numbers(editor, sa.select(pair.c.datastream_id).where(pair.c.feature_id == number))
    mine = o.datastream_id.in_(streams) & (o.feature_id == number)
    remove_rows(editor, "Observation", mine)
    _unpair(editor, "sta_stream_feature", "feature_id", number)
    for stream in streams:
        observe.recount(editor.connection, stream)
        observe.set_area(editor.connection, stream)
    place = STA.entities["sta_location"]
    editor.connection.execute(
        place.update().where(place.c.feature_id == number).values(feature_id=None)
    )
    remove_rows(editor, "FeatureOfInterest", STA.entities["sta_feature"].c.id == number)


def _observation(editor: Editor, number: int) -> None:
    o = STA.observation.c
    stream = editor.connection.execute(sa.select(o.datastream_id).where(o.id == number)).scalar()
    remove_rows(editor, "Observation", o.id == number)
    if stream is not None:
        observe.settle(editor.connection, int(stream))


def _unlinked(name: str, column: str, *tables: str) -> Any:
    def removed(editor: Editor, number: int) -> None:
        for each in tables:
            table = STA.entities[each]
            editor.connection.execute(
                table.update().where(table.c[column] == number).values(**{column: None})
            )
        remove_rows(editor, name, table_of(ENTITIES[name]).c.id == number)

    return removed


_REMOVERS = {
    "Thing": _thing,
    "Location": _location,
    "HistoricalLocation": _historical_location,
    "Datastream": _datastream,
    "Sensor": _with_streams("Sensor", "sensor_id"),
    "ObservedProperty": _with_streams("ObservedProperty", "observed_property_id"),
    "FeatureOfInterest": _feature,
    "Observation": _observation,
    "Party": _unlinked("Party", "party_id", "sta_thing", "sta_datastream"),
    "License": _unlinked("License", "license_id", "sta_datastream"),
}
