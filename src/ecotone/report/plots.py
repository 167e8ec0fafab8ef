"""Figures with their uncertainty: plain numbers and words in, PNG bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ecotone.model.words import Language
from ecotone.report import colours, l10n
from ecotone.report.canvas import canvas, local_numbers, png, quiet
from ecotone.report.document import Tone

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_ROW: Final = 0.2  # inches a labelled row takes
_FEW: Final = 4
_LONG: Final = 14  # letters a quarter page holds
_SHORT: Final = 12  # rows that leave room for a second row of panels
_LETTERS: Final = 96  # letters a line of column heads holds


@dataclass(frozen=True, slots=True)
class Dot:
    """An estimate with its interval; ``value`` None draws nothing but keeps the row."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    tone: Tone = "good"


@dataclass(frozen=True, slots=True)
class Panel:
    """Dots that share an axis, under one title."""

    title: str
    dots: tuple[Dot, ...]
    axis: str = ""
    limits: tuple[float, float] | None = None
    line: float | None = None


@dataclass(frozen=True, slots=True)
class Strip:
    """An estimate, its interval and the truth it is held against, on an axis of their own."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    truth: float
    said: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Bins:
    """A histogram: ``edges`` has one entry more than each of the counts."""

    title: str
    edges: NDArray[np.float64]
    every: NDArray[np.float64]
    chosen: NDArray[np.float64]


def intervals(
    panels: Sequence[Panel], legend: dict[Tone, str], lang: Language, place: str
) -> bytes:
    """Dots with whiskers, one panel beside the other; all panels name the same rows."""
    across = min(len(panels), _side_by_side(panels))
    down = -(-len(panels) // across)
    rows = max(len(p.dots) for p in panels)
    height = down * (0.62 + _ROW * rows) + (0.3 if legend else 0.0)
    with canvas(height) as figure:
        grid = figure.subplots(down, across, squeeze=False, sharey=across > 1)
        for index, axes in enumerate(grid.flat):
            if index >= len(panels):
                axes.set_axis_off()
                continue
            _draw_dots(axes, panels[index], lang)
        _legend(figure, legend)
        return png(figure, lang, place)


def _side_by_side(panels: Sequence[Panel]) -> int:
    """Panels in a row: two where rows are few and their names long, else as many as fit."""
    few = len(panels[0].dots) <= _SHORT
    return 2 if few and max(_longest(p) for p in panels) > _LONG else _FEW


def _longest(panel: Panel) -> int:
    return max((len(d.label) for d in panel.dots), default=0)


def _draw_dots(axes: Axes, panel: Panel, lang: Language) -> None:
    for row, dot in enumerate(panel.dots):
        if dot.value is None:
            continue
        colour = colours.TONES[dot.tone]
        if dot.low is not None and dot.high is not None:
            axes.plot([dot.low, dot.high], [row, row], color=colour, linewidth=1.4, alpha=0.75,
                      solid_capstyle="butt", clip_on=False)  # fmt: skip
        axes.plot([dot.value], [row], colours.MARKS[dot.tone], color=colour, markersize=4.2,
                  markeredgecolor="white", markeredgewidth=0.5, clip_on=False)  # fmt: skip
    if panel.line is not None:
        axes.axvline(panel.line, color=colours.INK, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set_yticks(range(len(panel.dots)), [d.label for d in panel.dots])
    axes.set_ylim(len(panel.dots) - 0.4, -0.6)
    if panel.limits:
        axes.set_xlim(*panel.limits)
    across = axes.get_gridspec().ncols
    axes.set_title(
        panel.title, fontsize=8.5 * min(1.0, 4 * _LONG / across / max(1, len(panel.title)))
    )
    axes.set_xlabel(panel.axis)
    axes.locator_params(axis="x", nbins=5)
    local_numbers(axes.xaxis, lang)
    quiet(axes)
    axes.spines["left"].set_visible(False)


def _legend(figure, legend: dict[Tone, str]) -> None:  # type: ignore[no-untyped-def]  # a matplotlib Figure, not imported at the top
    from matplotlib.lines import Line2D

    if not legend:
        return
    marks = [
        Line2D([], [], marker=colours.MARKS[tone], color=colours.TONES[tone], markersize=4.2,
               linewidth=1.4, markeredgecolor="white", markeredgewidth=0.5)
        for tone in legend
    ]  # fmt: skip
    figure.legend(marks, list(legend.values()), loc="outside lower center", ncols=len(legend))


def strips(rows: Sequence[Strip], words: tuple[str, str, str], lang: Language, place: str) -> bytes:
    """Each estimate with its interval and the truth, each on its own scale.

    ``words`` are what estimate, interval and truth are called.
    """
    from matplotlib.lines import Line2D

    with canvas(0.4 + 0.36 * len(rows)) as figure:
        grid = figure.subplots(len(rows), 1, squeeze=False)
        for strip, axes in zip(rows, grid.flat, strict=True):
            _draw_strip(axes, strip, lang)
        estimate, interval, truth = words
        marks = [
            Line2D([], [], color=colours.TONES["good"], marker="o", markersize=4.5, linewidth=0),
            Line2D([], [], color=colours.TONES["good"], linewidth=3.5, alpha=0.45),
            Line2D([], [], color=colours.INK, marker="|", markersize=9, markeredgewidth=1.6,
                   linewidth=0),
        ]  # fmt: skip
        figure.legend(marks, [estimate, interval, truth], loc="outside lower center", ncols=3)
        return png(figure, lang, place)


def _draw_strip(axes: Axes, strip: Strip, lang: Language) -> None:
    import textwrap

    colour = colours.TONES[strip.tone]
    known = [v for v in (strip.value, strip.low, strip.high, strip.truth) if v is not None]
    spread = (max(known) - min(known)) or abs(strip.truth) * 0.1 or 1.0
    axes.set_xlim(min(known) - 0.25 * spread, max(known) + 0.25 * spread)
    axes.axhline(0, color=colours.HAIR, linewidth=0.6)
    if strip.low is not None and strip.high is not None:
        axes.plot([strip.low, strip.high], [0, 0], color=colour, linewidth=4, alpha=0.45,
                  solid_capstyle="butt")  # fmt: skip
    if strip.value is not None:
        axes.plot([strip.value], [0], colours.MARKS[strip.tone], color=colour, markersize=4.8)
    axes.plot([strip.truth], [0], "|", color=colours.INK, markersize=11, markeredgewidth=1.6)
    axes.set_ylim(-1, 1)
    wide = 22 if lang == "zh" else 38
    axes.set_yticks([0], ["\n".join(textwrap.wrap(strip.label, wide)[:2])])
    axes.annotate(strip.said, (1.01, 0.5), xycoords="axes fraction", va="center", fontsize=7)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def histograms(
    panels: Sequence[Bins], words: tuple[str, str, str, str], lang: Language, place: str
) -> bytes:
    """How values are spread, and which of them are significant.

    ``words`` name the axis of values, the axis of counts, all cells, and the chosen ones.
    """
    across = min(len(panels), 3)
    down = -(-len(panels) // across)
    values, counts, every, chosen = words
    with canvas(0.5 + 1.25 * down) as figure:
        grid = figure.subplots(down, across, squeeze=False, sharex=True)
        for index, axes in enumerate(grid.flat):
            if index >= len(panels):
                axes.set_axis_off()
                continue
            bins = panels[index]
            axes.stairs(bins.every, bins.edges, fill=True, color="#c3d0d9", label=every)
            low = bins.edges[:-1] < 0
            for side, colour in ((low, "#8a5a17"), (~low, "#1f7a72")):
                axes.bar(bins.edges[:-1][side], bins.chosen[side], bins_width(bins)[side],
                         align="edge", color=colour, linewidth=0)  # fmt: skip
            axes.axvline(0, color=colours.INK, linewidth=0.7)
            axes.set_title(bins.title)
            if index % across == 0:
                axes.set_ylabel(counts)
            if index + across >= len(panels):
                axes.set_xlabel(values)
                axes.tick_params(labelbottom=True)
            axes.locator_params(axis="x", nbins=5)
            axes.locator_params(axis="y", nbins=4)
            local_numbers(axes.xaxis, lang)
            local_numbers(axes.yaxis, lang)
            quiet(axes, "y")
        _histogram_legend(figure, every, chosen)
        return png(figure, lang, place)


def bins_width(bins: Bins) -> NDArray[np.float64]:
    """Width of each bin."""
    return bins.edges[1:] - bins.edges[:-1]


def _histogram_legend(figure, every: str, chosen: str) -> None:  # type: ignore[no-untyped-def]  # a matplotlib Figure, not imported at the top
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.patches import Patch

    handles = [
        Patch(color="#c3d0d9"),
        (Patch(color="#8a5a17"), Patch(color="#1f7a72")),
    ]
    figure.legend(handles, [every, chosen], loc="outside lower center", ncols=2,
                  handler_map={tuple: HandlerTuple(ndivide=None, pad=0)})  # fmt: skip


def matrix(
    rows: Sequence[str],
    columns: Sequence[str],
    tones: Sequence[Sequence[Tone | None]],
    numbers: Sequence[Sequence[float | None]],
    legend: dict[Tone, str],
    lang: Language,
    place: str,
) -> bytes:
    """Rows by columns: in each field its number, its verdict by shade and by mark."""
    from matplotlib.patches import Patch, Rectangle

    fills: dict[Tone, str] = {
        "good": "#d6e6f2", "warn": "#fbe3b0", "bad": "#e8b298", "neutral": "#e3e6e8",
    }  # fmt: skip
    signs: dict[Tone, str] = {"good": "", "warn": "△ ", "bad": "■ ", "neutral": "– "}
    with canvas(0.85 + 0.21 * len(rows)) as figure:
        axes = figure.subplots()
        for y, line in enumerate(tones):
            for x, tone in enumerate(line):
                if tone is None:
                    continue
                axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=fills[tone],
                                         linewidth=0))  # fmt: skip
                value = numbers[y][x]
                shown = "" if value is None else l10n.number(value, lang, 0)
                axes.text(x, y, (signs[tone] + shown).strip(), ha="center", va="center",
                          fontsize=7, weight="bold" if tone == "bad" else "normal")  # fmt: skip
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        slanted = max(map(len, columns)) > _LETTERS / len(columns)
        axes.set_xticks(
            range(len(columns)), columns,
            rotation=28 if slanted else 0, ha="left" if slanted else "center",
        )  # fmt: skip
        axes.set_yticks(range(len(rows)), rows)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        handles = [Patch(facecolor=fills[t]) for t in legend]
        labels = [signs[t] + text for t, text in legend.items()]
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(legend), 4))
        return png(figure, lang, place)
