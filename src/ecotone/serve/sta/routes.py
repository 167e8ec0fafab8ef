"""Requests by method: who asks, what is answered, errors as JSON.

One route for all paths: the grammar of resource paths is not that of a router.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ecotone.model.errors import EcotoneError, StoreError, Withheld
from ecotone.model.sensorthings import Refused, malformed
from ecotone.model.words import say, tell
from ecotone.serve.sta import arrays, changes, conformance, options, reads
from ecotone.serve.sta.render import Renderer, dumped
from ecotone.serve.sta.who import Who
from ecotone.share.sensorthings import Sensing

PREFIX: Final = "/sta/v1.1"
_MOST_QUERY: Final = 60_000
#: Bytes of an answer that are sent as they are.
_PLAIN: Final = 2_000
_JSON: Final = "application/json; charset=utf-8"


def router(
    sensing: Callable[[Request], Sensing],
    who: Callable[[Request], Who],
    endpoints: Callable[[Request], list[str]] | None = None,
    known: Callable[[Request], Who | None] | None = None,
) -> APIRouter:
    """The routes. ``sensing`` gives the node's sensors, ``who`` the one who asks.

    ``known`` gives who asks where that needs no look at the disk: a logger that posts one value a
    time should not wait for a thread each time.
    """
    found = APIRouter()
    service = Service(
        sensing, who, endpoints or (lambda request: []), known or (lambda request: None)
    )
    methods = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
    for path in (PREFIX, f"{PREFIX}/{{path:path}}"):
        # Plain routes: there is nothing for a framework to inject, and looking costs each request.
        found.add_route(path, service.answer, methods=methods, include_in_schema=False)
    return found


class Service:
    """One mounted service: who asks, of which sensors."""

    def __init__(
        self,
        sensing: Callable[[Request], Sensing],
        who: Callable[[Request], Who],
        endpoints: Callable[[Request], list[str]],
        known: Callable[[Request], Who | None],
    ) -> None:
        self.sensing = sensing
        self.who = who
        self._endpoints = endpoints
        self._known = known

    async def answer(self, request: Request) -> Response:
        """Answer any request, errors too."""
        try:
            return await self._answered(request)
        except EcotoneError as error:
            return refusal(error, request.headers.get("accept-language", "en"))

    async def _answered(self, request: Request) -> Response:
        path = request.path_params.get("path", "")
        root = root_of(request)
        if request.method in ("GET", "HEAD"):
            return await run_in_threadpool(self._get, request, path, root)
        raw = await request.body()
        if path == "$batch" and request.method == "POST":
            from ecotone.serve.sta import batch

            return await batch.answer(request, raw, self)
        status, headers, body = await self.write(
            request, request.method, path, raw, request.headers, root, request.url.query
        )
        return Response(body, status, headers, _JSON)

    def _get(self, request: Request, path: str, root: str) -> Response:
        who = self.who(request)
        answer = self.read(request, who, path, request.url.query, root)
        headers = {"vary": "Accept-Encoding"}
        body = answer.body
        if len(body) > _PLAIN and "gzip" in request.headers.get("accept-encoding", ""):
            # Lightly: lines are slow, but so is squeezing the last tenth out of a long page.
            body = gzip.compress(body, 1)
            headers["content-encoding"] = "gzip"
        return Response(body, answer.status, headers, answer.kind)

    def read(self, request: Request, who: Who, path: str, query: str, root: str) -> reads.Answer:
        """The answer to a GET."""
        if not path.strip("/"):
            return reads.Answer(dumped(conformance.document(root, self._endpoints(request))))
        if len(query) > _MOST_QUERY:
            raise malformed("sta.filter-deep")
        given = parse_qsl(query, keep_blank_values=True)
        moment, rest = options.as_of(given)
        renderer = Renderer(root, [pair for pair in given if pair not in rest])
        with self.sensing(request).reading(who.party, moment) as reader:
            return reads.get(reader, renderer, path.strip("/"), rest)

    async def writer(self, request: Request) -> Who:
        """Who asks, if they may write."""
        who = self._known(request)
        if who is None:
            who = await run_in_threadpool(self.who, request)
        if who.party is None:
            raise Refused(401, say("sta.sign-in"))
        if not who.writes:
            raise Refused(403, say("sta.may-not-write"))
        return who

    async def write(
        self,
        request: Request,
        method: str,
        path: str,
        raw: bytes,
        headers: Mapping[str, str],
        root: str,
        query: str = "",
    ) -> tuple[int, dict[str, str], bytes]:
        """Carry a change out; status, headers and body of the answer."""
        who = await self.writer(request)
        assert who.party is not None
        sensing, renderer = self.sensing(request), Renderer(root)
        kind = headers.get("content-type", "")
        plain = path.strip("/")
        if method == "POST" and plain in arrays.BULK:
            return await arrays.answer(sensing, who, renderer, plain, raw)
        if method == "POST":
            rows = arrays.single(plain, raw)
            if rows is not None:
                future = sensing.add(who.party, who.person, rows)
                number = int((await asyncio.wrap_future(future))[0])
                return _made(renderer, "Observations", number)
        dataset = request.query_params.get("dataset")
        change = change_of(method, plain, raw, kind, dataset, query)
        future = sensing.edit(who.party, who.person, change.what, change.work)
        entity, number = await asyncio.wrap_future(future)
        if method == "POST":
            return _made(renderer, entity.path, number)
        if method == "DELETE":
            return 200, {}, b"{}" if entity is not None else dumped({"deleted": number})
        return 200, {}, dumped(_told(renderer, entity.path, number))


def change_of(
    method: str, path: str, raw: bytes, kind: str, dataset: str | None, query: str = ""
) -> changes.Change:
    """What to do for a request that changes something."""
    match method:
        case "POST":
            return changes.post(path, raw, dataset)
        case "PATCH":
            return changes.change(path, raw, kind, whole=False)
        case "PUT":
            return changes.change(path, raw, kind, whole=True)
    if len(query) > _MOST_QUERY:
        raise malformed("sta.filter-deep")
    return changes.delete(path, parse_qsl(query, keep_blank_values=True))


def _told(renderer: Renderer, path: str, number: int) -> dict[str, Any]:
    return {"@iot.id": number, "@iot.selfLink": f"{renderer.root}/{path}({number})"}


def _made(renderer: Renderer, path: str, number: int) -> tuple[int, dict[str, str], bytes]:
    told = _told(renderer, path, number)
    return 201, {"location": told["@iot.selfLink"]}, dumped(told)


def root_of(request: Request) -> str:
    """The address of the service as the client wrote it."""
    return (
        f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}{PREFIX}"
    )


def status_of(error: EcotoneError) -> int:
    """The HTTP status an error is told with."""
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, StoreError):
        return 503
    return 404 if isinstance(error, Withheld) else 400


def refusal(error: EcotoneError, language: str) -> Response:
    """An error as JSON, in the reader's language."""
    status = status_of(error)
    if isinstance(error, StoreError):
        # Where the database lies and what it is called is the operator's to know.
        sys.stderr.write(f"{error}\n")
        error = StoreError(say("sta.unavailable"))
    body = told(error, status, language)
    headers = {"www-authenticate": 'Basic realm="Ecotone"'} if status == 401 else {}
    return Response(body, status, headers, _JSON)


def told(error: EcotoneError, status: int, language: str) -> bytes:
    """The body of an error."""
    lang = language[:2] if language[:2] in ("zh", "ru") else "en"
    return dumped(
        {
            "code": status,
            "type": "error",
            "message": str(tell(error.message, lang)),
            **({"hint": str(tell(error.hint, lang))} if error.hint else {}),
        }
    )
