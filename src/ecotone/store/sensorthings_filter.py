"""Expressions of a request as conditions of SQL, through links to one and to many.

A link to one is joined. A link to many asks whether *some* entity behind it holds: the whole
comparison moves into an EXISTS. Every entity on the way is under the reader's own condition, so
a filter finds nothing out that could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model.odata import Call, Node, Path, Quantified, Value
from ecotone.model.sensorthings import ENTITIES, Entity, Link, column_of, malformed
from ecotone.store import sensorthings_shapes as shapes
from ecotone.store.schema import STA
from ecotone.store.sensorthings_functions import called, truncated
from ecotone.store.sensorthings_past import places_at
from ecotone.store.sensorthings_scope import Scope, Source
from ecotone.store.sensorthings_terms import (
    COMPARISONS,
    Term,
    as_number,
    as_time,
    compared,
)

#: Names of rows outside of a link to many; no path of a request can begin so.
_OUTER: Final = "<"
_ARITHMETIC: Final = ("add", "sub", "mul", "div", "mod")
#: Gives the numbers and released shapes of all that may be seen of an entity.
ShapeReader = Callable[[Entity, str], tuple[list[int], list[str | None]]]


class Builder:
    """One SELECT: the entity asked for, what is joined to it, and the conditions."""

    def __init__(
        self,
        entity: Entity,
        scope: Scope,
        postgres: bool,
        read_shapes: ShapeReader,
        outer: Builder | None = None,
    ) -> None:
        self.postgres = postgres
        self.read_shapes = read_shapes
        self.scope = scope
        self.source = Source(entity, scope, self._joined)
        self.from_: sa.FromClause = self.source.table
        self.conditions: list[Any] = []
        self._outer = outer
        self._variables: dict[str, Source] = dict(outer._variables) if outer else {}

    def _joined(self, table: sa.FromClause, on: Any) -> None:
        self.from_ = self.from_.outerjoin(table, on)

    def require(self, condition: Any | None) -> None:
        """One more condition."""
        if condition is not None:
            self.conditions.append(condition)

    def require_visible(self) -> None:
        """What this reader may see, and nothing else."""
        self.require(self.source.visible())

    def where(self, node: Node) -> None:
        """A filter of the request."""
        self.require(self.condition(node, self.source))

    def select(self, *columns: Any) -> sa.Select[Any]:
        """The statement."""
        return sa.select(*columns).select_from(self.from_).where(*self.conditions)

    # Conditions

    def condition(self, node: Node, at: Source) -> Any:
        """A node that is true or false."""
        if isinstance(node, Quantified):
            return self._quantified(node, at)
        if isinstance(node, Call):
            if node.name in ("and", "or"):
                join = sa.and_ if node.name == "and" else sa.or_
                return join(*(self.condition(each, at) for each in node.operands))
            if node.name == "not":
                return sa.not_(self.condition(node.operands[0], at))
            return self._through(node, at)
        if isinstance(node, Value) and node.kind == "boolean":
            return sa.true() if node.value else sa.false()
        if isinstance(node, Path):
            return self._through(Call("eq", (node, Value("boolean", True))), at)
        raise malformed("sta.filter-no-condition")

    def _through(self, call: Call, at: Source) -> Any:
        """A comparison or a true-or-false function; inside an EXISTS where it leads to many."""
        many = self._first_many(call, at)
        if many is None:
            return self._plain(call, at)
        prefix, link = many
        source = at
        for name in prefix:
            known = self._variables.get(name)
            source = known if known is not None else source.one(source.entity.links[name])
        inside = self._inside(link, source)
        # What does not lead through this link is said of the row outside.
        outer = f"{_OUTER}{len(self._variables)}"
        inside._variables[outer] = at
        shortened = _rebased(call, (*prefix, link.name), outer)
        inside.require(inside.condition(shortened, inside.source))
        if call.name == "eq" and any(o == Value("null", None) for o in call.operands):
            # Nothing there at all is nothing, too.
            return inside.exists() | sa.not_(self._inside(link, source).exists())
        return inside.exists()

    def _inside(self, link: Link, source: Source) -> Builder:
        inside = Builder(ENTITIES[link.target], self.scope, self.postgres, self.read_shapes, self)
        inside.require_visible()
        inside.require(linked_to(link, source.key, inside.source))
        return inside

    def exists(self) -> Any:
        """Whether there is any row."""
        return self.select(sa.literal(1)).correlate_except(*self._own_tables()).exists()

    def _own_tables(self) -> list[sa.FromClause]:
        found: list[sa.FromClause] = []
        clause = self.from_
        while isinstance(clause, sa.Join):
            found.append(clause.right)
            clause = clause.left
        return [*found, clause]

    def _quantified(self, node: Quantified, at: Source) -> Any:
        *before, name = node.path.names
        source = at
        if before and before[0] in self._variables:
            source, before = self._variables[before[0]], before[1:]
        for each in before:
            source = source.one(_link(source.entity, each))
        inside = self._inside(_link(source.entity, name), source)
        inside._variables[node.variable] = inside.source
        if node.condition is None:
            return inside.exists()
        held = inside.condition(node.condition, inside.source)
        inside.require(sa.not_(sa.func.coalesce(held, sa.false())) if node.every else held)
        return sa.not_(inside.exists()) if node.every else inside.exists()

    def _first_many(self, node: Node, at: Source) -> tuple[tuple[str, ...], Link] | None:
        """Where a path in it first leads to many entities: the way there and the link."""
        if isinstance(node, Path):
            known = self._variables.get(node.names[0])
            entity = at.entity if known is None else known.entity
            for number, name in enumerate(node.names):
                if known is not None and number == 0:
                    continue
                link = entity.links.get(name)
                if link is None:
                    return None
                if link.many:
                    return node.names[:number], link
                entity = ENTITIES[link.target]
        if isinstance(node, Call):
            for each in node.operands:
                found = self._first_many(each, at)
                if found is not None:
                    return found
        return None

    def _plain(self, call: Call, at: Source) -> Any:
        if call.name in shapes.TRUTHS:
            return self._shaped(call, at, None)
        if call.name in COMPARISONS:
            measured = _measure_first(call)
            if measured is not None:
                return self._shaped(*measured[:1], at, measured[1:])
            left, right = (self.term(each, at) for each in call.operands)
            return compared(call.name, left, right, self.postgres)
        found = self.term(call, at)
        if found.kind != "boolean":
            raise malformed("sta.filter-no-condition")
        return found.sql

    # Terms

    def term(self, node: Node, at: Source) -> Term:
        """A node that has a value."""
        if isinstance(node, Value):
            return _literal(node)
        if isinstance(node, Path):
            return self._path(node.names, at)
        if isinstance(node, Quantified):
            return Term("boolean", self._quantified(node, at))
        if node.name == "neg":
            return Term("number", -as_number(self.term(node.operands[0], at), self.postgres))
        if node.name in _ARITHMETIC:
            left, right = (self.term(each, at) for each in node.operands)
            return self._computed(node.name, left, right)
        if node.name in COMPARISONS or node.name in ("and", "or", "not"):
            return Term("boolean", self.condition(node, at))
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        return called(node.name, [self.term(o, at) for o in node.operands], self.postgres, now)

    def _computed(self, name: str, left: Term, right: Term) -> Term:
        if "duration" in (left.kind, right.kind) and name in ("add", "sub"):
            whole = left if right.kind == "duration" else right
            lasting = right.sql if right.kind == "duration" else left.sql
            lasting = lasting if name == "add" else -lasting
            if whole.kind == "period":
                return Term("period", whole.sql + lasting, whole.more + lasting)
            return Term("time", as_time(whole).sql + lasting)
        if {left.kind, right.kind} <= {"time", "period"} and name == "sub":
            return Term("duration", as_time(left).sql - as_time(right).sql)
        a, b = (sa.cast(as_number(each, self.postgres), sa.Double) for each in (left, right))
        nonzero = sa.func.nullif(b, 0.0)
        match name:
            case "add":
                return Term("number", a + b)
            case "sub":
                return Term("number", a - b)
            case "mul":
                return Term("number", a * b)
            case "div":
                return Term("number", a / nonzero)
        return Term("number", a - b * truncated(a / nonzero, self.postgres))

    def _path(self, names: tuple[str, ...], at: Source) -> Term:
        source = at
        if names[0] in self._variables:
            source, names = self._variables[names[0]], names[1:]
            if not names:
                raise malformed("sta.filter-no-condition")
        while names[0] in source.entity.links and len(names) > 1:
            link = _link(source.entity, names[0])
            if link.many:
                raise malformed("sta.path-many", name=link.name)
            if names[1] in ("id", "@iot.id") and len(names) == 2:
                return Term("number", source.shown(source.c[link.column]))
            source, names = source.one(link), names[1:]
        return property_term(source, names, self.postgres)

    # Places

    def _shaped(self, call: Call, at: Source, against: Any) -> Any:
        """A function of places: judged over all shapes that may be seen, joined by number."""
        pattern = None
        operands = list(call.operands)
        if call.name == "st_relate" and len(operands) == 3:
            last = operands.pop()
            pattern = str(last.value) if isinstance(last, Value) else None
        paths = [o for o in operands if isinstance(o, Path)]
        if len({p.names for p in paths}) > 1 or len(paths) + sum(
            isinstance(o, Value) and o.kind in ("shape", "text") for o in operands
        ) != len(operands):
            raise malformed("sta.shape-operands", name=call.name)
        if not paths:
            fixed = [shapes.literal(str(o.value)) for o in operands if isinstance(o, Value)]
            held = self._judged(call.name, fixed, pattern, against)
            return sa.true() if bool(held) else sa.false()
        source, name = self._bearer(paths[0].names, at)
        ids, texts = self.read_shapes(source.entity, name)
        bearing = shapes.read(texts)
        given = [
            bearing if isinstance(o, Path) else shapes.literal(str(o.value))
            for o in operands
            if isinstance(o, Path | Value)
        ]
        held = self._judged(call.name, given, pattern, against)
        chosen = [i for i, yes in zip(ids, held.tolist(), strict=True) if yes] if ids else []
        return source.shown(among(source.key, chosen, self.postgres))

    def _judged(self, name: str, given: list[Any], pattern: str | None, against: Any) -> Any:
        wanted = 1 if name == "geo.length" else 2
        if len(given) != wanted:
            raise malformed("sta.function-operands", name=name, given=len(given))
        if against is None:
            return shapes.related(name, given[0], given[1], pattern)
        operator, number = against
        return shapes.measured_against(operator, shapes.measured(name, given), number)

    def _bearer(self, names: tuple[str, ...], at: Source) -> tuple[Source, str]:
        source = at
        if names[0] in self._variables:
            source, names = self._variables[names[0]], names[1:]
        for name in names[:-1]:
            source = source.one(_link(source.entity, name))
        prop = source.entity.properties.get(names[-1]) if names else None
        if prop is None or prop.kind != "shape":
            raise malformed("sta.shape-operands", name="/".join(names))
        return source, prop.name


def property_term(source: Source, names: tuple[str, ...], postgres: bool) -> Term:
    """A property of a source, or a key inside one."""
    name, *inside = names
    if name in ("id", "@iot.id") and not inside:
        return Term("number", source.shown(source.key))
    prop = source.entity.properties.get(name)
    if prop is None:
        raise malformed("sta.property-unknown", name="/".join(names), entity=source.entity.name)
    if prop.kind == "period" or prop.kind == "interval":
        return _period(source, name)
    if prop.kind == "instant":
        column = "time" if name == "time" else column_of(name)
        form = source.c["time_form" if name == "time" else "result_form"]
        return Term("time", source.shown(source.c[column]), form=form)
    if prop.kind == "result" and not inside:
        return Term("result", source.shown(source.c.result), source.shown(source.c.text))
    column = "text" if prop.kind == "result" else column_of(name)
    if prop.kind == "text":
        if inside:
            raise malformed("sta.property-unknown", name="/".join(names), entity=name)
        return Term("text", source.shown(source.released(column)))
    if prop.kind == "shape" and not inside:
        return Term("shape", source.shown(source.released(column, place=True)))
    whole = source.emptied(column) if prop.kind != "shape" else source.released(column, place=True)
    return json_term(source.shown(whole), inside, postgres, prop.kind == "any")


def json_term(text: Any, keys: Sequence[str], postgres: bool, whole_text: bool) -> Term:
    """What stands in JSON text under some keys; all of it without any."""
    if not keys and not whole_text:
        return Term("json", text, text, form=sa.literal("object"))
    if postgres:
        array = sa.cast(sa.literal("{" + ",".join(_key(k) for k in keys) + "}"), sa.ARRAY(sa.Text))
        whole = sa.cast(text, sa.dialects.postgresql.JSONB)
        found = whole.op("#>>", return_type=sa.Text())(array)
        kind = sa.func.jsonb_typeof(whole.op("#>", return_type=whole.type)(array))
        return Term("json", found, found, form=kind)
    steps = "".join(f"[{key}]" if key.isdigit() else f".{_key(key)}" for key in keys)
    found = sa.func.json_extract(text, "$" + steps)
    kind = sa.func.json_type(text, "$" + steps)
    spelled = sa.case(
        (kind == "true", "true"), (kind == "false", "false"), else_=sa.cast(found, sa.Text)
    )
    return Term("json", spelled, found, form=kind)


def _key(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _period(source: Source, name: str) -> Term:
    if source.entity.name == "Datastream":
        first, last = ("first", "last") if name == "phenomenonTime" else (
            "result_first", "result_last")  # fmt: skip
        return Term("period", source.shown(source.extent(first)), source.shown(source.extent(last)))
    if name == "validTime":
        return Term("period", source.shown(source.c.valid_from), source.shown(source.c.valid_until))
    begins, ends = source.shown(source.c.time), source.shown(source.c.until)
    return Term("period", begins, ends, form=source.c.form)


def linked_to(link: Link, key: Any, target: Source) -> Any:
    """That ``target`` is what ``link`` leads to from the entity with this number."""
    if link.pair:
        pair = _pairs(link, target)
        mine, theirs = _sides(link, pair)
        return target.key.in_(sa.select(theirs).where(mine == key).correlate_except(pair))
    if not link.many:
        raise malformed("sta.path-many", name=link.name)
    own = target.c[link.column] == key
    if link.name == "Observations" and link.column == "feature_id":
        pair = STA.pairs["sta_stream_feature"].alias()
        streams = sa.select(pair.c.datastream_id).where(pair.c.feature_id == key)
        streams = streams.correlate_except(pair)
        return own & target.c.datastream_id.in_(streams)
    return own


def _pairs(link: Link, target: Source) -> sa.FromClause:
    at = target.scope.at
    if at is not None and link.pair == "sta_thing_location":
        return places_at(at, target.scope.postgres)
    return STA.pairs[link.pair].alias()


def _sides(link: Link, pair: Any) -> tuple[Any, Any]:
    """The columns of a pair: of the entity a link starts from, and of the one it leads to."""
    first, second = STA.pairs[link.pair].c
    target = ENTITIES[link.target].table.removeprefix("sta_") + "_id"
    theirs, mine = (first, second) if first.name == target else (second, first)
    return pair.c[mine.name], pair.c[theirs.name]


def sides(link: Link) -> tuple[sa.Table, str, str]:
    """The table of a link's pairs with the columns of this side and of the other."""
    table = STA.pairs[link.pair]
    mine, theirs = _sides(link, table)
    return table, mine.name, theirs.name


