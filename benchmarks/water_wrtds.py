"""WRTDS on the Choptank: seconds for cross-validation, surface and years, beside EGRET's 48 s.

Reads the reference data folder (``ECOTONE_SHARED_DATA``). One thread; the first call compiles or
loads compiled code and is told apart. EGRET 3.0.11 (R 4.2.2) takes about 48 s of CPU for the same
estimation on a machine like this one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from benchmarks.machine import machine
from tests.support import SHARED

from ecotone.science.water import wrtds, wrtds_bootstrap

RUNS = 5
REPLICATES = 10
PEER_SECONDS = 48.0


def main() -> None:
    """Time each part and print."""
    print(machine())
    folder = SHARED / "water"
    daily = pd.read_csv(folder / "egret_choptank_nitrate_daily_q.csv", parse_dates=["Date"])
    sampled = pd.read_csv(folder / "egret_choptank_nitrate_samples.csv", parse_dates=["Date"])
    flow = wrtds.discharge(daily["Date"].to_numpy(), daily["Q"])
    known = wrtds.samples(sampled["Date"].to_numpy(), sampled["ConcLow"], sampled["ConcHigh"], flow)
    settings = wrtds.Settings(10, 2, 0.5, 100, 50, False)
    start = time.perf_counter()
    whole(known, flow, settings)
    first = time.perf_counter() - start
    fitted = wrtds.surface(known, flow, settings)
    points = fitted.estimates.conc.size
    parts = {
        f"cross-validation ({known.times.size} fits)": best(
            lambda: wrtds.cross_validate(known, flow, settings)
        ),
        f"surface ({points} fits)": best(lambda: wrtds.surface(known, flow, settings)),
        f"days, years ({flow.days.size} days)": best(
            lambda: wrtds.annual(wrtds.daily(fitted, flow), flow)
        ),
    }
    for name, seconds in parts.items():
        print(f"{name:<32} {seconds:8.3f} s")
    total = sum(parts.values())
    print(f"{'together':<32} {total:8.3f} s  (first call {first:.1f} s)")
    print(f"{'EGRET':<32} {PEER_SECONDS:8.1f} s  ratio {PEER_SECONDS / total:,.0f}")
    hidden = half_censored(known)
    censored = best(lambda: wrtds.surface(hidden, flow, settings), runs=1)
    print(f"{'surface, half of them censored':<32} {censored:8.3f} s")
    drawn = best(
        lambda: wrtds_bootstrap.bootstrap(known, flow, settings, replicates=REPLICATES, seed=1),
        runs=1,
    )
    print(f"{'bootstrap, per 100 replicates':<32} {drawn * 100 / REPLICATES:8.1f} s")


def whole(known: wrtds.Samples, flow: wrtds.Discharge, settings: wrtds.Settings) -> None:
    """All of the estimation once."""
    wrtds.cross_validate(known, flow, settings)
    wrtds.annual(wrtds.daily(wrtds.surface(known, flow, settings), flow), flow)


def half_censored(known: wrtds.Samples) -> wrtds.Samples:
    """The same record with the lower half of the values known only to lie below their median."""
    middle = float(np.median(known.high))
    below = known.high < middle
    return wrtds.Samples(
        known.days,
        known.times,
        known.flow,
        np.where(below, -np.inf, known.low),
        np.where(below, middle, known.high),
        np.where(below, -1, known.kind).astype(np.int8),
    )


def best(work: Callable[[], object], runs: int = RUNS) -> float:
    """Shortest of some runs, seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
