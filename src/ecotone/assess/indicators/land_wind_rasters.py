"""``land.wind-erosion`` from maps of soil and cover: potential, actual and fixed sand by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.assess.indicator import Input, Job, Outcome
from ecotone.assess.indicators.land_ground import Ground, Layer, strips
from ecotone.assess.indicators.land_tables import ClassAreas
from ecotone.assess.indicators.mosaic import Mosaic
from ecotone.formats.raster import open_layer
from ecotone.formats.raster_bands import write_bands
from ecotone.formats.raster_classes import write_ramp
from ecotone.model.errors import InputRefused, NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.dryland import vegetation_cover
from ecotone.science.land.wind import (
    Soil,
    air_density,
    cover_factor,
    crust_factor,
    erodible_fraction,
    erosion_classes,
    weather_factor,
    wind_erosion,
)

Floats = NDArray[np.float64]

#: Maps of the topsoil, percent.
SOILS: Final = ("sand", "silt", "clay", "organic", "carbonate")
INPUTS: Final = tuple(
    Input(name, "raster", required=False) for name in (*SOILS, "cover", "ndvi", "elevation")
)
RASTERS: Final = {"loss": "kg/m2", "bare": "kg/m2", "fixed": "kg/m2"}
#: kg/m2 in t/km2, the unit of the classes.
_TONNES: Final = 1000.0
#: Upper limits of the classes of SL190-2007 in kg/m2, as a GIS shows them.
_STYLE: Final = (
    (0.2, "#ffffcc", "Slight"),
    (2.5, "#fed976", "Light"),
    (5.0, "#feb24c", "Moderate"),
    (8.0, "#fd8d3c", "Strong"),
    (15.0, "#f03b20", "Very strong"),
    (float("inf"), "#bd0026", "Severe"),
)


@dataclass
class _Totals:
    """What is summed over the strips."""

    classes: ClassAreas
    sums: Floats  #: area-weighted loss, bare and fixed
    known: float = 0.0
    outside: float = 0.0
    unbalanced: float = 0.0
    highest_cover: float = 0.0


def erosion_of_maps(job: Job, speeds: Floats) -> Outcome:
    """RWEQ in every cell, under one wind record for all."""
    layers = {n: Layer(job.inputs[n][0].name, open_layer(job.inputs[n][0]))
              for n in (i.name for i in INPUTS) if job.inputs.get(n)}  # fmt: skip
    lacking = [name for name in SOILS if name not in layers]
    if lacking or not ({"cover", "ndvi"} & layers.keys()):
        raise InputRefused(
            say("assess.land.maps-missing", names=", ".join([*lacking, *(
                [] if {"cover", "ndvi"} & layers.keys() else ["cover/ndvi"])]))
        )  # fmt: skip
    first = layers["sand"].stack
    if first.crs is None:
        raise InputRefused(
            say("assess.land.crs-missing", name=layers["sand"].name),
            say("assess.land.crs-missing.do"),
        )
    base = Mosaic((), first.transform, first.width, first.height)
    for layer in layers.values():
        _same_grid(layers["sand"], layer)
    ground = Ground(base.transform, first.crs, base.width, base.height)
    ground = ground if job.region is None else ground.clipped(job.region)
    totals = _Totals(ClassAreas((1, 2, 3, 4, 5, 6)), np.zeros(3))
    within = ground.window()

    def blocks() -> Iterator[tuple[Window, Floats]]:
        for window in strips(within):
            made = _strip(job, layers, ground, window, speeds, totals)
            place = Window(0, window.row_off - within.row_off, window.width, window.height)
            yield place, made

    relative = "rasters/erosion.tif"
    write_bands(
        job.out / relative,
        shape=(int(within.height), int(within.width)),
        transform=ground.transform * Affine.translation(within.col_off, within.row_off),
        crs=ground.crs,
        names=list(RASTERS),
        blocks=blocks(),
        tags={"indicator": "land.wind-erosion", "unit": "kg/m2"},
    )
    write_ramp((job.out / relative).with_suffix(".qml"), _STYLE)
    for layer in layers.values():
        layer.stack.close()
    if totals.known == 0:
        raise NotComputable(say("assess.land.nothing"), say("assess.land.nothing.do"))
    loss, bare, fixed = (float(s / totals.known) for s in totals.sums)
    return Outcome(
        values={
            "mean_loss": Value(value=loss, unit="kg/m2"),
            "bare_loss": Value(value=bare, unit="kg/m2"),
            "fixed": Value(value=fixed, unit="kg/m2"),
            "assessed_km2": Value(value=totals.known, unit="km2"),
            "valid_percent": Value(value=100 * (1 - totals.outside / totals.known), unit="%"),
        },
        tables={"classes": _table(totals.classes)},
        rasters={"loss": relative},
        findings=list(_told(totals, "cover" in layers)),
    )


def _same_grid(first: Layer, other: Layer) -> None:
    stack = first.stack
    if not stack.grid.same_as(other.stack.grid):
        raise InputRefused(
            say("assess.land.grids-differ", first=first.name, other=other.name),
            say("assess.land.grids-differ.do"),
        )


def _strip(
    job: Job, layers: dict[str, Layer], ground: Ground, window: Window, speeds: Floats,
    totals: _Totals,
) -> Floats:  # fmt: skip
    """Loss, loss of bare soil and what cover holds, (3, rows, columns)."""
    soil = Soil(*(layers[name].read(window) for name in SOILS))
    cover = _cover(job, layers, window)
    height = layers["elevation"].read(window) if "elevation" in layers else 0.0
    weather = weather_factor(
        speeds[:, None, None], job.number("days"), air_density(height, 15.0),
        job.number("wetness"), job.number("snow"),
    )  # fmt: skip
    factors = (weather, erodible_fraction(soil), crust_factor(soil), 1.0)
    length = job.number("length")
    loss = wind_erosion(*factors, cover_factor(cover), length).mean_loss
    bare = wind_erosion(*factors, 1.0, length).mean_loss
    inside = ground.shares(window) > 0
    made = np.where(inside, np.stack([loss, bare, bare - loss]), np.nan)
    km2 = ground.km2(window)
    there = np.isfinite(made[0]) & inside
    totals.classes.add(erosion_classes(made[0] * _TONNES), km2)
    totals.sums += np.where(there, made * km2, 0.0).sum(axis=(1, 2))
    totals.known += float(km2[there].sum())
    totals.outside += float(km2[there & soil.outside()].sum())
    totals.unbalanced += float(km2[there & soil.unbalanced()].sum())
    totals.highest_cover = max(totals.highest_cover, float(np.nanmax(cover, initial=0.0)))
    return made


def _cover(job: Job, layers: dict[str, Layer], window: Window) -> Floats:
    """Cover in percent: as mapped, or by the two end members of NDVI."""
    if "cover" in layers:
        cover = layers["cover"].read(window)
        if (cover < 0).any() or (cover > 100).any():
            raise InputRefused(say("assess.land.cover-percent", name=layers["cover"].name))
        return cover
    ndvi = layers["ndvi"].read(window)
    low, high = float(np.nanmin(ndvi, initial=0.0)), float(np.nanmax(ndvi, initial=0.0))
    if low < -1.5 or high > 1.5:
        raise InputRefused(
            say("assess.land.scale-missing", field="ndvi", lowest=low, highest=high),
            say("assess.land.scale-missing.do"),
        )
    return 100 * vegetation_cover(ndvi, job.number("ndvi_soil"), job.number("ndvi_full"))


def _table(classes: ClassAreas) -> pd.DataFrame:
    table = classes.table()
    names = ["slight", "light", "moderate", "strong", "very strong", "severe", "nodata"]
    table["class"] = names
    return table


def _told(totals: _Totals, mapped: bool) -> Iterator[Finding]:
    for code, km2 in (("land-map-outside", totals.outside),
                      ("land-map-texture", totals.unbalanced)):  # fmt: skip
        if km2 > 0:
            share = f"{100 * km2 / totals.known:.1f}"
            yield Finding(code, Severity.WARNING, params={"km2": f"{km2:.2f}", "percent": share})
    if mapped and 0 < totals.highest_cover <= 1:
        yield Finding("land-cover-fraction", Severity.WARNING, field="cover")
    yield Finding("land-map-no-interval", Severity.INFO)
