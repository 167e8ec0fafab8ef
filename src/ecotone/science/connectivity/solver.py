"""Solvers of the grounded Laplacian: direct or iterative (AMG-CG), one protocol.

Direct is CHOLMOD or MKL Pardiso where the user has installed one of them (``direct_solvers``;
neither comes with the wheels of this package), else SuperLU of scipy.

The residual that is told is the true one: net current at each node against the current put in,
summed along edges, over the largest current put in.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, Literal, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import cg, splu

from ecotone.science.connectivity.graph import Graph

Floats = NDArray[np.float64]
Method = Literal["auto", "direct", "amg", "superlu", "cholmod", "pardiso"]

#: Refinement goes on while a step at least halves the residual, and at most so often.
_REFINEMENTS: Final = 5
#: Right-hand sides that are solved together, by one thread.
_TOGETHER: Final = 8
#: Above this residual an answer is called doubtful.
_DOUBTFUL: Final = 1e-9
#: A residual below this needs no refinement.
_FINE: Final = 1e-11
#: Above this ratio of largest to smallest conductance plain double precision loses digits.
HIGH_CONTRAST: Final = 1e9
#: Factor entries of a planar graph of n nodes: this times n log2 n (nested dissection).
_FILL: Final = {True: 31 / 8, False: 31 / 4}
_BYTES_PER_ENTRY: Final = 12
#: Bytes that the AMG hierarchy and the matrix take for one node.
_AMG_BYTES: Final = 560
#: Relative tolerance of the iterative solver, on the true residual.
_TOLERANCE: Final = 1e-12


class Keep(Protocol):
    """Gives back what was made under a name before, or makes it and keeps it."""

    def __call__(self, name: str, make: Callable[[], tuple[Floats, float]]) -> tuple[Floats, float]:
        """The array and the number under a name."""
        ...


def keep_nothing(name: str, make: Callable[[], tuple[Floats, float]]) -> tuple[Floats, float]:
    """A ``Keep`` that has no memory."""
    return make()


class Factor(Protocol):
    """Something that solves A x = b for many b."""

    name: str
    together: bool  #: several threads may solve at a time

    def solve(self, right: Floats) -> Floats:
        """The solution for one right-hand side or for each column of several."""
        ...


class Direct:
    """SuperLU: minimum degree ordering of a symmetric matrix, no pivoting off the diagonal."""

    name = "SuperLU"
    together = True

    def __init__(self, matrix: sp.csc_array) -> None:
        self._lu = splu(
            matrix,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def solve(self, right: Floats) -> Floats:
        """See ``Factor``."""
        solution: Floats = self._lu.solve(right)
        return solution


class Multigrid:
    """Conjugate gradients after smoothed-aggregation AMG: slower, in little memory."""

    name = "AMG-CG"
    together = True

    def __init__(self, matrix: sp.csc_array) -> None:
        import pyamg  # type: ignore[import-untyped]  # it ships no types

        # The matrix is symmetric: its transpose is itself, in the order that AMG wants.
        self._matrix = sp.csr_array(matrix.T)
        level = pyamg.smoothed_aggregation_solver(
            self._matrix, symmetry="symmetric", smooth="jacobi", max_coarse=500
        )
        self._before = level.aspreconditioner(cycle="V")

    def solve(self, right: Floats) -> Floats:
        """See ``Factor``."""
        if right.ndim == 1:
            return self._one(right)
        return np.column_stack([self._one(column) for column in right.T])

    def _one(self, right: Floats) -> Floats:
        if not right.any():
            return np.zeros_like(right)
        solution: Floats
        solution, _ = cg(self._matrix, right, rtol=_TOLERANCE, maxiter=400, M=self._before)
        return solution


def direct_solvers() -> dict[str, Callable[[sp.csc_array], Factor]]:
    """The direct solvers that are installed, the fastest first."""
    found: dict[str, Callable[[sp.csc_array], Factor]] = {}
    for name, module, solver in (
        ("cholmod", "sksparse.cholmod", Cholmod),
        ("pardiso", "pypardiso", Pardiso),
    ):
        try:
            known = find_spec(module) is not None
        except ModuleNotFoundError:
            known = False
        if known:
            found[name] = solver
    return {**found, "superlu": Direct}


class Cholmod:
    """CHOLMOD through scikit-sparse: its supernodal part is under the GPL, so it is optional."""

    name = "CHOLMOD"
    together = False

    def __init__(self, matrix: sp.csc_array) -> None:
        from sksparse.cholmod import cholesky  # type: ignore[import-not-found]  # optional

        self._factor = cholesky(sp.csc_matrix(matrix), ordering_method="default")

    def solve(self, right: Floats) -> Floats:
        """See ``Factor``."""
        solution: Floats = np.asarray(self._factor(right), dtype=np.float64)
        return solution


class Pardiso:
    """MKL Pardiso through pypardiso, under Intel's licence; on x86 alone."""

    name = "MKL Pardiso"
    together = False

    def __init__(self, matrix: sp.csc_array) -> None:
        from pypardiso import PyPardisoSolver  # type: ignore[import-not-found]  # optional

        # 2: real, symmetric, positive definite; half of the matrix is enough.
        self._solver = PyPardisoSolver(mtype=2)
        self._upper = sp.csr_matrix(sp.triu(matrix, format="csr"))
        self._solver.factorize(self._upper)

    def solve(self, right: Floats) -> Floats:
        """See ``Factor``."""
        columns = np.asfortranarray(right)
        solution: Floats = self._solver.solve(self._upper, columns)
        return solution


@dataclass(frozen=True)
class Solved:
    """Voltages, the worst true relative residual, and whether refinement stalled above 1e-9."""

    voltage: Floats
    residual: float
    solver: str
    doubtful: bool


