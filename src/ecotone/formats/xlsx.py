"""Excel workbooks (ECMA-376): each visible sheet a table, read as text row by row.

Cells give what Excel shows a reader: computed values of formulas, dates as ISO 8601 text,
numbers to fifteen digits. Error cells become missing and are told. Formulas are not computed,
links to other workbooks not followed, macros not touched.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ecotone.formats import xlsx_doubts as doubts
from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.headers import column_names
from ecotone.formats.workbook_template import (
    CORRECTION,
    NO_DATA,
    VERSION,
    Head,
    example_marks,
    head_of,
)
from ecotone.formats.xlsx_layout import Cell, Layout, Row, beside, different, filled, layout_of
from ecotone.formats.xlsx_parts import SheetPart, look_at_parts, part_of
from ecotone.model.dictionary import attributes
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import pandas as pd

_ENDINGS: Final = (".xlsx", ".xlsm")
#: Workbooks of before 2007, and encrypted ones of today, are OLE containers.
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
#: Rows looked at to find where the table begins and how wide it is.
_HEAD_ROWS: Final = 200
_BLOCK_CELLS: Final = 2_000_000


class Workbook:
    """A workbook of sheets; see :class:`ecotone.formats.base.Format`."""

    name = "xlsx"
    title_key = "format.xlsx.title"
    extensions = _ENDINGS
    spec = "https://ecma-international.org/publications-and-standards/standards/ecma-376/"

    def recognise(self, source: Source) -> bool:
        """A workbook by its name and first bytes; old and encrypted ones too, to refuse them."""
        return bool(_members(source))

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the rows of each sheet."""
        members = _members(source)
        if not members:
            raise refused("workbook-none", file=source.name)
        others = [m for m in source.members if m not in members]
        if others:
            params = {"count": str(len(others))}
            report(Finding("member-unread", Severity.WARNING, value=others[0], params=params))
        for member in members:
            yield from _read_workbook(source, member, options, report, reject)


FORMAT = Workbook()


def _members(source: Source) -> list[str]:
    found = []
    for member in source.members:
        if source.only is None and not member.lower().endswith((*_ENDINGS, ".xls")):
            continue
        with source.open(member) as stream:
            head = stream.read(8)
        zipped = head.startswith(_ZIP) and member.lower().endswith(_ENDINGS)
        if zipped or head == _OLE:
            found.append(member)
    return found


def _read_workbook(
    source: Source, member: str, options: ReadOptions, report: Report, reject: Reject
) -> Iterator[Table]:
    import openpyxl

    with source.open(member) as stream:
        if stream.read(8) == _OLE:
            raise refused("workbook-old", file=member)
    path = source.local_path(member)
    parts = look_at_parts(path, member, source.limits)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except _BROKEN as error:
        raise refused("workbook-broken", file=member) from error
    struck = frozenset(
        number for number, style in enumerate(book._cell_styles)
        if book._fonts[style.fontId].strike
    )  # fmt: skip
    try:
        for sheet in _chosen(book, options.sheet, member, report):
            part = parts.get(part_of(sheet._worksheet_path), SheetPart())
            several = len(book.worksheets) > 1 and options.sheet is None
            file = f"{member} [{sheet.title}]" if several else member
            reader = _Sheet(sheet, part, file, source, options, report, reject, struck=struck)
            yield from reader.tables()
    finally:
        book.close()


#: What the library raises on workbooks that are not what they say.
_BROKEN: Final = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError, SyntaxError,
)  # fmt: skip


def _chosen(book: Any, wanted: str | None, member: str, report: Report) -> list[Any]:
    """The sheet that was asked for, or all that can be seen."""
    names = [sheet.title for sheet in book.worksheets]  # sheets of charts hold no cells
    if wanted is not None:
        if wanted not in names:
            raise refused("sheet-missing", file=member, value=wanted, sheets=", ".join(names))
        return [book[wanted]]
    visible = [s for s in book.worksheets if s.sheet_state == "visible"]
    hidden = [s.title for s in book.worksheets if s.sheet_state != "visible"]
    if hidden:
        params = {"sheets": ", ".join(hidden)}
        report(Finding("sheet-hidden", Severity.INFO, file=member, params=params))
    return visible


