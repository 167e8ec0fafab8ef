"""Oxygen that water can hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def saturation(
    temperature: ArrayLike, salinity: ArrayLike = 0.0, pressure: ArrayLike = 101.325
) -> NDArray[np.float64]:
    """Concentration of oxygen in water at equilibrium with moist air.

    ln C = -139.34411 + 1.575701e5/T - 6.642308e7/T^2 + 1.243800e10/T^3 - 8.621949e11/T^4
    - S (0.017674 - 10.754/T + 2140.7/T^2), T in kelvin, at 101.325 kPa. Under another pressure
    P (atm) times P (1 - v/P)(1 - theta P)/((1 - v)(1 - theta)) with the vapour pressure of water
    ln v = 11.8571 - 3840.70/T - 216961/T^2 (atm) and theta = 9.75e-4 - 1.426e-5 t + 6.436e-8 t^2,
    t in degC. Benson and Krause (1984), doi:10.4319/lo.1984.29.3.0620.

    Args:
        temperature: degC, 0 .. 40.
        salinity: practical salinity, 0 .. 40.
        pressure: of the air, kPa, 30 .. 120.

    Returns:
        mg/L; NaN outside these ranges.

    >>> saturation([0, 20, 25], [0, 0, 35]).round(4).tolist()
    [14.6208, 9.0924, 6.7721]
    >>> saturation(20, pressure=[101.325, 70.1]).round(2).tolist()
    [9.09, 6.23]
    """
    warm, salt, air = np.broadcast_arrays(
        *(np.asarray(x, np.float64) for x in (temperature, salinity, pressure))
    )
    good = (warm >= 0) & (warm <= 40) & (salt >= 0) & (salt <= 40) & (air >= 30) & (air <= 120)
    celsius = np.where(good, warm, np.nan)
    t = celsius + 273.15
    fresh = -139.34411 + 1.575701e5 / t - 6.642308e7 / t**2 + 1.2438e10 / t**3 - 8.621949e11 / t**4
    salted = salt * (0.017674 - 10.754 / t + 2140.7 / t**2)
    p = air / 101.325
    vapour = np.exp(11.8571 - 3840.70 / t - 216961 / t**2)
    theta = 9.75e-4 - 1.426e-5 * celsius + 6.436e-8 * celsius**2
    thinner = (p - vapour) * (1 - theta * p) / ((1 - vapour) * (1 - theta))
    return np.asarray(np.exp(fresh - salted) * thinner)


def pressure_at(elevation: ArrayLike) -> NDArray[np.float64]:
    """Pressure of the standard atmosphere, 101.325 (1 - 2.25577e-5 h)^5.25588 (ISO 2533).

    Args:
        elevation: m above the sea, up to 11,000.

    Returns:
        kPa.

    >>> pressure_at([0, 3000]).round(1).tolist()
    [101.3, 70.1]
    """
    high = np.asarray(elevation, np.float64)
    return np.asarray(101.325 * (1 - 2.25577e-5 * high) ** 5.25588)
