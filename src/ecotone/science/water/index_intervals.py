"""Intervals of indices: events drawn again, results drawn within what is known of them.

Two things make an index uncertain: that other days might have been sampled, and that a result
is itself not known exactly. Each replicate draws the sampling events again with replacement
(Efron and Tibshirani 1993, doi:10.1201/9780429246593), and each result within its knowledge
(JCGM 101:2008): normally about a measured value with its standard uncertainty, evenly between
0 and its limit for a non-detect (6.4.2: nothing but the limits is known). The percentiles are
widened for few events as Hesterberg (2015), doi:10.1080/00031305.2015.1089789, shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import beta, norm
from scipy.stats import t as student

from ecotone.science.water.indices import ccme_of_sums, excursion, factor_class

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Formula = Callable[[Mapping[str, Floats]], Floats]

#: Numbers drawn at a time: bounds the memory of a station with very many results.
_BLOCK: Final = 2_000_000
#: Places between 0 and its limit at which a non-detect stands for its own mean.
_PLACES: Final = 200
_SAME: Final = 1e-9


@dataclass(frozen=True)
class Known:
    """What is known of results of one length.

    Attributes:
        values: results, or limits of censored ones; NaN = no result.
        kind: 0 = measured, -1 = between 0 and ``values``, +1 = at least ``values``, which is
            all that can be drawn of it.
        standard: standard uncertainty of measured values, in their unit; NaN or 0 = not told.
        floor: least value possible; draws beyond it are mirrored; -inf = none.
    """

    values: Floats
    kind: NDArray[np.int8]
    standard: Floats = field(default_factory=lambda: np.zeros(0))
    floor: float = 0.0

    def drawn(self, rng: np.random.Generator, times: int) -> Floats:
        """(times, n) values each result may have had."""
        n = self.values.size
        out = np.repeat(self.values[None], times, axis=0)
        wide = np.nan_to_num(self.standard) if self.standard.size else np.zeros(n)
        moved = np.flatnonzero((self.kind == 0) & (wide > 0) & ~np.isnan(self.values))
        out[:, moved] += rng.standard_normal((times, moved.size)) * wide[moved]
        below = out[:, moved] < self.floor
        out[:, moved] = np.where(below, 2 * self.floor - out[:, moved], out[:, moved])
        hidden = np.flatnonzero(self.kind < 0)
        out[:, hidden] *= 1 - rng.random((times, hidden.size))
        return out


@dataclass(frozen=True)
class Factor:
    """A factor of a worst-factor class with its results.

    Attributes:
        known: its results.
        event: number of the event each belongs to, from 0.
        maxima: largest value of each of its classes, best first; NaN = none.
        minima: smallest value of each; NaN = none.
        places: class of each place of ``factor_class``: 0 for none, then those of its limits,
            then the one beyond the last.
        relief: what a result times this must be 100 of for the best class, whatever its limit
            (percent of saturation over 90 % of it); empty = no such way.
    """

    known: Known
    event: Codes
    maxima: Sequence[float]
    minima: Sequence[float]
    places: Codes
    relief: Floats = field(default_factory=lambda: np.zeros(0))


def expanded_percentiles(draws: ArrayLike, events: int, level: float = 0.95) -> tuple[float, float]:
    """Percentiles of a bootstrap, widened as Student's t is wider than the normal.

    alpha = Phi(-sqrt(n/(n - 1)) t(1 - (1 - level)/2, n - 1)); the interval is that of alpha and
    1 - alpha. For many events it is the usual one. Hesterberg (2015),
    doi:10.1080/00031305.2015.1089789.

    Args:
        draws: the statistic of each replicate; NaN where a replicate has none.
        events: n, how many events were drawn from.
        level: confidence level, above 0 and below 1.

    Returns:
        Low and high; NaN with fewer than two events or no replicate.

    Raises:
        ValueError: ``level`` out of range.

    >>> low, high = expanded_percentiles(range(1001), 10_000)
    >>> round(low), round(high)
    (25, 975)
    """
    if not 0 < level < 1:
        raise ValueError(f"the confidence level must lie between 0 and 1, not {level}")
    x = np.asarray(draws, np.float64)
    x = x[~np.isnan(x)]
    if events < 2 or not x.size:
        return float("nan"), float("nan")
    reach = np.sqrt(events / (events - 1)) * student.ppf(0.5 + level / 2, events - 1)
    alpha = float(norm.cdf(-reach))
    low, high = np.quantile(x, [alpha, 1 - alpha])
    return float(low), float(high)


def ccme_interval(
    samples: ArrayLike,
    variables: ArrayLike,
    values: ArrayLike,
    kind: ArrayLike,
    maximum: ArrayLike,
    minimum: ArrayLike,
    *,
    standard: ArrayLike = 0.0,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of the CCME index: whole samples and what is known of results are drawn again.

    A non-detect that the index cannot count, its limit being beyond the standard, is drawn
    here, so that what is not known widens the interval.

    Args:
        samples: label of each result's sample (the results of one bottle go together).
        variables: as in ``ccme``.
        values: as in ``ccme``.
        kind: as in ``ccme``; a result above its value counts as that value.
        maximum: as in ``ccme``.
        minimum: as in ``ccme``.
        standard: standard uncertainty of each result, in its unit; NaN or 0 = not told.
        replicates: how many times.
        seed: the same seed gives the same interval.
        level: confidence level, above 0 and below 1.

    Returns:
        The interval of ``expanded_percentiles``; NaN with fewer than two samples with tests.

    Raises:
        ValueError: ``level`` out of range.
    """
    if not 0 < level < 1:
        raise ValueError(f"the confidence level must lie between 0 and 1, not {level}")
    v, k, top, bottom, u = np.broadcast_arrays(
        *(np.asarray(x, np.float64) for x in (values, kind, maximum, minimum, standard))
    )
    test = np.isfinite(v) & ~(np.isnan(top) & np.isnan(bottom))
    v, top, bottom, u = (x[test] for x in (v, top, bottom, u))
    known = Known(v, k[test].astype(np.int8), u)
    bottles, bottle = np.unique(np.asarray(samples)[test], return_inverse=True)
    names, name = np.unique(np.asarray(variables)[test], return_inverse=True)
    if bottles.size < 2:
        return float("nan"), float("nan")
    member = np.zeros((v.size, names.size))
    member[np.arange(v.size), name] = 1
    # What is sure is summed by bottle once; only the rest is drawn result by result.
    open_ones = _open(known, top, bottom)
    sure = ~open_ones
    never = _outside(v, top, bottom) & sure & (known.kind >= 0)
    cells = bottle * names.size + name
    size, shape = bottles.size * names.size, (bottles.size, names.size)
    every = np.bincount(cells, minlength=size).reshape(shape)
    broken = np.bincount(cells, never, size).reshape(shape)
    over = np.bincount(bottle, np.where(never, excursion(v, top, bottom), 0.0), bottles.size)
    rest = Known(v[open_ones], known.kind[open_ones], u[open_ones])
    ends = top[open_ones], bottom[open_ones]
    rng = np.random.default_rng(seed)
    found = []
    for times in _blocks(replicates, max(rest.values.size, size)):
        drawn = _redrawn(rng, bottles.size, times)
        weight = drawn[:, bottle[open_ones]]
        x = rest.drawn(rng, times)
        failed = _outside(x, *ends)
        beyond = np.where(failed, excursion(x, *ends), 0.0)
        tests = drawn @ every
        fails = drawn @ broken + (weight * failed) @ member[open_ones]
        with np.errstate(invalid="ignore"):
            found.append(
                ccme_of_sums(
                    tests.sum(axis=1), fails.sum(axis=1), (tests > 0).sum(axis=1),
                    (fails > 0).sum(axis=1), drawn @ over + (weight * beyond).sum(axis=1),
                )
            )  # fmt: skip
    return expanded_percentiles(np.concatenate(found), bottles.size, level)


