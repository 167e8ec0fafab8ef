"""Names of what was seen, compared so that no spelling, rank or older name opens a closed class.

A class is *certain* to hold for a name that is one of its taxa, a synonym of one, or a rank below
one. It is *possible* where the name leaves it open: missing, a genus alone, doubtful ("cf."), a
genus shortened to its letter. What is possible makes a row stricter, only what is certain opens it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from ecotone.model.agreement import Class

#: Words that say an identification is open, at any rank.
_DOUBT: Final = re.compile(r"(?<!\w)(?:sp|spp|ssp|cf|aff|nr|indet)\.?(?!\w)|\?")
_SUBGENUS: Final = re.compile(r"\([^)]*\)")
_SHORT: Final = re.compile(r"([^\W\d_])\.\s*(\w.*)")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Name:
    """A name made plain: small letters, single blanks, without subgenus and marks of doubt."""

    text: str
    doubtful: bool

    def may_be(self, taxon: str) -> bool:
        """Whether the name, or what it leaves open, can be this taxon or below it."""
        if not self.text or self.is_in(taxon) or taxon.startswith(self.text + " "):
            return True
        short = _SHORT.fullmatch(self.text)
        if short is None:
            return False
        letter, rest = short.groups()
        genus, _, epithet = taxon.partition(" ")
        return genus.startswith(letter) and (not epithet or f"{rest} ".startswith(f"{epithet} "))

    def is_in(self, taxon: str) -> bool:
        """Whether the name is this taxon or a rank below it, author or none."""
        return self.text == taxon or self.text.startswith(taxon + " ")


@functools.lru_cache(maxsize=65_536)
def plain(text: str | None) -> Name:
    """A written name made plain.

    >>> plain("Panthera  (Uncia) UNCIA irbis")
    Name(text='panthera uncia irbis', doubtful=False)
    >>> plain("Panthera cf. uncia")
    Name(text='panthera uncia', doubtful=True)
    """
    if text is None:
        return Name("", True)
    known = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold().replace("_", " ")
    doubtful = _DOUBT.search(known) is not None
    bare = _DOUBT.sub(" ", _subgenus_removed(known))
    words = " ".join(bare.split())
    return Name(words, doubtful or not words)


def _subgenus_removed(text: str) -> str:
    """The second word in brackets is a subgenus; later brackets hold authors."""
    first, _, rest = " ".join(text.split()).partition(" ")
    return f"{first} {_SUBGENUS.sub(' ', rest, count=1) if rest.startswith('(') else rest}"


def taxa_of(rule: Class) -> tuple[str, ...]:
    """The taxa of a class and their synonyms, made plain."""
    listed = [*rule.taxa, *(name for names in rule.synonyms.values() for name in names)]
    return tuple(plain(name).text for name in listed)


def holds(rule: Class, text: str | None) -> tuple[bool, bool]:
    """Whether the class is certain, and whether it is possible, for a name."""
    name, taxa = plain(text), taxa_of(rule)
    certain = not name.doubtful and any(name.is_in(taxon) for taxon in taxa)
    return certain, certain or any(name.may_be(taxon) for taxon in taxa)


def told_by(rule: Class, texts: Iterable[str]) -> bool:
    """Whether any further name (a synonym in a checklist, a family) is of the class."""
    return any(plain(text).is_in(taxon) for text in texts for taxon in taxa_of(rule))


@dataclass(frozen=True)
class Names:
    """What is known about names beside the one a row shows.

    ``ever``: identifier of a record to all names it ever had. ``equal``: plain name to the names
    that the node's checklists hold equal to it. ``of_individual``: individual to its taxon.
    """

    ever: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    equal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of_individual: Mapping[tuple[str, str], str] = field(default_factory=dict)


def ever_of(frame: pd.DataFrame) -> dict[str, tuple[str | None, ...]]:
    """``{id: names}`` from rows of ``id, name``."""
    found: dict[str, list[str | None]] = {}
    for identifier, name in zip(frame["id"].tolist(), frame["name"].tolist(), strict=True):
        found.setdefault(str(identifier), []).append(name if isinstance(name, str) else None)
    return {identifier: tuple(names) for identifier, names in found.items()}


def equal_names(taxa: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Names that checklists hold equal, each with all the others of its group.

    ``taxa`` has ``name, accepted_name, taxon_id, accepted_id, original_id``. The groups can only
    close: a checklist that calls two names one makes the record as strict as the stricter.
    """
    groups = _Groups()
    names = taxa["name"].tolist()
    for name, accepted in zip(names, taxa["accepted_name"].tolist(), strict=True):
        if isinstance(name, str) and isinstance(accepted, str):
            groups.join(plain(name).text, plain(accepted).text)
    by_id = {
        key: plain(name).text
        for key, name in zip(taxa["taxon_id"].tolist(), names, strict=True)
        if isinstance(key, str) and isinstance(name, str)
    }
    for link in ("accepted_id", "original_id"):
        for name, key in zip(names, taxa[link].tolist(), strict=True):
            if isinstance(name, str) and key in by_id:
                groups.join(plain(name).text, by_id[key])
    return groups.members()


class _Groups:
    """Sets of equal names, joined pair by pair."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def _root(self, name: str) -> str:
        self._parent.setdefault(name, name)
        while self._parent[name] != name:
            self._parent[name] = self._parent[self._parent[name]]
            name = self._parent[name]
        return name

    def join(self, one: str, other: str) -> None:
        self._parent[self._root(one)] = self._root(other)

    def members(self) -> dict[str, tuple[str, ...]]:
        groups: dict[str, list[str]] = {}
        for name in sorted(self._parent):
            groups.setdefault(self._root(name), []).append(name)
        return {name: tuple(group) for group in groups.values() for name in group if name}
