"""The language the command line speaks: ECOTONE_LANG, else the system's, else English."""

from __future__ import annotations

import functools
import os

from ecotone.model.words import LANGUAGES, Language, say


@functools.cache
def language() -> Language:
    """The language of this process."""
    for name in ("ECOTONE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        given = os.environ.get(name, "").lower()
        for lang in LANGUAGES:
            if given.startswith(lang):
                return lang
    return "en"


def word(key: str, **values: object) -> str:
    """A sentence of the command line in its language."""
    return str(say(f"cli.{key}", language(), **values))
