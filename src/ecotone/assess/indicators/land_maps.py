"""Land cover year by year and soil carbon: what three indicators read the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Job
from ecotone.assess.indicators.land_ground import Layer, check_grid
from ecotone.assess.indicators.land_table import read_numbers
from ecotone.assess.indicators.mosaic import Mosaic, open_mosaic
from ecotone.model.errors import InputRefused, NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.land.carbon import carbon_change, carbon_classes, carbon_stocks
from ecotone.science.land.cover import (
    CLIMATE_FACTORS,
    WATER,
    Legend,
    TransitionMatrix,
    esa_nesting,
    nested,
    unccd_legend,
    unccd_transitions,
)
from ecotone.science.land.lookup import NODATA, Codes

Floats = NDArray[np.float64]

#: How the codes of the maps are read; ``own`` needs a table of transitions or nesting.
LEGENDS: Final = ("unccd", "esa_cci")


@dataclass(frozen=True)
class Cover:
    """Maps of land cover by year, nested into the classes of a matrix."""

    mosaic: Mosaic
    years: tuple[int, ...]
    nesting: dict[int, int]
    matrix: TransitionMatrix

    def year_at(self, wanted: int, *, last: bool) -> int | None:
        """The year of a map that stands for another: the first not before, or last not after."""
        fitting = [y for y in self.years if (y <= wanted if last else y >= wanted)]
        return (max(fitting) if last else min(fitting)) if fitting else None

    def maps(self, window: Window, years: Sequence[int]) -> Codes:
        """The classes of a window in some of the years that have maps."""
        tile = self.mosaic.tiles[0]
        values = tile.stack.read(window)[[self.years.index(year) for year in years]]
        codes = np.where(np.isfinite(values), np.rint(values), NODATA).astype(np.int64)
        try:
            return nested(codes, self.nesting)
        except ValueError as error:
            raise InputRefused(
                say("assess.land.legend", name=tile.name, why=error),
                say("assess.land.legend.do"),
            ) from error

    def change(self, window: Window, first: int, last: int) -> Codes:
        """What the transitions of a window mean."""
        before, after = self.maps(window, [first, last])
        return self.matrix.of(before, after)

    def between(self, start: int, end: int) -> tuple[int, int] | None:
        """The first and last map of a period; None where it has no two."""
        first, last = self.year_at(start, last=False), self.year_at(end, last=True)
        return None if first is None or last is None or last <= first else (first, last)

    def yearly(self, window: Window, start: int, end: int) -> Codes:
        """Classes of every year; a year without a map keeps those of the map before."""
        have = [self.year_at(max(year, self.years[0]), last=True) for year in range(start, end + 1)]
        needed = sorted({year for year in have if year is not None})
        maps = self.maps(window, needed)
        return maps[[needed.index(year) for year in have if year is not None]]


def open_cover(job: Job, base: Mosaic | None = None) -> Cover:
    """The maps of a job's input ``landcover``, on the grid of another mosaic where given."""
    mosaic = open_mosaic(job.inputs["landcover"])
    tile = mosaic.tiles[0]
    if len(mosaic.tiles) > 1:
        raise InputRefused(say("assess.land.cover-tiles"), say("assess.land.cover-tiles.do"))
    if base is not None:
        check_grid(base, tile.name, tile.stack)
    years = [int(year) for year in tile.years()]
    if len(set(years)) != len(years):
        raise InputRefused(
            say("assess.land.cover-twice", name=tile.name), say("assess.land.cover-twice.do")
        )
    matrix = _matrix(job.inputs.get("transitions"))
    return Cover(mosaic, tuple(years), _nesting(job, matrix.legend), matrix)


def _nesting(job: Job, legend: Legend) -> dict[int, int]:
    given = job.inputs.get("nesting")
    if given:
        found = read_whole_numbers(given[0], ("code", "class"))
        return {int(row[0]): int(row[1]) for row in found}
    if job.parameters.get("legend") == "esa_cci":
        return esa_nesting()
    return {code: code for code in legend.codes}


