"""Drought for the conventions: SO3-1 to SO3-3 as a workbook, and Trends.Earth's JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ecotone import __version__
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


def write_drought_json(
    out: Path, tables: Mapping[str, pd.DataFrame], area: Mapping[str, Any], year: int
) -> str:
    """``TrendsEarthDroughtSummary``: land, people and vulnerability by year; its path."""
    stamp = f"{year}-12-31T00:00:00+00:00"
    areas, people = tables["areas"], tables.get("exposure_yearly")
    dvi = tables.get("vulnerability")
    document = {
        "metadata": {
            "title": "Drought hazard and exposure",
            "date": stamp,
            "trends_earth_version": {
                "version": f"ecotone {__version__}", "revision": "", "release_date": stamp,
            },
            "area_of_interest": dict(area),
            "affected_areas_only": False,
        },
        "drought": {
            "tier_one": {str(y): _land(areas[areas["year"] == y]) for y in areas["year"].unique()},
            "tier_two": {}
            if people is None
            else {str(y): _exposed(people[people["year"] == y]) for y in people["year"].unique()},
            "tier_three": {}
            if dvi is None
            else {
                str(y): {"name": "Drought vulnerability index", "value": value}
                for y, value in dvi.groupby("year")["dvi"].mean().dropna().to_dict().items()
            },
        },
    }  # fmt: skip
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    name = "exports/trends_earth_drought.json"
    (out / name).write_text(text + "\n", encoding="utf-8", newline="\n")
    return name


def _land(here: pd.DataFrame) -> dict[str, Any]:
    sums = here.set_index("class")["area_km2"]
    return {
        "name": "Area by drought class",
        "unit": "sq km",
        "areas": [{"name": label, "area": float(sums[c])} for c, label in _CLASSES.items()],
    }


def _exposed(here: pd.DataFrame) -> dict[str, Any]:
    """People of each sex in each class."""
    types = {"population": "Total population", "female": "Female population",
             "male": "Male population"}  # fmt: skip
    by_class = here.set_index("class")
    return {
        label: {
            "name": label,
            "values": [
                {"name": types[g], "population": int(np.rint(by_class[g][c])), "type": types[g]}
                for g in types
                if g in by_class
            ],
        }
        for c, label in _CLASSES.items()
    }
