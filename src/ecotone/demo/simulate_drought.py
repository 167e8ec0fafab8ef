"""Forty-four years of rain, month by month, with one drought that nobody but the demo dated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, ndtri

from ecotone.demo import noise
from ecotone.demo.grid import CELL, COLUMNS, ROWS
from ecotone.demo.terrain import Terrain

FIRST: Final = 1981
LAST: Final = 2024
#: The year whose December is the worst of the drought.
DRY_YEAR: Final = 2021
#: Cells of the rain are this many cells of the basin wide.
RAIN_STEP: Final = 10
RAIN_CELL: Final = RAIN_STEP * CELL
SHAPE: Final = (-(-ROWS // RAIN_STEP), COLUMNS // RAIN_STEP)
#: Mean of each month in a cell of average rain, mm, and shape of its gamma distribution.
_MEANS: Final = np.array([18, 22, 34, 42, 38, 20, 12, 9, 11, 19, 21, 19.0])
_SHAPES: Final = np.array([2.6, 2.7, 3.2, 3.4, 3.0, 1.9, 1.2, 0.9, 1.1, 1.7, 2.2, 2.5])
_COMMON: Final = 0.62  # share of a month's variance that all of the basin has alike
_DROUGHT: Final = -0.64  # what the drought takes from each month's normal score, at its heart
_HEART: Final = (0.72, 0.34)  # down, right
_MOMENT: Final = 2.6  # gamma quantiles are read from a table up to this many standard deviations
_DRAWS: Final = 200_000


@dataclass(frozen=True)
class Rain:
    """Monthly sums on the coarse grid, a station's, and how dry they truly were.

    Attributes:
        months: of the layers.
        layers: mm, (months, rows, columns).
        station: mm, of the basin's oldest station.
        index: SPI-12 of each December by the distribution the rain was drawn from:
            (years, rows, columns).
        station_index: the same of the station, by year.
    """

    months: NDArray[np.datetime64]
    layers: NDArray[np.float64]
    station: NDArray[np.float64]
    index: NDArray[np.float64]
    station_index: dict[int, float]


def make_rain(rng: np.random.Generator, terrain: Terrain) -> Rain:
    """Draw the rain of all months; a drought runs through the dry year."""
    months = np.arange(f"{FIRST}-01", f"{LAST + 1}-01", dtype="datetime64[M]")
    wet = _wetness(terrain)
    dry = months.astype("datetime64[Y]") == np.datetime64(str(DRY_YEAR))
    down, right = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    away = np.hypot(down / SHAPE[0] - _HEART[0], (right / SHAPE[1] - _HEART[1]))
    depth = _DROUGHT * np.exp(-((away / 0.36) ** 2))
    common = _calm(rng.standard_normal(months.size))
    layers = np.empty((months.size, *SHAPE))
    station = np.empty(months.size)
    number = months.astype(int) % 12
    for month in range(12):
        score, sums = _table(month)
        for at in np.flatnonzero(number == month):
            local = noise.correlated(rng, SHAPE, 9)
            z = np.sqrt(_COMMON) * common[at] + np.sqrt(1 - _COMMON) * local + depth * dry[at]
            layers[at] = wet * np.interp(z, score, sums)
            station[at] = np.interp(common[at] + _DROUGHT * dry[at], score, sums)
    every, scores = _true_scores(rng)
    sums = layers.reshape(-1, 12, *SHAPE).sum(axis=1) / wet
    years = range(FIRST, LAST + 1)
    of_station = np.interp(station.reshape(-1, 12).sum(axis=1), every, scores)
    return Rain(
        months,
        layers,
        np.round(station, 1),
        np.interp(sums, every, scores),
        dict(zip(years, of_station.tolist(), strict=True)),
    )


def _calm(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The last four years without luck of their own: what is dry in them was planted."""
    last = scores[-48:].reshape(4, 12)
    return np.concatenate([scores[:-48], (last - last.mean(axis=1, keepdims=True)).ravel()])


def _wetness(terrain: Terrain) -> NDArray[np.float64]:
    """Rain against the average of the basin: more in the mountains."""
    rows, columns = SHAPE
    height = np.full((rows * RAIN_STEP, columns * RAIN_STEP), np.nan)
    height[:ROWS, :COLUMNS] = terrain.elevation
    blocks = height.reshape(rows, RAIN_STEP, columns, RAIN_STEP)
    wet: NDArray[np.float64] = 0.6 + np.nanmean(blocks, axis=(1, 3)) / 2400
    return wet


def _table(month: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Normal scores and the month's rain at them, mm."""
    score = np.linspace(-2 * _MOMENT, 2 * _MOMENT, 801)
    shape = _SHAPES[month]
    return score, gammaincinv(shape, ndtr(score)) * _MEANS[month] / shape


def _true_scores(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Yearly sums of twelve such months in order, and the normal score of each."""
    draws = np.sort(
        sum(rng.gamma(shape, mean / shape, _DRAWS)
            for shape, mean in zip(_SHAPES, _MEANS, strict=True))
    )  # fmt: skip
    return draws[::40], ndtri((np.arange(0, _DRAWS, 40) + 0.5) / _DRAWS)
