"""The land as files: the NDVI stack as NetCDF-CF, relief and land cover as GeoTIFF."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS

from ecotone.demo.grid import COLUMNS, ROWS, latitudes, longitudes, transform
from ecotone.demo.simulate_land import NODATA, SCALE, Land

_EPOCH = date(2009, 1, 1)


def write_netcdf(path: Path, land: Land, institution: str) -> None:
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
        ndvi[:] = land.ndvi


def _axis(file: netCDF4.Dataset, name: str, values: NDArray[Any]) -> None:
    file.createDimension(name, len(values))
    file.createVariable(name, values.dtype, (name,))[:] = values


def write_layer(path: Path, layer: NDArray[Any], nodata: float, unit: str) -> None:
    """A single map of the whole basin (relief, land cover) as tiled, compressed GeoTIFF."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=COLUMNS,
        height=ROWS,
        count=1,
        dtype=str(layer.dtype),
        nodata=nodata,
        crs="EPSG:4326",
        transform=transform(),
        compress="deflate",
        predictor=3 if layer.dtype.kind == "f" else 2,
        tiled=True,
        blockxsize=128,
        blockysize=128,
    ) as file:
        file.write(layer, 1)
        file.units = (unit,)
