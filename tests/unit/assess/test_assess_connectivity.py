"""The connectivity indicators from files to result, and what they say of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin
from shapely.geometry import box
from tests.command import ecotone

from ecotone.assess.compute import compute
from ecotone.assess.executor import Threads
from ecotone.assess.indicators import connectivity_window
from ecotone.model.errors import EcotoneError, InputRefused, NotComputable, UsageError

HEAD = "ncols {c}\nnrows {r}\nxllcorner 0\nyllcorner 0\ncellsize 10\nNODATA_value -9999\n"


def asc(path: Path, values: object) -> Path:
    grid = np.array(values, dtype=float)
    rows = "\n".join(" ".join(f"{x:g}" for x in row) for row in grid)
    path.write_text(HEAD.format(r=grid.shape[0], c=grid.shape[1]) + rows + "\n")
    return path


def tif(path: Path, values: object, crs: str, cell: float = 10.0) -> Path:
    grid = np.array(values, dtype=np.float64)
    with rasterio.open(
        path, "w", driver="GTiff", width=grid.shape[1], height=grid.shape[0], count=1,
        dtype="float64", crs=crs, transform=from_origin(0, grid.shape[0] * cell, cell, cell),
        nodata=-9999.0,
    ) as out:  # fmt: skip
        out.write(grid, 1)
    return path


def run(name: str, inputs: dict[str, Path], out: Path, **parameters: object):
    given = {key: [path] for key, path in inputs.items()}
    return compute(name, given, parameters, out, executor=Threads(1))


def code_of(error: EcotoneError) -> str:
    finding = getattr(error, "finding", None)
    return "" if finding is None else finding.code


def circuit(folder: Path, values: object, points: str, **options: object):
    """Run Circuitscape's way on a small grid."""
    asc(folder / "h.asc", values)
    (folder / "p.txt").write_text(points)
    base = {
        "data_type": "raster", "scenario": "pairwise", "habitat_file": "h.asc",
        "point_file": "p.txt", "output_file": "deep/folder/name.out", "write_cur_maps": True,
    }  # fmt: skip
    text = "\n".join(f"{k} = {v}" for k, v in {**base, **options}.items())
    (folder / "run.ini").write_text(text)
    return run("connectivity.circuit", {"config": folder / "run.ini"}, folder / "out")


def test_a_circuit_from_files_to_result(tmp_path):
    asc(tmp_path / "h.asc", [[1, 1, 1, 1, 1]])
    (tmp_path / "p.txt").write_text("1 5 5\n2 45 5\n")
    done = run(
        "connectivity.circuit",
        {"resistance": tmp_path / "h.asc", "nodes": tmp_path / "p.txt"},
        tmp_path / "out",
    )
    table = pd.read_csv(tmp_path / "out" / done.tables["resistances"])
    assert table.to_dict("records") == [{"from": 1, "to": 2, "resistance": 4.0}]
    with rasterio.open(tmp_path / "out" / done.rasters["cumulative_current"]) as data:
        assert data.read(1).tolist() == [[1, 1, 1, 1, 1]]
    assert done.values["mean_resistance"].value == pytest.approx(4.0)
    assert done.values["residual"].value < 1e-10
    (line,) = gpd.read_file(tmp_path / "out" / done.vectors["pairs"]).itertuples()
    assert (line.resistance, line.geometry.length) == (4.0, 40.0)


def test_an_inis_own_files_lie_under_its_base_name(tmp_path):
    done = circuit(
        tmp_path, [[1, 1, 0.5]], "1 5 5\n2 25 5\n", write_volt_maps=True, compress_grids=True,
        log_transform_maps=True, write_max_cur_maps=True, set_null_voltages_to_nodata=True,
    )  # fmt: skip
    names = {p.name for p in (tmp_path / "out").iterdir() if p.name.startswith("name")}
    assert names == {
        "name_resistances.out", "name_resistances_3columns.out", "name_curmap_1_2.asc.gz",
        "name_cum_curmap.asc.gz", "name_max_curmap.asc.gz", "name_voltmap_1_2.asc.gz",
    }  # fmt: skip
    told = ["connectivity-not-drawn", "connectivity-no-margin", "circuit-memory"]
    assert [f["code"] for f in done.findings] == told


def test_a_run_too_large_for_the_machine_is_refused_before_it_starts(tmp_path, monkeypatch):
    module = "ecotone.assess.indicators.connectivity_cost.physical_memory"
    monkeypatch.setattr(module, lambda: 1000.0)
    with pytest.raises(NotComputable):
        circuit(tmp_path, [[1, 1, 1]], "1 5 5\n2 25 5\n")
    monkeypatch.setattr(module, lambda: None)
    assert circuit(tmp_path, [[1, 1, 1]], "1 5 5\n2 25 5\n").values["solved"].value == 1


def test_maps_as_geotiff_and_the_files_that_were_read(tmp_path):
    done = circuit(tmp_path, [[1, -9999, 1, 1]], "1 25 5\n2 35 5\n", write_as_tif=True,
                   set_null_currents_to_nodata=True)  # fmt: skip
    with rasterio.open(tmp_path / "out" / "name_cum_curmap.tif") as data:
        assert data.read(1).tolist() == [[0, -9999, 1, 1]]
    files = pd.read_csv(tmp_path / "out" / done.tables["files"])
    assert files[["option", "name"]].to_numpy().tolist() == [
        ["habitat", "h.asc"],
        ["points", "p.txt"],
    ]


@pytest.mark.parametrize(
    "text", ["id,x,y\n1,5,5\n2,25,5\n", "y_m;x_m;ID\n5;5;1\n5;25;2\n", "1\t5\t5\n2\t25\t5\n"]
)
def test_focal_points_as_a_table_of_any_kind(text, tmp_path):
    assert circuit(tmp_path, [[1, 1, 1]], text).values["mean_resistance"].value == 2.0


@pytest.mark.parametrize(
    ("values", "points", "code"),
    [
        ([[1, 0, 1]], "1 5 5\n2 25 5\n", "circuit-resistance-not-positive"),
        ([[1, -2, 1]], "1 5 5\n2 25 5\n", "circuit-resistance-not-positive"),
        ([[-9999, -9999]], "1 5 5\n2 15 5\n", "circuit-no-habitat"),
        ([[1, 1, 1]], "1 5 5\n", "circuit-one-point"),
        ([[1, 1, 1]], "1 5000 5\n2 6000 5\n", "circuit-no-point"),
        ([[1, 1, 1]], "1 5\n", "circuit-list-columns"),
    ],
)
def test_bad_grids_and_points_are_refused(values, points, code, tmp_path):
    with pytest.raises(InputRefused) as error:
        circuit(tmp_path, values, points)
    assert code_of(error.value) == code
    for lang in ("en", "zh", "ru"):
        assert error.value.finding.message(lang)


