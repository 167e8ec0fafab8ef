"""Darwin Core Archive: delimited text files and ``meta.xml`` that says what their columns are.

Reads a zip, a tar (plain or packed) or a folder; a core in one or several files, extensions
that join it by ``coreid``; an archive without descriptor when it holds one table of Darwin Core
terms. Extension rows whose core record is nowhere, and core rows whose id repeats, are rejected
one by one, with their text. Writing is in :mod:`ecotone.formats.dwca_write`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Refused, Reject, Report, Source, refused
from ecotone.formats.dwc_terms import dwc_terms, dwc_type_of
from ecotone.formats.dwca_meta import Descriptor, FileSet, find_meta, read_meta
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from ecotone.formats.delimited import Block
    from ecotone.formats.keybook import KeyBook

#: How databases print "no value" into text files.
_MISSING: Final = ("", "\\N")
_TABLES: Final = (".csv", ".txt", ".tsv", ".tab")
_PEEK: Final = 1 << 18
_PEEK_RECORDS: Final = 100
#: Names of the id column where no term claims it.
CORE_ID: Final = "id"
EXTENSION_ID: Final = "coreid"
#: Descriptions that fail to describe; anything else refused there is an attack on the reader.
_BROKEN: Final = frozenset({"xml-broken", "xml-encoding", "eml-not-eml", "eml-no-dataset"})


class DarwinCoreArchive:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "dwca"
    title_key = "format.dwca.title"
    extensions = (".zip", ".tar.gz", ".tgz")
    spec = "https://dwc.tdwg.org/text/"

    def recognise(self, source: Source) -> bool:
        """A descriptor, or one table whose headers are Darwin Core terms."""
        if source.kind == "file":
            return _is_descriptor(source)
        return find_meta(source) is not None or _lone_table(source) is not None

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the core, then each extension."""
        from ecotone.formats.safe import open_source

        if _is_descriptor(source):
            # The descriptor was named alone; its tables lie beside it.
            with open_source(source.path.absolute().parent, source.limits) as folder:
                yield from _read(folder, source.name, options, report, reject)
        else:
            yield from _read(source, find_meta(source), options, report, reject)


FORMAT = DarwinCoreArchive()


def _is_descriptor(source: Source) -> bool:
    return source.kind == "file" and source.only is not None and source.only.lower() == "meta.xml"


def _read(
    source: Source, meta: str | None, options: ReadOptions, report: Report, reject: Reject
) -> Iterator[Table]:
    if meta is None:
        descriptor = _described_by_header(source)
    else:
        descriptor = read_meta(source, meta, report)
        _tell_left_alone(source, descriptor, report)
    yield from _Reader(source, options, report, reject, descriptor).tables()


