"""The room of an indicator that has none of its own: intervals by place, rasters as maps."""

from __future__ import annotations

from collections.abc import Sequence

from ecotone.report import l10n, plots
from ecotone.report import maps as drawn
from ecotone.report.document import Block, Text
from ecotone.report.rooms.base import Room
from ecotone.report.source import Entry
from ecotone.report.tables import place, title
from ecotone.report.writing import Writing

_PANELS = 4


def sentences(writing: Writing, entry: Entry) -> list[Text]:
    """Each value with an interval (else the first value) as a sentence."""
    values = entry.result["values"]
    chosen = [n for n in values if values[n].get("low") is not None] or list(values)[:1]
    return [writing.value_sentence(entry, name) for name in chosen]


def pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Intervals by place, then every raster as a map."""
    return [*interval_figure(writing, entries), *maps_of_all(writing, entries)]


def interval_figure(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Values that have intervals in more than one place, side by side."""
    names = list(dict.fromkeys(n for e in entries for n in e.result["values"]))
    bounded = [
        n
        for n in names
        if sum(e.result["values"].get(n, {}).get("low") is not None for e in entries) > 1
    ][:_PANELS]
    if not bounded:
        return []
    panels = [_panel(writing, entries, name) for name in bounded]
    caption = writing.say("figure.intervals", title=title(writing, entries[0]))
    png = plots.intervals(panels, {}, writing.lang, caption)
    alt = caption + " " + "; ".join(_read_out(p, writing) for p in panels)
    sources = [e.path for e in entries]
    return [writing.figure_block(png, caption, alt, sources)]


def _panel(writing: Writing, entries: Sequence[Entry], name: str) -> plots.Panel:
    dots = []
    for entry in entries:
        here = name in entry.result["values"]
        found = l10n.displayed(entry.quantity(name)) if here else None
        label = place(writing, entry, entries)
        dots.append(
            plots.Dot(label, found.value, found.low, found.high)
            if found
            else plots.Dot(label, None)
        )
    having = (e for e in entries if name in e.result["values"])
    unit = next((l10n.displayed(e.quantity(name)).unit for e in having), "")
    word = entries[0].word("value", name, writing.lang)
    return plots.Panel(word, tuple(dots), l10n.unit(unit, writing.lang))


def _read_out(panel: plots.Panel, writing: Writing) -> str:
    told = [
        f"{d.label} {l10n.number(d.value, writing.lang)}" for d in panel.dots if d.value is not None
    ]
    return f"{panel.title}: {', '.join(told)}"


def maps_of_all(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """One map per raster and period, all regions on it."""
    made: list[Block] = []
    names = list(dict.fromkeys(n for e in entries for n in e.result["rasters"]))
    for name in names:
        for years in dict.fromkeys(writing.years(e.period) for e in entries):
            with_it = [
                e
                for e in entries
                if writing.years(e.period) == years and name in e.result["rasters"]
            ]
            if with_it:
                made.append(raster_map(writing, with_it, name, "pale-blue"))
    return made


def raster_map(
    writing: Writing, entries: Sequence[Entry], raster: str, palette: str, significance: str = ""
) -> Block:
    """A raster of all regions of one period as a map."""
    lang = writing.lang
    entries = writing.pictures.distinct(entries)
    field, frame = writing.pictures.field(entries, raster, palette, significance)
    word = entries[0].word("raster", raster, lang)
    unit = l10n.unit(entries[0].unit("raster", raster), lang)
    legend = f"{word} ({unit})" if unit else word
    dotted = writing.say("map.significant") if significance else ""
    caption = writing.say("map.caption", what=word, years=writing.years(entries[0].period))
    if dotted and len(field.dots):
        caption += " " + writing.say("map.dots")
    png = drawn.field_map(field, frame, writing.pictures.outline(), legend, dotted, lang, caption)
    alt = writing.say(
        "map.alt",
        what=legend,
        regions=", ".join(dict.fromkeys(e.region.name(lang) for e in entries)),
        low=l10n.number(field.low, lang),
        high=l10n.number(field.high, lang),
    )
    source = [e.beside(e.result["rasters"][raster]) for e in entries]
    return writing.map_block(png, caption, alt, source)


PLAIN = Room(headline=(), sentences=sentences, pictures=pictures)
