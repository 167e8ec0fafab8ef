"""Composites of a season, and areas of classes in one pass."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Point, box

from ecotone.science.land.coverage import class_areas, coverage, rings_of
from ecotone.science.land.season import Season, growing_season, season_of, yearly_productivity
from ecotone.science.land.status import area_by_code

MONTHS = np.arange("2001-01", "2004-01", dtype="datetime64[M]").astype("datetime64[D]") + 14


def course() -> np.ndarray:
    """Green from May to September, (time, 2): the second pixel half a year later."""
    month = MONTHS.astype("datetime64[M]").astype(int) % 12 + 1
    north = np.where((month >= 5) & (month <= 9), 0.6, 0.1)
    south = np.where((month >= 11) | (month <= 3), 0.6, 0.1)
    return np.column_stack([north, south])


def test_the_plain_year_is_the_mean_of_all() -> None:
    found = yearly_productivity(course(), MONTHS, 2001, 2003, Season())
    assert found == pytest.approx(np.full((3, 2), (5 * 0.6 + 7 * 0.1) / 12))
    assert season_of("YEAR").plain and not season_of("5-9").plain


def test_months_and_the_turn_of_the_year() -> None:
    summer = yearly_productivity(course(), MONTHS, 2001, 2003, season_of("5-9"))
    assert summer[:, 0] == pytest.approx(0.6)
    winter = yearly_productivity(course(), MONTHS, 2001, 2003, season_of("11-3"))
    assert winter[:, 1] == pytest.approx(0.6)
    lone = np.zeros(MONTHS.size)
    lone[10] = 1.0  # November 2001 belongs to the season that ends in 2002
    found = yearly_productivity(lone, MONTHS, 2001, 2003, season_of("11-3"))
    assert found[0] == 0.0 and found[1] == pytest.approx(1 / 5)


def test_each_pixel_has_its_own_season() -> None:
    inside = growing_season(course(), MONTHS)
    assert inside.sum(axis=0).tolist() == [15, 15]
    found = yearly_productivity(course(), MONTHS, 2001, 2003, season_of("phenology"))
    assert found == pytest.approx(np.full((3, 2), 0.6))
    flat = growing_season(np.full((MONTHS.size, 1), 0.3), MONTHS)
    assert flat.all()
    assert growing_season(np.full((MONTHS.size, 1), np.nan), MONTHS).all()


def test_years_with_too_few_composites_are_missing() -> None:
    values = course()
    values[12:21, 0] = np.nan  # nine months of 2002
    strict = yearly_productivity(values, MONTHS, 2001, 2003, season_of("year", 0.5))
    assert np.isnan(strict[1, 0]) and np.isfinite(strict[[0, 2], 0]).all()
    loose = yearly_productivity(values, MONTHS, 2001, 2003, season_of("year", 0.2))
    assert np.isfinite(loose).all()


def test_integrals_are_means_times_days() -> None:
    mean = yearly_productivity(course(), MONTHS, 2001, 2003, season_of("5-9"))
    whole = yearly_productivity(course(), MONTHS, 2001, 2003, season_of("5-9", measure="integral"))
    assert whole == pytest.approx(mean * 365.25 * 5 / 12)
    own = yearly_productivity(
        course(), MONTHS, 2001, 2003, season_of("phenology", measure="integral")
    )
    assert own == pytest.approx(np.full((3, 2), 0.6 * 365.25 * 5 / 12))


@pytest.mark.parametrize("text", ["summer", "0-5", "5-13", "5"])
def test_seasons_that_cannot_be(text: str) -> None:
    with pytest.raises(ValueError, match="season"):
        season_of(text)


def test_class_areas_are_coverage_times_area() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(-1, 5, (30, 40))
    shape = Point(19, 14).buffer(11).difference(box(15, 10, 20, 14))
    rings = rings_of(shape)
    rows = rng.uniform(1, 2, (30, 1))
    for areas in (rows, rows * rng.uniform(1, 2, (30, 40))):
        wanted = area_by_code(codes, areas * coverage(rings, 30, 40), (3, 1, 2))
        assert class_areas(rings, codes, areas, (3, 1, 2)) == pytest.approx(wanted, rel=1e-12)
