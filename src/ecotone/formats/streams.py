"""Streams of bytes that stop a delivery from costing more than the limits allow.

What a header declares is never trusted: bytes are counted as they come out.
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from typing import Any, BinaryIO, Final, Literal

from ecotone.formats.base import Limits, refused

CHUNK: Final = 1 << 16
#: A decompressor may not ask for more memory than this (xz dictionaries can claim gigabytes).
_LZMA_MEMORY: Final = 96 << 20
#: All that the standard library raises on a damaged or hostile archive.
DAMAGE: Final = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)
Packing = Literal["gz", "bz2", "xz"]


class Meter:
    """Counts what came out of one archive and refuses when it grows past the limits.

    A member read twice counts once: the largest count of each member is kept.
    """

    def __init__(self, archive: str, limits: Limits) -> None:
        self.archive = archive
        self.limits = limits
        self._counts: dict[str, int] = {}
        self._total = 0

    def check(self, member: str, unpacked: int, packed: int) -> None:
        """Judge one member's bytes out against its bytes in, and the sum of all members."""
        limits = self.limits
        before = self._counts.get(member, 0)
        if unpacked > before:
            self._counts[member] = unpacked
            self._total += unpacked - before
        if unpacked > limits.member_bytes or self._total > limits.total_bytes:
            raise refused("archive-too-big", file=self.archive, value=member)
        if unpacked > limits.ratio_floor and unpacked > limits.ratio * max(packed, 1):
            ratio = f"{unpacked / max(packed, 1):.0f}"
            raise refused("archive-bomb", file=self.archive, value=member, ratio=ratio)


class CountedStream(io.RawIOBase):
    """A member being read: every byte counted, every decoder's failure said plainly."""

    def __init__(self, inner: BinaryIO, meter: Meter, member: str, packed: int) -> None:
        super().__init__()
        self._inner = inner
        self._meter = meter
        self._member = member
        self._packed = packed
        self._count = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` from the member."""
        try:
            data = self._inner.read(min(len(buffer), 1 << 20))
        except DAMAGE as error:
            raise refused(
                "archive-corrupt", file=self._meter.archive, value=self._member
            ) from error
        self._count += len(data)
        self._meter.check(self._member, self._count, self._packed)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the member too."""
        if not self.closed:
            self._inner.close()
        super().close()


class Slice(io.RawIOBase):
    """A run of bytes of an open file: a member of a plain tar."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._position = start
        self._end = start + size

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` from the file; a file that ends too early is damage."""
        wanted = min(len(buffer), self._end - self._position)
        self._file.seek(self._position)
        data = self._file.read(wanted)
        if len(data) < wanted:
            raise EOFError("the archive ends inside a member")
        self._position += len(data)
        buffer[: len(data)] = data
        return len(data)


class Unpacked(io.RawIOBase):
    """A gzip, bzip2 or xz stream unpacked forwards, a bounded piece at a time.

    Streams set end to end are read as one, as the tools that write them do.
    """

    def __init__(self, raw: BinaryIO, kind: Packing, meter: Meter, member: str) -> None:
        super().__init__()
        self._raw = raw
        self._kind = kind
        self._meter = meter
        self._member = member
        self._engine = _engine(kind)
        self._pending = b""
        self._packed = 0
        self._unpacked = 0
        self._ended = False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with unpacked bytes."""
        try:
            data = self._more(min(len(buffer), 1 << 20))
        except DAMAGE as error:
            raise refused(
                "archive-corrupt", file=self._meter.archive, value=self._member
            ) from error
        self._unpacked += len(data)
        self._meter.check(self._member, self._unpacked, self._packed)
        buffer[: len(data)] = data
        return len(data)

    def _feed(self) -> bytes:
        data = self._raw.read(CHUNK)
        self._packed += len(data)
        return data

    def _more(self, limit: int) -> bytes:
        """Up to ``limit`` fresh bytes; b'' at the end."""
        while not self._ended:
            if self._engine.eof and not self._next_stream():
                break
            if not self._pending and getattr(self._engine, "needs_input", True):
                self._pending = self._feed()
                if not self._pending:
                    raise EOFError("the stream ends before its end mark")
            out = self._engine.decompress(self._pending, limit)
            self._pending = getattr(self._engine, "unconsumed_tail", b"")
            if out:
                return bytes(out)
        return b""

    def _next_stream(self) -> bool:
        """Go on with a stream set behind the one that ended; zero padding is skipped."""
        self._pending = bytes(self._engine.unused_data)
        while not self._pending.lstrip(b"\0"):
            self._pending = self._feed()
            if not self._pending:
                self._ended = True
                return False
        self._pending = self._pending.lstrip(b"\0")
        self._engine = _engine(self._kind)
        return True

    def close(self) -> None:
        """Close the packed file."""
        if not self.closed:
            self._raw.close()
        super().close()


def _engine(kind: Packing) -> Any:
    if kind == "gz":
        return zlib.decompressobj(31)
    if kind == "bz2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)


def buffered(raw: io.RawIOBase) -> BinaryIO:
    """The stream with the usual methods of an open file."""
    return io.BufferedReader(raw, 1 << 18)
