"""A long file with bad rows: every good row in, every bad row named, memory bounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from benchmarks.ingest import MAPPING, node_with_dataset, write_results


def run_watched(command: list[str]) -> tuple[subprocess.CompletedProcess[bytes], float]:
    """Run a command; its output and its peak memory in MB."""
    peak = 0.0
    done = threading.Event()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            try:
                peak = max(peak, psutil.Process(process.pid).memory_info().rss / 1e6)
            except psutil.NoSuchProcess:
                return
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = process.communicate()
    done.set()
    watcher.join()
    return subprocess.CompletedProcess(command, process.returncode, out, err), peak


@pytest.mark.parametrize(
    "rows", [100_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_every_good_row_in_and_every_bad_row_named(tmp_path: Path, rows: int) -> None:
    table, mapping = tmp_path / "results.csv", tmp_path / "mapping.toml"
    write_results(table, rows, bad_every=100)
    mapping.write_text(MAPPING, encoding="utf-8")
    node_with_dataset(tmp_path / "node").close()
    told, peak = run_watched(
        [
            sys.executable,
            "-m",
            "ecotone.cli",
            *("ingest", os.fspath(table), "--dataset", "d", "--mapping", os.fspath(mapping)),
            *("--node", os.fspath(tmp_path / "node"), "--json"),
        ]
    )
    assert told.returncode == 0, told.stderr.decode()
    answer = json.loads(told.stdout)
    assert answer["verdict"] == "partial"
    assert answer["records"] == {"Observation": rows - rows // 100}
    errors = [f for f in answer["findings"] if f["severity"] == "error"]
    assert [f["row"] for f in errors] == list(range(100, rows + 1, 100))
    assert {(f["code"], f["field"], f["value"]) for f in errors} == {
        ("number-unreadable", "value", "bad")
    }
    assert f"line {rows + 1}" in errors[-1]["message"]
    assert peak < 500, f"{peak:.0f} MB"
    from ecotone.store import open_node

    with open_node(tmp_path / "node") as store:
        assert store.count("Observation", ["d"]) == rows - rows // 100
        assert sum(1 for _ in store.quarantine(answer["batch"])) == rows // 100
