"""How much of a substance a river carried: several estimators, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtri

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: m3/s times mg/L is this many kilograms per day.
KG_PER_DAY: Final = 86.4
_ITERATIONS: Final = 100
_HALVINGS: Final = 50
#: Sampled days from which the walk of a concentration is told.
_FEWEST_DAYS: Final = 3
_TERMS_OF_G: Final = 200


@dataclass(frozen=True)
class Load:
    """A mean daily load, kg/day.

    Attributes:
        value: the estimate.
        low: lower end of its interval, NaN where the estimator has none.
        high: upper end.
        n: samples it stands on.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Rating:
    """A rating curve of ln concentration, fitted with non-detects.

    Attributes:
        beta: coefficients of 1, time, ln q, sin and cos of the season (centred).
        scale: standard deviation of the residuals.
        covariance: of (beta, ln scale).
        centre: means of time and ln q.
        smearing: mean of exp(residual) of the detected samples (Duan 1983).
        n: samples.
    """

    beta: Floats
    scale: float
    covariance: Floats
    centre: tuple[float, float]
    smearing: float
    n: int


def averaging(conc: ArrayLike, q: ArrayLike, q_all: ArrayLike, level: float = 0.95) -> Load:
    """Mean of concentration times discharge on sampled days.

    Unbiased only where samples are taken at random; its interval is that of a mean. Walling and
    Webb (1981).

    Args:
        conc: concentrations, mg/L.
        q: discharge of the same days, m3/s.
        q_all: discharge of every day; its number corrects for a sample of a finite record.
        level: confidence level.

    Returns:
        The load.

    Raises:
        ValueError: fewer than three samples, or lengths that differ.
    """
    load, _, q_all = _paired(conc, q, q_all)
    finite = max(0.0, 1 - load.size / q_all.size)
    se = float(np.sqrt(load.var(ddof=1) / load.size * finite))
    return _normal(float(load.mean()), se, load.size, level)


def beale(conc: ArrayLike, q: ArrayLike, q_all: ArrayLike, level: float = 0.95) -> Load:
    """Beale's ratio estimator: the ratio of load to discharge, freed of its bias.

    L = Q (l/q) [1 + f s_lq/(l q)]/[1 + f s_q^2/q^2], l, q the means of sampled days, Q that of
    all N days, f = 1/n - 1/N. Its variance to second order after Tin (1965),
    doi:10.1080/01621459.1965.10480792. Beale (1962); Dolan, Yui and Geist (1981),
    doi:10.1016/S0380-1330(81)72094-0.

    Args:
        conc: concentrations, mg/L.
        q: discharge of the same days, m3/s.
        q_all: discharge of every day.
        level: confidence level.

    Returns:
        The load.

    Raises:
        ValueError: as ``averaging``, or no discharge.

    >>> round(beale([2, 2, 2, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5]).value, 6)
    518.4
    """
    load, flow, q_all = _paired(conc, q, q_all)
    if flow.mean() <= 0 or q_all.mean() <= 0:
        raise ValueError("a ratio needs discharge above 0")
    f = max(0.0, 1 / load.size - 1 / q_all.size)
    cov = np.cov(load, flow)
    mean, x = float(load.mean()), float(flow.mean())
    if not mean > 0:
        return Load(0.0, 0.0, 0.0, load.size)
    c_lq, c_qq, c_ll = cov[0, 1] / (mean * x), cov[1, 1] / x**2, cov[0, 0] / mean**2
    value = float(q_all.mean() * mean / x * (1 + f * c_lq) / (1 + f * c_qq))
    first = f * (c_ll + c_qq - 2 * c_lq)
    second = f**2 * (2 * c_qq**2 - 4 * c_qq * c_lq + c_lq**2 + c_qq * c_ll)
    return _normal(value, value * float(np.sqrt(max(first + second, 0.0))), load.size, level)


