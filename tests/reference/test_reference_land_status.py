"""Trends.Earth's own case tables and the Kilimanjaro areas, number by number."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.assess.compute import compute
from ecotone.science.land import areas, carbon, cover, productivity, status
from ecotone.science.land.annual import annual_mean
from ecotone.science.land.drought import drought_classes
from ecotone.science.land.lookup import NODATA
from ecotone.science.land.trend import mann_kendall

WINDOWS = ((1982, 1997), (1998, 2013), (1982, 2013))


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(shared(f"land/{name}.csv"))


def ndvi(start: int, end: int) -> np.ndarray:
    netCDF4 = pytest.importorskip("netCDF4")
    with netCDF4.Dataset(shared("land/ndvi_kilimanjaro_gimms3g_v0.nc")) as data:
        times = netCDF4.num2date(data["time"][:], data["time"].units)
        days = np.array([str(t)[:10] for t in times], "datetime64[D]")
        return annual_mean(np.asarray(data["ndvi"][:], dtype=float), days, start, end)[1]


def test_lpd_cases() -> None:
    d = table("te_cases_lpd")
    lpd = productivity.lpd_classes(d.trend, d.state, d.performance, "trends_earth")
    assert len(d) == 48
    assert lpd.tolist() == d.lpd5.tolist()
    assert productivity.lpd_three(lpd).tolist() == d.lpd3.tolist()


def test_one_out_all_out_cases() -> None:
    d = table("te_cases_one_out_all_out")
    assert len(d) == 64
    found = status.one_out_all_out(d.productivity, d.land_cover, d.soc)
    assert found.tolist() == d.sdg.tolist()


def test_status_cases() -> None:
    d = table("te_cases_status_matrix")
    found = status.status_classes(d.baseline, d.period)
    assert len(d) == 16
    assert found.tolist() == d.status7.tolist()
    assert status.status_three(found).tolist() == d.status3.tolist()


def test_error_recode_cases() -> None:
    d = table("te_cases_error_recode")
    assert len(d) == 144
    for row in d.itertuples():
        codes = [None if c == -9999 else c for c in (row.deg_to, row.stable_to, row.imp_to)]
        chosen = tuple(p for n, p in enumerate(status.PERIODS) if row.periods_bits >> n & 1)
        fix = status.Recode(*codes, chosen)
        found = [status.recoded([row.value], [0], [fix], p)[0] for p in status.PERIODS]
        assert found == [row.baseline_out, row.report1_out, row.report2_out], row


def test_small_recodes() -> None:
    d = table("te_cases_trend_recode")
    assert productivity.te_trend_classes(d.signif).tolist() == d.trend3.tolist()
    d = table("te_cases_state_recode")
    assert productivity.te_state_classes(d.class_change).tolist() == d.state3.tolist()
    d = table("te_cases_drought_class")
    index = np.where(d.spi_x1000 == NODATA, np.nan, d.spi_x1000 / 1000)
    assert drought_classes(index, "trends_earth").tolist() == d.drought_class.tolist()
    d = table("te_cases_soc_recode")
    inside = d[d.soc_percent_change.abs() <= 101]
    found = carbon.carbon_classes(inside.soc_percent_change.clip(-100))
    assert found.tolist() == inside.soc3.tolist()


def test_trends_earths_critical_values() -> None:
    for row in table("kendall_critical_te_vs_exact").itertuples():
        k90, k95, k99 = productivity.te_critical(row.n)
        assert (k90, k95) == (row.te_k90, row.te_k95)
        assert k99 == row.te_k99 or (k99 is None and np.isnan(row.te_k99))


@pytest.mark.parametrize("window", WINDOWS)
def test_kilimanjaro_metrics(window: tuple[int, int]) -> None:
    d = table(f"ndvi_kilimanjaro_gimms3g_v0_expected_{window[0]}_{window[1]}")
    means = ndvi(*window)
    test = mann_kendall(means)
    line = productivity.line_slope(means)
    np.testing.assert_allclose(line.ravel() * 1e4, d.ols_slope_x10000, atol=1e-4)
    found = productivity.te_significance(test.s, test.valid, line)
    assert found.ravel().tolist() == d.te_signif.tolist()
    assert productivity.state_change(means).ravel().tolist() == d.te_state_change.tolist()
    np.testing.assert_allclose(productivity.state_score(means).ravel(), d.gpg_state_z, atol=1e-5)
    untied = d.p_exact_two_sided.notna().to_numpy()
    score = productivity.gpg_trend_score(test).ravel()
    np.testing.assert_allclose(score[untied], d.gpg_trend_z[untied], atol=1e-5)
    mean = productivity.mean_productivity(means)
    ratio = mean / np.quantile(mean, 0.9)
    np.testing.assert_allclose(ratio.ravel(), d.perf_ratio, atol=1e-5)


def test_kilimanjaro_areas_from_the_command(tmp_path: Path) -> None:
    path = shared("land/ndvi_kilimanjaro_gimms3g_v0.nc")
    wanted = json.loads(shared("land/ndvi_kilimanjaro_lpd_status_expected.json").read_text())
    for part in ("baseline", "period"):
        start, end = wanted[part]["window"]
        given = {"start": start, "end": end, "rule": "trends_earth"}
        compute("land.productivity", {"ndvi": [path]}, given, tmp_path / part)
        found = pd.read_csv(tmp_path / part / "tables/lpd.csv").set_index("class")["area_km2"]
        for code, km2 in wanted[part]["lpd5_km2"].items():
            assert found[int(code)] == pytest.approx(km2, abs=0.01)
        assert found.sum() == pytest.approx(wanted[part]["total_km2"], abs=0.01)
    given = {"baseline": "1982-1997", "report": "1998-2013", "rule": "trends_earth"}
    compute("land.sdg-15-3-1", {"ndvi": [path]}, given, tmp_path / "sdg")
    found = pd.read_csv(tmp_path / "sdg/tables/status.csv").set_index("class")["area_km2"]
    for code in range(1, 8):
        km2 = wanted["status7_km2"].get(str(code), 0.0)
        assert found[code] == pytest.approx(km2, abs=0.01)
    cross = pd.read_csv(tmp_path / "sdg/tables/crosstab.csv")
    names = {-1: "degraded", 0: "stable", 1: "improved"}
    for a, b in product((-1, 0, 1), repeat=2):
        here = cross[(cross.baseline == names[a]) & (cross.period == names[b])]
        km2 = wanted["crosstab_baseline_period_km2"].get(f"{a},{b}", 0.0)
        assert here.area_km2.item() == pytest.approx(km2, abs=0.01)


def test_cell_areas() -> None:
    for row in table("cell_area_wgs84").itertuples():
        edges = [row.lat_south, row.lat_south + row.cell_deg]
        found = areas.cell_areas(edges, row.cell_deg)[0]
        assert found == pytest.approx(row.geod_polygon_area_m2, rel=1e-8)


def test_soil_carbon_sequences() -> None:
    with shared("land/soc_tier1_cases.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    for row in rows:
        maps = np.array([int(c) for c in row["landcover_2000_2023"]])[:, None]
        stock = [float(row["soc2000_t_ha"])]
        series = carbon.carbon_stocks(stock, maps, float(row["f"])).ravel()
        for year in (2015, 2016, 2019, 2023):
            assert series[year - 2000] == pytest.approx(float(row[f"soc{year}"]), abs=1e-3)
        for first, last, name in ((2000, 2015, "baseline"), (2016, 2023, "period")):
            change = carbon.carbon_change(series[first - 2000], series[last - 2000])
            assert carbon.carbon_classes(change) == int(row[f"class_{name}"])


def test_nesting_and_matrix_are_those_of_the_unccd() -> None:
    nesting = json.loads(shared("land/land_cover_nesting_unccd_esa.json").read_text())["nesting"]
    wanted = {code: int(k) for k, codes in nesting.items() if int(k) > 0 for code in codes}
    assert {c: k for c, k in cover.esa_nesting().items() if c in wanted} == wanted
    document = json.loads(shared("land/land_cover_transition_matrix_unccd.json").read_text())
    meaning = {"degradation": -1, "stable": 0, "improvement": 1}
    matrix = cover.unccd_transitions()
    cells = document["definitions"]["transitions"]
    assert len(cells) == 49
    for cell in cells:
        a, b = cell["initial"]["code"], cell["final"]["code"]
        assert matrix.of(a, b) == meaning[cell["meaning"]]


def test_turkmenistan_polygons_are_measured_and_their_claims_reported(tmp_path: Path) -> None:
    from ecotone.assess.indicators.land_polygons import read_corrections

    corrections, findings = read_corrections(shared("land/error_polygons_turkmenistan.geojson"))
    found = [c.polygon.km2 for c in corrections]
    assert found == pytest.approx([3409.88, 3344.72, 1417.11], rel=1e-3)
    told = [f for f in findings if f.code == "land-area-declared"]
    assert [f.value for f in told] == ["156.7", "89.3", "34.6"]
