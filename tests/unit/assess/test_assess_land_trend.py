"""``land.trend`` on stacks small enough to check pixel by pixel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine, from_origin
from shapely.geometry import box

from ecotone.assess.compute import compute
from ecotone.assess.executor import Cluster, Executor, Threads
from ecotone.assess.indicators import mosaic as mosaics
from ecotone.assess.indicators.land_trend import LAND_TREND
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.result import Result
from ecotone.model.words import LANGUAGES
from ecotone.science.land import mann_kendall
from ecotone.science.stats import false_discovery

YEARS = range(2001, 2013)
GRID = from_origin(70.0, 41.0, 0.01, 0.01)


def write(
    path: Path,
    values: NDArray[np.float64],
    days: list[str],
    transform: Affine = GRID,
    crs: str = "EPSG:4326",
) -> Path:
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": len(days), "nodata": -9999.0,
        "height": values.shape[1], "width": values.shape[2], "transform": transform, "crs": crs,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(np.nan_to_num(values, nan=-9999.0).astype(np.float32))
        file.descriptions = tuple(days)
    return path


def stack(rows: int = 6, columns: int = 7) -> tuple[NDArray[np.float64], list[str]]:
    """Two composites a year: noise, the upper half browning, one pixel empty."""
    rng = np.random.default_rng(12)
    days = [f"{year}-{month}-15" for year in YEARS for month in ("05", "08")]
    values = 0.4 + 0.02 * rng.standard_normal((len(days), rows, columns))
    values[:, : rows // 2] -= 0.01 * np.repeat(np.arange(len(YEARS)), 2)[:, None, None]
    values[:, 0, 0] = np.nan
    return values.astype(np.float32).astype(np.float64), days


def annual(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.reshape(len(YEARS), 2, *values.shape[1:]).mean(axis=1)


def run(out: Path, *paths: Path, executor: Executor | None = None, region=None, **given) -> Result:
    return compute(
        "land.trend", {"ndvi": list(paths)}, given, out, executor=executor, region=region
    )


def raster(out: Path, name: str) -> NDArray[np.float32]:
    with rasterio.open(out / "rasters" / f"{name}.tif") as file:
        return file.read(1)


def codes(result: Result) -> list[str]:
    return [f["code"] for f in result.findings]


def test_every_number_against_the_science(tmp_path: Path) -> None:
    values, days = stack()
    result = run(tmp_path / "out", write(tmp_path / "a.tif", values, days))
    test = mann_kendall(annual(values), list(YEARS))
    significant = test.p <= 0.05
    told = {name: value.value for name, value in result.values.items()}
    mean = mann_kendall(np.nanmean(annual(values), axis=(1, 2)), list(YEARS))
    assert told["mean_slope"] == pytest.approx(float(mean.slope))
    assert result.values["mean_slope"].low == pytest.approx(float(mean.low))
    del told["mean_slope"]
    assert told == {
        "pixels": 41,
        "significant": significant.sum(),
        "significant_fdr": (false_discovery(test.p) <= 0.05).sum(),
        "increasing": (significant & (test.s > 0)).sum(),
        "decreasing": (significant & (test.s < 0)).sum(),
        "years": 12,
    }
    assert told["decreasing"] >= 18
    for name, wanted in (
        ("s", test.s), ("p", test.p), ("slope", test.slope), ("slope_low", test.low),
        ("slope_high", test.high),
    ):  # fmt: skip
        np.testing.assert_array_equal(raster(tmp_path / "out", name), wanted.astype(np.float32))
    assert codes(result) == []
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["rasters", "result.json"]


def test_declared_outputs_are_the_outputs(tmp_path: Path) -> None:
    result = run(tmp_path / "out", write(tmp_path / "a.tif", *stack()))
    assert set(result.values) == set(LAND_TREND.values)
    assert set(result.rasters) == set(LAND_TREND.rasters)
    assert {n: v.unit for n, v in result.values.items()} == dict(LAND_TREND.values)
    for lang in LANGUAGES:
        parts = ["title", "summary", "method", "input.ndvi"]
        parts += [f"value.{n}" for n in LAND_TREND.values]
        parts += [f"raster.{n}" for n in LAND_TREND.rasters]
        parts += [f"parameter.{p.name}" for p in LAND_TREND.parameters]
        assert all(LAND_TREND.words(part, lang) for part in parts)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosaics, "_BLOCK_SIDE", 3)
    monkeypatch.setattr(mosaics, "_BLOCK_NUMBERS", 24 * 8)


@pytest.mark.usefixtures("small_blocks")
def test_blocks_and_workers_change_no_byte(tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path / "a.tif", *stack())
    for name, workers in (("one", 1), ("four", 4)):
        run(tmp_path / name, path, executor=Threads(workers))
    monkeypatch.undo()
    run(tmp_path / "whole", path)
    one, four, whole = (tmp_path / n for n in ("one", "four", "whole"))
    assert (one / "result.json").read_bytes() == (four / "result.json").read_bytes()
    for name in LAND_TREND.rasters:
        assert (one / f"rasters/{name}.tif").read_bytes() == (
            whole / f"rasters/{name}.tif"
        ).read_bytes()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
    ) as local:  # fmt: skip
        client = Cluster(local.scheduler_address)
        yield client
        client.close()


@pytest.mark.slow
@pytest.mark.usefixtures("small_blocks")
def test_a_dask_cluster_gives_the_same_bytes(tmp_path: Path, cluster: Cluster) -> None:
    path = write(tmp_path / "a.tif", *stack())
    run(tmp_path / "threads", path)
    run(tmp_path / "dask", path, executor=cluster)
    for name in ("result.json", *(f"rasters/{n}.tif" for n in LAND_TREND.rasters)):
        assert (tmp_path / "threads" / name).read_bytes() == (tmp_path / "dask" / name).read_bytes()


def test_tiles_of_two_parties_make_one_map(tmp_path: Path) -> None:
    values, days = stack()
    west, east = values.copy(), values[:, 2:, 3:].copy()
    west[:, :, 4:] = np.nan
    whole = run(tmp_path / "whole", write(tmp_path / "all.tif", values, days))
    first = write(tmp_path / "west.tif", west, days)
    moved = GRID * Affine.translation(3, 2)
    second = write(tmp_path / "east.tif", east, days, moved)
    # Row 0 and 1 of the east lie outside the second tile.
    values[:, :2, 4:] = np.nan
    both = run(tmp_path / "both", second, first)
    test = mann_kendall(annual(values), list(YEARS))
    np.testing.assert_array_equal(raster(tmp_path / "both", "s"), test.s.astype(np.float32))
    assert both.values["pixels"].value == whole.values["pixels"].value - 6
    assert codes(both) == []


def test_parties_that_differ_are_told(tmp_path: Path) -> None:
    values, days = stack()
    first = write(tmp_path / "a.tif", values, days)
    other = values.copy()
    other[:, 1, 1] += 0.1
    second = write(tmp_path / "b.tif", other, days)
    result = run(tmp_path / "out", first, second)
    assert codes(result) == ["land-disputed"]
    assert "1 pixels" in result.findings[0]["message"]
    test = mann_kendall(annual(values), list(YEARS))
    np.testing.assert_array_equal(raster(tmp_path / "out", "s"), test.s.astype(np.float32))


@pytest.mark.parametrize(
    ("transform", "crs"),
    [
        (GRID * Affine.translation(0.5, 0), "EPSG:4326"),
        (GRID * Affine.scale(2, 2), "EPSG:4326"),
        (GRID, "EPSG:4490"),
    ],
)
def test_other_grids_are_refused(tmp_path: Path, transform: Affine, crs: str) -> None:
    values, days = stack()
    first = write(tmp_path / "a.tif", values, days)
    second = write(tmp_path / "b.tif", values, days, transform, crs)
    with pytest.raises(InputRefused, match=r"'b.tif' does not lie on the grid of 'a.tif'"):
        run(tmp_path / "out", first, second)
    assert not (tmp_path / "out" / "result.json").exists()


def test_files_of_one_date_each_are_one_stack(tmp_path: Path) -> None:
    values, days = stack()
    whole = run(tmp_path / "whole", write(tmp_path / "a.tif", values, days))
    paths = [
        write(tmp_path / f"ndvi_{day}.tif", values[i : i + 1], [day]) for i, day in enumerate(days)
    ]
    single = run(tmp_path / "single", *paths)
    assert single.values == whole.values


def test_a_region_is_cut_out(tmp_path: Path) -> None:
    values, days = stack()
    path = write(tmp_path / "a.tif", values, days)
    region = box(70.021, 40.951, 70.049, 40.989)
    result = run(tmp_path / "out", path, region=region)
    inside = annual(values)[:, 1:5, 2:5]
    assert result.values["pixels"].value == 12
    np.testing.assert_array_equal(
        raster(tmp_path / "out", "s"), mann_kendall(inside).s.astype(np.float32)
    )
    with rasterio.open(tmp_path / "out" / "rasters" / "s.tif") as file:
        assert file.transform.almost_equals(GRID * Affine.translation(2, 1))
        assert file.tags()["period"] == "2001/2012"
    with pytest.raises(NotComputable, match="outside the raster"):
        run(tmp_path / "far", path, region=box(0, 0, 1, 1))
    with pytest.raises(NotComputable, match="No pixel"):
        run(tmp_path / "empty", path, region=box(70.0, 40.99, 70.009, 41.0))


def test_periods(tmp_path: Path) -> None:
    values, days = stack()
    path = write(tmp_path / "a.tif", values, days)
    result = run(tmp_path / "out", path, start=2003, end=2010)
    assert result.values["years"].value == 8
    test = mann_kendall(annual(values)[2:10])
    np.testing.assert_array_equal(raster(tmp_path / "out", "s"), test.s.astype(np.float32))
    with pytest.raises(UsageError, match="before the first"):
        run(tmp_path / "out", path, start=2010, end=2003)
    with pytest.raises(NotComputable, match="too short"):
        run(tmp_path / "out", path, start=2010)
    with pytest.raises(NotComputable, match=r"no layer in 1999, 2000; .* from 2001 to 2012"):
        run(tmp_path / "out", path, start=1999)
    assert not (tmp_path / "out" / "result.json").exists()


def test_one_layer_and_no_data(tmp_path: Path) -> None:
    values, days = stack()
    with pytest.raises(NotComputable, match="too short"):
        run(tmp_path / "out", write(tmp_path / "one.tif", values[:1], days[:1]))
    with pytest.raises(NotComputable, match="No pixel"):
        run(tmp_path / "out", write(tmp_path / "none.tif", values * np.nan, days))
    values[:, :, :2] = np.nan
    gap = [d for d in days if not d.startswith("2005")]
    keep = [i for i, d in enumerate(days) if d in gap]
    with pytest.raises(NotComputable, match="no layer in 2005"):
        run(tmp_path / "out", write(tmp_path / "gap.tif", values[keep], gap))


def test_what_the_reader_should_know(tmp_path: Path) -> None:
    values, days = stack()
    values[:6, 1, 1] = np.nan
    values[4:, 2, 2] = np.nan
    values *= 10_000
    result = run(tmp_path / "out", write(tmp_path / "a.tif", values[:-1], days[:-1]))
    assert codes(result) == [
        "land-year-incomplete", "land-few-years", "land-gaps", "land-ndvi-range",
    ]  # fmt: skip
    assert "The year 2012 of 'a.tif' has 1 layers" in result.findings[0]["message"]
    values[0:2, :, :] = np.nan
    result = run(tmp_path / "out", write(tmp_path / "b.tif", values / 10_000, days))
    assert result.values["mean_slope"].value is None
    assert "land-no-mean" in codes(result)


@pytest.mark.parametrize("method", ["normal", "hamed_rao", "tfpw"])
def test_methods(tmp_path: Path, method: str) -> None:
    values, days = stack()
    run(tmp_path / "out", write(tmp_path / "a.tif", values, days), method=method)
    test = mann_kendall(annual(values), method=method)
    np.testing.assert_array_equal(raster(tmp_path / "out", "p"), test.p.astype(np.float32))
    assert json.loads((tmp_path / "out/result.json").read_text())["parameters"]["method"] == method


@pytest.mark.parametrize(
    ("name", "given"), [("method", "ols"), ("alpha", 0), ("fdr", 1), ("start", "x")]
)
def test_wrong_parameters(tmp_path: Path, name: str, given: object) -> None:
    path = write(tmp_path / "a.tif", *stack())
    with pytest.raises(UsageError, match=name):
        run(tmp_path / "out", path, **{name: given})


def test_kilimanjaro_through_the_command_of_the_house(tmp_path: Path) -> None:
    from tests.support import shared

    path = shared("land/ndvi_kilimanjaro_gimms3g_v0.nc")
    result = run(tmp_path / "out", path, start=1998, end=2013)
    assert result.values["pixels"].value == 90
    assert result.values["significant"].value == 11
