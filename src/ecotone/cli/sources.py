"""The command that says what a plan needs from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecotone.cli.language import language, word
from ecotone.cli.options import Json, print_json, print_line, print_table

if TYPE_CHECKING:
    from ecotone.assess.sources import Wanted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sources", help=word("sources.help"))(sources)


def sources(
    field: Annotated[str, typer.Argument(metavar="FIELD", help=word("sources.field"))],
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help=word("sources.plan"))],
    as_json: Json = False,
) -> None:
    """What to download, how much of it, from where; and whether what is there fits."""
    from ecotone.assess.sources import sources as found_by

    found = found_by(plan, field, language())
    if as_json:
        print_json([one.as_json() for one in found])
        return
    print_table(
        [word(f"sources.{head}") for head in
         ("indicator", "input", "years", "product", "size", "licence", "state")],
        [_row(one) for one in found],
    )  # fmt: skip
    told = dict.fromkeys(
        (
            one.product.product,
            f"{one.product.publisher}, {one.product.where}, doi:{one.product.doi}",
        )
        for one in found
        if one.product is not None and one.state in ("missing", "wrong")
    )  # fmt: skip
    for product, where in told:
        print_line(f"{product}: {where}")
    for one in found:
        for check in one.checks:
            print_line(f"{', '.join(one.files)}: {check}")


def _row(one: Wanted) -> list[str]:
    product = one.product
    name = word("sources.own") if product is None else f"{product.product} {product.version}"
    return [
        one.indicator,
        one.input,
        f"{one.first}-{one.last}",
        name,
        "-" if one.megabytes is None else _size(one.megabytes),
        "-" if product is None else product.licence,
        word(f"sources.{one.state}"),
    ]


def _size(megabytes: float) -> str:
    return f"{megabytes / 1000:,.1f} GB" if megabytes >= 1000 else f"{max(megabytes, 0.1):,.1f} MB"
