"""Results from water: readings that no surface water can give.

Ranges are wide on purpose (``vocabularies/water_ranges.csv``): outside them the reading, its unit
or its decimal mark is wrong, not the river strange. The checks read converted records: the value
as a number, the unit by its one name.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import pandas as pd

from ecotone.ingest.checks.base import (
    Check,
    Mask,
    Parameters,
    Responses,
    validation,
)
from ecotone.ingest.checks.block import Block, Floats
from ecotone.ingest.checks.vocabulary import plain, read_rows
from ecotone.model import units
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Severity

PROPERTY: Final = "property"
VALUE: Final = "value"
UNIT: Final = "unit"
#: Kinds of unit in which nothing can be below zero.
_NEVER_NEGATIVE: Final = (
    "mg/L", "mol/L", "mg/kg", "uS/cm", "NTU", "FNU", "CFU/L", "MPN/L", "individual/L", "cell/L",
)  # fmt: skip


def _is_property(block: Block, names: str) -> Mask:
    wanted = {plain(name) for name in names.split("|")}
    same = block.term(PROPERTY).each(lambda text: "yes" if plain(text) in wanted else None)
    return np.asarray(same == "yes")


def _values_in(block: Block, unit: str) -> Floats:
    """Values in one unit; NaN where the row's unit cannot be brought there.

    A dimensionless number may go without a unit.
    """
    values = block.numbers(VALUE)
    moved = np.full(block.rows, np.nan)
    given = block.term(UNIT)
    if unit == "1":
        moved[given.empty] = values[given.empty]
    for place, text in enumerate(given.values):
        rows = given.codes == place
        if _comparable(str(text), unit):
            moved[rows] = units.convert(values[rows], str(text), unit)
    return moved


@functools.lru_cache(maxsize=4096)
def _comparable(one: str, other: str) -> bool:
    try:
        units.convert([1.0], one, other)
    except (UsageError, NotComputable):
        return False
    return True


def _in_range(row: dict[str, str]) -> Check:
    low, high = float(row["lowest"]), float(row["highest"])

    def run(block: Block, parameters: Parameters) -> Responses:
        values = _values_in(block, row["unit"])
        unmet = ~_is_property(block, row["names"]) | np.isnan(values)
        return validation(unmet, (values >= low) & (values <= high))

    return Check(
        label=f"VALIDATION_{row['property'].replace('_', '').upper()}_INRANGE",
        guid="",
        dimension="Likeliness",
        terms=(VALUE,),
        consulted=(PROPERTY, UNIT),
        function=run,
        parameters={"lowest": row["lowest"], "highest": row["highest"], "unit": row["unit"]},
        severity=Severity.WARNING,
        shown="value_text",
        needs=(VALUE, PROPERTY),
        nouns=("Observation",),
        vocabulary="ecotone",
    )


def _cannot_be_negative(unit: str) -> bool:
    return any(_comparable(unit, kind) for kind in _NEVER_NEGATIVE)


def _not_negative(block: Block, parameters: Parameters) -> Responses:
    values = block.numbers(VALUE)
    kinds = block.term(UNIT).each(lambda text: "yes" if _cannot_be_negative(text) else None)
    unmet = np.isnan(values) | pd.isna(kinds)
    return validation(unmet, values >= 0)


def _not_zero(block: Block, parameters: Parameters) -> Responses:
    """A laboratory's 0 is a non-detect whose limit got lost; counts of cells may well be 0."""
    values = block.numbers(VALUE)
    kinds = block.term(UNIT).each(
        lambda text: "yes" if _comparable(text, "mg/L") or _comparable(text, "mol/L") else None
    )
    unmet = np.isnan(values) | pd.isna(kinds) | block.term("sample").empty
    return validation(unmet, values != 0)


CHECKS: Final = (
    *(_in_range(row) for row in read_rows("water_ranges.csv")),
    Check(
        label="VALIDATION_CONCENTRATION_NOTNEGATIVE",
        guid="",
        dimension="Conformance",
        terms=(VALUE,),
        consulted=(UNIT,),
        function=_not_negative,
        severity=Severity.WARNING,
        shown="value_text",
        needs=(VALUE, UNIT),
        nouns=("Observation",),
        vocabulary="ecotone",
    ),
    Check(
        label="VALIDATION_CONCENTRATION_NOTZERO",
        guid="",
        dimension="Conformance",
        terms=(VALUE,),
        consulted=(UNIT,),
        function=_not_zero,
        severity=Severity.WARNING,
        shown="value_text",
        needs=(VALUE, UNIT, "sample"),
        nouns=("Observation",),
        vocabulary="ecotone",
    ),
)
