"""The routes of the server, by what they serve; a new face is one line here."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from ecotone.serve import entrance

ROUTERS: Final[tuple[APIRouter, ...]] = (entrance.router,)

#: Paths under which a request may be as long as a delivery.
UPLOADS: Final[tuple[str, ...]] = ("/deliver",)