@pytest.mark.parametrize("scenario", ["pairwise", "one-to-all", "all-to-one", "advanced"])
def test_a_circuit_over_draws_with_a_margin(scenario, tmp_path):
    rng = np.random.default_rng(6)
    land = rng.choice([1.0, 5.0, 20.0], (9, 8))
    asc(tmp_path / "h.asc", land)
    (tmp_path / "p.txt").write_text("1 5 5\n2 75 85\n3 35 45\n3 35 55\n")
    (tmp_path / "s.txt").write_text("1 5 5\n")
    (tmp_path / "g.txt").write_text("0 75 85\n")
    (tmp_path / "c.ini").write_text(
        f"scenario={scenario}\nhabitat_file=h.asc\npoint_file=p.txt\nwrite_cur_maps=True\n"
        "source_file=s.txt\nground_file=g.txt\noutput_file=n.out\n"
    )
    given = {"config": tmp_path / "c.ini"}
    plain = run("connectivity.circuit", given, tmp_path / "plain")
    done = run("connectivity.circuit", given, tmp_path / "o", draws=12, margin=0.25, spread=3)
    again = run("connectivity.circuit", given, tmp_path / "a", draws=12, margin=0.25, spread=3)
    assert done.values == again.values
    assert {"connectivity-drawn", "connectivity-margin"} < {f["code"] for f in done.findings}
    current = read(tmp_path / "o/rasters/cumulative_current.tif")
    assert current.shape == land.shape
    # Round the map there are more ways: less runs along its edge, and nothing is harder to reach.
    assert current.sum() < read(tmp_path / "plain/rasters/cumulative_current.tif").sum()
    cv = read(tmp_path / "o/rasters/current_cv.tif")
    assert (cv[np.isfinite(cv)] >= 0).all() and np.nanmax(cv) > 0.05
    if scenario in ("pairwise", "one-to-all"):
        frame = pd.read_csv(tmp_path / "o/tables/resistances.csv")
        before = pd.read_csv(tmp_path / "plain/tables/resistances.csv")
        assert (frame["resistance"] < before["resistance"]).all()
        assert (frame["low"] < frame["high"]).all()
        value = done.values["mean_resistance"]
        assert value.low < value.high and value.level == 0.9
        assert plain.values["mean_resistance"].low is None


@pytest.mark.parametrize(
    ("points", "code"),
    [
        # The grid is 30 m wide and 10 m high.
        ("1 5 25\n2 5 15\n", "circuit-points-swapped"),
        ("1 5,5 5,5\n2 15,5 5,5\n", "circuit-list-comma"),
        ("1.5 5 5\n2 15 5\n", "circuit-id-broken"),
        ("99999999999999999999 5 5\n2 15 5\n", "circuit-id-broken"),
        ("1 5e6 5e6\n2 4e6 4e6\n", "circuit-no-point"),
        ("1 5 5\n2 45 5\n", "circuit-one-inside"),
    ],
)
def test_points_that_lie_nowhere(points, code, tmp_path):
    with pytest.raises(InputRefused) as error:
        circuit(tmp_path, [[1, 1, 1]], points)
    assert code_of(error.value) == code


def test_points_of_a_continental_spreadsheet(tmp_path):
    done = circuit(tmp_path, [[1, 1, 1]], "id;x;y\n1;5,5;5,5\n2;25,0;5,0\n")
    assert done.values["solved"].value == 1


def test_excluded_points_give_one_ampere_where_strengths_vary(tmp_path):
    (tmp_path / "s.txt").write_text("1 5\n2 3\n3 7\n")
    (tmp_path / "i.txt").write_text("mode include\n1 2\n2 3\n")
    done = circuit(
        tmp_path, [[1, 1, 1]], "1 5 5\n2 15 5\n3 25 5\n", scenario="all-to-one",
        use_variable_source_strengths=True, variable_source_file="s.txt",
        use_included_pairs=True, included_pairs_file="i.txt",
    )  # fmt: skip
    assert "circuit-excluded-inject" in [f["code"] for f in done.findings]
    # To point 1 flow 3 A of its pair 2, and 1 A of 3, with which it has no pair.
    current = np.loadtxt(tmp_path / "out" / "name_curmap_1.asc", skiprows=6)
    assert current == pytest.approx([4, 4, 1])


def test_negative_conductances_and_empty_masks(tmp_path):
    with pytest.raises(InputRefused) as error:
        circuit(tmp_path, [[1, -1, 1]], "1 5 5\n2 25 5\n", habitat_map_is_resistances=False)
    assert code_of(error.value) == "circuit-conductance-negative"
    asc(tmp_path / "m.asc", [[0, 0, 0]])
    with pytest.raises(InputRefused) as error:
        circuit(tmp_path, [[1, 1, 1]], "1 5 5\n2 25 5\n", use_mask=True, mask_file="m.asc")
    assert code_of(error.value) == "circuit-mask-empty"


def test_what_a_reader_should_know_of_points(tmp_path):
    done = circuit(tmp_path, [[1, -9999, 1, 1]], "1 5 5\n2 25 5\n3 35 5\n4 15 5\n5 999 5\n")
    told = {f["code"]: f["params"] for f in done.findings}
    assert told["circuit-point-on-nodata"]["ids"] == "4"
    assert told["circuit-point-outside"]["ids"] == "5"
    assert told["circuit-not-connected"]["count"] == "5"
    matrix = np.loadtxt(tmp_path / "out" / "name_resistances.out")
    assert matrix[1].tolist() == [1, 0, -1, -1, -1]
    assert matrix[2, 3] == 1


def test_grids_that_do_not_align_are_refused(tmp_path):
    asc(tmp_path / "q.asc", [[1, 1]])
    with pytest.raises(InputRefused) as error:
        circuit(tmp_path, [[1, 1, 1]], "1 5 5\n2 25 5\n", use_polygons=True, polygon_file="q.asc")
    assert code_of(error.value) == "circuit-grid-differs"
    assert "2 x 1, 10 x 10, (0; 10), not 3 x 1, 10 x 10, (0; 10)" in str(error.value)
    tif(tmp_path / "a.tif", [[1, 1, 1]], "EPSG:32643")
    other = tif(tmp_path / "b.tif", [[1, 2, 3]], "EPSG:32644")
    given = {"resistance": tmp_path / "a.tif", "nodes": other}
    with pytest.raises(InputRefused) as error:
        run("connectivity.circuit", given, tmp_path / "o")
    assert code_of(error.value) == "circuit-crs-differs"


def test_every_long_run_is_foretold(tmp_path):
    asc(tmp_path / "h.asc", np.ones((6, 6)))
    (tmp_path / "p.txt").write_text("1 5 5\n2 55 55\n")
    given = {"resistance": [tmp_path / "h.asc"], "nodes": [tmp_path / "p.txt"]}
    for name, inputs in (
        ("what-if", {**given, "change": [tmp_path / "h.asc"]}),
        ("kernels", given),
        ("circuit", given),
        ("moving-window", {"config": [window_run(tmp_path)]}),
    ):
        told: list = []
        compute(f"connectivity.{name}", inputs, {}, tmp_path / "o", tell=told.append)
        assert [finding.code for finding in told] == ["circuit-memory"]


