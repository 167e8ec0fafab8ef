"""What goes through each link and node of a graph of patches: exact link deltas, betweenness.

Link importance after Saura and Rubio (2010), doi:10.1111/j.1600-0587.2009.05760.x; betweenness
weighted by area and probability after Bodin and Saura (2010),
doi:10.1016/j.ecolmodel.2010.06.015.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled
from ecotone.science.connectivity.patches import Index, joined, lengths, shortest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Path lengths closer than this, relatively, are the same length.
_SAME = 1e-12


def link_shares(area: Floats, direct: Floats, pairs: Ints, index: Index) -> Floats:
    """The share of an index's numerator that goes with each link, paths found anew without it.

    Args:
        area: attribute of each node.
        direct: probabilities (``pc``), or anything above 0 where there is a link (``iic``).
        pairs: (links, 2) nodes.
        index: which index.

    Returns:
        Shares from 0 to 1; 0 for a pair that has no link.
    """
    length = np.ascontiguousarray(lengths(direct, index))
    paths = shortest(length)
    whole = float(area @ joined(paths, index) @ area)
    lost = np.zeros(len(pairs))
    if whole > 0:
        _lost(length, paths, np.asarray(area, np.float64), index == "pc", pairs, lost)
        lost /= whole
    return lost


def link_losses(area: Floats, direct: Floats, pairs: Ints) -> Floats:
    """Per cent of the equivalent connected area that goes with each link, exactly.

    >>> direct = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]])
    >>> link_losses(np.ones(3), direct, np.array([[0, 1], [0, 2]])).round(4).tolist()
    [14.7197, 0.0]
    """
    share = link_shares(area, direct, pairs, "pc")
    kept: Floats = np.sqrt(np.maximum(1.0 - share, 0.0))
    return 100.0 * (1.0 - kept)


def betweenness(area: Floats, direct: Floats, index: Index = "pc") -> Floats:
    """What passes through each node: a_i a_j p*_ij over pairs of other nodes, each pair once.

    Where several paths are best each takes its part (Brandes 2001,
    doi:10.1080/0022250X.2001.9990249).

    >>> direct = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]])
    >>> betweenness(np.array([1.0, 1.0, 2.0]), direct).tolist()
    [0.0, 0.5, 0.0]
    """
    length = np.ascontiguousarray(lengths(direct, index))
    through = np.zeros(area.size)
    _through(length, np.asarray(area, np.float64), index == "pc", through)
    return through / 2.0


@compiled
def _nearest_first(length: Floats, source: int, far: Floats, order: Ints) -> int:
    """Path lengths from a node (Dijkstra without a heap) and the nodes in rising order."""
    size = length.shape[0]
    done = np.zeros(size, dtype=np.bool_)
    for v in range(size):
        far[v] = np.inf
    far[source] = 0.0
    count = 0
    while count < size:
        best = -1
        for v in range(size):
            if not done[v] and far[v] < np.inf and (best < 0 or far[v] < far[best]):
                best = v
        if best < 0:
            break
        done[best] = True
        order[count] = best
        count += 1
        for v in range(size):
            total = far[best] + length[best, v]
            if total < far[v]:
                far[v] = total
    return count


@compiled
def _passes(paths: Floats, area: Floats, s: int, i: int, j: int, own: float) -> bool:
    """Whether a best path from node s may run along the link from i to j."""
    for t in range(area.size):
        if area[t] > 0.0 and paths[s, t] < np.inf:
            most = paths[s, t] * (1.0 + _SAME)
            if paths[s, i] + own + paths[j, t] <= most or paths[s, j] + own + paths[i, t] <= most:
                return True
    return False


@compiled
def _lost(
    length: Floats, paths: Floats, area: Floats, product: bool, pairs: Ints, lost: Floats
) -> None:
    size = area.size
    far = np.empty(size)
    order = np.empty(size, dtype=np.int64)
    for e in range(pairs.shape[0]):
        i = pairs[e, 0]
        j = pairs[e, 1]
        own = length[i, j]
        if own == np.inf or i == j:
            continue
        length[i, j] = np.inf
        length[j, i] = np.inf
        for s in range(size):
            if area[s] == 0.0 or not _passes(paths, area, s, i, j, own):
                continue
            _nearest_first(length, s, far, order)
            for t in range(size):
                weight = area[s] * area[t]
                if product:
                    lost[e] += weight * (np.exp(-paths[s, t]) - np.exp(-far[t]))
                else:
                    lost[e] += weight * (1.0 / (1.0 + paths[s, t]) - 1.0 / (1.0 + far[t]))
        length[i, j] = own
        length[j, i] = own


@compiled
def _through(length: Floats, area: Floats, product: bool, through: Floats) -> None:
    size = area.size
    far = np.empty(size)
    order = np.empty(size, dtype=np.int64)
    ways = np.empty(size)
    hangs = np.empty(size)
    for s in range(size):
        if area[s] == 0.0:
            continue
        count = _nearest_first(length, s, far, order)
        ways[:] = 0.0
        hangs[:] = 0.0
        ways[s] = 1.0
        # Nearest first, every node's ways are known before they are handed on.
        for n in range(count):
            v = order[n]
            for k in range(n):
                u = order[k]
                if far[u] + length[u, v] <= far[v] * (1.0 + _SAME) and far[u] < far[v]:
                    ways[v] += ways[u]
        for n in range(count - 1, 0, -1):
            v = order[n]
            share = np.exp(-far[v]) if product else 1.0 / (1.0 + far[v])
            weight = area[s] * area[v] * share + hangs[v]
            if ways[v] == 0.0:
                continue
            for k in range(n):
                u = order[k]
                if far[u] + length[u, v] <= far[v] * (1.0 + _SAME) and far[u] < far[v]:
                    hangs[u] += weight * ways[u] / ways[v]
            through[v] += hangs[v]
