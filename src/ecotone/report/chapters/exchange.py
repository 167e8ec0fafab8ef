"""How the parties of a demonstration sent each other what they agreed on, and what each now sees.

A run carries this only where its plan names it, which a demonstration's does: the owner's exact
places beside what others get would otherwise reach whoever reads the report.
"""

from __future__ import annotations

from typing import Any

from ecotone.report import l10n, seen
from ecotone.report.document import Cell, Column, Status, Table, plain
from ecotone.report.writing import Writing


def write(writing: Writing) -> None:
    """Nothing where the run tells of no exchange."""
    told = writing.run.exchange()
    if told is None:
        return
    writing.section("exchange")
    writing.paragraph("exchange.intro")
    writing.add(_packages(writing, told["packages"]))
    readers = [(str(one["reader"]), one["places"]) for one in told["seen"]]
    if any(places for _, places in readers):
        writing.section("seen")
        taxa = l10n.listed([str(taxon) for taxon in told["taxa"]], writing.lang)
        writing.paragraph("seen.intro", taxa=taxa)
        writing.add(
            writing.map_block(
                seen.side_by_side(readers, writing.pictures, writing.lang),
                writing.say("seen.caption", taxa=taxa),
                _in_words(writing, readers),
                [str(writing.run.document["exchange"])],
            )
        )


def _packages(writing: Writing, packages: list[dict[str, Any]]) -> Table:
    say = writing.say
    rows: list[tuple[Cell, ...]] = [
        (
            one["sender"],
            one["recipient"],
            one["file"],
            int(one["rows"]),
            l10n.listed([str(name) for name in one["agreements"]], writing.lang),
            Status(say("exchange.same"), "good")
            if one["state"] == one["held"]
            else Status(say("exchange.differs"), "bad"),
            one["state"],
        )
        for one in packages
    ]
    return Table(
        "exchange",
        (
            Column(say("column.sender")),
            Column(say("column.recipient")),
            Column(say("column.package"), "code"),
            Column(say("column.rows"), "number"),
            Column(say("column.agreements")),
            Column(say("column.both-ends"), "status"),
            Column(say("column.state-hash"), "code", book_only=True),
        ),
        tuple(rows),
        caption=plain(say("table.exchange")),
        note=plain(say("table.exchange.note")),
        source=str(writing.run.document["exchange"]),
        sheet=say("sheet.exchange"),
    )


def _in_words(writing: Writing, readers: list[tuple[str, list[list[float]]]]) -> str:
    """The map for who cannot see it: how many exact places and cells each party has."""
    parts = []
    for reader, places in readers:
        exact = sum(1 for place in places if not place[2])
        parts.append(writing.say("seen.alt", reader=reader, exact=exact, cells=len(places) - exact))
    return " ".join(parts)
