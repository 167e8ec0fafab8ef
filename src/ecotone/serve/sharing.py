"""Agreements from the draft to the signature, requests for more and their answers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from ecotone.model.agreement import Agreement
from ecotone.model.errors import UsageError, Withheld
from ecotone.model.words import Language, say
from ecotone.serve.accounts import Account
from ecotone.serve.guard import Forbidden, Known, Posting, Sharer, Signer
from ecotone.serve.pages import language, onward, page
from ecotone.serve.state import served
from ecotone.share import agreements, desk, keys, letter, lifecycle, negotiate, statements
from ecotone.share.draft import draft_text
from ecotone.share.lifecycle import Standing
from ecotone.share.negotiate import Actor, noting_refusals
from ecotone.share.sentences import sentences
from ecotone.share.statements import Statement, Wish

router = APIRouter(default_response_class=HTMLResponse)

_LONGEST: Final = 400_000
_Word = Annotated[str, Form(max_length=200)]
_Long = Annotated[str, Form(max_length=4000)]
_Text = Annotated[str, Form(max_length=_LONGEST)]
_Secret = Annotated[str, Form(max_length=1000)]
_Key = Annotated[str, InPath(max_length=100)]
_Names = Annotated[Sequence[str], Query(max_length=50)]


@router.get("/sharing")
def overview(request: Request, account: Known) -> Response:
    """The agreements this party has to do with, requests, and what one can do about them."""
    node = served(request)
    newest = {s.agreement.agreement_id: s for s in _standings(request, account)}
    return page(
        request,
        "sharing.html",
        standings=list(newest.values()),
        requests=_requests(request, account),
        parties=[p for p in node.store.parties() if p.party_id != account.party],
        own=desk.own_datasets(node.store, account.party),
    )


@router.get("/sharing/agreements/{agreement_id}")
def agreement(request: Request, account: Known, agreement_id: _Key) -> Response:
    """An agreement in plain sentences, who signed it, and what may be done next."""
    node = served(request)
    found = _standing(request, account, agreement_id)
    return page(
        request,
        "agreement.html",
        standing=found,
        agreement=found.agreement,
        said=sentences(found.agreement, language(request), _party_names(request)),
        digest=agreements.digest(found.agreement),
        mine=account.home and account.party in lifecycle.parties(found.agreement),
        locked=keys.has_keys(node.folder) and keys.locked(node.folder),
    )


@router.get("/sharing/draft")
def drafting(
    request: Request,
    account: Sharer,
    to: _Names = (),
    dataset: _Names = (),
) -> Response:
    """An agreement to fill in, explained line by line."""
    node = served(request)
    _must_be_home(account)
    today = node.today()
    own = desk.own_datasets(node.store, account.party)
    chosen = [d.dataset_id for d in own if d.dataset_id in dataset] or [d.dataset_id for d in own]
    parties = [p for p in node.store.parties() if p.party_id != account.party]
    known = {s.agreement.agreement_id for s in lifecycle.standings(node.store, today)}
    number = next(n for n in range(1, 1000) if f"{account.party}-{today:%Y}-{n}" not in known)
    text = draft_text(
        language(request),
        owner=account.party,
        recipients=to,
        datasets=chosen,
        agreement_id=f"{account.party}-{today:%Y}-{number}",
        today=today,
        commands=False,
    )
    return page(
        request,
        "draft.html",
        text=text,
        said=[],
        new=True,
        agreement_id="",
        choose=True,
        to=to,
        datasets=chosen,
        parties=parties,
        own=own,
    )


@router.get("/sharing/agreements/{agreement_id}/amend")
def amending(request: Request, account: Sharer, agreement_id: _Key) -> Response:
    """The text of an agreement, to be changed into its next version."""
    _must_be_home(account)
    found = _standing(request, account, agreement_id)
    if not found.original:
        raise UsageError(say("portal.draft.no-text"))
    return page(
        request,
        "draft.html",
        text=found.original,
        said=[],
        new=False,
        agreement_id=agreement_id,
        choose=False,
    )


@router.post("/sharing/draft", dependencies=[Posting])
def draft(
    request: Request,
    account: Sharer,
    text: _Text = "",
    what: Literal["read", "save"] = Form("read"),
    amends: _Word = "",
) -> Response:
    """Read a draft in plain sentences, or keep it; nobody is bound before all have signed."""
    _must_be_home(account)
    made = _parsed(text)
    if what == "read":
        said = sentences(made, language(request), _party_names(request))
        return page(
            request,
            "draft.html",
            text=text,
            said=said,
            new=not amends,
            agreement_id=amends,
            choose=False,
        )
    with _acting(request, account, f"draft {made.agreement_id}") as actor:
        if amends:
            made = negotiate.amended(actor, made)
        negotiate.put_draft(actor, made, text)
    return onward(f"/sharing/agreements/{made.agreement_id}")


@router.post("/sharing/agreements/{agreement_id}/sign", dependencies=[Posting])
def sign(
    request: Request, account: Signer, agreement_id: _Key, passphrase: _Secret = ""
) -> Response:
    """Sign the newest version for this node's party."""
    _must_be_home(account)
    with _acting(request, account, f"sign {agreement_id}", passphrase) as actor:
        negotiate.sign(actor, agreement_id)
    return onward(f"/sharing/agreements/{agreement_id}")


