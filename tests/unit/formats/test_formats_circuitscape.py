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
    }
    for finding in findings:
        assert finding.message("zh")


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


def test_lists_of_numbers(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("1\t2,5 9\n\n3 4 5 6\n")
    assert read_table(path, 2).tolist() == [[1, 2], [3, 4]]
    for text, code in (("1\n", "circuit-list-columns"), ("1 x\n", "grid-number")):
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
