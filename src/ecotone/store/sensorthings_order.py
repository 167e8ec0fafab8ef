"""The order of a listing, and how it continues behind a row without counting what came before.

A page ends with the keys of its last row; the next begins behind them, by an index where there is
one, so that the millionth row is as near as the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ecotone.model.odata import Order, Path
from ecotone.model.sensorthings import malformed
from ecotone.store.sensorthings_filter import Builder
from ecotone.store.sensorthings_terms import Term, as_text


@dataclass(frozen=True)
class Key:
    """One key of the order."""

    sql: Any
    descending: bool = False


def keys_of(builder: Builder, order: Sequence[Order], within_stream: bool) -> list[Key]:
    """The keys, the last of them the row's number: no two rows are alike.

    Without a wish, the observations of one datastream come by time, all else by number.
    """
    source = builder.source
    if not order and within_stream:
        return [Key(source.c.time), Key(source.key)]
    found: list[Key] = []
    for each in order:
        term = builder.term(each.by, source)
        found += _keys(term, each.descending, _always(each, builder), builder.postgres)
        if each.by in (Path(("id",)), Path(("@iot.id",))):
            return found
    return [*found, Key(source.key, found[-1].descending if found else False)]


def ordered(keys: Sequence[Key]) -> list[Any]:
    """For ORDER BY."""
    return [key.sql.desc() if key.descending else key.sql.asc() for key in keys]


def behind(keys: Sequence[Key], values: Sequence[Any]) -> Any:
    """The condition that a row comes after the one with these values."""
    if len(values) != len(keys):
        raise malformed("sta.token")
    cases = []
    for number, (key, value) in enumerate(zip(keys, values, strict=True)):
        same = [_same(k, v) for k, v in zip(keys[:number], values[:number], strict=True)]
        cases.append(sa.and_(*same, _after(key, value)))
    first, value = keys[0], values[0]
    if len(keys) == 1 or value is None:
        return sa.or_(*cases)
    # Said once more in the plainest way, so that an index is used.
    near = first.sql <= value if first.descending else first.sql >= value
    return near & sa.or_(*cases)


def _same(key: Key, value: Any) -> Any:
    return key.sql.is_(None) if value is None else key.sql == value


def _after(key: Key, value: Any) -> Any:
    if value is None:
        return sa.false()
    return key.sql < value if key.descending else key.sql > value


def _always(order: Order, builder: Builder) -> bool:
    """Whether every row has a value: then no key is needed for rows without."""
    if not isinstance(order.by, Path) or len(order.by.names) > 1:
        return False
    name = order.by.names[0]
    if name in ("id", "@iot.id", "phenomenonTime") and builder.source.entity.name != "Datastream":
        return True
    prop = builder.source.entity.properties.get(name)
    return prop is not None and prop.required and prop.kind != "result"


def _keys(term: Term, descending: bool, always: bool, postgres: bool) -> list[Key]:
    if term.kind == "result":
        number = _nullable(term.sql, descending)
        return [*number, *_nullable(_text(term.more, postgres), descending)]
    if term.kind in ("text", "json", "shape"):
        sql = _text(as_text(term), postgres)
    elif term.kind == "boolean":
        sql = sa.case((term.sql, 1), else_=0)
    else:
        sql = term.sql
    return [Key(sql, descending)] if always else _nullable(sql, descending)


def _text(sql: Any, postgres: bool) -> Any:
    """Texts in the order of their letters' numbers, in every language and database alike."""
    return sa.collate(sql, "C") if postgres else sql


def _nullable(sql: Any, descending: bool) -> list[Key]:
    """Rows without a value come last, both ways."""
    return [Key(sa.case((sql.is_(None), 1), else_=0)), Key(sql, descending)]
