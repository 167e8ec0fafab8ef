"""What blanks, duplicates, spikes and standards say of a laboratory's results.

Every judgement is a flag of QARTOD's alphabet (see ``stream_qc``): 1 pass, 2 not evaluated,
3 suspect, 4 fail. Results may be censored: a non-detect is known only to lie below its limit, and
what cannot be told from that is not evaluated rather than guessed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from ecotone.science.water.stream_qc import FAIL, MISSING, NOT_EVALUATED, PASS, SUSPECT

Floats = NDArray[np.float64]
Flags = NDArray[np.uint8]

#: Above this many reporting limits duplicates are compared by their relative difference.
_FAR_ABOVE: Final = 5.0
#: A spike below this share of what was there already tells nothing of the recovery.
_SPIKE_SHARE: Final = 0.25
_MANY_BLANKS: Final = 100


def blank(
    value: ArrayLike,
    kind: ArrayLike,
    reporting_limit: ArrayLike,
    smallest: ArrayLike = np.nan,
    share: float = 0.1,
) -> Flags:
    """A blank is clean: below the reporting limit, or below a tenth of the smallest result.

    Args:
        value: what was found in the blank, or its detection limit; NaN = no result.
        kind: 0 = measured, -1 = below ``value``.
        reporting_limit: in the unit of the value; NaN = unknown.
        smallest: smallest measured result of the batch; NaN = none.
        share: part of the smallest result that a blank may reach.

    Returns:
        A flag per blank; a non-detect whose limit lies above both is not evaluated.

    Raises:
        ValueError: a share outside 0 to 1.

    >>> blank([0.02, 0.2, 0.2, 0.2], [0, 0, 0, -1], 0.05, [1, 1, 5, 1]).tolist()
    [1, 4, 1, 2]
    """
    if not 0 < share < 1:
        raise ValueError("a share lies between 0 and 1")
    v, k, rl, least = np.broadcast_arrays(
        np.asarray(value, np.float64), kind, np.asarray(reporting_limit, np.float64),
        np.asarray(smallest, np.float64),
    )  # fmt: skip
    below = np.asarray(k) < 0
    with np.errstate(invalid="ignore"):
        clean = (v < rl) | (v < share * least) | (below & (v <= rl))
    unknown = below | (np.isnan(rl) & np.isnan(least))
    return _flags([np.isnan(v), clean, unknown], [MISSING, PASS, NOT_EVALUATED], FAIL)


def relative_difference(first: ArrayLike, second: ArrayLike) -> Floats:
    """Relative percent difference, 200 |a - b| / (a + b); NaN where the sum is not above 0.

    >>> relative_difference([10, 0], [12, 0]).round(3).tolist()
    [18.182, nan]
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(a + b > 0, 200 * np.abs(a - b) / (a + b), np.nan)


def duplicate(
    first: ArrayLike,
    first_kind: ArrayLike,
    second: ArrayLike,
    second_kind: ArrayLike,
    reporting_limit: ArrayLike,
    limit: float = 20.0,
) -> Flags:
    """Two measurements of one sample agree.

    Where both lie above five reporting limits by at most ``limit`` % of their mean, else by less
    than one reporting limit. A non-detect may be anything from 0 to its limit: the pair passes
    where all of that agrees and fails where none of it does.

    Args:
        first: the sample's result, or its detection limit.
        first_kind: 0 = measured, -1 = below.
        second: the duplicate's, in the same unit.
        second_kind: likewise.
        reporting_limit: in that unit; NaN = unknown, a pair that differs by more than ``limit`` %
            is then suspect: near the limit it may well do.
        limit: largest relative difference, %.

    Returns:
        A flag per pair.

    Raises:
        ValueError: a limit that is not above 0.

    >>> duplicate([10, 10, 0.10, 0.05], [0, 0, 0, -1], [11, 13, 0.14, 0.3], 0, 0.05).tolist()
    [1, 4, 1, 4]
    """
    if not limit > 0:
        raise ValueError("the limit of a relative difference is above 0")
    a, ka, b, kb, rl = np.broadcast_arrays(
        np.asarray(first, np.float64), first_kind, np.asarray(second, np.float64), second_kind,
        np.asarray(reporting_limit, np.float64),
    )  # fmt: skip
    low_a, low_b = np.where(ka < 0, 0.0, a), np.where(kb < 0, 0.0, b)
    censored = (ka < 0) | (kb < 0)
    most = np.maximum(np.abs(a - low_b), np.abs(b - low_a))
    least = np.maximum(np.maximum(low_a - b, low_b - a), 0.0)
    with np.errstate(invalid="ignore"):
        far = ~censored & (np.minimum(a, b) > _FAR_ABOVE * rl)
        near = relative_difference(a, b) <= limit
        absent = np.isnan(a) | np.isnan(b)
        alike = np.where(censored, most <= rl, np.abs(a - b) < rl)
        open_still = censored & ~(least >= rl)
        return _flags(
            [absent, ~censored & near, ~censored & np.isnan(rl), far, alike, open_still],
            [MISSING, PASS, SUSPECT, FAIL, PASS, NOT_EVALUATED],
            FAIL,
        )


