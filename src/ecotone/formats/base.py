"""What every format module keeps to: how bytes become tables, and how a reader says no.

A reader gets a :class:`Source` (a delivery seen safely), yields
:class:`~ecotone.model.table.Table` blocks, and speaks in findings:

* something the reader should know, or a doubtful row that is still taken:
  ``report(Finding(... INFO or WARNING ...))``;
* a row that cannot be read as a row (wrong number of fields, a NUL byte, an
  unclosed quote, undecodable bytes, a key that leads nowhere): *both*
  ``report(Finding(... ERROR, row=..., line=...))`` and
  ``reject(file, row, line, raw)`` with the row's own text, so that quarantine
  can keep it and give it back. Such a row is not in any yielded table. Rows
  whose *values* are wrong are yielded: judging values is the work of checks;
* the delivery as a whole cannot be used: ``raise Refused(finding)``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Protocol, Self, runtime_checkable

from ecotone.model.errors import InputRefused
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

Report = Callable[[Finding], None]
#: ``reject(file, row, line, raw text)``: the row's own words, for quarantine.
Reject = Callable[[str, int, int, str], None]
SourceKind = Literal["file", "folder", "archive"]


class Refused(InputRefused):
    """A delivery is refused whole; ``finding`` says why in three languages."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message("en"))
        self.finding = finding


def refused(
    code: str,
    *,
    file: str | None = None,
    field: str | None = None,
    value: str | None = None,
    row: int | None = None,
    line: int | None = None,
    **params: str,
) -> Refused:
    """The refusal with catalogue key ``finding.<code>``, ready to raise."""
    return Refused(
        Finding(
            code=code,
            severity=Severity.FATAL,
            row=row,
            field=field,
            value=value,
            file=file,
            line=line,
            params=params,
        )
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what one delivery may cost; counted on bytes really read, never on headers."""

    members: int = 20_000  #: plain files in one archive
    folder_files: int = 5_000_000  #: plain files in one folder: a camera season has many
    member_bytes: int = 8 << 30  #: one member, unpacked
    total_bytes: int = 32 << 30  #: all members, unpacked
    ratio: float = 200.0  #: unpacked to packed, per member and in total
    ratio_floor: int = 4 << 20  #: below this many unpacked bytes the ratio is not judged
    name_length: int = 1_000  #: characters in a member's name
    xml_bytes: int = 32 << 20
    xml_depth: int = 100
    xml_nodes: int = 200_000  #: elements and attributes; more would take over a second
    json_bytes: int = 256 << 20
    json_depth: int = 100
    field_chars: int = 1 << 20  #: one cell of a table
    row_chars: int = 16 << 20  #: one row of a table
    columns: int = 200_000
    cells: int = 200_000_000  #: one spreadsheet


class Source(Protocol):
    """A delivery seen safely: a plain file, a folder or an archive (``safe.open_source``)."""

    name: str  #: the delivery's own file or folder name
    path: Path
    kind: SourceKind
    members: tuple[str, ...]  #: normalised relative names with '/', in a stable order
    limits: Limits

    @property
    def only(self) -> str | None:
        """The member's name when the delivery is a single plain file."""

    def size(self, name: str) -> int:
        """Bytes of a member, unpacked, as its header declares."""

    def open(self, name: str) -> BinaryIO:
        """A member as a stream of bytes, counted against the limits while read."""

    def local_path(self, name: str) -> Path:
        """A real file for libraries that need one; gone after ``close``."""

    def close(self) -> None:
        """Give back open files and temporary folders."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the deliverer declared about a file; None means find out and say so."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    header: bool | None = None  #: whether a table's first line names its columns
    sheet: str | None = None  #: name of the sheet of a workbook
    zone: dt.tzinfo | None = None  #: zone of times that carry none
    block_rows: int = 50_000
    missing: tuple[str, ...] = ("",)  #: exact cell texts that mean 'no value'
    type: str | None = None  #: record type of a bare table, e.g. ``Occurrence``


@runtime_checkable
class Format(Protocol):
    """One file format. An instance is registered under entry point group ``ecotone.formats``.

    ``write`` differs by format (what it needs besides tables differs) and is a
    plain function of the format's module, documented there.
    """

    name: str  #: the word of ``--as`` and of ``"format"`` in machine output
    title_key: str  #: catalogue key of its title
    extensions: tuple[str, ...]
    spec: str  #: address of the standard

    def recognise(self, source: Source) -> bool:
        """Whether this delivery looks like this format: cheap, reads little."""

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield tables block by block; memory is bounded by ``options.block_rows``."""
