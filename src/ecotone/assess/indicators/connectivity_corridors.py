"""``connectivity.corridors``: least-cost paths and corridors between cores."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.windows import Window
from scipy.sparse.csgraph import connected_components

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.connectivity_ensemble import (
    Ensemble,
    read_ranges,
    stability,
)
from ecotone.assess.indicators.connectivity_inputs import Habitat, on_grid, read_habitat
from ecotone.assess.indicators.connectivity_tables import polygon_patches, read_polygons
from ecotone.formats.asciigrid import Raster, read_raster
from ecotone.formats.base import refused
from ecotone.formats.raster_write import write_geotiff
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.connectivity.ensemble import Ranges, spread_around
from ecotone.science.connectivity.landscape import Landscape, Points, Wanted, pairwise
from ecotone.science.connectivity.leastcost import (
    barrier_score,
    corridor,
    cost_distance,
    path_to,
)
from ecotone.science.connectivity.patches import connectivity, probabilities

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Ending of a raster of core ids; anything else is read as polygons.
_RASTERS: Final = (".tif", ".tiff", ".asc", ".gz", ".img")


@dataclass(frozen=True)
class Cores:
    """Cores on the grid by number from 1, their names, and their shapes if they have any."""

    label: Ints
    names: list[str]
    shapes: NDArray[Any]


@dataclass(frozen=True)
class Pair:
    """Two cores (numbers from 0) and the least-cost path between them."""

    a: int
    b: int
    cost: float
    cells: Ints
    crosses: bool  #: the path passes through a third core


def compute(job: Job) -> Outcome:
    """Cost distances from every core, then each pair's path and the mosaic of corridors."""
    habitat, ranges = _habitat(job)
    findings = list(_about(habitat, job.inputs["resistance"][0]))
    cores = _cores(job.inputs["cores"][0], habitat)
    with np.errstate(divide="ignore"):
        resistance = np.where(habitat.conductance > 0, 1.0 / habitat.conductance, np.nan)
    neighbours = int(str(job.parameters["neighbours"]))
    costs, pairs = _search(job, habitat.raster, resistance, cores, neighbours)
    if not pairs:
        raise NotComputable(
            say("assess.connectivity.no-path"), say("assess.connectivity.no-path.do")
        )
    kept = _kept(pairs, len(cores.names), int(job.number("nearest")))
    chosen = [pairs[k] for k in kept]
    maps = _maps(job, habitat.raster, costs, chosen)
    if isinstance(job.parameters["pinch"], float | int):
        maps["pinch_points"] = pinch_points(
            habitat, cores.label, costs, chosen, job.number("pinch")
        )
    rasters = _write_maps(job, habitat.raster, maps)
    lines = _lines(habitat.raster, pairs)
    frame = _distances(habitat.raster, cores, pairs, lines, set(kept))
    vectors = _write_lines(job, habitat.raster, frame, lines, kept)
    frame["dECA"] = _gains(job, habitat.raster, cores, pairs, kept)
    tables = {"distances": frame}
    values = _values(frame, len(cores.names))
    if "countries" in job.inputs:
        tables["by_country"] = _by_country(job, frame, lines, kept)
    draws = int(job.number("draws"))
    if draws:
        tables["stability"], agreed = stability(
            Ensemble(
                habitat.raster.values,
                ranges,
                cores.label,
                tuple((pairs[k].a, pairs[k].b) for k in kept),
                habitat.raster.cell,
                neighbours,
                int(job.number("seed")),
            ),
            cores.names,
            draws,
            job.executor,
            job.progress,
        )
        values["rank_agreement"] = Value(value=agreed, unit="1")
    return Outcome(
        values=values,
        tables=tables,
        rasters=rasters,
        vectors=vectors,
        findings=findings,
    )


def _habitat(job: Job) -> tuple[Habitat, Ranges]:
    """Resistances as given, or of classes by a table; and the range of each."""
    path = job.inputs["resistance"][0]
    spread = job.number("spread")
    if "classes" not in job.inputs:
        habitat = read_habitat(path, resistance=True)
        return habitat, spread_around(habitat.raster.values, spread)
    ranges = read_ranges(job.inputs["classes"][0])
    raster = read_raster(path)
    resistance = ranges.mapped(raster.values, ranges.resistance)
    unknown = np.isfinite(raster.values) & np.isnan(resistance)
    if unknown.any():
        raise refused(
            "corridor-class-unknown", file=path.name, value=f"{raster.values[unknown][0]:g}"
        )
    return Habitat(raster, np.nan_to_num(1.0 / resistance)), ranges


