"""PC and IIC over many nodes in bounded memory: paths from a few sources at a time."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Numbers of one block of path lengths: 64 MB.
_BLOCK = 8_000_000
#: Of how many nearest neighbours a detour is tried.
_DETOURS = 128
#: Of more links some are tried first; where nearly all of these stay, all do.
_MANY = 50_000
_SAMPLE = 2_000
_MOST = 0.95


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
    links = thinned(links)
    sources = np.flatnonzero(area > 0)
    step = max(1, _BLOCK // max(size, 1))
    total = 0.0
    for start in range(0, sources.size, step):
        some = sources[start : start + step]
        paths = dijkstra(links, directed=False, indices=some, limit=reach)
        total += float(area[some] @ (np.exp(-paths) @ area))
    return total


def thinned(links: sp.csr_array, *, detours: int = 1, slack: float = 0.0) -> sp.csr_array:
    """Links without those that a detour of two shorter links makes good.

    Both links of the detour are strictly shorter than the one left out, so by induction on
    the length all shortest paths stay as they are. With two ``detours``, through different
    nodes, they stay so whatever one other node or link is taken away.

    Args:
        links: lengths, each link once (row below column), zeros written as tiny numbers.
        detours: how many detours make a link good.
        slack: by what share a detour must be shorter than the link.

    Returns:
        The links that are left, in the same form.
    """
    both = (links + links.T).tocsr()
    both.sort_indices()
    upper = links.tocoo()
    nearest = _nearest(both.indptr, both.data, _DETOURS)

    def left(some: slice) -> NDArray[np.bool_]:
        kept = np.ones(upper.data[some].size, dtype=np.bool_)
        _detours(
            both.indptr, both.indices, both.data, nearest,
            np.ascontiguousarray(upper.coords[0][some]),
            np.ascontiguousarray(upper.coords[1][some]),
            upper.data[some] * (1.0 - slack), detours, kept,
        )  # fmt: skip
        return kept

    if upper.nnz > _MANY and left(slice(None, None, upper.nnz // _SAMPLE)).mean() > _MOST:
        # Straight lines between points: no detour is as short, and looking for one takes long.
        return links
    kept = left(slice(None))
    ends = (upper.coords[0][kept], upper.coords[1][kept])
    return sp.csr_array((upper.data[kept], ends), shape=links.shape)


@compiled
def _nearest(start: NDArray[np.int32], length: Floats, count: int) -> NDArray[np.int64]:
    """The places of the shortest links of each row, -1 where there are fewer."""
    size = start.size - 1
    out = np.full((size, count), -1, dtype=np.int64)
    for i in range(size):
        order = np.argsort(length[start[i] : start[i + 1]])
        for k in range(min(count, order.size)):
            out[i, k] = start[i] + order[k]
    return out


@compiled
def _detours(
    start: NDArray[np.int32],
    column: NDArray[np.int32],
    length: Floats,
    nearest: NDArray[np.int64],
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    own: Floats,
    wanted: int,
    kept: NDArray[np.bool_],
) -> None:
    """Strike out every link that detours through near neighbours of its row replace."""
    for e in range(rows.size):
        i = rows[e]
        j = columns[e]
        found = 0
        for n in range(nearest.shape[1]):
            place = nearest[i, n]
            if place < 0 or length[place] >= own[e]:
                break
            low = start[column[place]]
            high = start[column[place] + 1]
            while low < high:
                middle = (low + high) // 2
                if column[middle] < j:
                    low = middle + 1
                else:
                    high = middle
            if low < start[column[place] + 1] and column[low] == j:
                rest = length[low]
                if rest < own[e] and length[place] + rest <= own[e]:
                    found += 1
                    if found == wanted:
                        kept[e] = False
                        break
