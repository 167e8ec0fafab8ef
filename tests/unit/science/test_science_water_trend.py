"""Kendall's test over blocks: by hand, against a loop, and what must be refused."""

from __future__ import annotations

import itertools

import numpy as np
import pymannkendall
import pytest
from scipy.stats import norm

from ecotone.science.water.trend import (
    homogeneity,
    p_of_score,
    pettitt,
    seasonal_kendall,
)

YEARS = np.arange(2000, 2012)
#: Yearly flow at Aswan 1871-1970, 1e8 m3 (Cobb 1978).
NILE = np.array(
    [1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960,
     1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694,
     940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764,
     821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822,
     1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050,
     918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740.0]
)  # fmt: skip


def series(seed: int, blocks: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    year, block = np.meshgrid(YEARS, np.arange(1, blocks + 1), indexing="ij")
    value = np.round(rng.normal(size=year.shape) + 0.1 * (year - 2000) + block, 1)
    return year.ravel(), value.ravel(), block.ravel()


def test_against_a_loop_and_a_peer() -> None:
    year, value, block = series(1)
    found = seasonal_kendall(year, value, block)
    s, slopes = 0, []
    for b in np.unique(block):
        y = value[block == b]
        for i, j in itertools.combinations(range(y.size), 2):
            s += int(np.sign(y[j] - y[i]))
            slopes.append((y[j] - y[i]) / (j - i))
    assert found.s == s
    assert found.slope == pytest.approx(np.median(slopes))
    assert found.tau == pytest.approx(s / len(slopes))
    peer = pymannkendall.seasonal_test(value, period=4)
    assert (found.s, found.variance) == (peer.s, pytest.approx(peer.var_s))
    assert found.p == pytest.approx(peer.p)
    assert found.low < found.slope < found.high
    assert (found.n, found.blocks, found.left_out, found.level) == (48, 4, (), 0.95)


def test_covariance_against_a_loop() -> None:
    year, value, block = series(2)
    value[[3, 17, 30]] = np.nan
    found = seasonal_kendall(year, value, block)
    grid = value.reshape(YEARS.size, 4)
    total = 0.0
    for g, h in itertools.product(range(4), repeat=2):
        k = sum(
            float(np.nan_to_num(np.sign((grid[j, g] - grid[i, g]) * (grid[j, h] - grid[i, h]))))
            for i, j in itertools.combinations(range(YEARS.size), 2)
        )
        ranks = []
        for column in (grid[:, g], grid[:, h]):
            known = column[~np.isnan(column)]
            rank = [(known < x).sum() + ((known == x).sum() + 1) / 2 for x in column]
            ranks.append(np.where(np.isnan(column), (known.size + 1) / 2, rank))
        n = [np.sum(~np.isnan(grid[:, c])) + 1 for c in (g, h)]
        total += (k + 4 * float(ranks[0] @ ranks[1]) - YEARS.size * n[0] * n[1]) / 3
    assert found.variance_corrected == pytest.approx(total)
    assert found.p_corrected == pytest.approx(p_of_score(found.s, total))


def test_a_covariate_that_is_the_series_leaves_nothing() -> None:
    year, value, block = series(3)
    found = seasonal_kendall(year, value, block, value)
    assert found.s_partial == pytest.approx(0, abs=1e-9)
    other = seasonal_kendall(year, value, block, np.random.default_rng(4).normal(size=48))
    assert 0 < other.p_partial <= 1
    assert 0 < other.p_partial_corrected <= 1
    constant = seasonal_kendall(year, value, block, np.ones(48))
    assert np.isnan([constant.s_partial, constant.p_partial, constant.p_partial_corrected]).all()


def test_no_correction_where_it_cannot_be() -> None:
    year, value, block = series(5)
    short = seasonal_kendall(year[:20], value[:20], block[:20])
    assert np.isnan(short.p_corrected)
    one = seasonal_kendall(YEARS, np.arange(12.0), np.ones(12), np.arange(12.0) % 3)
    assert np.isnan([one.p_corrected, one.p_partial_corrected]).all()
    level = seasonal_kendall(year, np.ones(48), block)
    assert (level.s, level.p) == (0, 1)
    assert np.isnan(level.p_corrected)


def test_several_values_of_a_time_are_averaged() -> None:
    time = [1, 1, 2, 3, 4]
    found = seasonal_kendall(time, [0.0, 2.0, 2.0, 3.0, 4.0], [1] * 5)
    assert (found.n, found.s) == (4, 6)
    noisy = seasonal_kendall([1, 2, 3, 4], [0.3, 0.1 + 0.2, 0.3, 0.3], [1] * 4)
    assert noisy.s == 0
    raw = seasonal_kendall([1, 2, 3, 4], [0.3, 0.1 + 0.2, 0.3, 0.3], [1] * 4, decimals=None)
    assert raw.s != 0


def test_short_blocks_are_left_out_and_told() -> None:
    year, value, block = series(6)
    few = np.concatenate([year, [2000, 2001]]), np.concatenate([value, [1, 2]])
    found = seasonal_kendall(*few, np.concatenate([block, [9, 9]]))
    plain = seasonal_kendall(year, value, block)
    assert found.left_out == (9.0,)
    assert (found.s, found.n) == (plain.s, plain.n)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([1, 2], [1, 2], [1]), {}, "one length"),
        (([1, 2, 3], [1, 2, 3], [1, 1, 1]), {}, "no block"),
        (([], [], []), {}, "no block"),
        ((np.arange(5001), np.arange(5001), np.ones(5001)), {}, "more than 5000"),
        (([1], [1], [1]), {"level": 1.0}, "confidence"),
        (([1], [1], [1]), {"decimals": 20}, "decimals"),
    ],
)
def test_what_is_refused(arguments, options, words) -> None:
    with pytest.raises(ValueError, match=words):
        seasonal_kendall(*arguments, **options)


