"""What a corridor has in each country."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.features import rasterize

from ecotone.assess.indicators.connectivity_tables import read_polygons
from ecotone.formats.asciigrid import Raster
from ecotone.science.connectivity.corridors import Divided

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: What lies in no country.
NOWHERE: Final = "-"


@dataclass(frozen=True)
class Countries:
    """The country of each cell by the place of its name; place 0 is none."""

    number: Ints
    names: list[str]


def read_countries(path: Path | None, raster: Raster) -> Countries:
    """Countries burned by cell centres; all is nowhere without a file."""
    shape = raster.values.shape
    if path is None:
        return Countries(np.zeros(shape, dtype=np.int64), [NOWHERE])
    frame = read_polygons(path, raster.crs)
    column = next(c for c in frame.columns if c != frame.geometry.name)
    names = list(dict.fromkeys(frame[column].astype(str)))
    place = {name: number for number, name in enumerate(names, 1)}
    drawn = zip(frame.geometry, frame[column].astype(str).map(place), strict=True)
    burned = rasterize(drawn, out_shape=shape, transform=raster.transform, dtype="int32")
    return Countries(burned.astype(np.int64), [NOWHERE, *names])


def by_country(
    found: Divided, pairs: list[tuple[str, str]], countries: list[str], *, current: bool
) -> tuple[pd.DataFrame, Ints]:
    """A row for each part of a corridor in a country, and the pair and place of each row.

    The lengths, costs, currents and gains of a corridor's rows add up to the corridor's own.
    """
    at = np.argwhere((found.length > 0) | (found.current > 0))
    names = np.array(countries, dtype=object)
    order = np.lexsort((names[at[:, 1]].astype(str), at[:, 0]))
    at = at[order].astype(np.int64)
    k, zone = at.T
    frame = pd.DataFrame(
        {
            "from": [pairs[i][0] for i in k.tolist()],
            "to": [pairs[i][1] for i in k.tolist()],
            "country": names[zone],
            "length_m": found.length[k, zone],
            "share": _share(found.length)[k, zone],
            "cost_m": found.spent[k, zone],
            "dECA": found.gain[k, zone],
        }
    )
    if current:
        frame["current"] = found.current[k, zone]
        frame["current_share"] = _share(found.current)[k, zone]
    return frame, at


def _share(values: Floats) -> Floats:
    whole = values.sum(axis=1, keepdims=True)
    share: Floats = np.divide(100.0 * values, whole, out=np.zeros_like(values), where=whole > 0)
    return share
