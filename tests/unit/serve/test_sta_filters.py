"""``$filter``: every operator and function of 18-088 tables 22 and 23, through links, on places."""

from __future__ import annotations

import pytest

from tests.sensing import Client
from tests.unit.serve.sta_seed import Seed


def results(sta: Client, seed: Seed, condition: str) -> list[float]:
    found = sta.values(
        "Observations", filter=f"{seed.scope} and ({condition})", orderby="result asc"
    )
    return [o["result"] for o in found]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("result eq 4", [4]),
        ("result ne 4", [3, 5, 6]),
        ("result gt 4", [5, 6]),
        ("result ge 4", [4, 5, 6]),
        ("result lt 5", [3, 4]),
        ("result le 4", [3, 4]),
        ("result gt '4'", [5, 6]),
        ("'4' lt result", [5, 6]),
        ("result eq '4'", [4]),
        ("result gt 3 and result lt 6", [4, 5]),
        ("result lt 4 or result gt 5", [3, 6]),
        ("not (result gt 4)", [3, 4]),
        ("not result gt 4", [3, 4]),
        ("result gt 5 or result gt 3 and result lt 5", [4, 6]),
        ("(result gt 5 or result gt 3) and result lt 5", [4]),
        ("result add 1 eq 5", [4]),
        ("result sub 1 eq 4", [5]),
        ("result mul 2 eq 8", [4]),
        ("result div 3 eq 2", [6]),
        ("result div 2 eq 1.5", [3]),
        ("result div 0 eq 1", []),
        ("result mod 2 eq 0", [4, 6]),
        ("-result lt -4", [5, 6]),
        ("result sub 4.5 gt -1 and result sub 4.5 lt 1", [4, 5]),
        ("round(result) eq 4", [4]),
        ("round(result div 2) eq 2", [3, 4]),
        ("floor(result div 2) eq 2", [4, 5]),
        ("ceiling(result div 2) eq 2", [3, 4]),
        ("floor(-result div 2) eq -2", [3, 4]),
        ("result in (3, 5, 9)", [3, 5]),
        ("not result in (3, 5) and result add 1 in (5)", [4]),
        ("result eq null", []),
        ("result ne null", [3, 4, 5, 6]),
        ("resultTime eq null", [3, 4, 5, 6]),
        ("year(phenomenonTime) eq 2015", [3, 4, 5, 6]),
        ("year(phenomenonTime) eq 1999", []),
        ("month(phenomenonTime) eq 3", [3, 4, 5, 6]),
        ("day(phenomenonTime) eq 3", [3]),
        ("day(phenomenonTime) ge 5", [5, 6]),
        ("hour(phenomenonTime) eq 0", [3, 4, 5, 6]),
        ("minute(phenomenonTime) eq 0", [3, 4, 5, 6]),
        ("second(phenomenonTime) eq 0", [3, 4, 5, 6]),
        ("fractionalseconds(phenomenonTime) eq 0", [3, 4, 5, 6]),
        ("totaloffsetminutes(phenomenonTime) eq 0", [3, 4, 5, 6]),
        ("date(phenomenonTime) eq date(phenomenonTime)", [3, 4, 5, 6]),
        ("date(phenomenonTime) eq 2015-03-04", [4]),
        ("time(phenomenonTime) eq time(phenomenonTime)", [3, 4, 5, 6]),
        ("time(phenomenonTime) eq 00:00:00", [3, 4, 5, 6]),
        ("phenomenonTime lt now()", [3, 4, 5, 6]),
        ("phenomenonTime gt now()", []),
        ("phenomenonTime gt mindatetime()", [3, 4, 5, 6]),
        ("phenomenonTime lt maxdatetime()", [3, 4, 5, 6]),
        ("phenomenonTime gt 2015-03-04T12:00:00Z", [5, 6]),
        ("phenomenonTime ge 2015-03-04T00:00:00Z and phenomenonTime le 2015-03-05T00:00:00Z",
         [4, 5]),
        ("phenomenonTime eq 2015-03-04T00:00:00Z", [4]),
        ("phenomenonTime eq 2015-03-04T05:00:00+05:00", [4]),
        ("phenomenonTime eq 2015-03-04T05:00:00 05:00", [4]),
        ("phenomenonTime gt '2015-03-04T00:00:00Z'", [5, 6]),
        ("phenomenonTime gt 2015-03-03T00:00:00Z add duration'P1DT12H'", [5, 6]),
        ("phenomenonTime sub duration'P1D' eq 2015-03-05T00:00:00Z", [6]),
        ("before(phenomenonTime,2015-03-05T00:00:00Z)", [3, 4]),
        ("after(phenomenonTime,2015-03-05T00:00:00Z)", [6]),
        ("during(phenomenonTime,2015-03-04T00:00:00Z/2015-03-05T00:00:00Z)", [4]),
        ("overlaps(phenomenonTime,2015-03-04T00:00:00Z/2015-03-05T00:00:00Z)", [4]),
        ("starts(phenomenonTime,2015-03-04T00:00:00Z/2015-03-05T00:00:00Z)", [4]),
        ("finishes(phenomenonTime,2015-03-04T00:00:00Z/2015-03-05T00:00:00Z)", [5]),
        ("meets(phenomenonTime,2015-03-04T00:00:00Z/2015-03-05T00:00:00Z)", [4, 5]),
        ("Datastream/ObservedProperty/name eq 'Temperature'", [5, 6]),
        ("Datastream/Thing/name eq 'thing name 1'", [3, 4, 5, 6]),
        ("Datastream/Sensor/name eq 'sensor name 1' and result gt 3", [4]),
        ("Datastream/Thing/Locations/name eq 'thing name 1 place'", [3, 4, 5, 6]),
        ("Datastream/Thing/properties/depth ge 3", [3, 4, 5, 6]),
        ("Datastream/Thing/properties/depth gt 3", []),
        ("Datastream/unitOfMeasurement/symbol eq 'lm'", [3, 4, 5, 6]),
        ("FeatureOfInterest/name eq 'thing name 1 place'", [3, 4, 5, 6]),
        ("st_within(FeatureOfInterest/feature,geography'POLYGON((-118 50,-116 50,-116 52,"
         "-118 52,-118 50))')", [3, 4, 5, 6]),
        ("geo.distance(FeatureOfInterest/feature,geography'POINT(0 0)') lt 1", []),
    ],
)  # fmt: skip
def test_observations(sta: Client, seed: Seed, condition: str, expected: list[float]) -> None:
    assert results(sta, seed, condition) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("startswith(name,'datastream')", [1, 2]),
        ("startswith(name,'Datastream')", []),
        ("startswith(name,'data%')", []),
        ("endswith(name,'name 1')", [1]),
        ("endswith(name,'a very long text that no name can have')", []),
        ("substringof('datastream',name)", [1, 2]),
        ("contains(name,'name 2')", [2]),
        ("length(name) eq 17", [1, 2]),
        ("indexof(name,'name') eq 12", [1, 2]),
        ("substring(name,0,10) eq 'datastream'", [1, 2]),
        ("substring(name,11) eq 'name 1'", [1]),
        ("tolower(name) eq 'datastream name 1'", [1]),
        ("toupper(name) eq 'DATASTREAM NAME 2'", [2]),
        ("trim(concat(name,'  ')) eq 'datastream name 1'", [1]),
        ("concat(name,'!') eq 'datastream name 1!'", [1]),
        ("name eq 'DATASTREAM NAME 1'", []),
        ("name eq 'O''Brien'", []),
        ("name gt 'datastream name 1'", [2]),
        ("Sensor/name eq 'sensor name 2'", [2]),
        ("unitOfMeasurement/name eq 'Lumen'", [1, 2]),
        ("Observations/result gt 5", [2]),
        ("Observations/any(o:o/result gt 5)", [2]),
        ("Observations/all(o:o/result lt 5)", [1]),
        ("Observations/any()", [1, 2]),
        ("not Observations/any(o:o/result eq 3)", [2]),
        ("Observations/any(o:o/result eq 4 and o/phenomenonTime gt 2015-03-03T12:00:00Z)", [1]),
        ("phenomenonTime lt 2015-03-05T00:00:00Z", [1]),
        ("phenomenonTime gt 2015-03-04T12:00:00Z", [2]),
        ("resultTime eq null", [1, 2]),
        ("st_intersects(observedArea,geography'POLYGON((-118 50,-116 50,-116 52,-118 52,"
         "-118 50))')", [1, 2]),
        ("properties eq null", [1, 2]),
        ("License/name eq 'x'", []),
    ],
)  # fmt: skip
def test_datastreams(sta: Client, seed: Seed, condition: str, expected: list[int]) -> None:
    found = sta.ids(
        "Datastreams", filter=f"Thing/id eq {seed.thing} and ({condition})", orderby="name"
    )
    assert found == [seed.streams[n - 1] for n in expected]


