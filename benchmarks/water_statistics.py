"""Water statistics on large tables: seconds and the memory each takes at its highest.

Censored summaries of 100,000 results, a line through 2,000 with non-detects, seasonal Kendall of 40
years for 100 stations and of 40 years beside pymannkendall (Python; the R packages NADA, rkt and
EGRET do not install by name), loads of 30 years of days, 100,000 results against the standards of
drinking water and in classes, indices with their intervals.
"""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.machine import machine

from ecotone.assess.compute import compute
from ecotone.science.water import loads, trend
from ecotone.science.water.censored import kaplan_meier, mle_lognormal, ros
from ecotone.science.water.censored_tests import akritas_theil_sen, peto_prentice

RESULTS = 100_000
LINE = 2_000
STATIONS = 100
YEARS = 40


def main() -> None:
    """Time each part and print."""
    print(machine("pymannkendall"))
    print(f"{'':<52} {'seconds':>9} {'peak MB':>9}")
    rng = np.random.default_rng(1)
    values = rng.lognormal(0, 1, RESULTS)
    hidden = values < rng.choice([0.2, 0.5, 1.0], RESULTS)
    limits = np.where(hidden, rng.choice([0.2, 0.5, 1.0], RESULTS), values)
    for name, method in (("Kaplan-Meier", kaplan_meier), ("ROS", ros), ("MLE", mle_lognormal)):
        tell(f"{name}, {RESULTS:,} results", lambda m=method: m(limits, hidden))
    group = rng.integers(0, 4, RESULTS)
    tell(f"Peto-Prentice, 4 groups of {RESULTS:,}", lambda: peto_prentice(limits, hidden, group))
    at = np.sort(rng.uniform(2000, 2020, LINE))
    tell(f"Akritas-Theil-Sen, {LINE:,} results",
         lambda: akritas_theil_sen(at, limits[:LINE], hidden[:LINE]))  # fmt: skip
    year = np.repeat(np.arange(YEARS), 12)
    month = np.tile(np.arange(12), YEARS)
    series = rng.normal(0, 1, (STATIONS, year.size)) + year / 50
    tell(f"seasonal Kendall, {STATIONS} stations of {YEARS} years",
         lambda: [trend.seasonal_kendall(year, one, month) for one in series])  # fmt: skip
    tell(f"seasonal Kendall, one station of {YEARS} years",
         lambda: trend.seasonal_kendall(year, series[0], month))  # fmt: skip
    _beside_peer(series[0])
    _loads(rng)
    with tempfile.TemporaryDirectory() as folder:
        _tables(Path(folder), rng)


def _beside_peer(series: np.ndarray) -> None:
    try:
        import pymannkendall
    except ImportError:
        print("pymannkendall: not installed")
        return
    tell("  pymannkendall.seasonal_test, the same", lambda: pymannkendall.seasonal_test(series, 12))


def _loads(rng: np.random.Generator) -> None:
    days = np.arange(30 * 365)
    t = 1990 + days / 365.25
    q = np.exp(2 + np.sin(2 * np.pi * t) + 0.4 * rng.normal(size=days.size))
    conc = np.exp(0.5 - 0.2 * np.log(q) + 0.2 * rng.normal(size=days.size))
    own = np.sort(rng.choice(days, 600, replace=False))

    def every() -> None:
        curve = loads.rating(t[own], q[own], conc[own], np.zeros(own.size, bool))
        loads.averaging(conc[own], q[own], q)
        loads.beale(conc[own], q[own], q)
        loads.interpolated(own, conc[own], days, q)
        loads.rated(curve, t, q)
        loads.smeared(curve, t, q)
        loads.unbiased(curve, t, q, conc[own], t[own], q[own])

    tell(f"six load estimators, {days.size:,} days, 600 samples", every)


def _tables(folder: Path, rng: np.random.Generator) -> None:
    """The indicators on one table of 100,000 rows: reading, judging, intervals, writing."""
    names = ["arsenic", "lead", "cadmium", "nitrate", "fluoride"]
    days = pd.date_range("2004-01-01", periods=RESULTS // 500, freq="ME").strftime("%Y-%m-%d")
    table = pd.DataFrame(
        {
            "station": np.repeat([f"S{i:02d}" for i in range(100)], RESULTS // 100),
            "date": np.tile(np.repeat(days, 5), 100),
            "property": np.tile(names, RESULTS // 5),
            "value": rng.lognormal(0, 1, RESULTS).round(3),
            "unit": "ug/L",
        }
    )
    table.loc[table["property"] == "nitrate", "unit"] = "mg/L as NO3"
    path = folder / "results.csv"
    table.to_csv(path, index=False)
    drinking = {"standard": "who-gdwq-4"}
    for name, given in (("water.compliance", drinking), ("water.index", drinking),
                        ("water.index", {"index": "gb3838"})):  # fmt: skip
        label = f"{name} {given.get('index', 'ccme' if name == 'water.index' else '')}".strip()
        tell(
            f"{label}, {RESULTS:,} results of 100 stations",
            lambda n=name, g=given: compute(n, {"results": [path]}, g, folder / "out"),
        )


def tell(name: str, work: Callable[[], object]) -> None:
    """Seconds of one run, then the peak of another (watching memory takes time)."""
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"{name:<52} {seconds:9.3f} {peak:9.0f}")


if __name__ == "__main__":
    main()
