"""Times as SensorThings writes them: an instant in UTC, and how it had been written.

An instant is whole microseconds since 1970. What it looked like is kept in a small number where
it did not look as we would write it: how many digits of a second, and the offset from UTC in
quarters of an hour.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ecotone.model.sensorthings import malformed

SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE: Final = _EPOCH.replace(tzinfo=None)
_OFFSETS: Final = 96
_FRACTION: Final = re.compile(r"\.(\d+)")
#: ``Z`` without a fraction.
PLAIN: Final = 16 * _OFFSETS


def read(text: object) -> tuple[int, int | None]:
    """An instant and its form.

    Raises Refused where it is no ISO 8601 time with a zone: without one it would be a guess.

    >>> read("2015-03-01T00:40:00.000Z")
    (1425170400000000, 1539)
    >>> read("2015-03-01T00:40:00Z")[1] is None
    True
    """
    try:
        found = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError as error:
        raise malformed("sta.time-unreadable", text=str(text)[:60]) from error
    offset = found.utcoffset()
    if offset is None:
        raise malformed("sta.time-without-zone", text=str(text)[:60])
    moment = micros(found)
    fraction = _FRACTION.search(str(text))
    digits = min(len(fraction.group(1)), 6) if fraction else 0
    quarters = offset // timedelta(minutes=15)
    form = digits + 16 * (quarters + _OFFSETS)
    return moment, None if form == _usual(moment) else form


def read_period(text: object) -> tuple[int, int | None, int | None]:
    """An instant, or an interval ``first/last``: beginning, end or None, form."""
    if isinstance(text, str) and "/" in text:
        first, last, form = read_interval(text)
        return first, last, form
    moment, form = read(text)
    return moment, None, form


def read_interval(text: object) -> tuple[int, int, int | None]:
    """An interval that does not end before it begins."""
    first, slash, last = text.partition("/") if isinstance(text, str) else ("", "", "")
    if not slash:
        raise malformed("sta.time-unreadable", text=str(text)[:60])
    begins, form = read(first)
    ends, _ = read(last)
    if ends < begins:
        raise malformed("sta.interval-backwards", text=str(text)[:80])
    return begins, ends, form


def write(moment: int, form: int | None = None) -> str:
    """The instant as text.

    >>> write(1425170400000000, 1539)
    '2015-03-01T00:40:00.000Z'
    """
    if form is None:
        text = (_NAIVE + timedelta(microseconds=moment)).isoformat()
        return (text[:-3] if moment % SECOND and moment % 1000 == 0 else text) + "Z"
    digits, quarters = form % 16, form // 16 - _OFFSETS
    local = _NAIVE + timedelta(microseconds=moment, minutes=15 * quarters)
    text = local.isoformat(timespec="microseconds")
    return text[: 20 + digits if digits else 19] + ("Z" if quarters == 0 else _zone(quarters))


def write_period(first: int, last: int | None, form: int | None = None) -> str:
    """An instant, or an interval."""
    return write(first, form) if last is None else f"{write(first, form)}/{write(last, form)}"


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def as_datetime(moment: int) -> datetime:
    """Whole microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=moment)


def now() -> int:
    """This instant."""
    return micros(datetime.now(UTC))


def _usual(moment: int) -> int:
    """As few digits as tell it, in UTC."""
    rest = moment % SECOND
    return PLAIN + (0 if rest == 0 else 3 if rest % 1000 == 0 else 6)


def _zone(quarters: int) -> str:
    sign = "-" if quarters < 0 else "+"
    hours, quarter = divmod(abs(quarters), 4)
    return f"{sign}{hours:02d}:{15 * quarter:02d}"
