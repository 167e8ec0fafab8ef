"""Compiled likelihood of dynamic occupancy: a hidden chain of two states by season."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def chains(
    psi: Floats,
    colonise: Floats,
    persist: Floats,
    seen: Floats,
    detected: NDArray[np.bool_],
    by_psi: Floats,
    by_colonise: Floats,
    by_persist: Floats,
    smoothed: Floats,
) -> float:
    """Log-likelihood of all sites by the forward-backward recursion, and its derivatives.

    Args:
        psi: (sites,) chance that a site is occupied in the first season.
        colonise: (sites, seasons - 1) chance that an empty site is occupied next.
        persist: (sites, seasons - 1) chance that an occupied one still is.
        seen: (sites, seasons) log chance of a season's visits where the site is occupied.
        detected: (sites, seasons) whether any visit detected the species.
        by_psi: out, derivative by psi.
        by_colonise: out.
        by_persist: out.
        smoothed: (sites, seasons) out, chance of being occupied given all visits.
    """
    sites, seasons = seen.shape
    total = 0.0
    forward = np.empty((seasons, 2))
    scale = np.empty(seasons)
    backward = np.empty((seasons, 2))
    for i in range(sites):
        for t in range(seasons):
            if t == 0:
                here = psi[i]
            else:
                here = (
                    forward[t - 1, 1] * persist[i, t - 1] + forward[t - 1, 0] * colonise[i, t - 1]
                )
            empty = 0.0 if detected[i, t] else 1.0 - here
            # Many visits have a small chance: a common factor is taken out.
            top = max(seen[i, t], 0.0 if empty > 0.0 else -math.inf)
            occupied = here * math.exp(seen[i, t] - top)
            if empty > 0.0:
                empty *= math.exp(-top)
            weight = occupied + empty
            forward[t, 0] = empty / weight
            forward[t, 1] = occupied / weight
            scale[t] = math.log(weight) + top
            total += scale[t]
        backward[seasons - 1] = 1.0
        for t in range(seasons - 1, -1, -1):
            if t < seasons - 1:
                one = math.exp(seen[i, t + 1] - scale[t + 1]) * backward[t + 1, 1]
                none = 0.0 if detected[i, t + 1] else math.exp(-scale[t + 1]) * backward[t + 1, 0]
                backward[t, 1] = persist[i, t] * one + (1.0 - persist[i, t]) * none
                backward[t, 0] = colonise[i, t] * one + (1.0 - colonise[i, t]) * none
                by_persist[i, t] = forward[t, 1] * (one - none)
                by_colonise[i, t] = forward[t, 0] * (one - none)
            smoothed[i, t] = forward[t, 1] * backward[t, 1]
        one = math.exp(seen[i, 0] - scale[0]) * backward[0, 1]
        none = 0.0 if detected[i, 0] else math.exp(-scale[0]) * backward[0, 0]
        by_psi[i] = one - none
    return total
