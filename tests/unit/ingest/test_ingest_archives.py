"""Archives and packages through the whole ingest: which noun, which attribute, which verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ecotone.formats.camtrapdp_records import as_fields
from ecotone.formats.camtrapdp_rules import TABLES
from ecotone.formats.camtrapdp_write import write_camtrapdp
from ecotone.formats.dwc_records import as_terms
from ecotone.formats.dwca_write import write_dwca
from ecotone.ingest.delivery import Delivery, Orders, process
from ecotone.ingest.sinks import DrySink

UTC = "UTC"


class KeepingSink(DrySink):
    """A dry run that keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: dict[str, list[pd.DataFrame]] = {}
        self.rejects: list[tuple[str, int, str, str | None]] = []

    def add(self, noun: str, frame: pd.DataFrame, rows: Any, lines: Any, file: str) -> None:
        super().add(noun, frame, rows, lines, file)
        self.frames.setdefault(noun, []).append(frame)

    def reject(self, file: str, row: int, line: int, raw: str, finding: Any) -> None:
        super().reject(file, row, line, raw, finding)
        self.rejects.append((file, row, raw, None if finding is None else finding.code))

    def one(self, noun: str) -> pd.DataFrame:
        return pd.concat(self.frames[noun], ignore_index=True)

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.findings()]


def deliver(path: Path) -> tuple[Delivery, KeepingSink]:
    sink = KeepingSink()
    return process(path, Orders(), sink), sink


def test_an_event_archive_links_its_occurrences(tmp_path: Path) -> None:
    tables = {
        "Event": pd.DataFrame(
            {
                "eventID": ["e1", "e2"],
                "eventDate": ["2025-06-01/2025-06-03", "2025-06-04T05:00:00+05:00"],
                "decimalLatitude": ["38.5", "38.6"],
                "decimalLongitude": ["73.2", "73.3"],
                "geodeticDatum": ["EPSG:4326"] * 2,
                "coordinateUncertaintyInMeters": ["100", "30"],
                "samplingProtocol": ["transect"] * 2,
                "locality": ["upper valley", None],
            },
            dtype="str",
        ),
        "Occurrence": pd.DataFrame(
            {
                "coreid": ["e1", "e1", "e2"],
                "occurrenceID": ["o1", "o2", "o3"],
                "scientificName": ["Panthera uncia", "Capra sibirica", "Capra sibirica"],
                "individualCount": ["1", "12", None],
                "basisOfRecord": ["HumanObservation"] * 3,
            },
            dtype="str",
        ),
    }
    delivery, sink = deliver(write_dwca(tmp_path / "e.zip", tables, {"title": "x"}, core="Event"))
    assert (delivery.verdict, delivery.format) == ("accepted", "dwca")
    assert delivery.records == {"Event": 2, "Occurrence": 3}
    events, occurrences = sink.one("Event"), sink.one("Occurrence")
    assert events["event_id"].tolist() == ["e1", "e2"]
    assert events["coordinate_uncertainty_m"].tolist() == [100, 30]
    assert events["time_start"].tolist() == [
        pd.Timestamp("2025-06-01", tz=UTC), pd.Timestamp("2025-06-04", tz=UTC),
    ]  # fmt: skip
    assert events["time_precision"].tolist() == ["day", "second"]
    assert occurrences["event"].tolist() == ["e1", "e1", "e2"]
    assert occurrences["taxon"].tolist()[0] == "Panthera uncia"
    assert occurrences["individual_count"].tolist() == [1, 12, pd.NA]


def test_an_own_event_of_an_occurrence_is_kept(tmp_path: Path) -> None:
    tables = {
        "Event": pd.DataFrame({"eventID": ["e1"], "parentEventID": ["season"]}, dtype="str"),
        "Occurrence": pd.DataFrame(
            {"coreid": ["e1"], "eventID": ["e1:a"], "occurrenceID": ["o1"]}, dtype="str"
        ),
    }
    _, sink = deliver(write_dwca(tmp_path / "e.zip", tables, {}, core="Event"))
    assert sink.one("Occurrence")["event"].tolist() == ["e1:a"]
    assert json.loads(sink.one("Occurrence")["extra"][0])["coreid"] == "e1"
    assert sink.one("Event")["parent_event"].tolist() == ["season"]


