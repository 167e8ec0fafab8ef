"""What a few changed links change: the old factor and a small dense system, no new factor.

With A the grounded Laplacian, U the incidence of the changed edges and D their changes of
conductance, (A + U D U')^-1 = A^-1 - A^-1 U (D^-1 + U' A^-1 U)^-1 U' A^-1 (Woodbury 1950).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.science.connectivity.circuits import MEMORY, Basis, Circuit
from ecotone.science.connectivity.graph import Graph, simple
from ecotone.science.connectivity.solver import Method, ground, predict

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Each changed edge takes one solve, and so many solves take as long as a new factor.
WORTH: Final = 12
#: A conductance this much smaller than before, relatively, is none.
_GONE: Final = 1e-12
#: With a larger residual the small system was too near to singular.
_POOR: Final = 1e-9


def changed(graph: Graph, head: Ints, tail: Ints, change: Floats) -> Graph:
    """The graph after ``change`` is added to the conductance between nodes."""
    after = simple(
        graph.nodes,
        np.concatenate([graph.head, head.astype(np.int32)]),
        np.concatenate([graph.tail, tail.astype(np.int32)]),
        np.concatenate([graph.conductance, change]),
    )
    size = simple(
        graph.nodes,
        np.concatenate([graph.head, head.astype(np.int32)]),
        np.concatenate([graph.tail, tail.astype(np.int32)]),
        np.concatenate([graph.conductance, np.abs(change)]),
    ).conductance
    live = after.conductance > _GONE * size
    return Graph(after.nodes, after.head[live], after.tail[live], after.conductance[live])


def before_and_after(
    graph: Graph,
    node: Ints,
    head: Ints,
    tail: Ints,
    change: Floats,
    *,
    method: Method = "auto",
    memory: float = MEMORY,
) -> tuple[Circuit, Circuit] | None:
    """The circuits of focal points before and after some conductances change, on one factor.

    Args:
        graph: the graph before.
        node: the node of each focal point; -1 where it stands on no habitat.
        head: one end of each changed edge, which need not exist before.
        tail: the other end.
        change: what is added to its conductance.
        method: the solver.
        memory: bytes a factor may take.

    Returns:
        None where that is not worth it or not possible: more changes than a new factor takes
        solves, nodes joined or parted, or a small system near to singular.
    """
    after = changed(graph, head, tail, change)
    label = graph.components()
    if change.size > WORTH or not np.array_equal(label, after.components()):
        return None
    component = np.where(node >= 0, label[node], -1)
    basis_of = np.full(node.size, -1, dtype=np.int64)
    column_of = np.zeros(node.size, dtype=np.int64)
    old: list[Basis] = []
    new: list[Basis] = []
    worst, solver = 0.0, "none"
    for number in np.unique(component[component >= 0]):
        members = np.flatnonzero(component == number)
        part, places = graph.keep(label == number)
        focal, column = np.unique(np.searchsorted(places, node[members]), return_inverse=True)
        mine = label[head] == number
        ends = (np.searchsorted(places, head[mine]), np.searchsorted(places, tail[mine]))
        leak = np.zeros(part.nodes)
        leak[focal[0]] = np.inf
        cost = predict(part.nodes, part.head.size, memory=memory, method=method)
        circuit = ground(part, leak, cost.method)
        solved = circuit.units(focal)
        voltage, left = circuit.columns(_entering(part.nodes, *ends))
        update = _updated(solved.voltage, voltage, ends, change[mine])
        later, _ = after.keep(label == number)
        worst = max(worst, solved.residual, left, _missing(later, update, focal))
        solver = solved.solver if solved.solver != "none" else solver
        basis_of[members], column_of[members] = len(old), column
        old.append(Basis(part, places, focal, solved.voltage))
        new.append(Basis(later, places, focal, update))
    if not worst <= _POOR:
        return None
    both = (
        Circuit(one, node, tuple(bases), basis_of, column_of, worst, solver, doubtful=False)
        for one, bases in ((graph, old), (after, new))
    )
    return next(both), next(both)


def _entering(nodes: int, head: Ints, tail: Ints) -> Floats:
    """One ampere into the head and out of the tail of each changed edge."""
    current = np.zeros((nodes, head.size), order="F")
    columns = np.arange(head.size)
    current[head, columns] = 1.0
    current[tail, columns] -= 1.0
    return current


def _updated(voltage: Floats, response: Floats, ends: tuple[Ints, Ints], change: Floats) -> Floats:
    """Voltages after the change, from those before and the responses to the changed edges."""
    if not change.size:
        return voltage
    head, tail = ends
    system = np.diag(1.0 / change) + response[head] - response[tail]
    try:
        drop = np.linalg.solve(system, voltage[head] - voltage[tail])
    except np.linalg.LinAlgError:
        return np.full_like(voltage, np.nan)
    later: Floats = voltage - response @ drop
    return later


def _missing(graph: Graph, voltage: Floats, focal: Ints) -> float:
    """The worst true residual: net current at each node less the ampere put in."""
    worst = 0.0
    for place in range(1, focal.size):
        out = graph.outflow(voltage[:, place])
        out[focal[place]] -= 1.0
        out[focal[0]] = 0.0
        worst = max(worst, float(np.abs(out).max()))
        if np.isnan(worst) or np.isnan(out).any():
            return np.inf
    return worst
