"""Commands about sharing: what a reader would see, the ledger; ``agreements`` has the rest."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from ecotone.cli import agreements
from ecotone.cli.language import language, word
from ecotone.cli.options import (
    Json,
    Node,
    as_documents,
    open_here,
    print_json,
    print_line,
    print_table,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    share = typer.Typer(help=word("share.help"), no_args_is_help=True)
    agreements.register(share)
    share.command("preview", help=word("share.preview.help"))(preview)
    share.command("audit", help=word("share.audit.help"))(audit)
    app.add_typer(share, name="share")


def preview(
    reader: Annotated[str, typer.Option(help=word("share.preview.reader"))],
    noun: Annotated[str | None, typer.Argument(metavar="[NOUN]", help=word("correct.noun"))] = None,
    purpose: Annotated[str, typer.Option(help=word("share.preview.purpose"))] = "assessment",
    action: Annotated[str, typer.Option(help=word("share.preview.action"))] = "view",
    day: Annotated[str | None, typer.Option("--on", help=word("share.preview.on"))] = None,
    rows: Annotated[int, typer.Option(min=0, help=word("share.preview.rows"))] = 5,
    as_json: Json = False,
    node: Node = None,
) -> None:
    """What a reader would get, row by row, through the same door."""
    from ecotone.model.dictionary import RECORD_NOUNS
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share.decide import Request
    from ecotone.share.door import Door

    if action not in ("view", "download", "derive", "redistribute"):
        raise UsageError(say("cli.share.action-wrong", given=action))
    if noun is not None and noun not in RECORD_NOUNS:
        raise UsageError(say("cli.noun-unknown", given=noun, known=", ".join(RECORD_NOUNS)))
    request = Request(reader, purpose, action, _day(day))  # type: ignore[arg-type]  # checked above
    with open_here(node) as store:
        door = Door(store, request, language())
        if noun is None:
            _decisions(door.decisions, as_json)
            return
        released = door.release(noun)
    if as_json:
        print_json(
            {
                "noun": noun,
                "rows": as_documents(released.rows.head(rows)),
                "groups": as_documents(released.groups),
                "released": [{"rows": line.rows, "sha256": line.sha256} for line in released.lines],
            }
        )
        return
    for line in released.lines:
        d = line.decision
        level = word(f"share.level.{d.level}")
        print_line(f"{d.dataset_id} / {d.name}: {level}, {line.rows:,}")
    _head(released.rows.head(rows))
    if not released.groups.empty:
        _head(released.groups.head(rows))


def audit(
    node: Node = None,
    as_json: Json = False,
) -> None:
    """Check the ledger, the kept files and the stored rows against their hashes."""
    with open_here(node) as store, _busy(word("share.audit.working")):
        broken = list(store.verify_ledger())
        entries = sum(1 for _ in store.ledger())
    if as_json:
        print_json({"entries": entries, "holds": not broken, "broken": [str(b) for b in broken]})
    elif broken:
        for item in broken:
            print_line(f"  {item}")
        print_line(word("share.audit.broken", number=len(broken)))
    else:
        print_line(word("share.audit.whole", number=f"{entries:,}"))
    if broken:
        raise typer.Exit(1)


def _busy(text: str):  # type: ignore[no-untyped-def]  # a rich context, imported late
    from rich.console import Console

    return Console(stderr=True).status(text)


def _day(text: str | None) -> dt.date:
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    if text is None:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(say("cli.date-wrong", given=text)) from error


def _decisions(decisions, as_json: bool) -> None:  # type: ignore[no-untyped-def]  # list[Decision]
    columns = ("dataset_id", "name", "level", "agreement_id", "agreement_version")
    if as_json:
        print_json([{c: getattr(d, c) for c in columns} for d in decisions])
        return
    print_table(
        [word(f"share.column.{c}") for c in ("dataset", "class", "level", "agreement", "version")],
        [tuple(getattr(d, c) for c in columns) for d in decisions],
    )


def _head(frame) -> None:  # type: ignore[no-untyped-def]  # a DataFrame, imported late
    """A few records side by side: attributes are many, records few."""
    if frame.empty:
        return
    shown = frame.dropna(axis="columns", how="all")
    cells = shown.astype(object).where(shown.notna(), "-").astype(str)
    print_table(
        [word("correct.attribute"), *(str(n) for n in range(1, len(cells) + 1))],
        [(name, *cells[name]) for name in cells.columns],
    )
