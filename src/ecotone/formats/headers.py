"""Names of columns: those that stand in the file, mended where they lack or repeat."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Final

from ecotone.formats.base import Report
from ecotone.formats.cells import NUMBER
from ecotone.model.finding import Finding, Severity

_YEAR: Final = re.compile(r"(?:1[6-9]|20|21)\d\d")
_SHOWN: Final = 5


def column_names(given: Sequence[str] | None, width: int, member: str, report: Report) -> list[str]:
    """One name for each column; None or an empty name becomes ``column_<position>``.

    A name that stands again gets a number; both are told once.
    """
    names: list[str] = []
    seen: set[str] = set()
    empty: list[str] = []
    again: list[str] = []
    for position in range(1, width + 1):
        plain = given[position - 1].strip() if given is not None else ""
        name = plain or f"column_{position}"
        if given is not None and not plain:
            empty.append(name)
        number = 2
        stem = name
        while name in seen:
            name = f"{stem} ({number})"
            number += 1
        if name != stem:
            again.append(stem)
        seen.add(name)
        names.append(name)
    for code, found in (("header-empty", empty), ("header-duplicate", again)):
        if found:
            report(Finding(code, Severity.WARNING, file=member, line=1, params=_listed(found)))
    return names


def _listed(names: list[str]) -> dict[str, str]:
    shown = ", ".join(dict.fromkeys(names[:_SHOWN]))
    return {"count": str(len(names)), "columns": shown + (" …" if len(names) > _SHOWN else "")}


def has_header(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first of a table's records names its columns.

    It does not when it holds a number above a column of numbers, unless those numbers are years
    or count upwards, as the headers of wide tables do.
    """
    if len(records) < 2:
        return not records or not any(NUMBER.fullmatch(c.strip()) for c in records[0])
    first, others = records[0], records[1:]
    numeric = [i for i, cell in enumerate(first) if NUMBER.fullmatch(cell.strip())]
    above = [i for i in numeric if _mostly_numbers(others, i)]
    if not above:
        return True
    return len(above) > 1 and _counts_upwards([first[i].strip() for i in above])


def _mostly_numbers(records: Sequence[Sequence[str]], column: int) -> bool:
    cells = [r[column].strip() for r in records if len(r) > column and r[column].strip()]
    return bool(cells) and sum(bool(NUMBER.fullmatch(c)) for c in cells) > 0.8 * len(cells)


def _counts_upwards(texts: list[str]) -> bool:
    if all(_YEAR.fullmatch(text) for text in texts):
        return True
    numbers = [float(text.replace(",", ".")) for text in texts]
    steps = {round(b - a, 9) for a, b in itertools.pairwise(numbers)}
    return len(steps) == 1 and steps.pop() > 0 and len(numbers) > 2
