"""Commands about individuals: the registry, pairs to look at, decisions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecotone.cli.language import word
from ecotone.cli.options import (
    By,
    Json,
    Node,
    Why,
    as_documents,
    open_here,
    person_of,
    print_json,
    print_line,
    print_table,
)

if TYPE_CHECKING:
    import pandas as pd

    from ecotone.store import Store

_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help=word("individuals.help"), no_args_is_help=True)
    group.command("list", help=word("individuals.list.help"))(listing)
    group.command("review", help=word("individuals.review.help"))(review)
    group.command("decide", help=word("individuals.decide.help"))(decide)
    app.add_typer(group, name="individuals")


def listing(node: Node = None, as_json: Json = False) -> None:
    """Animals with their identities."""
    from ecotone.assess.individuals import registry
    from ecotone.ingest.individuals import decisions

    with open_here(node) as store:
        found = registry(_identities(store), decisions(store))
    names = ["individual", "members", "parties", "kinds", "sex", "confidence", "disputed"]
    _print(found.individuals[names], as_json)


def review(
    observer: Annotated[
        str | None, typer.Option("--observer", help=word("individuals.observer"))
    ] = None,
    node: Node = None,
    as_json: Json = False,
) -> None:
    """Pairs somebody should look at."""
    from ecotone.assess.individuals import candidates
    from ecotone.ingest.individuals import decisions

    with open_here(node) as store:
        found = candidates(_identities(store), decisions(store), observer=observer)
    _print(found, as_json)


def decide(
    first: Annotated[str, typer.Argument(metavar="FIRST", help=word("individuals.first"))],
    second: Annotated[str, typer.Argument(metavar="SECOND", help=word("individuals.first"))],
    decision: Annotated[str, typer.Argument(metavar="DECISION", help=word("individuals.word"))],
    why: Why,
    dataset: Annotated[str, typer.Option("--dataset", help=word("ingest.dataset"))],
    observer: Annotated[
        str | None, typer.Option("--observer", help=word("individuals.observer"))
    ] = None,
    confidence: Annotated[
        float | None, typer.Option("--confidence", help=word("individuals.confidence"))
    ] = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Add a decision; nothing is ever changed."""
    from ecotone.ingest.individuals import Decision
    from ecotone.ingest.individuals import decide as keep

    with open_here(node) as store:
        person = person_of(store, by)
        batch = keep(
            store,
            dataset,
            Decision(
                first,
                second,
                decision,  # type: ignore[arg-type]  # a word that is none is told by ``keep``
                observer or person,
                why,
                dt.datetime.now(dt.UTC),
                confidence,
            ),
            person=person,
        )
    print_line(word("individuals.kept", batch=batch))


def _identities(store: Store) -> pd.DataFrame:
    """The individuals of the node, as the registry wants them."""
    import pandas as pd

    names = {"individual_id": "id", "recognised_by": "kind", "dataset_id": "party"}
    blocks = list(store.select("Individual", datasets=[d.dataset_id for d in store.datasets()]))
    table = pd.concat(blocks) if blocks else pd.DataFrame(columns=[*names, "sex", "confidence"])
    kept = table[[c for c in (*names, "sex", "confidence", "taxon") if c in table]]
    return kept.rename(columns=names).drop_duplicates("id").reset_index(drop=True)


def _print(table: pd.DataFrame, as_json: bool) -> None:
    if as_json:
        print_json(as_documents(table))
        return
    rows: list[tuple[Any, ...]] = [tuple(map(_shown, row)) for row in table.head(_SHOWN).to_numpy()]
    print_table([str(c) for c in table.columns], rows)
    if len(table) > _SHOWN:
        print_line(word("individuals.more", number=len(table) - _SHOWN))


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "-" if value != value else f"{value:.2f}"
    return str(value)
