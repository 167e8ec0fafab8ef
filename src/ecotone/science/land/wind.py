"""Wind erosion by the revised wind erosion equation (RWEQ), in Fryrear's own units.

Fryrear et al. (1998), RWEQ technical documentation, USDA-ARS; Fryrear et al. (2000), Journal
of Soil and Water Conservation 55, 183-189.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Wind at 2 m below which no soil moves, m/s.
THRESHOLD: Final = 5.0
GRAVITY: Final = 9.8
#: What the equation of the erodible fraction was fitted on, percent.
VALID: Final = {
    "sand": (5.5, 93.6),
    "silt": (0.5, 69.5),
    "clay": (5.0, 39.3),
    "organic": (0.18, 4.79),
    "carbonate": (0.0, 25.2),
}
#: Upper limits of slight, and so on up to severe, wind erosion: SL190-2007, t/km2 a year.
CLASS_LIMITS: Final = (200.0, 2500.0, 5000.0, 8000.0, 15000.0)


@dataclass(frozen=True)
class Soil:
    """Texture and binders of the topsoil, all in percent.

    Attributes:
        sand: 0.05 to 2 mm.
        silt: 0.002 to 0.05 mm.
        clay: below 0.002 mm.
        organic: organic matter.
        carbonate: calcium carbonate.
    """

    sand: Floats
    silt: Floats
    clay: Floats
    organic: Floats
    carbonate: Floats

    def outside(self) -> NDArray[np.bool_]:
        """Where a property lies outside what the equations were fitted on."""
        far = np.zeros(np.shape(self.sand), dtype=np.bool_)
        for name, (low, high) in VALID.items():
            value = getattr(self, name)
            far = far | (value < low) | (value > high)
        return far

    def unbalanced(self, tolerance: float = 1.0) -> NDArray[np.bool_]:
        """Where sand, silt and clay do not sum to 100 %, within a tolerance in percent."""
        wrong: NDArray[np.bool_] = np.abs(self.sand + self.silt + self.clay - 100) > tolerance
        return wrong


@dataclass(frozen=True)
class WindErosion:
    """What a field of a given length loses.

    Attributes:
        capacity: most that the wind can carry, Qmax, kg per m of width.
        scale: length s at which 63 % of it is reached, m; infinite where nothing moves.
        transport: carried past the end of the field, kg per m.
        point_loss: loss at that very point, kg/m2; falls to 0 where the wind is full.
        mean_loss: mean loss over the field, kg/m2.
    """

    capacity: Floats
    scale: Floats
    transport: Floats
    point_loss: Floats
    mean_loss: Floats


def air_density(elevation: ArrayLike, temperature: ArrayLike) -> Floats:
    """348 (1.013 - 0.1183 h + 0.0048 h^2) / T, with h in km and T in kelvin.

    Args:
        elevation: m above the sea.
        temperature: C.

    Returns:
        kg/m3.

    >>> air_density(0.0, 15.0).round(3).tolist()
    1.223
    """
    h = np.asarray(elevation, dtype=np.float64) / 1000
    kelvin = np.asarray(temperature, dtype=np.float64) + 273.15
    density: Floats = 348 * (1.013 - 0.1183 * h + 0.0048 * h**2) / kelvin
    return density


def wind_at_2_m(speed: ArrayLike, height: float = 10.0) -> Floats:
    """Wind at 2 m from another height by the power law with exponent 1/7.

    Args:
        speed: m/s at ``height``.
        height: m.

    Returns:
        m/s.
    """
    low: Floats = np.asarray(speed, dtype=np.float64) * (2.0 / height) ** (1 / 7)
    return low


def weather_factor(
    speeds: ArrayLike,
    days: ArrayLike,
    density: ArrayLike,
    wetness: ArrayLike = 1.0,
    snow: ArrayLike = 1.0,
) -> Floats:
    """Weather factor of a period from all its wind readings, never from their mean.

    WF = [sum of u (u - 5)^2 over the readings / their number] x days x (density/g) x SW x SD;
    readings below 5 m/s give nothing.

    Args:
        speeds: (readings, ...) at 2 m, m/s, NaN = missing.
        days: of the period.
        density: of the air, kg/m3.
        wetness: soil wetness factor SW, 0 .. 1.
        snow: snow factor SD, 0 .. 1.

    Returns:
        kg/m; NaN where no reading is there.
    """
    u = np.asarray(speeds, dtype=np.float64)
    valid = np.isfinite(u)
    strong = np.where(valid & (u >= THRESHOLD), u, THRESHOLD)
    with np.errstate(invalid="ignore"):
        mean = (strong * (strong - THRESHOLD) ** 2).sum(axis=0) / valid.sum(axis=0)
    factor: Floats = (
        mean
        * np.asarray(days, dtype=np.float64)
        * (np.asarray(density, dtype=np.float64) / GRAVITY)
        * np.asarray(wetness, dtype=np.float64)
        * np.asarray(snow, dtype=np.float64)
    )
    return factor


def soil_wetness(
    evaporation: ArrayLike, rain: ArrayLike, rain_days: ArrayLike, days: ArrayLike
) -> Floats:
    """SW = (ETp - (R + I) Rd/Nd) / ETp, held between 0 and 1.

    Args:
        evaporation: potential, mm in the period.
        rain: and irrigation, mm in the period.
        rain_days: days with rain or irrigation.
        days: of the period.

    Returns:
        SW; 0 where nothing could evaporate.
    """
    pet = np.asarray(evaporation, dtype=np.float64)
    share = np.asarray(rain_days, dtype=np.float64) / np.asarray(days, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        wet = (pet - np.asarray(rain, dtype=np.float64) * share) / pet
    factor: Floats = np.where(pet > 0, np.clip(wet, 0.0, 1.0), 0.0)
    return factor


def erodible_fraction(soil: Soil) -> Floats:
    """EF = (29.09 + 0.31 Sa + 0.17 Si + 0.33 Sa/Cl - 2.59 OM - 0.95 CaCO3) / 100.

    Args:
        soil: percentages; see ``Soil.outside`` for where the equation holds.

    Returns:
        Share of the topsoil that wind can move, 0 .. 1.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        percent = (
            29.09
            + 0.31 * soil.sand
            + 0.17 * soil.silt
            + 0.33 * soil.sand / soil.clay
            - 2.59 * soil.organic
            - 0.95 * soil.carbonate
        )
    fraction: Floats = np.clip(percent / 100, 0.0, 1.0)
    return fraction


