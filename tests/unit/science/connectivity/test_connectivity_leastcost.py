"""Least cost: by hand and against scipy's search over an explicit graph."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from ecotone.science.connectivity.leastcost import (
    STEPS,
    barrier_score,
    corridor,
    cost_distance,
    path_to,
    resistant_kernel,
)


def explicit(resistance: np.ndarray, cell: float, neighbours: int) -> sp.csr_array:
    height, width = resistance.shape
    rows, columns, values = [], [], []
    for r in range(height):
        for c in range(width):
            for down, right in STEPS[neighbours].tolist():
                i, j = r + down, c + right
                if 0 <= i < height and 0 <= j < width:
                    cost = cell * np.hypot(down, right) * (resistance[r, c] + resistance[i, j]) / 2
                    if np.isfinite(cost):
                        rows.append(r * width + c)
                        columns.append(i * width + j)
                        values.append(cost)
    return sp.csr_array((values, (rows, columns)), shape=(height * width, height * width))


@pytest.mark.parametrize("neighbours", [4, 8, 16])
@pytest.mark.parametrize("seed", range(3))
def test_costs_are_those_of_an_explicit_graph(seed, neighbours):
    rng = np.random.default_rng(seed)
    resistance = rng.uniform(1, 50, (13, 11))
    resistance[rng.random((13, 11)) < 0.2] = np.nan
    sources = np.zeros((13, 11), dtype=bool)
    sources.ravel()[rng.choice(143, 4, replace=False)] = True
    found, before = cost_distance(resistance, sources, cell=30.0, neighbours=neighbours)
    begin = np.flatnonzero(sources & np.isfinite(resistance))
    known = dijkstra(explicit(resistance, 30.0, neighbours), indices=begin, min_only=True)
    assert found.ravel() == pytest.approx(known)
    far = int(np.where(np.isfinite(found), found, -1).argmax())
    path = path_to(before, far)
    assert path[0] in begin
    assert path[-1] == far


def test_a_large_open_grid_makes_the_heap_grow():
    found, _ = cost_distance(np.ones((80, 80)), np.eye(80, dtype=bool))
    assert found[0, 79] == pytest.approx(79 / np.sqrt(2), rel=0.01)


def test_a_corridor_is_zero_on_the_path_and_a_wall_is_the_barrier():
    resistance = np.ones((9, 21))
    resistance[:, 10] = 100.0
    a, b = (np.zeros((9, 21), dtype=bool) for _ in range(2))
    a[4, 0] = b[4, 20] = True
    cost_a, before = cost_distance(resistance, a)
    cost_b, _ = cost_distance(resistance, b)
    least = float(cost_a[4, 20])
    extra = corridor(cost_a, cost_b, least)
    assert extra.ravel()[path_to(before, 4 * 21 + 20)] == pytest.approx(0, abs=1e-9)
    assert (extra > -1e-9).all()
    score = barrier_score(cost_a, cost_b, least, radius=1.0, cell=1.0)
    row, column = np.unravel_index(score.argmax(), score.shape)
    assert (row, column) == (4, 10)
    # Restored, the path costs 9 + 2 x 1 + 9; per metre of the diameter that saves:
    assert score.max() == pytest.approx((least - 20.0) / 2.0)
    assert score.min() == 0


def test_kernels_are_linear_in_their_weights():
    rng = np.random.default_rng(1)
    resistance = rng.uniform(1, 3, (9, 9))
    cells, weight = np.array([10, 60]), np.array([2.0, 0.5])
    whole = resistant_kernel(resistance, cells, weight, threshold=12.0)
    parts = [
        resistant_kernel(resistance, cells[k : k + 1], np.ones(1), threshold=12.0) for k in range(2)
    ]
    assert whole == pytest.approx(2.0 * parts[0] + 0.5 * parts[1])
    assert parts[0].ravel()[10] == 1.0
    assert parts[0].min() == 0.0
