"""A foreign party asks for whatever it can think of; no hidden record by any route.

The node is that of the leak tests, full of canaries. The long run makes 10,000 requests.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from ecotone.model.records import Person
from ecotone.serve.accounts import Accounts
from ecotone.serve.app import create_app
from ecotone.share.desk import open_node
from tests.crawl import crawl, guesses, secret_of
from tests.leaks.plant import DAY, canaries, node
from tests.leaks.search import Search
from tests.portal import PASSWORD, Visitor

#: Two centres of cells of 0.01 degree: no canary begins so, but one on a Chinese map may by chance.
_CENTRES = re.compile(r"\d+\.\d\d5 \d+\.\d\d5")
BEGUN = f"{datetime.now(UTC):%H:%M:%S}"
READERS = ("BB", "CC", "DD", "EE")


@pytest.fixture(scope="module")
def birds():
    return canaries()


@pytest.fixture(scope="module")
def app(birds, tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign") / "node"
    node(folder, birds)
    with open_node(folder) as store:
        accounts = Accounts(store.folder, store.people, store.party_id)
        by = store.people()[0].person_id
        for party in READERS:
            for role in ("reader", "steward", "signer"):
                name = f"{party.lower()}-{role}"
                made = Person(person_id=name, party_id=party, name=name, role=role)
                store.put_person(made, person=by)
                accounts.set_password(name, PASSWORD)
    app = create_app(folder, today=lambda: date.fromisoformat(DAY))
    yield app
    app.state.served.close()


@pytest.mark.parametrize(
    "party", ["BB", *(pytest.param(p, marks=pytest.mark.slow) for p in ("CC", "DD", "EE"))]
)
def test_crawling_all_links_finds_no_canary(app, birds, party):
    visitor = Visitor(app).sign_in(f"{party.lower()}-steward")
    found = crawl(visitor, most=90)
    assert len(found) > 15
    _assert_clean(found, birds)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_random_requests_reveal_nothing(app, birds, number):
    found = {}
    for k, party in enumerate(READERS):
        role = ("steward", "signer")[k % 2]
        visitor = Visitor(app).sign_in(f"{party.lower()}-{role}")
        with open_node(app.state.served.folder) as store:
            known = [str(i) for i in _hidden_identifiers(store)]
        secret = secret_of(visitor)
        for path, method, form in guesses(app, known, number // len(READERS), seed=k):
            data = None if form is None else {**form, "csrf": secret}
            answer = visitor.http.request(method, path, data=data)
            assert answer.status_code < 500, (method, path)
            found[f"{party} {method} {path}"] = answer.content
    _assert_clean(found, birds)


def _hidden_identifiers(store):
    for noun in ("Occurrence", "Observation", "Site"):
        for block in store.select(noun, datasets=["cats", "dens"]):
            yield from block["id"].head(40)


def _assert_clean(found, birds):
    search = Search(birds)
    hits = {
        name: told[:5]
        for name, data in found.items()
        if (told := [hit for hit in search.hits(data) if not _by_chance(hit)])
    }
    assert hits == {}


def _by_chance(hit):
    """Centres of cells, and the time of day at which these tests made a workbook."""
    clock = re.fullmatch(r"\d\d:\d\d:\d\d", hit)
    now = f"{datetime.now(UTC):%H:%M:%S}"
    return bool(_CENTRES.fullmatch(hit) or (clock and BEGUN <= hit <= now))