def mean_index(
    formula: Formula,
    known: Mapping[str, Known],
    *,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float, float, int]:
    """The mean of an additive index over samples, with non-detects and its interval.

    A non-detect enters as the mean over its whole range, which for an index that is a sum over
    variables is that of the index.

    Args:
        formula: index of each sample from ``{variable: (..., samples)}``.
        known: results of each variable, one for each sample, NaN where it was not measured.
        replicates: how many times.
        seed: the same seed gives the same interval.
        level: confidence level.

    Returns:
        Mean, low, high, and the number of samples with an index. Low and high are NaN with
        fewer than two.

    >>> tsi = lambda x: 60 - 14.41 * np.log(x["secchi_depth"])
    >>> secchi = Known(np.array([1.0, 1.0, 2.0]), np.zeros(3, np.int8))
    >>> mean, low, high, n = mean_index(tsi, {"secchi_depth": secchi})
    >>> round(mean, 3), low < mean < high, n
    (56.671, True, 3)
    """
    places = (np.arange(_PLACES) + 0.5)[:, None] / _PLACES
    usual = {
        name: np.where(k.kind < 0, k.values * places, k.values) if (k.kind < 0).any() else k.values
        for name, k in known.items()
    }
    each = np.asarray(formula(usual), np.float64)
    each = each.mean(axis=0) if each.ndim > 1 else each
    good = np.flatnonzero(np.isfinite(each))
    if not good.size:
        return float("nan"), float("nan"), float("nan"), 0
    rng = np.random.default_rng(seed)
    kept = {
        name: Known(k.values[good], k.kind[good],
                    k.standard[good] if k.standard.size else k.standard, k.floor)
        for name, k in known.items()
    }  # fmt: skip
    found = []
    for times in _blocks(replicates, good.size * len(known)):
        index = np.asarray(formula({n: k.drawn(rng, times) for n, k in kept.items()}))
        weight = _redrawn(rng, good.size, times)
        found.append((weight * index).sum(axis=1) / good.size)
    low, high = expanded_percentiles(np.concatenate(found), good.size, level)
    return float(each[good].mean()), low, high, good.size


