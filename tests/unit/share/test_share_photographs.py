"""Photographs leave with their records: whole, drawn anew, or not at all and why."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo

from ecotone.model.errors import InputRefused, UsageError
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.share.packages import pictures, reading
from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.importing import import_package
from ecotone.share.photographs import _file, photographs
from tests.command import ecotone
from tests.exchange import TODAY, agree, agreement, close, deliver, nodes

COARSE = {"name": "cameras", "nouns": ["Media"], "level": "generalised", "cell_degrees": 0.1}
FULL = {"name": "cameras", "nouns": ["Media"], "level": "full"}
#: What the camera and the owner wrote beside the pictures.
SECRETS = (b"37.0464", b"73.2390", b"SERIAL-998877", b"1987:03:04", b"red cliff", b"RECONYX",
           b"KNCM-0412", b"den of F7")  # fmt: skip


def exif() -> Image.Exif:
    """Place, serial, second, maker note and name of the camera."""
    found = Image.Exif()
    found[Base.Make] = "RECONYX"
    found[Base.DateTime] = "1987:03:04 05:06:07"
    found[Base.ImageDescription] = "den of F7"
    inner = found.get_ifd(IFD.Exif)
    inner[Base.BodySerialNumber] = "SERIAL-998877"
    inner[Base.MakerNote] = b"MAKER 37.0464 73.2390"
    inner[Base.UserComment] = b"ASCII\0\0\0under the red cliff"
    place = found.get_ifd(IFD.GPSInfo)
    place[GPS.GPSLatitude], place[GPS.GPSLatitudeRef] = (37.0, 2.0, 47.04), "N"
    place[GPS.GPSLongitude], place[GPS.GPSLongitudeRef] = (73.0, 14.0, 20.4), "E"
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as it came from the cameras: pictures of several kinds, a film, a broken file."""
    home = tmp_path_factory.mktemp("photos")
    pixels = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    (home / "KNCM-0412").mkdir()
    small = io.BytesIO()
    image.resize((160, 120)).save(small, "JPEG", exif=exif(), comment=b"thumbnail, red cliff")
    xmp = b'<x:xmpmeta><rdf place="37.0464 73.2390 red cliff"/></x:xmpmeta>'
    image.save(home / "KNCM-0412" / "a.JPG", "JPEG", exif=exif(), comment=b"red cliff", xmp=xmp)
    # As cameras do: a picture of its own, with all its data, behind the first.
    with (home / "KNCM-0412" / "a.JPG").open("ab") as stream:
        stream.write(small.getvalue())
    texts = PngInfo()
    texts.add_text("Location", "37.0464 73.2390")
    texts.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
    image.save(home / "b.png", "PNG", pnginfo=texts, exif=exif())
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270], tags[305], tags[315] = "den of F7", "RECONYX", "SERIAL-998877"
    image.save(home / "c.tif", "TIFF", tiffinfo=tags)
    image.save(home / "d.webp", "WEBP", exif=exif(), xmp=xmp)
    (home / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42 den of F7 37.0464")
    (home / "broken.jpg").write_bytes((home / "KNCM-0412" / "a.JPG").read_bytes()[:2000])
    # PostScript is a program that whoever opens it runs.
    (home / "eps.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    (home.parent / "outside.jpg").write_bytes((home / "b.png").read_bytes())
    return home


PATHS = [
    "KNCM-0412/a.JPG", "b.png", "c.tif", "d.webp", "film.mp4", "broken.jpg", "eps.jpg",
    "../outside.jpg", "/etc/hostname", "https://example.org/KNCM-0412.jpg", "gone/KNCM-0412.jpg",
    "x" * 5000, None,
]  # fmt: skip


def media() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "media_id": [f"KNCM-0412-{i}" for i in range(len(PATHS))],
            "path": PATHS,
            "file_name": [None if p is None else p[-20:] for p in PATHS],
            "media_type": "image/jpeg",
            "time_start": pd.Timestamp("1987-03-04T05:06:07Z"),
            "exif": "SERIAL-998877 37.0464 73.2390",
        }
    )


@pytest.fixture
def pair(tmp_path):
    actors = nodes(tmp_path)
    yield actors
    close(actors)


def sent(pair, folder, tmp_path, *classes, frame=None, **changes):
    agree(pair, agreement("DUSH", ["URUM"], classes=list(classes), **changes), at=["DUSH"])
    deliver(pair["DUSH"], media() if frame is None else frame, "Media")
    made = export(pair["DUSH"], Wanted("URUM", photographs=folder))
    target = tmp_path / "opened"
    reading.unpack(pair["URUM"], made.path, target)
    text = (target / pictures.LIST).read_text(encoding="utf-8-sig")
    return made, target, list(csv.DictReader(io.StringIO(text)))


