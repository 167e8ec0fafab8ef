"""What the door costs: a million records released, beside the same read without it.

The same read is ``Store.select`` of the columns that were ever filled, its blocks joined into one
frame: what a caller without a door would do. The door decides, generalises, names, orders, hashes
and writes a line of the ledger. Readers take turns, so that the machine's noise falls on all
alike; told are the medians of the turns and their ratio, by processor time (what the door costs)
and by the clock (what a user waits). For the generalised reader the door reads less, since it
knows which columns cannot leave; beside it stands the read of just those columns.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.machine import machine

from ecotone.model.dictionary import attributes
from ecotone.model.records import Clearance, Dataset, Party, Person
from ecotone.share import keys
from ecotone.share.agreements import canonical, parse
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.share.lifecycle import AGREEMENT
from ecotone.store import Store, init_node

ROWS = 1_000_000
TURNS = 5
CATS = {"name": "cats", "taxa": ["Panthera uncia", "Lynx lynx"]}
COARSE = {"level": "generalised", "cell_degrees": 0.1}
#: What leaves of these records below level full, as far as it is filled.
OPEN = ["id", "dataset_id", "basis_of_record", "taxon", "individual_count", "licence", "latitude",
        "longitude", "coordinate_uncertainty_m", "time_start", "time_precision"]  # fmt: skip
FULL = {"name": "rest", "level": "full"}
READERS = {
    "AA": ("own data", []),
    "BB": ("in full", [FULL]),
    "CC": ("half in full, half generalised", [{**CATS, **COARSE}, FULL]),
    "DD": ("generalised", [{"name": "all", **COARSE}]),
}


def main() -> None:
    """Time them and print."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder, node(Path(folder)) as store:
        columns = {
            "read, all filled columns": filled(store),
            "read, columns that leave coarse": OPEN,
        }
        times: dict[str, list[tuple[float, float]]] = {}
        for _ in range(TURNS):
            for name, listed in columns.items():
                times.setdefault(name, []).append(taken(lambda c=listed: read(store, c)))
            for reader, (level, _) in READERS.items():
                times.setdefault(level, []).append(taken(lambda r=reader: release(store, r)))
    plain = [
        statistics.median(each) for each in zip(*times["read, all filled columns"], strict=True)
    ]
    print(f"{ROWS:,} records, {len(columns['read, all filled columns'])} columns filled")
    print(f"{'':<34} {'processor':>9} {'':>8} {'clock':>9}")
    for level, took in times.items():
        work, clock = (statistics.median(each) for each in zip(*took, strict=True))
        more = work / plain[0] - 1, clock / plain[1] - 1
        print(f"{level:<34} {work:7.2f} s {more[0]:+8.1%} {clock:7.2f} s {more[1]:+8.1%}")


def filled(store: Store) -> list[str]:
    """The columns a reader of everything reads: those that were ever filled."""
    given = store.filled("Occurrence", ["cats"])
    return ["id", "version", "dataset_id", *(n for n in attributes("Occurrence") if n in given)]


def read(store: Store, columns: list[str]) -> None:
    """The read without the door."""
    blocks = list(store.select("Occurrence", datasets=["cats"], columns=columns))
    assert len(pd.concat(blocks, ignore_index=True)) == ROWS


def release(store: Store, reader: str) -> None:
    """The same rows through the door."""
    door = Door(store, Request(reader, "assessment", "view", date(2026, 6, 1)))
    assert len(door.release("Occurrence").rows) == ROWS


def taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor and of the clock that a piece of work takes."""
    begun, started = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - begun, time.perf_counter() - started


def node(folder: Path) -> Store:
    """A node with a million sightings and an agreement with each reader."""
    owner = Party(party_id="AA", name={"en": "Owner"}, country_code="XA")
    steward = Person(person_id="s", party_id="AA", name="S", role="steward")
    store = init_node(folder / "node", party=owner, person=steward)
    cleared = Clearance(authority="M", number="1", date=date(2025, 1, 1), scope="all")
    cats = Dataset(dataset_id="cats", party_id="AA", title="Cats", export_clearance=cleared)
    store.put_dataset(cats, person="s")
    homes = {name: folder / name for name in READERS} | {"AA": store.folder}
    for name, home in homes.items():
        (home / "keys").mkdir(parents=True, exist_ok=True)
        text = keys.make(home, name).text()
        party = Party(party_id=name, name={"en": name}, country_code="XA", public_key=text)
        store.put_party(party, person="s")
    for reader, (_, classes) in list(READERS.items())[1:]:
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
