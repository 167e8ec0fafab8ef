"""Where barriers and pinch points stand: the highest places of a map, in degrees."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.warp import transform as reproject
from scipy.ndimage import binary_dilation

from ecotone.assess.indicators.connectivity_borders import Countries
from ecotone.assess.indicators.connectivity_ensemble import ENDS, LEVEL, Drawn
from ecotone.assess.indicators.connectivity_scene import Scene
from ecotone.formats.asciigrid import Raster
from ecotone.model.result import Value

Floats = NDArray[np.float64]

#: Barriers and pinch points that are listed.
_LISTED: Final = 5
#: A cell and the eight around it.
_AROUND: Final = np.ones((3, 3), dtype=np.bool_)
#: Cells whose value is so near the highest are as high: discs that free the same obstacle.
_LEVEL_WITH: Final = 1e-3


def busiest(scene: Scene, flow: Floats) -> tuple[int, int]:
    """Where most current flows outside of cores and of the cells that touch one."""
    free = ~binary_dilation(scene.cores.label > 0, _AROUND)
    outside = np.where(free, flow, -1.0)
    row, column = np.unravel_index(outside.argmax(), outside.shape)
    return int(row), int(column)


def find_places(
    scene: Scene,
    maps: dict[str, Floats],
    radius: float | None,
    drawn: Drawn | None,
    values: dict[str, Value],
) -> pd.DataFrame | None:
    """The places where barriers and pinch points stand; the first of each as values."""
    listed = []
    raster = scene.raster
    if "barriers" in maps and radius is not None:
        listed.append(places("barrier", maps["barriers"], raster, scene.countries, 2 * radius))
        if len(listed[0]):
            x, y = listed[0][["x", "y"]].iloc[0]
            # Any disc that covers the obstacle scores alike: the method sees no finer.
            values |= _place("barrier", raster, x, y, (x - radius, x + radius),
                             (y - radius, y + radius), None)  # fmt: skip
    if "current" in maps:
        free = np.where(binary_dilation(scene.cores.label > 0, _AROUND), 0, maps["current"])
        listed.append(places("pinch", free, raster, scene.countries, 10 * raster.cell))
        if len(listed[-1]):
            x, y = listed[-1][["x", "y"]].iloc[0]
            values |= _pinched(raster, x, y, drawn)
    return pd.concat(listed, ignore_index=True) if listed else None


def _pinched(raster: Raster, x: float, y: float, drawn: Drawn | None) -> dict[str, Value]:
    """The pinch point; its interval is where it lies over the draws, and a cell's half."""
    half = raster.cell / 2.0
    if drawn is None:
        return _place("pinch", raster, x, y, (x - half, x + half), (y - half, y + half), None)
    low, high = np.percentile(drawn.pinch, ENDS, axis=0) + 0.5
    t = raster.transform
    xs = sorted((t.a * low[1] + t.c, t.a * high[1] + t.c))
    ys = sorted((t.e * low[0] + t.f, t.e * high[0] + t.f))
    return _place(
        "pinch", raster, x, y,
        (min(xs[0], x) - half, max(xs[1], x) + half),
        (min(ys[0], y) - half, max(ys[1], y) + half), LEVEL,
    )  # fmt: skip


def _place(
    name: str, raster: Raster, x: float, y: float,
    xs: tuple[float, float], ys: tuple[float, float], level: float | None,
) -> dict[str, Value]:  # fmt: skip
    """A place as longitude and latitude with their intervals; nothing where they are not known."""
    if raster.crs is None:
        return {}
    middle = degrees(raster, x, y)
    west, east = degrees(raster, xs[0], y)[0], degrees(raster, xs[1], y)[0]
    south, north = degrees(raster, x, ys[0])[1], degrees(raster, x, ys[1])[1]
    return {
        f"{name}_longitude": Value(
            value=middle[0], unit="degree", low=west, high=east, level=level
        ),
        f"{name}_latitude": Value(
            value=middle[1], unit="degree", low=south, high=north, level=level
        ),
    }


def places(
    kind: str, values: Floats, raster: Raster, countries: Countries, apart: float
) -> pd.DataFrame:
    """The highest places of a map that lie ``apart`` (m) or further from each other."""
    left = np.where(np.isfinite(values), values, 0.0)
    down, right = np.ogrid[: left.shape[0], : left.shape[1]]
    rows: list[tuple[object, ...]] = []
    while len(rows) < _LISTED and left.max() > 0:
        row, column = _middle(left, apart / raster.cell)
        x, y = raster.transform * (column + 0.5, row + 0.5)
        longitude, latitude = degrees(raster, x, y)
        rows.append(
            (kind, len(rows) + 1, countries.names[countries.number[row, column]],
             x, y, longitude, latitude, float(left.max()))
        )  # fmt: skip
        left[np.hypot(down - row, right - column) * raster.cell <= apart] = 0.0
    columns = ["kind", "rank", "country", "x", "y", "longitude", "latitude", "value"]
    return pd.DataFrame(rows, columns=columns)


def _middle(values: Floats, reach: float) -> tuple[int, int]:
    """The cell in the middle of the highest ones within ``reach`` cells of the first of them."""
    first = np.array(np.unravel_index(values.argmax(), values.shape))
    high = np.argwhere(values >= values.max() * (1.0 - _LEVEL_WITH))
    high = high[np.hypot(*(high - first).T) <= reach]
    row, column = high[np.hypot(*(high - high.mean(axis=0)).T).argmin()]
    return int(row), int(column)


def degrees(raster: Raster, x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a place on the grid; NaN where its system is not known."""
    if raster.crs is None:
        return np.nan, np.nan
    longitude, latitude = reproject(raster.crs, "EPSG:4326", [x], [y])[:2]
    return float(longitude[0]), float(latitude[0])
