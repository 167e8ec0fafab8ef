"""The manifest of a package: what is in it, from whom, for whom, after which, until when.

It is JSON in one canonical form, so that its bytes can be hashed and signed. Each manifest names
the hash of the one before: a package that was held back, sent again or put in between is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, ValidationError

from ecotone.model.errors import InputRefused
from ecotone.model.records import Clearance, Noun
from ecotone.model.words import say

#: The format of packages; another number is another format and refused.
FORMAT: Final = "ecotone-package 1"
#: What the signature of a manifest is for.
PURPOSE: Final = "package"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
#: Agreements, statements and the sender's keyring, as a letter.
LETTER: Final = "agreements.json"
#: A manifest lists files and datasets; a million of them would be something else.
MOST_BYTES: Final = 16 * 1024 * 1024

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class File(Noun):
    """One file of the package; ``noun`` where it holds records to be taken in."""

    path: str
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256
    noun: str | None = None
    rows: Annotated[int, Field(ge=0)] | None = None


class Stands(Noun):
    """An agreement the package stands on."""

    agreement_id: str
    version: Annotated[int, Field(ge=1)]
    digest: Sha256


class Card(Noun):
    """A dataset of the package, as its owner describes it."""

    dataset_id: str
    title: str
    licence: str
    levels: tuple[str, ...]
    export_clearance: Clearance | None = None
    zone: str | None = None
    datum: str | None = None


class Manifest(Noun):
    """Everything a receiver checks before it believes a row."""

    format: Literal["ecotone-package 1"] = FORMAT
    sender: str
    recipient: str
    sequence: Annotated[int, Field(ge=1)]
    kind: Literal["whole", "changes"]
    created: AwareDatetime
    expires: date
    purpose: str
    previous: Sha256 | None = None
    before: Sha256 | None = None
    state: Sha256
    agreements: tuple[Stands, ...]
    datasets: tuple[Card, ...]
    removed: dict[str, int] = Field(default_factory=dict)
    files: tuple[File, ...]

    def canonical(self) -> bytes:
        """The bytes that are hashed, signed and sent."""
        document = self.model_dump(mode="json")
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1)
        return text.encode() + b"\n"

    @property
    def digest(self) -> str:
        """sha256 of the canonical bytes: what the next manifest names."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def parse(raw: bytes) -> Manifest:
    """A manifest from its bytes.

    Raises InputRefused where they are none, or are not the one canonical form of what they say.
    """
    try:
        document = json.loads(raw)
        if isinstance(document, Mapping) and document.get("format") != FORMAT:
            raise InputRefused(say("packages.format", found=str(document.get("format"))[:40]))
        found = Manifest.model_validate_json(raw)
    except (ValueError, ValidationError, RecursionError) as error:
        raise InputRefused(say("packages.manifest-unreadable")) from error
    if found.canonical() != raw:
        raise InputRefused(say("packages.manifest-unreadable"))
    return found
