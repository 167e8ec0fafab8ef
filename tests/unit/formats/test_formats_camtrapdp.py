"""Camtrap DP by hand: a small sound package, then one fault at a time."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.camtrapdp import FORMAT
from ecotone.formats.camtrapdp_checks import Windows, read_times
from ecotone.formats.camtrapdp_rules import KEYS, TABLES, rules
from ecotone.formats.camtrapdp_write import write_camtrapdp
from ecotone.formats.keybook import KeyBook
from ecotone.formats.safe import open_source
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

STUDY: dict[str, Any] = {
    "created": "2026-03-01T08:00:00Z",
    "title": "Cats of the pass",
    "contributors": [{"title": "SUEA", "role": "rightsHolder"}],
    "project": {
        "title": "Pass",
        "samplingDesign": "targeted",
        "captureMethod": ["activityDetection"],
        "individualAnimals": False,
        "observationLevel": ["media", "event"],
    },
    "licenses": [{"name": "CC0-1.0", "scope": "data"}, {"name": "CC-BY-4.0", "scope": "media"}],
}

Tables = dict[str, pd.DataFrame]
#: A place in a sentence that nothing filled.
HOLE = re.compile(r"\{\w+\}")


def study() -> Tables:
    deployments = pd.DataFrame(
        {
            "deploymentID": ["d1", "d2"],
            "latitude": ["38.1", "38.2"],
            "longitude": ["73.1", "73.2"],
            "coordinateUncertainty": ["50", None],
            "deploymentStart": ["2025-06-01T06:00:00+05:00", "2025-06-01T06:00:00Z"],
            "deploymentEnd": ["2025-07-01T06:00:00+05:00", "2025-07-01T06:00:00Z"],
            "featureType": ["trailGame", None],
        },
        dtype="str",
    )
    media = pd.DataFrame(
        {
            "mediaID": ["m1", "m2", "m3"],
            "deploymentID": ["d1", "d1", "d2"],
            "timestamp": ["2025-06-02T06:00:00+05:00"] * 3,
            "filePath": ["media/1.jpg", "media/2.jpg", "https://example.org/3.jpg"],
            "filePublic": ["true", "false", "true"],
            "fileMediatype": ["image/jpeg", "video/mp4", "image/jpeg"],
        },
        dtype="str",
    )
    observations = pd.DataFrame(
        {
            "observationID": ["o1", "o2", "o3", "o4"],
            "deploymentID": ["d1", "d1", "d2", "d2"],
            "mediaID": ["m1", "m2", "m3", None],
            "eventID": ["e1", "e1", "e2", "e3"],
            "eventStart": ["2025-06-02T01:00:00Z"] * 4,
            "eventEnd": ["2025-06-02T01:00:05Z"] * 4,
            "observationLevel": ["media", "media", "media", "event"],
            "observationType": ["animal", "blank", "animal", "human"],
            "scientificName": ["Panthera uncia", None, "Capra sibirica", None],
            "count": ["1", None, "3", "1"],
            "classificationMethod": ["machine", "human", "human", None],
            "classificationProbability": ["0.93", None, None, None],
        },
        dtype="str",
    )
    return dict(zip(TABLES, (deployments, media, observations), strict=True))


def written(
    folder: Path, tables: Tables, change: Callable[[dict[str, Any]], None] = lambda c: None
) -> Path:
    """A package on disk that may be wrong: the true writer would refuse it."""
    good = study()
    write_camtrapdp(folder, *good.values(), STUDY)
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    descriptor = folder / "datapackage.json"
    content = json.loads(descriptor.read_text(encoding="utf-8"))
    change(content)
    descriptor.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder


class Heard:
    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.rejected: list[tuple[str, int, int, str]] = []

    def reject(self, file: str, row: int, line: int, raw: str) -> None:
        self.rejected.append((file, row, line, raw))


def read(path: Path, options: ReadOptions | None = None) -> tuple[dict[str, list[Table]], Heard]:
    heard = Heard()
    tables: dict[str, list[Table]] = {}
    with open_source(path) as source:
        assert FORMAT.recognise(source)
        for table in FORMAT.read(
            source, options or ReadOptions(), heard.findings.append, heard.reject
        ):
            assert table.vocabulary == "camtrapdp"
            tables.setdefault(table.type, []).append(table)
    for finding in heard.findings:
        for lang in ("en", "zh", "ru"):
            assert not HOLE.search(finding.message(lang))
    return tables, heard


def counts(tables: dict[str, list[Table]]) -> dict[str, int]:
    return {name: sum(len(t.frame) for t in blocks) for name, blocks in tables.items()}


def test_a_sound_package_says_nothing(tmp_path: Path) -> None:
    tables, heard = read(written(tmp_path / "p", {}))
    assert heard.findings == []
    assert counts(tables) == {"Deployment": 2, "Media": 3, "Observation": 4}
    first = tables["Deployment"][0]
    assert first.key == "deploymentID"
    assert first.metadata["licence"] == "CC0-1.0"
    assert first.metadata["licence_media"] == "CC-BY-4.0"
    assert first.metadata["project"] == "Pass"


def test_folder_descriptor_and_zip_read_the_same(tmp_path: Path) -> None:
    folder = written(tmp_path / "p", {})
    packed = tmp_path / "p.zip"
    with zipfile.ZipFile(packed, "w") as out:
        for file in sorted(folder.iterdir()):
            out.write(file, f"inside/{file.name}")
    whole = [read(p)[0] for p in (folder, folder / "datapackage.json", packed)]
    for tables in whole[1:]:
        for name, blocks in whole[0].items():
            pd.testing.assert_frame_equal(tables[name][0].frame, blocks[0].frame)


FAULTS = [
    ("deployments", "deploymentStart", 1, "2025-06-01T06:00:00", "camtrapdp-time-zone"),
    ("deployments", "deploymentStart", 1, "01.06.2025 06:00", "camtrapdp-time"),
    ("deployments", "deploymentStart", 1, "2025-06-31T06:00:00Z", "camtrapdp-time"),
    ("deployments", "deploymentEnd", 1, "2025-05-01T06:00:00Z", "camtrapdp-interval"),
    ("deployments", "latitude", 1, "91", "camtrapdp-range"),
    ("deployments", "latitude", 1, "38,2", "camtrapdp-number"),
    ("deployments", "latitude", 1, "inf", "camtrapdp-number"),
    ("deployments", "latitude", 1, None, "camtrapdp-required"),
    ("deployments", "coordinateUncertainty", 0, "0", "camtrapdp-range"),
    ("deployments", "coordinateUncertainty", 0, "50.5", "camtrapdp-number"),
    ("deployments", "featureType", 0, "road paved", "camtrapdp-choice"),
    ("observations", "observationID", 1, "o1", "camtrapdp-key-twice"),
    ("media", "deploymentID", 1, "d9", "camtrapdp-key-loose"),
    ("media", "filePath", 1, "../secret.jpg", "camtrapdp-path"),
    ("media", "filePath", 1, "a/../../secret.jpg", "camtrapdp-path"),
    ("media", "filePath", 1, "/etc/passwd", "camtrapdp-path"),
    ("media", "filePublic", 1, "perhaps", "camtrapdp-choice"),
    ("media", "fileMediatype", 1, "text/html", "camtrapdp-pattern"),
    ("observations", "observationType", 1, "Animal", "camtrapdp-choice"),
    ("observations", "deploymentID", 1, "d9", "camtrapdp-key-loose"),
    ("observations", "mediaID", 1, "m9", "camtrapdp-key-loose"),
    ("observations", "count", 0, "0", "camtrapdp-range"),
    ("observations", "eventEnd", 1, "2025-06-02T00:59:59Z", "camtrapdp-interval"),
    ("observations", "classificationProbability", 0, "1.01", "camtrapdp-range"),
    ("observations", "observationID", 1, None, "camtrapdp-required"),
]


@pytest.mark.parametrize(("table", "field", "row", "value", "code"), FAULTS)
def test_a_row_that_breaks_the_standard_is_rejected_once(
    tmp_path: Path, table: str, field: str, row: int, value: str | None, code: str
) -> None:
    tables = study()
    tables[table].loc[row, field] = value
    read_back, heard = read(written(tmp_path / "p", {table: tables[table]}))
    own = [f for f in heard.findings if f.severity is Severity.ERROR]
    assert [(f.code, f.row, f.line, f.field, f.file) for f in own] == [
        (code, row + 1, row + 2, field, f"{table}.csv")
    ]
    assert [(r[0], r[1], r[2]) for r in heard.rejected] == [(f"{table}.csv", row + 1, row + 2)]
    if value is not None:
        assert value in json.loads(heard.rejected[0][3])[field]
    left = counts(read_back)
    assert left[TABLES[table]] == len(tables[table]) - 1


DOUBTS = [
    ("media", "timestamp", 1, "2024-06-02T06:00:00Z", "camtrapdp-outside-deployment"),
    ("observations", "eventStart", 1, "2025-05-02T01:00:00Z", "camtrapdp-outside-deployment"),
    ("observations", "mediaID", 1, None, "camtrapdp-media-unnamed"),
    ("observations", "classificationProbability", 1, "0.5", "camtrapdp-probability-not-machine"),
    ("observations", "bboxX", 0, "0.5", "camtrapdp-box-incomplete"),
    ("observations", "count", 0, "1.0", "camtrapdp-integer-point"),
]


@pytest.mark.parametrize(("table", "field", "row", "value", "code"), DOUBTS)
def test_what_the_schema_cannot_say_is_told_and_taken(
    tmp_path: Path, table: str, field: str, row: int, value: str | None, code: str
) -> None:
    tables = study()
    tables[table].loc[row, field] = value
    read_back, heard = read(written(tmp_path / "p", {table: tables[table]}))
    assert [(f.code, f.row, f.field, f.severity) for f in heard.findings] == [
        (code, row + 1, field, Severity.WARNING)
    ]
    assert heard.rejected == []
    assert counts(read_back)[TABLES[table]] == len(tables[table])


def test_a_clock_known_to_be_wrong_is_not_told_again(tmp_path: Path) -> None:
    tables = study()
    tables["deployments"]["timestampIssues"] = ["true", "false"]
    tables["media"].loc[1, "timestamp"] = "2019-01-01T00:00:00Z"
    assert read(written(tmp_path / "p", tables))[1].findings == []


def test_a_rejected_deployment_does_not_take_its_media_along(tmp_path: Path) -> None:
    tables = study()
    tables["deployments"].loc[1, "latitude"] = "380"
    read_back, heard = read(written(tmp_path / "p", tables))
    assert [f.code for f in heard.findings] == ["camtrapdp-range"]
    assert counts(read_back) == {"Deployment": 1, "Media": 3, "Observation": 4}


def test_keys_are_followed_across_blocks(tmp_path: Path) -> None:
    tables = study()
    tables["observations"].loc[3, "observationID"] = "o1"
    options = ReadOptions(block_rows=1)
    _, heard = read(written(tmp_path / "p", tables), options)
    assert [(f.code, f.row) for f in heard.findings] == [("camtrapdp-key-twice", 4)]


def test_a_declared_zone_serves_times_without_one(tmp_path: Path) -> None:
    tables = study()
    tables["media"]["timestamp"] = "2025-06-02T06:00:00"
    zone = dt.timezone(dt.timedelta(hours=5))
    _, heard = read(written(tmp_path / "p", tables), ReadOptions(zone=zone))
    assert heard.findings == []


def test_missing_marks_of_the_standard(tmp_path: Path) -> None:
    tables = study()
    tables["deployments"]["featureType"] = ["NA", "nan"]
    read_back, heard = read(written(tmp_path / "p", tables))
    assert heard.findings == []
    assert read_back["Deployment"][0].frame["featureType"].isna().all()


def test_names_outside_the_scope_are_told_once_each(tmp_path: Path) -> None:
    def narrow(content: dict[str, Any]) -> None:
        content["taxonomic"] = [{"scientificName": "Capra sibirica"}]

    tables = study()
    tables["observations"]["scientificName"] = ["Panthera uncia"] * 3 + [None]
    for size in (1, 50):
        _, heard = read(
            written(tmp_path / f"p{size}", tables, narrow), ReadOptions(block_rows=size)
        )
        assert [(f.code, f.row, f.value) for f in heard.findings] == [
            ("camtrapdp-name-unlisted", 1, "Panthera uncia")
        ]


def _drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.pop(name)


def _resource(**given: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["resources"][1].update(given)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_drop("resources"), "camtrapdp-resource-missing"),
        (lambda c: c["resources"].pop(0), "camtrapdp-resource-missing"),
        (lambda c: c["resources"].append(c["resources"][0]), "camtrapdp-resource-twice"),
        (_resource(path="gone.csv"), "camtrapdp-file-missing"),
        (_resource(path="../media.csv"), "camtrapdp-path-outside"),
        (_resource(path="/etc/passwd"), "camtrapdp-path-outside"),
        (_resource(path="https://example.org/media.csv"), "camtrapdp-path-remote"),
        (_resource(path=None), "camtrapdp-path-missing"),
        (_resource(path="datapackage.json"), "camtrapdp-form"),
        (_resource(encoding="klingon"), "encoding-unknown"),
        (lambda c: c.update(profile="https://x/camtrap-dp/0.1.5/p.json"), "camtrapdp-version"),
        (lambda c: c.update(profile="https://x/camtrap-dp/1.0-rc.1/p.json"), "camtrapdp-version"),
    ],
)
def test_packages_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        read(written(tmp_path / "p", {}, change))
    assert refusal.value.finding.code == code
    for lang in ("en", "zh", "ru"):
        assert not HOLE.search(refusal.value.finding.message(lang))


def test_a_table_without_a_required_column_is_refused(tmp_path: Path) -> None:
    tables = study()
    short = {"media": tables["media"].drop(columns=["timestamp", "filePath"])}
    with pytest.raises(Refused) as refusal:
        read(written(tmp_path / "p", short))
    assert refusal.value.finding.params == {"columns": "timestamp, filePath"}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (_drop("project"), "camtrapdp-property-missing", "project"),
        (_drop("created"), "camtrapdp-property-missing", "created"),
        (lambda c: c["project"].pop("title"), "camtrapdp-property-missing", "project.title"),
        (
            lambda c: c["project"].update(samplingDesign="grid"),
            "camtrapdp-property-wrong",
            "project.samplingDesign",
        ),
        (
            lambda c: c["project"].update(individualAnimals="no"),
            "camtrapdp-property-wrong",
            "project.individualAnimals",
        ),
        (lambda c: c.update(project="Pass"), "camtrapdp-property-wrong", "project"),
        (lambda c: c["licenses"].pop(), "camtrapdp-property-wrong", "licenses"),
        (
            lambda c: c.update(contributors=[{}]),
            "camtrapdp-property-missing",
            "contributors.1.title",
        ),
        (
            lambda c: c["contributors"][0].update(role="boss"),
            "camtrapdp-property-wrong",
            "contributors.1.role",
        ),
        (
            lambda c: c.update(temporal={"start": "2025-06-01", "end": "2025-05-01"}),
            "camtrapdp-property-wrong",
            "temporal",
        ),
        (lambda c: c["temporal"].pop("end"), "camtrapdp-property-wrong", "temporal.end"),
        (lambda c: c.update(spatial="Pamir"), "camtrapdp-property-wrong", "spatial"),
        (lambda c: c.update(taxonomic=[{}]), "camtrapdp-property-wrong", "taxonomic"),
        (lambda c: c.update(created="yesterday"), "camtrapdp-property-wrong", "created"),
        (
            lambda c: c["resources"][0].pop("schema"),
            "camtrapdp-property-wrong",
            "resources.deployments.schema",
        ),
        (
            lambda c: c.update(profile="https://x/camtrap-dp/1.2/p.json"),
            "camtrapdp-version-newer",
            "profile",
        ),
        (lambda c: c.update(profile="tabular-data-package"), "camtrapdp-version-unsaid", "profile"),
    ],
)
def test_what_the_description_lacks_is_told(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], code: str, field: str
) -> None:
    tables, heard = read(written(tmp_path / "p", {}, change))
    assert [(f.code, f.field, f.severity) for f in heard.findings] == [
        (code, field, Severity.WARNING)
    ]
    assert counts(tables)["Observation"] == 4


def test_further_tables_and_columns_are_named(tmp_path: Path) -> None:
    tables = study()
    tables["media"]["ours"] = "x"
    path = written(
        tmp_path / "p", tables, lambda c: c["resources"].append({"name": "gaps", "data": []})
    )
    read_back, heard = read(path)
    assert sorted(f.code for f in heard.findings) == [
        "camtrapdp-columns-extra",
        "camtrapdp-extra-resource",
    ]
    assert read_back["Media"][0].frame["ours"].tolist() == ["x"] * 3


def test_a_table_in_several_files(tmp_path: Path) -> None:
    tables = study()
    path = written(
        tmp_path / "p",
        {"media": tables["media"].iloc[:2]},
        _resource(path=["media.csv", "more.csv"]),
    )
    tables["media"].iloc[2:].to_csv(path / "more.csv", index=False)
    read_back, heard = read(path)
    assert heard.findings == []
    assert [t.file for t in read_back["Media"]] == ["media.csv", "more.csv"]


def test_a_packed_table_is_unpacked_with_its_limits(tmp_path: Path) -> None:
    path = written(tmp_path / "p", {}, _resource(path="media.csv.gz"))
    plain = path / "media.csv"
    (path / "media.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    tables, heard = read(path)
    assert heard.findings == []
    assert counts(tables)["Media"] == 3
    (path / "media.csv.gz").write_bytes(gzip.compress(b"mediaID\n" + b"a" * (8 << 20)))
    with pytest.raises(Refused) as refusal:
        read(path)
    assert refusal.value.finding.code == "archive-bomb"


def test_other_packages_are_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "datapackage.json").write_text('{"resources": [{"name": "media"}]}', "utf-8")
    with open_source(folder) as source:
        assert not FORMAT.recognise(source)


# --- parts ---


def test_the_fields_are_those_of_the_standard() -> None:
    """Every field and rule of the published table schemas, in their order."""
    for table in TABLES:
        schema = json.loads(
            shared(f"wildlife/camtrapdp_example/{table}-table-schema.json").read_text("utf-8")
        )
        assert schema["primaryKey"] == KEYS[table]
        assert [rule.name for rule in rules(table)] == [f["name"] for f in schema["fields"]]
        for rule, field in zip(rules(table), schema["fields"], strict=True):
            said = field.get("constraints", {})
            assert rule.kind == field["type"]
            assert rule.required == said.get("required", False)
            assert rule.unique == said.get("unique", False)
            assert rule.minimum == said.get("minimum")
            assert rule.maximum == said.get("maximum")
            assert list(rule.choices) == said.get("enum", [])
            assert bool(rule.pattern or rule.forbidden) == ("pattern" in said)


def test_times() -> None:
    cells = pd.Series(
        [
            "2025-06-01T06:00:00+05:00",
            "2025-06-01T01:00:00Z",
            "2025-06-01T06:00:00+0500",
            None,
            "2025-06-01 06:00:00",
            "9999-12-31T00:00:00Z",
        ],
        dtype="str",
    )
    moments, faults = read_times("t", cells, None)
    assert moments[0] == moments[1] == moments[2]
    assert (moments[5].astype("datetime64[us]") - np.datetime64("9999-12-31")) == np.timedelta64(0)
    assert {f.code: np.flatnonzero(f.rows).tolist() for f in faults if f.rows.any()} == {
        "camtrapdp-time-zone": [4]
    }
    moments, faults = read_times("t", cells, dt.timezone(dt.timedelta(hours=5)))
    assert moments[4] == moments[0]
    assert not any(f.rows.any() for f in faults)


def test_windows_of_no_deployment() -> None:
    empty = Windows()
    assert empty.outside(pd.Series(["a"], dtype="str"), np.array([1])).tolist() == [False]


def test_key_book_finds_repeats_within_and_across_blocks() -> None:
    book = KeyBook()
    assert not book.has(pd.Series(["a"], dtype="str")).any()
    assert book.add(pd.Series(["a", "b", "a", None, None], dtype="str")).tolist() == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert book.add(pd.Series(["c", "b"], dtype=object)).tolist() == [False, True]
    assert book.has(pd.Series(["c", "d", None], dtype="str")).tolist() == [True, False, False]


# --- writing ---


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    turned = dict(reversed(STUDY.items()))
    one = write_camtrapdp(tmp_path / "1.zip", *study().values(), STUDY).read_bytes()
    assert write_camtrapdp(tmp_path / "2.zip", *study().values(), turned).read_bytes() == one


def test_drawn_descriptions(tmp_path: Path) -> None:
    path = write_camtrapdp(tmp_path / "p", *study().values(), STUDY)
    content = json.loads((path / "datapackage.json").read_text("utf-8"))
    assert content["temporal"] == {"start": "2025-06-01", "end": "2025-07-01"}
    assert content["spatial"]["coordinates"][0][0] == [73.1, 38.1]
    assert [t["scientificName"] for t in content["taxonomic"]] == [
        "Capra sibirica",
        "Panthera uncia",
    ]
    narrow = write_camtrapdp(
        tmp_path / "q", *study().values(), STUDY | {"taxonomic": [{"scientificName": "Felidae"}]}
    )
    assert json.loads((narrow / "datapackage.json").read_text("utf-8"))["taxonomic"] == [
        {"scientificName": "Felidae"}
    ]


@pytest.mark.parametrize(
    ("spoil", "study_given", "words"),
    [
        (lambda t: t["media"].insert(0, "ours", "x"), STUDY, "ours"),
        (lambda t: t.update(media=t["media"].iloc[:0]), STUDY, "mediaID"),
        (lambda t: t["observations"].__setitem__("count", "0"), STUDY, "count"),
        (lambda t: None, {k: v for k, v in STUDY.items() if k != "project"}, "project"),
    ],
)
def test_what_breaks_the_standard_is_not_written(
    tmp_path: Path, spoil: Callable[[Tables], None], study_given: dict[str, Any], words: str
) -> None:
    tables = study()
    spoil(tables)
    with pytest.raises(UsageError, match=words):
        write_camtrapdp(tmp_path / "p.zip", *tables.values(), study_given)
    assert list(tmp_path.iterdir()) == []
