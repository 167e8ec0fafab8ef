"""Censored statistics: cases worked by hand, and what must be refused."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.water.censored import (
    distribution,
    kaplan_meier,
    mle_lognormal,
    plotting_positions,
    quantile,
    ros,
)
from ecotone.science.water.censored_tests import (
    akritas_theil_sen,
    peto_prentice,
    turnbull_median,
)

SOME = [True, False, False, False, False]


def test_kaplan_meier_by_hand() -> None:
    """Below 4, 3, 2 lie 4/5, 3/5, 2/5; at 1 sit a result and a non-detect: 2/5 (1 - 1/2)."""
    level, below, risk, count = distribution(np.array([1.0, 1, 2, 3, 4]), np.array(SOME))
    assert level.tolist() == [4, 3, 2, 1]
    np.testing.assert_allclose(below, [0.8, 0.6, 0.4, 0.2])
    assert (risk.tolist(), count.tolist()) == ([5, 4, 3, 2], [1, 1, 1, 1])
    found = kaplan_meier([1, 1, 2, 3, 4], SOME)
    assert found.mean == pytest.approx(0.2 * (4 + 3 + 2 + 1) + 0.2 * 1)
    left = np.array([0.8 + 0.6 + 0.4, 0.6 + 0.4, 0.4])
    greenwood = np.array([1 / 20, 1 / 12, 1 / 6])
    variance = np.sum(left**2 * greenwood) * 4 / 3
    assert found.se == pytest.approx(np.sqrt(variance))
    assert found.sd == pytest.approx(np.sqrt(5 * variance))
    assert (found.n, found.censored, found.median) == (5, 1, 2.0)


def test_without_non_detects_the_mean_is_the_mean() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    none = np.zeros(5, bool)
    assert kaplan_meier(x, none).mean == pytest.approx(x.mean())
    assert ros(x, none).mean == pytest.approx(x.mean())
    assert ros(x, none).sd == pytest.approx(x.std(ddof=1))
    log = np.log(x)
    found = mle_lognormal(x, none)
    assert found.median == pytest.approx(np.exp(log.mean()))
    assert found.mean == pytest.approx(np.exp(log.mean() + log.var() / 2))
    assert ros(np.arange(1.0, 12.0), np.zeros(11, bool)).median == 6


def test_one_detected_result_has_no_spread() -> None:
    found = kaplan_meier([1.0, 2.0], [True, False])
    assert found.mean == 2.0
    assert np.isnan([found.sd, found.se]).all()


def test_median_below_all_detected_is_undefined() -> None:
    assert np.isnan(kaplan_meier([1, 1, 1, 2], [True, True, True, False]).median)
    assert np.isnan(quantile([1, 1, 1, 2], [True, True, True, False], 0.75))
    assert quantile([1, 1, 1, 2], [True, True, True, False], 0.9) == 2
    assert quantile([3, 3, 3], [False] * 3, 0.99) == 3


def test_plotting_positions_by_hand() -> None:
    """Limits 1 and 2; detected 1.5, 3, 4, 5; two non-detects at each limit.

    Above 2: A = 3, B = 5, p = 3/8. Above 1: A = 1, B = 2, p = 3/8 + 1/3 5/8 = 7/12.
    """
    x = np.array([1.0, 1, 1.5, 2, 2, 3, 4, 5])
    hidden = np.array([1, 1, 0, 1, 1, 0, 0, 0], bool)
    found = plotting_positions(x, hidden)
    p1, p2 = 7 / 12, 3 / 8
    np.testing.assert_allclose(found[hidden][:2], [(1 - p1) / 3, 2 * (1 - p1) / 3])
    np.testing.assert_allclose(found[hidden][2:], [(1 - p2) / 3, 2 * (1 - p2) / 3])
    assert found[2] == pytest.approx(1 - p1 + (p1 - p2) / 2)
    np.testing.assert_allclose(found[5:], 1 - p2 + p2 * np.arange(1, 4) / 4)


def test_a_result_below_the_lowest_limit_has_its_place() -> None:
    found = plotting_positions(np.array([0.5, 1.0, 2.0, 3.0]), np.array([0, 1, 0, 0], bool))
    assert np.all((found > 0) & (found < 1))
    # Above 1: A = 2, B = 2 -> p = 1/2; the result below 1 takes the middle of [0, 1/2].
    assert found[0] == pytest.approx(0.25)
    np.testing.assert_allclose(found[2:], [0.5 + 0.5 / 3, 0.5 + 1.0 / 3])


def test_limits_above_everything_say_nothing() -> None:
    plain = ros([1, 2, 4, 1], [False, False, False, True])
    more = ros([1, 2, 4, 1, 9, np.nan], [False, False, False, True, True, True])
    assert more.mean == pytest.approx(plain.mean)
    assert (more.dropped, plain.dropped) == (1, 0)


def test_likelihood_is_largest() -> None:
    x, hidden = np.array([0.5, 0.5, 1, 2, 3, 10.0]), np.array([1, 1, 0, 0, 0, 0], bool)
    found = mle_lognormal(x, hidden)
    from scipy.stats import norm

    def value(m: float, s: float) -> float:
        z = (np.log(x) - m) / s
        return float(np.sum(np.where(hidden, norm.logcdf(z), norm.logpdf(z) - np.log(s))))

    m = np.log(found.median)
    s = np.sqrt(2 * (np.log(found.mean) - m))
    best = value(m, s)
    for dm, ds in ((1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3)):
        assert value(m + dm, s + ds) < best
    assert found.se > 0


@pytest.mark.parametrize(
    ("values", "flags", "words"),
    [
        ([1.0, 2.0], [True, True], "nothing was detected"),
        ([1.0, 2.0], [True], "one flag"),
        ([np.nan], [False], "no results"),
        ([1.0, np.inf], [False, False], "infinite"),
    ],
)
def test_what_no_method_takes(values, flags, words) -> None:
    for method in (kaplan_meier, ros, mle_lognormal):
        with pytest.raises(ValueError, match=words):
            method(values, flags)


def test_what_a_lognormal_does_not_take() -> None:
    for method in (ros, mle_lognormal):
        with pytest.raises(ValueError, match="above 0"):
            method([0.0, 1.0], [False, False])
    with pytest.raises(ValueError, match="two different"):
        ros([1.0, 1.0, 0.5], [False, False, True])
    with pytest.raises(ValueError, match="no spread"):
        mle_lognormal([1.0, 1.0, 0.5], [False, False, True])
    with pytest.raises(ValueError, match="probability"):
        quantile([1.0], [False], 1.0)


def test_peto_prentice_by_hand() -> None:
    """From the top 6, 5, 4: all of b, weights 1, 5/6, 4/6."""
    found = peto_prentice([1, 2, 3, 4, 5, 6], [True] + [False] * 5, list("aaabbb"))
    weight = np.array([1, 5 / 6, 4 / 6, 3 / 6, 2 / 6])
    r = np.array([6, 5, 4, 3, 2])
    r_b = np.array([3, 2, 1, 0, 0])
    d_b = np.array([1, 1, 1, 0, 0])
    gap = np.sum(weight * (d_b - r_b / r))
    variance = np.sum(weight**2 * (r_b / r) * (1 - r_b / r))
    assert found.statistic == pytest.approx(gap**2 / variance)
    assert found.df == 1


def test_three_groups_and_equal_ones() -> None:
    rng = np.random.default_rng(2)
    x = rng.lognormal(size=60)
    found = peto_prentice(x, x < 0.3, np.repeat([1, 2, 3], 20))
    assert found.df == 2
    assert 0 < found.p < 1
    same = peto_prentice([1, 2, 3, 1, 2, 3], [False] * 6, [0, 0, 0, 1, 1, 1])
    assert same.statistic == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="two groups"):
        peto_prentice([1, 2], [False, False], [1, 1])
    with pytest.raises(ValueError, match="one group"):
        peto_prentice([1, 2], [False, False], [1])


def test_line_without_non_detects_is_theil_sen() -> None:
    x, y = np.arange(7.0), np.array([1.0, 3.2, 2.9, 5.1, 6.0, 6.6, 9.0])
    i, j = np.triu_indices(7, 1)
    line = akritas_theil_sen(x, y, np.zeros(7, bool))
    assert line.slope == pytest.approx(np.median((y[j] - y[i]) / (x[j] - x[i])), abs=0.05)
    assert line.s == np.sign(y[j] - y[i]).sum()
    assert line.intercept == pytest.approx(np.median(y - line.slope * x), abs=1e-9)


def test_line_needs_points() -> None:
    with pytest.raises(ValueError, match="same length"):
        akritas_theil_sen([1, 2], [1], [False])
    with pytest.raises(ValueError, match="three results"):
        akritas_theil_sen([1, 2], [1, 2], [False, False])
    with pytest.raises(ValueError, match="three results"):
        akritas_theil_sen([1, 1, 1], [1, 2, 3], [False] * 3)
    flat = akritas_theil_sen([1, 2, 3, np.nan], [2, 2, 2, 5], [False] * 4)
    assert np.isnan(flat.p)


def test_turnbull_by_hand() -> None:
    assert turnbull_median([1, 2, 3], [1, 2, 3]) == 2
    assert turnbull_median([-np.inf, -np.inf, 5], [2, 2, 5]) == 2
    assert turnbull_median([1, 1, 5], [3, 3, 5]) == 2
    with pytest.raises(ValueError, match="ends in order"):
        turnbull_median([2], [1])
    with pytest.raises(ValueError, match="ends in order"):
        turnbull_median([], [])
