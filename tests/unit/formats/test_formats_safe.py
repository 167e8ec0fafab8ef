"""Deliveries opened safely: hostile archives, folders and streams."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import socket
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from ecotone.formats.base import Limits, Refused
from ecotone.formats.safe import open_source


def zip_of(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def tar_of(path: Path, *infos: tarfile.TarInfo, mode: str = "w", data: bytes = b"x") -> Path:
    with tarfile.open(path, mode) as archive:
        for info in infos:
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return path


def info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def code_of(path: Path, limits: Limits | None = None, *, read: bool = True) -> str:
    """The refusal's code; every refusal comes within a second and says a sentence."""
    start = time.process_time()
    with pytest.raises(Refused) as caught, open_source(path, limits) as source:
        for member in source.members if read else ():
            with source.open(member) as stream:
                while stream.read(1 << 16):
                    pass
    assert time.process_time() - start < 1
    for lang in ("en", "zh", "ru"):
        assert caught.value.finding.message(lang)
    return caught.value.finding.code


NAMES = [
    ("../out.txt", "archive-name-outside"),
    ("a/../../out.txt", "archive-name-outside"),
    ("/etc/out.txt", "archive-name-outside"),
    ("C:/out.txt", "archive-name-outside"),
    ("c:out.txt", "archive-name-outside"),
    ("..\\out.txt", "archive-name-outside"),
    ("\\\\server\\share\\out.txt", "archive-name-outside"),
    ("a\\b.txt", "archive-name"),
    ("con.txt", "archive-name"),
    ("data/AUX", "archive-name"),
    ("COM1.csv", "archive-name"),
    ("data:stream", "archive-name"),
    ("trailing.", "archive-name"),
    ("folder /a.txt", "archive-name"),
    ("new\nline.txt", "archive-name"),
    ("bell\x07.txt", "archive-name"),
    ("\u202egnp.exe", "archive-name"),
    ("x" * 1001, "archive-name"),
]


