"""The first page, signing in and out, the language, one's own password."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ecotone.model.errors import UsageError
from ecotone.model.words import say
from ecotone.serve.guard import COOKIE, GUEST, Known, Posting, reader
from ecotone.serve.pages import language, local, onward, page, remember_language
from ecotone.serve.resuming import NOTHING, Kept, kept_before
from ecotone.serve.state import served

router = APIRouter(default_response_class=HTMLResponse)

_Text = Annotated[str, Form(max_length=2000)]
_Next = Annotated[str, Query(max_length=2000)]


@router.get("/")
def first(request: Request) -> Response:
    """What can be done here, by whoever asks."""
    if reader(request) is None:
        return onward("/sign-in")
    return page(request, "home.html")


@router.get("/sign-in")
def sign_in_page(request: Request, next: _Next = "/") -> Response:
    """The form to come in by."""
    if reader(request) is not None:
        return onward(local(next))
    return entrance(request, next=next)


@router.post("/sign-in", dependencies=[Posting])
def sign_in(
    request: Request,
    kept: Annotated[Kept, Depends(kept_before)],
    person: _Text = "",
    password: _Text = "",
    next: _Text = "/",
) -> Response:
    """Come in by name and password; what was filled in before is not lost."""
    node = served(request)
    address = request.client.host if request.client else ""
    wait = node.brake.wait(person, address)
    if wait > 0:
        wrong = str(say("portal.sign-in.wait", language(request), seconds=int(wait) + 1))
        return entrance(request, 401, next=next, wrong=wrong, person=person, kept=kept)
    account = node.accounts.by_password(person, password)
    if account is None:
        node.brake.failed(person, address)
        wrong = str(say("portal.sign-in.wrong", language(request)))
        return entrance(request, 401, next=next, wrong=wrong, person=person, kept=kept)
    node.brake.passed(person, address)
    cookie = node.sessions.begin(account.person, account.stamp)
    if kept.action:
        request.state.session, request.state.account = node.sessions.find(cookie), account
        answer: Response = page(request, "resend.html", kept=kept)
    else:
        answer = onward(local(next))
    answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=node.https)
    answer.delete_cookie(GUEST)
    return answer


@router.post("/sign-out", dependencies=[Posting])
def sign_out(request: Request) -> Response:
    """End the session."""
    served(request).sessions.end(request.cookies.get(COOKIE, ""))
    answer = onward("/sign-in")
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/language/{lang}")
def choose_language(lang: Literal["en", "zh", "ru"], next: _Next = "/") -> RedirectResponse:
    """The same page in another language."""
    answer = onward(local(next))
    remember_language(answer, lang)
    return answer


@router.get("/me")
def me(request: Request, account: Known, done: bool = False) -> Response:
    """Who I am here, and my password."""
    return page(request, "me.html", done=done)


@router.post("/me/password", dependencies=[Posting])
def change_password(
    request: Request, account: Known, old: _Text = "", new: _Text = "", again: _Text = ""
) -> Response:
    """Another password; all my sessions end but this one begins anew."""
    node = served(request)
    if node.accounts.by_password(account.person, old) is None:
        raise UsageError(say("portal.me.old-wrong"))
    if new != again:
        raise UsageError(say("portal.me.differ"))
    node.accounts.set_password(account.person, new)
    fresh = node.accounts.account(account.person)
    assert fresh is not None
    answer = onward("/me", done=True)
    kept = node.sessions.begin(fresh.person, fresh.stamp)
    answer.set_cookie(COOKIE, kept, httponly=True, samesite="lax", secure=node.https)
    return answer


def entrance(
    request: Request,
    status: int = 200,
    *,
    next: str = "/",
    wrong: str = "",
    person: str = "",
    kept: Kept = NOTHING,
) -> HTMLResponse:
    """The sign-in page."""
    return page(
        request,
        "sign_in.html",
        status,
        next=local(next),
        wrong=wrong,
        person=person[:64],
        home=served(request).store.party_id,
        kept=kept,
    )
