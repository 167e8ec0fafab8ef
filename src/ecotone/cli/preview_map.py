"""Maps of what readers would get: cells as squares, exact places as points, side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ecotone.cli.language import language, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from ecotone.share.door import Released

#: Which of the report's colours stands for cells of a size, in degrees; exact places are the first.
_COLOURS: Final = {1.0: 3, 0.1: 1, 0.01: 2, 0.001: 4}


def draw(panels: Sequence[tuple[str, Released]]) -> bytes:
    """The maps as one PNG, a panel with its title for each; made of released rows alone."""
    from ecotone.report import canvas

    lang = language()
    # One panel leaves its legend the room of another.
    width = canvas.WIDTH if len(panels) < 3 else canvas.WIDTH * len(panels) / 2
    with canvas.canvas(4.2, width) as figure:
        drawn = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
        handles: dict[str, Any] = {}
        for axes, (title, released) in zip(drawn, panels, strict=True):
            axes.set_title(title)
            handles |= _panel(axes, released)
            canvas.local_numbers(axes.xaxis, lang)
            canvas.local_numbers(axes.yaxis, lang)
        low, high = drawn[0].get_ylim()
        for axes in drawn:
            axes.set_aspect(_aspect((low + high) / 2))
        if handles:
            figure.legend(list(handles.values()), list(handles), loc="outside lower left", ncols=4)
        return canvas.png(figure, lang, "preview")


def _panel(axes: Axes, released: Released) -> dict[str, Any]:
    """Draw a panel; its signs by what they stand for."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Patch, Rectangle

    from ecotone.report import colours

    cells: dict[tuple[str, str], float] = {}
    for decision in (line.decision for line in released.lines):
        if decision.level == "generalised" and decision.rule.cell_degrees:
            key = (decision.dataset_id, decision.name)
            cells[key] = max(cells.get(key, 0.0), decision.rule.cell_degrees)
    exact, squares = _places(released.rows, cells)
    signs: dict[str, Any] = {}
    # The finest last, so that it is not covered.
    for size, corners in sorted(squares.items(), reverse=True):
        colour = colours.SERIES[_COLOURS.get(size, 5)]
        shapes = [Rectangle(corner, size, size) for corner in corners]
        axes.add_collection(PatchCollection(shapes, facecolor=colour, edgecolor="none", alpha=0.7))
        label = word("share.preview.map-cells", cell=f"{size:g}")
        signs[label] = Patch(facecolor=colour, alpha=0.7)
    if len(exact):
        label = word("share.preview.map-exact")
        signs[label] = axes.scatter(exact[:, 0], exact[:, 1], s=2, color=colours.SERIES[0])
    if not squares and not len(exact):
        text = word("share.preview.map-nothing")
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center")
    axes.autoscale_view()
    return signs


def _places(rows: pd.DataFrame, cells: Mapping[tuple[str, str], float]):  # type: ignore[no-untyped-def]  # arrays, imported late
    """Exact places, and the south-west corners of cells by their size."""
    import numpy as np

    squares: dict[float, list[tuple[float, float]]] = {}
    if rows.empty or "latitude" not in rows:
        return np.empty((0, 2)), squares
    placed = rows.dropna(subset=["latitude", "longitude"])
    exact = placed.loc[placed["release_level"] == "full", ["longitude", "latitude"]]
    coarse = placed[placed["release_level"] == "generalised"]
    for key, part in coarse.groupby(["dataset_id", "class"]):
        size = cells.get(key) or 0.0
        centres = part[["longitude", "latitude"]].drop_duplicates().to_numpy(dtype=float)
        squares.setdefault(size, []).extend(map(tuple, (centres - size / 2).tolist()))
    return exact.to_numpy(dtype=float), squares


def _aspect(latitude: float) -> float:
    """A degree of longitude is drawn as wide as it is on the ground there."""
    return 1 / max(math.cos(math.radians(latitude)), 0.05)