@pytest.mark.parametrize(("name", "code"), NAMES)
def test_names_that_would_land_elsewhere_are_refused(tmp_path: Path, name: str, code: str) -> None:
    assert code_of(zip_of(tmp_path / "a.zip", (name, b"x"))) == code
    assert code_of(tar_of(tmp_path / "a.tar", info(name))) == code


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("good_evil.txt", b"x"))
    path.write_bytes(path.read_bytes().replace(b"good_evil", b"good\0evil"))
    assert code_of(path) == "archive-name"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.csv", "A.CSV"),
        ("a", "a/b.csv"),
        ("a/b.csv", "a"),
        ("\u00e9.csv", "e\u0301.csv"),
        ("data.csv", "ｄａｔａ.csv"),
        ("straße.csv", "STRASSE.csv"),
    ],
)
def test_names_that_coincide_on_some_system_are_refused(
    tmp_path: Path, first: str, second: str
) -> None:
    assert code_of(zip_of(tmp_path / "a.zip", (first, b"1"), (second, b"2"))) == (
        "archive-name-twice"
    )


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zip_of(tmp_path / "a.zip", ("a.csv", b"1"), ("a.csv", b"2"))
    assert code_of(path) == "archive-name-twice"
    assert code_of(tar_of(tmp_path / "a.tar", info("a"), info("a"))) == "archive-name-twice"


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
        tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE,
    ],
)  # fmt: skip
def test_a_tar_of_links_and_devices_is_refused(tmp_path: Path, kind: bytes) -> None:
    path = tar_of(tmp_path / "a.tar", info("a", kind, "/etc/passwd"))
    assert code_of(path) in ("archive-link", "archive-corrupt")


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    assert code_of(zip_of(tmp_path / "a.zip", (link, b"/etc/passwd"))) == "archive-link"


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("a.csv", b"x"))
    data = bytearray(path.read_bytes())
    data[6] |= 1
    at = data.rfind(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(bytes(data))
    assert code_of(path) == "archive-encrypted"


def test_other_ways_of_packing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.csv", b"x" * 100)
    assert code_of(path) == "archive-method"
    (tmp_path / "a.rar").write_bytes(b"Rar!\x1a\x07\x01\0" + b"x" * 100)
    assert code_of(tmp_path / "a.rar") == "archive-unsupported"


# --- bombs -----------------------------------------------------------------------------------


def test_a_bomb_is_refused_by_what_its_header_says(tmp_path: Path) -> None:
    assert code_of(zip_of(tmp_path / "a.zip", ("a", b"\0" * 20_000_000)), read=False) == (
        "archive-bomb"
    )


def test_many_small_bombs_are_one(tmp_path: Path) -> None:
    entries = [(f"{i}.txt", b"\0" * 1_000_000) for i in range(10)]
    assert code_of(zip_of(tmp_path / "a.zip", *entries), read=False) == "archive-bomb"


def test_a_zip_whose_sizes_lie_gives_no_more_than_it_said(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("a", b"\0" * 20_000_000))
    data = path.read_bytes().replace(struct.pack("<L", 20_000_000), struct.pack("<L", 1_000))
    path.write_bytes(data)
    assert code_of(path) == "archive-corrupt"


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    """Two directory entries for one piece of packed data (Fifield 2019)."""
    path = zip_of(tmp_path / "a.zip", ("a.csv", b"x" * 50_000))
    data = path.read_bytes()
    at = data.rfind(b"PK\x01\x02")
    end = data.rfind(b"PK\x05\x06")
    entry = data[at:end]
    twice = entry + entry.replace(b"a.csv", b"b.csv")
    count = struct.pack("<HHLL", 2, 2, len(twice), at)
    path.write_bytes(data[:at] + twice + data[end : end + 8] + count + b"\0\0")
    assert code_of(path) in ("archive-overlap", "archive-corrupt")


def test_packed_streams_are_counted_as_they_come(tmp_path: Path) -> None:
    for ending, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        path = tmp_path / f"a.csv{ending}"
        path.write_bytes(pack(b"\0" * 30_000_000))
        assert code_of(path) == "archive-bomb"


def test_a_packed_tar_is_counted_while_it_is_unpacked(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tar.gz", info("a"), mode="w:gz", data=b"\0" * 30_000_000)
    assert code_of(path) == "archive-bomb"


def test_a_tar_header_may_not_ask_for_everything(tmp_path: Path) -> None:
    """A pax header that claims a gigabyte of text is not read into memory."""
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    path = tmp_path / "a.tar"
    path.write_bytes(header.tobuf(tarfile.USTAR_FORMAT) + b"\0" * 10_240)
    assert code_of(path) == "archive-corrupt"


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    limits = Limits(members=5, folder_files=5)
    names = [f"{i}.csv" for i in range(6)]
    assert code_of(zip_of(tmp_path / "a.zip", *((n, b"x") for n in names)), limits) == (
        "archive-too-many"
    )
    assert code_of(tar_of(tmp_path / "a.tar", *map(info, names)), limits) == "archive-too-many"
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("x")
    assert code_of(folder, limits) == "archive-too-many"


def test_a_directory_of_a_hundred_thousand_entries_is_refused_before_it_is_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.zip"
    entry = zip_of(tmp_path / "one.zip", ("a.csv", b"x")).read_bytes()
    at, end = entry.rfind(b"PK\x01\x02"), entry.rfind(b"PK\x05\x06")
    many = entry[at:end] * 100_000
    tail = entry[end : end + 8] + struct.pack("<HHLL", 0xFFFF, 0xFFFF, len(many), at) + b"\0\0"
    path.write_bytes(entry[:at] + many + tail)
    assert code_of(path) == "archive-too-many"


def test_an_archive_that_contains_itself_stays_closed(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", ("../evil.txt", b"x")).read_bytes()
    path = zip_of(tmp_path / "a.zip", ("inner.zip", inner), ("a.csv", b"x"))
    with open_source(path) as source:
        assert source.members == ("a.csv", "inner.zip")
        assert source.open("inner.zip").read() == inner


# --- damage ----------------------------------------------------------------------------------


def test_damaged_archives_are_told_plainly(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "a.zip", ("a.csv", os.urandom(5_000))).read_bytes()
    for name, data in (
        ("cut.zip", whole[:2_000]),
        ("flipped.zip", whole[:1_000] + bytes((whole[1_000] ^ 1,)) + whole[1_001:]),
        ("cut.csv.gz", gzip.compress(b"a,b\n" * 5_000)[:-20]),
        ("noise.csv.gz", gzip.compress(b"a")[:10] + b"\xff" * 100),
        ("cut.csv.xz", lzma.compress(os.urandom(1_000))[:-40]),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        assert code_of(path) == "archive-corrupt", name


def test_a_cut_tar_is_refused(tmp_path: Path) -> None:
    whole = tar_of(tmp_path / "a.tar", info("a"), info("b"), data=b"x" * 2_000).read_bytes()
    for size in (700, 1_024, 3_000, 3_072 + 700):
        path = tmp_path / f"{size}.tar"
        path.write_bytes(whole[:size])
        assert code_of(path) == "archive-corrupt", size


def test_random_bytes_behind_a_magic_number_never_crash(tmp_path: Path) -> None:
    for seed, magic in enumerate((b"PK\x03\x04", b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0")):
        path = tmp_path / f"{seed}.bin"
        path.write_bytes(magic + zlib.compress(bytes(range(256)) * 9) + b"PK\x05\x06" + b"\1" * 18)
        assert code_of(path).startswith("archive-")


# --- folders and files -----------------------------------------------------------------------


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    for target in (secret, tmp_path, "inside.csv"):
        folder = tmp_path / f"f{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / "inside.csv").write_text("a")
        (folder / "link.csv").symlink_to(target)
        assert code_of(folder) == "folder-link"


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "a.csv").write_text("a")
    (tmp_path / "secret").write_text("s")
    with open_source(folder) as source:
        (folder / "a.csv").unlink()
        (folder / "a.csv").symlink_to(tmp_path / "secret")
        with pytest.raises(Refused, match="cannot be read"):
            source.open("a.csv")


def test_special_files_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert code_of(tmp_path / "pipe") == "file-special"
    assert code_of(tmp_path) == "file-special"
    assert code_of(Path("/dev/zero")) == "file-special"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "sock"))
        assert code_of(tmp_path / "sock") == "file-special"


def test_missing_files_and_members_are_said(tmp_path: Path) -> None:
    assert code_of(tmp_path / "nothing.csv") == "file-missing"
    assert code_of(Path("a\0b")) == "file-missing"
    (tmp_path / "a.csv").write_text("x")
    with open_source(tmp_path / "a.csv") as source, pytest.raises(Refused):
        source.open("../a.csv")


def test_a_very_deep_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "/".join("abcdefghijklmnopqrstuvwxyz0123456789")).mkdir(parents=True)
    assert code_of(tmp_path) == "folder-too-deep"


# --- what is good is read ----------------------------------------------------------------------


def test_good_deliveries_are_read_alike(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    (folder / "sub").mkdir(parents=True)
    content = {"meta.xml": b"<a/>", "sub/данные.csv": b"a,b\n1,2\n"}
    for name, data in content.items():
        (folder / name).write_bytes(data)
    (folder / ".DS_Store").write_text("x")
    packed = zip_of(tmp_path / "a.zip", ("sub/", b""), *content.items(), ("__MACOSX/._a", b"x"))
    for mode, ending in (("w", "tar"), ("w:gz", "tgz"), ("w:bz2", "tar.bz2"), ("w:xz", "tar.xz")):
        with tarfile.open(tmp_path / f"a.{ending}", mode) as archive:
            archive.add(folder, arcname=".")
    for path in (folder, packed, *tmp_path.glob("a.t*")):
        with open_source(path) as source:
            found = {name: source.open(name).read() for name in source.members}
            assert source.only is None
            lent = source.local_path("sub/данные.csv")
            assert lent.read_bytes() == content["sub/данные.csv"]
            assert {name: source.size(name) for name in found} == {
                name: len(data) for name, data in content.items()
            }
        assert found == content, path
        assert lent.exists() == (path == folder)


def test_a_packed_file_is_one_file(tmp_path: Path) -> None:
    for ending, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        path = tmp_path / f"a.csv{ending}"
        path.write_bytes(pack(b"one") + pack(b"two"))
        with open_source(path) as source:
            assert source.only == "a.csv"
            assert source.open("a.csv").read() == b"onetwo"
            assert source.size("a.csv") > 0


def test_names_in_utf8_without_the_flag_are_read(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("站点.csv", b"x"))
    data = bytearray(path.read_bytes())
    data[7] &= ~0x08
    at = data.rfind(b"PK\x01\x02")
    data[at + 9] &= ~0x08
    path.write_bytes(bytes(data))
    with open_source(path) as source:
        assert source.members == ("站点.csv",)


def test_reading_a_member_again_does_not_use_up_the_limits(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("a.bin", os.urandom(50_000)))
    with open_source(path, Limits(total_bytes=60_000)) as source:
        for _ in range(5):
            assert len(source.open("a.bin").read()) == 50_000
