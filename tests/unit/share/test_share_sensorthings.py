"""Sensors through the door: decisions of agreements as grants, and who may write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ecotone.model.errors import EcotoneError
from ecotone.model.odata import Query
from ecotone.model.records import Clearance, Dataset
from ecotone.model.sensorthings import ENTITIES, Refused
from ecotone.share.sensorthings import Sensing, observation, remove
from ecotone.store import Store
from tests import signing
from tests.nodes import new_node
from tests.unit.serve.sta_seed import whole

CLEARED = Clearance(authority="M", number="1", date=date(2025, 1, 1), scope="all")
DAY = date(2026, 6, 1)
THING, STREAM = ENTITIES["Thing"], ENTITIES["Datastream"]


def agreement(*classes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "agreement_id": "AG", "title": {"en": "x"}, "owner": "KNCM", "recipients": ["GUEST"],
        "purposes": ["assessment"], "actions": ["download"], "datasets": ["shared"],
        "classes": list(classes), "valid_from": "2026-01-01", "valid_until": "2030-01-01",
        "status": "active", **more,
    }  # fmt: skip


FULL = {"name": "all", "level": "full"}
COARSE = {"name": "all", "level": "generalised", "cell_degrees": 1}


class Node:
    """A node with one station in a shared dataset."""

    def __init__(self, store: Store, cleared: bool = True) -> None:
        self.store = store
        self.day = DAY
        store.put_dataset(
            Dataset(dataset_id="shared", party_id="KNCM", title="S",
                    export_clearance=CLEARED if cleared else None),
            person="aigul",
        )  # fmt: skip
        self.sensing = Sensing(store, lambda: self.day)
        self.thing = self.make("shared")

    def make(self, dataset: str | None) -> int:
        work = self.sensing.edit(
            "KNCM", "aigul", "create",
            lambda editor: editor.create(THING, whole("t"), dataset=editor.mine(dataset)),
        )  # fmt: skip
        return int(work.result(30))

    def agree(self, *classes: dict[str, Any], **more: Any) -> None:
        signing.conclude(self.store, agreement(*classes, **more), person="aigul")
        # What was known is known for a second.
        self.sensing._known = None

    def seen(self, name: str, party: str | None = "GUEST", **query: Any) -> list[dict[str, Any]]:
        with self.sensing.reading(party) as reader:
            found = reader.page(ENTITIES[name], Query(**query))
        return [dict(zip(found.keys, row, strict=False)) for row in found.rows]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with new_node(tmp_path / "node") as store:
        made = Node(store)
        yield made
        made.sensing.close()


def test_without_an_agreement_nothing_is_there(node: Node) -> None:
    for party in (None, "GUEST", "ALIEN"):
        assert node.sensing.scope(party).reader is None
        assert node.seen("Thing", party) == []
    assert len(node.seen("Thing", "KNCM")) == 1


def test_in_full(node: Node) -> None:
    node.agree(FULL)
    assert [t["name"] for t in node.seen("Thing")] == ["t"]
    assert [o["result"] for o in node.seen("Observation")] == [3, 4, 5, 6]
    for name in ("Location", "HistoricalLocation", "FeatureOfInterest"):
        assert len(node.seen(name)) == 1
    for name in ("Datastream", "Sensor", "ObservedProperty"):
        assert len(node.seen(name)) == 2
    # Seen from the next request on, whatever is added.
    node.make("shared")
    assert len(node.seen("Thing")) == len(node.seen("Location")) == 2
    node.make(None)
    assert len(node.seen("Thing")) == 2


def test_coarsely(node: Node) -> None:
    node.agree(COARSE)
    [thing] = node.seen("Thing")
    told = thing["name"], thing["description"], thing["properties"]
    assert told == ("", "", '{"released":"generalised"}')
    [place] = node.seen("Location")
    assert place["location"] == '{"type":"Point","coordinates":[-117.5,51.5]}'
    assert node.seen("Observation") == node.seen("HistoricalLocation") == []
    assert node.seen("FeatureOfInterest") == []
    stream, other = node.seen("Datastream")
    assert (stream["name"], stream["observed_area"], stream["first"]) == ("", None, None)
    assert stream["unit_of_measurement"] == other["unit_of_measurement"] != ""
    assert [p["name"] for p in node.seen("ObservedProperty")] == ["Luminous Flux", "Temperature"]
    assert [s["metadata"] for s in node.seen("Sensor")] == [None, None]


def test_only_some_properties(node: Node) -> None:
    node.agree(
        {"name": "sites", "nouns": ["Site"], "level": "full"},
        {"name": "flux", "nouns": ["Observation"], "properties": ["Temperature"], "level": "full"},
    )
    assert [o["result"] for o in node.seen("Observation")] == [5, 6]
    assert [s["name"] for s in node.seen("Sensor")] == ["sensor name 2"]


def test_a_stream_is_seen_only_with_its_thing(node: Node) -> None:
    node.agree({"name": "obs", "nouns": ["Observation"], "level": "full"})
    assert node.seen("Datastream") == node.seen("Thing") == []


def test_under_an_embargo(node: Node) -> None:
    node.agree({**FULL, "embargo_months": 135})
    assert [o["result"] for o in node.seen("Observation")] == []
    node.day = date(2026, 6, 5)
    node.sensing._known = None
    assert [o["result"] for o in node.seen("Observation")] == [3, 4]
    assert all(s["first"] is None for s in node.seen("Datastream"))


def test_fields_withheld_by_name_make_all_coarse(node: Node) -> None:
    node.agree({**FULL, "withheld_fields": ["latitude"]})
    assert [t["name"] for t in node.seen("Thing")] == [""]
    assert node.seen("Observation") == []


@pytest.mark.parametrize(
    ("classes", "more"),
    [
        ([FULL], {"actions": ["view"]}),
        ([FULL], {"recipients": ["OTHER"]}),
        ([FULL], {"valid_until": "2026-02-01"}),
        ([FULL], {"datasets": ["kncm-other"]}),
        ([{"name": "m", "level": "metadata"}], {}),
        ([FULL, {"name": "no", "level": "withheld"}], {}),
        ([{**FULL, "taxa": ["Panthera uncia"]}], {}),
    ],
)
def test_what_no_agreement_opens(
    node: Node, classes: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    node.agree(*classes, **more)
    assert node.seen("Thing") == node.seen("Datastream") == []


def test_without_clearance_nothing_leaves(tmp_path: Path) -> None:
    with new_node(tmp_path / "node") as store:
        node = Node(store, cleared=False)
        node.agree(FULL)
        assert node.seen("Thing") == []
        node.sensing.close()


def test_an_agreement_that_cannot_be_read_closes_what_it_names(node: Node) -> None:
    node.agree(FULL)
    for named in (["shared"], "all of it"):
        strange = {"agreement_id": f"X{len(named)}", "version": 1, "datasets": named, "new": 1}
        node.store.put_agreement(strange, "", person="aigul")
        node.sensing._known = None
        assert node.seen("Thing") == []


def test_a_zone_decides_by_all_places_a_thing_ever_had(node: Node) -> None:
    square = [[-118, 50], [-116, 50], [-116, 52], [-118, 52], [-118, 50]]
    zones = {"here": {"type": "Polygon", "coordinates": [square]}}
    node.agree({**FULL, "zones": ["here"]}, zones=zones)
    assert len(node.seen("Thing")) == 1
    away = {"name": "p", "description": "d", "encodingType": "application/geo+json",
            "location": {"type": "Point", "coordinates": [70, 40]}}  # fmt: skip
    node.sensing.edit(
        "KNCM", "aigul", "move",
        lambda editor: editor.update(THING, node.thing, {"Locations": [{"@iot.id": editor.create(
            ENTITIES["Location"], away, dataset="shared")}]}, whole=False),
    ).result(30)  # fmt: skip
    assert node.seen("Thing") == []


def test_writing_is_for_owners(node: Node) -> None:
    node.agree(FULL)
    [first, _] = [s["id"] for s in node.seen("Datastream")]

    def wrong(work: Any) -> EcotoneError:
        with pytest.raises(EcotoneError) as caught:
            node.sensing.edit("GUEST", "guest", "x", work).result(30)
        return caught.value

    assert isinstance(wrong(lambda e: remove(e, THING, node.thing)), Refused)
    assert isinstance(wrong(lambda e: e.update(STREAM, first, {"name": "x"}, whole=False)), Refused)
    rows = observation({"result": 1}, first)
    assert rows is not None
    with pytest.raises(Refused) as caught:
        node.sensing.add("GUEST", "guest", rows).result(30)
    assert caught.value.status == 403
    with pytest.raises(Refused):
        node.sensing.edit("NOBODY", "x", "x", lambda e: None)
    numbers = node.sensing.add("KNCM", "aigul", rows).result(30)
    assert len(numbers) == 1
    said = [entry.said["do"] for entry in _ledger(node.store) if entry.kind == "sensorthings"]
    # What was refused left no line; the last observation gets its own within seconds.
    assert said == ["create", "observations"]
    node.sensing.close()
    assert _ledger(node.store)[-1].said["by"] == {"aigul": 1}


def _ledger(store: Store) -> list[Any]:
    from ecotone.store import ledger

    with store.database.reading() as connection:
        return list(ledger.entries(connection))
