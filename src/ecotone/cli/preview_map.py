"""A map of what a reader would get: cells as squares, exact places as points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecotone.cli.language import language, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ecotone.share.door import Released


def draw(released: Released, title: str) -> bytes:
    """The map as PNG; it is made of released rows alone."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    from ecotone.report import canvas, colours

    lang = language()
    cells = {(line.decision.dataset_id, line.decision.name): line.decision.rule.cell_degrees
             for line in released.lines if line.decision.level == "generalised"}  # fmt: skip
    exact, squares = _places(released.rows, cells)
    with canvas.canvas(4.2) as figure:
        axes = figure.add_subplot()
        axes.set_title(title)
        # The finest last, so that it is not covered.
        for number, (size, corners) in enumerate(sorted(squares.items(), reverse=True), 1):
            patches = PatchCollection(
                [Rectangle(corner, size, size) for corner in corners],
                facecolor=colours.SERIES[number % len(colours.SERIES)],
                edgecolor="none",
                alpha=0.5 + 0.1 * number,
                label=word("share.preview.map-cells", cell=f"{size:g}"),
            )
            axes.add_collection(patches)
        if len(exact):
            label = word("share.preview.map-exact")
            axes.scatter(exact[:, 0], exact[:, 1], s=3, color=colours.SERIES[0], label=label)
        if not squares and not len(exact):
            axes.text(0.5, 0.5, word("share.preview.map-nothing"), transform=axes.transAxes)
        else:
            axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        axes.autoscale_view()
        low, high = axes.get_ylim()
        axes.set_aspect(_aspect((low + high) / 2))
        canvas.local_numbers(axes.xaxis, lang)
        canvas.local_numbers(axes.yaxis, lang)
        return canvas.png(figure, lang, "preview")


def _places(rows: pd.DataFrame, cells: Mapping[tuple[str, str], float | None]):  # type: ignore[no-untyped-def]  # arrays, imported late
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
    import math

    return 1 / max(math.cos(math.radians(latitude)), 0.05)
