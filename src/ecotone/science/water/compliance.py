"""Results of a laboratory against a standard, those below or above a limit included."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.stats.shares import clopper_pearson

Floats = NDArray[np.float64]

#: Two numbers this close, relative to the larger, are the same: 300 ug/L turned into mg/L is
#: 0.3 mg/L although the machine's last bit differs.
_SAME: Final = 1e-9


class Verdict(IntEnum):
    """What one result says about one standard."""

    NONE = -1  #: no result, or no standard
    PASSES = 0  #: the true value meets the standard, whatever it is
    EXCEEDS = 1  #: the true value breaks it, whatever it is
    UNDETERMINED = 2  #: the true value may do either


def judge(
    value: ArrayLike,
    kind: ArrayLike,
    maximum: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
) -> NDArray[np.int8]:
    """Hold results against a maximum, a minimum or a range; the limit itself is allowed.

    A result ``< L`` says only that the true value lies below L. It passes a maximum if
    L <= maximum, else nothing is known; it breaks a minimum if L <= minimum, else nothing is
    known. ``> L`` is the mirror image. A range (pH 6.5 to 8.5) is broken where either side
    is, undetermined where either side is, passed where both are. L is never halved, dropped
    or taken for a measurement (JCGM 106:2012; Helsel 2012, doi:10.1002/9781118162729).

    Args:
        value: results, or the limit L of censored ones; NaN = no result. Any unit, that of
            the standard.
        kind: 0 = measured, -1 = below ``value``, +1 = above it; broadcast with ``value``.
        maximum: largest value allowed; NaN = no maximum.
        minimum: smallest value allowed; NaN = no minimum.

    Returns:
        int8 codes of ``Verdict`` in the broadcast shape.

    Raises:
        ValueError: a ``kind`` other than -1, 0, 1, or a minimum above its maximum.

    >>> judge([0.5, 2.0, 0.5, 3.0], [0, 0, -1, -1], maximum=1.0).tolist()
    [0, 1, 0, 2]
    """
    v, k, top, bottom = _broadcast(value, kind, maximum, minimum)
    at_most_top = v <= top + _SAME * np.abs(top)
    at_least_bottom = v >= bottom - _SAME * np.abs(bottom)
    at_least_top = v >= top - _SAME * np.abs(top)
    at_most_bottom = v <= bottom + _SAME * np.abs(bottom)
    over = np.select(
        [np.isnan(top), k == 0, k < 0],
        [
            Verdict.PASSES,
            np.where(at_most_top, Verdict.PASSES, Verdict.EXCEEDS),
            np.where(at_most_top, Verdict.PASSES, Verdict.UNDETERMINED),
        ],
        np.where(at_least_top, Verdict.EXCEEDS, Verdict.UNDETERMINED),
    )
    under = np.select(
        [np.isnan(bottom), k == 0, k > 0],
        [
            Verdict.PASSES,
            np.where(at_least_bottom, Verdict.PASSES, Verdict.EXCEEDS),
            np.where(at_least_bottom, Verdict.PASSES, Verdict.UNDETERMINED),
        ],
        np.where(at_most_bottom, Verdict.EXCEEDS, Verdict.UNDETERMINED),
    )
    broken = (over == Verdict.EXCEEDS) | (under == Verdict.EXCEEDS)
    verdict = np.where(broken, int(Verdict.EXCEEDS), np.maximum(over, under))
    nothing = np.isnan(v) | (np.isnan(top) & np.isnan(bottom))
    return np.where(nothing, int(Verdict.NONE), verdict).astype(np.int8)


def excess(
    value: ArrayLike,
    kind: ArrayLike,
    maximum: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
) -> Floats:
    """How far a result lies beyond the standard; negative where it lies inside.

    The larger of value - maximum and minimum - value. ``< L`` says nothing about a maximum
    and is left out there, as ``> L`` is for a minimum; on the other side L is the least that
    is known.

    Args:
        value: as in ``judge``.
        kind: as in ``judge``.
        maximum: as in ``judge``.
        minimum: as in ``judge``.

    Returns:
        The excess in the unit of the values; NaN where the result says nothing.

    Raises:
        ValueError: as ``judge``.

    >>> excess([0.5, 2.0, 0.5], [0, 0, -1], maximum=1.0).tolist()
    [-0.5, 1.0, nan]
    """
    v, k, top, bottom = _broadcast(value, kind, maximum, minimum)
    over = np.where(k < 0, np.nan, v - top)
    under = np.where(k > 0, np.nan, bottom - v)
    return np.fmax(over, under)


def share_with_unknown(
    yes: ArrayLike, no: ArrayLike, unknown: ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """A share of which some members are not known, with an interval that covers them all.

    share = yes/(yes + no); low is the lower Clopper-Pearson end of yes out of all, as if every
    unknown one were a no; high the upper end of yes + unknown out of all.

    Args:
        yes: number known to count; any shape.
        no: number known not to count.
        unknown: number of which neither is known.
        level: confidence level of the interval, above 0 and below 1.

    Returns:
        Share, low and high, 0 .. 1. Share is NaN where nothing is known; low and high are NaN
        where there is nothing at all.

    Raises:
        ValueError: a negative number, or ``level`` out of range.

    >>> share, low, high = share_with_unknown(2, 6, 2)
    >>> [round(float(x), 4) for x in (share, low, high)]
    [0.25, 0.0252, 0.7376]
    """
    counts = np.broadcast_arrays(*(np.asarray(c, np.float64) for c in (yes, no, unknown)))
    hits, misses, open_ones = counts
    if any(np.any(c < 0) for c in counts):
        raise ValueError("numbers of results cannot be negative")
    everything = hits + misses + open_ones
    low, _ = clopper_pearson(hits, everything, level)
    _, high = clopper_pearson(hits + open_ones, everything, level)
    known = hits + misses
    share = np.divide(hits, known, out=np.full(known.shape, np.nan), where=known > 0)
    return share, low, high


def _broadcast(
    value: ArrayLike, kind: ArrayLike, maximum: ArrayLike, minimum: ArrayLike
) -> tuple[Floats, NDArray[np.int8], Floats, Floats]:
    v, k, top, bottom = np.broadcast_arrays(
        np.asarray(value, np.float64),
        np.asarray(kind, np.int8),
        np.asarray(maximum, np.float64),
        np.asarray(minimum, np.float64),
    )
    if np.any(np.abs(k) > 1):
        raise ValueError("kind is -1 (below), 0 (measured) or 1 (above)")
    if np.any(bottom > top):
        raise ValueError("a minimum lies above its maximum")
    return v, k, top, bottom
