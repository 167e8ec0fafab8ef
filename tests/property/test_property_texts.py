"""Plain numbers read by columns are what Python reads one by one; columns keep their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.model.texts import distinct, plain_numbers

DIGITS = st.text("0123456789", min_size=1, max_size=15)
NUMBERS = st.builds(
    lambda sign, whole, part: sign + (f"{whole}.{part}" if part is not None else whole),
    st.sampled_from(["", "-", "+"]),
    DIGITS,
    st.none() | st.text("0123456789", max_size=14),
)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(NUMBERS, min_size=1, max_size=20))
def test_numbers_are_read_to_the_last_bit(texts: list[str]) -> None:
    value, places, plain = plain_numbers(np.array(texts, dtype=object))
    for text, number, after, read in zip(texts, value, places, plain, strict=True):
        assert read == (sum(map(str.isdigit, text)) <= 15)
        if read:
            assert number == float(text)
            assert after == len(text.partition(".")[2])


@settings(max_examples=300, deadline=None)
@given(
    texts=st.lists(st.text("0123456789+-.,eE<x \u0661\u0660", max_size=8), min_size=1, max_size=20)
)
def test_what_is_taken_is_a_number_of_python_and_of_ascii(texts: list[str]) -> None:
    value, _, plain = plain_numbers(np.array(texts, dtype=object))
    commas, _, with_comma = plain_numbers(np.array(texts, dtype=object), comma=True)
    for text, number, read, other, comma_read in zip(
        texts, value, plain, commas, with_comma, strict=True
    ):
        assert np.isnan(number) != read
        if read:
            assert text.isascii()
            assert number == float(text)
        if comma_read:
            assert other == float(text.replace(",", "."))
        assert comma_read >= read


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.none() | st.text(" ab", max_size=3), max_size=300))
def test_distinct_texts_lead_back_to_every_row(texts: list[str | None]) -> None:
    found, rows = distinct(pd.Series(texts, dtype="str"))
    back = found if rows is None else found[rows]
    assert back.tolist() == ["" if text is None else text.strip() for text in texts]


def test_sorted_repetitions_are_seen() -> None:
    days = pd.Series([f"day {i // 20}" for i in range(100_000)], dtype="str")
    assert len(distinct(days)[0]) == 5_001
    shuffled = days.sample(frac=1.0, random_state=1).reset_index(drop=True)
    found, rows = distinct(shuffled)
    assert rows is None or len(found) == 5_001
    assert distinct(pd.Series([str(i) for i in range(1_000)], dtype="str"))[1] is None
