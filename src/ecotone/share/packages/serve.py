"""Offers a node's packages over HTTP to the parties they are for, and to nobody else.

``GET /packages/PARTY/``        the packages for a party, newest last
``GET /packages/PARTY/NUMBER``  one of them; ranges are answered, so that a cut is taken up again

Every request bears the party's signature of the address it asks for, of today's time; without it
the answer is the same whether there are packages or not. What is served is sealed: who listens
on the way learns that two parties exchange, and how much.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from ecotone.model.errors import EcotoneError, InputRefused
from ecotone.share import keyring, trust
from ecotone.share.packages import sent

if TYPE_CHECKING:
    from ecotone.store import Store

#: What the signature of a request is for, and the header it stands in.
PURPOSE: Final = "fetch"
HEADER: Final = "Ecotone-Signature"
_CHUNK: Final = 1 << 18
_RANGE: Final = re.compile(r"bytes=(\d{1,18})-")
_PATH: Final = re.compile(r"/packages/([A-Z0-9]{2,8})/(\d{1,9})?")
_SECONDS: Final = 30

#: Opens the node for one request: a connection belongs to one thread.
Open = Callable[[], "Store"]


def server(open_store: Open, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """A server that has not begun; ``serve_forever`` begins, ``shutdown`` ends it."""

    class Handler(_Handler):
        opened = staticmethod(open_store)

    return _Server((host, port), Handler)


def signed_text(owner: str, path: str) -> bytes:
    """What a request signs: whose node it asks, and for what."""
    return f"{owner}\n{path}".encode()


class _Server(ThreadingHTTPServer):
    """Connections that break are what this is made for; they are no news."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Two addresses, read only."""

    opened: Open
    protocol_version = "HTTP/1.1"
    server_version = "ecotone"
    sys_version = ""
    timeout = _SECONDS

    def do_GET(self) -> None:
        """Answer one request."""
        found = _PATH.fullmatch(self.path)
        if found is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        party, number = found.groups()
        try:
            with type(self).opened() as store:
                if not self._is(store, party):
                    self._refuse(HTTPStatus.FORBIDDEN)
                elif number is None:
                    self._list(store, party)
                else:
                    self._send(store, party, int(number))
        except EcotoneError:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def log_message(self, format: str, *args: Any) -> None:
        """No log: who fetched what stands nowhere but with the parties."""

    def _is(self, store: Store, party: str) -> bool:
        ring = trust.rings(store).get(party)
        text = self.headers.get(HEADER, "")
        if ring is None or not text:
            return False
        try:
            keyring.verify(ring, signed_text(store.party_id, self.path), text, purpose=PURPOSE)
        except InputRefused:
            return False
        return True

    def _list(self, store: Store, party: str) -> None:
        offered = [
            {"sequence": one.sequence, "size": one.size, "sha256": one.sha256}
            for one in sent.all_of(store, party)
            if sent.sealed(store, party, one.sequence).is_file()
        ]
        told = json.dumps({"party": store.party_id, "packages": offered}).encode()
        self._head(HTTPStatus.OK, len(told), "application/json")
        self.wfile.write(told)

    def _send(self, store: Store, party: str, number: int) -> None:
        one = next((s for s in sent.all_of(store, party) if s.sequence == number), None)
        path = sent.sealed(store, party, number)
        if one is None or not path.is_file():
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        start = int(asked.group(1)) if asked and self._unchanged(one.sha256) else 0
        if start >= one.size:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{one.size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status = HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK
        self._head(status, one.size - start, "application/octet-stream", one.sha256,
                   f"bytes {start}-{one.size - 1}/{one.size}" if start else None)  # fmt: skip
        with path.open("rb") as stream:
            stream.seek(start)
            self._pour(stream)

    def _unchanged(self, sha256: str) -> bool:
        """A range of another file would be glued to the wrong beginning."""
        return self.headers.get("If-Range", "").strip('"') in ("", sha256)

    def _pour(self, stream: BinaryIO) -> None:
        try:
            while block := stream.read(_CHUNK):
                self.wfile.write(block)
        except OSError:
            # The receiver has gone; it will come back for the rest.
            self.close_connection = True

    def _head(
        self, status: HTTPStatus, size: int, kind: str, tag: str = "", part: str | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-store")
        if tag:
            self.send_header("ETag", f'"{tag}"')
        if part is not None:
            self.send_header("Content-Range", part)
        self.end_headers()

    def _refuse(self, status: HTTPStatus) -> None:
        self._head(status, 0, "text/plain")


def address(running: ThreadingHTTPServer) -> str:
    """Where a server listens."""
    host, port = running.server_address[:2]
    return f"http://{host if isinstance(host, str) else host.decode()}:{port}"
