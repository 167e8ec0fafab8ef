"""Rows out, edited, back in: the difference, who else stood on it, and who was second."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from tests.command import ecotone, speaking
from tests.nodes import WATER, deliver, everything, new_node, results

from ecotone.store import open_node


@pytest.fixture
def node(tmp_path: Path) -> Path:
    with new_node(tmp_path / "node") as store:
        deliver(store, results(30))
        return store.folder


def exported(node: Path, path: Path, *more: object) -> openpyxl.Workbook:
    told = ecotone("correct", "Observation", "--export", path, "--node", node, *more)
    assert told.code == 0, told.err
    return openpyxl.load_workbook(path)


def put(book: openpyxl.Workbook, path: Path, number: int, **cells: object) -> str:
    sheet = book.worksheets[0]
    at = {str(c.value).split(".")[-1]: c.column for c in sheet[1]}
    row = 3 + number
    for name, value in cells.items():
        sheet.cell(row, at[name]).value = value
    book.save(path)
    return str(sheet.cell(row, at["@id"]).value)


def take(node: Path, path: Path, *more: object, why: str = "misread"):
    return ecotone("correct", "Observation", "--from", path, "--why", why, "--node", node,
                   "--json", *more)  # fmt: skip


def values(node: Path) -> pd.DataFrame:
    with open_node(node) as store:
        return everything(store).set_index("id")


def test_a_workbook_sent_back_unchanged_changes_nothing(node, tmp_path):
    for name in ("rows.xlsx", "rows.csv"):
        path = tmp_path / name
        told = ecotone("correct", "Observation", "--export", path, "--node", node)
        assert told.code == 0, told.err
        before = values(node)
        told = take(node, path)
        assert told.code == 0, told.err
        assert told.json["corrected"] == [] and told.json["unchanged"] == 30
        pd.testing.assert_frame_equal(before, values(node))


def test_an_edited_cell_becomes_a_correction_with_reason_and_person(node, tmp_path):
    path = tmp_path / "rows.xlsx"
    book = exported(node, path, "--where", "site=S03")
    assert book.worksheets[0].max_row >= 3
    with open_node(node) as store:
        release = store.record_release(
            reader="XIEG", purpose="assessment", action="derive", dataset_id=WATER.dataset_id,
            noun="Observation", level="full", agreement_id="A", agreement_version=1, rows=30,
            sha256="0" * 64,
        )  # fmt: skip
        store.record_run("run-1", "runs/run-1", releases=[release])
    record = put(book, path, 0, value=9.75, site="S-new", remarks="=HYPERLINK(1)")
    told = take(node, path)
    assert told.code == 0, told.err
    (one,) = told.json["corrected"]
    assert one["id"] == record and (one["old"], one["new"]) == (1, 2)
    assert one["diff"]["value"] == [0.75, 9.75] and one["diff"]["site"] == ["S03", "S-new"]
    assert told.json["results"] == ["run-1"] and told.json["partners"] == ["XIEG"]
    assert values(node).loc[record, "value"] == 9.75
    with open_node(node) as store:
        newest = store.history("Observation", record).iloc[-1]
        assert (newest["reason"], newest["person"]) == ("misread", "aigul")
        assert store.verify_ledger() == []


def test_the_second_of_two_people_is_told_and_nothing_of_theirs_is_done(node, tmp_path):
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    one, two = exported(node, first), exported(node, second)
    put(one, first, 1, value=100)
    put(two, second, 1, value=200)
    put(two, second, 2, value=300)
    assert take(node, first, why="pipette").code == 0
    before = values(node)
    told = take(node, second)
    assert told.code == 3
    assert "aigul" in told.err and "pipette" in told.err
    pd.testing.assert_frame_equal(before, values(node))


def test_two_people_at_different_rows_do_not_disturb_each_other(node, tmp_path):
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    one, two = exported(node, first), exported(node, second)
    mine, yours = put(one, first, 1, value=100), put(two, second, 2, value=300)
    assert take(node, first).code == 0
    told = take(node, second)
    assert [c["id"] for c in told.json["corrected"]] == [yours]
    assert values(node).loc[[mine, yours], "value"].tolist() == [100, 300]


def test_an_emptied_cell_and_a_csv(node, tmp_path):
    path = tmp_path / "rows.csv"
    ecotone("correct", "Observation", "--export", path, "--where", "observation_id=lab-8",
            "--node", node)  # fmt: skip
    frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    assert len(frame) == 1 and frame["time_start"].iloc[0].endswith("Z")
    frame.loc[0, "site"] = ""
    frame.loc[0, "time_start"] = "2001-02-03T04:05:06Z"
    frame.to_csv(path, index=False, encoding="utf-8-sig")
    told = take(node, path)
    assert told.code == 0, told.err
    (one,) = told.json["corrected"]
    assert set(one["diff"]) == {"site", "time_start"} and one["diff"]["site"][1] is None


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"value": "many"}, "many"),
        ({"time_start": "03.02.2001"}, "03.02.2001"),
        ({"limit_kind": "sideways"}, "sideways"),
        ({"@id": "nobody"}, "nobody"),
        ({"@version": "x"}, "x"),
        ({"@version": 7, "value": 55}, "7"),
    ],
)
def test_what_cannot_be_is_named(node, tmp_path, cells, word):
    path = tmp_path / "rows.xlsx"
    book = exported(node, path)
    put(book, path, 4, **({"value": 1} | cells))
    before = values(node)
    told = take(node, path)
    assert told.code in (2, 3)
    assert word in told.err
    pd.testing.assert_frame_equal(before, values(node))


def test_other_files_and_ways(node, tmp_path):
    path = tmp_path / "rows.xlsx"
    exported(node, path)
    wrong = ecotone("correct", "Site", "--from", path, "--why", "x", "--node", node)
    assert wrong.code == 3
    told = ecotone("ingest", path, "--dry-run", "--json")
    assert [f["code"] for f in told.json["findings"]] == ["template-correction"]
    assert ecotone("correct", "Observation", "--node", node).code == 2
    assert ecotone("correct", "Observation", "--from", path, "--node", node).code == 2
    assert ecotone("correct", "Observation", "--export", tmp_path / "x.xlsx", "--where",
                   "site=nowhere", "--node", node).code == 2  # fmt: skip
    plain = tmp_path / "plain.csv"
    plain.write_text("a,b\n1,2\n", encoding="utf-8")
    assert take(node, plain).code == 3


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ";"), ("gb18030", ","), ("utf-16", "\t")]
)
def test_a_csv_as_excel_of_another_country_saves_it(node, tmp_path, encoding, delimiter):
    path = tmp_path / "rows.csv"
    ecotone("correct", "Observation", "--export", path, "--node", node)
    frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    frame.loc[4, "remarks"] = "повтор 复测"
    frame.to_csv(path, index=False, encoding=encoding, sep=delimiter, lineterminator="\r\n")
    told = take(node, path)
    assert told.code == 0, told.err
    (one,) = told.json["corrected"]
    assert one["diff"] == {"remarks": [None, "повтор 复测"]}


def test_letters_a_code_page_lacks_are_not_corrected_into_question_marks(node, tmp_path):
    path = tmp_path / "rows.csv"
    ecotone("correct", "Observation", "--export", path, "--node", node)
    frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    frame.to_csv(path, index=False, encoding="cp1251", sep=";", errors="replace")
    before = values(node)
    with speaking("ru"):
        told = take(node, path)
    assert told.code == 3 and told.err.count("вопросительными знаками") == 30
    pd.testing.assert_frame_equal(before, values(node))
