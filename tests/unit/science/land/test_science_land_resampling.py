"""Intervals by drawing again, against what is known in closed form or by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.land import resampling
from ecotone.science.land.standardised import spei, spi, thom_fit

MONTHS = np.arange("1981-01", "2021-01", dtype="datetime64[M]")


def _rain(seed: int, dry: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rain = rng.gamma(2.0, 20.0, MONTHS.size)
    return np.where(rng.random(rain.size) < dry, 0.0, rain)


def test_the_interval_holds_the_index_and_is_wider_in_the_tail() -> None:
    rain = _rain(1)
    rain[100] = np.nan
    low, high = resampling.spi_interval(rain, MONTHS, scale=3, draws=300)
    index = spi(rain, MONTHS, scale=3).index
    assert (np.isnan(low) == np.isnan(index)).all()
    known = np.isfinite(index)
    assert ((low <= index + 0.05) & (index <= high + 0.05))[known].mean() > 0.97
    width = (high - low)[known]
    far = np.abs(index[known])
    assert width[far > 1.8].mean() > 1.5 * width[far < 0.5].mean()
    again, _ = resampling.spi_interval(rain, MONTHS, scale=3, draws=300)
    np.testing.assert_array_equal(low, again)


@pytest.mark.parametrize("zero", ["upper", "center", "stagge"])
def test_dry_months_have_an_interval_too(zero: resampling.Zero) -> None:
    rain = _rain(2, dry=0.3)
    low, high = resampling.spi_interval(rain, MONTHS, scale=1, zero=zero, draws=200)
    index = spi(rain, MONTHS, scale=1, zero=zero).index
    dry = rain == 0
    assert (low[dry] <= index[dry]).all() and (index[dry] <= high[dry]).all()
    assert (low[dry] < high[dry]).all()


def test_intervals_cover_the_index_of_the_true_distribution() -> None:
    from scipy.special import gammainc, ndtri

    inside = total = 0
    for seed in range(12):
        rain = _rain(seed)
        low, high = resampling.spi_interval(rain, MONTHS, scale=1, draws=200)
        truth = ndtri(gammainc(2.0, rain / 20.0))
        inside += int(((low <= truth) & (truth <= high)).sum())
        total += truth.size
    assert 0.92 < inside / total < 0.98


def test_spei_intervals() -> None:
    balance = _rain(3) - 40
    low, high = resampling.spei_interval(balance, MONTHS, scale=12, draws=200)
    index = spei(balance, MONTHS, scale=12).index
    known = np.isfinite(index)
    assert ((low <= index + 0.1) & (index <= high + 0.1))[known].mean() > 0.95
    flat, _ = resampling.spei_interval(np.zeros(MONTHS.size), MONTHS, draws=100)
    assert np.isnan(flat).all()


def test_a_month_without_a_fit_has_no_interval() -> None:
    low, _ = resampling.spi_interval(np.zeros(MONTHS.size), MONTHS, scale=1, draws=100)
    assert np.isnan(low).all()


@pytest.mark.parametrize(
    ("values", "said", "more"),
    [
        (np.ones((MONTHS.size, 2)), "one series", {}),
        (np.ones(MONTHS.size), "draws", {"draws": 5}),
        (np.ones(MONTHS.size), "level", {"level": 1.0}),
    ],
)
def test_what_cannot_be_drawn(values: np.ndarray, said: str, more: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=said):
        resampling.spi_interval(values, MONTHS, **more)  # type: ignore[arg-type]  # on purpose


def test_redrawn_fits_are_thoms_of_the_years_drawn() -> None:
    rng = np.random.default_rng(4)
    sums = rng.gamma(3.0, 10.0, (30, 5))
    sums[3, 1], sums[4, 2] = 0.0, np.nan
    counts = resampling.year_draws(30, 4, seed=9)
    alpha, beta, zeros = resampling.redrawn_fits(sums, counts)
    for draw, line in enumerate(counts):
        again = np.repeat(sums, line.astype(int), axis=0)
        a, b, n, n0 = thom_fit(again)
        np.testing.assert_allclose(alpha[draw], a, rtol=1e-9)
        np.testing.assert_allclose(beta[draw], b, rtol=1e-9)
        np.testing.assert_allclose(zeros[draw], n0 / n, atol=1e-12)


def test_means_and_reductions() -> None:
    assert np.isnan(resampling.mean_of_points([np.nan]).value)
    one = resampling.mean_of_points([4.0])
    assert one.value == 4.0 and np.isnan(one.low)
    found = resampling.reduction([10.0, 12.0, 8.0, np.nan], [5.0, 6.0, 4.0])
    assert found.value == pytest.approx(50.0)
    assert found.low < 50.0 < found.high
    same = resampling.reduction([2.0, 2.0], [1.0, 1.0])
    assert (same.low, same.value, same.high) == (50.0, 50.0, 50.0)
    assert np.isnan(resampling.reduction([1.0], [1.0, 2.0]).value)
    assert np.isnan(resampling.reduction([0.0, 0.0], [1.0, 2.0]).value)


def test_drift_and_what_a_shelter_takes() -> None:
    rng = np.random.default_rng(5)
    wind = 7 * rng.weibull(2.0, 3000)
    wind[7] = np.nan
    found = resampling.drift_intervals(wind, 0.8 * wind, draws=300)
    assert found.potential.low < found.potential.value < found.potential.high
    assert found.reduction is not None
    assert found.reduction.low < found.reduction.value < found.reduction.high
    assert resampling.drift_intervals(wind, draws=200).reduction is None
    calm = resampling.drift_intervals(np.ones(50), np.ones(50), draws=200)
    assert calm.potential.value == 0.0
    assert calm.reduction is not None and np.isnan(calm.reduction.value)
    with pytest.raises(ValueError, match="same number"):
        resampling.drift_intervals([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="no reading"):
        resampling.drift_intervals([np.nan])
