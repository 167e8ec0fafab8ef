"""Areas on the ellipsoid, shares of cells, exact quantiles of units."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, Point, Polygon, box

from ecotone.science.land.areas import authalic_height, cell_areas, geodesic_area, quad_areas
from ecotone.science.land.coverage import coverage, rings_of
from ecotone.science.land.quantiles import unit_quantiles

EARTH_KM2 = 510065621.724  # WGS 84


def test_all_cells_of_the_earth_sum_to_the_earth() -> None:
    edges = np.linspace(90, -90, 721)
    assert cell_areas(edges, 360.0).sum() / 1e6 == pytest.approx(EARTH_KM2, rel=1e-9)
    assert authalic_height(90.0) == -authalic_height(-90.0)


def test_rows_in_either_order_and_no_rows_beyond_a_pole() -> None:
    assert cell_areas([10, 11], 0.5) == cell_areas([11, 10], -0.5)
    assert cell_areas([], 1.0).size == 0
    with pytest.raises(ValueError, match="-90"):
        cell_areas([91, 90], 1.0)


def test_a_cell_across_180_degrees_is_like_any_other() -> None:
    here = quad_areas([[10.0, 10.5], [10.0, 10.5]], [[51.0, 51.0], [50.5, 50.5]])
    there = quad_areas([[179.75, -179.75], [179.75, -179.75]], [[51.0, 51.0], [50.5, 50.5]])
    assert there == pytest.approx(here, rel=1e-12)
    assert here[0, 0] == pytest.approx(cell_areas([51.0, 50.5], 0.5)[0], rel=1e-12)


def test_geodesic_area_of_parts_holes_and_lines() -> None:
    whole = geodesic_area(box(70, 40, 71, 41))
    holed = box(70, 40, 71, 41).difference(box(70.25, 40.25, 70.75, 40.75))
    assert geodesic_area(holed) == pytest.approx(
        whole - geodesic_area(box(70.25, 40.25, 70.75, 40.75)), rel=1e-9
    )
    two = MultiPolygon([box(70, 40, 71, 41), box(72, 40, 73, 41)])
    assert geodesic_area(two) == pytest.approx(2 * whole, rel=1e-9)
    assert geodesic_area(Point(70, 40)) == 0.0


@pytest.mark.parametrize(
    "shape",
    [
        box(0.25, 0.5, 3.75, 2.25),
        Polygon([(-3, -1), (8, 2), (2, 9)]),
        Point(2, 2).buffer(1.7).difference(Point(2, 2.2).buffer(0.6)),
        MultiPolygon([box(0, 0, 1, 1), box(2.5, 0.5, 6, 1.5), box(-4, 2, -1, 3)]),
    ],
)
def test_shares_are_those_of_polygon_overlay(shape: Polygon) -> None:
    shares = coverage(rings_of(shape), 4, 5)
    wanted = [
        [shape.intersection(box(x, y, x + 1, y + 1)).area for x in range(5)] for y in range(4)
    ]
    np.testing.assert_allclose(shares, wanted, atol=1e-10)


def test_nothing_covers_nothing() -> None:
    assert coverage(rings_of(Polygon()), 2, 2).tolist() == [[0, 0], [0, 0]]
    assert coverage(rings_of(box(-5, -5, 9, 9)), 2, 2).tolist() == [[1, 1], [1, 1]]


def test_quantiles_do_not_depend_on_the_chunks() -> None:
    rng = np.random.default_rng(5)
    units = rng.integers(-1, 6, 500)
    values = np.where(rng.random(500) < 0.1, np.nan, rng.normal(0, 3, 500))
    values[:9] = -0.0
    for parts in (1, 7):
        cut = list(zip(np.array_split(units, parts), np.array_split(values, parts), strict=True))
        found = unit_quantiles(lambda cut=cut: cut, 0.9)
        for unit, number, quantile in zip(found.units, found.counts, found.quantile, strict=True):
            here = values[(units == unit) & np.isfinite(values)]
            assert number == here.size
            assert quantile == pytest.approx(np.quantile(here, 0.9), abs=1e-12)
    assert np.isnan(found.of(np.array([99, -1]))).all()


def test_quantiles_of_nothing_and_of_one() -> None:
    none = unit_quantiles(lambda: [(np.array([-1]), np.array([1.0]))], 0.9)
    assert none.units.size == 0
    assert np.isnan(none.of(np.array([0]))).all()
    one = unit_quantiles(lambda: [(np.array([3]), np.array([1.5]))], 0.9)
    assert one.of(np.array([3])).tolist() == [1.5]
    with pytest.raises(ValueError, match="share"):
        unit_quantiles(lambda: [], 1.5)
