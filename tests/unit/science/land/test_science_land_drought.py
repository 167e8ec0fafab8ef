"""SPI, SPEI, evapotranspiration, drought classes and exposure against hand and known cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gamma as gamma_distribution
from scipy.stats import norm

from ecotone.science.land import drought
from ecotone.science.land import evapotranspiration as pet
from ecotone.science.land import standardised as st
from ecotone.science.land.gamma_scores import gamma_scores, quantile
from ecotone.science.land.lookup import NODATA

MONTHS = np.arange("1981-01", "2021-01", dtype="datetime64[M]")


def rain(seed: int = 3, shape: tuple[int, ...] = ()) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2.0, 20.0, (MONTHS.size, *shape))


def test_spi_is_the_normal_score_of_a_gamma_fitted_by_thom() -> None:
    values = rain()
    found = st.spi(values, MONTHS, scale=1, calibration=(1981, 2020))
    july = values[6::12]
    a = np.log(july.mean()) - np.log(july).mean()
    alpha = (1 + np.sqrt(1 + 4 * a / 3)) / (4 * a)
    wanted = norm.ppf(gamma_distribution.cdf(july, alpha, scale=july.mean() / alpha))
    np.testing.assert_allclose(found.index[6::12], wanted, atol=1e-6)
    assert found.parameters["alpha"][6] == pytest.approx(alpha)


@pytest.mark.parametrize("q", [0.0, 0.3])
def test_fast_scores_are_the_exact_ones(q: float) -> None:
    rng = np.random.default_rng(9)
    alpha = np.append(10 ** rng.uniform(-0.5, 3.5, 300), [np.nan])
    beta = np.append(10 ** rng.uniform(-1, 2, 300), [np.nan])
    x = rng.gamma(np.nan_to_num(alpha, nan=1.0), 1.0, (40, 301)) * np.nan_to_num(beta, nan=1.0)
    x[3, 5] = np.nan
    x[4, 6] = 0.0
    found = gamma_scores(x, alpha, beta, np.full(301, q), st.LIMIT)
    with np.errstate(divide="ignore"):
        level = q + (1 - q) * gamma_distribution.cdf(x, alpha, scale=beta)
        wanted = np.clip(norm.ppf(level), -st.LIMIT, st.LIMIT)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert np.isnan(found[:, 300]).all()
    assert np.isnan(found[3, 5])


def test_the_normal_quantile_to_the_last_digits() -> None:
    p = np.concatenate([10.0 ** -np.arange(1, 40), np.linspace(0.01, 0.99, 99)])
    np.testing.assert_allclose([quantile(v) for v in p], norm.ppf(p), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(("zero", "level"), [("upper", 6 / 30), ("center", 7 / 60),
                                             ("stagge", 7 / 62)])  # fmt: skip
def test_the_three_conventions_of_no_rain(zero: st.Zero, level: float) -> None:
    values = rain()
    values[7:360:12][:6] = 0.0
    found = st.spi(values, MONTHS, scale=1, calibration=(1981, 2010), zero=zero)
    assert found.index[7] == pytest.approx(norm.ppf(level))
    assert found.dry[7]
    others = values > 0
    upper = st.spi(values, MONTHS, scale=1, calibration=(1981, 2010)).index
    np.testing.assert_array_equal(found.index[others], upper[others])


def test_no_rain_where_it_always_rained_stays_finite() -> None:
    values = rain()
    values[-5] = 0.0
    index = st.spi(values, MONTHS, scale=1, calibration=(1981, 2010)).index
    assert index[-5] == -st.LIMIT


def test_a_gap_takes_its_sums_with_it() -> None:
    values = rain()
    values[100] = np.nan
    index = st.spi(values, MONTHS, scale=6).index
    assert np.isnan(index[:5]).all()
    assert np.flatnonzero(np.isnan(index[5:])).tolist() == [95, 96, 97, 98, 99, 100]
    assert np.isnan(st.month_sums([1.0], 2)).all()


def test_months_that_carry_no_fit_have_no_index() -> None:
    values = rain(shape=(2,))
    values[1::12, 0] = 0.0
    values[2::12, 0] = 17.5
    index = st.spi(values, MONTHS, scale=1, calibration=(1981, 2010)).index
    assert np.isnan(index[1::12, 0]).all()
    assert np.isnan(index[2::12, 0]).all()
    assert np.isfinite(index[:, 1]).all()
    assert np.isnan(st.spi(values, MONTHS, scale=1, calibration=(2015, 2020)).index).all()


def test_what_spi_refuses() -> None:
    values = rain()
    for change, match in (
        ({"zero": "never"}, "zero"),
        ({"scale": 0}, "scale"),
        ({"calibration": (2010, 1981)}, "calibration"),
    ):
        with pytest.raises(ValueError, match=match):
            st.spi(values, MONTHS, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="below zero"):
        st.spi(-values, MONTHS)
    with pytest.raises(ValueError, match="leaps"):
        st.spi(values[1:], np.delete(MONTHS, 5))


def test_spei_recovers_a_log_logistic() -> None:
    rng = np.random.default_rng(4)
    years = 4000
    months = np.arange(0, 12 * years).astype("datetime64[M]")
    u = rng.random(months.size)
    k, a, c = -0.2, 30.0, 10.0
    values = c + a / k * (1 - ((1 - u) / u) ** k)
    found = st.spei(values, months, scale=1)
    assert found.parameters["shape"].mean() == pytest.approx(k, abs=0.02)
    assert found.parameters["scale"].mean() == pytest.approx(a, rel=0.03)
    assert np.quantile(np.abs(found.index - norm.ppf(u)), 0.99) < 0.1
    assert found.index.mean() == pytest.approx(0.0, abs=0.02)
    assert found.index.std() == pytest.approx(1.0, abs=0.02)


def test_spei_of_constant_months_is_undefined() -> None:
    values = rain(shape=(2,))
    values[:, 0] = 12.0
    index = st.spei(values, MONTHS, scale=3, calibration=(1985, 2015)).index
    assert np.isnan(index[:, 0]).all()
    assert np.isfinite(index[2:, 1]).all()


def test_classes_are_half_open() -> None:
    index = [0.1, 0.0, -0.99, -1.0, -1.5, -2.0, np.nan]
    assert drought.drought_classes(index).tolist() == [0, 1, 1, 2, 3, 4, NODATA]
    milder = drought.drought_classes(index, "trends_earth").tolist()
    assert milder == [0, 0, 1, 1, 2, 3, NODATA]


def test_the_worst_year_of_four_may_be_the_last() -> None:
    years = [2000, 2001, 2002, 2003, 2004]
    assert drought.year_blocks(years, 2000) == [[2000, 2001, 2002, 2003], [2004]]
    assert drought.year_blocks([], 2000) == []
    index = np.array([[-0.1, np.nan], [-1.0, np.nan], [np.nan, np.nan], [-2.5, np.nan]])
    worst, at = drought.worst_year(index)
    assert worst[0] == -2.5
    assert at.tolist() == [3, -1]
    assert np.isnan(worst[1])


def test_no_one_is_lost() -> None:
    people = np.array([5.0, np.nan, 7.0, 1.5])
    counted = drought.exposed([0, 1, NODATA, 4], people)
    assert counted.sum() == pytest.approx(np.nansum(people), rel=1e-12)
    with pytest.raises(ValueError, match="below zero"):
        drought.exposed([0], [-1.0])
    with pytest.raises(ValueError, match="0 to 4"):
        drought.exposed([5], [1.0])


def test_vulnerability_scales_each_factor_over_its_own_series() -> None:
    index = drought.vulnerability([[([1, 2, 3], 1), ([9, 9, 9], 1)], [([4, 3, 2], -1)]])
    np.testing.assert_allclose(index, [0.0, 0.375, 0.75])
    with pytest.raises(ValueError, match="factor"):
        drought.vulnerability([[]])


def test_extraterrestrial_radiation_of_fao_and_polar_night() -> None:
    assert pet.extraterrestrial_radiation(-20.0, 246.0) == pytest.approx(32.2, abs=0.05)
    assert pet.extraterrestrial_radiation(80.0, 355.0) == 0.0


def test_penman_monteith_of_fao_example_17() -> None:
    # Bangkok, April: FAO-56 example 17 gives 5.72 mm a day, with 0.14 MJ of heat into the soil.
    april = np.array(["2001-04"], "datetime64[M]")
    monthly = pet.penman_monteith([25.6], [34.8], [2.85], [2.0], [22.65], april, 13.73, 2.0)
    assert monthly[0] / 30 == pytest.approx(5.72, abs=0.06)


def test_hargreaves_and_thornthwaite_are_plausible_and_strict() -> None:
    months = np.arange("2001-01", "2002-01", dtype="datetime64[M]")
    mean = 12 + 14 * -np.cos(2 * np.pi * np.arange(12) / 12)
    warm = pet.thornthwaite(mean, months, 42.0)
    assert warm[0] == 0.0
    assert 120 < warm[6] < 180
    by_range = pet.hargreaves(mean - 6, mean + 6, months, 42.0)
    assert (by_range > warm).all()
    with pytest.raises(ValueError, match="minimum"):
        pet.hargreaves([5.0], [4.0], months[:1], 42.0)
