"""Keep, move and leave: the same state comes back, nothing half stays, nothing needs us to read."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import sqlite3
import threading
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from tests.command import ecotone
from tests.nodes import deliver, new_node, results
from tests.postgres import server
from tests.unit.store.test_store_upgrade import row_hashes

from ecotone.store import open_node
from ecotone.store.backup import MANIFEST
from ecotone.store.node import MARK
from ecotone.store.system import locked


@pytest.fixture
def node(tmp_path: Path) -> Path:
    with new_node(tmp_path / "node") as store:
        deliver(store, results(500))
        record = next(store.select("Observation", datasets=["kncm-water"]))["id"][3]
        store.correct("Observation", record, {"value": 5.5}, person="aigul", reason="misread")
        raw = tmp_path / "raw.csv"
        raw.write_text("a,b\n1,2\n", encoding="utf-8")
        store.add_file(raw)
        run = store.folder / "runs" / "2026-01-01-abc"
        run.mkdir()
        (run / "run.json").write_text("{}", encoding="utf-8")
        return store.folder


def state(node: Path) -> str:
    with open_node(node) as store:
        return store.state_hash()


def rewritten(path: Path, out: Path, **manifest: object) -> Path:
    """The backup with another manifest."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == MANIFEST:
                data = json.dumps(json.loads(data) | manifest).encode()
            new.writestr(name, data)
    return out


def test_a_node_moves_with_the_same_state(node, tmp_path):
    out = tmp_path / "backup.zip"
    told = ecotone("backup", out, "--node", node)
    assert told.code == 0, told.err
    told = ecotone("restore", out, tmp_path / "moved")
    assert told.code == 0, told.err
    assert state(tmp_path / "moved") == state(node)
    with open_node(tmp_path / "moved") as store:
        assert store.verify_ledger() == []
        assert (store.folder / "runs" / "2026-01-01-abc" / "run.json").is_file()
        deliver(store, results(5, start=9000), name="next.csv")
    assert not list(tmp_path.glob(".*"))
    assert not list((node / "staging").iterdir())


def test_a_backup_while_others_write_is_one_moment(node, tmp_path):
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with open_node(node) as store:
                deliver(store, results(20, start=number * 1000), name=f"{number}.csv")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            told = ecotone("backup", tmp_path / f"{number}.zip", "--node", node)
            assert told.code == 0, told.err
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        assert ecotone("restore", tmp_path / f"{number}.zip", tmp_path / f"r{number}").code == 0
        with open_node(tmp_path / f"r{number}") as store:
            assert store.verify_ledger() == []
            assert store.count("Observation", ["kncm-water"]) % 20 == 0


def test_what_lies_in_the_node_beside_it_moves_too(node, tmp_path):
    (node / "maps").mkdir()
    (node / "maps" / "границы 边界.geojson").write_text("{}", encoding="utf-8")
    (node / "plan.toml").write_text("# mine", encoding="utf-8")
    (node / "ecotone-before-0002.sqlite").write_bytes(b"old")
    assert ecotone("backup", tmp_path / "b.zip", "--node", node).code == 0
    told = ecotone("restore", tmp_path / "b.zip", tmp_path / "r")
    assert told.code == 0, told.err
    assert (tmp_path / "r" / "maps" / "границы 边界.geojson").read_text(encoding="utf-8") == "{}"
    assert (tmp_path / "r" / "plan.toml").is_file()
    assert not list((tmp_path / "r").glob("ecotone-before*"))


def test_two_backups_into_one_file_at_once(node, tmp_path):
    part = tmp_path / "b.zip.part"
    with locked(part) as other:
        other.write(b"half")
        other.flush()
        told = ecotone("backup", tmp_path / "b.zip", "--node", node)
        assert told.code == 2 and "b.zip" in told.err
        assert part.read_bytes() == b"half"
    assert ecotone("backup", tmp_path / "b.zip", "--node", node).code == 0
    assert not part.exists()


