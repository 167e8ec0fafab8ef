"""One index of drought a year: as given, or the SPI of each December from monthly rain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Job, Parameter
from ecotone.assess.indicators.land_ground import Ground, strips
from ecotone.assess.indicators.land_index import (
    FEWEST_DRAWS,
    LEVEL,
    UNITS,
    Ask,
    in_mm,
    span_of,
    unit_of,
)
from ecotone.assess.indicators.land_index_rasters import raster_months
from ecotone.assess.indicators.mosaic import Mosaic, open_mosaic
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.words import say
from ecotone.science.land.gamma_scores import gamma_scores
from ecotone.science.land.resampling import redrawn_fits, year_draws
from ecotone.science.land.standardised import LIMIT, month_sums

Floats = NDArray[np.float64]

#: Cells whose fits are drawn again at a time.
_CELLS: Final = 4096
SEVERE: Final = -1.5

PARAMETERS: Final = (
    Parameter("first", "integer", 2000, minimum=1900, maximum=2100, unit="year"),
    Parameter("scale", "integer", 12, minimum=1, maximum=72, unit="month"),
    Parameter("calibration", "text", "1981-2010", unit="year"),
    Parameter("unit", "text", "mm", choices=tuple(UNITS)),
    Parameter("draws", "integer", 200, minimum=0, maximum=10_000),
)


@dataclass(frozen=True)
class Years:
    """A layer of the index for each year.

    Attributes:
        mosaic: the index, or the monthly rain it is computed from.
        years: of the layers.
        ask: what is computed of the rain; None where the index was given.
        months: of the rain.
        kept: the Decembers among the months.
        unit: of the rain.
    """

    mosaic: Mosaic
    years: tuple[int, ...]
    ask: Ask | None = None
    months: NDArray[np.datetime64] | None = None
    kept: NDArray[np.intp] | None = None
    unit: str = "mm"

    def index(self, window: Window) -> Floats:
        """(years, rows, columns), NaN where there is none."""
        tile = self.mosaic.tiles[0]
        values = tile.stack.read(window)
        if self.ask is None or self.months is None or self.kept is None:
            return values
        rain = in_mm(self.unit, values, tile.name, self.months)
        return self.ask.index(rain, self.months).index[self.kept]

    @property
    def layers(self) -> int:
        """Layers read for a block."""
        return len(self.mosaic.tiles[0].stack.times)


def open_years(job: Job) -> Years:
    """The index of a job; UsageError unless exactly one of index and rain is given."""
    given, rain = job.inputs.get("drought"), job.inputs.get("precipitation")
    if bool(given) == bool(rain):
        raise UsageError(say("assess.land.drought-or-rain"))
    if 0 < job.number("draws") < FEWEST_DRAWS:
        raise UsageError(say("assess.land.draws", fewest=FEWEST_DRAWS))
    if given:
        mosaic = open_mosaic(given)
        years = [int(year) for year in mosaic.tiles[0].years()]
        if len(set(years)) != len(years) or len(mosaic.tiles) > 1:
            name = mosaic.tiles[0].name
            mosaic.close()
            raise InputRefused(
                say("assess.land.not-yearly", name=name), say("assess.land.not-yearly.do")
            )
        return Years(mosaic, tuple(years))
    mosaic = open_mosaic(rain or ())
    months = raster_months(mosaic)
    kept = np.flatnonzero(months.astype(int) % 12 == 11)
    years = (months[kept].astype("datetime64[Y]").astype(int) + 1970).tolist()
    ask = Ask("spi", int(job.number("scale")), span_of(job), "upper")
    return Years(mosaic, tuple(years), ask, months, kept, unit_of(job))


@dataclass(frozen=True)
class Spread:
    """Ends of intervals for land and people under severe or extreme drought."""

    land: tuple[float, float]
    people: dict[str, tuple[float, float]]


def severe_spread(
    source: Years, ground: Ground, within: Window, block: list[int], draws: int,
    people: dict[str, Floats],
) -> Spread | None:  # fmt: skip
    """How far severe drought in the worst of some years moves when other years calibrate.

    The years of the calibration are drawn with replacement, the same for all cells; None where
    the index was given, for then nothing is known of its fit.
    """
    if source.ask is None or source.months is None or source.kept is None or draws == 0:
        return None
    first, last = source.ask.calibration or (1981, 2010)
    years = np.asarray(source.years)
    chosen = (years >= first) & (years <= last)
    counts = year_draws(int(chosen.sum()), draws)
    land = np.zeros(draws)
    lived = {name: np.zeros(draws) for name in people}
    tile = source.mosaic.tiles[0]
    for window in strips(within, max(1, (1 << 22) // source.layers)):
        rain = in_mm(source.unit, tile.stack.read(window), tile.name, source.months)
        sums = month_sums(rain, source.ask.scale)[source.kept].reshape(len(years), -1)
        km2 = np.broadcast_to(ground.km2(window), (int(window.height), int(window.width))).ravel()
        top = int(window.row_off - within.row_off)
        here = {n: p[top : top + int(window.height)].ravel() for n, p in people.items()}
        worst_of = sums[np.isin(years, block)]
        for start in range(0, km2.size, _CELLS):
            part = slice(start, start + _CELLS)
            hard = _severe(sums[chosen][:, part], worst_of[:, part], counts)
            land += hard @ km2[part]
            for name, count in here.items():
                lived[name] += hard @ count[part]
    return Spread(_ends(land), {name: _ends(sums) for name, sums in lived.items()})


def _severe(calibration: Floats, sums: Floats, counts: Floats) -> Floats:
    """1 for each draw and cell whose driest year is at least severe, else 0."""
    alpha, beta, zeros = redrawn_fits(calibration, counts)
    draws, cells = alpha.shape
    x = np.tile(sums, (1, draws))
    score = gamma_scores(x, alpha.ravel(), beta.ravel(), zeros.ravel(), LIMIT)
    hard = (score <= SEVERE).any(axis=0).reshape(draws, cells)
    return hard.astype(np.float64)


def _ends(draws: Floats) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
