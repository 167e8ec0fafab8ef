"""Observations, many at once: their rows, their numbers, and what is kept per datastream."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from ecotone.model.sensorthings import ENTITIES, malformed
from ecotone.store import bulk
from ecotone.store.schema import STA
from ecotone.store.sensorthings_archive import take
from ecotone.store.sensorthings_body import GEOJSON, dumped, read, reference

Longs = NDArray[np.int64]
_NONE: Final = np.iinfo(np.int64).min
#: So many rows at most are written as lists: to make arrays of them costs more than it saves.
FEW: Final = 32

#: Arrow types of the columns, all but those every row has.
_TYPES: Final[dict[str, pa.DataType]] = {
    "until": pa.int64(),
    "result": pa.float64(),
    "text": pa.large_string(),
    "result_time": pa.int64(),
    "valid_from": pa.int64(),
    "valid_until": pa.int64(),
    "result_quality": pa.large_string(),
    "parameters": pa.large_string(),
    "form": pa.int64(),
    "result_form": pa.int64(),
}


@dataclass
class Rows:
    """Observations to be added: arrays of one length, ``more`` for columns not always filled.

    ``feature`` is 0 where it is to be made of the thing's location.
    """

    stream: Longs
    time: Longs
    kind: Longs
    feature: Longs
    more: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.stream)


@dataclass(frozen=True)
class Stream:
    """What must be known of a datastream to add to it; ``feature`` is 0 until it is needed."""

    id: int
    dataset_id: str
    thing_id: int


def joined(parts: Sequence[Rows]) -> Rows:
    """Several sets of rows as one, in order."""
    if len(parts) == 1:
        return parts[0]
    names = sorted({name for part in parts for name in part.more})
    always = [np.concatenate([getattr(p, n) for p in parts]) for n in _ALWAYS]
    if sum(map(len, parts)) <= FEW:
        few = {n: list(itertools.chain(*(_listed(p, n) for p in parts))) for n in names}
        return Rows(*always, more=few)
    return Rows(
        *always,
        more={
            name: pa.concat_arrays(
                [
                    as_array(name, part.more[name])
                    if name in part.more
                    else pa.nulls(len(part), _TYPES[name])
                    for part in parts
                ]
            )
            for name in names
        },
    )


_ALWAYS: Final = ("stream", "time", "kind", "feature")


def _listed(rows: Rows, name: str) -> list[Any]:
    values = rows.more.get(name)
    if values is None:
        return [None] * len(rows)
    found: list[Any] = values if isinstance(values, list) else values.tolist()
    return found


def distinct(numbers: Longs) -> list[int]:
    """The different ones, in order."""
    if len(numbers) <= FEW:
        return sorted(set(numbers.tolist()))
    found: list[int] = np.unique(numbers).tolist()
    return found


def of_values(values: dict[str, Any], stream: int, feature: int | None) -> Rows:
    """One observation from the values of its columns."""
    more = {n: [v] for n, v in values.items() if n in _TYPES and v is not None}
    one = [stream], [values["time"]], [values["kind"]], [feature or 0]
    return Rows(*(np.array(each, dtype=np.int64) for each in one), more=more)


def plain(said: dict[str, Any], stream: int) -> Rows | None:
    """An observation that names its datastream, and names or leaves out its feature.

    None where it describes either: then it is a deep insert. ``stream`` is given by the path.
    """
    body = read(ENTITIES["Observation"], said, whole=True)
    feature = None
    for name, given in body.links.items():
        number = reference(given[0])
        if number is None:
            return None
        if name == "Datastream":
            stream = stream or number
        else:
            feature = number
    if not stream:
        raise malformed("sta.link-missing", name="Datastream", entity="Observation")
    return of_values(body.values, stream, feature)


def as_array(name: str, values: Any) -> pa.Array:
    """A column as Arrow."""
    if isinstance(values, pa.Array) and values.type == _TYPES[name]:
        return values
    return pa.array(values, type=_TYPES[name])


def add(connection: sa.Connection, rows: Rows, known: set[tuple[int, int]]) -> dict[str, Any]:
    """Write them and keep the books; returns their columns, their numbers as ``id``, in order.

    Every row's datastream is there and its feature known. ``known`` are pairs of both that are
    already noted; new ones are added to it.
    """
    first = take(connection, "Observation", len(rows))
    numbers = np.arange(first, first + len(rows), dtype=np.int64)
    columns: dict[str, Any] = {
        "id": numbers,
        "datastream_id": rows.stream,
        "time": rows.time,
        "kind": rows.kind,
        "feature_id": rows.feature,
    }
    if len(rows) <= FEW:
        listed = {name: values.tolist() for name, values in columns.items()}
        listed |= {name: _listed(rows, name) for name in rows.more}
        _insert_few(connection, listed)
    else:
        arrays = {name: as_array(name, values) for name, values in rows.more.items()}
        filled = {name: a for name, a in arrays.items() if a.null_count < len(a)}
        columns |= filled
        bulk.insert(connection, STA.observation, pa.table(columns))
        _count(connection, rows, filled)
    _pair(connection, rows, known)
    return columns


def _insert_few(connection: sa.Connection, listed: dict[str, list[Any]]) -> None:
    """The rows, and the books of their datastreams, by the driver's own cursor."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    cursor = connection.connection.cursor()
    marks = ", ".join([mark] * len(listed))
    statement = f"INSERT INTO sta_observation ({', '.join(listed)}) VALUES ({marks})"
    rows = list(zip(*listed.values(), strict=True))
    kept: dict[int, list[Any]] = {}
    ends, results = (listed.get(n) or itertools.repeat(None) for n in ("until", "result_time"))
    for stream, begin, end, result in zip(
        listed["datastream_id"], listed["time"], ends, results, strict=False
    ):
        said = kept.setdefault(stream, [stream, 0, begin, begin, None, None])
        last = begin if end is None else end
        said[1:4] = said[1] + 1, min(said[2], begin), max(said[3], last)
        if result is not None:
            said[4] = result if said[4] is None else min(said[4], result)
            said[5] = result if said[5] is None else max(said[5], result)
    books = [tuple(said) for said in kept.values()]
    for sql, values in ((statement, rows), (_UPSERT[connection.dialect.name], books)):
        if len(values) == 1:
            cursor.execute(sql, values[0])
        else:
            cursor.executemany(sql, values)


