"""Graphs: from a raster of conductances or a list of edges to nodes, edges and components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Nodes = NDArray[np.int32]

#: How the conductance between two cells follows from theirs.
Scheme = Literal["resistance", "conductance"]
_STEPS: Final = ((0, 1), (1, 0))
_DIAGONALS: Final = ((1, 1), (1, -1))


@dataclass(frozen=True)
class Graph:
    """An undirected graph: edge e joins ``head[e]`` and ``tail[e]`` with ``conductance[e]``."""

    nodes: int
    head: Nodes
    tail: Nodes
    conductance: Floats

    def components(self) -> Nodes:
        """The number of the connected component of each node."""
        ones = np.ones(self.head.size, dtype=np.int8)
        links = sp.csr_array((ones, (self.head, self.tail)), shape=(self.nodes, self.nodes))
        _, label = connected_components(links, directed=False)
        numbers: Nodes = label.astype(np.int32)
        return numbers

    def laplacian(self, free: Ints | None = None, leak: Floats | None = None) -> sp.csc_array:
        """Weighted degrees less conductances; parallel edges add.

        Args:
            free: the nodes whose rows and columns are wanted, all by default; the edges to
                the other nodes stay in the degrees.
            leak: a conductance to ground of each wanted node, added to its degree.

        Returns:
            The matrix, without the copies that cutting a larger one would take.
        """
        head, tail, g = self.head, self.tail, self.conductance
        degree = summed(head, g, self.nodes) + summed(tail, g, self.nodes)
        if free is not None:
            number = np.full(self.nodes, -1, dtype=np.int32)
            number[free] = np.arange(free.size, dtype=np.int32)
            degree, head, tail = degree[free], number[head], number[tail]
            inside = (head >= 0) & (tail >= 0)
            head, tail, g = head[inside], tail[inside], g[inside]
        if leak is not None:
            degree = degree + leak
        between = sp.csc_array((g, (head, tail)), shape=(degree.size, degree.size))
        return sp.csc_array(sp.diags_array(degree, format="csc") - between - between.T)

    def outflow(self, voltage: Floats) -> Floats:
        """The net current that leaves each node, from differences along edges.

        Where conductances differ by orders of magnitude this keeps digits that the product of
        the Laplacian and the voltages loses.
        """
        net = np.zeros(self.nodes)
        _net(self.head, self.tail, self.conductance, voltage, net)
        return net

    def keep(self, chosen: NDArray[np.bool_]) -> tuple[Graph, Ints]:
        """The part of the graph on some nodes, and where these were."""
        places = np.flatnonzero(chosen)
        number = np.full(self.nodes, -1, dtype=np.int32)
        number[places] = np.arange(places.size, dtype=np.int32)
        head, tail = number[self.head], number[self.tail]
        inside = (head >= 0) & (tail >= 0)
        part = Graph(places.size, head[inside], tail[inside], self.conductance[inside])
        return part, places

    def merged(self, label: Nodes) -> Graph:
        """The graph after nodes of one label become one; loops vanish, parallel edges add."""
        head, tail = label[self.head], label[self.tail]
        between = head != tail
        return simple(
            int(label.max(initial=-1)) + 1,
            head[between],
            tail[between],
            self.conductance[between],
        )


@compiled
def _net(head: Nodes, tail: Nodes, g: Floats, voltage: Floats, net: Floats) -> None:
    for e in range(head.size):
        flow = g[e] * (voltage[head[e]] - voltage[tail[e]])
        net[head[e]] += flow
        net[tail[e]] -= flow


def summed(at: NDArray[np.integer], values: Floats, size: int) -> Floats:
    """The sum of the values that fall on each of ``size`` places."""
    total: Floats = np.bincount(at, values, minlength=size).astype(np.float64, copy=False)
    return total


def simple(nodes: int, head: Nodes, tail: Nodes, conductance: Floats) -> Graph:
    """A graph whose parallel edges are one each, lower node first, in the order of nodes."""
    low, high = np.minimum(head, tail), np.maximum(head, tail)
    between = low != high
    low, high, conductance = low[between], high[between], conductance[between]
    key, at = np.unique(low.astype(np.int64) * nodes + high, return_inverse=True)
    total = summed(at, conductance, key.size)
    return Graph(nodes, (key // nodes).astype(np.int32), (key % nodes).astype(np.int32), total)


def merge_cells(conductance: Floats, cells: Ints, groups: Ints) -> tuple[Nodes, int]:
    """The node of each cell when the cells of a group are one node; -1 where there is none.

    A cell may stand in several groups, which are then one. A group without any habitat makes
    no node; the cells without habitat of a group that has some belong to its node.

    Args:
        conductance: raster of cell conductances, 0 where there is no habitat.
        cells: flat numbers of the cells in groups.
        groups: the group of each of them, any integers.

    Returns:
        Node numbers as a raster, in the order of cells, and how many nodes there are.
    """
    habitat = (conductance > 0).ravel()
    if not cells.size:
        plain = np.where(habitat, np.cumsum(habitat, dtype=np.int32) - 1, -1).astype(np.int32)
        return plain.reshape(conductance.shape), int(habitat.sum())
    number = np.full(habitat.size, -1, dtype=np.int64)
    places = np.flatnonzero(habitat)
    number[places] = places
    members, member = np.unique(cells, return_inverse=True)
    _, group = np.unique(groups, return_inverse=True)
    size = members.size + int(group.max()) + 1
    links = sp.csr_array(
        (np.ones(member.size, dtype=np.int8), (member, members.size + group)),
        shape=(size, size),
    )
    _, union = connected_components(links, directed=False)
    union = union[: members.size]
    lowest = np.full(int(union.max()) + 1, habitat.size, dtype=np.int64)
    live = habitat[members]
    np.minimum.at(lowest, union[live], members[live])
    first = lowest[union]
    number[members] = np.where(first < habitat.size, first, -1)
    used, at = np.unique(number[number >= 0], return_inverse=True)
    node = np.full(habitat.size, -1, dtype=np.int32)
    node[number >= 0] = at.astype(np.int32)
    return node.reshape(conductance.shape), int(used.size)


def grid_graph(
    conductance: Floats, node: Nodes, nodes: int, *, four: bool, scheme: Scheme
) -> Graph:
    """The graph of a raster: each cell joined to its 4 or 8 neighbours.

    The conductance between cells a and b is that of the mean resistance, 2 / (ra + rb), or
    the mean conductance, (ga + gb) / 2; divided by the square root of 2 on a diagonal
    (McRae et al. 2008, doi:10.1890/07-1861.1).
    """
    heads, tails, weights = [], [], []
    for down, right in _STEPS if four else _STEPS + _DIAGONALS:
        here, there = _pair(down, right)
        a, b = node[here], node[there]
        joined = (a >= 0) & (b >= 0) & (a != b)
        g = _between(conductance[here][joined], conductance[there][joined], scheme)
        if down and right:
            g /= np.sqrt(2.0)
        live = g > 0
        heads.append(a[joined][live])
        tails.append(b[joined][live])
        weights.append(g[live])
    return Graph(nodes, np.concatenate(heads), np.concatenate(tails), np.concatenate(weights))


def _pair(down: int, right: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The cells that have a neighbour in a direction, and these neighbours."""
    if right < 0:
        return (slice(None, -down), slice(-right, None)), (slice(down, None), slice(None, right))
    rows = (slice(None, -down or None), slice(down, None))
    columns = (slice(None, -right or None), slice(right, None))
    return (rows[0], columns[0]), (rows[1], columns[1])


def _between(one: Floats, other: Floats, scheme: Scheme) -> Floats:
    if scheme == "conductance":
        mean: Floats = (one + other) / 2.0
        return mean
    product = np.zeros_like(one)
    live = (one > 0) & (other > 0)
    product[live] = 2.0 / (1.0 / one[live] + 1.0 / other[live])
    return product
