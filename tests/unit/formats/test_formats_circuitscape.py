"""Circuitscape's and Omniscape's INI, ASCII grids, lists and pairs, read and refused by name."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from ecotone.formats.asciigrid import parse_grid, read_raster, write_grid
from ecotone.formats.base import Refused
from ecotone.formats.circuitscape import read_config, read_pairs, read_table
from ecotone.formats.omniscape import read_reclass, read_window_config, reclassified

GRID = "ncols 3\nnrows 2\nxllcorner 10\nyllcorner 20\ncellsize 5\nNODATA_value -9999\n"


def ini(folder: Path, **options: object) -> Path:
    """An INI that runs, with some options changed, and files for it."""
    for name in ("habitat.asc", "points.txt", "source.asc", "ground.asc", "pairs.txt"):
        (folder / name).write_text("1 1 1\n")
    base = {
        "data_type": "raster",
        "scenario": "pairwise",
        "habitat_file": "habitat.asc",
        "point_file": "points.txt",
        "output_file": "C:\\runs\\one.out",
    }
    lines = [f"{k} = {v}" for k, v in {**base, **options}.items()]
    path = folder / "run.ini"
    path.write_text("[a section]\n# a remark\n\n" + "\n".join(lines), encoding="utf-8-sig")
    return path


def code_of(error: pytest.ExceptionInfo[Refused]) -> tuple[str, str | None]:
    return error.value.finding.code, error.value.finding.field


def test_options_defaults_and_base_name(tmp_path):
    config, findings = read_config(
        ini(tmp_path, connect_four_neighbors_only="TRUE", polygon_file="(Browse for a file)")
    )
    assert config.base == "one"
    assert config.four
    assert config.habitat_is_resistance
    assert not config.mean_resistance
    assert config.polygons is None
    assert config.points == tmp_path / "points.txt"
    assert not findings


def test_a_base_name_that_is_not_set_is_the_inis(tmp_path):
    assert read_config(ini(tmp_path, output_file="(Choose a name)"))[0].base == "run"
    assert read_config(ini(tmp_path, output_file="x/y"))[0].base == "y"


@pytest.mark.parametrize(
    ("options", "code", "field"),
    [
        ({"use_reclass_table": "True"}, "circuit-file-unset", "reclass_file"),
        ({"scenario": "all-at-once"}, "circuit-option-refused", "scenario"),
        ({"scenario": "one-to-all", "data_type": "network"}, "circuit-option-refused", "scenario"),
        ({"data_type": "vector"}, "circuit-option-refused", "data_type"),
        ({"remove_src_or_gnd": "both"}, "circuit-option-refused", "remove_src_or_gnd"),
        ({"write_cur_maps": "perhaps"}, "circuit-option-refused", "write_cur_maps"),
        ({"use_polygons": "True"}, "circuit-file-unset", "polygon_file"),
        ({"habitat_file": "(Browse)"}, "circuit-file-unset", "habitat_file"),
        ({"habitat_file": "elsewhere.asc"}, "circuit-file-absent", "habitat_file"),
        ({"use_mask": "True", "mask_file": "m.asc"}, "circuit-file-absent", "mask_file"),
        ({"scenario": "advanced"}, "circuit-file-unset", "source_file"),
    ],
)
def test_options_are_refused_by_name(options, code, field, tmp_path):
    with pytest.raises(Refused) as error:
        read_config(ini(tmp_path, **options))
    assert code_of(error) == (code, field)


def test_unknown_options_and_solvers_are_told(tmp_path):
    _, findings = read_config(ini(tmp_path, solver="abacus", colour="red", version=5))
    assert {(f.code, f.field) for f in findings} == {
        ("circuit-solver-unknown", "solver"),
        ("circuit-option-unknown", "colour"),
        ("circuit-options-idle", None),
    }
    for finding in findings:
        assert finding.message("zh")


#: Every option of Circuitscape 4 and 5, and what becomes of it: a value that is honoured and
#: the field of the run that tells, or whether it is idle (told) since it changes no number.
HONOURED = {
    "connect_four_neighbors_only": ("True", "four", True),
    "connect_using_avg_resistances": ("True", "mean_resistance", True),
    "use_polygons": ("True", "polygons", "pairs.txt"),
    "use_mask": ("True", "mask", "pairs.txt"),
    "use_included_pairs": ("True", "included_pairs", "pairs.txt"),
    "use_reclass_table": ("True", "reclass", "pairs.txt"),
    "use_variable_source_strengths": ("True", "strengths", "pairs.txt"),
    "ground_file_is_resistances": ("False", "grounds_are_resistances", False),
    "use_unit_currents": ("1", "unit_currents", True),
    "use_direct_grounds": ("true", "direct_grounds", True),
    "remove_src_or_gnd": ("rmvall", "policy", "rmvall"),
    "set_null_currents_to_nodata": ("True", "null_currents", True),
    "set_null_voltages_to_nodata": ("True", "null_voltages", True),
    "set_focal_node_currents_to_zero": ("True", "bare_focal", True),
    "write_cum_cur_map_only": ("True", "cumulative_only", True),
    "write_max_cur_maps": ("True", "write_maximum", True),
    "write_volt_maps": ("True", "write_voltages", True),
    "write_cur_maps": ("True", "write_currents", True),
    "log_transform_maps": ("True", "log_transform", True),
    "compress_grids": ("True", "compress", True),
    "write_as_tif": ("True", "as_tif", True),
    "habitat_map_is_resistances": ("False", "habitat_is_resistance", False),
    "solver": ("cholfact", "solver", "cholmod"),
    "scenario": ("all_to_one", "scenario", "all-to-one"),
    "data_type": ("network", "data_type", "network"),
    "output_file": ("a/b.out", "base", "b"),
    "habitat_file": ("source.asc", "habitat", "source.asc"),
    "point_file": ("ground.asc", "points", "ground.asc"),
}
#: Files that count where their switch is on.
SWITCHED = {
    "polygon_file", "mask_file", "included_pairs_file", "reclass_file", "variable_source_file",
}  # fmt: skip
ADVANCED = {"source_file", "ground_file"}
IDLE = {
    "version", "preemptive_memory_release", "low_memory_mode", "parallelize", "max_parallel",
    "print_timings", "print_rusages", "profiler_log_file", "log_file", "log_level",
    "screenprint_log", "precision", "cholmod_batch_size", "use_64bit_indexing",
    "suppress_messages", "point_file_contains_polygons",
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(HONOURED))
def test_every_option_of_circuitscape_is_honoured(key, tmp_path):
    value, field, wanted = HONOURED[key]
    more = {"scenario": "one-to-all"} if field == "strengths" else {}
    files = dict.fromkeys(SWITCHED, "pairs.txt") if key.startswith("use_") else {}
    config, findings = read_config(ini(tmp_path, **{**more, **files, key: value}))
    found = getattr(config, field)
    assert (found.name if isinstance(found, Path) else found) == wanted
    assert not findings


def test_every_other_option_is_told_to_be_idle(tmp_path):
    _, findings = read_config(ini(tmp_path, **dict.fromkeys(IDLE, "1")))
    assert [(f.code, f.severity) for f in findings] == [("circuit-options-idle", "info")]
    assert set(dict(findings[0].params)["options"].split(", ")) == IDLE
    given = dict.fromkeys(ADVANCED, "source.asc")
    advanced, _ = read_config(ini(tmp_path, scenario="advanced", **given))
    assert advanced.sources == advanced.grounds == tmp_path / "source.asc"


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("write_cur_map", "write_cur_maps"), ("use_polygon", "use_polygons"), ("solvr", "solver")],
)
def test_a_misspelt_option_is_told_with_the_nearest(wrong, near, tmp_path):
    _, findings = read_config(ini(tmp_path, **{wrong: "True"}))
    assert [(f.code, f.field, dict(f.params)["near"]) for f in findings] == [
        ("circuit-option-misspelt", wrong, near)
    ]


def test_an_option_that_is_lacking_is_named_with_what_may_be_meant(tmp_path):
    path = ini(tmp_path)
    path.write_text(path.read_text("utf-8-sig").replace("scenario", "scenaro"))
    with pytest.raises(Refused) as error:
        read_config(path)
    assert code_of(error) == ("circuit-option-absent-near", "scenario")
    assert error.value.finding.value == "scenaro"
    path.write_text("habitat_file = habitat.asc")
    with pytest.raises(Refused) as error:
        read_config(path)
    assert code_of(error) == ("circuit-option-absent", "scenario")


@pytest.mark.parametrize(
    "path", ["C:\\Users\\li\\Habitat.ASC", "/home/li/habitat.asc", "x/HABITAT.asc"]
)
def test_a_path_of_another_machine_is_sought_beside_the_ini(path, tmp_path):
    config, findings = read_config(ini(tmp_path, habitat_file=path))
    assert config.habitat == tmp_path / "habitat.asc"
    assert [f.code for f in findings] == ["circuit-file-beside"]


@pytest.mark.parametrize(("coding", "name"), [("cp1251", "Барьеры.asc"), ("gbk", "阻力.asc")])
def test_an_ini_in_a_local_coding(coding, name, tmp_path):
    path = ini(tmp_path, habitat_file=name)
    (tmp_path / name).write_text("1 1 1\n")
    path.write_bytes(path.read_text("utf-8-sig").encode(coding))
    config, findings = read_config(path)
    assert config.habitat.name == name
    assert [(f.code, f.value) for f in findings] == [("circuit-file-beside", name)]


def test_an_ini_from_notepad(tmp_path):
    path = ini(tmp_path)
    path.write_bytes(path.read_text("utf-8-sig").replace("\n", "\r\n").encode("utf-16"))
    assert read_config(path)[0].base == "one"


def test_a_line_that_is_no_option_is_refused(tmp_path):
    path = ini(tmp_path)
    path.write_text(path.read_text() + "\nthis is not an option\n")
    with pytest.raises(Refused) as error:
        read_config(path)
    assert error.value.finding.code == "circuit-ini-line"


@pytest.mark.parametrize("ending", [".asc", ".asc.gz"])
def test_grids_there_and_back(ending, tmp_path):
    values = np.array([[1.5, np.nan, 3], [4, 1e-7, 6]])
    path = tmp_path / f"grid{ending}"
    write_grid(path, values, Affine(5, 0, 10, 0, -5, 30))
    if ending.endswith("gz"):
        assert gzip.decompress(path.read_bytes()).startswith(b"ncols 3")
    back = read_raster(path)
    np.testing.assert_array_equal(back.values, values)
    assert back.transform == Affine(5, 0, 10, 0, -5, 30)
    assert back.crs is None
    assert back.cell == 5


def test_headers_in_other_words():
    text = "NROWS 1\nNCOLS 2\nXLLCENTER 2.5\nYLLCENTER 2.5\nDX 5\nDY 5\n1,5\t-9999\n"
    grid = parse_grid(text, "g.asc")
    assert grid.transform == Affine(5, 0, 0, 0, -5, 5)
    assert grid.values[0, 0] == 1.5
    assert np.isnan(grid.values[0, 1])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 2 3\n", "grid-header"),
        ("ncols 3\nnrows 2\n1 2 3 4 5 6\n", "grid-header"),
        ("ncols three\n", "grid-header"),
        (GRID.replace("cellsize 5", "cellsize 0") + "1 2 3 4 5 6", "grid-header"),
        (GRID + "1 2 3 4 5", "grid-size"),
        (GRID + "1 2 3 4 5 x", "grid-number"),
    ],
)
def test_grids_that_are_none(text, code):
    with pytest.raises(Refused) as error:
        parse_grid(text, "g.asc")
    assert error.value.finding.code == code


def test_rasters_by_gdal_and_their_alignment(tmp_path):
    path = tmp_path / "r.tif"
    profile = {"driver": "GTiff", "width": 3, "height": 2, "count": 1, "dtype": "float32"}
    with rasterio.open(
        path, "w", nodata=-1, transform=Affine(5, 0, 10, 0, -5, 30), **profile
    ) as out:
        out.write(np.array([[1, -1, 3], [4, 5, 6]], dtype=np.float32), 1)
    raster = read_raster(path)
    assert np.isnan(raster.values[0, 1])
    assert raster.aligned(parse_grid(GRID + "1 2 3 4 5 6", "g.asc"))
    assert not raster.aligned(parse_grid(GRID.replace("10", "12") + "1 2 3 4 5 6", "g.asc"))
    assert not raster.aligned(parse_grid(GRID.replace("ncols 3", "ncols 1") + "1 2", "g.asc"))
    (tmp_path / "no.tif").write_text("nothing")
    with pytest.raises(Refused):
        read_raster(tmp_path / "no.tif")


def test_rasters_that_stand_on_their_head_are_turned(tmp_path):
    values = np.array([[1.0, 2, 3], [4, 5, 6]])
    profile = {"driver": "GTiff", "width": 3, "height": 2, "count": 1, "dtype": "float64"}
    known = parse_grid(GRID + "1 2 3 4 5 6", "g.asc")
    for name, shown, transform in (
        ("south.tif", values[::-1], Affine(5, 0, 10, 0, 5, 20)),
        ("west.tif", values[:, ::-1], Affine(-5, 0, 25, 0, -5, 30)),
    ):
        with rasterio.open(tmp_path / name, "w", transform=transform, **profile) as out:
            out.write(shown, 1)
        raster = read_raster(tmp_path / name)
        np.testing.assert_array_equal(raster.values, values)
        assert raster.aligned(known)
    with rasterio.open(tmp_path / "scaled.tif", "w", transform=known.transform, **profile) as out:
        out.write(values, 1)
        out.scales, out.offsets = (0.5,), (1.0,)
    np.testing.assert_array_equal(read_raster(tmp_path / "scaled.tif").values, values / 2 + 1)


def test_rasters_that_are_no_map_of_values(tmp_path):
    profile = {"driver": "GTiff", "width": 2, "height": 1, "dtype": "float64"}
    for name, count, transform, value, code in (
        ("bands.tif", 3, Affine(5, 0, 0, 0, -5, 5), 1.0, "grid-bands"),
        ("turned.tif", 1, Affine(5, 1, 0, 1, -5, 5), 1.0, "grid-turned"),
        ("nodata.tif", 1, Affine(5, 0, 0, 0, -5, 5), np.finfo(np.float32).max, "grid-nodata"),
    ):
        with rasterio.open(
            tmp_path / name, "w", count=count, transform=transform, **profile
        ) as out:
            out.write(np.full((count, 1, 2), value))
        with pytest.raises(Refused) as error:
            read_raster(tmp_path / name)
        assert error.value.finding.code == code
    with pytest.raises(Refused) as error:
        parse_grid(GRID + "1 2 3 4 5 -3.4028235e38", "g.asc")
    assert error.value.finding.code == "grid-nodata"


def test_lists_of_numbers(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("1\t2, 5 9\n\n3 4 5 6\n")
    assert read_table(path, 2).tolist() == [[1, 2], [3, 4]]
    for text, code in (
        ("1\n", "circuit-list-columns"),
        ("1 x\n", "grid-number"),
        ("1 2,5 9", "circuit-list-comma"),
    ):
        path.write_text(text)
        with pytest.raises(Refused) as error:
            read_table(path, 2)
        assert error.value.finding.code == code


def test_pairs_as_a_list_and_as_a_matrix(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("mode include\n2 1\n3 0\n")
    include = read_pairs(path)
    assert include.ids == {1, 2, 3}
    assert include.excluded([1, 2, 3]) == {(1, 3), (2, 3)}
    path.write_text("mode\texclude\n2 1\n")
    assert read_pairs(path).excluded([1, 2, 3]) == {(1, 2)}
    path.write_text("min 2\nmax 5\n0 1 2 3\n1 0 3 9\n2 3 0 1\n3 9 1 0\n")
    matrix = read_pairs(path)
    assert matrix.mode == "include"
    assert matrix.excluded([1, 2, 3]) == {(1, 3), (2, 3)}
    for text in ("", "1 2\n", "mode perhaps\n1 2\n", "min 1\nmax\n1 2\n"):
        path.write_text(text)
        with pytest.raises(Refused) as error:
            read_pairs(path)
        assert error.value.finding.code == "circuit-pairs"


def window_ini(folder: Path, **options: object) -> Path:
    for name in ("r.asc", "s.asc", "c.asc", "f.asc"):
        (folder / name).write_text("1\n")
    base = {"resistance_file": "r.asc", "source_file": "s.asc", "radius": 5}
    path = folder / "w.ini"
    path.write_text("\n".join(f"{k} = {v}" for k, v in {**base, **options}.items()))
    return path


def test_moving_window_options(tmp_path):
    config, findings = read_window_config(
        window_ini(
            tmp_path, block_size=2, solver="abacus", reclass_table="no.txt", project_name="x",
            parallelize="true", hue="red", r_cutoff=4,
        )
    )  # fmt: skip
    assert (config.block, config.radius, config.r_cutoff) == (3, 5, 4.0)
    assert config.correct
    assert config.mask
    assert not config.conditions
    assert {f.code for f in findings} == {
        "window-block-even",
        "circuit-solver-unknown",
        "window-file-unused",
        "circuit-option-unknown",
        "circuit-options-idle",
    }


def test_moving_window_conditions(tmp_path):
    config, _ = read_window_config(
        window_ini(
            tmp_path, conditional="true", n_conditions=2, compare_to_future="2",
            condition1_file="c.asc", comparison1="equal", condition2_file="c.asc",
            condition2_future_file="f.asc", condition2_lower=-1, condition2_upper=2,
        )
    )  # fmt: skip
    one, two = config.conditions
    assert one.comparison == "equal"
    assert one.future == one.present
    assert two.future.name == "f.asc"
    assert (two.low, two.high) == (-1, 2)
    assert config.r_cutoff == float("inf")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"radius": "wide"}, "radius"),
        ({"radius": 0}, "radius"),
        ({"block_size": 0}, "block_size"),
        ({"buffer": -1}, "buffer"),
        ({"conditional": "true", "n_conditions": 3}, "n_conditions"),
        ({"conditional": "true", "condition1_file": "c.asc", "comparison1": "near"}, "comparison1"),
    ],
)
def test_moving_window_refusals(options, field, tmp_path):
    with pytest.raises(Refused) as error:
        read_window_config(window_ini(tmp_path, **options))
    assert code_of(error) == ("circuit-option-refused", field)


def test_reclassification(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text('1\t3\n3\t5\n5 "missing"\n')
    found = reclassified(np.array([1.0, 3, 5, 7]), read_reclass(path))
    np.testing.assert_array_equal(found, [3, 5, np.nan, 7])
    path.write_text("1 2 3\n")
    with pytest.raises(Refused):
        read_reclass(path)


#: Every option of Omniscape that counts, with a value and the field of the run that tells.
WINDOW = {
    "resistance_file": ("f.asc", "resistance", "f.asc"),
    "resistance_is_conductance": ("true", "is_conductance", True),
    "resistance_file_is_conductance": ("true", "is_conductance", True),
    "source_file": ("f.asc", "source", "f.asc"),
    "source_from_resistance": ("true", "source", None),
    "source_threshold": ("2", "threshold", 2.0),
    "r_cutoff": ("7", "r_cutoff", 7.0),
    "radius": ("9", "radius", 9),
    "block_size": ("3", "block", 3),
    "buffer": ("2", "buffer", 2),
    "connect_four_neighbors_only": ("true", "four", True),
    "calc_flow_potential": ("true", "potential", True),
    "calc_normalized_current": ("true", "normalised", True),
    "correct_artifacts": ("false", "correct", False),
    "mask_nodata": ("false", "mask", False),
    "write_as_tif": ("false", "as_tif", False),
    "write_reclassified_resistance": ("true", "write_reclassified", True),
}
WINDOW_IDLE = {
    "parallelize", "parallel_batch_size", "project_name", "precision", "low_memory_mode",
    "suppress_messages", "allow_different_projections",
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(WINDOW))
def test_every_option_of_omniscape_is_honoured(key, tmp_path):
    value, field, wanted = WINDOW[key]
    config, findings = read_window_config(window_ini(tmp_path, **{key: value}))
    found = getattr(config, field)
    assert (found.name if isinstance(found, Path) else found) == wanted
    assert not [f for f in findings if f.code != "circuit-options-idle"]


def test_other_options_of_omniscape_are_told(tmp_path):
    _, findings = read_window_config(window_ini(tmp_path, **dict.fromkeys(WINDOW_IDLE, "1")))
    assert set(dict(findings[0].params)["options"].split(", ")) == WINDOW_IDLE
    _, findings = read_window_config(
        window_ini(tmp_path, solver="cholmod", write_raw_currmap="false")
    )
    assert [f.code for f in findings] == ["window-solver", "window-raw-written"]
