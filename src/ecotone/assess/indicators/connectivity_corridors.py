"""``connectivity.corridors``: least-cost paths and corridors between cores, country by country."""

from __future__ import annotations

import os
import time
from typing import Any, Final, cast

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators import connectivity_resistance
from ecotone.assess.indicators.connectivity_borders import by_country
from ecotone.assess.indicators.connectivity_cost import foretold
from ecotone.assess.indicators.connectivity_draws import Draws, with_interval
from ecotone.assess.indicators.connectivity_ensemble import (
    Drawn,
    Ensemble,
    draw,
    numbered,
    stability,
    with_ranks,
)
from ecotone.assess.indicators.connectivity_maps import write_maps
from ecotone.assess.indicators.connectivity_places import find_places, spot
from ecotone.assess.indicators.connectivity_scene import Scene, padded, read_scene
from ecotone.assess.indicators.connectivity_tables import write_layer
from ecotone.model.errors import NotComputable
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.connectivity.corridors import (
    Adjacency,
    Divided,
    Divider,
    Pair,
    adjacent,
    current_within,
    pruned,
    search,
)
from ecotone.science.connectivity.leastcost import barrier_score, corridor
from ecotone.science.connectivity.links import link_losses
from ecotone.science.connectivity.patches import connectivity, probabilities

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compute(job: Job) -> Outcome:
    """Cost distances from every core, each pair's path, the mosaic, and what countries share."""
    begun = time.perf_counter()
    scene, findings = read_scene(job)
    draws = int(job.number("draws"))
    costs, pairs = search(
        scene.resistance,
        scene.label,
        len(scene.cores.names),
        cell=scene.raster.cell,
        neighbours=scene.neighbours,
        progress=lambda share: job.progress(share * (0.2 if draws else 0.8)),
    )
    if not pairs:
        raise NotComputable(
            say("assess.connectivity.no-path"), say("assess.connectivity.no-path.do")
        )
    kind = cast(Adjacency, str(job.parameters["adjacency"]))
    allowed = adjacent(costs, scene.label, kind)
    kept = pruned(pairs, len(scene.cores.names), int(job.number("nearest")), allowed)
    maps = _maps(job, scene, costs, [pairs[k] for k in kept])
    lines = _lines(scene, pairs)
    frame = _distances(scene, pairs, lines, set(kept))
    frame["dECA"], eca = _gains(job, scene, pairs, kept)
    tables = {"distances": frame}
    # Without draws a margin has nothing to be laid around.
    margin = job.number("margin") if draws else 0.0
    findings.extend(
        Draws(draws, job.number("spread"), margin).findings("corridors", told=scene.surface.told)
    )
    values = _values(frame, scene, eca)
    divider = _divider(job, scene, tuple((pairs[k].a, pairs[k].b) for k in kept))
    drawn = None
    if draws:
        ensemble = Ensemble(
            scene.surface.model, divider, job.number("margin"), int(job.number("seed"))
        )
        spent = (time.perf_counter() - begun) * draws / (os.cpu_count() or 1)
        foretold(job, 200.0 * scene.resistance.size * (os.cpu_count() or 1), spent)
        drawn = draw(
            ensemble, draws, scene.raster.values.shape, job.executor,
            lambda kind, seen: spot(scene, kind, seen),
            lambda share: job.progress(0.2 + 0.8 * share),
        )  # fmt: skip
        tables["stability"], agreed = stability(drawn, scene.names(pairs, kept))
        values["rank_agreement"] = Value(value=agreed, unit="1")
        values["eca"] = with_interval(values["eca"], drawn.eca / _HECTARE)
    if divider.zones > 1 or divider.width is not None:
        found, seen = divider.measure(scene.resistance)
        if divider.width is not None:
            maps["current"] = seen.current[scene.inside]
        if divider.zones > 1:
            _countries(scene, found, scene.names(pairs, kept), drawn, divider, tables, values)
    if drawn is not None and divider.width is not None:
        mean = drawn.maps.mean
        maps["current_mean"] = mean
        maps["current_cv"] = np.where(mean >= _LITTLE, drawn.maps.variation(), np.nan)
    radii = _radii(job)
    listed = find_places(scene, maps, radii[0] if radii else None, drawn, values)
    if listed is not None:
        tables["places"] = listed
    return Outcome(
        values=values,
        tables=tables,
        rasters=write_maps(job, scene.raster, maps),
        vectors=_write_shapes(job, scene, frame, lines, kept),
        findings=findings,
    )


