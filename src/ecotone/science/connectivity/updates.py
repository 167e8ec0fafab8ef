"""What changed links and cells change: the old factor and a dense system, no new factor.

With A the grounded Laplacian before, S the nodes at which a link changes, P their columns of
the identity and M the change among them, (A + P M P')^-1 = A^-1 - A^-1 P (I + M R)^-1 M P' A^-1
where R = P' A^-1 P (Woodbury 1950). R takes a solve for each node of S, of which only the rows
of S are held; what comes after takes one more solve for each focal point. A cell that closes or
opens is a node without links before or after, tied to the ground so that A stays regular.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve

from ecotone.science.connectivity.circuits import MEMORY, Basis, Circuit
from ecotone.science.connectivity.graph import Graph, simple, summed
from ecotone.science.connectivity.solver import Grounded, Method, ground, predict

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: With a larger residual the dense system was too near to singular.
_POOR: Final = 1e-9
#: Below it nothing is refined.
_FINE: Final = 1e-12
_REFINEMENTS: Final = 3
#: Focal points that are taken together, by one thread.
_TOGETHER: Final = 8
#: Seconds that the dense system takes, times the third power of its size.
_DENSE: Final = 4e-11


@dataclass(frozen=True)
class Ways:
    """What both ways to the state after a change are expected to take."""

    links: int  #: links that differ
    nodes: int  #: at which they do
    update: float  #: seconds on the old factor
    factor: float  #: seconds of a new one

    @property
    def worth(self) -> bool:
        """Whether the old factor is the shorter way."""
        return self.nodes > 0 and self.update < self.factor


def difference(before: Graph, after: Graph) -> Graph:
    """The links of two graphs on the same nodes that differ, with what is added to each."""
    both = simple(
        before.nodes,
        np.concatenate([before.head, after.head]),
        np.concatenate([before.tail, after.tail]),
        np.concatenate([-before.conductance, after.conductance]),
    )
    live = both.conductance != 0
    return Graph(both.nodes, both.head[live], both.tail[live], both.conductance[live])


def ways(
    before: Graph, after: Graph, points: int, *, method: Method = "auto", memory: float = MEMORY
) -> Ways:
    """How many links differ, and what an update and a new factor are expected to take."""
    change = difference(before, after)
    nodes = np.unique(np.concatenate([change.head, change.tail])).size
    cost = predict(before.nodes, before.head.size, memory=memory, method=method)
    cores = os.cpu_count() or 1
    update = (nodes + points) * cost.each / cores + _DENSE * float(nodes) ** 3
    factor = cost.seconds + points * cost.each / cores
    if 24.0 * float(nodes) ** 2 > memory:
        update = np.inf
    return Ways(change.head.size, nodes, float(update), float(factor))


def before_and_after(
    before: Graph,
    after: Graph,
    node: Ints,
    *,
    method: Method = "auto",
    memory: float = MEMORY,
) -> tuple[Circuit, Circuit] | None:
    """The circuits of focal points in two states of one graph, on the factor of the first.

    Args:
        before: the graph before.
        after: the graph after, on the same nodes; a node without links is a closed cell.
        node: the node of each focal point; -1 where it stands on no habitat.
        method: the solver.
        memory: bytes a factor may take.

    Returns:
        None where the change joins or parts what is linked in both states, opens or closes a
        focal point's own node, or leaves a dense system near to singular.
    """
    live = _linked(before), _linked(after)
    label = before.components(), after.components()
    if not _same_parts(label[0], label[1], live[0] & live[1]):
        return None
    if (live[0] != live[1])[node[node >= 0]].any():
        return None
    change = difference(before, after)
    component = np.where(node >= 0, label[0][node], -1)
    later = np.where(node >= 0, label[1][node], -1)
    basis_of = np.full(node.size, -1, dtype=np.int64)
    column_of = np.zeros(node.size, dtype=np.int64)
    old: list[Basis] = []
    new: list[Basis] = []
    worst, solver = 0.0, "none"
    for number in np.unique(component[component >= 0]):
        members = np.flatnonzero(component == number)
        where = _Where(label[0] == number, label[1] == later[members[0]])
        focal, column = np.unique(node[members], return_inverse=True)
        part = _Part.of(before, after, change, where, focal, method, memory)
        found = part.solve()
        if found is None:
            return None
        worst = max(worst, found.residual)
        solver = found.solver if found.solver != "none" else solver
        basis_of[members], column_of[members] = len(old), column
        old.append(_basis(before, where.before, where.either, focal, found.before))
        new.append(_basis(after, where.after, where.either, focal, found.after))
    first, second = (
        Circuit(graph, node, tuple(bases), basis_of, column_of, worst, solver, doubtful=False)
        for graph, bases in ((before, old), (after, new))
    )
    return first, second


def _linked(graph: Graph) -> NDArray[np.bool_]:
    """Nodes that any link touches."""
    touched = np.zeros(graph.nodes, dtype=np.bool_)
    touched[graph.head] = touched[graph.tail] = True
    return touched


def _same_parts(one: NDArray[np.int32], other: NDArray[np.int32], among: NDArray[np.bool_]) -> bool:
    """Whether two labellings part some nodes in the same way."""
    pairs = np.unique(np.column_stack([one[among], other[among]]), axis=0)
    return all(np.unique(pairs[:, side]).size == len(pairs) for side in (0, 1))


@dataclass(frozen=True)
class _Where:
    """The nodes of one component, before, after and in either state."""

    before: NDArray[np.bool_]
    after: NDArray[np.bool_]

    @property
    def either(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.before | self.after
        return found


def _basis(
    graph: Graph, mine: NDArray[np.bool_], either: NDArray[np.bool_], focal: Ints, voltage: Floats
) -> Basis:
    """One state's voltages on the nodes that it has."""
    part, places = graph.keep(mine)
    rows = np.flatnonzero(mine[either])
    return Basis(part, places, np.searchsorted(places, focal), voltage[rows])


