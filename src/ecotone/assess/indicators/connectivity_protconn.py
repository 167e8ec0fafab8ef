"""``connectivity.protconn``: how much of a region is protected and joined."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.connectivity_tables import (
    Links,
    centres,
    edge_links,
    point_links,
    read_polygons,
    repairs,
)
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.connectivity.protected import ProtConn, protected_connected
from ecotone.science.connectivity.sparse_pc import numerator

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
Shapes = NDArray[Any]

_HECTARE: Final = 10_000.0
#: Links and paths with a smaller probability are not followed.
_FAINT: Final = 1e-6
#: Of more parts the range over dispersal distances takes too long.
_MANY: Final = 2000
#: Parts smaller than this (m2) are slivers that clipping leaves.
_SLIVER: Final = 1.0


@dataclass(frozen=True)
class Nodes:
    """Parts of protected land in the region and around it, and the region's area (m2)."""

    region: float
    inside: Shapes
    outside: Shapes
    single: Floats  #: areas of single protected areas in the region, part by part


def compute(job: Job) -> Outcome:
    """Protected land clipped to the region, joined by dispersal, as per cent of the region."""
    areas = read_polygons(job.inputs["areas"][0])
    region = read_polygons(job.inputs["region"][0])
    findings = [*repairs(areas, job.inputs["areas"][0]), *repairs(region, job.inputs["region"][0])]
    if areas.crs is not None and region.crs is not None and areas.crs != region.crs:
        areas = areas.to_crs(region.crs)
    findings += _about(region)
    nodes = _nodes(areas, region, job.number("transboundary"))
    job.progress(0.3)
    whole = np.concatenate([nodes.inside, nodes.outside])
    area = np.concatenate([shapely.area(nodes.inside), np.zeros(len(nodes.outside))])
    area /= _HECTARE
    eca = _eca(job, whole, area)
    count = len(nodes.inside)
    alone = _eca(job, nodes.inside, area[:count]) if len(nodes.outside) else eca
    found = protected_connected(
        nodes.region / _HECTARE, area[:count], nodes.single / _HECTARE, eca, alone
    )
    values = _values(found, nodes, eca, float(area.sum()))
    values |= _ranges(job, values, whole, area, findings)
    return Outcome(values=values, findings=findings)


def _ranges(
    job: Job, values: dict[str, Value], whole: Shapes, area: Floats, findings: list[Finding]
) -> dict[str, Value]:
    """What follows from dispersal, with its range over distances, or the reason why not."""
    bracket = job.number("bracket")
    if bracket == 1 or len(whole) > _MANY:
        why = "none" if bracket == 1 else "many"
        findings.append(Finding(f"connectivity-no-range-{why}", Severity.INFO))
        return {}
    found = []
    for share in (1.0 / bracket, bracket):
        other = {**job.parameters, "d0": job.number("d0") * share}
        found.append(_eca(replace(job, parameters=other), whole, area))
    params = {"times": f"{bracket:g}"}
    findings.append(Finding("connectivity-range", Severity.INFO, params=params))
    eca = values["eca"].value
    assert eca is not None
    ranged = {}
    for name in ("eca", "protconn", "relconn"):
        value = values[name]
        if value.value is not None and eca > 0:
            low, high = (value.value * end / eca for end in sorted(found))
            ranged[name] = value.model_copy(update={"low": low, "high": high})
    return ranged


def _about(region: gpd.GeoDataFrame) -> list[Finding]:
    """A region without a reference system is told: its units are taken for metres."""
    if region.crs is None:
        return [Finding("connectivity-crs-missing", Severity.WARNING, field="region")]
    return []


