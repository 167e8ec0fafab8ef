"""The report's numbers as a workbook: every table a sheet, every number a number."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from ecotone.model import words
from ecotone.model.words import Language
from ecotone.report import l10n
from ecotone.report.archive import settle
from ecotone.report.document import (
    Cell,
    Cite,
    Column,
    Document,
    Measured,
    Placed,
    Status,
    Table,
    Text,
    TraceRef,
    arrange,
    citation_numbers,
    clean,
    plain,
)
from ecotone.report.present import column_decimals, value_of

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

#: What a spreadsheet may take for the start of a formula, wide forms included.
_FORMULA: Final = re.compile(r"^[\s\x00-\x20]*[=+\-@\uff1d\uff0b\uff0d\uff20\u2212|%]")
_FORBIDDEN_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\']")
_NAME_LIMIT: Final = 31
_TEXT_LIMIT: Final = 32_767
_WIDEST: Final = 60
_HEAD: Final = "F1F5F7"
_ACCENT: Final = "1F4E6B"


def render_xlsx(document: Document) -> bytes:
    """The workbook's bytes, the same for the same document: it takes values, not their words."""
    from openpyxl import Workbook

    book = Workbook()
    made = datetime(document.on.year, document.on.month, document.on.day)  # noqa: DTZ001 - the file format knows no zones
    book.properties.created = made
    book.properties.modified = made
    book.properties.creator = "Ecotone"
    book.properties.title = clean(document.title)
    front = book.active
    assert front is not None
    front.title = _sheet_name(words.say("report.fixed.contents", document.lang), set())
    names = {front.title}
    listed: list[Listed] = []
    cited = citation_numbers(document)
    for placed in (*_key_tables(document), *arrange(document)):
        table = placed.block
        if not isinstance(table, Table) or table.where == "page":
            continue
        label = (
            words.say("report.label.table", document.lang, number=placed.number)
            if placed.number
            else ""
        )
        name = _sheet_name(f"{placed.number} {table.sheet or table.name}".strip(), names)
        names.add(name)
        _write_table(book.create_sheet(name), table, label, cited, document.lang)
        listed.append(Listed(name, label, _flat(table.caption, cited), table.source))
    sources = _sheet_name(words.say("report.sheet.sources", document.lang), names)
    _write_sources(book.create_sheet(sources), document, listed, cited)
    _write_front(front, document, [*listed, Listed(sources, "", _sources_title(document), "")])
    out = io.BytesIO()
    book.save(out)
    return settle(out.getvalue(), made)


@dataclass(frozen=True, slots=True)
class Listed:
    """A sheet of the book: its table's label and caption, and the file its rows came from."""

    sheet: str
    label: str
    caption: str
    source: str


def _key_tables(document: Document) -> tuple[Placed, ...]:
    """Every number of the run with its bounds, its file and its key; first in the book."""
    lang = document.lang
    rows = tuple(
        (
            item.label,
            item.what,
            item.region,
            item.period,
            item.quantity.value,
            l10n.unit(item.quantity.unit, lang),
            item.quantity.low,
            item.quantity.high,
            item.quantity.level,
            item.quantity.se,
            item.path,
            item.key,
        )
        for item in document.traced
    )
    if not rows:
        return ()

    def title(key: str) -> str:
        return words.say(f"report.column.{key}", lang)

    columns = (
        Column(title("trace")),
        Column(title("quantity")),
        Column(title("region")),
        Column(title("period")),
        Column(title("value"), "number"),
        Column(title("unit")),
        Column(title("low"), "number"),
        Column(title("high"), "number"),
        Column(title("level"), "number", decimals=2),
        Column(title("se"), "number"),
        Column(title("result-file")),
        Column(title("key")),
    )
    caption = words.say("report.sheet.key-numbers", lang)
    table = Table(caption, columns, rows, caption=plain(caption), source="results/")
    return (Placed(table, "", ""),)


def _sources_title(document: Document) -> str:
    return words.say("report.sheet.sources.caption", document.lang)


