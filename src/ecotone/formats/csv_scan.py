"""Delimited text cut into records and fields, a piece at a time.

Most lines of most tables are plain: the right number of fields, quotes only around whole fields,
nothing odd. Those are found and cut all at once by operations on arrays of bytes. Every other
line goes to :func:`~ecotone.formats.csv_record.read_record`, which takes its time, and the plain
lines behind it are taken up again where its record ends. Small texts are read by it alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecotone.formats.base import refused
from ecotone.formats.csv_record import (
    BAD_BYTE,
    CODES,
    FIELD_COUNT,
    FIELD_LONG,
    NUL,
    QUOTE_UNCLOSED,
    UNDECODABLE,
    Dialect,
    Record,
    read_record,
)

__all__ = [
    "BAD_BYTE", "CODES", "FIELD_COUNT", "QUOTE_UNCLOSED", "UNDECODABLE", "Bad", "Dialect", "Scan",
    "cells_of", "make_dialect", "scan",
]  # fmt: skip

#: Texts up to this many bytes are read record by record.
_SMALL: Final = 1 << 15

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


class Bad(NamedTuple):
    """A record set aside: where its text lies in the scanned buffer, and why."""

    start: int
    end: int
    line: int
    row: int
    reason: int
    fields: int
    cut: bool  #: the text ended before the record did


@dataclass(frozen=True)
class Scan:
    """What one walk found."""

    text: bytes | Bytes  #: contents of all good fields, end to end
    offsets: Places  #: where each begins, and the end of the last
    fields: Places  #: number of fields of each good record
    row: Places
    line: Places
    order: Places | None  #: the order of the records, where they do not stand in it
    bad: list[Bad]
    consumed: int  #: bytes dealt with; the rest is an unfinished record
    next_line: int
    next_row: int
    blank: int  #: records without any value, left out
    surplus: int  #: records whose empty surplus fields were left out
    last_start: int  #: where the last record begins, if it was unended
    unended: bool  #: the last good record had no line end and its last field no quotes


@dataclass
class _Walk:
    """Records taken one by one, and the tallies of a whole walk."""

    data: bytes
    dialect: Dialect
    expected: int
    final: bool
    max_field: int
    at: int
    line: int
    row: int
    fields: list[bytes] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    blank: int = 0
    surplus: int = 0
    last_start: int = 0
    unended: bool = False

    def step(self) -> bool:
        """Take one record; False where it is not finished."""
        record = read_record(self.data, self.at, self.dialect, final=self.final)
        if record is None:
            return False
        start, line = self.at, self.line
        self.at, self.line = record.end, self.line + record.lines
        if record.fields == [b""] and not record.quoted and not record.reason:
            return True  # an empty line is no record
        self.row += 1
        self._judge(record, start, line)
        return True

    def _judge(self, record: Record, start: int, line: int) -> None:
        fields, reason = record.fields, record.reason
        if not reason:
            if any(len(cell) > self.max_field for cell in fields):
                reason = FIELD_LONG
            elif not record.quoted and not any(fields):
                self.blank += 1
                return
            elif 0 <= self.expected < len(fields) and not any(fields[self.expected :]):
                self.surplus += 1
                fields = fields[: self.expected]
            elif 0 <= self.expected != len(fields):
                reason = FIELD_COUNT
        if reason:
            self.bad.append(
                Bad(start, record.end, line, self.row, reason, len(fields), not record.ended)
            )
            return
        self.fields += fields
        self.counts.append(len(fields))
        self.rows.append(self.row)
        self.lines.append(line)
        self.last_start = start
        self.unended = not record.ended and not record.last_quoted


def scan(
    data: bytes,
    dialect: Dialect,
    *,
    expected: int,
    most: int,
    line: int,
    row: int,
    final: bool,
    max_field: int,
) -> Scan:
    """Walk ``data`` from the start of a record; see the module's words.

    ``expected`` fields make a good record (-1 takes any number); at most ``most`` good records
    are taken; ``final`` tells that nothing follows ``data``.
    """
    walk = _Walk(data, dialect, expected, final, max_field, 0, line, row)
    if expected >= 1 and len(data) > _SMALL:
        return _scan_lines(walk, most)
    while walk.at < len(data) and len(walk.counts) < most and walk.step():
        pass
    return _result(walk, b"", _none(), _none(), _none())


def _none() -> Places:
    return np.empty(0, dtype=np.int64)


def _result(walk: _Walk, text: Any, ends: Places, row: Places, line: Places) -> Scan:
    """Plain records and those taken one by one as a whole."""
    own = np.cumsum([len(cell) for cell in walk.fields], dtype=np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), ends, own + len(text)])
    rows = np.concatenate([row, np.array(walk.rows, dtype=np.int64)])
    lines = np.concatenate([line, np.array(walk.lines, dtype=np.int64)])
    order = np.argsort(rows, kind="stable") if len(row) and walk.rows else None
    more = b"".join(walk.fields)
    if not len(row):
        text = more
    elif more:
        text = np.concatenate([text, np.frombuffer(more, dtype=np.uint8)])
    plain = np.full(len(row), walk.expected, dtype=np.int64)
    return Scan(
        text=text,
        offsets=offsets,
        fields=np.concatenate([plain, np.array(walk.counts, dtype=np.int64)]),
        row=rows if order is None else rows[order],
        line=lines if order is None else lines[order],
        order=order,
        bad=sorted(walk.bad, key=lambda bad: bad.row),
        consumed=walk.at,
        next_line=walk.line,
        next_row=walk.row,
        blank=walk.blank,
        surplus=walk.surplus,
        last_start=walk.last_start,
        unended=walk.unended,
    )


def make_dialect(
    delimiter: str, quote: str | None, line_end: str | None, member: str = ""
) -> Dialect:
    """The bytes of a dialect; a refusal where they are no single ASCII characters."""
    ends = None if line_end in (None, "", "\n", "\r", "\r\n") else line_end
    for code, value in (("delimiter-unsupported", delimiter), ("line-end-unsupported", ends)):
        if value is not None and (len(value) > 1 or not value.isascii() or value in ("\n", "\r")):
            raise refused(code, file=member, value=value)
    mark = quote if quote and quote.isascii() and len(quote) == 1 else None
    return Dialect(
        delimiter=ord(delimiter) if delimiter else -1,
        quote=ord(mark) if mark else -1,
        eol=ord(ends) if ends else -1,
    )


def cells_of(found: Scan) -> list[list[str]]:
    """The records of a walk as lists of texts; for heads of files, not for their bodies."""
    text, offsets = bytes(found.text), [int(o) for o in found.offsets]
    records: list[list[str]] = []
    at = 0
    for count in found.fields:
        records.append(
            [text[offsets[i] : offsets[i + 1]].decode() for i in range(at, at + int(count))]
        )
        at += int(count)
    return records


# --- plain lines, all at once ----------------------------------------------------------------


@dataclass(frozen=True)
class _Lines:
    """The first lines of a text and what each of them is, if a record starts with it."""

    start: Places
    stop: Places  #: where the content ends
    next: Places  #: where the next line starts
    fields: Places
    good: NDArray[np.bool_]
    blank: NDArray[np.bool_]
    short: NDArray[np.bool_]  #: plain, with a wrong number of fields
    nul: NDArray[np.bool_]
    odd: NDArray[np.bool_]  #: to be read with care
    delimiters: Places  #: those between fields
    quotes: Places  #: those that are no content


def _scan_lines(walk: _Walk, most: int) -> Scan:
    source = np.frombuffer(walk.data, dtype=np.uint8)
    lines = _classify(source, walk, most)
    count = len(lines.start)
    step = (lines.good | lines.blank | lines.short | lines.nul).astype(np.int64)
    passed = np.concatenate([np.zeros(1, np.int64), np.cumsum(step)])
    used = np.zeros(count, dtype=np.bool_)
    row = np.zeros(count, dtype=np.int64)
    first = walk.line
    odd = np.flatnonzero(lines.odd)
    index = 0
    while index < count:
        spot = int(np.searchsorted(odd, index))
        until = int(odd[spot]) if spot < len(odd) else count
        if until > index:
            used[index:until] = True
            row[index:until] = walk.row + passed[index + 1 : until + 1] - passed[index]
            walk.row += int(passed[until] - passed[index])
            walk.at = int(lines.next[until - 1])
            walk.line = first + until
        if until == count or not walk.step():
            break
        index = int(np.searchsorted(lines.start, walk.at))
    if index >= count or until == count:
        # A last line without an end is no line of the list.
        while walk.final and count < most and walk.at < len(walk.data) and walk.step():
            pass
    return _cut(source, walk, lines, used, row, first)


def _cut(
    source: Bytes, walk: _Walk, lines: _Lines, used: NDArray[np.bool_], row: Places, first: int
) -> Scan:
    """Cut the plain lines that were used into fields."""
    for mask, reason in ((lines.short, FIELD_COUNT), (lines.nul, NUL)):
        for index in np.flatnonzero(mask & used).tolist():
            start, end = int(lines.start[index]), int(lines.next[index])
            fields = int(lines.fields[index])
            walk.bad.append(Bad(start, end, first + index, int(row[index]), reason, fields, False))
    walk.blank += int((lines.blank & used).sum())
    good = lines.good & used
    if not good.any():
        return _result(walk, b"", _none(), _none(), _none())
    size = int(lines.next[-1])
    if good.all():
        drop = np.zeros(size, dtype=np.bool_)
        drop[lines.stop] = True
        drop[lines.next - 1] = True
    else:
        edges = np.zeros(size + 1, dtype=np.int8)
        edges[lines.start[good]] = 1
        edges[lines.stop[good]] = -1
        drop = np.cumsum(edges[:-1], dtype=np.int8) == 0
    between = lines.delimiters[np.repeat(good, lines.fields - 1)]
    drop[between] = True
    drop[lines.quotes] = True
    ends = np.zeros(size, dtype=np.bool_)
    ends[between] = True
    ends[lines.stop[good]] = True
    # A field's end is itself dropped: its place, less all dropped before it, is where it ends.
    dropped = np.flatnonzero(drop)
    rank = np.flatnonzero(ends[dropped])
    return _result(
        walk,
        source[:size][~drop],
        dropped[rank] - rank,
        row[good],
        np.flatnonzero(good) + first,
    )


def _line_ends(source: Bytes, walk: _Walk) -> tuple[Places, Places]:
    """Where each line's content ends and where the next line starts."""
    if walk.dialect.eol >= 0:
        stop = np.flatnonzero(source == walk.dialect.eol)
        return stop, stop + 1
    feeds = np.flatnonzero(source == 10)
    returns = np.flatnonzero(source == 13)
    if not len(returns):
        return feeds, feeds + 1
    alone = feeds[(feeds == 0) | (source[feeds - 1] != 13)]
    stop = np.sort(np.concatenate([returns, alone]))
    if not walk.final and stop[-1] == len(source) - 1 and source[-1] == 13:
        stop = stop[:-1]  # a line feed may follow in the next piece
    after = source[np.minimum(stop + 1, len(source) - 1)]
    double = (source[stop] == 13) & (after == 10) & (stop + 1 < len(source))
    return stop, stop + 1 + double


