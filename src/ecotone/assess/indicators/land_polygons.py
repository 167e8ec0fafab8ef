"""Polygons that users give: zones of a report, corrections of a map; checked before use."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecotone.model.errors import InputRefused
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.land.areas import geodesic_area
from ecotone.science.land.status import PERIODS, Recode

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: A declared area may differ from the true one by this share.
_DECLARED: Final = 0.01
#: Overlaps up to this area are those of drawing, not of meaning, km2.
_SLIVER: Final = 0.01
_NAMES: Final = ("id", "code", "iso3", "name", "location_name", "uuid")


@dataclass(frozen=True)
class Polygon:
    """A named polygon (longitude, latitude), what else its row says, and its true area."""

    name: str
    geometry: BaseGeometry
    attributes: Mapping[str, Any]
    km2: float


def read_polygons(path: Path) -> list[Polygon]:
    """The polygons of a file in longitude and latitude.

    Raises InputRefused for an unreadable file, a missing reference system, an outline that
    crosses itself, or no polygon at all.
    """
    import geopandas
    import pyogrio.errors
    from shapely import is_valid_reason

    try:
        frame = geopandas.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise InputRefused(say("assess.regions-unreadable", path=path.name, why=error)) from error
    if frame.crs is None:
        raise InputRefused(say("assess.regions-crs", path=path.name))
    frame = frame.to_crs(4326)
    column = next((n for n in _NAMES if n in frame.columns), None)
    found = []
    for number, row in enumerate(frame.to_dict("records"), start=1):
        geometry = row.pop("geometry")
        name = str(row[column]) if column else str(number)
        sound = geometry is not None and not geometry.is_empty and geometry.is_valid
        if not sound or geometry.geom_type not in ("Polygon", "MultiPolygon"):
            why = "-" if geometry is None else is_valid_reason(geometry)
            raise InputRefused(
                say("assess.region-invalid", id=name, why=why), say("assess.land.polygon.do")
            )
        found.append(Polygon(name, geometry, row, geodesic_area(geometry) / 1e6))
    if not found:
        raise InputRefused(say("assess.land.no-polygons", path=path.name))
    return found


def overlaps(polygons: Sequence[Polygon], file: str) -> Iterator[Finding]:
    """Pairs of polygons that lie over one another."""
    from shapely import STRtree

    tree = STRtree([p.geometry for p in polygons])
    left, right = tree.query([p.geometry for p in polygons], predicate="intersects")
    for a, b in sorted((int(x), int(y)) for x, y in zip(left, right, strict=True) if x < y):
        shared = geodesic_area(polygons[a].geometry.intersection(polygons[b].geometry)) / 1e6
        if shared > _SLIVER:
            yield Finding(
                "land-polygons-overlap",
                Severity.WARNING,
                file=file,
                params={
                    "first": polygons[a].name,
                    "second": polygons[b].name,
                    "km2": f"{shared:.2f}",
                },
            )


@dataclass(frozen=True)
class Correction:
    """A polygon in which a map is corrected, and how."""

    polygon: Polygon
    recode: Recode
    declared: float | None


def read_corrections(path: Path) -> tuple[list[Correction], list[Finding]]:
    """Error polygons in the form of the UNCCD (``recode_deg_to`` and so on).

    A declared area that is off by more than 1 % and polygons that overlap are findings.
    Raises InputRefused where a code or period is none that the form allows.
    """
    made: list[Correction] = []
    findings: list[Finding] = []
    polygons = read_polygons(path)
    for number, polygon in enumerate(polygons, start=1):
        row = polygon.attributes
        try:
            recode = Recode(
                _code(row.get("recode_deg_to")),
                _code(row.get("recode_stable_to")),
                _code(row.get("recode_imp_to")),
                _periods(row.get("periods_affected")),
            )
        except ValueError as error:
            raise InputRefused(
                say("assess.land.correction", name=polygon.name, why=error),
                say("assess.land.correction.do", periods=", ".join(PERIODS)),
            ) from error
        declared = row.get("area_km_sq")
        known = float(declared) if isinstance(declared, int | float) else None
        made.append(Correction(polygon, recode, known))
        if known is not None and abs(known - polygon.km2) > _DECLARED * polygon.km2:
            findings.append(
                Finding(
                    "land-area-declared",
                    Severity.WARNING,
                    row=number,
                    field="area_km_sq",
                    value=f"{known:g}",
                    file=path.name,
                    params={"name": _label(polygon), "true": f"{polygon.km2:.2f}"},
                )
            )
    findings += overlaps(polygons, path.name)
    return made, findings


def _label(polygon: Polygon) -> str:
    return str(polygon.attributes.get("location_name") or polygon.name)


def _code(value: Any) -> int | None:
    if value is None or value != value:
        return None
    if float(value) != int(value):
        raise ValueError(f"{value} is no degradation class")
    return int(value)


def _periods(value: Any) -> tuple[str, ...]:
    """A list of periods, also as text, as some readers of GeoJSON give it."""
    if value is None:
        raise ValueError("no period is named")
    text = value if isinstance(value, str) else ",".join(map(str, value))
    names = [part.strip(" []\"'") for part in text.split(",")]
    found = tuple(name for name, _ in itertools.groupby(n for n in names if n))
    if not found:
        raise ValueError("no period is named")
    return found


def error_recode(corrections: Sequence[Correction]) -> dict[str, Any] | None:
    """Corrections as ``ErrorRecodePolygons`` of te_schemas; None where there are none."""
    from shapely.geometry import mapping

    if not corrections:
        return None
    features = [
        {
            "type": "Feature",
            "geometry": mapping(c.polygon.geometry),
            "properties": {
                "fid": number,
                "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, c.polygon.geometry.wkt)),
                "location_name": _label(c.polygon),
                "area_km_sq": c.polygon.km2,
                "process_driving_change": _text(c, "process_driving_change"),
                "basis_for_judgement": _text(c, "basis_for_judgement"),
                "periods": [{"value": period} for period in c.recode.periods],
                "recode_deg_to": c.recode.degraded,
                "recode_stable_to": c.recode.stable,
                "recode_imp_to": c.recode.improved,
            },
        }
        for number, c in enumerate(corrections, start=1)
    ]
    return {
        "type": "FeatureCollection",
        "name": "Error recode",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        "features": features,
    }


def _text(correction: Correction, name: str) -> str | None:
    value = correction.polygon.attributes.get(name)
    return value if isinstance(value, str) else None
