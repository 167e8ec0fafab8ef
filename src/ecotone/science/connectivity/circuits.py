"""Circuits on one graph: N - 1 solves give every pair, every one-to-all and all-to-one.

With one focal node grounded and x_k the voltages when 1 A enters at node k, the voltages of
pair (i, j) are x_j - x_i and R_ij = x_i(i) - x_i(j) - x_j(i) + x_j(j): superposition. Ground
at several nodes at once is a dense system of the size of the focal nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecotone.science.connectivity.currents import edge_totals, gathered, node_currents
from ecotone.science.connectivity.graph import Graph
from ecotone.science.connectivity.solver import Keep, Method, Solved, ground, keep_nothing, predict

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Bytes a factor may take before the iterative solver is chosen.
MEMORY = 6e9


@dataclass(frozen=True)
class Basis:
    """One component that holds focal nodes: voltages of a unit current into each of them."""

    graph: Graph
    places: Ints  #: nodes of the whole graph
    focal: Ints  #: focal nodes, each once, as numbered in the component; the first is ground
    voltage: Floats  #: (nodes of the component, focal nodes)

    def combined(self, weight: Floats, held: int) -> Floats:
        """Voltages of currents ``weight`` into the focal nodes, 0 V at focal node ``held``."""
        used = np.flatnonzero(weight)
        voltage: Floats = self.voltage[:, used] @ weight[used]
        voltage -= voltage[self.focal[held]]
        return voltage


@dataclass(frozen=True)
class Case:
    """Voltages and node currents of one case over all nodes, 0 where nothing flows."""

    voltage: Floats
    current: Floats


@dataclass(frozen=True)
class Circuit:
    """A graph solved for a set of focal points; ``node`` is -1 for a point without habitat."""

    graph: Graph
    node: Ints
    bases: tuple[Basis, ...]
    basis_of: Ints  #: which basis holds each point; -1 none
    column_of: Ints  #: the column of each point in its basis
    residual: float
    solver: str
    doubtful: bool

    def resistance(self) -> Floats:
        """Effective resistance of every two points; NaN where no current can flow."""
        count = self.node.size
        out = np.full((count, count), np.nan)
        for number, basis in enumerate(self.bases):
            mine = np.flatnonzero(self.basis_of == number)
            at = basis.voltage[basis.focal]
            own = np.diag(at)
            between = own[:, None] + own[None, :] - at - at.T
            columns = self.column_of[mine]
            out[np.ix_(mine, mine)] = np.maximum(between[np.ix_(columns, columns)], 0.0)
        np.fill_diagonal(out, 0.0)
        return out

    def pair(self, i: int, j: int) -> Case:
        """One ampere from point j to point i, which is held at 0 V."""
        basis = self._shared(i, j)
        if basis is None:
            return self._nothing()
        a, b = self.column_of[i], self.column_of[j]
        weight = np.zeros(basis.focal.size)
        weight[b] += 1.0
        weight[a] -= 1.0
        return self._spread(basis, basis.combined(weight, a))

    def cumulative(self, pairs: Ints | None = None, *, bare_focal: bool = False) -> Floats:
        """The node currents of all pairs, or of some (rows i, j), added up.

        With ``bare_focal`` a pair counts nothing at its own two nodes, where 1 A flows.
        """
        total = np.zeros(self.graph.nodes)
        for basis, voltage, chosen, touched in self._accumulated(pairs):
            ends = np.zeros(basis.graph.nodes)
            ends[basis.focal] = touched
            flows = edge_totals(basis.graph, voltage, chosen)
            total[basis.places] += gathered(basis.graph, flows, ends)
            if bare_focal:
                total[basis.places[basis.focal]] -= touched
        return np.maximum(total, 0.0) if bare_focal else total

    def branch_totals(self, pairs: Ints | None = None) -> Floats:
        """The absolute current along each edge of the graph, added up over pairs."""
        total = np.zeros(self.graph.head.size)
        for basis, voltage, chosen, _ in self._accumulated(pairs):
            inside = np.isin(self.graph.head, basis.places)
            total[inside] = edge_totals(basis.graph, voltage, chosen)
        return total

    def _accumulated(
        self, pairs: Ints | None
    ) -> Iterator[tuple[Basis, Floats, Ints | None, Floats]]:
        """Of each basis: voltages, column pairs (None: all) and how often a focal node ends one."""
        for number, basis in enumerate(self.bases):
            members = np.flatnonzero(self.basis_of == number)
            columns = self.column_of[members]
            size = basis.focal.size
            if pairs is None:
                count = np.bincount(columns, minlength=size).astype(float)
                voltage = basis.voltage
                if members.size != size:
                    voltage = np.ascontiguousarray(voltage[:, columns])
                yield basis, voltage, None, count * (members.size - count)
                continue
            inside = (self.basis_of[pairs] == number).all(axis=1)
            chosen = self.column_of[pairs[inside]]
            chosen = chosen[chosen[:, 0] != chosen[:, 1]]
            touched = np.bincount(chosen.ravel(), minlength=size).astype(float)
            yield basis, basis.voltage, chosen, touched

    def one_to_all(self, i: int, others: Sequence[int], strength: float = 1.0) -> Case | None:
        """``strength`` amperes from point i to ``others``, all at 0 V; None if none is joined."""
        basis, grounds = self._joined(i, others)
        if basis is None or strength == 0.0:
            return None
        source = int(self.column_of[i])
        held = basis.focal[grounds]
        size = grounds.size
        system = np.zeros((size + 1, size + 1))
        system[:size, :size] = basis.voltage[np.ix_(held, grounds)]
        system[:size, size] = 1.0
        system[size, :size] = 1.0
        right = np.append(-strength * basis.voltage[held, source], -strength)
        weight = np.zeros(basis.focal.size)
        weight[grounds] = np.linalg.solve(system, right)[:size]
        weight[source] = strength
        return self._spread(basis, basis.combined(weight, int(grounds[0])))

    def all_to_one(
        self, i: int, others: Sequence[int], strengths: Floats | None = None
    ) -> Case | None:
        """From each of ``others`` its strength (default 1 A) to point i, held at 0 V."""
        basis, _ = self._joined(i, others)
        if basis is None:
            return None
        held = int(self.column_of[i])
        weight = np.zeros(basis.focal.size)
        for place, other in enumerate(others):
            if self._shared(i, other) is basis and self.column_of[other] != held:
                weight[self.column_of[other]] += 1.0 if strengths is None else strengths[place]
        if not weight.any():
            return None
        weight[held] = -weight.sum()
        return self._spread(basis, basis.combined(weight, held))

    def _joined(self, i: int, others: Sequence[int]) -> tuple[Basis | None, Ints]:
        """The basis of point i and the columns of the other points in it."""
        linked = [self.column_of[o] for o in others if self._shared(i, o) is not None]
        columns = np.unique(np.array(linked, dtype=np.int64))
        columns = columns[columns != self.column_of[i]]
        basis = self._shared(i, i)
        return (basis, columns) if columns.size else (None, columns)

    def _shared(self, i: int, j: int) -> Basis | None:
        number = self.basis_of[i]
        return self.bases[number] if number >= 0 and number == self.basis_of[j] else None

    def _spread(self, basis: Basis, voltage: Floats) -> Case:
        case = self._nothing()
        case.voltage[basis.places] = voltage
        case.current[basis.places] = node_currents(basis.graph, voltage)
        return case

    def _nothing(self) -> Case:
        return Case(np.zeros(self.graph.nodes), np.zeros(self.graph.nodes))


def solve_points(
    graph: Graph,
    node: Ints,
    *,
    method: Method = "auto",
    memory: float = MEMORY,
    keep: Keep = keep_nothing,
    name: str = "",
) -> Circuit:
    """Solve a graph for focal points, each component that holds any by itself.

    Args:
        graph: the graph.
        node: the node of each point; -1 where it stands on no habitat.
        method: ``direct``, ``amg`` or by predicted memory.
        memory: bytes a factor may take.
        keep: asked for each few solves, so that a long run may be taken up again.
        name: of this graph, among others that are kept.

    Returns:
        What every case of these points is put together from.
    """
    label = graph.components()
    component = np.where(node >= 0, label[node], -1)
    basis_of = np.full(node.size, -1, dtype=np.int64)
    column_of = np.zeros(node.size, dtype=np.int64)
    bases: list[Basis] = []
    residual, doubtful, solver = 0.0, False, "none"
    for number in np.unique(component[component >= 0]):
        members = np.flatnonzero(component == number)
        part, places = graph.keep(label == number)
        focal, column = np.unique(np.searchsorted(places, node[members]), return_inverse=True)
        solved = _unit_currents(part, focal, method, memory, keep, f"{name}-{number}")
        basis_of[members], column_of[members] = len(bases), column
        bases.append(Basis(part, places, focal, solved.voltage))
        residual = max(residual, solved.residual)
        doubtful |= solved.doubtful
        solver = solved.solver if solved.solver != "none" else solver
    return Circuit(graph, node, tuple(bases), basis_of, column_of, residual, solver, doubtful)


def _unit_currents(
    graph: Graph, focal: Ints, method: Method, memory: float, keep: Keep, name: str
) -> Solved:
    """Voltages of a unit current into each focal node; the first is ground."""
    if focal.size == 1:
        return Solved(np.zeros((graph.nodes, 1)), 0.0, "none", doubtful=False)
    leak = np.zeros(graph.nodes)
    leak[focal[0]] = np.inf
    cost = predict(graph.nodes, graph.head.size, memory=memory, method=method)
    # Current into the ground itself leaves at once: its column is zero.
    return ground(graph, leak, cost.method).units(focal, keep=keep, name=name)


@dataclass(frozen=True)
class Flow:
    """Voltages and node currents of given sources and grounds."""

    voltage: Floats
    current: Floats
    solved: NDArray[np.bool_]  #: nodes of components that have a source and a ground
    residual: float
    solver: str
    doubtful: bool


def solve_flow(
    graph: Graph, source: Floats, leak: Floats, *, method: Method = "auto", memory: float = MEMORY
) -> Flow:
    """Voltages where ``source`` amperes enter the nodes and ``leak`` siemens lead to ground.

    An infinite leak holds its node at 0 V. Components without a source or without a ground
    are left out.
    """
    label = graph.components()
    count = int(label.max(initial=-1)) + 1
    fed = np.bincount(label, source != 0, minlength=count) > 0
    earthed = np.bincount(label, leak > 0, minlength=count) > 0
    solved = (fed & earthed)[label]
    voltage, current = np.zeros(graph.nodes), np.zeros(graph.nodes)
    part, places = graph.keep(solved)
    if places.size == 0:
        return Flow(voltage, current, solved, 0.0, "none", doubtful=False)
    cost = predict(part.nodes, part.head.size, memory=memory, method=method)
    own = leak[places]
    answer = ground(part, own, cost.method).solve(source[places])
    voltage[places] = answer.voltage
    finite = np.where(np.isfinite(own), own, 0.0)
    current[places] = node_currents(part, answer.voltage, finite)
    return Flow(voltage, current, solved, answer.residual, answer.solver, answer.doubtful)


#: What is done where a node has both a source and a ground.
POLICIES = ("keepall", "rmvsrc", "rmvgnd", "rmvall")


def resolve_conflicts(source: Floats, leak: Floats, policy: str) -> tuple[Floats, Floats]:
    """Sources and grounds after a policy; a source on a node held at 0 V goes in any case.

    ``rmvall`` takes the source alone, as in Circuitscape, whatever its name says.
    """
    source, leak = source.copy(), leak.copy()
    both = (source != 0) & (leak != 0)
    if policy in ("rmvsrc", "rmvall"):
        source[both] = 0.0
    if policy == "rmvgnd":
        leak[both] = 0.0
    source[np.isinf(leak)] = 0.0
    return source, leak
