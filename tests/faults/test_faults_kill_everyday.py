"""kill -9 during corrections, backups, restores, exports and upgrades: nothing lost, nothing half.

The moments are spread evenly over the whole operation, from before its first step to after its
last; some of the commands therefore finish, and then what they made must be there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from tests.command import ecotone
from tests.nodes import deliver, everything, new_node, results
from tests.postgres import server
from tests.unit.store.test_store_upgrade import LINES, STATE, row_hashes, schema_of, unpacked

from ecotone.store import open_node
from ecotone.store.schema import HEAD

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="these tests fork and kill: POSIX systems only"
)
DRIVER = Path(__file__).with_name("kill_driver.py")
#: In every run of the tests, and once in a while.
FEW, MANY = 4, 100


@dataclass
class Gallows:
    """Carries commands out, and ends them when told."""

    process: subprocess.Popen[str]
    dice: random.Random = field(default_factory=lambda: random.Random(20261121))
    killed: int = 0
    how: signal.Signals = signal.SIGKILL

    def run(self, arguments: list[object], patience: float | None = None) -> float:
        """Seconds it took; with ``patience`` it is killed after so many."""
        assert self.process.stdin is not None and self.process.stdout is not None
        began = time.monotonic()
        self.process.stdin.write(json.dumps([str(a) for a in arguments]) + "\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        if patience is not None:
            time.sleep(patience)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, self.how)
        code = int(self.process.stdout.readline())
        assert code in (0, -signal.SIGKILL if self.how == signal.SIGKILL else 130)
        self.killed += code != 0
        return time.monotonic() - began

    def hunt(
        self, kills: int, command: Callable[[], list[object]], look: Callable[[], None]
    ) -> None:
        """Kill the command that many times, look after each, and let it finish at last."""
        for _ in range(2):
            whole = self.run(command())  # the first one loads what the second measures without
            look()
        for number in range(kills):
            moment = (number + self.dice.random()) / kills
            self.run(command(), 1.02 * moment * whole)
            look()
        assert self.killed >= kills // 4
        print(f"{self.killed} of {kills} were killed in the midst")
        self.run(command())
        look()


@pytest.fixture(scope="module")
def driver() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def gallows(driver: subprocess.Popen[str]) -> Gallows:
    return Gallows(driver)


KILLS = pytest.mark.parametrize(
    "kills",
    [
        pytest.param(FEW, id="few"),
        pytest.param(MANY, id="hundred", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
BOTH = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)


def made(folder: Path, database: str, rows: int) -> Path:
    """A node with rows, a kept file and a run."""
    url = None if database == "sqlite" else server().new_database().replace("+psycopg", "")
    with new_node(folder, url) as store:
        deliver(store, results(rows))
        raw = folder.with_name("raw.csv")
        raw.write_text("a,b\n1,2\n", encoding="utf-8")
        store.add_file(raw)
        (folder / "runs" / "run-1").mkdir()
        (folder / "runs" / "run-1" / "run.json").write_text("{}", encoding="utf-8")
    return folder


def state(node: Path) -> tuple[str, int]:
    """Hash of what holds and number of lines; the ledger must be sound."""
    with open_node(node) as store:
        assert store.verify_ledger() == []
        return store.state_hash(), store.head()[0]


@KILLS
@BOTH
def test_a_hundred_corrections_are_all_there_or_none(tmp_path, gallows, kills, database):
    rows = 10 if kills == FEW else 100
    node, path = made(tmp_path / "node", database, rows), tmp_path / "rows.csv"
    asked = iter(range(10_000))

    def command() -> list[object]:
        told = ecotone("correct", "Observation", "--export", path, "--node", node)
        assert told.code == 0, told.err
        frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
        frame.assign(remarks=f"seen again {next(asked)}").to_csv(path, index=False)
        return ["correct", "Observation", "--from", path, "--why", "seen again", "--node", node]

    def look() -> None:
        with open_node(node) as store:
            assert store.verify_ledger(deep=False) == []
            remarks = everything(store)["remarks"]
        assert len(remarks) == rows and remarks.nunique(dropna=False) == 1
        assert list((node / "staging").iterdir()) == []

    gallows.hunt(kills, command, look)
    state(node)  # every row and closing of all of them, once: it is a long ledger by now


@KILLS
@BOTH
def test_a_backup_is_whole_or_not_there(tmp_path, gallows, kills, database):
    node, out, back = made(tmp_path / "node", database, 3000), tmp_path / "b.zip", tmp_path / "r"
    before = state(node)

    def command() -> list[object]:
        out.unlink(missing_ok=True)
        return ["backup", out, "--node", node]

    def look() -> None:
        if out.exists():
            shutil.rmtree(back, ignore_errors=True)
            assert ecotone("restore", out, back).code == 0
            assert state(back) == before
        assert state(node) == before
        assert list((node / "staging").iterdir()) == []

    gallows.hunt(kills, command, look)
    assert out.exists() and not list(tmp_path.glob("*.part"))


@KILLS
def test_a_restored_node_is_whole_or_not_there(tmp_path, gallows, kills):
    node, out, back = made(tmp_path / "node", "sqlite", 3000), tmp_path / "b.zip", tmp_path / "r"
    before = state(node)
    assert ecotone("backup", out, "--node", node).code == 0

    def command() -> list[object]:
        shutil.rmtree(back, ignore_errors=True)
        return ["restore", out, back]

    def look() -> None:
        if back.exists():
            assert state(back) == before

    gallows.hunt(kills, command, look)
    assert back.exists() and not list(tmp_path.glob(".*"))


@KILLS
def test_what_is_taken_along_is_whole_or_not_there(tmp_path, gallows, kills):
    node, out = made(tmp_path / "node", "sqlite", 1000), tmp_path / "all"
    before = state(node)

    def command() -> list[object]:
        shutil.rmtree(out, ignore_errors=True)
        return ["export", "--everything", out, "--node", node]

    def look() -> None:
        if out.exists():
            told = pd.read_csv(out / "SHA256.csv")
            for path, size in zip(told["path"], told["size"], strict=True):
                assert (out / path).stat().st_size == size
            assert len(pd.read_csv(out / "tables" / "observation.csv")) == 1000
        assert state(node) == before

    gallows.hunt(kills, command, look)
    assert out.exists() and not list(tmp_path.glob(".*"))


@KILLS
def test_an_upgraded_node_is_of_the_old_schema_or_of_the_new(tmp_path, gallows, kills):
    node = unpacked(tmp_path / "node")
    database = node / "ecotone.sqlite"
    before = row_hashes(database)
    seen = {"0001": 0, HEAD: 0}

    def command() -> list[object]:
        if schema_of(database) == HEAD:
            shutil.rmtree(node)
            unpacked(node)
        return ["status", "--node", node]

    def look() -> None:
        found = schema_of(database)
        seen[found] += 1
        assert row_hashes(database, before) == before
        kept = node / f"ecotone-before-{HEAD}.sqlite"
        assert found == "0001" or kept.exists()
        if kept.exists():
            assert schema_of(kept) == "0001" and row_hashes(kept) == before
        if found == HEAD:
            assert state(node) == (STATE, LINES)

    gallows.hunt(kills, command, look)
    assert seen["0001"] and seen[HEAD] >= 3
    assert not list(node.glob("*.part*"))


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.slow)])
@pytest.mark.parametrize("command", ["ingest", "backup", "restore", "export"])
def test_ctrl_c_leaves_nothing_half_and_nothing_behind(tmp_path, gallows, kills, command):
    gallows.how = signal.SIGINT
    node, out = made(tmp_path / "node", "sqlite", 1000), tmp_path / "out"
    copy, path = tmp_path / "b.zip", tmp_path / "more.csv"
    assert ecotone("backup", copy, "--node", node).code == 0
    before, lines = state(node), len(list(tmp_path.iterdir()))
    results(3000, start=5000).drop(columns="extra").to_csv(path, index=False)
    commands: dict[str, list[object]] = {
        "ingest": ["ingest", path, "--dataset", "kncm-other", "--node", node],
        "backup": ["backup", out, "--node", node],
        "restore": ["restore", copy, out],
        "export": ["export", "--everything", out, "--node", node],
    }

    def clean() -> list[object]:
        shutil.rmtree(node)
        assert ecotone("restore", copy, node).code == 0
        if out.is_dir():
            shutil.rmtree(out)
        out.unlink(missing_ok=True)
        return commands[command]

    def look() -> None:
        assert len(list(tmp_path.iterdir())) == lines + 1 + out.exists()
        assert list((node / "staging").iterdir()) == []
        now = state(node)
        if command != "ingest":
            assert now == before
            return
        with open_node(node) as store:
            delivered = [batch for batch in store.batches() if batch.file_name == path.name]
            assert store.count("Record", ["kncm-other"]) == 3000 * len(delivered)

    gallows.hunt(kills, clean, look)
