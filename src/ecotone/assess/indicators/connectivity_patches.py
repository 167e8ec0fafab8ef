"""``connectivity.patches``: how well habitat patches are joined and which of them matter."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.connectivity_cost import KEEP_AFTER, Kept, foretold, kept_in
from ecotone.assess.indicators.connectivity_tables import (
    Links,
    Patches,
    edge_links,
    point_links,
    polygon_patches,
    read_links,
    read_nodes,
    read_polygons,
    repairs,
)
from ecotone.formats.base import refused
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.connectivity.patches import Connectivity, Importance, shares
from ecotone.science.connectivity.removal import (
    Carried,
    Taken,
    Web,
    carried,
    from_sources,
    once,
    web,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Beyond so many patches links and paths of a faint probability are not followed.
_MANY: Final = 2000
#: What is faint.
_FAINT: Final = 1e-6
#: Beyond so many links only those that carry something are listed.
_LISTED: Final = 200_000
#: Sources whose time is taken before a run, for its forecast.
_SAMPLE: Final = 8
_FRACTIONS: Final = ("intra", "direct", "step")


@dataclass(frozen=True)
class _Graph:
    """One index's links: as lengths, each once, and how far paths are followed."""

    name: Literal["pc", "iic"]
    area: Floats
    pairs: Ints
    length: Floats
    reach: float

    def strength(self, length: Floats) -> Floats:
        """How well a path of some length joins."""
        joined: Floats = np.exp(-length) if self.name == "pc" else 1.0 / (1.0 + length)
        return joined

    def web(self) -> Web:
        """What is left of the links where others make them good; of links of one length none."""
        return web(self.area.size, self.pairs, self.length, thin=self.name == "pc")

    def index(self, whole: float) -> Connectivity:
        """The index and its parts."""
        first, second = self.pairs.T
        own = float((self.area**2).sum())
        linked = 2.0 * float(
            (self.area[first] * self.area[second] * self.strength(self.length)).sum()
        )
        return Connectivity(whole, own / whole, linked / whole, (whole - own - linked) / whole)


def compute(job: Job) -> Outcome:
    """PC and IIC of the patches, and what each patch and link contributes."""
    patches, findings = _patches(job)
    graphs = _graphs(job, patches, findings)
    kept = _keeping(job, graphs)
    values: dict[str, Value] = {"patches": Value(value=len(patches.ids), unit="1")}
    values["area"] = Value(value=float(patches.area.sum()), unit="ha")
    landscape = job.parameters["landscape"]
    found: list[Carried] = []
    webs: list[Web] = []
    for number, graph in enumerate(graphs):
        webs.append(graph.web())
        found.append(
            carried(
                webs[-1], patches.area, product=graph.name == "pc", reach=graph.reach,
                taken=_taken(job), keep=kept.keep, name=graph.name,
                progress=partial(_progress, job, number),
            )
        )  # fmt: skip
        values |= _index(graph.name, graph.index(found[-1].whole), landscape)
    if not isinstance(landscape, float | int):
        findings.append(Finding("connectivity-no-landscape", Severity.INFO))
    values |= _ranges(job, patches, values, findings)
    tables = {}
    if job.parameters["deltas"]:
        tables["deltas"] = _deltas(patches, found)
    if job.parameters["link_deltas"]:
        tables["links"] = _link_deltas(patches, graphs, webs, found, findings)
    if job.parameters["conefor"]:
        _write_conefor(job, patches, graphs[0])
    kept.clear()
    return Outcome(values=values, tables=tables, findings=findings)


def _progress(job: Job, done: int, share: float) -> None:
    """Of two indices, some done."""
    job.progress((done + share) / 2.0)


def _taken(job: Job) -> Taken:
    """What is taken away one by one, as the parameters ask."""
    if job.parameters["link_deltas"]:
        return "links"
    return "nodes" if job.parameters["deltas"] else "nothing"


def _patches(job: Job) -> tuple[Patches, list[Finding]]:
    given = job.inputs
    if ("nodes" in given) == ("polygons" in given):
        raise UsageError(say("assess.connectivity.patches-inputs"))
    if "nodes" in given:
        patches = read_nodes(given["nodes"][0])
        if patches.x is None and "distances" not in given:
            raise UsageError(say("assess.connectivity.patches-places"))
        return patches, []
    path = given["polygons"][0]
    frame = read_polygons(path)
    return polygon_patches(frame), repairs(frame, path)


