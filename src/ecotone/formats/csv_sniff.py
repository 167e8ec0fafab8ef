"""The beginning of a table looked at: what divides its fields, and what stands above it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ecotone.formats.base import Source
from ecotone.formats.cells import NUMBER
from ecotone.formats.csv_scan import BAD_BYTE, Scan, cells_of, make_dialect, scan
from ecotone.formats.csv_text import TextStream

_DELIMITERS: Final = ",;\t|"
_SNIFF_BYTES: Final = 1 << 16
_SNIFF_ROWS: Final = 200
_AGREE: Final = 0.9
_MOST_TITLES: Final = 10
#: Records at the head, where the names of the columns stand.
_HEAD: Final = 2
_DATE: Final = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}(?:[T ]\d{1,2}:\d\d[\d:.Z+-]*)?$")
#: A file of nothing but this delimiter is more likely divided by it than one column of it.
_ONLY_DELIMITERS: Final = 0.05
#: Excel writes and obeys a first line that names the delimiter.
_EXCEL_SAYS: Final = re.compile(rb"\"?sep=([,;\t|])\"?(?:\r\n|\n|\r)", re.I)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the beginning of a table shows."""

    delimiter: str
    sure: bool  #: several records agree on the number of fields
    records: tuple[tuple[str, ...], ...]  #: from the table's first line on
    skip: int = 0  #: lines above the table
    titles: tuple[str, ...] = ()  #: what stands there


def sniff(
    source: Source,
    member: str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = '"',
) -> Sniffed:
    """The delimiter whose records agree best on their number of fields, and those records."""
    with source.open(member) as raw:
        text = TextStream(raw, encoding, member, lambda finding: None)
        head = text.read(_SNIFF_BYTES)
        while len(head) < _SNIFF_BYTES and (fresh := text.read(_SNIFF_BYTES)):
            head += fresh
        whole = text.ended
    # Marks in the letters would make records bad; the cells are only looked at.
    head = head.replace(b"\0", b" ").replace(bytes((BAD_BYTE,)), b"?")
    said = _EXCEL_SAYS.match(head)
    if said is not None and delimiter is None:
        delimiter = said[1].decode()
    if said is not None:
        head = head[said.end() :]
    best = Sniffed(delimiter or ",", False, ())
    best_score = (-1.0, 0.0, 0)
    for candidate in delimiter or _DELIMITERS:
        dialect = make_dialect(candidate, quote, None, member)
        found = scan(
            head, dialect, expected=-1, most=_SNIFF_ROWS, line=2 if said else 1, row=0,
            final=whole or b"\n" not in head, max_field=_SNIFF_BYTES,
        )  # fmt: skip
        score, seen = _judge(candidate, found)
        if score > best_score:
            best_score, best = score, seen
    return best


def _judge(delimiter: str, found: Scan) -> tuple[tuple[float, float, int], Sniffed]:
    """How well records agree: their share, what is at their head and in their cells, their fields.

    Where every row has its decimal commas, the comma divides as evenly as the delimiter does;
    but then the names of the columns are divided otherwise, or dates and numbers are torn apart.
    """
    counts = [int(c) for c in found.fields]
    if not counts:
        return (_ONLY_DELIMITERS if found.blank else -1.0, 0.0, 0), Sniffed(delimiter, False, ())
    usual = max(set(counts), key=lambda c: (counts.count(c), c))
    share = counts.count(usual) / (len(counts) + len(found.bad))
    records = tuple(tuple(cells) for cells in cells_of(found))
    head = counts[:_HEAD].count(usual) / len(counts[:_HEAD])
    score = (round(share, 1) if usual > 1 else 0.0, head + _typed(records), usual)
    above = _titles_above(records, usual)
    skip = int(found.line[above]) - 1 if above or int(found.line[0]) == 2 else 0
    titles = tuple(next(c for c in r if c) for r in records[:above])
    agree = usual > 1 and share > _AGREE and len(counts) > 1
    return score, Sniffed(delimiter, agree, records[above:], skip, titles)


def _titles_above(records: Sequence[Sequence[str]], usual: int) -> int:
    """How many records stand above the table: a line of prose, or one cell among empty ones.

    A table of two columns may be mostly empty, so nothing is taken for its title.
    """
    above = 0
    for record, following in itertools.pairwise(records[: _MOST_TITLES + 1]):
        alone = sum(map(bool, record)) == 1 and sum(map(bool, following)) > 1
        short = len(record) == 1 or len(record) < usual - 1
        if usual < 3 or not (short or alone):
            break
        above += 1
    return above


def _typed(records: Sequence[Sequence[str]]) -> float:
    """The share of cells that are numbers or dates, whole as they were written."""
    cells = [cell for record in records for cell in record]
    return sum(bool(NUMBER.fullmatch(cell) or _DATE.match(cell)) for cell in cells) / len(cells)
