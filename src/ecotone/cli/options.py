"""Options that several commands share, and small helpers to show things."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecotone.cli.language import word

if TYPE_CHECKING:
    from rich.progress import Progress

    from ecotone.store import Store

#: Columns of text where no terminal says how wide it is: a file or a pipe.
_WIDE = 160

Node = Annotated[Path | None, typer.Option("--node", help=word("option.node"), metavar="DIR")]
By = Annotated[str | None, typer.Option("--by", help=word("option.by"), metavar="PERSON")]
Why = Annotated[str, typer.Option("--why", help=word("option.why"), metavar="TEXT")]
Json = Annotated[bool, typer.Option("--json", help=word("option.json"))]


def open_here(node: Path | None) -> Store:
    """The node of this command."""
    from ecotone.store import open_node

    return open_node(node)


def person_of(store: Store, given: str | None, roles: Sequence[str] = ("steward", "signer")) -> str:
    """Who acts: the person named, else the node's first of these roles.

    Raises UsageError for a person the node does not know or who has left.
    """
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    people = {p.person_id: p for p in store.people()}
    gone = people.get(given) if given else None
    if gone is not None and gone.left is not None:
        raise UsageError(say("keys.person-left", name=given, day=gone.left))
    if given is None:
        own = [p for p in people.values() if p.party_id == store.party_id and p.left is None]
        first = [p for p in own if p.role in roles] or own
        if not first:
            raise UsageError(say("cli.no-person"))
        return first[0].person_id
    if given not in people:
        raise UsageError(say("cli.person-unknown", name=given, known=", ".join(people) or "-"))
    return given


@contextmanager
def checked() -> Iterator[None]:
    """Turns a model's refusal into a sentence for the user."""
    from pydantic import ValidationError

    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    try:
        yield
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise UsageError(say("cli.wrong-values", wrong=wrong)) from error


def print_json(document: object) -> None:
    """One JSON document and nothing else."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Rows under headings; a cell too wide is folded, never cut: identifiers are for copying."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=SIMPLE, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    terminal = Console(highlight=False)
    console = terminal if terminal.is_terminal else Console(highlight=False, width=_WIDE)
    console.print(table)


def print_line(text: str = "") -> None:
    """A plain line on standard output."""
    typer.echo(text)


@contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Progress]:
    """A bar on standard error, so that standard output stays what was asked for."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=quiet,
        transient=True,
        # What is printed meanwhile would lose the console's code page on its way through the bar.
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        yield bar


@contextmanager
def set_aside(bar: Progress) -> Iterator[None]:
    """Take the bar away while something is printed."""
    shown = bar.live.is_started
    if shown:
        bar.live.stop()
    yield
    if shown:
        bar.live.start()


def key_values(given: Sequence[str], what: str) -> list[tuple[str, str]]:
    """``NAME=VALUE`` arguments; UsageError for one without '='."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    pairs = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(say("cli.not-a-pair", text=text, what=what))
        pairs.append((name.strip(), value))
    return pairs


def as_documents(rows: Any) -> list[dict[str, Any]]:
    """A frame as JSON-ready documents, missing as null."""
    documents: list[dict[str, Any]] = json.loads(
        rows.to_json(orient="records", date_format="iso", date_unit="s", force_ascii=False)
    )
    return documents
