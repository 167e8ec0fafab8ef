"""SPI-12 of 480 months by pixel: seconds, beside climate_indices and xclim where installed.

All get the same precipitation, the same calibration of 30 years and the same approximation of
the gamma (Thom); zero months count as n0/n. A quarter of the pixels goes to the peers, and their
time is multiplied. One thread each, best of several runs. Numbers are compared as well.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import numpy as np
from benchmarks.machine import machine
from numpy.typing import NDArray

from ecotone.science.land.standardised import spi

MONTHS = np.arange("1981-01", "2021-01", dtype="datetime64[M]")
SIDE = 100
PEER_SHARE = 0.25
RUNS = 3
Floats = NDArray[np.float64]


def main() -> None:
    """Time all that is here and print."""
    peers = {"climate_indices": by_climate_indices, "xclim": by_xclim}
    here = [name for name in peers if importlib.util.find_spec(name)]
    print(machine(*here))
    rain = np.random.default_rng(1).gamma(2.0, 25.0, (MONTHS.size, SIDE * SIDE))
    rain[np.random.default_rng(2).random(rain.shape) < 0.02] = 0.0
    spi(rain[:, :8], MONTHS)
    seconds = best(lambda: ours(rain))
    numbers = rain.size
    print(f"SPI-12, {MONTHS.size} months x {SIDE * SIDE:,} pixels, calibration 1981-2010")
    print(f"ecotone           {seconds:9.2f} s  ({1e9 * seconds / numbers:,.0f} ns a value)")
    # The least that any program must do: read the rain and write the index.
    copy = best(lambda: rain.copy())
    print(f"memory bandwidth  {copy:9.2f} s  (one copy; ecotone takes {seconds / copy:,.0f} of it)")
    few = np.ascontiguousarray(rain[:, : int(SIDE * SIDE * PEER_SHARE)])
    for name, peer in peers.items():
        if name not in here:
            print(f"{name:17s} not installed here")
            continue
        agree(name, ours(few), peer(few))
        took = best(lambda peer=peer: peer(few), runs=1) * rain.shape[1] / few.shape[1]
        print(f"{name:17s} {took:9.2f} s  (ratio {took / seconds:,.1f})")


def ours(rain: Floats) -> Floats:
    """Ecotone."""
    return spi(rain, MONTHS, scale=12, calibration=(1981, 2010)).index


def by_climate_indices(rain: Floats) -> Floats:
    """One pixel at a time, as its interface has it."""
    from climate_indices.compute import Periodicity
    from climate_indices.indices import Distribution
    from climate_indices.indices import spi as theirs

    return np.stack(
        [theirs(x, 12, Distribution.gamma, 1981, 1981, 2010, Periodicity.monthly) for x in rain.T],
        axis=1,
    )


def by_xclim(rain: Floats) -> Floats:
    """All pixels at once."""
    import pandas as pd
    import xarray as xr
    from xclim.indices import standardized_precipitation_index as theirs

    days = pd.date_range("1981-01-01", periods=MONTHS.size, freq="MS")
    array = xr.DataArray(rain, dims=("time", "pixel"), coords={"time": days}, name="pr")
    array.attrs["units"] = "mm/month"
    index = theirs(
        array,
        freq="MS",
        window=12,
        dist="gamma",
        method="APP",
        fitkwargs={"floc": 0},
        cal_start="1981-01-01",
        cal_end="2010-12-31",
        prob_zero_interpolation="upper",
    )
    return np.asarray(index.transpose("time", "pixel"))


def agree(name: str, one: Floats, other: Floats) -> None:
    """Print how far two answers lie apart, both cut to the peer's range."""
    limit = 3.09
    apart = np.abs(np.clip(one, -limit, limit) - np.clip(other, -limit, limit))
    print(f"{name:17s} largest difference {np.nanmax(apart):.1e}")


def best(function: Callable[[], object], runs: int = RUNS) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
