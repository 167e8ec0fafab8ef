"""Areas of map classes corrected by a sample of references, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AdjustedAreas:
    """Areas by reference class, in the unit of the mapped areas.

    Attributes:
        area: best estimate.
        se: its standard error.
        low: lower end of its interval, not below 0.
        high: upper end.
        users: user's accuracy of each map class, 0 .. 1.
        producers: producer's accuracy of each reference class, 0 .. 1.
        overall: share of the area that is mapped right, 0 .. 1.
        level: confidence level of the intervals.
    """

    area: Floats
    se: Floats
    low: Floats
    high: Floats
    users: Floats
    producers: Floats
    overall: float
    level: float


def adjusted_areas(mapped: ArrayLike, confusion: ArrayLike, level: float = 0.95) -> AdjustedAreas:
    """Area estimates from a sample stratified by map class.

    With map class i of area A_i and weight W_i = A_i/A, and n_ij samples of it found to be j::

        area_j = A sum_i W_i n_ij/n_i
        se_j   = A sqrt(sum_i W_i^2 (n_ij/n_i)(1 - n_ij/n_i)/(n_i - 1))

    Olofsson et al. (2014), doi:10.1016/j.rse.2014.02.015, equations 9 to 11.

    Args:
        mapped: area of each map class, any unit.
        confusion: (map classes, reference classes) counts of the sample.
        level: of the intervals.

    Returns:
        The estimates.

    Raises:
        ValueError: another shape, negative counts, fewer than two samples of a class that has
            area, or a level out of range.

    >>> found = adjusted_areas([10.0, 90.0], [[8, 2], [5, 95]])
    >>> found.area.round(2).tolist()
    [12.5, 87.5]
    """
    areas = np.asarray(mapped, dtype=np.float64)
    counts = np.asarray(confusion, dtype=np.float64)
    if areas.ndim != 1 or counts.shape != (areas.size, areas.size):
        raise ValueError("the confusion matrix needs a row and a column for each class")
    if not 0 < level < 1:
        raise ValueError(f"the confidence level must lie between 0 and 1, not {level}")
    if (counts < 0).any() or (areas < 0).any():
        raise ValueError("counts and areas are not below zero")
    samples = counts.sum(axis=1)
    if ((areas > 0) & (samples < 2)).any():
        raise ValueError("every class that has area needs at least two samples")
    total = float(areas.sum())
    weight = areas / total
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(samples[:, None] > 0, counts / samples[:, None], 0.0)
        spread = np.where(samples[:, None] > 1, share * (1 - share) / (samples[:, None] - 1), 0.0)
        parts = weight[:, None] * share
        found = parts.sum(axis=0)
        producers = np.diag(parts) / found
        users = np.where(samples > 0, np.diag(counts) / samples, np.nan)
    se = np.sqrt((weight[:, None] ** 2 * spread).sum(axis=0))
    wide = float(norm.ppf(0.5 + level / 2))
    return AdjustedAreas(
        area=total * found,
        se=total * se,
        low=total * np.maximum(found - wide * se, 0.0),
        high=total * (found + wide * se),
        users=users,
        producers=producers,
        overall=float(np.trace(parts)),
        level=level,
    )
