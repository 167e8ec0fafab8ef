"""Relatedness of pairs from genotypes, with what kinship would make of it by chance.

Queller and Goodnight (1989) doi:10.1111/j.1558-5646.1989.tb04226.x; Lynch and Ritland (1999)
doi:10.1093/genetics/152.4.1753; Wang (2002) doi:10.1093/genetics/160.3.1203. All are unbiased, or
nearly so, where the frequencies are known; the spread about the truth is wide with few loci, so it
is simulated from the panel's own frequencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

Estimator = Literal["queller-goodnight", "lynch-ritland", "wang"]
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
        estimator: queller-goodnight, lynch-ritland or wang.
    """
    if estimator == "wang":
        return _wang(one, two, frequencies)
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


def _wang(one: Codes, two: Codes, frequencies: Sequence[Floats]) -> Floats:
    """Wang's estimator: the classes of likeness of two genotypes, weighed over loci.

    A locus counts by the inverse of the likeness of unrelated animals there.
    """
    seen = np.zeros((3, len(one)))
    moments = np.zeros((6, len(one)))
    total = np.zeros(len(one))
    for k, p in enumerate(frequencies):
        typed = (one[:, k] >= 0).all(axis=1) & (two[:, k] >= 0).all(axis=1)
        a2, a3, a4 = (float((p**m).sum()) for m in (2, 3, 4))
        if a2 >= 1.0:
            continue
        weight = np.where(typed, 1.0 / (2.0 * a2 - a3), 0.0)
        for row, likeness in zip(seen, _likeness(one[:, k], two[:, k]), strict=True):
            row += weight * likeness
        expected = (
            2.0 * a2**2 - a4,
            a2 - 2.0 * a2**2 + a4,
            4.0 * (a3 - a4),
            2.0 * (a2 - 3.0 * a3 + 2.0 * a4),
            4.0 * (a2 - a2**2 - 2.0 * a3 + 2.0 * a4),
            1.0 - 7.0 * a2 + 4.0 * a2**2 + 10.0 * a3 - 8.0 * a4,
        )
        for row, value in zip(moments, expected, strict=True):
            row += weight * value
        total += weight
    with np.errstate(invalid="ignore", divide="ignore"):
        p1, p2, p3 = seen / total
        b, c, d, e, f, g = moments / total
        v = (
            (1 - b) ** 2 * (e**2 * f + d * g**2)
            - (1 - b) * (e * f - d * g) ** 2
            + 2 * c * d * f * (1 - b) * (g + e)
            + c**2 * d * f * (d + f)
        )
        phi = (
            d * f * ((e + g) * (1 - b) + c * (d + f)) * (p1 - 1)
            + d * (1 - b) * (g * (1 - b - d) + f * (c + e)) * p3
            + f * (1 - b) * (e * (1 - b - f) + d * (c + g)) * p2
        ) / v
        delta = (
            c * d * f * (e + g) * (p1 + 1 - 2 * b)
            + ((1 - b) * (f * e**2 + d * g**2) - (e * f - d * g) ** 2) * (p1 - b)
            + c * (d * g - e * f) * (d * p3 - f * p2)
            - c**2 * d * f * (p3 + p2 - d - f)
            - c * (1 - b) * (d * g * p3 + e * f * p2)
        ) / v
        return np.asarray(phi / 2.0 + delta)


def _likeness(one: Codes, two: Codes) -> tuple[Floats, Floats, Floats]:
    """Whether two genotypes are the same, share as ii and ij do, or as ij and ik do."""
    first, second = np.sort(one, axis=1), np.sort(two, axis=1)
    same = (first == second).all(axis=1)
    shared = (first[:, :, None] == second[:, None, :]).any(axis=(1, 2)) & ~same
    pure = (first[:, 0] == first[:, 1]) | (second[:, 0] == second[:, 1])
    return (
        same.astype(np.float64),
        (shared & pure).astype(np.float64),
        (shared & ~pure).astype(np.float64),
    )


def spread(
    frequencies: Sequence[Floats],
    estimator: Estimator,
    pairs: int,
    rng: np.random.Generator,
) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the estimator for pairs of each kinship.

    Args:
        frequencies: of the alleles, by locus.
        estimator: queller-goodnight, lynch-ritland or wang.
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