def _classify(source: Bytes, walk: _Walk, most: int) -> _Lines:
    """What each of the first lines is, were a record to start with it."""
    stop, following = (places[:most] for places in _line_ends(source, walk))
    count = len(stop)
    bounds = np.concatenate([np.zeros(1, np.int64), following])
    start = bounds[:-1]
    region = source[: int(bounds[-1])]
    delimiter, quote = walk.dialect.delimiter, walk.dialect.quote
    between = np.flatnonzero(region == delimiter) if delimiter >= 0 else _none()
    marks = np.flatnonzero(region == quote) if quote >= 0 else _none()
    quoted = np.diff(np.searchsorted(marks, bounds))
    odd = quoted % 2 == 1
    quotes = marks
    if len(marks):
        quotes = _judge_quotes(region, marks, quoted, start, stop, walk.dialect, odd)
        line = np.repeat(np.arange(count), np.diff(np.searchsorted(between, bounds)))
        before = np.searchsorted(marks, between) - np.searchsorted(marks, start)[line]
        between = between[before % 2 == 0]
    fields = np.diff(np.searchsorted(between, bounds)) + 1
    nul = _lines_with(region, 0, bounds)
    odd |= _lines_with(region, BAD_BYTE, bounds) | (stop - start > walk.max_field)
    empty = stop == start
    plain = ~odd & ~empty & ~nul
    blank = plain & (quoted == 0) & (stop - start == fields - 1)
    right = fields == walk.expected
    # Surplus fields may all be empty, which is no fault.
    ends_empty = region[np.maximum(stop - 1, 0)] == delimiter
    surplus = (fields > walk.expected) & ends_empty
    good = plain & ~blank & right
    short = plain & ~blank & ~right & ~surplus & (quoted == 0)
    bare_nul = nul & ~odd & (quoted == 0)
    known = good | blank | short | bare_nul | empty
    return _Lines(
        start, stop, following, fields, good, blank, short, bare_nul, ~known, between, quotes
    )


