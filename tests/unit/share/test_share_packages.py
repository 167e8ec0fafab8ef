"""Packages from one node to another: whole, changes, tombstones, the same state at both ends."""

from __future__ import annotations

import csv
import json
import os
import shutil
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from ecotone.model.errors import InputRefused, UsageError, Withheld
from ecotone.model.records import Dataset
from ecotone.share import keys
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.share.negotiate import declare
from ecotone.share.packages import reading, rows, sent
from ecotone.share.packages.export import Wanted, export, file_name
from ecotone.share.packages.export import deliver as carry
from ecotone.share.packages.importing import held, import_package
from ecotone.store import open_node
from tests.exchange import CLASSES, TODAY, agree, agreement, close, deliver, nodes, occurrences

ALL = [{"name": "all", "level": "full"}]


@pytest.fixture
def pair(tmp_path: Path):
    actors = nodes(tmp_path)
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    deliver(actors["DUSH"], occurrences(200))
    yield actors
    close(actors)


def unpacked(pair, path: Path, target: Path) -> Path:
    reading.unpack(pair["URUM"], path, target)
    return target


def test_a_package_arrives_and_both_ends_hold_the_same(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    made = export(sender, Wanted("URUM"))
    assert made.fresh and made.kind == "whole" and made.rows == {"Occurrence": 200}
    done = import_package(receiver, made.path)
    assert done.fresh and done.new == {"Occurrence": 200}
    assert held(receiver, "DUSH") == made.sent.state == done.state
    assert not receiver.store.verify_ledger()
    assert not sender.store.verify_ledger()


def test_the_receiver_reads_the_rows_as_they_came(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    at_home = Door(sender.store, Request("URUM", "assessment", "download", TODAY))
    given = at_home.release("Occurrence").rows
    import_package(receiver, export(sender, Wanted("URUM")).path)
    here = Door(receiver.store, Request("URUM", "assessment", "derive", TODAY))
    read = here.release("Occurrence").rows
    order = ["id", "version"]
    same = [c for c in given.columns if given[c].notna().any() and c != "version"]
    pd.testing.assert_frame_equal(
        given.sort_values(order)[same].reset_index(drop=True),
        read.sort_values(order)[same].reset_index(drop=True),
    )
    assert set(read["release_level"]) == {"full", "generalised"}
    assert set(read["agreement"]) == {"DUSH-WILD v1"}
    assert read["recorded_by"].isna().all()


def test_received_rows_are_read_by_nobody_else_and_written_by_nobody_else(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    import_package(receiver, export(sender, Wanted("URUM")).path)
    store = receiver.store
    with pytest.raises(Withheld):
        Door(store, Request("BISH", "assessment", "derive", TODAY)).release("Occurrence")
    with pytest.raises(Withheld):
        export(receiver, Wanted("DUSH"))
    with pytest.raises(UsageError) as refused:
        store.begin_batch(
            file_name="f", sha256="0" * 64, size=1, format="table", dataset_id="DUSH-wild",
            person=receiver.person,
        )  # fmt: skip
    assert refused.value.message.key == "packages.one-writer"
    some = next(store.select("Occurrence", datasets=["DUSH-wild"]))["id"].iloc[0]
    with pytest.raises(UsageError):
        store.correct(
            "Occurrence", some, {"taxon": "X"}, person=receiver.person, reason="I know better"
        )


def test_only_what_changed_travels_and_tombstones_take_back(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    import_package(receiver, export(sender, Wanted("URUM")).path)
    extra = deliver(sender, occurrences(30, start=500), name="more.csv")
    deliver(sender, occurrences(1, start=3).assign(taxon="Ovis ammon"), name="better.csv")
    second = export(sender, Wanted("URUM"))
    assert second.kind == "changes" and second.rows == {"Occurrence": 31}
    done = import_package(receiver, second.path)
    assert (done.new, done.changed) == ({"Occurrence": 30}, {"Occurrence": 1})
    sender.store.withdraw(extra, person=sender.person, reason="wrong camera")
    third = export(sender, Wanted("URUM"))
    assert third.removed == {"Occurrence": 30} and third.rows == {}
    done = import_package(receiver, third.path)
    assert done.removed == {"Occurrence": 30}
    assert held(receiver, "DUSH") == third.sent.state
    assert receiver.store.count("Occurrence", ["DUSH-wild"]) == 200
    assert not receiver.store.verify_ledger()


def test_nothing_new_is_no_new_package(pair):
    sender = pair["DUSH"]
    first = export(sender, Wanted("URUM"))
    again = export(sender, Wanted("URUM"))
    assert not again.fresh and again.path == first.path
    assert again.sent == first.sent
    whole = export(sender, Wanted("URUM", whole=True))
    assert whole.fresh and whole.sent.sequence == 2 and whole.kind == "whole"


def test_a_row_comes_back_after_a_tombstone(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    batch = deliver(sender, occurrences(5, start=900), name="x.csv")
    import_package(receiver, export(sender, Wanted("URUM")).path)
    sender.store.withdraw(batch, person=sender.person, reason="doubt")
    import_package(receiver, export(sender, Wanted("URUM")).path)
    deliver(sender, occurrences(5, start=900), name="y.csv")
    made = export(sender, Wanted("URUM"))
    done = import_package(receiver, made.path)
    assert held(receiver, "DUSH") == made.sent.state and sum(done.new.values()) == 5
    some = receiver.store.history("Occurrence", _ids(receiver, "o-901")[0])
    assert some["until"].notna().tolist() == [True, False]


def _ids(actor, own: str) -> list[str]:
    frame = pd.concat(actor.store.select("Occurrence", datasets=["DUSH-wild"]))
    return frame.loc[frame["occurrence_id"] == own, "id"].tolist()


def test_an_agreement_that_closes_takes_back_and_one_that_opens_gives(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    import_package(receiver, export(sender, Wanted("URUM")).path)
    classes = [{**CLASSES[0], "level": "withheld"}, *CLASSES[1:]]
    agree(pair, agreement("DUSH", ["URUM"], version=2, classes=classes), at=["DUSH"])
    made = export(sender, Wanted("URUM"))
    assert made.removed == {"Occurrence": 40}
    done = import_package(receiver, made.path)
    assert done.removed == {"Occurrence": 40}
    assert done.changed == {"Occurrence": 160}, "they stand on another version now"
    assert held(receiver, "DUSH") == made.sent.state


def test_a_whole_package_mends_a_gap(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    import_package(receiver, export(sender, Wanted("URUM")).path)
    deliver(sender, occurrences(10, start=500), name="a.csv")
    lost = export(sender, Wanted("URUM"))
    deliver(sender, occurrences(10, start=600), name="b.csv")
    third = export(sender, Wanted("URUM"))
    with pytest.raises(InputRefused) as refused:
        import_package(receiver, third.path)
    assert refused.value.message.key == "packages.gap"
    whole = export(sender, Wanted("URUM", whole=True))
    done = import_package(receiver, whole.path)
    assert done.new == {"Occurrence": 20} and done.unchanged == {"Occurrence": 200}
    with pytest.raises(InputRefused) as refused:
        import_package(receiver, lost.path)
    assert refused.value.message.key == "packages.older"
    assert held(receiver, "DUSH") == whole.sent.state


def test_a_lost_index_costs_a_whole_package(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    first = export(sender, Wanted("URUM"))
    import_package(receiver, first.path)
    index = first.path.with_suffix("").with_suffix(".index")
    index.write_bytes(b"broken" + index.read_bytes()[6:])
    deliver(sender, occurrences(1, start=900), name="x.csv")
    made = export(sender, Wanted("URUM"))
    assert made.kind == "whole"
    assert import_package(receiver, made.path).new == {"Occurrence": 1}


def test_importing_twice_changes_nothing(pair):
    receiver = pair["URUM"]
    made = export(pair["DUSH"], Wanted("URUM"))
    import_package(receiver, made.path)
    before = receiver.store.head()
    again = import_package(receiver, made.path)
    assert not again.fresh and receiver.store.head() == before


def test_counts_travel_as_counts(pair, tmp_path):
    sender, receiver = pair["DUSH"], pair["URUM"]
    classes = [{"name": "counts", "level": "aggregated", "nouns": ["Occurrence"]}]
    agree(pair, agreement("DUSH", ["URUM"], version=2, classes=classes), at=["DUSH"])
    made = export(sender, Wanted("URUM"))
    assert set(made.rows) == {"Record"}
    import_package(receiver, made.path)
    given = Door(sender.store, Request("URUM", "assessment", "download", TODAY))
    read = Door(receiver.store, Request("URUM", "assessment", "derive", TODAY))
    there, here = given.release("Occurrence"), read.release("Occurrence")
    assert here.rows.empty
    columns = ["taxon", "year", "count"]
    pd.testing.assert_frame_equal(
        there.groups[columns].sort_values(columns, ignore_index=True),
        here.groups[columns].sort_values(columns, ignore_index=True),
        check_dtype=False,
    )
    folder = unpacked(pair, made.path, tmp_path / "open")
    text = (folder / "data" / "occurrence-aggregated.csv").read_text(encoding="utf-8-sig")
    assert text.startswith('"dataset_id","taxon"')


def test_the_folder_opens_without_ecotone(pair, tmp_path):
    sender = pair["DUSH"]
    made = export(sender, Wanted("URUM"))
    folder = unpacked(pair, made.path, tmp_path / "open")
    description = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert description["profile"] == "data-package"
    table = next(r for r in description["resources"] if r["path"] == "data/occurrence.csv")
    raw = (folder / "data" / "occurrence.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert lines[0] == [field["name"] for field in table["schema"]["fields"]]
    assert len(lines) == 201
    locality = lines[0].index("locality")
    assert "'=1+1" in {line[locality] for line in lines}
    assert not any(line[locality].startswith("=") for line in lines)
    parquet = pq.read_table(folder / "data" / "occurrence.parquet")
    assert parquet.num_rows == 200
    assert {*rows.MARKS} - {"information_withheld"} <= set(parquet.column_names)
    readme = (folder / "README.txt").read_text(encoding="utf-8-sig")
    for word in ("How to open it", "如何打开", "Как открыть", "EPSG:4326"):
        assert word in readme
    fields = {f["name"]: f for f in table["schema"]["fields"]}
    assert fields["coordinate_uncertainty_m"]["unit"] == "m"


def test_nothing_withheld_is_in_any_file(pair, tmp_path):
    made = export(pair["DUSH"], Wanted("URUM"))
    folder = unpacked(pair, made.path, tmp_path / "open")
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"A. Person" not in data, path
            assert b"f.csv" not in data, path


def test_the_same_release_makes_the_same_bytes(pair, tmp_path):
    sender = pair["DUSH"]
    now = datetime.now(UTC)
    one = export(sender, Wanted("URUM", whole=True), now=now)
    first = unpacked(pair, one.path, tmp_path / "one")
    two = export(sender, Wanted("URUM", whole=True), now=now)
    second = unpacked(pair, two.path, tmp_path / "two")
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    for name in names:
        if name.name != "manifest.json":
            assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_a_lost_stick_discloses_nothing(pair, tmp_path):
    made = export(pair["DUSH"], Wanted("URUM"))
    raw = made.path.read_bytes()
    for word in (b"Capra", b"DUSH-wild", b"manifest", b"PK\x03\x04"):
        assert word not in raw
    assert not zipfile.is_zipfile(made.path)
    with pytest.raises(InputRefused):
        import_package(pair["DUSH"], made.path)


def test_a_partner_without_ecotone_gets_it_under_a_passphrase(pair, tmp_path):
    sender, receiver = pair["DUSH"], pair["URUM"]
    export(sender, Wanted("URUM"))
    made = export(sender, Wanted("URUM", passphrase="seven grey wolves"))
    assert made.kind == "whole"
    plain = tmp_path / "plain.zip"
    with made.path.open("rb") as source, plain.open("wb") as out:
        keys.unseal(source, out, passphrase="seven grey wolves", sealed_to_passphrase=True)
    with zipfile.ZipFile(plain) as archive:
        assert "README.txt" in archive.namelist() and archive.testzip() is None
        assert all(i.date_time == (1980, 1, 1, 0, 0, 0) for i in archive.infolist())
    with pytest.raises(InputRefused):
        import_package(receiver, made.path, passphrase="seven grey cats")
    assert import_package(receiver, made.path, passphrase="seven grey wolves").fresh
    deliver(sender, occurrences(1, start=900), name="x.csv")
    assert export(sender, Wanted("URUM")).kind == "whole", "who had no node may have no index"


def test_a_copy_that_was_cut_is_taken_up(pair, tmp_path):
    made = export(pair["DUSH"], Wanted("URUM"))
    stick = tmp_path / "stick"
    stick.mkdir()
    name = file_name("DUSH", made.sent)
    whole = made.path.read_bytes()
    (stick / f"{name}.part").write_bytes(whole[: len(whole) // 2])
    assert carry(made, stick, name).read_bytes() == whole
    (stick / f"{name}.part").write_bytes(b"something else" * 1000)
    assert carry(made, stick, name).read_bytes() == whole
    assert not list(stick.glob("*.part"))


def test_who_may_not_get_anything_gets_no_package(pair):
    sender = pair["DUSH"]
    with pytest.raises(UsageError):
        export(sender, Wanted("DUSH"))
    with pytest.raises(UsageError):
        export(sender, Wanted("NONE"))
    with pytest.raises(Withheld):
        export(sender, Wanted("URUM", purpose="tourism"))
    with pytest.raises(Withheld):
        export(sender, Wanted("URUM", action="redistribute"))
    assert sent.newest(sender.store, "URUM") is None


def test_a_party_without_a_key_in_use_gets_none(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    ring = keys.end(receiver.store.folder, reason="stolen")
    party = next(p for p in sender.store.parties() if p.party_id == "URUM")
    sender.store.put_party(
        party.model_copy(update={"public_key": ring.text()}), person=sender.person
    )
    with pytest.raises(InputRefused) as refused:
        export(sender, Wanted("URUM"))
    assert refused.value.message.key == "keys.nobody-to-seal-for"


def test_a_dataset_filled_here_is_not_also_received(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    receiver.store.put_dataset(
        Dataset(dataset_id="DUSH-wild", party_id="DUSH", title="Copied"), person=receiver.person
    )
    with receiver.store.begin_batch(
        file_name="by-mail.csv", sha256="1" * 64, size=1, format="table",
        dataset_id="DUSH-wild", person=receiver.person,
    ) as writer:  # fmt: skip
        one = np.arange(1, 4)
        writer.add("Occurrence", occurrences(3), one, one, "by-mail.csv")
        writer.commit("accepted")
    made = export(sender, Wanted("URUM"))
    with pytest.raises(UsageError) as refused:
        import_package(receiver, made.path)
    assert refused.value.message.key == "packages.written-here"
    assert receiver.store.ledger()[-1].kind == "refused"


def test_two_exports_at_once_leave_one(pair):
    sender = pair["DUSH"]
    first = export(sender, Wanted("URUM"))
    with pytest.raises(UsageError) as refused:
        sent.note(sender.store, replace(first.sent, sequence=2), None, person=sender.person)
    assert refused.value.message.key == "packages.export-twice"


def test_what_a_dead_export_left_is_written_over(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    home = sent.home(sender.store, "URUM")
    home.mkdir(parents=True)
    (home / "000001.zip.age").write_bytes(b"half")
    (home / "000001.index").write_bytes(b"half")
    (home / f".000001.zip.age.{os.getpid() + 1}").write_bytes(b"half")
    assert import_package(receiver, export(sender, Wanted("URUM")).path).fresh


def test_observations_and_sites_travel_as_well(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    i = np.arange(50)
    results = pd.DataFrame(
        {
            "site": "S1", "property": "nitrate", "value": i * 0.1, "unit": "mg/L",
            "limit_kind": [None if k % 3 else "below" for k in i],
            "count": pd.array([None if k % 2 else k for k in i], dtype="Int64"),
            "time_start": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(i, unit="D"),
        }
    )  # fmt: skip
    deliver(sender, results, "Observation", "lab.csv")
    sites = pd.DataFrame({"site_id": ["S1"], "latitude": [38.5], "longitude": [68.8]})
    deliver(sender, sites, "Site", "sites.csv")
    made = export(sender, Wanted("URUM"))
    done = import_package(receiver, made.path)
    assert done.new == {"Observation": 50, "Occurrence": 200, "Site": 1}
    deep = {
        noun: rows.made(noun, _stored(receiver, noun)).hashes
        for noun in ("Observation", "Occurrence", "Site")
    }
    assert rows.state(deep) == made.sent.state, "recomputed from what the database gives back"


def _stored(actor, noun: str):
    """The rows of the database in the form they travelled in, marks and versions of the owner."""
    from ecotone.store import received
    from ecotone.store.columns import typed

    frame = pd.concat(actor.store.select(noun, datasets=["DUSH-wild"]), ignore_index=True)
    marks = received.marks(actor.store)
    said = pd.DataFrame([marks[batch] for batch in frame["batch_id"]])
    frame["version"] = frame["source_line"]
    own = frame.drop(columns=["project_id", "batch_id", "source_file", "source_row", "source_line"])
    table = typed(noun, own)
    import pyarrow as pa

    for name in rows.MARKS:
        table = table.append_column(name, pa.array(said[name], pa.large_string()))
    return table


def test_clearance_is_wanted_to_send_rows(tmp_path):
    actors = nodes(tmp_path)
    sender = actors["DUSH"]
    sender.store.put_dataset(
        Dataset(dataset_id="DUSH-wild", party_id="DUSH", title="Uncleared"), person=sender.person
    )
    agree(actors, agreement("DUSH", ["URUM"], classes=ALL), at=["DUSH"])
    deliver(sender, occurrences(20))
    made = export(sender, Wanted("URUM"))
    assert made.rows == {}, "the dataset is described, its rows stay"
    done = import_package(actors["URUM"], made.path)
    assert done.fresh and not done.new
    assert [d.title for d in actors["URUM"].store.datasets() if d.party_id == "DUSH"] == [
        "Uncleared"
    ]
    close(actors)


def test_expiry_is_never_beyond_the_agreement(pair):
    ends = (TODAY + timedelta(days=10)).isoformat()
    agree(pair, agreement("DUSH", ["URUM"], version=2, valid_until=ends), at=["DUSH"])
    assert export(pair["DUSH"], Wanted("URUM")).sent.expires == ends


def test_another_purpose_would_take_back_and_is_asked_for(pair):
    sender = pair["DUSH"]
    export(sender, Wanted("URUM"))
    both = agreement("DUSH", ["URUM"], version=2, purposes=["assessment", "education"])
    agree(pair, both, at=["DUSH"])
    with pytest.raises(UsageError) as refused:
        export(sender, Wanted("URUM", purpose="education"))
    assert refused.value.message.key == "packages.other-purpose"
    made = export(sender, Wanted("URUM", purpose="education", whole=True))
    assert made.sent.purpose == "education" and made.sent.sequence == 2


def test_a_node_restored_from_a_copy_goes_on_after_the_last_package(pair, tmp_path):
    sender, receiver = pair["DUSH"], pair["URUM"]
    copy = tmp_path / "copy"
    import_package(receiver, export(sender, Wanted("URUM")).path)
    sender.store.close()
    shutil.copytree(sender.store.folder, copy)
    for number in range(2):
        deliver(sender, occurrences(5, start=300 + 5 * number), name=f"{number}.csv")
        import_package(receiver, export(sender, Wanted("URUM")).path)
    with open_node(copy) as store:
        restored = replace(sender, store=store)
        deliver(restored, occurrences(1, start=800), name="early.csv")
        with pytest.raises(InputRefused) as refused:
            import_package(receiver, export(restored, Wanted("URUM")).path)
        assert refused.value.message.key == "packages.older"
        made = export(restored, Wanted("URUM", after=3))
        assert made.kind == "whole" and made.sent.sequence == 4
        done = import_package(receiver, made.path)
        assert done.removed == {"Occurrence": 10} and done.new == {"Occurrence": 1}
        deliver(restored, occurrences(5, start=900), name="on.csv")
        assert export(restored, Wanted("URUM")).kind == "changes"


def test_what_a_level_was_is_kept_though_its_class_is_gone(pair):
    """A later agreement names no such class: the rows are still told as they came."""
    sender, receiver = pair["DUSH"], pair["URUM"]
    import_package(receiver, export(sender, Wanted("URUM")).path)
    agree(pair, agreement("DUSH", ["URUM"], version=2, classes=ALL), at=["URUM"])
    door = Door(receiver.store, Request("URUM", "assessment", "derive", TODAY))
    found = door.release("Occurrence")
    coarse = next(line for line in found.lines if line.decision.level == "generalised")
    assert coarse.decision.rule.cell_degrees == 0.1
    assert coarse.decision.agreement == "DUSH-WILD v1"
    assert len(found.rows) == 200


def test_received_rows_close_with_their_agreement(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    import_package(receiver, export(sender, Wanted("URUM")).path)
    declare(receiver, "revoke", "DUSH-WILD", "not needed")
    door = Door(receiver.store, Request("URUM", "assessment", "derive", TODAY))
    assert door.release("Occurrence").rows.empty


def test_another_agreement_does_not_open_what_came_under_one(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    import_package(receiver, export(sender, Wanted("URUM")).path)
    other = agreement("DUSH", ["URUM"], agreement_id="OTHER", classes=ALL)
    agree(pair, other, at=["URUM"])
    declare(receiver, "revoke", "DUSH-WILD", "not needed")
    door = Door(receiver.store, Request("URUM", "assessment", "derive", TODAY))
    assert door.release("Occurrence").rows.empty


def test_records_and_counts_side_by_side(pair):
    """Counts travel as records; records of the owner's own stay apart from them."""
    sender, receiver = pair["DUSH"], pair["URUM"]
    classes = [
        {"name": "counts", "level": "aggregated", "nouns": ["Occurrence"]},
        {"name": "numbers", "level": "aggregated", "nouns": ["Observation"]},
        {"name": "records", "level": "full", "nouns": ["Record"]},
    ]
    agree(pair, agreement("DUSH", ["URUM"], version=2, classes=classes), at=["DUSH"])
    kinds = pd.DataFrame({"record_type": ["ice", "aggregated"], "fields": ['{"a": 1}', "{}"]})
    deliver(sender, kinds, "Record", "records.csv")
    i = np.arange(40)
    results = pd.DataFrame(
        {"site": "S1", "property": "nitrate", "value": i * 0.1, "unit": "mg/L",
         "time_start": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(i, unit="h")}
    )  # fmt: skip
    deliver(sender, results, "Observation", "lab.csv")
    made = export(sender, Wanted("URUM"))
    import_package(receiver, made.path)
    assert held(receiver, "DUSH") == made.sent.state
    door = Door(receiver.store, Request("URUM", "assessment", "derive", TODAY))
    assert sorted(door.release("Record").rows["record_type"]) == ["aggregated", "ice"]
    given = Door(sender.store, Request("URUM", "assessment", "download", TODAY))
    for noun in ("Occurrence", "Observation"):
        there, here = given.release(noun).groups, door.release(noun).groups
        columns = [c for c in ("taxon", "property", "year", "count", "mean") if c in there]
        order = columns[:-1]
        pd.testing.assert_frame_equal(
            there[columns].sort_values(order, ignore_index=True).dropna(axis="columns", how="all"),
            here[columns].sort_values(order, ignore_index=True).dropna(axis="columns", how="all"),
            check_dtype=False,
        )
    assert door.release("Site").rows.empty


@pytest.mark.postgres
def test_from_one_kind_of_database_to_the_other_and_back(tmp_path):
    from tests.postgres import server

    actors = nodes(tmp_path, databases=[server().new_database(), None])
    one, other = actors["DUSH"], actors["URUM"]
    agree(actors, agreement("DUSH", ["URUM"]))
    agree(actors, agreement("URUM", ["DUSH"]))
    for sender, receiver in ((one, other), (other, one)):
        batch = deliver(sender, occurrences(60), name="a.csv")
        import_package(receiver, export(sender, Wanted(receiver.party)).path)
        sender.store.withdraw(batch, person=sender.person, reason="wrong")
        deliver(sender, occurrences(40, start=20).assign(habitat="Тугай 胡杨"), name="b.csv")
        made = export(sender, Wanted(receiver.party))
        done = import_package(receiver, made.path)
        assert done.removed and held(receiver, sender.party) == made.sent.state
        assert not receiver.store.verify_ledger()
    close(actors)
