"""Streams of bytes that stop a delivery from costing more than the limits allow.

What a header declares is never trusted: bytes are counted as they come out.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from ecotone.formats.base import Limits, refused

CHUNK = 1 << 16
#: A decompressor may not ask for more memory than this (xz dictionaries can claim gigabytes).
_LZMA_MEMORY = 96 << 20
_DECOMPRESS_ERRORS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class Meter:
    """Counts what came out of one archive and refuses when it grows past the limits."""

    def __init__(self, archive: str, limits: Limits) -> None:
        self.archive = archive
        self.limits = limits
        self.total = 0

    def check(self, member: str, unpacked: int, packed: int) -> None:
        """Judge one member's (or the whole stream's) bytes out against bytes in."""
        limits = self.limits
        if unpacked > limits.member_bytes or self.total > limits.total_bytes:
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
        except Exception as error:  # decoders raise many kinds; all mean one thing here
            raise refused(
                "archive-corrupt", file=self._meter.archive, value=self._member
            ) from error
        self._count += len(data)
        self._meter.total += len(data)
        self._meter.check(self._member, self._count, self._packed)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the member too."""
        if not self.closed:
            self._inner.close()
        super().close()


class Unpacked:
    """A gzip, bzip2 or xz stream unpacked forwards, a bounded piece at a time.

    Seeks forwards by reading on, and backwards only within the last piece:
    what ``tarfile`` needs to list members, and nothing more.
    """

    _WINDOW = 1 << 10
    #: A single request this large while listing is a header that lies about its own size.
    _REQUEST = 1 << 20

    def __init__(self, raw: BinaryIO, kind: str, meter: Meter, *, guard: bool = True) -> None:
        self._raw = raw
        self._kind = kind
        self._meter = meter
        self._guard = guard
        self._engine = self._new_engine()
        self._pending = b""
        self._packed = 0
        self._tail = b""
        self._back = 0
        self._position = 0
        self._ended = kind == "tar"

    def _new_engine(self) -> Any:
        makers: dict[str, Callable[[], Any]] = {
            "gz": lambda: zlib.decompressobj(31),
            "bz2": bz2.BZ2Decompressor,
            "xz": lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY),
            "tar": lambda: None,
        }
        return makers[self._kind]()

    def _more(self, limit: int) -> bytes:
        """Up to ``limit`` fresh bytes; b'' at the end."""
        if self._kind == "tar":
            return self._raw.read(limit)
        while True:
            if self._engine.eof:
                self._pending = self._engine.unused_data or self._pending
                if not self._pending:
                    self._pending = self._raw.read(CHUNK)
                    self._packed += len(self._pending)
                if not self._pending.strip(b"\0"):
                    return b""
                self._engine = self._new_engine()
            if not self._pending and getattr(self._engine, "needs_input", True):
                self._pending = self._raw.read(CHUNK)
                self._packed += len(self._pending)
                if not self._pending:
                    raise EOFError("the stream ends before its end mark")
            out = self._engine.decompress(self._pending, limit)
            self._pending = getattr(self._engine, "unconsumed_tail", b"")
            if out:
                return bytes(out)

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end."""
        if self._guard and (size < 0 or size > self._REQUEST):
            raise refused("archive-corrupt", file=self._meter.archive, value="")
        pieces: list[bytes] = []
        wanted = size if size >= 0 else 1 << 62
        if self._back:
            piece = self._tail[len(self._tail) - self._back :][:wanted]
            self._back -= len(piece)
            wanted -= len(piece)
            pieces.append(piece)
        while wanted:
            piece = self._fresh(min(wanted, CHUNK))
            if not piece:
                break
            wanted -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _fresh(self, limit: int) -> bytes:
        try:
            piece = self._more(limit)
        except _DECOMPRESS_ERRORS as error:
            raise refused("archive-corrupt", file=self._meter.archive, value="") from error
        self._position += len(piece)
        self._tail = (self._tail + piece)[-self._WINDOW :]
        if self._kind != "tar":
            self._meter.total = self._position
            self._meter.check(self._meter.archive, self._position, self._packed)
        return piece

    def tell(self) -> int:
        """Where the next byte comes from, unpacked."""
        return self._position - self._back

    def seek(self, target: int) -> int:
        """Go to an absolute place ahead, or a few bytes behind."""
        if target < self.tell():
            back = self._position - target
            if back > len(self._tail):
                raise refused("archive-corrupt", file=self._meter.archive, value="")
            self._back = back
            return target
        ahead = target - self.tell()
        step = min(self._back, ahead)
        self._back -= step
        ahead -= step
        while ahead:
            piece = self._fresh(min(ahead, CHUNK))
            if not piece:
                break
            ahead -= len(piece)
        return self.tell()

    def close(self) -> None:
        """Close the packed file."""
        self._raw.close()