def test_into_the_folder_where_one_stands_also_after_it_was_interrupted(
    node, tmp_path, monkeypatch
):
    assert ecotone("backup", tmp_path / "b.zip", "--node", node).code == 0
    here = tmp_path / "here"
    (here / "files").mkdir(parents=True)
    (here / MARK).touch()
    (here / "ecotone.sqlite").write_bytes(b"half")
    monkeypatch.chdir(here)
    told = ecotone("restore", tmp_path / "b.zip", ".")
    assert told.code == 0, told.err
    assert Path("ecotone.toml").is_file() and not Path(MARK).exists()
    assert state(here) == state(node)
    assert ecotone("restore", tmp_path / "b.zip", ".").code == 2


def test_any_byte_that_tipped_over_is_told_or_did_not_matter(node, tmp_path):
    assert ecotone("backup", tmp_path / "b.zip", "--node", node).code == 0
    whole, wanted = (tmp_path / "b.zip").read_bytes(), state(node)
    bad, dice = tmp_path / "bad.zip", random.Random(3)
    places = [*range(0, 60, 3), *(dice.randrange(len(whole)) for _ in range(25)),
              *range(len(whole) - 400, len(whole), 9)]  # fmt: skip
    for number, place in enumerate(places):
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        told = ecotone("restore", bad, tmp_path / f"r{number}")
        if told.code == 0:
            assert state(tmp_path / f"r{number}") == wanted, place
        else:
            assert told.code == 3 and "bad.zip" in told.err, (place, told.err)
            assert not (tmp_path / f"r{number}").exists()


@pytest.mark.postgres
def test_the_same_file_from_either_database_and_onto_either(node, tmp_path):
    wanted = state(node)
    for name, frame in (("Site", sites()), ("Occurrence", seen())):
        with open_node(node) as store:
            deliver(store, frame, noun=name, name=name)
            wanted = store.state_hash()
    assert ecotone("backup", tmp_path / "1.zip", "--node", node).code == 0
    url = server().new_database().replace("+psycopg", "")
    told = ecotone("restore", tmp_path / "1.zip", tmp_path / "pg", "--database", url)
    assert told.code == 0, told.err
    assert not list((tmp_path / "pg").glob("*.sqlite*"))
    again = ecotone("restore", tmp_path / "1.zip", tmp_path / "pg2", "--database", url)
    assert again.code == 2 and not (tmp_path / "pg2").exists()
    with open_node(tmp_path / "pg") as store:
        assert store.database.is_postgres
        assert store.state_hash() == wanted and store.verify_ledger() == []
    for name, place in (("a", node), ("b", tmp_path / "pg")):
        told = ecotone("export", "--everything", tmp_path / name, "--node", place)
        assert told.code == 0, told.err
    for path in (tmp_path / "a" / "history").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "history" / path.name).read_bytes()
    told = ecotone("backup", tmp_path / "2.zip", "--node", tmp_path / "pg")
    assert told.code == 0, told.err
    assert not list((tmp_path / "pg" / "staging").iterdir())
    for number, more in ((3, []), (4, ["--database", server().new_database()])):
        folder = tmp_path / str(number)
        told = ecotone("restore", tmp_path / "2.zip", folder, *more)
        assert told.code == 0, told.err
        with open_node(folder) as store:
            assert store.database.is_postgres == bool(more)
            assert store.state_hash() == wanted and store.verify_ledger() == []
            deliver(store, results(5, start=9000), name="next.csv")
            assert store.verify_ledger() == []
    rows = [row_hashes_of(tmp_path / f"{number}.zip", tmp_path) for number in (1, 2)]
    assert rows[0] == rows[1]


def row_hashes_of(path: Path, folder: Path) -> object:
    """The rows of every table in a backup."""
    with zipfile.ZipFile(path) as archive:
        archive.extract("ecotone.sqlite", folder)
    return {name: rows for name, (_, rows) in row_hashes(folder / "ecotone.sqlite").items()}


def sites() -> pd.DataFrame:
    return pd.DataFrame({"site_id": ["S1", "S2"], "name": ["上游站", 'пост "А", ниже\\n']})


def seen() -> pd.DataFrame:
    return pd.DataFrame(
        {"occurrence_id": ["o1", "o2"], "individual_count": pd.array([1, None], dtype="Int64"),
         "time_start": [pd.Timestamp("1820-01-01T00:00:00.000001Z"), pd.NaT]}
    )  # fmt: skip


