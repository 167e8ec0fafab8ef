"""Currents from voltages: of one case, and summed over all pairs by one sort per edge.

The sum over pairs of |e_i - e_j|, e_k being the drop over an edge when source k is on, is
the sum of (2 k - (N - 1)) e_(k) over the sorted drops: N log N per edge instead of N^2
(Brandes and Fleischer 2005, doi:10.1007/978-3-540-31856-9_44).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled
from ecotone.science.connectivity.graph import Graph, Nodes

Floats = NDArray[np.float64]

#: So few edges one thread adds up sooner than several begin.
_FEW = 50_000


def branch_currents(graph: Graph, voltage: Floats) -> Floats:
    """The current along each edge, from head to tail."""
    flow: Floats = graph.conductance * (voltage[graph.head] - voltage[graph.tail])
    return flow


def node_currents(graph: Graph, voltage: Floats, leak: Floats | None = None) -> Floats:
    """The current through each node: the larger of all that comes in and all that goes out.

    ``leak`` is a finite conductance to ground of each node, counted as one more branch.
    """
    come, gone = np.zeros(graph.nodes), np.zeros(graph.nodes)
    _through(graph.head, graph.tail, graph.conductance, voltage, come, gone)
    if leak is not None:
        lost = leak * voltage
        gone += np.maximum(lost, 0.0)
        come += np.maximum(-lost, 0.0)
    larger: Floats = np.maximum(come, gone)
    return larger


@compiled
def _through(
    head: Nodes, tail: Nodes, g: Floats, voltage: Floats, come: Floats, gone: Floats
) -> None:
    for e in range(head.size):
        a = head[e]
        b = tail[e]
        flow = g[e] * (voltage[a] - voltage[b])
        if flow > 0.0:
            gone[a] += flow
            come[b] += flow
        else:
            come[a] -= flow
            gone[b] -= flow


def edge_totals(graph: Graph, voltages: Floats, pairs: NDArray[np.int64] | None) -> Floats:
    """The sum over pairs of sources of the absolute current along each edge.

    Args:
        graph: the graph.
        voltages: (nodes, sources); column k where source k is on against a common ground.
        pairs: (count, 2) columns to pair; None for all pairs.
    """
    total = np.empty(graph.head.size)
    threads = (os.cpu_count() or 1) if graph.head.size > _FEW else 1
    cuts = np.linspace(0, graph.head.size, threads + 1).astype(np.int64).tolist()

    def part(low: int, high: int) -> None:
        ends = graph.head[low:high], graph.tail[low:high], graph.conductance[low:high]
        if pairs is None:
            _all_pairs(*ends, voltages, total[low:high])
        else:
            _some_pairs(*ends, voltages, pairs, total[low:high])

    if threads == 1:
        part(0, graph.head.size)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, cuts[:-1], cuts[1:]))
    return total


@compiled
def _all_pairs(head: Nodes, tail: Nodes, g: Floats, voltages: Floats, total: Floats) -> None:
    count = voltages.shape[1]
    drop = np.empty(count)
    for e in range(head.size):
        a = head[e]
        b = tail[e]
        for k in range(count):
            drop[k] = voltages[a, k] - voltages[b, k]
        drop.sort()
        sum_ = 0.0
        for k in range(count):
            sum_ += (2 * k - (count - 1)) * drop[k]
        total[e] = g[e] * sum_


@compiled
def _some_pairs(
    head: Nodes,
    tail: Nodes,
    g: Floats,
    voltages: Floats,
    pairs: NDArray[np.int64],
    total: Floats,
) -> None:
    count = voltages.shape[1]
    drop = np.empty(count)
    for e in range(head.size):
        for k in range(count):
            drop[k] = voltages[head[e], k] - voltages[tail[e], k]
        sum_ = 0.0
        for p in range(pairs.shape[0]):
            sum_ += abs(drop[pairs[p, 0]] - drop[pairs[p, 1]])
        total[e] = g[e] * sum_


def gathered(graph: Graph, edge_total: Floats, ends: Floats) -> Floats:
    """Node currents from sums over edges: half of what touches the node and of what it ends."""
    touching = np.bincount(graph.head, edge_total, minlength=graph.nodes) + np.bincount(
        graph.tail, edge_total, minlength=graph.nodes
    )
    current: Floats = (touching + ends) / 2.0
    return current
