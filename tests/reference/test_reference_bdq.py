"""Every row of the TDWG reference data of each implemented test, exact."""

from __future__ import annotations

import csv
import json

import pandas as pd
import pytest
from tests.support import shared

from ecotone.ingest.checks import (
    coordinates,
    countries,
    heights,
    identifiers,
    licence,
    occurrence,
    record,
    taxon,
    time,
    time_amend,
)
from ecotone.ingest.checks.base import Check
from ecotone.ingest.checks.block import Block

FAMILIES = (
    coordinates, countries, heights, identifiers, licence, occurrence, record, taxon, time,
    time_amend,
)  # fmt: skip
BY_GUID = {check.guid: check for family in FAMILIES for check in family.CHECKS}
#: Tests that need boundaries of countries or a catalogue of their centres, which are not at hand.
LEFT_OUT = {
    "8c5fe9c9-4ba9-49ef-b15a-9ccd0424e6ae",  # AMENDMENT_COUNTRYCODE_FROM_COORDINATES
    "adb27d29-9f0d-4d52-b760-a77ba57a69c9",  # VALIDATION_COORDINATESCOUNTRYCODE_CONSISTENT
    "256e51b3-1e08-4349-bb7e-5186631c3f8e",  # ISSUE_COORDINATES_CENTEROFCOUNTRY
}


def reference() -> dict[str, list[dict[str, str]]]:
    path = shared("platform/bdq/tdwg_bdq_validation.csv")
    by_guid: dict[str, list[dict[str, str]]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            by_guid.setdefault(row["GUID"], []).append(row)
    return by_guid


def misses(check: Check, rows: list[dict[str, str]]) -> list[str]:
    terms = [name for name in rows[0] if ":" in name]
    frame = pd.DataFrame(
        {name: [row[name] if row[name] != "" else None for row in rows] for name in terms},
        dtype="str",
    )
    answers = check.run(Block(frame))
    wrong = []
    for index, row in enumerate(rows):
        answer = answers.at(index)
        expected = row["Response.result"]
        changes = json.loads(expected) if expected.startswith("{") else {}
        got = (
            str(answer.status),
            dict(answer.changes) if changes or answer.changes else answer.result,
        )
        want = (row["Response.status"], changes or expected)
        if got != want:
            given = {k: v for k, v in row.items() if ":" in k and v}
            wrong.append(f"{row['dataID']}: {given} gives {got}, want {want}")
    return wrong


@pytest.mark.parametrize("guid", sorted(BY_GUID), ids=lambda g: BY_GUID[g].label)
def test_every_row_is_exact(guid: str) -> None:
    rows = reference().get(guid)
    if rows is None:
        pytest.skip("the reference data have no rows for this test")
    assert misses(BY_GUID[guid], rows) == []


def test_what_is_left_out_is_known() -> None:
    tests = reference()
    assert set(tests) - set(BY_GUID) == LEFT_OUT
    done = {guid: rows for guid, rows in tests.items() if guid in BY_GUID}
    assert len(done) == 77
    assert sum(len(rows) for rows in done.values()) == 539
