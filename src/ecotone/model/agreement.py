"""An agreement as data: who may see what of whom, how exactly, from when, for what, until when."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ecotone.model.records import Noun

Level = Literal["full", "generalised", "aggregated", "metadata", "withheld"]
Action = Literal["view", "download", "derive", "redistribute"]


class Class(Noun):
    """A class of records within the datasets of an agreement, and the level it is released at.

    A record belongs to a class when every condition given holds: its noun, its taxon (exact name or
    genus), its property. Where several classes hold, the strictest level counts.
    """

    name: str
    nouns: tuple[str, ...] = ()
    taxa: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    level: Level
    cell_degrees: Annotated[float, Field(gt=0)] | None = None
    minimum_count: Annotated[int, Field(ge=2)] = 5
    withheld_fields: tuple[str, ...] = ()
    embargo_months: Annotated[int, Field(ge=0)] = 0
    reason: dict[str, str] = Field(default_factory=dict)
    review: date | None = None

    @model_validator(mode="after")
    def _cell_where_generalised(self) -> Class:
        if self.level == "generalised" and self.cell_degrees is None:
            raise ValueError(f"class '{self.name}' is generalised but names no cell_degrees")
        if self.cell_degrees is not None and round(self.cell_degrees * 1000) not in (
            1,
            10,
            100,
            1000,
        ):
            raise ValueError(
                f"class '{self.name}': cell_degrees must be 0.001, 0.01, 0.1 or 1, "
                "so that the cells of all parties nest"
            )
        return self


class Agreement(Noun):
    """An agreement between an owner and recipients; what it does not name is withheld."""

    agreement_id: str
    version: Annotated[int, Field(ge=1)] = 1
    title: dict[str, str]
    owner: str
    recipients: tuple[str, ...]
    purposes: tuple[str, ...]
    actions: tuple[Action, ...]
    datasets: tuple[str, ...]
    classes: tuple[Class, ...]
    valid_from: date
    valid_until: date
    status: Literal["draft", "active", "suspended", "revoked"] = "draft"
    signatures: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound(self) -> Agreement:
        if self.owner in self.recipients:
            raise ValueError("the owner cannot be a recipient of its own agreement")
        if self.valid_until < self.valid_from:
            raise ValueError("the agreement ends before it begins")
        names = [c.name for c in self.classes]
        if len(set(names)) != len(names):
            raise ValueError("two classes of the agreement have one name")
        return self
