"""What the tests of the reference server ask beyond both suites, behaviour by behaviour.

Filters across several links, nothing and the absence of anything, members of arrays, deleting by
a filter, arrays of which some rows are wrong, times and intervals against each other.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sensing import Client
from tests.unit.serve.sta_seed import feature, place, prop, sensor, stream, whole


@pytest.fixture(scope="module")
def things(sta: Client) -> list[int]:
    """Four things: two with fields and places, one bare, one with a place and no stream."""
    made = []
    for number, properties in enumerate(
        (
            None,
            {"field": 2, "string": "one", "list": [4, 5, 6]},
            {"field": 3, "string": "two"},
            None,
        )
    ):
        body: dict[str, Any] = {"name": f"checked {number}", "description": "d"}
        if properties:
            body["properties"] = properties
        if number < 3:
            field = number + 1
            body["Locations"] = [place(f"at {field}") | {"properties": {"field": field}}]
            body["Datastreams"] = [
                stream(f"stream {number}", Sensor=sensor(), ObservedProperty=prop(f"property {k}"))
                for k in range(number, 3)
            ]
        made.append(sta.make("Things", body))
    return made


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Locations/name eq 'at 2'", [1]),
        ("startswith(HistoricalLocations/Locations/name, 'at 1')", [0]),
        ("HistoricalLocations/Locations/properties/field eq properties/field", [1, 2]),
        ("properties/field eq HistoricalLocations/Locations/properties/field", [1, 2]),
        ("Locations/properties/field lt properties/field add 1", [1, 2]),
        ("Locations/properties/field add properties/field eq 4", [1]),
        ("concat(Locations/name, name) eq 'at 2checked 1'", [1]),
        ("Datastreams/ObservedProperty/name eq Locations/name", []),
        ("Datastreams/name gt Locations/name", [0, 1, 2]),
        ("properties/field eq null", [0, 3]),
        ("properties/field ne null", [1, 2]),
        ("Datastreams/id eq null", [3]),
        ("Datastreams/id ne null", [0, 1, 2]),
        ("null eq Locations/properties/field", [3]),
        ("not (Datastreams/id eq null)", [0, 1, 2]),
        ("substring(properties/string, 1) eq 'wo'", [2]),
        ("substring(properties/string, 1, 1) eq 'w'", [2]),
        ("substring(name, 6) eq 'd 3'", [3]),
        ("properties/list[1] eq 5", [1]),
        ("properties/list[0] add 1 eq properties/list[1]", [1]),
        ("properties/list[3] eq null and properties/field eq 2", [1]),
        ("length(properties/string) eq 3", [1, 2]),
    ],
)
def test_across_links(sta: Client, things: list[int], condition: str, expected: list[int]) -> None:
    found = sta.ids("Things", filter=f"startswith(name,'checked') and ({condition})")
    assert found == [things[n] for n in expected]


def test_there_and_back(sta: Client, things: list[int]) -> None:
    """From a property to the things it is observed at, and to all that is observed there."""
    asked = "Datastreams/Thing/Datastreams/ObservedProperty/name eq 'property {}'"
    for number, expected in ((0, [0, 1, 2]), (2, [0, 1, 1, 2, 2, 2])):
        scope = f"startswith(name,'property') and {asked.format(number)}"
        names = [p["name"] for p in sta.values("ObservedProperties", filter=scope, orderby="name")]
        assert names == [f"property {n}" for n in expected]


def test_things_that_change_places(sta: Client) -> None:
    """Two things swap places by PATCH; what they observe from then on is of the other place."""
    made = [sta.make("Things", whole(f"swapped {n}")) for n in range(2)]
    places = [sta.ids(f"Things({t})/Locations")[0] for t in made]
    for thing, other in zip(made, reversed(places), strict=True):
        sta.change(f"Things({thing})", {"Locations": [{"@iot.id": other}]})
    features = set()
    for thing, there in zip(made, reversed(places), strict=True):
        assert sta.ids(f"Things({thing})/Locations") == [there]
        assert sta.get(f"Things({thing})/HistoricalLocations", count="true")["@iot.count"] == 2
        assert sta.get(f"Locations({there})/HistoricalLocations", count="true")["@iot.count"] == 2
        assert sta.ids(f"Locations({there})/Things") == [thing]
        at = f"Datastreams({sta.ids(f'Things({thing})/Datastreams')[0]})/Observations"
        number = sta.make(at, {"result": 7})
        feature = sta.get(f"Observations({number})/FeatureOfInterest")
        assert feature["feature"] == sta.get(f"Locations({there})")["location"]
        features.add(feature["@iot.id"])
    assert len(features) == 2


#: Written as hours of one day: a moment, or an interval.
TIMES = (
    "6",
    "6.59",
    "7",
    "7.01",
    "8",
    "9",
    "6/7",
    "6/7.01",
    "7/8",
    "7.01/7.59",
    "8/9",
    "6.59/8.01",
)


def clock(told: str) -> str:
    def moment(text: str) -> str:
        hour, _, minute = text.partition(".")
        return f"2016-01-01T{int(hour):02d}:{minute or '00'}:00.000Z"

    return "/".join(map(moment, told.split("/")))


@pytest.fixture(scope="module")
def timed(sta: Client) -> int:
    body = whole("timed")
    del body["Datastreams"][1]
    body["Datastreams"][0]["Observations"] = [
        {"phenomenonTime": clock(told), "result": number}
        | ({"validTime": clock(told)} if "/" in told else {"resultTime": clock(told)})
        for number, told in enumerate(TIMES)
    ]
    thing = sta.make("Things", body)
    return sta.ids(f"Things({thing})/Datastreams")[0]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("resultTime lt T7", {"6", "6.59"}),
        ("validTime lt T7", {"6/7"}),
        ("phenomenonTime lt T7", {"6", "6.59", "6/7"}),
        ("before(phenomenonTime,T7)", {"6", "6.59", "6/7"}),
        ("before(T7/T8,resultTime)", {"8", "9"}),
        ("T8 lt phenomenonTime", {"9"}),
        ("T7/T8 lt phenomenonTime", {"8", "9", "8/9"}),
        ("resultTime lt T7/T8", {"6", "6.59"}),
        ("phenomenonTime gt T7/T8", {"8", "9", "8/9"}),
        ("after(phenomenonTime,T7/T8)", {"8", "9", "8/9"}),
        ("phenomenonTime gt T8", {"9"}),
        ("phenomenonTime le T7", {"6", "6.59", "7", "6/7"}),
        ("phenomenonTime le T7/T8", {"6", "6.59", "7", "6/7", "6/7.01", "7/8"}),
        ("resultTime le T7/T8", {"6", "6.59", "7"}),
        ("phenomenonTime ge T8", {"8", "9", "8/9"}),
        ("phenomenonTime ge T7/T8", {"8", "9", "7/8", "8/9"}),
        ("T7/T8 le resultTime", {"8", "9"}),
        ("phenomenonTime eq T7", {"7"}),
        ("phenomenonTime eq T7/T8", {"7/8"}),
        ("phenomenonTime ne T7/T8", set(TIMES) - {"7/8"}),
        ("during(phenomenonTime,T7/T8)", {"7", "7.01", "7/8", "7.01/7.59"}),
        ("during(resultTime,T7/T8)", {"7", "7.01"}),
        ("during(T7,validTime)", {"6/7.01", "7/8", "6.59/8.01"}),
        ("during(T7/T8,phenomenonTime)", {"7/8", "6.59/8.01"}),
        ("meets(validTime,T7/T8)", {"6/7", "8/9"}),
        ("meets(phenomenonTime,T7)", {"7", "6/7", "7/8"}),
        ("overlaps(phenomenonTime,T8)", {"8", "8/9", "6.59/8.01"}),
        (
            "overlaps(T7/T8,phenomenonTime)",
            {"7", "7.01", "6/7.01", "7/8", "7.01/7.59", "6.59/8.01"},
        ),
        ("starts(phenomenonTime,T7/T8)", {"7", "7/8"}),
        ("finishes(phenomenonTime,T7/T8)", {"8", "7/8"}),
        ("not resultTime lt T7 and not resultTime ge T8", {"7", "7.01"}),
        ("phenomenonTime gt T8/T9 sub duration'PT1H'", {"8", "9", "8/9"}),
        ("phenomenonTime sub T8 eq duration'PT1H'", {"9"}),
        ("phenomenonTime add duration'PT1H' eq T8", {"7"}),
        ("phenomenonTime gt T8 sub duration'PT1H' and resultTime ne null", {"7.01", "8", "9"}),
        ("date(phenomenonTime) eq 2016-01-01 and hour(phenomenonTime) eq 9", {"9"}),
        ("time(phenomenonTime) eq 07:01:00", {"7.01", "7.01/7.59"}),
        ("validTime eq null", {t for t in TIMES if "/" not in t}),
    ],
)
def test_times_and_intervals(sta: Client, timed: int, condition: str, expected: set[str]) -> None:
    asked = condition
    for hour in "789":
        asked = asked.replace(f"T{hour}", clock(hour))
    found = sta.values(f"Datastreams({timed})/Observations", filter=asked)
    assert {TIMES[o["result"]] for o in found} == expected


@pytest.mark.parametrize("of", ["resultTime", "validTime", "phenomenonTime"])
def test_nothing_is_during_an_instant(sta: Client, timed: int, of: str) -> None:
    at = f"Datastreams({timed})/Observations?$filter=during"
    assert sta.status("GET", f"{at}({of},{clock('7')})") == 400
    assert sta.status("GET", f"{at}({clock('7')},resultTime)") == 400


#: What stands under ``int``, ``flag`` and ``list`` of each observation's parameters.
SAID: list[dict[str, Any]] = [
    {"int": 4, "flag": True, "list": [[1, 2], {"deep": [7]}]},
    {"int": 5, "flag": False, "list": [[3, 4], {"deep": [8]}]},
    {"int": "text", "flag": 13},
    {"int": True, "flag": "word"},
    {"int": "5", "flag": "true"},
    {},
]


@pytest.fixture(scope="module")
def said(sta: Client) -> int:
    body = whole("said")
    del body["Datastreams"][1]
    body["properties"] = {"int": 5, "flag": True}
    body["Datastreams"][0]["Observations"] = [
        {"result": number, "parameters": told, "resultQuality": quality}
        for number, (told, quality) in enumerate(
            zip(SAID, ({"code": 2}, [{"code": 3}], "good", 2, None, True), strict=True)
        )
    ]
    return sta.ids(f"Things({sta.make('Things', body)})/Datastreams")[0]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("parameters/int eq '5'", [1, 4]),
        ("parameters/int eq 5", [1]),
        ("parameters/int gt 4", [1]),
        ("parameters/int lt 8", [0, 1]),
        ("parameters/flag", [0]),
        ("not parameters/flag", [1]),
        ("parameters/flag eq false", [1]),
        ("parameters/list[0][1] eq 4", [1]),
        ("parameters/list[1]/deep[0] eq 7", [0]),
        ("parameters/int eq Datastream/Thing/properties/int", [1, 4]),
        ("parameters/flag eq Datastream/Thing/properties/flag", [0, 4]),
        ("resultQuality eq 'good'", [2]),
        ("resultQuality eq 2", [3]),
        ("resultQuality/code eq 2", [0]),
        ("resultQuality[0]/code eq 3", [1]),
        ("Datastream/unitOfMeasurement/symbol eq 'lm' and parameters/int eq 4", [0]),
    ],
)
def test_values_in_json(sta: Client, said: int, condition: str, expected: list[int]) -> None:
    found = sta.values(f"Datastreams({said})/Observations", filter=condition, orderBy="result")
    assert [o["result"] for o in found] == expected


def test_deleting_by_a_filter(sta: Client) -> None:
    """What a listing would give is removed; the books and the area are as if it had never been."""
    thing = sta.make("Things", whole("thinned"))
    first, second = sta.ids(f"Things({thing})/Datastreams", orderby="name")
    at = f"Datastreams({first})/Observations"
    shape = {"type": "Point", "coordinates": [80, 70]}
    far = sta.make("FeaturesOfInterest", feature("far", feature=shape))
    for year, value in ((1999, 50), (2000, 51)):
        sta.make(at, {"result": value, "phenomenonTime": f"{year}-01-01T00:00:00Z",
                      "FeatureOfInterest": {"@iot.id": far}})  # fmt: skip
    wide = sta.get(f"Datastreams({first})")
    assert wide["observedArea"]["type"] == "LineString"
    assert wide["phenomenonTime"].startswith("1999")
    for wrong in (
        "",
        "?$filter=result zz 5",
        "?$top=1&$filter=result gt 1",
        "?$filter=",
        "?$top=1",
    ):
        assert sta.status("DELETE", f"{at}{wrong}") == 400
    assert sta.status("DELETE", "Datastreams(999)/Observations?$filter=result gt 1") == 404
    assert sta.ask("DELETE", at, filter="result gt 49 or result eq 3").json == {"deleted": 3}
    assert [o["result"] for o in sta.values(at)] == [4]
    left = sta.get(f"Datastreams({first})")
    assert left["observedArea"] == {"type": "Point", "coordinates": [-117.05, 51.05]}
    assert left["phenomenonTime"] == "2015-03-04T00:00:00Z/2015-03-04T00:00:00Z"
    assert sta.get(at, count="true", top=0)["@iot.count"] == 1
    assert sta.ask("DELETE", at, filter="result gt 49").json == {"deleted": 0}
    scope = f"Datastream/Thing/id eq {thing}"
    assert sta.ask("DELETE", "Observations", filter=f"{scope} and result ge 4").json == {
        "deleted": 3
    }
    assert sta.values(f"Datastreams({second})/Observations") == []
    assert "phenomenonTime" in sta.get(f"Datastreams({second})")
    assert sta.ask("DELETE", "Things", filter="name eq 'thinned'").json == {"deleted": 1}
    assert sta.status("GET", f"Datastreams({first})") == 404


def test_the_area_follows_every_change(sta: Client) -> None:
    thing = sta.make("Things", whole("followed"))
    first = sta.ids(f"Things({thing})/Datastreams", orderby="name")[0]
    shape = {"type": "Point", "coordinates": [-116.05, 51.05]}
    other = sta.make("FeaturesOfInterest", feature("other", feature=shape))
    numbers = sta.ids(f"Datastreams({first})/Observations")

    def area() -> Any:
        return sta.get(f"Datastreams({first})")["observedArea"]

    sta.change(f"Observations({numbers[0]})", {"FeatureOfInterest": {"@iot.id": other}})
    assert area()["type"] == "LineString"
    sta.change(f"Observations({numbers[1]})", {"FeatureOfInterest": {"@iot.id": other}})
    assert area() == shape
    sta.remove(f"Observations({numbers[0]})")
    assert area() == shape
    sta.remove(f"Observations({numbers[1]})")
    assert "observedArea" not in sta.get(f"Datastreams({first})")


def test_a_wrong_row_of_an_array_is_told_and_costs_no_other(sta: Client) -> None:
    thing = sta.make("Things", whole("arrays"))
    first, second = sta.ids(f"Things({thing})/Datastreams", orderby="name")
    known = sta.make("FeaturesOfInterest", feature())
    when = "2010-12-23T10:2{}:00-07:00"
    groups = [
        {"Datastream": {"@iot.id": first}, "dataArray@iot.count": 5,
         "components": ["phenomenonTime", "result", "FeatureOfInterest/id"],
         "dataArray": [[when.format(0), 20, known], [when.format(1), 30, "no id"],
                       [when.format(2), 40, 999_999], [when.format(3), 50], ["no", 60, known],
                       [when.format(5), 70, known]]},
        {"Datastream": {"@iot.id": second}, "components": ["phenomenonTime", "result"],
         "dataArray": [[when.format(0), 65], [when.format(1), 60]]},
    ]  # fmt: skip
    answer = sta.ask("POST", "CreateObservations", groups)
    assert answer.status == 201
    assert [link == "error" for link in answer.json] == [False, True, True, True, True, False,
                                                         False, False]  # fmt: skip
    told = [sta.get(link, expand="FeatureOfInterest") for link in answer.json if link != "error"]
    assert [t["result"] for t in told] == [20, 70, 65, 60]
    assert [t["FeatureOfInterest"]["@iot.id"] for t in told[:2]] == [known, known]
    assert told[2]["FeatureOfInterest"]["@iot.id"] == told[3]["FeatureOfInterest"]["@iot.id"]


def test_two_changes_of_one_entity_in_one_batch(sta: Client) -> None:
    thing = sta.make("Things", {"name": "once", "description": "d"})
    requests = [
        {"id": str(n), "atomicityGroup": "g", "method": "PATCH", "url": f"Things({thing})",
         "body": {"name": name}}
        for n, name in enumerate(("twice", "thrice"))
    ]  # fmt: skip
    answer = sta.ask("POST", "$batch", {"requests": requests})
    assert [r["status"] for r in answer.json["responses"]] == [200, 200]
    assert sta.get(f"Things({thing})")["name"] == "thrice"
    listed = {"id": "x", "method": "DELETE", "url": "Things?$filter=name eq 'thrice'"}
    answer = sta.ask("POST", "$batch", {"requests": [listed]}).json["responses"][0]
    assert (answer["status"], answer["body"]) == (200, {"deleted": 1})
