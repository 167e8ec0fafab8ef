"""Drift of sand by the wind's record: drift potential and whether dunes move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

KNOT: Final = 0.514444
#: Wind at 10 m at which sand begins to move, in knots.
THRESHOLD_KNOTS: Final = 12.0


@dataclass(frozen=True)
class SandDrift:
    """What a wind record does to sand, in vector units (see ``sand_drift``).

    Attributes:
        potential: drift potential DP; below 200 low, up to 400 intermediate, above high.
        resultant: resultant drift potential RDP, where drifts from all sides cancel.
        direction: towards which sand drifts on the whole, degrees from north; NaN without drift.
        ratio: RDP / DP, near 1 where the wind keeps to one side; NaN without drift.
        moving: percent of the time above the threshold.
    """

    potential: float
    resultant: float
    direction: float
    ratio: float
    moving: float


def sand_drift(
    speed: ArrayLike, direction: ArrayLike, threshold: float = THRESHOLD_KNOTS
) -> SandDrift:
    """Drift potential of Fryberger and Dean: sum of u^2 (u - ut)/100 t over the readings.

    t is each reading's share of the record in percent, u and ut in knots; u^2 (u - ut)/100 is
    their weighting factor (2.7 for winds of 11 to 16 knots, 25.3 for 17 to 21). Without the
    hundredth, which many later texts leave out, every desert would be of high energy by their
    limits of 200 and 400. Fryberger and Dean (1979), US Geological Survey Professional Paper
    1052, doi:10.3133/pp1052; Tsoar (2005), doi:10.1016/j.physa.2005.05.069.

    Args:
        speed: wind at 10 m, m/s, NaN = missing.
        direction: from which it blows, degrees from north, clockwise; NaN = missing.
        threshold: ut in knots.

    Returns:
        The drift; readings that miss either number are left out.

    Raises:
        ValueError: negative speeds, or no reading at all.

    >>> sand_drift([10.0, 10.0], [270.0, 270.0]).direction
    90.0
    """
    u = np.ravel(np.asarray(speed, dtype=np.float64)) / KNOT
    blows_from = np.ravel(np.asarray(direction, dtype=np.float64))
    there = np.isfinite(u) & (np.isfinite(blows_from) | (u <= threshold))
    if not there.any():
        raise ValueError("no reading has both speed and direction")
    u, blows_from = u[there], np.nan_to_num(blows_from[there])
    if u.min() < 0:
        raise ValueError("wind speeds below zero")
    strong = u > threshold
    drift = np.where(strong, u**2 * (u - threshold), 0.0) / u.size
    angle = np.deg2rad(blows_from)
    east, north = -(drift * np.sin(angle)).sum(), -(drift * np.cos(angle)).sum()
    total = float(drift.sum())
    resultant = float(np.hypot(east, north))
    blows = total > 0
    # A resultant of rounding alone has no direction.
    one_side = blows and resultant > 1e-9 * total
    return SandDrift(
        potential=total,
        resultant=resultant,
        direction=_bearing(east, north) if one_side else float("nan"),
        ratio=resultant / total if blows else float("nan"),
        moving=float(100 * strong.mean()),
    )


def _bearing(east: float, north: float) -> float:
    return float(np.round(np.rad2deg(np.arctan2(east, north)) % 360, 9) % 360)


def drift_class(potential: float) -> str:
    """Low below 200 vector units, intermediate up to 400, high above.

    Args:
        potential: DP, vector units.

    Returns:
        The class.

    >>> drift_class(250.0)
    'intermediate'
    """
    return "low" if potential < 200 else "intermediate" if potential <= 400 else "high"


def dune_mobility(moving: ArrayLike, rain: ArrayLike, evaporation: ArrayLike) -> Floats:
    """Lancaster's index M = W / (P/PE).

    Below 50 dunes are inactive, to 100 only crests move, to 200 plinths and lower slopes are
    vegetated, above 200 all is active. Lancaster (1988), Journal of Arid Environments 14,
    233-244.

    Args:
        moving: W, percent of the time above the threshold of sand.
        rain: P, mm a year.
        evaporation: PE, potential, mm a year.

    Returns:
        M; infinite where no rain falls.

    >>> dune_mobility(20.0, 100.0, 1500.0).tolist()
    300.0
    """
    wind = np.asarray(moving, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.asarray(rain, dtype=np.float64) / np.asarray(evaporation, dtype=np.float64)
        mobility: Floats = wind / share
    return mobility


def mobility_class(mobility: float) -> str:
    """Inactive below 50, crests up to 100, plinths vegetated up to 200, active above.

    Args:
        mobility: Lancaster's M.

    Returns:
        The class.

    >>> mobility_class(300.0)
    'active'
    """
    for limit, name in ((50, "inactive"), (100, "crests"), (200, "plinths")):
        if mobility < limit or (mobility == limit and limit > 50):
            return name
    return "active"
