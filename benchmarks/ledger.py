"""Seconds until a changed byte in a ledger of 100,000 lines is found."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa
from benchmarks.machine import machine

from ecotone.model.records import Party
from ecotone.store import Store, init_node, ledger
from ecotone.store.schema import LEDGER

LINES = 100_000


def fill(store: Store, lines: int) -> None:
    """Lines like those of releases, far more of them than records."""
    made = []
    with store.writing() as connection:
        before = ledger.last(connection)
        for number in range(lines - (before.seq if before else 0)):
            said = {"noun": "Occurrence", "rows": number, "sha256": f"{number:064x}"}
            before = ledger.follow(before, "note", "steward", said)
            made.append(asdict(before))
        connection.execute(LEDGER.insert(), made)


def timed(store: Store) -> str:
    """Wall and processor time of going through the chain, the best of three."""
    found = []
    for _ in range(3):
        started = (time.perf_counter(), time.process_time())
        store.verify_ledger(deep=False)
        found.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    wall, processor = min(found)
    return f"{wall:.2f} s ({processor:.2f} s of processor)"


def changed_byte_found(store: Store) -> str:
    """Change a byte in the middle behind the ledger's back; how long until it is found."""
    middle = LINES // 2
    body = sa.select(LEDGER.c.body).where(LEDGER.c.seq == middle)
    with store.database.writing() as connection:
        text = str(connection.execute(body).scalar_one())
        altered = text.replace("Occurrence", "Occurrencf")
        connection.execute(LEDGER.update().where(LEDGER.c.seq == middle).values(body=altered))
    taken = timed(store)
    broken = store.verify_ledger(deep=False)
    if [b.seq for b in broken] != [middle]:
        raise SystemExit(f"not found: {broken}")
    return taken


def main() -> None:
    """Print the times."""
    print(machine())
    with tempfile.TemporaryDirectory() as place:
        party = Party(party_id="AA", name={"en": "A"}, country_code="XA")
        with init_node(Path(place) / "node", party=party) as store:
            fill(store, LINES)
            print(f"{LINES:,} lines, whole: {timed(store)}")
            print(f"a changed byte found: {changed_byte_found(store)} (wanted: 1 s)")


if __name__ == "__main__":
    main()
