"""Which checks there are, and what they say of a block; ours register as anyone's do.

An entry point of the group ``ecotone.checks`` names a tuple of checks.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.ingest.checks.base import Check, Kind, Mask, Texts, proposals
from ecotone.ingest.checks.block import Block
from ecotone.model.dictionary import by_standard
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table
from ecotone.model.words import say

GROUP: Final = "ecotone.checks"
#: A check that fails on more rows of a block than this is summed up, unless it rejects rows.
PER_ROW: Final = 20
_EXAMPLES: Final = 3
_SHARED_NOUNS: Final = ("Occurrence", "Event", "Taxon")


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """All registered checks by id; UsageError where an entry point is no tuple of checks."""
    found: dict[str, Check] = {}
    for entry in entry_points(group=GROUP):
        loaded = entry.load()
        if not isinstance(loaded, tuple) or not all(isinstance(c, Check) for c in loaded):
            raise UsageError(say("check-registry.broken", name=entry.name))
        for check in loaded:
            if found.setdefault(check.id, check) is not check:
                raise UsageError(say("check-registry.twice", id=check.id))
    return tuple(sorted(found.values(), key=lambda check: check.id))


def findings(table: Table, checks: Iterable[Check] | None = None) -> list[Finding]:
    """What the validations say of a block as delivered.

    That is Darwin Core, or a mapped table of a noun that Darwin Core has too: its attributes are
    then looked at by the terms they stand for, and named in findings as the table names them.
    """
    if table.frame.empty:
        return []
    if table.vocabulary == "dwc":
        return list(_said(table, Block(table.frame), table.type, "dwc", checks))
    if table.vocabulary != "ecotone" or table.type not in _SHARED_NOUNS:
        return []
    names = by_standard(table.type, "dwc")
    terms = {attribute: term for term, attribute in names.items()}
    block = Block(table.frame.rename(columns=terms))
    said = _said(table, block, table.type, "dwc", checks)
    return [replace(f, field=names.get(f.field or "", f.field)) for f in said]


def record_findings(
    table: Table, noun: str, frame: pd.DataFrame, checks: Iterable[Check] | None = None
) -> list[Finding]:
    """What the validations say of the records that a block became.

    Camtrap DP is left out: its reader has judged it by the standard's own rules.
    """
    if table.vocabulary == "camtrapdp" or frame.empty:
        return []
    return list(_said(table, Block(frame), noun, "ecotone", checks))


def _said(
    table: Table, block: Block, noun: str, vocabulary: str, checks: Iterable[Check] | None
) -> Iterator[Finding]:
    for check in all_checks() if checks is None else checks:
        if (
            check.kind is not Kind.VALIDATION
            or check.severity is None
            or check.vocabulary != vocabulary
            or (check.nouns and noun not in check.nouns)
            or not check.applies(block)
        ):
            continue
        failed = check.run(block).not_compliant
        if check.unless is not None and failed.any():
            failed &= ~check.unless(block)
        if failed.any():
            yield from _findings(check, check.severity, table, block, failed)


def _findings(
    check: Check, severity: Severity, table: Table, block: Block, failed: Mask
) -> Iterator[Finding]:
    """One finding per row, per distinct value, or for all, whichever a steward can read."""
    where = np.flatnonzero(failed)
    header = next((block.header(t) for t in check.terms if block.has(t)), None) or check.terms[0]
    texts = _texts(block, check.shown or header)[where]
    once = "_NOTEMPTY" in check.label
    if len(where) == 1 or severity is Severity.ERROR or (len(where) <= PER_ROW and not once):
        for text, row in zip(texts, where, strict=True):
            yield _finding(check, severity, table, header, text, 1, int(row))
        return
    distinct, first, counts = _distinct(texts)
    if len(distinct) <= PER_ROW and not once:
        for text, place, count in zip(distinct, first, counts, strict=True):
            yield _finding(check, severity, table, header, text, int(count), int(where[place]))
        return
    known = [text for text in distinct if text is not None]
    examples = ", ".join(known[:_EXAMPLES]) + (", …" if len(known) > _EXAMPLES else "")
    yield _finding(check, severity, table, header, examples or None, len(where), None)


def _texts(block: Block, header: str) -> Texts:
    column = block.term(header)
    return proposals(~column.empty, column.text)


def _distinct(
    texts: NDArray[np.object_],
) -> tuple[list[str | None], NDArray[np.intp], NDArray[np.intp]]:
    """Distinct texts in the order they come, where each is first, and how often it is there."""
    codes, values = pd.factorize(pd.Series(texts, dtype=object), use_na_sentinel=False)
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return [v if isinstance(v, str) else None for v in values], first, counts


def _finding(
    check: Check,
    severity: Severity,
    table: Table,
    header: str,
    text: str | None,
    count: int,
    row: int | None,
) -> Finding:
    return Finding(
        code=check.code,
        severity=severity,
        row=None if row is None else int(table.row[row]),
        line=None if row is None else int(table.line[row]),
        field=None if check.any_of else header.rpartition(":")[2],
        value=text,
        file=table.file,
        params={"count": str(count)},
    )
