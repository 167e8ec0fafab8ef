"""Agreements as files, and the bytes of them that are signed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ecotone.model.agreement import Agreement
from ecotone.model.errors import InputRefused
from ecotone.model.words import say
from ecotone.share import written
from ecotone.share.sentences import sentences

__all__ = ["canonical", "digest", "load", "parse", "sentences"]


def load(path: Path) -> Agreement:
    """Read an agreement from TOML or YAML.

    Raises InputRefused, naming every wrong entry, where the text is no agreement.
    """
    found = written.document(path)
    if isinstance(found, dict):
        found = found.get("agreement", found)
    return parse(found, path.name)


def parse(document: Any, name: str) -> Agreement:
    """An agreement from plain data."""
    try:
        return Agreement.model_validate(document)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'agreement'}: {item['msg']}"
            for item in error.errors()
        )
        raise InputRefused(say("share.agreement-invalid", path=name, wrong=wrong)) from error


def canonical(agreement: Agreement) -> bytes:
    """The bytes that are hashed and signed: sorted JSON without status and signatures.

    What is left at its default is left out, so that a signature still holds when a later version
    of Ecotone knows more entries.
    """
    document = agreement.model_dump(
        mode="json", exclude={"signatures", "status"}, exclude_defaults=True
    )
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(agreement: Agreement) -> str:
    """sha256 of the canonical bytes."""
    return hashlib.sha256(canonical(agreement)).hexdigest()
