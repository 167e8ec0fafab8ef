"""Why two runs differ: each planted cause gets its part, and the parts sum to the change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.command import ecotone

from ecotone.assess.blend import Tables
from ecotone.assess.compare import CAUSES, Comparison, compare
from ecotone.assess.run import assess
from ecotone.model.errors import InputRefused, UsageError


@pytest.fixture
def water(plan: Path) -> Path:
    """The plan without its rasters: the split is the same and the test is quick."""
    text = plan.read_text(encoding="utf-8")
    start = text.index('[[indicators]]\nid = "land.trend"')
    end = text.index('[[indicators]]\nid = "water.compliance"')
    plan.write_text(text[:start] + text[end:], encoding="utf-8")
    results = "station,property,date,value,unit\n" + "".join(
        f"S{i % 3},nitrate,{2001 + i % 10}-{1 + i // 10:02d}-01,{20 + i},mg/L\n" for i in range(40)
    )
    (plan.parent / "results.csv").write_text(results, encoding="utf-8")
    return plan


def changed(plan: Path, folder: Path, **edits: tuple[str, str]) -> Path:
    """A copy of the plan's folder with texts of its files replaced."""
    shutil.copytree(plan.parent, folder)
    for name, (old, new) in edits.items():
        path = next(p for p in folder.iterdir() if p.stem == name)
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    return folder / plan.name


def split(before: Path, after: Path) -> Comparison:
    found = compare(before, after)
    for figure in found.figures:
        if figure.parts:
            assert figure.change == pytest.approx(sum(figure.parts.values()), abs=1e-9)
            assert set(figure.parts) == set(CAUSES)
    return found


def causes(found: Comparison) -> set[str]:
    return {c for f in found.figures for c, part in f.parts.items() if abs(part) > 1e-9}


ADDED = ("S0,nitrate,2001-01-01", "S9,nitrate,2003-05-05,900,mg/L\nS0,nitrate,2001-01-01")
CORRECTED = (",59,mg/L", ",5,mg/L")
RULES = ("maximum,50", "maximum,30")


@pytest.mark.parametrize(
    ("edits", "cause"),
    [
        ({"results": ADDED}, "added"),
        ({"results": CORRECTED}, "corrected"),
        ({"standards": RULES}, "rules"),
    ],
)
def test_one_cause_gets_all_of_it(water, tmp_path, edits, cause):
    before = assess(water, tmp_path / "runs-a")
    after = assess(changed(water, tmp_path / "other", **edits), tmp_path / "runs-b")
    found = split(before, after)
    assert causes(found) == {cause}
    assert any(f.change for f in found.figures)


def test_several_causes_share_it_and_the_rest_is_interaction(water, tmp_path):
    before = assess(water, tmp_path / "runs-a")
    both = (ADDED[0], ADDED[1].replace(",900,", ",40,"))
    other = changed(water, tmp_path / "other", results=both, standards=RULES)
    path = other.parent / "results.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(*CORRECTED), encoding="utf-8")
    after = assess(other, tmp_path / "runs-b")
    found = split(before, after)
    assert {"added", "corrected", "rules", "interaction"} >= causes(found) >= {"added", "rules"}
    told = ecotone("compare", before, after, "--json")
    assert told.code == 0, told.err
    for figure in told.json["figures"]:
        if figure["parts"]:
            assert sum(figure["parts"].values()) == pytest.approx(figure["change"], abs=1e-9)
    out = tmp_path / "table.csv"
    shown = ecotone("compare", before, after, "-o", out)
    assert shown.code == 0, shown.err
    table = pd.read_csv(out, encoding="utf-8-sig")
    assert len(table) == len(found.figures)
    book = tmp_path / "table.xlsx"
    assert ecotone("compare", before, after, "-o", book).code == 0
    pd.testing.assert_frame_equal(pd.read_excel(book), table, check_dtype=False)
    told_no = ecotone("compare", before, after, "-o", tmp_path / "t.docx")
    assert told_no.code == 2 and not (tmp_path / "t.docx").exists()
    assert ecotone("compare", before, after, "-o", tmp_path / "t.json").code == 0
    assert json.loads((tmp_path / "t.json").read_text(encoding="utf-8")) == told.json


