"""The status by zone, by country within each zone, and zones as a GeoPackage for a GIS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from rasterio.windows import Window

from ecotone.assess.indicator import Job
from ecotone.assess.indicators.land_ground import Ground, strips
from ecotone.assess.indicators.land_polygons import Polygon
from ecotone.assess.indicators.land_sdg_work import Span, Work, status_in
from ecotone.assess.indicators.land_spots import write_package
from ecotone.assess.indicators.land_tables import NONE, STATUS, ClassAreas
from ecotone.science.land.coverage import Rings

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_DEGRADED: Final = (1, 2, 3)
_TOTAL: Final = "total"
_OTHER: Final = "other"


def by_zone(work: Work, zones: Sequence[Polygon]) -> pd.DataFrame:
    """The status in each zone, by cells cut at its border."""
    return pd.concat(
        [
            _areas(work, span, zone.geometry).table({"zone": zone.name, "period": span.name})
            for zone in zones
            for span in work.spans[1:]
        ],
        ignore_index=True,
    )


def by_country(work: Work, zones: Sequence[Polygon], countries: Sequence[Polygon]) -> pd.DataFrame:
    """Of each zone a total, a part for each country it touches, and what no country holds.

    ``share_percent`` is the part's share of the zone's area of that class.
    """
    rows = [row for zone in zones for span in work.spans[1:]
            for row in _parts(work, span, zone, countries)]  # fmt: skip
    return pd.DataFrame(rows)


def _parts(
    work: Work, span: Span, zone: Polygon, countries: Sequence[Polygon]
) -> Iterator[dict[str, object]]:
    whole = _areas(work, span, zone.geometry)
    parts = {_TOTAL: whole.sums}
    rest = whole.sums.copy()
    for country in countries:
        shared = zone.geometry.intersection(country.geometry)
        if shared.is_empty or shared.area == 0:
            continue
        parts[country.name] = _areas(work, span, shared).sums
        rest -= parts[country.name]
    if rest.sum() > 1e-9 * whole.total:
        parts[_OTHER] = rest.clip(min=0.0)
    for name, sums in parts.items():
        for at, code in enumerate((*whole.classes, NONE)):
            total = float(whole.sums[at])
            yield {
                "zone": zone.name,
                "period": span.name,
                "country": name,
                "class": code,
                "area_km2": float(sums[at]),
                "share_percent": 100 * float(sums[at]) / total if total > 0 else None,
            }


def _areas(work: Work, span: Span, geometry: BaseGeometry) -> ClassAreas:
    rings = work.ground.outlines(geometry)
    areas = ClassAreas(tuple(STATUS))
    window = _window(work, rings)
    for part in strips(window) if window else ():
        areas.sums += work.inside(part, status_in(work, span, part), areas.classes, rings)
    return areas


def _window(work: Work, rings: tuple[Rings, ...]) -> Window | None:
    """The part of the region's window in which a polygon lies."""
    ground = work.ground
    own = Ground(ground.transform, ground.crs, ground.width, ground.height, rings).bounds()
    within = work.scratch.within
    if own is None:
        return None
    top, left = max(own.row_off, within.row_off), max(own.col_off, within.col_off)
    bottom = min(own.row_off + own.height, within.row_off + within.height)
    right = min(own.col_off + own.width, within.col_off + within.width)
    return Window(left, top, right - left, bottom - top) if bottom > top and right > left else None


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


def edges_of(ground: Ground) -> tuple[float, float, float, float]:
    """West, south, east, north of a grid, in degrees."""
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds

    west, north = ground.transform * (0, 0)
    east, south = ground.transform * (ground.width, ground.height)
    west, south, east, north = transform_bounds(
        ground.crs, CRS.from_epsg(4326), west, south, east, north
    )
    return west, south, east, north


def area_of_interest(job: Job, ground: Ground) -> dict[str, Any]:
    """The area of interest as Trends.Earth writes it; the grid's edges without a region."""
    from rasterio.crs import CRS
    from shapely.geometry import box, mapping

    shape = job.region if job.region is not None else box(*edges_of(ground))
    feature = {"type": "Feature", "properties": {}, "geometry": mapping(shape)}
    return {
        "name": "Area of interest",
        "geojson": {"type": "FeatureCollection", "features": [feature]},
        "crs_wkt": CRS.from_epsg(4326).to_wkt(),
    }
