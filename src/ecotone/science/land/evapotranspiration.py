"""Potential evapotranspiration from what a station measures."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_SOLAR: float = 0.0820  # MJ m-2 min-1
_STEFAN: float = 4.903e-9  # MJ K-4 m-2 day-1


def _declination(day: Floats) -> Floats:
    """Of the sun in radians, by the day of the year."""
    angle: Floats = 0.409 * np.sin(2 * np.pi * day / 365 - 1.39)
    return angle


def _sunset(latitude: Floats, day: Floats) -> Floats:
    """Hour angle of sunset in radians, 0 in the polar night and pi in the polar day."""
    cosine = -np.tan(np.deg2rad(latitude)) * np.tan(_declination(day))
    angle: Floats = np.arccos(np.clip(cosine, -1, 1))
    return angle


def extraterrestrial_radiation(latitude: ArrayLike, day: ArrayLike) -> Floats:
    """Radiation at the top of the atmosphere (Allen et al. 1998, FAO-56, equation 21).

    Args:
        latitude: degrees.
        day: of the year, 1 .. 366.

    Returns:
        MJ m-2 day-1.

    >>> extraterrestrial_radiation(-20.0, 246.0).round(1).tolist()
    32.2
    """
    phi = np.deg2rad(np.asarray(latitude, dtype=np.float64))
    number = np.asarray(day, dtype=np.float64)
    distance = 1 + 0.033 * np.cos(2 * np.pi * number / 365)
    tilt = _declination(number)
    sunset = _sunset(np.asarray(latitude, dtype=np.float64), number)
    light = sunset * np.sin(phi) * np.sin(tilt) + np.cos(phi) * np.cos(tilt) * np.sin(sunset)
    radiation: Floats = np.maximum(24 * 60 / np.pi * _SOLAR * distance * light, 0.0)
    return radiation


def _mid_months(months: ArrayLike) -> tuple[Floats, Floats]:
    """Day of the year of each month's middle, and its number of days."""
    dates = np.asarray(months).astype("datetime64[M]")
    start = dates.astype("datetime64[D]")
    length = ((dates + 1).astype("datetime64[D]") - start).astype(np.float64)
    day = (start - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64)
    return day + (length + 1) / 2, length


def _along_time(values: Floats, like: Floats) -> Floats:
    return values.reshape(-1, *[1] * (like.ndim - 1))


def thornthwaite(temperature: ArrayLike, months: ArrayLike, latitude: ArrayLike) -> Floats:
    """Monthly potential evapotranspiration from temperature alone; too low in arid land.

    16 (10 T/I)^a, with the heat index I the sum over the calendar months' means of
    (T/5)^1.514 and a = 6.75e-7 I^3 - 7.71e-5 I^2 + 1.792e-2 I + 0.49239, times the length of
    day over 12 h and of the month over 30 days; 0 in months at or below 0 C. Thornthwaite
    (1948), doi:10.2307/210739.

    Args:
        temperature: (time, ...) monthly means, C, NaN = missing.
        months: (time,) ``datetime64``.
        latitude: degrees, broadcast against a layer.

    Returns:
        mm a month, same shape as the temperature.
    """
    warm = np.asarray(temperature, dtype=np.float64)
    number = np.asarray(months).astype("datetime64[M]").astype(int) % 12
    heat = np.zeros(warm.shape[1:])
    for month in np.unique(number):
        here = warm[number == month]
        valid = np.isfinite(here)
        with np.errstate(invalid="ignore"):
            mean = np.where(valid, here, 0.0).sum(axis=0) / valid.sum(axis=0)
        heat = heat + (np.maximum(mean, 0.0) / 5) ** 1.514
    a = 6.75e-7 * heat**3 - 7.71e-5 * heat**2 + 1.792e-2 * heat + 0.49239
    day, length = _mid_months(months)
    day, length = _along_time(day, warm), _along_time(length, warm)
    hours = 24 / np.pi * _sunset(np.asarray(latitude, dtype=np.float64), day)
    with np.errstate(invalid="ignore", divide="ignore"):
        full = 16 * (10 * np.maximum(warm, 0.0) / heat) ** a
    pet: Floats = np.where(warm <= 0, 0.0, full) * (hours / 12) * (length / 30)
    return pet


