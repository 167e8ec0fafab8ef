"""Sessions of people's browsers, and the brake on guessing passwords.

Both are kept in memory alone: a stolen backup holds no session, and a restarted server asks
everybody to sign in again.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_IDLE: Final = 8 * 3600.0
_LONGEST: Final = 24 * 3600.0
_MOST_SESSIONS: Final = 10_000

#: Failures of one name from one address, of one name, and of one address that are let pass.
_FREE: Final = {"both": 5, "name": 30, "address": 50}
_FORGET: Final = 900.0
_MOST_NAMES: Final = 50_000


@dataclass
class Session:
    """One browser of one person."""

    person: str
    stamp: str
    csrf: str
    begun: float
    seen: float


class Sessions:
    """The sessions of a server, each known by a hash of what the browser keeps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Session] = {}

    def begin(self, person: str, stamp: str) -> str:
        """What the browser is to keep for a new session."""
        kept = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._forget(now)
            self._known[_hash(kept)] = Session(person, stamp, secrets.token_urlsafe(24), now, now)
        return kept

    def find(self, kept: str) -> Session | None:
        """The session of a browser; None where it is over or never was."""
        now = self._clock()
        with self._lock:
            session = self._known.get(_hash(kept))
            if session is None or _over(session, now):
                return None
            session.seen = now
            return session

    def end(self, kept: str) -> None:
        """Sign out."""
        with self._lock:
            self._known.pop(_hash(kept), None)

    def _forget(self, now: float) -> None:
        for key in [k for k, s in self._known.items() if _over(s, now)]:
            del self._known[key]
        while len(self._known) >= _MOST_SESSIONS:
            del self._known[min(self._known, key=lambda k: self._known[k].seen)]


class Brake:
    """Makes guessing slow: after some failures each next one waits twice as long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[int, float]] = {}

    def wait(self, name: str, address: str) -> float:
        """Seconds until this name may be tried again from this address; 0 for now."""
        now = self._clock()
        with self._lock:
            return max(self._wait(kind, key, now) for kind, key in _keys(name, address))

    def failed(self, name: str, address: str) -> None:
        """Note a failure."""
        now = self._clock()
        with self._lock:
            if len(self._failed) > _MOST_NAMES:
                self._failed = {k: v for k, v in self._failed.items() if now - v[1] < _FORGET}
            for _, key in _keys(name, address):
                number, last = self._failed.get(key, (0, now))
                self._failed[key] = (1 if now - last > _FORGET else number + 1, now)

    def passed(self, name: str, address: str) -> None:
        """Forget the failures of a name that has come in from here."""
        with self._lock:
            self._failed.pop(_keys(name, address)[0][1], None)

    def _wait(self, kind: str, key: str, now: float) -> float:
        number, last = self._failed.get(key, (0, 0.0))
        over = number - _FREE[kind]
        if over < 0:
            return 0.0
        return max(0.0, last + min(_FORGET, 2.0 ** min(over, 20)) - now)


def _keys(name: str, address: str) -> list[tuple[str, str]]:
    low = name.casefold()[:64]
    return [("both", f"b\0{low}\0{address}"), ("name", f"n\0{low}"), ("address", f"a\0{address}")]


def _over(session: Session, now: float) -> bool:
    return now - session.seen > _IDLE or now - session.begun > _LONGEST


def _hash(kept: str) -> str:
    return hashlib.sha256(kept.encode("utf-8", "replace")).hexdigest()
