"""The parts of a workbook, looked at before any library parses them.

A workbook is a zip of XML files. Here the zip is judged like any other, each XML part is
searched for document types and entities, and what the streaming reader does not tell is
gathered on the way: which cells are merged, which formulas carry no computed value, what is
hidden, where people left comments.
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
#: As many as a sheet can have.
_COLUMNS_MOST: Final = 16_384
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
_COLUMN: Final = re.compile(rb"<(?:\w+:)?col\s[^>]*>")
_COLUMN_ENDS: Final = re.compile(rb'\s(min|max)="(\d{1,5})"')
_COMMENT: Final = re.compile(rb'<(?:\w+:)?comment\s[^>]*?ref="([A-Z]{1,3}\d{1,7})"')
_AUTHOR: Final = re.compile(rb"<(?:\w+:)?author>([^<]*)</")
_COMMENTS: Final = re.compile(r"^xl/(?:comments/)?comments?\d*\.xml$")
_LINKS: Final = re.compile(r"^xl/worksheets/_rels/([^/]+\.xml)\.rels$")
_TARGET: Final = re.compile(rb'Target="([^"]*comments[^"]*\.xml)"')
#: Who signs the marks that Ecotone leaves in a workbook it gives back.
MARKER: Final = "Ecotone"
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
    hidden_columns: list[int] = field(default_factory=list)  #: from 1
    comments: list[str] = field(default_factory=list)  #: cells with a comment that is not ours
    authors: set[str] = field(default_factory=set)  #: who signed comments
    linked: list[str] = field(default_factory=list)  #: parts of comments a sheet refers to


def look_at_parts(path: Path, name: str, limits: Limits) -> dict[str, SheetPart]:
    """``{part: what it shows}`` of all sheets; a refusal where a part could do harm."""
    parts: dict[str, SheetPart] = {}
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
            if _SHEET.match(member) or _COMMENTS.match(member) or _LINKS.match(member):
                parts[member] = part
        opened.close()
    return _with_comments(parts)


def _with_comments(parts: dict[str, SheetPart]) -> dict[str, SheetPart]:
    """The sheets alone, each with the comments that its relationships lead to."""
    sheets = {name: part for name, part in parts.items() if _SHEET.match(name)}
    for name, links in parts.items():
        match = _LINKS.match(name)
        sheet = sheets.get(f"xl/worksheets/{match[1]}") if match else None
        for target in links.linked if sheet is not None else ():
            place = part_of(posixpath.join("xl/worksheets", target))
            found = parts.get(place if place.startswith("xl/") else part_of(target))
            if sheet is not None and found is not None and found.authors != {MARKER}:
                sheet.comments += found.comments
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
    for match in _COLUMN.finditer(piece):
        if match.end() > overlap and _ROW_HIDDEN.search(match[0]):
            ends = {name: int(number) for name, number in _COLUMN_ENDS.findall(match[0])}
            first = ends.get(b"min", 1)
            part.hidden_columns += range(first, min(ends.get(b"max", first), _COLUMNS_MOST) + 1)
    for pattern, gathered in ((_COMMENT, part.comments), (_TARGET, part.linked)):
        gathered += [m[1].decode() for m in pattern.finditer(piece) if m.end() > overlap]
    part.authors |= {m[1].decode("utf-8", "replace") for m in _AUTHOR.finditer(piece)}
    part.unvalued += sum(match.end() > overlap for match in _NO_VALUE.finditer(piece))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def part_of(target: str) -> str:
    """The name of a part as relationships write it, without a leading slash."""
    return posixpath.normpath(target.lstrip("/"))
