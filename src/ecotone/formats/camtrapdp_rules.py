"""What Camtrap DP 1.0.x asks of each field of its three tables.

From the table schemas of the standard (https://camtrap-dp.tdwg.org/data/, version 1.0.2; the
tables' fields and rules are the same in 1.0 and 1.0.1).
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

Kind = Literal["string", "number", "integer", "boolean", "datetime", "any"]

#: ``{table: record type}``, in the order in which foreign keys can be followed.
TABLES: Final = {"deployments": "Deployment", "media": "Media", "observations": "Observation"}
#: ``{table: its primary key}``.
KEYS: Final = {
    "deployments": "deploymentID",
    "media": "mediaID",
    "observations": "observationID",
}
#: ``{table: ((field, table it leads to), ...)}``.
FOREIGN: Final = {
    "deployments": (),
    "media": (("deploymentID", "deployments"),),
    "observations": (("deploymentID", "deployments"), ("mediaID", "media")),
}
#: Cells that mean "no value" (1.0.2; earlier versions knew the empty cell only).
MISSING: Final = ("", "NA", "NaN", "nan")


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field of a table."""

    name: str
    kind: Kind
    required: bool
    unique: bool
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    pattern: str  #: the whole cell must match
    forbidden: str  #: no part of the cell may match


@functools.cache
def rules(table: str) -> tuple[FieldRule, ...]:
    """The fields of ``deployments``, ``media`` or ``observations``, in the standard's order."""
    place = resources.files("ecotone.formats").joinpath("camtrapdp_fields", f"{table}.csv")
    return tuple(
        FieldRule(
            name=line["field"],
            kind=_kind(line["type"]),
            required=line["required"] == "yes",
            unique=line["unique"] == "yes",
            minimum=float(line["minimum"]) if line["minimum"] else None,
            maximum=float(line["maximum"]) if line["maximum"] else None,
            choices=tuple(line["enum"].split("|")) if line["enum"] else (),
            pattern=line["pattern"],
            forbidden=line["forbidden"],
        )
        for line in csv.DictReader(place.read_text(encoding="utf-8").splitlines())
    )


def _kind(text: str) -> Kind:
    match text:
        case "string" | "number" | "integer" | "boolean" | "datetime" | "any":
            return text
    raise ValueError(f"unknown field type {text!r}")
