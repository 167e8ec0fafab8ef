"""Water: results held against a standard, station by station."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ecotone.report import l10n, maps, plots
from ecotone.report.document import Block, Text, Tone
from ecotone.report.document import plain as as_text
from ecotone.report.rooms import plain
from ecotone.report.rooms.base import Room
from ecotone.report.source import Entry
from ecotone.report.tables import joined, title
from ecotone.report.writing import TONES, Writing

if TYPE_CHECKING:
    import pandas as pd

_TABLE: Final = "compliance"
#: From the verdict that counts most to the one that counts least.
_WORST: Final[tuple[Tone, ...]] = ("bad", "warn", "neutral", "good")
_STATIONS_OF_A_PAGE: Final = 36
_PANELS: Final = 4


def sentences(writing: Writing, entry: Entry) -> list[Text]:
    """Each value with an interval, then how many station-properties failed or could not be told."""
    said = plain.sentences(writing, entry)
    frame = _frame(entry)
    if frame is None:
        return said
    failed = frame[frame["tone"] == "bad"]
    unknown = int((frame["tone"] == "neutral").sum())
    worst = failed["property"].value_counts(sort=False).sort_index().sort_values(
        ascending=False, kind="stable"
    )  # fmt: skip
    names = [writing.term(entry.indicator, str(p)) for p in worst.index[:_PANELS]]
    key = "sentence.water.failed" if len(failed) else "sentence.water.none-failed"
    text = writing.say(
        key,
        region=entry.region.name(writing.lang),
        years=entry.period.years,
        failed=l10n.number(len(failed), writing.lang),
        all=l10n.number(len(frame), writing.lang),
        unknown=l10n.number(unknown, writing.lang),
        worst=l10n.listed(names, writing.lang),
    )
    return [*said, as_text(text)]


def pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Verdicts as a matrix, shares with their intervals where something failed, stations."""
    made = [*plain.interval_figure(writing, entries)]
    frame = joined(writing, entries, _TABLE)
    if frame is None:
        return made
    frame = _with_tones(frame)
    if frame is None:
        return made
    source = ", ".join(sorted({str(s).rsplit(":", 1)[0] for s in frame["__source"]}))
    made += _matrix(writing, entries, frame, source)
    made += _shares(writing, entries, frame, source)
    made += _stations(writing, entries, frame, source)
    return made


def _frame(entry: Entry) -> pd.DataFrame | None:
    return _with_tones(entry.table(_TABLE)) if _TABLE in entry.result["tables"] else None


def _with_tones(frame: pd.DataFrame) -> pd.DataFrame | None:
    """The compliance table with the tone of each verdict; None where it has other columns."""
    if frame.empty or not {"station", "property", "status"} <= set(frame.columns):
        return None
    spelled = frame["status"].astype(str).str.replace("[- ]", "_", regex=True)
    return frame.assign(tone=spelled.map(TONES).fillna("neutral"))


def _tone_words(writing: Writing, entries: Sequence[Entry], frame: pd.DataFrame) -> dict[Tone, str]:
    """What each tone means here, in the words of the verdicts that have it."""
    said: dict[Tone, str] = {}
    for tone in reversed(_WORST):
        verdicts = sorted(set(frame.loc[frame["tone"] == tone, "status"].astype(str)))
        if verdicts:
            said[tone] = " / ".join(writing.term(entries[0].indicator, v) for v in verdicts)
    return said


def _matrix(
    writing: Writing, entries: Sequence[Entry], frame: pd.DataFrame, source: str
) -> list[Block]:
    """Stations by properties; in each field the number of results that broke the standard."""
    stations = sorted(set(frame["station"].astype(str)))
    properties = sorted(set(frame["property"].astype(str)))
    count = "exceeding" if "exceeding" in frame else "results"
    made: list[Block] = []
    worst = frame.assign(rank=frame["tone"].map(_WORST.index)).sort_values("rank", kind="stable")
    fields = worst.drop_duplicates(["station", "property"]).set_index(["station", "property"])
    columns = [writing.term(entries[0].indicator, p) for p in properties]
    legend = _tone_words(writing, entries, frame)
    for start in range(0, len(stations), _STATIONS_OF_A_PAGE):
        some = stations[start : start + _STATIONS_OF_A_PAGE]
        keys = [[(s, p) for p in properties] for s in some]
        tones = [[fields["tone"].get(k) for k in line] for line in keys]
        numbers = [
            [float(fields[count][k]) if k in fields.index else None for k in line] for line in keys
        ]
        caption = writing.say("figure.matrix", title=title(writing, entries[0]))
        png = plots.matrix(some, columns, tones, numbers, legend, writing.lang, caption)
        alt = writing.say(
            "figure.matrix.alt",
            stations=len(some),
            properties=len(properties),
            failed=sum(t == "bad" for line in tones for t in line),
        )
        made.append(writing.figure_block(png, caption, alt, source))
    return made


