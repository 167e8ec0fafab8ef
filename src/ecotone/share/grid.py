"""The one grid that all parties generalise places to.

Cells nest: a place has one integer index at 0.001 degree and every coarser cell is an integer
division of it, so that two levels of the same record never intersect to something finer
(rounded grids do: 10 of 100 fine cells straddle two coarse ones). The grid is deterministic:
random jitter averages out over repeated releases (100 draws of 10 km lead back to 593 m).
Sources: Chapman 2020, doi 10.15468/doc-5jp4-5g10; the nesting argument is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

Floats = NDArray[np.float64]

FINEST: Final = 1000  #: cells per degree of the finest level
_WGS84: Final = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Cells:
    """Published centres and the radius (m) around each that holds every point of its cell."""

    latitude: Floats
    longitude: Floats
    radius_m: Floats


def cell_centres(latitude: Floats, longitude: Floats, cell_degrees: float) -> Cells:
    """Generalise WGS 84 degrees to the centres of cells of ``cell_degrees``.

    ``cell_degrees`` is 0.001, 0.01, 0.1 or 1. NaN stays NaN. 180 and -180 fall into one
    cell; latitude 90 belongs to the cell below it. The radius is the geodesic distance
    from the centre to the corner farthest from it (the equatorward one), rounded up to a
    metre, so the true point always lies in the published circle.

    Raises ValueError for a cell size off the nested grid.

    >>> cells = cell_centres(np.array([37.0464]), np.array([73.2390]), 0.1)
    >>> float(cells.latitude[0]), float(cells.longitude[0]), float(cells.radius_m[0])
    (37.05, 73.25, 7113.0)
    """
    step = round(cell_degrees * FINEST)
    if step not in (1, 10, 100, 1000) or abs(cell_degrees * FINEST - step) > 1e-9:
        raise ValueError("the cell size must be 0.001, 0.01, 0.1 or 1 degree")
    folded = np.where(longitude >= 180.0, longitude - 360.0, longitude)
    lat_low, lat = _axis(latitude, step, 90 * FINEST - step)
    _, lon = _axis(folded, step, 180 * FINEST - step)
    half = step / FINEST / 2
    equatorward = np.where(lat_low >= 0, lat - half, lat + half)
    _, _, distance = _WGS84.inv(lon, lat, lon + half, equatorward)
    return Cells(lat, lon, np.ceil(np.asarray(distance, dtype=np.float64)))


def _axis(degrees: Floats, step: int, last: int) -> tuple[Floats, Floats]:
    """Lower edge and centre of the cell on one axis."""
    # A decimal such as 1.001 times 1000 falls just below its integer in floats.
    finest = np.floor(np.round(degrees * FINEST, 6))
    low = np.minimum(np.floor(finest / step) * step, last)
    centre = np.round((low + step / 2) / FINEST, 4) + 0.0
    return low / FINEST, centre


def ala_round(text: str, step: str) -> str:
    """The Atlas of Living Australia's rounding, on decimal text, ties away from zero.

    Kept to reproduce ALA's released values; its cells do not nest, so partners use
    ``cell_centres``. Source: AtlasOfLivingAustralia/sds, GeneralisedLocation.

    >>> ala_round("-37.05", "0.1")
    '-37.1'
    """
    size = Decimal(step)
    cells = (abs(Decimal(text)) / size).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    rounded = (cells * size).quantize(size)
    return f"{-rounded if Decimal(text) < 0 and rounded else rounded}"
