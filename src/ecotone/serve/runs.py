"""Assessments: started from a plan, read, compared, signed off; their reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, Response

from ecotone.assess import signoff
from ecotone.assess.compare import CAUSES, Comparison
from ecotone.assess.compare import compare as split_change
from ecotone.assess.plan import load
from ecotone.assess.registry import get
from ecotone.assess.run import assess
from ecotone.assess.signoff import RunCard, Signatory, Step
from ecotone.model.errors import EcotoneError
from ecotone.model.words import LANGUAGES
from ecotone.report import FORMATS, build_report
from ecotone.serve import plans
from ecotone.serve.accounts import Account
from ecotone.serve.guard import Known, Posting, Runner
from ecotone.serve.jobs import Progress
from ecotone.serve.pages import onward, page
from ecotone.serve.shelf import run_for, runs_for
from ecotone.serve.state import Served, served
from ecotone.serve.waiting import unready
from ecotone.share import desk
from ecotone.share.decide import Request as Asked
from ecotone.share.door import Door
from ecotone.share.negotiate import note_refusal

router = APIRouter(default_response_class=HTMLResponse)

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
#: A report stands alone: its styles and pictures lie in it, and it runs nothing.
_REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "frame-ancestors 'self'; sandbox allow-popups"
)
_Key = Annotated[str, InPath(max_length=120)]
_Word = Annotated[str, Form(max_length=200)]
_Run = Annotated[str, Query(max_length=120)]


@router.get("/runs")
def overview(request: Request, account: Known) -> Response:
    """The runs this party may read, the plans it may start, two runs to compare."""
    node = served(request)
    return page(
        request,
        "runs.html",
        runs=runs_for(request, account),
        plans=plans.plans_of(node.folder, account.party) if account.may("run") else [],
        jobs=[j for j in node.jobs.of(account.person, "run") if j.state in ("waiting", "working")],
    )


@router.get("/runs/plans/{name}")
def plan(request: Request, account: Runner, name: _Key) -> Response:
    """The text of a plan, to be changed or started as it is."""
    kept = plans.plan_of(served(request).folder, account.party, name)
    return page(request, "plan.html", kept=kept)


@router.post("/runs/plans", dependencies=[Posting])
def take_plan(
    request: Request,
    account: Runner,
    files: Annotated[list[UploadFile], File()],
    name: _Word = "",
) -> Response:
    """Keep a plan with the files it names."""
    given = {f.filename or "": f.file for f in files[:50]}
    kept = plans.take(served(request).folder, account.party, name, given)
    return onward(f"/runs/plans/{kept.name}")


@router.post("/runs/plans/{name}/start", dependencies=[Posting])
def start(
    request: Request,
    account: Runner,
    name: _Key,
    text: Annotated[str, Form(max_length=400_000)] = "",
) -> Response:
    """Carry a plan out beside; the page tells how far it is."""
    node = served(request)
    kept = plans.plan_of(node.folder, account.party, name)
    path = plans.changed(kept, account.party, text) if text.strip() else kept.path

    def work(tell: Progress) -> str:
        return _carry_out(node, account, path, tell)

    about = {"plan": name, "path": path}
    job = node.jobs.open(account.person, "run", **about) or node.jobs.start(
        account.person, "run", work, long=True, **about
    )
    return onward(f"/runs/work/{job.job_id}")


@router.get("/runs/work/{job_id}")
def progress(request: Request, account: Known, job_id: _Key) -> Response:
    """How far a run is; the run itself when it is done."""
    node = served(request)
    job = node.jobs.find(job_id, account.person)
    if waiting := unready(request, job):
        return waiting
    return onward(f"/runs/{job.result}" if job.kind == "run" else str(job.about["back"]))


@router.get("/runs/compare")
def compare(request: Request, account: Known, a: _Run = "", b: _Run = "") -> Response:
    """Why two runs differ: the change of each figure split into its causes."""
    node = served(request)
    before, after = run_for(request, account, a), run_for(request, account, b)
    about = {"pair": [before.digest, after.digest], "back": request.url.path}
    same = [j for j in node.jobs.of(account.person, "compare") if j.about["pair"] == about["pair"]]
    job = same[0] if same else None
    if job is None:

        def work(tell: Progress) -> Comparison:
            return split_change(before.folder, after.folder, progress=tell)

        job = node.jobs.start(account.person, "compare", work, long=True, **about)
    if waiting := unready(request, job):
        return waiting
    figures = [f for f in job.result.figures if f.change != 0.0]
    return page(
        request,
        "compare.html",
        before=before,
        after=after,
        found=job.result,
        figures=[(f, get(f.indicator)) for f in figures],
        causes=[c for c in CAUSES if any(f.parts.get(c) for f in figures)],
    )


@router.get("/runs/{run_id}")
def run(request: Request, account: Known, run_id: _Key) -> Response:
    """A run: its figures, how it stands, its reports, what may be done next."""
    found = run_for(request, account, run_id)
    who = _signatory(account)
    return page(
        request,
        "run.html",
        run=found,
        figures=_figures(found),
        regions=_regions(found),
        formats=FORMATS,
        languages=LANGUAGES,
        steps={
            step: signoff.refusal(found, step, who)
            for step in signoff.STEPS
            if account.may("run") or account.may("sign")
        },
        others=[r for r in runs_for(request, account) if r.run_id != found.run_id],
    )


@router.post("/runs/{run_id}/{step}", dependencies=[Posting])
def take_step(request: Request, account: Known, run_id: _Key, step: Step) -> Response:
    """A step of sign-off: put forward, approve for one's party, publish."""
    node = served(request)
    found = run_for(request, account, run_id)
    try:
        after = signoff.take(found, step, _signatory(account), node.today())
    except EcotoneError as error:
        note_refusal(node.store, account.person, f"{step} {run_id}", error)
        raise
    desk.note_step(
        node.store,
        account.person,
        {"run_id": run_id, "step": step, "party": account.party, "status": after.status,
         "sha256": after.digest},
    )  # fmt: skip
    return onward(f"/runs/{run_id}")


