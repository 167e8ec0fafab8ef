"""Genotypes at several loci: frequencies, heterozygosity, chance that two animals look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from ecotone.science.wildlife import matching_kernels as kernels

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Genotypes:
    """Alleles of samples, as codes that count from 0 within each locus.

    Attributes:
        ids: of the samples.
        loci: names of the diploid loci.
        alleles: (samples, loci, 2), the smaller code first; -1 where missing.
        single_loci: names of loci with one allele, such as sex.
        singles: (samples, single loci), -1 where missing.
    """

    ids: tuple[str, ...]
    loci: tuple[str, ...]
    alleles: Codes
    single_loci: tuple[str, ...]
    singles: Codes

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.alleles.shape != (n, len(self.loci), 2):
            raise ValueError("genotypes: alleles are (samples, loci, 2)")
        if self.singles.shape != (n, len(self.single_loci)):
            raise ValueError("genotypes: singles are (samples, single loci)")

    @property
    def flat(self) -> Codes:
        """(samples, columns): every allele of every locus side by side."""
        return np.concatenate([self.singles, self.alleles.reshape(len(self.ids), -1)], axis=1)


@dataclass(frozen=True)
class LocusSummary:
    """One diploid locus.

    Attributes:
        locus: its name.
        typed: animals with both alleles.
        alleles: number of alleles.
        ho: share of heterozygotes.
        he: 1 - sum p^2.
        he_unbiased: he 2n/(2n - 1).
        pid: chance that two random animals share the genotype.
        pid_unbiased: the same, free of the bias of small samples (Paetkau 1998).
        pid_sibs: chance that two full sibs share it.
        hardy_weinberg_p: exact test by Monte Carlo; NaN where not asked for.
    """

    locus: str
    typed: int
    alleles: int
    ho: float
    he: float
    he_unbiased: float
    pid: float
    pid_unbiased: float
    pid_sibs: float
    hardy_weinberg_p: float = float("nan")


def encode(
    ids: Sequence[str],
    diploid: Sequence[tuple[str, Sequence[str | None], Sequence[str | None]]],
    single: Sequence[tuple[str, Sequence[str | None]]] = (),
) -> Genotypes:
    """Genotypes from text; None is missing. The two alleles of a locus have no order.

    >>> g = encode(["a", "b"], [("L1", ["201", "99"], ["99", None])])
    >>> g.alleles.tolist()
    [[[0, 1]], [[0, -1]]]
    """
    alleles = np.empty((len(ids), len(diploid), 2), dtype=np.int64)
    for k, (_, first, second) in enumerate(diploid):
        both = _codes([*first, *second]).reshape(2, -1).T
        far = np.where(both < 0, np.iinfo(np.int64).max, both)
        alleles[:, k] = np.take_along_axis(both, np.argsort(far, axis=1, kind="stable"), axis=1)
    singles = np.empty((len(ids), len(single)), dtype=np.int64)
    for k, (_, values) in enumerate(single):
        singles[:, k] = _codes(list(values))
    return Genotypes(
        tuple(ids),
        tuple(name for name, _, _ in diploid),
        alleles,
        tuple(name for name, _ in single),
        singles,
    )


def _codes(values: list[str | None]) -> Codes:
    present = sorted({v for v in values if v is not None}, key=_by_size)
    code = {v: k for k, v in enumerate(present)}
    return np.array([-1 if v is None else code[v] for v in values], dtype=np.int64)


def _by_size(text: str) -> tuple[int, float, str]:
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, 0.0, text)


def match_probabilities(p: Floats, copies: int) -> tuple[float, float, float]:
    """PID, its form without the bias of small samples, and PIDsib of one locus.

    PID = 2 (sum p^2)^2 - sum p^4; PIDsib = 1/4 + a2/2 + a2^2/2 - a4/4 (Waits and others 2001,
    doi:10.1046/j.1365-294X.2001.01185.x); the unbiased form of Paetkau and others (1998,
    doi:10.1046/j.1365-294x.1998.00422.x) takes the number of gene copies sampled.

    Args:
        p: frequencies of the alleles.
        copies: gene copies typed, 2 an animal.

    >>> [round(x, 4) for x in match_probabilities(np.array([0.5, 0.5]), 40)]
    [0.375, 0.3694, 0.5938]
    """
    a2, a3, a4 = (float((p**k).sum()) for k in (2, 3, 4))
    pid = 2.0 * a2 * a2 - a4
    sibs = 0.25 + 0.5 * a2 + 0.5 * a2 * a2 - 0.25 * a4
    m = float(copies)
    if copies < 4:
        return pid, float("nan"), sibs
    small = m**3 * (2.0 * a2 * a2 - a4) - 2.0 * m * m * (a3 + 2.0 * a2) + m * (9.0 * a2 + 2.0) - 6.0
    return pid, small / ((m - 1.0) * (m - 2.0) * (m - 3.0)), sibs


def summarise(
    genotypes: Genotypes, *, tables: int = 0, rng: np.random.Generator | None = None
) -> list[LocusSummary]:
    """Each diploid locus; loci nobody was typed at have NaN throughout.

    Args:
        genotypes: one row an animal.
        tables: tables drawn for the exact Hardy-Weinberg test; 0 leaves it out.
        rng: source of chance of the test.
    """
    found = []
    for k, name in enumerate(genotypes.loci):
        pairs = genotypes.alleles[:, k]
        typed = pairs[(pairs >= 0).all(axis=1)]
        present = pairs[pairs >= 0]
        if len(present) == 0:
            nan = float("nan")
            found.append(LocusSummary(name, 0, 0, nan, nan, nan, nan, nan, nan))
            continue
        counts = np.bincount(present)
        p = counts[counts > 0] / counts.sum()
        copies = int(counts.sum())
        he = 1.0 - float((p * p).sum())
        pid, unbiased, sibs = match_probabilities(p, copies)
        test = float("nan")
        if tables and rng is not None and len(typed):
            test = hardy_weinberg(typed, tables, rng)
        found.append(
            LocusSummary(
                locus=name,
                typed=len(typed),
                alleles=int((counts > 0).sum()),
                ho=float((typed[:, 0] != typed[:, 1]).mean()) if len(typed) else float("nan"),
                he=he,
                he_unbiased=he * copies / (copies - 1) if copies > 1 else float("nan"),
                pid=pid,
                pid_unbiased=unbiased,
                pid_sibs=sibs,
                hardy_weinberg_p=test,
            )
        )
    return found


def hardy_weinberg(typed: Codes, tables: int, rng: np.random.Generator) -> float:
    """Exact test of Hardy-Weinberg proportions, tables drawn at random given the alleles.

    Guo and Thompson (1992) doi:10.2307/2532296: the chance of genotype counts is proportional to
    2^heterozygotes / product of counts!; p is the share of tables no likelier than the one seen.

    Args:
        typed: (animals, 2) codes, none missing.
        tables: drawn; at least 1.
        rng: source of chance.
    """
    size = int(typed.max()) + 1

    def likelihood(pairs: Codes) -> float:
        low, high = pairs.min(axis=1), pairs.max(axis=1)
        counts = np.bincount(low * size + high)
        return float((low != high).sum() * np.log(2.0) - gammaln(counts + 1.0).sum())

    seen = likelihood(typed)
    copies = typed.ravel()
    drawn = [likelihood(rng.permutation(copies).reshape(-1, 2)) for _ in range(tables)]
    as_far = int((np.array(drawn) <= seen + 1e-9).sum())
    return (as_far + 1.0) / (tables + 1.0)


def mismatch_histogram(genotypes: Genotypes, up_to: int = 4) -> Codes:
    """Pairs of samples that differ at 0, 1, 2 ... jointly typed diploid loci.

    Args:
        genotypes: samples.
        up_to: largest number of loci counted.

    Returns:
        (up_to + 1,) numbers of pairs.
    """
    alleles = genotypes.alleles
    size = int(alleles.max(initial=0)) + 1
    whole = (alleles >= 0).all(axis=2)
    code = np.where(whole, alleles[:, :, 0] * size + alleles[:, :, 1] + 1, 0)
    counts = np.zeros(up_to + 1, dtype=np.int64)
    kernels.count_mismatches(np.ascontiguousarray(code.T), counts)
    return counts
