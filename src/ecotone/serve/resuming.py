"""What somebody had filled in when the session ended: kept on the page until it can be sent.

Nothing is stored on the server: the fields travel hidden in the sign-in form, then in a form to
send them again, which whoever filled them in sends by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import Request

from ecotone.serve.pages import local

_PREFIX: Final = "kept-"
#: Secrets are asked for anew.
_NEVER: Final = frozenset({"csrf", "password", "passphrase", "old", "new", "again"})


@dataclass(frozen=True)
class Kept:
    """The form that could not be sent."""

    action: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    #: A browser gives no file away twice: it must be chosen again.
    files: bool = False


NOTHING: Final = Kept()


async def kept_now(request: Request) -> Kept:
    """The fields of the form that is being refused."""
    form = (await request.form()).multi_items()
    fields = tuple((k, v) for k, v in form if isinstance(v, str) and k not in _NEVER)
    return Kept(request.url.path, fields, any(not isinstance(v, str) for _, v in form))


async def kept_before(request: Request) -> Kept:
    """A dependency: the fields that a sign-in form carries along."""
    form = (await request.form()).multi_items()
    given = {k: v for k, v in form if isinstance(v, str)}
    fields = tuple(
        (k.removeprefix(_PREFIX), v)
        for k, v in form
        if isinstance(v, str) and k.startswith(_PREFIX)
    )
    action = given.get("resume", "")
    return Kept(local(action) if action else "", fields, bool(given.get("files")))
