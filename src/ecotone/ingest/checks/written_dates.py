"""Dates as people write them -> ISO 8601, only where they can be read one way.

For amendments: a proposal is made for a text that has one reading, and none for a text that has
two (``03/04/2020``), is cut short (``10-28``, ``21-10-28``), or says nothing.
"""

from __future__ import annotations

import datetime
import functools
import re
from typing import Final

from ecotone.ingest.checks.isodates import is_iso_date

#: Languages of labels in the networks' region and in the collections that hold its specimens.
_LANGUAGES: Final = (
    "en", "zh", "ru", "fr", "de", "es", "pt", "it", "uk", "kk", "ky", "uz", "tg", "mn", "vi",
)  # fmt: skip
_ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})(?:[T ]+(\d.*))?", re.ASCII)
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4})", re.ASCII)
_YEAR_MONTH: Final = re.compile(r"(\d{4})[/.](\d{1,2})", re.ASCII)
_HAN: Final = re.compile(r"(\d{4})\s*年(?:\s*(\d{1,2})\s*月(?:\s*(\d{1,2})\s*[日号])?)?", re.ASCII)
_GAP: Final = r"[\s.,/_-]+"
_DAY_NAMED: Final = re.compile(rf"(?:([0-9]{{1,2}}){_GAP})?([^\W\d_]+){_GAP}([0-9]{{4}})")
_NAMED_DAY: Final = re.compile(rf"([^\W\d_]+){_GAP}([0-9]{{1,2}})[\s,]+([0-9]{{4}})")
_NAMED_YEAR_FIRST: Final = re.compile(rf"([0-9]{{4}}){_GAP}([^\W\d_]+)(?:{_GAP}([0-9]{{1,2}}))?")
_ORDINAL: Final = re.compile(r"(?<![\w])([0-9]{1,2})(?:st|nd|rd|th)\b", re.IGNORECASE)
_WEEKDAY: Final = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b[.,]?\s*", re.IGNORECASE
)
_RUSSIAN_YEAR: Final = re.compile(r"(?<=[0-9])\s*(?:г\.?|года|год)$", re.IGNORECASE)


def to_iso(text: str) -> str | None:
    """The ISO 8601 form of a date written otherwise, or None.

    >>> to_iso("Friday 29th Oct. 2021"), to_iso("18/V/1981"), to_iso("03/04/2020")
    ('2021-10-29', '1981-05-18', None)
    """
    clean = _WEEKDAY.sub("", _ORDINAL.sub(r"\1", text.strip()))
    clean = _RUSSIAN_YEAR.sub("", clean).strip()
    iso = _numeric(clean) or _named(clean)
    return iso if iso is not None and is_iso_date(iso) else None


def month_number(word: str) -> int | None:
    """The month a name, an abbreviation or a Roman numeral stands for, or None.

    >>> month_number("Sept."), month_number("IV"), month_number("Ma")
    (9, 4, None)
    """
    return _months().get(word.strip().strip(".").casefold())


def calendar_iso(year: int, month: int | None, day: int | None) -> str | None:
    """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` where there is such a date, else None."""
    if not 1 <= year <= 9999 or (month is not None and not 1 <= month <= 12):
        return None
    if month is None:
        return f"{year:04d}"
    if day is None:
        return f"{year:04d}-{month:02d}"
    try:
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        return None


def _numeric(text: str) -> str | None:
    if found := _YEAR_FIRST.fullmatch(text):
        one, two = int(found[3]), int(found[4])
        if one > 12 >= two:
            one, two = two, one
        date = calendar_iso(int(found[1]), one, two)
        return f"{date}T{found[5].replace(' ', '')}" if date and found[5] else date
    if found := _YEAR_LAST.fullmatch(text):
        one, two = int(found[1]), int(found[3])
        if one <= 12 and two <= 12 and one != two:
            return None
        day, month = (one, two) if two <= 12 else (two, one)
        return calendar_iso(int(found[4]), month, day)
    if found := _YEAR_MONTH.fullmatch(text):
        return calendar_iso(int(found[1]), int(found[2]), None)
    if found := _HAN.fullmatch(text):
        month_text, day_text = found[2], found[3]
        return calendar_iso(
            int(found[1]),
            int(month_text) if month_text else None,
            int(day_text) if day_text else None,
        )
    return None


def _named(text: str) -> str | None:
    if found := _DAY_NAMED.fullmatch(text):
        day, name, year = found.groups()
    elif found := _NAMED_DAY.fullmatch(text):
        name, day, year = found.groups()
    elif found := _NAMED_YEAR_FIRST.fullmatch(text):
        year, name, day = found.groups()
    else:
        return None
    month = month_number(name)
    if month is None:
        return None
    return calendar_iso(int(year), month, int(day) if day else None)


@functools.cache
def _months() -> dict[str, int]:
    """Names of months in the languages of labels; a name of two months is left out."""
    from babel import Locale

    found: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        for context in Locale(language).months.values():
            for width in ("wide", "abbreviated"):
                for number, name in context[width].items():
                    word = name.strip(".").casefold()
                    if len(word) >= 3 or not word.isascii():
                        found.setdefault(word, set()).add(int(number))
    for number, numeral in enumerate(_ROMAN, start=1):
        found[numeral] = {number}
    found["sept"] = {9}
    return {word: numbers.pop() for word, numbers in found.items() if len(numbers) == 1}
