"""A node as its server sees it: who and what, for whom; never rows."""

from __future__ import annotations

from datetime import date

import pytest

from ecotone.model.errors import Withheld
from ecotone.model.records import Dataset, Person
from ecotone.share import desk
from ecotone.share.decide import Request
from ecotone.share.door import Door
from tests.nodes import deliver, new_node, results
from tests.signing import party

DAY = date(2026, 6, 1)


@pytest.fixture
def store(tmp_path):
    with new_node(tmp_path / "node") as store:
        store.put_party(party("URUM"), person="aigul")
        store.put_dataset(Dataset(dataset_id="urum", party_id="URUM", title="U"), person="aigul")
        yield store


def test_a_node_is_opened_for_a_server(store):
    with desk.open_node(store.folder) as same:
        assert same.party_id == "KNCM"


def test_marks_move_with_rows_and_with_rules_and_with_nothing_else(store):
    before = desk.marks(store)
    deliver(store, results(5))
    rows = desk.marks(store)
    assert rows.rows > before.rows and rows.rules == before.rules
    store.put_person(Person(person_id="b", party_id="KNCM", name="B"), person="aigul")
    rules = desk.marks(store)
    assert rules.rules > rows.rules and rules.rows == rows.rows
    Door(store, Request("KNCM", "assessment", "view", DAY)).release("Observation")
    desk.note_step(store, "aigul", {"run_id": "r", "step": "review"})
    assert desk.marks(store) == rules, "a release changes nothing that a release depends on"


def test_deliveries_are_told_to_their_owner_alone(store):
    batch = deliver(store, results(3))
    assert [d.dataset_id for d in desk.own_datasets(store, "URUM")] == ["urum"]
    assert [b.batch_id for b in desk.own_batches(store, "KNCM")] == [batch.batch_id]
    assert desk.own_batch(store, "KNCM", batch.batch_id).file_name == "results.csv"
    assert list(desk.own_findings(store, "KNCM", batch.batch_id)) == []
    assert desk.own_batches(store, "URUM") == []
    for wrong in (batch.batch_id, "nothing"):
        with pytest.raises(Withheld):
            desk.own_batch(store, "URUM", wrong)


def test_what_stood_on_a_dataset(store):
    deliver(store, results(3))
    since = desk.marks(store).rows
    door = Door(store, Request("KNCM", "assessment", "derive", DAY))
    lines = door.release("Observation").lines
    for _ in range(2):
        desk.note_run(store, "run-1", store.folder / "runs", [lines[0].release_id], "aigul")
    assert [r["run_id"] for r in store.runs()] == ["run-1"]
    assert desk.stood_on(store, "kncm-water", "Observation", since) == (["run-1"], ["KNCM"])
    assert desk.stood_on(store, "kncm-other", "Observation", since) == ([], [])


def test_lines_of_the_ledger_for_whom_they_are(store):
    deliver(store, results(3))
    store.record_release(
        reader="URUM", purpose="assessment", action="view", dataset_id="kncm-water",
        noun="Observation", level="full", agreement_id="A", agreement_version=1, rows=1,
        sha256="0" * 64,
    )  # fmt: skip
    store.record_release(
        reader="URUM", purpose="assessment", action="view", dataset_id="kncm-water",
        noun="Site", level="full", agreement_id="A", agreement_version=1, rows=1,
        sha256="0" * 64, preview=True,
    )  # fmt: skip
    ours = desk.lines(store, "KNCM", None, 100)
    assert ours[0].seq > ours[-1].seq == 1
    assert [e.seq for e in desk.lines(store, "KNCM", ours[0].seq, 1)] == [ours[0].seq - 1]
    theirs = desk.lines(store, "URUM", None, 100)
    assert [e.said["noun"] for e in theirs] == ["Observation"], "that owners looked is not told"


def test_the_ledger_is_checked_whole(store):
    deliver(store, results(3))
    seq, head, broken = desk.audit(store)
    assert (seq, broken) == (store.head()[0], []) and len(head) == 64
