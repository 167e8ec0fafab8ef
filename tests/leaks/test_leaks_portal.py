"""The portal: two nodes that differ in what a reader may not see answer with the same bytes.

The second node bears other hidden values, no withheld records, and besides them a dataset nobody
was given, corrections in it, unsigned drafts, requests between others, plans and a draft run. A
partner who has an account, and a guest who has none, must find no difference on any page, in any
file, picture or error.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import zip_longest
from typing import Any

import pandas as pd
import pytest
from httpx import Response
from tests import signing
from tests.crawl import crawl_answers, guesses
from tests.leaks import plant
from tests.nodes import deliver
from tests.portal import PASSWORD, PLAN, STANDARDS, Visitor, csrf

from ecotone.model.dictionary import RECORD_NOUNS
from ecotone.model.records import Dataset, Person
from ecotone.serve.accounts import Accounts
from ecotone.serve.app import create_app
from ecotone.share import negotiate
from ecotone.share.agreements import parse
from ecotone.share.desk import open_node
from ecotone.share.negotiate import Actor
from ecotone.share.statements import Wish
from ecotone.store import Store

#: What each request brings anew: secrets of forms, numbers of work begun, the time of day.
_ANEW = (
    (re.compile(rb'(name="csrf" value=")[^"]*'), rb"\1"),
    (re.compile(rb"(/(?:deliver/checks|runs/work|ledger/checks)/)[\w-]{16}"), rb"\1"),
    (re.compile(rb"20\d\d-\d\d-\d\d \d\d:\d\d UTC"), b"now"),
)
_OWN_LENGTH = frozenset({"set-cookie", "content-length", "etag", "last-modified"})
READERS = ("BB", "CC", "DD", "EE")
Twins = tuple[Any, Any]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """The servers of both nodes."""
    first = tmp_path_factory.mktemp("portal") / "one" / "node"
    first.parent.mkdir()
    birds = plant.canaries()
    plant.node(first, birds)
    with open_node(first) as store:
        _let_in(store)
    second = first.parents[1] / "two" / "node"
    shutil.copytree(first.parent, second.parent)
    with open_node(second) as store:
        _hide(store)
    other = plant.canaries(11, word="plover", like=birds)
    plant.move(second, other)
    plant.photographs(second.parent / "photos", other)
    apps = tuple(
        create_app(folder, today=lambda: date.fromisoformat(plant.DAY), media=folder.parent)
        for folder in (first, second)
    )
    yield apps[0], apps[1]
    for app in apps:
        app.state.served.close()


def _let_in(store: Store) -> None:
    known = Accounts(store.folder, store.people, store.party_id)
    by = store.people()[0].person_id
    store.put_party(signing.party("FF"), person=by)
    for party in READERS:
        name = f"{party.lower()}-steward"
        store.put_person(
            Person(person_id=name, party_id=party, name=name, role="steward"), person=by
        )
        known.set_password(name, PASSWORD)


def _hide(store: Store) -> None:
    """What the second node has and no partner may learn of."""
    actor = Actor(store, "aigul", date.fromisoformat(plant.DAY))
    store.put_person(
        Person(person_id="plover", party_id="AA", name="Plover", role="reader"), person="aigul"
    )
    store.put_dataset(Dataset(dataset_id="plovers", party_id="AA", title="Plovers"), person="aigul")
    birds = pd.DataFrame(
        {"occurrence_id": ["plover-1", "plover-2"], "taxon": "Charadrius dubius",
         "latitude": 31.5, "longitude": 61.5, "time_start": pd.Timestamp("2011-01-01T12:00Z")}
    )  # fmt: skip
    deliver(store, birds, noun="Occurrence", dataset="plovers", name="plover.csv")
    animals = pd.DataFrame({"individual_id": ["plover-1", "plover-2"], "recognised_by": "coat"})
    deliver(store, animals, noun="Individual", dataset="plovers", name="plovers.csv")
    rule = {"name": "plovers", "level": "full"}
    for reader in ("BB", "CC"):
        draft = {**plant.agreements()[0], "agreement_id": f"AA-PLOVER-{reader}", "classes": [rule],
                 "recipients": [reader], "datasets": ["plovers"], "status": "draft"}  # fmt: skip
        negotiate.put_draft(actor, parse(draft, "draft"), json.dumps(draft))
    # The next version of an agreement in force, which nobody has signed.
    better = {**plant.agreements()[0], "version": 2, "title": {"en": "Plovers"}, "status": "draft"}
    negotiate.put_draft(actor, parse(better, "draft"), json.dumps(better))
    wish = {"owner": "FF", "datasets": ["plovers"], "level": "full", "purpose": "assessment",
            "actions": ["view"], "until": "2030-01-01"}  # fmt: skip
    negotiate.ask(actor, Wish.model_validate(wish), "plovers")
    plan = store.folder / "runs" / "plans" / "plovers"
    plan.mkdir(parents=True)
    (plan / "plan.toml").write_text(PLAN.replace("KNCM", "AA"), encoding="utf-8")
    (plan / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    run = {"title": {"en": "Plovers"}, "created": "2026-05-01", "status": "draft", "reader": "AA",
           "purpose": "assessment", "approvals": [], "results": [], "agreements": []}  # fmt: skip
    (store.folder / "runs" / "2026-05-01-plovers").mkdir()
    path = store.folder / "runs" / "2026-05-01-plovers" / "run.json"
    path.write_text(json.dumps(run), encoding="utf-8")


def visitors(twins: Twins, person: str = "") -> tuple[Visitor, Visitor]:
    """Somebody in front of both servers; what is released is ready on both, noted in one order."""
    both = Visitor(twins[0]), Visitor(twins[1])
    for visitor in both if person else ():
        visitor.sign_in(person)
        for noun in RECORD_NOUNS:
            visitor.until(visitor.http.get(f"/data/{noun}"))
    return both


def plain(answer: Response) -> tuple[int, str, dict[str, str], bytes]:
    """An answer without what every request brings anew."""
    body = answer.content
    if body[:2] == b"PK":
        # A workbook says when it was made.
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            names = [n for n in book.namelist() if n != "docProps/core.xml"]
            body = b"".join(n.encode() + book.read(n) for n in names)
    where = str(answer.url)
    for pattern, instead in _ANEW:
        body = pattern.sub(instead, body)
        where = pattern.sub(instead, where.encode()).decode()
    headers = {k: v for k, v in answer.headers.items() if k not in _OWN_LENGTH}
    return answer.status_code, where, headers, body


def differing(one: Response, other: Response) -> list[Any]:
    """What is not the same in two answers, line by line."""
    *first, text = plain(one)
    *second, same = plain(other)
    found: list[Any] = [] if first == second else [(first, second)]
    if text != same:
        lines = zip_longest(text.split(b"\n"), same.split(b"\n"))
        found += [pair for pair in lines if pair[0] != pair[1]][:5]
    return found


@pytest.mark.parametrize(
    "person",
    ["", "bb-steward",
     *(pytest.param(f"{p}-steward", marks=pytest.mark.slow) for p in ("cc", "dd", "ee"))],
)  # fmt: skip
def test_every_page_is_the_same(twins: Twins, person: str) -> None:
    one, other = visitors(twins, person)
    start = ["/", "/data", "/sharing", "/runs", "/ledger", "/me", "/openapi.json", "/nowhere",
             "/sharing/agreements/AA-PLOVER-BB", "/sharing/agreements/AG-BB",
             "/runs/2026-05-01-plovers", "/runs/plans/plovers", "/data/Occurrence?dataset_id=dens",
             "/sharing/preview?reader=AA", "/matches/picture/x", "/data/Site/csv",
             *(f"/data/{noun}/csv" for noun in ("Occurrence", "Observation", "Media")),
             *(f"/data/{noun}/map{tile}" for noun in ("Occurrence", "Observation")
               for tile in ("", "/0/0/0.svg", "/4/11/5.svg"))]  # fmt: skip
    number = 0
    for path, answer in crawl_answers(one, 60, start):
        same = other.until(other.http.get(path))
        assert differing(answer, same) == [], path
        assert b"lover" not in plain(same)[3] or "lover" in path, path
        number += 1
    assert number > (40 if person else len(start) - 1)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("number", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_random_requests_are_answered_alike(twins: Twins, number: int) -> None:
    known = _known(twins)
    people = ("bb-steward", "", "cc-steward", "dd-steward", "ee-steward")
    people = people[:2] if number < 1000 else people
    for seed, person in enumerate(people):
        both = visitors(twins, person)
        secrets = [csrf(v.get("/me" if person else "/sign-in")) for v in both]
        for path, method, form in guesses(twins[0], known, number // len(people), seed=seed):
            answers = []
            for visitor, secret in zip(both, secrets, strict=True):
                data = None if form is None else {**form, "csrf": secret}
                answer = visitor.http.request(method, path, data=data)
                assert answer.status_code < 500, (method, path)
                answers.append(visitor.until(answer))
            assert differing(*answers) == [], (person, method, path)


def _known(twins: Twins) -> list[str]:
    """Identifiers of records the readers may not know, there in one node or in both."""
    found = ["plovers", "plover-1", "AA-PLOVER-BB", "AA-PLOVER-CC", "AG-BB", "2026-05-01-plovers"]
    for app in twins:
        with open_node(app.state.served.folder) as store:
            for noun in ("Occurrence", "Observation", "Site"):
                for block in store.select(noun, datasets=["cats", "dens", "plovers"]):
                    found += [str(i) for i in block["id"].head(30)]
            found += [b.batch_id for b in store.batches()]
            found += [f"{datetime.now(UTC):%Y-%m-%d}"]
    return found
