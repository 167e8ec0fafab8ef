"""What goes wrong between a browser and the portal: nothing typed is lost, nothing done twice."""

from __future__ import annotations

import errno
import io
import re
import time
import zipfile
from html import unescape

import pytest

from ecotone.model.words import LANGUAGES, say
from ecotone.serve import uploads
from ecotone.serve.views import Wanted
from tests.portal import DAY, Visitor, csrf, words, world

TEXT = 'lost "quotes" & lines\nof a reason'
FORM = "/data/Observation/record/{}/correct"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    app = world(tmp_path_factory.mktemp("mishaps")).app(largest_upload=2 << 20)
    yield app
    app.state.served.close()


@pytest.fixture
def steward(app):
    return Visitor(app).sign_in("aigul")


def record(visitor, name="kncm-water-9"):
    page = visitor.until(visitor.get(f"/data/Observation?q={name}"))
    return re.search(r"/record/([^?\"]+)", page.text)[1]


def fields(page):
    """Hidden texts of a page's form, as a browser would send them."""
    found = re.findall(r'<textarea name="([^"]+)" hidden>\n(.*?)</textarea>', page.text, re.S)
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {k: unescape(v) for k, v in [*hidden, *found]}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_session_that_ends_in_the_midst_of_a_form_loses_nothing_typed(app, lang):
    visitor = Visitor(app, lang).sign_in("aigul")
    form = FORM.format(record(visitor))
    version = re.search(r'name="version" value="(\d+)"', visitor.get(form).text)[1]
    typed = {"version": version, "reason": f"{TEXT} {lang}", "v-value": str(5 + len(lang))}
    typed["v-value"] += str(LANGUAGES.index(lang))
    secret = csrf(visitor.get(form))
    app.state.served.sessions._known.clear()
    page = visitor.http.post(form, data={"csrf": secret, **typed})
    assert page.status_code == 401 and str(say("portal.session-over", lang)) in words(page)
    wrong = visitor.http.post("/sign-in", data={**fields(page), "person": "aigul", "password": "?"})
    assert wrong.status_code == 401
    again = {**fields(wrong), "person": "aigul", "password": "a long password 7"}
    page = visitor.http.post("/sign-in", data=again)
    assert str(say("portal.resend.lead", lang)) in words(page)
    kept = fields(page)
    assert {k: kept[k].replace("\r\n", "\n") for k in typed} == typed
    done = visitor.http.post(form, data=kept)
    assert done.status_code == 200
    seen = words(visitor.until(visitor.get(form.removesuffix("/correct"))))
    assert f"of a reason {lang}" in seen


def test_of_an_upload_in_a_session_that_ended_the_file_is_chosen_again(app, steward):
    secret = csrf(steward.get("/deliver"))
    app.state.served.sessions._known.clear()
    data = {"csrf": secret, "dataset": "kncm-water"}
    page = steward.http.post("/deliver", data=data, files={"file": ("a.csv", b"a\n1\n")})
    assert page.status_code == 401
    again = {**fields(page), "person": "aigul", "password": "a long password 7"}
    page = steward.http.post("/sign-in", data=again)
    assert "Choose the file once more" in words(page) and 'href="/deliver"' in page.text


def test_secrets_are_not_carried_along(app, steward):
    secret = csrf(steward.get("/me"))
    app.state.served.sessions._known.clear()
    page = steward.http.post("/me/password", data={"csrf": secret, "old": "Xx-1", "new": "Yy-2"})
    assert page.status_code == 401 and "Xx-1" not in page.text and "Yy-2" not in page.text


def test_a_second_click_does_nothing_twice(app, steward):
    store = app.state.served.store
    table = b"observation_id,site,property,value,unit,time_start\nd-1,S01,ph,7,1,2025-05-01\n"
    page = steward.until(
        steward.post("/deliver", files={"file": ("d.csv", table)}, dataset="kncm-water")
    )
    secret, at = csrf(page), page.url.path
    both = [
        steward.http.post(f"{at}/accept", data={"csrf": secret}, follow_redirects=False)
        for _ in range(2)
    ]
    assert {a.status_code for a in both} == {303}
    assert "Taken in." in words(steward.until(steward.get(at)))
    assert [b.file_name for b in store.batches()].count("d.csv") == 1
    wish = {"owner": "URUM", "datasets": "urum-water", "level": "full", "purpose": "research",
            "until": "2027-01-01", "why": "twice"}  # fmt: skip
    for _ in range(2):
        page = steward.post("/sharing/requests", **wish)
    assert words(page).count("twice") == 1
    word = {"first": "F01", "second": "M03", "decision": "different", "dataset": "kncm-cats",
            "reason": "sides"}  # fmt: skip
    steward.until(steward.get("/matches"))
    for _ in range(2):
        page = steward.until(steward.post("/matches/pair", **word))
    assert words(page).count("sides") == 1
    start = {"url": "/runs/plans/nitrate/start", "data": {"csrf": csrf(steward.get("/me"))}}
    both = [steward.http.post(**start, follow_redirects=False) for _ in range(2)]
    assert both[0].headers["location"] == both[1].headers["location"]


def test_work_of_a_server_that_was_restarted_is_told_of(steward):
    for path in ("/runs/work/AAAAAAAAAAAAAAAA", "/deliver/checks/AAAAAAAAAAAAAAAA"):
        assert "restarted" in words(steward.get(path, 404))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_too_large_is_told_in_a_sentence(app, lang):
    visitor = Visitor(app, lang).sign_in("aigul")
    files = {"file": ("a.csv", b"x" * (3 << 20))}
    answer = visitor.http.post("/deliver", data={"csrf": "x"}, files=files)
    assert answer.status_code == 413
    assert str(say("portal.too-large", lang, most=2)) in words(answer)
    assert "<nav" in answer.text


def test_a_full_disk_is_told_in_a_sentence(app, steward, monkeypatch):
    def full(*args, **more):
        raise OSError(errno.ENOSPC, "No space left on device", "/somewhere/inside")

    monkeypatch.setattr(uploads.shutil, "copyfileobj", full)
    files = {"file": ("a.csv", b"a\n1\n")}
    page = steward.post("/deliver", 507, files=files, dataset="kncm-water")
    assert "disk of the server is full" in words(page) and "somewhere" not in page.text
    monkeypatch.undo()
    monkeypatch.setattr("ecotone.serve.deliver.check", full)
    page = steward.post("/deliver", 422, files=files, dataset="kncm-water")
    assert "disk of the server is full" in words(page) and "somewhere" not in page.text


def test_a_workbook_that_unfolds_to_gigabytes_is_refused_at_once(steward):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr("[Content_Types].xml", b"<Types/>")
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(600):
                sheet.write(b" " * (1 << 19))
    begun = time.process_time()
    files = {"file": ("bomb.xlsx", out.getvalue())}
    page = steward.until(steward.post("/deliver", files=files, dataset="kncm-water"))
    assert "Refused" in words(page)
    assert time.process_time() - begun < 5


def test_a_view_nobody_waited_for_is_kept_once_and_a_failure_is_told_once(app, monkeypatch):
    views = app.state.served.views
    wanted = Wanted("KNCM", "Site", "assessment", DAY, "derive")
    views.get(wanted, patience=0.0)
    views.get(wanted, patience=30.0)
    assert wanted in views._made and not views._making
    monkeypatch.setattr(views, "_make", lambda *_: 1 / 0)
    other = Wanted("KNCM", "Taxon", "assessment", DAY, "derive")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            views.get(other)
    assert not views._making
