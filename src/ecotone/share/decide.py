"""The decision: made once per (reader, dataset, class); ``table`` joins it to rows.

Unknown means withheld: a row that no class of a valid agreement names does not leave. Where
several classes hold for a row the strictest level counts, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from ecotone.model.agreement import Action, Agreement, Class, Level
from ecotone.share.zones import Zone, read_zone

#: From open to closed; the position is the strictness.
STRICTNESS: Final[tuple[Level, ...]] = (
    "full",
    "generalised",
    "aggregated",
    "metadata",
    "withheld",
)


@dataclass(frozen=True)
class Decision:
    """What one reader gets of one class of one dataset, and by which agreement."""

    dataset_id: str
    name: str
    level: Level
    rule: Class
    agreement_id: str
    agreement_version: int
    zones: tuple[Zone, ...] = ()

    @property
    def agreement(self) -> str:
        """Agreement and version as they are told beside released rows."""
        return f"{self.agreement_id} v{self.agreement_version}"


@dataclass(frozen=True)
class Request:
    """Who asks, for what, to do what, on which day."""

    reader: str
    purpose: str
    action: Action
    today: date


def in_force(agreement: Agreement, request: Request) -> bool:
    """Whether the agreement answers this request at all."""
    return (
        agreement.status == "active"
        and request.reader in agreement.recipients
        and request.purpose in agreement.purposes
        and request.action in agreement.actions
        and agreement.valid_from <= request.today <= agreement.valid_until
    )


def decide(
    request: Request, owners: Mapping[str, str], agreements: Iterable[Agreement]
) -> list[Decision]:
    """The decision table for one request.

    ``owners`` maps dataset to owning party. The reader's own datasets come out at level
    full through the same door. An agreement speaks only for datasets its owner owns.
    """
    own = Class(name="own", level="full")
    table = [
        Decision(dataset, "own", "full", own, "own", 0)
        for dataset, owner in sorted(owners.items())
        if owner == request.reader
    ]
    for agreement in sorted(agreements, key=lambda a: (a.agreement_id, a.version)):
        if not in_force(agreement, request):
            continue
        for dataset in agreement.datasets:
            if owners.get(dataset) != agreement.owner:
                continue
            table.extend(
                Decision(
                    dataset,
                    rule.name,
                    rule.level,
                    rule,
                    agreement.agreement_id,
                    agreement.version,
                    tuple(read_zone(name, agreement.zones[name]) for name in rule.zones),
                )
                for rule in agreement.classes
            )
    return table


def strictness(rule: Class) -> float:
    """How strict a class is; a coarser cell is stricter than a finer one."""
    cell = (rule.cell_degrees or 0.0) / 10 if rule.level == "generalised" else 0.0
    return STRICTNESS.index(rule.level) + cell


def strictest(decisions: Sequence[Decision]) -> Decision:
    """The strictest of the decisions that hold for a row, with what any of them withholds.

    The first of equals speaks for them; its embargo, its minimum numbers and its withheld fields
    are the strictest of all.
    """
    chosen = max(decisions, key=lambda decision: strictness(decision.rule))
    rules = [decision.rule for decision in decisions]
    rule = chosen.rule.model_copy(
        update={
            "withheld_fields": tuple(dict.fromkeys(f for r in rules for f in r.withheld_fields)),
            "embargo_months": max(r.embargo_months for r in rules),
            "minimum_count": max(r.minimum_count for r in rules),
            "minimum_animals": max(r.minimum_animals for r in rules),
            "minimum_fixes": max(r.minimum_fixes for r in rules),
        }
    )
    return replace(chosen, rule=rule)


def coarsened(decision: Decision, cell: float) -> Decision:
    """The decision with its rows as coarse as what lies at the same place."""
    rule = decision.rule.model_copy(update={"level": "generalised", "cell_degrees": cell})
    return replace(decision, level="generalised", rule=rule)
