"""The window on the border as the joint working group keeps it: classes, cores, a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import rasterio
import shapely
from pyproj import Transformer

from ecotone.demo.files import write_csv, write_json
from ecotone.demo.simulate_connect import RESISTS, Crossing


def write_crossing(folder: Path, crossing: Crossing) -> None:
    """``crossing-land.tif``, ``crossing-cores.geojson`` and ``crossing-resistances.csv``."""
    with rasterio.open(
        folder / "crossing-land.tif", "w", driver="GTiff", dtype="uint8", count=1,
        height=crossing.land.shape[0], width=crossing.land.shape[1], nodata=0,
        crs=crossing.crs.to_wkt(), transform=crossing.transform, compress="deflate",
    ) as out:  # fmt: skip
        out.write(crossing.land, 1)
    turn = Transformer.from_crs(crossing.crs, "EPSG:4326", always_xy=True)
    features = [
        {
            "type": "Feature",
            "properties": {"id": name, "invented": True},
            "geometry": shapely.geometry.mapping(
                shapely.transform(core, lambda xy: _rounded(turn, xy))
            ),
        }
        for name, core in crossing.cores.items()
    ]
    write_json(
        folder / "crossing-cores.geojson", {"type": "FeatureCollection", "features": features}
    )
    rows = [(land, best, low, high) for land, (_, best, low, high) in RESISTS.items()]
    columns = ["class", "resistance", "low", "high"]
    write_csv(folder / "crossing-resistances.csv", pd.DataFrame(rows, columns=columns))


def _rounded(turn: Transformer, xy):  # type: ignore[no-untyped-def]  # shapely gives an array
    import numpy as np

    return np.round(np.column_stack(turn.transform(xy[:, 0], xy[:, 1])), 7)
