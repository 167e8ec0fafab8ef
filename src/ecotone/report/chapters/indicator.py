"""One chapter per indicator: what was asked, how it was done, what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ecotone.model import words
from ecotone.report import l10n, under
from ecotone.report.document import (
    Cell,
    Column,
    Heading,
    ItemList,
    Paragraph,
    Status,
    Table,
    Tone,
    plain,
)
from ecotone.report.rooms import room
from ecotone.report.source import Entry, in_language
from ecotone.report.tables import place, result_table, title, values_tables
from ecotone.report.writing import Writing

_SEVERITY: dict[str, Tone] = {"info": "neutral", "warning": "warn", "error": "bad", "fatal": "bad"}


def write(writing: Writing, entries: Sequence[Entry]) -> None:
    """The whole chapter of one indicator."""
    writing.add(Heading(title(writing, entries[0])))
    _asked(writing, entries)
    _method(writing, entries)
    _results(writing, entries)
    _remarks(writing, entries)
    _pictures(writing, entries)
    _tables(writing, entries)


def _asked(writing: Writing, entries: Sequence[Entry]) -> None:
    first = entries[0]
    writing.section("asked")
    writing.add(Paragraph(plain(in_language(first.told["summary"], writing.lang))))
    regions = dict.fromkeys(e.region.name(writing.lang) for e in entries)
    writing.paragraph(
        "asked.where",
        regions=l10n.listed(regions, writing.lang),
        years=", ".join(dict.fromkeys(writing.years(e.period) for e in entries)),
    )


def _method(writing: Writing, entries: Sequence[Entry]) -> None:
    first = entries[0]
    writing.section("method")
    text = in_language(first.told["method"], writing.lang)
    writing.add(Paragraph((*plain(text), *writing.cite(first.told["citations"]))))
    rows = _parameters(writing, entries)
    if rows:
        writing.add(
            Table(
                f"parameters-{first.indicator}",
                (
                    Column(writing.say("column.parameter")),
                    Column(writing.say("column.value")),
                ),
                tuple(rows),
                caption=plain(
                    writing.say(
                        "table.parameters",
                        title=title(writing, first),
                        id=first.indicator,
                        version=first.told["version"],
                    )
                ),
                sheet=writing.say("sheet.parameters", id=first.indicator),
            )
        )


def _parameters(writing: Writing, entries: Sequence[Entry]) -> list[tuple[Cell, ...]]:
    """Parameters as computed; one that differs between results lists what it was."""
    rows: list[tuple[Cell, ...]] = []
    for name in dict.fromkeys(n for e in entries for n in e.told["parameters"]):
        given = [e.told["parameters"].get(name) for e in entries]
        shown = list(dict.fromkeys(_shown(writing, entries[0], name, v) for v in given))
        key = f"indicator.{entries[0].indicator}.parameter.{name}"
        word = words.say(key, writing.lang) if words.has(key) else name
        rows.append((f"{word} ({name})" if word != name else name, ", ".join(shown)))
    return rows


def _shown(writing: Writing, entry: Entry, name: str, value: Any) -> str:
    if value is None:
        return writing.say("parameter.unset")
    if isinstance(value, bool):
        return writing.say(f"parameter.{str(value).lower()}")
    if not isinstance(value, int | float):
        return writing.term(entry.indicator, str(value))
    text = l10n.exact(value, writing.lang) if isinstance(value, float) else str(value)
    unit = entry.unit("parameter", name)
    # A calendar year is no length of time.
    return text if unit in ("", "1", "year") else l10n.joined(text, unit, writing.lang)


def _results(writing: Writing, entries: Sequence[Entry]) -> None:
    writing.section("results")
    own = room(entries[0].indicator)
    said = [s for e in entries for s in own.sentences(writing, e)]
    if said:
        writing.add(ItemList(tuple(said)))
    writing.add(*under.told(writing, entries, values_tables(writing, entries)))


def _pictures(writing: Writing, entries: Sequence[Entry]) -> None:
    found = room(entries[0].indicator).pictures(writing, entries)
    if found:
        writing.section("figures")
        writing.add(*under.told(writing, entries, found))


def _tables(writing: Writing, entries: Sequence[Entry]) -> None:
    own = room(entries[0].indicator)
    names = dict.fromkeys(n for e in entries for n in e.result["tables"])
    made = (
        result_table(writing, entries, n, own.columns.get(n, ()), own.prepare,
                     by_region=n in own.by_region and len(entries) > 1)
        for n in names
    )  # fmt: skip
    tables = [replace(t, where="book") if t.name in own.book else t for t in made if t is not None]
    if tables:
        if any(t.where != "book" for t in tables):
            writing.section("tables")
        writing.add(*under.told(writing, entries, tables))


def _remarks(writing: Writing, entries: Sequence[Entry]) -> None:
    """What the computation remarked, each remark once with the places it was made for."""
    places: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        for found in entry.result["findings"]:
            key = (str(found["severity"]), writing.finding(found))
            places.setdefault(key, []).append(place(writing, entry, entries))
    if not places:
        return
    rows: list[tuple[Cell, ...]] = [
        (
            Status(writing.say(f"severity.{severity}"), _SEVERITY[severity]),
            message,
            l10n.listed(dict.fromkeys(where), writing.lang),
        )
        for (severity, message), where in places.items()
    ]
    writing.section("findings")
    writing.add(
        Table(
            f"remarks-{entries[0].indicator}",
            (
                Column(writing.say("column.severity")),
                Column(writing.say("column.remark")),
                Column(writing.say("column.region")),
            ),
            tuple(rows),
            caption=plain(writing.say("table.remarks", title=title(writing, entries[0]))),
            limit=25,
            sheet=writing.say("sheet.remarks", id=entries[0].indicator),
        )
    )
