"""One delivery: recognised, read, converted, checked, handed block by block to a sink.

The same way serves a dry run (a sink that counts) and a commit (a sink that writes one
transaction); what is checked does not depend on where it goes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ecotone.formats.base import ReadOptions, Refused, refused
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding
from ecotone.model.words import say

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ecotone.ingest.mapping import Mapping
    from ecotone.ingest.one_pass import Pass

    Rows = NDArray[np.int64]

Verdict = Literal["accepted", "partial", "refused"]


class Sink(Protocol):
    """Where a delivery goes, block by block."""

    def add(self, noun: str, frame: pd.DataFrame, rows: Rows, lines: Rows, file: str) -> None:
        """Records that stood every check."""

    def reject(self, file: str, row: int, line: int, raw: str, finding: Finding | None) -> None:
        """A row that did not, in its own words."""

    def find(self, finding: Finding) -> None:
        """Anything said about the delivery."""


@dataclass(frozen=True)
class Orders:
    """How to read a delivery: what the steward declared on the command line or in a mapping."""

    format: str | None = None
    mapping: Mapping | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    sheet: str | None = None
    zone: str | None = None
    datum: str | None = None
    country: str | None = None
    block_rows: int = 50_000

    def read_options(self) -> ReadOptions:
        """What the format's reader needs to know."""
        m = self.mapping
        zone = self.zone or (m.zone if m else None)
        return ReadOptions(
            encoding=self.encoding or (m.encoding if m else None),
            delimiter=self.delimiter or (m.delimiter if m else None),
            decimal=self.decimal or (m.decimal if m else None),
            sheet=self.sheet or (m.sheet if m else None),
            zone=zone_of(zone) if zone else None,
            block_rows=self.block_rows,
            # A mapping names the file's own headers, whatever standard they resemble.
            type="Record" if m else None,
        )


@dataclass
class Delivery:
    """What became of a delivery."""

    verdict: Verdict
    format: str | None
    records: dict[str, int] = field(default_factory=dict)
    rejected: int = 0


def zone_of(name: str) -> dt.tzinfo:
    """The zone of an IANA name, an offset or a known abbreviation; UsageError for any other."""
    from zoneinfo import ZoneInfo

    from ecotone.model.time_zone import UnknownZone, resolve_zone

    try:
        zone = resolve_zone(name)
    except UnknownZone as unknown:
        raise UsageError(say("ingest.zone-unknown", zone=name)) from unknown
    return ZoneInfo(zone.key) if zone.key else dt.timezone(dt.timedelta(seconds=zone.offset_s))


def process(
    path: Path,
    orders: Orders,
    sink: Sink,
    *,
    progress: Callable[[int], None] = lambda rows: None,
) -> Delivery:
    """Read a delivery into a sink.

    A refused delivery is an answer, not an exception: its finding goes to the sink and the
    verdict is ``refused``; what the sink got before must then be forgotten by the caller.
    """
    from ecotone.formats.safe import open_source

    found: Pass | None = None
    try:
        with open_source(path) as source:
            from ecotone.ingest.one_pass import Pass

            found = Pass(orders, sink, progress)
            found.read(source)
    except Refused as error:
        sink.find(error.finding)
        return _refused(found)
    if found.nothing_read():
        sink.find(refused("nothing-readable", file=path.name).finding)
        return _refused(found)
    verdict: Verdict = "partial" if found.rejected else "accepted"
    return Delivery(verdict, found.format, found.records, found.rejected)


def _refused(found: Pass | None) -> Delivery:
    return (
        Delivery("refused", found.format, {}, found.rejected)
        if found
        else Delivery("refused", None)
    )
