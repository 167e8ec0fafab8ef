"""What was known at a moment, and that every observation stands under a line of the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecotone.store import Store
from tests.nodes import new_node
from tests.postgres import server
from tests.sensing import Client, Service, serving
from tests.unit.serve.conftest import BOTH
from tests.unit.serve.sta_seed import POINT, place, plant


@pytest.fixture(params=BOTH)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    url = None if request.param == "sqlite" else server().new_database()
    with new_node(tmp_path / "node", url) as store, serving(store) as running:
        yield running


@pytest.fixture
def client(service: Service) -> Client:
    return service.client(service.store.party_id)


def a_moment() -> str:
    """Now, with what was before it and what comes after it surely apart."""
    time.sleep(0.02)
    told = datetime.now(UTC).isoformat()
    time.sleep(0.02)
    return told


def test_what_was_known_then(client: Client) -> None:
    before = a_moment()
    seed = plant(client)
    first, second, *_ = seed.observations
    planted = a_moment()
    client.change(f"Observations({first})", {"result": 33})
    client.change(f"Things({seed.thing})", {"name": "renamed"})
    client.make(f"Things({seed.thing})/Locations", place("elsewhere", {**POINT}))
    changed = a_moment()
    client.remove(f"Observations({second})")
    late = client.make(f"Datastreams({seed.streams[0]})/Observations", {"result": 99})
    client.change(f"Observations({first})", {"result": 333})
    removed = a_moment()

    at = f"Datastreams({seed.streams[0]})/Observations"
    listed = {
        moment: [o["result"] for o in client.values(at, as_of=moment, orderby="id")]
        for moment in (before, planted, changed, removed)
        if moment != before
    }
    assert listed == {planted: [3, 4], changed: [33, 4], removed: [333, 99]}
    assert client.status("GET", f"{at}?$as_of={before}".replace("+", "%2B")) == 404
    assert client.values("Things", as_of=before) == []
    thing = client.get(f"Things({seed.thing})", as_of=planted, expand="Locations")
    assert thing["name"] == "thing name 1"
    assert [each["name"] for each in thing["Locations"]] == ["thing name 1 place"]
    moved = client.get(f"Things({seed.thing})", as_of=changed, expand="Locations")
    assert (moved["name"], moved["Locations"][0]["name"]) == ("renamed", "elsewhere")
    # Filters, counts, extents and pages see what stood then, too.
    past = {"as_of": changed, "filter": "result gt 5", "count": "true"}
    assert client.get("Observations", **past)["@iot.count"] == 2
    assert client.get(f"Datastreams({seed.streams[0]})", as_of=planted)["phenomenonTime"] == (
        "2015-03-03T00:00:00Z/2015-03-04T00:00:00Z"
    )
    expanded = client.get(
        f"Things({seed.thing})",
        as_of=changed,
        expand="Datastreams($orderby=name;$expand=Observations($orderby=result desc;$top=1;"
        "$count=true),Sensor,ObservedProperty)",
    )["Datastreams"]
    assert [d["Observations"][0]["result"] for d in expanded] == [33, 6]
    assert expanded[0]["Observations@iot.count"] == 2
    assert "$as_of=" in expanded[0]["Observations@iot.nextLink"]
    more = client.get(expanded[0]["Observations@iot.nextLink"])
    assert len(more["value"]) == 1
    some = "Datastreams/any(d:d/Observations/any(o:o/result eq 33)) and Locations/name ne 'x'"
    assert client.ids("Things", as_of=changed, filter=some) == [seed.thing]
    assert client.ids("Things", as_of=planted, filter=some) == []
    inside = "st_within(location,geography'POLYGON((-118 50,-116 50,-116 52,-118 52,-118 50))')"
    assert len(client.ids("Locations", as_of=planted, filter=inside)) == 1
    arrays = client.get(at, as_of=changed, resultFormat="dataArray", orderby="id")["value"]
    assert [row[3] for row in arrays[0]["dataArray"]] == [33, 4]
    raw = client.ask("GET", f"Observations({first})/result/$value", as_of=changed)
    assert raw.text == "33"
    page = client.get("Observations", as_of=planted, top=3)
    rest = client.get(page["@iot.nextLink"])
    assert [o["result"] for o in page["value"] + rest["value"]] == [3, 4, 5, 6]
    for path in (f"Observations({late})", f"Observations({late})/Datastream"):
        assert client.status("GET", f"{path}?$as_of={changed}".replace("+", "%2B")) == 404
    assert (
        client.get(f"Observations({second})/Datastream", as_of=changed)["@iot.id"]
        == (seed.streams[0])
    )


@pytest.mark.parametrize(
    "moment", ["banana", "2015-03-03T00:00:00", "2099-01-01T00:00:00Z", "2099-01-01", ""]
)
def test_moments_that_are_none(client: Client, moment: str) -> None:
    assert client.status("GET", f"Things?$as_of={moment}") == 422


def test_a_day_is_meant_to_its_end(client: Client) -> None:
    plant(client)
    time.sleep(0.02)
    today = datetime.now(UTC).date()
    assert len(client.values("Things", as_of=today)) == 1
    assert client.values("Things", as_of=today - timedelta(days=1)) == []


def lines(store: Store) -> list[dict[str, Any]]:
    from ecotone.store import ledger

    with store.database.reading() as connection:
        said = [line.said for line in ledger.entries(connection) if line.kind == "sensorthings"]
    return [body for body in said if body["do"] == "observations"]


def test_every_observation_stands_under_a_line(service: Service, client: Client) -> None:
    seed = plant(client)
    at = f"Datastreams({seed.streams[0]})/Observations"
    for value in (1, "two", True, {"three": 3}, -0.0, 1e300):
        client.make(at, {"result": value, "parameters": {"n": "é"}})
    rows = [[f"2020-01-01T00:00:{n % 60:02d}Z", n / 7] for n in range(1500)]
    body = [{"Datastream": {"@iot.id": seed.streams[1]}, "dataArray": rows,
             "components": ["phenomenonTime", "result"]}]  # fmt: skip
    assert client.status("POST", "CreateObservations", body) == 201
    assert [(b["first"], b["last"]) for b in lines(service.store)] == [(1, 4), (5, 10), (11, 1510)]
    number = client.make(at, {"result": 7})
    client.change(f"Observations({number})", {"result": 8})
    client.remove(f"Observations({number})")
    client.remove(f"Observations({seed.observations[0]})")
    client.make(at, {"result": 9, "phenomenonTime": "2020-01-01T00:00:00+05:00"})
    service.sensing.close()
    party = str(service.store.party_id).lower()
    assert [(b["last"], b["by"]) for b in lines(service.store)][2:] == [
        (1510, {f"{party}.tester": 1500}), (1511, {f"{party}.tester": 1}),
        (1512, {f"{party}.tester": 1}),
    ]  # fmt: skip
    assert service.store.verify_ledger() == []


def test_a_long_array_stands_under_several_lines(
    service: Service, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecotone.store.sensorthings_seal.BLOCK", 700)
    seed = plant(client)
    rows = [["2020-01-01T00:00:00Z", n / 7, "x" if n < 3 else None] for n in range(1500)]
    body = [{"Datastream": {"@iot.id": seed.streams[1]}, "dataArray": rows,
             "components": ["phenomenonTime", "result", "resultQuality"]}]  # fmt: skip
    assert client.status("POST", "CreateObservations", body) == 201
    said = [(b["first"], b["last"], sum(b["by"].values())) for b in lines(service.store)]
    assert said[1:] == [(5, 704, 700), (705, 1404, 700), (1405, 1504, 100)]
    assert service.store.verify_ledger() == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE sta_observation SET result = 4.5 WHERE id = 2",
        "DELETE FROM sta_observation WHERE id = 2",
        "UPDATE sta_counter SET value = 3 WHERE name = 'sealed'",
        "DELETE FROM sta_history",
    ],
)
def test_what_was_touched_behind_the_door_is_found(
    service: Service, client: Client, damage: str
) -> None:
    seed = plant(client)
    client.change(f"Observations({seed.observations[0]})", {"result": 33})
    assert service.store.verify_ledger() == []
    with service.store.database.writing() as connection:
        connection.execute(sa.text(damage))
    found = service.store.verify_ledger()
    assert {each.code for each in found} == {"observations"}
    assert all("4" in each.message() for each in found)
