"""What a partner would see, before anything leaves: rows, a map, and what stays and why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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

if TYPE_CHECKING:
    from ecotone.share.door import Door, Released
    from ecotone.share.withheld import Kept
    from ecotone.store import Store


def register(share: typer.Typer) -> None:
    """Add the command to ``ecotone share``."""
    share.command("preview", help=word("share.preview.help"))(preview)


def preview(
    reader: Annotated[
        str, typer.Option("--reader", "--to", metavar="PARTY", help=word("share.preview.reader"))
    ],
    noun: Annotated[str | None, typer.Argument(metavar="[NOUN]", help=word("correct.noun"))] = None,
    purpose: Annotated[str, typer.Option(help=word("share.preview.purpose"))] = "assessment",
    action: Annotated[str, typer.Option(help=word("share.preview.action"))] = "view",
    day: Annotated[str | None, typer.Option("--on", help=word("share.preview.on"))] = None,
    rows: Annotated[int, typer.Option(min=0, help=word("share.preview.rows"))] = 5,
    chart: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help=word("share.preview.map"))
    ] = None,
    as_json: Json = False,
    node: Node = None,
) -> None:
    """What a reader would get, row by row, through the same door."""
    from ecotone.model.dictionary import RECORD_NOUNS
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share.decide import Request
    from ecotone.share.door import Door
    from ecotone.share.withheld import kept_back

    if action not in ("view", "download", "derive", "redistribute"):
        raise UsageError(say("cli.share.action-wrong", given=action))
    if noun is not None and noun not in RECORD_NOUNS:
        raise UsageError(say("cli.noun-unknown", given=noun, known=", ".join(RECORD_NOUNS)))
    if chart is not None and noun is None:
        raise UsageError(say("cli.share.preview.map-noun"))
    request = Request(reader, purpose, action, _day(day))  # type: ignore[arg-type]  # checked above
    with open_here(node) as store:
        door = Door(store, request, language(), preview=True)
        kept = kept_back(store, door, language(), noun)
        if noun is None:
            _overview(store, door, kept, as_json)
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
    else:
        _show(released, rows)
        _stays(reader, kept)
    if chart is not None:
        _draw(released, reader, chart)


def _show(released: Released, rows: int) -> None:
    for line in released.lines:
        d = line.decision
        level = word(f"share.level.{d.level}")
        print_line(f"{d.dataset_id} / {d.name}: {level}, {line.rows:,}")
    _head(released.rows.head(rows))
    if not released.groups.empty:
        _head(released.groups.head(rows))


def _overview(store: Store, door: Door, kept: list[Kept], as_json: bool) -> None:
    columns = ("dataset_id", "name", "level", "agreement_id", "agreement_version")
    if as_json:
        print_json(
            {
                "decisions": [{c: getattr(d, c) for c in columns} for d in door.decisions],
                "withheld": [
                    {"dataset_id": k.dataset_id, "what": k.what, "why": k.why} for k in kept
                ],
            }
        )
        return
    heads = ("dataset", "class", "level", "agreement", "version")
    if door.decisions:
        print_table(
            [word(f"share.column.{c}") for c in heads],
            [tuple(getattr(d, c) for c in columns) for d in door.decisions],
        )
    else:
        print_line(word("share.preview.nothing"))
    _stays(door.request.reader, kept)


def _stays(reader: str, kept: list[Kept]) -> None:
    if kept:
        print_line(word("share.preview.kept", reader=reader))
        print_table(
            [word(f"share.column.{c}") for c in ("dataset", "what", "why")],
            [(k.dataset_id, k.what, k.why) for k in kept],
        )
    print_line(word("share.preview.later"))


def _draw(released: Released, reader: str, path: Path) -> None:
    from ecotone.cli.preview_map import draw
    from ecotone.share.sentences import term

    title = word(
        "share.preview.map-title", noun=term("noun", released.noun, language()), reader=reader
    )
    path.write_bytes(draw([(title, released)]))
    typer.echo(word("share.preview.map-done", path=path), err=True)


def _day(text: str | None) -> dt.date:
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    if text is None:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(say("cli.date-wrong", given=text)) from error


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
