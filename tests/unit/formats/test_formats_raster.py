from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin
from rasterio.windows import Window
from shapely.geometry import box
from tests.support import shared

from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.raster import FORMAT, open_stack
from ecotone.formats.raster_dates import day_in
from ecotone.formats.raster_write import describe, same_numbers, write_cube, write_geotiff
from ecotone.formats.safe import open_source

GRID = from_origin(70.0, 40.0, 0.5, 0.25)


def tiff(
    path: Path, data: np.ndarray, *, nodata=None, crs="EPSG:4326", names=(), **profile
) -> Path:
    bands = data if data.ndim == 3 else data[None]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype=bands.dtype,
        count=len(bands),
        height=bands.shape[1],
        width=bands.shape[2],
        transform=profile.pop("transform", GRID),
        crs=crs,
        nodata=nodata,
    ) as out:
        out.write(bands)
        if names:
            out.descriptions = names
        for name, value in profile.items():
            setattr(out, name, value)
    return path


def netcdf(path: Path, *, lat=(38.0, 39.0, 40.0), lon=(70.0, 71.0), **changes) -> Path:
    with netCDF4.Dataset(path, "w") as data:
        for name, size in (("time", 2), ("lat", len(lat)), ("lon", len(lon))):
            data.createDimension(name, size)
        time = data.createVariable("time", "f8", ("time",))
        time.units = changes.get("units", "days since 2000-01-01")
        time.calendar = changes.get("calendar", "standard")
        time[:] = changes.get("times", (0, 366))
        for name, values, unit in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            axis = data.createVariable(name, "f8", (name,))
            axis.units = unit
            axis[:] = values
        for name in changes.get("variables", ("ndvi",)):
            var = data.createVariable(name, "i2", ("time", "lat", "lon"), fill_value=-99)
            var.set_auto_maskandscale(False)
            var.scale_factor = 0.1
            var.add_offset = 1.0
            var.valid_range = np.array([-50, 50], dtype="i2")
            var[:] = np.arange(2 * len(lat) * len(lon)).reshape(2, len(lat), len(lon))
            var[0, 0, 0] = -99
            var[1, 0, 0] = 77
    return path


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("ndvi_2001-07-15", "2001-07-15"),
        ("ndvi_20010715_v2", "2001-07-15"),
        ("MOD13Q1.A2001196.h23v05", "2001-07-15"),
        ("MOD13Q1.A2000366", "2000-12-31"),
        ("ndvi.2001.07", "2001-07-01"),
        ("ndvi2001", "2001-01-01"),
        ("ndvi_2001-02-30", None),
        ("2001-01-01_2001-12-31", None),
        ("tile_h23v05", None),
        ("A2001366", None),
    ],
)
def test_dates_in_names(text, day):
    found = day_in(text)
    if day is None:
        assert found is None or (found.year == 2001 and (found.month, found.day) == (2, 1))
    else:
        assert found == dt.date.fromisoformat(day)


@given(
    st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)), st.sampled_from(["%Y-%m-%d", "%Y%m%d"])
)
def test_any_date_in_a_name_is_found(day, form):
    assert day_in(f"ndvi_{day.strftime(form)}_v1") == day


def test_netcdf_north_up_scaled_and_masked(tmp_path):
    with open_stack([netcdf(tmp_path / "a.nc")]) as stack:
        assert [str(t) for t in stack.times] == ["2000-01-01", "2001-01-01"]
        assert stack.transform.f == 40.5 and stack.transform.e == -1.0
        values = stack.read(Window(0, 0, 2, 3))
    # The file runs south to north: its first row is our last; its fill and its 77 are no values.
    assert np.isnan(values[0, 2, 0]) and np.isnan(values[1, 2, 0])
    assert values[0, 2, 1] == pytest.approx(1 * 0.1 + 1.0)
    assert values[1, 0, 1] == pytest.approx(11 * 0.1 + 1.0)


def test_netcdf_windows_are_cut_from_the_whole(tmp_path):
    with open_stack([netcdf(tmp_path / "a.nc")]) as stack:
        whole = stack.read(Window(0, 0, 2, 3))
        part = stack.read(Window(1, 1, 1, 2))
    np.testing.assert_array_equal(part, whole[:, 1:3, 1:2])


def test_days_of_a_360_day_calendar_stay_in_their_month(tmp_path):
    path = netcdf(tmp_path / "a.nc", calendar="360_day", times=(59, 419))
    with open_stack([path]) as stack:
        assert [str(t) for t in stack.times] == ["2000-02-29", "2001-02-28"]