def test_degrees_and_contrast_are_told(tmp_path):
    tif(tmp_path / "h.tif", [[1, 1e-10, 1, 1]], "EPSG:4326", cell=0.1)
    (tmp_path / "p.txt").write_text("1 0.05 0.05\n2 0.35 0.05\n")
    done = run(
        "connectivity.circuit",
        {"resistance": tmp_path / "h.tif", "nodes": tmp_path / "p.txt"},
        tmp_path / "out",
    )
    assert {"circuit-degrees", "circuit-contrast"} <= {f["code"] for f in done.findings}


def advanced(folder: Path, source: object, ground: object, **options: object):
    asc(folder / "s.asc", source)
    asc(folder / "g.asc", ground)
    return circuit(
        folder, [[1, 1, -9999, 1]], "1 5 5\n", scenario="advanced", source_file="s.asc",
        ground_file="g.asc", write_volt_maps=True, **options,
    )  # fmt: skip


def test_an_advanced_run_and_what_it_refuses(tmp_path):
    none = -9999
    # 2 ohms to ground, as Circuitscape has it where nothing is said; else 2 siemens.
    for said, known in (
        ({}, [9, 6, 0, 0]),
        ({"ground_file_is_resistances": False}, [4.5, 1.5, 0, 0]),
    ):
        advanced(tmp_path, [[3, none, none, none]], [[none, 2, none, none]], **said)
        voltage = np.loadtxt(tmp_path / "out" / "name_voltmap.asc", skiprows=6)
        assert voltage == pytest.approx(known)
    held = advanced(tmp_path, [[3, 1, none, none]], [[none, 0, none, none]])
    assert "circuit-source-held" in [f["code"] for f in held.findings]
    advanced(
        tmp_path, [[3, none, none, none]], [[none, 2, none, none]], use_unit_currents=True,
        use_direct_grounds=True,
    )  # fmt: skip
    voltage = np.loadtxt(tmp_path / "out" / "name_voltmap.asc", skiprows=6)
    assert voltage == pytest.approx([1, 0, 0, 0])
    for source, ground, code in (
        ([[none] * 4], [[none, 2, none, none]], "circuit-no-source"),
        ([[3, none, none, none]], [[none] * 4], "circuit-no-ground"),
        ([[3, none, none, none]], [[none, -2, none, none]], "circuit-ground-negative"),
        ([[3, none, none, none]], [[none, none, none, 1]], "circuit-nothing-joined"),
    ):
        with pytest.raises(InputRefused) as error:
            advanced(tmp_path, source, ground)
        assert code_of(error.value) == code


def network(folder: Path, edges: str, points: str = "1\n3\n", **options: object):
    (folder / "e.txt").write_text(edges)
    (folder / "f.txt").write_text(points)
    base = {
        "data_type": "network", "scenario": "pairwise", "habitat_file": "e.txt",
        "point_file": "f.txt", "output_file": "net.out", "write_cur_maps": True,
        "write_volt_maps": True, "write_max_cur_maps": True,
    }  # fmt: skip
    (folder / "n.ini").write_text("\n".join(f"{k}={v}" for k, v in {**base, **options}.items()))
    return run("connectivity.circuit", {"config": folder / "n.ini"}, folder / "out")


def test_a_network_keeps_its_ids_and_adds_parallel_edges(tmp_path):
    done = network(tmp_path, "1 7 2\n7 3 1\n7 1 2\n9 8 1\n8 8 4\n", points="3\n1\n9\n")
    told = {f["code"]: f["params"] for f in done.findings}
    assert told["circuit-edges-parallel"]["count"] == "1"
    assert "circuit-network-not-drawn" in told
    matrix = np.loadtxt(tmp_path / "out" / "net_resistances.out")
    assert matrix.tolist() == [[0, 1, 3, 9], [1, 0, 2, -1], [3, 2, 0, -1], [9, -1, -1, 0]]
    branches = np.loadtxt(tmp_path / "out" / "net_branch_currents_1_3.txt")
    assert branches.tolist() == [[1, 7, 1], [3, 7, 1]]


def test_bad_networks_are_refused(tmp_path):
    for edges, points, code in (
        ("1 2 0\n", "1\n2\n", "circuit-resistance-not-positive"),
        ("1 2 1\n", "1\n5\n", "circuit-node-unknown"),
        ("1 2\n", "1\n2\n", "circuit-list-columns"),
    ):
        with pytest.raises(InputRefused) as error:
            network(tmp_path, edges, points)
        assert code_of(error.value) == code
    with pytest.raises(InputRefused) as error:
        network(tmp_path, "1 2 -1\n", "1\n2\n", habitat_map_is_resistances=False)
    assert code_of(error.value) == "circuit-conductance-negative"


def test_a_circuit_needs_its_inputs(tmp_path):
    asc(tmp_path / "h.asc", [[1, 1]])
    with pytest.raises(UsageError):
        run("connectivity.circuit", {"resistance": tmp_path / "h.asc"}, tmp_path / "out")


def test_the_command_ends_as_promised(tmp_path):
    asc(tmp_path / "h.asc", [[1, 0, 1]])
    (tmp_path / "p.txt").write_text("1 5 5\n2 25 5\n")
    told = ecotone(
        "compute", "connectivity.circuit", "-i", f"resistance={tmp_path / 'h.asc'}",
        "-i", f"nodes={tmp_path / 'p.txt'}", "-o", tmp_path / "out",
    )  # fmt: skip
    assert told.code == 3
    assert "short-circuit region" in told.err


def write_patches(folder: Path, text: str) -> Path:
    path = folder / "nodes.csv"
    path.write_text(text)
    return path


def test_patches_by_list_links_and_conefor(tmp_path):
    nodes = write_patches(tmp_path, "id,area_ha,x_m,y_m\na,1,0,0\nb,2,1000,0\nc,3,2000,0\n")
    far = run("connectivity.patches", {"nodes": nodes}, tmp_path / "o", d0=1000, landscape=10)
    assert far.values["pc"].value == pytest.approx((14 + 2 * (1 + 3 + 3 / 4)) / 100)
    assert far.values["iic"].value == pytest.approx((14 + 2 * (1 + 3 + 1)) / 100)
    conefor = write_patches(tmp_path, "1\t1\n2\t2\n3\t3\n")
    links = tmp_path / "links.txt"
    links.write_text("1 2 1000\n2 3 1000\n")
    given = {"nodes": conefor, "distances": links}
    listed = run("connectivity.patches", given, tmp_path / "o", d0=1000)
    assert listed.values["pc_numerator"].value == pytest.approx(14 + 2 * (1 + 3 + 3 / 4))
    assert listed.values["pc"].value is None
    links.write_text("1 2 0.5\n2 3 0.5\n")
    probable = run("connectivity.patches", given, tmp_path / "o", links="probability")
    assert probable.values["eca"].value == listed.values["eca"].value
    deltas = pd.read_csv(tmp_path / "o" / probable.tables["deltas"])
    assert deltas["id"].tolist() == [1, 2, 3]


