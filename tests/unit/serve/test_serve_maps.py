"""Squares of the web's grid: where places fall, and that neighbours meet."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from ecotone.model.errors import UsageError
from ecotone.serve import maps
from ecotone.serve.views import View


def a_view(longitude, latitude, cell=None) -> View:
    nothing = View.nothing("Site")
    coarse = {"release_level": "generalised", "dataset_id": "d", "class": "c"} if cell else {}
    frame = pd.DataFrame({"longitude": longitude, "latitude": latitude, **coarse})
    import pyarrow as pa

    rows = pa.Table.from_pandas(frame, preserve_index=False)
    cells = {("d", "c"): cell} if cell else {}
    return View(nothing.wanted, nothing.marks, rows, nothing.groups, cells)


def tile(view: View, zoom: int, column: int, row: int) -> maps.Drawing:
    return maps.draw_tile(view, np.arange(view.rows.num_rows), (zoom, column, row))


def test_the_middle_of_the_world_stands_in_the_middle_and_degrees_as_the_grid_has_them():
    drawn = tile(a_view([0.0], [0.0]), 0, 0, 0)
    assert drawn.points == [(128 + maps.EDGE + 0.5, 128 + maps.EDGE + 0.5)]
    # OpenStreetMap's formula for Dushanbe: x = (lon + 180) / 360, y by asinh(tan(lat)).
    lon, lat, zoom = 68.7791, 38.5358, 9
    x = (lon + 180) / 360 * 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom
    assert (int(x), int(y)) == (353, 196)
    ((across, down),) = tile(a_view([lon], [lat]), zoom, 353, 196).points
    assert across - maps.EDGE == pytest.approx((x % 1) * 256, abs=0.6)
    assert down - maps.EDGE == pytest.approx((y % 1) * 256, abs=0.6)
    assert tile(a_view([lon], [lat]), zoom, 352, 195).empty


def test_a_place_at_the_edge_stands_on_both_squares_and_a_cell_on_all_it_touches():
    one = a_view([0.001], [10.0])
    assert tile(one, 5, 16, 15).points and tile(one, 5, 15, 15).points
    wide = a_view([0.0], [0.0], cell=1.0)
    for column, row in ((15, 15), (16, 15), (15, 16), (16, 16)):
        assert len(tile(wide, 5, column, row).squares) == 1
    (square,) = tile(wide, 8, 128, 128).squares
    assert square[2] == pytest.approx(square[3], abs=0.2) == pytest.approx(256 * 256 / 360, abs=0.2)


def test_many_places_are_counted_in_squares_that_meet_over_the_edge():
    rng = np.random.default_rng(1)
    view = a_view(rng.uniform(-40, 40, 60_000), rng.uniform(-40, 40, 60_000))
    left, right = tile(view, 1, 0, 0), tile(view, 1, 1, 0)
    assert not left.points and left.counted and right.counted
    assert {side for *_, side, _ in left.counted} == {8}
    # The last column of one square is the edge of the next.
    last = {(y, n) for x, y, _, _, n in left.counted if x == 256}
    edge = {(y, n) for x, y, _, _, n in right.counted if x == 0}
    assert last == edge


@pytest.mark.parametrize("wrong", [(1, 2, 0), (1, 0, 2), (19, 0, 0), (-1, 0, 0)])
def test_squares_that_are_not_there_are_refused(wrong):
    with pytest.raises(UsageError):
        tile(a_view([0.0], [0.0]), *wrong)
