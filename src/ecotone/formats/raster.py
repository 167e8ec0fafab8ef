"""Raster stacks: NetCDF-CF, Zarr, GeoTIFF/COG with dated bands, a folder of dated GeoTIFFs.

``open_stack`` gives blocks of a stack with bounded memory; ``raster_write`` writes results and
cubes; ``FORMAT`` lets a delivery of rasters be ingested as a Coverage, described as STAC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from rasterio.warp import transform_bounds
from rasterio.windows import Window
from rasterio.windows import transform as window_transform

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.raster_dates import Days
from ecotone.formats.raster_layers import Grid, Layers, tiff_layers, undated_layer
from ecotone.formats.raster_netcdf import netcdf_layers
from ecotone.formats.raster_zarr import is_zarr, zarr_layers
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

TIFF: Final = (".tif", ".tiff")
NETCDF: Final = (".nc", ".nc4", ".cdf")
_MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"CDF\x01", b"CDF\x02", b"CDF\x05")
_HDF5_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
#: Numbers of one block over all dates: 128 MB as float64.
_BLOCK_NUMBERS: Final = 16_000_000


@dataclass(frozen=True)
class Stack:
    """Layers of one variable on one grid, in the order of their dates."""

    layers: Layers

    @property
    def times(self) -> Days:
        """The date of each layer."""
        return self.layers.times

    @property
    def grid(self) -> Grid:
        """Where the pixels lie."""
        return self.layers.grid

    @property
    def crs(self) -> CRS | None:
        """Coordinate reference system; None where the file has none."""
        return self.layers.grid.crs

    @property
    def transform(self) -> Affine:
        """From pixel to ground."""
        return self.layers.grid.transform

    @property
    def width(self) -> int:
        """Columns."""
        return self.layers.grid.width

    @property
    def height(self) -> int:
        """Rows."""
        return self.layers.grid.height

    @property
    def nodata(self) -> float | None:
        """The stored number that means no value."""
        return self.layers.nodata

    def blocks(self, size: int = 512) -> Iterator[Window]:
        """Windows that cover the grid, top to bottom: whole rows where they fit.

        A block holds at most ``size`` squared pixels and 128 MB over all dates.
        """
        pixels = max(1, min(size * size, _BLOCK_NUMBERS // max(1, len(self.times))))
        columns = self.width if self.width * 8 <= pixels else min(self.width, size)
        rows = max(1, pixels // columns)
        for top in range(0, self.height, rows):
            for left in range(0, self.width, columns):
                yield Window(
                    left, top, min(columns, self.width - left), min(rows, self.height - top)
                )

    def read(self, window: Window) -> NDArray[np.float64]:
        """Values (time, rows, columns) in the variable's unit, NaN where there is none."""
        layers = self.layers
        raw = layers.raw(window)
        values = raw.astype(np.float64)
        if layers.nodata is not None and not np.isnan(layers.nodata):
            values[raw == layers.nodata] = np.nan
        values[~np.isfinite(values)] = np.nan
        if layers.scale != 1.0:
            values *= layers.scale
        if layers.offset != 0.0:
            values += layers.offset
        return values

    def mask(self, geometry: BaseGeometry, window: Window) -> NDArray[np.bool_]:
        """Pixels of a window whose centre lies inside ``geometry`` (longitude, latitude).

        Raises Refused where the stack has no coordinate reference system.
        """
        if self.crs is None:
            raise refused("raster-crs-missing")
        shape = (int(window.height), int(window.width))
        placed = window_transform(window, self.transform)
        shapes = [_projected(geometry, self.crs)]
        if self.crs.is_geographic and self.transform.c + self.width * self.transform.a > 180.0:
            from shapely.affinity import translate

            shapes.append(translate(geometry, xoff=360.0))
        inside: NDArray[np.bool_] = geometry_mask(shapes, shape, placed, invert=True)
        return inside

    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north in degrees; None without a reference system."""
        if self.crs is None:
            return None
        west, north = self.transform * (0, 0)
        east, south = self.transform * (self.width, self.height)
        box = (min(west, east), min(south, north), max(west, east), max(south, north))
        return box if self.crs.to_epsg() == 4326 else transform_bounds(self.crs, "EPSG:4326", *box)

    def close(self) -> None:
        """Give open files back."""
        self.layers.close()

    def __enter__(self) -> Self:
        """The stack, closed at the end of the block."""
        return self

    def __exit__(self, *why: object) -> None:
        """Close."""
        self.close()


def open_stack(paths: Sequence[Path], *, variable: str | None = None) -> Stack:
    """A stack from one NetCDF, Zarr or dated GeoTIFF, a folder of dated GeoTIFFs or those.

    Raises Refused for anything else, for layers without dates and for grids that differ.
    """
    stores = [path for path in paths if is_zarr(path)]
    if stores:
        if len(paths) > 1:
            raise refused("raster-mixed", file=stores[0].name)
        return Stack(zarr_layers(stores[0], variable))
    files = [f for path in paths for f in (_files_of(path) if path.is_dir() else [path])]
    if not files:
        raise refused("raster-no-stack", file=", ".join(p.name for p in paths))
    netcdf = [f for f in files if _is_netcdf(f)]
    if netcdf:
        if len(files) > 1:
            raise refused("raster-mixed", file=netcdf[0].name)
        return Stack(netcdf_layers(netcdf[0], variable))
    return Stack(tiff_layers(files))


def open_layer(path: Path) -> Stack:
    """A single map without a date: a GeoTIFF of one band. Raises Refused for anything else."""
    return Stack(undated_layer(path))


def _files_of(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in (*TIFF, *NETCDF))


def _is_netcdf(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            head = handle.read(8)
    except OSError as error:
        raise refused("raster-unreadable", file=path.name, why=str(error)) from error
    return head == _HDF5_MAGIC or head[:3] == b"CDF"


def _projected(geometry: BaseGeometry, crs: CRS) -> BaseGeometry:
    if crs.to_epsg() == 4326:
        return geometry
    import geopandas

    return geopandas.GeoSeries([geometry], crs=4326).to_crs(crs.to_wkt()).iloc[0]


class RasterFormat:
    """Raster stacks as deliveries."""

    name = "raster"
    title_key = "format.raster.title"
    extensions = (*TIFF, *NETCDF)
    spec = "https://docs.ogc.org/is/21-026/21-026.html"

    def recognise(self, source: Source) -> bool:
        """A raster by its first bytes, or a folder of nothing but rasters and side files."""
        members = _raster_members(source)
        if not members or (source.only is None and len(members) < _data_members(source)):
            return False
        with source.open(members[0]) as handle:
            head = handle.read(8)
        return head.startswith(_MAGIC) or head == _HDF5_MAGIC

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """One Coverage: the stack, described."""
        from ecotone.formats.raster_write import describe

        members = _raster_members(source)
        with open_stack([source.local_path(m) for m in members]) as stack:
            if stack.crs is None:
                report(Finding("raster-crs-missing", Severity.WARNING, file=source.name))
            record: dict[str, Any] = describe(stack, Path(source.name).stem)
        record["path"] = "\n".join(str(source.local_path(m)) for m in members)
        frame = pd.DataFrame({k: pd.Series([v], dtype="str") for k, v in record.items()})
        one = np.ones(1, dtype=np.int64)
        yield Table("Coverage", frame, one, one, source.name, vocabulary="ecotone")


def _raster_members(source: Source) -> list[str]:
    return [m for m in source.members if m.lower().endswith((*TIFF, *NETCDF))]


def _data_members(source: Source) -> int:
    side = (".xml", ".json", ".txt", ".md", ".tfw", ".prj", ".csv")
    return sum(not m.lower().endswith(side) for m in source.members)


FORMAT: Final = RasterFormat()
