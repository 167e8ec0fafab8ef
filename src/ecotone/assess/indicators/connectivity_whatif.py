"""``connectivity.what-if``: what changes if a corridor opens or a road is built."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators import connectivity_draws
from ecotone.assess.indicators.connectivity_cost import Means
from ecotone.assess.indicators.connectivity_draws import Draws, Spread, with_interval
from ecotone.assess.indicators.connectivity_inputs import (
    Habitat,
    on_grid,
    read_habitat,
    read_points,
)
from ecotone.assess.indicators.connectivity_maps import write_maps
from ecotone.assess.indicators.connectivity_tables import Links, Patches, read_links, read_nodes
from ecotone.formats.base import refused
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.connectivity.circuits import Circuit
from ecotone.science.connectivity.ensemble import Moments
from ecotone.science.connectivity.graph import grid_graph, merge_cells
from ecotone.science.connectivity.landscape import Landscape, Points, Wanted, Wired, pairwise
from ecotone.science.connectivity.removal import carried, once, web
from ecotone.science.connectivity.updates import Ways, before_and_after, ways

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
    cells = round(np.count_nonzero(before.conductance) * Draws.of(job).cells(change.shape))
    means = Means(memory=job.number("memory") * 1e9, tell=job.tell)
    edges = cells * (2 if job.parameters["neighbours"] == "4" else 4)
    runs = 2 + 2 * Draws.of(job).count
    findings.append(means.forecast(cells, edges, points.unique().size, runs=runs).finding())
    both, way = _on_one_factor(job, before, after, points)
    findings.append(way)
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
    change = {"current_change": new_current - old_current}
    rasters = write_maps(job, before.raster, change)
    known = np.isfinite(frame["before"]) & np.isfinite(frame["after"])
    total = (frame.loc[known, "before"].sum(), frame.loc[known, "after"].sum())
    values = _values("resistance", "ohm", float(total[0]), float(total[1]))
    draws = Draws.of(job)
    findings.extend(draws.findings())
    if draws.count:
        changed = before.conductance != after.conductance
        given = np.where(changed, after.conductance, np.nan)
        spread = _drawn(job, _land(job, before), given, points)
        ends = spread.columns()
        frame["change_low"], frame["change_high"] = ends["low"][:-1], ends["high"][:-1]
        whole = np.array([row[-1] for row in spread.rows])
        values["resistance_change"] = with_interval(values["resistance_change"], whole)
    values["cells_changed"] = Value(
        value=int((before.conductance != after.conductance).sum()), unit="pixel"
    )
    values["joined"] = Value(
        value=int(np.isfinite(frame["after"]).sum() - np.isfinite(frame["before"]).sum()), unit="1"
    )
    return Outcome(values=values, tables={"pairs": frame}, rasters=rasters, findings=findings)


def _drawn(job: Job, land: Landscape, change: Floats, points: Points) -> Spread:
    """The change of each pair's resistance, per cent, over the draws, and of their sum last."""
    draws = Draws.of(job)
    spread = Spread([], Moments.of((1, 1)))
    for number, before in enumerate(draws.drawn(land), 1):
        after = replace(before, conductance=np.where(np.isnan(change), before.conductance, change))
        if before.margin is not None:
            wide = before.margin.conductance.copy()
            wide[before.margin.inside] = after.conductance
            after = replace(after, margin=replace(before.margin, conductance=wide))
        old, new = (
            pairwise(one, points).resistance[np.triu_indices(points.unique().size, 1)]
            for one in (before, after)
        )
        known = np.isfinite(old) & np.isfinite(new)
        total = 100.0 * (new[known].sum() - old[known].sum()) / old[known].sum()
        spread.rows.append(np.append(100.0 * (new - old) / old, total))
        job.progress(0.5 + 0.5 * number / draws.count)
    return spread


def _land(job: Job, habitat: Habitat) -> Landscape:
    return Landscape(
        habitat.conductance,
        four=job.parameters["neighbours"] == "4",
        scheme="resistance" if job.parameters["average"] == "resistance" else "conductance",
        memory=job.number("memory") * 1e9,
    )


