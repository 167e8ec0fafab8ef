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
from ecotone.science.connectivity.updates import before_and_after, ways

RNG = np.random.default_rng(5)
NONE = np.empty(0, dtype=np.int64)


def grid(rows: int = 9, columns: int = 11) -> Graph:
    return states((rows, columns))[0]


def states(shape=(9, 11), change=lambda ground: ground, scheme="resistance"):
    """A raster before and after a change, as graphs on the cells of either."""
    ground = RNG.uniform(0.2, 3, shape)
    later = change(ground.copy())
    node, nodes = merge_cells(np.maximum(ground, later), NONE, NONE)
    return tuple(
        grid_graph(some, np.where(some > 0, node, -1), nodes, four=False, scheme=scheme)
        for some in (ground, later)
    )


def block(value: float):
    def change(ground):
        ground[2:6, 3:9] *= value
        return ground

    return change


def two_cells(ground):
    ground[[9, 150], [20, 150]] *= 3.0
    return ground


def road(ground):
    ground[4, 1:] = 0.0
    ground[6, 2] = 0.0
    return ground


@pytest.mark.parametrize("scheme", ["resistance", "conductance"])
@pytest.mark.parametrize("change", [block(20.0), block(1e-4), road, lambda ground: ground])
def test_both_ways_agree_whatever_changes(change, scheme):
    before, after = states(change=change, scheme=scheme)
    node = np.array([0, 21, 98, -1, 21])
    found = before_and_after(before, after, node)
    assert found is not None
    for one, graph in zip(found, (before, after), strict=True):
        new = solve_points(graph, node)
        np.testing.assert_allclose(one.resistance(), new.resistance(), rtol=1e-9)
        np.testing.assert_allclose(one.cumulative(), new.cumulative(), atol=1e-9)
    # And the way back: cells open.
    back = before_and_after(after, before, node)
    assert back is not None
    np.testing.assert_allclose(back[1].resistance(), found[0].resistance(), rtol=1e-9)


def test_what_an_update_cannot_do_is_left_to_a_new_factor():
    ones = lambda *ends: simple(  # noqa: E731 - one line for graphs by hand
        6, *(np.array(side, dtype=np.int32) for side in zip(*ends, strict=True)), np.ones(len(ends))
    )
    chains = ones((0, 1), (1, 2), (3, 4), (4, 5))
    joined = ones((0, 1), (1, 2), (2, 3), (3, 4), (4, 5))
    parted = ones((1, 2), (3, 4), (4, 5))
    node = np.array([0, 2])
    assert before_and_after(chains, joined, node) is None
    assert before_and_after(joined, chains, node) is None
    # A focal point whose own cell closes.
    assert before_and_after(chains, parted, node) is None
    # One focal point in each part: nothing flows, nothing changes.
    less = simple(6, chains.head, chains.tail, np.array([1.0, 1, 1, 0.5]))
    same = before_and_after(chains, less, np.array([0, 3]))
    assert same is not None and np.isnan(same[1].resistance()[0, 1])
    # A dense system that is singular says so.
    broken = simple(6, chains.head, chains.tail, np.array([1.0, np.nan, 1, 1]))
    assert before_and_after(chains, broken, node) is None


def test_the_shorter_way_is_foreseen():
    before, after = states((300, 300), two_cells)
    few = ways(before, after, 10)
    assert (few.links, few.nodes) == (16, 18)
    assert few.worth
    changed = Graph(before.nodes, before.head, before.tail, before.conductance * 2)
    many = ways(before, changed, 10)
    assert (many.links, many.nodes) == (before.head.size, before.nodes)
    assert not many.worth
    assert not ways(before, before, 10).worth
    assert ways(before, changed, 10, memory=1.0).update == np.inf


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
