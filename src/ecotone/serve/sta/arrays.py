"""Observations many at once: arrays of arrays, and Parquet. No row is looked at by Python alone.

One observation posted by itself goes the same way, so that those that arrive together are written
together.
"""

from __future__ import annotations

import asyncio
import io
import itertools
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecotone.model import sensorthings_times as times
from ecotone.model.sensorthings import Refused, malformed
from ecotone.serve.sta.changes import body_of
from ecotone.serve.sta.render import Renderer, dumped
from ecotone.serve.sta.who import Who
from ecotone.share.sensorthings import Kinds, Rows, Sensing, joined, observation

Longs = NDArray[np.int64]

BULK: Final = ("CreateObservations", "BulkObservations")
#: Rows of a Parquet file that are written together.
_BLOCK: Final = 50_000
_FEATURE_ID: Final = "FeatureOfInterest/id"
_NAMES: Final = (
    "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters",
    _FEATURE_ID,
)  # fmt: skip


def single(path: str, raw: bytes) -> Rows | None:
    """One plain observation of a known datastream; None for whatever else is posted."""
    if path != "Observations":
        stream = _STREAM_PATH(path)
        if stream is None:
            return None
    else:
        stream = 0
    said = body_of(raw)
    if not isinstance(said, dict):
        return None
    return observation(said, stream)


def _STREAM_PATH(path: str) -> int | None:
    start, end = "Datastreams(", ")/Observations"
    if path.startswith(start) and path.endswith(end):
        number = path[len(start) : -len(end)]
        if number.isdecimal() and len(number) < 19:
            return int(number)
    return None


