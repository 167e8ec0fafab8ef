"""The descriptor of a Darwin Core archive (``meta.xml``), and an archive that has none.

Darwin Core text guide, https://dwc.tdwg.org/text/; attributes left out have the guide's defaults.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import Report, Source, refused
from ecotone.formats.csv_text import known_encoding
from ecotone.formats.dwc_terms import record_type, short_name
from ecotone.model.finding import Finding, Severity

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: Columns a file may declare; an index beyond is a slip or an attack.
_MOST_COLUMNS: Final = 100_000
#: The guide writes control characters as backslash and a letter.
_ESCAPES: Final = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\f": "\f", "\\\\": "\\"}
_METADATA_NAMES: Final = ("eml.xml", "metadata.xml")


@dataclass(frozen=True, slots=True)
class Field:
    """One column: where it stands (None: a constant), its name, its default."""

    name: str
    index: int | None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class FileSet:
    """The core or one extension: its files, how they are written, what their columns are."""

    type: str
    files: tuple[str, ...]
    fields: tuple[Field, ...]
    key: int | None  #: index of the core's id, or of an extension's coreid
    encoding: str = "UTF-8"
    delimiter: str = ","
    quote: str = '"'
    line_end: str = "\n"
    header_lines: int = 0


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What ``meta.xml`` says."""

    file: str
    core: FileSet
    extensions: tuple[FileSet, ...]
    metadata: str | None


def find_meta(source: Source) -> str | None:
    """The archive's descriptor: at the top, or in the one folder that holds everything."""
    found = sorted(
        (m for m in source.members if m.rpartition("/")[2].lower() == "meta.xml"),
        key=lambda m: (m.count("/"), m),
    )
    return found[0] if found else None


def read_meta(source: Source, member: str, report: Report) -> Descriptor:
    """Read and check the descriptor; every file it names is known to be there afterwards."""
    from ecotone.formats.xml import parse_xml

    root = parse_xml(source, member, report)
    if _local(root) != "archive":
        raise refused("dwca-not-a-descriptor", file=member, value=_local(root))
    cores = [e for e in root if _local(e) == "core"]
    if len(cores) != 1:
        raise refused("dwca-core-count", file=member, count=str(len(cores)))
    extensions = [e for e in root if _local(e) == "extension"]
    reader = _Reader(source, member, report)
    core = reader.file_set(cores[0], "id", key_needed=bool(extensions))
    return Descriptor(
        file=member,
        core=core,
        extensions=tuple(reader.file_set(e, "coreid", key_needed=True) for e in extensions),
        metadata=reader.metadata(root.get("metadata")),
    )


class _Reader:
    """Turns elements of one descriptor into file sets."""

    def __init__(self, source: Source, member: str, report: Report) -> None:
        self._source = source
        self._member = member
        self._report = report
        self._folder = member.rpartition("/")[0]
        self._by_case = {m.casefold(): m for m in source.members}

    def file_set(self, element: Element, key_name: str, *, key_needed: bool) -> FileSet:
        row_type = element.get("rowType") or ""
        index = [e for e in element if _local(e) == key_name]
        key = self._index(index[0].get("index"), key_name) if index else None
        if key is None and key_needed:
            raise refused(
                "dwca-key-missing",
                file=self._member,
                element=key_name,
                record=short_name(row_type) or _local(element),
            )
        fields = self._fields(element)
        record = record_type(row_type, [field.name for field in fields])
        return FileSet(
            type=record,
            files=self._locations(element, record),
            fields=fields,
            key=key,
            encoding=known_encoding(element.get("encoding") or "UTF-8"),
            delimiter=self._mark(element, "fieldsTerminatedBy", ","),
            quote=self._mark(element, "fieldsEnclosedBy", '"'),
            line_end=self._mark(element, "linesTerminatedBy", "\n").strip(" ") or "\n",
            header_lines=self._index(element.get("ignoreHeaderLines") or "0", "ignoreHeaderLines")
            or 0,
        )

    def metadata(self, location: str | None) -> str | None:
        """The member that describes the dataset; an absent one is told, not fatal."""
        if not location or not location.strip():
            names = [self._inside(name) for name in _METADATA_NAMES]
            return next((n for n in names if n in self._source.members), None)
        found = None if _is_remote(location) else self._member_at(location.strip())
        if found is None:
            self._report(
                Finding(
                    "dwca-metadata-missing", Severity.WARNING, file=self._member, value=location
                )
            )
        return found

    def _locations(self, element: Element, record: str) -> tuple[str, ...]:
        named = [
            (location.text or "").strip()
            for files in element
            if _local(files) == "files"
            for location in files
            if _local(location) == "location"
        ]
        if not any(named):
            raise refused("dwca-location-missing", file=self._member, record=record)
        found = []
        for location in named:
            if _is_remote(location):
                raise refused("dwca-location-remote", file=self._member, value=location)
            member = self._member_at(location)
            if member is None:
                raise refused("dwca-file-missing", file=self._member, value=location, record=record)
            found.append(member)
        return tuple(found)

    def _member_at(self, location: str) -> str | None:
        """The member a location leads to; refused when it leads out of the archive."""
        plain = location.replace("\\", "/")
        parts = [p for p in plain.split("/") if p not in ("", ".")]
        outside = plain.startswith(("/", "~")) or ".." in parts or re.match(r"[A-Za-z]:", plain)
        if outside:
            raise refused("dwca-location-outside", file=self._member, value=location)
        name = self._inside("/".join(parts))
        if name in self._source.members:
            return name
        return self._by_case.get(name.casefold())

    def _inside(self, name: str) -> str:
        return f"{self._folder}/{name}" if self._folder else name

    def _fields(self, element: Element) -> tuple[Field, ...]:
        fields: list[Field] = []
        taken: set[str] = set()
        for e in (e for e in element if _local(e) == "field"):
            address = (e.get("term") or "").strip()
            if not address:
                raise refused("dwca-term-missing", file=self._member)
            name = short_name(address)
            if name in taken:
                # dc:type and dcterms:type: the second keeps its full address, nothing is lost.
                name = address
            if name in taken:
                self._report(
                    Finding("dwca-term-twice", Severity.WARNING, file=self._member, field=address)
                )
                continue
            taken.add(name)
            index = self._index(e.get("index"), address) if e.get("index") is not None else None
            default = e.get("default")
            if index is not None or default:
                fields.append(Field(name, index, default or None))
        return tuple(fields)

    def _index(self, text: str | None, field: str) -> int:
        if text is None or not re.fullmatch(r"\s*\d{1,6}\s*", text) or int(text) > _MOST_COLUMNS:
            raise refused("dwca-index", file=self._member, field=field, value=text or "")
        return int(text)

    def _mark(self, element: Element, attribute: str, default: str) -> str:
        text = element.get(attribute)
        if text is None:
            return default
        return re.sub(r"\\[tnrf\\]", lambda found: _ESCAPES[found.group()], text)


def _local(element: Element) -> str:
    """An element's name without its namespace: archives in the wild leave that out."""
    return str(element.tag).rpartition("}")[2]


def _is_remote(location: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", location) is not None
