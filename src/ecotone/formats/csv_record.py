"""One record of delimited text, read with care: where it ends, what its fields are, what is wrong.

Keeps to RFC 4180 (doi:10.17487/RFC4180), with lines ended by LF, CRLF or CR. A quotation mark
that opens and is never sensibly closed must not swallow the rest of a file: the *line* where the
damaged record starts is set aside and reading goes on at the next line.
"""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

# Reasons for setting a record aside; the names are the codes of findings.
FIELD_COUNT: Final = 1
QUOTE_UNCLOSED: Final = 2
QUOTE_STRAY: Final = 3
NUL: Final = 4
UNDECODABLE: Final = 5
FIELD_LONG: Final = 6
CODES: Final = {
    FIELD_COUNT: "field-count",
    QUOTE_UNCLOSED: "quote-unclosed",
    QUOTE_STRAY: "quote-stray",
    NUL: "nul-byte",
    UNDECODABLE: "bytes-undecodable",
    FIELD_LONG: "field-too-long",
}
#: The byte, never part of UTF-8, that stands for bytes that could not be decoded.
BAD_BYTE: Final = 0xFF


class Dialect(NamedTuple):
    """Bytes of the dialect; -1 is 'none', and as ``eol`` 'LF, CRLF or CR'."""

    delimiter: int
    quote: int
    eol: int = -1


class Record(NamedTuple):
    """One record: its fields, or the reason why it has none that can be trusted."""

    fields: list[bytes]
    end: int  #: where the next record begins
    lines: int  #: line ends passed
    reason: int  #: 0 for a sound record
    ended: bool  #: by a line end, not by the end of the text
    quoted: bool  #: a field stood in quotes
    last_quoted: bool  #: the last field did


@functools.cache
def line_end(dialect: Dialect) -> re.Pattern[bytes]:
    """What ends a line."""
    if dialect.eol < 0:
        return re.compile(rb"\r\n|\n|\r")
    return re.compile(re.escape(bytes((dialect.eol,))))


@functools.cache
def _plain_end(dialect: Dialect) -> re.Pattern[bytes]:
    """What ends a field without quotes."""
    marks = rb"\r\n|\n|\r" if dialect.eol < 0 else re.escape(bytes((dialect.eol,)))
    if dialect.delimiter >= 0:
        marks = re.escape(bytes((dialect.delimiter,))) + b"|" + marks
    return re.compile(marks)


def read_record(data: bytes, start: int, dialect: Dialect, *, final: bool) -> Record | None:
    """The record at ``start``; None where it is not finished and more text may follow."""
    size = len(data)
    quote = bytes((dialect.quote,)) if dialect.quote >= 0 else b""
    ends, stops = line_end(dialect), _plain_end(dialect)
    fields: list[bytes] = []
    at, lines, second = start, 0, -1
    quoted = False
    while True:
        in_quotes = bool(quote) and data.startswith(quote, at)
        if in_quotes:
            quoted = True
            content, after = _quoted(data, at, quote)
            until = size if after is None else after - 1
            first = ends.search(data, at + 1, until)
            if first is not None:
                second = first.end() if second < 0 else second
                lines += sum(1 for _ in ends.finditer(data, at + 1, until))
            if (after is None or after == size) and not final:
                return None
            if after is None:
                return _damaged(data, start, size, second, QUOTE_UNCLOSED, fields, ended=False)
            fields.append(content)
            stop = stops.match(data, after)
            if stop is None and after < size:
                end = ends.search(data, after)
                if second < 0 and (end is None or _at_edge(end, size)) and not final:
                    return None
                until = size if end is None else end.end()
                return _damaged(
                    data, start, until, second, QUOTE_STRAY, fields, ended=end is not None
                )
        else:
            stop = stops.search(data, at)
            if stop is None and not final:
                return None
            fields.append(data[at : size if stop is None else stop.start()])
        if stop is not None and _at_edge(stop, size) and not final:
            return None
        if stop is not None and data[stop.start()] == dialect.delimiter:
            at = stop.end()
            continue
        until = size if stop is None else stop.end()
        ended = stop is not None
        reason = _fault(data, start, until)
        return Record(fields, until, lines + ended, reason, ended, quoted, in_quotes)


def _quoted(data: bytes, at: int, quote: bytes) -> tuple[bytes, int | None]:
    """The content of a field in quotes and where it ends; None for one that does not close."""
    parts: list[bytes] = []
    at += 1
    while True:
        close = data.find(quote, at)
        if close < 0:
            return b"", None
        parts.append(data[at:close])
        if not data.startswith(quote, close + 1):
            return b"".join(parts), close + 1
        parts.append(quote)
        at = close + 2


def _at_edge(end: re.Match[bytes], size: int) -> bool:
    """Whether a carriage return stands last: a line feed may follow in the next piece."""
    return end[0] == b"\r" and end.end() == size


def _damaged(
    data: bytes,
    start: int,
    until: int,
    second: int,
    reason: int,
    fields: list[bytes],
    *,
    ended: bool,
) -> Record:
    """A record that quotes broke; one of several lines costs its first line only."""
    if second >= 0:
        # The quote that opened on the first line is the fault, whatever was met later.
        return Record(fields, second, 1, QUOTE_UNCLOSED, True, True, False)
    return Record(fields, until, int(ended), reason, ended, True, False)


def _fault(data: bytes, start: int, until: int) -> int:
    if data.find(b"\0", start, until) >= 0:
        return NUL
    if data.find(bytes((BAD_BYTE,)), start, until) >= 0:
        return UNDECODABLE
    return 0
