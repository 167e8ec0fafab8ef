"""Land: droughts year by year, the people in them, wind and sand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ecotone.report import l10n, plots, series_plots
from ecotone.report.document import Block, Text
from ecotone.report.rooms import plain
from ecotone.report.rooms.base import Room
from ecotone.report.rooms.land_status import class_map
from ecotone.report.source import Entry
from ecotone.report.tables import title
from ecotone.report.writing import Writing

if TYPE_CHECKING:
    import pandas as pd

_LIMITS: Final = {-1.0: "moderate", -1.5: "severe", -2.0: "extreme"}
_CLASSES: Final = {
    "none": "#ffffff", "mild": "#ffffbe", "moderate": "#ffd37f", "severe": "#e69800",
    "extreme": "#730000", "nodata": "#e3e6e8",
}  # fmt: skip
_YEARS: Final = 24  # of the bars of a page


def index_sentences(writing: Writing, entry: Entry) -> list[Text]:
    """The driest year, and how many months were at least severely dry."""
    values = entry.result["values"]
    said = [
        writing.value_sentence(entry, name)
        for name in ("lowest_december", "severe_months")
        if values.get(name, {}).get("value") is not None
    ]
    return said


def index_pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """The index of each December with its interval; rasters as maps."""
    made: list[Block] = []
    for entry in entries:
        kind = entry.indicator.rsplit(".", 1)[1]
        if kind in entry.result["tables"]:
            made += _by_year(writing, entry, kind)
    return [*made, *plain.maps_of_all(writing, entries)]


def _by_year(writing: Writing, entry: Entry, kind: str) -> list[Block]:
    frame = entry.table(kind)
    month = frame["month"].astype(str)
    december = month.str.fullmatch(r"\d{4}[-/.]?12(?:[-/.]\d+)?")
    ends = frame[december & frame[kind].notna()]
    years = ends["month"].astype(str).str.extract(r"(\d{4})", expand=False)
    if len(ends) < 2 or years.isna().any() or years.duplicated().any():
        return []
    nothing = np.full(len(ends), np.nan)
    low, high = (
        ends[f"{kind}_{end}"].to_numpy(dtype=float) if f"{kind}_{end}" in ends else nothing
        for end in ("low", "high")
    )
    values = ends[kind].to_numpy(dtype=float)
    numbers = years.to_numpy(dtype=np.int64)
    worst = int(numbers[np.argmin(values)])
    series = series_plots.Years(numbers, values, low, high, worst)
    scale = entry.told["parameters"].get("scale")
    axis = f"{kind.upper()}-{scale}"
    caption = writing.say(
        "figure.land.index", title=title(writing, entry), index=axis,
        region=entry.region.name(writing.lang),
    )  # fmt: skip
    limits = {at: writing.say(f"class.dry.{name}") for at, name in _LIMITS.items()}
    said = (axis, writing.say("figure.interval"))
    png = series_plots.index_by_year(series, limits, axis, said, writing.lang, caption)
    alt = f"{caption} {worst}: {l10n.number(float(values.min()), writing.lang, 2)}"
    source = entry.beside(entry.result["tables"][kind])
    return [writing.figure_block(png, caption, alt, [source])]


def exposure_pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """The worst of the last four years as a map, classes of the last years as bars."""
    rasters = sorted({n for e in entries for n in e.result["rasters"] if n.startswith("worst_")})
    made: list[Block] = []
    if rasters:
        first, last = rasters[-1].split("_")[1:]
        word = writing.say("map.land.worst", first=first, last=last)
        made += class_map(writing, entries, rasters[-1], word)
    for entry in entries[:1]:
        if "areas" in entry.result["tables"]:
            made += _classes_by_year(writing, entry)
    return [*plain.interval_figure(writing, entries), *made]


def _classes_by_year(writing: Writing, entry: Entry) -> list[Block]:
    frame = entry.table("areas").astype({"class": str})
    wide = frame.pivot_table(index="year", columns="class", values="percent", sort=True)
    wide = wide.iloc[-_YEARS:]
    order = [c for c in reversed(_CLASSES) if c in wide and c != "nodata"]
    parts = {writing.say(f"class.dry.{c}"): wide[c].fillna(0).to_numpy() for c in order}
    shades = {writing.say(f"class.dry.{c}"): _CLASSES[c] for c in order}
    caption = writing.say(
        "figure.land.drought-years", title=title(writing, entry),
        region=entry.region.name(writing.lang),
    )  # fmt: skip
    axis = f"{writing.say('figure.share-of-land')} (%)"
    labels = [str(year) for year in wide.index]
    png = series_plots.stacked_shares(labels, parts, shades, axis, writing.lang, caption)
    worst = wide[[c for c in ("severe", "extreme") if c in wide]].sum(axis=1)
    told = f"{worst.idxmax()}: {l10n.with_unit(float(worst.max()), '%', writing.lang, 1)}"
    source = entry.beside(entry.result["tables"]["areas"])
    return [writing.figure_block(png, caption, f"{caption} {told}", [source])]


def wind_pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Losses of the groups of points, side by side with their intervals."""
    made: list[Block] = []
    for entry in entries:
        if "groups" not in entry.result["tables"]:
            continue
        frame = entry.table("groups")
        dots = tuple(
            plots.Dot(writing.term(entry.indicator, str(group)), mean, low, high)
            for group, mean, low, high in zip(
                frame["group"], frame["mean_loss"].astype(float),
                frame["mean_loss_low"].astype(float), frame["mean_loss_high"].astype(float),
                strict=True,
            )
        )  # fmt: skip
        made += _one_panel(writing, entry, dots, "mean_loss", "kg/m2", "groups")
    return made or plain.pictures(writing, entries)


