"""Water: results held against a standard, station by station."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
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
#: What the room reads; a table without these is shown as a table alone.
_NEEDED: Final = frozenset(
    {"station", "property", "n", "exceedances", "undetermined", "share", "low", "high"}
)
#: From the verdict that counts most to the one that counts least.
_WORST: Final = ("exceeded", "open", "kept")
_FOUR: Final = ("compliant", "probably", "probably_not", "non_compliant")
_STATIONS_OF_A_PAGE: Final = 36
_ROWS: Final = 36
_PLACES: Final = ("latitude", "longitude")
_READ: Final = frozenset({"site", "station", *_PLACES})


def prepare(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The compliance table with a verdict in a word for each row.

    ``exceeded`` where any result broke the standard, ``open`` where none did but some could not
    be judged, ``kept`` where all passed: a non-detect above the standard never counts as kept.
    """
    import numpy as np

    if name != _TABLE or not set(frame.columns) >= _NEEDED:
        return frame
    words = np.select([frame["exceedances"] > 0, frame["undetermined"] > 0], _WORST[:2], _WORST[2])
    return frame.assign(verdict=words)


def sentences(writing: Writing, entry: Entry) -> list[Text]:
    """The compliant share, then how many station-property pairs exceeded or stayed open."""
    said = plain.sentences(writing, entry)
    if _TABLE not in entry.result["tables"]:
        return said
    frame = prepare(_TABLE, entry.table(_TABLE))
    if "verdict" not in frame:
        return said
    exceeded = frame[frame["verdict"] == "exceeded"]
    counts = exceeded.groupby("property")["exceedances"].sum()
    most = counts.sort_values(ascending=False, kind="stable").index[:3]
    key = "sentence.water.exceeded" if len(exceeded) else "sentence.water.none-exceeded"
    text = writing.say(
        key,
        region=entry.region.name(writing.lang),
        years=writing.years(entry.period),
        exceeded=l10n.number(len(exceeded), writing.lang),
        all=l10n.number(len(frame), writing.lang),
        open=l10n.number(int((frame["verdict"] == "open").sum()), writing.lang),
        most=l10n.listed((writing.term(entry.indicator, str(p)) for p in most), writing.lang),
    )
    return [*said, as_text(text), *_states(writing, entry, frame)]


def _states(writing: Writing, entry: Entry, frame: pd.DataFrame) -> list[Text]:
    """What the results say in the light of their uncertainty, in four states and none."""
    if not set(frame.columns) >= {*_FOUR}:
        return []
    told = {name: l10n.number(int(frame[name].sum()), writing.lang) for name in _FOUR}
    open_still = l10n.number(int(frame["undetermined"].sum()), writing.lang)
    region = entry.region.name(writing.lang)
    return [as_text(writing.say("sentence.water.states", region=region, open=open_still, **told))]


def pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Verdicts as a matrix, shares with their intervals where something failed, stations."""
    made = [*plain.interval_figure(writing, entries)]
    frame = joined(writing, entries, _TABLE)
    if frame is None or "verdict" not in (frame := prepare(_TABLE, frame)):
        return made
    frame["station"] = frame["station"].astype(str)
    source = tuple(sorted({str(s).rsplit(":", 1)[0] for s in frame["__source"]}))
    made += _matrix(writing, entries, frame, source)
    made += _shares(writing, entries, frame, source)
    made += _stations(writing, entries, frame, source)
    return made


def _legend(writing: Writing, frame: pd.DataFrame) -> dict[Tone, str]:
    """What each tone means, for the verdicts that occur."""
    occurring = set(frame["verdict"])
    return {TONES[v]: writing.say(f"term.{v}") for v in reversed(_WORST) if v in occurring}


def _worst_of(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """One row for each key: the one whose verdict counts most."""
    rank = frame["verdict"].map(_WORST.index)
    ordered = frame.assign(rank=rank).sort_values([*keys, "rank"], kind="stable")
    return ordered.drop_duplicates(keys)


def _matrix(
    writing: Writing, entries: Sequence[Entry], frame: pd.DataFrame, source: tuple[str, ...]
) -> list[Block]:
    """Stations by properties; in each field the number of results that broke the standard."""
    everywhere = set(frame["station"])
    stations = sorted(set(frame.loc[frame["verdict"] != "kept", "station"]))
    properties = sorted(set(frame["property"].astype(str)))
    if not stations:
        return []
    fields = _worst_of(frame, ["station", "property"]).set_index(["station", "property"])
    columns = [writing.term(entries[0].indicator, p) for p in properties]
    made: list[Block] = []
    for some in _pages(stations):
        keys = [[(s, p) for p in properties] for s in some]
        tones: list[list[Tone | None]] = [
            [TONES[fields["verdict"][k]] if k in fields.index else None for k in line]
            for line in keys
        ]
        numbers = [
            [float(fields["exceedances"][k]) if k in fields.index else None for k in line]
            for line in keys
        ]
        caption = writing.say(
            "figure.matrix", title=title(writing, entries[0]), rest=len(everywhere) - len(stations)
        )
        legend = _legend(writing, frame)
        png = plots.matrix(some, columns, tones, numbers, legend, writing.lang, caption)
        alt = writing.say(
            "figure.matrix.alt",
            stations=len(some),
            properties=len(properties),
            failed=sum(t == "bad" for line in tones for t in line),
        )
        made.append(writing.figure_block(png, caption, alt, source))
    return made


def _pages(stations: list[str]) -> list[list[str]]:
    """Stations in even portions, none longer than a page holds."""
    count = -(-len(stations) // _STATIONS_OF_A_PAGE)
    size = -(-len(stations) // count)
    return [stations[i : i + size] for i in range(0, len(stations), size)]


def _shares(
    writing: Writing, entries: Sequence[Entry], frame: pd.DataFrame, source: tuple[str, ...]
) -> list[Block]:
    """Share of exceedances with its exact interval, for the pairs that exceeded most."""
    broken = frame[frame["exceedances"] > 0]
    if broken.empty:
        return []
    ordered = broken.sort_values(["share", "station", "property"], ascending=[False, True, True])
    dots = tuple(
        plots.Dot(
            f"{station}  {writing.term(entries[0].indicator, str(name))}",
            100 * float(share),
            100 * float(low),
            100 * float(high),
            "bad",
        )
        for station, name, share, low, high in ordered[
            ["station", "property", "share", "low", "high"]
        ]
        .head(_ROWS)
        .itertuples(index=False)
    )
    axis = f"{writing.say('figure.share')} (%)"
    caption = writing.say(
        "figure.shares", title=title(writing, entries[0]), shown=len(dots), all=len(broken)
    )
    png = plots.intervals([plots.Panel("", dots, axis, (0.0, 100.0))], {}, writing.lang, caption)
    told = (f"{d.label} {l10n.with_unit(d.value, '%', writing.lang, 0)}" for d in dots)
    return [writing.figure_block(png, caption, f"{caption} {'; '.join(told)}", source)]


def _stations(
    writing: Writing, entries: Sequence[Entry], frame: pd.DataFrame, source: tuple[str, ...]
) -> list[Block]:
    """Stations by their worst verdict, where the run's own inputs place them."""
    places = writing.pictures.once(("places", source), lambda: _places(entries, writing.run.folder))
    worst = _worst_of(frame, ["station"])
    worst = worst[worst["station"].isin(places)]
    if worst.empty:
        return []
    points = tuple(
        maps.Station(*places[station], TONES[verdict])
        for station, verdict in zip(worst["station"], worst["verdict"], strict=True)
    )
    outline = writing.pictures.outline()
    framed = writing.pictures.once(
        ("stations", points), lambda: maps.frame_of_stations(points, outline)
    )
    legend = _legend(writing, worst)
    years = ", ".join(dict.fromkeys(writing.years(e.period) for e in entries))
    caption = writing.say("map.stations", title=title(writing, entries[0]), years=years)
    png = maps.station_map(points, framed, outline, legend, writing.lang, caption)
    counts = "; ".join(
        f"{text}: {sum(p.tone == tone for p in points)}" for tone, text in legend.items()
    )
    return [writing.map_block(png, caption, f"{caption} {counts}", source)]


def _places(entries: Sequence[Entry], run: Path) -> dict[str, tuple[float, float]]:
    """Longitude and latitude of each station, from the released rows the run keeps."""
    import pandas as pd

    found: dict[str, tuple[float, float]] = {}
    named = {i["path"] for e in entries for i in e.result["inputs"] if i["name"] == "results"}
    for path in sorted(named):
        file = (run / path).resolve()
        if file.suffix != ".csv" or not file.is_relative_to(run.resolve()) or not file.is_file():
            continue
        rows = pd.read_csv(file, usecols=_READ.__contains__, dtype={"site": str, "station": str})
        key = next((c for c in ("station", "site") if c in rows), None)
        if key is None or not set(_PLACES) <= set(rows):
            continue
        first = rows.dropna(subset=[key, *_PLACES]).drop_duplicates(key)
        for station, y, x in zip(first[key], first["latitude"], first["longitude"], strict=True):
            found.setdefault(station, (float(x), float(y)))
    return found


COMPLIANCE = Room(
    headline=("share_compliant", "exceedances", "undetermined"),
    sentences=sentences,
    pictures=pictures,
    columns={
        _TABLE: (
            "station", "property", "limit", "unit", "n", *_FOUR, "undetermined", "verdict",
        ),
        "exceedances": (
            "station", "sample", "taken", "property", "value", "limit", "unit", "state", "analysis",
        ),
    },
    prepare=prepare,
)  # fmt: skip
