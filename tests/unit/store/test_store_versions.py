"""Corrections and withdrawals: new versions, nothing lost, runs that stood on the old named."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.nodes import deliver, everything, results

from ecotone.model.errors import UsageError
from ecotone.store import Store


def _release(store: Store, noun: str = "Observation", dataset: str = "kncm-water") -> str:
    return store.record_release(
        reader="VIWE", purpose="reporting", action="derive", dataset_id=dataset, noun=noun,
        level="full", agreement_id="a", agreement_version=1, rows=3, sha256="0" * 64,
    )  # fmt: skip


def test_a_correction_is_a_new_version(store: Store) -> None:
    deliver(store, results(5))
    before = store.head()[0]
    _release(store)
    store.record_run("run-1", store.folder / "runs/1", releases=[_release(store)])
    store.record_run("run-other", "x", releases=[_release(store, "Site")])
    target = everything(store).iloc[1]
    done = store.correct(
        "Observation", target["id"], {"value": "12.5", "remarks": "переписано"},
        person="aigul", reason="misread digit",
    )  # fmt: skip
    assert (done.id, done.old, done.new) == (target["id"], 1, 2)
    assert done.diff == {"value": (0.25, 12.5), "remarks": (None, "переписано")}
    assert done.results == ["run-1"]
    now = everything(store)
    assert len(now) == 5
    row = now[now["id"] == target["id"]].iloc[0]
    assert (row["value"], row["version"], row["batch_id"]) == (12.5, 2, target["batch_id"])
    assert row["extra"] == target["extra"]
    assert row["time_start"] == target["time_start"]
    old = everything(store, as_of=before)
    assert old.loc[old["id"] == target["id"], "value"].item() == 0.25
    told = store.history("Observation", target["id"])
    assert told["person"].tolist() == ["aigul", "aigul"]
    assert told["reason"].tolist()[1] == "misread digit"
    assert store.verify_ledger() == []


def test_a_run_after_the_correction_does_not_stand_on_the_old_version(store: Store) -> None:
    deliver(store, results(3))
    target = everything(store).iloc[1]
    store.correct("Observation", target["id"], {"value": 1.0}, person="aigul", reason="a")
    store.record_run("later", "x", releases=[_release(store)])
    second = store.correct("Observation", target["id"], {"value": 2.0}, person="aigul", reason="b")
    third = store.correct("Observation", target["id"], {"value": 3.0}, person="aigul", reason="c")
    assert second.results == ["later"]
    assert third.results == []


def test_a_correction_survives_the_same_row_delivered_again(store: Store) -> None:
    deliver(store, results(5))
    target = everything(store).iloc[1]["id"]
    store.correct("Observation", target, {"value": 12.5}, person="aigul", reason="misread")
    again = deliver(store, results(5), name="again.csv")
    assert again.counts["unchanged"] == 5
    assert everything(store).set_index("id").loc[target, "value"] == 12.5
    newer = deliver(store, results(5, shift=1.0), name="newer.csv")
    assert newer.counts["changed"] == 4
    assert everything(store).set_index("id").loc[target, "value"] == 1.25
    assert store.history("Observation", target)["version"].tolist() == [1, 2, 3]


def test_wrong_corrections_are_refused_and_change_nothing(store: Store) -> None:
    deliver(store, results(2))
    target = everything(store).iloc[1]["id"]
    before = store.head()
    for changes, reason in (
        ({"latitude": 95.0}, "why"),
        ({"nonsense": 1}, "why"),
        ({"value": 0.25}, "why"),
        ({"value": 1.0}, "  "),
    ):
        with pytest.raises(UsageError):
            store.correct("Observation", target, changes, person="aigul", reason=reason)
    with pytest.raises(UsageError):
        store.correct("Observation", "KNCM-none", {"value": 1}, person="aigul", reason="why")
    with pytest.raises(UsageError):
        store.correct("Nonsense", target, {"value": 1}, person="aigul", reason="why")
    with pytest.raises(UsageError):
        store.history("Observation", "KNCM-none")
    assert store.head() == before


def test_emptying_times_and_json_can_be_corrected(store: Store) -> None:
    frame = pd.DataFrame(
        {"sample_id": ["s1"], "custody": ['[{"by": "a"}]'], "storage": ["freezer 3"],
         "time_start": pd.to_datetime(["2020-05-01T10:00Z"])}
    )  # fmt: skip
    deliver(store, frame, noun="Sample", name="s.csv")
    target = everything(store, "Sample")["id"][0]
    store.correct(
        "Sample", target,
        {"storage": None, "time_start": "2020-05-01T12:00:00+02:00", "custody": [{"by": "b"}],
         "time_end": "2020-05-02T00:00:00Z"},
        person="aigul", reason="moved",
    )  # fmt: skip
    row = everything(store, "Sample").iloc[0]
    assert pd.isna(row["storage"])
    assert row["custody"] == '[{"by": "b"}]'
    assert row["time_end"] == pd.Timestamp("2020-05-02", tz="UTC")
    told = store.history("Sample", target)
    assert told["custody"].tolist() == ['[{"by": "a"}]', '[{"by": "b"}]']


def test_a_withdrawn_batch_gives_back_what_it_superseded(store: Store) -> None:
    first = deliver(store, results(10))
    hash_first = store.state_hash()
    seq_first = store.head()[0]
    second = deliver(store, results(12, shift=1.0), name="b.csv")
    hash_second, seq_second = store.state_hash(), store.head()[0]
    store.record_run("run-1", "x", releases=[_release(store)])
    ids = set(everything(store)["id"])

    done = store.withdraw(second.batch_id, person="aigul", reason="wrong calibration")
    assert done.withdrawn == second.counts["new"] + second.counts["changed"]
    assert done.revived == second.counts["changed"]
    assert done.results == ["run-1"]
    assert store.state_hash() == hash_first
    found = everything(store)
    assert len(found) == 10
    assert set(found["id"]) < ids
    assert set(found["batch_id"]) == {first.batch_id}
    assert sorted(found["version"].unique()) == [1, 3]
    assert len(everything(store, as_of=seq_first)) == 10
    as_it_was = everything(store, as_of=seq_second)
    assert len(as_it_was) == 12
    assert set(as_it_was["batch_id"]) == {first.batch_id, second.batch_id}
    assert store.verify_ledger() == []

    with pytest.raises(UsageError):
        store.withdraw(second.batch_id, person="aigul", reason="again")
    again = deliver(store, results(12, shift=1.0), name="b.csv")
    assert store.state_hash() == hash_second
    assert set(everything(store)["id"]) == ids
    assert again.counts["changed"] + again.counts["unchanged"] == 12


def test_withdrawing_in_any_order_leaves_what_still_stands(store: Store) -> None:
    a = deliver(store, results(6), name="a.csv")
    b = deliver(store, results(6, shift=1.0), name="b.csv")
    c = deliver(store, results(6, shift=2.0), name="c.csv")
    store.withdraw(b.batch_id, person="aigul", reason="r")
    values = everything(store).sort_values("observation_id")["value"].tolist()[1:]
    assert values == [2.25, 2.5, 2.75, 3.0, 3.25]
    done = store.withdraw(c.batch_id, person="aigul", reason="r")
    assert done.revived == 5
    values = everything(store).sort_values("observation_id")["value"].tolist()[1:]
    assert values == [0.25, 0.5, 0.75, 1.0, 1.25]
    store.withdraw(a.batch_id, person="aigul", reason="r")
    assert store.count("Observation", ["kncm-water"]) == 0
    assert store.totals() == []
    assert store.verify_ledger() == []


def test_a_correction_goes_with_its_batch(store: Store) -> None:
    a = deliver(store, results(3), name="a.csv")
    target = everything(store).iloc[1]["id"]
    store.correct("Observation", target, {"value": 9.0}, person="aigul", reason="misread")
    b = deliver(store, results(3, shift=1.0), name="b.csv")
    store.withdraw(b.batch_id, person="aigul", reason="r")
    assert everything(store).set_index("id").loc[target, "value"] == 9.0
    store.withdraw(a.batch_id, person="aigul", reason="r")
    assert store.count("Observation", ["kncm-water"]) == 0


def test_runs_and_releases(store: Store) -> None:
    first, second = _release(store), _release(store)
    store.record_run("r", "runs/r", "1" * 64, [second, first, first], [{"name": "x"}])
    (run,) = store.runs()
    assert run["releases"] == sorted([first, second])
    assert run["inputs"] == [{"name": "x"}]
    with pytest.raises(UsageError):
        store.record_run("r", "runs/r", "1" * 64, [first])
    with pytest.raises(UsageError):
        store.record_run("r2", "runs/r2", "1" * 64, ["KNCM-none"])
    assert [e.kind for e in store.ledger()][-3:] == ["release", "release", "run"]


def test_documents_are_superseded_not_edited(store: Store) -> None:
    from ecotone.model.records import Dataset, Party, Person, Project

    lines = len(store.ledger())
    store.put_party(Party(party_id="KNCM", name={"en": "New name"}, country_code="KG"),
                    person="aigul", reason="renamed")  # fmt: skip
    store.put_party(Party(party_id="KNCM", name={"en": "New name"}, country_code="KG"),
                    person="aigul")  # fmt: skip
    assert [p.name["en"] for p in store.parties()] == ["New name"]
    assert len(store.ledger()) == lines + 1
    with pytest.raises(UsageError):
        store.put_dataset(Dataset(dataset_id="d", party_id="NONE", title="x"), person="aigul")
    with pytest.raises(UsageError):
        store.put_dataset(
            Dataset(dataset_id="d", party_id="KNCM", title="x", project_id="none"), person="aigul"
        )
    with pytest.raises(UsageError):
        store.put_person(Person(person_id="x", party_id="NONE", name="X"), person="aigul")
    with pytest.raises(UsageError):
        store.put_project(Project(project_id="x", party_id="NONE", title="X"), person="aigul")
    assert [d.dataset_id for d in store.datasets()] == ["kncm-other", "kncm-water"]
    assert [p.person_id for p in store.people()] == ["aigul"]
    assert [p.project_id for p in store.projects()] == ["basin"]


def test_an_older_agreement_never_replaces_a_newer(store: Store) -> None:
    from ecotone.model.errors import StoreError

    store.put_agreement({"agreement_id": "a", "version": 2}, "text 2", person="aigul")
    with pytest.raises(StoreError):
        store.put_agreement({"agreement_id": "a", "version": 1}, "text 1", person="aigul")
    store.put_agreement({"agreement_id": "a", "version": 3}, "text 3", person="aigul")
    store.put_agreement({"agreement_id": "b", "version": 1}, "text", person="aigul")
    assert [(a["agreement_id"], a["version"]) for a in store.agreements()] == [("a", 3), ("b", 1)]
