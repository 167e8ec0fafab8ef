"""Land: where it is degraded, by which rules, and what the people who went there found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ecotone.report import class_maps, l10n, maps, plots, series_plots
from ecotone.report.document import Block, Text
from ecotone.report.rooms import plain
from ecotone.report.rooms.base import Room
from ecotone.report.source import Entry
from ecotone.report.tables import place, title
from ecotone.report.writing import Writing

if TYPE_CHECKING:
    import pandas as pd

_RULES: Final = "rules"
_STATES: Final = ("degraded", "stable", "improved", "nodata")
_SHADES: Final = {
    "degraded": "#9b2779", "stable": "#ffffe0", "improved": "#006500", "nodata": "#e3e6e8",
}  # fmt: skip
#: Which names the codes of a raster have.
LEGENDS: Final = {
    "status": "status", "status_2": "status", "baseline": "three", "report": "three",
    "report_2": "three", "agreement": "agreement", "lpd": "lpd", "trend": "three",
    "state": "three", "performance": "three", "change": "three",
}  # fmt: skip


def legend_of(writing: Writing, raster: str) -> dict[int, str]:
    """Codes of a raster in words."""
    group = "drought" if raster.startswith("worst_") else LEGENDS[raster]
    size = {"status": 7, "three": 3, "agreement": 3, "lpd": 5, "drought": 5}[group]
    return {code: writing.say(f"class.{group}.{code}") for code in range(1, size + 1)}


def class_map(
    writing: Writing, entries: Sequence[Entry], raster: str, word: str = ""
) -> list[Block]:
    """A raster of classes of all regions of one period, with its legend; none without it."""
    having = [e for e in entries if raster in e.result["rasters"]]
    if not having:
        return []
    having = list(writing.pictures.distinct(having))
    paths = tuple(e.raster(raster) for e in having)
    frame = writing.pictures.frame(paths)
    field = writing.pictures.once(
        ("classes", paths), lambda: class_maps.make_class_field(paths, frame)
    )
    if not field.colours:
        return []
    names = legend_of(writing, raster)
    what = word or having[0].word("raster", raster, writing.lang)
    caption = writing.say("map.caption", what=what, years=writing.years(having[0].period))
    png = class_maps.class_map(
        field, frame, writing.pictures.outline(), names, writing.lang, caption
    )
    alt = f"{caption} {l10n.semicolons([names[c] for c in field.colours], writing.lang)}"
    source = [e.beside(e.result["rasters"][raster]) for e in having]
    return [writing.map_block(png, caption, alt, source)]


def sentences(writing: Writing, entry: Entry) -> list[Text]:
    """Degraded land by the chosen rules and by the others; what the ground sample says."""
    names = ["degraded_km2", "degraded_percent", "degraded_least_km2", "degraded_most_km2",
             "rule_dependent_km2"]  # fmt: skip
    rule = writing.term(entry.indicator, str(entry.told["parameters"].get("rule")))
    said = []
    if all(entry.result["values"].get(n, {}).get("value") is not None for n in names):
        said.append(writing.told("sentence.land.degraded", entry, names, rule=rule))
    said += [
        writing.value_sentence(entry, name)
        for name in ("degraded_adjusted_km2", "improved_adjusted_km2", "people_degraded")
        if name in entry.result["values"]
    ]
    return said


def pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """The status, where rule sets disagree, shares by region, rules beside the sample."""
    made: list[Block] = []
    for years in dict.fromkeys(writing.years(e.period) for e in entries):
        now = [e for e in entries if writing.years(e.period) == years]
        for raster in ("status", "status_2"):
            made += class_map(writing, now, raster)
        made += _shares(writing, now)
        made += _rules(writing, now)
        made += class_map(writing, now, "agreement")
    return made


def _shares(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Degraded, stable, improved and unknown land by country, or by region, percent."""
    rows, source = _by_country(writing, entries)
    if not rows:
        having = [e for e in entries if e.number("total_km2")]
        rows = {
            place(writing, e, having): [e.number(f"{state}_km2") or 0.0 for state in _STATES]
            for e in having
        }
        source = [e.path for e in having]
    if len(rows) < 2:
        return []
    table = np.array(list(rows.values()))
    shares = 100 * table / table.sum(axis=1, keepdims=True)
    names = [writing.say(f"class.state.{state}") for state in _STATES]
    parts = dict(zip(names, shares.T, strict=True))
    shades = dict(zip(names, _SHADES.values(), strict=True))
    caption = writing.say("figure.land.shares", title=title(writing, entries[0]))
    axis = f"{writing.say('figure.share-of-land')} (%)"
    png = series_plots.stacked_shares(list(rows), parts, shades, axis, writing.lang, caption)
    told = [f"{n} {l10n.with_unit(float(v), '%', writing.lang, 1)}"
            for n, v in zip(rows, shares[:, 0], strict=True)]  # fmt: skip
    alt = f"{caption} {l10n.semicolons(told, writing.lang)}"
    return [writing.figure_block(png, caption, alt, source)]


