"""A sorting network: which pairs of places to compare, in which order, whatever the values.

The order of comparisons does not depend on the data, so one comparison can be carried out for
many pixels at once in the lanes of the processor. A sort per pixel branches on its values and
cannot.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray


@functools.cache
def sorting_network(size: int) -> NDArray[np.int32]:
    """Batcher's odd-even merge sort for ``size`` values, as compare-exchange steps.

    Each step (i, j), i < j, puts the smaller value at i and the larger at j; after all steps
    the values ascend. Batcher (1968), doi:10.1145/1468075.1468121.

    Args:
        size: number of values, at least 0.

    Returns:
        Read-only int32 array of shape (steps, 2).

    >>> sorting_network(3).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    network = np.array(_steps(size), dtype=np.int32).reshape(-1, 2)
    network.setflags(write=False)
    return network


def _steps(size: int) -> list[tuple[int, int]]:
    """The steps for the next power of two, without those that touch a place beyond ``size``.

    The missing places may be thought of as holding infinity: no step would move it.
    """
    steps: list[tuple[int, int]] = []
    run = 1
    while run < size:
        gap = run
        while gap >= 1:
            for start in range(gap % run, size - gap, 2 * gap):
                steps.extend(
                    (low, low + gap)
                    for low in range(start, min(start + gap, size - gap))
                    if low // (2 * run) == (low + gap) // (2 * run)
                )
            gap //= 2
        run *= 2
    return steps
