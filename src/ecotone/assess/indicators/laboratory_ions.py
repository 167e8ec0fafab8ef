"""Charge balance of samples, and the conductivity that their ions give."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.matching import with_basis
from ecotone.assess.indicators.properties import property_key
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.units import convert
from ecotone.science.water import ions
from ecotone.science.water.stream_qc import FAIL, NOT_EVALUATED, PASS

Floats = NDArray[np.float64]

#: What says that results are of one sample.
TAKEN: Final = ("station", "sample", "time", "together")
BALANCE: Final = (
    *TAKEN, "cations", "anions", "sum", "error", "flag",
    "conductivity", "calculated", "ratio", "ratio_flag",
)  # fmt: skip
#: Properties that are an ion, what they are counted as, and which ion: the surest name first.
_ION_OF: Final = (
    ("calcium", "", "calcium"), ("magnesium", "", "magnesium"), ("sodium", "", "sodium"),
    ("potassium", "", "potassium"), ("chloride", "", "chloride"), ("sulfate", "SO4", "sulfate"),
    ("bicarbonate", "HCO3", "bicarbonate"), ("alkalinity", "CaCO3", "bicarbonate"),
    ("carbonate", "CO3", "carbonate"), ("fluoride", "", "fluoride"),
    ("nitrate_nitrite_nitrogen", "N", "nitrate"), ("nitrate_nitrogen", "N", "nitrate"),
    ("nitrate", "NO3", "nitrate"),
)  # fmt: skip
#: Without these a sum is no balance.
_NEEDED: Final = ("calcium", "magnesium", "sodium", "bicarbonate", "chloride", "sulfate")
#: Grams that go with a mole of charge of what alkalinity and nitrogen are counted as.
_PER_CHARGE: Final = {"CaCO3": 50.0435, "N": 14.007}
_LOW, _HIGH = 0.9, 1.1


def balances(results: pd.DataFrame) -> pd.DataFrame:
    """A row for each sample whose major ions were all measured.

    A non-detect enters with its limit, which is small beside the sum.
    """
    names = {property_key(name): (basis, ion) for name, basis, ion in _ION_OF}
    own = results[results["key"].isin(names) & np.isfinite(results["value"])].copy()
    conductivity = results[results["key"] == property_key("conductivity")]
    if own.empty:
        return pd.DataFrame(columns=list(BALANCE))
    own["ion"] = own["key"].map({key: ion for key, (_, ion) in names.items()})
    own["meq"] = _equivalents(own, names)
    keys = list(TAKEN)
    rank = {property_key(name): i for i, (name, _, _) in enumerate(_ION_OF)}
    own = own[own["meq"].notna()].assign(rank=own["key"].map(rank)).sort_values("rank")
    wide = own.drop_duplicates([*keys, "ion"]).pivot(index=keys, columns="ion", values="meq")
    if not set(_NEEDED) <= set(wide):
        return pd.DataFrame(columns=list(BALANCE))
    wide = wide[wide[list(_NEEDED)].notna().all(axis=1)]
    parts = {ion: wide[ion].fillna(0.0).to_numpy() for ion in wide}
    error, total = ions.charge_balance(parts)
    table = pd.DataFrame({"sum": total, "error": error}, index=wide.index)
    table["cations"] = (1 + error / 100) * total / 2
    table["anions"] = total - table["cations"]
    table["flag"] = ions.judge_balance(error, total)
    table["calculated"] = ions.calculated_conductivity(parts)
    table["conductivity"] = _measured(conductivity, keys).reindex(wide.index)
    table["ratio"] = table["calculated"] / table["conductivity"]
    within = table["ratio"].between(_LOW, _HIGH)
    table["ratio_flag"] = np.where(
        table["ratio"].isna(), NOT_EVALUATED, np.where(within, PASS, FAIL)
    ).astype(np.uint8)
    return table.reset_index()[list(BALANCE)]


def _equivalents(own: pd.DataFrame, names: dict[str, tuple[str, str]]) -> Floats:
    """Milliequivalents per litre; NaN where a unit cannot be brought there."""
    meq = np.full(len(own), np.nan)
    told = own[["key", "unit", "basis"]].astype(object).fillna("")
    for (key, unit, basis), rows in told.groupby(
        ["key", "unit", "basis"], sort=True
    ).indices.items():
        counted, ion = names[str(key)]
        factor = _factor(str(unit), str(basis), counted, ion)
        meq[rows] = own["value"].to_numpy(np.float64)[rows] * factor
    return meq


def _factor(unit: str, basis: str, counted: str, ion: str) -> float:
    """Milliequivalents per litre of one in the unit given."""
    if "eq/" in unit:
        return _converted(unit, "meq/L", None)
    if counted in _PER_CHARGE:
        mass = _converted(with_basis(unit, basis or counted), f"mg/L as {counted}", ion)
        return mass / _PER_CHARGE[counted]
    wanted = f"mg/L as {counted}" if counted and basis else "mg/L"
    mass = _converted(with_basis(unit, basis), wanted, ion)
    return float(ions.equivalents(ion, [mass])[0])


def _converted(unit: str, wanted: str, name: str | None) -> float:
    try:
        return float(convert([1.0], unit, wanted, property=name)[0])
    except (NotComputable, UsageError):
        return float("nan")


def _measured(rows: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Conductivity, uS/cm."""
    known = rows[rows["kind"] == 0]
    units = known["unit"].astype(object).fillna("")
    factors = units.map({u: _converted(u, "uS/cm", None) for u in units.unique()})
    values = known["value"].to_numpy(np.float64) * factors.to_numpy(np.float64)
    found = known[keys].assign(v=values).drop_duplicates(keys)
    return found.set_index(keys)["v"]
