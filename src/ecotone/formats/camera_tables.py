"""What readers of other camera-trap tables share: finding their files, and Camtrap DP's words.

Each such reader retells its tables under the field names of Camtrap DP (vocabulary
``camtrapdp``), times as they stand: whether a time has a zone or an order of day and month is
judged by the checks, which see every format alike.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source
from ecotone.formats.camtrapdp_rules import KEYS, TABLES
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ecotone.formats.delimited import Block

_SLASHED: Final = r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})([ T].*)?$"
_TEXT: Final = (".csv", ".tsv", ".txt")
_MEDIA: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".wav": "audio/wav",
}


def headers(source: Source, member: str) -> tuple[str, ...]:
    """The names in a table's first line; nothing where it is no text table."""
    from ecotone.formats.csv_sniff import sniff

    if not member.lower().endswith(_TEXT) and source.only is None:
        return ()
    records = sniff(source, member).records
    return tuple(name.strip().strip("\ufeff") for name in records[0]) if records else ()


def blocks(
    source: Source, member: str, options: ReadOptions, report: Report, reject: Reject
) -> Iterator[Block]:
    """The rows of a table with a header, blanks around names and cells left as they are."""
    from ecotone.formats.delimited import read_blocks

    yield from read_blocks(
        source,
        member,
        options=options,
        delimiter=options.delimiter,
        encoding=options.encoding,
        report=report,
        reject=reject,
    )


def column(frame: pd.DataFrame, *names: str) -> pd.Series:
    """The first of these columns that is there, blank cells missing; else all missing."""
    import pandas as pd

    for name in names:
        if name in frame:
            text = frame[name].astype("str").str.strip()
            return text.mask(text == "")
    return pd.Series(pd.NA, index=frame.index, dtype="str")


def media_type(paths: pd.Series) -> pd.Series:
    """The media type by the ending of the file's name; a photograph where it says nothing."""
    endings = paths.str.lower().str.extract(r"(\.[a-z0-9]+)$", expand=False)
    return endings.map(_MEDIA).fillna("image/jpeg")


def folder_of(paths: Iterable[str]) -> list[str]:
    """The folder that holds each file, by its own name."""
    return [PurePosixPath(path.replace("\\", "/")).parent.name for path in paths]


def as_table(
    name: str,
    frame: pd.DataFrame,
    row: NDArray[np.int64],
    line: NDArray[np.int64],
    file: str,
    metadata: dict[str, str] | None = None,
) -> Table:
    """Rows of ``deployments``, ``media`` or ``observations`` in Camtrap DP's fields."""
    filled = frame.dropna(axis="columns", how="all") if len(frame) else frame
    return Table(
        type=TABLES[name],
        frame=filled.reset_index(drop=True),
        row=row,
        line=line,
        file=file,
        vocabulary="camtrapdp",
        key=KEYS[name],
        metadata=metadata or {},
    )


def plain_dates(columns: dict[str, pd.Series]) -> tuple[dict[str, pd.Series], str | None]:
    """Dates such as 5/28/19 in ISO form, where the columns together allow one order only.

    Spreadsheets rewrite a program's dates in the order of their own country and cut the century;
    camera traps were not out before 2000, so two digits are years of this century. Columns in
    which no such date stands, or whose order stays open, come back as they are.

    Returns:
        The columns, and the order that was read: ``DD/MM`` or ``MM/DD``; None for no change.
    """
    import pandas as pd

    parts = {name: cells.str.extract(_SLASHED) for name, cells in columns.items()}
    numbers = pd.concat([part[[0, 1]] for part in parts.values()]).dropna().astype(int)
    day_first, month_first = (bool((numbers[k] > 12).any()) for k in (0, 1))
    if numbers.empty or day_first == month_first:
        return columns, None
    day, month = (0, 1) if day_first else (1, 0)
    out = {}
    for name, cells in columns.items():
        part = parts[name]
        year = part[2].where(part[2].str.len() == 4, "20" + part[2])
        text = year + "-" + part[month].str.zfill(2) + "-" + part[day].str.zfill(2)
        out[name] = (text + part[3].fillna("")).fillna(cells)
    return out, "DD/MM" if day_first else "MM/DD"


class Outings:
    """When each deployment was out, by the clock its own tables are written in."""

    def __init__(self, zone: dt.tzinfo | None) -> None:
        from ecotone.formats.camtrapdp_checks import Windows

        self._zone = zone or dt.UTC
        self._windows = Windows()

    def add(self, frame: pd.DataFrame) -> None:
        """Enter deployments in Camtrap DP's fields; an end that is a day lasts to its midnight."""
        from ecotone.formats.camtrapdp_checks import read_times

        ends = {}
        for name in ("deploymentStart", "deploymentEnd"):
            cells = frame[name]
            day = cells.str.fullmatch(r"\d{4}-\d{2}-\d{2}", na=False)
            clock = " 00:00:00" if name == "deploymentStart" else " 23:59:59"
            ends[name] = read_times(name, cells.mask(day, cells + clock), self._zone)[0]
        self._windows.add(frame["deploymentID"], ends["deploymentStart"], ends["deploymentEnd"])

    def tell(
        self,
        deployment: pd.Series,
        times: pd.Series,
        field: str,
        block: Block,
        member: str,
        report: Report,
    ) -> None:
        """Report the rows whose time lies outside the deployment they name."""
        from ecotone.formats.camtrapdp_checks import read_times

        moments = read_times(field, times, self._zone)[0]
        for index in self._windows.outside(deployment, moments).nonzero()[0].tolist():
            report(
                Finding(
                    "camtrapdp-outside-deployment",
                    Severity.WARNING,
                    row=int(block.row[index]),
                    line=int(block.line[index]),
                    field=field,
                    value=str(times.iat[index]),
                    file=member,
                )
            )