def _gains(
    job: Job, raster: Raster, cores: Cores, pairs: list[Pair], kept: list[int]
) -> list[float]:
    """Per cent of the equivalent connected area that would go with each kept corridor."""
    if len(cores.shapes):
        area = shapely.area(cores.shapes)
    else:
        area = np.bincount(cores.label.ravel())[1:] * raster.cell**2
    size = len(area)
    cost = np.full((size, size), np.inf)
    for k in kept:
        cost[pairs[k].a, pairs[k].b] = cost[pairs[k].b, pairs[k].a] = pairs[k].cost
    direct = probabilities(cost, job.number("d0"), job.number("p"))
    whole = connectivity(area, direct, "pc").eca
    gains = [float("nan")] * len(pairs)
    for k in kept:
        less = direct.copy()
        less[pairs[k].a, pairs[k].b] = less[pairs[k].b, pairs[k].a] = 0.0
        gains[k] = 100.0 * (whole - connectivity(area, less, "pc").eca) / whole
    return gains


def _about(habitat: Habitat, path: Path) -> list[Finding]:
    crs = habitat.raster.crs
    if crs is not None and crs.is_geographic:
        return [Finding("circuit-degrees", Severity.WARNING, file=path.name)]
    return []


def _cores(path: Path, habitat: Habitat) -> Cores:
    """Cores burned by cell centres; refused where one falls between them."""
    shape = habitat.conductance.shape
    if path.name.lower().endswith(_RASTERS):
        values = np.nan_to_num(on_grid(path, habitat))
        ids = np.unique(values[values > 0]).astype(np.int64)
        label = np.searchsorted(ids, np.where(values > 0, values, ids[0])) + 1
        label = np.where(values > 0, label, 0).astype(np.int64)
        return Cores(label, [str(i) for i in ids.tolist()], np.empty(0, dtype=object))
    frame = read_polygons(path)
    if habitat.raster.crs is not None and frame.crs is not None:
        frame = frame.to_crs(habitat.raster.crs.to_wkt())
    patches = polygon_patches(frame)
    assert patches.shapes is not None
    numbered = zip(patches.shapes, range(1, len(patches.ids) + 1), strict=True)
    burned = rasterize(numbered, out_shape=shape, transform=habitat.raster.transform)
    label = burned.astype(np.int64)
    for number, name in enumerate(patches.ids, 1):
        if not ((label == number) & (habitat.conductance > 0)).any():
            raise refused("corridor-core-missing", file=path.name, value=name)
    return Cores(label, patches.ids, patches.shapes)


def _search(
    job: Job, raster: Raster, resistance: Floats, cores: Cores, neighbours: int
) -> tuple[list[Floats], list[Pair]]:
    """Cost distance from each core, and the best path of each pair."""
    costs, pairs = [], []
    count = len(cores.names)
    for a in range(count):
        cost, before = cost_distance(
            resistance, cores.label == a + 1, cell=raster.cell, neighbours=neighbours
        )
        costs.append(cost)
        for b in range(a + 1, count):
            there = np.flatnonzero(cores.label == b + 1)
            end = int(there[cost.ravel()[there].argmin()])
            if np.isfinite(cost.ravel()[end]):
                cells = path_to(before, end)
                met = np.setdiff1d(cores.label.ravel()[cells], [0, a + 1, b + 1])
                pairs.append(Pair(a, b, float(cost.ravel()[end]), cells, bool(met.size)))
        job.progress((a + 1) / count)
    return costs, pairs


def _kept(pairs: list[Pair], count: int, nearest: int) -> list[int]:
    """Corridors that cross no third core: each core's nearest, and what joins the rest."""
    direct = [k for k, pair in enumerate(pairs) if not pair.crosses]
    direct.sort(key=lambda k: pairs[k].cost)
    links = np.zeros((count, count))
    used = [0] * count
    kept = []
    for k in direct:
        a, b = pairs[k].a, pairs[k].b
        if used[a] < nearest or used[b] < nearest:
            kept.append(k)
            used[a] += 1
            used[b] += 1
            links[a, b] = 1
    for k in direct:
        _, part = connected_components(links, directed=False)
        a, b = pairs[k].a, pairs[k].b
        if k not in kept and part[a] != part[b]:
            kept.append(k)
            links[a, b] = 1
    return sorted(kept)


