"""The river stations of each party, in order downstream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.demo.countries import Countries
from ecotone.demo.grid import COLUMNS, latitudes, longitudes
from ecotone.demo.names import Pollution, invented, pollution
from ecotone.demo.terrain import LAKE, Terrain
from ecotone.model.errors import UsageError
from ecotone.model.words import say

PER_PARTY: Final = 26
_ON_MAIN: Final = 14  # of these, on the main stem; the others on tributaries
_LANGUAGE: Final = {"VIWE": "en", "KNCM": "ru", "SUEA": "zh"}
_NAMES: Final = {
    "en": "{river} {number:02d}",
    "ru": "{river}, створ {number:02d}",
    "zh": "{river}{number:02d}断面",
}


@dataclass(frozen=True)
class Stations:
    """A party's stations: main stem first, downstream, then the tributaries."""

    party_id: str
    ids: tuple[str, ...]
    names: tuple[str, ...]  #: in the language of the party
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    elevation: NDArray[np.float64]
    on_main: int  #: how many lie on the main stem

    def __len__(self) -> int:
        return len(self.ids)


def place_stations(terrain: Terrain, countries: Countries) -> tuple[Stations, ...]:
    """Spread each party's stations evenly along its rivers."""
    return tuple(
        _of_party(party.party_id, party.country_code, terrain, countries)
        for party in invented().parties
    )


def _of_party(party: str, country: str, terrain: Terrain, countries: Countries) -> Stations:
    mask = countries.mask(country) & (terrain.cover != LAKE)
    main, *rest = (
        (reach.rows * COLUMNS + reach.columns)[mask[reach.rows, reach.columns]]
        for reach in terrain.reaches
    )
    side = np.setdiff1d(np.concatenate(rest), main)
    # setdiff1d sorts by row; order along the water is only needed on the main stem. Under some
    # seeds a country has the one without the other.
    main, side = main if main.size else side, side if side.size else main
    if not main.size:
        raise UsageError(say("demo.no-river", country=country))
    chosen = np.concatenate([_evenly(main, _ON_MAIN), _evenly(side, PER_PARTY - _ON_MAIN)])
    rows, columns = np.divmod(chosen, COLUMNS)
    river = invented().river[_LANGUAGE[party]]
    names = [
        _NAMES[_LANGUAGE[party]].format(river=river, number=number)
        for number in range(1, PER_PARTY + 1)
    ]
    for source in pollution(party):
        names[source.rank] = source.name[_LANGUAGE[party]]
    return Stations(
        party,
        tuple(f"{country}-{number:02d}" for number in range(1, PER_PARTY + 1)),
        tuple(names),
        latitudes()[rows],
        longitudes()[columns],
        np.round(terrain.elevation[rows, columns], 1),
        _ON_MAIN,
    )


def _evenly(cells: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """So many of the cells, the first and last left out."""
    return cells[np.linspace(0, len(cells) - 1, number + 2).round().astype(int)[1:-1]]


def strength(stations: Stations, source: Pollution) -> NDArray[np.float64]:
    """How much of a source's pollution arrives at each station, 1 at the source."""
    below = np.arange(len(stations)) - source.rank
    reached = (below >= 0) & (np.arange(len(stations)) < stations.on_main)
    return np.where(reached, source.decay ** np.clip(below, 0, None), 0.0)
