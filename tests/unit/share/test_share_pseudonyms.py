from __future__ import annotations

import stat
import time

import numpy as np
import pandas as pd
import pytest

from ecotone.model.errors import StoreError
from ecotone.model.identifiers import check
from ecotone.share.door import Door, content_hash
from ecotone.share.pseudonyms import Pseudonyms, node_key, spelled
from tests.unit.share.fixtures import MemoryStore, agreement, dataset, occurrences, request

IDS = pd.Series(["AA-1", "AA-2", "AA-3"], dtype="str")


def named(key, reader, noun="Occurrence", ids=IDS):
    return spelled(*Pseudonyms(key, reader).of(ids, noun)).tolist()


def test_names_are_stable_for_a_reader_and_of_no_use_to_another():
    key = bytes(range(32))
    assert named(key, "BB") == named(key, "BB")
    others = [named(key, "CC"), named(key, "BB", "Event"), named(bytes(32), "BB")]
    assert not set(named(key, "BB")) & {name for other in others for name in other}


def test_names_are_spelled_so_that_they_are_no_identifiers_of_ours():
    names = spelled(np.array([1, 2**64 - 1], dtype=np.uint64), np.array([0, 10], dtype=np.uint64))
    assert names.tolist() == ["~" + "0" * 15 + "1" + "0" * 16, "~" + "f" * 16 + "0" * 15 + "a"]
    assert not any(check(name) for name in names)


def test_both_halves_depend_on_the_identifier_each_by_its_own_key():
    first, second = Pseudonyms(bytes(32), "BB").of(IDS, "Occurrence")
    assert len(set(first.tolist()) | set(second.tolist())) == 6


def test_the_key_of_a_node_is_made_once_and_kept_to_its_owner(tmp_path):
    key = node_key(tmp_path)
    path = tmp_path / "keys" / "pseudonyms.key"
    assert len(key) == 32 and node_key(tmp_path) == key == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["pseudonyms.key"]


def test_of_two_processes_that_make_a_key_the_first_wins(tmp_path, monkeypatch):
    path = tmp_path / "keys" / "pseudonyms.key"
    path.parent.mkdir()
    path.write_bytes(b"first" * 2)
    # The other process is still writing when we look, and done when we look again.
    monkeypatch.setattr(time, "sleep", lambda _: path.write_bytes(b"first---" * 4))
    assert node_key(tmp_path) == b"first---" * 4
    assert len(list((tmp_path / "keys").iterdir())) == 1


def test_a_key_left_unfinished_is_refused_and_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "keys" / "pseudonyms.key"
    path.parent.mkdir()
    path.write_bytes(b"cut")
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(StoreError) as refused:
        node_key(tmp_path)
    assert refused.value.message.key == "share.pseudonyms-broken"
    assert path.read_bytes() == b"cut"


def test_the_order_of_coarse_rows_is_that_of_their_names_not_of_the_delivery():
    store = MemoryStore(
        [dataset("cats", "AA")],
        [agreement([{"name": "a", "level": "generalised", "cell_degrees": 0.1}])],
        {"Occurrence": occurrences()},
    )
    rows = Door(store, request()).release("Occurrence").rows
    assert rows["id"].tolist() == sorted(rows["id"])
    shuffled = MemoryStore(
        [dataset("cats", "AA")],
        [agreement([{"name": "a", "level": "generalised", "cell_degrees": 0.1}])],
        {"Occurrence": occurrences().iloc[[2, 0, 3, 1]]},
    )
    again = Door(shuffled, request()).release("Occurrence").rows
    pd.testing.assert_frame_equal(rows, again)


def test_the_hash_of_a_release_is_of_its_values_alone():
    frame = occurrences()
    assert content_hash(frame) == content_hash(frame[frame.columns[::-1]])
    pieces = pd.concat([frame.iloc[:1], frame.iloc[1:]])
    assert content_hash(pieces) == content_hash(frame)
    assert content_hash(frame.assign(empty=None)) == content_hash(frame)
    assert content_hash(frame.rename(columns={"locality": "place"})) != content_hash(frame)
    assert content_hash(frame.iloc[::-1]) != content_hash(frame)
    for change in (
        {"locality": ["Under the red cliff", None, "Cam", "pPass"]},
        {"locality": ["Under the red cliff", "", "Camp", "Pass"]},
        {"version": [1, 1, 2, 2]},
        {"latitude": [37.0464, 37.5, None, 38.0001]},
        {"time_start": frame["time_start"] + pd.Timedelta(microseconds=1)},
        {"flag": [True, False, True, None]},
    ):
        assert content_hash(frame.assign(**change)) != content_hash(frame)
    zero = pd.DataFrame({"x": [0.0]})
    assert content_hash(zero) == content_hash(-zero)
    micro = frame.assign(time_start=frame["time_start"].dt.as_unit("us"))
    assert content_hash(micro) == content_hash(frame)
    assert content_hash(frame.iloc[:0]) == content_hash(pd.DataFrame())
    words = pd.Series(["a", "b"])
    assert content_hash(pd.DataFrame({"x": words.astype("category")})) == content_hash(
        pd.DataFrame({"x": words})
    )


def test_what_every_row_says_is_hashed_alike_written_out_or_not():
    rows = pd.DataFrame({"id": ["a", "b", "c"], "n": [1.0, 2.0, 3.0]})
    written = rows.assign(level=pd.Series(["full"] * 3, dtype="str"), none=None)
    said = {"level": "full", "none": None}
    assert content_hash(rows, said) == content_hash(written)
    assert content_hash(rows, {"level": "ful", "none": None}) != content_hash(written)
    # What is said counts, whatever the rows hold under that name.
    assert content_hash(written.assign(level="other"), said) == content_hash(written)
    assert content_hash(rows, {"level": "full", "more": "x"}) != content_hash(written)
    nearly = written.assign(level=pd.Series(["full", "other", "full"], dtype="str"))
    assert content_hash(nearly) != content_hash(written)
    gaps = written.assign(level=pd.Series(["full", None, "full"], dtype="str"))
    assert len({content_hash(gaps), content_hash(nearly), content_hash(written)}) == 3
    assert content_hash(rows.iloc[:0], said) == content_hash(pd.DataFrame())
    # A text cannot be taken for the beginning of the next column.
    one = content_hash(rows, {"a": "x", "b": "y"})
    assert one != content_hash(rows, {"a": "xb every row 1\ny"})
