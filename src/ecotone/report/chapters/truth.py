"""The last chapter of a demonstration: each estimate beside the truth that was planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecotone.model.errors import InputRefused
from ecotone.report import l10n, plots
from ecotone.report.document import (
    Cell,
    Column,
    ItemList,
    Measured,
    Quantity,
    Status,
    Table,
    plain,
)
from ecotone.report.source import Entry, in_language
from ecotone.report.writing import Writing


@dataclass(frozen=True)
class Pair:
    """A planted number and the estimate made of it."""

    label: str
    entry: Entry
    name: str
    truth: float

    @property
    def inside(self) -> bool | None:
        """Whether the interval holds the truth; None where there is no interval."""
        found = self.entry.quantity(self.name)
        if found.low is None or found.high is None:
            return None
        return found.low <= self.truth <= found.high


def write(writing: Writing) -> None:
    """Nothing where the run carries no truth."""
    told = writing.run.truth()
    if told is None:
        return
    pairs = [_pair(writing, given) for given in told["values"]]
    writing.chapter("truth")
    writing.paragraph("truth.intro")
    bounded = [p for p in pairs if p.inside is not None]
    writing.paragraph(
        "truth.count", inside=sum(p.inside is True for p in bounded), all=len(bounded)
    )
    if pairs:
        writing.add(_table(writing, pairs))
    if bounded:
        writing.add(_figure(writing, bounded))
    said = [plain(in_language(_texts(s), writing.lang)) for s in told.get("statements", ())]
    if said:
        writing.section("planted")
        writing.add(ItemList(tuple(said)))


def _texts(statement: Mapping[str, Any]) -> Mapping[str, str]:
    """A statement is its texts by language, or has them under ``text``."""
    found: Mapping[str, str] = statement.get("text", statement)
    return found


def _pair(writing: Writing, given: Mapping[str, Any]) -> Pair:
    for entry in writing.run.entries:
        named = (entry.indicator, entry.region.id, entry.period.id)
        asked = (given["indicator"], given["region"], given["period"])
        if named == asked and given["name"] in entry.result["values"]:
            label = in_language(given["label"], writing.lang)
            return Pair(label, entry, str(given["name"]), float(given["truth"]))
    missing = "/".join(str(given[k]) for k in ("indicator", "region", "period", "name"))
    raise InputRefused(writing.say("truth.unknown", missing=missing))


def _verdict(writing: Writing, pair: Pair) -> Status:
    if pair.inside is None:
        estimate = pair.entry.quantity(pair.name).value
        if estimate == pair.truth:
            return Status(writing.say("truth.equal"), "good")
        return Status(writing.say("truth.no-interval"), "neutral")
    if pair.inside:
        return Status(writing.say("truth.inside"), "good")
    return Status(writing.say("truth.outside"), "bad")


def _table(writing: Writing, pairs: list[Pair]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for pair in pairs:
        found = pair.entry.quantity(pair.name)
        rows.append(
            (
                pair.label,
                pair.entry.region.name(writing.lang),
                l10n.unit(l10n.displayed(found).unit, writing.lang),
                writing.measured(pair.entry, pair.name),
                Measured(Quantity(pair.truth, found.unit, share=found.share), bare=True),
                _verdict(writing, pair),
                found.low,
                found.high,
            )
        )
    say = writing.say
    return Table(
        "truth",
        (
            Column(say("column.quantity")),
            Column(say("column.region")),
            Column(say("column.unit")),
            Column(say("column.estimate"), "number"),
            Column(say("column.truth"), "number"),
            Column(say("column.verdict")),
            Column(say("column.low"), "number", book_only=True),
            Column(say("column.high"), "number", book_only=True),
        ),
        tuple(rows),
        caption=plain(say("table.truth")),
        note=plain(say("table.values.note")),
        limit=60,
        source=str(writing.run.document["truth"]),
        sheet=say("sheet.truth"),
    )


def _figure(writing: Writing, pairs: list[Pair]):  # type: ignore[no-untyped-def]  # a block of the document
    lang = writing.lang
    strips = []
    for pair in pairs:
        found = pair.entry.quantity(pair.name)
        places = l10n.decimals_of(found)
        read = l10n.displayed(found)
        said = l10n.with_unit(read.value, read.unit, lang, places)
        strips.append(
            plots.Strip(
                l10n.comma(pair.label, pair.entry.region.name(lang), lang),
                found.value,
                found.low,
                found.high,
                pair.truth,
                said,
                "good" if pair.inside else "bad",
            )
        )
    caption = writing.say("figure.truth")
    named = (writing.say("column.estimate"), writing.say("figure.interval"),
             writing.say("column.truth"))  # fmt: skip
    png = plots.strips(strips, named, lang, caption)
    alt = writing.say("figure.truth.alt", inside=sum(p.inside is True for p in pairs),
                      all=len(pairs))  # fmt: skip
    return writing.figure_block(png, caption, alt, [str(writing.run.document["truth"])])
