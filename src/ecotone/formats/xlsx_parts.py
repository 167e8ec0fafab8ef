"""The parts of a workbook, looked at before any library parses them.

A workbook is a zip of XML files. Here the zip is judged like any other, each XML part is
searched for document types and entities, and what the streaming reader does not tell is
gathered on the way: which cells are merged, which formulas carry no computed value.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from ecotone.formats.archives import list_zip, open_zip_member
from ecotone.formats.base import Limits, refused
from ecotone.formats.streams import Meter

_PIECE: Final = 1 << 20
_OVERLAP: Final = 1 << 12
#: Texts shared by all sheets are held in memory by the library.
_SHARED_MOST: Final = 256 << 20
_FORBIDDEN: Final = re.compile(rb"<!DOCTYPE|<!ENTITY", re.I)
_MERGED: Final = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"'
)
_NO_VALUE: Final = re.compile(rb"<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:</c>|<v\s*/>|<v>\s*</v>)")
_ROW: Final = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
_ROW_NUMBER: Final = re.compile(rb'\sr="(\d{1,7})"')
_ROW_HIDDEN: Final = re.compile(rb'\shidden="(?:1|true)"')
_SHEET: Final = re.compile(r"^xl/worksheets/[^/]+\.xml$")


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range; rows and columns from 1, ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class SheetPart:
    """What one sheet's XML shows at a glance."""

    merges: list[Merge] = field(default_factory=list)
    unvalued: int = 0  #: formulas without a computed value
    hidden_rows: list[int] = field(default_factory=list)


def look_at_parts(path: Path, name: str, limits: Limits) -> dict[str, SheetPart]:
    """``{part: what it shows}`` of all sheets; a refusal where a part could do harm."""
    sheets: dict[str, SheetPart] = {}
    with path.open("rb") as file:
        opened, members = list_zip(file, name, limits, hidden=True)
        meter = Meter(name, limits)
        for member, entry in members.items():
            if not member.endswith((".xml", ".rels", ".vml")):
                continue
            if member.endswith("sharedStrings.xml") and entry.size > _SHARED_MOST:
                raise refused("archive-too-big", file=name, value=member)
            part = SheetPart()
            with open_zip_member(opened, entry, member, meter) as stream:
                for piece, overlap in _pieces(stream):
                    _look(piece, overlap, part, name)
            if _SHEET.match(member):
                sheets[member] = part
        opened.close()
    return sheets


def _pieces(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Pieces, each with some bytes of the one before, and how many those are."""
    tail = b""
    while data := stream.read(_PIECE):
        yield tail + data, len(tail)
        tail = (tail + data)[-_OVERLAP:]


def _look(piece: bytes, overlap: int, part: SheetPart, name: str) -> None:
    # UTF-16 shows its letters once the zeros are gone.
    plain = piece.replace(b"\0", b"") if b"\0" in piece[:64] else piece
    if _FORBIDDEN.search(plain):
        raise refused("xml-dtd", file=name)
    for match in _MERGED.finditer(piece):
        if match.end() > overlap:
            left, top, right, bottom = (group.decode() for group in match.groups())
            part.merges.append(Merge(int(top), _column(left), int(bottom), _column(right)))
    for match in _ROW.finditer(piece):
        number = _ROW_NUMBER.search(match[0])
        if match.end() > overlap and number and _ROW_HIDDEN.search(match[0]):
            part.hidden_rows.append(int(number[1]))
    part.unvalued += sum(match.end() > overlap for match in _NO_VALUE.finditer(piece))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def part_of(target: str) -> str:
    """The name of a part as relationships write it, without a leading slash."""
    return posixpath.normpath(target.lstrip("/"))
