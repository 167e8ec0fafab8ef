"""Where the layers of a stack lie: GeoTIFF bands or the time steps of a NetCDF variable.

Both give the raw numbers of a window, as stored, so that a copy keeps every bit; scale, offset
and the no-data value say what they mean.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import RasterioIOError
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.formats.base import refused
from ecotone.formats.raster_dates import Days, day_in, days_of

#: The HDF5 library is one per process and not safe to enter from two threads.
_HDF5: Final = threading.Lock()


@dataclass(frozen=True)
class Grid:
    """Where the pixels lie."""

    crs: CRS | None
    transform: Affine
    width: int
    height: int

    def same_as(self, other: Grid) -> bool:
        """Same size, same system, corners within a thousandth of a pixel."""
        step = max(abs(self.transform.a), abs(self.transform.e))
        return (
            (self.width, self.height) == (other.width, other.height)
            and self.crs == other.crs
            and self.transform.almost_equals(other.transform, precision=step * 1e-3)
        )


class Layers(Protocol):
    """The layers of one stack, in the order of their dates."""

    grid: Grid
    times: Days
    variable: str
    unit: str
    dtype: np.dtype[Any]
    nodata: float | None
    scale: float
    offset: float

    def raw(self, window: Window) -> NDArray[Any]:
        """Stored numbers (time, rows, columns); safe to call from many threads."""

    def close(self) -> None:
        """Give open files back."""


@dataclass
class TiffLayers:
    """One multi-band GeoTIFF, or many of one band each."""

    bands: list[tuple[Path, int]]
    times: Days
    grid: Grid
    dtype: np.dtype[Any]
    nodata: float | None
    scale: float
    offset: float
    unit: str
    variable: str
    _local: threading.local = field(default_factory=threading.local, repr=False)
    _open: list[Any] = field(default_factory=list, repr=False)

    def raw(self, window: Window) -> NDArray[Any]:
        """Stored numbers of a window."""
        out = np.empty((len(self.bands), int(window.height), int(window.width)), self.dtype)
        for position, (path, band) in enumerate(self.bands):
            try:
                self._dataset(path).read(band, window=window, out=out[position])
            except RasterioIOError as error:
                raise refused("raster-unreadable", file=path.name, why=str(error)) from error
        return out

    def close(self) -> None:
        """Close every thread's files."""
        for dataset in self._open:
            dataset.close()
        self._open.clear()
        self._local = threading.local()

    def _dataset(self, path: Path) -> Any:
        """This thread's own handle: GDAL datasets are not shared between threads."""
        kept: dict[Path, Any] = self._local.__dict__.setdefault("kept", {})
        if path not in kept:
            if len(kept) >= 64:
                kept.pop(next(iter(kept))).close()
            kept[path] = rasterio.open(path, driver="GTiff")
            self._open.append(kept[path])
        return kept[path]

    def __getstate__(self) -> dict[str, Any]:
        """Handles stay behind when a stack travels to a worker."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_local", "_open")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A stack that arrived opens its files when first read."""
        self.__dict__.update(state, _local=threading.local(), _open=[])


def tiff_layers(paths: list[Path]) -> TiffLayers:
    """Layers of one GeoTIFF with dated bands, or of single-band files with dated names."""
    heads = [_head(path) for path in paths]
    first = heads[0]
    for path, head in zip(paths[1:], heads[1:], strict=True):
        if not first.grid.same_as(head.grid):
            raise refused("raster-grid-differs", file=path.name, value=paths[0].name)
        if (head.dtype, head.scale, head.offset) != (first.dtype, first.scale, first.offset) or (
            not _same_number(head.nodata, first.nodata)
        ):
            raise refused("raster-encoding-differs", file=path.name, value=paths[0].name)
    if len(paths) == 1:
        times = first.times
        bands = [(paths[0], band) for band in range(1, first.count + 1)]
        if times is None:
            raise refused("raster-dates-missing", file=paths[0].name)
    else:
        several = [p.name for p, h in zip(paths, heads, strict=True) if h.count != 1]
        if several:
            raise refused("raster-folder-bands", file=several[0])
        times = _times_of_files(paths, heads)
        bands = [(path, 1) for path in paths]
    order = _ordered(times, paths[0].name)
    return TiffLayers(
        bands=[bands[i] for i in order],
        times=times[order],
        grid=first.grid,
        dtype=first.dtype,
        nodata=first.nodata,
        scale=first.scale,
        offset=first.offset,
        unit=first.unit,
        variable=first.variable,
    )


def undated_layer(path: Path) -> TiffLayers:
    """The one band of a GeoTIFF that needs no date: a map of units, a stock of carbon."""
    head = _head(path)
    if head.count != 1:
        raise refused("raster-folder-bands", file=path.name)
    return TiffLayers(
        bands=[(path, 1)],
        times=np.array(["NaT"], dtype="datetime64[D]"),
        grid=head.grid,
        dtype=head.dtype,
        nodata=head.nodata,
        scale=head.scale,
        offset=head.offset,
        unit=head.unit,
        variable=head.variable,
    )


@dataclass(frozen=True)
class _Head:
    grid: Grid
    count: int
    dtype: np.dtype[Any]
    nodata: float | None
    scale: float
    offset: float
    unit: str
    variable: str
    times: Days | None


def _head(path: Path) -> _Head:
    try:
        with rasterio.open(path, driver="GTiff") as data:
            if len({*data.dtypes}) > 1 or len({*data.scales}) > 1 or len({*data.offsets}) > 1:
                raise refused("raster-encoding-differs", file=path.name, value=path.name)
            return _Head(
                grid=Grid(data.crs, data.transform, data.width, data.height),
                count=data.count,
                dtype=np.dtype(data.dtypes[0]),
                nodata=data.nodata,
                scale=float(data.scales[0]),
                offset=float(data.offsets[0]),
                unit=data.units[0] or "",
                variable=data.tags().get("variable", ""),
                times=_band_times(data, path),
            )
    except RasterioIOError as error:
        raise refused("raster-unreadable", file=path.name, why=str(error)) from error


def _band_times(data: Any, path: Path) -> Days | None:
    described = days_of([text or "" for text in data.descriptions])
    if described is not None:
        return described
    tagged = days_of([_band_time(data.tags(band)) for band in range(1, data.count + 1)])
    if tagged is not None:
        return tagged
    if data.count > 1:
        return None
    own = day_in(path.stem) or day_in(
        data.tags().get("TIFFTAG_DATETIME", "").replace(":", "-")[:10]
    )
    return None if own is None else np.array([own], dtype="datetime64[D]")


def _band_time(tags: Mapping[str, str]) -> str:
    for key in ("time", "TIME", "date", "DATE", "datetime"):
        if key in tags:
            return str(tags[key])[:10]
    return ""


def _times_of_files(paths: list[Path], heads: list[_Head]) -> Days:
    named = days_of([path.stem for path in paths])
    if named is not None:
        return named
    lacking = [p.name for p, h in zip(paths, heads, strict=True) if h.times is None]
    if lacking:
        raise refused("raster-dates-missing", file=lacking[0])
    return np.concatenate([h.times for h in heads if h.times is not None])


def _ordered(times: Days, name: str) -> NDArray[np.intp]:
    unique, counts = np.unique(times, return_counts=True)
    if (counts > 1).any():
        raise refused("raster-date-repeated", file=name, value=str(unique[counts > 1][0]))
    return np.argsort(times)


def _same_number(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and bool(np.isnan(a)) and bool(np.isnan(b)))


def hdf5_lock() -> threading.Lock:
    """The lock around every entry into the HDF5 library."""
    return _HDF5
