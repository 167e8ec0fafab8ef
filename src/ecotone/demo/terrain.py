"""The land of the basin: relief, river, lake, cover; water runs downhill everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ecotone.demo import noise
from ecotone.demo.grid import COLUMNS, ROWS

#: Land-cover classes, as written to ``landcover.tif``.
GLACIER: Final = 1
FOREST: Final = 2
STEPPE: Final = 3
FIELDS: Final = 4
SALT: Final = 5
LAKE: Final = 6
COVERS: Final = {
    GLACIER: "glacier",
    FOREST: "forest",
    STEPPE: "steppe",
    FIELDS: "fields",
    SALT: "salt flat",
    LAKE: "salt lake",
}

_STEP: Final = 4  # the river is routed on every fourth cell
_SOURCES: Final = ((0.04, 0.78), (0.74, 0.97), (0.05, 0.96), (0.30, 0.97), (0.06, 0.50))
_RIVERS: Final = 2  # the first sources whose rivers reach the lake themselves
_MOUTH: Final = (0.86, 0.13)


@dataclass(frozen=True)
class Reach:
    """One stretch of river from its source (or a confluence) down to the lake, cell by cell."""

    name: str
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


@dataclass(frozen=True)
class Terrain:
    """Relief in metres, cover classes, the river's stretches and the distance to them in cells."""

    elevation: NDArray[np.float64]
    cover: NDArray[np.uint8]
    reaches: tuple[Reach, ...]  #: the main stem first
    river_distance: NDArray[np.float64]


def make_terrain(rng: np.random.Generator) -> Terrain:
    """Raise the mountains in the north-east, let water find its way to the south-west."""
    raw = _relief(rng)
    reaches = _route(rng, raw)
    elevation, distance = _carve(raw, reaches)
    cover = _cover(rng, elevation, distance)
    return Terrain(elevation, cover, reaches, distance)


def _axes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Down and right as shares of the window, 0 to 1."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    return y / (ROWS - 1), x / (COLUMNS - 1)


def _relief(rng: np.random.Generator) -> NDArray[np.float64]:
    """Metres above the sea: a ramp towards the mountains with fractal ridges that grow uphill."""
    down, right = _axes()
    climb = np.clip(0.55 * (1 - down) + 0.55 * right - 0.1, 0, None)
    ridges = noise.fractal(rng, (ROWS, COLUMNS), 1.9)
    basin = np.exp(-(((down - _MOUTH[0]) / 0.25) ** 2) - ((right - _MOUTH[1]) / 0.25) ** 2)
    return 420 + 3300 * climb**1.9 + ridges * (60 + 560 * climb**1.5) - 260 * basin


