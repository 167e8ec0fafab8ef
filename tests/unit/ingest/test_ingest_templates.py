"""Templates go out in three languages, come back in any, and are given back marked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from tests.command import ecotone
from tests.nodes import new_node

from ecotone.formats.workbook_template import columns_of, nouns
from ecotone.model.dictionary import attributes

ROW = {
    "site": "S-007",
    "property": "nitrate",
    "value": "1.25",
    "unit": "mg/L",
    "time_start": "2024-05-31 09:30",
    "time_zone": "+06:00",
}


def made(folder: Path, noun: str, lang: str) -> Path:
    path = folder / f"{noun}-{lang}.xlsx"
    told = ecotone("template", noun, "--lang", lang, "-o", path)
    assert told.code == 0, told.err
    return path


def fill(path: Path, *rows: dict[str, object], start: int = 4) -> openpyxl.Workbook:
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = {str(c.value).split(".")[-1]: c.column for c in sheet[1]}
    for number, row in enumerate(rows, start=start):
        for name, value in row.items():
            sheet.cell(number, at[name]).value = value
    book.save(path)
    return book


def deliver(path: Path, *more: object) -> dict:
    return ecotone("ingest", path, "--dry-run", "--json", *more).json


@pytest.fixture
def node(tmp_path: Path) -> Path:
    with new_node(tmp_path / "node") as store:
        return store.folder


@pytest.mark.parametrize("noun", nouns())
def test_every_noun_has_a_template_that_reads_as_itself(tmp_path, noun):
    path = made(tmp_path, noun, "ru")
    book = openpyxl.load_workbook(path)
    data, help_sheet = book.worksheets
    assert data.row_dimensions[1].hidden
    assert data["A1"].value == f"ecotone:{noun}.#1"
    listed = [a for a in columns_of(noun) if a.choices or a.type == "boolean"]
    assert len(data.data_validations.dataValidation) == len(listed)
    assert help_sheet.max_row > len(columns_of(noun))
    told = deliver(path)
    assert [f["code"] for f in told["findings"]] == ["template-example"]
    assert told["records"] == {noun: 0}


@pytest.mark.parametrize("lang", ["en", "zh", "ru"])
def test_any_language_lands_on_the_attributes(tmp_path, node, lang):
    path = made(tmp_path, "Observation", lang)
    fill(path, ROW, ROW | {"value": "<0.05", "time_start": "2024-06-01"})
    told = ecotone("ingest", path, "--dataset", "kncm-water", "--node", node, "--json")
    assert told.code == 0, told.err
    assert told.json["verdict"] == "accepted", told.json
    from ecotone.store import open_node

    with open_node(node) as store:
        (frame,) = store.select("Observation", datasets=["kncm-water"])
    frame = frame.sort_values("time_start")
    assert frame["site"].tolist() == ["S-007", "S-007"]
    assert frame["value"].tolist() == [1.25, 0.05]
    assert frame["limit_kind"].tolist()[1] == "below"
    assert str(frame["time_start"].iloc[0]) == "2024-05-31 03:30:00+00:00"


def test_moved_and_deleted_and_own_columns(tmp_path):
    path = made(tmp_path, "Site", "en")
    fill(path, {"site_id": "0012", "latitude": 42.5, "longitude": 74.5})
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = {str(c.value).split(".")[-1]: c.column for c in sheet[1]}
    sheet.cell(2, sheet.max_column + 1).value = "Mood of the day"
    sheet.cell(4, sheet.max_column).value = "good"
    sheet.delete_cols(at["name"])
    sheet.delete_cols(1)
    sheet.delete_rows(3)
    book.save(path)
    told = deliver(path)
    assert told["records"] == {"Site": 1}
    assert {f["code"] for f in told["findings"]} == {"template-column-own", "datum-undeclared"}
    sheet.delete_cols(next(c.column for c in sheet[1] if str(c.value).endswith(".site_id")))
    book.save(path)
    told = deliver(path)
    assert told["verdict"] == "refused"
    assert [f["code"] for f in told["findings"]] == ["template-column-deleted"]


def test_a_deleted_title_row_costs_no_record(tmp_path):
    path = made(tmp_path, "Site", "zh")
    book = fill(path, {"site_id": "S1"})
    book.worksheets[0].delete_rows(2, 2)
    book.save(path)
    assert deliver(path)["records"] == {"Site": 1}


@pytest.mark.parametrize(
    ("cell", "text", "code"),
    [
        ("A1", "ecotone:Site.#9", "template-newer"),
        ("A1", "ecotone:Site.site_id", "template-column-twice"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(tmp_path, cell, text, code):
    path = made(tmp_path, "Site", "en")
    book = openpyxl.load_workbook(path)
    book.worksheets[0][cell] = text
    book.save(path)
    told = deliver(path)
    assert told["verdict"] == "refused"
    assert [f["code"] for f in told["findings"]] == [code]


def test_a_noun_without_template_and_a_strange_language(tmp_path):
    assert ecotone("template", "Coverage", "-o", tmp_path / "x.xlsx").code == 2
    assert ecotone("template", "Site", "--lang", "fr", "-o", tmp_path / "x.xlsx").code == 2
    assert not (tmp_path / "x.xlsx").exists()


def marks(path: Path) -> dict[str, str]:
    book = openpyxl.load_workbook(path)
    return {
        f"{sheet.title}!{c.coordinate}": c.comment.text
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for c in row
        if c.comment
    }


def test_the_workbook_comes_back_marked_and_clean_once_mended(tmp_path):
    path = made(tmp_path, "Observation", "en")
    book = fill(path, ROW | {"value": "many"}, ROW | {"unit": "furlongs"})
    sheet = book.worksheets[0]
    at = {str(c.value).split(".")[-1]: c.column for c in sheet[1]}
    sheet.cell(6, at["remarks"]).value = "=1+1"
    book.save(path)
    out = tmp_path / "marked.xlsx"
    told = deliver(path, "--marked", out)
    assert told["verdict"] == "partial"
    found = marks(out)
    bad = sheet.cell(4, at["value"]).coordinate
    assert "many" in found[f"Observation!{bad}"]
    back = openpyxl.load_workbook(out)
    assert back.worksheets[0][bad].fill.fgColor.rgb == "FFF4B6B0"
    assert back.worksheets[0].cell(6, at["remarks"]).value == "=1+1"
    assert back.worksheets[0].row_dimensions[1].hidden
    assert "ecotone" in back.sheetnames
    fill(out, {"value": 2.5}, {"unit": "mg/L"})
    again = tmp_path / "again.xlsx"
    deliver(out, "--marked", again)
    assert not {k for k in marks(again) if k.startswith("Observation!") and k.endswith(bad)}


def test_a_committed_delivery_comes_back_marked_too_also_the_second_time(tmp_path, node):
    path = tmp_path / "plain.xlsx"
    book = openpyxl.Workbook()
    for row in (["Станция", "Дата", "Значение"], ["S1", "2024-01-01", "1,5"], ["S2", "x", "2"]):
        book.active.append(row)
    book.save(path)
    for attempt in ("one.xlsx", "two.xlsx"):
        out = tmp_path / attempt
        told = ecotone("ingest", path, "--dataset", "kncm-water", "--node", node, "--marked", out)
        assert told.code == 0, told.err
        assert any(key.endswith("!C2") for key in marks(out)), marks(out)


def test_a_protected_workbook_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "secret.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    told = ecotone("ingest", path, "--dry-run", "--json", "--marked", tmp_path / "o.xlsx")
    assert told.code == 3
    assert [f["code"] for f in told.json["findings"]] == ["workbook-old"]
    assert not (tmp_path / "o.xlsx").exists()


def test_a_refused_template_comes_back_with_the_reason_on_its_own_sheet(tmp_path):
    path = made(tmp_path, "Site", "en")
    book = openpyxl.load_workbook(path)
    at = {str(c.value).split(".")[-1]: c.column for c in book.worksheets[0][1]}
    book.worksheets[0].delete_cols(at["site_id"])
    book.save(path)
    out = tmp_path / "o.xlsx"
    assert ecotone("ingest", path, "--dry-run", "--marked", out).code == 3
    shown = [row[1] for row in openpyxl.load_workbook(out)["ecotone"].iter_rows(values_only=True)]
    assert any("site_id" in str(text) for text in shown)


def test_a_workbook_with_macros_keeps_them_untouched_and_is_read(tmp_path):
    plain = made(tmp_path, "Site", "en")
    fill(plain, {"site_id": "S1"})
    path = tmp_path / "macro.xlsm"
    path.write_bytes(plain.read_bytes())
    assert deliver(path)["records"] == {"Site": 1}


def test_what_is_no_workbook_is_not_marked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    told = ecotone("ingest", path, "--dry-run", "--marked", tmp_path / "o.xlsx")
    assert told.code == 2
    assert "a.csv" in told.err
    assert attributes("Site")


def test_a_comment_of_the_users_own_outlives_two_rounds(tmp_path):
    from openpyxl.comments import Comment

    path = made(tmp_path, "Observation", "en")
    book = fill(path, ROW | {"value": "many"})
    at = {str(c.value).split(".")[-1]: c.column for c in book.worksheets[0][1]}
    book.worksheets[0].cell(4, at["value"]).comment = Comment("ask Lena", "Aigul")
    book.save(path)
    place = book.worksheets[0].cell(4, at["value"]).coordinate
    for attempt in ("one.xlsx", "two.xlsx"):
        out = tmp_path / attempt
        deliver(path, "--marked", out)
        text = marks(out)[f"Observation!{place}"]
        assert "many" in text and text.count("ask Lena") == 1
        path = out


def test_macros_stay_only_where_the_name_says_so(tmp_path):
    path = tmp_path / "macro.xlsm"
    path.write_bytes(made(tmp_path, "Site", "en").read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    for ending, kept in (("xlsx", False), ("xlsm", True)):
        out = tmp_path / f"o.{ending}"
        deliver(path, "--marked", out)
        with zipfile.ZipFile(out) as archive:
            assert ("xl/vbaProject.bin" in archive.namelist()) == kept
            assert (b"macroEnabled" in archive.read("[Content_Types].xml")) == kept
