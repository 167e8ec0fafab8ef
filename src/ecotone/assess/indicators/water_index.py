"""``water.index``: one number or class for the quality of a station's water."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.extent import within
from ecotone.assess.indicators.matching import in_unit
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.standards import GRADES
from ecotone.assess.indicators.water_classes import classed
from ecotone.assess.indicators.water_curves import nsf_curves
from ecotone.assess.indicators.water_judged import read_all, standard, tell_spread, with_limits
from ecotone.assess.indicators.water_oxygen import oxygen_saturation
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.units import known, split_basis
from ecotone.model.words import say
from ecotone.science.water import indices
from ecotone.science.water.index_intervals import Known, ccme_interval, mean_index

_LEVEL: Final = 0.95
_INDICES: Final = ("ccme", "gb3838", "nsf", "tli", "tsi")
_CCME_NAMES: Final = ("excellent", "good", "fair", "marginal", "poor")
#: Fewest variables and samples of a CCME index by its manual.
_FEWEST: Final = 4
_TABLE: Final = {
    "station": "", "index": "1", "low": "1", "high": "1", "class": "", "samples": "",
    "variables": "", "failed_variables": "", "tests": "results", "failed_tests": "results",
    "undetermined": "results", "f1": "%", "f2": "%", "f3": "%", "nse": "1",
}  # fmt: skip
_CLASSES: Final = {
    "station": "", **dict.fromkeys(GRADES, ""), "worse": "", "incomplete": "",
    "undetermined": "", "factor": "",
}  # fmt: skip
_YEARS: Final = {
    "station": "", "year": "", "class": "", "probability": "1", "quality": "", "months": "1",
    "enough": "", "factor": "", **{f"p_{name}": "1" for name in (*GRADES, "worse")},
}  # fmt: skip
_SAMPLES: Final = {"station": "", "sample": "", "class": "", "factor": ""}
_OXYGEN: Final = "dissolved_oxygen_saturation"
#: Variables of the other indices and the units their formulas take.
_UNITS: Final[Mapping[str, Mapping[str, str]]] = {
    "tli": {
        "chlorophyll_a": "ug/L", "total_phosphorus": "mg/L", "total_nitrogen": "mg/L",
        "secchi_depth": "m", "permanganate_index": "mg/L",
    },
    "tsi": {"secchi_depth": "m", "chlorophyll_a": "ug/L", "total_phosphorus": "ug/L"},
    "nsf": {
        "dissolved_oxygen_saturation": "%", "faecal_coliform": "", "ph": "1", "bod5": "mg/L",
        "temperature_change": "K", "total_phosphate": "mg/L", "nitrate": "mg/L",
        "turbidity": "NTU", "total_solids": "mg/L",
    },
}  # fmt: skip


def compute(job: Job) -> Outcome:
    """Read, then compute the index asked for, station by station."""
    notes = Notes()
    index = str(job.parameters["index"]).strip().casefold().replace(" ", "").replace("-", "")
    index = {"gb38382002": "gb3838", "ccmewqi": "ccme", "nsfwqi": "nsf"}.get(index, index)
    if index not in _INDICES:
        raise UsageError(
            say("assess.parameter-wrong", name="index", given=job.parameters["index"],
                wanted=", ".join(_INDICES))
        )  # fmt: skip
    results = read_all(job.inputs["results"], notes, _text(job, "station"))
    results = within(results, job, notes)
    tables: dict[str, pd.DataFrame] = {}
    if index == "gb3838":
        table, tables = classed(results, job, notes)
    elif index == "ccme":
        table = _ccme(results, job, notes)
    else:
        table = _trophic(results, index, job, notes)
    table = table.reindex(columns=list(_TABLE))
    if "years" in tables:
        tables["years"] = tables["years"].reindex(columns=list(_YEARS))
    values = _values(table, index, notes)
    return Outcome(values=values, tables={"index": table, **tables}, findings=notes.all())


def _text(job: Job, name: str) -> str | None:
    value = job.parameters[name]
    return None if value is None else str(value)


def _ccme(results: pd.DataFrame, job: Job, notes: Notes) -> pd.DataFrame:
    judged = with_limits(
        results,
        job.inputs.get("standards", ()),
        notes,
        standard=_text(job, "standard"),
        version=_text(job, "version"),
        grade=_text(job, "class"),
        water=str(job.parameters["water"]),
    )
    tell_spread(judged, notes)
    rows = []
    for station, group in judged.groupby("station", sort=True):
        columns = [group[c].to_numpy() for c in ("limit", "level", "sign", "top", "bottom")]
        columns[0] = columns[0].astype(str)
        found = indices.ccme(*columns)
        low, high = ccme_interval(
            group["bottle"].to_numpy().astype(str),
            *columns,
            standard=group["spread"].to_numpy(),
            replicates=int(job.number("replicates")),
            seed=int(job.number("seed")),
            level=_LEVEL,
        )
        samples = group["bottle"].nunique()
        if found.undetermined:
            notes.add(
                Finding("water-tests-undetermined", Severity.WARNING, value=str(station) or "-",
                        params={"count": str(found.undetermined)})
            )  # fmt: skip
        if min(found.variables, samples) < _FEWEST:
            notes.add(
                Finding("water-index-few", Severity.WARNING, value=str(station) or "-",
                        params={"variables": str(found.variables), "samples": str(samples),
                                "fewest": str(_FEWEST)})
            )  # fmt: skip
        rows.append(
            {
                "station": station, "index": found.index, "low": low, "high": high,
                "class": _CCME_NAMES[found.place] if found.place >= 0 else "",
                "samples": samples, "variables": found.variables,
                "failed_variables": found.failed_variables, "tests": found.tests,
                "failed_tests": found.failed_tests, "undetermined": found.undetermined,
                "f1": found.f1, "f2": found.f2, "f3": found.f3, "nse": found.nse,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _trophic(results: pd.DataFrame, index: str, job: Job, notes: Notes) -> pd.DataFrame:
    """Mean over the samples that have all variables of their station, with its interval."""
    wide = _bottles(results, index, job, notes)
    if wide.empty:
        raise NotComputable(
            say("assess.water.no-variable", index=index, wanted=", ".join(_UNITS[index])),
            say("assess.water.nothing.do"),
        )
    if index == "nsf":
        notes.add(Finding("water-curves-unverified", Severity.WARNING))
    rows = []
    for station, group in wide.groupby(level="station", sort=True):
        given = _known(group)
        missing = sorted(set(_UNITS[index]) - set(given))
        if missing:
            notes.add(
                Finding("water-index-partial", Severity.WARNING, value=str(station) or "-",
                        params={"missing": ", ".join(missing)})
            )  # fmt: skip
        mean, low, high, samples = mean_index(
            _FORMULAS[index],
            given,
            replicates=int(job.number("replicates")),
            seed=int(job.number("seed")),
            level=_LEVEL,
        )
        if samples < len(group):
            notes.add(
                Finding("water-samples-incomplete", Severity.INFO, value=str(station) or "-",
                        params={"count": str(len(group) - samples)})
            )  # fmt: skip
        rows.append(
            {"station": station, "index": mean, "low": low, "high": high,
             "class": _trophic_class(index, mean), "samples": samples, "variables": len(given)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _known(group: pd.DataFrame) -> dict[str, Known]:
    """What is known of each variable measured at a station, bottle by bottle."""
    known = {}
    for name in group["number"].columns:
        values = group["number"][name].to_numpy(dtype=np.float64)
        if np.isnan(values).all():
            continue
        known[str(name)] = Known(
            values,
            group["kind"][name].fillna(0).to_numpy().astype(np.int8),
            group["spread"][name].fillna(0).to_numpy(dtype=np.float64),
            floor=-np.inf if name == "temperature_change" else 0.0,
        )
    return known


def _bottles(results: pd.DataFrame, index: str, job: Job, notes: Notes) -> pd.DataFrame:
    """(station, bottle) x (number, kind and spread of each variable) in the formula's units.

    Of several results of one bottle the mean of those measured, else the lowest limit.
    """
    wanted = {name.replace("_", ""): (name, unit) for name, unit in _UNITS[index].items()}
    own = results[results["key"].isin(wanted)]
    beyond = (own["kind"] > 0) | ~np.isfinite(own["value"].to_numpy(dtype=np.float64))
    for code, hit in (("water-index-censored", beyond), ("water-index-drawn",
                      (own["kind"] < 0) & ~beyond)):  # fmt: skip
        if hit.any():
            notes.add(
                Finding(code, Severity.WARNING if code == "water-index-censored" else
                        Severity.INFO, params={"count": str(int(hit.sum()))})
            )  # fmt: skip
    own = own[~beyond]
    tell_spread(own, notes)
    parts = []
    for (key, unit), group in own.groupby(["key", "unit"], dropna=False):
        name, target = wanted[str(key)]
        told = "" if unit is None or unit != unit else str(unit)
        values: np.ndarray | None
        if name == "temperature_change":
            values = _difference(group["value"].to_numpy(dtype=np.float64), told)
        elif target:
            values = in_unit(group.assign(basis=""), told, "", name, target, "", notes)
        else:
            values = group["value"].to_numpy(dtype=np.float64)
        if values is None:
            continue
        given = group["value"].to_numpy(dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(np.isfinite(values / given), values / given, 1.0)
        parts.append(
            group[["station", "bottle", "kind"]].assign(
                variable=name, number=values, spread=standard(group, factor)
            )
        )
    if index == "nsf" and not any((part["variable"] == _OXYGEN).any() for part in parts):
        share = oxygen_saturation(results, job.number("elevation"), notes).rename("number")
        if not share.empty:
            parts.append(share.reset_index().assign(variable=_OXYGEN, kind=0, spread=0.0))
    if not parts:
        return pd.DataFrame()
    cells = pd.concat(parts, ignore_index=True)
    keys = ["station", "bottle", "variable"]
    # A measured result says more than a limit, a lower limit more than a higher one.
    cells = cells[cells["kind"] == cells.groupby(keys)["kind"].transform("max")]
    hidden = cells["kind"] < 0
    found = cells.groupby(keys).agg(
        number=("number", "mean"), least=("number", "min"), kind=("kind", "max"),
        spread=("spread", "mean"),
    )  # fmt: skip
    if hidden.any():
        found["number"] = found["number"].where(found["kind"] == 0, found["least"])
    return pd.DataFrame(found.drop(columns="least").unstack("variable"))


def _difference(values: np.ndarray, unit: str) -> np.ndarray:
    """A difference of temperatures in kelvin: no scale's zero enters it."""
    if unit and known(unit) and split_basis(unit)[0] == "degF":
        return values * 5 / 9
    return values


