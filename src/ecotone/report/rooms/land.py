"""Land: trends of vegetation, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ecotone.report import l10n, plots
from ecotone.report.document import Block, Text
from ecotone.report.rooms.base import Room
from ecotone.report.rooms.plain import interval_figure, raster_map
from ecotone.report.source import Entry
from ecotone.report.tables import place, title
from ecotone.report.writing import Writing

_DIRECTIONS = frozenset({"increasing", "decreasing", "significant_fdr"})
_HISTOGRAMS = 6


def sentences(writing: Writing, entry: Entry) -> list[Text]:
    """How many cells have a significant trend, then the values that carry an interval."""
    values = entry.result["values"]
    said: list[Text] = []
    pixels, significant = entry.number("pixels"), entry.number("significant")
    if pixels and significant is not None:
        share = l10n.with_unit(100 * significant / pixels, "%", writing.lang, 1)
        names = ["significant", "pixels"]
        key = "sentence.land.trend"
        if values.keys() >= _DIRECTIONS:
            key, names = "sentence.land.directions", [*names, *sorted(_DIRECTIONS)]
        said.append(writing.told(key, entry, names, share=share))
    said += [
        writing.value_sentence(entry, name)
        for name, value in values.items()
        if value.get("low") is not None
    ]
    return said


def pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Slopes with their significance as map and histogram, S as a map."""
    made: list[Block] = []
    for years in dict.fromkeys(writing.years(e.period) for e in entries):
        now = [e for e in entries if writing.years(e.period) == years]
        made += _map(writing, now, "slope", "brown-teal")
    made += [*interval_figure(writing, entries), *_histogram(writing, entries)]
    for years in dict.fromkeys(writing.years(e.period) for e in entries):
        now = [e for e in entries if writing.years(e.period) == years]
        made += _map(writing, now, "s", "orange-violet")
    return made


def _map(writing: Writing, entries: Sequence[Entry], raster: str, palette: str) -> list[Block]:
    """A map of a raster where results have it; slopes get the dots of their significance."""
    having = [e for e in entries if raster in e.result["rasters"]]
    if not having:
        return []
    sure = raster == "slope" and all("p" in e.result["rasters"] for e in having)
    return [raster_map(writing, having, raster, palette, "p" if sure else "")]


def _histogram(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    lang = writing.lang
    having = [e for e in entries if {"slope", "p"} <= set(e.result["rasters"])][:_HISTOGRAMS]
    if not having:
        return []
    panels = [
        replace(writing.pictures.spread(e, "slope", "p"), title=place(writing, e, entries))
        for e in having
    ]
    unit = l10n.unit(having[0].unit("raster", "slope"), lang)
    word = having[0].word("raster", "slope", lang)
    said = (
        f"{word} ({unit})" if unit else word,
        writing.say("figure.cells"),
        writing.say("figure.every-cell"),
        writing.say("figure.significant-cell"),
    )
    caption = writing.say("figure.slopes", title=title(writing, having[0]))
    png = plots.histograms(panels, said, lang, caption)
    told = [
        writing.say(
            "figure.slopes.alt",
            region=panel.title,
            falling=l10n.number(int(panel.chosen[panel.edges[:-1] < 0].sum()), lang),
            rising=l10n.number(int(panel.chosen[panel.edges[:-1] >= 0].sum()), lang),
        )
        for panel in panels
    ]
    source = [e.beside(e.result["rasters"]["slope"]) for e in having]
    return [writing.figure_block(png, caption, f"{caption} {' '.join(told)}", source)]


TREND = Room(
    headline=("mean_slope", "significant", "decreasing"), sentences=sentences, pictures=pictures
)
