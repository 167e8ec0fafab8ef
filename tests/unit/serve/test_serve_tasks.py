"""The eight tasks by forms alone, and what goes wrong in them."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html import unescape

import numpy as np
import openpyxl
import pandas as pd
import pytest

from ecotone.model.words import LANGUAGES, say
from ecotone.serve.downloads import as_csv
from ecotone.serve.views import View, columnar
from tests.portal import Visitor, words, world


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    app = world(tmp_path_factory.mktemp("tasks")).app()
    yield app
    app.state.served.close()


@pytest.fixture
def steward(app):
    return Visitor(app).sign_in("aigul")


def workbook(visitor, *rows, lang="ru"):
    """The template of observations with rows filled in."""
    made = visitor.get(f"/deliver/templates/Observation?lang={lang}")
    book = openpyxl.load_workbook(io.BytesIO(made.content))
    sheet = book.worksheets[0]
    names = [str(cell.value).rpartition(".")[2] for cell in sheet[1]]
    for number, row in enumerate(rows, start=5):
        for name, value in row.items():
            sheet.cell(number, names.index(name) + 1, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def row(name, value, when="2025-05-01T10:00:00Z"):
    return {"observation_id": name, "site": "S01", "property": "nitrate", "value": value,
            "unit": "mg/L", "basis": "N", "time_start": when}  # fmt: skip


def hand_in(visitor, content, name="книга 一.xlsx", dataset="kncm-water", status=200):
    files = {"file": (name, content)}
    return visitor.until(visitor.post("/deliver", status, files=files, dataset=dataset))


def test_deliver_read_take_back_marked_and_accept(app, steward):
    book = workbook(steward, row("new-1", 3.5), row("new-2", "много"))
    page = hand_in(steward, book)
    said = words(page)
    assert "Some rows are rejected" in said and "много" in said and "Observations: 1" in said
    at = page.url.path
    marked = steward.get(f"{at}/marked")
    comments = [
        c.comment.text
        for r in openpyxl.load_workbook(io.BytesIO(marked.content)).worksheets[0].iter_rows()
        for c in r
        if c.comment
    ]
    assert any("много" in text for text in comments)
    done = steward.until(steward.post(f"{at}/accept"))
    assert "Taken in." in words(done)
    assert "new-2" in steward.get(f"{done.url.path}/rejected").text
    steward.get(at, 404)
    again = steward.until(steward.post(hand_in(steward, book).url.path + "/accept"))
    assert "had come before" in words(again)
    table = steward.until(steward.get("/data/Observation?q=new-1"))
    assert "1 to 1 of 1" in words(table)
    back = steward.post(f"{done.url.path}/withdraw", reason="a trial")
    assert "1 records hold no more" in words(back)


def test_a_delivery_into_a_dataset_of_another_party_is_refused(steward):
    assert "your own institution" in words(hand_in(steward, b"x", dataset="urum-water", status=422))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.xlsx", b"PK\x03\x04 not really"), ("CON.csv", b"\x00\x01"), ("../../x.xlsx", b"")],
)
def test_bad_files_get_a_sentence(steward, name, content):
    page = hand_in(steward, content, name=name, status=200 if content else 422)
    assert "Refused" in words(page) or "No file came" in words(page)


def test_a_file_nobody_described_gets_a_mapping_to_start_from(steward):
    page = hand_in(steward, "Станция,Нитраты\nS01,3.5\n".encode(), name="лаборатория.csv")
    assert "what the columns of this file mean" in words(page)
    text = steward.get(f"{page.url.path}/mapping").text
    assert "Нитраты" in text
    table = ("лаборатория.csv", "Станция,Нитраты\nS01,3.5\n")
    files = {"file": table, "mapping": ("m.toml", text)}
    again = steward.post("/deliver", files=files, dataset="kncm-water")
    assert steward.until(again).status_code == 200
    wrong = {"file": ("a.csv", "a,b\n1,2\n"), "mapping": ("m.toml", "[mapping")}
    steward.post("/deliver", 422, files=wrong, dataset="kncm-water")


def test_an_upload_of_another_person_is_not_there(app, steward):
    at = hand_in(steward, workbook(steward, row("mine", 1.0))).url.path
    other = Visitor(app).sign_in("talant")
    other.get(at, 404)
    other.post(f"{at}/accept", 404)
    steward.post(f"{at}/discard")
    steward.get(at, 404)


def test_correct_a_record_with_a_reason(app, steward):
    table = steward.until(steward.get("/data/Observation?q=kncm-water-7"))
    record = re.search(r"/record/([^?\"]+)", table.text)[1]
    form = f"/data/Observation/record/{record}/correct"
    steward.get(form)
    none = steward.post(form, 422, version="1", **{"v-value": "9.5"})
    assert "reason" in words(none).lower()
    wrong = steward.post(form, 422, version="1", reason="x", **{"v-value": "nine"})
    assert "nine" in words(wrong)
    done = words(steward.post(form, version="1", reason="pipette", **{"v-value": "9.5"}))
    assert "superseded by version 2" in done
    late = words(steward.post(form, 422, version="1", reason="y", **{"v-value": "8"}))
    assert "pipette" in late and "aigul" in late
    page = words(steward.until(steward.get(f"/data/Observation/record/{record}")))
    assert "pipette" in page and "9.5" in page
    enterer = Visitor(app).sign_in("talant")
    assert enterer.http.get(form).status_code == 403
    stranger = Visitor(app).sign_in("wei")
    stranger.get(form, 404)


def test_match_two_photographs(steward):
    assert "F01 – F02" in words(steward.until(steward.get("/matches")))
    page = steward.get("/matches/pair?first=F01&second=F02")
    pictures = re.findall(r'src="(/matches/picture/[^"]+)"', page.text)
    assert len(pictures) == 2
    image = steward.get(pictures[0])
    assert image.headers["content-type"] == "image/jpeg" and image.content[:2] == b"\xff\xd8"
    steward.post("/matches/pair", 422, first="F01", second="F02", decision="same",
                 dataset="kncm-cats", reason=" ")  # fmt: skip
    done = steward.post("/matches/pair", first="F01", second="F02", decision="same",
                        dataset="kncm-cats", reason="spots behind the shoulder")  # fmt: skip
    said = words(steward.until(done))
    assert "Your word is kept" in said and "spots behind the shoulder" in said


def test_photographs_outside_their_folder_are_not_there(app):
    from ecotone.serve.matches import _photograph

    root = app.state.served.media
    assert _photograph(root, "ridge/F01.jpg")
    for named in (
        "../node/ecotone.toml",
        "/etc/passwd",
        "ridge",
        "http://x/y.jpg",
        None,
        "a\\..\\b",
    ):
        assert _photograph(root, named) is None


def test_preview_what_a_partner_would_see(app, steward):
    page = words(steward.get("/sharing/preview?reader=URUM&noun=Occurrence"))
    assert "in grid cells" in page and "What stays with you" in page and "60" in page
    assert "Nothing of this kind" in words(steward.get("/sharing/preview?reader=ELSE"))
    steward.get("/sharing/preview?reader=NONE", 422)
    partner = Visitor(app).sign_in("wei")
    told = words(partner.get("/sharing/preview?reader=ELSE&noun=Observation"))
    assert "kncm" not in told


def test_agree_draft_read_sign_and_ask(app, steward):
    page = steward.get("/sharing/draft?to=URUM&dataset=kncm-water")
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.S)[1]
    text = unescape(text)
    read = words(steward.post("/sharing/draft", text=text, what="read"))
    assert "may view and compute" in read
    wrong = steward.post("/sharing/draft", 422, text=text.replace('"generalised"', '"x"'))
    assert "level" in words(wrong)
    kept = steward.post("/sharing/draft", text=text, what="save")
    at = kept.url.path
    assert "signer" in words(steward.post(f"{at}/sign", 403))
    signer = Visitor(app).sign_in("saule")
    signed = words(signer.post(f"{at}/sign"))
    assert "URUM not signed" in signed
    assert signer.get(f"{at}/letter").json()["from"] == "KNCM"
    assert "Suspended" in words(signer.post(f"{at}/declare", kind="suspend", why="a pause"))
    partner = Visitor(app).sign_in("wei")
    partner.get(at)
    assert "own node" in words(partner.post("/sharing/draft", 403, text=text))
    Visitor(app).sign_in("otto").get(at, 404)
    asked = steward.post("/sharing/requests", owner="URUM", datasets="urum-water", level="full",
                         purpose="research", until="2027-01-01", why="floods")  # fmt: skip
    assert "floods" in words(asked)
    steward.post("/sharing/requests", 422, owner="URUM", datasets="x", until="never", why="y")


def test_run_compare_approve_and_report(app, steward):
    assert "Nitrate" in words(steward.get("/runs"))
    done = steward.until(steward.post("/runs/plans/nitrate/start"))
    run = done.url.path
    assert "draft" in words(done) and "Compliance" in words(done)
    plan = steward.get("/runs/plans/nitrate")
    text = unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", plan.text, re.S)[1])
    other = steward.until(
        steward.post("/runs/plans/nitrate/start", text=text.replace("2026-05-01", "2026-05-02"))
    ).url.path
    assert other != run
    _correct(steward, "kncm-water-8", "40")
    last = steward.until(steward.post("/runs/plans/nitrate/start")).url.path
    assert last not in (run, other)
    changed = words(steward.until(steward.get(f"/runs/compare?a={run[6:]}&b={last[6:]}")))
    assert say("cli.compare.corrected") in changed
    pair = f"a={run[6:]}&b={other[6:]}"
    assert "figures differ" in words(steward.until(steward.get(f"/runs/compare?{pair}")))
    run = last
    _sign_off(app, steward, run)
    report = steward.until(steward.get(f"{run}/report/ru/html"))
    assert "Saule" in report.text and "Li" in report.text
    assert "sandbox" in report.headers["content-security-policy"]
    book = steward.until(steward.get(f"{run}/report/en/xlsx"))
    assert book.content[:2] == b"PK"
    # The same plan again must not take the signatures away.
    again = steward.until(steward.post("/runs/plans/nitrate/start"))
    assert again.url.path == run and "published" in words(again)


def _correct(steward, name, value):
    table = steward.until(steward.get(f"/data/Observation?q={name}"))
    record = re.search(r"/record/([^?\"]+)", table.text)[1]
    form = f"/data/Observation/record/{record}/correct"
    seen = re.search(r'name="version" value="(\d+)"', steward.get(form).text)[1]
    steward.post(form, version=seen, reason="misread", **{"v-value": value})


def _sign_off(app, steward, run):
    saule, li = Visitor(app).sign_in("saule"), Visitor(app).sign_in("li")
    li.get(run, 404)
    assert "still a draft" in words(saule.post(f"{run}/approve", 422))
    steward.post(f"{run}/review")
    assert "not a signer" in words(steward.post(f"{run}/approve", 422))
    assert "approval is missing" in words(saule.post(f"{run}/publish", 422))
    saule.post(f"{run}/approve")
    assert "already" in words(saule.post(f"{run}/approve", 422))
    stranger = Visitor(app).sign_in("mary")
    stranger.get(run, 404)
    stranger.post(f"{run}/approve", 404)
    assert "approved" in words(li.post(f"{run}/approve"))
    assert "taken by KNCM" in words(li.post(f"{run}/publish", 422))
    saule.post(f"{run}/publish")
    said = words(stranger.get(run))
    assert "published" in said
    assert "Mary" in words(stranger.post(f"{run}/approve", 422))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "sub/../../standards.csv"])
def test_a_plan_names_only_files_beside_it(steward, name):
    from tests.portal import PLAN, STANDARDS

    wrong = PLAN.replace('"standards.csv"', f'"{name}"')
    files = [("files", ("p.toml", wrong)), ("files", ("standards.csv", STANDARDS))]
    answer = steward.post("/runs/plans", 422, files=files, name="wrong")
    assert name in words(answer)
    assert not (steward.http.app.state.served.folder / "runs" / "plans" / "wrong").exists()


def test_a_plan_for_another_party_is_refused(app):
    from tests.portal import PLAN, STANDARDS

    files = [("files", ("p.toml", PLAN)), ("files", ("standards.csv", STANDARDS))]
    partner = Visitor(app).sign_in("wei")
    assert "KNCM" in words(partner.post("/runs/plans", 422, files=files, name="theirs"))
    partner.get("/runs/plans/nitrate", 404)


def test_ledger_and_its_check(app, steward):
    assert "delivery taken in" in words(steward.get("/ledger"))
    steward.get("/ledger?before=3")
    done = steward.until(steward.post("/ledger/check"))
    assert "as they were written" in words(done)
    partner = Visitor(app).sign_in("wei")
    assert "kncm" not in words(partner.get("/ledger")).replace("kncm-cats", "")
    partner.post("/ledger/check", 403)


def test_tables_filter_and_turn_pages(steward):
    page = steward.until(steward.get("/data/Observation?dataset_id=kncm-water"))
    assert "1 to 50 of 120" in words(page)
    seen = []
    while True:
        seen += re.findall(r'/record/([^?"]+)', page.text)
        further = re.search(r'rel="next" href="([^"]+)"', page.text)
        if not further:
            break
        page = steward.get(further[1].replace("&amp;", "&"))
    assert len(seen) == len(set(seen)) == 120
    some = steward.get("/data/Observation?site=S01&start=2025-03-01&end=2025-03-31&q=kncm-water")
    assert "of 5" in words(some)
    assert "No record fits" in words(steward.get("/data/Observation?property=gold"))
    assert "is no day" in words(steward.get("/data/Observation?start=2025-02-31", 422))
    drawn = steward.get("/data/Observation/map?west=75&south=42&east=75.5&north=42.4")
    assert "<circle" in drawn.text
    assert "grid cell" not in words(drawn)


def test_squares_of_the_map_hold_what_the_page_holds(steward):
    steward.until(steward.get("/data/Observation/map"))
    world = steward.get("/data/Observation/map/0/0/0.svg")
    assert world.headers["content-type"] == "image/svg+xml"
    assert "<circle" in world.text
    nobody = steward.get("/data/Observation/map/0/0/0.svg?property=gold")
    assert "<circle" not in nobody.text and "<line" in nobody.text
    for wrong in ("1/2/0", "19/0/0", "3/0/8"):
        answer = steward.get(f"/data/Observation/map/{wrong}.svg", 422)
        assert "no square" in words(answer)
    steward.get("/data/Observation/map/-1/0/0.svg", 422)


def test_every_page_is_told_in_three_languages(app):
    visitor = Visitor(app).sign_in("aigul")
    pages = ["/", "/data", "/data/Observation", "/data/Observation/map", "/deliver", "/matches",
             "/matches/pair?first=F01&second=F02", "/sharing", "/sharing/preview?reader=URUM",
             "/sharing/draft", "/sharing/agreements/KNCM-WILD", "/runs", "/runs/plans/nitrate",
             "/ledger", "/me"]  # fmt: skip
    for lang in LANGUAGES:
        visitor.http.get(f"/language/{lang}?next=/me")
        for path in pages:
            page = visitor.until(visitor.get(path))
            assert str(say("portal.sign-out", lang)) in page.text, path
            assert len(page.content) < 200_000, path


def test_tables_sort_and_turn_back_and_to_the_end(steward):
    base = "/data/Observation?dataset_id=kncm-water"

    def shown(query):
        page = steward.until(steward.get(f"{base}{query}"))
        return re.findall(r'/record/([^?"]+)', page.text), page.text

    rising, text = shown("&sort=value")
    assert 'aria-sort="ascending"' in text
    falling, text = shown("&sort=-value")
    assert 'aria-sort="descending"' in text and rising != falling
    numbers = [float(n) for n in re.findall(r'<td class="number">([\d.]+)</td>', text)[::3]]
    assert numbers == sorted(numbers, reverse=True)
    seen, text = shown("&sort=value&last=1")
    assert len(seen) == 20 and 'rel="next"' not in text
    assert seen[::-1] == falling[:20]
    back = unescape(re.search(r'rel="prev" href="([^"]+)"', text)[1])
    assert len(re.findall("/record/", steward.get(back).text)) == 50
    assert len(shown("&sort=no-such-column")[0]) == 50


def test_a_download_is_a_release_each_time(steward):
    before = steward.get("/ledger").text.count("download")
    for _ in range(2):
        got = steward.until(steward.http.get("/data/Observation/csv?dataset_id=kncm-water"))
        assert got.headers["content-disposition"].endswith('"Observation.csv"')
    lines = got.text.splitlines()
    assert lines[0].startswith('\ufeff"id"') and len(lines) > 120
    assert '"2025-02-01T00:00:00Z"' in got.text
    after = steward.get("/ledger").text.count("download")
    assert after > before and (after - before) % 2 == 0
    program = steward.http.get("/data/Occurrence/csv", headers={"accept": "text/csv"})
    assert program.headers["content-type"].startswith("text/csv")


def test_no_cell_of_a_download_computes():
    said = ["=1+1", "-5", "\u3000＠x", "ok", None]
    seen = pd.to_datetime(["2025-01-01T00:00:00.5Z"] * 5)
    plain = pd.DataFrame({"id": said, "remarks": said, "time_start": seen, "value": range(5)})
    rows = columnar(plain, "Observation")
    view = replace(View.nothing("Observation"), rows=rows)
    text = b"".join(as_csv(view, np.arange(5))).decode("utf-8-sig")
    assert text.splitlines()[1] == '"\'=1+1","\'=1+1","2025-01-01T00:00:00.500000Z",0'
    assert text.count("'") == 4 and '"-5","-5"' in text and "ok" in text
    some = b"".join(as_csv(view, np.array([3]))).decode("utf-8-sig").splitlines()
    assert len(some) == 2 and some[1].startswith('"ok"')


def test_a_draft_of_others_is_theirs_until_somebody_signs(app, steward):
    text = unescape(
        re.search(
            r"<textarea[^>]*>(.*?)</textarea>",
            steward.get("/sharing/draft?to=URUM&dataset=kncm-cats").text,
            re.S,
        )[1]
    )
    assert 'datasets = ["kncm-cats"]' in text and "ecotone share" not in text
    at = steward.post("/sharing/draft", text=text, what="save").url.path
    partner = Visitor(app).sign_in("wei")
    partner.get(at, 404)
    assert at not in partner.get("/sharing").text
    Visitor(app).sign_in("saule").post(f"{at}/sign")
    partner.get(at)
    assert at in partner.get("/sharing").text
