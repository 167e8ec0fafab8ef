"""Bounding boxes of countries: facts for plausibility checks, not boundaries.

``countries.csv`` holds, per ISO 3166-1 code, the names by which areas of use in the EPSG dataset
speak of a country and the box of its territory with its waters there (IOGP, epsg.org, as shipped
with PROJ). A box says that a point is *implausible*, never whose it is: boxes overlap, and where a
territory is disputed the box follows that dataset and takes no side.
"""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

_AT_SEA: Final = re.compile(r"\b(offshore|sea|gulf|bay|ocean|strait|shelf)\b", re.IGNORECASE)
_ON_LAND: Final = re.compile(r"\b(onshore|including)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Country:
    """Names and box of a country; ``west > east`` where it crosses the 180th meridian."""

    code: str
    names: tuple[str, ...]
    west: float
    south: float
    east: float
    north: float

    def holds(self, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether points (degrees) lie in the box."""
        across = (lon >= self.west) & (lon <= self.east)
        if self.west > self.east:
            across = (lon >= self.west) | (lon <= self.east)
        return np.asarray((lat >= self.south) & (lat <= self.north) & across)


@functools.cache
def countries() -> dict[str, Country]:
    """All countries of the table by ISO 3166-1 alpha-2 code.

    >>> countries()["TJ"].names
    ('Tajikistan',)
    """
    text = resources.files("ecotone.model").joinpath("countries.csv").read_text(encoding="utf-8")
    return {
        line["code"]: Country(
            code=line["code"],
            names=tuple(line["names"].split("|")),
            west=float(line["west"]),
            south=float(line["south"]),
            east=float(line["east"]),
            north=float(line["north"]),
        )
        for line in csv.DictReader(text.splitlines())
    }


@functools.cache
def area_covers(area: str, code: str) -> bool:
    """Whether the words of an EPSG area of use take in a country's land.

    ``World`` covers every country; an area that names the country only at sea does not cover it. A
    code the table lacks (a user-assigned one) is covered: nothing is known against it.

    >>> area_covers("Russian Federation - onshore.", "UZ")
    False
    >>> area_covers("Kazakhstan - Caspian Sea.", "KZ")
    False
    >>> area_covers("Armenia; Azerbaijan; Kazakhstan; Kyrgyzstan.", "KG")
    True
    """
    country = countries().get(code)
    if country is None or area.startswith("World"):
        return True
    names = "|".join(re.escape(name) for name in country.names)
    named = re.compile(rf"(?:^|[,;(]\s*|\band |\bonshore |- )(?:{names})(?![\w-])", re.IGNORECASE)
    for part in re.split(r"(?<=[.;]) ", area):
        if named.search(part) and (_ON_LAND.search(part) or not _AT_SEA.search(part)):
            return True
    return False
