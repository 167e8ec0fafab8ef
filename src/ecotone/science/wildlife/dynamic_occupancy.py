"""Occupancy over seasons: sites are colonised and lost between them.

MacKenzie and others (2003) doi:10.1890/02-3090. Psi is the chance of occupancy in the first
season, gamma that of an empty site being occupied in the next, epsilon that of an occupied one
being lost, p that of a visit detecting the species where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from ecotone.science.wildlife import dynamic_kernels as kernels
from ecotone.science.wildlife.optimum import Optimum, maximise, whitening

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class DynamicData:
    """Visits and designs of a model over seasons.

    Attributes:
        site: (visits,) 0-based.
        season: (visits,) 0-based.
        seen: (visits,) whether the species was detected.
        psi: (sites, coefficients) design of the first season's occupancy.
        gamma: (sites x (seasons - 1), coefficients) of colonisation, season fastest.
        epsilon: (sites x (seasons - 1), coefficients) of loss.
        p: (visits, coefficients) of detection.
    """

    site: Counts
    season: Counts
    seen: NDArray[np.bool_]
    psi: Floats
    gamma: Floats
    epsilon: Floats
    p: Floats

    @property
    def seasons(self) -> int:
        """Number of seasons."""
        return len(self.gamma) // len(self.psi) + 1

    def __post_init__(self) -> None:
        sites = len(self.psi)
        if sites == 0 or len(self.gamma) != len(self.epsilon) or len(self.gamma) % sites:
            raise ValueError("occupancy: gamma and epsilon have a row a site and interval")
        if not len(self.site) == len(self.season) == len(self.seen) == len(self.p) > 0:
            raise ValueError("occupancy: a site, a season, an outcome and covariates a visit")
        if not (0 <= self.site.min() <= self.site.max() < sites):
            raise ValueError("occupancy: a visit to an unknown site")
        if not (0 <= self.season.min() <= self.season.max() < self.seasons):
            raise ValueError("occupancy: a visit in an unknown season")
        if not self.seen.any():
            raise ValueError("occupancy: the species was never detected")

    @property
    def designs(self) -> list[Floats]:
        """Of psi, gamma, epsilon and p."""
        return [self.psi, self.gamma, self.epsilon, self.p]


@dataclass(frozen=True)
class DynamicFit:
    """A fitted model over seasons.

    Attributes:
        data: what it was fitted to.
        optimum: coefficients of psi, gamma, epsilon and p, on logits.
        occupied: (seasons,) mean over sites of the chance of occupancy, given the visits.
        projected: (seasons,) the same from psi, gamma and epsilon alone.
    """

    data: DynamicData
    optimum: Optimum
    occupied: Floats
    projected: Floats

    @property
    def value(self) -> float:
        """Log-likelihood."""
        return self.optimum.value

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2.0 * len(self.optimum.beta) - 2.0 * self.value


def log_likelihood(data: DynamicData, beta: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, gradient, and (sites, seasons) chance of occupancy given the visits."""
    sites, seasons = len(data.psi), data.seasons
    parts = np.split(beta, np.cumsum([d.shape[1] for d in data.designs])[:-1])
    psi, gamma, epsilon = (
        np.asarray(expit(d @ b)) for d, b in zip(data.designs[:3], parts[:3], strict=True)
    )
    eta = data.p @ parts[3]
    place = data.site * seasons + data.season
    visit = np.where(data.seen, log_expit(eta), log_expit(-eta))
    logs: Floats = np.bincount(place, visit, sites * seasons).astype(np.float64)
    seen = logs.reshape(sites, seasons)
    detected = np.bincount(place, data.seen, sites * seasons).reshape(sites, seasons) > 0
    shape = (sites, seasons - 1)
    by_psi, by_gamma, by_persist = np.zeros(sites), np.zeros(shape), np.zeros(shape)
    smoothed = np.zeros((sites, seasons))
    value = kernels.chains(
        psi, gamma.reshape(shape), 1.0 - epsilon.reshape(shape), seen, detected, by_psi,
        by_gamma, by_persist, smoothed,
    )  # fmt: skip
    by_eta = smoothed.ravel()[place] * (data.seen - np.asarray(expit(eta)))
    gradient = np.concatenate(
        [
            (by_psi * psi * (1.0 - psi)) @ data.psi,
            (by_gamma.ravel() * gamma * (1.0 - gamma)) @ data.gamma,
            (-by_persist.ravel() * epsilon * (1.0 - epsilon)) @ data.epsilon,
            by_eta @ data.p,
        ]
    )
    return value, gradient, smoothed


