"""What a reader does not get, and why: for the owner's own eyes, before anything leaves.

No rows are read for it: it is told from datasets, agreements and decisions alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecotone.model.words import Language, say
from ecotone.share import lifecycle
from ecotone.share.decide import Decision
from ecotone.share.lifecycle import Standing
from ecotone.share.sentences import enumerate_words, field, term, what

if TYPE_CHECKING:
    from ecotone.share.door import Door
    from ecotone.store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that stays, of which dataset, and why."""

    dataset_id: str
    what: str
    why: str


def kept_back(store: Store, door: Door, lang: Language, noun: str | None = None) -> list[Kept]:
    """Everything of all datasets, or of one noun in them, that the request does not get."""
    found: list[Kept] = []
    standing = lifecycle.standings(store, door.request.today)
    for dataset in store.datasets():
        if dataset.party_id == door.request.reader:
            continue
        mine = [d for d in door.decisions if d.dataset_id == dataset.dataset_id]
        if not mine:
            why = list(_why_not(standing, dataset.dataset_id, door, lang))
            everything = str(say("share.everything", lang))
            found.append(Kept(dataset.dataset_id, everything, " ".join(why)))
            continue
        if dataset.export_clearance is None:
            told = str(say("lifecycle.kept.clearance", lang))
            found.append(Kept(dataset.dataset_id, str(say("share.records", lang)), told))
        here = [d for d in mine if noun is None or not d.rule.nouns or noun in d.rule.nouns]
        for decision in here:
            found += _of_class(decision, lang)
        if all(_narrow(decision, noun) for decision in here):
            rest = str(say("lifecycle.kept.rest", lang))
            found.append(Kept(dataset.dataset_id, rest, str(say("lifecycle.kept.unnamed", lang))))
    return found


def _of_class(decision: Decision, lang: Language) -> Iterator[Kept]:
    rule = decision.rule
    named = f"{decision.name}: {what(rule, lang)}"
    reason = rule.reason.get(lang) or rule.reason.get("en") or ""
    if decision.level in ("metadata", "withheld"):
        why = say(f"lifecycle.kept.{decision.level}", lang, agreement=decision.agreement)
        yield Kept(decision.dataset_id, named, f"{why} {reason}".rstrip())
        return
    if decision.level in ("generalised", "aggregated"):
        why = say(
            f"lifecycle.kept.{decision.level}",
            lang,
            agreement=decision.agreement,
            cell=f"{rule.cell_degrees or 0:g}",
            minimum=rule.minimum_count,
        )
        yield Kept(decision.dataset_id, named, f"{why} {reason}".rstrip())
    if rule.withheld_fields:
        fields = enumerate_words((field(name, lang) for name in rule.withheld_fields), lang)
        why = say("lifecycle.kept.fields", lang, agreement=decision.agreement, fields=fields)
        yield Kept(decision.dataset_id, named, str(why))
    if rule.embargo_months:
        why = say("lifecycle.kept.embargo", lang, months=rule.embargo_months)
        yield Kept(decision.dataset_id, named, str(why))


def _narrow(decision: Decision, noun: str | None) -> bool:
    """Whether a class leaves something unnamed: of all records, or of those of the noun."""
    rule = decision.rule
    return bool((rule.nouns and noun is None) or rule.taxa or rule.properties or rule.zones)


def _why_not(
    standing: list[Standing], dataset_id: str, door: Door, lang: Language
) -> Iterator[str]:
    """Why no agreement answers for a dataset: how those that could would stand."""
    request = door.request
    near = [
        s
        for s in standing
        if dataset_id in s.agreement.datasets
        and request.reader in s.agreement.recipients
        and s.state != "superseded"
    ]
    if not near:
        yield say("lifecycle.kept.none", lang)
    for each in near:
        agreement = each.agreement
        name = f"{agreement.agreement_id} v{agreement.version}"
        if each.state != "active":
            state = say(f"lifecycle.state.{each.state}", lang)
            yield say("lifecycle.kept.state", lang, agreement=name, state=state)
        elif request.purpose not in agreement.purposes:
            purposes = enumerate_words((term("purpose", p, lang) for p in agreement.purposes), lang)
            yield say("lifecycle.kept.purpose", lang, agreement=name, purposes=purposes)
        elif request.action not in agreement.actions:
            action = term("action", request.action, lang)
            yield say("lifecycle.kept.action", lang, agreement=name, action=action)
        else:
            yield say("lifecycle.kept.unreadable", lang)
