"""Rows that hold some letters: looked for once, remembered while somebody turns the pages."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecotone.serve.views import View

#: Distinct texts of a column from which on case counts; letters from which on identifiers count.
_MANY: Final = 20_000
_OF_AN_ID: Final = 8
#: Searches of a view that are remembered.
_KEPT: Final = 8


def mentions(view: View, text: str) -> NDArray[np.bool_]:
    """For each row whether any of its texts holds these letters."""
    found = view.searches.get(text)
    if found is None:
        found = _search(view.rows, text)
        while len(view.searches) >= _KEPT:
            view.searches.pop(next(iter(view.searches)), None)
        view.searches[text] = found
    return found


def _search(rows: pa.Table, text: str) -> NDArray[np.bool_]:
    """Each distinct text is looked at once."""
    found: Any = None
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        if name == "extra":
            continue
        if pa.types.is_dictionary(column.type):
            # Names that nearly every row has anew are compared letter by letter: much quicker.
            few = len(column.dictionary) < _MANY
            hits = pc.match_substring(column.dictionary, text, ignore_case=few)
            if not pc.any(hits).as_py():
                continue
            one = hits.take(column.indices)
        elif pa.types.is_string(column.type) and len(text) >= _OF_AN_ID:
            one = pc.match_substring(column, text)
        else:
            continue
        one = pc.fill_null(one, False)
        found = one if found is None else pc.or_(found, one)
    if found is None:
        return np.zeros(rows.num_rows, dtype=bool)
    return np.asarray(found)
