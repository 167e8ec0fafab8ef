"""What is stored is what is hashed: the digest depends on values alone."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings

from ecotone.store.columns import digest, frame_of, from_rows, lists, typed

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
ROW = st.tuples(
    st.one_of(st.none(), TEXT),
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    st.one_of(st.none(), st.integers(-(2**62), 2**62)),
)


def _frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "site": pd.Series([r[0] for r in rows], dtype=object),
            "value": pd.array([r[1] for r in rows], dtype="Float64"),
            "count": pd.array([r[2] for r in rows], dtype="Int64"),
        }
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=12))
def test_round_trip_gives_the_same_digest(rows: list[tuple[object, ...]]) -> None:
    table = typed("Observation", _frame(rows))
    names = table.column_names
    back = from_rows("Observation", names, list(zip(*map(_as_stored, lists(table)), strict=True)))
    assert digest(back) == digest(table)
    assert digest(back.select(sorted(names, reverse=True))) == digest(table)
    with_empty = back.append_column("taxon", pa.nulls(len(rows), pa.large_string()))
    assert digest(with_empty) == digest(table)
    sliced = pa.concat_tables([back.slice(0, 1), back.slice(1)])
    assert digest(sliced) == digest(table)


def _as_stored(values: list[object]) -> list[object]:
    """SQLite keeps NaN as nothing."""
    return [None if isinstance(v, float) and np.isnan(v) else v for v in values]


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6), st.lists(ROW, min_size=1, max_size=6))
def test_other_values_other_digest(
    one: list[tuple[object, ...]], two: list[tuple[object, ...]]
) -> None:
    same = [(a, b if b is None else b + 0.0, c) for a, b, c in one] == [  # type: ignore[operator]  # a number here
        (a, b if b is None else b + 0.0, c)
        for a, b, c in two  # type: ignore[operator]  # a number here
    ]
    digests = [digest(typed("Observation", _frame(rows))) for rows in (one, two)]
    assert (digests[0] == digests[1]) == same


def test_nothing_and_empty_text_are_two_things() -> None:
    nothing = typed("Observation", pd.DataFrame({"site": [None, "a"]}))
    empty = typed("Observation", pd.DataFrame({"site": ["", "a"]}))
    assert digest(nothing) != digest(empty)
    assert frame_of("Observation", empty, ["site"])["site"].tolist() == ["", "a"]


def test_texts_do_not_run_into_each_other() -> None:
    one = typed("Observation", pd.DataFrame({"site": ["ab", "c"]}))
    two = typed("Observation", pd.DataFrame({"site": ["a", "bc"]}))
    assert digest(one) != digest(two)
