"""How sure a ranking is: resistances drawn anew, ranks compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranges:
    """A plausible range of resistance for each class of land."""

    classes: Floats
    resistance: Floats  #: the best guess
    low: Floats
    high: Floats

    def drawn(self, rng: np.random.Generator) -> Floats:
        """A resistance of each class: uniform in its logarithm between low and high."""
        share = rng.random(self.classes.size)
        drawn: Floats = self.low * (self.high / self.low) ** share
        return drawn

    def mapped(self, land: Floats, resistance: Floats) -> Floats:
        """The raster of resistances of a raster of classes; NaN where a class is unknown."""
        order = np.argsort(self.classes)
        known = self.classes[order]
        at = np.minimum(np.searchsorted(known, land), known.size - 1)
        found = np.isfinite(land) & (known[at] == land)
        mapped: Floats = np.where(found, resistance[order][at], np.nan)
        return mapped


def spread_around(land: Floats, spread: float) -> Ranges:
    """Each distinct value of a raster may lie ``spread`` times lower or higher."""
    values = np.unique(land[np.isfinite(land)])
    return Ranges(values, values, values / spread, values * spread)


def ranks(values: Floats) -> Floats:
    """Ranks along the last axis from 1, ties sharing their mean."""
    below = (values[..., :, None] > values[..., None, :]).sum(axis=-1)
    same = (values[..., :, None] == values[..., None, :]).sum(axis=-1)
    shared: Floats = below + (same + 1) / 2.0
    return shared


def agreement(rank: Floats) -> float:
    """Kendall's W of draws (rows) on items (columns): 1 all agree, 0 no more than by chance."""
    draws, items = rank.shape
    if items < 2:
        return 1.0
    total = rank.sum(axis=0)
    spread = ((total - total.mean()) ** 2).sum()
    whole = draws**2 * (items**3 - items) / 12.0
    return float(spread / whole)
