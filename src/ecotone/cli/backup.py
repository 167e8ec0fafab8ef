"""Commands to keep, move and leave: backup, restore, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecotone.cli.language import word
from ecotone.cli.options import Node, open_here, print_line, progress_bar


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup", help=word("backup.help"))(backup)
    app.command("restore", help=word("restore.help"))(restore)
    app.command("export", help=word("export.help"))(export)


def backup(
    out: Annotated[Path, typer.Argument(metavar="FILE", help=word("backup.file"))],
    node: Node = None,
) -> None:
    """The whole node in one file."""
    from ecotone.store.backup import backup as carry_out

    with open_here(node) as store, progress_bar() as bar:
        task = bar.add_task(word("backup.working"), total=None)
        done = carry_out(
            store,
            out,
            progress=lambda number, total: bar.update(task, completed=number, total=total),
        )
    print_line(
        word("backup.done", path=out, size=f"{done.size / 1e6:,.1f}", line=done.ledger[0],
             hash=done.ledger[1])
    )  # fmt: skip


def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help=word("restore.file"))],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=word("restore.dir"))],
    database: Annotated[str | None, typer.Option(help=word("restore.database"))] = None,
) -> None:
    """A node from a backup."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.store.backup import restore as carry_out

    if not path.is_file():
        raise UsageError(say("cli.no-file", path=path))
    with progress_bar() as bar:
        task = bar.add_task(word("restore.working"), total=None)
        with carry_out(
            path,
            folder,
            database=database,
            progress=lambda number, total: bar.update(task, completed=number, total=total),
        ) as store:
            line, party = store.head()[0], store.party_id
    print_line(word("restore.done", folder=folder, party=party, line=line))


def export(
    everything: Annotated[
        Path, typer.Option("--everything", metavar="DIR", help=word("export.everything"))
    ],
    node: Node = None,
) -> None:
    """Everything as plain files."""
    from ecotone.store.leaving import export_everything

    with open_here(node) as store, progress_bar() as bar:
        task = bar.add_task(word("export.working"), total=None)
        counts = export_everything(
            store, everything, progress=lambda what: bar.update(task, description=what)
        )
    print_line(word("export.done", path=everything, number=f"{sum(counts.values()):,}"))
