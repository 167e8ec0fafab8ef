"""The functions a filter may call, as SQL for both databases (18-088 table 23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model.sensorthings import malformed
from ecotone.store.sensorthings_terms import (
    DAY,
    EARLIEST,
    LATEST,
    SECOND,
    Term,
    as_number,
    as_period,
    as_text,
    as_time,
    periods,
)

_BIG: Final = sa.BigInteger


def floor(x: Any, postgres: bool) -> Any:
    """The whole number at or below."""
    if postgres:
        return sa.func.floor(x)
    whole = sa.cast(x, sa.Integer)
    return sa.cast(whole - sa.case((x < whole, 1), else_=0), sa.Double)


def truncated(x: Any, postgres: bool) -> Any:
    """Toward zero."""
    return sa.func.trunc(x) if postgres else sa.cast(sa.cast(x, sa.Integer), sa.Double)


def floor_divided(value: Any, by: int) -> Any:
    """Whole microseconds by whole units, rounded down also before 1970."""
    return (value - remainder(value, by)) // sa.literal(by, _BIG)


def remainder(value: Any, by: int) -> Any:
    """What a whole number is above a multiple; never below zero."""
    return (value % by + by) % by


def called(name: str, given: list[Term], postgres: bool, now: int) -> Term:
    """A function of terms; Refused where there is none of this name or its operands are others."""
    if name in _MOMENTS and not given:
        return _MOMENTS[name](now)
    if name in _TEXTS:
        least, most, make = _TEXTS[name]
        _number_of_operands(name, given, least, most)
        texts = [as_text(t) for t in given[:1]]
        rest = as_number_of if name == "substring" else as_text
        return make([*texts, *(rest(t) for t in given[1:])], postgres)
    if name in _NUMBERS:
        _number_of_operands(name, given, 1, 1)
        return Term("number", _NUMBERS[name](as_number(given[0], postgres), postgres))
    if name in _TIMES:
        _number_of_operands(name, given, 1, 1)
        return _TIMES[name](given[0], postgres)
    if name in _PERIODS:
        _number_of_operands(name, given, 2, 2)
        if name == "during" and given[1].kind != "period":
            raise malformed("sta.filter-kinds", wanted="period", found=given[1].kind)
        return Term("boolean", _PERIODS[name](as_period(given[0]), as_period(given[1])))
    raise malformed("sta.function-unknown", name=name)


def _number_of_operands(name: str, given: list[Term], least: int, most: int) -> None:
    if not least <= len(given) <= most:
        raise malformed("sta.function-operands", name=name, given=len(given))


def as_number_of(term: Term) -> Any:
    """A position or length; a text that is none is refused."""
    if term.kind != "number":
        raise malformed("sta.filter-kinds", wanted="number", found=term.kind)
    return term.sql


def _position(text: Any, part: Any, postgres: bool) -> Any:
    return sa.func.strpos(text, part) if postgres else sa.func.instr(text, part)


def _contains(text: Any, part: Any, postgres: bool) -> Term:
    return Term("boolean", _position(text, part, postgres) > 0)


def _ends(text: Any, end: Any, postgres: bool) -> Term:
    length = sa.func.length(end)
    tail = sa.func.substr(text, sa.func.length(text) - length + 1)
    return Term("boolean", (sa.func.length(text) >= length) & (tail == end))


def _starts(text: Any, start: Any, postgres: bool) -> Term:
    return Term("boolean", sa.func.substr(text, 1, sa.func.length(start)) == start)


def _part(given: list[Any], postgres: bool) -> Term:
    text, start, *rest = given
    first = sa.cast(start, sa.Integer) + 1
    lengths = [sa.cast(length, sa.Integer) for length in rest]
    return Term("text", sa.func.substr(text, first, *lengths))


def _joined(given: list[Any], postgres: bool) -> Term:
    first, second = (sa.cast(each, sa.Text) for each in given)
    return Term("text", first.concat(second))


Maker = Callable[[list[Any], bool], Term]
_TEXTS: Final[dict[str, tuple[int, int, Maker]]] = {
    "substringof": (2, 2, lambda g, p: _contains(g[1], g[0], p)),
    "contains": (2, 2, lambda g, p: _contains(g[0], g[1], p)),
    "startswith": (2, 2, lambda g, p: _starts(g[0], g[1], p)),
    "endswith": (2, 2, lambda g, p: _ends(g[0], g[1], p)),
    "length": (1, 1, lambda g, p: Term("number", sa.func.length(g[0]))),
    # Counted from one, as in the example of the standard.
    "indexof": (2, 2, lambda g, p: Term("number", _position(g[0], g[1], p))),
    "substring": (2, 3, _part),
    "tolower": (1, 1, lambda g, p: Term("text", sa.func.lower(g[0]))),
    "toupper": (1, 1, lambda g, p: Term("text", sa.func.upper(g[0]))),
    "trim": (1, 1, lambda g, p: Term("text", sa.func.trim(g[0]))),
    "concat": (2, 2, _joined),
}


def _rounded(x: Any, postgres: bool) -> Any:
    """Half away from zero."""
    up = floor(sa.func.abs(x) + 0.5, postgres)
    return sa.case((x < 0, -up), else_=up)


_NUMBERS: Final[dict[str, Callable[[Any, bool], Any]]] = {
    "round": _rounded,
    "floor": floor,
    "ceiling": lambda x, p: -floor(-x, p),
}

_MOMENTS: Final[dict[str, Callable[[int], Term]]] = {
    "now": lambda now: Term("time", sa.literal(now, _BIG)),
    "mindatetime": lambda now: Term("time", sa.literal(EARLIEST, _BIG)),
    "maxdatetime": lambda now: Term("time", sa.literal(LATEST, _BIG)),
}


def _field(name: str, letter: str) -> Callable[[Term, bool], Term]:
    def of(term: Term, postgres: bool) -> Term:
        moment = as_time(term).sql
        seconds = floor_divided(moment, SECOND)
        if postgres:
            stamp = sa.func.to_timestamp(sa.cast(seconds, sa.Double)).op("AT TIME ZONE")("UTC")
            return Term("number", sa.cast(sa.func.date_part(name, stamp), sa.Integer))
        text = sa.func.strftime(letter, seconds, "unixepoch")
        return Term("number", sa.cast(text, sa.Integer))

    return of


def _offset(term: Term, postgres: bool) -> Term:
    """As the time was written; what was computed or given is in UTC."""
    as_time(term)
    if term.form is None:
        return Term("number", sa.literal(0))
    written = (term.form // 16 - 96) * 15
    return Term("number", sa.case((term.form.is_(None), 0), else_=written))


_TIMES: Final[dict[str, Callable[[Term, bool], Term]]] = {
    "year": _field("year", "%Y"),
    "month": _field("month", "%m"),
    "day": _field("day", "%d"),
    "hour": _field("hour", "%H"),
    "minute": _field("minute", "%M"),
    "second": _field("second", "%S"),
    "fractionalseconds": lambda t, p: Term(
        "number", sa.cast(remainder(as_time(t).sql, SECOND), sa.Double) / float(SECOND)
    ),
    "date": lambda t, p: Term("date", floor_divided(as_time(t).sql, DAY)),
    "time": lambda t, p: Term("clock", remainder(as_time(t).sql, DAY)),
    "totaloffsetminutes": _offset,
}


def _end(term: Term) -> Any:
    return sa.func.coalesce(term.more, term.sql)


def _during(a: Term, b: Term) -> Any:
    """An interval holds its beginning and not its end: the next one begins there."""
    return (a.sql >= b.sql) & (_end(a) <= _end(b)) & (a.sql < _end(b))


def _overlaps(a: Term, b: Term) -> Any:
    return (a.sql == b.sql) | ((a.sql < _end(b)) & (b.sql < _end(a)))


_PERIODS: Final[dict[str, Callable[[Term, Term], Any]]] = {
    "before": lambda a, b: periods("lt", a, b),
    "after": lambda a, b: periods("gt", a, b),
    "meets": lambda a, b: (_end(a) == b.sql) | (_end(b) == a.sql),
    "during": _during,
    "overlaps": _overlaps,
    "starts": lambda a, b: a.sql == b.sql,
    "finishes": lambda a, b: _end(a) == _end(b),
}
