"""What a fitted spatial capture-recapture model says: density, numbers, areas, intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import chi2, norm

from ecotone.science.wildlife.optimum import climb
from ecotone.science.wildlife.secr import SecrFit
from ecotone.science.wildlife.secr_model import FORMS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and interval; NaN where there is none."""

    value: float
    se: float
    low: float
    high: float
    level: float = 0.95


def log_interval(value: float, se: float, level: float = 0.95, *, least: float = 0.0) -> Estimate:
    """Interval symmetric on log(value - least), from the standard error of the value.

    >>> e = log_interval(150.83, 20.751)
    >>> round(e.low, 2), round(e.high, 2)
    (115.33, 197.26)
    """
    above = value - least
    if not (above > 0 and np.isfinite(se)):
        return Estimate(value, se, float("nan"), float("nan"), level)
    spread = np.sqrt(np.log1p((se / above) ** 2))
    factor = float(np.exp(norm.ppf(0.5 + level / 2.0) * spread))
    return Estimate(value, se, least + above / factor, least + above * factor, level)


def coefficient_estimates(fit: SecrFit, level: float = 0.95) -> dict[str, Estimate]:
    """Every coefficient with its Wald interval, on its link."""
    wide = float(norm.ppf(0.5 + level / 2.0))
    return {
        name: Estimate(b, s, b - wide * s, b + wide * s, level)
        for name, b, s in zip(fit.names, fit.beta.tolist(), fit.se.tolist(), strict=True)
    }


def real_estimate(fit: SecrFit, name: str, level: float = 0.95) -> Estimate:
    """A parameter's intercept on its natural scale: the value at reference levels.

    On the log link se = value sqrt(exp(v) - 1), on the logit value (1 - value) sqrt(v), v being
    the coefficient's variance; the interval is the coefficient's, transformed.

    Raises:
        KeyError: the model has no such intercept.
    """
    at = coefficient_estimates(fit, level)[name]
    if name == "pmix" or (name == "g0" and not FORMS[fit.model.detection][1]):
        value, low, high = (float(expit(x)) for x in (at.value, at.low, at.high))
        return Estimate(value, value * (1.0 - value) * at.se, low, high, level)
    value, low, high = (float(np.exp(x)) for x in (at.value, at.low, at.high))
    return Estimate(value, value * float(np.sqrt(np.expm1(at.se**2))), low, high, level)


def _delta(fit: SecrFit, function: Callable[[Floats], float]) -> tuple[float, float]:
    """A function of the coefficients and its variance to the first order."""
    beta = fit.beta
    steps = 1e-4 * np.maximum(fit.se, 1e-4) if fit.optimum.positive else np.full(len(beta), 1e-6)
    slopes = np.empty(len(beta))
    for k, step in enumerate(steps):
        unit = np.zeros(len(beta))
        unit[k] = step
        slopes[k] = (function(beta + unit) - function(beta - unit)) / (2.0 * step)
    variance = float(slopes @ fit.covariance @ slopes)
    return function(beta), variance if fit.optimum.positive else float("nan")


def _inhabitants(fit: SecrFit, beta: Floats, session: int) -> float:
    slots = fit.likelihood.slots[session]
    density = fit.likelihood.parameters(beta, slots).density
    return float(slots.session.mask.cell_area * density.sum())


def expected_number(fit: SecrFit, session: int = 0, level: float = 0.95) -> Estimate:
    """E(N): the integral of density over a session's mask.

    Its standard error is that of a lognormal where density is one coefficient, else to the
    first order.
    """
    log_n, variance = _delta(fit, lambda b: float(np.log(_inhabitants(fit, b, session))))
    value = float(np.exp(log_n))
    relative = np.expm1(variance) if fit.likelihood.design("D").shape[1] == 1 else variance
    return log_interval(value, value * float(np.sqrt(relative)), level)


def number_in(fit: SecrFit, cells: Sequence[NDArray[np.bool_]], level: float = 0.95) -> Estimate:
    """E(N) of a part of the masks, such as a country's share of them.

    Args:
        fit: the fit.
        cells: (cells,) by session, which of its mask's cells belong to the part.
        level: of confidence.

    Returns:
        The integral of density over the part; nought where no cell belongs to it.
    """
    if not any(part.any() for part in cells):
        return Estimate(0.0, 0.0, 0.0, 0.0, level)

    def inhabitants(beta: Floats) -> float:
        total = 0.0
        for slots, part in zip(fit.likelihood.slots, cells, strict=True):
            density = fit.likelihood.parameters(beta, slots).density
            total += float(slots.session.mask.cell_area * density[part].sum())
        return float(np.log(total))

    log_n, variance = _delta(fit, inhabitants)
    value = float(np.exp(log_n))
    relative = np.expm1(variance) if fit.likelihood.design("D").shape[1] == 1 else variance
    return log_interval(value, value * float(np.sqrt(relative)), level)