def _shares(
    writing: Writing, entries: Sequence[Entry], frame: pd.DataFrame, source: str
) -> list[Block]:
    """Share of compliant results by station, with its exact interval, for what failed most."""
    if not {"share", "share_low", "share_high"} <= set(frame.columns):
        return []
    failed = frame[frame["tone"] == "bad"].groupby("property").size()
    chosen = list(failed.sort_values(ascending=False, kind="stable").index[:_PANELS])
    if not chosen:
        return []
    stations = sorted(set(frame.loc[frame["property"].isin(chosen), "station"].astype(str)))
    stations = stations[:_STATIONS_OF_A_PAGE]
    unit = entries[0].unit("table", f"{_TABLE}.share")
    top = 100.0 if unit == "%" else 1.0
    panels = []
    for name in sorted(chosen):
        own = frame[frame["property"] == name].drop_duplicates("station").set_index("station")
        dots = tuple(_dot(own, station) for station in stations)
        axis = writing.say("figure.share")
        panels.append(
            plots.Panel(
                writing.term(entries[0].indicator, str(name)),
                dots,
                f"{axis} ({l10n.unit(unit, writing.lang)})"
                if l10n.unit(unit, writing.lang)
                else axis,
                (0.0, top),
            )
        )
    caption = writing.say("figure.shares", title=title(writing, entries[0]))
    legend = _tone_words(writing, entries, frame)
    png = plots.intervals(panels, legend, writing.lang, caption)
    lowest = [
        min((d for d in p.dots if d.value is not None), key=lambda d: d.value) for p in panels
    ]
    alt = caption + " " + "; ".join(
        f"{p.title}: {d.label} {l10n.with_unit(d.value, unit, writing.lang, 0 if top > 1 else 2)}"
        for p, d in zip(panels, lowest, strict=True)
    )  # fmt: skip
    return [writing.figure_block(png, caption, alt, source)]


def _dot(own: pd.DataFrame, station: str) -> plots.Dot:
    if station not in own.index:
        return plots.Dot(station, None)
    row = own.loc[station]
    value, low, high = (None if v != v else float(v)
                        for v in (row["share"], row["share_low"], row["share_high"]))  # fmt: skip
    return plots.Dot(station, value, low, high, row["tone"])


def _stations(
    writing: Writing, entries: Sequence[Entry], frame: pd.DataFrame, source: str
) -> list[Block]:
    """Stations by their worst verdict, where the table has their places."""
    if not {"longitude", "latitude"} <= set(frame.columns):
        return []
    placed = frame.dropna(subset=["longitude", "latitude"])
    rank = placed["tone"].map(_WORST.index)
    worst = placed.assign(rank=rank).sort_values(["rank", "station"]).drop_duplicates("station")
    if worst.empty:
        return []
    points = [
        maps.Station(float(x), float(y), tone)
        for x, y, tone in zip(worst["longitude"], worst["latitude"], worst["tone"], strict=True)
    ]
    outline = writing.pictures.outline()
    framed = writing.pictures.once(
        ("stations", tuple(points)), lambda: maps.frame_of_stations(points, outline)
    )
    legend = _tone_words(writing, entries, worst)
    years = ", ".join(dict.fromkeys(e.period.years for e in entries))
    caption = writing.say("map.stations", title=title(writing, entries[0]), years=years)
    png = maps.station_map(points, framed, outline, legend, writing.lang, caption)
    counts = "; ".join(
        f"{text}: {sum(p.tone == tone for p in points)}" for tone, text in legend.items()
    )
    return [writing.map_block(png, caption, f"{caption} {counts}", source)]


COMPLIANCE = Room(headline=(), sentences=sentences, pictures=pictures)
