"""A standardised index of one series or of a block of them: what tables and rasters share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.assess.indicator import Job
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.resampling import spei_interval, spi_interval
from ecotone.science.land.standardised import Standardised, Zero, spei, spi

Floats = NDArray[np.float64]
Kind = Literal["spi", "spei"]

_YEARS: Final = re.compile(r"\s*(\d{4})\s*[-–/:]\s*(\d{4})\s*")
#: Draws that carry an interval.
FEWEST_DRAWS: Final = 100
#: Of the intervals.
LEVEL: Final = 0.95
#: Millimetres in the units that files of precipitation come in; per second in the last.
UNITS: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4, "kg/m2/s": 86400.0}
#: Mean yearly sums outside these are in another unit than was said, mm.
_YEARLY: Final = (1.0, 15000.0)


@dataclass(frozen=True)
class Ask:
    """What is computed of every series; travels to the workers with each block."""

    kind: Kind
    scale: int
    calibration: tuple[int, int] | None
    zero: Zero

    def index(self, values: Floats, months: NDArray[np.datetime64]) -> Standardised:
        """The index of one series or of a block of them."""
        if self.kind == "spi":
            calibration = self.calibration or (1981, 2010)
            return spi(values, months, scale=self.scale, calibration=calibration, zero=self.zero)
        return spei(values, months, scale=self.scale, calibration=self.calibration)

    def interval(
        self, values: Floats, months: NDArray[np.datetime64], draws: int
    ) -> tuple[Floats, Floats]:
        """Of one series, by drawing the years of the fit again; NaN where no draws are asked."""
        if draws == 0:
            return np.full(values.shape, np.nan), np.full(values.shape, np.nan)
        if self.kind == "spi":
            return spi_interval(
                values, months, scale=self.scale, calibration=self.calibration or (1981, 2010),
                zero=self.zero, level=LEVEL, draws=draws,
            )  # fmt: skip
        return spei_interval(
            values, months, scale=self.scale, calibration=self.calibration, level=LEVEL, draws=draws
        )


def index_values(
    index: Floats,
    months: NDArray[np.datetime64],
    low: Floats | None = None,
    high: Floats | None = None,
) -> dict[str, Value]:
    """The driest months, with their intervals where there are any."""
    there = np.isfinite(index)
    december = there & (months.astype(int) % 12 == 11)
    return {
        "months": Value(value=int(there.sum()), unit="month"),
        "lowest": _driest(index, there, low, high),
        "lowest_december": _driest(index, december, low, high),
        "severe_months": Value(value=int((index[there] <= -1.5).sum()), unit="month"),
    }


def _driest(
    index: Floats, among: NDArray[np.bool_], low: Floats | None, high: Floats | None
) -> Value:
    """The least of some months, with the interval of that month."""
    if not among.any():
        return Value(value=None, unit="1")
    at = int(np.argmin(np.where(among, index, np.inf)))
    if low is None or high is None or not np.isfinite(low[at]):
        return Value(value=float(index[at]), unit="1")
    return Value(
        value=float(index[at]), unit="1", low=float(low[at]), high=float(high[at]), level=LEVEL
    )


def span_of(job: Job) -> tuple[int, int] | None:
    """The years of the calibration; None where none are said."""
    given = job.parameters["calibration"]
    if given is None:
        return None
    match = _YEARS.fullmatch(str(given))
    if match is None:
        raise UsageError(say("assess.land.span", name="calibration", given=given))
    return int(match[1]), int(match[2])


def unit_of(job: Job) -> str:
    """The unit the precipitation is said to be in."""
    return str(job.parameters["unit"])


def in_mm(unit: str, values: Floats, name: str, months: NDArray[np.datetime64]) -> Floats:
    """Precipitation in mm a month; InputRefused where it cannot be in the unit it is said."""
    factor: Floats | float = UNITS[unit]
    if unit == "kg/m2/s":
        starts = months.astype("datetime64[D]")
        days = ((months + np.timedelta64(1, "M")).astype("datetime64[D]") - starts).astype(float)
        factor = factor * days.reshape(-1, *[1] * (values.ndim - 1))
    made: Floats = values * factor
    if (made < 0).any():
        raise InputRefused(
            say("assess.land.rain-negative", name=name, lowest=float(np.nanmin(values))),
            say("assess.land.missing-code.do"),
        )
    known = made[np.isfinite(made)]
    yearly = 12 * float(known.mean()) if known.size else 0.0
    if known.size and yearly > 0 and not _YEARLY[0] <= yearly <= _YEARLY[1]:
        raise InputRefused(
            say("assess.land.rain-unit", name=name, yearly=yearly, unit=unit),
            say("assess.land.rain-unit.do", units=", ".join(UNITS)),
        )
    return made
