"""The page of work under way: most work is done before anybody sees it."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from ecotone.serve.jobs import Job
from ecotone.serve.pages import page
from ecotone.serve.state import served

#: Seconds that a page waits for work before it says that it is under way.
_PATIENCE: Final = 2.0


def unready(request: Request, job: Job) -> HTMLResponse | None:
    """A page that asks again by itself, or None where the work is done.

    Raises:
        EcotoneError: what the work failed with.
    """
    served(request).jobs.wait(job, _PATIENCE)
    if job.error is not None:
        raise job.error
    if job.state == "done":
        return None
    answer = page(request, "working.html", job=job)
    answer.headers["refresh"] = "2"
    return answer