def recovery(found: ArrayLike, added: ArrayLike, background: ArrayLike = 0.0) -> Floats:
    """Part of what was added that was found again, %: 100 (found - background) / added.

    Args:
        found: result of the spiked sample, or of a standard.
        added: amount added, or certified; NaN where not above 0.
        background: result of the sample itself, 0 of a standard.

    Returns:
        Recovery in %.

    >>> recovery([14.5, 9.8], [5, 10], [10, 0]).round(6).tolist()
    [90.0, 98.0]
    """
    f, a, b = (np.asarray(x, np.float64) for x in (found, added, background))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(a > 0, 100 * (f - b) / a, np.nan)


def judge_recovery(
    percent: ArrayLike,
    lowest: ArrayLike = 75.0,
    highest: ArrayLike = 125.0,
    added: ArrayLike = np.inf,
    background: ArrayLike = 0.0,
) -> Flags:
    """A recovery lies within its limits.

    A spike below a quarter of what the sample held already cannot be judged (US EPA, National
    Functional Guidelines for Inorganic Superfund Methods Data Review, 2017).

    Args:
        percent: recovery, %.
        lowest: smallest recovery allowed, %.
        highest: largest.
        added: amount added.
        background: what was there before, in the same unit.

    Returns:
        A flag per recovery.

    Raises:
        ValueError: limits upside down.

    >>> judge_recovery([98, 60, 60], added=[5, 5, 1], background=[1, 1, 10]).tolist()
    [1, 4, 2]
    """
    p, low, high, a, b = np.broadcast_arrays(
        *(np.asarray(x, np.float64) for x in (percent, lowest, highest, added, background))
    )
    if np.any(low > high):
        raise ValueError("the lowest recovery lies below the highest")
    within = (p >= low) & (p <= high)
    return _flags([np.isnan(p), a < _SPIKE_SHARE * b, within], [MISSING, NOT_EVALUATED, PASS], FAIL)


def detection_limit(spiked: ArrayLike, blanks: ArrayLike | None = None) -> tuple[float, float]:
    """Method detection limit, from spikes at a low level and from method blanks.

    MDL = t(n - 1, 0.99) s of the spikes; of blanks mean + t s where all gave a number (a mean
    below 0 counts as 0), their highest result (the 99th percentile of more than 100) where only
    some did. The larger of the two counts. 40 CFR 136 Appendix B, revision 2 (2017).

    Args:
        spiked: at least 7 results, none NaN.
        blanks: results of method blanks, NaN where a blank gave no number; None = none measured.

    Returns:
        MDL of spikes and of blanks (NaN where there is none).

    Raises:
        ValueError: fewer than 7 of either, or a spike without a number.

    >>> tuple(round(x, 6) for x in detection_limit([1.0, 1.2, 0.9, 1.1, 1.0, 0.8, 1.0]))
    (0.405717, nan)
    """
    x = np.asarray(spiked, np.float64)
    if x.size < 7 or np.isnan(x).any():
        raise ValueError("at least seven spikes with a number are needed")
    of_spikes = float(stats.t.ppf(0.99, x.size - 1) * x.std(ddof=1))
    if blanks is None:
        return of_spikes, float("nan")
    b = np.asarray(blanks, np.float64)
    if b.size < 7:
        raise ValueError("at least seven blanks are needed")
    told = b[~np.isnan(b)]
    if told.size == b.size:
        of_blanks = max(float(b.mean()), 0.0) + float(stats.t.ppf(0.99, b.size - 1) * b.std(ddof=1))
    elif not told.size:
        of_blanks = float("nan")
    elif b.size > _MANY_BLANKS:
        of_blanks = float(np.sort(np.nan_to_num(b, nan=-np.inf))[int(np.ceil(0.99 * b.size)) - 1])
        of_blanks = of_blanks if np.isfinite(of_blanks) else float(told.max())
    else:
        of_blanks = float(told.max())
    return of_spikes, of_blanks