def polygons(path: Path, shapes: list, crs: str | None = "EPSG:32643", **columns: list) -> Path:
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path, driver="GPKG")
    return path


def test_patches_as_polygons_and_many_of_them(tmp_path, monkeypatch):
    shapes = [box(x, 0, x + 100, 100) for x in (0, 1100, 2200)]
    path = polygons(tmp_path / "p.gpkg", shapes, name=["a", "b", "c"])
    few = run("connectivity.patches", {"polygons": path}, tmp_path / "o", d0=1000)
    assert few.values["area"].value == pytest.approx(3)
    # Stepping through b is shorter than across it: 1/4 against 2^-2.1.
    assert few.values["pc_numerator"].value == pytest.approx(3 + 2 * (0.5 + 0.5 + 0.25))
    low, high = (
        run("connectivity.patches", {"polygons": path}, tmp_path / "r", d0=d0, bracket=1)
        for d0 in (500, 2000)
    )
    assert (few.values["eca"].low, few.values["eca"].high) == (
        low.values["eca"].value, high.values["eca"].value
    )  # fmt: skip
    assert "connectivity-no-range-none" in [f["code"] for f in low.findings]
    module = "ecotone.assess.indicators.connectivity_patches."
    monkeypatch.setattr(module + "_MANY", 2)
    monkeypatch.setattr(module + "_LISTED", 1)
    told: list = []
    many = compute(
        "connectivity.patches", {"polygons": [path]}, {"d0": 1000, "link_deltas": True},
        tmp_path / "m", tell=told.append,
    )  # fmt: skip
    assert many.values["eca"].value == pytest.approx(few.values["eca"].value)
    assert many.values["eca_iic"].value == pytest.approx(few.values["eca_iic"].value)
    assert many.values["pc_step"].value == pytest.approx(few.values["pc_step"].value)
    codes = [f["code"] for f in many.findings]
    assert {"connectivity-many-patches", "connectivity-links-idle"} < set(codes)
    assert [finding.code for finding in told] == ["circuit-memory"]
    pd.testing.assert_frame_equal(
        *(pd.read_csv(tmp_path / f / "tables/deltas.csv") for f in ("o", "m"))
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "connectivity-table-empty"),
        ("id,colour\n1,red\n", "connectivity-column"),
        ("area_ha,x_m,y_m\n1,0,0\n", "connectivity-column"),
        ("id,area_ha,x_m,y_m\n1,large,0,0\n", "connectivity-number"),
        ("id,area_ha,x_m,y_m\n1,1,0,0\n1,2,500,0\n", "connectivity-id-twice"),
        ("id,area_ha,x_m,y_m\n1,-1,0,0\n", "connectivity-area"),
        ("id,area_ha,x,y\n1,1,71.2,38.5\n2,1,71.9,38.1\n", "connectivity-degrees"),
        ("id,area_ha,x_m,y_m\n1,1,0\n", "circuit-list-columns"),
        ("id,area_ha,lon,lat\n1,1,71.2,38.5\n2,1,71.9,38.1\n", "connectivity-degrees"),
    ],
)
def test_bad_patches_are_refused(text, code, tmp_path):
    with pytest.raises(InputRefused) as error:
        run("connectivity.patches", {"nodes": write_patches(tmp_path, text)}, tmp_path / "o")
    assert code_of(error.value) == code


def test_bad_links_and_inputs_of_patches(tmp_path):
    nodes = write_patches(tmp_path, "1 1\n2 2\n")
    links = tmp_path / "links.txt"
    given = {"nodes": nodes, "distances": links}
    for text, code in (
        ("1 5 3\n", "connectivity-link-unknown"),
        ("1 2 -3\n", "connectivity-link-negative"),
        ("id1,value\n1,3\n", "connectivity-column"),
    ):
        links.write_text(text)
        with pytest.raises(InputRefused) as error:
            run("connectivity.patches", given, tmp_path / "o")
        assert code_of(error.value) == code
    with pytest.raises(UsageError):
        run("connectivity.patches", {"nodes": nodes}, tmp_path / "o")
    with pytest.raises(UsageError):
        run("connectivity.patches", {}, tmp_path / "o")


def test_protected_land_across_a_border(tmp_path):
    region = polygons(tmp_path / "region.gpkg", [box(0, 0, 10_000, 10_000)])
    shapes = [
        box(0, 0, 1000, 1000),
        box(1000, 0, 2000, 1000),
        box(0, 9000, 1000, 10_000),
        box(-1500, 500, -500, 9500),
    ]
    areas = polygons(tmp_path / "areas.gpkg", shapes)
    given = {"areas": areas, "region": region}
    done = run("connectivity.protconn", given, tmp_path / "o", d0=1000)
    values = {name: value.value for name, value in done.values.items()}
    ends = [
        run("connectivity.protconn", given, tmp_path / "r", d0=d0, bracket=1).values["protconn"]
        for d0 in (500, 2000)
    ]
    value = done.values["protconn"]
    assert [value.low, value.high] == pytest.approx([end.value for end in ends])
    assert ends[0].low is None
    assert (values["nodes"], values["nodes_outside"]) == (2, 1)
    assert values["prot"] == pytest.approx(3.0)
    # Across the border each leg is 500 m: p* = 1/2; straight 8 km: 1/256.
    assert values["eca"] == pytest.approx(np.sqrt(200**2 + 100**2 + 2 * 200 * 100 / 2))
    assert values["within"] == pytest.approx(np.sqrt(3 * 100**2) / 100)
    assert values["contig"] == pytest.approx((np.sqrt(50_000) - np.sqrt(30_000)) / 100)
    inside = np.sqrt(50_000 + 2 * 20_000 / 256)
    assert values["trans"] == pytest.approx((values["eca"] - inside) / 100)
    parts = sum(values[p] for p in ("within", "contig", "unprot", "trans"))
    assert parts == pytest.approx(values["protconn"])
    with pytest.raises(NotComputable):
        elsewhere = polygons(tmp_path / "e.gpkg", [box(9e5, 9e5, 9.1e5, 9.1e5)])
        run("connectivity.protconn", {"areas": elsewhere, "region": region}, tmp_path / "o")


@pytest.mark.parametrize(
    "header", ["Код;Площадь, га;X, м;Y, м", "编号;面积（公顷）;X(米);Y(米)", "id;area_ha;x_m;y_m"]
)
def test_lists_of_patches_in_three_languages(header, tmp_path):
    nodes = write_patches(tmp_path, f"{header}\n1;2,5;0;0\n2;1;1000;0\n")
    done = run("connectivity.patches", {"nodes": nodes}, tmp_path / "o", d0=1000)
    assert done.values["area"].value == 3.5
    assert done.values["pc_numerator"].value == pytest.approx(2.5**2 + 1 + 2 * 2.5 / 2)


