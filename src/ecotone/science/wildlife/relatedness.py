"""Relatedness of pairs from genotypes, with what kinship would make of it by chance.

Queller and Goodnight (1989) doi:10.1111/j.1558-5646.1989.tb04226.x; Lynch and Ritland (1999)
doi:10.1093/genetics/152.4.1753. Both are unbiased where the frequencies are known; the spread
about the truth is wide with few loci, so it is simulated from the panel's own frequencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

Estimator = Literal["queller-goodnight", "lynch-ritland"]
#: Share of alleles identical by descent: none, one, both.
KINSHIPS = {
    "unrelated": (1.0, 0.0, 0.0),
    "half sibs": (0.5, 0.5, 0.0),
    "full sibs": (0.25, 0.5, 0.25),
    "parent and young": (0.0, 1.0, 0.0),
}


def relatedness(
    one: Codes, two: Codes, frequencies: Sequence[Floats], estimator: Estimator
) -> Floats:
    """Relatedness of pairs; NaN where no locus tells.

    Args:
        one: (pairs, loci, 2) codes of the first of each pair, -1 where missing.
        two: (pairs, loci, 2) of the second.
        frequencies: of the alleles, by locus.
        estimator: queller-goodnight or lynch-ritland.
    """
    forward = _directed(one, two, frequencies, estimator)
    back = _directed(two, one, frequencies, estimator)
    if estimator == "queller-goodnight":
        top, bottom = forward[0] + back[0], forward[1] + back[1]
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            values = (forward[0] / forward[1] + back[0] / back[1]) / 2.0
        return np.asarray(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(top / np.where(bottom == 0.0, np.nan, bottom))


def _directed(
    one: Codes, two: Codes, frequencies: Sequence[Floats], estimator: Estimator
) -> tuple[Floats, Floats]:
    """Sums over loci of numerator and denominator, the first being the reference."""
    top, bottom = np.zeros(len(one)), np.zeros(len(one))
    for k, p in enumerate(frequencies):
        a, b = one[:, k, 0], one[:, k, 1]
        c, d = two[:, k, 0], two[:, k, 1]
        typed = (one[:, k] >= 0).all(axis=1) & (two[:, k] >= 0).all(axis=1)
        pa, pb = p[np.where(typed, a, 0)], p[np.where(typed, b, 0)]
        ac, ad, bc, bd = (x.astype(np.float64) for x in (a == c, a == d, b == c, b == d))
        same = (a == b).astype(np.float64)
        if estimator == "queller-goodnight":
            numerator = 0.5 * (ac + ad + bc + bd) - pa - pb
            denominator = 1.0 + same - pa - pb
        else:
            # The weight of a locus is the inverse of its variance between unrelated animals.
            scale = (1.0 + same) * (pa + pb) - 4.0 * pa * pb
            numerator = (pa * (bc + bd) + pb * (ac + ad) - 4.0 * pa * pb) / (2.0 * pa * pb)
            denominator = scale / (2.0 * pa * pb)
        top += np.where(typed, numerator, 0.0)
        bottom += np.where(typed, denominator, 0.0)
    return top, bottom


def spread(
    frequencies: Sequence[Floats],
    estimator: Estimator,
    pairs: int,
    rng: np.random.Generator,
) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the estimator for pairs of each kinship.

    Args:
        frequencies: of the alleles, by locus.
        estimator: queller-goodnight or lynch-ritland.
        pairs: simulated of each kinship.
        rng: source of chance.
    """
    found = {}
    for name, shared in KINSHIPS.items():
        one, two = simulate_pairs(frequencies, shared, pairs, rng)
        values = relatedness(one, two, frequencies, estimator)
        found[name] = (float(np.nanmean(values)), float(np.nanstd(values, ddof=1)))
    return found


def simulate_pairs(
    frequencies: Sequence[Floats],
    shared: tuple[float, float, float],
    pairs: int,
    rng: np.random.Generator,
) -> tuple[Codes, Codes]:
    """Genotypes of pairs of a kinship: (pairs, loci, 2) each."""
    one = np.stack([rng.choice(len(p), (pairs, 2), p=p) for p in frequencies], axis=1)
    two = np.stack([rng.choice(len(p), (pairs, 2), p=p) for p in frequencies], axis=1)
    descent = rng.choice(3, (pairs, len(frequencies)), p=shared)
    two[:, :, 0] = np.where(descent >= 1, one[:, :, 0], two[:, :, 0])
    two[:, :, 1] = np.where(descent == 2, one[:, :, 1], two[:, :, 1])
    return one, two
