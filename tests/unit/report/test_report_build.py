"""A run becomes reports: all languages, all formats, the same bytes, the run's own numbers."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import docx
import numpy as np
import openpyxl
import pandas as pd
import pypdf
import pytest
from PIL import Image

from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.words import LANGUAGES
from ecotone.report import FORMATS, build_report, html
from ecotone.report.glyphs import MissingGlyph

TITLES = {
    "en": "State of the Aluvra basin",
    "zh": "阿鲁夫拉河流域状况",
    "ru": "Состояние бассейна Алувры",
}


@pytest.fixture(scope="module")
def reports(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All reports of the small run."""
    out = tmp_path_factory.mktemp("reports")
    told: list[tuple[int, int, str]] = []
    made = build_report(
        run, langs=LANGUAGES, out_dir=out, progress=lambda *state: told.append(state)
    )
    assert [p.name for p in made] == [f"report-{x}.{f}" for x in LANGUAGES for f in FORMATS]
    assert all(p.stat().st_size > 5_000 for p in made)
    assert len(told) == 12 and told[-1] == (12, 12, "report-ru.docx")
    assert not list(out.glob("*.part"))
    return out


def test_two_builds_are_the_same_bytes(run: Path, reports: Path, tmp_path: Path) -> None:
    """Another process, another place, another hash seed: nothing of them may show."""
    code = (
        "import sys; from pathlib import Path; from ecotone.report import build_report;"
        "build_report(Path(sys.argv[1]), langs=['zh'], out_dir=Path(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", code, str(run), str(tmp_path)], check=True)
    for name in FORMATS:
        first, second = (folder / f"report-zh.{name}" for folder in (reports, tmp_path))
        assert first.read_bytes() == second.read_bytes(), name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pdf_text_can_be_taken_out(reports: Path, lang: str) -> None:
    reader = pypdf.PdfReader(reports / f"report-{lang}.pdf")
    text = "".join(page.extract_text() for page in reader.pages)
    squeezed = re.sub(r"\s", "", text)
    assert TITLES[lang].replace(" ", "") in squeezed
    assert "0123456789ab" in squeezed
    assert reader.metadata is not None and reader.metadata.title == TITLES[lang]
    assert str(reader.metadata.creation_date)[:10] == "2026-11-21"
    assert len(reader.pages) > 8


