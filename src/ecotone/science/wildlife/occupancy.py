"""Occupancy of sites from repeated visits that may miss the species.

MacKenzie and others (2002) doi:10.1890/0012-9658(2002)083[2248:ESORWD]2.0.CO;2. With psi_i the
chance that site i is occupied and p_ij that visit j detects the species where it is,

    logL = sum_i log( psi_i prod_j p_ij^y_ij (1 - p_ij)^(1 - y_ij) + (1 - psi_i) [no y_ij = 1] ).

Visits stand in long form, any number a site. The gradient is exact.

>>> import numpy as np
>>> one = np.ones((4, 1))
>>> visits = np.array([0, 0, 1, 1, 2, 2, 3, 3])
>>> seen = np.array([1, 1, 1, 0, 0, 0, 1, 1])
>>> result = fit_occupancy(visits, seen, one, np.ones((8, 1)))
>>> result.converged, round(float(expit(result.beta[0])), 3)
(True, 0.781)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from ecotone.science.wildlife.optimum import Optimum, maximise, whitening

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class OccupancyFit:
    """A fitted single-season model.

    Attributes:
        optimum: coefficients of psi, then of p, on logits; information.
        psi_design: (sites, coefficients).
        p_design: (visits, coefficients).
        site: (visits,) site of each visit.
        seen: (visits,) whether the species was detected.
    """

    optimum: Optimum
    psi_design: Floats
    p_design: Floats
    site: Counts
    seen: NDArray[np.bool_]

    @property
    def value(self) -> float:
        """Log-likelihood."""
        return self.optimum.value

    @property
    def beta(self) -> Floats:
        """Coefficients of psi, then of p."""
        return self.optimum.beta

    @property
    def se(self) -> Floats:
        """Standard errors; NaN where the information is singular."""
        if not self.optimum.positive:
            return np.full(len(self.beta), np.nan)
        errors: Floats = np.sqrt(np.diag(self.optimum.covariance))
        return errors

    @property
    def converged(self) -> bool:
        """Whether a maximum was found."""
        return self.optimum.converged

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2.0 * len(self.beta) - 2.0 * self.value

    def predict(self, psi_design: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Psi, its standard error and 95 % interval for rows of a design.

        The standard error is to the first order, the interval symmetric on the logit.
        """
        width = self.psi_design.shape[1]
        eta = psi_design @ self.beta[:width]
        psi = np.asarray(expit(eta))
        covariance = self.optimum.covariance[:width, :width]
        variance = np.einsum("ij,jk,ik->i", psi_design, covariance, psi_design)
        wide = 1.959963984540054 * np.sqrt(variance)
        low, high = np.asarray(expit(eta - wide)), np.asarray(expit(eta + wide))
        return psi, psi * (1.0 - psi) * np.sqrt(variance), low, high

    def mean_psi(self, psi_design: Floats) -> tuple[float, float, float, float]:
        """Mean psi over rows of a design, its standard error and 95 % interval.

        The interval is symmetric on the logit of the mean.
        """
        width = self.psi_design.shape[1]
        psi = np.asarray(expit(psi_design @ self.beta[:width]))
        mean = float(psi.mean())
        slope = (psi * (1.0 - psi)) @ psi_design / len(psi)
        se = float(np.sqrt(slope @ self.optimum.covariance[:width, :width] @ slope))
        if not 0.0 < mean < 1.0:
            return mean, se, float("nan"), float("nan")
        centre = np.log(mean / (1.0 - mean))
        wide = 1.959963984540054 * se / (mean * (1.0 - mean))
        return mean, se, float(expit(centre - wide)), float(expit(centre + wide))

    def given_histories(self) -> Floats:
        """Chance that each surveyed site is occupied, given what its visits saw."""
        parts = _Parts.at(self.beta, self.psi_design, self.p_design, self.site, self.seen)
        return parts.posterior


@dataclass(frozen=True)
class _Parts:
    value: float
    psi: Floats
    p: Floats
    posterior: Floats

    @classmethod
    def at(
        cls,
        beta: Floats,
        psi_design: Floats,
        p_design: Floats,
        site: Counts,
        seen: NDArray[np.bool_],
    ) -> _Parts:
        width = psi_design.shape[1]
        eta, theta = psi_design @ beta[:width], p_design @ beta[width:]
        sites = len(psi_design)
        visit = np.where(seen, log_expit(theta), log_expit(-theta))
        occupied = log_expit(eta) + np.bincount(site, visit, sites)
        detected = np.bincount(site, seen, sites) > 0
        empty = np.where(detected, -np.inf, log_expit(-eta))
        total = np.logaddexp(occupied, empty)
        return cls(
            float(total.sum()),
            np.asarray(expit(eta)),
            np.asarray(expit(theta)),
            np.exp(occupied - total),
        )


