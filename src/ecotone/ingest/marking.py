"""The user's own workbook given back: bad cells coloured, the sentence as a comment.

Everything else stays as it was; marks of an earlier check are taken off first. What concerns no
single cell stands on a sheet of its own, which is not read when the workbook is delivered again.
"""

from __future__ import annotations

import json
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.safe import open_source
from ecotone.formats.workbook_template import head_of
from ecotone.formats.xlsx_parts import MARKER
from ecotone.model.errors import UsageError
from ecotone.model.words import Language, say

AUTHOR: Final = MARKER
#: Between our sentence and the comment that was there before.
_THEIRS: Final = "\n---\n"
_COLOURS: Final = {"error": "FFF4B6B0", "fatal": "FFF4B6B0", "warning": "FFFFE699"}
_MARKED: Final = ("error", "warning")
_SHEET: Final = "ecotone"
_LONGEST: Final = 2000


@dataclass(frozen=True)
class Place:
    """Where the records of one sheet stand."""

    sheet: str
    columns: tuple[str, ...]


def mark(
    path: Path, findings: Iterable[str], out: Path, lang: Language, options: ReadOptions
) -> int:
    """Write ``path`` to ``out`` with its findings (lines of JSON); the number of marked cells.

    Raises UsageError where ``path`` is no workbook that can be opened.
    """
    book = _open(path, macros=out.suffix.lower() == ".xlsm")
    places = _places(path, options)
    _wipe(book)
    told = [json.loads(line) for line in findings]
    cells: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    rest = []
    for finding in told:
        where = _where(finding, places, book)
        if where is None or finding["severity"] not in _MARKED:
            rest.append(finding)
        else:
            cells.setdefault(where, []).append(finding)
    for (sheet, row, column), found in cells.items():
        _mark_cell(book[sheet].cell(row=row, column=column), found)
    _tell_rest(book, rest, lang)
    part = out.with_name(out.name + ".part")
    book.save(part)
    part.replace(out)
    return len(cells)


def _open(path: Path, macros: bool) -> Any:
    """The workbook; its macros only where the result may bear them, or Excel would not open it."""
    import openpyxl

    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        raise UsageError(say("marking.not-a-workbook", file=path.name))
    try:
        return openpyxl.load_workbook(path, keep_vba=macros)
    except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(say("marking.not-a-workbook", file=path.name)) from error


def _places(path: Path, options: ReadOptions) -> dict[str, Place]:
    """``{file as findings name it: where}``, by reading the workbook as the delivery did."""
    from ecotone.formats.xlsx import FORMAT

    found: dict[str, Place] = {}
    try:
        with open_source(path) as source:
            for table in FORMAT.read(source, options, lambda finding: None, lambda *row: None):
                columns = tuple(json.loads(table.metadata["columns"]))
                found[table.file] = Place(table.metadata["sheet"], columns)
    except Refused:
        # A refused workbook has findings as a whole; they go on the sheet of their own.
        return found
    return found


def _wipe(book: Any) -> None:
    """Take off the marks of an earlier check."""
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    if _SHEET in book.sheetnames:
        del book[_SHEET]
    for sheet in book.worksheets:
        for cell in _commented(sheet):
            _, parted, theirs = cell.comment.text.partition(_THEIRS)
            cell.comment = Comment(theirs, "") if parted else None
            if cell.fill.fgColor.rgb in _COLOURS.values():
                cell.fill = PatternFill()


def _commented(sheet: Any) -> Iterator[Any]:
    """The cells that bear a comment of ours."""
    for row in sheet.iter_rows():
        for cell in row:
            comment = getattr(cell, "comment", None)
            if comment is not None and comment.author == AUTHOR:
                yield cell


def _where(
    finding: dict[str, Any], places: dict[str, Place], book: Any
) -> tuple[str, int, int] | None:
    """The cell a finding speaks of; the first of its row where it names no column."""
    line = finding.get("line")
    place = places.get(finding.get("file") or "")
    if line is None or place is None or finding["row"] is None:
        return None
    column = 1
    names = [name.removeprefix("+") for name in place.columns]
    if finding["field"] in names:
        column = names.index(finding["field"]) + 1
    sheet = book[place.sheet]
    for merged in sheet.merged_cells.ranges:
        if (line, column) in merged.cells:
            return place.sheet, merged.min_row, merged.min_col
    if column == 1 and finding["field"] not in names:
        # The column of notes is hidden in no template, yet the eye looks at the first datum.
        head = head_of([[_text(c.value) for c in row] for row in sheet.iter_rows(max_row=2)])
        column = 2 if head is not None and len(head.columns) > 1 else 1
    return place.sheet, int(line), column


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _mark_cell(cell: Any, found: list[dict[str, Any]]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    worst = "error" if any(f["severity"] == "error" for f in found) else "warning"
    text = "\n".join(dict.fromkeys(str(f["message"]) for f in found))[:_LONGEST]
    if cell.comment is not None:
        text = f"{text}{_THEIRS}{cell.comment.text}"
    comment = Comment(text, AUTHOR)
    comment.width = 320
    comment.height = 40 + 18 * min(14, 1 + _width(text) // 48)
    cell.comment = comment
    cell.fill = PatternFill("solid", fgColor=_COLOURS[worst])


def _width(text: str) -> int:
    """Columns a text takes: signs of East Asia are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _tell_rest(book: Any, rest: list[dict[str, Any]], lang: Language) -> None:
    """What concerns no single cell."""
    if not rest:
        return
    sheet = book.create_sheet(_SHEET)
    sheet.append(["ecotone:findings"])
    sheet.row_dimensions[1].hidden = True
    sheet.append([str(say("marking.findings", lang))])
    sheet.column_dimensions["A"].width = 14
    sheet.column_dimensions["B"].width = 110
    for finding in rest:
        sheet.append([str(say(f"cli.severity.{finding['severity']}", lang)), finding["message"]])
        for cell in sheet[sheet.max_row]:
            cell.data_type = "s"
