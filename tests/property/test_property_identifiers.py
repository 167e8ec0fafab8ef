"""Identifiers: every single slip is found."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.model.identifiers import check, mint, short

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PREFIXES = st.text(SIGNS, min_size=2, max_size=8)


@settings(max_examples=40, deadline=None)
@given(prefix=PREFIXES, label=st.booleans())
def test_every_substitution_and_every_exchange_is_found(prefix: str, label: bool) -> None:
    text = mint(prefix)[0]
    text = short(text) if label else text
    assert check(text)
    for place, sign in enumerate(text):
        for other in (*SIGNS, "-", sign.lower()):
            if other != sign:
                assert not check(text[:place] + other + text[place + 1 :])
        if place + 1 < len(text) and text[place + 1] != sign:
            assert not check(text[:place] + text[place + 1] + sign + text[place + 2 :])
    for one in range(len(text)):
        for two in range(one + 2, len(text)):
            if text[one] != text[two]:
                swapped = list(text)
                swapped[one], swapped[two] = text[two], text[one]
                assert not check("".join(swapped))


@settings(max_examples=100, deadline=None)
@given(prefix=PREFIXES, count=st.integers(0, 50))
def test_minted_identifiers_are_sound(prefix: str, count: int) -> None:
    ids = mint(prefix, count=count)
    assert len(set(ids)) == count
    assert list(ids) == sorted(ids)
    assert all(check(text) for text in ids)
