"""How sure a ranking is: ranks over draws compared, means and spreads gathered one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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


@dataclass
class Moments:
    """Mean and variance of arrays that come one by one (Welford 1962)."""

    mean: Floats
    squares: Floats
    count: int = 0

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Moments:
        """Before the first array."""
        return cls(np.zeros(shape), np.zeros(shape))

    def add(self, values: Floats) -> None:
        """Take one more array."""
        self.count += 1
        gap = values - self.mean
        self.mean += gap / self.count
        self.squares += gap * (values - self.mean)

    def variation(self) -> Floats:
        """The standard deviation over the mean; 0 where the mean is 0, NaN of a single array."""
        if self.count < 2:
            return np.full(self.mean.shape, np.nan)
        spread = np.sqrt(self.squares / (self.count - 1))
        share: Floats = np.divide(spread, self.mean, out=np.zeros_like(spread), where=self.mean > 0)
        return share
