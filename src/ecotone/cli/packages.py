"""Commands about packages: make, carry, offer, fetch, take in, look into."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecotone.cli.language import word
from ecotone.cli.options import (
    By,
    Json,
    Node,
    open_here,
    person_of,
    print_json,
    print_line,
    print_table,
)

if TYPE_CHECKING:
    from ecotone.share.negotiate import Actor
    from ecotone.share.packages.importing import Imported
    from ecotone.store import Store

#: The passphrase of a package, for commands that run unattended.
PASSPHRASE = "ECOTONE_PACKAGE_PASSPHRASE"


def register(share: typer.Typer) -> None:
    """Add the commands to ``ecotone share``."""
    for name, command in (
        ("export", export),
        ("import", import_),
        ("open", open_),
        ("serve", serve),
        ("fetch", fetch),
        ("packages", packages),
        ("photographs", photographs),
    ):
        share.command(name, help=word(f"share.{name}.help"))(command)


def export(
    to: Annotated[str, typer.Option("--to", metavar="PARTY", help=word("share.export.to"))],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="PATH", help=word("share.export.out"))
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help=word("share.export.whole"))] = False,
    after: Annotated[int, typer.Option(min=0, help=word("share.export.after"))] = 0,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help=word("share.export.passphrase"))
    ] = False,
    purpose: Annotated[str, typer.Option(help=word("share.export.purpose"))] = "assessment",
    days: Annotated[int, typer.Option(min=1, help=word("share.export.days"))] = 180,
    also: Annotated[
        list[str] | None, typer.Option("--also", metavar="FORM", help=word("share.export.also"))
    ] = None,
    photographs: Annotated[
        Path | None,
        typer.Option("--photographs", metavar="DIR", help=word("share.export.photographs")),
    ] = None,
    by: By = None,
    as_json: Json = False,
    node: Node = None,
) -> None:
    """Make the next package for a party."""
    from ecotone.share.packages.export import Wanted, deliver, file_name
    from ecotone.share.packages.export import export as make

    wanted = Wanted(
        party=to,
        purpose=purpose,
        whole=whole,
        after=after,
        passphrase=_asked() if passphrase else None,
        days=days,
        also=tuple(also or ()),
        photographs=photographs,
    )
    with open_here(node) as store:
        actor = _actor(store, by)
        made = make(actor, wanted)
        name = file_name(store.party_id, made.sent)
        path = made.path if out is None else deliver(made, out, name)
    if as_json:
        told = {name: value for name, value in vars(made.sent).items() if name != "stands"}
        print_json({**told, "path": path.as_posix(), "fresh": made.fresh, "kind": made.kind,
                    "rows": made.rows, "removed": made.removed,
                    "photographs": made.photographs})  # fmt: skip
        return
    if made.fresh:
        print_line(
            word(
                "share.export.done",
                sequence=made.sent.sequence,
                party=to,
                kind=word(f"share.export.kind.{made.kind}"),
                rows=f"{sum(made.rows.values()):,}",
                removed=f"{sum(made.removed.values()):,}",
                size=f"{made.sent.size:,}",
                expires=made.sent.expires,
            )
        )
        if made.photographs:
            counts = dict.fromkeys(("whole", "redrawn", "kept"), 0) | made.photographs
            print_line(word("share.export.photographs-done", **counts))
        print_line(word("share.export.copies"))
    else:
        print_line(word("share.export.same", party=to, sequence=made.sent.sequence))
    print_line(f"  {path}")


def import_(
    path: Annotated[Path, typer.Argument(metavar="PATH", help=word("share.import.path"))],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help=word("share.import.passphrase"))
    ] = False,
    by: By = None,
    as_json: Json = False,
    node: Node = None,
) -> None:
    """Take in a package."""
    from ecotone.share.packages.importing import import_package

    given = _asked() if passphrase else None
    with open_here(node) as store:
        done = import_package(_actor(store, by), path, passphrase=given)
    _told(done, as_json)


def open_(
    path: Annotated[Path, typer.Argument(metavar="PATH", help=word("share.import.path"))],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help=word("share.open.out"))],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help=word("share.import.passphrase"))
    ] = False,
    by: By = None,
    node: Node = None,
) -> None:
    """Unseal a package into a folder."""
    from ecotone.share.packages.reading import unpack

    given = _asked() if passphrase else None
    with open_here(node) as store:
        files = unpack(_actor(store, by), path, out, passphrase=given)
    print_line(word("share.open.done", files=files, folder=out))


def serve(
    host: Annotated[str, typer.Option(help=word("share.serve.host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help=word("share.serve.port"))] = 8765,
    node: Node = None,
) -> None:
    """Offer the packages of the node over HTTP."""
    from ecotone.share.packages.serve import address, server

    with open_here(node) as store:
        folder = store.folder
    running = server(lambda: open_here(folder), host, port)
    print_line(word("share.serve.on", url=address(running)))
    try:
        running.serve_forever()
    finally:
        running.server_close()


def fetch(
    url: Annotated[str, typer.Argument(metavar="URL", help=word("share.fetch.url"))],
    sender: Annotated[str, typer.Option("--from", metavar="PARTY", help=word("share.fetch.from"))],
    by: By = None,
    as_json: Json = False,
    node: Node = None,
) -> None:
    """Fetch a partner's packages and take them in."""
    from ecotone.share.packages import fetch as fetching
    from ecotone.share.packages.importing import import_package

    with open_here(node) as store:
        actor = _actor(store, by)
        wanted = fetching.wanted(actor, url, sender)
        for one in wanted:
            path = fetching.fetch(actor, url, sender, one)
            done = import_package(actor, path)
            fetching.forget(path)
            _told(done, as_json)
    if not wanted and not as_json:
        print_line(word("share.fetch.none", party=sender))