def _matrix(given: tuple[Path, ...] | None) -> TransitionMatrix:
    """The matrix of a table ``initial, final, effect``; the UNCCD's own where there is none."""
    if not given:
        return unccd_transitions()
    rows = read_whole_numbers(given[0], ("initial", "final", "effect"))
    codes = sorted({int(c) for row in rows for c in row[:2]})
    known = dict(zip(unccd_legend().codes, unccd_legend().names, strict=True))
    legend = Legend(tuple(codes), tuple(known.get(c, str(c)) for c in codes))
    effect = np.full((len(codes), len(codes)), NODATA, dtype=np.int16)
    for initial, final, meaning in rows:
        effect[codes.index(int(initial)), codes.index(int(final))] = int(meaning)
    missing = [f"{codes[i]}-{codes[j]}" for i, j in np.argwhere(effect == NODATA)]
    if missing:
        raise InputRefused(
            say("assess.land.matrix", name=given[0].name, pairs=", ".join(missing[:10])),
            say("assess.land.matrix.do"),
        )
    try:
        return TransitionMatrix(legend, effect)
    except ValueError as error:
        raise InputRefused(
            say("assess.land.matrix-wrong", name=given[0].name, why=error),
            say("assess.land.matrix.do"),
        ) from error


def read_whole_numbers(path: Path, columns: tuple[str, ...]) -> list[tuple[float, ...]]:
    """Whole numbers of a CSV file's columns."""
    frame = read_numbers(path, columns, columns).frame[list(columns)]
    values = frame.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        raise InputRefused(
            say("assess.land.not-whole", name=path.name), say("assess.land.not-whole.do")
        )
    return [tuple(row) for row in values.tolist()]


@dataclass(frozen=True)
class Carbon:
    """Soil carbon from a stock and the cover of the years after it."""

    stock: Layer
    cover: Cover
    factor: float
    first: int  #: the year the stock is of

    def series(self, window: Window, last: int) -> tuple[Floats, Codes]:
        """t/ha of every year and the cover; NaN on what was water in the first year."""
        maps = self.cover.yearly(window, self.first, last)
        stock = self.stock.read(window)
        check_stock(self.stock.name, stock)
        stock = np.where(maps[0] == WATER, np.nan, stock)
        return carbon_stocks(stock, maps, self.factor), maps

    def change(
        self, window: Window, years: tuple[int, int], limit: float, *, inclusive: bool
    ) -> Codes:
        """Degraded, stable, improved between two years."""
        series = self.series(window, years[1])[0]
        before = series[max(years[0] - self.first, 0)]
        return carbon_classes(carbon_change(before, series[-1]), limit, inclusive=inclusive)


def check_stock(name: str, stock: Floats) -> None:
    """InputRefused where a stock cannot be tonnes a hectare in the upper 30 cm."""
    low, high = np.fmin.reduce(stock, axis=None), np.fmax.reduce(stock, axis=None)
    if low < 0 or high > 2000:
        raise InputRefused(
            say("assess.land.stock", name=name, lowest=low, highest=high),
            say("assess.land.stock.do"),
        )


def climate_factor(job: Job) -> float:
    """The share of carbon that cropland keeps in the climate asked for."""
    return CLIMATE_FACTORS[str(job.parameters["climate"])]


def used_years(asked: tuple[int, int], used: tuple[int, int], field: str) -> list[Finding]:
    """Told where other years stand in for those asked for."""
    return [
        Finding(
            "land-year-stands-in",
            Severity.WARNING,
            field=field,
            value=str(one),
            params={"used": str(other)},
        )
        for one, other in zip(asked, used, strict=True)
        if one != other
    ]


def two_maps(cover: Cover, start: int, end: int) -> tuple[int, int]:
    """The maps of a period; NotComputable where it has no two."""
    found = cover.between(start, end)
    if found is None:
        raise NotComputable(
            say(
                "assess.land.two-maps",
                start=start,
                end=end,
                years=", ".join(map(str, cover.years)),
            ),
            say("assess.land.two-maps.do"),
        )
    return found
