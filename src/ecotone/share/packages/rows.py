"""The records of a package as typed tables, and what both ends compare: a hash for each row.

A row's hash covers its identifier, version, dataset, every value, and under which agreement and
level it came. The state of an exchange is the sha256 of all of them in order: sender and receiver
hold the same rows if, and only if, they hold the same state. It is made of released values only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.share.arrived import AGGREGATED
from ecotone.store.columns import content_of, plain_frame, typed

if TYPE_CHECKING:
    from ecotone.share.decide import Decision
    from ecotone.share.door import Door, Released

Hashes = NDArray[np.uint64]

#: What is said of each row beside its own columns: how it left, and under what.
MARKS: Final = (
    "agreement",
    "class",
    "release_level",
    "release_cell_degrees",
    "data_generalizations",
    "information_withheld",
)
#: The noun in which released counts travel.
GROUPS: Final = "Record"
_KEY: Final = "ecotone packages"  # 16 characters; a new one would make every row look changed
_ODD: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


@dataclass(frozen=True)
class Rows:
    """The rows of one noun: typed columns, and the hash of each row."""

    noun: str
    table: pa.Table
    hashes: Hashes

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def ids(self) -> NDArray[np.object_]:
        """The identifiers."""
        found: NDArray[np.object_] = self.table.column("id").to_numpy()
        return found

    def kept(self, keep: NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        return Rows(self.noun, self.table.filter(pa.array(keep)), self.hashes[keep])


def made(noun: str, table: pa.Table) -> Rows:
    """Rows with their hashes."""
    return Rows(noun, table, row_hashes(noun, table))


def released(door: Door) -> Iterator[tuple[Rows, dict[str, pd.DataFrame]]]:
    """What a door lets out, noun by noun; counts by noun beside the rows that carry them."""
    for noun in RECORD_NOUNS:
        found = door.release(noun)
        tables = [
            _typed(noun, part, decision, _wording(part)) for part, decision in _parts(found, "rows")
        ]
        if noun != GROUPS and tables:
            yield made(noun, _together(tables)), {}
        counts = {noun: found.groups} if len(found.groups) else {}
        carriers = [_carried(noun, part, decision) for part, decision in _parts(found, "groups")]
        both = [*tables, *carriers] if noun == GROUPS else carriers
        if both:
            yield made(GROUPS, _together(both)), counts


def merged(parts: Iterator[tuple[Rows, dict[str, pd.DataFrame]]]) -> tuple[
    dict[str, Rows], dict[str, pd.DataFrame]
]:  # fmt: skip
    """By noun: all rows, and the counts as they are shown to people."""
    found: dict[str, list[Rows]] = {}
    counts: dict[str, pd.DataFrame] = {}
    for rows, groups in parts:
        found.setdefault(rows.noun, []).append(rows)
        counts |= groups
    return {noun: _joined(several) for noun, several in found.items()}, counts


def row_hashes(noun: str, table: pa.Table) -> Hashes:
    """The hash of each row; columns without any value count as absent."""
    own = [name for name in table.column_names if name in (*attributes(noun), "extra")]
    total = content_of(noun, plain_frame(table.select(own)))
    if not own:
        total = np.zeros(table.num_rows, dtype=np.uint64)
    ids = pd.util.hash_array(table.column("id").to_numpy(), hash_key=_KEY, categorize=False)
    total = total + ids * np.uint64(_ODD[0])
    if "version" in table.column_names:
        version = table.column("version").to_pandas().fillna(0).to_numpy(dtype=np.uint64)
        total = total + version * np.uint64(_ODD[1])
    codes, told = marks_of(table)
    texts = np.asarray([json.dumps(mark, ensure_ascii=False) for mark in told], dtype=object)
    marked = pd.util.hash_array(texts, hash_key=_KEY, categorize=False)
    total = total + marked[codes] * np.uint64(_ODD[2])
    mixed: Hashes = pd.util.hash_array(total)
    return mixed


def marks_of(table: pa.Table) -> tuple[NDArray[np.int64], list[tuple[str | None, ...]]]:
    """The few combinations of dataset and marks that occur, and which each row has."""
    total = np.zeros(table.num_rows, dtype=np.int64)
    found: list[tuple[str | None, ...]] = [()]
    for name in ("dataset_id", *MARKS):
        if name not in table.column_names:
            found = [(*known, None) for known in found]
            continue
        column = table.column(name).combine_chunks().dictionary_encode("encode")
        codes = column.indices.to_numpy()
        values = column.dictionary.to_pylist()
        mixed, pairs = pd.factorize(total * max(len(values), 1) + codes)
        found = [
            (*found[pair // len(values)], values[pair % len(values)]) for pair in pairs.tolist()
        ]
        total = mixed.astype(np.int64)
    return total, found if table.num_rows else []


def state(hashes: Mapping[str, Hashes]) -> str:
    """sha256 over the hashes of all rows, by noun and in order of the hashes."""
    total = hashlib.sha256()
    for noun in sorted(hashes):
        ordered = np.sort(hashes[noun]).astype("<u8")
        if len(ordered):
            total.update(f"{noun} {len(ordered)}\n".encode() + ordered.tobytes())
    return total.hexdigest()


def _parts(found: Released, which: str) -> Iterator[tuple[pd.DataFrame, Decision]]:
    """The frames of a release as its decisions let them out, one after the other."""
    frame = found.groups if which == "groups" else found.rows
    start = 0
    for line in found.lines:
        if (line.decision.level == "aggregated") != (which == "groups"):
            continue
        yield frame.iloc[start : start + line.rows], line.decision
        start += line.rows


def _typed(
    noun: str, part: pd.DataFrame, decision: Decision, wording: tuple[str | None, str | None]
) -> pa.Table:
    own = [name for name in part.columns if name not in MARKS]
    table = typed(noun, part[own].reset_index(drop=True))
    cell = decision.rule.cell_degrees if decision.level == "generalised" else None
    told = None if cell is None else f"{cell:g}"
    said = (decision.agreement, decision.name, decision.level, told, *wording)
    for name, text in zip(MARKS, said, strict=True):
        column = pa.repeat(pa.scalar(text, type=pa.large_string()), table.num_rows)
        table = table.append_column(name, column)
    return table


def _wording(part: pd.DataFrame) -> tuple[str | None, str | None]:
    """What the door says of every row of one decision: the same for all of them."""
    said = []
    for name in ("data_generalizations", "information_withheld"):
        text = part[name].iloc[0] if name in part and len(part) else None
        said.append(text if isinstance(text, str) else None)
    return said[0], said[1]


def _carried(noun: str, part: pd.DataFrame, decision: Decision) -> pa.Table:
    """Counts as records, so that they are kept, followed and taken back as rows are."""
    told = part.drop(columns=[n for n in MARKS if n in part])
    documents: list[dict[str, Any]] = json.loads(
        told.to_json(orient="records", date_format="iso", force_ascii=False, double_precision=15)
    )
    fields = [json.dumps(each, ensure_ascii=False, sort_keys=True) for each in documents]
    keys = [
        json.dumps({k: v for k, v in each.items() if k not in ("count", "mean")}, sort_keys=True)
        for each in documents
    ]
    base = f"{noun}\0{decision.agreement_id}\0{decision.name}\0"
    frame = pd.DataFrame(
        {
            "id": ["=" + hashlib.sha256((base + key).encode()).hexdigest()[:32] for key in keys],
            "dataset_id": part["dataset_id"].to_numpy(),
            "record_type": AGGREGATED + noun,
            "fields": fields,
        }
    )
    return _typed(GROUPS, frame, decision, (None, "rows"))


def _together(tables: list[pa.Table]) -> pa.Table:
    """Tables one below the other; a column that one lacks is empty there."""
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def _joined(several: list[Rows]) -> Rows:
    if len(several) == 1:
        return several[0]
    return Rows(
        several[0].noun,
        _together([rows.table for rows in several]),
        np.concatenate([rows.hashes for rows in several]),
    )
