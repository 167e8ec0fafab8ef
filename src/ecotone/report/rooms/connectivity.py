"""Connectivity: corridors on the map, segments in their order, where barriers stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecotone.report import l10n, maps, plots
from ecotone.report.document import Block, Text, Tone
from ecotone.report.document import plain as as_text
from ecotone.report.overlay import Overlay
from ecotone.report.rooms.base import Room
from ecotone.report.source import Entry
from ecotone.report.tables import title
from ecotone.report.writing import Writing

if TYPE_CHECKING:
    import pandas as pd

#: What marks a kind of place on the map.
_TONES: Final[dict[str, Tone]] = {"barrier": "bad", "pinch": "warn"}
#: Segments that a figure shows.
_SHOWN: Final = 12
#: Rasters that are drawn, in this order, if the result has them.
_DRAWN: Final = (
    ("current_mean", "pale-blue"),
    ("current_cv", "pale-blue"),
    ("barriers", "pale-blue"),
)


def sentences(writing: Writing, entry: Entry) -> list[Text]:
    """What is connected, which segment matters most, where barrier and pinch point stand."""
    said = [writing.value_sentence(entry, "eca")]
    if "segments" in entry.result["tables"]:
        segments = entry.table("segments")
        if len(segments):
            said.append(_first(writing, segments, _draws(entry)))
            said += _by_country(writing, segments)
    if "places" in entry.result["tables"]:
        places = entry.table("places")
        for row in places[places["rank"] == 1].to_dict("records"):
            if row["longitude"] == row["longitude"]:
                said.append(_place(writing, row))
    if "segment_agreement" in entry.result["values"]:
        said.append(writing.value_sentence(entry, "segment_agreement"))
    return said


def _draws(entry: Entry) -> int:
    return int(entry.told["parameters"].get("draws") or 0)


def country_name(writing: Writing, code: str) -> str:
    """A country by the name the run has for it."""
    if code == "-":
        return writing.say("connectivity.nowhere")
    named = writing.term("connectivity.corridors", code)
    outlines = writing.pictures.outline()
    if named != code or outlines is None:
        return named
    listed = maps.outlines(outlines.path)
    column = next((c for c in (f"name_{writing.lang}", "name") if c in listed), None)
    found = listed[listed["id"].astype(str) == code] if "id" in listed else listed[:0]
    return code if column is None or found.empty else str(found[column].iloc[0])


def _segment(writing: Writing, row: Mapping[Any, Any]) -> str:
    """``V1–S1, Suvarin``: from core to core, in which country."""
    country = country_name(writing, str(row["country"]))
    return l10n.comma(f"{row['from']}–{row['to']}", country, writing.lang)


def _first(writing: Writing, segments: pd.DataFrame, draws: int) -> Text:
    """The segment that matters most, and how sure that is."""
    row = segments.iloc[0]
    lang = writing.lang
    told = _segment(writing, row.to_dict())
    if not draws:
        loss = l10n.with_unit(float(row["dECA"]), "%", lang, 2)
        return as_text(writing.say("sentence.connectivity.segment", segment=told, loss=loss))
    numbers = {
        name: l10n.with_unit(float(row[column]), "%", lang, places)
        for name, column, places in (
            ("loss", "dECA_mean", 2),
            ("low", "dECA_low", 2),
            ("high", "dECA_high", 2),
            ("leading", "leading", 0),
        )
    }
    return as_text(
        writing.say("sentence.connectivity.segment-drawn", segment=told, draws=draws, **numbers)
    )


def _by_country(writing: Writing, segments: pd.DataFrame) -> list[Text]:
    """For each country its own first segment and what it holds of all gains."""
    column = "dECA_mean" if "dECA_mean" in segments else "dECA"
    whole = float(segments[column].sum())
    said = []
    for code, own in segments[segments["country"] != "-"].groupby("country", sort=True):
        row = own.iloc[0].to_dict()
        share = 100.0 * float(own[column].sum()) / whole if whole else 0.0
        said.append(
            as_text(
                writing.say(
                    "sentence.connectivity.country",
                    country=country_name(writing, str(code)),
                    share=l10n.with_unit(share, "%", writing.lang, 0),
                    segment=f"{row['from']}–{row['to']}",
                    rank=int(row["place"]),
                    length=l10n.with_unit(float(own["length_m"].sum()) / 1000.0, "km",
                                          writing.lang, 0),
                )
            )
        )  # fmt: skip
    return said


def _place(writing: Writing, row: Mapping[Any, Any]) -> Text:
    lang = writing.lang
    found = {}
    for name, column, ends in (("latitude", "latitude", "NS"), ("longitude", "longitude", "EW")):
        value = float(str(row[column]))
        side = ends[0] if value >= 0 else ends[1]
        found[name] = writing.say(f"degrees.{side}", value=l10n.number(abs(value), lang, 3))
    return as_text(
        writing.say(
            f"sentence.connectivity.{row['kind']}",
            country=country_name(writing, str(row["country"])),
            place=l10n.comma(found["latitude"], found["longitude"], lang),
        )
    )


def pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Maps with corridors, cores and places; segments with the range of what they gain."""
    made: list[Block] = []
    for entry in entries:
        for raster, palette in _DRAWN:
            if raster in entry.result["rasters"]:
                made.append(_map(writing, entry, raster, palette))
        made += _figure(writing, entry)
    return made