def test_p_of_score() -> None:
    assert p_of_score(-1387, 112728.3333) == pytest.approx(3.658262922e-05, rel=1e-6)
    assert p_of_score(0, 5) == 1
    assert np.isnan(p_of_score(3, 0))
    assert p_of_score(1e4, 1e4) == pytest.approx(0, abs=1e-300)


def test_homogeneity() -> None:
    up_and_down = homogeneity([1, 2, 3, 4] * 2, [1, 2, 3, 4, 4, 3, 2, 1], [1] * 4 + [2] * 4)
    z = 6 / np.sqrt(26 / 3)
    assert up_and_down.difference == pytest.approx(2 * z * z)
    assert up_and_down.trend == pytest.approx(0, abs=1e-12)
    alike = homogeneity([1, 2, 3, 4] * 2, [1, 2, 3, 4] * 2, [1] * 4 + [2] * 4, decimals=None)
    assert alike.difference == pytest.approx(0, abs=1e-12)
    assert alike.p == pytest.approx(1)
    with pytest.raises(ValueError, match="two blocks"):
        homogeneity([1, 2, 3, 4], [1, 2, 3, 4], [1] * 4)


def test_pettitt_against_a_loop() -> None:
    x = np.round(np.random.default_rng(7).normal(size=30), 1)
    x[18:] += 2
    u = [np.sign(x[:k, None] - x[None, k:]).sum() for k in range(1, 30)]
    found = pettitt(np.append(x, np.nan))
    assert found.k == np.abs(u).max()
    assert found.at == int(np.abs(u).argmax()) + 1
    assert found.p == pytest.approx(2 * np.exp(-6 * found.k**2 / (30**3 + 30**2)))
    with pytest.raises(ValueError, match="two values"):
        pettitt([1.0])


def test_the_nile() -> None:
    """wql: slope -2.6, S -1387, var 112728.3333; Pettitt K 1617 after 1898."""
    found = seasonal_kendall(np.arange(1871, 1971), NILE, np.ones(100))
    assert (found.s, found.slope) == (-1387, pytest.approx(-2.6))
    assert found.variance == pytest.approx(112728.3333, rel=1e-9)
    assert found.p == pytest.approx(3.658262922e-05, rel=1e-6)
    change = pettitt(NILE)
    assert (change.k, change.at) == (1617, 1898 - 1871 + 1)
    assert change.p == pytest.approx(3.59e-07, rel=1e-2)


def test_a_score_below_one_has_no_p_above_one() -> None:
    """A partial S is no whole number: 0.4 less its correction is -0.6, Z by its size."""
    from ecotone.science.water.trend import p_of_score

    assert p_of_score(0.4, 100.0) == pytest.approx(2 * norm.sf(0.06))
    assert p_of_score(-0.4, 100.0) == p_of_score(0.4, 100.0) <= 1
    assert p_of_score(1.0, 100.0) == 1
