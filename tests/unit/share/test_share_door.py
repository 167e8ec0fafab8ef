from __future__ import annotations

import json

import pandas as pd
import pytest

from ecotone.model.errors import Withheld
from ecotone.share.door import Door, content_hash
from ecotone.share.outgoing import Outgoing
from ecotone.share.pseudonyms import Pseudonyms
from tests.unit.share.fixtures import (
    MemoryStore,
    agreement,
    dataset,
    decided,
    occurrences,
    request,
)

CATS = {"name": "cats", "taxa": ["Panthera uncia"], "level": "generalised", "cell_degrees": 0.1}
REST = {"name": "rest", "level": "full"}


def store_with(classes, *, cleared=True, tables=None, **changes):
    return MemoryStore(
        [dataset("cats", "AA", cleared=cleared), dataset("own", "BB", cleared=False)],
        [agreement(classes, **changes)],
        tables or {"Occurrence": occurrences()},
    )


def test_each_row_leaves_at_its_level_and_the_ledger_hears_of_it():
    store = store_with([CATS, REST])
    released = Door(store, request()).release("Occurrence")
    assert released.rows["release_level"].tolist() == ["full", *["generalised"] * 3]
    assert released.rows["id"].tolist()[0] == "AA-2"
    assert all(name.startswith("~") for name in released.rows["id"].tolist()[1:])
    assert 37.0464 not in set(released.rows["latitude"])
    assert [(r["level"], r["rows"]) for r in store.recorded] == [("full", 1), ("generalised", 3)]
    assert [line.release_id for line in released.lines] == ["R1", "R2"]
    assert released.groups.empty


def test_rows_come_in_the_order_of_their_identifiers():
    shuffled = occurrences().iloc[[3, 1, 0, 2]]
    released = Door(store_with([REST], tables={"Occurrence": shuffled}), request())
    assert released.release("Occurrence").rows["id"].tolist() == ["AA-1", "AA-2", "AA-3", "AA-4"]


def test_same_answer_whether_data_exist_or_not():
    answers = []
    for tables in ({"Occurrence": occurrences()}, {"Occurrence": pd.DataFrame()}):
        door = Door(store_with([REST], tables=tables), request(reader="ZZ"))
        with pytest.raises(Withheld) as refusal:
            door.release("Occurrence")
        answers.append(str(refusal.value))
    assert answers[0] == answers[1]


def test_withheld_and_metadata_classes_let_no_row_out():
    for level in ("withheld", "metadata"):
        door = Door(store_with([{**CATS, "level": level}, REST]), request())
        assert door.release("Occurrence").rows["id"].tolist() == ["AA-2"]


def test_metadata_tells_of_the_dataset_and_withheld_does_not():
    told = Door(store_with([{"name": "all", "level": "metadata"}]), request()).datasets()
    assert [(c.dataset_id, c.levels) for c in told] == [("cats", ("metadata",)), ("own", ("full",))]
    silent = Door(store_with([{"name": "all", "level": "withheld"}]), request()).datasets()
    assert [c.dataset_id for c in silent] == ["own"]


def test_without_clearance_rows_stay_and_aggregates_are_made_at_home():
    door = Door(store_with([REST], cleared=False), request())
    assert door.release("Occurrence").rows.empty
    many = pd.concat([occurrences().iloc[[0]]] * 6)
    store = store_with(
        [{"name": "sum", "level": "aggregated", "minimum_count": 5}],
        cleared=False,
        tables={"Occurrence": many},
    )
    released = Door(store, request()).release("Occurrence")
    assert released.rows.empty
    assert released.groups["count"].tolist() == [5]
    assert store.recorded[0]["level"] == "aggregated"


def test_an_aggregate_with_no_group_large_enough_leaves_no_line():
    store = store_with([{"name": "sum", "level": "aggregated", "minimum_count": 5}])
    released = Door(store, request()).release("Occurrence")
    assert released.groups.empty
    assert store.recorded == []


def test_embargo_keeps_young_rows_and_rows_without_a_date():
    door = Door(store_with([{**REST, "embargo_months": 12}]), request())
    assert door.release("Occurrence").rows["id"].tolist() == ["AA-2"]


def test_embargo_counts_from_the_end_and_holds_where_there_is_no_time_at_all():
    ended = occurrences()
    ended["time_end"] = pd.to_datetime(["2026-05-04", "2026-05-04", None, None], utc=True)
    door = Door(
        store_with([{**REST, "embargo_months": 12}], tables={"Occurrence": ended}), request()
    )
    assert door.release("Occurrence").rows.empty
    timeless = occurrences().drop(columns="time_start")
    door = Door(
        store_with([{**REST, "embargo_months": 1}], tables={"Occurrence": timeless}), request()
    )
    assert door.release("Occurrence").rows.empty


def test_a_party_reads_its_own_data_through_the_same_door():
    mine = occurrences().assign(dataset_id="own")
    store = store_with([REST], tables={"Occurrence": mine})
    released = Door(store, request()).release("Occurrence", as_of=7)
    assert len(released.rows) == 4
    # Of what others share no past is given: it is decided on what stands now.
    assert store.asked == [("Occurrence", ("own",), 7)]
    assert store.recorded[0]["agreement_id"] == "own"


def coverages():
    return pd.DataFrame(
        {
            "id": ["C1"],
            "version": [1],
            "dataset_id": ["cats"],
            "name": ["ndvi"],
            "path": ["files/ab"],
            "sha256": ["ab"],
        }
    )


def test_a_file_leaves_only_where_a_full_coverage_names_it():
    tables = {"Coverage": coverages()}
    assert Door(store_with([REST], tables=tables), request()).file("ab").name == "ab"
    for classes in (
        [{"name": "g", "level": "generalised", "cell_degrees": 0.1}],
        *([{**REST, "withheld_fields": [name]}] for name in ("path", "sha256", "west", "name")),
        # The place of a raster is in the raster.
        [{**REST, "withheld_fields": ["latitude"]}],
        [{**REST, "withheld_fields": ["time_start"]}],
    ):
        with pytest.raises(Withheld):
            Door(store_with(classes, tables=tables), request()).file("ab")
    other = [{**REST, "withheld_fields": ["recorded_by"]}]
    assert Door(store_with(other, tables=tables), request()).file("ab").name == "ab"
    with pytest.raises(Withheld):
        Door(store_with([REST], tables=tables), request()).file("cd")


def test_content_hash_depends_on_content_alone():
    frame = occurrences()
    assert content_hash(frame) == content_hash(frame.copy())
    assert content_hash(frame) != content_hash(frame.assign(version=9))


def test_a_noun_without_rows_gives_empty_frames():
    released = Door(store_with([REST]), request()).release("Sample")
    assert released.rows.empty and released.groups.empty and released.lines == ()
    assert json.dumps([line.rows for line in released.lines]) == "[]"


def test_rows_in_full_come_in_the_order_of_their_identifiers():
    mixed = occurrences().iloc[[2, 0, 3, 1]]
    door = Door(store_with([REST], tables={"Occurrence": mixed}), request())
    assert door.release("Occurrence").rows["id"].tolist() == ["AA-1", "AA-2", "AA-3", "AA-4"]


def test_decisions_of_one_class_come_in_an_order_of_their_own():
    """Not in that in which their rows were met: that is the order of what lies behind the door."""
    rule = decided([{"name": "x", "level": "generalised", "cell_degrees": 0.1}])[0]
    out = Outgoing("Occurrence", Pseudonyms(b"0" * 32, "BB"))
    out._decisions = {3: rule, 1: rule, 2: rule}
    assert sorted(out._decisions, key=out._place) == [1, 2, 3]
