"""Filters and pages over a view: what a table or a map shows of what was released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecotone.serve.searching import mentions
from ecotone.serve.views import View

#: Columns worth a list to choose from, where a view has them with few values.
CHOICES: Final = (
    "dataset_id", "property", "site", "taxon", "basis", "limit_kind", "individual", "deployment",
    "media_type", "sample_type", "kind", "site_type", "status", "release_level",
)  # fmt: skip
_TIMES: Final = ("time_start", "time", "start", "observed", "sampled", "collected")


@dataclass(frozen=True)
class Filters:
    """What somebody chose to see."""

    chosen: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    start: date | None = None
    end: date | None = None
    west: float | None = None
    south: float | None = None
    east: float | None = None
    north: float | None = None

    def anywhere(self) -> Filters:
        """The same wherever a record lies."""
        return replace(self, west=None, south=None, east=None, north=None)

    def query(self) -> dict[str, object]:
        """The filters as they stand in an address."""
        box = ("west", "south", "east", "north")
        return {
            **self.chosen,
            "q": self.text,
            "start": self.start,
            "end": self.end,
            **{name: getattr(self, name) for name in box},
        }


@dataclass(frozen=True)
class Turn:
    """Which rows of a table to show: how they are sorted, and where one has turned to."""

    #: The column to sort by, a minus before it for the largest first; empty for as they came.
    sort: str = ""
    #: The record after which to begin, which may have gone since: then from the first.
    after: str = ""
    last: bool = False

    @property
    def column(self) -> str:
        """The column sorted by."""
        return self.sort.removeprefix("-")

    @property
    def down(self) -> bool:
        """Whether the largest come first."""
        return self.sort.startswith("-")


@dataclass(frozen=True)
class Page:
    """A few rows, how many there are in all, and the records after which pages beside stand."""

    rows: list[dict[str, Any]]
    total: int
    first: int
    after: str | None
    #: For the page before; empty where that is the first one.
    before: str | None = None


def time_column(view: View) -> str | None:
    """The column that says when."""
    return next((name for name in _TIMES if name in view.rows.column_names), None)


def choices(view: View) -> dict[str, list[str]]:
    """The columns to choose by, each with its values."""
    found = {name: view.values(name) for name in CHOICES}
    return {name: values for name, values in found.items() if len(values) > 1}


def kept(view: View, filters: Filters) -> NDArray[np.int64]:
    """The numbers of the rows that remain, in order."""
    rows = view.rows
    keep: Any = None
    for name, value in filters.chosen.items():
        if value and name in rows.column_names:
            keep = _both(keep, _equals(rows[name], value))
    when = time_column(view)
    if when is not None and (filters.start or filters.end):
        keep = _both(keep, _between(rows[when], filters.start, filters.end))
    for name, low, high in (
        ("latitude", filters.south, filters.north),
        ("longitude", filters.west, filters.east),
    ):
        if name in rows.column_names:
            if low is not None:
                keep = _both(keep, pc.greater_equal(rows[name], low))
            if high is not None:
                keep = _both(keep, pc.less_equal(rows[name], high))
    if keep is None:
        numbers = np.arange(rows.num_rows, dtype=np.int64)
    else:
        numbers = np.flatnonzero(np.asarray(pc.fill_null(keep, False)))
    return numbers[mentions(view, filters.text)[numbers]] if filters.text else numbers


def page(view: View, filters: Filters, turn: Turn, most: int) -> Page:
    """A page of the rows that remain."""
    numbers = kept(view, filters)
    if turn.column in view.rows.column_names:
        numbers = _sorted(view, numbers, turn)
    first = _first(view, numbers, turn, most)
    shown = numbers[first : first + most]
    rows = view.rows.take(pa.array(shown)).to_pylist()
    more = first + most < len(numbers)
    before = None if first == 0 else ""
    if first > most:
        before = str(view.rows["id"][int(numbers[first - most - 1])].as_py())
    return Page(rows, len(numbers), first, str(rows[-1]["id"]) if rows and more else None, before)


def _first(view: View, numbers: NDArray[Any], turn: Turn, most: int) -> int:
    if turn.last:
        return max(len(numbers) - 1, 0) // most * most
    at = view.find(turn.after) if turn.after else None
    if at is None:
        return 0
    if not turn.sort:
        return int(np.searchsorted(numbers, at, side="right"))
    there = np.flatnonzero(numbers == at)
    return int(there[0]) + 1 if len(there) else 0


def _sorted(view: View, numbers: NDArray[np.int64], turn: Turn) -> NDArray[Any]:
    """The same numbers by a column; those without a value come last either way."""
    order, there = view.ordered(turn.column)
    if len(numbers) < len(order):
        keep = np.zeros(len(order), dtype=bool)
        keep[numbers] = True
        there = int(np.count_nonzero(keep[order[:there]]))
        order = order[keep[order]]
    return np.concatenate([order[:there][::-1], order[there:]]) if turn.down else order


def _both(one: Any, other: Any) -> Any:
    return other if one is None else pc.and_kleene(one, other)


def _equals(column: Any, value: str) -> Any:
    return (
        pc.equal(column, pa.scalar(value))
        if _is_text(column)
        else pc.equal(column.cast(pa.string()), pa.scalar(value))
    )


def _is_text(column: Any) -> bool:
    kind = column.type
    return bool(pa.types.is_string(kind) or pa.types.is_dictionary(kind))


def _between(column: Any, start: date | None, end: date | None) -> Any:
    """Whole days, both inclusive; a column of texts is compared as text."""
    keep = None
    for bound, after in ((start, True), (end, False)):
        if bound is None:
            continue
        edge = bound if after else bound + timedelta(days=1)
        if _is_text(column):
            value = pa.scalar(edge.isoformat())
            plain = column.cast(pa.string())
        else:
            midnight = datetime(edge.year, edge.month, edge.day, tzinfo=UTC)
            value = pa.scalar(midnight, pa.timestamp("us", "UTC"))
            plain = column.cast(pa.timestamp("us", "UTC"))
        one = pc.greater_equal(plain, value) if after else pc.less(plain, value)
        keep = _both(keep, one)
    return keep
