"""Connections and transactions, and what may go wrong with them in plain words.

SQLite runs with a write-ahead log and full synchronisation: a commit that returned is on the
disk. A writing transaction takes the write lock at once and waits for another writer for
``WAIT_SECONDS``; in PostgreSQL an advisory lock does the same, so that the ledger stays one chain.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model.errors import StoreError
from ecotone.model.words import say

WAIT_SECONDS: Final = 60
_WRITERS_LOCK: Final = 0x45C070E


class Database:
    """One database, SQLite or PostgreSQL."""

    def __init__(self, url: str, wait_seconds: float = WAIT_SECONDS) -> None:
        self.wait_seconds = wait_seconds
        self.engine = _engine(url, wait_seconds)

    @property
    def is_postgres(self) -> bool:
        """Whether this is PostgreSQL."""
        return self.engine.dialect.name == "postgresql"

    @property
    def place(self) -> str:
        """Where it lies, fit to be shown: never with a password."""
        if self.is_postgres:
            return self.engine.url.render_as_string(hide_password=True)
        return str(self.engine.url.database)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the store from beginning to end."""
        with self.plainly(), self.engine.connect() as connection:
            if self.is_postgres:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """The one writing transaction; all of it or nothing."""
        with self.plainly(), self.engine.connect() as connection:
            connection = connection.execution_options(ecotone_writes=True)
            with connection.begin():
                if self.is_postgres:
                    wait = int(self.wait_seconds * 1000)
                    # Evaluated from left to right: how long to wait, then the wait itself.
                    connection.exec_driver_sql(
                        f"SELECT set_config('lock_timeout', '{wait}', true),"
                        f" pg_advisory_xact_lock({_WRITERS_LOCK})"
                    )
                yield connection

    @contextmanager
    def plainly(self) -> Iterator[None]:
        """Turn faults of the database and the disk into a StoreError."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise _plain(str(error.orig), self.place) from error
        except sqlite3.Error as error:
            raise _plain(str(error), self.place) from error
        except OSError as error:
            raise plain_os_error(error, self.place) from error
        except Exception as error:
            # psycopg is an extra: its faults are known by their module, not by import.
            if type(error).__module__.startswith("psycopg"):
                raise _plain(str(error), self.place) from error
            raise

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def normal_url(url: str) -> str:
    """The URL with our driver; StoreError where it is neither SQLite nor PostgreSQL."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError(say("store.url-unreadable")) from error
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if parsed.drivername == "sqlite" and parsed.database:
        return url
    raise StoreError(say("store.url-unknown", kind=parsed.drivername))


def _engine(url: str, wait_seconds: float) -> sa.Engine:
    if not url.startswith("sqlite"):
        try:
            return sa.create_engine(url, connect_args={"connect_timeout": 10})
        except ImportError as error:
            raise StoreError(say("store.no-psycopg"), say("store.no-psycopg.do")) from error
    engine = sa.create_engine(url, connect_args={"timeout": wait_seconds})

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, record: object) -> None:
        # The driver's own transaction handling would commit behind our back; BEGIN is ours.
        dbapi.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "cache_size = -32768",
            "journal_size_limit = 67108864",
            "temp_store = FILE",
        ):
            dbapi.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("ecotone_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


_SIGNS: Final = (
    ("store.busy", ("database is locked", "database is busy", "lock timeout", "lock_timeout")),
    ("store.full", ("database or disk is full", "no space left", "disk full", "could not extend")),
    ("store.read-only", ("readonly database", "read-only transaction", "unable to open database")),
    ("store.damaged", ("malformed", "file is not a database", "invalid page", "corrupt")),
    ("store.io", ("disk i/o error", "could not write", "could not fsync")),
    ("store.unreachable", ("connection refused", "connection failed", "could not connect",
                           "server closed the connection", "timeout expired", "could not translate",
                           "name or service not known", "no such file or directory",
                           "terminating connection", "connection is bad")),
    ("store.not-allowed", ("authentication failed", "permission denied", "no password supplied")),
    ("store.not-a-node", ("no such table", "does not exist")),
)  # fmt: skip


def _plain(text: str, place: str) -> StoreError:
    low = text.lower()
    for key, signs in _SIGNS:
        if any(sign in low for sign in signs):
            return StoreError(say(key, place=place), say(f"{key}.do"))
    first = text.strip().splitlines()[0] if text.strip() else "?"
    return StoreError(say("store.database", place=place, why=first), say("store.database.do"))


def plain_os_error(error: OSError, place: str) -> StoreError:
    """A fault of the file system as a sentence."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            key = "store.full"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            key = "store.read-only"
        case errno.EIO:
            key = "store.io"
        case _:
            return StoreError(
                say("store.database", place=place, why=error.strerror or str(error)),
                say("store.database.do"),
            )
    return StoreError(say(key, place=place), say(f"{key}.do"))
