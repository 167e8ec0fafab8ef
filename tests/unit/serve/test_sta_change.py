"""Changing: deep inserts, links, features made by themselves, histories, patches, removals."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.sensing import Client
from tests.unit.serve.sta_seed import (
    POINT,
    feature,
    place,
    plant,
    prop,
    sensor,
    stream,
    whole,
)

ELSEWHERE = {"type": "Point", "coordinates": [-110.0, 50.0]}
SETS = (
    "Observations", "FeaturesOfInterest", "Datastreams", "Sensors", "ObservedProperties",
    "HistoricalLocations", "Locations", "Things",
)  # fmt: skip


@pytest.fixture(autouse=True)
def empty(sta: Client) -> None:
    """As the suite of the standard does it: everything goes, kind by kind."""
    for name in SETS:
        while numbers := sta.ids(name):
            for number in numbers:
                sta.remove(f"{name}({number})")
                assert sta.status("GET", f"{name}({number})") == 404


def counts(sta: Client) -> dict[str, int]:
    return {name: sta.get(name, count="true", top=0)["@iot.count"] for name in SETS}


def station(sta: Client, *, placed: bool = True) -> tuple[int, int]:
    """A thing and a datastream of it."""
    body: dict[str, Any] = {"name": "t", "description": "d"}
    if placed:
        body["Locations"] = [place()]
    thing = sta.make("Things", body)
    made = stream("s", Thing={"@iot.id": thing}, Sensor=sensor(), ObservedProperty=prop())
    return thing, sta.make("Datastreams", made)


def test_each_kind_by_itself(sta: Client) -> None:
    thing = sta.make("Things", {"name": "t", "description": "d"})
    location = sta.make("Locations", place("bow river"))
    probe = sta.make("Sensors", sensor(metadata={"any": ["json", 1]}))
    observed = sta.make("ObservedProperties", prop())
    lake = sta.make("FeaturesOfInterest", feature())
    links = {"Thing": {"@iot.id": thing}, "Sensor": {"@iot.id": probe},
             "ObservedProperty": {"@iot.id": observed}}  # fmt: skip
    datastream = sta.make("Datastreams", stream("s", **links))
    told = {"phenomenonTime": "2015-03-01T00:40:00.000Z", "result": 8,
            "Datastream": {"@iot.id": datastream},
            "FeatureOfInterest": {"@iot.id": lake}}  # fmt: skip
    first = sta.get(f"Observations({sta.make('Observations', told)})")
    assert first["phenomenonTime"] == "2015-03-01T00:40:00.000Z"
    assert "resultTime" in first and first["resultTime"] is None
    assert sta.get(f"Observations({first['@iot.id']})/FeatureOfInterest")["@iot.id"] == lake
    # A thing without a place has nothing to make a feature of.
    body = {"result": 1, "Datastream": {"@iot.id": datastream}}
    assert sta.status("POST", "Observations", body) == 400
    sta.change(f"Things({thing})", {"Locations": [{"@iot.id": location}]})
    second = sta.make("Observations", {**body, "resultTime": "2015-03-01T01:00:00.000Z"})
    assert sta.get(f"Observations({second})")["resultTime"] == "2015-03-01T01:00:00.000Z"
    made = sta.get(f"Observations({second})/FeatureOfInterest")
    assert (made["feature"], made["name"]) == (POINT, "bow river")
    third = sta.make("Observations", {"phenomenonTime": "2015-05-01T00:00:00Z", **body})
    again = sta.get(f"Observations({third})/FeatureOfInterest")
    assert again["@iot.id"] == made["@iot.id"] != lake
    expanded = sta.get(f"Datastreams({datastream})", expand="Thing,Sensor,ObservedProperty")
    for name, link in links.items():
        assert expanded[name]["@iot.id"] == link["@iot.id"]
    assert sta.get(f"Sensors({probe})")["metadata"] == {"any": ["json", 1]}
    history = {"time": "2015-03-01T00:40:00.000Z", "Thing": {"@iot.id": thing},
               "Locations": [{"@iot.id": location}]}  # fmt: skip
    entry = sta.make("HistoricalLocations", history)
    assert sta.get(f"HistoricalLocations({entry})")["time"] == history["time"]
    bare = {"time": "2015-03-03T00:00:00Z", "Thing": {"@iot.id": thing}}
    entry = sta.make("HistoricalLocations", bare)
    assert sta.get(f"HistoricalLocations({entry})")["time"] == bare["time"]


def test_a_deep_insert_makes_the_whole_tree(sta: Client) -> None:
    answer = sta.ask("POST", "Things", whole("t"))
    assert answer.status == 201
    url = answer.headers["location"]
    thing = sta.get(
        url, expand="Locations,HistoricalLocations,Datastreams($expand=Sensor,ObservedProperty,"
        "Observations($expand=FeatureOfInterest))",
    )  # fmt: skip
    assert len(thing["Locations"]) == len(thing["HistoricalLocations"]) == 1
    assert thing["HistoricalLocations"][0]["time"]
    for datastream in thing["Datastreams"]:
        assert datastream["Sensor"]["encodingType"] == "application/pdf"
        assert datastream["observedArea"] == POINT
        assert len({o["FeatureOfInterest"]["@iot.id"] for o in datastream["Observations"]}) == 1
    assert thing["Datastreams"][0]["phenomenonTime"] == "2015-03-03T00:00:00Z/2015-03-04T00:00:00Z"
    assert counts(sta) == {
        "Observations": 4, "FeaturesOfInterest": 1, "Datastreams": 2, "Sensors": 2,
        "ObservedProperties": 2, "HistoricalLocations": 1, "Locations": 1, "Things": 1,
    }  # fmt: skip
    # The same names once more are no fault.
    sta.make("Things", whole("t"))
    inline = {"phenomenonTime": "2015-03-01T00:00:00Z", "result": 5,
              "Datastream": {"@iot.id": thing["Datastreams"][0]["@iot.id"]},
              "FeatureOfInterest": feature("inline")}  # fmt: skip
    number = sta.make("Observations", inline)
    assert sta.get(f"Observations({number})/FeatureOfInterest/name") == {"name": "inline"}


def test_posting_to_a_link(sta: Client) -> None:
    thing, datastream = station(sta, placed=False)
    location = sta.make(f"Things({thing})/Locations", place())
    assert sta.ids(f"Things({thing})/Locations") == [location]
    number = sta.make(f"Datastreams({datastream})/Observations", {"result": 55.0})
    assert sta.ids(f"Datastreams({datastream})/Observations") == [number]
    links = sta.get(f"Datastreams({datastream})", expand="Thing,Sensor,ObservedProperty")
    ends = {k: {"@iot.id": links[k]["@iot.id"]} for k in ("Thing", "Sensor", "ObservedProperty")}
    for name, path in (("Thing", "Things"), ("Sensor", "Sensors"),
                       ("ObservedProperty", "ObservedProperties")):  # fmt: skip
        others = {k: v for k, v in ends.items() if k != name}
        at = f"{path}({ends[name]['@iot.id']})/Datastreams"
        made = sta.make(at, stream("s", **others))
        assert made in sta.ids(at)
        assert sta.get(f"Datastreams({made})/{name}")["@iot.id"] == ends[name]["@iot.id"]
    another = sta.make(f"Locations({location})/Things", {"name": "u", "description": "d"})
    assert sta.ids(f"Things({another})/Locations") == [location]
    assert sorted(sta.ids(f"Locations({location})/Things")) == [thing, another]
    entry = {"time": "2024-01-15T12:00:00Z", "Locations": [{"@iot.id": location}]}
    made = sta.make(f"Things({thing})/HistoricalLocations", entry)
    assert made in sta.ids(f"Things({thing})/HistoricalLocations")
    lake = sta.make("FeaturesOfInterest", feature())
    body = {"result": 1, "Datastream": {"@iot.id": datastream}}
    made = sta.make(f"FeaturesOfInterest({lake})/Observations", body)
    assert sta.ids(f"FeaturesOfInterest({lake})/Observations") == [made]
    assert sta.status("POST", "Datastreams(99999)/Observations", {"result": 1}) in (400, 404)
    assert sta.status("POST", f"Things({thing})", {"name": "x"}) == 405


def test_every_change_of_place_is_noted(sta: Client) -> None:
    thing = sta.make("Things", {"name": "t", "description": "d", "Locations": [place("one")]})
    at = f"Things({thing})"
    first = sta.ids(f"{at}/Locations")
    assert len(sta.ids(f"{at}/HistoricalLocations")) == 1
    second = sta.make(f"{at}/Locations", place("two", ELSEWHERE))
    assert sta.ids(f"{at}/Locations") == [second]
    noted = sta.values(f"{at}/HistoricalLocations", expand="Locations", count="true")
    assert [[p["@iot.id"] for p in e["Locations"]] for e in noted] == [first, [second]]
    sta.change(at, {"Locations": [{"@iot.id": first[0]}]})
    assert len(sta.ids(f"{at}/HistoricalLocations")) == 3
    # An entry that is the newest says where the thing is; an old one does not.
    for when, expected in (("2001-01-01T00:00:00Z", first[0]), ("2199-01-01T00:00:00Z", second)):
        body = {"time": when, "Thing": {"@iot.id": thing}, "Locations": [{"@iot.id": second}]}
        sta.make("HistoricalLocations", body)
        assert sta.ids(f"{at}/Locations") == [expected]


def test_a_moved_place_gets_a_feature_of_its_own(sta: Client) -> None:
    thing, datastream = station(sta)
    body = {"result": 1, "Datastream": {"@iot.id": datastream}}
    before = sta.make("Observations", body)
    location = sta.ids(f"Things({thing})/Locations")[0]
    sta.change(f"Locations({location})", {"location": ELSEWHERE})
    after = sta.make("Observations", body)
    features = [sta.get(f"Observations({n})/FeatureOfInterest") for n in (before, after)]
    assert [f["feature"] for f in features] == [POINT, ELSEWHERE]
    area = sta.get(f"Datastreams({datastream})")["observedArea"]
    assert area["type"] == "LineString"


BAD: list[tuple[str, Any]] = [
    ("Things", {"description": "no name"}),
    ("Things", {"name": "x", "description": "d", "unknown": 1}),
    ("Things", {"name": 5, "description": "d"}),
    ("Things", {"name": None, "description": "d"}),
    ("Things", {"name": "x", "description": "d", "properties": "text"}),
    ("Things", {"name": "x", "description": "d", "Locations": [{"@iot.id": 999999}]}),
    ("Things", {"name": "x", "description": "d", "Locations": {"@iot.id": 1}}),
    ("Things", {"name": "x", "description": "d", "Locations": [{"@iot.id": "one"}]}),
    ("Things", {"name": "x", "description": "d", "Locations": [{"name": "half"}]}),
    ("Things", [1]),
    ("Things", b"{not json"),
    ("Things", b"\xff\xfe"),
    ("Locations", {"description": "d", "encodingType": "application/geo+json", "location": POINT}),
    ("Locations", {**place(), "location": {"type": "Point", "coordinates": "x"}}),
    ("Locations", {**place(), "location": "POINT(1 1)"}),
    ("HistoricalLocations", {"time": "2024-01-01T00:00:00Z", "Thing": {"@iot.id": 999999}}),
    ("HistoricalLocations", {"time": "2024-01-01T00:00:00Z"}),
    ("Observations", {"result": 1}),
    ("Observations", {"result": 1, "Datastream": {"@iot.id": 999999}}),
    ("Observations", {"result": 1, "Datastream": {"@iot.id": 9}, "phenomenonTime": "yesterday"}),
    ("Observations", {"result": 1, "Datastream": {"@iot.id": 9},
                      "phenomenonTime": "2015-03-01T00:00:00"}),
    ("Observations", {"Datastream": {"@iot.id": 9}}),
    ("Observations", {"result": 1, "Datastream": {"@iot.id": 9}, "validTime":
                      "2015-03-02T00:00:00Z/2015-03-01T00:00:00Z"}),
    ("Datastreams", stream("s", Sensor=sensor(), ObservedProperty=prop())),
    ("Sensors", {"name": "x", "description": "d", "encodingType": "application/pdf"}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_is_wrong_is_refused_and_leaves_nothing(sta: Client, number: int) -> None:
    path, body = BAD[number]
    before = counts(sta)
    answer = sta.ask("POST", path, body)
    assert answer.status == 400, answer.text
    told = answer.json
    assert (told["code"], told["type"]) == (400, "error")
    assert not any(
        w in answer.text.lower() for w in ("constraint", "violates", "sqlite", "psycopg")
    )
    assert counts(sta) == before


def test_a_wrong_part_undoes_the_whole_insert(sta: Client) -> None:
    thing = sta.make("Things", {"name": "t", "description": "d"})
    before = counts(sta)
    observed = [{"phenomenonTime": "2015-03-01T00:10:00Z", "result": 10}]
    for body in (
        stream("s", Thing={"@iot.id": thing}, ObservedProperty=prop(), Observations=observed),
        stream("s", Thing={"@iot.id": thing}, Sensor=sensor(), Observations=observed),
        stream("s", Sensor=sensor(), ObservedProperty=prop(), Observations=observed),
        # Nowhere, so no feature can be made.
        stream("s", Thing={"@iot.id": thing}, Sensor=sensor(), ObservedProperty=prop(),
               Observations=observed),
    ):  # fmt: skip
        assert sta.status("POST", "Datastreams", body) == 400
        assert counts(sta) == before
    bad = whole("x")
    del bad["Datastreams"][1]["Sensor"]["encodingType"]
    assert sta.status("POST", "Things", bad) == 400
    _, datastream = station(sta)
    half = {"name": "half", "description": "d", "feature": POINT}
    body = {"result": 1, "Datastream": {"@iot.id": datastream}, "FeatureOfInterest": half}
    assert sta.status("POST", "Observations", body) == 400
    assert counts(sta)["Observations"] == counts(sta)["FeaturesOfInterest"] == 0


@pytest.mark.parametrize(
    ("path", "body", "changed"),
    [
        ("Things", None, {"description": "patched"}),
        ("Locations", None, {"location": {"type": "Point", "coordinates": [114.05, -50]}}),
        ("HistoricalLocations", None, {"time": "2015-07-01T00:00:00.000Z"}),
        ("Sensors", None, {"metadata": "PATCHED"}),
        ("ObservedProperties", None, {"description": "PATCHED"}),
        ("FeaturesOfInterest", None, {"feature": {"type": "Point", "coordinates": [1.5, -51]}}),
        ("Datastreams", None, {"unitOfMeasurement": {"name": "E", "symbol": "S"}}),
        ("Observations", None, {"phenomenonTime": "2015-07-01T00:40:00.000Z"}),
        ("Observations", None, {"result": 99.9}),
        ("Observations", None, {"resultQuality": "High", "parameters": {"a": 1}}),
    ],
)  # fmt: skip
def test_a_patch_changes_what_it_names(
    sta: Client, path: str, body: Any, changed: dict[str, Any]
) -> None:
    plant(sta)
    number = sta.ids(path)[0]
    before = sta.get(f"{path}({number})")
    sta.change(f"{path}({number})", changed)
    assert sta.get(f"{path}({number})") == {**before, **changed}


def test_patches_of_links(sta: Client) -> None:
    _, datastream = station(sta)
    at = f"Datastreams({datastream})"
    other = sta.make("Sensors", sensor("other"))
    sta.change(at, {"Sensor": {"@iot.id": other}})
    assert sta.get(f"{at}/Sensor")["@iot.id"] == other
    inline = [
        ("Things", {"Locations": [place()]}), ("Things", {"Datastreams": [{"name": "x"}]}),
        ("Sensors", {"Datastreams": [stream("x")]}), ("Datastreams", {"Sensor": sensor()}),
        ("Datastreams", {"Thing": {"name": "x", "description": "y"}}),
        ("Datastreams", {"Observations": [{"result": 1}]}),
        ("Datastreams", {"ObservedProperty": prop()}),
        ("ObservedProperties", {"Datastreams": [stream("x")]}),
        ("Datastreams", {"Sensor": {"@iot.id": 999999}}), ("Datastreams", {"nosuch": 1}),
        ("Datastreams", {"name": None}),
    ]  # fmt: skip
    for path, body in inline:
        answer = sta.ask("PATCH", f"{path}({sta.ids(path)[0]})", body)
        assert (answer.status, answer.json["code"]) == (400, 400), (path, body)
    for path in SETS:
        for method in ("PATCH", "PUT", "DELETE"):
            assert sta.status(method, f"{path}({2**63 - 1})", {"name": "x"}) == 404


def test_put_replaces_everything(sta: Client) -> None:
    number = sta.make("Things", {"name": "a", "description": "b", "properties": {"k": 1}})
    at = f"Things({number})"
    before = sta.get(at)
    assert sta.status("PUT", at, {"name": "c", "description": "d"}) == 200
    after = sta.get(at)
    assert (after["name"], after["description"], after.get("properties")) == ("c", "d", None)
    assert after["@iot.selfLink"] == before["@iot.selfLink"]
    assert sta.status("PUT", at, {"description": "no name"}) == 400
    plant(sta)
    bodies: dict[str, dict[str, Any]] = {
        "Locations": place("UPDATED"),
        "HistoricalLocations": {"time": "2015-08-01T00:00:00.000Z"},
        "ObservedProperties": {"name": "Q", "definition": "Z", "description": "P"},
        "FeaturesOfInterest": feature("POIUYTREW"),
        "Datastreams": stream("Data coming from sensor on ISS."),
        "Observations": {"result": "99", "phenomenonTime": "2015-08-01T00:40:00.000Z"},
        "Sensors": sensor("UPDATED"),
    }
    for path, body in bodies.items():
        at = f"{path}({sta.ids(path)[0]})"
        assert sta.status("PUT", at, body) == 200, path
        after = sta.get(at)
        assert {name: after[name] for name in body} == body
    half = {k: v for k, v in sensor().items() if k != "metadata"}
    assert sta.status("PUT", f"Sensors({sta.ids('Sensors')[0]})", half) == 400


def test_json_patch(sta: Client) -> None:
    kind = "application/json-patch+json"
    _, datastream = station(sta)
    for at in (f"Things({sta.ids('Things')[0]})", f"Datastreams({datastream})"):

        def patch(*operations: dict[str, Any], at: str = at) -> int:
            return sta.status("PATCH", at, list(operations), kind=kind)

        def properties(at: str = at) -> Any:
            return sta.get(at).get("properties")

        assert patch({"op": "add", "path": "/properties", "value": {"key1": 1}}) == 200
        assert properties() == {"key1": 1}
        copy = {"op": "copy", "from": "/properties/key1", "path": "/properties/keyCopy1"}
        move = {"op": "move", "from": "/properties/key1", "path": "/properties/key2"}
        assert patch(copy, move) == 200
        assert properties() == {"keyCopy1": 1, "key2": 1}
        assert patch({"op": "replace", "path": "/properties/key2", "value": 1}) == 200
        assert patch({"op": "remove", "path": "/properties/keyCopy1"}) == 200
        assert properties() == {"key2": 1}
        test = {"op": "test", "path": "/properties/key2", "value": 2}
        assert patch(test, {"op": "remove", "path": "/properties"}) == 400
        assert properties() == {"key2": 1}
        for wrong in ({"op": "no", "path": "/name"}, {"op": "add", "path": "name", "value": 1},
                      {"op": "remove", "path": "/none"}, {"op": "remove", "path": "/name"},
                      {"op": "replace", "path": "/name"}):  # fmt: skip
            assert patch(wrong) == 400, wrong
        listed = {"op": "add", "path": "/properties/list", "value": [1, 3]}
        insert = {"op": "add", "path": "/properties/list/1", "value": 2}
        append = {"op": "add", "path": "/properties/list/-", "value": 4}
        assert patch(listed, insert, append) == 200
        assert properties()["list"] == [1, 2, 3, 4]


CASCADES: dict[str, tuple[str, ...]] = {
    "Things": ("Things", "Datastreams", "HistoricalLocations", "Observations"),
    "Datastreams": ("Datastreams", "Observations"),
    "Locations": ("Locations", "HistoricalLocations"),
    "HistoricalLocations": ("HistoricalLocations",),
    "Sensors": ("Sensors", "Datastreams", "Observations"),
    "ObservedProperties": ("ObservedProperties", "Datastreams", "Observations"),
    "FeaturesOfInterest": ("FeaturesOfInterest", "Observations"),
    "Observations": ("Observations",),
}


@pytest.mark.parametrize("path", CASCADES)
def test_what_goes_with_what(sta: Client, path: str) -> None:
    body = whole("t")
    del body["Datastreams"][1]
    del body["Datastreams"][0]["Observations"][1]
    sta.make("Things", body)
    sta.remove(f"{path}({sta.ids(path)[0]})")
    assert {name for name, n in counts(sta).items() if n == 0} == set(CASCADES[path])
    assert sta.get("Observations", count="true")["@iot.count"] == len(sta.ids("Observations"))


@pytest.mark.parametrize(
    "result",
    [True, False, "text", "8", 12345, 12.5, -0.0, 1e300, 2**60, {"a": [1, "x"]}, [1, 2], None, ""],
)
def test_results_keep_their_kind(sta: Client, result: Any) -> None:
    _, datastream = station(sta)
    number = sta.make(f"Datastreams({datastream})/Observations", {"result": result})
    found = sta.get(f"Observations({number})")["result"]
    assert found == result and type(found) is type(result)


def test_times_are_told_as_they_were_written(sta: Client) -> None:
    _, datastream = station(sta)
    for written in ("2015-03-01T00:40:00Z", "2015-03-01T00:40:00.000Z", "2015-03-01T05:40:00+05:00",
                    "2015-03-01T00:40:00.120Z", "1901-01-01T00:00:00.5Z",
                    "2015-03-01T00:00:00Z/2015-03-02T00:00:00Z"):  # fmt: skip
        body = {"result": 1, "phenomenonTime": written, "validTime":
                "2015-03-01T00:00:00Z/2015-03-02T00:00:00Z"}  # fmt: skip
        number = sta.make(f"Datastreams({datastream})/Observations", body)
        found = sta.get(f"Observations({number})")
        assert {name: found[name] for name in body} == body
    east = sta.values("Observations", filter="totaloffsetminutes(phenomenonTime) eq 300")
    assert [o["phenomenonTime"] for o in east] == ["2015-03-01T05:40:00+05:00"]
    whole_days = sta.ids("Observations", filter="phenomenonTime lt 2015-03-02T00:00:01Z")
    assert len(whole_days) == 6
    span = sta.get(f"Datastreams({datastream})")["phenomenonTime"]
    assert span == "1901-01-01T00:00:00.500Z/2015-03-02T00:00:00Z"


def test_observations_posted_at_once_share_one_feature(sta: Client) -> None:
    _, datastream = station(sta)

    def post(number: int) -> int:
        mine = Client(sta.root, sta.party)
        body = {"result": number, "Datastream": {"@iot.id": datastream}}
        return mine.make("Observations", body)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(post, range(40)))
    assert len(set(numbers)) == 40
    assert counts(sta)["FeaturesOfInterest"] == 1
    assert counts(sta)["Observations"] == 40


def test_arrays_in(sta: Client) -> None:
    _, first = station(sta)
    _, second = station(sta)
    groups = [
        {"Datastream": {"@iot.id": first}, "components": ["phenomenonTime", "result"],
         "dataArray": [["2099-06-01T00:00:00Z", 1.5], ["2099-06-02T00:00:00.000Z", "2.5"],
                       ["2099-06-03T00:00:00Z", True]]},
        {"Datastream": {"@iot.id": second},
         "components": ["result", "phenomenonTime", "resultTime", "resultQuality", "parameters",
                        "validTime", "FeatureOfInterest/id"],
         "dataArray": [[7, "2099-06-01T00:00:00Z", "2099-06-01T01:00:00.000Z", "good", {"a": 1},
                        "2099-06-01T00:00:00Z/2099-06-02T00:00:00Z", None]]},
    ]  # fmt: skip
    answer = sta.ask("POST", "CreateObservations", groups)
    assert answer.status == 201
    links = answer.json
    assert len(links) == 4
    told = [sta.get(link) for link in links]
    assert [t["result"] for t in told] == [1.5, "2.5", True, 7]
    assert told[1]["phenomenonTime"] == "2099-06-02T00:00:00.000Z"
    assert told[3]["resultTime"] == "2099-06-01T01:00:00.000Z"
    assert told[3]["parameters"] == {"a": 1} and told[3]["resultQuality"] == "good"
    assert sta.get(f"Datastreams({first})/Observations", count="true")["@iot.count"] == 3
    assert sta.get(f"Datastreams({first})")["phenomenonTime"].endswith("2099-06-03T00:00:00Z")
    row = [["2099-07-01T00:00:00Z"]]
    wrong: list[Any] = [
        [{"Datastream": {"@iot.id": first}, "components": ["phenomenonTime"], "dataArray": row}],
        [{"components": ["result"], "dataArray": [[1]]}],
        [{"Datastream": {"@iot.id": first}, "components": ["result"], "dataArray": [[1, 2]]}],
        [{"Datastream": {"@iot.id": first}, "components": ["result", "x"], "dataArray": [[1, 2]]}],
        [{"Datastream": {"@iot.id": 999}, "components": ["result"], "dataArray": [[1]]}],
        [{"Datastream": {"@iot.id": first}, "components": ["result", "phenomenonTime"],
          "dataArray": [[1, "no"]]}],
        [], {}, "x", b"{",
    ]  # fmt: skip
    for body in wrong:
        assert sta.status("POST", "CreateObservations", body) == 400, body
    mixed = [{"Datastream": {"@iot.id": n}, "components": ["result"], "dataArray": [[1]]}
             for n in (first, 999)]  # fmt: skip
    links = sta.ask("POST", "CreateObservations", mixed).json
    assert links[1] == "error" and links[0].startswith(sta.root)


def test_a_parquet_file_in(sta: Client) -> None:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    _, datastream = station(sta)

    def file(**columns: Any) -> bytes:
        out = io.BytesIO()
        pq.write_table(pa.table(columns), out)
        return out.getvalue()

    moments = pa.array([1_700_000_000 + n for n in range(64)], pa.timestamp("s", tz="UTC"))
    numbers = pa.array([n / 8 for n in range(64)])
    whole_file = {"Datastream/id": [datastream] * 64, "phenomenonTime": moments,
                  "result": numbers}  # fmt: skip
    naive = moments.cast(pa.timestamp("s"))
    kind = "application/vnd.apache.parquet"
    answer = sta.ask("POST", "BulkObservations", file(**whole_file), kind=kind)
    assert (answer.status, answer.json["created"]) == (201, 64)
    last = sta.get(f"Observations({answer.json['last']})")
    assert (last["result"], last["phenomenonTime"]) == (7.875, "2023-11-14T22:14:23Z")
    for body in (b"no parquet", file(result=numbers),
                 file(**{**whole_file, "result": pa.nulls(64, pa.float64())}),
                 file(**{**whole_file, "phenomenonTime": naive})):  # fmt: skip
        assert sta.ask("POST", "BulkObservations", body, kind=kind).status == 400
    assert counts(sta)["Observations"] == 64


def test_parties_and_licences(sta: Client) -> None:
    party = sta.make("Parties", {"displayName": "Kara", "role": "institutional"})
    licence = sta.make(
        "Licenses", {"name": "CC BY", "definition": "https://x", "logo": "https://l"}
    )
    thing, _ = station(sta)
    made = stream("s", Thing={"@iot.id": thing}, Sensor=sensor(), ObservedProperty=prop(),
                  Party={"@iot.id": party}, License={"@iot.id": licence})  # fmt: skip
    number = sta.make("Datastreams", made)
    found = sta.get(f"Datastreams({number})", expand="Party,License")
    assert (found["Party"]["displayName"], found["License"]["name"]) == ("Kara", "CC BY")
    assert number in sta.ids(f"Parties({party})/Datastreams")
    assert sta.status("POST", "Parties", {"displayName": "x", "role": "robot"}) == 400
    sta.remove(f"Licenses({licence})")
    assert sta.status("GET", f"Datastreams({number})/License") == 404
    sta.remove(f"Parties({party})")


def test_what_was_replaced_or_removed_is_kept(tmp_path: Path) -> None:
    import sqlalchemy as sa

    from tests.nodes import new_node
    from tests.sensing import serving

    with new_node(tmp_path / "node") as store, serving(store) as service:
        client = service.client(store.party_id)
        thing, datastream = station(client)
        body = {"result": 0.1 + 0.2, "phenomenonTime": "2026-01-01T00:00:00Z"}
        number = client.make(f"Datastreams({datastream})/Observations", body)
        client.change(f"Observations({number})", {"result": "lost"})
        client.remove(f"Things({thing})")
        assert client.make("Things", {"name": "new", "description": "d"}) > thing
        with store.database.reading() as connection:
            rows = connection.execute(
                sa.text("SELECT gone, body FROM sta_history WHERE entity = :e AND id = :i"
                        " ORDER BY seq"),
                {"e": "Observation", "i": number},
            ).all()  # fmt: skip
            kinds = connection.execute(
                sa.text("SELECT DISTINCT entity FROM sta_history WHERE gone ORDER BY entity")
            ).scalars()
            assert list(kinds) == ["Datastream", "HistoricalLocation", "Observation", "Thing"]
        told = [json.loads(row.body) for row in rows]
        assert [bool(row.gone) for row in rows] == [False, True]
        assert float(told[0]["result"]) == 0.1 + 0.2
        assert (told[1]["result"], told[1]["text"]) == (None, "lost")
        assert store.verify_ledger() == []
