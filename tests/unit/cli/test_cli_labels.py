"""Labels, paper forms and forms for telephones, and what comes back of them."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from tests.command import ecotone

from ecotone.model.identifiers import check
from ecotone.report.field_sheet import render_field_sheet
from ecotone.report.labels import SHEETS, Label, render_labels

INSTANCE = """<?xml version='1.0' ?>
<data id="ecotone_Sample_1" version="1" xmlns:orx="http://openrosa.org/xforms">
<ecotone_form>{form}</ecotone_form><start>2024-05-31T09:00:00.000+06:00</start>
<sample_id>{scanned}</sample_id><sample_id_typed>{typed}</sample_id_typed>
<medium>water</medium><kind>field_blank</kind><place>42.5012 74.6031 812.0 4.5</place>
<time_start>2024-05-31T09:30:00.000+06:00</time_start>
<orx:meta><orx:instanceID>uuid:{number}</orx:instanceID></orx:meta></data>"""


def codes_of(path):
    with path.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
        return [row["sample_id"] for row in csv.DictReader(file)]


def labels(folder, count, *more):
    told = ecotone("labels", "--party", "KNCM", "--count", count, "-o", folder / "l.pdf", *more)
    assert told.code == 0, told.err
    return codes_of(folder / "l.pdf")


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=list(SHEETS))
def test_a_sheet_holds_its_labels_in_words_of_the_language(sheet, tmp_path):
    codes = labels(tmp_path, sheet.count + 1, "--sheet", sheet.name, "--lang", "ru")
    pages = PdfReader(tmp_path / "l.pdf").pages
    assert len(pages) == 2
    wide, high = (float(side) * 25.4 / 72 for side in pages[0].mediabox[2:])
    assert (wide, high) == pytest.approx(sheet.page, abs=0.1)
    text = "".join(page.extract_text() for page in pages).replace("\n", "")
    assert all(code in text and check(code) for code in codes)
    assert "дата" in text


def test_a_label_is_read_by_a_scanner(tmp_path):
    zxing = pytest.importorskip("zxingcpp", reason="no reader of QR codes is installed")
    pdfium = pytest.importorskip("pypdfium2", reason="no PDF renderer is installed")
    for sheet in ("thermal-50x25", "a4-65"):
        codes = labels(tmp_path, 3, "--sheet", sheet)
        pages = [page.render(scale=3).to_pil() for page in pdfium.PdfDocument(tmp_path / "l.pdf")]
        seen = [code.text for page in pages for code in zxing.read_barcodes(page)]
        assert sorted(seen) == sorted(codes)


def test_labels_already_peeled_off_are_left_out_and_wrong_wishes_refused(tmp_path):
    labels(tmp_path, 24, "--skip", 1)
    assert len(PdfReader(tmp_path / "l.pdf").pages) == 2
    for wrong in (["--skip", 24], ["--count", 0], ["--count", 20_000], ["--sheet", "a3"]):
        told = ecotone("labels", "--party", "KNCM", *wrong, "-o", tmp_path / "no.pdf")
        assert told.code == 2
        assert not (tmp_path / "no.pdf").exists()


def test_a_paper_form_in_each_language(tmp_path):
    for lang, word in (("en", "Depth below"), ("zh", "采样地点"), ("ru", "Место отбора")):
        path = tmp_path / f"{lang}.pdf"
        made = ecotone(
            "template", "Sample", "--to", "paper", "--lang", lang, "--pages", 2, "-o", path
        )
        assert made.code == 0, made.err
        pages = PdfReader(path).pages
        assert len(pages) == 2
        assert word in pages[0].extract_text().replace("\n", " ")
    few = ["template", "Sample", "--to", "paper", "--fields", "depth_m", "-o", tmp_path / "few.pdf"]
    assert ecotone(*few).code == 0
    text = PdfReader(tmp_path / "few.pdf").pages[0].extract_text()
    assert "Depth below" in text and "Permit" not in text
    wrong = ecotone("template", "Sample", "--to", "paper", "--fields", "colour")
    assert wrong.code == 2 and "colour" in wrong.err
    assert ecotone("template", "Sample", "--to", "stone").code == 2


@pytest.mark.parametrize("noun", ["Sample", "Observation", "Site", "Deployment", "Device"])
def test_pyxform_takes_the_form(noun, tmp_path):
    convert = pytest.importorskip("pyxform.xls2xform").convert
    path = tmp_path / "form.xlsx"
    assert ecotone("template", noun, "--to", "xlsform", "--lang", "zh", "-o", path).code == 0
    made = convert(xlsform=path, validate=False, pretty_print=False)
    assert not made.warnings, made.warnings
    for language in ("English (en)", "中文 (zh)", "Русский (ru)"):
        assert f'lang="{language}"' in made.xform
    assert f"'ecotone:{noun}:1'" in made.xform
    names = [row[1].value for row in load_workbook(path)["survey"].iter_rows(min_row=2)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("lang", ["en", "zh", "ru"])
def test_paper_is_tagged_for_screen_readers_and_the_same_bytes_whenever_made(lang):
    def made():
        labelled = render_labels([Label("KNCM-S-0001-7", "Вахш")], SHEETS["a4-24"], lang, title="R")
        return labelled, render_field_sheet("Sample", lang, title="R")

    assert made() == made()
    for pdf in made():
        read = PdfReader(io.BytesIO(pdf))
        assert read.metadata.creation_date.year == 2000  # not the clock's
        root = read.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"] and root["/Lang"].startswith(lang)


def zipped(path, instances):
    with zipfile.ZipFile(path, "w") as packed:
        for number, text in enumerate(instances):
            packed.writestr(f"instances/{number}/{number}.xml", text)


def node(folder):
    assert ecotone("init", folder, "--party", "KNCM", "--name", "N", "--country", "TJ").code == 0
    assert ecotone("add", "dataset", "river", "--title", "River", "--node", folder).code == 0
    return folder


def samples(folder, place):
    out = place / "out"
    told = ecotone("export", "--everything", out, "--node", folder)
    assert told.code == 0, told.err
    table = next(path for path in out.rglob("*ample.csv"))
    return list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig"))))


def test_two_teams_fill_500_records_offline_and_none_is_lost_or_doubled(tmp_path):
    here = node(tmp_path / "n")
    written = []
    for team in ("a", "b"):
        place = tmp_path / team
        place.mkdir()
        codes = labels(place, 250)
        written += codes
        filled = [
            INSTANCE.format(
                form="ecotone:Sample:1",
                scanned=code if number % 2 else "",
                typed="" if number % 2 else code,
                number=f"{team}{number}",
            )
            for number, code in enumerate(codes)
        ]
        zipped(place / "phone.zip", filled)
        for _ in range(2):  # a delivery that comes twice changes nothing
            told = ecotone("ingest", place / "phone.zip", "--dataset", "river", "--node", here)
            assert told.code == 0, told.out + told.err
    rows = samples(here, tmp_path)
    assert len(set(written)) == 500
    assert sorted(row["sample_id"] for row in rows) == sorted(written)
    one = rows[0]
    assert (float(one["latitude"]), float(one["coordinate_uncertainty_m"])) == (42.5012, 4.5)
    assert one["time_start"].startswith("2024-05-31T03:30")
    assert one["kind"] == "field blank"


ODK = (
    "SubmissionDate,ecotone_form,sample_id,sample_id_typed,medium,place-Latitude,"
    "place-Longitude,place-Altitude,place-Accuracy,time_start,meta-instanceID,KEY,own_question"
)
KOBO = (
    "start,ecotone_form,sample_id,sample_id_typed,medium,_place_latitude,_place_longitude,"
    "_place_altitude,_place_precision,time_start,_id,_uuid,own_question"
)


@pytest.mark.parametrize(("instance", "heads"), [("u", ODK), ("k", KOBO)], ids=["ODK", "Kobo"])
def test_a_servers_export_comes_in_as_what_it_is(instance, heads, tmp_path):
    here = node(tmp_path / "n")
    answers = "KNCM-1,,water,42.5,74.6,800,5,2024-05-31T09:30:00+06:00,u,k,x"
    row = f"2024-06-01,ecotone:Sample:1,{answers}"
    (tmp_path / "s.csv").write_text(f"{heads}\n{row}\n{row.replace('KNCM-1', '')}\n", "utf-8")
    told = ecotone("ingest", tmp_path / "s.csv", "--dataset", "river", "--node", here, "--json")
    assert told.code == 0, told.out + told.err
    rows = samples(here, tmp_path)
    assert sorted(row["sample_id"] for row in rows) == sorted(["KNCM-1", instance])
    assert float(rows[0]["longitude"]) == 74.6
    assert "x" in rows[0]["extra"]


def test_forms_that_are_not_ours_or_broken_are_named(tmp_path):
    here = node(tmp_path / "n")
    good = INSTANCE.format(form="ecotone:Sample:1", scanned="S1", typed="", number=1)
    newer = INSTANCE.format(form="ecotone:Sample:9", scanned="S2", typed="", number=2)
    zipped(tmp_path / "mixed.zip", [good, newer, good.replace("</data>", "")])
    told = ecotone("ingest", tmp_path / "mixed.zip", "--dataset", "river", "--node", here, "--json")
    assert told.json["verdict"] == "partial"
    codes = {finding["code"] for finding in told.json["findings"]}
    assert {"xform-newer", "xml-broken"} <= codes
    assert [row["sample_id"] for row in samples(here, tmp_path)] == ["S1"]


def test_photographs_beside_the_forms_are_named(tmp_path):
    good = INSTANCE.format(form="ecotone:Sample:1", scanned="S1", typed="", number=1)
    zipped(tmp_path / "phone.zip", [good])
    with zipfile.ZipFile(tmp_path / "phone.zip", "a") as packed:
        packed.writestr("instances/0/photo.jpg", b"\xff\xd8")
        packed.writestr("instances/.DS_Store", b"x")
    told = ecotone("ingest", tmp_path / "phone.zip", "--dry-run", "--json")
    assert told.code == 0, told.err
    beside = [f["message"] for f in told.json["findings"] if f["code"] == "xform-beside"]
    assert len(beside) == 1 and "1 (photo.jpg)" in beside[0]
