"""An agreement as data: who may see what of whom, how exactly, from when, for what, until when."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from ecotone.model.records import Noun

Level = Literal["full", "generalised", "aggregated", "metadata", "withheld"]
Action = Literal["view", "download", "derive", "redistribute"]

#: Finest cell (degrees) of each category of sensitivity of Chapman 2020
#: (doi 10.15468/doc-5jp4-5g10, tables 6-7); category 1 is withheld, or told as a region or on
#: 1 degree.
CATEGORY_CELLS: Final[dict[int, float]] = {1: 1.0, 2: 0.1, 3: 0.01, 4: 0.001}

#: A statement of Chapman's decision key, 1a to 4g: why something is sensitive.
Statement = Annotated[str, Field(pattern=r"^[1-4][a-g]$")]


class Class(Noun):
    """A class of records within the datasets of an agreement, and the level it is released at.

    A record belongs to a class when every condition given holds: its noun, its taxon (one of
    ``taxa`` or of their ``synonyms``, or a rank below), its property, its place in one of the
    agreement's ``zones``. Where several classes hold, the strictest level counts, and what each
    of them withholds.

    ``category`` and ``statements`` say in Chapman's terms (2020, doi 10.15468/doc-5jp4-5g10) how
    sensitive it is and why; the level can be stricter than the category asks, never finer.
    """

    name: str
    nouns: tuple[str, ...] = ()
    taxa: tuple[str, ...] = ()
    synonyms: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    properties: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    level: Level
    cell_degrees: Annotated[float, Field(gt=0)] | None = None
    minimum_count: Annotated[int, Field(ge=2)] = 5
    minimum_animals: Annotated[int, Field(ge=3)] = 3
    minimum_fixes: Annotated[int, Field(ge=5)] = 10
    withheld_fields: tuple[str, ...] = ()
    embargo_months: Annotated[int, Field(ge=0)] = 0
    reason: dict[str, str] = Field(default_factory=dict)
    category: Literal[1, 2, 3, 4] | None = None
    statements: tuple[Statement, ...] = ()
    review: date | None = None

    @model_validator(mode="after")
    def _no_finer_than_its_category(self) -> Class:
        if self.category is None or self.level in ("aggregated", "metadata", "withheld"):
            return self
        cell = CATEGORY_CELLS[self.category]
        if self.level == "full" or (self.cell_degrees or cell) < cell:
            raise ValueError(
                f"class '{self.name}' is of category {self.category}, which asks for cells of "
                f"{cell:g} degree or coarser"
            )
        return self

    @model_validator(mode="after")
    def _synonyms_of_its_taxa(self) -> Class:
        strangers = [name for name in self.synonyms if name not in self.taxa]
        if strangers:
            raise ValueError(
                f"class '{self.name}' gives synonyms of names that are not among its taxa: "
                + ", ".join(strangers)
            )
        return self

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
    """An agreement between an owner and recipients; what it does not name is withheld.

    ``zones`` are polygons (GeoJSON geometries, WGS 84) by the name that classes use.
    """

    agreement_id: str
    version: Annotated[int, Field(ge=1)] = 1
    title: dict[str, str]
    owner: str
    recipients: tuple[str, ...]
    purposes: tuple[str, ...]
    actions: tuple[Action, ...]
    datasets: tuple[str, ...]
    classes: tuple[Class, ...]
    zones: dict[str, dict[str, Any]] = Field(default_factory=dict)
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
        for found in self.classes:
            unknown = [zone for zone in found.zones if zone not in self.zones]
            if unknown:
                raise ValueError(
                    f"class '{found.name}' names zones that the agreement does not draw: "
                    + ", ".join(unknown)
                )
        for name, shape in self.zones.items():
            if shape.get("type") not in ("Polygon", "MultiPolygon"):
                raise ValueError(f"zone '{name}' is no Polygon or MultiPolygon")
        return self
