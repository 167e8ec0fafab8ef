"""SensorThings over HTTP: ingest, single posts, last values, months, the millionth row.

100 things of 10 datastreams each, every 15 minutes, on SQLite and (where its server programs are
installed) on PostgreSQL with its own safe defaults. The server runs in a process of its own; what
is timed is what a client waits for. Peers: istSOS4 1.26, measured on a busy machine of 2 cores
with PostgreSQL 15: 66-73 observations a second by CreateObservations, 37 by single POST.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The tests' server is used, also by the process that serves.
sys.path.insert(0, str(Path(__file__).parents[1]))

THINGS, STREAMS = 100, 10
START = np.datetime64("2025-01-01T00:00:00")
STEP = np.timedelta64(15, "m")
PER_REQUEST = 10_000


def serve(folder: str, url: str | None, pipe: Any) -> None:
    """The server's process."""
    import uvicorn
    from fastapi import FastAPI
    from tests.sensing import new_store, who

    from ecotone.serve.sta.routes import router
    from ecotone.share.sensorthings import Sensing
    from ecotone.store import open_node

    path = Path(folder)
    store = open_node(path / "node") if (path / "node").exists() else new_store(path, url)
    sensing = Sensing(store, lambda: np.datetime64("2026-01-01").astype(object))
    app = FastAPI()
    app.include_router(router(lambda request: sensing, who, known=who))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_level="warning",
            access_log=False,
            timeout_keep_alive=600,
        )
    )

    def tell() -> None:
        while not server.started:
            time.sleep(0.05)
        pipe.send((server.servers[0].sockets[0].getsockname()[1], store.party_id))

    threading.Thread(target=tell, daemon=True).start()
    server.run()


@dataclass
class Client:
    """One connection of one client."""

    port: int
    party: str

    def __post_init__(self) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of an answer that must be good."""
        headers = {"X-Party": self.party, "Content-Type": "application/json"}
        target = quote(f"/sta/v1.1/{path}", safe="$()/:,'=;.-@?&%")
        self._http.request(method, target, body, headers)
        answer = self._http.getresponse()
        told = answer.read()
        assert answer.status < 300, (answer.status, told[:300])
        return told

    def get(self, path: str) -> Any:
        """JSON."""
        return json.loads(self.ask("GET", path))


@contextmanager
def server(folder: Path, url: str | None) -> Iterator[Client]:
    """A running server and a client of it."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(str(folder), url, there), daemon=True
    )
    process.start()
    port, party = here.recv()
    try:
        yield Client(port, party)
    finally:
        process.terminate()
        process.join(20)


