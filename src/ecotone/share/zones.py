"""Zones: whether a place lies in a polygon of the agreement, judged by the cell it is told in.

The true point is never asked: a reader who sees what a zone does to a record would learn on which
side of its edge the point lies. Cells nest, so one judged at the coarsest cell that a dataset is
told in is judged alike wherever inside it the point is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ecotone.share.grid import FINEST, cell_floor, fold

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Metres per degree of latitude, rounded down, so that a radius in degrees is never too small.
_METRES: Final = 110_500.0


@dataclass(frozen=True)
class Zone:
    """A zone as it is asked; None where no sound polygon was drawn: then all is possible."""

    name: str
    shape: BaseGeometry | None


def read_zone(name: str, document: Mapping[str, Any]) -> Zone:
    """A zone from GeoJSON. What cannot be read, is empty or crosses itself is a zone unknown."""
    try:
        shape = shapely.geometry.shape(document)
    except (
        shapely.errors.ShapelyError,
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ):
        return Zone(name, None)
    if shape.is_empty or not shape.is_valid:
        return Zone(name, None)
    shapely.prepare(shape)
    return Zone(name, shape)


def cells_around(latitude: Floats, longitude: Floats, radius_m: Floats, cell: float) -> Floats:
    """Bounds (west, south, east, north) of the cells of places and of their uncertainty.

    ``cell`` 0 stands for the places themselves. NaN where a place is missing.
    """
    lat, lon = latitude, fold(longitude)
    if cell:
        step = round(cell * FINEST)
        south, west = cell_floor(lat, step) / FINEST, cell_floor(lon, step) / FINEST
        north, east = south + cell, west + cell
    else:
        south, north, west, east = lat, lat, lon, lon
    high = np.nan_to_num(radius_m) / _METRES
    widest = np.minimum(np.maximum(np.abs(south), np.abs(north)) + high, 89.9)
    wide = high / np.cos(np.radians(widest))
    return np.column_stack([west - wide, south - high, east + wide, north + high])


def inside(zone: Zone, bounds: Floats) -> tuple[Bools, Bools]:
    """Whether each box is certain, and whether it is possible, to lie in the zone."""
    number = len(bounds)
    known = np.asarray(~np.isnan(bounds).any(axis=1), dtype=np.bool_)
    if zone.shape is None:
        return np.zeros(number, dtype=np.bool_), np.ones(number, dtype=np.bool_)
    certain = np.zeros(number, dtype=np.bool_)
    possible = np.array(~known, dtype=np.bool_)
    # Many rows share a cell: each is asked once.
    boxes, back = np.unique(bounds[known], axis=0, return_inverse=True)
    shapes = shapely.box(*boxes.T)
    certain[known] = shapely.covers(zone.shape, shapes)[back.ravel()]
    possible[known] = shapely.intersects(zone.shape, shapes)[back.ravel()]
    return certain, possible
