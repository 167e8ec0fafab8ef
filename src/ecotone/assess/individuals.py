"""The registry of individuals: identities of photographs and genotypes merged, with provenance.

Everything here works on tables that were released or delivered: identities (``id``, ``party``,
``kind``, ``sex``, ``confidence``, ``observer``) and decisions (``first``, ``second``, ``decision``,
``observer``, ``confidence``, ``reason``). Used by the indicator, the command line and the portal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from ecotone.science.wildlife.genotypes import Genotypes
from ecotone.science.wildlife.individuals import (
    Pair,
    close_genotypes,
    contradictions,
    in_dispute,
    merged,
    pairs,
)

INDIVIDUALS: Final = {
    "individual": "",
    "identities": "identities",
    "members": "",
    "parties": "",
    "kinds": "",
    "sex": "",
    "confidence": "1",
    "observers": "",
    "disputed": "",
}
PAIRS: Final = {
    "first": "",
    "second": "",
    "verdict": "",
    "same": "",
    "different": "",
    "unsure": "",
    "confidence": "1",
    "reasons": "",
}
CANDIDATES: Final = {"first": "", "second": "", "why": "", "score": "1", "verdict": ""}
_DEGREE_KM: Final = 111.195  # of a great circle on a sphere of 6371 km


@dataclass(frozen=True)
class Registry:
    """Identities by animal.

    Attributes:
        individuals: one row an animal, columns of ``INDIVIDUALS``.
        pairs: one row a pair somebody decided about, columns of ``PAIRS``.
        animal: the number of each identity's animal, in the order of the identities.
        contradictions: pairs called different whom other decisions make one animal.
        together: animals if every disputed pair were one.
    """

    individuals: pd.DataFrame
    pairs: pd.DataFrame
    animal: np.ndarray[tuple[int], np.dtype[np.int64]]
    contradictions: list[tuple[str, str]]
    together: int


def registry(identities: pd.DataFrame, decisions: pd.DataFrame) -> Registry:
    """Merge identities by what was decided about them.

    Decisions about identities that are not in the table are left out.
    """
    table = _whole(identities)
    ids = table["id"].tolist()
    rows, decided = decided_pairs(ids, decisions)
    animal = merged(len(ids), decided)
    doubtful = in_dispute(len(ids), decided)
    told = _pairs(ids, rows, decided)
    linked: dict[str, list[float]] = {name: [] for name in ids}
    for pair, sure in zip(decided, told["confidence"], strict=True):
        if pair.verdict == "same" and np.isfinite(sure):
            linked[ids[pair.first]].append(float(sure))
            linked[ids[pair.second]].append(float(sure))
    grouped = table.assign(animal=animal, doubtful=doubtful).groupby("animal", sort=True)
    individuals = pd.DataFrame(
        [_individual(part, linked) for _, part in grouped], columns=list(INDIVIDUALS)
    )
    return Registry(
        individuals,
        told,
        animal,
        [(ids[p.first], ids[p.second]) for p in contradictions(animal, decided)],
        int(merged(len(ids), decided, disputed=True).max(initial=-1)) + 1,
    )


def candidates(
    identities: pd.DataFrame,
    decisions: pd.DataFrame,
    *,
    genotypes: Genotypes | None = None,
    most: int = 2,
    reach_km: float = 30.0,
    observer: str | None = None,
) -> pd.DataFrame:
    """Pairs somebody should look at, the likeliest first: columns of ``CANDIDATES``.

    Disputed and unsure pairs come again; genotypes that differ at ``most`` loci; coats of
    different parties seen within ``reach_km`` of each other whose sexes do not speak against it
    (where the identities' ``latitude`` and ``longitude`` are known). A pair that has a verdict is
    not asked about again, nor one that ``observer`` has decided.
    """
    table = _whole(identities)
    ids = table["id"].tolist()
    rows, decided = decided_pairs(ids, decisions)
    verdict = {(p.first, p.second): p.verdict for p in decided}
    mine = {
        tuple(sorted((ids.index(a), ids.index(b))))
        for a, b, who in zip(rows["first"], rows["second"], rows["observer"], strict=True)
        if who == observer
    }
    found: dict[tuple[int, int], tuple[str, float]] = {}
    for pair, word in verdict.items():
        if word in ("disputed", "unsure"):
            found[pair] = (word, 0.5)
    if genotypes is not None:
        found |= _by_genotype(ids, genotypes, most)
    for key, near in _by_place(table, reach_km).items():
        found.setdefault(key, near)
    chosen = [
        (ids[a], ids[b], why, score, verdict.get((a, b), ""))
        for (a, b), (why, score) in found.items()
        if verdict.get((a, b)) not in ("same", "different") and (a, b) not in mine
    ]
    out = pd.DataFrame(chosen, columns=list(CANDIDATES))
    return out.sort_values(
        ["score", "first", "second"], ascending=[False, True, True], ignore_index=True
    )


def _whole(identities: pd.DataFrame) -> pd.DataFrame:
    table = identities.reset_index(drop=True).copy()
    for name in ("party", "kind", "sex", "confidence", "observer", "latitude", "longitude"):
        if name not in table:
            table[name] = None
    for name in ("confidence", "latitude", "longitude"):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    return table


def decided_pairs(ids: Sequence[str], decisions: pd.DataFrame) -> tuple[pd.DataFrame, list[Pair]]:
    """The decisions about these identities, and the pairs they make."""
    place = {name: k for k, name in enumerate(ids)}
    known = decisions["first"].isin(place) & decisions["second"].isin(place)
    rows = decisions[known].reset_index(drop=True)
    found = pairs(
        [place[name] for name in rows["first"]],
        [place[name] for name in rows["second"]],
        rows["observer"].tolist(),
        rows["decision"].tolist(),
    )
    return rows, found


def _pairs(ids: Sequence[str], rows: pd.DataFrame, decided: Iterable[Pair]) -> pd.DataFrame:
    """Each pair with all observers, their least confidence and all reasons."""
    why: dict[tuple[str, str], list[tuple[float, str]]] = {}
    sure = pd.to_numeric(rows.get("confidence", pd.Series(dtype=float)), errors="coerce")
    reasons = rows.get("reason", pd.Series(dtype=object))
    for k, (a, b) in enumerate(zip(rows["first"], rows["second"], strict=True)):
        reason = reasons.iat[k] if k < len(reasons) else None
        value = float(sure.iat[k]) if k < len(sure) else float("nan")
        key = (min(a, b), max(a, b))
        why.setdefault(key, []).append((value, "" if pd.isna(reason) else str(reason)))
    told: list[tuple[Any, ...]] = []
    for pair in decided:
        first, second = ids[pair.first], ids[pair.second]
        said = why.get((min(first, second), max(first, second)), [])
        known = [v for v, _ in said if np.isfinite(v)]
        told.append(
            (
                first,
                second,
                pair.verdict,
                *("; ".join(part) for part in (pair.same, pair.different, pair.unsure)),
                min(known) if known else float("nan"),
                "; ".join(dict.fromkeys(text for _, text in said if text)),
            )
        )
    return pd.DataFrame(told, columns=list(PAIRS))


def _individual(part: pd.DataFrame, linked: dict[str, list[float]]) -> tuple[Any, ...]:
    """One animal: an identity is as sure as the least sure thing it rests on."""
    own = part["confidence"].dropna().tolist()
    links = [sure for name in part["id"] for sure in linked[name]]
    least = min([*own, *links], default=float("nan"))
    return (
        part["id"].iat[0],
        len(part),
        _listed(part["id"]),
        _listed(part["party"]),
        _listed(part["kind"]),
        _listed(part["sex"]),
        least,
        _listed(part["observer"]),
        bool(part["doubtful"].any()),
    )


def _listed(values: pd.Series) -> str:
    return "; ".join(dict.fromkeys(str(v) for v in values.dropna() if str(v).strip()))


def _by_genotype(
    ids: Sequence[str], genotypes: Genotypes, most: int
) -> dict[tuple[int, int], tuple[str, float]]:
    place = {name: k for k, name in enumerate(ids)}
    found = {}
    for a, b, differ, joint in zip(*close_genotypes(genotypes, most), strict=True):
        one, two = (place.get(genotypes.ids[k]) for k in (int(a), int(b)))
        if one is not None and two is not None:
            key = (min(one, two), max(one, two))
            found[key] = ("genotype", 1.0 - float(differ) / float(joint))
    return found


def _by_place(table: pd.DataFrame, reach: float) -> dict[tuple[int, int], tuple[str, float]]:
    """Coats of different parties near each other."""
    coat = (table["kind"].astype(str) == "coat") & table["latitude"].notna()
    where = np.flatnonzero(coat.to_numpy(dtype=bool))
    north = table["latitude"].to_numpy(np.float64)[where]
    east = table["longitude"].to_numpy(np.float64)[where]
    party = table["party"].astype(str).to_numpy(dtype=object)[where]
    sex = table["sex"].astype(str).str.lower().to_numpy(dtype=object)[where]
    found = {}
    for k in range(len(where)):
        later = np.arange(k + 1, len(where))
        width = np.cos(np.radians((north[k] + north[later]) / 2.0))
        far = _DEGREE_KM * np.hypot(north[later] - north[k], (east[later] - east[k]) * width)
        for other, distance in zip(later[far <= reach], far[far <= reach], strict=True):
            two = {sex[k], sex[other]} & {"female", "male", "f", "m"}
            if party[k] != party[other] and len({s[0] for s in two}) < 2:
                key = (int(where[k]), int(where[other]))
                found[key] = ("coat", 0.9 * (1.0 - float(distance) / reach))
    return found
