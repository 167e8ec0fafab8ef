"""Raster stacks of several parties side by side, as one grid of yearly means.

The parties' tiles may cover different ground at different dates; what they must share is the
grid itself: reference system, pixel size, and edges on the same lines. Nothing is resampled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.warp import transform_bounds
from rasterio.windows import Window, from_bounds

from ecotone.formats.raster import Stack, open_stack
from ecotone.model.errors import InputRefused
from ecotone.model.words import say
from ecotone.science.land import calendar_years
from ecotone.science.land.season import Season, yearly_productivity

if TYPE_CHECKING:
    from rasterio.crs import CRS
    from shapely.geometry.base import BaseGeometry

#: The mean of all composites of a calendar year.
WHOLE_YEAR: Final = Season()
#: Numbers of one block over all layers: 64 MB as float64.
_BLOCK_NUMBERS: Final = 8_000_000
_BLOCK_SIDE: Final = 512
#: Edges may miss the common lines by this share of a pixel.
_ALIGNED: Final = 1e-3
#: Two parties' yearly means of one pixel are the same when they differ by no more than this.
_SAME: Final = 1e-9


@dataclass(frozen=True)
class Tile:
    """One stack and where its upper left pixel lies in the mosaic."""

    name: str
    stack: Stack
    row: int
    column: int

    def years(self) -> NDArray[np.int64]:
        """The calendar year of each layer."""
        return calendar_years(self.stack.times)


@dataclass(frozen=True)
class YearlyMeans:
    """The yearly means of one block.

    Attributes:
        means: (years, rows, columns), NaN where no party has data.
        lowest: smallest value met; NaN for none.
        highest: largest value met; NaN for none.
        disputed: (rows, columns), where two parties' means differ; the first party's counts.
    """

    means: NDArray[np.float64]
    lowest: float
    highest: float
    disputed: NDArray[np.bool_]


@dataclass(frozen=True)
class Mosaic:
    """Tiles on one grid."""

    tiles: tuple[Tile, ...]
    transform: Affine
    width: int
    height: int

    @property
    def crs(self) -> CRS | None:
        """The tiles' reference system; None where they have none."""
        return self.tiles[0].stack.crs

    @property
    def layers(self) -> int:
        """The most layers a tile has."""
        return max(len(tile.stack.times) for tile in self.tiles)

    def whole(self) -> Window:
        """All of it."""
        return Window(0, 0, self.width, self.height)

    def around(self, region: BaseGeometry) -> Window | None:
        """The smallest window that holds a region (longitude, latitude); None if outside.

        All of it where that cannot be told: no reference system, a turned grid, one that goes
        on beyond 180 degrees, a region beyond the edge of the projection.
        """
        grid = self.transform
        turned = grid.b != 0 or grid.d != 0 or grid.a <= 0 or grid.e >= 0
        if self.crs is None or region.is_empty or turned:
            return self.whole()
        edges = transform_bounds("EPSG:4326", self.crs, *region.bounds)
        beyond = self.crs.is_geographic and grid.c + self.width * grid.a > 180
        if beyond or not np.isfinite(edges).all():
            return self.whole()
        asked = from_bounds(*edges, grid)
        top = max(0, int(np.floor(asked.row_off)))
        left = max(0, int(np.floor(asked.col_off)))
        bottom = min(self.height, int(np.ceil(asked.row_off + asked.height)))
        right = min(self.width, int(np.ceil(asked.col_off + asked.width)))
        if bottom <= top or right <= left:
            return None
        return Window(left, top, right - left, bottom - top)

    def blocks(self, within: Window) -> Iterator[Window]:
        """Windows that cover ``within``, each small enough to hold all its layers."""
        pixels = max(1, min(_BLOCK_SIDE**2, _BLOCK_NUMBERS // self.layers))
        columns = min(int(within.width), max(_BLOCK_SIDE, pixels // _BLOCK_SIDE))
        rows = max(1, pixels // columns)
        end_row = int(within.row_off + within.height)
        end_column = int(within.col_off + within.width)
        for top in range(int(within.row_off), end_row, rows):
            for left in range(int(within.col_off), end_column, columns):
                yield Window(left, top, min(columns, end_column - left), min(rows, end_row - top))

    def inside(self, region: BaseGeometry, window: Window) -> NDArray[np.bool_]:
        """Pixels of a window whose centre lies in a region."""
        first = self.tiles[0]
        return first.stack.mask(region, _moved(window, first))

    def yearly(
        self, window: Window, start: int, end: int, season: Season = WHOLE_YEAR
    ) -> YearlyMeans:
        """Each year's productivity of each pixel, from the first party that has any."""
        shape = (int(window.height), int(window.width))
        means = np.full((end - start + 1, *shape), np.nan)
        disputed = np.zeros(shape, dtype=np.bool_)
        lowest, highest = [np.nan], [np.nan]
        for number, tile in enumerate(self.tiles):
            own = _shared(window, tile)
            if own is None:
                continue
            values = tile.stack.read(_moved(own, tile))
            here = yearly_productivity(values, tile.stack.times, start, end, season)
            lowest.append(np.fmin.reduce(values, axis=None))
            highest.append(np.fmax.reduce(values, axis=None))
            rows, columns = _within(own, window)
            if number:
                before = means[:, rows, columns]
                disputed[rows, columns] |= (np.abs(before - here) > _SAME).any(axis=0)
                here = np.where(np.isnan(before), here, before)
            means[:, rows, columns] = here
        return YearlyMeans(
            means, float(np.fmin.reduce(lowest)), float(np.fmax.reduce(highest)), disputed
        )

    def close(self) -> None:
        """Give open files back."""
        for tile in self.tiles:
            tile.stack.close()


def open_mosaic(paths: Sequence[Path]) -> Mosaic:
    """Open one stack, or several on one grid.

    Files that each hold one date make one stack together; otherwise each path is a stack.
    Raises InputRefused where the grids differ.
    """
    stacks = [(path.name, open_stack([path])) for path in dict.fromkeys(paths)]
    single = len(stacks) > 1 and all(len(stack.times) == 1 for _, stack in stacks)
    if single and all(s.grid.same_as(stacks[0][1].grid) for _, s in stacks):
        for _, stack in stacks:
            stack.close()
        stacks = [(paths[0].name, open_stack(paths))]
    base_name, base = stacks[0]
    corners = []
    for name, stack in stacks:
        offset = _offset(base, stack)
        if offset is None:
            raise InputRefused(
                say("assess.land.grids-differ", first=base_name, other=name),
                say("assess.land.grids-differ.do"),
            )
        corners.append(offset)
    top = min(row for row, _ in corners)
    left = min(column for _, column in corners)
    tiles = tuple(
        Tile(name, stack, row - top, column - left)
        for (name, stack), (row, column) in zip(stacks, corners, strict=True)
    )
    return Mosaic(
        tiles,
        base.transform * Affine.translation(left, top),
        max(t.column + t.stack.width for t in tiles),
        max(t.row + t.stack.height for t in tiles),
    )


def _offset(base: Stack, other: Stack) -> tuple[int, int] | None:
    """Rows and columns from one stack's corner to another's; None where grids differ."""
    a, b = base.transform, other.transform
    step = max(abs(a.a), abs(a.e))
    same = all(
        abs(x - y) <= _ALIGNED * step / max(base.width, base.height, other.width, other.height)
        for x, y in zip((a.a, a.b, a.d, a.e), (b.a, b.b, b.d, b.e), strict=True)
    )
    if not same or base.crs != other.crs:
        return None
    column, row = ~a * (b.c, b.f)
    if max(abs(column - round(column)), abs(row - round(row))) > _ALIGNED:
        return None
    return round(row), round(column)


def _moved(window: Window, tile: Tile) -> Window:
    """A window of the mosaic as the tile counts."""
    return Window(
        window.col_off - tile.column, window.row_off - tile.row, window.width, window.height
    )


def _shared(window: Window, tile: Tile) -> Window | None:
    """The part of a window that a tile covers."""
    top = max(window.row_off, tile.row)
    left = max(window.col_off, tile.column)
    bottom = min(window.row_off + window.height, tile.row + tile.stack.height)
    right = min(window.col_off + window.width, tile.column + tile.stack.width)
    if bottom <= top or right <= left:
        return None
    return Window(left, top, right - left, bottom - top)


def _within(part: Window, window: Window) -> tuple[slice, slice]:
    top = int(part.row_off - window.row_off)
    left = int(part.col_off - window.col_off)
    return slice(top, top + int(part.height)), slice(left, left + int(part.width))
