from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from ecotone.assess.plan import load
from ecotone.assess.run import assess
from ecotone.assess.verify import verify
from ecotone.model.errors import InputRefused, NotComputable, UsageError


def tree(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def change(plan: Path, old: str, new: str) -> Path:
    text = plan.read_text(encoding="utf-8")
    assert old in text
    plan.write_text(text.replace(old, new), encoding="utf-8")
    return plan


def test_a_plan_becomes_a_whole_run(plan, tmp_path):
    seen = []
    run = assess(plan, tmp_path / "runs", progress=lambda *told: seen.append(told))
    told = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert run.name.startswith("2026-05-31-") and run.name.endswith(told["id"])
    assert [(r["indicator"], r["region"]) for r in told["results"]] == [
        ("land.trend", "west"),
        ("land.trend", "east"),
        ("water.compliance", "west"),
    ]
    west = json.loads((run / told["results"][0]["path"]).read_text(encoding="utf-8"))
    east = json.loads((run / told["results"][1]["path"]).read_text(encoding="utf-8"))
    assert west["values"]["decreasing"]["value"] == west["values"]["pixels"]["value"] == 200
    assert east["values"]["significant"]["value"] < 40
    mean = west["values"]["mean_slope"]
    assert mean["low"] <= -0.01 <= mean["high"] or mean["value"] == pytest.approx(-0.01, abs=5e-4)
    assert west["parameters"]["start"] == 2001 and west["parameters"]["end"] == 2012
    assert {i["origin"] for i in told["inputs"]} == {"plan"}
    assert seen[-1][0] == seen[-1][1] == 3
    crate = json.loads((run / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert crate["@context"] == "https://w3id.org/ro/crate/1.2/context"
    assert not list((tmp_path / "runs").glob(".building*"))


def test_the_same_plan_gives_the_same_bytes(plan, tmp_path):
    one = assess(plan, tmp_path / "a")
    other = assess(plan, tmp_path / "b")
    assert one.name == other.name
    assert tree(one) == tree(other)


def test_a_run_verifies_and_a_changed_number_is_found(plan, tmp_path):
    run = assess(plan, tmp_path / "runs")
    verdict = verify(run)
    assert verdict.holds and verdict.compared > 20
    result = next(run.glob("results/west/*/land.trend/result.json"))
    told = json.loads(result.read_text(encoding="utf-8"))
    told["values"]["pixels"]["value"] += 1
    result.write_text(json.dumps(told), encoding="utf-8")
    raster = result.parent / told["rasters"]["slope"]
    with rasterio.open(raster, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as data:
        values = data.read(1)
        values[np.isfinite(values)] += 1e-3
        data.write(values, 1)
    table = next(run.glob("results/west/*/water.compliance/tables/compliance.csv"))
    table.write_text(table.read_text(encoding="utf-8") + "x\n", encoding="utf-8")
    found = {d.what for d in verify(run).differences}
    assert found == {"pixels", "rasters.slope", "tables.compliance"}


def test_a_changed_input_is_found(plan, tmp_path):
    run = assess(plan, tmp_path / "runs")
    results = plan.parent / "results.csv"
    results.write_text(results.read_text(encoding="utf-8") + "S3,lead,2005-01-01,1,mg/L\n")
    assert [d.what for d in verify(run).differences] == ["results.csv"]
    results.unlink()
    assert [d.now for d in verify(run).differences] == ["-"]
    with pytest.raises(UsageError):
        verify(tmp_path)


def test_an_interrupted_run_leaves_nothing(plan, tmp_path):
    def stop(done: int, total: int, what: str) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assess(plan, tmp_path / "runs", progress=stop)
    assert list((tmp_path / "runs").iterdir()) == []
    assert assess(plan, tmp_path / "runs").is_dir()


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("[plan]", "[plan", UsageError),
        ('id = "2001-2012"', 'name = "2001-2012"', UsageError),
        ("end = 2012", "end = 1999", UsageError),
        ('regions = ["west"]', 'regions = ["north"]', UsageError),
        ('regions = ["west"]', 'periods = ["1999"]', UsageError),
        ("land.trend", "land.nothing", UsageError),
        ('{ndvi = "ndvi"}', '{evi = "ndvi"}', UsageError),
        ('{ndvi = "ndvi"}', '{ndvi = "node"}', UsageError),
        ('{ndvi = "ndvi"}', '{ndvi = "absent"}', InputRefused),
        ('{ndvi = "ndvi"}', '{ndvi = "results.csv"}', InputRefused),
        ('path = "regions.geojson"', 'path = "absent.geojson"', InputRefused),
        ('zh = "不代表任何立场。"', 'xx = "?"', UsageError),
        ("start = 2001", "start = 1990", NotComputable),
    ],
)
def test_a_wrong_plan_is_told_and_leaves_nothing(plan, tmp_path, old, new, error):
    change(plan, old, new)
    if error is NotComputable:
        change(plan, "end = 2012", "end = 1995")
    with pytest.raises(error) as told:
        assess(plan, tmp_path / "runs")
    assert len(told.value.message) > 20
    assert not list((tmp_path / "runs").glob("*")) if (tmp_path / "runs").exists() else True


def test_regions_that_cannot_be_used(plan, tmp_path):
    path = plan.parent / "regions.geojson"
    good = json.loads(path.read_text(encoding="utf-8"))
    bowtie = json.loads(json.dumps(good))
    bowtie["features"][0]["geometry"]["coordinates"] = [
        [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]],
    ]
    twice = {**good, "features": [good["features"][0]] * 2}
    nameless = json.loads(json.dumps(good))
    for one in nameless["features"]:
        del one["properties"]["id"]
    for wrong in (bowtie, twice, nameless):
        path.write_text(json.dumps(wrong), encoding="utf-8")
        with pytest.raises(InputRefused):
            assess(plan, tmp_path / "runs")


def test_a_plan_that_is_not_there(tmp_path):
    with pytest.raises(UsageError):
        load(tmp_path / "plan.toml")


def test_threads_and_a_cluster_give_the_same_bytes(plan, tmp_path):
    from distributed import LocalCluster

    from ecotone.assess.executor import Cluster, Threads

    one = assess(plan, tmp_path / "a", executor=Threads(3))
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as local:
        cluster = Cluster(local.scheduler_address)
        other = assess(plan, tmp_path / "b", executor=cluster)
        cluster.close()
    assert tree(one) == tree(other)


def test_a_region_outside_the_data_is_told(plan, tmp_path):
    path = plan.parent / "regions.geojson"
    path.write_text(
        path.read_text(encoding="utf-8").replace("71.0", "11.0").replace("72.0", "12.0")
    )
    with pytest.raises((NotComputable, InputRefused)):
        assess(plan, tmp_path / "runs")


def test_a_folder_copied_elsewhere_still_verifies_from_its_own_inputs(plan, tmp_path):
    run = assess(plan, plan.parent / "runs")
    moved = tmp_path / "moved"
    shutil.copytree(plan.parent, moved)
    assert verify(moved / "runs" / run.name).holds
