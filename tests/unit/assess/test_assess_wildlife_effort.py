"""Effort and clocks of cameras, tracks of handhelds: by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.unit.assess.test_assess_wildlife import codes, run
from tests.unit.formats.test_formats_patrols import GPX

from ecotone.assess.indicators.wildlife_reading import RefusedTable


def cameras(folder: Path) -> dict[str, Path]:
    inputs = {n: folder / f"{n}.csv" for n in ("deployments", "observations", "clocks")}
    inputs["deployments"].write_text(
        "deploymentID,locationID,latitude,longitude,deploymentStart,deploymentEnd\n"
        "d1,L1,38,73,2025-06-01T00:00:00Z,2025-06-11T00:00:00Z\n"
        "d2,L1,38,73,2025-06-08T00:00:00Z,2025-06-15T00:00:00Z\n"
        "d3,L2,38,73,2025-06-01T00:00:00Z,2025-06-11T00:00:00Z\n"
    )
    inputs["observations"].write_text(
        "deploymentID,eventStart,observationType,scientificName\n"
        "d1,2025-06-02T00:00:00Z,animal,Panthera uncia\n"
        "d3,2024-06-04T00:00:00Z,animal,Panthera uncia\n"
        "d3,2024-06-09T00:00:00Z,animal,Panthera uncia\n"
    )
    # The camera's clock was a year late, and lost a day in ten.
    inputs["clocks"].write_text(
        "deploymentID,cameraTime,trueTime\n"
        "d3,2024-06-01T00:00:00Z,2025-06-01T00:00:00Z\n"
        "d3,2024-06-10T00:00:00Z,2025-06-11T00:00:00Z\n"
    )
    return inputs


def test_time_that_two_cameras_share_counts_once(tmp_path: Path) -> None:
    inputs = cameras(tmp_path)
    del inputs["clocks"]
    told = run("wildlife.encounter-rate", inputs, tmp_path / "o", replicates=0)
    assert told.values["effort"].value == pytest.approx(14 + 10)
    overlap = next(f for f in told.findings if f["code"] == "wildlife-deployments-overlap")
    assert (overlap["row"], overlap["value"]) == (2, "d2")
    assert "wildlife-record-outside" in codes(told)


def test_clocks_are_corrected_with_their_drift(tmp_path: Path) -> None:
    told = run("wildlife.encounter-rate", cameras(tmp_path), tmp_path / "o", replicates=0)
    assert "wildlife-clocks-corrected" in codes(told)
    assert "wildlife-record-outside" not in codes(told)
    inputs = cameras(tmp_path)
    inputs["clocks"].write_text("deploymentID,cameraTime,trueTime\nd9,2024-06-01T00:00:00Z,x\n")
    with pytest.raises(RefusedTable) as refused:
        run("wildlife.encounter-rate", inputs, tmp_path / "p")
    assert [(f.code, f.row, f.field) for f in refused.value.findings] == [
        ("wildlife-deployment-unknown", 1, "deploymentID"),
        ("wildlife-time-wrong", 1, "trueTime"),
    ]


def test_activity_by_a_corrected_clock(tmp_path: Path) -> None:
    inputs = cameras(tmp_path)
    hours = [5, 6, 6, 7, 6, 5, 7, 6]
    rows = [f"d1,2025-06-{2 + k:02d}T{h:02d}:00:00Z,animal,X y" for k, h in enumerate(hours)]
    inputs["observations"].write_text(
        "deploymentID,eventStart,observationType,scientificName\n" + "\n".join(rows) + "\n"
    )
    inputs["clocks"].write_text(
        "deploymentID,cameraTime,trueTime\nd1,2025-06-01T00:00:00Z,2025-06-01T06:00:00Z\n"
    )
    told = run("wildlife.activity", inputs, tmp_path / "o", time="clock", replicates=0)
    assert told.values["peak"].value == pytest.approx(12, abs=0.5)


def test_tracks_of_a_handheld_are_patrols(tmp_path: Path) -> None:
    path = tmp_path / "walk.gpx"
    # 0.1 degree of latitude is 11.10 km at 38 degrees north.
    path.write_text(GPX.replace('<trkpt lat="38.2" lon="73.1"/>',
                                '<trkpt lat="38.2" lon="73.1"><time>2026-01-02T04:00:00Z</time>'
                                '</trkpt>'))  # fmt: skip
    told = run("wildlife.encounter-rate", {"patrols": path}, tmp_path / "o", replicates=0)
    assert told.values["distance"].value == pytest.approx(11.10, abs=0.02)
    assert told.values["effort"].value == 2  # two pieces of a track, a day each
    cells = pd.read_csv(tmp_path / "o" / told.tables["cells"])
    assert cells["distance"].sum() == pytest.approx(told.values["distance"].value)
    inputs = {"patrols": tmp_path / "points.csv"}
    inputs["patrols"].write_text(
        "patrol,time,latitude,longitude\nA,2026-01-02T03:00:00Z,38.1,73.1\n"
        "A,2026-01-02T04:00:00Z,38.2,73.1\n"
    )
    told = run("wildlife.encounter-rate", inputs, tmp_path / "p", replicates=0)
    assert told.values["distance"].value == pytest.approx(11.10, abs=0.02)


def test_rows_of_a_node_serve_as_they_were_released(tmp_path: Path) -> None:
    """The same numbers from Camtrap DP's fields and from a node's attributes."""
    plain = cameras(tmp_path)
    failures = tmp_path / "failures.csv"
    failures.write_text(
        "deploymentID,failureStart,failureEnd\nd3,2025-06-02T00:00:00Z,2025-06-04T00:00:00Z\n"
    )
    first = run("wildlife.histories", {**plain, "failures": failures}, tmp_path / "o", days=5)
    fields = {
        "deployments": {
            "deploymentID": "deployment_id", "locationID": "site",
            "deploymentStart": "time_start", "deploymentEnd": "time_end",
        },
        "observations": {
            "deploymentID": "deployment", "eventStart": "time_start",
            "observationType": "kind", "scientificName": "taxon",
        },
    }  # fmt: skip
    for name, names in fields.items():
        table = pd.read_csv(plain[name]).rename(columns=names)
        table.assign(dataset_id="X", release_level="full").to_csv(plain[name], index=False)
    failures.write_text(
        "device,kind,time_start,time_end\nd3,alarm,2025-06-02T00:00:00Z,2025-06-04T00:00:00Z\n"
        "d3,service,2025-06-05T00:00:00Z,2025-06-06T00:00:00Z\n"
    )
    again = run("wildlife.histories", {**plain, "failures": failures}, tmp_path / "p", days=5)
    assert again.values == first.values
    assert first.values["effort"].value == pytest.approx(14 + 8)
    told = pd.read_csv(tmp_path / "p" / again.tables["visits"])
    assert told["detected"].sum() == 3
