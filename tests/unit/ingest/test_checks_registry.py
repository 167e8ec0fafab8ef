"""What a steward is told: each thing once, rows where they can be read, sums where not."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import numpy as np
import pandas as pd
import pytest

from ecotone.ingest.checks import (
    camera,
    coordinates,
    countries,
    heights,
    identifiers,
    licence,
    occurrence,
    record,
    registry,
    taxon,
    time,
    time_amend,
    water,
    water_rows,
)
from ecotone.ingest.checks.base import Check, Parameters, Responses, validation
from ecotone.ingest.checks.block import Block
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

FAMILIES = (
    camera, coordinates, countries, heights, identifiers, licence, occurrence, record, taxon,
    time, time_amend, water, water_rows,
)  # fmt: skip
CHECKS = tuple(check for family in FAMILIES for check in family.CHECKS)


def table(vocabulary: str = "dwc", kind: str = "Occurrence", **columns: list[str | None]) -> Table:
    frame = pd.DataFrame(columns, dtype="str")
    rows = np.arange(1, len(frame) + 1)
    return Table(kind, frame, rows, rows + 1, "o.csv", vocabulary)


def told(**columns: list[str | None]) -> list[Finding]:
    return registry.findings(table(**columns), CHECKS)


def test_a_few_rows_are_told_one_by_one() -> None:
    got = told(sex=["Male", "M", "", "?"])
    assert [(f.code, f.row, f.line, f.field, f.value) for f in got] == [
        ("sex-standard", 2, 3, "sex", "M"), ("sex-standard", 4, 5, "sex", "?"),
    ]  # fmt: skip
    assert "'M' in sex" in got[0].message()
    assert "Rows: 1." in got[0].message()


def test_many_rows_are_told_by_value() -> None:
    got = told(sex=["M", "F"] * 50)
    assert [(f.value, f.row, f.params["count"]) for f in got] == [("M", 1, "50"), ("F", 2, "50")]


def test_very_many_values_are_summed_up() -> None:
    (got,) = told(sex=[f"s{i}" for i in range(100)])
    assert (got.row, got.value, got.params["count"]) == (None, "s0, s1, s2, …", "100")


def test_empty_cells_are_summed_up() -> None:
    (got,) = told(basisOfRecord=["HumanObservation", None, " ", ""])
    assert (got.code, got.severity, got.row, got.value) == (
        "basisofrecord-notempty", Severity.INFO, None, None,
    )  # fmt: skip
    assert got.params["count"] == "3"


def test_a_column_that_is_not_there_is_not_told() -> None:
    assert told(scientificName=["Panthera uncia"]) == []


def test_case_alone_is_let_pass() -> None:
    assert told(sex=["male"], occurrenceStatus=["Present"], typeStatus=["holotype"]) == []


def test_codes_left_to_users_are_let_pass() -> None:
    assert told(countryCode=["XA", "QM", "ZZ"], country=["Velmara", "Q", "?"]) == []
    assert [f.value for f in told(countryCode=["TJK"])] == ["TJK"]


def test_what_the_converter_tells_is_not_told_again() -> None:
    assert told(
        decimalLatitude=["91", "0", "x", None], decimalLongitude=["10", "0", "10", "10"],
        coordinateUncertaintyInMeters=["0", "-1", "0.5", "x"], geodeticDatum=["WGS84"] * 4,
        eventDate=["2023-02-30", "x", "2023", "2023"],
    ) == []  # fmt: skip


def test_one_thing_is_told_once() -> None:
    (got,) = told(eventDate=[None], year=[None], month=[" "])
    assert (got.code, got.field) == ("eventtemporal-notempty", None)
    (got,) = told(decimalLatitude=["1", None], decimalLongitude=["1", None], locality=["a", "b"])
    assert got.code == "decimallatitude-notempty"
    (got,) = told(day=["32"], month=["1"], year=["2000"])
    assert got.code == "day-standard"


def test_only_darwin_core_is_read_as_delivered() -> None:
    assert registry.findings(table("", sex=["M"]), CHECKS) == []
    assert registry.findings(table(kind="Taxon", taxonRank=["x"]), CHECKS)
    assert registry.findings(table(kind="Taxon", locality=[None]), CHECKS) == []
    assert registry.findings(table(), CHECKS) == []


def test_mapped_tables_are_read_by_the_terms_they_stand_for() -> None:
    mapped = table("ecotone", country_code=["TJK", "XA"], sex=["M", "female"], habitat=["a", "b"])
    got = registry.findings(mapped, CHECKS)
    assert [(f.code, f.row, f.field, f.value) for f in got] == [
        ("countrycode-standard", 1, "country_code", "TJK"), ("sex-standard", 1, "sex", "M"),
    ]  # fmt: skip
    assert registry.findings(table("ecotone", "Site", sex=["M"]), CHECKS) == []


def _never(block: Block, parameters: Parameters) -> Responses:
    return validation(block.nothing(), block.nothing())


def test_errors_are_told_row_by_row() -> None:
    check = Check("VALIDATION_SEX_STANDARD", "", "Conformance", ("dwc:sex",), _never,
                  severity=Severity.ERROR)  # fmt: skip
    got = registry.findings(table(sex=["x"] * 500), [check])
    assert [f.row for f in got] == list(range(1, 501))


def test_water_results() -> None:
    frame = pd.DataFrame(
        {
            "property": [
                "pH",
                "ph",
                "температура воды",
                "水温",
                "oxygen",
                "nitrate",
                "nitrate",
                "pH",
            ],
            "value": [7.0, 72.0, 95.0, 50.0, 94_000.0, -0.3, np.nan, np.nan],
            "unit": [None, "1", "degC", "degF", "ug/L", "mg/L", "mg/L", "1"],
            "value_text": ["7", "7,2", "95", "50", "94000", "-0,3", None, None],
        }
    )
    delivered = table("ecotone", "Observation", x=["1"] * len(frame))
    got = registry.record_findings(delivered, "Observation", frame, CHECKS)
    assert sorted((f.code, f.row, f.value) for f in got) == [
        ("concentration-notnegative", 6, "-0,3"), ("dissolvedoxygen-inrange", 5, "94000"),
        ("nutrient-basistold", 6, "nitrate"), ("ph-inrange", 2, "7,2"),
        ("watertemperature-inrange", 3, "95"),
    ]  # fmt: skip
    assert registry.record_findings(delivered, "Site", frame, CHECKS) == []


def test_units_that_cannot_be_compared_are_not_judged() -> None:
    frame = pd.DataFrame({"property": ["pH", "water temperature", "redox", "level"],
                          "value": [99.0, 99.0, -50.0, -2.0],
                          "unit": ["mg/L", "mg/L", "mV", "m"]})  # fmt: skip
    delivered = table("ecotone", "Observation", x=["1"] * 4)
    assert registry.record_findings(delivered, "Observation", frame, CHECKS) == []


def test_camera_traps() -> None:
    deployments = camera.Deployments()
    deployments.add(pd.DataFrame({"deployment_id": ["a", "b"],
        "time_start": pd.to_datetime(["2024-01-01", "2024-02-01"], utc=True),
        "time_end": pd.to_datetime(["2024-01-31", None], utc=True)}))  # fmt: skip
    seen = pd.DataFrame({"deployment": ["a", "a", "a", "b", "b", "c", None],
        "time_start": pd.to_datetime(["2024-01-31T00:00:30", "2023-12-31", "2024-03-01",
                                      "2030-01-01", "2024-01-01", "2000-01-01", "2000-01-01"],
                                     utc=True, format="ISO8601")})  # fmt: skip
    delivered = table("ecotone", "Observation", x=["1"] * len(seen))
    for noun in ("Observation", "Media"):
        got = registry.record_findings(delivered, noun, deployments.join(seen), CHECKS)
        assert [(f.code, f.row) for f in got] == [
            (f"{noun.lower()}-withindeployment", row) for row in (2, 3, 5)
        ]
    judged = table("camtrapdp", "Observation", x=["1"] * len(seen))
    assert registry.record_findings(judged, "Observation", deployments.join(seen), CHECKS) == []


def test_deployments_that_end_before_they_start() -> None:
    frame = pd.DataFrame(
        {
            "time_start": ["2024-02-01T00:00:00Z"] * 3,
            "time_end": ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", None],
        }
    )
    check = next(c for c in camera.CHECKS if c.id == "validation-deployment-endafterstart")
    assert list(check.run(Block(frame)).result) == ["NOT_COMPLIANT", "COMPLIANT", ""]


def test_without_deployments_records_stay_as_they_are() -> None:
    frame = pd.DataFrame({"deployment": ["a"]})
    assert camera.Deployments().join(frame) is frame


def test_checks_register_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [EntryPoint(module, f"ecotone.ingest.checks.{module}:CHECKS", registry.GROUP)
               for module in ("water", "licence")]  # fmt: skip
    _with(monkeypatch, entries)
    found = registry.all_checks()
    assert len(found) == len(water.CHECKS) + len(licence.CHECKS)
    assert [c.id for c in found] == sorted(c.id for c in found)


def test_a_plugin_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, [EntryPoint("odd", "ecotone.ingest.checks.water:VALUE", registry.GROUP)])
    with pytest.raises(UsageError, match="odd"):
        registry.all_checks()


def _with(monkeypatch: pytest.MonkeyPatch, entries: list[EntryPoint]) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    registry.all_checks.cache_clear()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    registry.all_checks.cache_clear()