def packages(as_json: Json = False, node: Node = None) -> None:
    """The packages sent and received."""
    from ecotone.share.packages import sent
    from ecotone.store import received

    with open_here(node) as store:
        ways = [(sent.SENT, "sent"), (received.SENDER, "received")]
        told = [
            {"way": way, "party": noted.key, "sequence": noted.content["sequence"],
             "time": f"{noted.time:%Y-%m-%d %H:%M} UTC", "state": noted.content["state"]}
            for kind, way in ways
            for noted in store.noted(kind)
        ]  # fmt: skip
    if as_json:
        print_json(told)
        return
    print_table(
        [word(f"share.packages.{name}") for name in ("way", "party", "number")]
        + [word("status.delivered"), word("share.packages.state")],
        [
            (word(f"share.packages.{t['way']}"), t["party"], t["sequence"], t["time"],
             str(t["state"])[:16])
            for t in told
        ],
    )  # fmt: skip


def photographs(
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR", help=word("share.photographs.out"))
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="PARTY", help=word("share.photographs.to"))
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--photographs", metavar="DIR", help=word("share.photographs.folder")),
    ] = None,
    purpose: Annotated[str, typer.Option(help=word("share.preview.purpose"))] = "assessment",
    node: Node = None,
) -> None:
    """Write the photographs that came in packages, or those a party would be sent."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share.decide import Request
    from ecotone.share.door import Door
    from ecotone.share.packages import pictures
    from ecotone.share.packages.files import Folder

    if out.exists():
        raise UsageError(say("packages.folder-there", folder=out))
    if (to is None) != (folder is None):
        raise UsageError(say("packages.photographs-both"))
    if folder is not None and not folder.is_dir():
        raise UsageError(say("packages.photographs-folder", folder=folder))
    with open_here(node) as store:
        today = dt.datetime.now(dt.UTC).date()
        if to is not None:
            door = Door(store, Request(to, purpose, "download", today), preview=True)
            rows = door.release("Media").rows
            seen = set(rows["id"]) if len(rows) else set()
            made = pictures.write(Folder(out), door, store, seen, folder)
            counts = dict.fromkeys(("whole", "redrawn", "kept"), 0) | made
            print_line(word("share.photographs.would", party=to, folder=out, **counts))
            return
        door = Door(store, Request(store.party_id, purpose, "view", today))
        number = pictures.copy(store, door, out)
    print_line(word("share.photographs.done", number=f"{number:,}", folder=out))


def _told(done: Imported, as_json: bool) -> None:
    if as_json:
        print_json(vars(done))
        return
    if not done.fresh:
        print_line(word("share.import.same", sequence=done.sequence, party=done.sender))
        return
    counts = {
        name: f"{sum(getattr(done, name).values()):,}"
        for name in ("new", "changed", "unchanged", "removed")
    }
    print_line(word("share.import.done", sequence=done.sequence, party=done.sender, **counts))
    print_line(word("share.import.state", state=done.state))


def _actor(store: Store, by: str | None) -> Actor:
    from ecotone.share.negotiate import Actor

    today = dt.datetime.now(dt.UTC).date()
    return Actor(store, person_of(store, by), today)


def _asked() -> str:
    """The passphrase of a package: from the environment, else typed."""
    given = os.environ.get(PASSPHRASE)
    return given if given else str(typer.prompt(word("share.passphrase-ask"), hide_input=True))
