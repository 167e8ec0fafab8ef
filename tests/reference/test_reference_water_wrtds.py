"""WRTDS against EGRET's Choptank, cross-validated samples, years and time."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.assess.compute import compute
from ecotone.model.result import Result

SETTINGS = {
    "window_y": 10, "window_q": 2, "window_s": 0.5, "min_obs": 100, "min_uncensored": 50,
    "edge_adjust": False,
}  # fmt: skip
YEARS = {
    1980: (1.00272366, 291.21765),
    1990: (1.12474020, 353.48195),
    2000: (1.25275741, 381.01718),
    2011: (1.45668125, 405.96675),
}


@pytest.fixture(scope="module")
def choptank(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("choptank")
    inputs = {
        "samples": [shared("water/egret_choptank_nitrate_samples.csv")],
        "discharge": [shared("water/egret_choptank_nitrate_daily_q.csv")],
    }
    return compute("water.wrtds", inputs, SETTINGS, out), out


def test_cross_validated_samples(choptank) -> None:
    expected = pd.read_csv(shared("water/egret_choptank_nitrate_expected_sample_crossval.csv"))
    found = pd.read_csv(choptank[1] / "tables/samples.csv")
    assert found["date"].tolist() == expected["Date"].tolist()
    np.testing.assert_allclose(found["y_hat"], expected["yHat"], atol=1e-6)
    np.testing.assert_allclose(found["se"], expected["SE"], atol=1e-6)
    np.testing.assert_allclose(found["conc_hat"], expected["ConcHat"], rtol=1e-6)


def test_water_years(choptank) -> None:
    found = pd.read_csv(choptank[1] / "tables/annual.csv").set_index("water_year")
    assert len(found) == 32
    for year, (conc, flux) in YEARS.items():
        assert found.loc[year, "fn_conc"] == pytest.approx(conc, rel=2e-6)
        assert found.loc[year, "fn_flux"] == pytest.approx(flux, rel=2e-6)
    assert found.loc[1996, "flux"] == pytest.approx(541.98496, rel=1e-6)
    assert found.loc[2002, "flux"] == pytest.approx(132.10840, rel=1e-6)


def test_flux_bias(choptank) -> None:
    assert choptank[0].values["flux_bias"].value == pytest.approx(-0.02355, abs=5e-6)


def test_a_tenth_of_the_peer_s_time(choptank, tmp_path: Path) -> None:
    """EGRET takes some 48 s; compiled code is there once the module's fixture has run."""
    inputs = {
        "samples": [shared("water/egret_choptank_nitrate_samples.csv")],
        "discharge": [shared("water/egret_choptank_nitrate_daily_q.csv")],
    }
    start = time.process_time()
    compute("water.wrtds", inputs, SETTINGS, tmp_path)
    assert time.process_time() - start < 4.8
