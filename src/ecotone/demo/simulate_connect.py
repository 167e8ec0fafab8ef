"""Two habitats split by a border: a fenced road with one underpass, a woodland that it cuts.

North of the border lie two cores of Velmara, south of it two of Suvarin. A road runs along the
border on Suvarin's side, fenced but for one underpass. A belt of woodland leads from core to core
and meets the fence where no underpass was built. What each class of land really resists is
planted; the plan's table has what experts believe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.transform import Affine
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra, floyd_warshall

from ecotone.demo.countries import Countries, units
from ecotone.demo.grid import CELL as DEGREES
from ecotone.demo.grid import COLUMNS as BASIN_COLUMNS
from ecotone.demo.grid import NORTH, WEST
from ecotone.demo.grid import ROWS as BASIN_ROWS
from ecotone.demo.terrain import FIELDS, FOREST, GLACIER, LAKE, SALT, STEPPE, Terrain
from ecotone.model.errors import UsageError
from ecotone.model.words import say

CELL: Final = 900.0  #: m
ROWS: Final = 88
COLUMNS: Final = 88
#: Classes beside those of ``landcover.tif``.
ROAD: Final = 7
UNDERPASS: Final = 8
BELT: Final = 9
#: What each class really resists, and what experts believe: best, low, high.
RESISTS: Final = {
    FOREST: (2.0, 2.0, 1.0, 4.0),
    STEPPE: (5.0, 4.0, 2.0, 8.0),
    FIELDS: (7.0, 8.0, 4.0, 16.0),
    GLACIER: (30.0, 30.0, 15.0, 60.0),
    SALT: (30.0, 30.0, 15.0, 60.0),
    LAKE: (60.0, 60.0, 30.0, 120.0),
    ROAD: (350.0, 300.0, 150.0, 600.0),
    UNDERPASS: (2.0, 2.0, 1.0, 4.0),
    BELT: (1.0, 1.0, 0.7, 1.5),
}
#: Dispersal: half of the animals get so far, in metres of the best land.
MEDIAN_COST: Final = 60_000.0
_MIDDLE: Final = -160.12  #: longitude of the window's middle
_SOUTH_OF_BORDER: Final = 4  #: cells from the border to the road
_BELT_AT: Final = 0.66  #: share of the window's width
_UNDERPASS_AT: Final = 0.36
#: Share of the width, cells north (-) or south (+) of the border, radius in cells.
_CORES: Final = {
    "V1": (_BELT_AT, -18, 5.0),
    "V2": (0.21, -12, 4.2),
    "S1": (_BELT_AT, 22, 5.0),
    "S2": (0.20, 22, 3.4),
}
_STEPS: Final = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class Crossing:
    """The window on the border: land classes, cores, and where the planted places lie."""

    land: NDArray[np.uint8]
    transform: Affine
    crs: CRS
    cores: dict[str, shapely.Polygon]
    barrier: tuple[float, float]  #: longitude and latitude where the belt meets the fence
    underpass: tuple[float, float]
    passage: NDArray[np.bool_]  #: the cells of the fence that a passage on the belt would open
    connected: float  #: equivalent connected area under the true resistances, ha


def make_crossing(terrain: Terrain, countries: Countries) -> Crossing:
    """Cut the window from the basin and plant road, underpass, belt and cores."""
    middle = CRS.from_proj4(
        f"+proj=laea +lon_0={_MIDDLE} +lat_0={_latitude(countries):.2f} +datum=WGS84 +units=m"
    )
    transform = Affine(CELL, 0, -COLUMNS * CELL / 2, 0, -CELL, ROWS * CELL / 2)
    land, number = _sampled(terrain, countries, transform, middle)
    border = _border(number)
    if not _fits(border):
        raise UsageError(say("demo.no-crossing"))
    road = _road(land, border)
    cores, label = _cores(border, transform)
    belt, under = round(_BELT_AT * COLUMNS), round(_UNDERPASS_AT * COLUMNS)
    rows = np.arange(ROWS)[:, None]
    strip = np.abs(np.arange(COLUMNS)[None, :] - belt) <= 1
    ends = [round(border[belt] + _CORES[name][1]) for name in ("V1", "S1")]
    land[strip & (rows >= ends[0]) & (rows <= ends[1]) & ~road] = BELT
    land[(label > 0) & ~road] = FOREST
    land[road] = ROAD
    land[road[:, under], under] = UNDERPASS
    areas = np.array([core.area for core in cores.values()]) / 10_000.0
    to_degrees = Transformer.from_crs(middle, "EPSG:4326", always_xy=True)

    def place(column: int) -> tuple[float, float]:
        row = float(np.flatnonzero(road[:, column]).mean())
        x, y = transform * (column + 0.5, row + 0.5)
        longitude, latitude = to_degrees.transform(x, y)
        return float(longitude), float(latitude)

    return Crossing(
        land, transform, middle, cores, place(belt), place(under),
        road & (np.arange(COLUMNS)[None, :] == belt), _connected(land, label, areas),
    )  # fmt: skip


def _latitude(countries: Countries) -> float:
    """The latitude about which Suvarin begins within the window's width."""
    column = round((_MIDDLE - WEST) / DEGREES)
    first = np.argmax(countries.mask("XC")[:, column - 80 : column + 81], axis=0)
    return NORTH - float(first.mean()) * DEGREES


