"""Values along time: streams, control charts, long records; plain numbers in, PNG bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ecotone.model.words import Language
from ecotone.report import colours
from ecotone.report.canvas import canvas, local_numbers, png, quiet
from ecotone.report.document import Tone

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_HEIGHT: Final = 1.75  # inches of a panel


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or dots where ``dots``; its tone also says how it is drawn."""

    label: str
    x: NDArray[Any]
    y: NDArray[np.float64]
    tone: Tone = "good"
    dots: bool = False
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """Lines that share an axis of time, levels across and moments down."""

    title: str
    lines: tuple[Line, ...]
    axis: str = ""
    levels: tuple[tuple[float, bool], ...] = ()  #: value, and whether it is one of action
    moments: tuple[Any, ...] = ()
    limits: tuple[float, float] | None = None
    marks: tuple[str, ...] = field(default=())  #: labels of the places on x, where it is no time


def courses(panels: Sequence[Course], lang: Language, place: str) -> bytes:
    """Panels one below the other, with one legend."""
    with canvas(_HEIGHT * len(panels) + 0.3) as figure:
        grid = figure.subplots(len(panels), 1, squeeze=False)
        for axes, panel in zip(grid.flat, panels, strict=True):
            _draw(axes, panel, lang)
        known = {line.label: line for panel in panels for line in panel.lines if line.label}
        if known:
            figure.legend(
                handles=[_sign(line) for line in known.values()],
                loc="outside lower center",
                ncols=len(known),
            )
        return png(figure, lang, place)


def _draw(axes: Axes, panel: Course, lang: Language) -> None:
    for line in panel.lines:
        colour = colours.TONES[line.tone]
        if line.low is not None and line.high is not None:
            axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.18, linewidth=0)
        if line.dots:
            axes.plot(line.x, line.y, colours.MARKS[line.tone], color=colour, markersize=3,
                      markeredgewidth=0, linestyle="none")  # fmt: skip
        else:
            axes.plot(line.x, line.y, color=colour, linewidth=1.1)
    for value, action in panel.levels:
        axes.axhline(value, color=colours.TONES["bad" if action else "neutral"], linewidth=0.7,
                     linestyle=(0, (4, 2)) if action else (0, (1, 2)))  # fmt: skip
    for moment in panel.moments:
        axes.axvline(moment, color=colours.INK, linewidth=0.7, linestyle=(0, (1, 1)))
    if panel.limits:
        axes.set_ylim(*panel.limits)
    axes.set_title(panel.title)
    axes.set_ylabel(panel.axis)
    if panel.marks:
        places = range(0, len(panel.marks), max(1, len(panel.marks) // 8))
        axes.set_xticks(list(places), [panel.marks[i] for i in places])
    else:
        _time(axes)
    axes.locator_params(axis="y", nbins=5)
    local_numbers(axes.yaxis, lang)
    quiet(axes, "y")


def _time(axes: Axes) -> None:
    """Years where there are many, else months as 2024-03, which every language reads."""
    from matplotlib.dates import AutoDateLocator, DateFormatter

    left, right = axes.get_xlim()
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=4, maxticks=8))
    axes.xaxis.set_major_formatter(DateFormatter("%Y" if right - left > 3 * 366 else "%Y-%m"))


def _sign(line: Line) -> Any:
    from matplotlib.lines import Line2D

    colour = colours.TONES[line.tone]
    mark = colours.MARKS[line.tone] if line.dots else ""
    return Line2D([], [], color=colour, marker=mark, markersize=4, label=line.label,
                  linestyle="none" if line.dots else "-")  # fmt: skip
