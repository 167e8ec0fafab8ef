"""SensorThings: nothing of a hidden site by path, filter, expand, order, count or page.

Two nodes are alike but for what is hidden from the reader: names, places, values, times and
properties of the hidden sites differ. Every request of a party without rights must be answered
with the same bytes by both.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests import signing
from tests.nodes import new_node
from tests.postgres import server
from tests.sensing import Answered, Client, Service, serving

from ecotone.model.records import Clearance, Dataset

CLEARED = Clearance(authority="Ministry", number="1", date=date(2025, 1, 1), scope="all")
#: Digits and words that only hidden sites have, one set for each node.
CANARIES = (("7123457", "Zhyldyz"), ("4987651", "Sarybulak"))

AGREEMENT: dict[str, Any] = {
    "agreement_id": "AG-STA",
    "title": {"en": "Sensors"},
    "owner": "KNCM",
    "recipients": ["GUEST"],
    "purposes": ["assessment"],
    "actions": ["view", "download"],
    "datasets": ["shared"],
    "zones": {
        "open": {
            "type": "Polygon",
            "coordinates": [[[70, 40], [71, 40], [71, 41], [70, 41], [70, 40]]],
        },
        "rough": {
            "type": "Polygon",
            "coordinates": [[[72, 40], [73, 40], [73, 41], [72, 41], [72, 40]]],
        },
    },
    "classes": [
        {"name": "sites", "nouns": ["Site"], "zones": ["open"], "level": "full"},
        {"name": "rough", "nouns": ["Site"], "zones": ["rough"], "level": "generalised",
         "cell_degrees": 0.1},
        {"name": "ph", "nouns": ["Observation"], "properties": ["pH"], "level": "full"},
    ],
    "valid_from": "2026-01-01",
    "valid_until": "2030-01-01",
}  # fmt: skip


def site(name: str, x: float, y: float, values: list[float], props: tuple[str, ...]) -> Any:
    """A site with a sensor for each property."""
    return {
        "name": name,
        "description": f"About {name}",
        "properties": {"code": name},
        "Locations": [
            {"name": f"Place of {name}", "description": name,
             "encodingType": "application/geo+json",
             "location": {"type": "Point", "coordinates": [x, y]}}
        ],
        "Datastreams": [
            {
                "name": f"{prop} of {name}", "description": name, "observationType": "om",
                "unitOfMeasurement": {"name": prop, "symbol": "1", "definition": "d"},
                "Sensor": {"name": f"Probe of {name}", "description": name,
                           "encodingType": "text/html", "metadata": name},
                "ObservedProperty": {"name": prop, "definition": "d", "description": "d"},
                "Observations": [
                    {"phenomenonTime": f"2026-01-{n + 1:02d}T00:00:00Z", "result": value,
                     "parameters": {"by": name}}
                    for n, value in enumerate(values)
                ],
            }
            for prop in props
        ],
    }  # fmt: skip


def fill(service: Service, canary: tuple[str, str]) -> None:
    """The same for both nodes but for what is hidden."""
    digits, word = canary
    far = float(f"1{digits[0]}.{digits[1:]}")
    secret = [float(digits[:2]), float(digits[2:4])]
    owner = service.client("KNCM")
    owner.make("Things?dataset=shared", site("Open", 70.5, 40.5, [7.0, 7.5], ("pH", "As")))
    owner.make("Things?dataset=shared", site(word, far, far, secret, ("pH", word)))
    owner.make("Things?dataset=private", site(f"{word} 2", far, 40.5, secret, ("pH",)))
    owner.make(
        "Things?dataset=shared",
        site(f"Rough {word}", 72.3 + secret[0] / 1e4, 40.3, secret, ("pH",)),
    )
    owner.make("Things?dataset=shared", site("Open 2", 70.1, 40.9, [6.5, 8.5], ("pH",)))
    own = service.client("GUEST")
    own.make("Things", site("Guest's", 50, 50, [1.0, 2.0], ("pH",)))
    # What is hidden has a past, too, and some of it is gone.
    hidden = owner.ids("Things", filter=f"name eq '{word}'")[0]
    owner.change(f"Things({hidden})", {"description": f"{word} {digits}"})
    shown = owner.ids("Things", filter="name eq 'Open'")[0]
    owner.change(f"Things({shown})", {"description": f"was {word}"})
    owner.change(f"Things({shown})", {"description": "About Open"})
    owner.remove(f"Datastreams({owner.ids(f'Things({hidden})/Datastreams')[-1]})")


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="module", params=BOTH)
def twins(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Service]]:
    with ExitStack() as stack:
        found = []
        for number, canary in enumerate(CANARIES):
            folder: Path = tmp_path_factory.mktemp(f"twin{number}")
            url = None if request.param == "sqlite" else server().new_database()
            store = stack.enter_context(new_node(folder / "node", url))
            for name in ("shared", "private"):
                store.put_dataset(
                    Dataset(dataset_id=name, party_id="KNCM", title=name, export_clearance=CLEARED),
                    person="aigul",
                )
            store.put_party(signing.party("ALIEN"), person="aigul")
            signing.conclude(store, {**AGREEMENT, "status": "active"}, person="aigul")
            service = stack.enter_context(serving(store))
            fill(service, canary)
            found.append(service)
        yield found


def plain(answer: Answered, client: Client) -> tuple[int, bytes]:
    """An answer without what must differ: the port, and the clock of historical locations."""
    body = answer.body.replace(client.root.encode(), b"ROOT")
    return answer.status, re.sub(rb'"time":"2026-[^"]*"', b'"time":""', body)


def test_the_owner_sees_all_and_a_stranger_nothing(twins: list[Service]) -> None:
    owner, alien, nobody = (twins[0].client(p) for p in ("KNCM", "ALIEN", ""))
    assert len(owner.ids("Things")) == 5
    for stranger in (alien, nobody):
        for path in ("Things", "Locations", "Observations", "Sensors", "Parties"):
            assert stranger.get(path, count="true") == {"@iot.count": 0, "value": []}
        assert stranger.status("GET", "Things(1)") == 404
        assert stranger.status("GET", "Things(1)/Datastreams") == 404
    assert nobody.status("POST", "Things", {"name": "x", "description": "x"}) == 401


def test_what_the_agreement_lets_be_seen(twins: list[Service]) -> None:
    guest = twins[0].client("GUEST")
    things = {t["name"]: t for t in guest.values("Things")}
    assert set(things) == {"Open", "Open 2", "", "Guest's"}
    rough = things[""]
    assert rough["properties"] == {"released": "generalised"} and rough["description"] == ""
    told = guest.values(f"Things({rough['@iot.id']})/Datastreams")[0]
    assert told["properties"] == {"released": "generalised", "observations": "withheld"}
    assert guest.ids("Things", filter="properties/released eq 'generalised'") == [rough["@iot.id"]]
    assert guest.ids("Things", filter="properties/code ne null") == guest.ids(
        "Things", filter="description ne ''"
    )
    place = guest.values(f"Things({rough['@iot.id']})/Locations")[0]
    assert place["location"] == {"type": "Point", "coordinates": [72.35, 40.35]}
    # Below level full no observations; of the open site the property agreed on alone.
    assert guest.ids(f"Things({rough['@iot.id']})/Datastreams") != []
    results = [o["result"] for o in guest.values("Observations", orderby="result")]
    assert results == [1, 2, 6.5, 7, 7.5, 8.5]
    names = [d["name"] for d in guest.values(f"Things({things['Open']['@iot.id']})/Datastreams")]
    assert names == ["pH of Open"]
    assert guest.ids("Things", filter="Datastreams/ObservedProperty/name eq 'As'") == []


def test_what_is_seen_may_not_be_changed(twins: list[Service]) -> None:
    guest = twins[0].client("GUEST")
    seen = guest.ids("Things", filter="name eq 'Open'")[0]
    hidden = twins[0].client("KNCM").ids("Things", filter="startswith(name,'Zhyldyz')")[0]
    for method, body in (("PATCH", {"name": "x"}), ("PUT", {"name": "x", "description": "x"}),
                         ("DELETE", None)):  # fmt: skip
        assert guest.status(method, f"Things({seen})", body) == 403
        assert guest.status(method, f"Things({hidden})", body) == 404
    stream = guest.ids(f"Things({seen})/Datastreams")[0]
    assert guest.status("POST", f"Datastreams({stream})/Observations", {"result": 1}) == 403
    both = [
        guest.ask("POST", "Observations", {"result": 1, "Datastream": {"@iot.id": n}}).status
        for n in (3, 999)
    ]
    assert both == [400, 400]


def requests(
    seed: int, number: int, moments: list[str]
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Random requests, most of them well made and all of them curious."""
    rng = random.Random(seed)
    sets = {
        "Things": ("Locations", "HistoricalLocations", "Datastreams", "Party"),
        "Locations": ("Things", "HistoricalLocations"),
        "HistoricalLocations": ("Thing", "Locations"),
        "Datastreams": ("Thing", "Sensor", "ObservedProperty", "Observations", "Party", "License"),
        "Sensors": ("Datastreams",),
        "ObservedProperties": ("Datastreams",),
        "Observations": ("Datastream", "FeatureOfInterest"),
        "FeaturesOfInterest": ("Observations",),
    }
    plural = {
        "Thing": "Things", "Sensor": "Sensors", "ObservedProperty": "ObservedProperties",
        "Datastream": "Datastreams", "FeatureOfInterest": "FeaturesOfInterest",
    }  # fmt: skip
    texts = [*(c for pair in CANARIES for c in pair), "Open", "Rough", "pH", "Place of", "Guest"]
    shapes = ["POLYGON((0 0,90 0,90 90,0 90,0 0))", "POINT(17.123457 17.123457)",
              "POLYGON((72.3 40.2,72.31 40.2,72.31 40.4,72.3 40.4,72.3 40.2))"]  # fmt: skip

    def walk(start: str) -> list[str]:
        names, at = [], start
        for _ in range(rng.randint(0, 3)):
            links = sets.get(at, ())
            if not links:
                break
            name = rng.choice(links)
            names.append(name)
            at = plural.get(name, name)
        return names

    def condition(at: str) -> str:
        path = "/".join([*walk(at), rng.choice(("name", "description", "id", "properties/code"))])
        text = rng.choice(texts)
        number = rng.choice((*range(9), 12, 49, 71, 87))
        return rng.choice(
            (
                f"{path} eq '{text}'",
                f"startswith({path},'{text}')",
                f"substringof('{text}',{path})",
                f"not ({path} eq '{text}')",
                f"length({path}) gt {number}",
                f"{path} ne null",
                f"{path} eq null",
                f"{path} eq {'/'.join([*walk(at), 'name'])}",
                f"properties/{rng.choice(('released', 'observations', 'code', 'list[0]'))} ne null",
                f"result gt {number}",
                f"Datastreams/Observations/result eq {number}",
                f"Observations/any(o:o/result gt {number})",
                f"Datastreams/all(d:d/name eq '{text}')",
                f"phenomenonTime lt 2026-01-0{1 + number % 9}T00:00:00Z",
                f"st_within({rng.choice(('location', 'feature'))},geography'{rng.choice(shapes)}')",
                f"geo.distance(Locations/location,geography'{rng.choice(shapes)}') lt {number}",
                f"st_intersects(observedArea,geography'{rng.choice(shapes)}')",
                f"id eq {number}",
                f"Thing/id eq {number}",
            )
        )

    for _ in range(number):
        start = rng.choice(tuple(sets))
        path = start if rng.random() < 0.5 else f"{start}({rng.randint(1, 16)})"
        if "(" in path:
            for name in walk(start)[: rng.randint(0, 3)]:
                path += f"/{name}"
        if rng.random() < 0.15:
            path += rng.choice(("/$ref", "/name", "/name/$value", "/location", "/result/$value"))
        options: dict[str, str] = {}
        if rng.random() < 0.5:
            both = (condition(start), condition(start))
            options["filter"] = rng.choice((both[0], " and ".join(both), " or ".join(both)))
        if rng.random() < 0.4:
            options["expand"] = "/".join(walk(start)) or sets[start][0]
        if rng.random() < 0.4:
            options["orderby"] = rng.choice(
                ("id", "name desc", "result", "location", "observedArea desc", "phenomenonTime",
                 "Thing/name", "Datastream/Thing/name desc", "description")
            )  # fmt: skip
        if rng.random() < 0.5:
            options["count"] = "true"
        if rng.random() < 0.3:
            options["top"] = str(rng.randint(0, 3))
        if rng.random() < 0.2:
            options["skip"] = str(rng.randint(0, 3))
        if rng.random() < 0.1:
            options["resultFormat"] = "dataArray"
        if rng.random() < 0.1:
            options["as_of"] = rng.choice(moments)
        if rng.random() < 0.1:
            # What is another's may not be removed, nor may it be found out by trying.
            own = {"Observations": "Datastream/", "HistoricalLocations": "Thing/"}.get(start, "")
            told = f"({condition(start)}) and not endswith({own}name,'Guest''s')"
            yield "DELETE", path, {"filter": told}
        yield "GET", path, options


