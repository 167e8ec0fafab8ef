"""What a party was released of one noun, kept aside so that pages are quick.

A view is made by the door and of nothing else; filters, counts, extents and pages work on it. It
holds until the node's rules or rows change, or the day does. A party's own rows may be shown as
they stood a moment ago while newer ones are fetched; a change of rules closes at once.

On disk, beside the other things of this process that die with it, and read as a memory map.
"""

from __future__ import annotations

import itertools
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecotone.model.agreement import Action
from ecotone.model.dictionary import attributes
from ecotone.share import desk
from ecotone.share.decide import Request
from ecotone.share.door import Door, Line, Released

if TYPE_CHECKING:
    from ecotone.share.desk import Marks, Store

#: Seconds a page waits for a view before it says that it is being made.
PATIENCE: Final = 1.5
_MOST: Final = 64
_FACET: Final = 250
_TEXT: Final = ("id",)


@dataclass(frozen=True)
class Wanted:
    """Whose view of what, under which purpose."""

    party: str
    noun: str
    purpose: str
    day: date
    action: Action = "view"
    #: Where an owner looks at what the party would see: of this owner's datasets alone.
    owner: str = ""


@dataclass(frozen=True)
class View:
    """Released rows and groups, and the size of the cells coarse ones are told by."""

    wanted: Wanted
    marks: Marks
    rows: pa.Table
    groups: pd.DataFrame
    cells: Mapping[tuple[str, str], float]
    #: What each decision let out.
    lines: tuple[Line, ...] = ()
    #: Whether rows of the node are newer than these.
    behind: bool = False
    #: Rows that hold letters somebody looked for, by these letters.
    searches: dict[str, NDArray[np.bool_]] = field(default_factory=dict, compare=False, repr=False)
    #: How often it was taken as a whole.
    taken: Iterator[int] = field(default_factory=itertools.count, compare=False, repr=False)
    #: Orders of the rows by columns somebody sorted by, kept as they are asked for.
    orders: dict[str, NDArray[np.int32]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, released: Released, noun: str) -> View:
        """A release as a view that is not kept."""
        wanted = Wanted("", noun, "", date.min)
        rows = columnar(released.rows, noun)
        return cls(wanted, desk.Marks(0, 0), rows, released.groups, cells_of(released))

    @classmethod
    def nothing(cls, noun: str) -> View:
        """What a party has that gets nothing."""
        wanted = Wanted("", noun, "", date.min)
        return cls(wanted, desk.Marks(0, 0), pa.table({}), pd.DataFrame(), {})

    def values(self, column: str) -> list[str]:
        """The values of a column of few, sorted; none for a column of many."""
        if column not in self.rows.column_names:
            return []
        kind = self.rows.schema.field(column).type
        if not pa.types.is_dictionary(kind):
            return []
        found = pc.unique(self.rows[column].combine_chunks()).dictionary_decode()
        plain = sorted(v for v in found.to_pylist() if v is not None)
        return plain if len(plain) <= _FACET else []

    def is_number(self, column: str) -> bool:
        """Whether a column holds numbers."""
        kind = self.rows.schema.field(column).type
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))

    def note_again(self, store: Store) -> None:
        """Note that what was released once leaves once more; the first time it was noted."""
        if next(self.taken):
            w = self.wanted
            desk.note_again(store, Request(w.party, w.purpose, w.action, w.day), self.lines)

    def ordered(self, column: str) -> tuple[NDArray[np.int32], int]:
        """The numbers of the rows by a column, smallest first, and how many have a value.

        Rows without one come last, rows that are equal as they stand in the table.
        """
        values = self.rows[column].combine_chunks()
        there = len(values) - values.null_count
        if column not in self.orders:
            if pa.types.is_dictionary(values.type):
                # Texts are put in order once each, not once per row.
                rank = pc.rank(values.dictionary, tiebreaker="dense")
                values = rank.take(values.indices)
            self.orders[column] = np.asarray(pc.sort_indices(values), dtype=np.int32)
        return self.orders[column], there

    def find(self, record: str) -> int | None:
        """Where a record stands; None where it is not in the view."""
        if "id" not in self.rows.column_names:
            return None
        at = pc.index(self.rows["id"], pa.scalar(record, pa.string())).as_py()
        return None if at < 0 else int(at)


