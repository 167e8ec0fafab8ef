"""Colours, maps and figures: what can be held against numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Geod
from rasterio.transform import from_origin

from ecotone.model.errors import EcotoneError
from ecotone.report import canvas, colours, glyphs, maps, plots


@pytest.mark.parametrize("name", ["brown-teal", "orange-violet"])
def test_two_sided_ramp_is_lightest_in_the_middle_and_darkens_evenly(name: str) -> None:
    shades = colours.ramp(name)
    light = np.array([colours.luminance(shades(x)[:3]) for x in np.linspace(0, 1, 101)])
    assert light.argmax() in range(48, 53)
    assert (np.diff(light[:50]) > -1e-6).all() and (np.diff(light[51:]) < 1e-6).all()
    assert abs(light[0] - light[-1]) < 0.03
    assert light.max() - light.min() > 0.7


def test_one_sided_ramp_darkens() -> None:
    shades = colours.ramp("pale-blue")
    light = [colours.luminance(shades(x)[:3]) for x in np.linspace(0, 1, 51)]
    assert (np.diff(light) < 0).all()


def test_tones_differ_in_lightness_or_shape() -> None:
    """Each tone has a mark of its own, so colour is never the only sign."""
    assert len(set(colours.MARKS.values())) == len(colours.MARKS)
    assert colours.luminance((1, 1, 1)) == pytest.approx(1.0)
    assert colours.luminance((0, 0, 0)) == 0.0


def _raster(path: Path, values: np.ndarray, west: float = 70.0, north: float = 40.0) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=1,
        dtype="float32", crs="EPSG:4326", transform=from_origin(west, north, 0.01, 0.01),
        nodata=np.nan,
    ) as out:  # fmt: skip
        out.write(values.astype("float32"), 1)
    return path


def test_frame_is_equal_area_about_the_middle(tmp_path: Path) -> None:
    path = _raster(tmp_path / "a.tif", np.ones((100, 200)))
    frame = maps.frame_of_rasters([path], None)
    west, south, east, north = frame.box
    assert west == pytest.approx(-east, rel=0.01) and south == pytest.approx(-north, rel=0.02)
    wide = Geod(ellps="WGS84").line_length([70, 72], [39.5, 39.5])
    assert east - west == pytest.approx(wide * 1.05, rel=0.02)
    assert "laea" in frame.crs.to_proj4()


def test_layer_keeps_values_and_gaps(tmp_path: Path) -> None:
    values = np.zeros((100, 100))
    values[:, 50:] = 5.0
    values[:20, :20] = np.nan
    path = _raster(tmp_path / "a.tif", values)
    layer = maps.read_layer(path, maps.frame_of_rasters([path], None))
    known = layer.values[np.isfinite(layer.values)]
    assert set(np.unique(known)) == {0.0, 5.0}
    assert 0.02 < np.isnan(layer.values).mean() < 0.12


def test_a_large_raster_is_read_at_the_size_of_the_paper(tmp_path: Path) -> None:
    path = _raster(tmp_path / "a.tif", np.ones((3000, 2000)))
    layer = maps.read_layer(path, maps.frame_of_rasters([path], None))
    assert max(layer.values.shape) <= 900


def test_field_limits_are_round_symmetric_and_say_what_lies_beyond() -> None:
    values = np.linspace(-0.012, 0.004, 10_001, dtype="float32").reshape(73, 137)
    field = maps.make_field([maps.Layer(values, (0, 0, 1, 1))], "brown-teal")
    assert (field.low, field.high, field.beyond) == (-0.012, 0.012, "min") or (
        field.low == -field.high and field.beyond in {"min", "neither"}
    )
    empty = maps.make_field([maps.Layer(np.full((3, 3), np.nan, "f4"), (0, 0, 1, 1))], "pale-blue")
    assert np.isfinite([empty.low, empty.high]).all()


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0117, 0.015), (1.0, 1.0), (97, 100), (3.2, 4.0), (0, 0)]
)
def test_round_up(value: float, expected: float) -> None:
    assert maps.round_up(value) == pytest.approx(expected)


def test_dots_mark_blocks_with_a_majority_of_small_p() -> None:
    p = np.ones((140, 140), dtype="float32")
    p[:70, :70] = 0.01
    field = maps.make_field(
        [maps.Layer(p, (0, 0, 140, 140))], "brown-teal", [maps.Layer(p, (0, 0, 140, 140))]
    )
    assert len(field.dots) == 35 * 35
    assert field.dots[:, 0].max() < 70 < field.dots[:, 1].min()


def _pixels(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def test_station_map_has_no_clock_and_the_width_of_the_column() -> None:
    stations = [maps.Station(70.0, 40.0, "bad"), maps.Station(71.0, 40.5, "good")]
    frame = maps.frame_of_stations(stations, None)
    legend = {"good": "达标", "bad": "超标"}
    first, second = (
        maps.station_map(stations, frame, None, legend, "zh", "地图 1") for _ in range(2)
    )
    assert first == second
    assert _pixels(first)[0] == int(canvas.WIDTH * canvas.DPI)
    assert b"Software" not in first and b"tIME" not in first


def test_dollar_signs_are_letters_not_formulas() -> None:
    panel = plots.Panel("a_1$b$^2", (plots.Dot("x$y", 1.0, 0.5, 1.5), plots.Dot("z", None)))
    assert plots.intervals([panel], {}, "en", "Figure 1").startswith(b"\x89PNG")


def test_a_figure_with_a_sign_no_font_has_is_refused() -> None:
    panel = plots.Panel("བོད", (plots.Dot("x", 1.0),))
    with pytest.raises(glyphs.MissingGlyph) as caught:
        plots.intervals([panel], {}, "en", "Figure 7")
    assert isinstance(caught.value, EcotoneError) and "Figure 7" in caught.value.message


def test_the_style_of_others_is_left_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.intervals([plots.Panel("a", (plots.Dot("x", 1.0),))], {}, "en", "Figure 1")
    assert dict(matplotlib.rcParams) == before
