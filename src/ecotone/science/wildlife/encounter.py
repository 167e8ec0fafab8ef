"""Encounters by effort: camera-days with their gaps, patrols by grid cell, rates with intervals.

A rate by effort is an index: it mixes how many animals there are with how they move and how
well they are seen, and is never added up over countries.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

Rule = Literal["last-independent", "last-record"]


def union_length(group: Counts, start: Floats, end: Floats, groups: int) -> Floats:
    """Length of the union of intervals of each group: overlaps count once.

    >>> union_length(np.array([0, 0, 1]), np.array([0.0, 1.0, 5.0]), np.array([2.0, 3.0, 6.0]), 2)
    array([3., 1.])
    """
    order = np.lexsort((start, group))
    group, start, end = group[order], start[order], end[order]
    if len(group) == 0:
        return np.zeros(groups)
    # Groups are laid end to end, so that one running maximum serves them all.
    span = float(end.max() - start.min()) + 1.0
    shifted = end + group * span
    reached = np.maximum.accumulate(shifted)
    before = np.concatenate([[-np.inf], reached[:-1]]) - group * span
    length = np.clip(end - np.maximum(start, before), 0.0, None)
    total: Floats = np.bincount(group, length, groups).astype(np.float64)
    return total


def effort(
    start: Floats,
    end: Floats,
    gap_of: Counts,
    gap_start: Floats,
    gap_end: Floats,
) -> Floats:
    """Length of each deployment less its gaps; gaps outside it or twice told take nothing more.

    Args:
        start: (deployments,) in any unit of time.
        end: (deployments,).
        gap_of: (gaps,) deployment of each.
        gap_start: (gaps,).
        gap_end: (gaps,).
    """
    low = np.maximum(gap_start, start[gap_of])
    high = np.minimum(gap_end, end[gap_of])
    real = high > low
    lost = union_length(gap_of[real], low[real], high[real], len(start))
    remaining: Floats = end - start - lost
    return remaining


@compiled
def _keep_independent(group: Counts, time: Floats, least: float, keep: NDArray[np.bool_]) -> None:
    last = 0.0
    for i in range(len(time)):
        first = i == 0 or group[i] != group[i - 1]
        keep[i] = first or time[i] - last >= least
        if keep[i]:
            last = time[i]


def independent(
    group: Counts, time: Floats, least: float, rule: Rule = "last-independent"
) -> NDArray[np.bool_]:
    """Which records are independent: at least so long after the one before in their group.

    Args:
        group: (records,) such as a deployment and species.
        time: (records,).
        least: time between, in the same unit.
        rule: the record before is the last independent one, or the last of any.
    """
    order = np.lexsort((time, group))
    g, t = group[order], time[order]
    keep = np.ones(len(t), dtype=bool)
    if rule == "last-record":
        keep[1:] = (g[1:] != g[:-1]) | (np.diff(t) >= least)
    else:
        _keep_independent(g, t, least, keep)
    back = np.empty(len(t), dtype=bool)
    back[order] = keep
    return back


def poisson_rate(count: float, effort: float, level: float = 0.95) -> tuple[float, float, float]:
    """Rate by unit of effort and its exact interval (Garwood 1936, doi:10.2307/2333958).

    >>> [round(x, 4) for x in poisson_rate(9, 32.2806)]
    [0.2788, 0.1275, 0.5293]
    """
    if not effort > 0:
        return float("nan"), float("nan"), float("nan")
    tail = (1.0 - level) / 2.0
    low = float(chi2.ppf(tail, 2 * count)) / 2.0 if count > 0 else 0.0
    high = float(chi2.ppf(1.0 - tail, 2 * count + 2)) / 2.0
    return count / effort, low / effort, high / effort


def bootstrap_rate(
    counts: Floats, efforts: Floats, replicates: int, rng: np.random.Generator, level: float = 0.95
) -> tuple[float, float, float]:
    """Standard error and interval of the pooled rate, units of effort drawn anew.

    Units see more alike within than between, so that an interval from the number of encounters
    alone is too narrow.

    Returns:
        Standard error, low, high; NaN from fewer than two units.
    """
    units = len(counts)
    if units < 2:
        return float("nan"), float("nan"), float("nan")
    weights = rng.multinomial(units, np.full(units, 1.0 / units), size=replicates)
    total = weights @ efforts
    rates = (weights @ counts)[total > 0] / total[total > 0]
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(rates, [tail, 1.0 - tail])
    return float(rates.std(ddof=1)), float(low), float(high)


@compiled
def _walk_grid(
    track: Counts, x: Floats, y: Floats, column: Counts, row: Counts, length: Floats
) -> int:
    """Pieces of the tracks by grid cell; coordinates in cells. The number of pieces."""
    found = 0
    for i in range(len(x) - 1):
        if track[i] != track[i + 1]:
            continue
        dx = x[i + 1] - x[i]
        dy = y[i + 1] - y[i]
        total = math.hypot(dx, dy)
        at = 0.0
        while at < 1.0:
            # A point just behind the present one tells the cell that is entered.
            ahead = min(1.0, at + 1e-9)
            cx = math.floor(x[i] + ahead * dx)
            cy = math.floor(y[i] + ahead * dy)
            until = 1.0
            if dx > 0:
                until = min(until, (cx + 1 - x[i]) / dx)
            elif dx < 0:
                until = min(until, (cx - x[i]) / dx)
            if dy > 0:
                until = min(until, (cy + 1 - y[i]) / dy)
            elif dy < 0:
                until = min(until, (cy - y[i]) / dy)
            until = max(until, ahead)
            if found < len(length):
                column[found] = cx
                row[found] = cy
                length[found] = (until - at) * total
            found += 1
            at = until
    return found


def effort_by_cell(
    track: Counts, x: Floats, y: Floats, cell: float
) -> tuple[Counts, Counts, Floats]:
    """Length of tracks in each cell of a grid through the origin.

    Args:
        track: (points,) track of each point, points in order.
        x: (points,) on a plane.
        y: (points,) on a plane.
        cell: side of a cell, in the same unit.

    Returns:
        Column, row and length of each cell that was entered, by column and row.
    """
    room = 1 << 12
    while True:
        column, row = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        length = np.empty(room)
        found = _walk_grid(track, x / cell, y / cell, column, row, length)
        if found <= room:
            break
        room = found
    cells, where = np.unique(np.stack([column[:found], row[:found]]), axis=1, return_inverse=True)
    total = np.bincount(where.ravel(), length[:found], cells.shape[1]) * cell
    return cells[0].astype(np.int64), cells[1].astype(np.int64), total.astype(np.float64)
