"""New, changed or unchanged: the set-wise decision against the plain one, row by row."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.store.classify import Identifiers, Known, decide

ROWS = st.lists(st.tuples(st.one_of(st.none(), st.integers(-3, 3)), st.integers(0, 2)), max_size=25)
KNOWN = st.dictionaries(
    st.integers(-3, 3), st.tuples(st.integers(1, 5), st.integers(0, 2), st.booleans()), max_size=7
)


def _known(stored: dict[int, tuple[int, int, bool]]) -> Known:
    keys = sorted(stored)
    return Known(
        np.array(keys, dtype=np.int64),
        np.array([f"id{k}" for k in keys], dtype=object),
        np.array([stored[k][0] for k in keys], dtype=np.int64),
        np.array([100 + k for k in keys], dtype=np.int64),
        np.array([stored[k][1] for k in keys], dtype=np.int64),
        np.array([stored[k][2] for k in keys], dtype=np.bool_),
    )


@settings(max_examples=300, deadline=None)
@given(ROWS, KNOWN, st.integers(1, 9))
def test_as_one_row_after_the_other(
    rows: list[tuple[int | None, int]], stored: dict[int, tuple[int, int, bool]], block: int
) -> None:
    key = np.array([0 if k is None else k for k, _ in rows], dtype=np.int64)
    has_key = np.array([k is not None for k, _ in rows], dtype=np.bool_)
    content = np.array([c for _, c in rows], dtype=np.int64)
    known = _known(stored)
    decision = decide(key, has_key, content, known)
    identifiers = Identifiers(decision, known)
    ids: list[str | None] = []
    for start in range(0, len(rows), block):
        stop = min(start + block, len(rows))
        where = np.flatnonzero(decision.minting(start, stop))
        minted = np.array([f"new{start + int(w)}" for w in where], dtype=object)
        ids += identifiers.of(start, stop, minted).tolist()

    living = {k: (c, v, f"id{k}") for k, (v, c, live) in stored.items() if live}
    ended = {k: (v, f"id{k}") for k, (v, _, live) in stored.items() if not live}
    open_rows: dict[int, int] = {}
    closes, unchanged = set(), 0
    superseded = np.zeros(len(rows), dtype=bool)
    for place, (k, c) in enumerate(rows):
        if k is None:
            assert decision.keep[place]
            assert decision.version[place] == 1
            assert ids[place] == f"new{place}"
            continue
        if k in living and living[k][0] == c:
            assert not decision.keep[place]
            unchanged += 1
            continue
        assert decision.keep[place]
        before = living[k][1:] if k in living else ended.get(k, (0, f"new{place}"))
        assert decision.version[place] == before[0] + 1
        assert ids[place] == before[1]
        if k in open_rows:
            superseded[open_rows[k]] = True
        elif k in living:
            closes.add(100 + k)
        open_rows[k] = place
        living[k] = (c, before[0] + 1, before[1])
    assert decision.unchanged == unchanged
    assert decision.closes.tolist() == sorted(closes)
    assert (decision.superseded == superseded).all()
