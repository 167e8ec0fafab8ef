"""camtrapR's tables: stations with their camera problems, records, records of individuals.

Retold under Camtrap DP's fields (Niedballa and others 2016, doi:10.1111/2041-210X.12600). A
station is a deployment; ``ProblemN_from`` and ``ProblemN_to`` are failures of its camera. Places
in projected metres name no coordinate system: they are kept, and told.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.camera_failures import failures
from ecotone.formats.camera_tables import (
    Outings,
    as_table,
    blocks,
    column,
    headers,
    plain_dates,
)
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from ecotone.formats.delimited import Block

_STATIONS: Final = {"Station", "Setup_date", "Retrieval_date"}
_RECORDS: Final = {"Station", "Species", "DateTimeOriginal"}
_DATES: Final = ("Setup_date", "Retrieval_date")
_PROBLEM: Final = re.compile(r"Problem(\d+)_from")
_PLACES: Final = (("latitude", "longitude"), ("Latitude", "Longitude"), ("lat", "long"))


class CamtrapR:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "camtrapr"
    title_key = "format.camtrapr.title"
    extensions = (".csv", ".zip")
    spec = "https://jniedballa.github.io/camtrapR/"

    def recognise(self, source: Source) -> bool:
        """Tables with camtrapR's own column names."""
        stations, records = _members(source)
        return bool(stations or records)

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield deployments and failures, then observations."""
        stations, records = _members(source)
        if not stations and not records:
            raise refused("camtrapr-not", file=source.name)
        outings = Outings(options.zone)
        for member in stations:
            for block in blocks(source, member, options, report, reject):
                _order_dates(block, member, report)
                yield from _stations(block, member, outings, report)
        for member in records:
            for block in blocks(source, member, options, report, reject):
                frame = _records(block.frame, member, block.row.tolist())
                names, times = frame["deploymentID"], frame["eventStart"]
                outings.tell(names, times, "DateTimeOriginal", block, member, report)
                yield as_table(
                    "observations",
                    frame,
                    block.row,
                    block.line,
                    member,
                )


FORMAT = CamtrapR()


def _members(source: Source) -> tuple[list[str], list[str]]:
    """Tables of stations, and tables of records."""
    stations, records = [], []
    for member in source.members:
        if not member.lower().endswith(".csv"):
            continue
        names = set(headers(source, member))
        if names >= _STATIONS:
            stations.append(member)
        elif names >= _RECORDS:
            records.append(member)
    return stations, records


def _order_dates(block: Block, member: str, report: Report) -> None:
    """One order of day and month for all dates of a table of stations, where one shows it."""
    names = [c for c in block.frame.columns if c in _DATES or c.startswith("Problem")]
    after, order = plain_dates({name: column(block.frame, name) for name in names})
    if order is not None:
        params = {"order": order}
        report(Finding("camtrapr-date-order", Severity.WARNING, file=member, params=params))
    for name in names:
        block.frame[name] = after[name]


def _stations(block: Block, member: str, outings: Outings, report: Report) -> Iterator[Table]:
    import pandas as pd

    frame = block.frame
    place = next((p for p in _PLACES if set(p) <= set(frame.columns)), None)
    if place is None:
        told = [c for c in frame.columns if c.lower().startswith(("utm", "x", "y", "east", "nor"))]
        params = {"columns": ", ".join(told) or "-"}
        report(Finding("camtrapr-no-place", Severity.WARNING, file=member, params=params))
    name = _deployment(frame)
    out = {
        "deploymentID": name,
        "locationID": column(frame, "Station"),
        "cameraID": column(frame, "Camera", "camera"),
        "deploymentStart": column(frame, "Setup_date"),
        "deploymentEnd": column(frame, "Retrieval_date"),
    }
    if place is not None:
        out |= {"latitude": column(frame, place[0]), "longitude": column(frame, place[1])}
    used = {"Station", "Camera", "camera", "Session", "session", "Setup_date", "Retrieval_date"}
    used |= set(place or ()) | {c for c in frame.columns if c.startswith("Problem")}
    rest = {c: frame[c] for c in frame.columns if c not in used}
    deployments = pd.DataFrame(out | rest)
    outings.add(deployments)
    yield as_table("deployments", deployments, block.row, block.line, member)
    for column_name in frame.columns:
        match = _PROBLEM.fullmatch(column_name)
        if match is not None:
            yield from _problems(block, name, match[1], member)


def _problems(block: Block, name: pd.Series, number: str, member: str) -> Iterator[Table]:
    """The failures of one pair of columns; a cell that is empty says the camera worked."""
    import pandas as pd

    first = column(block.frame, f"Problem{number}_from")
    last = column(block.frame, f"Problem{number}_to")
    told = (first.notna() | last.notna()).to_numpy(dtype=bool)
    if told.any():
        frame = pd.DataFrame({"deploymentID": name, "failureStart": first, "failureEnd": last})
        kept = frame[told].reset_index(drop=True)
        whole = dataclasses.replace(block, frame=kept)
        yield failures(kept, whole, told, member)


def _deployment(frame: pd.DataFrame) -> pd.Series:
    """Station, with its camera and session where a station has several."""
    name = column(frame, "Station")
    for other in (column(frame, "Camera", "camera"), column(frame, "Session", "session")):
        name = (name + "__" + other).fillna(name)
    return name


def _records(frame: pd.DataFrame, member: str, rows: list[int]) -> pd.DataFrame:
    import pandas as pd

    file = column(frame, "FileName")
    number = pd.Series(rows, index=frame.index).astype("str")
    told = {
        "observationID": member.rpartition("/")[2].rpartition(".")[0] + "-" + number,
        "deploymentID": _deployment(frame),
        "eventStart": column(frame, "DateTimeOriginal"),
        "observationLevel": "event",
        "observationType": "animal",
        "scientificName": column(frame, "Species"),
        "count": column(frame, "count"),
        "individualID": column(frame, "Individual"),
        "observationComments": file,
    }
    return pd.DataFrame(told)
