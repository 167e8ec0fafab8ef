"""Censored results against limits: every case by reasoning."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from ecotone.science.water import Verdict, excess, judge, share_with_unknown

PASS, FAIL, OPEN, NONE = (
    Verdict.PASSES, Verdict.EXCEEDS, Verdict.UNDETERMINED, Verdict.NONE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "kind", "verdict"),
    [
        (9.9, 0, PASS),
        (10.0, 0, PASS),
        (10.1, 0, FAIL),
        (5.0, -1, PASS),
        (10.0, -1, PASS),
        (10.1, -1, OPEN),
        (np.inf, -1, OPEN),
        (9.9, 1, OPEN),
        (10.0, 1, FAIL),
        (50.0, 1, FAIL),
        (np.nan, 0, NONE),
        (np.nan, -1, NONE),
    ],
)
def test_against_a_maximum_of_ten(value: float, kind: int, verdict: Verdict) -> None:
    assert judge(value, kind, maximum=10.0) == verdict


@pytest.mark.parametrize(
    ("value", "kind", "verdict"),
    [
        (5.1, 0, PASS),
        (5.0, 0, PASS),
        (4.9, 0, FAIL),
        (4.9, 1, OPEN),
        (5.0, 1, PASS),
        (8.0, 1, PASS),
        (5.0, -1, FAIL),
        (0.5, -1, FAIL),
        (6.0, -1, OPEN),
        (np.inf, -1, OPEN),
    ],
)
def test_against_a_minimum_of_five(value: float, kind: int, verdict: Verdict) -> None:
    assert judge(value, kind, minimum=5.0) == verdict


@pytest.mark.parametrize(
    ("value", "kind", "verdict"),
    [
        (6.5, 0, PASS),
        (8.5, 0, PASS),
        (6.4, 0, FAIL),
        (8.6, 0, FAIL),
        (7.0, -1, OPEN),
        (6.0, -1, FAIL),
        (9.0, 1, FAIL),
        (7.0, 1, OPEN),
        (6.0, 1, OPEN),
        (9.0, -1, OPEN),
    ],
)
def test_against_a_range(value: float, kind: int, verdict: Verdict) -> None:
    assert judge(value, kind, maximum=8.5, minimum=6.5) == verdict


def test_no_standard_no_verdict() -> None:
    assert judge([1.0, 2.0], [0, -1]).tolist() == [NONE, NONE]


def test_the_last_bit_of_a_converted_unit_breaks_no_limit() -> None:
    assert judge(300 * 0.001 + 1e-16, 0, maximum=0.3) == PASS
    assert judge(0.1 + 0.2, 0, maximum=0.3) == PASS


def test_shapes_are_broadcast() -> None:
    verdicts = judge([[1.0], [3.0]], 0, maximum=[2.0, 4.0])
    assert verdicts.tolist() == [[PASS, PASS], [FAIL, PASS]]
    assert verdicts.dtype == np.int8


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="kind"):
        judge(1.0, 2, maximum=1.0)
    with pytest.raises(ValueError, match="minimum lies above"):
        excess(1.0, 0, maximum=1.0, minimum=2.0)
    with pytest.raises(ValueError, match="negative"):
        share_with_unknown(-1, 2, 3)


def test_excess_says_what_is_known() -> None:
    np.testing.assert_array_equal(
        excess([12.0, 9.0, 9.0, 9.0], [0, 0, -1, 1], maximum=10.0), [2.0, -1.0, np.nan, -1.0]
    )
    np.testing.assert_array_equal(
        excess([4.0, 4.0, 4.0], [0, -1, 1], minimum=5.0), [1.0, 1.0, np.nan]
    )
    np.testing.assert_allclose(excess([6.0, 9.5, 7.0], 0, maximum=8.5, minimum=6.5), [0.5, 1, -0.5])
    assert np.isnan(excess(1.0, 0))


def test_share_covers_every_fate_of_the_unknown() -> None:
    share, low, high = share_with_unknown([2, 0, 0, 3], [6, 4, 0, 0], [2, 0, 0, 7])
    np.testing.assert_allclose(share[[0, 1, 3]], [0.25, 0.0, 1.0])
    assert np.isnan([share[2], low[2], high[2]]).all()
    assert low[0] == pytest.approx(beta.ppf(0.025, 2, 9))
    assert high[0] == pytest.approx(beta.ppf(0.975, 5, 6))
    assert (low[1], high[3]) == (0.0, 1.0)
    share, low, high = share_with_unknown(0, 0, 5)
    assert np.isnan(share)
    assert (float(low), float(high)) == (0.0, 1.0)
