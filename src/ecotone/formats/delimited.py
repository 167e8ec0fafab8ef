"""Delimited text in blocks of rows: any encoding, any damage, bounded memory.

Good rows come out as columns of text; each row that cannot be read as a row is reported with
its line and reason and handed over in its own words, and none of its neighbours is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ecotone.formats import csv_scan
from ecotone.formats.base import Limits, ReadOptions, Reject, Report, Source, refused
from ecotone.formats.csv_record import line_end
from ecotone.formats.csv_scan import Bad, Dialect, Scan, cells_of, make_dialect, scan
from ecotone.formats.csv_sniff import sniff
from ecotone.formats.csv_text import TextStream
from ecotone.formats.headers import column_names
from ecotone.model.finding import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Block", "read_blocks", "sniff"]

_FIRST_PIECE: Final = 1 << 20
_LARGEST_PIECE: Final = 8 << 20
#: Rows it takes before "all other rows have it" tells anything about the last.
_ENOUGH_OTHERS: Final = 5
#: Signs that a number was cut off: a decimal mark, an exponent or a sign with nothing behind.
_CUT: Final = re.compile(r"(?:\d[.,]|\d[eE][+-]?|^[+-])$")


@dataclass(frozen=True, slots=True)
class Block:
    """Good rows: text columns (missing as NA), the number of each row and its first line."""

    frame: pd.DataFrame
    row: NDArray[np.int64]
    line: NDArray[np.int64]


def read_blocks(
    source: Source,
    member: str,
    *,
    options: ReadOptions,
    delimiter: str | None,
    encoding: str | None,
    quote: str | None = '"',
    header_lines: int = 1,
    columns: Sequence[str] | None = None,
    line_end: str | None = None,
    report: Report,
    reject: Reject,
) -> Iterator[Block]:
    """Yield a table's good rows, at most ``options.block_rows`` at a time.

    ``delimiter`` and ``encoding`` None mean: find out (a guess is reported). ``header_lines``
    lines are skipped; where ``columns`` is None the last of them names the columns, and where
    there is none the columns are called ``column_1`` ... A file with names and no rows yields
    one empty block.
    """
    if delimiter is None:
        delimiter = sniff(source, member, encoding=encoding, quote=quote).delimiter
    dialect = make_dialect(delimiter, quote, line_end, member)
    with source.open(member) as raw:
        text = TextStream(raw, encoding, member, report)
        reader = _Reader(member, source.limits, options, dialect, text, report, reject)
        names = reader.header(header_lines, columns)
        if names is not None:
            yield from reader.blocks(names)


@dataclass
class _Reader:
    """One pass over one member."""

    member: str
    limits: Limits
    options: ReadOptions
    dialect: Dialect
    text: TextStream
    report: Report
    reject: Reject
    data: bytes = b""
    line: int = 1
    row: int = 0
    piece: int = _FIRST_PIECE
    blank: int = 0
    surplus: int = 0

    # --- bytes ---------------------------------------------------------------------

    def more(self) -> bool:
        """Add a piece to the bytes at hand; False at the end."""
        fresh = self.text.read(min(self.piece, _LARGEST_PIECE))
        self.data += fresh
        return bool(fresh)

    def walk(self, expected: int, most: int, *, final: bool) -> Scan:
        found = scan(
            self.data,
            self.dialect,
            expected=expected,
            most=most,
            line=self.line,
            row=self.row,
            final=final,
            max_field=self.limits.field_chars,
        )
        return found

    def take(self, found: Scan) -> None:
        """Go on behind what a walk has dealt with."""
        self.data = self.data[found.consumed :]
        self.line, self.row = found.next_line, found.next_row
        self.blank += found.blank
        self.surplus += found.surplus

    def skip_line(self) -> str | None:
        """Pass over one line and give its beginning; None at the end."""
        ends = line_end(self.dialect)
        kept = b""
        while True:
            match = ends.search(self.data)
            if match is not None:
                at_edge = match[0] == b"\r" and match.end() == len(self.data)
                if not (at_edge and self.more()):
                    break
            else:
                kept = (kept + self.data)[: self.limits.field_chars]
                self.data = b""
                if not self.more():
                    return kept.decode("utf-8", "replace") or None
        kept = (kept + self.data[: match.start()])[: self.limits.field_chars]
        self.data = self.data[match.end() :]
        self.line += 1
        return kept.decode("utf-8", "replace")

    # --- header --------------------------------------------------------------------

    def header(self, lines: int, columns: Sequence[str] | None) -> list[str] | None:
        """The columns' names; None for a file without any text."""
        known = columns is not None
        for _ in range(lines if known else lines - 1):
            self.skip_line()
        if columns is not None:
            names = list(columns)
        else:
            cells = self.first_record(consume=lines > 0)
            if cells is None:
                return None
            given = cells if lines > 0 else None
            names = column_names(given, len(cells), self.member, self.report)
        if len(names) > self.limits.columns:
            raise self.too_wide()
        return names

    def too_wide(self) -> Exception:
        return refused("too-many-columns", file=self.member, most=str(self.limits.columns))

    def first_record(self, *, consume: bool) -> list[str] | None:
        """The cells of the next record."""
        while True:
            found = self.walk(-1, 1, final=self.text.ended)
            if len(found.fields) or found.bad or self.text.ended:
                break
            if len(self.data) > self.limits.row_chars:
                raise refused("header-damaged", file=self.member)
            self.more()
        if found.bad:
            raise refused("header-damaged", file=self.member, line=found.bad[0].line)
        if not len(found.fields):
            return None
        if found.fields[0] > self.limits.columns:
            raise self.too_wide()
        if consume:
            self.take(found)
            self.row = 0
        return cells_of(found)[0]

    # --- rows ----------------------------------------------------------------------

    def blocks(self, names: list[str]) -> Iterator[Block]:
        yielded = False
        width = len(names)
        while True:
            while len(self.data) < self.piece and self.more():
                pass
            if not self.data:
                break
            found = self.walk(width, self.options.block_rows, final=self.text.ended)
            for bad in found.bad:
                self.turn_away(bad, width)
            block = self.block(found, names)
            size = len(self.data)
            self.take(found)
            if block is not None:
                yielded = True
                yield block
            if found.consumed:
                self.adapt(found)
            elif not self.text.ended:
                self.overflow(size)
        if not yielded:
            yield Block(_no_rows(names), _none(), _none())
        self.sum_up()

    def adapt(self, found: Scan) -> None:
        """Let the next piece hold about a block of rows."""
        if len(found.fields):
            wanted = found.consumed * self.options.block_rows // len(found.fields)
            self.piece = min(max(wanted, _FIRST_PIECE >> 2), _LARGEST_PIECE)

    def overflow(self, size: int) -> None:
        """No record ended within the bytes at hand: bring more, or give the record up."""
        if size <= self.limits.row_chars:
            self.piece = size + min(max(size, _FIRST_PIECE), _LARGEST_PIECE)
            return
        line = self.line
        several = line_end(self.dialect).search(self.data) is not None
        raw = self.skip_line() or ""
        self.row += 1
        code = "quote-unclosed" if several else "row-too-long"
        self.tell(code, self.row, line, raw, most=str(self.limits.row_chars))

    def turn_away(self, bad: Bad, width: int) -> None:
        raw = self.data[bad.start : bad.end].decode("utf-8", "replace").rstrip("\r\n")
        code = csv_scan.CODES[bad.reason]
        short = bad.reason == csv_scan.FIELD_COUNT and bad.fields < width
        if bad.cut and (short or bad.reason in (csv_scan.QUOTE_UNCLOSED, csv_scan.UNDECODABLE)):
            code = "truncated-last-row"
        params = {"expected": str(width), "found": str(bad.fields)}
        if code == "bytes-undecodable":
            params["encoding"] = (self.text.encoding or "utf-8").upper()
        self.tell(code, bad.row, bad.line, raw, most=str(self.limits.field_chars), **params)

    def tell(self, code: str, row: int, line: int, raw: str, **params: str) -> None:
        self.report(
            Finding(code, Severity.ERROR, row=row, line=line, file=self.member, params=params)
        )
        self.reject(self.member, row, line, raw)

    def block(self, found: Scan, names: list[str]) -> Block | None:
        n = len(found.fields)
        if not n:
            return None
        frame = _frame(found, names, self.options.missing)
        row, line = found.row, found.line
        if found.unended and self.text.ended and found.consumed == len(self.data):
            if _looks_cut(frame.iloc[:, -1]):
                raw = self.data[found.last_start :].decode("utf-8", "replace")
                self.tell("truncated-last-row", int(row[-1]), int(line[-1]), raw)
                frame, row, line = frame.iloc[:-1], row[:-1], line[:-1]
            else:
                self.report(
                    Finding(
                        "last-line-unended",
                        Severity.INFO,
                        row=int(row[-1]),
                        line=int(line[-1]),
                        file=self.member,
                    )
                )
        return Block(frame, row, line)

    def sum_up(self) -> None:
        for code, count in (("rows-empty", self.blank), ("surplus-empty", self.surplus)):
            if count:
                self.report(
                    Finding(code, Severity.INFO, file=self.member, params={"count": str(count)})
                )


