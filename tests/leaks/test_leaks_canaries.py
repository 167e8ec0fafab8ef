"""The door's promise, tried: no reader ever finds a canary, and hidden moves change no byte."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.leaks import answers, carried
from tests.leaks.plant import (
    NOUNS,
    READERS,
    Canaries,
    canaries,
    move,
    node,
    open_store,
    photographs,
)
from tests.leaks.search import Search, geohash

Answers = dict[str, dict[str, bytes]]

#: Commands of those who can read the node's files: they pass no door, and tell nobody else.
STEWARDS = {
    "init", "ingest", "correct", "withdraw", "demo", "restore",
    "add party", "add person", "add project", "add dataset",
    "keys rotate", "keys revoke", "keys trust",
    "share add", "share draft", "share propose", "share sign", "share attach", "share suspend",
    "share resume", "share revoke", "share amend", "share request", "share answer",
    "people add", "people list", "people remove", "people token",
    "individuals list", "individuals review", "individuals decide",
}  # fmt: skip
#: These read no node: forms to fill in, lists of methods, plain files.
NO_NODE = {"template", "labels", "indicators", "compute", "sources"}
#: Commands whose output readers get, at the owner's node or at their own: each is run below.
READERS_SEE = {
    "share preview", "share list", "share show", "share export", "share open", "share serve",
    "share fetch", "share import", "share packages", "share audit", "assess", "report", "verify",
    "compare", "status", "findings", "quarantine", "history", "keys show", "keys export",
    "export", "backup", "share photographs",
}  # fmt: skip
#: Commands whose answers are crawled by a test of their own.
ELSEWHERE: dict[str, str] = {"serve": "tests/unit/serve/test_serve_foreign.py"}


@pytest.fixture(scope="module")
def birds() -> Canaries:
    return canaries()


@pytest.fixture(scope="module")
def world(birds: Canaries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaks")
    node(folder / "node", birds)
    return folder


def everything(world: Path, reader: str) -> dict[str, bytes]:
    scratch = world / f"answers-{reader}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    at = world / "node"
    return {
        **answers.previews(at, reader, scratch),
        **answers.exports(at, reader, scratch),
        **answers.reports(at, reader, scratch / "run", ("en",)),
        **carried.packages(at, reader, scratch),
        **carried.over_http(at, reader),
    }


@pytest.fixture(scope="module")
def told(world: Path, birds: Canaries) -> tuple[Answers, Answers]:
    """All answers to all readers, and those of a twin.

    In the twin the canaries lie elsewhere in their cells and months, all that is said about them
    is other, and the withheld records are not there at all.
    """
    shutil.copytree(world / "node", world / "kept")
    found: dict[bool, Answers] = {}
    # The twin first: what is left in the readers' folders is of the canaries themselves.
    for twin in (True, False):
        if twin:
            others = canaries(11, word="merlinzqx", like=birds)
            move(world / "node", others)
            photographs(world / "photos", others)
        with pytest.MonkeyPatch.context() as patch:
            answers.same_mint(patch)
            found[twin] = {reader: everything(world, reader) for reader in READERS}
        shutil.rmtree(world / "node")
        shutil.copytree(world / "kept", world / "node")
    return found[False], found[True]


@pytest.mark.parametrize("reader", READERS)
def test_no_export_holds_a_canary(world: Path, birds: Canaries, reader: str) -> None:
    """The short form of what follows, for every day."""
    scratch = world / f"exports-{reader}"
    scratch.mkdir()
    search = Search(birds)
    told = answers.exports(world / "node", reader, scratch)
    assert {name: found[:5] for name, data in told.items() if (found := search.hits(data))} == {}


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("reader", READERS)
def test_no_answer_holds_a_canary(
    told: tuple[Answers, Answers], birds: Canaries, reader: str
) -> None:
    search = Search(birds)
    answer, twin = told[0][reader], told[1][reader]
    if reader in ("BB", "CC"):
        assert {"dwca", "Occurrence.parquet", "Site.xlsx", "Media.csv"} <= set(answer)
        for name in answers.FORMATS:
            assert any(file.endswith(f"report-en.{name}") for file in answer)
    assert {name: found[:5] for name, data in answer.items() if (found := search.hits(data))} == {}
    alone = {name: search.axes(data) - search.axes(twin[name]) for name, data in answer.items()}
    assert {name: found for name, found in alone.items() if found} == {}


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("reader", READERS)
def test_hidden_moves_change_no_byte(told: tuple[Answers, Answers], reader: str) -> None:
    before, after = told[0][reader], told[1][reader]
    assert set(before) == set(after)
    assert [name for name, data in before.items() if data != after[name]] == []


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_reports_in_other_languages_hold_none(world: Path, birds: Canaries) -> None:
    search = Search(birds)
    folder = world / "languages"
    for name, data in answers.reports(world / "node", "BB", folder, ("zh", "ru")).items():
        assert search.hits(data) == [], name


def test_the_owner_finds_every_canary(world: Path, birds: Canaries) -> None:
    """The search itself: what is looked for in vain elsewhere is found where it may be."""
    scratch = world / "own"
    scratch.mkdir(exist_ok=True)
    told = answers.exports(world / "node", "AA", scratch)
    search = Search(birds)
    for name in ("Occurrence.csv", "Occurrence.parquet", "Site.xlsx", "dwca", "Coverage.csv"):
        assert search.hits(told[name]) and search.axes(told[name])
    for photo in sorted((world / "photos").glob("*kestrel*")):
        assert search.hits(photo.read_bytes()), "and beside a picture"
    with open_store(world / "node") as store:
        chosen = next(store.select("Coverage", datasets=["cats"]))["sha256"].iloc[0]
        assert len(search.hits(store.file_path(chosen).read_bytes())) > 900, "and in pixels"


def test_the_search_knows_every_spelling(birds: Canaries) -> None:
    import io

    import numpy as np
    import shapely
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    search = Search(birds)
    la, lo = float(birds.latitude[3]), float(birds.longitude[3])
    for kind in ("<f8", ">f8", "<f4", ">f4"):
        pair = np.array([lo, la], dtype=kind).tobytes()
        assert search.hits(b"abc" + pair + b"x")
        assert search.hits(np.array([la, lo], dtype=kind).tobytes())
        assert not search.hits(np.array([la, 0.0, 3.0], dtype=kind).tobytes())
    assert search.hits(shapely.to_wkb(shapely.Point(lo, la)))
    assert search.hits(f"POINT ({lo} {la})".encode())
    assert search.hits(geohash(la, lo, 9).encode())
    assert geohash(57.64911, 10.40744, 8) == "u4pruydq", "the example of the geohash page"
    assert search.hits(search._of_tiles()[3].encode())
    from pyproj import Transformer

    from ecotone.model.gcj02 import wgs84_to_bd09, wgs84_to_gcj02

    for shift in (wgs84_to_gcj02, wgs84_to_bd09):
        moved = [float(axis) for axis in shift(la, lo)]
        assert search.hits(f"{moved[0]:.6f}, {moved[1]:.6f}".encode())
        assert search.hits(np.array(moved).tobytes())
    for code in (32643, 28413, 3857):
        x, y = Transformer.from_crs(4326, code, always_xy=True).transform(lo, la)
        assert search.hits(f"<x>{x:.2f}</x><y>{y:.2f}</y>".encode())
        assert search.hits(b"ab" + np.array([x, y], dtype=">f8").tobytes())
        assert not search.hits(f"{x:.0f} 1234567".encode())
    minutes = [(int(v), int(v * 60 % 60), v * 3600 % 60) for v in (la, lo)]
    for form in ("{}\u00b0{}'{:.1f}\"N", "{}d{}m{:.2f}s"):
        assert search.hits(" ".join(form.format(*m) for m in minutes).encode())
    second = f"{birds.hours[3]:%H:%M:%S}"
    assert search.hits(f"1987-05-01T{second}Z".encode()) and search.hits(second.encode())
    clock = f"{datetime.now(UTC):%Y-%m-%d}T{second}Z"
    assert not search.hits(clock.encode()), "the clock of the run itself"
    held, info = io.BytesIO(), PngInfo()
    info.add_text("place", f"{la:.5f}")
    Image.new("RGB", (4, 4)).save(held, "PNG", pnginfo=info)
    assert search.axes(held.getvalue())
    assert not search.hits(b"37.05 73.25 2026-05-01") and not search.axes(b"37.05 73.25")


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("reader", READERS)
def test_nothing_of_a_readers_own_node_holds_a_canary(
    world: Path, told: tuple[Answers, Answers], birds: Canaries, reader: str
) -> None:
    """What arrived in packages, every command at home, and every file of that node."""
    found = carried.at_home(reader, world / f"answers-{reader}")
    assert bool(found) == (reader != "EE")
    drawn = [name for name in found if name.startswith("file photographs/")]
    assert len(drawn) == (3 if reader in ("BB", "CC") else 0)
    search = Search(birds)
    assert {name: hits[:5] for name, data in found.items() if (hits := search.hits(data))} == {}
    if reader == "BB":
        run = {name.split(" | ")[0] for name in (*told[0][reader], *found)}
        assert run >= READERS_SEE, "every command is run, not only listed"
        own = (world / "node" / "ecotone.sqlite").read_bytes()
        assert len(search.hits(own)) > 10_000, "the search finds them in the owner's database"


def test_every_noun_is_planted() -> None:
    from ecotone.model.dictionary import RECORD_NOUNS

    assert set(RECORD_NOUNS) - {"Taxon"} == set(NOUNS), "a checklist tells no place"


def test_every_command_is_classed() -> None:
    import typer.main

    from ecotone.cli.app import app

    def names(group: object, before: str = "") -> set[str]:
        found: set[str] = set()
        for name, command in group.commands.items():  # type: ignore[attr-defined]  # a click group
            inner = hasattr(command, "commands")
            found |= names(command, f"{name} ") if inner else {before + name}
        return found

    known = names(typer.main.get_command(app))
    classed = [STEWARDS, READERS_SEE, NO_NODE, set(ELSEWHERE)]
    assert known - set().union(*classed) == set(), "new commands are classed, and crawled"
    assert sum(map(len, classed)) == len(set().union(*classed)), "each in one class"
