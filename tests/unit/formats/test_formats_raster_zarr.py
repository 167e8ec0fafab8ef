"""Zarr stores read as the NetCDF files they mirror; what could run code is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rasterio.windows import Window

from ecotone.assess.compute import compute
from ecotone.formats.raster import open_stack
from ecotone.model.errors import InputRefused

DAYS = pd.date_range("2001-07-01", periods=16, freq="YS-JUL")


def dataset(south_up: bool = False) -> xr.Dataset:
    lat = np.array([40.95, 40.85, 40.75])
    values = np.random.default_rng(3).uniform(0.1, 0.8, (16, 3, 4)).round(3)
    values[2, 1, 1] = np.nan
    data = xr.Dataset(
        {"ndvi": (("time", "lat", "lon"), values)},
        coords={"time": DAYS, "lat": lat, "lon": [70.05, 70.15, 70.25, 70.35]},
    )
    data["lat"].attrs["units"] = "degrees_north"
    return data.isel(lat=slice(None, None, -1)) if south_up else data


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("south_up", [False, True])
def test_the_same_numbers_as_netcdf(
    tmp_path: Path, version: int, packed: bool, south_up: bool
) -> None:
    encoding = {"dtype": "int16", "scale_factor": 0.001, "_FillValue": -32768} if packed else {}
    data = dataset(south_up)
    data.to_netcdf(tmp_path / "a.nc", encoding={"ndvi": encoding})
    data.to_zarr(tmp_path / "a.zarr", zarr_format=version, encoding={"ndvi": encoding})
    window = Window(1, 0, 3, 2)
    with open_stack([tmp_path / "a.nc"]) as a, open_stack([tmp_path / "a.zarr"]) as b:
        np.testing.assert_array_equal(a.times, b.times)
        assert a.grid == b.grid
        np.testing.assert_array_equal(a.read(window), b.read(window))
        again = pickle.loads(pickle.dumps(b))
        np.testing.assert_array_equal(again.read(window), a.read(window))
        assert np.isnan(b.read(Window(0, 0, 4, 3))[2, 1, 1])


def test_an_indicator_reads_it(tmp_path: Path) -> None:
    dataset().to_netcdf(tmp_path / "a.nc")
    dataset().to_zarr(tmp_path / "a.zarr")
    for name in ("a.nc", "a.zarr"):
        compute("land.productivity", {"ndvi": [tmp_path / name]}, {}, tmp_path / f"out-{name}")
    table = "tables/lpd.csv"
    assert (tmp_path / "out-a.nc" / table).read_bytes() == (
        tmp_path / "out-a.zarr" / table
    ).read_bytes()


def test_stores_that_are_refused(tmp_path: Path) -> None:
    store = tmp_path / "a.zarr"
    dataset().to_zarr(store, zarr_format=2, consolidated=False)
    with pytest.raises(InputRefused):
        open_stack([store, store])
    metadata = store / "ndvi" / ".zarray"
    text = metadata.read_text()
    metadata.write_text(text.replace('"filters": null', '"filters": [{"id": "pickle"}]'))
    with pytest.raises(InputRefused, match="pickle"):
        open_stack([store])
    metadata.write_text("{")
    with pytest.raises(InputRefused):
        open_stack([store])
