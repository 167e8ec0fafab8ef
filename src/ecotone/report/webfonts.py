"""The report's fonts cut down to the characters of one page, to travel inside it.

A page that asked for fonts would need a network; one that named the fonts of
the reader's machine would show boxes where they are missing. So each page
carries the few hundred glyphs it uses, under a family name of its own.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Final

from fontTools import subset
from fontTools.ttLib import TTFont

from ecotone.report import glyphs
from ecotone.report.present import Node

FAMILY: Final = "Ecotone Sans"
#: Signs our templates add to the texts of the tree.
_ADDED: Final = "●▲■○[]0123456789 "
#: In Chinese text these belong to the Chinese face although the Latin one has them.
_EAST_ASIAN_MARKS: Final = frozenset(map(ord, "“”‘’…—·"))


def face_rules(tree: Node) -> str:
    """``@font-face`` rules holding exactly the glyphs the tree needs."""
    used = {ord(c) for _, text in glyphs.gather(tree) for c in text} | set(map(ord, _ADDED))
    used.discard(ord("\n"))
    chinese = tree["lang"] == "zh"
    latin = used & glyphs.covered("NotoSans-Regular.ttf")
    if chinese:
        latin -= _EAST_ASIAN_MARKS
    signs = (used - latin) & glyphs.covered("NotoSansMath-Regular.ttf")
    hanzi = used - latin - signs
    heads = {ord(c) for c in _bold_texts(tree)} | set(map(ord, _ADDED))
    rules = [
        _rule("NotoSans-Regular.ttf", latin, 400, "normal"),
        _rule("NotoSans-Bold.ttf", latin, 700, "normal"),
        _rule("NotoSansMath-Regular.ttf", signs, 400, "normal"),
        _rule("NotoSansSC-Regular.otf", hanzi, 400, "normal"),
        _rule("NotoSansSC-Bold.otf", hanzi & heads, 700, "normal"),
    ]
    slanted = {ord(c) for text in _styled(tree, "italic") for c in text}
    rules.append(_rule("NotoSans-Italic.ttf", latin & slanted, 400, "italic"))
    return "".join(rules)


def _rule(face: str, wanted: set[int] | frozenset[int], weight: int, style: str) -> str:
    """One rule, or nothing when the page needs no glyph of this face."""
    able = wanted & glyphs.covered(face)
    if not able:
        return ""
    data = base64.b64encode(_cut(face, able)).decode("ascii")
    ranges = ",".join(f"U+{c:X}" for c in sorted(able))
    return (
        f'@font-face{{font-family:"{FAMILY}";font-weight:{weight};font-style:{style};'
        f"unicode-range:{ranges};src:url(data:font/woff;base64,{data}) format('woff')}}\n"
    )


def _cut(face: str, wanted: set[int] | frozenset[int]) -> bytes:
    """The face with only the wanted characters, as WOFF; the same bytes each time."""
    options = subset.Options()
    options.flavor = "woff"
    options.hinting = False
    options.recalc_timestamp = False
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum"]
    options.name_IDs = [0, 13]
    with TTFont(glyphs.folder() / face, lazy=True, recalcTimestamp=False) as font:
        maker = subset.Subsetter(options)
        maker.populate(unicodes=wanted)
        maker.subset(font)
        font.flavor = "woff"
        out = io.BytesIO()
        font.save(out)
    return out.getvalue()


def _styled(tree: object, style: str) -> list[str]:
    """Texts of all runs in one style."""
    if isinstance(tree, Mapping):
        if tree.get("style") == style:
            return [str(tree["text"])]
        return [t for value in tree.values() for t in _styled(value, style)]
    if isinstance(tree, list):
        return [t for item in tree for t in _styled(item, style)]
    return []


def _bold_texts(tree: Node) -> str:
    """Everything the style sheet prints bold."""
    parts = [tree["title"], tree["banner"], *_styled(tree, "bold"), tree["words"]["contents"]]
    for block in tree["blocks"]:
        parts.append(block.get("label", ""))
        if block["kind"] == "heading":
            parts.append(block["text"])
        elif block["kind"] == "callout":
            parts.append(block["title"])
        elif block["kind"] == "keynumbers":
            parts += [item["value"] + item["unit"] for item in block["items"]]
        elif block["kind"] == "table":
            parts += [c["title"] for c in block["columns"]]
            parts += [cell["text"] for row in block["rows"] for cell in row if cell["tone"]]
    return "".join(parts)
