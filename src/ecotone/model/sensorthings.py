"""The entities of the OGC SensorThings API 1.1 (18-088) and of STAplus (22-022): what each has.

Names of entities, properties and links are those of the standard. ``Thing`` and the seven others
are Sensing; ``Party`` and ``License`` say whose data these are and what may be done with them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from ecotone.model.errors import EcotoneError
from ecotone.model.words import say

#: ``text``; ``object`` a JSON object; ``any`` any JSON; ``shape`` a place as GeoJSON;
#: ``instant``; ``period`` an instant or an interval; ``result`` whatever was observed.
Kind = Literal["text", "object", "any", "shape", "instant", "period", "interval", "result"]


@dataclass(frozen=True, slots=True)
class Property:
    """One property. ``made``: the server makes it, what a client says of it is not taken."""

    name: str
    kind: Kind = "text"
    required: bool = False
    made: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A link to other entities; ``back`` is its name on their side.

    ``column`` names the other's number, on this side where ``many`` is false, else on theirs;
    ``pair`` is the table that joins both where either side has many.
    """

    name: str
    target: str
    back: str
    many: bool = False
    required: bool = False
    column: str = ""
    pair: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of entity; ``path`` names all of them in an address."""

    name: str
    path: str
    table: str
    properties: dict[str, Property] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)


def _described(*more: Property) -> tuple[Property, ...]:
    return (
        Property("name", required=True),
        Property("description", required=True),
        *more,
        Property("properties", "object"),
    )


_ENCODED: Final = Property("encodingType", required=True)


def _entity(
    name: str, path: str, table: str, properties: Iterable[Property], links: Iterable[Link]
) -> Entity:
    return Entity(name, path, table, {p.name: p for p in properties}, {k.name: k for k in links})


_ALL: Final = (
    _entity(
        "Thing",
        "Things",
        "sta_thing",
        _described(),
        (
            Link("Locations", "Location", "Things", many=True, pair="sta_thing_location"),
            Link(
                "HistoricalLocations", "HistoricalLocation", "Thing", many=True, column="thing_id"
            ),
            Link("Datastreams", "Datastream", "Thing", many=True, column="thing_id"),
            Link("Party", "Party", "Things", column="party_id"),
        ),
    ),
    _entity(
        "Location",
        "Locations",
        "sta_location",
        _described(_ENCODED, Property("location", "shape", required=True)),
        (
            Link("Things", "Thing", "Locations", many=True, pair="sta_thing_location"),
            Link(
                "HistoricalLocations",
                "HistoricalLocation",
                "Locations",
                many=True,
                pair="sta_historical_place",
            ),
        ),
    ),
    _entity(
        "HistoricalLocation",
        "HistoricalLocations",
        "sta_historical_location",
        (Property("time", "instant", required=True),),
        (
            Link("Thing", "Thing", "HistoricalLocations", required=True, column="thing_id"),
            Link(
                "Locations",
                "Location",
                "HistoricalLocations",
                many=True,
                pair="sta_historical_place",
            ),
        ),
    ),
    _entity(
        "Datastream",
        "Datastreams",
        "sta_datastream",
        _described(
            Property("observationType", required=True),
            Property("unitOfMeasurement", "object", required=True),
            Property("observedArea", "shape", made=True),
            Property("phenomenonTime", "period", made=True),
            Property("resultTime", "period", made=True),
        ),
        (
            Link("Thing", "Thing", "Datastreams", required=True, column="thing_id"),
            Link("Sensor", "Sensor", "Datastreams", required=True, column="sensor_id"),
            Link(
                "ObservedProperty",
                "ObservedProperty",
                "Datastreams",
                required=True,
                column="observed_property_id",
            ),
            Link("Observations", "Observation", "Datastream", many=True, column="datastream_id"),
            Link("Party", "Party", "Datastreams", column="party_id"),
            Link("License", "License", "Datastreams", column="license_id"),
        ),
    ),
    _entity(
        "Sensor",
        "Sensors",
        "sta_sensor",
        _described(_ENCODED, Property("metadata", "any", required=True)),
        (Link("Datastreams", "Datastream", "Sensor", many=True, column="sensor_id"),),
    ),
    _entity(
        "ObservedProperty",
        "ObservedProperties",
        "sta_observed_property",
        _described(Property("definition", required=True)),
        (
            Link(
                "Datastreams",
                "Datastream",
                "ObservedProperty",
                many=True,
                column="observed_property_id",
            ),
        ),
    ),
    _entity(
        "Observation",
        "Observations",
        "sta_observation",
        (
            Property("phenomenonTime", "period"),
            Property("resultTime", "instant"),
            Property("result", "result", required=True),
            Property("resultQuality", "any"),
            Property("validTime", "interval"),
            Property("parameters", "object"),
        ),
        (
            Link("Datastream", "Datastream", "Observations", required=True, column="datastream_id"),
            Link("FeatureOfInterest", "FeatureOfInterest", "Observations", column="feature_id"),
        ),
    ),
    _entity(
        "FeatureOfInterest",
        "FeaturesOfInterest",
        "sta_feature",
        _described(_ENCODED, Property("feature", "shape", required=True)),
        (Link("Observations", "Observation", "FeatureOfInterest", many=True, column="feature_id"),),
    ),
    _entity(
        "Party",
        "Parties",
        "sta_party",
        (
            Property("displayName", required=True),
            Property("description"),
            Property("role", required=True),
            Property("authId"),
        ),
        (
            Link("Things", "Thing", "Party", many=True, column="party_id"),
            Link("Datastreams", "Datastream", "Party", many=True, column="party_id"),
        ),
    ),
    _entity(
        "License",
        "Licenses",
        "sta_license",
        (
            Property("name", required=True),
            Property("definition", required=True),
            Property("description"),
            Property("logo"),
            Property("attributionText"),
        ),
        (Link("Datastreams", "Datastream", "License", many=True, column="license_id"),),
    ),
)

ENTITIES: Final[dict[str, Entity]] = {entity.name: entity for entity in _ALL}
#: By the name in an address.
BY_PATH: Final[dict[str, Entity]] = {entity.path: entity for entity in _ALL}
#: What the service root lists: the eight of Sensing.
SENSING: Final[tuple[str, ...]] = tuple(e.path for e in _ALL if e.name not in ("Party", "License"))


@functools.cache
def column_of(name: str) -> str:
    """The column of a property: ``encodingType`` -> ``encoding_type``."""
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


class Refused(EcotoneError):
    """A request that cannot be answered; ``status`` is that of HTTP."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


def absent() -> Refused:
    """The same for what is not there and for what this reader may not know of."""
    return Refused(404, say("sta.absent"))


def malformed(key: str, **values: object) -> Refused:
    """A request that is not well made."""
    return Refused(400, say(key, **values))
