"""Workbooks: what Excel shows, what it hides, and what must not be let in."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from ecotone.formats.base import Limits, ReadOptions, Refused
from ecotone.formats.safe import open_source
from ecotone.formats.xlsx import FORMAT, write_xlsx
from ecotone.model.finding import Finding
from ecotone.model.table import Table

MADE = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
#: Excel knows no zones.
MORNING = dt.datetime(2023, 7, 1, 5, 30)  # noqa: DTZ001
MIDNIGHT = dt.datetime(2023, 7, 2)  # noqa: DTZ001


def book(path: Path, rows: list[list[Any]], **more: list[list[Any]]) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "Data"
    for row in rows:
        sheet.append(row)
    for title, others in more.items():
        extra = made.create_sheet(title)
        for row in others:
            extra.append(row)
    made.save(path)
    return made


def read(
    path: Path, limits: Limits | None = None, **options: object
) -> tuple[list[Table], list[Finding], list[tuple[int, int, str]]]:
    findings: list[Finding] = []
    rejected: list[tuple[int, int, str]] = []
    with open_source(path, limits) as source:
        assert FORMAT.recognise(source)
        tables = list(
            FORMAT.read(
                source, ReadOptions(**options), findings.append,  # type: ignore[arg-type]
                lambda file, row, line, raw: rejected.append((row, line, raw)),
            )
        )  # fmt: skip
    for finding in findings:
        for lang in ("en", "zh", "ru"):
            assert finding.message(lang)
    return tables, findings, rejected


def rewrite(path: Path, change: dict[str, tuple[bytes, bytes]]) -> None:
    """Change bytes inside parts of a workbook."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in given.namelist():
            data = given.read(name)
            if name in change:
                assert change[name][0] in data
                data = data.replace(*change[name])
            kept.writestr(name, data)
    path.write_bytes(out.getvalue())


def test_cells_become_the_text_excel_shows(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(
        path,
        [
            ["site", "day", "time", "clock", "value", "count", "flag", "span"],
            ["Хорог", dt.date(2023, 7, 1), MORNING, dt.time(5, 30),
             0.1 + 0.2, 5, True, dt.timedelta(hours=27, minutes=5)],
            ["站", None, MIDNIGHT, None, 1e-7, -3, False, None],
        ],
    )  # fmt: skip
    (table,), findings, rejected = read(path)
    assert table.frame.fillna("-").values.tolist() == [
        ["Хорог", "2023-07-01", "2023-07-01T05:30:00", "05:30:00", "0.3", "5", "TRUE", "27:05:00"],
        ["站", "-", "2023-07-02T00:00:00", "-", "1e-07", "-3", "FALSE", "-"],
    ]
    assert table.row.tolist() == [1, 2]
    assert table.line.tolist() == [2, 3]
    assert [f.code for f in findings] == ["unmapped"]
    assert rejected == []


def test_title_rows_and_merged_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    made = book(
        path,
        [
            ["Water quality 2023"],
            [],
            ["Site", "Nutrients", None, "Metals"],
            [None, "nitrate", "ammonium", "lead"],
            ["A", 1.5, 2, 3],
            [],
            ["B", 2.5, 3, 4],
        ],
    )
    sheet = made["Data"]
    for merged in ("A1:D1", "A3:A4", "B3:C3", "A7:A8"):
        sheet.merge_cells(merged)
    made.save(path)
    (table,), findings, _ = read(path)
    assert list(table.frame.columns) == [
        "Site", "Nutrients / nitrate", "Nutrients / ammonium", "Metals / lead",
    ]  # fmt: skip
    assert table.frame["Site"].tolist() == ["A", "B"]
    assert table.line.tolist() == [5, 7]
    codes = {f.code: dict(f.params) for f in findings}
    assert codes["sheet-title-rows"] == {"text": "Water quality 2023"}
    assert codes["cells-merged"] == {"count": "1"}


def test_error_cells_are_missing_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, [["site", "value"], ["A", "#N/A"], ["B", "#DIV/0!"], ["C", 1]])
    (table,), findings, _ = read(path)
    assert table.frame["value"].isna().tolist() == [True, True, False]
    told = [(f.row, f.line, f.field, f.value) for f in findings if f.code == "cell-error"]
    assert told == [(1, 2, "value", "#N/A"), (2, 3, "value", "#DIV/0!")]


