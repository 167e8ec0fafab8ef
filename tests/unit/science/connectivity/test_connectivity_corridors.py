"""Corridors divided among countries, resistances from data, links and what goes through nodes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ecotone.science.connectivity.corridors import (
    Divider,
    Pair,
    adjacent,
    along,
    pruned,
    search,
)
from ecotone.science.connectivity.ensemble import Moments
from ecotone.science.connectivity.links import betweenness, link_losses, link_shares
from ecotone.science.connectivity.patches import connectivity
from ecotone.science.connectivity.resistance import (
    Classes,
    Contrast,
    Ranges,
    Selection,
    Suitability,
    widened,
)

RNG = np.random.default_rng(7)


def strip() -> Divider:
    """Three cores in a row of 30 cells, two countries."""
    label = np.zeros((5, 30), dtype=np.int64)
    label[:, :2], label[:, 14:16], label[:, 28:] = 1, 2, 3
    zone = np.ones((5, 30), dtype=np.int64)
    zone[:, 10:] = 2
    return Divider(label, np.array([4.0, 1.0, 4.0]), ((0, 1), (1, 2)), zone, 3, 10.0, 8, 30.0,
                   100.0, 0.5)  # fmt: skip


def test_parts_add_up_to_the_whole():
    divider = strip()
    found, seen = divider.measure(RNG.uniform(1, 3, (5, 30)))
    assert found.length[:, 0].tolist() == [0, 0]
    assert found.spent.sum(axis=1) == pytest.approx(found.cost, rel=1e-12)
    outside = divider.label == 0
    assert found.current.sum() == pytest.approx(seen.current[outside].sum(), rel=1e-12)
    cost = np.full((3, 3), np.inf)
    cost[0, 1] = cost[1, 0] = found.cost[0]
    cost[1, 2] = cost[2, 1] = found.cost[1]
    direct = 0.5 ** (cost / 100.0)
    np.fill_diagonal(direct, 1)
    whole = connectivity(divider.area, direct, "pc").eca
    less = direct.copy()
    less[0, 1] = less[1, 0] = 0
    lost = 100 * (whole - connectivity(divider.area, less, "pc").eca) / whole
    assert found.gain[0].sum() == pytest.approx(lost, rel=1e-12)
    assert found.gain[0] / lost == pytest.approx(found.spent[0] / found.cost[0])


def test_a_pair_that_nothing_joins_has_no_part():
    resistance = np.ones((5, 30))
    resistance[:, 20] = np.nan
    found, _ = strip().measure(resistance)
    assert found.cost.tolist() == [130.0, np.inf]
    assert found.length[1].sum() == found.gain[1].sum() == found.current[1].sum() == 0


def test_without_a_width_no_current_is_solved():
    divider = strip()
    still = Divider(**{**divider.__dict__, "width": None})
    found, seen = still.measure(np.ones((5, 30)))
    assert found.current.sum() == seen.current.sum() == 0
    assert seen.barriers is None
    assert found.length.sum() == pytest.approx(130 + 130)


def test_lengths_and_costs_along_a_path():
    parts = along(np.array([0, 1, 6]), (2, 5), np.arange(1.0, 11.0).reshape(2, 5), 10.0)
    half = 5 * np.sqrt(1)
    assert parts[:, 0] == pytest.approx([5, half + 5, 5])
    assert parts[:, 1] == pytest.approx([5, 2 * (half + 5), 35])


def test_cores_are_adjacent_by_cost_or_by_distance():
    label = np.zeros((9, 21), dtype=np.int64)
    label[3:6, :2], label[3:6, 9:12], label[3:6, 19:] = 1, 2, 3
    resistance = np.ones((9, 21))
    costs, pairs = search(resistance, label, 3, cell=1.0)
    assert adjacent(costs, label, "any") is None
    assert adjacent(costs, label, "euclidean") == {(0, 1), (1, 2)}
    # A wall around the middle core leaves the others neighbours by cost alone.
    resistance[1:8, 6:15] = 50.0
    costs, pairs = search(resistance, label, 3, cell=1.0)
    assert (0, 2) in adjacent(costs, label, "cost")
    assert adjacent(costs, label, "either") == {(0, 1), (0, 2), (1, 2)}
    assert len(pairs) == 3


def test_pruning_keeps_the_nearest_and_joins_the_rest():
    cells = np.array([0], dtype=np.int64)

    def pair(a: int, b: int, cost: float, crosses: bool = False) -> Pair:
        return Pair(a, b, cost, cells, crosses)

    pairs = [pair(0, 1, 1), pair(2, 3, 1), pair(0, 2, 5), pair(1, 3, 9), pair(0, 3, 2, True)]
    assert pruned(pairs, 4, 1) == [0, 1, 2]
    assert pruned(pairs, 4, 4) == [0, 1, 2, 3]
    assert pruned(pairs, 4, 1, frozenset({(0, 1), (1, 3), (2, 3)})) == [0, 1, 3]


def test_resistances_of_classes_and_of_a_map():
    land = np.array([[1.0, 2.0, np.nan]])
    ranges = Ranges(np.array([1.0, 2.0]), np.array([1.0, 10.0]), np.array([1.0, 5.0]),
                    np.array([1.0, 20.0]))  # fmt: skip
    model = Classes(land, ranges)
    assert model.best()[0, :2].tolist() == [1, 10]
    drawn = [model.drawn(np.random.default_rng(k))[0, 1] for k in range(200)]
    assert 5 <= min(drawn) < 6 and 18 < max(drawn) <= 20
    assert np.log(drawn).mean() == pytest.approx(np.log(10), abs=0.1)
    contrast = Contrast(np.array([[2.0, 8.0, np.nan]]), 2.0)
    some = contrast.drawn(np.random.default_rng(1))
    assert some[0, 0] == 2 and 4 <= some[0, 1] <= 32 and np.isnan(some[0, 2])
    assert contrast.best() is contrast.resistance


def test_suitability_becomes_resistance():
    model = Suitability(np.array([[0.0, 0.5, 1.0, np.nan]]), 8.0, 0.25, 16.0)
    best = model.best()[0]
    assert best[:3] == pytest.approx([100, 100 - 99 * (1 - np.exp(-4)) / (1 - np.exp(-8)), 1])
    assert np.isnan(best[3])
    straight = Suitability(np.array([[0.5]]), 1e-6, 1e-6, 1e-6).best()
    assert straight[0, 0] == pytest.approx(50.5, rel=1e-5)
    middle = [model.drawn(np.random.default_rng(k))[0, 1] for k in range(50)]
    assert 1 < min(middle) < 10 and 40 < max(middle) < 50.5


def test_step_selection_coefficients_become_resistance():
    covariates = np.array([[[0.0, 1.0, 2.0]], [[1.0, 0.0, np.nan]]])
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    model = Selection(covariates, np.array([0.5, -1.0]), covariance)
    assert model.best()[0, :2] == pytest.approx([np.exp(1.5), 1.0])
    assert np.isnan(model.best()[0, 2])
    # exp(-b1 + b2) of the two cells: normal with variance 0.04 + 0.09 - 2 x 0.01.
    ratio = [
        np.log(one[0, 0] / one[0, 1])
        for one in (model.drawn(np.random.default_rng(k)) for k in range(400))
    ]
    assert np.mean(ratio) == pytest.approx(1.5, abs=0.05)
    assert np.var(ratio) == pytest.approx(0.11, rel=0.25)


def test_a_margin_is_drawn_from_the_map():
    resistance = np.array([[1.0, 2.0], [np.nan, 5.0]])
    wide, inside = widened(resistance, 0.5, np.random.default_rng(3))
    assert wide.shape == (4, 4)
    np.testing.assert_array_equal(wide[inside], resistance)
    ring = wide.copy()
    ring[inside] = 1.0
    assert set(np.unique(ring).tolist()) <= {1.0, 2.0, 5.0}


def test_moments_come_one_by_one():
    values = RNG.uniform(0, 5, (6, 2, 3))
    values[:, 0, 0] = 0
    moments = Moments.of((2, 3))
    assert np.isnan(moments.variation()).all()
    for one in values:
        moments.add(one)
    assert moments.mean == pytest.approx(values.mean(axis=0))
    spread = values.std(axis=0, ddof=1)
    assert moments.variation()[1] == pytest.approx(spread[1] / values.mean(axis=0)[1])
    assert moments.variation()[0, 0] == 0


def patches(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    places = RNG.random((count, 2))
    gap = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    direct = np.exp(-8 * gap)
    direct[direct < 0.1] = 0
    np.fill_diagonal(direct, 1)
    return RNG.random(count), direct, np.argwhere(np.triu(direct, 1) > 0)


@pytest.mark.parametrize("index", ["pc", "iic"])
def test_link_deltas_are_what_a_full_recomputation_gives(index):
    area, direct, pairs = patches(12)
    area[0] = 0.0
    whole = connectivity(area, direct, index).numerator
    found = link_shares(area, direct, pairs, index)
    for (a, b), share in zip(pairs, found, strict=True):
        less = direct.copy()
        less[a, b] = less[b, a] = 0
        known = (whole - connectivity(area, less, index).numerator) / whole
        assert share == pytest.approx(known, abs=1e-14)
    assert link_shares(np.zeros(12), direct, pairs, index).tolist() == [0] * len(pairs)
    none = link_losses(area, direct, np.array([[3, 3]]))
    assert none.tolist() == [0]


@pytest.mark.parametrize("index", ["pc", "iic"])
def test_betweenness_is_what_all_shortest_paths_give(index):
    nx = pytest.importorskip("networkx")
    area, direct, pairs = patches(12)
    area[1] = 0.0
    graph = nx.Graph()
    graph.add_nodes_from(range(12))
    for a, b in pairs.tolist():
        graph.add_edge(a, b, length=-np.log(direct[a, b]) if index == "pc" else 1.0)
    known = np.zeros(12)
    for a, b in itertools.combinations(range(12), 2):
        if not nx.has_path(graph, a, b):
            continue
        far = nx.shortest_path_length(graph, a, b, weight="length")
        ways = list(nx.all_shortest_paths(graph, a, b, weight="length"))
        share = np.exp(-far) if index == "pc" else 1 / (1 + far)
        for way in ways:
            known[way[1:-1]] += area[a] * area[b] * share / len(ways)
    assert betweenness(area, direct, index) == pytest.approx(known, abs=1e-12)