def fit_dynamic(data: DynamicData, start: Floats | None = None) -> DynamicFit:
    """Maximum likelihood of the model over seasons.

    Raises:
        ValueError: a covariate is missing, or coefficients cannot be told apart.
    """
    for name, design in zip(("psi", "gamma", "epsilon", "p"), data.designs, strict=True):
        if not np.isfinite(design).all():
            raise ValueError(f"{name}: a covariate is missing or no number")
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise ValueError(f"{name}: coefficients cannot be told apart")
    begin = np.zeros(sum(d.shape[1] for d in data.designs)) if start is None else start
    optimum = maximise(
        lambda beta: log_likelihood(data, beta)[:2], begin, whitening(data.designs), len(data.psi)
    )
    smoothed = log_likelihood(data, optimum.beta)[2]
    return DynamicFit(data, optimum, smoothed.mean(axis=0), _projected(data, optimum.beta))


def _projected(data: DynamicData, beta: Floats) -> Floats:
    parts = np.split(beta, np.cumsum([d.shape[1] for d in data.designs])[:-1])
    shape = (len(data.psi), data.seasons - 1)
    gamma = np.asarray(expit(data.gamma @ parts[1])).reshape(shape)
    epsilon = np.asarray(expit(data.epsilon @ parts[2])).reshape(shape)
    now = np.asarray(expit(data.psi @ parts[0]))
    means = [now.mean()]
    for t in range(shape[1]):
        now = now * (1.0 - epsilon[:, t]) + (1.0 - now) * gamma[:, t]
        means.append(now.mean())
    return np.array(means, dtype=np.float64)


def mean_parts(fit: DynamicFit) -> dict[str, tuple[float, float]]:
    """Mean psi, gamma and epsilon over sites and intervals, each with its standard error.

    The standard errors are the coefficients', to the first order; NaN where no maximum was found.
    """
    sizes = [d.shape[1] for d in fit.data.designs]
    starts = np.cumsum([0, *sizes])
    found = {}
    for k, name in enumerate(("psi", "gamma", "epsilon")):
        part = slice(starts[k], starts[k + 1])
        values = np.asarray(expit(fit.data.designs[k] @ fit.optimum.beta[part]))
        slope = (values * (1.0 - values)) @ fit.data.designs[k] / len(values)
        variance = float(slope @ fit.optimum.covariance[part, part] @ slope)
        se = float(np.sqrt(variance)) if fit.optimum.positive and variance >= 0 else float("nan")
        found[name] = (float(values.mean()), se)
    return found


def projected_error(fit: DynamicFit) -> Floats:
    """Standard errors of the projected mean occupancy of each season, to the first order."""
    beta = fit.optimum.beta
    if not fit.optimum.positive:
        return np.full(fit.data.seasons, np.nan)
    slopes = np.empty((len(beta), fit.data.seasons))
    for k in range(len(beta)):
        step = np.zeros(len(beta))
        step[k] = 1e-5
        slopes[k] = (_projected(fit.data, beta + step) - _projected(fit.data, beta - step)) / 2e-5
    variance = np.einsum("ks,kl,ls->s", slopes, fit.optimum.covariance, slopes)
    errors: Floats = np.sqrt(np.maximum(variance, 0.0))
    return errors
