"""Corridors under uncertain resistances: how far costs and ranks hold over many draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.executor import Executor
from ecotone.formats.asciigrid import read_text
from ecotone.formats.base import refused
from ecotone.science.connectivity.ensemble import Ranges, agreement, ranks
from ecotone.science.connectivity.leastcost import cost_distance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Ends of the interval of ranks that is told.
_ENDS = (5.0, 95.0)


@dataclass(frozen=True)
class Ensemble:
    """Pairs of cores over one raster of classes whose resistances are drawn."""

    land: Floats
    ranges: Ranges
    label: Ints
    pairs: tuple[tuple[int, int], ...]  #: numbers of cores from 0
    cell: float
    neighbours: int
    seed: int


def read_ranges(path: Path) -> Ranges:
    """A table of class, resistance, low, high; its header is optional."""
    rows = [line.replace(";", ",").split(",") for line in read_text(path).splitlines()]
    cells = [[c.strip() for c in row] for row in rows if any(c.strip() for c in row)]
    if cells and not cells[0][0].lstrip("-").replace(".", "", 1).isdigit():
        cells = cells[1:]
    try:
        table = np.array([row[:4] for row in cells], dtype=np.float64).reshape(-1, 4)
    except ValueError as error:
        raise refused("corridor-ranges", file=path.name) from error
    classes, best, low, high = table.T
    sound = (low > 0) & (low <= best) & (best <= high)
    if not len(table) or not sound.all() or np.unique(classes).size < classes.size:
        raise refused("corridor-ranges", file=path.name)
    return Ranges(classes, best, low, high)


def one_draw(ensemble: Ensemble, number: int) -> Floats:
    """The least cost of each pair when resistances are drawn; the same whoever computes it."""
    rng = np.random.default_rng([ensemble.seed, number])
    ranges = ensemble.ranges
    resistance = ranges.mapped(ensemble.land, ranges.drawn(rng))
    found = np.empty(len(ensemble.pairs))
    for a in sorted({pair[0] for pair in ensemble.pairs}):
        cost, _ = cost_distance(
            resistance,
            ensemble.label == a + 1,
            cell=ensemble.cell,
            neighbours=ensemble.neighbours,
        )
        for place, pair in enumerate(ensemble.pairs):
            if pair[0] == a:
                found[place] = cost[ensemble.label == pair[1] + 1].min()
    return found


def stability(
    ensemble: Ensemble,
    names: Sequence[str],
    draws: int,
    executor: Executor,
    progress: Callable[[float], None],
) -> tuple[pd.DataFrame, float]:
    """Costs and ranks of each pair over the draws, and how far the draws agree (Kendall's W)."""
    costs = np.empty((draws, len(ensemble.pairs)))
    for number, cost in enumerate(executor.map(partial(one_draw, ensemble), range(draws))):
        costs[number] = cost
        progress((number + 1) / draws)
    rank = ranks(costs)
    mean = costs.mean(axis=0)
    low, high = np.percentile(costs, _ENDS, axis=0)
    rank_low, rank_high = np.percentile(rank, _ENDS, axis=0)
    frame = pd.DataFrame(
        {
            "from": [names[a] for a, _ in ensemble.pairs],
            "to": [names[b] for _, b in ensemble.pairs],
            "mean_m": mean,
            "cv": costs.std(axis=0, ddof=1) / mean,
            "low_m": low,
            "high_m": high,
            "rank": rank.mean(axis=0),
            "rank_low": rank_low,
            "rank_high": rank_high,
        }
    )
    return frame.sort_values("rank", kind="stable").reset_index(drop=True), agreement(rank)
