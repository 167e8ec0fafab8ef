"""PC over many nodes in bounded memory: shortest paths from a few sources at a time."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Numbers of one block of path lengths: 64 MB.
_BLOCK = 8_000_000


def numerator(area: Floats, pairs: Ints, length: Floats, *, reach: float = np.inf) -> float:
    """Sum over all nodes of a_i a_j p*_ij, from links with their -ln p as length.

    Nodes without area serve as stepping stones only. Paths longer than ``reach`` count 0.

    Args:
        area: attribute of each node.
        pairs: (links, 2) nodes.
        length: -ln p of each link.
        reach: longest -ln p* that is followed.

    Returns:
        The numerator of PC, i = j included.
    """
    size = area.size
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    key, at = np.unique(low * size + high, return_inverse=True)
    # A length of exactly 0 would vanish from a sparse matrix; of doubles the shortest counts.
    shortest = np.full(key.size, np.inf)
    np.minimum.at(shortest, at, np.maximum(length, 1e-300))
    links = sp.csr_array((shortest, (key // size, key % size)), shape=(size, size))
    sources = np.flatnonzero(area > 0)
    step = max(1, _BLOCK // max(size, 1))
    total = 0.0
    for start in range(0, sources.size, step):
        some = sources[start : start + step]
        paths = dijkstra(links, directed=False, indices=some, limit=reach)
        total += float(area[some] @ (np.exp(-paths) @ area))
    return total
