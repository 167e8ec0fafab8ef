"""Coordinates, countries, heights: hand-made cases beside the reference data."""

from __future__ import annotations

import pandas as pd
import pytest

from ecotone.ingest.checks import coordinates, countries, heights
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.heights import metres

BY_ID = {c.id: c for family in (coordinates, countries, heights) for c in family.CHECKS}


def answer(check: str, **terms: str) -> tuple[str, str | dict[str, str]]:
    frame = pd.DataFrame({term: [text] for term, text in terms.items()}, dtype="str")
    got = BY_ID[check].run(Block(frame)).at(0)
    return str(got.status), dict(got.changes) or got.result


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("EPSG:4326", True), ("EPSG:6326", True), ("EPSG:7030", True), ("EPSG:4490", True),
        ("not recorded", True), ("epsg:4326", False), ("EPSG:4326 ", False), ("EPSG:32643", False),
        ("EPSG:4978", False), ("EPSG:4979", False), ("EPSG:4807", False), ("EPSG:1", False),
        ("WGS84", False), ("unknown", False),
    ],
)  # fmt: skip
def test_datum_codes(text: str, fits: bool) -> None:
    got = answer("validation-geodeticdatum-standard", geodeticDatum=text)[1]
    assert got == ("COMPLIANT" if fits else "NOT_COMPLIANT")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("WGS_84", "EPSG:4326"), ("СК-42", "EPSG:4284"), ("CGCS2000", "EPSG:4490"),
        ("北京54", "EPSG:4214"), ("GCJ-02", None), ("UTM", None), ("EPSG:4326", None),
        ("not recorded", None), ("NOT RECORDED", "not recorded"),
    ],
)  # fmt: skip
def test_datum_names(text: str, code: str | None) -> None:
    got = answer("amendment-geodeticdatum-standardized", geodeticDatum=text)
    assert got == (("AMENDED", {"dwc:geodeticDatum": code}) if code else ("NOT_AMENDED", ""))


def test_an_uncertainty_is_never_understated() -> None:
    place = {"decimalLatitude": "-30", "decimalLongitude": "130"}
    check = "amendment-geodeticdatum-assumeddefault"
    assert answer(check, **place, coordinateUncertaintyInMeters="50")[0] == (
        "EXTERNAL_PREREQUISITES_NOT_MET"
    )
    assert answer(check, **place, coordinateUncertaintyInMeters="x")[0] == "FILLED_IN"
    assert answer(check, **place, geodeticDatum="GDA94")[0] == "NOT_AMENDED"


@pytest.mark.parametrize(
    ("lat", "lon", "country", "proposed"),
    [
        ("73.2", "38.5", "TJ", ("38.5", "73.2")), ("-38.5", "73.2", "TJ", ("38.5", "73.2")),
        ("38.5", "73.2", "TJ", None), ("10", "20", "TJ", None), ("38.5", "-73.2", "QQ", None),
        ("91", "73", "TJ", None),
    ],
)  # fmt: skip
def test_turned_places(lat: str, lon: str, country: str, proposed: tuple[str, str] | None) -> None:
    got = answer(
        "amendment-coordinates-transposed",
        decimalLatitude=lat, decimalLongitude=lon, countryCode=country,
    )  # fmt: skip
    if proposed is None:
        assert got == ("NOT_AMENDED", "")
    else:
        assert got[1] == {
            "dwc:decimalLatitude": proposed[0], "dwc:decimalLongitude": proposed[1]
        }  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "proposed"),
    [
        ({"verbatimCoordinates": "41°03'09\"S, 71°31'51\"W"}, ("-41.0525", "-71.5308333")),
        ({"verbatimCoordinates": "41°03'09\"N 121°31'51\"E"}, ("41.0525", "121.5308333")),
        ({"verbatimCoordinates": "139.92 -23.712"}, ("-23.712", "139.92")),
        ({"verbatimCoordinates": "38.5, 73.2"}, None),  # either could be the latitude
        ({"verbatimLatitude": "38.5", "verbatimLongitude": "73.2"}, ("38.5", "73.2")),
        ({"verbatimLatitude": "38.5", "verbatimLongitude": "73.2",
          "verbatimCoordinates": "38.6 N, 73.2 E"}, None),
        ({"verbatimLatitude": "38.5", "verbatimLongitude": "73.2",
          "verbatimSRS": "EPSG:32643"}, None),
    ],
)  # fmt: skip
def test_verbatim_coordinates(terms: dict[str, str], proposed: tuple[str, str] | None) -> None:
    got = answer("amendment-coordinates-from-verbatim", **terms)
    if proposed is None:
        assert got == ("NOT_AMENDED", "")
    else:
        assert got == ("FILLED_IN", {
            "dwc:decimalLatitude": proposed[0], "dwc:decimalLongitude": proposed[1]
        })  # fmt: skip


def test_datum_of_verbatim_coordinates_comes_along() -> None:
    terms = {"verbatimLatitude": "38.5", "verbatimLongitude": "73.2", "verbatimSRS": "СК-42"}
    changes = answer("amendment-coordinates-from-verbatim", **terms)[1]
    assert isinstance(changes, dict)
    assert changes["dwc:geodeticDatum"] == "EPSG:4284"


@pytest.mark.parametrize(
    ("text", "code"),
    [("塔吉克斯坦", "TJ"), ("КНР", "CN"), ("tjk", "TJ"), ("tj", "TJ"), ("Viet Nam", "VN"),
     ("Guinea", "GN"), ("Congo", None), ("Aust.", None), ("TJ", None), ("XX", None)],
)  # fmt: skip
def test_country_names(text: str, code: str | None) -> None:
    got = answer("amendment-countrycode-standardized", countryCode=text)
    if code is None:
        assert got[0] == "NOT_AMENDED"
    else:
        assert got == ("AMENDED", {"dwc:countryCode": code})


def test_countries_and_codes() -> None:
    check = "validation-countrycountrycode-consistent"
    assert answer(check, country="Таджикистан", countryCode="TJ")[1] == "COMPLIANT"
    assert answer(check, country="Кыргызстан", countryCode="TJ")[1] == "NOT_COMPLIANT"
    assert answer(check, country=" Australia", countryCode="AU")[1] == "NOT_COMPLIANT"
    assert answer("validation-countrycode-standard", countryCode="TJ ")[1] == "NOT_COMPLIANT"
    assert len(countries.country_codes()) == 251


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10 feet", ("3.048", "3.048")), ("1.2 km", ("1200", "1200")), ("100 米", ("100", "100")),
        ("200 м", ("200", "200")), ("100-200м", ("100", "200")),
        ("5 to 10 yards", ("4.572", "9.144")),
        ("min depth 10 m, max depth 20 m", ("10", "20")), ("100 m to 50 m", None), ("100", None),
        ("Max depth 100m", None), ("1000 ft (305 m)", None), ("ca. 10 m", None), ("-5 m", None),
        ("100 m - 0.2 km", ("100", "200")),
    ],
)  # fmt: skip
def test_heights_as_written(text: str, found: tuple[str, str] | None) -> None:
    assert metres(text) == found
