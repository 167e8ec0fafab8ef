"""A matplotlib canvas with the report's own fonts whose picture is the same bytes each time."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ecotone.model.words import Language
from ecotone.report import colours, glyphs, l10n

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI: Final = 200
#: Width of the text column of the page, in inches.
WIDTH: Final = 6.3
_FACES: Final = tuple(f for f in glyphs.FACES if "Italic" not in f)
_STYLE: Final[dict[str, Any]] = {
    "font.family": ["Noto Sans", "Noto Sans SC", "Noto Sans Math"],
    "font.size": 8,
    "text.parse_math": False,
    "text.color": colours.INK,
    "axes.labelcolor": colours.INK,
    "axes.edgecolor": colours.FAINT,
    "axes.linewidth": 0.6,
    "axes.labelsize": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": colours.HAIR,
    "grid.linewidth": 0.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": colours.FAINT,
    "ytick.color": colours.FAINT,
    "xtick.labelcolor": colours.INK,
    "ytick.labelcolor": colours.INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
}


@functools.cache
def _fonts_known() -> None:
    """Make matplotlib prefer our faces to files of the same name on this machine."""
    from matplotlib import font_manager

    manager = font_manager.fontManager
    for face in _FACES:
        manager.addfont(str(glyphs.folder() / face))
    ours = manager.ttflist[-len(_FACES) :]
    # The signs of mathematics have one weight, which serves bold text too.
    ours += [replace(e, weight=700) for e in ours if e.name == "Noto Sans Math"]
    # The first of equally good faces wins, so ours stand in front.
    manager.ttflist[:] = ours + manager.ttflist[: -len(_FACES)]


@contextmanager
def canvas(height: float, width: float = WIDTH) -> Iterator[Figure]:
    """A figure of ``width`` by ``height`` inches; the style holds inside the block only."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    _fonts_known()
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_STYLE, "backend": "agg"}):
        figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def png(figure: Figure, lang: Language, place: str) -> bytes:
    """The picture's bytes; raises MissingGlyph where a text cannot be drawn."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    texts = [t.get_text() for t in figure.findobj(Text) if t.get_visible()]
    glyphs.check(((place, text) for text in texts), lang)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return out.getvalue()


def local_numbers(axis: Any, lang: Language) -> None:
    """Tick labels as the language writes numbers, all with the same decimals."""
    from matplotlib.ticker import Formatter

    class Local(Formatter):
        def format_ticks(self, values: Any) -> list[str]:
            steps = [abs(b - a) for a, b in zip(values, list(values)[1:], strict=False)]
            places = _places(min(steps)) if steps else None
            return [l10n.number(float(v), lang, places) for v in values]

        def __call__(self, x: float, pos: int | None = None) -> str:
            return l10n.number(float(x), lang)

    axis.set_major_formatter(Local())


def _places(step: float) -> int:
    """Decimals that tell two neighbouring ticks apart."""
    places = 0
    while places < 6 and abs(step * 10**places - round(step * 10**places)) > 1e-6 * 10**places:
        places += 1
    return places


def quiet(axes: Axes, grid: str = "x") -> None:
    """No ticks where labels alone are enough, light lines along one axis."""
    axes.grid(axis=grid)  # type: ignore[arg-type]  # matplotlib wants a Literal
    axes.tick_params(length=0)