def test_polygons_that_cross_themselves_are_repaired_and_named(tmp_path):
    tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    path = polygons(tmp_path / "t.gpkg", [tie, box(500, 0, 600, 100)], **{"id": ["west", "east"]})
    whole = polygons(tmp_path / "r.gpkg", [box(-1000, -1000, 2000, 2000)])
    for done in (
        run("connectivity.patches", {"polygons": path}, tmp_path / "o"),
        run("connectivity.protconn", {"areas": path, "region": whole}, tmp_path / "p"),
    ):
        (told,) = (f for f in done.findings if f["code"] == "connectivity-repaired")
        assert told["params"] == {"count": "1", "ids": "west"}


def test_polygons_in_degrees_or_none_are_refused(tmp_path):
    degrees = polygons(tmp_path / "d.gpkg", [box(71, 38, 72, 39)], crs="EPSG:4326")
    (tmp_path / "x.gpkg").write_text("nothing")
    # At 43 degrees north web Mercator draws areas 1 / cos(43)^2 = 1.87 times as large.
    swollen = polygons(tmp_path / "w.gpkg", [box(8e6, 5.3e6, 8.01e6, 5.31e6)], crs="EPSG:3857")
    for path, code in (
        (degrees, "connectivity-degrees"),
        (swollen, "connectivity-not-equal-area"),
        (tmp_path / "x.gpkg", "connectivity-polygons"),
    ):
        with pytest.raises(InputRefused) as error:
            run("connectivity.patches", {"polygons": path}, tmp_path / "o")
        assert code_of(error.value) == code


def test_corridors_by_country(tmp_path):
    values = np.ones((9, 30))
    values[:, 15] = 50.0
    values[4, 15] = 1.0
    land = tif(tmp_path / "r.tif", values, "EPSG:32643")
    cores = polygons(
        tmp_path / "c.gpkg", [box(0, 30, 30, 60), box(270, 30, 300, 60)], core_id=["west", "east"],
        **{"id": ["west", "east"]},
    )  # fmt: skip
    countries = polygons(
        tmp_path / "b.gpkg", [box(0, 0, 150, 90), box(150, 0, 250, 90)], name=["A", "B"]
    )
    done = run(
        "connectivity.corridors",
        {"resistance": land, "cores": cores, "countries": countries},
        tmp_path / "o",
        barrier_radius=10,
    )
    table = pd.read_csv(tmp_path / "o" / done.tables["distances"])
    assert table["from"].tolist() == ["west"]
    assert table["least_cost_m"].tolist() == pytest.approx([250.0])
    shares = pd.read_csv(tmp_path / "o" / done.tables["by_country"])
    assert shares["length_m"].sum() == pytest.approx(table["path_m"][0])
    assert shares["country"].tolist() == ["-", "A", "B"]
    assert shares["share"].sum() == pytest.approx(100)
    with rasterio.open(tmp_path / "o" / done.rasters["corridors"]) as data:
        assert data.read(1)[4, 15] == pytest.approx(0)
    assert gpd.read_file(tmp_path / "o" / done.vectors["paths"]).shape[0] == 1
    by_raster = np.zeros((9, 30))
    by_raster[3:6, :3], by_raster[3:6, 27:] = 5, 8
    again = run(
        "connectivity.corridors",
        {"resistance": land, "cores": tif(tmp_path / "c.tif", by_raster, "EPSG:32643")},
        tmp_path / "o2",
        neighbours="16",
    )
    table = pd.read_csv(tmp_path / "o2" / again.tables["distances"])
    assert table[["from", "to", "euclidean_m"]].to_numpy().tolist() == [[5, 8, 250.0]]


def test_a_wall_with_one_gap_is_barrier_and_pinch_point(tmp_path):
    values = np.ones((15, 31))
    values[:, 15] = 200.0
    values[7, 15] = 1.0
    cores = np.zeros((15, 31))
    cores[:, 0], cores[:, 30] = 1, 2
    given = {
        "resistance": tif(tmp_path / "r.tif", values, "EPSG:32643"),
        "cores": tif(tmp_path / "c.tif", cores, "EPSG:32643"),
    }
    done = run("connectivity.corridors", given, tmp_path / "o", pinch=400, barrier_radius=20)
    current = read(tmp_path / "o" / done.rasters["pinch_points"])
    inner = current[:, 1:-1]
    assert np.unravel_index(inner.argmax(), inner.shape) == (7, 14)
    assert current[7, 15] > 0.9
    # With the gap closed the wall is the barrier, and restoring it saves what it costs.
    values[7, 15] = 200.0
    given["resistance"] = tif(tmp_path / "w.tif", values, "EPSG:32643")
    done = run("connectivity.corridors", given, tmp_path / "o", barrier_radius=20)
    score = read(tmp_path / "o" / done.rasters["barriers"])
    columns = np.nonzero(score >= score.max() * 0.999)[1]
    assert set(columns.tolist()) <= {14, 15, 16}
    least = pd.read_csv(tmp_path / "o" / done.tables["distances"])["least_cost_m"][0]
    assert least - score.max() * 40 == pytest.approx(300, rel=0.01)


def test_corridors_that_cannot_be(tmp_path):
    values = np.ones((3, 9))
    values[:, 4] = -9999
    land = tif(tmp_path / "r.tif", values, "EPSG:32643")
    cores = polygons(tmp_path / "c.gpkg", [box(0, 0, 10, 10), box(80, 0, 90, 10)])
    with pytest.raises(NotComputable):
        run("connectivity.corridors", {"resistance": land, "cores": cores}, tmp_path / "o")
    outside = polygons(tmp_path / "d.gpkg", [box(0, 0, 10, 10), box(800, 0, 900, 10)])
    with pytest.raises(InputRefused) as error:
        run("connectivity.corridors", {"resistance": land, "cores": outside}, tmp_path / "o")
    assert code_of(error.value) == "corridor-core-missing"


def test_a_corridor_through_a_third_core_is_not_kept(tmp_path):
    land = tif(tmp_path / "r.tif", np.ones((3, 30)), "EPSG:32643")
    shapes = [box(x, 0, x + 30, 30) for x in (0, 130, 270)]
    cores = polygons(tmp_path / "c.gpkg", shapes, id=[1, 2, 3])
    done = run("connectivity.corridors", {"resistance": land, "cores": cores}, tmp_path / "o",
               nearest=1)  # fmt: skip
    table = pd.read_csv(tmp_path / "o" / done.tables["distances"])
    assert table["crosses_core"].tolist() == [False, True, False]
    assert table["kept"].tolist() == [True, False, True]


def test_what_if_a_wall_opens_or_closes(tmp_path):
    land = asc(tmp_path / "h.asc", [[1, 10, 1]])
    (tmp_path / "p.txt").write_text("1 5 5\n2 25 5\n")
    given = {"resistance": land, "nodes": tmp_path / "p.txt"}
    opened = asc(tmp_path / "o.asc", [[-9999, 1, -9999]])
    done = run("connectivity.what-if", {**given, "change": opened}, tmp_path / "o")
    assert done.values["resistance_before"].value == pytest.approx(11)
    assert done.values["resistance_after"].value == pytest.approx(2)
    assert done.values["cells_changed"].value == 1
    closed = asc(tmp_path / "c.asc", [[-9999, 0, -9999]])
    done = run("connectivity.what-if", {**given, "change": closed}, tmp_path / "o")
    assert done.values["joined"].value == -1
    assert done.values["resistance_change"].value is None
    wrong = asc(tmp_path / "w.asc", [[-9999, -1, -9999]])
    with pytest.raises(InputRefused) as error:
        run("connectivity.what-if", {**given, "change": wrong}, tmp_path / "o")
    assert code_of(error.value) == "what-if-negative"
    with pytest.raises(UsageError):
        run("connectivity.what-if", given, tmp_path / "o")


