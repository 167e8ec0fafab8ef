"""Which header, in which language, means which attribute.

Used twice: to propose a mapping, and to check what can be checked in a table nobody has
described yet. A guess is always told as a finding, never taken in silence.
"""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from importlib import resources

_UNIT_IN_HEADER = re.compile(r"^(?P<name>.*)\s*[\(\[,]\s*(?P<unit>[^()\[\],]+?)\s*[\)\]]?$")


def plain(header: str) -> str:
    """A header without case, width, punctuation and spacing."""
    text = unicodedata.normalize("NFKC", header.replace("№", "")).casefold().replace("ё", "е")
    return re.sub(r"[\s_\-.#:]+", "", text)


@functools.cache
def synonyms() -> dict[str, str]:
    """``{plain header: attribute}``."""
    text = resources.files("ecotone.ingest").joinpath("columns.csv").read_text(encoding="utf-8")
    return {
        plain(header): line["attribute"]
        for line in csv.DictReader(text.splitlines())
        for header in line["headers"].split("|")
    }


def recognise(headers: list[str]) -> dict[str, str]:
    """``{attribute: header}`` for the headers whose meaning is known; the first one counts."""
    found: dict[str, str] = {}
    for header in headers:
        name, _ = split_unit(header)
        attribute = synonyms().get(plain(header)) or synonyms().get(plain(name))
        if attribute and attribute not in found:
            found[attribute] = header
    return found


def split_unit(header: str) -> tuple[str, str]:
    """``'水位(m)'`` -> ``('水位', 'm')``; no unit gives ``''``."""
    text = unicodedata.normalize("NFKC", header).strip()
    match = _UNIT_IN_HEADER.match(text)
    if match is None or not match["name"]:
        return text, ""
    return match["name"].strip(), match["unit"].strip()
