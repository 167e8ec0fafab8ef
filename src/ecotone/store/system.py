"""What is done in one way on POSIX and in another on Windows: locks, rights, syncing of folders.

Nothing relies on rights: a kept file is known by its hash, and the docs say that access to a node's
files is access to all of it. They only keep an editor from changing what must not change.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

_POSIX: Final = os.name == "posix"
#: How long what another process staged is left alone where its process cannot be asked after.
_LEFT_ALONE_S: Final = 86_400
_BUILDING: Final = ".building"
#: Seconds between attempts to replace a file that another process is reading.
_WAITS: Final = (0.01, 0.05, 0.1, 0.3, 1.0)


def read_only(path: Path) -> None:
    """Keep a file from being edited. On Windows it could then not be removed either: left out."""
    if _POSIX:
        path.chmod(0o444)


def private(folder: Path) -> None:
    """Keep a folder to its owner; on Windows that is the affair of the folder it lies in."""
    if _POSIX:
        folder.chmod(0o700)


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can (POSIX)."""
    if not _POSIX:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_in_place(fresh: Path, path: Path) -> None:
    """Rename over what stands there. Windows refuses while somebody reads it: waited for."""
    for wait in () if _POSIX else _WAITS:
        try:
            fresh.replace(path)
        except PermissionError:
            time.sleep(wait)
        else:
            return
    fresh.replace(path)


def locked(path: Path) -> IO[bytes]:
    """An empty file held open, by which others see that its process lives.

    Raises BlockingIOError where another process holds it, which is left as it is.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    stream = os.fdopen(handle, "r+b")
    if _POSIX:
        import fcntl

        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            raise
    stream.truncate(0)
    return stream


@contextlib.contextmanager
def built_beside(folder: Path) -> Iterator[Path]:
    """The name of a new folder beside ``folder``, of this process alone, gone at the end.

    What processes that died left there is removed first.
    """
    for old in folder.parent.glob(f".{glob.escape(folder.name)}.*{_BUILDING}"):
        if is_abandoned(old, old.name.removesuffix(_BUILDING).rpartition(".")[2]):
            shutil.rmtree(old, ignore_errors=True)
    building = folder.with_name(f".{folder.name}.{os.getpid()}{_BUILDING}")
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock; on Windows an open file cannot be removed."""
    if not path.exists():
        return True
    if not _POSIX:
        try:
            path.unlink()
        except PermissionError:
            return False
        return True
    import fcntl

    with contextlib.suppress(BlockingIOError), path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def is_abandoned(path: Path, process: str) -> bool:
    """Whether a staged file's process is gone. On Windows asking would stop it: a day is waited."""
    if not _POSIX:
        with contextlib.suppress(FileNotFoundError):
            return time.time() - path.stat().st_mtime > _LEFT_ALONE_S
        return True
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return True
    except OSError:
        return False
    return False
