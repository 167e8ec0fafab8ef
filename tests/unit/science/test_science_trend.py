"""Mann-Kendall and Sen on series small enough to do by hand."""

from __future__ import annotations

import numpy as np
import pymannkendall
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from ecotone.science.land import METHODS, annual_mean, calendar_years, mann_kendall
from ecotone.science.land.network import sorting_network


def test_five_years_by_hand() -> None:
    # 0.31 0.34 0.33 0.36 0.40: nine pairs rise, one falls; slopes sorted are
    # -0.01 0.01 0.015 0.02 0.02 .0225 0.0233 0.03 0.035 0.04.
    test = mann_kendall([[0.31], [0.34], [0.33], [0.36], [0.40]])
    assert test.s[0] == 8
    assert test.p[0] == pytest.approx(2 * 5 / 120)
    assert test.variance[0] == pytest.approx(5 * 4 * 15 / 18)
    assert test.slope[0] == pytest.approx((0.02 + 0.0225) / 2)
    assert test.z[0] == pytest.approx(7 / np.sqrt(50 / 3))
    assert test.valid[0] == 5
    assert (test.method, test.level) == ("exact", 0.95)


def test_interval_by_gilberts_ranks() -> None:
    x = np.array([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0, 5.5, 3.5])
    test = mann_kendall(x[:, None], level=0.9)
    slopes = np.sort([(x[j] - x[i]) / (j - i) for i in range(10) for j in range(i + 1, 10)])
    wide = norm.ppf(0.95) * np.sqrt(10 * 9 * 25 / 18)
    ranks = np.arange(1, 46)
    assert test.low[0] == pytest.approx(np.interp((45 - wide) / 2, ranks, slopes))
    assert test.high[0] == pytest.approx(np.interp((45 + wide) / 2 + 1, ranks, slopes))
    assert test.slope[0] == pytest.approx(slopes[22])


def test_too_short_to_bound_the_slope() -> None:
    test = mann_kendall([[1.0], [3.0], [2.0], [4.0]])
    assert test.slope[0] == pytest.approx(0.75)
    assert np.isnan([test.low[0], test.high[0]]).all()


def test_ties_use_the_corrected_normal() -> None:
    x = np.array([1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 0.5])
    test = mann_kendall(x[:, None])
    variance = (8 * 7 * 21 - 2 * 1 * 9 - 3 * 2 * 11) / 18
    assert test.variance[0] == pytest.approx(variance)
    assert test.s[0] == 17 - 7
    assert test.p[0] == pytest.approx(2 * norm.sf(9 / np.sqrt(variance)))


def test_noise_in_the_last_bits_hides_no_tie() -> None:
    x = np.array([0.1 + 0.2, 0.3, 0.5, 0.6])
    assert mann_kendall(x[:, None]).s[0] == 5
    assert mann_kendall(x[:, None], decimals=None).s[0] == 4
    assert mann_kendall(x[:, None], decimals=0).s[0] == 3
    large = np.array([1e12, 1e12 + 1, 1e12 + 2, 1e12 + 3])
    assert mann_kendall(large[:, None]).s[0] == 6


def test_all_values_equal_is_no_trend() -> None:
    for method in METHODS:
        test = mann_kendall(np.full((8, 1), 0.3), method=method)
        assert (test.s[0], test.p[0], test.slope[0], test.z[0]) == (0, 1, 0, 0)


def test_missing_years_are_left_out_and_times_kept() -> None:
    x = np.array([1.0, np.nan, 3.0, 4.0, np.inf, 9.0])
    keep = np.isfinite(x)
    years = np.arange(2001, 2007)
    gaps = mann_kendall(x[:, None], years)
    whole = mann_kendall(x[keep][:, None], years[keep])
    for name in ("s", "p", "variance", "slope", "low", "high", "valid"):
        np.testing.assert_array_equal(getattr(gaps, name), getattr(whole, name))
    assert gaps.valid[0] == 4


def test_too_few_valid_values() -> None:
    x = np.full((6, 40), np.nan)
    x[:3, :39] = 1.0
    x[:4, 39] = [1, 2, 3, 4]
    test = mann_kendall(x)
    assert np.isnan(test.s[:39]).all()
    assert np.isnan(test.slope[:39]).all()
    assert np.isnan(test.p[:39]).all()
    assert test.s[39] == 6
    assert test.valid.tolist() == [3] * 39 + [4]
    assert np.isnan(mann_kendall(x, minimum=5).s).all()
    assert mann_kendall(x, minimum=2).s[0] == 0


def test_shape_and_float32_are_kept() -> None:
    x = np.random.default_rng(5).random((7, 3, 5)).astype(np.float32)
    test = mann_kendall(x)
    assert test.s.shape == test.valid.shape == (3, 5)
    one = mann_kendall(x[:, 1, 2].astype(np.float64))
    assert one.s.shape == ()
    assert one.s == test.s[1, 2]
    assert one.slope == test.slope[1, 2]


def test_long_series_without_a_network_and_beyond_the_table() -> None:
    x = np.random.default_rng(6).random((70, 3))
    test = mann_kendall(x)
    for pixel in range(3):
        peer = pymannkendall.original_test(x[:, pixel])
        assert test.s[pixel] == peer.s
        assert test.p[pixel] == pytest.approx(peer.p, abs=1e-12)
        assert test.slope[pixel] == pytest.approx(peer.slope, abs=1e-8)