def test_what_if_over_draws_with_a_margin(tmp_path):
    rng = np.random.default_rng(3)
    given = {
        "resistance": asc(tmp_path / "h.asc", rng.uniform(1, 50, (14, 15))),
        "change": asc(tmp_path / "c.asc", [[0 if 3 < x < 12 and y == 7 else -9999
                                            for x in range(15)] for y in range(14)]),
        "nodes": tmp_path / "p.txt",
    }  # fmt: skip
    (tmp_path / "p.txt").write_text("1 75 5\n2 75 135\n3 5 135\n")
    done = run("connectivity.what-if", given, tmp_path / "o", draws=8, margin=0.3)
    value = done.values["resistance_change"]
    assert 0 < value.low < value.high
    frame = pd.read_csv(tmp_path / "o/tables/pairs.csv")
    assert (frame["change_low"] <= frame["change_high"]).all()
    again = run("connectivity.what-if", given, tmp_path / "a", draws=8, margin=0.3)
    assert again.values == done.values
    assert "connectivity-margin" in [f["code"] for f in done.findings]


def test_kernels_over_draws_with_a_margin(tmp_path):
    rng = np.random.default_rng(3)
    asc(tmp_path / "h.asc", rng.uniform(1, 9, (12, 11)))
    (tmp_path / "p.txt").write_text("1 5 5\n2 75 95\n")
    given = {"resistance": tmp_path / "h.asc", "nodes": tmp_path / "p.txt"}
    plain = run("connectivity.kernels", given, tmp_path / "plain", threshold=200)
    done = run("connectivity.kernels", given, tmp_path / "o", threshold=200, draws=6, margin=0.3)
    before, shown = (read(tmp_path / f / "rasters/kernel.tif") for f in ("plain", "o"))
    # Ways round beyond the edge are found as well: nothing gets further away.
    assert (shown >= before - 1e-12).all() and shown.sum() > before.sum()
    value = done.values["reached"]
    assert value.low <= value.high and value.level == 0.9
    assert {"kernels-no-margin", "connectivity-not-drawn"} <= {f["code"] for f in plain.findings}
    assert np.nanmax(read(tmp_path / "o/rasters/kernel_cv.tif")) > 0


@pytest.mark.parametrize("average", ["resistance", "conductance"])
def test_what_if_gives_the_same_either_way_and_says_which(average, tmp_path):
    rng = np.random.default_rng(3)
    land, change = rng.uniform(1, 50, (14, 15)), np.full((14, 15), -9999.0)
    land[5, 2:9] = -9999
    # A road closes cells, a corridor opens some, others get easier.
    change[9, 1:14], change[5, 3:6], change[1:4, 10:14] = 0, 2, 1
    given = {
        "resistance": asc(tmp_path / "h.asc", land), "change": asc(tmp_path / "c.asc", change),
        "nodes": tmp_path / "p.txt",
    }  # fmt: skip
    (tmp_path / "p.txt").write_text("1 5 5\n2 145 135\n3 5 135\n4 75 5\n")
    found = {}
    for way in ("update", "factor"):
        done = run("connectivity.what-if", given, tmp_path / way, way=way, average=average)
        assert f"what-if-way-{way}" in [f["code"] for f in done.findings]
        found[way] = (
            pd.read_csv(tmp_path / way / "tables/pairs.csv"),
            read(tmp_path / way / "rasters/current_change.tif"),
        )
        assert done.values["cells_changed"].value == 13 + 3 + 12
    np.testing.assert_allclose(found["update"][0], found["factor"][0], rtol=1e-9)
    np.testing.assert_allclose(found["update"][1], found["factor"][1], atol=1e-9)


def test_what_if_links_change(tmp_path):
    nodes = write_patches(tmp_path, "1 1\n2 2\n3 3\n")
    for name, text in (("l", "1 2 1000\n"), ("a", "2 3 1000\n"), ("r", "1 2 1\n")):
        (tmp_path / f"{name}.txt").write_text(text)
    done = run(
        "connectivity.what-if",
        {"nodes": nodes, "links": tmp_path / "l.txt", "added": tmp_path / "a.txt",
         "removed": tmp_path / "r.txt"},
        tmp_path / "o", d0=1000,
    )  # fmt: skip
    assert done.values["eca_before"].value == pytest.approx(np.sqrt(14 + 2))
    assert done.values["eca_after"].value == pytest.approx(np.sqrt(14 + 6))


def window_run(folder: Path, **options: object) -> Path:
    rng = np.random.default_rng(4)
    land = rng.uniform(1, 9, (24, 27))
    land[3, 4] = -9999
    asc(folder / "r.asc", land)
    asc(folder / "s.asc", rng.random((24, 27)))
    base = {
        "resistance_file": "r.asc", "source_file": "s.asc", "radius": 4, "block_size": 3,
        "calc_normalized_current": True,
    }  # fmt: skip
    path = folder / "w.ini"
    path.write_text("\n".join(f"{k} = {v}" for k, v in {**base, **options}.items()))
    return path


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as data:
        return data.read(1)


def test_a_killed_window_run_goes_on_where_it_was(tmp_path, monkeypatch):
    given = {"config": window_run(tmp_path)}
    whole = run("connectivity.moving-window", given, tmp_path / "whole", tile=200)
    solved = []
    plain = connectivity_window.sweep

    def dies(*args: object, **named: object):
        if len(solved) == 4:
            raise KeyboardInterrupt
        solved.append(1)
        return plain(*args, **named)

    monkeypatch.setattr(connectivity_window, "sweep", dies)
    with pytest.raises(KeyboardInterrupt):
        run("connectivity.moving-window", given, tmp_path / "o", tile=9)
    assert not (tmp_path / "o" / "result.json").exists()
    kept = len(list((tmp_path / "o").glob(".window-*/*[0-9].npz")))
    assert kept == 4
    again = []
    monkeypatch.setattr(
        connectivity_window, "sweep", lambda *a, **k: again.append(1) or plain(*a, **k)
    )
    done = run("connectivity.moving-window", given, tmp_path / "o", tile=9)
    assert len(again) == 9 - kept
    assert not list((tmp_path / "o").glob(".window-*"))
    for name in ("cum_currmap", "flow_potential", "normalized_cum_currmap"):
        known, found = (
            read(tmp_path / "whole" / f"{name}.tif"),
            read(tmp_path / "o" / f"{name}.tif"),
        )
        np.testing.assert_allclose(found, known, rtol=1e-9)
        assert found[3, 4] == -9999
    assert done.values["targets"].value == whole.values["targets"].value
    assert json.loads((tmp_path / "o" / "result.json").read_text())["rasters"]["cum_currmap"]


