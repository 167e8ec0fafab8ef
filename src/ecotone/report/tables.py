"""Tables of the report: values by region and period, and the tables an indicator wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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
from ecotone.report.source import Entry, is_share
from ecotone.report.writing import TONES, Writing, together

if TYPE_CHECKING:
    import pandas as pd

_ACROSS: Final = 4  # places or quantities side by side on a page
_COLUMNS: Final = 8  # columns of a page where the room names none
_LEVEL: Final = 0.95  # of the bounds in tables; values carry their own


def values_tables(writing: Writing, entries: Sequence[Entry]) -> list[Table]:
    """Every value of an indicator: quantities down and places across, or the other way round."""
    names = list(dict.fromkeys(name for e in entries for name in e.result["values"]))
    if len(entries) <= _ACROSS:
        return [_down(writing, entries, names)]
    count = -(-len(names) // _ACROSS)
    size = -(-len(names) // count) if count else 1
    groups = [names[i : i + size] for i in range(0, len(names), size)]
    return [_across(writing, entries, group) for group in groups]


def place(writing: Writing, entry: Entry, entries: Sequence[Entry]) -> str:
    """The region, and the period where there are several."""
    region = entry.region.name(writing.lang)
    several = len({e.period.id for e in entries}) > 1
    return l10n.comma(region, writing.years(entry.period), writing.lang) if several else region


def title(writing: Writing, entry: Entry) -> str:
    """The indicator's title."""
    told = entry.told["title"]
    return str(told.get(writing.lang) or told["en"])


def _caption(writing: Writing, entries: Sequence[Entry]) -> str:
    years = ", ".join(dict.fromkeys(writing.years(e.period) for e in entries))
    return writing.say("table.values", title=title(writing, entries[0]), years=years)


