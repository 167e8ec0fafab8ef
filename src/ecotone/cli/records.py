"""Commands about committed records: correct, history, withdraw."""

from __future__ import annotations

from typing import Annotated

import typer

from ecotone.cli.language import word
from ecotone.cli.options import (
    By,
    Json,
    Node,
    Why,
    as_documents,
    key_values,
    open_here,
    person_of,
    print_json,
    print_line,
    print_table,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("correct", help=word("correct.help"))(correct)
    app.command("history", help=word("history.help"))(history)
    app.command("withdraw", help=word("withdraw.help"))(withdraw)


_Noun = Annotated[str, typer.Argument(metavar="NOUN", help=word("correct.noun"))]
_Id = Annotated[str, typer.Argument(metavar="ID", help=word("correct.id"))]


def correct(
    noun: _Noun,
    record: _Id,
    changes: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help=word("correct.set"))
    ],
    why: Why,
    by: By = None,
    node: Node = None,
    as_json: Json = False,
) -> None:
    """Make a new version of one record."""
    given: dict[str, str | None] = {
        name: value if value != "" else None for name, value in key_values(changes, "--set")
    }
    with open_here(node) as store:
        done = store.correct(noun, record, given, person=person_of(store, by), reason=why)
    if as_json:
        print_json(
            {
                "id": done.id,
                "old": done.old,
                "new": done.new,
                "diff": done.diff,
                "results": list(done.results),
            }
        )
        return
    print_line(word("correct.done", id=done.id, old=done.old, new=done.new))
    print_table(
        [word("correct.attribute"), word("correct.before"), word("correct.after")],
        [(name, _shown(pair[0]), _shown(pair[1])) for name, pair in done.diff.items()],
    )
    _print_results(list(done.results))


def history(noun: _Noun, record: _Id, node: Node = None, as_json: Json = False) -> None:
    """Every version of one record."""
    with open_here(node) as store:
        versions = as_documents(store.history(noun, record))
    if as_json:
        print_json(versions)
        return
    hidden = {"natural_key", "content_hash", "dataset_id", "id"}
    names = [
        n for n in (versions[0] if versions else {}) if n not in hidden
        and any(v[n] is not None for v in versions)
    ]  # fmt: skip
    print_table(
        [word("correct.attribute"), *(f"v{v['version']}" for v in versions)],
        [(name, *(_shown(v[name]) for v in versions)) for name in names],
    )


def withdraw(
    batch: Annotated[str, typer.Argument(metavar="BATCH")],
    why: Why,
    by: By = None,
    node: Node = None,
) -> None:
    """Take a whole delivery back."""
    with open_here(node) as store:
        done = store.withdraw(batch, person=person_of(store, by), reason=why)
    print_line(
        word("withdraw.done", batch=batch, number=f"{done.withdrawn:,}", back=f"{done.revived:,}")
    )
    _print_results(list(done.results))


def _print_results(results: list[str]) -> None:
    if results:
        print_line(word("correct.results"))
        for run in results:
            print_line(f"  {run}")
    else:
        print_line(word("correct.no-results"))


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
