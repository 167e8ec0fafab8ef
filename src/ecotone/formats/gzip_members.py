"""A delivery whose members may be packed one by one: ``observations.csv.gz`` inside a package."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ecotone.formats.base import Limits, Source, SourceKind
from ecotone.formats.streams import Meter, Unpacked, buffered


class GzipMembers:
    """A view of a source that unpacks members named ``*.gz`` while they are read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name: str = source.name
        self.path: Path = source.path
        self.kind: SourceKind = source.kind
        self.members: tuple[str, ...] = source.members
        self.limits: Limits = source.limits
        self._meter = Meter(source.name, source.limits)

    @property
    def only(self) -> str | None:
        """The member's name when the delivery is a single plain file."""
        return self._source.only

    def size(self, name: str) -> int:
        """Bytes of a member as it lies in the delivery."""
        return self._source.size(name)

    def open(self, name: str) -> BinaryIO:
        """A member's bytes, unpacked where it is packed."""
        raw = self._source.open(name)
        if not name.lower().endswith(".gz"):
            return raw
        return buffered(Unpacked(raw, "gz", self._meter, name))

    def local_path(self, name: str) -> Path:
        """A real file with the member as it lies in the delivery."""
        return self._source.local_path(name)

    def close(self) -> None:
        """The view holds nothing of its own."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
