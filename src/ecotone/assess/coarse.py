"""Rows that an agreement made coarse, before a number is made of them.

What left a node's door says in a column how exactly each row was released; that holds for rows of
this node and for those of a partner's package alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.assess.indicator import Indicator

#: The column in which the door says at which level a row was released.
LEVEL: Final = "release_level"
_COARSE: Final = "generalised"


def coarse_inputs(indicator: Indicator, paths: Mapping[str, Sequence[Path]]) -> list[Finding]:
    """What is to be said about coarse rows among the inputs.

    Raises NotComputable where an input that must be exact has any.
    """
    found: list[Finding] = []
    for wanted in indicator.inputs:
        if wanted.kind != "table" or wanted.coarse == "take":
            continue
        number = sum(_coarse_rows(path) for path in paths.get(wanted.name, ()))
        if not number:
            continue
        if wanted.coarse == "refuse":
            raise NotComputable(
                say("assess.coarse-refused", name=wanted.name, number=number),
                say("assess.coarse-refused.do"),
            )
        params = {"name": wanted.name, "count": str(number)}
        found.append(Finding("coarse-input", Severity.WARNING, params=params))
    return found


def _coarse_rows(path: Path) -> int:
    """Rows of what a door let out; another table, whatever its form, has none."""
    if path.suffix.lower() != ".csv":
        return 0
    with path.open("rb") as stream:
        headers = stream.readline().decode("utf-8-sig", errors="replace").strip().split(",")
    if LEVEL not in headers:
        return 0
    import pandas as pd

    levels = pd.read_csv(path, usecols=[LEVEL], dtype="str")
    return int((levels[LEVEL] == _COARSE).sum())
