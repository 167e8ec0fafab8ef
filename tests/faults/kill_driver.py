"""A process that keeps Ecotone loaded and carries out commands in children that can be killed.

It reads one JSON list of arguments a line, answers with the child's number, and, once the child
has gone, with how it ended (negative: by which signal). What a child that was let alone had loaded
is loaded here too, so that a kill meets the command itself and not the seconds it takes to load.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys

from ecotone.cli.app import run

#: Whose modules are worth loading beforehand.
ROOTS = {"ecotone", "alembic", "sqlalchemy", "pandas", "pyarrow", "openpyxl", "geopandas",
         "pyogrio", "shapely", "pyproj", "rasterio", "pydantic", "rich", "psycopg"}  # fmt: skip


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            _carry_out(json.loads(line), tell)
        os.close(tell)
        print(child, flush=True)
        with os.fdopen(told) as stream:
            loaded = stream.read()
        _, status = os.waitpid(child, 0)
        for name in json.loads(loaded or "[]"):
            importlib.import_module(name)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _outcome(arguments: list[str]) -> int:
    try:
        run(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


def _carry_out(arguments: list[str], tell: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nowhere, stream)
    try:
        # Ctrl-C is for the command, not for what stands around it here.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = _outcome(arguments)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        # It came as the command was already leaving; there is but one.
        code = 130
    names = [name for name, module in sys.modules.items() if _findable(name, module)]
    with os.fdopen(tell, "w") as stream:
        stream.write(json.dumps(names))
    os._exit(code)


def _findable(name: str, module: object) -> bool:
    known = getattr(module, "__spec__", None)
    return known is not None and known.name == name and name.split(".")[0] in ROOTS


if __name__ == "__main__":
    main()
