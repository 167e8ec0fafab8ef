"""Wind erosion, drift of sand, aridity, cover and sensitivity by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.land import dryland, sand, wind

LOAM = wind.Soil(*(np.array([v]) for v in (45.0, 40.0, 15.0, 1.5, 10.0)))


def test_mean_wind_underestimates() -> None:
    gusts = np.array([4.0, 12.0])[:, None]
    every = wind.weather_factor(gusts, 15, 1.2)
    mean = wind.weather_factor(gusts.mean(axis=0)[None], 15, 1.2)
    assert every[0] == pytest.approx(12 * 49 / 2 * 15 * 1.2 / 9.8)
    assert every > mean
    assert np.isnan(wind.weather_factor(np.array([[np.nan]]), 15, 1.2))


def test_cover_is_in_percent() -> None:
    assert wind.cover_factor(50.0) == pytest.approx(0.1119, abs=1e-4)
    assert wind.cover_factor(0.0, 100.0, 0.3) == pytest.approx(
        np.exp(-0.0344 * 100**0.6413 - 5.614 * 0.3**0.7366)
    )


def test_a_hotter_spot_loses_more_by_the_mean() -> None:
    mild = wind.wind_erosion(100.0, 0.5, 0.8, 1.0, 1.0, 50.0)
    strong = wind.wind_erosion(1000.0, 0.5, 0.8, 1.0, 1.0, 50.0)
    assert strong.mean_loss > mild.mean_loss
    assert strong.point_loss < mild.point_loss
    calm = wind.wind_erosion(0.0, 0.5, 0.8, 1.0, 1.0, 50.0)
    assert calm.mean_loss == 0
    assert np.isinf(calm.scale)
    with pytest.raises(ValueError, match="length"):
        wind.wind_erosion(1.0, 1.0, 1.0, 1.0, 1.0, 0.0)


def test_soils_outside_the_equations_are_marked() -> None:
    clayey = wind.Soil(*(np.array([v]) for v in (20.0, 20.0, 60.0, 1.0, 1.0)))
    assert not LOAM.outside()[0]
    assert not LOAM.unbalanced()[0]
    assert clayey.outside()[0]
    assert wind.erodible_fraction(LOAM)[0] == pytest.approx(0.37445)
    assert wind.crust_factor(LOAM)[0] == pytest.approx(0.394906, rel=1e-5)


def test_small_factors() -> None:
    assert wind.roughness_factor(0.0, 0.0) == 1.0
    assert wind.wind_at_2_m(7.0) == pytest.approx(7.0 * 0.2 ** (1 / 7))
    wet = wind.soil_wetness([100.0, 100.0, 0.0], [30.0, 900.0, 5.0], 5, 10)
    assert wet.tolist() == [0.85, 0.0, 0.0]
    assert wind.erosion_classes([50.0, 2500.0, np.nan]).tolist() == [1, 3, 0]


def test_drift_from_all_sides_cancels() -> None:
    speeds = np.full(4, 20 * sand.KNOT)
    around = sand.sand_drift(speeds, [0.0, 90.0, 180.0, 270.0])
    assert around.potential == pytest.approx(400 * 8 / 100 * 100)
    assert around.resultant == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(around.direction)
    one = sand.sand_drift(speeds, np.full(4, 315.0))
    assert one.direction == pytest.approx(135.0)
    assert one.ratio == pytest.approx(1.0)
    assert one.moving == 100.0


def test_weighting_factors_of_fryberger() -> None:
    """Classes of their table: 13.5 knots has 2.7, 19 knots 25.3, 24.5 knots about 75."""
    for knots, factor in ((13.5, 2.7), (19.0, 25.3), (24.5, 75.0)):
        one = sand.sand_drift([knots * sand.KNOT], [0.0])
        assert one.potential / 100 == pytest.approx(factor, rel=0.013)


def test_calms_need_no_direction_and_nothing_may_drift() -> None:
    calm = sand.sand_drift([1.0, 2.0], [np.nan, 90.0])
    assert calm.potential == 0.0
    assert np.isnan(calm.ratio)
    with pytest.raises(ValueError, match="no reading"):
        sand.sand_drift([np.nan], [1.0])
    with pytest.raises(ValueError, match="below zero"):
        sand.sand_drift([-1.0, 3.0], [1.0, 1.0])


def test_classes_of_energy_and_dunes() -> None:
    assert [sand.drift_class(v) for v in (199, 200, 400, 401)] == [
        "low", "intermediate", "intermediate", "high",
    ]  # fmt: skip
    assert [sand.mobility_class(v) for v in (49, 50, 100, 200, 201)] == [
        "inactive", "crests", "crests", "plinths", "active",
    ]  # fmt: skip
    assert np.isinf(sand.dune_mobility(20.0, 0.0, 1000.0))


def test_aridity_and_cover() -> None:
    assert np.isnan(dryland.aridity_index(100.0, 0.0))
    assert dryland.aridity_classes([0.2, 0.5, np.nan]).tolist() == [3, 4, 0]
    with pytest.raises(ValueError, match="end member"):
        dryland.vegetation_cover([0.1], 0.5, 0.5)


def test_sensitivity_counts_its_factors() -> None:
    index, number = dryland.quality_index([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan]])
    assert index[0] == pytest.approx(2**0.5)
    assert np.isnan(index[1])
    assert number.tolist() == [2, 0]
    assert dryland.sensitivity(1.2, 1.4, 1.6, 1.8) == pytest.approx((1.2 * 1.4 * 1.6 * 1.8) ** 0.25)
    assert dryland.sensitivity_classes([1.17, 1.171, np.nan]).tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match="1 and 2"):
        dryland.quality_index([[3.0]])
    with pytest.raises(ValueError, match="at least one"):
        dryland.quality_index([])
