"""What the door costs: a million records released, beside the same read without it.

The same read is ``Store.select`` of the noun, its blocks joined into one frame: what a caller
without a door would do. The door reads the columns that were ever filled, decides, generalises,
names, orders, hashes and writes a line of the ledger; its rows have every column of the noun
again. Readers take turns, so that the machine's noise falls on all alike; the best turn counts.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.machine import machine

from ecotone.model.records import Clearance, Dataset, Party, Person
from ecotone.share import keys
from ecotone.share.agreements import canonical, parse
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.share.lifecycle import AGREEMENT
from ecotone.store import Store, init_node

ROWS = 1_000_000
TURNS = 3
CATS = {"name": "cats", "taxa": ["Panthera uncia", "Lynx lynx"]}
COARSE = {"level": "generalised", "cell_degrees": 0.1}
FULL = {"name": "rest", "level": "full"}
READERS = {
    "BB": ("in full", [FULL]),
    "CC": ("half in full, half generalised", [{**CATS, **COARSE}, FULL]),
    "DD": ("generalised", [{"name": "all", **COARSE}]),
}


def main() -> None:
    """Time them and print."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder, node(Path(folder)) as store:
        times: dict[str, list[float]] = {}
        for _ in range(TURNS):
            times.setdefault("without the door", []).append(taken(lambda: read(store)))
            for reader, (level, _) in READERS.items():
                times.setdefault(level, []).append(taken(lambda r=reader: release(store, r)))
    plain = min(times["without the door"])
    print(f"{ROWS:,} records of {len(read_columns)} columns")
    for level, took in times.items():
        more = min(took) / plain - 1
        print(f"{level:<32} {min(took):6.2f} s  {more:+7.1%}")


read_columns: list[str] = []


def read(store: Store) -> None:
    """The read without the door."""
    frame = pd.concat(list(store.select("Occurrence", datasets=["cats"])), ignore_index=True)
    read_columns[:] = list(frame.columns)
    assert len(frame) == ROWS


def release(store: Store, reader: str) -> None:
    """The same rows through the door."""
    door = Door(store, Request(reader, "assessment", "view", date(2026, 6, 1)))
    assert len(door.release("Occurrence").rows) == ROWS


def taken(work: Callable[[], object]) -> float:
    """Seconds a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def node(folder: Path) -> Store:
    """A node with a million sightings and an agreement with each reader."""
    owner = Party(party_id="AA", name={"en": "Owner"}, country_code="XA")
    steward = Person(person_id="s", party_id="AA", name="S", role="steward")
    store = init_node(folder / "node", party=owner, person=steward)
    cleared = Clearance(authority="M", number="1", date=date(2025, 1, 1), scope="all")
    cats = Dataset(dataset_id="cats", party_id="AA", title="Cats", export_clearance=cleared)
    store.put_dataset(cats, person="s")
    homes = {"AA": store.folder, **{name: folder / name for name in READERS}}
    for name, home in homes.items():
        (home / "keys").mkdir(parents=True, exist_ok=True)
        text = keys.make(home, name).text()
        party = Party(party_id=name, name={"en": name}, country_code="XA", public_key=text)
        store.put_party(party, person="s")
    for reader, (_, classes) in READERS.items():
        agree(store, homes, reader, classes)
    deliver(store)
    return store


def agree(store: Store, homes: dict[str, Path], reader: str, classes: list[dict]) -> None:  # type: ignore[type-arg]  # plain data
    """An agreement in force."""
    document = {
        "agreement_id": f"AG-{reader}",
        "title": {"en": "Cats"},
        "owner": "AA",
        "recipients": [reader],
        "purposes": ["assessment"],
        "actions": ["view"],
        "datasets": ["cats"],
        "classes": classes,
        "valid_from": "2020-01-01",
        "valid_until": "2099-12-31",
        "status": "active",
    }
    agreement = parse(document, "benchmark")
    said = canonical(agreement)
    signed = {p: str(keys.sign(homes[p], said, purpose=AGREEMENT)) for p in ("AA", reader)}
    whole = agreement.model_copy(update={"signatures": signed}).model_dump(mode="json")
    store.put_agreement(whole, json.dumps(document), person="s")


def deliver(store: Store, block: int = 50_000) -> None:
    """Sightings as a field season leaves them: fourteen attributes filled."""
    rng = np.random.default_rng(1)
    with store.begin_batch(
        file_name="sightings.csv",
        sha256="0" * 64,
        size=0,
        format="csv",
        dataset_id="cats",
        person="s",
    ) as writer:
        for start in range(0, ROWS, block):
            i = np.arange(start, start + block)
            taxa = np.array(["Panthera uncia", "Capra sibirica", "Marmota", "Lynx lynx"])
            frame = pd.DataFrame(
                {
                    "occurrence_id": np.char.add("o-", i.astype(str)),
                    "taxon": taxa[i % 4],
                    "basis_of_record": "HumanObservation",
                    "recorded_by": np.array(["A. P.", "B. Q."])[i % 2],
                    "locality": np.char.add("valley ", (i % 500).astype(str)),
                    "latitude": 36 + 8 * rng.random(block),
                    "longitude": 70 + 10 * rng.random(block),
                    "coordinate_uncertainty_m": np.round(10 + 90 * rng.random(block)),
                    "time_start": pd.Timestamp("2015-01-01", tz="UTC")
                    + pd.to_timedelta(i * 90, unit="s"),
                    "time_precision": "minute",
                    "country_code": "XA",
                    "individual_count": pd.array(1 + i % 3, dtype="Int64"),
                    "licence": "CC-BY-4.0",
                    "remarks": "seen from the ridge",
                }
            )
            writer.add("Occurrence", frame, i + 1, i + 2, "sightings.csv")
        writer.commit("accepted")


if __name__ == "__main__":
    main()
