"""The content of a report, free of any page, screen or sheet.

One tree of these parts is made once (``build.py``) and shown by four back ends
(``html``, ``pdf``, ``xlsx``, ``docx``), so that the four can never say different
things. Text is a tuple of small pieces, never markup, so nothing a delivery
holds can be taken for a command by a back end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ecotone.model.words import Language

Tone = Literal["good", "warn", "bad", "neutral"]
ColumnKind = Literal["text", "number", "date", "code", "status"]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False


@dataclass(frozen=True, slots=True)
class Cite:
    """A place where a source is cited; ``key`` names one of the document's citations."""

    key: str


@dataclass(frozen=True, slots=True)
class TraceRef:
    """A small label beside a number: the row of the traceability table that explains it."""

    label: str


Inline = Run | Cite | TraceRef
Text = tuple[Inline, ...]

_MARKS = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^*\s][^*]*)\*|\[@(?P<cite>[^\]\s]+)\]")


def plain(text: str) -> Text:
    """Text taken as it is, whatever it holds."""
    return (Run(clean(text)),)


def marked(text: str) -> Text:
    """Our own sentences: ``**bold**``, ``*italic*`` and ``[@key]`` for a citation."""
    pieces: list[Inline] = []
    at = 0
    for match in _MARKS.finditer(text):
        if match.start() > at:
            pieces.append(Run(clean(text[at : match.start()])))
        if match["cite"]:
            pieces.append(Cite(match["cite"]))
        else:
            words = match["bold"] or match["italic"]
            pieces.append(Run(clean(words), bold=bool(match["bold"]), italic=bool(match["italic"])))
        at = match.end()
    if at < len(text):
        pieces.append(Run(clean(text[at:])))
    return tuple(pieces)


def clean(text: str) -> str:
    r"""Text fit for paper: controls and invisible characters shown as ``\x..``, line ends kept.

    A carriage return, a bell or a right-to-left override inside a delivered
    value would break XML, hide text or turn it round; shown as what they are,
    they do neither.
    """
    if text.isprintable():
        return text
    return "".join(
        c
        if c.isprintable() or c in "\n\u00a0\u202f\u2009\u3000\u200b\u2060"
        else (" " if c == "\t" else f"\\x{ord(c):02x}")
        for c in text.replace("\r\n", "\n")
    )


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what is needed to judge it; ``value`` None means undefined.

    A ``share`` is held as a fraction of one, as the run has it, and read as a percentage.
    """

    value: float | int | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    level: float | None = None
    se: float | None = None
    share: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """A verdict in a table cell: words, and a tone shown by shape and colour."""

    text: str
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class Measured:
    """A number in a table cell, its trace label beside it, its interval under or beside it.

    ``bare`` where the unit stands elsewhere in the row or in the head of the column.
    """

    quantity: Quantity
    trace: str = ""
    bare: bool = False
    beside: bool = False


Cell = str | int | float | date | Status | Measured | Text | None


@dataclass(frozen=True, slots=True)
class Heading:
    """A chapter (level 1) or a section inside it (2, 3)."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: Text


@dataclass(frozen=True, slots=True)
class ItemList:
    """A list, with bullets or numbers."""

    items: tuple[Text, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; numbers are aligned right and share their decimals.

    A column ``book_only`` stands in the workbook and on no page; one of ``share`` holds
    fractions of one that are read as percentages.
    """

    title: str
    kind: ColumnKind = "text"
    unit: str = ""
    decimals: int | None = None
    book_only: bool = False
    share: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; beyond ``limit`` rows only the workbook holds them all.

    ``where`` says whether it stands on pages, in the workbook, or in both; ``source`` names
    the file of the run its rows were read from; ``sheet`` is its name in the workbook.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: Text
    note: Text = ()
    limit: int = 40
    where: Literal["both", "page", "book"] = "both"
    source: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with a caption and words for who cannot see it; ``source`` names its data."""

    png: bytes
    caption: Text
    alt: str
    width: float = 1.0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Map:
    """A map; the disclaimer and the approval number stand under it wherever it is shown."""

    png: bytes
    caption: Text
    alt: str
    disclaimer: str = ""
    approval: str = ""
    width: float = 1.0
    source: str = ""


@dataclass(frozen=True, slots=True)
class KeyNumber:
    """One number the chapter is about."""

    label: str
    quantity: Quantity
    trace: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class KeyNumbers:
    """The few numbers a hurried reader takes away."""

    items: tuple[KeyNumber, ...]
    name: str = "key-numbers"


@dataclass(frozen=True, slots=True)
class Callout:
    """A remark set apart."""

    title: str
    text: Text
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class CitationList:
    """The place where the cited sources are listed."""


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows starts on a new page."""


Block = (
    Heading
    | Paragraph
    | ItemList
    | Table
    | Figure
    | Map
    | KeyNumbers
    | Callout
    | CitationList
    | PageBreak
)


@dataclass(frozen=True, slots=True)
class Citation:
    """A source; ``text`` is the full reference, ``url`` where it can be opened."""

    key: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who of which party approved, and when."""

    party: str
    person: str
    on: date


@dataclass(frozen=True, slots=True)
class Traced:
    """A number of the report and where it stands in the run: file, and key in that file."""

    label: str
    what: str
    region: str
    period: str
    quantity: Quantity
    path: str
    key: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report in one language."""

    title: str
    lang: Language
    on: date
    identifier: str
    subtitle: str = ""
    status: str = "draft"
    parties: tuple[str, ...] = ()
    approvals: tuple[Approval, ...] = ()
    reader: str = ""
    blocks: tuple[Block, ...] = ()
    citations: tuple[Citation, ...] = ()
    traced: tuple[Traced, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A block with its number (``2.1``, ``3``) and the anchor others point at."""

    block: Block
    number: str
    anchor: str


def arrange(document: Document) -> tuple[Placed, ...]:
    """Number headings, tables, figures and maps, once for all back ends.

    A table that stands in the workbook alone has no number: a reader of the pages would miss it.
    """
    levels = [0, 0, 0]
    counts = {"table": 0, "figure": 0, "map": 0}
    placed: list[Placed] = []
    for block in document.blocks:
        number = anchor = ""
        if isinstance(block, Heading):
            levels[block.level - 1] += 1
            levels[block.level :] = [0] * (3 - block.level)
            number = ".".join(str(n) for n in levels[: block.level])
            anchor = f"section-{number.replace('.', '-')}"
        elif isinstance(block, Table) and block.where == "book":
            pass
        elif isinstance(block, Table | Figure | Map):
            kind = type(block).__name__.lower()
            counts[kind] += 1
            number = str(counts[kind])
            anchor = f"{kind}-{number}"
        placed.append(Placed(block, number, anchor))
    return tuple(placed)


def citation_numbers(document: Document) -> dict[str, int]:
    """Sources numbered in the order they are first cited, uncited ones last."""
    order: dict[str, int] = {}
    for block in document.blocks:
        for text in _texts(block):
            for piece in text:
                if isinstance(piece, Cite):
                    order.setdefault(piece.key, len(order) + 1)
    for citation in document.citations:
        order.setdefault(citation.key, len(order) + 1)
    return order


def _texts(block: Block) -> tuple[Text, ...]:
    """The running texts of a block, where a citation may stand."""
    if isinstance(block, Paragraph | Callout):
        return (block.text,)
    if isinstance(block, ItemList):
        return block.items
    if isinstance(block, Table):
        return (block.caption, block.note)
    if isinstance(block, Figure | Map):
        return (block.caption,)
    return ()
