"""The byte machine that cuts delimited text into records and fields.

One function walks the bytes once, writes the contents of good fields (quotes undone) into a
buffer with their offsets, and notes each bad record with its place and reason. It keeps to
RFC 4180 (doi:10.17487/RFC4180), with lines ended by LF, CRLF or CR. Small texts are walked by
Python, large ones by the same function compiled with numba.

A quotation mark that opens and is never sensibly closed must not swallow the rest of a file:
the *line* where the damaged record starts is set aside and reading goes on at the next line.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecotone.formats.base import refused

#: Texts up to this many bytes are not worth loading the compiler's machinery (about 1 s).
_SMALL: Final = 1 << 19

# Reasons for setting a record aside; the names are the codes of findings.
FIELD_COUNT: Final = 1
QUOTE_UNCLOSED: Final = 2
QUOTE_STRAY: Final = 3
NUL: Final = 4
UNDECODABLE: Final = 5
FIELD_LONG: Final = 6
ROW_LONG: Final = 7
CODES: Final = {
    FIELD_COUNT: "field-count",
    QUOTE_UNCLOSED: "quote-unclosed",
    QUOTE_STRAY: "quote-stray",
    NUL: "nul-byte",
    UNDECODABLE: "bytes-undecodable",
    FIELD_LONG: "field-too-long",
    ROW_LONG: "row-too-long",
}
#: The byte, never part of UTF-8, that stands for bytes that could not be decoded.
BAD_BYTE: Final = 0xFF


class Dialect(NamedTuple):
    """Bytes of the dialect; -1 is 'none', and as ``eol`` 'LF, CRLF or CR'."""

    delimiter: int
    quote: int
    eol: int = -1


class Bad(NamedTuple):
    """A record set aside: where its text lies in the scanned buffer, and why."""

    start: int
    end: int
    line: int
    row: int
    reason: int
    fields: int
    cut: int  #: 1 where the text ended before the record did


@dataclass(frozen=True)
class Scan:
    """What one walk found."""

    text: Any  #: contents of all good fields, end to end
    offsets: Any  #: where each begins, and the end of the last
    fields: Any  #: number of fields of each good record
    row: Any
    line: Any
    bad: list[Bad]
    consumed: int  #: bytes dealt with; the rest is an unfinished record
    next_line: int
    next_row: int
    blank: int  #: records without any value, left out
    surplus: int  #: records whose empty surplus fields were left out
    last_start: int  #: where the last good record begins
    unended: bool  #: the last good record had no line end and its last field no quotes


def scan(
    data: bytes | memoryview,
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
    size = len(data)
    if size <= _SMALL and not _compiled.cache_info().currsize:
        source: Any = bytes(data)
        fields_most = source.count(_byte(dialect.delimiter)) if dialect.delimiter >= 0 else 0
        ends = _count_ends_small(source, dialect.eol)
        walk: Callable[..., Any] = _walk
        make: Callable[[int], Any] = _make_list
        out: Any = bytearray(size)
    else:
        source = np.frombuffer(data, dtype=np.uint8)
        fields_most = int(np.count_nonzero(source == dialect.delimiter))
        ends = _count_ends(source, dialect.eol)
        walk = _compiled()
        make = _make_array
        out = np.empty(size, dtype=np.uint8)
    records = min(ends + 2, size + 1)
    offsets = make(fields_most + ends + 3)
    counts, rows, lines = make(records), make(records), make(records)
    bad = make(records * 7)
    (
        good, n_bad, n_fields, consumed, next_line, next_row, blank, surplus, last_start, unended
    ) = walk(
        source, size, dialect.delimiter, dialect.quote, dialect.eol, expected, most, line, row,
        final, max_field, out, offsets, counts, rows, lines, bad,
    )  # fmt: skip
    return Scan(
        text=out,
        offsets=offsets[: n_fields + 1],
        fields=counts[:good],
        row=rows[:good],
        line=lines[:good],
        bad=[Bad._make(int(v) for v in bad[7 * i : 7 * i + 7]) for i in range(n_bad)],
        consumed=int(consumed),
        next_line=int(next_line),
        next_row=int(next_row),
        blank=int(blank),
        surplus=int(surplus),
        last_start=int(last_start),
        unended=bool(unended),
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


def _byte(value: int) -> bytes:
    return bytes((value,))


def _count_ends_small(source: bytes, eol: int) -> int:
    if eol >= 0:
        return source.count(_byte(eol))
    return source.count(b"\n") + source.count(b"\r")


def _count_ends(source: NDArray[np.uint8], eol: int) -> int:
    if eol >= 0:
        return int(np.count_nonzero(source == eol))
    return int(np.count_nonzero((source == 10) | (source == 13)))


def _make_list(size: int) -> list[int]:
    return [0] * size


def _make_array(size: int) -> NDArray[np.int64]:
    return np.zeros(size, dtype=np.int64)


@functools.cache
def _compiled() -> Callable[..., Any]:
    import numba

    compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True)(_walk)
    return compiled


def _walk(
    source: Any, size: int, delimiter: int, quote: int, eol: int, expected: int, most: int,
    line: int, row: int, final: bool, max_field: int, out: Any, offsets: Any, counts: Any,
    rows: Any, lines: Any, bad: Any,
) -> Any:  # fmt: skip
    """The machine. States: 0 at a field's start, 1 in a plain field, 2 in quotes, 3 after them."""
    good = 0
    n_bad = 0
    n_fields = 0  # complete fields of good records, plus those of the record being read
    pen = 0  # where the next byte of content goes
    blank = 0
    surplus = 0
    last_start = 0
    unended = False
    at = 0
    offsets[0] = 0
    while at < size and good < most:
        start, start_line, first_field, start_pen = at, line, n_fields, pen
        state = 0
        broken = False  # a quote was followed by text: fields can no longer be told apart
        fault = 0  # the fields can be told apart, yet one of them cannot be taken
        second_line = -1  # where the second line of this record starts
        field_pen = pen
        done = False
        ended = False
        quoted = False
        while at < size:
            byte = source[at]
            is_end = byte == eol if eol >= 0 else (byte == 10 or byte == 13)
            if is_end:
                width = 1
                if byte == 13 and eol < 0:
                    if at + 1 == size and not final:
                        break  # a line feed may follow in the next piece
                    if at + 1 < size and source[at + 1] == 10:
                        width = 2
                line += 1
                if state == 2:
                    if second_line < 0:
                        second_line = at + width
                    for k in range(width):
                        out[pen] = source[at + k]
                        pen += 1
                    at += width
                    continue
                at += width
                done = True
                ended = True
                break
            at += 1
            if broken:
                continue  # only the line's end matters now
            if byte == 0:
                fault = 4
            elif byte == 255:
                fault = 5
            if state == 2:
                if byte == quote:
                    state = 3
                else:
                    out[pen] = byte
                    pen += 1
            elif byte == delimiter:
                if pen - field_pen > max_field:
                    fault = 6
                n_fields += 1
                offsets[n_fields] = pen
                field_pen = pen
                state = 0
            elif state == 3:
                if byte == quote:
                    out[pen] = byte
                    pen += 1
                    state = 2
                else:
                    broken = True
                    if second_line >= 0:
                        break
            elif state == 0 and byte == quote:
                state = 2
                quoted = True
            else:
                out[pen] = byte
                pen += 1
                state = 1
        reason = fault
        if broken:
            reason = 3
        elif not done and final and state == 2:
            reason = 2
        if second_line >= 0 and (broken or reason == 2):
            # The quote that opened on the first line is the fault, whatever was met later.
            reason = 2
            at = second_line
            line = start_line + 1
            ended = True
        elif not done and not final:
            # Unfinished: the caller brings more bytes and the record is walked again.
            at, line, n_fields, pen = start, start_line, first_field, start_pen
            break
        if reason == 0 and state == 0 and n_fields == first_field and pen == start_pen:
            continue  # an empty line is no record
        row += 1
        if pen - field_pen > max_field and reason == 0:
            reason = 6
        n_fields += 1
        offsets[n_fields] = pen
        n = n_fields - first_field
        if reason == 0 and pen == start_pen and not quoted and n > 1:
            n_fields = first_field
            blank += 1
            continue
        if reason == 0 and expected >= 0 and n > expected:
            if offsets[first_field + expected] == pen:
                n_fields = first_field + expected
                n = expected
                surplus += 1
            else:
                reason = 1
        if reason == 0 and n < expected:
            reason = 1
        if reason != 0:
            spot = 7 * n_bad
            bad[spot] = start
            bad[spot + 1] = at
            bad[spot + 2] = start_line
            bad[spot + 3] = row
            bad[spot + 4] = reason
            bad[spot + 5] = n
            bad[spot + 6] = 0 if ended else 1
            n_bad += 1
            n_fields, pen = first_field, start_pen
            continue
        counts[good] = n
        rows[good] = row
        lines[good] = start_line
        good += 1
        last_start = start
        unended = not ended and state != 3
    return good, n_bad, n_fields, at, line, row, blank, surplus, last_start, unended
