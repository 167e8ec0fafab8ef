"""The small examples in the sciences' docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import ecotone.science

MODULES = [
    found.name for found in pkgutil.walk_packages(ecotone.science.__path__, "ecotone.science.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0
