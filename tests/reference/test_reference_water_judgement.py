"""Indices and classes against the CCME manual and counts of two independent scripts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.support import shared

from ecotone.assess.compute import compute

MEKONG = "water/mekong_3s_cambodia_wq_2004_2014.csv"
LIMITS = """standard,version,property,unit,min,max
Test,1,DO,mg/L,5,
Test,1,pH,1,6,9
Test,1,NO32,mg/L,,0.5
Test,1,TOTP,mg/L,,0.13
Test,1,COND,mS/m,,150
"""
STATIONS = {
    "Andaung Meas": (76.7478, 521, 21),
    "Lumphat": (65.0652, 521, 36),
    "Phum Pi": (76.6098, 402, 20),
    "Siempang": (53.6734, 514, 24),
}
CLASSES = {
    "Andaung Meas": [8, 48, 29, 7, 2, 4],
    "Lumphat": [7, 35, 34, 16, 4, 2],
    "Phum Pi": [2, 43, 24, 6, 0, 2],
    "Siempang": [3, 55, 24, 10, 0, 2],
}


@pytest.mark.parametrize("index", ["ccme", "CCME", "Ccme"])
def test_example_of_the_manual(tmp_path: Path, index: str) -> None:
    path = shared("water/ccme_manual_example_1997.csv")
    result = compute("water.index", {"results": [path]}, {"index": index}, tmp_path)
    assert result.values["index"].value == pytest.approx(88.12800, abs=1e-4)
    row = pd.read_csv(tmp_path / "tables/index.csv").iloc[0]
    assert (row["failed_variables"], row["variables"]) == (2, 10)
    assert (row["failed_tests"], row["tests"]) == (4, 103)
    assert row["f1"] == pytest.approx(20)
    assert row["f2"] == pytest.approx(3.88350, abs=1e-5)
    assert row["nse"] == pytest.approx(0.02859223, abs=1e-8)
    assert row["f3"] == pytest.approx(2.77974, abs=1e-5)
    assert row["class"] == "good"
    codes = {f["code"] for f in result.findings}
    assert {"water-unit-capital", "water-unit-coarse", "water-unit-unknown"} <= codes


def test_stations_of_the_mekong(tmp_path: Path) -> None:
    limits = tmp_path / "limits.csv"
    limits.write_text(LIMITS, encoding="utf-8")
    inputs = {"results": [shared(MEKONG)], "standards": [limits]}
    compute("water.index", inputs, {"replicates": 100}, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out/tables/index.csv").set_index("station")
    for station, (index, tests, failed) in STATIONS.items():
        row = table.loc[station]
        assert row["index"] == pytest.approx(index, abs=1e-4)
        assert (row["tests"], row["failed_tests"]) == (tests, failed)
    one = compute("water.index", inputs, {"station": "lumphat"}, tmp_path / "one")
    assert one.values["index"].value == pytest.approx(65.0652, abs=1e-4)


@pytest.mark.parametrize("own", [True, False])
def test_classes_of_the_mekong(tmp_path: Path, own: bool) -> None:
    """By the standard that comes with Ecotone and by the shared table of class limits."""
    inputs = {"results": [shared(MEKONG)]}
    if not own:
        inputs["standards"] = [shared("water/gb3838_2002_table1_limits.csv")]
    result = compute("water.index", inputs, {"index": "GB3838"}, tmp_path)
    table = pd.read_csv(tmp_path / "tables/classes.csv").set_index("station")
    for station, counts in CLASSES.items():
        assert table.loc[station, ["I", "II", "III", "IV", "V", "worse"]].tolist() == counts
    assert result.values["samples"].value == 367


def test_shipped_limits_are_the_shared_ones() -> None:
    from ecotone.assess.indicators.reading import Notes
    from ecotone.assess.indicators.standards import read_classes, shipped

    for water in ("river", "lake"):
        ours, theirs = (
            {
                (x.key, x.grade): (x.minimum, x.maximum)
                for x in read_classes(p, Notes(), water=water)
            }
            for p in (shipped()["gb3838-2002"], shared("water/gb3838_2002_table1_limits.csv"))
        )
        assert len(ours) == (110 if water == "river" else 115)
        assert {k: str(v) for k, v in ours.items()} == {k: str(v) for k, v in theirs.items()}


@pytest.mark.parametrize(
    ("file", "column", "flag", "method", "mean"),
    [
        ("nada_oahu.csv", "As", "AsCen", "ros", 0.972463242),
        ("nada_oahu.csv", "As", "AsCen", "km", 0.948958333),
        ("nada_tcereg.csv", "TCEConc", "TCECen", "mle", 12.3603076),
    ],
)
def test_summary_of_a_file(tmp_path: Path, file, column, flag, method, mean) -> None:
    result = compute(
        "water.censored-summary",
        {"results": [shared(f"water/{file}")]},
        {"column": column, "censored": flag, "method": method},
        tmp_path,
    )
    assert result.values["mean"].value == pytest.approx(mean, rel=1e-4)


def test_undefined_median_of_tce(tmp_path: Path) -> None:
    path = shared("water/nada_tcereg.csv")
    given = {"column": "TCEConc", "censored": "TCECen", "method": "km"}
    result = compute("water.censored-summary", {"results": [path]}, given, tmp_path)
    assert result.values["median"].value is None
    assert "water-undefined" in {f["code"] for f in result.findings}


def test_trend_of_a_file(tmp_path: Path) -> None:
    path = shared("water/rkt_pie1_deposition_monthly.csv")
    given = {"column": "SO4", "covariate_column": "mm"}
    inputs = {"series": [path], "covariate": [path]}
    values = compute("water.trend", inputs, given, tmp_path).values
    assert values["s"].value == -348
    assert values["p_corrected"].value == pytest.approx(0.003949817115, rel=1e-6)
    assert values["p_partial_corrected"].value == pytest.approx(5.370432e-04, rel=1e-6)
