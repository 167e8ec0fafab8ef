"""Focal regions on one factor: a few dense equations for each pair instead of a new graph.

A region held at one voltage is a set of nodes with unknown currents into them. With the
responses of the regions' edge nodes to each other (the inverse of the grounded Laplacian on
these nodes, a Schur complement) the currents of a pair follow from a system of the size of its
two edges; nodes inside a region take its voltage by themselves. One more solve gives the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecotone.science.connectivity.circuits import Case
from ecotone.science.connectivity.currents import node_currents
from ecotone.science.connectivity.graph import Graph
from ecotone.science.connectivity.solver import (
    Grounded,
    Keep,
    Method,
    ground,
    keep_nothing,
    predict,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: How far the voltages of a region's edge may differ, of the pair's resistance.
_EVEN = 1e-7


@dataclass(frozen=True)
class Joined:
    """Regions of one connected graph, ready for any pair of them."""

    circuit: Grounded
    members: tuple[Ints, ...]  #: nodes of each region
    edges: tuple[Ints, ...]  #: nodes of each region that touch others
    place: Ints  #: where each node stands in ``response``; -1 elsewhere
    response: Floats  #: voltages of edge nodes for one ampere into each
    residual: float

    def pair(self, i: int, j: int) -> tuple[float, Case, float, bool]:
        """Resistance, voltages and currents of 1 A from region j to region i at 0 V.

        Then the residual, and whether the regions are held less evenly than they should be.
        """
        graph = self.circuit.graph
        if np.intersect1d(self.members[i], self.members[j]).size:
            return 0.0, Case(np.zeros(graph.nodes), np.zeros(graph.nodes)), 0.0, False
        sink, source = self.edges[i], self.edges[j]
        both = np.concatenate([sink, source])
        current, resistance = self._currents(both, sink.size)
        entering = np.zeros(graph.nodes)
        entering[both] = current
        solved = self.circuit.solve(entering)
        voltage = solved.voltage - solved.voltage[sink].mean()
        uneven = max(np.ptp(voltage[sink]), np.abs(voltage[source] - resistance).max())
        voltage[self.members[i]], voltage[self.members[j]] = 0.0, resistance
        flow = node_currents(graph, voltage)
        flow[self.members[i]] = flow[self.members[j]] = 1.0
        residual = max(solved.residual, self.residual)
        return resistance, Case(voltage, flow), residual, bool(uneven > _EVEN * resistance)

    def _currents(self, both: Ints, first: int) -> tuple[Floats, float]:
        """What enters each edge node so that each region is at one voltage, and that of j."""
        size = both.size
        system = np.zeros((size + 2, size + 2))
        at = self.place[both]
        system[:size, :size] = self.response[np.ix_(at, at)]
        # The last two unknowns: less the voltage of region i, and of region j.
        system[:first, size] = system[size, :first] = 1.0
        system[first:size, size + 1] = system[size + 1, first:size] = 1.0
        right = np.zeros(size + 2)
        right[size], right[size + 1] = -1.0, 1.0
        found: Floats = np.linalg.solve(system, right).astype(np.float64, copy=False)
        return found[:size], float(found[size] - found[size + 1])


def edge_of(graph: Graph, members: Ints) -> Ints:
    """The nodes of a region that touch nodes outside of it; one of it where none does."""
    inside = np.zeros(graph.nodes, dtype=np.bool_)
    inside[members] = True
    head, tail = inside[graph.head], inside[graph.tail]
    touching = np.concatenate([graph.head[head & ~tail], graph.tail[tail & ~head]])
    edge = np.unique(touching).astype(np.int64)
    return edge if edge.size else members[:1]


def join(
    graph: Graph,
    members: Sequence[Ints],
    *,
    method: Method = "auto",
    memory: float,
    keep: Keep = keep_nothing,
    name: str = "",
) -> Joined:
    """Prepare regions of one connected graph: one factor, a solve for each edge node."""
    edges = tuple(edge_of(graph, region) for region in members)
    nodes = np.unique(np.concatenate(edges))
    leak = np.zeros(graph.nodes)
    leak[nodes[0]] = np.inf
    cost = predict(graph.nodes, graph.head.size, memory=memory, method=method)
    circuit = ground(graph, leak, cost.method)
    answer = circuit.units(nodes, rows=nodes, keep=keep, name=name)
    place = np.full(graph.nodes, -1, dtype=np.int64)
    place[nodes] = np.arange(nodes.size)
    response = (answer.voltage + answer.voltage.T) / 2.0
    return Joined(circuit, tuple(members), edges, place, response, answer.residual)


@dataclass(frozen=True)
class RegionPair:
    """A solved pair of regions (positions), over all nodes of the whole graph."""

    i: int
    j: int
    resistance: float
    case: Case
    residual: float
    uneven: bool


def region_pairs(
    graph: Graph,
    members: Sequence[Ints],
    pairs: Sequence[tuple[int, int]],
    *,
    method: Method = "auto",
    memory: float,
    keep: Keep = keep_nothing,
) -> Iterator[RegionPair]:
    """Every pair that current can join, component by component.

    Args:
        graph: the graph in which no region is merged.
        members: the nodes of each region, all in one component; empty where it has none.
        pairs: positions of the regions to pair.
        method: the solver, by predicted memory where ``auto``.
        memory: bytes a factor may take.
        keep: asked for each few solves, so that a long run may be taken up again.
    """
    label = graph.components()
    home = np.array([label[nodes[0]] if nodes.size else -1 for nodes in members])
    for number in np.unique(home[home >= 0]):
        mine = np.flatnonzero(home == number).tolist()
        local = {region: k for k, region in enumerate(mine)}
        asked = [(i, j) for i, j in pairs if i in local and j in local]
        if not asked:
            continue
        part, places = graph.keep(label == number)
        joined = join(
            part,
            [np.searchsorted(places, members[region]) for region in mine],
            method=method,
            memory=memory,
            keep=keep,
            name=f"regions-{number}",
        )
        for i, j in asked:
            resistance, case, residual, uneven = joined.pair(local[i], local[j])
            voltage, current = np.zeros(graph.nodes), np.zeros(graph.nodes)
            voltage[places], current[places] = case.voltage, case.current
            yield RegionPair(i, j, resistance, Case(voltage, current), residual, uneven)
