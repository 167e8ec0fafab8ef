"""Corridors between cores: found, chosen, divided among countries, their currents.

Cores are numbered from 1 on the grid (0: none); pairs name them from 0. What a corridor has in a
country is summed over the cells of the country, so that the parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.sparse.csgraph import connected_components

from ecotone.science.connectivity.landscape import Landscape, Points, Wanted, pairwise
from ecotone.science.connectivity.leastcost import barrier_score, corridor, cost_distance, path_to
from ecotone.science.connectivity.links import link_losses
from ecotone.science.connectivity.patches import connectivity, probabilities

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Which cores are neighbours: those whose own land touches, as cost or as the crow flies.
Adjacency = Literal["any", "cost", "euclidean", "either"]


@dataclass(frozen=True)
class Pair:
    """Two cores (numbers from 0) and the least-cost path between them."""

    a: int
    b: int
    cost: float
    cells: Ints
    crosses: bool = False  #: the path passes through a third core


def search(
    resistance: Floats,
    label: Ints,
    count: int,
    *,
    cell: float,
    neighbours: int = 8,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[list[Floats], list[Pair]]:
    """The cost of every cell from each core, and the best path of each pair that can be joined.

    Args:
        resistance: of each cell, NaN where nothing can pass.
        label: the core of each cell from 1, 0 where there is none.
        count: how many cores there are.
        cell: length of a cell's side.
        neighbours: 4, 8 or 16.
        progress: told the share done.
    """
    costs, pairs = [], []
    flat = label.ravel()
    places = [np.flatnonzero(flat == number + 1) for number in range(count)]
    for a in range(count):
        cost, before = cost_distance(resistance, label == a + 1, cell=cell, neighbours=neighbours)
        costs.append(cost)
        for b in range(a + 1, count):
            end = int(places[b][cost.ravel()[places[b]].argmin()])
            if np.isfinite(cost.ravel()[end]):
                cells = path_to(before, end)
                met = np.setdiff1d(flat[cells], [0, a + 1, b + 1])
                pairs.append(Pair(a, b, float(cost.ravel()[end]), cells, bool(met.size)))
        progress((a + 1) / count)
    return costs, pairs


def adjacent(
    costs: Sequence[Floats], label: Ints, kind: Adjacency
) -> frozenset[tuple[int, int]] | None:
    """Pairs of cores whose shares of the land touch (lower first); None: all may be joined.

    Land belongs to the core it is cheapest reached from (``cost``) or that lies nearest
    (``euclidean``); ``either``: in one of the two ways, as Linkage Mapper has it.
    """
    if kind == "any":
        return None
    found: set[tuple[int, int]] = set()
    if kind in ("cost", "either"):
        stack = np.stack(costs)
        owner = np.where(np.isfinite(stack.min(axis=0)), stack.argmin(axis=0) + 1, 0)
        found |= _touching(owner)
    if kind in ("euclidean", "either"):
        nearest = distance_transform_edt(label == 0, return_distances=False, return_indices=True)
        found |= _touching(label[nearest[0], nearest[1]])
    return frozenset(found)


def _touching(owner: Ints) -> set[tuple[int, int]]:
    """Pairs of owners (from 0) that share a side of a cell."""
    sides = [
        np.column_stack([owner[:, :-1].ravel(), owner[:, 1:].ravel()]),
        np.column_stack([owner[:-1].ravel(), owner[1:].ravel()]),
    ]
    both = np.concatenate(sides)
    both = both[(both[:, 0] != both[:, 1]) & (both > 0).all(axis=1)]
    pairs = np.unique(np.sort(both, axis=1), axis=0) - 1
    return {(int(a), int(b)) for a, b in pairs}


def pruned(
    pairs: Sequence[Pair],
    count: int,
    nearest: int,
    allowed: frozenset[tuple[int, int]] | None = None,
) -> list[int]:
    """The pairs that stay: each core's nearest, and what joins the rest.

    Paths through a third core go first, then pairs that are not ``allowed``.

    Returns:
        Positions in ``pairs``, in rising order.
    """
    able = [
        k
        for k, pair in enumerate(pairs)
        if not pair.crosses and (allowed is None or (pair.a, pair.b) in allowed)
    ]
    able.sort(key=lambda k: pairs[k].cost)
    links = np.zeros((count, count))
    used = [0] * count
    kept = set()
    for k in able:
        a, b = pairs[k].a, pairs[k].b
        if used[a] < nearest or used[b] < nearest:
            kept.add(k)
            used[a] += 1
            used[b] += 1
            links[a, b] = 1
    for k in able:
        _, part = connected_components(links, directed=False)
        a, b = pairs[k].a, pairs[k].b
        if k not in kept and part[a] != part[b]:
            kept.add(k)
            links[a, b] = 1
    return sorted(kept)


def current_within(
    resistance: Floats, label: Ints, cost_a: Floats, cost_b: Floats, pair: Pair, width: float
) -> Floats:
    """The current of 1 A from one core to the other through their corridor alone.

    The corridor ends where a detour costs ``width`` more than the best path.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = corridor(cost_a, cost_b, pair.cost) <= width
        conductance = np.where(inside & np.isfinite(resistance), 1.0 / resistance, 0.0)
    cells = np.flatnonzero(inside & np.isin(label, (pair.a + 1, pair.b + 1)))
    land = Landscape(conductance, scheme="resistance")
    answer = pairwise(land, Points(cells, label.ravel()[cells]), wanted=Wanted(cumulative=True))
    assert answer.cumulative is not None
    return answer.cumulative


