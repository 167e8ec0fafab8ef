"""SensorThings in the node's server: its sensors, and who of the server's people asks."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Final

from fastapi import FastAPI, Request

from ecotone.serve import guard
from ecotone.serve.sta import routes
from ecotone.serve.sta.mqtt import Broker
from ecotone.serve.sta.who import NOBODY, Who
from ecotone.serve.state import served
from ecotone.share.sensorthings import Sensing

#: For so long a token that was good is taken for good: every reading of its file costs more than
#: most requests.
_FRESH_SECONDS: Final = 2.0
_LOCK: Final = threading.Lock()


def sensing(request: Request) -> Sensing:
    """The sensors of the node, from the first request on."""
    return sensing_of(request.app)


def sensing_of(app: FastAPI) -> Sensing:
    """The sensors of a server's node."""
    with _LOCK:
        found: Sensing | None = getattr(app.state, "sensing", None)
        if found is None:
            node = app.state.served
            found = app.state.sensing = Sensing(node.store, node.today)
        return found


async def start(app: FastAPI, host: str, port: int, address: str) -> None:
    """Listen for MQTT as well; ``address`` is that of the server in links."""
    node = app.state.served

    def known(user: str, password: str) -> Who:
        for token in (password, user):
            account = node.accounts.by_token(token)
            if account is not None:
                return Who(account.party, account.person, account.may("deliver"))
        if app.state.open_sensors is not None and not password:
            return Who(app.state.open_sensors, node.store.party_id.lower(), writes=True)
        return NOBODY

    app.state.broker = Broker(sensing_of(app), known, address.rstrip("/") + routes.PREFIX)
    listening = await app.state.broker.start(host, port)
    app.state.mqtt = [f"mqtt://{host}:{listening}"]


def endpoints(request: Request) -> list[str]:
    """Where MQTT is spoken."""
    found: list[str] = getattr(request.app.state, "mqtt", [])
    return found


async def close(app: FastAPI) -> None:
    """Write what waits, when the server ends."""
    broker: Broker | None = getattr(app.state, "broker", None)
    if broker is not None:
        await broker.stop()
    found: Sensing | None = getattr(app.state, "sensing", None)
    if found is not None:
        found.close()


def who(request: Request) -> Who:
    """The party of a token or of a signed-in person; the latter may read alone.

    A page of another site can make a browser send its cookie, but never a token.
    """
    given = request.headers.get("authorization", "")
    if given:
        return _by_token(request, given)
    account = guard.reader(request)
    if account is not None:
        return Who(account.party, account.person, writes=False)
    opened = getattr(request.app.state, "open_sensors", None)
    if opened is not None:
        return Who(opened, served(request).store.party_id.lower(), writes=True)
    return NOBODY


def known(request: Request) -> Who | None:
    """Who asks, if that was found out a moment ago."""
    return _fresh(request, _key(request.headers.get("authorization", "")))


def _key(given: str) -> str:
    return hashlib.sha256(given.encode()).hexdigest() if given else ""


def _kept(request: Request) -> dict[str, tuple[float, Who]]:
    kept: dict[str, tuple[float, Who]] | None = getattr(request.app.state, "sta_known", None)
    if kept is None:
        kept = request.app.state.sta_known = {}
    return kept


def _fresh(request: Request, key: str) -> Who | None:
    found = _kept(request).get(key) if key else None
    return found[1] if found and time.monotonic() - found[0] < _FRESH_SECONDS else None


def _by_token(request: Request, given: str) -> Who:
    key = _key(given)
    fresh = _fresh(request, key)
    if fresh is not None:
        return fresh
    account = guard.reader(request)
    if account is None:
        return NOBODY
    found = Who(account.party, account.person, account.may("deliver"))
    kept = _kept(request)
    if len(kept) > 1000:
        kept.clear()
    kept[key] = (time.monotonic(), found)
    return found


router = routes.router(sensing, who, endpoints, known)
