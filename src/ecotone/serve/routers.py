"""The routes of the server, by what they serve; a new face is one line here."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from ecotone.serve import data, entrance, records

ROUTERS: Final[tuple[APIRouter, ...]] = (entrance.router, data.router, records.router)

#: Paths under which a request may be as long as a delivery.
UPLOADS: Final[tuple[str, ...]] = ("/deliver",)
