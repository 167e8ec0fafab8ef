"""One record: what it says, how it came to say so, and its correction."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, Response

from ecotone.ingest.one_record import OwnRecord, correct_record, own_record
from ecotone.model.dictionary import dictionary
from ecotone.model.errors import Withheld
from ecotone.serve.data import Noun, Purpose, nothing_here, preparing, shown_attributes, wanted
from ecotone.serve.guard import Corrector, Known, Posting
from ecotone.serve.pages import page
from ecotone.serve.shelf import runs_for
from ecotone.serve.state import served
from ecotone.share import desk

router = APIRouter(default_response_class=HTMLResponse)

_Id = Annotated[str, Path(max_length=200)]
_Reason = Annotated[str, Form(max_length=2000)]


@router.get("/data/{noun}/record/{record}")
def show(
    request: Request, account: Known, noun: Noun, record: _Id, purpose: Purpose = "assessment"
) -> Response:
    """A record as it was released to whoever asks; its owner also sees all its versions."""
    view = wanted(request, account, noun, purpose)
    if view is None:
        return preparing(request, noun)
    at = view.find(record)
    own = _own(request, account.party, noun, record)
    if at is None and own is None:
        raise nothing_here()
    row = {} if at is None else view.rows.slice(at, 1).to_pylist()[0]
    return page(
        request,
        "record.html",
        noun=noun,
        record=record,
        row=row,
        shown=shown_attributes(noun, row),
        purpose=purpose,
        own=own,
        differing=_differing(own) if own else [],
        stood=_stood_on(request, own) if own else ([], []),
        visible={r.run_id: r for r in runs_for(request, account)} if own else {},
    )


@router.get("/data/{noun}/record/{record}/correct")
def correcting(request: Request, account: Corrector, noun: Noun, record: _Id) -> Response:
    """The form to correct a record of one's own party."""
    own = own_record(served(request).store, account.party, noun, record)
    return page(
        request,
        "correct.html",
        noun=noun,
        record=record,
        own=own,
        fields=dictionary(noun),
        stood=_stood_on(request, own),
    )


@router.post("/data/{noun}/record/{record}/correct", dependencies=[Posting])
async def correct(
    request: Request,
    account: Corrector,
    noun: Noun,
    record: _Id,
    version: Annotated[int, Form(ge=0, le=10**9)] = 0,
    reason: _Reason = "",
) -> Response:
    """A new version of the record, and what stood on the old one."""
    from starlette.concurrency import run_in_threadpool

    form = await request.form()
    known = {a.name for a in dictionary(noun)}
    given = {
        name.removeprefix("v-"): str(value)[:20_000]
        for name, value in form.items()
        if name.startswith("v-") and name.removeprefix("v-") in known and isinstance(value, str)
    }
    done = await run_in_threadpool(
        correct_record,
        served(request).store,
        account.party,
        noun,
        record,
        seen=version,
        given=given,
        person=account.person,
        reason=reason,
    )
    return page(
        request,
        "corrected.html",
        noun=noun,
        record=record,
        done=done,
        visible={r.run_id: r for r in runs_for(request, account)},
    )


def _own(request: Request, party: str, noun: str, record: str) -> OwnRecord | None:
    try:
        return own_record(served(request).store, party, noun, record)
    except Withheld:
        return None


def _stood_on(request: Request, own: OwnRecord) -> tuple[list[str], list[str]]:
    """Runs and other parties that were given the version that holds."""
    store = served(request).store
    runs, readers = desk.stood_on(store, own.dataset_id, own.noun, own.since)
    owners = {d.dataset_id: d.party_id for d in store.datasets()}
    return runs, [r for r in readers if r != owners.get(own.dataset_id)]


def _differing(own: OwnRecord) -> list[str]:
    """The attributes that were not the same in all versions."""
    names = [a.name for a in dictionary(own.noun)]
    return [n for n in names if len({str(v.get(n)) for v in own.versions}) > 1]
