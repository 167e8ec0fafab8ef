"""The one place where a stranger's delivery is opened: a file, a folder or an archive.

``open_source`` looks at the bytes, not at the name, and gives back a
:class:`~ecotone.formats.base.Source` whose members can only be read: nothing is ever unpacked
into the user's folders, no link is followed, no inner archive opened, no special file touched.
What each kind of content may do to us is guarded beside it: names in ``names.py``, archives in
``archives.py``, counted streams in ``streams.py``, XML in ``xml.py``, JSON in ``json.py``,
delimited text in ``delimited.py``.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Final, Self

from ecotone.formats.archives import (
    Members,
    list_tar,
    list_zip,
    open_tar_member,
    open_zip_member,
)
from ecotone.formats.base import Limits, Source, SourceKind, refused
from ecotone.formats.names import NameBook, is_clutter
from ecotone.formats.streams import CHUNK, Meter, Packing, Unpacked, buffered

_PACKINGS: Final[Mapping[bytes, Packing]] = {
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}
#: Archives we know by sight and do not open.
_FOREIGN: Final[Mapping[bytes, str]] = {
    b"Rar!": "RAR",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
_PACKED_ENDINGS: Final[Mapping[str, str]] = {
    ".tgz": ".tar",
    ".tbz2": ".tar",
    ".txz": ".tar",
    ".gz": "",
    ".bz2": "",
    ".xz": "",
}
_TAR_MAGIC_AT: Final = 257
_HEAD: Final = 512
#: Levels of folders below a delivered one.
_FOLDER_DEPTH: Final = 32


def open_source(path: Path, limits: Limits | None = None) -> Source:
    """A delivery seen safely; use it as a context manager.

    Raises Refused when the path is missing, unreadable or special, or when the archive holds
    anything that could do harm.
    """
    path = Path(path)
    limits = limits or Limits()
    name = path.absolute().name
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise refused("file-missing", file=name) from error
    if stat.S_ISDIR(mode):
        return _Folder(path, name, limits)
    if not stat.S_ISREG(mode):
        raise refused("file-special", file=name)
    try:
        file = path.open("rb")
    except OSError as error:
        raise refused("file-unreadable", file=name) from error
    try:
        return _open_file(path, name, file, limits)
    except BaseException:
        file.close()
        raise


def _open_file(path: Path, name: str, file: BinaryIO, limits: Limits) -> Source:
    head = file.read(_HEAD)
    file.seek(0)
    for magic, title in _FOREIGN.items():
        if head.startswith(magic):
            raise refused("archive-unsupported", file=name, kind=title)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        opened, members = list_zip(file, name, limits)
        if "[Content_Types].xml" not in members:
            return _Zip(path, name, limits, file, opened, members)
        # An office document is a zip too; to its reader it is one file.
        opened.close()
    elif _is_tar(head, name):
        return _Tar(path, name, limits, file, list_tar(file, name, limits))
    else:
        for magic, packing in _PACKINGS.items():
            if head.startswith(magic):
                return _open_packed(path, name, file, packing, limits)
    file.close()
    return _File(path, name, limits)


def _is_tar(head: bytes, name: str) -> bool:
    ustar = head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar"
    return ustar or (name.lower().endswith(".tar") and len(head) == _HEAD)


def _open_packed(path: Path, name: str, file: BinaryIO, packing: Packing, limits: Limits) -> Source:
    """A packed tar is unpacked into a nameless temporary file; any other stays a stream."""
    inner = _unpacked_name(name)
    meter = Meter(name, limits)
    stream = buffered(Unpacked(file, packing, meter, name))
    head = stream.read(_HEAD)
    if not _is_tar(head, inner):
        file.close()
        return _Packed(path, name, limits, packing, inner)
    spool = tempfile.TemporaryFile(prefix="ecotone-")  # noqa: SIM115 # closed by its source
    try:
        spool.write(head)
        shutil.copyfileobj(stream, spool, CHUNK)
        stream.close()
        return _Tar(path, name, limits, spool, list_tar(spool, name, limits))
    except BaseException:
        spool.close()
        raise


def _unpacked_name(name: str) -> str:
    lower = name.lower()
    for ending, instead in _PACKED_ENDINGS.items():
        if lower.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)] + instead
    return name


class _Base:
    """What all kinds of source share."""

    kind: SourceKind = "file"

    def __init__(self, path: Path, name: str, limits: Limits, members: tuple[str, ...]) -> None:
        self.path = path
        self.name = name
        self.limits = limits
        self.members = members
        self._meter = Meter(name, limits)

    @property
    def only(self) -> str | None:
        return None

    def _known(self, name: str) -> str:
        if name not in self.members:
            raise refused("member-missing", file=self.name, value=name)
        return name

    def open(self, name: str) -> BinaryIO:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held open between reads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _File(_Base):
    """One plain file."""

    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        super().__init__(path, name, limits, (name,))

    @property
    def only(self) -> str | None:
        return self.name

    def size(self, name: str) -> int:
        self._known(name)
        return self.path.stat().st_size

    def open(self, name: str) -> BinaryIO:
        self._known(name)
        return self.path.open("rb")

    def local_path(self, name: str) -> Path:
        self._known(name)
        return self.path


class _Folder(_Base):
    """A folder; a link in it refuses the delivery, as in an archive."""

    kind: SourceKind = "folder"

    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        self._sizes: dict[str, int] = {}
        book = NameBook(name)
        try:
            self._list(path, "", name, limits, book, 0)
        except OSError as error:
            raise refused("file-unreadable", file=name) from error
        super().__init__(path, name, limits, tuple(sorted(self._sizes)))

    def _list(
        self, folder: Path, prefix: str, name: str, limits: Limits, book: NameBook, depth: int
    ) -> None:
        if depth > _FOLDER_DEPTH:
            raise refused("folder-too-deep", file=name, value=prefix[:200])
        with os.scandir(folder) as entries:
            for entry in entries:
                member = prefix + entry.name
                if is_clutter(member):
                    continue
                if not member.isprintable():
                    raise refused("archive-name", file=name, value=member)
                if entry.is_symlink():
                    raise refused("folder-link", file=name, value=member)
                if entry.is_dir(follow_symlinks=False):
                    self._list(Path(entry), f"{member}/", name, limits, book, depth + 1)
                elif entry.is_file(follow_symlinks=False):
                    book.add(member)
                    self._sizes[member] = entry.stat(follow_symlinks=False).st_size
                else:
                    raise refused("file-special", file=member)
                if len(self._sizes) > limits.folder_files:
                    raise refused("archive-too-many", file=name, most=str(limits.folder_files))

    def size(self, name: str) -> int:
        return self._sizes[self._known(name)]

    def open(self, name: str) -> BinaryIO:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            # A file that has become a link since it was listed is not followed.
            return os.fdopen(os.open(self.local_path(name), flags), "rb")
        except OSError as error:
            raise refused("file-unreadable", file=name) from error

    def local_path(self, name: str) -> Path:
        return self.path / self._known(name)


class _Archive(_Base):
    """What zip, tar and packed files share: real files are lent from a temporary folder."""

    kind: SourceKind = "archive"

    def __init__(self, path: Path, name: str, limits: Limits, members: tuple[str, ...]) -> None:
        super().__init__(path, name, limits, members)
        self._lent: dict[str, Path] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def local_path(self, name: str) -> Path:
        if name in self._lent:
            return self._lent[name]
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ecotone-")
        # The member's ending is kept for libraries that look at it; its name is not.
        target = Path(self._folder.name) / f"{len(self._lent)}{PurePosixPath(name).suffix}"
        with self.open(name) as stream, target.open("wb") as out:
            shutil.copyfileobj(stream, out, CHUNK)
        self._lent[name] = target
        return target

    def close(self) -> None:
        self._lent.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


class _Zip(_Archive):
    """A zip, read in place."""

    def __init__(
        self,
        path: Path,
        name: str,
        limits: Limits,
        file: BinaryIO,
        opened: zipfile.ZipFile,
        members: Members,
    ) -> None:
        super().__init__(path, name, limits, tuple(sorted(members)))
        self._file = file
        self._opened = opened
        self._entries = members

    def size(self, name: str) -> int:
        return self._entries[self._known(name)].size

    def open(self, name: str) -> BinaryIO:
        entry = self._entries[self._known(name)]
        return open_zip_member(self._opened, entry, name, self._meter)

    def close(self) -> None:
        super().close()
        self._opened.close()
        self._file.close()


class _Tar(_Archive):
    """A tar, read in place, or in the nameless file into which it was unpacked."""

    def __init__(
        self, path: Path, name: str, limits: Limits, file: BinaryIO, members: Members
    ) -> None:
        super().__init__(path, name, limits, tuple(sorted(members)))
        self._file = file
        self._entries = members

    def size(self, name: str) -> int:
        return self._entries[self._known(name)].size

    def open(self, name: str) -> BinaryIO:
        entry = self._entries[self._known(name)]
        return open_tar_member(self._file, entry, name, self._meter)

    def close(self) -> None:
        super().close()
        self._file.close()


class _Packed(_Archive):
    """One file packed by gzip, bzip2 or xz."""

    def __init__(self, path: Path, name: str, limits: Limits, packing: Packing, inner: str) -> None:
        super().__init__(path, name, limits, (inner,))
        self._packing: Packing = packing

    @property
    def only(self) -> str | None:
        return self.members[0]

    def size(self, name: str) -> int:
        """What gzip notes the size (modulo 4 GB) at its end; else the packed size."""
        self._known(name)
        size = self.path.stat().st_size
        if self._packing != "gz" or size < 4:
            return size
        with self.path.open("rb") as file:
            file.seek(-4, io.SEEK_END)
            return int.from_bytes(file.read(4), "little")

    def open(self, name: str) -> BinaryIO:
        raw = self.path.open("rb")
        return buffered(Unpacked(raw, self._packing, self._meter, self._known(name)))