def test_longitudes_counted_to_360(tmp_path):
    with open_stack([netcdf(tmp_path / "a.nc", lon=(270.0, 271.0))]) as stack:
        assert stack.bounds()[0] == -90.5
    with open_stack([netcdf(tmp_path / "b.nc", lon=(179.5, 180.5, 181.5))]) as stack:
        mask = stack.mask(box(-180, 37, -178, 41), Window(0, 0, 3, 3))
        assert mask[0].tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"variables": ("a", "b")}, "raster-variable-many"),
        ({"variables": ()}, "raster-no-stack"),
        ({"lat": (38.0, 39.0, 41.0)}, "raster-grid-irregular"),
        ({"lat": (38.0,)}, "raster-grid-irregular"),
        ({"times": (5, 5)}, "raster-date-repeated"),
    ],
)
def test_netcdf_that_is_no_stack_is_refused(tmp_path, changes, code):
    with pytest.raises(Refused) as refusal:
        open_stack([netcdf(tmp_path / "a.nc", **changes)])
    assert refusal.value.finding.code == code


def test_a_named_variable(tmp_path):
    path = netcdf(tmp_path / "a.nc", variables=("a", "b"))
    assert open_stack([path], variable="b").layers.variable == "b"
    with pytest.raises(Refused) as refusal:
        open_stack([path], variable="c")
    assert refusal.value.finding.code == "raster-variable-absent"


def test_a_folder_of_dated_files_in_the_order_of_dates(tmp_path):
    for year in (2003, 2001, 2002):
        tiff(tmp_path / f"n_{year}.tif", np.full((2, 3), year, dtype="int16"), nodata=-1)
    with open_stack([tmp_path]) as stack:
        assert [str(t)[:4] for t in stack.times] == ["2001", "2002", "2003"]
        assert stack.read(Window(0, 0, 3, 2))[:, 0, 0].tolist() == [2001, 2002, 2003]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"transform": from_origin(71.0, 40.0, 0.5, 0.25)}, "raster-grid-differs"),
        ({"crs": "EPSG:32642"}, "raster-grid-differs"),
        ({"nodata": 5}, "raster-encoding-differs"),
        ({"scales": (0.5,)}, "raster-encoding-differs"),
    ],
)
def test_layers_that_do_not_fit_together(tmp_path, change, code):
    plain = np.zeros((2, 3), dtype="int16")
    tiff(tmp_path / "n_2001.tif", plain, nodata=-1)
    tiff(tmp_path / "n_2002.tif", plain, **{"nodata": -1, **change})
    with pytest.raises(Refused) as refusal:
        open_stack([tmp_path])
    assert refusal.value.finding.code == code


def test_refusals_of_tiffs(tmp_path):
    two = np.zeros((2, 2, 3), dtype="float32")
    cases = {
        "raster-dates-missing": [tiff(tmp_path / "undated.tif", two)],
        "raster-folder-bands": [
            tiff(tmp_path / "a_2001.tif", two),
            tiff(tmp_path / "a_2002.tif", two),
        ],
        "raster-date-repeated": [
            tiff(tmp_path / "b_2001.tif", two[0]),
            tiff(tmp_path / "c_2001.tif", two[0]),
        ],
    }
    broken = tmp_path / "broken_2001.tif"
    broken.write_bytes(b"II*\0 nothing")
    cases["raster-unreadable"] = [broken]
    cases["raster-no-stack"] = [tmp_path / "empty"]
    (tmp_path / "empty").mkdir()
    for code, paths in cases.items():
        with pytest.raises(Refused) as refusal:
            open_stack(paths)
        assert refusal.value.finding.code == code


def test_a_truncated_tiff_says_so_when_read(tmp_path):
    path = tiff(tmp_path / "n_2001.tif", np.random.default_rng(1).random((300, 300)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Refused) as refusal, open_stack([path]) as stack:
        stack.read(Window(0, 0, 300, 300))
    assert refusal.value.finding.code == "raster-unreadable"


def test_blocks_cover_every_pixel_once(tmp_path):
    path = tiff(tmp_path / "n_2001.tif", np.zeros((37, 53), dtype="uint8"))
    with open_stack([path]) as stack:
        for size in (4, 16, 512):
            seen = np.zeros((37, 53), dtype=int)
            for window in stack.blocks(size):
                assert window.width * window.height <= max(size * size, 53)
                rows = slice(window.row_off, window.row_off + window.height)
                seen[rows, window.col_off : window.col_off + window.width] += 1
            assert (seen == 1).all()


def test_a_mask_holds_pixels_whose_centre_is_inside(tmp_path):
    path = tiff(tmp_path / "n_2001.tif", np.zeros((4, 4), dtype="uint8"))
    with open_stack([path]) as stack:
        # Pixel centres: 70.25, 70.75 ... and 39.875, 39.625 ...
        inside = stack.mask(box(70.0, 39.6, 70.8, 40.0), Window(0, 0, 4, 4))
        assert inside.astype(int).tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]
        moved = stack.mask(box(70.0, 39.6, 70.8, 40.0), Window(1, 1, 2, 2))
        np.testing.assert_array_equal(moved, inside[1:3, 1:3])