def _map(writing: Writing, entry: Entry, raster: str, palette: str) -> Block:
    lang = writing.lang
    path = entry.raster(raster)
    # The window alone: a basin around it would leave the corridors a few millimetres.
    frame = writing.pictures.once(("window", path), lambda: maps.frame_of_rasters([path], None))
    field = writing.pictures.once(
        ("corridor field", path),
        lambda: replace(maps.make_field([_seen(path, frame)], palette), low=0.0),
    )
    word = entry.word("raster", raster, lang)
    unit = l10n.unit(entry.unit("raster", raster), lang)
    legend = f"{word} ({unit})" if unit else word
    caption = writing.say("map.caption", what=word, years=writing.years(entry.period))
    png = maps.field_map(
        field, frame, writing.pictures.outline(), legend, "", lang, caption,
        _overlay(writing, entry),
    )  # fmt: skip
    alt = writing.say(
        "map.alt", what=legend, regions=entry.region.name(lang),
        low=l10n.number(field.low, lang), high=l10n.number(field.high, lang),
    )  # fmt: skip
    return writing.map_block(png, caption, alt, [entry.beside(entry.result["rasters"][raster])])


def _seen(path: Path, frame: maps.Frame) -> maps.Layer:
    """A raster without the cells where there is nothing to show."""
    import numpy as np

    layer = maps.read_layer(path, frame)
    return replace(layer, values=np.where(layer.values > 0, layer.values, np.nan))


def _overlay(writing: Writing, entry: Entry) -> Overlay:
    files = {
        name: (entry.folder / path, writing.say(f"map.{name}"))
        for name, path in entry.result.get("vectors", {}).items()
    }
    places: list[tuple[float, float, Tone]] = []
    if "places" in entry.result["tables"]:
        listed = entry.table("places").dropna(subset=["longitude"])
        places = [
            (float(row["longitude"]), float(row["latitude"]), _TONES[str(row["kind"])])
            for row in listed[listed["rank"] == 1].to_dict("records")
        ]
    marked = {tone for *_, tone in places}
    names = tuple(
        (tone, writing.say(f"map.{kind}")) for kind, tone in _TONES.items() if tone in marked
    )
    return Overlay(files.get("cores"), files.get("paths"), tuple(places), names)


def _figure(writing: Writing, entry: Entry) -> list[Block]:
    """What goes with each segment and which rank it has, with the range over the draws."""
    if "segments" not in entry.result["tables"] or not _draws(entry):
        return []
    rows = entry.table("segments").head(_SHOWN).to_dict("records")
    panels = []
    for name, ends, unit in (("dECA_mean", "dECA", "%"), ("rank", "rank", "")):
        dots = tuple(
            plots.Dot(_segment(writing, row), row[name], row[f"{ends}_low"], row[f"{ends}_high"])
            for row in rows
        )
        heading = writing.column(entry.indicator, "segments", name)
        panels.append(plots.Panel(heading, dots, l10n.unit(unit, writing.lang)))
    caption = writing.say("figure.segments", title=title(writing, entry), draws=_draws(entry))
    png = plots.intervals(panels, {}, writing.lang, caption)
    read = "; ".join(
        f"{dot.label} {l10n.number(dot.value or 0.0, writing.lang, 2)}" for dot in panels[0].dots
    )
    source = [entry.beside(entry.result["tables"]["segments"])]
    return [writing.figure_block(png, caption, f"{caption} {read}", source)]


CORRIDORS = Room(
    headline=("eca", "corridors", "segment_agreement"),
    sentences=sentences,
    pictures=pictures,
    columns={
        "segments": (
            "place", "from", "to", "country", "length_m", "dECA", "rank", "leading",
        ),
        "by_country": ("from", "to", "country", "length_m", "share", "current", "dECA"),
        "distances": ("from", "to", "euclidean_m", "least_cost_m", "path_m", "dECA"),
        "stability": ("from", "to", "mean_m", "cv", "rank"),
        "places": ("kind", "rank", "country", "longitude", "latitude", "value"),
    },
)  # fmt: skip