def total_expected_number(fit: SecrFit, level: float = 0.95) -> Estimate:
    """E(N) of all sessions' masks together."""
    sessions = range(len(fit.likelihood.sessions))
    if len(sessions) == 1:
        return expected_number(fit, 0, level)
    log_n, variance = _delta(
        fit, lambda b: float(np.log(sum(_inhabitants(fit, b, k) for k in sessions)))
    )
    value = float(np.exp(log_n))
    return log_interval(value, value * float(np.sqrt(variance)), level)


def total_realised_number(fit: SecrFit, level: float = 0.95) -> Estimate:
    """R(N) of all sessions' masks together."""
    each = [realised_number(fit, k, level) for k in range(len(fit.likelihood.sessions))]
    expected = total_expected_number(fit, level)
    variance = expected.se**2 - expected.value
    se = float(np.sqrt(variance)) if variance > 0 else float("nan")
    return log_interval(sum(e.value for e in each), se, level, least=float(fit.likelihood.animals))


def density(fit: SecrFit, session: int = 0, level: float = 0.95) -> Estimate:
    """Mean density over a session's mask, animals per hectare.

    Of a conditional fit the derived density, n over the effective area, whose variance is that
    of a Poisson n and of the area (Borchers and Efford 2008).
    """
    if fit.model.number == "conditional":
        return _derived_density(fit, session, level)
    area = fit.likelihood.sessions[session].mask.area
    n = expected_number(fit, session, level)
    return Estimate(n.value / area, n.se / area, n.low / area, n.high / area, level)


def _derived_density(fit: SecrFit, session: int, level: float) -> Estimate:
    n = fit.likelihood.sessions[session].captures.animals
    value, of_area = _delta(fit, lambda b: n / _effective_area(fit, b, session))
    return log_interval(value, float(np.sqrt(value * value / n + of_area)), level)


def realised_number(fit: SecrFit, session: int = 0, level: float = 0.95) -> Estimate:
    """R(N): the animals detected plus those expected unseen in a session's mask.

    Efford and Fewster (2013) doi:10.1111/j.1600-0706.2012.20440.x. The number there is varies
    about E(N) as a Poisson variable, and that part of the variance of E(N)'s estimate is no
    error of R(N): var R(N) = var E(N) - E(N); NaN where nothing is left. The interval is
    symmetric on the logarithm of the number unseen, so never below the number seen.
    """
    slots = fit.likelihood.slots[session]
    n = slots.session.captures.animals
    values = fit.likelihood.parameters(fit.beta, slots).density
    missed = 1.0 - _detectable(fit, fit.beta, session)
    unseen = float(slots.session.mask.cell_area * (values * missed).sum())
    expected = expected_number(fit, session, level)
    variance = expected.se**2 - expected.value
    se = float(np.sqrt(variance)) if variance > 0 else float("nan")
    return log_interval(n + unseen, se, level, least=float(n))


def _detectable(fit: SecrFit, beta: Floats, session: int) -> Floats:
    return fit.likelihood.evaluate(beta, gradient=False).p_detected[session]


def _effective_area(fit: SecrFit, beta: Floats, session: int) -> float:
    cell = fit.likelihood.sessions[session].mask.cell_area
    return float(cell * _detectable(fit, beta, session).sum())


def effective_area(fit: SecrFit, session: int = 0) -> float:
    """Effective sampled area, hectares: the integral of the chance of being detected at all."""
    return _effective_area(fit, fit.beta, session)


def density_surface(fit: SecrFit, session: int = 0) -> tuple[Floats, Floats]:
    """Density of each cell of the mask and its standard error, animals per hectare."""
    slots = fit.likelihood.slots[session]
    part = fit.likelihood.parts["D"]
    values = fit.likelihood.parameters(fit.beta, slots).density
    design = slots.density
    variance = np.einsum("ij,jk,ik->i", design, fit.covariance[part, part], design)
    return values, values * np.sqrt(np.expm1(variance))


