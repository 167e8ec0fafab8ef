"""Packages and keys that change: what was signed before stays signed, what comes after does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecotone.model.errors import InputRefused
from ecotone.share import keyring, keys, letter, lifecycle, negotiate, trust
from ecotone.share.agreements import canonical
from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.importing import held, import_package
from tests.exchange import agreement, close, deliver, nodes, occurrences

MADE = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def pair(tmp_path: Path):
    actors = nodes(tmp_path)
    deliver(actors["DUSH"], occurrences(20))
    yield actors
    close(actors)


def post(sender, receiver, path: Path) -> None:
    path.write_text(letter.write(sender, ["DUSH-WILD"]), encoding="utf-8")
    document = letter.read(path)
    assert document is not None
    letter.take(receiver, document)


def left(pair) -> None:
    """Dushanbe's signer leaves: the key ends at once, Urumqi compares the next one."""
    sender, receiver = pair["DUSH"], pair["URUM"]
    ring = keys.rotate(sender.store.folder, reason="left")
    trust.publish(sender.store, person=sender.person)
    told = ring.keys[-1].fingerprint
    trust.trust(receiver.store, ring, person=receiver.person, fingerprint=told)


def test_a_signature_noted_before_its_signer_left_still_carries_a_package(pair, tmp_path):
    sender, receiver = pair["DUSH"], pair["URUM"]
    negotiate.put_draft(sender, agreement("DUSH", ["URUM"]), "")
    negotiate.sign(sender, "DUSH-WILD")
    post(sender, receiver, tmp_path / "1.json")
    # Urumqi signs on a copy of its own node that only Dushanbe hears of.
    proposed = lifecycle.standing(receiver.store, "DUSH-WILD", receiver.today)
    assert proposed is not None and set(proposed.signed) == {"DUSH"}
    one = proposed.agreement
    word = keys.sign(receiver.store.folder, canonical(one), purpose=lifecycle.AGREEMENT)
    whole = one.model_copy(update={"signatures": {**one.signatures, "URUM": str(word)}})
    sender.store.put_agreement(whole.model_dump(mode="json"), "", person=sender.person)
    left(pair)
    made = export(sender, Wanted("URUM"))
    done = import_package(receiver, made.path)
    assert done.new == {"Occurrence": 20} and held(receiver, "DUSH") == made.sent.state
    found = lifecycle.standing(receiver.store, "DUSH-WILD", receiver.today)
    assert found is not None and found.state == "active"


def test_a_signature_that_comes_after_its_signer_left_carries_nothing(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    one = agreement("DUSH", ["URUM"])
    signed = {
        party: str(keys.sign(pair[party].store.folder, canonical(one), purpose=lifecycle.AGREEMENT))
        for party in pair
    }
    whole = one.model_copy(update={"signatures": signed})
    sender.store.put_agreement(whole.model_dump(mode="json"), "", person=sender.person)
    left(pair)
    made = export(sender, Wanted("URUM"))
    lines = len(receiver.store.ledger())
    with pytest.raises(InputRefused) as refused:
        import_package(receiver, made.path)
    assert refused.value.message.key == "keys.ended"
    assert receiver.store.count("Occurrence", ["DUSH-wild"]) == 0
    assert len(receiver.store.ledger()) == lines + 1, "the refusal is in the ledger, nothing else"


# The second in which a key ends


def ring_of(folder: Path, reason: keyring.Reason) -> tuple[keyring.Keyring, str, str]:
    """A ring whose first key ended at ``ENDED``, and what it signed then and a second later."""
    (folder / "keys").mkdir(parents=True)
    keys.make(folder, "VIWE", now=MADE)
    last = str(keys.sign(folder, b"x", now=ENDED))
    late = str(keys.sign(folder, b"x", now=ENDED + SECOND))
    return keys.rotate(folder, reason=reason, now=ENDED), last, late


def test_the_second_in_which_a_key_ends_belongs_to_it(tmp_path):
    ring, last, late = ring_of(tmp_path, "routine")
    now = ENDED + timedelta(days=9)
    assert keyring.verify(ring, b"x", last, now=now).number == 1
    noted = ENDED + SECOND * 0.9
    assert keyring.verify(ring, b"x", last, seen=noted, now=now).number == 1
    with pytest.raises(InputRefused):
        keyring.verify(ring, b"x", late, now=now)
    # The key that follows begins in that same second.
    first = str(keys.sign(tmp_path, b"x", now=ENDED))
    assert keyring.verify(ring, b"x", first, now=now).number == 2


@pytest.mark.parametrize("reason", ["left", "stolen", "lost"])
def test_a_key_others_may_hold_answers_for_what_was_noted_up_to_its_last_second(tmp_path, reason):
    ring, last, late = ring_of(tmp_path, reason)
    now = ENDED + timedelta(days=9)
    for noted in (ENDED, ENDED + SECOND * 0.9):
        assert keyring.verify(ring, b"x", last, seen=noted, now=now).number == 1
    for text, seen in ((last, None), (last, ENDED + SECOND), (late, ENDED)):
        with pytest.raises(InputRefused) as refused:
            keyring.verify(ring, b"x", text, seen=seen, now=now)
        assert refused.value.message.key == "keys.ended"
