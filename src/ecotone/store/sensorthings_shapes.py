"""Places in a filter: judged on what the reader is told, outside the database.

The rows that bear a place (locations, features, datastreams) are few beside the observations
that lead to them, and neither database is sure to know geometry: their released shapes are read,
judged together by GEOS, and the numbers of those that hold go into the query.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from ecotone.model.sensorthings import malformed

Shapes = NDArray[np.object_]
Bools = NDArray[np.bool_]

#: Functions of two places that are true or false, by their names without ``st_``.
_RELATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "st_equals": shapely.equals,
    "st_disjoint": shapely.disjoint,
    "st_touches": shapely.touches,
    "st_within": shapely.within,
    "st_overlaps": shapely.overlaps,
    "st_crosses": shapely.crosses,
    "st_intersects": shapely.intersects,
    "st_contains": shapely.contains,
    "geo.intersects": shapely.intersects,
}
_MEASURES: Final = ("geo.distance", "geo.length")
TRUTHS: Final = frozenset({*_RELATIONS, "st_relate"})
NUMBERS: Final = frozenset(_MEASURES)
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


@functools.lru_cache(maxsize=256)
def literal(text: str) -> Any:
    """Well-known text, with or without ``SRID=4326;``, as a shape."""
    _, _, plain = text.rpartition(";")
    try:
        found = shapely.from_wkt(plain)
    except shapely.errors.ShapelyError as error:
        raise malformed("sta.shape-unreadable", text=text[:80]) from error
    shapely.prepare(found)
    return found


def read(texts: list[str | None]) -> Shapes:
    """GeoJSON as shapes; what is no geometry is none."""
    plain = np.array([_geometry(t) for t in texts], dtype=object)
    found: Shapes = shapely.from_geojson(plain, on_invalid="ignore")
    return found


def related(name: str, left: Any, right: Any, pattern: str | None) -> Bools:
    """A function of two places, of which either may be many."""
    if name == "st_relate":
        if pattern is None or len(pattern) != 9 or set(pattern) - set("TF*012"):
            raise malformed("sta.relate-pattern")
        found = shapely.relate_pattern(left, right, pattern)
    else:
        found = _RELATIONS[name](left, right)
    return np.asarray(found, dtype=np.bool_)


def measured(name: str, shapes: list[Any]) -> NDArray[np.float64]:
    """Degrees of arc in the plane of longitude and latitude, as the peers tell them."""
    if name == "geo.length" and len(shapes) == 1:
        return np.asarray(shapely.length(shapes[0]), dtype=np.float64)
    if name == "geo.distance" and len(shapes) == 2:
        return np.asarray(shapely.distance(*shapes), dtype=np.float64)
    raise malformed("sta.function-operands", name=name, given=len(shapes))


def measured_against(name: str, values: NDArray[np.float64], number: float) -> Bools:
    """A measure against a number; what has no measure holds in nothing."""
    with np.errstate(invalid="ignore"):
        found = _COMPARE[name](values, number)
    return np.asarray(found & ~np.isnan(values), dtype=np.bool_)


def _geometry(text: str | None) -> str | None:
    """The geometry of a GeoJSON Feature, or the text as it is."""
    if text is None or '"Feature"' not in text:
        return text
    import json

    document = json.loads(text)
    shape = document.get("geometry") if isinstance(document, dict) else None
    return None if shape is None else json.dumps(shape)
