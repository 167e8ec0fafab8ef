"""Three invented countries, a disputed strip between two of them, and borders that look natural."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize, shapes
from scipy.ndimage import distance_transform_edt, label
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ecotone.demo import noise
from ecotone.demo.grid import CELL, COLUMNS, ROWS, area_km2, transform
from ecotone.demo.names import Country, invented

_SEEDS: Final = ((0.25, 0.86), (0.33, 0.24), (0.92, 0.46))  # down, right; XA, XB, XC
_STRIP: Final = (0.16, 0.09, 0.012)  # middle and half height down the border, half width
STRIP: Final = 4  #: number of the disputed strip in ``Countries.number``


@dataclass(frozen=True)
class Countries:
    """Outlines in order XA, XB, XC, strip; ``number`` says for each cell whose it is (1 to 4)."""

    outlines: tuple[BaseGeometry, ...]
    number: NDArray[np.uint8]

    def mask(self, code: str) -> NDArray[np.bool_]:
        """The cells (by their centres) of a country or of the strip."""
        return self.number == [unit.code for unit in units()].index(code) + 1

    def claimed(self, code: str) -> NDArray[np.bool_]:
        """What a country's own agencies map: its land, and the strip where it claims it."""
        mask = self.mask(code)
        return mask | (self.number == STRIP) if code in invented().claimed_by.split(",") else mask


def units() -> Sequence[Country]:
    """The three countries, then the disputed strip."""
    told = invented()
    return (*told.countries, told.strip)


def make_countries(rng: np.random.Generator) -> Countries:
    """Warped Voronoi cells around three seeds, cut along shared, simplified borders."""
    outlines = _outlines(_numbers(rng))
    number = rasterize(
        [(outline, index + 1) for index, outline in enumerate(outlines)],
        out_shape=(ROWS, COLUMNS),
        transform=transform(),
        dtype="uint8",
    )
    return Countries(outlines, number)


BASIN: Final = "BASIN"  #: id of the region that is all of it


def as_geojson(countries: Countries) -> dict[str, Any]:
    """One feature per country and one of its own for the disputed strip."""
    told = invented()
    features = []
    for unit, outline in zip(units(), countries.outlines, strict=True):
        disputed = unit.code == told.strip.code
        properties = {
            "id": unit.code,
            "name": unit.name["en"],
            **{f"name_{lang}": text for lang, text in unit.name.items()},
            "disputed": disputed,
            "claimed_by": told.claimed_by if disputed else "",
            "area_km2": round(area_km2(countries.mask(unit.code)), 1),
            "invented": True,
        }
        geometry = shapely.geometry.mapping(outline)
        features.append(
            {"type": "Feature", "id": unit.code, "properties": properties, "geometry": geometry}
        )
    return {"type": "FeatureCollection", "name": "aluvra_virtual_basin", "features": features}


def with_basin(told: dict[str, Any], countries: Countries) -> dict[str, Any]:
    """The regions of the assessment: the whole basin, then each unit of ``as_geojson``."""
    name = invented().basin
    whole = {
        "type": "Feature",
        "id": BASIN,
        "properties": {
            "id": BASIN,
            "name": name["en"],
            **{f"name_{lang}": text for lang, text in name.items()},
            "area_km2": round(area_km2(countries.number > 0), 1),
            "invented": True,
        },
        "geometry": shapely.geometry.mapping(shapely.union_all(countries.outlines)),
    }
    return {**told, "features": [whole, *told["features"]]}


def _numbers(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Nearest seed as seen through a warped map; the strip lies astride one border."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    down = y / (ROWS - 1) + 0.030 * noise.fractal(rng, (ROWS, COLUMNS), 1.7)
    right = x / (COLUMNS - 1) + 0.030 * noise.fractal(rng, (ROWS, COLUMNS), 1.7)
    far = np.stack([np.hypot(down - a, right - b) for a, b in _SEEDS])
    number = (far.argmin(axis=0) + 1).astype(np.uint8)
    middle, half, width = _STRIP
    lengthwise = 1 - np.clip(np.abs(down - middle) / half, 0, 1) ** 2
    number[np.abs(far[0] - far[1]) < width * 2 * lengthwise] = STRIP
    return _in_one_piece(number)


def _in_one_piece(number: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give every splinter to the country around it."""
    keep = np.zeros(number.shape, dtype=bool)
    for unit in range(1, STRIP + 1):
        pieces, _ = label(number == unit)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        keep |= pieces == sizes.argmax()
    nearest = distance_transform_edt(~keep, return_distances=False, return_indices=True)
    return number[nearest[0], nearest[1]]


def _outlines(number: NDArray[np.uint8]) -> tuple[BaseGeometry, ...]:
    """Outlines that share their borders exactly, without the staircase of the cells."""
    pieces = shapes(number, transform=transform())
    found = dict(
        sorted(
            ((int(value), shape(outline)) for outline, value in pieces), key=lambda pair: pair[0]
        )
    )
    # A corner at every cell edge: where three units meet, all three must have one. Rounding
    # makes them equal to the last bit.
    dense = _rounded(shapely.segmentize(list(found.values()), 1.01 * CELL))
    smooth = shapely.coverage_simplify(dense, tolerance=3 * CELL, simplify_boundary=False)
    return tuple(_rounded(smooth))


def _rounded(outlines: NDArray[np.object_]) -> NDArray[np.object_]:
    return shapely.transform(outlines, lambda corners: np.round(corners, 6))