@dataclass
class _Sheet:
    """One pass over one sheet."""

    sheet: Any
    part: SheetPart
    file: str
    source: Source
    options: ReadOptions
    report: Report
    reject: Reject
    cells: int = 0
    noun: str | None = None
    struck: frozenset[int] = frozenset()  #: styles of cells that are crossed out
    numeric: set[int] = field(default_factory=set)

    def tables(self) -> Iterator[Table]:
        rows = self.rows()
        head = list(itertools.islice(rows, _HEAD_ROWS))
        if not head or str(next(filter(None, head[0][1]), "")).startswith(NO_DATA):
            return
        template = head_of([row[1] for row in head[:2]])
        if template is not None:
            yield from self.of_template(template, head, rows)
            return
        layout = layout_of(head, self.part.merges, self.options.header)
        self.tell_shape(layout)
        names = column_names(layout.names, layout.width, self.file, self.report)
        if layout.names is None:
            columns = f"column_1 … column_{layout.width}"
            self.tell("header-absent", Severity.WARNING, columns=columns)
        if self.options.type is None:
            self.tell("unmapped", Severity.WARNING)
        body = self.one_table(itertools.chain(head[layout.skip :], rows), layout.names)
        yield from self.blocks(body, names)

    def of_template(self, head: Head, rows: list[Row], rest: Iterator[Row]) -> Iterator[Table]:
        """The rows of a template of ours, by its hidden ids."""
        if head.version > VERSION:
            raise refused("template-newer", file=self.file, found=str(head.version))
        if head.is_correction and self.options.type != CORRECTION:
            raise refused("template-correction", file=self.file, noun=head.noun)
        width = max(len(head.columns), *(filled(row) for row in rows))
        ids = [*head.columns, *[""] * (width - len(head.columns))]
        names = self.template_names(head.noun, ids, rows[1][1] if len(rows) > 1 else [])
        self.noun = head.noun
        self.tell_parts(2)
        body = itertools.chain(rows[2 if head.titled else 1 :], rest)
        yield from self.blocks(self.without_examples(body, ids), names)

    def template_names(self, noun: str, ids: list[str], titles: list[Cell]) -> list[str]:
        """One name for each column: the attribute, or what the user calls a column of their own."""
        known = attributes(noun)
        named = [name for name in ids if name not in ("", "#")]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise refused("template-column-twice", file=self.file, columns=", ".join(twice))
        keys = [name for name in named if name.startswith("@")]
        gone = [a.name for a in known.values() if a.required and a.name not in named and not keys]
        if gone:
            raise refused("template-column-deleted", file=self.file, columns=", ".join(gone))
        strange = [name for name in named if name not in known and name not in keys]
        if strange:
            self.tell("template-column-unknown", Severity.WARNING, columns=", ".join(strange))
        own: list[str] = []
        names: list[str] = []
        for place, name in enumerate(ids):
            shown = (titles[place] if place < len(titles) else None) or f"column_{place + 1}"
            if name == "":
                own.append(shown)
            if name == "#":
                names.append("ecotone:notes")  # left out where the delivery is taken in
            else:
                names.append(name if name in known or name in keys else f"+{name or shown}")
        if own:
            self.tell("template-column-own", Severity.WARNING, columns=", ".join(own))
        return different(names)

    def without_examples(self, rows: Iterator[Row], ids: list[str]) -> Iterator[Row]:
        """The rows that are not marked as an example; a note is no record."""
        notes = ids.index("#") if "#" in ids else None
        marks = example_marks()
        for row in rows:
            text = row[1][notes] if notes is not None and notes < len(row[1]) else None
            if text is not None and text.strip().casefold() in marks:
                params = {"number": str(row[0])}
                said = Finding("template-example", Severity.INFO, file=self.file, params=params)
                self.report(said)
            else:
                yield row

    def one_table(self, rows: Iterator[Row], header: list[str] | None) -> Iterator[Row]:
        """The rows until a second table begins below the first; its rows are turned away."""
        before: int | None = None
        looked = 0
        for number, row in enumerate(rows, start=1):
            gap = before is not None and row[0] > before + 1
            if gap and doubts.begins_table(row[1], self.numeric):
                self.turn_away(number, row, 0, "table-second")
                for later, other in enumerate(rows, start=number + 1):
                    self.turn_away(later, other, 0, "table-second")
                return
            before = row[0]
            if looked < _HEAD_ROWS:
                looked += 1
                self.numeric |= {i for i, text in enumerate(row[1]) if doubts.is_number(text)}
            yield row

    def blocks(self, body: Iterator[Row], names: list[str]) -> Iterator[Table]:
        size = max(1, min(self.options.block_rows, _BLOCK_CELLS // max(len(names), 1)))
        number = 0
        first = True
        while block := list(itertools.islice(body, size)):
            yield self.table(block, names, number)
            number += len(block)
            first = False
        if first:
            yield self.table([], names, 0)

    def rows(self) -> Iterator[Row]:
        """The rows that hold anything."""
        try:
            # The size a sheet states of itself may be wrong either way.
            self.sheet.reset_dimensions()
            for number, row in enumerate(self.sheet.iter_rows(), start=1):
                self.cells += len(row)
                if self.cells > self.source.limits.cells:
                    most = str(self.source.limits.cells)
                    raise refused("sheet-too-big", file=self.file, most=most)
                if len(row) > self.source.limits.columns:
                    most = str(self.source.limits.columns)
                    raise refused("too-many-columns", file=self.file, most=most)
                texts, errors, kinds = _texts(row, self.struck)
                if errors or any(text is not None for text in texts):
                    yield number, texts, errors, kinds
        except _BROKEN as error:
            raise refused("workbook-broken", file=self.file) from error

    def table(self, block: list[Row], names: list[str], before: int) -> Table:
        width = len(names)
        good: list[Row] = []
        index: list[int] = []
        for number, row in enumerate(block, start=before + 1):
            surplus = [t for t in row[1][width:] if t is not None]
            why = self.unfit(row, names)
            if surplus or why:
                self.turn_away(number, row, width, why or "field-count")
                continue
            for position, error in row[2].items():
                if position < width:
                    self.tell_error(number, row[0], names[position], error)
            good.append(row)
            index.append(number)
        frame = _frame([row[1] for row in good], names, self.options.missing)
        self.tell_doubts(frame, good, index)
        return Table(
            type=self.noun or self.options.type or "Record",
            vocabulary="ecotone" if self.noun else "",
            metadata={"sheet": self.sheet.title, "columns": json.dumps(names)},
            frame=frame,
            row=np.array(index, dtype=np.int64),
            line=np.array([row[0] for row in good], dtype=np.int64),
            file=self.file,
        )

    def unfit(self, row: Row, names: list[str]) -> str | None:
        """Why a row is no record."""
        if doubts.is_total(row[1]):
            return "row-total"
        shown = [text for text in row[1] if text is not None]
        if len(shown) > 1 and [t.strip() for t in shown] == [n for n in names if n in shown]:
            return "header-repeated"
        return None

    def tell_doubts(self, frame: pd.DataFrame, rows: list[Row], index: list[int]) -> None:
        """What Excel made of cells, and letters that are not what they look like."""
        width = frame.shape[1]
        by_kind: dict[tuple[int, str], list[int]] = {}
        for place, row in enumerate(rows):
            for position, kind in row[3].items():
                if position < width:
                    by_kind.setdefault((position, kind), []).append(place)
        for (position, kind), places in by_kind.items():
            name = str(frame.columns[position])
            if kind == "date" and not self.not_a_date(frame, name, len(places)):
                continue
            if kind == "scientific" and not self.among_texts(frame, name):
                continue
            self.tell_cells(f"cell-{kind}", name, frame, places, rows, index)
        for code, name, places in doubts.odd_texts(frame):
            self.tell_cells(code, name, frame, places, rows, index)

    def not_a_date(self, frame: pd.DataFrame, name: str, dates: int) -> bool:
        """Whether dates do not belong in a column: the template says so, or most other cells."""
        if self.noun is not None:
            known = attributes(self.noun).get(name)
            return known is not None and known.type != "time"
        return dates * 2 < int(frame[name].notna().sum())

    def among_texts(self, frame: pd.DataFrame, name: str) -> bool:
        """Whether a column holds codes: the template says so, or most cells are no numbers."""
        if self.noun is not None:
            known = attributes(self.noun).get(name)
            return known is not None and known.type in ("text", "id")
        texts = frame[name].dropna()
        return bool((~texts.map(doubts.is_number).astype(bool)).mean() >= 0.5)

    def tell_cells(
        self,
        code: str,
        name: str,
        frame: pd.DataFrame,
        places: list[int],
        rows: list[Row],
        index: list[int],
    ) -> None:
        for place in places:
            self.report(
                Finding(
                    code, Severity.WARNING, row=index[place], line=rows[place][0],
                    field=name.removeprefix("+"), value=str(frame[name].iloc[place]),
                    file=self.file,
                )
            )  # fmt: skip

    def turn_away(self, number: int, row: Row, width: int, code: str = "field-count") -> None:
        params = {"expected": str(width), "found": str(len(row[1]))}
        self.report(
            Finding(
                code, Severity.ERROR, row=number, line=row[0], file=self.file,
                params=params,
            )
        )  # fmt: skip
        raw = "\t".join("" if text is None else text for text in row[1])
        self.reject(self.file, number, row[0], raw)

    def tell(self, code: str, severity: Severity, **params: str) -> None:
        self.report(Finding(code, severity, file=self.file, params=params))

    def tell_error(self, number: int, line: int, name: str, error: str) -> None:
        self.report(
            Finding(
                "cell-error", Severity.WARNING, row=number, line=line, field=name, value=error,
                file=self.file,
            )
        )  # fmt: skip

    def tell_shape(self, layout: Layout) -> None:
        """What the reader of the sheet sees and the reader of the table does not."""
        if layout.titles:
            self.tell("sheet-title-rows", Severity.INFO, text=" / ".join(layout.titles)[:200])
        below = sum(merge.top > layout.last_header for merge in self.part.merges)
        if below:
            self.tell("cells-merged", Severity.WARNING, count=str(below))
        parting = beside(layout)
        if parting:
            self.tell("tables-beside", Severity.WARNING, column=parting)
        hidden = [n for n in self.part.hidden_columns if n - 1 in layout.filled]
        if hidden:
            names = ", ".join((layout.names or [])[n - 1] or str(n) if layout.names else str(n)
                              for n in hidden[:10])  # fmt: skip
            self.tell("columns-hidden", Severity.WARNING, count=str(len(hidden)), columns=names)
        self.tell_parts(layout.last_header)

    def tell_parts(self, last_header: int) -> None:
        """What the sheet hides, says beside its cells, or has not computed."""
        if self.part.comments:
            shown = ", ".join(self.part.comments[:10])
            count = str(len(self.part.comments))
            self.tell("cells-commented", Severity.INFO, count=count, cells=shown)
        if self.part.unvalued:
            count = str(self.part.unvalued)
            self.tell("formula-without-value", Severity.WARNING, count=count)
        hidden = [number for number in self.part.hidden_rows if number > last_header]
        if hidden:
            shown = ", ".join(map(str, hidden[:10])) + (" …" if len(hidden) > 10 else "")
            self.tell("rows-hidden", Severity.WARNING, count=str(len(hidden)), rows=shown)


def _texts(
    row: Sequence[Any], struck: frozenset[int]
) -> tuple[list[Cell], dict[int, str], dict[int, str]]:
    texts: list[Cell] = []
    errors: dict[int, str] = {}
    kinds: dict[int, str] = {}
    for position, cell in enumerate(row):
        value = cell.value
        if value is None or (isinstance(value, str) and not value.strip()):
            texts.append(None)
        elif cell.data_type == "e":
            errors[position] = str(value)
            texts.append(None)
        else:
            texts.append(_text(value, cell))
            if struck and cell._style_id in struck:
                kinds[position] = "struck"
            elif not isinstance(value, str) and (kind := doubts.kind_of(cell)):
                kinds[position] = kind
    return texts, errors, kinds


def _text(value: Any, cell: Any) -> str:
    """A cell's value as its reader sees it, dates in ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        shown = doubts.with_zeros(value, str(cell.number_format))
        if shown is not None:
            return shown
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # Excel keeps and shows fifteen digits; more would be noise of the binary form.
        return f"{value:.15g}"
    if isinstance(value, dt.datetime):
        shows_clock = any(sign in str(cell.number_format).lower() for sign in ("h", "s"))
        if value.time() == dt.time() and not shows_clock:
            return value.date().isoformat()
        return _rounded(value).isoformat(timespec="seconds")
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(value, dt.time):
        return value.isoformat(timespec="seconds")
    return str(value)


def _rounded(value: dt.datetime) -> dt.datetime:
    """To the second: a day counted in floating point misses it by microseconds."""
    return (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)


def _frame(rows: list[list[Cell]], names: list[str], missing: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    width = len(names)
    full = [[*row[:width], *[None] * (width - len(row))] for row in rows]
    frame = pd.DataFrame(full, columns=names, dtype="str")
    return frame.mask(frame.isin(list(missing))) if missing and len(frame) else frame


def write_xlsx(path: Path, sheets: dict[str, pd.DataFrame], *, made: dt.datetime) -> None:
    """Write a workbook, one frame a sheet; the same frames and ``made`` give the same bytes.

    Texts are stored as texts, marked so that they stay texts when somebody edits the cell:
    nothing a frame holds becomes a formula. Numbers stay numbers.
    """
    from ecotone.formats.xlsx_write import write

    write(path, sheets, made)
