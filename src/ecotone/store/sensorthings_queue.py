"""The one writer of a server: what arrives while a commit is under way goes into the next one.

A disk takes a few hundred commits a second, however small. So requests wait together: one
transaction for all that came meanwhile, and nobody is answered before it is on the disk. What is
wrong with one request fails that request alone.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import sqlalchemy as sa

from ecotone.model.errors import EcotoneError
from ecotone.model.sensorthings import ENTITIES, Refused, malformed
from ecotone.model.words import say
from ecotone.store import sensorthings_observe as observe
from ecotone.store import sensorthings_seal as sealing
from ecotone.store.schema import STA
from ecotone.store.sensorthings_archive import value
from ecotone.store.sensorthings_filter import among
from ecotone.store.sensorthings_observe import Rows, Stream
from ecotone.store.sensorthings_write import Editor, Work, Writer

if TYPE_CHECKING:
    from ecotone.store.store import Store

#: What goes into one transaction at most.
_MOST_JOBS: Final = 400
_MOST_ROWS: Final = 200_000
#: Rows of one request that get their line of the ledger with them, not a moment later.
_MANY: Final = 1_000
#: For so long observations may stand under no line; the disk has them all the while.
_OPEN_SECONDS: Final = 2.0
_FEATURE: Final = ENTITIES["FeatureOfInterest"]


@dataclass
class Done:
    """What a commit made, for whoever listens."""

    entities: list[tuple[str, int]] = field(default_factory=list)
    observations: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass
class _Job:
    writer: Writer
    future: Future[Any]
    work: Work | None = None
    what: str = ""
    rows: Rows | None = None


class Queue:
    """Takes work from any thread; one thread of its own writes."""

    def __init__(self, store: Store, told: Callable[[Done], None] | None = None) -> None:
        self._store = store
        self.told = told
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._streams: dict[int, Stream] = {}
        self._features: dict[int, int] = {}
        self._pairs: set[tuple[int, int]] = set()
        self._revision = -1
        #: Who sent how many of those that stand under no line yet, and since when.
        self._open: Counter[str] = Counter()
        self._open_since: float | None = time.monotonic()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def edit(self, writer: Writer, what: str, work: Work) -> Future[Any]:
        """Change entities; the future has what ``work`` returned, once it is on the disk."""
        return self._put(_Job(writer, Future(), work=work, what=what))

    def add(self, writer: Writer, rows: Rows) -> Future[Any]:
        """Add observations; the future has their numbers, once they are on the disk."""
        return self._put(_Job(writer, Future(), rows=rows))

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def _put(self, job: _Job) -> Future[Any]:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sensorthings", daemon=True)
                self._thread.start()
            self._jobs.put(job)
        return job.future

    def _run(self) -> None:
        stop = False
        while not stop:
            first = self._next()
            group, stop = ([], True) if first is None else self._gather(first)
            if group:
                self._carry_out(group)
        self._close_open()

    def _next(self) -> _Job | None:
        """What waits next; while nothing does, observations get their line."""
        if self._open_since is not None:
            left = self._open_since + _OPEN_SECONDS - time.monotonic()
            try:
                return self._jobs.get(timeout=max(0.0, left))
            except queue.Empty:
                self._close_open()
        return self._jobs.get()

    def _close_open(self) -> None:
        # Where the disk is full or the database away, those that write next are told.
        with suppress(EcotoneError), self._store.writing() as connection:
            self._seal(connection)
            self._sealed()

    def _seal(self, connection: sa.Connection) -> None:
        if sealing.open_rows(connection):
            sealing.seal(connection, self._who(), self._open)

    def _sealed(self) -> None:
        self._open.clear()
        self._open_since = None

    def _who(self) -> str:
        """The person of a line: who sent most of it; the node where nobody is known."""
        most = self._open.most_common(1)
        return most[0][0] if most else self._store.party_id.lower()

    def _due(self) -> bool:
        return self._open_since is not None and time.monotonic() - self._open_since > _OPEN_SECONDS

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        group, rows = [first], len(first.rows) if first.rows else 0
        while len(group) < _MOST_JOBS and rows < _MOST_ROWS:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, False
            if job is None:
                return group, True
            group.append(job)
            rows += len(job.rows) if job.rows else 0
        return group, False

    def _carry_out(self, group: list[_Job]) -> None:
        results: list[tuple[_Job, Any]] = []
        done = Done()
        kept = Counter(self._open)
        many = sum(len(job.rows or ()) for job in group) >= _MANY
        lines = many or self._due() or any(job.work is not None for job in group)
        try:
            with self._store.writing() if lines else self._store.database.writing() as connection:
                self._refresh(connection)
                waiting: list[_Job] = []
                for job in group:
                    if job.rows is not None:
                        waiting.append(job)
                        continue
                    self._add(connection, waiting, results, done)
                    waiting = []
                    # Before anything changes, what stands is sealed as it came.
                    self._seal(connection)
                    self._edit(connection, job, results, done)
                self._add(connection, waiting, results, done)
                if lines:
                    self._seal(connection)
        except BaseException as error:
            self._revision = -1
            self._open = kept
            for job in group:
                if not job.future.done():
                    job.future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        if lines:
            self._sealed()
        for job, result in results:
            job.future.set_result(result)
        if self.told is not None and (done.entities or done.observations):
            with suppress(OSError):
                self.told(done)

    def _edit(
        self,
        connection: sa.Connection,
        job: _Job,
        results: list[tuple[_Job, Any]],
        done: Done,
    ) -> None:
        assert job.work is not None
        try:
            with connection.begin_nested():
                editor = Editor(connection, job.writer)
                result = job.work(editor)
                editor.close(job.what)
        except EcotoneError as error:
            job.future.set_exception(error)
            return
        self._forget(connection)
        done.entities += editor.made
        results.append((job, result))

    def _add(
        self,
        connection: sa.Connection,
        jobs: list[_Job],
        results: list[tuple[_Job, Any]],
        done: Done,
    ) -> None:
        good: list[_Job] = []
        for job in jobs:
            try:
                self._prepare(connection, job, done)
                good.append(job)
            except EcotoneError as error:
                job.future.set_exception(error)
        if not good:
            return
        rows = observe.joined([job.rows for job in good if job.rows is not None])
        many = len(rows) >= _MANY
        if many:
            self._seal(connection)
            self._open.clear()
        columns = observe.add(connection, rows, self._pairs)
        numbers = columns["id"]
        for job in good:
            self._open[job.writer.person] += len(job.rows or ())
        if many:
            sealing.seal_these(connection, self._who(), self._open, columns)
            self._open.clear()
        elif self._open_since is None:
            self._open_since = time.monotonic()
        at = 0
        for job in good:
            assert job.rows is not None
            mine = numbers[at : at + len(job.rows)]
            at += len(job.rows)
            results.append((job, mine))
        done.observations.append((numbers, rows))

    def _prepare(self, connection: sa.Connection, job: _Job, done: Done) -> None:
        """Know the datastreams, check that they are the writer's, find the features."""
        rows = job.rows
        assert rows is not None
        wanted = observe.distinct(rows.stream)
        self._learn(connection, [w for w in wanted if w not in self._streams])
        for number in wanted:
            stream = self._streams.get(number)
            if stream is None:
                raise malformed("sta.link-absent", entity="Datastream", id=number)
            if not _owns(job.writer, stream.dataset_id):
                # Whether it is hidden or another's is not told to who may not see it.
                Editor(connection, job.writer).stream(number)
                raise Refused(403, say("sta.not-yours"))
        self._find_features(connection, job, rows, done)

    def _find_features(self, connection: sa.Connection, job: _Job, rows: Rows, done: Done) -> None:
        named = observe.distinct(rows.feature)
        if 0 in named:
            missing = rows.feature == 0
            found = {
                s: self._feature(connection, self._streams[s], done)
                for s in observe.distinct(rows.stream[missing])
            }
            streams, features = np.array(list(found.items()), dtype=np.int64).T
            feature = rows.feature.copy()
            feature[missing] = features[np.searchsorted(streams, rows.stream[missing])]
            rows.feature = feature
        given = [number for number in named if number]
        if given:
            editor = Editor(connection, job.writer)
            for number in given:
                editor.may_link(_FEATURE, number)

    def _feature(self, connection: sa.Connection, stream: Stream, done: Done) -> int:
        if stream.id not in self._features:
            self._features[stream.id] = observe.feature_of(connection, stream, done.entities)
        return self._features[stream.id]

    def _learn(self, connection: sa.Connection, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        table = STA.entities["sta_datastream"]
        postgres = connection.dialect.name == "postgresql"
        rows = connection.execute(
            sa.select(table.c.id, table.c.dataset_id, table.c.thing_id).where(
                among(table.c.id, numbers, postgres)
            )
        )
        self._streams.update({row[0]: Stream(*row) for row in rows})

    def _refresh(self, connection: sa.Connection) -> None:
        """Another process may have changed what is remembered here."""
        now = value(connection, "revision")
        if now != self._revision:
            self._forget(connection)

    def _forget(self, connection: sa.Connection) -> None:
        self._streams.clear()
        self._features.clear()
        self._pairs.clear()
        self._revision = value(connection, "revision")


def _owns(writer: Writer, dataset: str) -> bool:
    return writer.scope.everything or dataset in writer.scope.own