def test_below_level_full_pictures_are_drawn_anew(pair, folder, tmp_path):
    made, target, listed = sent(pair, folder, tmp_path, COARSE)
    assert made.photographs == {"redrawn": 4, "kept": 9}
    drawn = sorted((target / pictures.HOME).glob("*.jpg"))
    assert len(drawn) == 4
    ids = set(pd.read_parquet(target / "data" / "media.parquet")["id"])
    assert {"~" + path.stem for path in drawn} <= ids == {line["id"] for line in listed}
    for path in target.rglob("*"):
        if path.is_file():
            held = path.read_bytes() + path.name.encode()
            assert not [secret for secret in SECRETS if secret in held], path
    for path in drawn:
        with Image.open(path) as image:
            assert image.format == "JPEG" and image.size == (400, 252)
            assert not dict(image.getexif()) and not set(image.info) - {
                "jfif", "jfif_version", "jfif_unit", "jfif_density"
            }  # fmt: skip
        assert path.read_bytes().count(b"\xff\xd8\xff") == 1, "no second picture inside"
    why = sorted(line["note_en"].split(":")[-1].split("(")[0].strip() for line in listed)
    assert sum("cleared" in w for w in why) == 3 and sum("outside" in w for w in why) == 2
    assert sum("web address" in w for w in why) == 1 and sum("not find" in w for w in why) == 2
    assert sum("does not say" in w for w in why) == 1
    assert all(line["note_zh"] and line["note_ru"] for line in listed)


def test_in_full_they_leave_as_they_are(pair, folder, tmp_path):
    made, target, listed = sent(pair, folder, tmp_path, FULL)
    assert made.photographs == {"whole": 7, "kept": 6}
    rows = pd.read_parquet(target / "data" / "media.parquet").set_index("id")
    for line in (line for line in listed if line["form"] == "whole"):
        own = folder / rows.loc[line["id"], "path"]
        assert (target / pictures.HOME / line["file"]).read_bytes() == own.read_bytes()
    assert not (target / pictures.HOME / "hostname").exists()


@pytest.mark.parametrize(
    ("fields", "forms"),
    [(["path"], {"kept"}), (["file_name"], {"kept"}), (["exif"], {"redrawn", "kept"})],
)
def test_what_is_withheld_by_name_counts_for_the_file(pair, folder, tmp_path, fields, forms):
    for level in (FULL, COARSE):
        version = 1 if level is FULL else 2
        rule = {**level, "withheld_fields": fields}
        frame = media() if version == 1 else media().iloc[:0]
        if version == 1:
            _, target, listed = sent(pair, folder, tmp_path, rule, frame=frame)
        else:
            agree(pair, agreement("DUSH", ["URUM"], classes=[rule], version=2), at=["DUSH"])
            made = export(pair["DUSH"], Wanted("URUM", photographs=folder, whole=True))
            target = tmp_path / "second"
            reading.unpack(pair["URUM"], made.path, target)
            text = (target / pictures.LIST).read_text(encoding="utf-8-sig")
            listed = list(csv.DictReader(io.StringIO(text)))
        assert {line["form"] for line in listed} == forms
        if forms == {"kept"}:
            assert {path.name for path in (target / pictures.HOME).iterdir()} == {"photographs.csv"}


def test_a_file_that_is_not_the_one_recorded_stays(pair, folder, tmp_path):
    frame = media().iloc[:2].assign(sha256=["0" * 64, hashlib.sha256(
        (folder / "b.png").read_bytes()).hexdigest().upper()])  # fmt: skip
    made, _, listed = sent(pair, folder, tmp_path, COARSE, frame=frame)
    assert made.photographs == {"kept": 1, "redrawn": 1}
    assert any("hash differs" in line["note_en"] for line in listed)


def test_embargoed_and_withheld_records_leave_no_picture(pair, folder, tmp_path):
    young = media().assign(time_start=pd.Timestamp.now(tz="UTC"))
    rules = [{**COARSE, "embargo_months": 12}, {"name": "w", "nouns": ["Sample"], "level": "full"}]
    agree(pair, agreement("DUSH", ["URUM"], classes=rules), at=["DUSH"])
    deliver(pair["DUSH"], young, "Media")
    made = export(pair["DUSH"], Wanted("URUM", photographs=folder))
    assert made.photographs == {}
    with pytest.raises(UsageError):
        export(pair["DUSH"], Wanted("URUM", photographs=folder / "none"))


