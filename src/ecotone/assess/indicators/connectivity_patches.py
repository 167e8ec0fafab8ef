"""``connectivity.patches``: how well habitat patches are joined and which of them matter."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.connectivity_tables import (
    Links,
    Patches,
    edge_links,
    point_links,
    polygon_patches,
    read_links,
    read_nodes,
    read_polygons,
)
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.connectivity.links import betweenness, link_shares
from ecotone.science.connectivity.patches import (
    Connectivity,
    Importance,
    connectivity,
    importance,
    probabilities,
)
from ecotone.science.connectivity.sparse_pc import numerator, numerator_of_links

Floats = NDArray[np.float64]

#: Up to so many patches all paths are held at once and deltas are computed.
_DENSE: Final = 2000
#: Beyond it links and paths with a smaller probability are not followed.
_FAINT: Final = 1e-6
_FRACTIONS: Final = ("intra", "direct", "step")


def compute(job: Job) -> Outcome:
    """PC and IIC of the patches, and what each patch contributes."""
    patches, findings = _patches(job)
    direct, near, sparse = _joined(job, patches)
    values: dict[str, Value] = {"patches": Value(value=len(patches.ids), unit="1")}
    values["area"] = Value(value=float(patches.area.sum()), unit="ha")
    if sparse is not None:
        return _large(job, patches, sparse, values, findings)
    assert direct is not None
    assert near is not None
    pc = connectivity(patches.area, direct, "pc")
    iic = connectivity(patches.area, near, "iic")
    landscape = job.parameters["landscape"]
    for name, index in (("pc", pc), ("iic", iic)):
        values |= _index(name, index, landscape)
    if not isinstance(landscape, float | int):
        findings.append(Finding("connectivity-no-landscape", Severity.INFO))
    tables = {}
    if job.parameters["deltas"]:
        job.progress(0.2)
        dpc = importance(patches.area, direct, "pc")
        job.progress(0.6)
        diic = importance(patches.area, near, "iic")
        tables["deltas"] = _deltas(patches, dpc, diic)
        tables["deltas"]["BC_PC"] = betweenness(patches.area, direct, "pc")
        tables["deltas"]["BC_IIC"] = betweenness(patches.area, near, "iic")
    if job.parameters["link_deltas"]:
        job.progress(0.8)
        tables["links"] = _link_deltas(patches, direct, near)
    if job.parameters["conefor"]:
        _write_conefor(job, patches, direct)
    job.progress(1.0)
    return Outcome(values=values, tables=tables, findings=findings)


def _patches(job: Job) -> tuple[Patches, list[Finding]]:
    given = job.inputs
    if ("nodes" in given) == ("polygons" in given):
        raise UsageError(say("assess.connectivity.patches-inputs"))
    if "nodes" in given:
        patches = read_nodes(given["nodes"][0])
        if patches.x is None and "distances" not in given:
            raise UsageError(say("assess.connectivity.patches-places"))
        return patches, []
    return polygon_patches(read_polygons(given["polygons"][0])), []


def _joined(job: Job, patches: Patches) -> tuple[Floats | None, Floats | None, Links | None]:
    """Direct probabilities and near links as matrices, or links by distance where too many."""
    d0, p, p_min = job.number("d0"), job.number("p"), job.number("p_min")
    size = len(patches.ids)
    links = _links(job, patches, d0, p)
    as_probability = job.parameters["links"] == "probability" and "distances" in job.inputs
    if size > _DENSE:
        if as_probability:
            raise UsageError(say("assess.connectivity.patches-many", most=_DENSE))
        return None, None, links
    table = np.full((size, size), 0.0 if as_probability else np.inf)
    first, second = links.pairs.T
    table[first, second] = table[second, first] = links.value
    if as_probability:
        direct = np.where(table >= max(p_min, 1e-300), table, 0.0)
        np.fill_diagonal(direct, 1.0)
        near = (table > 0) & (table >= p)
    else:
        direct = probabilities(table, d0, p, p_min)
        near = table <= d0
    return direct, near.astype(np.float64), None


def _links(job: Job, patches: Patches, d0: float, p: float) -> Links:
    """Every pair that counts with its distance (m) or probability."""
    if "distances" in job.inputs:
        return read_links(job.inputs["distances"][0], patches)
    many = len(patches.ids) > _DENSE
    reach = d0 * math.log(_FAINT) / math.log(p) if many else 1e12
    if patches.shapes is not None:
        return edge_links(patches.shapes, reach)
    assert patches.x is not None
    assert patches.y is not None
    return point_links(np.column_stack([patches.x, patches.y]), reach)


def _large(
    job: Job, patches: Patches, links: Links, values: dict[str, Value], findings: list[Finding]
) -> Outcome:
    """PC and IIC without deltas, block by block; faint paths are left out and said so."""
    rate = -math.log(job.number("p")) / job.number("d0")
    length = rate * links.value
    faint = -math.log(max(job.number("p_min"), _FAINT))
    kept = length <= faint
    whole = numerator(patches.area, links.pairs[kept], length[kept], reach=-math.log(_FAINT))
    own = float((patches.area**2).sum())
    values["eca"] = Value(value=math.sqrt(whole), unit="ha")
    values["pc_numerator"] = Value(value=whole, unit="ha2")
    values["pc_intra"] = Value(value=100.0 * own / whole, unit="%")
    near = numerator_of_links(patches.area, links.pairs[links.value <= job.number("d0")])
    values["eca_iic"] = Value(value=math.sqrt(near), unit="ha")
    values["iic_numerator"] = Value(value=near, unit="ha2")
    values["iic_intra"] = Value(value=100.0 * own / near, unit="%")
    findings.append(
        Finding(
            "connectivity-many-patches",
            Severity.INFO,
            params={"count": str(len(patches.ids)), "most": str(_DENSE), "faint": f"{_FAINT:g}"},
        )
    )
    return Outcome(values=values, findings=findings)


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


def _deltas(patches: Patches, dpc: Importance, diic: Importance) -> pd.DataFrame:
    """What each index loses without a patch, per cent, and its parts."""
    columns: dict[str, object] = {"id": patches.ids, "dPC": dpc.total, "dIIC": diic.total}
    for name, found in (("dPC", dpc), ("dIIC", diic)):
        columns[f"{name}_intra"] = found.intra
        columns[f"{name}_flux"] = found.flux
        columns[f"{name}_connector"] = found.connector
    return pd.DataFrame(columns)


def _link_deltas(patches: Patches, direct: Floats, near: Floats) -> pd.DataFrame:
    """What each index loses without a link, per cent, the most important link first."""
    pairs = np.argwhere(np.triu((direct > 0) | (near > 0), 1))
    table = pd.DataFrame(
        {
            "from": [patches.ids[a] for a in pairs[:, 0].tolist()],
            "to": [patches.ids[b] for b in pairs[:, 1].tolist()],
            "dPC": 100.0 * link_shares(patches.area, direct, pairs, "pc"),
            "dIIC": 100.0 * link_shares(patches.area, near, pairs, "iic"),
        }
    )
    return table.sort_values("dPC", ascending=False, kind="stable").reset_index(drop=True)


def _write_conefor(job: Job, patches: Patches, direct: Floats) -> None:
    """Conefor's two files: nodes with their attribute, links with their probability."""
    job.out.mkdir(parents=True, exist_ok=True)
    nodes = pd.DataFrame({"id": patches.ids, "attribute": patches.area})
    a, b = np.nonzero(np.triu(direct, 1))
    links = pd.DataFrame(
        {
            "from": [patches.ids[i] for i in a.tolist()],
            "to": [patches.ids[i] for i in b.tolist()],
            "p": direct[a, b],
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
