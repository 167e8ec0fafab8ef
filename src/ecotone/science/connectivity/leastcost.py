"""Least cost over rasters: cost distance, paths, corridors and barriers.

A step costs its length times the mean resistance of its two cells, as in ArcGIS, UNICOR and
scikit-image. Normalised least-cost corridors and barrier scores after McRae et al. (2012),
doi:10.1371/journal.pone.0052604.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Steps by number of neighbours: rows down, columns right.
STEPS: Final = {
    4: np.array([(-1, 0), (1, 0), (0, -1), (0, 1)], dtype=np.int64),
    8: np.array(
        [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j],
        dtype=np.int64,
    ),
}
#: Knight's moves make 16: a path is then at most 2.7 % too long instead of 8 %.
STEPS[16] = np.vstack(
    [
        STEPS[8],
        np.array(
            [(i, j) for i in (-2, -1, 1, 2) for j in (-2, -1, 1, 2) if abs(i) != abs(j)],
            dtype=np.int64,
        ),
    ]
)


def cost_distance(
    resistance: Floats, sources: NDArray[np.bool_], *, cell: float = 1.0, neighbours: int = 8
) -> tuple[Floats, Ints]:
    """The least cost from any source cell to every cell, and the cell each path comes from.

    Args:
        resistance: of each cell, NaN where nothing can pass.
        sources: cells where paths begin, at no cost.
        cell: length of a cell's side.
        neighbours: 4, 8 or 16.

    Returns:
        Costs (infinite where nothing reaches) and flat numbers of the cell before, -1 at
        sources and where nothing reaches.
    """
    cost = np.full(resistance.shape, np.inf)
    before = np.full(resistance.size, -1, dtype=np.int64)
    begin = np.flatnonzero(sources & np.isfinite(resistance))
    steps = STEPS[neighbours]
    length = np.hypot(steps[:, 0], steps[:, 1]) * cell
    known = np.where(np.isfinite(resistance), resistance, -1.0)
    _spread(known, begin, steps, length, cost.ravel(), before)
    return cost, before.reshape(resistance.shape)


@compiled
def _spread(
    resistance: Floats, begin: Ints, steps: Ints, length: Floats, cost: Floats, before: Ints
) -> None:
    """Dijkstra's search with a binary heap of (cost, cell); stale entries are passed over."""
    height, width = resistance.shape
    room = 1024 + 2 * begin.size
    keys = np.empty(room)
    cells = np.empty(room, dtype=np.int64)
    count = 0
    for s in range(begin.size):
        cost[begin[s]] = 0.0
        keys[count] = 0.0
        cells[count] = begin[s]
        count += 1
    while count > 0:
        here = cells[0]
        spent = keys[0]
        count -= 1
        # The last entry sinks from the top to its place.
        key = keys[count]
        cell = cells[count]
        at = 0
        while True:
            child = 2 * at + 1
            if child >= count:
                break
            if child + 1 < count and keys[child + 1] < keys[child]:
                child += 1
            if keys[child] >= key:
                break
            keys[at] = keys[child]
            cells[at] = cells[child]
            at = child
        keys[at] = key
        cells[at] = cell
        if spent > cost[here]:
            continue
        row = here // width
        column = here - row * width
        for k in range(steps.shape[0]):
            r = row + steps[k, 0]
            c = column + steps[k, 1]
            if r < 0 or r >= height or c < 0 or c >= width or resistance[r, c] < 0.0:
                continue
            total = spent + length[k] * 0.5 * (resistance[row, column] + resistance[r, c])
            there = r * width + c
            if total >= cost[there]:
                continue
            cost[there] = total
            before[there] = here
            if count == keys.size:
                wider = np.empty(2 * count)
                wider[:count] = keys
                keys = wider
                more = np.empty(2 * count, dtype=np.int64)
                more[:count] = cells
                cells = more
            at = count
            count += 1
            while at > 0:
                parent = (at - 1) // 2
                if keys[parent] <= total:
                    break
                keys[at] = keys[parent]
                cells[at] = cells[parent]
                at = parent
            keys[at] = total
            cells[at] = there


def path_to(before: Ints, cell: int) -> Ints:
    """The cells of the least-cost path that ends in ``cell``, from its source on."""
    steps = [cell]
    flat = before.ravel()
    while flat[steps[-1]] >= 0:
        steps.append(int(flat[steps[-1]]))
    return np.array(steps[::-1], dtype=np.int64)


def corridor(cost_a: Floats, cost_b: Floats, least: float) -> Floats:
    """Normalised least-cost corridor: what a detour through each cell adds; 0 on the path."""
    with np.errstate(invalid="ignore"):
        extra: Floats = cost_a + cost_b - least
    return extra


def barrier_score(
    cost_a: Floats, cost_b: Floats, least: float, *, radius: float, cell: float
) -> Floats:
    """Cost that would be saved per metre restored, were a disc made passable at resistance 1.

    (LCD - (least CWD_a in the disc + least CWD_b in the disc + D)) / D with D the diameter;
    0 where nothing would be saved.
    """
    reach = max(1, round(radius / cell))
    down, right = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.hypot(down, right) <= radius / cell
    near_a = minimum_filter(cost_a, footprint=disc, mode="constant", cval=np.inf)
    near_b = minimum_filter(cost_b, footprint=disc, mode="constant", cval=np.inf)
    across = 2.0 * radius
    score: Floats = (least - (near_a + near_b + across)) / across
    return np.maximum(score, 0.0)
