"""Trend, state, performance, and the classes that rule sets make of them."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.land import productivity as prod
from ecotone.science.land.lookup import NODATA
from ecotone.science.land.wocat import wocat_classes

FALLING = 0.6 - 0.01 * np.arange(16)
FLAT = 0.5 + 0.02 * np.resize([1.0, -1.0, 0.4, -0.4], 16)


def stack(*series: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(s, dtype=float) for s in series], axis=1)


@pytest.mark.parametrize("rule", ["unccd2026", "trends_earth", "gpg_v2"])
def test_a_steady_fall_is_declining_whatever_the_rule(rule: prod.Rule) -> None:
    means = stack(FALLING, FLAT, FALLING[::-1])
    found = prod.lpd_components(means, np.full(3, 0.5), rule)
    assert found.trend.tolist() == [-1, 0, 1]
    assert found.state.tolist()[0] == -1
    assert found.performance.tolist() == [0, 0, 0]
    lpd = prod.lpd_classes(found.trend, found.state, found.performance, rule)
    assert lpd.tolist() == [1, 4, 5]


def test_exactly_half_of_the_best_is_low_for_trends_earth_only() -> None:
    mean, best = np.array([0.25, 0.25, 0.1]), np.array([0.5, np.nan, 0.0])
    assert prod.performance_classes(mean, best, "trends_earth").tolist() == [-1, NODATA, NODATA]
    assert prod.performance_classes(mean, best, "unccd2026").tolist() == [0, NODATA, NODATA]


def test_missing_years_make_no_data() -> None:
    few = FLAT.copy()
    few[:5] = np.nan
    no_recent = FLAT.copy()
    no_recent[-3:] = np.nan
    means = stack(few, no_recent, np.full(16, np.nan), FLAT)
    found = prod.lpd_components(means, np.full(4, 0.5), "unccd2026")
    assert found.trend.tolist() == [NODATA, NODATA, NODATA, 0]
    assert prod.complete_pixels(means, 0.5).tolist() == [True, False, False, True]


def test_the_three_rules_where_the_guidance_differs() -> None:
    cases = ([-1, 0, 0], [0, -1, 0], [0, 0, -1])
    trend, state, performance = (np.array(c) for c in zip(*cases, strict=True))
    assert prod.lpd_classes(trend, state, performance, "unccd2026").tolist() == [1, 2, 3]
    assert prod.lpd_classes(trend, state, performance, "gpg_v2").tolist() == [4, 4, 2]


def test_codes_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="degradation classes"):
        prod.lpd_classes([2], [0], [0], "unccd2026")
    with pytest.raises(ValueError, match="performance"):
        prod.lpd_classes([0], [0], [1], "unccd2026")
    with pytest.raises(ValueError, match="1 to 5"):
        prod.lpd_three([15])
    with pytest.raises(ValueError, match="7 years"):
        prod.state_classes(np.ones((6, 1)), "unccd2026")
    with pytest.raises(ValueError, match="fao_wocat"):
        prod.trend_classes(np.ones((16, 1)), "fao_wocat")
    with pytest.raises(ValueError, match="4 to 60"):
        prod.te_critical(61)


def test_trends_earth_trend_needs_a_slope() -> None:
    assert prod.te_significance([50, 50, 60, np.nan], 16, [0.0009, 0.002, -0.002, 0]).tolist() == [
        0, 2, -3, NODATA,
    ]  # fmt: skip
    assert prod.te_significance([1770.0], 60, [0.01]).tolist() == [2]


def test_state_is_the_same_where_nothing_moves() -> None:
    assert prod.state_change(np.full((16, 1), 0.4)).tolist() == [0.0]
    assert prod.state_score(np.full((16, 1), 0.4)).tolist() == [0.0]
    up = np.concatenate([np.linspace(0.2, 0.4, 13), [0.8, 0.8, 0.8]])[:, None]
    assert prod.state_change(up**2)[0] >= 2
    assert np.isnan(prod.state_change(np.full((16, 1), np.nan))).all()


def test_line_slope_with_gaps_is_that_of_the_rest() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=20)
    y[[3, 11]] = np.nan
    there = np.isfinite(y)
    slope = np.polyfit(np.arange(20)[there], y[there], 1)[0]
    assert prod.line_slope(y[:, None])[0] == pytest.approx(slope, rel=1e-12)
    assert np.isnan(prod.line_slope(np.array([[1.0], [np.nan]])))[0]


def test_wocat_by_hand() -> None:
    rising = FALLING[::-1].copy()
    desert = 0.1 + 0 * FLAT
    sparse = FLAT.copy()
    sparse[2:] = np.nan
    means = stack(FALLING, rising, desert, sparse)
    # Falling, dense, two classes down: steadiness 1, biomass 2, state 1: combination 2.
    # Rising from 0.45: steadiness 4, biomass 2, state 3: combination 35.
    assert wocat_classes(means).tolist() == [1, 5, 4, NODATA]
    with pytest.raises(ValueError, match="7 years"):
        wocat_classes(np.ones((5, 1)))
