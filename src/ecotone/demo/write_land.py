"""The land as files: NDVI in three habits, NetCDF, banded and dated GeoTIFF; relief, cover."""

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
from rasterio.crs import CRS
from rasterio.io import DatasetWriter

from ecotone.demo.grid import COLUMNS, ROWS, latitudes, longitudes, transform
from ecotone.demo.simulate_land import NODATA, SCALE, Land

_EPOCH = date(2009, 1, 1)


def write_netcdf(path: Path, land: Land, mask: NDArray[np.bool_], institution: str) -> None:
    """A CF-1.8 stack: packed integers, days since an epoch, a grid mapping."""
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
        _axis(file, "lat", latitudes())
        _axis(file, "lon", longitudes())
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
                "crs_wkt": CRS.from_epsg(4326).to_wkt(),
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
            chunksizes=(len(land.dates), 64, 64),
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
        ndvi[:] = _within(land, mask)


def _within(land: Land, mask: NDArray[np.bool_]) -> NDArray[np.int16]:
    """What one agency maps: nothing beyond the land it claims."""
    return np.where(mask, land.ndvi, np.int16(NODATA))


def _axis(file: netCDF4.Dataset, name: str, values: NDArray[Any]) -> None:
    file.createDimension(name, len(values))
    file.createVariable(name, values.dtype, (name,))[:] = values


def write_banded(path: Path, land: Land, mask: NDArray[np.bool_]) -> None:
    """All seasons as bands of one GeoTIFF, dates in the descriptions of the bands."""
    with _geotiff(path, len(land.dates), "int16", NODATA, "1") as file:
        file.write(_within(land, mask))
        file.descriptions = tuple(day.isoformat() for day in land.dates)
        file.scales = (SCALE,) * len(land.dates)
        file.update_tags(variable="ndvi")


def write_dated(folder: Path, land: Land, mask: NDArray[np.bool_]) -> None:
    """One GeoTIFF per season, its date in the name."""
    folder.mkdir(exist_ok=True)
    for day, layer in zip(land.dates, _within(land, mask), strict=True):
        with _geotiff(folder / f"ndvi_{day:%Y%m%d}.tif", 1, "int16", NODATA, "1") as file:
            file.write(layer, 1)
            file.descriptions = ("ndvi",)
            file.scales = (SCALE,)
            file.update_tags(variable="ndvi")


def write_layer(path: Path, layer: NDArray[Any], nodata: float, unit: str) -> None:
    """A single map of the whole basin (relief, land cover)."""
    with _geotiff(path, 1, str(layer.dtype), nodata, unit) as file:
        file.write(layer, 1)


@contextmanager
def _geotiff(
    path: Path, bands: int, dtype: str, nodata: float, unit: str
) -> Iterator[DatasetWriter]:
    """A tiled, compressed GeoTIFF on the basin's grid."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=COLUMNS,
        height=ROWS,
        count=bands,
        dtype=dtype,
        nodata=nodata,
        crs="EPSG:4326",
        transform=transform(),
        compress="deflate",
        predictor=3 if dtype.startswith("float") else 2,
        tiled=True,
        blockxsize=128,
        blockysize=128,
        interleave="band",
    ) as file:
        file.units = (unit,) * bands
        yield file
