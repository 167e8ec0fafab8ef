"""Years in a row: an index with its interval, and shares that add up to the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecotone.model.words import Language
from ecotone.report import colours
from ecotone.report.canvas import canvas, local_numbers, png, quiet


@dataclass(frozen=True)
class Years:
    """Values by year with their bounds; ``marked`` is the year the reader should see."""

    years: NDArray[np.int64]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    marked: int | None = None


def index_by_year(
    series: Years, limits: Mapping[float, str], axis: str, words: tuple[str, str], lang: Language,
    place: str,
) -> bytes:  # fmt: skip
    """Bars of an index, brown below zero, with whiskers; lines where classes begin.

    ``words`` name the estimate and its interval in the legend.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    brown, teal = "#bf8f4a", "#5fada5"
    with canvas(2.6) as figure:
        axes = figure.subplots()
        known = np.isfinite(series.values)
        years, values = series.years[known], series.values[known]
        axes.bar(years, values, width=0.72, color=np.where(values < 0, brown, teal), zorder=2)
        bounded = known & np.isfinite(series.low) & np.isfinite(series.high)
        axes.vlines(series.years[bounded], series.low[bounded], series.high[bounded],
                    color=colours.INK, linewidth=0.8, zorder=3)  # fmt: skip
        for at, name in limits.items():
            axes.axhline(at, color=colours.FAINT, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
            axes.annotate(name, (1.005, at), xycoords=("axes fraction", "data"), fontsize=7,
                          va="top", ha="left", color=colours.FAINT)  # fmt: skip
        if series.marked is not None:
            axes.annotate(str(series.marked), (series.marked, np.nanmin(values)),
                          xytext=(0, -3), textcoords="offset points", ha="center", va="top",
                          fontsize=7, weight="bold")  # fmt: skip
        axes.axhline(0, color=colours.INK, linewidth=0.8, zorder=2)
        axes.set_ylabel(axis)
        axes.margins(x=0.01, y=0.08)
        local_numbers(axes.yaxis, lang)
        quiet(axes, "y")
        marks = [Patch(facecolor=brown), Line2D([], [], color=colours.INK, linewidth=0.8)]
        if bounded.any():
            figure.legend(marks, list(words), loc="outside lower center", ncols=2)
        return png(figure, lang, place)


def stacked_shares(
    labels: Sequence[str], parts: Mapping[str, NDArray[np.float64]], shades: Mapping[str, str],
    axis: str, lang: Language, place: str,
) -> bytes:  # fmt: skip
    """Horizontal bars of shares in percent, one a label, in the order of ``parts``."""
    with canvas(0.75 + 0.24 * len(labels)) as figure:
        axes = figure.subplots()
        start = np.zeros(len(labels))
        rows = np.arange(len(labels))
        for name, shares in parts.items():
            axes.barh(rows, shares, left=start, height=0.74, color=shades[name], label=name,
                      edgecolor=colours.FAINT, linewidth=0.3)  # fmt: skip
            start += shares
        axes.set_yticks(rows, labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xlim(0, max(100.0, float(start.max())) if start.size else 100.0)
        axes.set_xlabel(axis)
        local_numbers(axes.xaxis, lang)
        quiet(axes)
        columns = len(parts) if sum(len(n) for n in parts) < 70 else 3
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=columns)
        return png(figure, lang, place)