def test_what_was_generalised_before_stays_written_on_the_record(tmp_path: Path) -> None:
    occurrences = pd.DataFrame(
        {
            "id": ["1"],
            "scientificName": ["Panthera uncia"],
            "dataGeneralizations": ["placed in a cell of 0.1 degree"],
            "informationWithheld": ["locality"],
        },
        dtype="str",
    )
    _, sink = deliver(write_dwca(tmp_path / "o.zip", {"Occurrence": occurrences}, {}))
    (record,) = sink.one("Occurrence").to_dict("records")
    assert record["occurrence_id"] == "1"
    assert record["source_generalizations"] == "placed in a cell of 0.1 degree"
    assert record["source_withheld"] == "locality"
    assert "extra" not in record


def test_loose_rows_make_the_delivery_partial(tmp_path: Path) -> None:
    folder = tmp_path / "o"
    core = pd.DataFrame({"occurrenceID": ["1"], "scientificName": ["Uncia uncia"]}, dtype="str")
    facts = pd.DataFrame({"coreid": ["1"], "measurementType": ["length"]}, dtype="str")
    write_dwca(folder, {"Occurrence": core, "MeasurementOrFact": facts}, {})
    table = folder / "measurementorfact.csv"
    table.write_text(table.read_text("utf-8") + '"9","mass"\n', encoding="utf-8")
    delivery, sink = deliver(folder)
    assert delivery.verdict == "partial"
    assert delivery.records == {"Occurrence": 1, "MeasurementOrFact": 1}
    assert sink.rejects == [
        ("measurementorfact.csv", 2, '{"coreid":"9","measurementType":"mass"}',
         "dwca-core-not-found")
    ]  # fmt: skip


STUDY = {
    "created": "2026-03-01T08:00:00Z",
    "contributors": [{"title": "SUEA"}],
    "project": {
        "title": "Pass", "samplingDesign": "targeted", "captureMethod": ["activityDetection"],
        "individualAnimals": False, "observationLevel": ["media", "event"],
    },
}  # fmt: skip


def package(folder: Path) -> Path:
    deployments = pd.DataFrame(
        {
            "deploymentID": ["d1", "d2"],
            "locationID": ["L1", "L2"],
            "latitude": ["38.1", "38.2"],
            "longitude": ["73.1", "73.2"],
            "coordinateUncertainty": ["50", "60"],
            "deploymentStart": ["2025-06-01T06:00:00+05:00"] * 2,
            "deploymentEnd": ["2025-07-01T06:00:00+05:00"] * 2,
            "cameraID": ["c7", "c8"],
            "setupBy": ["A. Rahimova", None],
        },
        dtype="str",
    )
    media = pd.DataFrame(
        {
            "mediaID": ["m1", "m2"],
            "deploymentID": ["d1", "d2"],
            "timestamp": ["2025-06-02T06:00:00+05:00", "2025-06-02T06:00:00+05:00"],
            "filePath": ["media/1.jpg", "media/2.jpg"],
            "filePublic": ["true", "false"],
            "fileMediatype": ["image/jpeg"] * 2,
        },
        dtype="str",
    )
    observations = pd.DataFrame(
        {
            "observationID": ["o1", "o2"],
            "deploymentID": ["d1", "d2"],
            "mediaID": ["m1", None],
            "eventStart": ["2025-06-02T06:00:00+05:00"] * 2,
            "eventEnd": ["2025-06-02T06:00:10+05:00"] * 2,
            "observationLevel": ["media", "event"],
            "observationType": ["animal", "blank"],
            "scientificName": ["Panthera uncia", None],
            "count": ["2", None],
            "individualID": ["F1", None],
            "classificationMethod": ["human", None],
            "classifiedBy": ["B. Li", None],
        },
        dtype="str",
    )
    return write_camtrapdp(folder, deployments, media, observations, STUDY)


