"""Commands about keys: the node's own, and those of other parties."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecotone.cli.language import language, word
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
    from ecotone.share.keyring import Keyring
    from ecotone.store import Store

_Because = Annotated[str, typer.Option("--because", metavar="REASON", help=word("keys.because"))]
_Ask = Annotated[bool, typer.Option("--with-passphrase", help=word("keys.with-passphrase"))]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help=word("keys.help"), no_args_is_help=True)
    group.command("show", help=word("keys.show.help"))(show)
    group.command("rotate", help=word("keys.rotate.help"))(rotate)
    group.command("revoke", help=word("keys.revoke.help"))(revoke)
    group.command("export", help=word("keys.export.help"))(export)
    group.command("trust", help=word("keys.trust.help"))(trust)
    app.add_typer(group, name="keys")


def make_for(store: Store, person: str, passphrase: str | None) -> None:
    """The keys of a new node, and a line about them."""
    from ecotone.share import keys
    from ecotone.share.trust import publish

    ring = keys.make(store.folder, store.party_id, passphrase=passphrase)
    publish(store, person=person)
    print_line(word("keys.made", fingerprint=ring.keys[-1].fingerprint))


def new_passphrase(wanted: bool) -> str | None:
    """A passphrase for new keys: of the environment, or typed twice where one is wanted."""
    import os

    from ecotone.share.keys import PASSPHRASE

    given = os.environ.get(PASSPHRASE)
    if given is None and wanted:
        given = typer.prompt(
            word("keys.ask-new"), hide_input=True, confirmation_prompt=True, err=True
        )
    return given or None


def passphrase_of(folder: Path) -> str | None:
    """The passphrase of the node's keys, asked for where they have one."""
    import os
    import sys

    from ecotone.share import keys

    given = os.environ.get(keys.PASSPHRASE)
    if given is not None or not keys.locked(folder) or not sys.stdin.isatty():
        return given
    return str(typer.prompt(word("keys.ask"), hide_input=True, err=True))


def show(
    party: Annotated[str | None, typer.Argument(metavar="[PARTY]", help=word("keys.party"))] = None,
    as_json: Json = False,
    node: Node = None,
) -> None:
    """The keys of a party, their fingerprints and terms."""
    from ecotone.share import keys, trust

    with open_here(node) as store:
        own = party in (None, store.party_id)
        ring = keys.own_ring(store.folder) if own else trust.ring_of(store, str(party))
        open_to = keys.readable_by_others(store.folder) if own else []
    if as_json:
        print_json(
            {
                "party": ring.party,
                "keys": [
                    {
                        "number": key.number,
                        "fingerprint": key.fingerprint,
                        "since": key.since.isoformat(),
                        "until": key.until.isoformat() if key.until else None,
                        "reason": key.reason,
                        "sealing": key.sealing,
                    }
                    for key in ring.keys
                ],
                "readable_by_others": open_to,
            }
        )
        return
    _print_ring(ring)
    for name in open_to:
        print_line(word("keys.open", name=name))


def rotate(
    because: _Because = "routine",
    person: Annotated[
        str | None, typer.Option("--person", metavar="PERSON", help=word("keys.person"))
    ] = None,
    ask: _Ask = False,
    by: By = None,
    node: Node = None,
) -> None:
    """End the key in use and make the next one."""
    from ecotone.share import keys
    from ecotone.share.trust import publish

    reason = _reason(because)
    with open_here(node) as store:
        who = person_of(store, by)
        if not keys.has_keys(store.folder):
            make_for(store, who, new_passphrase(ask))
            return
        old = None if reason == "lost" else passphrase_of(store.folder)
        following = _next(ask, old if keys.locked(store.folder) else None, reason)
        if person is not None:
            _left(store, person, who)
        ring = keys.rotate(store.folder, reason=reason, passphrase=old, new_passphrase=following)
        publish(store, person=who)
    _print_ring(ring)
    print_line(word("keys.rotated" if ring.keys[-1].endorsed else "keys.rotated-compare"))


