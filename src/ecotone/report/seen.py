"""The same animals as each party sees them: a map for each, side by side, on one frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ecotone.model import words
from ecotone.model.words import Language
from ecotone.report import colours, l10n, maps
from ecotone.report.canvas import WIDTH, canvas, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecotone.report.pictures import Pictures

#: A party, and its places: longitude, latitude, side of the cell in degrees (0: exact).
Reader = tuple[str, Sequence[Sequence[float]]]
#: Which colour stands for cells of a size; exact places have the first.
_COLOURS: Final = {1.0: 3, 0.1: 1, 0.01: 2, 0.001: 4}
_LEGEND: Final = 0.75


def side_by_side(readers: Sequence[Reader], pictures: Pictures, lang: Language) -> bytes:
    """One panel per party; exact places as dots, cells as squares of their true size."""
    outline = pictures.outline()
    every = [place for _, places in readers for place in places]
    stations = [maps.Station(place[0], place[1], "neutral") for place in every]
    frame = pictures.once("seen", lambda: maps.frame_of_stations(stations, outline))
    west, south, east, north = frame.box
    across = WIDTH / len(readers)
    with canvas(across * (north - south) / (east - west) + _LEGEND) as figure:
        drawn = figure.subplots(1, len(readers), squeeze=False)[0]
        disputed = (False, False)
        for axes, (reader, places) in zip(drawn, readers, strict=True):
            axes.set_xlim(west, east)
            axes.set_ylim(south, north)
            axes.set_aspect("equal")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(reader)
            for spine in axes.spines.values():
                spine.set_visible(True)
            disputed = maps.borders(axes, outline, frame, lang)
            _panel(axes, places, frame)
            maps.scale_bar(axes, frame, lang)
        handles, names = _keys({place[2] for place in every}, lang)
        lines, told = maps.border_keys(disputed, lang)
        figure.legend([*handles, *lines], [*names, *told], loc="outside lower center", ncols=3)
        return png(figure, lang, "seen")


def _panel(axes: Axes, places: Sequence[Sequence[float]], frame: maps.Frame) -> None:
    from matplotlib.collections import PolyCollection

    found = np.asarray(places, dtype=float).reshape(-1, 3)
    # The finest last, so that it is not covered.
    for size in sorted({float(s) for s in found[:, 2] if s}, reverse=True):
        centres = found[found[:, 2] == size]
        half = size / 2
        turns = ((-half, -half), (half, -half), (half, half), (-half, half))
        rings = [
            maps.to_plane(frame, centres[:, 0] + east, centres[:, 1] + north)
            for east, north in turns
        ]
        corners = np.stack([np.column_stack(ring) for ring in rings], axis=1)
        axes.add_collection(
            PolyCollection(
                list(corners), facecolor=_colour(size), edgecolor="none", alpha=0.75, zorder=2
            )
        )
    exact = found[found[:, 2] == 0]
    x, y = maps.to_plane(frame, exact[:, 0], exact[:, 1])
    axes.plot(x, y, "o", color=colours.SERIES[0], markersize=2, markeredgewidth=0, zorder=5)


def _keys(sizes: set[float], lang: Language) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    names: list[str] = []
    if 0 in sizes:
        mark = Line2D([], [], marker="o", color=colours.SERIES[0], linewidth=0, markersize=3)
        handles.append(mark)
        names.append(words.say("report.seen.exact", lang))
    for size in sorted(s for s in sizes if s):
        handles.append(Patch(facecolor=_colour(size), alpha=0.75))
        names.append(words.say("report.seen.cell", lang, cell=l10n.exact(size, lang)))
    return handles, names


def _colour(size: float) -> str:
    return colours.SERIES[_COLOURS.get(size, 5)]