class _Page(HTMLParser):
    """What a browser would fetch, and what a screen reader would miss."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.lang = ""
        self.tables = self.captions = self.pictures = 0
        self.heads: list[str | None] = []
        self.values: list[str] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.lang = given["lang"] or ""
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if tag == "img":
            self.pictures += 1
            assert len(given["alt"] or "") > 10
        if tag == "th":
            self.heads.append(given.get("scope"))
        assert tag not in {"script", "iframe", "object", "link"}
        if given.get("id"):
            self.anchors.add(given["id"] or "")
        if tag == "a" and (given["href"] or "").startswith("#"):
            self.links.append((given["href"] or "")[1:])
        if given.get("data-value"):
            self.values.append(given["data-value"] or "")
        for name in ("src", "srcset", "poster", "background"):
            if given.get(name):
                self.fetched.append(given[name] or "")


def _page(reports: Path, lang: str) -> tuple[str, _Page]:
    text = (reports / f"report-{lang}.html").read_text("utf-8")
    page = _Page()
    page.feed(text)
    return text, page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_html_stands_alone_and_is_accessible(reports: Path, lang: str) -> None:
    text, page = _page(reports, lang)
    assert page.lang == lang
    assert page.fetched and all(url.startswith("data:") for url in page.fetched)
    assert all(url.startswith("data:") for url in re.findall(r"url\(([^)]{1,20})", text))
    assert "@import" not in text and "default-src 'none'" in text
    assert page.tables == page.captions > 5
    assert page.heads and set(page.heads) <= {"col", "row"}
    assert page.pictures >= 6
    assert set(page.links) <= page.anchors


@pytest.mark.parametrize(("size", "kind"), [((40, 30), "webp"), ((2, 16_400), "png")])
def test_pictures_in_the_page_keep_every_pixel(size: tuple[int, int], kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise, "RGBA").save(out, "PNG")
    head, _, packed = html._address(out.getvalue()).partition(";base64,")
    assert head == f"data:image/{kind}"
    with Image.open(io.BytesIO(base64.b64decode(packed))) as read:
        assert np.array_equal(np.asarray(read.convert("RGBA")), noise)


def _values(run: Path) -> dict[tuple[str, str], dict[str, float | None]]:
    document = json.loads((run / "run.json").read_text("utf-8"))
    return {
        (told["path"], f"values.{name}"): value
        for told in document["results"]
        for name, value in json.loads((run / told["path"]).read_text("utf-8"))["values"].items()
    }


def test_html_numbers_are_those_of_the_results(run: Path, reports: Path) -> None:
    _, page = _page(reports, "en")
    shown = {float(v) for v in page.values if re.fullmatch(r"-?[\d.e+-]+", v)}
    for key, value in _values(run).items():
        assert value["value"] in shown, key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_workbook_numbers_are_those_of_the_results(run: Path, reports: Path, lang: str) -> None:
    book = openpyxl.load_workbook(reports / f"report-{lang}.xlsx")
    sheet = book.worksheets[1]
    rows = [r for r in sheet.iter_rows(min_row=4, values_only=True) if r[0] and r[11]]
    found = {(r[10], r[11]): r for r in rows}
    expected = _values(run)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        row = found[key]
        for shown, name in ((row[4], "value"), (row[6], "low"), (row[7], "high")):
            # A spreadsheet keeps 16 digits of a number.
            assert shown == (None if value[name] is None else pytest.approx(value[name], rel=1e-15))
        assert isinstance(row[4], int | float)


def test_workbook_holds_whole_tables_with_their_lines(run: Path, reports: Path) -> None:
    book = openpyxl.load_workbook(reports / "report-en.xlsx")
    sheet = next(s for s in book if "Compliance by" in s.title)
    rows = list(sheet.iter_rows(min_row=3, values_only=True))
    heads = [str(h) for h in rows[0]]
    assert "Share of exceedances (%)" in heads
    source, station, share = (heads.index(h) for h in (
        "Source (file:line)", "Station", "Share of exceedances (%)"))  # fmt: skip
    data = [r for r in rows[1:] if r[source]]
    assert len(data) == 2 * 4 * 8
    for row in data[::7]:
        path, line = str(row[source]).rsplit(":", 1)
        original = pd.read_csv(run / path).iloc[int(line) - 2]
        assert (original["station"], original["share"]) == (row[station], row[share])
    assert any("Sources" in s.title for s in book)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_word_file_has_headings_tables_pictures_and_a_chinese_face(
    reports: Path, lang: str
) -> None:
    word = docx.Document(str(reports / f"report-{lang}.docx"))
    styles = [p.style.name for p in word.paragraphs if p.style is not None]
    assert styles.count("Heading 1") >= 6
    assert len(word.tables) > 8 and len(word.inline_shapes) >= 6
    with zipfile.ZipFile(reports / f"report-{lang}.docx") as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"Microsoft YaHei" in archive.read("word/styles.xml")
        assert b"w:tblHeader" in archive.read("word/document.xml")
        described = re.findall(rb'descr="[^"]{10,}', archive.read("word/document.xml"))
        assert len(described) == len(word.inline_shapes)


def test_map_says_disclaimer_and_approval_number(reports: Path) -> None:
    text, _ = _page(reports, "zh")
    assert text.count("图中所示边界不代表对任何地区法律地位的立场。") == 3
    assert "审图号：GS(2026)0001" in text


def test_truth_chapter_tells_inside_from_outside(reports: Path) -> None:
    text, _ = _page(reports, "en")
    assert "3 of 4 intervals contain the planted truth." in text
    assert text.count("● inside") == 3 and text.count("■ outside") == 1


def test_agreements_are_told_with_level_rows_and_release(reports: Path) -> None:
    text, _ = _page(reports, "ru")
    for piece in ("Соглашение о воде", "обобщено до ячеек 0,1°", "1\u00a0234", "r-0002"):
        assert piece in text
    for piece in ("Что соглашения не передали", "точные места и дни", "кто записал", "снежный барс",
                  "последние 12 мес.", "по договорённости", "вернуть нельзя"):  # fmt: skip
        assert piece in text


def test_findings_are_said_anew_where_the_run_keeps_what_filled_them(reports: Path) -> None:
    text, _ = _page(reports, "ru")
    assert "У 117 из оценённых пикселей нет данных" in text
    assert "117 pixels lack years." not in text
    assert "Few scenes." in text  # no catalogue knows this one: it stands as recorded


def _changed(run: Path, target: Path, light: bool = False, **changes: object) -> Path:
    """A copy of the run with other entries; a light one has a single result and few pictures."""
    shutil.copytree(run, target)
    document = json.loads((target / "run.json").read_text("utf-8"))
    if light:
        keep = [r for r in document["results"] if r["path"].startswith("results/XA/all/water")]
        document.update(results=keep, truth=None)
    document.update(changes)
    (target / "run.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return target


def test_missing_glyph_stops_the_report_in_plain_words(run: Path, tmp_path: Path) -> None:
    """A Tibetan title: our fonts have none of it."""
    changed = _changed(run, tmp_path / "run", light=True, title={"en": "Basin བོད"})
    with pytest.raises(MissingGlyph, match=r"U\+0F.*the cover") as caught:
        build_report(changed, langs=["en"], formats=["pdf"], out_dir=tmp_path / "out")
    assert caught.value.hint
    assert not list((tmp_path / "out").iterdir())


def test_missing_glyph_in_a_figure_stops_the_report(run: Path, tmp_path: Path) -> None:
    changed = _changed(run, tmp_path / "run", light=True)
    path = changed / "results/XA/all/water.compliance/tables/compliance.csv"
    path.write_text(path.read_text("utf-8").replace("XA-01", "བོད-01"), "utf-8")
    with pytest.raises(MissingGlyph):
        build_report(changed, langs=["en"], formats=["pdf"], out_dir=tmp_path / "out")


def test_approved_report_names_who_and_when(run: Path, tmp_path: Path) -> None:
    approvals = [{"party": "XB-INST", "person": "Дарвен Ошкур", "on": "2026-11-20"}]
    changed = _changed(
        run, tmp_path / "run", light=True, status="approved", approvals=approvals,
        parties={"XB-INST": {"en": "Keshdora Centre"}},
    )  # fmt: skip
    (made,) = build_report(changed, langs=["en"], formats=["html"], out_dir=tmp_path / "out")
    text = made.read_text("utf-8")
    assert "Дарвен Ошкур, Keshdora Centre (XB-INST), 20 November 2026" in text
    assert "APPROVED" in text and "must not be cited" not in text


def test_hostile_text_is_shown_never_run(run: Path, tmp_path: Path) -> None:
    evil = '</title><script>alert(1)</script> #panic("x") =HYPERLINK("x") $x$ \u202e'
    changed = _changed(run, tmp_path / "run", light=True, title={"en": evil})
    html, pdf, xlsx = build_report(
        changed, langs=["en"], formats=["html", "pdf", "xlsx"], out_dir=tmp_path / "out"
    )
    assert "<script" not in html.read_text("utf-8")
    assert "alert(1)" in "".join(p.extract_text() for p in pypdf.PdfReader(pdf).pages)
    front = openpyxl.load_workbook(xlsx).worksheets[0]["A1"]
    assert front.data_type == "s"


@pytest.mark.parametrize(
    ("langs", "formats", "word"), [(["de"], ["pdf"], "'de'"), (["en"], ["odt"], "'odt'")]
)
def test_unknown_language_or_format_is_wrong_usage(
    run: Path, tmp_path: Path, langs: list[str], formats: list[str], word: str
) -> None:
    with pytest.raises(UsageError, match=word):
        build_report(run, langs=langs, formats=formats, out_dir=tmp_path)


def test_no_run_and_damaged_run_are_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"run\.json"):
        build_report(tmp_path, langs=["en"], out_dir=tmp_path / "out")
    broken = _changed(run, tmp_path / "run")
    (broken / "results/XA/all/land.trend/result.json").write_text("{", "utf-8")
    with pytest.raises(InputRefused, match=r"result\.json"):
        build_report(broken, langs=["en"], out_dir=tmp_path / "out")


def test_truth_of_an_unknown_value_is_refused(run: Path, tmp_path: Path) -> None:
    changed = _changed(run, tmp_path / "run")
    planted = {"indicator": "land.trend", "region": "XA", "period": "all", "name": "nothing"}
    truth = {"values": [{**planted, "truth": 1.0, "unit": "1", "label": {"en": "x"}}]}
    (changed / "truth.json").write_text(json.dumps(truth), "utf-8")
    with pytest.raises(InputRefused, match=r"land\.trend/XA/all/nothing"):
        build_report(changed, langs=["en"], formats=["html"], out_dir=tmp_path / "out")


def test_a_run_of_plain_files_needs_no_agreement_boundary_or_truth(
    run: Path, tmp_path: Path
) -> None:
    changed = _changed(
        run, tmp_path / "run", agreements=[], boundaries=None, truth=None, reader="",
        files={"plan": "plan.toml"},
    )  # fmt: skip
    html, _ = build_report(changed, langs=["en"], formats=["html", "pdf"], out_dir=tmp_path / "o")
    text = html.read_text("utf-8")
    assert "computed from files named in the plan" in text
    assert "chose no boundaries" in text and "planted truth" not in text


def test_an_indicator_without_a_room_gets_tables_intervals_and_maps(
    run: Path, tmp_path: Path
) -> None:
    changed = _changed(run, tmp_path / "run")
    document = json.loads((changed / "run.json").read_text("utf-8"))
    for told in document["results"]:
        told["indicator"] = "ice.made-up" if told["indicator"] == "land.trend" else "soil.made-up"
    document["truth"] = None
    (changed / "run.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    (made,) = build_report(changed, langs=["ru"], formats=["html"], out_dir=tmp_path / "out")
    _, page = _page(tmp_path / "out", "ru")
    assert made.exists() and page.pictures >= 4


def test_report_imports_nothing_heavy_at_the_top() -> None:
    code = (
        "import sys, ecotone.report; heavy = {'matplotlib','pandas','rasterio','docx','typst'};"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_workbook_is_settled(reports: Path) -> None:
    data = io.BytesIO((reports / "report-en.xlsx").read_bytes())
    with zipfile.ZipFile(data) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    stamps = set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z?", core))
    assert {s[:10] for s in stamps} == {"2026-11-21"}


def test_tables_share_the_page_without_breaking_words() -> None:
    from ecotone.report import glyphs
    from ecotone.report.present import _share_out

    def cell(text: str) -> dict[str, object]:
        return {"text": text, "raw": "", "tone": "", "sub": "", "trace": "", "runs": []}

    columns = [
        {"title": t, "unit": "", "align": a, "kind": "text"}
        for t, a in (("Station", "left"), ("Remark", "left"), ("Results", "right"))
    ]
    rows = [[cell("XA-01"), cell("word " * 60), cell("1,234,567")] for _ in range(3)]
    widths = _share_out(columns, rows)  # type: ignore[arg-type]  # plain nodes
    assert widths[0] > glyphs.width("Station", bold=True)
    assert widths[2] > glyphs.width("1,234,567")
    assert widths[1] == max(widths) and sum(widths) < 60


def test_nothing_random_is_drawn(run: Path) -> None:
    """The fixture itself is made once; two readings of its rasters are equal."""
    from ecotone.report import maps

    path = run / "results/XA/all/land.trend/rasters/slope.tif"
    frame = maps.frame_of_rasters([path], None)
    first, second = maps.read_layer(path, frame), maps.read_layer(path, frame)
    np.testing.assert_array_equal(first.values, second.values)