@dataclass(frozen=True)
class Cost:
    """What a solve is expected to need."""

    method: Method
    bytes: float
    seconds: float  #: on one core of 2026, for the factor or hierarchy and each right-hand side
    each: float


def predict(nodes: int, edges: int, *, memory: float, method: Method = "auto") -> Cost:
    """Which solver fits a memory (bytes) and what it takes: direct where it fits."""
    planar = edges <= 2.2 * nodes
    entries = _FILL[planar] * nodes * np.log2(max(nodes, 2))
    direct = 2 * _BYTES_PER_ENTRY * entries + 60.0 * edges
    amg = _AMG_BYTES * nodes + 60.0 * edges
    million = nodes / 1e6
    if method == "amg" or (method == "auto" and direct > memory):
        return Cost("amg", amg, 8.0 * million, 7.0 * million)
    chosen: Method = "direct" if method == "auto" else method
    factor = (5.0 if planar else 25.0) * million**1.5
    return Cost(chosen, direct, factor, (0.3 if planar else 0.6) * million)


def factorise(matrix: sp.csc_array, method: Method) -> Factor:
    """A factor of a symmetric positive definite matrix; ``direct`` takes the fastest there is."""
    if method == "amg":
        return Multigrid(matrix)
    found = direct_solvers()
    name = next(iter(found)) if method in ("direct", "auto") else method
    if name not in found:
        raise ValueError(f"the solver '{name}' is not installed; there are {', '.join(found)}")
    return found[name](matrix)


@dataclass(frozen=True)
class Grounded:
    """A connected graph with a leak to ground at some nodes, factored once.

    ``leak`` is the conductance to ground of each node: infinite where it is held at 0 V.
    """

    graph: Graph
    leak: Floats
    free: NDArray[np.int64]  #: nodes not held at 0 V
    factor: Factor | None  #: None where every node is held

    def solve(self, current: Floats) -> Solved:
        """Voltages where ``current`` enters the nodes; refined."""
        voltage, left = self.columns(current[:, None])
        return Solved(voltage[:, 0], left, self._name(), doubtful=left > _DOUBTFUL)

    def units(
        self,
        nodes: NDArray[np.int64],
        rows: NDArray[np.int64] | None = None,
        *,
        keep: Keep = keep_nothing,
        name: str = "",
    ) -> Solved:
        """Voltages, a column for each of ``nodes``, where one ampere enters there; refined.

        Of all nodes, or of ``rows`` only.

        A few columns are solved at a time, by each of a few threads, so that memory holds
        little beside the result. ``keep`` is asked for each few columns under ``name``.
        """
        voltage = np.empty((self.graph.nodes if rows is None else rows.size, nodes.size))

        def some(start: int) -> float:
            part = nodes[start : start + _TOGETHER]

            def make() -> tuple[Floats, float]:
                current = np.zeros((self.graph.nodes, part.size), order="F")
                current[part, np.arange(part.size)] = 1.0
                solved, left = self.columns(current)
                return (solved if rows is None else solved[rows]), left

            solved, left = keep(f"{name}-{start}", make)
            voltage[:, start : start + part.size] = solved
            return left

        if nodes.size <= _TOGETHER or self.factor is None or not self.factor.together:
            worst = max((some(start) for start in range(0, nodes.size, _TOGETHER)), default=0.0)
        else:
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                worst = max(pool.map(some, range(0, nodes.size, _TOGETHER)), default=0.0)
        return Solved(voltage, worst, self._name(), doubtful=worst > _DOUBTFUL)

    def columns(self, current: Floats) -> tuple[Floats, float]:
        """Refined voltages of a few columns, and the worst residual that is left."""
        voltage = np.zeros(current.shape, order="F")
        if self.factor is None or not current.shape[1]:
            return voltage, 0.0
        voltage[self.free] = self.factor.solve(np.asfortranarray(current[self.free]))
        columns = range(current.shape[1])
        return voltage, max(self._refine(current[:, c], voltage[:, c]) for c in columns)

    def _name(self) -> str:
        return "none" if self.factor is None else self.factor.name

    def _refine(self, current: Floats, voltage: Floats) -> float:
        """Improve ``voltage`` in place; the residual that is left."""
        assert self.factor is not None
        scale = float(np.abs(current[self.free]).max(initial=0.0)) or 1.0
        missing = self._missing(current, voltage)
        left = float(np.abs(missing).max(initial=0.0)) / scale
        for _ in range(_REFINEMENTS):
            if left <= _FINE:
                break
            step = voltage.copy()
            step[self.free] += self.factor.solve(missing)
            again = self._missing(current, step)
            now = float(np.abs(again).max(initial=0.0)) / scale
            if not now < left:
                break
            voltage[:], missing = step, again
            left, stalled = now, now > left / 2
            if stalled:
                break
        return left

    def _missing(self, current: Floats, voltage: Floats) -> Floats:
        """What is put in less what goes out, at the free nodes."""
        out = self.graph.outflow(voltage)[self.free] + self.leak[self.free] * voltage[self.free]
        missing: Floats = current[self.free] - out
        return missing


def ground(graph: Graph, leak: Floats, method: Method) -> Grounded:
    """Factor the Laplacian of a graph with its ground; every component must have some."""
    free = np.flatnonzero(np.isfinite(leak))
    if free.size == 0:
        return Grounded(graph, leak, free, None)
    matrix = graph.laplacian(free, leak[free])
    return Grounded(graph, leak, free, factorise(matrix, method))


def contrast(graph: Graph) -> float:
    """Largest over smallest conductance of the edges; 1 without edges."""
    if graph.conductance.size == 0:
        return 1.0
    return float(graph.conductance.max() / graph.conductance.min())
