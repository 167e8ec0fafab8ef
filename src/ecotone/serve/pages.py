"""Pages: templates filled in the reader's language, nothing in them that is not escaped."""

from __future__ import annotations

import functools
import hashlib
import secrets
from importlib import resources
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from ecotone.model.words import LANGUAGES, Language, say
from ecotone.serve.guard import GUEST, masked, reader, session_of
from ecotone.serve.state import served
from ecotone.serve.told import Told

LANGUAGE: Final = "ecotone_lang"
_NAMES: Final = {"en": "English", "zh": "中文", "ru": "Русский"}
_YEAR: Final = 365 * 86400

#: The pages of the head of every page, with what a person must be allowed to see them in it.
_MENU: Final = (
    ("data", "/data", "read"),
    ("deliver", "/deliver", "deliver"),
    ("matches", "/matches", "review"),
    ("sharing", "/sharing", "read"),
    ("runs", "/runs", "read"),
    ("ledger", "/ledger", "read"),
)


def language(request: Request) -> Language:
    """The language somebody chose, else the first their browser asks for, else English."""
    asked = [request.cookies.get(LANGUAGE, "")]
    for part in request.headers.get("accept-language", "")[:200].split(","):
        asked.append(part.partition(";")[0].strip()[:2].lower())
    known: dict[str, Language] = {lang: lang for lang in LANGUAGES}
    return next((known[a] for a in asked if a in known), "en")


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for whoever asks."""
    lang = language(request)
    session = session_of(request)
    guest = request.cookies.get(GUEST) or secrets.token_urlsafe(24)
    account = reader(request)
    text = (
        environment()
        .get_template(template)
        .render(
            lang=lang,
            names=_NAMES,
            account=account,
            menu=[m for m in _MENU if account and account.may(cast(Any, m[2]))],
            path=request.url.path,
            here=_here(request),
            csrf=masked(session.csrf if session else guest),
            t=functools.partial(_word, lang),
            told=Told(lang, served(request).store),
            **values,
        )
    )
    answer = HTMLResponse(text, status)
    if session is None and account is None:
        answer.set_cookie(GUEST, guest, httponly=True, samesite="lax", secure=served(request).https)
    return answer


def onward(path: str, **query: object) -> RedirectResponse:
    """See there: after every POST, so that going back sends nothing twice."""
    given = {k: v for k, v in query.items() if v not in (None, "")}
    return RedirectResponse(path + ("?" + urlencode(given) if given else ""), 303)


def is_browser(request: Request) -> bool:
    """Whether who asks reads pages."""
    return "text/html" in request.headers.get("accept", "")


def local(path: str) -> str:
    """A path of ours to go on to; the first page for anything else."""
    safe = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if safe and path.isprintable() and len(path) < 2000 else "/"


def remember_language(answer: RedirectResponse, lang: str) -> None:
    """Keep the chosen language with the browser."""
    answer.set_cookie(LANGUAGE, lang, max_age=_YEAR, samesite="lax")


def static_folder() -> Path:
    """Where scripts, styles and pictures of the pages lie."""
    return Path(str(resources.files("ecotone.serve").joinpath("static")))


@functools.cache
def environment() -> Environment:
    """The templates; a name they do not know is a fault, never a blank."""
    made = Environment(
        loader=PackageLoader("ecotone.serve", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = _asset
    made.filters["path"] = lambda text: quote(str(text), safe="")
    made.filters["query"] = lambda values: urlencode(
        {k: v for k, v in dict(values).items() if v not in (None, "")}
    )
    return made


@functools.cache
def _asset(name: str) -> str:
    """The address of a static file; it changes with the file, so browsers may keep it."""
    content = (static_folder() / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def _word(lang: Language, key: str, /, **values: object) -> str:
    return str(say(f"portal.{key}", lang, **values))


def _here(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
