"""Exact quantiles of values too many to hold: counted in brackets that narrow pass by pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Chunks = Callable[[], Iterable[tuple[NDArray[np.int64], Floats]]]

#: Bits of the value decided in each pass: many where the units are few.
_WIDE: Final = 16
_NARROW: Final = 8
#: Bins of all units in one pass, and values that are sorted at once in the end.
_BINS: Final = 1 << 23
_HELD: Final = 1 << 21


@dataclass(frozen=True)
class UnitQuantiles:
    """A quantile of each unit.

    Attributes:
        units: the units' codes, ascending.
        counts: valid values in each.
        quantile: the quantile of each, in the unit of the values.
        share: which quantile, 0 .. 1.
    """

    units: NDArray[np.int64]
    counts: NDArray[np.int64]
    quantile: Floats
    share: float

    def of(self, units: NDArray[np.int64]) -> Floats:
        """The quantile of each pixel's unit; NaN for a unit that is not here."""
        if not self.units.size:
            return np.full(np.shape(units), np.nan)
        place = np.clip(np.searchsorted(self.units, units), 0, self.units.size - 1)
        return np.where(self.units[place] == units, self.quantile[place], np.nan)


def unit_quantiles(chunks: Chunks, share: float) -> UnitQuantiles:
    """The exact quantile of every unit, from chunks that are gone through several times.

    Between two ranks it is linearly interpolated, as numpy's ``quantile`` does; the result
    does not depend on how the values are cut into chunks. Each pass decides some more bits of
    the values at the ranks asked for, until few enough values share them to be sorted at
    once; so memory grows with the units alone.

    Args:
        chunks: called once a pass; gives pairs of units (integers; negative = none) and
            values, of one length each; NaN = missing.
        share: 0 .. 1; 0.9 for the 90th percentile.

    Returns:
        The quantiles; units without any value are left out.

    Raises:
        ValueError: ``share`` out of range.

    >>> both = (np.array([1, 1, 2, 1]), np.array([0.1, 0.3, 9.0, 0.2]))
    >>> unit_quantiles(lambda: [both], 0.75).quantile.tolist()
    [0.25, 9.0]
    """
    if not 0 <= share <= 1:
        raise ValueError(f"the share of a quantile lies between 0 and 1, not {share}")
    units, counts = _count(chunks)
    rank = share * (counts - 1)
    low = np.floor(rank).astype(np.int64)
    at_low, at_high = _at_ranks(chunks, units, low)
    part = rank - low
    # Where the rank is whole there may be no value above it.
    step = np.where(part > 0, at_high - at_low, 0.0)
    return UnitQuantiles(units, counts, at_low + part * step, share)


def _valid(chunk: tuple[NDArray[np.int64], Floats]) -> tuple[NDArray[np.int64], Floats]:
    units, values = np.ravel(chunk[0]), np.ravel(chunk[1])
    there = (units >= 0) & np.isfinite(values)
    return units[there], values[there]


def _count(chunks: Chunks) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    units = np.empty(0, np.int64)
    counts = np.empty(0, np.int64)
    for chunk in chunks():
        here, often = np.unique(_valid(chunk)[0], return_counts=True)
        joined, at = np.unique(np.concatenate([units, here]), return_inverse=True)
        counts = np.bincount(at, np.concatenate([counts, often])).astype(np.int64)
        units = joined.astype(np.int64)
    return units, counts


def _at_ranks(
    chunks: Chunks, units: NDArray[np.int64], rank: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """The values of each unit at a rank counted from 0 and at the next; NaN beyond the last."""
    prefix = np.zeros(units.size, dtype=np.uint64)
    left = rank.copy()
    shift = 64
    bits = _WIDE if units.size << _WIDE <= _BINS else _NARROW
    sharing = _HELD + 1
    while shift and sharing > _HELD:
        shift -= bits
        upto = np.cumsum(_tally(chunks, units, prefix, shift, bits), axis=1)
        chosen = (upto <= left[:, None]).sum(axis=1)
        rows = np.arange(units.size)
        before = np.where(chosen > 0, upto[rows, np.maximum(chosen - 1, 0)], 0)
        sharing = int((upto[rows, chosen] - before).sum())
        left -= before
        prefix = (prefix << np.uint64(bits)) | chosen.astype(np.uint64)
    return _among(chunks, units, prefix, shift, left)


def _tally(
    chunks: Chunks, units: NDArray[np.int64], prefix: NDArray[np.uint64], shift: int, bits: int
) -> NDArray[np.int64]:
    """How many values of each unit's bracket have each of the next bits."""
    tally = np.zeros(units.size << bits, dtype=np.int64)
    for chunk in chunks():
        here, values = _valid(chunk)
        at = np.searchsorted(units, here)
        keys = _ordered(values)
        if shift + bits < 64:
            same = (keys >> np.uint64(shift + bits)) == prefix[at]
            at, keys = at[same], keys[same]
        digit = ((keys >> np.uint64(shift)) & np.uint64((1 << bits) - 1)).astype(np.int64)
        tally += np.bincount((at << bits) + digit, minlength=tally.size)
    return tally.reshape(units.size, 1 << bits)


def _among(
    chunks: Chunks,
    units: NDArray[np.int64],
    prefix: NDArray[np.uint64],
    shift: int,
    left: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """The values at places ``left`` among those of each unit's bracket, and the ones after."""
    above = np.full(units.size, np.inf)
    places, found = [np.empty(0, np.intp)], [np.empty(0)]
    for chunk in chunks():
        here, values = _valid(chunk)
        at = np.searchsorted(units, here)
        head = _ordered(values) >> np.uint64(shift)
        inside, beyond = head == prefix[at], head > prefix[at]
        places.append(at[inside])
        found.append(values[inside])
        np.minimum.at(above, at[beyond], values[beyond])
    place, value = np.concatenate(places), np.concatenate(found)
    order = np.lexsort((value, place))
    place, value = place[order], value[order]
    starts = np.searchsorted(place, np.arange(units.size))
    ends = np.searchsorted(place, np.arange(units.size), side="right")
    first = starts + left
    after = np.minimum(first + 1, max(value.size - 1, 0))
    following = np.where(first + 1 < ends, value[after], above)
    return value[first], np.where(np.isinf(following), np.nan, following)


def _ordered(values: Floats) -> NDArray[np.uint64]:
    """Whole numbers in the same order as the values: the bits, turned over where negative."""
    bits = (values + 0.0).view(np.uint64)
    sign = np.uint64(1 << 63)
    return np.where(bits & sign, ~bits, bits | sign)
