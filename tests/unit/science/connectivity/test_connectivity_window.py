"""The moving window: by hand, its tiles, its conditions and its correction."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.connectivity import window
from ecotone.science.connectivity.window import (
    Condition,
    Sweep,
    correction_of,
    find_targets,
    sweep,
    tiles,
)


def test_targets_are_whole_blocks_with_strength():
    source = np.zeros((7, 8))
    source[0, 0], source[4, 4], source[6, 6] = 1.0, 2.0, 5.0
    found = find_targets(source, 3)
    assert found.row.tolist() == [1, 4]
    assert found.column.tolist() == [1, 4]
    assert found.strength.tolist() == [1.0, 2.0]


def test_a_row_of_cells_by_hand():
    land = np.ones((1, 5))
    source = np.array([[1.0, 0, 0, 0, 3.0]])
    found = sweep(land, source, find_targets(source, 1), Sweep(radius=4, potential=True))
    # Each end is a target once: 1 A flows from right to left, 3 A back.
    assert found.current == pytest.approx(np.full((1, 5), 4.0))
    assert found.potential == pytest.approx(found.current)
    assert not found.failed
    near = sweep(land, source, find_targets(source, 1), Sweep(radius=2))
    assert not near.current.any()


def test_a_target_without_habitat_draws_nothing():
    land = np.array([[0.0, 1, 1]])
    source = np.array([[1.0, 0, 1.0]])
    found = sweep(land, source, find_targets(source, 1), Sweep(radius=2, potential=True))
    assert not found.current.any()
    assert found.potential.any()


def test_conditions_choose_sources():
    land = np.ones((1, 5))
    source = np.ones((1, 5))
    state = np.array([[1.0, 2, 1, 2, np.nan]])
    targets = find_targets(np.array([[0, 0, 1.0, 0, 0]]), 1)
    plan = Sweep(radius=2)
    equal = sweep(
        land, source, targets, plan, conditions=(Condition(state, state, "equal"),)
    ).current
    # Of the four sources the two of another state are silent; one state is unknown.
    assert equal == pytest.approx(np.array([[0.25, 0.25, 0.5, 0.25, 0.25]]))
    within = Condition(state, state, "within", -0.5, 0.5)
    assert sweep(land, source, targets, plan, conditions=(within,)).current == pytest.approx(equal)
    later = Condition(state, np.full((1, 5), np.nan), "within", 0.0, 0.0)
    assert sweep(land, source, targets, plan, conditions=(later,)).current[0, 2] == pytest.approx(1)


def test_a_tie_goes_to_the_value_that_reaches_its_count_first():
    assert window._mode(np.array([5.0, 3, 3, 5])) == 3.0
    assert window._mode(np.array([5.0, 3, 5, 3])) == 5.0


def test_the_correction_restores_what_single_cells_would_give():
    plan = Sweep(radius=8, block=3, buffer=1)
    factor = correction_of(plan)
    assert factor.shape == (19, 19)
    assert factor == pytest.approx(factor.T)
    assert factor[9, 9] < 1 < factor[9, 8]


def test_block_one_needs_no_correction():
    assert correction_of(Sweep(radius=3)) == pytest.approx(np.ones((7, 7)))


def test_a_displaced_block_only_matters_near_the_first_rows_and_columns():
    rng = np.random.default_rng(1)
    land, source = np.ones((20, 20)), rng.random((20, 20))
    targets = find_targets(source, 3)
    plain, displaced = (
        sweep(land, source, targets, Sweep(radius=3, block=3, displaced=d)).current
        for d in (False, True)
    )
    assert plain[8:, 8:] == pytest.approx(displaced[8:, 8:])
    assert abs(plain - displaced)[:3].max() > 0.01


@pytest.mark.parametrize("conditional", [False, True])
def test_tiles_give_what_the_whole_gives(conditional):
    rng = np.random.default_rng(5)
    land = rng.lognormal(0, 1, (23, 26)) * (rng.random((23, 26)) > 0.1)
    source = rng.random((23, 26))
    state = rng.integers(0, 3, (23, 26)).astype(float)
    plan = Sweep(radius=4, block=3, buffer=1, potential=True, displaced=conditional)
    conditions = (Condition(state, state, "equal"),) if conditional else ()
    targets = find_targets(source, 3)
    factor = correction_of(plan)
    whole = sweep(land, source, targets, plan, conditions=conditions, correction=factor)
    current, potential = np.zeros(land.shape), np.zeros(land.shape)
    for tile in tiles(targets, land.shape, plan, 9):
        part = sweep(
            land[tile.rows, tile.columns],
            source[tile.rows, tile.columns],
            tile.targets,
            plan,
            conditions=tuple(c.part(tile.rows, tile.columns) for c in conditions),
            correction=factor,
        )
        current[tile.rows, tile.columns] += part.current
        potential[tile.rows, tile.columns] += part.potential
    # Near the first rows and columns a tile must cut its window as the whole grid does.
    assert current == pytest.approx(whole.current, rel=1e-9)
    assert potential == pytest.approx(whole.potential, rel=1e-9)


def test_a_window_that_cannot_be_solved_is_told(monkeypatch):
    source = np.ones((3, 3))
    monkeypatch.setattr(window, "_solve", lambda *a, **k: (np.full((3, 3), np.nan), 0.0))
    found = sweep(np.ones((3, 3)), source, find_targets(source, 1), Sweep(radius=2))
    assert len(found.failed) == 9
    assert not found.current.any()


def test_a_direct_failure_is_tried_again_iteratively(monkeypatch):
    source = np.ones((5, 5))
    targets, plan = find_targets(source, 1), Sweep(radius=2)
    known = sweep(np.ones((5, 5)), source, targets, plan).current
    plain, methods = window.solve_flow, []

    def fails(*args, method):
        methods.append(method)
        if method == "superlu":
            raise RuntimeError("Factor is exactly singular")
        return plain(*args, method=method)

    monkeypatch.setattr(window, "solve_flow", fails)
    found = sweep(np.ones((5, 5)), source, targets, plan)
    assert found.current == pytest.approx(known)
    assert set(methods) == {"superlu", "amg"}

    def always(*args, method):
        raise RuntimeError("Factor is exactly singular")

    monkeypatch.setattr(window, "solve_flow", always)
    assert len(sweep(np.ones((5, 5)), source, targets, plan).failed) == 25


@pytest.mark.parametrize(("radius", "block", "buffer"), [(5, 3, 1), (3, 5, 0), (6, 3, 2)])
def test_what_rounding_leaves_is_not_corrected(radius, block, buffer):
    # With 4 neighbours the tips of a disc hang by one edge and carry nothing by themselves.
    found = correction_of(Sweep(radius, block, buffer, four=True))
    assert found.min() > 0.1
    assert found.max() < 10