def _down(writing: Writing, entries: Sequence[Entry], names: Sequence[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        cells = [writing.measured(e, name) if name in e.result["values"] else None for e in entries]
        unit = l10n.unit(writing.unit_of(entries, name), writing.lang)
        rows.append((entries[0].word("value", name, writing.lang), unit, *cells))
    columns = (
        Column(writing.say("column.quantity")),
        Column(writing.say("column.unit")),
        *(Column(place(writing, e, entries), "number") for e in entries),
    )
    if not any(row[1] for row in rows):
        return _values(
            writing, entries, columns[:1] + columns[2:], [row[:1] + row[2:] for row in rows]
        )
    return _values(writing, entries, columns, rows)


def _across(writing: Writing, entries: Sequence[Entry], names: Sequence[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for entry in entries:
        cells = [writing.measured(entry, n) if n in entry.result["values"] else None for n in names]
        rows.append((place(writing, entry, entries), *cells))
    columns = (
        Column(writing.say("column.region")),
        *(
            Column(
                entries[0].word("value", n, writing.lang),
                "number",
                unit=writing.unit_of(entries, n),
            )
            for n in names
        ),
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


def joined(
    writing: Writing, entries: Sequence[Entry], name: str, *, by_region: bool = False
) -> pd.DataFrame | None:
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
        part["__years"] = writing.years(entry.period)
        parts.append(part)
    if not parts or all(part.empty for part in parts):
        return None
    whole = pd.concat(parts, ignore_index=True)
    apart = {"__source"} if by_region else {"__source", "__region"}
    kept = [c for c in whole.columns if c not in apart]
    return whole.drop_duplicates(subset=kept, keep="first").reset_index(drop=True)


def result_table(
    writing: Writing,
    entries: Sequence[Entry],
    name: str,
    on_page: Sequence[str] = (),
    prepare: Callable[[str, pd.DataFrame], pd.DataFrame] = lambda name, frame: frame,
    *,
    by_region: bool = False,
) -> Table | None:
    """A table an indicator wrote, over all its regions and periods.

    On a page a ``share`` with its bounds is one cell; the workbook has a column for each, and
    one more that names each row's file and line. What is the same in all rows is said once.
    """
    whole = joined(writing, entries, name, by_region=by_region)
    if whole is None:
        return None
    frame = prepare(name, whole)
    return _Sheet(writing, entries[0], name, frame, tuple(on_page), by_region).table()


class _Sheet:
    """One table while its columns are chosen and its cells are written."""

    def __init__(
        self,
        writing: Writing,
        entry: Entry,
        name: str,
        frame: pd.DataFrame,
        on_page: tuple[str, ...],
        by_region: bool = False,
    ) -> None:
        self.writing, self.entry, self.name, self.frame = writing, entry, name, frame
        self.by_region = by_region
        self.own = [c for c in frame.columns if not c.startswith("__") and frame[c].notna().any()]
        self.bounds = _bounds(self.own)
        self.same = self._same()
        self.on_page = on_page or self._first_few()

    def table(self) -> Table:
        """The whole table; rows with a bad verdict first."""
        shown = [c for c in self.on_page if c in self.own and c not in self.same]
        order = shown + [c for c in self.own if c not in shown]
        columns = [self._column(c, hidden=c not in shown) for c in order]
        cells = [self._cells(c) for c in order]
        say = self.writing.say
        several = self.frame["__years"].nunique() > 1
        for key, word in (("__region", "region"), ("__years", "period"), ("__source", "source")):
            first = key == "__region" and self.by_region
            on_page = first or (key == "__years" and several)
            at = 0 if first else len(columns)
            columns.insert(at, Column(say(f"column.{word}"), book_only=not on_page))
            cells.insert(at, [str(v) for v in self.frame[key]])
        rows = _worst_first(cells)
        sources = sorted({str(s).rsplit(":", 1)[0] for s in self.frame["__source"]})
        word = self.entry.word("table", self.name, self.writing.lang)
        return Table(
            self.name,
            tuple(columns),
            tuple(zip(*([column[i] for i in rows] for column in cells), strict=True)),
            caption=plain(word),
            note=plain(self._note(sorted_anew=rows != sorted(rows))),
            source=together(sources),
            sheet=word,
        )

    def _same(self) -> dict[str, object]:
        """Text columns that say the same in every row of a longer table."""
        if len(self.frame) < 3:
            return {}
        return {
            c: self.frame[c].iloc[0]
            for c in self.own
            if self.frame[c].nunique(dropna=False) == 1
            and (self.frame[c].dtype.kind not in "iuf" or c == "version")
        }

    def _first_few(self) -> tuple[str, ...]:
        """As many columns as a page holds, in their own order, bounds not counted."""
        folded = {bound for pair in self.bounds.values() for bound in pair}
        free = [c for c in self.own if c not in folded and c not in self.same]
        return tuple(c for c in free if c not in {"latitude", "longitude"})[:_COLUMNS]

    def _note(self, *, sorted_anew: bool) -> str:
        said = [
            f"{self.writing.column(self.entry.indicator, self.name, c)}: {self._word(self.same[c])}"
            for c in self.same
        ]
        ordered = [self.writing.say("table.worst-first")] if sorted_anew else []
        return " ".join([*([l10n.semicolons(said, self.writing.lang)] if said else []), *ordered])

    def _word(self, value: object) -> str:
        if self._is_flag(value):
            return self.writing.say(f"parameter.{str(value).lower()}")
        return self.writing.term(self.entry.indicator, str(value))

    @staticmethod
    def _is_flag(value: object) -> bool:
        """True or false; pandas has its own kind of them."""
        return str(value) in ("True", "False")

    def _is_number(self, column: str) -> bool:
        return self.frame[column].dtype.kind in "iuf"

    def _column(self, column: str, *, hidden: bool) -> Column:
        numeric = self._is_number(column)
        unit = self.entry.unit("table", f"{self.name}.{column}")
        ends = {end: key for key, pair in self.bounds.items() for end in pair}
        share = numeric and is_share(ends.get(column, column), unit)
        return Column(
            self.writing.column(self.entry.indicator, self.name, column),
            "number" if numeric else "text",
            unit="%" if share else unit if numeric and unit not in _COUNTED else "",
            book_only=hidden,
            share=share,
            decimals=l10n.DEGREE_PLACES if numeric and unit == "degree" else None,
        )

    def _cells(self, column: str) -> list[Cell]:
        """The cells of one column as numbers, verdicts or words."""
        values = self.frame[column].tolist()
        if column in self.bounds:
            low, high = (self.frame[c].tolist() for c in self.bounds[column])
            unit = self.entry.unit("table", f"{self.name}.{column}")
            share = is_share(column, unit)
            return [
                Measured(
                    Quantity(_number(v), unit, _float(a), _float(b), _LEVEL, share=share),
                    bare=True,
                    beside=True,
                )
                for v, a, b in zip(values, low, high, strict=True)
            ]
        if column == "unit":
            return [l10n.unit(str(v), self.writing.lang) for v in values]
        known = {v: self._text(str(v)) for v in set(values) if isinstance(v, str | bool)}
        return [known[v] if isinstance(v, str | bool) else _number(v) for v in values]

    def _text(self, value: str) -> Cell:
        tone = TONES.get(value)
        if tone:
            return Status(self._word(value), tone)
        moment = _MOMENT.fullmatch(value)
        if moment:
            seconds = "" if moment[3] in (None, ":00") else moment[3]
            return f"{moment[1]} {moment[2]}{seconds} UTC"
        return "; ".join(self._word(part) for part in value.split("; "))


#: A moment as tables keep it; whole minutes are read without seconds.
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(?:\.\d+)?)?Z")
#: Units that the head of a column says already.
_COUNTED: Final = frozenset({"results", "stations", "pixel", "year", "1"})


def _bounds(columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Columns that have bounds beside them: ``x_low``/``x_high``, or plain ``low``/``high``."""
    found = {
        c: (f"{c}_low", f"{c}_high") for c in columns if {f"{c}_low", f"{c}_high"} <= set(columns)
    }
    if {"low", "high"} <= set(columns) and columns.index("low") > 0:
        found[columns[columns.index("low") - 1]] = ("low", "high")
    return found


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


def _float(value: object) -> float | None:
    number = _number(value)
    return None if number is None else float(number)


def _number(value: object) -> int | float | None:
    """A number as Python has it; not-a-number is nothing."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    return value if isinstance(value, float) and value == value else None
