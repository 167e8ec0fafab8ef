"""How much of each cell lies inside a polygon: exact shares, not centres that are in or out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.compiled import compiled

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]
Rings = tuple[Floats, NDArray[np.int64]]

#: Shares this near to 0 or 1 are 0 or 1; sums along a row are good to about this.
_SNAP = 1e-11


def rings_of(geometry: BaseGeometry) -> Rings:
    """The corners of all rings, outer ones and holes turned opposite ways.

    Args:
        geometry: polygon or multipolygon without overlaps.

    Returns:
        (corners, 2) of x and y, and where each ring begins, with the end of the last.
    """
    from shapely.geometry import polygon

    parts = getattr(geometry, "geoms", [geometry])
    rings = []
    for part in parts:
        if part.geom_type == "Polygon" and not part.is_empty:
            turned = polygon.orient(part)
            rings += [np.asarray(r.coords)[:, :2] for r in (turned.exterior, *turned.interiors)]
    starts = np.cumsum([0, *[len(ring) for ring in rings]], dtype=np.int64)
    corners = np.concatenate(rings) if rings else np.empty((0, 2))
    return corners.astype(np.float64), starts


def coverage(rings: Rings, rows: int, columns: int) -> Floats:
    """The share of each cell inside the rings.

    Each side adds, to the cells it passes, the area to its right, with the sign of its
    direction; summed from left to right along a row these are the shares. One pass over the
    sides and one over the cells, whatever the polygon's shape.

    Args:
        rings: of ``rings_of``, x counted in columns and y in rows from the corner of the grid.
        rows: of the grid.
        columns: of the grid.

    Returns:
        Shape (rows, columns), 0 .. 1.

    >>> from shapely.geometry import box
    >>> coverage(rings_of(box(0.5, 0.0, 2.0, 0.5)), 1, 3).tolist()
    [[0.25, 0.5, 0.0]]
    """
    sums = np.zeros((rows, columns + 2))
    corners, starts = rings
    add_rings(corners, starts, sums)
    shares = -np.cumsum(sums[:, :columns], axis=1)
    shares[np.abs(shares) < _SNAP] = 0.0
    shares[np.abs(shares - 1) < _SNAP] = 1.0
    clipped: Floats = np.clip(shares, 0.0, 1.0)
    return clipped


def class_areas(rings: Rings, codes: ArrayLike, areas: ArrayLike, known: Sequence[int]) -> Floats:
    """Areas of classes inside rings, cells cut at the border counting by their share.

    The same as ``area_by_code`` on ``areas`` times ``coverage``, in one pass and without an
    array of shares beside the sides' own sums.

    Args:
        rings: of ``rings_of``, in cells of the codes' grid; several may lie in one array.
        codes: (rows, columns) whole numbers.
        areas: of the cells, (rows, columns) or (rows, 1) where all of a row are alike.
        known: the codes to tell apart, each once.

    Returns:
        Shape (known + 1,): areas of the codes in their order, of all the rest last.

    >>> from shapely.geometry import box
    >>> class_areas(rings_of(box(0.5, 0, 2, 1)), [[4, 4, 5]], [[2.0]], [4]).tolist()
    [3.0, 0.0]
    """
    grid = np.asarray(codes)
    sizes = np.asarray(areas, dtype=np.float64)
    low, high = min(known), max(known)
    table = np.full(high - low + 1, len(known), dtype=np.int64)
    table[np.asarray(known) - low] = np.arange(len(known))
    sums = np.zeros((grid.shape[0], grid.shape[1] + 2))
    corners, starts = rings
    add_rings(corners, starts, sums)
    out = np.zeros(len(known) + 1)
    add_classes(sums, sizes, grid, low, table, out)
    return out


@compiled
def add_classes(
    sums: NDArray[np.float64],
    areas: NDArray[np.float64],
    codes: NDArray[np.int64],
    low: int,
    table: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Sum the area of each code along the rows, by the share of each cell."""
    rows, columns = codes.shape
    alike = areas.shape[1] == 1
    rest = out.size - 1
    line = np.zeros(out.size)
    for i in range(rows):
        share = 0.0
        line[:] = 0.0
        for j in range(columns):
            share -= sums[i, j]
            if share < _SNAP:
                continue
            part = 1.0 if share > 1.0 - _SNAP else share
            at = int(codes[i, j]) - low
            place = table[at] if 0 <= at < table.size else rest
            line[place] += part if alike else part * areas[i, j]
        for k in range(out.size):
            out[k] += line[k] * areas[i, 0] if alike else line[k]


@compiled
def add_piece(x0: float, x1: float, height: float, row: NDArray[np.float64]) -> None:
    """A piece of a side within one row, from x0 to x1, both within 0 .. columns."""
    if x1 < x0:
        x0, x1 = x1, x0
    last = row.size - 2
    first = min(int(x0), last)
    if x1 <= first + 1 or first == last:
        share = min(0.5 * (x0 + x1) - first, 1.0)
        row[first] += height * (1.0 - share)
        row[first + 1] += height * share
        return
    per = height / (x1 - x0)
    here = x0
    cell = first
    while here < x1 and cell <= last:
        end = min(x1, cell + 1.0)
        part = per * (end - here)
        share = 0.5 * (here + end) - cell
        row[cell] += part * (1.0 - share)
        row[cell + 1] += part * share
        here = end
        cell += 1


@compiled
def add_clamped(x0: float, x1: float, height: float, row: NDArray[np.float64]) -> None:
    """A piece within one row; what lies left or right of the grid goes to its edge."""
    columns = float(row.size - 2)
    if x0 == x1:
        place = min(max(x0, 0.0), columns)
        add_piece(place, place, height, row)
        return
    if x1 < x0:
        x0, x1 = x1, x0
    per = height / (x1 - x0)
    if x0 < 0.0:
        end = min(x1, 0.0)
        add_piece(0.0, 0.0, per * (end - x0), row)
        x0 = end
    if x1 > columns:
        begin = max(x0, columns)
        add_piece(columns, columns, per * (x1 - begin), row)
        x1 = begin
    if x1 > x0:
        add_piece(x0, x1, per * (x1 - x0), row)


@compiled
def add_rings(
    corners: NDArray[np.float64], starts: NDArray[np.int64], sums: NDArray[np.float64]
) -> None:
    """Add every side of every ring, cut at the rows' edges."""
    rows = sums.shape[0]
    for ring in range(starts.size - 1):
        for k in range(starts[ring], starts[ring + 1] - 1):
            x0, y0 = corners[k, 0], corners[k, 1]
            x1, y1 = corners[k + 1, 0], corners[k + 1, 1]
            if y0 == y1:
                continue
            sign = 1.0
            if y1 < y0:
                x0, x1, y0, y1 = x1, x0, y1, y0
                sign = -1.0
            slope = (x1 - x0) / (y1 - y0)
            top = max(y0, 0.0)
            bottom = min(y1, float(rows))
            row = int(top)
            while top < bottom and row < rows:
                end = min(bottom, row + 1.0)
                begin_x = x0 + (top - y0) * slope
                end_x = x0 + (end - y0) * slope
                add_clamped(begin_x, end_x, sign * (end - top), sums[row])
                top = end
                row += 1
