"""A node of an earlier schema: brought up to date with every row, line and file as it was.

``nodes/schema-0001.zip`` is a backup that Ecotone itself made when its schema was 0001: deliveries
with a rejected row, a correction, a withdrawal, a kept file, a release and a run.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.command import ecotone, speaking
from tests.nodes import deliver, new_node, results
from tests.postgres import server

from ecotone.model.errors import StoreError
from ecotone.store import migrate, open_node
from ecotone.store.backup import MANIFEST
from ecotone.store.database import Database, normal_url, sqlite_url
from ecotone.store.schema import HEAD

OLD = Path(__file__).with_name("nodes") / "schema-0001.zip"
#: The hash of its state, as the version that made it told.
STATE = "65e71f96f53cc7a7abaa1d068731786ff93f0220353ecf98a592b4d5e07206d3"
LINES = 15

Rows = dict[str, tuple[list[str], list[str]]]


def unpacked(folder: Path, schema: str = "0001") -> Path:
    """The old node, not yet opened by this version; brought to another old schema."""
    with zipfile.ZipFile(OLD) as archive:
        archive.extractall(folder)
    (folder / MANIFEST).unlink()
    for name in ("staging", "stac", "packages"):
        (folder / name).mkdir(exist_ok=True)
    if schema != "0001":
        database = Database(sqlite_url(folder / "ecotone.sqlite"))
        with database.writing() as connection:
            migrate._upgrade(connection, schema)
        database.close()
    return folder


def row_hashes(path: Path, columns: Rows | None = None) -> Rows:
    """Of each table: its columns and the sorted hashes of its rows over them.

    With ``columns`` those of an earlier look, so that later columns do not matter.
    """
    with closing(sqlite3.connect(path)) as held:
        made = held.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        names = [n for (n,) in made if n != "alembic_version"]
        found: Rows = {}
        for name in names if columns is None else columns:
            if columns is None:
                own = [row[1] for row in held.execute(f"PRAGMA table_info({name})")]
            else:
                own = columns[name][0]
            listed = ", ".join(f'"{column}"' for column in own)
            rows = held.execute(f"SELECT {listed} FROM {name}")
            found[name] = own, sorted(hashlib.sha256(repr(r).encode()).hexdigest() for r in rows)
        return found


def schema_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as held:
        assert held.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return str(held.execute("SELECT version_num FROM alembic_version").fetchone()[0])


@pytest.mark.parametrize("schema", ["0001", "0002"])
def test_every_row_line_and_file_is_as_it_was(tmp_path, schema):
    node = unpacked(tmp_path / "node", schema)
    database = node / "ecotone.sqlite"
    before = row_hashes(database)
    assert len(before["observation"][1]) == 151 and len(before["ledger"][1]) == LINES
    with open_node(node) as store:
        assert store.state_hash() == STATE
        assert store.head()[0] == LINES
        assert store.verify_ledger() == []
        assert [q.raw for b in store.batches() for q in store.quarantine(b.batch_id)] == [
            '["S-1","many"]'
        ]
        assert [run["run_id"] for run in store.runs()] == ["run-1"]
        assert row_hashes(database, before) == before
        deliver(store, results(5, start=5000), name="after.csv")
        assert store.verify_ledger() == []
    assert schema_of(database) == HEAD
    kept = node / f"ecotone-before-{HEAD}.sqlite"
    assert schema_of(kept) == schema and row_hashes(kept) == before
    assert not list(node.glob("*.part*"))


def test_an_older_backup_is_restored_and_brought_up_to_date(tmp_path):
    told = ecotone("restore", OLD, tmp_path / "node")
    assert told.code == 0, told.err
    with open_node(tmp_path / "node") as store:
        assert (store.state_hash(), store.head()[0]) == (STATE, LINES)
        assert store.verify_ledger() == []


@pytest.mark.postgres
def test_the_same_on_postgresql(tmp_path):
    node = unpacked(tmp_path / "node")
    before = row_hashes(node / "ecotone.sqlite")
    url = server().new_database().replace("+psycopg", "")
    with (node / "ecotone.toml").open("a", encoding="utf-8") as out:
        out.write(f'database = "{url}"\n')
    database = Database(normal_url(url))
    with database.writing() as connection:
        migrate._upgrade(connection, "0001")
        carried(node / "ecotone.sqlite", connection, before)
    database.close()
    with open_node(node) as store:
        assert store.database.is_postgres and migrate.revision(store.database) == HEAD
        assert (store.state_hash(), store.head()[0]) == (STATE, LINES)
        assert store.verify_ledger() == []


def carried(path: Path, connection: sa.Connection, columns: Rows) -> None:
    """Rows of an SQLite database into the same tables of PostgreSQL."""
    known = sa.MetaData()
    known.reflect(connection, only=list(columns))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    with closing(sqlite3.connect(path)) as held:
        for table in known.sorted_tables:
            rows = []
            for row in held.execute(f"SELECT {', '.join(table.c.keys())} FROM {table.name}"):
                told = dict(zip(table.c.keys(), row, strict=True))
                for column in table.c:
                    if isinstance(column.type, sa.DateTime) and told[column.name] is not None:
                        told[column.name] = epoch + timedelta(microseconds=told[column.name])
                rows.append(told)
            if rows:
                connection.execute(table.insert(), rows)


def test_an_upgrade_that_fails_leaves_the_old_schema_and_no_half_copy(tmp_path, monkeypatch):
    node = unpacked(tmp_path / "node")
    before = row_hashes(node / "ecotone.sqlite")

    def full(*args: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch, pytest.raises(StoreError):
        patch.setattr("alembic.command.upgrade", full)
        open_node(node)
    assert schema_of(node / "ecotone.sqlite") == "0001"
    assert row_hashes(node / "ecotone.sqlite") == before
    open_node(node).close()
    assert schema_of(node / "ecotone.sqlite") == HEAD


@pytest.mark.parametrize(("lang", "word"), [("en", "newer"), ("zh", "更新"), ("ru", "новой")])
def test_a_node_of_a_newer_version_is_refused_in_a_sentence_and_untouched(tmp_path, lang, word):
    new_node(tmp_path / "node").close()
    database = tmp_path / "node" / "ecotone.sqlite"
    with closing(sqlite3.connect(database)) as held, held:
        held.execute("UPDATE alembic_version SET version_num = '0999'")
        held.execute("ALTER TABLE observation ADD COLUMN of_tomorrow TEXT")
    before = row_hashes(database)
    for command in (["status"], ["backup", tmp_path / "b.zip"], ["ingest", OLD, "--dataset", "x"],
                    ["export", "--everything", tmp_path / "all"]):  # fmt: skip
        with speaking(lang):
            told = ecotone(*command, "--node", tmp_path / "node")
        assert told.code == 1
        assert word in told.err
        assert "0999" in told.err and HEAD in told.err
    assert row_hashes(database) == before
    assert not list((tmp_path / "node").glob("ecotone-before*"))
    assert not (tmp_path / "b.zip").exists() and not (tmp_path / "all").exists()


def test_the_old_node_is_what_it_says():
    with zipfile.ZipFile(OLD) as archive:
        assert json.loads(archive.read(MANIFEST))["schema"] == "0001"
