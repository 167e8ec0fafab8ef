"""``land.productivity`` ... ``land.sdg-15-3-1`` on maps small enough to check cell by cell."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine, from_origin
from shapely.geometry import box, mapping

from ecotone.assess.compute import compute
from ecotone.assess.executor import Cluster, Executor, Threads
from ecotone.assess.indicators import land_ground, mosaic
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.result import Result
from ecotone.science.land.areas import cell_areas

YEARS = range(2000, 2020)
ROWS, COLUMNS = 6, 8
GRID = from_origin(70.0, 41.0, 0.1, 0.1)


def write(
    path: Path,
    values: NDArray[Any],
    days: list[str] | None = None,
    *,
    dtype: str = "float32",
    nodata: float | None = -9999.0,
    transform: Affine = GRID,
    crs: str | None = "EPSG:4326",
) -> Path:
    stack = values if values.ndim == 3 else values[None]
    with rasterio.open(
        path, "w", driver="GTiff", dtype=dtype, count=len(stack), nodata=nodata,
        height=stack.shape[1], width=stack.shape[2], transform=transform, crs=crs,
    ) as file:  # fmt: skip
        file.write(np.nan_to_num(stack, nan=nodata or 0).astype(dtype))
        if days:
            file.descriptions = tuple(days)
    return path


def greenness() -> NDArray[np.float64]:
    """Noise; the left columns brown from 2000 on; one cell has no data."""
    rng = np.random.default_rng(8)
    values = 0.5 + 0.01 * rng.standard_normal((len(YEARS), ROWS, COLUMNS))
    values[:, :, :3] -= 0.015 * np.arange(len(YEARS))[:, None, None]
    values[:, 0, 7] = np.nan
    return values


def covers() -> NDArray[np.float64]:
    """Trees; column 4 ploughed in 2003, column 5 sealed in 2016, column 6 a lake."""
    maps = np.full((len(YEARS), ROWS, COLUMNS), 1.0)
    maps[3:, :, 4] = 3
    maps[16:, :, 5] = 5
    maps[:, :, 6] = 7
    return maps


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    days = [f"{year}-07-01" for year in YEARS]
    return {
        "ndvi": write(tmp_path / "ndvi.tif", greenness(), days),
        "landcover": write(tmp_path / "lc.tif", covers(), days, dtype="uint8", nodata=0),
        "soc": write(tmp_path / "soc.tif", np.full((ROWS, COLUMNS), 60.0)),
    }


SPANS = {"baseline": "2000-2009", "report": "2010-2019", "rule": "trends_earth"}


def run(
    out: Path, indicator: str, files: dict[str, Path], executor: Executor | None = None,
    region: Any = None, **given: Any,
) -> Result:  # fmt: skip
    inputs = {name: [path] for name, path in files.items()}
    return compute(indicator, inputs, given, out, executor=executor, region=region)


def codes(result: Result) -> list[str]:
    return [f["code"] for f in result.findings]


def test_all_three_parts_and_one_denominator(tmp_path: Path, files: dict[str, Path]) -> None:
    result = run(tmp_path / "out", "land.sdg-15-3-1", files, **SPANS)
    total = COLUMNS * cell_areas(41 - 0.1 * np.arange(ROWS + 1), 0.1).sum() / 1e6
    for name, keys in (("status", []), ("periods", ["period"]), ("parts", ["period", "part"])):
        table = pd.read_csv(tmp_path / f"out/tables/{name}.csv")
        sums = table.groupby(keys)["area_km2"].sum() if keys else table[["area_km2"]].sum()
        assert sums.to_numpy() == pytest.approx(total, rel=1e-9)
    parts = pd.read_csv(tmp_path / "out/tables/parts.csv")
    column = total / COLUMNS

    def part(period: str, name: str, state: str) -> float:
        here = (parts.period == period) & (parts.part == name) & (parts.state == state)
        return float(parts[here].area_km2.sum())

    assert part("baseline", "landcover", "degraded") == pytest.approx(column, rel=1e-6)
    assert part("report_1", "landcover", "degraded") == pytest.approx(column, rel=1e-6)
    # 60 t/ha under trees loses 1 % a year: six years make -6 %, not 10 %.
    assert part("baseline", "soc", "degraded") == 0.0
    assert part("baseline", "soc", "nodata") == pytest.approx(column, rel=1e-6)
    assert codes(result).count("land-left-out") == 0
    with rasterio.open(tmp_path / "out/rasters/status.tif") as file:
        status = file.read(1)
        assert file.colormap(1)[2][:3] == (0x9B, 0x27, 0x79)
        assert "legend" in file.tags()
    assert status[0, 7] == 0
    assert np.isin(status[:, 5], (1, 2)).all()


def test_exports_hold_the_same_totals(tmp_path: Path, files: dict[str, Path]) -> None:
    run(tmp_path / "out", "land.sdg-15-3-1", files, **SPANS)
    book = pd.read_excel(tmp_path / "out/exports/prais.xlsx", sheet_name=None)
    forms = [name for name in book if name.startswith("SO1")]
    assert forms == sorted(forms, key=lambda name: (name.split(".")[0], name))
    assert set(forms) == {
        "SO1-1.T2", "SO1-1.T3", "SO1-1.T4", "SO1-1.T5", "SO1-1.T6", "SO1-1.T7", "SO1-2.T1",
        "SO1-2.T2", "SO1-2.T3", "SO1-3.T1", "SO1-3.T2", "SO1-4.T1", "SO1-4.T2", "SO1-4.T4",
    }  # fmt: skip
    total = book["CP-1.T1"]["Total area (km2)"].item()
    for name in ("SO1-1.T5", "SO1-1.T6", "SO1-2.T1", "SO1-2.T2", "SO1-4.T1"):
        areas = book[name].select_dtypes("number").to_numpy().sum()
        assert areas == pytest.approx(total, rel=1e-9), name
    document = json.loads((tmp_path / "out/exports/trends_earth.json").read_text())
    assert document.keys() == {"metadata", "land_condition", "affected_population"}
    assert document["land_condition"].keys() == {"baseline", "report_1"}
    for name, report in document["land_condition"].items():
        here = report["period_assessment"]
        assert here.keys() == {"sdg", "productivity", "land_cover", "soil_organic_carbon"}
        for summary in (
            here["sdg"]["summary"],
            here["productivity"]["summaries"]["all_cover_types"],
            here["land_cover"]["summary"],
            here["soil_organic_carbon"]["summaries"]["non_water"],
        ):
            assert summary.keys() == {"name", "unit", "areas"}
            assert summary["unit"] == "sq km"
            assert [a["name"] for a in summary["areas"]] == [
                "Degraded", "Stable", "Improved", "No data",
            ]  # fmt: skip
            assert sum(a["area"] for a in summary["areas"]) == pytest.approx(total, rel=1e-9)
        nesting = here["land_cover"]["legend_nesting"]
        codes = [c["code"] for c in nesting["child"]["key"]] + [nesting["child"]["nodata"]["code"]]
        assert sorted(c for group in nesting["nesting"].values() for c in group) == sorted(codes)
        assert len(here["land_cover"]["transition_matrix"]["definitions"]["transitions"]) == 49
        if name != "baseline":
            change = report["change_assessment"]
            assert change.keys() == {"sdg", "productivity", "land_cover", "soil_organic_carbon"}
            for tab in change.values():
                assert sum(v["value"] for v in tab["values"]) == pytest.approx(total, rel=1e-9)


def test_parts_that_are_missing_are_named(tmp_path: Path, files: dict[str, Path]) -> None:
    result = run(tmp_path / "out", "land.sdg-15-3-1", {"ndvi": files["ndvi"]}, **SPANS)
    left = {f["field"] for f in result.findings if f["code"] == "land-left-out"}
    assert left == {"landcover", "soc"}
    assert result.values["degraded_percent"].value is not None


def test_zones_regions_and_corrections(tmp_path: Path, files: dict[str, Path]) -> None:
    def features(name: str, rows: list[dict[str, Any]]) -> Path:
        path = tmp_path / name
        made = [
            {"type": "Feature", "geometry": mapping(r.pop("at")), "properties": r} for r in rows
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": made}))
        return path

    files["zones"] = features(
        "zones.geojson",
        [
            {"id": "west", "at": box(70, 40.4, 70.45, 41)},
            {"id": "east", "at": box(70.4, 40.4, 70.7, 41)},
        ],
    )
    files["corrections"] = features(
        "fix.geojson",
        [{"uuid": "a", "area_km_sq": 1.0, "recode_deg_to": 0, "recode_stable_to": None,
          "recode_imp_to": None, "periods_affected": ["baseline"], "at": box(70, 40.7, 70.3, 41)}],
    )  # fmt: skip
    region = box(70.05, 40.45, 70.75, 40.95)
    result = run(tmp_path / "out", "land.sdg-15-3-1", files, region=region, **SPANS)
    assert {"land-polygons-overlap", "land-area-declared", "land-zones-gap"} <= set(codes(result))
    fixed = pd.read_csv(tmp_path / "out/tables/corrections.csv")
    assert set(fixed.period) == {"baseline", "report_1"}
    changed = fixed[fixed.before != fixed.after]
    assert set(changed.period) <= {"baseline"}
    zones = pd.read_csv(tmp_path / "out/tables/zones.csv")
    south, north = 40.45, 40.95
    for zone, west, east in (("west", 70.05, 70.45), ("east", 70.4, 70.7)):
        wanted = cell_areas([north, south], east - west)[0] / 1e6
        assert zones[zones.zone == zone].area_km2.sum() == pytest.approx(wanted, rel=1e-6)
    wanted = cell_areas([north, south], 0.7)[0] / 1e6
    assert result.values["total_km2"].value == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("rule", ["unccd2026", "gpg_v2", "fao_wocat"])
def test_rules_units_and_blocks(
    tmp_path: Path, files: dict[str, Path], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) % 2 + 10
    given = {
        "ndvi": files["ndvi"],
        "units": write(tmp_path / "units.tif", units, dtype="uint8", nodata=0),
    }
    run(tmp_path / "one", "land.productivity", given, rule=rule)
    monkeypatch.setattr(mosaic, "_BLOCK_NUMBERS", 60)
    monkeypatch.setattr(mosaic, "_BLOCK_SIDE", 2)
    monkeypatch.setattr(land_ground.strips, "__defaults__", (9,))
    run(tmp_path / "two", "land.productivity", given, rule=rule)
    for name in ("lpd", "rules", "units"):
        one, two = (pd.read_csv(tmp_path / f"{run}/tables/{name}.csv") for run in ("one", "two"))
        pd.testing.assert_frame_equal(one, two, rtol=1e-9)
    assert pd.read_csv(tmp_path / "one/tables/units.csv").unit.tolist() == [10, 11]
    lpd = pd.read_csv(tmp_path / "one/tables/lpd.csv").set_index("class").area_km2
    assert lpd[[1, 2]].sum() > 0
    assert lpd[0] == pytest.approx(cell_areas([41, 40.9], 0.1)[0] / 1e6)


def test_a_cluster_gives_the_same_bytes(tmp_path: Path, files: dict[str, Path]) -> None:
    distributed = pytest.importorskip("distributed")
    run(tmp_path / "threads", "land.sdg-15-3-1", files, **SPANS)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as local:
        cluster = Cluster(local.scheduler_address)
        run(tmp_path / "dask", "land.sdg-15-3-1", files, executor=cluster, **SPANS)
        cluster.close()
    for path in (tmp_path / "threads").rglob("*.*"):
        if path.is_file():
            other = tmp_path / "dask" / path.relative_to(tmp_path / "threads")
            assert path.read_bytes() == other.read_bytes(), path.name


@pytest.mark.slow
def test_two_worker_processes_give_the_same_bytes(tmp_path: Path) -> None:
    """700 x 600 cells of 16 years in blocks, on threads and on two processes."""
    distributed = pytest.importorskip("distributed")
    rng = np.random.default_rng(3)
    means = 0.5 + 0.02 * rng.standard_normal((16, 700, 600))
    means[:, :, :200] -= 0.01 * np.arange(16)[:, None, None]
    days = [f"{year}-07-01" for year in range(2001, 2017)]
    ndvi = write(tmp_path / "big.tif", means, days, transform=from_origin(60, 45, 0.0025, 0.0025))
    asked = {"baseline": "2001-2010", "report": "2007-2016"}
    run(tmp_path / "threads", "land.sdg-15-3-1", {"ndvi": ndvi}, **asked)
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
    ) as local:
        cluster = Cluster(local.scheduler_address)
        run(tmp_path / "dask", "land.sdg-15-3-1", {"ndvi": ndvi}, executor=cluster, **asked)
        cluster.close()
    for path in (tmp_path / "threads").rglob("*.*"):
        if path.is_file():
            other = tmp_path / "dask" / path.relative_to(tmp_path / "threads")
            assert path.read_bytes() == other.read_bytes(), path.name


def test_the_work_of_a_block_travels(files: dict[str, Path]) -> None:
    from ecotone.assess.indicators.land_lpd import LpdAsk, lpd_block

    opened = mosaic.open_mosaic([files["ndvi"]])
    ask = LpdAsk(opened, 2000, 2019, 0.05, 0.75)
    window = next(opened.blocks(opened.whole()))
    here = lpd_block(ask, window)
    there = pickle.loads(pickle.dumps(lpd_block(*pickle.loads(pickle.dumps((ask, window))))))
    np.testing.assert_array_equal(here.codes, there.codes)
    np.testing.assert_array_equal(here.mean, there.mean)
    opened.close()


class Killed(Threads):
    """Threads that end after some blocks, as a kill does; counts what it did."""

    def __init__(self, after: int) -> None:
        super().__init__(1)
        self.left = self.after = after

    def map(self, function: Any, tasks: Any) -> Any:
        for result in super().map(function, tasks):
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            yield result


def test_a_killed_run_goes_on_where_it_was(
    tmp_path: Path, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mosaic, "_BLOCK_NUMBERS", 60)
    monkeypatch.setattr(mosaic, "_BLOCK_SIDE", 2)
    run(tmp_path / "whole", "land.sdg-15-3-1", files, **SPANS)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", "land.sdg-15-3-1", files, executor=Killed(30), **SPANS)
    second = Killed(10_000)
    run(tmp_path / "cut", "land.sdg-15-3-1", files, executor=second, **SPANS)
    blocks = ROWS * COLUMNS // 2 * 2
    assert second.after - second.left <= blocks - 30
    for path in (tmp_path / "whole").rglob("*.*"):
        if path.is_file():
            other = tmp_path / "cut" / path.relative_to(tmp_path / "whole")
            assert path.read_bytes() == other.read_bytes(), path.name
    assert not list((tmp_path / "cut").glob(".blocks-*"))


def test_the_fill_value_of_modis_is_suspected(tmp_path: Path) -> None:
    values = greenness()
    values[:, 1, 1] = -0.3
    ndvi = write(tmp_path / "a.tif", values, [f"{year}-07-01" for year in YEARS])
    assert "land-modis-fill" in codes(run(tmp_path / "out", "land.productivity", {"ndvi": ndvi}))


def test_a_projected_grid_has_the_same_areas(tmp_path: Path) -> None:
    transform = from_origin(500_000, 4_500_000, 10_000, 10_000)
    days = [f"{year}-07-01" for year in YEARS]
    ndvi = write(tmp_path / "utm.tif", greenness(), days, transform=transform, crs="EPSG:32642")
    result = run(tmp_path / "out", "land.productivity", {"ndvi": ndvi})
    # UTM shrinks lengths by up to 4e-4 near its central meridian.
    assert result.values["total_km2"].value == pytest.approx(ROWS * COLUMNS * 100, rel=1.5e-3)
    part = box(69.2, 40.2, 69.6, 40.5)
    result = run(tmp_path / "cut", "land.productivity", {"ndvi": ndvi}, region=part)
    wanted = cell_areas([40.5, 40.2], 0.4)[0] / 1e6
    assert result.values["total_km2"].value == pytest.approx(wanted, rel=1e-3)


def test_a_grid_beyond_180_degrees(tmp_path: Path) -> None:
    days = [f"{year}-07-01" for year in YEARS]
    ndvi = write(
        tmp_path / "fiji.tif", greenness(), days, transform=from_origin(179.6, -16, 0.1, 0.1)
    )
    region = box(-180, -16.6, -179.6, -16)
    result = run(tmp_path / "out", "land.productivity", {"ndvi": ndvi}, region=region)
    wanted = cell_areas([-16, -16.6], 0.4)[0] / 1e6
    assert result.values["total_km2"].value == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"baseline": "2000"}, UsageError, "span of years"),
        ({"baseline": "1995-2009"}, NotComputable, "1995"),
        ({"report": "2015-2019"}, NotComputable, "2015"),
        ({"report": "2019-2010"}, UsageError, "2019"),
        ({"rule": "mine"}, UsageError, "rule"),
    ],
)
def test_spans_that_cannot_be(
    tmp_path: Path, files: dict[str, Path], change: dict[str, str], error: type, said: str
) -> None:
    with pytest.raises(error, match=said):
        run(tmp_path / "out", "land.sdg-15-3-1", files, **SPANS | change)
    assert not (tmp_path / "out/result.json").exists()


def test_inputs_that_are_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    days = [f"{year}-07-01" for year in YEARS]

    def refused(said: str, **change: Path) -> None:
        with pytest.raises((InputRefused, NotComputable), match=said):
            run(tmp_path / "out", "land.sdg-15-3-1", files | change, **SPANS)

    scaled = write(tmp_path / "scaled.tif", greenness() * 1e4, days, dtype="int16", nodata=-3000)
    refused("scale", ndvi=scaled)
    shifted = from_origin(70.05, 41, 0.1, 0.1)
    refused("grid", landcover=write(tmp_path / "s.tif", covers(), days, transform=shifted))
    refused("reference system", ndvi=write(tmp_path / "n.tif", greenness(), days, crs=None))
    refused("legend", landcover=write(
        tmp_path / "odd.tif", covers() + 100, days, dtype="uint8", nodata=0))  # fmt: skip
    refused("t/ha", soc=write(tmp_path / "big.tif", np.full((ROWS, COLUMNS), 5e4)))
    table = tmp_path / "matrix.csv"
    table.write_text("initial,final,effect\n1,1,0\n1,2,1\n2,2,0\n")
    refused("2-1", transitions=table)
    table.write_text("initial,final,effect\n1,1,0\n1,2,5\n2,2,0\n2,1,0\n")
    refused("degrading", transitions=table)
    table.write_text("initial,final,effect\n1,1,x\n")
    refused("whole numbers", transitions=table)
    broken = tmp_path / "broken.geojson"
    ring = [[70, 40], [71, 41], [71, 40], [70, 41], [70, 40]]
    broken.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"id": "x"},
         "geometry": {"type": "Polygon", "coordinates": [ring]}}]}))  # fmt: skip
    refused("x", zones=broken)
    with pytest.raises(NotComputable):
        run(tmp_path / "out", "land.sdg-15-3-1", files, region=box(0, 0, 1, 1), **SPANS)


def test_cover_change_with_another_legend(tmp_path: Path, files: dict[str, Path]) -> None:
    result = run(tmp_path / "out", "land.cover-change", {"landcover": files["landcover"]})
    table = pd.read_csv(tmp_path / "out/tables/transitions.csv")
    moved = table[(table.initial != table.final) & (table.area_km2 > 0)]
    assert moved[["initial", "final", "effect"]].to_numpy().tolist() == [[1, 3, -1], [1, 5, -1]]
    assert table.area_km2.sum() == pytest.approx(result.values["total_km2"].value, rel=1e-12)
    sample = tmp_path / "sample.csv"
    rows = [f"{c},{c},40" for c in (1, 3, 5, 7)] + ["1,3,10"]
    sample.write_text("map,reference,count\n" + "\n".join(rows) + "\n")
    run(
        tmp_path / "adjusted",
        "land.cover-change",
        {"landcover": files["landcover"], "confusion": sample},
    )
    adjusted = pd.read_csv(tmp_path / "adjusted/tables/adjusted.csv").set_index("class")
    assert adjusted.area_km2.sum() == pytest.approx(adjusted.mapped_km2.sum(), rel=1e-9)
    assert adjusted.area_km2[1] == pytest.approx(0.8 * adjusted.mapped_km2[1], rel=1e-9)
    assert adjusted.low_km2[3] < adjusted.area_km2[3] < adjusted.high_km2[3]
    for wrong in ("9,9,1\n", "1,1,1\n"):
        sample.write_text("map,reference,count\n" + wrong)
        with pytest.raises(InputRefused, match="sample"):
            run(
                tmp_path / "no",
                "land.cover-change",
                {"landcover": files["landcover"], "confusion": sample},
            )
    nesting = tmp_path / "nesting.csv"
    nesting.write_text("code,class\n1,11\n3,12\n5,12\n7,12\n")
    matrix = tmp_path / "matrix.csv"
    matrix.write_text("initial,final,effect\n11,11,0\n11,12,1\n12,11,-1\n12,12,0\n")
    own = {"landcover": files["landcover"], "nesting": nesting, "transitions": matrix}
    result = run(tmp_path / "own", "land.cover-change", own)
    assert result.values["improved_km2"].value == pytest.approx(moved.area_km2.sum(), rel=1e-9)
    with pytest.raises(NotComputable, match="two maps"):
        run(tmp_path / "no", "land.cover-change", {"landcover": files["landcover"]}, start=2019)


def test_soil_carbon_by_hand(tmp_path: Path, files: dict[str, Path]) -> None:
    given = {name: files[name] for name in ("landcover", "soc")}
    result = run(tmp_path / "out", "land.soil-carbon", given, start=2000, end=2019)
    stocks = pd.read_csv(tmp_path / "out/tables/stocks.csv")
    assert set(stocks["class"]) == {1, 2, 3, 4, 5, 6}
    last = stocks[(stocks.year == 2019) & (stocks["class"] == 1)].mean_t_ha.item()
    # Seven columns of trees: one ploughed 17 years ago, one sealed 4 years ago.
    ploughed, sealed = 60 - 17 * 60 * 0.2 / 20, 60 - 4 * 60 * 0.9 / 20
    assert last == pytest.approx((5 * 60 + ploughed + sealed) / 7, rel=1e-6)
    assert result.values["change_percent"].value < 0
    shares = pd.read_csv(tmp_path / "out/tables/degradation.csv").set_index("state")
    assert shares.percent["degraded"] == pytest.approx(25.0, rel=1e-6)