_FORMULAS: Final[Mapping[str, Callable[[Mapping[str, np.ndarray]], np.ndarray]]] = {
    "tli": indices.tli,
    "tsi": indices.tsi,
    "nsf": lambda values: indices.nsf(values, nsf_curves())[0],
}


def _trophic_class(index: str, mean: float) -> str:
    """The name of a class by the source's own bounds."""
    if np.isnan(mean):
        return ""
    bounds, names = {
        "tli": ((30, 50, 60, 70), ("oligotrophic", "mesotrophic", "lightly eutrophic",
                                   "moderately eutrophic", "highly eutrophic")),
        "tsi": ((40, 50), ("oligotrophic", "mesotrophic", "eutrophic")),
        "nsf": ((25, 50, 70, 90), ("very bad", "bad", "medium", "good", "excellent")),
    }[index]  # fmt: skip
    return names[int(np.searchsorted(bounds, mean, side="right"))]


def _values(table: pd.DataFrame, index: str, notes: Notes) -> dict[str, Value]:
    single = len(table) == 1
    if not single:
        notes.add(
            Finding("water-several-stations", Severity.INFO, params={"count": str(len(table))})
        )
    row = table.iloc[0]
    index_value, low, high = (
        float(row[n]) if single and np.isfinite(float(row[n])) else None
        for n in ("index", "low", "high")
    )
    if single and index_value is None:
        notes.add(Finding("water-undefined", Severity.WARNING, field="index"))
    if single and index_value is not None and low is None:
        notes.add(Finding("water-index-no-interval", Severity.INFO))
    bounded = index_value is not None and low is not None and high is not None
    return {
        "index": Value(
            value=index_value,
            unit="1",
            low=low if bounded else None,
            high=high if bounded else None,
            level=_LEVEL if bounded else None,
        ),
        "stations": Value(value=len(table), unit="stations"),
        "samples": Value(value=int(table["samples"].sum()), unit="1"),
    }


