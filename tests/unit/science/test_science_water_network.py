"""Drift and alarms, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.water import alarms, drift


def test_sensors_in_two_standards_and_sensors_that_cannot_be_right():
    assert drift.response([4, 7], [4.1, 7.4]) == drift.Response(-0.3, 1.1)
    assert drift.response([100], [110], "gain").gain == pytest.approx(1.1)
    for standards, readings in (([], []), ([4, 7], [7, 4])):
        with pytest.raises(ValueError):
            drift.response(standards, readings)
    with pytest.raises(ValueError):
        drift.correct([1], [0], 5, 5, drift.Response(0, 1), drift.Response(0, 1))
    outside, u = drift.correct([1.0], [9], 0, 5, drift.Response(0, 1), drift.Response(0, 1))
    assert np.isnan(outside[0]) and np.isnan(u[0])


def test_ratings_take_the_kinder_criterion():
    assert drift.rating([0.4, 0.4], [4.0, 12.0], "dissolved_oxygen").tolist() == [1, 0]
    assert drift.rating([12, 40, np.nan], [400, 400, 400], "conductivity").tolist() == [0, 1, -1]
    assert drift.rating([1], [1], "colour").tolist() == [-1]


def test_gaps_neither_raise_nor_clear():
    found = alarms.level_alarms([6, np.nan, 6, np.nan, 1], [0, 1, 2, 3, 4], 5, persistence=2)
    assert (found.raised.tolist(), found.cleared.tolist()) == ([2.0], [4.0])
    for wrong in (
        lambda: alarms.level_alarms([1], [0], 5, 6),
        lambda: alarms.level_alarms([1, 2], [1, 0], 5),
        lambda: alarms.silence_alarms([0], 0),
    ):
        with pytest.raises(ValueError):
            wrong()


def test_a_single_standard_gives_an_offset_or_a_gain():
    assert drift.response([7, 7], [7.1, 7.3]) == drift.Response(pytest.approx(0.2), 1.0)
    assert drift.response([7, np.nan], [7.7, 9], "gain").gain == pytest.approx(1.1)
    with pytest.raises(ValueError):
        drift.response([0], [1], "gain")


def test_a_drift_that_grows_evenly_goes_without_a_rest():
    t = np.arange(0, 101.0)
    true = 10 + np.sin(t)
    shown = 0.5 * t / 100 + true * (1 + 0.1 * t / 100)
    fixed, u = drift.correct(shown, t, 0, 100, drift.Response(0, 1), drift.Response(0.5, 1.1))
    np.testing.assert_allclose(fixed, true, rtol=1e-12)
    change = shown - (shown - 0.5) / 1.1
    np.testing.assert_allclose(u, change / np.sqrt(12))


def test_alarms_below_a_level_and_rates():
    found = alarms.level_alarms([5, 1, 3, 5], [0, 1, 2, 3], 2, 4, below=True)
    assert (found.onset.tolist(), found.cleared.tolist(), found.peak.tolist()) == ([1], [3], [1])
    assert len(found) == 1
    assert alarms.rates([1, 2, 2], [0, 3600, 3600]).tolist()[1] == 1
    assert np.isnan(alarms.rates([1, 2, 2], [0, 3600, 3600])[2])
    assert len(alarms.silence_alarms([], 5)) == 0
    assert alarms.silence_alarms([0, 100], 30).cleared.tolist() == [100]
    pending = alarms.level_alarms([6, 6, 1, 6], [0, 1, 2, 3], 5, persistence=5)
    assert len(pending) == 0
