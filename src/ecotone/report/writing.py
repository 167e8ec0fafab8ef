"""One language's report while it is written: the run, the words, the labels of its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ecotone.model import words
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import Language
from ecotone.report import l10n
from ecotone.report.document import (
    Block,
    Citation,
    Cite,
    Figure,
    Heading,
    Inline,
    Map,
    Measured,
    Paragraph,
    Run,
    Text,
    Tone,
    Traced,
    TraceRef,
    clean,
    plain,
)
from ecotone.report.pictures import Pictures
from ecotone.report.source import Entry, Period, RunFolder

#: What a verdict in a table says, by tone; words are ``report.term.<verdict>``.
TONES: Final[Mapping[str, Tone]] = {
    "kept": "good",
    "open": "neutral",
    "exceeded": "bad",
}


@dataclass
class Writing:
    """Collects the blocks of a report; every number gets its trace label here."""

    run: RunFolder
    lang: Language
    pictures: Pictures
    blocks: list[Block] = field(default_factory=list)
    citations: dict[str, Citation] = field(default_factory=dict)
    traced: tuple[Traced, ...] = ()
    _labels: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        traced: list[Traced] = []
        for entry in self.run.entries:
            for name in entry.result["values"]:
                label = f"N{len(traced) + 1}"
                self._labels[entry.path, name] = label
                traced.append(
                    Traced(
                        label,
                        entry.word("value", name, self.lang),
                        entry.region.name(self.lang),
                        self.years(entry.period),
                        entry.quantity(name),
                        entry.path,
                        f"values.{name}",
                    )
                )
        self.traced = tuple(traced)

    def say(self, key: str, **values: object) -> str:
        """A sentence of the report's own catalogue."""
        return words.say(f"report.{key}", self.lang, **values)

    def add(self, *blocks: Block) -> None:
        """Write on."""
        self.blocks.extend(blocks)

    def chapter(self, key: str) -> None:
        """A chapter from the catalogue."""
        self.add(Heading(self.say(f"chapter.{key}")))

    def section(self, key: str) -> None:
        """A section from the catalogue."""
        self.add(Heading(self.say(f"section.{key}"), 2))

    def paragraph(self, key: str, **values: object) -> None:
        """A paragraph of one sentence from the catalogue."""
        self.add(Paragraph(plain(self.say(key, **values))))

    def label(self, entry: Entry, name: str) -> str:
        """The trace label of a value of a result."""
        return self._labels[entry.path, name]

    def measured(self, entry: Entry, name: str) -> Measured:
        """A value of a result for a table cell that has its unit beside it, with its label."""
        return Measured(entry.quantity(name), self.label(entry, name), bare=True)

    def years(self, period: Period) -> str:
        """A period as the language writes years: ``2009–2024 гг.``."""
        number = "one" if period.start == period.end else "many"
        return self.say(f"period.{number}", years=period.years)

    def unit_of(self, entries: Iterable[Entry], name: str) -> str:
        """The unit a value is read in."""
        found = next(e.quantity(name) for e in entries if name in e.result["values"])
        return l10n.displayed(found).unit

    def told(self, key: str, entry: Entry, names: Iterable[str], **more: object) -> Text:
        """A sentence with numbers in it, each number followed by its trace label.

        The sentence names the numbers ``{name}`` and says their unit; other places are filled
        from ``more``.
        """
        names = tuple(names)
        marks = {name: f"\x00{name}\x01" for name in names}
        text = self.say(key, region=entry.region.name(self.lang), years=self.years(entry.period),
                        **marks, **more)  # fmt: skip
        pieces: list[Inline] = []
        for index, part in enumerate(re.split("\x00([^\x01]*)\x01", text)):
            if index % 2 == 0:
                pieces += [Run(clean(part))] if part else []
                continue
            bare = l10n.number(entry.number(part), self.lang)
            pieces += [Run(bare, bold=True), TraceRef(self.label(entry, part))]
        return tuple(pieces)

    def _number(self, entry: Entry, name: str) -> Text:
        """A value with its unit in bold, its label, its interval."""
        given = entry.quantity(name)
        label = TraceRef(self.label(entry, name))
        if given.value is None:
            return (Run(self.say("undefined"), bold=True), label)
        read = l10n.displayed(given)
        shown = l10n.with_unit(read.value, read.unit, self.lang, l10n.decimals_of(read))
        bounds = l10n.interval(given, self.lang)
        inside = f"（{bounds}）" if self.lang == "zh" else f" ({bounds})"
        return (Run(clean(shown), bold=True), label, Run(inside if bounds else ""))

    def value_sentence(self, entry: Entry, name: str) -> Text:
        """One value with its interval, where and when it holds."""
        what = entry.word("value", name, self.lang)
        head = self.say("sentence.value", what=what, region=entry.region.name(self.lang),
                        years=self.years(entry.period))  # fmt: skip
        stop = "。" if self.lang == "zh" else "."
        return (
            Run(clean(head)),
            *self._number(entry, name),
            Run(stop),
        )

    def cite(self, sources: Iterable[Mapping[str, Any]]) -> Text:
        """Marks that cite each source, which joins the report's list."""
        marks: list[Inline] = []
        for source in sources:
            doi = str(source.get("doi") or "")
            key = doi or str(source["text"])
            url = f"https://doi.org/{doi}" if doi else ""
            self.citations.setdefault(key, Citation(key, str(source["text"]), url))
            marks += [Run(l10n.NBSP), Cite(key)]
        return tuple(marks)

    def finding(self, found: Mapping[str, Any]) -> str:
        """A finding in this language.

        ``result.json`` keeps it in English; where it also keeps what filled the sentence, it is
        said anew, else it stands as it was recorded.
        """
        code = str(found["code"])
        needed = words.say(f"finding.{code}", self.lang) if words.has(f"finding.{code}") else ""
        known = {**found.get("params", {}), "value": found.get("value"), "row": found.get("row"),
                 "field": found.get("field")}  # fmt: skip
        wanted = set(re.findall(r"\{(\w+)\}", needed))
        if not needed or any(known.get(name) is None for name in wanted):
            return str(found["message"])
        params = {k: str(v) for k, v in found.get("params", {}).items()}
        return Finding(
            code,
            Severity(found["severity"]),
            found.get("row"),
            found.get("field"),
            None if found.get("value") is None else str(found["value"]),
            params=params,
        ).message(self.lang)

    def term(self, indicator: str, value: str) -> str:
        """A verdict, property, kind or region in words; as it stands where nothing knows it."""
        for key in (f"indicator.{indicator}.term.{value}", f"report.term.{value}"):
            if words.has(key):
                return words.say(key, self.lang)
        region = next((e.region for e in self.run.entries if e.region.id == value), None)
        return value if region is None else region.name(self.lang)

    def column(self, indicator: str, table: str, name: str) -> str:
        """The title of a table's column; its name where no catalogue knows it."""
        for key in column_keys(indicator, table, name):
            if words.has(key):
                return words.say(key, self.lang)
        return name.replace("_", " ")

    def map_block(self, png: bytes, caption: str, alt: str, source: Iterable[str]) -> Map:
        """A map with the disclaimer and the approval number the plan gives."""
        chosen = self.run.boundaries()
        if chosen is None:
            said, approval = self.say("map.no-boundaries"), ""
        else:
            said, approval = str(chosen.disclaimer[self.lang]), chosen.approval
        return Map(png, plain(caption), alt, said, approval, source=together(source))

    def figure_block(self, png: bytes, caption: str, alt: str, source: Iterable[str]) -> Figure:
        """A figure and where its numbers come from."""
        return Figure(png, plain(caption), alt, source=together(source))


def column_keys(indicator: str, table: str, name: str) -> tuple[str, ...]:
    """Where the title of a column may stand, the nearest to it first."""
    return (
        f"indicator.{indicator}.column.{table}.{name}",
        f"indicator.{indicator}.table.{table}.{name}",
        f"report.column.{table}.{name}",
        f"report.column.{name}",
    )


def together(paths: Iterable[str]) -> str:
    """Paths that differ in one part as one pattern: ``results/{XA,XB}/2024/result.json``."""
    listed = list(dict.fromkeys(paths))
    parts = [path.split("/") for path in listed]
    if len(listed) < 2 or len({len(p) for p in parts}) > 1:
        return ", ".join(listed)
    columns = list(zip(*parts, strict=True))
    differing = [i for i, column in enumerate(columns) if len(set(column)) > 1]
    if len(differing) != 1:
        return ", ".join(listed)
    return "/".join(
        "{" + ",".join(column) + "}" if i == differing[0] else column[0]
        for i, column in enumerate(columns)
    )
