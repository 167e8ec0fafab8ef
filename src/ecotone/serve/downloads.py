"""Rows of a view as CSV, block by block: memory holds one block, the first leaves at once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from ecotone.formats.cells import harmless
from ecotone.serve.views import View

_BLOCK: Final = 20_000
#: At least every text that a spreadsheet might take for a formula (see ``formats.cells``).
_MAYBE: Final = r"^[\s\p{Z}\p{Cc}\p{Cf}]*[=+\-@＝＋－＠]|^[\s\p{Cc}]"


def as_csv(view: View, numbers: NDArray[Any]) -> Iterator[bytes]:
    """These rows of a view in UTF-8 with its mark, times in UTC as ISO 8601."""
    rows = view.rows.select([n for n in view.rows.column_names if n != "extra"])
    whole = len(numbers) == rows.num_rows
    yield b"\xef\xbb\xbf"
    for start in range(0, max(len(numbers), 1), _BLOCK):
        if whole:
            block = rows.slice(start, _BLOCK)
        else:
            block = rows.take(pa.array(numbers[start : start + _BLOCK]))
        told = pa.table([_told(column) for column in block.columns], names=rows.column_names)
        out = io.BytesIO()
        options = pyarrow.csv.WriteOptions(include_header=start == 0, eol="\r\n")
        pyarrow.csv.write_csv(told, out, options)
        yield out.getvalue()


def _told(column: Any) -> Any:
    kind = column.type
    if pa.types.is_timestamp(kind):
        whole = pc.all(pc.equal(column, pc.floor_temporal(column, unit="second"))).as_py()
        plain = column.cast(pa.timestamp("s", kind.tz)) if whole is not False else column
        return pc.strftime(plain, format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        text = column.cast(pa.string())
        if pc.any(pc.match_substring_regex(text, _MAYBE)).as_py():
            there = text.to_pandas()
            return pa.array(harmless(there).where(there.notna(), None), pa.string())
        return text
    return column
