"""Zarr stores in the convention of xarray: one variable over time and a regular grid.

A store is read as a NetCDF file of the same variables and attributes is; its chunks are read by
many threads at once. Stores whose codecs could run code are refused.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.formats.base import refused
from ecotone.formats.raster_netcdf import NetcdfLayers, describe, span

_MARKS: Final = ("zarr.json", ".zgroup", ".zmetadata")
_METADATA: Final = ("zarr.json", ".zarray", ".zmetadata")
#: Codecs that turn bytes into objects.
_UNSAFE: Final = (b"pickle", b"dill", b"cloudpickle")


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr group."""
    return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)


@dataclass(frozen=True)
class _Variable:
    """An array with the face of a NetCDF variable."""

    name: str
    array: Any
    dimensions: tuple[str, ...]
    attributes: Mapping[str, Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        kind: np.dtype[Any] = np.dtype(self.array.dtype)
        return kind

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return np.asarray(self.array[index])

    def ncattrs(self) -> list[str]:
        return list(self.attributes)

    def getncattr(self, name: str) -> Any:
        return self.attributes[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.attributes[name]
        except KeyError as error:
            raise AttributeError(name) from error


@dataclass(frozen=True)
class _Group:
    """The variables of a store."""

    variables: dict[str, _Variable]


@dataclass
class ZarrLayers(NetcdfLayers):
    """The time steps of one variable of a Zarr store."""

    def raw(self, window: Window) -> NDArray[Any]:
        """Stored numbers of a window."""
        rows = span(int(window.row_off), int(window.height), self.grid.height, self.flipped[0])
        columns = span(int(window.col_off), int(window.width), self.grid.width, self.flipped[1])
        index: list[Any] = [slice(None)] * 3
        index[self.axes[1]], index[self.axes[2]] = rows, columns
        return self.arranged(self._dataset().variables[self.variable][tuple(index)])

    def close(self) -> None:
        """Forget the store; it holds nothing open."""
        self._kept.clear()

    def _dataset(self) -> _Group:
        if not self._kept:
            self._kept.append(_open(self.path))
        group: _Group = self._kept[0]
        return group


def zarr_layers(path: Path, variable: str | None = None) -> ZarrLayers:
    """The layers of ``variable``, or of the only variable over time and a grid."""
    described = describe(_open(path), path, variable)
    return ZarrLayers(**{**described.__dict__, "_kept": []})


def _open(path: Path) -> _Group:
    import zarr
    from zarr.errors import GroupNotFoundError

    _check_codecs(path)
    try:
        group = zarr.open_group(str(path), mode="r")
        arrays = dict(group.arrays())
    except (OSError, ValueError, KeyError, GroupNotFoundError) as error:
        raise refused("raster-unreadable", file=path.name, why=str(error)) from error
    return _Group({name: _variable(name, array) for name, array in arrays.items()})


def _check_codecs(path: Path) -> None:
    """Refuse a store whose metadata name a codec that makes objects of bytes."""
    for name in _METADATA:
        for file in path.rglob(name):
            head = file.read_bytes().lower()
            if any(codec in head for codec in _UNSAFE):
                raise refused("raster-unreadable", file=path.name, why="codec: pickle")


def _variable(name: str, array: Any) -> _Variable:
    attributes = dict(array.attrs)
    named = attributes.pop("_ARRAY_DIMENSIONS", None)
    third = getattr(array.metadata, "dimension_names", None)
    dimensions = tuple(str(d) for d in (named or third or ()))
    fill = attributes.get("_FillValue")
    if isinstance(fill, str):
        attributes["_FillValue"] = _decoded(fill)
    elif fill is None and array.metadata.zarr_format == 2 and array.fill_value is not None:
        attributes["_FillValue"] = array.fill_value
    return _Variable(name, array, dimensions, attributes)


def _decoded(text: str) -> float:
    """Xarray writes the fill value of floats as eight bytes in base 64."""
    try:
        return float(struct.unpack("<d", base64.standard_b64decode(text))[0])
    except (binascii.Error, struct.error):
        return float(text)