def among(key: Any, ids: Sequence[int], postgres: bool) -> Any:
    """That a number is one of many, as one parameter."""
    if not ids:
        return sa.false()
    return key.in_(listed(ids, postgres))


def listed(ids: Sequence[int], postgres: bool) -> Any:
    """Many numbers as a query of one column ``value``."""
    if postgres:
        numbers = sa.literal(list(ids), sa.ARRAY(sa.BigInteger))
        return sa.select(sa.func.unnest(numbers).column_valued("value"))
    text = "[" + ",".join(map(str, ids)) + "]"
    each = sa.func.json_each(text).table_valued("value")
    return sa.select(each.c.value)


def _link(entity: Entity, name: str) -> Link:
    link = entity.links.get(name)
    if link is None:
        raise malformed("sta.property-unknown", name=name, entity=entity.name)
    return link


def _rebased(node: Node, prefix: tuple[str, ...], outer: str) -> Node:
    """The node with its paths starting behind a prefix; those without it start outside."""
    if isinstance(node, Path):
        if node.names[: len(prefix)] != prefix:
            return node if node.names[0].startswith(_OUTER) else Path((outer, *node.names))
        if len(node.names) == len(prefix):
            raise malformed("sta.path-many", name="/".join(prefix))
        return Path(node.names[len(prefix) :])
    if isinstance(node, Call):
        return Call(node.name, tuple(_rebased(o, prefix, outer) for o in node.operands))
    return node