def crust_factor(soil: Soil) -> Floats:
    """SCF = 1 / (1 + 0.0066 Cl^2 + 0.021 OM^2).

    Args:
        soil: percentages.

    Returns:
        0 .. 1.
    """
    factor: Floats = 1 / (1 + 0.0066 * soil.clay**2 + 0.021 * soil.organic**2)
    return factor


def roughness_factor(ridges: ArrayLike, random: ArrayLike) -> Floats:
    """K' = exp(1.86 Kr - 2.41 Kr^0.934 - 0.127 Crr).

    Args:
        ridges: ridge roughness Kr, cm.
        random: random roughness Crr, cm.

    Returns:
        K', 1 for a smooth soil.
    """
    kr = np.asarray(ridges, dtype=np.float64)
    crr = np.asarray(random, dtype=np.float64)
    factor: Floats = np.exp(1.86 * kr - 2.41 * kr**0.934 - 0.127 * crr)
    return factor


def cover_factor(flat: ArrayLike, standing: ArrayLike = 0.0, canopy: ArrayLike = 0.0) -> Floats:
    """What cover leaves of the loss: exp(-0.0438 SC - 0.0344 SA^0.6413 - 5.614 c^0.7366).

    Of flat residue SC, standing residue SA and the canopy c.

    Args:
        flat: soil covered by what lies on it, in percent (not as a fraction).
        standing: silhouette of standing residue, cm2 per m2.
        canopy: soil covered by growing plants, as a fraction 0 .. 1.

    Returns:
        Share of the bare soil's loss, 0 .. 1.

    >>> cover_factor(50.0).round(3).tolist()
    0.112
    """
    lying = np.asarray(flat, dtype=np.float64)
    upright = np.asarray(standing, dtype=np.float64)
    green = np.asarray(canopy, dtype=np.float64)
    factor: Floats = np.exp(-0.0438 * lying - 0.0344 * upright**0.6413 - 5.614 * green**0.7366)
    return factor


def wind_erosion(
    weather: ArrayLike,
    erodible: ArrayLike,
    crust: ArrayLike,
    roughness: ArrayLike,
    cover: ArrayLike,
    length: float,
) -> WindErosion:
    """Transport and loss at the end of a field, and the mean loss over it.

    With the product B of all factors: Qmax = 109.8 B, s = 150.71 B^-0.3711,
    Q(x) = Qmax (1 - exp(-(x/s)^2)); the mean loss is Q(L)/L. The point loss
    2x/s^2 Qmax exp(-(x/s)^2) falls to 0 far beyond s, so a hotter spot can look safer by it.

    Args:
        weather: WF, kg/m.
        erodible: EF.
        crust: SCF.
        roughness: K'.
        cover: of ``cover_factor``; 1 for the bare soil (potential erosion).
        length: of the field along the wind, m.

    Returns:
        Transport and losses.

    Raises:
        ValueError: a length that is not positive.
    """
    if not length > 0:
        raise ValueError(f"the length of a field is positive, not {length}")
    product = np.asarray(weather, dtype=np.float64)
    for factor in (erodible, crust, roughness, cover):
        product = product * np.asarray(factor, dtype=np.float64)
    capacity = 109.8 * product
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 150.71 * np.where(product > 0, product, np.nan) ** -0.3711
        scale = np.where(product == 0, np.inf, scale)
        ratio = (length / scale) ** 2
        transport = capacity * -np.expm1(-ratio)
        point = 2 * length / scale**2 * capacity * np.exp(-ratio)
    return WindErosion(capacity, scale, transport, point, transport / length)


def erosion_classes(loss: ArrayLike) -> NDArray[np.int16]:
    """Intensity by SL190-2007: 1 slight, 2 light, 3 moderate, 4 strong, 5 very strong, 6 severe.

    Args:
        loss: t/km2 a year, NaN = unknown.

    Returns:
        1 .. 6, 0 where unknown.

    >>> erosion_classes([100.0, 200.0, 16000.0]).tolist()
    [1, 2, 6]
    """
    value = np.asarray(loss, dtype=np.float64)
    classes = np.digitize(np.nan_to_num(value), CLASS_LIMITS) + 1
    return np.where(np.isnan(value), 0, classes).astype(np.int16)
