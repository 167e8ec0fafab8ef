"""The moving window over 1000 x 1000 cells, radius 50, block 5: serial, on Dask, and killed.

The peer (Omniscape) gives one figure for its own machines (2 million cells in ten minutes on 40
cores), so nothing is compared; what is held here are our own promises: the cluster gives the
serial numbers to 1e-9, a process that is killed goes on where it stood, and no worker holds more
than its tile. ``python -m benchmarks.connectivity_window [SIDE]``; the whole takes an hour on two
cores, so the run of all benchmarks leaves it out.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from benchmarks.machine import machine
from rasterio.transform import from_origin

from ecotone.assess.compute import compute
from ecotone.assess.executor import Cluster, Threads
from ecotone.formats.asciigrid import read_raster

SIDE = 1000
RADIUS, BLOCK = 50, 5
#: Share of the tiles on disk after which the first cluster run is killed.
KILLED_AFTER = 0.1
TILE = 100


def main() -> None:
    """Run all three and print."""
    side = int(sys.argv[1]) if len(sys.argv) > 1 else SIDE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = landscape(folder, side)
        print(machine())
        print(f"{side} x {side} cells, radius {RADIUS}, block {BLOCK}", flush=True)
        took = run(config, folder / "serial", None)
        print(f"serial            {took:8.0f} s, peak {peak():.2f} GB", flush=True)
        on_dask(config, folder, (-(-side // TILE)) ** 2)
        for raster in ("cum_currmap", "flow_potential", "normalized_cum_currmap"):
            one = read_raster(folder / "serial" / f"{raster}.tif").values
            other = read_raster(folder / "dask" / f"{raster}.tif").values
            print(f"{raster}: largest relative difference {apart(one, other):.1e}")


def landscape(folder: Path, side: int) -> Path:
    """A correlated log-normal landscape and its INI."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(20261121)
    rough = gaussian_filter(rng.normal(size=(side, side)), 8)
    values = np.exp(1.5 * rough / rough.std())
    with rasterio.open(
        folder / "resistance.tif", "w", driver="GTiff", width=side, height=side, count=1,
        dtype="float64", crs="EPSG:32643", transform=from_origin(0, side * 100, 100, 100),
    ) as out:  # fmt: skip
        out.write(values, 1)
    config = folder / "run.ini"
    config.write_text(
        "[Required]\nresistance_file = resistance.tif\nradius = "
        f"{RADIUS}\nblock_size = {BLOCK}\nproject_name = out\n"
        "[Options]\nsource_from_resistance = true\nr_cutoff = 1e9\n"
        "calc_normalized_current = true\ncalc_flow_potential = true\nwrite_as_tif = true\n"
    )
    return config


def run(config: Path, out: Path, address: str | None) -> float:
    """Seconds that a run takes."""
    executor = Threads(1) if address is None else Cluster(address)
    started = time.perf_counter()
    compute(
        "connectivity.moving-window", {"config": [config]}, {"tile": TILE}, out, executor=executor
    )
    if isinstance(executor, Cluster):
        executor.close()
    return time.perf_counter() - started


def on_dask(config: Path, folder: Path, tiles: int) -> None:
    """Kill a run on a cluster of two processes, then let another finish it."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1",
                      dashboard_address=None) as cluster:  # fmt: skip
        address = cluster.scheduler_address
        out = folder / "dask"
        child = multiprocessing.get_context("spawn").Process(
            target=run, args=(config, out, address)
        )
        started = time.perf_counter()
        child.start()
        while child.is_alive() and len(finished(out)) < tiles * KILLED_AFTER:
            time.sleep(0.2)
        child.kill()
        child.join()
        before = time.perf_counter() - started
        kept = {path: path.stat().st_mtime_ns for path in finished(out)}
        print(f"killed after      {before:8.0f} s with {len(kept)} tiles on disk", flush=True)
        mark = shutil.copytree(next(iter(kept)).parent, folder / "kept")
        took = run(config, out, address)
        workers = cluster.scheduler.workers.values()
        largest = max(state.metrics["memory"] for state in workers) / 1e9
        print(f"taken up, 2 procs {took:8.0f} s, a worker holds {largest:.2f} GB", flush=True)
        print(f"tiles not solved again: {len(list(mark.glob('*.npz')))}")


def finished(out: Path) -> list[Path]:
    """The tiles on disk that are whole."""
    return [p for p in out.glob(".window-*/*.npz") if not p.name.endswith(".part.npz")]


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference over the largest value."""
    return float(np.nanmax(np.abs(one - other)) / np.nanmax(np.abs(one)))


def peak() -> float:
    """Largest memory of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
