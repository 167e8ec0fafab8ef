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


def spot(scene: Scene, kind: str, values: Floats) -> tuple[int, int]:
    """The highest place of a map of barriers, or of one of currents outside of cores."""
    if kind == "barrier":
        return _middle(values, values.shape[0] + values.shape[1])
    return _middle(_outside(scene, values), 1.0)


def _outside(scene: Scene, values: Floats) -> Floats:
    """Currents, 0 in cores and in the cells that touch one, where each pair's current begins."""
    return np.where(binary_dilation(scene.cores.label > 0, _AROUND), 0.0, values)


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
        found = places("barrier", maps["barriers"], raster, scene.countries, 2 * radius)
        # Any disc that covers the obstacle scores alike: the method sees no finer.
        values |= _first("barrier", found, raster, None if drawn is None else drawn.barrier, radius)
        listed.append(found)
    if "current" in maps:
        free = _outside(scene, maps["current"])
        found = places("pinch", free, raster, scene.countries, 10 * raster.cell)
        half = raster.cell / 2.0
        values |= _first("pinch", found, raster, None if drawn is None else drawn.pinch, half)
        listed.append(found)
    return pd.concat(listed, ignore_index=True) if listed else None


def _first(
    name: str, found: pd.DataFrame, raster: Raster, drawn: Floats | None, reach: float
) -> dict[str, Value]:
    """The first place as longitude and latitude; nothing where these are not known.

    Its interval is where it lies over the draws, and ``reach`` (m) beyond; none without draws.
    """
    if raster.crs is None or found.empty:
        return {}
    x, y, longitude, latitude = (
        float(found[c].iloc[0]) for c in ("x", "y", "longitude", "latitude")
    )
    names = (f"{name}_longitude", f"{name}_latitude")
    if drawn is None:
        pairs = zip(names, (longitude, latitude), strict=True)
        return {key: Value(value=value, unit="degree") for key, value in pairs}
    ends = np.percentile(drawn, ENDS, axis=0) + 0.5
    t = raster.transform
    xs, ys = t.a * ends[:, 1] + t.c, t.e * ends[:, 0] + t.f
    west, east = min(xs.min(), x) - reach, max(xs.max(), x) + reach
    south, north = min(ys.min(), y) - reach, max(ys.max(), y) + reach
    sides = (degrees(raster, west, y)[0], degrees(raster, east, y)[0])
    heights = (degrees(raster, x, south)[1], degrees(raster, x, north)[1])
    return {
        names[0]: Value(value=longitude, unit="degree", low=sides[0], high=sides[1], level=LEVEL),
        names[1]: Value(
            value=latitude, unit="degree", low=heights[0], high=heights[1], level=LEVEL
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
