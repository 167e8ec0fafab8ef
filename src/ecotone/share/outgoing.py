"""What leaves of one noun: gathered block by block, finished when the last row has been seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.words import Language
from ecotone.share import aggregate, generalise, tracks
from ecotone.share.decide import STRICTNESS, Decision
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
        rows = block.frame if keep.all() else block.frame[keep]
        match decision.level:
            case "full":
                rows = generalise.full(rows, self._noun, decision.rule)
            case "aggregated":
                rows = aggregate.needed(rows)
            case _:
                self._generalise(index, decision, block, rows, keep)
                return
        self._parts.setdefault(index, []).append(rows)

    def finished(self, lang: Language) -> Iterator[tuple[Decision, pd.DataFrame]]:
        """What each decision releases, strictest last; nothing where nothing is left."""
        for index in sorted(self._decisions, key=self._place):
            decision = self._decisions[index]
            for frame in self._made(index, decision, lang):
                if len(frame):
                    yield decision, frame

    def _place(self, index: int) -> tuple[str, int, str, int]:
        decision = self._decisions[index]
        return decision.dataset_id, STRICTNESS.index(decision.level), decision.name, index

    def _made(self, index: int, decision: Decision, lang: Language) -> Iterator[pd.DataFrame]:
        parts = self._parts.get(index, [])
        if decision.level == "full":
            rows = _in_order(pd.concat(parts, ignore_index=True))
            yield generalise.finished_full(rows, self._noun, decision.rule)
        elif decision.level == "aggregated":
            yield aggregate.aggregated(pd.concat(parts, ignore_index=True), decision.rule)
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
        rows: pd.DataFrame,
        keep: NDArray[np.bool_],
    ) -> None:
        latitude, longitude = block.places.latitude[keep], block.places.longitude[keep]
        slim = generalise.slim(rows, self._noun, decision.rule, latitude, longitude)
        track = tracks.fixes(rows, self._noun, block.anchor[keep] >= 0, ~np.isnan(latitude))
        if track.any():
            animals = rows.loc[track, tracks.ANIMAL[self._noun]]
            self._fixes.setdefault(index, []).append((slim[track], animals))
        if not track.all():
            names = self._pseudonyms.of(rows["id"][~track], self._noun)
            self._parts.setdefault(index, []).append(slim[~track])
            self._names.setdefault(index, []).append(names)

    def _named(
        self, index: int, decision: Decision, parts: list[pd.DataFrame], lang: Language
    ) -> pd.DataFrame:
        """Generalised rows under the reader's names for them, in the order of those."""
        first, second = (np.concatenate(half) for half in zip(*self._names[index], strict=True))
        order = np.lexsort((second, first))
        rows = pd.concat(parts, ignore_index=True).take(order).reset_index(drop=True)
        rows = rows.assign(id=spelled(first[order], second[order]))
        return generalise.finished(rows, self._noun, decision.rule, lang)

    def _presence(self, index: int, decision: Decision, lang: Language) -> pd.DataFrame:
        slim, animals = zip(*self._fixes[index], strict=True)
        cells = tracks.presence(
            pd.concat(slim, ignore_index=True), pd.concat(animals, ignore_index=True), decision.rule
        )
        if cells.empty:
            return cells
        first, second = self._pseudonyms.of(tracks.keys(cells), f"{self._noun} presence")
        order = np.lexsort((second, first))
        rows = cells.take(order).reset_index(drop=True)
        rows = rows.assign(id=spelled(first[order], second[order]))
        return generalise.finished(rows, self._noun, decision.rule, lang, presence=True)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in full by identifier and version; blocks mostly come so and need no sorting."""
    if rows["id"].is_monotonic_increasing:
        return rows
    return rows.sort_values(["id", "version"], kind="stable", ignore_index=True)
