"""The ground under a grid: areas on the ellipsoid, the share of each cell inside a region.

Every table of a run takes its areas from here, so all share one denominator: the region's area
where one is given, else that of the whole grid; what has no data is a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.assess.indicators.mosaic import Mosaic
from ecotone.formats.raster import Stack, open_layer
from ecotone.model.errors import InputRefused, NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.land.areas import authalic_height, cell_areas, quad_areas
from ecotone.science.land.coverage import Rings, class_areas, coverage, rings_of
from ecotone.science.land.status import area_by_code

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

#: Cell sizes are written with few decimals: one this near to 1/n of a degree is 1/n of it.
_WRITTEN: Final = 1e-5
#: Cells of one block of work.
BLOCK_CELLS: Final = 1 << 18


@dataclass(frozen=True)
class Ground:
    """A grid on the earth and the region asked for; travels to workers with each block."""

    transform: Affine
    crs: CRS
    width: int
    height: int
    rings: tuple[Rings, ...] = ()  #: of the region, in cells; none for the whole grid

    @classmethod
    def of(cls, mosaic: Mosaic, region: BaseGeometry | None) -> Ground:
        """The ground of a mosaic; InputRefused where it has no reference system."""
        if mosaic.crs is None:
            raise InputRefused(
                say("assess.land.crs-missing", name=mosaic.tiles[0].name),
                say("assess.land.crs-missing.do"),
            )
        transform = _exact(mosaic.transform, mosaic.crs)
        plain = cls(transform, mosaic.crs, mosaic.width, mosaic.height)
        return plain if region is None else plain.clipped(region)

    def clipped(self, region: BaseGeometry) -> Ground:
        """The same grid under another region (longitude and latitude)."""
        return Ground(self.transform, self.crs, self.width, self.height, self.outlines(region))

    @property
    def geographic(self) -> bool:
        """Whether rows are parallels and columns meridians."""
        return bool(self.crs.is_geographic) and self.transform.b == 0 == self.transform.d

    def outlines(self, region: BaseGeometry) -> tuple[Rings, ...]:
        """A region's rings counted in cells; twice where the grid goes on beyond 180 degrees."""
        from shapely import transform
        from shapely.affinity import translate

        shapes = [region]
        if self.crs.is_geographic:
            if self.transform.c + self.width * self.transform.a > 180:
                shapes.append(translate(region, xoff=360.0))
        else:
            import geopandas

            series = geopandas.GeoSeries([region], crs=4326)
            shapes = [series.to_crs(self.crs.to_wkt()).iloc[0]]
        return tuple(rings_of(transform(shape, self._cells)) for shape in shapes)

    def _cells(self, points: Floats) -> Floats:
        """Columns and rows of points; within a row by area, which a parallel does not halve."""
        column, row = ~self.transform * (points[:, 0], points[:, 1])
        column, row = np.asarray(column), np.asarray(row)
        if self.geographic:
            whole = np.floor(row)
            top, step = self.transform.f, self.transform.e
            edges = [np.clip(top + step * (whole + k), -90, 90) for k in (0, 1)]
            first, second = (authalic_height(edge) for edge in edges)
            here = authalic_height(np.clip(points[:, 1], -90, 90))
            inside = first != second
            share = np.where(inside, (here - first) / np.where(inside, second - first, 1.0), 0.0)
            row = whole + np.where(inside, share, row - whole)
        return np.column_stack([column, row])

    def cell_km2(self, window: Window) -> Floats:
        """The area of each whole cell of a window; one column where all columns are alike."""
        top, left = int(window.row_off), int(window.col_off)
        rows, columns = int(window.height), int(window.width)
        if self.geographic:
            edges = self.transform.f + self.transform.e * np.arange(top, top + rows + 1)
            areas = cell_areas(np.clip(edges, -90, 90), self.transform.a)[:, None]
        else:
            areas = quad_areas(*self._corners(top, left, rows, columns))
        km2: Floats = areas / 1e6
        return km2

    def _corners(self, top: int, left: int, rows: int, columns: int) -> tuple[Floats, Floats]:
        from rasterio.warp import transform as project

        column, row = np.meshgrid(
            np.arange(left, left + columns + 1), np.arange(top, top + rows + 1)
        )
        x, y = self.transform * (column.astype(np.float64), row.astype(np.float64))
        lon, lat = project(self.crs, CRS.from_epsg(4326), x.ravel(), y.ravel())
        shape = (rows + 1, columns + 1)
        return np.reshape(lon, shape), np.reshape(lat, shape)

    def shares(self, window: Window, rings: Sequence[Rings] | None = None) -> Floats:
        """The share of each cell inside the region, or inside other rings."""
        rows, columns = int(window.height), int(window.width)
        chosen = self.rings if rings is None else rings
        if not chosen:
            return np.ones((rows, columns))
        total = np.zeros((rows, columns))
        corner = np.array([window.col_off, window.row_off], dtype=np.float64)
        for corners, starts in chosen:
            total += coverage((corners - corner, starts), rows, columns)
        return np.minimum(total, 1.0)

    def class_km2(
        self, window: Window, codes: NDArray[Any], known: Sequence[int],
        rings: Sequence[Rings] | None = None,
    ) -> Floats:  # fmt: skip
        """Areas by class of a window inside the region or other rings, all the rest last."""
        area = self.cell_km2(window)
        chosen = self.rings if rings is None else rings
        if len(chosen) != 1:
            return area_by_code(codes, area * self.shares(window, rings), known)
        corners, starts = chosen[0]
        corner = np.array([window.col_off, window.row_off], dtype=np.float64)
        return class_areas((corners - corner, starts), codes, area, known)

    def km2(self, window: Window) -> Floats:
        """The area of each cell inside the region."""
        areas: Floats = self.cell_km2(window) * self.shares(window)
        return areas

    def bounds(self) -> Window | None:
        """The smallest window that holds the region; None where it lies outside."""
        if not self.rings:
            return Window(0, 0, self.width, self.height)
        boxes = [(c.min(axis=0), c.max(axis=0)) for c, _ in self.rings if len(c)]
        edges = [
            (max(0, int(np.floor(low[0]))), max(0, int(np.floor(low[1]))),
             min(self.width, int(np.ceil(high[0]))), min(self.height, int(np.ceil(high[1]))))
            for low, high in boxes
        ]  # fmt: skip
        inside = [e for e in edges if e[2] > e[0] and e[3] > e[1]]
        if not inside:
            return None
        left, top = min(e[0] for e in inside), min(e[1] for e in inside)
        right, bottom = max(e[2] for e in inside), max(e[3] for e in inside)
        return Window(left, top, right - left, bottom - top)

    def window(self) -> Window:
        """As ``bounds``; NotComputable where the region lies outside."""
        found = self.bounds()
        if found is None:
            raise NotComputable(say("assess.land.outside"), say("assess.land.outside.do"))
        return found

    def whole_km2(self) -> float:
        """The region's area, also where it lies beyond the grid; the grid's without a region."""
        if not self.rings:
            everything = Window(0, 0, self.width, self.height)
            return float(
                sum(
                    self.cell_km2(part).sum() * (part.width if self.geographic else 1)
                    for part in strips(everything)
                )
            )
        window = self.window()
        return float(sum(self.km2(part).sum() for part in strips(window)))


