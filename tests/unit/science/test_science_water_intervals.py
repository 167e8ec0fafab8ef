"""Intervals of indices: drawn values, few events, non-detects, classes; by hand and by coverage."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.water.index_intervals import (
    Factor,
    Known,
    ccme_interval,
    class_chances,
    class_of_mean,
    complying_share,
    expanded_percentiles,
    mean_index,
    share_of_uncertain,
)
from ecotone.science.water.indices import ccme, ccme_of_sums

NAN = np.nan
PLACES = np.arange(7)
CLASSES = ([0.15, 0.5, 1.0, 1.5, 2.0], [NAN] * 5)


def known(values, kind=0, standard=0.0, floor=0.0) -> Known:
    v, k, u = np.broadcast_arrays(*(np.asarray(x, float) for x in (values, kind, standard)))
    return Known(v.astype(float), k.astype(np.int8), u.astype(float), floor)


def test_values_are_drawn_within_what_is_known_of_them() -> None:
    rng = np.random.default_rng(1)
    x = known([5.0, 2.0, 3.0, 0.1, NAN], [0, -1, 1, 0, 0], [0.5, 9.0, 9.0, 1.0, 1.0]).drawn(
        rng, 4000
    )
    assert x[:, 0].mean() == pytest.approx(5, abs=0.04)
    assert x[:, 0].std() == pytest.approx(0.5, rel=0.05)
    assert x[:, 1].min() > 0
    assert x[:, 1].max() <= 2
    assert x[:, 1].mean() == pytest.approx(1, abs=0.04)
    assert (x[:, 2] == 3).all()
    assert x[:, 3].min() >= 0
    assert np.isnan(x[:, 4]).all()
    free = known([0.1], 0, [1.0], -np.inf).drawn(rng, 200)
    assert free.min() < 0


def test_few_events_widen_the_interval() -> None:
    """t(0.975, 1) = 12.7: of two events all that was drawn; of one nothing."""
    assert expanded_percentiles(range(101), 2) == (pytest.approx(0, abs=1e-9), 100)
    five, many = (expanded_percentiles(range(10_001), n) for n in (5, 1000))
    assert five[0] < many[0] < many[1] < five[1]
    # Phi(-sqrt(5/4) * 2.776445) = 0.000954
    assert five[0] == pytest.approx(9.54, abs=0.01)
    assert np.isnan(expanded_percentiles(range(9), 1)).all()
    assert np.isnan(expanded_percentiles([NAN], 9)).all()
    with pytest.raises(ValueError, match="confidence"):
        expanded_percentiles([1], 9, 1.5)


def test_ccme_interval() -> None:
    rng = np.random.default_rng(1)
    samples, names = np.repeat(np.arange(20), 4), np.tile(list("abcd"), 20)
    values = rng.lognormal(size=80)
    given = (samples, names, values, 0, 3.0, NAN)
    low, high = ccme_interval(*given, replicates=200)
    assert low < ccme(names, values, 0, 3.0, NAN).index < high
    assert (low, high) == ccme_interval(*given, replicates=200)
    assert np.isnan(ccme_interval([1, 1], ["a", "b"], [1, 1], 0, 3.0, NAN)).all()
    with pytest.raises(ValueError, match="confidence"):
        ccme_interval([1], ["a"], [1], 0, 3.0, NAN, level=2)


def test_what_is_not_known_widens_the_ccme_interval() -> None:
    samples, names = np.repeat(np.arange(12), 2), np.tile(list("ab"), 12)
    values = np.where(names == "a", 9.5, 1.0)
    sure = ccme_interval(samples, names, values, 0, 10.0, NAN)
    assert sure == (100, 100)
    doubt = ccme_interval(samples, names, values, 0, 10.0, NAN, standard=1.0)
    assert doubt[0] < 80
    kind = np.where(names == "a", -1, 0)
    hidden = ccme_interval(samples, names, values * 2, kind, 10.0, NAN)
    assert hidden[0] < 80
    passing = ccme_interval(samples, names, values, kind, 10.0, NAN)
    assert passing == (100, 100)


def test_ccme_of_counts_is_that_of_the_results() -> None:
    found = ccme(["a", "a", "b"], [2.0, 5.0, 1.0], 0, 3.0, NAN)
    index = ccme_of_sums(found.tests, found.failed_tests, found.variables,
                         found.failed_variables, found.nse * found.tests)  # fmt: skip
    assert float(index) == pytest.approx(found.index)


def log_sum(x):
    return np.log(x["a"]) + 2 * np.log(x["b"])


def test_mean_of_an_additive_index_with_non_detects() -> None:
    """The mean of ln x over (0, L] is ln L - 1."""
    a, b = known([2.0, 3.0, NAN]), known([1.0, 4.0, 4.0], [0, -1, 0])
    mean, low, high, n = mean_index(log_sum, {"a": a, "b": b})
    by_hand = (np.log(2) + np.log(3) + 2 * (np.log(4) - 1)) / 2
    assert mean == pytest.approx(by_hand, abs=0.01)
    assert n == 2
    assert low < mean < high
    assert np.isnan(mean_index(log_sum, {"a": known([NAN]), "b": known([1.0])})[0])
    alone = mean_index(log_sum, {"a": known([2.0]), "b": known([1.0])})
    assert alone[0] == pytest.approx(np.log(2))
    assert np.isnan(alone[1])


@pytest.mark.parametrize("n", [5, 12])
def test_coverage_of_the_mean(n: int) -> None:
    """300 stations of normal samples: about 95 % of the intervals hold the truth."""
    rng = np.random.default_rng(7)
    hits = 0
    for seed in range(300):
        x = {"a": known(np.exp(rng.normal(2, 1, n))), "b": known(np.ones(n))}
        _, low, high, _ = mean_index(log_sum, x, replicates=300, seed=seed)
        hits += low <= 2 <= high
    assert 0.90 <= hits / 300 <= 0.99


def factor(values, kind=0, event=None, standard=0.0, relief=()) -> Factor:
    own = known(values, kind, standard)
    at = np.arange(own.values.size) if event is None else np.asarray(event)
    return Factor(own, at, *CLASSES, PLACES, np.asarray(relief, float))


def test_class_of_a_mean_by_hand() -> None:
    """January twice (0.1, 0.5), February 0.2: the mean of the months is 0.25, class II."""
    assert class_of_mean(factor([0.1, 0.5, 0.2], event=[0, 0, 1]), upper=True) == 2
    hidden = factor([0.1, 2.0], [0, -1])
    assert [class_of_mean(hidden, upper=end) for end in (False, True)] == [1, 4]
    oxygen = Factor(known([6.4, 6.6]), np.arange(2), [NAN] * 5, [7.5, 6, 5, 3, 2], PLACES,
                    np.array([100 / 6.5] * 2))  # fmt: skip
    assert class_of_mean(oxygen, upper=True) == 1


def test_chances_of_classes() -> None:
    sure = class_chances([factor([0.3] * 12)], 12)
    assert sure.tolist() == [0, 1, 0, 0, 0, 0]
    near = class_chances([factor([0.4, 0.6] * 6), factor([0.1] * 12)], 12)
    assert near.sum() == pytest.approx(1)
    assert near[1] == pytest.approx(0.5, abs=0.15)
    assert near[1] + near[2] == pytest.approx(1)
    # a mean of 0.45 with a standard uncertainty of 0.1 each: P(mean > 0.5) is small, not 0
    drawn = class_chances([factor([0.45] * 4, standard=0.1)], 4, replicates=4000)
    assert 0.05 < drawn[2] < 0.4
    hidden = class_chances([factor([1.0] * 4, -1)], 4)
    assert hidden[0] < 0.1
    assert hidden[1] > 0.3
    assert np.isnan(class_chances([factor([0.3])], 1)).all()
    assert np.isnan(class_chances([], 5)).all()


def test_share_that_complies_and_how_likely_it_is_enough() -> None:
    samples = np.arange(10)
    values = np.where(samples < 8, 1.0, 20.0)
    low, high, chance = complying_share(samples, values, 0, 10.0, NAN, enough=0.8)
    assert low < 0.8 <= high
    assert 0.4 < chance < 0.8
    surely = complying_share(samples, np.ones(10), 0, 10.0, NAN, enough=0.8)
    assert surely == (1, 1, 1)
    assert np.isnan(complying_share([1], [1.0], 0, 10.0, NAN, enough=0.8)).all()


def test_share_of_bodies_that_are_surely_or_perhaps_good() -> None:
    """Without doubt it is Clopper and Pearson's interval; doubt widens it."""
    sure = share_of_uncertain([1, 1, 1, 0])
    assert sure == pytest.approx((0.1941204, 0.9936905), abs=1e-6)
    doubt = share_of_uncertain([0.7, 0.7, 0.7, 0.3])
    assert doubt[0] < sure[0]
    assert doubt[1] > sure[1]
    assert share_of_uncertain([0, 0])[0] == 0
    assert share_of_uncertain([1, 1])[1] == 1
    assert np.isnan(share_of_uncertain([])).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        share_of_uncertain([1.2])