def _nodes(areas: gpd.GeoDataFrame, region: gpd.GeoDataFrame, around: float) -> Nodes:
    """Dissolved protected land, in the region and within ``around`` metres outside of it."""
    land = shapely.union_all(region.geometry.to_numpy())
    shapes = areas.geometry.to_numpy()
    near = shapes[shapely.dwithin(shapes, land, around)]
    if not len(near):
        raise NotComputable(
            say("assess.connectivity.no-protected"), say("assess.connectivity.no-protected.do")
        )
    together = shapely.union_all(near)
    inside = _parts(shapely.intersection(together, land))
    if not len(inside):
        raise NotComputable(
            say("assess.connectivity.no-protected"), say("assess.connectivity.no-protected.do")
        )
    beyond = shapely.difference(together, land)
    outside = _parts(shapely.intersection(beyond, shapely.buffer(land, around)))
    single = [shapely.area(_parts(part)) for part in shapely.intersection(near, land)]
    return Nodes(float(shapely.area(land)), inside, outside, np.concatenate(single))


def _parts(shape: Any) -> Shapes:
    """The polygons of a shape, slivers left out."""
    parts = shapely.get_parts(shape)
    parts = parts[shapely.get_dimensions(parts) == 2]
    # A collection's parts may themselves be collections of polygons.
    parts = shapely.get_parts(parts)
    kept: Shapes = parts[shapely.area(parts) > _SLIVER]
    return kept


def _eca(job: Job, shapes: Shapes, area: Floats) -> float:
    """Equivalent connected area (ha)."""
    rate = -math.log(job.number("p")) / job.number("d0")
    reach = -math.log(_FAINT) / rate
    if job.parameters["distance"] == "edge":
        links = edge_links(shapes, reach)
    else:
        links = point_links(centres(shapes), reach)
    if job.parameters["touching"] == "apart":
        # What a matrix that takes a distance of 0 for "no link" makes of parts that touch.
        links = Links(links.pairs[links.value > 0], links.value[links.value > 0])
    whole = numerator(area, links.pairs, rate * links.value, reach=-math.log(_FAINT))
    return math.sqrt(whole)


def _values(found: ProtConn, nodes: Nodes, eca: float, protected: float) -> dict[str, Value]:
    values = {
        "region_area": Value(value=nodes.region / _HECTARE, unit="ha"),
        "protected_area": Value(value=protected, unit="ha"),
        "eca": Value(value=eca, unit="ha"),
        "nodes": Value(value=len(nodes.inside), unit="1"),
        "nodes_outside": Value(value=len(nodes.outside), unit="1"),
        "relconn": Value(value=found.relative, unit="%"),
    }
    for name, share in (
        ("prot", found.protected),
        ("protconn", found.connected),
        ("protunconn", found.unconnected),
        ("within", found.within),
        ("contig", found.contiguous),
        ("unprot", found.unprotected),
        ("trans", found.transboundary),
    ):
        values[name] = Value(value=share, unit="%")
    return values


CONNECTIVITY_PROTCONN: Final = Indicator(
    id="connectivity.protconn",
    version="1",
    inputs=(Input("areas", "polygons"), Input("region", "polygons")),
    parameters=(
        Parameter("distance", "text", "edge", choices=("edge", "centroid")),
        Parameter("d0", "number", 10_000.0, minimum=1e-9, unit="m"),
        Parameter("p", "number", 0.5, minimum=1e-9, maximum=0.999999, unit="1"),
        Parameter("touching", "text", "joined", choices=("joined", "apart")),
        Parameter("bracket", "number", 2.0, minimum=1.0, unit="1"),
        Parameter("transboundary", "number", 50_000.0, minimum=0.0, unit="m"),
    ),
    values={
        "region_area": "ha",
        "protected_area": "ha",
        "eca": "ha",
        "nodes": "1",
        "nodes_outside": "1",
        "prot": "%",
        "protconn": "%",
        "protunconn": "%",
        "relconn": "%",
        "within": "%",
        "contig": "%",
        "unprot": "%",
        "trans": "%",
    },
    tables={},
    rasters={},
    citations=(
        Citation(
            "Saura et al. (2017) Ecological Indicators 76, 144-158", "10.1016/j.ecolind.2016.12.047"
        ),
        Citation(
            "Saura et al. (2018) Biological Conservation 219, 53-67", "10.1016/j.biocon.2017.12.020"
        ),
    ),
    compute=compute,
)
