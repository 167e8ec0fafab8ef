"""The commands, and how an error is told: a sentence and a hint, never a traceback."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from ecotone.cli import (
    assess,
    backup,
    compare,
    demo,
    individuals,
    ingest,
    keys,
    node,
    records,
    serve,
    share,
    sources,
    template,
    usage,
)
from ecotone.cli.language import language, word
from ecotone.model.errors import EcotoneError
from ecotone.model.finding import Finding
from ecotone.model.words import tell

_INTERRUPTED: Final = 130

app = typer.Typer(
    name="ecotone",
    help=word("about"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    node,
    keys,
    template,
    ingest,
    records,
    individuals,
    share,
    assess,
    sources,
    compare,
    backup,
    serve,
    demo,
):
    module.register(app)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A console shows its own code page alone (GBK, CP866); files and pipes get UTF-8.
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="replace")
    raise SystemExit(_outcome(arguments))


def _outcome(arguments: Sequence[str] | None) -> int:
    from typer.main import get_command

    try:
        code = get_command(app).main(
            args=None if arguments is None else list(arguments),
            prog_name="ecotone",
            standalone_mode=False,
        )
    except EcotoneError as error:
        _say(_told(error), tell(error.hint, language()))
        return error.exit_code
    except KeyboardInterrupt:
        _say(word("interrupted"), word("interrupted-hint"))
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _system_error(error)
    except MemoryError:
        _say(word("memory"), word("memory-hint"))
        return 1
    except Exception as error:  # noqa: BLE001 - the last line of defence: told, logged, never shown raw
        return _unexpected(error)
    if code == _INTERRUPTED:
        # Typer turns Ctrl-C into an exit code of its own.
        _say(word("interrupted"), word("interrupted-hint"))
    return code if isinstance(code, int) else 0


def _told(error: EcotoneError) -> str:
    """The error in the reader's language; one that came from files says every finding."""
    findings = getattr(error, "findings", None) or [getattr(error, "finding", None)]
    said = [f.message(language()) for f in findings if isinstance(f, Finding)]
    return "\n".join(said) if said else tell(error.message, language())


def _unexpected(error: Exception) -> int:
    """Wrong usage is told by the library or by us; anything else is our fault, kept in a file."""
    shown = getattr(error, "show", None)
    if shown is not None:
        said = usage.told(error)
        if said is None:
            shown()
        else:
            typer.echo(said, err=True)
        return int(getattr(error, "exit_code", 2))
    if type(error).__name__ == "Abort":
        _say(word("interrupted"), word("interrupted-hint"))
        return _INTERRUPTED
    with tempfile.NamedTemporaryFile(
        "w", prefix="ecotone-fault-", suffix=".txt", delete=False, encoding="utf-8"
    ) as log:
        traceback.print_exception(error, file=log)
    _say(word("fault", kind=type(error).__name__, why=error), word("fault-hint", path=log.name))
    return 1


def _system_error(error: OSError) -> int:
    name = Path(str(error.filename)).as_posix() if error.filename else ""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            _say(word("disk-full"), word("disk-full-hint"))
        case errno.EACCES | errno.EPERM | errno.EROFS:
            _say(word("no-permission", path=name), word("no-permission-hint"))
        case errno.ENOENT:
            _say(word("no-file", path=name), "")
        case _:
            _say(word("system", why=error.strerror or str(error), path=name), "")
    return 1


def _say(message: str, hint: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[bold red]{word('error')}[/] {escape(message)}")
    if hint:
        console.print(f"[dim]{escape(hint)}[/]")
