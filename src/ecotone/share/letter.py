"""A letter: agreements, statements and the sender's keyring in one file, from node to node.

It holds nothing secret but the agreements themselves, and nothing that is not signed by whom it
concerns; who carries it can read it, withhold it or send an old one, but change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecotone.model.agreement import Agreement
from ecotone.model.errors import InputRefused
from ecotone.model.records import Party
from ecotone.model.words import say
from ecotone.share import keyring, lifecycle, statements, trust
from ecotone.share.agreements import canonical, digest, parse
from ecotone.share.keyring import Keyring
from ecotone.share.lifecycle import AGREEMENT, Standing
from ecotone.share.negotiate import Actor
from ecotone.share.statements import STATEMENT, Statement

if TYPE_CHECKING:
    import sqlalchemy as sa

FORMAT: Final = "ecotone-letter 1"
#: Agreements with zones drawn finely are long; nothing of use is longer than this.
_MOST: Final = 32 * 1024 * 1024


@dataclass(frozen=True)
class Taken:
    """What of a letter was new."""

    agreements: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)


def write(actor: Actor, agreement_ids: Iterable[str], said: Iterable[Statement] = ()) -> str:
    """The letter's text: agreements with all that was said about them, and single statements."""
    wanted = set(agreement_ids)
    found = [
        s
        for s in lifecycle.standings(actor.store, actor.today)
        # A draft is its writer's own paper until somebody has signed it.
        if s.agreement.agreement_id in wanted and s.state != "draft"
    ]
    told = {s.statement_id: s for standing in found for s in standing.said}
    told.update({s.statement_id: s for s in said})
    return json.dumps(
        {
            "format": FORMAT,
            "from": actor.party,
            "agreements": [
                {**s.agreement.model_dump(mode="json"), "text": s.original} for s in found
            ],
            "statements": [s.model_dump(mode="json", exclude_none=True) for s in told.values()],
            "keys": trust.publish(actor.store, person=actor.person).text(),
        },
        ensure_ascii=False,
        indent=1,
    )


def read(path: Path) -> dict[str, Any] | None:
    """The letter in a file; None where the file is none (an agreement's own text, perhaps)."""
    if path.stat().st_size > _MOST:
        raise InputRefused(say("lifecycle.letter-long", path=path.name))
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or "format" not in document:
        return None
    if document["format"] != FORMAT:
        raise InputRefused(say("lifecycle.letter-format", format=document["format"]))
    return document


@dataclass(frozen=True)
class Checked:
    """What of a letter is new and sound."""

    agreements: list[tuple[str, Agreement]]
    statements: list[Statement]
    #: The sender with the keyring the letter brings, where that is newer than ours.
    sender: Party | None = None


def take(actor: Actor, document: dict[str, Any]) -> Taken:
    """Take a letter in: all of it or nothing.

    Raises InputRefused as ``checked`` does.
    """
    new = checked(actor, document)
    with actor.store.writing() as connection:
        return put(connection, actor, new)


def checked(actor: Actor, document: dict[str, Any]) -> Checked:
    """What a letter brings; nothing of it is taken in yet.

    Raises InputRefused where an agreement or statement is unsound, a signature does not hold or
    another text was signed here under the same version.
    """
    agreements, said = _parts(document)
    rings = trust.rings(actor.store)
    ring = keyring.read(str(document.get("keys", "")))
    sender = None
    if ring.party != actor.party:
        told, known_ring = trust.with_ring(actor.store, ring), rings.get(ring.party)
        rings[ring.party] = trust.newest(ring, known_ring)
        sender = told if rings[ring.party] is not known_ring else None
    known = {
        (s.agreement.agreement_id, s.agreement.version): s
        for s in lifecycle.standings(actor.store, actor.today)
    }
    merged = [
        (text, new)
        for text, agreement in agreements
        if (new := _merged(agreement, known, rings)) is not None
    ]
    had = {s.statement_id: s for s in statements.all_of(actor.store)}
    fresh = [s for s in said if _is_new(s, had)]
    for statement in fresh:
        _check_statement(statement, rings, [a for _, a in agreements], known)
    return Checked(merged, fresh, sender)


