"""Oxygen that water can hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def saturation(temperature: ArrayLike, salinity: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Concentration of oxygen in water at equilibrium with moist air at 101.325 kPa.

    ln C = -139.34411 + 1.575701e5/T - 6.642308e7/T^2 + 1.243800e10/T^3 - 8.621949e11/T^4
    - S (0.017674 - 10.754/T + 2140.7/T^2), T in kelvin. Benson and Krause (1984),
    doi:10.4319/lo.1984.29.3.0620.

    Args:
        temperature: degC, 0 .. 40.
        salinity: practical salinity, 0 .. 40.

    Returns:
        mg/L; NaN outside these ranges.

    >>> saturation([0, 20, 25], [0, 0, 35]).round(4).tolist()
    [14.6208, 9.0924, 6.7721]
    """
    warm, salt = np.broadcast_arrays(
        np.asarray(temperature, np.float64), np.asarray(salinity, np.float64)
    )
    good = (warm >= 0) & (warm <= 40) & (salt >= 0) & (salt <= 40)
    t = np.where(good, warm, np.nan) + 273.15
    fresh = -139.34411 + 1.575701e5 / t - 6.642308e7 / t**2 + 1.2438e10 / t**3 - 8.621949e11 / t**4
    salted = salt * (0.017674 - 10.754 / t + 2140.7 / t**2)
    return np.asarray(np.exp(fresh - salted))
