"""The same tests on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.nodes import new_node
from tests.postgres import server

from ecotone.store import Store

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str | None:
    """None for SQLite in the node's folder, else an empty PostgreSQL database."""
    return None if request.param == "sqlite" else server().new_database()


@pytest.fixture
def store(tmp_path: Path, database_url: str | None) -> Iterator[Store]:
    """A new node on either database."""
    with new_node(tmp_path / "node", database_url) as made:
        yield made


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A new node on SQLite, for tests that reach into its file."""
    with new_node(tmp_path / "node") as made:
        yield made
