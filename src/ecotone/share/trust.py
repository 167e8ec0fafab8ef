"""Whose keys a node knows: the keyrings in the documents of its parties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.records import Party
from ecotone.model.words import say
from ecotone.share import keyring, keys
from ecotone.share.keyring import Keyring

if TYPE_CHECKING:
    from ecotone.store import Store


def rings(store: Store) -> dict[str, Keyring]:
    """The keyring of every party that has one; one that cannot be read is none."""
    found: dict[str, Keyring] = {}
    for party in store.parties():
        if not party.public_key:
            continue
        try:
            ring = keyring.read(party.public_key)
        except InputRefused:
            continue
        if ring.party == party.party_id:
            found[party.party_id] = ring
    return found


def ring_of(store: Store, party_id: str) -> Keyring:
    """The keyring of a party; UsageError where the node knows none."""
    found = rings(store).get(party_id)
    if found is None:
        raise UsageError(say("keys.party-unknown", party=party_id), say("keys.party-unknown.do"))
    return found


def publish(store: Store, *, person: str) -> Keyring:
    """Put the node's own keyring beside its party, where that is not the newest already."""
    ring = keys.own_ring(store.folder)
    if _party(store, ring.party).public_key != ring.text():
        store.put_party(with_ring(store, ring), person=person, reason="keys")
    return ring


def trust(store: Store, ring: Keyring, *, person: str, fingerprint: str | None = None) -> Keyring:
    """Take in the keyring of another party.

    A first key, or one no known key signed for, needs the ``fingerprint`` somebody was told by
    another way than the file came. Raises InputRefused, and changes nothing, where it is missing
    or another.
    """
    _party(store, ring.party)
    known = rings(store).get(ring.party)
    chosen = newest(ring, known, fingerprint)
    if chosen is not known:
        store.put_party(with_ring(store, chosen), person=person, reason="keys")
    return chosen


def with_ring(store: Store, ring: Keyring) -> Party:
    """The document of a ring's party with that ring; UsageError where the party is unknown."""
    return _party(store, ring.party).model_copy(update={"public_key": ring.text()})


def newest(ring: Keyring, known: Keyring | None, fingerprint: str | None = None) -> Keyring:
    """The longer of a ring and the one known; ``compare`` where it is the new one."""
    if known is not None and known.lines[: len(ring.lines)] == ring.lines:
        return known
    compare(ring, known, fingerprint)
    return ring


def compare(ring: Keyring, known: Keyring | None, fingerprint: str | None) -> None:
    """Refuse keys nobody known signed for, unless their fingerprint is the one told."""
    for key in ring.strangers(known):
        told = {"party": ring.party, "number": key.number}
        if fingerprint is None:
            raise InputRefused(say("keys.compare", **told, fingerprint=key.fingerprint))
        if _letters(fingerprint) != _letters(key.fingerprint):
            raise InputRefused(say("keys.fingerprint-differs", **told))


def _party(store: Store, party_id: str) -> Party:
    for party in store.parties():
        if party.party_id == party_id:
            return party
    raise UsageError(say("store.party-unknown", name=party_id,
                         known=", ".join(p.party_id for p in store.parties())))  # fmt: skip


def _letters(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())
