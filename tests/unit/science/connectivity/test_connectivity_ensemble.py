"""Draws of resistance and the agreement of ranks, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.connectivity.ensemble import agreement, ranks
from ecotone.science.connectivity.resistance import Ranges, spread_around


def test_draws_stay_within_their_ends():
    ranges = Ranges(
        np.array([2.0, 1]), np.array([20.0, 1]), np.array([10.0, 1]), np.array([40.0, 1])
    )
    rng = np.random.default_rng(1)
    drawn = np.array([ranges.drawn(rng) for _ in range(500)])
    assert (drawn[:, 1] == 1).all()
    assert drawn[:, 0].min() >= 10
    assert drawn[:, 0].max() <= 40
    assert np.median(drawn[:, 0]) == pytest.approx(20, rel=0.1)


def test_classes_become_resistances():
    ranges = Ranges(
        np.array([2.0, 1]), np.array([20.0, 5]), np.array([10.0, 1]), np.array([40.0, 9])
    )
    found = ranges.mapped(np.array([1.0, 2, 3, np.nan]), ranges.resistance)
    np.testing.assert_array_equal(found, [5, 20, np.nan, np.nan])
    around = spread_around(np.array([4.0, np.nan, 1, 4]), 2.0)
    assert around.classes.tolist() == [1, 4]
    assert around.high.tolist() == [2, 8]


def test_ranks_and_their_agreement():
    assert ranks(np.array([[3.0, 1, 2], [1, 1, 5]])).tolist() == [[3, 1, 2], [1.5, 1.5, 3]]
    assert agreement(np.array([[1.0, 2, 3]] * 4)) == pytest.approx(1)
    assert agreement(np.array([[1.0, 2, 3], [3, 2, 1]])) == pytest.approx(0)
    assert agreement(np.ones((3, 1))) == 1.0
