"""What leaves of one noun: gathered block by block, finished when the last row has been seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from ecotone.model.words import Language
from ecotone.share import aggregate, generalise, tracks
from ecotone.share.decide import STRICTNESS, Decision
from ecotone.share.parts import Part
from ecotone.share.pseudonyms import Pseudonyms, spelled

if TYPE_CHECKING:
    from ecotone.share.door import Block

Numbers = NDArray[np.uint64]


class Outgoing:
    """The rows of one release by the decision that lets them out."""

    def __init__(self, noun: str, pseudonyms: Pseudonyms) -> None:
        self._noun = noun
        self._pseudonyms = pseudonyms
        self._decisions: dict[int, Decision] = {}
        self._parts: dict[int, list[pd.DataFrame]] = {}
        self._names: dict[int, list[tuple[Numbers, Numbers]]] = {}
        self._fixes: dict[int, list[tuple[pd.DataFrame, pd.Series]]] = {}

    def add(self, index: int, decision: Decision, block: Block, keep: NDArray[np.bool_]) -> None:
        """Rows of a block that leave by a decision."""
        self._decisions[index] = decision
        match decision.level:
            case "full":
                rows = generalise.full(block.frame, self._noun, decision.rule)
            case "aggregated":
                rows = aggregate.needed(block.frame)
            case _:
                self._generalise(index, decision, block, keep)
                return
        some = rows if keep.all() else rows.take(np.flatnonzero(keep))
        self._parts.setdefault(index, []).append(some)

    def finished(self, lang: Language) -> Iterator[tuple[Decision, Part]]:
        """What each decision releases, strictest last; nothing where nothing is left."""
        for index in sorted(self._decisions, key=self._place):
            decision = self._decisions[index]
            for part in self._made(index, decision, lang):
                if len(part.rows):
                    yield decision, part

    def _place(self, index: int) -> tuple[str, int, str, int]:
        decision = self._decisions[index]
        return decision.dataset_id, STRICTNESS.index(decision.level), decision.name, index

    def _made(self, index: int, decision: Decision, lang: Language) -> Iterator[Part]:
        parts = self._parts.get(index, [])
        if decision.level == "full":
            rows = _in_order(pd.concat(parts, ignore_index=True))
            yield Part(rows, generalise.said_full(self._noun, decision.rule))
        elif decision.level == "aggregated":
            rows = pd.concat(parts, ignore_index=True)
            yield Part(aggregate.aggregated(rows, decision.rule), {generalise.WITHHELD: "rows"})
        else:
            if parts:
                yield self._named(index, decision, parts, lang)
            if index in self._fixes:
                yield self._presence(index, decision, lang)

    def _generalise(
        self,
        index: int,
        decision: Decision,
        block: Block,
        keep: NDArray[np.bool_],
    ) -> None:
        looked_at = generalise.needed(self._noun) | {"id", tracks.ANIMAL.get(self._noun)}
        rows = block.frame[[name for name in block.frame if name in looked_at]]
        latitude, longitude, anchor = block.places.latitude, block.places.longitude, block.anchor
        if not keep.all():
            rows = rows.take(np.flatnonzero(keep))
            latitude, longitude, anchor = latitude[keep], longitude[keep], anchor[keep]
        slim = generalise.slim(rows, self._noun, decision.rule, latitude, longitude)
        track = tracks.fixes(rows, self._noun, anchor >= 0, ~np.isnan(latitude))
        if track.any():
            animals = rows.loc[track, tracks.ANIMAL[self._noun]]
            self._fixes.setdefault(index, []).append((slim[track], animals))
            rows, slim = rows[~track], slim[~track]
        if len(rows):
            names = self._pseudonyms.of(rows["id"], self._noun)
            self._parts.setdefault(index, []).append(slim)
            self._names.setdefault(index, []).append(names)

    def _named(
        self, index: int, decision: Decision, parts: list[pd.DataFrame], lang: Language
    ) -> Part:
        """Generalised rows under the reader's names for them, in the order of those."""
        first, second = (np.concatenate(half) for half in zip(*self._names[index], strict=True))
        order = _order(first, second)
        rows = pd.concat(parts, ignore_index=True).take(order).reset_index(drop=True)
        rows = rows.assign(id=spelled(first[order], second[order]))
        return Part(rows, generalise.said(self._noun, decision.rule, lang))

    def _presence(self, index: int, decision: Decision, lang: Language) -> Part:
        slim, animals = zip(*self._fixes[index], strict=True)
        fixes: pd.DataFrame = pd.concat(slim, ignore_index=True)
        fixes = fixes.assign(dataset_id=decision.dataset_id)
        cells = tracks.presence(fixes, pd.concat(animals, ignore_index=True), decision.rule)
        if cells.empty:
            return Part(cells, {})
        first, second = self._pseudonyms.of(tracks.keys(cells), f"{self._noun} presence")
        order = _order(first, second)
        rows = cells.take(order).reset_index(drop=True)
        rows = rows.assign(id=spelled(first[order], second[order]))
        return Part(rows, generalise.said(self._noun, decision.rule, lang, presence=True))


def _order(first: Numbers, second: Numbers) -> NDArray[np.intp]:
    """The order of names; the second number is asked only where the first is the same."""
    order = np.argsort(first)
    placed = first[order]
    return np.lexsort((second, first)) if (placed[1:] == placed[:-1]).any() else order


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in full by identifier and version; blocks mostly come so and need no sorting."""
    ids = pa.array(rows["id"])
    if pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py() is not False:
        return rows
    return rows.sort_values(["id", "version"], kind="stable", ignore_index=True)
