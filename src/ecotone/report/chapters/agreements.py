"""Which data stand behind the report, and under which agreement each set came."""

from __future__ import annotations

from typing import Any

from ecotone.report import l10n
from ecotone.report.document import Cell, Column, Heading, ItemList, Table, plain
from ecotone.report.source import in_language
from ecotone.report.writing import Writing

_OWN = "own"


def write(writing: Writing) -> None:
    """Nothing where the run read plain files alone and no door was passed."""
    told = writing.run.document["agreements"]
    writing.chapter("data")
    if not told:
        writing.paragraph("data.files-only")
        return
    writing.paragraph("data.intro", reader=_party(writing, writing.run.document["reader"]),
                      purpose=_purpose(writing))  # fmt: skip
    for group in _groups(told):
        _agreement(writing, group)
    writing.add(_released(writing, told))


def _party(writing: Writing, party_id: str) -> str:
    return writing.run.party(party_id, writing.lang)


def _purpose(writing: Writing) -> str:
    from ecotone.model import words

    key = f"share.purpose.{writing.run.document['purpose']}"
    if words.has(key):
        return words.say(key, writing.lang)
    return str(writing.run.document["purpose"])


def _groups(told: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The lines of each agreement, the reader's own data first."""
    keys = sorted({(a["id"] != _OWN, a["id"], a["version"]) for a in told})
    return [[a for a in told if (a["id"], a["version"]) == key[1:]] for key in keys]


def _agreement(writing: Writing, lines: list[dict[str, Any]]) -> None:
    first = lines[0]
    if first["id"] == _OWN:
        sets = sorted({line["dataset"] for line in lines})
        writing.add(Heading(writing.say("data.own", owner=_party(writing, first["owner"])), 2))
        writing.paragraph("data.own.sets", sets=", ".join(sets))
        return
    title = in_language(first["title"], writing.lang) or first["id"]
    writing.add(Heading(title, 2))
    writing.paragraph(
        "data.agreement",
        id=first["id"],
        version=first["version"],
        owner=_party(writing, first["owner"]),
    )
    said = first["sentences"].get(writing.lang) or first["sentences"].get("en") or []
    if said:
        writing.add(ItemList(tuple(plain(s) for s in said)))


def _released(writing: Writing, told: list[dict[str, Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            line["owner"],
            line["dataset"],
            writing.term("", line["noun"]),
            _level(writing, line),
            int(line["rows"]),
            writing.say("data.own.short")
            if line["id"] == _OWN
            else writing.say("data.version", id=line["id"], version=line["version"]),
            line["release"],
            line["sha256"],
        )
        for line in told
    ]
    say = writing.say
    return Table(
        "released",
        (
            Column(say("column.owner")),
            Column(say("column.dataset")),
            Column(say("column.noun")),
            Column(say("column.released-as")),
            Column(say("column.rows"), "number"),
            Column(say("column.agreement")),
            Column(say("column.release"), "code"),
            Column("SHA-256", "code", book_only=True),
        ),
        tuple(rows),
        caption=plain(say("table.released")),
        note=plain(say("table.released.note")),
        limit=60,
        source="run.json",
        sheet=say("sheet.released"),
    )


def _level(writing: Writing, line: dict[str, Any]) -> str:
    cell = line.get("cell_degrees")
    size = l10n.exact(cell, writing.lang) if cell else ""
    return writing.say(f"level.{line['level']}", cell=size)
