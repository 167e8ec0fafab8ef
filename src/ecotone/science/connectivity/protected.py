"""Protected connected land of a region and its parts, from areas alone.

Saura et al. (2017), doi:10.1016/j.ecolind.2016.12.047; Saura et al. (2018),
doi:10.1016/j.biocon.2017.12.020.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ProtConn:
    """All in per cent of the region, but ``relative`` (of protected land)."""

    protected: float  #: land under protection
    connected: float  #: protected connected land: 100 ECA / region
    unconnected: float  #: protected less connected
    relative: float  #: 100 connected / protected
    within: float  #: what single protected areas hold within themselves
    contiguous: float  #: what areas that touch add
    unprotected: float  #: what is reached through unprotected land
    transboundary: float  #: what is reached through protected land outside the region


def protected_connected(
    region: float,
    parts: Floats,
    single: Floats,
    eca: float,
    eca_inside: float,
) -> ProtConn:
    """ProtConn and its parts.

    Args:
        region: area of the region.
        parts: areas of the dissolved protected land in the region, part by part.
        single: areas of the single protected areas in the region, part by part; they may
            overlap.
        eca: equivalent connected area with the stepping stones outside the region.
        eca_inside: the same without them.

    Returns:
        Percentages; the parts add up to ``connected``.
    """
    dissolved = float(parts.sum())
    protected = 100.0 * dissolved / region
    connected = 100.0 * eca / region
    touching = 100.0 * math.sqrt(float((parts**2).sum())) / region
    together = float(single.sum())
    undo = math.sqrt(dissolved / together) if together > 0 else 0.0
    within = 100.0 * math.sqrt(float((single**2).sum())) * undo / region
    transboundary = 100.0 * (eca - eca_inside) / region
    return ProtConn(
        protected=protected,
        connected=connected,
        unconnected=protected - connected,
        relative=100.0 * connected / protected if protected > 0 else math.nan,
        within=within,
        contiguous=touching - within,
        unprotected=connected - touching - transboundary,
        transboundary=transboundary,
    )
