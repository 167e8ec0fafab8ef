"""Corridors under uncertain resistances: how far costs, currents and ranks hold over draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.executor import Executor
from ecotone.science.connectivity.corridors import Divided, Divider
from ecotone.science.connectivity.corridors import Drawn as Maps
from ecotone.science.connectivity.ensemble import Moments, agreement, ranks
from ecotone.science.connectivity.resistance import Model, widened

Floats = NDArray[np.float64]

#: Ends of the interval that is told, per cent, and the level it has.
ENDS: Final = (5.0, 95.0)
LEVEL: Final = 0.9
#: A segment leads where it is among so many first.
_LEADING: Final = 3


@dataclass(frozen=True)
class Ensemble:
    """Corridors over resistances that are drawn, with a margin drawn as well."""

    model: Model
    divider: Divider
    margin: float  #: share of the map's size
    seed: int

    def one(self, number: int) -> tuple[Divided, Maps]:
        """What one draw gives; the same whoever computes it. Maps are without their margin."""
        rng = np.random.default_rng([self.seed, number])
        resistance = self.model.drawn(rng)
        inside = (slice(None), slice(None))
        if self.margin:
            resistance, inside = widened(resistance, self.margin, rng)
        found, maps = self.divider.measure(resistance)
        barriers = None if maps.barriers is None else maps.barriers[inside]
        return found, Maps(maps.current[inside], barriers)


@dataclass(frozen=True)
class Drawn:
    """All draws: (draws, pairs) and (draws, pairs, zones), and the current maps gathered."""

    cost: Floats
    gain: Floats
    current: Floats
    eca: Floats
    maps: Moments
    pinch: Floats  #: (draws, 2) row and column where most current flows outside of cores
    barrier: Floats  #: (draws, 2) row and column of the highest barrier score


def draw(
    ensemble: Ensemble,
    draws: int,
    shape: tuple[int, int],
    executor: Executor,
    spot: Callable[[str, Floats], tuple[int, int]],
    progress: Callable[[float], None],
) -> Drawn:
    """Draw resistances again and again; maps are gathered one by one, in the order of draws."""
    divider = ensemble.divider
    size = (draws, len(divider.pairs))
    cost, gain = np.empty(size), np.empty((*size, divider.zones))
    current = np.empty((*size, divider.zones))
    pinch, barrier = np.full((draws, 2), np.nan), np.full((draws, 2), np.nan)
    eca = np.empty(draws)
    maps = Moments.of(shape)
    found: Iterator[tuple[Divided, Maps]]
    found = executor.map(partial(Ensemble.one, ensemble), range(draws))
    for number, (one, seen) in enumerate(found):
        cost[number], gain[number], current[number] = one.cost, one.gain, one.current
        eca[number] = one.eca
        if divider.width is not None:
            pinch[number] = spot("pinch", seen.current)
        if seen.barriers is not None:
            barrier[number] = spot("barrier", seen.barriers)
        maps.add(seen.current)
        progress((number + 1) / draws)
    return Drawn(cost, gain, current, eca, maps, pinch, barrier)


def stability(drawn: Drawn, names: Sequence[tuple[str, str]]) -> tuple[pd.DataFrame, float]:
    """Costs and ranks of each pair over the draws, and how far the draws agree (Kendall's W)."""
    rank = ranks(drawn.cost)
    mean = drawn.cost.mean(axis=0)
    low, high = np.percentile(drawn.cost, ENDS, axis=0)
    rank_low, rank_high = np.percentile(rank, ENDS, axis=0)
    frame = pd.DataFrame(
        {
            "from": [a for a, _ in names],
            "to": [b for _, b in names],
            "mean_m": mean,
            "cv": _variation(drawn.cost),
            "low_m": low,
            "high_m": high,
            "rank": rank.mean(axis=0),
            "rank_low": rank_low,
            "rank_high": rank_high,
        }
    )
    return frame.sort_values("rank", kind="stable").reset_index(drop=True), agreement(rank)


def with_ranks(
    segments: pd.DataFrame, at: NDArray[np.int64], drawn: Drawn
) -> tuple[pd.DataFrame, float]:
    """Segments with what they gain over the draws, in the order of their mean rank.

    ``at`` holds the pair and the zone of each row.
    """
    gain = drawn.gain[:, at[:, 0], at[:, 1]]
    rank = ranks(-gain)
    low, high = np.percentile(gain, ENDS, axis=0)
    rank_low, rank_high = np.percentile(rank, ENDS, axis=0)
    out = segments.assign(
        dECA_mean=gain.mean(axis=0),
        dECA_cv=_variation(gain),
        dECA_low=low,
        dECA_high=high,
        current_cv=_variation(drawn.current[:, at[:, 0], at[:, 1]]),
        rank=rank.mean(axis=0),
        rank_low=rank_low,
        rank_high=rank_high,
        leading=100.0 * (rank <= _LEADING).mean(axis=0),
    )
    order = out.sort_values(["rank", "dECA"], ascending=[True, False], kind="stable")
    return numbered(order), agreement(rank)


def numbered(segments: pd.DataFrame) -> pd.DataFrame:
    """Segments with their place, the first column, in the order they are given."""
    out = segments.reset_index(drop=True)
    out.insert(0, "place", np.arange(1, len(out) + 1))
    return out


def _variation(values: Floats) -> Floats:
    """Coefficient of variation down the draws; 0 where the mean is 0, NaN of a single draw."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    mean = values.mean(axis=0)
    spread = values.std(axis=0, ddof=1)
    share: Floats = np.divide(spread, mean, out=np.zeros_like(spread), where=mean > 0)
    return share
