"""SensorThings in the node's whole server: tokens, roles, cookies, long bodies."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ecotone.model.records import Person
from ecotone.serve.accounts import Accounts
from ecotone.serve.app import create_app
from ecotone.serve.sta.routes import PREFIX
from tests.nodes import new_node
from tests.portal import World, serving

THING = {"name": "t", "description": "d"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("mount") / "node"
    with new_node(folder) as store:
        people = (("enterer", "enterer"), ("looker", "reader"))
        for name, role in people:
            store.put_person(
                Person(person_id=name, party_id="KNCM", name=name, role=role), person="aigul"
            )
        accounts = Accounts(store.folder, store.people, store.party_id)
        tokens = {}
        for name, _ in people:
            accounts.set_password(name, "a long password")
            for scope in ("read", "deliver"):
                tokens[f"{name}-{scope}"] = accounts.make_token(name, scope, scope)
    yield folder, tokens


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_tokens_by_scope_and_role(node: tuple[Path, dict[str, str]]) -> None:
    folder, tokens = node
    with TestClient(create_app(folder), base_url="http://localhost") as web:
        assert web.get(PREFIX).status_code == 200
        assert web.get(f"{PREFIX}/Things").json() == {"value": []}
        refused = web.post(f"{PREFIX}/Things", json=THING)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic")
        wanted = {"enterer-deliver": 201, "enterer-read": 403, "looker-deliver": 403}
        for name, status in wanted.items():
            headers = bearer(tokens[name])
            assert web.post(f"{PREFIX}/Things", json=THING, headers=headers).status_code == status
        assert web.post(f"{PREFIX}/Things", json=THING, headers=bearer("x")).status_code == 401
        basic = base64.b64encode(f"any:{tokens['looker-read']}".encode()).decode()
        seen = web.get(f"{PREFIX}/Things", headers={"authorization": f"Basic {basic}"})
        assert [t["name"] for t in seen.json()["value"]] == ["t"]
        told = web.get(f"{PREFIX}/Nothing", headers={"accept-language": "ru"}).json()
        assert told["code"] == 404 and "нет" in told["message"]
        long = {**THING, "properties": {"x": "y" * 3_000_000}}
        headers = bearer(tokens["enterer-deliver"])
        made = web.post(f"{PREFIX}/Things", json=long, headers=headers)
        assert made.status_code == 201
        packed = web.get(made.headers["location"], headers=headers)
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.json()["properties"] == long["properties"]


def test_a_cookie_reads_and_never_writes(node: tuple[Path, dict[str, str]]) -> None:
    folder, _ = node
    with TestClient(create_app(folder), base_url="http://localhost") as web:
        served = web.app.state.served  # type: ignore[attr-defined]  # of the application
        stamp = served.accounts.account("enterer").stamp
        web.cookies.set("ecotone_session", served.sessions.begin("enterer", stamp))
        assert len(web.get(f"{PREFIX}/Things").json()["value"]) > 0
        assert web.post(f"{PREFIX}/Things", json=THING).status_code == 403


def test_opened_for_trying_out(node: tuple[Path, dict[str, str]]) -> None:
    folder, _ = node
    app = create_app(folder, open_sensors="KNCM", mqtt=("127.0.0.1", 0, "http://localhost/"))
    with TestClient(app, base_url="http://localhost") as web:
        made = web.post(f"{PREFIX}/Things", json=THING)
        assert made.status_code == 201
        settings: dict[str, Any] = json.loads(web.get(PREFIX).content)["serverSettings"]
        endpoints = [v["endpoints"] for k, v in settings.items() if "mqtt" in k]
        assert len(endpoints) == 2
        assert endpoints[0][0].startswith("mqtt://127.0.0.1:")
        found = web.get(made.headers["location"] + "?$expand=Party").json()
        assert found["Party"]["displayName"] == "Kara Nature Centre"


def test_small_answers_come_at_once(tmp_path: Path) -> None:
    """Over a socket as ``ecotone serve`` opens it: none waits for the delayed ACK of 40 ms."""
    with new_node(tmp_path / "node"):
        pass
    body, headers = json.dumps(THING), {"content-type": "application/json"}
    with serving(World(tmp_path / "node", tmp_path)) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
        until = time.monotonic() + 30
        while connection.sock is None and time.monotonic() < until:
            with suppress(ConnectionRefusedError):
                connection.connect()
            time.sleep(0.05)
        spent = []
        for _ in range(60):
            began = time.perf_counter()
            connection.request("POST", f"{PREFIX}/Things", body, headers)
            answer = connection.getresponse()
            assert (answer.status, answer.read()[:11]) == (401, b'{"code":401')
            spent.append(time.perf_counter() - began)
    assert sorted(spent)[30] < 0.03
