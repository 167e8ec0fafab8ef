"""Reading: a page of entities with what is to be given beside them, in a few queries.

However many rows a page has, each link that is expanded costs one query more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model.odata import Expand, Query
from ecotone.model.sensorthings import ENTITIES, Entity, Link, column_of, malformed
from ecotone.store.schema import STA
from ecotone.store.sensorthings_filter import Builder, among, linked_to, listed
from ecotone.store.sensorthings_order import behind, keys_of, ordered
from ecotone.store.sensorthings_scope import Scope, Source

#: How many entities a page has where the request does not say, and how many it may have.
PAGE: Final = 100
MOST: Final = 100_000

Row = Sequence[Any]


@dataclass(frozen=True)
class Parent:
    """What a listing hangs on: a link from the entity with a number."""

    link: Link
    id: int
    #: The reader owns it: then what hangs on it needs no condition of its own.
    own: bool = False


@dataclass
class Found:
    """A page: rows by the names of their columns, ``after`` where more rows follow."""

    entity: Entity
    keys: tuple[str, ...]
    rows: list[Row]
    count: int | None = None
    after: tuple[Any, ...] | None = None
    children: dict[str, Children] = field(default_factory=dict)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        at = self.keys.index(name)
        return [row[at] for row in self.rows]


@dataclass
class Children:
    """What a link led to: which rows of ``found`` belong to which parent."""

    expand: Expand
    link: Link
    found: Found
    #: parent's number -> positions in ``found.rows``
    of: dict[int, list[int]]
    counts: dict[int, int] = field(default_factory=dict)
    #: Parents that have more than were given.
    more: set[int] = field(default_factory=set)


class Reader:
    """Reads for one reader on one connection."""

    def __init__(self, connection: sa.Connection, scope: Scope) -> None:
        self.connection = connection
        self.scope = scope
        self.postgres = connection.dialect.name == "postgresql"
        self._shapes: dict[tuple[str, str], tuple[list[int], list[str | None]]] = {}

    def builder(self, entity: Entity) -> Builder:
        """A query of one entity."""
        return Builder(entity, self.scope, self.postgres, self.shapes)

    def exists(self, entity: Entity, key: int, parent: Parent | None = None) -> bool | None:
        """Whether the reader may see it: True where it is the reader's own, None where not."""
        builder = self._listing(entity, parent)
        builder.require(builder.source.key == key)
        own = sa.literal(self.scope.everything)
        if "dataset_id" in builder.source.c and not self.scope.everything:
            own = builder.source.c.dataset_id.in_(self.scope.own)
        row = self.connection.execute(builder.select(own)).first()
        return None if row is None else bool(row[0])

    def follow(self, entity: Entity, key: int, link: Link) -> int | None:
        """The number of the entity a link to one leads to."""
        table = self.builder(entity).source.table
        row = self.connection.execute(sa.select(table.c[link.column]).where(table.c.id == key))
        found = row.scalar()
        return None if found is None else int(found)

    def one(self, entity: Entity, key: int, query: Query) -> Found:
        """One entity with what is expanded; no row where it may not be seen."""
        builder = self._listing(entity, None)
        builder.require(builder.source.key == key)
        names, columns = _fields(builder.source, query)
        rows = self.connection.execute(builder.select(*columns)).all()
        found = Found(entity, names, list(rows))
        self._expand(found, query)
        return found

    def some(
        self, entity: Entity, ids: Sequence[int], query: Query, parent: Parent | None
    ) -> Found:
        """Those of some entities that stand in a listing and may be seen, by their numbers."""
        builder = self._listing(entity, parent)
        builder.require(among(builder.source.key, ids, self.postgres))
        if query.filter is not None:
            builder.where(query.filter)
        names, columns = _fields(builder.source, query)
        statement = builder.select(*columns).order_by(builder.source.key)
        found = Found(entity, names, list(self.connection.execute(statement).all()))
        self._expand(found, query)
        return found

    def page(self, entity: Entity, query: Query, parent: Parent | None = None) -> Found:
        """A page of a listing."""
        within = parent is not None and parent.link.column == "datastream_id"
        builder = self._listing(entity, parent)
        if query.filter is not None:
            builder.where(query.filter)
        keys = keys_of(builder, query.order, within)
        if query.after is not None:
            builder.require(behind(keys, query.after))
        names, columns = _fields(builder.source, query)
        marks = [key.sql.label(f"k{number}") for number, key in enumerate(keys)]
        top = min(PAGE if query.top is None else query.top, MOST)
        statement = builder.select(*columns, *marks).order_by(*ordered(keys)).limit(top + 1)
        if query.skip:
            statement = statement.offset(query.skip)
        rows = self.connection.execute(statement).all()
        more = len(rows) > top
        after = tuple(rows[top - 1][len(columns) :]) if more and top else None
        found = Found(entity, names, list(rows[:top]), after=after)
        if query.count:
            found.count = self.count(entity, query, parent)
        self._expand(found, query)
        return found

    def count(self, entity: Entity, query: Query, parent: Parent | None = None) -> int:
        """How many rows a listing has in all; of observations as a rule without reading them."""
        if entity.name == "Observation" and query.filter is None and self.scope.at is None:
            kept = self._kept_count(parent)
            if kept is not None:
                return kept
        builder = self._listing(entity, parent)
        if query.filter is not None:
            builder.where(query.filter)
        statement = builder.select(sa.func.count())
        return int(self.connection.execute(statement).scalar_one())

    def _kept_count(self, parent: Parent | None) -> int | None:
        total = sa.select(sa.func.coalesce(sa.func.sum(STA.stream.c.n), 0))
        if parent is None and self.scope.everything:
            return int(self.connection.execute(total).scalar_one())
        if parent is not None and parent.own and parent.link.column == "datastream_id":
            mine = total.where(STA.stream.c.datastream_id == parent.id)
            return int(self.connection.execute(mine).scalar_one())
        return None

    def shapes(self, entity: Entity, name: str) -> tuple[list[int], list[str | None]]:
        """Numbers and released shapes of all that may be seen of an entity."""
        known = self._shapes.get((entity.name, name))
        if known is None:
            builder = self._listing(entity, None)
            shape = builder.source.released(column_of(name), place=True)
            rows = self.connection.execute(builder.select(builder.source.key, shape)).all()
            known = [row[0] for row in rows], [row[1] for row in rows]
            self._shapes[entity.name, name] = known
        return known

    def _listing(self, entity: Entity, parent: Parent | None) -> Builder:
        builder = self.builder(entity)
        if parent is not None:
            builder.require(linked_to(parent.link, parent.id, builder.source))
            if (
                parent.own
                and entity.name == "Observation"
                and parent.link.column == ("datastream_id")
            ):
                return builder
        builder.require_visible()
        return builder

    # What is given beside

    def _expand(self, found: Found, query: Query) -> None:
        if not found.rows:
            for each in query.expand:
                link = _known(found.entity, each.link)
                found.children[each.link] = Children(each, link, _empty(link), {})
            return
        for each in query.expand:
            link = _known(found.entity, each.link)
            children = self._many(found, link, each) if link.many else self._ones(found, link, each)
            self._expand(children.found, each.query)
            found.children[each.link] = children

    def _ones(self, found: Found, link: Link, expand: Expand) -> Children:
        parents = found.column("id")
        wanted = found.column(link.column)
        target = ENTITIES[link.target]
        builder = self._listing(target, None)
        ids = sorted({int(w) for w in wanted if w is not None})
        builder.require(among(builder.source.key, ids, self.postgres))
        if expand.query.filter is not None:
            builder.where(expand.query.filter)
        names, columns = _fields(builder.source, expand.query)
        rows = self.connection.execute(builder.select(*columns)).all()
        at = {row[0]: position for position, row in enumerate(rows)}
        of = {
            parent: [at[other]]
            for parent, other in zip(parents, wanted, strict=True)
            if other in at
        }
        return Children(expand, link, Found(target, names, list(rows)), of)

    def _many(self, found: Found, link: Link, expand: Expand) -> Children:
        """The first of every parent's entities: their numbers by the index, then their rows."""
        target, query = ENTITIES[link.target], expand.query
        parents = sorted({int(i) for i in found.column("id")})
        top = min(PAGE if query.top is None else query.top, MOST)
        ids: list[int] = []
        of: dict[int, list[int]] = {}
        more: set[int] = set()
        for parent, numbers in self._numbers_of(parents, target, link, query, top):
            if len(numbers) > top:
                more.add(parent)
            of[parent] = numbers[:top]
            ids += numbers[:top]
        builder = self.builder(target)
        builder.require(among(builder.source.key, ids, self.postgres))
        names, columns = _fields(builder.source, query)
        rows = self.connection.execute(builder.select(*columns)).all() if ids else []
        at = {row[0]: position for position, row in enumerate(rows)}
        places = {parent: [at[i] for i in numbers] for parent, numbers in of.items()}
        counts = {}
        if query.count:
            own = self.scope.everything
            counts = {i: self.count(target, query, Parent(link, i, own)) for i in parents}
        return Children(expand, link, Found(target, names, list(rows)), places, counts, more)

    def _numbers_of(
        self, parents: list[int], target: Entity, link: Link, query: Query, top: int
    ) -> list[tuple[int, list[int]]]:
        each = sa.select(listed(parents, self.postgres).subquery().c.value).subquery("parents")
        builder = self._listing(target, None)
        builder.require(linked_to(link, each.c.value, builder.source))
        if query.filter is not None:
            builder.where(query.filter)
        keys = keys_of(builder, query.order, link.column == "datastream_id")
        inner = (
            builder.select(builder.source.key.label("id"))
            .correlate(each)
            .order_by(*ordered(keys))
            .limit(top + 1)
            .offset(query.skip or None)
        )
        if self.postgres:
            statement = sa.select(each.c.value, sa.func.array(inner.scalar_subquery()))
            return [(row[0], list(row[1])) for row in self.connection.execute(statement)]
        side = inner.subquery("side")
        numbers = sa.select(sa.func.json_group_array(side.c.id)).correlate(each).scalar_subquery()
        rows = self.connection.execute(sa.select(each.c.value, numbers)).all()
        return [(row[0], json.loads(row[1])) for row in rows]


