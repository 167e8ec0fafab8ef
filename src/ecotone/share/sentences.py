"""An agreement in plain sentences, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ecotone.model.agreement import Agreement, Class
from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.model.words import Language, has, say

_BLANKS: Final = re.compile(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])")


def sentences(
    agreement: Agreement, lang: Language, names: Mapping[str, str] | None = None
) -> list[str]:
    """One sentence or more per class, and one about all the rest.

    ``names`` are the parties as the reader calls them; without them their identifiers stand.
    """
    known = names or {}
    recipients = enumerate_words([known.get(r, r) for r in agreement.recipients], lang)
    owner = known.get(agreement.owner, agreement.owner)
    said = [
        _rule(agreement, found, lang, recipients, owner) + _rests(found, lang)
        for found in agreement.classes
    ]
    said.append(say("share.sentence.rest", lang, recipients=recipients, owner=owner))
    # Between Chinese words no blank; beside Latin letters and digits one.
    return [_BLANKS.sub("", text) for text in said] if lang == "zh" else said


def what(found: Class, lang: Language) -> str:
    """What a class names: kinds of records, animals and plants, properties, zones."""
    records = enumerate_words([term("noun", noun, lang) for noun in found.nouns], lang)
    things = [taxon(name, lang) for name in found.taxa]
    things += [term("property", name, lang) for name in found.properties]
    told = records or str(say("share.everything", lang))
    if things:
        told = say(
            "share.what.of",
            lang,
            records=records or say("share.records", lang),
            things=enumerate_words(things, lang),
        )
    if found.zones:
        return say("share.what.zones", lang, what=told, zones=enumerate_words(found.zones, lang))
    return told


def level(found: Class, lang: Language) -> str:
    """How exactly."""
    return say(
        f"share.level.{found.level}",
        lang,
        cell=f"{found.cell_degrees or 0:g}",
        minimum=found.minimum_count,
    )


def term(kind: str, value: str, lang: Language) -> str:
    """A noun, property, purpose or the like in words; as it stands where no catalogue knows it."""
    key = f"share.{kind}.{value}"
    return say(key, lang) if has(key) else value.replace("_", " ")


def taxon(name: str, lang: Language) -> str:
    """A taxon by its name in the language, the scientific one beside it."""
    key = f"share.taxon.{name}"
    return say("share.taxon-named", lang, name=say(key, lang), taxon=name) if has(key) else name


def field(name: str, lang: Language) -> str:
    """A withheld field as the data dictionaries describe it."""
    for noun in RECORD_NOUNS:
        found = attributes(noun).get(name)
        if found is not None:
            told = found.description[lang]
            # A word in the middle of a sentence; abbreviations stay as they are.
            return told if told[1:2].isupper() else told[:1].lower() + told[1:]
    return name


def enumerate_words(words: Iterable[str], lang: Language) -> str:
    """``a, b and c``."""
    listed: Sequence[str] = list(words)
    comma = "、" if lang == "zh" else ", "
    if len(listed) < 2:
        return "".join(listed)
    return say("share.and", lang, first=comma.join(listed[:-1]), last=listed[-1])


def _rule(agreement: Agreement, found: Class, lang: Language, recipients: str, owner: str) -> str:
    told = {"recipients": recipients, "owner": owner, "what": what(found, lang)}
    if found.level == "withheld":
        return say("share.sentence.closed", lang, **told)
    if found.level == "metadata":
        return say("share.sentence.described", lang, **told)
    embargo = say("share.embargo", lang, months=found.embargo_months)
    return say(
        "share.sentence",
        lang,
        **told,
        actions=enumerate_words((term("action", a, lang) for a in agreement.actions), lang),
        level=level(found, lang) + (embargo if found.embargo_months else ""),
        purposes=enumerate_words((term("purpose", p, lang) for p in agreement.purposes), lang),
        start=agreement.valid_from.isoformat(),
        end=agreement.valid_until.isoformat(),
    )


def _rests(found: Class, lang: Language) -> str:
    rests: list[str] = []
    if found.withheld_fields and found.level not in ("withheld", "metadata"):
        fields = enumerate_words((field(name, lang) for name in found.withheld_fields), lang)
        rests.append(say("share.sentence.fields", lang, fields=fields))
    reason = found.reason.get(lang) or found.reason.get("en")
    if reason:
        rests.append(say("share.sentence.reason", lang, reason=reason.rstrip(".。")))
    if found.category is not None:
        rests.append(say("share.sentence.category", lang, category=found.category))
    if found.review is not None:
        rests.append(say("share.sentence.review", lang, day=found.review.isoformat()))
    return "".join((" " if lang != "zh" else "") + rest for rest in rests)
