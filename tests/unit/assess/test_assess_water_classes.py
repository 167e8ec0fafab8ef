"""GB 3838 by years and with chances, the saturation of oxygen, uncertain indices and shares."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ecotone.assess.compute import compute
from ecotone.model.result import Result

DAYS = [f"2023-{m:02d}-10" for m in range(1, 13)] + [f"2024-{m:02d}-10" for m in range(1, 6)]


def run(tmp_path: Path, name: str, lines: list[str], **given) -> Result:
    (tmp_path / "results.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    inputs = {"results": [tmp_path / "results.csv"]}
    return compute(name, inputs, given, tmp_path / "out")


def table(tmp_path: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(tmp_path / f"out/tables/{name}.csv", dtype={"year": str})


def codes(result: Result) -> set[str]:
    return {f["code"] for f in result.findings}


def test_classes_of_years_are_those_of_monthly_means(tmp_path: Path) -> None:
    """January twice: 0.3 and 0.5 count as one month. 2024 has five months and says so."""
    lines = ["station,date,NH4N_mgL", "A,2023-01-20,0.5"]
    lines += [f"A,{day},{0.3 if day < '2024' else 1.2}" for day in DAYS]
    result = run(tmp_path, "water.index", lines, index="gb3838")
    years = table(tmp_path, "years").set_index("year", drop=False)
    assert years["class"].tolist() == ["III", "II", "IV"]
    assert years["quality"].tolist() == ["good", "excellent", "lightly polluted"]
    assert years["months"].tolist() == [17, 12, 5]
    assert years.loc[["2023", "2024"], "enough"].astype(str).tolist() == ["True", "False"]
    assert years.loc["2023", "probability"] == 1
    whole = years.loc["all"]
    # (12 months at 0.3, of which one 0.4) and five at 1.2: 0.571, class III, perhaps II
    assert whole["class"] == "III"
    assert 0.5 < whole["p_III"] < 0.95
    assert whole["p_II"] + whole["p_III"] == pytest.approx(1, abs=0.01)
    value = result.values["index"]
    assert (value.value, value.low, value.high, value.level) == (3, 2, 3, 0.95)
    assert {"water-year-few", "water-spread-none"} <= codes(result)


def test_measurement_uncertainty_and_non_detects_make_a_class_uncertain(tmp_path: Path) -> None:
    head = "station,date,property,unit,value,expanded_uncertainty"
    sure = [head] + [f"A,{d},ammonia nitrogen,mg/L,0.45," for d in DAYS[:12]]
    run(tmp_path, "water.index", sure, index="gb3838")
    assert table(tmp_path, "years")["p_II"].tolist() == [1, 1]
    told = [head] + [f"A,{d},ammonia nitrogen,mg/L,0.49,0.3" for d in DAYS[:12]]
    run(tmp_path, "water.index", told, index="gb3838")
    chance = table(tmp_path, "years")["p_II"].iloc[0]
    # the mean of 12 has a standard uncertainty of 0.15/sqrt(12): P(mean <= 0.5) = 0.59
    assert chance == pytest.approx(0.59, abs=0.05)
    hidden = [head] + [f"A,{d},ammonia nitrogen,mg/L,<1.6," for d in DAYS[:12]]
    result = run(tmp_path, "water.index", hidden, index="gb3838")
    row = table(tmp_path, "years").iloc[0]
    assert result.values["index"].value is None
    assert row["p_III"] > 0.7
    assert "water-mean-undetermined" in codes(result)


def test_oxygen_of_class_one_by_saturation(tmp_path: Path) -> None:
    """At 3000 m and 15 degC water holds 6.98 mg/L: 6.5 is 93 % of it, at the sea only 64 %."""
    lines = ["station,date,DO_mgL,TEMP_C"] + [f"A,{day},6.5,15" for day in DAYS[:12]]
    high = run(tmp_path, "water.index", lines, index="gb3838", elevation=3000)
    assert table(tmp_path, "index")["class"].tolist() == ["II"]
    assert "water-oxygen-saturation" in codes(high)
    both = run(tmp_path, "water.index", lines, index="gb3838", elevation=3000, oxygen="either")
    assert table(tmp_path, "index")["class"].tolist() == ["I"]
    assert table(tmp_path, "classes").loc[0, "I"] == 12
    assert both.values["index"].value == 1
    assert "water-oxygen-either" in codes(both)
    sea = run(tmp_path, "water.index", lines, index="gb3838", oxygen="either")
    assert table(tmp_path, "index")["class"].tolist() == ["II"]
    assert not codes(sea) & {"water-oxygen-either", "water-oxygen-saturation"}
    measured = ["station,date,DO_mgL,DO saturation (%)"] + [f"A,{d},6.5,95" for d in DAYS[:12]]
    run(tmp_path, "water.index", measured, index="gb3838", oxygen="either")
    assert table(tmp_path, "index")["class"].tolist() == ["I"]


def test_the_ministrys_21_factors(tmp_path: Path) -> None:
    lines = ["station,date,NH4N_mgL,TOTN_mgL"] + [f"L,{day},0.1,5" for day in DAYS[:12]]
    usual = run(tmp_path, "water.index", lines, index="gb3838", water="lake")
    assert usual.values["index"].value == 1
    assert "water-factors-aside" in codes(usual)
    every = run(tmp_path, "water.index", lines, index="gb3838", water="lake", factors="all")
    assert every.values["index"].value == 6


def test_dates_that_may_be_of_two_months(tmp_path: Path) -> None:
    lines = ["station,date,NH4N_mgL", "A,03/04/2024,0.1", "A,05/06/2024,0.1"]
    result = run(tmp_path, "water.index", lines, index="gb3838")
    assert "water-months-unknown" in codes(result)
    assert table(tmp_path, "years")["months"].isna().all()


def test_an_uncertain_body_widens_sdg_6_3_2(tmp_path: Path) -> None:
    limits = "standard,version,property,unit,min,max\nT,1,TP,mg/L,,0.1\n"
    (tmp_path / "limits.csv").write_text(limits, encoding="utf-8")
    (tmp_path / "r.csv").write_text(
        "station,date,property,value,unit\n"
        + "".join(f"near,2024-01-{d:02d},TP,{0.05 if d < 9 else 0.2},mg/L\n" for d in range(1, 11))
        + "".join(f"far,2024-01-{d:02d},TP,0.01,mg/L\n" for d in range(1, 11)),
        encoding="utf-8",
    )
    inputs = {"results": [tmp_path / "r.csv"], "standards": [tmp_path / "limits.csv"]}
    result = compute("water.sdg-6-3-2", inputs, {}, tmp_path / "out")
    bodies = table(tmp_path, "bodies").set_index("body")
    assert bodies["status"].tolist() == ["good", "good"]
    assert bodies.loc["far", "chance"] == 1
    assert 0.4 < bodies.loc["near", "chance"] < 0.8
    assert bodies.loc["near", "low"] < 0.8 < bodies.loc["near", "high"]
    value = result.values["indicator"]
    assert value.value == 100
    # two sure bodies would leave 15.8 % as the lower end
    assert value.low < 15.8
    assert value.high == 100
