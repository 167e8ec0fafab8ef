"""All pairs of 20 focal points over a million cells, with the summed current map.

Needs the BigTests grid (1000 x 1000, 4 neighbours; it may not be passed on, so it lies beside
the checkout or where ECOTONE_SHARED_DATA points). Circuitscape's documentation gives 538 s
(Circuitscape.py), 106 s (CG + AMG) and 90 s (CHOLMOD) for its '1m' workload, 16 processes on
a Xeon Silver 4114 with 384 GB; it does not say whether that was the file of 2 or of 20 points,
nor with which maps, so no ratio to these follows. The peers timed here solve the same grid.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
from benchmarks.machine import machine

from ecotone.assess.indicators.connectivity_inputs import Habitat, read_habitat, read_points
from ecotone.science.connectivity.landscape import Landscape, Points, Wanted, pairwise

SHARED = Path(os.environ.get("ECOTONE_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
FOLDER = SHARED / "connectivity" / "bigtests_1m"
MEMORY = 6e9


def main() -> None:
    """Time ours, then the peers, and print."""
    if not FOLDER.exists():
        print("the BigTests grid is not there; nothing is timed")
        return
    print(machine("pyamg", "scikit-image"))
    # The first call compiles; a small one takes that out of the timing.
    tiny = Landscape(np.ones((9, 9)))
    pairwise(tiny, Points(np.array([0, 80]), np.array([1, 2])), wanted=Wanted(cumulative=True))
    started = time.perf_counter()
    habitat = read_habitat(FOLDER / "cellmap.asc.gz", resistance=True)
    points = read_points(FOLDER / "20points.txt", habitat, [])
    read = time.perf_counter() - started
    land = Landscape(habitat.conductance, four=True, scheme="resistance", memory=MEMORY)
    started = time.perf_counter()
    answer = pairwise(land, points, wanted=Wanted(cumulative=True))
    ours = time.perf_counter() - started
    assert answer.cumulative is not None
    print(f"{np.count_nonzero(habitat.conductance):,} cells, 18 usable points, 153 pairs")
    print(f"read                    {read:8.1f} s")
    print(f"ecotone, all pairs+map  {ours:8.1f} s (wanted: 20 on 2 cores), peak {peak():.2f} GB")
    print(f"  solver {', '.join(sorted(answer.solvers))}, true residual {answer.residual:.1e}")
    print(f"  map: max {answer.cumulative.max():.10f}, sum {answer.cumulative.sum():.6f}")
    if "--many" in sys.argv:
        many(land, habitat)
    peers(land, habitat, points)
    print("published by Circuitscape for '1m': 538 / 106 / 90 s; see this file's head for why")
    print("no ratio to them follows")


def many(land: Landscape, habitat: Habitat) -> None:
    """200 random points in the largest component."""
    wired = land.wired(Points(np.empty(0, np.int64), np.empty(0, np.int64)))
    label = wired.graph.components()
    node = wired.node.ravel()
    cells = np.flatnonzero(node >= 0)
    cells = cells[label[node[cells]] == np.bincount(label).argmax()]
    chosen = np.random.default_rng(20261121).choice(cells, 200, replace=False)
    started = time.perf_counter()
    pairwise(land, Points(chosen, np.arange(1, 201)), wanted=Wanted(cumulative=True))
    took = time.perf_counter() - started
    print(f"ecotone, 200 points+map {took:8.1f} s (wanted: 90), peak {peak():.2f} GB")


def peers(land: Landscape, habitat: Habitat, points: Points) -> None:
    """One right-hand side by pyamg, one cost distance by scikit-image, used directly."""
    try:
        import pyamg
        from skimage.graph import MCP_Geometric
    except ImportError as missing:
        print(f"peers are not timed: {missing}")
        return
    graph = land.wired(points).graph
    part, _ = graph.keep(graph.components() == np.bincount(graph.components()).argmax())
    matrix = part.laplacian()[1:][:, 1:].tocsr()
    started = time.perf_counter()
    level = pyamg.smoothed_aggregation_solver(matrix, symmetry="symmetric")
    setup = time.perf_counter() - started
    right = np.zeros(matrix.shape[0])
    right[matrix.shape[0] // 2] = 1.0
    started = time.perf_counter()
    level.solve(right, tol=1e-8, accel="cg")
    one = time.perf_counter() - started
    print(f"pyamg directly          {setup:8.1f} s setup, {one:.1f} s a point at 1e-8, no map")
    with np.errstate(divide="ignore"):
        cost = np.where(habitat.conductance > 0, 1.0 / habitat.conductance, -1.0)
    begin = [tuple(divmod(int(points.cells[0]), cost.shape[1]))]
    started = time.perf_counter()
    MCP_Geometric(cost, fully_connected=True).find_costs(begin)
    print(f"scikit-image cost dist. {time.perf_counter() - started:8.1f} s a point")
    from ecotone.science.connectivity.leastcost import cost_distance

    source = np.zeros(cost.shape, dtype=np.bool_)
    source[begin[0]] = True
    resistance = np.where(cost > 0, cost, np.nan)
    cost_distance(resistance[:9, :9], source[:9, :9])
    started = time.perf_counter()
    cost_distance(resistance, source)
    print(f"ecotone cost distance   {time.perf_counter() - started:8.1f} s a point")


def peak() -> float:
    """Largest memory of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
