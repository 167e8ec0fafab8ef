"""A node is one folder; ``ecotone.toml`` in it is written last, so there is never half a node."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any, Final

from ecotone.model.errors import StoreError, UsageError
from ecotone.model.records import Party, Person
from ecotone.model.words import say
from ecotone.store import documents, files, ledger, migrate, staging
from ecotone.store.database import Database, normal_url, plain_os_error, sqlite_url
from ecotone.store.store import Store
from ecotone.store.system import private

CONFIG: Final = "ecotone.toml"
#: The database of the node by URL, over what ecotone.toml says (a password need not lie in it).
ENVIRONMENT: Final = "ECOTONE_DATABASE"
DATABASE_FILE: Final = "ecotone.sqlite"
FOLDERS: Final = ("files", "staging", "stac", "runs", "keys", "packages")
#: In a folder whose node is not made to the end.
MARK: Final = ".ecotone-init"


def init_node(
    folder: Path, *, party: Party, person: Person | None = None, database: str | None = None
) -> Store:
    """Make a node: folders, database, its party, and the first lines of its ledger.

    Raises UsageError where the folder holds something else, StoreError where the disk or the
    database does not let us.
    """
    folder = folder.resolve()
    url = database or os.environ.get(ENVIRONMENT)
    if person is not None and person.party_id != party.party_id:
        raise UsageError(
            say("store.person-of-other", person=person.person_id, party=party.party_id)
        )
    existed = folder.exists()
    try:
        _claim(folder)
        try:
            _build(folder, party, person, url, database)
        except BaseException:
            clear(folder, existed)
            raise
    except OSError as error:
        raise plain_os_error(error, str(folder)) from error
    return open_node(folder)


def open_node(folder: Path | None = None) -> Store:
    """Open the node in ``folder`` or, without one, around the current folder.

    What a process that died left in ``staging/`` is removed; an older schema is brought up to
    date after a copy of the database was made; a newer one is refused.
    """
    home = _find(folder)
    config = _read(home)
    url = os.environ.get(ENVIRONMENT) or config.get("database")
    if url is None and not (home / DATABASE_FILE).is_file():
        raise StoreError(
            say("store.database-gone", path=home / DATABASE_FILE), say("store.damaged.do")
        )
    database = Database(normal_url(url) if url else sqlite_url(home / DATABASE_FILE))
    try:
        migrate.up_to_date(database, home)
        store = Store(home, str(config["party"]), database)
        _check_party(store)
        with database.plainly():
            if os.access(home / "staging", os.W_OK):
                staging.clean(home / "staging")
        if os.access(home / "stac", os.W_OK):
            # A process may have died between its commit and the catalogue.
            store.refresh_catalogue()
    except BaseException:
        database.close()
        raise
    return store


def _check_party(store: Store) -> None:
    """A database address may be mistaken: never write one node's data into another's."""
    with store.database.reading() as connection:
        first = next(ledger.entries(connection), None)
    party = None if first is None else first.said.get("party")
    if party != store.party_id:
        raise StoreError(
            say("store.other-party", place=store.database.place, found=party or "?",
                party=store.party_id),
            say("store.not-a-node.do"),
        )  # fmt: skip


def _claim(folder: Path) -> None:
    """Take an empty folder, or what an interrupted ``init`` of ours left."""
    if (folder / CONFIG).exists():
        raise UsageError(say("store.node-exists", folder=folder))
    if folder.exists() and not folder.is_dir():
        raise UsageError(say("store.not-a-folder", folder=folder))
    if folder.is_dir() and any(folder.iterdir()):
        if not was_interrupted(folder):
            raise UsageError(say("store.folder-foreign", folder=folder))
        clear(folder, True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def _build(
    folder: Path, party: Party, person: Person | None, url: str | None, written: str | None
) -> None:
    for name in FOLDERS:
        (folder / name).mkdir()
    private(folder / "keys")
    base = Database(normal_url(url) if url else sqlite_url(folder / DATABASE_FILE))
    try:
        migrate.create(base)
        who = person.person_id if person else party.party_id
        with base.writing() as connection:
            ledger.append(connection, "init", who, {"party": party.party_id})
            documents.put(connection, party, who, None)
            if person is not None:
                documents.put(connection, person, who, None)
            newest = ledger.last(connection)
        if newest is not None:
            ledger.write_head(folder / "keys", newest)
    finally:
        base.close()
    files.write_whole(folder / CONFIG, config_text(party.party_id, written))
    (folder / MARK).unlink()


def config_text(party_id: str, database: str | None) -> str:
    """The text of ``ecotone.toml``."""
    lines = ["# An Ecotone node.", "format = 1", f'party = "{party_id}"']
    if database is not None:
        escaped = database.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'database = "{escaped}"')
    return "\n".join(lines) + "\n"


def was_interrupted(folder: Path) -> bool:
    """Whether a folder holds the beginnings of a node and no more."""
    return (folder / MARK).is_file() and not (folder / CONFIG).exists()


def clear(folder: Path, keep_folder: bool) -> None:
    """Take back what ``init`` made and nothing else."""
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm", CONFIG, MARK):
        (folder / name).unlink(missing_ok=True)
    if not keep_folder and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def here(folder: Path | None = None) -> Path | None:
    """The node's folder that lies in ``folder`` (the current one) or around it."""
    start = (folder or Path.cwd()).resolve()
    return next((p for p in (start, *start.parents) if (p / CONFIG).is_file()), None)


def _find(folder: Path | None) -> Path:
    found = here(folder)
    if found is not None:
        return found
    start = (folder or Path.cwd()).resolve()
    raise UsageError(say("store.no-node", folder=start), say("store.no-node.do"))


def _read(home: Path) -> dict[str, Any]:
    path = home / CONFIG
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StoreError(say("store.config-unreadable", path=path, why=error)) from error
    except OSError as error:
        raise plain_os_error(error, str(path)) from error
    if config.get("format") != 1:
        raise StoreError(say("store.config-newer", path=path, format=config.get("format")))
    if not re.fullmatch(r"[A-Z0-9]{2,8}", str(config.get("party", ""))):
        raise StoreError(say("store.config-unreadable", path=path, why="party"))
    return config
