"""Circuitscape's verification cases beyond the shared ones: numbers quoted from its suite.

Their grids are those of other cases of the suite; options and answers are given here.
Circuitscape/Circuitscape.jl, test/output_verify, MIT-style licence.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.reference.test_reference_connectivity import compute, grid, table
from tests.support import shared

_FOUR = "connect_four_neighbors_only = True"
_MEAN = "connect_using_avg_resistances = True"
_CONDUCTANCES = "habitat_map_is_resistances = False"

#: Which pairs of sgVerify1's points count: those from 2 to 50.
_MATRIX = """min 2
max 50
0 1 2 3 4 5 6 8 9
1 0 2 6 70 8 9 10 1
2 2 0 1 1 130 140 150 100
3 6 1 0 90 9 9 9 1
4 70 1 90 0 90 90 90 1
5 8 130 9 90 0 9 9 9
6 9 140 9 90 9 0 9 9
8 10 150 9 90 9 9 0 9
9 1 1 1 100 9 9 9 9
"""

#: Case: whose grids, its options, the suffix of an answer and its first row or rows of numbers.
_CASES = {
    "sgVerify3": (
        "oneToAllVerify3/cellmap.asc points.asc polygons.asc",
        (_FOUR, _MEAN, _CONDUCTANCES, "scenario = pairwise"),
        "_resistances.out",
        "0 1 2 3  1 0 7 -1  2 7 0 -1  3 -1 -1 0",
    ),
    "sgVerify6": (
        "sgVerify5/cellmap5x5.asc points5x5_polys.txt",
        (_FOUR, _MEAN, "scenario = pairwise"),
        "_cum_curmap.asc",
        "5 4 0 0 0  2.75 0 0 0 0  4.25 0 0 1 0.4  3.5 0 0 0.6 0.6  3 0 0 0.4 4",
    ),
    "sgVerify9": (
        "allToOneVerify9/cellmap5x5.asc points5x5_polys.asc polygons5x5.asc",
        (_CONDUCTANCES, "scenario = pairwise"),
        "_resistances.out",
        "0 1 2 3 4 7  1 0 0.2434768717 0.3448848592 0.2990289659 0.332769972  "
        "2 0.2434768717 0 0.3021830397 0.3534051056 0.174033215",
    ),
    "sgVerify13": (
        "oneToAllVerify13/cellmap.asc points.asc mask.asc pairs",
        (_FOUR, _CONDUCTANCES, "scenario = pairwise"),
        "_resistances.out",
        "0 1 2 3 4 5 6 8 9  1 0 3.203197208 -1 -1 -1 -1 2.811118702 -1",
    ),
    "sgVerify13-map": (
        "oneToAllVerify13/cellmap.asc points.asc mask.asc pairs",
        (_FOUR, _CONDUCTANCES, "scenario = pairwise"),
        "_cum_curmap.asc",
        "2.044037243 1.209661117 1.209661316 1.24659036 0.9380350996 0 0 0 0.818918643 1.162821409",
    ),
    "oneToAllVerify4": (
        "sgVerify1/cellmap.asc points.asc",
        (_FOUR, _MEAN, "scenario = one-to-all"),
        "_resistances.out",
        "1 5.576428623  2 4.893334477  3 -1  4 1.095336669  5 1.792266488  6 -1  "
        "8 4.499677436  9 0.8651153595  11 -1  51 -1",
    ),
    "oneToAllVerify7": (
        "sgVerify7/cellmap5x5.asc points5x5.txt polygons5x5.asc",
        (_FOUR, _MEAN, "scenario = one-to-all"),
        "_resistances.out",
        "1 0.6666666667  2 0.5  3 0.6666666667  4 0.5  5 1  6 0.5833333333  7 1.4",
    ),
    "oneToAllVerify9": (
        "allToOneVerify9/cellmap5x5.asc points5x5_polys.asc polygons5x5.asc",
        (_CONDUCTANCES, "scenario = one-to-all"),
        "_resistances.out",
        "1 0.1818679246  2 0.1100515239  3 0.2198203856  4 0.2093656026  7 0.157864073",
    ),
    "oneToAllVerify12": (
        "oneToAllVerify13/cellmap.asc points.asc polygons.asc mask.asc pairs "
        "variable_source_list.txt",
        (_MEAN, "scenario = one-to-all"),
        "_resistances.out",
        "1 3.58390055  2 6.36104353  3 -1  4 -1  5 0.69244621  6 -1  8 4.11263775  9 0.84900906",
    ),
    "allToOneVerify2": (
        "oneToAllVerify2/cellmap.asc points.asc polygons.asc",
        (_FOUR, _MEAN, _CONDUCTANCES, "scenario = all-to-one"),
        "_cum_curmap.asc",
        "12 12 16 14 8  0 0 0 2 2",
    ),
    "allToOneVerify8": (
        "oneToAllVerify8/cellmap5x5.asc points5x5_polys.asc polygons5x5.asc",
        (_FOUR, _MEAN, "scenario = all-to-one"),
        "_cum_curmap.asc",
        "16 14 14 14 14  4.5 0 0 0 0  8.5 0 0 8 3.2  10 0 0 4.8 4.8  16 0 0 3.2 14",
    ),
    "allToOneVerify10": (
        "oneToAllVerify10/cellmap7.asc points_polys7.asc",
        (_MEAN, _CONDUCTANCES, "scenario = all-to-one"),
        "_cum_curmap.asc",
        "8.000000086 8.000000242 0 0.1256778595 0.1269632352  0 0 0 2.154795104 0.8850260862",
    ),
    "allToOneVerify12": (
        "oneToAllVerify13/cellmap.asc points.asc polygons.asc mask.asc pairs "
        "variable_source_list.txt",
        (_MEAN, "scenario = all-to-one"),
        "_cum_curmap.asc",
        "4.800000025 2.147602259 1.904224563 1.327915189 1.327915189 1.327915189 0 0 1.667172941 "
        "7.300000013",
    ),
    "mgVerify3": (
        "mgVerify4/cellmap10x10.asc sources10x10.asc grounds10x10.asc regions_grid.asc",
        ("ground_file_is_resistances = True", "scenario = advanced"),
        "_voltmap.asc",
        "15.53089567 15.53089566 15.53089566 0 6.920197776 5.878702823 4.341736393 2.839622696 "
        "1.177317298 0.4115840856  15.53089563 15.53089568 15.53089568 0 8.421016673 5.802302615 "
        "4.214605851 2.603607403 0 1.378875177",
    ),
}


def settings(folder: Path, files: list[str], options: tuple[str, ...], base: str) -> Path:
    """An INI beside nothing: its grids are named by where they lie."""
    lines = [
        "data_type = raster", f"output_file = {base}.out", "write_cur_maps = True",
        "write_volt_maps = True", "remove_src_or_gnd = keepall", *options,
    ]  # fmt: skip
    keys = {
        "cellmap": ("habitat_file", ""), "points": ("point_file", ""),
        "poly": ("polygon_file", "use_polygons"), "regions": ("polygon_file", "use_polygons"),
        "mask": ("mask_file", "use_mask"), "pairs": ("included_pairs_file", "use_included_pairs"),
        "variable": ("variable_source_file", "use_variable_source_strengths"),
        "sources": ("source_file", ""), "grounds": ("ground_file", ""),
    }  # fmt: skip
    for path in files:
        name = Path(path).name
        key, switch = next(known for start, known in keys.items() if name.startswith(start))
        lines.append(f"{key} = {path}")
        lines += [f"{switch} = True"] if switch else []
    ini = folder / "case.ini"
    ini.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ini


@pytest.mark.parametrize("name", _CASES)
def test_further_cases_of_circuitscapes_suite(name, tmp_path):
    named, options, suffix, answer = _CASES[name]
    case, _, first = named.partition("/")
    folder = shared(f"connectivity/circuitscape/{case}")
    (tmp_path / "pairs.txt").write_text(_MATRIX)
    files = [
        str(tmp_path / "pairs.txt" if one == "pairs" else folder / one) for one in first.split()
    ]
    ini = settings(tmp_path, files, options, name)
    compute("connectivity.circuit", {"config": ini}, tmp_path / "out")
    read = grid if suffix.endswith(".asc") else table
    found = read(tmp_path / "out" / f"{name}{suffix}")
    known = np.array([[float(x) for x in row.split()] for row in answer.split("  ")])
    # The suite's maps were written by an iterative solver.
    within = 1e-5 if suffix.endswith(".asc") else 1e-8
    np.testing.assert_allclose(found[: len(known)], known, rtol=1e-8, atol=within)