@dataclass
class _Reader:
    """One pass over one archive."""

    source: Source
    options: ReadOptions
    report: Report
    reject: Reject
    descriptor: Descriptor
    metadata: dict[str, str] = field(default_factory=dict)

    def tables(self) -> Iterator[Table]:
        from ecotone.formats.keybook import KeyBook

        self.metadata = _metadata(self.source, self.descriptor, self.report)
        self.metadata["core"] = self.descriptor.core.type
        ids = KeyBook()
        yield from self._core(ids)
        for extension in self.descriptor.extensions:
            yield from self._extension(extension, ids)

    def _core(self, ids: KeyBook) -> Iterator[Table]:
        core = self.descriptor.core
        needed = bool(self.descriptor.extensions)
        key = None if core.key is None else _name_of(core, core.key, CORE_ID)
        for member, block in self._blocks(core):
            frame = _named(core, block.frame, key)
            if key is not None:
                empty = frame[key].isna().to_numpy(dtype=bool)
                again = ids.add(frame[key])
                if needed:
                    self._turn_away("dwca-id-empty", member, block, frame, empty, key)
                self._turn_away("dwca-id-twice", member, block, frame, again, key)
                keep = ~again & ~(empty & needed)
                if not keep.all():
                    frame = frame[keep].reset_index(drop=True)
                    block = dataclasses.replace(
                        block, frame=frame, row=block.row[keep], line=block.line[keep]
                    )
            yield self._table(core, member, frame, block, key)

    def _extension(self, extension: FileSet, ids: KeyBook) -> Iterator[Table]:
        for member, block in self._blocks(extension):
            frame = _named(extension, block.frame, EXTENSION_ID)
            known = ids.has(frame[EXTENSION_ID])
            self._turn_away(
                "dwca-core-not-found",
                member,
                block,
                frame,
                ~known,
                EXTENSION_ID,
                core=self.descriptor.core.type,
            )
            if not known.all():
                frame = frame[known].reset_index(drop=True)
                block = dataclasses.replace(
                    block, frame=frame, row=block.row[known], line=block.line[known]
                )
            yield self._table(extension, member, frame, block, None)

    def _blocks(self, files: FileSet) -> Iterator[tuple[str, Block]]:
        """The blocks of all files of a set; at least one, so that an empty file is a table."""
        from ecotone.formats.delimited import read_blocks

        options = dataclasses.replace(
            self.options, missing=tuple(dict.fromkeys((*self.options.missing, *_MISSING)))
        )
        for member in files.files:
            width = self._width_of(member, files)
            columns = [str(position) for position in range(width)]
            blank = True
            for block in read_blocks(
                self.source,
                member,
                options=options,
                delimiter=self.options.delimiter or files.delimiter,
                encoding=self.options.encoding or files.encoding,
                quote=files.quote,
                header_lines=files.header_lines,
                columns=columns,
                line_end=None if files.line_end in ("\n", "\r", "\r\n") else files.line_end,
                report=self.report,
                reject=self.reject,
            ):
                blank = False
                yield member, block
            if blank:
                yield member, _empty_block(columns)

    def _width_of(self, member: str, files: FileSet) -> int:
        """How many columns a file has; columns the descriptor only imagines are told."""
        width = _width(self.source, member, files, self.options.encoding)
        if width is None:
            return max([f.index or 0 for f in files.fields] + [files.key or 0]) + 1
        if files.key is not None and files.key >= width:
            raise refused("dwca-key-beyond", file=member, index=str(files.key), width=str(width))
        absent = [f.name for f in files.fields if f.index is not None and f.index >= width]
        if absent:
            params = {"columns": ", ".join(absent), "width": str(width)}
            self.report(
                Finding("dwca-columns-absent", Severity.WARNING, file=member, params=params)
            )
        return width

    def _turn_away(
        self,
        code: str,
        member: str,
        block: Block,
        frame: pd.DataFrame,
        mask: object,
        column: str,
        **params: str,
    ) -> None:
        """Reject rows by a broken key, each with its finding and its text."""
        from ecotone.formats.turned_away import turn_away

        turn_away(
            code,
            frame,
            mask,
            column,
            member,
            block.row,
            block.line,
            self.report,
            self.reject,
            **params,
        )

    def _table(
        self, files: FileSet, member: str, frame: pd.DataFrame, block: Block, key: str | None
    ) -> Table:
        return Table(
            type=files.type,
            frame=frame,
            row=block.row,
            line=block.line,
            file=member,
            vocabulary="dwc",
            key=key,
            metadata=dict(self.metadata),
        )


def _named(files: FileSet, block: pd.DataFrame, key: str | None) -> pd.DataFrame:
    """The block's columns under the names of their terms, defaults filled in."""
    import pandas as pd

    columns: dict[str, pd.Series] = {}
    if key is not None and files.key is not None:
        columns[key] = block.iloc[:, files.key]
    for term in files.fields:
        if term.index is None or term.index >= block.shape[1]:
            column = pd.Series(term.default, index=block.index, dtype="str")
        else:
            column = block.iloc[:, term.index]
            if term.default is not None:
                column = column.fillna(term.default)
        columns[term.name] = column
    return pd.DataFrame(columns, index=block.index)


def _name_of(files: FileSet, index: int, otherwise: str) -> str:
    """The term that stands at a position, or a name for the column that has none."""
    return next((f.name for f in files.fields if f.index == index), otherwise)


