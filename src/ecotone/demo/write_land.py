"""The land deliveries, one habit per party: NetCDF, a folder of dated GeoTIFFs, one GeoTIFF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetWriter

from ecotone.demo.grid import Window, around, latitudes, longitudes
from ecotone.demo.simulate_land import NODATA, SCALE, Land

_EPOCH = date(2009, 1, 1)


def tile(land: Land, mask: NDArray[np.bool_]) -> tuple[Window, NDArray[np.int16]]:
    """What one agency maps: the rectangle around its land, nothing beyond its border."""
    window = around(mask)
    rows, columns = window.slices()
    return window, np.where(mask[rows, columns], land.ndvi[:, rows, columns], np.int16(NODATA))


def write_netcdf(path: Path, land: Land, mask: NDArray[np.bool_], institution: str) -> None:
    """A CF-1.8 stack: packed integers, days since an epoch, a grid mapping."""
    window, stack = tile(land, mask)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts(
            {
                "Conventions": "CF-1.8",
                "title": "Growing-season NDVI composites (simulated, invented place)",
                "institution": institution,
                "source": "ecotone demo",
            }
        )
        _axis(file, "time", np.array([(d - _EPOCH).days for d in land.dates], dtype=np.int32))
        _axis(file, "lat", latitudes(window))
        _axis(file, "lon", longitudes(window))
        file["time"].setncatts(
            {"standard_name": "time", "units": f"days since {_EPOCH}", "calendar": "standard"}
        )
        file["lat"].setncatts({"standard_name": "latitude", "units": "degrees_north", "axis": "Y"})
        file["lon"].setncatts({"standard_name": "longitude", "units": "degrees_east", "axis": "X"})
        grid = file.createVariable("crs", "i4")
        grid.setncatts(
            {
                "grid_mapping_name": "latitude_longitude",
                "semi_major_axis": 6378137.0,
                "inverse_flattening": 298.257223563,
                "epsg_code": "EPSG:4326",
            }
        )
        ndvi = file.createVariable(
            "ndvi",
            "i2",
            ("time", "lat", "lon"),
            fill_value=NODATA,
            zlib=True,
            complevel=4,
            shuffle=True,
            chunksizes=(len(land.dates), min(64, window.rows), min(64, window.columns)),
        )
        ndvi.setncatts(
            {
                "standard_name": "normalized_difference_vegetation_index",
                "long_name": "NDVI",
                "units": "1",
                "scale_factor": SCALE,
                "add_offset": 0.0,
                "grid_mapping": "crs",
            }
        )
        ndvi.set_auto_maskandscale(False)
        ndvi[:] = stack


def _axis(file: netCDF4.Dataset, name: str, values: NDArray[Any]) -> None:
    file.createDimension(name, len(values))
    file.createVariable(name, values.dtype, (name,))[:] = values


def write_folder(folder: Path, land: Land, mask: NDArray[np.bool_]) -> None:
    """One GeoTIFF per composite, its date in the name."""
    folder.mkdir(parents=True, exist_ok=True)
    window, stack = tile(land, mask)
    for day, layer in zip(land.dates, stack, strict=True):
        with _geotiff(folder / f"ndvi_{day:%Y-%m-%d}.tif", window, 1) as file:
            file.write(layer, 1)
            file.set_band_description(1, "ndvi")


def write_multiband(path: Path, land: Land, mask: NDArray[np.bool_]) -> None:
    """All composites as bands of one GeoTIFF, dates in the band descriptions."""
    window, stack = tile(land, mask)
    with _geotiff(path, window, len(land.dates)) as file:
        file.write(stack)
        for band, day in enumerate(land.dates, start=1):
            file.set_band_description(band, f"{day:%Y-%m-%d}")


def write_layer(path: Path, window: Window, layer: NDArray[Any], nodata: float) -> None:
    """A single map (relief, land cover)."""
    with _geotiff(path, window, 1, dtype=str(layer.dtype), nodata=nodata, scale=1.0) as file:
        file.write(layer, 1)


@contextmanager
def _geotiff(
    path: Path,
    window: Window,
    bands: int,
    *,
    dtype: str = "int16",
    nodata: float = NODATA,
    scale: float = SCALE,
) -> Iterator[DatasetWriter]:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=window.columns,
        height=window.rows,
        count=bands,
        dtype=dtype,
        nodata=nodata,
        crs="EPSG:4326",
        transform=window.transform(),
        compress="deflate",
        predictor=3 if dtype.startswith("float") else 2,
        zlevel=6,
        tiled=True,
        blockxsize=128,
        blockysize=128,
        interleave="band",
    ) as file:
        if scale != 1.0:
            file.scales = [scale] * bands
        yield file
