"""Saved mapping files: how a laboratory's table becomes records of a noun.

A mapping is a small TOML file a steward keeps beside the data::

    [mapping]
    name = "Water laboratory, monthly"
    record = "Observation"
    layout = "long"              # or "wide": one column per property
    encoding = "cp1251"
    delimiter = ";"
    decimal = ","
    zone = "Asia/Dushanbe"       # of times without an offset
    day_first = true
    excel = 1900                 # calendar of dates that are day numbers
    datum = "EPSG:4284"
    [mapping.zones]              # stations in other zones
    "Нукус" = "Asia/Samarkand"
    [mapping.missing]            # marks, and why there is no value
    "н/б" = "no observation"
    [mapping.properties]         # names of properties as they stand -> the one name
    "Нитраты" = "nitrate"
    [columns]                    # attribute = header in the file
    site = "Пост"
    date = "Дата"
    [[values]]                   # wide layout: one entry per value column
    column = "Расход, м3/с"
    property = "discharge"
    unit = "m3/s"
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from ecotone.ingest.columns import recognise, split_unit
from ecotone.model import units
from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.model.errors import InputRefused
from ecotone.model.records import Noun
from ecotone.model.time_zone import UnknownZone, resolve_zone
from ecotone.model.words import say

#: Columns a mapping may name besides the attributes of its noun; they help to read them.
HELPERS = ("date", "time", "time_of_day", "zone", "qualifier", "limit")
#: "7,25" or "0,125", but not "1,250", which may be a thousand and more.
_COMMA_INSIDE: Final = re.compile(r"(?<!\d)(?:\d+,\d{1,2}|\d+,\d{4,}|0,\d+)(?!\d)")
_POINT_INSIDE: Final = re.compile(r"\d\.\d")


class ValueColumn(Noun):
    """A value column of a wide table."""

    column: str
    property: str
    unit: str = ""
    basis: str | None = None
    procedure: str | None = None


class Mapping(Noun):
    """A whole mapping file."""

    name: str = ""
    version: int | str = 1
    record: str = "Observation"
    layout: Literal["long", "wide"] = "long"
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    sheet: str | None = None
    zone: str | None = None
    zones: dict[str, str] = Field(default_factory=dict)
    day_first: bool | None = None
    excel: Literal[1900, 1904] | None = None
    datum: str | None = None
    unit: str | None = None
    missing: dict[str, str] = Field(default_factory=dict)
    properties: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str]
    values: list[ValueColumn] = Field(default_factory=list)

    @model_validator(mode="after")
    def _sound(self) -> Mapping:
        if self.record not in RECORD_NOUNS:
            raise ValueError(f"there is no noun '{self.record}'")
        known = {*attributes(self.record), *HELPERS}
        unknown = [name for name in (*self.columns, *self.constants) if name not in known]
        if unknown:
            raise ValueError(f"{self.record} has no attribute {', '.join(unknown)}")
        if (self.layout == "wide") != bool(self.values):
            raise ValueError("a wide layout needs [[values]], a long one has none")
        self._spoken()
        return self

    def _spoken(self) -> None:
        """ValueError for a zone or a unit nobody knows: each row of a file would suffer by it."""
        for zone in filter(None, (self.zone, *self.zones.values())):
            try:
                resolve_zone(zone)
            except UnknownZone as unknown:
                raise ValueError(f"there is no time zone '{zone}'") from unknown
        for unit in filter(None, (self.unit, *(value.unit for value in self.values))):
            if not units.known(unit):
                raise ValueError(f"'{unit}' is not a unit known here")

    @property
    def sha256(self) -> str:
        """Identity of the mapping: a delivery read by another mapping is another delivery."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load(path: Path) -> Mapping:
    """Read a mapping; InputRefused naming every wrong entry."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputRefused(say("ingest.mapping-unreadable", path=path.name, why=error)) from error
    try:
        return Mapping.model_validate({**document.pop("mapping", {}), **document})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(p) for p in item['loc']) or 'mapping'}: {item['msg']}"
            for item in error.errors()
        )
        raise InputRefused(say("ingest.mapping-wrong", path=path.name, wrong=wrong)) from error


def missing_columns(mapping: Mapping, headers: list[str]) -> list[str]:
    """Headers the mapping needs and the file lacks."""
    needed = [*mapping.columns.values(), *(v.column for v in mapping.values)]
    return [header for header in needed if header not in headers]


def apply(mapping: Mapping, frame: pd.DataFrame) -> pd.DataFrame:
    """Columns renamed to attributes; a wide table melted to one row per value.

    The index is kept, so a row of the file that becomes several records keeps its number.
    Columns the mapping does not name are kept under their header with a leading ``+``: they
    go into ``extra``.
    """
    used = {*mapping.columns.values(), *(v.column for v in mapping.values)}
    rest = {h: f"+{h}" for h in frame.columns if h not in used}
    base = pd.DataFrame(
        {
            **{name: frame[header] for name, header in mapping.columns.items()},
            **{plus: frame[header] for header, plus in rest.items()},
        },
        index=frame.index,
    )
    for name, value in mapping.constants.items():
        base[name] = value
    if mapping.layout == "wide":
        base = pd.concat([_one_property(base, frame, v) for v in mapping.values])
        base = base.sort_index(kind="stable")
    if mapping.unit is not None and "unit" not in base:
        base["unit"] = mapping.unit
    if "property" in base and mapping.properties:
        names = {name.strip(): one for name, one in mapping.properties.items()}
        base["property"] = base["property"].astype("str").str.strip().replace(names)
    return base


def _one_property(base: pd.DataFrame, frame: pd.DataFrame, value: ValueColumn) -> pd.DataFrame:
    out = base.copy()
    out["property"] = value.property
    out["value"] = frame[value.column]
    out["unit"] = value.unit or None
    for name in ("basis", "procedure"):
        given = getattr(value, name)
        if given is not None:
            out[name] = given
    return out


class Headers:
    """What the file calls an attribute, so that a finding names the column a steward sees."""

    def __init__(
        self, mapping: Mapping | None, mapped: pd.DataFrame, rows: NDArray[np.int64]
    ) -> None:
        self._mapping = mapping
        self._mapped = mapped
        self._rows = rows

    def of(self, attribute: str | None, row: int | None, value: str | None) -> str | None:
        """The header of an attribute; for a value of a wide table, that of its own column."""
        if self._mapping is None or attribute is None:
            return attribute
        if attribute == "value" and self._mapping.values:
            return self._of_values.get((row, value), attribute)
        return self._mapping.columns.get(attribute, attribute)

    @functools.cached_property
    def _of_values(self) -> dict[tuple[int | None, str | None], str]:
        if self._mapping is None or not len(self._mapped):
            return {}
        names = [v.column for v in self._mapping.values]
        columns = np.tile(names, len(self._mapped) // len(names))
        cells = self._mapped["value"].to_numpy(dtype=object, na_value=None)
        return dict(zip(zip(self._rows.tolist(), cells, strict=True), columns, strict=True))


def propose(
    frame: pd.DataFrame, *, encoding: str = "", delimiter: str = "", decimal: str = ""
) -> str:
    """A mapping file to start from, as TOML text; the steward corrects and saves it."""
    found = recognise([str(h) for h in frame.columns])
    wide = "value" not in found
    values = _numeric_columns(frame, set(found.values())) if wide else []
    decimal = decimal or _decimal(frame[[*values, *filter(None, [found.get("value")])]])
    lines = ["[mapping]", 'record = "Observation"', f'layout = "{"wide" if values else "long"}"']
    for key, given in (("encoding", encoding), ("delimiter", delimiter), ("decimal", decimal)):
        if given:
            lines.append(f"{key} = {_quoted(given)}")
    lines += [
        f"# {say('ingest.mapping-zone')}",
        '# zone = "Asia/Dushanbe"',
        "",
        "[columns]",
        *(f"{name} = {_quoted(header)}" for name, header in found.items()),
    ]
    for header in values:
        name, unit = split_unit(header)
        if not units.known(unit):
            name, unit = header, ""
        lines += [
            "",
            "[[values]]",
            f"column = {_quoted(header)}",
            f"property = {_quoted(name)}",
            f"unit = {_quoted(unit)}",
        ]
    return "\n".join(lines) + "\n"


def _decimal(values: pd.DataFrame) -> str:
    """A comma where results have one that parts no thousands, and none of them has a point."""
    cells = pd.Series(values.to_numpy(dtype=object).ravel()).dropna().astype(str)
    commas = cells.str.contains(_COMMA_INSIDE)
    return "," if commas.any() and not cells.str.contains(_POINT_INSIDE).any() else ""


def _numeric_columns(frame: pd.DataFrame, used: set[str]) -> list[str]:
    """Unused columns most of whose filled cells read as numbers."""
    found = []
    for header in frame.columns:
        if header in used:
            continue
        cells = frame[header].dropna().astype(str).str.strip()
        text = cells.str.replace(",", ".", regex=False).str.lstrip("<>≤≥＜＞ ")
        if len(text) and pd.to_numeric(text, errors="coerce").notna().mean() >= 0.5:
            found.append(str(header))
    return found


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's too, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
