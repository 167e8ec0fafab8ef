"""False discoveries and shares, against hand computation and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as peer

from ecotone.science.stats import clopper_pearson, discovery_threshold, false_discovery, wilson


def test_benjamini_hochberg_by_hand() -> None:
    # Sorted: 0.01*4/1, 0.03*4/2, 0.04*4/3, 0.5*4/4, then the smallest from the right.
    adjusted = false_discovery([0.01, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(adjusted, [0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_missing_tests_are_not_counted_and_the_shape_stays() -> None:
    p = np.array([[0.01, np.nan], [0.04, 0.03]])
    adjusted = false_discovery(p)
    assert adjusted.shape == (2, 2)
    assert np.isnan(adjusted[0, 1])
    np.testing.assert_allclose(adjusted[~np.isnan(p)], [0.03, 0.04, 0.04])
    assert false_discovery(np.empty(0)).size == 0


@pytest.mark.parametrize("control", ["bh", "by"])
def test_adjusted_p_equals_scipy(control: str) -> None:
    p = np.random.default_rng(3).random(500) ** 3
    np.testing.assert_allclose(
        false_discovery(p, control), peer.false_discovery_control(p, method=control), rtol=1e-12
    )


@pytest.mark.parametrize("control", ["bh", "by"])
def test_threshold_finds_the_same_discoveries(control: str) -> None:
    p = np.round(np.random.default_rng(4).random(2000) ** 4, 4)
    wanted = p[false_discovery(p, control) <= 0.05].max()
    distinct, counts = np.unique(p, return_counts=True)
    small = distinct <= 0.05
    assert discovery_threshold(p, 0.05, control) == wanted
    assert (
        discovery_threshold(distinct[small], 0.05, control, counts=counts[small], tests=p.size)
        == wanted
    )


def test_threshold_without_discoveries() -> None:
    assert np.isnan(discovery_threshold([0.5, 0.9], 0.05))
    assert np.isnan(discovery_threshold([np.nan], 0.05))
    assert np.isnan(discovery_threshold([], 0.05))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: false_discovery([1.2]), "between 0 and 1"),
        (lambda: false_discovery([-0.1]), "between 0 and 1"),
        (lambda: false_discovery([0.1], "holm"), "bh or by"),
        (lambda: discovery_threshold([0.1], 0.0), "rate"),
        (lambda: discovery_threshold([0.1], 0.05, counts=[1, 2]), "count"),
        (lambda: discovery_threshold([0.1, 0.2], 0.05, tests=1), "fewer tests"),
        (lambda: wilson(3, 2), "hits"),
        (lambda: clopper_pearson(-1, 2), "hits"),
        (lambda: clopper_pearson(1, 2, level=1.0), "level"),
    ],
)
def test_wrong_arguments_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("hits", [0, 1, 7, 29, 30])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_equal_scipy(hits: int, level: float) -> None:
    test = peer.binomtest(hits, 30)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        low, high = ours(hits, 30, level)
        theirs = test.proportion_ci(confidence_level=level, method=method)
        assert float(low) == pytest.approx(theirs.low, abs=1e-9)
        assert float(high) == pytest.approx(theirs.high, abs=1e-9)


def test_no_trials_no_interval() -> None:
    for interval in (wilson, clopper_pearson):
        low, high = interval([0, np.nan, 3], [0, 4, 4])
        assert np.isnan(low[:2]).all()
        assert np.isnan(high[:2]).all()
        assert 0 < low[2] < 0.75 < high[2] < 1
