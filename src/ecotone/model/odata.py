"""What a request of the OData kind asks: expressions as a tree, and the options of a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Value:
    """A literal. ``kind``: text, number, boolean, null, time, interval, duration, shape.

    A time is whole microseconds since 1970; an interval a pair of them; a duration whole
    microseconds; a shape well-known text.
    """

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """Names joined by slashes: links, then a property, then keys inside it."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator with its operands; operators have their OData names."""

    name: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Quantified:
    """``Datastreams/any(d: ...)``: for some, or all, of what a link leads to."""

    path: Path
    every: bool
    variable: str
    condition: Node | None


Node = Value | Path | Call | Quantified


@dataclass(frozen=True, slots=True)
class Order:
    """One key to sort by."""

    by: Node
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Expand:
    """A link whose entities are to be given with those asked for."""

    link: str
    query: Query


@dataclass(frozen=True, slots=True)
class Query:
    """The options of a query; ``after`` continues a listing behind the keys of its last row."""

    filter: Node | None = None
    order: tuple[Order, ...] = ()
    select: tuple[str, ...] = ()
    expand: tuple[Expand, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    after: tuple[Any, ...] | None = None
    form: Literal["", "dataArray"] = field(default="")