def _lines(raster: Raster, pairs: list[Pair]) -> NDArray[Any]:
    """Each path as a line through cell centres."""
    width = raster.values.shape[1]
    lines = []
    for pair in pairs:
        rows, columns = np.divmod(pair.cells, width)
        t = raster.transform
        x = t.a * (columns + 0.5) + t.b * (rows + 0.5) + t.c
        y = t.d * (columns + 0.5) + t.e * (rows + 0.5) + t.f
        points = np.column_stack([x, y])
        lines.append(shapely.linestrings(points if len(points) > 1 else np.vstack([points] * 2)))
    return np.array(lines, dtype=object)


def _distances(
    raster: Raster, cores: Cores, pairs: list[Pair], lines: NDArray[Any], kept: set[int]
) -> pd.DataFrame:
    """A row for each pair that a path joins."""
    if len(cores.shapes):
        shapes = cores.shapes
        straight = [float(shapely.distance(shapes[p.a], shapes[p.b])) for p in pairs]
    else:
        straight = [_gap(raster, cores, p) for p in pairs]
    return pd.DataFrame(
        {
            "from": [cores.names[p.a] for p in pairs],
            "to": [cores.names[p.b] for p in pairs],
            "euclidean_m": straight,
            "least_cost_m": [p.cost for p in pairs],
            "path_m": shapely.length(lines),
            "crosses_core": [p.crosses for p in pairs],
            "kept": [k in kept for k in range(len(pairs))],
        }
    )


def _gap(raster: Raster, cores: Cores, pair: Pair) -> float:
    """The distance between the nearest cell centres of two cores on the grid."""
    from scipy.spatial import cKDTree

    places = [np.argwhere(cores.label == number + 1) for number in (pair.a, pair.b)]
    nearest, _ = cKDTree(places[0]).query(places[1])
    return float(nearest.min()) * raster.cell


def _maps(job: Job, raster: Raster, costs: list[Floats], kept: list[Pair]) -> dict[str, Floats]:
    """The mosaic of corridors up to the cut-off, and barriers where a radius is given."""
    cutoff = job.number("cutoff")
    mosaic = np.full(raster.values.shape, np.inf)
    barriers = np.zeros(raster.values.shape)
    radius = job.parameters["barrier_radius"]
    for pair in kept:
        extra = corridor(costs[pair.a], costs[pair.b], pair.cost)
        np.fmin(mosaic, extra, out=mosaic)
        if isinstance(radius, float | int):
            score = barrier_score(
                costs[pair.a], costs[pair.b], pair.cost, radius=float(radius), cell=raster.cell
            )
            np.maximum(barriers, score, out=barriers)
    maps = {"corridors": np.where(mosaic <= cutoff, np.maximum(mosaic, 0.0), np.nan)}
    if isinstance(radius, float | int):
        maps["barriers"] = barriers
    return maps


def pinch_points(
    habitat: Habitat, label: Ints, costs: list[Floats], kept: list[Pair], width: float
) -> Floats:
    """The current of each pair of cores inside its own corridor, the largest of all pairs.

    A corridor here ends where a detour costs ``width`` more than the best path.
    """
    largest = np.zeros(habitat.conductance.shape)
    for pair in kept:
        with np.errstate(invalid="ignore"):
            inside = corridor(costs[pair.a], costs[pair.b], pair.cost) <= width
        land = Landscape(np.where(inside, habitat.conductance, 0.0), scheme="resistance")
        cells = np.flatnonzero(inside & np.isin(label, (pair.a + 1, pair.b + 1)))
        points = Points(cells, label.ravel()[cells])
        answer = pairwise(land, points, wanted=Wanted(cumulative=True))
        assert answer.cumulative is not None
        np.maximum(largest, answer.cumulative, out=largest)
    return largest


def _write_maps(job: Job, raster: Raster, maps: dict[str, Floats]) -> dict[str, str]:
    rows, columns = raster.values.shape
    for name, values in maps.items():
        write_geotiff(
            job.out / "rasters" / f"{name}.tif",
            shape=(rows, columns),
            transform=raster.transform,
            crs=raster.crs,
            blocks=[(Window(0, 0, columns, rows), values)],
            dtype="float64",
        )
    return {name: f"rasters/{name}.tif" for name in maps}


