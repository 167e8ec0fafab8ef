"""Seconds and memory to back up and restore a node of 1,000,000 records, from either database.

python -m benchmarks.backup [postgres]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.machine import machine
from tests.nodes import deliver, new_node, results
from tests.postgres import server

from ecotone.store import Store, open_node
from ecotone.store.backup import backup, restore

ROWS = 1_000_000
BLOCK = 50_000


def fill(folder: Path, url: str | None) -> None:
    """A node of a million laboratory results in twenty deliveries."""
    with new_node(folder, url) as store:
        for start in range(0, ROWS, BLOCK):
            deliver(store, results(BLOCK, start=start), name=f"{start}.csv")


def timed(what: str, wanted: int, work: Callable[[], object]) -> None:
    """Print wall and processor time of one step, and the peak of memory so far."""
    started = (time.perf_counter(), time.process_time())
    work()
    wall, processor = time.perf_counter() - started[0], time.process_time() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = f"{wall:.1f} s ({processor:.1f} s of processor; wanted: {wanted} s), peak {peak:.0f} MB"
    print(f"{what}: {told}", flush=True)


def measure(place: Path, url: str | None, back: str | None) -> None:
    """Fill, back up, restore, and compare the states."""
    fill(place / "node", url)
    file, folder = place / "b.zip", place / "back"
    with open_node(place / "node") as store:
        timed("backup", 60, lambda: backup(store, file))
        wanted = store.state_hash()
    print(f"{file.stat().st_size / 1e6:.0f} MB")
    held: list[Store] = []
    timed("restore", 120, lambda: held.append(restore(file, folder, database=back)))
    with held.pop() as store:
        if store.state_hash() != wanted:
            raise SystemExit("another state came back")


def main(postgres: bool = False) -> None:
    """Print the times."""
    print(machine())
    with tempfile.TemporaryDirectory() as place:
        if not postgres:
            measure(Path(place), None, None)
            return
        cluster = server(durable=True)
        measure(Path(place), cluster.new_database(), cluster.new_database())


if __name__ == "__main__":
    main("postgres" in sys.argv[1:])
