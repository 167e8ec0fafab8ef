"""Corrections by workbook: rows out, edited in Excel, back in as a difference with a reason.

A row goes out with its identifier and version. What comes back is compared with the version that
went out; where somebody else has corrected the record since, the whole workbook is refused and
every such row is named: nobody's correction is overwritten unseen.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.workbook_template import CORRECTION, RECORD_ID, RECORD_VERSION, write_rows
from ecotone.model.dictionary import RECORD_NOUNS, Attribute, attributes
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.words import Language, Sentences, say

if TYPE_CHECKING:
    from ecotone.model.table import Table
    from ecotone.store import Store
    from ecotone.store.versions import Correction

#: A workbook for a person's eyes; more rows than this nobody reads.
MOST_ROWS: Final = 100_000


@dataclass(frozen=True)
class Corrected:
    """What a workbook of corrections did."""

    corrections: list[Correction]
    unchanged: int

    @property
    def results(self) -> list[str]:
        """Runs that stood on an old value."""
        return list(dict.fromkeys(run for one in self.corrections for run in one.results))

    @property
    def partners(self) -> list[str]:
        """Parties to whom an old value was released."""
        return sorted({party for one in self.corrections for party in one.partners})


def export(
    store: Store,
    noun: str,
    path: Path,
    *,
    where: Mapping[str, str],
    lang: Language = "en",
    made: dt.datetime,
) -> int:
    """Write the living rows that hold these values; how many there are.

    Raises UsageError for an unknown noun or attribute and where there are no such rows, or more
    than a person can go through.
    """
    known = known_attributes(noun)
    wrong = [name for name in where if name not in known and name not in ("id", "dataset_id")]
    if wrong:
        raise UsageError(say("store.column-unknown", noun=noun, column=", ".join(wrong)))
    parts, number = [], 0
    for block in store.select(noun, datasets=[d.dataset_id for d in store.datasets()]):
        kept = _chosen(block, known, where)
        number += len(kept)
        if number > MOST_ROWS:
            raise UsageError(say("correct.too-many", most=f"{MOST_ROWS:,}"))
        parts.append(kept)
    if number == 0:
        raise UsageError(say("correct.no-rows", noun=noun))
    rows = pd.concat(parts, ignore_index=True)
    shown = pd.DataFrame(
        {
            RECORD_ID: rows["id"],
            RECORD_VERSION: rows["version"].astype(int),
            **{name: as_cells(rows[name], known[name]) for name in known},
        }
    )
    if path.suffix.lower() == ".csv":
        shown.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    else:
        write_rows(path, noun, shown, lang, made=made)
    return number


def take(store: Store, noun: str, path: Path, *, person: str, reason: str) -> Corrected:
    """Correct what differs in the workbook or CSV, all of it or nothing.

    Raises InputRefused naming every row that cannot be: unknown, twice, corrected by somebody
    else since it was exported, or a text that does not fit its column.
    """
    known = known_attributes(noun)
    rows = _read(noun, path)
    _refuse_twice(rows)
    wrong: list[str] = []
    changes: dict[str, tuple[int, dict[str, Any]]] = {}
    now = _living(store, noun, rows[RECORD_ID].tolist())
    for row in rows.to_dict("records"):
        name, version = str(row[RECORD_ID]), _version(row[RECORD_VERSION])
        if name not in now:
            wrong.append(say("correct.unknown-row", id=name))
            continue
        newest, living = now[name]
        seen = living if newest == version else _as_seen(store, noun, name, version)
        # An untouched row that somebody else has corrected meanwhile is nobody's concern here.
        given, unread = difference(row, seen, known)
        wrong.extend(say("correct.unread", id=name, column=c, text=t) for c, t in unread)
        lost = [column for column, new in given.items() if _lost_letters(seen[column], new)]
        wrong.extend(say("correct.letters-lost", id=name, column=c, text=given[c]) for c in lost)
        if given:
            changes[name] = (version, given)
    if wrong:
        raise InputRefused(Sentences(wrong))
    done = store.correct_many(noun, changes, person=person, reason=reason) if changes else []
    return Corrected(done, len(rows) - len(done))


def known_attributes(noun: str) -> dict[str, Attribute]:
    """The attributes of a noun of records; UsageError for any other."""
    if noun not in RECORD_NOUNS:
        raise UsageError(say("correct.noun-unknown", noun=noun, known=", ".join(RECORD_NOUNS)))
    return attributes(noun)


def _chosen(
    block: pd.DataFrame, known: Mapping[str, Attribute], where: Mapping[str, str]
) -> pd.DataFrame:
    keep = pd.Series(True, index=block.index)
    for name, text in where.items():
        shown = as_cells(block[name], known[name]) if name in known else block[name]
        plain = shown.map(lambda cell: "" if cell is None else text_of(cell))
        keep &= plain == text
    return block[keep]


def as_cells(column: pd.Series, attribute: Attribute) -> pd.Series:
    """Values as they stand in the workbook: numbers as numbers, instants as ISO 8601 in UTC."""
    if attribute.type == "time":
        texts = column.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        column = texts.str.replace(r"\.?0*Z$", "Z", regex=True).where(
            texts.str.contains(".", regex=False), texts
        )
    return column.astype(object).where(column.notna(), None)


def text_of(cell: Any) -> str:
    """A cell as the reader of workbooks shows it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return f"{cell:.15g}"
    return str(cell)


