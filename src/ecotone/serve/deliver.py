"""Delivering: drop a file, read what was found, accept it or take it back marked."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.background import BackgroundTask

from ecotone.formats.workbook_template import nouns, write_template
from ecotone.ingest import mapping as mappings
from ecotone.ingest import quarantine
from ecotone.ingest.commit import Ingested, ingest
from ecotone.ingest.delivery import Orders
from ecotone.ingest.marking import mark
from ecotone.ingest.proposing import propose_mapping
from ecotone.ingest.withdrawing import withdraw_own
from ecotone.model.errors import EcotoneError, UsageError
from ecotone.model.words import LANGUAGES, Language, say
from ecotone.serve.accounts import Account
from ecotone.serve.checked import check
from ecotone.serve.guard import Corrector, Deliverer, Known, Posting
from ecotone.serve.jobs import Progress
from ecotone.serve.pages import language, onward, page
from ecotone.serve.state import served
from ecotone.serve.uploads import Upload
from ecotone.serve.waiting import unready
from ecotone.share import desk

router = APIRouter(default_response_class=HTMLResponse)

_BOOKS: Final = (".xlsx", ".xlsm")
_BOOK_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_Word = Annotated[str, Form(max_length=200)]
_Key = Annotated[str, InPath(max_length=64)]


@router.get("/deliver")
def form(request: Request, account: Deliverer) -> Response:
    """The form to hand in a file, templates to fill in, what was handed in before."""
    store = served(request).store
    return page(
        request,
        "deliver.html",
        datasets=desk.own_datasets(store, account.party),
        nouns=nouns(),
        batches=desk.own_batches(store, account.party)[:30],
    )


@router.post("/deliver", dependencies=[Posting])
def hand_in(
    request: Request,
    account: Deliverer,
    file: Annotated[UploadFile, File()],
    dataset: _Word = "",
    zone: _Word = "",
    sheet: _Word = "",
    decimal: Literal["", ".", ","] = Form(""),
    mapping: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Check a file; nothing is taken into the node yet."""
    node = served(request)
    _must_own(request, account, dataset)
    if not file.filename or not file.size:
        raise UsageError(say("portal.deliver.no-file"))
    orders = Orders(
        zone=zone.strip() or None,
        sheet=sheet.strip() or None,
        decimal=decimal or None,
        mapping=_mapping(mapping),
    )
    upload = node.uploads.take(
        file.file, file.filename, person=account.person, party=account.party, dataset=dataset
    )

    def work(tell: Progress) -> None:
        upload.checked = check(upload.path, orders, lambda rows: tell(rows, None, upload.name))

    job = node.jobs.start(account.person, "check", work)
    upload.job = job.job_id
    return onward(f"/deliver/checks/{upload.upload_id}")


@router.get("/deliver/checks/{upload_id}")
def checked(request: Request, account: Deliverer, upload_id: _Key) -> Response:
    """What was found in the file."""
    node = served(request)
    upload = node.uploads.find(upload_id, account.person)
    job = node.jobs.find(upload.job, account.person)
    try:
        waiting = unready(request, job)
    except EcotoneError:
        node.uploads.drop(upload)
        raise
    if waiting:
        return waiting
    if isinstance(job.result, Ingested):
        assert job.result.batch is not None
        node.uploads.drop(upload)
        told = {"new": 1} if not job.result.repeated else {"repeated": 1}
        return onward(f"/deliver/batches/{job.result.batch.batch_id}", **told)
    return page(
        request,
        "checked.html",
        upload=upload,
        checked=upload.checked,
        book=upload.path.suffix.lower() in _BOOKS,
        most=8,
    )


@router.get("/deliver/checks/{upload_id}/marked", response_class=FileResponse)
def marked(request: Request, account: Deliverer, upload_id: _Key) -> Response:
    """The user's own workbook with the bad cells coloured and the sentence as a comment."""
    upload = _ready(request, account, upload_id)
    assert upload.checked is not None
    lang = language(request)
    out = upload.folder / f".marked-{lang}{upload.path.suffix.lower()}"
    mark(upload.path, upload.checked.lines(lang), out, lang, upload.checked.orders.read_options())
    name = f"{upload.path.stem}-{say('portal.deliver.marked-name', lang)}{upload.path.suffix}"
    return FileResponse(out, media_type=_BOOK_TYPE, filename=name)


@router.get("/deliver/checks/{upload_id}/mapping")
def proposed(request: Request, account: Deliverer, upload_id: _Key) -> Response:
    """A mapping to start from: corrected, it goes beside the file the next time."""
    upload = _ready(request, account, upload_id)
    assert upload.checked is not None
    text = propose_mapping(upload.path, upload.checked.orders)
    return Response(
        text,
        media_type="application/toml; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="mapping.toml"'},
    )