def drift_pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Drift potential in the open and behind the barrier."""
    made: list[Block] = []
    for entry in entries:
        names = [n for n in ("drift_potential", "sheltered_potential")
                 if n in entry.result["values"]]  # fmt: skip
        if len(names) < 2:
            continue
        found = [entry.quantity(name) for name in names]
        dots = tuple(
            plots.Dot(entry.word("value", n, writing.lang), q.value, q.low, q.high)
            for n, q in zip(names, found, strict=True)
        )
        made += _one_panel(writing, entry, dots, "drift_potential", "vector units", "")
    return made


def _one_panel(
    writing: Writing, entry: Entry, dots: tuple[plots.Dot, ...], value: str, unit: str, table: str
) -> list[Block]:
    word = entry.word("value", value, writing.lang)
    panel = plots.Panel(word, dots, l10n.unit(unit, writing.lang), line=0.0)
    caption = writing.say("figure.intervals", title=title(writing, entry))
    png = plots.intervals([panel], {}, writing.lang, caption)
    told = [f"{d.label} {l10n.number(d.value, writing.lang)}" for d in dots if d.value is not None]
    alt = f"{caption} {l10n.semicolons(told, writing.lang)}"
    source = entry.beside(entry.result["tables"][table]) if table else entry.path
    return [writing.figure_block(png, caption, alt, [source])]


def drop_dry_words(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Classes of drought told as such: ``none`` alone would say that nothing is there."""
    if "class" in frame and name in ("areas", "worst", "exposure", "exposure_yearly", "drought"):
        return frame.assign(**{"class": frame["class"].map(lambda c: f"drought-{c}")})
    return frame


INDEX = Room(
    headline=("lowest_december",),
    sentences=index_sentences,
    pictures=index_pictures,
    book=frozenset({"spi", "spei", "parameters", "drought"}),
)
EXPOSURE = Room(
    headline=("severe_km2", "severe_people"),
    sentences=plain.sentences,
    pictures=exposure_pictures,
    prepare=drop_dry_words,
    book=frozenset({"areas", "worst", "exposure_yearly"}),
    by_region=frozenset({"exposure"}),
)
WIND = Room(
    headline=("reduction", "mean_loss"),
    sentences=plain.sentences,
    pictures=wind_pictures,
    book=frozenset({"points"}),
)
DRIFT = Room(
    headline=("drift_potential", "reduction"),
    sentences=plain.sentences,
    pictures=drift_pictures,
)
