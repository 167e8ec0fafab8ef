"""Least cost: by hand and against scipy's search over an explicit graph."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from ecotone.science.connectivity.kernels import spread_from
from ecotone.science.connectivity.leastcost import (
    STEPS,
    barrier_score,
    corridor,
    cost_distance,
    path_to,
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


def brute(resistance, cells, weight, threshold, shape, cell, neighbours):
    """Kernels and paths from scipy's search over the explicit graph, path by path."""
    far, before = dijkstra(
        explicit(resistance, cell, neighbours), indices=cells, return_predecessors=True
    )
    kernel, paths = np.zeros(resistance.size), np.zeros(resistance.size)
    for k, (place, share) in enumerate(zip(cells.tolist(), weight.tolist(), strict=True)):
        inner = 1 - far[k] / threshold if shape == "linear" else np.exp(
            -0.5 * (3 * far[k] / threshold) ** 2
        )  # fmt: skip
        kernel += share * np.where(far[k] <= threshold, inner, 0)
        for other in cells.tolist():
            at = other
            if other == place or far[k, other] > threshold:
                continue
            while at >= 0:
                paths[at] += share / 2
                at = before[k, at]
    return kernel.reshape(resistance.shape), paths.reshape(resistance.shape)


@pytest.mark.parametrize("shape", ["linear", "gaussian"])
@pytest.mark.parametrize("neighbours", [4, 8, 16])
def test_kernels_and_paths_are_those_of_a_brute_search(shape, neighbours):
    rng = np.random.default_rng(3)
    resistance = rng.uniform(1, 5, (8, 10))
    resistance[3, 2:6] = np.nan
    cells, weight = np.array([0, 27, 55, 79]), np.array([1.0, 2.0, 0.5, 1.5])
    found = spread_from(
        resistance, cells, weight, cells, threshold=300.0, shape=shape, cell=10.0,
        neighbours=neighbours,
    )  # fmt: skip
    known = brute(resistance, cells, weight, 300.0, shape, 10.0, neighbours)
    for ours, theirs in zip(found, known, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_kernels_on_even_land_and_their_weights():
    resistance, middle = np.ones((9, 9)), np.array([40])
    kernel, paths = spread_from(resistance, middle, np.ones(1), middle, threshold=3.0)
    assert kernel[4, 4] == 1 and kernel[4, 5] == pytest.approx(2 / 3) and kernel[4, 7] == 0
    assert kernel[3, 3] == pytest.approx(1 - np.sqrt(2) / 3)
    assert paths.sum() == 0
    cells, weight = np.array([10, 60]), np.array([2.0, 0.5])
    whole = spread_from(resistance, cells, weight, cells, threshold=12.0)
    parts = [
        spread_from(resistance, cells[k : k + 1], np.ones(1), cells, threshold=12.0)
        for k in range(2)
    ]
    for both, one, other in zip(whole, *parts, strict=True):
        np.testing.assert_allclose(both, 2.0 * one + 0.5 * other, atol=1e-12)
    even = spread_from(resistance, cells, np.ones(2), cells, threshold=12.0)[1]
    assert even.ravel()[10] == even.ravel()[60] == 1
