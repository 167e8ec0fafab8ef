"""Tables of the report: values by region and period, and the tables an indicator wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ecotone.report import l10n
from ecotone.report.document import (
    Cell,
    Column,
    Measured,
    Quantity,
    Status,
    Table,
    plain,
)
from ecotone.report.source import Entry
from ecotone.report.writing import TONES, Writing

if TYPE_CHECKING:
    import pandas as pd

_ACROSS: Final = 4  # places or quantities side by side on a page
#: Columns maps show better than digits do.
_PLACES: Final = frozenset({"latitude", "longitude"})
_COLUMNS: Final = 8  # columns of a page


def values_tables(writing: Writing, entries: Sequence[Entry]) -> list[Table]:
    """Every value of an indicator: quantities down and places across, or the other way round."""
    names = list(dict.fromkeys(name for e in entries for name in e.result["values"]))
    if len(entries) <= _ACROSS:
        return [_down(writing, entries, names)]
    groups = [names[i : i + _ACROSS] for i in range(0, len(names), _ACROSS)]
    return [_across(writing, entries, group) for group in groups]


def place(writing: Writing, entry: Entry, entries: Sequence[Entry]) -> str:
    """The region, and the period where there are several."""
    region = entry.region.name(writing.lang)
    several = len({e.period.id for e in entries}) > 1
    return l10n.comma(region, entry.period.years, writing.lang) if several else region


def _quantity_title(writing: Writing, entry: Entry, name: str) -> str:
    return entry.word("value", name, writing.lang)


def _caption(writing: Writing, entries: Sequence[Entry]) -> str:
    years = ", ".join(dict.fromkeys(e.period.years for e in entries))
    return writing.say("table.values", title=title(writing, entries[0]), years=years)


def title(writing: Writing, entry: Entry) -> str:
    """The indicator's title."""
    told = entry.told["title"]
    return str(told.get(writing.lang) or told["en"])