def _divider(job: Job, scene: Scene, pairs: tuple[tuple[int, int], ...]) -> Divider:
    """What divides corridors among countries; currents where countries or pinch points ask."""
    pinch = job.parameters["pinch"]
    width: float | None = None
    if isinstance(pinch, float | int):
        width = float(pinch)
    elif "countries" in job.inputs:
        width = job.number("cutoff")
    zone = scene.countries.number
    return Divider(
        scene.label,
        scene.cores.area,
        pairs,
        padded(zone, scene.label.shape, scene.inside),
        len(scene.countries.names),
        scene.raster.cell,
        scene.neighbours,
        width,
        job.number("d0"),
        job.number("p"),
        radii[0] if (radii := _radii(job)) else None,
    )


def _gains(job: Job, scene: Scene, pairs: list[Pair], kept: list[int]) -> tuple[list[float], float]:
    """Per cent of the equivalent connected area that goes with each kept corridor; the area."""
    area = scene.cores.area
    cost = np.full((area.size, area.size), np.inf)
    ends = np.array([(pairs[k].a, pairs[k].b) for k in kept], dtype=np.int64).reshape(-1, 2)
    a, b = ends.T
    cost[a, b] = cost[b, a] = [pairs[k].cost for k in kept]
    direct = probabilities(cost, job.number("d0"), job.number("p"))
    gains = np.full(len(pairs), np.nan)
    gains[kept] = link_losses(area, direct, ends)
    return gains.tolist(), connectivity(area, direct, "pc").eca


def _lines(scene: Scene, pairs: list[Pair]) -> NDArray[Any]:
    """Each path as a line through cell centres."""
    width = scene.resistance.shape[1]
    t = scene.raster.transform
    lines = []
    for pair in pairs:
        rows, columns = np.divmod(pair.cells, width)
        rows, columns = rows - scene.inside[0].start, columns - scene.inside[1].start
        x = t.a * (columns + 0.5) + t.b * (rows + 0.5) + t.c
        y = t.d * (columns + 0.5) + t.e * (rows + 0.5) + t.f
        points = np.column_stack([x, y])
        lines.append(shapely.linestrings(points if len(points) > 1 else np.vstack([points] * 2)))
    return np.array(lines, dtype=object)


def _distances(
    scene: Scene, pairs: list[Pair], lines: NDArray[Any], kept: set[int]
) -> pd.DataFrame:
    """A row for each pair that a path joins."""
    shapes = scene.cores.shapes
    if len(shapes):
        straight = [float(shapely.distance(shapes[p.a], shapes[p.b])) for p in pairs]
    else:
        straight = [_gap(scene, p) for p in pairs]
    names = scene.names(pairs, list(range(len(pairs))))
    return pd.DataFrame(
        {
            "from": [a for a, _ in names],
            "to": [b for _, b in names],
            "euclidean_m": straight,
            "least_cost_m": [p.cost for p in pairs],
            "path_m": shapely.length(lines),
            "crosses_core": [p.crosses for p in pairs],
            "kept": [k in kept for k in range(len(pairs))],
        }
    )


def _gap(scene: Scene, pair: Pair) -> float:
    """The distance between the nearest cell centres of two cores on the grid."""
    from scipy.spatial import cKDTree

    places = [np.argwhere(scene.label == number + 1) for number in (pair.a, pair.b)]
    nearest = np.asarray(cKDTree(places[0]).query(places[1])[0])
    return float(nearest.min()) * scene.raster.cell


