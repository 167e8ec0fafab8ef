"""The schema of a database: made, brought up to date, or refused.

Alembic is imported only when there is something to do; opening a node that is up to date costs
one query.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ecotone.model.errors import StoreError, UsageError
from ecotone.model.words import say
from ecotone.store.database import Database
from ecotone.store.schema import HEAD
from ecotone.store.system import sync_folder

if TYPE_CHECKING:
    from alembic.config import Config

_VERSION_TABLE = "alembic_version"


def create(database: Database) -> None:
    """Make all tables in an empty database, in one transaction."""
    with database.writing() as connection:
        create_in(connection, database.place)


def create_in(connection: sa.Connection, place: str) -> None:
    """Make all tables in the transaction of a connection to an empty database."""
    if _version(connection) is not None:
        raise UsageError(say("store.database-taken", place=place))
    _upgrade(connection)


def up_to_date(database: Database, home: Path) -> None:
    """Bring an older schema up to date; refuse a newer one and a database that is no node's."""
    found = revision(database)
    if found == HEAD:
        return
    if found is None:
        raise StoreError(say("store.not-a-node", place=database.place), say("store.not-a-node.do"))
    if found not in _known():
        raise StoreError(
            say("store.schema-newer", place=database.place, found=found, known=HEAD),
            say("store.schema-newer.do"),
        )
    with database.writing() as connection:
        # Others that opened the node meanwhile wait here, and find it done.
        if _version(connection) == HEAD:
            return
        if not database.is_postgres:
            _copy(Path(str(database.engine.url.database)), home / f"ecotone-before-{HEAD}.sqlite")
        _upgrade(connection)


def knows(found: str) -> bool:
    """Whether this version can read a schema, or bring it up to date."""
    return found == HEAD or found in _known()


def revision(database: Database) -> str | None:
    """The schema version a database says it has; None where it holds none of ours."""
    with database.reading() as connection:
        return _version(connection)


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return None
    table = sa.table(_VERSION_TABLE, sa.column("version_num"))
    found = connection.execute(sa.select(table.c.version_num)).scalar()
    return None if found is None else str(found)


def _upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Carry out the steps in the transaction of the connection: all of them or none."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _escaped(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _copy(source: Path, target: Path) -> None:
    """A whole copy of an SQLite database, also of what still stands in its log; or none."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
            # A journal left by a killed process would be played into the next attempt.
            new.execute("PRAGMA journal_mode = OFF")
            old.backup(new)
        part.replace(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _escaped(path: Path) -> str:
    """A path as Alembic's configuration wants it: a percent sign there begins a variable."""
    return str(path).replace("%", "%%")
