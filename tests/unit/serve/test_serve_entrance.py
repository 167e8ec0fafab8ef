"""Coming in: passwords, sessions, secrets of forms, tokens of programs, the brake."""

from __future__ import annotations

import base64

import pytest

from ecotone.model.errors import UsageError
from ecotone.serve.accounts import ROLES, Accounts
from ecotone.serve.guard import masked, unmasked
from ecotone.serve.sessions import Brake, Sessions
from ecotone.share.desk import open_node
from tests.command import ecotone
from tests.portal import PASSWORD, Visitor, csrf, words, world


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return world(tmp_path_factory.mktemp("entrance"))


@pytest.fixture(scope="module")
def app(here):
    app = here.app()
    yield app
    app.state.served.close()


def test_nobody_sees_anything_before_signing_in(app):
    guest = Visitor(app)
    for path in ("/", "/data", "/data/Observation", "/deliver", "/sharing", "/runs", "/ledger"):
        answer = guest.http.get(path, follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
    program = guest.http.get("/data", headers={"accept": "application/json"})
    assert program.status_code == 401 and program.json()["message"] == "Sign in first."


def test_a_wrong_password_and_a_wrong_name_are_told_alike(app):
    said = {
        words(Visitor(app).post("/sign-in", 401, form="/sign-in", person=who, password="no"))
        for who in ("aigul", "nobody-here")
    }
    assert len({text.replace("aigul", "").replace("nobody-here", "") for text in said}) == 1


def test_after_signing_in_one_goes_where_one_wanted(app):
    visitor = Visitor(app)
    page = visitor.get("/data?purpose=assessment")
    answer = visitor.http.post(
        "/sign-in",
        data={"csrf": csrf(page), "person": "aigul", "password": PASSWORD, "next": "/ledger"},
    )
    assert answer.url.path == "/ledger"


@pytest.mark.parametrize(
    "where", ["//evil.example", "https://evil.example", "/\\evil", "javascript:1"]
)
def test_nobody_is_sent_elsewhere(app, where):
    visitor = Visitor(app).sign_in("ruslan")
    answer = visitor.http.get("/sign-in", params={"next": where}, follow_redirects=False)
    assert answer.headers["location"] == "/"
    answer = visitor.http.get("/language/ru", params={"next": where}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_form_without_its_secret_does_nothing(app):
    visitor = Visitor(app).sign_in("saule")
    for data in ({}, {"csrf": masked("wrong")}, {"csrf": "?"}):
        answer = visitor.http.post("/me/password", data={"old": PASSWORD, **data})
        assert answer.status_code == 403
    other = Visitor(app).sign_in("aigul")
    stolen = csrf(other.get("/me"))
    assert visitor.http.post("/sign-out", data={"csrf": stolen}).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_form_of_another_site_does_nothing(app, headers):
    visitor = Visitor(app).sign_in("saule")
    secret = csrf(visitor.get("/me"))
    assert visitor.http.post("/sign-out", data={"csrf": secret}, headers=headers).status_code == 403


def test_secrets_look_otherwise_on_every_page():
    assert masked("abc") != masked("abc")
    assert unmasked(masked("abc")) == "abc"


def test_cookies_and_headers_are_strict(app):
    visitor = Visitor(app)
    page = visitor.get("/sign-in")
    answer = visitor.http.post(
        "/sign-in",
        data={"csrf": csrf(page), "person": "aigul", "password": PASSWORD},
        follow_redirects=False,
    )
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert PASSWORD not in str(answer.url)


def test_behind_https_cookies_travel_by_nothing_else(here):
    app = here.app(https=True)
    page = Visitor(app).http.get("/sign-in")
    assert "Secure" in page.headers["set-cookie"]
    app.state.served.close()


def test_only_known_names_of_the_server_are_answered(here):
    app = here.app(hosts=["127.0.0.1"])
    visitor = Visitor(app)
    assert visitor.http.get("/sign-in").status_code == 421
    assert visitor.http.get("/sign-in", headers={"host": "127.0.0.1:80"}).status_code == 200
    app.state.served.close()


def test_requests_too_long_are_refused(here):
    app = here.app(largest_upload=2_000_000)
    visitor = Visitor(app).sign_in("aigul")
    long = {"file": ("a.csv", b"x" * 3_000_000)}
    assert visitor.http.post("/deliver", data={"csrf": "x"}, files=long).status_code == 413
    chunks = (b"a" * 300_000 for _ in range(9))
    answer = visitor.http.post(
        "/sign-in", content=chunks, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 413
    app.state.served.close()


def test_another_password_ends_other_sessions(tmp_path):
    app = world(tmp_path).app()
    one, other = Visitor(app).sign_in("ruslan"), Visitor(app).sign_in("ruslan")
    assert "wrong" in words(one.post("/me/password", 422, old="no", new="x" * 12, again="x" * 12))
    assert "two ways" in words(one.post("/me/password", 422, old=PASSWORD, new="x" * 12, again="y"))
    one.post("/me/password", 422, old=PASSWORD, new="short", again="short")
    done = one.post("/me/password", old=PASSWORD, new="n" * 12, again="n" * 12)
    assert "changed" in words(done)
    assert other.http.get("/me", follow_redirects=False).status_code == 303
    assert Visitor(app).sign_in("ruslan", "n" * 12)
    app.state.served.close()


def test_who_signs_out_is_out(app):
    visitor = Visitor(app).sign_in("ruslan")
    kept = dict(visitor.http.cookies)
    visitor.post("/sign-out")
    again = Visitor(app)
    again.http.cookies.update(kept)
    assert again.http.get("/me", follow_redirects=False).status_code == 303


def test_three_languages(app):
    visitor = Visitor(app, "zh-CN,zh;q=0.9,en;q=0.5")
    assert '<html lang="zh-Hans">' in visitor.get("/sign-in").text
    assert '<html lang="ru">' in visitor.get("/language/ru?next=/sign-in").text
    assert '<html lang="ru">' in visitor.get("/sign-in").text


def test_tokens_let_programs_in_for_what_they_are_for(here, app):
    told = ecotone("people", "token", "aigul", "--name", "logger", "--node", here.node)
    token = told.out.strip()
    assert "once" in told.err
    program = Visitor(app).http
    answer = program.get("/data/Observation", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    basic = base64.b64encode(f"aigul:{token}".encode()).decode()
    assert program.get("/ledger", headers={"authorization": f"Basic {basic}"}).status_code == 200
    # A token to read does not correct, whatever its person may.
    answer = program.post(
        "/data/Observation/record/x/correct", headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 403
    for wrong in (token[:-1], "eco_x_y", "", "eco__"):
        answer = program.get("/ledger", headers={"authorization": f"Bearer {wrong}", "accept": "x"})
        assert answer.status_code == 401
    ecotone("people", "token", "aigul", "--name", "logger", "--remove", "--node", here.node)
    gone = program.get("/ledger", headers={"authorization": f"Bearer {token}", "accept": "x"})
    assert gone.status_code == 401


def test_guessing_is_slowed_down(tmp_path):
    app = world(tmp_path).app()
    visitor = Visitor(app)
    for _ in range(6):
        visitor.post("/sign-in", 401, form="/sign-in", person="aigul", password="no")
    said = words(visitor.post("/sign-in", 401, form="/sign-in", person="aigul", password=PASSWORD))
    assert "Too many attempts" in said
    app.state.served.close()


def test_the_brake_waits_longer_each_time_and_forgets():
    now = [0.0]
    brake = Brake(lambda: now[0])
    waits = []
    for _ in range(9):
        brake.failed("Aigul", "1.2.3.4")
        waits.append(brake.wait("aigul", "1.2.3.4"))
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16]
    assert brake.wait("aigul", "5.6.7.8") == 0, "another address is not locked out by it"
    now[0] = 1000.0
    assert brake.wait("aigul", "1.2.3.4") == 0
    brake.failed("aigul", "1.2.3.4")
    assert brake.wait("aigul", "1.2.3.4") == 0


def test_sessions_end():
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    kept = sessions.begin("aigul", "s")
    now[0] = 7 * 3600.0
    assert sessions.find(kept)
    now[0] = 16 * 3600.0
    assert sessions.find(kept) is None
    kept = sessions.begin("aigul", "s")
    for _ in range(5):
        now[0] += 6 * 3600.0
        found = sessions.find(kept)
    assert found is None, "no session outlives a day"


def test_accounts_of_people_who_left_or_are_unknown(here):
    with open_node(here.node) as store:
        accounts = Accounts(store.folder, store.people, store.party_id)
        for wrong in ("nobody", "../evil", "CON", "a" * 70):
            with pytest.raises(UsageError):
                accounts.set_password(wrong, PASSWORD)
            assert accounts.account(wrong) is None
        with pytest.raises(UsageError):
            accounts.set_password("aigul", "short")
        with pytest.raises(UsageError):
            accounts.make_token("aigul", "x", "everything")
        listed = {a.person: a.role for a, _ in accounts.listing()}
        assert listed["saule"] == "signer" and set(listed.values()) == set(ROLES)
        texts = [p.read_text() for p in (store.folder / "keys" / "accounts").iterdir()]
        assert all("$argon2id$" in t and PASSWORD not in t for t in texts)


def test_people_by_the_command_line(here):
    told = ecotone("people", "add", "new-one", "--name", "New One", "--role", "reader",
                   "--generate", "--node", here.node)  # fmt: skip
    assert told.code == 0 and "Password: " in told.out
    listed = ecotone("people", "list", "--json", "--node", here.node).json
    assert {"person": "new-one", "name": "New One", "party": "KNCM", "role": "reader",
            "tokens": []} in listed  # fmt: skip
    assert "new-one" in ecotone("people", "list", "--node", here.node).out
    assert ecotone("people", "remove", "new-one", "--node", here.node).code == 0
    assert ecotone("people", "remove", "new-one", "--node", here.node).code == 2