def hunt(twins: list[Service], seed: int, number: int) -> dict[int, int]:
    """Ask both nodes the same; how often each status came."""
    statuses: dict[int, int] = {}
    guests = [service.client("GUEST") for service in twins]
    now = datetime.now(UTC)
    moments = [now.isoformat(), "2026-01-01", "2020-01-01T00:00:00Z", "no moment"]
    for method, path, options in requests(seed, number, moments):
        first, second = (plain(g.ask(method, path, **options), g) for g in guests)
        assert first == second, (path, options)
        for digits, word in CANARIES:
            # The link to the next page repeats what the reader itself asked.
            told = re.sub(rb'"@iot.nextLink":"[^"]*"', b"", first[1])
            if first[0] == 200:
                assert digits[1:].encode() not in told and word.encode() not in told
        assert first[0] in (200, 204, 400, 403, 404, 405, 422), (path, options, first)
        statuses[first[0]] = statuses.get(first[0], 0) + 1
    return statuses


def test_a_thousand_random_requests_reveal_nothing(twins: list[Service]) -> None:
    number = 300 if twins[0].store.database.is_postgres else 1000
    statuses = hunt(twins, 1, number)
    assert statuses[200] > number / 5


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_random_requests_reveal_nothing(twins: list[Service]) -> None:
    statuses = hunt(twins, 2, 10_000)
    assert statuses[200] > 2000
