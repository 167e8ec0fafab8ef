"""Everything taken along: every count and figure again from the files, without Ecotone.

What reads the folder knows csv, json, sqlite3, hashlib, rasterio, pandas and scipy alone.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
from scipy.stats import beta
from tests.command import ecotone
from tests.unit.cli.test_cli_as_known import MAPPING, PLAN

from ecotone.store import open_node
from ecotone.store.schema import STA

LEAD = [5, 12, 20, 9.5, 3.25, 14, 0.5]
BAND = np.arange(12, dtype="float32").reshape(3, 4)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a node with deliveries good and bad, a correction, a raster, sensors, a run."""
    home = tmp_path_factory.mktemp("leaving")
    node = home / "node"
    ecotone("init", node, "--party", "VIWE", "--name", "Institute", "--country", "VX")
    for dataset in ("lab", "maps", "wrong"):
        ecotone("add", "dataset", dataset, "--title", dataset, "--node", node)
    (home / "m.toml").write_text(MAPPING, encoding="utf-8")
    rows = [f"R{i},S{i % 2},2024-0{i + 1}-01T09:00,lead,{v},ug/L" for i, v in enumerate(LEAD)]
    head = "observation_id,site,time,property,value,unit\n"
    take(home, node, "lab.csv", head + "\n".join([*rows, "R9,S1,2024-09-01T09:00,lead,many,ug/L"]),
         "lab", "--mapping", home / "m.toml")  # fmt: skip
    take(home, node, "wrong.csv", head + "R1,S1,2024-05-01T09:00,lead,7,ug/L", "wrong",
         "--mapping", home / "m.toml")  # fmt: skip
    take(home, node, "places.csv", "site_id,name,latitude,longitude\nS0,上游,42.5,74.25\n"
         "S1,Пост,42.75,74.5\n", "maps", "--mapping", site_mapping(home))  # fmt: skip
    raster = home / "ndvi_2001-07-15.tif"
    corner = rasterio.transform.from_origin(74, 43, 0.1, 0.1)
    with rasterio.open(raster, "w", driver="GTiff", width=4, height=3, count=1, dtype="float32",
                       crs="EPSG:4326", transform=corner) as out:  # fmt: skip
        out.write(BAND, 1)
    told = ecotone("ingest", raster, "--dataset", "maps", "--node", node)
    assert told.code == 0, told.err
    with open_node(node) as store:
        wrong = next(b for b in store.batches() if b.dataset_id == "wrong")
        store.withdraw(wrong.batch_id, person="steward", reason="another river")
        record = next(store.select("Observation", datasets=["lab"]))["id"][2]
        store.correct("Observation", record, {"value": 8.0}, person="steward", reason="misread")
        sensing(store)
    (home / "plan.toml").write_text(PLAN.format(known="", dataset="lab"), encoding="utf-8")
    told = ecotone("assess", home / "plan.toml", "--node", node)
    assert told.code == 0, told.err
    told = ecotone("export", "--everything", home / "all", "--node", node)
    assert told.code == 0, told.err
    return home / "all"


def take(home: Path, node: Path, name: str, text: str, dataset: str, *more: object) -> None:
    (home / name).write_text(text, encoding="utf-8")
    told = ecotone("ingest", home / name, "--dataset", dataset, "--node", node, *more)
    assert told.code == 0, told.err + told.out


def site_mapping(home: Path) -> Path:
    names = ("site_id", "name", "latitude", "longitude")
    listed = "\n".join(f'{name} = "{name}"' for name in names)
    text = f'[mapping]\nrecord = "Site"\ndatum = "EPSG:4326"\n[columns]\n{listed}\n'
    (home / "sites.toml").write_text(text, encoding="utf-8")
    return home / "sites.toml"


def sensing(store: Any) -> None:
    """One logger with two results, one of them replaced."""
    with store.writing() as connection:
        plain = {"dataset_id": "lab", "name": "Logger", "description": "depth"}
        connection.execute(STA.entities["sta_thing"].insert().values(id=1, **plain))
        for number, value in enumerate((1.25, 2.5), start=1):
            connection.execute(
                STA.observation.insert().values(
                    id=number, datastream_id=1, time=1_700_000_000_000_000 + number, result=value,
                    kind=0, feature_id=1,
                )
            )  # fmt: skip


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_count_of_every_noun_and_version(taken):
    counts = document(taken / "counts.json")
    assert counts == {"observation": 7, "site": 2, "coverage": 1, "sensors/thing": 1,
                      "sensors/observation": 2}  # fmt: skip
    readme = (taken / "README.md").read_text(encoding="utf-8")
    for name, number in counts.items():
        folder = taken if "/" in name else taken / "tables"
        assert len(table(folder / f"{name}.csv")) == number
        assert f"- {name}: {number}" in readme
    for path in (taken / "history").glob("*.csv"):
        ever = table(path)
        hold = ever[ever["until"] == ""].drop(columns="until").reset_index(drop=True)
        pd.testing.assert_frame_equal(hold, table(taken / "tables" / path.name))
        assert set(table(taken / "dictionaries" / path.name)["column"]) <= set(ever.columns)
    ever = table(taken / "history" / "observation.csv")
    assert len(ever) == 7 + 1 + 1  # the withdrawn and what was corrected
    old, new = ever[ever["id"] == ever[ever["version"] == "2"]["id"].item()].to_dict("records")
    assert (old["value"], new["value"], old["until"]) == ("20.0", "8.0", new["since"])
    assert (new["person"], new["reason"]) == ("steward", "misread")


