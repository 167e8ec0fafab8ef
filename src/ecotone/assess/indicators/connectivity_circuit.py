"""``connectivity.circuit``: where movement flows between places, and how hard it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators import connectivity_cost, connectivity_draws
from ecotone.assess.indicators.connectivity_cost import Means
from ecotone.assess.indicators.connectivity_draws import Draws, with_columns, with_interval
from ecotone.assess.indicators.connectivity_inputs import Habitat
from ecotone.assess.indicators.connectivity_maps import write_maps
from ecotone.assess.indicators.connectivity_runs import (
    Ran,
    habitat_of,
    run_network,
    run_raster,
)
from ecotone.assess.indicators.connectivity_tables import FILES, files_read, write_layer
from ecotone.formats.circuitscape import Config, read_config
from ecotone.formats.circuitscape_write import Writer
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say

Floats = NDArray[np.float64]

#: Above this ratio of largest to smallest conductance digits are lost.
_CONTRAST: Final = 1e9
#: Pairs that are drawn as lines.
_LINES: Final = 50_000
#: A residual above this is told.
_RESIDUAL: Final = 1e-8


def compute(job: Job) -> Outcome:
    """Read what the inputs ask for, solve it, write its files and its result."""
    config, findings = _config(job)
    means = Means.of(job).wished(config.solver)
    if config.data_type == "network":
        writer = Writer(job.out, config)
        ran = run_network(config, writer, findings, means)
    else:
        habitat = habitat_of(config)
        findings.extend(_about_grid(habitat, config))
        writer = Writer(job.out, config, habitat.raster, habitat.conductance)
        ran = run_raster(config, habitat, writer, findings, means, Draws.of(job))
    findings.extend(_about_solve(ran))
    findings.extend(_about_solver(config, ran))
    tables = _tables(ran)
    if "config" in job.inputs:
        tables["files"] = files_read(config)
    return Outcome(
        values=_values(ran),
        tables=tables,
        rasters=_rasters(job, ran),
        vectors=_vectors(job, ran),
        findings=findings,
    )


def _config(job: Job) -> tuple[Config, list[Finding]]:
    """The run an INI asks for, or a pairwise one of the files given."""
    given = job.inputs
    if "config" in given:
        return read_config(given["config"][0])
    if "resistance" not in given or "nodes" not in given:
        raise UsageError(say("assess.connectivity.inputs"))
    asked = job.parameters
    return Config(
        path=given["resistance"][0],
        base="circuit",
        data_type="raster",
        scenario=str(asked["scenario"]),
        habitat=given["resistance"][0],
        habitat_is_resistance=not asked["conductances"],
        four=asked["neighbours"] == "4",
        mean_resistance=asked["average"] == "resistance",
        points=given["nodes"][0],
        polygons=given["polygons"][0] if "polygons" in given else None,
        mask=given["mask"][0] if "mask" in given else None,
        included_pairs=given["pairs"][0] if "pairs" in given else None,
        strengths=None,
        sources=None,
        grounds=None,
        grounds_are_resistances=False,
        unit_currents=False,
        direct_grounds=False,
        policy="keepall",
        write_currents=True,
        write_voltages=False,
        cumulative_only=True,
        write_maximum=False,
        null_currents=False,
        null_voltages=False,
        log_transform=False,
        compress=False,
        as_tif=False,
    ), []


def _about_grid(habitat: Habitat, config: Config) -> Iterator[Finding]:
    """What a reader should know of the grid and its numbers before an hour is spent."""
    crs = habitat.raster.crs
    if crs is not None and crs.is_geographic:
        yield Finding("circuit-degrees", Severity.WARNING, file=config.habitat.name)
    live = habitat.conductance[habitat.conductance > 0]
    ratio = float(live.max() / live.min())
    if ratio > _CONTRAST:
        yield Finding(
            "circuit-contrast",
            Severity.WARNING,
            file=config.habitat.name,
            params={"ratio": f"{ratio:.1e}"},
        )


def _about_solve(ran: Ran) -> Iterator[Finding]:
    if ran.residual > _RESIDUAL or ran.doubtful:
        yield Finding(
            "circuit-residual", Severity.WARNING, params={"residual": f"{ran.residual:.1e}"}
        )
    if ran.resistance is not None and ran.ids is not None:
        apart = np.isnan(ran.resistance)
        count = int(apart.sum()) // (2 if apart.ndim == 2 else 1)
        if count:
            yield Finding("circuit-not-connected", Severity.INFO, params={"count": str(count)})


def _about_solver(config: Config, ran: Ran) -> Iterator[Finding]:
    """The INI's solver, where another was used."""
    wanted = {"amg": "AMG-CG", "cholmod": "CHOLMOD", "pardiso": "MKL Pardiso"}
    used = ran.solvers - {"none"}
    asked = wanted.get(config.solver, config.solver)
    if asked and used and used != {asked}:
        yield Finding(
            "circuit-solver-told",
            Severity.INFO,
            field="solver",
            value=config.solver,
            params={"used": ", ".join(sorted(used))},
        )