def _write_lines(
    job: Job, raster: Raster, frame: pd.DataFrame, lines: NDArray[Any], kept: list[int]
) -> dict[str, str]:
    import geopandas as gpd

    crs = None if raster.crs is None else raster.crs.to_wkt()
    shown: gpd.GeoDataFrame = gpd.GeoDataFrame(
        frame.iloc[kept].reset_index(drop=True), geometry=lines[kept], crs=crs
    )
    path = job.out / "vectors" / "paths.gpkg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    shown.to_file(path, driver="GPKG", layer="paths")
    return {"paths": "vectors/paths.gpkg"}


def _by_country(
    job: Job, frame: pd.DataFrame, lines: NDArray[Any], kept: list[int]
) -> pd.DataFrame:
    """Length of each kept path in each country; what lies in none is '-': sums are whole."""
    countries = read_polygons(job.inputs["countries"][0])
    column = next(c for c in countries.columns if c != countries.geometry.name)
    names = countries[column].astype(str).tolist()
    shapes = countries.geometry.to_numpy()
    rows = []
    for k, (name, shape) in itertools.product(kept, zip(names, shapes, strict=True)):
        rows.append((k, name, float(shapely.length(shapely.intersection(lines[k], shape)))))
    table = pd.DataFrame(rows, columns=["k", "country", "length_m"])
    inside = table.groupby("k")["length_m"].sum()
    for k in kept:
        rest = float(shapely.length(lines[k])) - float(inside[k])
        table.loc[len(table)] = [k, "-", max(rest, 0.0)]
    table = table[table["length_m"] > 0].sort_values(["k", "country"])
    whole = table.groupby("k")["length_m"].transform("sum")
    pairs = frame.iloc[table["k"].to_numpy()]
    return pd.DataFrame(
        {
            "from": pairs["from"].to_numpy(),
            "to": pairs["to"].to_numpy(),
            "country": table["country"].to_numpy(),
            "length_m": table["length_m"].to_numpy(),
            "share": (100.0 * table["length_m"] / whole).to_numpy(),
            "dECA": (table["length_m"] / whole).to_numpy() * pairs["dECA"].to_numpy(),
        }
    )


def _values(frame: pd.DataFrame, cores: int) -> dict[str, Value]:
    kept = frame[frame["kept"]]
    return {
        "cores": Value(value=cores, unit="1"),
        "corridors": Value(value=len(kept), unit="1"),
        "length": Value(value=float(kept["path_m"].sum()), unit="m"),
        "mean_least_cost": Value(value=float(frame["least_cost_m"].mean()), unit="m"),
    }


CONNECTIVITY_CORRIDORS: Final = Indicator(
    id="connectivity.corridors",
    version="1",
    inputs=(
        Input("resistance", "raster"),
        Input("cores", "polygons"),
        Input("countries", "polygons", required=False),
        Input("classes", "table", required=False),
    ),
    parameters=(
        Parameter("neighbours", "text", "8", choices=("4", "8", "16")),
        Parameter("cutoff", "number", 200_000.0, minimum=0.0, unit="m"),
        Parameter("nearest", "integer", 4, minimum=1, unit="1"),
        Parameter("d0", "number", 10_000.0, minimum=1e-9, unit="m"),
        Parameter("p", "number", 0.5, minimum=1e-9, maximum=0.999999, unit="1"),
        Parameter("draws", "integer", 0, minimum=0, maximum=100_000, unit="1"),
        Parameter("spread", "number", 2.0, minimum=1.0, unit="1"),
        Parameter("seed", "integer", 1, minimum=0),
        Parameter("barrier_radius", "number", None, minimum=1e-9, unit="m"),
        Parameter("pinch", "number", None, minimum=0.0, unit="m"),
    ),
    values={
        "cores": "1",
        "corridors": "1",
        "length": "m",
        "mean_least_cost": "m",
        "rank_agreement": "1",
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
        "by_country": {
            "from": "",
            "to": "",
            "country": "",
            "length_m": "m",
            "share": "%",
            "dECA": "%",
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
    rasters={"corridors": "m", "barriers": "1", "pinch_points": "A"},
    citations=(
        Citation("McRae et al. (2012) PLoS ONE 7, e52604", "10.1371/journal.pone.0052604"),
        Citation(
            "Adriaensen et al. (2003) Landscape and Urban Planning 64, 233-247",
            "10.1016/S0169-2046(02)00242-6",
        ),
    ),
    compute=compute,
)
