"""The hash of a ledger line is that of its canonical JSON, however fast it is worked out."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ecotone.store.ledger import Entry, canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.integers(1, 10**9), TEXT, TEXT, TEXT, TEXT, TEXT)
def test_the_spelled_out_line_is_the_canonical_one(seq, time, kind, person, body, prev):
    line = {"seq": seq, "time": time, "kind": kind, "person": person, "body": body, "prev": prev}
    entry = Entry(**line, hash="")
    assert entry.expected_hash() == hashlib.sha256(canonical(line).encode()).hexdigest()
