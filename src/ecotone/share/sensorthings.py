"""The door for sensors: what each party reads and writes through SensorThings, and nothing else.

Who asks is turned into a scope once; the scope is part of every query that follows (see
``store.sensorthings_scope``). Own datasets are read and written in full; what others share is read
as their agreements say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import DataError, ProgrammingError

from ecotone.model.errors import StoreError
from ecotone.model.records import Dataset
from ecotone.model.sensorthings import Refused, malformed
from ecotone.model.words import say
from ecotone.share.decide import Decision
from ecotone.share.door import readable
from ecotone.share.lifecycle import in_force_documents
from ecotone.share.sensorthings_grants import decisions_of, grants
from ecotone.store import sensorthings_body as Kinds
from ecotone.store import sensorthings_grants as kept
from ecotone.store.sensorthings_observe import Rows, joined
from ecotone.store.sensorthings_observe import plain as observation
from ecotone.store.sensorthings_past import moment
from ecotone.store.sensorthings_queue import Done, Queue
from ecotone.store.sensorthings_read import Children, Found, Parent, Reader
from ecotone.store.sensorthings_remove import remove, remove_found
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
    "joined",
    "observation",
    "remove",
    "remove_found",
]


#: For so long an answer may stand on what the node's documents said before.
_FRESH_SECONDS: Final = 1.0


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
        self._queue = Queue(store, told)
        self._known: _Facts | None = None
        self._granted: dict[str, tuple[int, date, int]] = {}
        self._granting = threading.Lock()

    def listen(self, told: Callable[[Done], None] | None) -> None:
        """Tell somebody of every commit, in the thread that writes."""
        self._queue.told = told

    def close(self) -> None:
        """Write what waits and stop."""
        self._queue.close()

    @contextmanager
    def reading(self, party: str | None, as_of: datetime | None = None) -> Iterator[Reader]:
        """One state of the node as a party may see it; with ``as_of`` the party's own as it was.

        What others share is decided on what stands now, so of the past nothing of it is given.
        """
        scope = self.scope(party)
        if as_of is None:
            self._renew(party, scope)
        try:
            with self._store.database.reading() as connection:
                if as_of is not None:
                    scope = Scope(
                        scope.own,
                        everything=scope.everything,
                        at=moment(connection, as_of),
                        postgres=self._store.database.is_postgres,
                    )
                yield Reader(connection, scope)
        except StoreError as error:
            if isinstance(error.__cause__, DataError | ProgrammingError):
                # A number too large, a text that is no number: the request asked for it.
                raise malformed("sta.filter-value") from error
            raise

    def edit(
        self, party: str, person: str, what: str, work: Callable[[Editor], Any]
    ) -> Future[Any]:
        """Change entities as a party; done when the future is."""
        writer = self._writer(party, person)
        self._renew(party, writer.scope)
        return self._queue.edit(writer, what, work)

    def add(self, party: str, person: str, rows: Rows) -> Future[Any]:
        """Add observations as a party; the future has their numbers."""
        return self._queue.add(self._writer(party, person), rows)

    def scope(self, party: str | None) -> Scope:
        """What a party may see. Nobody known sees what is shared with everybody: nothing."""
        return self._facts().scope(party)

    def _facts(self) -> _Facts:
        """Who owns what and agreed to what, as it was told at most a second ago."""
        known = self._known
        if known is not None and time.monotonic() - known.asked <= _FRESH_SECONDS:
            return known
        with self._store.database.reading() as connection:
            seq = kept.documents_seq(connection)
        today = self._today()
        if known is None or (known.seq, known.today) != (seq, today):
            known = self._known = _Facts(self._store, seq, today)
        known.asked = time.monotonic()
        return known

    def _renew(self, party: str | None, scope: Scope) -> None:
        """What others let a party see is decided anew when anything changed."""
        if party is None or scope.reader is None:
            return
        facts = self._facts()
        with self._store.database.reading() as connection:
            now = (facts.seq, facts.today, kept.revision(connection))
        if self._granted.get(party) == now:
            return
        with self._granting:
            if self._granted.get(party) == now:
                return
            with self._store.database.writing() as connection:
                now = (facts.seq, facts.today, kept.revision(connection))
                found = grants(connection, facts.decisions(party), facts.today)
                kept.keep(connection, scope.reader, found)
            self._granted[party] = now

    def _writer(self, party: str, person: str) -> Writer:
        dataset = f"{party}-sensors"
        if dataset not in self._facts().owners:
            self._make_dataset(dataset, party, person)
        return Writer(party, person, dataset, self.scope(party))

    def _make_dataset(self, dataset: str, party: str, person: str) -> None:
        """The dataset that a party's new sensors belong to; made when it is first needed."""
        if party not in {p.party_id for p in self._store.parties()}:
            raise Refused(403, say("sta.not-yours"))
        title = str(say("sta.dataset", party=party))
        self._store.put_dataset(
            Dataset(dataset_id=dataset, party_id=party, title=title), person=person
        )
        self._known = None


class _Facts:
    """Whose each dataset is, and what was agreed about it."""

    def __init__(self, store: Store, seq: int, today: date) -> None:
        datasets = store.datasets()
        self.seq = seq
        self.today = today
        self.asked = 0.0
        self.owners = {d.dataset_id: d.party_id for d in datasets}
        self._cleared = {d.dataset_id for d in datasets if d.export_clearance is not None}
        self._agreements, self._closed = readable(in_force_documents(store, today))
        self._scopes: dict[str | None, Scope] = {}
        self._decisions: dict[str, list[Decision]] = {}

    def scope(self, party: str | None) -> Scope:
        """The scope of one party."""
        if party not in self._scopes:
            own = tuple(sorted(d for d, owner in self.owners.items() if owner == party))
            everything = bool(own) and len(own) == len(self.owners)
            shared = party is not None and bool(self.decisions(party))
            self._scopes[party] = Scope(own, party if shared else None, everything)
        return self._scopes[party]

    def decisions(self, party: str) -> list[Decision]:
        """What agreements say to one party about what is not its own."""
        if party not in self._decisions:
            self._decisions[party] = decisions_of(
                party, self.owners, self._cleared, self._agreements, self._closed, self.today
            )
        return self._decisions[party]
