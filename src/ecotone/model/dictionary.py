"""Data dictionaries: one CSV per noun, driving checks, tables, templates, the door and the docs.

Columns of a dictionary:

``attribute``  name in code, tables and exports
``type``       text, integer, number, boolean, time (UTC instant), date, json, id,
               or a|b|c (a closed list)
``unit``       unit of a number, empty where it has none
``required``   yes where a record without it is rejected
``standard``   terms of outside standards that this attribute holds,
               e.g. ``dwc:decimalLatitude camtrapdp:latitude``
``door``       what the door does with it below level *full*: open (as is),
               place (generalised to the grid), place-text (replaced by wording),
               time (cut to the month), link (withheld: it joins to exact records),
               person (withheld), value (kept unless the agreement withholds the field)
``en zh ru``   description

A row whose attribute starts with ``@`` includes a shared block (``@place``, ``@time``).
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

from ecotone.model.errors import UsageError

Door = Literal["open", "place", "place-text", "time", "link", "person", "value"]

#: Nouns that arrive in deliveries and are kept as versioned rows.
RECORD_NOUNS: Final = (
    "Observation",
    "Occurrence",
    "Event",
    "Taxon",
    "Deployment",
    "Media",
    "Individual",
    "Site",
    "Sample",
    "Device",
    "DeviceEvent",
    "CustodyEvent",
    "AnalysisBatch",
    "QualityControl",
    "QualityFlag",
    "AlarmRule",
    "Coverage",
    "Record",
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One line of a dictionary."""

    name: str
    type: str
    unit: str
    required: bool
    standard: tuple[str, ...]
    door: Door
    description: dict[str, str]

    @property
    def choices(self) -> tuple[str, ...]:
        """The closed list of an enumerated attribute, else empty."""
        return tuple(self.type.split("|")) if "|" in self.type else ()


@functools.cache
def dictionary(noun: str) -> tuple[Attribute, ...]:
    """The attributes of a noun, in order, shared blocks included."""
    return tuple(_read(_file_name(noun)))


@functools.cache
def by_standard(noun: str, vocabulary: str) -> dict[str, str]:
    """``{standard term: attribute}`` of a noun for one vocabulary (``dwc``, ``camtrapdp``)."""
    prefix = vocabulary + ":"
    return {
        term.removeprefix(prefix): attribute.name
        for attribute in dictionary(noun)
        for term in attribute.standard
        if term.startswith(prefix)
    }


def attributes(noun: str) -> dict[str, Attribute]:
    """The attributes of a noun by name."""
    return {attribute.name: attribute for attribute in dictionary(noun)}


def _file_name(noun: str) -> str:
    snake = "".join("_" + c.lower() if c.isupper() else c for c in noun).lstrip("_")
    return f"{snake}.csv"


def _read(file_name: str) -> list[Attribute]:
    path = resources.files("ecotone.model").joinpath("dictionaries", file_name)
    if not path.is_file():
        raise UsageError(f"There is no data dictionary '{file_name}'.")
    found: list[Attribute] = []
    for line in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        if line["attribute"].startswith("@"):
            found.extend(_read(f"_{line['attribute'][1:]}.csv"))
            continue
        found.append(
            Attribute(
                name=line["attribute"],
                type=line["type"],
                unit=line["unit"],
                required=line["required"] == "yes",
                standard=tuple(line["standard"].split()),
                door=_door(line["door"], file_name),
                description={lang: line[lang] for lang in ("en", "zh", "ru")},
            )
        )
    return found


def _door(text: str, file_name: str) -> Door:
    match text:
        case "open" | "place" | "place-text" | "time" | "link" | "person" | "value":
            return text
    raise UsageError(f"The dictionary '{file_name}' has the unknown door rule '{text}'.")
