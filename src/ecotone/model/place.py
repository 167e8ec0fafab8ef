"""Coordinates as people write them, whether they can be true, and how exact they are.

Texts become degrees only when they can be read one way: decimal degrees, or degrees, minutes and
seconds with marks or hemisphere words in English, Russian and Chinese. The decimal comma is read
where it is declared, never guessed. What cannot be read or lies out of range is NaN with a code.
The way from other datums is :func:`transform_to_wgs84`; making places coarser is the door's part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ecotone.model.countries import Country, countries
from ecotone.model.datum import SEVERITY as _DATUM_SEVERITY
from ecotone.model.datum import Transformed, transform_to_wgs84
from ecotone.model.datum_names import Datum, resolve_datum
from ecotone.model.errors import UsageError
from ecotone.model.finding import Severity
from ecotone.model.texts import distinct, plain_numbers

__all__ = [
    "SEVERITY",
    "Coordinates",
    "Datum",
    "Transformed",
    "check_places",
    "combine_uncertainty",
    "metres_per_degree",
    "parse_coordinates",
    "precision_m",
    "resolve_datum",
    "transform_to_wgs84",
]

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
Kind = Literal["latitude", "longitude"]

SEVERITY: Final[Mapping[str, Severity]] = {
    **_DATUM_SEVERITY,
    "coordinate-unreadable": Severity.ERROR,
    "coordinate-wrong-axis": Severity.ERROR,
    "decimal-comma-undeclared": Severity.ERROR,
    "coordinates-zero": Severity.WARNING,
    "coordinates-transposed": Severity.WARNING,
    "hemisphere-suspect": Severity.WARNING,
    "coordinates-outside-country": Severity.WARNING,
}

_LIMIT: Final[Mapping[Kind, float]] = {"latitude": 90.0, "longitude": 180.0}
_HEMISPHERES: Final[Mapping[str, tuple[Kind, int]]] = {
    **dict.fromkeys(("N", "С", "north", "с.ш.", "с.ш", "с. ш.", "сш"), ("latitude", 1)),
    **dict.fromkeys(("северной широты", "северная широта", "北纬", "北緯", "北"), ("latitude", 1)),
    **dict.fromkeys(("S", "Ю", "south", "ю.ш.", "ю.ш", "ю. ш.", "юш"), ("latitude", -1)),
    **dict.fromkeys(("южной широты", "южная широта", "南纬", "南緯", "南"), ("latitude", -1)),
    **dict.fromkeys(("E", "В", "east", "в.д.", "в.д", "в. д.", "вд"), ("longitude", 1)),
    **dict.fromkeys(("восточной долготы", "восточная долгота"), ("longitude", 1)),
    **dict.fromkeys(("东经", "東經", "东", "東"), ("longitude", 1)),
    **dict.fromkeys(("W", "З", "west", "з.д.", "з.д", "з. д.", "зд"), ("longitude", -1)),
    **dict.fromkeys(("западной долготы", "западная долгота"), ("longitude", -1)),
    **dict.fromkeys(("西经", "西經", "西"), ("longitude", -1)),
}
#: Single letters count in upper case only: a small "s" may mean seconds.
_WORDS: Final = "|".join(
    re.escape(word) if len(word) == 1 else f"(?i:{re.escape(word)})"
    for word in sorted(_HEMISPHERES, key=len, reverse=True)
)
_BEFORE: Final = re.compile(rf"({_WORDS})\s*(?=[\d+-])")
_AFTER: Final = re.compile(rf"(?<=[\d.°'\"\s])\s*({_WORDS})$")
_SAME_MARK: Final = str.maketrans(
    {
        **dict.fromkeys("−–‐", "-"),
        **dict.fromkeys("º˚度", "°"),
        **dict.fromkeys("’‘′ʹ´`分", "'"),
        **dict.fromkeys("”“″ʺ秒", '"'),
        **dict.fromkeys("\u00a0\u2009\u202f\u3000", " "),
        "，": ",",
        "．": ".",
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
    }
)
_PART: Final = r"(\d{1,2}(?:\.\d*)?)"
_DECIMAL: Final = re.compile(r"([+-]?)\s*(\d{1,3}(?:\.\d*)?)(?:[eE]([+-]?\d{1,2}))?")
_MARKED: Final = re.compile(
    rf"([+-]?)\s*(\d{{1,3}}(?:\.\d*)?)\s*°(?:\s*{_PART}\s*(?:'(?:\s*{_PART}\s*(?:\"|'')?)?)?)?"
)
_SPACED: Final = re.compile(rf"([+-]?)(\d{{1,3}}(?:\.\d*)?)(?:[\s:]+{_PART}(?:[\s:]+{_PART})?)?")
_COMMA: Final = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Degrees read from text, one entry per row."""

    degrees: Floats  #: NaN where missing or refused
    step_deg: Floats  #: value of one unit of the last digit written, degrees
    code: Texts  #: finding code, "" for none; severities in :data:`SEVERITY`


