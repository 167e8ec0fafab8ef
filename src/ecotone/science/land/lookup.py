"""Codes of the classified rasters, and tables that are looked up by them."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Codes = NDArray[np.int16]

#: No value, in every classified raster.
NODATA: Final = -32768
DEGRADED: Final = -1
STABLE: Final = 0
IMPROVED: Final = 1
#: The three classes in the order of a lookup table's axes, and no data last.
THREE: Final = (DEGRADED, STABLE, IMPROVED, NODATA)


def three_classes(codes: ArrayLike) -> NDArray[np.intp]:
    """The place of each code in ``THREE``: 0 degraded, 1 stable, 2 improved, 3 no data.

    Args:
        codes: -1, 0, 1 or ``NODATA``, any shape.

    Returns:
        Places, same shape.

    Raises:
        ValueError: any other code, which no rule says how to read.

    >>> three_classes([-1, 1, -32768]).tolist()
    [0, 2, 3]
    """
    values = np.asarray(codes)
    places = np.where(values == NODATA, 3, values + 1).astype(np.intp)
    if places.size and (places.min() < 0 or places.max() > 3 or (values == 2).any()):
        raise ValueError("only -1, 0, 1 and no data are degradation classes")
    return places


def rows_of(name: str) -> list[dict[str, str]]:
    """A table of this package, row by row, columns by name.

    Args:
        name: the file in ``tables``, without its ending.

    Returns:
        One dictionary a row.
    """
    text = resources.files("ecotone.science.land").joinpath(f"tables/{name}.csv").read_text("utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
