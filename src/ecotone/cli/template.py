"""The commands that write what is filled in the field: workbooks, forms, labels."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecotone.cli.language import language, word
from ecotone.cli.options import Node, open_here, print_line

if TYPE_CHECKING:
    from ecotone.model.words import Language


_KINDS = {"workbook": "xlsx", "xlsform": "xlsx", "paper": "pdf"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("template", help=word("template.help"))(template)
    app.command("labels", help=word("labels.help"))(labels)


def template(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help=word("template.profile"))],
    lang: Annotated[str | None, typer.Option("--lang", help=word("template.lang"))] = None,
    to: Annotated[str, typer.Option("--to", help=word("template.to"))] = "workbook",
    title: Annotated[str, typer.Option("--title", help=word("labels.head"))] = "",
    pages: Annotated[int, typer.Option("--pages", help=word("template.pages"))] = 1,
    fields: Annotated[str, typer.Option("--fields", help=word("template.fields"))] = "",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help=word("template.out"))
    ] = None,
) -> None:
    """Write the workbook, the form for telephones or the paper form of one noun."""
    from ecotone.formats.workbook_template import columns_of, nouns, write_template
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    chosen = _language(lang)
    if to not in _KINDS:
        raise UsageError(say("cli.template.kind-wrong", given=to, known=", ".join(_KINDS)))
    noun = next((n for n in nouns() if n.casefold() == profile.casefold()), profile)
    columns_of(noun)
    mark = "" if to == "workbook" else f"-{to}"
    path = out or Path(f"{noun.lower()}{mark}-{chosen}.{_KINDS[to]}")
    now = dt.datetime.now(dt.UTC)
    if to == "workbook":
        write_template(path, noun, chosen, made=now)
    elif to == "xlsform":
        from ecotone.formats.xlsform import write_xlsform

        write_xlsform(path, noun, chosen, made=now)
    else:
        from ecotone.report.field_sheet import render_field_sheet

        only = tuple(name.strip() for name in fields.split(",") if name.strip())
        path.write_bytes(render_field_sheet(noun, chosen, title=title, pages=pages, only=only))
    print_line(word("template.done", path=path))


def labels(
    count: Annotated[int, typer.Option("--count", help=word("labels.count"))] = 24,
    noun: Annotated[str, typer.Option("--noun", help=word("labels.noun"))] = "Sample",
    sheet: Annotated[str, typer.Option("--sheet", help=word("labels.sheet"))] = "a4-24",
    title: Annotated[str, typer.Option("--title", help=word("labels.head"))] = "",
    skip: Annotated[int, typer.Option("--skip", help=word("labels.skip"))] = 0,
    party: Annotated[str | None, typer.Option("--party", help=word("labels.party"))] = None,
    lang: Annotated[str | None, typer.Option("--lang", help=word("template.lang"))] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help=word("labels.out"))
    ] = Path("labels.pdf"),
    node: Node = None,
) -> None:
    """Print labels with new identifiers, and list them in a table beside the sheet."""
    from ecotone.formats.workbook_template import columns_of
    from ecotone.model.identifiers import mint, short
    from ecotone.model.words import say
    from ecotone.report.labels import Label, render_labels, sheet_named

    chosen, paper = _language(lang), sheet_named(sheet)
    own = columns_of(noun)[0].name
    name = str(say(f"share.noun.{noun}", chosen))
    if party is None:
        with open_here(node) as store:
            party = store.party_id
    codes: list[str] = []
    while len(codes) < count:
        # Two alike on one roll are rare, and must not be.
        minted = (short(full) for full in mint(party, count=count - len(codes)))
        codes = list(dict.fromkeys([*codes, *minted]))
    made = render_labels(
        [Label(code, name) for code in codes], paper, chosen, title=title, skip=skip
    )
    out.write_bytes(made)
    listed = out.with_suffix(".csv")
    listed.write_text("\r\n".join([own, *codes, ""]), encoding="utf-8", newline="")
    print_line(word("labels.done", count=len(codes), path=out, listed=listed))


def _language(given: str | None) -> Language:
    from ecotone.model.errors import UsageError
    from ecotone.model.words import LANGUAGES, say

    chosen = given or language()
    found = next((lang for lang in LANGUAGES if lang == chosen), None)
    if found is None:
        raise UsageError(say("cli.template.lang-wrong", given=chosen))
    return found
