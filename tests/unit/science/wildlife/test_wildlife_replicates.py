"""Replicate genotypes and relatedness."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.wildlife.relatedness import relatedness, simulate_pairs, spread
from ecotone.science.wildlife.replicates import consensus, error_rates, size_shift


def table(*rows: tuple[int, int, int, int]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(rows).T)


REPLICATES = table(
    # Sample 0: a heterozygote at locus 0 with one dropout and one false allele.
    (0, 0, 1, 2), (0, 0, 2, 1), (0, 0, 1, 1), (0, 0, 1, 5),
    # A homozygote at locus 1, seen three times.
    (0, 1, 3, 3), (0, 1, 3, 3), (0, 1, 3, 3),
    # Sample 1: twice is too few for a homozygote; a failed amplification counts nothing.
    (1, 0, 4, 4), (1, 0, 4, 4), (1, 0, -1, -1),
    # Three alleles seen twice each are undecided.
    (1, 1, 0, 1), (1, 1, 0, 2), (1, 1, 1, 2),
    # An amplification with another allele spoils a homozygote.
    (2, 0, 6, 6), (2, 0, 6, 6), (2, 0, 6, 6), (2, 0, 6, 7),
)  # fmt: skip


def test_consensus() -> None:
    agreed = consensus(*REPLICATES)
    assert agreed.sample.tolist() == [0, 0, 1, 1, 2]
    assert agreed.locus.tolist() == [0, 1, 0, 1, 0]
    assert agreed.alleles.tolist() == [[1, 2], [3, 3], [-1, -1], [-1, -1], [-1, -1]]
    assert agreed.replicates.tolist() == [4, 3, 2, 3, 4]
    lenient = consensus(*REPLICATES, homozygote=2)
    assert lenient.alleles.tolist()[2] == [4, 4]


def test_error_rates() -> None:
    rates = error_rates(*REPLICATES, consensus(*REPLICATES))
    assert (rates[0].dropout, rates[0].false) == (0.25, 0.25)
    assert (rates[0].of_heterozygotes, rates[0].amplifications) == (4, 4)
    assert np.isnan(rates[1].dropout)
    assert rates[1].false == 0.0


def test_errors_planted_are_found() -> None:
    rng = np.random.default_rng(1)
    truth = np.sort(rng.integers(0, 6, (150, 4, 2)), axis=2)
    sample, locus, _ = (x.ravel() for x in np.indices((150, 4, 8)))
    pair = truth[sample, locus]
    hetero = pair[:, 0] != pair[:, 1]
    drop = hetero & (rng.random(len(pair)) < 0.15)
    pair[drop] = pair[drop, :1]
    wrong = rng.random(len(pair)) < 0.02
    pair[wrong, 1] = rng.integers(6, 9, wrong.sum())
    columns = (sample, locus, pair[:, 0], pair[:, 1])
    agreed = consensus(*columns)
    decided = agreed.alleles[:, 0] >= 0
    whole = truth[agreed.sample, agreed.locus]
    assert decided.mean() > 0.7
    assert (agreed.alleles[decided] == whole[decided]).all(axis=1).mean() > 0.97
    rates = error_rates(*columns, agreed)
    assert np.mean([r.dropout for r in rates]) == pytest.approx(0.15, abs=0.03)
    assert np.mean([r.false for r in rates]) == pytest.approx(0.02, abs=0.01)


def test_shift_between_laboratories() -> None:
    ours = np.array([[100, 104], [102, 102], [-1, -1], [98, 100]])
    theirs = np.where(ours < 0, -1, ours + 3)
    theirs[3, 1] += 1
    assert size_shift(ours, theirs) == (3, pytest.approx(5 / 6))
    assert np.isnan(size_shift(ours[2:3], theirs[2:3])[1])


@pytest.mark.parametrize("estimator", ["queller-goodnight", "lynch-ritland", "wang"])
def test_relatedness(estimator) -> None:
    rng = np.random.default_rng(2)
    frequencies = [rng.dirichlet(np.full(8, 3.0)) for _ in range(20)]
    found = spread(frequencies, estimator, 1500, rng)
    for name, truth in (
        ("unrelated", 0.0),
        ("half sibs", 0.25),
        ("full sibs", 0.5),
        ("parent and young", 0.5),
    ):
        mean, sd = found[name]
        assert mean == pytest.approx(truth, abs=0.02)
        assert 0.05 < sd < 0.3
    one, _ = simulate_pairs(frequencies, (1.0, 0.0, 0.0), 200, rng)
    assert relatedness(one, one, frequencies, estimator) == pytest.approx(np.ones(200), abs=0.6)
    half = one.copy()
    half[:, ::2] = -1
    assert np.isfinite(relatedness(half, one, frequencies, estimator)).all()
    assert np.isnan(relatedness(one * 0 - 1, one, frequencies, estimator)).all()


def test_relatedness_by_hand() -> None:
    """One locus, AB and AC: Queller and Goodnight's sums worked out."""
    p = [np.array([0.2, 0.3, 0.5])]
    one, two = np.array([[[0, 1]]]), np.array([[[0, 2]]])
    top = (0.5 - 0.2 - 0.3) + (0.5 - 0.2 - 0.5)
    bottom = (1 - 0.2 - 0.3) + (1 - 0.2 - 0.5)
    found = relatedness(one, two, p, "queller-goodnight")
    assert found[0] == pytest.approx(top / bottom)


def test_a_locus_without_variation_tells_nothing() -> None:
    one = np.array([[[0, 1], [0, 0]]])
    both = [np.array([0.2, 0.3, 0.5]), np.array([1.0])]
    alone = relatedness(one[:, :1], one[:, :1], both[:1], "wang")
    assert relatedness(one, one, both, "wang") == pytest.approx(alone)
    assert 0.5 < alone[0] <= 1.2
