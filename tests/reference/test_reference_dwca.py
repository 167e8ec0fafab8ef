"""Every row of the reference archives (GBIF dwca-io) and of the hostile inputs that are ours."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.support import SHARED, shared

from ecotone.ingest.delivery import Orders, process
from ecotone.ingest.sinks import DrySink

ARCHIVES = SHARED / "platform" / "dwca" / "expected.csv"
VERDICTS = {"accept": "accepted", "accept_or_warn": "accepted", "reject": "refused"}


class KeepingSink(DrySink):
    """A dry run that keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: dict[str, list[pd.DataFrame]] = {}

    def add(self, noun: str, frame: pd.DataFrame, rows: Any, lines: Any, file: str) -> None:
        super().add(noun, frame, rows, lines, file)
        self.frames.setdefault(noun, []).append(frame)

    def whole(self, noun: str) -> pd.DataFrame:
        return pd.concat(self.frames[noun], ignore_index=True)


def expected() -> list[dict[str, str]]:
    """The rows, or one that skips with the missing file's name."""
    if not ARCHIVES.exists():
        return [{"path": "expected.csv"}]
    with ARCHIVES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", expected(), ids=lambda row: row["path"])
def test_verdict_and_counts(row: dict[str, str]) -> None:
    sink = KeepingSink()
    if row["path"] == "invalid/empty":
        # Git keeps no empty folder; where it came along it counts as well.
        shared("platform/dwca/expected.csv")
    delivery = process(shared(f"platform/dwca/{row['path']}"), Orders(), sink)
    assert delivery.verdict == VERDICTS[row["verdict"]]
    if row["core_type"]:
        assert row["core_type"] in delivery.records
    if row["core_records"]:
        core = row["core_type"] or next(iter(delivery.records))
        assert delivery.records[core] == int(row["core_records"])
    assert delivery.rejected == 0


def deliver(path: str) -> KeepingSink:
    sink = KeepingSink()
    assert process(shared(f"platform/dwca/{path}"), Orders(), sink).verdict == "accepted"
    return sink


def test_multiline_header_contents() -> None:
    taxa = deliver("multiline-header").whole("Taxon")
    assert taxa["taxon_id"].tolist() == ["1", "2"]
    assert taxa["name"].tolist() == ["Quercus alba"] * 2
    assert taxa["rank"].tolist() == ["Species"] * 2


def test_several_files_make_one_core() -> None:
    taxa = deliver("multifile-multiline-header").whole("Taxon")
    assert taxa["taxon_id"].tolist() == ["1", "2", "3", "4", "5", "6"]


def test_escaped_quotes() -> None:
    occurrences = deliver("issues/csv-json-escaped-quotes").whole("Occurrence")
    (record,) = occurrences.to_dict("records")
    assert record["locality"] == "Cambridge, Cambridge"
    properties = json.loads(json.loads(record["extra"])["dynamicProperties"])
    assert properties["project"] == "eMesozoic"
    assert '"fragments of bone"' in properties["cataloguedescription"]


def test_the_core_id_stays_beside_the_occurrence_id() -> None:
    (record,) = deliver("issues/csv-json-escaped-quotes").whole("Occurrence").to_dict("records")
    assert record["occurrence_id"] == "13785542-2dc5-43bc-9cbf-59a35ff111f9"
    assert json.loads(record["extra"])["id"] == "779"


@pytest.mark.parametrize(
    ("path", "noun", "column", "values"),
    [
        ("csv_optional_quotes_excel2008CSV.csv", "Occurrence", "taxon",
         ["Gadus morhua", "Abies alba", "Pomatoma saltatrix", "Yikes ofcourses"]),
        ("csv_optional_quotes_excel2008CSV.csv", "Occurrence", "occurrence_id",
         ["1", "2", "3", "4"]),
        ("MOBOTDarwinCore.csv", "Occurrence", "occurrence_id",
         ["MO:Tropicos:1", "MO:Tropicos:2", "MO:Tropicos:3"]),
        ("issues/eol/my_darwincore.txt", "Taxon", "taxon_id", ["1", "2", "3"]),
        ("issues/eol/my_darwincore.txt", "Taxon", "family", ["gadidae", "channidae", "familyx"]),
    ],
)  # fmt: skip
def test_bare_tables_of_terms(path: str, noun: str, column: str, values: list[str]) -> None:
    assert deliver(path).whole(noun)[column].tolist() == values


def test_other_places_named_in_the_notes() -> None:
    assert "Martins Wood, Ightham" in set(
        deliver("csv_always_quoted.csv").whole("Occurrence")["locality"]
    )
    assert deliver("event.txt").whole("Event")["locality"][0] == "Aubach above Wiesthal"
    names = deliver("empty_line.tab").whole("Taxon")["name"]
    assert "Delphinus delphis var. delphis" in set(names)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tar_slip.tar", "archive-name-outside"),
        ("zip_slip.zip", "archive-name-outside"),
        ("zip_bomb_200MB.zip", "archive-bomb"),
        ("meta_location_escape.zip", "dwca-location-outside"),
        ("eml_xxe.xml", "xml-dtd"),
        ("eml_billion_laughs.xml", "xml-dtd"),
    ],
)
def test_hostile_archives(name: str, code: str, tmp_path: Path, monkeypatch: Any) -> None:
    path = shared(f"platform/faults/{name}")
    monkeypatch.chdir(tmp_path)
    process(path, Orders(), DrySink())  # imports are not what is timed
    sink = DrySink()
    start = time.process_time()
    delivery = process(path, Orders(), sink)
    assert time.process_time() - start < 1
    assert delivery.verdict == "refused"
    assert [json.loads(f)["code"] for f in sink.findings()] == [code]
    assert list(tmp_path.iterdir()) == []
