from __future__ import annotations

import csv
import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyproj import Geod

from ecotone.share import grid
from ecotone.share.grid import ala_place, ala_round, cell_centres
from tests.support import shared

GEOD = Geod(ellps="WGS84")
LATITUDES = st.floats(-90, 90, allow_nan=False)
LONGITUDES = st.floats(-180, 180, allow_nan=False)
CELLS = st.sampled_from([0.001, 0.01, 0.1, 1.0])


def test_centre_and_radius_by_hand():
    cells = cell_centres(np.array([37.0464]), np.array([73.239]), 0.1)
    assert cells.latitude[0] == 37.05
    assert cells.longitude[0] == 73.25
    # The farthest corner is the one nearer the equator: (37.0, 73.3) or (37.0, 73.2).
    _, _, metres = GEOD.inv(73.25, 37.05, 73.3, 37.0)
    assert cells.radius_m[0] == np.ceil(metres)


def test_negative_places_fall_down_not_toward_zero():
    cells = cell_centres(np.array([-37.0464]), np.array([-0.01]), 0.1)
    assert (cells.latitude[0], cells.longitude[0]) == (-37.05, -0.05)


def test_a_decimal_on_a_cell_edge_belongs_to_the_cell_above():
    # 1.001 * 1000 is 1000.9999999999999 in floats.
    assert cell_centres(np.array([1.001]), np.array([1.001]), 0.001).latitude[0] == 1.0015


def test_both_sides_of_the_180th_meridian_are_one_cell():
    cells = cell_centres(np.array([10.0, 10.0]), np.array([180.0, -180.0]), 1.0)
    assert cells.longitude[0] == cells.longitude[1] == -179.5


def test_the_pole_belongs_to_the_last_cell():
    assert cell_centres(np.array([90.0]), np.array([0.0]), 1.0).latitude[0] == 89.5


def test_no_negative_zero_and_nan_stays_nan():
    cells = cell_centres(np.array([np.nan]), np.array([5.0]), 0.1)
    assert np.isnan(cells.latitude[0])
    assert not np.signbit(cell_centres(np.array([0.0]), np.array([0.0]), 0.1).latitude[0])


@pytest.mark.parametrize("cell", [0.05, 0.2, 10.0, 0.0015])
def test_cells_off_the_nested_grid_are_refused(cell):
    with pytest.raises(ValueError, match="cell size"):
        cell_centres(np.array([1.0]), np.array([1.0]), cell)


@given(LATITUDES, LONGITUDES, CELLS)
def test_the_true_place_lies_in_the_published_circle(lat, lon, cell):
    cells = cell_centres(np.array([lat]), np.array([lon]), cell)
    _, _, metres = GEOD.inv(lon, lat, cells.longitude[0], cells.latitude[0])
    assert metres <= cells.radius_m[0]


@example(0.0, 179.99999999999997)
@given(LATITUDES, LONGITUDES)
def test_a_coarse_cell_holds_every_finer_cell_of_the_same_place(lat, lon):
    fine = cell_centres(np.array([lat]), np.array([lon]), 0.01)
    coarse = cell_centres(np.array([lat]), np.array([lon]), 0.1)
    again = cell_centres(fine.latitude, fine.longitude, 0.1)
    assert again.latitude[0] == coarse.latitude[0]
    assert again.longitude[0] == coarse.longitude[0]


def test_ala_rows():
    with shared("platform/sharing/ala_generalisation.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 5 and {row["level"] for row in rows} >= {"WITHHOLD", "none", "10km"}
    for row in rows:
        told = ala_place(row["lat"], row["lon"], row["level"])
        assert told == ((row["out_lat"], row["out_lon"]) if row["out_lat"] else None)


@pytest.mark.parametrize("level", ["100km", "50km", "", "NONE", "1 km"])
def test_a_level_ala_does_not_know_is_withheld(level):
    assert ala_place("1.5", "2.5", level) is None


@pytest.mark.parametrize(
    ("text", "step", "rounded"),
    [("0.25", "0.1", "0.3"), ("-37.05", "0.1", "-37.1"), ("-0.01", "0.1", "0.0")],
)
def test_ala_ties_go_away_from_zero(text, step, rounded):
    assert ala_round(text, step) == rounded


def test_half_diagonals_of_chapman():
    with shared("platform/sharing/chapman_levels.csv").open(encoding="utf-8") as handle:
        rows = [r for r in csv.DictReader(handle) if r["grid_deg"]]
    assert len(rows) == 3
    for row in rows:
        cell = float(row["grid_deg"])
        step, bound = round(cell * 1000), 2.0 if cell == 0.1 else 1.0
        for column, latitude in (("equator", 0.0), ("lat37", 37.0), ("lat43", 43.0)):
            # Of a cell whose centre lies at that latitude.
            radius = grid._radii(np.array([latitude * 1000 - step / 2]), step)[0]
            assert radius == pytest.approx(float(row[f"half_diagonal_m_{column}"]), abs=bound)
            assert radius >= float(row[f"half_diagonal_m_{column}"]) - 0.5
        # camtraptor adds the whole diagonal at the equator.
        whole = 2 * grid._radii(np.array([-step / 2]), step)[0]
        assert whole == pytest.approx(float(row["camtraptor_added_uncertainty_m"]), abs=bound)


@given(LATITUDES, LONGITUDES)
def test_every_level_of_every_partner_nests_over_the_globe(lat, lon):
    at = np.array([lat]), np.array([lon])
    edges = {}
    for cell in (0.001, 0.01, 0.1, 1.0):
        found = cell_centres(*at, cell)
        edges[cell] = [
            (round((found.latitude[0] + side * cell / 2) * 1000),
             round((found.longitude[0] + side * cell / 2) * 1000))
            for side in (-1, 1)
        ]  # fmt: skip
    for fine, coarse in itertools.combinations(sorted(edges), 2):
        for axis in (0, 1):
            assert edges[coarse][0][axis] <= edges[fine][0][axis]
            assert edges[fine][1][axis] <= edges[coarse][1][axis]
    south, north = edges[1.0][0][0], edges[1.0][1][0]
    assert south >= -90_000 and north <= 90_000
    assert edges[1.0][0][1] >= -180_000 and edges[1.0][1][1] <= 180_000


@pytest.mark.parametrize("lon", [-180.0, 180.0, 179.9999999, -179.9999999])
@pytest.mark.parametrize("lat", [-90.0, 90.0, -1e-9, 0.0, 1e-9])
def test_edges_of_the_globe_nest(lat, lon):
    test_every_level_of_every_partner_nests_over_the_globe.hypothesis.inner_test(lat, lon)
