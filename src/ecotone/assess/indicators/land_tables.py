"""Areas of classes as tables that share one denominator, and maps of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.assess.indicators.land_ground import Ground, strips
from ecotone.formats.raster_classes import MapClass, write_classes
from ecotone.model.result import Value
from ecotone.science.land.lookup import NODATA
from ecotone.science.land.status import area_by_code

Floats = NDArray[np.float64]

#: The row of what has no data; no class has this number.
NONE: Final = 0
LPD: Final = {
    1: MapClass("Declining", "#9B2779"),
    2: MapClass("Moderate decline", "#C2619A"),
    3: MapClass("Stressed", "#E8B0CE"),
    4: MapClass("Stable", "#FFFFE0"),
    5: MapClass("Increasing", "#006500"),
}
STATUS: Final = {
    1: MapClass("Persistent degradation", "#762A83"),
    2: MapClass("Recent degradation", "#9B2779"),
    3: MapClass("Baseline degradation", "#E5C5E1"),
    4: MapClass("Stability", "#FFFFE0"),
    5: MapClass("Baseline improvement", "#C7E5C0"),
    6: MapClass("Recent improvement", "#5AAE61"),
    7: MapClass("Persistent improvement", "#006500"),
}
#: Degraded, stable and improved as 1, 2, 3 in a map of bytes.
THREE: Final = {
    1: MapClass("Degraded", "#9B2779"),
    2: MapClass("Stable", "#FFFFE0"),
    3: MapClass("Improved", "#006500"),
}

#: How many answers in three classes the rule sets give: one, two or all three.
AGREEMENT: Final = {
    1: MapClass("All rule sets agree", "#FFFFE0"),
    2: MapClass("Two answers", "#FDB863"),
    3: MapClass("Three answers", "#B35806"),
}


class ClassAreas:
    """Areas by class, summed strip by strip; the last number is that of no data."""

    def __init__(self, classes: Sequence[int]) -> None:
        self.classes = tuple(classes)
        self.sums = np.zeros(len(self.classes) + 1)

    def add(self, codes: NDArray[Any], km2: Floats) -> None:
        """Take a strip in."""
        self.sums += area_by_code(codes, km2, self.classes)

    def of(self, *classes: int) -> float:
        """The area of some classes, km2."""
        return float(sum(self.sums[self.classes.index(code)] for code in classes))

    @property
    def none(self) -> float:
        """The area without data, km2."""
        return float(self.sums[-1])

    @property
    def total(self) -> float:
        """All of it, km2: the denominator."""
        return float(self.sums.sum())

    def table(self, first: Mapping[str, object] | None = None) -> pd.DataFrame:
        """``class, area_km2, percent``: every class and, as class 0, what has no data."""
        total = self.total
        rows = [*zip(self.classes, self.sums[:-1], strict=True), (NONE, self.none)]
        return pd.DataFrame(
            [
                {
                    **(first or {}),
                    "class": code,
                    "area_km2": float(area),
                    "percent": 100 * float(area) / total if total > 0 else None,
                }
                for code, area in rows
            ]
        )


def degradation_values(areas: ClassAreas) -> dict[str, Value]:
    """Degraded, stable, improved and unknown land of areas of -1, 0, 1, and the share of land.

    The share is that of degraded land in the land assessed, as SDG 15.3.1 asks.
    """
    known = areas.total - areas.none
    return {
        "total_km2": Value(value=areas.total, unit="km2"),
        "degraded_km2": Value(value=areas.of(-1), unit="km2"),
        "stable_km2": Value(value=areas.of(0), unit="km2"),
        "improved_km2": Value(value=areas.of(1), unit="km2"),
        "nodata_km2": Value(value=areas.none, unit="km2"),
        "degraded_percent": Value(
            value=100 * areas.of(-1) / known if known > 0 else None, unit="%"
        ),
    }


def write_map(
    out: Path,
    name: str,
    ground: Ground,
    within: Window,
    codes: Callable[[Window], NDArray[Any]],
    legend: Mapping[int, MapClass],
    tags: Mapping[str, str],
) -> str:
    """A map of classes over a window, strip by strip; returns its path relative to ``out``."""
    relative = f"rasters/{name}.tif"
    top, left = int(within.row_off), int(within.col_off)

    def blocks() -> Iterable[tuple[Window, NDArray[Any]]]:
        for window in strips(within):
            values = np.where(ground.shares(window) > 0, codes(window), NODATA)
            place = Window(0, window.row_off - top, window.width, window.height)
            yield place, np.where(values == NODATA, 0, values)

    write_classes(
        out / relative,
        shape=(int(within.height), int(within.width)),
        transform=ground.transform * Affine.translation(left, top),
        crs=ground.crs,
        blocks=blocks(),
        legend=legend,
        tags=tags,
    )
    return relative


def shown_three(codes: NDArray[Any]) -> NDArray[Any]:
    """-1, 0, 1 as 1, 2, 3 for a map of bytes."""
    return np.where(codes == NODATA, NODATA, codes + 2)