def interpolated(
    days: ArrayLike, conc: ArrayLike, days_all: ArrayLike, q_all: ArrayLike, level: float = 0.95
) -> Load:
    """Concentration interpolated in time between samples, times each day's discharge.

    The first and last concentration are kept beyond them. Linear interpolation is the best
    linear predictor where concentration walks at random (kriging with a linear variogram,
    Matheron 1963, doi:10.2113/gsecongeo.58.8.1246): between two samples its error is a Brownian
    bridge, beyond them a walk. The walk's variance per day is the mean of (change)^2/(days
    between) of successive samples; that of the load is summed exactly over all days.

    Args:
        days: numbers of the sampled days, whole.
        conc: concentrations, mg/L; several of a day are averaged.
        days_all: number of every day, whole.
        q_all: discharge of every day, m3/s.
        level: confidence level.

    Returns:
        The load, its interval NaN with fewer than three sampled days.

    Raises:
        ValueError: no samples or no days.

    >>> found = interpolated([0, 4, 8], [0, 2, 0], range(9), [1] * 9)
    >>> round(found.value, 3), round(found.high - found.value, 2)
    (76.8, 59.5)
    """
    at, c = np.asarray(days, np.int64), np.asarray(conc, np.float64)
    every, q = np.asarray(days_all, np.int64), np.asarray(q_all, np.float64)
    if not at.size or not every.size:
        raise ValueError("samples and days are needed")
    day, member = np.unique(at, return_inverse=True)
    mean = np.bincount(member, c) / np.bincount(member)
    load = np.interp(every, day, mean) * q * KG_PER_DAY
    if day.size < _FEWEST_DAYS:
        return Load(float(load.mean()), float("nan"), float("nan"), at.size)
    pace = float(np.mean(np.diff(mean) ** 2 / np.diff(day)))
    se = KG_PER_DAY / every.size * float(np.sqrt(pace * _bridges(day, every, q)))
    return _normal(float(load.mean()), se, at.size, level)


def _bridges(day: NDArray[np.int64], every: NDArray[np.int64], q: Floats) -> float:
    """Variance of the sum of discharge times error, for a walk of variance 1 a day.

    The error of a day is a sum of the walk's steps, less their mean where a sample closes the
    gap; so each step counts as often as discharge lies behind it, less the gap's mean of that.
    """
    first, last = min(day[0], every.min()), max(day[-1], every.max())
    flow = np.bincount(every - first, q, int(last - first) + 1)
    number = np.searchsorted(day, np.arange(first, last + 1), side="left")
    # Days up to and with a sample belong to the gap that it closes; the first day starts none.
    inner = (number > 0) & (number < day.size)
    gap = np.where(inner, number, 0)
    behind = np.cumsum(flow[::-1])[::-1]
    ends = day[np.minimum(number, day.size - 1)] - first
    left = behind - np.append(behind, 0.0)[ends + 1]
    steps = np.bincount(gap[inner], minlength=day.size)
    middle = np.bincount(gap[inner], left[inner], day.size) / np.maximum(steps, 1)
    between = float(np.sum((left[inner] - middle[gap[inner]]) ** 2))
    after = float(np.sum(behind[number >= day.size] ** 2))
    before = float(np.sum(np.cumsum(flow)[: int(day[0] - first)] ** 2))
    return between + after + before


def rating(times: ArrayLike, q: ArrayLike, conc: ArrayLike, censored: ArrayLike) -> Rating:
    """Fit ln c = b0 + b1 t + b2 ln q + b3 sin 2 pi t + b4 cos 2 pi t by maximum likelihood.

    The five-term form of LOADEST's models; non-detects enter by the probability below their
    limit. Cohn, Caulder, Gilroy, Zynjuk and Summers (1992), doi:10.1029/92WR01008; Duan
    (1983), doi:10.1080/01621459.1983.10478017.

    Args:
        times: decimal years.
        q: discharge above 0, m3/s.
        conc: concentrations above 0 or limits of non-detects, mg/L.
        censored: whether each is a non-detect.

    Returns:
        The fitted curve.

    Raises:
        ValueError: fewer than ten samples or six detected, values not above 0, terms that the
            samples do not set, or no convergence.
    """
    t, flow, c = (np.asarray(x, np.float64) for x in (times, q, conc))
    hidden = np.asarray(censored, np.bool_)
    if not t.shape == flow.shape == c.shape == hidden.shape:
        raise ValueError("times, discharge, concentrations and flags must have one length")
    if t.size < 10 or np.sum(~hidden) < 6:
        raise ValueError("a rating curve needs at least 10 samples, 6 of them detected")
    if np.any(flow <= 0) or np.any(c <= 0):
        raise ValueError("logarithms need values above 0")
    centre = float(t.mean()), float(np.log(flow).mean())
    x = _terms(t, flow, centre)
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError("the samples do not set the terms of the curve: seasons or flows lack")
    beta, scale, covariance = _tobit(x, np.log(c), hidden)
    left = (np.log(c) - x @ beta)[~hidden]
    return Rating(beta, scale, covariance, centre, float(np.exp(left).mean()), t.size)


