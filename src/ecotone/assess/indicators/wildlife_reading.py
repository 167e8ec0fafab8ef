"""Tables of wildlife indicators: CSV with any columns, or the text files of secr and DENSITY."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pandas as pd

from ecotone.assess.indicators.reading import Notes, plain
from ecotone.formats.base import ReadOptions
from ecotone.formats.delimited import read_blocks, sniff
from ecotone.formats.safe import open_source
from ecotone.model.errors import InputRefused
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say

#: Bytes looked at to tell a CSV file from secr's text.
_HEAD: Final = 1 << 16
#: Cells that hold nothing.
MISSING: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "-99", "-9", "."})
#: Other names of the columns that carry meaning.
_NAMES: Final = {
    "id": ("id", "animal", "animalid", "individual", "individualid", "ind"),
    "session": ("session", "sess"),
    "occasion": ("occasion", "occ", "sampleoccasion"),
    "detector": ("detector", "trap", "trapid", "detectorid", "camera", "station", "locid"),
    "count": ("count", "n", "detections", "number"),
    "x": ("x", "easting", "utmx"),
    "y": ("y", "northing", "utmy"),
    "site": ("site", "siteid", "cell"),
    "visit": ("visit", "replicate", "segment"),
    "detected": ("detected", "detection", "y", "presence", "seen"),
}


class RefusedTable(InputRefused):
    """Inputs that cannot be used; every reason is a finding, and stands in the message."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(f.message() for f in findings))
        self.findings = findings


class Problems:
    """What is wrong with the inputs, gathered until all of it is known."""

    def __init__(self) -> None:
        self.notes = Notes()

    def add(
        self,
        code: str,
        path: Path,
        *,
        row: int | None = None,
        field: str | None = None,
        value: object = None,
        **params: str,
    ) -> None:
        """One thing that must be mended before anything can be computed."""
        self.notes.add(
            Finding(
                code,
                Severity.FATAL,
                row=row,
                field=field,
                value=None if value is None else str(value),
                file=path.name,
                params=params,
            )
        )

    def rows(self, code: str, path: Path, frame: pd.DataFrame, field: str, **params: str) -> None:
        """The same thing wrong with a field of several rows."""
        for row, value in zip(frame["row"], frame[field], strict=True):
            self.add(code, path, row=int(row), field=field, value=value, **params)

    def stop(self) -> None:
        """Raise RefusedTable where anything is wrong."""
        found = self.notes.all()
        if found:
            raise RefusedTable(found)


def read_columns(
    path: Path,
    known: Iterable[str],
    needed: Iterable[str],
    positions: tuple[str, ...],
    notes: Notes,
) -> pd.DataFrame:
    """A table with all its columns as text, ``row`` first; missing cells are None.

    Args:
        path: a CSV file with a header, or secr's text without one.
        known: columns that are recognised under other names too.
        needed: columns without which the file is refused.
        positions: names of the columns of a file without a header; further ones are called
            ``usage1`` ... and, behind a slash, by the names in the comment above them.
        notes: findings about single rows.
    """
    frame = _read_text(path, positions) if _is_text(path) else _read_csv(path, notes)
    frame = frame.rename(columns=_recognised(list(frame.columns), tuple(known)))
    require(frame, needed, path)
    return frame


def require(frame: pd.DataFrame, needed: Iterable[str], path: Path) -> None:
    """Raise InputRefused, naming them, where columns are not there."""
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise InputRefused(
            say(
                "assess.table.column-missing",
                name=path.name,
                wanted=", ".join(missing),
                given=", ".join(c for c in frame.columns if c != "row"),
            ),
            say("assess.table.column-missing.do"),
        )


def is_missing(column: pd.Series) -> pd.Series:
    """Which cells hold nothing."""
    return column.isna() | column.astype(str).str.strip().str.casefold().isin(MISSING)


def numbers(
    frame: pd.DataFrame, field: str, path: Path, problems: Problems, *, whole: bool = False
) -> pd.Series:
    """A column as numbers; a cell that is none is a problem."""
    values = pd.to_numeric(frame[field], errors="coerce")
    wrong = values.isna() | values.abs().eq(float("inf"))
    if whole:
        wrong |= values != values.round()
    code = "wildlife-no-whole-number" if whole else "wildlife-no-number"
    problems.rows(code, path, frame[wrong], field)
    return values


