"""Several requests in one, in both forms; change sets are whole or nothing."""

from __future__ import annotations

import json
from typing import Any

from tests.sensing import Client
from tests.unit.serve.sta_seed import place, prop, sensor, stream

MIXED = "multipart/mixed; boundary=batch_1"


def ask(sta: Client, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    answer = sta.ask("POST", "$batch", {"requests": list(requests)})
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = answer.json["responses"]
    assert [f["id"] for f in found] == [r["id"] for r in requests]
    return found


def post(number: str, path: str, body: Any, group: str = "") -> dict[str, Any]:
    more = {"atomicityGroup": group} if group else {}
    return {"id": number, "method": "post", "url": path, "body": body, **more}


def thing(name: str) -> dict[str, Any]:
    return {"name": name, "description": "d", "Locations": [place()]}


def test_requests_that_name_what_was_made(sta: Client) -> None:
    links = {"Thing": {"@iot.id": "$1"}, "Sensor": {"@iot.id": "$2"}}
    found = ask(
        sta,
        post("1", "Things", thing("batch")),
        post("2", "Sensors", sensor()),
        post("3", "Datastreams", stream("s", **links, ObservedProperty=prop())),
        post("4", "$3/Observations", {"result": 4}),
        {"id": "5", "method": "GET", "url": "$3/Observations?$select=result"},
        {"id": "6", "method": "patch", "url": "$1", "body": {"name": "renamed"}},
        {"id": "7", "method": "GET", "url": f"{sta.root}/Things?$filter=name%20eq%20'renamed'"},
        {"id": "8", "method": "GET", "url": "Things(999999)"},
        {"id": "9", "method": "GET", "url": "$1/name/$value"},
        {"id": "10", "method": "delete", "url": "$1"},
        {"id": "11", "method": "GET", "url": "$1"},
    )
    assert [f["status"] for f in found] == [201, 201, 201, 201, 200, 200, 200, 404, 200, 200, 404]
    assert found[0]["location"].startswith(f"{sta.root}/Things(")
    assert found[4]["body"] == {"value": [{"result": 4}]}
    assert len(found[6]["body"]["value"]) == 1
    assert found[8]["body"] == "renamed"


def test_a_group_is_whole_or_nothing(sta: Client) -> None:
    before = sta.get("Things", count="true", top=0)
    bad = post("2", "Things", {"description": "no name"}, "a")
    found = ask(sta, post("1", "Things", thing("x"), "a"), bad, post("3", "Sensors", sensor()))
    assert [f["status"] for f in found] == [400, 400, 201]
    assert sta.get("Things", count="true", top=0) == before
    made = ask(sta, post("1", "Things", thing("x"), "a"),
               post("2", "$1/Locations", place("second"), "a"),
               {"id": "3", "method": "GET", "url": "$1/Locations"})  # fmt: skip
    assert [f["status"] for f in made] == [201, 201, 200]
    assert [e["name"] for e in made[2]["body"]["value"]] == ["second"]


def test_mixed_parts_with_a_change_set(sta: Client) -> None:
    body = "\r\n".join(
        [
            "--batch_1", "Content-Type: multipart/mixed; boundary=set_1", "",
            "--set_1", "Content-Type: application/http", "Content-ID: any", "",
            "POST /sta/v1.1/Things HTTP/1.1", "Content-Type: application/json", "",
            json.dumps(thing("mixed")),
            "--set_1", "Content-Type: application/http", "Content-ID: 2", "",
            "PATCH $any HTTP/1.1", "Content-Type: application/json", "",
            json.dumps({"description": "patched"}),
            "--set_1--",
            "--batch_1", "Content-Type: application/http", "",
            "GET Things?$filter=name eq 'mixed' HTTP/1.1", "Host: here", "", "",
            "--batch_1--", "",
        ]
    )  # fmt: skip
    answer = sta.ask("POST", "$batch", body.encode(), kind=MIXED)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=")
    assert answer.text.count("HTTP/1.1 201 Created") == 1
    assert answer.text.count("HTTP/1.1 200 OK") == 2
    assert "Content-ID: any" in answer.text
    assert '"description":"patched"' in answer.text
    wrong = body.replace(json.dumps({"description": "patched"}), '{"nosuch":1}')
    before = sta.get("Things", count="true", top=0)
    answer = sta.ask("POST", "$batch", wrong.encode(), kind=MIXED)
    assert answer.text.count("HTTP/1.1 400 Bad Request") == 2
    assert sta.get("Things", count="true", top=0) == before


def test_batches_that_are_none(sta: Client) -> None:
    for body in (b"", b"{", [], {}, {"requests": [1]}, {"requests": [{"id": "1"}]},
                 {"requests": [{"id": "1", "method": "GET", "url": "Things",
                                "atomicityGroup": "a"}]}):  # fmt: skip
        assert sta.status("POST", "$batch", body) == 400
    strange = {"requests": [{"id": "1", "method": "TRACE", "url": "Things"}]}
    assert sta.status("POST", "$batch", strange) == 405
    assert sta.ask("POST", "$batch", b"nothing", kind=MIXED).status == 400
    nobody = Client(sta.root)
    made = ask(nobody, post("1", "Things", thing("x")), post("2", "Things", thing("x"), "g"))
    assert [m["status"] for m in made] == [401, 401]
