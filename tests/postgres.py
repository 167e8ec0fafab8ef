"""A PostgreSQL server of the tests' own: a private cluster in a temporary folder.

It listens on a socket in that folder only, runs as an ordinary user (PostgreSQL refuses root),
and is stopped when the tests end. Tests that want it are skipped with a plain word where no
server programs are installed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pwd

_MASTER = "master"
#: Whom the store comes as: an ordinary user of the database, without special rights.
_USER = "ecotone"


@dataclass
class Server:
    """A running server; ``new_database`` gives the URL of an empty database."""

    programs: Path
    socket: Path
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_database(self, *, master: bool = False) -> str:
        """The URL of a database nobody used before; as ``master`` extensions may be added."""
        name = f"t{next(self._numbers)}"
        self._tell(f"CREATE DATABASE {name} OWNER {_USER} TEMPLATE template0 ENCODING 'UTF8'")
        return f"postgresql+psycopg://{_MASTER if master else _USER}@/{name}?host={self.socket}"

    def version(self) -> int:
        """The number before the point."""
        import psycopg

        with psycopg.connect(self._where("postgres")) as connection:
            return connection.info.server_version // 10_000

    def prepare(self) -> None:
        """Make the ordinary user; forging rows, as tests of the audit do, is allowed it."""
        self._tell(f"CREATE USER {_USER}")
        self._tell(f"GRANT SET ON PARAMETER session_replication_role TO {_USER}")

    def _tell(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._where("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def answers(self) -> bool:
        """Whether it takes connections yet."""
        import psycopg

        try:
            with psycopg.connect(self._where("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def stop(self) -> None:
        """Stop it and remove everything it wrote."""
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        if self.process.poll() is None:
            self.process.kill()
        shutil.rmtree(self.socket, ignore_errors=True)

    def _where(self, database: str) -> str:
        return f"host={self.socket} user={_MASTER} dbname={database}"


def server(*, durable: bool = False) -> Server:
    """The server of this test process, started once, or a skip that says why there is none.

    ``durable``: one that waits for the disk, as in use; for benchmarks.
    """
    found = _started(durable)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@functools.cache
def _started(durable: bool) -> Server | str:
    """The server, or why there is none."""
    try:
        import psycopg
    except ImportError:
        return "no PostgreSQL: psycopg is not installed"
    del psycopg
    if os.name != "posix":
        return "no PostgreSQL: these tests know how to start it on POSIX systems only"
    programs = _programs()
    if programs is None:
        return "no PostgreSQL: its server programs are not installed"
    account = _account()
    if account is None:
        return "no PostgreSQL: it refuses to run as root and there is no other user"
    # Short, because the path of a socket may have no more than 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="ecotone-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, account.pw_uid, account.pw_gid)
    rights = _as(account)
    data = folder / "data"
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", _MASTER, "-A", "trust", "-E", "UTF8", "--locale=C",
         "--no-sync"],
        cwd=folder, capture_output=True, text=True, check=False, **rights,
    )  # fmt: skip
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        return f"no PostgreSQL: {made.stderr.strip().splitlines()[-1]}"
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=",
         "-c", f"fsync={'on' if durable else 'off'}", "-c", "max_connections=30"],
        cwd=folder, stdout=log, stderr=log, **rights,
    )  # fmt: skip
    started = Server(programs, folder, process)
    atexit.register(started.stop)
    for _ in range(300):
        if started.answers():
            if started.version() < 15:
                return "no PostgreSQL: version 15 or newer is needed"
            started.prepare()
            return started
        if process.poll() is not None:
            break
        time.sleep(0.1)
    return "no PostgreSQL: the server did not start"


def _programs() -> Path | None:
    """The folder of the newest server programs."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int("".join(filter(str.isdigit, path.parts[-3])) or 0),
    )
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve())
    return found[-1].parent if found else None


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as: ourselves, or an ordinary user where we are root."""
    import pwd

    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _as(account: pwd.struct_passwd) -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
