"""Rasters written: results block by block, cubes as cloud-optimised GeoTIFF, STAC items."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import RasterioIOError
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.formats.raster import Stack

_TILE = 256


def write_geotiff(
    path: Path,
    *,
    shape: tuple[int, int],
    transform: Affine,
    crs: CRS | None,
    blocks: Iterable[tuple[Window, NDArray[np.floating]]],
    nodata: float = float("nan"),
    tags: Mapping[str, str] | None = None,
    dtype: Literal["float32", "float64"] = "float32",
) -> None:
    """A tiled, compressed single-band GeoTIFF from blocks, the same bytes for the same numbers.

    The bytes do not depend on the order in which blocks come.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = shape
    profile = {
        "driver": "GTiff",
        "dtype": dtype,
        "count": 1,
        "width": width,
        "height": height,
        "transform": transform,
        "crs": crs,
        "nodata": nodata,
    }
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        loose = Path(folder) / "loose.tif"
        with rasterio.open(loose, "w", **profile) as out:
            for window, values in blocks:
                out.write(values.astype(dtype, copy=False), 1, window=window)
            out.update_tags(**dict(sorted((tags or {}).items())))
        done = Path(folder) / path.name
        _as_cog(loose, done)
        done.replace(path)


def write_cube(stack: Stack, path: Path) -> None:
    """A stack as one cloud-optimised GeoTIFF: a band per date, numbers exactly as stored."""
    layers, grid = stack.layers, stack.grid
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        loose = Path(folder) / "loose.tif"
        with rasterio.open(
            loose,
            "w",
            driver="GTiff",
            dtype=layers.dtype,
            count=len(layers.times),
            width=grid.width,
            height=grid.height,
            transform=grid.transform,
            crs=grid.crs,
            nodata=layers.nodata,
            BIGTIFF="IF_SAFER",
        ) as out:
            for window in stack.blocks():
                out.write(layers.raw(window), window=window)
            out.descriptions = tuple(str(day) for day in layers.times)
            out.scales = (layers.scale,) * len(layers.times)
            out.offsets = (layers.offset,) * len(layers.times)
            out.units = (layers.unit,) * len(layers.times)
            if layers.variable:
                out.update_tags(variable=layers.variable)
        done = Path(folder) / path.name
        _as_cog(loose, done)
        done.replace(path)


def _as_cog(loose: Path, done: Path) -> None:
    rasterio.shutil.copy(
        loose,
        done,
        driver="COG",
        compress="DEFLATE",
        predictor="YES",
        blocksize=_TILE,
        overview_resampling="NEAREST",
        bigtiff="IF_SAFER",
    )


def same_numbers(one: Path, other: Path) -> bool:
    """Whether two rasters hold the same numbers on the same grid, whatever their bytes."""
    try:
        with rasterio.open(one) as a, rasterio.open(other) as b:
            if (a.shape, a.count, a.dtypes, a.transform, a.crs) != (
                b.shape,
                b.count,
                b.dtypes,
                b.transform,
                b.crs,
            ):
                return False
            return all(
                np.array_equal(
                    a.read(window=window), b.read(window=window), equal_nan=a.dtypes[0][0] == "f"
                )
                for _, window in a.block_windows(1)
            )
    except RasterioIOError:
        return False


def describe(stack: Stack, name: str) -> dict[str, Any]:
    """A stack as the attributes of a Coverage, all text; ``stac`` is its STAC item."""
    layers = stack.layers
    box = stack.bounds()
    first, last = str(layers.times[0]), str(layers.times[-1])
    edges = (
        dict(zip(("west", "south", "east", "north"), map(repr, box), strict=True)) if box else {}
    )
    return {
        "name": name,
        "variable": layers.variable or None,
        "unit": layers.unit or None,
        "crs": _code(stack.crs),
        **edges,
        "width": str(stack.width),
        "height": str(stack.height),
        "times": str(len(layers.times)),
        "nodata": None
        if layers.nodata is None or np.isnan(layers.nodata)
        else f"{layers.nodata:g}",
        "time": first if first == last else f"{first}/{last}",
        "stac": json.dumps(stac_item(stack, name), ensure_ascii=False, sort_keys=True),
    }


def stac_item(stack: Stack, name: str) -> dict[str, Any]:
    """A STAC 1.1 item with projection and raster facts; assets are added where the file lies."""
    import pystac

    box = stack.bounds()
    first, last = (f"{day}T00:00:00Z" for day in (stack.times[0], stack.times[-1]))
    item = pystac.Item(
        id=name,
        geometry=_footprint(box) if box else None,
        bbox=list(box) if box else None,
        datetime=None,
        properties={
            "start_datetime": first,
            "end_datetime": last,
            "proj:code": _code(stack.crs),
            "proj:shape": [stack.height, stack.width],
            "proj:transform": list(stack.transform)[:6],
            "bands": [
                {
                    "name": str(day),
                    "data_type": str(stack.layers.dtype),
                    "unit": stack.layers.unit,
                    "raster:scale": stack.layers.scale,
                    "raster:offset": stack.layers.offset,
                }
                for day in stack.times
            ],
        },
        stac_extensions=[
            "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
            "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
        ],
    )
    return item.to_dict(include_self_link=False)


def _footprint(box: tuple[float, float, float, float]) -> dict[str, Any]:
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _code(crs: CRS | None) -> str | None:
    if crs is None:
        return None
    authority = crs.to_authority()
    return ":".join(authority) if authority else crs.to_wkt()