@router.post("/deliver/checks/{upload_id}/accept", dependencies=[Posting])
def accept(request: Request, account: Deliverer, upload_id: _Key) -> Response:
    """Take the file into the node."""
    node, lang = served(request), language(request)
    upload = _ready(request, account, upload_id)
    _must_own(request, account, upload.dataset)
    assert upload.checked is not None
    orders = upload.checked.orders

    def work(tell: Progress) -> Ingested:
        return ingest(
            upload.path,
            orders,
            node.store,
            dataset_id=upload.dataset,
            person=account.person,
            lang=lang,
            progress=lambda rows: tell(rows, None, upload.name),
        )

    # A second click finds the work of the first.
    if node.jobs.find(upload.job, account.person).kind != "accept":
        upload.job = node.jobs.start(account.person, "accept", work).job_id
    return onward(f"/deliver/checks/{upload_id}")


@router.post("/deliver/checks/{upload_id}/discard", dependencies=[Posting])
def discard(request: Request, account: Deliverer, upload_id: _Key) -> Response:
    """Forget the file; nothing of it was kept."""
    node = served(request)
    node.uploads.drop(node.uploads.find(upload_id, account.person))
    return onward("/deliver")


@router.get("/deliver/templates/{noun}", response_class=FileResponse)
def template(
    request: Request, account: Known, noun: _Key, lang: Literal["", "en", "zh", "ru"] = ""
) -> Response:
    """A workbook to fill in, in the reader's language."""
    if noun not in nouns():
        raise UsageError(say("template.noun-unknown", noun=noun, known=", ".join(nouns())))
    chosen: Language = next((one for one in LANGUAGES if one == lang), language(request))
    folder = Path(tempfile.mkdtemp(prefix="ecotone-template-"))
    out = folder / "template.xlsx"
    write_template(out, noun, chosen, made=datetime.now(UTC))
    return FileResponse(
        out,
        media_type=_BOOK_TYPE,
        filename=f"{noun}-{chosen}.xlsx",
        background=BackgroundTask(_clear, out),
    )


@router.get("/deliver/batches/{batch}")
def batch(
    request: Request, account: Deliverer, batch: _Key, new: bool = False, repeated: bool = False
) -> Response:
    """A delivery that was taken in, and what was found in it."""
    store = served(request).store
    found = desk.own_batch(store, account.party, batch)
    kinds: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], list[Any]] = {}
    for each in desk.own_findings(store, account.party, batch):
        kind = (str(each.severity), each.code)
        kinds[kind] += 1
        if kinds[kind] <= 8:
            first.setdefault(kind, []).append(each)
    order = ("fatal", "error", "warning", "info")
    return page(
        request,
        "batch.html",
        batch=found,
        new=new,
        repeated=repeated,
        kinds=[(*k, kinds[k], first[k]) for k in sorted(kinds, key=lambda k: order.index(k[0]))],
    )


@router.get("/deliver/batches/{batch}/rejected", response_class=FileResponse)
def rejected(request: Request, account: Deliverer, batch: _Key) -> Response:
    """The rejected rows as CSV, to correct and deliver again."""
    store = served(request).store
    found = desk.own_batch(store, account.party, batch)
    out = Path(tempfile.mkdtemp(prefix="ecotone-rejected-")) / "rejected.csv"
    quarantine.export(store, found.batch_id, out, language(request))
    return FileResponse(
        out,
        media_type="text/csv; charset=utf-8",
        filename=f"{Path(found.file_name).stem}-rejected.csv",
        background=BackgroundTask(_clear, out),
    )


@router.post("/deliver/batches/{batch}/withdraw", dependencies=[Posting])
def withdraw(
    request: Request,
    account: Corrector,
    batch: _Key,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Take a whole delivery back."""
    store = served(request).store
    done = withdraw_own(store, account.party, batch, person=account.person, reason=reason)
    return page(request, "withdrawn.html", batch=batch, done=done)


def _ready(request: Request, account: Account, upload_id: str) -> Upload:
    upload = served(request).uploads.find(upload_id, account.person)
    if upload.checked is None:
        raise UsageError(say("portal.deliver.not-ready"))
    return upload


def _must_own(request: Request, account: Account, dataset: str) -> None:
    own = [d.dataset_id for d in desk.own_datasets(served(request).store, account.party)]
    if dataset not in own:
        raise UsageError(say("portal.deliver.not-own", known=", ".join(own) or "-"))


def _mapping(given: UploadFile | None) -> mappings.Mapping | None:
    if given is None or not given.filename or not given.size:
        return None
    with tempfile.TemporaryDirectory(prefix="ecotone-mapping-") as folder:
        path = Path(folder) / "mapping.toml"
        path.write_bytes(given.file.read(1 << 20))
        return mappings.load(path)


def _clear(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.rmdir()
