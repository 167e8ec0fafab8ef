"""Genotypes: probabilities by enumeration, matching with errors planted, the tree cut by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.science.wildlife import matching_kernels as kernels
from ecotone.science.wildlife.genotypes import (
    Genotypes,
    encode,
    hardy_weinberg,
    match_probabilities,
    mismatch_histogram,
    summarise,
)
from ecotone.science.wildlife.matching import match, pairs_within, profile, second_minimum


def chance_alike(p: np.ndarray, sibs: bool) -> float:
    """PID and PIDsib by going through all parents."""
    alleles = range(len(p))
    if not sibs:
        genotypes = itertools.combinations_with_replacement(alleles, 2)
        return sum((p[a] * p[b] * (1 if a == b else 2)) ** 2 for a, b in genotypes)
    total = 0.0
    for mother in itertools.product(alleles, repeat=2):
        for father in itertools.product(alleles, repeat=2):
            weight = np.prod([p[a] for a in (*mother, *father)])
            children = [tuple(sorted(c)) for c in itertools.product(mother, father)]
            same = sum(a == b for a in children for b in children) / 16.0
            total += weight * same
    return total


@given(st.lists(st.floats(0.05, 1.0), min_size=1, max_size=4))
@settings(max_examples=25)
def test_match_probabilities(weights: list[float]) -> None:
    p = np.array(weights) / sum(weights)
    pid, _, sibs = match_probabilities(p, 100)
    assert pid == pytest.approx(chance_alike(p, False))
    assert sibs == pytest.approx(chance_alike(p, True))


def test_unbiased_over_all_samples() -> None:
    """The mean over every sample of four gene copies from two alleles is the true PID."""
    p = np.array([0.3, 0.7])
    mean = 0.0
    for copies in itertools.product((0, 1), repeat=5):
        chance = np.prod(p[list(copies)])
        freq = np.bincount(copies, minlength=2) / 5.0
        mean += chance * match_probabilities(freq, 5)[1]
    assert mean == pytest.approx(chance_alike(p, False))
    assert np.isnan(match_probabilities(p, 3)[1])


def genotypes(table: list[list[int]], ids: list[str] | None = None) -> Genotypes:
    """Rows of diploid genotypes, -1 missing."""
    array = np.array(table).reshape(len(table), -1, 2)
    names = tuple(f"L{k}" for k in range(array.shape[1]))
    chosen = tuple(ids or [str(k) for k in range(len(table))])
    return Genotypes(chosen, names, np.sort(array, axis=2), (), np.empty((len(table), 0), int))


def test_summary() -> None:
    found = summarise(genotypes([[0, 1, -1, -1], [0, 0, -1, -1], [1, -1, -1, -1]]))
    first = found[0]
    assert (first.typed, first.alleles) == (2, 2)
    assert first.ho == 0.5
    assert first.he == pytest.approx(1 - 0.36 - 0.16)
    assert first.he_unbiased == pytest.approx(first.he * 5 / 4)
    assert found[1].typed == 0
    assert np.isnan(found[1].pid)
    alone = summarise(genotypes([[3, -1, 0, 0]]))
    assert np.isnan(alone[0].ho)
    assert np.isnan(alone[0].he_unbiased)
    tested = summarise(
        genotypes([[0, 0, 0, 1], [0, 0, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1]] * 5),
        tables=200,
        rng=np.random.default_rng(1),
    )
    assert tested[0].hardy_weinberg_p < 0.02
    assert tested[1].hardy_weinberg_p < 0.02


def test_hardy_weinberg_exact() -> None:
    """Three animals, alleles AABBBB... all tables enumerated: p of the least likely is known."""
    typed = np.array([[0, 0], [1, 1], [1, 1]])
    # Tables of 2 A and 4 B: one AA (chance 1/5) or two AB (4/5).
    p = hardy_weinberg(typed, 4000, np.random.default_rng(2))
    assert p == pytest.approx(0.2, abs=0.03)
    both = hardy_weinberg(np.array([[0, 1], [0, 1], [1, 1]]), 50, np.random.default_rng(2))
    assert both == 1.0


def test_encode() -> None:
    g = encode(
        ["a", "b", "c"],
        [("X", ["100", "98", None], ["98", "100", "x1"])],
        [("sex", ["F", None, "M"])],
    )
    assert g.alleles[:, 0].tolist() == [[0, 1], [0, 1], [2, -1]]
    assert g.singles[:, 0].tolist() == [0, -1, 1]
    assert g.flat.shape == (3, 3)
    with pytest.raises(ValueError, match="alleles are"):
        Genotypes(("a",), ("X",), np.zeros((2, 1, 2), int), (), np.zeros((1, 0), int))
    with pytest.raises(ValueError, match="singles are"):
        Genotypes(("a",), (), np.zeros((1, 0, 2), int), ("s",), np.zeros((1, 0), int))


def test_histogram() -> None:
    g = genotypes([[0, 0, 1, 1], [0, 0, 1, 2], [3, 3, 4, 4], [0, 0, -1, -1]])
    assert mismatch_histogram(g, 2).tolist() == [2, 2, 2]


def planted(rng, animals: int = 40, samples: int = 160, loci: int = 10, wrong: float = 0.01):
    truth = rng.integers(0, 8, (animals, loci, 2))
    who = np.concatenate([np.arange(animals), rng.integers(0, animals, samples - animals)])
    alleles = truth[who].copy()
    slip = rng.random(alleles.shape) < wrong
    alleles[slip] = rng.integers(0, 8, slip.sum())
    alleles[rng.random((samples, loci)) < 0.03] = -1
    array = np.sort(alleles, axis=2)
    ids = tuple(f"s{k:04d}" for k in range(samples))
    names = tuple(f"L{k}" for k in range(loci))
    return Genotypes(ids, names, array, (), np.empty((samples, 0), int)), who


def test_planted_animals_are_found() -> None:
    g, who = planted(np.random.default_rng(5))
    found = profile(g)
    assert found.chosen is not None
    best = found.matchings[found.chosen]
    assert len(best.unique) == 40
    told = best.animal
    for animal in range(40):
        assert len(set(told[(who == animal) & (told >= 0)])) == 1


def test_order_of_samples_hardly_matters() -> None:
    g, _ = planted(np.random.default_rng(6))
    order = np.random.default_rng(7).permutation(len(g.ids))
    mixed = Genotypes(
        tuple(g.ids[k] for k in order), g.loci, g.alleles[order], (), g.singles[order]
    )
    found, again = profile(g), profile(mixed)
    assert found.chosen == again.chosen is not None
    m = found.chosen
    assert len(found.matchings[m].unique) == len(again.matchings[m].unique)


def test_no_errors_no_gaps() -> None:
    g = genotypes([[0, 1, 2, 3], [0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 8, 9]])
    found = match(g, 0)
    assert len(found.unique) == 3
    assert found.matches.tolist() == [1, 1, 1, 1]
    assert found.animal.tolist()[:2] == [found.animal[0]] * 2
    assert len(found.unclassified) == len(found.multiple) == 0
    assert len(match(g, 4).unique) == 1


def test_one_sample_and_none() -> None:
    assert len(match(genotypes([[0, 1, 2, 3]]), 1).unique) == 1
    with pytest.raises(ValueError, match="not below"):
        match(genotypes([[0, 1, 2, 3]]), -1)
    with pytest.raises(ValueError, match="from 3 to 255"):
        match(genotypes([[0, 1]]), 0)


def test_many_pairs_fit() -> None:
    """More near pairs than there was room for at first."""
    g = genotypes([[0, 0, 0, 0]] * 400)
    pairs = pairs_within(g, 0)
    assert len(pairs.first) == 400 * 399 // 2
    assert len(match(g, 0, pairs).unique) == 1


def test_many_alleles() -> None:
    g = genotypes([[k, k + 1, k, k + 300] for k in range(300)])
    assert len(match(g, 0).unique) == 300


def pairs_by_hand(g: Genotypes, most: int) -> dict[tuple[int, int], int]:
    flat = g.flat
    found = {}
    for i, j in itertools.combinations(range(len(flat)), 2):
        d = 0
        for a, b in zip(flat[i], flat[j], strict=True):
            d += (a < 0) != (b < 0) if a < 0 or b < 0 else 2 * (a != b)
        if d <= 2 * most:
            found[i, j] = int(d)
    return found


def test_pairs() -> None:
    g, _ = planted(np.random.default_rng(8), animals=10, samples=30)
    pairs = pairs_within(g, 5)
    found = dict(
        zip(
            zip(pairs.first.tolist(), pairs.second.tolist(), strict=True),
            pairs.distance.tolist(),
            strict=True,
        )
    )
    assert found == pairs_by_hand(g, 5)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
@settings(max_examples=40, deadline=None)
def test_complete_linkage(seed: int, n: int) -> None:
    """Heights are those of scipy's; ties may part in another order."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    rng = np.random.default_rng(seed)
    condensed = rng.permutation(n * (n - 1) // 2) + 1
    d = squareform(condensed).astype(np.int32)
    left, right, height = (np.empty(n, dtype=np.int64) for _ in range(3))
    merges = kernels.complete_linkage(d.copy(), left, right, height)
    assert merges == n - 1
    assert height[:merges].tolist() == linkage(condensed, "complete")[:, 2].tolist()
    parts = sorted([*left[:merges], *right[:merges]])
    assert parts == [*range(-n, 0), *range(n - 2)]


def test_linkage_stops_at_what_is_not_known() -> None:
    d = np.array([[0, 2, kernels.BEYOND], [2, 0, 3], [kernels.BEYOND, 3, 0]], dtype=np.int32)
    out = [np.empty(3, dtype=np.int64) for _ in range(3)]
    assert kernels.complete_linkage(d, *out) == 1


def cut_of(points: list[float], top: float, scatter: float, gap: float) -> list[int]:
    x = np.array(points)
    d = np.abs(x[:, None] - x[None, :])
    whole = np.round(d * 1000).astype(np.int32)
    left, right, height = (np.empty(len(x), dtype=np.int64) for _ in range(3))
    merges = kernels.complete_linkage(whole, left, right, height)
    low = height[:merges] <= top * 1000
    label = np.zeros(len(x), dtype=np.int64)
    count = int(low.sum())
    kernels.cut(d, left[:count], right[:count], height[:count] / 1000.0, top, scatter, gap, label)
    return label.tolist()


def test_cut_by_hand() -> None:
    # Two close pairs and one that is far: two clusters and a single.
    label = cut_of([0.0, 0.01, 0.5, 0.51, 5.0], 1.0, 0.3, 0.2)
    assert label[0] == label[1] != label[2] == label[3]
    assert label[4] == 0
    # A gap that is asked to be larger than there is: both pairs become one.
    assert len(set(cut_of([0.0, 0.01, 0.5, 0.51], 0.6, 0.6, 0.55))) == 1
    # A sample that joins where two clusters have met goes to the nearer.
    label = cut_of([0.0, 0.01, 0.4, 0.41, 0.62], 1.0, 0.3, 0.2)
    assert label[4] == label[2]
    # Too diffuse to be clusters at all.
    assert set(cut_of([0.0, 0.3, 0.9], 1.0, 0.1, 0.05)) == {0}


def test_diameter() -> None:
    d = np.abs(np.subtract.outer(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 3.0])))
    assert kernels.diameter(d, np.array([1, 1, 1]), 1) == 2.5
    assert kernels.diameter(d, np.array([1, 0, 0]), 1) == 0.0


@pytest.mark.parametrize(
    ("values", "kind", "chosen"),
    [
        ([0, 0, 0, 0], "flat", None),
        ([0, 2, 0, 0, 0, 0], "zero-second-minimum", 2),
        ([0, 97, 103, 77, 31, 25, 4, 12, 75], "second-minimum", 6),
        ([0, 0, 0, 1, 4, 23, 36, 11, 57], "no-second-minimum", None),
        ([0, 1, 2, 3, 4], "no-second-minimum", None),
        ([0, 5, 3, 4, 1, 6, 7], "second-minimum", 4),
    ],
)
def test_second_minimum(values: list[int], kind: str, chosen: int | None) -> None:
    assert second_minimum(values) == (kind, chosen)
