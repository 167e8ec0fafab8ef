"""Trends, summaries, loads, WRTDS and stream QC on small files, good and bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from ecotone.assess.compute import compute
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.result import Result


def run(tmp_path: Path, name: str, files: dict[str, str], **given) -> Result:
    inputs = {}
    for key, text in files.items():
        path = tmp_path / f"{key}.csv"
        path.write_text(text, encoding="utf-8")
        inputs[key] = [path]
    return compute(name, inputs, given, tmp_path / "out")


def table(tmp_path: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(tmp_path / f"out/tables/{name}.csv")


def codes(result: Result) -> set[str]:
    return {f["code"] for f in result.findings}


def monthly(years: int = 12, station: str = "A") -> list[str]:
    rng = np.random.default_rng(1)
    return [
        f"{station},{2000 + y}-{m:02d}-15,{5 + 0.1 * y + m / 12 + rng.normal(0, 0.3):.2f}"
        for y in range(years)
        for m in range(1, 13)
    ]


HEAD = "station,date,NO3N_mgL\n"


def test_a_basis_stands_behind_the_unit_of_a_trend(tmp_path: Path) -> None:
    rows = "\n".join(f"{row},mg/L as N" for row in monthly())
    text = f"station,date,nitrate,unit\n{rows}\n"
    result = run(tmp_path, "water.trend", {"series": text}, column="nitrate")
    assert result.values["slope"].unit == "mg/L/a as N"


def test_a_trend(tmp_path: Path) -> None:
    result = run(tmp_path, "water.trend", {"series": HEAD + "\n".join(monthly()) + "\n"})
    slope = result.values["slope"]
    assert slope.unit == "mg/L/a"
    assert slope.low < 0.1 < slope.high
    assert result.values["p"].value < 1e-6
    assert result.values["p_corrected"].value < 0.05
    assert codes(result) == {"water-no-covariate"}
    rows = table(tmp_path, "trend")
    assert rows[["n", "blocks"]].to_numpy().tolist() == [[144, 12]]
    annual = run(tmp_path, "water.trend", {"series": HEAD + "\n".join(monthly())},
                 method="mann-kendall")  # fmt: skip
    assert annual.values["n"].value == 12
    assert annual.values["p_corrected"].value is None
    assert "water-not-corrected" in codes(annual)


def test_years_and_regions(tmp_path: Path) -> None:
    placed = "station,date,NO3N_mgL,lat,lon\n" + "\n".join(
        f"{line},{40 + (line[0] == 'B')},70" for line in [*monthly(), *monthly(station="B")]
    )
    path = tmp_path / "series.csv"
    path.write_text(placed + "\n", encoding="utf-8")
    given = {"start": 2002, "end": 2006, "column": "NO3N_mgL"}
    here = compute("water.trend", {"series": [path]}, given, tmp_path / "out",
                   region=box(69, 39.5, 71, 40.5))  # fmt: skip
    assert here.values["n"].value == 60
    summary = compute("water.censored-summary", {"results": [path]}, given, tmp_path / "out",
                      region=box(0, 0, 100, 90))  # fmt: skip
    assert summary.values["n"].value == 120
    nowhere = run(tmp_path, "water.qc", {"series": stream(["1", "2"])})
    assert "water-region-not-applied" not in codes(nowhere)
    told = compute("water.qc", {"series": [tmp_path / "series.csv"]}, {}, tmp_path / "out",
                   region=box(0, 0, 1, 1))  # fmt: skip
    assert "water-region-not-applied" in codes(told)


def test_stations_apart_and_as_blocks(tmp_path: Path) -> None:
    both = HEAD + "\n".join([*monthly(), *monthly(station="B"), "C,2001-01-01,3"])
    each = run(tmp_path, "water.trend", {"series": both}, column="NO3N")
    assert each.values["slope"].value is None
    assert {"water-several-stations", "water-few-values"} <= codes(each)
    assert table(tmp_path, "trend")["station"].tolist() == ["A", "B"]
    one = run(tmp_path, "water.trend", {"series": both}, station="b")
    assert one.values["s"].value > 0
    region = run(tmp_path, "water.trend", {"series": both}, method="regional-kendall")
    assert region.values["n"].value == 24
    with pytest.raises(UsageError, match="no station 'Q'"):
        run(tmp_path, "water.trend", {"series": both}, station="Q")
    with pytest.raises(UsageError, match="no column or property 'zinc'"):
        run(tmp_path, "water.trend", {"series": both}, column="zinc")
    with pytest.raises(NotComputable, match="at least 4"):
        run(tmp_path, "water.trend", {"series": HEAD + "A,2001-01-01,3\n"})


def test_non_detects_tie_and_the_slope_says_whether_it_knows(tmp_path: Path) -> None:
    rows = [line.rsplit(",", 1) for line in monthly()]
    few = [f"{a},<{v}" if i in (3, 40) else f"{a},{v}" for i, (a, v) in enumerate(rows)]
    result = run(tmp_path, "water.trend", {"series": HEAD + "\n".join(few)})
    assert "water-recensored" in codes(result)
    assert table(tmp_path, "trend")["censored"].tolist() == [2]
    most = [f"{a},<{v}" if i % 3 else f"{a},{v}" for i, (a, v) in enumerate(rows)]
    unknown = run(tmp_path, "water.trend", {"series": HEAD + "\n".join(most)})
    assert unknown.values["slope"].value is None
    assert "water-slope-censored" in codes(unknown)
    above = run(
        tmp_path, "water.trend", {"series": HEAD + "\n".join([*monthly(), "A,2001-02-01,>9"])}
    )
    assert "water-above-limit" in codes(above)


def test_a_covariate_and_which_it_is(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rain = "year,month,rain,flow\n" + "".join(
        f"{2000 + y},{m},{rng.gamma(2):.2f},{rng.gamma(3):.2f}\n"
        for y in range(12)
        for m in range(1, 13)
    )
    files = {"series": HEAD + "\n".join(monthly()), "covariate": rain}
    with pytest.raises(UsageError, match="covariate: rain, flow"):
        run(tmp_path, "water.trend", files)
    result = run(tmp_path, "water.trend", files, covariate_column="rain")
    assert result.values["p_partial"].value < 1e-6
    assert result.values["p_partial_corrected"].value is not None
    files["covariate"] = rain.replace(",flow", "").replace("\n", "\n")
    only = "\n".join(line.rsplit(",", 1)[0] for line in rain.splitlines())
    alone = run(tmp_path, "water.trend", {**files, "covariate": only})
    assert alone.values["s_partial"].value == result.values["s_partial"].value


def test_long_tables_and_dates_in_every_order(tmp_path: Path) -> None:
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%Y年%m月%d日", "%Y%m%d"):
        lines = [line.split(",") for line in monthly()]
        rows = [
            f"A,nitrate,{pd.Timestamp(d).replace(day=20).strftime(form)},{v},mg/L"
            for _, d, v in lines
        ]
        text = "site,property,date,value,unit\n" + "\n".join(rows) + "\n"
        result = run(tmp_path, "water.trend", {"series": text})
        assert result.values["n"].value == 144, form
    unclear = text.replace("20", "01")
    slashes = "station,date,x\n" + "".join(f"A,0{m}/0{m + 1}/200{m},1\n" for m in range(1, 8))
    with pytest.raises(InputRefused, match="day and month or month and day"):
        run(tmp_path, "water.trend", {"series": slashes}, column="x")
    assert unclear
    undated = HEAD + "\n".join([*monthly(), "A,soon,4", "A,2001-02-31,4"])
    assert "water-undated" in codes(run(tmp_path, "water.trend", {"series": undated}))
    named = "year,month,x\n" + "".join(
        f"{y},{m},{y - 2000}\n" for y in range(2000, 2006) for m in ("Jan", "фев", "3月")
    )
    assert run(tmp_path, "water.trend", {"series": named}, column="x").values["n"].value == 18


def test_yearly_series_and_decimal_years(tmp_path: Path) -> None:
    """Series of years are one block; decimal years are told from months."""
    yearly = "year,flow\n" + "".join(f"{1900 + i},{i % 7 + i}\n" for i in range(30))
    result = run(tmp_path, "water.trend", {"series": yearly}, column="flow")
    assert result.values["n"].value == 30
    assert "water-no-months" in codes(result)
    rows = [line.split(",") for line in monthly()]
    decimal = "date,x\n" + "".join(
        f"{int(d[:4]) + (int(d[5:7]) - 0.5) / 12:.3f},{v}\n" for _, d, v in rows
    )
    plain = run(tmp_path, "water.trend", {"series": HEAD + "\n".join(monthly())})
    other = run(tmp_path, "water.trend", {"series": decimal}, column="x")
    assert other.values["s"].value == plain.values["s"].value
    months = "date,x\n" + "".join(f"{d[:4]}.{d[5:7]},{v}\n" for _, d, v in rows)
    dotted = run(tmp_path, "water.trend", {"series": months}, column="x")
    assert dotted.values["s"].value == plain.values["s"].value


def test_summary_of_a_column_and_its_stations(tmp_path: Path) -> None:
    rows = [
        "A;<0,5",
        "A;0,7",
        "A;1,2",
        "A;2,0",
        "B;ND (0,5)",
        "B;3,1",
        "B;4,4",
        "B;about 2",
        "C;ND",
    ]
    text = "station;Pb_ugL\n" + "\n".join(rows) + "\n"
    result = run(tmp_path, "water.censored-summary", {"results": text}, method="ros")
    assert (result.values["n"].value, result.values["censored"].value) == (7, 2)
    assert result.values["mean"].unit == "ug/L"
    assert {"water-value-unreadable", "water-limit-unknown"} <= codes(result)
    assert table(tmp_path, "summary")["station"].fillna("").tolist() == ["", "A", "B"]
    only = run(tmp_path, "water.censored-summary", {"results": "x,cen\n1,1\n1,T\n2,true\n3,\n"},
               column="x", censored="cen", method="km")  # fmt: skip
    assert only.values["median"].value is None
    assert only.values["se"].value is None
    most = "x\n" + "<1\n" * 9 + "2\n3\n>9\n"
    told = run(tmp_path, "water.censored-summary", {"results": most})
    assert {"water-mostly-censored", "water-above-limit"} <= codes(told)
    dropped = run(tmp_path, "water.censored-summary", {"results": "x\n<9\n1\n2\n3\n"}, method="ros")
    assert "water-limits-dropped" in codes(dropped)
    with pytest.raises(NotComputable, match="nothing was detected"):
        run(tmp_path, "water.censored-summary", {"results": "x\n<1\n<2\n"})
    halves = "station,x\nA,1\nA,2\nA,4\nB,<1\nB,<1\n"
    assert "water-no-summary" in codes(run(tmp_path, "water.censored-summary", {"results": halves}))
    mixed = "site,property,value,unit\nA,lead,1,mg/L\nA,lead,2,mg/kg\n"
    with pytest.raises(NotComputable, match="several units"):
        run(tmp_path, "water.censored-summary", {"results": mixed})


def river(years: int = 3, unit: str = "") -> tuple[str, str]:
    rng = np.random.default_rng(5)
    days = pd.date_range("2001-10-01", periods=365 * years, freq="D")
    season = np.arange(days.size) / 365
    q = np.exp(1 + np.sin(2 * np.pi * season) + 0.3 * rng.normal(size=days.size))
    at = np.arange(3, days.size, 12)
    conc = np.exp(0.2 - 0.3 * np.log(q[at]) + 0.1 * rng.normal(size=at.size))
    flow = f"Date,Q{unit}\n" + "".join(
        f"{d.date()},{x:.4f}\n" for d, x in zip(days, q, strict=True)
    )
    samples = "date,NO3N_mgL\n" + "".join(
        f"{days[i].date()},{'<' if n % 20 == 7 else ''}{c:.3f}\n"
        for n, (i, c) in enumerate(zip(at, conc, strict=True))
    )
    return samples, flow


SMALL = {"window_y": 5, "window_s": 0.5, "min_obs": 40, "min_uncensored": 20}


def test_wrtds_of_a_small_river(tmp_path: Path) -> None:
    samples, flow = river()
    extra = samples + "2001-10-05,5 mg\n1999-01-01,2\nlater,2\n2002-02-02,ND\n"
    result = run(tmp_path, "water.wrtds", {"samples": extra, "discharge": flow}, replicates=3,
                 **SMALL)  # fmt: skip
    years = table(tmp_path, "annual")
    assert years["water_year"].tolist() == [2002, 2003, 2004]
    assert (years["fn_conc_low"] <= years["fn_conc_high"]).all()
    assert result.values["fn_flux_last"].level == 0.9
    assert result.values["censored"].value == 5
    assert {"water-value-unreadable", "water-sample-no-flow", "water-undated",
            "water-limit-unknown"} <= codes(result)  # fmt: skip
    again = run(tmp_path, "water.wrtds", {"samples": samples, "discharge": flow}, replicates=3,
                **SMALL)  # fmt: skip
    assert again.values["fn_flux_last"].low == result.values["fn_flux_last"].low
    one = run(tmp_path, "water.wrtds", {"samples": samples, "discharge": flow}, start=2003,
              end=2003, **SMALL)  # fmt: skip
    assert one.values["fn_flux_last"].value == one.values["fn_flux_first"].value
    none = run(
        tmp_path, "water.wrtds", {"samples": samples, "discharge": flow}, start=2050, **SMALL
    )
    assert none.values["fn_flux_last"].value is None
    assert "water-no-year" in codes(none)


def test_what_wrtds_refuses_and_tells(tmp_path: Path) -> None:
    samples, flow = river(1)
    files = {"samples": samples, "discharge": flow}
    with pytest.raises(NotComputable, match="fewer than the 100"):
        run(tmp_path, "water.wrtds", files)
    twice = {**files, "discharge": flow + "2001-10-01,4\n"}
    with pytest.raises(InputRefused, match="more than one discharge"):
        run(tmp_path, "water.wrtds", twice, **SMALL)
    away = "date,c\n1950-01-01,3\n"
    with pytest.raises(NotComputable, match="No sample"):
        run(tmp_path, "water.wrtds", {"samples": away, "discharge": flow}, **SMALL)
    bounds = "Date,ConcLow,ConcHigh,Uncen\n" + "".join(
        f"{line.split(',')[0]},{v},{v},1\n"
        for line in samples.splitlines()[1:]
        for v in [line.split(",")[1].strip("<")]
    )
    bounds += "2002-01-01,,0.5,0\n2002-01-02,3,1,1\n2002-01-03,,,\n2002-01-04,0.3,0.3,0\n"
    gaps = flow.replace("2002-03-01,", "no day,").replace("2002-03-02,", "2002-03-02,-")
    gaps = gaps.replace("2002-03-03,", "2002-03-03,0.0;").replace(";", "#")
    gaps = "\n".join(
        "2002-03-03,0" if line.startswith("2002-03-03") else line for line in gaps.splitlines()
    )
    few = {**SMALL, "min_obs": 20, "min_uncensored": 15}
    result = run(tmp_path, "water.wrtds", {"samples": bounds, "discharge": gaps}, **few)
    assert result.values["censored"].value == 2
    told = {"bounds-wrong", "sample-empty", "discharge-negative", "discharge-zero"}
    told |= {"discharge-gaps", "undated"}
    assert {f"water-{code}" for code in told} <= codes(result)


def test_loads_side_by_side(tmp_path: Path) -> None:
    samples, flow = river()
    samples = samples.replace("<", "")
    files = {"samples": samples, "discharge": flow}
    result = run(tmp_path, "water.load", files, replicates=2)
    assert result.values["beale"].low < result.values["beale"].value < result.values["beale"].high
    assert result.values["wrtds"].value is None
    assert "water-load-not" in codes(result)
    for name in ("averaging", "interpolation", "rating", "smearing", "mvue"):
        value = result.values[name]
        assert value.low < value.value < value.high
    rows = table(tmp_path, "loads").set_index("estimator")
    assert rows.loc["rating", "total"] == pytest.approx(rows.loc["rating", "load"] * 1095 / 1000)
    year = run(tmp_path, "water.load", files, start=2003, end=2003)
    assert table(tmp_path, "loads")["days"].eq(365).all()
    assert year.values["averaging"].value != result.values["averaging"].value
    hidden = "\n".join(
        line if n % 3 else line.replace(",", ",<").replace("<<", "<")
        for n, line in enumerate(samples.splitlines()[1:])
    )
    vague = run(tmp_path, "water.load", {**files, "samples": "date,NO3N_mgL\n" + hidden + "\n"})
    assert vague.values["averaging"].value is None
    assert vague.values["mvue"].value is None
    assert "water-load-censored" in codes(vague)
    with pytest.raises(UsageError, match="no discharge from 1950"):
        run(tmp_path, "water.load", files, start=1950, end=1951)
    with pytest.raises(NotComputable, match="None of the estimators"):
        run(tmp_path, "water.load", {"samples": "date,c\n2001-10-02,>3\n", "discharge": flow})


def test_units_of_a_river(tmp_path: Path) -> None:
    samples, flow = river()
    plain = run(tmp_path, "water.load", {"samples": samples, "discharge": flow})
    litres = "Date,Q (L/s)\n" + "\n".join(
        f"{d},{float(q) * 1000:.1f}" for d, q in (r.split(",") for r in flow.splitlines()[1:])
    )
    other = run(tmp_path, "water.load", {"samples": samples, "discharge": litres})
    assert other.values["rating"].value == pytest.approx(plain.values["rating"].value, rel=1e-4)
    assert "water-discharge-unit" in codes(plain)
    assert "water-discharge-unit" not in codes(other)
    feet = "Date,Q (ft3/s)\n" + "\n".join(
        f"{d},{float(q) / 0.3048**3:.4f}" for d, q in (r.split(",") for r in flow.splitlines()[1:])
    )
    third = run(tmp_path, "water.load", {"samples": samples, "discharge": feet}, replicates=0)
    assert third.values["rating"].value == pytest.approx(plain.values["rating"].value, rel=1e-4)
    strange = {"samples": samples, "discharge": feet.replace("ft3/s", "buckets/s")}
    with pytest.raises(InputRefused, match="buckets/s"):
        run(tmp_path, "water.load", strange)


def stream(values: list[str], start: str = "2024-01-01T00:00:00Z") -> str:
    times = pd.date_range(start, periods=len(values), freq="15min")
    return "time,value\n" + "".join(
        f"{t.isoformat()},{v}\n" for t, v in zip(times, values, strict=True)
    )


def test_stream_flags(tmp_path: Path) -> None:
    values = ["8", "8.1", "30", "8.2", "8", "8", "8", "8", "8", "8", "", "<5", "8.3", "x"]
    result = run(tmp_path, "water.qc", {"series": stream(values)}, fail_low=0, fail_high=20,
                 spike_suspect=2, spike_fail=5, flat_tolerance=0.05, flat_suspect=45,
                 flat_fail=60)  # fmt: skip
    flags = table(tmp_path, "flags")
    assert flags["gross_range"].tolist()[:3] == [1, 1, 4]
    assert flags["flat_line"].tolist()[4:10] == [1, 1, 1, 3, 4, 4]
    assert flags["flag"].tolist()[10:12] == [9, 9]
    assert {"water-test-not-run", "water-value-unreadable"} <= codes(result)
    assert result.values["failed"].value >= 3


def test_streams_with_a_bad_clock(tmp_path: Path) -> None:
    text = stream(["1", "2", "3"]) + "2024-01-01T00:15:00Z,9\n2024-01-02T00:00:00Z,4\nnoon,5\n"
    result = run(tmp_path, "water.qc", {"series": text}, rate_per_hour=50, column="value")
    counts = table(tmp_path, "counts").iloc[0]
    assert (counts["clock_jumps"], counts["gaps"], counts["n"]) == (1, 1, 5)
    assert {"water-clock", "water-untimed"} <= codes(result)
    flags = table(tmp_path, "flags").set_index("row")
    assert flags.loc[4, "flag"] == 3
    assert flags.loc[5, "gap_before"]
    with pytest.raises(NotComputable, match="No value has a time"):
        run(tmp_path, "water.qc", {"series": "time,value\nnoon,5\n"})
    with pytest.raises(InputRefused, match="no column for time"):
        run(tmp_path, "water.qc", {"series": "when,value\nnoon,5\n"})
    with pytest.raises(UsageError, match="no column or property 'x'"):
        run(tmp_path, "water.qc", {"series": text}, column="x")
    with pytest.raises(UsageError, match="do not fit together"):
        run(tmp_path, "water.qc", {"series": text}, fail_low=5, fail_high=1)