class Views:
    """The views of a server, made one at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._made: dict[Wanted, View] = {}
        self._files: dict[Wanted, Path] = {}
        self._making: dict[tuple[Wanted, Marks], Future[View]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="views")

    def get(
        self, wanted: Wanted, *, patience: float = PATIENCE, behind: bool = True
    ) -> View | None:
        """The view as it is now; None while it is being made.

        ``behind``: a party may be shown its own rows as they stood a moment ago.

        Raises Withheld where no decision speaks for any dataset.
        """
        now = desk.marks(self._store)
        with self._lock:
            kept = self._made.get(wanted)
            if kept is not None and kept.marks == now:
                return kept
            making = self._making.get((wanted, now))
            if making is None:
                making = self._pool.submit(self._make, wanted, now)
                self._making[(wanted, now)] = making
        own = wanted.party == self._store.party_id and not wanted.owner
        own = own and behind
        stale = kept if kept is not None and own and kept.marks.rules == now.rules else None
        wait([making], timeout=0.3 if stale is not None else patience)
        if making.done():
            return self._taken(wanted, now, making)
        return None if stale is None else replace(stale, behind=True)

    def close(self) -> None:
        """Forget everything; called when the server ends."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            self._made.clear()
            for path in self._files.values():
                _remove(path)

    def _taken(self, wanted: Wanted, now: Marks, making: Future[View]) -> View:
        with self._lock:
            self._making.pop((wanted, now), None)
        return making.result()

    def _make(self, wanted: Wanted, now: Marks) -> View:
        request = Request(wanted.party, wanted.purpose, wanted.action, wanted.day)
        door = Door(self._store, request, preview=bool(wanted.owner))
        own = {d.dataset_id for d in desk.own_datasets(self._store, wanted.owner)}
        released = door.release(wanted.noun, datasets=own if wanted.owner else None)
        path = self._store.folder / "staging" / f"file-{os.getpid()}-{uuid.uuid4().hex}"
        with pa.OSFile(str(path), "wb") as sink:
            table = columnar(released.rows, wanted.noun)
            with pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        rows = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        view = View(wanted, now, rows, released.groups, cells_of(released), lines=released.lines)
        with self._lock:
            before = self._files.get(wanted)
            self._made[wanted], self._files[wanted] = view, path
            # Who no longer waits finds it above; what failed is told to the next who asks.
            self._making.pop((wanted, now), None)
            # What an owner looks at may be of any day; all others are of today or over.
            ours = [] if wanted.owner else [w for w in self._made if not w.owner]
            old = [w for w in ours if w.day != wanted.day]
            # What was only looked at in advance goes first, else the oldest.
            rest = sorted((w for w in self._made if w != wanted), key=lambda w: not w.owner)
            old += rest[: max(0, len(self._made) - len(old) - _MOST)]
            gone = [self._files.pop(w) for w in old if self._made.pop(w, None) is not None]
        for each in (*gone, *([before] if before else [])):
            _remove(each)
        return view


def cells_of(released: Released) -> dict[tuple[str, str], float]:
    """The size of the cells that coarse rows of a release are told by, by dataset and class."""
    cells: dict[tuple[str, str], float] = {}
    for decision in (line.decision for line in released.lines):
        if decision.level == "generalised" and decision.rule.cell_degrees:
            key = (decision.dataset_id, decision.name)
            cells[key] = max(cells.get(key, 0.0), decision.rule.cell_degrees)
    return cells


def columnar(frame: pd.DataFrame, noun: str) -> pa.Table:
    """A frame without its empty columns; texts that repeat are kept once."""
    known = attributes(noun)
    arrays: dict[str, Any] = {}
    for name in frame.columns:
        column = frame[name]
        if name != "id" and column.isna().all():
            continue
        attribute = known.get(name)
        if attribute is not None and attribute.type in ("number", "integer", "boolean", "time"):
            arrays[name] = pa.array(column, from_pandas=True)
            continue
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            arrays[name] = pa.array(column, from_pandas=True)
            continue
        plain = pa.array(column.astype("str"), pa.string(), from_pandas=True)
        arrays[name] = plain if name in _TEXT else plain.dictionary_encode()
    return pa.table(arrays)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        # Windows does not let go of a mapped file; it dies with the staging of this process.
        return
