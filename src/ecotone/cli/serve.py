"""Commands of the server: ``serve``, and who may come in: ``people``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecotone.cli.language import word
from ecotone.cli.options import (
    By,
    Json,
    Node,
    checked,
    open_here,
    person_of,
    print_json,
    print_line,
    print_table,
)

if TYPE_CHECKING:
    from ecotone.serve.accounts import Accounts
    from ecotone.store import Store

_Person = Annotated[str, typer.Argument(metavar="PERSON", help=word("people.person"))]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve", help=word("serve.help"))(serve)
    people = typer.Typer(help=word("people.help"), no_args_is_help=True)
    people.command("add", help=word("people.add.help"))(add)
    people.command("list", help=word("people.list.help"))(listing)
    people.command("token", help=word("people.token.help"))(token)
    people.command("remove", help=word("people.remove.help"))(remove)
    app.add_typer(people, name="people")


def serve(
    host: Annotated[str, typer.Option(help=word("serve.host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help=word("serve.port"))] = 8000,
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="HOST", help=word("serve.name"))
    ] = None,
    https: Annotated[bool, typer.Option("--https", help=word("serve.https"))] = False,
    media: Annotated[
        Path | None, typer.Option("--media", metavar="DIR", help=word("serve.media"))
    ] = None,
    open_sensors: Annotated[
        str | None, typer.Option("--open-sensors", metavar="PARTY", help=word("serve.open-sensors"))
    ] = None,
    mqtt_port: Annotated[
        int | None, typer.Option("--mqtt-port", min=0, max=65535, help=word("serve.mqtt-port"))
    ] = None,
    node: Node = None,
) -> None:
    """The portal and the interfaces for programs."""
    import os
    import socket

    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    try:
        import uvicorn

        from ecotone.serve.app import create_app
    except ImportError as error:
        raise UsageError(
            say("cli.serve.extra-missing"), say("cli.serve.extra-missing.do")
        ) from error
    if open_sensors is not None and host not in ("127.0.0.1", "::1", "localhost"):
        raise UsageError(say("cli.serve.open-elsewhere"), say("cli.serve.open-elsewhere.do"))
    with open_here(node) as store:
        folder, people = store.folder, len(_accounts(store).listing())
    # asyncio spares answers the wait for more (Nagle) on sockets that say they are TCP alone:
    # without, each small one takes 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        # Elsewhere this would let two servers have one port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise UsageError(
            say("cli.serve.taken", host=host, port=port), say("cli.serve.taken.do")
        ) from error
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    known = {shown, "localhost", "127.0.0.1", "[::1]", *(n.casefold() for n in names or ())}
    app = create_app(
        folder,
        hosts=sorted(known),
        https=https,
        media=media,
        open_sensors=open_sensors,
        mqtt=None if mqtt_port is None else (host, mqtt_port, address),
    )
    print_line(word("serve.address", address=address))
    if not people:
        print_line(word("serve.nobody"))
    if not names and host not in ("127.0.0.1", "localhost", "::1"):
        print_line(word("serve.unnamed", address=shown))
    config = uvicorn.Config(app, log_level="warning", server_header=False, proxy_headers=https)
    uvicorn.Server(config).run(sockets=[listening])


def add(
    person: _Person,
    name: Annotated[str | None, typer.Option("--name", help=word("option.name"))] = None,
    party: Annotated[str | None, typer.Option(help=word("add.person.party"))] = None,
    role: Annotated[str | None, typer.Option(help=word("add.person.role"))] = None,
    generate: Annotated[bool, typer.Option("--generate", help=word("people.generate"))] = False,
    by: By = None,
    node: Node = None,
) -> None:
    """Let a person in; one the node does not know is made known."""
    import secrets

    with open_here(node) as store, checked():
        _make_known(store, person, name, party, role, by)
        if generate:
            password = secrets.token_urlsafe(12)
        else:
            password = typer.prompt(
                word("people.password"), hide_input=True, confirmation_prompt=True
            )
        _accounts(store).set_password(person, password)
    print_line(word("people.added", person=person))
    if generate:
        print_line(word("people.generated", password=password))


def _make_known(
    store: Store,
    person: str,
    name: str | None,
    party: str | None,
    role: str | None,
    by: str | None,
) -> None:
    from ecotone.model.records import Person

    known = next((p for p in store.people() if p.person_id == person), None)
    made = Person.model_validate(
        {
            "person_id": person,
            "party_id": party or (known.party_id if known else store.party_id),
            "name": name or (known.name if known else person),
            "role": role or (known.role if known else "reader"),
        }
    )
    if made != known:
        store.put_person(made, person=person_of(store, by))


def listing(as_json: Json = False, node: Node = None) -> None:
    """Who may come in."""
    with open_here(node) as store:
        found = _accounts(store).listing()
    if as_json:
        print_json(
            [
                {
                    "person": a.person,
                    "name": a.name,
                    "party": a.party,
                    "role": a.role,
                    "tokens": [{"name": t.name, "scope": t.scope, "made": t.made} for t in tokens],
                }
                for a, tokens in found
            ]
        )
        return
    print_table(
        [word(f"people.column.{c}") for c in ("person", "name", "party", "role", "tokens")],
        [
            (a.person, a.name, a.party, a.role, ", ".join(f"{t.name} ({t.scope})" for t in tokens))
            for a, tokens in found
        ],
    )


def token(
    person: _Person,
    name: Annotated[str, typer.Option("--name", help=word("people.token.name"))],
    scope: Annotated[str, typer.Option(help=word("people.token.scope"))] = "read",
    drop: Annotated[bool, typer.Option("--remove", help=word("people.token.remove"))] = False,
    node: Node = None,
) -> None:
    """A token for a program, or one taken back."""
    with open_here(node) as store:
        accounts = _accounts(store)
        if drop:
            accounts.drop_token(person, name)
            print_line(word("people.token.removed", name=name))
            return
        print_line(accounts.make_token(person, name, scope))
    typer.echo(word("people.token.once"), err=True)


def remove(person: _Person, node: Node = None) -> None:
    """Let a person in no more."""
    with open_here(node) as store:
        _accounts(store).remove(person)
    print_line(word("people.removed", person=person))


def _accounts(store: Store) -> Accounts:
    from ecotone.serve.accounts import Accounts

    return Accounts(Path(store.folder), store.people, store.party_id)
