from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from ecotone.model.errors import InputRefused
from ecotone.share.media import THUMBNAIL, Look, released_image, released_name


@pytest.fixture
def photograph(tmp_path):
    """A camera's file: place, serial, second, maker note, comment and a marked picture."""
    pixels = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[Base.Make] = "RECONYX"
    exif[Base.DateTime] = "1987:03:04 05:06:07"
    exif[Base.Orientation] = 6
    inner = exif.get_ifd(IFD.Exif)
    inner[Base.BodySerialNumber] = "SERIAL-998877"
    inner[Base.MakerNote] = b"MAKER-PLACE 37.0464 73.2390"
    place = exif.get_ifd(IFD.GPSInfo)
    place[GPS.GPSLatitude] = (37.0, 2.0, 47.04)
    place[GPS.GPSLatitudeRef] = "N"
    path = tmp_path / "IMG_0412.JPG"
    image.save(path, "JPEG", exif=exif, comment=b"under the red cliff")
    return path


def test_nothing_the_camera_wrote_is_left(photograph):
    held = photograph.read_bytes()
    for mark in (b"SERIAL-998877", b"MAKER-PLACE", b"1987:03:04", b"red cliff", b"Exif"):
        assert mark in held
    out = released_image(photograph)
    for mark in (b"SERIAL", b"MAKER", b"1987", b"RECONYX", b"cliff", b"Exif", b"http"):
        assert mark not in out
    with Image.open(io.BytesIO(out)) as image:
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_the_picture_is_turned_upright_cut_and_made_small(photograph):
    with Image.open(io.BytesIO(released_image(photograph, Look(longest=100, strip=0.1)))) as image:
        # Turned: 300 wide, 400 high; cut by a tenth at both edges: 300 x 320.
        assert image.size == (94, 100)
    with Image.open(io.BytesIO(released_image(photograph, THUMBNAIL))) as image:
        assert max(image.size) == 256


def test_the_same_file_gives_the_same_bytes(photograph):
    assert released_image(photograph) == released_image(photograph)


def test_what_is_no_picture_is_refused(tmp_path, monkeypatch, photograph):
    path = tmp_path / "x.jpg"
    path.write_bytes(b"\xff\xd8\xff nonsense")
    with pytest.raises(InputRefused):
        released_image(path)
    monkeypatch.setattr("ecotone.share.media._MOST_PIXELS", 1000)
    with pytest.raises(InputRefused):
        released_image(photograph)


def test_the_file_is_named_by_the_readers_identifier():
    assert released_name("~ab12") == "ab12.jpg"
