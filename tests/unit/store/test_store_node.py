"""A node is made whole or not at all, found from inside, and refused in plain words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.nodes import PARTY, STEWARD, deliver, new_node, results
from tests.postgres import server

from ecotone.model.errors import EcotoneError, StoreError, UsageError
from ecotone.model.records import Person
from ecotone.store import Store, init_node, migrate, node, open_node, schema


def test_what_a_new_node_holds(tmp_path: Path) -> None:
    with init_node(tmp_path / "node", party=PARTY, person=STEWARD) as store:
        assert store.party_id == "KNCM"
        assert store.parties() == [PARTY]
        assert store.people() == [STEWARD]
        assert store.datasets() == store.projects() == store.batches() == store.agreements() == []
        assert store.totals() == store.runs() == []
        assert [e.kind for e in store.ledger()] == ["init", "put", "put"]
        assert store.verify_ledger() == []
        names = {path.name for path in store.folder.iterdir() if "sqlite" not in path.name}
    assert names == {"ecotone.toml", "files", "staging", "stac", "runs", "keys", "packages"}
    assert (tmp_path / "node" / "keys").stat().st_mode & 0o077 == 0


def test_an_empty_folder_is_taken_a_foreign_one_refused(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    init_node(folder, party=PARTY).close()
    with pytest.raises(UsageError):
        init_node(folder, party=PARTY)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.docx").touch()
    with pytest.raises(UsageError):
        init_node(foreign, party=PARTY)
    assert [p.name for p in foreign.iterdir()] == ["thesis.docx"]
    (tmp_path / "file").touch()
    with pytest.raises(UsageError):
        init_node(tmp_path / "file", party=PARTY)


@pytest.mark.parametrize("existed", [True, False])
def test_a_failed_init_leaves_nothing(
    tmp_path: Path, existed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "node"
    if existed:
        folder.mkdir()

    def fail(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(node.documents, "put", fail)
        init_node(folder, party=PARTY)
    assert folder.exists() == existed
    assert not existed or list(folder.iterdir()) == []
    init_node(folder, party=PARTY).close()


def test_an_init_that_was_killed_can_be_run_again(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    (folder / "files").mkdir(parents=True)
    (folder / ".ecotone-init").touch()
    (folder / "ecotone.sqlite").write_bytes(b"half")
    with pytest.raises(UsageError):
        open_node(folder)
    with init_node(folder, party=PARTY) as store:
        assert store.verify_ledger() == []


def test_a_stranger_cannot_be_the_first_person(tmp_path: Path) -> None:
    stranger = Person(person_id="x", party_id="OTHER", name="X")
    with pytest.raises(UsageError):
        init_node(tmp_path / "node", party=PARTY, person=stranger)
    assert not (tmp_path / "node").exists()


def test_found_from_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_node(tmp_path / "node").close()
    inside = tmp_path / "node" / "runs" / "deep"
    inside.mkdir()
    monkeypatch.chdir(inside)
    with open_node() as store:
        assert store.folder == (tmp_path / "node").resolve()
    with pytest.raises(UsageError):
        open_node(tmp_path)


@pytest.mark.parametrize(
    "text", ["party = ", 'format = 2\nparty = "KNCM"', "format = 1\nparty = 'a b'", "\xff"]
)
def test_an_unreadable_configuration(tmp_path: Path, text: str) -> None:
    new_node(tmp_path / "node").close()
    (tmp_path / "node" / "ecotone.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreError):
        open_node(tmp_path / "node")


def test_a_newer_schema_is_refused_and_untouched(store: Store, database_url: str | None) -> None:
    with store.database.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="9999"):
        open_node(store.folder)


def _is_ours(thing: object, name: str, *rest: object) -> bool:
    """PostGIS keeps a table of its own in each database."""
    return name != "spatial_ref_sys"


def test_tables_are_those_of_the_dictionaries(store: Store) -> None:
    """A changed dictionary needs a migration: this is the test that says so."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.database.engine.connect() as connection:
        opts = {"compare_type": True, "include_object": _is_ours}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, schema.metadata) == []


