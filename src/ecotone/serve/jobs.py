"""Work that takes longer than a page may: carried out beside, with its progress told."""

from __future__ import annotations

import errno
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ecotone.model.errors import EcotoneError, Withheld
from ecotone.model.words import say

#: Told while working: done, of how many (None where nobody knows), what.
Progress = Callable[[int, int | None, str], None]
Work = Callable[[Progress], Any]
State = Literal["waiting", "working", "done", "failed"]

_KEPT: Final = 500
_FORGET: Final = 4 * 3600.0
_FULL: Final = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


@dataclass
class Job:
    """One piece of work of one person."""

    job_id: str
    person: str
    kind: str
    #: What it is about, and where to go when it is done.
    about: dict[str, Any]
    state: State = "waiting"
    done: int = 0
    total: int | None = None
    what: str = ""
    result: Any = None
    error: EcotoneError | None = None
    begun: float = field(default_factory=time.monotonic)


class Jobs:
    """The work of a server: short work does not wait for long work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Job, Future[None]]] = {}
        self._pools = {
            "short": ThreadPoolExecutor(1, thread_name_prefix="short-work"),
            "long": ThreadPoolExecutor(1, thread_name_prefix="long-work"),
        }

    def start(self, person: str, kind: str, work: Work, *, long: bool = False, **about: Any) -> Job:
        """Begin, or wait for what was begun before."""
        job = Job(secrets.token_urlsafe(12), person, kind, about)
        with self._lock:
            self._forget()
            pool = self._pools["long" if long else "short"]
            self._known[job.job_id] = (job, pool.submit(_carry_out, job, work))
        return job

    def find(self, job_id: str, person: str) -> Job:
        """A person's own work; Withheld for any other's, there or not."""
        found = self._known.get(job_id)
        if found is None or found[0].person != person:
            raise Withheld(say("portal.work-gone"), say("portal.work-gone.do"))
        return found[0]

    def open(self, person: str, kind: str, **about: Any) -> Job | None:
        """A person's work under way on the same: what a second click would begin again."""
        same = [j for j in self.of(person, kind) if about.items() <= j.about.items()]
        return next((j for j in same if j.state in ("waiting", "working")), None)

    def of(self, person: str, kind: str) -> list[Job]:
        """A person's work of a kind, newest first."""
        found = [j for j, _ in self._known.values() if (j.person, j.kind) == (person, kind)]
        return found[::-1]

    def wait(self, job: Job, seconds: float) -> None:
        """Give it a moment: most work is done before anybody would see it wait."""
        wait([self._known[job.job_id][1]], timeout=seconds)

    def close(self) -> None:
        """Let what is under way end and begin nothing more."""
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _forget(self) -> None:
        now = time.monotonic()
        over = [k for k, (j, f) in self._known.items() if f.done() and now - j.begun > _FORGET]
        ended = [k for k, (_, f) in self._known.items() if f.done()]
        for key in {*over, *ended[: max(0, len(self._known) - _KEPT)]}:
            del self._known[key]


def is_full(error: BaseException | None) -> bool:
    """Whether it says that there is no room on the disk, or no more for this user."""
    return isinstance(error, OSError) and error.errno in _FULL


def _carry_out(job: Job, work: Work) -> None:
    job.state = "working"

    def tell(done: int, total: int | None, what: str) -> None:
        job.done, job.total, job.what = done, total, what

    try:
        job.result = work(tell)
        job.state = "done"
    except EcotoneError as error:
        job.error, job.state = error, "failed"
    except OSError as error:
        traceback.print_exception(error, file=sys.stderr)
        full = is_full(error)
        told = say("portal.disk-full") if full else say("portal.fault")
        job.error = EcotoneError(told, say("portal.disk-full.do") if full else "")
        job.state = "failed"
    except Exception as error:  # noqa: BLE001 - work beside a page must end told, never in silence
        traceback.print_exception(error, file=sys.stderr)
        job.error, job.state = EcotoneError(say("portal.fault")), "failed"
