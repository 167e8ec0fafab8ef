"""Records under Darwin Core's names: identifiers, dates, what was done to them."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from ecotone.formats.camtrapdp_rules import TABLES, rules
from ecotone.formats.dwc_records import as_terms
from ecotone.formats.dwc_terms import dwc_terms, term_address
from ecotone.model.dictionary import RECORD_NOUNS, by_standard

CAT = {
    "id": "VIWE-01HZX",
    "dataset_id": "cats",
    "occurrence_id": "u1",
    "taxon": "Panthera uncia",
    "taxon_order": "Carnivora",
    "individual_count": 2,
    "latitude": 38.5,
    "longitude": 73.0,
    "datum": "EPSG:4284",
    "coordinate_uncertainty_m": 707.0,
    "time_start": pd.Timestamp("2025-06-01T01:00:00Z"),
    "time_text": "01.06.2025 06:00",
    "time_precision": "second",
    "source_generalizations": "rounded by the museum",
    "data_generalizations": "placed in a cell of 0.1 degree",
    "information_withheld": None,
}


def one(**changes: object) -> dict[str, object]:
    frame = pd.DataFrame([CAT | changes])
    (record,) = as_terms("Occurrence", frame).to_dict("records")
    return record


def test_a_record_under_its_terms() -> None:
    assert one() == {
        "occurrenceID": "u1",
        "scientificName": "Panthera uncia",
        "individualCount": "2",
        "order": "Carnivora",
        "dataGeneralizations": "rounded by the museum; placed in a cell of 0.1 degree",
        "decimalLatitude": "38.5",
        "decimalLongitude": "73",
        "coordinateUncertaintyInMeters": "707",
        "geodeticDatum": "EPSG:4326",
        "eventDate": "2025-06-01T01:00:00Z",
        "datasetID": "cats",
    }


def test_a_withheld_identifier_gives_way_to_ours() -> None:
    assert one(occurrence_id=None)["occurrenceID"] == "VIWE-01HZX"


@pytest.mark.parametrize(
    ("text", "precision", "date"),
    [
        ("2025-06-01T06:00:00+05:00", "second", "2025-06-01T06:00:00+05:00"),
        ("2025-06-01/2025-06-03", "day", "2025-06-01/2025-06-03"),
        ("2025-06", "month", "2025-06"),
        ("июнь 2025", "month", "2025-06"),
        ("01.06.2025", "day", "2025-06-01"),
        (None, "year", "2025"),
    ],
)
def test_dates(text: str | None, precision: str, date: str) -> None:
    assert one(time_text=text, time_precision=precision)["eventDate"] == date


def test_terms_without_an_attribute_come_back_from_extra() -> None:
    extra = json.dumps({"continent": "Asia", "our column": "x", "scientificName": "no"})
    record = one(extra=extra)
    assert record["continent"] == "Asia"
    assert record["scientificName"] == "Panthera uncia"
    assert "our column" not in record


def test_what_nobody_filled_is_left_out() -> None:
    frame = pd.DataFrame({"event_id": [None, None], "habitat": [None, None], "id": ["a", "b"]})
    assert as_terms("Event", frame).to_dict("list") == {"eventID": ["a", "b"]}


@pytest.mark.parametrize("noun", RECORD_NOUNS)
def test_terms_of_the_dictionaries_are_terms_of_the_standard(noun: str) -> None:
    for term in by_standard(noun, "dwc"):
        assert dwc_terms([term]) == {term: term}
        assert term_address(term).startswith("http")


def test_every_field_of_camtrap_dp_has_its_attribute() -> None:
    times = {"deploymentStart", "deploymentEnd", "timestamp", "eventStart", "eventEnd"}
    for table, noun in TABLES.items():
        described = set(by_standard(noun, "camtrapdp"))
        assert {rule.name for rule in rules(table)} - described <= times
