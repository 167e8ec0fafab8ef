"""A document turned into what is printed: every number and date already words.

``html``, ``pdf`` and ``docx`` show this tree and format nothing themselves; the
workbook takes the numbers as numbers. The tree is plain JSON (pictures apart).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ecotone.model import words
from ecotone.model.words import Language
from ecotone.report import glyphs, l10n
from ecotone.report.document import (
    Callout,
    Cell,
    CitationList,
    Cite,
    Column,
    Document,
    Figure,
    Heading,
    ItemList,
    KeyNumbers,
    Map,
    Measured,
    PageBreak,
    Paragraph,
    Placed,
    Run,
    Status,
    Table,
    Text,
    TraceRef,
    arrange,
    citation_numbers,
    clean,
)

Node = dict[str, Any]
_PAGE: Final = 453.0  # points across the text of a page
_SIZES: Final = ((6, 8.8), (8, 8.0), (999, 7.2))  # type by number of columns, as in report.typ
_PADDING: Final = 10.5  # points between the texts of two columns
_TEXT: Final = 24.0  # em of running text a column may ask for
_HASH: Final = 20.0  # em after which a hash or a path is broken
_BROKEN: Final = 0.6  # of a word in the head of a column that must stay on one line
_SIGN: Final = 1.2  # em of the sign before a verdict
_FIXED: Final = (
    "contents",
    "page",
    "of",
    "parties",
    "approvals",
    "reader",
    "date",
    "identifier",
    "status",
    "not-approved",
)


@dataclass(frozen=True, slots=True)
class Presented:
    """The tree and the pictures it names (``figure-1.png``: bytes)."""

    tree: Node
    pictures: dict[str, bytes]


def present(document: Document) -> Presented:
    """The whole document in words; raises MissingGlyph when it cannot be drawn."""
    lang = document.lang
    placed = arrange(document)
    numbers = citation_numbers(document)
    pictures: dict[str, bytes] = {}
    blocks = [
        _block(p, document, numbers, pictures)
        for p in placed
        if not (isinstance(p.block, Table) and p.block.where == "book")
    ]
    tree: Node = {
        "lang": lang,
        "place": words.say("report.place.cover", lang),
        "title": clean(document.title),
        "subtitle": clean(document.subtitle),
        "identifier": clean(document.identifier),
        "iso": document.on.isoformat(),
        "date": l10n.day(document.on, lang),
        "status": document.status,
        "banner": words.say(f"report.status.{document.status}", lang),
        "parties": [clean(p) for p in document.parties],
        "reader": clean(document.reader),
        "approvals": [
            {"party": clean(a.party), "person": clean(a.person), "date": l10n.day(a.on, lang)}
            for a in document.approvals
        ],
        "words": {key: words.say(f"report.fixed.{key}", lang) for key in _FIXED},
        # The sections of a chapter are nearly the same in all: they would bury the chapters.
        "contents": [
            {"number": p.number, "text": p.block.text, "anchor": p.anchor}
            for p in placed
            if isinstance(p.block, Heading) and p.block.level == 1
        ],
        "blocks": blocks,
    }
    glyphs.check(glyphs.gather(tree), lang)
    return Presented(tree, pictures)


def _block(
    placed: Placed, document: Document, cited: dict[str, int], pictures: dict[str, bytes]
) -> Node:
    block, lang = placed.block, document.lang

    def runs(text: Text) -> list[Node]:
        return [_run(piece, cited, lang) for piece in text]

    if isinstance(block, Heading):
        return {
            "kind": "heading",
            "level": block.level,
            "number": placed.number,
            "text": clean(block.text),
            "anchor": placed.anchor,
            "place": f"{placed.number} {block.text}",
        }
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "runs": runs(block.text)}
    if isinstance(block, ItemList):
        items = [runs(item) for item in block.items]
        return {"kind": "list", "numbered": block.numbered, "items": items}
    if isinstance(block, Table):
        return _table(block, placed, lang, runs)
    if isinstance(block, Figure | Map):
        return _picture(block, placed, lang, runs, pictures)
    if isinstance(block, KeyNumbers):
        return {"kind": "keynumbers", "items": _key_numbers(block, lang)}
    if isinstance(block, Callout):
        return {
            "kind": "callout",
            "tone": block.tone,
            "title": clean(block.title),
            "runs": runs(block.text),
        }
    if isinstance(block, CitationList):
        return {"kind": "citations", "items": _citations(document, cited)}
    if isinstance(block, PageBreak):
        return {"kind": "pagebreak"}
    raise TypeError(f"no presentation for {type(block).__name__}")


def _run(piece: Run | Cite | TraceRef, cited: dict[str, int], lang: Language) -> Node:
    if isinstance(piece, Cite):
        number = cited[piece.key]
        return {"style": "cite", "text": f"[{number}]", "href": f"cite-{number}"}
    if isinstance(piece, TraceRef):
        return {"style": "trace", "text": f"[{piece.label}]", "href": f"trace-{piece.label}"}
    style = (
        "code" if piece.code else "bold" if piece.bold else "italic" if piece.italic else "plain"
    )
    return {"style": style, "text": piece.text, "href": ""}


def _table(
    block: Table, placed: Placed, lang: Language, runs: Callable[[Text], list[Node]]
) -> Node:
    shown = block.rows[: block.limit]
    kept = [index for index, column in enumerate(block.columns) if not column.book_only]
    places = {index: column_decimals(block, index) for index in kept}
    label = words.say("report.label.table", lang, number=placed.number)
    more = ""
    if len(block.rows) > len(shown):
        more = words.say(
            "report.table.more",
            lang,
            shown=l10n.number(len(shown), lang, 0),
            total=l10n.number(len(block.rows), lang, 0),
        )
    columns = [_column(block.columns[i], lang) for i in kept]
    rows = [
        [cell_node(row[i], block.columns[i], places[i], lang, runs) for i in kept] for row in shown
    ]
    for column, width in zip(columns, _share_out(columns, rows), strict=True):
        column["width"] = round(width, 2)
    return {
        "kind": "table",
        "label": label,
        "place": label,
        "anchor": placed.anchor,
        "name": block.name,
        "caption": runs(block.caption),
        "note": runs(block.note),
        "more": more,
        "source": _source(block.source, lang),
        "columns": columns,
        "rows": rows,
    }


def _share_out(columns: list[Node], rows: list[list[Node]]) -> list[float]:
    """Widths of the columns in em of their type: no word is broken while there is room.

    Each column asks for its text up to a limit; where all cannot have that, columns give up
    what they want beyond their longest word.
    """
    size = next(size for most, size in _SIZES if len(columns) <= most)
    room = _PAGE / size - len(columns) * _PADDING / size
    asked = [_letters(c, [row[i] for row in rows]) for i, c in enumerate(columns)]
    least, wished = sum(a for a, _ in asked), sum(b for _, b in asked)
    if wished <= room or wished == least:
        shares = [wish for _, wish in asked]
    else:
        part = max(0.0, (room - least) / (wished - least))
        shares = [word + (wish - word) * part for word, wish in asked]
    return [share + _PADDING / size for share in shares]


def _letters(column: Node, cells: list[Node]) -> tuple[float, float]:
    """The longest word of a column, and the room its whole text would like, in em."""
    heads = [*re.split(r"[\s-]", column["title"]), column["unit"]]
    head = max(glyphs.width(word, bold=True) for word in heads)
    broken = _BROKEN * head  # a head may be hyphenated where a number may not
    toned = any(cell["tone"] for cell in cells)
    texts = {(cell["text"], cell["trace"] and "[N99]") for cell in cells}
    lengths = [glyphs.width(t, toned) + 0.9 * glyphs.width(mark) for t, mark in texts]
    lengths += [0.9 * glyphs.width(sub) for sub in {cell["sub"] for cell in cells}]
    longest = max(lengths, default=0.0) + (_SIGN if toned else 0.0)
    if column["align"] == "right":
        return max(broken, longest), max(head, longest)
    split = re.compile(r"[ /\n]" if column["kind"] == "code" else "\n" if toned else r"[ \n]")
    words_of = {word for text, _ in texts for word in split.split(text)}
    word = max((glyphs.width(w, toned) for w in words_of), default=0.0)
    word = max(broken, min(word, _HASH) + (_SIGN if toned else 0.0))
    most = _HASH if column["kind"] == "code" else _TEXT if longest < 2 * _TEXT else 1.5 * _TEXT
    return word, max(word, head, min(longest, most))


def _column(column: Column, lang: Language) -> Node:
    return {
        "title": clean(column.title),
        "unit": l10n.unit(column.unit, lang),
        "align": "right" if column.kind == "number" else "left",
        "kind": column.kind,
    }


def _source(path: str, lang: Language) -> str:
    """The line that names the file the numbers were read from."""
    return words.say("report.source", lang, path=clean(path)) if path else ""


def column_decimals(table: Table, index: int) -> int:
    """Decimals of a number column: as declared, else from its values."""
    column = table.columns[index]
    if column.decimals is not None:
        return column.decimals
    if column.kind != "number":
        return 0
    cells = [row[index] for row in table.rows]
    found = [cell.quantity for cell in cells if isinstance(cell, Measured)]
    bounded = [l10n.decimals_of(q) for q in found if q.value is not None]
    if bounded:
        return sorted(bounded)[len(bounded) // 2]
    values = [value_of(cell) for cell in cells]
    return l10n.decimals_for(v for v in values if v is not None)


def value_of(cell: Cell) -> int | float | None:
    """The number of a cell, if it has one."""
    if isinstance(cell, Measured):
        return cell.quantity.value
    return cell if isinstance(cell, int | float) else None


def cell_node(
    cell: Cell,
    column: Column,
    decimals: int,
    lang: Language,
    runs: Callable[[Text], list[Node]],
) -> Node:
    """One cell: the words shown, and the value itself for who wants to compute."""
    node: Node = {"text": "", "raw": "", "tone": "", "sub": "", "trace": "", "runs": []}
    if cell is None:
        return {**node, "text": "–" if column.kind == "number" else ""}
    if isinstance(cell, Status):
        return {**node, "text": clean(cell.text), "tone": cell.tone}
    if isinstance(cell, Measured):
        return {**node, **_measured(cell, column, decimals, lang)}
    if isinstance(cell, tuple):
        pieces = runs(cell)
        return {**node, "text": "".join(p["text"] for p in pieces), "runs": pieces}
    if isinstance(cell, bool | str):
        return {**node, "text": clean(str(cell))}
    if isinstance(cell, date):
        return {**node, "text": l10n.short_day(cell), "raw": cell.isoformat()}
    places = 0 if isinstance(cell, int) and column.decimals is None else decimals
    return {**node, "text": l10n.number(cell, lang, places), "raw": repr(cell)}


def _measured(cell: Measured, column: Column, decimals: int, lang: Language) -> Node:
    """A number with its unit and its bounds below; beside it where the head has the unit."""
    given = cell.quantity
    if given.value is None:
        return {"text": words.say("report.undefined", lang), "trace": cell.trace}
    if cell.beside:
        beside = l10n.bounds(given, lang, decimals)
        shown = l10n.number(l10n.displayed(given).value, lang, decimals)
        return {
            "text": f"{shown} ({beside})".replace(" ", l10n.NBSP) if beside else shown,
            "raw": repr(given.value),
            "trace": cell.trace,
        }
    read = l10n.displayed(given)
    return {
        "text": l10n.with_unit(
            read.value, "" if cell.bare else read.unit, lang, l10n.decimals_of(read)
        ),
        "raw": repr(given.value),
        "sub": l10n.bounds(given, lang),
        "trace": cell.trace,
    }


def _picture(
    block: Figure | Map,
    placed: Placed,
    lang: Language,
    runs: Callable[[Text], list[Node]],
    pictures: dict[str, bytes],
) -> Node:
    kind = "map" if isinstance(block, Map) else "figure"
    label = words.say(f"report.label.{kind}", lang, number=placed.number)
    file = f"{kind}-{placed.number}.png"
    pictures[file] = block.png
    lines: list[str] = []
    if isinstance(block, Map):
        if block.disclaimer:
            lines.append(clean(block.disclaimer))
        if block.approval:
            lines.append(words.say("report.map.approval", lang, number=clean(block.approval)))
    if block.source:
        lines.append(_source(block.source, lang))
    return {
        "kind": "picture",
        "label": label,
        "place": label,
        "anchor": placed.anchor,
        "file": file,
        "caption": runs(block.caption),
        "alt": clean(block.alt),
        "lines": lines,
        "width": block.width,
    }


def _key_numbers(block: KeyNumbers, lang: Language) -> list[Node]:
    items: list[Node] = []
    for item in block.items:
        given = item.quantity
        read = l10n.displayed(given)
        undefined = given.value is None
        items.append(
            {
                "label": clean(item.label),
                "value": words.say("report.undefined", lang)
                if undefined
                else l10n.number(read.value, lang, l10n.decimals_of(read)),
                "unit": "" if undefined else l10n.unit(read.unit, lang),
                "interval": "" if undefined else l10n.interval(given, lang),
                "raw": "" if undefined else repr(given.value),
                "trace": item.trace,
                "note": clean(item.note),
            }
        )
    return items


def _citations(document: Document, cited: dict[str, int]) -> list[Node]:
    known = {c.key: c for c in document.citations}
    return [
        {
            "number": str(number),
            "anchor": f"cite-{number}",
            "text": clean(known[key].text) if key in known else key,
            "url": clean(known[key].url) if key in known else "",
        }
        for key, number in cited.items()
    ]
