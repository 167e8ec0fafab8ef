"""Patrol exports like SMART's: one row an observation, its patrol, leg and waypoint beside it.

SMART (https://smartconservationtools.org) publishes no machine-readable description of its
exports; this is the shape its patrol queries have: patrol, leg, transport, waypoint with date,
time and place, the levels of the category tree, then one column an attribute. Keys are kept as
they stand; attributes nobody has described stay beside the record. Each leg is an event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.camera_tables import blocks, column, headers
from ecotone.formats.keybook import KeyBook
from ecotone.formats.turned_away import turn_away
from ecotone.model.table import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

#: ``{our word: headers it has been seen under, letters and digits only}``.
_NAMES: Final = {
    "patrol": ("patrolid", "patrol"),
    "leg": ("patrollegid", "legid", "leg"),
    "transport": ("patroltransporttype", "transporttype", "transport"),
    "leader": ("leader", "patrolleader"),
    "mandate": ("mandate", "patrolmandate", "objective"),
    "station": ("station",),
    "waypoint": ("waypointid", "waypoint"),
    "date": ("waypointdate", "date"),
    "time": ("waypointtime", "time"),
    "x": ("x", "longitude", "lon", "waypointx"),
    "y": ("y", "latitude", "lat", "waypointy"),
    "species": ("species", "animalspecies", "speciesname", "scientificname"),
    "count": ("count", "numberofanimals", "number", "numberofindividuals"),
    "comment": ("comment", "comments", "waypointcomment"),
}
_CATEGORY: Final = re.compile(r"(?:observation)?category(\d*)")
_MUST: Final = ("patrol", "waypoint")


class PatrolExport:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "patrols"
    title_key = "format.patrols.title"
    extensions = (".csv",)
    spec = "https://smartconservationtools.org"

    def recognise(self, source: Source) -> bool:
        """A table whose columns name a patrol and a waypoint."""
        if source.only is None or not source.only.lower().endswith(".csv"):
            return False
        named = _named(headers(source, source.only))
        return all(name in named for name in _MUST)

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the legs not yet met, then the observations, of each block."""
        if source.only is None:
            raise refused("patrols-not", file=source.name)
        member = source.only
        named = _named(headers(source, member))
        if not all(name in named for name in _MUST):
            raise refused("patrols-not", file=member)
        met = KeyBook()
        for block in blocks(source, member, options, report, reject):
            frame = block.frame.rename(columns={h: n for n, h in named.items()})
            empty = column(frame, "patrol").isna().to_numpy(dtype=bool)
            turn_away(
                "patrols-no-patrol",
                block.frame,
                empty,
                named["patrol"],
                member,
                block.row,
                block.line,
                report,
                reject,
            )
            frame, row, line = frame[~empty], block.row[~empty], block.line[~empty]
            fresh = ~met.add(_leg(frame))
            yield _table("Event", _events(frame)[fresh], row[fresh], line[fresh], member)
            yield _table("Observation", _observations(frame, row), row, line, member)


FORMAT = PatrolExport()


def _named(names: tuple[str, ...]) -> dict[str, str]:
    """``{our word: the file's header}``."""
    bare = {re.sub(r"[^a-z0-9]", "", h.lower()): h for h in names}
    return {
        word: next(bare[s] for s in seen if s in bare)
        for word, seen in _NAMES.items()
        if any(s in bare for s in seen)
    }


def _table(kind: str, frame: pd.DataFrame, row: Numbers, line: Numbers, member: str) -> Table:
    return Table(
        type=kind,
        frame=frame.dropna(axis="columns", how="all").reset_index(drop=True),
        row=row,
        line=line,
        file=member,
        vocabulary="dwc" if kind == "Event" else "ecotone",
        key="eventID" if kind == "Event" else "observation_id",
    )


def _leg(frame: pd.DataFrame) -> pd.Series:
    """A name for each leg: the patrol's and its own."""
    patrol = column(frame, "patrol")
    return (patrol + "/" + column(frame, "leg")).fillna(patrol)


def _events(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "eventID": _leg(frame),
            "parentEventID": column(frame, "patrol"),
            "eventType": "patrol",
            "samplingProtocol": column(frame, "transport"),
            "eventDate": column(frame, "date"),
            "locality": column(frame, "station"),
            "eventRemarks": column(frame, "mandate"),
        }
    )


def _observations(frame: pd.DataFrame, row: Numbers) -> pd.DataFrame:
    import pandas as pd

    levels = sorted(
        (c for c in frame.columns if _CATEGORY.fullmatch(re.sub(r"[^a-z0-9]", "", c.lower()))),
    )
    category = column(frame, *levels[:1])
    for level in levels[1:]:
        finer = column(frame, level)
        category = (category + "/" + finer).fillna(category).fillna(finer)
    number = pd.Series(row, index=frame.index).astype("str")
    waypoint = column(frame, "waypoint").fillna("-")
    used = {*_NAMES, *levels}
    # A column of the file that bears a name of ours would be taken for it.
    rest = {f"+{c}": frame[c] for c in frame.columns if c not in used}
    return pd.DataFrame(
        {
            "observation_id": _leg(frame) + "/" + waypoint + "/" + number,
            "event": _leg(frame),
            "property": category,
            "taxon": column(frame, "species"),
            "count": column(frame, "count"),
            "latitude": column(frame, "y"),
            "longitude": column(frame, "x"),
            "date": column(frame, "date"),
            "time_of_day": column(frame, "time"),
            "observer": column(frame, "leader"),
            "remarks": column(frame, "comment"),
            **rest,
        }
    )