def _maps(job: Job, scene: Scene, costs: list[Floats], kept: list[Pair]) -> dict[str, Floats]:
    """The mosaic of corridors up to the cut-off, barriers and pinch points where asked for."""
    cutoff, pinch = job.number("cutoff"), job.parameters["pinch"]
    shape = scene.resistance.shape
    mosaic = np.full(shape, np.inf)
    barriers, percent = np.zeros(shape), np.zeros(shape)
    pinched = np.zeros(shape)
    radii = _radii(job)
    for pair in kept:
        cost_a, cost_b = costs[pair.a], costs[pair.b]
        np.fmin(mosaic, corridor(cost_a, cost_b, pair.cost), out=mosaic)
        for radius in radii:
            score = barrier_score(cost_a, cost_b, pair.cost, radius=radius, cell=scene.raster.cell)
            np.maximum(barriers, score, out=barriers)
            np.maximum(percent, 100.0 * score / pair.cost, out=percent)
        if isinstance(pinch, float | int):
            flow = current_within(scene.resistance, scene.label, cost_a, cost_b, pair, float(pinch))
            np.maximum(pinched, flow, out=pinched)
    maps = {"corridors": np.where(mosaic <= cutoff, np.maximum(mosaic, 0.0), np.nan)}
    if radii:
        maps["barriers"], maps["barriers_percent"] = barriers, percent
    if isinstance(pinch, float | int):
        maps["pinch_points"] = pinched
    return {name: values[scene.inside] for name, values in maps.items()}


def _radii(job: Job) -> list[float]:
    """The radii of discs to restore: from the least by steps to the largest."""
    least, most = job.parameters["barrier_radius"], job.parameters["barrier_radius_max"]
    if not isinstance(least, float | int):
        return []
    if not isinstance(most, float | int) or most <= least:
        return [float(least)]
    step = job.parameters["barrier_step"]
    apart = float(step) if isinstance(step, float | int) else float(least)
    return [float(r) for r in np.arange(float(least), float(most) + apart / 2.0, apart)]


def _countries(
    scene: Scene, found: Divided, names: list[tuple[str, str]], drawn: Drawn | None,
    divider: Divider, tables: dict[str, pd.DataFrame], values: dict[str, Value],
) -> None:  # fmt: skip
    """The parts of corridors by country, and their order of importance."""
    countries = scene.countries.names
    frame, at = by_country(found, names, countries, current=divider.width is not None)
    tables["by_country"] = frame
    segments = frame[frame["cost_m"] > 0]
    at = at[frame["cost_m"].to_numpy() > 0]
    if drawn is None:
        order = segments.sort_values("dECA", ascending=False, kind="stable")
        tables["segments"] = numbered(order)
        return
    tables["segments"], agreed = with_ranks(segments.reset_index(drop=True), at, drawn)
    values["segment_agreement"] = Value(value=agreed, unit="1")


def _write_shapes(
    job: Job, scene: Scene, frame: pd.DataFrame, lines: NDArray[Any], kept: list[int]
) -> dict[str, str]:
    """The kept paths and the cores as GeoPackages."""
    import geopandas as gpd

    crs = None if scene.raster.crs is None else scene.raster.crs.to_wkt()
    layers = {
        "paths": gpd.GeoDataFrame(
            frame.iloc[kept].reset_index(drop=True), geometry=lines[kept], crs=crs
        ),
        "cores": gpd.GeoDataFrame(
            {"id": scene.cores.names}, geometry=scene.cores.outlines(scene.raster), crs=crs
        ),
    }
    for name, layer in layers.items():
        write_layer(job.out / "vectors" / f"{name}.gpkg", layer)
    return {name: f"vectors/{name}.gpkg" for name in layers}


def _values(frame: pd.DataFrame, scene: Scene, eca: float) -> dict[str, Value]:
    kept = frame[frame["kept"]]
    return {
        "cores": Value(value=len(scene.cores.names), unit="1"),
        "corridors": Value(value=len(kept), unit="1"),
        "length": Value(value=float(kept["path_m"].sum()), unit="m"),
        "mean_least_cost": Value(value=float(frame["least_cost_m"].mean()), unit="m"),
        "eca": Value(value=eca / _HECTARE, unit="ha"),
    }


