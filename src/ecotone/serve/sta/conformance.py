"""What the service says of itself at its root: its collections, and what of 18-088 it keeps."""

from __future__ import annotations

from typing import Any, Final

from ecotone.model.sensorthings import SENSING

_BASE: Final = "http://www.opengis.net/spec/iot_sensing/1.1/"
_ENTITIES: Final = (
    "thing", "location", "historical-location", "datastream", "sensor", "observed-property",
    "observation", "feature-of-interest",
)  # fmt: skip
_DATA: Final = (
    "status-code", "query-status-code", "filter", "built-in-filter-operations",
    "built-in-query-functions", "expand", "select", "orderby", "top", "skip", "count",
    "pagination", "order",
)  # fmt: skip
_CHANGES: Final = (
    "create-entity", "link-to-existing-entities", "deep-insert", "deep-insert-status-code",
    "update-entity", "update-entity-put", "update-entity-jsonpatch", "delete-entity",
    "historical-location-auto-creation",
)  # fmt: skip
CONFORMANCE: Final = (
    *(
        f"{_BASE}req/datamodel/{e}/{part}"
        for e in _ENTITIES
        for part in ("properties", "relations")
    ),
    f"{_BASE}req/datamodel/entity-control-information/common-control-information",
    f"{_BASE}req/resource-path/resource-path-to-entities",
    *(f"{_BASE}req/request-data/{name}" for name in _DATA),
    *(f"{_BASE}req/create-update-delete/{name}" for name in _CHANGES),
    f"{_BASE}req/data-array/data-array",
    f"{_BASE}req/batch-request/batch-request",
    "https://github.com/INSIDE-information-systems/SensorThingsAPI/blob/master/EntityLinking"
    "/Linking.md#NavigationLinks",
)
_STAPLUS: Final = "http://www.opengis.net/spec/sensorthings-staplus/1.0/conf/"
_MQTT: Final = ("create-observations-via-mqtt/observations-creation",
                "receive-updates-via-mqtt/receive-updates")  # fmt: skip


def document(root: str, endpoints: list[str]) -> dict[str, Any]:
    """The service root. ``endpoints`` are those of MQTT, where there are any."""
    said = [*CONFORMANCE, f"{_STAPLUS}core", f"{_STAPLUS}authentication"]
    settings: dict[str, Any] = {"conformance": said}
    if endpoints:
        settings["conformance"] += [f"{_BASE}req/{name}" for name in _MQTT]
        for name in _MQTT:
            settings[f"{_BASE}req/{name}"] = {"endpoints": endpoints}
    return {
        "value": [{"name": name, "url": f"{root}/{name}"} for name in SENSING],
        "serverSettings": settings,
    }
