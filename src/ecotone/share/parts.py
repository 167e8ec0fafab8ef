"""What one decision lets out: rows, and what all of them say alike; put together for the reader.

Rows carry only the columns in which they differ and that somebody filled. The others, and the
agreement, class and level they came by, are written once, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from ecotone.model.dictionary import attributes
from ecotone.share.decide import Decision
from ecotone.share.generalise import (
    GENERALISED,
    KEPT_HEADER,
    WITHHELD,
    constant,
    kinds_of,
    nothing,
)

#: By which agreement, class and level a row came. Not as ``level``: an observation has a level of
#: its own (media or event).
LABELS: Final = ("agreement", "class", "release_level")


@dataclass(frozen=True)
class Part:
    """Rows of one decision. ``said``: columns that are the same in every row, whatever rows say."""

    rows: pd.DataFrame
    said: Mapping[str, str | None]

    def labelled(self, decision: Decision) -> Part:
        """The part with its dataset, and with what each row says of how it came."""
        labels = (decision.agreement, decision.name, decision.level)
        more = {"dataset_id": decision.dataset_id, **dict(zip(LABELS, labels, strict=True))}
        return Part(self.rows, {**self.said, **more})


def together(parts: Sequence[Part], noun: str) -> pd.DataFrame:
    """All parts as one frame with every column of the noun; those nobody filled are empty."""
    if not parts:
        return pd.DataFrame()
    in_full = any(part.said.get("release_level") == "full" for part in parts)
    extra = ("extra",) if in_full else ()
    known = (*KEPT_HEADER, *attributes(noun), *extra, GENERALISED, WITHHELD)
    labels = [name for name in LABELS if any(name in part.said for part in parts)]
    kinds = {**kinds_of(noun), **dict.fromkeys(labels, "text")}
    index = pd.RangeIndex(sum(len(part.rows) for part in parts))
    empties: dict[str, pd.Series] = {}
    columns: dict[str, pd.Series] = {}
    for name in dict.fromkeys([*known, *labels]):
        if any(name in part.said or name in part.rows for part in parts):
            columns[name] = _column(parts, name, kinds[name], index)
            continue
        if kinds[name] not in empties:
            empties[kinds[name]] = nothing(kinds[name], index)
        columns[name] = empties[kinds[name]]
    return pd.DataFrame(columns, copy=False)


def _column(parts: Sequence[Part], name: str, kind: str, index: pd.Index) -> pd.Series:
    pieces = [_piece(part, name, kind) for part in parts]
    if len(pieces) == 1:
        return pieces[0].set_axis(index)
    return pd.concat(pieces, ignore_index=True)


def _piece(part: Part, name: str, kind: str) -> pd.Series:
    if name in part.said:
        return constant(part.said[name], part.rows.index)
    return part.rows[name] if name in part.rows else nothing(kind, part.rows.index)
