"""What a GET is answered with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ecotone.model.odata import Expand, Query
from ecotone.model.sensorthings import Entity, absent, malformed
from ecotone.serve.sta import options, paths
from ecotone.serve.sta.render import OPTIONAL, Renderer, data_array, dumped
from ecotone.share.sensorthings import Found, Parent, Reader

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """The body of an answer and what it is."""

    body: bytes
    kind: str = JSON
    status: int = 200


@dataclass(frozen=True)
class Place:
    """Where a path led: a listing, or one entity by its number."""

    entity: Entity
    key: int | None
    parent: Parent | None


def locate(reader: Reader, address: paths.Address) -> Place:
    """Follow a path step by step; Refused with 404 where a step leads to nothing seen."""
    key: int | None = None
    own = False
    parent: Parent | None = None
    entity = address.steps[0].entity
    for number, step in enumerate(address.steps):
        if step.link is not None:
            if key is None:
                raise absent()
            if step.link.many:
                parent = Parent(step.link, key, own)
            else:
                followed = reader.follow(entity, key, step.link)
                if followed is None:
                    raise absent()
                parent, key = None, followed
        entity = step.entity
        last = number == len(address.steps) - 1
        if step.many:
            return Place(entity, None, parent)
        wanted = step.key if step.key is not None else key
        assert wanted is not None
        if not last or address.rest or parent is not None or step.link is not None:
            seen = reader.exists(entity, wanted, parent)
            if seen is None:
                raise absent()
            own = seen
        key = wanted
    return Place(entity, key, None)


def get(reader: Reader, renderer: Renderer, path: str, given: Sequence[tuple[str, str]]) -> Answer:
    """The answer to a GET."""
    address = paths.read(path)
    entity = address.last.entity
    query = options.read(entity, given)
    place = locate(reader, address)
    if address.rest:
        return _property(reader, renderer, address, place)
    if place.key is not None:
        return _one(reader, renderer, address, place, query)
    if address.ref:
        query = replace(query, select=("id",), expand=())
    if query.form == "dataArray":
        return _arrays(reader, renderer, place, query, path, given)
    found = reader.page(entity, query, place.parent)
    if address.ref:
        document: dict[str, Any] = {"value": renderer.references(found)}
        if found.count is not None:
            document["@iot.count"] = found.count
        if found.after is not None:
            document["@iot.nextLink"] = renderer.next_link(path, given, found.after)
        return Answer(dumped(document))
    return Answer(dumped(renderer.listing(found, query, path, given)))


def _one(
    reader: Reader, renderer: Renderer, address: paths.Address, place: Place, query: Query
) -> Answer:
    assert place.key is not None
    found = reader.one(place.entity, place.key, query)
    if not found.rows:
        raise absent()
    if address.ref:
        return Answer(dumped(renderer.references(found)[0]))
    return Answer(dumped(renderer.entities(found, query)[0]))


def _property(reader: Reader, renderer: Renderer, address: paths.Address, place: Place) -> Answer:
    """One property, or what stands under a key in it; ``$value`` is the bare value."""
    assert place.key is not None
    name, *inside = address.rest
    found = reader.one(place.entity, place.key, Query(select=(name,)))
    if not found.rows:
        raise absent()
    told = orjson.loads(dumped(renderer.entities(found, Query(select=(name,)))[0]))
    value = told.get(name)
    for key in inside:
        value = inner(value, key)
        name = key
        if value is None:
            raise absent()
    if value is None and address.rest[0] in OPTIONAL:
        return Answer(b"", "text/plain; charset=utf-8", 204)
    if not address.raw:
        return Answer(dumped({name: value}))
    if value is None:
        # What every entity tells, it tells to be nothing.
        value = "null"
    if isinstance(value, dict | list):
        return Answer(dumped(value))
    if isinstance(value, bool):
        value = "true" if value else "false"
    return Answer(str(value).encode(), "text/plain; charset=utf-8")


def inner(value: Any, key: str) -> Any:
    """What stands under a key in JSON, ``names[2]`` the third of an array; None for nothing."""
    name, *places = key.replace("]", "").split("[")
    value = value.get(name) if isinstance(value, dict) else None
    for place in places:
        there = isinstance(value, list) and place.isdecimal() and int(place) < len(value)
        value = value[int(place)] if there else None
    return value


def _arrays(
    reader: Reader,
    renderer: Renderer,
    place: Place,
    query: Query,
    path: str,
    given: Sequence[tuple[str, str]],
) -> Answer:
    if place.entity.name != "Observation":
        raise malformed("sta.option-value", name="$resultFormat", value="dataArray")
    asked = replace(query, select=(), expand=(Expand("Datastream", Query(select=("id",))),))
    found = reader.page(place.entity, asked, place.parent)
    plain = Found(found.entity, found.keys, found.rows)
    document: dict[str, Any] = {}
    if found.count is not None:
        document["@iot.count"] = found.count
    if found.after is not None:
        document["@iot.nextLink"] = renderer.next_link(path, given, found.after)
    document["value"] = data_array(renderer, plain, query)
    return Answer(dumped(document))