def _down(writing: Writing, entries: Sequence[Entry], names: Sequence[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        cells = [writing.measured(e, name) if name in e.result["values"] else None for e in entries]
        rows.append((_quantity_title(writing, entries[0], name), *cells))
    columns = (
        Column(writing.say("column.quantity"), width=2.0),
        *(Column(place(writing, e, entries), "number", width=1.3) for e in entries),
    )
    return _values(writing, entries, columns, rows)


def _across(writing: Writing, entries: Sequence[Entry], names: Sequence[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for entry in entries:
        cells = [writing.measured(entry, n) if n in entry.result["values"] else None for n in names]
        rows.append((place(writing, entry, entries), *cells))
    columns = (
        Column(writing.say("column.region"), width=1.6),
        *(Column(_quantity_title(writing, entries[0], n), "number", width=1.3) for n in names),
    )
    return _values(writing, entries, columns, rows)


def _values(
    writing: Writing,
    entries: Sequence[Entry],
    columns: tuple[Column, ...],
    rows: Sequence[tuple[Cell, ...]],
) -> Table:
    has_interval = any(
        isinstance(c, Measured) and c.quantity.low is not None for row in rows for c in row
    )
    return Table(
        f"values-{entries[0].indicator}",
        columns,
        tuple(rows),
        caption=plain(_caption(writing, entries)),
        note=plain(writing.say("table.values.note")) if has_interval else (),
        where="page",
    )


def joined(writing: Writing, entries: Sequence[Entry], name: str) -> pd.DataFrame | None:
    """A table over all regions and periods; a row two regions share stands once.

    Columns ``__source`` (file and line), ``__region`` and ``__years`` are added.
    """
    import pandas as pd

    parts = []
    for entry in entries:
        if name not in entry.result["tables"]:
            continue
        part = entry.table(name)
        source = entry.beside(entry.result["tables"][name])
        part["__source"] = [f"{source}:{line}" for line in range(2, len(part) + 2)]
        part["__region"] = entry.region.name(writing.lang)
        part["__years"] = entry.period.years
        parts.append(part)
    if not parts or all(part.empty for part in parts):
        return None
    whole = pd.concat(parts, ignore_index=True)
    kept = [c for c in whole.columns if c not in {"__source", "__region"}]
    return whole.drop_duplicates(subset=kept, keep="first").reset_index(drop=True)


def result_table(writing: Writing, entries: Sequence[Entry], name: str) -> Table | None:
    """A table an indicator wrote, over all its regions and periods.

    On a page ``share`` with ``share_low`` and ``share_high`` is one cell with its interval; the
    workbook has three columns, and one more that names each row's file and line.
    """
    whole = joined(writing, entries, name)
    return None if whole is None else _as_table(writing, entries[0], name, whole)


def _as_table(writing: Writing, entry: Entry, name: str, frame: pd.DataFrame) -> Table:
    own = [c for c in frame.columns if not c.startswith("__")]
    bounds = {f"{c}_{end}" for c in own for end in ("low", "high")} & set(own)
    merged = {c for c in own if {f"{c}_low", f"{c}_high"} <= bounds}
    folded = {f"{c}_{end}" for c in merged for end in ("low", "high")}
    columns: list[Column] = []
    cells: list[list[Cell]] = []
    shown = 0
    for column in own:
        if frame[column].isna().all():
            continue
        hidden = column in folded or column in _PLACES or shown >= _COLUMNS
        shown += not hidden
        columns.append(_column(writing, entry, name, column, frame, hidden))
        cells.append(_cells(writing, entry, name, column, frame, column in merged))
    order = _worst_first(cells)
    several = frame["__years"].nunique() > 1
    for key, title in (("__region", "region"), ("__years", "period"), ("__source", "source")):
        page = key == "__years" and several
        columns.append(Column(writing.say(f"column.{title}"), book_only=not page))
        cells.append([str(v) for v in frame[key]])
    sources = sorted({str(s).rsplit(":", 1)[0] for s in frame["__source"]})
    word = entry.word("table", name, writing.lang)
    return Table(
        name,
        tuple(columns),
        tuple(zip(*([column[i] for i in order] for column in cells), strict=True)),
        caption=plain(word),
        note=plain(writing.say("table.worst-first")) if order != sorted(order) else (),
        source=", ".join(sources),
        sheet=word,
    )


def _worst_first(cells: Sequence[Sequence[Cell]]) -> list[int]:
    """Row numbers with bad verdicts before doubtful, unknown and good ones; else as they are."""
    count = len(cells[0]) if cells else 0
    verdicts = next((c for c in cells if any(isinstance(v, Status) for v in c)), None)
    if verdicts is None:
        return list(range(count))
    ranks = {"bad": 0, "warn": 1, "neutral": 2, "good": 3}
    return sorted(
        range(count),
        key=lambda i: ranks[v.tone] if isinstance(v := verdicts[i], Status) else len(ranks),
    )


def _column(
    writing: Writing, entry: Entry, table: str, name: str, frame: pd.DataFrame, hidden: bool
) -> Column:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    numeric = is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name])
    unit = entry.unit("table", f"{table}.{name}")
    return Column(
        writing.column(entry.indicator, table, name),
        "number" if numeric else "text",
        unit=unit if numeric else "",
        width=1.0 if numeric else _text_width(writing, entry, frame, name),
        book_only=hidden,
    )


def _text_width(writing: Writing, entry: Entry, frame: pd.DataFrame, name: str) -> float:
    """A width that grows with the longest word of the column, so that words stay whole."""
    values = [v for v in frame[name].unique() if isinstance(v, str)]
    longest = max((len(writing.term(entry.indicator, v)) for v in values), default=8)
    return min(3.0, max(0.9, longest / 9))


def _cells(
    writing: Writing, entry: Entry, table: str, name: str, frame: pd.DataFrame, merged: bool
) -> list[Cell]:
    """The cells of one column as numbers, verdicts or words."""
    values = frame[name].tolist()
    if merged:
        unit = entry.unit("table", f"{table}.{name}")
        lows, highs = frame[f"{name}_low"].tolist(), frame[f"{name}_high"].tolist()
        return [
            Measured(Quantity(_number(v), unit, _float(low), _float(high), 0.95))
            for v, low, high in zip(values, lows, highs, strict=True)
        ]
    known = {v: _cell(writing, entry.indicator, v) for v in set(values) if isinstance(v, str)}
    return [known[v] if isinstance(v, str) else _number(v) for v in values]


def _cell(writing: Writing, indicator: str, value: str) -> Cell:
    text = writing.term(indicator, value)
    tone = TONES.get(value.replace("-", "_").replace(" ", "_"))
    return Status(text, tone) if tone else text


def _float(value: object) -> float | None:
    number = _number(value)
    return None if number is None else float(number)


def _number(value: object) -> int | float | None:
    """A number as Python has it; whole floats of a column with gaps stay whole numbers."""
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value
    return None
