"""Mann-Kendall, p and Sen slope: pixels per second per core, beside two peers.

Both get the same pixels. The peer gives S, p and slope; ours gives the slope's interval too.
Best of several runs, one thread each.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import numpy as np
import pymannkendall
from benchmarks.machine import machine
from numpy.typing import NDArray

from ecotone.science.land import METHODS, mann_kendall

YEARS = 16
PIXELS = 1_000_000
PEER_PIXELS = 400
PIXELS_OF_XARRAY = 10_000
RUNS = 5


def main() -> None:
    """Time both and print."""
    print(machine("pymannkendall", "xarrayMannKendall"))
    values = stack(PIXELS)
    mann_kendall(values[:, :64])
    ours = PIXELS / best(lambda: mann_kendall(values))
    few = values[:, :PEER_PIXELS]
    peer = PEER_PIXELS / best(lambda: [pymannkendall.original_test(x) for x in few.T])
    agree(few)
    print(f"{YEARS} years, float64, S + exact p + Sen slope with interval")
    print(f"ecotone        {ours:12,.0f} pixels/s/core  ({1e9 / ours:,.0f} ns per pixel)")
    print(f"pymannkendall  {peer:12,.0f} pixels/s/core  ({1e6 / peer:,.0f} us per pixel)")
    print(f"ratio          {ours / peer:12,.0f}")
    if importlib.util.find_spec("xarrayMannKendall"):
        grid = PIXELS_OF_XARRAY / once(lambda: by_xarray(values[:, :PIXELS_OF_XARRAY]))
        print(f"xarrayMannKendall {grid:9,.0f} pixels/s/core, ratio {ours / grid:,.0f}")
    for method in METHODS[1:]:
        mann_kendall(values[:, :64], method=method)
        rate = PIXELS / best(lambda method=method: mann_kendall(values, method=method))
        print(f"  {method:<12} {rate:12,.0f} pixels/s/core")
    traffic = ours * YEARS * values.itemsize / 1e9
    print(f"input read     {traffic:12.2f} GB/s (a copy of it: {copied(values):.2f} GB/s)")


def by_xarray(values: NDArray[np.float64]) -> object:
    """S, p and slope of a square map, as that package takes it."""
    import xarray as xr
    from xarrayMannKendall import Mann_Kendall_test

    side = int(np.sqrt(values.shape[1]))
    cube = values[:, : side * side].reshape(YEARS, side, side)
    axes = {"time": np.arange(YEARS), "y": np.arange(side), "x": np.arange(side)}
    data = xr.DataArray(cube, coords=axes, dims=("time", "y", "x"))
    names = {"time": "time", "x": "x", "y": "y"}
    return Mann_Kendall_test(data, "time", MK_modified=False, coords_name=names).compute()


def once(work: Callable[[], object]) -> float:
    """Seconds of the second run; the first compiles."""
    work()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def stack(pixels: int) -> NDArray[np.float64]:
    """NDVI-like years: noise, some pixels with a trend."""
    rng = np.random.default_rng(20261121)
    trend = np.where(rng.random(pixels) < 0.2, -0.006, 0.0)
    return 0.4 + 0.05 * rng.standard_normal((YEARS, pixels)) + np.outer(np.arange(YEARS), trend)


def best(work: Callable[[], object]) -> float:
    """Shortest of some runs, seconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def agree(values: NDArray[np.float64]) -> None:
    """Both must give the same S and slope, or the comparison is worth nothing."""
    ours = mann_kendall(values, method="normal")
    peer = [pymannkendall.original_test(x) for x in values.T]
    np.testing.assert_array_equal(ours.s, [p.s for p in peer])
    np.testing.assert_allclose(ours.p, [p.p for p in peer], atol=1e-9)
    np.testing.assert_allclose(ours.slope, [p.slope for p in peer], atol=1e-8)


def copied(values: NDArray[np.float64]) -> float:
    """How fast this machine copies the same stack, GB/s: the floor set by memory."""
    return values.nbytes / best(values.copy) / 1e9


if __name__ == "__main__":
    main()