def test_the_ledger_is_whole_and_every_row_stands_on_it(taken):
    before, said = "0" * 64, lines(taken / "documents" / "ledger.jsonl")
    for number, line in enumerate(said, start=1):
        bare = {name: value for name, value in line.items() if name != "hash"}
        text = json.dumps(bare, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert line["hash"] == hashlib.sha256(text.encode()).hexdigest()
        assert (line["seq"], line["prev"]) == (number, before)
        before = line["hash"]
    kinds = pd.Series([line["kind"] for line in said]).value_counts()
    assert (kinds["commit"], kinds["withdraw"], kinds["correct"], kinds["run"]) == (4, 1, 1, 1)
    for path in (taken / "history").glob("*.csv"):
        assert set(table(path)["since"].astype(int)) <= set(range(1, len(said) + 1))


def test_every_delivery_its_file_its_rows_and_what_was_found(taken):
    batches = document(taken / "documents" / "batches.json")
    ever = pd.concat([table(path) for path in (taken / "history").glob("*.csv")])
    found = pd.Series([f["batch_id"] for f in lines(taken / "documents" / "findings.jsonl")])
    away = pd.Series([q["batch_id"] for q in lines(taken / "documents" / "quarantine.jsonl")])
    assert len(batches) == 4 and sum(batch["withdrawn"] for batch in batches) == 1
    for batch in batches:
        kept = next((taken / "files").rglob(batch["sha256"]))
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == batch["sha256"]
        counts, own = batch["counts"], batch["batch_id"]
        mine = ever[(ever["batch_id"] == own) & (ever["version"] == "1")]
        assert len(mine) == counts["new"]
        assert (found == own).sum() == counts.get("findings", 0)
        assert (away == own).sum() == counts.get("rejected", 0)
    assert len(away) == 1


def test_every_file_is_as_the_list_says(taken):
    with (taken / "SHA256.csv").open(encoding="utf-8", newline="") as handle:
        listed = {row["path"]: row for row in csv.DictReader(handle)}
    there = {p.relative_to(taken).as_posix() for p in taken.rglob("*") if p.is_file()}
    assert listed.keys() == there - {"SHA256.csv"}
    for name, row in listed.items():
        data = (taken / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (int(row["size"]), row["sha256"])


def test_places_by_sqlite_and_rasters_by_gdal(taken):
    sites = table(taken / "tables" / "site.csv").set_index("id")
    with closing(sqlite3.connect(taken / "places" / "places.gpkg")) as places:
        rows = places.execute("SELECT id, name, geom FROM site").fetchall()
    assert {row[0] for row in rows} == set(sites.index)
    for key, name, blob in rows:
        skip = 8 + {0: 0, 1: 32}[(blob[3] >> 1) & 7]
        order, kind, x, y = struct.unpack_from("<BIdd", blob, skip)
        assert (order, kind) == (1, 1)
        assert [name, str(y), str(x)] == sites.loc[key, ["name", "latitude", "longitude"]].tolist()
    (told,) = document(taken / "rasters" / "index.json")
    coverage = table(taken / "tables" / "coverage.csv").iloc[0]
    path = taken / "rasters" / told["file"]
    assert told["id"] == coverage["id"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == coverage["sha256"]
    with rasterio.open(path) as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        np.testing.assert_array_equal(raster.read(1), BAND)
        assert (str(raster.width), str(raster.height)) == (coverage["width"], coverage["height"])


def test_the_sensors(taken):
    seen = table(taken / "sensors" / "observation.csv")
    assert seen["result"].tolist() == ["1.25", "2.5"] and set(seen["kind"]) == {"number"}
    assert seen["time"][0] == "2023-11-14T22:13:20.000001Z"
    assert table(taken / "sensors" / "thing.csv")["name"].tolist() == ["Logger"]


def test_every_figure_of_the_run(taken):
    (run,) = document(taken / "documents" / "runs.json")
    home = taken / "runs" / run["run_id"]
    (path,) = home.glob("results/**/result.json")
    result = document(path)
    (given,) = result["inputs"]
    data = (home / given["path"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == given["sha256"]
    used = pd.read_csv(home / given["path"])
    hold = table(taken / "tables" / "observation.csv")
    assert dict(zip(used["id"], used["value"], strict=True)) == dict(
        zip(hold["id"], hold["value"].astype(float), strict=True)
    )
    judged = pd.read_csv(path.parent / result["tables"]["compliance"])
    limit = judged["limit"].unique().item()
    over = used["value"] > limit
    n, good = len(used), int((~over).sum())
    values = {name: told["value"] for name, told in result["values"].items()}
    share = values.pop("share_compliant")
    assert values == {
        "results": n, "exceedances": over.sum(), "stations": used["site"].nunique(),
        "set_aside": 0, "undetermined": 0,
    }  # fmt: skip
    assert share == pytest.approx(good / n, abs=1e-12)
    told = result["values"]["share_compliant"]
    assert (told["low"], told["high"]) == pytest.approx(exact(good, n, told["level"]), abs=1e-9)
    for row in judged.to_dict("records"):
        here = used.loc[used["site"] == row["station"], "value"]
        above = int((here > limit).sum())
        assert (row["n"], row["passes"], row["exceedances"]) == (
            len(here),
            len(here) - above,
            above,
        )
        assert row["share"] == pytest.approx(above / len(here), abs=1e-11)
        assert (row["low"], row["high"]) == pytest.approx(exact(above, len(here), 0.95), abs=1e-9)
        assert row["worst"] == here.max()


def exact(hits: int, of: int, level: float) -> tuple[float, float]:
    """The interval of Clopper and Pearson for a share."""
    rest = (1 - level) / 2
    low = 0.0 if hits == 0 else beta.ppf(rest, hits, of - hits + 1)
    high = 1.0 if hits == of else beta.ppf(1 - rest, hits + 1, of - hits)
    return float(low), float(high)
