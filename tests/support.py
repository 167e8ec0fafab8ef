"""What tests share: where the reference data lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ECOTONE_SHARED_DATA", ROOT.parent / "shared" / "data"))


def shared(relative: str) -> Path:
    """The reference file or folder, or a skip that says which is missing."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"reference data missing: {relative}")
    return path
