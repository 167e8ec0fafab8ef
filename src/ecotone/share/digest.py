"""The hash of what was released: of the released values, whatever they were made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # it ships no types


def content_hash(frame: pd.DataFrame, said: Mapping[str, str | None] | None = None) -> str:
    """sha256 over a frame, column by column in the order of their names.

    Per column: its name and kind, which rows are filled, and the values (of texts the lengths,
    then the bytes; of a text that is the same in every row, the text once). Columns without any
    value count as absent; the order of columns and the pieces a frame was put together from do not
    matter. ``said``: columns that say the same in every row and need not be written out for it.
    """
    total = hashlib.sha256(f"rows {len(frame)}\n".encode())
    same = dict(said or {}) if len(frame) else {}
    for name in sorted({*(str(column) for column in frame.columns), *same}):
        chunks = [] if name in same else _chunks(frame[name])
        text = same[name] if name in same else _in_every_row(chunks)
        if text is not None:
            total.update(f"{name} every row {len(text.encode())}\n{text}".encode())
            continue
        if all(chunk.null_count == len(chunk) for chunk in chunks):
            continue
        gaps = any(chunk.null_count for chunk in chunks)
        total.update(f"{name} {_kind(chunks[0].type)}{' with gaps' if gaps else ''}\n".encode())
        if gaps:
            for chunk in chunks:
                total.update(np.asarray(pc.is_valid(chunk)).astype(np.uint8).data)
        for chunk in chunks:
            total.update(_sizes(chunk))
        for chunk in chunks:
            total.update(_text(chunk))
    return total.hexdigest()


def _in_every_row(chunks: list[Any]) -> str | None:
    """The text that all rows say; None where they differ, or where some say nothing."""
    filled = [chunk for chunk in chunks if len(chunk)]
    if not filled or not pa.types.is_large_string(filled[0].type):
        return None
    first, last = filled[0][0], filled[-1][-1]
    if not first.is_valid or first != last or any(chunk.null_count for chunk in filled):
        return None
    alike = all(pc.all(pc.equal(chunk, first)).as_py() for chunk in filled)
    return str(first.as_py()) if alike else None


def _chunks(column: pd.Series) -> list[Any]:
    array = pa.array(column, from_pandas=True)
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    return [c.cast(pa.large_string()) if _is_text(c.type) else c for c in chunks]


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_null(kind) or pa.types.is_dictionary(kind))


def _kind(kind: Any) -> str:
    """The kind of values without the unit of a time: instants are hashed as microseconds."""
    return "time" if pa.types.is_timestamp(kind) else str(kind)


def _sizes(chunk: Any) -> Any:
    """Fixed bytes per row: the number, the instant, or the length of the text."""
    if pa.types.is_large_string(chunk.type):
        # Four bytes: no reader of files takes a cell of more than its bounded size.
        return np.asarray(pc.fill_null(pc.binary_length(chunk), 0)).astype("<u4").data
    if pa.types.is_boolean(chunk.type):
        return np.asarray(pc.fill_null(chunk, False)).astype(np.uint8).data
    if pa.types.is_floating(chunk.type):
        # No -0.0, which no reader of the file tells from 0.0.
        return (np.asarray(pc.fill_null(chunk, 0.0), dtype="<f8") + 0.0).data
    if pa.types.is_timestamp(chunk.type):
        chunk = chunk.cast(pa.timestamp("us", tz=chunk.type.tz))
    return np.asarray(pc.fill_null(chunk.cast(pa.int64()), 0), dtype="<i8").data


def _text(chunk: Any) -> Any:
    if not pa.types.is_large_string(chunk.type) or not len(chunk):
        return b""
    whole = pc.fill_null(chunk, "") if chunk.null_count else chunk
    offsets = np.frombuffer(whole.buffers()[1], dtype="<i8")
    data = whole.buffers()[2]
    start, stop = int(offsets[whole.offset]), int(offsets[whole.offset + len(whole)])
    return b"" if data is None else memoryview(data)[start:stop]