def test_counts_of_photographs_leave_none(pair, folder, tmp_path):
    counts = {"name": "counts", "nouns": ["Media"], "level": "aggregated", "minimum_count": 5}
    agree(pair, agreement("DUSH", ["URUM"], classes=[counts]), at=["DUSH"])
    deliver(pair["DUSH"], media(), "Media")
    assert export(pair["DUSH"], Wanted("URUM", photographs=folder)).photographs == {}
    request = Request("URUM", "assessment", "download", TODAY)
    store = pair["DUSH"].store
    assert list(photographs(Door(store, request), store, folder, {"x"})) == []
    out = tmp_path / "none"
    import_package(pair["URUM"], export(pair["DUSH"], Wanted("URUM", whole=True)).path)
    told = ecotone("share", "photographs", "-o", out, "--node", pair["URUM"].store.folder)
    assert told.code == 0 and not out.exists()


def test_a_name_no_file_can_bear_is_missing(folder):
    assert _file("a\0b.jpg", folder) == "missing"


def test_the_receiver_keeps_them_and_gives_them_out_with_their_records(pair, folder, tmp_path):
    made, target, listed = sent(pair, folder, tmp_path, COARSE)
    receiver = pair["URUM"]
    import_package(receiver, made.path)
    assert not receiver.store.verify_ledger()
    out = tmp_path / "photographs"
    at = ("--node", receiver.store.folder)
    told = ecotone("share", "photographs", "-o", out, *at)
    assert told.code == 0 and "4" in told.out
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {
        line["file"]: (target / pictures.HOME / line["file"]).read_bytes()
        for line in listed
        if line["file"]
    }
    assert ecotone("share", "photographs", "-o", out, *at).code == 2
    # A package sent again whole brings nothing twice.
    again = export(pair["DUSH"], Wanted("URUM", photographs=folder, whole=True))
    assert import_package(receiver, again.path).fresh
    shutil.rmtree(out)
    assert "4" in ecotone("share", "photographs", "-o", out, *at).out
    shutil.rmtree(out)
    # For another purpose nothing may be read, and so no picture either.
    assert ecotone("share", "photographs", "--purpose", "tourism", "-o", out, *at).code != 1
    assert not out.exists()


def test_a_list_that_is_none_is_refused(pair, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "_list", lambda listed: "no,list\n1,2\n")
    agree(pair, agreement("DUSH", ["URUM"], classes=[COARSE]), at=["DUSH"])
    deliver(pair["DUSH"], media(), "Media")
    made = export(pair["DUSH"], Wanted("URUM", photographs=folder))
    with pytest.raises(InputRefused):
        import_package(pair["URUM"], made.path)
    assert not pair["URUM"].store.noted(pictures.RECEIVED)


@pytest.mark.parametrize("name", ["run.exe", "con.jpg", "deeper/x.jpg", "x", "a:b.jpg"])
def test_a_photograph_with_a_name_of_its_own_is_refused(pair, folder, monkeypatch, name):
    """A sender who names files as it likes would have them written to the receiver's disk."""
    agree(pair, agreement("DUSH", ["URUM"], classes=[COARSE]), at=["DUSH"])
    deliver(pair["DUSH"], media().iloc[:1], "Media")
    monkeypatch.setattr("ecotone.share.photographs.released_name", lambda record: name)
    made = export(pair["DUSH"], Wanted("URUM", photographs=folder))
    before = pair["URUM"].store.head()[0]
    with pytest.raises(InputRefused):
        import_package(pair["URUM"], made.path)
    assert pair["URUM"].store.head()[0] == before + 1, "a line in the ledger, nothing else"
    assert not pair["URUM"].store.noted(pictures.RECEIVED)


def test_the_command_says_what_became_of_them(pair, folder, tmp_path):
    agree(pair, agreement("DUSH", ["URUM"], classes=[COARSE]), at=["DUSH"])
    deliver(pair["DUSH"], media(), "Media")
    at = ("--to", "URUM", "--node", pair["DUSH"].store.folder)
    told = ecotone("share", "export", "--photographs", folder, "-o", tmp_path / "stick", *at)
    assert told.code == 0 and "4 drawn anew, 9 not given" in " ".join(told.out.split())
    assert ecotone("share", "export", "--photographs", folder / "x", *at).code == 2


def test_the_owner_sees_them_before_they_leave(pair, folder, tmp_path):
    _, target, _ = sent(pair, folder, tmp_path, COARSE)
    out, at = tmp_path / "seen", ("--node", pair["DUSH"].store.folder)
    to = ("share", "photographs", "--to", "URUM", "-o", out)
    told = ecotone(*to, "--photographs", folder, *at)
    assert told.code == 0 and "4 drawn anew, 9 not given" in " ".join(told.out.split())
    assert {p.name: p.read_bytes() for p in (out / pictures.HOME).iterdir()} == {
        p.name: p.read_bytes() for p in (target / pictures.HOME).iterdir()
    }
    shutil.rmtree(out)
    assert ecotone(*to, *at).code == 2
    assert ecotone(*to, "--photographs", folder / "none", *at).code == 2
    assert ecotone(*to[:2], "-o", out, "--photographs", folder, *at).code == 2
    assert not out.exists()