def _graphs(job: Job, patches: Patches, findings: list[Finding]) -> tuple[_Graph, _Graph]:
    """The links of PC, as -ln p, and those of IIC, each of length 1."""
    d0, p, p_min = job.number("d0"), job.number("p"), job.number("p_min")
    many = len(patches.ids) > _MANY
    links = _links(job, patches, d0, p)
    rate = -math.log(p) / d0
    if job.parameters["links"] == "probability" and "distances" in job.inputs:
        if (links.value > 1).any():
            raise refused("connectivity-probability", file=job.inputs["distances"][0].name)
        with np.errstate(divide="ignore"):
            length = -np.log(links.value)
        near = (links.value >= p) & (links.value > 0)
    else:
        length, near = rate * links.value, links.value <= d0
    smallest = max(p_min, _FAINT if many else 0.0)
    kept = length <= -math.log(smallest) if smallest else np.isfinite(length)
    reach = -math.log(_FAINT) if many else np.inf
    if many:
        findings.append(
            Finding(
                "connectivity-many-patches",
                Severity.INFO,
                params={"count": str(len(patches.ids)), "faint": f"{_FAINT:g}"},
            )
        )
    pairs, along = once(links.pairs[kept], length[kept])
    steps, ones = once(links.pairs[near], np.ones(int(near.sum())))
    return (
        _Graph("pc", patches.area, pairs, along, reach),
        _Graph("iic", patches.area, steps, ones, np.inf),
    )


def _ranges(
    job: Job, patches: Patches, values: dict[str, Value], findings: list[Finding]
) -> dict[str, Value]:
    """The equivalent areas with their range over dispersal distances, or the reason why not."""
    bracket = job.number("bracket")
    listed = job.parameters["links"] == "probability" and "distances" in job.inputs
    many = len(patches.ids) > _MANY
    if bracket == 1 or listed or many:
        why = "none" if bracket == 1 else "probability" if listed else "many"
        findings.append(Finding(f"connectivity-no-range-{why}", Severity.INFO))
        return {}
    sums: dict[str, list[float]] = {"eca": [], "eca_iic": []}
    for share in (1.0 / bracket, bracket):
        other = replace(job, parameters={**job.parameters, "d0": job.number("d0") * share})
        for name, graph in zip(sums, _graphs(other, patches, []), strict=True):
            found = carried(
                graph.web(), patches.area, product=graph.name == "pc", reach=graph.reach,
                taken="nothing",
            )  # fmt: skip
            sums[name].append(math.sqrt(found.whole))
    findings.append(Finding("connectivity-range", Severity.INFO, params={"times": f"{bracket:g}"}))
    return {
        name: values[name].model_copy(update={"low": min(ends), "high": max(ends)})
        for name, ends in sums.items()
    }


def _links(job: Job, patches: Patches, d0: float, p: float) -> Links:
    """Every pair that counts with its distance (m) or probability."""
    if "distances" in job.inputs:
        return read_links(job.inputs["distances"][0], patches)
    many = len(patches.ids) > _MANY
    reach = d0 * math.log(_FAINT) / math.log(p) if many else 1e12
    if patches.shapes is not None:
        return edge_links(patches.shapes, max(reach, d0))
    assert patches.x is not None
    assert patches.y is not None
    return point_links(np.column_stack([patches.x, patches.y]), max(reach, d0))


def _keeping(job: Job, graphs: tuple[_Graph, _Graph]) -> Kept:
    """Tell what the run will take, from a few sources, and keep its parts if it is long."""
    size = graphs[0].area.size
    if size <= _MANY:
        return Kept(None)
    seconds = 0.0
    for graph in graphs:
        links, taken = graph.web(), _taken(job)
        some = np.linspace(0, size - 1, _SAMPLE).astype(np.int64)
        for sources in (some[:1], some):
            # The first time a function may be compiled: it tells nothing.
            begun = time.perf_counter()
            from_sources(
                links, graph.area, sources, product=graph.name == "pc", reach=graph.reach,
                taken=taken,
            )  # fmt: skip
        seconds += (time.perf_counter() - begun) * size / _SAMPLE / (os.cpu_count() or 1)
    bytes_ = 120.0 * sum(len(graph.pairs) for graph in graphs)
    foretold(job, bytes_, seconds)
    after = job.number("keep_after")
    what = [item for g in graphs for item in (g.name, g.area, g.pairs, g.length, g.reach)]
    return kept_in(job.out if after and seconds >= after else None, _taken(job), *what)


def _index(name: str, index: Connectivity, landscape: object) -> dict[str, Value]:
    """An index over the landscape, its equivalent area and its parts."""
    share = None
    if isinstance(landscape, float | int):
        share = index.numerator / float(landscape) ** 2
    parts = {"intra": index.intra, "direct": index.direct, "step": index.step}
    return {
        name: Value(value=share, unit="1"),
        f"{name}_numerator": Value(value=index.numerator, unit="ha2"),
        "eca" if name == "pc" else "eca_iic": Value(value=index.eca, unit="ha"),
        **{f"{name}_{part}": Value(value=100.0 * parts[part], unit="%") for part in _FRACTIONS},
    }


def _deltas(patches: Patches, found: list[Carried]) -> pd.DataFrame:
    """What each index loses without a patch, per cent, and its parts; what passes through it."""
    both = [shares(patches.area, one) for one in found]
    names = ("dPC", "dIIC")
    columns: dict[str, object] = {"id": patches.ids}
    columns |= {name: one.total for name, one in zip(names, both, strict=True)}
    for name, one in zip(names, both, strict=True):
        columns |= _parts(name, one)
    columns["BC_PC"], columns["BC_IIC"] = (one.through for one in found)
    return pd.DataFrame(columns)


