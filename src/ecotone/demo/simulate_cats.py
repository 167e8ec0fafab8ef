"""Cats on both sides of a border: where they live, what cameras and scat show of them.

A block of mountains astride the border of two countries holds cats at an even density. Cameras
photograph them, some photographs are given to the wrong cat, one camera dies; scat is typed at
loci whose alleles drop out. The tables of the survey are in a plane that was shifted and turned:
the likelihood does not know, and nobody learns where the cats sleep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from ecotone.demo.countries import Countries, units
from ecotone.demo.grid import CELL, COLUMNS, ROWS, latitudes, longitudes
from ecotone.demo.simulate_wild import habitats
from ecotone.demo.terrain import Terrain

#: Metres of the plane: half side of the ground, its cells, spacing of cameras and scat searches.
_HALF, STEP, _SPACING = 50_000.0, 2_500.0, 7_000.0
_ARRAY: Final = 26_000.0  # half side of the arrays
SIGMA, G0_CAMERA, G0_SCAT = 4_000.0, 0.25, 0.20
#: Cats per 100 km2 of habitat.
DENSITY: Final = 1.5
OCCASIONS: Final = 6
LOCI: Final = 12
_DROPOUT: Final = 0.03
_GHOSTS: Final = 0.05  # share of photographs that are given to a cat that is none
_METRES: Final = 111_195.0  # of a degree of latitude on the sphere


@dataclass(frozen=True)
class Cats:
    """What lives there and what was seen.

    Attributes:
        mask: x, y, country of each cell of habitat, in the shifted plane.
        cameras: detector, x, y, country, usage1 ..., in the shifted plane; searches likewise.
        searches: places where scat was looked for.
        photographs: cat, detector, occasion, id (as the party calls it), observed party.
        scats: cat, detector, occasion, id.
        genotypes: one row a scat, two columns a locus.
        alive: cats whose home lies on the ground.
        dead: the camera that died, and the last occasion it worked.
    """

    mask: pd.DataFrame
    cameras: pd.DataFrame
    searches: pd.DataFrame
    photographs: pd.DataFrame
    scats: pd.DataFrame
    genotypes: pd.DataFrame
    alive: int
    dead: tuple[str, int]

    @property
    def area(self) -> float:
        """Habitat, km2."""
        return len(self.mask) * STEP * STEP / 1e6


def make_cats(rng: np.random.Generator, terrain: Terrain, countries: Countries) -> Cats:
    """Cats where the heights lie nearest to the border of Velmara and Keshdora."""
    ground = _ground(terrain, countries)
    number = int(rng.poisson(DENSITY * len(ground) * STEP * STEP / 1e8))
    homes = ground[["x", "y"]].to_numpy()[rng.integers(0, len(ground), number)]
    homes = homes + (rng.random((number, 2)) - 0.5) * STEP
    cameras = _array(ground, "C", 0.0)
    searches = _array(ground, "S", _SPACING / 2.0)
    for k in range(1, OCCASIONS + 1):
        cameras[f"usage{k}"] = 1
        searches[f"usage{k}"] = 1 if k <= 3 else 0
    seen = _seen(rng, homes, cameras, G0_CAMERA)
    dead = (str(cameras["detector"].iat[int(seen["trap"].mode().iat[0])]), 3)
    worked = ~((seen["detector"] == dead[0]) & (seen["occasion"] > dead[1]))
    for k in range(dead[1] + 1, OCCASIONS + 1):
        cameras.loc[cameras["detector"] == dead[0], f"usage{k}"] = 0
    photographs = _named(rng, seen[worked].reset_index(drop=True))
    scats = _seen(rng, homes, searches, G0_SCAT)
    scats = scats[scats["occasion"] <= 3].reset_index(drop=True)
    scats["id"] = [f"G-{cat:03d}" for cat in scats["cat"]]
    scats["sample"] = [f"{c[-1]}-{k + 1:03d}" for k, c in enumerate(scats["country"])]
    genotypes = _genotypes(rng, scats, number)
    turn = float(rng.uniform(0.5, 1.0))
    shift = rng.uniform(-5e5, 5e5, 2)
    for table in (ground, cameras, searches):
        _hide(table, turn, shift)
    return Cats(ground, cameras, searches, photographs, scats, genotypes, number, dead)


def _ground(terrain: Terrain, countries: Countries) -> pd.DataFrame:
    """Cells of habitat around the most mountainous place of the border."""
    high = habitats(terrain)["heights"].astype(float)
    near = [
        uniform_filter(countries.mask(c).astype(float), 21, mode="constant") for c in ("XA", "XB")
    ]
    score = uniform_filter(high, 121, mode="nearest") * np.minimum(*near)
    margin = round(_HALF / (CELL * _METRES))
    inner = np.zeros((ROWS, COLUMNS), dtype=bool)
    inner[margin : ROWS - margin, margin : COLUMNS - margin] = True
    row, column = divmod(int(np.where(inner, score, -1.0).argmax()), COLUMNS)
    latitude, longitude = latitudes()[row], longitudes()[column]
    line = np.arange(-_HALF + STEP / 2.0, _HALF, STEP)
    x, y = (a.ravel() for a in np.meshgrid(line, line))
    wide = _METRES * np.cos(np.radians(latitude))
    rows = np.round(row - y / (CELL * _METRES)).astype(int)
    columns = np.round(column + x / (CELL * wide)).astype(int)
    inside = (rows >= 0) & (rows < ROWS) & (columns >= 0) & (columns < COLUMNS)
    rows, columns, x, y = rows[inside], columns[inside], x[inside], y[inside]
    codes = np.array([unit.code for unit in units()])
    lives = habitats(terrain)["anywhere"][rows, columns] & (countries.number[rows, columns] > 0)
    table = pd.DataFrame({"x": x, "y": y, "country": codes[countries.number[rows, columns] - 1]})
    table.attrs["place"] = (float(latitude), float(longitude))
    return table[lives].reset_index(drop=True)


def _array(ground: pd.DataFrame, letter: str, offset: float) -> pd.DataFrame:
    """Detectors on a grid of their own, each in the country whose cell is nearest."""
    line = np.arange(-_ARRAY + offset, _ARRAY + 1.0, _SPACING)
    x, y = (a.ravel() for a in np.meshgrid(line, line))
    far = np.hypot(x[:, None] - ground["x"].to_numpy(), y[:, None] - ground["y"].to_numpy())
    country = ground["country"].to_numpy()[far.argmin(axis=1)]
    # Two teams: each works on its own side, nobody in the strip or beyond.
    kept = (far.min(axis=1) < STEP) & np.isin(country, ("XA", "XB"))
    table = pd.DataFrame({"x": x[kept], "y": y[kept], "country": country[kept]})
    table.insert(
        0, "detector", [f"{c}-{letter}{k + 1:02d}" for k, c in enumerate(table["country"])]
    )
    return table


def _seen(
    rng: np.random.Generator, homes: NDArray[np.float64], traps: pd.DataFrame, top: float
) -> pd.DataFrame:
    """Detections: cat, trap (row), detector, country, occasion."""
    far = np.hypot(
        homes[:, None, 0] - traps["x"].to_numpy(), homes[:, None, 1] - traps["y"].to_numpy()
    )
    chance = top * np.exp(-(far**2) / (2.0 * SIGMA**2))
    found = rng.random((OCCASIONS, *chance.shape)) < chance
    occasion, cat, trap = np.nonzero(found)
    table = pd.DataFrame({"cat": cat, "trap": trap, "occasion": occasion + 1})
    for name in ("detector", "country"):
        table[name] = traps[name].to_numpy()[trap]
    return table


def _named(rng: np.random.Generator, seen: pd.DataFrame) -> pd.DataFrame:
    """Photographs under the names of each party's own catalogue; some are misread."""
    letter = seen["country"].map({"XA": "V", "XB": "K"})
    seen["id"] = letter + "-" + seen["cat"].astype(str).str.zfill(3)
    often = seen.groupby("id")["id"].transform("size") > 1
    ghost = (rng.random(len(seen)) < _GHOSTS) & often.to_numpy()
    number = pd.Series(np.cumsum(ghost), index=seen.index).astype(str).str.zfill(2)
    seen["ghost"] = ghost
    seen["true_id"] = seen["id"]
    seen.loc[ghost, "id"] = (letter + "-X" + number)[ghost]
    return seen