def test_a_camera_trap_package_becomes_nouns(tmp_path: Path) -> None:
    delivery, sink = deliver(package(tmp_path / "p.zip"))
    assert (delivery.verdict, delivery.format) == ("accepted", "camtrapdp")
    assert delivery.records == {"Deployment": 2, "Media": 2, "Observation": 2}
    assert sink.told() == []
    deployment = sink.one("Deployment").iloc[0]
    assert deployment["deployment_id"] == "d1"
    assert deployment["site"] == "L1"
    assert deployment["device"] == "c7"
    assert deployment["set_up_by"] == "A. Rahimova"
    assert deployment["latitude"] == 38.1
    assert deployment["coordinate_uncertainty_m"] == 50
    assert deployment["time_start"] == pd.Timestamp("2025-06-01T01:00:00", tz=UTC)
    assert deployment["time_end"] == pd.Timestamp("2025-07-01T01:00:00", tz=UTC)
    assert deployment["time_zone"] == "+05:00"
    picture = sink.one("Media").iloc[1]
    assert picture["public"] is not pd.NA
    assert not picture["public"]
    assert picture["deployment"] == "d2"
    assert picture["path"] == "media/2.jpg"
    assert picture["time_start"] == pd.Timestamp("2025-06-02T01:00:00", tz=UTC)
    seen = sink.one("Observation").iloc[0]
    assert seen["observation_id"] == "o1"
    assert seen["media"] == "m1"
    assert seen["level"] == "media"
    assert seen["kind"] == "animal"
    assert seen["taxon"] == "Panthera uncia"
    assert seen["count"] == 2
    assert seen["individual"] == "F1"
    assert seen["observer"] == "B. Li"
    assert seen["time_end"] == pd.Timestamp("2025-06-02T01:00:10", tz=UTC)


@pytest.mark.parametrize(
    ("table", "before", "after", "code", "verdict"),
    [
        ("media", "2025-06-02T06:00:00+05:00", "2025-06-02T06:00:00", "camtrapdp-time-zone",
         "partial"),
        ("media", '"d2"', '"d9"', "camtrapdp-key-loose", "partial"),
        ("media", "media/2.jpg", "../2.jpg", "camtrapdp-path", "partial"),
        ("observations", '"blank"', '"Blank"', "camtrapdp-choice", "partial"),
        ("observations", '"o2"', '"o1"', "camtrapdp-key-twice", "partial"),
        ("media", "2025-06-02T06", "2024-06-02T06", "camtrapdp-outside-deployment", "accepted"),
        ("deployments", "2025-07-01T06", "2025-05-01T06", "camtrapdp-interval", "partial"),
        ("deployments", '"38.2"', '"98.2"', "camtrapdp-range", "partial"),
    ],
)  # fmt: skip
def test_a_fault_is_told_once(
    tmp_path: Path, table: str, before: str, after: str, code: str, verdict: str
) -> None:
    folder = package(tmp_path / "p")
    file = folder / f"{table}.csv"
    lines = file.read_text("utf-8").split("\n")
    lines[2] = lines[2].replace(before, after)
    file.write_text("\n".join(lines), encoding="utf-8")
    delivery, sink = deliver(folder)
    assert delivery.verdict == verdict
    assert [(f["code"], f["row"]) for f in sink.told()] == [(code, 2)]
    assert [r[3] for r in sink.rejects] == ([code] if verdict == "partial" else [])


def test_a_package_read_and_written_again_says_the_same(tmp_path: Path) -> None:
    _, sink = deliver(package(tmp_path / "p.zip"))
    tables = {table: as_fields(table, sink.one(noun)) for table, noun in TABLES.items()}
    again = write_camtrapdp(tmp_path / "again.zip", *tables.values(), STUDY)
    delivery, back = deliver(again)
    assert delivery.verdict == "accepted"
    assert back.told() == []
    for noun in TABLES.values():
        told = ["time_text", "time_zone"]
        before = sink.one(noun).drop(columns=told).dropna(axis=1, how="all")
        after = back.one(noun).drop(columns=told).dropna(axis=1, how="all")
        pd.testing.assert_frame_equal(after, before, check_dtype=False)


def test_occurrences_read_and_written_again_say_the_same(tmp_path: Path) -> None:
    occurrences = pd.DataFrame(
        {
            "occurrenceID": ["1", "2"],
            "scientificName": ["Panthera uncia", "Capra sibirica"],
            "eventDate": ["2025-06-01", "2025-06-01T06:00:00+05:00"],
            "decimalLatitude": ["38.5", "38.25"],
            "decimalLongitude": ["73", "73.5"],
            "geodeticDatum": ["EPSG:4326"] * 2,
            "coordinateUncertaintyInMeters": ["100", "30.5"],
            "individualCount": ["3", None],
            "continent": ["Asia", None],
        },
        dtype="str",
    )
    _, sink = deliver(write_dwca(tmp_path / "a.zip", {"Occurrence": occurrences}, {}))
    terms = as_terms("Occurrence", sink.one("Occurrence"))
    for name in occurrences:
        assert terms[name].fillna("").tolist() == occurrences[name].fillna("").tolist()
    delivery, back = deliver(write_dwca(tmp_path / "b.zip", {"Occurrence": terms}, {}))
    assert delivery.verdict == "accepted"
    assert set(back.one("Occurrence")["time_text"]) == set(occurrences["eventDate"])
