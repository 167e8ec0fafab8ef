"""SDG 15.3.1 and who lives on degraded land as a workbook in the order of the PRAIS forms.

The sheets bear the forms' numbers, so that they can be carried over one by one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ecotone.assess.indicators.land_exports import EFFECTS, LABELS, Tables
from ecotone.assess.indicators.land_forms import Forms
from ecotone.assess.indicators.land_polygons import Correction
from ecotone.formats.xlsx import write_xlsx
from ecotone.science.land.cover import TransitionMatrix
from ecotone.science.land.lookup import DEGRADED, IMPROVED, STABLE

#: Sheets in the order of the forms.
_ORDER: Final[tuple[str, ...]] = (
    "CP-1.T1", "CP-1.T2", "SO1-1.T2", "SO1-1.T3", "SO1-1.T4", "SO1-1.T5", "SO1-1.T6", "SO1-1.T7",
    "SO1-2.T1", "SO1-2.T2", "SO1-2.T2 (2)", "SO1-2.T3", "SO1-3.T1", "SO1-3.T2", "SO1-4.T1",
    "SO1-4.T2", "SO1-4.T3", "SO1-4.T4", "SO1-4.T5", "SO2-3.T1", "SO2-3.T2",
)  # fmt: skip
_DEGRADATION: Final = {"landcover": "SO1-1.T7", "productivity": "SO1-2.T3", "soc": "SO1-3.T2"}
_GROUPS: Final = {
    "population": "Total population", "female": "Female population", "male": "Male population",
}  # fmt: skip
_SPOTS: Final = {"hotspots": "SO1-4.T4", "brightspots": "SO1-4.T5"}
_CONFIDENCE: Final = "Level of confidence (high, medium, low)"


@dataclass(frozen=True)
class Told:
    """What the workbook says beside the tables.

    Attributes:
        rule: the rule set whose status is reported.
        year: the last year reported; it dates the workbook, so the same numbers are the same bytes.
        confidence: high, medium or low, as proposed.
        corrections: error polygons.
    """

    rule: str
    year: int
    confidence: str
    corrections: Sequence[Correction]


def write_workbook(path: Path, tables: Tables, forms: Forms | None, told: Told) -> None:
    """The sheets that the sub-indicators at hand allow."""
    sheets: dict[str, pd.DataFrame] = {}
    periods, parts = tables["periods"], tables["parts"]
    for part, sheet in _DEGRADATION.items():
        here = parts[parts["part"] == part]
        if len(here):
            sheets[sheet] = _by_period(here)
    sheets["SO1-4.T1"] = _matrix(tables["crosstab"])
    sheets["SO1-4.T2"] = _indicator(tables, told)
    first = periods[periods["period"] == periods["period"].iloc[0]]
    sheets["CP-1.T1"] = pd.DataFrame({"Total area (km2)": [first["area_km2"].sum()]})
    if told.corrections:
        sheets["SO1-4.T3"] = _false(tables["corrections"], told.corrections)
    for kind, sheet in _SPOTS.items():
        if kind in tables:
            sheets[sheet] = _spots(tables[kind], kind)
    if "people" in tables:
        sheets |= _people(tables["people"])
    if forms is not None:
        sheets |= forms.tables()
        sheets["SO1-1.T2"] = _legend(forms)
        sheets["SO1-1.T3"] = _effects(forms.cover.matrix)
        if forms.extents:
            water = [c for c in sheets["SO1-1.T4"].columns if c.startswith("Water")]
            lakes = sheets["SO1-1.T4"][water].iloc[-1].sum() if water else 0.0
            sheets["CP-1.T1"]["Water bodies (km2)"] = lakes
            sheets["CP-1.T1"]["Land area (km2)"] = first["area_km2"].sum() - lakes
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered: dict[str, pd.DataFrame] = {name: sheets[name] for name in _ORDER if name in sheets}
    write_xlsx(path, ordered, made=dt.datetime(told.year, 12, 31, tzinfo=dt.UTC))


def _by_period(table: pd.DataFrame, key: str = "period") -> pd.DataFrame:
    """A row a period: km2 and percent of each state."""
    rows = []
    for period in table[key].unique():
        here = table[table[key] == period].set_index("state")
        row: dict[str, Any] = {"Period": period}
        for state, label in LABELS.items():
            row[f"{label} (km2)"] = here.loc[state, "area_km2"]
            row[f"{label} (%)"] = here.loc[state, "percent"]
        rows.append(row)
    return pd.DataFrame(rows)


def _indicator(tables: Tables, told: Told) -> pd.DataFrame:
    """Degraded land of the baseline, and by status of each report, as the manual asks."""
    periods, rules = tables["periods"], tables["rules"]
    baseline = _by_period(periods[periods["period"] == periods["period"].iloc[0]])
    reports = _by_period(rules[rules["rule"] == told.rule], "report")
    sheet = pd.concat([baseline, reports], ignore_index=True)
    degraded = sheet["Degraded (km2)"]
    sheet["Change since the baseline (km2)"] = degraded - degraded.iloc[0]
    sheet[_CONFIDENCE] = told.confidence
    return sheet


def _matrix(cross: pd.DataFrame) -> pd.DataFrame:
    """Baseline by reporting period, km2."""
    rows = []
    for report in cross["report"].unique():
        here = cross[cross["report"] == report]
        for state, label in LABELS.items():
            one = here[here["baseline"] == state].set_index("period")["area_km2"]
            columns = {f"{name} (km2)": one[other] for other, name in LABELS.items()}
            rows.append({"Report": report, "Baseline": label, **columns})
    return pd.DataFrame(rows)


def _effects(matrix: TransitionMatrix) -> pd.DataFrame:
    names = list(matrix.legend.names)
    frame = pd.DataFrame(
        [[EFFECTS[int(code)] for code in row] for row in matrix.effect], columns=names
    )
    frame.insert(0, "Initial class", names)
    return frame


def _legend(forms: Forms) -> pd.DataFrame:
    """Every code of the maps and the class it is nested in."""
    legend = forms.cover.matrix.legend
    names = dict(zip(legend.codes, legend.names, strict=True))
    return pd.DataFrame(
        [
            {"Code of the maps": code, "Class": parent, "Name of the class": names[parent]}
            for code, parent in sorted(forms.cover.nesting.items())
        ]
    )


def _false(table: pd.DataFrame, corrections: Sequence[Correction]) -> pd.DataFrame:
    """False positives (wrongly not degraded) and false negatives (wrongly degraded)."""
    rows = []
    for correction in corrections:
        one = correction.polygon
        here = table[table["polygon"] == one.name]
        kinds = (
            ("False positive", here["before"].isin(["stable", "improved"])
             & (here["after"] == "degraded")),
            ("False negative", (here["before"] == "degraded") & here["after"].isin(
                ["stable", "improved"])),
        )  # fmt: skip
        for kind, chosen in kinds:
            if not _says(correction, kind):
                continue
            for period in correction.recode.periods:
                changed = here[chosen & (here["period"] == period)]["area_km2"].sum()
                rows.append(
                    {
                        "Location name": one.attributes.get("location_name") or one.name,
                        "Type": kind,
                        "Area recoded (km2)": float(changed),
                        "Area of the polygon (km2)": one.km2,
                        "Process driving the false positive or negative": one.attributes.get(
                            "process_driving_change"
                        ),
                        "Basis for judgement": one.attributes.get("basis_for_judgement"),
                        "Period": period,
                    }
                )
    return pd.DataFrame(rows)


def _says(correction: Correction, kind: str) -> bool:
    """Whether a correction turns degraded land into other (or other into degraded)."""
    recode = correction.recode
    if kind == "False negative":
        return recode.degraded in (STABLE, IMPROVED)
    return DEGRADED in (recode.stable, recode.improved)


def _spots(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The columns of the form; what only the country knows stays empty."""
    hot = kind == "hotspots"
    made = {
        "Hotspot" if hot else "Brightspot": table["rank"],
        "Location (latitude, longitude)": [
            f"{y:.4f}, {x:.4f}" for y, x in zip(table["latitude"], table["longitude"], strict=True)
        ],
        "Area (km2)": table["area_km2"],
        "Assessment process": "contiguous patch of the status map",
        "Sub-indicators": table["drivers"],
        "Direct drivers" if hot else "Actions that led to the brightspot": None,
        "Remediating actions" if hot else "Implementing actions": None,
    }
    return pd.DataFrame(made)