def test_a_run_beside_itself_has_no_change(water, tmp_path):
    run = assess(water, tmp_path / "runs")
    assert causes(split(run, run)) == set()


def test_another_version_of_the_software_is_named(water, tmp_path):
    run = assess(water, tmp_path / "runs")
    older = tmp_path / "older" / run.name
    shutil.copytree(tmp_path / "plan", tmp_path / "older" / "plan")
    shutil.copytree(run, older)
    document = json.loads((older / "run.json").read_text(encoding="utf-8"))
    told = older / document["results"][0]["path"]
    result = json.loads(told.read_text(encoding="utf-8"))
    name = next(n for n, v in result["values"].items() if v["value"] is not None)
    result["values"][name]["value"] += 7
    told.write_text(json.dumps(result), encoding="utf-8")
    for item in document["inputs"]:
        item["path"] = str((run / item["path"]).resolve())
    (older / "run.json").write_text(json.dumps(document), encoding="utf-8")
    found = split(older, run)
    (figure,) = [f for f in found.figures if f.name == name]
    assert figure.change == pytest.approx(-7) == figure.parts["software"]


def test_an_input_that_is_gone_is_named(water, tmp_path):
    run = assess(water, tmp_path / "runs")
    (water.parent / "results.csv").write_text("station\n", encoding="utf-8")
    with pytest.raises(InputRefused, match=r"results\.csv"):
        compare(run, run)
    with pytest.raises(UsageError):
        compare(tmp_path, run)


def test_rows_that_were_shared_otherwise_are_no_correction():
    rows = pd.DataFrame({"id": ["1", "2", "3"], "dataset_id": ["w", "w", "v"],
                         "value": ["1", "2", "3"], "version": ["1"] * 3})  # fmt: skip
    coarse = rows.assign(value=["9", "2", "4"])
    tables = Tables.of(rows, coarse, frozenset({"w"}))
    assert tables.factors == {"corrected", "sharing"}
    assert sorted(tables.blend(frozenset({"sharing"}))["value"]) == ["2", "3", "9"]
    assert sorted(tables.blend(frozenset({"corrected"}))["value"]) == ["1", "2", "4"]
    fewer = rows.iloc[1:]
    assert Tables.of(rows, fewer, frozenset()).factors == {"added"}
    assert Tables.of(rows, rows.assign(version="2"), frozenset()).factors == set()


def shared_as(run: Path, level: str) -> None:
    """Say in the run that its one dataset came at this level."""
    path = run / "run.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["agreements"] = [{"dataset": "w", "noun": "Observation", "level": level}]
    path.write_text(json.dumps(document), encoding="utf-8")


def test_a_level_of_sharing_is_told_from_a_correction(water, tmp_path):
    path = water.parent / "results.csv"
    table = pd.read_csv(path, dtype=str)
    table.insert(0, "dataset_id", "w")
    table.insert(0, "id", [f"r{i}" for i in range(len(table))])
    table.to_csv(path, index=False)
    before = assess(water, tmp_path / "runs-a")
    after = assess(changed(water, tmp_path / "other", results=CORRECTED), tmp_path / "runs-b")
    shared_as(before, "full")
    shared_as(after, "generalised")
    assert causes(split(before, after)) == {"sharing"}
    shared_as(after, "full")
    assert causes(split(before, after)) == {"corrected"}


def test_boundaries_get_their_part(water, tmp_path):
    path = water.parent / "results.csv"
    table = pd.read_csv(path, dtype=str)
    table["latitude"] = "39.5"
    table["longitude"] = ["70.2" if i % 2 else "70.8" for i in range(len(table))]
    table.to_csv(path, index=False)
    before = assess(water, tmp_path / "runs-a")
    other = changed(water, tmp_path / "other", regions=("[71.0, 39.0]", "[70.5, 39.0]"))
    outline = other.parent / "regions.geojson"
    text = outline.read_text(encoding="utf-8").replace("[71.0, 40.0]", "[70.5, 40.0]", 1)
    outline.write_text(text, encoding="utf-8")
    after = assess(other, tmp_path / "runs-b")
    assert causes(split(before, after)) == {"boundaries"}