@pytest.mark.parametrize("how", ["format", "schema", "cut", "flipped", "other", "extra", "escape"])
def test_what_is_no_sound_backup_is_refused_and_leaves_nothing(node, tmp_path, how):
    whole = tmp_path / "whole.zip"
    assert ecotone("backup", whole, "--node", node).code == 0
    bad = tmp_path / "bad.zip"
    match how:
        case "format":
            rewritten(whole, bad, format=2, ecotone="99.0")
        case "schema":
            rewritten(whole, bad, schema="9999", ecotone="99.0")
        case "cut":
            bad.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        case "flipped":
            with zipfile.ZipFile(whole) as old:
                members = json.loads(old.read(MANIFEST))["members"]
            members["ecotone.sqlite"][1] = "0" * 64
            rewritten(whole, bad, members=members)
        case "other":
            bad.write_bytes(b"PK\x05\x06" + bytes(18))
        case "extra" | "escape":
            name = "../evil.txt" if how == "escape" else "more.txt"
            with zipfile.ZipFile(whole) as old:
                members = json.loads(old.read(MANIFEST))["members"]
            if how == "escape":
                members[name] = [1, hashlib.sha256(b"x").hexdigest()]
            rewritten(whole, bad, members=members)
            with zipfile.ZipFile(bad, "a") as archive:
                archive.writestr(name, "x")
    told = ecotone("restore", bad, tmp_path / "to")
    assert told.code == 3
    assert "bad.zip" in told.err
    assert how not in ("format", "schema") or "99.0" in told.err
    assert not (tmp_path / "to").exists() and not list(tmp_path.glob(".*"))
    assert not (tmp_path / "evil.txt").exists()


def test_nothing_is_overwritten(node, tmp_path):
    out = tmp_path / "backup.zip"
    assert ecotone("backup", out, "--node", node).code == 0
    assert ecotone("backup", out, "--node", node).code == 2
    assert ecotone("backup", node / "runs" / "b.zip", "--node", node).code == 2
    assert ecotone("restore", out, node).code == 2
    assert ecotone("restore", tmp_path / "none.zip", tmp_path / "x").code == 2
    assert ecotone("export", "--everything", node, "--node", node).code == 2
    assert ecotone("export", "--everything", node / "runs" / "x", "--node", node).code == 2


def test_everything_can_be_read_without_us(node, tmp_path):
    out = tmp_path / "all"
    told = ecotone("export", "--everything", out, "--node", node)
    assert told.code == 0, told.err
    with (out / "tables" / "observation.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    with (out / "history" / "observation.csv").open(encoding="utf-8", newline="") as handle:
        versions = list(csv.DictReader(handle))
    assert len(rows) == 500 and len(versions) == 501
    assert json.loads((out / "counts.json").read_text(encoding="utf-8")) == {"observation": 500}
    with open_node(node) as store:
        totals = store.totals()
        (frame,) = store.select("Observation", datasets=["kncm-water"])
    by_dataset: dict[str, int] = {}
    for row in rows:
        by_dataset[row["dataset_id"]] = by_dataset.get(row["dataset_id"], 0) + 1
    assert by_dataset == {t["dataset_id"]: t["records"] for t in totals}
    mine = sum(float(r["value"]) for r in rows if r["value"])
    assert mine == pytest.approx(frame["value"].sum(), abs=1e-9)
    assert rows[0]["time_start"] == "1999-12-31T23:00:00.000000Z"
    assert rows[0]["time_text"] == frame["time_text"][0]
    with sqlite3.connect(out / "places" / "places.gpkg") as places:
        assert places.execute("SELECT count(*) FROM observation").fetchone() == (500,)
    previous = "0" * 64
    lines = (out / "documents" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    for line in map(json.loads, lines):
        assert line["seq"] == 1 or line["prev"] == previous
        previous = line["hash"]
    with (out / "SHA256.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            data = (out / row["path"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == row["sha256"]
    assert "observation: 500" in (out / "README.md").read_text(encoding="utf-8")