def test_one_newest_migration_and_it_is_ours() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(migrate._config()).get_current_head() == schema.HEAD


def test_an_older_schema_is_brought_up_to_date_after_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_node(tmp_path / "node") as store:
        deliver(store, results(10))
        before = store.state_hash()
    monkeypatch.setattr(migrate, "HEAD", "9999")
    done = []
    monkeypatch.setattr(migrate, "_upgrade", done.append)
    with open_node(tmp_path / "node") as store:
        assert store.state_hash() == before
    assert len(done) == 1
    copy = tmp_path / "node" / "ecotone-before-9999.sqlite"
    with sa.create_engine(f"sqlite:///{copy}").connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM observation").scalar() == 10


def test_a_database_that_is_no_nodes(tmp_path: Path) -> None:
    new_node(tmp_path / "node").close()
    for path in (tmp_path / "node").glob("ecotone.sqlite*"):
        path.unlink()
    with pytest.raises(StoreError):
        open_node(tmp_path / "node")
    sa.create_engine(f"sqlite:///{tmp_path}/node/ecotone.sqlite").connect().close()
    with pytest.raises(StoreError):
        open_node(tmp_path / "node")


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://"])
def test_other_databases_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError):
        init_node(tmp_path / "node", party=PARTY, database=url)
    assert not (tmp_path / "node").exists()


def test_a_server_that_does_not_answer_and_no_password_shown(tmp_path: Path) -> None:
    url = "postgresql://someone:geheim@127.0.0.1:1/none"
    with pytest.raises(StoreError) as caught:
        init_node(tmp_path / "node", party=PARTY, database=url)
    assert "geheim" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert not (tmp_path / "node").exists()


@pytest.mark.postgres
def test_the_database_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server().new_database().replace("+psycopg", "")
    monkeypatch.setenv("ECOTONE_DATABASE", url)
    new_node(tmp_path / "node").close()
    assert url not in (tmp_path / "node" / "ecotone.toml").read_text()
    with open_node(tmp_path / "node") as store:
        assert store.database.is_postgres
        assert len(store.datasets()) == 2
    with pytest.raises(UsageError):
        init_node(tmp_path / "second", party=PARTY)
    assert not (tmp_path / "second").exists()
    monkeypatch.setenv("ECOTONE_DATABASE", url.replace("/t", "/none"))
    with pytest.raises(EcotoneError):
        open_node(tmp_path / "node")


@pytest.mark.postgres
def test_a_map_view_where_there_is_postgis(tmp_path: Path) -> None:
    with new_node(tmp_path / "node", server().new_database(master=True)) as store:
        deliver(store, results(10))
        deliver(store, results(10, shift=1.0), name="b.csv")
        with store.database.engine.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT installed_version FROM pg_available_extensions WHERE name = 'postgis'"
            ).scalar()
            if found is None:
                pytest.skip("no PostGIS: it is not installed beside PostgreSQL")
            view = "SELECT count(*), ST_AsText(min(place)) FROM observation_map"
            assert tuple(connection.exec_driver_sql(view).one()) == (10, "POINT(0 42)")


def test_the_database_of_another_party_is_refused(tmp_path: Path) -> None:
    new_node(tmp_path / "node").close()
    config = tmp_path / "node" / "ecotone.toml"
    config.write_text(config.read_text().replace("KNCM", "OTHER"))
    with pytest.raises(StoreError, match="KNCM"):
        open_node(tmp_path / "node")


def test_importing_the_package_is_cheap() -> None:
    heavy = "{'pandas', 'sqlalchemy', 'pyarrow', 'pydantic', 'alembic'}"
    code = f"import sys, ecotone.store; print(sorted({heavy} & sys.modules.keys()))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_an_unknown_name_of_the_package() -> None:
    import ecotone.store

    with pytest.raises(AttributeError):
        ecotone.store.nothing  # noqa: B018  # the access is the test
