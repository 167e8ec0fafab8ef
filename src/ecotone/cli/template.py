"""The command that writes templates."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from ecotone.cli.language import language, word
from ecotone.cli.options import print_line


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("template", help=word("template.help"))(template)


def template(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help=word("template.profile"))],
    lang: Annotated[str | None, typer.Option("--lang", help=word("template.lang"))] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help=word("template.out"))
    ] = None,
) -> None:
    """Write the workbook of one noun in one language."""
    from ecotone.formats.workbook_template import nouns, write_template
    from ecotone.model.errors import UsageError
    from ecotone.model.words import LANGUAGES, say

    chosen = lang or language()
    if chosen not in LANGUAGES:
        raise UsageError(say("cli.template.lang-wrong", given=chosen))
    noun = next((n for n in nouns() if n.casefold() == profile.casefold()), profile)
    path = out or Path(f"{noun.lower()}-{chosen}.xlsx")
    write_template(path, noun, chosen, made=dt.datetime.now(dt.UTC))
    print_line(word("template.done", path=path))
