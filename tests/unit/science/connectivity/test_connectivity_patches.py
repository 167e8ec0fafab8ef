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
    links_of,
    probabilities,
    shares,
    shortest,
)
from ecotone.science.connectivity.protected import protected_connected
from ecotone.science.connectivity.removal import carried, once, web
from ecotone.science.connectivity.sparse_pc import numerator, thinned


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


@pytest.mark.parametrize("index", ["pc", "iic"])
@pytest.mark.parametrize("seed", range(3))
def test_what_nodes_and_links_carry_is_what_taking_them_away_tells(index, seed, monkeypatch):
    monkeypatch.setattr("ecotone.science.connectivity.removal._FEW", 5)
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, 30, (30, 2))
    gap = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    # Discs with room to step: some touch, many links have detours.
    wide = rng.uniform(0, 3, 30)
    distance = np.maximum(gap - wide[:, None] - wide[None], 0.0)
    area = rng.uniform(0, 5, 30)
    area[:3] = 0.0
    direct = probabilities(distance, 3.0, 0.5) if index == "pc" else (distance <= 4).astype(float)
    graph = links_of(direct, index)
    assert index == "iic" or len(graph.ends) < 30 * 29 / 4
    told: list[float] = []
    found = carried(graph, area, product=index == "pc", progress=told.append)
    assert len(told) == 7 and told[-1] == 1
    whole = connectivity(area, direct, index).numerator
    assert found.whole == pytest.approx(whole, rel=1e-12)
    alone = carried(graph, area, product=index == "pc", taken="nothing")
    assert alone.whole == pytest.approx(whole, rel=1e-12)
    total = shares(area, found).total
    for k in range(30):
        rest = np.arange(30) != k
        less = connectivity(area[rest], direct[np.ix_(rest, rest)], index).numerator
        assert total[k] == pytest.approx(100 * (whole - less) / whole, abs=1e-10)
    lost = dict(zip(map(tuple, graph.ends.tolist()), found.link, strict=True))
    for a, b in np.argwhere(np.triu(direct, 1) > 0).tolist()[::7]:
        less_one = direct.copy()
        less_one[a, b] = less_one[b, a] = 0
        less = connectivity(area, less_one, index).numerator
        assert lost.get((a, b), 0.0) == pytest.approx(whole - less, abs=1e-10 * whole)


def test_a_ring_is_walked_the_other_way_round_where_a_node_or_link_is_gone():
    steps = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [0, 4]])
    length = np.array([1.0, 1.0, 1.0, 1.0, 2.5])
    area = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    found = carried(web(5, steps, length), area, product=True)
    # From 0 to 3 it is 3 by 1 and 2, and 3.5 by 4: each way round of the other's loss.
    lost = 2 * (np.exp(-3.0) - np.exp(-3.5))
    assert found.connector == pytest.approx([0, lost, lost, 0, 0])
    assert found.link == pytest.approx([lost, 0, lost, lost, 0])
    assert found.through == pytest.approx([0, np.exp(-3.0), np.exp(-3.0), 0, 0])


def test_paths_beyond_reach_count_nothing_before_and_after():
    steps = np.array([[0, 1], [1, 2], [2, 3], [0, 4], [3, 4]])
    graph = web(5, steps, np.array([1.0, 1.0, 1.0, 2.0, 2.0]))
    found = carried(graph, np.ones(5), product=True, reach=2.5)
    # Of 0 and 3 no way is short enough; without 1 the way from 0 to 2 is not either.
    e = np.exp([-1.0, -2.0])
    assert found.whole == pytest.approx(5 + 6 * e[0] + 2 * 4 * e[1])
    assert found.connector[1] == pytest.approx(2 * e[1])
    assert found.connector[4] == pytest.approx(0)


def test_doubles_and_loops_leave_the_shorter_link():
    pairs, length = once(np.array([[2, 0], [0, 2], [1, 1], [0, 1]]), np.array([3, 1, 0, np.inf]))
    assert (pairs.tolist(), length.tolist()) == ([[0, 2]], [1.0])


def test_groups_that_were_kept_are_not_made_again(monkeypatch):
    monkeypatch.setattr("ecotone.science.connectivity.removal._FEW", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    area, direct = some_patches(1)
    graph = links_of(direct, "pc")
    whole = carried(graph, area, product=True)
    kept: dict[str, tuple[np.ndarray, float]] = {}

    def keep(name, make):
        if name not in kept:
            if len(kept) == 4:
                raise KeyboardInterrupt
            kept[name] = make()
        return kept[name]

    with pytest.raises(KeyboardInterrupt):
        carried(graph, area, product=True, keep=keep, name="a")
    made = []
    again = carried(
        graph, area, product=True, name="a",
        keep=lambda name, make: kept.get(name) or made.append(name) or make(),
    )  # fmt: skip
    assert len(made) == 5 - 4
    assert again.link.tolist() == whole.link.tolist()
    assert again.connector.tolist() == whole.connector.tolist()
