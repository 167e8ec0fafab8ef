"""Topics of MQTT as resource paths, each guarded by what its subscriber may see.

A subscriber is told of an entity what a GET would tell it at that moment, or nothing: whether a
path may be watched is decided as it is for reading, and each message again when it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import numpy as np
import orjson

from ecotone.model.odata import Query
from ecotone.model.sensorthings import Refused, absent
from ecotone.serve.sta import options, paths
from ecotone.serve.sta.reads import inner, locate
from ecotone.serve.sta.render import Renderer, dumped
from ecotone.share.sensorthings import Done, Parent, Reader

PREFIX = "v1.1/"
#: Of one array, more than so many are not told one by one.
MOST = 5_000


@dataclass(frozen=True)
class Watch:
    """A topic somebody subscribed to, and what it means."""

    topic: str
    address: paths.Address
    query: Query


def watch(reader: Reader, topic: str) -> Watch:
    """A subscription; Refused where the path leads nowhere for this reader."""
    path, _, query = topic.removeprefix(PREFIX).partition("?")
    if not topic.startswith(PREFIX) or "+" in path or "#" in path:
        raise absent()
    address = paths.read(path)
    asked = options.read(address.last.entity, parse_qsl(query))
    plain = replace(asked, select=(), filter=None, expand=())
    if address.raw or address.ref or plain != Query():
        raise absent()
    place = locate(reader, address)
    if place.key is not None and reader.exists(place.entity, place.key) is None:
        raise absent()
    return Watch(topic, address, asked)


def messages(
    reader: Reader, renderer: Renderer, watched: Sequence[Watch], done: Done
) -> list[tuple[str, bytes]]:
    """What a commit means to one reader's subscriptions: topics and payloads."""
    found: list[tuple[str, bytes]] = []
    for each in watched:
        try:
            found += _of_watch(reader, renderer, each, done)
        except Refused:
            # It was there when it was subscribed to, and is no more.
            continue
    return found


def _of_watch(
    reader: Reader, renderer: Renderer, watched: Watch, done: Done
) -> list[tuple[str, bytes]]:
    entity = watched.address.last.entity
    ids = [number for name, number in done.entities if name == entity.name]
    place = None
    if entity.name == "Observation" and done.observations:
        place = locate(reader, watched.address)
        ids += _observed(done, place.parent)
    if not ids:
        return []
    place = place or locate(reader, watched.address)
    if place.key is not None:
        ids = [place.key] if place.key in ids else []
    rest = watched.address.rest
    query = Query(select=rest[:1]) if rest else watched.query
    rows = reader.some(entity, sorted(set(ids))[-MOST:], query, place.parent)
    made = renderer.entities(rows, query)
    if len(rest) > 1:
        made = [_inside(each, rest) for each in made]
    return [(watched.topic, dumped(each)) for each in made]


def _observed(done: Done, parent: Parent | None) -> list[int]:
    """The numbers of new observations that can belong to a listing."""
    found: list[int] = []
    for numbers, rows in done.observations:
        mine = np.ones(len(numbers), dtype=np.bool_)
        if parent is not None and parent.link.column == "datastream_id":
            mine = rows.stream == parent.id
        found += numbers[mine].tolist()
    return found


def _inside(told: dict[str, object], rest: tuple[str, ...]) -> dict[str, object]:
    value: object = orjson.loads(dumped(told)).get(rest[0])
    for key in rest[1:]:
        value = inner(value, key)
    return {rest[-1]: value}
