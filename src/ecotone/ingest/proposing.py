"""A mapping to start from, for a file whose columns nobody has described."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecotone.formats import registry
from ecotone.formats.base import Refused
from ecotone.formats.safe import open_source
from ecotone.ingest import mapping as mappings
from ecotone.model.errors import InputRefused
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.ingest.delivery import Orders

_ROWS: Final = 1000


def propose_mapping(path: Path, orders: Orders) -> str:
    """The text of a mapping that fits the first table of a delivery, to be corrected and kept.

    Raises InputRefused where there is no table, or none that can be read.
    """
    try:
        with open_source(path) as source:
            found = registry.recognise(source)
            options = orders.read_options()
            tables = found.read(source, options, lambda finding: None, lambda *row: None)
            first = next(iter(tables), None)
            if first is None:
                raise InputRefused(say("cli.ingest.nothing-to-map", path=path.name))
            return mappings.propose(
                first.frame.head(_ROWS),
                encoding=first.metadata.get("encoding", ""),
                delimiter=first.metadata.get("delimiter", ""),
                decimal=orders.decimal or "",
            )
    except Refused as refusal:
        raise InputRefused(refusal.finding.message()) from refusal
