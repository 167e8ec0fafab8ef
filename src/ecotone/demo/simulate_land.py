"""Sixteen growing seasons of NDVI: weather, clouds, and trends nobody but the demo knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.demo import noise
from ecotone.demo.grid import COLUMNS, ROWS
from ecotone.demo.terrain import FIELDS, FOREST, GLACIER, LAKE, SALT, STEPPE, Terrain

FIRST_YEAR: Final = 2009
LAST_YEAR: Final = 2024
YEARS: Final = tuple(range(FIRST_YEAR, LAST_YEAR + 1))
#: Day a season's composite is dated by.
_MIDDLE: Final = (7, 16)
NODATA: Final = -32768
SCALE: Final = 0.001  #: stored integers times this are NDVI

_LEVEL: Final = {FOREST: 0.62, STEPPE: 0.33, FIELDS: 0.52, SALT: 0.12, GLACIER: 0.0, LAKE: 0.0}
#: Centres and radii (down, right) of the patches. Borders cross the first two: no country sees
#: either of them whole.
_DEGRADED: Final = (((0.66, 0.37), (0.135, 0.165)), ((0.47, 0.60), (0.075, 0.065)))
_RECOVERING: Final = (((0.27, 0.12), (0.085, 0.075)), ((0.80, 0.72), (0.05, 0.06)))
_CLOUDS: Final = 0.02  # share of each composite lost to clouds that outlast it
_WEATHER: Final = 0.014  # standard deviation of a year's anomaly, shared over ~20 km
_DROUGHT: Final = 0.003  # standard deviation of what a year does to the whole basin
_MEMORY: Final = 0.15  # lag-1 correlation of yearly anomalies
_GRAIN: Final = 0.014  # standard deviation of one composite of one cell


@dataclass(frozen=True)
class Change:
    """A planted trend: where, and how much NDVI a year."""

    name: str
    slope: NDArray[np.float64]  #: NDVI per year, 0 outside

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The cells that change."""
        return self.slope != 0


@dataclass(frozen=True)
class Land:
    """The stack as integers (time, row, column), its dates, and what was planted in it."""

    ndvi: NDArray[np.int16]
    level: NDArray[np.float64]  #: NDVI of the first year without weather and noise
    dates: tuple[date, ...]
    land: NDArray[np.bool_]  #: cells that are neither lake nor glacier
    degraded: Change
    recovering: Change

    @property
    def slope(self) -> NDArray[np.float64]:
        """The planted trend of every cell, NDVI per year."""
        return self.degraded.slope + self.recovering.slope


def make_land(rng: np.random.Generator, terrain: Terrain) -> Land:
    """Grow sixteen seasons of it."""
    land = ~np.isin(terrain.cover, (GLACIER, LAKE))
    degraded = _plant(rng, "degraded", _DEGRADED, -0.0085, land)
    recovering = _plant(rng, "recovering", _RECOVERING, 0.0080, land)
    slope = degraded.slope + recovering.slope
    level = _per_cover(_LEVEL, terrain) + 0.035 * noise.fractal(rng, (ROWS, COLUMNS), 1.3)
    # The change swings around the cover's usual level, so that no cell falls to bare soil.
    level = np.where(land, np.clip(level, 0.08, 0.8) - slope * (len(YEARS) - 1) / 2, 0.0)
    layers = np.empty((len(YEARS), ROWS, COLUMNS), dtype=np.int16)
    anomaly = _weather(rng)
    for index, year in enumerate(YEARS):
        anomaly = _MEMORY * anomaly + np.sqrt(1 - _MEMORY**2) * _weather(rng)
        layer = (level + anomaly + slope * (year - FIRST_YEAR)).astype(np.float32)
        layer += _GRAIN * rng.standard_normal((ROWS, COLUMNS), dtype=np.float32)
        layers[index] = np.round(layer / SCALE).astype(np.int16)
        layers[index][~land | _clouds(rng)] = NODATA
    dates = tuple(date(year, *_MIDDLE) for year in YEARS)
    return Land(layers, level, dates, land, degraded, recovering)


def _per_cover(values: dict[int, float], terrain: Terrain) -> NDArray[np.float64]:
    table = np.zeros(max(values) + 1)
    table[list(values)] = list(values.values())
    return table[terrain.cover]


def _plant(
    rng: np.random.Generator,
    name: str,
    patches: tuple[tuple[tuple[float, float], tuple[float, float]], ...],
    slope: float,
    land: NDArray[np.bool_],
) -> Change:
    """Ragged patches whose slope varies by up to 35 % around ``slope`` and ends at a clear edge."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    down, right = y / (ROWS - 1), x / (COLUMNS - 1)
    away = np.min(
        [
            np.hypot((down - centre[0]) / radius[0], (right - centre[1]) / radius[1])
            for centre, radius in patches
        ],
        axis=0,
    )
    inside = (away + 0.28 * noise.fractal(rng, (ROWS, COLUMNS), 1.5) < 1) & land
    strength = 1 + 0.35 * np.clip(noise.correlated(rng, (ROWS, COLUMNS), 45) / 2, -1, 1)
    return Change(name, np.where(inside, slope * strength, 0.0))


def _weather(rng: np.random.Generator) -> NDArray[np.float64]:
    """One year's anomaly: good and bad years for all, and differences some 20 km wide."""
    local = noise.correlated(rng, (ROWS, COLUMNS), 40)
    return _DROUGHT * rng.standard_normal() + _WEATHER * local


def _clouds(rng: np.random.Generator) -> NDArray[np.bool_]:
    """Clouds that stay through a composite: patches some tens of kilometres wide."""
    field = noise.correlated(rng, (ROWS, COLUMNS), 24)
    return field > np.quantile(field[::8, ::8], 1 - _CLOUDS)
