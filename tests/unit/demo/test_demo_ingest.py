"""Every delivery of the basin, read as a party would read it."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from ecotone.demo.basin import Basin, Delivery, Nature
from ecotone.demo.faults import FAULTS, ROWS
from ecotone.ingest import mapping as mappings
from ecotone.ingest.delivery import Delivery as Read
from ecotone.ingest.delivery import Orders, process
from ecotone.ingest.sinks import DrySink

NAMES = (
    "water-long",
    "water-russian",
    "water-book",
    "water-daily",
    "lab-controls",
    "lab-custody",
    "lab-sonde",
    "lab-devices",
    "lab-events",
    "lab-rules",
    "lab-history",
    "ndvi-bands",
    "ndvi-netcdf",
    "ndvi-dated",
    "wildlife-archive",
    "camera-traps",
    "wildlife-table",
    "individuals",
    "identity-decisions",
    "broken-archive",
    "loggers",
)


def read(delivery: Delivery) -> tuple[Read, Counter[str]]:
    mapping = mappings.load(delivery.mapping) if delivery.mapping else None
    sink = DrySink()
    done = process(delivery.path, Orders(mapping=mapping), sink)
    codes = Counter(json.loads(text)["code"] for text in sink.findings())
    sink.close()
    return done, codes


def named(basin: Basin, name: str) -> Delivery:
    return next(d for d in basin.deliveries if d.name == name)


def test_the_names_above_are_all(basin: Basin) -> None:
    assert {d.name for d in basin.deliveries} == {*NAMES, "sites"}


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_the_expected_one(basin: Basin, name: str) -> None:
    delivery = named(basin, name)
    done, codes = read(delivery)
    assert done.verdict == delivery.expected, codes


def test_lists_of_stations_are_taken_whole(basin: Basin) -> None:
    for delivery in basin.deliveries:
        if delivery.name == "sites":
            done, _ = read(delivery)
            assert (done.verdict, done.records, done.rejected) == ("accepted", {"Site": 26}, 0)


def test_each_party_delivers_ten_thousand_records(basin: Basin, nature: Nature) -> None:
    for party in basin.parties:
        total = 0
        for delivery in basin.deliveries_of(party.party_id):
            if delivery.name.startswith("water"):
                total += read(delivery)[0].records["Observation"]
        results = sum(len(part.results) for part in nature.water[party.party_id])
        assert total == results >= 10_000


def test_the_faulty_rows_are_turned_away_and_no_others(basin: Basin) -> None:
    done, codes = read(named(basin, "loggers"))
    assert done.rejected == sum(FAULTS.values())
    assert done.records == {"Observation": ROWS - done.rejected}
    assert sum(n for code, n in codes.items()) >= done.rejected


def test_wildlife_comes_in_as_counted(basin: Basin) -> None:
    assert read(named(basin, "wildlife-archive"))[0].records == {"Occurrence": 2600}
    assert read(named(basin, "wildlife-table"))[0].records == {"Occurrence": 1800}
    assert read(named(basin, "camera-traps"))[0].records == {
        "Deployment": 40,
        "Media": 3000,
        "Observation": 3000,
    }
    assert read(named(basin, "individuals"))[0].rejected == 0
    assert read(named(basin, "identity-decisions"))[0].rejected == 0
    for name in ("ndvi-bands", "ndvi-netcdf", "ndvi-dated"):
        assert read(named(basin, name))[0].records == {"Coverage": 1}


def test_sound_deliveries_raise_no_doubts(basin: Basin) -> None:
    for delivery in basin.deliveries:
        if delivery.expected == "accepted":
            codes = read(delivery)[1]
            # Seven bottles went astray; the one that arrived before it was taken is told twice.
            planted = {"custody-unbroken": 8} if delivery.name == "lab-custody" else {}
            assert codes == planted, (delivery.name, codes)
