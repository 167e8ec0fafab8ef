"""A few changed links on the old factor give what a new factor gives; solvers agree."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from ecotone.science.connectivity import solver
from ecotone.science.connectivity.circuits import solve_points
from ecotone.science.connectivity.graph import Graph, grid_graph, merge_cells, simple
from ecotone.science.connectivity.updates import before_and_after, changed

RNG = np.random.default_rng(5)
NONE = np.empty(0, dtype=np.int64)


def grid(rows: int = 9, columns: int = 11) -> Graph:
    conductance = RNG.uniform(0.2, 3, (rows, columns))
    node, nodes = merge_cells(conductance, NONE, NONE)
    return grid_graph(conductance, node, nodes, four=False, scheme="resistance")


def test_changes_on_the_old_factor_are_what_a_new_factor_gives():
    graph = grid()
    node = np.array([0, 50, 98, -1, 50])
    head, tail = np.array([3, 20, 60, 5]), np.array([4, 21, 90, 5])
    change = np.array([2.0, -0.5 * conductance(graph, 20, 21), 0.7, 1.0])
    before, after = before_and_after(graph, node, head, tail, change)
    new = solve_points(changed(graph, head, tail, change), node)
    np.testing.assert_allclose(after.resistance(), new.resistance(), rtol=1e-10)
    np.testing.assert_allclose(after.cumulative(), new.cumulative(), atol=1e-10)
    old = solve_points(graph, node)
    np.testing.assert_allclose(before.resistance(), old.resistance(), rtol=1e-12)


def conductance(graph: Graph, a: int, b: int) -> float:
    return float(graph.conductance[(graph.head == a) & (graph.tail == b)][0])


def test_a_link_that_closes_is_gone():
    graph = grid()
    g = conductance(graph, 20, 21)
    ends = np.array([20]), np.array([21])
    _, after = before_and_after(graph, np.array([0, 98]), *ends, np.array([-g]))
    less = changed(graph, *ends, np.array([-g]))
    assert less.head.size == graph.head.size - 1
    new = solve_points(less, np.array([0, 98]))
    assert after.resistance()[0, 1] == pytest.approx(new.resistance()[0, 1], rel=1e-10)


def test_what_is_not_worth_it_or_not_possible_is_left_to_a_new_factor():
    graph = grid()
    node = np.array([0, 98])
    many = np.arange(13)
    assert before_and_after(graph, node, many, many + 1, np.ones(13)) is None
    # Two chains that a new link joins, and one that loses its only link.
    chains = simple(6, np.array([0, 1, 3, 4], dtype=np.int32),
                    np.array([1, 2, 4, 5], dtype=np.int32), np.ones(4))  # fmt: skip
    assert before_and_after(chains, node[:1], np.array([2]), np.array([3]), np.ones(1)) is None
    assert before_and_after(chains, node[:1], np.array([0]), np.array([1]), -np.ones(1)) is None
    # One focal point in each: nothing flows, nothing changes.
    same = before_and_after(chains, np.array([0, 3]), np.array([4]), np.array([5]), np.ones(1))
    assert same is not None and np.isnan(same[1].resistance()[0, 1])
    # Removing more than there is makes no circuit: the small system says so.
    worse = before_and_after(graph, node, np.array([3, 3]), np.array([4, 4]),
                             np.array([np.nan, 1.0]))  # fmt: skip
    assert worse is None


def fake_cholmod() -> types.ModuleType:
    module = types.ModuleType("sksparse.cholmod")
    module.cholesky = lambda matrix, ordering_method: splu(sp.csc_matrix(matrix)).solve
    return module


def fake_pardiso() -> types.ModuleType:
    module = types.ModuleType("pypardiso")

    class Solver:
        def __init__(self, mtype: int) -> None:
            assert mtype == 2

        def factorize(self, upper: sp.csr_matrix) -> None:
            whole = upper + sp.triu(upper, 1).T
            self.lu = splu(sp.csc_matrix(whole))

        def solve(self, upper: sp.csr_matrix, right: np.ndarray) -> np.ndarray:
            return self.lu.solve(np.asarray(right))

    module.PyPardisoSolver = Solver
    return module


@pytest.mark.parametrize("name", ["cholmod", "pardiso"])
def test_an_optional_solver_is_taken_where_it_is_installed(name, monkeypatch):
    """The protocol alone: what the solver itself computes is tried below, where it is there."""
    module = fake_cholmod() if name == "cholmod" else fake_pardiso()
    parts = module.__name__.split(".")
    if len(parts) == 2:
        monkeypatch.setitem(sys.modules, parts[0], types.ModuleType(parts[0]))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    wanted = "sksparse.cholmod" if name == "cholmod" else "pypardiso"
    monkeypatch.setattr(solver, "find_spec", lambda m: m if m == wanted else None)
    assert list(solver.direct_solvers()) == [name, "superlu"]
    graph, node = grid(), np.array([0, 50, 98])
    monkeypatch.setattr(solver, "_TOGETHER", 2)
    found = solve_points(graph, node)
    assert found.solver in ("CHOLMOD", "MKL Pardiso")
    plain = solve_points(graph, node, method="superlu")
    np.testing.assert_allclose(found.resistance(), plain.resistance(), rtol=1e-12)


@pytest.mark.parametrize(("name", "module"), [("cholmod", "sksparse"), ("pardiso", "pypardiso")])
def test_an_optional_solver_agrees_with_superlu(name, module):
    pytest.importorskip(module)
    graph, node = grid(60, 70), np.array([0, 500, 2000, 4199])
    found = solve_points(graph, node, method=name)
    plain = solve_points(graph, node, method="superlu")
    np.testing.assert_allclose(found.resistance(), plain.resistance(), rtol=1e-10)
    assert found.residual < 1e-10


def test_a_solver_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(solver, "find_spec", lambda module: None)
    assert list(solver.direct_solvers()) == ["superlu"]
    with pytest.raises(ValueError, match="cholmod"):
        solver.factorise(sp.csc_array(np.eye(2)), "cholmod")

    def no_parent(module: str) -> None:
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(solver, "find_spec", no_parent)
    assert list(solver.direct_solvers()) == ["superlu"]