def fit_occupancy(
    site: Counts,
    seen: NDArray[np.generic],
    psi_design: Floats,
    p_design: Floats,
    *,
    start: Floats | None = None,
) -> OccupancyFit:
    """Maximum likelihood of the single-season model.

    Args:
        site: (visits,) 0-based site of each visit.
        seen: (visits,) whether the species was detected.
        psi_design: (sites, coefficients) of occupancy.
        p_design: (visits, coefficients) of detection.
        start: coefficients to start from.

    Raises:
        ValueError: no detection at all, shapes that differ, or coefficients that the data
            cannot tell apart.
    """
    site = np.asarray(site, dtype=np.int64)
    detected = np.asarray(seen).astype(bool)
    if not (len(site) == len(detected) == len(p_design)) or len(site) == 0:
        raise ValueError("occupancy: one site, one outcome and one row of covariates a visit")
    if site.min() < 0 or site.max() >= len(psi_design):
        raise ValueError("occupancy: a visit to an unknown site")
    if not detected.any():
        raise ValueError("occupancy: the species was never detected")
    for name, design in (("psi", psi_design), ("p", p_design)):
        if not np.isfinite(design).all():
            raise ValueError(f"{name}: a covariate is missing or no number")
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise ValueError(f"{name}: coefficients cannot be told apart")

    def objective(beta: Floats) -> tuple[float, Floats]:
        parts = _Parts.at(beta, psi_design, p_design, site, detected)
        by_theta = parts.posterior[site] * (detected - parts.p)
        by_eta = parts.posterior - parts.psi
        return parts.value, np.concatenate([by_eta @ psi_design, by_theta @ p_design])

    transform = whitening([psi_design, p_design])
    begin = np.zeros(psi_design.shape[1] + p_design.shape[1]) if start is None else start
    optimum = maximise(objective, begin, transform, float(len(psi_design)))
    return OccupancyFit(optimum, psi_design, p_design, site, detected)


def boundary_coefficients(result: OccupancyFit, limit: float = 5.0) -> list[int]:
    """Coefficients that lie beyond +-limit with a standard error as large: estimates at 0 or 1.

    Args:
        result: the fit.
        limit: on the logit scale.
    """
    far = np.abs(result.beta) > limit
    unsure = ~(result.se < np.abs(result.beta))
    return [int(k) for k in np.flatnonzero(far & unsure)]


def chi_square(result: OccupancyFit) -> float:
    """Pearson's statistic of MacKenzie and Bailey (2004) doi:10.1198/108571104X3361.

    Sites are grouped by the number of their visits and detections rather than by the history
    itself, which is of use where visits are many and no two sites share theirs: for each number
    of visits, observed and expected numbers of sites with 0, 1, 2 ... detections.
    """
    observed, expected = _detections_by_site(result)
    return float(((observed - expected) ** 2 / np.maximum(expected, 1e-12)).sum())


def _detections_by_site(result: OccupancyFit) -> tuple[Floats, Floats]:
    """Sites with 0, 1, 2 ... detections; the last class holds at least five expected."""
    parts = _Parts.at(result.beta, result.psi_design, result.p_design, result.site, result.seen)
    sites = len(result.psi_design)
    order = np.argsort(result.site, kind="stable")
    site, p = result.site[order], parts.p[order]
    begin = np.searchsorted(site, np.arange(sites))
    rank = np.arange(len(site)) - begin[site]
    # Distribution of the number of detections, all sites at once, one visit after another.
    chance = np.zeros((sites, int(rank.max()) + 2))
    chance[:, 0] = 1.0
    for j in range(int(rank.max()) + 1):
        now = rank == j
        where, q = site[now], p[now][:, None]
        before = chance[where]
        chance[where] = before * (1.0 - q)
        chance[where, 1:] += before[:, :-1] * q
    expected = parts.psi @ chance
    expected[0] += (1.0 - parts.psi).sum()
    seen = np.bincount(result.site, result.seen, sites).astype(np.int64)
    observed = np.bincount(seen, minlength=len(expected)).astype(np.float64)
    tail = np.cumsum(expected[::-1])[::-1]
    last = max(1, int(np.flatnonzero(tail >= 5.0).max(initial=1)))
    return (
        np.append(observed[:last], observed[last:].sum()),
        np.append(expected[:last], expected[last:].sum()),
    )


def goodness_of_fit(
    result: OccupancyFit, replicates: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Parametric bootstrap: the statistic, its p value and c-hat.

    Args:
        result: the fit.
        replicates: data sets simulated and fitted.
        rng: source of chance.

    Returns:
        chi-square of the data, share of replicates at least as large, and the statistic over
        the replicates' mean (variance inflation; near 1 where the model fits).
    """
    observed = chi_square(result)
    parts = _Parts.at(result.beta, result.psi_design, result.p_design, result.site, result.seen)
    simulated = []
    for _ in range(replicates):
        occupied = rng.random(len(parts.psi)) < parts.psi
        seen = occupied[result.site] & (rng.random(len(parts.p)) < parts.p)
        if seen.any():
            again = fit_occupancy(
                result.site, seen, result.psi_design, result.p_design, start=result.beta
            )
            simulated.append(chi_square(again))
    statistics = np.array(simulated)
    p = float((np.sum(statistics >= observed) + 1) / (len(statistics) + 1))
    return observed, p, observed / float(statistics.mean()) if len(statistics) else float("nan")
