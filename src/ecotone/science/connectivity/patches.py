"""Patches as a graph: probability of connectivity, integral index, importance of each node.

Saura and Pascual-Hortal (2007), doi:10.1016/j.landurbplan.2007.03.005; Pascual-Hortal and
Saura (2006), doi:10.1007/s10980-006-0013-z; fractions after Saura and Rubio (2010),
doi:10.1111/j.1600-0587.2009.05760.x; equivalent connected area after Saura et al. (2011),
doi:10.1111/j.1365-2664.2011.02054.x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled
from ecotone.science.connectivity.removal import Carried, Web, carried, web

Floats = NDArray[np.float64]

Index = Literal["pc", "iic"]


@dataclass(frozen=True)
class Connectivity:
    """An index over a set of patches; areas in the unit squared of the patches' attribute."""

    numerator: float  #: sum over pairs of a_i a_j times how well they are joined, i = j included
    intra: float  #: share of what patches hold within themselves
    direct: float  #: share of direct links
    step: float  #: share of what stepping stones add

    @property
    def eca(self) -> float:
        """Equivalent connected area: one patch as large would give the same index."""
        return math.sqrt(self.numerator)


@dataclass(frozen=True)
class Importance:
    """What the index loses without each node, per cent, and its parts."""

    total: Floats
    intra: Floats
    flux: Floats
    connector: Floats


def probabilities(distance: Floats, d0: float, p: float, p_min: float = 0.0) -> Floats:
    """Direct dispersal probabilities: ``p`` at distance ``d0``, falling off exponentially.

    Those below ``p_min`` are 0. A missing link is an infinite distance.
    """
    direct = np.exp(math.log(p) * distance / d0)
    direct[direct < p_min] = 0.0
    np.fill_diagonal(direct, 1.0)
    known: Floats = direct
    return known


def lengths(direct: Floats, index: Index) -> Floats:
    """Link lengths whose shortest path is the best path of an index; infinite: no link.

    ``direct`` holds probabilities (``pc``) or anything above 0 where there is a link (``iic``).
    """
    out = np.full(direct.shape, np.inf)
    live = direct > 0
    out[live] = np.maximum(-np.log(direct[live]), 0.0) if index == "pc" else 1.0
    np.fill_diagonal(out, 0.0)
    return out


def joined(length: Floats, index: Index) -> Floats:
    """How well patches are joined at path length: product of p, or 1 / (1 + links)."""
    if index == "pc":
        strength: Floats = np.exp(-length)
        return strength
    share: Floats = 1.0 / (1.0 + length)
    return share


def shortest(length: Floats) -> Floats:
    """Shortest path lengths between all nodes (Floyd and Warshall)."""
    out = np.ascontiguousarray(length, dtype=np.float64).copy()
    _insert(out, np.arange(out.shape[0]))
    return out


def connectivity(area: Floats, direct: Floats, index: Index) -> Connectivity:
    """The index of patches with ``area`` and ``direct`` probabilities (or links)."""
    length = lengths(direct, index)
    best = joined(shortest(length), index)
    whole = float(area @ best @ area)
    own = float((area**2).sum())
    straight = joined(length, index)
    linked = float(area @ straight @ area) - own
    return Connectivity(whole, own / whole, linked / whole, (whole - own - linked) / whole)


def links_of(direct: Floats, index: Index, *, thin: bool = True) -> Web:
    """The links of a matrix as a web; ``direct`` as in ``lengths``."""
    length = lengths(direct, index)
    first, second = np.nonzero(np.triu(np.isfinite(length), 1))
    pairs = np.column_stack([first, second])
    return web(len(direct), pairs, length[first, second], thin=thin)


def importance(area: Floats, direct: Floats, index: Index) -> Importance:
    """The exact importance of each node: paths are found anew without it."""
    found = carried(links_of(direct, index), area, product=index == "pc", taken="nodes")
    return shares(area, found)


def shares(area: Floats, found: Carried) -> Importance:
    """What nodes carry as shares of the index, per cent, in their parts."""
    intra = 100.0 * area**2 / found.whole
    flux = 100.0 * 2.0 * area * (found.received - area) / found.whole
    connector = np.maximum(100.0 * found.connector / found.whole, 0.0)
    return Importance(intra + flux + connector, intra, flux, connector)


@compiled
def _insert(paths: Floats, stones: NDArray[np.int64]) -> None:
    """Let paths pass through each of some nodes."""
    size = paths.shape[0]
    for s in range(stones.size):
        k = stones[s]
        for i in range(size):
            first = paths[i, k]
            if first < np.inf:
                for j in range(size):
                    length = first + paths[k, j]
                    if length < paths[i, j]:
                        paths[i, j] = length


def link_gain(area: Floats, best: Floats, i: int, j: int, probability: float) -> float:
    """What a new link between i and j adds to the numerator of PC, exactly.

    ``best`` holds the maximum-product probabilities as they are. A best path uses the new
    link at most once, so p* becomes the larger of p*_ab and p*_ai p p*_jb.
    """
    through = probability * np.outer(best[:, i], best[j])
    through = np.maximum(through, through.T)
    better = np.maximum(best, through)
    return float(area @ (better - best) @ area)