def _write_sources(
    sheet: Worksheet, document: Document, listed: list[Listed], cited: dict[str, int]
) -> None:
    """Which file of the run each sheet was read from, and the works cited."""
    from openpyxl.styles import Alignment

    def title(key: str) -> str:
        return words.say(f"report.column.{key}", document.lang)

    _put(sheet, 1, 1, _sources_title(document)).font = _font(bold=True, color=_ACCENT)
    row = 3
    for index, head in enumerate((title("sheet"), title("result-file")), 1):
        _put(sheet, row, index, head).font = _font(bold=True)
    for item in listed:
        for source in item.source.split(", "):
            row += 1
            _put(sheet, row, 1, item.sheet)
            _put(sheet, row, 2, source)
    row += 2
    _put(sheet, row, 1, words.say("report.chapter.sources", document.lang)).font = _font(bold=True)
    for citation in sorted(document.citations, key=lambda c: cited[c.key]):
        row += 1
        _put(sheet, row, 1, f"[{cited[citation.key]}]")
        text = f"{citation.text} {citation.url}".strip()
        _put(sheet, row, 2, text).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width = 32
    sheet.column_dimensions["B"].width = 100


def _write_front(sheet: Worksheet, document: Document, listed: list[Listed]) -> None:
    from openpyxl.styles import Alignment

    lang = document.lang
    status = words.say(f"report.status.{document.status}", lang)
    facts = [
        (words.say("report.fixed.status", lang), status),
        (words.say("report.fixed.date", lang), document.on),
        (words.say("report.fixed.identifier", lang), document.identifier),
        (words.say("report.fixed.parties", lang), "; ".join(document.parties)),
    ]
    _put(sheet, 1, 1, document.title).font = _font(bold=True, size=16, color=_ACCENT)
    _put(sheet, 2, 1, document.subtitle)
    row = 4
    for name, value in facts:
        _put(sheet, row, 1, name).font = _font(color="5D6B75")
        _put(sheet, row, 2, value).alignment = Alignment(horizontal="left")
        row += 1
    row += 1
    _put(sheet, row, 1, words.say("report.fixed.contents", lang)).font = _font(
        bold=True, size=12, color=_ACCENT
    )
    for item in listed:
        row += 1
        cell = _put(sheet, row, 1, item.sheet)
        cell.hyperlink = f"#'{item.sheet}'!A1"
        cell.font = _font(color=_ACCENT, underline="single")
        text = f"{item.label}. {item.caption}" if item.label else item.caption
        _put(sheet, row, 2, text).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 90
    sheet.sheet_view.showGridLines = False
    _print_wide(sheet)


def _write_table(
    sheet: Worksheet, table: Table, label: str, cited: dict[str, int], lang: Language
) -> None:
    """Label and caption, head with units, then the rows."""
    from openpyxl.styles import Alignment, Border, PatternFill, Side
    from openpyxl.utils import get_column_letter

    caption = _flat(table.caption, cited)
    text = f"{label}. {caption}" if label else caption
    _put(sheet, 1, 1, text).font = _font(bold=True, color=_ACCENT)
    line = Side(style="medium", color=_ACCENT)
    for index, column in enumerate(table.columns, 1):
        unit = l10n.unit(column.unit, lang)
        cell = _put(sheet, 3, index, f"{column.title} ({unit})" if unit else column.title)
        cell.font = _font(bold=True)
        cell.fill = PatternFill("solid", fgColor=_HEAD)
        cell.border = Border(top=line, bottom=Side(style="thin", color=_ACCENT))
        cell.alignment = Alignment(
            wrap_text=True,
            vertical="bottom",
            horizontal="right" if column.kind == "number" else "left",
        )
        places = column_decimals(table, index - 1)
        pattern = number_format(places)
        widest = _letters(column.title)
        for offset, row in enumerate(table.rows):
            given = row[index - 1]
            value = value_of(given)
            if isinstance(given, tuple):
                given = _flat(given, cited)
            cell = _put(sheet, 4 + offset, index, given)
            if value is not None:
                own = pattern if column.unit or column.decimals is not None else _general(value)
                cell.number_format = "0.0%" if column.share else own
                cell.alignment = Alignment(vertical="top")
            else:
                widest = max(widest, _letters(str(cell.value or "")))
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(index)].width = min(_WIDEST, max(11, widest + 3))
    for offset, text in enumerate(t for t in (_flat(table.note, cited), _from(table, lang)) if t):
        cell = _put(sheet, 5 + len(table.rows) + offset, 1, text)
        cell.font = _font(italic=True, color="5D6B75")
    _fit_rows(sheet, 4, len(table.rows))
    sheet.freeze_panes = "A4"
    _print_wide(sheet)
    sheet.print_title_rows = "3:3"


