"""Occupancy over seasons: first occupancy, colonisation and loss from visits of several years."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_reading import covariate
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.wildlife.dynamic_occupancy import (
    DynamicData,
    DynamicFit,
    fit_dynamic,
    mean_parts,
    projected_error,
)
from ecotone.science.wildlife.formula import FormulaError
from ecotone.science.wildlife.model_matrix import bind

_LEVEL: Final = 0.95
_WIDE: Final = float(norm.ppf(0.5 + _LEVEL / 2.0))
SEASONS: Final = {
    "season": "",
    "visits": "visits",
    "naive": "1",
    "occupied": "1",
    "projected": "1",
    "se": "1",
    "low": "1",
    "high": "1",
}


def by_season(
    sites: pd.DataFrame,
    visits: pd.DataFrame,
    column: str,
    psi: str,
    gamma: str,
    epsilon: str,
    p: str,
    *,
    notes: Notes,
) -> tuple[dict[str, Value], dict[str, pd.DataFrame]]:
    """Fit the model over seasons and tell its parts and the occupancy of each season.

    Args:
        sites: one row a site, with covariates.
        visits: one row a visit, with ``site``, ``seen``, covariates and the season.
        column: column of the visits that names the season; seasons are in their order.
        psi: formula of the first season's occupancy, on the sites' covariates.
        gamma: of colonisation; the sites' covariates and ``season`` (the one before).
        epsilon: of loss, likewise.
        p: of detection, on the visits' and the sites' covariates.
        notes: told what speaks against the fit.
    """
    if column not in visits:
        raise UsageError(say("assess.wildlife.season-column", column=column))
    names = sorted(visits[column].astype(str).unique(), key=_order)
    if len(names) < 2:
        raise NotComputable(say("assess.wildlife.one-season", column=column))
    try:
        data, labels = _data(sites, visits, column, names, (psi, gamma, epsilon, p))
        found = fit_dynamic(data)
    except FormulaError as error:
        raise UsageError(say("assess.wildlife.formula", why=str(error))) from error
    except ValueError as error:
        raise NotComputable(say("assess.wildlife.not-fitted", why=str(error))) from error
    if not found.optimum.positive:
        notes.add(Finding("wildlife-not-identified", Severity.WARNING))
    values = {
        "loglik": Value(value=found.value, unit="1"),
        "aic": Value(value=found.aic, unit="1"),
        "sites": Value(value=len(sites), unit="sites"),
        "visits": Value(value=len(visits), unit="visits"),
        "detections": Value(value=int(visits["seen"].sum()), unit="detections"),
    }
    for name, (value, se) in mean_parts(found).items():
        values["psi_first" if name == "psi" else name] = _bounded(value, se)
    return values, {
        "coefficients": _coefficients(found, labels),
        "seasons": _seasons(found, visits, column, names),
    }


def _order(name: str) -> tuple[int, float, str]:
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name


def _data(
    sites: pd.DataFrame,
    visits: pd.DataFrame,
    column: str,
    names: list[str],
    formulas: tuple[str, str, str, str],
) -> tuple[DynamicData, list[tuple[str, str]]]:
    place = {name: k for k, name in enumerate(sites["site"])}
    index = visits["site"].map(place).to_numpy(np.int64)
    season = visits[column].astype(str).map({n: k for k, n in enumerate(names)}).to_numpy(np.int64)
    of_sites = _columns(sites)
    # Intervals: every site's in turn, the earliest first.
    before = np.array(names[:-1], dtype=object)
    between: dict[str, NDArray[Any]] = {
        n: np.repeat(v, len(names) - 1) for n, v in of_sites.items()
    }
    between["season"] = np.tile(before, len(sites))
    of_visits = {n: v[index] for n, v in of_sites.items()} | _columns(visits)
    frames = (of_sites, between, between, of_visits)
    sizes = (len(sites), len(sites) * (len(names) - 1), len(sites) * (len(names) - 1), len(visits))
    matrices, labels = [], []
    for part, formula, frame, size in zip(
        ("psi", "gamma", "epsilon", "p"), formulas, frames, sizes, strict=True
    ):
        design = bind(formula, [frame])
        matrices.append(design.matrix(frame, size))
        labels += [(part, name) for name in design.names]
    return DynamicData(index, season, visits["seen"].to_numpy(bool), *matrices), labels


def _columns(frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    leave = ("row", "seen", "empty", "site", "detected")
    return {c: covariate(frame[c]).to_numpy() for c in frame.columns if c not in leave}


def _bounded(value: float, se: float) -> Value:
    """A share with the interval symmetric on its logit."""
    if not (np.isfinite(se) and 0.0 < value < 1.0):
        return Value(value=value, unit="1")
    low, high = _logit_interval(np.array([value]), np.array([se]))
    return Value(value=value, unit="1", se=se, low=float(low[0]), high=float(high[0]), level=_LEVEL)


def _logit_interval(
    value: NDArray[np.float64], se: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(value / (1.0 - value))
        half = _WIDE * se / (value * (1.0 - value))
    return 1.0 / (1.0 + np.exp(half - centre)), 1.0 / (1.0 + np.exp(-half - centre))


def _coefficients(found: DynamicFit, labels: list[tuple[str, str]]) -> pd.DataFrame:
    beta, optimum = found.optimum.beta, found.optimum
    se = np.sqrt(np.diag(optimum.covariance)) if optimum.positive else np.full(len(beta), np.nan)
    return pd.DataFrame(
        {
            "part": [part for part, _ in labels],
            "coefficient": [name for _, name in labels],
            "estimate": beta,
            "se": se,
            "low": beta - _WIDE * se,
            "high": beta + _WIDE * se,
        }
    )


def _seasons(
    found: DynamicFit, visits: pd.DataFrame, column: str, names: list[str]
) -> pd.DataFrame:
    season = visits[column].astype(str)
    detected = visits[visits["seen"]].groupby(season[visits["seen"]])["site"].nunique()
    visited = visits.groupby(season)["site"].nunique()
    se = projected_error(found)
    low, high = _logit_interval(found.projected, se)
    return pd.DataFrame(
        {
            "season": names,
            "visits": season.value_counts().reindex(names).to_numpy(),
            "naive": (detected.reindex(names).fillna(0) / visited.reindex(names)).to_numpy(),
            "occupied": found.occupied,
            "projected": found.projected,
            "se": se,
            "low": low,
            "high": high,
        },
        columns=list(SEASONS),
    )
