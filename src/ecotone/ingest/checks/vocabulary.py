"""Controlled vocabularies: their terms, what else people write for them, and the one meant.

``vocabularies/<name>.csv`` holds a term per line with other ways of writing it, separated by
``|``. A text is interpreted only where one term alone fits: the same letters apart from case,
spacing and punctuation, a listed synonym, or words cut short (``Preserved spec.``).
"""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from dataclasses import dataclass
from importlib import resources
from typing import Final

_SHORTEST: Final = 3  #: letters an abbreviation needs
_WORDS: Final = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+")


def plain(text: str) -> str:
    """A text without case, width, spacing and punctuation."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


@dataclass(frozen=True)
class Vocabulary:
    """The terms of one vocabulary in its own spelling."""

    name: str
    terms: frozenset[str]
    meanings: dict[str, str]  #: plain spelling of a term or synonym -> term

    def interpret(self, text: str) -> str | None:
        """The term a text stands for, or None where none or several fit."""
        if text in self.terms:
            return text
        key = plain(text) or text.strip()
        return self.meanings.get(key) or self._abbreviated(text)

    def _abbreviated(self, text: str) -> str | None:
        given = [word.casefold() for word in _WORDS.findall(text)]
        if not given or min(map(len, given)) < _SHORTEST or plain(text) != "".join(given):
            return None
        fits = [term for term in self.terms if _cut_short(given, _WORDS.findall(term))]
        return fits[0] if len(fits) == 1 else None

    def amend(self, text: str) -> str | None:
        """The term to propose instead of a text; None where it is one already or unclear."""
        term = self.interpret(text)
        return None if term == text else term


def _cut_short(given: list[str], words: list[str]) -> bool:
    return len(given) == len(words) and all(
        word.casefold().startswith(start) for start, word in zip(given, words, strict=True)
    )


@functools.cache
def vocabulary(name: str) -> Vocabulary:
    """One of our vocabularies by the name of its file.

    >>> vocabulary("basis_of_record").interpret("Preserved spec.")
    'PreservedSpecimen'
    """
    terms: list[str] = []
    meanings: dict[str, set[str]] = {}
    for line in read_rows(f"{name}.csv"):
        terms.append(line["term"])
        for spelling in (line["term"], *filter(None, line["synonyms"].split("|"))):
            meanings.setdefault(plain(spelling) or spelling, set()).add(line["term"])
    single = {key: found.pop() for key, found in meanings.items() if len(found) == 1}
    return Vocabulary(name, frozenset(terms), single)


def read_rows(file_name: str) -> list[dict[str, str]]:
    """The rows of one CSV of this package's vocabularies."""
    folder = resources.files("ecotone.ingest.checks").joinpath("vocabularies")
    return list(csv.DictReader(folder.joinpath(file_name).read_text("utf-8").splitlines()))
