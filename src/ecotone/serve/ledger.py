"""The ledger: what happened in the node, line by line, and whether it still holds."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from ecotone.model.words import say
from ecotone.serve.deliver import working
from ecotone.serve.guard import Forbidden, Known, Posting
from ecotone.serve.jobs import Progress
from ecotone.serve.pages import onward, page
from ecotone.serve.state import served
from ecotone.share import desk

router = APIRouter(default_response_class=HTMLResponse)

_LINES: Final = 100
_PATIENCE: Final = 2.0
#: What of a line is told in a table; the rest is for machines.
_TOLD: Final = (
    "party", "kind", "key", "id", "noun", "dataset_id", "reader", "purpose", "action", "level",
    "rows", "file_name", "run_id", "step", "status", "what", "why", "reason",
)  # fmt: skip


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
        lines=[(entry, _told(entry.said)) for entry in found],
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
    node.jobs.wait(job, _PATIENCE)
    if job.error is not None:
        raise job.error
    if job.state != "done":
        return working(request, job)
    seq, head, broken = job.result
    return page(request, "ledger_checked.html", seq=seq, head=head, broken=broken)


def _told(said: dict[str, Any]) -> str:
    shown = [f"{k}: {said[k]}" for k in _TOLD if said.get(k) not in (None, "", [])]
    counts = said.get("counts")
    if isinstance(counts, dict):
        shown += [f"{k}: {v}" for k, v in counts.items() if v]
    return "; ".join(shown)[:400]
