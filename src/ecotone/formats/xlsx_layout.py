"""Where the table begins in a sheet: title rows, then one or several rows of names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecotone.formats.headers import has_header
from ecotone.formats.xlsx_parts import Merge

Cell = str | None
#: A row as read: its number in the sheet, its texts, error cells and doubtful cells by position.
Row = tuple[int, list[Cell], dict[int, str], dict[int, str]]


@dataclass(frozen=True)
class Layout:
    """Where the table begins in a sheet."""

    skip: int  #: rows of the head before the first record
    names: list[str] | None
    width: int
    titles: list[str]
    last_header: int  #: the last row of the sheet that belongs to the header
    filled: frozenset[int] = frozenset()  #: columns that hold anything


def layout_of(head: Sequence[Row], merges: Sequence[Merge], header: bool | None) -> Layout:
    """Title rows, then one or several rows of names (several where cells are merged)."""
    width = max(filled(row) for row in head)
    start = 0
    while (
        width > 1
        and start < len(head) - 1
        and _count(head[start]) == 1
        and (filled(head[start]) == 1 or _count(head[start + 1]) > 1)
    ):
        start += 1
    titles = [next(t for t in row[1] if t is not None) for row in head[:start]]
    records = [[text or "" for text in row[1]] for row in head[start:]]
    if not (has_header(records) if header is None else header):
        return Layout(start, None, width, titles, head[start][0] - 1)
    top = head[start][0]
    last = max([top, *(m.bottom for m in merges if m.top == top)])
    if any(m.top == m.bottom == top and m.right > m.left for m in merges):
        last = max(last, top + 1)
    rows = [row for row in head[start:] if row[0] <= last]
    names = [_joined(rows, merges, column) for column in range(width)]
    full = frozenset(i for row in head[start:] for i, t in enumerate(row[1]) if t is not None)
    return Layout(start + len(rows), names, width, titles, last, full)


def different(names: list[str]) -> list[str]:
    """The same names, a number behind those that stand again."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def beside(layout: Layout) -> str:
    """The empty column that parts two tables beside each other; nothing where there is none."""
    if layout.names is None:
        return ""
    for place in range(1, layout.width - 1):
        if layout.names[place] == "" and place not in layout.filled:
            return str(place + 1)
    return ""


def _count(row: Row) -> int:
    return sum(text is not None for text in row[1])


def filled(row: Row) -> int:
    """The position of the last cell that holds anything."""
    filled = [i for i, text in enumerate(row[1], start=1) if text is not None]
    return max(filled, default=0)


def _joined(rows: Sequence[Row], merges: Sequence[Merge], column: int) -> str:
    """A name made of the header cells above a column, a merged cell counting for all it spans."""
    parts: list[str] = []
    for number, texts, _, _ in rows:
        at = column
        for merge in merges:
            if merge.top == number and merge.left <= column + 1 <= merge.right:
                at = merge.left - 1
        text = texts[at] if at < len(texts) else None
        if text and text.strip() not in parts:
            parts.append(text.strip())
    return " / ".join(parts)
