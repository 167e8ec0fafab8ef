"""How far a number would move had other years, hours or points been measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import t as student

from ecotone.science.land.gamma_scores import gamma_scores
from ecotone.science.land.sand import KNOT, THRESHOLD_KNOTS
from ecotone.science.land.standardised import (
    LIMIT,
    Zero,
    by_month,
    log_logistic_fit,
    month_sums,
    thom_fit,
)

Floats = NDArray[np.float64]

#: Draws of a bootstrap where none are asked for.
DRAWS: Final = 1000


def spi_interval(
    precipitation: ArrayLike,
    months: ArrayLike,
    *,
    scale: int = 12,
    calibration: tuple[int, int] = (1981, 2010),
    zero: Zero = "upper",
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 1,
) -> tuple[Floats, Floats]:
    """Interval of the SPI of one series for the uncertainty of its fit.

    Parametric bootstrap: of each calendar month as many sums as the calibration had are drawn
    from the fitted distribution (zeros by their share) and fitted anew; the interval holds the
    middle ``level`` of the indices that the fits give. Sums of months that overlap are taken as
    if independent from year to year, which they are up to 12 months. Efron and Tibshirani
    (1993) An introduction to the bootstrap, chapter 13.

    Args:
        precipitation: (time,) mm a month, NaN = missing.
        months: (time,) ``datetime64`` without leaps.
        scale: months summed.
        calibration: first and last year of the fit.
        zero: as in ``spi``.
        level: of the interval.
        draws: number of fits.
        seed: of the draws; the same seed gives the same interval.

    Returns:
        Lower and upper end, (time,), NaN where ``spi`` is.

    Raises:
        ValueError: more than one series, a level out of range, fewer than 100 draws.
    """
    sums = _one_series(precipitation, scale, level, draws)
    rng = np.random.default_rng(seed)
    low, high = np.full(sums.shape, np.nan), np.full(sums.shape, np.nan)
    for _, here, chosen in by_month(months, calibration):
        alpha, beta, n, n0 = (float(part) for part in thom_fit(sums[chosen]))
        if not np.isfinite(alpha):
            continue
        drawn = rng.gamma(alpha, beta, (int(n), draws))
        drawn[rng.random(drawn.shape) < n0 / n] = 0.0
        a, b, _, zeros = thom_fit(drawn)
        x = np.repeat(sums[here][:, None], draws, axis=1)
        found = gamma_scores(x, a, b, zeros / n, LIMIT)
        bottom = {
            "upper": zeros / n, "center": (zeros + 1) / (2 * n), "stagge": (zeros + 1) / (2 * n + 2)
        }[zero]  # fmt: skip
        dry = np.where(np.isfinite(a), np.clip(ndtri(bottom), -LIMIT, LIMIT), np.nan)
        found = np.where(x == 0, dry, found)
        low[here], high[here] = _middle(found, level)
    return low, high


def spei_interval(
    balance: ArrayLike,
    months: ArrayLike,
    *,
    scale: int = 12,
    calibration: tuple[int, int] | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 1,
) -> tuple[Floats, Floats]:
    """Interval of the SPEI of one series for the uncertainty of its fit; see ``spi_interval``.

    Args:
        balance: (time,) P - PET, mm a month, NaN = missing.
        months: (time,) ``datetime64`` without leaps.
        scale: months summed.
        calibration: first and last year of the fit; all there are where left out.
        level: of the interval.
        draws: number of fits.
        seed: of the draws.

    Returns:
        Lower and upper end, (time,), NaN where ``spei`` is.

    Raises:
        ValueError: more than one series, a level out of range, fewer than 100 draws.
    """
    sums = _one_series(balance, scale, level, draws)
    rng = np.random.default_rng(seed)
    low, high = np.full(sums.shape, np.nan), np.full(sums.shape, np.nan)
    for _, here, chosen in by_month(months, calibration):
        c, a, k = (float(part) for part in log_logistic_fit(sums[chosen]))
        if not np.isfinite(k):
            continue
        n = int(np.isfinite(sums[chosen]).sum())
        odds = 1 / rng.random((n, draws)) - 1
        drawn = c - a * np.log(odds) if k == 0 else c + a / k * (1 - odds**k)
        c2, a2, k2 = log_logistic_fit(drawn)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            rest = np.maximum(1 - k2 * (sums[here][:, None] - c2) / a2, 0.0)
            found = np.clip(ndtri(1 / (1 + rest ** (1 / k2))), -LIMIT, LIMIT)
        low[here], high[here] = _middle(found, level)
    return low, high


def _one_series(values: ArrayLike, scale: int, level: float, draws: int) -> Floats:
    sums = month_sums(values, scale)
    if sums.ndim != 1:
        raise ValueError("an interval is drawn for one series at a time")
    if not 0 < level < 1:
        raise ValueError(f"the confidence level must lie between 0 and 1, not {level}")
    if draws < 100:
        raise ValueError(f"fewer than 100 draws give no interval, not {draws}")
    return sums


def _middle(found: Floats, level: float) -> tuple[Floats, Floats]:
    """The middle of the draws, along the last axis; NaN where no draw has a value."""
    missing = np.asarray(np.isnan(found).all(axis=-1))
    filled = np.where(missing[..., None], 0.0, found)
    low, high = np.nanquantile(filled, [(1 - level) / 2, (1 + level) / 2], axis=-1)
    return np.where(missing, np.nan, low), np.where(missing, np.nan, high)


def year_draws(years: int, draws: int, seed: int = 1) -> Floats:
    """How often each year comes in each draw of as many years with replacement.

    Args:
        years: of the calibration.
        draws: number of draws.
        seed: of the draws.

    Returns:
        (draws, years) counts; each row sums to ``years``.

    >>> year_draws(3, 2).sum(axis=1).tolist()
    [3.0, 3.0]
    """
    chosen = np.random.default_rng(seed).integers(0, years, (draws, years))
    rows = np.repeat(np.arange(draws), years)
    counts = np.bincount(rows * years + chosen.ravel(), minlength=draws * years)
    return counts.reshape(draws, years).astype(np.float64)


def redrawn_fits(calibration: ArrayLike, counts: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Thom's fit of many pixels under each draw of years, by two products of matrices.

    Years are drawn for all pixels alike, so that what neighbours share stays shared.

    Args:
        calibration: (years, pixels) sums, NaN = missing.
        counts: (draws, years) of ``year_draws``.

    Returns:
        Shape, scale and share of zeros, each (draws, pixels), NaN without a fit.
    """
    x = np.asarray(calibration, dtype=np.float64)
    weight = np.asarray(counts, dtype=np.float64)
    wet = x > 0
    n = weight @ np.isfinite(x).astype(np.float64)
    n_wet = weight @ wet.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weight @ np.where(wet, x, 0.0) / n_wet
        logs = weight @ np.log(np.where(wet, x, 1.0)) / n_wet
        a = np.log(mean) - logs
        alpha = (1 + np.sqrt(1 + 4 * a / 3)) / (4 * a)
        beta = mean / alpha
        zeros = 1 - n_wet / n
    none = (n_wet < 2) | ~(a > 1e-12)
    return np.where(none, np.nan, alpha), np.where(none, np.nan, beta), zeros


