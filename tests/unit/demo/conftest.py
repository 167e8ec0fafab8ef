from __future__ import annotations

import pytest

from ecotone.demo.basin import Basin, Nature, grow, simulate


@pytest.fixture(scope="session")
def basin(tmp_path_factory: pytest.TempPathFactory) -> Basin:
    return simulate(tmp_path_factory.mktemp("basin"))


@pytest.fixture(scope="session")
def nature() -> Nature:
    return grow(1)[0]
