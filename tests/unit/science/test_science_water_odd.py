"""Statistics of water on data nobody planned for, against results by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from ecotone.science.water import (
    kaplan_meier,
    mle_lognormal,
    peto_prentice,
    pettitt,
    ros,
    seasonal_kendall,
    turnbull_median,
)

SUMMARIES = (kaplan_meier, ros, mle_lognormal)


@pytest.mark.parametrize("summary", SUMMARIES)
@pytest.mark.parametrize(("values", "below"), [([1, 2, 1], [True] * 3), ([], [])])
def test_nothing_detected_is_refused_with_a_reason(summary, values, below):
    with pytest.raises(ValueError, match=r"detected|results"):
        summary(values, below)


def test_one_value_has_a_mean_and_no_spread():
    told = kaplan_meier([1.0], [False])
    assert (told.mean, told.median) == (1.0, 1.0) and np.isnan(told.sd) and np.isnan(told.se)
    for summary in (ros, mle_lognormal):
        with pytest.raises(ValueError):
            summary([1.0], [False])


def test_two_values_without_limits_are_their_plain_statistics():
    for told in (kaplan_meier([1, 3], [False] * 2), ros([1, 3], [False] * 2)):
        assert_allclose([told.mean, told.sd, told.se], [2, np.sqrt(2), 1])
    fitted = mle_lognormal([1, 3], [False] * 2)
    assert_allclose(fitted.median, np.sqrt(3))
    assert_allclose(fitted.mean, np.exp(np.log(3) / 2 + np.var([0, np.log(3)]) / 2))


def test_equal_values_have_no_spread():
    told = kaplan_meier([2, 2, 2, 2, 1], [False] * 4 + [True])
    assert_allclose([told.mean, told.sd, told.median], [2, 0, 2])
    for summary in (ros, mle_lognormal):
        with pytest.raises(ValueError):
            summary([2, 2, 2, 2], [False] * 4)


def test_a_limit_above_all_that_was_detected_tells_almost_nothing():
    plain, told = kaplan_meier([1, 2, 3], [False] * 3), kaplan_meier([1, 2, 3, 9], [0, 0, 0, 1])
    assert_allclose(told.mean, plain.mean)
    assert ros([1, 2, 3, 9], [0, 0, 0, 1]).dropped == 1, "as NADA does, and told"


def test_missing_results_are_no_results():
    assert kaplan_meier([1, np.nan, 2], [False] * 3).n == 2


def test_left_and_interval_censored_together():
    # Four below 1, four between 2 and 4, two measured at 10: the middle lies in (2, 4).
    low = [0] * 4 + [2] * 4 + [10] * 2
    high = [1] * 4 + [4] * 4 + [10] * 2
    assert 2 <= turnbull_median(low, high) <= 4


def test_groups_that_are_one_or_never_detected():
    with pytest.raises(ValueError):
        peto_prentice([1, 1, 1, 1], [True] * 4, [0, 0, 1, 1])
    with pytest.raises(ValueError):
        peto_prentice([1, 2, 3], [False] * 3, [0, 0, 0])
    same = peto_prentice([1, 2, 1, 2], [False] * 4, [0, 0, 1, 1])
    assert_allclose([same.statistic, same.p], [0, 1], atol=1e-12)


def test_a_constant_record_has_neither_trend_nor_change():
    assert pettitt([1, 1, 1, 1]).p == 1.0
    years = np.repeat(np.arange(6.0), 2)
    told = seasonal_kendall(years, np.full(12, 3.0), np.tile([1, 2], 6))
    assert (told.s, told.slope) == (0, 0) and told.p == 1


def test_a_record_with_gaps_counts_the_pairs_there_are():
    years = np.array([2001, 2002, 2004, 2007.0])
    told = seasonal_kendall(years, np.array([1.0, 2, 4, 7]), np.ones(4))
    assert told.s == 6 and told.slope == pytest.approx(1.0)
    assert told.variance == pytest.approx(4 * 3 * 13 / 18)
