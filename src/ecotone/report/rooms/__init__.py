"""What each indicator adds to its chapter: its sentences, headline numbers, plots and maps.

A field adds a file here and a line to ``ROOMS``; an indicator without one still gets its values,
tables, plots of intervals and plain maps.
"""

from __future__ import annotations

from typing import Final

from ecotone.report.rooms import connectivity, land, plain, water
from ecotone.report.rooms.base import Room

ROOMS: Final[dict[str, Room]] = {
    "connectivity.corridors": connectivity.CORRIDORS,
    "land.trend": land.TREND,
    "water.compliance": water.COMPLIANCE,
}


def room(indicator: str) -> Room:
    """The room of an indicator, or the plain one."""
    return ROOMS.get(indicator, plain.PLAIN)
