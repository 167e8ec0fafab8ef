"""Colours of figures and maps: told apart by every reader, and on a black-and-white copy.

Categories are those of Okabe and Ito (2008), "Color Universal Design"; the two-sided ramps run
from a near-white middle to two ends that differ in hue for every common colour blindness (brown
and teal, orange and violet) and darken evenly, so that size is read from lightness alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

INK: Final = "#1c2b36"
ACCENT: Final = "#1f4e6b"
FAINT: Final = "#5d6b75"
HAIR: Final = "#c9d2d8"
WASH: Final = "#f1f5f7"
NO_DATA: Final = "#e3e6e8"
#: Good, doubtful, bad, unknown: blue and vermilion stay apart where green and red do not.
TONES: Final = {"good": "#0072b2", "warn": "#e69f00", "bad": "#b5460f", "neutral": "#7a868e"}
#: Marks that go with the tones, so that shape says what colour says.
MARKS: Final = {"good": "o", "warn": "^", "bad": "s", "neutral": "D"}
SERIES: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

_RAMPS: Final = {
    "brown-teal": (
        "#4f2f05", "#8a5a17", "#bf8f4a", "#e0c793", "#f5f3ee",
        "#b0d8d2", "#5fada5", "#1f7a72", "#05433d",
    ),
    "orange-violet": (
        "#6b2b00", "#a9520a", "#dd8a3c", "#f3c48c", "#f6f4f2",
        "#cdc5e3", "#9a8cc6", "#6752a0", "#371d6b",
    ),
    "pale-blue": ("#f3f6f8", "#cfdfe8", "#9cc0d6", "#5f9bbf", "#2d719c", "#144b70", "#0a2a44"),
}  # fmt: skip


def ramp(name: str) -> Colormap:
    """One of our ramps; cells without data are a plain grey, never a colour of the ramp."""
    from matplotlib.colors import LinearSegmentedColormap

    made = LinearSegmentedColormap.from_list(name, _RAMPS[name], N=256)
    return made.with_extremes(bad=NO_DATA)


def luminance(colour: tuple[float, float, float]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2), 0 black to 1 white."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