def _count(connection: sa.Connection, rows: Rows, more: dict[str, pa.Array]) -> None:
    """How many, from when to when, of each datastream they belong to."""
    streams, group, n = np.unique(rows.stream, return_inverse=True, return_counts=True)
    until = _filled(more.get("until"), rows.time)
    low, high = _ends(group, len(streams), rows.time, until)
    result = more.get("result_time")
    if result is None:
        listed: list[tuple[Any, ...]] = [
            (*each, None, None)
            for each in zip(*(a.tolist() for a in (streams, n, low, high)), strict=True)
        ]
    else:
        there = np.asarray(result.is_valid())
        moments = np.asarray(result.fill_null(0))
        first, last = _ends(group[there], len(streams), moments[there], moments[there])
        some = np.bincount(group[there], minlength=len(streams)) > 0
        listed = [
            (*each, a, b) if yes else (*each, None, None)
            for *each, a, b, yes in zip(
                *(x.tolist() for x in (streams, n, low, high, first, last, some)), strict=True
            )
        ]
    cursor = connection.connection.cursor()
    cursor.executemany(_UPSERT[connection.dialect.name], listed)


def _ends(group: Longs, groups: int, begins: Longs, ends: Longs) -> tuple[Longs, Longs]:
    low = np.full(groups, np.iinfo(np.int64).max)
    high = np.full(groups, _NONE)
    np.minimum.at(low, group, begins)
    np.maximum.at(high, group, ends)
    return low, high


def _filled(values: pa.Array | None, otherwise: Longs) -> Longs:
    if values is None:
        return otherwise
    found: Longs = np.asarray(values.fill_null(_NONE))
    return np.where(found == _NONE, otherwise, found)


def _upsert(mark: str, least: str, most: str) -> str:
    marks = ", ".join([mark] * 6)
    return (
        "INSERT INTO sta_stream (datastream_id, n, first, last, result_first, result_last)"
        f" VALUES ({marks}) ON CONFLICT (datastream_id) DO UPDATE SET"
        " n = sta_stream.n + excluded.n,"
        f" first = {least}(coalesce(sta_stream.first, excluded.first), excluded.first),"
        f" last = {most}(coalesce(sta_stream.last, excluded.last), excluded.last),"
        f" result_first = {least}(coalesce(sta_stream.result_first, excluded.result_first),"
        " coalesce(excluded.result_first, sta_stream.result_first)),"
        f" result_last = {most}(coalesce(sta_stream.result_last, excluded.result_last),"
        " coalesce(excluded.result_last, sta_stream.result_last))"
    )


_UPSERT: Final = {
    "sqlite": _upsert("?", "min", "max"),
    "postgresql": _upsert("%s", "least", "greatest"),
}


