"""An agreement as ODRL 2.2 (W3C Recommendation of 15 February 2018) in JSON-LD, for other systems.

Each class becomes rules that cannot be reduced further: one dataset, one recipient, one action. A
level that releases something is a permission whose action is refined (``resolution``: the cell in
degrees; ``delayPeriod``: the embargo; a term of our profile where ODRL has none); ``withheld`` and
``metadata`` are prohibitions, which prevail. Ecotone decides by its own table, not by this text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from ecotone.model.agreement import Action, Agreement, Class
from ecotone.share.agreements import digest
from ecotone.share.lifecycle import Standing

CONTEXT: Final = "http://www.w3.org/ns/odrl.jsonld"
#: The terms ODRL does not have: class, level and counts.
PROFILE: Final = "urn:ecotone:odrl:1"
_ACTIONS: Final[dict[Action, str]] = {
    "view": "read",
    "download": "reproduce",
    "derive": "derive",
    "redistribute": "distribute",
}


def policy(standing: Standing) -> dict[str, Any]:
    """The policy; an ``Agreement`` where all parties signed, else an ``Offer``."""
    agreement = standing.agreement
    signed = not standing.missing
    permissions = list(_rules(agreement, closed=False))
    prohibitions = list(_rules(agreement, closed=True))
    return {
        "@context": [
            CONTEXT,
            {"dct": "http://purl.org/dc/terms/", "eco": f"{PROFILE}:"},
        ],
        "@type": "Agreement" if signed else "Offer",
        "uid": _urn("agreement", f"{agreement.agreement_id}:{agreement.version}"),
        "profile": PROFILE,
        "conflict": "prohibit",
        "dct:title": [
            {"@language": lang, "@value": text} for lang, text in agreement.title.items()
        ],
        "dct:identifier": digest(agreement),
        "eco:state": standing.state,
        **({"permission": permissions} if permissions else {}),
        **({"prohibition": prohibitions} if prohibitions else {}),
    }


def _rules(agreement: Agreement, *, closed: bool) -> Iterator[dict[str, Any]]:
    for found in agreement.classes:
        if (found.level in ("metadata", "withheld")) != closed:
            continue
        for dataset in agreement.datasets:
            for recipient in agreement.recipients:
                for action in agreement.actions:
                    yield {
                        "assigner": _urn("party", agreement.owner),
                        "assignee": _urn("party", recipient),
                        "target": _target(agreement, found, dataset),
                        "action": [
                            {
                                "rdf:value": {"@id": f"odrl:{_ACTIONS[action]}"},
                                "refinement": list(_refinements(found)),
                            }
                        ],
                        "constraint": list(_constraints(agreement)),
                    }


def _target(agreement: Agreement, found: Class, dataset: str) -> dict[str, Any]:
    conditions = [
        ("eco:noun", list(found.nouns)),
        ("eco:taxon", [*found.taxa, *(s for names in found.synonyms.values() for s in names)]),
        ("eco:property", list(found.properties)),
        ("eco:zone", [agreement.zones[name] for name in found.zones]),
    ]
    refinement = [_is(name, "isAnyOf", values) for name, values in conditions if values]
    return {
        "@type": "AssetCollection",
        "source": _urn("dataset", dataset),
        "eco:class": found.name,
        **({"refinement": refinement} if refinement else {}),
    }


def _refinements(found: Class) -> Iterator[dict[str, Any]]:
    yield _is("eco:level", "eq", found.level)
    if found.level == "generalised":
        yield _is("resolution", "eq", _typed(f"{found.cell_degrees:g}", "decimal"), "eco:degree")
        yield _is("eco:minimumAnimals", "gteq", _typed(str(found.minimum_animals), "integer"))
        yield _is("eco:minimumFixes", "gteq", _typed(str(found.minimum_fixes), "integer"))
    if found.level == "aggregated":
        yield _is("eco:minimumCount", "gteq", _typed(str(found.minimum_count), "integer"))
    if found.embargo_months:
        yield _is("delayPeriod", "gteq", _typed(f"P{found.embargo_months}M", "duration"))
    if found.withheld_fields:
        yield _is("eco:field", "isNoneOf", list(found.withheld_fields))


def _constraints(agreement: Agreement) -> Iterator[dict[str, Any]]:
    yield _is("purpose", "isAnyOf", list(agreement.purposes))
    yield _is("dateTime", "gteq", _day(agreement.valid_from))
    yield _is("dateTime", "lteq", _day(agreement.valid_until))


def _is(left: str, operator: str, right: object, unit: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"leftOperand": left, "operator": operator, "rightOperand": right}
    return made if unit is None else {**made, "unit": unit}


def _day(day: date) -> dict[str, str]:
    return _typed(day.isoformat(), "date")


def _typed(text: str, kind: str) -> dict[str, str]:
    return {"@value": text, "@type": f"xsd:{kind}"}


def _urn(kind: str, name: str) -> str:
    return f"urn:ecotone:{kind}:{name}"
