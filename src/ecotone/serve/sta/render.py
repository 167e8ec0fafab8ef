"""Entities as JSON: control information, properties, links, and what was expanded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson

from ecotone.model import sensorthings_times as times
from ecotone.model.odata import Query
from ecotone.model.sensorthings import Entity, Property, column_of
from ecotone.serve.sta.options import token
from ecotone.share.sensorthings import Children, Found, Kinds

Json = dict[str, Any]


def dumped(document: Any) -> bytes:
    """JSON text."""
    return orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)


class Renderer:
    """Writes entities with the addresses of one server."""

    def __init__(self, root: str, kept: Sequence[tuple[str, str]] = ()) -> None:
        self.root = root
        #: Options that every link to more of an answer repeats.
        self.kept = list(kept)
        self._objects: dict[int, list[Json]] = {}

    def link_to(self, entity: Entity, key: int) -> str:
        """The address of an entity."""
        return f"{self.root}/{entity.path}({key})"

    def entities(self, found: Found, query: Query) -> list[Json]:
        """Every row as an object."""
        return [self._one(found, row, query, parts) for parts in [self._parts(found, query)]
                for row in found.rows]  # fmt: skip

    def listing(
        self, found: Found, query: Query, path: str, given: Sequence[tuple[str, str]]
    ) -> Json:
        """A page with its count and the link to the next."""
        answer: Json = {}
        if found.count is not None:
            answer["@iot.count"] = found.count
        if found.after is not None:
            answer["@iot.nextLink"] = self.next_link(path, given, found.after)
        answer["value"] = self.entities(found, query)
        return answer

    def next_link(self, path: str, given: Sequence[tuple[str, str]], after: Sequence[Any]) -> str:
        """The same request, continued behind the last row."""
        kept = [(n, v) for n, v in given if n.lower() not in ("$skip", "$skiptoken")]
        told = [*kept, *self.kept, ("$skiptoken", token(after))]
        return f"{self.root}/{path}?" + "&".join(
            f"{quote(n, safe='$')}={quote(v, safe=_SAFE)}" for n, v in told
        )

    def references(self, found: Found) -> list[Json]:
        """Self links alone."""
        return [{"@iot.selfLink": self.link_to(found.entity, i)} for i in found.column("id")]

    def _parts(self, found: Found, query: Query) -> list[tuple[str, Callable[[Any], Any]]]:
        """How each key of an object is made of a row."""
        entity = found.entity
        at = {name: number for number, name in enumerate(found.keys)}
        chosen = set(query.select)
        parts: list[tuple[str, Callable[[Any], Any]]] = []
        if not chosen or chosen & {"id", "@iot.id"}:
            parts.append(("@iot.id", lambda row: row[0]))
        if not chosen or chosen & {"@iot.selfLink", "selfLink"}:
            base = f"{self.root}/{entity.path}("
            parts.append(("@iot.selfLink", lambda row: f"{base}{row[0]})"))
        for prop in entity.properties.values():
            if not chosen or prop.name in chosen:
                parts.append((prop.name, _teller(entity, prop, at)))
        for link in entity.links.values():
            if link.name in found.children or (chosen and link.name not in chosen):
                continue
            parts.append((f"{link.name}@iot.navigationLink", self._navigation(entity, link.name)))
        return parts

    def _navigation(self, entity: Entity, name: str) -> Callable[[Any], Any]:
        start = f"{self.root}/{entity.path}("
        return lambda row: f"{start}{row[0]})/{name}"

    def _one(
        self, found: Found, row: Any, query: Query, parts: list[tuple[str, Callable[[Any], Any]]]
    ) -> Json:
        answer = {name: make(row) for name, make in parts}
        for name in OPTIONAL:
            if name in answer and answer[name] is None:
                del answer[name]
        for name, children in found.children.items():
            self._add_children(answer, name, children, found.entity, row[0])
        return answer

    def _add_children(
        self, answer: Json, name: str, children: Children, entity: Entity, parent: int
    ) -> None:
        query = children.expand.query
        made = self._made(children)
        places = children.of.get(parent, [])
        if not children.link.many:
            answer[name] = made[places[0]] if places else None
            return
        if parent in children.counts:
            answer[f"{name}@iot.count"] = children.counts[parent]
        answer[name] = [made[place] for place in places]
        if parent in children.more:
            skip = query.skip + len(places)
            start = self.link_to(entity, parent)
            more = "".join(f"&{n}={quote(v, safe=_SAFE)}" for n, v in self.kept)
            answer[f"{name}@iot.nextLink"] = f"{start}/{name}?$top={len(places)}&$skip={skip}{more}"

    def _made(self, children: Children) -> list[Json]:
        """The objects of what was expanded; each is made once however often it is shown."""
        key = id(children)
        if key not in self._objects:
            self._objects[key] = self.entities(children.found, children.expand.query)
        return self._objects[key]


_SAFE = "$()/:,'=;.-@"
#: What is left out where there is nothing to say; all else is said to be null.
OPTIONAL = ("properties", "observedArea", "resultQuality", "validTime", "parameters",
             "logo", "authId", "attributionText")  # fmt: skip


def data_array(renderer: Renderer, found: Found, query: Query) -> list[Json]:
    """Observations as rows of arrays, one group for each datastream."""
    inner = replace(query, select=())
    groups: dict[int, list[list[Any]]] = {}
    names = [n for n in _COMPONENTS if not query.select or n in query.select]
    for stream, entity in zip(
        found.column("datastream_id"), renderer.entities(found, inner), strict=True
    ):
        row = [entity["@iot.id"] if n == "id" else entity.get(n) for n in names]
        groups.setdefault(stream, []).append(row)
    return [
        {
            "Datastream@iot.navigationLink": f"{renderer.root}/Datastreams({stream})",
            "components": names,
            "dataArray@iot.count": len(rows),
            "dataArray": rows,
        }
        for stream, rows in groups.items()
    ]


_COMPONENTS = (
    "id", "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters",
)  # fmt: skip


def _teller(entity: Entity, prop: Property, at: Mapping[str, int]) -> Callable[[Any], Any]:
    """How a property is told from a row."""
    match prop.kind:
        case "text":
            place = at[column_of(prop.name)]
            return lambda row: row[place]
        case "result":
            return _result(at["result"], at["kind"], at["text"])
        case "period" if entity.name == "Datastream":
            names = ("first", "last") if prop.name == "phenomenonTime" else (
                "result_first", "result_last")  # fmt: skip
            return _span(*(at[name] for name in names))
        case "period":
            return _period(at["time"], at["until"], at["form"])
        case "interval":
            return _period(at["valid_from"], at["valid_until"], None)
        case "instant":
            names = ("time", "time_form") if prop.name == "time" else ("result_time", "result_form")
            return _period(at[names[0]], None, at[names[1]])
    place = at[column_of(prop.name)]
    return lambda row: None if row[place] is None else orjson.Fragment(row[place])


def _result(number: int, kind: int, text: int) -> Callable[[Any], Any]:
    def tell(row: Any) -> Any:
        match row[kind]:
            case Kinds.NUMBER:
                return row[number]
            case Kinds.INTEGER:
                return int(row[number])
            case Kinds.TEXT:
                return row[text]
            case Kinds.BOOLEAN:
                return row[text] == "true"
        return orjson.Fragment(row[text])

    return tell


def _period(first: int, last: int | None, form: int | None) -> Callable[[Any], Any]:
    def tell(row: Any) -> str | None:
        if row[first] is None:
            return None
        told = None if form is None else row[form]
        end = None if last is None else row[last]
        return times.write_period(row[first], end, told)

    return tell


def _span(first: int, last: int) -> Callable[[Any], Any]:
    def tell(row: Any) -> str | None:
        if row[first] is None:
            return None
        return f"{times.write(row[first])}/{times.write(row[last])}"

    return tell