@router.post("/sharing/agreements/{agreement_id}/declare", dependencies=[Posting])
def declare(
    request: Request,
    account: Signer,
    agreement_id: _Key,
    kind: Literal["suspend", "resume", "revoke"] = Form(),
    why: _Long = "",
    passphrase: _Secret = "",
) -> Response:
    """Suspend, resume or revoke by this party's signed word."""
    _must_be_home(account)
    if not why.strip():
        raise UsageError(say("store.reason-missing"))
    with _acting(request, account, f"{kind} {agreement_id}", passphrase) as actor:
        negotiate.declare(actor, kind, agreement_id, why)
    return onward(f"/sharing/agreements/{agreement_id}")


@router.get("/sharing/agreements/{agreement_id}/letter")
def write_letter(request: Request, account: Sharer, agreement_id: _Key) -> Response:
    """The letter for the other parties: the agreement with its signatures."""
    _must_be_home(account)
    _standing(request, account, agreement_id)
    return _letter(request, account, agreement_id, [])


@router.get("/sharing/requests/{request_id}/letter")
def request_letter(request: Request, account: Sharer, request_id: _Key) -> Response:
    """A request with its answer as a letter for the other party."""
    _must_be_home(account)
    said = [
        s
        for s in statements.all_of(served(request).store)
        if request_id in (s.statement_id, s.reply.request if s.reply else "")
    ]
    if not said:
        raise Withheld(say("desk.nothing"))
    return _letter(request, account, "", said)


@router.post("/sharing/letters", dependencies=[Posting])
def take_letter(request: Request, account: Sharer, file: Annotated[UploadFile, File()]) -> Response:
    """Take in a letter of another party: all of it or nothing."""
    _must_be_home(account)
    with tempfile.TemporaryDirectory(prefix="ecotone-letter-") as folder:
        path = Path(folder) / "letter.json"
        path.write_bytes(file.file.read())
        with _acting(request, account, "letter") as actor:
            document = letter.read(path)
            if document is None:
                raise UsageError(say("portal.letter.none"))
            taken = letter.take(actor, document)
    return page(request, "letter.html", taken=taken)


@router.post("/sharing/requests", dependencies=[Posting])
def ask(
    request: Request,
    account: Sharer,
    owner: _Word = "",
    datasets: _Word = "",
    level: _Word = "full",
    cell: _Word = "",
    what: _Word = "",
    purpose: _Word = "",
    until: _Word = "",
    why: _Long = "",
    passphrase: _Secret = "",
) -> Response:
    """Ask an owner for more than is agreed, with purpose and term."""
    _must_be_home(account)
    if not why.strip():
        raise UsageError(say("store.reason-missing"))
    try:
        wish = Wish.model_validate(
            {
                "owner": owner,
                "datasets": datasets.replace(",", " ").split(),
                "level": level,
                "cell_degrees": cell or None,
                "what": what,
                "purpose": purpose,
                "actions": ["view"],
                "until": until,
            }
        )
    except ValidationError as error:
        wrong = ", ".join(str(e["loc"][0]) for e in error.errors() if e["loc"])
        raise UsageError(say("portal.not-read.fields", names=wrong)) from error
    asked = [(s.party, w, s.text) for s, w, reply in _requests(request, account) if reply is None]
    if (account.party, wish, why) in asked:
        # A second click, or a page sent again: it is asked already and not answered.
        return onward("/sharing")
    with _acting(request, account, f"request of {owner}", passphrase) as actor:
        negotiate.ask(actor, wish, why)
    return onward("/sharing")


