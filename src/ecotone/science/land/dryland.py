"""Drylands: aridity, fractional vegetation cover, sensitivity to desertification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Upper limits of P/PET for hyper-arid, arid, semi-arid and dry subhumid land (UNEP 1997).
ARIDITY_LIMITS: Final = (0.05, 0.2, 0.5, 0.65)
#: Upper limits of non-affected, potential, fragile 1 to 3, critical 1 to 2; then critical 3.
SENSITIVITY_LIMITS: Final = (1.17, 1.225, 1.265, 1.325, 1.375, 1.415, 1.53)


def aridity_index(precipitation: ArrayLike, evaporation: ArrayLike) -> Floats:
    """P / PET of the same years.

    Args:
        precipitation: mm a year.
        evaporation: potential, mm a year.

    Returns:
        The ratio; NaN where PET is not positive.
    """
    pet = np.asarray(evaporation, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(precipitation, dtype=np.float64) / pet
    index: Floats = np.where(pet > 0, ratio, np.nan)
    return index


def aridity_classes(index: ArrayLike) -> NDArray[np.int16]:
    """1 hyper-arid, 2 arid, 3 semi-arid, 4 dry subhumid, 5 humid.

    Args:
        index: P/PET, NaN = unknown.

    Returns:
        1 .. 5, 0 where unknown; a limit itself belongs to the wetter class.

    >>> aridity_classes([0.04, 0.05, 0.3, 0.65]).tolist()
    [1, 2, 3, 5]
    """
    value = np.asarray(index, dtype=np.float64)
    classes = np.digitize(np.nan_to_num(value), ARIDITY_LIMITS) + 1
    return np.where(np.isnan(value), 0, classes).astype(np.int16)


def vegetation_cover(ndvi: ArrayLike, soil: float, full: float) -> Floats:
    """Fractional cover by the two end members, the same for all years.

    (NDVI - soil) / (full - soil), held between 0 and 1. End members taken anew from each
    scene's percentiles would make years incomparable. Gutman and Ignatov (1998),
    doi:10.1080/014311698215333.

    Args:
        ndvi: NaN = missing.
        soil: NDVI of bare soil.
        full: NDVI of full cover.

    Returns:
        0 .. 1.

    Raises:
        ValueError: end members that are equal or the wrong way round.

    >>> vegetation_cover([0.05, 0.475, 0.9], 0.05, 0.9).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    if not full > soil:
        raise ValueError("the end member of full cover must lie above that of bare soil")
    share = (np.asarray(ndvi, dtype=np.float64) - soil) / (full - soil)
    cover: Floats = np.clip(share, 0.0, 1.0)
    return cover


def quality_index(scores: Sequence[ArrayLike]) -> tuple[Floats, NDArray[np.int64]]:
    """Geometric mean of scores 1 .. 2, of those that are known, and how many were.

    Args:
        scores: one raster a factor, NaN = missing.

    Returns:
        The index, NaN where none is known, and the number of factors behind it.

    Raises:
        ValueError: no factor, or a score outside 1 .. 2.

    >>> quality_index([[1.0], [2.0]])[0].round(4).tolist()
    [1.4142]
    """
    if not scores:
        raise ValueError("a quality needs at least one factor")
    stack = np.stack([np.asarray(score, dtype=np.float64) for score in scores])
    known = np.isfinite(stack)
    if ((stack < 1) | (stack > 2)).any():
        raise ValueError("scores of sensitivity lie between 1 and 2")
    number = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.exp(
            np.where(known, np.log(np.where(known, stack, 1.0)), 0.0).sum(axis=0) / number
        )
    index: Floats = np.where(number > 0, mean, np.nan)
    return index, number


def sensitivity(
    soil: ArrayLike, climate: ArrayLike, vegetation: ArrayLike, use: ArrayLike
) -> Floats:
    """Environmentally sensitive area index: the fourth root of the four qualities' product.

    Kosmas et al. (1999), The MEDALUS project, EUR 18882.

    Args:
        soil: soil quality, 1 .. 2.
        climate: climate quality.
        vegetation: vegetation quality.
        use: management quality.

    Returns:
        ESAI, 1 .. 2; NaN where any quality is missing.

    >>> sensitivity(1.0, 2.0, 1.0, 2.0).round(4).tolist()
    1.4142
    """
    product = np.asarray(soil, dtype=np.float64)
    for quality in (climate, vegetation, use):
        product = product * np.asarray(quality, dtype=np.float64)
    index: Floats = product**0.25
    return index


def sensitivity_classes(index: ArrayLike) -> NDArray[np.int16]:
    """1 not affected, 2 potential, 3 to 5 fragile, 6 to 8 critical.

    Args:
        index: ESAI, NaN = unknown.

    Returns:
        1 .. 8, 0 where unknown; a limit itself belongs to the lower class.

    >>> sensitivity_classes([1.1, 1.3, 1.6]).tolist()
    [1, 4, 8]
    """
    value = np.asarray(index, dtype=np.float64)
    classes = np.digitize(np.nan_to_num(value), SENSITIVITY_LIMITS, right=True) + 1
    return np.where(np.isnan(value), 0, classes).astype(np.int16)
