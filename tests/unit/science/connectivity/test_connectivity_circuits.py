"""Circuits: by hand, against the pseudo-inverse, and against exact fractions."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from ecotone.science.connectivity import solver
from ecotone.science.connectivity.circuits import (
    resolve_conflicts,
    solve_flow,
    solve_points,
)
from ecotone.science.connectivity.currents import branch_currents, edge_totals, node_currents
from ecotone.science.connectivity.graph import Graph, grid_graph, merge_cells, simple
from ecotone.science.connectivity.landscape import (
    Landscape,
    Margin,
    Points,
    Wanted,
    pairwise,
    star,
)
from ecotone.science.connectivity.regions import edge_of

NONE = np.empty(0, dtype=np.int64)


def graph_of(nodes: int, *edges: tuple[int, int, float]) -> Graph:
    a, b, g = zip(*edges, strict=True)
    return simple(nodes, np.array(a, np.int32), np.array(b, np.int32), np.array(g, float))


def random_graph(rng: np.random.Generator, nodes: int, edges: int) -> Graph:
    ends = rng.integers(0, nodes, (edges, 2)).astype(np.int32)
    chain = np.arange(nodes - 1, dtype=np.int32)
    return simple(
        nodes,
        np.concatenate([ends[:, 0], chain]),
        np.concatenate([ends[:, 1], chain + 1]),
        rng.lognormal(0, 2, edges + nodes - 1),
    )


def points_of(ids: np.ndarray) -> Points:
    cells = np.flatnonzero(ids)
    return Points(cells, ids.ravel()[cells])


def by_pseudo_inverse(graph: Graph) -> np.ndarray:
    inverse = np.linalg.pinv(graph.laplacian().toarray(), hermitian=True)
    own = np.diag(inverse)
    return own[:, None] + own[None, :] - 2 * inverse


def test_resistances_in_series_add_and_conductances_in_parallel_add():
    chain = graph_of(3, (0, 1, 0.5), (1, 2, 0.25), (0, 1, 0.5))
    found = solve_points(chain, np.array([0, 2])).resistance()
    assert found == pytest.approx(np.array([[0, 5.0], [5.0, 0]]))


def test_a_square_of_four_cells_by_hand():
    ones = np.ones((2, 2))
    node, nodes = merge_cells(ones, NONE, NONE)
    rook = grid_graph(ones, node, nodes, four=True, scheme="resistance")
    circuit = solve_points(rook, np.array([0, 3]))
    assert circuit.resistance()[0, 1] == pytest.approx(1.0)
    case = circuit.pair(0, 1)
    assert case.current == pytest.approx([1, 0.5, 0.5, 1])
    assert case.voltage == pytest.approx([0, 0.5, 0.5, 1])
    queen = grid_graph(ones, node, nodes, four=False, scheme="resistance")
    diagonal = 1 / np.sqrt(2)
    assert solve_points(queen, np.array([0, 3])).resistance()[0, 1] == pytest.approx(
        1 / (1 + diagonal)
    )


@pytest.mark.parametrize(("scheme", "wanted"), [("resistance", 2 / 5), ("conductance", 0.625)])
def test_the_two_averages(scheme, wanted):
    row = np.array([[1.0, 0.25]])
    node, nodes = merge_cells(row, NONE, NONE)
    assert grid_graph(row, node, nodes, four=True, scheme=scheme).conductance == pytest.approx(
        [wanted]
    )


@pytest.mark.parametrize("seed", range(5))
def test_all_pairs_agree_with_the_pseudo_inverse(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 12, 20)
    found = solve_points(graph, np.arange(12)).resistance()
    assert found == pytest.approx(by_pseudo_inverse(graph), rel=1e-8, abs=1e-9)


def test_summed_maps_are_the_sum_of_single_maps():
    rng = np.random.default_rng(1)
    graph = random_graph(rng, 30, 60)
    node = np.array([3, 9, 9, 17, 22, 28])
    circuit = solve_points(graph, node)
    pairs = np.array(list(itertools.combinations(range(6), 2)))
    single = sum(circuit.pair(i, j).current for i, j in pairs)
    assert circuit.cumulative() == pytest.approx(single, abs=1e-10)
    assert circuit.cumulative(pairs) == pytest.approx(single, abs=1e-10)
    some = pairs[[0, 4, 7]]
    assert circuit.cumulative(some) == pytest.approx(
        sum(circuit.pair(i, j).current for i, j in some), abs=1e-10
    )
    flows = sum(np.abs(branch_currents(graph, circuit.pair(i, j).voltage)) for i, j in pairs)
    assert circuit.branch_totals() == pytest.approx(flows, abs=1e-10)


def test_two_components_do_not_mix():
    graph = graph_of(5, (0, 1, 1.0), (1, 2, 1.0), (3, 4, 2.0))
    circuit = solve_points(graph, np.array([0, 2, 3, 4, -1]))
    found = circuit.resistance()
    assert found[0, 1] == pytest.approx(2.0)
    assert found[2, 3] == pytest.approx(0.5)
    assert np.isnan(found[0, 2])
    assert np.isnan(found[4, :4]).all()
    assert found[4, 4] == 0
    assert not circuit.pair(0, 2).current.any()
    assert circuit.one_to_all(0, [2, 3]) is None
    assert circuit.all_to_one(4, [0, 1]) is None
    assert circuit.branch_totals(np.array([[2, 3]])) == pytest.approx([0, 0, 1])


@pytest.mark.parametrize("seed", range(3))
def test_one_to_all_and_all_to_one_are_advanced_runs(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 15, 25)
    node = np.array([2, 5, 11, 14])
    circuit = solve_points(graph, node)
    source, leak = np.zeros(15), np.zeros(15)
    source[2], leak[node[1:]] = 0.7, np.inf
    flow = solve_flow(graph, source, leak)
    case = circuit.one_to_all(0, [1, 2, 3], 0.7)
    assert case.voltage == pytest.approx(flow.voltage, abs=1e-9)
    assert case.current == pytest.approx(flow.current, abs=1e-9)
    source, leak = np.zeros(15), np.zeros(15)
    source[node[1:]], leak[2] = [0.1, 0.2, 0.3], np.inf
    flow = solve_flow(graph, source, leak)
    case = circuit.all_to_one(0, [1, 2, 3], np.array([0.1, 0.2, 0.3]))
    assert case.current == pytest.approx(flow.current, abs=1e-9)


def test_all_to_one_without_strength_is_nothing():
    graph = graph_of(2, (0, 1, 1.0))
    circuit = solve_points(graph, np.array([0, 1]))
    assert circuit.all_to_one(0, [1], np.zeros(1)) is None
    assert circuit.one_to_all(0, [1], 0.0) is None


def test_finite_and_direct_grounds_by_hand():
    graph = graph_of(3, (0, 1, 1.0), (1, 2, 1.0))
    flow = solve_flow(graph, np.array([1.0, 0, 0]), np.array([0, 0, 0.5]))
    assert flow.voltage == pytest.approx([4, 3, 2])
    assert flow.current == pytest.approx([1, 1, 1])
    direct = solve_flow(graph, np.array([1.0, 0, 0]), np.array([0, 0, np.inf]))
    assert direct.voltage == pytest.approx([2, 1, 0])
    nothing = solve_flow(graph, np.zeros(3), np.array([0, 0, 1.0]))
    assert not nothing.solved.any()
    held = solve_flow(graph, np.ones(3), np.full(3, np.inf))
    assert not held.voltage.any()


@pytest.mark.parametrize(
    ("policy", "source", "leak"),
    [
        ("keepall", [1, 2, 0], [0, 3, np.inf]),
        ("rmvsrc", [1, 0, 0], [0, 3, np.inf]),
        ("rmvgnd", [1, 2, 4], [0, 0, 0]),
        ("rmvall", [1, 0, 0], [0, 3, np.inf]),
    ],
)
def test_conflicts_of_sources_and_grounds(policy, source, leak):
    found = resolve_conflicts(np.array([1.0, 2, 4]), np.array([0, 3, np.inf]), policy)
    assert found[0].tolist() == source
    assert found[1].tolist() == leak


def test_a_leak_counts_as_a_branch_either_way():
    graph = graph_of(2, (0, 1, 1.0))
    leak = np.array([0.0, 2.0])
    assert node_currents(graph, np.array([3.0, 1.0]), leak) == pytest.approx([2, 2])
    assert node_currents(graph, np.array([-3.0, -1.0]), leak) == pytest.approx([2, 2])


def test_groups_merge_transitively_and_carry_cells_without_habitat():
    ground = np.array([[1.0, 0, 1, 1, 0]])
    node, nodes = merge_cells(ground, np.array([0, 1, 1, 2, 4]), np.array([1, 1, 2, 2, 9]))
    assert node.tolist() == [[0, 0, 0, 1, -1]]
    assert nodes == 2


def test_merging_nodes_drops_loops_and_adds_parallels():
    graph = graph_of(4, (0, 1, 1.0), (1, 2, 2.0), (0, 2, 3.0), (2, 3, 1.0))
    merged = graph.merged(np.array([0, 0, 1, 2], dtype=np.int32))
    assert merged.nodes == 3
    assert list(zip(merged.head, merged.tail, merged.conductance, strict=True)) == [
        (0, 1, 5.0),
        (1, 2, 1.0),
    ]


def brute_pairs(land: Landscape, points: Points) -> np.ndarray:
    """Each pair by a graph of its own and the pseudo-inverse."""
    ids = points.unique().tolist()
    out = np.zeros((len(ids), len(ids)))
    for a, b in itertools.combinations(range(len(ids)), 2):
        wired = land.wired(points, {ids[a], ids[b]} & points.regions())
        at = [
            wired.node.ravel()[points.cells[points.ids == ids[k]]].max(initial=-1) for k in (a, b)
        ]
        label = wired.graph.components()
        joined = min(at) >= 0 and label[at[0]] == label[at[1]]
        out[a, b] = out[b, a] = by_pseudo_inverse(wired.graph)[at[0], at[1]] if joined else np.nan
    return out


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scheme", ["resistance", "conductance"])
def test_regions_and_polygons_against_a_graph_for_each_pair(seed, scheme):
    rng = np.random.default_rng(seed)
    ground = rng.lognormal(0, 1, (7, 6)) * (rng.random((7, 6)) > 0.15)
    ids = np.zeros((7, 6), dtype=np.int64)
    ids.ravel()[rng.choice(42, 9, replace=False)] = [1, 2, 3, 3, 4, 4, 4, 5, 6]
    polygons = np.zeros((7, 6), dtype=np.int64)
    polygons.ravel()[rng.choice(42, 8, replace=False)] = [1, 1, 2, 2, 2, 7, 7, 7]
    land = Landscape(ground, four=seed % 2 == 0, scheme=scheme, polygons=polygons)
    answer = pairwise(land, points_of(ids), wanted=Wanted(cumulative=True, maximum=True))
    expected = brute_pairs(land, points_of(ids))
    np.testing.assert_allclose(answer.resistance, expected, rtol=1e-7, atol=1e-9)
    assert (answer.cumulative >= answer.maximum - 1e-9).all()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("four", [True, False])
def test_regions_on_one_factor_give_what_a_graph_for_each_pair_gives(seed, four, monkeypatch):
    rng = np.random.default_rng(seed)
    ground = rng.lognormal(0, 1, (12, 11))
    ground[:, 7] = 0.0 if seed == 1 else ground[:, 7]
    ids = np.zeros((12, 11), dtype=np.int64)
    ids[1:4, 1:4], ids[8:11, 2:5], ids[0, 9], ids[9:11, 8:10] = 1, 2, 3, 4
    ids[5, 5:7] = 2 if seed == 2 else 5
    polygons = np.zeros((12, 11), dtype=np.int64)
    polygons[6, 0:3] = polygons[3, 3] = 1 if seed % 2 else 0
    land = Landscape(ground, four=four, scheme="resistance", polygons=polygons)
    known_maps, found_maps = [], []

    def solve(maps):
        wanted = Wanted(cumulative=True, maximum=True, each=maps.append)
        return pairwise(land, points_of(ids), excluded=frozenset({(1, 4)}), wanted=wanted)

    known = solve(known_maps)
    monkeypatch.setattr("ecotone.science.connectivity.landscape._SMALL", 0)
    monkeypatch.setattr("ecotone.science.connectivity.landscape._pays", lambda *_: True)
    found = solve(found_maps)
    assert found.solvers != known.solvers
    np.testing.assert_allclose(found.resistance, known.resistance, rtol=1e-9)
    np.testing.assert_allclose(found.cumulative, known.cumulative, atol=1e-9)
    np.testing.assert_allclose(found.maximum, known.maximum, atol=1e-9)
    by_ids = {m.ids: m for m in found_maps}
    assert set(by_ids) == {m.ids for m in known_maps}
    for m in known_maps:
        np.testing.assert_allclose(by_ids[m.ids].voltage, m.voltage, atol=1e-9)


def test_regions_that_merging_changes_otherwise_get_graphs_of_their_own(monkeypatch):
    monkeypatch.setattr("ecotone.science.connectivity.landscape._SMALL", 0)
    monkeypatch.setattr("ecotone.science.connectivity.landscape._pays", lambda *_: True)
    ground = np.ones((3, 5))
    ids = np.array([[1, 1, 0, 2, 2], [0, 0, 0, 0, 0], [0, 0, 3, 0, 0]])
    ground[0, 1] = 0.0
    bare = pairwise(Landscape(ground), points_of(ids))
    assert bare.solvers == {"SuperLU"}
    ground[:, 2] = 0.0
    apart = np.array([[1, 0, 0, 1, 0], [0, 0, 0, 0, 0], [2, 0, 0, 3, 3]])
    ground[0, 1] = 1.0
    assert pairwise(Landscape(ground), points_of(apart)).solvers == {"SuperLU", "none"}


def test_overlapping_polygons_make_two_regions_one(monkeypatch):
    monkeypatch.setattr("ecotone.science.connectivity.landscape._SMALL", 0)
    monkeypatch.setattr("ecotone.science.connectivity.landscape._pays", lambda *_: True)
    ids = np.array([[1, 1, 0, 2, 2, 0, 3]])
    polygons = np.array([[0, 5, 0, 5, 0, 0, 0]])
    land = Landscape(np.ones((1, 7)), polygons=polygons)
    found = pairwise(land, points_of(ids), wanted=Wanted(cumulative=True))
    assert found.resistance[0, 1] == 0
    assert found.resistance[0, 2] == pytest.approx(3.0)
    whole = edge_of(graph_of(2, (0, 1, 1.0)), np.array([0, 1]))
    assert whole.tolist() == [0]


def test_every_case_gives_its_maps_and_progress_is_told():
    ids = np.array([[1, 0, 2], [0, 0, 0], [3, 0, 0]])
    land = Landscape(np.ones((3, 3)))
    maps, told = [], []
    wanted = Wanted(cumulative=True, maximum=True, each=maps.append)
    answer = pairwise(
        land, points_of(ids), excluded=frozenset({(1, 3)}), wanted=wanted, progress=told.append
    )
    assert [m.ids for m in maps] == [(1, 2), (2, 3)]
    assert answer.cumulative == pytest.approx(sum(m.current for m in maps))
    assert answer.maximum == pytest.approx(np.maximum(maps[0].current, maps[1].current))
    assert np.isnan(answer.resistance[0, 2])
    assert told[-1] == 1.0
    maps.clear()
    found = star(land, points_of(ids), "one-to-all", wanted=wanted, progress=told.append)
    assert found.cumulative == pytest.approx(sum(m.current for m in maps))
    assert [m.ids for m in maps] == [(1,), (2,), (3,)]


def test_the_star_modes_by_hand():
    ids = np.array([[1, 0, 2, 0, 3]])
    land = Landscape(np.ones((1, 5)))
    one = star(land, points_of(ids), "one-to-all", strengths={1: 0.5})
    assert one.resistance == pytest.approx([2, 1, 2])
    everyone = star(land, points_of(ids), "all-to-one", wanted=Wanted(cumulative=True))
    assert everyone.resistance == pytest.approx([0, 0, 0])
    assert everyone.cumulative == pytest.approx(np.array([[4, 4, 6, 4, 4]]))
    alone = star(land, points_of(ids), "one-to-all", excluded=frozenset({(1, 2), (1, 3)}))
    assert np.isnan(alone.resistance[0])
    none = star(
        land, points_of(ids), "all-to-one", excluded=frozenset({(1, 2), (1, 3)}),
        wanted=Wanted(cumulative=True, maximum=True, each=lambda maps: None),
    )  # fmt: skip
    assert np.isnan(none.resistance[0])


def exact_resistance(graph: Graph, a: int, b: int) -> Fraction:
    """By elimination in exact fractions."""
    size = graph.nodes
    matrix = [[Fraction(0)] * size for _ in range(size)]
    for h, t, g in zip(graph.head, graph.tail, graph.conductance, strict=True):
        value = Fraction(float(g))
        matrix[h][h] += value
        matrix[t][t] += value
        matrix[h][t] -= value
        matrix[t][h] -= value
    order = [i for i in range(size) if i not in (a, b)] + [a]
    for k, i in enumerate(order[:-1]):
        for j in order[k + 1 :]:
            if matrix[j][i]:
                share = matrix[j][i] / matrix[i][i]
                for m in order[k:]:
                    matrix[j][m] -= share * matrix[i][m]
    return 1 / matrix[a][a]


@pytest.mark.parametrize("contrast", [1e6, 1e9, 1e12, 1e14])
@pytest.mark.parametrize("scheme", ["resistance", "conductance"])
def test_high_contrast_is_right_or_said_to_be_doubtful(contrast, scheme):
    rng = np.random.default_rng(7)
    ground = np.where(rng.random((5, 5)) < 0.4, 1.0 / contrast, 1.0) * rng.uniform(1, 2, (5, 5))
    node, nodes = merge_cells(ground, NONE, NONE)
    graph = grid_graph(ground, node, nodes, four=True, scheme=scheme)
    circuit = solve_points(graph, np.array([0, 24]))
    exact = float(exact_resistance(graph, 0, 24))
    wrong = abs(circuit.resistance()[0, 1] - exact) / exact
    assert wrong < (1e-7 if scheme == "conductance" else 1e-6) or circuit.doubtful


def test_the_iterative_solver_gives_what_the_direct_one_gives():
    rng = np.random.default_rng(3)
    ground = rng.lognormal(0, 1, (60, 60))
    node, nodes = merge_cells(ground, NONE, NONE)
    graph = grid_graph(ground, node, nodes, four=False, scheme="resistance")
    focal = np.array([5, 700, 1900, 3590])
    direct = solve_points(graph, focal, method="direct")
    iterative = solve_points(graph, focal, method="amg")
    assert (direct.solver, iterative.solver) == ("SuperLU", "AMG-CG")
    assert iterative.resistance() == pytest.approx(direct.resistance(), rel=1e-9)
    assert iterative.cumulative() == pytest.approx(direct.cumulative(), rel=1e-7, abs=1e-9)
    assert iterative.residual < 1e-9


def test_the_solver_is_chosen_by_predicted_memory():
    assert solver.predict(1_000_000, 2_000_000, memory=6e9).method == "direct"
    assert solver.predict(1_000_000, 2_000_000, memory=1e8).method == "amg"
    assert solver.predict(100_000_000, 400_000_000, memory=6e9).method == "amg"
    assert solver.predict(100, 200, memory=0, method="direct").method == "direct"
    assert solver.predict(100, 200, memory=1e9, method="amg").method == "amg"


def test_a_poor_factor_is_refined_or_called_doubtful():
    graph = graph_of(3, (0, 1, 1.0), (1, 2, 1.0))

    class Poor:
        name = "poor"

        def __init__(self, share: float) -> None:
            self.share = share

        def solve(self, right: np.ndarray) -> np.ndarray:
            exact = np.linalg.solve(np.array([[2.0, -1], [-1, 1]]), right)
            return exact * self.share

    current = np.array([0.0, 0.0, 1.0])
    leak = np.array([np.inf, 0, 0])
    near = solver.Grounded(graph, leak, np.array([1, 2]), Poor(0.999)).solve(current)
    assert near.voltage == pytest.approx([0, 1, 2], rel=1e-10)
    assert not near.doubtful
    far = solver.Grounded(graph, leak, np.array([1, 2]), Poor(0.1)).solve(current)
    assert far.doubtful
    assert far.residual > 1e-9
    worse = solver.Grounded(graph, leak, np.array([1, 2]), Poor(3.0)).solve(current)
    assert worse.doubtful


def test_contrast_of_a_graph():
    assert solver.contrast(graph_of(3, (0, 1, 2.0), (1, 2, 8.0))) == 4.0
    empty = Graph(1, np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))
    assert solver.contrast(empty) == 1.0


def test_sums_over_edges_by_sorting_and_by_pairs():
    graph = graph_of(2, (0, 1, 2.0))
    voltages = np.array([[0.0, 3, 1], [0, 0, 5]])
    drops = [0, 3, -4]
    wanted = 2.0 * sum(abs(a - b) for a, b in itertools.combinations(drops, 2))
    assert edge_totals(graph, voltages, None) == pytest.approx([wanted])
    assert edge_totals(graph, voltages, np.array([[0, 1], [1, 2]])) == pytest.approx(
        [2.0 * (3 + 7)]
    )


def test_one_factor_pays_where_pairs_are_many_and_edges_short():
    graph = graph_of(1_000_000, (0, 1, 1.0))
    land = Landscape(np.ones((2, 2)))
    from ecotone.science.connectivity.landscape import _pays

    assert _pays(land, graph, 10, 10)
    assert not _pays(land, graph, 100_000, 10)


def test_a_margin_is_solved_with_and_not_shown():
    rng = np.random.default_rng(9)
    wide = rng.uniform(0.2, 2, (9, 10))
    inside = (slice(2, 7), slice(3, 8))
    shown = np.ascontiguousarray(wide[inside])
    points = Points(np.array([0, 12, 13, 24]), np.array([1, 2, 2, 3]))
    polygons = np.zeros((5, 5), dtype=np.int64)
    polygons[3, :3] = 1
    land = Landscape(shown, polygons=polygons, margin=Margin(wide, inside))
    found = pairwise(land, points, wanted=Wanted(cumulative=True))
    broad = np.zeros((9, 10), dtype=np.int64)
    broad[inside] = polygons
    places = Points(land.margin.places(points.cells, 5), points.ids)
    known = pairwise(Landscape(wide, polygons=broad), places, wanted=Wanted(cumulative=True))
    np.testing.assert_allclose(found.resistance, known.resistance, rtol=1e-12)
    np.testing.assert_allclose(found.cumulative, known.cumulative[inside], atol=1e-12)
    source, leak = np.zeros((5, 5)), np.zeros((5, 5))
    source[0, 0], leak[4, 4] = 1.0, np.inf
    wired, flow = land.flow(source, leak)
    assert wired.raster(flow.current).shape == (5, 5)
    assert wired.raster(flow.current)[4, 4] == pytest.approx(1)


def test_who_is_not_paired_gives_one_ampere_where_strengths_are_told():
    land = Landscape(np.ones((1, 4)), four=True)
    points = Points(np.array([0, 1, 2, 3]), np.array([1, 2, 3, 4]))
    apart = frozenset({(1, 3), (1, 4), (2, 4), (3, 4)})
    found = star(
        land, points, "all-to-one", excluded=apart, strengths={1: 5.0, 2: 3.0, 3: 7.0, 4: 9.0},
        wanted=Wanted(cumulative=True, each=(seen := []).append),
    )  # fmt: skip
    # To 1: 3 A of 2, 1 A each of 3 and 4. Nobody is paired with 4.
    assert seen[0].current.ravel() == pytest.approx([5, 5, 2, 1])
    assert np.isnan(found.resistance[3])
