"""Rows per second from a CSV of laboratory results into a node: read, typed, checked, committed."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmarks.machine import machine

ROWS = 300_000

MAPPING = """
[mapping]
name = "benchmark"
record = "Observation"
zone = "Asia/Dushanbe"
[columns]
site = "station"
time = "time"
property = "property"
value = "value"
unit = "unit"
latitude = "latitude"
longitude = "longitude"
remarks = "remarks"
"""


def write_results(path: Path, rows: int, *, bad_every: int = 0) -> None:
    """A plausible laboratory table; every ``bad_every``-th row has no number as its value."""
    rng = np.random.default_rng(1)
    names = np.array(["nitrate", "ammonium", "lead", "arsenic"])
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write("station,time,property,value,unit,latitude,longitude,remarks\n")
        for start in range(0, rows, 50_000):
            count = min(50_000, rows - start)
            number = np.arange(start, start + count)
            value = np.round(rng.lognormal(0, 1, count), 3)
            minute = number // 4
            lines = [
                f"S{n % 37},2020-{1 + m // 40320 % 12:02d}-{1 + m // 1440 % 28:02d}"
                f"T{m // 60 % 24:02d}:{m % 60:02d},{names[n % 4]},"
                f"{'bad' if bad_every and n % bad_every == bad_every - 1 else v},mg/L,"
                f"38.{n % 1000:03d},68.{n % 997:03d},run {n}"
                for n, m, v in zip(number.tolist(), minute.tolist(), value.tolist(), strict=True)
            ]
            handle.write("\n".join(lines) + "\n")


def node_with_dataset(folder: Path):
    """A node with one dataset to deliver into."""
    from ecotone.model.records import Dataset, Party, Person
    from ecotone.store import init_node

    party = Party(party_id="BENCH", name={"en": "Benchmark"}, country_code="TJ")
    person = Person(person_id="b", party_id="BENCH", name="B", role="steward")
    store = init_node(folder, party=party, person=person)
    store.put_dataset(Dataset(dataset_id="d", party_id="BENCH", title="D"), person="b")
    return store


def main() -> None:
    """Print the rate of a dry run and of a commit."""
    from ecotone.ingest import mapping
    from ecotone.ingest.commit import ingest
    from ecotone.ingest.delivery import Orders, process
    from ecotone.ingest.sinks import DrySink

    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "m.toml").write_text(MAPPING, encoding="utf-8")
        orders = Orders(mapping=mapping.load(folder / "m.toml"))
        small, large = folder / "small.csv", folder / "large.csv"
        write_results(small, 1000)
        write_results(large, ROWS)
        process(small, orders, DrySink())
        started = time.perf_counter()
        process(large, orders, DrySink())
        dry = time.perf_counter() - started
        with node_with_dataset(folder / "node") as store:
            started = time.perf_counter()
            done = ingest(large, orders, store, dataset_id="d", person="b")
            full = time.perf_counter() - started
    if done.delivery.verdict != "accepted":
        sys.exit(f"the benchmark's file was {done.delivery.verdict}")
    print(f"read and checked: {ROWS / dry:,.0f} rows/s")
    print(f"read, checked and committed (SQLite): {ROWS / full:,.0f} rows/s (wanted: 50,000)")


if __name__ == "__main__":
    main()
