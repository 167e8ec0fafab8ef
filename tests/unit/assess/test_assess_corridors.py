"""Corridors across borders: parts by country, their order over draws, resistances from data."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import box

from ecotone.assess.compute import compute
from ecotone.assess.executor import Threads
from ecotone.model.errors import InputRefused, UsageError

SHAPE = (21, 40)


def tif(path: Path, values: np.ndarray, crs: str | None = "EPSG:32643") -> Path:
    grid = np.asarray(values, dtype=np.float64)
    with rasterio.open(
        path, "w", driver="GTiff", width=grid.shape[1], height=grid.shape[0], count=1,
        dtype="float64", crs=crs, nodata=-9999.0,
        transform=from_origin(500_000, 4_500_000 + grid.shape[0] * 10, 10, 10),
    ) as out:  # fmt: skip
        out.write(np.nan_to_num(grid, nan=-9999.0), 1)
    return path


def run(given: dict[str, Path | list[Path]], out: Path, **parameters: object):
    inputs = {k: v if isinstance(v, list) else [v] for k, v in given.items()}
    return compute("connectivity.corridors", inputs, parameters, out, executor=Threads(1))


def table(out: Path, done, name: str) -> pd.DataFrame:
    return pd.read_csv(out / done.tables[name])


@pytest.fixture
def land(tmp_path) -> dict[str, Path]:
    """A wall along the border of two countries with a gap at row 15; four cores."""
    classes = np.ones(SHAPE)
    classes[:, 20] = 2
    classes[15, 20] = 3
    cores = np.zeros(SHAPE)
    cores[2:5, 1:4], cores[2:5, 36:39] = 1, 2
    cores[16:19, 1:4], cores[16:19, 36:39] = 3, 4
    (tmp_path / "classes.csv").write_text(
        "class,resistance,low,high\n1,1,0.7,1.4\n2,80,40,160\n3,2,1,4\n"
    )
    x, y = 500_000, 4_500_000
    countries = gpd.GeoDataFrame(
        {"name": ["West", "East"]},
        geometry=[box(x, y, x + 200, y + 210), box(x + 200, y, x + 400, y + 210)],
        crs="EPSG:32643",
    )
    # Degrees are welcome where the raster says where they go.
    countries.to_crs(4326).to_file(tmp_path / "countries.geojson")
    return {
        "resistance": tif(tmp_path / "land.tif", classes),
        "classes": tmp_path / "classes.csv",
        "cores": tif(tmp_path / "cores.tif", cores),
        "countries": tmp_path / "countries.geojson",
    }


def test_sums_over_countries_are_the_totals(land, tmp_path):
    done = run(land, tmp_path / "o", d0=500, cutoff=60)
    parts, whole = table(tmp_path / "o", done, "by_country"), table(tmp_path / "o", done,
                                                                     "distances")  # fmt: skip
    whole = whole[whole["kept"]].set_index(["from", "to"])
    sums = parts.groupby(["from", "to"])[
        ["length_m", "cost_m", "dECA", "share", "current", "current_share"]
    ].sum()
    sums, whole = sums.align(whole, join="left", axis=0)
    np.testing.assert_allclose(sums["length_m"], whole["path_m"], rtol=1e-9)
    np.testing.assert_allclose(sums["cost_m"], whole["least_cost_m"], rtol=1e-9)
    np.testing.assert_allclose(sums["dECA"], whole["dECA"], rtol=1e-9)
    np.testing.assert_allclose(sums[["share", "current_share"]], 100, rtol=1e-9)
    with rasterio.open(tmp_path / "o" / done.rasters["current"]) as data:
        current = data.read(1)
    with rasterio.open(land["cores"]) as data:
        between = data.read(1) <= 0
    assert parts["current"].sum() == pytest.approx(current[between].sum(), rel=1e-9)
    order = table(tmp_path / "o", done, "segments")
    assert order["dECA"].is_monotonic_decreasing and order["place"].tolist() == list(
        range(1, len(order) + 1)
    )
    assert "stability" not in done.tables


def test_a_hundred_draws_say_how_sure_the_order_is(land, tmp_path):
    done = run(land, tmp_path / "o", d0=500, cutoff=60, draws=100, barrier_radius=15, margin=0.2)
    order = table(tmp_path / "o", done, "segments")
    assert {"West", "East"} <= set(order["country"]) <= {"West", "East", "-"}
    assert (order["rank_low"] <= order["rank"]).all()
    assert (order["rank"] <= order["rank_high"]).all()
    assert order["rank"].is_monotonic_increasing
    assert 200 < order["leading"].sum() <= 300
    assert (order["dECA_low"] <= order["dECA_mean"]).all()
    assert 0 < done.values["segment_agreement"].value <= 1
    assert 0 < done.values["rank_agreement"].value <= 1
    with rasterio.open(tmp_path / "o" / done.rasters["current_mean"]) as data:
        mean = data.read(1)
    assert mean.shape == SHAPE and mean[15, 20] == mean[:, 20].max()
    with rasterio.open(tmp_path / "o" / done.rasters["current_cv"]) as data:
        assert 0 < data.read(1)[10, 10] < 2
    # Pinch point in the gap, barrier on the wall, each within its interval.
    places = table(tmp_path / "o", done, "places").set_index(["kind", "rank"])
    assert places.loc[("pinch", 1), ["x", "y"]].tolist() == [500_205, 4_500_055]
    assert abs(places.loc[("barrier", 1), "x"] - 500_205) <= 15
    low, high = (getattr(done.values["pinch_longitude"], end) for end in ("low", "high"))
    assert low < places.loc[("pinch", 1), "longitude"] < high
    # A second run a moment later is the same to the last byte, so that it can be verified.
    few = [run(land, tmp_path / f, d0=500, cutoff=60, draws=5, margin=0.2) for f in "pq"]
    pd.testing.assert_frame_equal(
        *(table(tmp_path / f, one, "segments") for f, one in zip("pq", few, strict=True))
    )
    for name in ("paths", "cores"):
        one, other = ((tmp_path / f / "vectors" / f"{name}.gpkg").read_bytes() for f in "pq")
        assert one == other


def test_radii_from_least_to_largest(land, tmp_path):
    one = run(land, tmp_path / "o", barrier_radius=10)
    more = run(land, tmp_path / "p", barrier_radius=10, barrier_radius_max=30, barrier_step=10)
    scores = []
    for folder, done in ((tmp_path / "o", one), (tmp_path / "p", more)):
        with rasterio.open(folder / done.rasters["barriers"]) as data:
            scores.append(data.read(1))
    assert (scores[1] >= scores[0]).all() and (scores[1] > scores[0]).any()


def test_resistance_from_suitability_and_from_steps(land, tmp_path):
    liking = np.clip(np.linspace(0.2, 1.0, SHAPE[1])[None, :] + np.zeros(SHAPE), 0, 1)
    given = {"cores": land["cores"], "suitability": tif(tmp_path / "s.tif", liking)}
    done = run(given, tmp_path / "o", draws=5)
    assert (table(tmp_path / "o", done, "stability")["cv"] > 0).all()
    percent = {**given, "suitability": tif(tmp_path / "p.tif", 100 * liking)}
    again = run(percent, tmp_path / "o2")
    costs = [table(tmp_path / f, d, "distances")["least_cost_m"].tolist()
             for f, d in (("o", done), ("o2", again))]  # fmt: skip
    assert costs[0] == pytest.approx(costs[1])
    rng = np.random.default_rng(1)
    (tmp_path / "b.csv").write_text("name,coefficient,se\nslope,-0.5,0.1\nforest,1.2,0.2\n")
    steps = {
        "cores": land["cores"],
        "coefficients": tmp_path / "b.csv",
        "covariates": [
            tif(tmp_path / "forest.tif", rng.random(SHAPE)),
            tif(tmp_path / "slope.tif", rng.random(SHAPE)),
        ],
    }
    done = run(steps, tmp_path / "o3", draws=5)
    assert (table(tmp_path / "o3", done, "stability")["mean_m"] > 0).all()
    (tmp_path / "b.csv").write_text("slope;-0.5;0.1;0.01;0.002\nforest;1.2;0.2;0.002;0.04\n")
    assert run(steps, tmp_path / "o4", draws=2).tables["stability"]


@pytest.mark.parametrize(
    "text",
    ["slope,-0.5\n", "slope,-0.5,x\n", "slope,1,-1\n", "slope,1,1\nslope,1,1\n", "slope,1,1,2\n",
     "slope,1,1,1,0.5\nforest,1,1,0.1,1\n"],
)  # fmt: skip
def test_coefficients_that_cannot_be(land, tmp_path, text):
    (tmp_path / "b.csv").write_text(text)
    given = {
        "cores": land["cores"],
        "coefficients": tmp_path / "b.csv",
        "covariates": tif(tmp_path / "slope.tif", np.ones(SHAPE)),
    }
    with pytest.raises(InputRefused) as error:
        run(given, tmp_path / "o")
    assert error.value.finding.code == "corridor-coefficients"


def test_resistances_told_in_two_ways_or_none(land, tmp_path):
    cores = {"cores": land["cores"]}
    both = {**cores, "resistance": land["resistance"], "suitability": land["resistance"]}
    alone = {**cores, "covariates": land["resistance"]}
    for given in (cores, both, alone):
        with pytest.raises(UsageError):
            run(given, tmp_path / "o")
    wrong = {**cores, "suitability": tif(tmp_path / "s.tif", np.full(SHAPE, 300.0))}
    with pytest.raises(InputRefused) as error:
        run(wrong, tmp_path / "o")
    assert error.value.finding.code == "corridor-suitability"
    right = {**cores, "suitability": tif(tmp_path / "s.tif", np.full(SHAPE, 0.5))}
    with pytest.raises(UsageError):
        run(right, tmp_path / "o", shape=20)
    (tmp_path / "b.csv").write_text("slope,1,1\n")
    missing = {**cores, "coefficients": tmp_path / "b.csv", "covariates": land["resistance"]}
    with pytest.raises(InputRefused) as error:
        run(missing, tmp_path / "o")
    assert error.value.finding.code == "corridor-covariate-missing"
    shifted = tif(tmp_path / "forest.tif", np.ones((3, 3)))
    (tmp_path / "b.csv").write_text("slope,1,1\nforest,1,1\n")
    apart = {**missing, "covariates": [tif(tmp_path / "slope.tif", np.ones(SHAPE)), shifted]}
    with pytest.raises(InputRefused) as error:
        run(apart, tmp_path / "o")
    assert error.value.finding.code == "circuit-grid-differs"


def test_without_a_reference_system_there_are_no_degrees(land, tmp_path):
    given = {
        "resistance": tif(tmp_path / "r.tif", np.ones(SHAPE), None),
        "cores": tif(tmp_path / "c.tif", np.nan_to_num(rasterio.open(land["cores"]).read(1)), None),
    }
    done = run(given, tmp_path / "o", pinch=50)
    assert "pinch_longitude" not in done.values
    assert [f["code"] for f in done.findings] == [
        "connectivity-crs-missing", "connectivity-not-drawn", "corridors-no-margin"
    ]  # fmt: skip


def test_a_map_of_nothing_and_cores_of_nothing(land, tmp_path):
    nothing = {**land, "resistance": tif(tmp_path / "n.tif", np.full(SHAPE, np.nan))}
    with pytest.raises(InputRefused):
        run(nothing, tmp_path / "o")
    empty = {**land, "cores": tif(tmp_path / "e.tif", np.zeros(SHAPE))}
    with pytest.raises(InputRefused) as error:
        run(empty, tmp_path / "o")
    assert error.value.finding.code == "corridor-core-missing"


def test_kernels_and_paths_from_files(land, tmp_path):
    (tmp_path / "p.txt").write_text("1 500005 4500205\n2 500395 4500205\n3 500205 4500055\n")
    (tmp_path / "w.txt").write_text("2 3\n")
    given = {
        "resistance": [land["resistance"]], "classes": [land["classes"]],
        "nodes": [tmp_path / "p.txt"], "weights": [tmp_path / "w.txt"],
    }  # fmt: skip
    done = compute("connectivity.kernels", given, {"threshold": 600}, tmp_path / "o",
                   executor=Threads(2))  # fmt: skip
    assert done.values["sources"].value == 3
    with rasterio.open(tmp_path / "o" / done.rasters["paths"]) as data:
        paths = data.read(1)
    # Both ways across lead through the gap: 1-2 with half of 1 + 3, 1-3 and 2-3 end in it.
    assert paths[15, 20] == paths.max() == pytest.approx(2 + 1 + 2)
    with rasterio.open(tmp_path / "o" / done.rasters["kernel"]) as data:
        assert data.read(1)[0, 39] >= 3
    nowhere = {**given, "nodes": [tmp_path / "q.txt"]}
    (tmp_path / "q.txt").write_text("1 0 0\n")
    with pytest.raises(InputRefused):
        compute("connectivity.kernels", nowhere, {}, tmp_path / "o")


def test_degrees_are_refused_before_anything_is_computed(land, tmp_path):
    given = {**land, "resistance": tif(tmp_path / "d.tif", np.ones(SHAPE), "EPSG:4326")}
    del given["classes"]
    with pytest.raises(InputRefused) as error:
        run(given, tmp_path / "o")
    assert error.value.finding.code == "connectivity-degrees"
    (tmp_path / "p.txt").write_text("1 500005 4500205\n")
    far = {"resistance": [given["resistance"]], "nodes": [tmp_path / "p.txt"]}
    with pytest.raises(InputRefused) as error:
        compute("connectivity.kernels", far, {}, tmp_path / "o")
    assert error.value.finding.code == "connectivity-degrees"


def test_corridors_end_at_the_cut_off_and_pruning_asks_for_neighbours(land, tmp_path):
    widths = []
    for cutoff in (10, 40):
        done = run(land, tmp_path / str(cutoff), cutoff=cutoff)
        with rasterio.open(tmp_path / str(cutoff) / done.rasters["corridors"]) as data:
            extra = data.read(1)
        assert np.nanmax(extra) <= cutoff and np.nanmin(extra) == pytest.approx(0, abs=1e-9)
        widths.append(np.isfinite(extra).sum())
    assert 0 < widths[0] < widths[1] < np.prod(SHAPE)
    every = table(tmp_path / "10", run(land, tmp_path / "10"), "distances")["kept"]
    near = run(land, tmp_path / "n", adjacency="euclidean", nearest=1)
    kept = table(tmp_path / "n", near, "distances").set_index(["from", "to"])["kept"]
    assert every.sum() > kept.sum() >= 3
    # Cores on a diagonal do not touch as the crow flies: their land lies between the others'.
    assert not kept[1, 4] and not kept[2, 3]
