"""Tables of the indicators of land: numbers by our own names, months one after another."""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.reading import Notes, plain, read_whole
from ecotone.model.errors import InputRefused
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say

Floats = NDArray[np.float64]

#: Cell texts that say: no value.
_EMPTY: Final = ("", "na", "n/a", "nan", "null", "none", "-", "--")
#: Numbers of those who write missing values as numbers.
_CODES: Final = (-9999.0, -999.0, -99.9, -99.0, -999.9, -9999.9, -32768.0, 9999.0, 99999.0)


@dataclass(frozen=True)
class Numbers:
    """Columns of a file: ``row``, texts as written, numbers with NaN where empty."""

    frame: pd.DataFrame
    findings: list[Finding]


@functools.cache
def _synonyms() -> dict[str, list[tuple[str, int]]]:
    """``{plain header: [(attribute, its rank among the attribute's headers)]}``."""
    text = (
        resources.files("ecotone.assess.indicators").joinpath("columns_land.csv").read_text("utf-8")
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for line in csv.DictReader(text.splitlines()):
        for rank, header in enumerate(line["headers"].split("|")):
            found.setdefault(plain(header), []).append((line["attribute"], rank))
    return found


def read_numbers(
    path: Path, numbers: Sequence[str], needed: Sequence[str], texts: Sequence[str] = ()
) -> Numbers:
    """The columns of a CSV file that are asked for, under our names.

    A cell that is no number is a finding and counts as empty. Raises InputRefused where a
    needed column is missing or holds a number that stands for a missing value.
    """
    notes = Notes()
    table = read_whole(path, notes)
    headers = _recognise([str(c) for c in table.frame.columns if c != "row"], (*numbers, *texts))
    missing = [name for name in needed if name not in headers]
    if missing:
        raise InputRefused(
            say(
                "assess.table.column-missing",
                name=path.name,
                wanted=", ".join(missing),
                given=", ".join(str(c) for c in table.frame.columns if c != "row"),
            ),
            say("assess.table.column-missing.do"),
        )
    out = pd.DataFrame({"row": table.frame["row"]})
    for name, header in headers.items():
        text = table.frame[header].fillna("").astype("str").str.strip()
        out[name] = text if name in texts else _parsed(text, name, table.decimal_comma, path, notes)
    return Numbers(out, notes.all())


def _recognise(headers: list[str], wanted: tuple[str, ...]) -> dict[str, str]:
    """``{attribute: header}``; of several headers for one attribute the likeliest."""
    found: dict[str, tuple[int, str]] = {}
    for header in headers:
        for attribute, rank in _synonyms().get(plain(header), []):
            if attribute in wanted and rank < found.get(attribute, (rank + 1, ""))[0]:
                found[attribute] = (rank, header)
    return {attribute: header for attribute, (_, header) in found.items()}


def _parsed(text: pd.Series, name: str, comma: bool, path: Path, notes: Notes) -> pd.Series:
    plainly = text.str.replace(",", ".", regex=False) if comma else text
    empty = text.str.casefold().isin(_EMPTY)
    value = pd.to_numeric(plainly.mask(empty), errors="coerce").astype("float64")
    value = value.where(np.isfinite(value))
    rows = np.asarray(text.index)
    for place in np.flatnonzero(value.isna() & ~empty):
        notes.add(
            Finding(
                "land-number-unreadable",
                Severity.WARNING,
                row=int(rows[place]) + 1,
                field=name,
                value=str(text.iloc[place]),
                file=path.name,
            )
        )
    coded = value.isin(_CODES)
    if coded.any():
        raise InputRefused(
            say(
                "assess.land.missing-code",
                name=path.name,
                field=name,
                value=f"{value[coded].iloc[0]:g}",
                count=int(coded.sum()),
            ),
            say("assess.land.missing-code.do"),
        )
    return value


@dataclass(frozen=True)
class Series:
    """A monthly series without leaps.

    Attributes:
        months: one after another.
        text: each month as its file writes it; as 2001-07 where the file has no row.
        columns: numbers by name, NaN where missing.
        findings: what was found on the way.
    """

    months: NDArray[np.datetime64]
    text: list[str]
    columns: dict[str, Floats]
    findings: list[Finding]


def read_series(path: Path, numbers: Sequence[str], needed: Sequence[str]) -> Series:
    """A table with a row a month; months that have none are missing, and told.

    Raises InputRefused where a month cannot be read or comes twice.
    """
    table = read_numbers(path, (*numbers, "year"), (*needed, "month"), texts=("month",))
    frame = table.frame
    months = _months(frame, path)
    first, last = months.min(), months.max()
    whole = np.arange(first, last + np.timedelta64(1, "M"), dtype="datetime64[M]")
    place = (months - first).astype(int)
    twice = np.flatnonzero(np.bincount(place, minlength=whole.size) > 1)
    if twice.size:
        raise InputRefused(
            say("assess.land.month-twice", name=path.name, month=str(whole[twice[0]])),
            say("assess.land.month-twice.do"),
        )
    text = [str(month) for month in whole]
    for at, written in zip(place, frame["month"], strict=True):
        if not written.isdigit() or len(written) > 2:
            text[at] = written
    columns = {}
    for name in numbers:
        if name in frame:
            values = np.full(whole.size, np.nan)
            values[place] = frame[name].to_numpy(dtype=np.float64)
            columns[name] = values
    findings = list(table.findings)
    leaps = whole.size - place.size
    if leaps:
        lacking = whole[~np.isin(np.arange(whole.size), place)]
        findings.append(
            Finding(
                "land-months-missing",
                Severity.WARNING,
                file=path.name,
                params={"count": str(leaps), "first": str(lacking[0])},
            )
        )
    return Series(whole, text, columns, findings)


def _months(frame: pd.DataFrame, path: Path) -> NDArray[np.datetime64]:
    """Months from ``2001-07-15``, ``2001-07``, ``200107`` or a year and a number."""
    text = frame["month"]
    if "year" in frame and text.str.fullmatch(r"\d{1,2}").all():
        year = frame["year"].map(lambda y: "" if y != y else f"{int(y):04d}")
        text = year + "-" + text.str.zfill(2)
    parts = text.str.extract(r"^\s*(\d{4})[-/.]?(\d{1,2})(?!\d{3})")
    number = pd.to_numeric(parts[1], errors="coerce")
    wrong = parts[0].isna() | ~number.between(1, 12)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputRefused(
            say("assess.land.month", name=path.name, row=at + 1, given=text.iloc[at]),
            say("assess.land.month.do"),
        )
    written = parts[0] + "-" + number.astype("int64").astype("str").str.zfill(2)
    months: NDArray[np.datetime64] = written.to_numpy(dtype="datetime64[M]")
    return months
