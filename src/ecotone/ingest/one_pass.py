"""One pass over a delivery: each block mapped, converted, checked and handed on.

Apart from ``delivery`` so that a delivery refused at the door costs no heavy import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.formats import registry
from ecotone.formats.base import Format, Source, refused
from ecotone.ingest import mapping as mappings
from ecotone.ingest.checking import Checker
from ecotone.ingest.convert import Converted, Declared, convert, to_json
from ecotone.ingest.delivery import Orders, Sink
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

Rows = NDArray[np.int64]

#: Columns with this prefix are notes of a quarantine export.
NOTE: Final = "ecotone:"


class Pass:
    """One pass over one source."""

    def __init__(self, orders: Orders, sink: Sink, progress: Callable[[int], None]) -> None:
        self.orders = orders
        self.sink = sink
        self.progress = progress
        self.format: str | None = None
        self.records: dict[str, int] = {}
        self.rejected = 0
        self.tables = 0
        self.seen = 0
        self._pending: dict[tuple[str, int], Finding] = {}
        self._checker = Checker()

    def read(self, source: Source) -> None:
        """All tables of the source."""
        found = self._format_of(source)
        self.format = found.name
        for table in found.read(source, self.orders.read_options(), self._report, self._reject):
            self.tables += 1
            table = _without_notes(table)
            self._take(table, self._mapped(table))

    def nothing_read(self) -> bool:
        """No table at all and no rejected row: not even an empty table with a header."""
        return self.tables == 0 and self.rejected == 0

    def _format_of(self, source: Source) -> Format:
        if self.orders.format is None:
            return registry.recognise(source)
        return registry.format_named(self.orders.format)

    def _report(self, finding: Finding) -> None:
        """Findings of the reader; an error is completed by the raw text that follows it."""
        if finding.code == "unmapped" and self.orders.mapping is not None:
            return
        self.sink.find(finding)
        if finding.severity is Severity.ERROR and finding.row is not None:
            self._pending[(finding.file or "", finding.row)] = finding

    def _reject(self, file: str, row: int, line: int, raw: str) -> None:
        self.rejected += 1
        self.sink.reject(file, row, line, raw, self._pending.pop((file, row), None))

    def _mapped(self, table: Table) -> Table:
        mapping = self.orders.mapping
        if mapping is None or table.vocabulary not in ("", "dwc"):
            return table
        lacking = mappings.missing_columns(mapping, [str(h) for h in table.frame.columns])
        if lacking:
            raise refused(
                "mapping-columns-missing",
                file=table.file,
                columns=", ".join(lacking),
                have=", ".join(str(h) for h in table.frame.columns),
            )
        positions = pd.DataFrame(table.frame.reset_index(drop=True))
        mapped = mappings.apply(mapping, positions)
        index = mapped.index.to_numpy()
        return Table(
            type=mapping.record,
            frame=mapped,
            row=table.row[index],
            line=table.line[index],
            file=table.file,
            vocabulary="ecotone",
            metadata=table.metadata,
        )

    def _take(self, source: Table, table: Table) -> None:
        done: Converted = convert(table, _declared(self.orders))
        done.findings.extend(self._checker.duplicates(table, done))
        checked = list(self._checker.findings(table, done))
        self._reject_rows(table, done, checked)
        told = mappings.Headers(self.orders.mapping, table.frame, table.row)
        why: dict[int, Finding] = {}
        for said in (*checked, *done.findings):
            finding = replace(said, field=told.of(said.field, said.row, said.value))
            self.sink.find(finding)
            if finding.severity is Severity.ERROR and finding.row is not None:
                why.setdefault(finding.row, finding)
        keep = ~done.rejected
        if keep.any():
            self.sink.add(
                done.noun,
                done.frame.loc[keep].reset_index(drop=True),
                table.row[keep],
                table.line[keep],
                table.file,
            )
        self.records[table.type] = self.records.get(table.type, 0) + int(keep.sum())
        self._quarantine(source, np.unique(table.row[done.rejected]), why)
        self.seen += len(source.frame)
        self.progress(self.seen)

    @staticmethod
    def _reject_rows(table: Table, done: Converted, checked: list[Finding]) -> None:
        """Rows a check calls wrong are rejected like those that could not be typed."""
        rows = [f.row for f in checked if f.severity is Severity.ERROR and f.row is not None]
        if rows:
            done.rejected |= np.isin(table.row, np.array(rows, dtype=np.int64))

    def _quarantine(self, source: Table, rows: Rows, why: dict[int, Finding]) -> None:
        """Rows as the file had them, before any mapping: so they can be delivered again."""
        if not len(rows):
            return
        where = np.flatnonzero(np.isin(source.row, rows))
        texts = to_json(source.frame.iloc[where])
        for index, text in zip(where, texts, strict=True):
            row = int(source.row[index])
            self.rejected += 1
            self.sink.reject(source.file, row, int(source.line[index]), text, why.get(row))


def _without_notes(table: Table) -> Table:
    """Columns that quarantine added to tell the steward what was wrong are not data."""
    notes = [c for c in table.frame.columns if str(c).startswith(NOTE)]
    if not notes:
        return table
    return replace(table, frame=table.frame.drop(columns=notes))


def _declared(orders: Orders) -> Declared:
    """What the converter needs to know."""
    m = orders.mapping
    return Declared(
        zone=orders.zone or (m.zone if m else None),
        zones=dict(m.zones) if m else {},
        day_first=m.day_first if m else None,
        excel=m.excel if m else None,
        datum=orders.datum or (m.datum if m else None),
        decimal=orders.decimal or (m.decimal if m else None),
        country=orders.country,
        missing=dict(m.missing) if m else {},
    )
