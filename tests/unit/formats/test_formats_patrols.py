"""Tracks, patrols and replicate genotypes, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.test_formats_cameras import codes, read

from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.registry import format_named
from ecotone.formats.safe import open_source

GPX = """<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="38.1" lon="73.1"><ele>4100</ele><time>2026-01-02T03:04:05Z</time><name>scat 1</name>
<desc>old</desc></wpt>
<trk><name>P1</name><trkseg><trkpt lat="38.1" lon="73.1"><time>2026-01-02T03:00:00Z</time></trkpt>
<trkpt lat="38.2" lon="73.1"/></trkseg><trkseg><trkpt lat="38.3" lon="73.1">
<time>2026-01-02T05:00:00Z</time></trkpt></trkseg></trk></gpx>"""


def test_gpx(tmp_path: Path) -> None:
    path = tmp_path / "p.gpx"
    path.write_text(GPX)
    frames, findings, _ = read(path, "gpx")
    seen = frames["Observation"]
    assert seen["kind"].tolist() == ["waypoint"] + ["track point"] * 3
    assert seen["event"].tolist()[1:] == ["P1 (1)", "P1 (1)", "P1 (2)"]
    assert seen.iloc[0][["latitude", "elevation_m", "value_text", "remarks"]].tolist() == [
        "38.1",
        "4100",
        "scat 1",
        "old",
    ]
    assert codes(findings) == {"gpx-no-time": 1}


def test_patrols(tmp_path: Path) -> None:
    path = tmp_path / "patrols.csv"
    path.write_text(
        "Patrol ID,Patrol Leg ID,Patrol Transport Type,Leader,Waypoint ID,Waypoint Date,"
        "Waypoint Time,X,Y,Observation Category 0,Observation Category 1,Species,Number of animals,"
        "Age of sign\n"
        "P1,1,Foot,Ranger A,1,2026-01-02,03:04:05,73.1,38.1,Wildlife,Signs,Panthera uncia,1,old\n"
        "P1,1,Foot,Ranger A,2,2026-01-02,04:04:05,73.1,38.2,Threat,,,,\n"
        "P1,2,Horse,Ranger A,3,2026-01-03,04:04:05,73.1,38.2,Wildlife,,,,\n"
        ",2,Horse,Ranger A,3,2026-01-03,04:04:05,73.1,38.2,Wildlife,,,,\n"
    )
    frames, findings, rejected = read(path, "patrols")
    legs = frames["Event"]
    assert legs["eventID"].tolist() == ["P1/1", "P1/2"]
    assert legs["samplingProtocol"].tolist() == ["Foot", "Horse"]
    seen = frames["Observation"]
    assert seen["property"].tolist() == ["Wildlife/Signs", "Threat", "Wildlife"]
    assert (seen["taxon"].iat[0], seen["count"].iat[0]) == ("Panthera uncia", "1")
    assert seen["+Age of sign"].iat[0] == "old"
    assert [(f.code, f.row, f.field) for f in findings] == [("patrols-no-patrol", 4, "Patrol ID")]
    assert [r[1] for r in rejected] == [4]


def test_replicate_genotypes(tmp_path: Path) -> None:
    path = tmp_path / "pcr.csv"
    path.write_text(
        "Sample,Locus,Replicate,Allele1,Allele2\nS1,L1,1,150,154\nS1,L1,2,150,150\n"
        "S1,L1,2,150,154\nS1,L1,3,-99,-99\nS1,L1,4,150,\n,L1,1,150,150\n"
    )
    frames, findings, rejected = read(path, "genotype-replicates")
    seen = frames["Observation"]
    assert seen["value_text"].tolist()[:2] == ["150/154", "150/150"]
    assert seen["missing_reason"].notna().tolist() == [False, False, True, True]
    assert [(f.code, f.row, f.field) for f in findings] == [
        ("genotypes-cell-empty", 6, "Sample"),
        ("genotypes-twice", 3, "Replicate"),
        ("genotypes-half", 5, "Allele2"),
    ]
    assert sorted(r[1] for r in rejected) == [3, 6]


def test_these_readers_refuse_what_is_not_theirs(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    for name in ("wildlife-insights", "camtrapr", "patrols", "genotype-replicates"):
        with open_source(path) as source, pytest.raises(Refused):
            list(format_named(name).read(source, ReadOptions(), lambda f: None, print))
    xml = tmp_path / "x.xml"
    xml.write_text("<a/>")
    with open_source(xml) as source, pytest.raises(Refused):
        list(format_named("gpx").read(source, ReadOptions(), lambda f: None, print))