def class_chances(
    factors: Sequence[Factor], events: int, *, classes: int = 6, replicates: int = 1000,
    seed: int = 0,
) -> Floats:  # fmt: skip
    """How likely each class is for the worst factor's mean.

    Each replicate draws the events and the results again, takes the mean of each factor (of
    the events' own means) and the class of the worst.

    Args:
        factors: with their results.
        events: how many events there are, such as months.
        classes: how many classes, with that beyond the last.
        replicates: how many times.
        seed: the same seed gives the same chances.

    Returns:
        (classes,) shares of the replicates, 1 in all; NaN with fewer than two events.
    """
    if events < 2 or not factors:
        return np.full(classes, np.nan)
    rng = np.random.default_rng(seed)
    counts = np.zeros(classes)
    for times in _blocks(replicates, max(events, *(f.event.size for f in factors))):
        weight = _redrawn(rng, events, times)
        worst = np.zeros(times, np.int64)
        for factor in factors:
            worst = np.maximum(worst, _drawn_class(factor, weight, rng))
        counts += np.bincount(worst, minlength=classes + 1)[1:]
    return np.asarray(counts / counts.sum())


def complying_share(
    samples: ArrayLike,
    values: ArrayLike,
    kind: ArrayLike,
    maximum: ArrayLike,
    minimum: ArrayLike,
    *,
    enough: float,
    standard: ArrayLike = 0.0,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """Interval of the share of results that keep to their limits, and how likely it is enough.

    Args:
        samples: label of each result's sample; whole samples are drawn again.
        values: as in ``ccme_interval``.
        kind: as in ``ccme_interval``.
        maximum: as in ``ccme_interval``.
        minimum: as in ``ccme_interval``.
        enough: the share that is asked for, 0 .. 1.
        standard: as in ``ccme_interval``.
        replicates: how many times.
        seed: the same seed gives the same numbers.
        level: confidence level of the interval.

    Returns:
        Low, high, and the share of replicates with enough; NaN with fewer than two samples.

    >>> complying_share([1, 2, 3], [1.0, 1.0, 1.0], 0, 2.0, np.nan, enough=0.8)
    (1.0, 1.0, 1.0)
    """
    v, k, top, bottom, u = np.broadcast_arrays(
        *(np.asarray(x, np.float64) for x in (values, kind, maximum, minimum, standard))
    )
    test = np.isfinite(v) & ~(np.isnan(top) & np.isnan(bottom))
    v, top, bottom, u = (x[test] for x in (v, top, bottom, u))
    known = Known(v, k[test].astype(np.int8), u)
    bottles, bottle = np.unique(np.asarray(samples)[test], return_inverse=True)
    if bottles.size < 2:
        return float("nan"), float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    found = []
    for times in _blocks(replicates, v.size):
        weight = _redrawn(rng, bottles.size, times)[:, bottle]
        failed = _outside(known.drawn(rng, times), top, bottom)
        found.append(1 - (weight * failed).sum(axis=1) / weight.sum(axis=1))
    share = np.concatenate(found)
    low, high = expanded_percentiles(share, bottles.size, level)
    return low, high, float(np.mean(share >= enough - _SAME))


def share_of_uncertain(chances: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share whose members may or may not count, each with its own chance.

    The ends are quantiles of Clopper and Pearson's beta distributions mixed over how many
    members count (the Poisson binomial of the chances); where every chance is 0 or 1 it is
    their interval. Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404.

    Args:
        chances: that each member counts, 0 .. 1.
        level: confidence level, above 0 and below 1.

    Returns:
        Low and high; NaN without members.

    Raises:
        ValueError: a chance or the level out of range.

    >>> [round(x, 4) for x in share_of_uncertain([1, 1, 1, 0])]
    [0.1941, 0.9937]
    """
    p = np.asarray(chances, np.float64)
    if np.any((p < 0) | (p > 1)) or not 0 < level < 1:
        raise ValueError("chances and level lie between 0 and 1")
    n = p.size
    if not n:
        return float("nan"), float("nan")
    likely = np.ones(1)
    for one in p:
        likely = np.convolve(likely, [1 - one, one])
    count, tail = np.arange(n + 1), (1 - level) / 2

    def below(x: float) -> float:
        return float(likely @ _beta_cdf(x, count, n - count + 1)) - tail

    def above(x: float) -> float:
        return float(likely @ _beta_cdf(x, count + 1, n - count)) - (1 - tail)

    return _root(below), _root(above)


def _beta_cdf(x: float, a: Codes, b: Codes) -> Floats:
    """Of Beta(a, b); all of it at 0 where a is 0, at 1 where b is 0."""
    inner = beta.cdf(x, np.maximum(a, 1), np.maximum(b, 1))
    return np.asarray(np.where(a == 0, 1.0, np.where(b == 0, float(x >= 1), inner)))


def _root(crossing: Callable[[float], float]) -> float:
    """Where a rising function of 0 .. 1 crosses 0, its ends where it does not inside."""
    if crossing(0.0) >= 0:
        return 0.0
    return 1.0 if crossing(1.0 - 1e-12) <= 0 else float(brentq(crossing, 0.0, 1.0 - 1e-12))


def class_of_mean(factor: Factor, *, upper: bool) -> int:
    """The class of a factor's mean, non-detects at their limit or at 0; 0 without results."""
    x = np.where((factor.known.kind < 0) & (not upper), 0.0, factor.known.values)
    weight = np.ones((1, int(factor.event.max(initial=-1)) + 1))
    return int(_class_of(factor, weight, x)[0])


def _drawn_class(factor: Factor, weight: Floats, rng: np.random.Generator) -> Codes:
    """Class of the mean in each replicate; only results that are not sure are drawn."""
    known = factor.known
    wide = np.nan_to_num(known.standard) if known.standard.size else np.zeros(known.values.size)
    loose = np.flatnonzero((known.kind < 0) | ((known.kind == 0) & (wide > 0)))
    rest = Known(known.values[loose], known.kind[loose], wide[loose], known.floor)
    return _class_of(factor, weight, known.values, loose, rest.drawn(rng, weight.shape[0]))


def _class_of(
    factor: Factor, weight: Floats, x: Floats, loose: Codes | None = None,
    drawn: Floats | None = None,
) -> Codes:  # fmt: skip
    """Class of the mean of events' means in each replicate; 0 where it has no result.

    ``drawn`` (replicates, loose) stands in the place of ``x[loose]``.
    """
    events = weight.shape[1]
    share = 1 / np.bincount(factor.event)[factor.event]
    total = weight @ np.bincount(factor.event, share, events)
    fixed = x.copy()
    if loose is not None:
        fixed[loose] = 0.0

    def summed(scale: Floats) -> Floats:
        own = weight @ np.bincount(factor.event, share * scale * fixed, events)
        if loose is not None and drawn is not None and loose.size:
            part = weight[:, factor.event[loose]] * (share * scale)[loose]
            own = own + (part * drawn).sum(axis=1)
        return np.asarray(own)

    with np.errstate(invalid="ignore"):
        mean = summed(np.ones(x.size)) / total
        place = factor.places[factor_class(mean, 0, factor.maxima, factor.minima)[0]]
        if factor.relief.size:
            relieved = summed(factor.relief) / total >= 100 * (1 - _SAME)
            place = np.where(relieved, factor.places[1], place)
    return np.asarray(np.where(total > 0, place, 0), np.int64)


def _open(known: Known, top: Floats, bottom: Floats) -> NDArray[np.bool_]:
    """Which results may lie within and beyond their limits, for all that is known of them."""
    hidden = (known.kind < 0) & (_outside(known.values, top, bottom) | (bottom > 0))
    wide = np.nan_to_num(known.standard) if known.standard.size else np.zeros(known.values.size)
    return np.asarray(hidden | ((known.kind == 0) & (wide > 0)))


def _outside(x: Floats, top: Floats, bottom: Floats) -> NDArray[np.bool_]:
    return (x > top + _SAME * np.abs(top)) | (x < bottom - _SAME * np.abs(bottom))


def _redrawn(rng: np.random.Generator, events: int, times: int) -> Floats:
    """How often each event was drawn in each replicate."""
    return rng.multinomial(events, np.full(events, 1 / events), times).astype(np.float64)


def _blocks(replicates: int, width: int) -> Iterator[int]:
    """Replicates to draw at a time."""
    most = max(1, _BLOCK // max(width, 1))
    for start in range(0, replicates, most):
        yield min(most, replicates - start)
