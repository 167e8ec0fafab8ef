"""kill -9 at random moments of a 100,000-row delivery: nothing lost, doubled, or half there."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.nodes import new_node
from tests.postgres import server

from ecotone.store import Store, open_node

DRIVER = Path(__file__).with_name("store_driver.py")
ROWS = 100_000
#: A node is made anew after this many kills, so that it does not grow without end.
KILLS_A_NODE = 25


@dataclass
class Hunt:
    """One node under fire."""

    node: Path
    dice: random.Random
    whole: float = 0.0  #: seconds an undisturbed delivery takes after it has begun
    file: int = 0  #: the file being delivered; the next one only when this one is there
    acknowledged: set[int] = field(default_factory=set)

    def deliver(self, patience: float | None) -> None:
        """Start a delivery and kill it after ``patience`` seconds (None: let it finish)."""
        process = subprocess.Popen(
            [sys.executable, DRIVER, self.node, str(self.file), str(ROWS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        began = time.monotonic()
        if patience is not None:
            time.sleep(patience)
            process.send_signal(signal.SIGKILL)
        told = process.stdout.read()
        process.wait(120)
        if patience is None:
            self.whole = time.monotonic() - began
            assert process.returncode == 0
        if told:
            self.acknowledged.add(self.file)

    def moment(self, number: int) -> float:
        """Any moment of the delivery; every second one near its end, where the commit is."""
        low = 0.75 if number % 2 else 0.0
        return self.whole * self.dice.uniform(low, 1.1)

    def look(self, store: Store) -> None:
        """Every batch there whole, every row once, every acknowledged file there."""
        with store.database.reading() as connection:
            rows = connection.execute(
                sa.text(
                    "SELECT b.sha256, count(o.n), count(DISTINCT o.id),"
                    " count(DISTINCT o.observation_id)"
                    " FROM batch b LEFT JOIN observation o"
                    " ON o.batch_id = b.batch_id AND o.until IS NULL GROUP BY b.sha256"
                )
            ).all()
            orphans = connection.execute(
                sa.text(
                    "SELECT count(*) FROM observation"
                    " WHERE batch_id NOT IN (SELECT batch_id FROM batch)"
                )
            ).scalar()
            if not store.database.is_postgres:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        there = {int(row[0], 16): tuple(row[1:]) for row in rows}
        assert set(there.values()) <= {(ROWS, ROWS, ROWS)}
        assert orphans == 0
        assert self.acknowledged <= there.keys()
        assert len(store.batches()) == len(there)
        assert list((self.node / "staging").iterdir()) == []
        if self.file in there:
            self.file += 1


def _hunt(folder: Path, url: str | None, kills: int, seed: int) -> None:
    with new_node(folder, url):
        pass
    hunt = Hunt(folder, random.Random(seed))
    hunt.deliver(None)
    assert hunt.acknowledged == {0}
    hunt.file = 1
    for number in range(kills):
        hunt.deliver(hunt.moment(number))
        with open_node(folder) as store:
            hunt.look(store)
    hunt.deliver(None)
    with open_node(folder) as store:
        files = hunt.file + 1
        hunt.look(store)
        assert store.count("Observation", ["kncm-water"]) == files * ROWS
        assert store.verify_ledger() == []


def _url(database: str) -> str | None:
    return None if database == "sqlite" else server().new_database()


BOTH = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)


@BOTH
def test_ten_kills(tmp_path: Path, database: str) -> None:
    _hunt(tmp_path / "node", _url(database), kills=10, seed=20261121)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@BOTH
def test_two_hundred_kills(tmp_path: Path, database: str) -> None:
    for part in range(200 // KILLS_A_NODE):
        node = tmp_path / f"node{part}"
        _hunt(node, _url(database), kills=KILLS_A_NODE, seed=part)
        shutil.rmtree(node)