@router.post("/sharing/requests/{request_id}/answer", dependencies=[Posting])
def answer(
    request: Request,
    account: Sharer,
    request_id: _Key,
    granted: Literal["yes", "no"] = Form(),
    why: _Long = "",
    agreement_id: _Word = "",
    passphrase: _Secret = "",
) -> Response:
    """The owner's answer to a request."""
    _must_be_home(account)
    with _acting(request, account, f"answer {request_id}", passphrase) as actor:
        negotiate.answer(
            actor,
            request_id,
            granted=granted == "yes",
            text=why,
            agreement_id=agreement_id or None,
        )
    return onward("/sharing")


@contextmanager
def _acting(request: Request, account: Account, what: str, passphrase: str = "") -> Iterator[Actor]:
    """Who acts; what is refused to them leaves a line in the ledger."""
    node = served(request)
    with noting_refusals(node.store, account.person, what):
        yield Actor(node.store, account.person, node.today(), passphrase or None)


def _parsed(text: str) -> Agreement:
    with tempfile.TemporaryDirectory(prefix="ecotone-draft-") as folder:
        path = Path(folder) / "agreement.toml"
        path.write_text(text, encoding="utf-8", newline="\n")
        return agreements.load(path)


def _must_be_home(account: Account) -> None:
    """Keys lie with each party's own node: another party's people sign there."""
    if not account.home:
        raise Forbidden(say("portal.sharing.own-node", party=account.party))


def _standings(request: Request, account: Account) -> list[Standing]:
    """The agreements somebody may read, by version.

    A draft that nobody has signed is its writers' own affair: no other party reads it here.
    """
    node = served(request)
    return [
        s
        for s in lifecycle.standings(node.store, node.today())
        if account.home or (s.signed and account.party in lifecycle.parties(s.agreement))
    ]


def _standing(request: Request, account: Account, agreement_id: str) -> Standing:
    """The newest version of an agreement; Withheld for one that is not there or not to be read."""
    mine = _standings(request, account)
    found = [s for s in mine if s.agreement.agreement_id == agreement_id]
    if not found:
        raise Withheld(say("desk.nothing"))
    return found[-1]


def _requests(request: Request, account: Account) -> list[tuple[Statement, Wish, Statement | None]]:
    """Requests this party made or is asked, each with its answer, newest first."""
    said = statements.all_of(served(request).store)
    replies = {s.reply.request: s for s in said if s.reply is not None}
    return [
        (s, s.wish, replies.get(s.statement_id))
        for s in reversed(said)
        if s.wish is not None and account.party in (s.party, s.wish.owner)
    ]


def _letter(
    request: Request, account: Account, agreement_id: str, said: list[Statement]
) -> Response:
    with _acting(request, account, "letter") as actor:
        text = letter.write(actor, [agreement_id] if agreement_id else [], said)
    name = agreement_id or "request"
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    return Response(
        text,
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{safe}-letter.json"'},
    )


def _party_names(request: Request) -> dict[str, str]:
    lang: Language = language(request)
    return {
        p.party_id: f"{p.name[lang]} ({p.party_id})"
        for p in served(request).store.parties()
        if p.name.get(lang)
    }


def day_of(text: str, today: date) -> date:
    """A day as a form gives it; today where it gives none."""
    try:
        return date.fromisoformat(text) if text else today
    except ValueError as error:
        raise UsageError(say("portal.filter.day-wrong", given=text)) from error
