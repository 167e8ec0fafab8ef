"""Patches: by hand and against removal one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from ecotone.science.connectivity.patches import (
    connectivity,
    importance,
    joined,
    lengths,
    link_gain,
    probabilities,
    shortest,
)
from ecotone.science.connectivity.protected import protected_connected
from ecotone.science.connectivity.sparse_pc import numerator, numerator_of_links, thinned


def some_patches(seed: int, count: int = 9):
    rng = np.random.default_rng(seed)
    area = rng.uniform(1, 10, count)
    distance = rng.uniform(1, 60, (count, count))
    distance[rng.random((count, count)) < 0.4] = np.inf
    distance = np.minimum(distance, distance.T)
    return area, probabilities(distance, 10.0, 0.5)


def test_three_patches_by_hand():
    area = np.array([1.0, 2.0, 3.0])
    distance = np.array([[0, 10, np.inf], [10, 0, 10], [np.inf, 10, 0]])
    direct = probabilities(distance, 10.0, 0.5)
    found = connectivity(area, direct, "pc")
    assert found.numerator == pytest.approx(1 + 4 + 9 + 2 * (2 * 0.5 + 6 * 0.5 + 3 * 0.25))
    assert found.eca == pytest.approx(math.sqrt(found.numerator))
    assert found.step == pytest.approx(2 * 3 * 0.25 / found.numerator)
    assert found.intra + found.direct + found.step == pytest.approx(1)
    near = connectivity(area, (distance <= 10).astype(float), "iic")
    assert near.numerator == pytest.approx(14 + 2 * (2 / 2 + 6 / 2 + 3 / 3))


def test_faint_links_are_dropped_only_when_asked():
    distance = np.array([[0, 70.0], [70.0, 0]])
    assert probabilities(distance, 10.0, 0.5)[0, 1] == pytest.approx(2**-7)
    assert probabilities(distance, 10.0, 0.5, 0.01)[0, 1] == 0
    assert probabilities(distance, 10.0, 0.5, 0.01)[0, 0] == 1


@pytest.mark.parametrize("index", ["pc", "iic"])
@pytest.mark.parametrize("seed", range(4))
def test_importance_is_removal_with_all_paths_found_anew(index, seed):
    area, direct = some_patches(seed)
    found = importance(area, direct, index)
    whole = connectivity(area, direct, index).numerator
    for k in range(area.size):
        rest = np.arange(area.size) != k
        less = connectivity(area[rest], direct[np.ix_(rest, rest)], index).numerator
        assert found.total[k] == pytest.approx(100 * (whole - less) / whole, abs=1e-9)
    parts = found.intra + found.flux + found.connector
    assert parts == pytest.approx(found.total, abs=1e-9)


def test_euclidean_patches_have_no_connectors():
    rng = np.random.default_rng(2)
    place = rng.uniform(0, 50, (12, 2))
    distance = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    direct = probabilities(distance, 10.0, 0.5)
    area = rng.uniform(1, 5, 12)
    assert connectivity(area, direct, "pc").step == pytest.approx(0, abs=1e-12)
    assert importance(area, direct, "pc").connector == pytest.approx(np.zeros(12), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_new_link_gains_what_recomputing_says(seed):
    area, direct = some_patches(seed)
    best = joined(shortest(lengths(direct, "pc")), "pc")
    before = connectivity(area, direct, "pc").numerator
    gain = link_gain(area, best, 1, 6, 0.9)
    direct[1, 6] = direct[6, 1] = max(direct[1, 6], 0.9)
    after = connectivity(area, direct, "pc").numerator
    assert gain == pytest.approx(after - before, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_blocks_of_sources_give_the_same_sum(seed, monkeypatch):
    monkeypatch.setattr("ecotone.science.connectivity.sparse_pc._BLOCK", 20)
    area, direct = some_patches(seed)
    area[0] = 0.0
    first, second = np.nonzero(np.triu(direct, 1))
    found = numerator(area, np.column_stack([first, second]), -np.log(direct[first, second]))
    assert found == pytest.approx(connectivity(area, direct, "pc").numerator)


def test_links_that_a_detour_makes_good_are_left_out_and_change_nothing():
    rng = np.random.default_rng(8)
    place = rng.uniform(0, 10, (40, 2))
    gap = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    # From edge to edge discs of radius 0.8 may be crossed at no cost.
    apart = np.maximum(gap - 1.6, 0.0)
    first, second = np.triu_indices(40, 1)
    length = np.maximum(apart[first, second], 1e-300)
    links = sp.csr_array((length, (first, second)), shape=(40, 40))
    fewer = thinned(links)
    assert fewer.nnz < links.nnz / 3
    np.testing.assert_allclose(
        dijkstra(fewer, directed=False), dijkstra(links, directed=False), rtol=1e-12
    )


def test_links_of_no_length_still_join():
    area = np.array([1.0, 0.0, 2.0])
    found = numerator(area, np.array([[0, 1], [1, 2]]), np.array([0.0, 0.0]))
    assert found == pytest.approx(9.0)
    double = numerator(area, np.array([[0, 2], [2, 0]]), np.array([2.0, 1.0]))
    assert double == pytest.approx(5 + 4 * math.exp(-1))


def test_protected_connected_parts_add_up():
    parts, single = np.array([30.0, 10.0]), np.array([20.0, 15.0, 10.0])
    found = protected_connected(100.0, parts, single, eca=35.0, eca_inside=34.0)
    assert found.protected == pytest.approx(40)
    assert found.connected == pytest.approx(35)
    assert found.unconnected == pytest.approx(5)
    assert found.relative == pytest.approx(87.5)
    assert found.within == pytest.approx(math.sqrt(725) * math.sqrt(40 / 45))
    assert found.transboundary == pytest.approx(1)
    total = found.within + found.contiguous + found.unprotected + found.transboundary
    assert total == pytest.approx(found.connected)
    nothing = protected_connected(100.0, np.zeros(0), np.zeros(0), 0.0, 0.0)
    assert nothing.within == 0
    assert math.isnan(nothing.relative)


def test_iic_of_many_nodes_is_that_of_all_paths(monkeypatch):
    rng = np.random.default_rng(4)
    monkeypatch.setattr("ecotone.science.connectivity.sparse_pc._BLOCK", 20)
    near = np.triu(rng.random((12, 12)) < 0.2, 1)
    area = rng.random(12)
    area[2] = 0.0
    known = connectivity(area, (near | near.T).astype(float) + np.eye(12), "iic").numerator
    assert numerator_of_links(area, np.argwhere(near)) == pytest.approx(known, rel=1e-12)
    twice = np.concatenate([np.argwhere(near), np.argwhere(near)[:3, ::-1]])
    assert numerator_of_links(area, twice) == pytest.approx(known, rel=1e-12)