def part_of_whole(
    part: ArrayLike,
    part_kind: ArrayLike,
    whole: ArrayLike,
    whole_kind: ArrayLike,
    tolerance: float = 0.1,
) -> Flags:
    """Dissolved is not more than total.

    Args:
        part: dissolved, or its detection limit.
        part_kind: 0 = measured, -1 = below.
        whole: total, in the same unit.
        whole_kind: likewise.
        tolerance: share of the total by which measuring may overstate the part: suspect up to
            there, failed beyond.

    Returns:
        A flag per pair; a non-detect that proves nothing is not evaluated.

    Raises:
        ValueError: a negative tolerance.

    >>> part_of_whole([1, 2.1, 3, 0.5], [0, 0, 0, -1], [2, 2, 2, 2], 0).tolist()
    [1, 3, 4, 1]
    """
    if tolerance < 0:
        raise ValueError("a tolerance is not negative")
    p, kp, w, kw = np.broadcast_arrays(
        np.asarray(part, np.float64), part_kind, np.asarray(whole, np.float64), whole_kind
    )
    absent = np.isnan(p) | np.isnan(w)
    with np.errstate(invalid="ignore"):
        beyond = (kp >= 0) & (p > w * (1 + tolerance))
        within = (kw >= 0) & (p <= w)
        unsure = (kp < 0) | (kw < 0)
    return _flags([absent, beyond, within, unsure], [MISSING, FAIL, PASS, NOT_EVALUATED], SUSPECT)


def holding(hours: ArrayLike, allowed: ArrayLike) -> Flags:
    """A sample was analysed in time.

    Args:
        hours: from taking the sample to its analysis; NaN = unknown, negative = clocks wrong.
        allowed: largest holding time, hours; NaN = no rule.

    Returns:
        A flag per result; analysed before it was taken fails.

    >>> holding([10, 60, -1, 10], [48, 48, 48, float("nan")]).tolist()
    [1, 4, 4, 2]
    """
    h, most = np.broadcast_arrays(np.asarray(hours, np.float64), np.asarray(allowed, np.float64))
    with np.errstate(invalid="ignore"):
        return _flags(
            [h < 0, np.isnan(h) | np.isnan(most), h <= most], [FAIL, NOT_EVALUATED, PASS], FAIL
        )


def expanded_uncertainty(
    control: ArrayLike, bias: ArrayLike, reference: ArrayLike = 0.0, coverage: float = 2.0
) -> tuple[float, float, float]:
    """Relative expanded uncertainty of results, from a laboratory's own controls.

    u = sqrt(u_Rw^2 + u_bias^2): u_Rw is the relative standard deviation of control samples,
    u_bias = sqrt(RMS bias^2 + mean u_ref^2) of recoveries. Nordtest TR 537, ed. 4 (2017).

    Args:
        control: found over expected of control samples, one level; at least 2.
        bias: found over expected of standards or spikes; at least 1.
        reference: relative standard uncertainty of the expected values.
        coverage: factor k.

    Returns:
        U, u_Rw and u_bias, all relative (0.1 = 10 %).

    Raises:
        ValueError: too few of either, or a coverage that is not above 0.

    >>> tuple(round(x, 4) for x in expanded_uncertainty([0.98, 1.02, 1.0], [0.97, 1.01], 0.01))
    (0.0632, 0.02, 0.0245)
    """
    within, away = np.asarray(control, np.float64), np.asarray(bias, np.float64) - 1.0
    if within.size < 2 or away.size < 1 or not coverage > 0:
        raise ValueError("two controls, one standard and a coverage factor above 0 are needed")
    u_rw = float(within.std(ddof=1) / within.mean())
    u_ref = float(np.mean(np.asarray(reference, np.float64)))
    u_bias = float(np.sqrt(np.mean(away**2) + u_ref**2))
    return coverage * float(np.hypot(u_rw, u_bias)), u_rw, u_bias


def _flags(cases: list[NDArray[np.bool_]], flags: list[int], otherwise: int) -> Flags:
    """The flag of the first case that holds."""
    return np.asarray(np.select(cases, flags, otherwise), np.uint8)