def _pair(connection: sa.Connection, rows: Rows, known: set[tuple[int, int]]) -> None:
    """Note which features each datastream observed; its area grows with a new one."""
    if len(rows) <= FEW:
        both = set(zip(rows.stream.tolist(), rows.feature.tolist(), strict=True))
    else:
        pairs = np.unique(np.column_stack([rows.stream, rows.feature]), axis=0)
        both = {(s, f) for s, f in pairs.tolist()}
    fresh = both - known
    pair = STA.pairs["sta_stream_feature"]
    grown = set()
    for stream, feature in sorted(fresh):
        mine = (pair.c.datastream_id == stream) & (pair.c.feature_id == feature)
        if connection.execute(sa.select(pair.c.feature_id).where(mine)).first() is None:
            connection.execute(pair.insert().values(datastream_id=stream, feature_id=feature))
            grown.add(stream)
    known |= fresh
    for stream in sorted(grown):
        set_area(connection, stream)
    if grown:
        take(connection, "revision")


def set_area(connection: sa.Connection, stream: int) -> None:
    """The hull of the features a datastream observed."""
    pair, feature = STA.pairs["sta_stream_feature"], STA.entities["sta_feature"]
    rows = connection.execute(
        sa.select(feature.c.feature)
        .join(pair, pair.c.feature_id == feature.c.id)
        .where(pair.c.datastream_id == stream, feature.c.encoding_type.in_(GEOJSON))
    )
    shapes = shapely.from_geojson([row[0] for row in rows], on_invalid="ignore")
    shapes = shapes[~shapely.is_missing(shapes)] if len(shapes) else shapes
    hull = None
    if len(shapes):
        hull = shapely.to_geojson(shapely.convex_hull(shapely.geometrycollections(shapes)))
    table = STA.entities["sta_datastream"]
    connection.execute(table.update().where(table.c.id == stream).values(observed_area=hull))


def feature_of(connection: sa.Connection, stream: Stream, made: list[tuple[str, int]]) -> int:
    """The feature of interest made of the thing's location: made once, then used again.

    Noted in ``made`` when it is new. Raises Refused where the thing is nowhere.
    """
    pair, place = STA.pairs["sta_thing_location"], STA.entities["sta_location"]
    rows = connection.execute(
        sa.select(place)
        .join(pair, pair.c.location_id == place.c.id)
        .where(pair.c.thing_id == stream.thing_id)
        .order_by(place.c.id)
    ).all()
    if not rows:
        raise malformed("sta.no-location")
    row = next((r for r in rows if r.encoding_type in GEOJSON), rows[0])
    if row.feature_id is not None:
        return int(row.feature_id)
    number = take(connection, "FeatureOfInterest")
    connection.execute(
        STA.entities["sta_feature"]
        .insert()
        .values(
            id=number,
            dataset_id=row.dataset_id,
            name=row.name,
            description=row.description,
            encoding_type=row.encoding_type,
            feature=row.location,
            properties=dumped({"madeOfLocation": row.id}),
        )
    )
    connection.execute(place.update().where(place.c.id == row.id).values(feature_id=number))
    made.append(("FeatureOfInterest", number))
    return number


def settle(connection: sa.Connection, stream: int) -> None:
    """The books of a datastream, its features and its area, after rows of it went or changed."""
    recount(connection, stream)
    pair, o = STA.pairs["sta_stream_feature"], STA.observation.c
    mine = pair.c.datastream_id == stream
    left = sa.select(o.id).where(o.datastream_id == stream, o.feature_id == pair.c.feature_id)
    gone = connection.execute(pair.delete().where(mine, ~left.exists())).rowcount
    if gone:
        set_area(connection, stream)


def recount(connection: sa.Connection, stream: int) -> None:
    """Count a datastream anew after rows of it were changed or removed."""
    o, kept = STA.observation.c, STA.stream
    end = sa.func.coalesce(o.until, o.time)
    n, *ends = connection.execute(
        sa.select(
            sa.func.count(),
            sa.func.min(o.time),
            sa.func.max(end),
            sa.func.min(o.result_time),
            sa.func.max(o.result_time),
        ).where(o.datastream_id == stream)
    ).one()
    names = ("first", "last", "result_first", "result_last")
    connection.execute(kept.delete().where(kept.c.datastream_id == stream))
    if n:
        said = dict(zip(names, ends, strict=True))
        connection.execute(kept.insert().values(datastream_id=stream, n=n, **said))
