"""Ten million cells within 12 GB: two focal points, resistance and current map, iterative.

Circuitscape's documentation gives 4711 / 1218 / 543 s for its 6 million cells and 9487 / 2338 /
1124 s for 12 million (Circuitscape.py, CG + AMG, CHOLMOD; 16 processes on a Xeon Silver 4114 with
384 GB); the points and maps behind these are not stated, so no ratio follows. Some minutes on an
idle machine; the run of all benchmarks leaves it out. ``python -m benchmarks.connectivity_large
[CELLS]``.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
from benchmarks.machine import machine

from ecotone.science.connectivity.landscape import Landscape, Points, Wanted, pairwise
from ecotone.science.connectivity.solver import predict

CELLS = 10_000_000


def main() -> None:
    """Solve once and print."""
    cells = int(sys.argv[1]) if len(sys.argv) > 1 else CELLS
    side = round(cells**0.5)
    print(machine("pyamg"))
    rng = np.random.default_rng(20261121)
    conductance = np.exp(-rng.normal(size=(side, side)))
    land = Landscape(conductance, four=True, scheme="resistance", memory=6e9)
    nodes = side * side
    cost = predict(nodes, 2 * nodes, memory=6e9)
    print(f"{nodes:,} cells, {cost.method}, {cost.bytes / 1e9:.1f} GB expected", flush=True)
    points = Points(np.array([side * (side // 4) + side // 4, nodes - 5]), np.array([1, 2]))
    started, spent = time.perf_counter(), time.process_time()
    answer = pairwise(land, points, wanted=Wanted(cumulative=True))
    took, used = time.perf_counter() - started, time.process_time() - spent
    assert answer.cumulative is not None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"took {took:.0f} s, {used:.0f} s of processor, peak {peak:.1f} GB (wanted: 12)")
    print(f"R12 {answer.resistance[0, 1]:.9f}, map sum {answer.cumulative.sum():.4f}, "
          f"true residual {answer.residual:.1e}, {', '.join(answer.solvers)}")  # fmt: skip


if __name__ == "__main__":
    main()