@router.get("/runs/{run_id}/report/{lang}/{form}", response_class=FileResponse)
def report(
    request: Request,
    account: Known,
    run_id: _Key,
    lang: Literal["en", "zh", "ru"],
    form: Literal["html", "pdf", "xlsx", "docx"],
) -> Response:
    """A report of a run, written when somebody first asks for it and after each sign-off."""
    node = served(request)
    found = run_for(request, account, run_id)
    path = found.folder / "report" / f"report-{lang}.{form}"
    if not _fresh(path, found):
        back = request.url.path

        def work(tell: Progress) -> Path:
            return build_report(
                found.folder, langs=[lang], formats=[form], out_dir=path.parent, progress=tell
            )[0]

        job = node.jobs.open(account.person, "report", back=back) or node.jobs.start(
            account.person, "report", work, back=back
        )
        if unready(request, job):
            return onward(f"/runs/work/{job.job_id}")
    answer = FileResponse(path, media_type=_TYPES[form])
    if form == "html":
        answer.headers["content-security-policy"] = _REPORT_POLICY
    else:
        name = f"{found.run_id}-{lang}.{form}"
        answer.headers["content-disposition"] = f'attachment; filename="{name}"'
    return answer


def _carry_out(node: Served, account: Account, path: Path, tell: Progress) -> str:
    """A plan on what the door gives its reader; the run is noted in the node."""
    spec = load(path)
    opened: list[Door] = []

    def door() -> Door:
        if not opened:
            asked = Asked(account.party, spec.purpose, "derive", node.today())
            opened.append(Door(node.store, asked))
        return opened[0]

    folder = assess(path, node.folder / "runs", open_door=door, progress=tell)
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    releases = [line["release"] for line in told["agreements"]]
    desk.note_run(node.store, folder.name, folder, releases, account.person)
    return folder.name


def _figures(found: RunCard) -> list[tuple[dict[str, Any], list[tuple[str, str, dict[str, Any]]]]]:
    """Each result of the run with its values: name, title key and value."""
    told = json.loads((found.folder / "run.json").read_text(encoding="utf-8"))
    shown = []
    for result in told["results"]:
        path = found.folder / result["path"]
        values = json.loads(path.read_text(encoding="utf-8"))["values"]
        names = result["names"]
        shown.append((result, [(n, names.get(f"value.{n}", {}), v) for n, v in values.items()]))
    return shown


def _regions(found: RunCard) -> dict[str, dict[str, str]]:
    """The names of the regions of a run."""
    told = json.loads((found.folder / "run.json").read_text(encoding="utf-8"))
    return {r["id"]: r.get("name") or {} for r in told.get("regions") or ()}


def _signatory(account: Account) -> Signatory:
    role = account.role if account.may("run") or account.may("sign") else "reader"
    return Signatory(account.person, account.name, account.party, role)


def _fresh(path: Path, found: RunCard) -> bool:
    if not path.is_file():
        return False
    return path.stat().st_mtime_ns >= (found.folder / "run.json").stat().st_mtime_ns
