"""``connectivity.what-if``: what changes if a corridor opens or a road is built."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.connectivity_inputs import (
    Habitat,
    on_grid,
    read_habitat,
    read_points,
)
from ecotone.assess.indicators.connectivity_tables import Links, Patches, read_links, read_nodes
from ecotone.formats.base import refused
from ecotone.formats.raster_write import write_geotiff
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.connectivity.landscape import Landscape, Points, Wanted, pairwise
from ecotone.science.connectivity.patches import connectivity, probabilities
from ecotone.science.connectivity.updates import WORTH, before_and_after

Floats = NDArray[np.float64]


def compute(job: Job) -> Outcome:
    """Before and after: circuits over a raster, or patches and their links."""
    given = set(job.inputs)
    if {"resistance", "nodes", "change"} <= given:
        return _circuits(job)
    if {"nodes", "links"} <= given and given & {"added", "removed"}:
        return _patches(job)
    raise UsageError(say("assess.connectivity.what-if-inputs"))


def _circuits(job: Job) -> Outcome:
    """Pairwise resistances and current before and after resistances change."""
    findings: list[Finding] = []
    path = job.inputs["resistance"][0]
    before = read_habitat(path, resistance=True)
    points = read_points(job.inputs["nodes"][0], before, findings)
    change = on_grid(job.inputs["change"][0], before)
    with np.errstate(invalid="ignore"):
        wrong = change < 0
    if wrong.any():
        raise refused("what-if-negative", file=job.inputs["change"][0].name)
    # A resistance of 0 in the change stands for a cell that is closed.
    known = np.isfinite(change)
    opened = np.divide(1.0, change, out=np.zeros(change.shape), where=known & (change > 0))
    after = Habitat(before.raster, np.where(known, opened, before.conductance))
    both = _few_changes(job, before, after, points)
    if both is None:
        old, old_current = _solved(job, before, points)
        job.progress(0.5)
        new, new_current = _solved(job, after, points)
    else:
        (old, old_current), (new, new_current) = both
    ids = points.unique()
    rows, columns = np.triu_indices(ids.size, 1)
    frame = pd.DataFrame(
        {
            "from": ids[rows],
            "to": ids[columns],
            "before": old[rows, columns],
            "after": new[rows, columns],
        }
    )
    frame["change"] = 100.0 * (frame["after"] - frame["before"]) / frame["before"]
    rasters = _difference(job, before, new_current - old_current)
    known = np.isfinite(frame["before"]) & np.isfinite(frame["after"])
    total = (frame.loc[known, "before"].sum(), frame.loc[known, "after"].sum())
    values = _values("resistance", "ohm", float(total[0]), float(total[1]))
    values["cells_changed"] = Value(
        value=int((before.conductance != after.conductance).sum()), unit="pixel"
    )
    values["joined"] = Value(
        value=int(np.isfinite(frame["after"]).sum() - np.isfinite(frame["before"]).sum()), unit="1"
    )
    return Outcome(values=values, tables={"pairs": frame}, rasters=rasters, findings=findings)


def _land(job: Job, habitat: Habitat) -> Landscape:
    return Landscape(
        habitat.conductance,
        four=job.parameters["neighbours"] == "4",
        scheme="resistance" if job.parameters["average"] == "resistance" else "conductance",
        memory=job.number("memory") * 1e9,
    )


def _few_changes(
    job: Job, before: Habitat, after: Habitat, points: Points
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]] | None:
    """Both states on one factor, where cells change but none opens or closes, and few edges do."""
    if points.regions() or ((before.conductance > 0) != (after.conductance > 0)).any():
        return None
    wired = _land(job, before).wired(points)
    later = _land(job, after).wired(points).graph
    change = later.conductance - wired.graph.conductance
    at = np.flatnonzero(change)
    if not 0 < at.size <= WORTH:
        return None
    flat = wired.node.ravel()
    node = np.array([flat[points.cells[points.ids == i]][0] for i in points.unique()])
    ends = (wired.graph.head[at].astype(np.int64), wired.graph.tail[at].astype(np.int64))
    found = before_and_after(
        wired.graph, node.astype(np.int64), *ends, change[at], memory=job.number("memory") * 1e9
    )
    if found is None:
        return None
    old, new = found
    return (
        (old.resistance(), wired.raster(old.cumulative())),
        (new.resistance(), wired.raster(new.cumulative())),
    )


def _solved(job: Job, habitat: Habitat, points: Points) -> tuple[Floats, Floats]:
    answer = pairwise(_land(job, habitat), points, wanted=Wanted(cumulative=True))
    assert answer.cumulative is not None
    return answer.resistance, answer.cumulative


def _difference(job: Job, habitat: Habitat, change: Floats) -> dict[str, str]:
    rows, columns = change.shape
    write_geotiff(
        job.out / "rasters" / "current_change.tif",
        shape=(rows, columns),
        transform=habitat.raster.transform,
        crs=habitat.raster.crs,
        blocks=[(Window(0, 0, columns, rows), change)],
        dtype="float64",
    )
    return {"current_change": "rasters/current_change.tif"}


def _patches(job: Job) -> Outcome:
    """Equivalent connected area before and after links are added or removed."""
    patches = read_nodes(job.inputs["nodes"][0])
    links = read_links(job.inputs["links"][0], patches)
    changed = _table(links, patches)
    old = _eca(job, patches, changed)
    for name in ("removed", "added"):
        if name in job.inputs:
            listed = read_links(job.inputs[name][0], patches)
            a, b = listed.pairs.T
            changed[a, b] = changed[b, a] = np.inf if name == "removed" else listed.value
    new = _eca(job, patches, changed)
    return Outcome(values=_values("eca", "ha", old, new))


def _table(links: Links, patches: Patches) -> Floats:
    size = len(patches.ids)
    table = np.full((size, size), np.inf)
    a, b = links.pairs.T
    table[a, b] = table[b, a] = links.value
    return table


def _eca(job: Job, patches: Patches, distance: Floats) -> float:
    direct = probabilities(distance, job.number("d0"), job.number("p"))
    return connectivity(patches.area, direct, "pc").eca


def _values(name: str, unit: str, before: float, after: float) -> dict[str, Value]:
    change = 100.0 * (after - before) / before if before else None
    return {
        f"{name}_before": Value(value=before, unit=unit),
        f"{name}_after": Value(value=after, unit=unit),
        f"{name}_change": Value(value=change, unit="%"),
    }


CONNECTIVITY_WHAT_IF: Final = Indicator(
    id="connectivity.what-if",
    version="1",
    inputs=(
        Input("resistance", "raster", required=False),
        Input("nodes", "table"),
        Input("change", "raster", required=False),
        Input("links", "table", required=False),
        Input("added", "table", required=False),
        Input("removed", "table", required=False),
    ),
    parameters=(
        Parameter("neighbours", "text", "8", choices=("4", "8")),
        Parameter("average", "text", "resistance", choices=("resistance", "conductance")),
        Parameter("d0", "number", 10_000.0, minimum=1e-9, unit="m"),
        Parameter("p", "number", 0.5, minimum=1e-9, maximum=0.999999, unit="1"),
        Parameter("memory", "number", 6.0, minimum=0.01, unit="GB"),
    ),
    values={
        "resistance_before": "ohm",
        "resistance_after": "ohm",
        "resistance_change": "%",
        "cells_changed": "pixel",
        "joined": "1",
        "eca_before": "ha",
        "eca_after": "ha",
        "eca_change": "%",
    },
    tables={"pairs": {"from": "", "to": "", "before": "ohm", "after": "ohm", "change": "%"}},
    rasters={"current_change": "A"},
    citations=(
        Citation("McRae et al. (2008) Ecology 89, 2712-2724", "10.1890/07-1861.1"),
        Citation(
            "Saura et al. (2011) Methods in Ecology and Evolution 2, 91-102",
            "10.1111/j.2041-210X.2010.00081.x",
        ),
    ),
    compute=compute,
)
