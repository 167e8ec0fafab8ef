"""Commands about sharing: ``agreements``, ``preview``, and the audit of the ledger."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from ecotone.cli import agreements, packages, preview
from ecotone.cli.language import word
from ecotone.cli.options import Json, Node, open_here, print_json, print_line


def register(app: typer.Typer) -> None:
    """Add the commands."""
    share = typer.Typer(help=word("share.help"), no_args_is_help=True)
    agreements.register(share)
    packages.register(share)
    preview.register(share)
    share.command("audit", help=word("share.audit.help"))(audit)
    app.add_typer(share, name="share")


def audit(
    anchor: Annotated[
        str | None, typer.Option("--anchor", metavar="HEAD", help=word("share.audit.anchor"))
    ] = None,
    chain: Annotated[bool, typer.Option("--chain", help=word("share.audit.chain"))] = False,
    node: Node = None,
    as_json: Json = False,
) -> None:
    """Check the ledger, the kept files and the stored rows against their hashes."""
    noted = _anchor(anchor)
    with open_here(node) as store, _busy(word("share.audit.working")):
        broken = list(store.verify_ledger(noted, deep=not chain))
        seq, head = store.head()
    if as_json:
        print_json(
            {
                "entries": seq,
                "head": {"seq": seq, "hash": head},
                "holds": not broken,
                "broken": [str(b) for b in broken],
            }
        )
    elif broken:
        for item in broken:
            print_line(f"  {item}")
        print_line(word("share.audit.broken", number=len(broken)))
    else:
        told = "share.audit.chain-whole" if chain else "share.audit.whole"
        print_line(word(told, number=f"{seq:,}"))
        print_line(word("share.audit.head", seq=seq, hash=head))
    if broken:
        raise typer.Exit(1)


def _anchor(given: str | None) -> tuple[int, str] | str | None:
    """A head as ``audit`` prints it: its number and hash, or the hash alone."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    if given is None:
        return None
    found = re.fullmatch(r"(?:(\d+)\s+)?([0-9a-f]{64})", given.strip().lower())
    if found is None:
        raise UsageError(say("cli.share.audit.anchor-wrong", given=given))
    number, head = found.groups()
    return head if number is None else (int(number), head)


def _busy(text: str):  # type: ignore[no-untyped-def]  # a rich context, imported late
    from rich.console import Console

    return Console(stderr=True).status(text)
