"""What lies on the land besides its greenness: cover in four years, soil, people, a field survey.

Two changes of cover are planted where the vegetation changes as well: steppe that turns bare in
the heart of the declining patches, and trees planted in the heart of the recovering ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.demo import noise
from ecotone.demo.grid import COLUMNS, ROWS, latitudes, longitudes
from ecotone.demo.simulate_land import FIRST_YEAR, LAST_YEAR, Land
from ecotone.demo.terrain import FIELDS, FOREST, GLACIER, LAKE, SALT, STEPPE, Terrain

#: Classes of the UNCCD's legend.
TREES, GRASS, CROPS, BARE, WATER = 1, 2, 3, 6, 7
_CLASSES: Final = {
    FOREST: TREES, STEPPE: GRASS, FIELDS: CROPS, SALT: BARE, GLACIER: BARE, LAKE: WATER,
}  # fmt: skip
#: Years of the maps: the ends of the baseline and of the reporting period.
MAP_YEARS: Final = (FIRST_YEAR, 2013, 2020, LAST_YEAR)
#: First year of the new cover.
ONSET: Final = 2017
_CARBON: Final = {TREES: 92.0, GRASS: 54.0, CROPS: 46.0, BARE: 14.0, WATER: 0.0}  # t/ha
_HEART: Final = 1.12  # steeper than this many times the mean, the cover itself changes
_SAMPLE: Final = 900  # places visited in the survey
#: Cells of the map of people are this many cells of the basin's grid wide.
PEOPLE_STEP: Final = 4


@dataclass(frozen=True)
class Ground:
    """Maps on the basin's grid, and the places a survey judged.

    Attributes:
        cover: (years, rows, columns), UNCCD classes, 0 beyond the land.
        units: ecological units: first cover times ten, plus the soil (1 to 3).
        carbon: t/ha in the upper 30 cm in the first year, NaN on water and ice.
        female: people per cell of the coarser grid.
        male: as ``female``.
        degraded: what the reporting period leaves degraded, as planted.
        improved: what it leaves improved.
        survey: places of a random sample and what was found there.
    """

    cover: NDArray[np.uint8]
    units: NDArray[np.uint8]
    carbon: NDArray[np.float32]
    female: NDArray[np.float32]
    male: NDArray[np.float32]
    degraded: NDArray[np.bool_]
    improved: NDArray[np.bool_]
    survey: pd.DataFrame


def make_ground(rng: np.random.Generator, terrain: Terrain, land: Land) -> Ground:
    """Cover, soil and people of the basin, and a survey of its land."""
    first = _per_class({**_CLASSES}, terrain.cover)
    last = first.copy()
    down, up = land.degraded.slope, land.recovering.slope
    bare = (first == GRASS) & (down < _HEART * down[land.degraded.mask].mean())
    planted = np.isin(first, (GRASS, CROPS)) & (up > _HEART * up[land.recovering.mask].mean())
    last[bare], last[planted] = BARE, TREES
    cover = np.stack([first if year < ONSET else last for year in MAP_YEARS])
    soil = 2 + (noise.correlated(rng, (ROWS, COLUMNS), 60) * 1.2).round().clip(-1, 1)
    known = ~np.isin(terrain.cover, (GLACIER, LAKE))
    carbon = _per_class(_CARBON, first) * np.exp(0.22 * noise.correlated(rng, first.shape, 30))
    degraded, improved = land.degraded.mask | bare, land.recovering.mask | planted
    female, male = _people(rng, terrain)
    return Ground(
        cover,
        np.where(known, first * 10 + soil, 0).astype(np.uint8),
        np.where(known, carbon, np.nan).astype(np.float32),
        female,
        male,
        degraded,
        improved,
        _survey(rng, land, degraded, improved),
    )


def _per_class(values: dict[int, float] | dict[int, int], cover: NDArray[np.uint8]) -> NDArray[Any]:
    table = np.zeros(max(values) + 1, dtype=np.asarray(list(values.values())).dtype)
    table[list(values)] = list(values.values())
    found = table[cover]
    return found.astype(np.uint8) if found.dtype.kind == "i" else found


def _people(
    rng: np.random.Generator, terrain: Terrain
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Most live on the fields along the river; a little more women than men."""
    near = np.exp(-terrain.river_distance / 14) * np.isin(terrain.cover, (FIELDS, STEPPE, FOREST))
    crowd = near * np.where(terrain.cover == FIELDS, 60.0, 5.0)
    crowd = crowd * np.exp(0.7 * noise.correlated(rng, crowd.shape, 20))
    rows, columns = ROWS // PEOPLE_STEP, COLUMNS // PEOPLE_STEP
    coarse = crowd.reshape(rows, PEOPLE_STEP, columns, PEOPLE_STEP).sum(axis=(1, 3))
    share = 4 / 7.9 + 0.01 * noise.correlated(rng, coarse.shape, 12)
    return np.round(coarse * share, 1).astype("f4"), np.round(coarse * (1 - share), 1).astype("f4")


def _survey(
    rng: np.random.Generator, land: Land, down: NDArray[np.bool_], up: NDArray[np.bool_]
) -> pd.DataFrame:
    """A random sample of the land by area, judged on the spot."""
    weight = land.land * np.cos(np.deg2rad(latitudes()))[:, None]
    chosen = rng.choice(weight.size, _SAMPLE, replace=False, p=(weight / weight.sum()).ravel())
    rows, columns = np.divmod(np.sort(chosen), COLUMNS)
    state = np.where(down[rows, columns], "degraded", np.where(up[rows, columns], "improved",
                                                               "stable"))  # fmt: skip
    return pd.DataFrame(
        {
            "point": [f"F{number:03d}" for number in range(1, _SAMPLE + 1)],
            "latitude": latitudes()[rows],
            "longitude": longitudes()[columns],
            "state": state,
        }
    )
