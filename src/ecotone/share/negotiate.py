"""What a party does with an agreement: propose, sign, attach, suspend, revoke, ask and answer.

Every step is checked whole before anything is written; a refusal leaves a line in the ledger and
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecotone.model.agreement import Agreement, Class
from ecotone.model.errors import EcotoneError, InputRefused, UsageError
from ecotone.model.words import Sentence, say
from ecotone.share import keyring, keys, lifecycle, statements, trust
from ecotone.share.agreements import canonical, digest
from ecotone.share.lifecycle import AGREEMENT, Standing
from ecotone.share.statements import STATEMENT, Kind, Reply, Scan, Statement, Wish

if TYPE_CHECKING:
    from ecotone.store import Store


@dataclass(frozen=True)
class Actor:
    """Who acts, in whose node, on which day, with which passphrase."""

    store: Store
    person: str
    today: date
    passphrase: str | None = None

    @property
    def party(self) -> str:
        """The party the node is of."""
        return self.store.party_id


@contextmanager
def noting_refusals(store: Store, person: str, what: str) -> Iterator[None]:
    """A refusal within leaves a line in the ledger: who was refused what, and why."""
    try:
        yield
    except (InputRefused, UsageError) as error:
        note_refusal(store, person, what, error)
        raise


def note_refusal(store: Store, person: str, what: str, error: EcotoneError) -> None:
    """Write the ledger line of a refusal."""
    from ecotone.store import ledger

    key = error.message.key if isinstance(error.message, Sentence) else ""
    with store.writing() as connection:
        ledger.append(
            connection, "refused", person, {"what": what, "code": key, "why": str(error.message)}
        )


def put_draft(actor: Actor, agreement: Agreement, text: str) -> bool:
    """Take an agreement in as a draft, or a better draft of one nobody has signed.

    False where it is known already. Raises InputRefused where another text was signed under this
    version, UsageError where the owner does not own what it names.
    """
    agreement = agreement.model_copy(update={"signatures": {}, "status": "draft"})
    _check_datasets(actor.store, agreement)
    known = _version(actor, agreement.agreement_id, agreement.version)
    if known is not None:
        if digest(known.agreement) == digest(agreement):
            return False
        if known.agreement.signatures:
            raise InputRefused(
                say("lifecycle.other-text", agreement=agreement.agreement_id,
                    version=agreement.version)
            )  # fmt: skip
    actor.store.put_agreement(agreement.model_dump(mode="json"), text, person=actor.person)
    return True


def sign(actor: Actor, agreement_id: str) -> Standing:
    """Sign the newest version of an agreement for this node's party."""
    _check_clock(actor)
    _check_signer(actor)
    found = newest(actor, agreement_id)
    agreement = found.agreement
    if actor.party not in lifecycle.parties(agreement):
        raise UsageError(say("lifecycle.not-party", party=actor.party, agreement=agreement_id))
    if agreement.valid_until < actor.today:
        raise UsageError(
            say("lifecycle.term-over", agreement=agreement_id, end=agreement.valid_until)
        )
    if actor.party in found.signed:
        raise UsageError(say("lifecycle.signed-already", agreement=agreement_id,
                             version=agreement.version))  # fmt: skip
    _check_datasets(actor.store, agreement)
    check_contradictions(actor, agreement)
    trust.publish(actor.store, person=actor.person)
    signature = keys.sign(
        actor.store.folder, canonical(agreement), purpose=AGREEMENT, passphrase=actor.passphrase
    )
    signed = {**agreement.signatures, actor.party: str(signature)}
    _put_signatures(actor, found, signed)
    return newest(actor, agreement_id)


def amended(actor: Actor, agreement: Agreement) -> Agreement:
    """The agreement as the next version of the one known: it supersedes when all have signed."""
    found = newest(actor, agreement.agreement_id)
    before = found.agreement
    if agreement.owner != before.owner:
        raise UsageError(
            say("lifecycle.owner-changed", agreement=agreement.agreement_id, owner=before.owner)
        )
    following = before.version + 1 if found.signed else before.version
    made = agreement.model_copy(update={"version": following, "signatures": {}, "status": "draft"})
    if digest(made.model_copy(update={"version": before.version})) == digest(before):
        raise UsageError(say("lifecycle.amends-nothing", agreement=agreement.agreement_id))
    return made