def hargreaves(low: ArrayLike, high: ArrayLike, months: ArrayLike, latitude: ArrayLike) -> Floats:
    """Monthly potential evapotranspiration from the range of temperature.

    0.0023 x 0.408 Ra (T + 17.8) sqrt(Tmax - Tmin). Hargreaves and Samani (1985),
    doi:10.13031/2013.26773; FAO-56, equation 52.

    Args:
        low: (time, ...) monthly means of the daily minimum, C.
        high: of the daily maximum, C.
        months: (time,) ``datetime64``.
        latitude: degrees, broadcast against a layer.

    Returns:
        mm a month, NaN where a temperature is missing.

    Raises:
        ValueError: a maximum below its minimum.
    """
    cold, warm = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if (warm < cold).any():
        raise ValueError("a maximum temperature lies below its minimum")
    day, length = _mid_months(months)
    day, length = _along_time(day, warm), _along_time(length, warm)
    radiation = 0.408 * extraterrestrial_radiation(latitude, day)
    daily = 0.0023 * radiation * ((cold + warm) / 2 + 17.8) * np.sqrt(warm - cold)
    pet: Floats = np.maximum(daily, 0.0) * length
    return pet


def penman_monteith(
    low: ArrayLike,
    high: ArrayLike,
    vapour: ArrayLike,
    wind: ArrayLike,
    radiation: ArrayLike,
    months: ArrayLike,
    latitude: ArrayLike,
    elevation: ArrayLike,
) -> Floats:
    """Monthly reference evapotranspiration of FAO-56 (Allen et al. 1998, equation 6).

    Args:
        low: (time, ...) monthly means of the daily minimum, C.
        high: of the daily maximum, C.
        vapour: actual vapour pressure, kPa.
        wind: at 2 m, m/s.
        radiation: solar radiation at the ground, MJ m-2 day-1.
        months: (time,) ``datetime64``.
        latitude: degrees, broadcast against a layer.
        elevation: m above the sea, broadcast against a layer.

    Returns:
        mm a month, NaN where anything is missing. The heat stored in the soil is left out.
    """
    cold, warm = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    wet, speed = np.asarray(vapour, dtype=np.float64), np.asarray(wind, dtype=np.float64)
    sun = np.asarray(radiation, dtype=np.float64)
    height = np.asarray(elevation, dtype=np.float64)
    day, length = _mid_months(months)
    day, length = _along_time(day, warm), _along_time(length, warm)
    mean = (cold + warm) / 2
    saturated = (_saturation(cold) + _saturation(warm)) / 2
    steep = 4098 * _saturation(mean) / (mean + 237.3) ** 2
    psychrometric = 0.000665 * 101.3 * ((293 - 0.0065 * height) / 293) ** 5.26
    clear = (0.75 + 2e-5 * height) * extraterrestrial_radiation(latitude, day)
    with np.errstate(invalid="ignore", divide="ignore"):
        cloud = 1.35 * np.clip(np.where(clear > 0, sun / clear, 0.5), 0.25, 1.0) - 0.35
    fourth = ((cold + 273.16) ** 4 + (warm + 273.16) ** 4) / 2
    net = 0.77 * sun - _STEFAN * fourth * (0.34 - 0.14 * np.sqrt(wet)) * cloud
    top = 0.408 * steep * net + psychrometric * 900 / (mean + 273) * speed * (saturated - wet)
    daily = top / (steep + psychrometric * (1 + 0.34 * speed))
    pet: Floats = np.maximum(daily, 0.0) * length
    return pet


def _saturation(temperature: Floats) -> Floats:
    """Saturation vapour pressure, kPa."""
    pressure: Floats = 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3))
    return pressure
