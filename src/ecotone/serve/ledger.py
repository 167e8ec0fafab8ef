"""The ledger: what happened in the node, line by line, and whether it still holds."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from ecotone.model.words import Language, has, say
from ecotone.report import l10n
from ecotone.serve.guard import Forbidden, Known, Posting
from ecotone.serve.jobs import Progress
from ecotone.serve.pages import language, onward, page
from ecotone.serve.state import served
from ecotone.serve.waiting import unready
from ecotone.share import desk
from ecotone.share.sentences import term

router = APIRouter(default_response_class=HTMLResponse)

_LINES: Final = 100
#: What a line of a kind says, in a sentence; each names what it needs.
_NEEDED: Final = {
    "release": ("rows", "noun", "dataset_id", "level", "purpose", "action", "reader"),
    "correct": ("noun", "id", "version", "reason"),
    "run": ("run_id",),
    "approve": ("run_id", "step", "party", "status"),
    "refused": ("what", "why"),
    "file": ("sha256",),
    "init": ("party",),
    "put": ("what",),
    "commit": ("file_name", "dataset_id"),
    "withdraw": ("batch_id", "reason"),
    "sensorthings": ("do", "first", "last"),
}


_PUT: Final = ("document", "key", "reason")


@router.get("/ledger")
def lines(
    request: Request,
    account: Known,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The newest lines; another party sees what was released to it."""
    store = served(request).store
    found = desk.lines(store, account.party, before if account.home else None, _LINES)
    return page(
        request,
        "ledger.html",
        lines=[(entry, _told(entry.kind, entry.said, language(request))) for entry in found],
        older=found[-1].seq if account.home and len(found) == _LINES else None,
        before=before,
    )


@router.post("/ledger/check", dependencies=[Posting])
def check(request: Request, account: Known) -> Response:
    """Go through the chain, the stored rows and the kept files."""
    node = served(request)
    if not account.home:
        raise Forbidden(say("portal.may-not"))

    def work(tell: Progress) -> tuple[int, str, list[str]]:
        return desk.audit(node.store)

    job = node.jobs.start(account.person, "ledger", work, long=True)
    return onward(f"/ledger/checks/{job.job_id}")


@router.get("/ledger/checks/{job_id}")
def checked(request: Request, account: Known, job_id: str) -> Response:
    """What the check found."""
    node = served(request)
    job = node.jobs.find(job_id, account.person)
    if waiting := unready(request, job):
        return waiting
    seq, head, broken = job.result
    return page(request, "ledger_checked.html", seq=seq, head=head, broken=broken)


def _told(kind: str, said: dict[str, Any], lang: Language) -> str:
    """A line in a sentence; what it does not tell stands in the ledger all the same."""
    if kind not in _NEEDED:
        return ""
    said = {**said, **said["batch"]} if isinstance(said.get("batch"), dict) else said
    values = {name: said.get(name, "–") for name in _NEEDED[kind]}
    if "noun" in values:
        values["noun"] = term("noun", str(values["noun"]), lang)
    if "rows" in values:
        values["rows"] = l10n.number(values["rows"], lang, 0)
    if kind == "put":
        what = f"portal.document.{said.get('document')}"
        named = [str(said[k]) for k in _PUT if said.get(k) not in (None, "")]
        values["what"] = " ".join([say(what, lang), *named[1:]] if has(what) else named) or "–"
    if kind == "sensorthings":
        did = f"sta.did.{said.get('do')}"
        return str(say(did, lang, first=values["first"], last=values["last"])) if has(did) else ""
    if kind == "release":
        values["level"] = say(f"portal.level.{values['level']}", lang)
        values["action"] = term("action", str(values["action"]), lang)
        purpose = f"portal.purpose.{values['purpose']}"
        values["purpose"] = say(purpose, lang) if has(purpose) else values["purpose"]
    if kind == "approve":
        values["step"] = say(f"portal.signoff.name.{values['step']}", lang)
        values["status"] = say(f"portal.status.{values['status']}", lang)
    return str(say(f"portal.ledger.says.{kind}", lang, **values))[:600]