def covariate(column: pd.Series) -> pd.Series:
    """A column as numbers where every cell is one, else as words."""
    values = pd.to_numeric(column, errors="coerce")
    return column.astype(str) if values.isna().any() else values.astype(float)


def _is_text(path: Path) -> bool:
    """Whether this is a file of secr: a comment first, or columns parted by blanks."""
    with open_source(path) as source:
        member = source.only
        if member is None:
            raise InputRefused(say("assess.table.not-a-table", name=path.name))
        with source.open(member) as raw:
            head = raw.read(_HEAD).decode("utf-8-sig", "replace")
    lines = [line for line in head.splitlines() if line.strip()]
    if not lines:
        raise InputRefused(say("assess.table.empty", name=path.name))
    first = lines[0].strip()
    return first.startswith("#") or (len(first.split()) > 1 and not set(first) & set(",;\t|"))


def _read_csv(path: Path, notes: Notes) -> pd.DataFrame:
    blocks = []
    with open_source(path) as source:
        member = source.only or ""
        dialect = sniff(source, member, encoding=None, quote='"')
        for block in read_blocks(
            source,
            member,
            options=ReadOptions(),
            delimiter=dialect.delimiter,
            encoding=None,
            header_lines=dialect.skip + 1,
            report=notes.add,
            reject=lambda file, row, line, raw: None,
        ):
            frame = block.frame.astype(object)
            frame = frame.where(frame.notna(), None)
            if dialect.delimiter != ",":
                frame = frame.replace(r"^\s*([+-]?\d*),(\d+)\s*$", r"\1.\2", regex=True)
            frame = frame.rename(columns={"row": "row_"})
            frame.insert(0, "row", block.row)
            blocks.append(frame)
    if not blocks:
        raise InputRefused(say("assess.table.empty", name=path.name))
    return pd.concat(blocks, ignore_index=True)


def _read_text(path: Path, positions: tuple[str, ...]) -> pd.DataFrame:
    """Secr's text: comments after ``#``, columns parted by blanks, tabs or commas."""
    with open_source(path) as source, source.open(source.only or "") as raw:
        lines = raw.read().decode("utf-8-sig", "replace").splitlines()
    comment: list[str] = []
    rows: list[list[str]] = []
    for line in lines:
        bare, _, remark = line.partition("#")
        cells = bare.replace(",", " ").replace("/", " / ").split()
        if cells:
            rows.append(cells)
        elif remark and not rows:
            comment = remark.replace(",", " ").replace("/", " / ").split()
    if not rows:
        raise InputRefused(say("assess.table.empty", name=path.name))
    header = [plain(cell) for cell in rows[0]]
    if any(plain(name) in header for name in positions):
        names, rows = rows[0], rows[1:]
    else:
        names = _named(rows, positions, comment)
    width = len(names)
    even = [(r + [""] * width)[:width] for r in rows]
    frame = pd.DataFrame(even, columns=names, dtype=object)
    frame = frame.drop(columns=[name for name in names if name == "/"])
    frame.insert(0, "row", range(1, len(frame) + 1))
    return frame


def _named(rows: list[list[str]], positions: tuple[str, ...], comment: list[str]) -> list[str]:
    """Names of the columns of a file without a header."""
    width = max(len(row) for row in rows)
    if len(comment) == width:
        return [*positions[:width], *comment[len(positions) :]]
    slash = next((row.index("/") for row in rows if "/" in row), width)
    names = list(positions[:width])
    names += [f"usage{k + 1}" for k in range(slash - len(names))]
    behind = comment[comment.index("/") + 1 :] if "/" in comment else []
    for k in range(width - len(names)):
        at = k - 1
        names.append("/" if k == 0 else behind[at] if at < len(behind) else f"covariate{k}")
    return names


def _recognised(headers: list[str], known: tuple[str, ...]) -> dict[str, str]:
    """``{header: our name}``; a header that is our own name goes before its synonyms."""
    found: dict[str, str] = {}
    bare = {header: plain(header) for header in headers}
    for name in known:
        for synonym in (name, *_NAMES.get(name, ())):
            match = [h for h in headers if bare[h] == plain(synonym) and h not in found]
            if match:
                found[match[0]] = name
                break
    return found