WATER_INDEX: Final = Indicator(
    id="water.index",
    version="2",
    inputs=(
        Input("results", "table", noun="Observation"),
        Input("standards", "table", required=False),
    ),
    parameters=(
        Parameter("index", "text", default="ccme"),
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("standard", "text"),
        Parameter("version", "text"),
        Parameter("class", "text", choices=GRADES),
        Parameter("water", "text", default="river", choices=("river", "lake")),
        Parameter("station", "text"),
        Parameter("elevation", "number", default=0.0, minimum=-430.0, maximum=9000.0, unit="m"),
        Parameter("oxygen", "text", default="concentration",
                  choices=("concentration", "either")),
        Parameter("factors", "text", default="21", choices=("21", "all")),
        Parameter("replicates", "integer", default=1000, minimum=100, maximum=100_000),
        Parameter("seed", "integer", default=1, minimum=0),
    ),
    values={"index": "1", "stations": "stations", "samples": "1"},
    tables={"index": _TABLE, "classes": _CLASSES, "years": _YEARS, "samples": _SAMPLES},
    rasters={},
    citations=(
        Citation("CCME (2001) Canadian Water Quality Index 1.0, technical report"),
        Citation("GB 3838-2002 Environmental quality standards for surface water"),
        Citation("Ministry of Environmental Protection of China (2011) Method for assessing "
                 "surface water quality (trial), document 22 of 2011"),
        Citation("JCGM 101 (2008) Propagation of distributions using a Monte Carlo method"),
        Citation("Hesterberg (2015) The American Statistician 69, 371-386",
                 "10.1080/00031305.2015.1089789"),
        Citation("Benson and Krause (1984) Limnology and Oceanography 29, 620-632",
                 "10.4319/lo.1984.29.3.0620"),
        Citation("Carlson (1977) Limnology and Oceanography 22, 361-369",
                 "10.4319/lo.1977.22.2.0361"),
        Citation("China National Environmental Monitoring Centre (2001) Lake eutrophication: "
                 "methods and classes, document 090"),
        Citation("Brown, McClelland, Deininger and Tozer (1970) Water and Sewage Works 117, "
                 "339-343"),
    ),
    compute=compute,
)  # fmt: skip
