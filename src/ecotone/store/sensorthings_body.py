"""What a client says of an entity, as the values of its row; refused where it says it wrongly."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import shapely

from ecotone.model import sensorthings_times as times
from ecotone.model.sensorthings import Entity, Property, column_of, malformed
from ecotone.store.sensorthings_tables import BOOLEAN, INTEGER, JSON, NUMBER, TEXT

#: Encodings whose content is GeoJSON.
GEOJSON: Final = ("application/vnd.geo+json", "application/geo+json", "application/vnd.geo json")
#: A number beyond these loses digits as a floating one.
_EXACT: Final = 2**53
_ROLES: Final = ("individual", "institutional")


@dataclass
class Body:
    """The values of a row, and what the entity is to be linked with."""

    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def read(entity: Entity, said: Any, *, whole: bool) -> Body:
    """``whole``: what is required must be there, and what is not said is empty."""
    if not isinstance(said, Mapping):
        raise malformed("sta.body-no-object", entity=entity.name)
    found = Body()
    for name, value in said.items():
        if name in entity.properties:
            prop = entity.properties[name]
            if not prop.made:
                found.values.update(values_of(prop, value, said))
        elif name in entity.links:
            found.links[name] = _linked(entity, name, value)
        elif not (name.startswith("@iot.") or "@iot." in name):
            raise malformed("sta.property-unknown", name=name, entity=entity.name)
    if whole:
        for prop in entity.properties.values():
            if prop.required and prop.name not in said:
                raise malformed("sta.property-missing", name=prop.name, entity=entity.name)
            if prop.name not in said and not prop.made:
                found.values.update(_empty(prop))
    return found


def reference(said: Any) -> int | None:
    """The number where an entity is only named, ``{"@iot.id": 1}``; None where it is described."""
    if not isinstance(said, Mapping) or "@iot.id" not in said:
        return None
    number = said["@iot.id"]
    if isinstance(number, bool) or not isinstance(number, int):
        raise malformed("sta.id-no-number", given=str(number)[:40])
    return number


def _linked(entity: Entity, name: str, value: Any) -> list[dict[str, Any]]:
    many = entity.links[name].many
    given = value if many else [value]
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise malformed("sta.link-form", name=name, entity=entity.name)
    return given


def values_of(prop: Property, value: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of one property."""
    column = column_of(prop.name)
    if prop.kind == "result":
        return result_values(value)
    if value is None:
        if prop.required:
            raise malformed("sta.property-missing", name=prop.name, entity="")
        return _empty(prop)
    match prop.kind:
        case "text":
            if not isinstance(value, str):
                raise malformed("sta.property-kind", name=prop.name, wanted="string")
            if prop.name == "role" and value not in _ROLES:
                raise malformed("sta.property-kind", name=prop.name, wanted=" | ".join(_ROLES))
            return {column: value}
        case "object":
            if not isinstance(value, dict):
                raise malformed("sta.property-kind", name=prop.name, wanted="object")
            return {column: dumped(value)}
        case "shape":
            return {column: _shape(prop, value, said.get("encodingType"))}
        case "instant":
            moment, form = times.read(value)
            if prop.name == "time":
                return {"time": moment, "time_form": form}
            return {"result_time": moment, "result_form": form}
        case "period":
            first, last, form = times.read_period(value)
            return {"time": first, "until": last, "form": form}
        case "interval":
            first, last, _ = times.read_interval(value)
            return {"valid_from": first, "valid_until": last}
    return {column: dumped(value)}


def result_values(value: Any) -> dict[str, Any]:
    """A result by its kind: the number or the text that holds it."""
    if isinstance(value, bool):
        return {"result": None, "kind": BOOLEAN, "text": "true" if value else "false"}
    if isinstance(value, int) and abs(value) <= _EXACT:
        return {"result": float(value), "kind": INTEGER, "text": None}
    if isinstance(value, float) and math.isfinite(value):
        return {"result": value, "kind": NUMBER, "text": None}
    if isinstance(value, str):
        return {"result": None, "kind": TEXT, "text": value}
    return {"result": None, "kind": JSON, "text": dumped(value)}


def dumped(value: Any) -> str:
    """JSON as it is kept: the client's order of keys, no blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _empty(prop: Property) -> dict[str, Any]:
    match prop.kind:
        case "result":
            return {}
        case "period":
            return {"time": times.now(), "until": None, "form": None}
        case "interval":
            return {"valid_from": None, "valid_until": None}
        case "instant":
            return {"result_time": None, "result_form": None} if prop.name != "time" else {}
    return {column_of(prop.name): None}


def _shape(prop: Property, value: Any, encoding: object) -> str:
    """A place; GeoJSON must be one, other encodings are kept as they come."""
    text = dumped(value)
    if encoding is not None and encoding not in GEOJSON:
        return text
    if not isinstance(value, dict) or "type" not in value:
        raise malformed("sta.shape-unreadable", text=text[:80])
    if value["type"] in ("Feature", "FeatureCollection"):
        return text
    try:
        shapely.from_geojson(text)
    except shapely.errors.ShapelyError as error:
        raise malformed("sta.shape-unreadable", text=text[:80]) from error
    return text
