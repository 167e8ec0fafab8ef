"""Bad wildlife tables: everything that is wrong is told at once, with its row and field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.assess.test_assess_wildlife import files, run, three
from tests.unit.formats.test_formats_cameras import old_package
from tests.unit.formats.test_formats_cameras import read as deliver
from tests.unit.formats.test_formats_camtrapdp import study, written

from ecotone.assess.indicators.wildlife_reading import RefusedTable
from ecotone.formats.base import Refused

__all__ = ["files"]


def test_a_package_with_every_fault_of_the_field(tmp_path: Path) -> None:
    tables = study()
    deployments, media, observations = tables.values()
    deployments["cameraID"] = ["C1", "C1"]
    deployments.loc[1, "deploymentEnd"] = "2025-06-31T06:00:00Z"
    media.loc[1, "timestamp"] = "2025-06-02T06:00:00"
    media.loc[2, "filePath"] = "media/1.jpg"
    media.loc[1, "filePath"] = "media/../../x.jpg"
    observations.loc[3, "eventStart"] = "2024-06-02T01:00:00Z"
    observations.loc[2, "deploymentID"] = "d9"
    folder = written(tmp_path / "p", tables)
    _, findings, _ = deliver(folder, "camtrapdp")
    assert sorted((f.file, f.row, f.field, f.code) for f in findings) == [
        ("deployments.csv", 2, "deploymentEnd", "camtrapdp-time"),
        ("media.csv", 2, "filePath", "camtrapdp-path"),
        ("media.csv", 2, "timestamp", "camtrapdp-time-zone"),
        ("media.csv", 3, "filePath", "camtrapdp-media-twice"),
        ("observations.csv", 3, "deploymentID", "camtrapdp-key-loose"),
    ]


def test_deployments_that_overlap_and_events_outside_them(tmp_path: Path) -> None:
    tables = study()
    deployments, _, observations = tables.values()
    deployments["cameraID"] = ["C1", "C1"]
    observations.loc[3, "eventStart"] = "2024-06-02T01:00:00Z"
    _, findings, rejected = deliver(written(tmp_path / "p", tables), "camtrapdp")
    assert [(f.file, f.row, f.field, f.code) for f in findings] == [
        ("deployments.csv", 2, "cameraID", "camtrapdp-deployments-overlap"),
        ("observations.csv", 4, "eventStart", "camtrapdp-outside-deployment"),
    ]
    assert rejected == []


@pytest.mark.parametrize("path", ["../media.csv", "/etc/passwd", "a/../../media.csv", "C:\\x.csv"])
@pytest.mark.parametrize("old", [False, True])
def test_tables_that_lie_outside_the_package(tmp_path: Path, path: str, old: bool) -> None:
    folder = old_package(tmp_path / "p") if old else written(tmp_path / "p", {})
    descriptor = folder / "datapackage.json"
    content = json.loads(descriptor.read_text(encoding="utf-8"))
    content["resources"][1]["path"] = path
    descriptor.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(Refused) as refusal:
        deliver(folder, "camtrapdp")
    assert refusal.value.finding.code == "camtrapdp-path-outside"


def test_captures_at_unknown_detectors_and_in_vain(files: dict[str, Path], tmp_path: Path) -> None:
    text = files["captures"].read_text().splitlines()
    rows = len(text) - 1
    text += ["cat 1,1,T99,1", "cat 2,77,T1,1", ",1,T1,1", "cat 3,x,T1,1"]
    files["captures"].write_text("\n".join(text) + "\n")
    with pytest.raises(RefusedTable) as refused:
        run("wildlife.density", three(files), tmp_path / "o", occasions=4)
    told = {(f.code, f.row, f.field) for f in refused.value.findings}
    assert {
        ("wildlife-id-missing", rows + 3, "id"),
        ("wildlife-no-whole-number", rows + 4, "occasion"),
    } <= told
    files["captures"].write_text("\n".join(text[:-2]) + "\n")
    with pytest.raises(RefusedTable) as refused:
        run("wildlife.density", three(files), tmp_path / "o", occasions=4)
    assert {(f.code, f.row, f.field) for f in refused.value.findings} == {
        ("wildlife-detector-unknown", rows + 1, "detector"),
        ("wildlife-occasion-outside", rows + 2, "occasion"),
    }


def test_a_mask_that_cuts_through_the_survey(files: dict[str, Path], tmp_path: Path) -> None:
    text = files["mask"].read_text().splitlines()
    kept = [text[0], *(line for line in text[1:] if float(line.split(",")[0]) < 1000)]
    files["mask"].write_text("\n".join(kept) + "\n")
    told = run("wildlife.density", three(files), tmp_path / "o", occasions=4)
    beside = [f for f in told.findings if f["code"] == "wildlife-detector-off-mask"]
    assert [(f["row"], f["field"]) for f in beside] == [
        (5 * k + j, "detector") for k in range(5) for j in (4, 5)
    ]


def test_an_allele_column_without_its_partner(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text("id,L1a,L1b,L2a,L2b,L3a\nA,1,2,1,2,1\nA,1,2,1,2,1\n,1,2,1,2,1\n")
    with pytest.raises(RefusedTable) as refused:
        run("wildlife.identity", {"genotypes": path}, tmp_path / "o")
    assert [(f.code, f.row, f.field) for f in refused.value.findings] == [
        ("wildlife-allele-alone", None, "L3a"),
        ("wildlife-id-missing", 3, "id"),
        ("wildlife-id-twice", 2, "id"),
    ]