def _read(noun: str, path: Path) -> pd.DataFrame:
    """The rows of a workbook or CSV that was exported for this noun, as text."""
    from ecotone.formats import registry
    from ecotone.formats.safe import open_source

    problems: list[str] = []
    tables: list[Table] = []
    try:
        with open_source(path) as source:
            found = registry.recognise(source)
            options = ReadOptions(type=CORRECTION)
            for table in found.read(
                source, options, lambda f: None, lambda *row: problems.append(str(row[3]))
            ):
                tables.append(table)
    except Refused as refusal:
        raise InputRefused(refusal.finding.message()) from refusal
    fitting = [t for t in tables if {RECORD_ID, RECORD_VERSION} <= set(map(str, t.frame.columns))]
    if not fitting or any(t.type not in (noun, CORRECTION) for t in fitting):
        raise InputRefused(say("correct.not-exported", file=path.name, noun=noun))
    if problems:
        raise InputRefused(say("correct.row-broken", text=problems[0][:200]))
    rows = pd.concat([t.frame for t in fitting], ignore_index=True)
    empty = rows[RECORD_ID].isna()
    if empty.any():
        raise InputRefused(say("correct.row-without-id", number=int(empty.sum())))
    return rows


def _refuse_twice(rows: pd.DataFrame) -> None:
    twice = rows[RECORD_ID][rows[RECORD_ID].duplicated()].unique().tolist()
    if twice:
        raise InputRefused(say("correct.row-twice", id=", ".join(map(str, twice[:5]))))


def _version(text: object) -> int:
    try:
        return int(str(text))
    except ValueError as error:
        raise InputRefused(say("correct.version-lost", text=text)) from error


def _as_seen(store: Store, noun: str, name: str, version: int) -> dict[str, Any]:
    """The version that went out; InputRefused where there never was such a version."""
    known = known_attributes(noun)
    history = store.history(noun, name)
    then = history[history["version"] == version]
    if then.empty:
        raise InputRefused(say("correct.version-lost", text=version))
    cells = pd.DataFrame({attribute: as_cells(then[attribute], known[attribute])
                          for attribute in known})  # fmt: skip
    return {str(k): v for k, v in cells.to_dict("records")[0].items()}


def _living(
    store: Store, noun: str, wanted: Sequence[str]
) -> dict[str, tuple[int, dict[str, Any]]]:
    """Version and cells of the rows of these records that hold now."""
    known = known_attributes(noun)
    names = set(wanted)
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    for block in store.select(noun, datasets=[d.dataset_id for d in store.datasets()]):
        kept = block[block["id"].isin(names)]
        if kept.empty:
            continue
        cells = pd.DataFrame({name: as_cells(kept[name], known[name]) for name in known})
        rows = cells.to_dict("records")
        for name, version, row in zip(kept["id"], kept["version"], rows, strict=True):
            found[str(name)] = (int(version), {str(k): v for k, v in row.items()})
    return found


def difference(
    row: Mapping[Any, Any], now: Mapping[str, Any], known: Mapping[str, Attribute]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What differs from the living row, and the texts that do not fit their column."""
    changes: dict[str, Any] = {}
    unread: list[tuple[str, str]] = []
    for name, attribute in known.items():
        if name not in row:
            continue
        cell = row[name]
        text = "" if cell is None or cell != cell else str(cell).strip()
        before = now[name]
        if text == ("" if before is None else text_of(before).strip()):
            continue
        try:
            value = _value(text, attribute)
        except ValueError:
            unread.append((name, text))
            continue
        if _same(value, before):
            continue
        changes[name] = value
    return changes, unread


def _lost_letters(before: Any, after: Any) -> bool:
    """Whether only letters turned into question marks: so code pages lose what they do not know."""
    if not (isinstance(before, str) and isinstance(after, str) and "?" in after):
        return False
    if len(before.strip()) != len(after.strip()):
        return False
    changed = [(a, b) for a, b in zip(before.strip(), after.strip(), strict=True) if a != b]
    return bool(changed) and all(b == "?" and not a.isascii() for a, b in changed)


def _value(text: str, attribute: Attribute) -> Any:
    """A cell as the store wants it; ValueError where it does not fit."""
    if text == "":
        return None
    match attribute.type:
        case "number":
            number = float(text)
            if not math.isfinite(number):
                raise ValueError(text)
            return number
        case "integer":
            return int(text)
        case "boolean":
            return {"true": True, "false": False}[text.casefold()] if _is_bool(text) else _no(text)
        case "time":
            when = dt.datetime.fromisoformat(text)
            return when if when.tzinfo is not None else _no(text)
        case "json":
            json.loads(text)
            return text
    return text if not attribute.choices or text in attribute.choices else _no(text)


def _is_bool(text: str) -> bool:
    return text.casefold() in ("true", "false")


def _no(text: str) -> Any:
    raise ValueError(text)


def _same(value: Any, before: Any) -> bool:
    """Whether both say one thing: a workbook keeps fifteen digits of a number."""
    if isinstance(value, dt.datetime) and before is not None:
        return value == dt.datetime.fromisoformat(str(before))
    if isinstance(value, float) and isinstance(before, (int, float)):
        return f"{value:.15g}" == f"{float(before):.15g}"
    return bool(value == before)
