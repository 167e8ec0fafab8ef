"""GCJ-02 and BD-09: the shifted coordinates of Chinese map services, and the way back.

GCJ-02 is no datum: it is WGS 84 moved by a smooth function, 300 to 700 m, and only inside China.
BD-09 is GCJ-02 moved once more. Neither function is published by its authority; the formulas here
are the ones every open implementation shares. They are inverted by fixed-point iteration until the
step is below 1e-12 degree, so a round trip returns to the start.

*Inside China* is, for the formula itself, the rectangle 0.8293-55.8271 N, 72.004-137.8347 E. It
takes in eastern Tajikistan, Kyrgyzstan, Mongolia and Indochina, where map services do not shift:
whoever knows the country passes ``inside`` (:func:`ecotone.model.datum.transform_to_wgs84` does).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.model.errors import NotComputable

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

#: The formula's own rectangle: south, north, west, east (degrees).
RECTANGLE: Final = (0.8293, 55.8271, 72.004, 137.8347)

_AXIS_M: Final = 6378245.0  # Krasovsky 1940, as the shared implementations have it
_ECCENTRICITY2: Final = 0.00669342162296594323
_BD_FREQUENCY: Final = np.pi * 3000.0 / 180.0
_REACH_DEG: Final = 0.02  # farther than any shift: what may have come from inside the rectangle
_STEP_DEG: Final = 1e-12
_ROUNDS: Final = 60


def inside_rectangle(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
    """Whether points lie in the formula's rectangle.

    >>> inside_rectangle([43.79, 55.03], [87.63, 37.6]).tolist()
    [True, False]
    """
    south, north, west, east = RECTANGLE
    y, x = np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64)
    return np.asarray((y >= south) & (y <= north) & (x >= west) & (x <= east))


def wgs84_to_gcj02(
    lat: ArrayLike, lon: ArrayLike, *, inside: NDArray[np.bool_] | None = None
) -> Pair:
    """Latitude and longitude (degrees) as a Chinese map service shows them.

    Args:
        lat: WGS 84 latitudes, degrees.
        lon: WGS 84 longitudes, degrees.
        inside: which points are shifted; by default those inside :data:`RECTANGLE`.

    >>> lat, lon = wgs84_to_gcj02([31.1774276], [121.5272106])
    >>> round(float(lat[0]), 6), round(float(lon[0]), 6)
    (31.175304, 121.531542)
    """
    y, x = _pair(lat, lon)
    shifted = inside_rectangle(y, x) if inside is None else inside
    moved_y, moved_x = _shift(y, x)
    return np.where(shifted, moved_y, y), np.where(shifted, moved_x, x)


def gcj02_to_wgs84(
    lat: ArrayLike, lon: ArrayLike, *, inside: NDArray[np.bool_] | None = None
) -> Pair:
    """The WGS 84 place behind a GCJ-02 one: the exact inverse.

    By default a point is moved back when the place it came from lies inside :data:`RECTANGLE`.

    >>> lat, lon = gcj02_to_wgs84([31.17530398364597], [121.531541859215])
    >>> round(float(lat[0]), 6), round(float(lon[0]), 6)
    (31.177428, 121.527211)
    """
    y, x = np.broadcast_arrays(*_pair(lat, lon))
    near = inside_rectangle(y, x) | inside_rectangle(y - _REACH_DEG, x - _REACH_DEG)
    near |= inside_rectangle(y + _REACH_DEG, x + _REACH_DEG)
    if inside is not None:
        near &= inside
    back_y, back_x = y.copy(), x.copy()
    back_y[near], back_x[near] = _invert(_shift, y[near], x[near])
    if inside is None:
        came_from_outside = ~inside_rectangle(back_y, back_x)
        back_y[came_from_outside] = y[came_from_outside]
        back_x[came_from_outside] = x[came_from_outside]
    return back_y, back_x


def gcj02_to_bd09(lat: ArrayLike, lon: ArrayLike) -> Pair:
    """BD-09 (Baidu) coordinates of GCJ-02 ones, degrees."""
    return _baidu(*_pair(lat, lon))


def bd09_to_gcj02(lat: ArrayLike, lon: ArrayLike) -> Pair:
    """GCJ-02 coordinates of BD-09 (Baidu) ones, degrees: the exact inverse."""
    return _invert(_baidu, *_pair(lat, lon))


def bd09_to_wgs84(
    lat: ArrayLike, lon: ArrayLike, *, inside: NDArray[np.bool_] | None = None
) -> Pair:
    """The WGS 84 place behind a BD-09 (Baidu) one.

    >>> lat, lon = bd09_to_wgs84([29.199786], [120.019809])
    >>> round(float(lat[0]), 6), round(float(lon[0]), 6)
    (29.19622, 120.00874)
    """
    return gcj02_to_wgs84(*bd09_to_gcj02(lat, lon), inside=inside)


def wgs84_to_bd09(
    lat: ArrayLike, lon: ArrayLike, *, inside: NDArray[np.bool_] | None = None
) -> Pair:
    """BD-09 (Baidu) coordinates of WGS 84 ones, degrees."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lat, lon, inside=inside))


def _pair(lat: ArrayLike, lon: ArrayLike) -> Pair:
    return np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64)


def _invert(forward: Callable[[Floats, Floats], Pair], lat: Floats, lon: Floats) -> Pair:
    """Solve ``forward(y, x) = (lat, lon)``; both maps are the identity plus a gentle slope."""
    y, x = lat, lon
    steps = np.zeros(0)
    for _ in range(_ROUNDS):
        there_y, there_x = forward(y, x)
        step_y, step_x = lat - there_y, lon - there_x
        y, x = y + step_y, x + step_x
        steps = np.maximum(np.abs(step_y), np.abs(step_x))
        if not np.any(steps > _STEP_DEG):
            return y, x
    # Rounding may keep the step hopping between neighbours a few ulps apart; more is a fault.
    if np.nanmax(steps) > 1e3 * _STEP_DEG:
        raise NotComputable(
            "A GCJ-02 or BD-09 coordinate could not be inverted.",
            "Check that latitude and longitude are degrees in their range.",
        )
    return y, x


def _shift(lat: Floats, lon: Floats) -> Pair:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    short = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + short
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + short
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    bend = 1.0 - _ECCENTRICITY2 * np.sin(phi) ** 2
    per_degree_north = _AXIS_M * (1.0 - _ECCENTRICITY2) / bend**1.5 * np.pi / 180.0
    per_degree_east = _AXIS_M / np.sqrt(bend) * np.cos(phi) * np.pi / 180.0
    return lat + north / per_degree_north, lon + east / per_degree_east


def _baidu(lat: Floats, lon: Floats) -> Pair:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_FREQUENCY)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_FREQUENCY)
    return radius * np.sin(angle) + 0.006, radius * np.cos(angle) + 0.0065
