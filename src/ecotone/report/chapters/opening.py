"""The summary: what a hurried reader takes away, in numbers and in sentences."""

from __future__ import annotations

from ecotone.report import l10n
from ecotone.report.document import (
    Cell,
    Column,
    KeyNumber,
    KeyNumbers,
    Paragraph,
    Table,
    plain,
)
from ecotone.report.rooms import room
from ecotone.report.source import Entry
from ecotone.report.tables import title
from ecotone.report.writing import Writing

_TILES = 6


def write(writing: Writing) -> None:
    """Purpose, headline numbers of the first region, one sentence per result."""
    writing.chapter("summary")
    run = writing.run
    found = list(run.indicators())
    writing.paragraph(
        "summary.intro",
        indicators=len(found),
        regions=len({e.region.id for e in run.entries}),
        results=len(run.entries),
    )
    if run.as_known:
        writing.paragraph("summary.as-known", moment=run.as_known)
    tiles = [t for _, entries in found for t in _tiles(writing, entries, _TILES // len(found) or 1)]
    if tiles:
        writing.add(KeyNumbers(tuple(tiles)))
    _findings(writing)


def _tiles(writing: Writing, entries: tuple[Entry, ...], most: int) -> list[KeyNumber]:
    """The headline values of an indicator's first region and last period."""
    first = [e for e in entries if e.region.id == entries[0].region.id][-1]
    values = first.result["values"]
    chosen = [n for n in room(first.indicator).headline if n in values]
    chosen += [n for n in values if values[n].get("low") is not None and n not in chosen]
    where = l10n.comma(first.region.name(writing.lang), writing.years(first.period), writing.lang)
    return [
        KeyNumber(
            first.word("value", name, writing.lang),
            first.quantity(name),
            writing.label(first, name),
            where,
        )
        for name in (chosen or list(values))[:most]
    ]


def _findings(writing: Writing) -> None:
    """All results in plain sentences, in one table."""
    rows: list[tuple[Cell, ...]] = []
    for _, entries in writing.run.indicators():
        for entry in entries:
            rows += [
                (title(writing, entry), sentence)
                for sentence in room(entry.indicator).sentences(writing, entry)
            ]
    if not rows:
        return
    writing.section("findings-key")
    writing.add(
        Paragraph(plain(writing.say("summary.findings"))),
        Table(
            "findings",
            (
                Column(writing.say("column.subject")),
                Column(writing.say("column.finding")),
            ),
            tuple(rows),
            caption=plain(writing.say("table.findings")),
            note=plain(writing.say("table.findings.note")),
            limit=200,
            sheet=writing.say("sheet.findings"),
        ),
    )