@dataclass(frozen=True)
class _Found:
    before: Floats
    after: Floats
    residual: float
    solver: str


@dataclass(frozen=True)
class _Part:
    """A component in both states on the nodes of either; the first focal point is ground."""

    circuit: Grounded
    after: Graph
    leak: Floats  #: after
    focal: Ints
    at: Ints  #: nodes at which something changes, the ground left out
    change: Floats  #: among them, dense

    @classmethod
    def of(
        cls, before: Graph, after: Graph, change: Graph, where: _Where, focal: Ints,
        method: Method, memory: float,
    ) -> _Part:  # fmt: skip
        """Cut the component out and write down what changes in it."""
        first, places = before.keep(where.either)
        second, _ = after.keep(where.either)
        differs, _ = change.keep(where.either)
        focal = np.searchsorted(places, focal)
        leaks = []
        for mine in (where.before, where.after):
            leak = np.where(mine[places], 0.0, 1.0)
            leak[focal[0]] = np.inf
            leaks.append(leak)
        tied = np.flatnonzero(leaks[0] != leaks[1])
        at = np.unique(np.concatenate([differs.head, differs.tail, tied])).astype(np.int64)
        at = at[at != focal[0]]
        cost = predict(first.nodes, first.head.size, memory=memory, method=method)
        return cls(
            ground(first, leaks[0], cost.method), second, leaks[1], focal, at,
            _among(differs, at, leaks[1][at] - leaks[0][at]),
        )  # fmt: skip

    def solve(self) -> _Found | None:
        """Voltages of a unit current into each focal point, before and after."""
        solved = self.circuit.units(self.focal)
        if not self.at.size:
            return _Found(solved.voltage, solved.voltage, solved.residual, solved.solver)
        response = self.circuit.units(self.at, rows=self.at)
        system = np.eye(self.at.size) + self.change @ response.voltage
        with np.errstate(all="ignore"):
            factor = lu_factor(system, check_finite=False)
        later = solved.voltage.copy()
        starts = range(0, self.focal.size, _TOGETHER)

        def some(start: int) -> float:
            columns = slice(start, start + _TOGETHER)
            later[:, columns], left = self._updated(later[:, columns], self.focal[columns], factor)
            return left

        factored = self.circuit.factor
        together = factored is not None and factored.together
        with ThreadPoolExecutor((os.cpu_count() or 1) if together else 1) as pool:
            worst = max(pool.map(some, starts))
        if not worst <= _POOR:
            return None
        return _Found(solved.voltage, later, max(worst, solved.residual), solved.solver)

    def _updated(
        self, voltage: Floats, focal: Ints, factor: tuple[Floats, NDArray[np.int32]]
    ) -> tuple[Floats, float]:
        """A few columns after the change, refined by the same means; the residual left."""
        later = voltage - self._drop(voltage, factor)
        missing, left = self._missing(later, focal)
        for _ in range(_REFINEMENTS):
            if not left > _FINE:
                break
            step, _ = self.circuit.columns(missing)
            better = later + step - self._drop(step, factor)
            missing, now = self._missing(better, focal)
            if not now < left:
                break
            later, left = better, now
        return later, left

    def _drop(self, voltage: Floats, factor: tuple[Floats, NDArray[np.int32]]) -> Floats:
        """What the change takes from voltages that the old factor gives."""
        current = np.zeros(voltage.shape, order="F")
        current[self.at] = lu_solve(factor, self.change @ voltage[self.at], check_finite=False)
        if not np.isfinite(current).all():
            return np.full(voltage.shape, np.nan)
        dropped, _ = self.circuit.columns(current)
        return dropped

    def _missing(self, voltage: Floats, focal: Ints) -> tuple[Floats, float]:
        """The ampere put in less what goes out, after the change; and the worst of it."""
        missing = np.zeros(voltage.shape, order="F")
        for place, source in enumerate(focal.tolist()):
            column = np.ascontiguousarray(voltage[:, place])
            free = np.isfinite(self.leak)
            missing[source, place] = 1.0
            missing[:, place] -= self.after.outflow(column)
            missing[free, place] -= self.leak[free] * column[free]
            missing[~free, place] = 0.0
        worst = float(np.abs(missing).max())
        return missing, np.inf if np.isnan(worst) else worst


def _among(change: Graph, at: Ints, leak: Floats) -> Floats:
    """The change of the grounded Laplacian among some nodes."""
    number = np.full(change.nodes, -1, dtype=np.int64)
    number[at] = np.arange(at.size)
    degree = summed(change.head, change.conductance, change.nodes)
    degree += summed(change.tail, change.conductance, change.nodes)
    out = np.diag(degree[at] + leak)
    head, tail = number[change.head], number[change.tail]
    inside = (head >= 0) & (tail >= 0)
    for one, other in _both_ways(head[inside], tail[inside]):
        np.subtract.at(out, (one, other), change.conductance[inside])
    return out


def _both_ways(head: Ints, tail: Ints) -> Iterator[tuple[Ints, Ints]]:
    yield head, tail
    yield tail, head
