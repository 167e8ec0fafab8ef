"""SPI, SPEI and RWEQ against the field's own programs, from files to tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.assess.compute import compute
from ecotone.science.land.standardised import spei


@pytest.mark.parametrize("scale", [1, 3, 12])
@pytest.mark.parametrize("zero", ["upper", "center"])
def test_pskem(tmp_path: Path, scale: int, zero: str) -> None:
    path = shared("land/chirchik_pskem_38462.csv")
    wanted = pd.read_csv(path)
    given = {"scale": scale, "calibration": "1981-2010", "zero": zero}
    compute("land.spi", {"series": [path]}, given, tmp_path)
    found = pd.read_csv(tmp_path / "tables/spi.csv")
    assert found.month.tolist() == wanted.month.tolist()
    peer = wanted[f"spi{scale}_xclim_APP_{zero}"]
    np.testing.assert_allclose(found.spi, peer, atol=1e-4)
    if zero == "upper":
        clipped = wanted[f"spi{scale}_climate_indices"]
        np.testing.assert_allclose(found.spi.clip(-3.09, 3.09), clipped, atol=1e-4)


def test_driest_decembers_of_pskem(tmp_path: Path) -> None:
    path = shared("land/chirchik_pskem_38462.csv")
    compute("land.spi", {"series": [path]}, {"calibration": "1981-2010"}, tmp_path)
    found = pd.read_csv(tmp_path / "tables/spi.csv").set_index("month").spi
    wanted = {1995: -2.536, 1961: -2.325, 1944: -2.064, 1983: -1.780, 2000: -0.857}
    for year, index in wanted.items():
        assert found[f"{year}-12-01"] == pytest.approx(index, abs=0.01)


@pytest.mark.parametrize("scale", [1, 12])
def test_cru_spei_is_that_of_r(scale: int) -> None:
    netCDF4 = pytest.importorskip("netCDF4")
    with netCDF4.Dataset(shared("land/spei_cruts4_pyrenees.nc")) as data:
        balance = np.ma.filled(data["water_balance"][:].astype(float), np.nan)
        wanted = np.ma.filled(data[f"spei{scale}_R"][:].astype(float), np.nan)
    months = np.arange("1900-01", "2020-01", dtype="datetime64[M]")
    np.testing.assert_allclose(spei(balance, months, scale=scale).index, wanted, atol=1e-6)


def test_cru_spei_from_file_to_raster(tmp_path: Path) -> None:
    import rasterio

    netCDF4 = pytest.importorskip("netCDF4")
    path = shared("land/spei_cruts4_pyrenees.nc")
    compute("land.spei", {"raster": [path]}, {"variable": "water_balance"}, tmp_path)
    with netCDF4.Dataset(path) as data:
        wanted = np.ma.filled(data["spei12_R"][:].astype(float), np.nan)[11::12]
        north_up = data["lat"][0] > data["lat"][-1]
    with rasterio.open(tmp_path / "rasters/spei.tif") as file:
        found = file.read()
    np.testing.assert_allclose(found, wanted if north_up else wanted[:, ::-1], atol=1e-5)


def test_rweq_points(tmp_path: Path) -> None:
    path = shared("land/rweq_point_cases.csv")
    wanted = pd.read_csv(path)
    result = compute("land.wind-erosion", {"points": [path]}, {}, tmp_path)
    found = pd.read_csv(tmp_path / "tables/points.csv")
    pairs = {
        "WF_kg_m": "WF_kg_m", "EF": "EF", "SCF": "SCF", "SLRf": "SLRf",
        "Qmax_kg_m": "Qmax_kg_m", "s_m": "s_m", "Q_kg_m": "Q_at_50m_kg_m",
        "point_loss_kg_m2": "SL_at_50m_kg_m2",
    }  # fmt: skip
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(found[ours], wanted[theirs], rtol=1e-4)
    assert found.mean_loss_kg_m2[:2].tolist() == pytest.approx([81.07, 1102.1], rel=1e-4)
    assert found.valid.tolist() == [True, False, True, True, True]
    assert "land-texture-sum" in [f["code"] for f in result.findings]
