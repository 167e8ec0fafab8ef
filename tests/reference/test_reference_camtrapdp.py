"""The standard's own example package (tdwg/camtrap-dp, MIT)."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pandas as pd
from tests.support import shared

from ecotone.formats.base import ReadOptions
from ecotone.formats.camtrapdp import FORMAT
from ecotone.formats.camtrapdp_write import write_camtrapdp
from ecotone.formats.safe import open_source
from ecotone.model.finding import Finding


def read(path: Path) -> tuple[dict[str, pd.DataFrame], list[Finding], dict[str, str]]:
    found: list[Finding] = []
    blocks: dict[str, list[pd.DataFrame]] = {}
    metadata: dict[str, str] = {}
    with open_source(path) as source:
        for table in FORMAT.read(source, ReadOptions(), found.append, lambda *a: None):
            blocks.setdefault(table.type, []).append(table.frame)
            metadata = table.metadata
    return {k: pd.concat(v, ignore_index=True) for k, v in blocks.items()}, found, metadata


def test_the_example_is_sound() -> None:
    tables, findings, metadata = read(shared("wildlife/camtrapdp_example"))
    assert {name: len(frame) for name, frame in tables.items()} == {
        "Deployment": 4, "Media": 423, "Observation": 549,
    }  # fmt: skip
    levels = tables["Observation"]["observationLevel"].value_counts().to_dict()
    assert levels == {"media": 513, "event": 36}
    assert [f.code for f in findings] == ["camtrapdp-extra-resource"]
    assert metadata["licence"] == "CC0-1.0"
    assert metadata["licence_media"] == "http://creativecommons.org/licenses/by/4.0/"
    assert metadata["version"] == "1.0.2"


def test_effort_of_the_example() -> None:
    """73.3716 camera days, as camtraptor counts them."""
    deployments = read(shared("wildlife/camtrapdp_example"))[0]["Deployment"]
    out = pd.to_datetime(deployments["deploymentEnd"], utc=True)
    away = out - pd.to_datetime(deployments["deploymentStart"], utc=True)
    assert round(away.dt.total_seconds().sum() / 86_400, 4) == 73.3716


def test_the_example_written_again_is_the_same(tmp_path: Path) -> None:
    folder = shared("wildlife/camtrapdp_example")
    tables, _, metadata = read(folder)
    content = json.loads((folder / "datapackage.json").read_text("utf-8"))
    path = write_camtrapdp(
        tmp_path / "again.zip", tables["Deployment"], tables["Media"], tables["Observation"],
        content,
    )  # fmt: skip
    again, findings, metadata_again = read(path)
    assert findings == []
    assert metadata_again == metadata
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(again[name], frame)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [
            "datapackage.json", "deployments.csv", "media.csv", "observations.csv",
        ]  # fmt: skip


#: Table, field, row (from 1), what is written there, what is said of it.
SEEDED = [
    ("deployments", "latitude", 2, "95", "camtrapdp-range"),
    ("media", "timestamp", 3, "2020-05-30T02:57:37", "camtrapdp-time-zone"),
    ("media", "timestamp", 9, "2020-02-31T02:57:37Z", "camtrapdp-time"),
    ("media", "deploymentID", 5, "nowhere", "camtrapdp-key-loose"),
    ("media", "filePath", 11, "../../private/1.jpg", "camtrapdp-path"),
    ("observations", "observationType", 4, "beast", "camtrapdp-choice"),
    ("observations", "count", 8, "0", "camtrapdp-range"),
    ("observations", "eventEnd", 12, "2031-01-01T00:00:00Z", "camtrapdp-outside-deployment"),
    ("observations", "bboxX", 20, "0.5", "camtrapdp-box-incomplete"),
    ("observations", "mediaID", 30, "no-such-medium", "camtrapdp-key-loose"),
]


def test_ten_seeded_faults_are_each_found_once_with_row_and_field(tmp_path: Path) -> None:
    source = shared("wildlife/camtrapdp_example")
    folder = tmp_path / "p"
    folder.mkdir()
    for name in ("datapackage.json", "deployments.csv", "media.csv", "observations.csv"):
        (folder / name).write_bytes((source / name).read_bytes())
    for table, field, row, value, _ in SEEDED:
        path = folder / f"{table}.csv"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame.loc[row - 1, field] = value
        frame.to_csv(path, index=False, lineterminator="\n")
    _, findings, _ = read(folder)
    told = [(f.file, f.field, f.row, f.value, f.code) for f in findings if f.row is not None]
    wanted = [(f"{table}.csv", *rest) for table, *rest in SEEDED]
    assert sorted(told) == sorted(wanted)