def test_formulas_are_read_by_their_values(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, [["site", "value"], ["A", "=1+1"], ["B", "=2+2"]])
    rewrite(path, {"xl/worksheets/sheet1.xml": (b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>")})
    (table,), findings, _ = read(path)
    assert table.frame["value"].fillna("-").tolist() == ["2", "-"]
    (told,) = [f for f in findings if f.code == "formula-without-value"]
    assert dict(told.params) == {"count": "1"}


def test_sheets_hidden_named_and_many(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    made = book(path, [["a"], ["1"]], Second=[["b"], ["x"], ["y"]], Secret=[["c"], ["z"]])
    made["Secret"].sheet_state = "hidden"
    made.save(path)
    tables, findings, _ = read(path)
    assert [(t.file, len(t.frame)) for t in tables] == [
        ("a.xlsx [Data]", 1),
        ("a.xlsx [Second]", 2),
    ]
    assert {f.code for f in findings} == {"sheet-hidden", "unmapped"}
    (only,), _, _ = read(path, sheet="Secret")
    assert only.frame["c"].tolist() == ["z"]
    assert only.file == "a.xlsx"
    with pytest.raises(Refused, match="no sheet 'Absent'"):
        read(path, sheet="Absent")


def test_a_row_wider_than_the_table_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    rows = [["a", "b"], *[[str(i), "x"] for i in range(300)]]
    rows[250] = ["250", "x", "stray"]
    book(path, rows)
    (table,), findings, rejected = read(path)
    assert len(table.frame) == 299
    assert [(f.row, f.line) for f in findings if f.code == "field-count"] == [(250, 251)]
    assert rejected == [(250, 251, "250\tx\tstray")]


def test_blocks_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, [["a", "b"], *[[i, i] for i in range(10)]])
    tables, findings, _ = read(path, block_rows=4)
    assert [len(t.frame) for t in tables] == [4, 4, 2]
    assert [n for t in tables for n in t.row.tolist()] == list(range(1, 11))
    assert [f.code for f in findings] == ["unmapped"]


def test_a_table_without_header(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, [[1, "x", 2.5], [2, "y", 3.5]])
    (table,), findings, _ = read(path)
    assert len(table.frame) == 2
    assert "header-absent" in {f.code for f in findings}


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "_rels/.rels"]
)
def test_document_types_in_any_part_are_refused(tmp_path: Path, part: str) -> None:
    path = tmp_path / "a.xlsx"
    book(path, [["a"], ["1"]])
    with zipfile.ZipFile(path) as archive:
        start = archive.read(part)[:40]
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol">]>'
    rewrite(path, {part: (start, bomb + start)})
    with pytest.raises(Refused, match="document type"):
        read(path)


def test_hostile_workbooks_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<a/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 20_000_000)
    with pytest.raises(Refused, match="times its packed size"):
        read(bomb)
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("[Content_Types].xml", "<a/>")
    with pytest.raises(Refused, match="damaged"):
        read(broken)
    old = tmp_path / "old.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    with pytest.raises(Refused, match="97-2003"):
        read(old)


def test_too_many_cells_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, [["a", "b"], *[[i, i] for i in range(300)]])
    with pytest.raises(Refused, match="more than 500 cells"):
        read(path, Limits(cells=500))


def test_a_sheet_that_lies_about_its_rows_is_read_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, [["a"], ["1"]])
    rewrite(path, {"xl/worksheets/sheet1.xml": (b'<row r="2"', b'<row r="1048576"')})
    (table,), _, _ = read(path)
    assert len(table.frame) == 1
    assert table.line.tolist() == [1048576]


def test_what_is_written_is_read_back_and_never_computes(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "text": ["=1+1", "-5.2", "@x", "+a", "plain", None],
            "number": [1.5, 2.0, float("nan"), -5.2, 0.0, 1.0],
        }
    )
    first, second = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    for path in (first, second):
        write_xlsx(path, {"Data": frame}, made=MADE)
    assert first.read_bytes() == second.read_bytes()
    made = openpyxl.load_workbook(first)
    column = [cell for (cell,) in made["Data"].iter_rows(min_row=2, max_col=1)]
    assert {cell.data_type for cell in column} <= {"s", "n"}
    assert [cell.quotePrefix for cell in column] == [True, False, True, True, False, False]
    (table,), _, _ = read(first)
    assert table.frame["text"].fillna("-").tolist() == ["=1+1", "-5.2", "@x", "+a", "plain", "-"]
    assert table.frame["number"].fillna("-").tolist() == ["1.5", "2", "-", "-5.2", "0", "1"]


def test_a_workbook_inside_an_archive(tmp_path: Path) -> None:
    book(tmp_path / "a.xlsx", [["a"], ["1"]])
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.xlsx", "sub/a.xlsx")
        archive.writestr("notes.md", "x")
    (table,), findings, _ = read(tmp_path / "a.zip")
    assert table.frame["a"].tolist() == ["1"]
    assert "member-unread" in {f.code for f in findings}
