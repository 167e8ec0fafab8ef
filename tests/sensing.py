"""A SensorThings server of the tests' own, on loopback, and a client that sees only HTTP."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import uvicorn
from fastapi import FastAPI, Request

from ecotone.serve.sta.routes import PREFIX, router
from ecotone.serve.sta.who import NOBODY, Who
from ecotone.share.sensorthings import Sensing
from ecotone.store import Store

SAFE = "$()/:,'=;.-@"
DAY = date(2026, 6, 1)


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Speaks as one party, ``X-Party`` in place of a token."""

    def __init__(self, root: str, party: str = "") -> None:
        self.root = root
        self.party = party
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        kind: str = "application/json",
        **options: Any,
    ) -> Answered:
        url = path if path.startswith("http") else f"{self.root}/{path}".rstrip("/")
        if options:
            told = "&".join(f"${n}={quote(str(v), safe=SAFE)}" for n, v in options.items())
            url += ("&" if "?" in url else "?") + told
        parts = urlsplit(url)
        if self._connection is None:
            self._connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": kind, "X-Party": self.party}
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        self._connection.request(method, target.replace(" ", "%20"), raw, headers)
        answer = self._connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(answer.status, found, answer.read())

    def get(self, path: str, **options: Any) -> Any:
        answer = self.ask("GET", path, **options)
        assert answer.status == 200, (path, options, answer.status, answer.text)
        return answer.json

    def values(self, path: str, **options: Any) -> list[Any]:
        found: list[Any] = self.get(path, **options)["value"]
        return found

    def ids(self, path: str, **options: Any) -> list[int]:
        return [each["@iot.id"] for each in self.values(path, **options)]

    def make(self, path: str, body: Any) -> int:
        answer = self.ask("POST", path, body)
        assert answer.status == 201, (path, answer.status, answer.text)
        where = answer.headers["location"]
        return int(where[where.rindex("(") + 1 : -1])

    def change(self, path: str, body: Any, **more: Any) -> None:
        answer = self.ask("PATCH", path, body, **more)
        assert answer.status == 200, (path, answer.status, answer.text)

    def remove(self, path: str) -> None:
        answer = self.ask("DELETE", path)
        assert answer.status == 200, (path, answer.status, answer.text)

    def status(self, method: str, path: str, body: Any = None, **more: Any) -> int:
        return self.ask(method, path, body, **more).status


@dataclass
class Service:
    """A running server."""

    root: str
    sensing: Sensing
    store: Store

    def client(self, party: str) -> Client:
        return Client(self.root, party)


def who(request: Request) -> Who:
    party = request.headers.get("x-party", "")
    return Who(party, f"{party.lower()}.tester", True) if party else NOBODY


@contextmanager
def serving(store: Store, day: date = DAY, open_to: str = "") -> Iterator[Service]:
    """The node's sensors on a free port of loopback until the tests are done.

    ``open_to``: the party that somebody who does not say who it is is taken for.
    """
    sensing = Sensing(store, lambda: day)

    def asks(request: Request) -> Who:
        found = who(request)
        return Who(open_to, "opened", True) if open_to and found is NOBODY else found

    app = FastAPI()
    app.include_router(router(lambda request: sensing, asks, known=asks))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="warning", lifespan="off", timeout_keep_alive=600
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Service(f"http://127.0.0.1:{port}{PREFIX}", sensing, store)
    finally:
        server.should_exit = True
        thread.join(10)
        sensing.close()


def new_store(folder: Path, url: str | None = None) -> Store:
    from tests.nodes import new_node

    return new_node(folder / "node", url)
