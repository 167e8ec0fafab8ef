"""Bare tables of delimited text: every sender's own columns, or Darwin Core's by their names.

What the sender did not declare (encoding, delimiter, whether the first line names the columns,
what a row is) is found out, and what was guessed is told.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from ecotone.formats import csv_scan
from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.csv_sniff import sniff
from ecotone.formats.csv_text import TextStream
from ecotone.formats.delimited import Block, read_blocks
from ecotone.formats.headers import column_names, has_header
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import pandas as pd

_SURE: Final = (".csv", ".tsv", ".tab")
_MAYBE: Final = (".txt", ".dat", ".asc", "")
_PEEK: Final = 4096
#: Beginnings of text that is something else, whatever its name says.
_OTHERS: Final = (b"<!doctype", b"<html", b"<?xml", b"%pdf", b"{\\rtf")
_TAB: Final = "\t"


class DelimitedTable:
    """A bare table; see :class:`ecotone.formats.base.Format`."""

    name = "csv"
    title_key = "format.csv.title"
    extensions = (".csv", ".tsv", ".tab", ".txt")
    spec = "https://www.rfc-editor.org/rfc/rfc4180"

    def recognise(self, source: Source) -> bool:
        """Text whose lines agree on their number of fields, or that is named as a table."""
        return any(_is_table(source, member) for member in source.members)

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the rows of each table of the delivery."""
        members = [m for m in source.members if source.only or _is_table(source, m)]
        if not members:
            raise refused("csv-no-table", file=source.name)
        others = [m for m in source.members if m not in members]
        if others:
            params = {"count": str(len(others))}
            report(Finding("member-unread", Severity.WARNING, value=others[0], params=params))
        for member in members:
            yield from read_table(source, member, options, report, reject)


FORMAT = DelimitedTable()


def _is_table(source: Source, member: str) -> bool:
    ending = PurePosixPath(member).suffix.lower()
    if ending not in (*_SURE, *_MAYBE) and source.only is None:
        return False
    with source.open(member) as raw:
        head = TextStream(raw, None, member, lambda finding: None).read(_PEEK)
    plain = head.lstrip().lower()
    if not plain or plain.startswith(_OTHERS) or not _is_text(head):
        return False
    return ending in _SURE or sniff(source, member).sure


def _is_text(head: bytes) -> bool:
    """Whether letters, found in whatever encoding, hold hardly any control characters."""
    odd = sum(head.count(bytes((code,))) for code in range(32) if code not in (9, 10, 12, 13))
    return odd + head.count(csv_scan.BAD_BYTE) <= max(1, 0.02 * len(head))


def read_table(
    source: Source, member: str, options: ReadOptions, report: Report, reject: Reject
) -> Iterator[Table]:
    """The rows of one member that is a table."""
    seen = sniff(source, member, encoding=options.encoding, delimiter=options.delimiter)
    if options.delimiter is None and not _is_usual(member, seen.delimiter):
        shown = {_TAB: "TAB"}.get(seen.delimiter, f"'{seen.delimiter}'")
        report(
            Finding("delimiter-guessed", Severity.INFO, file=member, params={"delimiter": shown})
        )
    header = options.header if options.header is not None else has_header(seen.records)
    width = max(map(len, seen.records), default=0)
    if not header and options.header is None:
        shown = "column_1" if width < 2 else f"column_1 … column_{width}"
        params = {"columns": shown}
        report(
            Finding(
                "header-absent", Severity.WARNING, file=member, line=seen.skip + 1, params=params
            )
        )
    if seen.titles:
        params = {"text": " / ".join(seen.titles)}
        report(Finding("sheet-title-rows", Severity.INFO, file=member, line=1, params=params))
    described: _Described | None = None
    for block in read_blocks(
        source,
        member,
        options=options,
        delimiter=seen.delimiter,
        encoding=options.encoding,
        header_lines=seen.skip + int(header),
        columns=None if header or not seen.skip else column_names(None, width, member, report),
        report=report,
        reject=reject,
    ):
        if described is None:
            described = describe(list(block.frame.columns), options.type, member, report)
        yield described.table(block, member)


def _is_usual(member: str, delimiter: str) -> bool:
    ending = PurePosixPath(member).suffix.lower()
    return delimiter == (_TAB if ending in (".tsv", ".tab") else ",")


@dataclasses.dataclass(frozen=True)
class _Described:
    """What the rows of a bare table are."""

    type: str
    vocabulary: str
    names: Sequence[str]
    key: str | None

    def table(self, block: Block, file: str) -> Table:
        return Table(
            type=self.type,
            frame=block.frame.set_axis(list(self.names), axis=1),
            row=block.row,
            line=block.line,
            file=file,
            vocabulary=self.vocabulary,
            key=self.key,
        )


def describe(headers: list[str], wanted: str | None, member: str, report: Report) -> _Described:
    """Darwin Core's class where the headers tell it, else a record nobody has described."""
    from ecotone.formats.dwc_terms import KEYS, dwc_terms, dwc_type_of

    kind = dwc_type_of(headers) if wanted is None else wanted
    if kind is None or kind == "Record":
        if wanted is None:
            report(Finding("unmapped", Severity.WARNING, file=member))
        return _Described("Record", "", headers, None)
    if wanted is None:
        report(Finding("type-guessed", Severity.INFO, file=member, params={"type": kind}))
    terms = dwc_terms(headers)
    names = column_names([terms.get(h, h) for h in headers], len(headers), member, report)
    key = KEYS.get(kind)
    return _Described(kind, "dwc", names, key if key in names else None)


def write_csv(
    target: Path | IO[bytes],
    frame: pd.DataFrame,
    *,
    delimiter: str = ",",
    bom: bool = False,
    formulas: bool = False,
) -> None:
    """Write a table: UTF-8, CRLF, text quoted, numbers bare.

    ``bom`` adds the byte-order mark by which Excel knows UTF-8. Unless ``formulas`` is True,
    texts that a spreadsheet would compute get an apostrophe before them; numbers stay numbers.
    A NUL, which no text has, becomes U+FFFD.
    """
    import pandas as pd

    from ecotone.formats.cells import harmless, is_formula

    out = {}
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            column = column.astype("str").str.replace("\0", "\ufffd", regex=False)
            column = column if formulas else harmless(column)
        out[position] = column
    names = [str(name) for name in frame.columns]
    if not formulas:
        names = ["'" + name if is_formula(name) else name for name in names]
    pd.DataFrame(out, index=frame.index).to_csv(
        target,
        index=False,
        header=names,
        sep=delimiter,
        encoding="utf-8-sig" if bom else "utf-8",
        lineterminator="\r\n",
        quoting=csv.QUOTE_NONNUMERIC,
    )
