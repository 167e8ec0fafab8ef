"""Numbers, dates and units in three languages; every word of the report's catalogue."""

from __future__ import annotations

import ast
import math
import re
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecotone.assess import registry
from ecotone.model import words
from ecotone.model.words import LANGUAGES, Language
from ecotone.report import glyphs, l10n
from ecotone.report.document import Quantity
from ecotone.report.writing import column_keys

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("en", "−1,234.50"), ("zh", "−1,234.50"), ("ru", f"−1{NBSP}234,50")],
)
def test_number(lang: Language, expected: str) -> None:
    assert l10n.number(-1234.5, lang, 2) == expected


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("en", "21 November 2026"), ("zh", "2026年11月21日"), ("ru", f"21 ноября 2026{NBSP}г.")],
)
def test_day(lang: Language, expected: str) -> None:
    assert l10n.day(date(2026, 11, 21), lang) == expected


def test_small_large_and_undefined_numbers() -> None:
    assert l10n.number(None, "en") == "–"
    assert l10n.number(math.nan, "ru") == "–"
    assert l10n.number(math.inf, "en") == "∞"
    assert l10n.number(-math.inf, "en") == "−∞"
    assert l10n.number(-0.0001, "en", 2) == "0.00"
    assert l10n.number(1.23e-9, "en", 3) == f"1.2{NBSP}×{NBSP}10⁻⁹"
    assert l10n.exact(0.1, "ru") == "0,1"
    assert l10n.exact(2009, "en") == "2,009"


def test_number_keeps_company_with_its_unit() -> None:
    assert l10n.with_unit(12.3, "mg/L", "en", 1) == f"12.3{NBSP}mg/L"
    assert l10n.with_unit(12.3, "%", "zh", 1) == "12.3%"
    assert l10n.unit("m3 s-1", "en") == f"m³{NBSP}s⁻¹"
    assert l10n.unit("1", "en") == ""
    assert [l10n.unit(u, "ru") for u in ("kg/d", "m3/s", "ha", "1/h")] == [
        "кг/сут", "м³/с", "га", "1/ч"
    ]  # fmt: skip
    assert l10n.unit("vector units", "zh") == "矢量单位"
    assert l10n.unit("mg/L/a as N", "ru") == "мг/л/год в пересчёте на N"
    assert l10n.unit("mg/L as NO3", "zh") == "mg/L（以 NO3 计）"


def test_quantity_is_rounded_by_its_interval() -> None:
    given = Quantity(0.00042, "1", -0.00012, 0.00096, 0.95)
    assert l10n.quantity(given, "en") == "0.00042 (95 % CI −0.00012 to 0.00096)"
    assert l10n.quantity(given, "zh").endswith("置信区间 −0.00012 至 0.00096）")
    assert l10n.interval(Quantity(1.0, "1", 0.5, None, 0.9), "en") == "90 % CI from 0.50"
    assert l10n.quantity(Quantity(None), "ru") == "не определено"


def test_share_is_read_in_per_cent() -> None:
    share = Quantity(0.914, "1", 0.894, 0.939, 0.95, share=True)
    assert l10n.quantity(share, "en") == f"91.4{NBSP}% (95 % CI 89.4 to 93.9)"
    assert l10n.bounds(share, "ru") == "89,4–93,9"


@given(st.floats(-1e12, 1e12, allow_nan=False), st.integers(0, 6))
def test_number_can_be_read_back(value: float, places: int) -> None:
    for lang in LANGUAGES:
        text = l10n.number(value, lang, places)
        if "×" in text:
            continue
        plain = text.replace("−", "-").replace(NBSP, "")
        plain = plain.replace(",", ".") if lang == "ru" else plain.replace(",", "")
        assert float(plain) == pytest.approx(value, abs=0.5 * 10**-places + abs(value) * 1e-12)


def test_every_key_has_three_languages_with_the_same_places() -> None:
    own = {k: v for k, v in words.catalogue().items() if k.startswith("report.")}
    assert len(own) > 150
    for key, texts in own.items():
        assert set(texts) == set(LANGUAGES), key
        places = {lang: set(re.findall(r"\{(\w+)\}", text)) for lang, text in texts.items()}
        assert len({frozenset(p) for p in places.values()}) == 1, key
        assert all(text.strip() for text in texts.values()), key


def test_chinese_and_russian_are_written_in_their_scripts() -> None:
    latin = {"report.degrees.0", "report.section.", "report.data.version", "report.term.ph"}
    for key, texts in words.catalogue().items():
        if not key.startswith("report.") or any(key.startswith(x) for x in latin):
            continue
        bare = {lang: re.sub(r"\{\w+\}", "", t) for lang, t in texts.items()}
        if not re.search("[A-Za-z]{3}", bare["en"]):
            continue
        assert re.search("[\u4e00-\u9fff]", bare["zh"]), key
        assert re.search("[а-яё]", bare["ru"], re.IGNORECASE), key


def test_our_own_words_can_be_drawn() -> None:
    for lang in LANGUAGES:
        texts = [(k, v[lang]) for k, v in words.catalogue().items() if k.startswith("report.")]
        glyphs.check(texts, lang)


def test_no_sentence_of_the_code_lacks_a_key() -> None:
    """``say("...")`` with a fixed text, all over the package, names a key there is."""
    root = Path(str(resources.files("ecotone.report")))
    missing = []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if isinstance(node.func, ast.Name):
                name = node.func.id
            first = node.args[0]
            if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
                continue
            prefix = {"paragraph": "", "chapter": "chapter.", "section": "section.", "say": ""}
            if name not in prefix or first.value.startswith("report."):
                continue
            if not words.has(f"report.{prefix[name]}{first.value}"):
                missing.append((path.name, first.value))
    assert not missing


def test_fonts_are_shipped_with_their_licence_and_small_enough() -> None:
    files = list(glyphs.folder().iterdir())
    assert sum(f.stat().st_size for f in files) <= 8_000_000
    assert "SIL OPEN FONT LICENSE" in (glyphs.folder() / "OFL.txt").read_text("utf-8").upper()
    assert {f.name for f in files} >= set(glyphs.FACES)


def test_every_column_of_every_table_has_a_title_in_each_language() -> None:
    for name in registry.names():
        # Forms for other systems keep the names that those systems read.
        tables = {} if name == "water.exchange" else registry.get(name).tables
        untitled = [
            f"{table}.{column}"
            for table, columns in tables.items()
            for column in columns
            if not any(map(words.has, column_keys(name, table, column)))
        ]
        assert not untitled, (name, untitled)
