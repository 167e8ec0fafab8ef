"""Kilimanjaro's NDVI against the numbers of the field's own tools."""

from __future__ import annotations

import csv
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.science.land import annual_mean, kendall_critical, kendall_exact_p, mann_kendall

STACK = "land/ndvi_kilimanjaro_gimms3g_v0.nc"


@pytest.fixture(scope="module")
def ndvi() -> tuple[np.ndarray, np.ndarray]:
    with netCDF4.Dataset(shared(STACK)) as data:
        values = np.ma.filled(data["ndvi"][:].astype(float), np.nan)
        days = np.asarray(data["time"][:]).astype("timedelta64[D]")
    return values, np.datetime64("1982-01-01") + days


@pytest.mark.parametrize(
    ("start", "end", "tied"), [(1982, 1997, 5), (1998, 2013, 5), (1982, 2013, 15)]
)
def test_every_pixel(ndvi, start: int, end: int, tied: int) -> None:
    path = shared(f"land/ndvi_kilimanjaro_gimms3g_v0_expected_{start}_{end}.csv")
    expected = pd.read_csv(path)
    years, means = annual_mean(*ndvi, start, end)
    test = mann_kendall(means.reshape(len(years), -1), years)
    normal = mann_kendall(means.reshape(len(years), -1), years, method="normal")
    p = expected["p_exact_two_sided"]
    assert p.isna().sum() == tied
    np.testing.assert_array_equal(test.s, expected["S"])
    np.testing.assert_allclose(test.p, p.fillna(expected["p_normal"]), atol=1e-6)
    np.testing.assert_allclose(normal.p, expected["p_normal"], atol=1e-6)
    np.testing.assert_allclose(test.z, expected["z_normal"], atol=1e-5)
    np.testing.assert_allclose(test.slope, expected["sen_slope"], rtol=1e-4)


def test_counts_of_1998_to_2013(ndvi) -> None:
    expected = pd.read_csv(shared("land/ndvi_kilimanjaro_gimms3g_v0_expected_1998_2013.csv"))
    years, means = annual_mean(*ndvi, 1998, 2013)
    test = mann_kendall(means.reshape(16, -1), years)
    untied = expected["p_exact_two_sided"].notna().to_numpy()
    assert int(untied.sum()) == 85
    assert int((test.p[untied] <= 0.05).sum()) == 9
    assert int((test.p <= 0.05).sum()) == 11
    assert test.s[~untied].tolist() == [55, -1, 27, -57, -37]


def test_autocorrelation(ndvi) -> None:
    """The peer ran on unrounded means, whose noise hides ties: so do we here."""
    expected = pd.read_csv(
        shared("land/ndvi_kilimanjaro_gimms3g_v0_expected_modified_mk_1982_2013.csv")
    )
    years, means = annual_mean(*ndvi)
    stack = means.reshape(32, -1)
    for method, column, count in (
        ("normal", "p_original", 25),
        ("hamed_rao", "p_hamed_rao", 29),
        ("tfpw", "p_tfpw", 24),
    ):
        raw = mann_kendall(stack, years, method=method, decimals=None)
        np.testing.assert_allclose(raw.p, expected[column], atol=1e-3)
        assert int((mann_kendall(stack, years, method=method).p < 0.05).sum()) == count


def test_critical_values() -> None:
    rows = list(csv.DictReader(_lines(shared("land/kendall_critical_te_vs_exact.csv"))))
    assert [int(r["n"]) for r in rows] == list(range(4, 61))
    for row in rows:
        n = int(row["n"])
        for column, alpha in (("p10", 0.1), ("p05", 0.05), ("p01", 0.01)):
            told = row[f"exact_crit_{column}"]
            assert kendall_critical(n, alpha) == (int(told) if told else None)
        for level in ("90", "95", "99"):
            if row[f"te_k{level}"]:
                p = kendall_exact_p(float(row[f"te_k{level}"]), n)
                assert float(p) == pytest.approx(float(row[f"exact_p2_at_k{level}"]), rel=1e-3)
    assert kendall_critical(16) == 46


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