def rated(curve: Rating, times: ArrayLike, q: ArrayLike, level: float = 0.95) -> Load:
    """Mean load by a rating curve, normal residuals: c = exp(x beta + s^2/2).

    The variance has the coefficients' part by the delta method and the residuals' of days
    taken as independent; the interval is lognormal.

    Args:
        curve: the fitted curve.
        times: decimal year of every day.
        q: discharge of every day above 0, m3/s.
        level: confidence level.

    Returns:
        The load.
    """
    t, flow = np.asarray(times, np.float64), np.asarray(q, np.float64)
    x = _terms(t, flow, curve.centre)
    load = np.exp(x @ curve.beta + curve.scale**2 / 2) * flow * KG_PER_DAY
    total = float(load.sum())
    gradient = np.append(load @ x, curve.scale**2 * total)
    variance = float(gradient @ curve.covariance @ gradient)
    variance += float(np.sum(load**2)) * float(np.expm1(curve.scale**2))
    reach = float(ndtri(0.5 + level / 2)) * np.sqrt(variance) / total
    value = total / t.size
    return Load(value, value * float(np.exp(-reach)), value * float(np.exp(reach)), curve.n)


def smeared(curve: Rating, times: ArrayLike, q: ArrayLike, level: float = 0.95) -> Load:
    """Mean load by a rating curve, Duan's smearing in place of normal residuals.

    Args:
        curve: the fitted curve.
        times: decimal year of every day.
        q: discharge of every day above 0, m3/s.
        level: confidence level.

    Returns:
        The load; its interval is that of ``rated``, moved to the smeared value.
    """
    plain = rated(curve, times, q, level)
    factor = curve.smearing / float(np.exp(curve.scale**2 / 2))
    return Load(plain.value * factor, plain.low * factor, plain.high * factor, plain.n)


def unbiased(
    curve: Rating, times: ArrayLike, q: ArrayLike, conc: ArrayLike, at: ArrayLike, flow: ArrayLike,
    level: float = 0.95,
) -> Load:  # fmt: skip
    """Mean load by a rating curve without the bias of its retransformation (MVUE).

    c = exp(x beta) g((m + 1)/(2 m) (1 - V) s^2) with m = n - p degrees of freedom, V the leverage
    of the day, s^2 the residuals' unbiased variance and Finney's g(z) = sum over k of
    m^k (m + 2k)/(m (m + 2) ... (m + 2k)) (m/(m + 1))^k z^k/k!. Bradu and Mundlak (1970),
    doi:10.1080/01621459.1970.10481070; Cohn, DeLong, Gilroy, Hirsch and Wells (1989),
    doi:10.1029/WR025i005p00937. It has no form for non-detects.

    Args:
        curve: fitted to the samples below, all of them detected.
        times: decimal year of every day.
        q: discharge of every day above 0, m3/s.
        conc: concentrations of the samples, mg/L.
        at: decimal years of the samples.
        flow: discharge of the samples, m3/s.
        level: confidence level.

    Returns:
        The load; its interval is that of ``rated``, moved to the unbiased value.
    """
    own = _terms(np.asarray(at, np.float64), np.asarray(flow, np.float64), curve.centre)
    left = np.log(np.asarray(conc, np.float64)) - own @ curve.beta
    m = own.shape[0] - own.shape[1]
    variance = float(left @ left) / m
    x = _terms(np.asarray(times, np.float64), np.asarray(q, np.float64), curve.centre)
    leverage = np.einsum("ij,jk,ik->i", x, np.linalg.inv(own.T @ own), x)
    bias = finney((m + 1) / (2 * m) * (1 - leverage) * variance, m)
    value = float((np.exp(x @ curve.beta) * bias * np.asarray(q, np.float64)).mean()) * KG_PER_DAY
    plain = rated(curve, times, q, level)
    factor = value / plain.value
    return Load(value, plain.low * factor, plain.high * factor, plain.n)


