"""Message catalogues: every sentence a user may read, in English, Chinese and Russian.

One TOML file per area in ``words/``; each key holds its three languages side by
side, so a missing translation is seen by the eye and by a test::

    ["finding.time-naive"]
    en = "The time {value} has no zone and the station declares none."
    zh = "..."
    ru = "..."
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from importlib import resources
from typing import Final, Literal

from ecotone.model.errors import UsageError

Language = Literal["en", "zh", "ru"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh", "ru")


@functools.cache
def catalogue() -> dict[str, dict[str, str]]:
    """All keys of all areas: ``{key: {language: text}}``."""
    merged: dict[str, dict[str, str]] = {}
    for entry in sorted(
        resources.files("ecotone.model").joinpath("words").iterdir(), key=lambda e: e.name
    ):
        if not entry.name.endswith(".toml"):
            continue
        for key, texts in tomllib.loads(entry.read_text(encoding="utf-8")).items():
            if key in merged:
                raise UsageError(f"The message '{key}' stands in two catalogues.")
            merged[key] = texts
    return merged


class Sentence(str):
    """A text that remembers what it says, so that it can be said in another language."""

    __slots__ = ("key", "values")

    key: str
    values: dict[str, object]

    def __new__(cls, text: str, key: str, values: dict[str, object]) -> Sentence:
        """The text with its key and the values that filled it."""
        made = super().__new__(cls, text)
        made.key = key
        made.values = values
        return made


class Sentences(str):
    """Several texts one below the other, each of which can be said in another language."""

    __slots__ = ("parts",)

    parts: tuple[str, ...]

    def __new__(cls, parts: Iterable[str]) -> Sentences:
        """The texts, which remember what they say."""
        kept = tuple(parts)
        made = super().__new__(cls, "\n".join(kept))
        made.parts = kept
        return made


def tell(text: str, lang: str) -> str:
    """``text`` in ``lang`` where it is a sentence of the catalogues, else as it is."""
    if isinstance(text, Sentences):
        return "\n".join(tell(part, lang) for part in text.parts)
    return say(text.key, lang, **text.values) if isinstance(text, Sentence) else text


def has(key: str) -> bool:
    """Whether the catalogues know this key."""
    return key in catalogue()


def say(key: str, lang: str = "en", /, **values: object) -> Sentence:
    """The text of ``key`` in ``lang`` with ``{name}`` places filled in.

    Raises UsageError for an unknown key or language: a sentence missing from
    the catalogues is a fault of ours, never a blank for the reader.
    """
    texts = catalogue().get(key)
    if texts is None or lang not in texts:
        raise UsageError(f"The catalogues have no '{key}' in '{lang}'.")
    text = texts[lang].format_map(values) if values else texts[lang]
    return Sentence(text, key, values)
