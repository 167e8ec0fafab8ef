"""Who asks, whether they may, and that it was they who asked.

A browser is known by its session's cookie, a program by a token. Every POST of a browser carries
a secret of its session and comes from a page of ours; a program's token is secret enough.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Form, Request

from ecotone.model.errors import EcotoneError
from ecotone.model.words import say
from ecotone.serve.accounts import Account, Act
from ecotone.serve.sessions import Session
from ecotone.serve.state import served

COOKIE: Final = "ecotone_session"
#: Kept by a browser that has not signed in, so that the form for it is ours as well.
GUEST: Final = "ecotone_guest"


class SignIn(EcotoneError):
    """Nobody has signed in here."""


class Forbidden(EcotoneError):
    """Who asks is known and may not."""


def reader(request: Request) -> Account | None:
    """Who asks: by session or token; None for somebody unknown."""
    if not hasattr(request.state, "account"):
        request.state.session, request.state.account = None, None
        _recognise(request)
    account: Account | None = request.state.account
    return account


def _recognise(request: Request) -> None:
    node = served(request)
    token = _token(request)
    if token is not None:
        # A request with a token is a program's: cookies beside it count for nothing.
        request.state.account = node.accounts.by_token(token)
        return
    session = node.sessions.find(request.cookies.get(COOKIE, ""))
    account = session and node.accounts.account(session.person)
    if session and account and secrets.compare_digest(account.stamp, session.stamp):
        request.state.session, request.state.account = session, account


def _token(request: Request) -> str | None:
    """``Bearer TOKEN``, or Basic with the token for a password: many clients know no other."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return given.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return None


def session_of(request: Request) -> Session | None:
    """The browser's session, where somebody has signed in with it."""
    reader(request)
    session: Session | None = request.state.session
    return session


def may(act: Act) -> Callable[[Request], Account]:
    """A dependency: somebody who may do this."""

    def somebody(request: Request) -> Account:
        account = reader(request)
        if account is None:
            raise SignIn(say("portal.sign-in-first"))
        if not account.may(act):
            raise Forbidden(say("portal.may-not"), say(f"portal.may-not.{act}"))
        return account

    return somebody


def posting(request: Request, csrf: Annotated[str, Form(max_length=200)] = "") -> None:
    """A dependency of every POST: it was sent from a page of this server."""
    if _token(request) is not None:
        return
    session = session_of(request)
    if session is None and request.url.path != "/sign-in":
        raise SignIn(say("portal.session-over"), say("portal.session-over.do"))
    wanted = session.csrf if session else request.cookies.get(GUEST, "")
    if not wanted or not secrets.compare_digest(unmasked(csrf).encode(), wanted.encode()):
        raise Forbidden(say("portal.form-old"), say("portal.form-old.do"))


def masked(secret: str) -> str:
    """The secret as it stands in a page: other letters each time, as pages are compressed."""
    plain = secret.encode()
    mask = secrets.token_bytes(len(plain))
    mixed = bytes(a ^ b for a, b in zip(plain, mask, strict=True))
    return base64.urlsafe_b64encode(mask + mixed).decode()


def unmasked(text: str) -> str:
    """The secret of a page; empty where it is none."""
    try:
        both = base64.urlsafe_b64decode(text.encode())
        half = len(both) // 2
        return bytes(a ^ b for a, b in zip(both[:half], both[half:], strict=True)).decode()
    except (binascii.Error, ValueError):
        return ""


Known = Annotated[Account, Depends(may("read"))]
Deliverer = Annotated[Account, Depends(may("deliver"))]
Reviewer = Annotated[Account, Depends(may("review"))]
Corrector = Annotated[Account, Depends(may("correct"))]
Sharer = Annotated[Account, Depends(may("share"))]
Runner = Annotated[Account, Depends(may("run"))]
Signer = Annotated[Account, Depends(may("sign"))]
Posting = Depends(posting)
