"""The door for sensors: what each party reads and writes through SensorThings, and nothing else.

Who asks is turned into a scope once; the scope is part of every query that follows (see
``store.sensorthings_scope``). Own datasets are read and written in full; what others share is read
as their agreements say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from ecotone.model.records import Dataset
from ecotone.model.sensorthings import Refused
from ecotone.model.words import say
from ecotone.store import sensorthings_body as Kinds
from ecotone.store.sensorthings_observe import Rows
from ecotone.store.sensorthings_observe import plain as observation
from ecotone.store.sensorthings_queue import Done, Queue
from ecotone.store.sensorthings_read import Children, Found, Parent, Reader
from ecotone.store.sensorthings_remove import remove
from ecotone.store.sensorthings_scope import Scope
from ecotone.store.sensorthings_write import Editor, Writer

if TYPE_CHECKING:
    from ecotone.store import Store

__all__ = [
    "Children",
    "Done",
    "Editor",
    "Found",
    "Kinds",
    "Parent",
    "Reader",
    "Rows",
    "Sensing",
    "observation",
    "remove",
]


class Sensing:
    """The sensors of one node."""

    def __init__(
        self,
        store: Store,
        today: Callable[[], date],
        told: Callable[[Done], None] | None = None,
    ) -> None:
        self._store = store
        self._today = today
        self._queue = Queue(store.database, told)

    def close(self) -> None:
        """Write what waits and stop."""
        self._queue.close()

    @contextmanager
    def reading(self, party: str | None) -> Iterator[Reader]:
        """One state of the node as a party may see it."""
        scope = self.scope(party)
        with self._store.database.reading() as connection:
            yield Reader(connection, scope)

    def edit(
        self, party: str, person: str, what: str, work: Callable[[Editor], Any]
    ) -> Future[Any]:
        """Change entities as a party; done when the future is."""
        return self._queue.edit(self._writer(party, person), what, work)

    def add(self, party: str, person: str, rows: Rows) -> Future[Any]:
        """Add observations as a party; the future has their numbers."""
        return self._queue.add(self._writer(party, person), rows)

    def scope(self, party: str | None) -> Scope:
        """What a party may see. Nobody known sees what is shared with everybody: nothing."""
        datasets = self._store.datasets()
        own = tuple(sorted(d.dataset_id for d in datasets if d.party_id == party))
        return Scope(own=own, everything=bool(own) and len(own) == len(datasets))

    def _writer(self, party: str, person: str) -> Writer:
        dataset = self.dataset_of(party, person)
        return Writer(party, person, dataset, self.scope(party))

    def dataset_of(self, party: str, person: str) -> str:
        """The dataset that a party's new sensors belong to; made when it is first needed."""
        name = f"{party}-sensors"
        datasets = {d.dataset_id for d in self._store.datasets()}
        if name not in datasets:
            if party not in {p.party_id for p in self._store.parties()}:
                raise Refused(403, say("sta.not-yours"))
            self._store.put_dataset(
                Dataset(
                    dataset_id=name, party_id=party, title=str(say("sta.dataset", party=party))
                ),
                person=person,
            )
        return name