def revoke(
    because: _Because = "stolen",
    by: By = None,
    node: Node = None,
) -> None:
    """End the key in use at once; the node signs nothing until it is given another."""
    from ecotone.share import keys
    from ecotone.share.trust import publish

    reason = _reason(because)
    with open_here(node) as store:
        who = person_of(store, by)
        old = None if reason == "lost" else passphrase_of(store.folder)
        ring = keys.end(store.folder, reason=reason, passphrase=old)
        publish(store, person=who)
    _print_ring(ring)
    print_line(word("keys.revoked"))


def export(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help=word("keys.export.out"))
    ] = None,
    node: Node = None,
) -> None:
    """The keyring to give to other parties: public keys and nothing secret."""
    from ecotone.share import keys

    with open_here(node) as store:
        ring = keys.own_ring(store.folder)
    if out is None:
        print_line(ring.text().rstrip())
        return
    out.write_text(ring.text(), encoding="utf-8", newline="\n")
    _print_ring(ring)
    print_line(word("keys.exported", path=out))


def trust(
    path: Annotated[Path, typer.Argument(metavar="FILE", help=word("keys.trust.path"))],
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help=word("keys.trust.fingerprint"))
    ] = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Take in the keyring of another party."""
    from ecotone.share import trust as trusting
    from ecotone.share.negotiate import noting_refusals

    with open_here(node) as store:
        who = person_of(store, by)
        with noting_refusals(store, who, "keyring"):
            ring = trusting.trust(store, read_ring(path), person=who, fingerprint=fingerprint)
    _print_ring(ring)


def read_ring(path: Path) -> Keyring:
    """The keyring in a file, or in a letter."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share import keyring, letter

    if not path.is_file():
        raise UsageError(say("cli.no-file", path=path))
    document = letter.read(path)
    if document is not None:
        return keyring.read(str(document.get("keys", "")))
    return keyring.read(path.read_text(encoding="utf-8", errors="replace")[:100_000])


def _left(store: Store, person_id: str, by: str) -> None:
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    people = {p.person_id: p for p in store.people()}
    if person_id not in people:
        raise UsageError(say("cli.person-unknown", name=person_id, known=", ".join(people) or "-"))
    if person_id == by:
        raise UsageError(say("keys.leaves-by-own-hand", name=person_id))
    today = dt.datetime.now(dt.UTC).date()
    left = people[person_id].model_copy(update={"left": today})
    store.put_person(left, person=by, reason="left")


def _next(ask: bool, old: str | None, reason: str) -> str | None:
    """The passphrase of the next key: a new one wherever others may know the old one."""
    import os
    import sys

    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share.keys import NEW_PASSPHRASE

    given = os.environ.get(NEW_PASSPHRASE)
    if given:
        return given
    known_to_others = old is not None and reason in ("left", "stolen")
    if ask or (known_to_others and sys.stdin.isatty()):
        return str(
            typer.prompt(word("keys.ask-new"), hide_input=True, confirmation_prompt=True, err=True)
        )
    if known_to_others:
        raise UsageError(say("keys.new-passphrase-wanted"), say("keys.new-passphrase-wanted.do"))
    return old if reason != "lost" else new_passphrase(False)


def _reason(given: str):  # type: ignore[no-untyped-def]  # a Reason, imported late
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share.keyring import REASONS

    if given not in REASONS:
        raise UsageError(say("keys.reason-unknown", given=given, known=", ".join(REASONS)))
    return given


def _print_ring(ring: Keyring) -> None:
    from ecotone.model.words import say

    print_table(
        [word(f"keys.column.{c}") for c in ("number", "fingerprint", "since", "until", "reason")],
        [
            (
                key.number,
                key.fingerprint,
                f"{key.since:%Y-%m-%d %H:%M} UTC",
                f"{key.until:%Y-%m-%d %H:%M} UTC" if key.until else "-",
                say(f"keys.reason.{key.reason}", language()) if key.reason else "-",
            )
            for key in ring.keys
        ],
        title=ring.party,
    )
