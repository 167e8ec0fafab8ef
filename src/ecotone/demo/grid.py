"""The basin's window on the map: a WGS 84 grid in the open North Pacific.

The tools of the field need a real coordinate system, so the basin has real coordinates; no land
lies within a thousand kilometres of them, so nobody's country can be mistaken for it.
"""

from __future__ import annotations

import functools
import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod
from rasterio.transform import Affine

WEST: Final = -162.0
NORTH: Final = 41.5
CELL: Final = 0.005  # degree: about 0.55 km north-south and 0.42 km east-west
ROWS: Final = 504
COLUMNS: Final = 520


def transform() -> Affine:
    """The affine transform of the grid."""
    return Affine(CELL, 0.0, WEST, 0.0, -CELL, NORTH)


def longitudes() -> NDArray[np.float64]:
    """Cell centres, degrees east."""
    return np.round(WEST + (np.arange(COLUMNS) + 0.5) * CELL, 7)


def latitudes() -> NDArray[np.float64]:
    """Cell centres, degrees north, from north to south."""
    return np.round(NORTH - (np.arange(ROWS) + 0.5) * CELL, 7)


@functools.cache
def row_areas() -> NDArray[np.float64]:
    """Ellipsoidal area of one cell of each row, km2.

    Karney (2013), doi 10.1007/s00190-012-0578-z, as implemented by GeographicLib in PROJ.
    """
    geod = Geod(ellps="WGS84")
    edges = NORTH - np.arange(ROWS + 1) * CELL
    # The whole row as one densified polygon: parallels are not geodesics, so short steps matter.
    steps = WEST + np.linspace(0.0, CELL, 9)
    areas = [
        geod.polygon_area_perimeter(
            np.concatenate([steps, steps[::-1]]),
            np.concatenate([np.full(9, low), np.full(9, high)]),
        )[0]
        for high, low in itertools.pairwise(edges)
    ]
    return np.abs(np.array(areas)) / 1e6


def area_km2(mask: NDArray[np.bool_]) -> float:
    """Ellipsoidal area of the true cells of a whole-grid mask, km2."""
    return float(mask.sum(axis=1) @ row_areas())
