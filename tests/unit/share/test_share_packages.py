"""Packages from one node to another: whole, changes, tombstones, the same state at both ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.importing import held, import_package
from tests.exchange import agree, agreement, close, deliver, nodes, occurrences


@pytest.fixture
def pair(tmp_path: Path):
    actors = nodes(tmp_path)
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    deliver(actors["DUSH"], occurrences(200))
    yield actors
    close(actors)


def test_a_package_arrives_and_both_ends_hold_the_same(pair):
    sender, receiver = pair["DUSH"], pair["URUM"]
    made = export(sender, Wanted("URUM"))
    assert made.fresh and made.kind == "whole" and made.rows == {"Occurrence": 200}
    done = import_package(receiver, made.path)
    assert done.fresh and done.new == {"Occurrence": 200}
    assert held(receiver, "DUSH") == made.sent.state == done.state
    assert not receiver.store.verify_ledger()
