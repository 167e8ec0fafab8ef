from __future__ import annotations

import os
import stat

import numpy as np
import pandas as pd

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
    def late(source, target):
        target.write_bytes(b"first" * 8)
        raise FileExistsError

    monkeypatch.setattr(os, "link", late)
    assert node_key(tmp_path) == b"first" * 8
    assert len(list((tmp_path / "keys").iterdir())) == 1


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
