"""Indices of water quality: one number or class from many results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.water.compliance import Verdict, judge

Floats = NDArray[np.float64]

#: The manual's divisor, by which the longest vector (100, 100, 100) comes to 100.
_LENGTH: Final = 1.732
#: Two numbers this close, relative to the larger, are the same (as in ``compliance``).
_SAME: Final = 1e-9
#: Lower ends of CCME's classes excellent, good, fair, marginal; below: poor.
CCME_CLASSES: Final = (95.0, 80.0, 65.0, 45.0)
#: Weights of the NSF index (Brown et al. 1970).
NSF_WEIGHTS: Final[Mapping[str, float]] = {
    "dissolved_oxygen_saturation": 0.17,
    "faecal_coliform": 0.16,
    "ph": 0.11,
    "bod5": 0.11,
    "temperature_change": 0.10,
    "total_phosphate": 0.10,
    "nitrate": 0.10,
    "turbidity": 0.08,
    "total_solids": 0.07,
}
#: (a, b, r^2) of TLI = 10 (a + b ln x); r is the correlation with chlorophyll a in 26 lakes.
_TLI: Final[Mapping[str, tuple[float, float, float]]] = {
    "chlorophyll_a": (2.5, 1.086, 1.0),
    "total_phosphorus": (9.436, 1.624, 0.7056),
    "total_nitrogen": (5.453, 1.694, 0.6724),
    "secchi_depth": (5.118, -1.94, 0.6889),
    "permanganate_index": (0.109, 2.661, 0.6889),
}
#: (a, b) of TSI = a + b ln x.
_TSI: Final[Mapping[str, tuple[float, float]]] = {
    "secchi_depth": (60.0, -14.41),
    "chlorophyll_a": (30.6, 9.81),
    "total_phosphorus": (4.15, 14.42),
}


@dataclass(frozen=True)
class Ccme:
    """The Canadian index and what it stands on.

    Attributes:
        index: 0 (worst) .. 100.
        f1: scope, % of variables that failed at least once.
        f2: frequency, % of tests that failed.
        f3: amplitude, 0 .. 100, by how much they failed.
        nse: normalised sum of excursions.
        tests: tests that could be decided.
        failed_tests: of these, how many failed.
        variables: variables with a decided test.
        failed_variables: of these, how many failed at least once.
        undetermined: results of which neither is known; they are no tests.
    """

    index: float
    f1: float
    f2: float
    f3: float
    nse: float
    tests: int
    failed_tests: int
    variables: int
    failed_variables: int
    undetermined: int

    @property
    def place(self) -> int:
        """0 excellent, 1 good, 2 fair, 3 marginal, 4 poor; -1 without tests."""
        if np.isnan(self.index):
            return -1
        return int(np.sum(self.index < np.array(CCME_CLASSES)))


def ccme(
    variables: ArrayLike,
    values: ArrayLike,
    kind: ArrayLike,
    maximum: ArrayLike,
    minimum: ArrayLike,
) -> Ccme:
    """The CCME water quality index 1.0.

    F1 = failed variables %, F2 = failed tests %, excursion of a failed test = value/maximum - 1
    or minimum/value - 1, nse = sum of excursions / tests, F3 = nse/(0.01 nse + 0.01), and
    index = 100 - sqrt(F1^2 + F2^2 + F3^2)/1.732. CCME (2001), Canadian Water Quality Index
    1.0, technical report and user's manual. For a maximum of 0 the manual takes the value
    itself as excursion. A non-detect is a test where its limit decides (``judge``).

    Args:
        variables: label of each result's variable.
        values: results, or limits of censored ones; NaN = no result, no test.
        kind: 0 = measured, -1 = below ``values``, +1 = above.
        maximum: largest value allowed, NaN = none; in the unit of its own result.
        minimum: smallest value allowed, NaN = none.

    Returns:
        The index; NaN in its numbers where no test could be decided.

    Raises:
        ValueError: as ``judge``, or labels of another length.

    >>> found = ccme(["a", "a", "b", "b"], [2, 4, 1, 1], 0, [3, 3, 2, 2], np.nan)
    >>> round(found.f1), round(found.f2), round(found.nse, 4), round(found.index, 3)
    (50, 25, 0.0833, 67.42)
    """
    v, k, top, bottom = np.broadcast_arrays(
        *(np.asarray(x, np.float64) for x in (values, kind, maximum, minimum))
    )
    labels = np.asarray(variables)
    if labels.shape != v.shape:
        raise ValueError("one variable is needed for each result")
    verdict = judge(v, k, top, bottom)
    decided = (verdict == Verdict.PASSES) | (verdict == Verdict.EXCEEDS)
    failed = verdict == Verdict.EXCEEDS
    beyond = excursion(v, top, bottom)[failed].sum()
    return _ccme(
        tests=int(decided.sum()),
        failed=int(failed.sum()),
        variables=np.unique(labels[decided]).size,
        failed_variables=np.unique(labels[failed]).size,
        beyond=float(beyond),
        undetermined=int(np.sum(verdict == Verdict.UNDETERMINED)),
    )


def excursion(values: ArrayLike, maximum: ArrayLike, minimum: ArrayLike) -> Floats:
    """By which factor, less 1, a result lies beyond its limit; 0 where it lies inside.

    Args:
        values: results above or at 0.
        maximum: largest value allowed, NaN = none.
        minimum: smallest value allowed, NaN = none.

    Returns:
        value/maximum - 1, minimum/value - 1, or the value itself for a maximum of 0.
    """
    v, top, bottom = (np.asarray(x, np.float64) for x in (values, maximum, minimum))
    with np.errstate(divide="ignore", invalid="ignore"):
        over = np.where(top == 0, v, v / top - 1)
        under = np.where(bottom > 0, bottom / v - 1, 0.0)
    return np.asarray(np.fmax(np.fmax(over, under), 0.0))


def _ccme(
    tests: int, failed: int, variables: int, failed_variables: int, beyond: float, undetermined: int
) -> Ccme:
    if not tests:
        nan = float("nan")
        return Ccme(nan, nan, nan, nan, nan, 0, 0, 0, 0, undetermined)
    counts = (tests, failed, variables, failed_variables, beyond)
    index, f1, f2, f3, nse = (float(x) for x in _factors(*counts))
    return Ccme(index, f1, f2, f3, nse, tests, failed, variables, failed_variables, undetermined)


def ccme_of_sums(
    tests: ArrayLike,
    failed: ArrayLike,
    variables: ArrayLike,
    failed_variables: ArrayLike,
    beyond: ArrayLike,
) -> Floats:
    """The CCME index from counts and the sum of excursions; arrays of one shape.

    Args:
        tests: number of tests.
        failed: of these, how many failed.
        variables: variables tested.
        failed_variables: of these, how many failed at least once.
        beyond: sum of the excursions of the failed tests.

    Returns:
        The index, 0 .. 100; NaN without tests.

    >>> ccme_of_sums([4, 0], [1, 0], [2, 0], [1, 0], [1 / 3, 0]).round(2).tolist()
    [67.42, nan]
    """
    return _factors(tests, failed, variables, failed_variables, beyond)[0]


def _factors(
    tests: ArrayLike,
    failed: ArrayLike,
    variables: ArrayLike,
    failed_variables: ArrayLike,
    beyond: ArrayLike,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Index, F1, F2, F3 and nse."""
    n, f, v, fv, sums = (
        np.asarray(x, np.float64) for x in (tests, failed, variables, failed_variables, beyond)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        f1, f2, nse = 100 * fv / v, 100 * f / n, sums / n
        f3 = np.where(np.isinf(nse), 100.0, nse / (0.01 * nse + 0.01))
    index = np.maximum(100 - np.sqrt(f1**2 + f2**2 + f3**2) / _LENGTH, 0.0)
    return index, f1, f2, f3, nse


def factor_class(
    values: ArrayLike, kind: ArrayLike, maxima: Sequence[float], minima: Sequence[float]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The class of each result by limits that grow laxer from class to class.

    Args:
        values: results, or limits of censored ones; NaN = no result. At least 0.
        kind: 0 = measured, -1 = below ``values``, +1 = above.
        maxima: largest value of each class, best first; NaN = none.
        minima: smallest value of each class; NaN = none.

    Returns:
        Best and worst class a result allows, 1 for the first, number of classes + 1 where it
        meets none; 0 = no result. They differ only for censored results.

    Raises:
        ValueError: as many maxima as minima are needed.

    >>> best, worst = factor_class([0.1, 0.3, 0.3], [0, 0, -1], [0.15, 0.5], [np.nan] * 2)
    >>> best.tolist(), worst.tolist()
    ([1, 2, 1], [1, 2, 2])
    """
    if len(maxima) != len(minima):
        raise ValueError("each class needs a maximum and a minimum, NaN for none")
    v, k = np.broadcast_arrays(np.asarray(values, np.float64), np.asarray(kind, np.float64))
    low, high = np.where(k < 0, 0.0, v), np.where(k > 0, np.inf, v)
    ends = [_class(end, maxima, minima) for end in (low, high)]
    missing = np.isnan(v)
    # Between its ends a result can be better than at both: a range lies within.
    inside = _within(low, high, maxima, minima)
    best = np.minimum(np.minimum(*ends), inside)
    return np.where(missing, 0, best), np.where(missing, 0, np.maximum(*ends))


def _class(x: Floats, maxima: Sequence[float], minima: Sequence[float]) -> NDArray[np.int64]:
    place = np.full(x.shape, len(maxima) + 1, np.int64)
    for number in range(len(maxima), 0, -1):
        top, bottom = maxima[number - 1], minima[number - 1]
        fits = (x <= (np.inf if np.isnan(top) else top * (1 + _SAME))) & (
            x >= (-np.inf if np.isnan(bottom) else bottom * (1 - _SAME))
        )
        place = np.where(fits, number, place)
    return place


def _within(
    low: Floats, high: Floats, maxima: Sequence[float], minima: Sequence[float]
) -> NDArray[np.int64]:
    """Best class with a value between the ends."""
    place = np.full(low.shape, len(maxima) + 1, np.int64)
    for number in range(len(maxima), 0, -1):
        top, bottom = maxima[number - 1], minima[number - 1]
        above = -np.inf if np.isnan(bottom) else bottom * (1 - _SAME)
        below = np.inf if np.isnan(top) else top * (1 + _SAME)
        place = np.where((low <= below) & (high >= above), number, place)
    return place


def worst_factor(classes: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The class of a sample: that of its worst factor.

    Args:
        classes: (samples, factors) classes of ``factor_class``; 0 = no result.

    Returns:
        The class, 0 where any factor is missing, and the column of the (first) worst factor.

    >>> place, factor = worst_factor([[1, 3, 2], [1, 0, 2]])
    >>> place.tolist(), factor.tolist()
    ([3, 0], [1, 2])
    """
    table = np.asarray(classes, np.int64)
    return np.where((table == 0).any(axis=1), 0, table.max(axis=1)), table.argmax(axis=1)


def tli(values: Mapping[str, ArrayLike]) -> Floats:
    """The Chinese trophic level index of lakes.

    TLI_j = 10 (a_j + b_j ln x_j); TLI = sum of w_j TLI_j, w_j = r_j^2/sum r^2 over the
    variables given. China National Environmental Monitoring Centre (2001), methods and classes
    of lake eutrophication (Zongzhanshengzi 2001-090). Below 30 oligotrophic, to 50
    mesotrophic, to 60 lightly, to 70 moderately, above 70 highly eutrophic.

    Args:
        values: ``chlorophyll_a`` (mg/m3), ``total_phosphorus``, ``total_nitrogen``,
            ``permanganate_index`` (mg/L), ``secchi_depth`` (m); some or all, above 0.

    Returns:
        The index; NaN where a value is missing or not above 0.

    Raises:
        ValueError: an unknown variable, or none.

    >>> round(float(tli({"chlorophyll_a": 10.0, "total_phosphorus": 0.05})), 3)
    48.229
    """
    known = _known(values, _TLI)
    total = sum(_TLI[name][2] for name in known)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [
            _TLI[n][2] / total * 10 * (_TLI[n][0] + _TLI[n][1] * _log(x)) for n, x in known.items()
        ]
    return np.asarray(np.sum(np.broadcast_arrays(*parts), axis=0))


def tsi(values: Mapping[str, ArrayLike]) -> Floats:
    """Carlson's trophic state index: the mean over the variables given.

    60 - 14.41 ln SD, 9.81 ln Chl + 30.6, 14.42 ln TP + 4.15. Carlson (1977),
    doi:10.4319/lo.1977.22.2.0361. Below 40 oligotrophic, to 50 mesotrophic, above eutrophic.

    Args:
        values: ``secchi_depth`` (m), ``chlorophyll_a`` (ug/L), ``total_phosphorus`` (ug/L);
            some or all, above 0.

    Returns:
        The index; NaN where a value is missing or not above 0.

    Raises:
        ValueError: an unknown variable, or none.

    >>> round(float(tsi({"secchi_depth": 1.0})), 1)
    60.0
    """
    known = _known(values, _TSI)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [_TSI[n][0] + _TSI[n][1] * _log(x) for n, x in known.items()]
    return np.asarray(np.mean(np.broadcast_arrays(*parts), axis=0))


def nsf(
    values: Mapping[str, ArrayLike], curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> tuple[Floats, float]:
    """The NSF water quality index, additive form.

    Sum of w q over the variables given, over the sum of their weights; q from the rating
    curves, which are graphs in the source: which digitisation is used must be told. Brown,
    McClelland, Deininger and Tozer (1970), Water and Sewage Works 117, 339-343.

    Args:
        values: by the names of ``NSF_WEIGHTS``; NaN = missing.
        curves: points (x ascending, q) of each curve; beyond its ends a curve is level.

    Returns:
        The index, 0 .. 100, NaN where a value is missing; and the sum of weights it stands on
        (1 = all nine variables).

    Raises:
        ValueError: an unknown variable, or none.

    >>> index, weight = nsf({"ph": 7.5}, {"ph": ([7.0, 8.0], [90.0, 80.0])})
    >>> float(index), weight
    (85.0, 0.11)
    """
    known = _known(values, NSF_WEIGHTS)
    total = sum(NSF_WEIGHTS[name] for name in known)
    parts = [
        NSF_WEIGHTS[n] / total * np.where(np.isnan(x), np.nan, np.interp(x, *curves[n]))
        for n, x in known.items()
    ]
    return np.asarray(np.sum(np.broadcast_arrays(*parts), axis=0)), float(total)


def good_status(complying: ArrayLike, results: ArrayLike, share: float = 0.8) -> NDArray[np.int64]:
    """Whether a water body is of good ambient quality (SDG indicator 6.3.2, level 1).

    Good where at least ``share`` of its results keep to the national targets. UN Environment
    (2018), Introduction to SDG indicator 6.3.2.

    Args:
        complying: number of results of each body that comply.
        results: number of its results.
        share: 0.8 by the method.

    Returns:
        1 good, 0 not good, -1 without results.

    >>> good_status([8, 7, 0], [10, 10, 0]).tolist()
    [1, 0, -1]
    """
    hits, n = np.asarray(complying, np.float64), np.asarray(results, np.float64)
    return np.where(n == 0, -1, (hits >= share * n - _SAME).astype(np.int64))


def _known(values: Mapping[str, ArrayLike], names: Mapping[str, object]) -> dict[str, Floats]:
    strange = sorted(set(values) - set(names))
    if strange or not values:
        raise ValueError(f"variables are {', '.join(names)}; not {', '.join(strange) or 'none'}")
    return {name: np.asarray(x, np.float64) for name, x in values.items()}


def _log(x: Floats) -> Floats:
    return np.where(x > 0, np.log(x), np.nan)