def profile_interval(
    fit: SecrFit, name: str = "density", level: float = 0.95, session: int = 0
) -> tuple[float, float]:
    """Profile likelihood interval: where twice the log-likelihood lost reaches chi-square.

    Args:
        fit: the fit.
        name: ``density`` (mean over a session's mask, animals per hectare) or a coefficient.
        level: of confidence.
        session: whose mask ``density`` speaks of.

    Returns:
        Both ends; NaN where the likelihood never falls so far.

    Raises:
        KeyError: no such coefficient, or a density without an intercept.
    """
    if name == "density":
        at = fit.names.index("D") if "D" in fit.names else -1
        if at < 0:
            raise KeyError("D")
        area = fit.likelihood.sessions[session].mask.area

        def shift(beta: Floats) -> float:
            return float(np.log(_inhabitants(fit, beta, session) / area))

        low, high = _profile(fit, at, shift, level)
        return float(np.exp(low)), float(np.exp(high))
    if name not in fit.names:
        raise KeyError(name)
    at = fit.names.index(name)
    return _profile(fit, at, lambda beta: float(beta[at]), level)


def _profile(
    fit: SecrFit, at: int, function: Callable[[Floats], float], level: float
) -> tuple[float, float]:
    """Ends of the interval of ``function``, to which coefficient ``at`` adds as it is."""
    bound = fit.likelihood
    if not fit.optimum.positive:
        return float("nan"), float("nan")
    rest = np.arange(len(fit.beta)) != at
    best, variance = _delta(fit, function)
    allowed = float(chi2.ppf(level, 1)) / 2.0
    # Seen from the estimate the others lie on a line, and vary about it, nearly as if normal.
    free = np.linalg.inv(fit.optimum.information[np.ix_(rest, rest)])
    line = fit.covariance[rest, at] / fit.covariance[at, at]
    transform = np.linalg.cholesky(free) * np.sqrt(bound.animals)

    def loss(target: float) -> float:
        def whole(others: Floats) -> Floats:
            beta = np.insert(others, at, 0.0)
            beta[at] = target - function(beta)
            return beta

        def objective(others: Floats) -> tuple[float, Floats]:
            found = bound.evaluate(whole(others))
            turned = found.gradient[at] * _turn(others, whole, at)
            return found.value, found.gradient[rest] + turned

        begin = fit.beta[rest] + line * (target - best)
        if len(begin) == 0:
            return fit.value - bound.evaluate(whole(begin), gradient=False).value - allowed
        return fit.value - climb(objective, begin, transform, bound.animals).value - allowed

    se = float(np.sqrt(variance))
    return _end(loss, best, -se), _end(loss, best, se)


def _turn(others: Floats, whole: Callable[[Floats], Floats], at: int) -> Floats:
    """How the coefficient that is not free moves with each of the others."""
    slopes = np.empty(len(others))
    for k in range(len(others)):
        unit = np.zeros(len(others))
        unit[k] = 1e-6
        slopes[k] = (whole(others + unit)[at] - whole(others - unit)[at]) / 2e-6
    return slopes


def _end(loss: Callable[[float], float], best: float, step: float) -> float:
    inner, outer = best, best + 1.5 * step
    for _ in range(12):
        if loss(outer) > 0:
            return float(brentq(loss, inner, outer, xtol=3e-4 * abs(step), rtol=1e-9))
        inner, outer = outer, outer + step
    return float("nan")


@dataclass(frozen=True)
class Averaged:
    """Density over several models of the same data.

    Attributes:
        weights: of the models, by AICc.
        density: animals per hectare; the standard error holds the models' disagreement.
    """

    weights: tuple[float, ...]
    density: Estimate


def average(fits: Sequence[SecrFit], session: int = 0, level: float = 0.95) -> Averaged:
    """Weigh models by AICc (Burnham and Anderson 2002, doi:10.1007/b97636).

    Raises:
        ValueError: no models, or models of other data.
    """
    first = fits[0].likelihood.sessions if fits else ()
    if not fits or any(
        a is not b for f in fits for a, b in zip_longest(f.likelihood.sessions, first)
    ):
        raise ValueError("average: models of the same data")
    criteria = np.array([f.aicc for f in fits])
    raw = np.exp(-0.5 * (criteria - criteria.min()))
    weights = raw / raw.sum()
    each = [density(f, session, level) for f in fits]
    value = float(sum(w * e.value for w, e in zip(weights, each, strict=True)))
    variance = sum(
        w * (e.se**2 + (e.value - value) ** 2) for w, e in zip(weights, each, strict=True)
    )
    return Averaged(tuple(weights.tolist()), log_interval(value, float(np.sqrt(variance)), level))
