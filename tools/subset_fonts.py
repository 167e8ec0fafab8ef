"""Make the fonts the report ships, from the full Noto families.

The report must look the same in every office, so it carries its own fonts and
never reads those of the machine. The full families weigh over 90 MB; this
script keeps what administrative text in English, Chinese and Russian needs.

Inputs are the files of the Debian 12 packages ``fonts-noto-core`` (Noto Sans,
Noto Sans Math), ``fonts-noto-cjk`` (Noto Sans CJK 2.004, face SC) and, for the
list of characters in common use, ``unicode-data`` (Unihan property ``kTGH``,
the 8,105 characters of the Table of General Standard Chinese Characters)::

    apt-get install fonts-noto-core fonts-noto-cjk unicode-data
    python tools/subset_fonts.py

The same inputs give the same bytes: dates inside the fonts are left as the
foundry set them.
"""

from __future__ import annotations

import argparse
import bz2
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

LATIN_RANGES = (
    (0x0020, 0x007E),
    (0x00A0, 0x017F),  # Latin-1, Extended-A
    (0x0180, 0x024F),  # Extended-B: Pinyin carons among others
    (0x02B0, 0x02FF),
    (0x0300, 0x0331),  # combining marks, for stressed and transliterated names
    (0x0370, 0x03FF),
    (0x0400, 0x052F),  # Cyrillic with the letters of Tajik, Uzbek, Kyrgyz, Kazakh
    (0x1E00, 0x1EFF),
    (0x2010, 0x2027),
    (0x202F, 0x205E),
    (0x2070, 0x209C),
    (0x20A0, 0x20BF),
    (0x2100, 0x214F),
    (0x2150, 0x218B),
)
SIGN_RANGES = ((0x2190, 0x21FF), (0x2200, 0x22FF), (0x25A0, 0x25FF), (0x2300, 0x2311))
CJK_RANGES = (
    (0x0020, 0x007E),
    (0x2010, 0x2027),
    (0x2030, 0x203B),
    (0x2160, 0x217F),
    (0x2190, 0x2199),
    (0x2460, 0x249B),
    (0x25A0, 0x25FF),
    (0x2605, 0x2606),
    (0x2610, 0x2612),
    (0x2713, 0x2714),
    (0x3000, 0x301F),
    (0x30FB, 0x30FB),
    (0x3220, 0x3229),
    (0x338E, 0x33C4),
    (0xFF01, 0xFF5E),
    (0xFFE0, 0xFFE6),
)
EAST_ASIAN_FACE = 2  # order in the Debian collection: JP, KR, SC, TC, HK


def spread(ranges: Iterable[tuple[int, int]]) -> set[int]:
    """Every code point of the ranges, ends included."""
    return {c for low, high in ranges for c in range(low, high + 1)}


def gb2312() -> set[int]:
    """The hanzi of GB 2312-80, through Python's own codec."""
    found = set()
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes((high, low)).decode("gb2312")))
            except UnicodeDecodeError:
                continue  # the five unassigned places at the end of row 55
    return found


def general_standard(mappings: Path) -> set[int]:
    """The characters Unihan gives a place in the general standard table."""
    text = bz2.decompress(mappings.read_bytes()).decode("utf-8")
    return {int(m, 16) for m in re.findall(r"^U\+([0-9A-F]+)\tkTGH\t", text, flags=re.M)}


def write(font: TTFont, wanted: set[int], target: Path, features: list[str]) -> None:
    """Keep ``wanted`` of ``font`` and write it, without hints."""
    options = subset.Options()
    options.hinting = False
    options.desubroutinize = False
    options.layout_features = features
    options.name_IDs = ["*"]
    options.name_languages = [0x409]
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.drop_tables += ["DSIG", "VORG", "vhea", "vmtx", "BASE"]
    maker = subset.Subsetter(options)
    maker.populate(unicodes=wanted)
    maker.subset(font)
    font.recalcTimestamp = False
    font.save(target)
    print(f"{target.name}: {len(font.getBestCmap())} characters, {target.stat().st_size:,} bytes")  # noqa: T201 - a script reports on its terminal


def rename(font: TTFont, family: str, style: str) -> None:
    """Give the SC face its own family name, so that no other face is taken for it."""
    names = font["name"]
    postscript = f"{family.replace(' ', '')}-{style}"
    for number, text in ((1, family), (2, style), (4, f"{family} {style}"), (6, postscript)):
        names.setName(text, number, 3, 1, 0x409)
    for number in (16, 17):
        names.removeNames(nameID=number)
    font["CFF "].cff.fontNames = [postscript]


def main() -> int:
    """Write all faces; fail when they outgrow the package."""
    parser = argparse.ArgumentParser(description="Subset the report's fonts.")
    parser.add_argument("--latin", type=Path, default=Path("/usr/share/fonts/truetype/noto"))
    parser.add_argument("--cjk", type=Path, default=Path("/usr/share/fonts/opentype/noto"))
    parser.add_argument(
        "--unihan", type=Path, default=Path("/usr/share/unicode/Unihan_OtherMappings.txt.bz2")
    )
    here = Path(__file__).resolve().parents[1] / "src" / "ecotone" / "report" / "fonts"
    parser.add_argument("--out", type=Path, default=here)
    given = parser.parse_args()
    basic = ["kern", "liga", "mark", "mkmk", "ccmp", "locl", "tnum", "lnum"]
    for style in ("Regular", "Bold", "Italic"):
        font = TTFont(given.latin / f"NotoSans-{style}.ttf")
        write(font, spread(LATIN_RANGES), given.out / f"NotoSans-{style}.ttf", basic)
    maths = TTFont(given.latin / "NotoSansMath-Regular.ttf")
    write(maths, spread(SIGN_RANGES), given.out / "NotoSansMath-Regular.ttf", ["ccmp"])
    hanzi = gb2312() | general_standard(given.unihan) | spread(CJK_RANGES)
    for style in ("Regular", "Bold"):
        source = TTCollection(given.cjk / f"NotoSansCJK-{style}.ttc").fonts[EAST_ASIAN_FACE]
        rename(source, "Noto Sans SC", style)
        write(source, hanzi, given.out / f"NotoSansSC-{style}.otf", ["ccmp", "locl", "kern"])
    size = sum(p.stat().st_size for p in given.out.iterdir() if p.suffix in {".ttf", ".otf"})
    print(f"together {size:,} bytes")  # noqa: T201 - a script reports on its terminal
    return 0 if size <= 8_000_000 else 1


if __name__ == "__main__":
    sys.exit(main())