def _values(ran: Ran) -> dict[str, Value]:
    values = {
        "nodes": Value(value=ran.nodes, unit="node"),
        "residual": Value(value=ran.residual, unit="1"),
    }
    if ran.ids is not None and ran.resistance is not None:
        matrix = ran.resistance
        known = matrix[np.triu_indices(ran.ids.size, 1)] if matrix.ndim == 2 else matrix
        known = known[~np.isnan(known)]
        values["points"] = Value(value=ran.ids.size, unit="1")
        values["solved"] = Value(value=known.size, unit="1")
        values["mean_resistance"] = Value(
            value=float(known.mean()) if known.size else None, unit="ohm"
        )
    if ran.current is not None:
        values["current_max"] = Value(value=float(ran.current.max()), unit="A")
        values["current_sum"] = Value(value=float(ran.current.sum()), unit="A")
    if ran.spread is not None and "mean_resistance" in values:
        with np.errstate(invalid="ignore"):
            means = np.nanmean(np.array(ran.spread.rows), axis=1)
        values["mean_resistance"] = with_interval(values["mean_resistance"], means)
    return values


def _tables(ran: Ran) -> dict[str, pd.DataFrame]:
    """Resistances: a row for each pair, or for each point; empty where nothing can flow."""
    if ran.ids is None or ran.resistance is None:
        return {}
    if ran.resistance.ndim == 1:
        frame = pd.DataFrame({"id": ran.ids, "resistance": ran.resistance})
        return {"resistances": with_columns(frame, ran.spread)}
    rows, columns = np.triu_indices(ran.ids.size, 1)
    frame = pd.DataFrame(
        {
            "from": ran.ids[rows],
            "to": ran.ids[columns],
            "resistance": ran.resistance[rows, columns],
        }
    )
    return {"resistances": with_columns(frame, ran.spread)}


def _rasters(job: Job, ran: Ran) -> dict[str, str]:
    """The current map as a cloud-optimised GeoTIFF, 0 without habitat."""
    if ran.current is None or ran.habitat is None:
        return {}
    maps = {"cumulative_current": ran.current}
    if ran.spread is not None:
        maps |= {"current_mean": ran.spread.maps.mean, "current_cv": ran.spread.variation()}
    return write_maps(job, ran.habitat.raster, maps)


def _vectors(job: Job, ran: Ran) -> dict[str, str]:
    """Pairs of points as lines with their resistance, for a GIS; none where there are too many."""
    if ran.ids is None or ran.resistance is None or ran.habitat is None or ran.points is None:
        return {}
    rows, columns = np.triu_indices(ran.ids.size, 1)
    if ran.resistance.ndim != 2 or not 0 < rows.size <= _LINES:
        return {}
    import geopandas as gpd
    import shapely

    raster = ran.habitat.raster
    width = raster.values.shape[1]
    down, right = np.divmod(ran.points.cells, width)
    t = raster.transform
    at = np.searchsorted(ran.ids, ran.points.ids)
    count = np.bincount(at, minlength=ran.ids.size)
    # The middle of a region's cells, or the point itself.
    x = np.bincount(at, t.a * (right + 0.5) + t.c, minlength=ran.ids.size) / count
    y = np.bincount(at, t.e * (down + 0.5) + t.f, minlength=ran.ids.size) / count
    ends = np.stack([np.column_stack([x, y])[rows], np.column_stack([x, y])[columns]], axis=1)
    lines = gpd.GeoDataFrame(
        {
            "from": ran.ids[rows],
            "to": ran.ids[columns],
            "resistance": ran.resistance[rows, columns],
        },
        geometry=shapely.linestrings(ends),
        crs=None if raster.crs is None else raster.crs.to_wkt(),
    )
    write_layer(job.out / "vectors" / "pairs.gpkg", lines.dropna(subset=["resistance"]))
    return {"pairs": "vectors/pairs.gpkg"}


CONNECTIVITY_CIRCUIT: Final = Indicator(
    id="connectivity.circuit",
    version="1",
    inputs=(
        Input("config", "settings", required=False),
        Input("resistance", "raster", required=False),
        Input("nodes", "table", required=False),
        Input("polygons", "raster", required=False),
        Input("mask", "raster", required=False),
        Input("pairs", "table", required=False),
    ),
    parameters=(
        Parameter("scenario", "text", "pairwise", choices=("pairwise", "one-to-all", "all-to-one")),
        Parameter("neighbours", "text", "8", choices=("4", "8")),
        Parameter("average", "text", "resistance", choices=("resistance", "conductance")),
        Parameter("conductances", "boolean", False),
        *connectivity_cost.PARAMETERS,
        *connectivity_draws.PARAMETERS,
    ),
    values={
        "nodes": "node",
        "residual": "1",
        "points": "1",
        "solved": "1",
        "mean_resistance": "ohm",
        "current_max": "A",
        "current_sum": "A",
    },
    tables={
        "resistances": {
            "from": "",
            "to": "",
            "id": "",
            "resistance": "ohm",
            "mean": "ohm",
            "cv": "1",
            "low": "ohm",
            "high": "ohm",
        },
        "files": FILES,
    },
    rasters={"cumulative_current": "A", "current_mean": "A", "current_cv": "1"},
    citations=(
        Citation("McRae et al. (2008) Ecology 89, 2712-2724", "10.1890/07-1861.1"),
        Citation("Anantharaman et al. (2020) JuliaCon Proceedings 1, 58", "10.21105/jcon.00058"),
        Citation(
            "Brandes and Fleischer (2005) STACS 2005, LNCS 3404, 533-544",
            "10.1007/978-3-540-31856-9_44",
        ),
    ),
    compute=compute,
)