def parse_coordinates(
    text: Sequence[str | None] | Texts | pd.Series,
    *,
    kind: Kind,
    decimal: Literal[".", ","] = ".",
) -> Coordinates:
    r"""Latitudes or longitudes read from text.

    Args:
        text: decimal degrees, or degrees with minutes and seconds; missing and empty give NaN.
        kind: which of the two; decides the range and the hemisphere words.
        decimal: the decimal mark declared for the column.

    >>> texts = ["38.5", "38°30'15\"N", "北纬38度30分", "38,5", "91"]
    >>> got = parse_coordinates(texts, kind="latitude")
    >>> got.degrees.round(6).tolist(), got.code.tolist()[3:]
    ([38.5, 38.504167, 38.5, nan, nan], ['decimal-comma-undeclared', 'latitude-out-of-range'])
    """
    column = text if isinstance(text, pd.Series) else pd.Series(list(text), dtype="str")
    different, inverse = distinct(column)
    degrees, places, easy = plain_numbers(different, comma=decimal == ",")
    step = np.where(easy, 10.0 ** -places.astype(np.float64), np.nan)
    code = np.full(len(different), "", dtype=object)
    for row in np.flatnonzero(~easy & (different != "")):
        degrees[row], step[row], code[row] = _read(different[row], kind, decimal)
    wide = np.abs(degrees) > _LIMIT[kind]
    code[wide], degrees[wide], step[wide] = f"{kind}-out-of-range", np.nan, np.nan
    if inverse is not None:
        degrees, step, code = degrees[inverse], step[inverse], code[inverse]
    return Coordinates(degrees, step, code)


def _read(text: str, kind: Kind, decimal: str) -> tuple[float, float, str]:
    """Degrees, step and code of one text."""
    marked = text.translate(_SAME_MARK).strip()
    has_comma = bool(_COMMA.search(marked))
    if has_comma:
        marked = _COMMA.sub(".", marked)
    axis, sign, body = _hemisphere(marked)
    if axis is not None and axis != kind:
        return np.nan, np.nan, "coordinate-wrong-axis"
    number = _number(body, named=axis is not None)
    if number is None or (axis is not None and body.startswith(("-", "+"))):
        return np.nan, np.nan, "coordinate-unreadable"
    if has_comma and decimal != ",":
        return np.nan, np.nan, "decimal-comma-undeclared"
    return sign * number[0], number[1], ""


def _hemisphere(text: str) -> tuple[Kind | None, int, str]:
    """The hemisphere a text names, its sign, and the text without it."""
    if found := _BEFORE.match(text):
        body = text[found.end() :]
    elif found := _AFTER.search(text):
        body = text[: found.start()].strip()
    else:
        return None, 1, text
    word = found.group(1)
    axis, sign = _HEMISPHERES[word if len(word) == 1 else word.lower()]
    return axis, sign, body


def _number(body: str, *, named: bool) -> tuple[float, float] | None:
    """Signed degrees and step of a text without hemisphere words, or None."""
    if found := _DECIMAL.fullmatch(body):
        power = int(found[3] or 0)
        value = float(f"{found[2]}e{power}")
        return _signed(found[1], value), 10.0 ** (power - _decimals(found[2]))
    found = _MARKED.fullmatch(body) or (_SPACED.fullmatch(body) if named else None)
    if found is None:
        return None
    parts = [part for part in found.groups()[1:] if part is not None]
    if any("." in part for part in parts[:-1]) or any(float(part) >= 60 for part in parts[1:]):
        return None
    value = sum(float(part) / 60.0**place for place, part in enumerate(parts))
    step = 10.0 ** -_decimals(parts[-1]) / 60.0 ** (len(parts) - 1)
    return _signed(found[1], value), step


def _signed(sign: str, value: float) -> float:
    return -value if sign == "-" else value


def _decimals(digits: str) -> int:
    return len(digits.partition(".")[2])


