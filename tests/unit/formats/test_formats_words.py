"""Every code the readers of tables and archives use has its sentence, and no sentence is idle."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from string import Formatter

from ecotone.formats import csv_scan
from ecotone.model import words
from ecotone.model.words import LANGUAGES

PLACES = {"value", "field", "row", "line", "file"}


def sources() -> str:
    folder = resources.files("ecotone.formats")
    return "\n".join(
        entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".py")
    )


def own() -> dict[str, dict[str, str]]:
    entry = resources.files("ecotone.model").joinpath("words", "formats.toml")
    return tomllib.loads(entry.read_text(encoding="utf-8"))


def test_every_code_has_its_sentence() -> None:
    text = sources()
    codes = set(csv_scan.CODES.values())
    for call in (r"refused\(\s*", r"Finding\(\s*", r"\.tell\(\s*", r"_tell\(\s*", r"code = "):
        codes |= set(re.findall(call + r'"([a-z0-9-]+)"', text))
    lacking = {code for code in codes if not words.has(f"finding.{code}")}
    assert lacking == set()


def test_no_sentence_is_idle() -> None:
    text = sources()
    for key in own():
        if key.startswith("finding."):
            code = key.removeprefix("finding.").removesuffix(".do")
            assert f'"{code}"' in text, key
            assert words.has(f"finding.{code}"), key


def test_all_languages_name_the_same_things() -> None:
    for key, texts in own().items():
        assert set(texts) == set(LANGUAGES), key
        named = {
            lang: {name for _, name, _, _ in Formatter().parse(text) if name}
            for lang, text in texts.items()
        }
        assert named["en"] == named["zh"] == named["ru"], key
        assert re.search("[\u4e00-\u9fff]", texts["zh"]), key
        assert re.search("[\u0400-\u04ff]", texts["ru"]), key
