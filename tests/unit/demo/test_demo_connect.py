"""The window on the border: a fence with one way through, and a truth of its own."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Transformer
from scipy.ndimage import label

from ecotone.demo import noise
from ecotone.demo.countries import make_countries
from ecotone.demo.simulate_connect import (
    BELT,
    RESISTS,
    ROAD,
    UNDERPASS,
    Crossing,
    make_crossing,
)
from ecotone.demo.terrain import make_terrain

EIGHT = np.ones((3, 3))


@pytest.fixture(scope="module")
def crossing() -> Crossing:
    streams = noise.streams(1, ("terrain", "countries"))
    return make_crossing(make_terrain(streams["terrain"]), make_countries(streams["countries"]))


def test_only_the_underpass_leads_through_the_fence(crossing):
    open_land = (crossing.land != ROAD) & (crossing.land != UNDERPASS)
    _, closed = label(open_land, EIGHT)
    _, opened = label(crossing.land != ROAD, EIGHT)
    assert (closed, opened) == (2, 1)


def test_the_belt_meets_the_fence_where_it_is_said_to(crossing):
    turn = Transformer.from_crs("EPSG:4326", crossing.crs, always_xy=True)
    for place, wanted in ((crossing.barrier, ROAD), (crossing.underpass, UNDERPASS)):
        x, y = turn.transform(*place)
        column, row = ~crossing.transform * (x, y)
        assert crossing.land[int(row), int(column)] == wanted
    x, y = turn.transform(*crossing.barrier)
    column, row = ~crossing.transform * (x, y)
    assert {BELT} <= set(crossing.land[int(row) - 3 : int(row) + 4, int(column)].tolist())


def test_every_class_of_the_window_has_a_resistance_within_its_range(crossing):
    assert set(np.unique(crossing.land).tolist()) <= set(RESISTS)
    for true, best, low, high in RESISTS.values():
        assert low <= true <= high and low <= best <= high


def test_what_is_connected_lies_between_the_largest_core_and_all_of_them(crossing):
    areas = np.array([core.area for core in crossing.cores.values()]) / 10_000
    assert np.sqrt((areas**2).sum()) < crossing.connected < areas.sum()
