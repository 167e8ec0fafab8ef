"""The licence of a record: Creative Commons 4.0 or CC0, by its address."""

from __future__ import annotations

import re
from typing import Final

from ecotone.ingest.checks.base import (
    Check,
    Parameters,
    Responses,
    amendment,
    proposals,
    validation,
)
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.common import not_empty
from ecotone.ingest.checks.vocabulary import plain
from ecotone.model.finding import Severity

LICENCE: Final = "dcterms:license"
#: Languages into which the legal texts are translated.
_LANGUAGES: Final = (
    "id|eu|da|de|en|es|fr|fy|hr|it|lv|lt|mi|nl|ni|no|pl|pt|ro|si|sl|fi|sv|tr|cs|el|ru|uk|ar|jp|ja"
    "|zh-hans|zh-hant|ko"
)
_KINDS: Final = ("by", "by-sa", "by-nc", "by-nc-sa", "by-nd", "by-nc-nd")
_TAIL: Final = rf"(?:(?:deed|legalcode)(?:\.(?:{_LANGUAGES}))?)?"
_STANDARD: Final = (
    rf"https?://creativecommons\.org/(?:licenses/(?:{'|'.join(_KINDS)})/4\.0"
    rf"|publicdomain/zero/1\.0)/{_TAIL}"
)
_ADDRESS: Final = "https://creativecommons.org/{path}/legalcode"
_LOOSE: Final = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/(licenses/[a-z-]+/4\.0|publicdomain/zero/1\.0)"
    r"(?:/.*)?",
    re.IGNORECASE,
)


def _spellings() -> dict[str, str]:
    """Plain spelling of a licence with its version -> its path."""
    found = {"cc0": "publicdomain/zero/1.0", "cczero": "publicdomain/zero/1.0"}
    for name in ("CC0 1.0", "CC0 1.0 Universal", "CC Zero 1.0"):
        found[plain(name)] = "publicdomain/zero/1.0"
    words = {"by": "Attribution", "sa": "ShareAlike", "nc": "NonCommercial", "nd": "NoDerivatives"}
    for kind in _KINDS:
        long = " ".join(words[part] for part in kind.split("-"))
        for name in (
            f"CC {kind} 4.0",
            f"CC {kind} 4.0 International",
            f"Creative Commons {kind} 4.0",
            f"Creative Commons {long} 4.0",
            f"Creative Commons {long} 4.0 International",
            f"Creative Commons {long} 4.0 International License",
        ):
            found[plain(name)] = f"licenses/{kind}/4.0"
    return found


_PATHS: Final = _spellings()


def address(text: str) -> str | None:
    """The address of the licence a text names; None where it leaves the version open.

    >>> address("CC-BY 4.0"), address("CC-BY")
    ('https://creativecommons.org/licenses/by/4.0/legalcode', None)
    """
    if found := _LOOSE.fullmatch(text.strip()):
        path = found[1].lower()
        return _ADDRESS.format(path=path) if path in set(_PATHS.values()) else None
    path = _PATHS.get(plain(text), "")
    return _ADDRESS.format(path=path) if path else None


def _standard(block: Block, parameters: Parameters) -> Responses:
    column = block.term(LICENCE)
    return validation(column.empty, column.matches(_STANDARD))


def _amend(block: Block, parameters: Parameters) -> Responses:
    column = block.term(LICENCE)
    proposed = proposals(~column.matches(_STANDARD), column.each(address))
    return amendment(block.nothing(), {LICENCE: proposed}, filled=False)


CHECKS: Final = (
    not_empty("VALIDATION_LICENSE_NOTEMPTY", "15f78619-811a-4c6f-997a-a4c7888ad849", LICENCE),
    Check(
        label="VALIDATION_LICENSE_STANDARD",
        guid="3136236e-04b6-49ea-8b34-a65f25e3aba1",
        dimension="Conformance",
        terms=(LICENCE,),
        function=_standard,
        parameters={"sourceAuthority": "Creative Commons 4.0 licences or CC0"},
        severity=Severity.INFO,
    ),
    Check(
        label="AMENDMENT_LICENSE_STANDARDIZED",
        guid="dcbe5bd2-42a0-4aab-bb4d-8f148c6490f8",
        dimension="Conformance",
        terms=(LICENCE,),
        function=_amend,
        parameters={"sourceAuthority": "Creative Commons 4.0 licences or CC0"},
    ),
)
