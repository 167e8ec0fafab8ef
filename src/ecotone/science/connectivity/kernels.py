"""Movement from many places: resistant kernels and factorial least-cost paths.

Compton et al. (2007), doi:10.1111/j.1523-1739.2007.00674.x; Cushman et al. (2009),
doi:10.1111/j.1523-1739.2008.01111.x; both linear in the weights of the places.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled
from ecotone.science.connectivity.leastcost import cost_distance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Shape = Literal["linear", "gaussian"]
#: Standard deviations of a Gaussian kernel within its threshold.
_DEVIATIONS: Final = 3.0


def spread_from(
    resistance: Floats,
    cells: Ints,
    weight: Floats,
    targets: Ints,
    *,
    threshold: float,
    shape: Shape = "linear",
    cell: float = 1.0,
    neighbours: int = 8,
) -> tuple[Floats, Floats]:
    """Kernels and path densities of some sources, summed.

    Args:
        resistance: of each cell, NaN where nothing can pass.
        cells: flat numbers of the source cells.
        weight: of each source.
        targets: flat numbers of all places that paths lead to.
        threshold: cost at which a kernel and a path end.
        shape: of a kernel: 1 - cost / threshold, or a Gaussian of three standard deviations.
        cell: length of a cell's side.
        neighbours: 4, 8 or 16.

    Returns:
        The sum of weight times kernel, and the number of least-cost paths through each cell:
        of each pair of places half the weight of the one and half of the other, so that pairs
        of weight 1 count once.
    """
    kernel, paths = np.zeros(resistance.shape), np.zeros(resistance.shape)
    for place, share in zip(cells.tolist(), weight.tolist(), strict=True):
        begin = np.zeros(resistance.shape, dtype=np.bool_)
        begin.ravel()[place] = True
        cost, before = cost_distance(resistance, begin, cell=cell, neighbours=neighbours)
        kernel += share * kernel_of(cost, threshold, shape)
        reached = targets[(targets != place) & (cost.ravel()[targets] <= threshold)]
        ends = np.bincount(reached, minlength=resistance.size).astype(np.float64)
        _downstream(np.argsort(cost.ravel(), kind="stable"), before.ravel(), ends)
        ends[place] = reached.size
        paths += 0.5 * share * ends.reshape(resistance.shape)
    return kernel, paths


def kernel_of(cost: Floats, threshold: float, shape: Shape) -> Floats:
    """The kernel at a cost: 1 at the source, 0 beyond the threshold."""
    with np.errstate(over="ignore"):
        share = cost / threshold
        inner = 1.0 - share if shape == "linear" else np.exp(-0.5 * (_DEVIATIONS * share) ** 2)
    kernel: Floats = np.where(share <= 1.0, inner, 0.0)
    return kernel


@compiled
def _downstream(order: Ints, before: Ints, ends: Floats) -> None:
    """Hand the number of paths that end in or pass a cell on to the cell they come from."""
    for k in range(order.size - 1, -1, -1):
        cell = order[k]
        if before[cell] >= 0 and ends[cell] > 0.0:
            ends[before[cell]] += ends[cell]
