"""``land.sensitivity``: land sensitive to desertification, from scored maps (MEDALUS)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome
from ecotone.assess.indicators.land_ground import Ground, Layer, strips
from ecotone.assess.indicators.land_tables import ClassAreas, write_map
from ecotone.formats.raster import open_layer
from ecotone.formats.raster_classes import MapClass
from ecotone.model.errors import InputRefused, NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.dryland import quality_index, sensitivity, sensitivity_classes
from ecotone.science.land.lookup import NODATA

Floats = NDArray[np.float64]

#: The four qualities; each input takes a map for each of its factors.
QUALITIES: Final = ("soil", "climate", "vegetation", "management")
_NAMES: Final = (
    "not affected", "potential", "fragile 1", "fragile 2", "fragile 3", "critical 1", "critical 2",
    "critical 3",
)  # fmt: skip
_LEGEND: Final = {
    number: MapClass(name.capitalize(), color)
    for number, (name, color) in enumerate(
        zip(
            _NAMES,
            ("#1a9850", "#91cf60", "#ffffbf", "#fee08b", "#fdae61", "#f46d43", "#d73027",
             "#a50026"),
            strict=True,
        ),
        start=1,
    )
}  # fmt: skip


def compute(job: Job) -> Outcome:
    """The index in each cell, areas of its classes, and on how many factors it stands."""
    layers = {
        name: [Layer(path.name, open_layer(path)) for path in job.inputs[name]]
        for name in QUALITIES
    }
    first = layers["soil"][0]
    if first.stack.crs is None:
        raise InputRefused(
            say("assess.land.crs-missing", name=first.name), say("assess.land.crs-missing.do")
        )
    for layer in (one for group in layers.values() for one in group):
        if not first.stack.grid.same_as(layer.stack.grid):
            raise InputRefused(
                say("assess.land.grids-differ", first=first.name, other=layer.name),
                say("assess.land.grids-differ.do"),
            )
    stack = first.stack
    ground = Ground(stack.transform, stack.crs, stack.width, stack.height)
    ground = ground if job.region is None else ground.clipped(job.region)
    within = ground.window()
    areas = ClassAreas(tuple(_LEGEND))
    counts: dict[str, Floats] = {n: np.zeros(len(group) + 1) for n, group in layers.items()}
    total = 0.0
    for window in strips(within):
        km2 = ground.km2(window)
        index, numbers = _index(layers, window)
        areas.add(np.where(np.isfinite(index), sensitivity_classes(index), NODATA), km2)
        total += float(np.where(np.isfinite(index), index * km2, 0.0).sum())
        for name, number in numbers.items():
            counts[name] += np.bincount(number.ravel(), km2.ravel(), counts[name].size)
    known = areas.total - areas.none
    if known <= 0:
        raise NotComputable(say("assess.land.nothing"), say("assess.land.nothing.do"))
    relative = write_map(
        job.out, "sensitivity", ground, within,
        lambda w: sensitivity_classes(_index(layers, w)[0]), _LEGEND,
        {"indicator": "land.sensitivity"},
    )  # fmt: skip
    for layer in (one for group in layers.values() for one in group):
        layer.stack.close()
    table = areas.table()
    table["class"] = [*_NAMES, "nodata"]
    return Outcome(
        values={
            "total_km2": Value(value=areas.total, unit="km2"),
            "critical_km2": Value(value=areas.of(6, 7, 8), unit="km2"),
            "critical_percent": Value(value=100 * areas.of(6, 7, 8) / known, unit="%"),
            "mean_index": Value(value=total / known, unit="1"),
        },
        tables={"classes": table, "factors": _factors(counts)},
        rasters={"sensitivity": relative},
        findings=list(_told(counts)),
    )


def _index(
    layers: dict[str, list[Layer]], window: Window
) -> tuple[Floats, dict[str, NDArray[np.int64]]]:
    """The index of a window, and the number of factors each quality had."""
    qualities, numbers = [], {}
    for name, group in layers.items():
        scores = [one.read(window) for one in group]
        try:
            quality, numbers[name] = quality_index(scores)
        except ValueError as error:
            raise InputRefused(
                say("assess.land.scores", name=", ".join(g.name for g in group), why=error),
                say("assess.land.scores.do"),
            ) from error
        qualities.append(quality)
    return sensitivity(*qualities), numbers


def _factors(counts: dict[str, Floats]) -> pd.DataFrame:
    """Area by the number of factors behind each quality."""
    return pd.DataFrame(
        [
            {"quality": name, "factors": number, "area_km2": float(area)}
            for name, sums in counts.items()
            for number, area in enumerate(sums)
        ]
    )


def _told(counts: dict[str, Floats]) -> Iterator[Finding]:
    """Where a quality stands on fewer factors than it was given."""
    for name, sums in counts.items():
        fewer = float(sums[1:-1].sum())
        if fewer > 0:
            yield Finding(
                "land-factors-missing", Severity.WARNING, field=name,
                params={"km2": f"{fewer:.2f}", "count": str(sums.size - 1)},
            )  # fmt: skip
    yield Finding("land-map-no-interval", Severity.INFO)


LAND_SENSITIVITY: Final = Indicator(
    id="land.sensitivity",
    version="1",
    inputs=tuple(Input(name, "raster") for name in QUALITIES),
    parameters=(),
    values={
        "total_km2": "km2", "critical_km2": "km2", "critical_percent": "%", "mean_index": "1",
    },
    tables={
        "classes": {"class": "1", "area_km2": "km2", "percent": "%"},
        "factors": {"quality": "1", "factors": "1", "area_km2": "km2"},
    },
    rasters={"sensitivity": "1"},
    citations=(
        Citation("Kosmas, Kirkby and Geeson (1999) The MEDALUS project, EUR 18882"),
    ),
    compute=compute,
)  # fmt: skip
