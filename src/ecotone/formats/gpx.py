"""GPX 1.0 and 1.1: tracks and waypoints of a handheld, as observations of where and when.

Schema: https://www.topografix.com/GPX/1/1/. A track point is an observation of kind ``track
point`` whose event is its track; a waypoint is one of kind ``waypoint``. GPX times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_PEEK: Final = 4096
_COLUMNS: Final = (
    "row",
    "observation_id",
    "kind",
    "event",
    "latitude",
    "longitude",
    "elevation_m",
    "time",
    "value_text",
    "remarks",
)


class Gpx:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "gpx"
    title_key = "format.gpx.title"
    extensions = (".gpx",)
    spec = "https://www.topografix.com/GPX/1/1/"

    def recognise(self, source: Source) -> bool:
        """One XML file whose root is ``gpx``."""
        if source.only is None:
            return False
        with source.open(source.only) as stream:
            return b"<gpx" in stream.read(_PEEK).replace(b"\0", b"")

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the points in the order of the file; ``row`` counts them."""
        import numpy as np
        import pandas as pd

        from ecotone.formats.xml import parse_xml

        if source.only is None:
            raise refused("gpx-not", file=source.name)
        member = source.only
        root = parse_xml(source, member, report)
        if _local(root) != "gpx":
            raise refused("gpx-not", file=member)
        rows = [dict(zip(_COLUMNS, (k, *point), strict=True)) for k, point in _numbered(root)]
        silent = sum(1 for row in rows if row["time"] is None and row["kind"] == "track point")
        if silent:
            params = {"count": str(silent)}
            report(Finding("gpx-no-time", Severity.WARNING, file=member, params=params))
        step = max(1, options.block_rows)
        for start in range(0, max(1, len(rows)), step):
            frame = pd.DataFrame(rows[start : start + step], columns=list(_COLUMNS), dtype=object)
            number = frame.pop("row").to_numpy(np.int64)
            yield Table(
                type="Observation",
                frame=frame.astype("str").dropna(axis="columns", how="all"),
                row=number,
                line=number,
                file=member,
                vocabulary="ecotone",
                key="observation_id",
            )


FORMAT = Gpx()

_Point = tuple[str, str, str | None, Any, Any, Any, Any, Any, Any]


def _numbered(root: Element) -> Iterator[tuple[int, _Point]]:
    yield from enumerate(_points(root), start=1)


def _points(root: Element) -> Iterator[_Point]:
    """Waypoints, then the points of each track's segments."""
    for number, point in enumerate((e for e in root if _local(e) == "wpt"), start=1):
        yield (f"wpt-{number}", "waypoint", None, *_told(point))
    for k, track in enumerate((e for e in root if _local(e) == "trk"), start=1):
        name = _child(track, "name") or f"track {k}"
        pieces = [e for e in track if _local(e) == "trkseg"]
        for s, piece in enumerate(pieces, start=1):
            # A break in a track is a way nobody recorded: each piece is a track of its own.
            event = name if len(pieces) == 1 else f"{name} ({s})"
            for number, point in enumerate((e for e in piece if _local(e) == "trkpt"), start=1):
                yield (f"trk-{k}-{s}-{number}", "track point", event, *_told(point))


def _told(point: Element) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Latitude, longitude, height, time, name and remark."""
    return (
        point.get("lat"),
        point.get("lon"),
        _child(point, "ele"),
        _child(point, "time"),
        _child(point, "name"),
        _child(point, "desc") or _child(point, "cmt"),
    )


def _child(element: Element, name: str) -> str | None:
    for one in element:
        if _local(one) == name and one.text and one.text.strip():
            return one.text.strip()
    return None


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
