"""Agreements as files and as sentences."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ecotone.model.agreement import Agreement, Class
from ecotone.model.errors import InputRefused
from ecotone.model.words import Language, say


def load(path: Path) -> Agreement:
    """Read an agreement from TOML or YAML.

    Raises InputRefused, naming every wrong entry, where the text is no agreement.
    """
    raw = path.read_bytes()
    try:
        document: Any = (
            tomllib.loads(raw.decode("utf-8"))
            if path.suffix.lower() == ".toml"
            else yaml.safe_load(raw.decode("utf-8"))
        )
    except (tomllib.TOMLDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputRefused(say("share.agreement-unreadable", path=path.name, why=error)) from error
    if isinstance(document, dict):
        document = document.get("agreement", document)
    return parse(document, path.name)


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


def sentences(agreement: Agreement, lang: Language) -> list[str]:
    """The agreement in plain sentences, one per class."""
    recipients = ", ".join(agreement.recipients)
    purposes = ", ".join(_term("purpose", term, lang) for term in agreement.purposes)
    actions = ", ".join(say(f"share.action.{action}", lang) for action in agreement.actions)
    said = [
        say(
            "share.sentence",
            lang,
            recipients=recipients,
            actions=actions,
            owner=agreement.owner,
            what=_what(found, lang),
            level=_level(found, lang),
            purposes=purposes,
            start=agreement.valid_from.isoformat(),
            end=agreement.valid_until.isoformat(),
        )
        + _rests(found, lang)
        for found in agreement.classes
    ]
    return [*said, say("share.sentence.rest", lang, recipients=recipients, owner=agreement.owner)]


def _term(kind: str, term: str, lang: Language) -> str:
    from ecotone.model.words import has

    key = f"share.{kind}.{term}"
    return say(key, lang) if has(key) else term


def _what(found: Class, lang: Language) -> str:
    parts = [*found.taxa, *found.properties] or list(found.nouns)
    return ", ".join(parts) if parts else say("share.everything", lang)


def _level(found: Class, lang: Language) -> str:
    return say(
        f"share.level.{found.level}",
        lang,
        cell=f"{found.cell_degrees or 0:g}",
        minimum=found.minimum_count,
    )


def _rests(found: Class, lang: Language) -> str:
    rests = ""
    if found.embargo_months:
        rests += " " + say("share.sentence.embargo", lang, months=found.embargo_months)
    if found.withheld_fields:
        rests += " " + say("share.sentence.fields", lang, fields=", ".join(found.withheld_fields))
    return rests