def test_windows_over_draws_with_a_margin_go_on_after_a_kill(tmp_path, monkeypatch):
    given = {"config": window_run(tmp_path)}
    plain = run("connectivity.moving-window", given, tmp_path / "plain")
    asked = {"draws": 3, "margin": 0.2, "spread": 4}
    whole = run("connectivity.moving-window", given, tmp_path / "whole", **asked)
    assert whole.values["targets"].value == plain.values["targets"].value
    sweeps = connectivity_window.sweep
    solved = []

    def dies(*args: object, **named: object):
        if len(solved) == 2:
            raise KeyboardInterrupt
        solved.append(1)
        return sweeps(*args, **named)

    monkeypatch.setattr(connectivity_window, "sweep", dies)
    with pytest.raises(KeyboardInterrupt):
        run("connectivity.moving-window", given, tmp_path / "o", **asked)
    monkeypatch.setattr(
        connectivity_window, "sweep", lambda *a, **k: solved.append(1) or sweeps(*a, **k)
    )
    done = run("connectivity.moving-window", given, tmp_path / "o", **asked)
    assert len(solved) == 4
    assert done.values == whole.values
    value = done.values["current_sum"]
    assert value.low < value.high
    shown = read(tmp_path / "o" / "cum_currmap.tif")
    assert shown.shape == (24, 27)
    # More sources lie around: more flows; and nothing that has no habitat is shown.
    assert shown.sum() > read(tmp_path / "plain" / "cum_currmap.tif").sum()
    assert read(tmp_path / "o" / "current_cv.tif")[3, 4] == -9999


def test_a_cluster_gives_what_threads_give(tmp_path):
    distributed = pytest.importorskip("distributed")
    from ecotone.assess.executor import Cluster

    config = [window_run(tmp_path)]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0"
    ) as local:  # fmt: skip
        cluster = Cluster(local.scheduler_address)
        for name, executor in (("threads", Threads(2)), ("cluster", cluster)):
            compute(
                "connectivity.moving-window", {"config": config}, {"tile": 9}, tmp_path / name,
                executor=executor,
            )  # fmt: skip
        cluster.close()
    for name in ("cum_currmap.tif", "normalized_cum_currmap.tif"):
        known, found = read(tmp_path / "threads" / name), read(tmp_path / "cluster" / name)
        np.testing.assert_allclose(found, known, rtol=1e-9)


def test_window_runs_that_cannot_be(tmp_path):
    given = {"config": window_run(tmp_path, source_threshold=5)}
    with pytest.raises(InputRefused) as error:
        run("connectivity.moving-window", given, tmp_path / "o")
    assert code_of(error.value) == "window-no-target"
    given = {"config": window_run(tmp_path)}
    asc(tmp_path / "r.asc", np.zeros((24, 27)))
    with pytest.raises(InputRefused) as error:
        run("connectivity.moving-window", given, tmp_path / "o")
    assert code_of(error.value) == "circuit-resistance-not-positive"


def test_corridors_over_uncertain_resistances(tmp_path):
    land = np.ones((9, 30))
    land[:, 10:13] = 2
    land[:4, 10:13] = 3
    cores = np.zeros((9, 30))
    cores[0:2, :2], cores[0:2, 28:], cores[7:, 28:] = 1, 2, 3
    classes = tmp_path / "classes.csv"
    classes.write_text("class,resistance,low,high\n1,1,1,1\n2,10,5,20\n3,100,50,200\n")
    given = {
        "resistance": tif(tmp_path / "r.tif", land, "EPSG:32643"),
        "cores": tif(tmp_path / "c.tif", cores, "EPSG:32643"),
        "classes": classes,
    }
    done = run("connectivity.corridors", given, tmp_path / "o", draws=30, d0=500)
    again = run("connectivity.corridors", given, tmp_path / "o2", draws=30, d0=500)
    table = pd.read_csv(tmp_path / "o" / done.tables["stability"])
    pd.testing.assert_frame_equal(table, pd.read_csv(tmp_path / "o2" / again.tables["stability"]))
    # The two eastern cores lie in sure ground: their corridor is always the cheapest.
    assert table[["from", "to", "rank", "cv"]].iloc[0].tolist() == pytest.approx([2, 3, 1, 0])
    assert (table["low_m"] <= table["mean_m"]).all()
    assert 0 < done.values["rank_agreement"].value <= 1
    told = {f["code"] for f in done.findings}
    assert {"connectivity-drawn-told", "corridors-no-margin"} <= told
    gains = pd.read_csv(tmp_path / "o" / done.tables["distances"])["dECA"]
    assert (gains.dropna() >= 0).all()
    plain = {k: v for k, v in given.items() if k != "classes"}
    other = run("connectivity.corridors", plain, tmp_path / "o3", draws=3, margin=0.2)
    assert other.tables["stability"]
    told = {f["code"] for f in other.findings}
    assert {"connectivity-drawn", "connectivity-margin"} <= told
    for text in ("1,1,1,1\n2,10,50,20\n", "1,1,1\n", "x\n", "1,1,1,1\n1,1,1,1\n"):
        classes.write_text(text)
        with pytest.raises(InputRefused) as error:
            run("connectivity.corridors", given, tmp_path / "o4")
        assert code_of(error.value) == "corridor-ranges"
    classes.write_text("1,1,1,1\n2,10,5,20\n")
    with pytest.raises(InputRefused) as error:
        run("connectivity.corridors", given, tmp_path / "o4")
    assert code_of(error.value) == "corridor-class-unknown"


def test_habitat_values_are_reclassified(tmp_path):
    (tmp_path / "t.txt").write_text("1 5\n5 1\n")
    done = circuit(
        tmp_path, [[1, 5, 2]], "1 5 5\n2 25 5\n", use_reclass_table=True, reclass_file="t.txt",
        connect_using_avg_resistances=True,
    )  # fmt: skip
    # 5, 1, 2: each pair of neighbours in the mean of its resistances, old 1 not made 1 again.
    assert done.values["mean_resistance"].value == pytest.approx(3.0 + 1.5)


@pytest.mark.parametrize("scenario", ["pairwise", "one-to-all", "all-to-one"])
def test_focal_nodes_may_be_left_without_current(tmp_path, scenario):
    points = "1 5 5\n2 25 5\n3 45 5\n3 45 15\n"
    grid = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]
    options = {"write_max_cur_maps": True, "scenario": scenario}
    for name in ("with", "bare"):
        (tmp_path / name).mkdir()
    circuit(tmp_path / "with", grid, points, **options)
    circuit(tmp_path / "bare", grid, points, set_focal_node_currents_to_zero=True, **options)
    maps = {}
    for folder in ("with", "bare"):
        for path in (tmp_path / folder / "out").glob("name_*map*.asc"):
            maps[folder, path.name] = read(path)
    each = sorted(n for f, n in maps if f == "bare" and n.startswith("name_curmap"))
    cells = {1: [(1, 0)], 2: [(1, 2)], 3: [(1, 4), (0, 4)]}
    total = np.zeros((2, 5))
    for name in each:
        ends = [int(i) for i in name.removesuffix(".asc").split("_")[2:]]
        ends = [1, 2, 3] if len(ends) == 1 else ends
        known = maps["with", name].copy()
        for end in ends:
            for cell in cells[end]:
                known[cell] = 0
        assert maps["bare", name] == pytest.approx(known, abs=1e-6)
        total += known
    assert maps["bare", "name_cum_curmap.asc"] == pytest.approx(total, abs=1e-6)


