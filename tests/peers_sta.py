"""Run by a Python that has them: what frost_sta_client and pygeoapi make of a server of ours.

``python peers_sta.py frost|pygeoapi ROOT``; ends with 0 where all is as it should be.
"""

from __future__ import annotations

import sys


def frost(root: str) -> None:
    """Make, find, page, change and remove, as its users do."""
    import frost_sta_client as fsc

    service = fsc.SensorThingsService(root)
    unit = fsc.UnitOfMeasurement(name="Celsius", symbol="C", definition="http://x")
    point = {"type": "Point", "coordinates": [71.0, 39.0]}
    location = fsc.Location(
        name="Bank", description="d", location=point, encoding_type="application/geo+json"
    )
    thing = fsc.Thing(name="Station", description="d", properties={"a": 1}, locations=[location])
    service.create(thing)
    assert isinstance(thing.id, int)
    stream = fsc.Datastream(
        name="Water temperature", description="d", observation_type="om", unit_of_measurement=unit,
        thing=fsc.Thing(id=thing.id),
        sensor=fsc.Sensor(name="s", description="d", encoding_type="text/html", metadata="m"),
        observed_property=fsc.ObservedProperty(name="T", definition="http://x", description="d"),
    )  # fmt: skip
    service.create(stream)
    for hour in range(30):
        service.create(
            fsc.Observation(
                phenomenon_time=f"2026-01-01T{hour % 24:02d}:00:00Z", result=hour / 2,
                datastream=fsc.Datastream(id=stream.id),
            )
        )  # fmt: skip
    found = service.observations().query().filter("result ge 5").top(7).list()
    assert sum(1 for _ in found) == 20, "pages follow each other"
    one = service.datastreams().find(stream.id)
    assert one.name == "Water temperature" and one.unit_of_measurement.symbol == "C"
    ordered = service.observations().query().orderby("result", "desc").top(1).list()
    assert ordered.entities[0].result == 14.5
    expanded = service.things().query().expand("Datastreams,Locations").list().entities[0]
    assert next(iter(expanded.locations)).name == "Bank"
    known = service.things().find(thing.id)
    known.name = "Station 2"
    service.update(known)
    known.description = "patched"
    service.patch(known, [{"op": "replace", "path": "/description", "value": "patched"}])
    assert service.things().find(thing.id).name == "Station 2"
    arrays = fsc.model.ext.data_array_document.DataArrayDocument()
    value = fsc.model.ext.data_array_value.DataArrayValue()
    value.components = {value.Property.PHENOMENON_TIME, value.Property.RESULT}
    value.datastream = fsc.Datastream(id=stream.id)
    value.add_observation(fsc.Observation(phenomenon_time="2026-02-01T00:00:00Z", result=99))
    arrays.add_data_array_value(value)
    assert len(service.observations().create(arrays)) == 1
    assert service.observations().query().filter("result eq 99").list().entities
    service.delete(thing)
    assert not service.observations().query().list().entities


def pygeoapi(root: str) -> None:
    """Datastreams and things as OGC API Features."""
    from pygeoapi.provider.sensorthings import SensorThingsProvider

    def provider(entity: str) -> SensorThingsProvider:
        return SensorThingsProvider(
            {"name": "SensorThings", "type": "feature", "data": f"{root}/", "entity": entity,
             "id_field": "@iot.id", "intralink": False, "time_field": None}
        )  # fmt: skip

    things = provider("Things")
    assert "name" in things.get_fields()
    found = things.query(limit=10)
    assert [f["properties"]["name"] for f in found["features"]] == ["another thing", "thing name 1"]
    assert found["features"][0]["geometry"]["type"] == "Point"
    assert things.query(resulttype="hits")["numberMatched"] == 2
    one = things.get(str(found["features"][1]["id"]))
    assert one["properties"]["name"] == "thing name 1"
    named = things.query(properties=[("name", "'thing name 1'")])
    assert len(named["features"]) == 1
    inside = things.query(bbox=[-118, 50, -116, 52])
    assert len(inside["features"]) == 2
    assert things.query(bbox=[0, 0, 1, 1])["features"] == []
    streams = provider("Datastreams")
    assert len(streams.query(limit=3)["features"]) == 3
    paged = streams.query(offset=3, limit=3)["features"]
    assert len(paged) == 1
    observations = provider("Observations").query(limit=100)["features"]
    assert len(observations) == 8


if __name__ == "__main__":
    {"frost": frost, "pygeoapi": pygeoapi}[sys.argv[1]](sys.argv[2])
