"""What a door must know beside the rows it releases: former names, and what lies where they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import pandas as pd

from ecotone.model.dictionary import attributes
from ecotone.share import anchors
from ecotone.share.anchors import ANCHORED, LINKS, Anchors
from ecotone.share.names import Names, equal_names, ever_of
from ecotone.share.table import ASKED, Table
from ecotone.store.names import NAME_OF

if TYPE_CHECKING:
    from ecotone.store import Store

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
    store: Store, datasets: Sequence[str], table_of: Callable[[str], Table]
) -> Anchors:
    """Where the rows of some datasets lie together, and how coarse each such place has become."""
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
        for link in links:
            if "latitude" in attributes(noun):
                _unlisted(found, store.first_places(noun, datasets, link), link)
        _coarsen(found, store, noun, datasets, table_of(noun), filled)
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
    columns = [n for n in (*ASKED, *LINKS, anchors.OWN.get(noun)) if n in filled]
    if table.asks_places():
        columns += [name for name in _PLACE if name in filled]
    rows = store.combinations(noun, datasets, columns)
    codes = found.of(rows, noun)
    if codes is None:
        return
    places = found.places(rows, codes)
    governing = table.assign(rows, noun, places)
    found.coarsen(codes, table.cells(governing))
    if noun in anchors.OWN:
        found.tell(codes[table.leaves(governing)])
