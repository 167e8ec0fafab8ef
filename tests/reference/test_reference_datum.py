"""Datums and map-service coordinates against the reference tables, every row."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from tests.support import shared

from ecotone.model import gcj02
from ecotone.model.datum import _operations, transform_to_wgs84

#: Rows whose operation, chosen by bounding box, was published for another country or the sea.
OUT_OF_AREA = {("Nukus", "4284"), ("Karakol", "4284"), ("Aktau", "4284"),
               ("Phnom Penh", "4240"), ("Siem Reap", "4240")}  # fmt: skip


def rows(name: str) -> list[dict[str, str]]:
    path: Path = shared(f"platform/datum/{name}")
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_row_of_the_datum_table() -> None:
    for row in rows("datum_to_wgs84.csv"):
        here = (row["place"], row["epsg"])
        got = transform_to_wgs84(
            [float(row["lat"])], [float(row["lon"])], row["epsg"], country=row["country"]
        )
        by_name = transform_to_wgs84([float(row["lat"])], [float(row["lon"])], row["name"])
        assert by_name.latitude[0] == pytest.approx(got.latitude[0], nan_ok=True), here
        if row["expected"] == "flag_unknown_datum_shift":
            assert got.code[0] == "datum-ballpark", here
            assert got.rejected[0]
            assert np.isnan(got.latitude[0])
            continue
        assert got.latitude[0] == pytest.approx(float(row["wgs84_lat"]), abs=1e-6), here
        assert got.longitude[0] == pytest.approx(float(row["wgs84_lon"]), abs=1e-6), here
        assert not got.rejected[0]
        if row["expected"] == "accept_as_equal_within_1m":
            assert got.code[0] == "datum-near-wgs84"
            assert got.added_uncertainty_m[0] == 1.0
            continue
        assert got.operation[0] == row["operation"], here
        assert got.accuracy_m[0] == float(row["accuracy_m"]), here
        assert got.added_uncertainty_m[0] == float(row["accuracy_m"]), here
        assert (got.code[0] == "datum-area-mismatch") == (here in OUT_OF_AREA), here


def test_an_operation_that_covers_the_country_is_preferred_on_request() -> None:
    got = transform_to_wgs84([42.46], [59.61], 4284, country="UZ", prefer_country=True)
    assert got.operation[0] == "Pulkovo 1942 to WGS 84 (16)"
    assert got.code[0] == ""
    by_box = transform_to_wgs84([42.46], [59.61], 4284, country="UZ")
    apart = np.hypot(
        (got.latitude[0] - by_box.latitude[0]) * 111_000,
        (got.longitude[0] - by_box.longitude[0]) * 82_000,
    )
    assert 2.0 < apart < 3.5


def test_beijing_1954_inside_the_tarim_basin_only_by_its_own_operation() -> None:
    # Published for 77.45-88.0 E, 37.0-41.99 N; Kashgar and Urumqi lie outside.
    assert len(_operations(4214, 39.0, 82.0)) >= 1
    assert transform_to_wgs84([39.0], [82.0], 4214, country="CN").code[0] == ""
    assert transform_to_wgs84([39.47], [75.99], 4214, country="CN").code[0] == "datum-ballpark"


def test_a_ballpark_is_taken_only_with_a_declared_uncertainty() -> None:
    got = transform_to_wgs84(
        [39.47], [75.99], "Xian 1980", allow_ballpark=True, ballpark_uncertainty_m=150.0
    )
    assert (got.latitude[0], got.longitude[0]) == (39.47, 75.99)
    assert got.added_uncertainty_m[0] == 150.0
    assert got.code[0] == "datum-ballpark-allowed"


def test_every_row_of_the_map_service_table() -> None:
    functions = {
        ("WGS84", "GCJ02"): (gcj02.wgs84_to_gcj02, gcj02.gcj02_to_wgs84),
        ("BD09", "WGS84"): (gcj02.bd09_to_wgs84, gcj02.wgs84_to_bd09),
    }
    for row in rows("gcj02.csv"):
        there, back = functions[row["from"], row["to"]]
        tolerance = float(row["tolerance_deg"])
        start = [float(row["lat"])], [float(row["lon"])]
        end = [float(row["out_lat"])], [float(row["out_lon"])]
        for function, given, wanted in ((there, start, end), (back, end, start)):
            lat, lon = function(*given)
            assert float(lat[0]) == pytest.approx(wanted[0][0], abs=tolerance)
            assert float(lon[0]) == pytest.approx(wanted[1][0], abs=tolerance)


def test_the_inverse_of_gcj02_is_exact_to_half_a_metre() -> None:
    lat, lon = (
        axis.ravel() for axis in np.meshgrid(np.linspace(20, 50, 61), np.linspace(75, 130, 61))
    )
    back_lat, back_lon = gcj02.gcj02_to_wgs84(*gcj02.wgs84_to_gcj02(lat, lon))
    assert np.max(np.hypot(back_lat - lat, back_lon - lon)) * 111_320 < 0.5


def test_map_service_coordinates_as_declared_input() -> None:
    got = transform_to_wgs84([31.17530398364597], [121.531541859215], "GCJ-02", country="CN")
    assert got.latitude[0] == pytest.approx(31.1774276, abs=1e-6)
    assert got.added_uncertainty_m[0] == 5.0
    abroad = transform_to_wgs84([38.5], [73.2], "高德坐标", country="TJ")
    assert (abroad.latitude[0], abroad.longitude[0]) == (38.5, 73.2)
    assert abroad.code[0] == "gcj02-outside-china"
    assert abroad.added_uncertainty_m[0] > 100
