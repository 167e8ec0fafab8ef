"""Borders for the maps of the portal: those of a run the reader may see, never any of ours."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from fastapi import Request

from ecotone.serve import maps
from ecotone.serve.accounts import Account
from ecotone.serve.pages import language
from ecotone.serve.shelf import runs_for


def outlines_for(request: Request, account: Account) -> tuple[list[tuple[Any, bool]], str]:
    """The shapes of the newest run that brought its own borders, and what must be said of them."""
    for run in runs_for(request, account):
        told = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
        borders = told.get("boundaries")
        if borders and (run.folder / borders["path"]).is_file():
            path = run.folder / borders["path"]
            said = borders["disclaimer"]
            disputed = str(borders.get("disputed") or "disputed")
            text = said.get(language(request)) or next(iter(said.values()), "")
            approval = f" {borders['approval']}" if borders.get("approval") else ""
            return _shapes(path, path.stat().st_mtime_ns, disputed), f"{text}{approval}"
    return [], ""


@functools.lru_cache(maxsize=8)
def _shapes(path: Path, changed: int, disputed: str) -> list[tuple[Any, bool]]:
    return maps.outlines_of(path, disputed)
