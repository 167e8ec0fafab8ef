"""Other camera tables, by hand and by the field's own samples: all retold under Camtrap DP."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.support import shared
from tests.unit.formats.test_formats_camtrapdp import HOLE, STUDY, study

from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.camtrapdp_dwc import occurrences
from ecotone.formats.camtrapdp_write import write_camtrapdp
from ecotone.formats.dwca_write import write_dwca
from ecotone.formats.registry import format_named, recognise
from ecotone.formats.safe import open_source
from ecotone.model.finding import Finding
from ecotone.model.table import Table

NAIROBI = dt.timezone(dt.timedelta(hours=3))


def read(
    path: Path, name: str, options: ReadOptions | None = None
) -> tuple[dict[str, pd.DataFrame], list[Finding], list[tuple[str, int, int, str]]]:
    findings: list[Finding] = []
    rejected: list[tuple[str, int, int, str]] = []
    tables: dict[str, list[Table]] = {}
    with open_source(path) as source:
        form = recognise(source)
        assert form.name == name
        for table in form.read(
            source,
            options or ReadOptions(),
            findings.append,
            lambda *row: rejected.append(row),
        ):
            assert len(table.row) == len(table.line) == len(table.frame)
            tables.setdefault(table.type, []).append(table)
    for finding in findings:
        for lang in ("en", "zh", "ru"):
            assert not HOLE.search(finding.message(lang))
    frames = {
        kind: pd.concat([t.frame for t in blocks], ignore_index=True)
        for kind, blocks in tables.items()
    }
    return frames, findings, rejected


def codes(findings: list[Finding]) -> dict[str, int]:
    return {c: sum(f.code == c for f in findings) for c in sorted({f.code for f in findings})}


# --- Camtrap DP 0.1.6 ---------------------------------------------------------------------------


def old_package(folder: Path, **changes: Any) -> Path:
    folder.mkdir()
    tables = {
        "deployments": "deploymentID,locationID,longitude,latitude,start,end,cameraInterval,"
        "baitUse,session,featureType,tags,comments,_id\n"
        "d1,L1,73.1,38.1,2021-06-01T06:00:00+05:00,2021-07-01T06:00:00+05:00,60,scent,s1,"
        "road paved,steep,snow,x\n"
        "d2,L2,73.2,38.2,2021-06-01T06:00:00+05:00,2021-07-01T06:00:00+05:00,60,none,,"
        "nest site,,,y\n",
        "media": "mediaID,deploymentID,sequenceID,captureMethod,timestamp,filePath,fileMediatype,"
        "favourite\nm1,d1,q1,motion detection,2021-06-02T06:00:00+05:00,a/1.jpg,image/jpeg,false\n"
        "m2,d2,q2,time lapse,2021-06-02T06:00:00+05:00,a/2.jpg,image/jpeg,\n",
        "observations": "observationID,deploymentID,sequenceID,mediaID,timestamp,observationType,"
        "cameraSetup,scientificName,count,countNew,lifeStage,sex,behaviour,individualID,radius,"
        "angle,speed,classificationMethod,classifiedBy,classificationConfidence,comments\n"
        "o1,d1,q1,m1,2021-06-02T06:00:00+05:00,animal,false,Panthera uncia,1,1,offspring,unknown,"
        "walks,T1,3.2,-10,0.8,machine,X,0.91,hm\n"
        "o2,d2,q2,,2021-06-02T06:00:00+05:00,human,true,,1,,,,,,,,,human,,,\n",
    } | changes.pop("tables", {})
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    content: dict[str, Any] = {
        **STUDY,
        "profile": "https://raw.githubusercontent.com/tdwg/camtrap-dp/0.1.6/camtrap-dp-profile.json",
        "project": {
            "title": "Pass",
            "samplingDesign": "simple random",
            "captureMethod": ["motion detection", "time lapse"],
            "animalTypes": ["unmarked", "recognizable"],
            "classificationLevel": "sequence",
        },
        "spatial": {"type": "Point", "coordinates": [73.1, 38.1]},
        "temporal": {"start": "2021-06-01", "end": "2021-07-01"},
        "taxonomic": [{"scientificName": "Panthera uncia"}],
        "resources": [
            {
                "name": name,
                "path": f"{name}.csv",
                "profile": "tabular-data-resource",
                "schema": f"https://x/{name}",
            }
            for name in tables
        ],
    }
    (folder / "datapackage.json").write_text(json.dumps(content))
    return folder


def test_the_older_version_is_retold_and_comes_out_as_the_newer(tmp_path: Path) -> None:
    frames, findings, rejected = read(old_package(tmp_path / "p"), "camtrapdp")
    assert codes(findings) == {"camtrapdp-migrated": 1}
    assert rejected == []
    deployments, media, observations = (frames[n] for n in ("Deployment", "Media", "Observation"))
    assert deployments["featureType"].tolist() == ["roadPaved", "nestSite"]
    assert deployments["baitUse"].tolist() == ["true", "false"]
    assert deployments["deploymentTags"].iat[0] == "steep | bait:scent"
    assert deployments["deploymentGroups"].iat[0] == "session:s1"
    assert deployments["cameraDelay"].tolist() == ["60", "60"]
    assert media["captureMethod"].tolist() == ["activityDetection", "timeLapse"]
    assert media["filePublic"].tolist() == ["false", "false"]
    assert observations["observationLevel"].tolist() == ["media", "event"]
    assert observations["eventID"].tolist() == ["q1", "q2"]
    assert observations["lifeStage"].iat[0] == "juvenile"
    assert observations["sex"].isna().all()
    assert observations["cameraSetupType"].iat[1] == "setup"
    first = observations.iloc[0]
    assert (first["individualPositionRadius"], first["individualPositionAngle"]) == ("3.2", "-10")
    assert (first["individualSpeed"], first["classificationProbability"]) == ("0.8", "0.91")
    write_camtrapdp(tmp_path / "new", deployments, media, observations, STUDY)
    again, told, _ = read(tmp_path / "new", "camtrapdp")
    assert told == []
    assert again["Observation"]["count"].tolist() == ["1", "1"]


def test_faults_of_the_older_version_name_its_own_fields(tmp_path: Path) -> None:
    tables = {
        "media": "mediaID,deploymentID,captureMethod,timestamp,filePath,fileMediatype\n"
        "m1,d1,motion detection,2021-06-02T06:00:00,../1.jpg,image/jpeg\n",
        "observations": "observationID,deploymentID,mediaID,timestamp,observationType\n"
        "o1,d1,,2021-06-02 06:00:00,animal\n",
    }
    _, findings, rejected = read(old_package(tmp_path / "p", tables=tables), "camtrapdp")
    told = [(f.code, f.field, f.row, f.file) for f in findings[1:]]
    assert told == [
        ("camtrapdp-time-zone", "timestamp", 1, "media.csv"),
        ("camtrapdp-path", "filePath", 1, "media.csv"),
        ("camtrapdp-time-zone", "timestamp", 1, "observations.csv"),
    ]
    assert len(rejected) == 2


# --- failures, overlaps, doubles ----------------------------------------------------------------


def test_failures_of_cameras_travel_as_an_extra_resource(tmp_path: Path) -> None:
    failures = (
        "deploymentID,failureStart,failureEnd,comments\n"
        "d1,2021-06-10T00:00:00Z,2021-06-12T00:00:00Z,snow\n"
        "d9,2021-06-10T00:00:00Z,2021-06-12T00:00:00Z,\n"
        "d1,2021-06-12T00:00:00Z,2021-06-10T00:00:00Z,\n"
        "d1,2021-06-10T00:00:00,2021-06-12T00:00:00Z,\n"
        "d1,2020-06-10T00:00:00Z,2021-06-12T00:00:00Z,\n"
    )
    frames, findings, rejected = read(
        old_package(tmp_path / "p", tables={"failures": failures}), "camtrapdp"
    )
    told = sorted((f.row, f.code, f.field) for f in findings if f.file == "failures.csv")
    assert told == [
        (2, "camtrapdp-key-loose", "deploymentID"),
        (3, "camtrapdp-interval", "failureEnd"),
        (4, "camtrapdp-time-zone", "failureStart"),
        (5, "camtrapdp-outside-deployment", "failureStart"),
    ]
    assert [r[1] for r in rejected] == [2, 3, 4]
    alarms = frames["DeviceEvent"]
    assert alarms["device"].tolist() == ["d1", "d1"]
    assert alarms["kind"].tolist() == ["alarm", "alarm"]
    assert alarms["time_end"].iat[0] == "2021-06-12T00:00:00Z"


def test_overlapping_deployments_and_media_twice_are_told(tmp_path: Path) -> None:
    tables = {
        "deployments": "deploymentID,locationID,cameraID,longitude,latitude,start,end\n"
        "d1,L1,C1,73.1,38.1,2021-06-01T06:00:00Z,2021-07-01T06:00:00Z\n"
        "d2,L2,C1,73.1,38.1,2021-06-20T06:00:00Z,2021-07-20T06:00:00Z\n"
        "d3,L1,C2,73.1,38.1,2021-06-01T06:00:00Z,2021-07-01T06:00:00Z\n"
        "d4,L9,,73.1,38.1,2021-06-01T06:00:00Z,2021-07-01T06:00:00Z\n"
        "d5,L9,,73.1,38.1,2021-06-30T06:00:00Z,2021-07-02T06:00:00Z\n",
        "media": "mediaID,deploymentID,captureMethod,timestamp,filePath,fileMediatype\n"
        "m1,d1,motion detection,2021-06-02T06:00:00Z,1.jpg,image/jpeg\n"
        "m2,d1,motion detection,2021-06-02T06:00:00Z,1.jpg,image/jpeg\n",
    }
    _, findings, _ = read(old_package(tmp_path / "p", tables=tables), "camtrapdp")
    told = [(f.code, f.row, f.field) for f in findings if f.file != "observations.csv"]
    assert told[1:] == [
        ("camtrapdp-deployments-overlap", 2, "cameraID"),
        ("camtrapdp-deployments-overlap", 5, "locationID"),
        ("camtrapdp-media-twice", 2, "filePath"),
    ]


# --- Wildlife Insights --------------------------------------------------------------------------


def test_wildlife_insights_own_sample() -> None:
    options = ReadOptions(zone=NAIROBI)
    folder = shared("wildlife/wildlife_insights_sample")
    frames, findings, rejected = read(folder, "wildlife-insights", options)
    assert {k: len(v) for k, v in frames.items()} == {
        "Deployment": 5,
        "Media": 49,
        "Observation": 49,
    }
    assert rejected == []
    told = codes(findings)
    assert told.pop("last-line-unended") == 4
    assert told == {"camera-date-order": 49}
    first = next(f for f in findings if f.code == "camera-date-order")
    assert (first.row, first.field, first.value) == (1, "timestamp", "5/5/19 17:21")
    assert frames["Media"]["timestamp"].iat[0] == "2019-05-05 17:21"
    assert frames["Deployment"]["featureType"].iat[0] == "trailGame"
    assert frames["Deployment"]["cameraModel"].iat[0] == "Reconyx-Hyperfire"
    seen = frames["Observation"]
    assert seen["scientificName"].iat[0] == "Dendroperdix sephaena"
    assert set(seen["observationType"]) <= {"animal", "human", "blank", "unclassified", "unknown"}


def test_wildlife_insights_comes_out_as_valid_camtrap_dp(tmp_path: Path) -> None:
    folder = shared("wildlife/wildlife_insights_sample")
    frames, _, _ = read(folder, "wildlife-insights", ReadOptions(zone=NAIROBI))
    zoned = {}
    for kind, frame in frames.items():
        for name in ("deploymentStart", "deploymentEnd", "timestamp", "eventStart", "eventEnd"):
            if name in frame:
                times = pd.to_datetime(frame[name]).dt.tz_localize(NAIROBI)
                frame[name] = times.dt.strftime("%Y-%m-%dT%H:%M:%S+03:00")
        zoned[kind] = frame
    tables = [zoned[kind] for kind in ("Deployment", "Media", "Observation")]
    write_camtrapdp(tmp_path / "p", *tables, STUDY)
    _, findings, rejected = read(tmp_path / "p", "camtrapdp")
    assert rejected == []
    # One camera of the sample is told at two places at once: so it stands in the export.
    assert codes(findings) == {"camtrapdp-deployments-overlap": 1}


def test_wildlife_insights_by_hand(tmp_path: Path) -> None:
    (tmp_path / "wi").mkdir()
    (tmp_path / "wi/deployments.csv").write_text(
        "deployment_id,placename,longitude,latitude,start_date,end_date,bait_type,camera_id,"
        "camera_functioning\nd1,P,39.8,-2.9,2019-04-17 00:00:00,2019-05-26 00:00:00,Scent,7,"
        "Camera Functioning\nd2,P,39.8,-2.9,2019-04-17 00:00:00,2019-05-26 00:00:00,None,8,"
        "Vandalism/Theft\n"
    )
    (tmp_path / "wi/images.csv").write_text(
        "deployment_id,image_id,filename,location,is_blank,identified_by,wi_taxon_id,class,order,"
        "family,genus,species,common_name,timestamp,number_of_objects,age,sex,individual_id,"
        "cv_confidence\n"
        "d1,i1,1.JPG,gs://a/1.JPG,0,Computer vision,x,Mammalia,Carnivora,Felidae,Panthera,uncia,"
        "Snow Leopard,2019-04-20 10:00:00,2,Adult,Female,T3,0.97\n"
        "d1,i1,1.JPG,gs://a/1.JPG,0,A. Person,x,Mammalia,Carnivora,Felidae,,,Cat family,"
        "2019-04-20 10:00:00,1,,,,\n"
        "d1,i2,2.MP4,gs://a/2.MP4,1,A. Person,x,,,,,,Blank,2019-07-01 10:00:00,,,,,\n"
        "d1,i3,3.JPG,gs://a/3.JPG,0,A. Person,x,Mammalia,Primates,Hominidae,Homo,sapiens,"
        "Human-Hiker,2019-04-20 10:00:00,1,,,,\n"
        "d1,i4,4.JPG,gs://a/4.JPG,0,A. Person,x,,,,,,CV Needed,2019-04-20 10:00:00,1,,,,\n"
    )
    frames, findings, _ = read(tmp_path / "wi", "wildlife-insights")
    told = {(f.code, f.row, f.field) for f in findings}
    assert ("wildlife-insights-camera-failed", 2, "camera_functioning") in told
    assert ("camtrapdp-outside-deployment", 3, "timestamp") in told
    assert len(frames["Media"]) == 4  # two species in one image are one medium
    assert frames["Media"]["fileMediatype"].tolist()[1] == "video/mp4"
    seen = frames["Observation"]
    kinds = ["animal", "animal", "blank", "human", "unclassified"]
    assert seen["observationType"].tolist() == kinds
    assert seen["scientificName"].tolist()[:2] == ["Panthera uncia", "Felidae"]
    assert seen["classificationMethod"].tolist()[:2] == ["machine", "human"]
    assert (seen["sex"].iat[0], seen["lifeStage"].iat[0]) == ("female", "adult")
    assert (seen["individualID"].iat[0], seen["classificationProbability"].iat[0]) == ("T3", "0.97")
    assert frames["Deployment"]["baitUse"].tolist() == ["true", "false"]


# --- camtrapR -----------------------------------------------------------------------------------


def test_camtrapr_own_sample() -> None:
    frames, findings, rejected = read(shared("wildlife/camtrapr_sample"), "camtrapr")
    assert {k: len(v) for k, v in frames.items()} == {
        "Deployment": 3,
        "DeviceEvent": 1,
        "Observation": 60,
    }
    assert rejected == []
    told = codes(findings)
    told.pop("last-line-unended", None)
    assert told == {"camtrapr-date-order": 1, "camtrapr-no-place": 1}
    starts = ["2009-04-02", "2009-04-03", "2009-04-04"]
    assert frames["Deployment"]["deploymentStart"].tolist() == starts
    alarm = frames["DeviceEvent"].iloc[0]
    assert (alarm["device"], alarm["time_start"], alarm["time_end"]) == (
        "StationC",
        "2009-05-12",
        "2009-05-17",
    )
    records = frames["Observation"]
    alone = records[records["observationID"].str.startswith("recordTableSample")]
    counts = pd.crosstab(alone["scientificName"], alone["deploymentID"])
    assert len(alone) == 39
    assert counts.loc["PBE"].tolist() == [4, 8, 6]
    assert counts.loc["TRA"].tolist() == [0, 0, 8]


def test_camtrapr_with_several_cameras_and_records_outside(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "stations.csv").write_text(
        "Station,Camera,Latitude,Longitude,Setup_date,Retrieval_date\n"
        "S,1,5.1,117.2,2009-04-02,2009-05-14\nS,2,5.1,117.2,2009-04-02,2009-05-14\n"
    )
    (folder / "records.csv").write_text(
        "Station,Camera,Species,DateTimeOriginal\nS,2,PBE,2009-05-14 23:00:00\n"
        "S,2,PBE,2009-05-15 01:00:00\n"
    )
    frames, findings, _ = read(folder, "camtrapr")
    assert frames["Deployment"]["deploymentID"].tolist() == ["S__1", "S__2"]
    assert frames["Deployment"]["latitude"].tolist() == ["5.1", "5.1"]
    outside = [(f.row, f.field) for f in findings if f.code == "camtrapdp-outside-deployment"]
    assert outside == [(2, "DateTimeOriginal")]


# --- MegaDetector and SpeciesNet ----------------------------------------------------------------


def detected(**changes: Any) -> dict[str, Any]:
    return {
        "info": {
            "format_version": "1.6",
            "detector": "md_v5a.0.1.pt",
            "detector_metadata": {"typical_detection_threshold": 0.2},
            "classifier": "cats-1",
            "detection_completion_time": "2026-01-05 10:00:00",
        },
        "detection_categories": {"1": "animal", "3": "vehicle"},
        "classification_categories": {"0": "snow leopard"},
        "classification_category_descriptions": {
            "0": "uuid;mammalia;carnivora;felidae;panthera;uncia;snow leopard"
        },
        "images": [
            {
                "file": "D1/1.jpg",
                "datetime": "2026:01:02 03:04:05",
                "detections": [
                    {
                        "category": "1",
                        "conf": 0.93,
                        "bbox": [0.1, 0.2, 0.3, 0.4],
                        "classifications": [["0", 0.81], ["1", 0.1]],
                    },
                    {"category": "1", "conf": 0.11, "bbox": [0, 0, 0.1, 0.1]},
                ],
            },
            {"file": "D1/2.jpg", "detections": []},
            {"file": "D1/3.jpg", "detections": None, "failure": "Failure image access"},
            {"file": "D2/4.mp4", "detections": [
                {"category": "3", "conf": 0.5, "bbox": [0, 0, 1, 1], "frame_number": 12}
            ]},
            {"file": "D2/5.jpg", "detections": [
                {"category": "1", "conf": 0.5, "bbox": [10, 20, 300, 400]}
            ]},
            {"detections": []},
        ],
    } | changes  # fmt: skip


def test_a_detector_s_results(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(detected()))
    frames, findings, rejected = read(path, "megadetector")
    assert frames["Media"]["filePath"].tolist() == ["D1/1.jpg", "D1/2.jpg", "D1/3.jpg", "D2/4.mp4"]
    assert frames["Media"]["deploymentID"].tolist() == ["D1", "D1", "D1", "D2"]
    assert frames["Media"]["fileMediatype"].iat[3] == "video/mp4"
    seen = frames["Observation"]
    assert seen["observationType"].tolist() == ["animal", "blank", "vehicle"]
    assert seen["scientificName"].iat[0] == "Panthera uncia"
    assert seen["classificationProbability"].iat[0] == "0.81"
    assert seen["classifiedBy"].iat[0] == "md_v5a.0.1.pt + cats-1"
    assert seen["eventStart"].iat[0] == "2026-01-02 03:04:05"
    assert seen["observationTags"].iat[2] == "frame:12"
    assert [(f.code, f.row, f.field) for f in findings] == [
        ("megadetector-failed", 3, "failure"),
        ("megadetector-box", 5, "bbox"),
        ("megadetector-no-file", 6, "file"),
        ("megadetector-below", None, None),
    ]
    assert [r[1] for r in rejected] == [5, 6]


def test_the_other_json_of_detectors_is_refused_and_speciesnet_read(tmp_path: Path) -> None:
    pixels = tmp_path / "pixels.json"
    pixels.write_text(
        json.dumps([{"img_id": "1.jpg", "confidence": [0.9], "bbox": [[1, 2, 3, 4]]}])
    )
    with pytest.raises(Refused) as refusal:
        read(pixels, "megadetector")
    assert refusal.value.finding.code == "megadetector-pixels"
    path = tmp_path / "predictions.json"
    found = {"category": "1", "label": "animal", "conf": 0.9, "bbox": [0, 0, 0.5, 0.5]}
    path.write_text(
        json.dumps(
            {
                "predictions": [
                    {
                        "filepath": "A/1.jpg",
                        "detections": [found],
                        "prediction": "u;mammalia;carnivora;felidae;;;cat family",
                        "prediction_score": 0.7,
                        "model_version": "4.0.1a",
                    },
                    {"filepath": "A/2.jpg", "detections": [], "prediction": "u;;;;;;blank"},
                    {"filepath": "A/3.jpg", "failures": ["CLASSIFIER"]},
                ]
            }
        )
    )
    frames, findings, _ = read(path, "megadetector")
    seen = frames["Observation"]
    assert seen["observationType"].tolist() == ["animal", "blank"]
    assert (seen["scientificName"].iat[0], seen["classifiedBy"].iat[0]) == (
        "Felidae",
        "SpeciesNet 4.0.1a",
    )
    assert codes(findings) == {"megadetector-failed": 1, "megadetector-no-threshold": 1}


@pytest.mark.parametrize("content", [{"images": 3}, {}, "x"])
def test_json_that_is_no_detector_s_result_is_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    with open_source(path) as source, pytest.raises(Refused):
        list(format_named("megadetector").read(source, ReadOptions(), lambda f: None, print))


# --- out ----------------------------------------------------------------------------------------


def test_failures_are_written_beside_the_three_tables(tmp_path: Path) -> None:
    failures = pd.DataFrame(
        {
            "deploymentID": ["d1"],
            "failureStart": ["2025-06-10T00:00:00Z"],
            "failureEnd": ["2025-06-12T00:00:00Z"],
        }
    )
    write_camtrapdp(tmp_path / "p", *study().values(), STUDY, failures)
    frames, findings, rejected = read(tmp_path / "p", "camtrapdp")
    assert (findings, rejected) == ([], [])
    assert frames["DeviceEvent"]["device"].tolist() == ["d1"]


def test_camera_observations_as_occurrences(tmp_path: Path) -> None:
    tables = study()
    observations = tables["observations"].assign(individualID=["T1", None, None, None])
    media = occurrences(tables["deployments"], observations[:3])
    assert media["occurrenceID"].tolist() == ["o1", "o3"]
    first = media.iloc[0]
    assert first["scientificName"] == "Panthera uncia"
    assert (first["decimalLatitude"], first["coordinateUncertaintyInMeters"]) == ("38.1", "50")
    assert first["eventDate"] == "2025-06-02T01:00:00Z/2025-06-02T01:00:05Z"
    assert (first["organismID"], first["basisOfRecord"]) == ("T1", "MachineObservation")
    # Events describe the same animals: with any of them, media are not counted again.
    assert occurrences(tables["deployments"], observations).empty
    write_dwca(
        tmp_path / "a.zip",
        {"Occurrence": media},
        {"title": "t", "creator": "c", "language": "en", "published": "2026-01-01"},
    )
    frames, _, rejected = read(tmp_path / "a.zip", "dwca")
    assert rejected == []
    assert len(frames["Occurrence"]) == 2
