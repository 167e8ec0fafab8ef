"""Frames to typed columns and back; what is stored is exactly what is hashed.

Between ingest and the database stands one form: an Arrow table whose columns have the types of
the data dictionary, NaN and empty told apart from nothing (both are null), -0.0 written as 0.0.
The digest of a block of rows is taken over this form, and can be taken again from the database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecotone.model.errors import StoreError
from ecotone.model.keys import content_hash
from ecotone.model.words import say
from ecotone.store.schema import types_of

_ARROW: Final[dict[str, pa.DataType]] = {
    "text": pa.large_string(),
    "id": pa.large_string(),
    "json": pa.large_string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}
_PANDAS: Final[dict[str, str]] = {
    "text": "str",
    "id": "str",
    "json": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "time": "datetime64[us, UTC]",
    "date": "str",
}


def typed(noun: str, frame: pd.DataFrame) -> pa.Table:
    """The columns of a frame in the types of the dictionary; wholly empty ones left out.

    Raises StoreError for a column the noun does not have or a value its type cannot hold.
    """
    kinds = types_of(noun)
    arrays: dict[str, pa.Array] = {}
    for name in frame.columns:
        if name not in kinds:
            raise StoreError(say("store.column-unknown", noun=noun, column=name))
        array = _array(noun, str(name), frame[name], kinds[name])
        if array.null_count < len(array):
            arrays[str(name)] = array
    return pa.table(arrays) if arrays else pa.table({"extra": pa.nulls(len(frame), _ARROW["json"])})


def _array(noun: str, name: str, column: pd.Series, kind: str) -> pa.Array:
    wanted = _ARROW[kind]
    try:
        if kind == "time":
            column = pd.to_datetime(column, utc=True).dt.as_unit("us")
        elif kind == "date":
            column = pd.to_datetime(column).dt.date
        elif kind == "json" and column.dtype == object:
            column = column.map(_json_text, na_action="ignore")
        array = _from_pandas(column)
        if kind == "number":
            # SQLite stores whole numbers as integers, which know no -0.0.
            return pc.add(array.cast(wanted), pa.scalar(0.0))
        array = array.cast(wanted)
        return _storable(array) if pa.types.is_large_string(wanted) else array
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise StoreError(
            say("store.value-untyped", noun=noun, column=name, kind=kind, why=error)
        ) from error


def _from_pandas(column: pd.Series) -> pa.Array:
    try:
        array = pa.array(column, from_pandas=True)
    except UnicodeEncodeError:
        # Half a surrogate pair, as JSON can smuggle in: no text of any database.
        array = pa.array(column.map(safe_text, na_action="ignore"), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _storable(texts: pa.Array) -> pa.Array:
    """Texts every database can hold: PostgreSQL knows no NUL, so it is shown as an escape."""
    if pc.any(pc.match_substring(texts, "\x00")).as_py():
        return pc.replace_substring(texts, "\x00", "\\x00")
    return texts


def safe_text(text: str) -> str:
    """A text every database can hold: NUL and lone surrogates shown as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def lists(table: pa.Table) -> list[list[Any]]:
    """Each column as Python values that SQLite binds: null as None, instants as microseconds."""
    return [_list(column) for column in table.columns]


