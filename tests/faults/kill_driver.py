"""A process that keeps Ecotone loaded and carries out commands in children that can be killed.

It reads one JSON list of arguments a line, answers with the child's number, and, once the child
has gone, with how it ended (negative: by which signal). So a kill meets the command itself and
not the second it takes to load.
"""

from __future__ import annotations

import json
import os
import sys

import alembic.command
import geopandas
import openpyxl
import pyogrio

import ecotone.ingest.corrections
import ecotone.store.backup
import ecotone.store.leaving
from ecotone.cli.app import run

LOADED = (alembic.command, geopandas, openpyxl, pyogrio, ecotone.store.backup,
          ecotone.store.leaving, ecotone.ingest.corrections)  # fmt: skip


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _carry_out(json.loads(line))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _carry_out(arguments: list[str]) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nowhere, stream)
    try:
        run(arguments)
    except SystemExit as leaving:
        os._exit(int(leaving.code or 0))
    os._exit(0)


if __name__ == "__main__":
    main()
