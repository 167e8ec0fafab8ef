"""Values of an expression as SQL: what kind each is, and how two are compared.

Both databases keep times as whole microseconds, places and structures as JSON text; an
observation's result is a number in one column or a text in another.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model.sensorthings import malformed

#: Microseconds.
SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
#: Instants beyond what any clock will tell: year 1 and year 9999.
EARLIEST: Final = -62_135_596_800 * SECOND
LATEST: Final = 253_402_300_799 * SECOND


@dataclass(frozen=True)
class Term:
    """An operand of an expression.

    ``kind``: text, number, boolean, null, time, period, duration, date, clock, json, shape,
    result. A period has its end in ``more``, and a result its text; ``literal`` is set for what the
    request itself says.
    """

    kind: str
    sql: Any
    more: Any = None
    literal: Any = None
    #: How a time was written, where that is kept (see ``model.sensorthings_times``); of what
    #: stands in JSON, the name of its type.
    form: Any = None


_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_TURNED: Final = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
COMPARISONS: Final = frozenset(_OPERATORS)


def compared(name: str, left: Term, right: Term, postgres: bool) -> Any:
    """The condition ``left name right``."""
    if right.kind == "null":
        return _nothing(name, left)
    if left.kind == "null":
        return _nothing(name, right)
    if right.kind in ("period", "result") and left.kind not in ("period", "result"):
        return compared(_TURNED[name], right, left, postgres)
    if left.kind == "result":
        return _result(name, left, right)
    if "period" in (left.kind, right.kind):
        return periods(name, left, as_period(right))
    left, right = _alike(left, right, postgres)
    return _OPERATORS[name](left.sql, right.sql)


def as_period(term: Term) -> Term:
    """A time as a period without an end."""
    if term.kind == "period":
        return term
    moment = as_time(term)
    return Term("period", moment.sql, sa.null(), moment.literal)


def as_time(term: Term) -> Term:
    """A time; also from its text and from the beginning of a period."""
    if term.kind in ("time", "period"):
        return Term("time", term.sql, literal=term.literal)
    if term.kind == "date":
        return Term("time", term.sql * DAY)
    if term.kind == "text" and term.literal is not None:
        found = instant_of(str(term.literal))
        if found is not None:
            return Term("time", sa.literal(found, sa.BigInteger), literal=found)
    raise malformed("sta.filter-kinds", wanted="time", found=term.kind)


def as_text(term: Term) -> Any:
    """Its text."""
    match term.kind:
        case "text" | "json" | "shape":
            return term.sql
        case "result":
            return sa.func.coalesce(term.more, sa.cast(term.sql, sa.Text))
        case "number" | "boolean" | "time":
            return sa.cast(term.sql, sa.Text)
    raise malformed("sta.filter-kinds", wanted="text", found=term.kind)


def as_number(term: Term, postgres: bool) -> Any:
    """Its number; nothing where it has none."""
    match term.kind:
        case "number" | "duration" | "result":
            return term.sql
        case "text" if term.literal is not None:
            number = number_of(str(term.literal))
            return sa.null() if number is None else sa.literal(number, sa.Double)
        case "json":
            return _json_number(term, postgres)
    raise malformed("sta.filter-kinds", wanted="number", found=term.kind)


def number_of(text: str) -> float | None:
    """A text as a number, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def instant_of(text: str) -> int | None:
    """ISO 8601 with a zone, or a day, as microseconds; None where it is neither."""
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    delta = found - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def _nothing(name: str, term: Term) -> Any:
    if name not in ("eq", "ne"):
        return sa.false()
    empty = term.sql.is_(None)
    if term.kind == "result":
        empty = empty & term.more.is_(None)
    return empty if name == "eq" else sa.not_(empty)


def _result(name: str, result: Term, other: Term) -> Any:
    """A result against a number, or a text; a quoted number is compared as both."""
    compare = _OPERATORS[name]
    if other.kind == "result":
        numbers = compare(result.sql, other.sql)
        return sa.func.coalesce(numbers, compare(result.more, other.more))
    if other.kind == "boolean" and other.literal is not None:
        return compare(result.more, "true" if other.literal else "false")
    if other.kind == "text":
        number = None if other.literal is None else number_of(str(other.literal))
        texts = compare(result.more, other.sql)
        if number is None:
            return texts
        return sa.case((result.sql.is_not(None), compare(result.sql, number)), else_=texts)
    if other.kind == "number":
        return compare(result.sql, other.sql)
    raise malformed("sta.filter-kinds", wanted="number", found=other.kind)


def periods(name: str, left: Term, right: Term) -> Any:
    """Before means wholly before; up to means that neither end is later.

    The index on a period's beginning serves both of its ends.
    """
    left = as_period(left)
    ends = sa.func.coalesce(right.more, right.sql)
    instant = isinstance(right.more, sa.sql.elements.Null)
    if instant:
        ends = right.sql
    until = left.more
    match name:
        case "lt":
            return (left.sql < right.sql) & (until.is_(None) | (until <= right.sql))
        case "le":
            return (left.sql <= right.sql) & (until.is_(None) | (until <= ends))
        case "gt":
            return left.sql > ends if instant else left.sql >= ends
        case "ge" if instant:
            return left.sql >= right.sql
        case "ge":
            return (left.sql >= right.sql) & (sa.func.coalesce(until, left.sql) >= ends)
    same = (left.sql == right.sql) & (
        sa.func.coalesce(until, left.sql) == sa.func.coalesce(right.more, right.sql)
    )
    if instant:
        same = (left.sql == right.sql) & (until.is_(None) | (until == right.sql))
    return same if name == "eq" else sa.not_(same)


def _alike(left: Term, right: Term, postgres: bool) -> tuple[Term, Term]:
    """Both as one kind."""
    kinds = {left.kind, right.kind}
    if len(kinds) == 1 and kinds != {"json"}:
        return left, right
    if kinds & {"time"}:
        return as_time(left), as_time(right)
    if kinds & {"date", "clock", "boolean"}:
        return _alike_strictly(left, right, postgres)
    if kinds & {"number", "duration"}:
        return (
            Term("number", as_number(left, postgres)),
            Term("number", as_number(right, postgres)),
        )
    return Term("text", as_text(left)), Term("text", as_text(right))


def _alike_strictly(left: Term, right: Term, postgres: bool) -> tuple[Term, Term]:
    if "boolean" in (left.kind, right.kind):
        return _as_truth(left), _as_truth(right)
    raise malformed("sta.filter-kinds", wanted=left.kind, found=right.kind)


def _as_truth(term: Term) -> Term:
    """True and false as the texts they are in JSON; another value in JSON is neither."""
    if term.kind == "boolean" and term.literal is not None:
        return Term("text", sa.literal("true" if term.literal else "false"))
    if term.kind == "json":
        true_or_false = term.form.in_(("true", "false", "boolean"))
        return Term("text", sa.case((true_or_false, term.sql), else_=sa.null()))
    if term.kind == "boolean":
        return Term("text", sa.case((term.sql, "true"), else_="false"))
    raise malformed("sta.filter-kinds", wanted="boolean", found=term.kind)


def _json_number(term: Term, postgres: bool) -> Any:
    """A value inside JSON as a number, nothing where it is none."""
    number = term.form.in_(("integer", "real", "number"))
    return sa.case((number, sa.cast(term.more, sa.Double)), else_=sa.null())
