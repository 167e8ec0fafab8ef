"""Maps of a result as GeoTIFFs on the grid that they were computed on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Job
from ecotone.formats.asciigrid import Raster
from ecotone.formats.raster_write import write_geotiff

Floats = NDArray[np.float64]


def write_maps(job: Job, raster: Raster, maps: Mapping[str, Floats]) -> dict[str, str]:
    """Maps in the result's folder ``rasters``: by name, the path seen from the result."""
    for name, values in maps.items():
        write_map(job.out / "rasters" / f"{name}.tif", raster, values)
    return {name: f"rasters/{name}.tif" for name in maps}


def write_map(path: Path, raster: Raster, values: Floats, *, nodata: float = np.nan) -> None:
    """One map, cloud-optimised; ``nodata`` stands where there is no value."""
    rows, columns = values.shape
    write_geotiff(
        path,
        shape=(rows, columns),
        transform=raster.transform,
        crs=raster.crs,
        blocks=[(Window(0, 0, columns, rows), np.where(np.isnan(values), nodata, values))],
        nodata=nodata,
        dtype="float64",
    )