def _width(source: Source, member: str, files: FileSet, encoding: str | None) -> int | None:
    """How many columns a file has, None for one without rows.

    A descriptor need not mention them all, and may mention more. What most of the first records
    have counts, so that one damaged record does not decide.
    """
    from ecotone.formats.csv_text import TextStream

    with source.open(member) as stream:
        text = TextStream(stream, encoding or files.encoding, member, lambda finding: None)
        head = text.read(_PEEK).decode("utf-8", errors="replace")
    lines = head.splitlines(keepends=True)[files.header_lines :]
    counts = [len(r) for r in _records("".join(lines), files.delimiter, files.quote) if r]
    return max(statistics.multimode(counts), default=None)


def _records(text: str, delimiter: str, quote: str) -> list[list[str]]:
    """The first records of a delimited text; their cells are only counted, or name columns."""
    if len(delimiter) != 1 or len(quote) > 1:
        return []  # refused where the table is truly read
    reader = (
        csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
        if quote
        else csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    )
    try:
        return list(itertools.islice(reader, _PEEK_RECORDS))
    except csv.Error:  # a cell larger than the csv module takes: the true reader judges it
        return []


def _empty_block(columns: list[str]) -> Block:
    import numpy as np
    import pandas as pd

    from ecotone.formats.delimited import Block

    none = np.array([], dtype=np.int64)
    return Block(
        frame=pd.DataFrame({c: pd.Series([], dtype="str") for c in columns}), row=none, line=none
    )


def _metadata(source: Source, descriptor: Descriptor, report: Report) -> dict[str, str]:
    """What the dataset says of itself; a broken description does not cost the records."""
    from ecotone.formats.eml import read_eml

    if descriptor.metadata is None:
        return {}
    try:
        return read_eml(source, descriptor.metadata, report)
    except Refused as error:
        if error.finding.code not in _BROKEN:
            raise
        report(dataclasses.replace(error.finding, severity=Severity.WARNING))
        return {}


def _tell_left_alone(source: Source, descriptor: Descriptor, report: Report) -> None:
    """Tables that lie in the archive but that the descriptor does not mention."""
    used = {f for files in (descriptor.core, *descriptor.extensions) for f in files.files}
    for member in source.members:
        if member.lower().endswith(_TABLES) and member not in used:
            report(Finding("dwca-file-not-described", Severity.INFO, file=member))


# --- archives without a descriptor ---------------------------------------------------------


def _lone_table(source: Source) -> str | None:
    """The only table of an archive without descriptor, when its headers are Darwin Core terms."""
    tables = [m for m in source.members if m.lower().endswith(_TABLES)]
    others = [m for m in source.members if m not in tables and not m.lower().endswith(".xml")]
    if len(tables) != 1 or others:
        return None
    headers, _ = _header(source, tables[0])
    return tables[0] if dwc_type_of(headers) else None


def _header(source: Source, member: str) -> tuple[list[str], str]:
    """The header of a table nobody described, and what separates its fields."""
    with source.open(member) as stream:
        head = stream.read(_PEEK)
    line = (head.decode("utf-8-sig", errors="replace").splitlines() or [""])[0]
    delimiter = max("\t,;|", key=line.count)
    records = _records(line, delimiter, '"')
    return (records[0] if records else []), delimiter


def _described_by_header(source: Source) -> Descriptor:
    """A descriptor for an archive whose only table says by its headers what it holds."""
    from ecotone.formats.dwc_terms import KEYS
    from ecotone.formats.dwca_meta import Field

    member = _lone_table(source)
    if member is None:
        raise refused("dwca-no-descriptor", file=source.name)
    headers, delimiter = _header(source, member)
    terms = dwc_terms(headers)
    fields = tuple(Field(terms.get(h, h), index) for index, h in enumerate(headers))
    record = dwc_type_of(headers) or "Occurrence"
    own = KEYS.get(record)
    core = FileSet(
        type=record,
        files=(member,),
        fields=fields,
        key=next((f.index for f in fields if f.name == own), None),
        delimiter=delimiter,
        header_lines=1,
    )
    described = next((m for m in source.members if m.lower().endswith(".xml")), None)
    return Descriptor(member, core, (), described)
