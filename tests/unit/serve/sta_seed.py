"""One station as the conformance suites know it: thing, place, two datastreams, four values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.sensing import Client

GEO = "application/vnd.geo+json"
POINT = {"type": "Point", "coordinates": [-117.05, 51.05]}
UNIT = {"name": "Lumen", "symbol": "lm", "definition": "http://qudt.org/Lumen"}
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


def place(name: str = "place", shape: Any = None) -> dict[str, Any]:
    return {
        "name": name,
        "description": "a place",
        "encodingType": GEO,
        "location": shape or POINT,
    }


def sensor(name: str = "probe", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "description": "a sensor", "encodingType": "application/pdf",
        "metadata": "Light flux sensor", **more,
    }  # fmt: skip


def prop(name: str = "Luminous Flux") -> dict[str, Any]:
    return {"name": name, "definition": "http://example.org/flux", "description": "a property"}


def feature(name: str = "lake", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "a lake", "encodingType": GEO, "feature": POINT, **more}


def stream(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "description": "a datastream", "observationType": MEASUREMENT,
        "unitOfMeasurement": UNIT, **more,
    }  # fmt: skip


def whole(name: str) -> dict[str, Any]:
    """Everything of a station in one request."""
    return {
        "name": name,
        "description": "a thing",
        "properties": {"reference": "first", "depth": 3, "deep": {"er": [1, 2]}, "live": True},
        "Locations": [place(f"{name} place")],
        "Datastreams": [
            stream(
                "datastream name 1",
                Sensor=sensor("sensor name 1"),
                ObservedProperty=prop("Luminous Flux"),
                Observations=[
                    {"phenomenonTime": "2015-03-03T00:00:00Z", "result": 3},
                    {"phenomenonTime": "2015-03-04T00:00:00Z", "result": 4},
                ],
            ),
            stream(
                "datastream name 2",
                Sensor=sensor("sensor name 2"),
                ObservedProperty=prop("Temperature"),
                Observations=[
                    {"phenomenonTime": "2015-03-05T00:00:00Z", "result": 5},
                    {"phenomenonTime": "2015-03-06T00:00:00Z", "result": 6},
                ],
            ),
        ],
    }


@dataclass
class Seed:
    """Numbers of what was made."""

    thing: int
    location: int
    history: int
    streams: list[int]
    sensors: list[int]
    properties: list[int]
    observations: list[int]
    feature: int

    @property
    def scope(self) -> str:
        return f"Datastream/Thing/@iot.id eq {self.thing}"


def plant(client: Client, name: str = "thing name 1") -> Seed:
    thing = client.make("Things", whole(name))
    at = f"Things({thing})"
    streams = client.values(f"{at}/Datastreams", orderby="name", expand="Sensor,ObservedProperty")
    observations = client.ids(
        "Observations", filter=f"Datastream/Thing/id eq {thing}", orderby="result"
    )
    return Seed(
        thing=thing,
        location=client.ids(f"{at}/Locations")[0],
        history=client.ids(f"{at}/HistoricalLocations")[0],
        streams=[s["@iot.id"] for s in streams],
        sensors=[s["Sensor"]["@iot.id"] for s in streams],
        properties=[s["ObservedProperty"]["@iot.id"] for s in streams],
        observations=observations,
        feature=client.get(f"Observations({observations[0]})/FeatureOfInterest")["@iot.id"],
    )
