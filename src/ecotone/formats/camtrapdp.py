"""Camtrap DP 1.0.x and 0.1.6: deployments, media and observations as a data package.

Reads a folder, an archive, or the ``datapackage.json`` of a folder; checks the package against
the standard's profile and its rows against the table schemas (:mod:`.camtrapdp_checks`). Rows
that break the schema are rejected one by one; what the study's description lacks is told.
Writing is in :mod:`ecotone.formats.camtrapdp_write`. Standard: https://camtrap-dp.tdwg.org,
doi:10.1002/rse2.374.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.camera_failures import FAILURE_COLUMNS, failure_tables
from ecotone.formats.camtrapdp_migrate import migrated, old_field
from ecotone.formats.camtrapdp_package import (
    DESCRIPTOR,
    FAILURES,
    Package,
    Resource,
    find_descriptor,
    read_package,
)
from ecotone.formats.camtrapdp_rules import KEYS, MISSING, TABLES, rules
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ecotone.formats.camtrapdp_checks import Fault, Judge
    from ecotone.formats.delimited import Block

_PEEK: Final = 1 << 20


class CamtrapDataPackage:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "camtrapdp"
    title_key = "format.camtrapdp.title"
    extensions = (".zip", ".json")
    spec = "https://camtrap-dp.tdwg.org"

    def recognise(self, source: Source) -> bool:
        """A ``datapackage.json`` that speaks of Camtrap DP, or of its three tables."""
        member = find_descriptor(source)
        if member is None:
            return False
        with source.open(member) as stream:
            head = stream.read(_PEEK)
        if b"camtrap-dp/" in head:
            return True
        return all(f'"{table}"'.encode() in head for table in TABLES)

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield deployments, then media, then observations."""
        from ecotone.formats.safe import open_source

        member = find_descriptor(source)
        if member is None:
            raise refused("camtrapdp-not-a-package", file=source.name)
        if source.only == DESCRIPTOR and source.kind == "file":
            # The descriptor was named alone; its tables lie beside it.
            with open_source(source.path.absolute().parent, source.limits) as folder:
                yield from _read(folder, DESCRIPTOR, options, report, reject)
        else:
            yield from _read(source, member, options, report, reject)


FORMAT = CamtrapDataPackage()


def _read(
    source: Source, member: str, options: ReadOptions, report: Report, reject: Reject
) -> Iterator[Table]:
    from ecotone.formats.camtrapdp_checks import Judge
    from ecotone.formats.gzip_members import GzipMembers

    package = read_package(source, member, report)
    judge = Judge(options.zone, package.taxa)
    reader = _Reader(GzipMembers(source), package, options, report, reject, judge)
    for table in TABLES:
        yield from reader.table(table)
    if package.failures is not None:
        yield from reader.failures(package.failures)


def _columns(table: str) -> list[str]:
    if table == FAILURES:
        return list(FAILURE_COLUMNS)
    return [rule.name for rule in rules(table)]


@dataclass
class _Reader:
    """One pass over one package."""

    source: Source
    package: Package
    options: ReadOptions
    report: Report
    reject: Reject
    judge: Judge

    def table(self, table: str) -> Iterator[Table]:
        resource = self.package.resources[table]
        for member in resource.files:
            columns_told = False
            for read in self._blocks(resource, member):
                block = self._current(table, read)
                if not columns_told:
                    self._check_columns(table, member, list(block.frame.columns))
                    columns_told = True
                frame, keep = self._judged(table, member, block)
                yield Table(
                    type=TABLES[table],
                    frame=frame,
                    row=block.row[keep],
                    line=block.line[keep],
                    file=member,
                    vocabulary="camtrapdp",
                    key=KEYS[table],
                    metadata=dict(self.package.metadata),
                )

    def failures(self, resource: Resource) -> Iterator[Table]:
        """When cameras failed: alarms of the devices that the deployments name."""
        for member in resource.files:
            yield from failure_tables(
                self._blocks(resource, member), member, self.judge, self.report, self.reject
            )

    def _current(self, table: str, block: Block) -> Block:
        """The block in the words of the current version."""
        if not self.package.old:
            return block
        return dataclasses.replace(block, frame=migrated(table, block.frame))

    def _field(self, table: str, field: str) -> str:
        """What the file calls a field."""
        return old_field(table, field) if self.package.old else field

    def _blocks(self, resource: Resource, member: str) -> Iterator[Block]:
        from ecotone.formats.delimited import read_blocks

        table = resource.table
        missing = tuple(dict.fromkeys((*self.options.missing, *MISSING)))
        yield from read_blocks(
            self.source,
            member,
            options=dataclasses.replace(self.options, missing=missing),
            delimiter=self.options.delimiter or resource.delimiter,
            encoding=self.options.encoding or resource.encoding,
            quote=resource.quote,
            header_lines=1 if resource.header else 0,
            columns=None if resource.header else _columns(table),
            line_end=None,
            report=self.report,
            reject=self.reject,
        )

    def _check_columns(self, table: str, member: str, have: list[str]) -> None:
        """A required column that is not there refuses the package: no row could stand."""
        known = {rule.name for rule in rules(table)}
        wanted = [r.name for r in rules(table) if r.required and r.name not in have]
        lacking = [self._field(table, name) for name in wanted]
        if lacking:
            raise refused("camtrapdp-columns-missing", file=member, columns=", ".join(lacking))
        others = [name for name in have if name not in known]
        if others:
            self.report(
                Finding(
                    "camtrapdp-columns-extra",
                    Severity.INFO,
                    file=member,
                    params={"columns": ", ".join(others)},
                )
            )

    def _judged(
        self, table: str, member: str, block: Block
    ) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
        """The rows that stand, and which they are; the others are turned away with reasons."""
        import numpy as np

        from ecotone.formats.turned_away import raw_texts

        frame = block.frame
        rejected = np.zeros(len(frame), dtype=np.bool_)
        for fault in self.judge.faults(table, frame):
            self._tell(table, fault, frame, member, block)
            if fault.rejects:
                rejected |= fault.rows
        where = np.flatnonzero(rejected)
        for index, raw in zip(where, raw_texts(frame.iloc[where]), strict=True):
            self.reject(member, int(block.row[index]), int(block.line[index]), raw)
        if not len(where):
            return frame, ~rejected
        return frame[~rejected].reset_index(drop=True), ~rejected

    def _tell(
        self, table: str, fault: Fault, frame: pd.DataFrame, member: str, block: Block
    ) -> None:
        import numpy as np
        import pandas as pd

        if self.package.old and fault.field == "eventEnd":
            return  # 0.1.6 has one time; what is wrong with it is told of the start.

        where = np.flatnonzero(fault.rows)
        values = frame[fault.field].iloc[where].tolist() if fault.field in frame else []
        for position, index in enumerate(where):
            value = values[position] if values else None
            self.report(
                Finding(
                    code=fault.code,
                    severity=Severity.ERROR if fault.rejects else Severity.WARNING,
                    row=int(block.row[index]),
                    line=int(block.line[index]),
                    field=self._field(table, fault.field),
                    value=None if value is None or pd.isna(value) else str(value),
                    file=member,
                    params=fault.params,
                )
            )
