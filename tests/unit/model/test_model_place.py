"""Coordinates as written, whether they can be true, and how exact they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecotone.model.datum import transform_to_wgs84
from ecotone.model.datum_names import resolve_datum
from ecotone.model.errors import UsageError
from ecotone.model.place import (
    check_places,
    combine_uncertainty,
    parse_coordinates,
    precision_m,
)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("38.5", 38.5),
        ("-38.5", -38.5),
        ("+38.5", 38.5),
        ("38", 38.0),
        ("3.85e1", 38.5),
        ("38°30'15\"N", 38.504167),
        ("38°30′15″ с.ш.", 38.504167),
        ("38°30'15\" S", -38.504167),
        ("N 38 30 15", 38.504167),
        ("北纬38度30分15秒", 38.504167),
        ("38°30.25'", 38.504167),
        ("Ю 38°", -38.0),
        ("３８．５", 38.5),
    ],
)
def test_latitudes_that_are_read(text: str, degrees: float) -> None:
    got = parse_coordinates([text], kind="latitude")
    assert got.degrees[0] == pytest.approx(degrees, abs=1e-6)
    assert got.code[0] == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("91", "latitude-out-of-range"),
        ("-90.0000001", "latitude-out-of-range"),
        ("38,5", "decimal-comma-undeclared"),
        ("NaN", "coordinate-unreadable"),
        ("inf", "coordinate-unreadable"),
        ("38°61'", "coordinate-unreadable"),
        ("38 30 15", "coordinate-unreadable"),
        ("73°12' E", "coordinate-wrong-axis"),
        ("about 38", "coordinate-unreadable"),
        ("", ""),
        (None, ""),
    ],
)
def test_latitudes_that_are_not(text: str | None, code: str) -> None:
    got = parse_coordinates([text], kind="latitude")
    assert np.isnan(got.degrees[0])
    assert got.code[0] == code


def test_the_decimal_comma_where_declared() -> None:
    got = parse_coordinates(["38,5", "38.5"], kind="latitude", decimal=",")
    assert got.degrees.tolist() == [38.5, 38.5]
    assert parse_coordinates(["180", "-180"], kind="longitude").code.tolist() == ["", ""]
    assert parse_coordinates(["-180.0000001"], kind="longitude").code[0] == "longitude-out-of-range"


def test_the_last_digit_tells_the_precision() -> None:
    got = parse_coordinates(["38.5", "38.50", "38°30'", "38"], kind="latitude")
    assert got.step_deg.tolist() == pytest.approx([0.1, 0.01, 1 / 60, 1.0])
    # Half diagonals on WGS 84: 7,845 m at the equator, 6,891 m at 43 N for a tenth of a degree.
    assert precision_m([0.0, 43.0], 0.1, 0.1).tolist() == pytest.approx([7845, 6891], abs=2)


def test_a_million_rows_at_once() -> None:
    texts = pd.Series(np.linspace(-80, 80, 50_000)).map("{:.6f}".format)
    got = parse_coordinates(texts, kind="latitude")
    assert (got.code == "").all()
    assert np.abs(got.degrees - np.linspace(-80, 80, 50_000)).max() < 1e-6


def test_implausible_places() -> None:
    got = check_places([38.5, 73.2, 0, -38.5, 60, 38.5], [73.2, 38.5, 0, 73.2, 73.2, 73.2],
                       country=["TJ", "TJ", "TJ", "TJ", "TJ", None])  # fmt: skip
    assert got.tolist() == [
        "", "coordinates-transposed", "coordinates-zero", "hemisphere-suspect",
        "coordinates-outside-country", "",
    ]  # fmt: skip
    own = check_places([1.0], [50.0], country="XA", boxes={"XA": (0.0, 0.0, 10.0, 10.0)})
    assert own[0] == "coordinates-outside-country"


def test_uncertainties_add_up_and_are_never_zero() -> None:
    assert combine_uncertainty([30.0, np.nan, np.nan], [4.5, 4.5, 0.0]).tolist()[:2] == [34.5, 4.5]
    assert np.isnan(combine_uncertainty([np.nan], [0.0])[0])
    with pytest.raises(UsageError):
        combine_uncertainty()


@pytest.mark.parametrize(
    ("name", "epsg"),
    [
        ("WGS84", 4326), ("EPSG:4326", 4326), ("urn:ogc:def:crs:EPSG::4326", 4326), ("4284", 4284),
        ("СК-42", 4284), ("Пулково 1942", 4284), ("北京54", 4214), ("西安80", 4610),
        ("国家2000", 4490), ("CGCS2000", 4490), ("Xi'an 1980", 4610), ("epsg:6326", 4326),
    ],
)  # fmt: skip
def test_names_of_datums(name: str, epsg: int) -> None:
    found = resolve_datum(name)
    assert found is not None
    assert found.epsg == epsg


def test_datums_per_row_and_datums_nobody_knows() -> None:
    got = transform_to_wgs84(
        [38.56, 38.56, 38.56, 38.56, 95.0, np.nan],
        [68.77, 68.77, 68.77, 68.77, 68.77, 68.77],
        ["WGS 84", "СК-42", "Atlantis 1900", None, "WGS 84", "WGS 84"],
        country="TJ",
    )
    assert got.code.tolist() == [
        "", "", "datum-unknown", "datum-missing", "latitude-out-of-range", "",
    ]  # fmt: skip
    assert got.latitude[0] == 38.56
    assert got.latitude[1] == pytest.approx(38.5601227, abs=1e-7)
    assert got.rejected.tolist() == [False, False, True, True, True, False]
    assumed = transform_to_wgs84([38.56], [68.77], ["unknown"], assume="EPSG:4326")
    assert assumed.code[0] == "datum-assumed"
    with pytest.raises(UsageError):
        transform_to_wgs84([1.0], [1.0], 4214, allow_ballpark=True)
    with pytest.raises(UsageError):
        transform_to_wgs84([1.0, 2.0], [1.0], 4326)