def _people(people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """People on degraded land by sex (SO2-3), and all people (CP-1.T2)."""
    groups = {g: label for g, label in _GROUPS.items() if g in people}
    rows, totals = [], []
    for period, years in people[["period", "years"]].drop_duplicates().itertuples(index=False):
        here = people[people["period"] == period].set_index("state")
        row: dict[str, Any] = {"Time period": f"{period} ({years})"}
        total: dict[str, Any] = {"Time period": f"{period} ({years})"}
        for group, label in groups.items():
            row[f"{label} exposed (count)"] = here.loc["degraded", group]
            row[f"{label} exposed (%)"] = here.loc["degraded", f"{group}_percent"]
            total[label] = here[group].sum()
        rows.append(row)
        totals.append(total)
    exposed = pd.DataFrame(rows)
    change = exposed.set_index("Time period")
    change = (change - change.iloc[0]).iloc[1:].reset_index()
    return {
        "CP-1.T2": pd.DataFrame(totals).iloc[-1:],
        "SO2-3.T1": exposed,
        "SO2-3.T2": change,
    }


def propose_confidence(
    accuracy: float | None, disputed: float, assessed: float, parts: Mapping[str, object]
) -> str:
    """High, medium or low, for the party to confirm.

    High: a ground sample finds at least 80 % of the land mapped right (the least the manual asks
    of national data) and all three sub-indicators are there. Low: a sample finds less than
    60 %, or, without one, rule sets disagree on more than half of the land. Else medium.
    """
    if accuracy is not None:
        if accuracy >= _GOOD and len(parts) == len(_DEGRADATION):
            return "high"
        return "low" if accuracy < _POOR else "medium"
    return "low" if disputed > assessed / 2 else "medium"


_GOOD: Final = 0.8
_POOR: Final = 0.6
