"""Which composites of a year count: all, those of some months, those of the growing season."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.land.annual import annual_mean, calendar_years

Floats = NDArray[np.float64]
Measure = Literal["mean", "integral"]
MEASURES: Final[tuple[Measure, ...]] = ("mean", "integral")
_MONTHS: Final = re.compile(r"(\d{1,2})\s*-\s*(\d{1,2})")
#: Days in a bin of the mean yearly course; composites of 8, 10, 15, 16 days and months fit.
_BIN: Final = 8
_DAYS: Final = 365.25


@dataclass(frozen=True)
class Season:
    """How composites become one number a year.

    Attributes:
        months: first and last month, both included; a season that ends before it begins runs
            over the turn of the year and belongs to the year it ends in. None for all months.
        phenology: count only composites of the pixel's own growing season.
        least: share of a year's composites that must be valid, 0 .. 1.
        measure: ``mean``, or ``integral``: the mean times the length of the season in days.
    """

    months: tuple[int, int] | None = None
    phenology: bool = False
    least: float = 0.0
    measure: Measure = "mean"

    @property
    def plain(self) -> bool:
        """Whether this is the mean of the calendar year without further conditions."""
        whole = self.months in (None, (1, 12)) and not self.phenology
        return whole and self.least <= 0 and self.measure == "mean"


def season_of(text: str, least: float = 0.0, measure: Measure = "mean") -> Season:
    """A season as people write it: ``year``, ``phenology``, ``5-9``, ``11-3``.

    Args:
        text: the season.
        least: share of valid composites.
        measure: what becomes of them.

    Returns:
        The season.

    Raises:
        ValueError: none of these, or months beyond 1 .. 12.

    >>> season_of("5-9").months
    (5, 9)
    """
    said = text.strip().casefold()
    if said in ("year", "phenology"):
        return Season(None, said == "phenology", least, measure)
    match = _MONTHS.fullmatch(said)
    if match is None or not all(1 <= int(m) <= 12 for m in match.groups()):
        raise ValueError(f"a season is year, phenology or months such as 5-9, not {text!r}")
    return Season((int(match[1]), int(match[2])), False, least, measure)


def growing_season(values: ArrayLike, times: ArrayLike, share: float = 0.5) -> NDArray[np.bool_]:
    """Composites of each pixel's growing season.

    The mean course of the year is taken over bins of 8 days; the season is the unbroken run of
    bins around its highest where it stays above low + ``share`` (high - low), also over the
    turn of the year. White et al. (1997), doi:10.1029/97GB00330 (midpoint).

    Args:
        values: (time, ...) stack, NaN = missing.
        times: (time,) dates.
        share: of the amplitude.

    Returns:
        (time, ...); all True where a pixel's course is flat or unknown.
    """
    stack = np.asarray(values, dtype=np.float64)
    dates = np.asarray(times).astype("datetime64[D]")
    day = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
    used, place = np.unique(day // _BIN, return_inverse=True)
    course = np.full((used.size, *stack.shape[1:]), np.nan)
    for number in range(used.size):
        here = stack[place == number]
        known = np.isfinite(here).sum(axis=0)
        total = np.where(np.isfinite(here), here, 0.0).sum(axis=0)
        course[number] = np.where(known > 0, total / np.maximum(known, 1), np.nan)
    low, high = np.fmin.reduce(course), np.fmax.reduce(course)
    with np.errstate(invalid="ignore"):
        green = course >= low + share * (high - low)
    top = np.argmax(np.where(np.isnan(course), -np.inf, course), axis=0)
    inside = np.zeros(course.shape, dtype=np.bool_)
    bins = np.arange(used.size).reshape(-1, *[1] * (stack.ndim - 1))
    for step in (1, -1):
        going = np.ones(top.shape, dtype=np.bool_)
        for away in range(used.size):
            at = (top + step * away) % used.size
            going &= np.take_along_axis(green, at[None], axis=0)[0]
            inside |= (bins == at) & going
    flat = ~(high > low)
    chosen: NDArray[np.bool_] = (inside | flat)[place]
    return chosen


def yearly_productivity(
    values: ArrayLike, times: ArrayLike, start: int, end: int, season: Season
) -> Floats:
    """One number a year from the composites that count.

    Args:
        values: (time, ...) stack, NaN = missing.
        times: (time,) dates.
        start: first year.
        end: last year.
        season: which composites count, and how.

    Returns:
        (years, ...), NaN in years with too few valid composites.

    >>> days = np.array(["2001-01-01", "2001-07-01"], "datetime64[D]")
    >>> yearly_productivity([0.1, 0.5], days, 2001, 2001, season_of("5-9")).tolist()
    [0.5]
    """
    stack = np.asarray(values, dtype=np.float64)
    dates = np.asarray(times).astype("datetime64[D]")
    if season.plain:
        return annual_mean(stack, dates, start, end)[1]
    counted = np.ones(stack.shape, dtype=np.bool_)
    shifted = dates
    length = _DAYS
    if season.months is not None:
        first, last = season.months
        month = dates.astype("datetime64[M]").astype(int) % 12 + 1
        over = first > last
        here = (month >= first) | (month <= last) if over else (month >= first) & (month <= last)
        counted &= here.reshape(-1, *[1] * (stack.ndim - 1))
        if over:
            turned = month >= first
            shifted = np.where(turned, dates.astype("datetime64[Y]") + 1, dates)
        length = _DAYS * ((last - first) % 12 + 1) / 12
    if season.phenology:
        counted &= growing_season(stack, dates)
    years = calendar_years(shifted)
    means = annual_mean(np.where(counted, stack, np.nan), shifted, start, end)[1]
    for number, year in enumerate(range(start, end + 1)):
        there = years == year
        usual = counted[there].sum(axis=0)
        valid = (counted[there] & np.isfinite(stack[there])).sum(axis=0)
        means[number] = np.where(
            valid >= season.least * np.maximum(usual, 1), means[number], np.nan
        )
        if season.measure == "integral":
            of_year = usual / max(1, int(there.sum())) * _DAYS if season.phenology else length
            means[number] = means[number] * of_year
    return means
