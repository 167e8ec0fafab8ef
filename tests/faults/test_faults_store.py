"""Full disks, read-only folders, two writers, damaged files: plainly told, and all stays whole."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.nodes import deliver, new_node, results
from tests.postgres import server

from ecotone.model.errors import StoreError
from ecotone.store import Store, files, open_node
from ecotone.store.database import Database, sqlite_url
from ecotone.store.staging import Staged

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A node on either database with one delivery in it."""
    url = None if request.param == "sqlite" else server().new_database()
    with new_node(tmp_path / "node", url) as store:
        deliver(store, results(1000))
        yield store


def _whole(store: Store, rows: int = 1000) -> None:
    """Nothing lost, nothing half there, nothing left lying about."""
    assert store.count("Observation", ["kncm-water"]) == rows
    assert store.verify_ledger() == []
    assert list((store.folder / "staging").iterdir()) == []


FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from ecotone.model.errors import StoreError
from ecotone.store import open_node
from tests.nodes import deliver, results
frame = results(30_000)
with open_node(Path({node!r})) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    try:
        deliver(store, frame, name="big.csv", block={block})
    except StoreError as error:
        print("plain:", error)
"""


@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
@pytest.mark.parametrize(
    ("limit", "block"),
    [
        pytest.param(1_000_000, 30_000, id="while staging"),
        pytest.param(4_000_000, 5_000, id="while committing"),
    ],
)
def test_a_full_disk(tmp_path: Path, limit: int, block: int) -> None:
    with new_node(tmp_path / "node") as store:
        deliver(store, results(1000))
    root = Path(__file__).resolve().parents[2]
    code = FULL.format(root=str(root), node=str(tmp_path / "node"), limit=limit, block=block)
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.stdout.startswith("plain:"), told.stderr
    with open_node(tmp_path / "node") as store:
        _whole(store)
        deliver(store, results(30_000), name="big.csv")
        _whole(store, 30_000)


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.ENOSPC, "no room"), (errno.EIO, "failed"), (errno.EROFS, "rights"), (errno.EBADF, ":")],
)
def test_the_disk_fails_while_staging(
    node: Store, number: int, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Staged, noun: str, block: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Staged, "add", fail)
        with pytest.raises(StoreError, match=word):
            deliver(node, results(10, start=5000), name="b.csv")
    _whole(node)


def test_the_disk_fails_while_a_file_is_kept(
    node: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_text("a")

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch, pytest.raises(StoreError):
        patch.setattr(files.os, "fsync", fail)
        node.add_file(raw)
    assert [p for p in (node.folder / "files").rglob("*") if p.is_file()] == []
    _whole(node)


@pytest.mark.parametrize("what", ["gone", "changed"])
def test_a_delivered_file_that_vanished_or_changed(node: Store, tmp_path: Path, what: str) -> None:
    raw = tmp_path / "f.csv"
    raw.write_text("as it was read")
    with (
        pytest.raises(StoreError),
        node.begin_batch(
            file_name="f", sha256=files.sha256_of(raw)[0], size=1, format="t",
            dataset_id="kncm-water", person="aigul", raw=raw,
        ) as writer,
    ):  # fmt: skip
        writer.add("Observation", results(5, start=9000), np.arange(5), np.arange(5), "f")
        if what == "gone":
            raw.unlink()
        else:
            raw.write_text("as it grew meanwhile")
        writer.commit("accepted")
    assert len(node.batches()) == 1
    _whole(node)


def test_two_writers_at_once(node: Store) -> None:
    """Both get through, one after the other; the ledger stays one chain."""
    wrong: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with open_node(node.folder) as mine:
                for part in range(3):
                    start = 10_000 * number + 1000 * part
                    deliver(mine, results(1000, start=start), name=f"{number}-{part}.csv")
        except BaseException as error:  # noqa: BLE001  # shown by the test's own thread
            wrong.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []
    _whole(node, 10_000)
    assert [e.seq for e in node.ledger()] == list(range(1, len(node.ledger()) + 1))


def test_a_writer_who_waits_too_long_is_told(node: Store) -> None:
    url = (
        node.database.engine.url.render_as_string(hide_password=False)
        if node.database.is_postgres
        else sqlite_url(node.folder / "ecotone.sqlite")
    )
    impatient = Store(node.folder, "KNCM", Database(url, wait_seconds=0.2))
    with node.database.writing(), pytest.raises(StoreError, match="Someone else is writing"):
        deliver(impatient, results(5, start=5000), name="b.csv")
    deliver(impatient, results(5, start=5000), name="b.csv")
    impatient.close()
    _whole(node, 1005)


@pytest.mark.postgres
def test_the_server_drops_the_connection_in_the_middle(tmp_path: Path) -> None:
    import psycopg

    url = server().new_database()
    with new_node(tmp_path / "node", url) as store:
        deliver(store, results(1000))
        with pytest.raises(StoreError, match="does not answer"), store.database.writing() as mine:
            pid = mine.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            mine.exec_driver_sql("DELETE FROM observation")
            plain = url.replace("+psycopg", "")
            with psycopg.connect(plain, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            mine.exec_driver_sql("SELECT 1")
        _whole(store)


READ_ONLY = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
import alembic.command
from ecotone.model.errors import StoreError
from ecotone.model.words import catalogue
from ecotone.store import open_node
from tests.nodes import deliver, results, new_node
import sqlalchemy.dialects.sqlite, pyarrow.csv
catalogue()
with new_node(Path({scratch!r})) as store:
    deliver(store, results(5))
if os.geteuid() == 0:
    os.setuid(65534)
for attempt in (
    lambda: deliver(open_node(Path({node!r})), results(10)),
    lambda: open_node(Path({node!r})).add_file(Path({node!r}) / "ecotone.toml"),
    lambda: new_node(Path({node!r}) / "inner"),
):
    try:
        attempt()
    except StoreError as error:
        print("plain:", error)
"""


@pytest.mark.skipif(os.name != "posix", reason="folder rights are POSIX")
def test_a_read_only_folder(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        node = Path(made) / "node"
        with new_node(node) as store:
            deliver(store, results(1000))
        for path in [node, *node.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        root = Path(__file__).resolve().parents[2]
        scratch = str(tmp_path / "scratch")
        code = READ_ONLY.format(root=str(root), node=str(node), scratch=scratch)
        told = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert told.stdout.count("plain:") == 3, told.stdout + told.stderr
        for path in [node, *node.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        with open_node(node) as store:
            _whole(store)


@pytest.mark.parametrize("where", ["head", "middle", "cut"])
def test_a_damaged_database_file(tmp_path: Path, where: str) -> None:
    with new_node(tmp_path / "node") as store:
        deliver(store, results(5000))
    path = tmp_path / "node" / "ecotone.sqlite"
    raw = bytearray(path.read_bytes())
    match where:
        case "head":
            raw[:100] = b"x" * 100
        case "middle":
            raw[20_000 : len(raw) - 20_000] = b"\xa5" * (len(raw) - 40_000)
        case _:
            raw = raw[: len(raw) // 3]
    path.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged"), open_node(tmp_path / "node") as store:
        list(store.select("Observation", datasets=["kncm-water"]))
        store.verify_ledger()


def test_a_missing_table_is_told_plainly(node: Store) -> None:
    with node.database.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("DROP TABLE run_release")
    with pytest.raises(StoreError, match="missing"):
        node.runs()