def _by_country(
    writing: Writing, entries: Sequence[Entry]
) -> tuple[dict[str, list[float]], list[str]]:
    """The last status in each country of the first result that has countries."""
    entry = next((e for e in entries if "transboundary" in e.result["tables"]), None)
    if entry is None:
        return {}, []
    frame = entry.table("transboundary")
    frame = frame[frame["period"] == frame["period"].iloc[-1]]
    told = country_names(writing)
    rows: dict[str, list[float]] = {}
    for country in frame["country"].unique():
        sums = frame[frame["country"] == country].groupby("class")["area_km2"].sum()
        name = entry.region.name(writing.lang) if country == "total" else told.get(
            str(country), writing.term(entry.indicator, str(country))
        )  # fmt: skip
        areas = [sums.reindex(codes).sum() for codes in ((1, 2, 3), (4,), (5, 6, 7), (0,))]
        rows[name] = [float(area) for area in areas]
    return rows, [entry.beside(entry.result["tables"]["transboundary"])]


def country_names(writing: Writing) -> dict[str, str]:
    """Names of the plan's boundaries in the report's language, by their ``id``."""
    outline = writing.pictures.outline()
    if outline is None:
        return {}
    frame = maps.outlines(outline.path)
    column = next((c for c in (f"name_{writing.lang}", "name") if c in frame), None)
    if column is None or "id" not in frame:
        return {}
    return dict(zip(frame["id"].astype(str), frame[column].astype(str), strict=True))


def _rules(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Degraded land by each rule set, and by the sample with its interval, a panel a region."""
    having = [e for e in entries if _RULES in e.result["tables"]][:4]
    if not having:
        return []
    panels = []
    for entry in having:
        frame = entry.table(_RULES)
        last = frame[(frame["report"] == frame["report"].iloc[-1])]
        last = last[last["state"] == "degraded"]
        dots = [
            plots.Dot(writing.term(entry.indicator, str(rule)), float(area), tone="neutral")
            for rule, area in zip(last["rule"], last["area_km2"], strict=True)
        ]
        name = "degraded_adjusted_km2"
        if name in entry.result["values"]:
            found = l10n.displayed(entry.quantity(name))
            dots.append(
                plots.Dot(writing.say("figure.land.sample"), found.value, found.low, found.high)
            )
        head = place(writing, entry, having)
        panels.append(plots.Panel(head, tuple(dots), l10n.unit("km2", writing.lang)))
    caption = writing.say("figure.land.rules", title=title(writing, having[0]))
    png = plots.intervals(panels, {}, writing.lang, caption)
    alt = caption + " " + "; ".join(
        f"{p.title}: " + ", ".join(
            f"{d.label} {l10n.number(d.value, writing.lang)}" for d in p.dots if d.value is not None
        )
        for p in panels
    )  # fmt: skip
    source = [e.beside(e.result["tables"][_RULES]) for e in having]
    return [writing.figure_block(png, caption, alt, source)]


def prepare(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Classes of the status in words instead of numbers."""
    if name in ("status", "status_2", "zones") and frame["class"].dtype.kind in "iu":
        words = frame["class"].map(lambda code: f"status-{code}" if code else "nodata")
        return frame.assign(**{"class": words})
    return frame


SDG = Room(
    headline=("degraded_adjusted_km2", "degraded_km2", "degraded_percent"),
    sentences=sentences,
    pictures=pictures,
    columns={
        "adjusted": ("state", "mapped_km2", "area_km2", "users_accuracy", "producers_accuracy"),
    },
    prepare=prepare,
    book=frozenset({"crosstab", "crosstab_parts", "parts", "periods", "rules", "people",
                    "hotspots", "brightspots", "transboundary", "zones"}),
    by_region=frozenset({"status", "status_2", "adjusted", "people", "neutrality", "hotspots",
                         "brightspots"}),
)  # fmt: skip


def class_pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Every raster of classes as a map with its legend."""
    made: list[Block] = []
    names = dict.fromkeys(n for e in entries for n in e.result["rasters"] if n in LEGENDS)
    for years in dict.fromkeys(writing.years(e.period) for e in entries):
        now = [e for e in entries if writing.years(e.period) == years]
        for name in names:
            made += class_map(writing, now, name)
    return made


CLASSES = Room(
    headline=("degraded_km2", "degraded_percent"),
    sentences=plain.sentences,
    pictures=class_pictures,
    book=frozenset({"differences", "units", "rules"}),
    by_region=frozenset({"lpd", "ranges", "degradation", "extent", "stocks"}),
)
