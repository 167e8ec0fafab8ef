"""Drought classes of the UNCCD, worst of four years, people exposed, vulnerability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.land.lookup import NODATA, Codes

Floats = NDArray[np.float64]

#: Classes by number: none, mild, moderate, severe, extreme.
DROUGHT_CLASSES: Final = (0, 1, 2, 3, 4)
#: Years of a reporting block.
BLOCK_YEARS: Final = 4
_CUTS: Final = (0.0, -1.0, -1.5, -2.0)


def drought_classes(index: ArrayLike, rule: Literal["unccd", "trends_earth"] = "unccd") -> Codes:
    """The class of a standardised index.

    ``unccd``: none above 0, mild (-1, 0], moderate (-1.5, -1], severe (-2, -1.5], extreme -2
    and below. ``trends_earth`` puts 0, -1, -1.5 and -2 themselves one class milder.

    Args:
        index: SPI or SPEI, NaN = missing.
        rule: which side of a limit belongs to which class.

    Returns:
        0 none .. 4 extreme, ``NODATA`` where missing.

    >>> drought_classes([0.3, 0.0, -1.0, -1.5, -2.0]).tolist()
    [0, 1, 2, 3, 4]
    """
    value = np.asarray(index, dtype=np.float64)
    below = np.less_equal if rule == "unccd" else np.less
    steps = sum(below(value, cut).astype(np.int16) for cut in _CUTS)
    out: Codes = np.where(np.isnan(value), NODATA, steps).astype(np.int16)
    return out


def year_blocks(years: Sequence[int], first: int, length: int = BLOCK_YEARS) -> list[list[int]]:
    """The years there are in each block of ``length`` years from ``first`` on.

    Args:
        years: the years there are.
        first: the year in which the first block begins, 2000 in the UNCCD reports.
        length: of a block, its last year included.

    Returns:
        One list a block; one without any year is left out.

    >>> year_blocks([2000, 2001, 2003, 2004], 2000)
    [[2000, 2001, 2003], [2004]]
    """
    there = sorted(set(years))
    if not there:
        return []
    blocks = [
        [year for year in there if start <= year < start + length]
        for start in range(first, there[-1] + 1, length)
    ]
    return [block for block in blocks if block]


def worst_year(index: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    """The driest of some years in each pixel, from the years it has values for.

    Args:
        index: (years, ...), all the years of a block, NaN = missing.

    Returns:
        The least index, NaN where no year has one, and its place among the years (-1 there);
        the earliest of equal ones.

    >>> worst_year([[-0.5], [np.nan], [-2.1], [-1.0]])[0].tolist()
    [-2.1]
    """
    values = np.asarray(index, dtype=np.float64)
    filled = np.where(np.isnan(values), np.inf, values)
    at = np.argmin(filled, axis=0)
    none = np.isnan(values).all(axis=0)
    worst = np.where(none, np.nan, np.take_along_axis(filled, at[None], axis=0)[0])
    return worst, np.where(none, -1, at)


def exposed(classes: ArrayLike, people: ArrayLike) -> Floats:
    """People by class of drought where they live; no one is lost or counted twice.

    Args:
        classes: 0 .. 4 or ``NODATA``.
        people: number in each pixel, NaN = none, same shape.

    Returns:
        Shape (6,): people in classes 0 .. 4 and where there is no class.

    Raises:
        ValueError: a negative number of people: a no-data value that was not told.

    >>> exposed([0, 4, -32768], [10.0, 5.0, 1.0]).tolist()
    [10.0, 0.0, 0.0, 0.0, 5.0, 1.0]
    """
    codes, count = np.broadcast_arrays(np.asarray(classes), np.asarray(people, dtype=np.float64))
    number = np.where(np.isnan(count), 0.0, count)
    if (number < 0).any():
        raise ValueError("people below zero")
    if ((codes != NODATA) & ((codes < 0) | (codes > 4))).any():
        raise ValueError("drought classes are 0 to 4")
    at = np.where(codes == NODATA, 5, codes)
    return np.bincount(at.ravel(), number.ravel(), minlength=6).astype(np.float64)


def vulnerability(components: Sequence[Sequence[tuple[ArrayLike, int]]]) -> Floats:
    """Drought vulnerability index: mean of components, each the mean of its scaled factors.

    A factor is scaled to 0 .. 1 between its least and greatest value over the whole national
    series, turned over where more of it means less vulnerable. Values of two countries cannot
    be compared: each has its own scale. Carrao et al. (2016),
    doi:10.1016/j.gloenvcha.2016.04.012.

    Args:
        components: social, economic and infrastructural factors: (series, +1 or -1) pairs.

    Returns:
        The index, 0 .. 1, one a step of the series; a factor that never changes counts as 0.
        NaN where any factor is missing.

    Raises:
        ValueError: no component, or one without a factor.

    >>> vulnerability([[([0.0, 10.0], 1)], [([5.0, 1.0], -1)], [([1.0, 2.0], 1)]]).tolist()
    [0.0, 1.0]
    """
    if not components or not all(components):
        raise ValueError("every component needs a factor")
    means = []
    for factors in components:
        scaled = []
        for series, direction in factors:
            values = np.asarray(series, dtype=np.float64)
            low, high = np.nanmin(values), np.nanmax(values)
            share = (values - low) / (high - low) if high > low else values * 0.0
            scaled.append(share if direction > 0 else 1 - share)
        means.append(np.mean(scaled, axis=0))
    index: Floats = np.mean(means, axis=0)
    return index
