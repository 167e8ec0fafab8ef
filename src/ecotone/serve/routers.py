"""The routes of the server, by what they serve; a new face is one line here."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from ecotone.serve import data, deliver, entrance, ledger, matches, preview, records, runs, sharing
from ecotone.serve.sta import mount as sta

ROUTERS: Final[tuple[APIRouter, ...]] = (
    entrance.router,
    data.router,
    records.router,
    deliver.router,
    preview.router,
    sharing.router,
    runs.router,
    ledger.router,
    matches.router,
    sta.router,
)

#: Paths under which a request may be as long as a delivery.
UPLOADS: Final[tuple[str, ...]] = ("/deliver", "/sharing/letters", "/runs/plans", "/sta/v1.1")
