"""``wildlife.occupancy``: the share of sites a species uses, seen or missed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_density_more import write_cells
from ecotone.assess.indicators.wildlife_reading import (
    Problems,
    covariate,
    is_missing,
    read_columns,
)
from ecotone.assess.indicators.wildlife_seasons import SEASONS, by_season
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.wildlife.formula import FormulaError, names_in
from ecotone.science.wildlife.model_matrix import bind
from ecotone.science.wildlife.occupancy import (
    OccupancyFit,
    boundary_coefficients,
    fit_occupancy,
    goodness_of_fit,
)

_LEVEL: Final = 0.95
_YES: Final = frozenset({"1", "1.0", "true", "yes", "y", "да", "是"})
_NO: Final = frozenset({"0", "0.0", "false", "no", "n", "нет", "否"})
_COEFFICIENTS: Final = {
    "part": "",
    "coefficient": "",
    "estimate": "",
    "se": "",
    "low": "",
    "high": "",
}
_SITES: Final = {"site": "", "psi": "1", "se": "1", "low": "1", "high": "1", "given_visits": "1"}


def compute(job: Job) -> Outcome:
    """Read visits and sites, fit, predict where asked."""
    notes = Notes()
    psi, p = (str(job.parameters[name]) for name in ("psi", "p"))
    problems = Problems()
    sites = pd.concat([_sites(path, problems, notes) for path in job.inputs["sites"]])
    sites = sites.reset_index(drop=True)
    visits = pd.concat([_visits(path, problems, notes) for path in job.inputs["visits"]])
    visits = visits.reset_index(drop=True)
    _known_sites(visits, sites, job.inputs["visits"][0], problems)
    problems.stop()
    area = None
    if "area" in job.inputs:
        area = pd.concat([_sites(path, problems, notes) for path in job.inputs["area"]])
        problems.stop()
    visits = _complete(visits, p, notes)
    sites = _visited(sites, visits, psi, notes)
    visits = visits[visits["site"].isin(set(sites["site"]))]
    if job.parameters["season"] is not None:
        if area is not None or job.parameters["replicates"] or job.parameters["crs"]:
            raise UsageError(say("assess.wildlife.seasons-alone"))
        told = [str(job.parameters[n]) for n in ("season", "psi", "gamma", "epsilon", "p")]
        values, tables = by_season(sites, visits, *told, notes=notes)
        return Outcome(values=values, tables=tables, findings=notes.all())
    try:
        result, designs, predicted = _fitted(sites, visits, area, psi, p)
    except FormulaError as error:
        raise UsageError(say("assess.wildlife.formula", why=str(error))) from error
    except ValueError as error:
        raise NotComputable(say("assess.wildlife.not-fitted", why=str(error))) from error
    _tell(result, designs, notes)
    job.progress(0.6)
    where = sites if area is None else area
    values = _values(result, predicted, sites, visits)
    replicates = job.parameters["replicates"]
    if isinstance(replicates, int) and replicates:
        rng = np.random.default_rng(int(str(job.parameters["seed"])))
        _, chance, c_hat = goodness_of_fit(result, replicates, rng)
        values["fit_p"] = Value(value=chance, unit="1")
        values["c_hat"] = Value(value=c_hat if np.isfinite(c_hat) else None, unit="1")
    tables = {
        "coefficients": _coefficients(result, designs),
        "sites": _predicted(result, predicted, where, sites if area is None else None),
    }
    crs = job.parameters["crs"]
    rasters = {} if crs is None else _map(tables["sites"], where, str(crs), job.out)
    return Outcome(values=values, tables=tables, rasters=rasters, findings=notes.all())


def _map(sites: pd.DataFrame, where: pd.DataFrame, crs: str, folder: Path) -> dict[str, str]:
    """Occupancy of each site or cell with its interval, where x and y place it on a grid."""
    if not {"x", "y"} <= set(where.columns):
        raise UsageError(say("assess.wildlife.map-places"))
    xy = where[["x", "y"]].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    layers = {
        name: sites[column].to_numpy(np.float64)
        for name, column in (("psi", "psi"), ("psi_low", "low"), ("psi_high", "high"))
    }
    return write_cells(xy, layers, folder, crs, "1")


def _sites(path: Path, problems: Problems, notes: Notes) -> pd.DataFrame:
    frame = read_columns(path, ("site",), ("site",), ("site",), notes)
    frame["site"] = frame["site"].astype(str).str.strip()
    problems.rows("wildlife-site-missing", path, frame[is_missing(frame["site"])], "site")
    problems.rows("wildlife-site-twice", path, frame[frame.duplicated("site")], "site")
    return frame


def _visits(path: Path, problems: Problems, notes: Notes) -> pd.DataFrame:
    frame = read_columns(path, ("site", "visit", "detected"), ("site", "detected"), (), notes)
    frame["site"] = frame["site"].astype(str).str.strip()
    text = frame["detected"].astype(str).str.strip().str.casefold()
    count = pd.to_numeric(text, errors="coerce")
    seen = text.isin(_YES) | (count >= 1)
    empty = is_missing(frame["detected"])
    wrong = ~(seen | text.isin(_NO) | empty)
    problems.rows("wildlife-detected-wrong", path, frame[wrong], "detected")
    several = int((count > 1).sum())
    if several:
        params = {"count": str(several)}
        notes.add(Finding("wildlife-counts-as-one", Severity.WARNING, params=params))
    return frame.assign(seen=seen, empty=empty)


def _known_sites(visits: pd.DataFrame, sites: pd.DataFrame, path: Path, problems: Problems) -> None:
    unknown = visits[~visits["site"].isin(set(sites["site"]))]
    problems.rows("wildlife-site-unknown", path, unknown, "site")


def _complete(visits: pd.DataFrame, formula: str, notes: Notes) -> pd.DataFrame:
    """Visits with an outcome and all that their formula needs; the rest is left out, told."""
    lacking = visits["empty"].copy()
    for name in _names(formula):
        if name in visits:
            lacking |= is_missing(visits[name])
    if lacking.any():
        params = {"count": str(int(lacking.sum())), "total": str(len(visits))}
        notes.add(Finding("wildlife-visits-left-out", Severity.WARNING, params=params))
    return visits[~lacking]


def _visited(sites: pd.DataFrame, visits: pd.DataFrame, formula: str, notes: Notes) -> pd.DataFrame:
    """Sites with a visit and their covariates; the rest is left out of the fit, told."""
    here = sites["site"].isin(set(visits["site"]))
    if not here.all():
        params = {"count": str(int((~here).sum()))}
        notes.add(Finding("wildlife-sites-unvisited", Severity.INFO, params=params))
    lacking = pd.Series(False, index=sites.index)
    for name in _names(formula):
        if name in sites:
            lacking |= is_missing(sites[name])
    if (lacking & here).any():
        params = {"count": str(int((lacking & here).sum()))}
        notes.add(Finding("wildlife-sites-left-out", Severity.WARNING, params=params))
    return sites[here & ~lacking].reset_index(drop=True)


def _names(formula: str) -> set[str]:
    try:
        return names_in(formula)
    except FormulaError as error:
        raise UsageError(say("assess.wildlife.formula", why=str(error))) from error


def _columns(frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    leave = ("row", "seen", "empty")
    return {c: covariate(frame[c]).to_numpy() for c in frame.columns if c not in leave}


def _fitted(
    sites: pd.DataFrame, visits: pd.DataFrame, area: pd.DataFrame | None, psi: str, p: str
) -> tuple[OccupancyFit, tuple[tuple[str, ...], tuple[str, ...]], NDArray[np.float64]]:
    place = {name: k for k, name in enumerate(sites["site"])}
    index = visits["site"].map(place).to_numpy(np.int64)
    of_sites = _columns(sites)
    # A visit knows its site's covariates too.
    of_visits = {name: values[index] for name, values in of_sites.items()} | _columns(visits)
    psi_design, p_design = bind(psi, [of_sites]), bind(p, [of_visits])
    matrix = psi_design.matrix(of_sites, len(sites))
    result = fit_occupancy(
        index, visits["seen"].to_numpy(bool), matrix, p_design.matrix(of_visits, len(visits))
    )
    predicted = matrix if area is None else psi_design.matrix(_columns(area), len(area))
    if not np.isfinite(predicted).all():
        raise ValueError("area: a covariate is missing or no number")
    return result, (psi_design.names, p_design.names), predicted


def _tell(
    result: OccupancyFit, designs: tuple[tuple[str, ...], tuple[str, ...]], notes: Notes
) -> None:
    names = [f"psi {n}" for n in designs[0]] + [f"p {n}" for n in designs[1]]
    if not result.optimum.positive:
        notes.add(Finding("wildlife-not-identified", Severity.WARNING))
    elif not result.converged:
        gain = f"{abs(result.optimum.decrement):.2g}"
        notes.add(Finding("wildlife-not-converged", Severity.WARNING, params={"gain": gain}))
    for k in boundary_coefficients(result):
        notes.add(Finding("wildlife-boundary", Severity.WARNING, params={"name": names[k]}))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _values(
    result: OccupancyFit,
    predicted: NDArray[np.float64],
    sites: pd.DataFrame,
    visits: pd.DataFrame,
) -> dict[str, Value]:
    mean, se, low, high = result.mean_psi(predicted)
    detected = visits.groupby("site")["seen"].any()
    return {
        "loglik": Value(value=result.value, unit="1"),
        "aic": Value(value=result.aic, unit="1"),
        "mean_psi": Value(
            value=mean,
            unit="1",
            se=_number(se),
            low=_number(low),
            high=_number(high),
            level=_LEVEL if np.isfinite(low) else None,
        ),
        "naive": Value(value=float(detected.sum()) / len(sites), unit="1"),
        "sites": Value(value=len(sites), unit="sites"),
        "visits": Value(value=len(visits), unit="visits"),
        "detections": Value(value=int(visits["seen"].sum()), unit="detections"),
    }


def _coefficients(
    result: OccupancyFit, designs: tuple[tuple[str, ...], tuple[str, ...]]
) -> pd.DataFrame:
    wide = float(norm.ppf(0.5 + _LEVEL / 2.0))
    parts = ["psi"] * len(designs[0]) + ["p"] * len(designs[1])
    table: Mapping[str, Any] = {
        "part": parts,
        "coefficient": [*designs[0], *designs[1]],
        "estimate": result.beta,
        "se": result.se,
        "low": result.beta - wide * result.se,
        "high": result.beta + wide * result.se,
    }
    return pd.DataFrame(table, columns=list(_COEFFICIENTS))


def _predicted(
    result: OccupancyFit,
    design: NDArray[np.float64],
    where: pd.DataFrame,
    surveyed: pd.DataFrame | None,
) -> pd.DataFrame:
    """Psi by site with its interval, and what the visits make of it where there were any."""
    psi, se, low, high = result.predict(design)
    given = np.full(len(psi), np.nan) if surveyed is None else result.given_histories()
    table = {"site": where["site"].to_numpy(), "psi": psi, "se": se, "low": low, "high": high}
    return pd.DataFrame(table | {"given_visits": given}, columns=list(_SITES))


WILDLIFE_OCCUPANCY: Final = Indicator(
    id="wildlife.occupancy",
    version="1",
    inputs=(
        Input("visits", "table"),
        Input("sites", "table"),
        Input("area", "table", required=False),
    ),
    parameters=(
        Parameter("psi", "text", "~1"),
        Parameter("p", "text", "~1"),
        Parameter("season", "text"),
        Parameter("gamma", "text", "~1"),
        Parameter("epsilon", "text", "~1"),
        Parameter("crs", "text"),
        Parameter("replicates", "integer", 0, minimum=0, maximum=10_000),
        Parameter("seed", "integer", 0, minimum=0),
    ),
    values={
        "loglik": "1",
        "aic": "1",
        "mean_psi": "1",
        "naive": "1",
        "sites": "sites",
        "visits": "visits",
        "detections": "detections",
        "fit_p": "1",
        "c_hat": "1",
        "psi_first": "1",
        "gamma": "1",
        "epsilon": "1",
    },
    tables={"coefficients": _COEFFICIENTS, "sites": _SITES, "seasons": SEASONS},
    rasters={"psi": "1", "psi_low": "1", "psi_high": "1"},
    citations=(
        Citation(
            "MacKenzie and others (2002) Ecology 83, 2248-2255",
            "10.1890/0012-9658(2002)083[2248:ESORWD]2.0.CO;2",
        ),
        Citation("MacKenzie and others (2003) Ecology 84, 2200-2207", "10.1890/02-3090"),
        Citation("MacKenzie and Bailey (2004) JABES 9, 300-318", "10.1198/108571104X3361"),
    ),
    compute=compute,
)
