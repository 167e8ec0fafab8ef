"""Where every number comes from: files and their hashes, software, how to check, sources."""

from __future__ import annotations

from ecotone.report import l10n
from ecotone.report.document import (
    Cell,
    CitationList,
    Column,
    Heading,
    ItemList,
    Run,
    Table,
    Text,
    plain,
)
from ecotone.report.writing import Writing


def write(writing: Writing) -> None:
    """The annex, then the list of sources."""
    writing.chapter("trace")
    writing.paragraph("trace.intro", id=writing.run.id)
    writing.section("inputs")
    writing.add(_inputs(writing))
    writing.add(Heading(writing.say("chapter.software"), 2))
    writing.add(_software(writing))
    writing.section("verify")
    writing.add(ItemList(tuple(_steps(writing)), numbered=True))
    writing.section("numbers")
    writing.paragraph("trace.numbers")
    writing.add(_numbers(writing))
    if writing.citations:
        writing.chapter("sources")
        writing.add(CitationList())


def _steps(writing: Writing) -> list[Text]:
    run = writing.run
    command = f"ecotone verify {run.folder.name}"
    return [
        (*plain(writing.say("verify.hash") + " "), Run("sha256sum", code=True)),
        (*plain(writing.say("verify.again") + " "), Run(command, code=True)),
        (*plain(writing.say("verify.crate") + " "), Run("ro-crate-metadata.json", code=True)),
    ]


def _inputs(writing: Writing) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (item["name"], writing.say(f"origin.{item['origin']}"), item["sha256"])
        for item in writing.run.document["inputs"]
    ]
    say = writing.say
    return Table(
        "inputs",
        (
            Column(say("column.file"), "code"),
            Column(say("column.origin")),
            Column("SHA-256", "code"),
        ),
        tuple(rows),
        caption=plain(say("table.inputs")),
        limit=100,
        source="run.json",
        sheet=say("sheet.inputs"),
    )


def _software(writing: Writing) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (item["name"], item["version"]) for item in writing.run.document["software"]
    ]
    return Table(
        "software",
        (Column(writing.say("column.software")), Column(writing.say("column.version"))),
        tuple(rows),
        caption=plain(writing.say("table.software")),
        source="run.json",
        sheet=writing.say("sheet.software"),
    )


def _numbers(writing: Writing) -> Table:
    """One row per number: its label, what it is, and the key under which the run holds it."""
    rows: list[tuple[Cell, ...]] = [
        (
            t.label,
            f"{t.what} ({l10n.comma(t.region, t.period, writing.lang)})",
            l10n.quantity(t.quantity, writing.lang),
            f"{t.path} {t.key}",
        )
        for t in writing.traced
    ]
    say = writing.say
    return Table(
        "trace",
        (
            Column(say("column.trace")),
            Column(say("column.quantity")),
            Column(say("column.value")),
            Column(say("column.key"), "code"),
        ),
        tuple(rows),
        caption=plain(say("table.trace")),
        limit=100_000,
        where="page",
    )
