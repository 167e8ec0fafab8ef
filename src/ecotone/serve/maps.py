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
from numpy.typing import NDArray

from ecotone.serve.views import View

WIDTH: Final = 960
_HEIGHTS: Final = (320, 760)
#: Single places up to this many; more are counted by cells of the picture.
_SINGLE: Final = 1500
_ACROSS: Final = 96
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
    outlines: list[str] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)
    squares: list[tuple[float, float, float, float]] = field(default_factory=list)
    counted: list[tuple[float, float, float, float, int]] = field(default_factory=list)
    places: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing with a place."""
        return self.places == 0


def draw(
    view: View, numbers: NDArray[np.int64], box: Box | None, outlines: Sequence[Any] = ()
) -> Drawing:
    """The rows of a view that have a place; ``box`` is found from them where none is given."""
    frame = _placed(view, numbers)
    lon, lat, size = frame
    if box is None:
        box = _around(lon, lat, size)
    inside = (lon >= box.west) & (lon <= box.east) & (lat >= box.south) & (lat <= box.north)
    lon, lat, size = lon[inside], lat[inside], size[inside]
    high = _height(box)
    scale = _Scale(box, WIDTH, high)
    coarse = size > 0
    exact = np.unique(np.column_stack([lon[~coarse], lat[~coarse]]), axis=0)
    return Drawing(
        box=box,
        width=WIDTH,
        height=high,
        lines=_graticule(box, scale),
        outlines=[path for path in (_outline(shape, box, scale) for shape in outlines) if path],
        points=[scale.at(x, y) for x, y in exact] if len(exact) <= _SINGLE else [],
        squares=_squares(lon[coarse], lat[coarse], size[coarse], scale),
        counted=_counted(lon[~coarse], lat[~coarse], scale) if len(exact) > _SINGLE else [],
        places=len(lon),
    )


class _Scale:
    def __init__(self, box: Box, width: int, height: int) -> None:
        self._box = box
        self.width, self.height = width, height
        self.x = width / (box.east - box.west)
        self.y = height / (box.north - box.south)

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        return (
            round((lon - self._box.west) * self.x, 1),
            round((self._box.north - lat) * self.y, 1),
        )


def _placed(view: View, numbers: NDArray[np.int64]) -> tuple[Numbers, Numbers, Numbers]:
    """Longitude, latitude and cell size (0 for an exact place) of the rows that have a place."""
    rows = view.rows
    if "latitude" not in rows.column_names or "longitude" not in rows.column_names:
        none = np.empty(0)
        return none, none, none
    taken = rows.take(pa.array(numbers))
    lon = _floats(taken["longitude"])
    lat = _floats(taken["latitude"])
    size = np.zeros(len(lon))
    if "release_level" in taken.column_names and view.cells:
        level = np.array(taken["release_level"].to_pylist(), dtype=object)
        dataset = np.array(taken["dataset_id"].to_pylist(), dtype=object)
        named = np.array(taken["class"].to_pylist(), dtype=object)
        for (d, c), cell in view.cells.items():
            size[(level == "generalised") & (dataset == d) & (named == c)] = cell
    known = np.isfinite(lon) & np.isfinite(lat)
    return lon[known], lat[known], size[known]


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
        found.append((left, top, round(cell * scale.x, 1), round(cell * scale.y, 1)))
    return found


def _counted(
    lon: Numbers, lat: Numbers, scale: _Scale
) -> list[tuple[float, float, float, float, int]]:
    """Squares of the picture with a class of how many places lie in each, 1 to 5."""
    side = scale.width / _ACROSS
    x = ((lon - scale._box.west) * scale.x // side).astype(np.int64)
    y = ((scale._box.north - lat) * scale.y // side).astype(np.int64)
    cells, number = np.unique(np.column_stack([x, y]), axis=0, return_counts=True)
    most = math.log(number.max() + 1)
    classes = np.clip(np.ceil(np.log(number + 1) / most * 5), 1, 5).astype(int)
    return [
        (round(cx * side, 1), round(cy * side, 1), round(side, 2), round(side, 2), int(n))
        for (cx, cy), n in zip(cells.tolist(), classes.tolist(), strict=True)
    ]


def outlines_of(path: Path) -> list[Any]:
    """The shapes of a GeoJSON file; none where it holds none."""
    from shapely.geometry import shape

    document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    features = document.get("features", [document])
    return [shape(f["geometry"]) for f in features if f.get("geometry")]


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