def _list(column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_date(kind):
        column = column.cast(pa.large_string())
    elif pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    if pa.types.is_floating(column.type) or not column.null_count:
        # SQLite stores NaN as NULL, so the nulls of numbers need no second pass.
        plain = column.to_numpy()
    else:
        plain = column.to_pandas(integer_object_nulls=True).to_numpy(dtype=object)
    values: list[Any] = plain.tolist()
    return values


def from_rows(noun: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """What the database gave back, in the same form as ``typed``, all of ``names`` present."""
    kinds = types_of(noun) | {"n": "integer"}
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.table(
        {
            name: arrow_column(values, kinds[name])
            for name, values in zip(names, columns, strict=True)
        }
    )


def arrow_column(values: Sequence[Any], kind: str) -> pa.Array:
    """What a database gave back of one column, in the type of the dictionary."""
    if kind == "time":
        return pa.array(values, type=pa.int64()).cast(_ARROW["time"])
    if kind == "date":
        days = [None if v is None else v if isinstance(v, date) else date.fromisoformat(v)
                for v in values]  # fmt: skip
        return pa.array(days, type=pa.date32())
    if kind == "boolean":
        return pa.array([None if v is None else bool(v) for v in values], type=pa.bool_())
    return pa.array(values, type=_ARROW[kind])


def frame_of(noun: str, table: pa.Table, names: Sequence[str]) -> pd.DataFrame:
    """A DataFrame with exactly ``names``; columns the table lacks are there and empty."""
    kinds = types_of(noun) | {"n": "integer"}
    have = set(table.column_names)
    made: dict[str, Any] = {}
    for name in names:
        if name not in have:
            made[name] = empty(kinds[name], table.num_rows)
            continue
        column = table.column(name)
        match kinds[name]:
            case "integer":
                made[name] = column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
            case "boolean":
                made[name] = column.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
            case "date":
                made[name] = column.cast(pa.large_string()).to_pandas().astype("str")
            case kind:
                made[name] = column.to_pandas().astype(_PANDAS[kind])
    return pd.DataFrame(made, columns=list(names))


def plain_frame(table: pa.Table) -> pd.DataFrame:
    """A DataFrame to take hashes of: texts as Python objects, which are quicker to go through."""
    made: dict[str, Any] = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_large_string(column.type):
            made[name] = pd.Series(column.to_numpy(), dtype=object)
        elif pa.types.is_integer(column.type):
            made[name] = column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        else:
            made[name] = column.to_pandas()
    return pd.DataFrame(made)


def empty(kind: str, length: int) -> pd.Series:
    """A column of nothing in its type."""
    filler: Any = np.nan if _PANDAS[kind] in ("float64", "str") else pd.NA
    return pd.Series(filler, index=range(length), dtype=_PANDAS[kind])


def content_of(noun: str, frame: pd.DataFrame) -> NDArray[np.uint64]:
    """Hash of what each record says, columns nobody has described included."""
    content = content_hash(noun, frame)
    if "extra" in frame and frame["extra"].notna().any():
        codes, texts = pd.factorize(frame["extra"])
        hashed = pd.util.hash_array(np.asarray([*texts, ""], dtype=object), categorize=False)
        # An odd factor keeps a text that moves between a described column and extra apart.
        content = content ^ np.where(codes < 0, 0, hashed[codes] * np.uint64(0x9E3779B97F4A7C15))
    return content


def digest(table: pa.Table) -> str:
    """sha256 over a block of rows: column by column, in the order of their names.

    A column without any value counts as absent, so that the digest does not depend on which
    columns a delivery happened to have.
    """
    total = hashlib.sha256()
    total.update(f"rows {table.num_rows}\n".encode())
    for name in sorted(table.column_names):
        column = table.column(name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
        if column.null_count == len(column):
            continue
        total.update(f"{name} {column.type}\n".encode())
        total.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
        for part in _parts(column):
            total.update(part)
    return total.hexdigest()


def _parts(column: pa.Array) -> list[Any]:
    """The values of a column as bytes that are the same wherever they come from."""
    if pa.types.is_large_string(column.type):
        lengths = pc.fill_null(pc.binary_length(column), 0)
        text = pc.fill_null(column, "")
        joined = pa.concat_arrays([text])
        start, stop = _ends(joined)
        data = joined.buffers()[2]
        whole = b"" if data is None else memoryview(data)[start:stop]
        return [np.asarray(lengths.cast(pa.int64()), dtype="<i8").tobytes(), whole]
    if pa.types.is_boolean(column.type):
        return [np.packbits(pc.fill_null(column, False).to_numpy(zero_copy_only=False)).tobytes()]
    if pa.types.is_floating(column.type):
        return [np.asarray(pc.fill_null(column, 0.0), dtype="<f8").tobytes()]
    whole_type = pa.int32() if pa.types.is_date(column.type) else pa.int64()
    numbers = pc.fill_null(column.cast(whole_type), 0)
    return [np.asarray(numbers, dtype="<i8").tobytes()]


def _ends(text: pa.LargeStringArray) -> tuple[int, int]:
    if len(text) == 0:
        return 0, 0
    offsets = np.frombuffer(text.buffers()[1], dtype="<i8")
    return int(offsets[text.offset]), int(offsets[text.offset + len(text)])
