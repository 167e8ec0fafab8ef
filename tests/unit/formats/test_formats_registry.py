"""Which format a delivery is, and what is said where it is none."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ecotone.formats import registry
from ecotone.formats.base import Format, Refused
from ecotone.formats.safe import open_source
from ecotone.model import words
from ecotone.model.errors import UsageError


def name_of(path: Path) -> str:
    with open_source(path) as source:
        return registry.recognise(source).name


def refusal(path: Path) -> str:
    with pytest.raises(Refused) as caught:
        name_of(path)
    for lang in ("en", "zh", "ru"):
        assert caught.value.finding.message(lang)
    return caught.value.finding.code


def test_all_formats_keep_the_contract_and_have_their_words() -> None:
    formats = registry.all_formats()
    names = [one.name for one in formats]
    assert [n for n in names if n in ("dwca", "camtrapdp", "raster", "eml", "json", "csv")] == [
        "dwca", "camtrapdp", "raster", "eml", "json", "csv",
    ]  # fmt: skip
    for one in formats:
        assert isinstance(one, Format)
        assert one.spec.startswith("https://")
        assert words.has(f"format.{one.name}.title")
        assert words.has(f"format.{one.name}.text")
        assert registry.format_named(one.name) is one
    with pytest.raises(UsageError, match="no format 'fax'"):
        registry.format_named("fax")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", b"x,y\n1,2\n", "csv"),
        ("a.CSV", b"x;y\n1;2\n", "csv"),
        ("a.tsv", b"x\ty\n1\t2\n", "csv"),
        ("a.txt", b"x\ty\n1\t2\n", "csv"),
        ("a", b"x|y\n1|2\n", "csv"),
        ("a.csv", "x,y\nя,2\n".encode("utf-16"), "csv"),
        ("a.json", b'{"a": 1}', "json"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": []}', "json"),
        ("a.txt", b'[{"a": 1}]', "json"),
        ("a.xml", b"<eml:eml xmlns:eml='eml://ecoinformatics.org/eml-2.1.1'/>", "eml"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "xlsx"),
    ],
)
def test_single_files(tmp_path: Path, name: str, data: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert name_of(tmp_path / name) == expected


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"", "file-empty"),
        ("a.csv", b"\n\n\n", "format-unknown"),
        ("a.csv", b"\0" * 5_000, "format-unknown"),
        ("a.csv", bytes(range(256)) * 100, "format-unknown"),
        ("a.txt", b"Dear all,\nthe data are attached.\nYours, N.\n", "format-unknown"),
        ("a.pdf", b"%PDF-1.7\n" + b"1,2\n" * 100, "format-unknown"),
        ("a.csv", b"%PDF-1.7\n" + b"1,2\n" * 100, "format-unknown"),
        ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, "format-unknown"),
    ],
)
def test_what_is_no_format_is_said(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert refusal(tmp_path / name) == code


def test_folders_and_archives(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / ".keep").touch()
    assert refusal(folder) == "folder-empty"
    (folder / "notes.txt").write_text("Read me first, please.\n")
    assert refusal(folder) == "format-unknown"
    (folder / "results.csv").write_text("site,value\nA,1\n")
    assert name_of(folder) == "csv"
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as archive:
        archive.writestr("results.csv", "site,value\nA,1\n")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(tmp_path / "inner.zip", "inner.zip")
    assert refusal(tmp_path / "outer.zip") == "format-unknown"


class _Named:
    """A stand-in for an installed format."""

    title_key = "format.csv.title"
    extensions = ()
    spec = "https://example.org"

    def __init__(self, name: str) -> None:
        self.name = name

    def recognise(self, source: object) -> bool:
        return True

    def read(self, *arguments: object) -> Iterator[object]:
        return iter(())


OURS = _Named("csv")
LOGGER = _Named("logger")
AGAIN = _Named("logger")
NOTHING = object()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    entries: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    registry.all_formats.cache_clear()
    yield entries
    registry.all_formats.cache_clear()


def entry(name: str, variable: str) -> EntryPoint:
    made = EntryPoint(name, f"unused:{variable}", registry.GROUP)
    object.__setattr__(made, "load", lambda: globals()[variable])
    return made


def test_anyones_format_comes_before_our_general_ones(installed: list[EntryPoint]) -> None:
    installed += [entry("csv", "OURS"), entry("logger", "LOGGER")]
    assert [one.name for one in registry.all_formats()] == ["logger", "csv"]


def test_faulty_registrations_are_said(installed: list[EntryPoint]) -> None:
    installed[:] = [entry("a", "LOGGER"), entry("b", "AGAIN")]
    with pytest.raises(UsageError, match="Two installed formats"):
        registry.all_formats()
    installed[:] = [entry("a", "NOTHING")]
    with pytest.raises(UsageError, match="is not a format"):
        registry.all_formats()
    installed[:] = [EntryPoint("a", "no_such_module_anywhere:FORMAT", registry.GROUP)]
    with pytest.raises(UsageError, match="does not load"):
        registry.all_formats()
