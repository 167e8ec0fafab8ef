"""A plan: which indicators, over which regions and periods, from which inputs, for whom."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from ecotone.assess.indicator import Scalar
from ecotone.model.errors import UsageError
from ecotone.model.records import Noun
from ecotone.model.words import LANGUAGES, say

NODE: Literal["node"] = "node"


class Regions(Noun):
    """The user's own region set: a GeoJSON or GeoPackage, and which columns name a region."""

    path: str
    id: str = "id"
    name: str = "name"


class Boundaries(Noun):
    """The borders drawn on maps: never ours, always the plan's; disputed ones are rows apart."""

    path: str
    disclaimer: dict[str, str]
    approval: str = ""
    disputed: str = "disputed"

    @field_validator("disclaimer")
    @classmethod
    def _every_language(cls, texts: dict[str, str]) -> dict[str, str]:
        missing = [lang for lang in LANGUAGES if not texts.get(lang)]
        if missing:
            raise ValueError(f"no disclaimer in: {', '.join(missing)}")
        return texts


class Period(Noun):
    """Calendar years, both inclusive."""

    id: str
    start: int
    end: int

    @model_validator(mode="after")
    def _forward(self) -> Period:
        if self.end < self.start:
            raise ValueError(f"period '{self.id}' ends before it begins")
        return self


class Task(Noun):
    """One indicator of the plan.

    ``inputs`` are paths, or ``node`` for what the door releases, or ``node:DATASET,DATASET`` for
    some datasets of it: what an indicator does not need should not leave.
    """

    id: str
    parameters: dict[str, Scalar] = Field(default_factory=dict)
    inputs: dict[str, str | list[str]] = Field(default_factory=dict)
    regions: list[str] | None = None
    periods: list[str] | None = None


class Plan(Noun):
    """A whole plan."""

    title: dict[str, str]
    subtitle: dict[str, str] = Field(default_factory=dict)
    date: dt.date
    reader: str = ""
    purpose: str = "assessment"
    status: Literal["draft", "reviewed", "approved", "published"] = "draft"
    regions: Regions | None = None
    boundaries: Boundaries | None = None
    periods: Annotated[list[Period], Field(min_length=1)]
    indicators: Annotated[list[Task], Field(min_length=1)]
    truth: str | None = None
    #: Work on the reader's own rows as its node knew them then; a day counts to its end, in UTC.
    as_known: dt.datetime | dt.date | None = None
    #: What a demonstration's parties sent each other, and what each sees.
    exchange: str | None = None

    @field_validator("as_known")
    @classmethod
    def _with_zone(cls, when: dt.datetime | dt.date | None) -> dt.datetime | dt.date | None:
        if isinstance(when, dt.datetime) and when.tzinfo is None:
            raise ValueError("a moment needs its zone, such as 2024-06-30T12:00:00Z")
        return when

    def known_at(self) -> dt.datetime | None:
        """The moment of ``as_known``."""
        if self.as_known is None or isinstance(self.as_known, dt.datetime):
            return self.as_known
        return dt.datetime.combine(self.as_known, dt.time.max, dt.UTC)

    @model_validator(mode="after")
    def _references(self) -> Plan:
        if self.as_known is not None and not self.uses_node():
            raise ValueError("as_known asks a node what it knew; this plan reads files alone")
        known = {p.id for p in self.periods}
        if len(known) != len(self.periods):
            raise ValueError("two periods have one id")
        for task in self.indicators:
            for name in task.periods or ():
                if name not in known:
                    raise ValueError(f"indicator '{task.id}' names the unknown period '{name}'")
        return self

    def uses_node(self) -> bool:
        """Whether any input comes from a node."""
        return any(
            is_node(entry)
            for t in self.indicators
            for v in t.inputs.values()
            for entry in _listed(v)
        )


def is_node(entry: str) -> bool:
    """Whether an input entry asks the node's door."""
    return entry == NODE or entry.startswith(f"{NODE}:")


def datasets_of(entry: str) -> tuple[str, ...] | None:
    """The datasets a node entry names; None for all."""
    named = entry.removeprefix(NODE).removeprefix(":")
    return tuple(sorted(n.strip() for n in named.split(",") if n.strip())) or None


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def load(path: Path) -> Plan:
    """Read a plan; UsageError naming every wrong entry."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(say("assess.plan-absent", path=path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(say("assess.plan-unreadable", path=path.name, why=error)) from error
    head = document.pop("plan", {})
    try:
        return Plan.model_validate({**head, **document})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'plan'}: {item['msg']}"
            for item in error.errors()
        )
        raise UsageError(say("assess.plan-wrong", path=path.name, wrong=wrong)) from error
