"""What lives in the basin, as walkers and camera traps met it in one year."""

from __future__ import annotations

import functools
import io
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.demo.grid import CELL, COLUMNS, latitudes, longitudes
from ecotone.demo.names import data_text
from ecotone.demo.terrain import FIELDS, FOREST, GLACIER, LAKE, SALT, STEPPE, Terrain

#: Its exact places never cross a border (China I, CITES I, IUCN vulnerable).
CAT: Final = "Panthera uncia"
_NIGHT: Final = "2024-01-01"
_HIGH: Final = 0.86  # share of cells that lie below the heights


@functools.cache
def species() -> pd.DataFrame:
    """Species with names in three languages, habitat, how often seen and in what groups."""
    return pd.read_csv(io.StringIO(data_text("species.csv")))


def habitats(terrain: Terrain) -> dict[str, NDArray[np.bool_]]:
    """Where each habitat of the species table lies."""
    cover, high = terrain.cover, terrain.elevation > np.quantile(terrain.elevation, _HIGH)
    return {
        "heights": high & (cover != GLACIER),
        "forest": cover == FOREST,
        "steppe": (cover == STEPPE) | (cover == FIELDS),
        "salt": cover == SALT,
        "anywhere": (cover != LAKE) & (cover != GLACIER),
    }


def encounters(
    rng: np.random.Generator, terrain: Terrain, mask: NDArray[np.bool_], number: int
) -> pd.DataFrame:
    """So many encounters on foot within a country.

    Columns of ``species()`` and latitude, longitude, uncertainty (m), at (local time), count,
    elevation, cover (class), walker (0 to 5).
    """
    places = {name: np.flatnonzero(where & mask) for name, where in habitats(terrain).items()}
    present = species()[species()["habitat"].map(lambda name: len(places[name]) > 0)]
    weights = present["weight"].to_numpy(dtype=float)
    chosen = rng.choice(len(present), number, p=weights / weights.sum())
    seen = present.iloc[np.sort(chosen)].reset_index(drop=True)
    cells = np.concatenate(
        [
            rng.choice(places[group.iat[0]], len(group))
            for _, group in seen.groupby("taxon", sort=False)["habitat"]
        ]
    )
    rows, columns = np.divmod(cells, COLUMNS)
    jitter = (rng.random((2, number)) - 0.5) * CELL
    day = rng.integers(0, 366, number)
    minute = rng.integers(5 * 60, 21 * 60, number)
    seen["latitude"] = np.round(latitudes()[rows] + jitter[0], 5)
    seen["longitude"] = np.round(longitudes()[columns] + jitter[1], 5)
    seen["uncertainty"] = rng.choice([5, 8, 10, 15, 30, 100], number)
    seen["at"] = pd.Timestamp(_NIGHT) + pd.to_timedelta(day * 1440 + minute, unit="min")
    seen["count"] = 1 + rng.poisson(seen["group"] - 1)
    seen["elevation"] = np.round(terrain.elevation[rows, columns])
    seen["cover"] = terrain.cover[rows, columns]
    seen["walker"] = rng.integers(0, 6, number)
    return seen.sort_values("at", kind="stable").reset_index(drop=True)


def deployments(
    rng: np.random.Generator, terrain: Terrain, mask: NDArray[np.bool_], number: int
) -> pd.DataFrame:
    """So many camera traps of a country, half of them in its heights, each for some months."""
    ground = mask & habitats(terrain)["anywhere"]
    high = terrain.elevation > np.quantile(terrain.elevation[ground], _HIGH)
    places = {"heights": ground & high, "valley": ground & ~high}
    shares = {"heights": number - number // 2, "valley": number // 2}
    cells = np.concatenate(
        [rng.choice(np.flatnonzero(places[k]), n, replace=False) for k, n in shares.items()]
    )
    rows, columns = np.divmod(cells, COLUMNS)
    start = pd.Timestamp(_NIGHT) + pd.to_timedelta(
        rng.integers(60, 150, number) * 1440 + rng.integers(480, 1000, number), unit="min"
    )
    return pd.DataFrame(
        {
            "habitat": np.repeat(list(shares), list(shares.values())),
            "latitude": np.round(latitudes()[rows], 5),
            "longitude": np.round(longitudes()[columns], 5),
            "elevation": np.round(terrain.elevation[rows, columns]),
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(60, 170, number), unit="D"),
        }
    )


def captures(rng: np.random.Generator, traps: pd.DataFrame, number: int) -> pd.DataFrame:
    """So many photographs: deployment (rank), species, at, count; some of nothing but grass."""
    present = species()[species()["trap"] > 0]
    weights = present["trap"].to_numpy(dtype=float)
    where = rng.integers(0, len(traps), number)
    seen = present.iloc[rng.choice(len(present), number, p=weights / weights.sum())]
    seen = seen.reset_index(drop=True)
    # Mountain animals are only met at traps in the heights; elsewhere the grass moved.
    wrong = (seen["habitat"] == "heights").to_numpy() & (
        traps["habitat"].to_numpy()[where] != "heights"
    )
    blank = wrong | (rng.random(number) < 0.12)
    length = (traps["end"] - traps["start"]).dt.total_seconds().to_numpy()[where]
    seconds = np.floor(rng.random(number) * length)
    seen["deployment"] = where
    seen["at"] = traps["start"].to_numpy()[where] + pd.to_timedelta(seconds, unit="s")
    seen["count"] = 1 + rng.poisson(np.minimum(seen["group"] - 1, 2))
    seen["blank"] = blank
    return seen.sort_values(["deployment", "at"], kind="stable").reset_index(drop=True)
