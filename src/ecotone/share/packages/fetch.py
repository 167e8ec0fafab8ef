"""Gets a partner's packages over HTTP; what was cut is taken up where it stopped.

A package comes into the node's folder ``packages/inbox/PARTY/`` and is there whole, with the hash
it was offered under, or as a ``.part``. The hash only tells whether the way was sound: whether the
package is to be believed is for ``importing`` to find out.
"""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.words import say
from ecotone.share import keys
from ecotone.share.packages.reading import MOST
from ecotone.share.packages.serve import HEADER, PURPOSE, signed_text
from ecotone.store import received

if TYPE_CHECKING:
    from ecotone.share.negotiate import Actor

_SECONDS: Final = 30
_CHUNK: Final = 1 << 18
_MOST_LIST: Final = 4 << 20


@dataclass(frozen=True)
class Offered:
    """One package a partner offers."""

    sequence: int
    size: int
    sha256: str


def offered(actor: Actor, url: str, sender: str) -> list[Offered]:
    """The packages a partner has for us, oldest first."""
    with _asked(actor, url, sender, f"/packages/{actor.party}/") as answer:
        raw = answer.read(_MOST_LIST)
    try:
        document = json.loads(raw)
        found = [
            Offered(int(one["sequence"]), int(one["size"]), str(one["sha256"]))
            for one in document["packages"]
        ]
        party = str(document["party"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputRefused(say("packages.server-answer", url=url)) from error
    if party != sender:
        raise InputRefused(say("packages.other-server", url=url, found=party[:20], party=sender))
    return sorted(found, key=lambda one: one.sequence)


def wanted(actor: Actor, url: str, sender: str) -> list[Offered]:
    """Those not taken in yet."""
    before = received.progress(actor.store, sender)
    last = 0 if before is None else int(before["sequence"])
    return [one for one in offered(actor, url, sender) if one.sequence > last]


def fetch(actor: Actor, url: str, sender: str, one: Offered, *, most: int = MOST) -> Path:
    """Get one package, or the rest of it.

    Raises InputRefused where it is not what was offered, or the connection is cut: what came so
    far is kept for the next time.
    """
    home = actor.store.folder / "packages" / "inbox" / sender
    home.mkdir(parents=True, exist_ok=True)
    target = home / f"{one.sequence:06d}-{one.sha256[:16]}.zip.age"
    if target.is_file() and _sha256(target) == one.sha256:
        return target
    if one.size > most:
        raise InputRefused(
            say("packages.too-large", name=target.name, size=f"{one.size:,}", most=f"{most:,}")
        )
    part = target.with_suffix(".part")
    _rest(actor, url, sender, one, part)
    if part.stat().st_size != one.size or _sha256(part) != one.sha256:
        part.unlink()
        raise InputRefused(say("packages.fetched-other", url=url))
    part.replace(target)
    return target


def forget(path: Path) -> None:
    """A package that has been taken in need not lie in the inbox any more."""
    path.unlink(missing_ok=True)


def _rest(actor: Actor, url: str, sender: str, one: Offered, part: Path) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if have > one.size:
        part.unlink()
        have = 0
    if have == one.size:
        return
    more = {"Range": f"bytes={have}-", "If-Range": f'"{one.sha256}"'} if have else {}
    path = f"/packages/{actor.party}/{one.sequence}"
    with _asked(actor, url, sender, path, more) as answer:
        begins = answer.status == HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if begins else "wb") as out:
            left = one.size - (have if begins else 0)
            while left and (block := answer.read(min(_CHUNK, left))):
                out.write(block)
                left -= len(block)
    if left:
        raise InputRefused(
            say("packages.server-unreachable", url=url, why=f"{left:,} B"),
            say("packages.server-unreachable.do"),
        )


@contextmanager
def _asked(
    actor: Actor, url: str, sender: str, path: str, more: dict[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    """A signed request; anything but an answer becomes one sentence."""
    signature = keys.sign(
        actor.store.folder, signed_text(sender, path), purpose=PURPOSE, passphrase=actor.passphrase
    )
    connection = _connection(url)
    prefix = urlsplit(url).path.rstrip("/")
    try:
        connection.request("GET", prefix + path, headers={HEADER: str(signature), **(more or {})})
        answer = connection.getresponse()
        if answer.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            why = f"{answer.status} {answer.reason}"
            raise InputRefused(say("packages.server-refuses", url=url, why=why))
        yield answer
    except (OSError, http.client.HTTPException) as error:
        raise InputRefused(
            say("packages.server-unreachable", url=url, why=type(error).__name__),
            say("packages.server-unreachable.do"),
        ) from error
    finally:
        connection.close()


def _connection(url: str) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(say("packages.url-wrong", url=url)) from error
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(say("packages.url-wrong", url=url))
    kind: Any = (
        http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    )
    found: http.client.HTTPConnection = kind(host, port, timeout=_SECONDS)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
