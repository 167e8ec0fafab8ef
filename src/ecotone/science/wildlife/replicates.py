"""Replicate PCRs: how often alleles drop out or appear falsely, and the genotype they agree on.

Broquet and Petit (2004) doi:10.1111/j.1365-294X.2004.02352.x: allelic dropout is the share of
amplifications of heterozygotes that show one allele only, false alleles the share of all
amplifications that show an allele the animal does not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Consensus:
    """Genotypes that replicates agree on.

    Attributes:
        sample: (genotypes,) sample of each.
        locus: (genotypes,) locus of each.
        alleles: (genotypes, 2) codes, the smaller first; -1 where the rules are not met.
        replicates: (genotypes,) amplifications that showed an allele.
    """

    sample: Codes
    locus: Codes
    alleles: Codes
    replicates: Codes


@dataclass(frozen=True)
class ErrorRates:
    """Errors of one locus.

    Attributes:
        dropout: share of amplifications of heterozygotes.
        false: share of all amplifications.
        of_heterozygotes: amplifications of heterozygotes.
        amplifications: with a consensus to hold them against.
    """

    dropout: float
    false: float
    of_heterozygotes: int
    amplifications: int


def consensus(
    sample: Codes,
    locus: Codes,
    first: Codes,
    second: Codes,
    *,
    heterozygote: int = 2,
    homozygote: int = 3,
) -> Consensus:
    """The genotype of each sample and locus.

    An allele counts as seen when it stands in ``heterozygote`` amplifications; two alleles seen
    are a heterozygote, one seen in ``homozygote`` amplifications, all of them of that allele
    alone, a homozygote. Anything else, three alleles too, is undecided.

    Args:
        sample: (amplifications,) 0-based.
        locus: (amplifications,) 0-based.
        first: (amplifications,) code of an allele, -1 where the amplification failed.
        second: (amplifications,) of the other, the same for one allele alone.
        heterozygote: amplifications in which each of two alleles must stand.
        homozygote: amplifications of one allele alone.
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    worked = low >= 0
    loci = int(locus.max(initial=0)) + 1
    every, place = np.unique(sample * loci + locus, return_inverse=True)
    size = int(high.max(initial=0)) + 1
    shape = (len(every), size)
    seen, alone = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    np.add.at(seen, (place[worked], low[worked]), 1)
    mixed = worked & (high != low)
    np.add.at(seen, (place[mixed], high[mixed]), 1)
    single = worked & (high == low)
    np.add.at(alone, (place[single], low[single]), 1)
    replicates = np.bincount(place, worked, len(every)).astype(np.int64)
    kept = seen >= heterozygote
    number = kept.sum(axis=1)
    lowest = kept.argmax(axis=1)
    highest = size - 1 - kept[:, ::-1].argmax(axis=1)
    alleles = np.full((len(every), 2), -1)
    two = number == 2
    alleles[two] = np.column_stack([lowest, highest])[two]
    most = alone.argmax(axis=1)
    sure = alone[np.arange(len(every)), most] >= homozygote
    one = (number <= 1) & sure & (alone.max(axis=1) == replicates)
    alleles[one] = most[one][:, None]
    return Consensus(every // loci, every % loci, alleles, replicates)


def error_rates(
    sample: Codes, locus: Codes, first: Codes, second: Codes, agreed: Consensus
) -> list[ErrorRates]:
    """Dropout and false alleles of each locus, held against the consensus.

    Args:
        sample: (amplifications,) as for ``consensus``.
        locus: (amplifications,).
        first: (amplifications,).
        second: (amplifications,).
        agreed: the genotypes; undecided ones tell nothing.
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    loci = int(max(locus.max(initial=0), agreed.locus.max(initial=0))) + 1
    keys = agreed.sample * loci + agreed.locus
    place = np.searchsorted(keys, sample * loci + locus)
    truth = agreed.alleles[place]
    told = (low >= 0) & (truth[:, 0] >= 0)
    is_false = told & ~(_among(low, truth) & _among(high, truth))
    hetero = told & (truth[:, 0] != truth[:, 1])
    dropped = hetero & (low == high) & _among(low, truth)
    found = []
    for k in range(loci):
        here = locus == k
        of_heterozygotes, amplifications = int((hetero & here).sum()), int((told & here).sum())
        found.append(
            ErrorRates(
                dropout=_share(int((dropped & here).sum()), of_heterozygotes),
                false=_share(int((is_false & here).sum()), amplifications),
                of_heterozygotes=of_heterozygotes,
                amplifications=amplifications,
            )
        )
    return found


def _among(allele: Codes, pair: Codes) -> NDArray[np.bool_]:
    return np.asarray((allele == pair[:, 0]) | (allele == pair[:, 1]))


def _share(count: int, of: int) -> float:
    return count / of if of else float("nan")


def size_shift(ours: Codes, theirs: Codes) -> tuple[int, float]:
    """The shift of allele sizes between two laboratories at a locus, from shared samples.

    Args:
        ours: (samples, 2) allele sizes in base pairs, the smaller first; -1 where missing.
        theirs: (samples, 2) of the same samples.

    Returns:
        The commonest difference (theirs less ours) and the share of alleles that have it; a
        locus is comparable only where that share is near 1. The share is NaN where no sample
        was typed by both.
    """
    both = (ours >= 0).all(axis=1) & (theirs >= 0).all(axis=1)
    if not both.any():
        return 0, float("nan")
    differences = (theirs[both] - ours[both]).ravel()
    values, counts = np.unique(differences, return_counts=True)
    return int(values[counts.argmax()]), float(counts.max() / counts.sum())