def along(cells: Ints, shape: tuple[int, int], resistance: Floats, cell: float) -> Floats:
    """Length and cost that a path has in each of its cells: (cells, 2), half a step each side."""
    rows, columns = np.divmod(cells, shape[1])
    half = np.hypot(np.diff(rows), np.diff(columns)) * cell / 2.0
    length = np.zeros(cells.size)
    length[:-1] += half
    length[1:] += half
    out: Floats = np.column_stack([length, length * resistance.ravel()[cells]])
    return out


@dataclass(frozen=True)
class Divided:
    """What each pair has in each zone: (pairs, zones) each; the rows add up to the whole."""

    cost: Floats  #: of each pair
    length: Floats
    spent: Floats  #: least cost
    current: Floats  #: node currents added up, cores left out
    gain: Floats  #: dECA, per cent of the equivalent connected area
    eca: float  #: equivalent connected area, in the unit of the cores' areas


@dataclass(frozen=True)
class Drawn:
    """The maps of one set of resistances."""

    current: Floats  #: summed over the pairs
    barriers: Floats | None  #: the highest score of all pairs


@dataclass(frozen=True)
class Divider:
    """Cores, the pairs to divide and the zones (from 0) of the cells."""

    label: Ints
    area: Floats
    pairs: tuple[tuple[int, int], ...]
    zone: Ints
    zones: int
    cell: float
    neighbours: int
    width: float | None  #: cost above the least at which a corridor ends; None: no currents
    d0: float
    p: float
    radius: float | None = None  #: of the disc that barrier scores restore; None: no scores

    def measure(self, resistance: Floats) -> tuple[Divided, Drawn]:
        """What the pairs have in each zone under some resistances, and their maps.

        The gain of a pair is divided as its cost is: -ln p of a link is proportional to its
        cost, and costs add up along the path. A pair that nothing joins has no part anywhere.
        """
        costs, joined = search(
            resistance,
            self.label,
            self.area.size,
            cell=self.cell,
            neighbours=self.neighbours,
        )
        by_pair = {(pair.a, pair.b): pair for pair in joined}
        total = np.zeros(resistance.shape)
        barriers = None if self.radius is None else np.zeros(resistance.shape)
        shape = (len(self.pairs), self.zones)
        length, spent, current = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        cost = np.full(len(self.pairs), np.inf)
        size = (resistance.shape[0], resistance.shape[1])
        for k, (a, b) in enumerate(self.pairs):
            pair = by_pair.get((a, b))
            if pair is None:
                continue
            cost[k] = pair.cost
            parts = along(pair.cells, size, resistance, self.cell)
            at = self.zone.ravel()[pair.cells]
            length[k] = np.bincount(at, parts[:, 0], minlength=self.zones)
            spent[k] = np.bincount(at, parts[:, 1], minlength=self.zones)
            if barriers is not None and self.radius is not None:
                score = barrier_score(
                    costs[a], costs[b], pair.cost, radius=self.radius, cell=self.cell
                )
                np.maximum(barriers, score, out=barriers)
            if self.width is None:
                continue
            flow = current_within(resistance, self.label, costs[a], costs[b], pair, self.width)
            total += flow
            between = self.label == 0
            current[k] = np.bincount(self.zone[between], flow[between], minlength=self.zones)
        found = Divided(cost, length, spent, current, *self._gains(cost, spent))
        return found, Drawn(total, barriers)

    def _gains(self, cost: Floats, spent: Floats) -> tuple[Floats, float]:
        """Per cent of the equivalent connected area that goes with each pair, by zone; the area."""
        size = self.area.size
        distance = np.full((size, size), np.inf)
        ends = np.array(self.pairs, dtype=np.int64).reshape(-1, 2)
        distance[ends[:, 0], ends[:, 1]] = distance[ends[:, 1], ends[:, 0]] = cost
        direct = probabilities(distance, self.d0, self.p)
        lost = link_losses(self.area, direct, ends)
        whole = spent.sum(axis=1, keepdims=True)
        share = np.divide(spent, whole, out=np.zeros_like(spent), where=whole > 0)
        gain: Floats = lost[:, None] * share
        return gain, connectivity(self.area, direct, "pc").eca
