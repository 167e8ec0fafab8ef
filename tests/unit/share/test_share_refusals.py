"""What is kept back and what is refused, each with the sentence that says why."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ecotone.model.records import Clearance, Dataset
from ecotone.share import letter, lifecycle, negotiate
from ecotone.share.agreements import parse
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.share.draft import draft_text
from ecotone.share.statements import Wish
from ecotone.share.withheld import kept_back
from ecotone.store import Store
from tests import signing
from tests.unit.share.fixtures import agreement
from tests.unit.share.test_share_lifecycle import DAY, FULL, acting, altered, code, make, put

LANGUAGES = ("en", "zh", "ru")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with make(tmp_path / "AA", "AA", "BB CC") as made:
        yield made


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Store]:
    with make(tmp_path / "BB", "BB", "AA CC") as made:
        yield made


def kept(store: Store, noun: str | None = None, lang: str = "en", **asked: str) -> list[str]:
    request = Request("BB", asked.get("purpose", "assessment"), asked.get("action", "view"), DAY)
    door = Door(store, request)
    return [f"{one.what} | {one.why}" for one in kept_back(store, door, lang, noun)]


# What is kept back


def test_each_class_says_what_of_it_stays_and_why(store):
    hunted = {"en": "Hunted.", "ru": "Охотятся."}
    put(
        store,
        signing.signed(
            agreement(
                [
                    {"name": "dens", "taxa": ["Panthera uncia"], "level": "withheld",
                     "reason": hunted},
                    {"name": "goats", "taxa": ["Capra"], "level": "full", "embargo_months": 6,
                     "withheld_fields": ["recorded_by"]},
                    {"name": "sites", "nouns": ["Site"], "level": "metadata"},
                ]
            )
        ),
    )  # fmt: skip
    told = kept(store)
    (dens,) = (line for line in told if line.startswith("dens"))
    assert "AG-1 v2" in dens and dens.endswith("Hunted.")
    goats = " ".join(line for line in told if line.startswith("goats"))
    assert "6 months" in goats and "AG-1 v2 withholds" in goats
    assert any(line.startswith("sites") for line in told)
    # A class by taxa leaves records unnamed, and that is said as well.
    assert told[-1] == "everything not named | No class of an agreement names it."
    # Asked about sites alone, classes of animals speak for none, and the sites are all named.
    about_sites = kept(store, "Site")
    assert any(line.startswith("sites") for line in about_sites)
    for lang in LANGUAGES:
        assert len(kept(store, lang=lang)) == len(told)
    assert any(line.endswith("Охотятся.") for line in kept(store, lang="ru"))
    # A language without a reason of its own gets the English one.
    assert any(line.endswith("Hunted.") for line in kept(store, lang="zh"))


@pytest.mark.parametrize(
    ("changes", "asked", "said"),
    [
        ({}, {"purpose": "hunting"}, "AG-1 v2 is for"),
        ({}, {"action": "redistribute"}, "AG-1 v2 does not"),
        ({"valid_until": "2026-05-31"}, {}, "AG-1 v2: expired"),
        ({"recipients": ["CC"]}, {}, "No agreement"),
        ({"datasets": ["other"]}, {}, "No agreement"),
    ],
)
def test_where_no_agreement_answers_the_nearest_one_says_why(store, changes, asked, said):
    put(store, signing.signed(agreement(FULL, **changes)))
    (line,) = kept(store, **asked)
    assert said in line


def test_the_readers_own_datasets_are_never_kept_from_it(store):
    cleared = Clearance(authority="M", number="1", date=date(2025, 1, 1), scope="all")
    own = Dataset(dataset_id="theirs", party_id="BB", title="T", export_clearance=cleared)
    store.put_dataset(own, person="signer")
    assert all("theirs" not in line for line in kept(store))


# Letters


def test_letters_that_are_none_or_of_another_form_are_told_apart(tmp_path):
    path = tmp_path / "letter.json"
    for text in ("[agreement]", "[1, 2]", '{"a": 1}', "[" * 100_000, "\xff"):
        path.write_bytes(text.encode("latin-1"))
        assert letter.read(path) is None
    path.write_text('{"format": "ecotone-letter-9"}', encoding="utf-8")
    assert code(letter.read, path) == "lifecycle.letter-format"
    with path.open("wb") as stream:
        stream.truncate(33 * 1024 * 1024)
    assert code(letter.read, path) == "lifecycle.letter-long"


def test_letters_with_other_things_in_the_place_of_agreements_are_refused(store, guest):
    put(store, signing.signed(agreement(FULL), ["AA"]))
    text = letter.write(acting(store), ["AG-1"])
    for changes in (
        {"agreements": "AG-1"},
        {"statements": {"a": 1}},
        {"agreements": ["AG-1"]},
    ):
        told = code(letter.take, acting(guest), altered(text, **changes))
        assert told == "lifecycle.letter-format"
    by_stranger = altered(text)
    by_stranger["agreements"][0]["signatures"]["ZZ"] = "ZZ 1 x"
    assert code(letter.take, acting(guest), by_stranger) == "keys.party-unknown"
    assert lifecycle.standing(guest, "AG-1", DAY) is None, "nothing of any of them has stayed"


def test_another_text_under_a_version_that_is_known_is_refused(store, guest):
    put(store, signing.signed(agreement(FULL), ["AA"]))
    text = letter.write(acting(store), ["AG-1"])
    letter.take(acting(guest), json.loads(text))
    other = altered(text)
    other["agreements"][0]["purposes"] = ["anything"]
    assert code(letter.take, acting(guest), other) == "lifecycle.other-text"
    # The same letter again brings nothing.
    assert letter.take(acting(guest), json.loads(text)) == letter.Taken()


# Words of the parties


def test_who_signs_what_is_theirs_to_sign_once(store, guest):
    for node in (store, guest):
        put(node, agreement(FULL, recipients=["CC"], owner="AA"))
    assert code(negotiate.sign, acting(guest), "AG-1") == "lifecycle.not-party"
    assert code(negotiate.sign, acting(store, date(2100, 1, 1)), "AG-1") == "lifecycle.term-over"
    negotiate.sign(acting(store), "AG-1")
    assert code(negotiate.sign, acting(store), "AG-1") == "lifecycle.signed-already"
    same = parse(agreement(FULL, recipients=["CC"]), "x")
    assert code(negotiate.amended, acting(store), same) == "lifecycle.amends-nothing"


def test_requests_are_asked_of_others_in_time_and_answered_once(store, guest):
    wish = Wish(
        owner="AA",
        datasets=("cats",),
        level="full",
        purpose="assessment",
        actions=("view",),
        until=date(2027, 1, 1),
    )
    itself = wish.model_copy(update={"owner": "BB"})
    assert code(negotiate.ask, acting(guest), itself, "x") == "lifecycle.asks-itself"
    past = wish.model_copy(update={"until": date(2026, 1, 1)})
    assert code(negotiate.ask, acting(guest), past, "x") == "lifecycle.wish-over"
    asked = negotiate.ask(acting(guest), wish, "for the joint survey")
    letter.take(acting(store), json.loads(letter.write(acting(guest), [], [asked])))
    reply = {"granted": False, "text": "not this year"}
    unknown = code(negotiate.answer, acting(store), "nobody-1", **reply)
    assert unknown == "lifecycle.request-unknown"
    negotiate.answer(acting(store), asked.statement_id, **reply)
    again = code(negotiate.answer, acting(store), asked.statement_id, **reply)
    assert again == "lifecycle.answered-already"


def test_the_stamped_paper_is_kept_by_its_hash(store, tmp_path):
    put(store, signing.signed(agreement(FULL), ["AA"]))
    paper = tmp_path / "stamped.pdf"
    paper.write_bytes(b"%PDF-1.4 stamp")
    said = negotiate.attach(acting(store), "AG-1", paper, "signed at the ministry")
    assert said.scan is not None and said.scan.name == "stamped.pdf" and said.scan.size == 14
    assert store.file_path(said.scan.sha256).read_bytes() == paper.read_bytes()


# Drafts


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_draft_is_an_agreement_as_it_stands_in_each_language(lang):
    text = draft_text(
        lang,
        owner="AA",
        recipients=["BB", "CC"],
        datasets=[],
        agreement_id='AG "7"',
        today=date(2028, 2, 29),
    )
    drafted = parse(tomllib.loads(text)["agreement"], "draft")
    assert (drafted.owner, drafted.recipients) == ("AA", ("BB", "CC"))
    assert drafted.agreement_id == 'AG "7"' and drafted.datasets == ("DATASET",)
    # A leap day ends on a day that exists.
    assert (drafted.valid_from, drafted.valid_until) == (date(2028, 2, 29), date(2031, 2, 28))
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert len(comments) >= 10
