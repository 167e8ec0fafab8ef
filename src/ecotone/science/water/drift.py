"""Drift of a sensor between two calibrations, taken off along a straight line; raw values stay.

At a calibration a sensor is read in standards before it is cleaned and adjusted and after. What it
showed too much at the end of a stretch has grown since the beginning; nobody saw how, so it is
taken to have grown evenly. Wagner et al. 2006, Guidelines and standard procedures for continuous
water-quality monitors, USGS Techniques and Methods 1-D3 (doi:10.3133/tm1D3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_Steps = tuple[float, float, float]
Mode = Literal["offset", "gain"]

#: Ratings, best first; the largest correction of the first three, absolute and in percent.
RATINGS: Final = ("excellent", "good", "fair", "poor")
CRITERIA: Final[dict[str, tuple[_Steps | None, _Steps | None]]] = {
    "water_temperature": ((0.2, 0.5, 0.8), None),
    "conductivity": (None, (3.0, 10.0, 15.0)),
    "dissolved_oxygen": ((0.3, 0.5, 0.8), (5.0, 10.0, 15.0)),
    "ph": ((0.2, 0.5, 0.8), None),
    "turbidity": ((0.5, 1.0, 1.5), (5.0, 10.0, 15.0)),
}  # fmt: skip


@dataclass(frozen=True)
class Response:
    """What a sensor shows: reading = offset + gain * true value."""

    offset: float
    gain: float


def response(standards: ArrayLike, readings: ArrayLike, mode: Mode = "offset") -> Response:
    """The sensor's line through its readings in standards.

    Args:
        standards: true values of the standards.
        readings: what the sensor showed, in the same unit.
        mode: of a single standard: is the error an ``offset`` or a ``gain``?

    Returns:
        Offset and gain.

    Raises:
        ValueError: no reading, or a gain that is not above 0.

    >>> response([0, 1000], [10, 1060]), response([7], [7.2])
    (Response(offset=10.0, gain=1.05), Response(offset=0.20000000000000018, gain=1.0))
    """
    s, r = np.asarray(standards, np.float64), np.asarray(readings, np.float64)
    known = ~(np.isnan(s) | np.isnan(r))
    s, r = s[known], r[known]
    if not s.size:
        raise ValueError("a calibration needs a standard and a reading in it")
    if np.ptp(s) > 0:
        gain, offset = np.polyfit(s, r, 1)
        found = Response(round(float(offset), 12), round(float(gain), 12))
    elif mode == "gain":
        found = Response(0.0, float(r.mean() / s.mean()) if s.mean() else np.nan)
    else:
        found = Response(float((r - s).mean()), 1.0)
    if not found.gain > 0:
        raise ValueError("a sensor that falls while the true value rises cannot be corrected")
    return found


def correct(
    values: ArrayLike, seconds: ArrayLike, start: float, end: float, first: Response, last: Response
) -> tuple[Floats, Floats]:
    """Values of one stretch without the drift, and the standard uncertainty of taking it off.

    Offset and gain go straight from those after the first calibration to those before the last.
    Somewhere between none and all of the change may have been there at any moment: a rectangle,
    u = |change| / sqrt(12).

    Args:
        values: as the sensor gave them; NaN = missing.
        seconds: time of each.
        start: time of the first calibration, seconds.
        end: of the last.
        first: the sensor after the first calibration.
        last: the sensor before the last.

    Returns:
        Corrected values and the standard uncertainty of the correction; NaN outside the stretch.

    Raises:
        ValueError: a stretch that ends before it begins.

    >>> x, u = correct([10.0, 10.5], [0, 50], 0, 100, Response(0, 1), Response(1, 1))
    >>> x.tolist(), u.round(4).tolist()
    ([10.0, 10.0], [0.2887, 0.2887])
    """
    if not end > start:
        raise ValueError("a stretch between calibrations ends after it begins")
    x, t = np.asarray(values, np.float64), np.asarray(seconds, np.float64)
    share = np.where((t >= start) & (t <= end), (t - start) / (end - start), np.nan)
    offset = first.offset + share * (last.offset - first.offset)
    gain = first.gain + share * (last.gain - first.gain)
    corrected = (x - offset) / gain
    change = (x - first.offset) / first.gain - (x - last.offset) / last.gain
    return corrected, np.where(np.isnan(share), np.nan, np.abs(change) / np.sqrt(12))


def rating(correction: ArrayLike, values: ArrayLike, name: str) -> NDArray[np.int8]:
    """How good a record is by the correction it needed: 0 excellent to 3 poor, -1 not rated.

    Where a criterion is told both absolutely and in percent the kinder one counts.

    Args:
        correction: corrected less raw value, unit of the property; NaN = none known.
        values: corrected values.
        name: one of ``CRITERIA``; any other is not rated.

    Returns:
        Places in ``RATINGS``.

    >>> rating([0.1, 0.4, 1.0], [7, 7, 7], "ph").tolist()
    [0, 1, 3]
    """
    c, v = np.abs(np.asarray(correction, np.float64)), np.abs(np.asarray(values, np.float64))
    if name not in CRITERIA:
        return np.full(c.shape, -1, np.int8)
    steps, percents = CRITERIA[name]
    grades = []
    if steps is not None:
        grades.append(np.searchsorted(steps, c, side="left"))
    if percents is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            grades.append(np.searchsorted(percents, np.where(v > 0, 100 * c / v, np.inf)))
    best = np.min(grades, axis=0)
    return np.where(np.isnan(c), -1, best).astype(np.int8)
