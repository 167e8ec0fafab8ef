"""What goes through each link and node of a small graph of patches, given as a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecotone.science.connectivity.patches import Index, links_of
from ecotone.science.connectivity.removal import carried

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
    web = links_of(direct, index)
    found = carried(web, area, product=index == "pc")
    share = np.zeros(direct.shape)
    if found.whole > 0:
        share[web.ends[:, 0], web.ends[:, 1]] = np.maximum(found.link / found.whole, 0.0)
    asked: Floats = share[pairs.min(axis=1), pairs.max(axis=1)]
    return asked


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

    Where several paths are best each takes its part. Patches that touch are joined at no
    length in any order; one order is taken.

    >>> direct = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]])
    >>> betweenness(np.array([1.0, 1.0, 2.0]), direct).tolist()
    [0.0, 0.5, 0.0]
    """
    web = links_of(direct, index)
    return carried(web, area, product=index == "pc", taken="nodes").through
