"""Twenty workbooks as they come from the field: each read right, or named; none changed in silence.

Each is made here by openpyxl; more than half of them were then opened and saved by LibreOffice,
which writes another XML for the same thing. Those lie in ``workbooks/``; after a change of a case

    python -m tests.unit.ingest.test_ingest_defective_workbooks

makes them anew.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font

from ecotone.formats.safe import open_source
from ecotone.formats.xlsx import FORMAT
from ecotone.ingest.delivery import Orders, process
from ecotone.ingest.sinks import DrySink

OFFICE = Path(__file__).with_name("workbooks")
HEADER = ["site", "date", "property", "value", "unit"]
GOOD = [
    ["S-1", "2024-05-13", "nitrate", 1.5, "mg/L"],
    ["S-2", "2024-05-14", "nitrate", 2.5, "mg/L"],
    ["S-3", "2024-05-15", "nitrate", 3.5, "mg/L"],
]
DAY = dt.date(2024, 5, 13)


@dataclass(frozen=True)
class Case:
    """A defect: how it is made, and what must come of it."""

    name: str
    make: Callable[[openpyxl.Workbook], None]
    named: tuple[str, ...] = ()  #: codes that must be told
    right: dict[tuple[int, str], str] | None = None  #: (record, column) -> text
    office: bool = False  #: saved by LibreOffice


def rows(*more: list[Any], header: list[Any] | None = None) -> Callable[[openpyxl.Workbook], None]:
    def make(book: openpyxl.Workbook) -> None:
        for row in [header or HEADER, *(more or GOOD)]:
            book.active.append(row)

    return make


def epoch_1904(book: openpyxl.Workbook) -> None:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book.epoch = CALENDAR_MAC_1904
    rows(*[[s, DAY, *rest] for s, _, *rest in GOOD])(book)


def merged_header(book: openpyxl.Workbook) -> None:
    sheet = book.active
    sheet.append(["site", "date", "Nutrients", None])
    sheet.append([None, None, "nitrate", "phosphate"])
    for site in ("S-1", "S-2"):
        sheet.append([site, "2024-05-13", 1.5, 0.2])
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:B2")
    sheet.merge_cells("C1:D1")


def merged_cells(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.active["A3"] = None
    book.active.merge_cells("A2:A3")


def two_below(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.active.append([])
    book.active.append(["station", "depth", "who", "note", "x"])
    book.active.append(["S-9", 4, "Li", "cold", "y"])


def two_beside(book: openpyxl.Workbook) -> None:
    for row, right in zip([HEADER, *GOOD], [["code", "ph"], ["P1", 7], ["P2", 8], ["P3", 9]],
                          strict=True):  # fmt: skip
        book.active.append([*row, None, *right])


def leading_zeros(book: openpyxl.Workbook) -> None:
    rows([7, "2024-05-13", "nitrate", 1.5, "mg/L"], ["0012", "2024-05-14", "nitrate", 2, "mg/L"])(
        book
    )
    book.active["A2"].number_format = "0000"


def hidden_rows(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.active.row_dimensions[3].hidden = True


def formulas(book: openpyxl.Workbook) -> None:
    rows(["S-1", "2024-05-13", "nitrate", "=1+0.5", "mg/L"], GOOD[1])(book)


def percent(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.active["D2"].number_format = "0%"


def error_cell(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.active["D3"] = "#N/A"


def hidden_sheet(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.create_sheet("old").append(["x"])
    book["old"].sheet_state = "hidden"


def number_formats(book: openpyxl.Workbook) -> None:
    """A non-detect that only the format shows, as laboratories make them."""
    rows()(book)
    book.active["D2"].number_format = '[<2]"<"0.0;0.0'
    book.active["D3"].number_format = '[<2]"<"0.0;0.0'
    book.active["D4"].number_format = '0.0" mg/L"'


def struck(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.active["D3"].font = Font(strike=True)


def hidden_column(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.active.column_dimensions["D"].hidden = True


def commented(book: openpyxl.Workbook) -> None:
    rows()(book)
    book.active["D2"].comment = Comment("really 15", "Lena")


def scientific(book: openpyxl.Workbook) -> None:
    rows(*[[f"{n}A", *r[1:]] for n, r in enumerate(GOOD)], [1e5, *GOOD[0][1:]])(book)
    book.active["A5"].number_format = "0.00E+00"


def wide_and_empty(book: openpyxl.Workbook) -> None:
    rows()(book)
    sheet = book.create_sheet("spare")
    sheet.cell(1, 16384).value = " "
    sheet.cell(1048576, 1).value = " "


def russian_merged(book: openpyxl.Workbook) -> None:
    for row in (
        ["Лаборатория", None, None, None],
        ["Станция", "Дата отбора", "Биогены, мг/л", None],
        [None, None, "Нитраты", "Фосфаты"],
        ["С-1", "13.05.2024", "1,5", "<0,05"],
    ):
        book.active.append(row)
    for merged in ("A1:D1", "A2:A3", "B2:B3", "C2:D2"):
        book.active.merge_cells(merged)


def text(place: int, value: Any, column: int) -> Callable[[openpyxl.Workbook], None]:
    changed = [list(row) for row in GOOD]
    changed[place][column] = value
    return rows(*changed)


CASES = [
    Case("1904 dates", epoch_1904, right={(0, "date"): "2024-05-13"}, office=True),
    Case("1904 dates, Excel's way", epoch_1904, right={(0, "date"): "2024-05-13"}),
    Case("01.02.2024", rows(["S-1", "01.02.2024", "nitrate", 1.5, "mg/L"]),
         named=("date-day-first",), office=True),
    Case("a code turned into a date", text(0, DAY, 0), named=("cell-date",), office=True),
    Case("decimal commas", text(1, "2,5", 3), named=("decimal-comma-undeclared",), office=True),
    Case("leading zeros", leading_zeros, right={(0, "site"): "0007", (1, "site"): "0012"},
         office=True),
    Case("merged two-row header", merged_header,
         right={(0, "Nutrients / nitrate"): "1.5", (1, "Nutrients / phosphate"): "0.2"},
         office=True),
    Case("merged cells in the body", merged_cells, named=("cells-merged",)),
    Case("two tables, one below", two_below, named=("table-second",), office=True),
    Case("two tables, side by side", two_beside, named=("tables-beside",)),
    Case("full-width digits in a value", text(0, "１．５", 3), right={(0, "value"): "１．５"}),
    Case("full-width letters in a code", text(1, "Ｓ－２", 0), named=("text-full-width",),
         office=True),
    Case("a Cyrillic letter in a Latin code", text(1, "S-2А", 0), named=("text-mixed-script",)),
    Case("a code in the other alphabet", text(1, "С-2", 0), named=("text-mixed-script",),
         office=True),
    Case("a sign without width in a code", text(1, "S\u200b-2", 0), named=("text-unseen",),
         office=True),
    Case("a dash for a hyphen in a code", text(1, "S\u20112", 0), named=("text-unseen",)),
    Case("#N/A", error_cell, named=("cell-error",)),
    Case("a trailing total", rows(*GOOD, ["Итого", None, None, 7.5, "mg/L"]),
         named=("row-total",), office=True),
    Case("hidden rows", hidden_rows, named=("rows-hidden",), office=True),
    Case("numbers as text", text(0, "1.5", 3), right={(0, "value"): "1.5"}),
    Case("formulas computed", formulas, right={(0, "value"): "1.5"}, office=True),
    Case("formulas not computed", formulas, named=("formula-without-value",)),
    Case("percent", percent, named=("cell-percent",), office=True),
    Case("a number too long", text(0, 1234567890123456789, 0), named=("cell-long",)),
    Case("the header again", rows(*GOOD[:2], HEADER, GOOD[2]), named=("header-repeated",)),
    Case("a hidden sheet", hidden_sheet, named=("sheet-hidden",), office=True),
    Case("a sign that the number format writes", number_formats, named=("cell-format",),
         office=True),
    Case("a crossed-out value", struck, named=("cell-struck",), office=True),
    Case("a hidden column", hidden_column, named=("columns-hidden",), office=True),
    Case("a comment in a cell", commented, named=("cells-commented",)),
    Case("a comment in a cell, LibreOffice's way", commented, named=("cells-commented",),
         office=True),
    Case("a code turned into a power of ten", scientific, named=("cell-scientific",), office=True),
    Case("a wide empty sheet", wide_and_empty, right={(0, "value"): "1.5"}),
    Case("a Russian merged header", russian_merged, office=True,
         right={(0, "Биогены, мг/л / Нитраты"): "1,5", (0, "Биогены, мг/л / Фосфаты"): "<0,05"}),
    Case("a Chinese date as text", text(0, "2024年5月1日", 1), right={(0, "date"): "2024年5月1日"}),
    Case("names of columns twice", rows(*[[*r, 9.9] for r in GOOD], header=[*HEADER, "value"]),
         named=("header-duplicate",), office=True),
    Case("formulas that fail", rows(["S-1", "2024-05-13", "nitrate", "=1/0", "mg/L"], GOOD[1]),
         named=("cell-error",), office=True),
    Case("a unit in the value", text(0, "1.5 mg/L", 3), named=("number-unreadable",)),
]  # fmt: skip


def saved(case: Case) -> Path:
    """The workbook of a case as LibreOffice saved it: made once, since it is slow to start."""
    return OFFICE / (re.sub(r"[^a-z0-9]+", "-", case.name.lower()).strip("-") + ".xlsx")


def save_by_office() -> None:
    """Write every case that LibreOffice saves through it into ``workbooks/``."""
    program = shutil.which("soffice")
    if program is None:
        raise SystemExit("LibreOffice is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in (c for c in CASES if c.office):
            written(case, folder / saved(case).name)
        subprocess.run(
            [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
             "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(OFFICE),
             *map(str, sorted(folder.glob("*.xlsx")))],
            check=True, capture_output=True, timeout=240,
        )  # fmt: skip


def written(case: Case, path: Path) -> Path:
    book = openpyxl.Workbook()
    case.make(book)
    book.save(path)
    return path


def texts(path: Path) -> list[dict[str, Any]]:
    """What the reader hands on."""
    from ecotone.formats.base import ReadOptions

    with open_source(path) as source:
        tables = list(FORMAT.read(source, ReadOptions(), lambda f: None, lambda *row: None))
    return [row for table in tables for row in table.frame.to_dict("records")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_right_or_named(case, tmp_path):
    path = saved(case) if case.office else written(case, tmp_path / "book.xlsx")
    sink = DrySink()
    process(path, Orders(), sink)
    told = [json.loads(line) for line in sink.findings()]
    codes = {finding["code"] for finding in told}
    sink.close()
    assert set(case.named) <= codes, told
    for (record, column), value in (case.right or {}).items():
        assert texts(path)[record][column] == value


def test_a_clean_workbook_is_told_nothing_but_that_nobody_mapped_it(tmp_path):
    path = written(Case("clean", rows()), tmp_path / "book.xlsx")
    sink = DrySink()
    process(path, Orders(zone="UTC"), sink)
    told = {json.loads(line)["code"] for line in sink.findings()}
    assert told <= {"unmapped", "date-order-inferred"}, told


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.xls", b"<html><table><tr><td>site<td>value</table></html>", "HTML"),
        ("a.xls", b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:'
                  b'spreadsheet"/>', "XML 2003"),
        ("a.xlsb", None, "XLSB"),
        ("a.ods", None, "OpenDocument"),
        ("a.xlsx", None, "OpenDocument"),
    ],
)  # fmt: skip
def test_tables_of_other_programs_are_named(tmp_path, name, content, kind):
    path = tmp_path / name
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("content.xml", "<x/>")
            archive.writestr("meta.xml", "<x/>")
            if kind == "XLSB":
                archive.writestr("[Content_Types].xml", "<x/>")
    else:
        path.write_bytes(content)
    sink = DrySink()
    process(path, Orders(), sink)
    (told,) = map(json.loads, sink.findings())
    sink.close()
    assert (told["code"], told["severity"]) == ("workbook-other", "fatal")
    assert kind in told["message"]


def test_half_of_them_are_saved_by_libreoffice():
    assert len(CASES) >= 20
    office = [case for case in CASES if case.office]
    assert len(office) * 2 >= len(CASES)
    for case in office:
        with zipfile.ZipFile(saved(case)) as archive:
            assert b"LibreOffice" in archive.read("docProps/app.xml")


if __name__ == "__main__":
    save_by_office()
