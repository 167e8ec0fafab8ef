"""SDG 15.3.1 as Trends.Earth writes it: ``TrendsEarthLandConditionSummary`` of te_schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ecotone import __version__
from ecotone.assess.indicators.land_forms import Forms
from ecotone.assess.indicators.land_sdg_people import STATES
from ecotone.science.land.cover import TransitionMatrix
from ecotone.science.land.lookup import NODATA
from ecotone.science.land.status import status_classes, status_three

LABELS: Final = {
    "degraded": "Degraded",
    "stable": "Stable",
    "improved": "Improved",
    "nodata": "No data",
}
EFFECTS: Final = {-1: "degradation", 0: "stable", 1: "improvement"}
_CODES: Final = {name: code for code, name in STATES.items()}
Tables = Mapping[str, pd.DataFrame]


def write_json(
    path: Path,
    tables: Tables,
    forms: Forms,
    spans: Sequence[tuple[str, int, int]],
    area: Mapping[str, Any],
    corrections: Mapping[str, Any] | None = None,
) -> None:
    """``TrendsEarthLandConditionSummary`` of a run that has all three sub-indicators.

    Args:
        path: where to.
        tables: of the indicator.
        forms: by class.
        spans: name, first and last year of each period, the baseline first.
        area: the area of interest: ``name``, ``geojson`` and ``crs_wkt``.
        corrections: the error polygons as ``ErrorRecodePolygons``, where there are any.
    """
    stamp = f"{spans[-1][2]}-12-31T00:00:00+00:00"
    document = {
        "metadata": {
            "title": "SDG Indicator 15.3.1",
            "date": stamp,
            "trends_earth_version": {
                "version": f"ecotone {__version__}",
                "revision": "",
                "release_date": stamp,
            },
            "area_of_interest": dict(area),
            "affected_areas_only": False,
        },
        "land_condition": {
            name: _condition(name, start, end, tables, forms, spans[0], corrections)
            for name, start, end in spans
        },
        "affected_population": _population(tables.get("people")),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _condition(
    name: str, start: int, end: int, tables: Tables, forms: Forms, base: tuple[str, int, int],
    corrections: Mapping[str, Any] | None,
) -> dict[str, Any]:  # fmt: skip
    parts, periods = tables["parts"], tables["periods"]

    def areas(part: str) -> dict[str, Any]:
        return _areas(parts[(parts["period"] == name) & (parts["part"] == part)])

    report: dict[str, Any] = {
        "period_assessment": {
            "sdg": {"summary": _areas(periods[periods["period"] == name])},
            "productivity": {
                "summaries": {"all_cover_types": areas("productivity")},
                "crosstabs_by_productivity_class": _lpd_tabs(name, start, end, forms),
            },
            "land_cover": {
                "summary": areas("landcover"),
                "legend_nesting": _nesting(forms),
                "transition_matrix": _definition(forms.cover.matrix),
                "crosstabs_by_land_cover_class": [_change_tab(name, start, end, forms)],
                "land_cover_areas_by_year": _by_year(
                    "Area by year by land cover class", "sq km", forms,
                    {year: list(sums[:-1]) for year, sums in forms.extents.items()},
                ),
            },
            "soil_organic_carbon": {
                "summaries": {"non_water": areas("soc")},
                "soc_stock_by_year": _by_year(
                    "Soil organic carbon by year by land cover class", "tonnes", forms,
                    {year: list(sums[0]) for year, sums in forms.carbon.items()},
                ),
            },
        }
    }  # fmt: skip
    if corrections is not None:
        report["period_assessment"]["error_recode"] = dict(corrections)
        report["period_assessment"]["sdg_error_recode"] = _areas(periods[periods["period"] == name])
    if name != base[0]:
        report["period_assessment"]["sdg"]["summary"]["name"] = (
            f"SDG Indicator 15.3.1, {start}-{end}"
        )
        report["status_assessment"] = _status(name, tables)
        report["change_assessment"] = _change(name, start, end, tables, base)
    return report


def _areas(table: pd.DataFrame) -> dict[str, Any]:
    values = table.set_index("state")["area_km2"]
    return {
        "name": None,
        "unit": "sq km",
        "areas": [
            {"name": label, "area": float(values.get(state, 0.0))}
            for state, label in LABELS.items()
        ],
    }


def _tab(name: str, start: int, end: int, cells: list[tuple[str, str, float]]) -> dict[str, Any]:
    return {
        "name": name,
        "unit": "sq km",
        "initial_year": start,
        "final_year": end,
        "values": [
            {"initial_label": a, "final_label": b, "value": float(value)} for a, b, value in cells
        ],
    }


def _lpd_tabs(name: str, start: int, end: int, forms: Forms) -> list[dict[str, Any]]:
    """Land cover change within each class of productivity is not kept: cover by class instead."""
    classes = ["Declining", "Moderate decline", "Stressed", "Stable", "Increasing", "No data"]
    names = [*forms.cover.matrix.legend.names, "No data"]
    table = forms.lpd[name]
    return [
        _tab(label, start, end, [(c, c, table[at, k]) for k, c in enumerate(names)])
        for at, label in enumerate(classes)
    ]


def _change_tab(name: str, start: int, end: int, forms: Forms) -> dict[str, Any]:
    names = [*forms.cover.matrix.legend.names, "No data"]
    table = forms.changes[name]
    cells = [(a, b, table[i, j]) for i, a in enumerate(names) for j, b in enumerate(names)]
    return _tab("Land area by land cover transition type", start, end, cells)


def _change(
    name: str, start: int, end: int, tables: Tables, base: tuple[str, int, int]
) -> dict[str, Any]:
    """Baseline by period of the indicator and of each of its parts."""
    both = {"sdg": tables["crosstab"], **_part_crosses(tables)}
    made = {}
    for key, cross in both.items():
        here = cross[cross["report"] == name]
        columns = (here["baseline"], here["period"], here["area_km2"])
        cells = [
            (LABELS[str(a)], LABELS[str(b)], float(km2)) for a, b, km2 in zip(*columns, strict=True)
        ]
        made[key] = _tab(f"{base[1]}-{base[2]} by {start}-{end}", base[1], end, cells)
    return made


def _status(name: str, tables: Tables) -> dict[str, Any]:
    """Status of the indicator and of each part: the period seen against the baseline."""
    made = {}
    for key, cross in {"sdg": tables["crosstab"], **_part_crosses(tables)}.items():
        here = cross[cross["report"] == name]
        codes = [here[side].map(_CODES).to_numpy(dtype=np.int16) for side in ("baseline", "period")]
        three = status_three(status_classes(*codes))
        sums = here["area_km2"].groupby([STATES[int(code)] for code in three]).sum()
        made[key] = _areas(sums.rename_axis("state").reset_index())
    return {
        "sdg": made["sdg"],
        "productivity": {"all_cover_types": made["productivity"]},
        "land_cover": made["land_cover"],
        "soil_organic_carbon": {"non_water": made["soil_organic_carbon"]},
    }


def _population(people: pd.DataFrame | None) -> dict[str, Any]:
    """People on degraded land by sex, by state of the land, for each period."""
    if people is None:
        return {}
    told = {"population": "Total population", "female": "Female population",
            "male": "Male population"}  # fmt: skip
    made: dict[str, Any] = {}
    for period in people["period"].unique():
        here = people[people["period"] == period].set_index("state")
        made[str(period)] = {
            "summary": {
                told[group]: {
                    "name": told[group],
                    "values": [
                        {
                            "name": label,
                            "population": round(float(here.loc[state, group])),
                            "type": told[group],
                        }
                        for state, label in LABELS.items()
                    ],
                }
                for group in told
                if group in here
            }
        }
    return made


def _part_crosses(tables: Tables) -> dict[str, pd.DataFrame]:
    cross = tables["crosstab_parts"]
    names = {
        "productivity": "productivity",
        "landcover": "land_cover",
        "soc": "soil_organic_carbon",
    }
    return {theirs: cross[cross["part"] == ours] for ours, theirs in names.items()}


def _by_year(
    name: str, unit: str, forms: Forms, years: Mapping[int, list[float]]
) -> dict[str, Any]:
    names = forms.cover.matrix.legend.names
    return {
        "name": name,
        "unit": unit,
        "values": {
            str(year): {n: float(v) for n, v in zip(names, values, strict=True)}
            for year, values in years.items()
        },
    }


def _classes(forms: Forms) -> list[dict[str, Any]]:
    legend = forms.cover.matrix.legend
    colors = legend.colors or ("#999999",) * len(legend.codes)
    return [
        {"code": code, "name_short": name[:20], "name_long": name[:90], "description": None,
         "color": color}
        for code, name, color in zip(legend.codes, legend.names, colors, strict=True)
    ]  # fmt: skip


_NONE: Final = {
    "code": NODATA, "name_short": "No data", "name_long": "No data", "description": None,
    "color": "#000000",
}  # fmt: skip


def _legend(name: str, key: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "key": key, "nodata": dict(_NONE)}


def _nesting(forms: Forms) -> dict[str, Any]:
    """Every code of the maps under its class, no data under no data."""
    nesting: dict[str, list[int]] = {str(c): [] for c in forms.cover.matrix.legend.codes}
    for code, parent in sorted(forms.cover.nesting.items()):
        nesting.setdefault(str(parent), []).append(code)
    names = dict(zip(forms.cover.matrix.legend.codes, forms.cover.matrix.legend.names, strict=True))
    child = [
        {"code": code, "name_short": f"{code}", "name_long": f"{code} {names[parent]}",
         "description": None, "color": None}
        for code, parent in sorted(forms.cover.nesting.items())
    ]  # fmt: skip
    return {
        "parent": _legend("Reporting legend", _classes(forms)),
        "child": _legend("Legend of the maps", child),
        "nesting": {**nesting, str(NODATA): [NODATA]},
    }


def _definition(matrix: TransitionMatrix) -> dict[str, Any]:
    legend = matrix.legend
    colors = legend.colors or ("#999999",) * len(legend.codes)
    key = [
        {"code": c, "name_short": n[:20], "name_long": n[:90], "description": None, "color": k}
        for c, n, k in zip(legend.codes, legend.names, colors, strict=True)
    ]
    return {
        "legend": _legend("Reporting legend", key),
        "name": "Degradation by transition of land cover",
        "definitions": {
            "name": "Meaning of transitions",
            "transitions": [
                {"initial": a, "final": b, "meaning": EFFECTS[int(matrix.effect[i, j])]}
                for i, a in enumerate(key)
                for j, b in enumerate(key)
            ],
        },
    }
