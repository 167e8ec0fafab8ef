"""The server of a node: routes composed, everything that leaves went through the door."""

from __future__ import annotations

import sys
import traceback
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from ecotone import __version__
from ecotone.model.errors import EcotoneError, InputRefused, StoreError, UsageError, Withheld
from ecotone.model.words import say, tell
from ecotone.serve import routers
from ecotone.serve.accounts import Accounts
from ecotone.serve.entrance import entrance
from ecotone.serve.guard import Forbidden, SignIn
from ecotone.serve.jobs import Jobs, is_full
from ecotone.serve.pages import is_browser, language, onward, page, static_folder
from ecotone.serve.resuming import kept_now
from ecotone.serve.sessions import Brake, Sessions
from ecotone.serve.shell import LARGEST_UPLOAD, Shell
from ecotone.serve.sta import mount as sta
from ecotone.serve.state import Served
from ecotone.serve.uploads import Uploads
from ecotone.serve.views import Views
from ecotone.share.desk import open_node

_STATUS = (
    (SignIn, 401),
    (Forbidden, 403),
    (Withheld, 404),
    (StoreError, 503),
    (InputRefused, 422),
    (UsageError, 422),
)


def create_app(
    node: Path,
    *,
    today: Callable[[], date] | None = None,
    hosts: Sequence[str] = (),
    https: bool = False,
    media: Path | None = None,
    largest_upload: int = LARGEST_UPLOAD,
    open_sensors: str | None = None,
    mqtt: tuple[str, int, str] | None = None,
) -> FastAPI:
    """The server of the node in this folder.

    ``hosts`` are the names it answers to (any without); ``https`` says that browsers come by
    https, through a web server before this one; ``media`` is the folder of photographs; ``mqtt``
    is the host and port to speak MQTT on, and the address of this server as clients see it.
    """
    store = open_node(node)
    state = Served(
        folder=store.folder,
        store=store,
        accounts=Accounts(store.folder, store.people, store.party_id),
        sessions=Sessions(),
        brake=Brake(),
        views=Views(store),
        jobs=Jobs(),
        uploads=Uploads(),
        today=today or _today,
        https=https,
        media=media,
    )
    app = FastAPI(
        title="Ecotone",
        version=__version__,
        # Their pages fetch scripts from elsewhere; /openapi.json is enough for programs.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.served = state
    #: The party that somebody without a token is taken for by SensorThings: for tests alone.
    app.state.open_sensors = open_sensors
    app.state.mqtt_at = mqtt
    for router in routers.ROUTERS:
        app.include_router(router)
    app.mount("/static", _Kept(directory=static_folder()), name="static")
    app.add_exception_handler(EcotoneError, _told)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(OSError, _system)
    app.add_exception_handler(Exception, _fault)
    # Stronger costs a long table many times the time and saves hardly a tenth.
    app.add_middleware(GZipMiddleware, minimum_size=800, compresslevel=4)
    app.add_middleware(Shell, hosts=hosts, uploads=routers.UPLOADS, largest=largest_upload)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    if app.state.mqtt_at is not None:
        await sta.start(app, *app.state.mqtt_at)
    yield
    await sta.close(app)
    app.state.served.close()


class _Kept(StaticFiles):
    """Files whose address changes with their content."""

    def file_response(self, *args, **more) -> Response:  # type: ignore[no-untyped-def]  # as above
        """The file, for browsers to keep."""
        answer = super().file_response(*args, **more)
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer


def _today() -> date:
    return datetime.now(UTC).date()


async def _told(request: Request, error: Exception) -> Response:
    """An error of ours as a sentence in the reader's language."""
    assert isinstance(error, EcotoneError)
    if isinstance(error, SignIn) and request.method == "GET" and is_browser(request):
        query = f"?{request.url.query}" if request.url.query else ""
        return onward("/sign-in", next=request.url.path + query)
    lang = language(request)
    if isinstance(error, SignIn) and request.method == "POST" and is_browser(request):
        wrong = f"{tell(error.message, lang)} {tell(error.hint, lang)}"
        return entrance(request, 401, wrong=wrong, kept=await kept_now(request))
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 422)
    return _answer(request, status, tell(error.message, lang), tell(error.hint, lang))


async def _plain(request: Request, error: Exception) -> Response:
    """What the framework refuses: no such page, no such method."""
    assert isinstance(error, HTTPException)
    if is_full(error.__cause__ or error.__context__):
        return await _system(request, error)
    key = {404: "portal.not-found", 405: "portal.not-so"}.get(error.status_code, "portal.not-read")
    return _answer(request, error.status_code, str(say(key, language(request))), "", error.headers)


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    lang = language(request)
    names = sorted({str(e["loc"][-1]) for e in error.errors() if e["loc"]})
    return _answer(
        request,
        422,
        str(say("portal.not-read", lang)),
        str(say("portal.not-read.fields", lang, names=", ".join(names))),
    )


async def _system(request: Request, error: Exception) -> Response:
    """The disk is full, or another trouble of the machine: told without its details."""
    if not is_full(error.__cause__ or error.__context__ or error) and not is_full(error):
        return await _fault(request, error)
    lang = language(request)
    message, hint = say("portal.disk-full", lang), say("portal.disk-full.do", lang)
    return _answer(request, 507, str(message), str(hint))


async def _fault(request: Request, error: Exception) -> Response:
    """A fault of ours: told without details, kept for the operator."""
    traceback.print_exception(error, file=sys.stderr)
    return _answer(request, 500, str(say("portal.fault", language(request))), "")


def _answer(
    request: Request,
    status: int,
    message: str,
    hint: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    if is_browser(request):
        answer: Response = page(request, "error.html", status, message=message, hint=hint)
    else:
        answer = JSONResponse({"message": message, "hint": hint}, status)
    answer.headers.update(headers or {})
    return answer
