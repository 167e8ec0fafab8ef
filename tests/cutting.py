"""The example's relay that breaks connections, for tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

EXAMPLE = Path(__file__).parents[1] / "examples" / "three-nodes"


def loaded(name: str) -> ModuleType:
    """A module of the example, which is a folder of scripts and no package."""
    spec = importlib.util.spec_from_file_location(f"three_nodes_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CuttingWay = loaded("relay").CuttingWay
