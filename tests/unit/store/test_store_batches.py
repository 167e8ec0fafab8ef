"""Deliveries: visible whole or not at all, the same again changes nothing, others supersede."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.nodes import deliver, everything, results

from ecotone.model.errors import StoreError, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.store import Store, open_node
from ecotone.store.files import sha256_of

NUMBERS = np.array([1], dtype=np.int64)


def _begin(store: Store, sha256: str = "0" * 64, **more: object):  # type: ignore[no-untyped-def]  # a BatchWriter
    return store.begin_batch(
        file_name="f.csv", sha256=sha256, size=1, format="table", dataset_id="kncm-water",
        person="aigul", **more,
    )  # fmt: skip


def test_what_goes_in_comes_out(store: Store) -> None:
    frame = results(500)
    batch = deliver(store, frame, block=130)
    found = everything(store)
    assert len(found) == 500
    assert found["observation_id"].tolist() == frame["observation_id"].tolist()
    assert found["value"].isna().tolist() == frame["value"].isna().tolist()
    both = frame["value"].notna().to_numpy()
    assert (found["value"].to_numpy()[both] == frame["value"].to_numpy(float)[both]).all()
    assert (found["time_start"] == frame["time_start"]).all()
    assert str(found["time_start"].dtype) == "datetime64[us, UTC]"
    assert found["time_text"].tolist() == frame["time_text"].tolist()
    assert found["extra"].tolist() == frame["extra"].tolist()
    assert found["count"].dtype == "Int64"
    assert (found["count"].isna() == frame["count"].isna()).all()
    assert set(found["batch_id"]) == {batch.batch_id}
    assert found["source_row"].tolist() == list(range(1, 501))
    assert found["source_line"].tolist() == list(range(2, 502))
    assert found["id"].is_unique
    assert (found["version"] == 1).all()
    assert np.signbit(found["longitude"]).sum() == 0
    assert batch.counts["Observation"] == 500
    assert batch.counts["new"] == 500
    assert store.count("Observation", ["kncm-water"]) == 500
    assert store.count("Observation", ["kncm-other"]) == 0
    assert store.totals() == [{"dataset_id": "kncm-water", "noun": "Observation", "records": 500}]


def test_every_type_of_every_noun_survives(store: Store) -> None:
    frames = {
        "Media": pd.DataFrame({"media_id": ["m1", "m2"], "public": [True, None],
                               "size_bytes": [2**40, None]}),
        "Coverage": pd.DataFrame({"name": ["ndvi"], "west": [70.5], "width": [500],
                                  "stac": [{"type": "Feature", "名": "я"}]}),
        "Record": pd.DataFrame({"record_type": ["x"], "fields": ['{"a": "1"}']}),
        "DeviceEvent": pd.DataFrame({"device": ["d"], "kind": ["alarm"],
                                     "time_start": ["1965-03-01T00:00:00.123456Z"]}),
    }  # fmt: skip
    for noun, frame in frames.items():
        deliver(store, frame, noun=noun, name=f"{noun}.csv")
    media = everything(store, "Media")
    assert media["public"].tolist()[0] is True
    assert media["public"].isna().tolist() == [False, True]
    assert media["size_bytes"].tolist()[0] == 2**40
    assert everything(store, "Coverage")["stac"].tolist() == ['{"type": "Feature", "名": "я"}']
    assert everything(store, "Record")["fields"].tolist() == ['{"a": "1"}']
    moment = everything(store, "DeviceEvent")["time_start"][0]
    assert moment == pd.Timestamp("1965-03-01T00:00:00.123456Z")
    assert store.verify_ledger() == []


def test_the_same_delivered_again_changes_nothing(store: Store) -> None:
    deliver(store, results(300))
    before = store.state_hash()
    again = deliver(store, results(300), name="again.csv", block=77)
    assert again.counts["unchanged"] == 300
    assert again.counts["new"] == again.counts["changed"] == 0
    assert store.state_hash() == before
    assert store.count("Observation", ["kncm-water"]) == 300
    assert (everything(store)["version"] == 1).all()


def test_other_content_under_the_same_key_supersedes(store: Store) -> None:
    deliver(store, results(100))
    mixed = pd.concat([results(50), results(50, start=50, shift=1.0), results(20, start=100)])
    second = deliver(store, mixed.reset_index(drop=True), name="second.csv")
    changed = int((np.arange(50, 100) % 7 != 0).sum())
    assert second.counts["changed"] == changed
    assert second.counts["unchanged"] == 100 - changed
    assert second.counts["new"] == 20
    found = everything(store)
    assert len(found) == 120
    assert found["id"].is_unique
    assert (found["version"] == 2).sum() == changed
    told = store.history("Observation", found.loc[found["version"] == 2, "id"].iloc[0])
    assert told["version"].tolist() == [1, 2]
    assert told["reason"].tolist()[1] == "delivered-again"
    assert told["ended"].iloc[0] == told["recorded"].iloc[1]


def test_a_key_twice_in_one_delivery_keeps_both_versions(store: Store) -> None:
    frame = pd.concat(
        [results(3), results(3, shift=1.0), results(3, shift=1.0), results(3)], ignore_index=True
    )
    batch = deliver(store, frame, block=4)
    found = everything(store)
    assert len(found) == 3
    assert batch.counts["new"] == 3
    # Row 0 is below a limit and has no value, so nothing about it ever changed.
    assert found.sort_values("observation_id")["version"].tolist() == [1, 3, 3]
    assert batch.counts["unchanged"] == 3 + 2
    told = store.history("Observation", found.loc[found["version"] == 3, "id"].iloc[0])
    assert told["value"].tolist() == [0.25, 1.25, 0.25]
    assert store.verify_ledger() == []


def test_rows_without_a_key_are_all_kept(store: Store) -> None:
    frame = pd.DataFrame({"property": ["pH"] * 4, "value": [7.0, 7.0, 7.1, 7.1]})
    deliver(store, frame)
    assert store.count("Observation", ["kncm-water"]) == 4


def test_keys_hold_within_their_dataset(store: Store) -> None:
    deliver(store, results(10))
    other = deliver(store, results(10, shift=5.0), dataset="kncm-other", name="other.csv")
    assert other.counts["new"] == 10
    assert store.count("Observation", ["kncm-water", "kncm-other"]) == 20
    part = next(store.select("Observation", datasets=["kncm-other"]))
    assert set(part["project_id"]) == {"basin"}


def test_order_of_deliveries_does_not_matter(tmp_path: Path) -> None:
    from tests.nodes import new_node

    parts = [results(60, start=s) for s in (0, 60, 120)]
    hashes = []
    for order in ((0, 1, 2), (2, 0, 1), (0, 0, 1, 2, 2)):
        with new_node(tmp_path / "-".join(map(str, order))) as store:
            for k, number in enumerate(order):
                deliver(store, parts[number], name=f"{k}.csv")
            hashes.append(store.state_hash())
    assert len(set(hashes)) == 1


def test_nothing_is_visible_before_the_commit(store: Store) -> None:
    with _begin(store) as writer:
        writer.add("Observation", results(10), np.arange(10), np.arange(10), "f.csv")
        assert store.count("Observation", ["kncm-water"]) == 0
        assert store.batches() == []
    assert store.count("Observation", ["kncm-water"]) == 0
    assert list((store.folder / "staging").iterdir()) == []


def test_an_exception_abandons_the_batch(store: Store) -> None:
    with pytest.raises(RuntimeError), _begin(store) as writer:
        writer.add("Observation", results(10), np.arange(10), np.arange(10), "f.csv")
        raise RuntimeError
    assert store.batches() == []
    assert list((store.folder / "staging").iterdir()) == []
    with pytest.raises(UsageError):
        writer.commit("accepted")


def test_findings_and_quarantine_come_back(store: Store) -> None:
    finding = Finding(
        "number-unreadable", Severity.ERROR, row=3, line=4, field="value", value="n/b\x00",
        file="f.csv", params={"wanted": "number"},
    )  # fmt: skip
    with _begin(store) as writer:
        writer.add("Observation", results(2), np.array([1, 2]), np.array([2, 3]), "f.csv")
        writer.find(finding)
        writer.find(Finding("encoding-guessed", Severity.INFO))
        writer.reject("f.csv", 3, 4, 'a,"б",\x00\ud800', finding)
        writer.reject("f.csv", 4, 5, "x", None)
        assert writer.counts == {"Observation": 2, "findings": 2, "rejected": 2}
        batch = writer.commit("partial")
    assert batch.verdict == "partial"
    first, second = store.findings(batch.batch_id)
    assert (first.code, first.row, first.field, first.value) == (
        "number-unreadable", 3, "value", "n/b\\x00",
    )  # fmt: skip
    assert first.params == {"wanted": "number"}
    assert second.severity is Severity.INFO
    (file, row, line, raw, why), (*_, nothing) = store.quarantine(batch.batch_id)
    assert (file, row, line, raw) == ("f.csv", 3, 4, 'a,"б",\\x00\\ud800')
    assert why == first
    assert nothing is None


def test_a_refused_delivery_leaves_only_its_findings(store: Store) -> None:
    with _begin(store) as writer:
        writer.add("Observation", results(10), np.arange(10), np.arange(10), "f.csv")
        writer.find(Finding("archive-slip", Severity.FATAL))
        batch = writer.commit("refused")
    assert store.count("Observation", ["kncm-water"]) == 0
    assert [f.code for f in store.findings(batch.batch_id)] == ["archive-slip"]
    assert store.existing_batch("0" * 64, "kncm-water") is None


def test_existing_batch(store: Store) -> None:
    with _begin(store, mapping="m1") as writer:
        writer.add("Observation", results(1), NUMBERS, NUMBERS, "f.csv")
        batch = writer.commit("accepted")
    assert store.existing_batch("0" * 64, "kncm-water") == batch
    assert store.existing_batch("0" * 64, "kncm-water", mapping="m1") == batch
    assert store.existing_batch("0" * 64, "kncm-water", mapping="m2") is None
    assert store.existing_batch("1" * 64, "kncm-water") is None
    assert store.existing_batch("0" * 64, "kncm-other") is None
    store.withdraw(batch.batch_id, person="aigul", reason="wrong file")
    assert store.existing_batch("0" * 64, "kncm-water") is None
    assert store.batch(batch.batch_id).withdrawn
    with pytest.raises(UsageError):
        store.batch("KNCM-nothing")


def test_the_delivered_file_is_kept(store: Store, tmp_path: Path) -> None:
    raw = tmp_path / "delivered.csv"
    raw.write_text("a,b\n1,2\n")
    with _begin(store, sha256_of(raw)[0], raw=raw) as writer:
        writer.commit("accepted")
    sha256 = store.add_file(raw)
    assert store.file_path(sha256).read_text() == "a,b\n1,2\n"
    assert len([e for e in store.ledger() if e.kind == "file"]) == 0
    raw.write_text("other")
    other = store.add_file(raw)
    assert store.file_path(other).read_text() == "other"
    assert len([e for e in store.ledger() if e.kind == "file"]) == 1
    with pytest.raises(StoreError):
        store.file_path("0" * 64)
    with pytest.raises(StoreError):
        store.file_path("../../etc/passwd")


def test_as_of(store: Store) -> None:
    start = store.head()[0]
    deliver(store, results(10))
    one = store.head()[0]
    between = datetime.now(UTC)
    deliver(store, results(10, shift=1.0), name="b.csv")
    changed = everything(store)
    assert store.count("Observation", ["kncm-water"], as_of=start) == 0
    before = everything(store, as_of=one)
    assert len(before) == 10
    assert before["version"].max() == 1
    assert everything(store, as_of=between).equals(before)
    assert changed["version"].max() == 2
    with pytest.raises(UsageError):
        everything(store, as_of=between.replace(tzinfo=None))


def test_columns_and_chunks(store: Store) -> None:
    deliver(store, results(25))
    parts = list(
        store.select("Observation", datasets=["kncm-water"], columns=["value", "taxon"], chunk=10)
    )
    assert [len(part) for part in parts] == [10, 10, 5]
    assert list(parts[0].columns) == ["value", "taxon"]
    assert parts[0]["taxon"].isna().all()
    assert list(store.select("Observation", datasets=[])) == []
    with pytest.raises(UsageError):
        next(store.select("Observation", datasets=["kncm-water"], columns=["nonsense"]))
    with pytest.raises(UsageError):
        next(store.select("Nonsense", datasets=["kncm-water"]))


def test_a_column_or_value_that_does_not_fit_is_refused_plainly(store: Store) -> None:
    with _begin(store) as writer:
        with pytest.raises(StoreError, match="nonsense"):
            writer.add("Observation", pd.DataFrame({"nonsense": ["x"]}), NUMBERS, NUMBERS, "f")
        with pytest.raises(StoreError, match="value"):
            writer.add("Observation", pd.DataFrame({"value": ["n/b"]}), NUMBERS, NUMBERS, "f")


def test_texts_no_database_can_hold_are_shown_as_escapes(store: Store) -> None:
    frame = pd.DataFrame(
        {"site": ["a\x00b", "c"], "remarks": pd.Series(["\ud800x", None], dtype=object)}
    )
    deliver(store, frame)
    found = everything(store)
    assert found["site"].tolist() == ["a\\x00b", "c"]
    assert found["remarks"][0] == "\\ud800x"
    assert store.verify_ledger() == []


def test_an_unknown_dataset_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="kncm-water"):
        store.begin_batch(
            file_name="f", sha256="0", size=1, format="t", dataset_id="x", person="aigul"
        )


def test_what_a_dead_process_left_is_removed_and_a_living_one_kept(store: Store) -> None:
    left = store.folder / "staging" / "KNCM-dead"
    left.mkdir()
    (left / "lock").touch()
    (left / "000000.arrow").write_bytes(b"half")
    with _begin(store) as writer:
        writer.add("Observation", results(5), np.arange(5), np.arange(5), "f.csv")
        with open_node(store.folder) as again:
            assert again.count("Observation", ["kncm-water"]) == 0
        assert not left.exists()
        writer.commit("accepted")
    assert store.count("Observation", ["kncm-water"]) == 5


def test_a_reader_sees_one_state_while_another_commits(store: Store) -> None:
    deliver(store, results(30))
    parts = store.select("Observation", datasets=["kncm-water"], chunk=10)
    first = next(parts)
    with open_node(store.folder) as other:
        deliver(other, results(30, shift=2.0), name="b.csv")
    rest = list(parts)
    assert (pd.concat([first, *rest])["version"] == 1).all()
    assert sum(map(len, rest)) == 20