def strips(within: Window, cells: int = BLOCK_CELLS) -> Iterator[Window]:
    """Full-width parts of a window, top to bottom."""
    step = max(1, cells // max(1, int(within.width)))
    end = int(within.row_off + within.height)
    for top in range(int(within.row_off), end, step):
        yield Window(within.col_off, top, within.width, min(step, end - top))


def _exact(transform: Affine, crs: CRS) -> Affine:
    """Cell sizes of degrees without the rounding they were written with."""
    if not crs.is_geographic or transform.b != 0 or transform.d != 0:
        return transform
    return Affine(_fraction(transform.a), 0, transform.c, 0, _fraction(transform.e), transform.f)


def _fraction(step: float) -> float:
    """1/n of a degree where a step is that but for its last decimals."""
    number = round(1 / abs(step)) if abs(step) < 1 else 0
    near = number > 0 and abs(abs(step) * number - 1) < _WRITTEN
    return float(np.copysign(1 / number, step)) if near else step


@dataclass(frozen=True)
class Layer:
    """A single map on the mosaic's grid."""

    name: str
    stack: Stack

    def read(self, window: Window) -> Floats:
        """Values of a window, NaN where there is none."""
        values: Floats = self.stack.read(window)[0]
        return values

    def codes(self, window: Window) -> NDArray[np.int64]:
        """Whole numbers of a window, -1 where there is none."""
        values = self.read(window)
        codes: NDArray[np.int64] = np.where(np.isfinite(values), np.rint(values), -1).astype(
            np.int64
        )
        return codes


def open_on(mosaic: Mosaic, paths: Sequence[Path]) -> Layer:
    """A map without a date on the grid of a mosaic; InputRefused where its grid differs."""
    path = paths[0]
    stack = open_layer(path)
    check_grid(mosaic, path.name, stack)
    return Layer(path.name, stack)


def check_grid(mosaic: Mosaic, name: str, stack: Stack) -> None:
    """InputRefused where a stack does not lie on the mosaic's grid; nothing is resampled."""
    a, b = mosaic.transform, stack.transform
    step = max(abs(a.a), abs(a.e)) * 1e-3
    same = (
        (stack.width, stack.height) == (mosaic.width, mosaic.height)
        and stack.crs == mosaic.crs
        and a.almost_equals(b, precision=step)
    )
    if not same:
        raise InputRefused(
            say("assess.land.grids-differ", first=mosaic.tiles[0].name, other=name),
            say("assess.land.grids-differ.do"),
        )


def out_of_range(lowest: float, highest: float, field: str = "ndvi") -> None:
    """InputRefused where values of NDVI cannot be fractions: scaled integers without a scale."""
    if lowest < -1.5 or highest > 1.5:
        raise InputRefused(
            say("assess.land.scale-missing", field=field, lowest=lowest, highest=highest),
            say("assess.land.scale-missing.do"),
        )


def range_findings(lowest: float, highest: float) -> Iterator[Finding]:
    """A warning where NDVI lies beyond -1 .. 1, where it is told apart from a missing scale."""
    if lowest < -1 or highest > 1:
        yield Finding(
            "land-ndvi-range",
            Severity.WARNING,
            field="ndvi",
            params={"lowest": f"{lowest:g}", "highest": f"{highest:g}"},
        )
