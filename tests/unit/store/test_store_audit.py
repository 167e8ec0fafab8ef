"""Whatever is changed behind the ledger's back is found, and nothing is found where nothing was."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.nodes import deliver, everything, results

from ecotone.model.finding import Finding, Severity
from ecotone.model.words import LANGUAGES
from ecotone.store import Store
from ecotone.store.files import sha256_of
from ecotone.store.ledger import follow, last, write_head
from ecotone.store.schema import LEDGER


@pytest.fixture
def lived(store: Store, tmp_path: Path) -> Store:
    """A node in which everything has happened once."""
    raw = tmp_path / "raw.csv"
    raw.write_text("a,b\n")
    deliver(store, results(40))
    second = deliver(store, results(40, shift=1.0), name="b.csv")
    with store.begin_batch(
        file_name="q.csv", sha256=sha256_of(raw)[0], size=1, format="t", dataset_id="kncm-water",
        person="aigul", raw=raw, mapping="m",
    ) as writer:  # fmt: skip
        writer.find(Finding("unmapped", Severity.WARNING, row=1))
        writer.reject("q.csv", 1, 2, "a;b", None)
        writer.commit("partial")
    target = everything(store).iloc[1]["id"]
    store.correct("Observation", target, {"value": 3.0}, person="aigul", reason="r")
    store.withdraw(second.batch_id, person="aigul", reason="r")
    store.put_agreement({"agreement_id": "a", "version": 1}, "text", person="aigul")
    release = store.record_release(
        reader="VIWE", purpose="p", action="view", dataset_id="kncm-water", noun="Observation",
        level="full", agreement_id="a", agreement_version=1, rows=1, sha256="0" * 64,
    )  # fmt: skip
    store.record_run("run", "x", releases=[release])
    return store


TAMPERING = {
    "a value": ("UPDATE observation SET value = value + 0.0000001 WHERE n = 12", "rows"),
    "a text": ("UPDATE observation SET site = 'S99' WHERE n = 3", "rows"),
    "an empty column filled": ("UPDATE observation SET taxon = 'Uncia uncia' WHERE n = 3", "rows"),
    "a value emptied": ("UPDATE observation SET value = NULL WHERE n = 13", "rows"),
    "a row moved to another dataset": (
        "UPDATE observation SET dataset_id = 'kncm-other' WHERE n = 13", "rows"),
    "the key by which it is known": ("UPDATE observation SET natural_key = 1 WHERE n = 13", "rows"),
    "a row taken away": ("DELETE FROM observation WHERE n = 20", "rows"),
    "a row put in": (
        "INSERT INTO observation (n, id, version, dataset_id, batch_id, since, person)"
        " VALUES (1000, 'x', 1, 'kncm-water', 'b', 5, 'p')", "row-count"),
    "a row revived": ("UPDATE observation SET until = NULL WHERE n = 2", "ended"),
    "a row ended": (
        "UPDATE observation SET until = 7 WHERE n = (SELECT min(n) FROM observation"
        " WHERE until IS NULL)", "ended"),
    "a row ended when it began": (
        "UPDATE observation SET until = since WHERE n = (SELECT min(n) FROM observation"
        " WHERE until IS NULL)", "ended"),
    "a finding": ("UPDATE finding SET content = replace(content, 'unmapped', 'unmoved')", "batch"),
    "a quarantined row": ("UPDATE quarantine SET raw = 'a;c'", "batch"),
    "a finding taken away": ("DELETE FROM finding", "batch"),
    "a batch's file name": (
        "UPDATE batch SET content = replace(content, 'q.csv', 'p.csv')", "batch"),
    "a batch's mapping": ("UPDATE batch SET mapping = 'n' WHERE mapping = 'm'", "batch"),
    "a withdrawal undone": ("UPDATE batch SET withdrawn = NULL", "batch"),
    "a document": (
        "UPDATE document SET content = replace(content, 'Water', 'Wine')", "document"),
    "an agreement's text": (
        "UPDATE document SET original = 'other' WHERE kind = 'agreement'", "document"),
    "a document taken away": ("DELETE FROM document WHERE kind = 'agreement'", "gone"),
    "a document put in": (
        "INSERT INTO document (kind, key, version, since, content)"
        " VALUES ('dataset', 'x', 1, 1, '{}')", "foreign"),
    "what a span held": ("UPDATE span SET filled = '' WHERE first = 1", "gone"),
    "a line's body": (
        "UPDATE ledger SET body = replace(body, 'view', 'derive') WHERE kind = 'release'", "line"),
    "a line's time": ("UPDATE ledger SET time = '2020-01-01' WHERE seq = 4", "line"),
    "a release taken away": ("DELETE FROM release", "gone"),
    "a release told otherwise": (
        "UPDATE release SET content = replace(content, 'view', 'derive')", "release"),
    "a run told otherwise": ("UPDATE run SET path = 'y'", "run"),
    "a run cut from its releases": ("DELETE FROM run_release", "run"),
}  # fmt: skip


#: Enough to see that PostgreSQL is read in the same way; all of them on SQLite.
ON_POSTGRES = ("a value", "a row ended", "a document", "a line's body")


@pytest.mark.parametrize(
    ("database_url", "what"),
    [
        *(("sqlite", what) for what in TAMPERING),
        *(pytest.param("postgres", what, marks=pytest.mark.postgres) for what in ON_POSTGRES),
    ],
    indirect=["database_url"],
)
def test_tampering_is_found(lived: Store, what: str) -> None:
    statement, code = TAMPERING[what]
    assert lived.verify_ledger() == []
    with lived.database.engine.connect() as connection, connection.begin():
        if lived.database.is_postgres:
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        if what == "a release taken away":
            connection.exec_driver_sql("DELETE FROM run_release")
        done = connection.exec_driver_sql(statement)
        assert done.rowcount >= 1
    broken = lived.verify_ledger()
    assert code in {item.code for item in broken}
    for item in broken:
        assert all(item.message(lang) for lang in LANGUAGES)
        assert str(item) == item.message("en")


def _rehash(store: Store, seq: int) -> None:
    """What a clever forger does: give the changed line, and all later ones, fitting hashes."""
    from ecotone.store.ledger import Entry

    with store.database.engine.connect() as connection, connection.begin():
        rows = connection.execute(sa.select(LEDGER).order_by(LEDGER.c.seq)).all()
        prev = rows[seq - 2].hash
        for row in rows[seq - 1 :]:
            entry = Entry(*row[:5], prev, "")
            prev = entry.expected_hash()
            connection.execute(
                LEDGER.update().where(LEDGER.c.seq == row.seq).values(prev=entry.prev, hash=prev)
            )


def _cut(store: Store) -> None:
    with store.database.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("DELETE FROM run_release")
        connection.exec_driver_sql("DELETE FROM run")
        connection.exec_driver_sql("DELETE FROM ledger WHERE kind = 'run'")


def _rewrite(store: Store) -> None:
    with store.database.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE ledger SET person = 'other' WHERE kind = 'run'")
    _rehash(store, store.head()[0])


@pytest.mark.parametrize("forge", [_cut, _rewrite])
def test_the_kept_head_and_an_anchor_show_a_forged_end(
    lived: Store, forge: Callable[[Store], None]
) -> None:
    anchor = lived.head()
    forge(lived)
    assert {item.code for item in lived.verify_ledger()} == {"head"}
    head = lived.folder / "keys" / "ledger.head"
    seq, hash_now = lived.head()
    head.write_text(f"{seq} {hash_now}\n")
    # Whoever rewrites the head as well is found only by an anchor kept elsewhere.
    assert lived.verify_ledger() == []
    assert {item.code for item in lived.verify_ledger(anchor)} == {"anchor"}
    assert {item.code for item in lived.verify_ledger(anchor[1])} == {"anchor"}
    assert lived.verify_ledger(lived.head()) == []
    head.unlink()
    assert {item.code for item in lived.verify_ledger()} == {"head-missing"}


def test_a_hole_in_the_ledger_is_found(lived: Store) -> None:
    with lived.database.engine.connect() as connection, connection.begin():
        if lived.database.is_postgres:
            connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql("DELETE FROM run_release")
        connection.exec_driver_sql("DELETE FROM release")
        connection.exec_driver_sql("DELETE FROM ledger WHERE kind = 'release'")
    assert "gap" in {item.code for item in lived.verify_ledger()}


def test_a_changed_or_missing_file_is_found(lived: Store) -> None:
    (kept,) = [path for path in (lived.folder / "files").rglob("*") if path.is_file()]
    kept.chmod(0o644)
    kept.write_bytes(b"a,c\n")
    assert {item.code for item in lived.verify_ledger()} == {"file"}
    kept.unlink()
    assert {item.code for item in lived.verify_ledger()} == {"file-gone"}


def test_the_chain_alone_is_quick_to_go_through(sqlite_store: Store) -> None:
    """A changed byte among 20,000 lines; the bound is generous, for busy machines."""
    with sqlite_store.database.writing() as connection:
        said = {"reader": "VIWE", "dataset_id": "kncm-water", "sha256": "0" * 64, "rows": 1}
        rows, entry = [], last(connection)
        assert entry is not None
        for _ in range(20_000):
            entry = follow(entry, "note", "aigul", said)
            rows.append(asdict(entry))
        connection.execute(LEDGER.insert(), rows)
    write_head(sqlite_store.folder / "keys", entry)
    assert sqlite_store.verify_ledger(deep=False) == []
    with sqlite_store.database.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(
            "UPDATE ledger SET body = replace(body, 'VIWE', 'VIWF') WHERE seq = 10000"
        )
    began = time.process_time()
    (broken,) = sqlite_store.verify_ledger(deep=False)
    assert time.process_time() - began < 2.0
    assert (broken.code, broken.seq) == ("line", 10_000)
    assert sqlite_store.verify_ledger(deep=False) == [broken]


def test_times_in_the_ledger_never_step_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    from ecotone.store import ledger

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2001, 1, 1, tzinfo=UTC)

    before = store.ledger()[-1].time
    monkeypatch.setattr(ledger, "datetime", Earlier)
    deliver(store, results(1))
    assert store.ledger()[-1].time == before
