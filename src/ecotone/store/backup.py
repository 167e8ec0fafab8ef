"""A whole node in one file, made while others write; and back into a folder.

A backup is a zip: ``ecotone-backup.json`` names every member with size and sha256, the database is
one consistent copy of the moment the backup began, the kept files are those it may name. It is
written beside its place and renamed when whole: a backup that is there is a backup.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from ecotone import __version__
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.words import say
from ecotone.store import files, ledger, migrate
from ecotone.store.database import Database, normal_url, sqlite_url
from ecotone.store.node import (
    CONFIG,
    DATABASE_FILE,
    ENVIRONMENT,
    FOLDERS,
    MARK,
    clear,
    config_text,
    open_node,
    was_interrupted,
)
from ecotone.store.store import Store
from ecotone.store.system import built_beside, is_free, locked, private, read_only, sync_folder

FORMAT: Final = 1
MANIFEST: Final = "ecotone-backup.json"
#: Made anew, or of no use elsewhere.
_LEFT_OUT: Final = frozenset({"staging", CONFIG, MARK, MANIFEST})
#: The database and its copies; the backup has its own.
_OURS: Final = (DATABASE_FILE, "ecotone-before-")
#: What unpacking raises on a file that is not what it says.
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError,
                  NotImplementedError)  # fmt: skip
_PACKED: Final = frozenset({".tif", ".zip", ".png", ".jpg", ".jpeg", ".gz", ".pdf", ".xlsx"})
_BLOCK: Final = 1 << 20
_STAMP: Final = (1980, 1, 1, 0, 0, 0)

#: Told after each member: done, of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Backup:
    """What a backup holds."""

    path: Path
    party: str
    made: str
    ledger: tuple[int, str]
    members: int
    size: int


def backup(store: Store, out: Path, *, progress: Progress = lambda done, total: None) -> Backup:
    """Write the whole node to ``out``; others may go on writing.

    Raises UsageError where ``out`` is there already or lies in the node.
    """
    if out.exists():
        raise UsageError(say("backup.exists", path=out))
    if out.resolve().is_relative_to(store.folder):
        raise UsageError(say("backup.inside", path=out, folder=store.folder))
    if not out.resolve().parent.is_dir():
        raise UsageError(say("backup.no-folder", folder=out.parent))
    snapshot = store.folder / "staging" / f"file-{os.getpid()}-{uuid.uuid4().hex}"
    part = out.with_name(out.name + ".part")
    try:
        with store.database.plainly():
            _snapshot(store.database, snapshot)
            head = _head(snapshot)
            schema = _schema(snapshot)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        members = dict(_members(store.folder))
        said = {
            "format": FORMAT,
            "ecotone": __version__,
            "schema": schema,
            "party": store.party_id,
            "made": made,
            "ledger": list(head),
        }
        with _alone(part, out) as stream:
            number = _write(stream, snapshot, store.party_id, head, members, said, progress)
        sync_folder(out.resolve().parent)
    finally:
        for left in (snapshot, *_beside(snapshot)):
            left.unlink(missing_ok=True)
    return Backup(out, store.party_id, made, head, number, out.stat().st_size)


@contextmanager
def _alone(part: Path, out: Path) -> Iterator[IO[bytes]]:
    """A file that nobody else writes, in its place once it is whole; gone where it is not."""
    try:
        if not is_free(part):
            raise UsageError(say("backup.busy", path=out))
        stream = locked(part)
    except BlockingIOError as error:
        raise UsageError(say("backup.busy", path=out)) from error
    try:
        with stream:
            yield stream
            if out.exists():
                raise UsageError(say("backup.exists", path=out))
            if os.name == "posix":
                part.replace(out)  # while it is ours; Windows renames no open file
        if os.name != "posix":
            part.replace(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def restore(
    path: Path,
    folder: Path,
    *,
    database: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Store:
    """Make a node of a backup in an empty or new folder, every member checked by its hash.

    With the URL of an empty ``database`` the node stands on it, whatever it stood on before.

    Raises UsageError where the folder or the database holds something, InputRefused for a file
    that is no backup, is damaged, or was made by a newer version. The folder is there whole or
    not at all.
    """
    folder = folder.resolve()
    url = database or os.environ.get(ENVIRONMENT)
    existed = folder.exists()
    if existed and was_interrupted(folder):
        clear(folder, True)
    if existed and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(say("backup.folder-taken", folder=folder))
    if not zipfile.is_zipfile(path):
        raise InputRefused(say("backup.no-archive", path=path), say("backup.no-archive.do"))
    with built_beside(folder) as building:
        try:
            with zipfile.ZipFile(path) as archive:
                manifest = _manifest(archive, path)
                building.mkdir(parents=True)
                _extract(archive, manifest, building, path, progress)
        except (*_BROKEN, OSError) as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise  # of the disk, not of a place before the beginning of the file
            raise InputRefused(
                say("backup.unreadable", path=path), say("backup.no-archive.do")
            ) from error
        for name in FOLDERS:
            (building / name).mkdir(exist_ok=True)
        private(building / "keys")
        if url:
            _into(Database(normal_url(url)), building, database)
        if existed:
            _move_in(building, folder)
        else:
            building.rename(folder)
            sync_folder(folder.parent)
    return open_node(folder)


def _move_in(building: Path, folder: Path) -> None:
    """Into a folder that was there (somebody may stand in it): its configuration comes last."""
    (folder / MARK).touch()
    for path in sorted(building.iterdir(), key=lambda path: path.name == CONFIG):
        path.rename(folder / path.name)
    (folder / MARK).unlink()
    sync_folder(folder)


def _into(target: Database, building: Path, written: str | None) -> None:
    """Put the tables of an extracted backup into another database, and say so in ecotone.toml."""
    from ecotone.store import transfer

    held = building / DATABASE_FILE
    here = Database(sqlite_url(held))
    try:
        migrate.up_to_date(here, building)
        with here.reading() as connection:
            party = next(ledger.entries(connection)).said["party"]
    finally:
        here.close()
    try:
        transfer.from_file(held, target)
    finally:
        target.close()
    for left in (held, *_beside(held), *building.glob("ecotone-before-*")):
        left.unlink(missing_ok=True)
    files.write_whole(building / CONFIG, config_text(str(party), written))


def _beside(path: Path) -> list[Path]:
    """What SQLite may write beside a database."""
    return [path.with_name(path.name + ending) for ending in ("-journal", "-wal", "-shm")]


def _snapshot(database: Database, target: Path) -> None:
    """The database as it is now: one read transaction, so writers neither wait nor show."""
    if database.is_postgres:
        from ecotone.store import transfer

        transfer.to_file(database, target)
        return
    source = Path(database.place)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        new.execute("PRAGMA synchronous = OFF")
        new.execute("PRAGMA journal_mode = OFF")
        old.backup(new)


def _head(snapshot: Path) -> tuple[int, str]:
    with closing(sqlite3.connect(snapshot)) as copy:
        row = copy.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return int(row[0]), str(row[1])


def _schema(snapshot: Path) -> str:
    database = Database(sqlite_url(snapshot))
    try:
        return str(migrate.revision(database))
    finally:
        database.close()
        for left in _beside(snapshot):
            left.unlink(missing_ok=True)


def _members(folder: Path) -> Iterator[tuple[str, Path]]:
    """Everything in the node beside its database, by name."""
    for top in sorted(folder.iterdir()):
        ours = top.name in _LEFT_OUT or top.name.startswith(_OURS)
        if ours or top.is_symlink():
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            name = path.relative_to(folder).as_posix()
            building = any(part.startswith(".building") for part in PurePosixPath(name).parts)
            head = name.startswith("keys/ledger.head")
            if path.is_file() and not path.is_symlink() and not building and not head:
                yield name, path


def _write(
    stream: IO[bytes],
    snapshot: Path,
    party: str,
    head: tuple[int, str],
    members: dict[str, Path],
    said: dict[str, Any],
    progress: Progress,
) -> int:
    told: dict[str, list[Any]] = {}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, True, compresslevel=1) as archive:
        told[DATABASE_FILE] = _add(archive, DATABASE_FILE, snapshot)
        for number, (name, path) in enumerate(members.items(), start=1):
            progress(number, len(members))
            try:
                told[name] = _add(archive, name, path)
            except FileNotFoundError:
                # A run may be replaced while we read; what the database names is never.
                if name.startswith("files/"):
                    raise
        small = {
            CONFIG: config_text(party, None),
            "keys/ledger.head": f"{head[0]} {head[1]}\n",
        }
        for name, text in small.items():
            archive.writestr(_info(name), text)
            told[name] = [len(text.encode()), hashlib.sha256(text.encode()).hexdigest()]
        text = json.dumps({**said, "members": told}, ensure_ascii=False, sort_keys=True)
        archive.writestr(_info(MANIFEST), text + "\n")
    stream.flush()
    os.fsync(stream.fileno())
    return len(told)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _STAMP)
    packed = PurePosixPath(name).suffix.lower() in _PACKED
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> list[Any]:
    """Copy a file in; its size and hash as they were read."""
    with path.open("rb") as stream, archive.open(_info(name), "w", force_zip64=True) as out:
        return _copy(stream, out, None)


def _copy(stream: IO[bytes], out: IO[bytes], most: int | None) -> list[Any]:
    seen, size = hashlib.sha256(), 0
    while block := stream.read(_BLOCK):
        seen.update(block)
        size += len(block)
        if most is not None and size > most:
            break
        out.write(block)
    return [size, seen.hexdigest()]


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    if MANIFEST not in archive.namelist():
        raise InputRefused(say("backup.none", path=path))
    with archive.open(MANIFEST) as stream:
        manifest: dict[str, Any] = json.loads(stream.read(64 << 20))
    newer = manifest["format"] > FORMAT or not migrate.knows(str(manifest["schema"]))
    if newer:
        raise InputRefused(
            say("backup.newer", path=path, version=manifest.get("ecotone", "?"), ours=__version__),
            say("backup.newer.do"),
        )
    if set(archive.namelist()) != {*manifest["members"], MANIFEST}:
        raise InputRefused(say("backup.damaged", path=path, why=MANIFEST))
    return manifest


def _extract(
    archive: zipfile.ZipFile,
    manifest: dict[str, Any],
    building: Path,
    path: Path,
    progress: Progress,
) -> None:
    for number, (name, (size, sha256)) in enumerate(manifest["members"].items(), start=1):
        progress(number, len(manifest["members"]))
        target = building / _safe(name, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as stream, target.open("xb") as out:
            found = _copy(stream, out, int(size))
            out.flush()
            os.fsync(out.fileno())
        if found != [size, sha256]:
            raise InputRefused(say("backup.damaged", path=path, why=name))
        if name.startswith("files/"):
            read_only(target)


def _safe(name: str, path: Path) -> PurePosixPath:
    """A member's place; a backup from strangers must not write elsewhere."""
    inner = PurePosixPath(name)
    odd = not name or inner.is_absolute() or ".." in inner.parts or "\\" in name
    if odd or any(":" in part for part in inner.parts[: None if os.name == "nt" else 1]):
        raise InputRefused(say("backup.damaged", path=path, why=name))
    return inner
