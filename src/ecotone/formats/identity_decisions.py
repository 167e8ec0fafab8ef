"""Decisions about identities: whether two photographed or genotyped individuals are one animal.

One row a decision: ``first``, ``second``, ``decision`` (same, different, unsure), ``observer``,
and where told ``confidence`` (0 to 1), ``reason`` and ``decided`` (a time with its zone). Rows are
only ever added: a changed mind is another row, and the last word of an observer counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.camera_tables import blocks, column, headers
from ecotone.formats.turned_away import turn_away
from ecotone.model.table import Table

#: The record type under which a node keeps them.
RECORD_TYPE: Final = "IdentityDecision"
COLUMNS: Final = ("first", "second", "decision", "observer", "confidence", "reason", "decided")
_MUST: Final = COLUMNS[:4]
WORDS: Final = ("same", "different", "unsure")


class IdentityDecisions:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "identity-decisions"
    title_key = "format.identity-decisions.title"
    extensions = (".csv",)
    spec = "https://doi.org/10.1038/s41598-020-63367-z"

    def recognise(self, source: Source) -> bool:
        """A table with two identities, a decision and an observer."""
        if source.only is None or not source.only.lower().endswith(".csv"):
            return False
        return set(_MUST) <= set(headers(source, source.only))

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the decisions; rows that decide nothing are turned away."""
        import numpy as np

        if source.only is None or not set(_MUST) <= set(headers(source, source.only)):
            raise refused("identity-decisions-not", file=source.name)
        member = source.only
        for block in blocks(source, member, options, report, reject):
            frame = block.frame
            bad = np.zeros(len(frame), dtype=np.bool_)
            cells = {name: column(frame, name) for name in COLUMNS}
            words = cells["decision"].str.lower()
            faults = [("identity-decision-empty", n, cells[n].isna()) for n in _MUST]
            faults.append(("identity-decision-word", "decision", ~words.isin(WORDS)))
            faults.append(("identity-decision-itself", "second", cells["first"] == cells["second"]))
            for code, field, mask in faults:
                where = mask.fillna(False).to_numpy(dtype=bool) & ~bad
                turn_away(code, frame, where, field, member, block.row, block.line, report, reject)
                bad |= where
            kept = frame.assign(decision=words)[~bad].reset_index(drop=True)
            yield Table(
                type=RECORD_TYPE,
                frame=kept,
                row=block.row[~bad],
                line=block.line[~bad],
                file=member,
                vocabulary="identity",
            )


FORMAT = IdentityDecisions()
