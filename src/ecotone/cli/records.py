"""Commands about committed records: correct, history, withdraw."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from ecotone.cli.language import language, word
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
from ecotone.model.errors import UsageError
from ecotone.model.words import say


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("correct", help=word("correct.help"))(correct)
    app.command("history", help=word("history.help"))(history)
    app.command("withdraw", help=word("withdraw.help"))(withdraw)


_Noun = Annotated[str, typer.Argument(metavar="NOUN", help=word("correct.noun"))]
_Id = Annotated[str, typer.Argument(metavar="ID", help=word("correct.id"))]


def correct(
    noun: _Noun,
    record: Annotated[str | None, typer.Argument(metavar="[ID]", help=word("correct.id"))] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=word("correct.set"))
    ] = None,
    why: Annotated[
        str | None, typer.Option("--why", metavar="TEXT", help=word("option.why"))
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help=word("correct.export"))
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", metavar="NAME=VALUE", help=word("correct.where"))
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help=word("correct.from"))
    ] = None,
    by: By = None,
    node: Node = None,
    as_json: Json = False,
) -> None:
    """Make new versions: of one record, or of the rows of a workbook."""
    ways = sum((record is not None, export is not None, source is not None))
    if ways != 1:
        raise UsageError(say("correct.one-way"))
    if export is not None:
        _export(noun, export, where or [], node)
        return
    if not why or not why.strip():
        raise UsageError(say("store.reason-missing"))
    if source is not None:
        _from_workbook(noun, source, why, by, node, as_json)
    else:
        _one(noun, str(record), changes or [], why, by, node, as_json)


def _export(noun: str, path: Path, where: list[str], node: Path | None) -> None:
    from ecotone.ingest.corrections import export

    with open_here(node) as store:
        number = export(
            store, noun, path, where=dict(key_values(where, "--where")), lang=language(),
            made=dt.datetime.now(dt.UTC),
        )  # fmt: skip
    print_line(word("correct.exported", number=f"{number:,}", path=path, noun=noun))


def _from_workbook(
    noun: str, path: Path, why: str, by: str | None, node: Path | None, as_json: bool
) -> None:
    from ecotone.ingest.corrections import take

    if not path.is_file():
        raise UsageError(say("cli.no-file", path=path))
    with open_here(node) as store:
        done = take(store, noun, path, person=person_of(store, by), reason=why)
    if as_json:
        print_json(
            {
                "corrected": [
                    {"id": c.id, "old": c.old, "new": c.new, "diff": c.diff}
                    for c in done.corrections
                ],
                "unchanged": done.unchanged,
                "results": done.results,
                "partners": done.partners,
            }
        )
        return
    print_line(
        word("correct.done-many", number=f"{len(done.corrections):,}", same=f"{done.unchanged:,}")
    )
    print_table(
        ["ID", word("correct.attribute"), word("correct.before"), word("correct.after")],
        [
            (c.id, name, _shown(pair[0]), _shown(pair[1]))
            for c in done.corrections
            for name, pair in c.diff.items()
        ],
    )
    _print_results(done.results)
    _print_partners(done.partners)


def _one(
    noun: str,
    record: str,
    changes: list[str],
    why: str,
    by: str | None,
    node: Path | None,
    as_json: bool,
) -> None:
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
                "partners": list(done.partners),
            }
        )
        return
    print_line(word("correct.done", id=done.id, old=done.old, new=done.new))
    print_table(
        [word("correct.attribute"), word("correct.before"), word("correct.after")],
        [(name, _shown(pair[0]), _shown(pair[1])) for name, pair in done.diff.items()],
    )
    _print_results(list(done.results))
    _print_partners(done.partners)


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


def _print_partners(partners: list[str]) -> None:
    if partners:
        print_line(word("correct.partners", names=", ".join(partners)))


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