State = tuple[Floats, Floats]


def _on_one_factor(
    job: Job, before: Habitat, after: Habitat, points: Points
) -> tuple[tuple[State, State] | None, Finding]:
    """Both states on the factor of the first where that is possible and shorter, and why."""
    asked = str(job.parameters["way"])
    if points.regions() or job.number("margin"):
        return None, _way("regions")
    node, nodes = merge_cells(
        np.maximum(before.conductance, after.conductance), *(np.empty(0, dtype=np.int64),) * 2
    )
    land = _land(job, before)
    graphs = [
        grid_graph(
            habitat.conductance, np.where(habitat.conductance > 0, node, -1).astype(np.int32),
            nodes, four=land.four, scheme=land.scheme,
        )
        for habitat in (before, after)
    ]  # fmt: skip
    flat = node.ravel()
    at = np.array([flat[points.cells[points.ids == i]][0] for i in points.unique()])
    foreseen = ways(graphs[0], graphs[1], at.size, memory=land.memory)
    if asked == "factor" or (asked == "auto" and not foreseen.worth):
        return None, _way("factor", foreseen)
    found = before_and_after(graphs[0], graphs[1], at.astype(np.int64), memory=land.memory)
    if found is None:
        return None, _way("parts", foreseen)
    old, new = found
    return (
        _state(old, Wired(graphs[0], node)), _state(new, Wired(graphs[1], node))
    ), _way("update", foreseen)  # fmt: skip


def _state(circuit: Circuit, wired: Wired) -> State:
    return circuit.resistance(), wired.raster(circuit.cumulative())


def _way(taken: str, foreseen: Ways | None = None) -> Finding:
    """Which way was taken, and what both were expected to take."""
    params = {}
    if foreseen is not None:
        params = {
            "links": str(foreseen.links),
            "nodes": str(foreseen.nodes),
            "update": f"{foreseen.update:.1f}",
            "factor": f"{foreseen.factor:.1f}",
        }
    return Finding(f"what-if-way-{taken}", Severity.INFO, params=params)


def _solved(job: Job, habitat: Habitat, points: Points) -> tuple[Floats, Floats]:
    land = Draws.of(job).best(_land(job, habitat))
    answer = pairwise(land, points, wanted=Wanted(cumulative=True))
    assert answer.cumulative is not None
    return answer.resistance, answer.cumulative


def _patches(job: Job) -> Outcome:
    """Equivalent connected area before and after links are added or removed."""
    patches = read_nodes(job.inputs["nodes"][0])
    links = read_links(job.inputs["links"][0], patches)
    old = _eca(job, patches, links)
    for name in ("removed", "added"):
        if name in job.inputs:
            listed = read_links(job.inputs[name][0], patches)
            links = _replaced(links, listed, len(patches.ids), keep=name == "added")
    new = _eca(job, patches, links)
    return Outcome(values=_values("eca", "ha", old, new))


def _replaced(links: Links, listed: Links, size: int, *, keep: bool) -> Links:
    """Links without those listed, or with these in their place."""
    own, other = (one.pairs.min(axis=1) * size + one.pairs.max(axis=1) for one in (links, listed))
    left = ~np.isin(own, other)
    pairs, value = links.pairs[left], links.value[left]
    if not keep:
        return Links(pairs, value)
    return Links(np.concatenate([pairs, listed.pairs]), np.concatenate([value, listed.value]))


def _eca(job: Job, patches: Patches, links: Links) -> float:
    """Equivalent connected area, ha, in memory that holds the links."""
    length = -math.log(job.number("p")) / job.number("d0") * links.value
    graph = web(len(patches.ids), *once(links.pairs, length))
    return math.sqrt(carried(graph, patches.area, product=True, taken="nothing").whole)


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
        Parameter("way", "text", "auto", choices=("auto", "update", "factor")),
        *connectivity_draws.PARAMETERS,
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
    tables={
        "pairs": {
            "from": "",
            "to": "",
            "before": "ohm",
            "after": "ohm",
            "change": "%",
            "change_low": "%",
            "change_high": "%",
        }
    },
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