@dataclass(frozen=True)
class Estimate:
    """A number and its interval.

    Attributes:
        value: the estimate; NaN where there is none.
        low: lower end of the interval, NaN where there is none.
        high: upper end.
    """

    value: float
    low: float
    high: float


def mean_of_points(values: ArrayLike, level: float = 0.95) -> Estimate:
    """Mean of a random sample of points with Student's interval.

    Args:
        values: of the points, NaN = missing.
        level: of the interval.

    Returns:
        The mean; without an interval where fewer than two points have values.

    >>> found = mean_of_points([1.0, 2.0, 3.0])
    >>> found.value, round(float(found.low), 3)
    (2.0, -0.484)
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if known.size == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    mean = float(known.mean())
    if known.size < 2:
        return Estimate(mean, float("nan"), float("nan"))
    half = float(student.ppf(0.5 + level / 2, known.size - 1) * known.std(ddof=1))
    half /= np.sqrt(known.size)
    return Estimate(mean, mean - half, mean + half)


def reduction(control: ArrayLike, treated: ArrayLike, level: float = 0.95) -> Estimate:
    """Percent by which the mean of treated points lies below that of controls.

    By the logarithm of the ratio of means, whose variance is s1^2/(n1 m1^2) + s2^2/(n2 m2^2),
    with Welch's degrees of freedom. Hedges, Gurevitch and Curtis (1999) Ecology 80, 1150-1156.

    Args:
        control: losses of points without the measure, above zero on average.
        treated: of points with it.
        level: of the interval.

    Returns:
        100 (1 - ratio); NaN where a group has fewer than two points or a mean of zero.

    >>> round(reduction([10.0, 12.0, 8.0], [5.0, 6.0, 4.0]).value, 1)
    50.0
    """
    groups = [np.asarray(g, dtype=np.float64) for g in (control, treated)]
    groups = [g[np.isfinite(g)] for g in groups]
    if min(g.size for g in groups) < 2 or min(float(g.mean()) for g in groups) <= 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    parts = [float(g.var(ddof=1) / (g.size * g.mean() ** 2)) for g in groups]
    ratio = float(groups[1].mean() / groups[0].mean())
    whole = sum(parts)
    if whole == 0:
        return Estimate(100 * (1 - ratio), 100 * (1 - ratio), 100 * (1 - ratio))
    degrees = whole**2 / sum(p**2 / (g.size - 1) for p, g in zip(parts, groups, strict=True))
    half = float(student.ppf(0.5 + level / 2, degrees)) * np.sqrt(whole)
    low, high = (float(100 * (1 - ratio * np.exp(sign * half))) for sign in (1, -1))
    return Estimate(100 * (1 - ratio), low, high)


@dataclass(frozen=True)
class DriftIntervals:
    """Drift potential with its interval, and what a shelter takes from it.

    Attributes:
        potential: DP, vector units.
        reduction: percent, of the sheltered record against the open one; None without one.
    """

    potential: Estimate
    reduction: Estimate | None


def drift_intervals(
    speed: ArrayLike,
    sheltered: ArrayLike | None = None,
    *,
    threshold: float = THRESHOLD_KNOTS,
    block: int | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 1,
) -> DriftIntervals:
    """Moving-block bootstrap of drift potential: another stretch of the same weather.

    Readings follow one another, so whole blocks are drawn, from a circle; a block has
    2 n^(1/3) readings where none is said. Sheltered readings are drawn with the open ones of
    the same time. Kuensch (1989), doi:10.1214/aos/1176347265; Politis and Romano (1992).

    Args:
        speed: (readings,) m/s at 10 m, in the order of time, NaN = missing.
        sheltered: at the same times behind a barrier.
        threshold: of the sand's movement, knots.
        block: readings in a block.
        level: of the intervals.
        draws: number of draws.
        seed: of the draws.

    Returns:
        The estimates; the interval of a reduction is NaN where the open wind moves no sand.

    Raises:
        ValueError: records of different length, or without any reading.
    """
    records = [np.ravel(np.asarray(speed, dtype=np.float64))]
    if sheltered is not None:
        records.append(np.ravel(np.asarray(sheltered, dtype=np.float64)))
        if records[1].size != records[0].size:
            raise ValueError("the two records have not the same number of readings")
    there = np.logical_and.reduce([np.isfinite(r) for r in records])
    if not there.any():
        raise ValueError("no reading")
    knots = np.stack([r[there] for r in records]) / KNOT
    drift = np.where(knots > threshold, knots**2 * (knots - threshold), 0.0)
    size = drift.shape[1]
    length = min(size, block or max(1, round(2 * size ** (1 / 3))))
    around = np.concatenate([drift, drift[:, : length - 1]], axis=1)
    whole = np.cumsum(np.pad(around, ((0, 0), (1, 0))), axis=1)
    blocks = (whole[:, length:] - whole[:, :-length]) / length
    starts = np.random.default_rng(seed).integers(0, size, (draws, -(-size // length)))
    means = blocks[:, starts].mean(axis=2)
    own = drift.mean(axis=1)
    low, high = np.quantile(means[0], [(1 - level) / 2, (1 + level) / 2])
    potential = Estimate(float(own[0]), float(low), float(high))
    if sheltered is None:
        return DriftIntervals(potential, None)
    with np.errstate(invalid="ignore", divide="ignore"):
        less = 100 * (1 - means[1] / means[0])
        value = float(100 * (1 - own[1] / own[0])) if own[0] > 0 else float("nan")
    known = less[np.isfinite(less)]
    ends = np.quantile(known, [(1 - level) / 2, (1 + level) / 2]) if known.size else [np.nan] * 2
    return DriftIntervals(potential, Estimate(value, float(ends[0]), float(ends[1])))
