"""CSV inputs of indicators: text columns under our own names, whatever the header's language."""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.formats.base import ReadOptions, Source
from ecotone.formats.delimited import read_blocks, sniff
from ecotone.formats.safe import open_source
from ecotone.formats.xlsx import FORMAT
from ecotone.model.errors import InputRefused
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say

_WORKBOOKS: Final = frozenset({".xlsx", ".xlsm"})
#: Findings of one code that are told one by one; the rest are counted.
_TOLD: Final = 20


@dataclass
class Notes:
    """Findings, each code told a few times and then counted."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Keep a finding, or count it."""
        self.counts[finding.code] += 1
        if self.counts[finding.code] <= _TOLD:
            self.findings.append(finding)

    def all(self) -> list[Finding]:
        """What was kept, and one line for each code of which more were found."""
        more = [
            Finding(
                "more-of-these",
                Severity.INFO,
                params={"code": code, "count": str(count - _TOLD)},
            )
            for code, count in self.counts.items()
            if count > _TOLD
        ]
        return self.findings + more


@dataclass(frozen=True)
class TextTable:
    """A CSV file as text.

    Attributes:
        frame: the known columns by attribute, and ``row``, the number of each in its file.
        decimal_comma: whether ``0,5`` is a number here: columns are parted by something else.
    """

    frame: pd.DataFrame
    decimal_comma: bool


def plain(text: str) -> str:
    """A name without case, width, punctuation and spacing.

    >>> plain("Ed. izm."), plain("station_ID")
    ('edizm', 'stationid')
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return re.sub(r"[\s_\-.№#:]+", "", folded)


def read_table(
    path: Path, wanted: tuple[str, ...], needed: tuple[str, ...], notes: Notes
) -> TextTable:
    """Read the ``wanted`` attributes of a CSV file.

    Rows that cannot be read as rows are findings and left out. Raises InputRefused where a
    ``needed`` attribute has no column; the sentence names the columns there are.
    """
    blocks = []
    decimal_comma = False
    for frame, row, comma in _blocks(path, notes):
        decimal_comma = comma
        columns = _recognise(list(frame.columns), wanted)
        missing = [name for name in needed if name not in columns]
        if missing:
            raise InputRefused(
                say(
                    "assess.table.column-missing",
                    name=path.name,
                    wanted=", ".join(missing),
                    given=", ".join(frame.columns),
                ),
                say("assess.table.column-missing.do"),
            )
        kept = pd.DataFrame({a: frame[header] for a, header in columns.items()})
        kept["row"] = row
        blocks.append(kept)
    return TextTable(_joined(blocks, path), decimal_comma)


def read_whole(path: Path, notes: Notes) -> TextTable:
    """All columns of a CSV file under their own headers, and ``row``."""
    blocks = []
    decimal_comma = False
    for frame, row, comma in _blocks(path, notes):
        decimal_comma = comma
        blocks.append(frame.assign(row=row))
    return TextTable(_joined(blocks, path), decimal_comma)


def attributes(headers: list[str], wanted: tuple[str, ...]) -> dict[str, str]:
    """``{attribute: header}`` of the ``wanted`` attributes that a file has."""
    return _recognise(headers, wanted)


def headers_of(path: Path) -> list[str]:
    """The headers of a CSV file; what is wrong with its rows is told when they are read."""
    for frame, _, _ in _blocks(path, Notes()):
        return list(frame.columns)
    raise InputRefused(say("assess.table.empty", name=path.name))


def _joined(blocks: list[pd.DataFrame], path: Path) -> pd.DataFrame:
    if not blocks:
        raise InputRefused(say("assess.table.empty", name=path.name))
    return pd.concat(blocks, ignore_index=True)


def _blocks(path: Path, notes: Notes) -> Iterator[tuple[pd.DataFrame, NDArray[np.int64], bool]]:
    """Text columns, the number of each row, and whether ``0,5`` is a number."""
    with open_source(path) as source:
        if path.suffix.casefold() in _WORKBOOKS and FORMAT.recognise(source):
            yield from _of_workbook(source, path, notes)
            return
        member = source.only
        if member is None:
            raise InputRefused(say("assess.table.not-a-table", name=path.name))
        dialect = sniff(source, member, encoding=None, quote='"')
        for block in read_blocks(
            source,
            member,
            options=ReadOptions(),
            delimiter=dialect.delimiter,
            encoding=None,
            header_lines=dialect.skip + 1,
            report=notes.add,
            reject=lambda file, row, line, raw: None,
        ):
            yield block.frame, block.row, dialect.delimiter != ","


def _of_workbook(
    source: Source, path: Path, notes: Notes
) -> Iterator[tuple[pd.DataFrame, NDArray[np.int64], bool]]:
    """The first sheet with a table; others are told."""
    first = None
    others = set()
    for block in FORMAT.read(source, ReadOptions(), notes.add, lambda file, row, line, raw: None):
        sheet = block.metadata.get("sheet", "")
        first = sheet if first is None else first
        if sheet == first:
            yield block.frame, block.row, True
        else:
            others.add(sheet)
    if others:
        notes.add(
            Finding(
                "sheets-unread", Severity.WARNING, file=path.name, value=", ".join(sorted(others))
            )
        )


@functools.cache
def _synonyms() -> dict[str, dict[str, int]]:
    """``{plain header: {attribute: its rank among the attribute's headers}}``."""
    text = resources.files("ecotone.assess.indicators").joinpath("columns.csv").read_text("utf-8")
    found: dict[str, dict[str, int]] = {}
    for line in csv.DictReader(text.splitlines()):
        for rank, header in enumerate(line["headers"].split("|")):
            found.setdefault(plain(header), {}).setdefault(line["attribute"], rank)
    return found


def _recognise(headers: list[str], wanted: tuple[str, ...]) -> dict[str, str]:
    """``{attribute: header}``; of several headers for one attribute the likeliest."""
    found: dict[str, tuple[int, str]] = {}
    for header in headers:
        for attribute, rank in _synonyms().get(plain(header), {}).items():
            if attribute in wanted and rank < found.get(attribute, (rank + 1, ""))[0]:
                found[attribute] = (rank, header)
    return {attribute: header for attribute, (_, header) in found.items()}