def thing(number: int) -> dict[str, Any]:
    """A station with its sensors."""
    point = {"type": "Point", "coordinates": [70 + number % 10 / 10, 38 + number // 10 / 10]}
    return {
        "name": f"Station {number}",
        "description": "River station",
        "properties": {"basin": number % 7},
        "Locations": [
            {"name": f"Place {number}", "description": "Bank", "location": point,
             "encodingType": "application/geo+json"}
        ],
        "Datastreams": [
            {
                "name": f"Stream {number}-{k}", "description": "Every 15 minutes",
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
                "OM_Measurement",
                "unitOfMeasurement": {"name": "degree", "symbol": "C", "definition": "x"},
                "Sensor": {"name": "S", "description": "d", "encodingType": "text/html",
                           "metadata": "m"},
                "ObservedProperty": {"name": f"P{k}", "definition": "x", "description": "d"},
            }
            for k in range(STREAMS)
        ],
    }  # fmt: skip


def blocks(streams: list[int], each: int) -> Iterator[bytes]:
    """CreateObservations in the order loggers would send: time after time."""
    rng = np.random.default_rng(1)
    rows = max(1, PER_REQUEST // len(streams))
    texts = np.datetime_as_string(START + np.arange(each) * STEP, unit="s")
    for first in range(0, each, rows):
        stamps = [f"{t}Z" for t in texts[first : first + rows]]
        groups = [
            {
                "Datastream": {"@iot.id": s},
                "components": ["phenomenonTime", "result"],
                "dataArray": list(
                    map(list, zip(stamps, rng.normal(10, 3, len(stamps)).round(3).tolist(),
                                  strict=True))
                ),
            }
            for s in streams
        ]  # fmt: skip
        yield json.dumps(groups).encode()


def timed(work: Callable[[], Any], repeat: int = 9) -> float:
    """Median milliseconds."""
    work()
    found = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


def singles(client: Client, stream: int, seconds: float, clients: int) -> float:
    """Observations a second, each in a POST of its own, by several clients."""
    body = {"result": 8.5, "Datastream": {"@iot.id": stream}}
    counts = [0] * clients
    stop = time.perf_counter() + seconds

    def post(number: int) -> None:
        mine = Client(client.port, client.party)
        while time.perf_counter() < stop:
            told = body | {"phenomenonTime": f"2027-01-01T00:{number:02d}:00Z"}
            mine.ask("POST", "Observations", json.dumps(told).encode())
            counts[number] += 1

    threads = [threading.Thread(target=post, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def measure(name: str, folder: Path, url: str | None, rows: int) -> None:
    """All figures of one database."""
    with server(folder, url) as client:
        for number in range(THINGS):
            client.ask("POST", "Things", json.dumps(thing(number)).encode())
        streams = [d["@iot.id"] for d in client.get("Datastreams?$top=1000&$select=id")["value"]]
        each = rows // len(streams)
        bodies = blocks(streams, each)
        spent = made = 0.0
        for body in bodies:
            began = time.perf_counter()
            client.ask("POST", "CreateObservations", body)
            spent += time.perf_counter() - began
        made = each * len(streams)
        then = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        say(name, f"dataArray ingest, {made:,.0f} observations", made / spent, "/s",
            ">= 50,000/s; istSOS4 66-73")  # fmt: skip
        for clients in (1, 16):
            rate = singles(client, streams[0], 4, clients)
            say(name, f"single POST, {clients} clients", rate, "/s", ">= 500/s; istSOS4 37")
        stream = streams[len(streams) // 2]
        last = f"Datastreams({stream})/Observations?$orderby=phenomenonTime desc&$top=1000"
        say(name, "last 1,000 of a stream", timed(lambda: client.get(last)), "ms", "< 20 ms")
        month = (
            f"Datastreams({stream})/Observations?$count=true&$top=3000&$filter=phenomenonTime ge"
            " 2025-01-05T00:00:00Z and phenomenonTime lt 2025-02-03T00:00:00Z"
        )
        found = client.get(month)["@iot.count"]
        say(name, f"one month with count ({found:,} rows)", timed(lambda: client.get(month)),
            "ms", "< 50 ms")  # fmt: skip
        latest = "Datastreams?$top=1000&$expand=Observations($orderby=phenomenonTime desc;$top=1)"
        slim = latest + "&$select=id,name"
        say(name, "latest value of 1,000 streams", timed(lambda: client.get(latest)), "ms",
            "< 100 ms")  # fmt: skip
        say(name, "... with $select=id,name", timed(lambda: client.get(slim)), "ms", "")
        with_thing = latest + ",Thing($expand=Locations)"
        say(name, "... with thing and place", timed(lambda: client.get(with_thing)), "ms", "")
        deep_pages(name, client)
        geo = (
            "Observations?$top=100&$filter=st_within(FeatureOfInterest/feature,geography'POLYGON(("
            "70.05 38.05,70.35 38.05,70.35 38.35,70.05 38.35,70.05 38.05))') and"
            " Datastream/ObservedProperty/name eq 'P3'"
        )
        past = f"Datastreams({stream})/Observations?$as_of={then}&$top=1000"
        say(name, "1,000 of a stream as known then", timed(lambda: client.get(past)), "ms", "")
        say(name, "place and property filter", timed(lambda: client.get(geo)), "ms", "")
        newest = "Observations?$orderby=phenomenonTime desc&$top=100"
        say(name, "newest 100 of all", timed(lambda: client.get(newest)), "ms", "")
        say(name, "$count of all", timed(lambda: client.get("Observations?$count=true&$top=1")),
            "ms", "")  # fmt: skip


def deep_pages(name: str, client: Client) -> None:
    """A page at the beginning and one behind a million rows, by the link a client follows."""
    from ecotone.serve.sta.options import token

    total = client.get("Observations?$count=true&$top=1")["@iot.count"]
    first = "Observations?$top=1000"
    deep = f"Observations?$top=1000&$skiptoken={token([min(1_000_000, total // 2)])}"
    say(name, "first page of 1,000", timed(lambda: client.get(first)), "ms", "")
    say(name, "page behind row 1,000,000", timed(lambda: client.get(deep)), "ms", "as the first")


def say(name: str, what: str, value: float, unit: str, target: str) -> None:
    """One line."""
    told = f"{value:,.0f}" if unit == "/s" else f"{value:,.1f}"
    print(f"{name:10s}  {what:45s} {told:>10s} {unit:3s}  {target}", flush=True)


def main(rows: int = 3_500_000, only: str = "") -> None:
    """Both databases."""
    for name in ("sqlite", "postgres"):
        if only and name != only:
            continue
        with tempfile.TemporaryDirectory(prefix="ecotone-sta-") as folder:
            url = None
            if name == "postgres":
                url = _postgres()
                if url is None:
                    print("postgres    no server programs installed")
                    continue
            measure(name, Path(folder), url, rows)


def _postgres() -> str | None:
    import pytest
    from tests.postgres import server as private

    try:
        return private(durable=True).new_database()
    except pytest.skip.Exception:
        return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_500_000)
    parser.add_argument("--only", default="", choices=["", "sqlite", "postgres"])
    given = parser.parse_args()
    main(given.rows, given.only)
