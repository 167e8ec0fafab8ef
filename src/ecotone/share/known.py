"""What a door must know beside the rows it releases: former names, and what lies where they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.dictionary import attributes
from ecotone.share import anchors
from ecotone.share.anchors import ANCHORED, LINKS, Anchors
from ecotone.share.embargo import TIMES, older
from ecotone.share.names import Names, equal_names, ever_of
from ecotone.share.table import ASKED, Places, Table
from ecotone.store.names import NAME_OF

if TYPE_CHECKING:
    from ecotone.store import Store

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Columns of a row that a decision may look at, beside its place.
ASKED_BESIDE: Final = (*ASKED, *LINKS)
_PLACE: Final = ("latitude", "longitude", "coordinate_uncertainty_m")
_CHECKLIST: Final = ("name", "accepted_name", "taxon_id", "accepted_id", "original_id")


def names_beside(store: Store, noun: str, datasets: Sequence[str]) -> Names:
    """Names that may close records of a noun: former ones, equal ones, those of individuals.

    Every checklist of the node counts, whoever owns it: names can only close.
    """
    everywhere = [d.dataset_id for d in store.datasets()]
    equal: dict[str, tuple[str, ...]] = {}
    if store.filled("Taxon", everywhere):
        lists = list(store.select("Taxon", datasets=everywhere, columns=_CHECKLIST))
        equal = equal_names(pd.concat(lists)) if lists else {}
    of_individual: dict[tuple[str, str], str] = {}
    if noun != "Individual" and "individual" in attributes(noun):
        columns = ["dataset_id", "individual_id", "taxon"]
        for chunk in store.select("Individual", datasets=datasets, columns=columns):
            told = chunk.dropna(subset=["individual_id", "taxon"])
            keys = zip(told["dataset_id"].tolist(), told["individual_id"].tolist(), strict=True)
            of_individual.update(zip(keys, told["taxon"].tolist(), strict=True))
    ever = ever_of(store.names_ever(noun, datasets)) if noun in NAME_OF else {}
    return Names(ever, equal, of_individual)


def anchors_beside(
    store: Store, datasets: Sequence[str], table_of: Callable[[str], Table], today: date
) -> Anchors:
    """Where the rows of some datasets lie together, and how coarse each such place has become.

    Only rows that leave count, today: the place or the cell of a withheld one would be told by its
    neighbours.
    """
    found = anchors.gather(
        lambda noun, listed, columns: store.select(noun, datasets=listed, columns=columns),
        datasets,
    )
    for noun in ANCHORED:
        filled = store.filled(noun, datasets)
        links = [column for column in LINKS if column in filled]
        own = anchors.OWN.get(noun)
        if not links and own not in filled:
            continue
        table = table_of(noun)
        free = [name for name in datasets if table.lets_all_out(name, noun)]
        some = _Some(store, noun, [name for name in datasets if name not in free], filled, today)
        for link in links:
            if "latitude" in attributes(noun) and free:
                _unlisted(found, store.first_places(noun, free, link), link)
        if "latitude" in attributes(noun):
            some.place(found, table, links)
        _coarsen(found, store, noun, free, table, filled)
        some.coarsen(found, table)
    return found


def _unlisted(found: Anchors, places: pd.DataFrame, link: str) -> None:
    """Sites, events and the like that rows name and nobody has described."""
    kind = LINKS[link]
    measured = zip(*(anchors.numbers(places, name).tolist() for name in _PLACE), strict=True)
    keys = zip(places["dataset_id"].tolist(), places[link].tolist(), measured, strict=True)
    for dataset, key, (latitude, longitude, radius) in keys:
        found.add((dataset, kind, str(key)), None, (latitude, longitude, radius))


def _coarsen(
    found: Anchors,
    store: Store,
    noun: str,
    datasets: Sequence[str],
    table: Table,
    filled: set[str],
) -> None:
    """Of datasets that leave whole it is enough to look at what occurs in them."""
    if not datasets:
        return
    columns = [n for n in (*ASKED, *LINKS, anchors.OWN.get(noun)) if n in filled]
    if table.asks_places():
        columns += [name for name in _PLACE if name in filled]
    rows = store.combinations(noun, datasets, columns)
    codes = found.of(rows, noun)
    if codes is None:
        return
    governing = table.assign(rows, noun, found.places(rows, codes))
    _note(found, noun, codes, table.cells(governing), table.leaves(governing))


def _note(found: Anchors, noun: str, codes: Codes, cells: Floats, leaves: Bools) -> None:
    found.coarsen(codes[leaves], cells[leaves])
    if noun in anchors.OWN:
        found.tell(codes[leaves])


@dataclass(frozen=True)
class _Some:
    """Datasets of which not every row leaves: each row is asked whether it does."""

    store: Store
    noun: str
    datasets: Sequence[str]
    filled: set[str]
    today: date

    def place(self, found: Anchors, table: Table, links: Sequence[str]) -> None:
        """The places of what nobody described: of the first row that leaves and names it."""
        if not links:
            return
        for frame in self._frames():
            places = found.places(frame, found.of(frame, self.noun))
            _, leaves = self._judged(frame, table, places)
            placed = frame[leaves].dropna(subset=["latitude", "longitude"])
            for link in links:
                named = placed.dropna(subset=link)
                _unlisted(found, named.drop_duplicates(["dataset_id", link]), link)

    def coarsen(self, found: Anchors, table: Table) -> None:
        """Make anchors as coarse as the rows that leave there."""
        for frame in self._frames():
            codes = found.of(frame, self.noun)
            if codes is not None:
                cells, leaves = self._judged(frame, table, found.places(frame, codes))
                _note(found, self.noun, codes, cells, leaves)

    def _frames(self) -> Iterator[pd.DataFrame]:
        if not self.datasets:
            return
        asked = (*ASKED, *LINKS, anchors.OWN.get(self.noun), *TIMES)
        columns = ["id", "dataset_id", *(n for n in asked if n in self.filled)]
        columns += [n for n in _PLACE if n in attributes(self.noun)]
        yield from self.store.select(self.noun, datasets=list(self.datasets), columns=columns)

    def _judged(self, frame: pd.DataFrame, table: Table, places: Places) -> tuple[Floats, Bools]:
        """The cell of each row, and whether it leaves today."""
        governing = table.assign(frame, self.noun, places)
        leaves = table.leaves(governing)
        for index in np.unique(governing[leaves]).tolist():
            decision = table.decisions[index]
            if decision.rule.embargo_months:
                mine = governing == index
                leaves &= ~mine | older(frame, self.today, decision)
        return table.cells(governing), leaves
