"""Connectivity against the field's own tools: Circuitscape, Omniscape, Makurhini and others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support import SHARED, shared

from ecotone.assess.executor import Threads
from ecotone.assess.indicator import Indicator, Job, Outcome
from ecotone.assess.registry import get
from ecotone.formats.asciigrid import read_raster, read_text

CASES = sorted(p.name for p in (SHARED / "connectivity/circuitscape").glob("*Verify*"))
WINDOWS = sorted(p.name for p in (SHARED / "connectivity/omniscape").glob("test*"))


def compute(name: str, inputs: dict[str, Path], out: Path, **parameters: object) -> Outcome:
    indicator: Indicator = get(name)
    paths = {key: (path,) for key, path in inputs.items()}
    return indicator.compute(Job(paths, indicator.parse(parameters), out, Threads(1)))


def table(path: Path) -> np.ndarray:
    return np.array([[float(x) for x in line.split()] for line in path.read_text().splitlines()])


def grid(path: Path) -> np.ndarray:
    """The numbers of a map, no-data included."""
    return np.array([[float(x) for x in row.split()] for row in read_text(path).splitlines()[6:]])


@pytest.mark.parametrize("name", CASES or ["sgVerify1"])
def test_circuitscape_verification_suite(name, tmp_path):
    case = shared(f"connectivity/circuitscape/{name}")
    compute("connectivity.circuit", {"config": case / "case.ini"}, tmp_path)
    for expected in sorted((case / "expected").iterdir()):
        ours = tmp_path / expected.name
        assert ours.exists(), expected.name
        read = grid if ".asc" in expected.name else table
        known, found = read(expected), read(ours)
        assert known.shape == found.shape, expected.name
        assert np.abs(known - found).max() <= 1e-5, expected.name
        if "_resistances" in expected.name:
            np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-9)


def whole(path: Path) -> np.ndarray:
    """All cells, no-data as -9999: the peer compares them so."""
    return np.nan_to_num(read_raster(path).values, nan=-9999.0)


@pytest.mark.parametrize("name", WINDOWS or ["test1"])
def test_omniscape_suite(name, tmp_path):
    case = shared(f"connectivity/omniscape/{name}")
    compute("connectivity.moving-window", {"config": case / "case.ini"}, tmp_path, tile=9)
    tolerance = 1e-3 if "32bit" in name else 1e-6
    for expected in sorted((case / "expected").iterdir()):
        known, found = whole(expected), whole(tmp_path / expected.name)
        wrong = np.linalg.norm(known - found)
        size = max(np.linalg.norm(known), np.linalg.norm(found))
        assert wrong <= tolerance * size, expected.name


@pytest.mark.slow
def test_a_million_cells_all_pairs(tmp_path):
    folder = shared("connectivity/bigtests_1m")
    expected = json.loads((folder / "expected.json").read_text())
    done = compute(
        "connectivity.circuit",
        {"resistance": folder / "cellmap.asc.gz", "nodes": folder / "20points.txt"},
        tmp_path,
        neighbours="4",
    )
    known = expected["cumulative_current_18_points"]
    assert done.values["current_max"].value == pytest.approx(known["max"], rel=1e-8)
    assert done.values["current_sum"].value == pytest.approx(known["sum"], rel=1e-8)
    assert done.values["solved"].value == 153
    two = compute(
        "connectivity.circuit",
        {"resistance": folder / "cellmap.asc.gz", "nodes": folder / "points.txt"},
        tmp_path,
        neighbours="4",
    )
    found = two.tables["resistances"]["resistance"][0]
    assert found == pytest.approx(expected["R_1_2_cholmod"], rel=1e-9)
    assert found == pytest.approx(expected["R_1_2"], rel=1e-7)


def test_patches_of_the_trans_mexican_volcanic_system(tmp_path):
    folder = shared("connectivity/makurhini_tmvs404")
    expected = json.loads((folder / "expected.json").read_text())
    done = compute(
        "connectivity.patches", {"nodes": folder / "nodes.csv"}, tmp_path, d0=10000, p_min=0.01
    )
    pc, iic = expected["PC_d10000_p05"], expected["IIC_d10000"]
    values = {name: value.value for name, value in done.values.items()}
    assert values["eca"] == pytest.approx(pc["EC"], rel=1e-5)
    assert values["eca_iic"] == pytest.approx(iic["EC"], rel=1e-5)
    for part in ("intra", "direct", "step"):
        assert values[f"pc_{part}"] == pytest.approx(pc[f"PC{part}_pct"], rel=1e-5)
        # The published direct share of IIC has seven digits of a rounded total.
        assert values[f"iic_{part}"] == pytest.approx(iic[f"IIC{part}_pct"], rel=5e-5)
    deltas = done.tables["deltas"].set_index("id")
    for name, known in expected["dPC_d10000_first10"].items():
        assert deltas["dPC"][name] == pytest.approx(known, abs=1e-6)
    for name, known in expected["dIIC_d10000_first10"].items():
        assert deltas["dIIC"][name] == pytest.approx(known, abs=5e-5)
    every = compute("connectivity.patches", {"nodes": folder / "nodes.csv"}, tmp_path, deltas=False)
    assert every.values["eca"].value == pytest.approx(
        expected["own_check_no_cutoff"]["EC"], rel=1e-8
    )
    assert every.values["pc_step"].value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("d0", [10000, 30000])
def test_protected_connected_land_of_a_mexican_ecoregion(d0, tmp_path):
    folder = shared("connectivity/makurhini_protconn_mx/region1")
    expected = json.loads((folder / "expected.json").read_text())
    known = expected[f"d{d0}"]
    done = compute(
        "connectivity.protconn",
        {"areas": folder / "protected_areas.gpkg", "region": folder / "region.gpkg"},
        tmp_path,
        distance="centroid",
        d0=d0,
    )
    values = {name: value.value for name, value in done.values.items()}
    assert values["eca"] == pytest.approx(known["EC_ha"], rel=1e-6)
    assert values["region_area"] == pytest.approx(expected["LA_ha"], rel=1e-8)
    assert values["protected_area"] == pytest.approx(expected["protected_ha"], rel=1e-6)
    for ours, theirs in {
        "prot": "Prot",
        "protconn": "ProtConn",
        "relconn": "RelConn",
        "within": "ProtConn_Within_land",
        "unprot": "ProtConn_Unprot_land",
    }.items():
        assert values[ours] == pytest.approx(known[theirs], abs=1e-3)
    # The paper's contiguous part, not the printed one, which holds the unprotected part too.
    assert values["contig"] == pytest.approx(0.0874, abs=1e-4)
    assert values["nodes"] == expected["own_check"]["n_inside"]


@pytest.mark.parametrize(
    ("touching", "d0", "eca", "within"),
    [
        ("joined", 10000, 145302.39, 1e-6),
        ("joined", 30000, 178843.56, 1e-6),
        ("apart", 10000, 144845.19, 1e-6),
        ("apart", 30000, 177821.13, 1e-6),
    ],
)
def test_protected_connected_land_from_edge_to_edge(touching, d0, eca, within, tmp_path):
    """Where the border cuts a protected area its parts on both sides touch, 0 m apart.

    Makurhini makes a probability of 1 of that, a link like any other (exp(0), then -log(1) as
    its weight): ``joined``. The folder's own 144845.19 and 177821.13 come from a sparse matrix
    that takes 0 for "no link": ``apart``.
    """
    folder = shared("connectivity/makurhini_protconn_mx/region1")
    done = compute(
        "connectivity.protconn",
        {"areas": folder / "protected_areas.gpkg", "region": folder / "region.gpkg"},
        tmp_path,
        d0=d0,
        touching=touching,
    )
    assert done.values["eca"].value == pytest.approx(eca, rel=within)


def test_least_cost_of_the_linkage_mapper_demo(tmp_path):
    folder = shared("connectivity/linkage_mapper_lm")
    expected = json.loads((folder / "expected.json").read_text())
    done = compute(
        "connectivity.corridors",
        {"resistance": folder / "lm_resistances.tif", "cores": folder / "lm_cores.shp"},
        tmp_path,
    )
    found = done.tables["distances"].astype({"from": int, "to": int})
    least = np.array(expected["least_cost_m"])
    assert found["least_cost_m"].to_numpy() == pytest.approx(
        least[found["from"] - 1, found["to"] - 1], rel=1e-6
    )
    straight = pd.read_csv(
        folder / "distances_lm_cores.txt", sep="\t", names=["from", "to", "known"]
    )
    both = found.merge(straight)
    assert len(both) == 15
    assert (both["euclidean_m"] - both["known"]).abs().max() < 1e-2