_HECTARE: Final = 10_000.0
#: Where less flows on average (A, of 1 A a pair) its variation says nothing.
_LITTLE: Final = 0.01
#: The columns of what a corridor has in a country.
_PARTS: Final = {
    "from": "",
    "to": "",
    "country": "",
    "length_m": "m",
    "share": "%",
    "cost_m": "m",
    "dECA": "%",
    "current": "A",
    "current_share": "%",
}

CONNECTIVITY_CORRIDORS: Final = Indicator(
    id="connectivity.corridors",
    version="1",
    inputs=(
        *connectivity_resistance.INPUTS,
        Input("cores", "polygons"),
        Input("countries", "polygons", required=False),
    ),
    parameters=(
        Parameter("neighbours", "text", "8", choices=("4", "8", "16")),
        Parameter("cutoff", "number", 200_000.0, minimum=0.0, unit="m"),
        Parameter("nearest", "integer", 4, minimum=1, unit="1"),
        Parameter("adjacency", "text", "any", choices=("any", "cost", "euclidean", "either")),
        Parameter("d0", "number", 10_000.0, minimum=1e-9, unit="m"),
        Parameter("p", "number", 0.5, minimum=1e-9, maximum=0.999999, unit="1"),
        Parameter("draws", "integer", 0, minimum=0, maximum=100_000, unit="1"),
        *connectivity_resistance.PARAMETERS,
        Parameter("margin", "number", 0.0, minimum=0.0, maximum=2.0, unit="1"),
        Parameter("seed", "integer", 1, minimum=0),
        Parameter("barrier_radius", "number", None, minimum=1e-9, unit="m"),
        Parameter("barrier_radius_max", "number", None, minimum=1e-9, unit="m"),
        Parameter("barrier_step", "number", None, minimum=1e-9, unit="m"),
        Parameter("pinch", "number", None, minimum=0.0, unit="m"),
    ),
    values={
        "cores": "1",
        "corridors": "1",
        "length": "m",
        "mean_least_cost": "m",
        "eca": "ha",
        "rank_agreement": "1",
        "segment_agreement": "1",
        "barrier_longitude": "degree",
        "barrier_latitude": "degree",
        "pinch_longitude": "degree",
        "pinch_latitude": "degree",
    },
    tables={
        "distances": {
            "from": "",
            "to": "",
            "euclidean_m": "m",
            "least_cost_m": "m",
            "path_m": "m",
            "crosses_core": "",
            "kept": "",
            "dECA": "%",
        },
        "by_country": _PARTS,
        "segments": {
            "place": "1",
            **_PARTS,
            "dECA_mean": "%",
            "dECA_cv": "1",
            "dECA_low": "%",
            "dECA_high": "%",
            "current_cv": "1",
            "rank": "1",
            "rank_low": "1",
            "rank_high": "1",
            "leading": "%",
        },
        "places": {
            "kind": "",
            "rank": "1",
            "country": "",
            "x": "m",
            "y": "m",
            "longitude": "degree",
            "latitude": "degree",
            "value": "1",
        },
        "stability": {
            "from": "",
            "to": "",
            "mean_m": "m",
            "cv": "1",
            "low_m": "m",
            "high_m": "m",
            "rank": "1",
            "rank_low": "1",
            "rank_high": "1",
        },
    },
    rasters={
        "corridors": "m",
        "barriers": "1",
        "barriers_percent": "%/m",
        "pinch_points": "A",
        "current": "A",
        "current_mean": "A",
        "current_cv": "1",
    },
    citations=(
        Citation("McRae et al. (2012) PLoS ONE 7, e52604", "10.1371/journal.pone.0052604"),
        Citation(
            "Adriaensen et al. (2003) Landscape and Urban Planning 64, 233-247",
            "10.1016/S0169-2046(02)00242-6",
        ),
        Citation(
            "Keeley et al. (2016) Landscape Ecology 31, 2173-2191", "10.1007/s10980-016-0387-5"
        ),
        Citation("Koen et al. (2010) PLoS ONE 5, e11785", "10.1371/journal.pone.0011785"),
    ),
    compute=compute,
)
