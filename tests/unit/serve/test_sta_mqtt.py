"""MQTT: what is published is created, who subscribes is told what it may see, nobody else anything.

With Debian's clients and its broker bridged to ours where they are installed, with paho always.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ecotone.model.records import Dataset
from ecotone.serve.sta.mqtt import Broker
from ecotone.serve.sta.who import NOBODY, Who
from tests import signing
from tests.leaks.test_leaks_sensorthings import AGREEMENT, CANARIES, CLEARED, fill
from tests.nodes import new_node
from tests.sensing import Client, Service, serving
from tests.unit.serve.sta_seed import place, prop, sensor, stream

mqtt = pytest.importorskip("paho.mqtt.client")


@dataclass
class Running:
    """A server with its broker, and a shared node as the leak tests have it."""

    service: Service
    port: int

    def client(self, party: str) -> Client:
        return self.service.client(party)

    def listener(self, party: str, *topics: str, password: str = "secret") -> Listener:
        return Listener(self.port, party, password, topics)


@dataclass
class Listener:
    """A paho client: what it was granted, and what it heard."""

    port: int
    party: str
    password: str
    topics: tuple[str, ...]
    heard: list[tuple[str, Any]] = field(default_factory=list)
    granted: list[int] = field(default_factory=list)
    answer: Any = None

    def __enter__(self) -> Listener:
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.paho.username_pw_set(self.party, self.password)
        self.paho.on_message = lambda c, u, m: self.heard.append((m.topic, json.loads(m.payload)))
        self.paho.on_connect = self._connected
        self.paho.on_subscribe = lambda c, u, mid, codes, p: self.granted.extend(
            code.value for code in codes
        )
        self.paho.connect("127.0.0.1", self.port)
        self.paho.loop_start()
        wait(lambda: self.answer is not None)
        if self.topics and not self.answer.is_failure:
            self.paho.subscribe([(topic, 0) for topic in self.topics])
            wait(lambda: len(self.granted) == len(self.topics))
        return self

    def _connected(self, client: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
        self.answer = code

    def __exit__(self, *error: object) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def publish(self, topic: str, body: Any, quality: int = 1) -> None:
        told = self.paho.publish(topic, json.dumps(body), qos=quality)
        told.wait_for_publish(20)


def wait(what: Any, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with new_node(tmp_path_factory.mktemp("mqtt") / "node") as store:
        for name in ("shared", "private"):
            store.put_dataset(
                Dataset(dataset_id=name, party_id="KNCM", title=name, export_clearance=CLEARED),
                person="aigul",
            )
        signing.conclude(store, {**AGREEMENT, "status": "active"}, person="aigul")
        with serving(store) as service:
            fill(service, CANARIES[0])
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_forever, daemon=True)
            thread.start()
            broker = Broker(service.sensing, known, service.root)
            port = asyncio.run_coroutine_threadsafe(broker.start("127.0.0.1", 0), loop).result()
            yield Running(service, port)
            asyncio.run_coroutine_threadsafe(broker.stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


def known(user: str, password: str) -> Who:
    return Who(user, "tester", user != "READER") if password == "secret" else NOBODY


def station(client: Client) -> int:
    made = stream("s", Sensor=sensor(), ObservedProperty=prop("pH"))
    body = {"name": "t", "description": "d", "Locations": [place()], "Datastreams": [made]}
    thing = client.make("Things", body)
    return client.ids(f"Things({thing})/Datastreams")[0]


def test_an_observation_published_is_created_and_told(running: Running) -> None:
    client = running.client("KNCM")
    number = station(client)
    path = f"v1.1/Datastreams({number})/Observations"
    with running.listener(
        "KNCM", path, "v1.1/Observations", "v1.1/Observations?$select=result"
    ) as ear:
        assert ear.granted == [0, 0, 0]
        ear.publish(path, {"result": 7.25, "phenomenonTime": "2026-01-01T00:00:00Z"})
        wait(lambda: len(ear.heard) == 3)
        told = dict(ear.heard)
        assert told[path]["result"] == 7.25
        assert told[path] == told["v1.1/Observations"]
        assert told["v1.1/Observations?$select=result"] == {"result": 7.25}
        assert client.get(f"Observations({told[path]['@iot.id']})") == told[path]
        for quality, topic, more in (
            (0, "v1.1/Observations", {"Datastream": {"@iot.id": number}}),
            (2, "v1.1/Observations", {"Datastream": {"@iot.id": number}}),
            (1, "v1.1/Sensors", None),
        ):
            ear.heard.clear()
            ear.publish(
                topic, sensor("by mqtt") if more is None else {"result": 1, **more}, quality
            )
            if more is not None:
                wait(lambda: len(ear.heard) == 3)
        assert client.ids("Sensors", filter="name eq 'by mqtt'")
        before = client.get("Observations", count="true", top=0)
        for wrong in ({"result": 1}, {"x": 1}, [1]):
            ear.publish("v1.1/Observations", wrong)
        ear.publish("other/Observations", {"result": 1})
        assert client.get("Observations", count="true", top=0) == before


def test_changes_of_entities_and_properties_are_told(running: Running) -> None:
    client = running.client("KNCM")
    number = station(client)
    topics = (f"v1.1/Datastreams({number})", f"v1.1/Datastreams({number})/description",
              "v1.1/Datastreams", f"v1.1/Datastreams({number})/unitOfMeasurement/symbol",
              f"v1.1/Datastreams({number + 1})", "v1.1/Things")  # fmt: skip
    with running.listener("KNCM", *topics) as ear:
        assert ear.granted == [0, 0, 0, 0, 128, 0]
        client.change(f"Datastreams({number})", {"description": "new"})
        wait(lambda: len(ear.heard) >= 4)
        told = dict(ear.heard)
        assert told[topics[0]]["description"] == "new"
        assert told[topics[1]] == {"description": "new"}
        assert told[topics[3]] == {"symbol": "lm"}
        assert told[topics[2]]["@iot.id"] == number
        another = station(client)
        wait(lambda: "v1.1/Things" in dict(ear.heard))
        assert another in [body["@iot.id"] for topic, body in ear.heard if topic == topics[2]]


def test_a_feature_made_of_a_place_is_told(running: Running) -> None:
    client = running.client("KNCM")
    number = station(client)
    with running.listener("KNCM", "v1.1/FeaturesOfInterest", "v1.1/Observations") as ear:
        made = client.make(f"Datastreams({number})/Observations", {"result": 1})
        client.make(f"Datastreams({number})/Observations", {"result": 2})
        wait(lambda: len(ear.heard) == 3)
        told = client.get(f"Observations({made})/FeatureOfInterest")
        assert [body for topic, body in ear.heard if topic == "v1.1/FeaturesOfInterest"] == [told]


def test_topics_with_a_filter(running: Running) -> None:
    client = running.client("KNCM")
    number = station(client)
    at = f"v1.1/Datastreams({number})/Observations"
    topics = (f"{at}?$filter=result gt 4&$select=result",
              f"{at}?$filter=result ge 5&$select=result",
              f"v1.1/Observations?$filter=startswith(FeatureOfInterest/name,'pl')"
              f" and Datastream/id eq {number}&$select=result",
              f"{at}?$expand=Datastream($select=id)&$select=result",
              f"{at}?$filter=result zz 4", f"{at}?$top=1")  # fmt: skip
    with running.listener("KNCM", *topics) as ear:
        assert ear.granted == [0, 0, 0, 0, 128, 128]
        for value in (4, 4.5, 5):
            client.make(f"Datastreams({number})/Observations", {"result": value})
        wait(lambda: len(ear.heard) == 9)
        heard = {topic: [b["result"] for t, b in ear.heard if t == topic] for topic in topics[:4]}
    assert list(heard.values()) == [[4.5, 5], [5], [4, 4.5, 5], [4, 4.5, 5]]


def test_topics_are_guarded(running: Running) -> None:
    owner = running.client("KNCM")
    guest = running.client("GUEST")
    every = owner.ids("Datastreams", top=1000)
    mine = set(guest.ids("Datastreams", top=1000))
    topics = tuple(f"v1.1/Datastreams({n})/Observations" for n in every)
    hidden = [n for n in every if n not in mine]
    assert hidden and mine & set(every)
    # Asked through links and shown beside what may be seen, what is hidden is not there either.
    sly = tuple(
        f"v1.1/{path}?$filter=Datastream/id eq {hidden[0]} or Datastream/Thing/name eq null"
        for path in ("Observations", f"Datastreams({min(mine & set(every))})/Observations")
    )
    more = ("v1.1/Observations", "v1.1/#", "#", "v1.1/+", *sly)
    with running.listener("GUEST", *topics, *more) as ear:
        assert ear.granted[: len(every)] == [0 if n in mine else 128 for n in every]
        assert ear.granted[len(every) :] == [0, 128, 128, 128, 0, 0]
        for n in every:
            owner.make(f"Datastreams({n})/Observations", {"result": n})
        # Open and own to the guest: both topics tell. What is coarse or hidden tells nothing.
        allowed = [
            n for n in every if n in mine and guest.ids(f"Datastreams({n})/Observations", top=1)
        ]
        wait(lambda: len(ear.heard) >= 2 * len(allowed))
        time.sleep(0.3)
        assert sorted({body["result"] for _, body in ear.heard}) == sorted(allowed)
        ear.publish(f"v1.1/Datastreams({hidden[0]})/Observations", {"result": 4711})
        ear.publish(f"v1.1/Datastreams({allowed[0]})/Observations", {"result": 4711})
    assert owner.ids("Observations", filter="result eq 4711") == []
    with running.listener("READER") as ear:
        ear.publish(f"v1.1/Datastreams({every[0]})/Observations", {"result": 4711})
    assert owner.ids("Observations", filter="result eq 4711") == []


def test_nobody_without_a_token(running: Running) -> None:
    with running.listener("KNCM", password="wrong") as ear:
        assert ear.answer.is_failure


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x10", b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\xff", b"\x30\x02\x00\x05",
     b"\x10\x04\x00\x04MQ", b"\xff" * 200, b"\x82\x02\x00\x01"],
)  # fmt: skip
def test_what_is_no_mqtt_ends_that_connection_alone(running: Running, octets: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.port), 5) as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        assert connection.recv(100) in (b"", b"\x20\x02\x00\x01")
    with running.listener("KNCM") as ear:
        assert not ear.answer.is_failure


def test_debians_clients(running: Running) -> None:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto-clients is not installed")
    client = running.client("KNCM")
    topic = f"v1.1/Datastreams({station(client)})/Observations"
    common = ["-h", "127.0.0.1", "-p", str(running.port), "-u", "KNCM", "-P", "secret", "-t", topic]
    with running.listener("KNCM", topic) as ear:
        for quality in "012":
            subprocess.run(
                ["mosquitto_pub", *common, "-q", quality, "-m", json.dumps({"result": 5})],
                check=True, timeout=30,
            )  # fmt: skip
        wait(lambda: len(ear.heard) == 3)
    listening = subprocess.Popen(
        ["mosquitto_sub", *common, "-C", "1", "-W", "30"], stdout=subprocess.PIPE, text=True
    )
    time.sleep(0.5)
    client.make(topic.removeprefix("v1.1/"), {"result": 6})
    assert json.loads(listening.communicate(timeout=40)[0])["result"] == 6


def test_debians_broker_bridged(running: Running, tmp_path: Path) -> None:
    """Loggers publish to a broker in the field; it hands on what the node is to have."""
    broker = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if broker is None:
        pytest.skip("mosquitto is not installed")
    client = running.client("KNCM")
    topic = f"v1.1/Datastreams({station(client)})/Observations"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "bridge.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nconnection node\n"
        f"address 127.0.0.1:{running.port}\nremote_username KNCM\nremote_password secret\n"
        "try_private false\nnotifications false\nbridge_protocol_version mqttv311\n"
        "topic v1.1/# out 1\n"
    )
    process = subprocess.Popen([broker, "-c", config], stderr=subprocess.DEVNULL)
    try:
        field_client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        wait(lambda: _connects(field_client, port))
        field_client.loop_start()
        time.sleep(0.5)
        field_client.publish(topic, json.dumps({"result": 12.5}), qos=1).wait_for_publish(10)
        wait(lambda: client.ids(topic.removeprefix("v1.1/")) != [])
        field_client.disconnect()
        field_client.loop_stop()
    finally:
        process.terminate()
        process.wait()


def _connects(client: Any, port: int) -> bool:
    try:
        client.connect("127.0.0.1", port)
    except OSError:
        return False
    return True
