"""A node as its server sees it: who and what, never rows; rows come through the door alone.

``serve`` may not reach into the store. What it needs beside the door stands here, and each
function is told for whom it answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecotone.model.errors import Withheld
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.model.finding import Finding
    from ecotone.model.records import Batch, Dataset
    from ecotone.share.decide import Request
    from ecotone.share.door import Line
    from ecotone.store import Store
    from ecotone.store.ledger import Entry

__all__ = ["Marks", "Store", "marks", "open_node"]

#: Ledger lines that change rows, and those that change neither rows nor who may see them.
_ROWS: Final = ("commit", "correct", "withdraw")
_NEITHER: Final = ("release", "run", "refused", "file", "approve", "sensorthings")


@dataclass(frozen=True, slots=True)
class Marks:
    """The newest ledger lines that changed rows, and anything else a release depends on."""

    rows: int
    rules: int


def open_node(folder: Path) -> Store:
    """The node in this folder, for a server that hands it on to the services."""
    from ecotone.store import open_node as open_store

    return open_store(folder)


def marks(store: Store) -> Marks:
    """What a release made now would depend on; equal marks on one day, equal releases."""
    import sqlalchemy as sa

    from ecotone.store.schema import LEDGER

    seq, kind = LEDGER.c.seq, LEDGER.c.kind
    rows = sa.select(sa.func.max(seq)).where(kind.in_(_ROWS)).scalar_subquery()
    rules = sa.select(sa.func.max(seq)).where(kind.not_in(_ROWS + _NEITHER)).scalar_subquery()
    with store.database.reading() as connection:
        found = connection.execute(sa.select(rows, rules)).one()
    return Marks(found[0] or 0, found[1] or 0)


def own_datasets(store: Store, party: str) -> list[Dataset]:
    """The datasets a party owns."""
    return [d for d in store.datasets() if d.party_id == party]


def own_batches(store: Store, party: str) -> list[Batch]:
    """The deliveries into a party's datasets, newest first."""
    mine = {d.dataset_id for d in own_datasets(store, party)}
    return [b for b in reversed(store.batches()) if b.dataset_id in mine]


def own_batch(store: Store, party: str, batch_id: str) -> Batch:
    """One delivery into a dataset of a party; Withheld for any other, there or not."""
    found = next((b for b in own_batches(store, party) if b.batch_id == batch_id), None)
    if found is None:
        raise Withheld(say("desk.nothing"))
    return found


def own_findings(store: Store, party: str, batch_id: str) -> Iterator[Finding]:
    """What was found in a delivery of a party."""
    return store.findings(own_batch(store, party, batch_id).batch_id)


def stood_on(store: Store, dataset_id: str, noun: str, since: int) -> tuple[list[str], list[str]]:
    """Runs and readers that were given records of a dataset since a line of the ledger."""
    from ecotone.store import releases

    end = store.head()[0] + 1
    with store.database.reading() as connection:
        return (
            releases.runs_on(connection, dataset_id, [noun], since, None),
            releases.readers_of(connection, dataset_id, [noun], since, end),
        )


def lines(store: Store, party: str, before: int | None, most: int) -> list[Entry]:
    """Lines of the ledger for a party's eyes, newest first, older than ``before``.

    The node's own party sees every line, another only what was released to it.
    """
    import sqlalchemy as sa

    from ecotone.store.ledger import Entry
    from ecotone.store.schema import LEDGER

    wanted = sa.select(LEDGER).order_by(LEDGER.c.seq.desc()).limit(most)
    if before is not None:
        wanted = wanted.where(LEDGER.c.seq < before)
    if party != store.party_id:
        # That its owners looked at what it would see is no affair of the reader.
        previewed = LEDGER.c.body.contains('"preview":true', autoescape=True)
        wanted = wanted.where(LEDGER.c.kind == "release", LEDGER.c.person == party, ~previewed)
    with store.database.reading() as connection:
        return [Entry(*row) for row in connection.execute(wanted)]


def note_again(store: Store, asked: Request, lines: Iterable[Line]) -> None:
    """Note that what the door let out for this request leaves once more."""
    for line in lines:
        store.record_release(
            reader=asked.reader,
            purpose=asked.purpose,
            action=asked.action,
            dataset_id=line.decision.dataset_id,
            noun=line.noun,
            level=line.decision.level,
            agreement_id=line.decision.agreement_id,
            agreement_version=line.decision.agreement_version,
            rows=line.rows,
            sha256=line.sha256,
        )


def note_run(store: Store, run_id: str, folder: Path, releases: list[str], person: str) -> None:
    """Note a run that was carried out; one noted before stays as it is."""
    if run_id not in {run["run_id"] for run in store.runs()}:
        store.record_run(run_id=run_id, path=folder.as_posix(), releases=releases, person=person)


def note_step(store: Store, person: str, said: dict[str, object]) -> None:
    """Note a step of sign-off: who, for which party, on which bytes."""
    from ecotone.store import ledger

    with store.writing() as connection:
        ledger.append(connection, "approve", person, said)


def audit(store: Store) -> tuple[int, str, list[str]]:
    """Number and hash of the newest line, and what was changed behind the ledger's back."""
    broken = [str(item) for item in store.verify_ledger()]
    return (*store.head(), broken)
