"""A package of 1,000,000 rows: made at one node, taken in at the other, both ends in one state."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.machine import machine

ROWS = 1_000_000


def two_nodes(home: Path):
    """Two nodes that trust each other, and an agreement both have signed."""
    from ecotone.model.agreement import Agreement
    from ecotone.model.records import Clearance, Dataset, Party, Person
    from ecotone.share import keys, trust
    from ecotone.share.agreements import canonical
    from ecotone.share.lifecycle import AGREEMENT
    from ecotone.share.negotiate import Actor
    from ecotone.store import init_node

    today = datetime.now(UTC).date()
    parties = {p: Party(party_id=p, name={"en": p}, country_code=c)
               for p, c in (("BENA", "TJ"), ("BENB", "CN"))}  # fmt: skip
    actors = {}
    for name, party in parties.items():
        who = Person(person_id=name.lower(), party_id=name, name=name, role="signer")
        store = init_node(home / name.lower(), party=party, person=who)
        keys.make(store.folder, name)
        trust.publish(store, person=who.person_id)
        actors[name] = Actor(store, who.person_id, today)
    for mine in actors.values():
        for name, other in actors.items():
            if mine is not other:
                ring = keys.own_ring(other.store.folder)
                mine.store.put_party(parties[name], person=mine.person)
                trust.trust(
                    mine.store, ring, person=mine.person, fingerprint=ring.keys[0].fingerprint
                )
    owner = actors["BENA"]
    cleared = Clearance(authority="M", number="1", date=date(2025, 1, 1), scope="all")
    owner.store.put_dataset(
        Dataset(dataset_id="d", party_id="BENA", title="D", export_clearance=cleared),
        person=owner.person,
    )
    one = Agreement.model_validate(
        {
            "agreement_id": "AG", "title": {"en": "AG"}, "owner": "BENA", "recipients": ["BENB"],
            "purposes": ["assessment"], "actions": ["download", "derive"], "datasets": ["d"],
            "classes": [{"name": "all", "level": "full"}], "valid_from": "2024-01-01",
            "valid_until": "2040-01-01",
        }
    )  # fmt: skip
    signatures = {
        name: str(keys.sign(actor.store.folder, canonical(one), purpose=AGREEMENT))
        for name, actor in actors.items()
    }
    document = one.model_copy(update={"signatures": signatures}).model_dump(mode="json")
    for actor in actors.values():
        actor.store.put_agreement(document, "", person=actor.person)
    return owner, actors["BENB"]


def fill(actor, rows: int) -> None:
    """Laboratory results as the ingest benchmark has them, straight into the store."""
    rng = np.random.default_rng(1)
    names = np.array(["nitrate", "ammonium", "lead", "arsenic"])
    with actor.store.begin_batch(
        file_name="f.csv", sha256="0" * 64, size=rows, format="table", dataset_id="d",
        person=actor.person,
    ) as writer:  # fmt: skip
        for start in range(0, rows, 50_000):
            i = np.arange(start, min(start + 50_000, rows))
            frame = pd.DataFrame(
                {
                    "site": np.char.add("S", (i % 37).astype("U")),
                    "property": names[i % 4],
                    "value": np.round(rng.lognormal(0, 1, len(i)), 3),
                    "unit": "mg/L",
                    "latitude": 38 + (i % 1000) / 1000,
                    "longitude": 68 + (i % 997) / 1000,
                    "time_start": pd.Timestamp("2020-01-01", tz="UTC")
                    + pd.to_timedelta(i, unit="min"),
                    "time_text": np.char.add("2020 + ", i.astype("U")),
                    "remarks": np.char.add("run ", i.astype("U")),
                }
            )
            writer.add("Observation", frame, i + 1, i + 2, "f.csv")
        writer.commit("accepted")


def main() -> None:
    """Print the seconds of making, copying nothing, and taking in."""
    from ecotone.share.packages.export import Wanted, export
    from ecotone.share.packages.importing import held, import_package

    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        sender, receiver = two_nodes(Path(scratch))
        with sender.store, receiver.store:
            fill(sender, ROWS)
            made, *making = timed(lambda: export(sender, Wanted("BENB")))
            _, *taking = timed(lambda: import_package(receiver, made.path))
            if held(receiver, "BENA") != made.sent.state:
                sys.exit("the two ends do not hold the same rows")
            _, *again = timed(lambda: export(sender, Wanted("BENB")))
    print(f"package of {ROWS:,} rows ({made.sent.size / 1e6:,.0f} MB sealed)")
    for what, (clock, work), wanted in (
        ("made", making, " (wanted: 30 s)"),
        ("taken in", taking, " (wanted: 60 s)"),
        ("asked for again, nothing new", again, ""),
    ):
        print(f"{what}: {clock:.1f} s, {work:.1f} s of processor{wanted}")


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it gives, seconds of the clock, seconds of the processor (all threads)."""
    started, begun = time.perf_counter(), time.process_time()
    given = work()
    return given, time.perf_counter() - started, time.process_time() - begun


if __name__ == "__main__":
    main()