def _route(rng: np.random.Generator, elevation: NDArray[np.float64]) -> tuple[Reach, ...]:
    """Two rivers to the lake, then tributaries, each the cheapest way to what already flows."""
    coarse = gaussian_filter(elevation, _STEP)[::_STEP, ::_STEP]
    graph = _resistance(coarse, noise.fractal(rng, coarse.shape, 1.2))
    mouth = _cell(_MOUTH, coarse.shape)
    flowing: list[int] = []
    reaches = []
    for number, source in enumerate(_SOURCES):
        ends = [mouth] if number < _RIVERS else flowing
        _, before, _ = dijkstra(graph, indices=ends, min_only=True, return_predecessors=True)
        path = [_cell(source, coarse.shape)]
        while path[-1] not in ends:
            path.append(int(before[path[-1]]))
        reaches.append(_reach(f"R{number + 1}", path, coarse.shape[1]))
        # Tributaries meet the rivers on the plain, not on the shore of the lake.
        flowing += path[: -len(path) // 6] if number < _RIVERS else path
    return tuple(reaches)


def _cell(place: tuple[float, float], shape: tuple[int, ...]) -> int:
    return int(place[0] * (shape[0] - 1)) * shape[1] + int(place[1] * (shape[1] - 1))


def _resistance(coarse: NDArray[np.float64], rock: NDArray[np.float64]) -> csr_array:
    """What water pays from cell to cell, read upwards from the mouth: rock and climbs."""
    number = np.arange(coarse.size).reshape(coarse.shape)
    sources, targets, costs = [], [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        right = slice(max(0, -dx), coarse.shape[1] - max(0, dx))
        a = (slice(0, coarse.shape[0] - dy), right)
        b = (slice(dy, None), slice(right.start + dx, right.stop + dx))
        for low, high in ((a, b), (b, a)):
            climb = np.clip(coarse[low] - coarse[high], 0, None)
            sources.append(number[low].ravel())
            targets.append(number[high].ravel())
            costs.append((np.hypot(dy, dx) * np.exp(0.9 * rock[high]) + 0.02 * climb).ravel())
    size = coarse.size
    edges = (np.concatenate(sources), np.concatenate(targets))
    return csr_array((np.concatenate(costs), edges), shape=(size, size))


def _reach(name: str, path: list[int], columns: int) -> Reach:
    """The coarse path as a smooth run of fine cells."""
    rows, cols = (part * _STEP for part in np.divmod(np.array(path), columns))
    along = np.arange(len(path))
    fine = np.linspace(0, len(path) - 1, len(path) * _STEP * 2)
    kernel = np.hanning(27)[1:-1] / np.hanning(27).sum()
    smooth = [
        np.convolve(np.pad(np.interp(fine, along, part), 12, mode="edge"), kernel, "valid")
        for part in (rows, cols)
    ]
    cells = np.unique(np.round(np.column_stack(smooth)).astype(np.int64), axis=0, return_index=True)
    ordered = np.round(np.column_stack(smooth)).astype(np.int64)[np.sort(cells[1])]
    return Reach(name, ordered[:, 0], ordered[:, 1])


def _carve(
    elevation: NDArray[np.float64], reaches: tuple[Reach, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower the river bed so that it never climbs, and open a valley around it."""
    bed = np.full(elevation.shape, np.nan)
    smooth = gaussian_filter(elevation, 3)
    for reach in reaches:
        profile = np.minimum.accumulate(smooth[reach.rows, reach.columns] - 40.0)
        joined = bed[reach.rows[-1], reach.columns[-1]]
        if np.isfinite(joined):
            profile = np.maximum(profile, joined)
        dry = np.isnan(bed[reach.rows, reach.columns])
        bed[reach.rows[dry], reach.columns[dry]] = profile[dry]
    away, nearest = distance_transform_edt(np.isnan(bed), return_indices=True)
    floor = bed[nearest[0], nearest[1]] + 6.0 * away
    weight = np.exp(-((away / 16) ** 2))
    carved = weight * np.minimum(elevation, floor) + (1 - weight) * elevation
    carved[np.isfinite(bed)] = bed[np.isfinite(bed)]
    return carved, away


def _cover(
    rng: np.random.Generator, elevation: NDArray[np.float64], distance: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Cover classes by height, moisture and nearness of water."""
    down, right = _axes()
    wobble = noise.correlated(rng, elevation.shape, 18)
    cover = np.full(elevation.shape, STEPPE, dtype=np.uint8)
    forest = (elevation > 1250 + 160 * wobble) & (elevation < 2600 + 120 * wobble)
    cover[forest] = FOREST
    shore = np.hypot((down - _MOUTH[0]) * 1.1, right - _MOUTH[1] * 0.8) + 0.012 * wobble
    # Canals reach further from the river on the plain, and nowhere up the slopes or to the lake.
    reach = np.clip((1250 - elevation) / 16, 0, 34) * (1 + 0.3 * wobble)
    cover[(distance < reach) & (shore > 0.20)] = FIELDS
    cover[elevation > 2800 + 120 * wobble] = GLACIER
    cover[shore < 0.155] = SALT
    cover[shore < 0.095] = LAKE
    return cover