def _sampled(
    terrain: Terrain, countries: Countries, transform: Affine, crs: CRS
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Cover and country of the basin's nearest cell, for each cell of the window."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS] + 0.5
    x, y = transform.c + CELL * columns, transform.f - CELL * rows
    longitude, latitude = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    row = np.clip(((NORTH - latitude) / DEGREES).astype(int), 0, BASIN_ROWS - 1)
    column = np.clip(((longitude - WEST) / DEGREES).astype(int), 0, BASIN_COLUMNS - 1)
    return terrain.cover[row, column].copy(), countries.number[row, column]


def _fits(border: NDArray[np.float64]) -> bool:
    """Whether all cores lie within the window, on their own side of the border."""
    for share, south, radius in _CORES.values():
        row = border[round(share * COLUMNS)] + south
        if not radius < row < ROWS - radius:
            return False
    return bool(border.min() > _SOUTH_OF_BORDER and border.max() < ROWS - 2 * _SOUTH_OF_BORDER)


def _border(number: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The row at which Suvarin begins, by column, without its corners."""
    southern = [unit.code for unit in units()].index("XC") + 1
    first = np.argmax(number == southern, axis=0).astype(float)
    return gaussian_filter1d(first, 4, mode="nearest")


def _road(land: NDArray[np.uint8], border: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A band two cells deep, without a gap that a diagonal step could slip through."""
    top = np.round(border + _SOUTH_OF_BORDER).astype(int)
    before = np.minimum(top, np.roll(top, 1))
    before[0] = top[0]
    after = np.maximum(top, np.roll(top, 1)) + 1
    after[0] = top[0] + 1
    rows = np.arange(land.shape[0])[:, None]
    band: NDArray[np.bool_] = (rows >= before[None, :]) & (rows <= after[None, :])
    return band


def _cores(
    border: NDArray[np.float64], transform: Affine
) -> tuple[dict[str, shapely.Polygon], NDArray[np.int64]]:
    """Round cores, and their numbers on the cells whose centres they hold."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    cores, label = {}, np.zeros((ROWS, COLUMNS), dtype=np.int64)
    for number, (name, (share, south, radius)) in enumerate(_CORES.items(), 1):
        column = round(share * COLUMNS)
        row = round(border[column] + south)
        x, y = transform * (column + 0.5, row + 0.5)
        cores[name] = shapely.Point(x, y).buffer(radius * CELL, quad_segs=12)
        label[np.hypot(rows - row, columns - column) < radius] = number
    return cores, label


def _connected(
    land: NDArray[np.uint8], label: NDArray[np.int64], area: NDArray[np.float64]
) -> float:
    """The equivalent connected area of the cores under what the land really resists."""
    resists = np.zeros(max(RESISTS) + 1)
    resists[list(RESISTS)] = [true for true, *_ in RESISTS.values()]
    resistance = resists[land]
    cells = np.arange(land.size).reshape(land.shape)
    heads, tails, costs = [], [], []
    for down, right in _STEPS:
        here = (slice(0, ROWS - down), slice(max(0, -right), COLUMNS - max(0, right)))
        there = (slice(down, None), slice(max(0, right), COLUMNS + min(0, right)))
        heads.append(cells[here].ravel())
        tails.append(cells[there].ravel())
        step = CELL * np.hypot(down, right) / 2
        costs.append((step * (resistance[here] + resistance[there])).ravel())
    # Within a core movement costs nothing from where it began: its cells are one source.
    edges = (np.concatenate(heads), np.concatenate(tails))
    graph = csr_array((np.concatenate(costs), edges), shape=(land.size, land.size))
    count = area.size
    cost = np.zeros((count, count))
    for a in range(count):
        inside = np.flatnonzero(label.ravel() == a + 1)
        far = dijkstra(graph, directed=False, indices=inside, min_only=True)
        cost[a] = [far[label.ravel() == b + 1].min() for b in range(count)]
    cost = floyd_warshall(np.minimum(cost, cost.T), directed=False)
    return float(np.sqrt(area @ 0.5 ** (cost / MEDIAN_COST) @ area))
