"""How an agreement stands on a day: derived from who signed and who said what, never stored.

    draft       nobody has signed
    proposed    some parties have signed
    signed      all have, but its term has not begun
    active      in force
    suspended   a party has suspended it, and not taken it up again
    revoked     a party has revoked it
    expired     its term is over
    superseded  a later version that all signed has begun

An amendment is a new version; until all have signed it and its term has begun, the one before
holds. Suspension and revocation speak of the version they name and all before it: what all
parties sign afterwards is a new word of theirs. Nothing falls back to an older version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from ecotone.model.agreement import Agreement
from ecotone.model.errors import InputRefused
from ecotone.model.words import say
from ecotone.share import keyring, statements, trust
from ecotone.share.agreements import canonical, digest, parse
from ecotone.share.keyring import Key, Keyring
from ecotone.share.statements import Statement

if TYPE_CHECKING:
    from ecotone.store import Store
    from ecotone.store.documents import Noted

State = Literal[
    "draft", "proposed", "signed", "active", "suspended", "revoked", "expired", "superseded"
]
#: The kind of document a store keeps agreements as, and what their signatures are for.
AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True)
class Signed:
    """A party's signature that holds, and when this node noted it."""

    key: Key
    time: datetime
    noted: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One version of an agreement as it stands on a day."""

    agreement: Agreement
    state: State
    signed: dict[str, Signed]
    #: Signatures that do not hold, and why.
    doubts: dict[str, str]
    said: tuple[Statement, ...] = field(default=())
    original: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties whose signature is wanted."""
        return tuple(party for party in parties(self.agreement) if party not in self.signed)


def parties(agreement: Agreement) -> tuple[str, ...]:
    """Owner first, then the recipients: all of them sign."""
    return (agreement.owner, *agreement.recipients)


def standings(store: Store, day: date) -> list[Standing]:
    """Every version of every agreement as it stands on ``day``, by agreement and version.

    A version that cannot be read is left out (see ``in_force_documents``).
    """
    rings = trust.rings(store)
    said = statements.all_of(store)
    found: list[Standing] = []
    for agreement_id, versions in _histories(store.noted(AGREEMENT)).items():
        mine = [statement for statement in said if statement.agreement_id == agreement_id]
        found += _standing(versions, mine, rings, day)
    return found


def standing(store: Store, agreement_id: str, day: date) -> Standing | None:
    """The newest version of one agreement; None where the node has none of this name."""
    found = [s for s in standings(store, day) if s.agreement.agreement_id == agreement_id]
    return found[-1] if found else None


def in_force_documents(store: Store, day: date) -> list[dict[str, Any]]:
    """The agreements that hold on ``day``, as data with status ``active``.

    All parties' signatures verify against keys this node knows. What cannot be read comes as it
    is: whoever opens the door closes what it names.
    """
    found = [
        {**standing.agreement.model_dump(mode="json"), "status": "active"}
        for standing in standings(store, day)
        if standing.state == "active"
    ]
    newest: dict[str, Noted] = {noted.key: noted for noted in store.noted(AGREEMENT)}
    return found + [n.content for n in newest.values() if _readable(n) is None]


def _histories(noted: Iterable[Noted]) -> dict[str, list[list[Noted]]]:
    """By agreement: its versions, each as the documents that told of it, oldest first."""
    found: dict[str, dict[int, list[Noted]]] = {}
    for each in noted:
        agreement = _readable(each)
        if agreement is not None:
            found.setdefault(each.key, {}).setdefault(agreement.version, []).append(each)
    return {
        key: [documents for _, documents in sorted(versions.items())]
        for key, versions in sorted(found.items())
    }


def _readable(noted: Noted) -> Agreement | None:
    try:
        return parse(noted.content, noted.key)
    except InputRefused:
        return None


def _standing(
    versions: list[list[Noted]],
    said: list[Statement],
    rings: Mapping[str, Keyring],
    day: date,
) -> list[Standing]:
    read = [_signatures(documents, rings) for documents in versions]
    whole = [s for s in read if not s.missing]
    begun = [s.agreement.version for s in whole if s.agreement.valid_from <= day]
    newest = max(begun, default=0)
    return [
        Standing(
            s.agreement,
            _state(s, said, newest, day),
            s.signed,
            s.doubts,
            tuple(each for each in said if _of_text(each, s.agreement)),
            s.original,
        )
        for s in read
    ]


def _of_text(statement: Statement, agreement: Agreement) -> bool:
    """Whether a statement was made about this text and not a draft bettered since."""
    return (statement.version, statement.digest) == (agreement.version, digest(agreement))


def _signatures(documents: list[Noted], rings: Mapping[str, Keyring]) -> Standing:
    """The newest document of a version with the signatures that hold for its bytes."""
    newest = documents[-1]
    agreement = parse(newest.content, newest.key)
    data = canonical(agreement)
    signed: dict[str, Signed] = {}
    doubts: dict[str, str] = {}
    for party, text in agreement.signatures.items():
        first = next(
            d.time for d in documents if d.content.get("signatures", {}).get(party) == text
        )
        try:
            ring = rings.get(party)
            if ring is None or party not in parties(agreement):
                doubts[party] = say("keys.party-unknown", party=party)
                continue
            signature = keyring.Signature.read(text)
            key = keyring.verify(ring, data, signature, purpose=AGREEMENT, seen=first)
            signed[party] = Signed(key, signature.time, first)
        except InputRefused as error:
            doubts[party] = error.message
    return Standing(agreement, "draft", signed, doubts, original=newest.original)


def _state(read: Standing, said: list[Statement], newest: int, day: date) -> State:
    agreement = read.agreement
    if read.missing:
        return "proposed" if read.signed else "draft"
    words = [s for s in said if s.version is not None and s.version >= agreement.version]
    if any(s.kind == "revoke" for s in words):
        return "revoked"
    if agreement.version < newest:
        return "superseded"
    if open_suspensions(words):
        return "suspended"
    if agreement.valid_until < day:
        return "expired"
    return "active" if agreement.valid_from <= day else "signed"


def open_suspensions(said: Iterable[Statement]) -> list[Statement]:
    """The suspensions that the party which made them has not lifted."""
    listed = list(said)
    lifted = {(s.party, name) for s in listed for name in s.lifts}
    return [s for s in listed if s.kind == "suspend" and (s.party, s.statement_id) not in lifted]