def finney(z: ArrayLike, m: int) -> Floats:
    """Finney's g of m degrees of freedom; exp(z) for very many. See ``unbiased``.

    Args:
        z: arguments, of either sign.
        m: degrees of freedom, at least 1.

    Returns:
        g(z).

    >>> finney([0.0, 0.5], 10**9).round(6).tolist()
    [1.0, 1.648721]
    """
    x = np.asarray(z, np.float64) * m / (m + 1)
    term, total = np.ones_like(x), np.ones_like(x)
    for k in range(1, _TERMS_OF_G):
        # The factor of x^k against that of x^(k - 1); the first term is m/m = 1.
        term = term * x * m / (k * (m + 2 * (k - 1)))
        total = total + term
        if np.all(np.abs(term) <= 1e-16 * np.abs(total)):
            break
    return np.asarray(total)


def _terms(t: Floats, q: Floats, centre: tuple[float, float]) -> Floats:
    turn = 2 * np.pi * t
    one = np.ones(t.size)
    return np.column_stack((one, t - centre[0], np.log(q) - centre[1], np.sin(turn), np.cos(turn)))


def _paired(conc: ArrayLike, q: ArrayLike, q_all: ArrayLike) -> tuple[Floats, Floats, Floats]:
    c, flow, every = (np.asarray(x, np.float64) for x in (conc, q, q_all))
    if c.shape != flow.shape or c.ndim != 1:
        raise ValueError("each concentration needs the discharge of its day")
    if c.size < 3:
        raise ValueError("an interval needs at least three samples")
    return c * flow * KG_PER_DAY, flow, every


def _normal(value: float, se: float, n: int, level: float) -> Load:
    if not 0 < level < 1:
        raise ValueError(f"the confidence level must lie between 0 and 1, not {level}")
    reach = float(ndtri(0.5 + level / 2)) * se
    return Load(value, max(value - reach, 0.0), value + reach, n)


def _tobit(x: Floats, y: Floats, hidden: Bools) -> tuple[Floats, float, Floats]:
    """Newton's method for a normal regression with values known only to lie below y."""
    start = np.linalg.lstsq(x, y, rcond=None)[0]
    spread = max(float(np.std(y - x @ start)), 1e-6)
    point = np.append(start, np.log(spread))
    value, slope, curve = _regression_likelihood(point, x, y, hidden)
    for _ in range(_ITERATIONS):
        size, axes = np.linalg.eigh(curve)
        step = axes @ ((axes.T @ slope) / np.maximum(np.abs(size), 1e-10))
        for _ in range(_HALVINGS):
            there = _regression_likelihood(point + step, x, y, hidden)
            if there[0] >= value - 1e-12 * abs(value):
                break
            step = step / 2
        point, (value, slope, curve) = point + step, there
        if np.all(np.abs(step) < 1e-11 * (1 + np.abs(point))):
            cov: Floats = np.linalg.inv(-curve).astype(np.float64)
            return point[:-1], float(np.exp(point[-1])), cov
    raise ValueError("the rating curve did not converge")


def _regression_likelihood(
    point: Floats, x: Floats, y: Floats, hidden: Bools
) -> tuple[float, Floats, Floats]:
    """Log-likelihood, gradient and Hessian in (beta, ln scale)."""
    s = float(np.exp(point[-1]))
    z = (y - x @ point[:-1]) / s
    log_below = log_ndtr(z)
    h = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_below)
    bend = -h * (z + h)
    value = float(np.sum(np.where(hidden, log_below, -0.5 * z**2 - point[-1])))
    dm, ds = np.where(hidden, -h, z), np.where(hidden, -h * z, z**2 - 1)
    mm = np.where(hidden, bend, -1.0)
    ms = np.where(hidden, h + z * bend, -2 * z)
    ss = np.where(hidden, h * z + z**2 * bend, -2 * z**2)
    curve = np.empty((point.size, point.size))
    curve[:-1, :-1] = (x.T * mm) @ x / s**2
    curve[:-1, -1] = curve[-1, :-1] = x.T @ ms / s
    curve[-1, -1] = ss.sum()
    return value, np.append(x.T @ dm / s, ds.sum()), curve