def _lines_with(region: Bytes, byte: int, bounds: Places) -> NDArray[np.bool_]:
    """Which lines hold a byte."""
    return np.diff(np.searchsorted(np.flatnonzero(region == byte), bounds)) > 0


def _judge_quotes(
    region: Bytes,
    marks: Places,
    quoted: Places,
    start: Places,
    stop: Places,
    dialect: Dialect,
    odd: NDArray[np.bool_],
) -> Places:
    """Note in ``odd`` the lines whose quotes do not stand around whole fields; the quotes that do.

    Counted within its line, every second quote opens: at a field's start, or right behind the
    one before, which makes the two of them one letter. The others close: before a delimiter,
    the line's end, or another quote.
    """
    line = np.repeat(np.arange(len(start)), quoted)
    rank = np.arange(len(marks)) - np.searchsorted(marks, start)[line]
    opens = rank % 2 == 0
    before = region[np.maximum(marks - 1, 0)]
    after = region[np.minimum(marks + 1, len(region) - 1)]
    delimited = dialect.delimiter >= 0
    first = (marks == start[line]) | (delimited & (before == dialect.delimiter))
    letter = opens & ~first & (rank > 0) & (before == dialect.quote)
    closes = (marks + 1 == stop[line]) | (delimited & (after == dialect.delimiter))
    outer: Places = marks[~letter]
    sound = np.where(opens, first | letter, closes | (after == dialect.quote))
    odd[line[~sound]] = True
    return outer