async def answer(
    sensing: Sensing, who: Who, renderer: Renderer, name: str, raw: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Add what came; the addresses of all observations, or of a file how many."""
    assert who.party is not None
    if name == "BulkObservations":
        return await _parquet(sensing, who, raw)
    groups = read(raw)
    try:
        future = sensing.add(who.party, who.person, together(groups))
        numbers = await asyncio.wrap_future(future)
    except Refused as refused:
        links = await _what_can_be(sensing, who, renderer, groups)
        if all(link == ERROR for link in links):
            raise refused from None
        return 201, {}, dumped(links)
    base = f"{renderer.root}/Observations("
    return 201, {}, dumped([f"{base}{n})" for n in numbers.tolist()])


#: What stands in place of the address of an observation that could not be added.
ERROR: Final = "error"


async def _what_can_be(
    sensing: Sensing, who: Who, renderer: Renderer, groups: list[Group]
) -> list[str]:
    """Add what of an array can be added; the others are told as ``error`` (18-088 section 13)."""
    assert who.party is not None
    links: list[str] = []
    for group in groups:
        told = [ERROR] * len(group.rows)
        for places in _parts(group):
            part = replace(group, rows=[group.rows[at] for at in places])
            try:
                rows = together([part])
                numbers = await asyncio.wrap_future(sensing.add(who.party, who.person, rows))
            except Refused:
                continue
            for at, number in zip(places, numbers.tolist(), strict=True):
                told[at] = f"{renderer.root}/Observations({number})"
        links += told
    return links


def _parts(group: Group) -> list[list[int]]:
    """Where the rows stand that can be read, those of one feature together.

    Looked at one by one: only an array that was refused comes here.
    """
    at = group.names.index(_FEATURE_ID) if _FEATURE_ID in group.names else None
    parts: dict[Any, list[int]] = {}
    for place, row in enumerate(group.rows):
        with suppress(Refused):
            together([replace(group, rows=[row])])
            parts.setdefault(None if at is None else row[at], []).append(place)
    return list(parts.values())


@dataclass(frozen=True)
class Group:
    """The observations of one datastream: names of components, and rows of their values."""

    stream: int
    names: tuple[str, ...]
    rows: list[Any]


def together(groups: list[Group]) -> Rows:
    """All groups as one set of rows, in their order; those of one form are read at once."""
    parts = []
    for names, some in itertools.groupby(groups, key=lambda g: g.names):
        mine = list(some)
        sizes = [len(g.rows) for g in mine]
        streams = np.repeat(np.array([g.stream for g in mine], dtype=np.int64), sizes)
        rows = list(itertools.chain.from_iterable(g.rows for g in mine))
        try:
            columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
        except (TypeError, ValueError) as error:
            raise malformed("sta.array-form") from error
        parts.append(_rows(streams, columns))
    return joined(parts)


def read(raw: bytes) -> list[Group]:
    """The groups of a CreateObservations."""
    said = body_of(raw)
    groups = said.get("value") if isinstance(said, dict) and "value" in said else said
    if isinstance(groups, dict):
        groups = [groups]
    if not isinstance(groups, list) or not groups:
        raise malformed("sta.array-form")
    return [_group(each) for each in groups]


def _group(said: Any) -> Group:
    stream = said.get("Datastream") if isinstance(said, dict) else None
    number = stream.get("@iot.id") if isinstance(stream, dict) else None
    if isinstance(number, bool) or not isinstance(number, int):
        raise malformed("sta.link-missing", name="Datastream", entity="Observation")
    names, rows = said.get("components"), said.get("dataArray")
    if not isinstance(names, list) or not isinstance(rows, list) or "result" not in names:
        raise malformed("sta.array-form")
    unknown = [n for n in names if n not in _NAMES]
    if unknown or len(set(names)) != len(names):
        raise malformed("sta.property-unknown", name=str(unknown or names)[:60],
                        entity="Observation")  # fmt: skip
    return Group(number, tuple(names), rows)


def _rows(streams: Longs, columns: dict[str, tuple[Any, ...]]) -> Rows:
    n = len(streams)
    time, form = _times(columns.get("phenomenonTime"), n)
    kind, more = _results(columns.get("result", ()))
    rows = Rows(
        stream=streams,
        time=time.begins,
        kind=kind,
        feature=_features(columns.get(_FEATURE_ID), n),
        more=more,
    )
    rows.more.update(form)
    if time.ends is not None:
        rows.more["until"] = time.ends
    if "resultTime" in columns:
        told = [None if t is None else times.read(t) for t in columns["resultTime"]]
        rows.more["result_time"] = [t and t[0] for t in told]
        rows.more["result_form"] = [t and t[1] for t in told]
    if "validTime" in columns:
        spans = [None if t is None else times.read_interval(t) for t in columns["validTime"]]
        rows.more["valid_from"] = [s and s[0] for s in spans]
        rows.more["valid_until"] = [s and s[1] for s in spans]
    for name, column in (("resultQuality", "result_quality"), ("parameters", "parameters")):
        if name in columns:
            rows.more[column] = [
                None if v is None else orjson.dumps(v).decode() for v in columns[name]
            ]
    return rows


class _Times:
    def __init__(self, begins: Any, ends: list[int | None] | None) -> None:
        self.begins = begins
        self.ends = ends


def _times(texts: tuple[Any, ...] | None, n: int) -> tuple[_Times, dict[str, Any]]:
    """Instants at once where all are written alike, as a logger writes them."""
    if not texts:
        return _Times(np.full(n, times.now(), dtype=np.int64), None), {}
    alike = _alike(texts)
    if alike is not None:
        return alike
    told = [times.read_period(t) for t in texts]
    begins = np.array([t[0] for t in told], dtype=np.int64)
    ends = [t[1] for t in told]
    form = {"form": [t[2] for t in told]} if any(t[2] is not None for t in told) else {}
    return _Times(begins, ends if any(e is not None for e in ends) else None), form


def _alike(texts: tuple[Any, ...]) -> tuple[_Times, dict[str, Any]] | None:
    try:
        array = pa.array(texts, type=pa.string())
    except (pa.ArrowException, TypeError):
        return None
    lengths = pc.min_max(pc.utf8_length(array)).as_py()
    if array.null_count or lengths["min"] != lengths["max"] or lengths["min"] not in (20, 24):
        return None
    if not pc.all(pc.ends_with(array, "Z")).as_py():
        return None
    try:
        stamps = pc.cast(array, pa.timestamp("us", tz="UTC")).cast(pa.int64())
    except pa.ArrowException:
        return None
    moments = np.asarray(stamps)
    if lengths["min"] == 20:
        return _Times(moments, None), {}
    # Three digits are as we would write them unless they are noughts.
    noughts = moments % times.SECOND == 0
    if not noughts.any():
        return _Times(moments, None), {}
    form = pa.array(np.where(noughts, times.PLAIN + 3, 0), mask=~noughts, type=pa.int64())
    return _Times(moments, None), {"form": form}


def _results(values: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
    """Numbers at once; other results one by one, each by its kind."""
    types = set(map(type, values))
    if types == {float}:
        return np.full(len(values), Kinds.NUMBER), {"result": np.array(values)}
    if types == {int}:
        numbers = np.array(values, dtype=object)
        if np.all(np.abs(numbers) <= 2**53):
            return np.full(len(values), Kinds.INTEGER), {"result": numbers.astype(np.float64)}
    if types == {int, float}:
        whole = np.fromiter((type(v) is int for v in values), dtype=np.bool_, count=len(values))
        return np.where(whole, Kinds.INTEGER, Kinds.NUMBER), {"result": np.array(values, float)}
    told = [Kinds.result_values(v) for v in values]
    return (
        np.array([t["kind"] for t in told], dtype=np.int64),
        {"result": [t["result"] for t in told], "text": [t["text"] for t in told]},
    )


def _features(values: tuple[Any, ...] | None, n: int) -> Any:
    if values is None:
        return np.zeros(n, dtype=np.int64)
    if any(v is not None and (isinstance(v, bool) or not isinstance(v, int)) for v in values):
        raise malformed("sta.id-no-number", given=_FEATURE_ID)
    return np.array([v or 0 for v in values], dtype=np.int64)


async def _parquet(sensing: Sensing, who: Who, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Columns ``Datastream/id``, ``phenomenonTime`` and ``result``; all of the file or nothing."""
    import pyarrow.parquet as pq

    assert who.party is not None
    try:
        table = pq.read_table(io.BytesIO(raw))
        stream = pc.cast(table["Datastream/id"], pa.int64()).combine_chunks()
        stamps = table["phenomenonTime"]
        if stamps.type == pa.string() or stamps.type == pa.large_string():
            stamps = pc.cast(stamps, pa.timestamp("us", tz="UTC"))
        elif pa.types.is_timestamp(stamps.type) and stamps.type.tz is None:
            raise malformed("sta.time-without-zone", text="phenomenonTime")
        time = pc.cast(pc.cast(stamps, pa.timestamp("us", tz="UTC")), pa.int64()).combine_chunks()
        result = pc.cast(table["result"], pa.float64()).combine_chunks()
    except (pa.ArrowException, KeyError, OSError) as error:
        raise malformed("sta.parquet-form") from error
    if stream.null_count or time.null_count or result.null_count:
        raise malformed("sta.parquet-form")
    n = len(stream)
    rows = Rows(
        stream=np.asarray(stream), time=np.asarray(time), kind=np.full(n, Kinds.NUMBER),
        feature=np.zeros(n, dtype=np.int64), more={"result": result},
    )  # fmt: skip
    numbers = await asyncio.wrap_future(sensing.add(who.party, who.person, rows))
    told = {"created": n, "first": int(numbers[0]) if n else None}
    return 201, {}, dumped(told | {"last": int(numbers[-1]) if n else None})