def _empty(link: Link) -> Found:
    return Found(ENTITIES[link.target], ("id",), [])


def _known(entity: Entity, name: str) -> Link:
    link = entity.links.get(name)
    if link is None:
        raise malformed("sta.property-unknown", name=name, entity=entity.name)
    return link


def _fields(source: Source, query: Query) -> tuple[tuple[str, ...], list[Any]]:
    """The columns a reader is told of an entity, with the names they are found by."""
    entity = source.entity
    wanted = set(query.select) & entity.properties.keys() or None
    if wanted is None and query.select:
        wanted = set()
    found: dict[str, Any] = {"id": source.key}
    for prop in entity.properties.values():
        if wanted is None or prop.name in wanted:
            found.update(_of_property(source, prop.name, prop.kind))
    for each in query.expand:
        link = entity.links.get(each.link)
        if link is not None and not link.many:
            found[link.column] = source.c[link.column]
    return tuple(found), [sql.label(f"c{n}") for n, sql in enumerate(found.values())]


def _of_property(source: Source, name: str, kind: str) -> dict[str, Any]:
    column = column_of(name)
    if source.entity.name == "Datastream" and kind == "period":
        first, last = _KEPT[name]
        return {first: source.extent(first), last: source.extent(last)}
    match kind:
        case "text":
            return {column: source.released(column)}
        case "shape":
            return {column: source.released(column, place=True)}
        case "period":
            return {each: source.c[each] for each in ("time", "until", "form")}
        case "interval":
            return {each: source.c[each] for each in ("valid_from", "valid_until")}
        case "result":
            return {each: source.c[each] for each in ("result", "kind", "text")}
    if name == "time":
        return {each: source.c[each] for each in ("time", "time_form")}
    if name == "resultTime":
        return {each: source.c[each] for each in ("result_time", "result_form")}
    return {column: source.emptied(column)}


_KEPT: Final = {
    "phenomenonTime": ("first", "last"),
    "resultTime": ("result_first", "result_last"),
}
