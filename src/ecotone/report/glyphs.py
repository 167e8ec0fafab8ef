"""Whether the report's own fonts can draw every character it holds.

A typesetter that lacks a glyph prints an empty box and says nothing. Here the
build stops, and names the character and the place where it stands.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

from ecotone.model import words
from ecotone.model.errors import NotComputable
from ecotone.model.words import Language

FACES: Final = (
    "NotoSans-Regular.ttf",
    "NotoSans-Bold.ttf",
    "NotoSans-Italic.ttf",
    "NotoSansMath-Regular.ttf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Bold.otf",
)
#: Characters that leave no mark and need no glyph.
_UNDRAWN: Final = frozenset("\n\u200b\u2060\u202f\u2009")


class MissingGlyph(NotComputable):
    """The report holds a character its fonts cannot draw."""


def folder() -> Path:
    """The folder of the shipped fonts."""
    found: Traversable = resources.files("ecotone.report").joinpath("fonts")
    return Path(str(found))


@functools.cache
def covered(face: str) -> frozenset[int]:
    """The code points one face can draw."""
    with TTFont(folder() / face, lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.cache
def _advances(face: str) -> dict[int, float]:
    """How far each character of a face moves the pen, in em."""
    with TTFont(folder() / face, lazy=True) as font:
        em = font["head"].unitsPerEm
        metrics = font["hmtx"].metrics
        return {code: metrics[name][0] / em for code, name in font.getBestCmap().items()}


def width(text: str, bold: bool = False) -> float:
    """The length of a text in em, set in the report's faces."""
    latin = _advances(FACES[1] if bold else FACES[0])
    if all(ord(c) in latin for c in text):
        return sum(latin[ord(c)] for c in text)
    signs, hanzi = _advances(FACES[3]), _advances(FACES[4])
    return sum(latin.get(ord(c)) or signs.get(ord(c)) or hanzi.get(ord(c)) or 0.0 for c in text)


@functools.cache
def drawable() -> frozenset[int]:
    """The code points the faces can draw together, in regular and in bold."""
    regular = covered(FACES[0]) | covered(FACES[3]) | covered(FACES[4])
    bold = covered(FACES[1]) | covered(FACES[3]) | covered(FACES[5])
    return regular & bold


def check(texts: Iterable[tuple[str, str]], lang: Language) -> None:
    """Raise MissingGlyph for the first text holding what cannot be drawn.

    ``texts`` are pairs of a place ("Table 3, row 5") and the text there.
    """
    able = drawable()
    known: set[str] = set(_UNDRAWN)
    for place, text in texts:
        for character in set(text) - known:
            if ord(character) not in able:
                raise MissingGlyph(
                    words.say(
                        "report.glyph-missing",
                        lang,
                        character=character,
                        code=f"U+{ord(character):04X}",
                        name=unicodedata.name(character, "?"),
                        place=place,
                    ),
                    words.say("report.glyph-missing.do", lang),
                )
            known.add(character)


def gather(tree: object, place: str = "") -> Iterable[tuple[str, str]]:
    """All texts of a presented tree, each with the number of the block it stands in."""
    if isinstance(tree, str):
        yield place, tree
    elif isinstance(tree, Mapping):
        here = str(tree.get("place") or place)
        for key, value in tree.items():
            if key not in {"kind", "anchor", "file", "href", "raw"}:
                yield from gather(value, here)
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from gather(item, place)