CONTAINING = "geography'POLYGON((-118 50, -116 50, -116 52, -118 52, -118 50))'"
DISJOINT = "geography'POLYGON((0 0, 1 0, 1 1, 0 1, 0 0))'"
SAME = "geography'POINT(-117.05 51.05)'"
FAR = "geography'SRID=4326;POINT(0 0)'"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (f"geo.intersects(P,{CONTAINING})", True),
        (f"geo.intersects(P,{DISJOINT})", False),
        (f"geo.distance(P,{FAR}) gt 1", True),
        (f"geo.distance(P,{SAME}) lt 1", True),
        (f"1 gt geo.distance({SAME},P)", True),
        (f"not (geo.distance(P,{SAME}) lt 1)", False),
        ("geo.length(P) lt 1", True),
        ("geo.length(geography'LINESTRING(0 0, 0 1)') gt 0", True),
        (f"st_within(P,{CONTAINING})", True),
        (f"st_within(P,{DISJOINT})", False),
        (f"st_intersects(P,{CONTAINING})", True),
        (f"st_disjoint(P,{DISJOINT})", True),
        (f"st_disjoint(P,{CONTAINING})", False),
        (f"st_equals(P,{SAME})", True),
        (f"st_equals(P,{FAR})", False),
        (f"st_contains(P,{SAME})", True),
        (f"st_contains({CONTAINING},P)", True),
        (f"st_touches(P,{CONTAINING})", False),
        (f"st_overlaps(P,{CONTAINING})", False),
        (f"st_crosses(P,{CONTAINING})", False),
        (f"st_relate(P,{SAME},'T********')", True),
        (f"st_relate(P,{FAR},'T********')", False),
    ],
)
def test_places(sta: Client, seed: Seed, condition: str, holds: bool) -> None:
    for path, name, number in (
        ("Locations", "location", seed.location),
        ("FeaturesOfInterest", "feature", seed.feature),
    ):
        told = condition.replace("(P", f"({name}").replace(",P)", f",{name})")
        found = sta.ids(path, filter=f"id eq {number} and {told}")
        assert found == ([number] if holds else []), told


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("properties/reference eq 'first'", True),
        ("properties/reference eq 'second'", False),
        ("properties/depth eq 3", True),
        ("properties/depth eq '3'", True),
        ("properties/depth add 1 eq 4", True),
        ("properties/live eq true", True),
        ("properties/live", True),
        ("properties/deep/er/1 eq 2", True),
        ("properties/none eq null", True),
        ("properties/reference gt 3", False),
        ("HistoricalLocations/time lt now()", True),
        ("Locations/location ne null", True),
        ("Datastreams/any(d:d/Observations/any(o:o/result eq 6))", True),
        ("Datastreams/Observations/result eq 7", False),
        ("Party/displayName eq 'KNCM'", False),
    ],
)
def test_things(sta: Client, seed: Seed, condition: str, holds: bool) -> None:
    found = sta.ids("Things", filter=f"id eq {seed.thing} and {condition}")
    assert found == ([seed.thing] if holds else [])


@pytest.mark.parametrize(
    "condition",
    [
        "name eq", "eq 1", "bogus(name)", "name", "name eq 'a' and", "(name eq 'a'", "nosuch eq 1",
        "name eq 'a", "Datastreams eq 1", "Datastreams/name add 1", "st_within(name,name)",
        "st_within(location,'x')", "geo.distance(name,name) lt 1", "length(name,name) eq 1",
        "name eq 'a' or or", "1 add", "time eq 2015-13-45T00:00:00Z", "not", "()", "name/x eq 1",
        "round('x') eq 1 and nothing", "id eq 1 )", "any(x:x eq 1)", "%", "\u0001", "(" * 80,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(sta: Client, seed: Seed, condition: str) -> None:
    answer = sta.ask("GET", "Things", filter=condition)
    assert answer.status == 400, answer.text
    assert answer.json["code"] == 400
    assert answer.json["type"] == "error"
    assert answer.json["message"]
