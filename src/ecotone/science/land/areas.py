"""Areas on the ellipsoid: of raster cells by latitude, of cells of any grid, of polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

#: WGS 84: equatorial radius in metres and flattening.
RADIUS: Final = 6378137.0
FLATTENING: Final = 1 / 298.257223563
_E2: Final = FLATTENING * (2 - FLATTENING)
_E: Final = float(np.sqrt(_E2))


def authalic_height(latitude: ArrayLike) -> Floats:
    """Height of a parallel on the cylinder on which areas are true, in square metres a radian.

    h = b^2/2 [sin f / (1 - e^2 sin^2 f) + artanh(e sin f) / e]: the area between the equator
    and latitude f, for one radian of longitude. Snyder (1987), Map projections: a working
    manual, doi:10.3133/pp1395, equation 3-12.

    Args:
        latitude: degrees, -90 .. 90, any shape.

    Returns:
        m2 per radian, same shape; negative in the south.

    >>> round(float(authalic_height(90.0) * 4 * np.pi) / 1e12, 6)
    510.065622
    """
    sine = np.sin(np.deg2rad(np.asarray(latitude, dtype=np.float64)))
    minor = RADIUS * (1 - FLATTENING)
    height: Floats = minor**2 / 2 * (sine / (1 - _E2 * sine**2) + np.arctanh(_E * sine) / _E)
    return height


def cell_areas(edges: ArrayLike, width: float) -> Floats:
    """Areas of the cells between successive parallels.

    Args:
        edges: latitudes of the rows' edges in degrees, in either order, shape (rows + 1,).
        width: of a cell, in degrees of longitude.

    Returns:
        m2, shape (rows,).

    Raises:
        ValueError: a latitude beyond a pole.

    >>> cell_areas([0.25, 0.0], 0.25).round(1).tolist()
    [769314629.2]
    """
    latitudes = np.asarray(edges, dtype=np.float64)
    if latitudes.size and np.abs(latitudes).max() > 90 + 1e-9:
        raise ValueError("latitudes lie between -90 and 90 degrees")
    heights = authalic_height(np.clip(latitudes, -90, 90))
    areas: Floats = np.abs(np.diff(heights)) * np.deg2rad(abs(width))
    return areas


def quad_areas(longitude: ArrayLike, latitude: ArrayLike) -> Floats:
    """Areas of the cells of a grid in any projection, from the corners' places on the earth.

    The corners are joined by straight lines on the equal-area cylinder.

    Args:
        longitude: of the corners, degrees, shape (rows + 1, columns + 1); may jump at 180.
        latitude: of the corners, degrees, same shape.

    Returns:
        m2, shape (rows, columns).

    >>> quad_areas([[0, 0.25], [0, 0.25]], [[0.25, 0.25], [0, 0]]).round(1).tolist()
    [[769314629.2]]
    """
    x = np.asarray(longitude, dtype=np.float64)
    y = authalic_height(latitude)
    corners = [(slice(None, -1), slice(None, -1)), (slice(None, -1), slice(1, None)),
               (slice(1, None), slice(1, None)), (slice(1, None), slice(None, -1))]  # fmt: skip
    first = x[corners[0]]
    dx = [np.deg2rad((x[c] - first + 180) % 360 - 180) for c in corners]
    twice = np.zeros(first.shape)
    for here in range(4):
        following = (here + 1) % 4
        a, b = corners[here], corners[following]
        # Heights above the first corner, so that nothing large cancels.
        twice += dx[here] * (y[b] - y[corners[0]]) - dx[following] * (y[a] - y[corners[0]])
    areas: Floats = np.abs(twice) / 2
    return areas


def geodesic_area(geometry: BaseGeometry) -> float:
    """Area of a polygon whose sides are geodesics on WGS 84.

    Karney (2013), doi:10.1007/s00190-012-0578-z.

    Args:
        geometry: polygon or multipolygon, longitude and latitude in degrees.

    Returns:
        m2; 0 for what is no polygon.

    >>> from shapely.geometry import box
    >>> round(geodesic_area(box(58.5, 37.8, 59.2, 38.3)) / 1e6, 2)
    3409.88
    """
    from pyproj import Geod
    from shapely.geometry import polygon

    geod = Geod(a=RADIUS, f=FLATTENING)
    total = 0.0
    for part in getattr(geometry, "geoms", [geometry]):
        if part.geom_type == "Polygon":
            total += abs(geod.geometry_area_perimeter(polygon.orient(part))[0])
    return total
