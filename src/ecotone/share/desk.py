"""A node as its server sees it: who and what, never rows; rows come through the door alone.

``serve`` may not reach into the store. What it needs beside the door stands here, and each
function is told for whom it answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecotone.store import Store

__all__ = ["Store", "open_node"]


def open_node(folder: Path) -> Store:
    """The node in this folder, for a server that hands it on to the services."""
    from ecotone.store import open_node as open_store

    return open_store(folder)
