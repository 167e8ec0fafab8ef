"""When animals are active: kernel density of the time of day, level, overlap of two species.

Ridout and Linkie (2009) doi:10.1198/jabes.2009.08038 (density and overlap), Rowcliffe and others
(2014) doi:10.1111/2041-210X.12278 (level), Vazquez and others (2019)
doi:10.1111/2041-210X.13290 (time by the sun).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ive

Floats = NDArray[np.float64]

#: Points of the day at which densities are told.
GRID: Final = 256
#: Below and from these sizes of the smaller sample the estimators of overlap serve best.
_SMALL: Final = 50
_LARGE: Final = 75


def bandwidth(angles: Floats, moments: int = 3) -> float:
    """Concentration of the von Mises kernel: a reference rule on the clearest of some moments.

    Taylor (2008) doi:10.1016/j.csda.2007.11.003 with the concentration taken as the largest
    found from the first, second and third trigonometric moment.

    Raises:
        ValueError: fewer than two different times.
    """
    if len(np.unique(angles)) < 2:
        raise ValueError("activity: at least two different times of day")
    n = len(angles)
    kappa = max(_concentration(angles, k) for k in range(1, moments + 1))
    # ive is scaled by exp(-x): both sides of the fraction by exp(-2 kappa).
    rule = 3.0 * n * kappa**2 * ive(2, 2.0 * kappa) / (4.0 * np.sqrt(np.pi) * ive(1, kappa) ** 2)
    return float(rule**0.4)


def _concentration(angles: Floats, moment: int) -> float:
    """Kappa of the von Mises distribution with the sample's moment about its own direction."""
    direction = np.angle(np.exp(1j * angles).mean())
    length = float(np.cos(moment * (angles - direction)).mean())
    if length <= 1e-9:
        return 1e-3
    if length >= 0.9999:
        return 1e4

    def lack(kappa: float) -> float:
        return float(ive(moment, kappa) / ive(0, kappa)) - length

    return float(brentq(lack, 1e-6, 1e6)) if lack(1e6) > 0 else 1e4


def density(angles: Floats, at: Floats, kappa: float) -> Floats:
    """Kernel density of times of day, per radian.

    Args:
        angles: (records,) times as angles, 2 pi a day.
        at: (points,) where it is wanted.
        kappa: concentration of the kernel.
    """
    kernel = np.exp(kappa * (np.cos(at[:, None] - angles[None, :]) - 1.0))
    told: Floats = kernel.mean(axis=1) / (2.0 * np.pi * ive(0, kappa))
    return told


def grid() -> Floats:
    """The points of the day, as angles."""
    points: Floats = np.arange(GRID, dtype=np.float64) * (2.0 * np.pi / GRID)
    return points


def level(angles: Floats, adjust: float = 1.0) -> float:
    """Share of the day active, if all are active at the peak: 1 / (2 pi largest density)."""
    f = density(angles, grid(), adjust * bandwidth(angles))
    return float(1.0 / (2.0 * np.pi * f.max()))


def overlap(one: Floats, two: Floats, kind: int) -> float:
    """Overlap of two species' densities, from 0 to 1.

    Args:
        one: times of the first, as angles.
        two: times of the second.
        kind: 1, the integral of the smaller density (small samples), or 4, the mean ratio at
            the records themselves (large ones).
    """
    factor = 1.25 if kind == 1 else 1.0
    k1, k2 = bandwidth(one) / factor, bandwidth(two) / factor
    if kind == 1:
        at = grid()
        smaller = np.minimum(density(one, at, k1), density(two, at, k2))
        return float(smaller.mean() * 2.0 * np.pi)
    ratio_one = density(two, one, k2) / density(one, one, k1)
    ratio_two = density(one, two, k1) / density(two, two, k2)
    return float((np.minimum(1.0, ratio_one).mean() + np.minimum(1.0, ratio_two).mean()) / 2.0)


def overlap_kinds(one: int, two: int) -> tuple[int, ...]:
    """Estimators that serve samples of these sizes: 1, 4, or between them both."""
    smaller = min(one, two)
    return (1,) if smaller < _SMALL else (4,) if smaller > _LARGE else (1, 4)


@dataclass(frozen=True)
class Bootstrap:
    """A statistic, its standard error and 95 % percentile interval."""

    value: float
    se: float
    low: float
    high: float