def _parts(document: dict[str, Any]) -> tuple[list[tuple[str, Agreement]], list[Statement]]:
    told, said = document.get("agreements", []), document.get("statements", [])
    if not (isinstance(told, list) and isinstance(said, list)):
        raise InputRefused(say("lifecycle.letter-format", format=FORMAT))
    agreements: list[tuple[str, Agreement]] = []
    for each in told:
        if not isinstance(each, dict):
            raise InputRefused(say("lifecycle.letter-format", format=FORMAT))
        text = each.get("text")
        plain = {name: value for name, value in each.items() if name != "text"}
        agreements.append((text if isinstance(text, str) else "", parse(plain, "letter")))
    return agreements, [statements.parse(each) for each in said]


def _merged(
    agreement: Agreement, known: dict[tuple[str, int], Standing], rings: dict[str, Keyring]
) -> Agreement | None:
    """The agreement with all signatures known here and there; None where nothing is new."""
    here = known.get((agreement.agreement_id, agreement.version))
    named = {"agreement": agreement.agreement_id, "version": agreement.version}
    if here is not None and digest(here.agreement) != digest(agreement):
        raise InputRefused(say("lifecycle.other-text", **named))
    newest = max((v for name, v in known if name == agreement.agreement_id), default=0)
    mine = {} if here is None else dict(here.agreement.signatures)
    new = {p: text for p, text in agreement.signatures.items() if mine.get(p) != text}
    for party, text in new.items():
        ring = rings.get(party)
        if ring is None or party not in lifecycle.parties(agreement):
            raise InputRefused(say("keys.party-unknown", party=party), say("keys.party-unknown.do"))
        if here is None or party not in here.signed:
            keyring.verify(ring, canonical(agreement), text, purpose=AGREEMENT)
    kept = {**new, **{p: mine[p] for p in mine if here is not None and p in here.signed}}
    if here is not None and kept == mine:
        return None
    if agreement.version < newest:
        return None
    return agreement.model_copy(update={"signatures": kept, "status": "draft"})


def _is_new(statement: Statement, had: dict[str, Statement]) -> bool:
    known = had.get(statement.statement_id)
    if known is not None and known != statement:
        raise InputRefused(say("lifecycle.statement-other", id=statement.statement_id))
    return known is None


def _check_statement(
    statement: Statement,
    rings: dict[str, Keyring],
    agreements: list[Agreement],
    known: dict[tuple[str, int], Standing],
) -> None:
    ring = rings.get(statement.party)
    if ring is None:
        raise InputRefused(
            say("keys.party-unknown", party=statement.party), say("keys.party-unknown.do")
        )
    statements.check(statement, ring)
    if statement.agreement_id is None:
        return
    spoken_of = [
        a
        for a in (*agreements, *(s.agreement for s in known.values()))
        if (a.agreement_id, a.version) == (statement.agreement_id, statement.version)
    ]
    if not spoken_of or statement.party not in lifecycle.parties(spoken_of[0]):
        raise InputRefused(say("lifecycle.statement-of-stranger", party=statement.party))
    if digest(spoken_of[0]) != statement.digest:
        raise InputRefused(
            say("lifecycle.other-text", agreement=statement.agreement_id,
                version=statement.version)
        )  # fmt: skip


def put(connection: sa.Connection, actor: Actor, new: Checked) -> Taken:
    """Write what was checked, in a transaction that may hold more."""
    from ecotone.store import documents, ledger

    taken = Taken()
    if new.sender is not None:
        documents.put(connection, new.sender, actor.person, "keys")
    for text, agreement in new.agreements:
        documents.put_agreement(connection, agreement.model_dump(mode="json"), text, actor.person)
        taken.agreements.append(f"{agreement.agreement_id} v{agreement.version}")
    for statement in new.statements:
        content = ledger.canonical(statement.model_dump(mode="json"))
        documents.put_content(
            connection, STATEMENT, statement.statement_id, content, None, actor.person,
            statement.kind,
        )  # fmt: skip
        taken.statements.append(statement.statement_id)
    return taken
