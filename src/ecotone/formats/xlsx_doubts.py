"""What a spreadsheet does to values behind its user's back, told cell by cell.

A code turned into a date, a percentage stored as a fraction, a number longer than Excel keeps,
a sum under the table, a second table below the first, letters that only look Latin: each is named,
none is mended.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from ecotone.formats.cells import NUMBER

if TYPE_CHECKING:
    import pandas as pd

_TOTALS: Final = frozenset(
    {"total", "totals", "sum", "subtotal", "grand total", "average", "mean",
     "итого", "всего", "сумма", "среднее", "合计", "总计", "小计", "平均", "平均值"}
)  # fmt: skip
#: Digits a spreadsheet keeps of a number; longer codes lose their end.
_DIGITS_KEPT: Final = 15
_ZEROS: Final = re.compile(r'"?0{2,}"?')
_PERCENT: Final = re.compile(r"%(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")
_SCIENTIFIC: Final = re.compile(r"[0#?]E[+-]", re.I)
_SEMICOLON: Final = re.compile(r";(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")
_CONDITION: Final = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
_LITERAL: Final = re.compile(r'"([^"]*)"|\\(.)')
_COMPARE: Final = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
                   "=": operator.eq, "<>": operator.ne}  # fmt: skip
_WIDE: Final = re.compile("[！-～　]")
#: Signs of no width, and hyphens that are not the keyboard's, in a code.
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_HYPHENS: Final = re.compile(r"[A-Za-z\u0400-\u04ff]\w*[\u2010-\u2013\u2212]\d")
_LATIN: Final = re.compile("[A-Za-z]")
_CYRILLIC: Final = re.compile("[Ѐ-ӿ]")
#: Cyrillic letters that look Latin; a word of these alone may be either.
_ALIKE: Final = re.compile("[АВЕКМНОРСТУХаеорсух]+")
_WORDS: Final = re.compile(r"[^\W\d_]+")
_CODE_LONGEST: Final = 24


def kind_of(cell: Any) -> str:
    """``date``, ``percent``, ``format``, ``long``, ``scientific`` or nothing."""
    value = cell.value
    if isinstance(value, (dt.datetime, dt.date)):
        return "date"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if _of_format(str(cell.number_format))[1]:
            return "percent"
        if _says(_section(str(cell.number_format), value)):
            return "format"
        if abs(value) >= 10**_DIGITS_KEPT:
            return "long"
        if value == int(value) and _SCIENTIFIC.search(str(cell.number_format)):
            return "scientific"
    return ""


def with_zeros(value: int | float, number_format: str) -> str | None:
    """A whole number whose format writes leading zeros, as it is shown; else None."""
    zeros = _of_format(number_format)[0]
    if not zeros or value < 0 or value != int(value):
        return None
    return str(int(value)).zfill(zeros)


@functools.lru_cache(maxsize=4096)
def _section(number_format: str, value: float) -> str:
    """The part of a number format that shows this value: by sign, or by its own conditions."""
    sections = _SEMICOLON.split(number_format)
    asked = False
    for section in sections:
        condition = _CONDITION.search(section)
        if condition is None:
            continue
        asked = True
        if _COMPARE[condition[1]](value, float(condition[2])):
            return section
    if asked:
        return next((s for s in sections if not _CONDITION.search(s)), "")
    if value < 0 and len(sections) > 1:
        return sections[1]
    return sections[2] if value == 0 and len(sections) > 2 else sections[0]


def _says(section: str) -> bool:
    """Whether a format writes something of its own that changes what a number means."""
    texts = [quoted or escaped for quoted, escaped in _LITERAL.findall(section)]
    return any(c.isalnum() or c in "<>≤≥~≈" for text in texts for c in text)


@functools.lru_cache(maxsize=512)
def _of_format(number_format: str) -> tuple[int, bool]:
    """How many digits a format writes at least, where it writes nothing else; whether per cent."""
    zeros = number_format.count("0") if _ZEROS.fullmatch(number_format) else 0
    return zeros, _PERCENT.search(number_format) is not None


def is_total(texts: Sequence[str | None]) -> bool:
    """Whether a row sums up the rows above it."""
    first = next((text for text in texts if text is not None), "")
    plain = unicodedata.normalize("NFKC", first).strip().strip(":").casefold()
    return plain in _TOTALS


def is_number(text: str | None) -> bool:
    """Whether a cell shows a plain number."""
    return text is not None and NUMBER.fullmatch(text.strip()) is not None


def begins_table(texts: Sequence[str | None], numeric: set[int]) -> bool:
    """Whether a row after a gap reads as names, above columns that held numbers until now."""
    filled = [(place, text) for place, text in enumerate(texts) if text is not None]
    names = len(filled) > 1 and not any(is_number(text) for _, text in filled)
    return names and any(place in numeric for place, _ in filled)


def odd_texts(frame: pd.DataFrame) -> Iterator[tuple[str, str, list[int]]]:
    """``(code, column, positions)`` of codes whose letters are not what they look like."""
    for column in frame.columns:
        texts = frame[column].dropna()
        short = texts[texts.str.len() <= _CODE_LONGEST]
        if short.empty:
            continue
        different = {text: _oddity(text) for text in short.unique()}
        codes = [t for t in different if any(c.isdigit() for c in t)]
        if any(_LATIN.search(t) for t in codes):
            for text in codes:
                letters = "".join(_WORDS.findall(text))
                if not different[text] and letters and _ALIKE.fullmatch(letters):
                    different[text] = "text-mixed-script"
        odd = short.map(different)
        for code in sorted(set(odd) - {""}):
            where = odd.index[odd == code]
            yield code, str(column), frame.index.get_indexer(where).tolist()


def _oddity(text: str) -> str:
    """The doubt about one text by itself."""
    if _UNSEEN.search(text) or (not re.search(r"\s", text) and _HYPHENS.search(text)):
        return "text-unseen"
    if any(_LATIN.search(w) and _CYRILLIC.search(w) for w in _WORDS.findall(text)):
        return "text-mixed-script"
    for code in text.split():
        cyrillic = "".join(_CYRILLIC.findall(code))
        numbered = any(c.isdigit() for c in code)
        if numbered and _LATIN.search(code) and _ALIKE.fullmatch(cyrillic):
            return "text-mixed-script"
    plain = unicodedata.normalize("NFKC", text)
    if _WIDE.search(text) and not is_number(plain) and any(c.isalnum() for c in plain):
        wide = [c for c in text if _WIDE.match(c) and (c.isalnum())]
        if wide:
            return "text-full-width"
    return ""
