"""What a property is called by different people, and which values it can have."""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

from ecotone.assess.indicators.reading import plain
from ecotone.model.units import canonical, known, split_basis

_LAKE: Final = re.compile(r"[_\s](river|lake)s?$", re.IGNORECASE)
#: Units as they are run into a header, where no stroke can stand: ``DO_mgL``, ``COND_mSm``.
_RUN_IN: Final = re.compile(r"(m|u|n|k)?(g|eq|mol|S)(L|l|m|cm|kg|m3)")
_AS: Final = re.compile(r"_as_([A-Z][A-Za-z0-9]*)")
_PARTS: Final = (
    (re.compile(r"(?P<name>.+?)\s*[(\[（](?P<unit>[^()\[\]（）]+)[)\]）]"), True),
    (re.compile(r"(?P<name>.+?)\s*,\s*(?P<unit>.+)"), True),
    (re.compile(r"(?P<name>.+)_(?P<unit>[^_]+)"), False),
)
_PLAIN: Final = frozenset({"degC", "%", "NTU", "FNU", "PSU"})


@dataclass(frozen=True)
class Property:
    """A property: its basis and unit by custom, and the values a river or lake can have."""

    name: str
    basis: str
    unit: str
    low: float
    high: float


def property_key(name: str) -> str:
    """One key for all names of a property; an unknown name is its own key.

    >>> property_key("TOTP"), property_key("总磷"), property_key("total_phosphorus_as_P_river")
    ('totalphosphorus', 'totalphosphorus', 'totalphosphorus')
    """
    found = find(name)
    if found is None:
        parts = from_header(name)
        found = find(parts[0]) if parts else None
    return plain(name) if found is None else plain(found.name)


def find(name: str) -> Property | None:
    """The property of a name, or None."""
    table = _names()
    return table.get(plain(name)) or table.get(plain(_LAKE.sub("", name.strip())))


def named_water(name: str) -> str:
    """``river`` or ``lake`` where a property's name says so, else nothing.

    >>> named_water("total_phosphorus_as_P_lake"), named_water("pH")
    ('lake', '')
    """
    found = _LAKE.search(name.strip())
    return found[1].lower() if found else ""


def usual_basis(name: str, unit: str) -> str:
    """What a property such as ammonia nitrogen is counted as where nobody says otherwise."""
    told = _AS.search(name)
    if told:
        return told[1]
    mass = known(unit) and split_basis(unit)[1] == "" and "g/" in split_basis(unit)[0]
    found = find(name) or _run_in(name)
    return found.basis if found and mass else ""


def _run_in(name: str) -> Property | None:
    parts = from_header(name)
    return find(parts[0]) if parts else None


@functools.lru_cache(maxsize=4096)
def from_header(header: str) -> tuple[str, str] | None:
    """Name and unit of a column such as ``DO_mgL`` or ``pH``; None where it is no property.

    >>> from_header("COND_mSm"), from_header("DO, мг/л"), from_header("pH"), from_header("Date")
    (('COND', 'mS/m'), ('DO', 'mg/L'), ('pH', '1'), None)
    """
    if found := find(header):
        return header, "1" if found.unit == "1" else ""
    for pattern, sure in _PARTS:
        parts = pattern.fullmatch(header.strip())
        if parts is None:
            continue
        unit = _unit(parts["unit"].strip())
        # Ca_Mg is a ratio and Na_K is no temperature: an underscore alone proves little.
        if unit and (sure or "/" in unit or unit in _PLAIN):
            return parts["name"].strip(), unit
    return None


def _unit(text: str) -> str:
    run_in = _RUN_IN.fullmatch(text)
    if run_in:
        return canonical(f"{run_in[1] or ''}{run_in[2]}/{run_in[3]}")
    if text == "C":
        return "degC"
    return canonical(text) if known(text) else ""


@functools.cache
def _names() -> dict[str, Property]:
    text = (
        resources.files("ecotone.assess.indicators").joinpath("properties.csv").read_text("utf-8")
    )
    table: dict[str, Property] = {}
    for line in csv.DictReader(text.splitlines()):
        one = Property(
            line["property"], line["basis"], line["unit"], float(line["low"]), float(line["high"])
        )
        for name in (line["property"], *line["names"].split("|")):
            table.setdefault(plain(name), one)
    return table
