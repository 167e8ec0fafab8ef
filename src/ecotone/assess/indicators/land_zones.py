"""Zones with their results as a GeoPackage: what a GIS opens and colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ecotone.assess.indicators.land_polygons import Polygon
from ecotone.assess.indicators.land_spots import write_package
from ecotone.assess.indicators.land_tables import NONE, STATUS

_DEGRADED = (1, 2, 3)


def write_zones(out: Path, zones: Sequence[Polygon], table: pd.DataFrame) -> str:
    """Each zone with its areas by class of the last report and its degraded share."""
    import geopandas

    last = table[table["period"] == table["period"].iloc[-1]]
    wide = last.pivot_table(index="zone", columns="class", values="area_km2", aggfunc="sum")
    rows = []
    for zone in zones:
        areas = wide.loc[zone.name]
        known = float(areas.sum() - areas[NONE])
        degraded = float(areas[list(_DEGRADED)].sum())
        rows.append(
            {
                "zone": zone.name,
                "zone_km2": zone.km2,
                **{f"status_{code}_km2": float(areas[code]) for code in STATUS},
                "nodata_km2": float(areas[NONE]),
                "degraded_km2": degraded,
                "degraded_percent": 100 * degraded / known if known > 0 else None,
            }
        )
    frame = geopandas.GeoDataFrame(rows, geometry=[z.geometry for z in zones], crs=4326)
    return write_package(out, "zones", frame)
