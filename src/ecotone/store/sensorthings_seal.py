"""Observations under lines of the ledger: many under one, within seconds, before any change.

A line for each would double what an observation costs. So a line names a run of numbers, how many
each person sent, and the digest of their rows; what arrays bring is sealed with them, what comes
one by one a moment later, and whatever a killed server left open when it writes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import sqlalchemy as sa

from ecotone.store import ledger
from ecotone.store.schema import STA
from ecotone.store.sensorthings_archive import take, value
from ecotone.store.sensorthings_past import KIND, Moment, given, rows_at

#: Rows under one line at most where they are read back for it.
BLOCK: Final = 50_000
_NONE: Final = np.iinfo(np.int64).min
_NAMES: Final = tuple(column.name for column in STA.observation.c)
_NUMBERS: Final = ("result",)
_TEXTS: Final = ("text", "result_quality", "parameters")

Found = tuple[str, int | None, str, dict[str, str]]


def open_rows(connection: sa.Connection) -> int:
    """How many observations stand under no line yet."""
    return value(connection, "Observation") - value(connection, "sealed")


def seal(connection: sa.Connection, person: str, by: Mapping[str, int]) -> None:
    """Lines for all that stand under none; ``by``: who sent how many, as far as is known."""
    last = value(connection, "Observation")
    first = value(connection, "sealed") + 1
    # Of several runs it is not known who sent how much of which.
    told = by if last - first < BLOCK else {}
    for start in range(first, last + 1, BLOCK):
        end = min(start + BLOCK - 1, last)
        columns = _read(connection, STA.observation, start, end)
        _line(connection, person, told, start, end, columns)


def seal_these(
    connection: sa.Connection, person: str, by: Mapping[str, int], columns: Mapping[str, Any]
) -> None:
    """Lines for rows that were just written, all before them being sealed."""
    for start in range(0, len(columns["id"]), BLOCK):
        part = {name: values[start : start + BLOCK] for name, values in columns.items()}
        numbers = part["id"]
        told = dict.fromkeys(by, len(numbers)) if len(by) == 1 else by
        _line(connection, person, told, int(numbers[0]), int(numbers[-1]), part)


def _line(
    connection: sa.Connection,
    person: str,
    by: Mapping[str, int],
    first: int,
    last: int,
    columns: Mapping[str, Any],
) -> None:
    take(connection, "sealed", last - first + 1)
    said = {
        "do": "observations",
        "first": first,
        "last": last,
        "rows": len(columns["id"]),
        "sha256": digest(columns),
        "by": dict(sorted(by.items())),
        "upto": given(connection) | {"Observation": last},
    }
    ledger.append(connection, KIND, person, said)


def broken(
    connection: sa.Connection, lines: Sequence[tuple[int, Mapping[str, Any]]], postgres: bool
) -> Iterator[Found]:
    """Runs of observations that are not as their line says: code, line, what, its words."""
    end = 0
    for seq, said in lines:
        first, last = int(said["first"]), int(said["last"])
        told = {"first": str(first), "last": str(last)}
        past = rows_at("Observation", STA.observation, Moment(seq, {"Observation": last}), postgres)
        if first != end + 1 or digest(_read(connection, past, first, last)) != said["sha256"]:
            yield "observations", seq, f"{first}-{last}", told
        end = last
    sealed = value(connection, "sealed")
    if sealed != end:
        yield "observations", None, f"{end}-{sealed}", {"first": str(end), "last": str(sealed)}


def _read(connection: sa.Connection, table: Any, first: int, last: int) -> dict[str, Any]:
    columns = [table.c[name] for name in _NAMES]
    rows = connection.execute(
        sa.select(*columns).where(table.c.id.between(first, last)).order_by(table.c.id)
    ).all()
    found = list(zip(*rows, strict=True)) or [()] * len(_NAMES)
    return dict(zip(_NAMES, found, strict=True))


def digest(columns: Mapping[str, Any]) -> str:
    """sha256 over the columns in order; one with nothing in it counts as not there."""
    whole = hashlib.sha256()
    for name in _NAMES:
        whole.update(name.encode() + b"\n")
        if name in columns:
            whole.update(_bytes(name, columns[name]))
    return whole.hexdigest()


def _bytes(name: str, values: Any) -> bytes:
    if name in _TEXTS:
        listed = values.to_pylist() if isinstance(values, pa.Array) else list(values)
        return b"" if all(v is None for v in listed) else orjson.dumps(listed)
    if name in _NUMBERS:
        numbers = _array(values, pa.float64())
        if numbers.null_count == len(numbers):
            return b""
        # Databases know no -0.0.
        plain = np.asarray(numbers.fill_null(np.nan), dtype="<f8") + 0.0
        return np.where(np.isnan(plain), np.nan, plain).tobytes()
    whole = _array(values, pa.int64())
    if whole.null_count == len(whole):
        return b""
    return np.asarray(whole.fill_null(_NONE), dtype="<i8").tobytes()


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, type=kind)
