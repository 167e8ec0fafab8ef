"""Numbers that are no results, units beside values, names of other houses: told, never silent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from ecotone.assess.compute import compute
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.result import Result

LIMITS = "standard,version,property,unit,max\nT,1,{name},{unit},{top}\n"


def run(tmp_path: Path, name: str, text: str, standards: str = "", **given) -> Result:
    path = tmp_path / "given.csv"
    path.write_text(text, encoding="utf-8")
    key = "series" if name == "water.trend" else "results"
    inputs = {key: [path]}
    if standards:
        (tmp_path / "limits.csv").write_text(standards, encoding="utf-8")
        inputs["standards"] = [tmp_path / "limits.csv"]
    return compute(name, inputs, given, tmp_path / "out")


def told(result: Result, code: str) -> list[dict]:
    return [f for f in result.findings if f["code"] == code]


def monthly(value, unit: str = "") -> str:
    dates = pd.date_range("2000-01-15", periods=96, freq="MS").strftime("%Y-%m-%d")
    head = "date,NO3" + (",unit" if unit else "")
    rows = [f"{d},{value(i)}" + (f",{unit.split('|')[i % 2]}" if unit else "")
            for i, d in enumerate(dates)]  # fmt: skip
    return "\n".join([head, *rows]) + "\n"


def test_units_of_rows_are_brought_to_one(tmp_path: Path) -> None:
    plain = run(tmp_path, "water.trend", monthly(lambda i: 1 + i / 96), column="NO3")
    text = monthly(lambda i: (1 + i / 96) * (1000 if i % 2 else 1), "mg/L|ug/L")
    mixed = run(tmp_path, "water.trend", text, column="NO3")
    assert mixed.values["slope"].value == pytest.approx(plain.values["slope"].value)
    assert mixed.values["slope"].unit.startswith("mg/L")
    assert told(mixed, "water-units-joined")


@pytest.mark.parametrize("code", ["-9999", "-999", "-99.9", "9999"])
def test_codes_of_missing_values_are_no_values(tmp_path: Path, code: str) -> None:
    clean = monthly(lambda i: "" if i % 12 == 2 else 1 + i / 96)
    coded = monthly(lambda i: code if i % 12 == 2 else 1 + i / 96)
    one, other = (run(tmp_path, "water.trend", t, column="NO3") for t in (clean, coded))
    assert other.values["slope"].value == one.values["slope"].value
    (found,) = told(other, "water-nodata")
    assert found["params"]["count"] == "8"


def test_a_negative_concentration_is_set_aside(tmp_path: Path) -> None:
    text = "station,Pb_ugL\n" + "".join(f"A,{v}\n" for v in (1, 2, 3, -0.5))
    result = run(tmp_path, "water.censored-summary", text, method="km")
    assert result.values["mean"].value == 2
    assert told(result, "water-negative")[0]["params"]["count"] == "1"
    cold = run(tmp_path, "water.censored-summary", "station,TEMP_C\nA,-0.5\nA,1\n", method="km")
    assert cold.values["n"].value == 2
    plain = run(tmp_path, "water.censored-summary", "value\n1\n2\n-0.5\n", method="km")
    assert told(plain, "water-negative-kept")


@pytest.mark.parametrize("unit", ["мгО2/л", "мгО/л", "мг О₂/дм3", "mg O2/L", "mgO2/L", "mg/L"])
def test_an_oxygen_demand_counts_oxygen(tmp_path: Path, unit: str) -> None:
    text = f"site,date,property,value,unit\nA,2024-01-01,БПК5,3.5,{unit}\n"
    result = run(tmp_path, "water.index", text, index="gb3838")
    assert result.values["index"].value == 3


@pytest.mark.parametrize("name", ["Аммонийный азот", "Азот аммиака", "азот аммонийный"])
def test_other_names_of_ammonia_nitrogen(tmp_path: Path, name: str) -> None:
    text = f"site,date,property,value,unit\nA,2024-01-01,{name},0.4,мг/л\n"
    assert run(tmp_path, "water.index", text, index="gb3838").values["index"].value == 2


def test_a_name_that_no_class_knows_is_told(tmp_path: Path) -> None:
    text = "site,date,property,value,unit\nA,2024-01-01,Азот,0.4,мг/л\nA,2024-01-01,DO,8,mg/L\n"
    result = run(tmp_path, "water.index", text, index="gb3838")
    assert [f["value"] for f in told(result, "water-no-limit")] == ["Азот"]


@pytest.mark.parametrize(
    ("name", "values", "slip"),
    [
        ("EC", [250 + i for i in range(12)] + [25.1 + i / 10 for i in range(12)], "10"),
        ("Pb", [2 + i / 10 for i in range(12)] + [0.002 + i / 1e4 for i in range(5)], "1000"),
        ("Pb", [2 + i / 10 for i in range(12)] + [0.2 + i / 100 for i in range(12)], None),
        ("EC", [25 + 10 * i for i in range(24)], None),
        ("EC", [250 + i for i in range(12)] + [25], None),
    ],
)
def test_a_unit_that_changed_without_a_word(tmp_path: Path, name, values, slip) -> None:
    unit = "uS/cm" if name == "EC" else "mg/L"
    text = "site,property,value,unit\n" + "".join(f"A,{name},{v},{unit}\n" for v in values)
    standards = LIMITS.format(name=name, unit=unit, top=1000)
    found = told(run(tmp_path, "water.compliance", text, standards), "water-unit-slip")
    assert [f["params"]["times"] for f in found] == ([slip] if slip else [])


@pytest.mark.parametrize("unit", ["SU", "s.u.", "std units", "pH units", ""])
def test_ph_of_other_houses(tmp_path: Path, unit: str) -> None:
    text = f"site,property,value,unit\nA,pH,7,{unit}\n"
    limits = "standard,version,property,unit,min,max\nT,1,pH,1,6,9\n"
    result = run(tmp_path, "water.compliance", text, limits)
    assert result.values["results"].value == 1


def test_a_column_of_types_is_the_water_bodys(tmp_path: Path) -> None:
    text = "station,type,property,value,unit\nW,groundwater,EC,100,uS/cm\nR,river,EC,90,uS/cm\n"
    run(tmp_path, "water.sdg-6-3-2", text, LIMITS.format(name="EC", unit="uS/cm", top=1000))
    bodies = pd.read_csv(tmp_path / "out/tables/bodies.csv").set_index("body")
    assert bodies["type"].to_dict() == {"W": "groundwater", "R": "river"}
    assert bodies.loc["W", "missing"] == "acidification, nitrogen"


@pytest.mark.parametrize(
    ("head", "site"),
    [("Дата;Пункт отбора;Нитраты, мг/л", "Пост 1"), ("采样日期;断面名称;硝酸盐(mg/L)", "上游")],
)
def test_the_one_column_of_numbers_is_the_one_meant(tmp_path: Path, head: str, site: str) -> None:
    rows = [f"2024-{m:02d}-01;{site};{m},5" for m in range(1, 10)]
    result = run(tmp_path, "water.censored-summary", "\n".join([head, *rows]) + "\n", method="km")
    assert (result.values["n"].value, result.values["mean"].unit) == (9, "mg/L")
    both = "date;a;b;note\n2024-01-01;1;2;x\n"
    with pytest.raises(UsageError, match=r"several columns.*: a, b\..*column="):
        run(tmp_path, "water.censored-summary", both)


def test_a_workbook_is_read_as_a_table(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["station", "Pb_ugL"], ["A", 1.5], ["A", 2.5], ["B", "<1"]):
        book.active.append(row)
    book.create_sheet("notes").append(["x", "y"])
    book["notes"].append([1, 2])
    path = tmp_path / "lab.xlsx"
    book.save(path)
    result = compute(
        "water.censored-summary", {"results": [path]}, {"method": "km"}, tmp_path / "o"
    )
    assert (result.values["n"].value, result.values["censored"].value) == (3, 1)
    assert told(result, "sheets-unread")[0]["value"] == "notes"


def test_a_semicolon_of_the_names_outweighs_decimal_commas(tmp_path: Path) -> None:
    rows = "".join(f"2024-{m:02d}-15;1 2{m:02d},5\n" for m in range(1, 10))
    text = "date;NO3\n" + rows
    result = run(tmp_path, "water.censored-summary", text, method="km")
    assert result.values["mean"].value == pytest.approx(1205.5)


def test_what_could_not_be_read_is_the_reason(tmp_path: Path) -> None:
    days = "Date,NO3\n" + "".join(f"{38367 + 31 * i},{2 + i / 10}\n" for i in range(40))
    with pytest.raises(NotComputable) as nothing:
        run(tmp_path, "water.trend", days)
    assert "40 dates" in str(nothing.value.hint)
    with pytest.raises(UsageError, match="no column of numbers"):
        run(tmp_path, "water.trend", "日期，硝酸盐\n2024-01-01，1\n")


@pytest.mark.parametrize(
    ("header", "half"),
    [("U", 1), ("u(k=2)", 1), ("±", 1), ("погрешность", 1), ("standard_uncertainty", 0.5),
     ("标准不确定度", 0.5)],
)  # fmt: skip
def test_states_between_need_an_uncertainty(tmp_path: Path, header: str, half: float) -> None:
    limits = LIMITS.format(name="lead", unit="ug/L", top=10)
    rows = "".join(f"A,lead,{v},ug/L,{half}\n" for v in (8, 9.5, 10.5, 12))
    told_so = run(
        tmp_path, "water.compliance", f"site,property,value,unit,{header}\n" + rows, limits
    )
    row = pd.read_csv(tmp_path / "out/tables/compliance.csv").iloc[0]
    states = ["compliant", "probably", "probably_not", "non_compliant"]
    assert row[states].tolist() == [1, 1, 1, 1]
    assert not told(told_so, "water-states-none")
    bare = "site,property,value,unit\nA,lead,9.5,ug/L\n"
    assert told(run(tmp_path, "water.compliance", bare, limits), "water-states-none")


def test_a_change_of_temperature_is_no_temperature(tmp_path: Path) -> None:
    """1 degC of change is 1 K, not 274.15 K; 1.8 degF the same."""
    values = {}
    for unit, change in (("degC", 1), ("K", 1), ("degF", 1.8), ("", 1)):
        text = f"site,date,property,value,unit\nA,2024-01-01,dT,{change},{unit}\n"
        values[unit] = run(tmp_path, "water.index", text, index="nsf").values["index"].value
    assert len({round(v, 6) for v in values.values()}) == 1
    assert values["K"] > 80


FLAGGED = [(0.5, 1), (1, 0), (2, 0), (3, 0), (0.5, 1), (4, 0)]


@pytest.mark.parametrize(
    ("head", "words", "given"),
    [
        ("As (ug/L),AsCen", ("FALSE", "TRUE"), {}),
        ("As (ug/L),remark", ("", "<"), {}),
        ("As (ug/L),qualifier", ("", "UJ"), {}),
        ("As (ug/L),detected", ("yes", "no"), {"censored": "detected"}),
        ("As (ug/L),是否检出", ("是", "否"), {"censored": "是否检出"}),
    ],
)
def test_flag_columns_are_seen_and_read_the_right_way_round(tmp_path, head, words, given) -> None:
    text = head + "\n" + "".join(f"{v},{words[hidden]}\n" for v, hidden in FLAGGED)
    result = run(tmp_path, "water.censored-summary", text, method="km", column="As", **given)
    assert (result.values["censored"].value, result.values["n"].value) == (2, 6)
    assert bool(told(result, "water-flags-used")) == (not given)


def test_a_remark_before_the_value_is_egrets(tmp_path: Path) -> None:
    days = pd.date_range("2001-01-01", periods=12, freq="MS").strftime("%Y-%m-%d")
    rows = "".join(f"{d},{'<' if i < 3 else ''},{1 + i / 10}\n" for i, d in enumerate(days))
    text = "Date,rem,Nitrate\n" + rows
    result = run(tmp_path, "water.censored-summary", text, method="ros", column="Nitrate")
    assert result.values["censored"].value == 3


def test_flags_nobody_knows_are_told(tmp_path: Path) -> None:
    text = "As,cen\n1,a1\n2,b2\n3,<\n4,\n"
    result = run(tmp_path, "water.censored-summary", text, method="km", column="As", censored="cen")
    (found,) = told(result, "water-flag-unknown")
    assert (found["params"]["count"], found["value"]) == ("2", "a1, b2")


def test_non_detects_of_the_water_quality_portal(tmp_path: Path) -> None:
    head = (
        "MonitoringLocationIdentifier,ActivityStartDate,CharacteristicName,ResultMeasureValue,"
        "ResultMeasure/MeasureUnitCode,ResultDetectionConditionText,"
        "DetectionQuantitationLimitMeasure/MeasureValue,"
        "DetectionQuantitationLimitMeasure/MeasureUnitCode\n"
    )
    rows = "A,2024-01-01,Lead,2,ug/L,,,\n" * 3 + "A,2024-02-01,Lead,,,Not Detected,0.6,ug/L\n"
    result = run(tmp_path, "water.censored-summary", head + rows, method="km")
    assert (result.values["n"].value, result.values["censored"].value) == (4, 1)


@pytest.mark.parametrize(
    "kind", ["method blank", "LCS", "duplicate", "холостая проба", "空白样",
             "Quality Control Sample-Field Blank", "spike"],
)  # fmt: skip
def test_controls_among_the_results_are_no_samples(tmp_path: Path, kind: str) -> None:
    text = (
        "sample,station,date,property,value,unit,sample_type\n"
        "B1,A,2024-01-01,lead,2,ug/L,sample\nB2,A,2024-01-02,lead,3,ug/L,\n"
        f"QC1,A,2024-01-02,lead,50,ug/L,{kind}\n"
    )
    limits = LIMITS.format(name="lead", unit="ug/L", top=10)
    result = run(tmp_path, "water.compliance", text, limits)
    assert (result.values["results"].value, result.values["exceedances"].value) == (2, 0)
    assert told(result, "water-controls-among-results")[0]["params"]["count"] == "1"
    checked = run(tmp_path, "water.laboratory", text)
    counts = {n: checked.values[n].value for n in ("results", "passed", "not_evaluated")}
    assert counts == {"results": 2, "passed": 0, "not_evaluated": 2}


@pytest.mark.parametrize("unit", ["CFU/100mL", "MPN/100 mL", "CFU/(100 mL)"])
def test_counts_of_bacteria_are_counts(tmp_path: Path, unit: str) -> None:
    """150 in 100 mL are 1500 a litre: class II of GB 3838 (at most 2000)."""
    text = f"site,date,property,value,unit\nA,2024-01-01,faecal coliform,150,{unit}\n"
    result = run(tmp_path, "water.index", text, index="gb3838", factors="all")
    assert result.values["index"].value == 2
    assert told(result, "water-counts-joined")


def test_rows_given_twice_and_a_series_without_any_detection(tmp_path: Path) -> None:
    text = "site,date,property,value,unit\n" + "A,2024-01-01,lead,2,ug/L\n" * 2
    twice = run(tmp_path, "water.compliance", text, LIMITS.format(name="lead", unit="ug/L", top=10))
    assert told(twice, "water-rows-twice")[0]["params"]["count"] == "1"
    nothing = run(tmp_path, "water.trend", monthly(lambda i: "<0.5"), column="NO3")
    assert nothing.values["slope"].value is None
    assert told(nothing, "water-nothing-detected")


def test_a_trend_tells_a_unit_that_changed(tmp_path: Path) -> None:
    text = monthly(lambda i: 250 + i % 7 if i < 48 else 25 + i % 7 / 10).replace("NO3", "EC")
    assert told(run(tmp_path, "water.trend", text, column="EC"), "water-unit-slip")


def test_why_nothing_could_be_judged(tmp_path: Path) -> None:
    text = "site,property,value,unit\nA,Nitrate,5,mg/L\nA,colour,5,TCU\n"
    with pytest.raises(NotComputable) as nothing:
        run(tmp_path, "water.compliance", text, standard="who-gdwq-4")
    hint = str(nothing.value.hint)
    assert "colour" in hint
    assert "nitrate (mg/L -> mg/L)" in hint
    assert "as N or as NO3" in hint
