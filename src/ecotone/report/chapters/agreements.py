"""What was shared, with whom, how exactly: the agreements, what came under them, what did not."""

from __future__ import annotations

from datetime import date
from typing import Any

from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.report import l10n
from ecotone.report.chapters import exchange
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
    kept = _kept(told) + list(writing.run.document.get("not_released", ()))
    if kept:
        writing.add(_withheld(writing, kept))
    exchange.write(writing)
    writing.paragraph("data.no-calling-back")


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
    if first.get("recipients"):
        writing.paragraph(
            "data.recipients",
            recipients=l10n.listed([_party(writing, p) for p in first["recipients"]], writing.lang),
            start=l10n.day(date.fromisoformat(first["valid_from"]), writing.lang),
            end=l10n.day(date.fromisoformat(first["valid_until"]), writing.lang),
        )
    said = first["sentences"].get(writing.lang) or first["sentences"].get("en") or []
    if said:
        writing.add(ItemList(tuple(plain(s) for s in said)))


def _released(writing: Writing, told: list[dict[str, Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            line["owner"],
            line["dataset"],
            _what(writing, line),
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
            Column(say("column.class")),
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


def _what(writing: Writing, line: dict[str, Any]) -> str:
    """What a class names, in words; its own name where the run does not tell."""
    return in_language(line.get("what", {}), writing.lang) or str(line["class"])


def _kept(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What stayed behind of classes that came: fields, recent months, exact places, rows."""
    lines: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for line in told:
        less = line["level"] != "full" or line.get("withheld_fields") or line.get("embargo_months")
        if line["id"] != _OWN and less:
            key = (line["dataset"], line["class"], line["id"], line["version"])
            lines.setdefault(key, {**line, "agreement": f"{line['id']} v{line['version']}"})
    return list(lines.values())


def _withheld(writing: Writing, kept: list[dict[str, Any]]) -> Table:
    say = writing.say
    rows: list[tuple[Cell, ...]] = [
        (
            line["dataset"],
            _what(writing, line),
            _stayed(writing, line),
            in_language(line.get("reason", {}), writing.lang) or "",
            line["agreement"],
        )
        for line in kept
    ]
    return Table(
        "withheld",
        (
            Column(say("column.dataset")),
            Column(say("column.class")),
            Column(say("column.withheld")),
            Column(say("column.reason")),
            Column(say("column.agreement")),
        ),
        tuple(rows),
        caption=plain(say("table.withheld")),
        note=plain(say("table.withheld.note")),
        limit=60,
        source="run.json",
        sheet=say("sheet.withheld"),
    )


def _stayed(writing: Writing, line: dict[str, Any]) -> str:
    """What of a class did not come, in words."""
    cell = l10n.exact(line["cell_degrees"], writing.lang) if line.get("cell_degrees") else ""
    parts = [writing.say(f"stayed.{line['level']}", cell=cell)] if line["level"] != "full" else []
    if line.get("embargo_months"):
        parts.append(writing.say("stayed.embargo", months=line["embargo_months"]))
    if line.get("withheld_fields"):
        fields = [_field(name, writing) for name in line["withheld_fields"]]
        parts.append(writing.say("stayed.fields", fields=l10n.listed(fields, writing.lang)))
    return l10n.semicolons(parts, writing.lang).rstrip(".。")


def _field(name: str, writing: Writing) -> str:
    for noun in RECORD_NOUNS:
        found = attributes(noun).get(name)
        if found is not None:
            told = found.description[writing.lang]
            return told[:1].lower() + told[1:]
    return name
