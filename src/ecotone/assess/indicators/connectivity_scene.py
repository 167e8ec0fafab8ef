"""Resistances, cores and countries on one grid, with a margin where one is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize, shapes

from ecotone.assess.indicator import Job
from ecotone.assess.indicators.connectivity_borders import Countries, read_countries
from ecotone.assess.indicators.connectivity_inputs import Habitat, on_grid
from ecotone.assess.indicators.connectivity_resistance import Surface, read_surface
from ecotone.assess.indicators.connectivity_tables import polygon_patches, read_polygons
from ecotone.formats.asciigrid import Raster
from ecotone.formats.base import refused
from ecotone.model.finding import Finding, Severity
from ecotone.science.connectivity.corridors import Pair
from ecotone.science.connectivity.resistance import widened

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Ending of a raster of core ids; anything else is read as polygons.
_RASTERS: Final = (".tif", ".tiff", ".asc", ".gz", ".img")
#: The stream of random numbers of the best guess's margin; draws count from 0.
_BEST: Final = 2**31


@dataclass(frozen=True)
class Cores:
    """Cores on the grid by number from 1, their names, areas, and their shapes if they have any."""

    label: Ints
    names: list[str]
    area: Floats
    shapes: NDArray[Any]

    def outlines(self, raster: Raster) -> NDArray[Any]:
        """Their shapes, or the outlines of their cells."""
        if len(self.shapes):
            return self.shapes
        parts: dict[int, list[Any]] = {}
        cells = self.label.astype(np.int32)
        for outline, number in shapes(cells, mask=cells > 0, transform=raster.transform):
            parts.setdefault(int(number), []).append(shapely.geometry.shape(outline))
        whole = [shapely.union_all(parts[number + 1]) for number in range(len(self.names))]
        return np.array(whole, dtype=object)


@dataclass(frozen=True)
class Scene:
    """Everything on one grid: the map, its margin where one is asked for, cores and countries."""

    surface: Surface
    raster: Raster  #: without the margin
    resistance: Floats  #: the best guess, with the margin
    inside: tuple[slice, slice]  #: where the map lies in it
    cores: Cores
    label: Ints  #: with the margin
    countries: Countries
    neighbours: int

    def names(self, pairs: list[Pair], kept: list[int]) -> list[tuple[str, str]]:
        """The names of the kept pairs' cores."""
        names = self.cores.names
        return [(names[pairs[k].a], names[pairs[k].b]) for k in kept]


def read_scene(job: Job) -> tuple[Scene, list[Finding]]:
    """Read everything and lay it on one grid, with its margin."""
    surface = read_surface(job)
    best = surface.model.best()
    findings = list(_about(surface, best))
    habitat = Habitat(surface.raster, np.nan_to_num(1.0 / best))
    cores = _cores(job.inputs["cores"][0], habitat)
    countries = read_countries(
        job.inputs["countries"][0] if "countries" in job.inputs else None, surface.raster
    )
    margin = job.number("margin")
    inside = (slice(0, best.shape[0]), slice(0, best.shape[1]))
    label, resistance = cores.label, best
    if margin:
        rng = np.random.default_rng([int(job.number("seed")), _BEST])
        resistance, inside = widened(best, margin, rng)
        label = padded(label, resistance.shape, inside)
    return (
        Scene(
            surface, surface.raster, resistance, inside, cores, label, countries,
            int(str(job.parameters["neighbours"])),
        ),
        findings,
    )  # fmt: skip


def padded(values: Ints, shape: tuple[int, ...], inside: tuple[slice, slice]) -> Ints:
    """Values of the map with a margin of nothing."""
    wide = np.zeros(shape, dtype=np.int64)
    wide[inside] = values
    return wide


def _about(surface: Surface, best: Floats) -> list[Finding]:
    crs = surface.raster.crs
    found = []
    if crs is not None and crs.is_geographic:
        # Costs in degrees against dispersal in metres would be numbers without meaning.
        raise refused("connectivity-degrees", file=surface.path.name)
    if crs is None:
        found.append(Finding("connectivity-crs-missing", Severity.WARNING, field="resistance"))
    if not np.isfinite(best).any():
        raise refused("circuit-no-habitat", file=surface.path.name)
    return found


def _cores(path: Path, habitat: Habitat) -> Cores:
    """Cores burned by cell centres; refused where one falls between them."""
    shape = habitat.conductance.shape
    if path.name.lower().endswith(_RASTERS):
        values = np.nan_to_num(on_grid(path, habitat))
        ids = np.unique(values[values > 0]).astype(np.int64)
        if not ids.size:
            raise refused("corridor-core-missing", file=path.name, value="1")
        label = np.searchsorted(ids, np.where(values > 0, values, ids[0])) + 1
        label = np.where(values > 0, label, 0).astype(np.int64)
        area: Floats = np.bincount(label.ravel())[1:].astype(np.float64) * habitat.raster.cell**2
        return Cores(label, [str(i) for i in ids.tolist()], area, np.empty(0, dtype=object))
    patches = polygon_patches(read_polygons(path, habitat.raster.crs))
    assert patches.shapes is not None
    numbered = zip(patches.shapes, range(1, len(patches.ids) + 1), strict=True)
    burned = rasterize(numbered, out_shape=shape, transform=habitat.raster.transform, dtype="int32")
    label = burned.astype(np.int64)
    for number, name in enumerate(patches.ids, 1):
        if not ((label == number) & (habitat.conductance > 0)).any():
            raise refused("corridor-core-missing", file=path.name, value=name)
    return Cores(label, patches.ids, shapely.area(patches.shapes), patches.shapes)