def test_a_network_without_current_at_its_focal_nodes(tmp_path):
    (tmp_path / "n.txt").write_text("1 2 1\n2 3 1\n1 3 2\n3 4 1\n")
    (tmp_path / "p.txt").write_text("1\n3\n4\n")
    (tmp_path / "run.ini").write_text(
        "data_type = network\nscenario = pairwise\nhabitat_file = n.txt\npoint_file = p.txt\n"
        "output_file = x.out\nwrite_cur_maps = True\nset_focal_node_currents_to_zero = True\n"
    )
    run("connectivity.circuit", {"config": tmp_path / "run.ini"}, tmp_path / "o")
    one = dict(np.loadtxt(tmp_path / "o" / "x_node_currents_1_4.txt"))
    assert one[1] == one[4] == 0 and one[3] == pytest.approx(1)
    total = dict(np.loadtxt(tmp_path / "o" / "x_node_currents_cum.txt"))
    assert total[1] == pytest.approx(0) and total[3] == pytest.approx(1)


def test_links_betweenness_and_files_for_conefor(tmp_path):
    (tmp_path / "n.csv").write_text("id,area_ha\na,10\nb,1\nc,20\n")
    (tmp_path / "d.csv").write_text("from,to,distance\na,b,1000\nb,c,1000\n")
    given = {"nodes": tmp_path / "n.csv", "distances": tmp_path / "d.csv"}
    done = run("connectivity.patches", given, tmp_path / "o", d0=1000, link_deltas=True,
               conefor=True)  # fmt: skip
    deltas = pd.read_csv(tmp_path / "o" / done.tables["deltas"]).set_index("id")
    assert deltas["BC_PC"].tolist() == pytest.approx([0, 10 * 20 * 0.25, 0])
    assert deltas["BC_IIC"].tolist() == pytest.approx([0, 10 * 20 / 3, 0])
    links = pd.read_csv(tmp_path / "o" / done.tables["links"])
    whole = 100 + 1 + 400 + 2 * (10 * 0.5 + 20 * 0.5 + 200 * 0.25)
    assert links[["from", "to"]].to_numpy().tolist() == [["b", "c"], ["a", "b"]]
    assert links["dPC"].tolist() == pytest.approx([100 * 120 / whole, 100 * 110 / whole])
    # What Conefor gets comes back as the same index.
    back = {
        "nodes": tmp_path / "o/conefor_nodes.txt",
        "distances": tmp_path / "o/conefor_links.txt",
    }
    again = run("connectivity.patches", back, tmp_path / "p", d0=1000, links="probability")
    assert again.values["eca"].value == pytest.approx(done.values["eca"].value, rel=1e-12)


def test_what_a_run_takes_is_told_before_it_begins(tmp_path, monkeypatch):
    asc(tmp_path / "h.asc", np.ones((6, 6)))
    (tmp_path / "p.txt").write_text("1 5 5\n2 55 55\n")
    told = []
    monkeypatch.setattr(
        "ecotone.assess.indicators.connectivity_runs.pairwise",
        lambda *args, **options: pytest.fail("begun") if not told else (_ for _ in ()).throw(
            KeyboardInterrupt
        ),
    )  # fmt: skip
    given = {"resistance": [tmp_path / "h.asc"], "nodes": [tmp_path / "p.txt"]}
    with pytest.raises(KeyboardInterrupt):
        compute("connectivity.circuit", given, {}, tmp_path / "o", tell=told.append)
    assert [finding.code for finding in told] == ["circuit-memory"]
    assert "GB" in told[0].message("en") and "minutes" in told[0].message("en")


def test_a_killed_circuit_run_goes_on_where_it_stood(tmp_path, monkeypatch):
    from ecotone.science.connectivity import solver

    rng = np.random.default_rng(1)
    asc(tmp_path / "h.asc", rng.uniform(1, 5, (12, 12)))
    cells = rng.choice(144, 20, replace=False)
    lines = (f"{n} {c % 12 * 10 + 5} {c // 12 * 10 + 5}\n" for n, c in enumerate(cells, 1))
    (tmp_path / "p.txt").write_text("".join(lines))
    given = {"resistance": tmp_path / "h.asc", "nodes": tmp_path / "p.txt"}
    whole = run("connectivity.circuit", given, tmp_path / "whole")
    monkeypatch.setattr(solver, "ThreadPoolExecutor", OneByOne)
    columns = solver.Grounded.columns
    solves: list[int] = []

    def counted(self, current):
        if len(solves) == 2 and "out" not in state:
            raise KeyboardInterrupt
        solves.append(current.shape[1])
        return columns(self, current)

    state: dict[str, bool] = {}
    monkeypatch.setattr(solver.Grounded, "columns", counted)
    with pytest.raises(KeyboardInterrupt):
        run("connectivity.circuit", given, tmp_path / "o", keep_after=1e-9)
    assert len(list((tmp_path / "o").glob(".circuit-*/*.npz"))) == 2
    state["out"] = True
    solves.clear()
    done = run("connectivity.circuit", given, tmp_path / "o", keep_after=1e-9)
    assert solves == [4]
    assert done.values == whole.values
    assert not list((tmp_path / "o").glob(".circuit-*"))


class OneByOne:
    """An executor that works in the thread it is called from."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __enter__(self) -> OneByOne:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def map(self, function, items):
        return map(function, items)


def test_a_solver_by_name(tmp_path):
    asc(tmp_path / "h.asc", np.ones((4, 4)))
    (tmp_path / "p.txt").write_text("1 5 5\n2 35 35\n")
    given = {"resistance": tmp_path / "h.asc", "nodes": tmp_path / "p.txt"}
    found = {
        name: run("connectivity.circuit", given, tmp_path / name, solver=name).values
        for name in ("superlu", "amg")
    }
    assert found["amg"]["mean_resistance"].value == pytest.approx(
        found["superlu"]["mean_resistance"].value, rel=1e-9
    )


def test_a_solver_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "ecotone.assess.indicators.connectivity_cost.direct_solvers", lambda: {"superlu": None}
    )
    asc(tmp_path / "h.asc", np.ones((4, 4)))
    given = {"resistance": tmp_path / "h.asc", "nodes": tmp_path / "h.asc"}
    with pytest.raises(UsageError, match="cholmod"):
        run("connectivity.circuit", given, tmp_path / "o", solver="cholmod")
