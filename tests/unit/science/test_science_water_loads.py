"""Loads: interpolation as a walk between samples, the unbiased curve; by hand and by draws."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.water import loads


def test_interpolation_by_hand() -> None:
    """0, 2, 0 mg/L on days 0, 4, 8 at 1 m3/s: a walk of variance 1 a day, each bridge 5."""
    found = loads.interpolated([0, 4, 8], [0, 2, 0], range(9), np.ones(9))
    assert found.value == pytest.approx(86.4 * 8 / 9)
    assert found.high - found.value == pytest.approx(86.4 / 9 * np.sqrt(10) * 1.959964)
    assert found.low == pytest.approx(found.value * 2 - found.high)


def test_beyond_the_samples_the_walk_is_free() -> None:
    """Two days after and two before: (2^2 + 1^2) each, beside two bridges of one day: 0.25 each."""
    found = loads.interpolated([2, 4, 6], [1, 2, 1], range(9), np.ones(9))
    pace = 0.5
    variance = 2 * 0.5 + 5 + 5
    assert found.value == pytest.approx(86.4 * (1 + 1 + 1 + 1.5 + 2 + 1.5 + 1 + 1 + 1) / 9)
    se = 86.4 / 9 * np.sqrt(pace * variance)
    assert found.high - found.value == pytest.approx(1.959964 * se)


def test_bridges_are_those_of_drawn_walks() -> None:
    """Uneven flow, gaps and a day without discharge: the variance of 4000 walks."""
    rng = np.random.default_rng(3)
    day, every = np.array([3, 4, 9, 15]), np.array([d for d in range(20) if d != 7])
    q = rng.lognormal(size=every.size)
    walks = np.concatenate(
        [np.zeros((4000, 1)), np.cumsum(rng.standard_normal((4000, 19)), axis=1)], axis=1
    )
    errors = [
        sum(q[i] * (w[d] - np.interp(d, day, w[day])) for i, d in enumerate(every)) for w in walks
    ]
    assert loads._bridges(day, every, q) == pytest.approx(np.var(errors), rel=0.08)


def test_two_samples_tell_no_walk() -> None:
    assert np.isnan(loads.interpolated([0, 4], [1, 2], range(9), np.ones(9)).low)


def test_finney_by_hand() -> None:
    """m = 2: terms 1, x, x^2 2/(2 * 4), x^3 4/(6 * 4 * 6) with x = 2z/3."""
    x = 0.6 * 2 / 3
    # term k: m^k/(m (m + 2) ... (m + 2k - 2)) x^k/k!
    by_hand = 1 + x + 4 / 8 * x**2 / 2 + 8 / 48 * x**3 / 6 + 16 / 384 * x**4 / 24
    assert float(loads.finney(0.6, 2)) == pytest.approx(by_hand, abs=1e-6)
    assert float(loads.finney(-0.3, 10**8)) == pytest.approx(np.exp(-0.3), abs=1e-6)


def test_the_unbiased_curve_is_unbiased() -> None:
    """Few samples of much scatter: the plain curve is 10 % too high, the unbiased one is not."""
    rng = np.random.default_rng(5)
    days = np.linspace(0, 2, 60)
    q = np.exp(rng.normal(1, 0.4, 60))
    truth = float(np.mean(np.exp(0.5 + 0.3 * np.log(q) + 0.8**2 / 2) * q)) * 86.4
    plain, free = [], []
    for _ in range(600):
        at, flow = rng.uniform(0, 2, 14), np.exp(rng.normal(1, 0.4, 14))
        conc = np.exp(0.5 + 0.3 * np.log(flow) + rng.normal(0, 0.8, 14))
        curve = loads.rating(at, flow, conc, np.zeros(14, bool))
        found = loads.unbiased(curve, days, q, conc, at, flow)
        assert found.low < found.value < found.high
        plain.append(loads.rated(curve, days, q).value)
        free.append(found.value)
    assert np.mean(free) == pytest.approx(truth, rel=0.05)
    assert np.mean(plain) > np.mean(free) * 1.05
