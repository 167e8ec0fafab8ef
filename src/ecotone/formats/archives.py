"""What lies inside a zip or tar, listed without trusting a word of it, unpacked nowhere.

Only plain files with harmless names are taken; links, devices, encrypted or overlapping members
refuse the whole delivery, because an archive that tries one trick may hold others. Members that
are archives themselves stay closed. Overlapping zip members multiply one piece of packed data
into many files (Fifield 2019, "A better zip bomb", 13th USENIX WOOT).
"""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from ecotone.formats.base import Limits, refused
from ecotone.formats.names import NameBook, is_clutter, is_root, member_name
from ecotone.formats.streams import DAMAGE, CountedStream, Meter, Slice, buffered

_LOCAL_HEADER: Final = 30
_END_RECORD: Final = 22
#: Bytes a central directory may take for each member: its fixed part, name, extras, comment.
_DIRECTORY_PER_MEMBER: Final = 4096
#: The largest piece of header a tar may ask to be read at once.
_TAR_HEADER: Final = 1 << 20
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_UTF8: Final = 0x800


@dataclass(frozen=True, slots=True)
class Member:
    """One plain file of an archive; ``handle`` is what its library needs to open it."""

    size: int
    packed: int
    handle: Any


Members = dict[str, Member]


def list_zip(
    file: BinaryIO, archive: str, limits: Limits, *, hidden: bool = False
) -> tuple[zipfile.ZipFile, Members]:
    """The members of a zip, or a refusal; ``hidden`` ones only where they are part of it."""
    _check_directory_size(file, archive, limits)
    try:
        opened = zipfile.ZipFile(file)
    except (*DAMAGE, NotImplementedError) as error:
        raise refused("archive-corrupt", file=archive, value="") from error
    infos = opened.infolist()
    if len(infos) > limits.members:
        raise refused("archive-too-many", file=archive, most=str(limits.members))
    _check_overlap(infos, opened.start_dir, archive)
    members: Members = {}
    book = NameBook(archive)
    meter = Meter(archive, limits)
    for info in infos:
        if info.is_dir() and is_root(info.orig_filename):
            continue
        name = member_name(_zip_name(info), archive, limits)
        _check_zip_kind(info, name, archive)
        folder = info.is_dir()
        book.add(name, folder=folder)
        meter.check(name, info.file_size, info.compress_size)
        if not folder and (hidden or not is_clutter(name)):
            members[name] = Member(info.file_size, info.compress_size, info)
    packed = file.seek(0, io.SEEK_END)
    Meter(archive, limits).check("", sum(info.file_size for info in infos), packed)
    return opened, members


def open_zip_member(opened: zipfile.ZipFile, member: Member, name: str, meter: Meter) -> BinaryIO:
    """One member as a counted stream."""
    try:
        inner = opened.open(member.handle)
    except (*DAMAGE, NotImplementedError) as error:
        raise refused("archive-corrupt", file=meter.archive, value=name) from error
    return buffered(CountedStream(inner, meter, name, member.packed))  # type: ignore[arg-type] # IO[bytes] is a BinaryIO here


def _check_directory_size(file: BinaryIO, archive: str, limits: Limits) -> None:
    """Refuse a directory of millions of entries before reading it into memory."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END_RECORD - 0xFFFF))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_RECORD:
        raise refused("archive-corrupt", file=archive, value="")
    count, directory = struct.unpack_from("<HL", tail, at + 10)
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if wide >= 0 and at - wide >= 56:
        count, directory = struct.unpack_from("<QQ", tail, wide + 32)
    if count > limits.members or directory > limits.members * _DIRECTORY_PER_MEMBER:
        raise refused("archive-too-many", file=archive, most=str(limits.members))
    file.seek(0)


def _check_overlap(infos: list[zipfile.ZipInfo], directory: int, archive: str) -> None:
    """Each member must have its own bytes, before the directory."""
    end = 0
    for info in sorted(infos, key=lambda i: i.header_offset):
        if info.header_offset < end:
            raise refused("archive-overlap", file=archive, value=info.filename)
        # A name has at least as many bytes as characters.
        end = info.header_offset + _LOCAL_HEADER + len(info.orig_filename) + info.compress_size
    if end > directory:
        raise refused("archive-overlap", file=archive, value="")


def _check_zip_kind(info: zipfile.ZipInfo, name: str, archive: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise refused("archive-encrypted", file=archive, value=name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise refused("archive-method", file=archive, value=name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refused("archive-link", file=archive, value=name)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name as written: UTF-8 also where the writer forgot to say so (many do)."""
    raw = info.orig_filename
    if info.flag_bits & _UTF8 or raw.isascii():
        return raw
    try:
        return raw.encode("cp437").decode("utf-8")
    except UnicodeError:
        return raw


class _GuardedFile(io.RawIOBase):
    """A file from which a tar header may not ask for more than a header can need."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > _TAR_HEADER:
            raise ValueError("a header claims an impossible size")
        return self._file.read(size)

    def seek(self, target: int, whence: int = 0) -> int:
        return self._file.seek(target, whence)

    def tell(self) -> int:
        return self._file.tell()


def list_tar(file: BinaryIO, archive: str, limits: Limits) -> Members:
    """The members of a plain (already unpacked) tar, or a refusal."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    members: Members = {}
    book = NameBook(archive)
    meter = Meter(archive, limits)
    count = 0
    try:
        with tarfile.TarFile(fileobj=_GuardedFile(file), mode="r") as opened:
            while (info := opened.next()) is not None:
                count += 1
                if count > limits.members:
                    raise refused("archive-too-many", file=archive, most=str(limits.members))
                if info.isdir() and is_root(info.name):
                    continue
                name = member_name(info.name, archive, limits)
                _check_tar_kind(info, name, archive)
                book.add(name, folder=info.isdir())
                meter.check(name, info.size, info.size)
                if info.isdir() or is_clutter(name):
                    continue
                if info.size < 0 or info.offset_data + info.size > size:
                    raise EOFError("the archive ends inside a member")
                members[name] = Member(info.size, info.size, info)
            _check_tar_end(file, opened.offset)
    except DAMAGE as error:
        raise refused("archive-corrupt", file=archive, value="") from error
    return members


def open_tar_member(file: BinaryIO, member: Member, name: str, meter: Meter) -> BinaryIO:
    """One member as a counted stream."""
    inner = buffered(Slice(file, member.handle.offset_data, member.size))
    return buffered(CountedStream(inner, meter, name, member.size))


def _check_tar_kind(info: tarfile.TarInfo, name: str, archive: str) -> None:
    plain = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
    if not plain or info.issparse():
        raise refused("archive-link", file=archive, value=name)


def _check_tar_end(file: BinaryIO, offset: int) -> None:
    """The library stops in silence at a broken header; what follows must be zeros or nothing."""
    file.seek(offset)
    if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
        raise tarfile.ReadError("a header in the middle is damaged")
