"""Which identifiers a delivery has shown so far, in eight bytes each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]


def hashes(values: pd.Series) -> Hashes:
    """A 64-bit hash per text; equal texts give equal hashes whatever the text's storage."""
    return pd.util.hash_array(values.to_numpy(dtype=object), categorize=False)


class KeyBook:
    """A set of hashed texts that grows block by block.

    Kept as few sorted runs, each at least twice the next, so that adding and asking stay
    cheap however long the delivery. Among ten million keys two would be taken for one with
    a chance of three in a million.
    """

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def has(self, values: pd.Series) -> Mask:
        """Which of these are in the book; never a missing one."""
        asked = hashes(values)
        found = np.zeros(len(asked), dtype=np.bool_)
        for run in self._runs:
            place = np.searchsorted(run, asked)
            place[place == len(run)] = 0
            found |= run[place] == asked
        return found & values.notna().to_numpy(dtype=bool)

    def add(self, values: pd.Series) -> Mask:
        """Enter a block; True where a value repeats one of an earlier row or block."""
        present = values.notna().to_numpy(dtype=bool)
        own = hashes(values)
        repeated = self.has(values)
        fresh = present & ~repeated
        unique, first = np.unique(own[fresh], return_index=True)
        where = np.flatnonzero(fresh)
        again = np.ones(len(where), dtype=np.bool_)
        again[first] = False
        repeated[where[again]] = True
        self._merge(unique)
        return repeated

    def _merge(self, run: Hashes) -> None:
        if not len(run):
            return
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1]):
            self._runs[-2:] = [np.sort(np.concatenate(self._runs[-2:]))]