@pytest.mark.parametrize("length", [12, 32])
def test_autocorrelation_methods_equal_the_peer(length: int) -> None:
    rng = np.random.default_rng(length)
    x = np.cumsum(rng.standard_normal((length, 50)), axis=0)
    hamed, white = (mann_kendall(x, method=m) for m in ("hamed_rao", "tfpw"))
    for pixel in range(50):
        one = pymannkendall.hamed_rao_modification_test(x[:, pixel])
        np.testing.assert_allclose(hamed.p[pixel], one.p, atol=1e-9)
        two = pymannkendall.trend_free_pre_whitening_modification_test(x[:, pixel])
        assert white.s[pixel] == two.s
        np.testing.assert_allclose(white.p[pixel], two.p, atol=1e-9)
        np.testing.assert_allclose(white.slope[pixel], two.slope, atol=1e-8)
    plain = mann_kendall(x, method="normal")
    np.testing.assert_array_equal(white.low, plain.low)
    assert np.nanmean(hamed.high - hamed.low) > np.nanmean(plain.high - plain.low)


def test_correction_may_leave_no_variance() -> None:
    # So negatively correlated at significant lags that the corrected variance is below zero.
    x = np.array([0.8, 0.1, 0.9, 0.3, 0.7, 0.6, 0.9, 0.8])
    test = mann_kendall(x[:, None], method="hamed_rao")
    assert test.variance[0] == pytest.approx(-2.167659, abs=1e-6)
    assert np.isnan([test.p[0], test.low[0], test.high[0]]).all()
    assert np.isfinite(test.slope[0])


def test_methods_take_gaps() -> None:
    x = np.random.default_rng(8).random((20, 40))
    x[5:8, :20] = np.nan
    for method in ("hamed_rao", "tfpw"):
        test = mann_kendall(x, method=method)
        assert np.isfinite(test.p).all()
        np.testing.assert_array_equal(test.p[20:], mann_kendall(x[:, 20:], method=method).p)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"values": 3.0}, "first axis"),
        ({"values": [[1.0]]}, "2 to 1000"),
        ({"values": np.zeros((1001, 1))}, "2 to 1000"),
        ({"times": [1, 2, 3]}, "one per layer"),
        ({"times": [1, 2, 2, 3, 4]}, "ascend"),
        ({"times": [1, 2, 3, 4, np.inf]}, "ascend"),
        ({"times": [1, 2, 3, 4, 6], "method": "tfpw"}, "even"),
        ({"method": "yue_wang"}, "method"),
        ({"level": 1.0}, "level"),
        ({"decimals": 16}, "decimals"),
        ({"minimum": 1}, "at least 2"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, words: str) -> None:
    given = {"values": np.zeros((5, 2))} | arguments
    with pytest.raises(ValueError, match=words):
        mann_kendall(**given)


def test_uneven_times_weigh_in_the_slope() -> None:
    test = mann_kendall([[0.0], [1.0], [5.0], [6.0]], [2000, 2001, 2005, 2006])
    assert test.slope[0] == pytest.approx(1.0)


def _days(*texts: str) -> NDArray[np.datetime64]:
    return np.array(texts, "datetime64[D]")


def test_annual_mean_by_hand() -> None:
    days = _days("2002-01-05", "2001-12-31", "2001-01-01", "2004-06-01", "1999-06-01")
    values = [[4.0, 1.0], [1.0, np.nan], [3.0, np.inf], [7.0, 2.0], [9.0, 9.0]]
    years, means = annual_mean(values, days, 2001, 2004)
    assert years.tolist() == [2001, 2002, 2003, 2004]
    np.testing.assert_array_equal(means, [[2, np.nan], [4, 1], [np.nan, np.nan], [7, 2]])
    years, means = annual_mean(np.array(values, np.float32), days)
    assert (years[0], years[-1]) == (1999, 2004)
    assert means.dtype == np.float64


@pytest.mark.parametrize(
    ("values", "days", "period", "words"),
    [
        ([], np.array([], "datetime64[D]"), (None, None), "at least one layer"),
        ([[1.0]], _days("2001-01-01", "2002-01-01"), (None, None), "one date for each"),
        ([[1.0]], np.array([2001]), (None, None), "date"),
        ([[1.0]], _days("NaT"), (None, None), "date"),
        ([[1.0]], _days("2001-01-01"), (2002, 2001), "before"),
    ],
)
def test_annual_mean_names_what_is_wrong(values, days, period, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        annual_mean(values, days, *period)


def test_calendar_years_before_the_epoch() -> None:
    assert calendar_years(_days("1969-12-31", "1970-01-01")).tolist() == [1969, 1970]


@pytest.mark.parametrize("size", range(13))
def test_network_sorts_every_order_of_zeros_and_ones(size: int) -> None:
    """What sorts all zeros and ones sorts everything (Knuth's 0-1 principle)."""
    x = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    for low, high in sorting_network(size):
        assert low < high
        x[:, [low, high]] = np.sort(x[:, [low, high]], axis=1)
    assert np.all(np.diff(x, axis=1) >= 0)