def _measure_first(call: Call) -> tuple[Call, str, float] | None:
    """``geo.distance(...) lt 5`` as the measure, the comparison and the number."""
    turned = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
    left, right = call.operands
    for measure, number, name in (
        (left, right, call.name),
        (right, left, turned.get(call.name, call.name)),
    ):
        if isinstance(measure, Call) and measure.name in shapes.NUMBERS:
            if not isinstance(number, Value) or number.kind != "number":
                raise malformed("sta.shape-operands", name=measure.name)
            return measure, name, float(number.value)
    return None


def _literal(value: Value) -> Term:
    match value.kind:
        case "text":
            return Term("text", sa.literal(value.value, sa.Text), literal=value.value)
        case "number":
            kind = sa.BigInteger if isinstance(value.value, int) else sa.Double
            return Term("number", sa.literal(value.value, kind), literal=value.value)
        case "boolean":
            return Term("boolean", sa.true() if value.value else sa.false(), literal=value.value)
        case "null":
            return Term("null", sa.null())
        case "time" | "duration" | "date" | "clock":
            return Term(value.kind, sa.literal(value.value, sa.BigInteger), literal=value.value)
        case "interval":
            first, last = (sa.literal(each, sa.BigInteger) for each in value.value)
            return Term("period", first, last, literal=value.value)
    raise malformed("sta.filter-no-condition")
