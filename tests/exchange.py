"""Nodes that exchange packages: two or three parties, keys, and an agreement all of them signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecotone.model.agreement import Agreement
from ecotone.model.records import Clearance, Dataset, Party, Person
from ecotone.share import keys, trust
from ecotone.share.agreements import canonical
from ecotone.share.lifecycle import AGREEMENT
from ecotone.share.negotiate import Actor
from ecotone.store import init_node

TODAY = datetime.now(UTC).date()
CLEARED = Clearance(authority="Ministry", number="1", date=date(2025, 1, 1), scope="all")
NAMES = {"DUSH": ("Dushanbe institute", "TJ"), "URUM": ("Urumqi institute", "CN"),
         "BISH": ("Bishkek institute", "KG")}  # fmt: skip
CLASSES = [
    {"name": "cats", "nouns": ["Occurrence"], "taxa": ["Panthera uncia"], "level": "generalised",
     "cell_degrees": 0.1},
    {"name": "others", "nouns": ["Occurrence"], "level": "full",
     "withheld_fields": ["recorded_by"]},
    {"name": "water", "nouns": ["Observation", "Site"], "level": "full"},
]  # fmt: skip


def person(party: str) -> str:
    return f"{party.lower()}-steward"


def nodes(
    home: Path, parties: Sequence[str] = ("DUSH", "URUM"), databases: Sequence[str | None] = ()
) -> dict[str, Actor]:
    """A node for each party, with keys, all knowing and trusting each other."""
    urls = dict(zip(parties, [*databases, *[None] * len(parties)], strict=False))
    actors: dict[str, Actor] = {}
    told = {
        p: Party(party_id=p, name={"en": NAMES[p][0]}, country_code=NAMES[p][1]) for p in parties
    }
    for party in parties:
        who = Person(person_id=person(party), party_id=party, name="S", role="signer")
        store = init_node(home / party.lower(), party=told[party], person=who, database=urls[party])
        keys.make(store.folder, party)
        trust.publish(store, person=who.person_id)
        store.put_dataset(
            Dataset(dataset_id=f"{party}-wild", party_id=party, title="Wildlife",
                    licence="CC-BY-4.0", export_clearance=CLEARED),
            person=who.person_id,
        )  # fmt: skip
        actors[party] = Actor(store, who.person_id, TODAY)
    for mine in actors.values():
        for other, actor in actors.items():
            if other != mine.party:
                mine.store.put_party(told[other], person=mine.person)
                ring = keys.own_ring(actor.store.folder)
                trust.trust(
                    mine.store, ring, person=mine.person, fingerprint=ring.keys[0].fingerprint
                )
    return actors


def agreement(owner: str, recipients: Sequence[str], **changes: Any) -> Agreement:
    return Agreement.model_validate(
        {
            "agreement_id": f"{owner}-WILD",
            "version": 1,
            "title": {"en": "Wildlife"},
            "owner": owner,
            "recipients": list(recipients),
            "purposes": ["assessment"],
            "actions": ["view", "download", "derive"],
            "datasets": [f"{owner}-wild"],
            "classes": CLASSES,
            "valid_from": "2024-01-01",
            "valid_until": "2034-12-31",
            "status": "active",
            **changes,
        }
    )


def signed(actors: dict[str, Actor], one: Agreement) -> dict[str, Any]:
    """The agreement with the signatures of all its parties, as data."""
    signatures = {
        party: str(keys.sign(actors[party].store.folder, canonical(one), purpose=AGREEMENT))
        for party in (one.owner, *one.recipients)
    }
    return one.model_copy(update={"signatures": signatures}).model_dump(mode="json")


def agree(actors: dict[str, Actor], one: Agreement, at: Sequence[str] | None = None) -> None:
    """All parties sign; the nodes named (or all) take the agreement in."""
    document = signed(actors, one)
    for party in at or (one.owner, *one.recipients):
        actors[party].store.put_agreement(document, "", person=actors[party].person)


def occurrences(count: int, *, start: int = 0, shift: float = 0.0) -> pd.DataFrame:
    i = np.arange(start, start + count)
    return pd.DataFrame(
        {
            "occurrence_id": [f"o-{k}" for k in i],
            "taxon": np.where(i % 5 == 0, "Panthera uncia", "Capra sibirica"),
            "latitude": 38.0 + (i % 700) / 1000 + shift,
            "longitude": 73.0 + (i % 600) / 1000,
            "locality": np.where(i % 9 == 0, "=1+1", "Пик, 峰"),
            "recorded_by": "A. Person",
            "time_start": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(i, unit="h"),
            "extra": ['{"lab": "A"}' if k % 4 == 0 else None for k in i],
        }
    )


def deliver(
    actor: Actor, frame: pd.DataFrame, noun: str = "Occurrence", name: str = "f.csv"
) -> str:
    """Commit a frame into the party's own dataset; the batch."""
    import hashlib

    with actor.store.begin_batch(
        file_name=name,
        sha256=hashlib.sha256((frame.to_csv() + name).encode()).hexdigest(),
        size=len(frame),
        format="table",
        dataset_id=f"{actor.party}-wild",
        person=actor.person,
    ) as writer:
        numbers = np.arange(1, len(frame) + 1)
        writer.add(noun, frame, numbers, numbers + 1, name)
        return writer.commit("accepted").batch_id


def close(actors: dict[str, Actor]) -> None:
    for actor in actors.values():
        actor.store.close()