def _none() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


def _no_rows(names: list[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: pd.Series([], dtype="str") for name in names})


def _frame(found: Scan, names: list[str], missing: tuple[str, ...]) -> pd.DataFrame:
    """Fields that stand row by row as columns of text."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    n, width, places = len(found.fields), len(names), found.offsets
    cells = np.arange(n * width, dtype=np.int64).reshape(n, width)
    order = (cells if found.order is None else cells[found.order]).T.ravel()
    empty = (places[1:] == places[:-1])[order] if "" in missing else None
    flat = pa.LargeStringArray.from_buffers(
        n * width,
        pa.py_buffer(places),
        pa.py_buffer(found.text),
    )
    turned = flat.take(pa.array(order, mask=empty))
    marks = [mark for mark in missing if mark]
    if marks:
        hit = pc.is_in(turned, value_set=pa.array(marks, pa.large_string()))
        turned = pc.if_else(hit, pa.scalar(None, pa.large_string()), turned)
    kind = pd.StringDtype("pyarrow", na_value=np.nan)
    return pd.DataFrame(
        {
            name: pd.arrays.ArrowStringArray(  # type: ignore[call-arg] # stubs lag behind pandas 3
                pa.chunked_array([turned.slice(i * n, n)]), dtype=kind
            )
            for i, name in enumerate(names)
        },
        copy=False,
    )


def _looks_cut(column: pd.Series) -> bool:
    """Whether the last cell of a file that ends without a line end was cut short."""
    last, others = column.iloc[-1], column.iloc[:-1]
    if not isinstance(last, str):
        # Where only a few rows have a last cell, one left out says nothing.
        return len(others) >= _ENOUGH_OTHERS and bool(others.notna().all())
    if _CUT.search(last):
        return True
    decimals = others.dropna().str.extract(r"^-?\d+[.,](\d{3,})$", expand=False).str.len()
    alike = bool(decimals.notna().all()) and decimals.nunique() == 1
    same = len(decimals) >= _ENOUGH_OTHERS and alike
    own = re.fullmatch(r"-?\d+(?:[.,](\d*))?", last)
    return bool(same and own and len(own[1] or "") < int(decimals.iloc[0]))
