"""Resistances of a landscape from whatever the user has, each with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.assess.indicator import Input, Job, Parameter
from ecotone.assess.indicators.connectivity_inputs import read_habitat, shown
from ecotone.assess.indicators.connectivity_tables import is_number
from ecotone.formats.asciigrid import Raster, read_raster, read_text
from ecotone.formats.base import refused
from ecotone.model.errors import UsageError
from ecotone.model.words import say
from ecotone.science.connectivity.resistance import (
    Classes,
    Contrast,
    Model,
    Ranges,
    Selection,
    Suitability,
    spread_around,
)

Floats = NDArray[np.float64]

#: A raster with more distinct values than this has no classes to draw one by one.
_CLASSES: Final = 100

INPUTS: Final = (
    Input("resistance", "raster", required=False),
    Input("classes", "table", required=False),
    Input("suitability", "raster", required=False),
    Input("covariates", "raster", required=False),
    Input("coefficients", "table", required=False),
)
PARAMETERS: Final = (
    Parameter("spread", "number", 2.0, minimum=1.0, unit="1"),
    Parameter("shape", "number", 4.0, minimum=1e-6, maximum=100.0, unit="1"),
    Parameter("shape_low", "number", 0.25, minimum=1e-6, maximum=100.0, unit="1"),
    Parameter("shape_high", "number", 16.0, minimum=1e-6, maximum=100.0, unit="1"),
    Parameter("resistance_max", "number", 100.0, minimum=1.0, unit="1"),
)


@dataclass(frozen=True)
class Surface:
    """Resistances that may be drawn, on their grid."""

    raster: Raster
    model: Model
    path: Path
    told: bool = True  #: whether the inputs say how sure they are, beside the map


def read_surface(job: Job) -> Surface:
    """The resistances that the inputs speak of: exactly one way of telling them."""
    given = set(job.inputs)
    ways = given & {"resistance", "suitability", "covariates"}
    if len(ways) != 1 or ("covariates" in ways) != ("coefficients" in given):
        raise UsageError(say("assess.connectivity.resistance-ways"))
    (way,) = ways
    if way == "suitability":
        return _suitability(job)
    if way == "covariates":
        return _selection(job)
    return _resistance(job)


def _resistance(job: Job) -> Surface:
    """Resistances as given, or of classes by a table."""
    path = job.inputs["resistance"][0]
    spread = job.number("spread")
    if "classes" not in job.inputs:
        habitat = read_habitat(path, resistance=True)
        return Surface(habitat.raster, plausible(habitat.raster.values, spread), path, told=False)
    ranges = read_ranges(job.inputs["classes"][0])
    raster = read_raster(path)
    model = Classes(raster.values, ranges)
    unknown = np.isfinite(raster.values) & np.isnan(model.best())
    if unknown.any():
        raise refused(
            "corridor-class-unknown", file=path.name, value=f"{raster.values[unknown][0]:g}"
        )
    return Surface(raster, model, path)


def plausible(values: Floats, spread: float) -> Model:
    """What a map alone says: each of a few values may lie ``spread`` times lower or higher.

    Of a map of continuous values the contrast is uncertain.
    """
    if np.unique(values[np.isfinite(values)]).size > _CLASSES:
        return Contrast(values, spread)
    return Classes(values, spread_around(values, spread))


def read_ranges(path: Path) -> Ranges:
    """A table of class, resistance, low, high; its header is optional."""
    rows = [line.replace(";", ",").split(",") for line in read_text(path).splitlines()]
    cells = [[c.strip() for c in row] for row in rows if any(c.strip() for c in row)]
    if cells and not cells[0][0].lstrip("-").replace(".", "", 1).isdigit():
        cells = cells[1:]
    try:
        table = np.array([row[:4] for row in cells], dtype=np.float64).reshape(-1, 4)
    except ValueError as error:
        raise refused("corridor-ranges", file=path.name) from error
    classes, best, low, high = table.T
    sound = (low > 0) & (low <= best) & (best <= high)
    if not len(table) or not sound.all() or np.unique(classes).size < classes.size:
        raise refused("corridor-ranges", file=path.name)
    return Ranges(classes, best, low, high)


def _suitability(job: Job) -> Surface:
    """Habitat suitability, 0 to 1 (or 0 to 100), by a negative exponential of unknown shape."""
    path = job.inputs["suitability"][0]
    raster = read_raster(path)
    values = raster.values
    most = np.nanmax(values) if np.isfinite(values).any() else np.nan
    if np.nanmin(values, initial=np.inf) < 0 or not most <= 100:
        raise refused("corridor-suitability", file=path.name, value=f"{most:g}")
    if most > 1:
        values = values / 100.0
    low, best, high = (job.number(name) for name in ("shape_low", "shape", "shape_high"))
    if not low <= best <= high:
        raise UsageError(say("assess.connectivity.shape-order"))
    return Surface(raster, Suitability(values, best, low, high, job.number("resistance_max")), path)


def _selection(job: Job) -> Surface:
    """Step-selection coefficients over rasters that bear the coefficients' names."""
    table = job.inputs["coefficients"][0]
    names, coefficients, covariance = read_coefficients(table)
    by_name = {path.name.split(".")[0].casefold(): path for path in job.inputs["covariates"]}
    missing = [name for name in names if name.casefold() not in by_name]
    if missing:
        raise refused("corridor-covariate-missing", file=table.name, value=", ".join(missing))
    rasters = [read_raster(by_name[name.casefold()]) for name in names]
    for raster in rasters[1:]:
        if not raster.aligned(rasters[0]):
            raise refused(
                "circuit-grid-differs", file=raster.name, value=rasters[0].name,
                found=shown(raster), wanted=shown(rasters[0]),
            )  # fmt: skip
    model = Selection(np.stack([r.values for r in rasters]), coefficients, covariance)
    return Surface(replace(rasters[0], values=model.best()), model, by_name[names[0].casefold()])


def read_coefficients(path: Path) -> tuple[list[str], Floats, Floats]:
    """Names, coefficients and their covariance.

    Rows ``name, coefficient, se``; further columns, one for each name, are the covariance
    matrix, whose diagonal must be the squares of the standard errors.
    """
    rows = [line.replace(";", ",").split(",") for line in read_text(path).splitlines()]
    cells = [[c.strip() for c in row] for row in rows if any(c.strip() for c in row)]
    if cells and not is_number(cells[0][1] if len(cells[0]) > 1 else ""):
        cells = cells[1:]
    names = [row[0] for row in cells]
    try:
        table = np.array([row[1:] for row in cells], dtype=np.float64)
        coefficients, error = table[:, 0], table[:, 1]
        matrix = table[:, 2:] if table.shape[1] > 2 else np.diag(error**2)
    except (ValueError, IndexError) as wrong:
        raise refused("corridor-coefficients", file=path.name) from wrong
    square = matrix.shape == (len(names), len(names))
    if (
        not names
        or len(set(names)) < len(names)
        or (error < 0).any()
        or not square
        or not np.allclose(matrix, matrix.T)
        or not np.allclose(np.diag(matrix), error**2, rtol=0.02)
    ):
        raise refused("corridor-coefficients", file=path.name)
    return names, coefficients, matrix
