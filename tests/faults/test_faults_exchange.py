"""Processes killed and lines cut at random: nothing is lost, nothing doubled, both ends agree."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from tests.cutting import CuttingWay, loaded
from tests.exchange import agree, agreement, close, deliver, nodes, occurrences
from tests.faults import package_worker as worker

from ecotone.model.errors import InputRefused
from ecotone.share.packages import fetch as fetching
from ecotone.share.packages import sent
from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.importing import held, import_package
from ecotone.share.packages.serve import address, server
from ecotone.store import open_node

ROWS = 400


def _context():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.package_worker"])
    return context


class Bed:
    """Two nodes, a stick, and processes that die."""

    def __init__(self, home: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.context = _context()
        self.actors = nodes(home / "nodes")
        agree(self.actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
        agree(self.actors, agreement("URUM", ["DUSH"]), at=["URUM"])
        self.stick = home / "stick"
        self.stick.mkdir()
        self.batches: dict[str, list[str]] = {"DUSH": [], "URUM": []}
        self.number = 0
        self.kills = 0

    def folder(self, party: str) -> str:
        return str(self.actors[party].store.folder)

    def change(self, party: str) -> None:
        """New rows, corrected rows, or a delivery withdrawn."""
        self.number += 1
        actor, mine = self.actors[party], self.batches[party]
        if len(mine) > 2 and self.random.random() < 0.3:
            gone = mine.pop(self.random.randrange(len(mine)))
            actor.store.withdraw(gone, person=actor.person, reason="wrong")
            return
        start = self.random.choice([0, self.number * ROWS])
        frame = occurrences(ROWS, start=start).assign(habitat=f"round {self.number}")
        mine.append(deliver(actor, frame, name=f"{self.number}.csv"))

    def through(self, work, *arguments: str, longest: float) -> None:
        """Run until it is done; it is killed at a random moment, most of the time."""
        while True:
            process = self.context.Process(target=work, args=arguments)
            process.start()
            if self.random.random() < 0.6:
                process.join(self.random.uniform(0.0, longest))
                if process.is_alive():
                    process.kill()
                    self.kills += 1
            process.join()
            if process.exitcode == 0:
                return
            assert process.exitcode == -9, f"it failed by itself: {process.exitcode}"

    def agrees(self, sender: str, receiver: str) -> None:
        """0 lost, 0 doubled, equal states."""
        said = sent.newest(self.actors[sender].store, receiver)
        assert said is not None
        assert held(self.actors[receiver], sender) == said.state
        rows = pd.concat(
            self.actors[receiver].store.select("Occurrence", datasets=[f"{sender}-wild"])
        )
        assert rows["id"].is_unique
        count = self.actors[sender].store.count("Occurrence", [f"{sender}-wild"])
        assert len(rows) == count


def exchange(home: Path, wanted: int, seed: int) -> Bed:
    """Rounds of change, export and import, both ways, until so many processes were killed."""
    bed = Bed(home, seed)
    longest = 1.0
    while bed.kills < wanted:
        for sender, receiver in (("DUSH", "URUM"), ("URUM", "DUSH")):
            bed.change(sender)
            started = time.monotonic()
            bed.through(worker.make, bed.folder(sender), receiver, str(bed.stick), longest=longest)
            bed.through(worker.take, bed.folder(receiver), str(bed.stick), sender, longest=longest)
            longest = 0.5 * longest + 0.25 * min(time.monotonic() - started, 6.0)
            bed.agrees(sender, receiver)
    for actor in bed.actors.values():
        assert not actor.store.verify_ledger()
        with open_node(actor.store.folder) as again:
            assert not list((again.folder / "staging").iterdir())
    close(bed.actors)
    return bed


def test_ten_kills(tmp_path):
    assert exchange(tmp_path, 10, seed=1).kills >= 10


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills(tmp_path):
    assert exchange(tmp_path, 100, seed=2).kills >= 100
    assert cuts(tmp_path / "lines", 100, seed=3) >= 100


def cuts(home: Path, wanted: int, seed: int) -> int:
    """Fetch over a line that breaks at random places, until it broke so often."""
    dice = random.Random(seed)
    actors = nodes(home)
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    sender, receiver = actors["DUSH"], actors["URUM"]
    folder = sender.store.folder
    running = server(lambda: open_node(folder))
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    told: Counter[str] = Counter()
    port = int(address(running).rsplit(":", 1)[1])

    def after() -> int | None:
        return dice.choice([dice.randrange(1, 600), dice.randrange(1, 60_000), None])

    with CuttingWay(port, after) as way:
        number = 0
        while way.cuts < wanted:
            number += 1
            deliver(sender, occurrences(ROWS, start=number * ROWS), name=f"{number}.csv")
            export(sender, Wanted("URUM"))
            while True:
                try:
                    for one in fetching.wanted(receiver, way.url, "DUSH"):
                        path = fetching.fetch(receiver, way.url, "DUSH", one)
                        assert import_package(receiver, path).fresh
                        fetching.forget(path)
                    break
                except InputRefused as error:
                    told[error.message.key] += 1
            said = sent.newest(sender.store, "URUM")
            assert said is not None and held(receiver, "DUSH") == said.state
            assert receiver.store.count("Occurrence", ["DUSH-wild"]) == number * ROWS
    assert set(told) <= {"packages.server-unreachable", "packages.server-answer"}, told
    running.shutdown()
    running.server_close()
    assert not list((receiver.store.folder / "packages" / "inbox").rglob("*.part"))
    found = way.cuts
    close(actors)
    return found


def test_ten_cuts(tmp_path):
    assert cuts(tmp_path, 10, seed=4) >= 10


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_example_with_three_nodes(tmp_path):
    example = loaded("run")
    bed = example.run(tmp_path, cuts=6, seed=7)
    rows = example.table(bed)
    assert len(rows) == 6 and bed.cuts + bed.kills >= 6
    assert all(same for *_, same in rows)
    assert all(not actor.store.verify_ledger() for actor in bed.actors.values())
    close(bed.actors)
