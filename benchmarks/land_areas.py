"""Class areas of 60 polygons on 20,000 x 20,000 cells, beside exactextract and rasterstats.

All give cells in each class; exactextract counts cells by their covered share, as we do, and its
answer must be ours. rasterstats counts whole cells by their centres: it is timed, not compared.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from benchmarks.machine import machine
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.windows import Window
from shapely.geometry import Polygon

from ecotone.assess.indicators.land_ground import Ground, strips
from ecotone.science.land.coverage import class_areas

SIDE = 20_000
POLYGONS = 60
CLASSES = tuple(range(1, 8))
CELL = 0.0025
Floats = NDArray[np.float64]


def main() -> None:
    """Time all and print."""
    print(machine("exactextract", "rasterstats"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classes.tif"
        write(path)
        zones = polygons()
        areas(path, zones.iloc[:1])
        start = time.perf_counter()
        areas(path, zones)
        spent = time.perf_counter() - start
        print(f"{POLYGONS} polygons, {SIDE} x {SIDE} cells of int16, seven classes, one core")
        print(f"ecotone       {spent:8.1f} s, areas on the ellipsoid")
        if importlib.util.find_spec("exactextract"):
            theirs, seconds = exact(path, zones)
            apart = np.abs(areas(path, zones, cells=True) - theirs).max()
            print(f"exactextract  {seconds:8.1f} s, {seconds / spent:.1f} times ours; "
                  f"most apart {apart:.2e} cells of {theirs.sum():,.0f}")  # fmt: skip
        if importlib.util.find_spec("rasterstats"):
            some = zones.iloc[:: POLYGONS // 6]
            seconds = stats(path, some) * POLYGONS / len(some)
            print(f"rasterstats   {seconds:8.1f} s, {seconds / spent:.1f} times ours "
                  f"(from {len(some)} polygons)")  # fmt: skip


def write(path: Path) -> None:
    """A map of seven classes in patches, written by strips."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(1, 8, (SIDE // 50, SIDE // 50), dtype=np.int16)
    with rasterio.open(
        path, "w", driver="GTiff", dtype="int16", count=1, width=SIDE, height=SIDE, nodata=0,
        transform=from_origin(40.0, 65.0, CELL, CELL), crs="EPSG:4326", tiled=True,
        blockxsize=512, blockysize=512, compress="deflate",
    ) as out:  # fmt: skip
        for row in range(0, SIDE, 1000):
            part = np.kron(coarse[row // 50 : row // 50 + 20], np.ones((50, 50), np.int16))
            out.write(part, 1, window=Window(0, row, SIDE, 1000))


def polygons() -> geopandas.GeoDataFrame:
    """Countries of a continent: ragged outlines of some hundred corners, side by side."""
    rng = np.random.default_rng(6)
    made = []
    for number in range(POLYGONS):
        x = 40 + (number % 10 + 0.5) * SIDE * CELL / 10
        y = 65 - (number // 10 + 0.5) * SIDE * CELL / 6
        angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
        radius = 1 + 0.15 * np.cumsum(rng.standard_normal(400)) / 20
        radius = np.clip(radius - np.linspace(0, radius[-1] - radius[0], 400), 0.5, 1.4)
        made.append(
            Polygon(
                np.column_stack(
                    [x + 2.2 * radius * np.cos(angle), y + 3.5 * radius * np.sin(angle)]
                )
            )
        )
    return geopandas.GeoDataFrame({"zone": range(POLYGONS)}, geometry=made, crs=4326)


def areas(path: Path, zones: geopandas.GeoDataFrame, *, cells: bool = False) -> Floats:
    """km2 (or cells) by class of each polygon, as our indicators take them."""
    sums = np.zeros((len(zones), len(CLASSES) + 1))
    with rasterio.open(path) as source:
        plain = Ground(source.transform, source.crs, source.width, source.height)
        for number, shape in enumerate(zones.geometry):
            ground = plain.clipped(shape)
            window = ground.bounds()
            for part in strips(window, 1 << 22) if window else ():
                codes = source.read(1, window=part)
                if cells:
                    corner = np.array([part.col_off, part.row_off])
                    corners, starts = ground.rings[0]
                    one = np.ones((codes.shape[0], 1))
                    sums[number] += class_areas((corners - corner, starts), codes, one, CLASSES)
                else:
                    sums[number] += ground.class_km2(part, codes, CLASSES)
    return sums


def exact(path: Path, zones: geopandas.GeoDataFrame) -> tuple[Floats, float]:
    """Covered cells by class, and the seconds it took."""
    from exactextract import exact_extract

    start = time.perf_counter()
    found = exact_extract(str(path), zones, ["count", "unique", "frac"])
    seconds = time.perf_counter() - start
    cells = np.zeros((len(zones), len(CLASSES) + 1))
    for number, feature in enumerate(found):
        told = feature["properties"]
        for code, share in zip(told["unique"], told["frac"], strict=True):
            cells[number, int(code) - 1] = share * told["count"]
    return cells, seconds


def stats(path: Path, zones: geopandas.GeoDataFrame) -> float:
    """Seconds of rasterstats."""
    from rasterstats import zonal_stats

    start = time.perf_counter()
    zonal_stats(zones, str(path), categorical=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
