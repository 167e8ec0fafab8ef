"""What holds of every circuit: Kirchhoff, symmetry, scaling, and resistance as a distance."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecotone.science.connectivity.circuits import solve_points
from ecotone.science.connectivity.currents import branch_currents
from ecotone.science.connectivity.graph import grid_graph, merge_cells
from ecotone.science.connectivity.landscape import Landscape, Points, Wanted, pairwise

NONE = np.empty(0, dtype=np.int64)

grounds = arrays(
    np.float64,
    st.tuples(st.integers(2, 6), st.integers(2, 6)),
    elements=st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 7.0, 30.0]),
)
schemes = st.sampled_from(["resistance", "conductance"])


def points_in(ground: np.ndarray, data: st.DataObject, count: int) -> Points:
    live = np.flatnonzero(ground)
    assume(live.size >= count)
    cells = data.draw(
        st.lists(st.sampled_from(live.tolist()), min_size=count, max_size=count, unique=True)
    )
    return Points(np.array(cells), np.arange(1, count + 1))


@settings(max_examples=60, deadline=None)
@given(ground=grounds, four=st.booleans(), scheme=schemes, data=st.data())
def test_current_is_conserved_at_every_node(ground, four, scheme, data):
    points = points_in(ground, data, 2)
    node, nodes = merge_cells(ground, NONE, NONE)
    graph = grid_graph(ground, node, nodes, four=four, scheme=scheme)
    circuit = solve_points(graph, node.ravel()[points.cells].astype(np.int64))
    assume(np.isfinite(circuit.resistance()).all())
    case = circuit.pair(0, 1)
    net = graph.outflow(case.voltage)
    wanted = np.zeros(nodes)
    wanted[circuit.node[1]], wanted[circuit.node[0]] = 1.0, -1.0
    np.testing.assert_allclose(net, wanted, atol=1e-8)
    # Power put in is power lost.
    lost = (branch_currents(graph, case.voltage) ** 2 / graph.conductance).sum()
    np.testing.assert_allclose(lost, circuit.resistance()[0, 1], rtol=1e-8)
    assert (case.current <= 1 + 1e-8).all()


@settings(max_examples=60, deadline=None)
@given(ground=grounds, four=st.booleans(), scheme=schemes, data=st.data())
def test_resistance_is_a_distance_and_scales(ground, four, scheme, data):
    points = points_in(ground, data, 3)
    found = pairwise(Landscape(ground, four=four, scheme=scheme), points).resistance
    np.testing.assert_array_equal(found, found.T)
    assert (np.diag(found) == 0).all()
    if np.isfinite(found).all():
        assert found[0, 2] <= found[0, 1] + found[1, 2] + 1e-9
    double = pairwise(Landscape(ground * 2.0, four=four, scheme=scheme), points).resistance
    np.testing.assert_allclose(double * 2.0, found, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(ground=grounds, scheme=schemes, data=st.data())
def test_a_turned_landscape_gives_the_turned_map(ground, scheme, data):
    points = points_in(ground, data, 3)
    ids = np.zeros(ground.size, dtype=np.int64)
    ids[points.cells] = points.ids
    turned = np.rot90(ids.reshape(ground.shape)).ravel()
    cells = np.flatnonzero(turned)
    there = Points(cells, turned[cells])
    wanted = Wanted(cumulative=True)
    here = pairwise(Landscape(ground, scheme=scheme), points, wanted=wanted)
    back = pairwise(
        Landscape(np.ascontiguousarray(np.rot90(ground)), scheme=scheme), there, wanted=wanted
    )
    np.testing.assert_allclose(back.resistance, here.resistance, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(back.cumulative, np.rot90(here.cumulative), atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(ground=grounds, scheme=schemes, data=st.data(), lift=st.floats(1.0, 20.0))
def test_better_habitat_never_raises_resistance(ground, scheme, data, lift):
    points = points_in(ground, data, 2)
    before = pairwise(Landscape(ground, scheme=scheme), points).resistance[0, 1]
    better = ground.copy()
    better.ravel()[data.draw(st.integers(0, ground.size - 1))] += lift
    after = pairwise(Landscape(better, scheme=scheme), points).resistance[0, 1]
    assume(np.isfinite(before))
    assert after <= before * (1 + 1e-9)
