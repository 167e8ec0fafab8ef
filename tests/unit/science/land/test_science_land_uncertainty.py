"""Accuracy-adjusted areas against the published example; rain taken off vegetation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from ecotone.science.land.accuracy import adjusted_areas
from ecotone.science.land.climate import rain_residuals


def test_the_example_of_olofsson() -> None:
    # Olofsson et al. (2014), tables 8 and 9: 30 m pixels of deforestation, gain, forest, other.
    pixels = np.array([200_000, 150_000, 3_200_000, 6_450_000])
    confusion = [[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]]
    found = adjusted_areas(pixels * 0.09, confusion)
    assert found.area[0] == pytest.approx(21_158, abs=1)
    assert found.high[0] - found.area[0] == pytest.approx(6_158, abs=1)
    assert found.overall == pytest.approx(0.947, abs=5e-4)
    assert found.users[0] == pytest.approx(0.88, abs=5e-3)
    assert found.producers[0] == pytest.approx(0.75, abs=5e-3)
    assert found.area.sum() == pytest.approx(900_000)


@pytest.mark.parametrize(
    ("mapped", "confusion", "level", "said"),
    [
        ([1.0], [[1, 2]], 0.95, "row and a column"),
        ([1.0], [[5]], 1.0, "level"),
        ([1.0], [[-5]], 0.95, "below zero"),
        ([1.0, 1.0], [[1, 0], [3, 3]], 0.95, "two samples"),
    ],
)
def test_what_cannot_be_adjusted(
    mapped: list[float], confusion: list[list[int]], level: float, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        adjusted_areas(mapped, confusion, level)


def test_residuals_are_those_of_the_line() -> None:
    rng = np.random.default_rng(3)
    rain = rng.gamma(4, 60, (16, 3))
    green = 0.2 + 0.0005 * rain + 0.02 * rng.standard_normal(rain.shape)
    green[4, 0] = np.nan
    rain[:, 2] = 250.0
    found = rain_residuals(green, rain)
    for pixel in (0, 1):
        there = np.isfinite(green[:, pixel])
        line = linregress(rain[there, pixel], green[there, pixel])
        assert found.slope[pixel] == pytest.approx(line.slope)
        assert found.p[pixel] == pytest.approx(line.pvalue)
        wanted = green[:, pixel] - line.intercept - line.slope * rain[:, pixel]
        np.testing.assert_allclose(found.residual[:, pixel], wanted, atol=1e-12)
    assert found.valid.tolist() == [True, True, False]
    assert np.isnan(found.r[2])


def test_vegetation_that_does_not_follow_rain_is_not_valid() -> None:
    rain = np.linspace(100, 400, 12)[:, None]
    assert not rain_residuals(0.6 - 0.001 * rain, rain).valid[0]
    with pytest.raises(ValueError, match="four years"):
        rain_residuals([[1.0]], [[1.0]])