def bootstrap_level(angles: Floats, replicates: int, rng: np.random.Generator) -> Bootstrap:
    """Activity level with records drawn anew."""
    drawn = [level(rng.choice(angles, len(angles))) for _ in range(replicates)]
    return _summary(level(angles), np.array(drawn))


def bootstrap_overlap(
    one: Floats, two: Floats, kind: int, replicates: int, rng: np.random.Generator
) -> Bootstrap:
    """Overlap with both species' records drawn anew, moved to the value where they lie off it."""
    value = overlap(one, two, kind)
    drawn = np.array(
        [
            overlap(rng.choice(one, len(one)), rng.choice(two, len(two)), kind)
            for _ in range(replicates)
        ]
    )
    if len(drawn):
        # Resamples repeat records and so overlap less than what they are drawn from.
        drawn = np.clip(drawn + value - drawn.mean(), 0.0, 1.0)
    return _summary(value, drawn)


def _summary(value: float, drawn: Floats) -> Bootstrap:
    if len(drawn) < 2:
        return Bootstrap(value, float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Bootstrap(value, float(drawn.std(ddof=1)), float(low), float(high))


def sun(day: Floats, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Sunrise and sunset, hours UTC, by the equations of Meeus as NOAA uses them (to a minute).

    Args:
        day: days since 2000-01-01 12:00 UTC, of the day's noon at the place.
        latitude: degrees.
        longitude: degrees, east positive.

    Returns:
        Hours from midnight UTC (they may lie outside 0 to 24); NaN where the sun does not rise
        or set.
    """
    century = day / 36525.0
    mean_long = np.radians((280.46646 + century * (36000.76983 + century * 0.0003032)) % 360.0)
    anomaly = np.radians(357.52911 + century * (35999.05029 - 0.0001537 * century))
    eccentricity = 0.016708634 - century * (0.000042037 + 0.0000001267 * century)
    centre = (
        np.sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century))
        + np.sin(2.0 * anomaly) * (0.019993 - 0.000101 * century)
        + np.sin(3.0 * anomaly) * 0.000289
    )
    node = np.radians(125.04 - 1934.136 * century)
    apparent = mean_long + np.radians(centre - 0.00569 - 0.00478 * np.sin(node))
    tilt = np.radians(23.4392911 - 0.0130042 * century + 0.00256 * np.cos(node))
    declination = np.arcsin(np.sin(tilt) * np.sin(apparent))
    y = np.tan(tilt / 2.0) ** 2
    equation = (
        y * np.sin(2.0 * mean_long)
        - 2.0 * eccentricity * np.sin(anomaly)
        + 4.0 * eccentricity * y * np.sin(anomaly) * np.cos(2.0 * mean_long)
        - 0.5 * y * y * np.sin(4.0 * mean_long)
        - 1.25 * eccentricity**2 * np.sin(2.0 * anomaly)
    )
    phi = np.radians(latitude)
    cosine = (np.cos(np.radians(90.833)) / np.cos(phi) / np.cos(declination)) - np.tan(
        phi
    ) * np.tan(declination)
    with np.errstate(invalid="ignore"):
        half = np.degrees(np.arccos(np.where(np.abs(cosine) <= 1.0, cosine, np.nan))) / 15.0
    noon = 12.0 - longitude / 15.0 - np.degrees(equation) / 15.0
    return noon - half, noon + half


def solar_angles(hours: Floats, rise: Floats, down: Floats) -> Floats:
    """Clock times moved so that each sunrise and sunset falls on their means, noon on 12.

    Between the two anchors time is stretched evenly, by day and by night.

    Args:
        hours: (records,) hours of the day, on the clock of ``rise`` and ``down``.
        rise: (records,) sunrise of the record's day.
        down: (records,) sunset.

    Returns:
        Angles, 2 pi a day.
    """
    mean_half = float(np.mean((down - rise) / 2.0))
    half = (down - rise) / 2.0
    # Hours from the record's own noon, -12 to 12.
    own = (hours - (rise + down) / 2.0 + 12.0) % 24.0 - 12.0
    daylight = np.abs(own) <= half
    by_day = own * mean_half / half
    by_night = np.sign(own) * (
        mean_half + (np.abs(own) - half) * (12.0 - mean_half) / (12.0 - half)
    )
    moved: Floats = ((np.where(daylight, by_day, by_night) + 12.0) % 24.0) * (2.0 * np.pi / 24.0)
    return moved
