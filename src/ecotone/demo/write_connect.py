"""The window on the border as the joint working group keeps it.

Classes, cores and the table of resistances for the plan; for who works with Circuitscape an INI
with a reclass table and focal points; for a what-if the resistances and a passage in the fence.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from ecotone.demo.files import write_csv, write_json
from ecotone.demo.simulate_connect import RESISTS, UNDERPASS, Crossing


def write_crossing(folder: Path, crossing: Crossing) -> None:
    """All files ``crossing*`` of the window."""
    _write_raster(folder / "crossing-land.tif", crossing, crossing.land, 0)
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
    _write_circuit(folder, crossing)


def _write_circuit(folder: Path, crossing: Crossing) -> None:
    """A Circuitscape run over the classes, and a what-if over their resistances."""
    best = np.zeros(max(RESISTS) + 1, dtype=np.float32)
    best[list(RESISTS)] = [guess for _, guess, _, _ in RESISTS.values()]
    _write_raster(folder / "crossing-resistance.tif", crossing, best[crossing.land], -9999.0)
    opened = np.where(crossing.passage, best[UNDERPASS], np.float32(-9999.0))
    _write_raster(folder / "crossing-passage.tif", crossing, opened, -9999.0)
    pairs = (f"{land} {guess:g}" for land, (_, guess, _, _) in RESISTS.items())
    _write_lines(folder / "crossing-reclass.txt", pairs)
    middles = enumerate((core.centroid for core in crossing.cores.values()), 1)
    _write_lines(
        folder / "crossing-points.txt",
        (f"{number} {middle.x:.1f} {middle.y:.1f}" for number, middle in middles),
    )
    _write_lines(
        folder / "crossing.ini",
        (
            "[Circuitscape mode]", "data_type = raster", "scenario = pairwise",
            "[Habitat raster or graph]", "habitat_file = crossing-land.tif",
            "habitat_map_is_resistances = True", "[Resistance adjustments]",
            "use_reclass_table = True", "reclass_file = crossing-reclass.txt",
            "[Options for pairwise and one-to-all and all-to-one modes]",
            "point_file = crossing-points.txt", "[Connection scheme for raster habitat data]",
            "connect_four_neighbors_only = False", "connect_using_avg_resistances = True",
            "[Output options]", "write_cur_maps = True", "write_cum_cur_map_only = True",
            "output_file = crossing.out",
        ),
    )  # fmt: skip


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii", newline="\n")


def _write_raster(path: Path, crossing: Crossing, values: NDArray[Any], nodata: float) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", dtype=values.dtype.name, count=1, height=values.shape[0],
        width=values.shape[1], nodata=nodata, crs=crossing.crs.to_wkt(),
        transform=crossing.transform, compress="deflate",
    ) as out:  # fmt: skip
        out.write(values, 1)


def _rounded(turn: Transformer, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(np.column_stack(turn.transform(xy[:, 0], xy[:, 1])), 7)
