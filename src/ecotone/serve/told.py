"""Names, numbers and times as the reader's language writes them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ecotone.model.dictionary import attributes
from ecotone.model.words import Language, has, say
from ecotone.report import l10n
from ecotone.share.sentences import term

if TYPE_CHECKING:
    from ecotone.share.desk import Store


#: How a time is told of which no more is known; the attributes it is said of.
_COARSE: Final = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
_TIMES: Final = ("time_start", "time_end")


class Told:
    """What templates call to tell a value."""

    def __init__(self, lang: Language, store: Store) -> None:
        self._lang, self._store = lang, store

    def number(self, value: float | int | None, decimals: int | None = None) -> str:
        """A number."""
        return l10n.number(value, self._lang, decimals)

    def cell(self, value: Any, whole_days: bool = True) -> str:
        """A value of a table, as short as it can be told.

        ``whole_days``: midnight is told as the day alone.
        """
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(say(f"portal.{'yes' if value else 'no'}", self._lang))
        if isinstance(value, (int, float)):
            # As many places as it has: a record is shown as it is, never rounded.
            return l10n.number(value, self._lang, _places(value))
        if isinstance(value, datetime):
            whole = whole_days and value.hour == value.minute == value.second == 0
            return f"{value:%Y-%m-%d}" if whole else f"{value:%Y-%m-%d %H:%M}"
        return str(value)

    def value(
        self,
        noun: str,
        name: str,
        value: Any,
        whole_days: bool = True,
        precision: str | None = None,
    ) -> str:
        """A value of an attribute: terms of lists, properties and units in words.

        ``precision``: the finest part of the record's times that is known.
        """
        if isinstance(value, datetime) and name in _TIMES and precision in _COARSE:
            return f"{value:{_COARSE[precision]}}"
        if not isinstance(value, str):
            return self.cell(value, whole_days)
        if name == "property":
            return term("property", value, self._lang)
        if name.rpartition("_")[2] == "unit":
            return l10n.unit(value, self._lang) or "–"
        found = attributes(noun).get(name)
        if name == "sex" or (found is not None and found.choices):
            return self.choice(value)
        return value

    def choice(self, value: str) -> str:
        """A term of a closed list of the dictionaries in words."""
        key = f"portal.choice.{value.replace(' ', '-')}"
        return str(say(key, self._lang)) if has(key) else value

    def unit(self, unit: str) -> str:
        """A unit as it is printed."""
        return l10n.unit(unit, self._lang)

    def noun(self, noun: str) -> str:
        """Records of a noun, in words."""
        said = term("noun", noun, self._lang)
        return said[:1].upper() + said[1:]

    def measure(self, value: float, unit: str) -> str:
        """A number with its unit, as reports write it."""
        return l10n.with_unit(value, unit, self._lang, l10n.decimals_for([value]))

    def purpose(self, purpose: str) -> str:
        """A purpose by its name; one of somebody's own words as it stands."""
        key = f"portal.purpose.{purpose}"
        return str(say(key, self._lang)) if has(key) else purpose

    def term(self, kind: str, value: str) -> str:
        """A purpose, action or level in words."""
        return term(kind, value, self._lang)

    def column(self, noun: str, name: str) -> str:
        """An attribute as the data dictionary describes it."""
        found = attributes(noun).get(name)
        if found is not None:
            # That latitudes are degrees goes without saying.
            unit = "" if found.unit == "degree" else self.unit(found.unit)
            return found.description[self._lang] + (f", {unit}" if unit else "")
        key = f"portal.column.{name}"
        return str(say(key, self._lang)) if has(key) else name

    def text(self, texts: Mapping[str, str]) -> str:
        """A text in the reader's language, else in the first it has."""
        return texts.get(self._lang) or next((t for t in texts.values() if t), "")

    def sentence(self, key: str, **values: object) -> str:
        """Any sentence of the catalogues."""
        return str(say(key, self._lang, **values))

    def known(self, key: str) -> bool:
        """Whether the catalogues have it."""
        return has(key)

    def time(self, when: datetime | str | None) -> str:
        """An instant to the minute, in UTC."""
        if when is None or when == "":
            return "–"
        if isinstance(when, str):
            when = datetime.fromisoformat(when)
        return f"{when:%Y-%m-%d %H:%M} UTC"

    @property
    def between(self) -> str:
        """What stands between things that are listed in one line."""
        return "；" if self._lang == "zh" else "; "

    def party(self, party: str | None) -> str:
        """An institution by its name and its short one; a dash for none."""
        name = self.text(self._parties.get(party or "", {}))
        return f"{name} ({party})" if name and name != party else party or "–"

    def parties(self, parties: Iterable[str]) -> str:
        """Some institutions."""
        return l10n.listed([self.party(p) for p in parties], self._lang) or "–"

    def who(self, name: str | None) -> str:
        """A person or an institution by name, as far as the node knows it."""
        return self._people.get(name or "") or (self.party(name) if name else "")

    @functools.cached_property
    def _parties(self) -> dict[str, dict[str, str]]:
        return {p.party_id: dict(p.name) for p in self._store.parties()}

    @functools.cached_property
    def _people(self) -> dict[str, str]:
        return {p.person_id: p.name for p in self._store.people()}


def _places(value: float | int) -> int:
    digits = f"{value:.12g}"
    return 0 if "e" in digits else len(digits.partition(".")[2])
