"""POST, PATCH, PUT and DELETE on entities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ecotone.model.odata import Query
from ecotone.model.sensorthings import Refused, absent, malformed
from ecotone.model.words import say
from ecotone.serve.sta import options, patch, paths
from ecotone.serve.sta.reads import Place, locate
from ecotone.serve.sta.render import Renderer, dumped
from ecotone.share.sensorthings import Editor, remove, remove_found

#: What carries a change out, and makes of its result what is answered.
Work = Callable[[Editor], Any]


@dataclass(frozen=True)
class Change:
    """What to do, and in a word what it is."""

    what: str
    work: Work


def body_of(raw: bytes) -> Any:
    """The JSON of a request."""
    if b"\\u0000" in raw:
        # No text of a field has it, and not every database can keep it.
        raise malformed("sta.body-unreadable")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise malformed("sta.body-unreadable") from error


def post(path: str, raw: bytes, dataset: str | None = None) -> Change:
    """Make an entity, of a dataset of the writer's if one is named; its kind and number."""
    address = paths.read(path)
    said = body_of(raw)
    if address.rest or address.raw or not address.last.many:
        raise _not_so()

    def work(editor: Editor) -> Any:
        place = locate(editor.reader, address)
        if address.ref:
            return _link(editor, place, said)
        if place.parent is not None:
            before = address.steps[-2].entity
            editor.own(before, place.parent.id)
        return place.entity, editor.create(place.entity, said, place.parent, editor.mine(dataset))

    return Change("create", work)


def _link(editor: Editor, place: Place, said: Any) -> Any:
    """``POST .../$ref`` links what is there already."""
    number = said.get("@iot.id") if isinstance(said, dict) else None
    if place.parent is None or not isinstance(number, int):
        raise malformed("sta.body-unreadable")
    editor.link(place.parent, number)
    return place.entity, number


def change(path: str, raw: bytes, kind: str, *, whole: bool) -> Change:
    """PATCH or PUT; the result is the entity's kind and number."""
    address = _entity(path)
    said = body_of(raw)
    operations = "json-patch" in kind or isinstance(said, list)

    def work(editor: Editor) -> Any:
        place = locate(editor.reader, address)
        assert place.key is not None
        editor.own(place.entity, place.key)
        told = said
        if operations and not whole:
            told = _patched(editor, place, said)
        editor.update(place.entity, place.key, told, whole=whole)
        return place.entity, place.key

    return Change("replace" if whole else "change", work)


def _patched(editor: Editor, place: Place, operations: Any) -> dict[str, Any]:
    assert place.key is not None
    names = tuple(p.name for p in place.entity.properties.values() if not p.made)
    query = Query(select=names)
    found = editor.reader.one(place.entity, place.key, query)
    if not found.rows:
        raise absent()
    told = orjson.loads(dumped(Renderer("").entities(found, query)[0]))
    before = {k: v for k, v in told.items() if "@iot." not in k}
    return patch.changes(before, patch.applied(before, operations))


def delete(path: str, given: Sequence[tuple[str, str]] = ()) -> Change:
    """DELETE of one entity, or of all that a listing with a filter would give."""
    address = paths.read(path)
    if address.last.many and not (address.rest or address.raw or address.ref):
        return _delete_found(address, given)
    address = _entity(path)

    def work(editor: Editor) -> Any:
        place = locate(editor.reader, address)
        assert place.key is not None
        remove(editor, place.entity, place.key)
        return place.entity, place.key

    return Change("remove", work)


def _delete_found(address: paths.Address, given: Sequence[tuple[str, str]]) -> Change:
    query = options.read(address.last.entity, given)
    if query.filter is None or replace(query, filter=None) != Query():
        # Never all there is by a slip of the hand.
        raise malformed("sta.delete-needs-filter")

    def work(editor: Editor) -> Any:
        place = locate(editor.reader, address)
        return None, remove_found(editor, place.entity, query, place.parent)

    return Change("remove", work)


def _entity(path: str) -> paths.Address:
    address = paths.read(path)
    if address.rest or address.raw or address.ref or address.last.many:
        raise _not_so()
    return address


def _not_so() -> Refused:
    return Refused(405, say("sta.not-so"))
