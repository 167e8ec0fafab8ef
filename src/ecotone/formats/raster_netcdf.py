"""NetCDF-CF: one variable over time and a regular grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.formats.base import refused
from ecotone.formats.raster_dates import Days
from ecotone.formats.raster_layers import Grid, hdf5_lock

_NORTH = ("latitude", "projection_y_coordinate", "grid_latitude")
_EAST = ("longitude", "projection_x_coordinate", "grid_longitude")


@dataclass
class NetcdfLayers:
    """The time steps of one variable of a NetCDF file; north is up whatever the file says."""

    path: Path
    variable: str
    axes: tuple[int, int, int]  #: positions of time, row and column among the dimensions
    flipped: tuple[bool, bool]  #: rows run south to north; columns run east to west
    order: NDArray[np.intp]
    times: Days
    grid: Grid
    dtype: np.dtype[Any]
    nodata: float | None
    scale: float
    offset: float
    unit: str
    valid: tuple[float, float]
    missing: tuple[float, ...] = ()
    _kept: list[Any] = field(default_factory=list, repr=False)

    def raw(self, window: Window) -> NDArray[Any]:
        """Stored numbers of a window."""
        rows = span(int(window.row_off), int(window.height), self.grid.height, self.flipped[0])
        columns = span(int(window.col_off), int(window.width), self.grid.width, self.flipped[1])
        index: list[Any] = [slice(None)] * 3
        index[self.axes[1]], index[self.axes[2]] = rows, columns
        with hdf5_lock():
            data = np.asarray(self._dataset().variables[self.variable][tuple(index)])
        return self.arranged(data)

    def arranged(self, data: NDArray[Any]) -> NDArray[Any]:
        """Numbers as they lie in the file as (time, rows from the north, columns from the west)."""
        data = np.transpose(data, self.axes)[self.order]
        data = data[:, :: -1 if self.flipped[0] else 1, :: -1 if self.flipped[1] else 1]
        return self._one_nodata(np.ascontiguousarray(data.astype(self.dtype, copy=False)))

    def _one_nodata(self, data: NDArray[Any]) -> NDArray[Any]:
        """Every way a file says 'no value' becomes the one no-data value."""
        if self.nodata is None:
            return data
        outside = (data < self.valid[0]) | (data > self.valid[1])
        for value in self.missing:
            outside |= data == value
        data[outside] = self.nodata
        return data

    def close(self) -> None:
        """Close the file."""
        with hdf5_lock():
            for dataset in self._kept:
                dataset.close()
            self._kept.clear()

    def _dataset(self) -> Any:
        """The open file; the caller holds the lock."""
        if not self._kept:
            import netCDF4

            dataset = netCDF4.Dataset(self.path)
            dataset.set_auto_maskandscale(False)
            self._kept.append(dataset)
        return self._kept[0]

    def __getstate__(self) -> dict[str, Any]:
        """The handle stays behind when a stack travels to a worker."""
        return {**self.__dict__, "_kept": []}


def netcdf_layers(path: Path, variable: str | None = None) -> NetcdfLayers:
    """The layers of ``variable``, or of the only variable over time and a grid."""
    import netCDF4

    with hdf5_lock():
        try:
            with netCDF4.Dataset(path) as data:
                data.set_auto_maskandscale(False)
                return describe(data, path, variable)
        except (OSError, RuntimeError) as error:
            raise refused("raster-unreadable", file=path.name, why=str(error)) from error


def describe(data: Any, path: Path, wanted: str | None) -> NetcdfLayers:
    """Where the layers of a variable lie, from its dimensions and attributes."""
    var = data.variables[_choose(data, path, wanted)]
    kinds = [_kind(data, name) for name in var.dimensions]
    axes = (kinds.index("time"), kinds.index("north"), kinds.index("east"))
    north = np.asarray(data.variables[var.dimensions[axes[1]]][:], dtype=np.float64)
    east = np.asarray(data.variables[var.dimensions[axes[2]]][:], dtype=np.float64)
    flipped = (bool(north[0] < north[-1]), bool(east[0] > east[-1]))
    transform = _transform(np.sort(east), np.sort(north)[::-1], path)
    times = _times(data.variables[var.dimensions[axes[0]]], path)
    unique, counts = np.unique(times, return_counts=True)
    if (counts > 1).any():
        raise refused("raster-date-repeated", file=path.name, value=str(unique[counts > 1][0]))
    order = np.argsort(times)
    dtype = np.dtype(var.dtype).newbyteorder("=")
    missing, valid = _missing(var)
    return NetcdfLayers(
        path=path,
        variable=var.name,
        axes=axes,
        flipped=flipped,
        order=order,
        times=times[order],
        grid=Grid(_crs(data, var, kinds, path), transform, len(east), len(north)),
        dtype=dtype,
        nodata=_nodata(dtype, missing, valid),
        scale=float(getattr(var, "scale_factor", 1.0)),
        offset=float(getattr(var, "add_offset", 0.0)),
        unit=str(getattr(var, "units", "")),
        valid=valid,
        missing=missing,
    )


def _choose(data: Any, path: Path, wanted: str | None) -> str:
    fit = [
        name
        for name, var in data.variables.items()
        if len(var.dimensions) == 3
        and sorted(_kind(data, d) for d in var.dimensions) == ["east", "north", "time"]
        and np.dtype(var.dtype).kind in "iuf"
    ]
    if wanted is not None:
        if wanted not in fit:
            raise refused(
                "raster-variable-absent", file=path.name, value=wanted, known=", ".join(fit) or "-"
            )
        return wanted
    if not fit:
        raise refused("raster-no-stack", file=path.name)
    if len(fit) > 1:
        raise refused("raster-variable-many", file=path.name, known=", ".join(fit))
    return fit[0]


def _kind(data: Any, dimension: str) -> str:
    var = data.variables.get(dimension)
    if var is None:
        return ""
    standard = str(getattr(var, "standard_name", "")).lower()
    units = str(getattr(var, "units", "")).lower()
    axis = str(getattr(var, "axis", "")).upper()
    name = dimension.lower()
    if " since " in units or standard == "time" or axis == "T":
        return "time"
    if standard in _NORTH or units.startswith("degrees_n") or axis == "Y":
        return "north"
    if standard in _EAST or units.startswith("degrees_e") or axis == "X":
        return "east"
    return {"lat": "north", "latitude": "north", "y": "north", "northing": "north"}.get(
        name,
        {"lon": "east", "longitude": "east", "x": "east", "easting": "east"}.get(name, ""),
    )


def _transform(east: NDArray[np.float64], north: NDArray[np.float64], path: Path) -> Affine:
    """From cell centres; they must be evenly spaced within a thousandth of a step.

    Raises Refused for a grid of one row or column, or an irregular one.
    """
    steps = []
    for centres in (east, north):
        if len(centres) < 2:
            raise refused("raster-grid-irregular", file=path.name)
        step = (centres[-1] - centres[0]) / (len(centres) - 1)
        if step == 0 or np.abs(np.diff(centres) - step).max() > abs(step) * 1e-2:
            raise refused("raster-grid-irregular", file=path.name)
        steps.append(float(step))
    west = float(east[0]) - steps[0] / 2
    if west >= 180.0 - 1e-9 and float(np.abs(north).max()) <= 90.0:
        west -= 360.0
    return Affine(steps[0], 0.0, west, 0.0, steps[1], float(north[0]) - steps[1] / 2)


def _times(var: Any, path: Path) -> Days:
    import cftime

    units = str(getattr(var, "units", ""))
    try:
        dates = cftime.num2date(
            np.asarray(var[:]), units, str(getattr(var, "calendar", "standard"))
        )
    except (ValueError, OverflowError) as error:
        raise refused("raster-time-units", file=path.name, value=units) from error
    # Calendars of models have days the world lacks (30 February); the month's last day stands in.
    months = np.array([f"{d.year:04d}-{d.month:02d}" for d in dates], dtype="datetime64[M]")
    last = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
    day = np.minimum([d.day for d in dates], last)
    return months.astype("datetime64[D]") + (day - 1)


def _crs(data: Any, var: Any, kinds: list[str], path: Path) -> CRS | None:
    import pyproj

    mapping = data.variables.get(str(getattr(var, "grid_mapping", "")).split(":")[0].strip())
    if mapping is not None:
        attributes = {name: mapping.getncattr(name) for name in mapping.ncattrs()}
        try:
            return CRS.from_wkt(pyproj.CRS.from_cf(attributes).to_wkt())
        except (pyproj.exceptions.CRSError, KeyError) as error:
            raise refused("raster-crs-unreadable", file=path.name, why=str(error)) from error
    north = data.variables[var.dimensions[kinds.index("north")]]
    units = str(getattr(north, "units", "")).lower()
    if units.startswith("degree") or north.name.lower() in ("lat", "latitude"):
        return CRS.from_epsg(4326)
    return None


def _missing(var: Any) -> tuple[tuple[float, ...], tuple[float, float]]:
    found: list[float] = []
    for name in ("_FillValue", "missing_value"):
        if hasattr(var, name):
            found.extend(float(v) for v in np.atleast_1d(var.getncattr(name)))
    low, high = -np.inf, np.inf
    if hasattr(var, "valid_range"):
        low, high = (float(v) for v in var.valid_range)
    low = float(getattr(var, "valid_min", low))
    high = float(getattr(var, "valid_max", high))
    return tuple(v for v in dict.fromkeys(found) if not np.isnan(v)), (low, high)


def _nodata(
    dtype: np.dtype[Any], missing: tuple[float, ...], valid: tuple[float, float]
) -> float | None:
    if dtype.kind == "f":
        return float("nan")
    if missing:
        return missing[0]
    if np.isfinite(valid).any():
        return float(np.iinfo(dtype).min)
    return None


def span(start: int, length: int, total: int, flipped: bool) -> slice:
    """Rows or columns of a window as the file counts them."""
    return slice(total - start - length, total - start) if flipped else slice(start, start + length)
