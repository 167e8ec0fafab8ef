"""The door's promise, tried: no reader ever finds a canary, and hidden moves change no byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.leaks import answers
from tests.leaks.plant import READERS, Canaries, canaries, move, node
from tests.leaks.search import Search, geohash

Answers = dict[str, dict[str, bytes]]

#: Commands that speak to a steward, who can read the node's files: they pass no door.
STEWARDS = {
    "init", "status", "ingest", "findings", "quarantine", "correct", "history", "withdraw",
    "demo", "add party", "add person", "add project", "add dataset",
    "share add", "share audit", "backup", "restore", "export",
    # These read no node: a form to fill in, and runs that have left through the door before.
    "template", "compare",
    # Who may come in; what they then see is crawled through the portal.
    "people add", "people list", "people token", "people remove", "serve",
}  # fmt: skip
#: Commands whose output readers get; each is run below.
READERS_SEE = {"share preview", "share list", "assess", "report", "verify", "indicators", "compute"}


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
    scratch.mkdir(exist_ok=True)
    at = world / "node"
    return {
        **answers.previews(at, reader),
        **answers.exports(at, reader, scratch),
        **answers.reports(at, reader, scratch / "run", ("en",)),
    }


@pytest.fixture(scope="module")
def told(world: Path, birds: Canaries) -> tuple[Answers, Answers]:
    """All answers to all readers, and those of a twin.

    In the twin the canaries lie elsewhere in their cells and months, all that is said about them
    is other, and the withheld records are not there at all.
    """
    shutil.copytree(world / "node", world / "kept")
    found: list[Answers] = []
    for twin in (False, True):
        if twin:
            move(world / "node", canaries(11, word="merlinzqx", like=birds))
        with pytest.MonkeyPatch.context() as patch:
            answers.same_mint(patch)
            found.append({reader: everything(world, reader) for reader in READERS})
        shutil.rmtree(world / "node")
        shutil.copytree(world / "kept", world / "node")
    return found[0], found[1]


@pytest.mark.parametrize("reader", READERS)
def test_no_export_holds_a_canary(world: Path, birds: Canaries, reader: str) -> None:
    """The short form of what follows, for every day."""
    scratch = world / f"exports-{reader}"
    scratch.mkdir()
    search = Search(birds)
    told = answers.exports(world / "node", reader, scratch)
    assert {name: found[:5] for name, data in told.items() if (found := search.hits(data))} == {}


@pytest.mark.slow
@pytest.mark.timeout(1200)
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
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("reader", READERS)
def test_hidden_moves_change_no_byte(told: tuple[Answers, Answers], reader: str) -> None:
    before, after = told[0][reader], told[1][reader]
    assert set(before) == set(after)
    assert [name for name, data in before.items() if data != after[name]] == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
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
    held, info = io.BytesIO(), PngInfo()
    info.add_text("place", f"{la:.5f}")
    Image.new("RGB", (4, 4)).save(held, "PNG", pnginfo=info)
    assert search.axes(held.getvalue())
    assert not search.hits(b"37.05 73.25 2026-05-01") and not search.axes(b"37.05 73.25")


def test_every_command_is_a_stewards_or_is_tried_here() -> None:
    import typer.main

    from ecotone.cli.app import app

    def names(group: object, before: str = "") -> set[str]:
        found: set[str] = set()
        for name, command in group.commands.items():  # type: ignore[attr-defined]  # a click group
            inner = hasattr(command, "commands")
            found |= names(command, f"{name} ") if inner else {before + name}
        return found

    known = names(typer.main.get_command(app))
    others = {n for n in known if n.startswith(("keys ", "share "))} - READERS_SEE
    assert known - STEWARDS - READERS_SEE - others == set()
