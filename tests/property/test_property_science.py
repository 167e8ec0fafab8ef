"""What must hold whatever the numbers are."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecotone.science.land import mann_kendall
from ecotone.science.stats import clopper_pearson, discovery_threshold, false_discovery
from ecotone.science.water import Verdict, judge

SERIES = arrays(
    np.float64,
    st.tuples(st.integers(4, 12), st.integers(1, 40)),
    elements=st.one_of(st.integers(-20, 20).map(lambda i: i / 10), st.just(np.nan)),
)


def s_of(x: np.ndarray) -> int:
    known = x[~np.isnan(x)]
    return sum(int(np.sign(b - a)) for a, b in itertools.combinations(known, 2))


@settings(max_examples=60, deadline=None)
@given(SERIES)
def test_s_and_slope_equal_brute_force(x: np.ndarray) -> None:
    test = mann_kendall(x)
    for pixel in range(x.shape[1]):
        series = x[:, pixel]
        at = np.flatnonzero(~np.isnan(series))
        if at.size < 4:
            assert np.isnan(test.s[pixel])
            continue
        assert test.s[pixel] == s_of(series)
        slopes = [(series[j] - series[i]) / (j - i) for i, j in itertools.combinations(at, 2)]
        np.testing.assert_allclose(test.slope[pixel], np.median(slopes), atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(SERIES)
def test_reversing_time_turns_the_trend_over(x: np.ndarray) -> None:
    there, back = mann_kendall(x), mann_kendall(x[::-1])
    np.testing.assert_array_equal(there.s, -back.s)
    np.testing.assert_array_equal(there.p, back.p)
    np.testing.assert_allclose(there.slope, -back.slope, atol=1e-12)
    np.testing.assert_allclose(there.low, -back.high, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(SERIES, st.floats(-5, 5), st.sampled_from([0.5, 2.0, 4.0]))
def test_shift_and_scale(x: np.ndarray, shift: float, scale: float) -> None:
    plain, moved = mann_kendall(x), mann_kendall(np.round(x * scale + round(shift, 3), 6))
    np.testing.assert_array_equal(plain.s, moved.s)
    np.testing.assert_array_equal(plain.p, moved.p)
    np.testing.assert_allclose(plain.slope * scale, moved.slope, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(SERIES)
def test_interval_holds_the_slope(x: np.ndarray) -> None:
    test = mann_kendall(x)
    assert not np.any(test.low > test.slope + 1e-12)
    assert not np.any(test.high < test.slope - 1e-12)
    assert np.all((test.p >= 0) & (test.p <= 1) | np.isnan(test.p))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.01, 0.5))
def test_threshold_and_adjusted_p_agree(p: list[float], level: float) -> None:
    values = np.array(p)
    adjusted = false_discovery(values)
    assume(np.all(np.abs(adjusted - level) > 1e-9))
    threshold = discovery_threshold(values, level)
    np.testing.assert_array_equal(adjusted <= level, values <= threshold)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 50), st.integers(1, 50))
def test_interval_of_a_share_mirrors(hits: int, trials: int) -> None:
    assume(hits <= trials)
    low, high = clopper_pearson(hits, trials)
    other_low, other_high = clopper_pearson(trials - hits, trials)
    np.testing.assert_allclose([low, high], [1 - other_high, 1 - other_low], atol=1e-9)
    assert low <= hits / trials <= high


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0.1, 20),
    st.sampled_from([-1, 0, 1]),
    st.floats(0.1, 10),
    st.floats(0, 5),
    st.floats(0.001, 0.999),
)
def test_a_verdict_holds_for_every_value_the_result_allows(
    value: float, kind: int, minimum: float, width: float, inside: float
) -> None:
    maximum = minimum + width
    verdict = judge(value, kind, maximum, minimum)
    true = {-1: value * inside, 0: value, 1: value / inside}[kind]
    assume(min(abs(true - maximum), abs(true - minimum)) > 1e-6)
    fits = minimum <= true <= maximum
    if verdict == Verdict.PASSES:
        assert fits
    if verdict == Verdict.EXCEEDS:
        assert not fits