def declare(actor: Actor, kind: Kind, agreement_id: str, text: str) -> Statement:
    """Suspend, resume or revoke an agreement by this party's signed word."""
    found = _of_ours(actor, agreement_id)
    if kind in ("suspend", "resume", "revoke"):
        _check_signer(actor)
    lifts: tuple[str, ...] = ()
    if kind == "resume":
        mine = lifecycle.open_suspensions(
            s
            for s in statements.all_of(actor.store)
            if s.party == actor.party and s.agreement_id == agreement_id
        )
        lifts = tuple(s.statement_id for s in mine)
        if not lifts:
            raise UsageError(say("lifecycle.not-suspended", agreement=agreement_id))
    if found.state == "revoked":
        raise UsageError(say("lifecycle.revoked-already", agreement=agreement_id))
    return _say(
        actor,
        Statement(
            statement_id=actor.store.mint(),
            kind=kind,
            party=actor.party,
            person=actor.person,
            text=text,
            agreement_id=agreement_id,
            version=found.agreement.version,
            digest=digest(found.agreement),
            lifts=lifts,
        ),
    )


def attach(actor: Actor, agreement_id: str, path: Path, text: str = "") -> Statement:
    """Keep a file, as the stamped paper, and sign that it belongs to the agreement."""
    found = _of_ours(actor, agreement_id)
    sha256 = actor.store.add_file(path, person=actor.person)
    return _say(
        actor,
        Statement(
            statement_id=actor.store.mint(),
            kind="attach",
            party=actor.party,
            person=actor.person,
            text=text,
            agreement_id=agreement_id,
            version=found.agreement.version,
            digest=digest(found.agreement),
            scan=Scan(name=path.name, sha256=sha256, size=path.stat().st_size),
        ),
    )


def ask(actor: Actor, wish: Wish, text: str) -> Statement:
    """A reader's request to an owner."""
    if wish.owner == actor.party:
        raise UsageError(say("lifecycle.asks-itself"))
    trust.ring_of(actor.store, wish.owner)
    if wish.until < actor.today:
        raise UsageError(say("lifecycle.wish-over", end=wish.until))
    return _say(
        actor,
        Statement(
            statement_id=actor.store.mint(),
            kind="request",
            party=actor.party,
            person=actor.person,
            text=text,
            wish=wish,
        ),
    )


def answer(
    actor: Actor, request: str, *, granted: bool, text: str, agreement_id: str | None = None
) -> Statement:
    """The owner's answer; what is granted takes effect by an agreement that all sign."""
    said = {s.statement_id: s for s in statements.all_of(actor.store)}
    asked = said.get(request)
    if asked is None or asked.wish is None or asked.wish.owner != actor.party:
        raise UsageError(say("lifecycle.request-unknown", request=request))
    if any(s.reply is not None and s.reply.request == request for s in said.values()):
        raise UsageError(say("lifecycle.answered-already", request=request))
    if agreement_id is not None:
        newest(actor, agreement_id)
    return _say(
        actor,
        Statement(
            statement_id=actor.store.mint(),
            kind="answer",
            party=actor.party,
            person=actor.person,
            text=text,
            reply=Reply(request=request, granted=granted, agreement_id=agreement_id),
        ),
    )


def newest(actor: Actor, agreement_id: str) -> Standing:
    """The newest version of an agreement; UsageError where the node has none of this name."""
    found = lifecycle.standing(actor.store, agreement_id, actor.today)
    if found is None:
        known = sorted(
            {s.agreement.agreement_id for s in lifecycle.standings(actor.store, actor.today)}
        )
        raise UsageError(
            say("lifecycle.agreement-unknown", agreement=agreement_id,
                known=", ".join(known) or "-")
        )  # fmt: skip
    return found


def check_contradictions(actor: Actor, agreement: Agreement) -> None:
    """Refuse to sign what says otherwise than another agreement in force of the same parties.

    Were both in force the stricter would hold; but nobody should sign two words on one thing.
    """
    for other in lifecycle.standings(actor.store, actor.today):
        if other.state not in ("active", "signed", "suspended"):
            continue
        clash = _clash(agreement, other.agreement)
        if clash is not None:
            mine, theirs = clash
            raise InputRefused(
                say(
                    "lifecycle.contradiction",
                    agreement=agreement.agreement_id,
                    mine=mine.name,
                    other=other.agreement.agreement_id,
                    theirs=theirs.name,
                ),
                say("lifecycle.contradiction.do"),
            )


