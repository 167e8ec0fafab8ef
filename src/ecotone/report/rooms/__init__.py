"""What each indicator adds to its chapter: its sentences, headline numbers, plots and maps.

A field adds a file here and a line to ``ROOMS``; an indicator without one still gets its values,
tables, plots of intervals and plain maps.
"""

from __future__ import annotations

from typing import Final

from ecotone.report.rooms import (
    connectivity,
    land,
    land_dry,
    land_status,
    plain,
    water,
    water_network,
    wildlife,
)
from ecotone.report.rooms.base import Room

ROOMS: Final[dict[str, Room]] = {
    "connectivity.corridors": connectivity.CORRIDORS,
    "land.cover-change": land_status.CLASSES,
    "land.drought-exposure": land_dry.EXPOSURE,
    "land.productivity": land_status.CLASSES,
    "land.sand-drift": land_dry.DRIFT,
    "land.sdg-15-3-1": land_status.SDG,
    "land.soil-carbon": land_status.CLASSES,
    "land.spei": land_dry.INDEX,
    "land.spi": land_dry.INDEX,
    "land.trend": land.TREND,
    "land.wind-erosion": land_dry.WIND,
    "water.alarms": water_network.ALARMS,
    "water.compliance": water.COMPLIANCE,
    "water.drift": water_network.DRIFT,
    "water.laboratory": water_network.LABORATORY,
    "water.network": water_network.NETWORK,
    "water.trend": water_network.TREND,
    "wildlife.density": wildlife.DENSITY,
    "wildlife.identity": wildlife.IDENTITY,
    "wildlife.individuals": wildlife.INDIVIDUALS,
}


def room(indicator: str) -> Room:
    """The room of an indicator, or the plain one."""
    return ROOMS.get(indicator, plain.PLAIN)