def test_a_mask_in_a_projected_grid_and_without_any(tmp_path):
    utm = from_origin(500_000.0, 4_430_000.0, 1000.0, 1000.0)
    path = tiff(
        tmp_path / "n_2001.tif", np.zeros((4, 4), dtype="uint8"), crs="EPSG:32642", transform=utm
    )
    with open_stack([path]) as stack:
        west, south, east, north = stack.bounds()
        assert 68.9 < west < east < 69.1 and 39.9 < south < north < 40.1
        assert stack.mask(box(60, 30, 80, 50), Window(0, 0, 4, 4)).all()
    bare = tiff(tmp_path / "m_2001.tif", np.zeros((4, 4), dtype="uint8"), crs=None)
    with open_stack([bare]) as stack, pytest.raises(Refused):
        stack.mask(box(60, 30, 80, 50), Window(0, 0, 4, 4))


def test_a_cube_keeps_every_stored_number(tmp_path):
    with open_stack([netcdf(tmp_path / "a.nc")]) as stack:
        write_cube(stack, tmp_path / "cube.tif")
        write_cube(stack, tmp_path / "again.tif")
        before = stack.read(Window(0, 0, 2, 3))
    assert (tmp_path / "cube.tif").read_bytes() == (tmp_path / "again.tif").read_bytes()
    with open_stack([tmp_path / "cube.tif"]) as cube:
        np.testing.assert_array_equal(cube.read(Window(0, 0, 2, 3)), before)
        assert cube.layers.variable == "ndvi"
        assert [str(t) for t in cube.times] == ["2000-01-01", "2001-01-01"]


def test_a_stack_travels_to_a_worker(tmp_path):
    for path in (netcdf(tmp_path / "a.nc"), None):
        source = path or tiff(tmp_path / "n_2001.tif", np.ones((2, 3), dtype="int16"))
        with open_stack([source]) as stack:
            window = Window(0, 0, 2, 2)
            here = stack.read(window)
            there = pickle.loads(pickle.dumps(stack))
            np.testing.assert_array_equal(there.read(window), here)
            there.close()


def test_written_results_do_not_depend_on_the_order_of_blocks(tmp_path):
    values = np.arange(600 * 700, dtype=np.float32).reshape(600, 700)
    values[3, 4] = np.nan
    windows = [Window(0, 0, 700, 300), Window(0, 300, 700, 300)]
    for name, order in (("a", windows), ("b", windows[::-1])):
        write_geotiff(
            tmp_path / f"{name}.tif",
            shape=(600, 700),
            transform=GRID,
            crs=rasterio.crs.CRS.from_epsg(4326),
            blocks=((w, values[w.row_off : w.row_off + w.height]) for w in order),
            tags={"indicator": "x"},
        )
    a, b = tmp_path / "a.tif", tmp_path / "b.tif"
    assert a.read_bytes() == b.read_bytes()
    with rasterio.open(a) as data:
        np.testing.assert_array_equal(data.read(1), values)
        assert data.tags()["indicator"] == "x"


def test_same_numbers_in_other_bytes(tmp_path):
    data = np.array([[1.0, np.nan]], dtype="float32")
    one = tiff(tmp_path / "a.tif", data)
    other = tiff(tmp_path / "b.tif", data, names=("described",))
    assert same_numbers(one, other)
    assert not same_numbers(one, tiff(tmp_path / "c.tif", data + 1))
    assert not same_numbers(one, tiff(tmp_path / "d.tif", data, crs="EPSG:4284"))
    (tmp_path / "e.tif").write_bytes(b"no raster")
    assert not same_numbers(one, tmp_path / "e.tif")


def test_a_delivery_of_rasters_is_one_coverage(tmp_path):
    netcdf(tmp_path / "a.nc")
    found: list = []
    with open_source(tmp_path / "a.nc") as source:
        assert FORMAT.recognise(source)
        (table,) = FORMAT.read(source, ReadOptions(), found.append, lambda *row: None)
    record = table.frame.iloc[0]
    assert (table.type, record["times"], record["time"]) == (
        "Coverage",
        "2",
        "2000-01-01/2001-01-01",
    )
    assert '"proj:code": "EPSG:4326"' in record["stac"]
    assert found == []


def test_a_text_file_is_no_raster(tmp_path):
    (tmp_path / "a.tif").write_text("not a raster")
    with open_source(tmp_path / "a.tif") as source:
        assert not FORMAT.recognise(source)


def test_description_without_reference_system(tmp_path):
    bare = tiff(tmp_path / "m_2001.tif", np.zeros((4, 4), dtype="uint8"), crs=None)
    with open_stack([bare]) as stack:
        told = describe(stack, "bare")
    assert told["crs"] is None and "west" not in told


def test_kilimanjaro_reference():
    with open_stack([shared("land/ndvi_kilimanjaro_gimms3g_v0.nc")]) as stack:
        assert (len(stack.times), stack.height, stack.width) == (768, 9, 10)
        assert str(stack.times[0]) == "1982-01-01"