def check_places(
    lat: ArrayLike,
    lon: ArrayLike,
    *,
    country: str | Sequence[str | None] | Texts | pd.Series | None = None,
    boxes: Mapping[str, tuple[float, float, float, float]] | None = None,
) -> Texts:
    """A finding code per row where coordinates in range are not plausible, else "".

    Args:
        lat: latitudes, degrees.
        lon: longitudes, degrees.
        country: ISO 3166-1 alpha-2 code, one for all rows or one per row.
        boxes: ``{code: (west, south, east, north)}``, used before the table of
            :mod:`ecotone.model.countries` (bounding boxes, no boundaries).

    >>> check_places([73.2, 0.0, -38.5, 38.5], [38.5, 0.0, 73.2, 73.2], country="TJ").tolist()
    ['coordinates-transposed', 'coordinates-zero', 'hemisphere-suspect', '']
    """
    y = np.atleast_1d(np.asarray(lat, dtype=np.float64))
    x = np.atleast_1d(np.asarray(lon, dtype=np.float64))
    if country is None or isinstance(country, str):
        named = np.full(len(y), (country or "").strip().upper(), dtype=object)
    else:
        column = pd.Series(country, dtype="str").fillna("").str.strip().str.upper()
        named = column.to_numpy(dtype=object)
    code = np.full(len(y), "", dtype=object)
    for one in pd.unique(named):
        box = _box(str(one), boxes or {})
        if box is not None:
            rows = np.flatnonzero(named == one)
            code[rows] = _against_box(box, y[rows], x[rows])
    code[(y == 0) & (x == 0)] = "coordinates-zero"
    return code


def _box(code: str, boxes: Mapping[str, tuple[float, float, float, float]]) -> Country | None:
    if code in boxes:
        return Country(code, (), *boxes[code])
    return countries().get(code)


def _against_box(box: Country, lat: Floats, lon: Floats) -> Texts:
    code = np.full(len(lat), "", dtype=object)
    outside = np.isfinite(lat) & np.isfinite(lon) & ~box.holds(lat, lon)
    code[outside] = "coordinates-outside-country"
    mirrored = box.holds(-lat, lon) | box.holds(lat, -lon) | box.holds(-lat, -lon)
    code[outside & mirrored] = "hemisphere-suspect"
    code[outside & box.holds(lon, lat)] = "coordinates-transposed"
    return code


def metres_per_degree(lat: ArrayLike) -> tuple[Floats, Floats]:
    """Metres in one degree of latitude and of longitude on WGS 84, at latitudes in degrees.

    >>> [round(float(m)) for m in metres_per_degree(0.0)]
    [110574, 111319]
    """
    phi = np.radians(np.asarray(lat, dtype=np.float64))
    axis, eccentricity2 = 6378137.0, 0.0066943799901413165
    bend = 1.0 - eccentricity2 * np.sin(phi) ** 2
    north = axis * (1.0 - eccentricity2) / bend**1.5
    east = axis * np.cos(phi) / np.sqrt(bend)
    return np.asarray(np.radians(north)), np.asarray(np.radians(east))


def precision_m(lat: ArrayLike, step_lat_deg: ArrayLike, step_lon_deg: ArrayLike) -> Floats:
    """Radius, in metres, of what rounding to the last digit written may hide.

    Half a unit of the last digit each way, as the half diagonal of that cell.

    >>> round(float(precision_m(0.0, 0.1, 0.1)))
    7845
    """
    north, east = metres_per_degree(lat)
    half_north = 0.5 * np.asarray(step_lat_deg, dtype=np.float64) * north
    half_east = 0.5 * np.asarray(step_lon_deg, dtype=np.float64) * east
    return np.asarray(np.hypot(half_north, half_east))


def combine_uncertainty(*parts_m: ArrayLike) -> Floats:
    """The radius, in metres, that surely holds the true place: the sum of the parts.

    Added, not combined in quadrature: the point-radius method wants the circle to contain the
    place whatever the signs (Wieczorek, Guo & Hijmans 2004, doi:10.1080/13658810412331280211).
    A part that is unknown (NaN) counts as nothing; where all are unknown the sum is NaN, and it
    is never 0 (Darwin Core wants a radius above zero): a sum of 0 is NaN too.

    >>> combine_uncertainty([30.0, float("nan")], [4.5, 4.5]).tolist()
    [34.5, 4.5]
    """
    if not parts_m:
        raise UsageError("There is no uncertainty to combine.")
    parts = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in parts_m))
    total = np.nansum(np.stack(parts), axis=0)
    return np.asarray(np.where(total > 0, total, np.nan))