def _parts(name: str, one: Importance) -> dict[str, object]:
    return {
        f"{name}_intra": one.intra,
        f"{name}_flux": one.flux,
        f"{name}_connector": one.connector,
    }


def _link_deltas(
    patches: Patches,
    graphs: tuple[_Graph, _Graph],
    webs: list[Web],
    found: list[Carried],
    findings: list[Finding],
) -> pd.DataFrame:
    """What each index loses without a link, per cent, the most important link first."""
    size = len(patches.ids)
    keys = [pairs[:, 0] * size + pairs[:, 1] for pairs in (g.pairs for g in graphs)]
    listed = np.union1d(*keys)
    columns: dict[str, Floats] = {}
    for name, links, one in zip(("dPC", "dIIC"), webs, found, strict=True):
        own = links.ends[:, 0] * size + links.ends[:, 1]
        lost = np.zeros(listed.size)
        lost[np.searchsorted(listed, own)] = 100.0 * np.maximum(one.link, 0.0) / one.whole
        columns[name] = lost
    if listed.size > _LISTED:
        carries = (columns["dPC"] > 0) | (columns["dIIC"] > 0)
        left_out = str(int((~carries).sum()))
        findings.append(
            Finding("connectivity-links-idle", Severity.INFO, params={"count": left_out})
        )
        listed = listed[carries]
        columns = {name: lost[carries] for name, lost in columns.items()}
    ids = np.array(patches.ids, dtype=object)
    table = pd.DataFrame({"from": ids[listed // size], "to": ids[listed % size], **columns})
    return table.sort_values("dPC", ascending=False, kind="stable").reset_index(drop=True)


def _write_conefor(job: Job, patches: Patches, graph: _Graph) -> None:
    """Conefor's two files: nodes with their attribute, links with their probability."""
    job.out.mkdir(parents=True, exist_ok=True)
    nodes = pd.DataFrame({"id": patches.ids, "attribute": patches.area})
    ids = np.array(patches.ids, dtype=object)
    links = pd.DataFrame(
        {
            "from": ids[graph.pairs[:, 0]],
            "to": ids[graph.pairs[:, 1]],
            "p": graph.strength(graph.length),
        }
    )
    for name, table in (("nodes", nodes), ("links", links)):
        text = table.to_csv(
            sep="\t", index=False, header=False, lineterminator="\n", float_format="%.12g"
        )
        (job.out / f"conefor_{name}.txt").write_text(text, encoding="utf-8")


_INDEX_VALUES: Final = {
    "pc": "1",
    "iic": "1",
    "eca": "ha",
    "eca_iic": "ha",
    "pc_numerator": "ha2",
    "iic_numerator": "ha2",
    **{f"{name}_{part}": "%" for name in ("pc", "iic") for part in _FRACTIONS},
}

CONNECTIVITY_PATCHES: Final = Indicator(
    id="connectivity.patches",
    version="1",
    inputs=(
        Input("nodes", "table", required=False),
        Input("distances", "table", required=False),
        Input("polygons", "polygons", required=False),
    ),
    parameters=(
        Parameter("d0", "number", 10_000.0, minimum=1e-9, unit="m"),
        Parameter("p", "number", 0.5, minimum=1e-9, maximum=0.999999, unit="1"),
        Parameter("p_min", "number", 0.0, minimum=0.0, maximum=1.0, unit="1"),
        Parameter("links", "text", "distance", choices=("distance", "probability")),
        Parameter("landscape", "number", None, minimum=1e-9, unit="ha"),
        Parameter("deltas", "boolean", True),
        Parameter("link_deltas", "boolean", False),
        Parameter("conefor", "boolean", False),
        Parameter("bracket", "number", 2.0, minimum=1.0, unit="1"),
        KEEP_AFTER,
    ),
    values={"patches": "1", "area": "ha", **_INDEX_VALUES},
    tables={
        "deltas": {
            "id": "",
            "dPC": "%",
            "dIIC": "%",
            **{
                f"{name}_{part}": "%"
                for name in ("dPC", "dIIC")
                for part in ("intra", "flux", "connector")
            },
            "BC_PC": "ha2",
            "BC_IIC": "ha2",
        },
        "links": {"from": "", "to": "", "dPC": "%", "dIIC": "%"},
    },
    rasters={},
    citations=(
        Citation(
            "Saura and Pascual-Hortal (2007) Landscape and Urban Planning 83, 91-103",
            "10.1016/j.landurbplan.2007.03.005",
        ),
        Citation(
            "Pascual-Hortal and Saura (2006) Landscape Ecology 21, 959-967",
            "10.1007/s10980-006-0013-z",
        ),
        Citation(
            "Saura and Rubio (2010) Ecography 33, 523-537", "10.1111/j.1600-0587.2009.05760.x"
        ),
        Citation(
            "Saura et al. (2011) Methods in Ecology and Evolution 2, 91-102",
            "10.1111/j.2041-210X.2010.00081.x",
        ),
        Citation(
            "Bodin and Saura (2010) Ecological Modelling 221, 2393-2405",
            "10.1016/j.ecolmodel.2010.06.015",
        ),
    ),
    compute=compute,
)
