"""Cats as two parties tell them: survey tables without places, identities, decisions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.demo.countries import BASIN, Countries
from ecotone.demo.files import write_csv
from ecotone.demo.names import invented
from ecotone.demo.simulate_cats import Cats, make_cats
from ecotone.demo.simulate_wild import CAT
from ecotone.demo.terrain import Terrain
from ecotone.demo.truth import Truth
from ecotone.model.words import LANGUAGES, say

_YEAR: Final = "2024"
_OBSERVERS: Final = ("I. Tarrend", "Сарен Юмол")
_SIDES: Final = {"VIWE": ("V", "XA"), "KNCM": ("K", "XB")}


@dataclass(frozen=True)
class Planted:
    """What the chapter will be held against, and where each party's identities lie."""

    values: tuple[Truth, ...]
    statements: list[dict[str, str]]
    identities: dict[str, Path]
    decisions: Path


def write_cats(folder: Path, seed: int, terrain: Terrain, countries: Countries) -> Planted:
    """Write ``cats`` and two deliveries of identities; the same seed gives the same bytes."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 13]))
    cats = make_cats(rng, terrain, countries)
    (folder / "cats").mkdir(parents=True, exist_ok=True)
    _write_survey(folder / "cats", cats)
    decisions = _decisions(rng, cats)
    write_csv(folder / "cats/decisions.csv", decisions)
    folders = invented().folders
    identities = {}
    for party, (letter, _) in _SIDES.items():
        path = folder / "deliveries" / folders[party] / "individuals-2024.csv"
        write_csv(path, _identities(rng, cats, letter))
        identities[party] = path
    kept = folder / "deliveries" / folders["VIWE"] / "identity-decisions-2024.csv"
    write_csv(kept, decisions)
    return Planted(_values(cats), _statements(cats), identities, kept)


def _write_survey(folder: Path, cats: Cats) -> None:
    """Captures, detectors, mask: cameras and scat as two sessions on one ground."""
    usage = [c for c in cats.cameras.columns if c.startswith("usage")]
    detectors = pd.concat(
        [
            cats.cameras.assign(session="camera", kind="proximity"),
            cats.searches.assign(session="scat", kind="proximity"),
        ]
    )
    write_csv(
        folder / "detectors.csv",
        detectors[["session", "detector", "x", "y", "kind", "country", *usage]],
    )
    columns = ["session", "id", "occasion", "detector"]
    captures = pd.concat(
        [cats.photographs.assign(session="camera"), cats.scats.assign(session="scat")]
    )[columns]
    write_csv(folder / "captures.csv", captures.drop_duplicates())
    write_csv(folder / "mask.csv", cats.mask)
    write_csv(folder / "genotypes.csv", cats.genotypes)


def _identities(rng: np.random.Generator, cats: Cats, letter: str) -> pd.DataFrame:
    """A party's own catalogue of coats."""
    own = cats.photographs[cats.photographs["id"].str.startswith(letter)]
    names = own.drop_duplicates("id").sort_values("id").reset_index(drop=True)
    sure = np.where(names["ghost"], 0.6, 0.9) + 0.02 * rng.integers(0, 5, len(names))
    return pd.DataFrame(
        {
            "individual": names["id"],
            "species": CAT,
            "sex": np.where(names["cat"] % 5 < 3, "female", "male"),
            "recognised": "coat",
            "confidence": np.round(sure, 2),
        }
    )


def _decisions(rng: np.random.Generator, cats: Cats) -> pd.DataFrame:
    """Pairs both catalogues hold, and ghosts, as two observers judged them."""
    seen = cats.photographs
    true = seen[~seen["ghost"]].drop_duplicates(["cat", "id"])
    both = true[true["cat"].duplicated(keep=False)].sort_values(["cat", "id"])
    pairs = [tuple(part["id"]) for _, part in both.groupby("cat")]
    ghosts = seen[seen["ghost"]]
    pairs += list(zip(ghosts["id"], ghosts["true_id"], strict=True))
    rows = []
    for k, (first, second) in enumerate(pairs):
        if first == second or second not in set(seen["id"]):
            continue
        for who, observer in enumerate(_OBSERVERS):
            # One pair in four divides the observers, one ghost in three nobody is sure of.
            ghost = "-X" in first
            word = "same"
            if ghost and k % 3 == 0:
                word = "unsure"
            elif k % 4 == 1 and who == 1:
                word = "different"
            at = pd.Timestamp("2025-01-10T09:00:00Z") + pd.Timedelta(minutes=7 * k + 2 * who)
            rows.append(
                {
                    "first": first,
                    "second": second,
                    "decision": word,
                    "observer": observer,
                    "confidence": round(0.75 + 0.05 * int(rng.integers(0, 5)), 2),
                    "reason": "left flank" if k % 2 else "tail rings",
                    "decided": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
            )
    return pd.DataFrame(rows)


def _values(cats: Cats) -> tuple[Truth, ...]:
    density = 100.0 * cats.alive / cats.area
    left = cats.scats["cat"].nunique()
    return (
        Truth("wildlife.density", BASIN, _YEAR, "density", density, "1/(100 km2)"),
        Truth("wildlife.density", BASIN, _YEAR, "expected_n", float(cats.alive), "animals"),
        Truth("wildlife.identity", BASIN, _YEAR, "unique_genotypes", float(left), "genotypes"),
        Truth(
            "wildlife.individuals",
            BASIN,
            _YEAR,
            "individuals_together",
            float(cats.photographs["cat"].nunique()),
            "animals",
        ),
    )


def _statements(cats: Cats) -> list[dict[str, str]]:
    """The cats, those both sides saw, the ghosts and the dead camera, in a sentence each."""
    seen = cats.photographs
    both = int((seen[~seen["ghost"]].groupby("cat")["country"].nunique() > 1).sum())
    filled = {
        "cats": {"alive": str(cats.alive), "area": f"{cats.area:.0f}"},
        "cats-both": {"seen": str(seen["cat"].nunique()), "both": str(both)},
        "cats-ghosts": {"ghosts": str(int(seen["ghost"].sum())), "photographs": str(len(seen))},
        "cats-dead": {"camera": cats.dead[0], "occasion": str(cats.dead[1])},
    }
    return [
        {lang: say(f"demo.planted.{name}", lang, **values) for lang in LANGUAGES}
        for name, values in filled.items()
    ]
