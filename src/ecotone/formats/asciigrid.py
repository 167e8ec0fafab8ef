"""ESRI ASCII grids, plain or packed with gzip, and single-band rasters as plain arrays."""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio import DatasetReader
from rasterio.crs import CRS
from rasterio.errors import RasterioIOError
from rasterio.transform import Affine

from ecotone.formats.base import refused
from ecotone.formats.safe import open_source

Floats = NDArray[np.float64]

_GRID_ENDS: Final = (".asc", ".asc.gz", ".txt", ".txt.gz", ".agr")
#: The words a header may begin with.
GRID_KEYS: Final = frozenset(
    {"ncols", "nrows", "xllcorner", "yllcorner", "xllcenter", "yllcenter", "cellsize",
     "dx", "dy", "nodata_value", "nodata"}
)  # fmt: skip
#: What stands for no value where the header names nothing.
_USUAL_NODATA: Final = -9999.0
#: No resistance is as large: a float's largest number, or one near it, stands for no data.
_BEYOND: Final = 1e30
#: How far edges of two grids may lie apart, in cells.
_ALIGNED: Final = 1e-3


@dataclass(frozen=True)
class Raster:
    """One layer of numbers, NaN where there is no value."""

    values: Floats
    transform: Affine
    crs: CRS | None
    name: str

    @property
    def cell(self) -> float:
        """Width of a cell."""
        return abs(self.transform.a)

    def aligned(self, other: Raster) -> bool:
        """Same size and the same corners to a thousandth of a cell."""
        if self.values.shape != other.values.shape:
            return False
        shift = max(
            abs(a - b) for a, b in zip(self.transform[:6], other.transform[:6], strict=True)
        )
        return shift <= _ALIGNED * self.cell


def read_raster(path: Path) -> Raster:
    """An ASCII grid (also .gz) or any single-band raster that GDAL reads."""
    if path.name.lower().endswith(_GRID_ENDS):
        return read_grid(path)
    try:
        with rasterio.open(path) as data:
            return _first_band(data, path.name)
    except RasterioIOError as error:
        raise refused("raster-unreadable", file=path.name, why=str(error)) from error


def _first_band(data: DatasetReader, name: str) -> Raster:
    """The only band as numbers, north up; refused where there are more or the grid is turned."""
    transform = data.transform
    if data.count != 1:
        raise refused("grid-bands", file=name, found=str(data.count))
    if transform.b or transform.d:
        raise refused("grid-turned", file=name)
    values = data.read(1).astype(np.float64)
    if data.nodata is not None and not math.isnan(data.nodata):
        values[values == data.nodata] = np.nan
    values = values * data.scales[0] + data.offsets[0]
    if transform.e > 0:
        values = np.ascontiguousarray(values[::-1])
        transform *= Affine.translation(0, data.height) * Affine.scale(1, -1)
    if transform.a < 0:
        values = np.ascontiguousarray(values[:, ::-1])
        transform *= Affine.translation(data.width, 0) * Affine.scale(-1, 1)
    return Raster(no_overflow(values, name), transform, data.crs, name)


def no_overflow(values: Floats, name: str) -> Floats:
    """Refuse values that only a no-data value missing from the header can be."""
    with np.errstate(invalid="ignore"):
        beyond = (np.abs(values) >= _BEYOND) & np.isfinite(values)
    if beyond.any():
        raise refused(
            "grid-nodata", file=name, value=f"{values[beyond][0]:g}", count=str(int(beyond.sum()))
        )
    return values


def read_text(path: Path) -> str:
    """The text of a file, unpacked if it is packed; odd bytes are kept as they are."""
    with open_source(path) as source:
        member = source.only or source.members[0]
        with source.open(member) as handle:
            data = handle.read()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "surrogateescape")
    return data.decode("utf-8-sig", "surrogateescape")


def read_grid(path: Path) -> Raster:
    """An ESRI ASCII grid: up to seven header lines in any order and case, then numbers."""
    return parse_grid(read_text(path), path.name)


def parse_grid(text: str, name: str) -> Raster:
    """``read_grid`` on text."""
    header, start = _header(text, name)
    try:
        columns, rows = int(header["ncols"]), int(header["nrows"])
        width = header.get("cellsize", header.get("dx", math.nan))
        height = header.get("cellsize", header.get("dy", math.nan))
        left = header["xllcorner"] if "xllcorner" in header else header["xllcenter"] - width / 2
        low = header["yllcorner"] if "yllcorner" in header else header["yllcenter"] - height / 2
    except KeyError as error:
        raise refused("grid-header", file=name, field=str(error.args[0])) from error
    if not (columns > 0 and rows > 0 and width > 0 and height > 0):
        raise refused("grid-header", file=name, field="ncols, nrows, cellsize")
    values = _numbers(text[start:], name)
    if values.size != columns * rows:
        raise refused("grid-size", file=name, found=str(values.size), wanted=str(columns * rows))
    values[values == header.get("nodata_value", header.get("nodata", _USUAL_NODATA))] = np.nan
    transform = Affine(width, 0.0, left, 0.0, -height, low + rows * height)
    values = no_overflow(values, name)
    return Raster(values.reshape(rows, columns), transform, None, name)


def _header(text: str, name: str) -> tuple[dict[str, float], int]:
    """The numbers of the header and where the cells begin."""
    header: dict[str, float] = {}
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        words = text[start:end].split()
        if words and words[0].lower() not in GRID_KEYS:
            break
        if words:
            try:
                header[words[0].lower()] = float(words[1].replace(",", "."))
            except (IndexError, ValueError) as error:
                raise refused("grid-header", file=name, field=words[0]) from error
        start = end + 1
    if not header:
        raise refused("grid-header", file=name, field="ncols")
    return header, start


def _numbers(text: str, name: str) -> Floats:
    words = text.replace(",", ".").split() if "," in text else text.split()
    try:
        return np.array(words, dtype=np.float64)
    except ValueError as error:
        raise refused("grid-number", file=name, why=str(error)) from error


def write_grid(path: Path, values: Floats, transform: Affine, *, nodata: float = -9999) -> None:
    """An ESRI ASCII grid with 12 digits; ``.gz`` at the end of the name packs it."""
    rows, columns = values.shape
    low = transform.f + rows * transform.e
    head = (
        f"ncols {columns}\nnrows {rows}\nxllcorner {transform.c!r}\nyllcorner {low!r}\n"
        f"cellsize {transform.a!r}\nNODATA_value {nodata:g}\n"
    )
    filled = np.where(np.isnan(values), nodata, values)
    opener = gzip.open if path.name.endswith(".gz") else open
    path.parent.mkdir(parents=True, exist_ok=True)
    with opener(path, "wt", encoding="ascii", newline="\n") as out:
        out.write(head)
        np.savetxt(out, filled, fmt="%.12g")
