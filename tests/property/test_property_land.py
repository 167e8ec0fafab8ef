"""What must hold of land degradation and drought whatever the data."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from ecotone.science.land import status
from ecotone.science.land.coverage import coverage, rings_of
from ecotone.science.land.lookup import NODATA
from ecotone.science.land.productivity import lpd_classes, lpd_three, state_change
from ecotone.science.land.quantiles import unit_quantiles
from ecotone.science.land.standardised import spi

CODES = st.sampled_from([-1, 0, 1, NODATA])
MONTHS = np.arange("1981-01", "2011-01", dtype="datetime64[M]")


@given(st.lists(st.tuples(CODES, CODES, CODES), min_size=1, max_size=30))
def test_one_out_all_out_knows_no_order(rows: list[tuple[int, int, int]]) -> None:
    a, b, c = (np.array(part) for part in zip(*rows, strict=True))
    for missing in status.MISSING:
        forth = status.one_out_all_out(a, b, c, missing=missing)
        back = status.one_out_all_out(c, a, b, missing=missing)
        np.testing.assert_array_equal(forth, back)


@given(st.lists(st.tuples(CODES, CODES), min_size=1, max_size=30))
def test_recent_degradation_is_always_degraded(rows: list[tuple[int, int]]) -> None:
    baseline, period = (np.array(part) for part in zip(*rows, strict=True))
    three = status.status_three(status.status_classes(baseline, period))
    known = (baseline != NODATA) & (period != NODATA)
    assert (three[known & (period == -1)] == -1).all()
    assert (three[~known] == NODATA).all()


@given(CODES, CODES, st.sampled_from([-1, 0, NODATA]), st.sampled_from(["unccd2026", "gpg_v2"]))
def test_a_worse_metric_never_makes_a_better_class(t: int, s: int, p: int, rule: str) -> None:
    def three(*codes: int) -> int:
        return int(lpd_three(lpd_classes(*[[c] for c in codes], rule))[0])  # type: ignore[misc]

    if p == 0 and NODATA not in (t, s):
        assert three(t, s, -1) <= three(t, s, 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_quantiles_are_numpys(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=60) * 10.0 ** rng.integers(-3, 4)
    cut = [(np.zeros(len(v), int), v) for v in np.array_split(values, parts)]
    found = unit_quantiles(lambda: cut, 0.9).quantile[0]
    assert abs(found - np.quantile(values, 0.9)) <= 1e-12 * abs(found)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_shares_sum_to_the_area_however_the_window_is_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radius = rng.uniform(1, 5, 9)
    shape = Polygon(np.column_stack([6 + radius * np.cos(angle), 6 + radius * np.sin(angle)]))
    assume(shape.is_valid)
    corners, starts = rings_of(shape)
    whole = coverage((corners, starts), 12, 12)
    assert abs(whole.sum() - shape.area) < 1e-9
    right = coverage((corners - [5.0, 3.0], starts), 9, 7)
    np.testing.assert_allclose(right, whole[3:, 5:], atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 50.0))
def test_spi_knows_no_unit_and_keeps_order(seed: int, factor: float) -> None:
    rain = np.random.default_rng(seed).gamma(1.5, 30.0, MONTHS.size)
    index = spi(rain, MONTHS, scale=1).index
    np.testing.assert_allclose(spi(rain * factor, MONTHS, scale=1).index, index, atol=1e-6)
    july = np.argsort(rain[6::12])
    assert (np.diff(index[6::12][july]) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_state_turns_over_with_its_sign(seed: int) -> None:
    means = 0.5 + 0.1 * np.random.default_rng(seed).normal(size=(16, 3))
    change = state_change(means)
    assert (np.abs(change) <= 9).all()
    np.testing.assert_array_equal(state_change(1 - means), -change)
