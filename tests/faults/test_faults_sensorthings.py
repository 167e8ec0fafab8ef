"""A server killed while observations come in loses none that it acknowledged."""

from __future__ import annotations

import http.client
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.nodes import new_node
from tests.postgres import server as private
from tests.sensing import Client, serving
from tests.support import ROOT
from tests.unit.serve.sta_seed import plant

from ecotone.store import Store, ledger

DRIVER = ROOT / "tests" / "faults" / "sensors_driver.py"
PARTY = "KNCM"


class Acknowledged:
    """What the server said was written: number -> result."""

    def __init__(self) -> None:
        self.results: dict[int, float] = {}
        self.asked = 0
        self._lock = threading.Lock()

    def next(self, wanted: int) -> range:
        with self._lock:
            first = self.asked
            self.asked += wanted
            return range(first, first + wanted)

    def note(self, numbers: list[int], results: range) -> None:
        with self._lock:
            self.results.update(zip(numbers, map(float, results), strict=True))


def post(root: str, stream: int, arrays: bool, told: Acknowledged) -> None:
    """Post until the server is gone."""
    client = Client(root, PARTY)
    while True:
        values = told.next(50 if arrays else 1)
        try:
            if arrays:
                rows = [["2026-01-01T00:00:00Z", value] for value in values]
                body: Any = [{"Datastream": {"@iot.id": stream}, "dataArray": rows,
                              "components": ["phenomenonTime", "result"]}]  # fmt: skip
                answer = client.ask("POST", "CreateObservations", body)
                links = answer.json if answer.status == 201 else []
            else:
                body = {"result": values[0], "Datastream": {"@iot.id": stream}}
                answer = client.ask("POST", "Observations", body)
                links = [answer.headers["location"]] if answer.status == 201 else []
        except (OSError, http.client.HTTPException):
            return
        if links:
            told.note([int(link[link.rindex("(") + 1 : -1]) for link in links], values)


def once(folder: Path, streams: list[int], told: Acknowledged, wait: float) -> None:
    """Start, post from four sides, kill."""
    process = subprocess.Popen(
        [sys.executable, DRIVER, folder], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        root = f"http://127.0.0.1:{int(process.stdout.readline())}/sta/v1.1"
        posters = [
            threading.Thread(target=post, args=(root, streams[n % 2], n > 1, told))
            for n in range(4)
        ]
        for poster in posters:
            poster.start()
        time.sleep(wait)
    finally:
        process.kill()
        process.wait()
    for poster in posters:
        poster.join(60)


def kill_again_and_again(folder: Path, url: str | None, times: int) -> None:
    with new_node(folder / "node", url) as store, serving(store) as service:
        client = service.client(PARTY)
        seed = plant(client)
    rng = random.Random(times)
    told = Acknowledged()
    for _ in range(times):
        once(folder / "node", seed.streams, told, rng.uniform(0.05, 0.6))
    assert told.results
    from ecotone.store import open_node

    with open_node(folder / "node") as store, serving(store) as service:
        client = service.client(PARTY)
        page = client.get("Observations", top=100_000, select="id,result", count="true")
        counted = page["@iot.count"]
        held = {o["@iot.id"]: o["result"] for o in page["value"]}
        while "@iot.nextLink" in page:
            page = client.get(page["@iot.nextLink"])
            held.update({o["@iot.id"]: o["result"] for o in page["value"]})
        for number, result in told.results.items():
            assert held[number] == result
        # All of an array or nothing, and nothing twice; the books agree with the rows.
        results = [held[n] for n in held if n not in seed.observations]
        assert len(set(results)) == len(results)
        assert counted == len(held)
        for stream in seed.streams:
            at = f"Datastreams({stream})/Observations"
            kept = client.get(at, count="true", top=0)["@iot.count"]
            counted = client.get(at, count="true", top=0, filter="id gt 0")["@iot.count"]
            assert kept == counted
        # What a killed server left open is sealed when the next one writes: no number is left out.
        client.make(f"Datastreams({seed.streams[0]})/Observations", {"result": -1})
        service.sensing.close()
        lines = [
            line.said
            for line in entries_of(store)
            if line.kind == "sensorthings" and line.said["do"] == "observations"
        ]
        assert sum(line["rows"] for line in lines) == len(held) + 1
        assert lines[-1]["last"] > max(held)
        assert store.verify_ledger() == []


def entries_of(store: Store) -> list[ledger.Entry]:
    with store.database.reading() as connection:
        return list(ledger.entries(connection))


def test_killed_five_times(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, None, 5)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_a_hundred_times(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, None, 100)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.postgres
def test_killed_a_hundred_times_on_postgres(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, private().new_database(), 100)
