"""How agreements stand: terms, forged and stolen signatures, statements, letters sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecotone.model.errors import EcotoneError, InputRefused, UsageError
from ecotone.model.records import Clearance, Dataset, Person
from ecotone.share import keys, letter, lifecycle, negotiate, odrl, statements, trust
from ecotone.share.agreements import digest, parse
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.share.negotiate import Actor
from ecotone.share.statements import Scan, Wish
from ecotone.share.withheld import kept_back
from ecotone.store import Store, init_node
from tests import signing
from tests.unit.share.fixtures import agreement

DAY = date(2026, 6, 1)
CLEARED = Clearance(authority="M", number="1", date=date(2025, 1, 1), scope="all")
FULL = [{"name": "all", "level": "full"}]


def make(folder: Path, own: str, others: str) -> Store:
    signer = Person(person_id="signer", party_id=own, name="S.", role="signer")
    store = init_node(folder, party=signing.party(own), person=signer)
    for path in (signing.home(own) / "keys").iterdir():
        (folder / "keys" / path.name).write_bytes(path.read_bytes())
    for other in others.split():
        store.put_party(signing.party(other), person="signer")
    owned = Dataset(dataset_id="cats", party_id="AA", title="Cats", export_clearance=CLEARED)
    store.put_dataset(owned, person="signer")
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with make(tmp_path / "AA", "AA", "BB CC") as made:
        yield made


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Store]:
    with make(tmp_path / "BB", "BB", "AA CC") as made:
        yield made


def acting(store: Store, today: date = DAY) -> Actor:
    return Actor(store, "signer", today)


def put(store: Store, document: dict[str, Any]) -> None:
    store.put_agreement(document, "", person="signer")


def state(store: Store, day: date = DAY) -> str:
    found = lifecycle.standing(store, "AG-1", day)
    assert found is not None
    return found.state


def code(call, *arguments: object, **named: object) -> str:
    with pytest.raises(EcotoneError) as error:
        call(*arguments, **named)
    return str(error.value.message.key)


# Standing


def test_a_signed_agreement_lives_in_its_term(store):
    put(store, signing.signed(agreement(FULL)))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [state(store, day) for day in days] == ["signed", "active", "active", "expired"]
    found = [len(lifecycle.in_force_documents(store, day)) for day in days]
    assert found == [0, 1, 1, 0]
    assert lifecycle.standing(store, "AG-2", DAY) is None


@pytest.mark.parametrize("parties", [[], ["AA"], ["BB"]])
def test_who_has_not_signed_is_not_bound(store, parties):
    put(store, signing.signed(agreement(FULL), parties))
    assert state(store) == ("proposed" if parties else "draft")
    assert lifecycle.in_force_documents(store, DAY) == []


def test_a_signature_of_other_bytes_another_party_or_no_known_key_does_not_count(store):
    good = signing.signed(agreement(FULL))
    for changes in (
        {"purposes": ["sport"]},
        {"signatures": {**good["signatures"], "BB": good["signatures"]["AA"]}},
        {"signatures": {**good["signatures"], "BB": "nonsense"}},
        {"recipients": ["BB", "ZZ"]},
        {"recipients": ["BB", "CC"]},
        {"valid_until": "2099-12-31"},
    ):
        put(store, {**good, **changes})
        assert state(store) in ("draft", "proposed"), changes
        assert lifecycle.in_force_documents(store, DAY) == []
    stranger = {
        **good["signatures"],
        "CC": signing.signed(agreement(FULL), ["CC"])["signatures"]["CC"],
    }
    put(store, {**good, "signatures": stranger})
    found = lifecycle.standing(store, "AG-1", DAY)
    assert found is not None and "CC" in found.doubts and found.state == "active"


def test_a_party_without_a_readable_keyring_has_not_signed(store):
    put(store, signing.signed(agreement(FULL)))
    for text in (None, "hello", signing.ring("CC").text()):
        store.put_party(
            signing.party("BB").model_copy(update={"public_key": text}), person="signer"
        )
        assert state(store) == "proposed"
    assert code(trust.ring_of, store, "BB") == "keys.party-unknown"


@pytest.mark.parametrize("reason", ["routine", "stolen"])
def test_what_was_noted_before_a_key_was_stolen_still_holds(store, tmp_path, reason):
    guest = tmp_path / "guest"
    (guest / "keys").mkdir(parents=True)
    ring = keys.make(guest, "BB", now=signing.MADE)
    store.put_party(
        signing.party("BB").model_copy(update={"public_key": ring.text()}), person="signer"
    )
    document = signing.signed(agreement(FULL), ["AA"])
    data = lifecycle.canonical(parse(document, "x"))
    said = keys.sign(guest, data, purpose="agreement", now=signing.SIGNED)
    later = datetime.now(UTC) + timedelta(hours=1)
    ended = keys.end(guest, reason=reason, now=later)
    noted = {**document, "signatures": {**document["signatures"], "BB": str(said)}}
    put(store, noted)
    known = trust.trust(store, ended, person="signer")
    assert known.current is None and state(store) == "active"
    forged = {**document["signatures"], "BB": str(replace(said, time=signing.MADE))}
    put(store, {**document, "signatures": forged})
    assert state(store) == "proposed"


def test_a_new_version_holds_when_all_have_signed_and_its_term_has_begun(store):
    put(store, signing.signed(agreement(FULL, version=1)))
    second = agreement([{"name": "all", "level": "withheld"}], version=2, valid_from="2026-07-01")
    put(store, signing.signed(second, ["AA"]))
    assert [s.state for s in lifecycle.standings(store, DAY)] == ["active", "proposed"]
    put(store, signing.signed(second))
    assert [s.state for s in lifecycle.standings(store, DAY)] == ["active", "signed"]
    after = date(2026, 7, 1)
    assert [s.state for s in lifecycle.standings(store, after)] == ["superseded", "active"]
    over = date(2027, 1, 1)
    assert [s.state for s in lifecycle.standings(store, over)] == ["superseded", "expired"]


def test_what_cannot_be_read_is_handed_on_for_the_door_to_close(store):
    put(store, {**agreement(FULL), "classes": [{"name": "all", "level": "open"}]})
    (found,) = lifecycle.in_force_documents(store, DAY)
    assert found["classes"][0]["level"] == "open" and lifecycle.standings(store, DAY) == []
    door = Door(store, Request("BB", "assessment", "view", DAY))
    assert door.decisions == []


# What parties do


def conclude(store: Store, guest: Store) -> None:
    negotiate.put_draft(acting(store), parse(agreement(FULL), "x"), "text")
    negotiate.sign(acting(store), "AG-1")
    letter.take(acting(guest), json.loads(letter.write(acting(store), ["AG-1"])))
    negotiate.sign(acting(guest), "AG-1")
    letter.take(acting(store), json.loads(letter.write(acting(guest), ["AG-1"])))


def test_both_parties_can_suspend_and_each_lifts_its_own(store, guest):
    conclude(store, guest)
    assert state(store) == state(guest) == "active"
    one = negotiate.declare(acting(store), "suspend", "AG-1", "checking")
    old = letter.write(acting(store), ["AG-1"])
    letter.take(acting(guest), json.loads(old))
    assert (
        code(negotiate.declare, acting(guest), "resume", "AG-1", "x") == "lifecycle.not-suspended"
    )
    negotiate.declare(acting(guest), "suspend", "AG-1", "checking too")
    lifted = negotiate.declare(acting(store), "resume", "AG-1", "checked")
    assert lifted.lifts == (one.statement_id,)
    letter.take(acting(guest), json.loads(letter.write(acting(store), ["AG-1"])))
    assert state(store) == "active" and state(guest) == "suspended"
    again = letter.take(acting(guest), json.loads(old))
    assert again == letter.Taken(), "a letter sent again says nothing new"
    negotiate.declare(acting(store), "suspend", "AG-1", "once more")
    assert state(store) == "suspended"


def test_nothing_is_said_about_a_draft_and_of_several_versions_the_signed_one_is_meant(
    store, guest, tmp_path
):
    actor = acting(store)
    paper = tmp_path / "stamped.pdf"
    paper.write_bytes(b"%PDF")
    negotiate.put_draft(actor, parse(agreement(FULL), "x"), "")
    assert code(negotiate.attach, actor, "AG-1", paper) == "lifecycle.nobody-signed"
    for kind in ("suspend", "revoke"):
        assert code(negotiate.declare, actor, kind, "AG-1", "x") == "lifecycle.nobody-signed"
    negotiate.sign(actor, "AG-1")
    following = negotiate.amended(actor, parse(agreement(FULL, purposes=["report"]), "x"))
    negotiate.put_draft(actor, following, "")
    attached = negotiate.attach(actor, "AG-1", paper)
    assert attached.version == following.version - 1, "the version somebody signed"
    letter.take(acting(guest), json.loads(letter.write(actor, ["AG-1"])))
    assert [s.statement_id for s in statements.all_of(guest)] == [attached.statement_id]


def test_what_was_said_of_a_draft_bettered_since_does_not_travel(store, guest):
    """Earlier releases took words about drafts in; the partner could not take the letter then."""
    actor = acting(store)
    negotiate.put_draft(actor, parse(agreement(FULL, purposes=["sport"]), "x"), "")
    old = negotiate.newest(actor, "AG-1").agreement
    stale = statements.Statement(
        statement_id=store.mint(), kind="attach", party="AA", person="signer", agreement_id="AG-1",
        version=old.version, digest=digest(old),
        scan=Scan(name="p.pdf", sha256="0" * 64, size=1),
    )  # fmt: skip
    negotiate._say(actor, stale)
    negotiate.put_draft(actor, parse(agreement(FULL), "x"), "")
    negotiate.sign(actor, "AG-1")
    assert negotiate.newest(actor, "AG-1").said == ()
    taken = letter.take(acting(guest), json.loads(letter.write(actor, ["AG-1"])))
    assert taken.agreements == ["AG-1 v2"] and not taken.statements


def test_revocation_is_for_good_but_a_later_version_is_a_new_word(store, guest):
    conclude(store, guest)
    negotiate.declare(acting(store), "revoke", "AG-1", "the project ended")
    assert state(store) == "revoked" and lifecycle.in_force_documents(store, DAY) == []
    assert code(negotiate.declare, acting(store), "suspend", "AG-1", "x") == (
        "lifecycle.revoked-already"
    )
    following = negotiate.amended(acting(store), parse(agreement(FULL, purposes=["report"]), "x"))
    assert following.version == 3
    put(store, signing.signed(following.model_dump(mode="json")))
    assert state(store) == "active"


def test_amendments_say_something_else_and_keep_the_owner(store):
    actor = acting(store)
    negotiate.put_draft(actor, parse(agreement(FULL), "x"), "")
    assert code(negotiate.amended, actor, parse(agreement(FULL), "x")) == "lifecycle.amends-nothing"
    other = parse(agreement(FULL, owner="CC"), "x")
    assert code(negotiate.amended, actor, other) == "lifecycle.owner-changed"
    better = negotiate.amended(actor, parse(agreement(FULL, purposes=["report"]), "x"))
    assert better.version == 2, "nobody has signed: the draft itself is bettered"
    assert negotiate.put_draft(actor, better, "") and not negotiate.put_draft(actor, better, "")
    negotiate.sign(actor, "AG-1")
    changed = parse(agreement(FULL, purposes=["sport"]), "x")
    assert code(negotiate.put_draft, actor, changed, "") == "lifecycle.other-text"
    assert code(negotiate.newest, actor, "AG-9") == "lifecycle.agreement-unknown"


def test_who_may_not_sign_does_not(store, guest):
    draft = parse(agreement(FULL, recipients=["CC"]), "x")
    negotiate.put_draft(acting(guest), draft, "")
    assert code(negotiate.sign, acting(guest), "AG-1") == "lifecycle.not-party"
    assert code(negotiate.declare, acting(guest), "revoke", "AG-1", "") == "lifecycle.not-party"
    negotiate.put_draft(acting(store), parse(agreement(FULL), "x"), "")
    assert code(negotiate.sign, acting(store, date(2027, 1, 1)), "AG-1") == "lifecycle.term-over"
    nobody = replace(acting(store), person="nobody")
    assert code(negotiate.sign, nobody, "AG-1") == "lifecycle.no-signer"
    gone = Person(person_id="old", party_id="AA", name="O.", role="signer", left=DAY)
    store.put_person(gone, person="signer")
    left = replace(acting(store), person="old")
    assert code(negotiate.sign, left, "AG-1") == "lifecycle.no-signer"
    foreign = parse(agreement(FULL, agreement_id="AG-2", datasets=["wolves"]), "x")
    assert code(negotiate.put_draft, acting(store), foreign, "") == "lifecycle.not-owner"
    assert negotiate.put_draft(acting(guest), foreign, ""), "a guest need not have the data"
    unheard = parse(agreement(FULL, recipients=["ZZ"]), "x")
    assert code(negotiate.put_draft, acting(store), unheard, "") == "lifecycle.parties-unknown"


def test_a_clock_that_fell_back_signs_nothing(store, monkeypatch):
    negotiate.put_draft(acting(store), parse(agreement(FULL), "x"), "")

    class Fallen(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2025, 1, 1, tzinfo=tz)

    monkeypatch.setattr(negotiate, "datetime", Fallen)
    assert code(negotiate.sign, acting(store), "AG-1") == "keys.clock-own"
    assert code(negotiate.declare, acting(store), "revoke", "AG-1", "") == "keys.clock-own"
    with pytest.raises(UsageError), negotiate.noting_refusals(store, "signer", "sign"):
        negotiate.sign(acting(store), "AG-1")
    line = store.ledger()[-1]
    assert (line.kind, line.said["code"]) == ("refused", "keys.clock-own")
    assert store.verify_ledger() == []


def test_other_levels_for_the_same_data_are_a_contradiction(store):
    put(store, signing.signed(agreement(FULL)))
    actor = acting(store)

    def clash(classes: list[dict[str, Any]] = FULL, **changes: Any) -> bool:
        other = parse(agreement(classes, agreement_id="AG-2", **changes), "x")
        try:
            negotiate.check_contradictions(actor, other)
        except InputRefused:
            return True
        return False

    less = [{"name": "all", "level": "withheld"}]
    assert clash(less)
    assert clash([{"name": "all", "level": "full", "embargo_months": 3}])
    assert not clash()
    assert not clash([{"name": "some", "taxa": ["Panthera uncia"], "level": "withheld"}])
    assert not clash(less, recipients=["CC"])
    assert not clash(less, purposes=["sport"])
    assert not clash(less, valid_from="2027-01-01", valid_until="2027-12-31")
    assert not clash(less, valid_from="2025-01-01", valid_until="2025-12-31")
    assert not clash(less, owner="CC")
    put(store, {**agreement(FULL), "version": 3})
    negotiate.declare(actor, "revoke", "AG-1", "")
    assert not clash(less)


# Letters


def altered(text: str, **changes: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    document.update(changes)
    return document


def test_statements_of_strangers_or_altered_ones_are_refused(store, guest):
    conclude(store, guest)
    said = negotiate.declare(acting(store), "suspend", "AG-1", "checking")
    text = letter.write(acting(store), ["AG-1"])
    plain = said.model_dump(mode="json", exclude_none=True)

    def refused(**changes: object) -> str:
        document = altered(text, statements=[{**plain, **changes}])
        return code(letter.take, acting(guest), document)

    assert refused(text="another reason") == "keys.signature-wrong"
    assert refused(signature="x") == "keys.signature-unreadable"
    assert refused(party="ZZ") == "keys.party-unknown"
    assert refused(party="CC") == "keys.signature-of-other"
    assert refused(kind="attach") == "lifecycle.statement-invalid"
    assert refused(lifts=["x"]) == "lifecycle.statement-invalid"
    assert refused(version=None) == "lifecycle.statement-invalid"
    for changes, expected in (
        ({"agreement_id": "AG-7"}, "lifecycle.statement-of-stranger"),
        ({"digest": "0" * 64}, "lifecycle.other-text"),
    ):
        unsigned = said.model_copy(update={**changes, "signature": ""})
        signature = keys.sign(store.folder, unsigned.signed_bytes(), purpose="statement")
        assert refused(**changes, signature=str(signature)) == expected
    assert state(guest) == "active"
    letter.take(acting(guest), json.loads(text))
    assert refused(text="another reason") == "lifecycle.statement-other"


def test_an_older_version_in_a_letter_changes_nothing(store, guest):
    conclude(store, guest)
    old = letter.write(acting(store), ["AG-1"])
    following = negotiate.amended(acting(guest), parse(agreement(FULL, purposes=["report"]), "x"))
    negotiate.put_draft(acting(guest), following, "")
    only = altered(old, statements=[])
    only["agreements"][0]["signatures"] = {}
    assert letter.take(acting(guest), only) == letter.Taken()
    guest_only = altered(old)
    guest_only["agreements"][0]["signatures"].pop("BB")
    assert letter.take(acting(guest), guest_only) == letter.Taken()


def test_a_letter_brings_a_continued_keyring_and_no_other(store, guest, tmp_path):
    conclude(store, guest)
    text = letter.write(acting(store), [])
    assert letter.take(acting(guest), json.loads(text)) == letter.Taken()
    known = trust.ring_of(guest, "AA").lines
    rotated = keys.rotate(store.folder)
    broken = altered(letter.write(acting(store), ["AG-1"]), statements=[{}])
    assert code(letter.take, acting(guest), broken) == "lifecycle.statement-invalid"
    strange = altered(letter.write(acting(store), ["AG-1"]))
    strange["agreements"][0]["purposes"] = ["sport"]
    assert code(letter.take, acting(guest), strange) == "lifecycle.other-text"
    assert trust.ring_of(guest, "AA").lines == known, "all of a letter or nothing"
    letter.take(acting(guest), json.loads(letter.write(acting(store), [])))
    assert trust.ring_of(guest, "AA").lines == rotated.lines
    letter.take(acting(guest), json.loads(text))
    assert trust.ring_of(guest, "AA").lines == rotated.lines, "an older letter takes no key back"
    keys.rotate(store.folder, reason="stolen")
    fresh = json.loads(letter.write(acting(store), []))
    assert code(letter.take, acting(guest), fresh) == "keys.compare"
    (tmp_path / "long").write_bytes(b" " * (letter._MOST + 1))
    assert code(letter.read, tmp_path / "long") == "lifecycle.letter-long"
    ring = keys.own_ring(store.folder)
    assert code(trust.trust, guest, replace(ring, party="QQ"), person="signer") == (
        "store.party-unknown"
    )


def test_answers_may_name_the_agreement_that_grants(store, guest):
    conclude(store, guest)
    wish = Wish(owner="AA", datasets=("cats",), level="full", purpose="density",
                actions=("view",), until=DAY)  # fmt: skip
    asked = negotiate.ask(acting(guest), wish, "more")
    letter.take(acting(store), json.loads(letter.write(acting(guest), [], [asked])))
    assert code(negotiate.answer, acting(store), asked.statement_id, granted=True, text="",
                agreement_id="AG-9") == "lifecycle.agreement-unknown"  # fmt: skip
    said = negotiate.answer(
        acting(store), asked.statement_id, granted=True, text="yes", agreement_id="AG-1"
    )
    assert said.reply is not None and said.reply.agreement_id == "AG-1"
    letter.take(acting(guest), json.loads(letter.write(acting(store), ["AG-1"], [said])))
    assert {s.kind for s in statements.all_of(guest)} == {"request", "answer"}


def test_two_texts_under_one_version_do_not_meet(store, guest):
    negotiate.put_draft(acting(store), parse(agreement(FULL), "x"), "")
    negotiate.put_draft(acting(guest), parse(agreement(FULL, purposes=["sport"]), "x"), "")
    unsigned = json.loads(letter.write(acting(store), ["AG-1"]))
    assert unsigned["agreements"] == [], "a draft does not travel, with letters or packages"
    negotiate.sign(acting(store), "AG-1")
    text = letter.write(acting(store), ["AG-1"])
    assert code(letter.take, acting(guest), json.loads(text)) == "lifecycle.other-text"


def test_statements_hold_what_their_kind_needs():
    base = {"statement_id": "s", "party": "AA", "person": "p"}
    scan = Scan(name="a", sha256="0" * 64, size=1)
    wish = Wish(
        owner="BB", datasets=("d",), level="full", purpose="x", actions=("view",), until=DAY
    )
    statements.parse({**base, "kind": "request", "wish": wish.model_dump()})
    for wrong in (
        {"kind": "request"},
        {"kind": "request", "wish": wish.model_dump(), "scan": scan.model_dump()},
        {"kind": "attach", "scan": scan.model_dump()},
        {"kind": "revoke"},
        {"kind": "resume", "agreement_id": "a", "version": 1},
        {"kind": "applaud"},
    ):
        assert code(statements.parse, {**base, **wrong}) == "lifecycle.statement-invalid"


# Telling


def test_withheld_without_clearance_or_with_an_unreadable_agreement(store):
    bare = Dataset(dataset_id="cats", party_id="AA", title="Cats")
    store.put_dataset(bare, person="signer")
    cell = {"level": "generalised", "cell_degrees": 0.1}
    put(
        store,
        signing.signed(
            agreement(
                [{"name": "all", **cell}, {"name": "sum", "nouns": ["Site"], "level": "aggregated"}]
            )
        ),
    )
    door = Door(store, Request("BB", "assessment", "view", DAY))
    told = " ".join(k.why for k in kept_back(store, door, "en"))
    assert "no export clearance" in told and "0.1 degree" in told and "totals of at least 5" in told
    media = kept_back(store, door, "en", "Media")
    assert not any("totals of" in k.why for k in media)
    put(store, {**agreement(FULL, version=9), "classes": [{"name": "all", "level": "open"}]})
    door = Door(store, Request("BB", "assessment", "view", DAY))
    (kept,) = kept_back(store, door, "en")
    assert "cannot be read" in kept.why


def test_odrl_says_what_the_agreement_says(store):
    zone = {"type": "Polygon", "coordinates": [[[70, 37], [71, 37], [71, 38], [70, 37]]]}
    other_names = {"Panthera uncia": ["Uncia uncia"]}
    classes = [
        {"name": "cats", "taxa": ["Panthera uncia"], "synonyms": other_names,
         "level": "generalised", "cell_degrees": 0.1, "embargo_months": 12,
         "withheld_fields": ["locality"]},
        {"name": "water", "nouns": ["Observation"], "properties": ["nitrate"],
         "level": "aggregated"},
        {"name": "strip", "zones": ["strip"], "level": "withheld"},
    ]  # fmt: skip
    put(store, signing.signed(agreement(classes, zones={"strip": zone})))
    found = lifecycle.standing(store, "AG-1", DAY)
    assert found is not None
    policy = odrl.policy(found)
    assert json.loads(json.dumps(policy)) == policy
    assert policy["@context"][0] == "http://www.w3.org/ns/odrl.jsonld"
    assert policy["@type"] == "Agreement" and policy["uid"] == "urn:ecotone:agreement:AG-1:2"
    assert policy["conflict"] == "prohibit" and policy["profile"]
    rules = [*policy["permission"], *policy["prohibition"]]
    assert len(policy["permission"]) == 4 and len(policy["prohibition"]) == 2
    for rule in rules:
        assert set(rule) == {"assigner", "assignee", "target", "action", "constraint"}
        assert rule["assigner"] == "urn:ecotone:party:AA"
        for constraint in [*rule["constraint"], *rule["action"][0]["refinement"]]:
            assert {"leftOperand", "operator", "rightOperand"} <= set(constraint)
    refined = {c["leftOperand"]: c for c in policy["permission"][0]["action"][0]["refinement"]}
    assert refined["resolution"]["rightOperand"] == {"@value": "0.1", "@type": "xsd:decimal"}
    assert refined["delayPeriod"]["rightOperand"]["@value"] == "P12M"
    targets = {r["target"]["eco:class"]: r["target"] for r in rules}
    assert targets["cats"]["refinement"][0]["rightOperand"] == ["Panthera uncia", "Uncia uncia"]
    assert targets["strip"]["refinement"][0]["rightOperand"] == [zone]
    put(store, agreement(classes[:1], version=3))
    offered = odrl.policy(lifecycle.standing(store, "AG-1", DAY))
    assert offered["@type"] == "Offer" and "prohibition" not in offered
    put(store, agreement([{"name": "all", "level": "withheld"}], version=4))
    closed = odrl.policy(lifecycle.standing(store, "AG-1", DAY))
    assert "permission" not in closed and "refinement" not in closed["prohibition"][0]["target"]
