"""A SensorThings server on each database, one for all tests of a module."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nodes import new_node
from tests.postgres import server
from tests.sensing import Client, serving
from tests.unit.serve.sta_seed import Seed, plant

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="module", params=BOTH)
def sta(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """A client of a party that owns the node."""
    url = None if request.param == "sqlite" else server().new_database()
    folder = quick_folder() or tmp_path_factory.mktemp("sta")
    try:
        with new_node(folder / "node", url) as store, serving(store) as service:
            yield service.client(store.party_id)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def quick_folder() -> Path | None:
    """A folder in memory, where the system has one: thousands of commits wait for no disk."""
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        return None
    return Path(tempfile.mkdtemp(prefix="ecotone-sta-", dir=memory))


@pytest.fixture(scope="module")
def seed(sta: Client) -> Seed:
    """The station that tests read and do not change; another stands beside it."""
    plant(sta, "another thing")
    return plant(sta)
