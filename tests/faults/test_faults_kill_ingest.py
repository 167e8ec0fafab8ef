"""The same with the real command: ``ecotone ingest`` of a 100,000-row file, killed, run again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.nodes import new_node
from tests.postgres import server

from ecotone.store import open_node

ROWS = 100_000
MAPPING = """
[mapping]
name = "laboratory"
version = 1
record = "Observation"
layout = "long"
encoding = "utf-8"
zone = "UTC"

[columns]
observation_id = "number"
site = "station"
time = "sampled"
property = "what"
value = "result"
unit = "unit"
"""


def _write(folder: Path) -> Path:
    import numpy as np
    import pandas as pd

    i = np.arange(ROWS)
    frame = pd.DataFrame(
        {
            "number": i,
            "station": i % 40,
            "sampled": (
                pd.Timestamp("2001-01-01") + pd.to_timedelta(i * 60, unit="s")
            ).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "what": "nitrate",
            "result": (i % 1000) / 10,
            "unit": "mg/L",
        }
    )  # fmt: skip
    frame.to_csv(folder / "results.csv", index=False)
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    return folder / "results.csv"


def _ingest(node: Path, file: Path, patience: float | None) -> tuple[bool, float]:
    """Run the command, killed after ``patience`` seconds; whether it said it was done, and when."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "ecotone.cli", "ingest", file, "--node", node, "--dataset",
         "kncm-water", "--mapping", file.with_name("mapping.toml"), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if patience is not None:
        time.sleep(patience)
        process.send_signal(signal.SIGKILL)
    told, wrong = process.communicate(timeout=120)
    if patience is None:
        assert process.returncode == 0, told + wrong
    return '"verdict"' in told, time.monotonic() - began


def _hunt(folder: Path, url: str | None, kills: int, seed: int) -> None:
    file = _write(folder)
    with new_node(folder / "reference", None) as store:
        pass
    _, whole = _ingest(folder / "reference", file, None)
    with open_node(folder / "reference") as store:
        assert store.count("Observation", ["kncm-water"]) == ROWS
        wanted = store.state_hash()

    node, dice, number = folder / "node0", random.Random(seed), 0
    new_node(node, url).close()
    for _ in range(kills):
        done, _ = _ingest(node, file, whole * dice.uniform(0.0, 1.1))
        with open_node(node) as store:
            rows = store.count("Observation", ["kncm-water"])
            assert rows in (0, ROWS)
            assert len(store.batches()) == rows // ROWS
            assert rows == ROWS or not done
            assert list((node / "staging").iterdir()) == []
            if rows:
                assert store.state_hash() == wanted
                assert store.verify_ledger() == []
        if rows and url is None:
            number += 1
            node = folder / f"node{number}"
            new_node(node, url).close()
    for _ in range(2):
        _ingest(node, file, None)
        with open_node(node) as store:
            assert store.count("Observation", ["kncm-water"]) == ROWS
            assert len(store.batches()) == 1
            assert store.state_hash() == wanted
            assert store.verify_ledger() == []


BOTH = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)


def _url(database: str) -> str | None:
    return None if database == "sqlite" else server().new_database()


@BOTH
def test_two_kills_of_the_command(tmp_path: Path, database: str) -> None:
    _hunt(tmp_path, _url(database), kills=2, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@BOTH
def test_thirty_kills_of_the_command(tmp_path: Path, database: str) -> None:
    _hunt(tmp_path, _url(database), kills=30, seed=2)
