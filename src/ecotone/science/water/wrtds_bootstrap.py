"""How sure the years of a weighted regression are: the record drawn again in blocks.

Hirsch, Archfield and De Cicco (2015), doi:10.1016/j.envsoft.2015.07.017.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecotone.science.water.wrtds import (
    Annual,
    Discharge,
    Samples,
    Settings,
    annual,
    daily,
    surface,
)


def resample(known: Samples, rng: np.random.Generator, block_days: int = 200) -> NDArray[np.int64]:
    """Rows of a block bootstrap: stretches of the record at random, until there are as many.

    Hirsch, Archfield and De Cicco (2015), doi:10.1016/j.envsoft.2015.07.017.

    Args:
        known: the samples.
        rng: the source of chance.
        block_days: length of a stretch in days.

    Returns:
        As many rows as there are samples, in order of time, with repeats.

    Raises:
        ValueError: a stretch of no days.
    """
    if block_days < 1:
        raise ValueError("a block lasts at least a day")
    day = known.days.astype(np.int64)
    rows = np.empty(0, np.int64)
    while rows.size < day.size:
        start = int(rng.integers(day[0] - block_days + 1, day[-1] + 1))
        begin, end = np.searchsorted(day, [start, start + block_days])
        rows = np.concatenate((rows, np.arange(begin, end)))
    return np.sort(rows[: day.size])


def bootstrap(
    known: Samples,
    flow: Discharge,
    settings: Settings,
    *,
    replicates: int,
    seed: int,
    block_days: int = 200,
) -> list[Annual]:
    """Annual results of resampled records.

    Args:
        known: the samples.
        flow: daily discharge.
        settings: windows and counts.
        replicates: how many records.
        seed: the same seed gives the same records.
        block_days: length of a resampled stretch.

    Returns:
        One annual result per record that could be estimated.

    Raises:
        ValueError: as ``estimate`` and ``resample``.
    """
    seeds = np.random.SeedSequence(seed).spawn(replicates)
    found = []
    for one in seeds:
        again = known.take(resample(known, np.random.default_rng(one), block_days))
        found.append(annual(daily(surface(again, flow, settings), flow), flow))
    return found
