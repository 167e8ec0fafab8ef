"""Around every answer: what browsers are allowed, how long a request may be, whence it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecotone.model.words import say
from ecotone.serve.pages import is_browser, language, page

#: Bytes of a request; a delivery may be longer.
_SMALL: Final = 1 << 20
LARGEST_UPLOAD: Final = 512 << 20

_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Shell:
    """The outermost layer of the server."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Sequence[str] = (),
        uploads: Sequence[str] = (),
        largest: int = LARGEST_UPLOAD,
    ) -> None:
        """``hosts``: the names it answers to (any without); ``uploads``: where long ones go."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._uploads = tuple(uploads)
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse what is too long or comes from elsewhere."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = self._largest if scope["path"].startswith(self._uploads or ("\0",)) else _SMALL
        refusal = _refusal(scope, headers, self._hosts, most)
        if refusal is not None:
            await refusal(scope, receive, _dressed(send))
            return
        counted = _Counted(receive, most)
        await self._app(scope, counted.receive, counted.answering(scope, receive, _dressed(send)))


def _refusal(scope: Scope, headers: Headers, hosts: frozenset[str], most: int) -> Response | None:
    if hosts and _host(headers.get("host", "")) not in hosts:
        return PlainTextResponse("Unknown host", 421)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        return PlainTextResponse("Content-Length", 400)
    if int(length) > most:
        return _too_large(scope, most)
    if scope["method"] in _CHANGING and "authorization" not in headers and _foreign(headers):
        return PlainTextResponse("Sent from another site", 403)
    return None


def _too_large(scope: Scope, most: int) -> Response:
    request = Request(scope)
    said = str(say("portal.too-large", language(request), most=most >> 20))
    if is_browser(request):
        return page(request, "error.html", 413, message=said, hint="")
    return PlainTextResponse(said, 413)


class _Counted:
    """Counts what a request brings, for those that do not say how long they are."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = self._left = most
        self.over = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.over = True
                return {"type": "http.disconnect"}
        return message

    def answering(self, scope: Scope, receive: Receive, send: Send) -> Send:
        answered = False

        async def answer(message: Message) -> None:
            nonlocal answered
            if not self.over:
                await send(message)
            elif not answered:
                answered = True
                await _too_large(scope, self._most)(scope, receive, send)

        return answer


def _dressed(send: Send) -> Send:
    async def dress(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return dress


def _foreign(headers: Headers) -> bool:
    """Whether a page of another site sent this."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


def _host(given: str) -> str:
    name, _, port = given.rpartition(":")
    return (name if name and port.isdigit() else given).casefold()
