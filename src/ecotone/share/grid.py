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
STEPS: Final = (1, 10, 100, 1000)  #: sides of the cells, in the finest
_POLE: Final = 90 * FINEST
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
    if step not in STEPS or abs(cell_degrees * FINEST - step) > 1e-9:
        raise ValueError("the cell size must be 0.001, 0.01, 0.1 or 1 degree")
    south = cell_floor(latitude, step, _POLE - step)
    west = cell_floor(fold(longitude), step)
    return Cells(_centre(south, step), _centre(west, step), _radii(south, step))


def fold(longitude: Floats) -> Floats:
    """180 degrees east is 180 degrees west; also what rounds to it as cells are rounded."""
    folded: Floats = np.where(np.round(longitude, 9) >= 180.0, longitude - 360.0, longitude)
    return folded


def cell_floor(degrees: Floats, step: int, last: int = _POLE * 2) -> Floats:
    """Lower edge of the cell on one axis, in thousandths of a degree."""
    # A decimal such as 1.001 times 1000 falls just below its integer in floats.
    finest = np.floor(np.round(degrees * FINEST, 6))
    low: Floats = np.minimum(np.floor(finest / step) * step, last)
    return low


def _centre(low: Floats, step: int) -> Floats:
    return np.round((low + step / 2) / FINEST, 4) + 0.0


def _radii(south: Floats, step: int) -> Floats:
    """Radius by row of cells: it depends on the latitude alone, so each row is measured once."""
    rows, back = np.unique(south, return_inverse=True)
    half = step / FINEST / 2
    centre = rows / FINEST + half
    equatorward = np.where(rows >= 0, rows / FINEST, rows / FINEST + 2 * half)
    zero = np.zeros_like(rows)
    _, _, distance = _WGS84.inv(zero, centre, zero + half, equatorward)
    # A place rounded at the ninth decimal may lie a tenth of a millimetre beyond its cell.
    found: Floats = np.ceil(np.asarray(distance, dtype=np.float64) + 1e-3)[back.ravel()]
    return found


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
    return f"{-rounded if Decimal(text) < 0 else rounded}"


#: The grids of ALA's levels, in degrees; a level that is none of these is withheld.
_ALA_STEPS: Final = {"10km": "0.1", "1km": "0.01", "100m": "0.001"}


def ala_place(latitude: str, longitude: str, level: str) -> tuple[str, str] | None:
    """A place as the Atlas of Living Australia releases it at one of its levels; None: withheld.

    ``none`` leaves it as it is. A level that is not known withholds: ALA's own code reads
    '100km' as no generalisation at all.

    >>> ala_place("-18.406655", "146.2541", "1km"), ala_place("-18.4", "146.2", "100km")
    (('-18.41', '146.25'), None)
    """
    if level == "none":
        return latitude, longitude
    step = _ALA_STEPS.get(level)
    return None if step is None else (ala_round(latitude, step), ala_round(longitude, step))