def _genotypes(rng: np.random.Generator, scats: pd.DataFrame, cats: int) -> pd.DataFrame:
    """Alleles of every scat; of a heterozygote one may have dropped out, some are missing."""
    shares = rng.dirichlet(np.full(6, 1.5), LOCI)
    table: dict[str, list[str]] = {"sample": scats["sample"].tolist()}
    for locus in range(LOCI):
        alleles = np.sort(rng.choice(6, (cats, 2), p=shares[locus]), axis=1)
        own = alleles[scats["cat"]]
        lost = rng.random(len(own)) < _DROPOUT
        side = rng.integers(0, 2, len(own))
        own[lost] = own[np.arange(len(own)), side][lost][:, None]
        missing = rng.random(len(own)) < 0.02
        size = 120 + 20 * locus + 2 * own
        for k, letter in enumerate("ab"):
            cells = size[:, k].astype(str)
            cells[missing] = ""
            table[f"Pun{locus + 1:02d}{letter}"] = cells.tolist()
    return pd.DataFrame(table)


def _hide(table: pd.DataFrame, turn: float, shift: NDArray[np.float64]) -> None:
    """Turn and shift places: distances stay, the place is gone."""
    x, y = table["x"].to_numpy(), table["y"].to_numpy()
    table["x"] = np.round(np.cos(turn) * x - np.sin(turn) * y + shift[0], 1)
    table["y"] = np.round(np.sin(turn) * x + np.cos(turn) * y + shift[1], 1)
    table.attrs.clear()
