"""Reading: root, paths to any depth, properties, ``$value``, ``$ref``, options and their pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sensing import Client
from tests.unit.serve.sta_seed import Seed

SETS = {
    "Things": ("Locations", "HistoricalLocations", "Datastreams"),
    "Locations": ("Things", "HistoricalLocations"),
    "HistoricalLocations": ("Thing", "Locations"),
    "Datastreams": ("Thing", "Sensor", "ObservedProperty", "Observations"),
    "Sensors": ("Datastreams",),
    "ObservedProperties": ("Datastreams",),
    "Observations": ("Datastream", "FeatureOfInterest"),
    "FeaturesOfInterest": ("Observations",),
}
PROPERTIES = {
    "Things": ("name", "description", "properties"),
    "Locations": ("name", "description", "encodingType", "location"),
    "HistoricalLocations": ("time",),
    "Datastreams": ("name", "description", "unitOfMeasurement", "observationType"),
    "Sensors": ("name", "description", "encodingType", "metadata"),
    "ObservedProperties": ("name", "description", "definition"),
    "Observations": ("phenomenonTime", "result"),
    "FeaturesOfInterest": ("name", "description", "encodingType", "feature"),
}
PLURAL = {
    "Thing": "Things", "Datastream": "Datastreams", "Sensor": "Sensors",
    "ObservedProperty": "ObservedProperties", "FeatureOfInterest": "FeaturesOfInterest",
}  # fmt: skip
HUGE = 2**63 - 1


def test_root(sta: Client) -> None:
    for path in ("", "/"):
        document = sta.ask("GET", sta.root + path).json
        listed = {each["name"]: each["url"] for each in document["value"]}
        # Nothing else: the suite of the standard refuses names it does not know.
        assert listed == {name: f"{sta.root}/{name}" for name in SETS}
        said = document["serverSettings"]["conformance"]
        base = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
        for name in ("datamodel/feature-of-interest/relations", "request-data/status-code",
                     "create-update-delete/update-entity-jsonpatch", "data-array/data-array",
                     "resource-path/resource-path-to-entities",
                     "datamodel/entity-control-information/common-control-information",
                     "request-data/count"):  # fmt: skip
            assert base + name in said


@pytest.mark.parametrize("path", SETS)
def test_entities_with_control_information(sta: Client, seed: Seed, path: str) -> None:
    for entity in sta.values(path):
        assert isinstance(entity["@iot.id"], int)
        link = entity["@iot.selfLink"]
        assert link == f"{sta.root}/{path}({entity['@iot.id']})"
        for name in SETS[path]:
            assert entity[f"{name}@iot.navigationLink"] == f"{link}/{name}"
        for name in PROPERTIES[path]:
            assert name in entity
        assert sta.get(link) == entity
    assert sta.ids(path)
    assert sta.status("GET", f"{path}({HUGE})") == 404
    assert sta.status("GET", f"{path}({HUGE + 1})") == 404
    assert sta.status("GET", f"{path}(999999999)/{PROPERTIES[path][0]}") == 404
    assert sta.status("GET", f"{path}(999999999)/{PROPERTIES[path][0]}/$value") == 404


def walk(sta: Client, steps: list[str], name: str, depth: int) -> int:
    """Every resource path below a listing; how many were asked."""
    path = "/".join([*steps, name])
    document = sta.get(path)
    if name in PLURAL:
        assert "value" not in document
        assert sta.get(f"{path}/$ref") == {"@iot.selfLink": document["@iot.selfLink"]}
        return 1
    assert document["value"], path
    refs = sta.get(f"{path}/$ref")["value"]
    assert refs == [{"@iot.selfLink": e["@iot.selfLink"]} for e in document["value"]]
    asked = 1
    if depth < 4:
        number = document["value"][0]["@iot.id"]
        for link in SETS[name]:
            asked += walk(sta, [*steps, f"{name}({number})"], link, depth + 1)
    return asked


@pytest.mark.parametrize("path", SETS)
def test_paths_to_the_fourth_level(sta: Client, seed: Seed, path: str) -> None:
    assert walk(sta, [], path, 1) >= 3


@pytest.mark.parametrize("path", PROPERTIES)
def test_properties_and_their_bare_values(sta: Client, seed: Seed, path: str) -> None:
    entity = sta.get(f"{path}({sta.ids(path)[0]})")
    for name in PROPERTIES[path]:
        link = f"{entity['@iot.selfLink']}/{name}"
        assert sta.get(link) == {name: entity[name]}
        raw = sta.ask("GET", f"{link}/$value")
        assert raw.status == 200
        if isinstance(entity[name], dict):
            assert raw.text.startswith("{") and raw.json == entity[name]
        else:
            assert raw.text == str(entity[name])
            assert raw.headers["content-type"].startswith("text/plain")
    assert sta.status("GET", f"{entity['@iot.selfLink']}/nosuchprop") == 404


def test_what_stands_inside_a_property(sta: Client, seed: Seed) -> None:
    thing = f"Things({seed.thing})"
    assert sta.get(f"{thing}/properties/reference") == {"reference": "first"}
    assert sta.ask("GET", f"{thing}/properties/depth/$value").text == "3"
    assert sta.ask("GET", f"{thing}/properties/live/$value").text == "true"
    assert sta.status("GET", f"{thing}/properties/none") == 404
    assert sta.get(f"Datastreams({seed.streams[0]})/Thing/name") == {"name": "thing name 1"}
    # What every entity tells is told to be nothing; what need not be there is not.
    first = f"Observations({seed.observations[0]})"
    assert sta.get(f"{first}/resultTime") == {"resultTime": None}
    assert sta.ask("GET", f"{first}/resultTime/$value").text == "null"
    for path in (f"{first}/validTime", f"Sensors({seed.sensors[0]})/properties"):
        for form in ("", "/$value"):
            nothing = sta.ask("GET", path + form)
            assert (nothing.status, nothing.body) == (204, b"")
    assert sta.get(f"{thing}/properties/deep/er[1]") == {"er[1]": 2}
    for beyond in ("er[2]", "er[x]", "er[0][0]", "er[-1]"):
        assert sta.status("GET", f"{thing}/properties/deep/{beyond}") == 404


def test_a_link_leads_only_to_its_own(sta: Client, seed: Seed) -> None:
    first, second = seed.streams
    thing = f"Things({seed.thing})"
    assert sta.status("GET", f"{thing}/Datastreams({first})/Sensor") == 200
    assert sta.status("GET", f"{thing}/Datastreams({first + 100})") == 404
    assert sta.status("GET", f"Datastreams({first})/Observations({seed.observations[3]})") == 404
    assert sta.status("GET", f"Datastreams({second})/Observations({seed.observations[3]})") == 200
    other = next(i for i in sta.ids("Things") if i != seed.thing)
    assert sta.status("GET", f"Things({other})/Datastreams({first})/Observations") == 404
    for wrong in ("Nothing", "Things(1", "Things(x)", "Things(1)/Nothing", "Things/1", "Things(-1)",
                  "Things(1)/Locations/name", "Things/name", "Things(1)/name/x/y"):  # fmt: skip
        assert sta.status("GET", wrong) == 404, wrong


@pytest.mark.parametrize(
    "options",
    [
        {"top": "-5"}, {"skip": "-1"}, {"top": "x"}, {"count": "maybe"}, {"orderby": "nosuch asc"},
        {"select": "nosuch"}, {"expand": "Nosuch"}, {"nosuch": "1"}, {"filter": "name eq"},
        {"skiptoken": "!"}, {"skiptoken": "eyJhIjoxfQ"}, {"skiptoken": "WzEsMiwzXQ"},
        {"resultFormat": "xml"}, {"expand": "Datastreams($top=x)"}, {"orderby": "Datastreams"},
        {"expand": "/".join(["Datastreams", "Thing"] * 9)}, {"expand": "Datastreams("},
    ],
)  # fmt: skip
def test_options_that_are_wrong(sta: Client, seed: Seed, options: dict[str, str]) -> None:
    answer = sta.ask("GET", "Things", **options)
    assert answer.status == 400, answer.text
    assert set(answer.json) >= {"code", "type", "message"}


def values(entities: list[Any], name: str = "result") -> list[Any]:
    return [each[name] for each in entities]


def test_order(sta: Client, seed: Seed) -> None:
    def by(order: str) -> list[Any]:
        return values(sta.values("Observations", filter=seed.scope, orderby=order))

    assert by("result") == by("result asc") == by("phenomenonTime") == [3, 4, 5, 6]
    assert by("result desc") == by("phenomenonTime desc") == by("id desc") == [6, 5, 4, 3]
    assert by("Datastream/name desc,result asc") == [5, 6, 3, 4]
    assert by("result mod 2,result desc") == [6, 4, 5, 3]
    assert by("resultTime,id") == [3, 4, 5, 6]
    names = values(sta.values("Datastreams", orderby="name desc"), "name")
    assert names == sorted(names, reverse=True)
    for name in ("location", "encodingType", "properties"):
        assert sta.ids("Locations", orderby=name)
    for name in ("unitOfMeasurement", "observedArea", "phenomenonTime", "resultTime"):
        assert sta.ids("Datastreams", orderby=f"{name} desc")


def test_top_skip_and_count(sta: Client, seed: Seed) -> None:
    asked = {"filter": seed.scope, "orderby": "result"}
    assert values(sta.values("Observations", **asked, top=2)) == [3, 4]
    assert values(sta.values("Observations", **asked, skip=2)) == [5, 6]
    assert values(sta.values("Observations", **asked, skip=1, top=2)) == [4, 5]
    assert sta.values("Observations", **asked, skip=4) == []
    assert sta.values("Observations", **asked, top=0) == []
    document = sta.get("Observations", **asked, count="true", top=1, skip=3)
    assert (document["@iot.count"], values(document["value"])) == (4, [6])
    assert "@iot.count" not in sta.get("Observations", **asked, count="false")
    at = f"Datastreams({seed.streams[0]})/Observations"
    assert sta.get(at, count="true", top=1)["@iot.count"] == 2
    assert sta.get(at, count="true", filter="result gt 3")["@iot.count"] == 1
    empty = sta.get("Observations", filter=f"{seed.scope} and result gt 99", count="true")
    assert empty == {"@iot.count": 0, "value": []}
    assert sta.get("Observations", count="true")["@iot.count"] == 8
    assert sta.get("Things", count="true")["@iot.count"] == 2


ORDERS = {
    "Datastreams": ("", "id desc", "name", "phenomenonTime desc"),
    "Observations": (
        "", "id desc", "result desc", "phenomenonTime desc", "resultTime", "Datastream/name desc",
        "result mod 2 desc",
    ),
    "S/Observations": ("", "id desc", "result desc", "resultTime", "phenomenonTime desc"),
    "F/Observations": ("", "Datastream/name desc"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "order"), [(p, o) for p, many in ORDERS.items() for o in many])
def test_pages_meet_without_gaps(sta: Client, seed: Seed, path: str, order: str) -> None:
    path = path.replace("S/", f"Datastreams({seed.streams[0]})/")
    path = path.replace("F/", f"FeaturesOfInterest({seed.feature})/")
    options = {"orderby": order} if order else {}
    whole = sta.ids(path, **options)
    found: list[int] = []
    page = sta.get(path, top=1, count="true", **options)
    while True:
        found += [e["@iot.id"] for e in page["value"]]
        assert page["@iot.count"] == len(whole)
        if "@iot.nextLink" not in page:
            break
        assert len(page["value"]) == 1
        page = sta.get(page["@iot.nextLink"])
    assert found == whole
    assert "@iot.nextLink" not in sta.get(path, top=len(whole), **options)
    after = sta.get(path, top=1, **options)["@iot.nextLink"]
    assert [e["@iot.id"] for e in sta.get(after)["value"]] == whole[1:2]


def test_select(sta: Client, seed: Seed) -> None:
    at = f"Datastreams({seed.streams[0]})/Observations"
    assert sta.values(at, select="result") == [{"result": 3}, {"result": 4}]
    for each in sta.values(at, select="id,phenomenonTime"):
        assert set(each) == {"@iot.id", "phenomenonTime"}
    thing = sta.get(f"Things({seed.thing})", select="name,Datastreams")
    assert set(thing) == {"name", "Datastreams@iot.navigationLink"}


def test_expand(sta: Client, seed: Seed) -> None:
    thing = sta.get(f"Things({seed.thing})", expand="Locations,Datastreams/Observations")
    assert [e["@iot.id"] for e in thing["Locations"]] == [seed.location]
    assert "Locations@iot.navigationLink" not in thing
    assert "HistoricalLocations@iot.navigationLink" in thing
    told = {d["@iot.id"]: values(d["Observations"]) for d in thing["Datastreams"]}
    assert told == {seed.streams[0]: [3, 4], seed.streams[1]: [5, 6]}
    both = sta.values("Things", expand="Locations($select=name),HistoricalLocations/Locations")
    # Each thing has its own, however many are asked at once.
    assert [len(t["Locations"]) for t in both] == [1, 1]
    assert {t["Locations"][0]["name"] for t in both} == {f"{t['name']} place" for t in both}
    assert all(len(t["HistoricalLocations"][0]["Locations"]) == 1 for t in both)
    latest = "Observations($orderby=phenomenonTime desc;$top=1;$select=result;$count=true)"
    first = sta.get(f"Datastreams({seed.streams[0]})", expand=f"{latest},Thing($select=name)")
    assert first["Observations"] == [{"result": 4}]
    assert first["Observations@iot.count"] == 2
    assert first["Thing"] == {"name": "thing name 1"}
    following = sta.values(first["Observations@iot.nextLink"], orderby="phenomenonTime desc")
    assert values(following) == [3]
    filtered = sta.values("Datastreams", expand="Observations($filter=result gt 3;$skip=0)")
    assert [values(d["Observations"]) for d in filtered][-2:] == [[4], [5, 6]]
    deep = sta.get(
        f"Observations({seed.observations[0]})",
        expand="Datastream($expand=Thing($expand=Locations/Things),Sensor),FeatureOfInterest",
    )
    assert deep["Datastream"]["Thing"]["Locations"][0]["Things"][0]["@iot.id"] == seed.thing
    assert deep["Datastream"]["Sensor"]["name"] == "sensor name 1"
    assert deep["FeatureOfInterest"]["feature"] == {
        "type": "Point",
        "coordinates": [-117.05, 51.05],
    }


def test_all_options_together(sta: Client, seed: Seed) -> None:
    document = sta.get(
        "Observations", filter=f"{seed.scope} and result gt 3", orderby="result desc", skip=1,
        top=2, select="result", count="true",
    )  # fmt: skip
    assert values(document["value"]) == [5, 4]
    assert document["@iot.count"] == 3
    assert all(set(each) == {"result"} for each in document["value"])


def test_arrays_out(sta: Client, seed: Seed) -> None:
    first = seed.streams[0]
    path = f"Datastreams({first})/Observations"
    [group] = sta.values(path, resultFormat="dataArray")
    assert set(group) == {
        "Datastream@iot.navigationLink", "components", "dataArray@iot.count", "dataArray",
    }  # fmt: skip
    rows = [dict(zip(group["components"], row, strict=True)) for row in group["dataArray"]]
    assert values(rows) == [3, 4]
    assert values(rows, "id") == seed.observations[:2]
    assert group["dataArray@iot.count"] == 2
    [group] = sta.values(path, resultFormat="dataArray", top=1, select="result", orderby="id desc")
    assert (group["components"], group["dataArray"]) == (["result"], [[4]])
    groups = sta.values("Observations", resultFormat="dataArray", top=100000)
    links = [g["Datastream@iot.navigationLink"] for g in groups]
    assert links.count(f"{sta.root}/Datastreams({first})") == 1
    assert sta.status("GET", "Things?$resultFormat=dataArray") == 400