def _clash(one: Agreement, other: Agreement) -> tuple[Class, Class] | None:
    """Classes of two agreements that select the same and release it otherwise."""
    apart = (
        one.agreement_id == other.agreement_id
        or one.owner != other.owner
        or one.valid_until < other.valid_from
        or other.valid_until < one.valid_from
        or not all(
            set(getattr(one, part)) & set(getattr(other, part))
            for part in ("recipients", "datasets", "purposes", "actions")
        )
    )
    if apart:
        return None
    for mine in one.classes:
        for theirs in other.classes:
            if _selection(one, mine) == _selection(other, theirs) and _terms(mine) != _terms(
                theirs
            ):
                return mine, theirs
    return None


def _selection(agreement: Agreement, rule: Class) -> tuple[Any, ...]:
    zones = [agreement.zones[name] for name in sorted(rule.zones)]
    return set(rule.nouns), set(rule.taxa), set(rule.properties), zones


def _terms(rule: Class) -> tuple[Any, ...]:
    return rule.level, rule.cell_degrees, set(rule.withheld_fields), rule.embargo_months


def _check_datasets(store: Store, agreement: Agreement) -> None:
    """An agreement speaks only for what its owner owns; what is not here cannot be checked."""
    owners = {d.dataset_id: d.party_id for d in store.datasets()}
    known = {party.party_id for party in store.parties()}
    strangers = [p for p in lifecycle.parties(agreement) if p not in known]
    if strangers:
        raise UsageError(
            say("lifecycle.parties-unknown", parties=", ".join(strangers)),
            say("lifecycle.parties-unknown.do"),
        )
    foreign = [d for d in agreement.datasets if owners.get(d, agreement.owner) != agreement.owner]
    if agreement.owner == store.party_id:
        foreign += [d for d in agreement.datasets if d not in owners]
    if foreign:
        raise UsageError(
            say("lifecycle.not-owner", owner=agreement.owner, datasets=", ".join(foreign))
        )


def _check_signer(actor: Actor) -> None:
    person = next((p for p in actor.store.people() if p.person_id == actor.person), None)
    named = (person.role, person.party_id, person.left) if person else None
    if named != ("signer", actor.party, None):
        raise UsageError(
            say("lifecycle.no-signer", person=actor.person), say("lifecycle.no-signer.do")
        )


def _check_clock(actor: Actor) -> None:
    """A machine whose clock fell back would date its signature before what it signs."""
    last = _last_time(actor.store)
    now = datetime.now(UTC)
    if now < last - keyring.CLOCKS:
        raise UsageError(say("keys.clock-own", now=keyring.stamp(now)))


def _last_time(store: Store) -> datetime:
    from ecotone.store import ledger

    with store.database.reading() as connection:
        entry = ledger.last(connection)
    return datetime.fromisoformat(entry.time) if entry else datetime.min.replace(tzinfo=UTC)


def _of_ours(actor: Actor, agreement_id: str) -> Standing:
    """The version that words are said about: the newest all signed, else the newest signed."""
    _check_clock(actor)
    found = newest(actor, agreement_id)
    signed = [
        s
        for s in lifecycle.standings(actor.store, actor.today)
        if s.agreement.agreement_id == agreement_id and s.signed
    ]
    if signed:
        found = next((s for s in reversed(signed) if not s.missing), signed[-1])
    if actor.party not in lifecycle.parties(found.agreement):
        raise UsageError(say("lifecycle.not-party", party=actor.party, agreement=agreement_id))
    if not signed:
        raise UsageError(say("lifecycle.nobody-signed", agreement=agreement_id),
                         say("lifecycle.nobody-signed.do", agreement=agreement_id))  # fmt: skip
    return found


def _version(actor: Actor, agreement_id: str, version: int) -> Standing | None:
    for found in lifecycle.standings(actor.store, actor.today):
        if (found.agreement.agreement_id, found.agreement.version) == (agreement_id, version):
            return found
    return None


def _put_signatures(actor: Actor, found: Standing, signatures: Mapping[str, str]) -> None:
    document = found.agreement.model_dump(mode="json")
    document["signatures"] = dict(sorted(signatures.items()))
    actor.store.put_agreement(document, found.original or "", person=actor.person)


def _say(actor: Actor, unsigned: Statement) -> Statement:
    from ecotone.store import documents, ledger

    trust.publish(actor.store, person=actor.person)
    signature = keys.sign(
        actor.store.folder,
        unsigned.signed_bytes(),
        purpose=STATEMENT,
        passphrase=actor.passphrase,
    )
    made = unsigned.model_copy(update={"signature": str(signature)})
    content = ledger.canonical(made.model_dump(mode="json"))
    with actor.store.writing() as connection:
        documents.put_content(
            connection, STATEMENT, made.statement_id, content, None, actor.person, made.kind
        )
    return made
