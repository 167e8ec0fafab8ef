"""Drought in the order of the PRAIS forms: SO3-1 to SO3-3 as a workbook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from ecotone.formats.xlsx import write_xlsx

_CLASSES: Final = {
    "mild": "Mild drought",
    "moderate": "Moderate drought",
    "severe": "Severe drought",
    "extreme": "Extreme drought",
    "none": "Non-drought",
    "nodata": "No data",
}
_DRY: Final = ("mild", "moderate", "severe", "extreme")
_GROUPS: Final = {"population": "SO3-2.T1", "female": "SO3-2.T2", "male": "SO3-2.T3"}


def write_drought_forms(out: Path, tables: Mapping[str, pd.DataFrame], year: int) -> str:
    """The sheets that the tables at hand allow; the path, relative to ``out``.

    The workbook is dated by the last year, so the same numbers are the same bytes.
    """
    areas = tables["areas"]
    sheets = {
        "SO3-1.T1": _by_class(areas, "area_km2", "km2"),
        "SO3-1.T2": _under_drought(areas),
    }
    people = tables.get("exposure_yearly")
    for group, sheet in _GROUPS.items():
        if people is not None and group in people:
            counts = _by_class(people, group, "people")
            shares = _by_class(people, f"{group}_percent", "%")
            sheets[sheet] = counts.merge(shares, on="Year")
    if "vulnerability" in tables:
        sheets |= _vulnerability(tables["vulnerability"])
    path = out / "exports/prais_drought.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_xlsx(path, sheets, made=dt.datetime(year, 12, 31, tzinfo=dt.UTC))
    return "exports/prais_drought.xlsx"


def _by_class(table: pd.DataFrame, column: str, unit: str) -> pd.DataFrame:
    wide = table.pivot(index="year", columns="class", values=column)[list(_CLASSES)]
    wide.columns = pd.Index([f"{name} ({unit})" for name in _CLASSES.values()])
    return wide.rename_axis("Year").reset_index()


def _under_drought(areas: pd.DataFrame) -> pd.DataFrame:
    wide = areas.pivot(index="year", columns="class", values="area_km2")
    dry, total = wide[list(_DRY)].sum(axis=1), wide.sum(axis=1)
    return pd.DataFrame(
        {
            "Year": wide.index,
            "Total area under drought (km2)": dry.to_numpy(),
            "Proportion of land under drought (%)": (100 * dry / total).to_numpy(),
        }
    )


def _vulnerability(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All people in one sheet; women and men, where the factors tell them apart, in another."""
    sheets = {}
    whole = table[table["group"] == "total"]
    if len(whole):
        sheets["SO3-3.T1"] = pd.DataFrame(
            {"Year": whole["year"], "Total country-level DVI value (tier 1)": whole["dvi"]}
        )
    apart = table[table["group"] != "total"]
    if len(apart):
        wide = apart.pivot(index="year", columns="group", values="dvi")
        wide.columns = pd.Index([f"DVI, {name}" for name in wide.columns])
        sheets["SO3-3.T2"] = wide.rename_axis("Year").reset_index()
    return sheets
