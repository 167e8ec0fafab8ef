"""A small map as plain SVG: what was released, over a graticule and the node's own outlines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecotone.model.errors import UsageError
from ecotone.model.words import say
from ecotone.serve.views import View

WIDTH: Final = 960
_HEIGHTS: Final = (320, 760)
#: Single places up to this many; more are counted by squares of so many pixels.
_SINGLE: Final = 1500
_SIDE: Final = 10
_TILE_SIDE: Final = 8
#: Each class of how many holds so many times as many as the one before.
_TIMES: Final = 4
#: Pixels of a tile, and around it what the signs of places near its edge need.
TILE: Final = 256
EDGE: Final = 8
_DEEPEST: Final = 18
_MARGIN: Final = 0.06
_STEPS: Final = (30.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Box:
    """Degrees shown."""

    west: float
    south: float
    east: float
    north: float

    def moved(self, right: float, up: float, size: float) -> Box:
        """Moved by parts of its size, and as large as ``size`` times."""
        wide, high = self.east - self.west, self.north - self.south
        x, y = (self.west + self.east) / 2 + right * wide, (self.south + self.north) / 2 + up * high
        wide, high = min(wide * size, 360.0) / 2, min(high * size, 180.0) / 2
        return Box(
            round(max(x - wide, -180.0), 5),
            round(max(y - high, -90.0), 5),
            round(min(x + wide, 180.0), 5),
            round(min(y + high, 90.0), 5),
        )


@dataclass(frozen=True)
class Drawing:
    """What the template draws: numbers in the picture's own units."""

    box: Box
    width: int
    height: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    #: Paths, and whether they are disputed: those are dashed.
    outlines: list[tuple[str, bool]] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)
    squares: list[tuple[float, float, float, float]] = field(default_factory=list)
    counted: list[tuple[float, float, float, float, int]] = field(default_factory=list)
    places: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing with a place."""
        return self.places == 0


def draw(
    view: View,
    numbers: NDArray[np.int64],
    box: Box | None,
    outlines: Sequence[tuple[Any, bool]] = (),
) -> Drawing:
    """The rows of a view that have a place; ``box`` is found from them where none is given."""
    frame = _placed(view, numbers)
    lon, lat, size = frame
    if box is None:
        box = _around(lon, lat, size)
    else:
        inside = (lon >= box.west) & (lon <= box.east) & (lat >= box.south) & (lat <= box.north)
        lon, lat, size = lon[inside], lat[inside], size[inside]
    return _drawing((lon, lat, size), _Scale(box, WIDTH, _height(box)), outlines)


def draw_tile(
    view: View,
    numbers: NDArray[np.int64],
    tile: tuple[int, int, int],
    outlines: Sequence[tuple[Any, bool]] = (),
) -> Drawing:
    """The rows of a view on one square of the web's usual grid (Mercator; zoom, column, row).

    Raises UsageError where the grid has no such square.
    """
    zoom, column, row = tile
    if not (0 <= zoom <= _DEEPEST and 0 <= column < 1 << zoom and 0 <= row < 1 << zoom):
        raise UsageError(say("portal.map.no-tile", zoom=zoom, column=column, row=row))
    scale = _Mercator(zoom, column, row)
    lon, lat, size = _placed(view, numbers)
    box, half = scale.box, size / 2
    inside = (lon + half >= box.west) & (lon - half <= box.east)
    inside &= (lat + half >= box.south) & (lat - half <= box.north)
    return _drawing((lon[inside], lat[inside], size[inside]), scale, outlines)


def _drawing(
    placed: tuple[Numbers, Numbers, Numbers],
    scale: _Scale,
    outlines: Sequence[tuple[Any, bool]],
) -> Drawing:
    lon, lat, size = placed
    box = scale.box
    coarse = size > 0
    exact = (lon[~coarse], lat[~coarse]) if coarse.any() else (lon, lat)
    points, counted = _exact(*exact, scale)
    return Drawing(
        box=box,
        width=scale.width,
        height=scale.height,
        lines=_graticule(box, scale),
        outlines=[
            (path, disputed)
            for shape, disputed in outlines
            if (path := _outline(shape, box, scale))
        ],
        points=points,
        squares=_squares(lon[coarse], lat[coarse], size[coarse], scale),
        counted=counted,
        places=len(lon),
    )


class _Scale:
    """Degrees to pixels, each degree as long as the next."""

    #: Pixels of a square in which places are counted.
    side = _SIDE

    def __init__(self, box: Box, width: int, height: int) -> None:
        self.box = box
        self.width, self.height = width, height
        self.x = width / (box.east - box.west)
        self._y = height / (box.north - box.south)

    def across(self, lon: Numbers) -> Numbers:
        """Pixels from the left."""
        return (lon - self.box.west) * self.x

    def down(self, lat: Numbers) -> Numbers:
        """Pixels from the top."""
        return (self.box.north - lat) * self._y

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        """Where a place stands, to a tenth of a pixel."""
        x, y = self.across(np.asarray(lon)), self.down(np.asarray(lat))
        return round(float(x), 1), round(float(y), 1)


class _Mercator(_Scale):
    """A square of the web's grid with its edge, in that grid's projection."""

    #: Divides tile and edge, so that the squares of neighbours meet.
    side = _TILE_SIDE

    def __init__(self, zoom: int, column: int, row: int) -> None:
        world = TILE << zoom
        left, top = column * TILE - EDGE, row * TILE - EDGE
        side = TILE + 2 * EDGE
        self._top, self._world = top, world
        west, east = (x / world * 360.0 - 180.0 for x in (left, left + side))
        north, south = (
            math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / world))))
            for y in (top, top + side)
        )
        super().__init__(Box(west, south, east, north), side, side)

    def down(self, lat: Numbers) -> Numbers:
        # The poles lie at infinity; the grid ends at 85.05 degrees.
        kept = np.radians(np.clip(lat, -85.06, 85.06))
        return (1 - np.arcsinh(np.tan(kept)) / np.pi) / 2 * self._world - self._top


def _placed(view: View, numbers: NDArray[np.int64]) -> tuple[Numbers, Numbers, Numbers]:
    """Longitude, latitude and cell size (0 for an exact place) of the rows that have a place."""
    rows = view.rows
    if "latitude" not in rows.column_names or "longitude" not in rows.column_names:
        none = np.empty(0)
        return none, none, none
    wanted = ["longitude", "latitude"]
    coarse = bool(view.cells) and "release_level" in rows.column_names
    taken = rows.select([*wanted, *(("release_level", "dataset_id", "class") if coarse else ())])
    if len(numbers) < rows.num_rows:
        taken = taken.take(pa.array(numbers))
    lon, lat = _floats(taken["longitude"]), _floats(taken["latitude"])
    size = np.zeros(len(lon))
    for (dataset, name), cell in view.cells.items() if coarse else ():
        there = pc.and_(
            pc.and_(pc.equal(taken["dataset_id"], dataset), pc.equal(taken["class"], name)),
            pc.equal(taken["release_level"], "generalised"),
        )
        size[np.asarray(pc.fill_null(there, False))] = cell
    known = np.isfinite(lon + lat)
    return (lon, lat, size) if known.all() else (lon[known], lat[known], size[known])


def _floats(column: Any) -> Numbers:
    return np.asarray(column.to_numpy(), dtype=float)


def _around(lon: Numbers, lat: Numbers, size: Numbers) -> Box:
    if not len(lon):
        return Box(-180.0, -60.0, 180.0, 80.0)
    half = size.max() / 2
    west, east = lon.min() - half, lon.max() + half
    south, north = lat.min() - half, lat.max() + half
    wide = max(east - west, north - south, 0.01) * _MARGIN
    return Box(
        round(float(max(west - wide, -180)), 5),
        round(float(max(south - wide, -90)), 5),
        round(float(min(east + wide, 180)), 5),
        round(float(min(north + wide, 90)), 5),
    )


def _height(box: Box) -> int:
    middle = math.radians((box.south + box.north) / 2)
    ratio = (box.north - box.south) / ((box.east - box.west) * max(math.cos(middle), 0.1))
    return int(min(max(WIDTH * ratio, _HEIGHTS[0]), _HEIGHTS[1]))


def _graticule(box: Box, scale: _Scale) -> list[dict[str, Any]]:
    wanted = (box.east - box.west) / 5
    step = next((s for s in _STEPS if s <= wanted), _STEPS[-1])
    lines: list[dict[str, Any]] = []
    for value in np.arange(math.ceil(box.west / step) * step, box.east, step)[:60]:
        x = scale.at(float(value), box.south)[0]
        lines.append({"x1": x, "y1": 0, "x2": x, "y2": scale.height,
                      "text": _degrees(float(value), "E", "W")})  # fmt: skip
    for value in np.arange(math.ceil(box.south / step) * step, box.north, step)[:60]:
        y = scale.at(box.west, float(value))[1]
        lines.append({"x1": 0, "y1": y, "x2": scale.width, "y2": y,
                      "text": _degrees(float(value), "N", "S")})  # fmt: skip
    return lines


def _degrees(value: float, positive: str, negative: str) -> str:
    value = round(value, 4) + 0.0
    letter = "" if value == 0 else positive if value > 0 else negative
    return f"{abs(value):g}°{letter}"


def _squares(
    lon: Numbers, lat: Numbers, size: Numbers, scale: _Scale
) -> list[tuple[float, float, float, float]]:
    cells = np.unique(np.column_stack([lon, lat, size]), axis=0)
    found = []
    # The finest last, so that it is not covered.
    for x, y, cell in cells[np.argsort(-cells[:, 2], kind="stable")][: 4 * _SINGLE]:
        left, top = scale.at(x - cell / 2, y + cell / 2)
        right, bottom = scale.at(x + cell / 2, y - cell / 2)
        found.append((left, top, round(right - left, 1), round(bottom - top, 1)))
    return found


def _exact(
    lon: Numbers, lat: Numbers, scale: _Scale
) -> tuple[list[tuple[float, float]], list[tuple[float, float, float, float, int]]]:
    """Exact places as points where they are few, else counted in squares of the picture.

    A place stands in the middle of its pixel; squares bear a class of how many, 1 to 5.
    """
    if not len(lon):
        return [], []
    # All lie inside the box: the edges alone would fall out of the picture.
    x, y = (
        np.clip(pixel.astype(np.int32), 0, most - 1)
        for pixel, most in ((scale.across(lon), scale.width), (scale.down(lat), scale.height))
    )
    pixels = np.bincount(y * np.int32(scale.width) + x)
    filled = np.flatnonzero(pixels)
    if len(filled) <= _SINGLE:
        return [(k % scale.width + 0.5, k // scale.width + 0.5) for k in filled.tolist()], []
    side = scale.side
    across, down = -(-scale.width // side), -(-scale.height // side)
    held = filled // scale.width // side * across + filled % scale.width // side
    number = np.bincount(held, pixels[filled], across * down)
    there = np.flatnonzero(number)
    classes = np.clip(1 + np.log(number[there]) // math.log(_TIMES), 1, 5).astype(int)
    return [], [
        (k % across * side, k // across * side, side, side, n)
        for k, n in zip(there.tolist(), classes.tolist(), strict=True)
    ]


def outlines_of(path: Path, disputed: str) -> list[tuple[Any, bool]]:
    """The shapes of a GeoJSON file, and whether this property says they are disputed."""
    from shapely.geometry import shape

    document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    features = document.get("features", [document])
    return [
        (shape(f["geometry"]), bool((f.get("properties") or {}).get(disputed)))
        for f in features
        if f.get("geometry")
    ]


def _outline(shape: Any, box: Box, scale: _Scale) -> str:
    """The edge of a shape as a path, no finer than the picture shows."""
    import shapely

    seen = shapely.clip_by_rect(shape.simplify(0.7 / scale.x), box.west, box.south, box.east,
                                box.north)  # fmt: skip
    parts = []
    for line in _lines(seen):
        points = [scale.at(x, y) for x, y, *_ in line.coords]
        parts.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points))
    return "".join(parts)


def _lines(shape: Any) -> list[Any]:
    if shape.is_empty:
        return []
    if hasattr(shape, "geoms"):
        return [line for part in shape.geoms for line in _lines(part)]
    if shape.geom_type == "Polygon":
        return [shape.exterior, *shape.interiors]
    return [shape] if shape.geom_type in ("LineString", "LinearRing") else []