def _from(table: Table, lang: Language) -> str:
    return words.say("report.source", lang, path=table.source) if table.source else ""


def _print_wide(sheet: Worksheet) -> None:
    """On paper: A4 across, all columns on one page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _fit_rows(sheet: Worksheet, first: int, count: int) -> None:
    """Rows as tall as their longest wrapped text; not every program finds that out itself."""
    for row in sheet.iter_rows(min_row=first, max_row=first + count - 1):
        lines = max(
            _lines(str(cell.value), sheet.column_dimensions[cell.column_letter].width)
            for cell in row
            if cell.value is not None or cell is row[0]
        )
        if lines > 1:
            sheet.row_dimensions[row[0].row].height = 15.0 * lines


def _general(value: float | int) -> str:
    """The pattern of a number whose column mixes quantities: its own decimals."""
    if isinstance(value, int) or float(value).is_integer():
        return "#,##0"
    return number_format(l10n.decimals_for([value], 4))


def _font(**style: Any) -> Any:
    """The workbook's one face."""
    from openpyxl.styles import Font

    return Font(**{"name": "Calibri", "size": 11, **style})


def _letters(text: str) -> int:
    """Letters of a text, East Asian ones counted twice."""
    return len(text) + sum(c >= "\u2e80" for c in text)


def _lines(text: str, width: float) -> int:
    """Lines a text takes in a column."""
    return max(1, -(-_letters(text) // max(1, int(width * 0.88))))


def number_format(places: int) -> str:
    """Excel's pattern; Excel itself puts the marks of the reader's language."""
    return "#,##0" + ("." + "0" * places if places else "")


def _put(sheet: Worksheet, row: int, column: int, value: Cell):  # type: ignore[no-untyped-def]  # openpyxl's cell classes have no common public type
    cell = sheet.cell(row=row, column=column)
    if isinstance(value, Status):
        value = value.text
    elif isinstance(value, Measured):
        value = value.quantity.value
    if isinstance(value, str):
        cell.value = neutral(value)[:_TEXT_LIMIT]
        cell.data_type = "s"
    elif isinstance(value, date):
        cell.value = value
        cell.number_format = "yyyy-mm-dd"
    elif isinstance(value, float) and not _finite(value):
        cell.value = None
    else:
        cell.value = value
    return cell


def _finite(value: float) -> bool:
    return value - value == 0


def neutral(text: str) -> str:
    """Text that no spreadsheet computes: a leading formula sign gets an apostrophe before it."""
    safe = clean(text)
    return f"'{safe}" if len(safe) > 1 and _FORMULA.match(safe) else safe


def _sheet_name(wanted: str, taken: set[str]) -> str:
    base = _FORBIDDEN_IN_NAMES.sub("-", clean(wanted)).replace("\n", " ")[:_NAME_LIMIT] or "-"
    name, number = base, 2
    lowered = {t.lower() for t in taken}
    while name.lower() in lowered:
        tail = f" ({number})"
        name = base[: _NAME_LIMIT - len(tail)] + tail
        number += 1
    return name


def _flat(text: Text, cited: dict[str, int]) -> str:
    """Running text as one string."""
    return "".join(
        f"[{cited[p.key]}]"
        if isinstance(p, Cite)
        else f"[{p.label}]"
        if isinstance(p, TraceRef)
        else p.text
        for p in text
    )
